//! The sorting plan: which chute a parcel drops into, by its channel and destination.
//!
//! A table that is read top to bottom. It knows no bags and no belts; a parcel for which it has no chute is rejected by
//! whoever asked.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use twin::ChannelId;
use twin::address::territories;

/// The chutes of one sorter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SortingPlan {
    /// Where intercepted, unreadable and undecided parcels go.
    pub reject: u16,
    /// Which chute is for which channel and countries; read from the top.
    #[serde(default)]
    pub chutes: Vec<ChuteRule>,
}

/// What goes into one chute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChuteRule {
    /// Its number on the sorter.
    pub chute: u16,
    /// The channel whose parcels drop there.
    pub channel: ChannelId,
    /// ISO countries; empty: any. A part of a country with a code of its own (`PR`) goes with the country unless a rule names it.
    #[serde(default)]
    pub countries: Vec<SmolStr>,
}

impl ChuteRule {
    fn takes(&self, channel: &ChannelId, country: &str) -> bool {
        self.channel == *channel && (self.countries.is_empty() || self.countries.iter().any(|c| c == country))
    }
}

impl SortingPlan {
    /// The chute for this channel and place (an ISO code): the one that names the place; else the first that takes the country
    /// whose post it is in, or anything; else that of a country which it is a far part of. `None`: the parcel is rejected.
    pub fn chute(&self, channel: &ChannelId, place: &str) -> Option<u16> {
        self.chute_besides(channel, place, |_| false)
    }

    /// The same where some chutes are out: the next that takes it, as if they stood in no rule.
    pub fn chute_besides(&self, channel: &ChannelId, place: &str, is_out: impl Fn(u16) -> bool) -> Option<u16> {
        let part = territories::with_code(place);
        let rules = || self.chutes.iter().filter(|rule| !is_out(rule.chute));
        let named = |rule: &&ChuteRule| rule.channel == *channel && rule.countries.iter().any(|c| c == place);
        let takes = |country: &str| rules().find(|rule| rule.takes(channel, country));
        let by_post = || takes(part.filter(|part| part.in_its_post).map_or(place, |part| part.of));
        let rule = rules().find(named).or_else(by_post).or_else(|| takes(part?.of));
        rule.map(|rule| rule.chute)
    }

    /// What is wrong with the plan, or `None`. Each chute has one open bag, so it can stand in one rule only.
    pub fn fault(&self) -> Option<String> {
        for (n, rule) in self.chutes.iter().enumerate() {
            let earlier = &self.chutes[..n];
            let ChuteRule { chute, channel, countries } = rule;
            if *chute == self.reject {
                return Some(format!("chute {chute} is the reject chute and cannot take {channel}"));
            }
            if earlier.iter().any(|e| e.chute == *chute) {
                return Some(format!("chute {chute} stands in two rules; it has one bag for one channel"));
            }
            if let Some(odd) = countries.iter().find(|c| c.len() != 2 || !c.bytes().all(|b| b.is_ascii_uppercase())) {
                return Some(format!("chute {chute}: country {odd:?} is not an ISO 3166 two-letter code"));
            }
            let all_taken = earlier.iter().any(|e| e.channel == *channel && e.countries.is_empty());
            let each_taken = !countries.is_empty() && countries.iter().all(|c| earlier.iter().any(|e| e.takes(channel, c)));
            if all_taken || each_taken {
                return Some(format!("chute {chute} never gets a parcel: earlier chutes take all of {channel} that it would"));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(chute: u16, channel: &str, countries: &[&str]) -> ChuteRule {
        ChuteRule { chute, channel: channel.into(), countries: countries.iter().map(SmolStr::new).collect() }
    }

    #[test]
    fn the_first_rule_that_takes_it_wins() {
        let plan: SortingPlan = toml::from_str(
            r#"reject = 99
            chutes = [{ chute = 1, channel = "usps/ground", countries = ["US"] }, { chute = 2, channel = "usps/ground" }, { chute = 3, channel = "dhl/p" }]"#,
        )
        .unwrap();
        assert_eq!(plan.fault(), None);
        assert_eq!(plan.chute(&"usps/ground".into(), "US"), Some(1));
        assert_eq!(plan.chute(&"usps/ground".into(), "CA"), Some(2));
        assert_eq!(plan.chute(&"dhl/p".into(), "DE"), Some(3));
        assert_eq!(plan.chute(&"ups/ground".into(), "US"), None);
    }

    #[test]
    fn a_part_of_a_country_goes_with_it_unless_it_is_named() {
        let plan = SortingPlan {
            reject: 9,
            chutes: vec![rule(1, "a", &["US"]), rule(2, "a", &["GU"]), rule(3, "a", &["FR"]), rule(4, "a", &["GB"]), rule(5, "b", &["FR"])],
        };
        let chute = |channel: &str, place| plan.chute(&channel.into(), place);
        assert_eq!((chute("a", "PR"), chute("a", "GU"), chute("a", "US")), (Some(1), Some(2), Some(1)));
        assert_eq!((chute("a", "RE"), chute("b", "RE"), chute("a", "DE")), (Some(3), Some(5), None));
        let anything = SortingPlan { chutes: [&plan.chutes[..], &[rule(6, "a", &[])]].concat(), ..plan.clone() };
        assert_eq!((anything.chute(&"a".into(), "RE"), anything.chute(&"a".into(), "JE")), (Some(6), Some(4)));
    }

    #[test]
    fn where_a_chute_is_out_the_next_that_takes_it_has_it() {
        let plan =
            SortingPlan { reject: 9, chutes: vec![rule(1, "a", &["GU"]), rule(2, "a", &["US"]), rule(3, "a", &[]), rule(4, "b", &["US"])] };
        let chute = |place, out: &[u16]| plan.chute_besides(&"a".into(), place, |chute| out.contains(&chute));
        assert_eq!((chute("GU", &[]), chute("GU", &[1]), chute("GU", &[1, 2]), chute("GU", &[1, 2, 3])), (Some(1), Some(2), Some(3), None));
        assert_eq!((chute("US", &[2]), chute("US", &[1, 3]), plan.chute_besides(&"b".into(), "US", |c| c == 4)), (Some(3), Some(2), None));
    }

    #[test]
    fn faults_are_named() {
        let fault = |chutes: &[ChuteRule]| SortingPlan { reject: 9, chutes: chutes.to_vec() }.fault().unwrap_or_default();
        assert_eq!(fault(&[rule(9, "a", &[])]), "chute 9 is the reject chute and cannot take a");
        assert_eq!(fault(&[rule(1, "a", &[]), rule(1, "b", &[])]), "chute 1 stands in two rules; it has one bag for one channel");
        assert_eq!(fault(&[rule(1, "a", &["usa"])]), "chute 1: country \"usa\" is not an ISO 3166 two-letter code");
        assert_eq!(
            fault(&[rule(1, "a", &[]), rule(2, "a", &["US"])]),
            "chute 2 never gets a parcel: earlier chutes take all of a that it would"
        );
        assert_eq!(fault(&[rule(1, "a", &["US"]), rule(2, "a", &["US", "CA"]), rule(3, "a", &[])]), "");
        assert!(fault(&[rule(1, "a", &["US"]), rule(2, "a", &["CA"]), rule(3, "a", &["CA", "US"])]).starts_with("chute 3 never"));
    }
}

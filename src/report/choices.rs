//! What allocation chose and what it left: how often each warehouse and channel won, and what choosing was worth.
//!
//! Reads decisions as they stand in the journal, in estimated prices; it never rates a parcel again.

use rules::fx::Rates;
use std::collections::BTreeMap;
use twin::allocation::{Candidate, Decision};
use twin::money::Decimal;
use twin::verdict::Verdict;
use twin::{ChannelId, Money, WarehouseId};

/// Averages are kept to this many decimals, so that their sum stays exact.
const AVERAGE_DECIMALS: u32 = 6;

/// All amounts in the base currency.
#[derive(Debug, Default)]
pub struct Choices {
    pub decisions: u64,
    /// Decisions in which another offer could have taken the parcel, too. Only these count below.
    pub with_alternative: u64,
    pub chosen: Decimal,
    /// What the cheapest of the other offers would have cost.
    pub next_best: Decimal,
    /// What an offer costs on average, the chosen one among them: choosing blindly.
    pub average: Decimal,
    pub dearest: Decimal,
    pub offers: BTreeMap<(WarehouseId, ChannelId), Offers>,
}

/// How one channel from one warehouse fared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// Decisions in which it had a price.
    pub priced: u64,
    pub chosen: u64,
    /// Sum of its prices where it was chosen.
    pub chosen_cost: Decimal,
    /// Sum of what it was dearer than the chosen one.
    pub dearer_by: Decimal,
}

impl Choices {
    /// `candidates`: all of them, also where the decision itself keeps a few.
    pub fn add(&mut self, decision: &Decision, candidates: &[Candidate], rates: &Rates) {
        self.decisions += 1;
        let in_base = |cost: Money| rates.convert(cost, rates.base).map(|m| m.amount);
        let Some(chosen) = in_base(decision.cost) else { return };
        let own = self.offers.entry((decision.warehouse.clone(), decision.channel.clone())).or_default();
        own.priced += 1;
        own.chosen += 1;
        own.chosen_cost += chosen;
        // One that is named with a price and refused the parcel all the same could not have taken it.
        let could = |c: &&Candidate| !matches!(c.verdict, Verdict::Short { .. } | Verdict::NoOffer { .. });
        let price = |c: &Candidate| c.cost.and_then(in_base).filter(|cost| *cost > Decimal::ZERO);
        let mut others = Vec::with_capacity(candidates.len());
        for candidate in candidates.iter().skip(1).filter(could) {
            let (Some(cost), Some(channel)) = (price(candidate), &candidate.channel) else { continue };
            let offer = self.offers.entry((candidate.warehouse.clone(), channel.clone())).or_default();
            offer.priced += 1;
            offer.dearer_by += cost - chosen;
            others.push(cost);
        }
        let (Some(next), Some(dearest)) = (others.iter().min(), others.iter().max()) else { return };
        self.with_alternative += 1;
        self.chosen += chosen;
        self.next_best += next;
        self.dearest += dearest;
        let all = chosen + others.iter().sum::<Decimal>();
        self.average += (all / Decimal::from(others.len() + 1)).round_dp(AVERAGE_DECIMALS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin::money::Currency;
    use twin::verdict::NoOffer;

    #[test]
    fn what_choosing_was_worth_is_counted_against_real_offers_only() {
        let rates = Rates { base: Currency::USD, per_base: [(Currency::CNY, Decimal::from(8))].into() };
        let offer = |channel: &str, cost: Option<Money>| Candidate {
            warehouse: "SZX".into(),
            channel: Some(channel.into()),
            cost,
            days: None,
            verdict: Verdict::Chosen,
        };
        let usd = |cents| Money::new(Decimal::new(cents, 2), Currency::USD);
        let cny = Money::new(Decimal::from(80), Currency::CNY);
        let candidates = vec![
            offer("a", Some(cny)),
            offer("b", Some(usd(1_200))),
            offer("c", Some(usd(2_000))),
            offer("free", Some(usd(0))),
            offer("none", None),
            Candidate { verdict: NoOffer::Free { total: usd(0) }.into(), ..offer("refused", Some(usd(1_100))) },
        ];
        let kept = candidates[..1].to_vec();
        let (rule, warehouse, channel) = ("cheapest@1".into(), "SZX".into(), "a".into());
        let decision = Decision { rule, warehouse, channel, cost: cny, candidates: kept.clone(), count: 6, all: None, settings: 0 };
        let mut choices = Choices::default();
        choices.add(&decision, &candidates, &rates);
        choices.add(&decision, &kept, &rates);
        let sums = [choices.chosen, choices.next_best, choices.average, choices.dearest].map(|d| d.to_string());
        assert_eq!((choices.decisions, choices.with_alternative), (2, 1));
        assert_eq!(sums, ["10", "12.00", "14.00", "20.00"]);
        let of = |channel: &str| choices.offers[&("SZX".into(), channel.into())];
        assert_eq!((of("a").chosen, of("a").priced, of("c").dearer_by), (2, 2, Decimal::TEN));
        assert_eq!(choices.offers.len(), 3);
    }
}

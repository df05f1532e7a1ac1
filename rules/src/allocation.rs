//! Which warehouse ships an order, over which channel: the rule `cheapest-with-stock@1`.
//!
//! A warehouse must have every line; of the offers from those that do, the cheapest wins. Every warehouse and channel that
//! was looked at is in the answer with its verdict. Reserves nothing and asks no carrier: stock and offers are handed in.

use crate::channels::{hold_named_in, is_not_served};
use crate::fx::Rates;
use smol_str::{SmolStr, format_smolstr};
use std::cmp::Ordering;
use twin::allocation::{Candidate, Decision};
use twin::channel::Quote;
use twin::money::{Currency, Decimal};
use twin::order::{Hold, Line};
use twin::{ChannelId, Money, Sku, WarehouseId};

/// The rule's name and version, as it stands in every decision.
pub const RULE: &str = "cheapest-with-stock@1";

/// What one channel from one warehouse answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    pub warehouse: WarehouseId,
    pub channel: ChannelId,
    /// The price, or why there is none: the text of an [`crate::channels::Unfit`], of a [`crate::rating::NoPrice`], or
    /// what the carrier said.
    pub quote: Result<Quote, SmolStr>,
}

/// The warehouses that have every line available, in the order given; and the others, each with what it is short of.
///
/// Lines of the same SKU add up. `available` is on hand less reserved less safety stock.
pub fn warehouses_with_stock(
    lines: &[Line],
    warehouses: &[WarehouseId],
    available: impl Fn(&WarehouseId, &Sku) -> u32,
) -> (Vec<WarehouseId>, Vec<Candidate>) {
    let mut wanted: Vec<(&Sku, u32)> = Vec::with_capacity(lines.len());
    for line in lines {
        match wanted.iter_mut().find(|(sku, _)| *sku == &line.sku) {
            Some((_, pieces)) => *pieces = pieces.saturating_add(line.quantity),
            None => wanted.push((&line.sku, line.quantity)),
        }
    }
    let (mut with_stock, mut lost) = (Vec::with_capacity(warehouses.len()), Vec::new());
    for warehouse in warehouses {
        let mut short = wanted.iter().filter_map(|&(sku, pieces)| Some((sku, pieces, available(warehouse, sku))).filter(|s| s.2 < pieces));
        let Some((sku, pieces, there)) = short.next() else {
            with_stock.push(warehouse.clone());
            continue;
        };
        let verdict = match short.count() {
            0 => format_smolstr!("short of {sku}: {there} of {pieces}"),
            more => format_smolstr!("short of {sku}: {there} of {pieces}, and of {more} more SKUs"),
        };
        lost.push(Candidate { warehouse: warehouse.clone(), channel: None, cost: None, days: None, verdict });
    }
    (with_stock, lost)
}

/// An offer with a price that can be compared.
struct Priced {
    in_base: Decimal,
    cost: Money,
    days: Option<u16>,
    warehouse: WarehouseId,
    channel: ChannelId,
}

impl Priced {
    /// Cheapest first; then fewer days (unknown last), channel, warehouse: the same offers in any order rank the same. The
    /// currency only tells two offers of one channel from one warehouse apart.
    fn rank(&self, other: &Priced) -> Ordering {
        let days = |p: &Priced| p.days.unwrap_or(u16::MAX);
        (self.in_base.cmp(&other.in_base))
            .then_with(|| days(self).cmp(&days(other)))
            .then_with(|| self.channel.cmp(&other.channel))
            .then_with(|| self.warehouse.cmp(&other.warehouse))
            .then_with(|| self.cost.currency.cmp(&other.cost.currency))
    }

    fn verdict(&self, best: &Priced, base: Currency) -> SmolStr {
        let difference = self.in_base - best.in_base;
        if !difference.is_zero() {
            let rounded = Money::new(difference, base).rounded().amount;
            let places = base.exponent().unwrap_or(2);
            return match rounded.is_zero() {
                true => format_smolstr!("dearer by under {} {}", Decimal::new(1, places.into()), base.code()),
                false => format_smolstr!("dearer by {rounded:.0$} {1}", usize::from(places), base.code()),
            };
        }
        match (self.days, best.days) {
            (Some(days), Some(fewer)) if days > fewer => format_smolstr!("same price, {days} days against {fewer}"),
            (None, Some(_)) => "same price, days unknown".into(),
            _ => "same price and days, later by name".into(),
        }
    }

    fn candidate(&self, verdict: SmolStr) -> Candidate {
        let (warehouse, channel) = (self.warehouse.clone(), Some(self.channel.clone()));
        Candidate { warehouse, channel, cost: Some(self.cost), days: self.days, verdict }
    }
}

/// A quote that can stand in the comparison, or why it cannot.
fn comparable(quote: &Quote, rates: &Rates) -> Result<Decimal, SmolStr> {
    if quote.total.amount <= Decimal::ZERO {
        return Err(format_smolstr!("quoted at {}: no parcel is free", quote.total));
    }
    let in_base = rates.convert(quote.total, rates.base);
    in_base
        .map(|m| m.amount)
        .ok_or_else(|| format_smolstr!("no exchange rate from {} to {}", quote.total.currency.code(), rates.base.code()))
}

/// The cheapest offer after conversion to the base currency; of equals the one with fewer days, then by channel and warehouse.
///
/// `lost` are the warehouses that came to no offer; they close the list of candidates. When nothing is left: the hold that
/// is nearest to being solved, one line on it, and every candidate with its reason.
pub fn choose(offers: Vec<Offer>, lost: Vec<Candidate>, rates: &Rates) -> Result<Decision, (Hold, SmolStr, Vec<Candidate>)> {
    let mut priced: Vec<Priced> = Vec::with_capacity(offers.len());
    let mut unpriced: Vec<Candidate> = Vec::new();
    let all = offers.len() + lost.len();
    for Offer { warehouse, channel, quote } in offers {
        let cost = quote.as_ref().ok().map(|quote| quote.total);
        let days = quote.as_ref().ok().and_then(|quote| quote.days);
        match (quote.and_then(|quote| comparable(&quote, rates)), cost) {
            (Ok(in_base), Some(cost)) => priced.push(Priced { in_base, cost, days, warehouse, channel }),
            (Ok(_), None) => {}
            (Err(verdict), cost) => unpriced.push(Candidate { warehouse, channel: Some(channel), cost, days, verdict }),
        }
    }
    priced.sort_unstable_by(Priced::rank);
    unpriced.sort_by(|a, b| (&a.channel, &a.warehouse).cmp(&(&b.channel, &b.warehouse)));

    let Some((best, dearer)) = priced.split_first() else {
        return Err(nothing_left(unpriced, lost));
    };
    let mut candidates = Vec::with_capacity(all);
    candidates.push(best.candidate(SmolStr::new_static("chosen")));
    candidates.extend(dearer.iter().map(|other| other.candidate(other.verdict(best, rates.base))));
    candidates.extend(unpriced);
    candidates.extend(lost);
    let (warehouse, channel, cost) = (best.warehouse.clone(), best.channel.clone(), best.cost);
    Ok(Decision { rule: SmolStr::new_static(RULE), warehouse, channel, cost, candidates, settings: 0 })
}

/// How near a refused offer is to a solution, nearest first: a price may appear, a parcel may be split, goods may be
/// swapped; a channel that does not run there is far.
fn distance(why: &str) -> u8 {
    match hold_named_in(why) {
        Hold::Oversize => 1,
        Hold::ForbiddenGoods => 2,
        _ if is_not_served(why) => 3,
        _ => 0,
    }
}

fn nothing_left(unpriced: Vec<Candidate>, lost: Vec<Candidate>) -> (Hold, SmolStr, Vec<Candidate>) {
    let nearest = unpriced.iter().min_by_key(|candidate| distance(&candidate.verdict));
    let others = (unpriced.len() + lost.len()).saturating_sub(1);
    let and_more = if others == 0 { String::new() } else { format!(" (and {others} more)") };
    let (hold, detail) = match (nearest, lost.first()) {
        (Some(c), _) => {
            let channel = c.channel.as_ref().map_or("", ChannelId::as_str);
            (hold_named_in(&c.verdict), format_smolstr!("{} by {channel}: {}{and_more}", c.warehouse, c.verdict))
        }
        (None, Some(c)) => (Hold::NoStock, format_smolstr!("{}: {}{and_more}", c.warehouse, c.verdict)),
        (None, None) => (Hold::NoChannel, "no warehouse and no channel to choose from".into()),
    };
    let mut candidates = unpriced;
    candidates.extend(lost);
    (hold, detail, candidates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rates() -> Rates {
        Rates { base: Currency::USD, per_base: [(Currency::CNY, Decimal::new(712, 2))].into() }
    }

    fn offer(warehouse: &str, channel: &str, cents: i64, currency: Currency, days: Option<u16>) -> Offer {
        let total = Money::new(Decimal::new(cents, 2), currency);
        let quote = Quote { service: "S".into(), total, breakdown: vec![], days, chargeable_g: None, zone: "US".into() };
        Offer { warehouse: warehouse.into(), channel: channel.into(), quote: Ok(quote) }
    }

    fn refused(warehouse: &str, channel: &str, why: &str) -> Offer {
        Offer { warehouse: warehouse.into(), channel: channel.into(), quote: Err(why.into()) }
    }

    fn short(warehouse: &str) -> Candidate {
        Candidate { warehouse: warehouse.into(), channel: None, cost: None, days: None, verdict: "short of A-17: 1 of 2".into() }
    }

    fn verdicts(candidates: &[Candidate]) -> Vec<String> {
        candidates.iter().map(|c| format!("{} {}: {}", c.warehouse, c.channel.as_ref().map_or("-", |c| c.as_str()), c.verdict)).collect()
    }

    fn line(sku: &str, quantity: u32) -> Line {
        Line { sku: sku.into(), quantity, ..Line::default() }
    }

    #[test]
    fn a_warehouse_needs_every_line_and_lines_of_one_sku_add_up() {
        let lines = [line("A-17", 1), line("B-3", 1), line("A-17", 1)];
        let stock = |warehouse: &WarehouseId, sku: &Sku| match (warehouse.as_str(), sku.as_str()) {
            ("SZX", _) => 9,
            ("LAX", "A-17") => 1,
            ("LAX", _) => 1,
            _ => 0,
        };
        let (with, lost) = warehouses_with_stock(&lines, &["LAX".into(), "SZX".into(), "FRA".into()], stock);
        assert_eq!(with, ["SZX".into()]);
        assert_eq!(verdicts(&lost), ["LAX -: short of A-17: 1 of 2", "FRA -: short of A-17: 0 of 2, and of 1 more SKUs"]);
    }

    #[test]
    fn the_cheapest_wins_across_currencies_and_everyone_has_a_verdict() {
        let offers = vec![
            offer("SZX", "usps/ground", 1310, Currency::USD, Some(5)),
            offer("SZX", "wanb/us", 7120, Currency::CNY, Some(12)),
            refused("YIW", "wanb/us", "no weight band for 530 g in zone US"),
            offer("SZX", "gratis", 0, Currency::USD, None),
            offer("YIW", "yen", 100, Currency::JPY, None),
            offer("YIW", "usps/ground", 1310, Currency::USD, None),
        ];
        let decision = choose(offers, vec![short("LAX")], &rates()).unwrap();
        assert_eq!(decision.rule, RULE);
        assert_eq!(
            (decision.warehouse.as_str(), decision.channel.as_str(), decision.cost.to_string().as_str()),
            ("SZX", "wanb/us", "71.20 CNY")
        );
        assert_eq!(
            verdicts(&decision.candidates),
            [
                "SZX wanb/us: chosen",
                "SZX usps/ground: dearer by 3.10 USD",
                "YIW usps/ground: dearer by 3.10 USD",
                "SZX gratis: quoted at 0.00 USD: no parcel is free",
                "YIW wanb/us: no weight band for 530 g in zone US",
                "YIW yen: no exchange rate from JPY to USD",
                "LAX -: short of A-17: 1 of 2",
            ]
        );
    }

    #[test]
    fn equals_are_told_apart_by_days_then_name() {
        let at = |warehouse, channel, days| offer(warehouse, channel, 500, Currency::USD, days);
        let offers = vec![at("SZX", "b", Some(6)), at("SZX", "a", Some(9)), at("YIW", "b", Some(6)), at("SZX", "c", None)];
        let decision = choose(offers, vec![], &rates()).unwrap();
        assert_eq!(
            verdicts(&decision.candidates),
            [
                "SZX b: chosen",
                "YIW b: same price and days, later by name",
                "SZX a: same price, 9 days against 6",
                "SZX c: same price, days unknown",
            ]
        );
        let close = vec![
            offer("SZX", "a", 712, Currency::CNY, None),
            offer("SZX", "b", 713, Currency::CNY, None),
            offer("SZX", "c", 713, Currency::CNY, None),
        ];
        let all = verdicts(&choose(close, vec![], &rates()).unwrap().candidates);
        assert_eq!(all[1], "SZX b: dearer by under 0.01 USD");
    }

    #[test]
    fn when_nothing_is_left_the_hold_nearest_to_a_solution_is_named() {
        let oversize = refused("SZX", "a", "oversize: 9000 g, takes at most 2000 g");
        let battery = refused("SZX", "b", "forbidden goods: takes no batteries");
        let elsewhere = refused("SZX", "c", "not served: does not go to US");
        let no_band = refused("SZX", "d", "no weight band for 530 g in zone US");
        let of = |offers: &[&Offer], lost| {
            let (hold, detail, candidates) = choose(offers.iter().map(|o| (*o).clone()).collect(), lost, &rates()).unwrap_err();
            (hold, detail.to_string(), candidates.len())
        };
        assert_eq!(of(&[], vec![short("LAX"), short("FRA")]), (Hold::NoStock, "LAX: short of A-17: 1 of 2 (and 1 more)".into(), 2));
        assert_eq!(of(&[], vec![]).0, Hold::NoChannel);
        assert_eq!(of(&[&elsewhere], vec![short("LAX")]).0, Hold::NoChannel);
        assert_eq!(of(&[&elsewhere, &battery], vec![]).0, Hold::ForbiddenGoods);
        let wanted = (Hold::Oversize, "SZX by a: oversize: 9000 g, takes at most 2000 g (and 2 more)".into(), 3);
        assert_eq!(of(&[&elsewhere, &battery, &oversize], vec![]), wanted);
        let wanted = (Hold::NoChannel, "SZX by d: no weight band for 530 g in zone US (and 3 more)".into(), 4);
        assert_eq!(of(&[&elsewhere, &battery, &oversize, &no_band], vec![]), wanted);
    }

    proptest! {
        #[test]
        fn no_dearer_offer_is_ever_picked_and_order_does_not_matter(
            quotes in prop::collection::vec((0usize..3, 0usize..4, -50i64..2_000, any::<bool>(), prop::option::of(1u16..20)), 0..12),
            turn in 0usize..12,
        ) {
            let offers: Vec<Offer> = quotes.iter().map(|&(w, c, cents, yuan, days)| {
                let currency = if yuan { Currency::CNY } else { Currency::USD };
                offer(["SZX", "YIW", "LAX"][w], ["a", "b", "c", "d"][c], cents, currency, days)
            }).collect();
            let in_base = |m: Money| rates().convert(m, Currency::USD).unwrap().amount;
            let cheapest = offers.iter().filter_map(|o| o.quote.as_ref().ok()).map(|q| in_base(q.total)).filter(|a| *a > Decimal::ZERO).min();
            let mut turned = offers.clone();
            if !turned.is_empty() {
                let by = turn % turned.len();
                turned.rotate_left(by);
            }
            let decision = choose(offers.clone(), vec![], &rates());
            match (&decision, cheapest) {
                (Ok(decision), Some(cheapest)) => {
                    prop_assert_eq!(in_base(decision.cost), cheapest);
                    prop_assert_eq!(decision.candidates.len(), offers.len());
                    let again = choose(turned, vec![], &rates()).unwrap();
                    prop_assert_eq!((&again.warehouse, &again.channel, again.cost), (&decision.warehouse, &decision.channel, decision.cost));
                }
                (Err((hold, _, candidates)), None) => {
                    prop_assert_eq!(*hold, Hold::NoChannel);
                    prop_assert_eq!(candidates.len(), offers.len());
                }
                _ => prop_assert!(false, "{:?} of {:?}", decision, cheapest),
            }
        }
    }
}

//! Which warehouse ships an order, over which channel: the rule `cheapest-with-stock@1`.
//!
//! A warehouse must have every line; of the offers from those that do, the cheapest wins. Every warehouse and channel that
//! was looked at is in the answer with its verdict. Reserves nothing and asks no carrier: stock and offers are handed in.

use crate::fx::Rates;
use smol_str::SmolStr;
use std::cmp::Ordering;
use twin::allocation::{Candidate, Decision};
use twin::channel::Quote;
use twin::money::{Currency, Decimal};
use twin::verdict::{NoOffer, Verdict};
use twin::{ChannelId, Money, Sku, WarehouseId};

/// The rule's name and version, as it stands in every decision.
pub const RULE: &str = "cheapest-with-stock@1";

/// What one channel from one warehouse answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    pub warehouse: WarehouseId,
    pub channel: ChannelId,
    /// The price, or why there is none.
    pub quote: Result<Quote, NoOffer>,
}

/// The warehouses that have all that is needed, in the order given; and the others, each with what it is short of.
///
/// `needs` has each SKU once. `available` is on hand less reserved less safety stock.
pub fn warehouses_with_stock(
    needs: &[(Sku, u32)],
    warehouses: &[WarehouseId],
    available: impl Fn(&WarehouseId, &Sku) -> u32,
) -> (Vec<WarehouseId>, Vec<Candidate>) {
    let (mut with_stock, mut lost) = (Vec::with_capacity(warehouses.len()), Vec::new());
    for warehouse in warehouses {
        let mut short = needs.iter().map(|(sku, pieces)| (sku, *pieces, available(warehouse, sku))).filter(|s| s.2 < s.1);
        let Some((sku, pieces, there)) = short.next() else {
            with_stock.push(warehouse.clone());
            continue;
        };
        let (sku, more) = (sku.clone(), u32::try_from(short.count()).unwrap_or(u32::MAX));
        let verdict = Verdict::Short { sku, there, wanted: pieces, more };
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

    fn verdict(&self, best: &Priced, base: Currency) -> Verdict {
        let difference = self.in_base - best.in_base;
        if !difference.is_zero() {
            return Verdict::Dearer { by: Money::new(difference, base).rounded() };
        }
        match (self.days, best.days) {
            (Some(days), Some(against)) if days > against => Verdict::Slower { days, against },
            (None, Some(_)) => Verdict::DaysUnknown,
            _ => Verdict::LaterByName,
        }
    }

    fn candidate(&self, verdict: Verdict) -> Candidate {
        let (warehouse, channel) = (self.warehouse.clone(), Some(self.channel.clone()));
        Candidate { warehouse, channel, cost: Some(self.cost), days: self.days, verdict }
    }
}

/// A quote that can stand in the comparison, or why it cannot.
fn comparable(quote: &Quote, rates: &Rates) -> Result<Decimal, NoOffer> {
    if quote.total.amount <= Decimal::ZERO {
        return Err(NoOffer::Free { total: quote.total });
    }
    let in_base = rates.convert(quote.total, rates.base).map(|m| m.amount);
    in_base.ok_or_else(|| NoOffer::NoRate { from: quote.total.currency.code().into(), to: rates.base.code().into() })
}

/// The cheapest offer after conversion to the base currency; of equals the one with fewer days, then by channel and warehouse.
///
/// `lost` are the warehouses that came to no offer; they close the list of candidates. Offers without a price stand before them,
/// the one nearest to a solution first. When no price is left, these are the answer: the first says what the order waits for.
pub fn choose(offers: Vec<Offer>, lost: Vec<Candidate>, rates: &Rates) -> Result<Decision, Vec<Candidate>> {
    let mut priced: Vec<Priced> = Vec::with_capacity(offers.len());
    let mut unpriced: Vec<Candidate> = Vec::new();
    let all = offers.len() + lost.len();
    for Offer { warehouse, channel, quote } in offers {
        let cost = quote.as_ref().ok().map(|quote| quote.total);
        let days = quote.as_ref().ok().and_then(|quote| quote.days);
        match (quote.and_then(|quote| comparable(&quote, rates)), cost) {
            (Ok(in_base), Some(cost)) => priced.push(Priced { in_base, cost, days, warehouse, channel }),
            (Ok(_), None) => {}
            (Err(why), cost) => unpriced.push(Candidate { warehouse, channel: Some(channel), cost, days, verdict: why.into() }),
        }
    }
    priced.sort_unstable_by(Priced::rank);
    unpriced.sort_by(|a, b| (a.verdict.distance(), &a.channel, &a.warehouse).cmp(&(b.verdict.distance(), &b.channel, &b.warehouse)));

    let Some((best, dearer)) = priced.split_first() else {
        unpriced.extend(lost);
        return Err(unpriced);
    };
    let mut candidates = Vec::with_capacity(all);
    candidates.push(best.candidate(Verdict::Chosen));
    candidates.extend(dearer.iter().map(|other| other.candidate(other.verdict(best, rates.base))));
    candidates.extend(unpriced);
    candidates.extend(lost);
    let (warehouse, channel, cost) = (best.warehouse.clone(), best.channel.clone(), best.cost);
    let count = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
    Ok(Decision { rule: SmolStr::new_static(RULE), warehouse, channel, cost, candidates, count, all: None, settings: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use twin::order::Hold;
    use twin::verdict::Unfit;

    fn rates() -> Rates {
        Rates { base: Currency::USD, per_base: [(Currency::CNY, Decimal::new(712, 2))].into() }
    }

    fn offer(warehouse: &str, channel: &str, cents: i64, currency: Currency, days: Option<u16>) -> Offer {
        let total = Money::new(Decimal::new(cents, 2), currency);
        let quote = Quote { service: "S".into(), total, breakdown: vec![], days, chargeable_g: None, zone: "US".into() };
        Offer { warehouse: warehouse.into(), channel: channel.into(), quote: Ok(quote) }
    }

    fn refused(warehouse: &str, channel: &str, why: impl Into<NoOffer>) -> Offer {
        Offer { warehouse: warehouse.into(), channel: channel.into(), quote: Err(why.into()) }
    }

    fn no_band() -> NoOffer {
        NoOffer::NoBand { chargeable_g: 530, zone: "US".into() }
    }

    fn short(warehouse: &str) -> Candidate {
        Candidate {
            warehouse: warehouse.into(),
            channel: None,
            cost: None,
            days: None,
            verdict: Verdict::Short { sku: "A-17".into(), there: 1, wanted: 2, more: 0 },
        }
    }

    fn verdicts(candidates: &[Candidate]) -> Vec<String> {
        candidates.iter().map(|c| format!("{} {}: {}", c.warehouse, c.channel.as_ref().map_or("-", |c| c.as_str()), c.verdict)).collect()
    }

    #[test]
    fn a_warehouse_needs_all_of_it() {
        let needs = [("A-17".into(), 2), ("B-3".into(), 1)];
        let stock = |warehouse: &WarehouseId, sku: &Sku| match (warehouse.as_str(), sku.as_str()) {
            ("SZX", _) => 9,
            ("LAX", "A-17") => 1,
            ("LAX", _) => 1,
            _ => 0,
        };
        let (with, lost) = warehouses_with_stock(&needs, &["LAX".into(), "SZX".into(), "FRA".into()], stock);
        assert_eq!(with, ["SZX".into()]);
        assert_eq!(verdicts(&lost), ["LAX -: short of A-17: 1 of 2", "FRA -: short of A-17: 0 of 2, and of 1 more SKUs"]);
    }

    #[test]
    fn the_cheapest_wins_across_currencies_and_everyone_has_a_verdict() {
        let offers = vec![
            offer("SZX", "usps/ground", 1310, Currency::USD, Some(5)),
            offer("SZX", "wanb/us", 7120, Currency::CNY, Some(12)),
            refused("YIW", "wanb/us", no_band()),
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
        let oversize = refused("SZX", "a", Unfit::Weight { weight_g: 9_000, limit_g: 2_000 });
        let battery = refused("SZX", "b", Unfit::Battery);
        let elsewhere = refused("SZX", "c", Unfit::Country { country: "US".into() });
        let no_band = refused("SZX", "d", no_band());
        let of = |offers: &[&Offer], lost| {
            let candidates = choose(offers.iter().map(|o| (*o).clone()).collect(), lost, &rates()).unwrap_err();
            (candidates.first().map(|nearest| (nearest.verdict.hold(), nearest.verdict.to_string())), candidates.len())
        };
        assert_eq!(of(&[], vec![short("LAX"), short("FRA")]), (Some((Hold::NoStock, "short of A-17: 1 of 2".into())), 2));
        assert_eq!(of(&[], vec![]), (None, 0));
        let hold = |offers: &[&Offer], lost| of(offers, lost).0.map(|(hold, _)| hold);
        assert_eq!(hold(&[&elsewhere], vec![short("LAX")]), Some(Hold::NoChannel));
        assert_eq!(hold(&[&elsewhere, &battery], vec![]), Some(Hold::ForbiddenGoods));
        let wanted = (Some((Hold::Oversize, "oversize: 9000 g, takes at most 2000 g".into())), 3);
        assert_eq!(of(&[&elsewhere, &battery, &oversize], vec![]), wanted);
        let wanted = (Some((Hold::NoChannel, "no weight band for 530 g in zone US".into())), 4);
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
                (Err(candidates), None) => {
                    prop_assert!(candidates.iter().all(|c| c.verdict.hold() == Hold::NoChannel));
                    prop_assert_eq!(candidates.len(), offers.len());
                }
                _ => prop_assert!(false, "{:?} of {:?}", decision, cheapest),
            }
        }
    }
}

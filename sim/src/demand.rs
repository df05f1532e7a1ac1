//! The buyers: who buys what, where, and when. The demand of a simulated warehouse, out of nothing but a seed and settings.
//!
//! Every order is drawn from its own stream of luck, so the nth order has the same buyer and goods however many are drawn. Whole
//! numbers throughout, so every machine draws the same. Never sends an order anywhere, and knows nothing of what becomes of it.

mod buyers;
mod customs;
mod goods;
mod settings;

pub use goods::{catalogue, stock};
pub use settings::{DemandSettings, ORDERS_MAX, PlatformShare, SKUS_MAX, WINDOW_US_MAX, countries_known};

use crate::luck::Luck;
use buyers::Country;
use drivers::platforms::ProductRow;
use smol_str::{SmolStr, format_smolstr};
use twin::money::Currency;
use twin::new_order::Terms;
use twin::{Address, Moment, Money, Sku};
use twin::{NewLine, NewOrder};

/// The currency of all prices. The shops of one seller usually list in one.
pub const CURRENCY: Currency = Currency::USD;
/// A SKU that is in no catalogue: what a buyer gets to order when a listing outlives its product.
pub const UNKNOWN_SKU: &str = "P-DELISTED";

const HOUR_US: i64 = 3_600_000_000;
const MILLION: u64 = 1_000_000;

/// The orders of a run in the order of their coming, each with its moment, from `start` on. Exactly `settings.orders` of them, none
/// if there are no products. The earlier a product stands in the list, the more it is bought; [`stock`] counts on the same.
///
/// Moments are those of a Poisson process whose rate follows the hours of the day, given how many come in all. Ids count through all
/// platforms in the order of coming: `AMA-000001`, `TEM-000002` …
pub fn orders(
    seed: u64,
    settings: &DemandSettings,
    products: &[ProductRow],
    start: Moment,
) -> impl ExactSizeIterator<Item = (Moment, NewOrder)> + use<> {
    let shops = Shops::new(seed, settings, products);
    let moments = if shops.goods.is_empty() { Vec::new() } else { moments(seed, settings, start) };
    moments.into_iter().enumerate().map(move |(n, at)| (at, shops.order(seed, n as u32 + 1, at)))
}

/// When orders come: sorted draws from the window's hours, each hour weighing its length times its weight.
fn moments(seed: u64, settings: &DemandSettings, start: Moment) -> Vec<Moment> {
    let end = start + settings.window;
    // Pieces of constant rate: where each begins, its rate, and the weight of all before it. Hours of rate 0 are left out.
    let mut pieces: Vec<(i64, u64, u64)> = Vec::new();
    let (mut at, mut total) = (start.0, 0u64);
    while at < end.0 {
        let offset_us = settings.time_zone.offset(Moment(at)).0;
        let hour = (at + offset_us).div_euclid(HOUR_US);
        let until = ((hour + 1) * HOUR_US - offset_us).min(end.0);
        let rate = u64::from(settings.hour_weights[hour.rem_euclid(24) as usize]);
        if rate > 0 {
            pieces.push((at, rate, total));
            total += rate * (until - at) as u64;
        }
        at = until;
    }
    if pieces.is_empty() {
        // A window of nothing but hours in which nobody buys: then they are all alike.
        total = settings.window.0.max(1) as u64;
        pieces.push((start.0, 1, 0));
    }
    let mut luck = Luck::of(seed, "demand", "moments");
    let draw = |_| {
        let drawn = luck.below(total);
        let (from, rate, before) = pieces[pieces.partition_point(|(_, _, before)| *before <= drawn) - 1];
        Moment(from + ((drawn - before) / rate) as i64)
    };
    let mut moments: Vec<Moment> = (0..settings.orders).map(draw).collect();
    moments.sort_unstable();
    moments
}

/// Things to choose from, each with its weight.
struct Choice<T>(Vec<(T, u32)>, u64);

impl<T> Choice<T> {
    fn new(items: impl IntoIterator<Item = (T, u32)>) -> Self {
        let items: Vec<(T, u32)> = items.into_iter().filter(|(_, weight)| *weight > 0).collect();
        let total = items.iter().map(|(_, weight)| u64::from(*weight)).sum();
        Choice(items, total)
    }

    /// One of them; `None` only where there is none.
    fn pick(&self, luck: &mut Luck) -> Option<&T> {
        let mut left = if self.1 > 0 { luck.below(self.1) } else { 0 };
        for (item, weight) in &self.0 {
            match left.checked_sub(u64::from(*weight)) {
                Some(rest) => left = rest,
                None => return Some(item),
            }
        }
        None
    }
}

/// Weights of 1, 2, 3 … as a choice of numbers.
fn counts(weights: &[u32]) -> Choice<u32> {
    Choice::new((1..).zip(weights.iter().copied()))
}

/// Everything that orders are drawn from, made ready once.
struct Shops {
    platforms: Choice<PlatformShare>,
    countries: Choice<&'static Country>,
    lines: Choice<u32>,
    quantities: Choice<u32>,
    problem_ppm: u32,
    /// From the most bought to the least, each at its price.
    goods: Vec<(Sku, Money)>,
}

impl Shops {
    fn new(seed: u64, settings: &DemandSettings, products: &[ProductRow]) -> Self {
        Shops {
            platforms: Choice::new(settings.platforms.iter().map(|p| (p.clone(), p.weight))),
            countries: Choice::new(settings.countries.iter().filter_map(|(code, weight)| Some((buyers::country(code)?, *weight)))),
            lines: counts(&settings.line_weights),
            quantities: counts(&settings.quantity_weights),
            problem_ppm: settings.problem_ppm,
            goods: products.iter().map(|p| (p.sku.clone(), goods::price(seed, p))).collect(),
        }
    }

    /// The `n`th order.
    fn order(&self, seed: u64, n: u32, placed_at: Moment) -> NewOrder {
        let mut luck = Luck::of(seed, &format_smolstr!("{n}"), "order");
        let (prefix, platform, shop) = match self.platforms.pick(&mut luck) {
            Some(p) => (p.prefix.as_str(), p.platform.clone(), luck.below(u64::from(p.shops.max(1))) + 1),
            None => ("ORD", "none".into(), 1),
        };
        let mut order = NewOrder {
            number: format_smolstr!("{prefix}-{n:06}"),
            shop: format_smolstr!("{platform}-{shop}"),
            platform,
            placed_at,
            ship_to: self.countries.pick(&mut luck).map_or_else(Address::default, |country| country.address(&mut luck)),
            lines: self.lines(&mut luck),
            paid: true,
            held: None,
            updated_at: None,
            terms: Terms::default(),
            gift_note: SmolStr::default(),
        };
        // Drawn last, so that an order without its problem is the same order.
        if luck.chance_ppm(self.problem_ppm) {
            match luck.below(3) {
                0 => order.paid = false,
                1 => order.ship_to.postcode = SmolStr::default(),
                _ => order.lines[0].sku = UNKNOWN_SKU.into(),
            }
        }
        order
    }

    /// Lines of different SKUs, never more than there are SKUs.
    fn lines(&self, luck: &mut Luck) -> Vec<NewLine> {
        let count = self.lines.pick(luck).map_or(1, |n| *n as usize).min(self.goods.len());
        let mut ranks: Vec<usize> = Vec::with_capacity(count);
        while ranks.len() < count {
            let mut rank = goods::bought(luck, self.goods.len());
            while ranks.contains(&rank) {
                rank = (rank + 1) % self.goods.len();
            }
            ranks.push(rank);
        }
        let line = |rank: usize| {
            let (sku, unit_price) = self.goods[rank].clone();
            NewLine { sku, quantity: self.quantities.pick(luck).map_or(1, |n| *n), unit_price }
        };
        ranks.into_iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};
    use twin::Span;

    fn start() -> Moment {
        "2026-11-09T00:00:00+08:00".parse().unwrap()
    }

    fn drawn(seed: u64, settings: &DemandSettings) -> Vec<(Moment, NewOrder)> {
        assert_eq!(settings.fault(), None);
        orders(seed, settings, &catalogue(seed, settings), start()).collect()
    }

    fn small() -> DemandSettings {
        DemandSettings { orders: 300, skus: 50, ..DemandSettings::default() }
    }

    #[test]
    fn a_day_of_orders_is_like_a_day() {
        let settings = DemandSettings::default();
        let drawn = drawn(1, &settings);
        assert_eq!(drawn.len(), 10_000);
        assert!(drawn.is_sorted_by_key(|(at, _)| *at));
        let end = start() + settings.window;
        assert!(drawn.iter().all(|(at, order)| (start()..end).contains(at) && order.placed_at == *at && order.fault().is_none()));
        let ids: BTreeSet<_> = drawn.iter().map(|(_, order)| order.id()).collect();
        assert_eq!(ids.len(), drawn.len());
        let share = |what: &dyn Fn(&NewOrder) -> bool| drawn.iter().filter(|(_, order)| what(order)).count();
        let near = |count: usize, low, high, what: &str| assert!((low..high).contains(&count), "{count} {what}");
        near(share(&|o| o.ship_to.country == "US"), 4_900, 5_500, "to the US");
        near(share(&|o| o.number.starts_with("SHO-") && o.platform == "shopify"), 2_800, 3_200, "from Shopify");
        near(share(&|o| o.lines.len() == 1), 7_400, 7_800, "of one line");
        near(share(&|o| o.lines.iter().all(|l| l.quantity == 1)), 8_500, 9_100, "of single pieces");
        near(share(&|o| !o.paid), 1, 20, "unpaid");
        near(share(&|o| o.ship_to.fault().is_some()), 1, 20, "without postcode");
        near(share(&|o| o.lines[0].sku.as_str() == UNKNOWN_SKU), 1, 20, "of an unknown SKU");
        let night = drawn.iter().filter(|(at, _)| *at - start() < Span::from_hours(6)).count();
        let evening = drawn.iter().filter(|(at, _)| *at - start() >= Span::from_hours(18)).count();
        near(night, 500, 750, "before six");
        near(evening, 3_300, 4_200, "after eighteen");
    }

    #[test]
    fn the_first_orders_are_the_same_however_many_are_taken() {
        let products = catalogue(4, &small());
        let whole: Vec<_> = orders(4, &small(), &products, start()).collect();
        assert_eq!(orders(4, &small(), &products, start()).take(20).collect::<Vec<_>>(), whole[..20]);
        assert_eq!(orders(4, &small(), &products, start()).len(), 300);
        // Twice the demand: the same buyers buy the same, only sooner.
        let twice: Vec<_> = orders(4, &DemandSettings { orders: 600, ..small() }, &products, start()).take(300).collect();
        for ((_, one), (_, other)) in whole.iter().zip(twice) {
            assert_eq!(*one, NewOrder { placed_at: one.placed_at, ..other });
        }
        assert_eq!(orders(4, &small(), &[], start()).len(), 0);
    }

    #[test]
    fn problems_change_nothing_else() {
        let (none, all) = (DemandSettings { problem_ppm: 0, ..small() }, DemandSettings { problem_ppm: 1_000_000, ..small() });
        let sound = |order: &NewOrder| order.paid && order.ship_to.fault().is_none() && order.lines[0].sku.as_str() != UNKNOWN_SKU;
        for ((_, good), (_, bad)) in drawn(2, &none).into_iter().zip(drawn(2, &all)) {
            assert!(sound(&good) && !sound(&bad));
            assert_eq!(
                (good.number, good.placed_at, good.ship_to.name, good.lines.len()),
                (bad.number, bad.placed_at, bad.ship_to.name, bad.lines.len())
            );
        }
    }

    #[test]
    fn almost_all_orders_find_their_goods() {
        let settings = DemandSettings::default();
        let products = catalogue(1, &settings);
        let warehouses = ["SZX", "YIW", "LAX", "FRA"].map(twin::WarehouseId::new);
        let mut left: BTreeMap<(Sku, usize), u32> = BTreeMap::new();
        for (n, row) in stock(1, &settings, &products, &warehouses).into_iter().enumerate() {
            left.insert((row.sku, n % warehouses.len()), row.on_hand);
        }
        let mut waiting = 0;
        for (_, order) in orders(1, &settings, &products, start()) {
            let has = |at: &usize| order.lines.iter().all(|l| left.get(&(l.sku.clone(), *at)).is_some_and(|n| *n >= l.quantity));
            // As an allocation would that always prefers the same building.
            match (0..warehouses.len()).find(has) {
                Some(at) => order.lines.iter().for_each(|l| *left.get_mut(&(l.sku.clone(), at)).unwrap() -= l.quantity),
                None => waiting += 1,
            }
        }
        assert!((30..400).contains(&waiting), "{waiting} of 10000 wait for goods");
    }

    #[test]
    fn nobody_buys_in_hours_without_weight() {
        let mut settings = small();
        settings.hour_weights = [0; 24];
        settings.hour_weights[10] = 1;
        let from = start() + Span::from_hours(10);
        assert!(drawn(1, &settings).iter().all(|(at, _)| (from..from + Span::from_hours(1)).contains(at)));
        // A window that misses that hour is bought in evenly.
        settings.window = Span::from_mins(90);
        assert_eq!(drawn(1, &settings).len(), 300);
    }

    #[test]
    fn buyers_get_up_by_their_own_clock() {
        let mut settings = DemandSettings { window: Span::from_hours(48), time_zone: "Europe/Berlin".parse().unwrap(), ..small() };
        settings.hour_weights = [0; 24];
        settings.hour_weights[10] = 1;
        // Summer ends on the second of these days.
        let start: Moment = "2026-10-23T22:00:00Z".parse().unwrap();
        let hours: BTreeSet<_> = moments(1, &settings, start).iter().map(|at| at.to_string()[..13].to_owned()).collect();
        assert_eq!(hours.into_iter().collect::<Vec<_>>(), ["2026-10-24T08", "2026-10-25T09"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn any_seed_and_window_gives_its_orders(seed: u64, orders_asked in 0u32..200, skus in 1u32..40, window_s in 1i64..400_000, at_s in 0i64..4_000_000_000) {
            let settings = DemandSettings { orders: orders_asked, skus, window: Span::from_secs(window_s), ..DemandSettings::default() };
            prop_assert_eq!(settings.fault(), None);
            let (products, start) = (catalogue(seed, &settings), Moment(at_s * 1_000_000));
            let first: Vec<_> = orders(seed, &settings, &products, start).collect();
            prop_assert_eq!(first.len(), orders_asked as usize);
            prop_assert!(first.is_sorted_by_key(|(at, _)| *at));
            prop_assert!(first.iter().all(|(at, order)| *at >= start && *at < start + settings.window && order.fault().is_none()));
            for (_, order) in &first {
                let skus: BTreeSet<_> = order.lines.iter().map(|l| &l.sku).collect();
                prop_assert_eq!(skus.len(), order.lines.len());
            }
            prop_assert_eq!(&first, &orders(seed, &settings, &products, start).collect::<Vec<_>>());
            if orders_asked > 0 {
                prop_assert_ne!(first, orders(seed ^ 1, &settings, &products, start).collect::<Vec<_>>());
            }
        }
    }
}

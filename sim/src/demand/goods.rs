//! The goods of a simulated seller: what they weigh and measure, what they cost, how often each is bought, how many lie where.
//!
//! Figures follow what small parcels are like: half of them under 350 g, light for their size, a fifth with a battery. Never reads
//! a real catalogue.

use super::{CURRENCY, DemandSettings, MILLION, customs};
use crate::luck::Luck;
use drivers::platforms::ProductRow;
use smol_str::format_smolstr;
use twin::goods::{BatteryKind, Facts};
use twin::money::Decimal;
use twin::seller::OWN;
use twin::stock::Counted;
use twin::{Dims, Money, SellerId, Sku, WarehouseId};

/// A distribution by its quantiles: (share of all in millionths, value). Between two of them it is even.
type Quantiles = [(u64, u64)];

/// Weight of a product in grams. Like a lognormal of median 350 g, cut at 30 g and 5 kg.
const WEIGHT_G: &Quantiles = &[
    (0, 30),
    (50_000, 60),
    (100_000, 95),
    (250_000, 190),
    (500_000, 350),
    (750_000, 680),
    (900_000, 1_350),
    (970_000, 2_400),
    (1_000_000, 5_000),
];
/// Weight of a litre of packed product, in grams. Under 167 it is charged by volume where the divisor is 6000: here that is two of
/// three.
const DENSITY_G_PER_L: &Quantiles = &[(0, 55), (250_000, 95), (500_000, 135), (750_000, 190), (1_000_000, 420)];
/// Price in cents.
const PRICE_CENTS: &Quantiles =
    &[(0, 299), (100_000, 599), (300_000, 999), (500_000, 1_499), (700_000, 2_299), (900_000, 4_499), (1_000_000, 12_999)];
/// No side is shorter, in millimetres: the bag itself is as thick.
const SIDE_MM_MIN: u64 = 10;
/// Sides are whole multiples of it, as product masters have them.
const SIDE_STEP_MM: u64 = 5;

/// What is sold: category, weight among the others, and how likely it has a battery against the average, in per cent.
pub(super) const CATEGORIES: [(&str, u32, u64); 12] = [
    ("phone_accessories", 14, 250),
    ("small_electronics", 11, 300),
    ("watches", 4, 240),
    ("toys", 11, 120),
    ("home_kitchen", 16, 20),
    ("beauty", 11, 15),
    ("clothing", 14, 0),
    ("jewellery", 6, 0),
    ("garden_tools", 4, 60),
    ("sports", 7, 30),
    ("pets", 5, 20),
    ("car_parts", 4, 80),
];

/// Every product of a run, the most bought first: `P-000001`, `P-000002` …
pub fn catalogue(seed: u64, settings: &DemandSettings) -> Vec<ProductRow> {
    (1..=settings.skus).map(|n| product(seed, settings, n)).collect()
}

fn product(seed: u64, settings: &DemandSettings, n: u32) -> ProductRow {
    let sku = Sku::from(format_smolstr!("P-{n:06}"));
    let mut luck = Luck::of(seed, sku.as_str(), "product");
    let (category, likely_pct) = category(&mut luck);
    let weight_g = from_quantiles(WEIGHT_G, &mut luck);
    let volume_mm3 = weight_g * MILLION / from_quantiles(DENSITY_G_PER_L, &mut luck);
    let dims = dims(volume_mm3, &mut luck);
    let battery_ppm = (u64::from(settings.battery_ppm) * likely_pct * weights_sum() / likely_sum_pct()).min(MILLION);
    let battery = if luck.chance_ppm(battery_ppm as u32) { BatteryKind::Contained } else { BatteryKind::None };
    let mut facts = Facts { category: category.into(), weight_g: weight_g as u32, dims, battery, ..Facts::default() };
    customs::describe(&mut facts, n);
    ProductRow { owner: SellerId::new(OWN), sku, facts }
}

fn category(luck: &mut Luck) -> (&'static str, u64) {
    let mut left = luck.below(weights_sum());
    for (name, weight, likely_pct) in CATEGORIES {
        match left.checked_sub(u64::from(weight)) {
            Some(rest) => left = rest,
            None => return (name, likely_pct),
        }
    }
    (CATEGORIES[0].0, CATEGORIES[0].2)
}

fn weights_sum() -> u64 {
    CATEGORIES.iter().map(|(_, weight, _)| u64::from(*weight)).sum()
}

fn likely_sum_pct() -> u64 {
    CATEGORIES.iter().map(|(_, weight, likely_pct)| u64::from(*weight) * likely_pct).sum()
}

fn from_quantiles(quantiles: &Quantiles, luck: &mut Luck) -> u64 {
    let drawn = luck.below(MILLION);
    let at = quantiles.partition_point(|(share, _)| *share <= drawn).clamp(1, quantiles.len() - 1);
    let ((low_share, low), (high_share, high)) = (quantiles[at - 1], quantiles[at]);
    low + (high - low) * (drawn - low_share) / (high_share - low_share)
}

/// A box of about this volume: neither a cube nor a stick, the longest side first.
fn dims(volume_mm3: u64, luck: &mut Luck) -> Dims {
    let cube_mm = cube_root(volume_mm3);
    let length_mm = stepped(cube_mm * (110 + luck.below(70)) / 100);
    let width_mm = stepped(cube_mm * (80 + luck.below(40)) / 100);
    let height_mm = stepped(volume_mm3 / (length_mm * width_mm));
    let [length_mm, width_mm, height_mm] = Dims::new(length_mm as u32, width_mm as u32, height_mm as u32).sorted();
    Dims { length_mm, width_mm, height_mm }
}

fn stepped(side_mm: u64) -> u64 {
    side_mm.max(SIDE_MM_MIN).next_multiple_of(SIDE_STEP_MM)
}

/// Rounded down. Whole numbers only: a float's root may differ between machines.
fn cube_root(n: u64) -> u64 {
    let (mut low, mut high) = (0, 1 << 21);
    while high - low > 1 {
        let middle: u64 = (low + high) / 2;
        if middle.pow(3) <= n { low = middle } else { high = middle }
    }
    low
}

/// What a product sells at, always the same: heavier goods cost somewhat more.
pub(super) fn price(seed: u64, product: &ProductRow) -> Money {
    let mut luck = Luck::of(seed, product.sku.as_str(), "price");
    let cents = from_quantiles(PRICE_CENTS, &mut luck) + u64::from(product.facts.weight_g) * 4 / 10;
    // Prices end in 99.
    let cents = (cents / 100 * 100 + 99).min(99_999);
    Money::new(Decimal::new(cents as i64, 2), CURRENCY)
}

/// Which of `n` products is bought, by rank from 0. Popular ones by far the most: the share of the first k is √(k/n).
pub(super) fn bought(luck: &mut Luck, n: usize) -> usize {
    let x = luck.below(1 << 32);
    ((((x * x) >> 32) * n as u64) >> 32) as usize
}

/// Pieces of the product of this rank that will be bought, on average, in thousandths; the counterpart of [`bought`].
fn expected_milli(settings: &DemandSettings, rank: usize, n: usize) -> u64 {
    let root = |k: usize| (k as u128 * 1_000_000_000_000_000_000 / n.max(1) as u128).isqrt();
    let share_ppb = root(rank + 1) - root(rank);
    let (lines_milli, pieces_milli) = (mean_milli(&settings.line_weights), mean_milli(&settings.quantity_weights));
    (u128::from(settings.orders) * u128::from(lines_milli) * u128::from(pieces_milli) * share_ppb / 1_000_000_000_000) as u64
}

/// The mean of 1, 2, 3 … under these weights, in thousandths.
fn mean_milli(weights: &[u32]) -> u64 {
    let sum: u64 = weights.iter().map(|w| u64::from(*w)).sum();
    (1..).zip(weights).map(|(n, w): (u64, &u32)| n * u64::from(*w) * 1_000).sum::<u64>() / sum.max(1)
}

/// What lies where when the run begins: one row per warehouse and product. Enough for nearly all orders, from any of the warehouses
/// for most of the time; and of a few products (`short_ppm`) a quarter of what will be asked for, in one warehouse only, so that
/// some orders have to wait.
pub fn stock(seed: u64, settings: &DemandSettings, products: &[ProductRow], warehouses: &[WarehouseId]) -> Vec<Counted> {
    if products.is_empty() || warehouses.is_empty() {
        return Vec::new();
    }
    // The one that is short in any case: of the lesser half, so that even a small catalogue stays mostly in stock.
    let half = products.len() / 2;
    let surely_short = half + Luck::of(seed, "stock", "short").below((products.len() - half) as u64) as usize;
    let mut rows = Vec::with_capacity(products.len() * warehouses.len());
    for (rank, product) in products.iter().enumerate() {
        let mut luck = Luck::of(seed, product.sku.as_str(), "stock");
        let expected_milli = expected_milli(settings, rank, products.len());
        let short = luck.chance_ppm(settings.short_ppm) || (rank == surely_short && settings.short_ppm > 0);
        let only_at = luck.below(warehouses.len() as u64) as usize;
        for (at, warehouse) in warehouses.iter().enumerate() {
            let spread = luck.below(3);
            let on_hand = if short {
                if at == only_at { expected_milli / 4_000 } else { 0 }
            } else {
                enough(expected_milli, settings.stock_cover_pct, warehouses.len()) + spread
            };
            let on_hand = if settings.stock_cover_pct == 0 { 0 } else { on_hand as u32 };
            rows.push(Counted { warehouse: warehouse.clone(), owner: product.owner.clone(), sku: product.sku.clone(), on_hand });
        }
    }
    rows
}

/// One warehouse's part, with three standard deviations for chance and some pieces for orders of more than one.
fn enough(expected_milli: u64, cover_pct: u32, warehouses: usize) -> u64 {
    let part = (expected_milli * u64::from(cover_pct)).div_ceil(100_000 * warehouses as u64);
    part + 3 * (expected_milli / 1_000).isqrt() + 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goods_are_like_small_parcels() {
        let settings = DemandSettings { skus: 5_000, ..DemandSettings::default() };
        let goods = catalogue(7, &settings);
        assert_eq!(goods.len(), 5_000);
        let mut weights: Vec<u32> = goods.iter().map(|p| p.facts.weight_g).collect();
        weights.sort_unstable();
        assert!((320..380).contains(&weights[2_500]), "median {}", weights[2_500]);
        assert!(weights[0] >= 30 && weights[4_999] <= 5_000);
        let batteries = goods.iter().filter(|p| p.facts.battery.is_any()).count();
        assert!((850..1_150).contains(&batteries), "{batteries} batteries");
        assert!(goods.iter().all(|p| !(p.facts.battery.is_any() && p.facts.category == "clothing")));
        let by_volume = goods.iter().filter(|p| p.facts.dims.volume_mm3() / 6_000 > u64::from(p.facts.weight_g)).count();
        assert!((2_700..4_000).contains(&by_volume), "{by_volume} heavier by volume");
        assert!(
            goods.iter().all(|p| p.facts.dims.length_mm <= 900
                && p.facts.dims.height_mm >= 10
                && p.facts.dims.sorted()[0] == p.facts.dims.length_mm)
        );
        assert!(goods.is_sorted_by_key(|p| p.sku.clone()));
        // A larger catalogue begins with the smaller one.
        assert_eq!(catalogue(7, &DemandSettings { skus: 10, ..settings.clone() }), goods[..10]);
        assert_ne!(catalogue(8, &DemandSettings { skus: 10, ..settings }), goods[..10]);
    }

    #[test]
    fn prices_are_steady_and_plausible() {
        let goods = catalogue(1, &DemandSettings::default());
        let mut cents: Vec<i64> = goods.iter().map(|p| price(1, p).amount.mantissa() as i64).collect();
        cents.sort_unstable();
        assert!((1_200..2_500).contains(&cents[1_000]), "median {}", cents[1_000]);
        assert!(cents.iter().all(|c| c % 100 == 99 && *c >= 299));
        assert_eq!(price(1, &goods[3]), price(1, &goods[3]));
    }

    #[test]
    fn expectation_counts_what_is_bought() {
        let settings = DemandSettings { orders: 100_000, ..DemandSettings::default() };
        let total: u64 = (0..500).map(|rank| expected_milli(&settings, rank, 500)).sum();
        let pieces = 100_000 * mean_milli(&settings.line_weights) * mean_milli(&settings.quantity_weights) / 1_000;
        assert!(total.abs_diff(pieces) < pieces / 1_000, "{total} against {pieces}");
        let mut luck = Luck::of(3, "test", "bought");
        let first = (0..100_000).filter(|_| bought(&mut luck, 500) == 0).count();
        assert!((4_200..4_750).contains(&first), "{first} of the first, √(1/500) = 4.5 % expected");
    }

    #[test]
    fn a_few_products_are_short() {
        let settings = DemandSettings::default();
        let goods = catalogue(1, &settings);
        let warehouses = [WarehouseId::new("SZX"), WarehouseId::new("LAX")];
        let rows = stock(1, &settings, &goods, &warehouses);
        assert_eq!(rows.len(), 4_000);
        let short = rows.chunks(2).filter(|pair| pair.iter().any(|r| r.on_hand == 0)).count();
        assert!((8..40).contains(&short), "{short} short");
        let none_short = stock(1, &DemandSettings { short_ppm: 0, ..settings.clone() }, &goods, &warehouses);
        assert!(none_short.iter().all(|r| r.on_hand >= 4));
        let few = stock(1, &settings, &goods[..3], &warehouses);
        assert!(few.chunks(2).any(|pair| pair.iter().any(|r| r.on_hand == 0)));
        assert!(stock(1, &settings, &goods, &[]).is_empty());
    }
}

//! What a carton of goods will weigh and measure, before anyone has packed it: what gets declared and rated.
//!
//! An estimate with fixed rules, so that the same goods always declare the same parcel. It solves no packing problem and
//! chooses no carton from a shelf.

use smol_str::SmolStr;
use twin::goods::Goods;
use twin::{Dims, Grams};

/// Weight of the smallest packaging, added to every parcel.
pub const PACKAGING_G: Grams = 20;
/// Packaging that grows with the goods: percent of their weight, rounded up.
pub const PACKAGING_PERCENT: u32 = 3;
/// Walls and filling, added to each of the three sides.
pub const PADDING_MM: u32 = 10;

/// A parcel as it is declared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    pub weight_g: Grams,
    /// Longest side first.
    pub dims: Dims,
}

/// So many pieces of one size.
#[derive(Clone, Copy)]
struct Pieces {
    count: u64,
    weight_g: u64,
    /// Longest first.
    sides_mm: [u64; 3],
}

/// The parcel that these pieces make.
///
/// Weight: the goods + 20 g + 3 %. Size: every piece lies flat, largest face down, in one stack; as long as that makes the
/// longest side shorter, the stacks are folded into twice as many, side by side; 10 mm are added to each side.
pub fn declare<'a>(goods: impl IntoIterator<Item = (&'a Goods, u32)>) -> Packed {
    let pieces = |(goods, pieces): (&Goods, u32)| Pieces {
        count: pieces.into(),
        weight_g: goods.facts.weight_g.into(),
        sides_mm: goods.facts.dims.sorted().map(u64::from),
    };
    let all: Vec<Pieces> = goods.into_iter().map(pieces).collect();
    Packed { weight_g: weight_g(&all), dims: carton(&all) }
}

fn weight_g(all: &[Pieces]) -> Grams {
    let goods_g = all.iter().fold(0u64, |sum, p| sum.saturating_add(p.weight_g.saturating_mul(p.count)));
    let packaging_g = u64::from(PACKAGING_G) + goods_g.saturating_mul(u64::from(PACKAGING_PERCENT)).div_ceil(100);
    Grams::try_from(goods_g.saturating_add(packaging_g)).unwrap_or(Grams::MAX)
}

/// Height of the pieces spread over `stacks` equal stacks: the lower of two packings that always work. Either all of a size
/// are spread evenly, or each piece goes on the lowest stack (which ends at most (1 − 1/stacks) of a piece above the mean).
fn stacked_mm(all: &[Pieces], stacks: u64) -> u64 {
    let (mut even_mm, mut single_mm, mut thickest_mm) = (0, 0, 0);
    for Pieces { count, sides_mm: [_, _, thin_mm], .. } in all {
        even_mm += count.div_ceil(stacks) * thin_mm;
        single_mm += count * thin_mm;
        thickest_mm = *thin_mm.max(&thickest_mm);
    }
    even_mm.min((single_mm + thickest_mm * (stacks - 1)).div_ceil(stacks))
}

fn carton(all: &[Pieces]) -> Dims {
    let pieces: u64 = all.iter().map(|p| p.count).sum();
    let (mut long_mm, mut wide_mm) = (0, 0);
    for Pieces { sides_mm: [a, b, _], .. } in all.iter().filter(|p| p.count > 0) {
        (long_mm, wide_mm) = (*a.max(&long_mm), *b.max(&wide_mm));
    }
    let (mut stacks, mut high_mm) = (1, stacked_mm(all, 1));
    while stacks < pieces {
        let folded_mm = stacked_mm(all, stacks * 2);
        let (folded_long_mm, folded_wide_mm) = (long_mm.max(wide_mm * 2), long_mm.min(wide_mm * 2));
        if folded_mm.max(folded_long_mm) >= high_mm.max(long_mm) {
            break;
        }
        (stacks, high_mm, long_mm, wide_mm) = (stacks * 2, folded_mm, folded_long_mm, folded_wide_mm);
    }
    let mut sides = [long_mm, wide_mm, high_mm].map(|side| u32::try_from(side).unwrap_or(u32::MAX).saturating_add(PADDING_MM));
    sides.sort_unstable_by(|a, b| b.cmp(a));
    let [a, b, c] = sides;
    Dims::new(a, b, c)
}

/// What is in a parcel, for customs, who know no SKUs: `cotton T-shirt × 3, kitchen × 1`. Goods without a description go by
/// their category, those without either by their SKU.
pub fn in_words<'a>(goods: impl IntoIterator<Item = (&'a Goods, u32)>) -> SmolStr {
    let mut named: Vec<(&str, u32)> = Vec::new();
    for (goods, pieces) in goods {
        let what = match (goods.facts.description.trim(), goods.facts.category.trim()) {
            ("", "" | "unknown") => goods.sku.as_str(),
            ("", category) => category,
            (description, _) => description,
        };
        match named.iter_mut().find(|(known, _)| *known == what) {
            Some((_, sum)) => *sum = sum.saturating_add(pieces),
            None => named.push((what, pieces)),
        }
    }
    let words: Vec<_> = named.iter().map(|(what, pieces)| format!("{what} × {pieces}")).collect();
    words.join(", ").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    use twin::goods::Facts;

    fn line(sku: &str, pieces: u32, weight_g: Grams, dims: Dims) -> (Goods, u32) {
        (Goods { sku: sku.into(), quantity: 1, facts: Facts { weight_g, dims, ..Facts::default() } }, pieces)
    }

    fn declare(lines: &[(Goods, u32)]) -> Packed {
        super::declare(lines.iter().map(|(goods, pieces)| (goods, *pieces)))
    }

    #[test]
    fn one_piece_gets_its_packaging() {
        let packed = declare(&[line("A-17", 1, 200, Dims::new(50, 200, 100))]);
        assert_eq!(packed, Packed { weight_g: 226, dims: Dims::new(210, 110, 60) });
    }

    #[test]
    fn a_tower_is_folded_while_that_shortens_the_longest_side() {
        let tile = Dims::new(100, 100, 10);
        let size = |pieces| declare(&[line("A-17", pieces, 1, tile)]).dims;
        assert_eq!(size(10), Dims::new(110, 110, 110));
        assert_eq!(size(19), Dims::new(200, 110, 110), "190 mm high; side by side it would be 200 mm long");
        assert_eq!(size(21), Dims::new(210, 120, 110), "two stacks, one of 11");
        assert_eq!(size(100), Dims::new(260, 210, 210), "four stacks of 25");
    }

    #[test]
    fn pieces_of_differing_sizes_share_a_carton() {
        let lines = [line("A", 1, 500, Dims::new(300, 200, 50)), line("B", 2, 100, Dims::new(40, 80, 250))];
        let packed = declare(&lines);
        assert_eq!((packed.weight_g, packed.dims), (741, Dims::new(310, 210, 140)));
        let five: Vec<_> = (0..5).map(|n| line(&format!("S-{n}"), 1, 1, Dims::new(100, 60, 60))).collect();
        assert_eq!(declare(&five).dims, Dims::new(190, 130, 110), "300 mm high folds to two stacks of at most 180");
    }

    #[test]
    fn customs_read_words_and_no_skus() {
        let goods = |sku: &str, category: &str, description: &str| {
            let facts = Facts { category: category.into(), description: description.into(), ..Facts::default() };
            Goods { sku: sku.into(), quantity: 1, facts }
        };
        let all = [
            (goods("A", "clothing", "cotton T-shirt"), 2),
            (goods("B", "toys", " "), 1),
            (goods("C", "clothing", "cotton T-shirt"), 1),
            (goods("D", "unknown", ""), 4),
        ];
        assert_eq!(in_words(all.iter().map(|(goods, n)| (goods, *n))), "cotton T-shirt × 3, toys × 1, D × 4");
    }

    proptest! {
        /// The carton holds the pieces' volume and the longest piece, whatever their order.
        #[test]
        fn a_carton_holds_its_pieces(
            pieces in prop::collection::vec((1u32..50, 1u32..5_000, prop::array::uniform3(1u32..800)), 1..6),
        ) {
            let mut lines: Vec<_> = pieces.iter().map(|&(n, g, [a, b, c])| line("S", n, g, Dims::new(a, b, c))).collect();
            let packed = declare(&lines);
            let volume: u64 = lines.iter().map(|l| l.0.facts.dims.volume_mm3() * u64::from(l.1)).sum();
            let goods_g: u32 = lines.iter().map(|l| l.0.facts.weight_g * l.1).sum();
            prop_assert!(packed.dims.volume_mm3() >= volume);
            prop_assert!(lines.iter().all(|l| l.0.facts.dims.sorted().iter().zip(packed.dims.sorted()).all(|(piece, side)| *piece < side)));
            prop_assert!(packed.weight_g > goods_g);
            lines.reverse();
            prop_assert_eq!(declare(&lines).dims, packed.dims);
        }
    }
}

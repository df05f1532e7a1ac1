//! What a carton of an order's lines will weigh and measure, before anyone has packed it: what gets declared and rated.
//!
//! An estimate with fixed rules, so that the same lines always declare the same parcel. It solves no packing problem and
//! chooses no carton from a shelf.

use smol_str::SmolStr;
use std::fmt::Write;
use twin::order::Line;
use twin::{Dims, Grams};

/// Weight of the smallest packaging, added to every parcel.
pub const PACKAGING_G: Grams = 20;
/// Packaging that grows with the goods: percent of their weight, rounded up.
pub const PACKAGING_PERCENT: u32 = 3;
/// Walls and filling, added to each of the three sides.
pub const PADDING_MM: u32 = 10;
/// The longest `contents` line, in bytes; what does not fit is counted.
pub const CONTENTS_MAX: usize = 100;

/// A parcel as it is declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    pub weight_g: Grams,
    /// Longest side first.
    pub dims: Dims,
    /// One line for label and customs: `A-17 × 2, B-3 × 1`.
    pub contents: SmolStr,
}

/// The parcel that these lines make.
///
/// Weight: the lines + 20 g + 3 %. Size: every piece lies flat, largest face down, in one stack; as long as that makes the
/// longest side shorter, the stacks are folded into twice as many, side by side; 10 mm are added to each side.
pub fn declare(lines: &[Line]) -> Packed {
    Packed { weight_g: weight_g(lines), dims: carton(lines), contents: contents(lines) }
}

fn weight_g(lines: &[Line]) -> Grams {
    let goods_g: u64 = lines.iter().map(|line| u64::from(line.weight_g) * u64::from(line.quantity)).sum();
    let packaging_g = u64::from(PACKAGING_G) + (goods_g * u64::from(PACKAGING_PERCENT)).div_ceil(100);
    Grams::try_from(goods_g + packaging_g).unwrap_or(Grams::MAX)
}

/// Height of the pieces spread over `stacks` equal stacks: the lower of two packings that always work. Either every line is
/// spread evenly, or each piece goes on the lowest stack (which ends at most (1 − 1/stacks) of a piece above the mean).
fn stacked_mm(lines: &[Line], stacks: u64) -> u64 {
    let (mut even_mm, mut single_mm, mut thickest_mm) = (0, 0, 0);
    for line in lines {
        let [_, _, thin_mm] = line.dims.sorted().map(u64::from);
        even_mm += u64::from(line.quantity).div_ceil(stacks) * thin_mm;
        single_mm += u64::from(line.quantity) * thin_mm;
        thickest_mm = thin_mm.max(thickest_mm);
    }
    even_mm.min((single_mm + thickest_mm * (stacks - 1)).div_ceil(stacks))
}

fn carton(lines: &[Line]) -> Dims {
    let pieces: u64 = lines.iter().map(|line| u64::from(line.quantity)).sum();
    let (mut long_mm, mut wide_mm) = (0, 0);
    for line in lines.iter().filter(|line| line.quantity > 0) {
        let [a, b, _] = line.dims.sorted().map(u64::from);
        (long_mm, wide_mm) = (a.max(long_mm), b.max(wide_mm));
    }
    let (mut stacks, mut high_mm) = (1, stacked_mm(lines, 1));
    while stacks < pieces {
        let folded_mm = stacked_mm(lines, stacks * 2);
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

fn contents(lines: &[Line]) -> SmolStr {
    let mut text = String::new();
    for (n, line) in lines.iter().enumerate() {
        let before = text.len();
        let comma = if n == 0 { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{comma}{} × {}", line.sku, line.quantity);
        if n > 0 && text.len() > CONTENTS_MAX {
            text.truncate(before);
            let _ = write!(text, " and {} more", lines.len() - n);
            break;
        }
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(sku: &str, quantity: u32, weight_g: Grams, dims: Dims) -> Line {
        Line { sku: sku.into(), quantity, weight_g, dims, ..Line::default() }
    }

    #[test]
    fn one_piece_gets_its_packaging() {
        let packed = declare(&[line("A-17", 1, 200, Dims::new(50, 200, 100))]);
        assert_eq!(packed, Packed { weight_g: 226, dims: Dims::new(210, 110, 60), contents: "A-17 × 1".into() });
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
        assert_eq!(packed.contents, "A × 1, B × 2");
        let five: Vec<Line> = (0..5).map(|n| line(&format!("S-{n}"), 1, 1, Dims::new(100, 60, 60))).collect();
        assert_eq!(declare(&five).dims, Dims::new(190, 130, 110), "300 mm high folds to two stacks of at most 180");
    }

    #[test]
    fn contents_stay_one_short_line() {
        let lines: Vec<Line> = (0..200).map(|n| line(&format!("SKU-{n:04}"), 3, 1, Dims::default())).collect();
        let text = declare(&lines).contents;
        assert!(text.starts_with("SKU-0000 × 3, SKU-0001 × 3") && text.ends_with(" × 3 and 194 more"), "{text}");
        assert!(text.len() < CONTENTS_MAX + 16);
    }

    proptest! {
        /// The carton holds the pieces' volume and the longest piece, whatever their order.
        #[test]
        fn a_carton_holds_its_pieces(
            pieces in prop::collection::vec((1u32..50, 1u32..5_000, prop::array::uniform3(1u32..800)), 1..6),
        ) {
            let mut lines: Vec<Line> = pieces.iter().map(|&(n, g, [a, b, c])| line("S", n, g, Dims::new(a, b, c))).collect();
            let packed = declare(&lines);
            let volume: u64 = lines.iter().map(|l| l.dims.volume_mm3() * u64::from(l.quantity)).sum();
            let goods_g: u32 = lines.iter().map(|l| l.weight_g * l.quantity).sum();
            prop_assert!(packed.dims.volume_mm3() >= volume);
            prop_assert!(lines.iter().all(|l| l.dims.sorted().iter().zip(packed.dims.sorted()).all(|(piece, side)| *piece < side)));
            prop_assert!(packed.weight_g > goods_g);
            lines.reverse();
            prop_assert_eq!(declare(&lines).dims, packed.dims);
        }
    }
}

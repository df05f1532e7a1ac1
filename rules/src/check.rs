//! Whether a measured parcel is the one that was declared, by weight and by size.
//!
//! Stops a parcel only when a difference exceeds both an absolute and a relative threshold, so that neither light nor heavy
//! parcels are stopped for nothing. Measures nothing and moves nothing.

use serde::{Deserialize, Serialize};
use twin::parcel::Interception;
use twin::{Dims, Grams};

/// How much a measurement may differ from the declaration. A difference must exceed both of a pair to stop a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// Off the declared weight.
    pub weight_g: u32,
    /// Off it, in per cent of the declared weight.
    pub weight_percent: u32,
    /// Off the declared side, longest against longest.
    pub side_mm: u32,
    /// Off it, in per cent of the declared side.
    pub side_percent: u32,
}

impl Default for Thresholds {
    /// 30 g and 5 %, 25 mm and 8 %: outside a dynamic scale's and a dimensioner's error, inside one piece too many.
    fn default() -> Self {
        Thresholds { weight_g: 30, weight_percent: 5, side_mm: 25, side_percent: 8 }
    }
}

fn exceeds(declared: u32, measured: u32, absolute: u32, percent: u32) -> bool {
    let difference = u64::from(declared.abs_diff(measured));
    difference > u64::from(absolute) && difference * 100 > u64::from(declared) * u64::from(percent)
}

/// Stops a parcel that weighs other than declared.
pub fn weight(t: &Thresholds, declared_g: Grams, measured_g: Grams) -> Option<Interception> {
    exceeds(declared_g, measured_g, t.weight_g, t.weight_percent).then_some(Interception::Weight { declared_g, measured_g })
}

/// Stops a parcel of which any side differs, longest against longest: which side is up is chance.
///
/// Nothing declared (0×0×0) is nothing to compare with.
pub fn size(t: &Thresholds, declared: Dims, measured: Dims) -> Option<Interception> {
    let mut sides = declared.sorted().into_iter().zip(measured.sorted());
    let differs = !declared.is_zero() && sides.any(|(d, m)| exceeds(d, m, t.side_mm, t.side_percent));
    differs.then_some(Interception::Size { declared, measured })
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Thresholds = Thresholds { weight_g: 30, weight_percent: 5, side_mm: 25, side_percent: 8 };

    #[test]
    fn weight_must_exceed_both_thresholds() {
        assert_eq!(weight(&T, 200, 350), Some(Interception::Weight { declared_g: 200, measured_g: 350 }));
        assert_eq!(weight(&T, 200, 230), None, "30 g is not over 30 g");
        assert!(weight(&T, 200, 231).is_some());
        assert!(weight(&T, 200, 169).is_some(), "too light is as wrong");
        assert_eq!(weight(&T, 2000, 2100), None, "100 g is not over 5 %");
        assert!(weight(&T, 2000, 2101).is_some());
        assert!(weight(&T, 0, 31).is_some());
        assert!(weight(&T, u32::MAX, 0).is_some());
    }

    #[test]
    fn sides_compare_in_sorted_order() {
        let declared = Dims::new(300, 200, 100);
        assert_eq!(size(&T, declared, Dims::new(100, 300, 200)), None);
        assert_eq!(size(&T, declared, Dims::new(120, 325, 220)), None);
        let measured = Dims::new(100, 200, 326);
        assert_eq!(size(&T, declared, measured), Some(Interception::Size { declared, measured }));
        assert_eq!(size(&T, Dims::new(1000, 200, 100), Dims::new(1080, 200, 100)), None, "80 mm is not over 8 %");
        assert_eq!(size(&T, Dims::default(), measured), None);
    }

    #[test]
    fn thresholds_left_out_keep_their_defaults() {
        let t: Thresholds = toml::from_str("weight_g = 50").unwrap();
        assert_eq!(t, Thresholds { weight_g: 50, ..T });
        assert_eq!(Thresholds::default(), T);
    }
}

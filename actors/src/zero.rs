//! The zero of an empty scale: whether it has drifted, or is only as unsteady as the scale is.
//!
//! One reading says nothing: zeroing on it would make its chance error the new zero, and so double the noise of all that follows.
//! Sends nothing itself.

use std::collections::VecDeque;

/// So many readings of the empty scale are looked at together.
pub const READINGS: usize = 20;
/// Nearer to zero than this (0.1 g) it is good enough, however steady the scale.
pub const DRIFT_DG: i32 = 10;
/// Their mean must be further off than so many times the noise of a single reading.
const TIMES_NOISE: i64 = 3;

/// The latest readings of the empty scale since it was zeroed, in 0.1 g.
#[derive(Clone, Debug, Default)]
pub struct Zero {
    readings: VecDeque<i32>,
}

impl Zero {
    /// Takes a reading of the empty scale, and says whether the scale is to be zeroed now.
    ///
    /// The noise is told from one reading to the next, so that a drift is not taken for noise. A box that lies there unseen is
    /// far from its neighbours, so it counts as noise and not as drift.
    pub fn has_drifted(&mut self, reading_dg: i32) -> bool {
        self.readings.push_back(reading_dg);
        if self.readings.len() < READINGS {
            return false;
        }
        let count = READINGS as i128;
        let sum: i128 = self.readings.iter().map(|dg| i128::from(*dg)).sum();
        let steps = self.readings.iter().zip(self.readings.iter().skip(1));
        let squares: i128 = steps.map(|(a, b)| (i128::from(*b) - i128::from(*a)).pow(2)).sum();
        // mean > 3 noise, where noise² = squares / 2(n − 1), in whole numbers.
        let beyond_noise = sum * sum * 2 * (count - 1) > i128::from(TIMES_NOISE * TIMES_NOISE) * count * count * squares;
        if beyond_noise && sum.abs() >= i128::from(DRIFT_DG) * count {
            self.readings.clear();
            return true;
        }
        self.readings.pop_front();
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reading_is_not_enough_and_twenty_are() {
        let mut zero = Zero::default();
        assert!((0..READINGS - 1).all(|_| !zero.has_drifted(500)));
        assert!(zero.has_drifted(500));
        assert!(!zero.has_drifted(500), "it begins anew");
    }

    #[test]
    fn a_box_that_nobody_scanned_is_no_drift() {
        let mut zero = Zero::default();
        let readings = (0..200).map(|n| if n % 50 == 7 { 3_500 } else { n % 5 - 2 });
        assert!(readings.into_iter().all(|dg| !zero.has_drifted(dg)));
        assert!([i32::MAX, i32::MIN].into_iter().cycle().take(50).all(|dg| !zero.has_drifted(dg)));
    }
}

//! Weights and sizes: whole grams, whole millimetres.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Weight in grams. The type is plain because every field that holds one ends in `_g`.
pub type Grams = u32;

/// Length, width and height in millimetres, in that order as declared or measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Dims {
    pub length_mm: u32,
    pub width_mm: u32,
    pub height_mm: u32,
}

impl Dims {
    pub const fn new(length_mm: u32, width_mm: u32, height_mm: u32) -> Self {
        Dims { length_mm, width_mm, height_mm }
    }

    /// Longest side first: which side is up is chance.
    pub fn sorted(self) -> [u32; 3] {
        let mut sides = [self.length_mm, self.width_mm, self.height_mm];
        sides.sort_unstable_by(|a, b| b.cmp(a));
        sides
    }

    /// Cubic millimetres.
    pub fn volume_mm3(self) -> u64 {
        u64::from(self.length_mm) * u64::from(self.width_mm) * u64::from(self.height_mm)
    }

    /// Longest side plus twice the other two (the girth), as postal limits count it.
    pub fn length_plus_girth_mm(self) -> u32 {
        let [a, b, c] = self.sorted();
        a.saturating_add(b.saturating_add(c).saturating_mul(2))
    }

    pub fn is_zero(self) -> bool {
        self == Dims::default()
    }
}

impl fmt::Display for Dims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}×{} mm", self.length_mm, self.width_mm, self.height_mm)
    }
}

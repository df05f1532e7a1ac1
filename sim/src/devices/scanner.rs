//! The simulated tunnel scanner and dimensioner: says a line for each item that passes. Hears nothing.
//!
//! Each pass draws the same number of times from its luck, whatever comes of it, so that a variant with a better scanner
//! meets the same items.

use super::plug::{FarEnd, Plug};
use crate::luck::Luck;
use drivers::devices::scanner::{NOREAD, SIDE_MM_MAX};
use std::sync::{Arc, Mutex, PoisonError};
use twin::measure::Dims;

/// How well it sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScannerNoise {
    /// Codes that it fails to read, per million.
    pub misread_ppm: u32,
    /// Standard deviation of a measured side, millimetres.
    pub dims_noise_mm: u32,
}

/// A handle; clones are the same scanner.
#[derive(Clone)]
pub struct SimScanner {
    plug: Plug,
    eye: Arc<Mutex<(Luck, ScannerNoise)>>,
}

impl SimScanner {
    pub fn new(luck: Luck, noise: ScannerNoise) -> Self {
        SimScanner { plug: Plug::new(luck.branch("garble")), eye: Arc::new(Mutex::new((luck, noise))) }
    }

    /// From now on it sees so well.
    pub fn set_noise(&self, noise: ScannerNoise) {
        self.eye.lock().unwrap_or_else(PoisonError::into_inner).1 = noise;
    }

    /// An item passes. Without a code, or by chance, it is not read. Zero dims: nothing measures it.
    pub fn pass(&self, code: Option<&str>, dims: Dims) {
        let (missed, sides) = {
            let mut eye = self.eye.lock().unwrap_or_else(PoisonError::into_inner);
            let (luck, noise) = &mut *eye;
            let missed = luck.chance_ppm(noise.misread_ppm);
            let mut measure = |side_mm: u32| (i64::from(side_mm) + luck.noise(noise.dims_noise_mm)).clamp(1, SIDE_MM_MAX.into());
            (missed, [measure(dims.length_mm), measure(dims.width_mm), measure(dims.height_mm)])
        };
        let code = code.filter(|_| !missed).unwrap_or(NOREAD);
        self.plug.send(|out| {
            out.extend_from_slice(&[0x02]);
            out.extend_from_slice(code.as_bytes());
            // A bench scanner has no dimensioner.
            for side in if dims.is_zero() { &[][..] } else { &sides[..] } {
                let digits = [1_000, 100, 10, 1].map(|unit| b'0' + (side / unit % 10) as u8);
                let first = digits.iter().position(|d| *d != b'0').unwrap_or(3);
                out.extend_from_slice(b";");
                out.extend_from_slice(&digits[first..]);
            }
            out.extend_from_slice(b"\x03\r\n");
        });
    }
}

impl FarEnd for SimScanner {
    fn plug(&self) -> &Plug {
        &self.plug
    }
    fn connected(&self) {}
    fn hear(&self, _bytes: &[u8]) {}
}

//! Lengths of time taken one by one. A percentile is one that occurred (nearest rank), the slowest is the slowest.

use serde::Serialize;

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

/// Microseconds.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<u64>);

impl Times {
    pub fn of(us: impl IntoIterator<Item = u64>) -> Times {
        Times(us.into_iter().collect())
    }

    /// A time below zero counts as none.
    pub fn add(&mut self, span: twin::Span) {
        self.0.push(span.0.max(0) as u64);
    }

    /// In units of so many microseconds; all zero of no times.
    fn percentiles(&mut self, unit_us: f64) -> Percentiles {
        self.0.sort_unstable();
        let at = |quantile: f64| {
            let rank = (quantile * self.0.len() as f64).ceil().max(1.0) as usize;
            self.0.get(rank - 1).map_or(0.0, |us| *us as f64 / unit_us)
        };
        Percentiles { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1.0) }
    }

    pub fn ms(&mut self) -> Percentiles {
        self.percentiles(1e3)
    }

    pub fn seconds(&mut self) -> Percentiles {
        self.percentiles(1e6)
    }

    /// None where there was none.
    pub fn seconds_if_any(&mut self) -> Option<Percentiles> {
        (!self.0.is_empty()).then(|| self.seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_is_the_value_and_no_edge_of_a_bucket() {
        let mut times = Times::of((1..=1_000).map(|n| n * 1_000_003));
        let of = times.ms();
        assert_eq!((of.p50, of.p99, of.p999, of.max), (500_001.5, 990_002.97, 999_002.997, 1_000_003.0));
        assert_eq!(Times::default().seconds(), Percentiles::default());
        assert_eq!(Times::default().seconds_if_any(), None);
    }
}

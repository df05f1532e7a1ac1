//! How long things took: percentiles and bins of times taken one by one.
//!
//! Whole microseconds in, whole microseconds out; a percentile is a time that really occurred (nearest rank).

use std::collections::BTreeMap;

/// Edges between bins: 1, 2, 5 and their powers of ten, from a millisecond to some twelve days.
const EDGES: usize = 28;

/// Times of one kind: each with how often it occurred.
#[derive(Clone, Debug, Default)]
pub struct Durations {
    times: BTreeMap<u64, u64>,
    n: u64,
}

/// How many times fell in `(above_us, up_to_us]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bin {
    pub above_us: u64,
    pub up_to_us: u64,
    pub n: u64,
}

impl Durations {
    /// A time below zero (a carrier's clock may be behind ours) counts as none.
    pub fn add(&mut self, us: i64) {
        *self.times.entry(us.max(0) as u64).or_default() += 1;
        self.n += 1;
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.n
    }

    /// The time within which `quantile` of all were done; `None` of none.
    pub fn at(&self, quantile: f64) -> Option<u64> {
        let rank = (quantile * self.n as f64).ceil().max(1.0) as u64;
        let mut below = 0;
        self.times.iter().find_map(|(us, n)| {
            below += n;
            (below >= rank).then_some(*us)
        })
    }

    /// How many took at most this long.
    pub fn within(&self, us: u64) -> u64 {
        self.times.range(..=us).map(|(_, n)| n).sum()
    }

    /// Bins of nearly equal width on a logarithmic scale, from the first that holds anything to the last.
    pub fn bins(&self) -> Vec<Bin> {
        let edges: Vec<u64> = (0..EDGES as u32).map(|n| [1, 2, 5][n as usize % 3] * 1_000 * 10u64.pow(n / 3)).collect();
        let mut bins = vec![Bin { above_us: 0, up_to_us: edges[0], n: 0 }];
        bins.extend(edges.windows(2).map(|w| Bin { above_us: w[0], up_to_us: w[1], n: 0 }));
        let last = bins.len() - 1;
        for (us, n) in &self.times {
            bins[edges.partition_point(|edge| edge < us).min(last)].n += n;
        }
        let full = |bin: &Bin| bin.n > 0;
        let (Some(first), Some(last)) = (bins.iter().position(full), bins.iter().rposition(full)) else { return Vec::new() };
        bins.drain(first..=last).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_occurred_and_bins_hold_them_all() {
        let mut times = Durations::default();
        assert_eq!((times.at(0.5), times.bins()), (None, vec![]));
        [900_000, 1_000_000, 1_000_001, 4_000_000, -3].into_iter().for_each(|us| times.add(us));
        assert_eq!((times.at(0.0), times.at(0.5), times.at(0.99)), (Some(0), Some(1_000_000), Some(4_000_000)));
        assert_eq!(times.within(1_000_000), 3);
        let bins = times.bins();
        assert_eq!(bins.iter().map(|b| b.n).sum::<u64>(), 5);
        assert_eq!(bins[bins.len() - 1], Bin { above_us: 2_000_000, up_to_us: 5_000_000, n: 1 });
        assert_eq!(bins[bins.len() - 2], Bin { above_us: 1_000_000, up_to_us: 2_000_000, n: 1 });
        assert_eq!(bins[bins.len() - 3].n, 2, "an edge belongs to the bin below it");
    }
}

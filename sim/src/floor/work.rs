//! How much of its time a station was at work: busy time by the hour, and the most that waited there.

use std::collections::BTreeMap;
use twin::station::StationKind;
use twin::{Moment, Span};

const HOUR: Span = Span::from_hours(1);

/// The work of one station. Its hands are the people at it, or the one infeed of a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    pub kind: StationKind,
    pub hands: u32,
    pub done: u64,
    /// The most that waited there at once.
    pub waiting_max: u64,
    /// Hours since 1970 (UTC) → busy time of all hands in it. Only hours in which there was work.
    busy: BTreeMap<i64, Span>,
    first: Moment,
    last: Moment,
}

impl Work {
    pub fn new(kind: StationKind, hands: u32) -> Self {
        Work { kind, hands: hands.max(1), done: 0, waiting_max: 0, busy: BTreeMap::new(), first: Moment(i64::MAX), last: Moment(i64::MIN) }
    }

    /// One pair of hands is busy with one thing from then to then.
    pub fn add(&mut self, from: Moment, to: Moment) {
        self.done += 1;
        self.first = self.first.min(from);
        self.last = self.last.max(to);
        let mut from = from.0;
        while from < to.0 {
            let hour = from.div_euclid(HOUR.0);
            let until = to.0.min((hour + 1) * HOUR.0);
            self.busy.entry(hour).or_insert(Span::ZERO).0 += until - from;
            from = until;
        }
    }

    /// So many wait there now.
    pub fn waits(&mut self, n: usize) {
        self.waiting_max = self.waiting_max.max(n as u64);
    }

    pub fn busy(&self) -> Span {
        Span(self.busy.values().map(|span| span.0).sum())
    }

    /// What all hands could have worked in the hours in which there was any work, from the first piece of it to the last.
    pub fn available(&self) -> Span {
        let open = |hour: &i64| ((hour + 1) * HOUR.0).min(self.last.0) - (hour * HOUR.0).max(self.first.0);
        Span(self.busy.keys().map(open).sum::<i64>() * i64::from(self.hands))
    }

    /// The share of its hands' time that was work in its busiest hour, per cent of the whole hour.
    pub fn busiest_hour_pct(&self) -> f64 {
        let most = self.busy.values().map(|span| span.0).max().unwrap_or(0);
        most as f64 * 100.0 / (HOUR.0 * i64::from(self.hands)) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_counted_in_the_hours_in_which_it_was_done() {
        let at = |minutes: i64| Moment(Span::from_mins(minutes).0);
        let mut work = Work::new(StationKind::Bench, 2);
        assert_eq!((work.busy(), work.available(), work.busiest_hour_pct()), (Span::ZERO, Span::ZERO, 0.0));
        work.add(at(30), at(90));
        work.add(at(60), at(120));
        // Nobody works from two to five, and nobody could have.
        work.add(at(300), at(315));
        assert_eq!((work.done, work.busy()), (3, Span::from_mins(135)));
        assert_eq!(work.available(), Span::from_mins(2 * (30 + 60 + 15)));
        assert_eq!(work.busiest_hour_pct(), 75.0);
    }
}

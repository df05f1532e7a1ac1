//! Where parcels are, in the few words a manager thinks in, and how many are in each over time.
//!
//! A phase follows from a parcel's events alone; nothing here looks at what caused them.

use super::hours::Local;
use std::collections::BTreeMap;
use twin::parcel::Event;
use twin::{Moment, Span, tracking};

/// Counts over time are kept this finely; charts take fewer points.
pub const SLICE: Span = Span::from_mins(5);

/// In the order in which they are stacked: what is furthest along lies at the bottom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Delivered,
    Carrier,
    Bagged,
    Line,
    Pack,
    Label,
    Stopped,
    Ended,
}

impl Phase {
    pub const ALL: [Phase; 8] =
        [Phase::Delivered, Phase::Carrier, Phase::Bagged, Phase::Line, Phase::Pack, Phase::Label, Phase::Stopped, Phase::Ended];

    /// Those of a parcel that is in the building.
    pub const IN_HOUSE: [Phase; 5] = [Phase::Bagged, Phase::Line, Phase::Pack, Phase::Label, Phase::Stopped];

    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Delivered => "delivered",
            Phase::Carrier => "with the carrier",
            Phase::Bagged => "in a bag",
            Phase::Line => "packed, not yet in a bag",
            Phase::Pack => "labelled, to be packed",
            Phase::Label => "waiting for a label",
            Phase::Stopped => "stopped",
            Phase::Ended => "returned, lost or cancelled",
        }
    }

    /// The phase of a parcel that has left, where its way stands so.
    pub fn on_its_way(stage: tracking::Stage) -> Phase {
        match stage {
            tracking::Stage::Delivered => Phase::Delivered,
            tracking::Stage::Returned | tracking::Stage::Lost => Phase::Ended,
            _ => Phase::Carrier,
        }
    }

    /// The phase that an event in the house puts a parcel into; `None`: it stays where it is.
    pub fn after(event: &Event) -> Option<Phase> {
        Some(match event {
            Event::Created { .. } | Event::LabelRequested { .. } | Event::LabelRefused { .. } => Phase::Label,
            Event::LabelBought { .. } => Phase::Pack,
            Event::Packed | Event::Inducted { .. } | Event::Measured { .. } | Event::Verified | Event::Sorted { .. } => Phase::Line,
            Event::Passed { .. } | Event::Reworked { .. } => Phase::Line,
            Event::Bagged { .. } => Phase::Bagged,
            Event::Intercepted { .. } => Phase::Stopped,
            Event::HandedOver { .. } => Phase::Carrier,
            Event::Cancelled { .. } => Phase::Ended,
            _ => return None,
        })
    }
}

/// How many parcels were in each phase at the end of a slice.
pub type Counts = [u64; Phase::ALL.len()];

/// Net changes per slice of local time.
#[derive(Debug, Default)]
pub struct Phases {
    changes: BTreeMap<i64, [i64; Phase::ALL.len()]>,
}

impl Phases {
    pub fn moved(&mut self, local: &Local, at: Moment, before: Option<Phase>, after: Phase) {
        let slice = (local.hours(at) * 3.6e9 / SLICE.0 as f64).floor() as i64;
        let change = self.changes.entry(slice).or_default();
        if let Some(before) = before {
            change[before as usize] -= 1;
        }
        change[after as usize] += 1;
    }

    /// The local hours between which anything moved: the begin of the first slice, the end of the last.
    pub fn span_h(&self) -> Option<(f64, f64)> {
        let slice_h = SLICE.as_secs_f64() / 3_600.0;
        let (first, last) = (self.changes.keys().next()?, self.changes.keys().next_back()?);
        Some((*first as f64 * slice_h, (*last + 1) as f64 * slice_h))
    }

    /// Counts at about `points` moments, evenly from `from_h` to `to_h` (local hours), both included.
    pub fn sampled(&self, from_h: f64, to_h: f64, points: usize) -> Vec<(f64, Counts)> {
        let slice_h = SLICE.as_secs_f64() / 3_600.0;
        let step = ((to_h - from_h) / points.max(1) as f64).max(slice_h);
        let steps = ((to_h - from_h) / step).round().max(1.0) as usize;
        let mut changes = self.changes.iter().peekable();
        let mut now = [0i64; Phase::ALL.len()];
        let mut samples = Vec::with_capacity(steps + 1);
        for n in 0..=steps {
            let at = if n == steps { to_h } else { from_h + n as f64 * step };
            while let Some((_, change)) = changes.next_if(|(slice, _)| (**slice + 1) as f64 * slice_h <= at + slice_h / 2.0) {
                now.iter_mut().zip(change).for_each(|(n, by)| *n += by);
            }
            samples.push((at, now.map(|n| n.max(0) as u64)));
        }
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parcels_are_counted_where_they_are_and_none_gets_lost_between() {
        let mut phases = Phases::default();
        let at = |minutes| Moment(Span::from_mins(minutes).0);
        phases.moved(&Local::new(twin::TimeZone::UTC), at(1), None, Phase::Label);
        phases.moved(&Local::new(twin::TimeZone::UTC), at(2), None, Phase::Label);
        phases.moved(&Local::new(twin::TimeZone::UTC), at(20), Some(Phase::Label), Phase::Pack);
        phases.moved(&Local::new(twin::TimeZone::UTC), at(59), Some(Phase::Pack), Phase::Carrier);
        assert_eq!(phases.span_h(), Some((0.0, 1.0)));
        let samples = phases.sampled(0.0, 1.0, 4);
        let of = |phase: Phase| samples.iter().map(|s| s.1[phase as usize]).collect::<Vec<_>>();
        assert_eq!(samples.iter().map(|s| s.0).collect::<Vec<_>>(), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(
            (of(Phase::Label), of(Phase::Pack), of(Phase::Carrier)),
            (vec![0, 2, 1, 1, 1], vec![0, 0, 1, 1, 0], vec![0, 0, 0, 0, 1])
        );
        assert!(samples[1..].iter().all(|s| s.1.iter().sum::<u64>() == 2));
        assert_eq!(Phases::default().span_h(), None);
    }
}

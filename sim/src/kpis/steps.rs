//! The way of a parcel step by step: how long each took, how much of that was waiting, how many came through, and how much of
//! their time people and machines were at work. [`super::mark`] says which of it records tell and which the floor alone.

use super::times::{Percentiles, Times};
use crate::floor::tally::Tally;
use crate::floor::work::Work;
use serde::Serialize;
use smol_str::SmolStr;
use std::collections::{BTreeMap, HashMap};
use twin::station::StationKind;
use twin::{Moment, ParcelId, Span, StationId, parcel};

const HOUR_US: i64 = Span::from_hours(1).0;

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Steps {
    /// From the order to its parcel's label: it waits until it is decided, then the carrier is asked.
    pub label: Step,
    /// From the label to the packed box: it waits until a packer takes it, then it is packed.
    pub bench: Step,
    /// From the packed box (or one put right) to the bag or the reject chute: it waits until a line reads it.
    pub line: Step,
    /// From falling into the bag until the bag is closed. All of it is waiting: for the cut-off, or until the bag is full.
    pub bag: Step,
    /// From the closed bag to the handover. All of it is waiting for the carrier's truck.
    pub dock: Step,
    /// From being stopped to being put right: it waits until somebody takes it in hand.
    pub rework: Step,
}

impl Steps {
    /// In the order of the way, by their names in `kpis.json`.
    pub fn all(&self) -> [(&'static str, &Step); 6] {
        let Steps { label, bench, line, bag, dock, rework } = self;
        [("label", label), ("bench", bench), ("line", line), ("bag", bag), ("dock", dock), ("rework", rework)]
    }
}

/// Times in seconds. What nobody knows of a step is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Step {
    /// Parcels that came through; one that came twice counts twice.
    pub done: u64,
    /// On average of the hours (of UTC) in which any came through, and in the one in which most did.
    pub per_hour: f64,
    pub per_hour_max: u64,
    /// Wait and service together.
    pub took_s: Percentiles,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_s: Option<Percentiles>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_s: Option<Percentiles>,
    /// Time at work, of the time of all hands there; see [`Station::use_pct`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_pct: Option<f64>,
    /// That of the station which was the busiest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_busiest_hour_pct: Option<f64>,
}

/// One bench, line or rework table of the simulated floor.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Station {
    pub kind: StationKind,
    /// People at it; of a line its one infeed.
    pub hands: u32,
    pub done: u64,
    /// Of the time of all hands, in the hours in which there was any work, from the first piece of it to the last.
    pub use_pct: f64,
    /// Of one whole hour.
    pub use_busiest_hour_pct: f64,
    /// The most that waited there at once.
    pub waiting_max: u64,
}

pub(super) fn stations(works: &BTreeMap<StationId, Work>) -> BTreeMap<StationId, Station> {
    let of = |work: &Work| Station {
        kind: work.kind,
        hands: work.hands,
        done: work.done,
        use_pct: use_pct([work]),
        use_busiest_hour_pct: tenth(work.busiest_hour_pct()),
        waiting_max: work.waiting_max,
    };
    works.iter().map(|(id, work)| (id.clone(), of(work))).collect()
}

fn use_pct<'a>(works: impl IntoIterator<Item = &'a Work>) -> f64 {
    let sum = |(busy, all): (i64, i64), work: &Work| (busy + work.busy().0, all + work.available().0);
    let (busy, all) = works.into_iter().fold((0, 0), sum);
    if all == 0 { 0.0 } else { tenth(busy as f64 * 100.0 / all as f64) }
}

fn tenth(of: f64) -> f64 {
    (of * 10.0).round() / 10.0
}

/// What is counted of one step.
#[derive(Default)]
struct Counted {
    took: Times,
    wait: Times,
    service: Times,
    hours: BTreeMap<i64, u64>,
}

impl Counted {
    /// Through at this moment, having come to the step `since`.
    fn through(&mut self, at: Moment, since: Option<Moment>) {
        *self.hours.entry(at.0.div_euclid(HOUR_US)).or_default() += 1;
        if let Some(since) = since {
            self.took.add(at - since);
        }
    }

    fn step(mut self) -> Step {
        let done: u64 = self.hours.values().sum();
        Step {
            done,
            per_hour: if done == 0 { 0.0 } else { tenth(done as f64 / self.hours.len() as f64) },
            per_hour_max: self.hours.values().max().copied().unwrap_or(0),
            took_s: self.took.seconds(),
            wait_s: self.wait.seconds_if_any(),
            service_s: self.service.seconds_if_any(),
            use_pct: None,
            use_busiest_hour_pct: None,
        }
    }

    /// The same with the use of the stations of this kind.
    fn used(self, kind: StationKind, works: &BTreeMap<StationId, Work>) -> Step {
        let of_kind = || works.values().filter(move |work| work.kind == kind);
        let most = of_kind().map(Work::busiest_hour_pct).reduce(f64::max);
        Step { use_pct: most.map(|_| use_pct(of_kind())), use_busiest_hour_pct: most.map(tenth), ..self.step() }
    }
}

/// How far a parcel has come: since when it is where it is.
#[derive(Default)]
pub(super) struct OnItsWay {
    ordered_at: Option<Moment>,
    created_at: Moment,
    labelled_at: Option<Moment>,
    /// Packed, or put right: it should come to a line.
    to_line: Option<Moment>,
    on_line: Option<Moment>,
    bagged_at: Option<Moment>,
    stopped_at: Option<Moment>,
}

impl OnItsWay {
    pub(super) fn created(created_at: Moment, ordered_at: Option<Moment>) -> Self {
        OnItsWay { ordered_at, created_at, ..OnItsWay::default() }
    }
}

/// Counts steps from parcels' records, oldest first.
#[derive(Default)]
pub(super) struct Counter {
    label: Counted,
    bench: Counted,
    line: Counted,
    bag: Counted,
    dock: Counted,
    rework: Counted,
    bags_closed: HashMap<SmolStr, Moment>,
}

impl Counter {
    pub(super) fn closed(&mut self, bag: &SmolStr, at: Moment) {
        self.bags_closed.entry(bag.clone()).or_insert(at);
    }

    pub(super) fn parcel(&mut self, id: &SmolStr, at: Moment, event: &parcel::Event, seen: &mut OnItsWay, tally: &Tally) {
        use parcel::Event::*;
        match event {
            LabelBought { .. } if seen.labelled_at.is_none() => {
                seen.labelled_at = Some(at);
                self.label.through(at, seen.ordered_at);
                self.label.service.add(at - seen.created_at);
                if let Some(ordered_at) = seen.ordered_at {
                    self.label.wait.add(seen.created_at - ordered_at);
                }
            }
            Packed => {
                seen.to_line = Some(at);
                self.bench.through(at, seen.labelled_at);
                // The id is that of the slip, which is the parcel's own also where the label is not.
                if let Some(began) = tally.pack_began.get(&ParcelId::from(id.clone())) {
                    self.bench.service.add(at - *began);
                    seen.labelled_at.into_iter().for_each(|labelled| self.bench.wait.add(*began - labelled));
                }
            }
            Inducted { .. } if seen.on_line.is_none() => {
                seen.on_line = Some(at);
                seen.to_line.into_iter().for_each(|since| self.line.wait.add(at - since));
            }
            Bagged { .. } => {
                self.off_the_line(at, seen);
                seen.bagged_at = Some(at);
            }
            Intercepted { .. } => {
                self.off_the_line(at, seen);
                seen.stopped_at.get_or_insert(at);
            }
            Reworked { .. } => {
                self.rework.through(at, seen.stopped_at.take());
                seen.to_line = Some(at);
            }
            HandedOver { bag } => {
                let closed = self.bags_closed.get(bag.text()).copied();
                self.dock.through(at, closed);
                closed.into_iter().for_each(|closed| self.dock.wait.add(at - closed));
                if let (Some(closed), Some(bagged)) = (closed, seen.bagged_at) {
                    self.bag.through(closed, Some(bagged));
                    self.bag.wait.add(closed - bagged);
                }
            }
            _ => {}
        }
    }

    fn off_the_line(&mut self, at: Moment, seen: &mut OnItsWay) {
        let Some(since) = seen.on_line.take() else { return };
        self.line.service.add(at - since);
        self.line.through(at, seen.to_line.take());
    }

    /// From the order to the tracking number.
    pub(super) fn to_tracking(&self) -> Times {
        self.label.took.clone()
    }

    pub(super) fn end(mut self, tally: &Tally) -> Steps {
        self.rework.wait = Times::of(tally.rework_wait_us.iter().copied());
        self.rework.service = Times::of(tally.rework_us.iter().copied());
        let works = &tally.stations;
        Steps {
            label: self.label.step(),
            bench: self.bench.used(StationKind::Bench, works),
            line: self.line.used(StationKind::Line, works),
            bag: self.bag.step(),
            dock: self.dock.step(),
            rework: self.rework.used(StationKind::Rework, works),
        }
    }
}

//! The board on the wall: how many of what are where. Built from events as they are committed.

use crate::census::Census;
use crate::entity::Kind;
use crate::event::Event;
use crate::journal::{Head, Record};
use crate::projection::Projection;
use crate::{Moment, bag, device, order, parcel, station, tracking};
use serde::Serialize;
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;

/// How many alarms the board keeps; the log keeps all.
pub const ALARMS_MAX: usize = 200;

/// Something that is wrong with the twin itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alarm {
    pub at: Moment,
    pub what: SmolStr,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Board {
    pub head: Head,
    /// Entities by kind and stage.
    #[serde(skip)]
    pub(crate) census: Census,
    /// Interceptions since the process began, by reason.
    pub interceptions: BTreeMap<&'static str, u64>,
    pub holds: BTreeMap<&'static str, u64>,
    /// What is wrong with the twin itself, since the process began, newest first.
    pub alarms: VecDeque<Alarm>,
}

impl Board {
    /// How many entities of `kind` are in `stage`.
    pub fn count(&self, kind: Kind, stage: &str) -> u64 {
        self.stages(kind).filter(|(s, _)| *s == stage).map(|(_, n)| n).sum()
    }

    /// All stages of a kind that hold anything.
    pub fn stages(&self, kind: Kind) -> impl Iterator<Item = (SmolStr, u64)> + '_ {
        self.census.stages(kind)
    }

    /// Parcels by where they are: those in the house by their stage, those that left by what is known of their way.
    pub fn whereabouts(&self) -> BTreeMap<SmolStr, u64> {
        let mut places: BTreeMap<_, _> = self.stages(Kind::Parcel).collect();
        let left = parcel::Stage::HandedOver.as_str();
        let without_news = places.remove(left).unwrap_or(0).saturating_sub(self.stages(Kind::Tracking).map(|(_, n)| n).sum());
        for (stage, n) in self.stages(Kind::Tracking).chain([(SmolStr::new_static(left), without_news)]).filter(|(_, n)| *n > 0) {
            *places.entry(stage).or_default() += n;
        }
        places
    }

    pub(crate) fn alarm(&mut self, at: Moment, what: &str) {
        self.alarms.push_front(Alarm { at, what: what.into() });
        self.alarms.truncate(ALARMS_MAX);
    }

    fn note(&mut self, record: &Record) {
        match &record.event {
            Event::Parcel(parcel::Event::Intercepted { why, .. }) => *self.interceptions.entry(why.word()).or_default() += 1,
            Event::Station(station::Event::Rejected { .. }) => *self.interceptions.entry("unknown item").or_default() += 1,
            Event::Order(order::Event::Held { reason, .. }) => *self.holds.entry(reason.as_str()).or_default() += 1,
            _ => {}
        }
    }
}

/// What of an event was wrong then, in words. What is wrong now, the open problems tell.
pub fn trouble(event: &Event) -> Option<SmolStr> {
    Some(match event {
        Event::Parcel(parcel::Event::Intercepted { why, .. }) => why.to_smolstr(),
        Event::Parcel(parcel::Event::ExceptionRaised { what }) | Event::Tracking(tracking::Event::ExceptionRaised { what }) => what.clone(),
        Event::Bag(bag::Event::ExceptionRaised { what }) => what.clone(),
        Event::Parcel(parcel::Event::LabelRefused { why }) => format_smolstr!("label refused: {why}"),
        Event::Order(order::Event::Held { reason, detail }) => format_smolstr!("held, {}: {detail}", reason.as_str()),
        Event::Device(device::Event::FaultRaised { what }) => what.clone(),
        Event::Device(device::Event::Disconnected { why }) => format_smolstr!("disconnected: {why}"),
        Event::Station(station::Event::Rejected { code, why, .. }) => {
            format_smolstr!("rejected {}: {why}", code.as_deref().unwrap_or("an item"))
        }
        Event::Carrier(crate::carrier::Event::Suspended { why }) => format_smolstr!("suspended: {why}"),
        _ => return None,
    })
}

/// Its stages are counted from what each transaction moves, and from the states when a twin is opened.
impl Projection for Board {
    type Error = Infallible;

    fn applied(&self) -> Head {
        self.head
    }

    fn take_in(&mut self, records: &[Record], head: Head) -> Result<(), Infallible> {
        self.head = head;
        records.iter().for_each(|record| self.note(record));
        Ok(())
    }

    fn clear(&mut self) -> Result<(), Infallible> {
        *self = Board::default();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::census::StageMove;

    #[test]
    fn every_parcel_is_in_one_place() {
        let mut board = Board::default();
        for (kind, stage, n) in [
            (Kind::Parcel, "bagged", 2),
            (Kind::Parcel, "intercepted", 1),
            (Kind::Parcel, "handed over", 9),
            (Kind::Tracking, "handed over", 3),
            (Kind::Tracking, "in flight", 1),
            (Kind::Tracking, "delivered", 4),
        ] {
            board.census.holds(kind, stage.into(), n);
        }
        let places = board.whereabouts();
        assert_eq!(
            places.clone().into_iter().collect::<Vec<_>>(),
            [("bagged", 2), ("delivered", 4), ("handed over", 4), ("in flight", 1), ("intercepted", 1)].map(|(place, n)| (place.into(), n)),
            "one was handed over without a number, and is counted all the same"
        );
        board.census.moved(StageMove { kind: Kind::Tracking, before: "in flight", now: "lost" });
        assert_eq!((board.whereabouts().get("lost"), board.whereabouts().values().sum::<u64>()), (Some(&1), 12));
    }

    #[test]
    fn what_a_carrier_says_is_wrong_wants_a_look() {
        let said = tracking::Event::ExceptionRaised { what: "refused at the door".into() };
        assert_eq!(trouble(&said.into()).as_deref(), Some("refused at the door"));
    }
}

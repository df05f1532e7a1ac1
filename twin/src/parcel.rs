//! A parcel: one box with one label, from the label request to the buyer's door.
//!
//! created → label requested → labelled → inducted → measured → verified → sorted → bagged → handed over → … → delivered;
//! at any point intercepted(reason), returned, lost, cancelled. Only forward, one step at a time; between the handover
//! and the door a carrier may leave stages out, but never goes back. An interception ends in rework, which puts the
//! parcel back to `labelled`, or in a cancellation.

use crate::address::Place;
use crate::channel::{TrackEvent, TrackStatus};
use crate::entity::{Entity, Kind, Refusal, Why};
use crate::facet::{Facet, Listing};
use crate::keys::Sealed;
use crate::{BagId, CarrierId, ChannelId, DeviceId, Dims, Grams, Hash, Moment, Money, OrderId, StationId, TrackingNumber, WarehouseId};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, ToSmolStr, format_smolstr};

/// How often one parcel may be reworked before it must be cancelled.
pub const REWORK_MAX: u8 = 5;
/// The most news of one parcel that are kept; of what comes after, only what moves the parcel on.
pub const NEWS_MAX: usize = 256;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    #[default]
    Absent,
    Created,
    LabelRequested,
    Labelled,
    Inducted,
    Measured,
    Verified,
    Sorted,
    Bagged,
    HandedOver,
    DepartedOrigin,
    InFlight,
    Arrived,
    Customs,
    LastMile,
    OutForDelivery,
    Delivered,
    Intercepted,
    Returned,
    Lost,
    Cancelled,
}

impl Stage {
    pub const ALL: [Stage; 20] = [
        Stage::Created,
        Stage::LabelRequested,
        Stage::Labelled,
        Stage::Inducted,
        Stage::Measured,
        Stage::Verified,
        Stage::Sorted,
        Stage::Bagged,
        Stage::HandedOver,
        Stage::DepartedOrigin,
        Stage::InFlight,
        Stage::Arrived,
        Stage::Customs,
        Stage::LastMile,
        Stage::OutForDelivery,
        Stage::Delivered,
        Stage::Intercepted,
        Stage::Returned,
        Stage::Lost,
        Stage::Cancelled,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Absent => "absent",
            Stage::Created => "created",
            Stage::LabelRequested => "label requested",
            Stage::Labelled => "labelled",
            Stage::Inducted => "inducted",
            Stage::Measured => "measured",
            Stage::Verified => "verified",
            Stage::Sorted => "sorted",
            Stage::Bagged => "bagged",
            Stage::HandedOver => "handed over",
            Stage::DepartedOrigin => "departed origin",
            Stage::InFlight => "in flight",
            Stage::Arrived => "arrived",
            Stage::Customs => "customs",
            Stage::LastMile => "last mile",
            Stage::OutForDelivery => "out for delivery",
            Stage::Delivered => "delivered",
            Stage::Intercepted => "intercepted",
            Stage::Returned => "returned",
            Stage::Lost => "lost",
            Stage::Cancelled => "cancelled",
        }
    }

    /// Nothing can happen to it any more.
    pub fn is_final(self) -> bool {
        matches!(self, Stage::Delivered | Stage::Returned | Stage::Lost | Stage::Cancelled)
    }

    /// The carrier has it and has not finished.
    pub fn is_with_carrier(self) -> bool {
        (Stage::HandedOver..=Stage::OutForDelivery).contains(&self)
    }

    /// A carrier has it, or had it to the end.
    pub fn has_left(self) -> bool {
        self.is_with_carrier() || self.is_end_of_way()
    }

    /// It stands or moves on a line.
    pub fn is_on_line(self) -> bool {
        (Stage::Inducted..=Stage::Sorted).contains(&self)
    }

    /// Only a carrier's news ends a parcel so.
    fn is_end_of_way(self) -> bool {
        matches!(self, Stage::Delivered | Stage::Returned | Stage::Lost)
    }

    /// Where a tracking status puts a parcel that is on its way.
    fn of_track(status: TrackStatus) -> Option<Stage> {
        Some(match status {
            TrackStatus::DepartedOrigin => Stage::DepartedOrigin,
            TrackStatus::InFlight => Stage::InFlight,
            TrackStatus::Arrived => Stage::Arrived,
            TrackStatus::Customs | TrackStatus::ImportCleared => Stage::Customs,
            TrackStatus::LastMile | TrackStatus::AvailableForPickup => Stage::LastMile,
            TrackStatus::OutForDelivery => Stage::OutForDelivery,
            TrackStatus::Delivered => Stage::Delivered,
            TrackStatus::Returned => Stage::Returned,
            TrackStatus::Lost => Stage::Lost,
            _ => return None,
        })
    }
}

/// Why a parcel was stopped before it did harm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interception {
    /// Measured and declared weight differ by more than both thresholds.
    Weight {
        declared_g: Grams,
        measured_g: Grams,
    },
    /// A side differs by more than the threshold (sides in sorted order).
    Size {
        declared: Dims,
        measured: Dims,
    },
    /// The same label was read on another parcel before.
    DuplicateLabel,
    /// Its order was cancelled.
    OrderCancelled,
    NotWeighed,
    /// No bag is open for it.
    NoChute,
    /// The answer reached the sorter after the divert, or it went to another chute.
    WrongChute {
        planned: u16,
        actual: u16,
    },
    /// A person or a rule outside the line said so.
    Manual {
        why: SmolStr,
    },
}

impl Interception {
    /// A short word for counting.
    pub fn word(&self) -> &'static str {
        match self {
            Interception::Weight { .. } => "wrong weight",
            Interception::Size { .. } => "wrong size",
            Interception::DuplicateLabel => "duplicate label",
            Interception::OrderCancelled => "order cancelled",
            Interception::NotWeighed => "not weighed",
            Interception::NoChute => "no chute",
            Interception::WrongChute { .. } => "wrong chute",
            Interception::Manual { .. } => "manual",
        }
    }
}

impl std::fmt::Display for Interception {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Interception::Weight { declared_g, measured_g } => write!(f, "wrong weight: declared {declared_g} g, measured {measured_g} g"),
            Interception::Size { declared, measured } => write!(f, "wrong size: declared {declared}, measured {measured}"),
            Interception::WrongChute { planned, actual } => write!(f, "wrong chute: planned {planned}, went to {actual}"),
            Interception::Manual { why } => write!(f, "manual: {why}"),
            other => f.write_str(other.word()),
        }
    }
}

/// What was planned for the parcel when it was created.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub order: OrderId,
    pub warehouse: WarehouseId,
    pub carrier: CarrierId,
    pub channel: ChannelId,
    pub service: SmolStr,
    pub ship_to: Place,
    /// Who the buyer is, under the key of the order; the label is sealed under the same.
    pub buyer: Option<Sealed>,
    pub declared_g: Grams,
    pub declared: Dims,
    pub value: Option<Money>,
    pub estimate: Option<Money>,
    pub contents: SmolStr,
    /// A battery is in it, which carriers want declared.
    #[serde(default)]
    pub battery: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Parcel {
    pub stage: Stage,
    pub created_at: Moment,
    pub changed_at: Moment,
    pub plan: Plan,
    pub tracking: Option<TrackingNumber>,
    /// The label's document in the twin.
    pub label: Option<Hash>,
    pub label_attempts: u32,
    pub label_refused: Option<SmolStr>,
    pub printed_on: Option<DeviceId>,
    pub packed_at: Option<Moment>,
    pub station: Option<StationId>,
    pub measured_g: Option<Grams>,
    pub measured: Option<Dims>,
    pub chute: Option<u16>,
    pub bag: Option<BagId>,
    pub interception: Option<Interception>,
    pub reworks: u8,
    /// The newest thing the carrier said, by its own time.
    pub last_track: Option<TrackEvent>,
    pub track_events: u32,
    /// The news that we have, by their marks, sorted; up to [`NEWS_MAX`].
    pub news: Vec<u32>,
    /// When the news says that its way ended, where one does.
    pub ended_at: Option<Moment>,
    /// Something the carrier says is wrong and that the seller should know before the buyer asks.
    pub exception: Option<SmolStr>,
}

#[derive(Clone, Debug)]
pub enum Command {
    Create {
        plan: Box<Plan>,
    },
    RequestLabel,
    TakeLabel {
        tracking: TrackingNumber,
        /// What else on the label names the parcel.
        plate: Option<TrackingNumber>,
        label: Hash,
        charged: Option<Money>,
    },
    RefuseLabel {
        why: SmolStr,
    },
    /// Its label (and pick slip) came out of a printer.
    Print {
        printer: DeviceId,
    },
    Pack,
    Induct {
        station: StationId,
    },
    /// Everything the line found out, and what follows from it.
    Judge {
        measured_g: Option<Grams>,
        measured: Option<Dims>,
        verdict: Verdict,
    },
    /// It fell down a chute.
    Bag {
        chute: u16,
        bag: BagId,
    },
    Intercept {
        why: Interception,
    },
    /// The mistake was found and put right; the label it wears is its own again.
    /// `declared` replaces weight and size where a person checked the contents and found the master data wrong.
    Rework {
        note: SmolStr,
        declared: Option<(Grams, Dims)>,
    },
    HandOver {
        bag: BagId,
    },
    Track {
        events: Vec<TrackEvent>,
    },
    RaiseException {
        what: SmolStr,
    },
    Cancel {
        reason: SmolStr,
    },
}

/// What the checks made of a parcel at the divert.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Pass { chute: u16 },
    Stop { why: Interception, chute: u16 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Created {
        plan: Box<Plan>,
    },
    /// Asked of the carrier, with the key that makes asking again harmless.
    LabelRequested {
        key: SmolStr,
    },
    LabelBought {
        tracking: TrackingNumber,
        label: Hash,
        /// As the carrier said it, whether it was taken or not.
        charged: Option<Money>,
        /// What else on the label names the parcel.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plate: Option<TrackingNumber>,
    },
    LabelRefused {
        why: SmolStr,
    },
    Printed {
        printer: DeviceId,
    },
    Packed,
    Inducted {
        station: StationId,
    },
    Measured {
        weight_g: Grams,
        dims: Option<Dims>,
    },
    Verified,
    Sorted {
        chute: u16,
    },
    Bagged {
        bag: BagId,
    },
    Intercepted {
        why: Interception,
        chute: Option<u16>,
    },
    Reworked {
        note: SmolStr,
        declared: Option<(Grams, Dims)>,
    },
    HandedOver {
        bag: BagId,
    },
    /// News of the carrier; where it names a later stage, the parcel is there now.
    Tracked {
        event: TrackEvent,
    },
    ExceptionRaised {
        what: SmolStr,
    },
    ExceptionCleared,
    Cancelled {
        reason: SmolStr,
    },
}

impl Parcel {
    /// The key under which its label is asked for; a new one after each refusal.
    pub fn label_key(&self, id: &SmolStr) -> SmolStr {
        format_smolstr!("{id}.{}", self.label_attempts)
    }

    fn wrong_stage(&self, id: &SmolStr, step: &str, wants: &str) -> Refusal {
        Self::refuse(id, Why::WrongStage { is: self.stage.as_str().into(), step: step.into(), wants: wants.into() })
    }

    fn judge(&self, measured_g: Option<Grams>, dims: Option<Dims>, verdict: Verdict) -> Vec<Event> {
        let mut events = Vec::with_capacity(3);
        if let Some(weight_g) = measured_g {
            events.push(Event::Measured { weight_g, dims });
        }
        match verdict {
            Verdict::Pass { chute } => events.extend([Event::Verified, Event::Sorted { chute }]),
            Verdict::Stop { why, chute } => events.push(Event::Intercepted { why, chute: Some(chute) }),
        }
        events
    }

    /// Where it is after this news, and when its way ended: the same in whatever order the news comes. On its way it only
    /// goes forward; of several ends the one that happened last counts (a lost parcel is found, a delivered one comes back).
    fn after(&self, event: &TrackEvent) -> (Stage, Option<Moment>) {
        let here = (self.stage, self.ended_at);
        match Stage::of_track(event.status) {
            None => here,
            Some(_) if self.stage == Stage::Cancelled => here,
            Some(to) if !to.is_end_of_way() && self.stage.is_end_of_way() => here,
            Some(to) if !to.is_end_of_way() => (to.max(self.stage), None),
            Some(to) if !self.stage.is_end_of_way() || (Some(event.at), to) > (self.ended_at, self.stage) => (to, Some(event.at)),
            Some(_) => here,
        }
    }

    /// Whether this is new: not told before, or it moves the parcel, whatever its mark.
    fn is_news(&self, event: &TrackEvent) -> bool {
        let known = self.news.binary_search(&event.mark()).is_ok() || self.news.len() >= NEWS_MAX;
        !known || self.after(event).0 != self.stage
    }

    /// News in any order, late and repeated; what we know already is left out.
    fn track(&self, news: Vec<TrackEvent>) -> Vec<Event> {
        let mut events = Vec::new();
        if !news.iter().any(|event| self.is_news(event)) {
            return events;
        }
        let mut parcel = self.clone();
        for event in news.into_iter() {
            if !parcel.is_news(&event) {
                continue;
            }
            // What was wrong before something newer that we know is not wrong now.
            let is_newest = parcel.last_track.as_ref().is_none_or(|last| last.at <= event.at);
            let (status, text, code) = (event.status, event.text.clone(), event.code.clone());
            let what = if text.is_empty() { format_smolstr!("the carrier says {code:?}") } else { text };
            let from = events.len();
            events.push(Event::Tracked { event });
            match status {
                TrackStatus::DeliveryFailed | TrackStatus::Exception | TrackStatus::Returning
                    if is_newest && !parcel.stage.is_final() && parcel.exception.as_ref() != Some(&what) =>
                {
                    events.push(Event::ExceptionRaised { what });
                }
                TrackStatus::OutForDelivery | TrackStatus::Delivered if is_newest && parcel.exception.is_some() => {
                    events.push(Event::ExceptionCleared);
                }
                _ => {}
            }
            events[from..].iter().for_each(|event| parcel.apply(self.changed_at, event));
            if parcel.news.len() == NEWS_MAX && self.news.len() < NEWS_MAX && !events.iter().any(is_too_much) {
                events.push(Event::ExceptionRaised { what: TOO_MUCH_NEWS.into() });
            }
        }
        events
    }
}

/// Said of a parcel whose carrier does not stop talking.
const TOO_MUCH_NEWS: &str = "more news than is kept: from now on only what moves it on";

fn is_too_much(event: &Event) -> bool {
    matches!(event, Event::ExceptionRaised { what } if what == TOO_MUCH_NEWS)
}

impl Entity for Parcel {
    const KIND: Kind = Kind::Parcel;
    type Command = Command;
    type Event = Event;

    fn decide(&self, id: &SmolStr, _at: Moment, command: Command) -> Result<Vec<Event>, Refusal> {
        use Stage::*;
        if self.stage == Absent && !matches!(command, Command::Create { .. }) {
            return Err(Self::refuse(id, Why::Absent));
        }
        match command {
            Command::Create { .. } if self.stage != Absent => Ok(vec![]),
            Command::Create { plan } => Ok(vec![Event::Created { plan }]),
            Command::RequestLabel => match self.stage {
                Created | LabelRequested => Ok(vec![Event::LabelRequested { key: self.label_key(id) }]),
                _ => Ok(vec![]),
            },
            Command::TakeLabel { tracking, plate, label, charged } => match self.stage {
                LabelRequested => Ok(vec![Event::LabelBought { tracking, label, charged, plate }]),
                _ if self.tracking.as_ref() == Some(&tracking) => Ok(vec![]),
                _ => Err(self.wrong_stage(id, "a label", "label requested")),
            },
            Command::RefuseLabel { why } => match self.stage {
                LabelRequested => Ok(vec![Event::LabelRefused { why }]),
                _ => Err(self.wrong_stage(id, "a label refusal", "label requested")),
            },
            Command::Print { printer } => match self.stage {
                Labelled | Intercepted => Ok(vec![Event::Printed { printer }]),
                _ => Ok(vec![]),
            },
            Command::Pack => match self.stage {
                Labelled if self.packed_at.is_none() => Ok(vec![Event::Packed]),
                _ if self.packed_at.is_some() => Ok(vec![]),
                _ => Err(self.wrong_stage(id, "packing", "labelled")),
            },
            Command::Induct { station } => match self.stage {
                Labelled => Ok(vec![Event::Inducted { station }]),
                _ => Err(self.wrong_stage(id, "induction", "labelled")),
            },
            Command::Judge { measured_g, measured, verdict } => match self.stage {
                Inducted => Ok(self.judge(measured_g, measured, verdict)),
                _ => Err(self.wrong_stage(id, "the line's check", "inducted")),
            },
            Command::Bag { chute, bag } => match self.stage {
                Sorted if self.chute == Some(chute) => Ok(vec![Event::Bagged { bag }]),
                Sorted => {
                    let planned = self.chute.unwrap_or_default();
                    Ok(vec![Event::Intercepted { why: Interception::WrongChute { planned, actual: chute }, chute: Some(chute) }])
                }
                _ if self.bag.as_ref() == Some(&bag) => Ok(vec![]),
                _ => Err(self.wrong_stage(id, "bagging", "sorted")),
            },
            Command::Intercept { why } => match self.stage {
                Created | LabelRequested | Labelled | Inducted | Measured | Verified | Sorted => {
                    Ok(vec![Event::Intercepted { why, chute: None }])
                }
                Intercepted => Ok(vec![]),
                _ => Err(self.wrong_stage(id, "interception", "before bagged")),
            },
            Command::Rework { note, declared } => match self.stage {
                Intercepted if self.reworks >= REWORK_MAX => {
                    Err(Self::refuse(id, Why::Full { what: "rework".into(), limit: u64::from(REWORK_MAX) }))
                }
                Intercepted => Ok(vec![Event::Reworked { note, declared }]),
                _ => Err(self.wrong_stage(id, "rework", "intercepted")),
            },
            Command::HandOver { bag } => match self.stage {
                Bagged if self.bag.as_ref() == Some(&bag) => Ok(vec![Event::HandedOver { bag }]),
                Bagged => {
                    let is = self.bag.as_ref().map(|b| b.to_smolstr()).unwrap_or_default();
                    Err(Self::refuse(id, Why::Mismatch { what: "its bag".into(), is, wants: bag.to_smolstr() }))
                }
                _ if self.stage.is_with_carrier() || self.stage.is_final() => Ok(vec![]),
                _ => Err(self.wrong_stage(id, "handover", "bagged")),
            },
            // What ended may have ended otherwise, or earlier news of it comes late.
            Command::Track { events } if self.stage.is_with_carrier() || self.stage.is_end_of_way() => Ok(self.track(events)),
            Command::Track { .. } if self.stage.is_final() => Ok(vec![]),
            Command::Track { .. } => Err(self.wrong_stage(id, "tracking news", "handed over")),
            Command::RaiseException { what } if self.exception.as_ref() == Some(&what) => Ok(vec![]),
            Command::RaiseException { what } => Ok(vec![Event::ExceptionRaised { what }]),
            Command::Cancel { .. } if self.stage == Cancelled => Ok(vec![]),
            // Once the sorter has its answer the box is on its way into a bag.
            Command::Cancel { reason } if self.stage <= Inducted || self.stage == Intercepted => Ok(vec![Event::Cancelled { reason }]),
            Command::Cancel { .. } => Err(self.wrong_stage(id, "cancelling", "not yet judged by a line, or intercepted")),
        }
    }

    fn apply(&mut self, at: Moment, event: &Event) {
        self.changed_at = at;
        match event {
            Event::Created { plan } => {
                self.stage = Stage::Created;
                self.created_at = at;
                self.plan = (**plan).clone();
            }
            Event::LabelRequested { .. } => self.stage = Stage::LabelRequested,
            Event::LabelBought { tracking, label, .. } => {
                self.stage = Stage::Labelled;
                self.tracking = Some(tracking.clone());
                self.label = Some(*label);
                self.label_refused = None;
            }
            Event::LabelRefused { why } => {
                self.stage = Stage::Created;
                self.label_attempts += 1;
                self.label_refused = Some(why.clone());
            }
            Event::Printed { printer } => self.printed_on = Some(printer.clone()),
            Event::Packed => self.packed_at = Some(at),
            Event::Inducted { station } => {
                self.stage = Stage::Inducted;
                self.station = Some(station.clone());
            }
            Event::Measured { weight_g, dims } => {
                self.stage = Stage::Measured;
                self.measured_g = Some(*weight_g);
                self.measured = *dims;
            }
            Event::Verified => self.stage = Stage::Verified,
            Event::Sorted { chute } => {
                self.stage = Stage::Sorted;
                self.chute = Some(*chute);
            }
            Event::Bagged { bag } => {
                self.stage = Stage::Bagged;
                self.bag = Some(bag.clone());
            }
            Event::Intercepted { why, chute } => {
                self.stage = Stage::Intercepted;
                self.interception = Some(why.clone());
                self.chute = *chute;
            }
            Event::Reworked { declared, .. } => {
                if let Some((weight_g, dims)) = declared {
                    self.plan.declared_g = *weight_g;
                    self.plan.declared = *dims;
                }
                self.stage = Stage::Labelled;
                self.interception = None;
                self.chute = None;
                self.reworks += 1;
            }
            Event::HandedOver { .. } => self.stage = Stage::HandedOver,
            Event::Tracked { event } => {
                (self.stage, self.ended_at) = self.after(event);
                if self.last_track.as_ref().is_none_or(|last| last.at <= event.at) {
                    self.last_track = Some(event.clone());
                }
                self.track_events += 1;
                let mark = event.mark();
                if let (Err(place), true) = (self.news.binary_search(&mark), self.news.len() < NEWS_MAX) {
                    self.news.insert(place, mark);
                }
            }
            Event::ExceptionRaised { what } => self.exception = Some(what.clone()),
            Event::ExceptionCleared => self.exception = None,
            Event::Cancelled { .. } => self.stage = Stage::Cancelled,
        }
    }

    fn stage_word(&self) -> &'static str {
        self.stage.as_str()
    }

    fn listings(&self, _id: &str) -> Vec<Listing> {
        let Plan { carrier, warehouse, order, .. } = &self.plan;
        let station = || self.station.as_ref().map(|s| s.text().clone()).unwrap_or_default();
        let one = match self.stage {
            Stage::Created | Stage::LabelRequested if self.label_refused.is_none() => {
                Listing::new(Facet::Label, carrier.text().clone(), "")
            }
            Stage::Labelled if self.packed_at.is_none() => Listing::new(Facet::Pack, warehouse.text().clone(), order.text().clone()),
            Stage::Labelled => Listing::new(Facet::Sight, warehouse.text().clone(), ""),
            stage if stage.is_on_line() => Listing::new(Facet::Line, station(), ""),
            Stage::Bagged => Listing::new(Facet::Bagged, station(), self.bag.as_ref().map(|b| b.text().clone()).unwrap_or_default()),
            stage if stage.is_with_carrier() => match &self.tracking {
                Some(tracking) => Listing::new(Facet::Watch, carrier.text().clone(), tracking.0.clone()),
                None => return vec![],
            },
            _ => return vec![],
        };
        vec![one]
    }

    fn of(event: &crate::Event) -> Option<&Event> {
        if let crate::Event::Parcel(event) = event { Some(event) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at_stage(events: &[Event]) -> Parcel {
        let mut parcel = Parcel::default();
        for event in events {
            parcel.apply(Moment(1), event);
        }
        parcel
    }

    fn labelled() -> Vec<Event> {
        vec![
            Event::Created { plan: Box::default() },
            Event::LabelRequested { key: "P.0".into() },
            Event::LabelBought { tracking: TrackingNumber::new("T1"), label: Hash::default(), charged: None, plate: None },
        ]
    }

    #[test]
    fn a_step_out_of_order_names_both_states() {
        let parcel = at_stage(&labelled());
        let refusal = parcel.decide(&"P".into(), Moment(2), Command::HandOver { bag: "B".into() }).unwrap_err();
        assert_eq!(refusal.to_string(), "parcel P refuses: it is labelled, and handover wants it bagged");
    }

    #[test]
    fn the_same_label_twice_changes_nothing() {
        let parcel = at_stage(&labelled());
        let again = Command::TakeLabel { tracking: TrackingNumber::new("T1"), plate: None, label: Hash::default(), charged: None };
        assert_eq!(parcel.decide(&"P".into(), Moment(2), again).unwrap(), []);
    }

    fn handed_over() -> Parcel {
        Parcel { stage: Stage::HandedOver, ..at_stage(&labelled()) }
    }

    fn news(at: i64, status: TrackStatus) -> TrackEvent {
        TrackEvent { at: Moment(at), status, code: format_smolstr!("{status:?}"), text: "t".into(), place: "".into() }
    }

    /// Lets the parcel hear what a carrier says, and gives what of it was told.
    fn hear(parcel: &mut Parcel, events: Vec<TrackEvent>) -> Vec<TrackEvent> {
        let decided = parcel.decide(&"P".into(), Moment(9), Command::Track { events }).unwrap();
        decided.iter().for_each(|e| parcel.apply(Moment(9), e));
        decided.into_iter().filter_map(|e| if let Event::Tracked { event } = e { Some(event) } else { None }).collect()
    }

    #[test]
    fn news_moves_forward_only_and_repeats_are_dropped() {
        let mut parcel = handed_over();
        let first = vec![news(1, TrackStatus::Accepted), news(2, TrackStatus::LastMile), news(3, TrackStatus::Arrived)];
        assert_eq!(hear(&mut parcel, first.clone()).len(), 3);
        assert_eq!(parcel.stage, Stage::LastMile);
        assert_eq!(parcel.decide(&"P".into(), Moment(9), Command::Track { events: first }).unwrap(), []);
    }

    #[test]
    fn a_delivery_stamped_before_what_is_known_is_told_all_the_same() {
        let mut parcel = handed_over();
        hear(&mut parcel, vec![news(1, TrackStatus::Accepted), news(2_000, TrackStatus::OutForDelivery)]);
        let late = hear(
            &mut parcel,
            vec![news(1, TrackStatus::Accepted), news(1_955, TrackStatus::Delivered), news(2_000, TrackStatus::OutForDelivery)],
        );
        assert_eq!((late, parcel.stage), (vec![news(1_955, TrackStatus::Delivered)], Stage::Delivered));
        assert_eq!(parcel.last_track.as_ref().map(|t| t.at), Some(Moment(2_000)), "the newest by its own time");
    }

    #[test]
    fn an_end_may_be_corrected_and_a_correction_is_told() {
        let mut parcel = handed_over();
        hear(&mut parcel, vec![news(5, TrackStatus::Lost)]);
        assert_eq!(parcel.stage, Stage::Lost);
        hear(&mut parcel, vec![news(4, TrackStatus::Returned)]);
        assert_eq!(parcel.stage, Stage::Lost, "it came back before it was lost again");
        hear(&mut parcel, vec![news(9, TrackStatus::Delivered)]);
        assert_eq!(parcel.stage, Stage::Delivered, "found");
        let corrected = TrackEvent { place: "Reno".into(), ..news(9, TrackStatus::Delivered) };
        assert_eq!(hear(&mut parcel, vec![corrected.clone()]), [corrected]);
    }

    #[test]
    fn old_trouble_raises_no_exception_and_new_trouble_without_words_does() {
        let mut parcel = handed_over();
        hear(&mut parcel, vec![news(8, TrackStatus::OutForDelivery), news(3, TrackStatus::Exception)]);
        assert_eq!(parcel.exception, None);
        hear(&mut parcel, vec![TrackEvent { text: "".into(), code: "DX".into(), ..news(9, TrackStatus::Exception) }]);
        assert_eq!(parcel.exception.as_deref(), Some("the carrier says \"DX\""));
    }

    #[test]
    fn a_carrier_that_never_stops_talking_fills_nothing() {
        let mut parcel = handed_over();
        for n in 0..10 {
            hear(&mut parcel, (0..100).map(|m| news(n * 100 + m, TrackStatus::InFlight)).collect());
        }
        assert_eq!((parcel.track_events as usize, parcel.news.len()), (NEWS_MAX, NEWS_MAX));
        assert_eq!(parcel.exception.as_deref(), Some(TOO_MUCH_NEWS));
        hear(&mut parcel, vec![news(5_000, TrackStatus::Delivered)]);
        assert_eq!(parcel.stage, Stage::Delivered);
    }

    const HEARD: [TrackStatus; 12] = [
        TrackStatus::InfoReceived,
        TrackStatus::Accepted,
        TrackStatus::DepartedOrigin,
        TrackStatus::InFlight,
        TrackStatus::Customs,
        TrackStatus::LastMile,
        TrackStatus::OutForDelivery,
        TrackStatus::DeliveryFailed,
        TrackStatus::Exception,
        TrackStatus::Delivered,
        TrackStatus::Returned,
        TrackStatus::Lost,
    ];

    proptest! {
        /// However a set of events comes, in whatever pieces and however often: the same stage, and the same events told, each once.
        #[test]
        fn the_order_of_news_changes_nothing(
            set in prop::collection::vec((0i64..20, 0usize..HEARD.len(), 0u8..3), 1..14),
            shuffled in prop::collection::vec((any::<prop::sample::Index>(), 1usize..5), 0..40),
        ) {
            let set: Vec<TrackEvent> = set.iter().map(|&(at, status, place)| {
                TrackEvent { place: format_smolstr!("{place}"), ..news(at, HEARD[status]) }
            }).collect();
            let mut sorted = set.clone();
            sorted.sort_by_key(|e| e.at);
            let mut once = handed_over();
            let mut told = hear(&mut once, sorted);
            let mut other = handed_over();
            let mut heard = Vec::new();
            for (from, many) in &shuffled {
                let from = from.index(set.len());
                heard.extend(hear(&mut other, set[from..set.len().min(from + many)].to_vec()));
            }
            // At last, everything that has not come yet, the newest first.
            heard.extend(hear(&mut other, set.iter().rev().cloned().collect()));
            let key = |e: &TrackEvent| (e.at, e.code.clone(), e.place.clone());
            told.sort_by_key(key);
            heard.sort_by_key(key);
            prop_assert_eq!(told, heard);
            prop_assert_eq!((once.stage, once.ended_at, once.news), (other.stage, other.ended_at, other.news));
        }
    }
}

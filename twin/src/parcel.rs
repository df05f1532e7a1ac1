//! A parcel: one box with one label, from the label request to the carrier's hands.
//!
//! created → label requested → labelled → inducted → measured → verified → sorted → bagged → handed over; before that
//! intercepted(reason) or cancelled. Only forward, one step at a time. An interception ends in rework, which puts the
//! parcel back to `labelled`, or in a cancellation. What becomes of it behind the handover is in [`crate::tracking`].

use crate::address::Place;
use crate::entity::{Entity, Kind, Refusal, Why};
use crate::facet::{Facet, Listing};
use crate::keys::Sealed;
use crate::problem::{Cause, Severity, Trouble};
use crate::{
    BagId, CarrierId, ChannelId, DeviceId, Dims, Grams, Hash, Moment, Money, OrderId, ParcelId, SellerId, Sku, StationId, TrackingNumber,
    WarehouseId,
};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, ToSmolStr, format_smolstr};

/// How often one parcel may be reworked before it must be cancelled.
pub const REWORK_MAX: u8 = 5;

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
    Intercepted,
    Cancelled,
}

impl Stage {
    pub const ALL: [Stage; 11] = [
        Stage::Created,
        Stage::LabelRequested,
        Stage::Labelled,
        Stage::Inducted,
        Stage::Measured,
        Stage::Verified,
        Stage::Sorted,
        Stage::Bagged,
        Stage::HandedOver,
        Stage::Intercepted,
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
            Stage::Intercepted => "intercepted",
            Stage::Cancelled => "cancelled",
        }
    }

    /// It has left the house, or never will.
    pub fn is_final(self) -> bool {
        matches!(self, Stage::HandedOver | Stage::Cancelled)
    }

    /// A carrier has it, or had it to the end.
    pub fn has_left(self) -> bool {
        self == Stage::HandedOver
    }

    /// It stands or moves on a line.
    pub fn is_on_line(self) -> bool {
        (Stage::Inducted..=Stage::Sorted).contains(&self)
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
    /// Its carrier gave it a number that another parcel wears.
    NumberTaken {
        number: TrackingNumber,
        by: ParcelId,
    },
    /// A person wants it stopped, wherever it is.
    Stopped {
        why: SmolStr,
    },
    /// A person or a rule outside the line said so.
    Manual {
        why: SmolStr,
    },
    /// What it needed was taken out by a person: `chute 3 is out: the flap is stuck`.
    Out {
        what: SmolStr,
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
            Interception::NumberTaken { .. } => "number taken",
            Interception::Stopped { .. } => "stopped",
            Interception::Manual { .. } => "manual",
            Interception::Out { .. } => "taken out",
        }
    }
}

impl Interception {
    /// What a person can do about it, as the remedies are called.
    pub fn remedies(&self, has_label: bool) -> &'static [&'static str] {
        match self {
            Interception::Weight { .. } | Interception::Size { .. } => {
                &["accept_measures", "weigh_again", "put_parcel_aside", "take_apart", "write_off_parcel"]
            }
            Interception::Stopped { .. } if has_label => &["take_parcel_back", "take_apart", "write_off_parcel"],
            _ if !has_label => &["ask_label", "put_address_right", "take_apart", "cancel_order"],
            _ => &["weigh_again", "reprint", "put_parcel_aside", "take_apart", "write_off_parcel"],
        }
    }
}

impl std::fmt::Display for Interception {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Interception::Weight { declared_g, measured_g } => write!(f, "wrong weight: declared {declared_g} g, measured {measured_g} g"),
            Interception::Size { declared, measured } => write!(f, "wrong size: declared {declared}, measured {measured}"),
            Interception::WrongChute { planned, actual } => write!(f, "wrong chute: planned {planned}, went to {actual}"),
            Interception::NumberTaken { number, by } => write!(f, "number taken: {number} is {by}'s"),
            Interception::Stopped { why } => write!(f, "stopped: {why}"),
            Interception::Manual { why } => write!(f, "manual: {why}"),
            Interception::Out { what } => f.write_str(what),
            other => f.write_str(other.word()),
        }
    }
}

/// What becomes of a label that nobody will use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Void {
    /// There is none.
    #[default]
    Not,
    /// It was asked for when the parcel was cancelled: whether it was bought is asked again, under its key.
    Awaited,
    /// The carrier is asked to take it back until it answers.
    Requested,
    /// The carrier took it back, or had never sold it.
    Done,
    /// The carrier does not take it back, or nobody can tell whether there is one: a person looks.
    Refused { why: SmolStr },
    /// A person lets it be.
    WrittenOff { why: SmolStr },
}

impl Void {
    /// Its carrier still has to be asked.
    pub fn is_owed(&self) -> bool {
        matches!(self, Void::Awaited | Void::Requested)
    }
}

/// What was planned for the parcel when it was created.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Whose buyer it goes to: the first order in it. Its key seals the label.
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
    /// What is in it, in the order in which it is picked.
    #[serde(default)]
    pub items: Vec<Item>,
    /// Whose goods they are.
    #[serde(default)]
    pub seller: SellerId,
}

/// Goods of one SKU in a parcel, and for whom.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub order: OrderId,
    /// The line's place in its order, from 0.
    pub line: u16,
    /// As the house calls it.
    pub sku: Sku,
    /// Pieces of this SKU.
    pub quantity: u32,
}

impl Plan {
    /// The orders of which it holds something, each once.
    pub fn orders(&self) -> Vec<OrderId> {
        let mut orders = Vec::with_capacity(1);
        for item in &self.items {
            if !orders.contains(&item.order) {
                orders.push(item.order.clone());
            }
        }
        if orders.is_empty() {
            orders.push(self.order.clone());
        }
        orders
    }
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
    /// How often its label was asked of the carrier.
    pub label_asked: u32,
    pub label_refused: Option<SmolStr>,
    /// How often an answer of the carrier was lost behind which a label may have been bought.
    pub label_lost: u32,
    /// Nobody can tell whether it was bought, and a person decides.
    pub label_undecided: Option<SmolStr>,
    /// What becomes of its label once nobody will use it.
    pub void: Void,
    /// A person wants it stopped, wherever it is.
    pub stopped: Option<SmolStr>,
    pub printed_on: Option<DeviceId>,
    /// How often its label came out of a printer.
    pub prints: u32,
    /// How often a person asked for its label once more.
    pub reprints: u32,
    pub packed_at: Option<Moment>,
    pub station: Option<StationId>,
    pub measured_g: Option<Grams>,
    pub measured: Option<Dims>,
    pub chute: Option<u16>,
    pub bag: Option<BagId>,
    pub interception: Option<Interception>,
    pub reworks: u8,
    /// Something about it is wrong in the house that no stage expresses.
    pub exception: Option<SmolStr>,
    /// The order that was cancelled with it.
    pub cancelled_for: Option<OrderId>,
}

#[derive(Clone, Debug)]
pub enum Command {
    /// Of another order's parcel of the same id it is refused.
    Create {
        plan: Box<Plan>,
    },
    /// Its label is asked for the `nth` time.
    RequestLabel {
        nth: u32,
    },
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
    /// Of an attempt to buy it the answer was lost, for the `nth` time.
    LoseLabel {
        nth: u32,
        why: SmolStr,
        /// Asking again may buy a second one: a person decides.
        decide: bool,
    },
    /// A person wants its label asked for (again).
    AskLabel,
    /// A label came for it that nobody will use.
    TakeUnused {
        tracking: TrackingNumber,
        charged: Option<Money>,
    },
    /// The carrier took its label back; without a number: it never sold one.
    TakeBack {
        tracking: Option<TrackingNumber>,
    },
    /// The carrier does not take its label back.
    RefuseVoid {
        tracking: Option<TrackingNumber>,
        why: SmolStr,
    },
    /// A person wants the carrier asked once more to take its label back.
    AskVoid,
    /// A person lets a label be that cannot be given back.
    WriteOffLabel {
        why: SmolStr,
    },
    /// A person stops it, wherever it is.
    Stop {
        why: SmolStr,
    },
    /// A person lets it go on.
    LetGo {
        why: SmolStr,
    },
    /// It was taken out of its bag.
    TakeOut {
        bag: BagId,
        why: Interception,
    },
    /// What was wrong with it has been dealt with.
    Settle {
        why: SmolStr,
    },
    /// A person wants its label printed once more, for the `nth` time.
    AskReprint {
        nth: u32,
        why: SmolStr,
    },
    /// Its label (and pick slip) came out of a printer, for the `nth` time.
    Print {
        nth: u32,
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
        divert: Divert,
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
    RaiseException {
        what: SmolStr,
    },
    Cancel {
        reason: SmolStr,
        /// The order that is cancelled with it.
        order: Option<OrderId>,
        /// Only if no bench has begun with it.
        unreleased: bool,
    },
}

/// What the checks made of a parcel at the divert.
#[derive(Clone, Debug, PartialEq)]
pub enum Divert {
    Pass { chute: u16 },
    Stop { why: Interception, chute: u16 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Created {
        plan: Box<Plan>,
        /// Its label is asked of the carrier in the same breath, with this key. (None in records of before 2026-11-29.)
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<SmolStr>,
    },
    /// Asked of the carrier again, with the key that makes that harmless.
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
    /// What a line measured of a parcel that it stops.
    Measured {
        weight_g: Grams,
        dims: Option<Dims>,
    },
    /// Written no more since 2026-11-29, see `Passed`.
    Verified,
    /// Written no more since 2026-11-29, see `Passed`.
    Sorted {
        chute: u16,
    },
    /// Measured, verified and sorted: it is sent to its chute.
    Passed {
        weight_g: Option<Grams>,
        dims: Option<Dims>,
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
    ExceptionRaised {
        what: SmolStr,
    },
    Cancelled {
        reason: SmolStr,
        /// The order that is cancelled with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<OrderId>,
    },
    /// A label came for it after it was cancelled: it is given back.
    LabelUnused {
        tracking: TrackingNumber,
        charged: Option<Money>,
    },
    /// The carrier took its label back; without a number: it never sold one.
    Voided {
        tracking: Option<TrackingNumber>,
    },
    VoidRefused {
        tracking: Option<TrackingNumber>,
        why: SmolStr,
    },
    /// Asked once more, by a person.
    VoidAsked,
    LabelWrittenOff {
        why: SmolStr,
    },
    /// The answer was lost behind which a label may have been bought.
    LabelLost {
        why: SmolStr,
        decide: bool,
    },
    Stopped {
        why: SmolStr,
    },
    LetGo {
        why: SmolStr,
    },
    Settled {
        why: SmolStr,
    },
    ReprintAsked {
        why: SmolStr,
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

    fn judge(&self, measured_g: Option<Grams>, dims: Option<Dims>, divert: Divert) -> Vec<Event> {
        match divert {
            Divert::Pass { chute } => vec![Event::Passed { weight_g: measured_g, dims, chute }],
            Divert::Stop { why, chute } => {
                let measured = measured_g.map(|weight_g| Event::Measured { weight_g, dims });
                measured.into_iter().chain([Event::Intercepted { why, chute: Some(chute) }]).collect()
            }
        }
    }
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
            Command::Create { plan } if self.stage != Absent && plan.orders() != self.plan.orders() => {
                let (is, wants) = (self.plan.order.to_smolstr(), plan.order.to_smolstr());
                Err(Self::refuse(id, Why::Mismatch { what: "its order".into(), is, wants }))
            }
            Command::Create { .. } if self.stage != Absent => Ok(vec![]),
            Command::Create { plan } => Ok(vec![Event::Created { plan, key: Some(self.label_key(id)) }]),
            Command::RequestLabel { nth } => match self.stage {
                Created | LabelRequested if nth > self.label_asked && self.label_undecided.is_none() => {
                    Ok(vec![Event::LabelRequested { key: self.label_key(id) }])
                }
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
            Command::LoseLabel { nth, .. } if nth <= self.label_lost => Ok(vec![]),
            Command::LoseLabel { why, decide, .. } => match self.stage {
                LabelRequested => Ok(vec![Event::LabelLost { why, decide }]),
                _ => Ok(vec![]),
            },
            Command::AskLabel => match self.stage {
                LabelRequested if self.label_undecided.is_some() => Ok(vec![Event::LabelRequested { key: self.label_key(id) }]),
                Intercepted | Created if self.tracking.is_none() => Ok(vec![Event::LabelRequested { key: self.label_key(id) }]),
                LabelRequested => Ok(vec![]),
                _ => Err(self.wrong_stage(id, "asking for its label", "without one")),
            },
            Command::TakeUnused { tracking, .. } if self.tracking.as_ref() == Some(&tracking) => Ok(vec![]),
            Command::TakeUnused { tracking, charged } => match self.stage {
                Cancelled if self.tracking.is_none() => Ok(vec![Event::LabelUnused { tracking, charged }]),
                _ => Err(self.wrong_stage(id, "a label that nobody will use", "cancelled, without one")),
            },
            Command::TakeBack { tracking } if self.stage == Cancelled && self.void != Void::Done && self.tracking == tracking => {
                Ok(vec![Event::Voided { tracking }])
            }
            Command::TakeBack { .. } => Ok(vec![]),
            Command::RefuseVoid { tracking, why } if self.void.is_owed() && self.tracking == tracking => {
                Ok(vec![Event::VoidRefused { tracking, why }])
            }
            Command::RefuseVoid { .. } => Ok(vec![]),
            Command::AskVoid => match &self.void {
                Void::Refused { .. } | Void::WrittenOff { .. } if self.tracking.is_some() => Ok(vec![Event::VoidAsked]),
                void if void.is_owed() || *void == Void::Done => Ok(vec![]),
                _ => Err(self.wrong_stage(id, "giving its label back", "cancelled, with a label that was not taken back")),
            },
            Command::WriteOffLabel { why } => match &self.void {
                Void::Refused { .. } => Ok(vec![Event::LabelWrittenOff { why }]),
                Void::WrittenOff { .. } => Ok(vec![]),
                _ => Err(self.wrong_stage(id, "letting its label be", "cancelled, with a label that was not taken back")),
            },
            Command::Stop { .. } if self.stopped.is_some() => Ok(vec![]),
            Command::Stop { .. } if self.stage.is_final() => Err(self.wrong_stage(id, "stopping it", "in the house")),
            Command::Stop { why } => Ok(vec![Event::Stopped { why }]),
            Command::LetGo { why } if self.stopped.is_some() => Ok(vec![Event::LetGo { why }]),
            Command::LetGo { .. } => Ok(vec![]),
            Command::TakeOut { bag, why } => match self.stage {
                Bagged if self.bag.as_ref() == Some(&bag) => Ok(vec![Event::Intercepted { why, chute: None }]),
                // It has not heard that it was in it.
                Sorted => Ok(vec![Event::Intercepted { why, chute: None }]),
                Intercepted => Ok(vec![]),
                _ => Err(self.wrong_stage(id, "taking it out of its bag", "bagged")),
            },
            Command::Settle { why } if self.exception.is_some() => Ok(vec![Event::Settled { why }]),
            Command::Settle { .. } => Ok(vec![]),
            Command::AskReprint { nth, .. } if nth <= self.reprints => Ok(vec![]),
            Command::AskReprint { why, .. } => match self.stage {
                Labelled | Intercepted | Inducted | Sorted | Measured | Verified if self.label.is_some() => {
                    Ok(vec![Event::ReprintAsked { why }])
                }
                _ => Err(self.wrong_stage(id, "printing its label", "labelled, and not in a bag")),
            },
            Command::Print { nth, printer } => match self.stage {
                Labelled | Intercepted if nth > self.prints => Ok(vec![Event::Printed { printer }]),
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
            Command::Judge { measured_g, measured, divert } => match self.stage {
                Inducted => Ok(self.judge(measured_g, measured, divert)),
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
                // While its label is asked for there is nothing to stop, and the answer has to find it.
                Created | Labelled | Inducted | Measured | Verified | Sorted => Ok(vec![Event::Intercepted { why, chute: None }]),
                Intercepted => Ok(vec![]),
                _ => Err(self.wrong_stage(id, "interception", "before bagged")),
            },
            Command::Rework { note, declared } => match self.stage {
                Intercepted if self.reworks >= REWORK_MAX => {
                    Err(Self::refuse(id, Why::Full { what: "rework".into(), limit: u64::from(REWORK_MAX) }))
                }
                Intercepted if self.tracking.is_none() => Err(self.wrong_stage(id, "rework", "intercepted with a label")),
                Intercepted if self.stopped.is_some() => Err(self.wrong_stage(id, "rework", "let go by whoever stopped it")),
                Intercepted => Ok(vec![Event::Reworked { note, declared }]),
                _ => Err(self.wrong_stage(id, "rework", "intercepted")),
            },
            Command::HandOver { bag } => match self.stage {
                Bagged if self.bag.as_ref() == Some(&bag) => Ok(vec![Event::HandedOver { bag }]),
                Bagged => {
                    let is = self.bag.as_ref().map(|b| b.to_smolstr()).unwrap_or_default();
                    Err(Self::refuse(id, Why::Mismatch { what: "its bag".into(), is, wants: bag.to_smolstr() }))
                }
                _ if self.stage.is_final() => Ok(vec![]),
                _ => Err(self.wrong_stage(id, "handover", "bagged")),
            },
            Command::RaiseException { what } if self.exception.as_ref() == Some(&what) => Ok(vec![]),
            Command::RaiseException { what } => Ok(vec![Event::ExceptionRaised { what }]),
            Command::Cancel { .. } if self.stage == Cancelled => Ok(vec![]),
            // Once the sorter has its answer the box is on its way into a bag.
            Command::Cancel { unreleased: true, .. } if self.printed_on.is_some() => {
                Err(self.wrong_stage(id, "another way for its goods", "not printed at a bench"))
            }
            Command::Cancel { reason, order, .. } if self.stage <= Inducted || self.stage == Intercepted => {
                Ok(vec![Event::Cancelled { reason, order }])
            }
            Command::Cancel { .. } => {
                Err(self.wrong_stage(id, "cancelling", "not yet judged by a line, or intercepted (stop it, and take it out of its bag)"))
            }
        }
    }

    fn apply(&mut self, at: Moment, event: &Event) {
        self.changed_at = at;
        match event {
            Event::Created { plan, key } => {
                self.stage = if key.is_some() { Stage::LabelRequested } else { Stage::Created };
                self.label_asked = u32::from(key.is_some());
                self.created_at = at;
                self.plan = (**plan).clone();
            }
            Event::LabelRequested { .. } => {
                self.stage = Stage::LabelRequested;
                (self.interception, self.label_undecided, self.label_refused) = (None, None, None);
                self.label_asked = self.label_asked.saturating_add(1);
            }
            Event::LabelBought { tracking, label, .. } => {
                self.stage = Stage::Labelled;
                self.tracking = Some(tracking.clone());
                self.label = Some(*label);
                (self.label_refused, self.label_undecided) = (None, None);
            }
            Event::LabelRefused { why } => {
                self.stage = Stage::Created;
                self.label_attempts += 1;
                self.label_refused = Some(why.clone());
            }
            Event::Printed { printer } => {
                self.printed_on = Some(printer.clone());
                self.prints = self.prints.saturating_add(1);
            }
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
            Event::Passed { weight_g, dims, chute } => {
                self.stage = Stage::Sorted;
                if weight_g.is_some() {
                    self.measured_g = *weight_g;
                    self.measured = *dims;
                }
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
                self.bag = None;
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
            Event::HandedOver { .. } => {
                self.stage = Stage::HandedOver;
                // What was wrong with it in the house is so no more.
                self.exception = None;
            }
            Event::ExceptionRaised { what } => self.exception = Some(what.clone()),
            Event::Cancelled { order, .. } => {
                self.void = match (&self.tracking, self.stage, self.label_undecided.take()) {
                    (Some(_), ..) => Void::Requested,
                    (None, _, Some(why)) => Void::Refused { why },
                    (None, Stage::LabelRequested, None) => Void::Awaited,
                    _ => Void::Not,
                };
                self.stage = Stage::Cancelled;
                self.cancelled_for = order.clone();
                (self.exception, self.stopped) = (None, None);
            }
            Event::LabelUnused { tracking, .. } => {
                self.tracking = Some(tracking.clone());
                self.void = Void::Requested;
            }
            Event::Voided { .. } => self.void = Void::Done,
            Event::VoidRefused { why, .. } => self.void = Void::Refused { why: why.clone() },
            Event::VoidAsked => self.void = Void::Requested,
            Event::LabelWrittenOff { why } => self.void = Void::WrittenOff { why: why.clone() },
            Event::LabelLost { why, decide } => {
                self.label_lost = self.label_lost.saturating_add(1);
                self.label_undecided = decide.then(|| why.clone());
            }
            Event::Stopped { why } => self.stopped = Some(why.clone()),
            Event::LetGo { .. } => self.stopped = None,
            Event::Settled { .. } => self.exception = None,
            Event::ReprintAsked { .. } => self.reprints = self.reprints.saturating_add(1),
        }
    }

    fn stage_word(&self) -> &'static str {
        self.stage.as_str()
    }

    fn troubles(&self) -> Vec<Trouble> {
        let mut all = Vec::new();
        let mut tell = |cause, severity, what: SmolStr, remedies: &[&'static str]| {
            all.push(Trouble { cause, severity, what, remedies: remedies.to_vec() });
        };
        if let Some(why) = self.interception.as_ref().filter(|_| self.stage == Stage::Intercepted) {
            // One that is stopped is let go first, and one that was put right too often goes another way.
            let goes_round = |remedy: &str| match remedy {
                "accept_measures" | "weigh_again" => self.stopped.is_none() && self.reworks < REWORK_MAX,
                "take_parcel_back" => self.reworks < REWORK_MAX,
                _ => true,
            };
            let remedies: Vec<_> = why.remedies(self.tracking.is_some()).iter().copied().filter(|remedy| goes_round(remedy)).collect();
            tell(Cause::Intercepted, Severity::Act, why.to_smolstr(), &remedies);
        }
        if let Some(why) = &self.label_undecided {
            let what = format_smolstr!("its label may have been bought, and the answer was lost: {why}");
            tell(Cause::LabelLost, Severity::Urgent, what, &["ask_label", "take_apart"]);
        }
        if let Void::Refused { why } = &self.void {
            let what = format_smolstr!("its label is not needed and was not taken back: {why}");
            let remedies = if self.tracking.is_some() { &["void_again", "write_off_label"][..] } else { &["write_off_label"] };
            tell(Cause::LabelKept, Severity::Act, what, remedies);
        }
        if let Some(why) = &self.stopped {
            let place = self.bag.as_ref().map(|bag| format_smolstr!(" in {bag}")).unwrap_or_default();
            let stage = self.stage.as_str();
            let severity = if self.stage >= Stage::Inducted { Severity::Urgent } else { Severity::Act };
            let what = format_smolstr!("it is to be stopped ({why}), and is {stage}{place}");
            let remedies: &[&str] = match self.stage {
                Stage::Bagged => &["take_out_of_bag", "take_parcel_back"],
                Stage::HandedOver => &["take_parcel_back"],
                Stage::Measured | Stage::Verified | Stage::Sorted => &["take_parcel_back", "put_parcel_aside", "write_off_parcel"],
                _ => &["take_parcel_back", "put_parcel_aside", "take_apart", "write_off_parcel"],
            };
            tell(Cause::Stopped, severity, what, remedies);
        }
        if let Some(what) = &self.exception {
            let remedies: &[&str] = match self.stage {
                Stage::Absent | Stage::Created | Stage::LabelRequested => {
                    &["settle_parcel", "stop_parcel", "take_apart", "write_off_parcel"]
                }
                Stage::Labelled | Stage::Inducted | Stage::Intercepted => {
                    &["settle_parcel", "reprint", "stop_parcel", "take_apart", "write_off_parcel"]
                }
                Stage::Measured | Stage::Verified | Stage::Sorted => &["settle_parcel", "reprint", "stop_parcel", "write_off_parcel"],
                Stage::Bagged => &["settle_parcel", "stop_parcel", "take_out_of_bag"],
                Stage::HandedOver | Stage::Cancelled => &["settle_parcel"],
            };
            tell(Cause::Alarm, Severity::Act, what.clone(), remedies);
        }
        all
    }

    fn listings(&self, _id: &str) -> Vec<Listing> {
        let Plan { carrier, warehouse, order, .. } = &self.plan;
        let station = || self.station.as_ref().map(|s| s.text().clone()).unwrap_or_default();
        let one = match self.stage {
            Stage::Created | Stage::LabelRequested if self.label_refused.is_none() && self.label_undecided.is_none() => {
                Listing::new(Facet::Label, carrier.text().clone(), "")
            }
            // Another channel may take it.
            Stage::Intercepted if self.label_refused.is_some() => Listing::new(Facet::Label, carrier.text().clone(), ""),
            Stage::Cancelled if self.void.is_owed() => Listing::new(Facet::Void, carrier.text().clone(), ""),
            Stage::Labelled if self.packed_at.is_none() => Listing::new(Facet::Pack, warehouse.text().clone(), order.text().clone()),
            Stage::Labelled => Listing::new(Facet::Sight, warehouse.text().clone(), ""),
            stage if stage.is_on_line() => Listing::new(Facet::Line, station(), ""),
            Stage::Bagged => Listing::new(Facet::Bagged, station(), self.bag.as_ref().map(|b| b.text().clone()).unwrap_or_default()),
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

    fn at_stage(events: &[Event]) -> Parcel {
        let mut parcel = Parcel::default();
        for event in events {
            parcel.apply(Moment(1), event);
        }
        parcel
    }

    fn labelled() -> Vec<Event> {
        vec![
            Event::Created { plan: Box::default(), key: Some("P.0".into()) },
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

    #[test]
    fn an_alarm_is_raised_once_and_is_over_when_the_parcel_has_left() {
        let mut parcel = Parcel { stage: Stage::Bagged, bag: Some("B".into()), ..at_stage(&labelled()) };
        let alarm = || Command::RaiseException { what: "its label is torn".into() };
        for raised in [1, 0] {
            let events = parcel.decide(&"P".into(), Moment(2), alarm()).unwrap();
            assert_eq!(events.len(), raised);
            events.iter().for_each(|event| parcel.apply(Moment(2), event));
        }
        assert_eq!(parcel.exception.as_deref(), Some("its label is torn"));
        for step in parcel.decide(&"P".into(), Moment(3), Command::HandOver { bag: "B".into() }).unwrap() {
            parcel.apply(Moment(3), &step);
        }
        assert_eq!((parcel.stage, parcel.exception), (Stage::HandedOver, None));
    }
}

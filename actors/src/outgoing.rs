//! What leaves an actor: to whom it says what, once the events that it rests on are durable. Data, so that it can be printed, counted
//! and compared in a test; [`House::release`] lets it go.

use crate::base::StationMsg;
use crate::carrier::CarrierMsg;
use crate::catalog::Outcome;
use crate::device::DeviceMsg;
use crate::intake::{Batch, Receipt};
use crate::ledger::Account;
use crate::order_desk::DeskMsg;
use crate::parcel::Rest;
use crate::parcels::ParcelsMsg;
use crate::problems::ProblemsMsg;
use crate::settings::SettingsFault;
use crate::settings::keeper::{Activated, Drafted};
use crate::warehouse::WarehouseMsg;
use crate::{House, InForce, ParcelMsg, Seat};
use drivers::devices::Instruction;
use smol_str::format_smolstr;
use std::fmt;
use std::sync::Arc;
use tokio::sync::oneshot;
use twin::order::Order;
use twin::{CarrierId, Moment, OrderId, ParcelId, TrackingNumber, WarehouseId};

#[derive(Debug)]
pub enum Outgoing {
    Desk(DeskMsg),
    Parcels(ParcelsMsg),
    Parcel(ParcelId, ParcelMsg),
    Warehouse(WarehouseId, WarehouseMsg),
    Carrier(CarrierId, CarrierMsg),
    Station(Seat<StationMsg>, StationMsg),
    Device(Seat<DeviceMsg>, DeviceMsg),
    /// The sorter that asked learns where its item goes.
    Divert(Question, u16),
    /// How far a parcel's actor is: messages dealt with, and whether it rests.
    Rest(Arc<Rest>, u64, bool),
    /// The twin knows whose this number is.
    Claimed(TrackingNumber),
    Problems(ProblemsMsg),
    /// These settings are in force from now on.
    InForce(Box<InForce>),
    /// Who an order's buyer is becomes unreadable, if the order agreed.
    Erase {
        id: OrderId,
        order: Box<Order>,
        at: Moment,
        agreed: Result<(), String>,
        caller: Caller<Result<(), String>>,
    },
    Answer(Answer),
    /// A supervisor starts somebody again.
    Restart(Restart),
}

impl Outgoing {
    /// Whom it is for, for a person who reads the log.
    pub fn whom(&self) -> &'static str {
        match self {
            Outgoing::Desk(_) | Outgoing::Erase { .. } => "the order desk",
            Outgoing::Parcels(_) | Outgoing::Parcel(..) | Outgoing::Rest(..) => "a parcel",
            Outgoing::Warehouse(..) => "a warehouse",
            Outgoing::Carrier(..) => "a carrier",
            Outgoing::Station(..) => "a station",
            Outgoing::Device(..) | Outgoing::Divert(..) => "a device",
            Outgoing::InForce(_) => "the settings",
            Outgoing::Claimed(_) => "the numbers in use",
            Outgoing::Problems(_) => "the list of problems",
            Outgoing::Answer(_) => "a caller",
            Outgoing::Restart(_) => "a supervisor",
        }
    }
}

/// What somebody outside the house is told.
#[derive(Debug)]
pub enum Answer {
    /// All that came before it is durable.
    Written(Caller<()>),
    Done(Caller<Result<(), String>>, Result<(), String>),
    /// Of the orders of one request, by their place in it.
    Receipts(Batch, Vec<(usize, Receipt)>),
    Placed(Caller<Result<ParcelId, String>>, Result<ParcelId, String>),
    /// Whether it was charged now, or had been before.
    Charged(Caller<Result<bool, String>>, Result<bool, String>),
    Outcomes(Caller<Vec<Result<Outcome, String>>>, Vec<Result<Outcome, String>>),
    Drafted(Caller<Result<Drafted, SettingsFault>>, Result<Drafted, SettingsFault>),
    Activated(Caller<Result<Activated, SettingsFault>>, Result<Activated, SettingsFault>),
    Archived(Caller<Result<(), SettingsFault>>, Result<(), SettingsFault>),
}

impl Answer {
    pub fn tell(self) {
        match self {
            Answer::Written(caller) => caller.tell(()),
            Answer::Done(caller, outcome) => caller.tell(outcome),
            Answer::Receipts(batch, receipts) => batch.tell(receipts),
            Answer::Placed(caller, outcome) => caller.tell(outcome),
            Answer::Charged(caller, outcome) => caller.tell(outcome),
            Answer::Outcomes(caller, outcomes) => caller.tell(outcomes),
            Answer::Drafted(caller, outcome) => caller.tell(outcome),
            Answer::Activated(caller, outcome) => caller.tell(outcome),
            Answer::Archived(caller, outcome) => caller.tell(outcome),
        }
    }
}

/// Somebody outside the house who waits for an answer, or nobody.
pub struct Caller<T>(Option<Box<dyn FnOnce(T) + Send>>);

impl<T> Caller<T> {
    pub fn new(told: impl FnOnce(T) + Send + 'static) -> Self {
        Caller(Some(Box::new(told)))
    }

    /// Nobody wants to know.
    pub fn nobody() -> Self {
        Caller(None)
    }

    pub fn tell(self, outcome: T) {
        if let Some(told) = self.0 {
            told(outcome);
        }
    }
}

impl<T: Send + 'static> Caller<T> {
    /// One who waits, and where they wait.
    pub fn waiting() -> (Self, oneshot::Receiver<T>) {
        let (tell, answer) = oneshot::channel();
        // One who has gone away wants no answer any more.
        (Caller::new(move |outcome| drop(tell.send(outcome))), answer)
    }
}

impl<T> fmt::Debug for Caller<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "a caller" } else { "nobody" })
    }
}

/// A supervisor's message to itself, of whatever type.
pub struct Restart(pub Box<dyn FnOnce() + Send>);

impl fmt::Debug for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a restart")
    }
}

/// A sorter's question where an item goes, to be answered soon.
#[derive(Debug)]
pub struct Question {
    pub sorter: Seat<DeviceMsg>,
    pub pic: u32,
    /// By the clock's steady time.
    pub asked_at: Moment,
    /// Where it goes if its parcel was cancelled or stopped meanwhile: where a person looks.
    pub reject: u16,
}

/// Something that leaves, and on whose account.
#[derive(Debug)]
pub struct Sent {
    pub account: Account,
    pub what: Outgoing,
}

impl House {
    /// Lets something go that waited for what it rests on.
    pub fn release(&self, what: Outgoing) {
        match what {
            Outgoing::Desk(message) => self.desk.cast(message),
            Outgoing::Parcels(message) => self.parcels.cast(message),
            Outgoing::Parcel(parcel, message) => self.tell(parcel, message),
            Outgoing::Warehouse(warehouse, message) => self.tell_warehouse(&warehouse, message),
            Outgoing::Carrier(carrier, message) => self.tell_carrier(&carrier, message),
            Outgoing::Station(seat, message) => seat.cast(message),
            Outgoing::Device(seat, message) => seat.cast(message),
            Outgoing::Divert(Question { sorter, pic, asked_at, .. }, chute) => {
                sorter.cast(DeviceMsg::Do(Instruction::Divert { pic, chute }));
                metrics::histogram!("parceltwin_divert_answer_seconds").record((self.clock.steady() - asked_at).as_secs_f64());
            }
            Outgoing::Rest(rest, handled, resting) => rest.note(handled, resting),
            Outgoing::InForce(new) => self.put_in_force(*new),
            Outgoing::Claimed(number) => self.numbers.settle(&number),
            Outgoing::Problems(message) => self.problems.cast(message),
            Outgoing::Erase { id, order, at, agreed, caller } => {
                let erased = agreed.and_then(|()| twin::forget::erase(&self.twin, &order, id.text(), at).map_err(|e| e.to_string()));
                caller.tell(erased);
                // A desk that fell has forgotten it anyway.
                self.desk.cast(DeskMsg::Rest(id));
            }
            Outgoing::Answer(answer) => answer.tell(),
            Outgoing::Restart(Restart(again)) => again(),
        }
    }

    fn tell_carrier(&self, carrier: &CarrierId, message: CarrierMsg) {
        match (self.carriers.get(carrier), message) {
            (Some(seat), message) => seat.cast(message),
            (None, CarrierMsg::BuyLabel { request, .. }) => {
                let why = format_smolstr!("there is no carrier {carrier} in this site");
                self.tell(request.parcel, ParcelMsg::Label(Err(why)));
            }
            (None, CarrierMsg::Void { parcel, tracking }) => {
                let why = format_smolstr!("there is no carrier {carrier} in this site");
                self.tell(parcel, ParcelMsg::NotGivenBack(tracking, why));
            }
            (None, _) => tracing::warn!(%carrier, "this site has no such carrier any more"),
        }
    }

    fn put_in_force(&self, new: InForce) {
        tracing::info!(version = new.version, "new settings are in force");
        for what in &new.needs_restart {
            tracing::warn!(version = new.version, "waits for the next start: {what}");
        }
        self.settings.replace(new);
        self.warehouses.values().for_each(|warehouse| warehouse.cast(WarehouseMsg::SettingsChanged));
        self.desk.cast(DeskMsg::SettingsChanged);
    }
}

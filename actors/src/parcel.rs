//! One parcel, awake: takes what happens to it and what its carrier says of it, keeps both states, and tells those who wait
//! for it.

use crate::base::{Facts, StationMsg};
use crate::carrier::CarrierMsg;
use crate::charging::Charging;
use crate::config::WarehouseConfig;
use crate::customs::Customs;
use crate::ledger::Account;
use crate::order_desk::{DeskMsg, Reply};
use crate::outgoing::Question;
use crate::parcels::ParcelsMsg;
use crate::remedies::Step;
use crate::returns;
use crate::warehouse::WarehouseMsg;
use crate::{Answer, Caller, Host, House, Outgoing, Seat, Told, Work, origin};
use drivers::carriers::LostAnswer;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use twin::bag::{self, Bag};
use twin::channel::{Label, LabelRequest, TrackEvent};
use twin::charges::ChargeKind;
use twin::entity::{Entity, Why};
use twin::parcel::{Command, Divert, Interception, Parcel, Plan, Stage, Void};
use twin::personal::Personal;
use twin::returns::Return;
use twin::tracking::{self, Tracking};
use twin::{Address, BagId, By, DeviceId, Dims, Grams, Money, OrderId, ParcelId, Refusal, Span, StationId, TrackingNumber, TwinError};

#[derive(Debug)]
pub enum ParcelMsg {
    Create(Box<Plan>),
    /// After a restart: ask again for what was asked and not answered.
    Resume,
    Label(Result<Label, SmolStr>),
    /// Of an attempt to buy its label the answer was lost; `decide`: asking again may buy a second one.
    LabelLost {
        why: SmolStr,
        decide: bool,
    },
    Printed(DeviceId),
    Packed,
    Induct {
        item: u64,
        station: StationId,
        line: Seat<StationMsg>,
    },
    Judge {
        measured_g: Option<Grams>,
        measured: Option<Dims>,
        divert: Divert,
        /// Answered once it is durable.
        question: Question,
    },
    Bag {
        chute: u16,
        bag: BagId,
    },
    Intercept(Interception),
    Rework {
        note: SmolStr,
        declared: Option<(Grams, Dims)>,
    },
    HandOver {
        bag: BagId,
    },
    Track(Vec<TrackEvent>),
    /// What the carrier says of it cannot be had or read.
    Unread(SmolStr),
    /// A step of its return, and who is told, once it is durable, what came of it.
    Return(returns::Step, Reply),
    /// Something about it is wrong in the house that no stage expresses.
    Alarm(SmolStr),
    /// The carrier took a label back.
    GivenBack(TrackingNumber),
    /// It does not, and why.
    NotGivenBack(TrackingNumber, SmolStr),
    /// It was taken out of its bag by a person, who says why.
    TakenOut {
        bag: BagId,
        why: SmolStr,
    },
    /// A person puts something right.
    PutRight {
        step: Step,
        why: SmolStr,
        reply: Reply,
    },
    /// A person adds a charge.
    Charge {
        kind: ChargeKind,
        amount: Money,
        reason: SmolStr,
        /// Charges once; empty: as often as it is said.
        reference: SmolStr,
        /// Told, once it is durable, whether it was charged now, or why not.
        caller: Caller<Result<bool, String>>,
    },
    Cancel(Box<Stopping>),
}

/// The desk asks a parcel to stop, and is told, once it is durable, what came of it.
#[derive(Debug)]
pub struct Stopping {
    pub reason: SmolStr,
    /// The order that is cancelled with it.
    pub order: Option<OrderId>,
    /// Only if no bench has begun with it.
    pub unreleased: bool,
    /// The desk's errand, and who is behind that: whoever stops the parcel stops what is behind it.
    pub errand: u32,
    pub by: By,
}

/// How far a parcel's actor is, for its supervisor: messages dealt with, and whether it is at rest.
#[derive(Debug, Default)]
pub struct Rest(AtomicU64);

impl Rest {
    pub(crate) fn note(&self, handled: u64, resting: bool) {
        self.0.store(handled << 1 | u64::from(resting), Ordering::Release);
    }
    /// Whether every one of `sent` messages is dealt with, durably, and nothing is in flight.
    pub fn is_at_rest(&self, sent: u64) -> bool {
        self.0.load(Ordering::Acquire) == (sent << 1 | 1)
    }
}

pub struct ParcelActor;

pub struct ParcelArguments {
    pub house: Arc<House>,
    pub id: ParcelId,
    pub rest: Arc<Rest>,
}

pub struct ParcelState {
    pub(crate) house: Arc<House>,
    pub(crate) id: ParcelId,
    rest: Arc<Rest>,
    pub(crate) host: Host<Parcel>,
    /// Loaded when it is first needed: most of its life a parcel has none.
    tracking: Option<Host<Tracking>>,
    /// The same; few parcels ever have one.
    pub(crate) returned: Option<Box<Host<Return>>>,
    charging: Charging,
    customs: Customs,
    handled: u64,
}

impl Actor for ParcelActor {
    type Msg = Told<ParcelMsg>;
    type State = ParcelState;
    type Arguments = ParcelArguments;

    async fn pre_start(&self, _: ActorRef<Told<ParcelMsg>>, args: ParcelArguments) -> Result<ParcelState, ActorProcessingErr> {
        Ok(ParcelState::load(args)?)
    }

    async fn handle(&self, _: ActorRef<Told<ParcelMsg>>, told: Told<ParcelMsg>, state: &mut ParcelState) -> Result<(), ActorProcessingErr> {
        origin::within(told.cause, || state.handle(told.message))
    }
}

impl ParcelState {
    pub(crate) fn load(ParcelArguments { house, id, rest }: ParcelArguments) -> Result<Self, TwinError> {
        let host = Host::load(&house.twin, id.text().clone())?;
        let (charging, customs) = (Charging::of(id.clone()), Customs::of(id.clone()));
        Ok(ParcelState { house, id, rest, host, charging, customs, tracking: None, returned: None, handled: 0 })
    }

    pub(crate) fn handle(&mut self, message: ParcelMsg) -> Result<(), ActorProcessingErr> {
        let mut work = self.house.work();
        if let Err(refusal) = self.take(&mut work, message)? {
            tracing::debug!(%refusal, "refused");
        }
        self.handled += 1;
        let (rest, handled, resting) = (self.rest.clone(), self.handled, self.is_resting());
        let ends = !work.tx.is_empty() && self.has_ended();
        work.say(Outgoing::Rest(rest, handled, resting));
        if ends {
            work.say(Outgoing::Parcels(ParcelsMsg::Ended(self.id.clone())));
        }
        self.house.commit(work);
        Ok(())
    }

    /// Nothing is to be expected of it any more, though something may come.
    fn has_ended(&self) -> bool {
        let arrived = self.tracking.as_ref().is_some_and(|way| way.state.stage.is_end());
        let void = self.host.state.void.is_owed();
        self.host.state.stage == Stage::Cancelled && !void || arrived && self.returned.is_none()
    }

    fn is_resting(&self) -> bool {
        let stage = self.host.state.stage;
        !(stage.is_on_line() || stage == Stage::LabelRequested)
    }

    pub(crate) fn take(&mut self, work: &mut Work, message: ParcelMsg) -> Result<Result<(), Refusal>, TwinError> {
        let house = self.house.clone();
        Ok(match message {
            ParcelMsg::Create(plan) => match self.host.command(work, Command::Create { plan }) {
                Ok(n) if n > 0 => {
                    let asked = Account::Nth(work.tx.len());
                    let charged = self.charging.estimated(&house, work, &self.host.state.plan)?;
                    self.customs.drafted(&house, work, &self.host.state.plan)?;
                    self.ask_for_label(work, asked, false)?;
                    charged.map(drop)
                }
                // Two orders of the same number: the later one finds another parcel.
                Err(refusal) => {
                    work.say(Outgoing::Desk(DeskMsg::CatchUp(self.id.clone())));
                    Err(refusal)
                }
                other => other.map(drop),
            },
            ParcelMsg::Resume => match self.host.state.stage {
                // It fell over its own creation; the desk has the plan.
                Stage::Absent => {
                    work.say(Outgoing::Desk(DeskMsg::CatchUp(self.id.clone())));
                    Ok(())
                }
                Stage::Created | Stage::LabelRequested if self.host.state.label_undecided.is_some() => Ok(()),
                // Such a carrier is not asked again; what it sold may be known still.
                Stage::LabelRequested if self.loses_labels() => {
                    self.ask_for_label(work, Account::Last, true)?;
                    Ok(())
                }
                Stage::Created | Stage::LabelRequested if self.host.state.label_refused.is_none() => {
                    let again = Command::RequestLabel { nth: self.host.state.label_asked.saturating_add(1) };
                    let asked = self.host.command(work, again).map(drop);
                    self.ask_for_label(work, Account::Last, true)?;
                    asked
                }
                // The desk may not have heard of it.
                Stage::Intercepted if self.host.state.label_refused.is_some() => {
                    self.ask_for_another_channel(work);
                    Ok(())
                }
                Stage::Cancelled => self.take_label_back(work)?,
                // What the bag may have told us before we fell.
                Stage::Sorted | Stage::Bagged => match self.bag()? {
                    Some((id, bag)) if self.host.state.stage == Stage::Bagged && !bag.parcels.contains(&self.id) => {
                        let why = Interception::Manual { why: "taken out of its bag".into() };
                        self.host.command(work, Command::TakeOut { bag: id, why }).map(drop)
                    }
                    Some((id, bag)) => {
                        let known = self.host.command(work, Command::Bag { chute: bag.chute, bag: id.clone() }).map(drop);
                        if bag.stage == bag::Stage::HandedOver { self.take(work, ParcelMsg::HandOver { bag: id })? } else { known }
                    }
                    None => Ok(()),
                },
                _ => Ok(()),
            },
            // Asked twice, it was sold twice.
            ParcelMsg::Label(Ok(label)) if self.host.state.tracking.as_ref().is_some_and(|own| *own != label.tracking) => {
                let what =
                    format_smolstr!("{} sold it a second label, {}: give it back there", self.host.state.plan.carrier, label.tracking);
                self.host.command(work, Command::RaiseException { what }).map(drop)
            }
            ParcelMsg::Label(Ok(label)) if self.host.state.stage == Stage::Cancelled => self.take_unused(work, label)?,
            ParcelMsg::Label(Ok(label)) => {
                for number in [Some(&label.tracking), label.plate.as_ref()].into_iter().flatten() {
                    let Some(by) = house.numbers.claim(&house, number, &self.id)? else { continue };
                    // The label is the other's: it is neither worn nor given back.
                    let why = Interception::NumberTaken { number: number.clone(), by };
                    let refused = self.host.command(work, Command::RefuseLabel { why: why.to_smolstr() });
                    return Ok(refused.and_then(|_| self.host.command(work, Command::Intercept { why }).map(drop)));
                }
                let (claimed, plate) = (label.tracking.clone(), label.plate.clone());
                work.say(Outgoing::Claimed(claimed));
                plate.into_iter().for_each(|plate| work.say(Outgoing::Claimed(plate)));
                let hash = house.twin.seal_label(&mut work.tx, &self.host.state, label.zpl)?;
                if self.host.state.stage == Stage::LabelRequested {
                    let plan = &self.host.state.plan;
                    self.customs.lodged(&house, work, plan, &label.tracking)?;
                    if let Some(what) = self.charging.bought(&house, work, plan, &label.tracking, label.charged)? {
                        tracing::warn!(parcel = %self.id, %what, "a price is not taken");
                        self.host
                            .command(work, Command::RaiseException { what })
                            .map_err(|r| tracing::warn!(%r, "an exception is not noted"))
                            .ok();
                    }
                }
                let taken = Command::TakeLabel { tracking: label.tracking, plate: label.plate, label: hash, charged: label.charged };
                self.host.command(work, taken).map(|n| {
                    if n > 0 {
                        let parcel = self.id.clone();
                        self.tell_warehouse(work, WarehouseMsg::Ready(parcel));
                    }
                })
            }
            ParcelMsg::Label(Err(_)) if self.host.state.stage == Stage::Cancelled => {
                self.host.command(work, Command::TakeBack { tracking: None }).map(drop)
            }
            ParcelMsg::Label(Err(why)) => {
                let refused = self.host.command(work, Command::RefuseLabel { why: why.clone() }).and_then(|_| {
                    let why = Interception::Manual { why: format_smolstr!("label refused: {why}") };
                    self.host.command(work, Command::Intercept { why }).map(drop)
                });
                if refused.is_ok() {
                    self.ask_for_another_channel(work);
                }
                refused
            }
            // Asked again, it will say; until then it is owed.
            ParcelMsg::LabelLost { decide: false, .. } if self.host.state.stage == Stage::Cancelled => Ok(()),
            ParcelMsg::LabelLost { why, .. } if self.host.state.stage == Stage::Cancelled => {
                let why = format_smolstr!("whether it was bought nobody can tell: {why}");
                self.host.command(work, Command::RefuseVoid { tracking: None, why }).map(drop)
            }
            ParcelMsg::LabelLost { why, decide } => {
                let nth = self.host.state.label_lost.saturating_add(1);
                self.host.command(work, Command::LoseLabel { nth, why, decide }).map(drop)
            }
            ParcelMsg::Printed(printer) => {
                let nth = self.host.state.prints.saturating_add(1);
                self.host.command(work, Command::Print { nth, printer }).map(drop)
            }
            ParcelMsg::Packed => self.host.command(work, Command::Pack).map(|n| {
                if n > 0 {
                    self.packed(work);
                }
            }),
            ParcelMsg::Induct { item, station, line } => {
                let outcome = self.host.command(work, Command::Induct { station });
                if outcome.is_ok() {
                    // The bench's scan may have been missed.
                    if self.host.state.packed_at.is_none() {
                        self.tell_picked(work);
                    }
                    let id = self.id.clone();
                    self.tell_warehouse(work, WarehouseMsg::Seen(id));
                }
                let facts = match &outcome {
                    Ok(_) => Ok(Box::new(self.facts())),
                    Err(_) => Err(self.why_not_here()),
                };
                work.say(Outgoing::Station(line, StationMsg::Inducted { item, facts }));
                outcome.map(drop)
            }
            ParcelMsg::Judge { measured_g, measured, mut divert, question } => {
                if let (Some(why), Divert::Pass { .. }) = (&self.host.state.stopped, &divert) {
                    divert = Divert::Stop { why: Interception::Stopped { why: why.clone() }, chute: question.reject };
                }
                let chute = match &divert {
                    Divert::Pass { chute } | Divert::Stop { chute, .. } => *chute,
                };
                let judged = self.host.command(work, Command::Judge { measured_g, measured, divert }).map(drop);
                let chute = if judged.is_ok() { chute } else { question.reject };
                work.say(Outgoing::Divert(question, chute));
                judged
            }
            ParcelMsg::Bag { chute, bag } => self.host.command(work, Command::Bag { chute, bag }).map(drop),
            ParcelMsg::Intercept(why) => self.host.command(work, Command::Intercept { why }).map(drop),
            ParcelMsg::Rework { note, declared } => self.host.command(work, Command::Rework { note, declared }).map(|n| {
                if n > 0 {
                    // A line should see it again soon.
                    let id = self.id.clone();
                    self.tell_warehouse(work, WarehouseMsg::Packed(id));
                }
            }),
            // It has not heard that it is in a bag, and the bag has left.
            ParcelMsg::HandOver { bag } if self.host.state.stage == Stage::Sorted => {
                let known = house.twin.load::<Bag>(bag.text())?.filter(|(_, known)| known.parcels.contains(&self.id));
                let Some((_, Bag { chute, .. })) = known else {
                    tracing::warn!(parcel = %self.id, %bag, "a bag was handed over that does not hold it");
                    return Ok(Ok(()));
                };
                match self.host.command(work, Command::Bag { chute, bag: bag.clone() }) {
                    Ok(_) => self.take(work, ParcelMsg::HandOver { bag })?,
                    Err(refusal) => Err(refusal),
                }
            }
            ParcelMsg::HandOver { bag } => {
                let hand_over = Command::HandOver { bag };
                if self.is_new(work, &hand_over) {
                    self.charging.settled(&house, work, &self.host.state)?.map_err(|refusal| tracing::warn!(%refusal, "refused")).ok();
                }
                match self.host.command(work, hand_over) {
                    Ok(n) if n > 0 => self.watch(work).map(Ok)?,
                    other => other.map(drop),
                }
            }
            ParcelMsg::Track(news) => {
                self.customs.heard(&house, work, &self.host.state.plan, &news)?;
                let tracked = self.tracking()?.command(work, tracking::Command::Track { news }).map(drop);
                self.look_back(work)?;
                tracked
            }
            ParcelMsg::Return(step, reply) => {
                let outcome = self.step_back(work, step)?;
                let told = outcome.as_ref().map(drop).map_err(|refusal| refusal.to_string());
                work.say(Outgoing::Answer(Answer::Done(reply, told)));
                outcome
            }
            ParcelMsg::Unread(what) => self.tracking()?.command(work, tracking::Command::RaiseException { what }).map(drop),
            ParcelMsg::Alarm(what) => self.host.command(work, Command::RaiseException { what }).map(drop),
            ParcelMsg::GivenBack(tracking) => {
                let back = self.charging.given_back(&house, work, tracking.clone())?.map(drop);
                self.host.command(work, Command::TakeBack { tracking: Some(tracking) }).map(drop).and(back)
            }
            ParcelMsg::NotGivenBack(tracking, why) => {
                self.host.command(work, Command::RefuseVoid { tracking: Some(tracking), why }).map(drop)
            }
            ParcelMsg::TakenOut { bag, why } => {
                let why = match &self.host.state.stopped {
                    Some(stopped) => Interception::Stopped { why: stopped.clone() },
                    None => Interception::Manual { why: format_smolstr!("taken out of its bag: {why}") },
                };
                self.host.command(work, Command::TakeOut { bag, why }).map(drop)
            }
            ParcelMsg::PutRight { step, why, reply } => {
                let outcome = match self.host.exists() {
                    true => self.put_right(work, step, why)?,
                    false => Err(Parcel::refuse(self.id.text(), Why::Absent)),
                };
                let told = outcome.as_ref().map(drop).map_err(|refusal| refusal.to_string());
                work.say(Outgoing::Answer(Answer::Done(reply, told)));
                outcome
            }
            ParcelMsg::Charge { kind, amount, reason, reference, caller } => {
                let outcome = match self.host.exists() {
                    true => self.charging.by_hand(&house, work, kind, amount, (reason, reference))?,
                    false => Err(Parcel::refuse(self.id.text(), Why::Absent)),
                };
                let told = outcome.as_ref().map(|n| *n > 0).map_err(|refusal| refusal.to_string());
                work.say(Outgoing::Answer(Answer::Charged(caller, told)));
                outcome.map(drop)
            }
            ParcelMsg::Cancel(asked) => {
                let Stopping { reason, order, unreleased, errand, by } = *asked;
                let cancel = Command::Cancel { reason, order, unreleased };
                if self.is_new(work, &cancel) {
                    self.customs.withdrawn(&house, work, &self.host.state.plan)?;
                }
                let outcome = self.host.command(work, cancel);
                if outcome.as_ref().is_ok_and(|n| *n > 0) {
                    let id = self.id.clone();
                    self.tell_warehouse(work, WarehouseMsg::Seen(id));
                    self.give_label_back(work);
                }
                let told = outcome.as_ref().map(drop).map_err(|refusal| refusal.to_string());
                let stopped = DeskMsg::Stopped { errand, parcel: self.id.clone(), outcome: told };
                work.say_on(Account::By(by), Outgoing::Desk(stopped));
                outcome.map(drop)
            }
        })
    }

    /// Whether something will come of it. What a step brings along (charges, customs' papers) is written before the step itself, so
    /// that what follows is because of the step.
    fn is_new(&self, work: &Work, command: &Command) -> bool {
        self.host.state.decide(self.id.text(), work.tx.at, command.clone()).is_ok_and(|events| !events.is_empty())
    }

    /// The bag that has it, whether it knows it or not.
    fn bag(&self) -> Result<Option<(BagId, Bag)>, TwinError> {
        let twin = &self.house.twin;
        match &self.host.state.bag {
            Some(id) => Ok(twin.load::<Bag>(id.text())?.map(|(_, bag)| (id.clone(), bag))),
            None => crate::parcels::bag_with(twin, &self.id),
        }
    }

    fn facts(&self) -> Facts {
        let plan = &self.host.state.plan;
        // Chutes go by place, which is told by what stands in the open.
        let to = Address::joined(plan.ship_to.clone(), Personal::default());
        Facts { declared_g: plan.declared_g, declared: plan.declared, channel: plan.channel.clone(), country: to.place().into() }
    }

    /// Why a parcel whose label was read may not be on the line, for the person at the reject chute.
    fn why_not_here(&self) -> SmolStr {
        let parcel = &self.host.state;
        match (&parcel.stage, &parcel.interception) {
            (Stage::Intercepted, Some(why)) => format_smolstr!("{} is intercepted: {why}", self.id),
            (stage, _) if *stage > Stage::Labelled => format_smolstr!("the label of {} was read before; it is {}", self.id, stage.as_str()),
            (stage, _) => format_smolstr!("{} is {}", self.id, stage.as_str()),
        }
    }

    /// Asked, then answered: after a crash the same key is asked again.
    pub(crate) fn ask_for_label(&mut self, work: &mut Work, account: Account, again: bool) -> Result<(), TwinError> {
        let house = self.house.clone();
        let (parcel, id) = (&self.host.state, self.id.clone());
        let plan = &parcel.plan;
        let in_force = house.in_force();
        let Some(warehouse) = in_force.config.warehouse(&plan.warehouse) else { return Ok(()) };
        let to = house.twin.address(&plan.ship_to, plan.buyer.as_ref())?;
        let contents = self.customs.contents(&house, plan)?;
        let request = LabelRequest { key: parcel.label_key(id.text()), contents, ..label_request(&house, warehouse, &id, plan, to) };
        let carrier = plan.carrier.clone();
        work.say_on(account, Outgoing::Carrier(carrier, CarrierMsg::BuyLabel { request: Box::new(request), again }));
        Ok(())
    }

    /// A label that nobody will use is given back.
    pub(crate) fn give_label_back(&self, work: &mut Work) {
        let parcel = &self.host.state;
        if let (Void::Requested, Some(tracking)) = (&parcel.void, parcel.tracking.clone()) {
            let void = CarrierMsg::Void { parcel: self.id.clone(), tracking };
            work.say(Outgoing::Carrier(parcel.plan.carrier.clone(), void));
        }
    }

    /// After a fall: what is still owed of the label of a cancelled parcel.
    fn take_label_back(&mut self, work: &mut Work) -> Result<Result<(), Refusal>, TwinError> {
        match self.host.state.void {
            Void::Requested => self.give_label_back(work),
            // Under the same key the carrier says what it sold.
            Void::Awaited => self.ask_for_label(work, Account::Last, true)?,
            _ => {}
        }
        Ok(Ok(()))
    }

    /// A label came for a cancelled parcel.
    fn take_unused(&mut self, work: &mut Work, label: Label) -> Result<Result<(), Refusal>, TwinError> {
        let house = self.house.clone();
        if let Some(other) = house.numbers.claim(&house, &label.tracking, &self.id)? {
            let why = format_smolstr!("{} is {other}'s: giving it back would cost {other} its label", label.tracking);
            return Ok(self.host.command(work, Command::RefuseVoid { tracking: None, why }).map(drop));
        }
        work.say(Outgoing::Claimed(label.tracking.clone()));
        let unused = Command::TakeUnused { tracking: label.tracking.clone(), charged: label.charged };
        Ok(match self.host.command(work, unused) {
            Ok(n) => {
                if n > 0 {
                    let plan = &self.host.state.plan;
                    if let Some(what) = self.charging.bought(&house, work, plan, &label.tracking, label.charged)? {
                        tracing::warn!(parcel = %self.id, %what, "a price is not taken");
                    }
                }
                self.give_label_back(work);
                Ok(())
            }
            Err(refusal) => Err(refusal),
        })
    }

    /// Its carrier sells a second label where it is asked a second time.
    pub(crate) fn loses_labels(&self) -> bool {
        let driver = self.house.drivers.get(&self.host.state.plan.carrier);
        driver.is_some_and(|driver| driver.lost_answer() == LostAnswer::Neither)
    }

    /// No carrier takes it as it is; another may.
    fn ask_for_another_channel(&self, work: &mut Work) {
        work.say(Outgoing::Desk(DeskMsg::TryAnotherChannel(self.id.clone())));
    }

    fn packed(&self, work: &mut Work) {
        let id = self.id.clone();
        self.tell_warehouse(work, WarehouseMsg::Packed(id));
        self.tell_picked(work);
    }

    pub(crate) fn tracking(&mut self) -> Result<&mut Host<Tracking>, TwinError> {
        let host = match self.tracking.take() {
            Some(host) => host,
            None => Host::load(&self.house.twin, self.id.text().clone())?,
        };
        Ok(self.tracking.insert(host))
    }

    /// Its tracking begins, and the carrier is asked for news from now on.
    fn watch(&mut self, work: &mut Work) -> Result<(), TwinError> {
        let (carrier, number) = (self.host.state.plan.carrier.clone(), self.host.state.tracking.clone());
        let Some(number) = number else {
            tracing::warn!(parcel = %self.id, "was handed over without a tracking number: nobody will hear of it");
            return Ok(());
        };
        let begin = tracking::Command::Begin { carrier: carrier.clone(), number: number.clone() };
        if let Err(refusal) = self.tracking()?.command(work, begin) {
            tracing::warn!(%refusal, "its tracking does not begin");
        }
        let watch = CarrierMsg::Watch { parcel: self.id.clone(), tracking: number, first_after: Span::from_hours(12) };
        work.say(Outgoing::Carrier(carrier, watch));
        Ok(())
    }

    /// Its goods are off the shelf: the desk keeps the stock.
    fn tell_picked(&self, work: &mut Work) {
        work.say(Outgoing::Desk(DeskMsg::Packed { parcel: self.id.clone(), orders: self.host.state.plan.orders() }));
    }

    pub(crate) fn tell_warehouse(&self, work: &mut Work, message: WarehouseMsg) {
        work.say(Outgoing::Warehouse(self.host.state.plan.warehouse.clone(), message));
    }
}

/// What a carrier is asked for a parcel as it is planned, for the pickup that it will make; the key is the parcel's own, and `to` the whole address.
fn label_request(house: &House, warehouse: &WarehouseConfig, id: &ParcelId, plan: &Plan, to: Address) -> LabelRequest {
    LabelRequest {
        key: SmolStr::default(),
        parcel: id.clone(),
        service: plan.service.clone(),
        warehouse: warehouse.id.clone(),
        from: warehouse.address.clone(),
        to,
        weight_g: plan.declared_g,
        dims: plan.declared,
        value: plan.value.unwrap_or(Money::zero(house.in_force().config.fx.base)),
        contents: plan.contents.clone(),
        battery: plan.battery,
        ship_at: house.next_pickup(&plan.carrier, &warehouse.id),
        time_zone: warehouse.time_zone.clone(),
    }
}

#[cfg(test)]
#[path = "parcel_tests.rs"]
mod tests;

//! All parcels: who of them is awake, and nothing else. Wakes a parcel when something happens to it, and puts the one
//! that rested longest to sleep when too many are awake. It alone changes who is awake; others look, and speak to those.

use crate::carrier::CarrierMsg;
use crate::order_desk::DeskMsg;
use crate::parcel::{ParcelActor, ParcelArguments, Rest};
use crate::supervision::{RESTART_WINDOW, RESTARTS_MAX};
use crate::warehouse::WarehouseMsg;
use crate::{House, ParcelMsg, Told};
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, MessagingErr, SupervisionEvent};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use twin::bag::{self, Bag};
use twin::parcel::{Interception, Parcel, Stage};
use twin::{BagId, CarrierId, Moment, ParcelId, Span, StationId, WarehouseId};

/// How many sleepers-to-be are looked at when one more parcel wakes.
const LOOKS: usize = 8;

pub enum ParcelsMsg {
    To(ParcelId, ParcelMsg),
    /// All that a fallen parcel had decided is durable.
    Wake(ParcelId),
    /// Somebody who works on parcels fell: hand them over to the one who sits there now.
    TakeUp(Whose),
}

/// Whose parcels.
pub enum Whose {
    All,
    Carrier(CarrierId),
    Warehouse(WarehouseId),
    /// Those that were on it.
    Line(StationId),
}

pub struct ParcelsArguments {
    pub house: Arc<House>,
    /// The process has just begun, and nobody else was at work before us.
    pub fresh: bool,
}

pub struct Parcels;

pub struct ParcelsState {
    house: Arc<House>,
    fresh: bool,
    ids: HashMap<ActorId, ParcelId>,
    /// In the order in which they woke.
    woken: VecDeque<ParcelId>,
    /// What came for those that fell, until they wake again.
    fallen: HashMap<ParcelId, Vec<Told<ParcelMsg>>>,
    falls: VecDeque<Moment>,
}

/// The parcels that are awake, for whoever has something to say to one: what comes for these goes to them straight.
#[derive(Default)]
pub struct Awake {
    /// Looked up by key only, never walked.
    parcels: RwLock<HashMap<ParcelId, Waking>>,
    /// Messages that go by way of [`Parcels`]. While there are any, all do, so that nobody's second message comes before
    /// their first.
    queued: AtomicUsize,
}

struct Waking {
    actor: ActorRef<Told<ParcelMsg>>,
    rest: Arc<Rest>,
    sent: AtomicU64,
}

impl Awake {
    /// Gives the message to the parcel, or back where it has to go another way.
    pub fn tell(&self, id: &ParcelId, message: ParcelMsg) -> Result<(), ParcelMsg> {
        if self.queued.load(Ordering::Acquire) == 0
            && let Some(waking) = self.read().get(id)
        {
            return waking.tell(message.into()).map_err(|told| told.message);
        }
        Err(message)
    }

    /// A message goes the long way.
    pub fn queue(&self) {
        self.queued.fetch_add(1, Ordering::AcqRel);
    }

    fn dequeue(&self) {
        // A fall of all parcels empties the queue, and a message may have been on its way into it.
        let _ = self.queued.fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| n.checked_sub(1));
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<ParcelId, Waking>> {
        self.parcels.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<ParcelId, Waking>> {
        self.parcels.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waking {
    /// Gives the message back if the actor is gone, and its supervisor has not been told yet.
    fn tell(&self, message: Told<ParcelMsg>) -> Result<(), Told<ParcelMsg>> {
        // Counted first: until it is dealt with, the parcel is not at rest.
        self.sent.fetch_add(1, Ordering::AcqRel);
        match self.actor.cast(message) {
            Err(MessagingErr::SendErr(message)) => Err(message),
            // No other error hands the message back, and none comes of an unbounded mailbox that is open.
            _ => Ok(()),
        }
    }
}

impl Actor for Parcels {
    type Msg = Told<ParcelsMsg>;
    type State = ParcelsState;
    type Arguments = ParcelsArguments;

    async fn pre_start(&self, myself: ActorRef<Told<ParcelsMsg>>, args: ParcelsArguments) -> Result<ParcelsState, ActorProcessingErr> {
        let ParcelsArguments { house, fresh } = args;
        house.parcels.take(myself);
        house.awake.write().clear();
        house.awake.queued.store(0, Ordering::Release);
        Ok(ParcelsState { house, fresh, ids: HashMap::new(), woken: VecDeque::new(), fallen: HashMap::new(), falls: VecDeque::new() })
    }

    async fn post_start(&self, _: ActorRef<Told<ParcelsMsg>>, state: &mut ParcelsState) -> Result<(), ActorProcessingErr> {
        // Orders whose parcels were not created yet. At the start of the house the desk looks by itself.
        state.house.desk.cast(DeskMsg::TakeUp);
        take_up(&state.house, Whose::All, state.fresh)
    }

    async fn handle(
        &self,
        myself: ActorRef<Told<ParcelsMsg>>,
        told: Told<ParcelsMsg>,
        state: &mut ParcelsState,
    ) -> Result<(), ActorProcessingErr> {
        match told.message {
            ParcelsMsg::To(id, message) => {
                let passed = state.pass(&myself, id, Told { cause: told.cause, message }).await;
                state.house.awake.dequeue();
                passed
            }
            ParcelsMsg::Wake(id) => {
                let kept = state.fallen.remove(&id).unwrap_or_default();
                tracing::warn!(parcel = %id, kept = kept.len(), "woken again from the twin");
                state.pass(&myself, id.clone(), ParcelMsg::Resume.into()).await?;
                for message in kept {
                    state.pass(&myself, id.clone(), message).await?;
                }
                Ok(())
            }
            ParcelsMsg::TakeUp(whose) => take_up(&state.house, whose, true),
        }
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Told<ParcelsMsg>>,
        event: SupervisionEvent,
        state: &mut ParcelsState,
    ) -> Result<(), ActorProcessingErr> {
        let (cell, why) = match event {
            SupervisionEvent::ActorFailed(cell, why) => (cell, why.to_string()),
            SupervisionEvent::ActorTerminated(cell, _, why) => (cell, why.unwrap_or_default()),
            _ => return Ok(()),
        };
        // One that was put to sleep is in the map no more.
        let Some(id) = state.ids.remove(&cell.get_id()) else { return Ok(()) };
        state.house.awake.write().remove(&id);
        state.woken.retain(|w| *w != id);
        state.fell(&myself, id, &why, None)
    }
}

impl ParcelsState {
    /// Gives a message to a parcel, and wakes it for that where it sleeps.
    async fn pass(
        &mut self,
        myself: &ActorRef<Told<ParcelsMsg>>,
        id: ParcelId,
        message: Told<ParcelMsg>,
    ) -> Result<(), ActorProcessingErr> {
        if let Some(kept) = self.fallen.get_mut(&id) {
            kept.push(message);
            return Ok(());
        }
        let gone = match self.house.awake.read().get(&id) {
            Some(waking) => match waking.tell(message) {
                Ok(()) => return Ok(()),
                Err(message) => Ok((waking.actor.get_id(), message)),
            },
            None => Err(message),
        };
        let message = match gone {
            Ok((cell, message)) => {
                self.ids.remove(&cell);
                self.house.awake.write().remove(&id);
                self.woken.retain(|w| *w != id);
                return self.fell(myself, id, "it does not answer", Some(message));
            }
            Err(message) => message,
        };
        self.make_room();
        let rest = Arc::new(Rest::default());
        let arguments = ParcelArguments { house: self.house.clone(), id: id.clone(), rest: rest.clone() };
        let actor = match ParcelActor::spawn_linked(None, ParcelActor, arguments, myself.get_cell()).await {
            Ok((actor, _)) => actor,
            Err(why) => return self.fell(myself, id, &why.to_string(), Some(message)),
        };
        actor.cast(message)?;
        self.ids.insert(actor.get_id(), id.clone());
        self.woken.push_back(id.clone());
        self.house.awake.write().insert(id, Waking { actor, rest, sent: AtomicU64::new(1) });
        Ok(())
    }

    /// Keeps what comes for a fallen parcel, and wakes it when all that it had decided is durable.
    fn fell(
        &mut self,
        myself: &ActorRef<Told<ParcelsMsg>>,
        id: ParcelId,
        why: &str,
        message: Option<Told<ParcelMsg>>,
    ) -> Result<(), ActorProcessingErr> {
        let now = self.house.clock.steady();
        while self.falls.front().is_some_and(|t| now - *t > RESTART_WINDOW) {
            self.falls.pop_front();
        }
        self.falls.push_back(now);
        if self.falls.len() > RESTARTS_MAX {
            return Err(format!("{} parcels fell within a minute, the last {id}: {why}", self.falls.len()).into());
        }
        tracing::warn!(parcel = %id, %why, "fell");
        self.fallen.entry(id.clone()).or_default().extend(message);
        let (mut work, myself) = (self.house.work(), myself.clone());
        work.then(move || drop(myself.cast(ParcelsMsg::Wake(id).into())));
        self.house.commit(work);
        Ok(())
    }

    fn make_room(&mut self) {
        let house = self.house.clone();
        let mut parcels = house.awake.write();
        if parcels.len() < house.config.limits.parcels_awake_max {
            return;
        }
        for _ in 0..LOOKS.min(self.woken.len()) {
            let Some(id) = self.woken.pop_front() else { return };
            match parcels.get(&id) {
                Some(waking) if waking.rest.is_at_rest(waking.sent.load(Ordering::Acquire)) => {
                    self.ids.remove(&waking.actor.get_id());
                    waking.actor.stop(None);
                    parcels.remove(&id);
                    return;
                }
                Some(_) => self.woken.push_back(id),
                None => {}
            }
        }
    }
}

/// Hands parcels back to those who work on them, and wakes what has something unanswered. `cleared`: whatever was on a belt
/// has left it by now.
fn take_up(house: &House, whose: Whose, cleared: bool) -> Result<(), ActorProcessingErr> {
    let to = |id: &ParcelId, message| house.tell(id.clone(), message);
    // In the line's or the dock's hands: the bags know more of them.
    let mut handed: BTreeMap<ParcelId, Stage> = BTreeMap::new();
    for row in house.twin.all::<Parcel>() {
        let (id, parcel) = row?;
        let id = ParcelId::from(id);
        let (of_carrier, of_warehouse, of_line) = match &whose {
            Whose::All => (true, true, true),
            Whose::Carrier(carrier) => (parcel.plan.carrier == *carrier, false, false),
            Whose::Warehouse(warehouse) => (false, parcel.plan.warehouse == *warehouse, parcel.plan.warehouse == *warehouse),
            Whose::Line(line) => (false, false, parcel.station.as_ref() == Some(line)),
        };
        match parcel.stage {
            Stage::Created | Stage::LabelRequested if of_carrier && parcel.label_refused.is_none() => to(&id, ParcelMsg::Resume),
            // Printed but not packed is printed again: a slip too many is thrown away, a lost one is a lost parcel.
            Stage::Labelled if of_warehouse && parcel.packed_at.is_none() => {
                house.tell_warehouse(&parcel.plan.warehouse, WarehouseMsg::Ready { parcel: id, order: parcel.plan.order });
            }
            Stage::Labelled if of_warehouse => house.tell_warehouse(&parcel.plan.warehouse, WarehouseMsg::Packed(id)),
            stage if of_line && (stage.is_on_line() || stage == Stage::Bagged) => drop(handed.insert(id, stage)),
            stage if of_carrier && stage.is_with_carrier() => {
                if let (Some(tracking), Some(seat)) = (parcel.tracking, house.carriers.get(&parcel.plan.carrier)) {
                    seat.cast(CarrierMsg::Watch { parcel: id, tracking, first_after: Span::from_mins(5) });
                }
            }
            _ => {}
        }
    }
    if handed.is_empty() {
        return Ok(());
    }
    for row in house.twin.all::<Bag>() {
        let (bag_id, bag) = row?;
        let bag_id = BagId::from(bag_id);
        for id in &bag.parcels {
            let Some(stage) = handed.get(id) else { continue };
            // What the bag has and the parcel may not know, if we fell between the two. A repetition changes nothing.
            if *stage == Stage::Sorted {
                to(id, ParcelMsg::Bag { chute: bag.chute, bag: bag_id.clone() });
            }
            if bag.stage == bag::Stage::HandedOver {
                to(id, ParcelMsg::HandOver { bag: bag_id.clone() });
            }
            handed.remove(id);
        }
    }
    // The sorter sent it to the no-decision chute.
    for (id, _) in handed.iter().filter(|(_, stage)| cleared && stage.is_on_line()) {
        let why = Interception::Manual { why: "the line was restarted while it was on it".into() };
        to(id, ParcelMsg::Intercept(why));
    }
    Ok(())
}

//! All parcels: who of them is awake, and nothing else. Wakes a parcel when something happens to it, and puts the one
//! that rested longest to sleep when too many are awake. It alone changes who is awake; others look, and speak to those.

use crate::carrier::CarrierMsg;
use crate::order_desk::DeskMsg;
use crate::parcel::{ParcelActor, ParcelArguments, ParcelState, Rest};
use crate::supervision::{RESTART_WINDOW, RESTARTS_MAX};
use crate::turns::{Delivery, Turns};
use crate::warehouse::WarehouseMsg;
use crate::{House, Outgoing, ParcelMsg, Told};
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, MessagingErr, SupervisionEvent};
use smol_str::SmolStr;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use twin::bag::{self, Bag};
use twin::facet::Facet;
use twin::parcel::{Interception, Parcel};
use twin::shelf::Listed;
use twin::station::StationKind;
use twin::tracking::Tracking;
use twin::{BagId, CarrierId, Moment, ParcelId, Span, StationId, TrackingNumber, Twin, TwinError, WarehouseId};

/// So many parcels are handed back in one go; what comes meanwhile is not kept waiting for all of them.
const PORTION: usize = 500;
/// How many sleepers-to-be are looked at when one more parcel wakes.
const LOOKS: usize = 8;

#[derive(Debug)]
pub enum ParcelsMsg {
    To(ParcelId, ParcelMsg),
    /// One fell that had no mailbox.
    Fell(ParcelId, SmolStr),
    /// One has come to its end, durably: it sleeps from now on, unless something has come for it.
    Ended(ParcelId),
    /// All that a fallen parcel had decided is durable.
    Wake(ParcelId),
    /// Somebody who works on parcels fell: hand them over to the one who sits there now.
    TakeUp(Whose),
    List(TakingUp),
}

/// Whose parcels.
#[derive(Debug)]
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
    /// Parcels that take turns end with it.
    alive: Arc<()>,
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
    body: Body,
    rest: Arc<Rest>,
    sent: AtomicU64,
}

enum Body {
    Actor(ActorRef<Told<ParcelMsg>>),
    Turns(Arc<Turns>),
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
        crate::seat::count();
        // Counted first: until it is dealt with, the parcel is not at rest.
        self.sent.fetch_add(1, Ordering::AcqRel);
        match &self.body {
            Body::Turns(turns) => turns.tell(message),
            Body::Actor(actor) => match actor.cast(message) {
                Err(MessagingErr::SendErr(message)) => Err(message),
                // No other error hands the message back, and none comes of an unbounded mailbox that is open.
                _ => Ok(()),
            },
        }
    }

    fn actor(&self) -> Option<ActorId> {
        match &self.body {
            Body::Actor(actor) => Some(actor.get_id()),
            Body::Turns(_) => None,
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
        Ok(ParcelsState {
            house,
            fresh,
            ids: HashMap::new(),
            woken: VecDeque::new(),
            fallen: HashMap::new(),
            falls: VecDeque::new(),
            alive: Arc::default(),
        })
    }

    async fn post_start(&self, myself: ActorRef<Told<ParcelsMsg>>, state: &mut ParcelsState) -> Result<(), ActorProcessingErr> {
        // Orders whose parcels were not created yet. At the start of the house the desk looks by itself.
        state.house.desk.cast(DeskMsg::TakeUp(Facet::Underway, None, state.house.clock.steady()));
        Ok(myself.cast(ParcelsMsg::TakeUp(Whose::All).into())?)
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
            ParcelsMsg::Fell(id, why) => {
                state.forget(&id);
                state.fell(id, &why, None)
            }
            ParcelsMsg::Ended(id) => {
                state.sleeps(&id);
                Ok(())
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
            ParcelsMsg::TakeUp(whose) => {
                let cleared = state.fresh || !matches!(whose, Whose::All);
                whose.lists(&state.house, cleared).into_iter().try_for_each(|list| Ok(myself.cast(list.into())?))
            }
            ParcelsMsg::List(taking_up) => match taking_up.go_on(&state.house)? {
                Some(rest) => Ok(myself.cast(ParcelsMsg::List(rest).into())?),
                None => Ok(()),
            },
        }
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Told<ParcelsMsg>>,
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
        state.forget(&id);
        state.fell(id, &why, None)
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
                Err(message) => Ok((waking.actor(), message)),
            },
            None => Err(message),
        };
        let message = match gone {
            Ok((actor, message)) => {
                // One without a mailbox has said so itself.
                let Some(actor) = actor else {
                    self.fallen.entry(id).or_default().push(message);
                    return Ok(());
                };
                self.ids.remove(&actor);
                self.forget(&id);
                return self.fell(id, "it does not answer", Some(message));
            }
            Err(message) => message,
        };
        self.make_room();
        let rest = Arc::new(Rest::default());
        let arguments = ParcelArguments { house: self.house.clone(), id: id.clone(), rest: rest.clone() };
        let body = match self.house.delivery {
            Delivery::Mailbox => match ParcelActor::spawn_linked(None, ParcelActor, arguments, myself.get_cell()).await {
                Ok((actor, _)) => {
                    self.ids.insert(actor.get_id(), id.clone());
                    Ok(Body::Actor(actor))
                }
                Err(why) => Err(why.to_string()),
            },
            Delivery::Turns => match ParcelState::load(arguments) {
                Ok(parcel) => Ok(Body::Turns(Arc::new(Turns::new(self.house.clone(), id.clone(), Arc::downgrade(&self.alive), parcel)))),
                Err(why) => Err(why.to_string()),
            },
        };
        let body = match body {
            Ok(body) => body,
            Err(why) => return self.fell(id, &why, Some(message)),
        };
        let waking = Waking { body, rest, sent: AtomicU64::new(0) };
        if let Err(message) = waking.tell(message) {
            return self.fell(id, "it does not answer", Some(message));
        }
        self.woken.push_back(id.clone());
        self.house.awake.write().insert(id, waking);
        Ok(())
    }

    /// It is awake no more.
    fn forget(&mut self, id: &ParcelId) {
        self.house.awake.write().remove(id);
        self.woken.retain(|woken| woken != id);
    }

    /// Keeps what comes for a fallen parcel, and wakes it when all that it had decided is durable.
    fn fell(&mut self, id: ParcelId, why: &str, message: Option<Told<ParcelMsg>>) -> Result<(), ActorProcessingErr> {
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
        let mut work = self.house.work();
        work.say(Outgoing::Parcels(ParcelsMsg::Wake(id)));
        self.house.commit(work);
        Ok(())
    }

    fn make_room(&mut self) {
        let awake = self.house.awake.read().len();
        // Those that went to sleep at their end stand in it still.
        if self.woken.len() > 2 * awake + LOOKS {
            let mut seen = HashSet::new();
            let parcels = self.house.awake.read();
            self.woken.retain(|id| parcels.contains_key(id) && seen.insert(id.clone()));
        }
        if awake < self.house.in_force().config.limits.parcels_awake_max {
            return;
        }
        for _ in 0..LOOKS.min(self.woken.len()) {
            let Some(id) = self.woken.pop_front() else { return };
            if self.sleeps(&id) {
                return;
            }
            if self.house.awake.read().contains_key(&id) {
                self.woken.push_back(id);
            }
        }
    }

    /// Puts a parcel to sleep that is awake and at rest, and says whether it did.
    fn sleeps(&mut self, id: &ParcelId) -> bool {
        // Under the lock, so that nothing is said to it meanwhile.
        let mut parcels = self.house.awake.write();
        let rests = |waking: &Waking| waking.rest.is_at_rest(waking.sent.load(Ordering::Acquire));
        if !parcels.get(id).is_some_and(rests) {
            return false;
        }
        if let Some(Waking { body: Body::Actor(actor), .. }) = parcels.remove(id) {
            self.ids.remove(&actor.get_id());
            actor.stop(None);
        }
        true
    }
}

/// Lists whose parcels are to be handed back, by what is owed for them.
#[derive(Debug)]
pub struct TakingUp {
    facet: Facet,
    /// Nobody: of everybody.
    of: Option<SmolStr>,
    after: Option<Listed>,
    /// Whatever was on a belt has left it by now.
    cleared: bool,
    /// Since when, by the clock's steady time.
    since: Moment,
}

impl Whose {
    /// The lists to go through.
    fn lists(&self, house: &House, cleared: bool) -> Vec<ParcelsMsg> {
        let of_carrier = [Facet::Label, Facet::Void, Facet::Watch];
        let of_warehouse = [Facet::Pack, Facet::Sight];
        let of_line = [Facet::Line, Facet::Bagged];
        let list = |facet, of: Option<&SmolStr>| {
            ParcelsMsg::List(TakingUp { facet, of: of.cloned(), after: None, cleared, since: house.clock.steady() })
        };
        match self {
            Whose::All => [&of_carrier[..], &of_warehouse, &of_line].concat().into_iter().map(|facet| list(facet, None)).collect(),
            Whose::Carrier(carrier) => of_carrier.map(|facet| list(facet, Some(carrier.text()))).into(),
            Whose::Line(line) => of_line.map(|facet| list(facet, Some(line.text()))).into(),
            Whose::Warehouse(warehouse) => {
                let in_force = house.in_force();
                let stations = in_force.config.warehouse(warehouse).map(|w| &w.stations[..]).unwrap_or_default();
                let lines = stations.iter().filter(|s| s.kind == StationKind::Line);
                let of_lines = lines.flat_map(|line| of_line.map(|facet| list(facet, Some(line.id.text()))));
                of_warehouse.map(|facet| list(facet, Some(warehouse.text()))).into_iter().chain(of_lines).collect()
            }
        }
    }
}

impl TakingUp {
    /// Hands some parcels back to those who work on them, and wakes what has something unanswered. Returns what is left to do.
    fn go_on(mut self, house: &House) -> Result<Option<Self>, TwinError> {
        let twin = &house.twin;
        let (of, after) = (self.of.as_deref(), self.after.as_ref());
        let portion: Vec<_> = match self.facet {
            Facet::Watch => twin.listed::<Tracking>(Facet::Watch, of, after).take(PORTION).collect::<Result<_, _>>()?,
            facet => twin.listed::<Parcel>(facet, of, after).take(PORTION).collect::<Result<_, _>>()?,
        };
        self.after = portion.last().map(|(listed, _)| listed.clone()).filter(|_| portion.len() == PORTION);
        let mut bags: BTreeMap<SmolStr, Vec<ParcelId>> = BTreeMap::new();
        for (Listed { of, id, .. }, note) in portion {
            let id = ParcelId::from(id);
            match self.facet {
                Facet::Label | Facet::Void => house.tell(id, ParcelMsg::Resume),
                // Printed but not packed is printed again: a slip too many is thrown away, a lost one is a lost parcel.
                Facet::Pack => house.tell_warehouse(&of.into(), WarehouseMsg::Ready(id)),
                Facet::Sight => house.tell_warehouse(&of.into(), WarehouseMsg::Packed(id)),
                Facet::Watch => match house.carriers.get(&CarrierId::from(of.clone())) {
                    Some(seat) => {
                        seat.cast(CarrierMsg::Watch { parcel: id, tracking: TrackingNumber(note), first_after: Span::from_mins(5) })
                    }
                    None => tracing::warn!(parcel = %id, carrier = %of, "is on its way with a carrier that this site has no more"),
                },
                Facet::Line => match bag_with(twin, &id)? {
                    // What the bag has and the parcel may not know, if we fell between the two. A repetition changes nothing.
                    Some((bag, state)) => house.tell(id, ParcelMsg::Bag { chute: state.chute, bag }),
                    // The sorter sent it to the no-decision chute.
                    None if self.cleared => {
                        let why = Interception::Manual { why: "the line was restarted while it was on it".into() };
                        house.tell(id, ParcelMsg::Intercept(why));
                    }
                    // It still moves; the line will say where to.
                    None => {}
                },
                Facet::Bagged => bags.entry(note).or_default().push(id),
                _ => {}
            }
        }
        for (bag, parcels) in bags {
            let Some((_, state)) = twin.load::<Bag>(&bag)? else { continue };
            for id in parcels {
                match state.stage {
                    // It was taken out of it, and has not heard.
                    _ if !state.parcels.contains(&id) => house.tell(id, ParcelMsg::Resume),
                    bag::Stage::HandedOver => house.tell(id, ParcelMsg::HandOver { bag: bag.clone().into() }),
                    _ => {}
                }
            }
        }
        if self.after.is_none() {
            taken_up(house, self.facet, self.since);
        }
        Ok(self.after.is_some().then_some(self))
    }
}

/// A list of what is owed was gone through to its end.
pub(crate) fn taken_up(house: &House, facet: Facet, since: Moment) {
    let list = format!("{facet:?}").to_lowercase();
    metrics::histogram!("parceltwin_take_up_seconds", "list" => list).record((house.clock.steady() - since).as_secs_f64());
}

/// The bag that has a parcel and has not left.
pub fn bag_with(twin: &Twin, parcel: &ParcelId) -> Result<Option<(BagId, Bag)>, TwinError> {
    let Some(listed) = twin.listed::<Bag>(Facet::Holds, Some(parcel.text()), None).next().transpose()? else { return Ok(None) };
    let id = listed.0.id;
    Ok(twin.load::<Bag>(&id)?.map(|(_, bag)| (BagId::from(id), bag)))
}

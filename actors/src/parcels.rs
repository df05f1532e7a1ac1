//! All parcels: who of them is awake, and nothing else. Wakes a parcel when something happens to it, and puts the one
//! that rested longest to sleep when too many are awake. Owning the map alone, it never races with itself.

use crate::carrier::CarrierMsg;
use crate::parcel::{ParcelActor, ParcelArguments, Rest};
use crate::supervision::{RESTART_WINDOW, RESTARTS_MAX};
use crate::warehouse::WarehouseMsg;
use crate::{House, ParcelMsg};
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use twin::parcel::{Interception, Parcel, Stage};
use twin::{Moment, ParcelId, Span};

/// How many sleepers-to-be are looked at when one more parcel wakes.
const LOOKS: usize = 8;

pub enum ParcelsMsg {
    To(ParcelId, ParcelMsg),
}

pub struct Parcels;

pub struct ParcelsState {
    house: Arc<House>,
    /// Looked up by key only, never walked.
    awake: HashMap<ParcelId, Awake>,
    ids: HashMap<ActorId, ParcelId>,
    /// In the order in which they woke.
    woken: VecDeque<ParcelId>,
    falls: VecDeque<Moment>,
}

struct Awake {
    actor: ActorRef<ParcelMsg>,
    rest: Arc<Rest>,
    sent: u64,
}

impl Actor for Parcels {
    type Msg = ParcelsMsg;
    type State = ParcelsState;
    type Arguments = Arc<House>;

    async fn pre_start(&self, myself: ActorRef<ParcelsMsg>, house: Arc<House>) -> Result<ParcelsState, ActorProcessingErr> {
        house.parcels.take(myself);
        Ok(ParcelsState { house, awake: HashMap::new(), ids: HashMap::new(), woken: VecDeque::new(), falls: VecDeque::new() })
    }

    async fn post_start(&self, myself: ActorRef<ParcelsMsg>, state: &mut ParcelsState) -> Result<(), ActorProcessingErr> {
        take_up(&state.house, &myself)
    }

    async fn handle(&self, myself: ActorRef<ParcelsMsg>, message: ParcelsMsg, state: &mut ParcelsState) -> Result<(), ActorProcessingErr> {
        let ParcelsMsg::To(id, message) = message;
        if let Some(awake) = state.awake.get_mut(&id) {
            awake.sent += 1;
            awake.actor.cast(message)?;
            return Ok(());
        }
        state.make_room();
        let rest = Arc::new(Rest::default());
        let arguments = ParcelArguments { house: state.house.clone(), id: id.clone(), rest: rest.clone() };
        let (actor, _) = ParcelActor::spawn_linked(None, ParcelActor, arguments, myself.get_cell()).await?;
        actor.cast(message)?;
        state.ids.insert(actor.get_id(), id.clone());
        state.woken.push_back(id.clone());
        state.awake.insert(id, Awake { actor, rest, sent: 1 });
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<ParcelsMsg>,
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
        state.awake.remove(&id);
        state.woken.retain(|w| *w != id);
        let now = state.house.clock.now();
        while state.falls.front().is_some_and(|t| now - *t > RESTART_WINDOW) {
            state.falls.pop_front();
        }
        state.falls.push_back(now);
        if state.falls.len() > RESTARTS_MAX {
            return Err(format!("{} parcels fell within a minute, the last {id}: {why}", state.falls.len()).into());
        }
        tracing::warn!(parcel = %id, %why, "fell; waking it again from the twin");
        myself.cast(ParcelsMsg::To(id, ParcelMsg::Resume))?;
        Ok(())
    }
}

impl ParcelsState {
    fn make_room(&mut self) {
        if self.awake.len() < self.house.config.limits.parcels_awake_max {
            return;
        }
        for _ in 0..LOOKS.min(self.woken.len()) {
            let Some(id) = self.woken.pop_front() else { return };
            match self.awake.get(&id) {
                Some(awake) if awake.rest.is_at_rest(awake.sent) => {
                    self.ids.remove(&awake.actor.get_id());
                    awake.actor.stop(None);
                    self.awake.remove(&id);
                    return;
                }
                Some(_) => self.woken.push_back(id),
                None => {}
            }
        }
    }
}

/// When the process starts: wakes what has something unanswered, and hands the rest back to those who work on it.
fn take_up(house: &Arc<House>, myself: &ActorRef<ParcelsMsg>) -> Result<(), ActorProcessingErr> {
    for row in house.twin.all::<Parcel>() {
        let (id, parcel) = row?;
        let id = ParcelId::from(id);
        match parcel.stage {
            Stage::Created | Stage::LabelRequested if parcel.label_refused.is_none() => {
                myself.cast(ParcelsMsg::To(id, ParcelMsg::Resume))?;
            }
            // Printed but not packed is printed again: a slip too many is thrown away, a lost one is a lost parcel.
            Stage::Labelled if parcel.packed_at.is_none() => {
                house.tell_warehouse(&parcel.plan.warehouse, WarehouseMsg::Ready { parcel: id, order: parcel.plan.order });
            }
            Stage::Labelled => house.tell_warehouse(&parcel.plan.warehouse, WarehouseMsg::Packed(id)),
            // Whatever was on a belt has left it by now, and the sorter sent it to the no-decision chute.
            stage if stage.is_on_line() => {
                let why = Interception::Manual { why: "the line was restarted while it was on it".into() };
                myself.cast(ParcelsMsg::To(id, ParcelMsg::Intercept(why)))?;
            }
            stage if stage.is_with_carrier() => {
                if let (Some(tracking), Some(seat)) = (parcel.tracking, house.carriers.get(&parcel.plan.carrier)) {
                    seat.cast(CarrierMsg::Watch { parcel: id, tracking, first_after: Span::from_mins(5) });
                }
            }
            _ => {}
        }
    }
    Ok(())
}

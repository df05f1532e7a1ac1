//! A parcel that is called in its turn instead of having a mailbox: in a simulation, where all are on one thread and tens of
//! thousands are awake at once, a mailbox costs more than what is in it. Each turn is a task of its own, so that it comes when
//! a mailbox's would have come: a run's journal is the same either way, to the last hash.

use crate::parcel::ParcelState;
use crate::parcels::ParcelsMsg;
use crate::{House, ParcelMsg, Told, origin};
use smol_str::{SmolStr, ToSmolStr};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use twin::ParcelId;

/// How what is said comes to a parcel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Into the mailbox of an actor. Live.
    #[default]
    Mailbox,
    /// In turns, see [`Turns`]. Simulation.
    Turns,
}

pub(crate) struct Turns {
    house: Arc<House>,
    id: ParcelId,
    /// Gone with the supervisor of all parcels: nobody takes a turn after that, as no mailbox is read.
    supervisor: Weak<()>,
    queue: Mutex<Queue>,
}

struct Queue {
    /// Not here while it has its turn; never again once it fell.
    parcel: Option<Box<ParcelState>>,
    waiting: VecDeque<Told<ParcelMsg>>,
    /// It has its turn, or will.
    called: bool,
    fell: bool,
}

impl Turns {
    pub fn new(house: Arc<House>, id: ParcelId, supervisor: Weak<()>, parcel: ParcelState) -> Self {
        let queue = Queue { parcel: Some(Box::new(parcel)), waiting: VecDeque::new(), called: false, fell: false };
        Turns { house, id, supervisor, queue: Mutex::new(queue) }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the message back if the parcel fell.
    pub fn tell(self: &Arc<Self>, message: Told<ParcelMsg>) -> Result<(), Told<ParcelMsg>> {
        let mut queue = self.queue();
        if queue.fell {
            return Err(message);
        }
        queue.waiting.push_back(message);
        if !std::mem::replace(&mut queue.called, true) {
            drop(queue);
            let turn = self.clone();
            tokio::spawn(async move { turn.take() });
        }
        Ok(())
    }

    /// Deals with all that waits.
    fn take(&self) {
        let mut queue = self.queue();
        while let Some(Told { cause, message }) = queue.waiting.pop_front() {
            if self.supervisor.strong_count() == 0 {
                return;
            }
            let Some(mut parcel) = queue.parcel.take() else { return };
            drop(queue);
            let handled = catch_unwind(AssertUnwindSafe(|| origin::within(cause, || parcel.handle(message))));
            queue = self.queue();
            let why: SmolStr = match handled {
                Ok(Ok(())) => {
                    queue.parcel = Some(parcel);
                    continue;
                }
                Ok(Err(why)) => why.to_smolstr(),
                Err(_) => "it broke off".into(),
            };
            // What waits is lost, as in a dead mailbox.
            queue.fell = true;
            queue.waiting.clear();
            drop(queue);
            return self.house.parcels.cast(ParcelsMsg::Fell(self.id.clone(), why));
        }
        queue.called = false;
        // Most of its life nothing waits, and there are tens of thousands of them.
        queue.waiting = VecDeque::new();
    }
}

//! Where messages for a role go. Who sits there may change: a supervisor puts a restarted actor in the same seat, so
//! nobody keeps a reference from yesterday.

use crate::Told;
use ractor::{ActorRef, Message};
use std::sync::{Arc, PoisonError, RwLock};

pub struct Seat<M>(Arc<RwLock<Option<ActorRef<Told<M>>>>>);

impl<M> Clone for Seat<M> {
    fn clone(&self) -> Self {
        Seat(self.0.clone())
    }
}

impl<M> std::fmt::Debug for Seat<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a seat")
    }
}

impl<M> Default for Seat<M> {
    fn default() -> Self {
        Seat(Arc::default())
    }
}

impl<M: Message> Seat<M> {
    pub fn take(&self, actor: ActorRef<Told<M>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(actor);
    }

    /// Who sits here just now; another one after a fall.
    pub fn actor(&self) -> Option<ActorRef<Told<M>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends to whoever sits here, on the account of what is being done. A message to an empty seat is lost, as one to a dead actor is; whoever sits down next
    /// asks the twin what was left unanswered.
    pub fn cast(&self, message: M) {
        if let Some(actor) = &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            // An error says that the actor is gone: the same case as an empty seat.
            let _ = actor.cast(message.into());
        }
    }
}

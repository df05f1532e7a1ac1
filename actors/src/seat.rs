//! Where messages for a role go. Who sits there may change: a supervisor puts a restarted actor in the same seat, so
//! nobody keeps a reference from yesterday.

use crate::Told;
use ractor::{ActorRef, Message};
use std::cell::Cell;
use std::sync::{Arc, PoisonError, RwLock};

thread_local! {
    static SENT: Cell<u64> = const { Cell::new(0) };
}

/// So many messages this thread has sent to seats and parcels: what a simulated run, which is on one thread, costs in them.
pub fn messages_sent() -> u64 {
    SENT.get()
}

pub(crate) fn count() {
    SENT.set(SENT.get() + 1);
}

pub struct Seat<M>(Arc<RwLock<Option<Sitter<M>>>>);

enum Sitter<M> {
    Actor(ActorRef<Told<M>>),
    /// A test that looks at what comes.
    #[cfg(test)]
    Ear(Box<dyn Fn(Told<M>) + Send + Sync>),
}

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
    /// A seat of its own: what an actor tells itself goes to nobody who comes after it.
    pub fn of(actor: ActorRef<Told<M>>) -> Self {
        let seat = Seat::default();
        seat.take(actor);
        seat
    }

    pub fn take(&self, actor: ActorRef<Told<M>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Sitter::Actor(actor));
    }

    #[cfg(test)]
    pub fn hear(&self, ear: impl Fn(Told<M>) + Send + Sync + 'static) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Sitter::Ear(Box::new(ear)));
    }

    /// Who sits here just now; another one after a fall.
    pub fn actor(&self) -> Option<ActorRef<Told<M>>> {
        match &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            Some(Sitter::Actor(actor)) => Some(actor.clone()),
            _ => None,
        }
    }

    /// Sends to whoever sits here, on the account of what is being done. A message to an empty seat is lost, as one to a dead actor is; whoever sits down next
    /// asks the twin what was left unanswered.
    pub fn cast(&self, message: M) {
        self.send(message.into());
    }

    /// The same on another account.
    pub fn send(&self, told: Told<M>) {
        count();
        match &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            // An error says that the actor is gone: the same case as an empty seat.
            Some(Sitter::Actor(actor)) => drop(actor.cast(told)),
            #[cfg(test)]
            Some(Sitter::Ear(ear)) => ear(told),
            None => {}
        }
    }
}

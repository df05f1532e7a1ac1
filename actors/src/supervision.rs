//! Restarts with a budget. ractor restarts nothing by itself: each supervisor keeps its [`Children`] here, and a child
//! that falls more than [`RESTARTS_MAX`] times in [`RESTART_WINDOW`] takes its supervisor with it.
//!
//! Whoever is restarted reads the twin, so a restart waits until all that the fallen one had decided is durable.

use crate::House;
use crate::outgoing::{Outgoing, Restart};
use futures::future::BoxFuture;
use ractor::{ActorCell, ActorId, ActorProcessingErr, ActorRef, Message, SpawnErr, SupervisionEvent};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use twin::{Moment, Span};

pub const RESTARTS_MAX: usize = 5;
pub const RESTART_WINDOW: Span = Span::from_mins(1);
/// Before the first restart; doubles with each one in the window.
pub const BACKOFF_FIRST: Span = Span::from_ms(100);

/// Starts a child under a supervisor.
pub type Start = Arc<dyn Fn(ActorCell) -> BoxFuture<'static, Result<ActorCell, SpawnErr>> + Send + Sync>;

struct Child {
    name: String,
    start: Start,
    restarts: VecDeque<Moment>,
}

#[derive(Default)]
pub struct Children {
    all: Vec<Child>,
    running: BTreeMap<ActorId, usize>,
}

impl Children {
    /// Starts a child and keeps it.
    pub async fn start(&mut self, supervisor: ActorCell, name: impl Into<String>, start: Start) -> Result<(), SpawnErr> {
        let cell = start(supervisor).await?;
        self.running.insert(cell.get_id(), self.all.len());
        self.all.push(Child { name: name.into(), start, restarts: VecDeque::new() });
        Ok(())
    }

    /// What a supervisor does when told of a child: nothing, a restart later (`again` makes its message), or an error
    /// that makes the supervisor itself fall.
    pub fn on_event<M: Message, N: Into<M> + Send + 'static>(
        &mut self,
        event: SupervisionEvent,
        house: &Arc<House>,
        myself: &ActorRef<M>,
        again: fn(usize) -> N,
    ) -> Result<(), ActorProcessingErr> {
        let (cell, why) = match event {
            SupervisionEvent::ActorFailed(cell, why) => (cell, why.to_string()),
            SupervisionEvent::ActorTerminated(cell, _, why) => (cell, why.unwrap_or_else(|| "it stopped".into())),
            _ => return Ok(()),
        };
        let Some(index) = self.running.remove(&cell.get_id()) else { return Ok(()) };
        self.fell(index, &why, house, myself, again)
    }

    fn fell<M: Message, N: Into<M> + Send + 'static>(
        &mut self,
        index: usize,
        why: &str,
        house: &Arc<House>,
        myself: &ActorRef<M>,
        again: fn(usize) -> N,
    ) -> Result<(), ActorProcessingErr> {
        let Some(child) = self.all.get_mut(index) else { return Ok(()) };
        let now = house.clock.steady();
        while child.restarts.front().is_some_and(|t| now - *t > RESTART_WINDOW) {
            child.restarts.pop_front();
        }
        if child.restarts.len() >= RESTARTS_MAX {
            return Err(format!("{} fell {} times in {} s: {why}", child.name, RESTARTS_MAX + 1, RESTART_WINDOW.0 / 1_000_000).into());
        }
        let backoff = BACKOFF_FIRST * (1 << child.restarts.len());
        child.restarts.push_back(now);
        tracing::warn!(child = child.name, %why, "fell; restarting");
        let (myself, waiting) = (myself.clone(), house.clone());
        house.clock.after(backoff, move || {
            let mut work = waiting.work();
            // If the supervisor is gone by then, so is the reason to restart.
            work.say(Outgoing::Restart(Restart(Box::new(move || drop(myself.cast(again(index).into()))))));
            waiting.commit(work);
        });
        Ok(())
    }

    /// The restart that `on_event` announced; says whether it worked. One that does not is one more fall.
    pub async fn restart<M: Message, N: Into<M> + Send + 'static>(
        &mut self,
        index: usize,
        house: &Arc<House>,
        myself: &ActorRef<M>,
        again: fn(usize) -> N,
    ) -> Result<bool, ActorProcessingErr> {
        let Some(child) = self.all.get(index) else { return Ok(false) };
        match (child.start)(myself.get_cell()).await {
            Ok(cell) => {
                self.running.insert(cell.get_id(), index);
                Ok(true)
            }
            Err(why) => self.fell(index, &why.to_string(), house, myself, again).map(|()| false),
        }
    }
}

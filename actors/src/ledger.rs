//! The ledger: the one writer of the twin. It groups what actors decided, makes the group durable, and only then lets
//! out what they want to say or do, in the order in which they decided it.

use crate::{Seat, Told, origin};
use drivers::Clock;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::sync::Arc;
use tokio::sync::broadcast;
use twin::{Entity, Moment, Origin, Record, Refusal, Span, StoreError, Twin, TwinError, Tx};

use smol_str::SmolStr;

/// The most transactions that become durable in one group.
pub const GROUP_TXS_MAX: usize = 4_096;
/// Records that a slow listener may lag behind before it must read the journal instead.
pub const LISTENER_LAG_MAX: usize = 1_024;

/// Something to be done once the events it rests on are durable: a reply, a message, a call to the world.
pub type Output = Box<dyn FnOnce() + Send>;

/// What one actor decided in one go: events, and outputs that wait for them.
pub struct Work {
    pub tx: Tx,
    outputs: Vec<Output>,
}

impl Work {
    pub fn at(at: Moment) -> Self {
        Work { tx: Tx::at(at), outputs: Vec::new() }
    }

    /// Does `output` once everything in this work is durable.
    pub fn then(&mut self, output: impl FnOnce() + Send + 'static) {
        self.outputs.push(Box::new(output));
    }
}

/// One entity in an actor's keeping: the generic host that is the same for every kind.
#[derive(Clone, Debug)]
pub struct Host<E> {
    pub id: SmolStr,
    pub version: u32,
    pub state: E,
}

impl<E: Entity> Host<E> {
    /// The entity as the twin knows it; new where the twin does not.
    pub fn load(twin: &Twin, id: impl Into<SmolStr>) -> Result<Self, TwinError> {
        let id = id.into();
        let (version, state) = twin.load::<E>(&id)?.unwrap_or_default();
        Ok(Host { id, version, state })
    }

    pub fn exists(&self) -> bool {
        self.version > 0
    }

    /// Decides and applies at once; the events go into `work`. Says how many there were: none means it had happened already.
    pub fn command(&mut self, work: &mut Work, command: E::Command) -> Result<usize, Refusal> {
        let events = self.state.decide(&self.id, work.tx.at, command)?;
        let count = events.len();
        if count > 0 {
            // What did not exist was in no stage.
            let before = if self.exists() { self.state.stage_word() } else { "" };
            events.iter().for_each(|event| self.state.apply(work.tx.at, event));
            self.version += count as u32;
            work.tx.stage(&self.id, self.version, events, before, &self.state);
        }
        Ok(count)
    }
}

/// How the ledger writes.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// On a thread of its own, as fast as the disk syncs. Live.
    Disk,
    /// In place, durable after this long. Simulation: what a disk would take.
    Modelled(Span),
}

pub enum LedgerMsg {
    Commit(Work),
    Written(Result<Vec<Record>, TwinError>),
}

pub struct Ledger;

pub struct LedgerState {
    myself: ActorRef<Told<LedgerMsg>>,
    twin: Arc<Twin>,
    clock: Clock,
    pace: Pace,
    listeners: broadcast::Sender<Arc<Vec<Record>>>,
    waiting: Vec<Work>,
    /// Outputs of the group that is being written, a work each.
    held: Vec<Held>,
    writing: bool,
}

struct Held {
    records: usize,
    /// The work's own.
    origin: Origin,
    outputs: Vec<Output>,
}

pub struct LedgerArguments {
    pub twin: Arc<Twin>,
    pub clock: Clock,
    pub pace: Pace,
    pub listeners: broadcast::Sender<Arc<Vec<Record>>>,
    pub seat: Seat<LedgerMsg>,
}

impl Actor for Ledger {
    type Msg = Told<LedgerMsg>;
    type State = LedgerState;
    type Arguments = LedgerArguments;

    async fn pre_start(&self, myself: ActorRef<Told<LedgerMsg>>, args: LedgerArguments) -> Result<LedgerState, ActorProcessingErr> {
        let LedgerArguments { twin, clock, pace, listeners, seat } = args;
        seat.take(myself.clone());
        Ok(LedgerState { myself, twin, clock, pace, listeners, waiting: Vec::new(), held: Vec::new(), writing: false })
    }

    async fn handle(
        &self,
        _: ActorRef<Told<LedgerMsg>>,
        told: Told<LedgerMsg>,
        ledger: &mut LedgerState,
    ) -> Result<(), ActorProcessingErr> {
        match told.message {
            LedgerMsg::Commit(work) if !ledger.writing && ledger.waiting.is_empty() && work.tx.is_empty() => {
                origin::within(work.tx.origin, || work.outputs.into_iter().for_each(|output| output()));
            }
            LedgerMsg::Commit(work) => {
                ledger.waiting.push(work);
                if !ledger.writing {
                    ledger.write()?;
                }
            }
            LedgerMsg::Written(outcome) => {
                let records = outcome?;
                let mut last = records.first().map_or(0, |r| r.seq - 1);
                if ledger.listeners.receiver_count() > 0 && !records.is_empty() {
                    // Nobody listening any more is no failure.
                    let _ = ledger.listeners.send(Arc::new(records));
                }
                for held in std::mem::take(&mut ledger.held) {
                    last += held.records as u64;
                    // What was written led to what follows; where nothing was, the origin goes on.
                    let origin = if held.records > 0 { Origin::record(last) } else { held.origin };
                    origin::within(origin, || held.outputs.into_iter().for_each(|output| output()));
                }
                ledger.writing = false;
                if !ledger.waiting.is_empty() {
                    ledger.write()?;
                }
            }
        }
        Ok(())
    }
}

impl LedgerState {
    fn write(&mut self) -> Result<(), TwinError> {
        self.writing = true;
        let group = self.waiting.len().min(GROUP_TXS_MAX);
        let mut txs = Vec::with_capacity(group);
        for work in self.waiting.drain(..group) {
            self.held.push(Held { records: work.tx.len(), origin: work.tx.origin.clone(), outputs: work.outputs });
            txs.push(work.tx);
        }
        let myself = self.myself.clone();
        // The ledger outlives its own writes, so a failed cast can only mean that the process is ending.
        let done = move |outcome| drop(myself.cast(LedgerMsg::Written(outcome).into()));
        match self.pace {
            Pace::Disk => {
                let twin = self.twin.clone();
                tokio::spawn(async move {
                    let written = tokio::task::spawn_blocking(move || twin.commit(txs)).await;
                    done(written.unwrap_or_else(|e| Err(StoreError::Broken { what: "write a group", why: e.to_string() }.into())));
                });
            }
            Pace::Modelled(span) => {
                let records = self.twin.commit(txs)?;
                self.clock.after(span, move || done(Ok(records)));
            }
        }
        Ok(())
    }
}

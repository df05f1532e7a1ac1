//! The ledger: the one writer of the twin. It groups what actors decided, makes the group durable, and only then lets
//! out what they want to say or do, in the order in which they decided it.

use crate::{Seat, Told, origin};
use drivers::Clock;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock, mpsc};
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
    /// Modelled pace: the group is durable by now.
    Durable(Vec<Record>),
    /// The writer could not write.
    Failed(TwinError),
}

pub struct Ledger;

pub struct LedgerState {
    myself: ActorRef<Told<LedgerMsg>>,
    twin: Arc<Twin>,
    clock: Clock,
    listeners: Listeners,
    writing: Writing,
}

type Listeners = broadcast::Sender<Arc<Vec<Record>>>;

enum Writing {
    /// A thread takes whatever has come meanwhile, writes it as one group, and lets the outputs go.
    Disk,
    Modelled {
        span: Span,
        waiting: Vec<Work>,
        /// Outputs of the group that is being written, a work each.
        held: Vec<Held>,
        busy: bool,
    },
}

pub struct LedgerArguments {
    pub twin: Arc<Twin>,
    pub clock: Clock,
    pub pace: Pace,
    pub listeners: Listeners,
    pub letterbox: Letterbox,
}

/// Where work for the ledger is put. On a disk it goes straight to the thread that writes; the actor stands by for the day
/// on which that cannot.
#[derive(Clone, Default)]
pub struct Letterbox {
    seat: Seat<LedgerMsg>,
    writer: Arc<OnceLock<mpsc::Sender<Work>>>,
}

impl Letterbox {
    pub fn put(&self, work: Work) {
        match self.writer.get() {
            // A writer that is gone has told the ledger why, and the site ends.
            Some(writer) => drop(writer.send(work)),
            None => self.seat.cast(LedgerMsg::Commit(work)),
        }
    }
}

impl Actor for Ledger {
    type Msg = Told<LedgerMsg>;
    type State = LedgerState;
    type Arguments = LedgerArguments;

    async fn pre_start(&self, myself: ActorRef<Told<LedgerMsg>>, args: LedgerArguments) -> Result<LedgerState, ActorProcessingErr> {
        let LedgerArguments { twin, clock, pace, listeners, letterbox } = args;
        letterbox.seat.take(myself.clone());
        let writing = match pace {
            Pace::Disk => {
                let writer = start_writer(twin.clone(), listeners.clone(), myself.clone())?;
                // The ledger is not restarted, so the box is new.
                drop(letterbox.writer.set(writer));
                Writing::Disk
            }
            Pace::Modelled(span) => Writing::Modelled { span, waiting: Vec::new(), held: Vec::new(), busy: false },
        };
        Ok(LedgerState { myself, twin, clock, listeners, writing })
    }

    async fn handle(
        &self,
        _: ActorRef<Told<LedgerMsg>>,
        told: Told<LedgerMsg>,
        ledger: &mut LedgerState,
    ) -> Result<(), ActorProcessingErr> {
        match (told.message, &mut ledger.writing) {
            (LedgerMsg::Commit(work), Writing::Modelled { waiting, busy, .. }) => {
                if !*busy && waiting.is_empty() && work.tx.is_empty() {
                    origin::within(work.tx.origin, || work.outputs.into_iter().for_each(|output| output()));
                    return Ok(());
                }
                waiting.push(work);
                if *busy { Ok(()) } else { Ok(ledger.model()?) }
            }
            (LedgerMsg::Durable(records), Writing::Modelled { waiting, held, busy, .. }) => {
                let first = records.first().map_or(0, |r| r.seq);
                tell(&ledger.listeners, records);
                let_go(first, std::mem::take(held));
                *busy = false;
                if waiting.is_empty() { Ok(()) } else { Ok(ledger.model()?) }
            }
            (LedgerMsg::Commit(_) | LedgerMsg::Durable(_), Writing::Disk) => Err("work came by a way that is not there".into()),
            (LedgerMsg::Failed(error), _) => Err(error.into()),
        }
    }
}

impl LedgerState {
    /// Writes in place what waits; it counts as durable after the modelled span.
    fn model(&mut self) -> Result<(), TwinError> {
        let Writing::Modelled { span, waiting, held, busy } = &mut self.writing else { return Ok(()) };
        *busy = true;
        let group = waiting.len().min(GROUP_TXS_MAX);
        let mut txs = Vec::with_capacity(group);
        for work in waiting.drain(..group) {
            let (tx, outputs) = Held::of(work);
            txs.push(tx);
            held.push(outputs);
        }
        let records = self.twin.commit(txs)?;
        let myself = self.myself.clone();
        // The ledger outlives its own writes, so a failed cast can only mean that the process is ending.
        self.clock.after(*span, move || drop(myself.cast(LedgerMsg::Durable(records).into())));
        Ok(())
    }
}

/// What one work wants done once it is durable.
struct Held {
    records: usize,
    /// The work's own.
    origin: Origin,
    outputs: Vec<Output>,
}

impl Held {
    fn of(work: Work) -> (Tx, Held) {
        let held = Held { records: work.tx.len(), origin: work.tx.origin.clone(), outputs: work.outputs };
        (work.tx, held)
    }
}

/// Does what waited for a group whose first record is `first`. What was written led to what follows; where nothing was,
/// the origin goes on.
fn let_go(first: u64, held: Vec<Held>) {
    let mut next = first;
    for Held { records, origin, outputs } in held {
        next += records as u64;
        let origin = if records > 0 { Origin::record(next - 1) } else { origin };
        origin::within(origin, || outputs.into_iter().for_each(|output| output()));
    }
}

fn tell(listeners: &Listeners, records: Vec<Record>) {
    if listeners.receiver_count() > 0 && !records.is_empty() {
        // Nobody listening any more is no failure.
        let _ = listeners.send(Arc::new(records));
    }
}

/// The thread that writes: one group at a time, of all that came while it wrote the one before. It ends with the ledger.
fn start_writer(
    twin: Arc<Twin>,
    listeners: Listeners,
    ledger: ActorRef<Told<LedgerMsg>>,
) -> Result<mpsc::Sender<Work>, ActorProcessingErr> {
    let (writer, works) = mpsc::channel::<Work>();
    let runtime = tokio::runtime::Handle::current();
    std::thread::Builder::new().name("ledger".into()).spawn(move || {
        // Outputs set timers and start calls.
        let _inside = runtime.enter();
        while let Ok(first) = works.recv() {
            let (tx, outputs) = Held::of(first);
            let (mut txs, mut held) = (vec![tx], vec![outputs]);
            while txs.len() < GROUP_TXS_MAX
                && let Ok(work) = works.try_recv()
            {
                let (tx, outputs) = Held::of(work);
                txs.push(tx);
                held.push(outputs);
            }
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                let records = twin.commit(txs)?;
                let first = records.first().map_or(0, |r| r.seq);
                tell(&listeners, records);
                let_go(first, held);
                Ok(())
            }));
            let error = match outcome {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error,
                Err(_) => StoreError::Broken { what: "write a group", why: "the writer broke off".into() }.into(),
            };
            // A ledger that is gone has nothing to be told.
            let _ = ledger.cast(LedgerMsg::Failed(error).into());
            return;
        }
    })?;
    Ok(writer)
}

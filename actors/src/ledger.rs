//! The ledger: the one writer of the twin. It groups what actors decided, makes the group durable, and only then lets
//! out what they want to say or do, in the order in which they decided it.

use crate::origin::Cause;
use crate::outgoing::{Outgoing, Sent};
use crate::problems::ProblemsMsg;
use crate::{House, Told, origin};
use drivers::Clock;
use drivers::clock::Hold;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, mpsc};
use twin::facet::Standing;
use twin::{By, Entity, Key, Moment, Origin, Record, Refusal, Span, StoreError, Twin, TwinError, Tx};

use smol_str::SmolStr;

/// The most transactions that become durable in one group.
pub const GROUP_TXS_MAX: usize = 4_096;
/// Records that a slow listener may lag behind before it must read the journal instead.
pub const LISTENER_LAG_MAX: usize = 1_024;

/// On whose account something of a work is said.
#[derive(Clone, Debug, PartialEq)]
pub enum Account {
    /// Because of the last record of the work.
    Last,
    /// Because of its record with this number, counted from 1.
    Nth(usize),
    /// Of whoever led to the work, because of its last record.
    By(By),
}

/// What one actor decided in one go: events, and outputs that wait for them.
pub struct Work {
    pub tx: Tx,
    /// What led to it; the transaction's origin says the same once it is written.
    cause: Cause,
    outgoing: Vec<Sent>,
}

impl Work {
    /// A sheet of work of this time, on the account of what is being done.
    pub fn at(at: Moment) -> Self {
        let cause = origin::cause();
        let mut tx = Tx::at(at);
        tx.origin = cause.origin();
        Work { tx, cause, outgoing: Vec::new() }
    }

    /// Says it once everything in this work is durable.
    pub fn say(&mut self, what: Outgoing) {
        self.say_on(Account::Last, what);
    }

    pub fn say_on(&mut self, account: Account, what: Outgoing) {
        // Most say one thing, and how far they are.
        if self.outgoing.capacity() == 0 {
            self.outgoing.reserve_exact(2);
        }
        self.outgoing.push(Sent { account, what });
    }

    /// What it is going to say.
    pub fn outgoing(&self) -> &[Sent] {
        &self.outgoing
    }
}

/// One entity in an actor's keeping: the generic host that is the same for every kind.
#[derive(Clone, Debug)]
pub struct Host<E> {
    pub id: SmolStr,
    pub version: u32,
    pub state: E,
    standing: Standing,
}

impl<E: Entity> Host<E> {
    /// The entity as the twin knows it; new where the twin does not.
    pub fn load(twin: &Twin, id: impl Into<SmolStr>) -> Result<Self, TwinError> {
        let id = id.into();
        let (version, state) = twin.load::<E>(&id)?.unwrap_or_default();
        let standing = Standing::of(&id, version, &state);
        Ok(Host { id, version, state, standing })
    }

    /// One that is not there yet.
    pub fn new(id: SmolStr) -> Self {
        Host { id, version: 0, state: E::default(), standing: Standing::default() }
    }

    pub fn exists(&self) -> bool {
        self.version > 0
    }

    /// Decides and applies at once; the events go into `work`. Says how many there were: none means it had happened already.
    pub fn command(&mut self, work: &mut Work, command: E::Command) -> Result<usize, Refusal> {
        let events = self.state.decide(&self.id, work.tx.at, command)?;
        let count = events.len();
        if count > 0 {
            events.iter().for_each(|event| self.state.apply(work.tx.at, event));
            self.version += count as u32;
            let before = std::mem::take(&mut self.standing);
            let wrong = before.clone_troubles();
            self.standing = work.tx.stage(&self.id, self.version, events, before, &self.state);
            if self.standing.is_wrong_otherwise(&wrong) {
                let changed = ProblemsMsg::Changed(Key::new(E::KIND, self.id.clone()));
                work.say_on(Account::Nth(work.tx.len()), Outgoing::Problems(changed));
            }
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

/// What the ledger has to be told.
pub struct CannotWrite(pub TwinError);

/// Stands by for the day on which nothing can be written: then it fails, and the site ends.
pub struct Ledger;

pub struct LedgerArguments {
    pub house: Arc<House>,
    pub pace: Pace,
}

/// Where work for the ledger is put.
#[derive(Clone, Default)]
pub struct Letterbox(Arc<RwLock<Option<Way>>>);

enum Way {
    /// To a thread that writes whatever has come meanwhile as one group, and lets its outputs go.
    /// Time waits for what is under way there, where it waits for anything.
    Disk(Clock, mpsc::Sender<(Work, Hold)>),
    Modelled(Arc<Modelled>),
    /// A test that looks at what comes.
    #[cfg(test)]
    Ear(Box<dyn Fn(Work) + Send + Sync>),
}

impl Letterbox {
    pub fn put(&self, work: Work) {
        match &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            // A writer that is gone has told the ledger why, and the site ends.
            Some(Way::Disk(clock, writer)) => drop(writer.send((work, clock.hold()))),
            Some(Way::Modelled(modelled)) => modelled.put(work),
            #[cfg(test)]
            Some(Way::Ear(ear)) => ear(work),
            // As a message to an empty seat: the house has not begun, or is over.
            None => {}
        }
    }

    #[cfg(test)]
    pub fn hear(&self, ear: impl Fn(Work) + Send + Sync + 'static) {
        self.open(Way::Ear(Box::new(ear)));
    }

    fn open(&self, way: Way) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(way);
    }

    /// The house is over: nothing more comes in, and nothing more goes out of it. On a disk, what was put is still written.
    pub fn close(&self) {
        if let Some(Way::Modelled(modelled)) = self.0.write().unwrap_or_else(PoisonError::into_inner).take() {
            modelled.queue().over = true;
        }
    }
}

impl Actor for Ledger {
    type Msg = Told<CannotWrite>;
    type State = ();
    type Arguments = LedgerArguments;

    async fn pre_start(&self, myself: ActorRef<Told<CannotWrite>>, args: LedgerArguments) -> Result<(), ActorProcessingErr> {
        let LedgerArguments { house, pace } = args;
        let (clock, letterbox) = (house.clock.clone(), house.ledger.clone());
        let scribe = Scribe { house, ledger: myself };
        let way = match pace {
            Pace::Disk => Way::Disk(clock, scribe.start()?),
            Pace::Modelled(span) => Way::Modelled(Arc::new(Modelled { scribe, clock, span, queue: Mutex::default() })),
        };
        letterbox.open(way);
        Ok(())
    }

    async fn handle(&self, _: ActorRef<Told<CannotWrite>>, told: Told<CannotWrite>, _: &mut ()) -> Result<(), ActorProcessingErr> {
        Err(told.message.0.into())
    }
}

/// What one work says once it is durable.
struct Held {
    records: usize,
    /// The work's own.
    cause: Cause,
    outgoing: Vec<Sent>,
}

impl Held {
    /// Works taken apart: what is written, and what waits for it.
    fn of(works: Vec<Work>) -> (Vec<Tx>, Vec<Held>) {
        let (mut txs, mut held) = (Vec::with_capacity(works.len()), Vec::with_capacity(works.len()));
        for Work { tx, cause, outgoing } in works {
            held.push(Held { records: tx.len(), cause, outgoing });
            txs.push(tx);
        }
        (txs, held)
    }
}

/// Who writes groups, tells the listeners, and lets out what waited.
struct Scribe {
    house: Arc<House>,
    ledger: ActorRef<Told<CannotWrite>>,
}

impl Scribe {
    /// Does it; where that fails or breaks off, the ledger hears why. Says whether it went well.
    fn does(&self, act: impl FnOnce() -> Result<(), TwinError>) -> bool {
        let error = match catch_unwind(AssertUnwindSafe(act)) {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => error,
            Err(_) => StoreError::Broken { what: "write a group", why: "the writer broke off".into() }.into(),
        };
        // A ledger that is gone has nothing to be told.
        let _ = self.ledger.cast(CannotWrite(error).into());
        false
    }

    /// Tells the listeners, then does what waited for these records. What was written led to what follows; where nothing
    /// was, the cause goes on.
    fn let_go(&self, records: Vec<Record>, held: Vec<Held>) {
        let (house, mut first) = (&*self.house, records.first().map_or(0, |r| r.seq));
        if house.listeners.receiver_count() > 0 && !records.is_empty() {
            // Nobody listening any more is no failure.
            let _ = house.listeners.send(Arc::new(records));
        }
        for Held { records, cause, outgoing } in held {
            let written = |nth: usize| match records {
                0 => cause.clone(),
                _ => Cause::Record(first + nth as u64 - 1),
            };
            for Sent { account, what } in outgoing {
                let cause = match account {
                    Account::Last => written(records),
                    Account::Nth(nth) => written(nth),
                    Account::By(by) => Origin { by, ..written(records).origin() }.into(),
                };
                let whom = what.whom();
                // Whoever it was for may fall over it; the ledger does not.
                if catch_unwind(AssertUnwindSafe(|| origin::within(cause, || house.release(what)))).is_err() {
                    tracing::error!(whom, "fell over what it was told");
                    house.twin.alarm(house.clock.now(), &format!("{whom} fell over what it was told; the log says where"));
                }
            }
            first += records as u64;
        }
    }

    /// The thread that writes: one group at a time, of all that came while it wrote the one before. It ends with the ledger.
    fn start(self) -> Result<mpsc::Sender<(Work, Hold)>, ActorProcessingErr> {
        let (writer, works) = mpsc::channel::<(Work, Hold)>();
        let runtime = tokio::runtime::Handle::current();
        std::thread::Builder::new().name("ledger".into()).spawn(move || {
            // Outputs set timers and start calls.
            let _inside = runtime.enter();
            while let Ok(first) = works.recv() {
                let mut group = vec![first];
                while group.len() < GROUP_TXS_MAX
                    && let Ok(work) = works.try_recv()
                {
                    group.push(work);
                }
                // Let go with what they led to.
                let (works, _holds): (Vec<_>, Vec<_>) = group.into_iter().unzip();
                let (txs, held) = Held::of(works);
                let went_well = self.does(|| {
                    let records = self.house.twin.commit(txs)?;
                    self.let_go(records, held);
                    Ok(())
                });
                if !went_well {
                    return;
                }
            }
        })?;
        Ok(writer)
    }
}

/// Writes in place; what it wrote counts as durable after the span, and one group at a time does.
struct Modelled {
    scribe: Scribe,
    clock: Clock,
    span: Span,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    /// For the group after the one that is being written.
    waiting: Vec<Work>,
    busy: bool,
    /// The house is, or it could not write: nothing leaves it.
    over: bool,
}

impl Modelled {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn does(&self, act: impl FnOnce() -> Result<(), TwinError>) {
        if !self.scribe.does(act) {
            self.queue().over = true;
        }
    }

    fn put(self: &Arc<Self>, work: Work) {
        let mut queue = self.queue();
        if queue.over {
            return;
        }
        if queue.busy {
            return queue.waiting.push(work);
        }
        queue.busy = !work.tx.is_empty();
        drop(queue);
        if work.tx.is_empty() {
            let (_, held) = Held::of(vec![work]);
            self.does(|| {
                self.scribe.let_go(Vec::new(), held);
                Ok(())
            });
        } else {
            self.write(vec![work]);
        }
    }

    fn write(self: &Arc<Self>, works: Vec<Work>) {
        let (txs, held) = Held::of(works);
        self.does(|| {
            let records = self.scribe.house.twin.commit(txs)?;
            let me = self.clone();
            self.clock.after(self.span, move || me.is_durable(records, held));
            Ok(())
        });
    }

    fn is_durable(self: Arc<Self>, records: Vec<Record>, held: Vec<Held>) {
        if self.queue().over {
            return;
        }
        self.does(|| {
            self.scribe.let_go(records, held);
            Ok(())
        });
        let mut queue = self.queue();
        if queue.over {
            return;
        }
        let rest = queue.waiting.len().min(GROUP_TXS_MAX);
        let next: Vec<_> = queue.waiting.drain(..rest).collect();
        queue.busy = !next.is_empty();
        drop(queue);
        if !next.is_empty() {
            self.write(next);
        }
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;

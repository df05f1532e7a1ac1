//! The thread that keeps the query side up with the journal: makes it where it must be made, then follows. It reads the
//! journal alone, so that catching up and following are one thing, and whoever writes knows nothing of it and never waits for it.

use super::tables::Tables;
use super::{Query, QueryError, State, schema};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use twin::Twin;
use twin::projection::Projection;

/// How often it looks whether something was written: what changed twice in between is written once.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// After a failure, such as a full disk; twice as long after each that follows.
const TRY_AGAIN: Duration = Duration::from_secs(10);
const TRY_AGAIN_MAX: Duration = Duration::from_secs(640);

/// So many records later a failure is the first again.
const WELL_RECORDS: u64 = 1_000;

/// Ends when dropped.
pub struct Follower {
    bell: Arc<Bell>,
    thread: Option<JoinHandle<()>>,
}

/// Rung when it is to stop.
#[derive(Default)]
struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    fn stops(&self) -> bool {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits so long, not at all once it is to stop.
    fn wait(&self, most: Duration) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_timeout_while(rung, most, |rung| !*rung));
    }
}

impl Follower {
    /// Begins to follow `twin` into the tables in the data folder of `query`.
    pub fn start(query: Arc<Query>, twin: Arc<Twin>) -> std::io::Result<Self> {
        let bell = Arc::new(Bell::default());
        let hears = bell.clone();
        let thread = std::thread::Builder::new().name("query side".into()).spawn(move || follow(&query, &twin, &hears))?;
        Ok(Follower { bell, thread: Some(thread) })
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.bell.ring();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the query side broke off");
        }
    }
}

fn follow(query: &Query, twin: &Arc<Twin>, bell: &Bell) {
    give_way();
    let mut pause = Duration::ZERO;
    while !bell.stops() {
        let opened = open(query, twin, &mut |done, of| {
            query.say(State::Making { done, of });
            !bell.stops()
        });
        let error = match opened {
            Ok(None) => return,
            Ok(Some(tables)) => match go_on(query, tables, bell, &mut pause) {
                Ok(()) => return,
                Err(error) => error,
            },
            Err(error) => error,
        };
        query.say(State::Closed);
        if error.is_of_the_tables() {
            give_up(&query.data, &error);
        } else {
            tracing::error!(%error, "the query side cannot be read or written; it is tried again, and the site goes on without");
        }
        // The first time at once: a file that was spoiled is made anew, and that is all. What fails again will go on failing.
        bell.wait(pause);
        pause = (pause * 2).clamp(TRY_AGAIN, TRY_AGAIN_MAX);
    }
}

/// As of `nice`: whoever answers a sorter or writes the journal has the processor first. On Linux it is of the one thread;
/// elsewhere it would be of the whole process. That it is not allowed is no harm.
fn give_way() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, 10);
}

/// The tables as they stand, or made anew.
pub fn open(query: &Query, twin: &Arc<Twin>, told: &mut dyn FnMut(u64, u64) -> bool) -> Result<Option<Tables>, QueryError> {
    match Tables::open(&query.data, twin) {
        Ok(tables) => return Ok(Some(tables)),
        Err(QueryError::Absent { .. }) => tracing::info!(records = twin.head().records, "the query side is made from the journal"),
        Err(error) if error.is_of_the_tables() => {
            tracing::warn!(records = twin.head().records, why = %error, "the query side is made anew from the journal");
        }
        Err(error) => return Err(error),
    }
    let made = Tables::make(&query.data, twin, told)?;
    if let Some(tables) = &made {
        tracing::info!(records = tables.applied().records, "the query side is made");
    }
    Ok(made)
}

/// Follows until it is to stop. What went well for a while is no failure in a row.
fn go_on(query: &Query, mut tables: Tables, bell: &Bell, pause: &mut Duration) -> Result<(), QueryError> {
    let began = tables.applied().records;
    loop {
        tables.follow(&mut |applied| {
            query.say(State::Open { applied });
            !bell.stops()
        })?;
        query.say(State::Open { applied: tables.applied() });
        if bell.stops() {
            return tables.close();
        }
        if tables.applied().records > began + WELL_RECORDS {
            *pause = Duration::ZERO;
        }
        if let Some(why) = query.take_damage() {
            return Err(QueryError::Other { why });
        }
        bell.wait(LOOK_EVERY);
    }
}

/// Takes away what cannot be used, so that the next look makes it anew.
fn give_up(data: &Path, error: &QueryError) {
    tracing::warn!(why = %error, "the query side is given up");
    if let Err(error) = schema::remove(&schema::path(data)) {
        tracing::error!(%error, "the query side cannot be removed");
    }
}

/// Where no site runs: lets the tables take in what was written, if they are there. Where they cannot, they go: what was to be
/// forgotten must not stay in them.
pub fn settle(data: &Path, twin: &Arc<Twin>) -> Result<(), QueryError> {
    schema::remove_unfinished(data)?;
    let path = schema::path(data);
    if !path.exists() {
        return Ok(());
    }
    let settled = Tables::open(data, twin).and_then(|mut tables| {
        tables.follow(&mut |_| true)?;
        tables.close()
    });
    if let Err(error) = settled {
        tracing::warn!(why = %error, "the query side is removed; the site makes it anew");
        schema::remove(&path)?;
    }
    Ok(())
}

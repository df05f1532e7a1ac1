//! The thread that keeps the query side up with the journal: makes it where it must be made, then follows. It reads the
//! journal alone, so that catching up and following are one thing; whoever writes only wakes it, and never waits for it.

use super::tables::Tables;
use super::{Query, QueryError, State, schema};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use twin::Twin;
use twin::projection::Projection;

/// How long it waits for more after it was woken: what changed twice is written once.
const GATHER: Duration = Duration::from_millis(50);
/// It looks by itself too.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After a failure that making anew would not mend, such as a full disk.
const TRY_AGAIN: Duration = Duration::from_secs(10);

/// Ends when dropped.
pub struct Follower {
    bell: Arc<Bell>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Bell {
    rung: Mutex<Rung>,
    changed: Condvar,
}

#[derive(Default)]
struct Rung {
    news: bool,
    stop: bool,
}

impl Bell {
    fn ring(&self, how: impl FnOnce(&mut Rung)) {
        how(&mut self.rung.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    fn stops(&self) -> bool {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner).stop
    }

    /// Waits for news, at most so long; not at all once it is to stop.
    fn wait(&self, most: Duration, news: bool) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        if !news {
            rung.news = false;
        }
        let quiet = |rung: &mut Rung| !(rung.stop || (news && rung.news));
        rung = self.changed.wait_timeout_while(rung, most, quiet).unwrap_or_else(PoisonError::into_inner).0;
        if news {
            rung.news = false;
        }
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

    /// Something was written.
    pub fn wake(&self) {
        self.bell.ring(|rung| rung.news = true);
    }

    /// The same for whoever outlives it.
    pub fn waker(&self) -> impl Fn() + Send + Sync + 'static {
        let bell = self.bell.clone();
        move || bell.ring(|rung| rung.news = true)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.bell.ring(|rung| rung.stop = true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the query side broke off");
        }
    }
}

fn follow(query: &Query, twin: &Arc<Twin>, bell: &Bell) {
    while !bell.stops() {
        let tables = match open(query, twin, &mut |done, of| {
            query.say(State::Making { done, of });
            !bell.stops()
        }) {
            Ok(Some(tables)) => tables,
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, "the query side cannot be made; it is tried again in a while, and the site goes on without");
                query.say(State::Closed);
                bell.wait(TRY_AGAIN, false);
                continue;
            }
        };
        match go_on(query, tables, bell) {
            Ok(()) => return,
            Err(error) => {
                query.say(State::Closed);
                if error.is_of_the_tables() {
                    give_up(&query.data, &error);
                } else {
                    tracing::error!(%error, "the query side cannot be written; it is tried again in a while, and the site goes on without");
                    bell.wait(TRY_AGAIN, false);
                }
            }
        }
    }
}

/// The tables as they stand, or made anew.
pub fn open(query: &Query, twin: &Arc<Twin>, told: &mut dyn FnMut(u64, u64) -> bool) -> Result<Option<Tables>, QueryError> {
    match Tables::open(&query.data, twin) {
        Ok(tables) => return Ok(Some(tables)),
        Err(QueryError::Absent { .. }) if twin.head().records == 0 => {}
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

/// Follows until it is to stop.
fn go_on(query: &Query, mut tables: Tables, bell: &Bell) -> Result<(), QueryError> {
    loop {
        tables.follow(&mut |applied| {
            query.say(State::Open { applied });
            !bell.stops()
        })?;
        query.say(State::Open { applied: tables.applied() });
        if bell.stops() {
            return tables.close();
        }
        if let Some(why) = query.take_damage() {
            return Err(QueryError::Other { why });
        }
        bell.wait(LOOK_EVERY, true);
        bell.wait(GATHER, false);
    }
}

/// Takes away what cannot be used, so that the next look makes it anew.
fn give_up(data: &PathBuf, error: &QueryError) {
    tracing::warn!(why = %error, "the query side is given up");
    if let Err(error) = schema::remove(&schema::path(data)) {
        tracing::error!(%error, "the query side cannot be removed");
    }
}

//! The query side: the journal as tables in an embedded SQLite file, for whatever the house itself never needs to ask: lists by
//! any facet, parts of a buyer's name, a month's freight.
//!
//! It is a projection: never the truth, never waited for, made anew from the journal whenever it is not there, not whole, of
//! another version or of another journal. No simulated run has one. `docs/QUERY.md` describes the tables.

pub mod fold;
pub mod follow;
mod goods;
mod happened;
pub mod lists;
mod order_rows;
pub mod pages;
mod rows;
pub mod schema;
pub mod search;
pub mod tables;

use rusqlite::{Connection, ErrorCode};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use twin::journal::Head;
use twin::{StoreError, TwinError};

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error("{}: the query side is not there; a running site makes it, and so does `parceltwin query rebuild`", path.display())]
    Absent { path: PathBuf },
    #[error("the query side is being made: {done} of {of} records")]
    Making { done: u64, of: u64 },
    #[error("the query side is made anew: {why}")]
    Other { why: String },
    #[error("{}: {why}", path.display())]
    File { path: PathBuf, why: String },
    #[error("SQLite: {0}")]
    Sql(#[from] rusqlite::Error),
    #[error(transparent)]
    Twin(#[from] TwinError),
}

impl From<StoreError> for QueryError {
    fn from(error: StoreError) -> Self {
        QueryError::Twin(error.into())
    }
}

impl QueryError {
    /// Whether the file is not what was written.
    pub fn is_damage(&self) -> bool {
        let QueryError::Sql(rusqlite::Error::SqliteFailure(e, _)) = self else { return false };
        matches!(e.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    }

    /// Whether tables made anew would answer: they are not there, not whole, or not of this journal.
    pub fn is_of_the_tables(&self) -> bool {
        match self {
            QueryError::Absent { .. } | QueryError::Other { .. } => true,
            QueryError::Sql(rusqlite::Error::SqliteFailure(e, _)) => {
                self.is_damage() || matches!(e.code, ErrorCode::Unknown | ErrorCode::ConstraintViolation)
            }
            QueryError::Sql(rusqlite::Error::SqlInputError { .. } | rusqlite::Error::FromSqlConversionFailure(..)) => true,
            QueryError::Sql(rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::QueryReturnedNoRows) => true,
            _ => false,
        }
    }
}

/// Connections that are kept for the next question.
const READERS_MAX: usize = 8;

/// The query side as those see it who ask.
pub struct Query {
    data: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    state: State,
    /// Counts the files that were there one after the other: a connection to an old one is of no use.
    file: u64,
    readers: Vec<Connection>,
    /// A question found the file damaged.
    damaged: Option<String>,
}

#[derive(Clone, Debug, Default)]
enum State {
    #[default]
    Closed,
    Making {
        done: u64,
        of: u64,
    },
    Open {
        applied: Head,
    },
}

impl Query {
    /// That of the twin in a data folder.
    pub fn of(data: &Path) -> Self {
        Query { data: data.into(), inner: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Up to which record it answers; `None` while it is made.
    pub fn applied(&self) -> Option<Head> {
        match self.lock().state {
            State::Open { applied } => Some(applied),
            _ => None,
        }
    }

    /// How far it is, whatever it is doing.
    pub fn done(&self) -> u64 {
        match self.lock().state {
            State::Open { applied } => applied.records,
            State::Making { done, .. } => done,
            State::Closed => 0,
        }
    }

    /// Asks the tables. Waits for a disk: not where others would wait for that. One read transaction, so all that is asked
    /// belongs together.
    pub fn ask<T>(&self, ask: impl FnOnce(&Connection) -> Result<T, QueryError>) -> Result<T, QueryError> {
        let (file, reader) = {
            let mut inner = self.lock();
            match inner.state {
                State::Open { .. } => {}
                State::Making { done, of } => return Err(QueryError::Making { done, of }),
                State::Closed => return Err(QueryError::Making { done: 0, of: 0 }),
            }
            (inner.file, inner.readers.pop())
        };
        let answer = reader.map_or_else(|| schema::look(&self.data), Ok).and_then(|reader| {
            reader.execute_batch("BEGIN")?;
            let answer = ask(&reader);
            // A connection that cannot end what it began is of no use for the next question.
            Ok((answer?, reader.execute_batch("ROLLBACK").is_ok().then_some(reader)))
        });
        let mut inner = self.lock();
        match answer {
            Ok((answer, reader)) => {
                if inner.file == file && inner.readers.len() < READERS_MAX {
                    inner.readers.extend(reader);
                }
                Ok(answer)
            }
            Err(error) => {
                if error.is_damage() && inner.file == file {
                    inner.damaged = Some(error.to_string());
                }
                Err(error)
            }
        }
    }

    fn say(&self, state: State) {
        let mut inner = self.lock();
        let opens = matches!(state, State::Open { .. }) && !matches!(inner.state, State::Open { .. });
        if opens {
            inner.file += 1;
            inner.readers.clear();
            inner.damaged = None;
        }
        inner.state = state;
    }

    fn take_damage(&self) -> Option<String> {
        self.lock().damaged.take()
    }
}

/// Up to which record the tables of a connection are, in the transaction that it is in.
pub fn applied(db: &Connection) -> Result<u64, QueryError> {
    let record: i64 = db.prepare_cached("SELECT record FROM applied")?.query_row([], |row| row.get(0))?;
    Ok(record as u64)
}

//! The history of one thing or of several: their records alone, in either direction, from any place in the journal.
//!
//! It reads what [`Journal::groups_of`] leads to and leaves out what others stand there for.

use super::{Group, Journal, Record};
use crate::{Key, TwinError};
use std::collections::VecDeque;

/// Where in the journal reading begins, and which way it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Records with a higher number, the oldest first.
    After(u64),
    /// Records with a lower number, the newest first.
    Before(u64),
}

impl Way {
    /// From the beginning on.
    pub const OLDEST_FIRST: Way = Way::After(0);
    /// From the end back.
    pub const NEWEST_FIRST: Way = Way::Before(u64::MAX);

    /// What is left of it behind a group.
    pub(crate) fn past(self, group: &Group) -> Way {
        match self {
            Way::After(_) => Way::After(group.head().records),
            Way::Before(_) => Way::Before(group.first),
        }
    }

    fn takes(self, seq: u64) -> bool {
        match self {
            Way::After(after) => seq > after,
            Way::Before(before) => seq < before,
        }
    }
}

/// What happened to these things, read as it is needed. On the way back it ends with the first event of the last of them.
pub fn history<'a>(journal: &'a dyn Journal, keys: &[Key], way: Way) -> impl Iterator<Item = Result<Record, TwinError>> + use<'a> {
    let keys = keys.to_vec();
    // Those of which something may still come.
    let mut open = keys.clone();
    let mut groups = journal.groups_of(&keys, way);
    let mut ready = VecDeque::new();
    std::iter::from_fn(move || {
        loop {
            match ready.pop_front() {
                Some(Ok(record)) => {
                    let record: Record = record;
                    if matches!(way, Way::Before(_)) && record.version == 1 {
                        open.retain(|key| *key != record.key);
                    }
                    return Some(Ok(record));
                }
                Some(Err(error)) => return Some(Err(error)),
                None if open.is_empty() => return None,
                None => {}
            }
            let group = match groups.next()? {
                Ok(group) => group,
                Err(error) => return Some(Err(TwinError::from(error))),
            };
            let found = group.of(&keys).filter(|r| r.as_ref().map_or(true, |r| way.takes(r.seq)));
            match way {
                Way::After(_) => ready.extend(found),
                Way::Before(_) => ready.extend(found.rev()),
            }
        }
    })
}

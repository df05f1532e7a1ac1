//! `Idempotency-Key`: the same request sent twice gets the same answer twice.
//!
//! Answers are kept in memory only, and only those of accepted requests. That is enough: orders carry their ids, so a
//! request repeated after a restart changes nothing; its answer then says `known` instead of `accepted`.

use super::limits::{IDEMPOTENCY_KEY_LENGTH_MAX, IDEMPOTENCY_KEYS_MAX};
use super::problem::Problem;
use actors::intake::Receipt;
use axum::http::{HeaderMap, StatusCode};
use smol_str::SmolStr;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use twin::Hash;

pub const HEADER: &str = "idempotency-key";
pub const REPLAYED: &str = "idempotent-replayed";

/// Keys that were used lately.
#[derive(Default)]
pub struct Keys(Mutex<Shelf>);

#[derive(Default)]
struct Shelf {
    entries: HashMap<SmolStr, Entry>,
    /// When each kept answer was asked for last; the first is the next to go.
    used: BTreeMap<u64, SmolStr>,
    ticks: u64,
}

enum Entry {
    UnderWay(Hash),
    Answered { body: Hash, receipts: Arc<[Receipt]>, tick: u64 },
}

/// What a key turned out to be.
pub enum Claim {
    /// New: keep the answer with the ticket.
    Ours(Ticket),
    /// The answer to the very same request.
    Answered(Arc<[Receipt]>),
}

/// The right to answer under a key. Dropped without an answer, the key is free again.
pub struct Ticket {
    keys: Arc<Keys>,
    key: SmolStr,
    body: Hash,
}

/// The key of a request, if it has one.
pub fn key_of(headers: &HeaderMap) -> Result<Option<SmolStr>, Problem> {
    let Some(value) = headers.get(HEADER) else { return Ok(None) };
    match value.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= IDEMPOTENCY_KEY_LENGTH_MAX => Ok(Some(key.into())),
        _ => Err(Problem::bad_request(format!("Idempotency-Key must be 1 to {IDEMPOTENCY_KEY_LENGTH_MAX} printable ASCII characters"))),
    }
}

impl Keys {
    pub fn claim(self: &Arc<Self>, key: SmolStr, body: Hash) -> Result<Claim, Problem> {
        let mut shelf = self.shelf();
        shelf.ticks += 1;
        let now = shelf.ticks;
        let known = match shelf.entries.get_mut(&key) {
            None => None,
            Some(Entry::UnderWay(other) | Entry::Answered { body: other, .. }) if *other != body => {
                let detail = format!("Idempotency-Key {key:?} came with another body before; take a new key for a new request");
                return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "key-reused", "The key belongs to another request", detail));
            }
            Some(Entry::UnderWay(_)) => {
                let detail = format!("the first request with Idempotency-Key {key:?} is still under way; ask again in a moment");
                return Err(Problem::new(StatusCode::CONFLICT, "key-under-way", "The same request is under way", detail));
            }
            Some(Entry::Answered { receipts, tick, .. }) => Some((receipts.clone(), std::mem::replace(tick, now))),
        };
        if let Some((receipts, before)) = known {
            shelf.used.remove(&before);
            shelf.used.insert(now, key);
            return Ok(Claim::Answered(receipts));
        }
        shelf.entries.insert(key.clone(), Entry::UnderWay(body));
        Ok(Claim::Ours(Ticket { keys: self.clone(), key, body }))
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    pub fn keep(self, receipts: &[Receipt]) {
        let mut shelf = self.keys.shelf();
        shelf.ticks += 1;
        let tick = shelf.ticks;
        shelf.entries.insert(self.key.clone(), Entry::Answered { body: self.body, receipts: receipts.into(), tick });
        shelf.used.insert(tick, self.key.clone());
        while shelf.used.len() > IDEMPOTENCY_KEYS_MAX
            && let Some((_, oldest)) = shelf.used.pop_first()
        {
            shelf.entries.remove(&oldest);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut shelf = self.keys.shelf();
        if matches!(shelf.entries.get(&self.key), Some(Entry::UnderWay(_))) {
            shelf.entries.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(keys: &Arc<Keys>, key: &str, body: &str) -> Result<Claim, Problem> {
        keys.claim(key.into(), Hash::of(body.as_bytes()))
    }

    #[test]
    fn a_key_is_free_again_when_its_request_came_to_nothing() {
        let keys = Arc::new(Keys::default());
        let Ok(Claim::Ours(ticket)) = claim(&keys, "k", "a") else { panic!() };
        assert_eq!(claim(&keys, "k", "a").err().map(|p| p.status), Some(409));
        assert_eq!(claim(&keys, "k", "b").err().map(|p| p.status), Some(422));
        drop(ticket);
        assert!(matches!(claim(&keys, "k", "b"), Ok(Claim::Ours(_))));
    }

    #[test]
    fn the_key_not_asked_for_the_longest_goes_first() {
        let keys = Arc::new(Keys::default());
        for n in 0..=IDEMPOTENCY_KEYS_MAX {
            let Ok(Claim::Ours(ticket)) = claim(&keys, &n.to_string(), "a") else { panic!() };
            ticket.keep(&[Receipt::Accepted]);
            assert!(matches!(claim(&keys, "0", "a"), Ok(Claim::Answered(_))), "0 is asked for all the time");
        }
        assert!(matches!(claim(&keys, "1", "b"), Ok(Claim::Ours(_))), "1 was forgotten");
    }
}

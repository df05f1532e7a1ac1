//! The journal: every event in one order, hash-chained, and the twin that is built from it.
//!
//! Each record's hash covers the hash before it, so the last hash stands for the whole history, whatever the groups
//! in which it was written.

use crate::board::Board;
use crate::entity::{Entity, Event, Key, Kind, apply_to_bytes, stage_of_bytes};
use crate::group::{GROUP_BYTES_MAX, Group, check_group, group_hash_after, read_group};
use crate::store::{Store, StoreError, Write};
use crate::{Because, By, Hash, Moment, Origin, parcel};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One event, where it stands in history, and whose it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// From 1, without gaps.
    pub seq: u64,
    pub at: Moment,
    pub by: By,
    pub because: Because,
    pub key: Key,
    /// How many events the entity has had, this one included.
    pub version: u32,
    pub event: Event,
}

/// How long the journal is and what its chain comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub records: u64,
    pub hash: Hash,
}

/// What went wrong with a twin.
#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the journal is damaged at record {seq}: {why}")]
    Damaged { seq: u64, why: String },
    #[error("the state of {key} cannot be read: {why}")]
    BadState { key: Key, why: String },
    #[error("{key} stands differently than its history says; rebuild the twin from its journal")]
    Diverged { key: Key },
}

/// Events of one or more entities that become durable together or not at all.
#[derive(Debug, Default)]
pub struct Tx {
    pub at: Moment,
    /// By whom, and because of what.
    pub origin: Origin,
    entries: Vec<(Key, u32, Event)>,
    states: Vec<(Key, Vec<u8>)>,
    documents: Vec<(Hash, Vec<u8>)>,
    moves: Vec<(Kind, &'static str, &'static str)>,
}

impl Tx {
    pub fn at(at: Moment) -> Self {
        Tx { at, ..Tx::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes in events that `after` is the outcome of. `version` counts them in; `before` is the stage word they left.
    pub fn stage<E: Entity>(&mut self, id: &SmolStr, version: u32, events: Vec<E::Event>, before: &'static str, after: &E) {
        let key = Key { kind: E::KIND, id: id.clone() };
        let first = version - events.len() as u32;
        for (n, event) in events.into_iter().enumerate() {
            self.entries.push((key.clone(), first + n as u32 + 1, event.into()));
        }
        let now = after.stage_word();
        if now != before {
            self.moves.push((E::KIND, before, now));
        }
        let bytes = state_bytes(version, after);
        match self.states.iter_mut().rev().find(|(k, _)| *k == key) {
            Some((_, slot)) => *slot = bytes,
            None => self.states.push((key, bytes)),
        }
    }

    /// Takes in a document (a label) and returns the hash by which events may speak of it.
    pub fn document(&mut self, bytes: Vec<u8>) -> Hash {
        let hash = Hash::of(&bytes);
        self.documents.push((hash, bytes));
        hash
    }
}

fn state_bytes<E: Serialize>(version: u32, state: &E) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    bytes.extend_from_slice(&version.to_le_bytes());
    // Writing our own plain data into memory has no way to fail.
    postcard::to_extend(state, bytes).unwrap_or_default()
}

fn split_state(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (version, state) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*version), state))
}

/// The digital twin: what everything is, and how it came to be so.
pub struct Twin {
    store: Arc<dyn Store>,
    head: Mutex<Head>,
    board: Mutex<Board>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Twin {
    /// Opens the twin in `store`: finds the journal's end and applies what a crash kept from the states.
    pub fn open(store: Arc<dyn Store>) -> Result<Self, TwinError> {
        let head = match store.last_group()? {
            Some(group) => {
                let (records, hash) = read_group(&group)?;
                Head { records: records.last().map_or(0, |r| r.seq), hash }
            }
            None => Head::default(),
        };
        let twin = Twin { store, head: Mutex::new(head), board: Mutex::default() };
        let mark = twin.store.mark()?;
        if mark > head.records {
            twin.store.forget_states()?;
            twin.replay_from(0)?;
        } else if mark < head.records {
            twin.replay_from(mark)?;
        }
        let mut board = Board::default();
        for kind in Kind::ALL {
            for row in twin.store.states(kind) {
                let (id, bytes) = row?;
                let bad = |why: String| TwinError::BadState { key: Key::new(kind, id.clone()), why };
                let (_, state) = split_state(&bytes).ok_or_else(|| bad("it is empty".into()))?;
                let word = stage_of_bytes(kind, state).map_err(|e| bad(e.to_string()))?;
                board.counted(kind, "", word);
            }
        }
        board.head = head;
        *lock(&twin.board) = board;
        Ok(twin)
    }

    /// Writes transactions as one group; durable when it returns. The records come back for whoever listens.
    pub fn commit(&self, txs: impl IntoIterator<Item = Tx>) -> Result<Vec<Record>, TwinError> {
        let mut head = lock(&self.head);
        let mut write = Write::default();
        let mut next = *head;
        let mut records = Vec::new();
        let mut moves = Vec::new();
        let mut group = Group::after(next);
        for tx in txs {
            for (key, version, event) in tx.entries {
                next.records += 1;
                let record = Record {
                    seq: next.records,
                    at: tx.at,
                    by: tx.origin.by.clone(),
                    because: tx.origin.because.clone(),
                    key,
                    version,
                    event,
                };
                next.hash = group.push(&record)?;
                if let Some(entry) = index_entry(&record) {
                    write.index.push(entry);
                }
                records.push(record);
                if group.bytes.len() >= GROUP_BYTES_MAX {
                    write.groups.push(std::mem::replace(&mut group, Group::after(next)).sealed());
                }
            }
            write.states.extend(tx.states);
            write.documents.extend(tx.documents);
            moves.extend(tx.moves);
        }
        if records.is_empty() {
            return Ok(records);
        }
        if group.count > 0 {
            write.groups.push(group.sealed());
        }
        write.last = next.records;
        self.store.write(write)?;
        *head = next;
        let mut board = lock(&self.board);
        board.head = next;
        moves.into_iter().for_each(|(kind, before, after)| board.counted(kind, before, after));
        records.iter().for_each(|r| board.take_in(r));
        Ok(records)
    }

    pub fn head(&self) -> Head {
        *lock(&self.head)
    }

    /// The counts that screens show.
    pub fn board(&self) -> Board {
        lock(&self.board).clone()
    }

    /// An entity and how many events made it.
    pub fn load<E: Entity>(&self, id: &SmolStr) -> Result<Option<(u32, E)>, TwinError> {
        let key = Key { kind: E::KIND, id: id.clone() };
        let Some(bytes) = self.store.state(&key)? else { return Ok(None) };
        read_state(&key, &bytes).map(Some)
    }

    /// All entities of a kind, in the order of their ids.
    pub fn all<E: Entity>(&self) -> impl Iterator<Item = Result<(SmolStr, E), TwinError>> + '_ {
        self.store.states(E::KIND).map(|row| {
            let (id, bytes) = row?;
            let key = Key { kind: E::KIND, id: id.clone() };
            read_state(&key, &bytes).map(|(_, state)| (id, state))
        })
    }

    /// One entity as JSON with its version, whatever its kind.
    pub fn json(&self, key: &Key) -> Result<Option<serde_json::Value>, TwinError> {
        let Some(bytes) = self.store.state(key)? else { return Ok(None) };
        let bad = |why: String| TwinError::BadState { key: key.clone(), why };
        let (version, state) = split_state(&bytes).ok_or_else(|| bad("it is empty".into()))?;
        let mut json =
            crate::entity::with_state(key.kind, state, |s| s.json()).map_err(|e| bad(e.to_string()))?.map_err(|e| bad(e.to_string()))?;
        if let Some(map) = json.as_object_mut() {
            map.insert("id".into(), key.id.as_str().into());
            map.insert("version".into(), version.into());
        }
        Ok(Some(json))
    }

    /// The parcel that wears a tracking number.
    pub fn parcel_of(&self, tracking: &str) -> Result<Option<crate::ParcelId>, TwinError> {
        Ok(self.store.look_up(tracking)?.map(crate::ParcelId::from))
    }

    pub fn document(&self, hash: &Hash) -> Result<Option<Vec<u8>>, TwinError> {
        Ok(self.store.document(hash)?)
    }

    /// Records with a sequence number above `after`, read as they are needed.
    pub fn records(&self, after: u64) -> impl Iterator<Item = Result<Record, TwinError>> + '_ {
        self.store
            .groups(after + 1)
            .flat_map(|group| match group.map_err(TwinError::from).and_then(|g| read_group(&g)) {
                Ok((records, _)) => records.into_iter().map(Ok).collect(),
                Err(e) => vec![Err(e)],
            })
            .filter(move |r| r.as_ref().map_or(true, |r| r.seq > after))
    }

    /// Walks the whole chain, replays it, and compares the outcome with the states. Returns the head it found.
    pub fn verify(&self, mut progress: impl FnMut(u64)) -> Result<Head, TwinError> {
        let shadow = crate::MemoryStore::new();
        let mut replay = Replay::onto(&shadow);
        let mut head = Head::default();
        for group in self.store.groups(0) {
            let group = group?;
            let records = check_group(&group, head)?;
            for record in &records {
                replay.apply(record)?;
                self.check_names(record)?;
            }
            head = Head { records: head.records + records.len() as u64, hash: group_hash_after(&group) };
            progress(head.records);
        }
        replay.flush()?;
        for kind in Kind::ALL {
            for row in self.store.states(kind) {
                let (id, bytes) = row?;
                let key = Key::new(kind, id);
                if shadow.state(&key)?.as_ref() != Some(&bytes) {
                    return Err(TwinError::Diverged { key });
                }
            }
            if let Some(lost) = missing(&shadow, &*self.store, kind)? {
                return Err(TwinError::Diverged { key: lost });
            }
        }
        Ok(head)
    }

    /// A bought label can be found by its number, and its document is there.
    fn check_names(&self, record: &Record) -> Result<(), TwinError> {
        let lost = |what: &str| Err(TwinError::Damaged { seq: record.seq, why: format!("the {what} of {} is not there", record.key) });
        if let Event::Parcel(parcel::Event::LabelBought { tracking, label, .. }) = &record.event {
            if self.store.look_up(tracking.as_str())?.is_none() {
                return lost("tracking number");
            }
            if self.store.document(label)?.is_none() {
                return lost("label");
            }
        }
        Ok(())
    }

    /// Throws the states away and makes them again from the journal, once that has been found whole.
    pub fn rebuild(&self) -> Result<Head, TwinError> {
        let mut head = Head::default();
        for group in self.store.groups(0) {
            let group = group?;
            let records = check_group(&group, head)?;
            head = Head { records: head.records + records.len() as u64, hash: group_hash_after(&group) };
        }
        self.store.forget_states()?;
        self.replay_from(0)?;
        Ok(self.head())
    }

    /// Copies everything into a fresh store.
    pub fn copy_to(&self, other: &dyn Store, mut progress: impl FnMut(u64)) -> Result<Head, TwinError> {
        let mut head = Head::default();
        let mut write = Write::default();
        for group in self.store.groups(0) {
            let group = group?;
            let records = check_group(&group, head)?;
            let first = head.records + 1;
            head = Head { records: head.records + records.len() as u64, hash: group_hash_after(&group) };
            write.groups.push((first, group));
            write.index.extend(records.iter().filter_map(index_entry));
            if write.groups.len() >= COPY_BATCH {
                other.write(std::mem::take(&mut write))?;
            }
            progress(head.records);
        }
        for row in self.store.documents() {
            write.documents.push(row?);
            if write.documents.len() >= COPY_BATCH {
                other.write(std::mem::take(&mut write))?;
            }
        }
        for kind in Kind::ALL {
            for row in self.store.states(kind) {
                let (id, bytes) = row?;
                write.states.push((Key::new(kind, id), bytes));
                if write.states.len() >= COPY_BATCH {
                    other.write(std::mem::take(&mut write))?;
                }
            }
        }
        write.last = head.records;
        other.write(write)?;
        Ok(head)
    }

    fn replay_from(&self, mark: u64) -> Result<(), TwinError> {
        let mut replay = Replay::onto(&*self.store);
        for record in self.records(mark) {
            replay.apply(&record?)?;
        }
        replay.flush()
    }
}

fn read_state<E: Entity>(key: &Key, bytes: &[u8]) -> Result<(u32, E), TwinError> {
    let bad = |why: String| TwinError::BadState { key: key.clone(), why };
    let (version, state) = split_state(bytes).ok_or_else(|| bad("it is empty".into()))?;
    Ok((version, postcard::from_bytes(state).map_err(|e| bad(e.to_string()))?))
}

fn missing(shadow: &dyn Store, store: &dyn Store, kind: Kind) -> Result<Option<Key>, TwinError> {
    for row in shadow.states(kind) {
        let key = Key::new(kind, row?.0);
        if store.state(&key)?.is_none() {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// States that a replay makes, some thousand records to a write.
struct Replay<'a> {
    store: &'a dyn Store,
    /// Looked up by key; written as it stands.
    states: HashMap<Key, Vec<u8>>,
    index: Vec<(SmolStr, SmolStr)>,
    last: u64,
    records: usize,
}

impl<'a> Replay<'a> {
    fn onto(store: &'a dyn Store) -> Self {
        Replay { store, states: HashMap::new(), index: Vec::new(), last: 0, records: 0 }
    }

    /// Applies a record unless the state has it already. What is found by another name is noted in any case: a crash can
    /// have kept the state and lost the name.
    fn apply(&mut self, record: &Record) -> Result<(), TwinError> {
        let damaged = |why: String| TwinError::Damaged { seq: record.seq, why };
        self.index.extend(index_entry(record));
        self.last = record.seq;
        let before = match self.states.get(&record.key) {
            Some(bytes) => Some(bytes.clone()),
            None => self.store.state(&record.key)?,
        };
        let (version, state) = match before.as_deref().map(split_state) {
            Some(Some((version, state))) => (version, Some(state)),
            Some(None) => return Err(damaged("its entity's state is empty".into())),
            None => (0, None),
        };
        if version < record.version {
            if version + 1 != record.version {
                return Err(damaged(format!("{} is at version {version}, the record at {}", record.key, record.version)));
            }
            let after = apply_to_bytes(&record.event, record.at, state).map_err(|e| damaged(e.to_string()))?;
            let mut bytes = record.version.to_le_bytes().to_vec();
            bytes.extend_from_slice(&after);
            self.states.insert(record.key.clone(), bytes);
        }
        self.records += 1;
        if self.records >= REPLAY_BATCH { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), TwinError> {
        self.records = 0;
        let states = std::mem::take(&mut self.states).into_iter().collect();
        let index = std::mem::take(&mut self.index);
        Ok(self.store.write(Write { last: self.last, states, index, ..Write::default() })?)
    }
}

/// What can be found by another name than its id.
fn index_entry(record: &Record) -> Option<(SmolStr, SmolStr)> {
    match &record.event {
        Event::Parcel(parcel::Event::LabelBought { tracking, .. }) => Some((tracking.0.clone(), record.key.id.clone())),
        _ => None,
    }
}

/// Records to a write when states are made anew.
const REPLAY_BATCH: usize = 4_096;
/// Rows to a write when a twin is copied.
const COPY_BATCH: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryStore, stock};

    fn tx(n: u32, version: u32, stock: &mut stock::Stock) -> Tx {
        let mut tx = Tx::at(Moment(i64::from(n)));
        let event = stock::Event::Received { quantity: n, reference: "R".into() };
        stock.apply(tx.at, &event);
        tx.stage(&"W:S".into(), version, vec![event], "", stock);
        tx
    }

    fn filled(groups: &[usize]) -> (Arc<MemoryStore>, Twin) {
        let store = Arc::new(MemoryStore::new());
        let twin = Twin::open(store.clone()).unwrap();
        let (mut stock, mut n) = (stock::Stock::default(), 0);
        for size in groups {
            let txs: Vec<_> = (0..*size)
                .map(|_| {
                    n += 1;
                    tx(n, n, &mut stock)
                })
                .collect();
            twin.commit(txs).unwrap();
        }
        (store, twin)
    }

    #[test]
    fn grouping_does_not_change_the_hash_and_replay_equals_live() {
        let (store, one) = filled(&[1, 1, 1, 1, 1, 1]);
        let (_, two) = filled(&[4, 2]);
        assert_eq!(one.head(), two.head());
        assert_eq!(one.verify(|_| ()).unwrap(), one.head());
        let live = store.state(&Key::new(Kind::Stock, "W:S")).unwrap();
        one.rebuild().unwrap();
        assert_eq!(store.state(&Key::new(Kind::Stock, "W:S")).unwrap(), live);
        assert_eq!(one.load::<stock::Stock>(&"W:S".into()).unwrap().unwrap().1.on_hand, 21);
        assert_eq!(one.records(4).map(|r| r.unwrap().seq).collect::<Vec<_>>(), [5, 6]);
    }

    #[test]
    fn a_flipped_byte_is_found_and_named() {
        let (store, _) = filled(&[3]);
        let mut group = store.last_group().unwrap().unwrap();
        let last = group.len() - 1;
        group[last] ^= 1;
        let bad = MemoryStore::new();
        bad.write(Write { groups: vec![(1, group)], ..Write::default() }).unwrap();
        let head = Head::default();
        let group = bad.last_group().unwrap().unwrap();
        let error = check_group(&group, head).unwrap_err();
        assert!(matches!(error, TwinError::Damaged { .. }), "{error}");
    }

    #[test]
    fn a_copy_is_the_same_twin() {
        let (_, twin) = filled(&[2, 3]);
        let copy = Arc::new(MemoryStore::new());
        twin.copy_to(&*copy, |_| ()).unwrap();
        let copy = Twin::open(copy).unwrap();
        assert_eq!(copy.head(), twin.head());
        assert_eq!(copy.verify(|_| ()).unwrap(), twin.head());
    }
}

//! The journal: every event in one order, hash-chained, and the twin that is built from it.
//!
//! Each record's hash covers the hash before it, so the last hash stands for the whole history, whatever the groups
//! in which it was written. A group is what became durable at once:
//! `[1][count u32][hash before 32][hash after 32]` then per record `[length u32][postcard]`.

use crate::board::Board;
use crate::entity::{Entity, Event, Key, Kind, apply_to_bytes, stage_of_bytes};
use crate::store::{Store, StoreError, Write};
use crate::{Moment, parcel};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A blake3 hash.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Hash(#[serde(with = "hex")] pub [u8; 32]);

impl Hash {
    pub fn of(bytes: &[u8]) -> Self {
        Hash(*blake3::hash(bytes).as_bytes())
    }

    fn chain(self, record: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0);
        hasher.update(record);
        Hash(*hasher.finalize().as_bytes())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}
impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// People read hex, the journal keeps the bytes.
mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bytes: &[u8; 32], s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { s.collect_str(&super::Hash(*bytes)) } else { serde::Serialize::serialize(bytes, s) }
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<[u8; 32], D::Error> {
        if !d.is_human_readable() {
            return <[u8; 32]>::deserialize(d);
        }
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(D::Error::custom("a hash has 64 hex digits"));
        }
        for (n, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * n..2 * n + 2], 16).map_err(D::Error::custom)?;
        }
        Ok(bytes)
    }
}

/// One event, where it stands in history, and whose it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// From 1, without gaps.
    pub seq: u64,
    pub at: Moment,
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
                let record = Record { seq: next.records, at: tx.at, key, version, event };
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

/// A journal group in the making.
struct Group {
    first: u64,
    before: Hash,
    after: Hash,
    count: u32,
    bytes: Vec<u8>,
}

impl Group {
    fn after(head: Head) -> Self {
        let mut bytes = Vec::with_capacity(1024);
        bytes.extend_from_slice(&[0; GROUP_HEADER]);
        Group { first: head.records + 1, before: head.hash, after: head.hash, count: 0, bytes }
    }

    /// Appends a record and returns the chain's hash after it.
    fn push(&mut self, record: &Record) -> Result<Hash, TwinError> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes = postcard::to_extend(record, std::mem::take(&mut self.bytes))
            .map_err(|e| TwinError::Damaged { seq: record.seq, why: e.to_string() })?;
        let length = (self.bytes.len() - start - 4) as u32;
        self.bytes[start..start + 4].copy_from_slice(&length.to_le_bytes());
        self.after = self.after.chain(&self.bytes[start + 4..]);
        self.count += 1;
        Ok(self.after)
    }

    fn sealed(mut self) -> (u64, Vec<u8>) {
        self.bytes[0] = GROUP_VERSION;
        self.bytes[1..5].copy_from_slice(&self.count.to_le_bytes());
        self.bytes[5..37].copy_from_slice(&self.before.0);
        self.bytes[37..69].copy_from_slice(&self.after.0);
        (self.first, self.bytes)
    }
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

/// A group is cut here. sled puts values beyond some 128 KB into files of their own, which it does not sync.
const GROUP_BYTES_MAX: usize = 32 << 10;
/// Records to a write when states are made anew.
const REPLAY_BATCH: usize = 4_096;
/// Rows to a write when a twin is copied.
const COPY_BATCH: usize = 512;
const GROUP_VERSION: u8 = 1;
const GROUP_HEADER: usize = 69;

fn group_hash_after(group: &[u8]) -> Hash {
    group.get(37..69).and_then(|b| b.try_into().ok()).map(Hash).unwrap_or_default()
}

fn read_group(group: &[u8]) -> Result<(Vec<Record>, Hash), TwinError> {
    let mut records = Vec::new();
    for bytes in split_group(group, 0)? {
        let record: Record = postcard::from_bytes(bytes)
            .map_err(|e| TwinError::Damaged { seq: records.last().map_or(0, |r: &Record| r.seq + 1), why: e.to_string() })?;
        records.push(record);
    }
    Ok((records, group_hash_after(group)))
}

/// Reads a group that must follow `head`, checking every hash and number.
fn check_group(group: &[u8], head: Head) -> Result<Vec<Record>, TwinError> {
    let damaged = |seq: u64, why: &str| TwinError::Damaged { seq, why: why.into() };
    let mut hash = head.hash;
    let mut records = Vec::new();
    for bytes in split_group(group, head.records + 1)? {
        let seq = head.records + records.len() as u64 + 1;
        let record: Record = postcard::from_bytes(bytes).map_err(|e| damaged(seq, &e.to_string()))?;
        if record.seq != seq {
            return Err(damaged(seq, "its number is out of order"));
        }
        hash = hash.chain(bytes);
        records.push(record);
    }
    if group.get(5..37) != Some(&head.hash.0) {
        return Err(damaged(head.records + 1, "it does not follow from the record before it"));
    }
    if hash != group_hash_after(group) {
        return Err(damaged(head.records + 1, "its hash does not match its content"));
    }
    Ok(records)
}

fn split_group(group: &[u8], seq: u64) -> Result<Vec<&[u8]>, TwinError> {
    let damaged = |why: &str| TwinError::Damaged { seq, why: why.into() };
    if group.len() < GROUP_HEADER || group[0] != GROUP_VERSION {
        return Err(damaged("it is not a journal group of a version known here"));
    }
    let count = u32::from_le_bytes([group[1], group[2], group[3], group[4]]);
    let mut rest = &group[GROUP_HEADER..];
    let mut parts = Vec::new();
    for _ in 0..count {
        let (length, tail) = rest.split_first_chunk::<4>().ok_or_else(|| damaged("it ends too early"))?;
        let length = u32::from_le_bytes(*length) as usize;
        if tail.len() < length {
            return Err(damaged("it ends too early"));
        }
        let (part, tail) = tail.split_at(length);
        parts.push(part);
        rest = tail;
    }
    if rest.is_empty() { Ok(parts) } else { Err(damaged("something stands behind its last record")) }
}

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

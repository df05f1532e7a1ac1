//! Where the twin is kept: one small trait, and the store that lives in memory. The one on disk is [`crate::SledStore`].
//!
//! A store knows keys and bytes, nothing of what they mean.

use crate::{Hash, Key, Kind};
use smol_str::SmolStr;
use std::collections::{BTreeMap, HashMap};
use std::sync::{PoisonError, RwLock};

/// Why a store could not do what it was asked. After any of these the process must stop: the disk is no longer trusted.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot open the store at {path}: {why}")]
    Open { path: String, why: String },
    #[error("the store at {path} is damaged ({why}); bring back a copy of the folder: nothing was changed")]
    Damaged { path: String, why: String },
    #[error("the store at {path} is in use by another process")]
    Locked { path: String },
    #[error("the store failed to {what}: {why}")]
    Broken { what: &'static str, why: String },
}

/// Everything one durable write holds.
#[derive(Clone, Debug, Default)]
pub struct Write {
    /// Journal groups, each under the sequence number of its first record. All of them become durable, or none.
    pub groups: Vec<(u64, Vec<u8>)>,
    /// The record up to which `states` are applied.
    pub last: u64,
    pub states: Vec<(Key, Vec<u8>)>,
    /// Name → id, such as a tracking number to its parcel.
    pub index: Vec<(SmolStr, SmolStr)>,
    pub documents: Vec<(Hash, Vec<u8>)>,
}

/// Rows of a store, in key order, read as they are needed.
pub type Rows<'a, T> = Box<dyn Iterator<Item = Result<T, StoreError>> + 'a>;

/// A journal, the states it led to, an index, and documents by their hash.
pub trait Store: Send + Sync {
    /// Durable when it returns.
    fn write(&self, write: Write) -> Result<(), StoreError>;
    /// Journal groups in order, from the one that holds record `from` (or the next after it).
    fn groups(&self, from: u64) -> Rows<'_, Vec<u8>>;
    /// The newest journal group.
    fn last_group(&self) -> Result<Option<Vec<u8>>, StoreError>;
    /// The record up to which the states are applied.
    fn mark(&self) -> Result<u64, StoreError>;
    fn state(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError>;
    /// States of one kind in the order of their ids.
    fn states(&self, kind: Kind) -> Rows<'_, (SmolStr, Vec<u8>)>;
    fn look_up(&self, name: &str) -> Result<Option<SmolStr>, StoreError>;
    fn document(&self, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError>;
    fn documents(&self) -> Rows<'_, (Hash, Vec<u8>)>;
    /// Forgets states and index, which the journal can bring back. The mark becomes 0.
    fn forget_states(&self) -> Result<(), StoreError>;
}

/// A store that lives as long as the process. For simulations and tests.
#[derive(Debug, Default)]
pub struct MemoryStore(RwLock<Shelves>);

#[derive(Debug, Default)]
struct Shelves {
    journal: Vec<(u64, Box<[u8]>)>,
    /// Looked up by key only; `states` sorts what it hands out.
    states: HashMap<Key, Vec<u8>>,
    index: HashMap<SmolStr, SmolStr>,
    documents: BTreeMap<Hash, Vec<u8>>,
    mark: u64,
}

impl MemoryStore {
    pub fn new() -> Self {
        Self::default()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Shelves> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn write(&self, write: Write) -> Result<(), StoreError> {
        let mut shelves = self.0.write().unwrap_or_else(PoisonError::into_inner);
        shelves.journal.extend(write.groups.into_iter().map(|(first, group)| (first, group.into_boxed_slice())));
        shelves.states.extend(write.states);
        shelves.index.extend(write.index);
        shelves.documents.extend(write.documents);
        shelves.mark = shelves.mark.max(write.last);
        Ok(())
    }

    fn groups(&self, from: u64) -> Rows<'_, Vec<u8>> {
        let mut at = {
            let shelves = self.read();
            shelves.journal.partition_point(|(first, _)| *first <= from).saturating_sub(1)
        };
        Box::new(std::iter::from_fn(move || {
            let group = self.read().journal.get(at).map(|(_, group)| group.to_vec());
            at += 1;
            group.map(Ok)
        }))
    }

    fn last_group(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read().journal.last().map(|(_, group)| group.to_vec()))
    }

    fn mark(&self) -> Result<u64, StoreError> {
        Ok(self.read().mark)
    }

    fn state(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read().states.get(key).cloned())
    }

    fn states(&self, kind: Kind) -> Rows<'_, (SmolStr, Vec<u8>)> {
        let shelves = self.read();
        let mut rows: Vec<_> = shelves.states.iter().filter(|(k, _)| k.kind == kind).map(|(k, v)| (k.id.clone(), v.clone())).collect();
        rows.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Box::new(rows.into_iter().map(Ok))
    }

    fn look_up(&self, name: &str) -> Result<Option<SmolStr>, StoreError> {
        Ok(self.read().index.get(name).cloned())
    }

    fn document(&self, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read().documents.get(hash).cloned())
    }

    fn documents(&self) -> Rows<'_, (Hash, Vec<u8>)> {
        let rows: Vec<_> = self.read().documents.iter().map(|(k, v)| (*k, v.clone())).collect();
        Box::new(rows.into_iter().map(Ok))
    }

    fn forget_states(&self) -> Result<(), StoreError> {
        let mut shelves = self.0.write().unwrap_or_else(PoisonError::into_inner);
        shelves.states.clear();
        shelves.index.clear();
        shelves.mark = 0;
        Ok(())
    }
}

/// What every store must do, run on both.
#[cfg(test)]
pub(crate) mod conformance {
    use super::*;

    fn write(n: u64) -> Write {
        Write {
            groups: vec![(n * 10 + 1, format!("group {n}").into_bytes())],
            last: n * 10 + 10,
            states: vec![(Key::new(Kind::Parcel, format!("P-{n}")), vec![n as u8]), (Key::new(Kind::Order, "O"), vec![n as u8; 3])],
            index: vec![(format!("T{n}").into(), format!("P-{n}").into())],
            documents: vec![(Hash([n as u8; 32]), vec![n as u8; 100])],
        }
    }

    pub fn run(store: &dyn Store) {
        assert_eq!(store.mark().unwrap(), 0);
        assert!(store.last_group().unwrap().is_none());
        for n in 0..5 {
            store.write(write(n)).unwrap();
        }
        assert_eq!(store.mark().unwrap(), 50);
        assert_eq!(store.last_group().unwrap().unwrap(), b"group 4");
        let from = |seq| store.groups(seq).map(|g| String::from_utf8(g.unwrap()).unwrap()).collect::<Vec<_>>();
        assert_eq!(from(0).len(), 5);
        assert_eq!(from(20), ["group 1", "group 2", "group 3", "group 4"], "record 20 is the last of group 1");
        assert_eq!(from(21), ["group 2", "group 3", "group 4"]);
        assert_eq!(store.state(&Key::new(Kind::Order, "O")).unwrap().unwrap(), [4, 4, 4]);
        assert_eq!(store.state(&Key::new(Kind::Parcel, "P-9")).unwrap(), None);
        let ids: Vec<_> = store.states(Kind::Parcel).map(|r| r.unwrap().0).collect();
        assert_eq!(ids, ["P-0", "P-1", "P-2", "P-3", "P-4"]);
        assert_eq!(store.look_up("T3").unwrap().unwrap(), "P-3");
        assert_eq!(store.document(&Hash([2; 32])).unwrap().unwrap().len(), 100);
        assert_eq!(store.documents().count(), 5);
        store.forget_states().unwrap();
        assert_eq!(store.mark().unwrap(), 0);
        assert_eq!(store.states(Kind::Parcel).count(), 0);
        assert_eq!(store.look_up("T3").unwrap(), None);
        assert_eq!(from(0).len(), 5, "the journal is never forgotten");
    }

    #[test]
    fn memory() {
        run(&MemoryStore::new());
    }
}

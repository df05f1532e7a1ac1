//! The live twin: what everything is now, made from the journal and written behind it. It may be thrown away at any time.
//!
//! A shelf knows keys and bytes, nothing of what they mean. The one on disk is [`crate::SledShelf`].

use crate::census::{Census, StageMove};
use crate::facet::{Facet, Listing};
use crate::journal::{Place, Rows};
use crate::{Hash, Key, Kind, StoreError};
use foldhash::HashMap;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock};

/// What a stretch of journal led to. All of it is there afterwards, or nothing.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The record up to which the shelf is now what the journal says.
    pub mark: u64,
    pub states: Vec<(Key, Vec<u8>)>,
    /// Where entities stand now, with the note, and where they stand no more.
    pub lists: Vec<(Listed, Option<SmolStr>)>,
    /// Name → id, such as a tracking number to its parcel.
    pub names: Vec<(SmolStr, SmolStr)>,
    pub documents: Vec<(Hash, Place)>,
    /// What went from one stage to another.
    pub moves: Vec<StageMove>,
    /// The newest key under which something is sealed in it.
    pub newest_key: Option<u64>,
}

/// An entity's place in a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Listed {
    pub kind: Kind,
    pub facet: Facet,
    pub of: SmolStr,
    pub id: SmolStr,
}

impl Change {
    /// An entity stood where `before` says, and stands where `now` says.
    pub fn moved(&mut self, key: &Key, before: &[Listing], now: &[Listing]) {
        let listed = |l: &Listing| Listed { kind: key.kind, facet: l.facet, of: l.of.clone(), id: key.id.clone() };
        let has = |list: &[Listing], l: &Listing| list.iter().any(|other| other.facet == l.facet && other.of == l.of);
        self.lists.extend(before.iter().filter(|l| !has(now, l)).map(|l| (listed(l), None)));
        self.lists.extend(now.iter().filter(|l| !before.contains(l)).map(|l| (listed(l), Some(l.note.clone()))));
    }
}

/// The states, what can be found by another name, and where documents lie.
pub trait Shelf: Send + Sync {
    /// Can be read at once; durable some time later.
    fn put(&self, change: Change) -> Result<(), StoreError>;
    /// The record up to which it is what the journal says.
    fn mark(&self) -> Result<u64, StoreError>;
    fn state(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError>;
    /// Whether there is one.
    fn has(&self, key: &Key) -> Result<bool, StoreError>;
    /// States of one kind whose ids begin so, in the order of their ids.
    fn states(&self, kind: Kind, begins: &str) -> Rows<'_, (SmolStr, Vec<u8>)>;
    /// Who stands in a list, with their notes: those of one, or of everybody, in the order of owners and ids; those behind
    /// `after` where that is given.
    fn listed(&self, kind: Kind, facet: Facet, of: Option<&str>, after: Option<&Listed>) -> Rows<'_, (Listed, SmolStr)>;
    fn look_up(&self, name: &str) -> Result<Option<SmolStr>, StoreError>;
    fn place(&self, document: &Hash) -> Result<Option<Place>, StoreError>;
    /// What it has counted while it was written to; `None`: it did not count, or it may have lost some of what it was given, and all
    /// is to be read.
    fn census(&self) -> Result<Option<Census>, StoreError> {
        Ok(None)
    }
    /// All states were read, and this is what they say.
    fn recounted(&self, _census: &Census) -> Result<(), StoreError> {
        Ok(())
    }
    /// Forgets everything. The mark becomes 0.
    fn clear(&self) -> Result<(), StoreError>;
    /// Returns when everything put so far is in the store underneath.
    fn settle(&self) -> Result<(), StoreError>;
}

/// A shelf that lives as long as the process. For simulations and tests.
#[derive(Debug, Default)]
pub struct MemoryShelf(RwLock<Boards>);

#[derive(Debug, Default)]
struct Boards {
    mark: u64,
    /// Looked up by key only; `states` sorts what it hands out.
    states: HashMap<Key, Vec<u8>>,
    lists: BTreeMap<Listed, SmolStr>,
    names: HashMap<SmolStr, SmolStr>,
    documents: HashMap<Hash, Place>,
}

impl MemoryShelf {
    fn read(&self) -> std::sync::RwLockReadGuard<'_, Boards> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf for MemoryShelf {
    fn put(&self, change: Change) -> Result<(), StoreError> {
        let mut boards = self.0.write().unwrap_or_else(PoisonError::into_inner);
        boards.states.extend(change.states);
        for (listed, note) in change.lists {
            match note {
                Some(note) => drop(boards.lists.insert(listed, note)),
                None => drop(boards.lists.remove(&listed)),
            }
        }
        boards.names.extend(change.names);
        boards.documents.extend(change.documents);
        boards.mark = boards.mark.max(change.mark);
        Ok(())
    }

    fn mark(&self) -> Result<u64, StoreError> {
        Ok(self.read().mark)
    }

    fn state(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read().states.get(key).cloned())
    }

    fn has(&self, key: &Key) -> Result<bool, StoreError> {
        Ok(self.read().states.contains_key(key))
    }

    fn states(&self, kind: Kind, begins: &str) -> Rows<'_, (SmolStr, Vec<u8>)> {
        let boards = self.read();
        let ours = |k: &Key| k.kind == kind && k.id.starts_with(begins);
        let mut rows: Vec<_> = boards.states.iter().filter(|(k, _)| ours(k)).map(|(k, v)| (k.id.clone(), v.clone())).collect();
        rows.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Box::new(rows.into_iter().map(Ok))
    }

    fn listed(&self, kind: Kind, facet: Facet, of: Option<&str>, after: Option<&Listed>) -> Rows<'_, (Listed, SmolStr)> {
        let boards = self.read();
        let first = match after {
            Some(after) => Bound::Excluded(after.clone()),
            None => Bound::Included(Listed { kind, facet, of: of.unwrap_or_default().into(), id: SmolStr::default() }),
        };
        let ours = |l: &Listed| l.kind == kind && l.facet == facet && of.is_none_or(|of| l.of == of);
        let rows = boards.lists.range((first, Bound::Unbounded)).take_while(|(l, _)| ours(l));
        let rows: Vec<_> = rows.map(|(l, note)| (l.clone(), note.clone())).collect();
        Box::new(rows.into_iter().map(Ok))
    }

    fn look_up(&self, name: &str) -> Result<Option<SmolStr>, StoreError> {
        Ok(self.read().names.get(name).cloned())
    }

    fn place(&self, document: &Hash) -> Result<Option<Place>, StoreError> {
        Ok(self.read().documents.get(document).copied())
    }

    fn clear(&self) -> Result<(), StoreError> {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Boards::default();
        Ok(())
    }

    fn settle(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// What every shelf must do, run on both.
#[cfg(test)]
pub(crate) mod conformance {
    use super::*;

    fn change(n: u64) -> Change {
        Change {
            mark: n * 10 + 10,
            states: vec![(Key::new(Kind::Parcel, format!("P-{n}")), vec![n as u8]), (Key::new(Kind::Order, "O"), vec![n as u8; 3])],
            lists: vec![
                (
                    Listed { kind: Kind::Parcel, facet: Facet::Watch, of: ["a", "ab"][n as usize % 2].into(), id: format!("P-{n}").into() },
                    Some(format!("T{n}").into()),
                ),
                (Listed { kind: Kind::Parcel, facet: Facet::Watch, of: "a".into(), id: "P-0".into() }, (n < 4).then(|| "T".into())),
                (Listed { kind: Kind::Parcel, facet: Facet::Bagged, of: "a".into(), id: "P-0".into() }, Some("B".into())),
            ],
            names: vec![(format!("T{n}").into(), format!("P-{n}").into())],
            documents: vec![(Hash([n as u8; 32]), Place { segment: 1, offset: n, length: 7 })],
            moves: vec![StageMove {
                kind: Kind::Parcel,
                before: ["", "created", "labelled"][n as usize % 3],
                now: ["created", "labelled", ""][n as usize % 3],
            }],
            newest_key: (n == 2).then_some(7),
        }
    }

    pub fn run(shelf: &dyn Shelf) {
        assert_eq!(shelf.mark().unwrap(), 0);
        for n in 0..5 {
            shelf.put(change(n)).unwrap();
        }
        assert_eq!(shelf.mark().unwrap(), 50);
        assert_eq!(shelf.state(&Key::new(Kind::Order, "O")).unwrap().unwrap(), [4, 4, 4]);
        shelf.settle().unwrap();
        assert_eq!(shelf.state(&Key::new(Kind::Order, "O")).unwrap().unwrap(), [4, 4, 4]);
        assert_eq!(shelf.state(&Key::new(Kind::Parcel, "P-9")).unwrap(), None);
        assert_eq!(["P-3", "P-9"].map(|id| shelf.has(&Key::new(Kind::Parcel, id)).unwrap()), [true, false]);
        let ids: Vec<_> = shelf.states(Kind::Parcel, "").map(|r| r.unwrap().0).collect();
        assert_eq!(ids, ["P-0", "P-1", "P-2", "P-3", "P-4"]);
        let ids: Vec<_> = shelf.states(Kind::Parcel, "P-3").map(|r| r.unwrap().0).collect();
        assert_eq!(ids, ["P-3"]);
        let listed = |of, after: Option<&str>| {
            let after = after.map(|id| Listed { kind: Kind::Parcel, facet: Facet::Watch, of: "a".into(), id: id.into() });
            let rows = shelf.listed(Kind::Parcel, Facet::Watch, of, after.as_ref()).map(|r| r.unwrap());
            rows.map(|(l, note)| format!("{} {} {note}", l.of, l.id)).collect::<Vec<_>>()
        };
        assert_eq!(listed(Some("a"), None), ["a P-2 T2", "a P-4 T4"]);
        assert_eq!(listed(Some("a"), Some("P-2")), ["a P-4 T4"]);
        assert_eq!(listed(None, Some("P-2")), ["a P-4 T4", "ab P-1 T1", "ab P-3 T3"]);
        assert_eq!(listed(None, None), ["a P-2 T2", "a P-4 T4", "ab P-1 T1", "ab P-3 T3"]);
        assert_eq!(shelf.look_up("T3").unwrap().unwrap(), "P-3");
        assert_eq!(shelf.place(&Hash([2; 32])).unwrap(), Some(Place { segment: 1, offset: 2, length: 7 }));
    }

    pub fn clear(shelf: &dyn Shelf) {
        shelf.clear().unwrap();
        assert_eq!(shelf.mark().unwrap(), 0);
        assert_eq!(shelf.states(Kind::Parcel, "").count(), 0);
        assert_eq!(shelf.listed(Kind::Parcel, Facet::Watch, None, None).count(), 0);
        assert_eq!(shelf.look_up("T3").unwrap(), None);
    }

    #[test]
    fn memory() {
        let shelf = MemoryShelf::default();
        run(&shelf);
        clear(&shelf);
    }
}

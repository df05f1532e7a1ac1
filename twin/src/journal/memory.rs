//! A journal that lives as long as the process. For simulations and tests.

use super::{Draft, Group, Head, Journal, Place, Rows, Way};
use crate::{Hash, Key, StoreError};
use smol_str::SmolStr;
use std::sync::{PoisonError, RwLock};

#[derive(Debug)]
pub struct MemoryJournal {
    site: SmolStr,
    shelves: RwLock<Shelves>,
}

#[derive(Debug)]
struct Shelves {
    head: Head,
    groups: Vec<Group>,
    documents: Vec<Vec<u8>>,
}

impl MemoryJournal {
    pub fn of(site: &str) -> Self {
        let shelves = Shelves { head: Head::of_site(site), groups: Vec::new(), documents: Vec::new() };
        MemoryJournal { site: site.into(), shelves: RwLock::new(shelves) }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Shelves> {
        self.shelves.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for MemoryJournal {
    fn site(&self) -> &SmolStr {
        &self.site
    }

    fn head(&self) -> Head {
        self.read().head
    }

    fn append(&self, draft: &mut Draft) -> Result<Vec<(Hash, Place)>, StoreError> {
        let mut shelves = self.shelves.write().unwrap_or_else(PoisonError::into_inner);
        shelves.head = draft.head();
        let mut places = Vec::with_capacity(draft.documents.len());
        for (hash, bytes) in draft.documents.drain(..) {
            places.push((hash, Place { segment: 0, offset: shelves.documents.len() as u64, length: bytes.len() as u32 }));
            shelves.documents.push(bytes);
        }
        let Draft { first, count, before, after, newest, .. } = *draft;
        let records = draft.records[..].into();
        shelves.groups.push(Group { first, count, before, after, newest, records, documents: places.clone(), frame_bytes: 0 });
        draft.go_on();
        Ok(places)
    }

    fn groups(&self, from: u64) -> Rows<'_, Group> {
        let mut at = self.read().groups.partition_point(|g| g.first <= from).saturating_sub(1);
        Box::new(std::iter::from_fn(move || {
            let group = self.read().groups.get(at).cloned();
            at += 1;
            group.map(Ok)
        }))
    }

    /// All on that way: a simulated run is short, and nothing is kept beside it.
    fn groups_of(&self, _: &[Key], way: Way) -> Rows<'_, Group> {
        let before = match way {
            Way::After(after) => return self.groups(after.saturating_add(1)),
            Way::Before(before) => before,
        };
        let mut end = self.read().groups.partition_point(|g| g.first < before);
        Box::new(std::iter::from_fn(move || {
            end = end.checked_sub(1)?;
            self.read().groups.get(end).cloned().map(Ok)
        }))
    }

    fn document(&self, place: &Place) -> Result<Vec<u8>, StoreError> {
        let found = usize::try_from(place.offset).ok().and_then(|n| self.read().documents.get(n).cloned());
        found.ok_or_else(|| StoreError::Broken { what: "read a document", why: format!("there is none at {}", place.offset) })
    }
}

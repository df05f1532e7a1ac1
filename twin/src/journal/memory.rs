//! A journal that lives as long as the process. For simulations and tests.

use super::{Draft, Group, Head, Journal, Place, Rows, Way};
use crate::{Hash, Key, Moment, StoreError};
use smol_str::SmolStr;
use std::sync::{PoisonError, RwLock};

/// Records and bounds lie in stretches of this size, so that what is there is never moved when more comes.
const STRETCH_BYTES: usize = 1 << 20;
const STRETCH_BOUNDS: usize = 4_096;

#[derive(Debug)]
pub struct MemoryJournal {
    site: SmolStr,
    shelves: RwLock<Shelves>,
}

#[derive(Debug)]
struct Shelves {
    /// Before the first record.
    begin: Head,
    stretches: Vec<Vec<u8>>,
    /// A simulated day writes a hundred thousand of them: each is what cannot be told from the one before it.
    groups: Bounded,
    /// Those of all groups, in their order.
    documents: Vec<(Hash, Box<[u8]>)>,
}

/// Where a group ends, and in which stretch it lies.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    last: u64,
    after: Hash,
    newest: Moment,
    stretch: u32,
    /// Of its records in the stretch.
    from: u32,
    to: u32,
    /// How many documents there are up to its end.
    documents: u32,
}

/// The bounds of all groups, in their order; each stretch but the last is full.
#[derive(Debug, Default)]
struct Bounded(Vec<Vec<Bounds>>);

impl Bounded {
    fn last(&self) -> Option<&Bounds> {
        self.0.last()?.last()
    }

    fn get(&self, at: usize) -> Option<&Bounds> {
        self.0.get(at / STRETCH_BOUNDS)?.get(at % STRETCH_BOUNDS)
    }

    fn push(&mut self, bounds: Bounds) {
        match self.0.last_mut().filter(|stretch| stretch.len() < STRETCH_BOUNDS) {
            Some(stretch) => stretch.push(bounds),
            None => {
                let mut stretch = Vec::with_capacity(STRETCH_BOUNDS);
                stretch.push(bounds);
                self.0.push(stretch);
            }
        }
    }

    fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * STRETCH_BOUNDS + last.len())
    }

    /// The first group that ends with this record or behind it; the count of them where there is none.
    fn at(&self, record: u64) -> usize {
        let at = self.0.partition_point(|stretch| stretch.last().is_some_and(|g| g.last < record));
        let Some(stretch) = self.0.get(at) else { return self.len() };
        at * STRETCH_BOUNDS + stretch.partition_point(|g| g.last < record)
    }
}

impl Shelves {
    fn head(&self) -> Head {
        self.groups.last().map_or(self.begin, |g| Head { records: g.last, hash: g.after, at: g.newest })
    }

    fn group(&self, at: usize) -> Option<Group> {
        let Bounds { last, after, newest, stretch, from, to, documents } = *self.groups.get(at)?;
        let before = at.checked_sub(1).and_then(|before| self.groups.get(before));
        let (begun, hash, told) = before.map_or((self.begin.records, self.begin.hash, 0), |g| (g.last, g.after, g.documents));
        let documents = (told..documents).map(|n| (self.documents[n as usize].0, self.place(n as usize))).collect();
        let records = self.stretches[stretch as usize][from as usize..to as usize].into();
        let count = (last - begun) as u32;
        Some(Group { first: begun + 1, count, before: hash, after, newest, records, documents, frame_bytes: 0 })
    }

    fn place(&self, document: usize) -> Place {
        Place { segment: 0, offset: document as u64, length: self.documents[document].1.len() as u32 }
    }
}

impl MemoryJournal {
    pub fn of(site: &str) -> Self {
        let shelves = Shelves { begin: Head::of_site(site), stretches: Vec::new(), groups: Bounded::default(), documents: Vec::new() };
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
        self.read().head()
    }

    fn append(&self, draft: &mut Draft) -> Result<Vec<(Hash, Place)>, StoreError> {
        let mut shelves = self.shelves.write().unwrap_or_else(PoisonError::into_inner);
        let mut places = Vec::with_capacity(draft.documents.len());
        for (hash, bytes) in draft.documents.drain(..) {
            shelves.documents.push((hash, bytes.into()));
            places.push((hash, shelves.place(shelves.documents.len() - 1)));
        }
        let bytes = &draft.records;
        if shelves.stretches.last().is_none_or(|stretch| stretch.len() + bytes.len() > stretch.capacity()) {
            shelves.stretches.push(Vec::with_capacity(STRETCH_BYTES.max(bytes.len())));
        }
        let stretch = shelves.stretches.len() - 1;
        let from = shelves.stretches[stretch].len() as u32;
        shelves.stretches[stretch].extend_from_slice(bytes);
        let Head { records: last, hash: after, at: newest } = draft.head();
        let (to, documents) = (from + bytes.len() as u32, shelves.documents.len() as u32);
        shelves.groups.push(Bounds { last, after, newest, stretch: stretch as u32, from, to, documents });
        draft.go_on();
        Ok(places)
    }

    fn groups(&self, from: u64) -> Rows<'_, Group> {
        let mut at = self.read().groups.at(from);
        Box::new(std::iter::from_fn(move || {
            let group = self.read().group(at);
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
        let mut end = {
            let shelves = self.read();
            let at = shelves.groups.at(before);
            // The one that holds it begins earlier, or with it.
            at + usize::from(shelves.group(at).is_some_and(|group| group.first < before))
        };
        Box::new(std::iter::from_fn(move || {
            end = end.checked_sub(1)?;
            self.read().group(end).map(Ok)
        }))
    }

    fn document(&self, place: &Place) -> Result<Vec<u8>, StoreError> {
        let found = usize::try_from(place.offset).ok().and_then(|n| self.read().documents.get(n).map(|(_, bytes)| bytes.to_vec()));
        found.ok_or_else(|| StoreError::Broken { what: "read a document", why: format!("there is none at {}", place.offset) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_found_in_whichever_stretch_its_group_lies() {
        let mut groups = Bounded::default();
        assert_eq!((groups.len(), groups.at(1)), (0, 0));
        // Each has two records.
        let many = 2 * STRETCH_BOUNDS + 3;
        for n in 1..=many as u64 {
            let bounds = Bounds { last: 2 * n, after: Hash::default(), newest: Moment(0), stretch: 0, from: 0, to: 0, documents: 0 };
            groups.push(bounds);
        }
        assert_eq!((groups.len(), groups.last().map(|g| g.last)), (many, Some(2 * many as u64)));
        for at in [0, 1, STRETCH_BOUNDS - 1, STRETCH_BOUNDS, 2 * STRETCH_BOUNDS, many - 1] {
            let record = 2 * at as u64 + 1;
            assert_eq!((groups.at(record), groups.at(record + 1)), (at, at));
            assert_eq!(groups.get(at).map(|g| g.last), Some(record + 1));
        }
        assert_eq!((groups.at(2 * many as u64 + 1), groups.get(many).is_none()), (many, true));
    }
}

//! Makes states from the journal: what the shelf has not heard of yet, or everything anew.

use crate::census::{StageMove, key_of};
use crate::entity::Key;
use crate::event::{Event, State};
use crate::facet::Listing;
use crate::journal::{Head, Journal, Record};
use crate::shelf::{Change, Shelf};
use crate::{Moment, TwinError, parcel};
use smol_str::SmolStr;
use std::collections::HashMap;

/// Told how many records are done, of how many.
pub type Progress<'a> = dyn FnMut(u64, u64) + 'a;

/// For whoever does not want to hear how far it is.
pub fn silent() -> impl FnMut(u64, u64) {
    |_, _| ()
}

/// So many states are held in memory before they go on the shelf.
const HELD_MAX: usize = 50_000;
/// Told once for so many records.
const TOLD_EVERY: u64 = 10_000;

/// A state in the making.
struct Held {
    version: u32,
    state: State,
    /// The stage in which it stands on the shelf.
    stage: &'static str,
    /// The lists that it stands in on the shelf.
    listings: Vec<Listing>,
}

pub struct Replay<'a> {
    journal: &'a dyn Journal,
    shelf: &'a dyn Shelf,
    /// Looked up by key; goes on the shelf as it stands.
    held: HashMap<Key, Held>,
    change: Change,
    checked: bool,
}

/// What can be found by other names than its id: a parcel by the numbers on its label.
pub(crate) fn names_of(record: &Record) -> impl Iterator<Item = (SmolStr, SmolStr)> {
    let names = match &record.event {
        Event::Parcel(parcel::Event::LabelBought { tracking, plate, .. }) => [Some(tracking), plate.as_ref()],
        Event::Parcel(parcel::Event::LabelUnused { tracking, .. }) => [Some(tracking), None],
        _ => [None, None],
    };
    names.into_iter().flatten().map(|name| (name.0.clone(), record.key.id.clone()))
}

impl<'a> Replay<'a> {
    pub fn of(journal: &'a dyn Journal, shelf: &'a dyn Shelf) -> Self {
        Replay { journal, shelf, held: HashMap::new(), change: Change::default(), checked: false }
    }

    /// Checks every hash, number and time on the way.
    pub fn checked(mut self) -> Self {
        self.checked = true;
        self
    }

    /// Applies everything behind record `mark`. Returns the head that it came to.
    pub fn run(mut self, mark: u64, progress: &mut Progress) -> Result<Head, TwinError> {
        let end = self.journal.head();
        let mut head = Head::of_site(self.journal.site());
        if mark >= end.records {
            return Ok(end);
        }
        let mut told = mark;
        for group in self.journal.groups(mark + 1) {
            let group = group?;
            let records = if self.checked { group.check(head)? } else { group.read().collect::<Result<Vec<_>, _>>()? };
            for record in records.into_iter().filter(|r| r.seq > mark) {
                self.apply(record)?;
            }
            self.change.documents.extend(group.documents.iter().copied());
            head = group.head();
            self.change.mark = head.records;
            if self.held.len() >= HELD_MAX {
                self.put()?;
            }
            if head.records >= told + TOLD_EVERY {
                told = head.records;
                progress(told, end.records);
            }
            if head.records >= end.records {
                break;
            }
        }
        self.put()?;
        progress(end.records, end.records);
        Ok(head)
    }

    fn apply(&mut self, record: Record) -> Result<(), TwinError> {
        let at: Moment = record.decided_at();
        self.change.names.extend(names_of(&record));
        self.change.newest_key = self.change.newest_key.max(key_of(&record.event));
        let Record { seq, key, version, event, .. } = record;
        let damaged = |why: String| TwinError::Damaged { seq, why };
        let (kind, shelf) = (key.kind, self.shelf);
        let slot = match self.held.entry(key) {
            std::collections::hash_map::Entry::Occupied(held) => held.into_mut(),
            std::collections::hash_map::Entry::Vacant(free) => {
                let known = match shelf.state(free.key())? {
                    Some(bytes) => {
                        let (version, state) = State::from_bytes(kind, &bytes).map_err(damaged)?;
                        let listings = state.listings(&free.key().id);
                        Held { version, stage: state.stage_word(), state, listings }
                    }
                    None => Held { version: 0, state: State::new(kind), stage: "", listings: Vec::new() },
                };
                free.insert(known)
            }
        };
        if slot.version + 1 != version {
            return Err(damaged(format!("its entity is at version {}, the record at {version}", slot.version)));
        }
        slot.version = version;
        slot.state.apply(at, &event);
        Ok(())
    }

    fn put(&mut self) -> Result<(), TwinError> {
        let mut change = std::mem::take(&mut self.change);
        for (key, Held { version, state, stage, listings }) in self.held.drain() {
            if stage != state.stage_word() {
                change.moves.push(StageMove { kind: key.kind, before: stage, now: state.stage_word() });
            }
            change.moved(&key, &listings, &state.listings(&key.id));
            change.states.push((key, state.to_bytes(version)));
        }
        Ok(self.shelf.put(change)?)
    }
}

#[cfg(test)]
mod tests {
    use crate::facet::Facet;
    use crate::journal::memory::MemoryJournal;
    use crate::parcel::{Event, Parcel};
    use crate::replay::silent;
    use crate::{Entity, Hash, MemoryShelf, Moment, TrackingNumber, Twin, Tx};
    use std::sync::Arc;

    /// What is wrong is found after the states were made anew, and by whoever compares them with the journal.
    #[test]
    fn what_is_wrong_stands_in_its_list_after_a_replay() {
        let twin = Twin::in_memory("troubles");
        let created = Event::Created { plan: Box::default(), key: Some("P-1.0".into()) };
        let events = vec![created, Event::LabelLost { why: "no answer".into(), decide: true }];
        let (mut tx, mut parcel) = (Tx::at(Moment(1)), Parcel::default());
        events.iter().for_each(|event| parcel.apply(tx.at, event));
        tx.stage(&"P-1".into(), events.len() as u32, events, Default::default(), &parcel);
        twin.commit([tx]).expect("it is written");
        let wrong = || twin.listed::<Parcel>(Facet::Trouble, Some("label_lost"), None).count();
        assert_eq!(wrong(), 1);
        twin.verify(&mut silent()).expect("the states are what the journal makes of them");
        twin.rebuild(&mut silent()).expect("it is made anew");
        assert_eq!(wrong(), 1);
    }

    /// A scanner may read any of the barcodes on a label: by each the parcel is found, also by who reads the journal later.
    #[test]
    fn a_parcel_is_found_by_every_number_on_its_label() {
        let journal = Arc::new(MemoryJournal::of("plates"));
        let open = || Twin::open(journal.clone(), Arc::new(MemoryShelf::default()), Arc::default(), &mut silent()).expect("it opens");
        let twin = open();
        let numbers = ["1103733901", "JD014600004617230770"].map(TrackingNumber::new);
        let [tracking, plate] = numbers.clone();
        let events = vec![
            Event::Created { plan: Box::default(), key: None },
            Event::LabelRequested { key: "P-1.0".into() },
            Event::LabelBought { tracking, label: Hash::default(), charged: None, plate: Some(plate) },
        ];
        let (mut tx, mut parcel) = (Tx::at(Moment(1)), Parcel::default());
        events.iter().for_each(|event| parcel.apply(tx.at, event));
        tx.stage(&"P-1".into(), events.len() as u32, events, Default::default(), &parcel);
        twin.commit([tx]).expect("it is written");
        for twin in [twin, open()] {
            for number in &numbers {
                assert_eq!(twin.parcel_of(number.as_str()).expect("it reads"), Some("P-1".into()), "{number}");
            }
            assert_eq!(twin.parcel_of("4617230770").expect("it reads"), None, "the end of a plate is no number");
        }
    }
}

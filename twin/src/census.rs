//! How many things are in which stage, and the newest key in use: what a start must know of all states. A shelf on disk keeps it
//! beside the states, so that a start reads millions of them only where a loss of power may have cost some, and else behind.

use crate::entity::Kind;
use crate::event::{Event, State};
use crate::shelf::Shelf;
use crate::{Key, TwinError};
use serde::Serialize;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// A thing went from one stage to another; an empty word is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageMove {
    pub kind: Kind,
    pub before: &'static str,
    pub now: &'static str,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Census {
    /// How many of a kind are in a stage; never one of which there are none.
    stages: BTreeMap<(Kind, SmolStr), i64>,
    pub newest_key: Option<u64>,
}

/// What all states say, each read.
#[derive(Debug, Default)]
pub struct Reading {
    /// Events that made them.
    pub records: u64,
    pub census: Census,
    /// Orders that are to be forgotten, each with its buyer's key.
    pub forgotten: Vec<(u64, SmolStr)>,
}

impl Reading {
    /// `as_it_was` says at which version a thing is to be counted that is at this one now.
    pub fn of(shelf: &dyn Shelf, kind: Kind, as_it_was: &dyn Fn(&Key, u32) -> u32) -> Result<Self, TwinError> {
        let mut all = Reading::default();
        for row in shelf.states(kind, "") {
            let (id, bytes) = row?;
            let key = Key { kind, id };
            let (version, state) =
                State::from_bytes(kind, &bytes).map_err(|why| TwinError::Disagrees { why: format!("{key} cannot be read: {why}") })?;
            all.records += u64::from(as_it_was(&key, version));
            all.census.holds(kind, SmolStr::new_static(state.stage_word()), 1);
            if let State::Order(order) = state
                && let Some(buyer) = order.content.buyer
            {
                all.census.uses_key(buyer.key);
                if order.forgotten {
                    all.forgotten.push((buyer.key, key.id));
                }
            }
        }
        Ok(all)
    }

    pub fn add(&mut self, other: Reading) {
        self.records += other.records;
        other.census.stages.into_iter().for_each(|((kind, stage), n)| {
            self.census.holds(kind, stage, n);
        });
        other.census.newest_key.into_iter().for_each(|key| self.census.uses_key(key));
        self.forgotten.extend(other.forgotten);
    }
}

/// Whether a word is that of a stage.
fn is_stage(word: &str) -> bool {
    !word.is_empty() && word != "absent"
}

impl Census {
    /// So many more are in a stage. Returns how many there are then.
    pub fn holds(&mut self, kind: Kind, stage: SmolStr, count: i64) -> i64 {
        if !is_stage(&stage) {
            return 0;
        }
        let key = (kind, stage);
        let now = self.stages.get(&key).copied().unwrap_or(0) + count;
        match now {
            0 => drop(self.stages.remove(&key)),
            _ => drop(self.stages.insert(key, now)),
        }
        now
    }

    pub fn moved(&mut self, StageMove { kind, before, now }: StageMove) {
        self.holds(kind, SmolStr::new_static(before), -1);
        self.holds(kind, SmolStr::new_static(now), 1);
    }

    pub fn uses_key(&mut self, key: u64) {
        self.newest_key = self.newest_key.max(Some(key));
    }

    pub fn all(&self) -> impl Iterator<Item = (Kind, &str, i64)> + '_ {
        self.stages.iter().map(|((kind, stage), n)| (*kind, stage.as_str(), *n))
    }

    /// How many things of a kind are in which stage.
    pub fn stages(&self, kind: Kind) -> impl Iterator<Item = (SmolStr, u64)> + '_ {
        self.stages.iter().filter(move |((k, _), n)| *k == kind && **n > 0).map(|((_, stage), n)| (stage.clone(), *n as u64))
    }
}

/// The key under which an event seals who a buyer is.
pub fn key_of(event: &Event) -> Option<u64> {
    match event {
        Event::Order(event) => event.buyer().map(|b| b.key),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::charges::{Basis, ChargeKind, Charges, Event};
    use crate::journal::memory::MemoryJournal;
    use crate::money::{Currency, Decimal};
    use crate::replay::silent;
    use crate::shelf::Change;
    use crate::{Entity, Key, Kind, MemoryShelf, Moment, Money, Shelf, SledShelf, Twin, TwinError, Tx};
    use smol_str::SmolStr;
    use std::sync::Arc;

    fn charged(id: &str, times: usize) -> (Tx, Charges) {
        let (mut charges, mut tx) = (Charges::default(), Tx::at(Moment(1)));
        let amount = Money::new(Decimal::ONE, Currency::USD);
        let event = Event::Charged { kind: ChargeKind::Duty, amount, basis: Basis::Quote, settings: 0, rate: None };
        let events = vec![event; times];
        events.iter().for_each(|event| charges.apply(Moment(1), event));
        tx.stage(&id.into(), times as u32, events, Default::default(), &charges);
        (tx, charges)
    }

    fn lost(id: &str, mark: u64) -> Change {
        let (_, state) = charged(id, 3);
        Change { mark, states: vec![(Key::new(Kind::Charges, id), crate::entity::state_bytes(2, &state))], ..Change::default() }
    }

    /// A shelf that keeps no count is read before it is opened.
    #[test]
    fn an_event_that_is_missing_is_noticed() {
        let journal = Arc::new(MemoryJournal::of("census"));
        let open = |shelf: Arc<MemoryShelf>| Twin::open(journal.clone(), shelf, Arc::default(), &mut silent());
        let (shelf, (tx, charges)) = (Arc::new(MemoryShelf::default()), charged("P-1", 3));
        open(shelf.clone()).expect("it opens").commit([tx]).expect("it is written");
        let again = open(shelf.clone()).expect("it opens again");
        assert_eq!(again.load::<Charges>(&"P-1".into()).expect("it reads").expect("it is there").1, charges);
        shelf.put(lost("P-1", 3)).expect("it is put");
        assert!(matches!(open(shelf), Err(TwinError::Disagrees { .. })), "an event is missing");
    }

    /// One that keeps a count is opened at once and read behind, while the twin is at work.
    #[test]
    fn an_event_that_is_missing_is_noticed_while_others_are_written() {
        let place = tempfile::tempdir().expect("a folder");
        let journal = Arc::new(MemoryJournal::of("census"));
        let shelf = Arc::new(SledShelf::open(place.path()).expect("a shelf"));
        let open = || Twin::open(journal.clone(), shelf.clone(), Arc::default(), &mut silent()).expect("it opens");
        let twin = open();
        twin.commit((0..200).map(|n| charged(&format!("P-{n}"), 3).0).collect::<Vec<_>>()).expect("it is written");
        for damaged in [false, true] {
            if damaged {
                shelf.put(lost("P-7", 600)).expect("it is put");
            }
            let twin = open();
            let id: SmolStr = "P-5".into();
            let (version, mut charges) = twin.load::<Charges>(&id).expect("it reads").expect("it is there");
            let event = Event::Charged {
                kind: ChargeKind::Freight,
                amount: Money::new(Decimal::ONE, Currency::USD),
                basis: Basis::Quote,
                settings: 0,
                rate: None,
            };
            let mut tx = Tx::at(Moment(2));
            charges.apply(tx.at, &event);
            tx.stage(&id, version + 1, vec![event], Default::default(), &charges);
            twin.commit([tx, charged(&format!("N-{damaged}"), 4).0]).expect("it is written");
            match twin.recount() {
                Ok(()) => assert!(!damaged, "an event is missing, and nobody noticed"),
                Err(error) => assert!(damaged && error.to_string().contains("states come from"), "{error}"),
            }
        }
    }
}

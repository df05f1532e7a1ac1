//! A start reads every state once: whether all can be read, how many events made them, and what the board and the keys need
//! to know of them.

use crate::TwinError;
use crate::entity::{Kind, version_of};
use crate::event::State;
use crate::shelf::Shelf;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// One of each for every parcel, and nobody counts their stages or seals anything in them: so that a start does not take longer for
/// them than it must, only how many events made them is read.
const BESIDE_PARCELS: [Kind; 2] = [Kind::Charges, Kind::Declaration];

/// What all states of a kind say at a start.
pub(crate) struct Census {
    pub kind: Kind,
    /// Events that made them.
    pub records: u64,
    pub stages: BTreeMap<&'static str, i64>,
    pub newest_key: Option<u64>,
    /// Orders that are to be forgotten, each with its buyer's key.
    pub forgotten: Vec<(u64, SmolStr)>,
}

impl Census {
    pub fn of(shelf: &dyn Shelf, kind: Kind) -> Result<Self, TwinError> {
        let mut census = Census { kind, records: 0, stages: BTreeMap::new(), newest_key: None, forgotten: Vec::new() };
        for row in shelf.states(kind, "") {
            let (id, bytes) = row?;
            if BESIDE_PARCELS.contains(&kind) {
                let version = version_of(&bytes)
                    .ok_or_else(|| TwinError::Disagrees { why: format!("{} {id} cannot be read: it is empty", kind.as_str()) })?;
                census.records += u64::from(version);
                continue;
            }
            let (version, state) = State::from_bytes(kind, &bytes)
                .map_err(|why| TwinError::Disagrees { why: format!("{} {id} cannot be read: {why}", kind.as_str()) })?;
            census.records += u64::from(version);
            *census.stages.entry(state.stage_word()).or_default() += 1;
            if let State::Order(order) = state
                && let Some(buyer) = order.content.buyer
            {
                census.newest_key = census.newest_key.max(Some(buyer.key));
                if order.forgotten {
                    census.forgotten.push((buyer.key, id));
                }
            }
        }
        Ok(census)
    }
}

#[cfg(test)]
mod tests {
    use crate::charges::{Basis, ChargeKind, Charges, Event};
    use crate::journal::memory::MemoryJournal;
    use crate::money::{Currency, Decimal};
    use crate::replay::silent;
    use crate::shelf::Change;
    use crate::{Entity, Key, Kind, MemoryShelf, Moment, Money, Shelf, Twin, TwinError, Tx};
    use std::sync::Arc;

    /// What stands beside parcels is not read at a start, but all of it is counted.
    #[test]
    fn a_start_counts_what_it_does_not_read() {
        let journal = Arc::new(MemoryJournal::of("census"));
        let open = |shelf: Arc<MemoryShelf>| Twin::open(journal.clone(), shelf, Arc::default(), &mut silent());
        let (shelf, mut charges, mut tx) = (Arc::new(MemoryShelf::default()), Charges::default(), Tx::at(Moment(1)));
        let amount = Money::new(Decimal::ONE, Currency::USD);
        let event = Event::Charged { kind: ChargeKind::Duty, amount, basis: Basis::Quote, settings: 0, rate: None };
        let events = vec![event; 3];
        events.iter().for_each(|event| charges.apply(Moment(1), event));
        tx.stage(&"P-1".into(), 3, events, Default::default(), &charges);
        open(shelf.clone()).expect("it opens").commit([tx]).expect("it is written");
        let again = open(shelf.clone()).expect("it opens again");
        assert_eq!(again.load::<Charges>(&"P-1".into()).expect("it reads").expect("it is there").1, charges);
        let lost = Change { mark: 3, states: vec![(Key::new(Kind::Charges, "P-1"), 2_u32.to_le_bytes().to_vec())], ..Change::default() };
        shelf.put(lost).expect("it is put");
        assert!(matches!(open(shelf), Err(TwinError::Disagrees { .. })), "an event is missing");
    }
}

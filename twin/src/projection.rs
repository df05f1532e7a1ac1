//! What is made from the journal and follows it: counts for a screen, tables for questions, and later feeds and statements.
//!
//! Never the truth: whatever a projection holds can be cleared and made anew from the same records, and comes out the same.
//! How fast it follows is its own affair; nothing that leaves the house waits for one.

use crate::journal::{Head, Journal};
use crate::{Record, TwinError};

/// Takes in committed records, in their order.
pub trait Projection {
    type Error;

    /// The end of what it has taken in.
    fn applied(&self) -> Head;

    /// Takes in the records that follow, behind which the journal stands at `head`. All of it, or nothing.
    fn take_in(&mut self, records: &[Record], head: Head) -> Result<(), Self::Error>;

    /// Forgets everything, to be made anew.
    fn clear(&mut self) -> Result<(), Self::Error>;
}

/// Lets a projection take in the journal up to record `end`, so many records at once or a few more: batches end where groups
/// do. `told` hears after each how far it is, and says whether to go on.
pub fn catch_up<P: Projection>(
    projection: &mut P,
    journal: &dyn Journal,
    end: u64,
    batch: usize,
    told: &mut dyn FnMut(u64) -> bool,
) -> Result<(), P::Error>
where
    P::Error: From<TwinError>,
{
    let mark = projection.applied().records;
    let mut records: Vec<Record> = Vec::new();
    let mut head = Head::default();
    for group in journal.groups(mark + 1) {
        let group = group.map_err(TwinError::from)?;
        if group.first > end {
            break;
        }
        for record in group.read() {
            let record = record?;
            if record.seq > mark {
                records.push(record);
            }
        }
        head = group.head();
        if records.len() >= batch {
            projection.take_in(&records, head)?;
            records.clear();
            if !told(head.records) {
                return Ok(());
            }
        }
        if head.records >= end {
            break;
        }
    }
    if !records.is_empty() {
        projection.take_in(&records, head)?;
        told(head.records);
    }
    Ok(())
}

/// Whether this journal went through `head`: else what was made up to there was made from another.
pub fn went_through(journal: &dyn Journal, head: Head) -> Result<bool, TwinError> {
    if head.records == 0 {
        return Ok(head.hash == Head::of_site(journal.site()).hash);
    }
    if head.records > journal.head().records {
        return Ok(false);
    }
    match journal.groups(head.records).next() {
        Some(group) => Ok(group?.head() == head),
        None => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stock::{Event, Stock};
    use crate::{Entity, Moment, Twin, Tx};

    /// Keeps the numbers of what it took in.
    #[derive(Default)]
    struct Numbers(Vec<u64>, Head);

    impl Projection for Numbers {
        type Error = TwinError;
        fn applied(&self) -> Head {
            self.1
        }
        fn take_in(&mut self, records: &[Record], head: Head) -> Result<(), TwinError> {
            self.0.extend(records.iter().map(|r| r.seq));
            self.1 = head;
            Ok(())
        }
        fn clear(&mut self) -> Result<(), TwinError> {
            *self = Numbers::default();
            Ok(())
        }
    }

    #[test]
    fn every_record_once_in_order_however_it_is_cut_and_wherever_it_stops() {
        let twin = Twin::in_memory("test");
        let mut stock = Stock::default();
        for n in 1..=30 {
            let mut tx = Tx::at(Moment(i64::from(n)));
            let event = Event::Received { quantity: 1, reference: "R".into() };
            stock.apply(tx.at, &event);
            tx.stage(&"W:S".into(), n, vec![event], Default::default(), &stock);
            twin.commit([tx]).unwrap();
        }
        let journal = &**twin.journal();
        let mut numbers = Numbers::default();
        catch_up(&mut numbers, journal, 11, 4, &mut |_| true).unwrap();
        assert_eq!(numbers.1.records, 11);
        let mut batches = 0;
        catch_up(&mut numbers, journal, 30, 4, &mut |_| {
            batches += 1;
            batches < 2
        })
        .unwrap();
        assert_eq!((batches, numbers.1.records), (2, 19), "it stops when it is told to");
        assert!(went_through(journal, numbers.1).unwrap());
        catch_up(&mut numbers, journal, u64::MAX, 1_000, &mut |_| true).unwrap();
        assert_eq!(numbers.0, (1..=30).collect::<Vec<u64>>());
        assert_eq!(numbers.1, twin.head());
        let other = Twin::in_memory("other");
        assert!(!went_through(&**other.journal(), twin.head()).unwrap());
        assert!(!went_through(&**other.journal(), Head::of_site("test")).unwrap());
        assert!(went_through(&**other.journal(), Head::of_site("other")).unwrap());
    }
}

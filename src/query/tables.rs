//! The tables as a projection of the journal: what happened is written from its record, what is from the twin's states.
//!
//! A state may be ahead of the record at which it is written: what comes later writes it again, so once the tables are at the
//! journal's end they are the same however they came there. One transaction for each batch, the mark in it.

use super::order_rows::order_text;
use super::rows::{self, Writer};
use super::{QueryError, schema};
use rusqlite::{Connection, OptionalExtension, params};
use smol_str::SmolStr;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use twin::Event;
use twin::journal::{Head, Journal};
use twin::order;
use twin::projection::{Projection, catch_up, went_through};
use twin::{Key, Record, Twin};

/// Records in one transaction while they are followed, and while the tables are made.
const FOLLOWED_BATCH: usize = 10_000;
const BULK_BATCH: usize = 30_000;

pub struct Tables {
    twin: Arc<Twin>,
    db: Connection,
    applied: Head,
    /// Made in bulk up to this record: until then a state is written once, where its entity begins.
    bulk_until: u64,
    /// Somebody was forgotten, and what the WAL may hold of them is not gone yet.
    wal_remembers: bool,
}

/// What a batch did to one entity.
#[derive(Clone, Copy, Default)]
pub struct Touch {
    /// Its first record: number and time.
    pub begins: Option<(u64, twin::Moment)>,
    /// What of an order is not on its own row alone.
    pub deep: bool,
}

impl Tables {
    /// Opens the tables in `data` where they are whole, of this version and of this journal.
    pub fn open(data: &Path, twin: &Arc<Twin>) -> Result<Self, QueryError> {
        let db = schema::open(data)?;
        let other = |why: String| Err(QueryError::Other { why });
        let Some((version, site, applied)) = schema::made_from(&db)? else { return other("they cannot be read".into()) };
        if version != schema::VERSION {
            return other(format!("they are of version {version}, and this program makes version {}", schema::VERSION));
        }
        if site != *twin.site() || !went_through(&**twin.journal(), applied)? {
            return other("they were made from another journal".into());
        }
        let mut tables = Tables { twin: twin.clone(), db, applied, bulk_until: 0, wal_remembers: true };
        tables.forget_erased()?;
        tables.empty_wal();
        Ok(tables)
    }

    /// Makes the tables in `data` anew, up to where the twin is now. `told` hears how far it is, and says whether to go on;
    /// `None`: it said no.
    pub fn make(data: &Path, twin: &Arc<Twin>, told: &mut dyn FnMut(u64, u64) -> bool) -> Result<Option<Self>, QueryError> {
        let end = twin.head().records;
        let mut making = Tables {
            twin: twin.clone(),
            db: schema::begin(data, twin.site())?,
            applied: Head::of_site(twin.site()),
            bulk_until: end,
            wal_remembers: false,
        };
        let journal = twin.journal().clone();
        let mut go_on = told(0, end);
        if go_on {
            catch_up(&mut making, &*journal, end, BULK_BATCH, &mut |done| {
                go_on = told(done, end);
                go_on
            })?;
        }
        if !go_on {
            return Ok(None);
        }
        schema::finish(data, making.db)?;
        Tables::open(data, twin).map(Some)
    }

    /// Takes in what was written since, until nothing is left or `told` says to stop.
    pub fn follow(&mut self, told: &mut dyn FnMut(Head) -> bool) -> Result<(), QueryError> {
        let journal: Arc<dyn Journal> = self.twin.journal().clone();
        let mut go_on = true;
        while go_on && self.applied.records < self.twin.head().records {
            let end = self.twin.head().records;
            // One batch; where it is then can be told only behind it, since it is borrowed within.
            let mut took = false;
            catch_up(self, &*journal, end, FOLLOWED_BATCH, &mut |_| {
                took = true;
                false
            })?;
            go_on = took && told(self.applied);
        }
        self.empty_wal();
        Ok(())
    }

    /// Empties the WAL where it may hold who somebody was that is forgotten. One who reads may be in the way; then later.
    fn empty_wal(&mut self) {
        if !self.wal_remembers {
            return;
        }
        // Not waiting for whoever reads: he may read for an hour.
        let busy = self.db.busy_timeout(Duration::ZERO).and_then(|()| {
            let busy = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
            self.db.busy_timeout(schema::BUSY_WAIT).and(busy)
        });
        self.wal_remembers = busy != Ok(0);
    }

    /// Orders whose keys were destroyed, by whatever way, while nobody followed.
    fn forget_erased(&mut self) -> Result<(), QueryError> {
        let erased = self.twin.keys().erasures();
        let tx = self.db.transaction()?;
        for erasure in erased.values() {
            let known = tx.prepare_cached("SELECT 1 FROM orders WHERE id = ?1 AND NOT forgotten")?.exists([erasure.order.as_str()])?;
            if known {
                forget(&tx, &self.twin, &erasure.order)?;
            }
        }
        Ok(tx.commit()?)
    }

    pub fn close(self) -> Result<(), QueryError> {
        self.db.close().map_err(|(_, e)| e.into())
    }

    fn write(&mut self, records: &[Record], head: Head) -> Result<bool, QueryError> {
        let mut touched: HashMap<&Key, usize> = HashMap::new();
        let mut entities: Vec<(&Key, Touch)> = Vec::new();
        let tx = self.db.transaction()?;
        let mut forgot = false;
        {
            let bulk = records.last().is_some_and(|last| last.seq <= self.bulk_until);
            let mut writer = Writer::new(&tx, &self.twin, bulk);
            for record in records {
                writer.happened(record)?;
                if record.version > 1 && record.seq <= self.bulk_until {
                    continue;
                }
                let at = *touched.entry(&record.key).or_insert_with(|| {
                    entities.push((&record.key, Touch::default()));
                    entities.len() - 1
                });
                let touch = &mut entities[at].1;
                if record.version == 1 {
                    touch.begins = Some((record.seq, record.at));
                }
                touch.deep |= is_deep(&record.event);
                forgot |= matches!(record.event, Event::Order(order::Event::Forgotten));
            }
            for (key, touch) in entities {
                writer.is(key, touch)?;
            }
            writer.finish()?;
        }
        tx.prepare_cached("UPDATE applied SET record = ?1, at_us = ?2, hash = ?3")?.execute(params![
            head.records as i64,
            head.at.0,
            head.hash.to_string()
        ])?;
        tx.commit()?;
        Ok(forgot)
    }
}

/// Whether an event changes more of an order than its own row. Every event has its answer here.
fn is_deep(event: &Event) -> bool {
    match event {
        Event::Order(event) => match event {
            order::Event::Received { .. } | order::Event::Identified { .. } | order::Event::AddressPut { .. } | order::Event::Forgotten => {
                true
            }
            order::Event::Held { .. }
            | order::Event::HoldCleared { .. }
            | order::Event::Paid { .. }
            | order::Event::Allocated { .. }
            | order::Event::Picked { .. }
            | order::Event::Dropped { .. }
            | order::Event::Cancelled { .. } => false,
        },
        _ => false,
    }
}

impl Projection for Tables {
    type Error = QueryError;

    fn applied(&self) -> Head {
        self.applied
    }

    fn take_in(&mut self, records: &[Record], head: Head) -> Result<(), QueryError> {
        let forgot = self.write(records, head)?;
        self.applied = head;
        self.wal_remembers |= forgot;
        Ok(())
    }

    fn clear(&mut self) -> Result<(), QueryError> {
        schema::clear(&mut self.db, self.twin.site())?;
        self.applied = Head::of_site(self.twin.site());
        self.wal_remembers = true;
        Ok(())
    }
}

/// Takes out of the tables who the buyer of an order was.
pub fn forget(db: &Connection, twin: &Twin, order: &SmolStr) -> Result<(), QueryError> {
    db.prepare_cached("DELETE FROM buyers WHERE order_id = ?1")?.execute([order.as_str()])?;
    rows::unfind(db, "order", order)?;
    let seq: Option<i64> =
        db.prepare_cached("SELECT seq FROM orders WHERE id = ?1")?.query_row([order.as_str()], |r| r.get(0)).optional()?;
    if let (Some(seq), Some((_, state))) = (seq, twin.load::<order::Order>(order)?) {
        rows::text(db, seq, "order", order, &order_text(order, &state, None))?;
    }
    db.prepare_cached("UPDATE orders SET forgotten = TRUE WHERE id = ?1")?.execute([order.as_str()])?;
    Ok(())
}

//! Lists by facets, newest first, a page at a time. A page costs about the same whatever is asked: the facet with the fewest
//! rows leads, and after so many rows looked at the page ends, with the place from which to go on.

use super::{QueryError, applied};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use twin::Moment;
use utoipa::ToSchema;

/// Rows on a page, unless fewer are asked for.
pub const PAGE_ROWS: usize = 50;
/// Rows that one page looks at.
const LOOKED_AT_MAX: usize = 10_000;
/// A facet is counted so far to see which leads.
const COUNTED_MAX: i64 = 2_000;

/// What somebody wants to see.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Facet and value; facets that a list does not have find nothing.
    pub facets: Vec<(&'static str, String)>,
    pub from: Option<Moment>,
    pub to: Option<Moment>,
    /// Only what began before this record.
    pub after: Option<u64>,
    pub limit: usize,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The record of the journal up to which this is what is.
    pub record: u64,
    /// Newest first.
    pub rows: Vec<T>,
    /// Ask again with `after` set to this for what follows; there may be more though the page is not full. Absent: that is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// Something that is listed.
pub trait Listed: Sized {
    const TABLE: &'static str;
    /// What is read, `seq` first.
    const COLUMNS: &'static str;
    /// Columns by which it can be asked for; those with an index `TABLE_facet` can lead.
    const FACETS: &'static [(&'static str, bool)];
    /// When it began; empty where nobody asks for that.
    const BEGAN: &'static str;
    fn read(db: &Connection, row: &Row) -> Result<Self, QueryError>;
}

/// A page of a list.
pub fn page<T: Listed>(db: &Connection, wish: &Wish) -> Result<Page<T>, QueryError> {
    let record = applied(db)?;
    let (lowest, highest) = bounds::<T>(db, wish)?;
    let table = T::TABLE;
    let mut page = Page { record, rows: Vec::new(), next: None };
    // A parcel has its platform from its order.
    let (own, foreign): (Vec<_>, Vec<_>) = wish.facets.iter().partition(|(facet, _)| T::FACETS.iter().any(|(f, _)| f == facet));
    if foreign.iter().any(|(facet, _)| (table, *facet) != ("parcels", "platform")) {
        return Ok(page);
    }
    let mut leader: Option<(i64, usize)> = None;
    for (n, (facet, value)) in own.iter().enumerate().filter(|(_, (facet, _))| T::FACETS.contains(&(facet, true))) {
        let count = format!(
            "SELECT count(*) FROM (SELECT 1 FROM {table} INDEXED BY {table}_{facet} WHERE {facet} = ?1 AND seq BETWEEN ?2 AND ?3 LIMIT {COUNTED_MAX})"
        );
        let count: i64 = db.prepare_cached(&count)?.query_row(params![value, lowest, highest], |row| row.get(0))?;
        if leader.is_none_or(|(fewest, _)| count < fewest) {
            leader = Some((count, n));
        }
    }
    let facets: String = own.iter().map(|(facet, _)| format!(", {facet}")).collect();
    let (hint, lead, value) = match leader {
        Some((_, n)) => (format!("INDEXED BY {table}_{}", own[n].0), format!("{} = ?3 AND", own[n].0), own[n].1.as_str()),
        None => (String::new(), "?3 = '' AND".into(), ""),
    };
    let ask = format!("SELECT {}{facets} FROM {table} {hint} WHERE {lead} seq BETWEEN ?1 AND ?2 ORDER BY seq DESC", T::COLUMNS);
    let first_facet = T::COLUMNS.split(',').count();
    let mut statement = db.prepare_cached(&ask)?;
    let mut rows = statement.query(params![lowest, highest, value])?;
    let mut looked_at = 0;
    while let Some(row) = rows.next()? {
        if page.rows.len() >= wish.limit || looked_at >= LOOKED_AT_MAX {
            // The cursor is exclusive, so it names the row before this one: one more than this is as good.
            page.next = Some(row.get::<_, i64>(0)? as u64 + 1);
            break;
        }
        looked_at += 1;
        let is = |n: usize, value: &str| matches!(row.get_ref(first_facet + n), Ok(ValueRef::Text(text)) if text == value.as_bytes());
        if !own.iter().enumerate().all(|(n, (_, value))| is(n, value)) {
            continue;
        }
        let of_order = |value: &str| {
            let order: String = row.get("order_id")?;
            db.prepare_cached("SELECT 1 FROM orders WHERE id = ?1 AND platform = ?2")?.exists([order.as_str(), value])
        };
        if foreign.iter().try_fold(true, |all, (_, value)| Ok::<_, rusqlite::Error>(all && of_order(value)?))? {
            page.rows.push(T::read(db, row)?);
        }
    }
    Ok(page)
}

/// Between which records it began. Times never go back along the records, so a time is as good as a number.
fn bounds<T: Listed>(db: &Connection, wish: &Wish) -> Result<(i64, i64), QueryError> {
    let (table, began) = (T::TABLE, T::BEGAN);
    let mut lowest = 0;
    let mut highest = wish.after.map_or(i64::MAX, |after| i64::try_from(after).unwrap_or(i64::MAX) - 1);
    if let Some(from) = wish.from {
        let ask = format!("SELECT seq FROM {table} WHERE {began} >= ?1 ORDER BY {began}, seq LIMIT 1");
        let first: Option<i64> = db.prepare_cached(&ask)?.query_row([from.0], |row| row.get(0)).optional()?;
        lowest = first.unwrap_or(i64::MAX);
    }
    if let Some(to) = wish.to {
        let ask = format!("SELECT seq FROM {table} WHERE {began} < ?1 ORDER BY {began} DESC, seq DESC LIMIT 1");
        let last: Option<i64> = db.prepare_cached(&ask)?.query_row([to.0], |row| row.get(0)).optional()?;
        highest = highest.min(last.unwrap_or(-1));
    }
    Ok((lowest, highest))
}

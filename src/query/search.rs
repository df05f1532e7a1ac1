//! Finds by part of whatever stands in a text: a buyer's name or street, an id, a SKU, a tracking number, a reason.
//!
//! The index names candidates, newest first; the text itself has the last word. What is called exactly so comes before the rest.

use super::fold::Wanted;
use super::{QueryError, applied};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use std::collections::HashSet;
use utoipa::ToSchema;

/// The longest text that is looked for, in characters.
pub const TEXT_MAX: usize = 200;
/// Found things in one answer, unless fewer are asked for.
pub const FOUND_MAX: usize = 50;
/// Candidates that one answer looks at.
const LOOKED_AT_MAX: usize = 10_000;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Found {
    /// `order`, `parcel`, `bag`, `manifest`, `product`, or `exception`: something that happened to what `id` names.
    #[schema(example = "order")]
    pub kind: String,
    #[schema(example = "WEB-000001")]
    pub id: String,
    pub stage: Option<String>,
    /// The order it belongs to.
    pub order: Option<String>,
    /// Absent where the buyer was forgotten.
    pub buyer: Option<String>,
    pub country: Option<String>,
    pub tracking: Option<String>,
    /// Of an exception: what happened; of a product: what it is.
    pub detail: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Findings {
    /// The record of the journal up to which this is what is.
    pub record: u64,
    /// Exactly so called first, then the newest first.
    pub found: Vec<Found>,
    /// Ask again with `after` set to this for what follows. Absent: that is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// Why a text cannot be looked for.
pub const TOO_SHORT: &str = "two letters of a word's beginning, three from anywhere, or one Chinese character are needed at least";

/// Looks for all terms of a text; `kind`: of one kind only. `None`: nothing in it can be looked for.
pub fn find(db: &Connection, text: &str, kind: Option<&str>, after: Option<u64>, limit: usize) -> Result<Option<Findings>, QueryError> {
    let exact = if after.is_none() { called(db, text.trim(), kind)? } else { Vec::new() };
    let mut seen: HashSet<(String, String)> = exact.iter().cloned().collect();
    let mut findings = Findings { record: applied(db)?, found: Vec::new(), next: None };
    for (kind, id) in exact {
        findings.found.push(describe(db, kind, id, 0)?);
    }
    let Some(wanted) = Wanted::read(text) else { return Ok((!findings.found.is_empty()).then_some(findings)) };
    let ask = "SELECT rowid FROM pieces WHERE pieces MATCH ?1 AND rowid < ?2 ORDER BY rowid DESC";
    let before = after.map_or(i64::MAX, |after| i64::try_from(after).unwrap_or(i64::MAX));
    let mut statement = db.prepare_cached(ask)?;
    let mut candidates = statement.query(params![wanted.expression(), before])?;
    let mut texts = db.prepare_cached("SELECT kind, entity_id, body FROM texts WHERE seq = ?1")?;
    let mut looked_at = 0;
    let mut last = 0;
    while let Some(candidate) = candidates.next()? {
        if findings.found.len() >= limit || looked_at >= LOOKED_AT_MAX {
            findings.next = Some(last);
            break;
        }
        looked_at += 1;
        let seq: i64 = candidate.get(0)?;
        last = seq as u64;
        let row = |row: &rusqlite::Row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?));
        let Some((of, id, body)) = texts.query_row([seq], row).optional()? else { continue };
        if kind.is_some_and(|kind| kind != of) || !wanted.stands_in(&body) {
            continue;
        }
        // Each exception is a thing of its own; of anything else its several texts are one.
        if of == "exception" || seen.insert((of.clone(), id.clone())) {
            findings.found.push(describe(db, of, id, seq)?);
        }
    }
    Ok(Some(findings))
}

/// What is called exactly so: kind and id.
fn called(db: &Connection, text: &str, kind: Option<&str>) -> Result<Vec<(String, String)>, QueryError> {
    let mut called = Vec::new();
    for (of, ask) in [
        ("order", "SELECT id FROM orders WHERE id = ?1 OR number = ?1 ORDER BY seq DESC LIMIT 10"),
        ("parcel", "SELECT id FROM parcels WHERE id = ?1"),
        ("parcel", "SELECT id FROM parcels WHERE tracking = ?1"),
        ("bag", "SELECT id FROM bags WHERE id = ?1"),
        ("manifest", "SELECT id FROM manifests WHERE id = ?1"),
        ("product", "SELECT id FROM products WHERE id = ?1"),
    ] {
        if kind.is_none_or(|kind| kind == of) {
            let mut ask = db.prepare_cached(ask)?;
            for id in ask.query_map([text], |row| row.get::<_, String>(0))? {
                called.push((of.to_owned(), id?));
            }
        }
    }
    Ok(called)
}

fn describe(db: &Connection, kind: String, id: String, seq: i64) -> Result<Found, QueryError> {
    let mut found = Found { kind, id, stage: None, order: None, buyer: None, country: None, tracking: None, detail: None };
    match found.kind.as_str() {
        "order" => {
            let ask = "SELECT o.stage, o.country, b.name FROM orders o LEFT JOIN buyers b ON b.order_id = o.id WHERE o.id = ?1";
            let row = db.prepare_cached(ask)?.query_row([&found.id], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).optional()?;
            (found.stage, found.country, found.buyer) = row.unwrap_or_default();
            found.order = Some(found.id.clone());
        }
        "parcel" => {
            let ask = "SELECT coalesce(p.status, p.stage), p.country, b.name, p.order_id, p.tracking \
                 FROM parcels p LEFT JOIN buyers b ON b.order_id = p.order_id WHERE p.id = ?1";
            let row = |r: &rusqlite::Row| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?));
            let row = db.prepare_cached(ask)?.query_row([&found.id], row).optional()?;
            (found.stage, found.country, found.buyer, found.order, found.tracking) = row.unwrap_or_default();
        }
        "product" => {
            let ask = "SELECT stage, coalesce(description, category) FROM products WHERE id = ?1";
            let row = db.prepare_cached(ask)?.query_row([&found.id], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
            (found.stage, found.detail) = row.unwrap_or_default();
        }
        "exception" => {
            let ask = "SELECT kind || ' ' || what || ': ' || detail FROM exceptions WHERE seq = ?1";
            found.detail = db.prepare_cached(ask)?.query_row([seq], |r| r.get(0)).optional()?;
        }
        _ => {}
    }
    Ok(found)
}

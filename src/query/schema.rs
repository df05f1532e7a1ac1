//! The file of the query side: how it is made, opened and recognised. One process writes; any of the same user may read.
//!
//! It holds who the buyers are in the open, so nobody else may read it, and what is deleted is written over.

use super::QueryError;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};
use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use twin::journal::Head;
use twin::{Hash, Moment};

/// The shape of the tables and what is in them, the pieces of [`super::fold`] too. Another one is made anew.
pub const VERSION: i64 = 2;
/// In a twin's data folder.
pub const FOLDER: &str = "query";
const FILE: &str = "site.db";
/// Where it is made, before it takes the old one's place.
const NEW: &str = "site.db.new";

pub const TABLES: &str = include_str!("schema.sql");
pub const INDEXES: &str = include_str!("indexes.sql");

/// All tables but `applied`.
const ROWS: [&str; 26] = [
    "orders",
    "buyers",
    "order_lines",
    "line_goods",
    "parcels",
    "parcel_items",
    "tracking",
    "returns",
    "return_items",
    "bags",
    "manifests",
    "declarations",
    "declared_goods",
    "stock",
    "products",
    "sku_maps",
    "sku_map_parts",
    "sellers",
    "shops",
    "decisions",
    "candidates",
    "charges",
    "exceptions",
    "stock_movements",
    "settings",
    "texts",
];

/// The index of what can be searched: SQLite's alone. It keeps no text, only which piece stands in which; a row is
/// that of `texts` with the same `seq`. All that is cut here already, so its own cutting is at what is no letter.
const SEARCH: &str =
    "CREATE VIRTUAL TABLE pieces USING fts5(body, content='', detail=none, columnsize=0, tokenize=\"ascii tokenchars '_'\");
    INSERT INTO pieces(pieces, rank) VALUES('secure-delete', 1);";

/// Pages of the WAL that are written into the file at once.
const CHECKPOINT_PAGES: i64 = 4_000;
/// Page cache of the writer, and of each reader, in KiB.
const WRITER_CACHE_KIB: i64 = 32_768;
const READER_CACHE_KIB: i64 = 8_192;
/// How long a statement waits for another connection.
pub const BUSY_WAIT: std::time::Duration = std::time::Duration::from_secs(5);
/// Bytes of pieces that FTS5 gathers before it writes: many in bulk, its own default otherwise.
const BULK_BYTES: i64 = 16 << 20;
const USUAL_BYTES: i64 = 1 << 20;

pub fn path(data: &Path) -> PathBuf {
    data.join(FOLDER).join(FILE)
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Removes a file of tables with what SQLite keeps beside it. The file first: what stands beside it is nothing without it.
pub fn remove(path: &Path) -> Result<(), QueryError> {
    for file in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm"), beside(path, "-journal")] {
        match std::fs::remove_file(&file) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(QueryError::File { path: file, why: e.to_string() }),
            _ => {}
        }
    }
    Ok(())
}

fn create_closed(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    }
    // SQLite gives what it makes beside a file the same rights.
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
}

fn connect(path: &Path) -> Result<Connection, QueryError> {
    create_closed(path).map_err(|e| QueryError::File { path: path.into(), why: e.to_string() })?;
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.set_prepared_statement_cache_capacity(64);
    db.busy_timeout(BUSY_WAIT)?;
    db.pragma_update(None, "secure_delete", true)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    Ok(db)
}

/// Begins a new file beside the one that is there. It is written as fast as it goes: where that breaks off, it is begun anew.
pub fn begin(data: &Path, site: &str) -> Result<Connection, QueryError> {
    let path = data.join(FOLDER).join(NEW);
    remove(&path)?;
    let db = connect(&path)?;
    db.pragma_update(None, "journal_mode", "OFF")?;
    db.pragma_update(None, "synchronous", "OFF")?;
    db.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    db.execute_batch(TABLES)?;
    db.execute_batch(SEARCH)?;
    db.execute("INSERT INTO pieces(pieces, rank) VALUES('hashsize', ?1)", [BULK_BYTES])?;
    let head = Head::of_site(site);
    db.execute("INSERT INTO applied VALUES (?1, ?2, 0, 0, ?3)", params![VERSION, site, head.hash.to_string()])?;
    Ok(db)
}

/// Gives a whole new file its name.
pub fn finish(data: &Path, db: Connection) -> Result<(), QueryError> {
    db.execute("INSERT INTO pieces(pieces, rank) VALUES('hashsize', ?1)", [USUAL_BYTES])?;
    db.execute_batch(INDEXES)?;
    db.execute_batch("PRAGMA analysis_limit = 1000; ANALYZE")?;
    db.close().map_err(|(_, e)| e)?;
    let (new, path) = (data.join(FOLDER).join(NEW), path(data));
    let moved = std::fs::File::open(&new).and_then(|f| f.sync_all()).map_err(|e| e.to_string());
    moved.map_err(|why| QueryError::File { path: new.clone(), why })?;
    remove(&path)?;
    let named = std::fs::rename(&new, &path).and_then(|()| std::fs::File::open(data.join(FOLDER))?.sync_all());
    named.map_err(|e| QueryError::File { path, why: e.to_string() })
}

/// Removes what was begun and never finished: nobody would forget in it.
pub fn remove_unfinished(data: &Path) -> Result<(), QueryError> {
    remove(&data.join(FOLDER).join(NEW))
}

/// Opens the file for the one who writes.
pub fn open(data: &Path) -> Result<Connection, QueryError> {
    remove_unfinished(data)?;
    let path = path(data);
    if !path.exists() {
        return Err(QueryError::Absent { path });
    }
    let db = connect(&path)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    // A commit is not synced: after a loss of power the file is whole and a little behind.
    db.pragma_update(None, "synchronous", "NORMAL")?;
    db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    Ok(db)
}

/// Opens it to look only.
pub fn look(data: &Path) -> Result<Connection, QueryError> {
    let path = path(data);
    if !path.exists() {
        return Err(QueryError::Absent { path });
    }
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(BUSY_WAIT)?;
    db.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    db.pragma_update(None, "query_only", true)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(db)
}

/// Takes all rows out.
pub fn clear(db: &mut Connection, site: &str) -> Result<(), QueryError> {
    let tx = db.transaction()?;
    for table in ROWS {
        tx.execute(&format!("DELETE FROM {table}"), [])?;
    }
    tx.execute("INSERT INTO pieces(pieces) VALUES('delete-all')", [])?;
    tx.execute("UPDATE applied SET record = 0, at_us = 0, hash = ?1", [Head::of_site(site).hash.to_string()])?;
    Ok(tx.commit()?)
}

/// Whose it is, in which version, and up to where; `None`: that cannot be told from it.
pub fn made_from(db: &Connection) -> Result<Option<(i64, String, Head)>, QueryError> {
    let row = db
        .query_row("SELECT schema_version, site, record, at_us, hash FROM applied", [], |row| {
            let hash: String = row.get(4)?;
            Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?, hash))
        })
        .optional();
    match row {
        Ok(Some((version, site, record, at, hash))) => {
            let hash = serde_json::from_value::<Hash>(hash.into()).ok();
            Ok(hash.map(|hash| (version, site, Head { records: record as u64, hash, at: Moment(at) })))
        }
        Ok(None) => Ok(None),
        Err(rusqlite::Error::SqliteFailure(e, _)) if e.code == ErrorCode::Unknown => Ok(None),
        Err(e) => Err(e.into()),
    }
}

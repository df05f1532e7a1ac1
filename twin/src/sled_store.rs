//! The store on disk, in sled 0.34.
//!
//! sled's `flush` calls `sync_file_range` on Linux, which survives the death of the process but not of the power. So a
//! second handle on its one file is `fdatasync`ed after each flush, and only then is a write durable.

use crate::store::{Rows, Store, StoreError, Write};
use crate::{Hash, Key, Kind};
use smol_str::SmolStr;
use std::fs::File;
use std::path::Path;

/// Page cache, bytes. sled's own default is 1 GB.
const CACHE_BYTES: u64 = 128 << 20;
/// sled reclaims space on this timer.
const FLUSH_EVERY_MS: u64 = 500;

pub struct SledStore {
    db: sled::Db,
    journal: sled::Tree,
    state: sled::Tree,
    index: sled::Tree,
    documents: sled::Tree,
    file: File,
}

const MARK: &[u8] = b"mark";

fn broken(what: &'static str) -> impl Fn(sled::Error) -> StoreError {
    move |e| StoreError::Broken { what, why: e.to_string() }
}

impl SledStore {
    /// Opens or creates the store in `dir`.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.display().to_string();
        let db = sled::Config::new().path(dir).cache_capacity(CACHE_BYTES).flush_every_ms(Some(FLUSH_EVERY_MS)).open().map_err(
            |e| match &e {
                sled::Error::Io(io) if io.kind() == std::io::ErrorKind::WouldBlock || io.to_string().contains("lock") => {
                    StoreError::Locked { path: path.clone() }
                }
                _ => StoreError::Open { path: path.clone(), why: e.to_string() },
            },
        )?;
        let tree = |name: &str| db.open_tree(name).map_err(|e| StoreError::Open { path: path.clone(), why: e.to_string() });
        let file = File::open(dir.join("db")).map_err(|e| StoreError::Open { path: path.clone(), why: e.to_string() })?;
        Ok(Self { journal: tree("journal")?, state: tree("state")?, index: tree("index")?, documents: tree("documents")?, db, file })
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(broken("flush"))?;
        self.file.sync_data().map_err(|e| StoreError::Broken { what: "sync", why: e.to_string() })
    }
}

fn state_key(key: &Key) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(key.id.len() + 1);
    bytes.push(kind_byte(key.kind));
    bytes.extend_from_slice(key.id.as_bytes());
    bytes
}

fn kind_byte(kind: Kind) -> u8 {
    Kind::ALL.iter().position(|k| *k == kind).map_or(u8::MAX, |n| n as u8)
}

fn text(bytes: &[u8]) -> SmolStr {
    SmolStr::new(String::from_utf8_lossy(bytes))
}

impl Store for SledStore {
    fn write(&self, write: Write) -> Result<(), StoreError> {
        for (hash, bytes) in write.documents {
            self.documents.insert(hash.0, bytes).map_err(broken("write a document"))?;
        }
        // The journal first: sled's log is sequential, so after a crash a state is never there without its record.
        let mut journal = sled::Batch::default();
        for (first, group) in write.groups {
            journal.insert(&first.to_be_bytes(), group);
        }
        self.journal.apply_batch(journal).map_err(broken("write the journal"))?;
        let mut states = sled::Batch::default();
        for (key, bytes) in write.states {
            states.insert(state_key(&key), bytes);
        }
        self.state.apply_batch(states).map_err(broken("write states"))?;
        if !write.index.is_empty() {
            let mut index = sled::Batch::default();
            for (name, id) in write.index {
                index.insert(name.as_bytes(), id.as_bytes());
            }
            self.index.apply_batch(index).map_err(broken("write the index"))?;
        }
        if write.last > 0 {
            self.db.insert(MARK, &write.last.to_be_bytes()).map_err(broken("write the mark"))?;
        }
        self.sync()
    }

    fn groups(&self, from: u64) -> Rows<'_, Vec<u8>> {
        let first = match self.journal.get_lt(from.saturating_add(1).to_be_bytes()) {
            Ok(Some((key, _))) => key.to_vec(),
            Ok(None) => Vec::new(),
            Err(e) => return Box::new(std::iter::once(Err(broken("read the journal")(e)))),
        };
        Box::new(self.journal.range(first..).map(|row| row.map(|(_, v)| v.to_vec()).map_err(broken("read the journal"))))
    }

    fn last_group(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.journal.last().map_err(broken("read the journal"))?.map(|(_, v)| v.to_vec()))
    }

    fn mark(&self) -> Result<u64, StoreError> {
        let bytes = self.db.get(MARK).map_err(broken("read the mark"))?;
        Ok(bytes.and_then(|b| Some(u64::from_be_bytes(b.as_ref().try_into().ok()?))).unwrap_or(0))
    }

    fn state(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.state.get(state_key(key)).map_err(broken("read a state"))?.map(|v| v.to_vec()))
    }

    fn states(&self, kind: Kind) -> Rows<'_, (SmolStr, Vec<u8>)> {
        let rows = self.state.scan_prefix([kind_byte(kind)]);
        Box::new(rows.map(|row| row.map(|(k, v)| (text(&k[1..]), v.to_vec())).map_err(broken("read states"))))
    }

    fn look_up(&self, name: &str) -> Result<Option<SmolStr>, StoreError> {
        Ok(self.index.get(name).map_err(broken("read the index"))?.map(|v| text(&v)))
    }

    fn document(&self, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.documents.get(hash.0).map_err(broken("read a document"))?.map(|v| v.to_vec()))
    }

    fn documents(&self) -> Rows<'_, (Hash, Vec<u8>)> {
        Box::new(self.documents.iter().filter_map(|row| match row {
            Ok((k, v)) => Some(Ok((Hash(k.as_ref().try_into().ok()?), v.to_vec()))),
            Err(e) => Some(Err(broken("read documents")(e))),
        }))
    }

    fn forget_states(&self) -> Result<(), StoreError> {
        self.db.remove(MARK).map_err(broken("forget the mark"))?;
        self.state.clear().map_err(broken("forget states"))?;
        self.index.clear().map_err(broken("forget the index"))?;
        self.sync()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance;

    #[test]
    fn conforms_and_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        conformance::run(&SledStore::open(dir.path()).unwrap());
        let again = SledStore::open(dir.path()).unwrap();
        assert_eq!(again.last_group().unwrap().unwrap(), b"group 4");
    }
}

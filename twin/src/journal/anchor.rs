//! The anchor: how far the journal was known to reach, kept apart from it.
//!
//! Two slots in sectors of their own, written in turn, so that one of them is always whole. Written after every group and
//! synced once in a while: after the death of the process it is exact, after a loss of power it may be a little old.
//! Slot: `PTan` · version u32 · counter u64 · records u64 · hash 32 · time i64 · segment u32 · offset u64 · CRC-32 u32.

use super::Head;
use super::disk::{Disk, DiskFile};
use super::group::SECTOR;
use crate::error::broken;
use crate::{Hash, Moment, StoreError};
use std::sync::Arc;

pub const PATH: &str = "journal/anchor";
const SLOT_BYTES: usize = 80;
const MAGIC: &[u8; 4] = b"PTan";
const VERSION: u32 = 1;

/// A place in the journal behind which something may come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    pub head: Head,
    pub segment: u32,
    pub offset: u64,
}

pub struct Anchor {
    file: Arc<dyn DiskFile>,
    counter: u64,
}

/// What the anchor says, and whether a slot of it is damaged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    pub newest: Option<(u64, Mark)>,
    pub damaged: bool,
}

impl Reading {
    pub fn mark(&self) -> Option<Mark> {
        self.newest.map(|(_, mark)| mark)
    }
}

/// Reads without changing anything.
pub fn read(disk: &dyn Disk) -> Result<Reading, StoreError> {
    let file = match disk.read(PATH) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Reading::default()),
        Err(e) => return Err(broken("read the anchor")(e)),
    };
    let mut reading = Reading::default();
    for slot in 0..2 {
        let bytes = file.bytes_at(slot * SECTOR, SLOT_BYTES).map_err(broken("read the anchor"))?;
        match read_slot(&bytes) {
            Some(found) if reading.newest.is_none_or(|(counter, _)| counter < found.0) => reading.newest = Some(found),
            Some(_) => {}
            // The second slot of a new journal has never been written.
            None => reading.damaged |= bytes.len() < SLOT_BYTES || bytes.iter().any(|b| *b != 0),
        }
    }
    reading.damaged |= reading.newest.is_none();
    Ok(reading)
}

fn read_slot(bytes: &[u8]) -> Option<(u64, Mark)> {
    let bytes: &[u8; SLOT_BYTES] = bytes.try_into().ok()?;
    let four = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let eight = |at: usize| u64::from(four(at)) | u64::from(four(at + 4)) << 32;
    if &bytes[..4] != MAGIC || four(4) != VERSION || crc32fast::hash(&bytes[..SLOT_BYTES - 4]) != four(SLOT_BYTES - 4) {
        return None;
    }
    let head = Head { records: eight(16), hash: Hash(bytes[24..56].try_into().ok()?), at: Moment(eight(56) as i64) };
    Some((eight(8), Mark { head, segment: four(64), offset: eight(68) }))
}

impl Anchor {
    /// Opens it for writing, going on behind what was read.
    pub fn open(disk: &dyn Disk, reading: Reading) -> Result<Self, StoreError> {
        let file = disk.write(PATH).map_err(broken("open the anchor"))?;
        if file.len().map_err(broken("open the anchor"))? < 2 * SECTOR {
            file.set_len(2 * SECTOR).map_err(broken("make the anchor"))?;
        }
        Ok(Anchor { file, counter: reading.newest.map_or(0, |(counter, _)| counter) })
    }

    pub fn write(&mut self, mark: Mark) -> Result<(), StoreError> {
        self.counter += 1;
        let mut slot = Vec::with_capacity(SLOT_BYTES);
        slot.extend_from_slice(MAGIC);
        slot.extend_from_slice(&VERSION.to_le_bytes());
        slot.extend_from_slice(&self.counter.to_le_bytes());
        slot.extend_from_slice(&mark.head.records.to_le_bytes());
        slot.extend_from_slice(&mark.head.hash.0);
        slot.extend_from_slice(&mark.head.at.0.to_le_bytes());
        slot.extend_from_slice(&mark.segment.to_le_bytes());
        slot.extend_from_slice(&mark.offset.to_le_bytes());
        slot.extend_from_slice(&crc32fast::hash(&slot).to_le_bytes());
        self.file.write_at(&slot, self.counter % 2 * SECTOR).map_err(broken("write the anchor"))
    }

    pub fn file(&self) -> Arc<dyn DiskFile> {
        self.file.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::disk::OsDisk;

    #[test]
    fn the_newer_slot_counts_and_the_other_stands_in() {
        let dir = tempfile::tempdir().unwrap();
        let disk = OsDisk::at(dir.path());
        disk.make_folder("journal").unwrap();
        assert!(read(&disk).unwrap().newest.is_none() && !read(&disk).unwrap().damaged);
        let mut anchor = Anchor::open(&disk, Reading::default()).unwrap();
        let mark =
            |n: u64| Mark { head: Head { records: n, hash: Hash([n as u8; 32]), at: Moment(n as i64) }, segment: 1, offset: n * 100 };
        anchor.write(mark(1)).unwrap();
        anchor.write(mark(2)).unwrap();
        let reading = read(&disk).unwrap();
        assert_eq!((reading.mark(), reading.damaged), (Some(mark(2)), false));
        anchor.file().write_at(&[7], (anchor.counter % 2) * SECTOR + 20).unwrap();
        let reading = read(&disk).unwrap();
        assert_eq!((reading.mark(), reading.damaged), (Some(mark(1)), true));
    }
}

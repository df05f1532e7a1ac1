//! One segment file: a head of one sector, groups, and a seal once it is full. Reading and judging, never writing.
//!
//! Head (512 bytes, little-endian): `PTJOURNL` · version u16 · number u32 · records before u64 · hash before 32 · time of
//! the record before i64 · length of the segment before u64 · length of the site's id u16 · the id · zeros · CRC-32 u32.
//! An unsealed segment is longer than what is in it: zeros stand behind, put there and synced before anything is written
//! into them. So a file that ends with its content was cut off.

use super::Head;
use super::disk::{Disk, DiskFile};
use super::group::{FrameHead, Group, HEAD_BYTES, SECTOR, TAIL, zero_sectors};
use crate::error::{Damage, Remedy, broken};
use crate::{Hash, Moment, StoreError};
use smol_str::SmolStr;
use std::sync::Arc;

/// The newest form of segments that this program knows. The list of all forms, newest first:
/// 1 — the first.
pub const VERSION: u16 = 1;
pub const FOLDER: &str = "journal";
pub const START: u64 = SECTOR;
const MAGIC: &[u8; 8] = b"PTJOURNL";
/// The longest id of a site, bytes.
pub const SITE_LENGTH_MAX: usize = 64;
/// A seal's frame.
pub(crate) const SEAL_BYTES: u64 = (HEAD_BYTES + TAIL.len()) as u64;
/// How much is read at once when frames are walked.
const WINDOW_BYTES: usize = 1 << 18;

pub fn path(number: u32) -> String {
    format!("{FOLDER}/{number:08}.seg")
}

/// What stands at the head of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentHead {
    pub number: u32,
    pub site: SmolStr,
    pub before: Head,
    /// Length of the segment before it; 0 for the first.
    pub length_before: u64,
}

impl SegmentHead {
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SECTOR as usize);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(&self.before.records.to_le_bytes());
        bytes.extend_from_slice(&self.before.hash.0);
        bytes.extend_from_slice(&self.before.at.0.to_le_bytes());
        bytes.extend_from_slice(&self.length_before.to_le_bytes());
        bytes.extend_from_slice(&(self.site.len() as u16).to_le_bytes());
        bytes.extend_from_slice(self.site.as_bytes());
        bytes.resize(SECTOR as usize - 4, 0);
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Self, (String, Remedy)> {
        let bytes: &[u8; SECTOR as usize] = bytes.try_into().map_err(|_| ("it ends within its head".to_owned(), Remedy::Restore))?;
        let (content, crc) = bytes.split_at(SECTOR as usize - 4);
        let two = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let four = |at: usize| u32::from(two(at)) | u32::from(two(at + 2)) << 16;
        let eight = |at: usize| u64::from(four(at)) | u64::from(four(at + 4)) << 32;
        if crc != crc32fast::hash(content).to_le_bytes() || &bytes[..8] != MAGIC {
            return Err(("its head cannot be read".into(), Remedy::Restore));
        }
        if two(8) > VERSION {
            return Err((format!("it has form {}, and this program knows forms up to {VERSION}", two(8)), Remedy::Upgrade));
        }
        let length = usize::from(two(70));
        let site = bytes.get(72..72 + length).filter(|_| length <= SITE_LENGTH_MAX).and_then(|b| std::str::from_utf8(b).ok());
        let site = site.ok_or_else(|| ("its head cannot be read".to_owned(), Remedy::Restore))?;
        Ok(SegmentHead {
            number: four(10),
            site: site.into(),
            before: Head { records: eight(14), hash: bytes[22..54].try_into().map(Hash).unwrap_or_default(), at: Moment(eight(54) as i64) },
            length_before: eight(62),
        })
    }
}

/// A segment that is open for reading.
#[derive(Clone)]
pub struct Segment {
    pub head: SegmentHead,
    pub file: Arc<dyn DiskFile>,
    pub length: u64,
    pub path: String,
}

/// What walking a segment came upon at last.
#[derive(Debug)]
pub enum End {
    /// Nothing but zeros from here on.
    Clean { offset: u64 },
    /// The seal ends there.
    Sealed { offset: u64 },
    /// What stands there was not written to its end, so nobody was told that it is durable.
    Torn { offset: u64, bytes: u64 },
    /// What stands there is the last, is damaged, and may have been durable.
    Suspect { offset: u64, bytes: u64, records: Option<u32>, why: &'static str },
}

impl Segment {
    pub fn open(disk: &dyn Disk, number: u32) -> Result<Self, StoreError> {
        let path = path(number);
        let file = disk.read(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => damage(&path, 0, None, "it is not there".into(), Remedy::Restore),
            _ => broken("open a segment")(e),
        })?;
        let length = file.len().map_err(broken("open a segment"))?;
        let bytes = file.bytes_at(0, SECTOR as usize).map_err(broken("read a segment"))?;
        let head = SegmentHead::read(&bytes).map_err(|(why, remedy)| damage(&path, 0, None, why, remedy))?;
        if head.number != number {
            return Err(damage(&path, 0, None, format!("its head says that it is segment {}", head.number), Remedy::Restore));
        }
        Ok(Segment { head, file, length, path })
    }

    /// The seal at its very end, where it has one.
    pub fn seal(&self) -> Result<Option<Head>, StoreError> {
        if self.length < START + SEAL_BYTES {
            return Ok(None);
        }
        let bytes = self.file.bytes_at(self.length - SEAL_BYTES, SEAL_BYTES as usize).map_err(broken("read a segment"))?;
        Ok(FrameHead::read(&bytes).filter(|head| head.is_seal && head.is_whole(&bytes)).map(|head| head.head()))
    }

    pub fn damaged(&self, offset: u64, record: Option<u64>, why: impl Into<String>) -> StoreError {
        damage(&self.path, offset, record, why.into(), Remedy::Restore)
    }

    /// Walks the groups from `offset`, which follow `head`, and gives each that is whole to `each` with its offset. Stops
    /// at the first that is not.
    pub fn walk(
        &self,
        mut offset: u64,
        mut head: Head,
        each: &mut dyn FnMut(u64, Group) -> Result<(), StoreError>,
    ) -> Result<(Head, End), StoreError> {
        let mut window = Window::default();
        loop {
            match self.step(&mut window, offset)? {
                Step::Group(group, next) => {
                    if group.first != head.records + 1 || group.before != head.hash {
                        return Err(self.damaged(offset, Some(head.records + 1), "a group does not follow from the one before it"));
                    }
                    if group.chained() != Some(group.after) {
                        return Err(self.damaged(offset, Some(head.records + 1), "the hash of a group does not match its content"));
                    }
                    head = group.head();
                    each(offset, *group)?;
                    offset = next;
                }
                Step::Seal(sealed, offset) if sealed == head => return Ok((head, End::Sealed { offset })),
                Step::Seal(..) => return Err(self.damaged(offset, None, "the seal does not match what stands before it")),
                Step::None(frame) => return Ok((head, self.judge(offset, head, frame)?)),
            }
        }
    }

    /// What stands at `offset`.
    pub(crate) fn step(&self, window: &mut Window, offset: u64) -> Result<Step, StoreError> {
        let Some(frame) = FrameHead::read(window.at(self, offset, HEAD_BYTES)?) else { return Ok(Step::None(None)) };
        let next = offset + frame.frame_bytes();
        let bytes = window.at(self, offset, frame.frame_bytes() as usize)?;
        if !frame.is_whole(bytes) {
            return Ok(Step::None(Some(frame)));
        }
        if frame.is_seal {
            return Ok(Step::Seal(frame.head(), next));
        }
        match frame.group(bytes, self.head.number, offset) {
            Some(group) => Ok(Step::Group(Box::new(group), next)),
            None => Err(self.damaged(offset, Some(frame.first), "a group cannot be taken apart")),
        }
    }

    /// What it is that stands at `offset` where a whole group should.
    fn judge(&self, offset: u64, head: Head, frame: Option<FrameHead>) -> Result<End, StoreError> {
        let last = self.last_content(offset)?;
        let Some(last) = last else { return Ok(End::Clean { offset }) };
        if let Some(later) = self.later_group(offset, head)? {
            let why = format!("a group cannot be read, and record {} stands whole behind it", later.first);
            return Err(self.damaged(offset, Some(head.records + 1), why));
        }
        let end = last + 1;
        let bytes = end - offset;
        let suspect = |records, why| Ok(End::Suspect { offset, bytes, records, why });
        let Some(frame) = frame else {
            let head_end = offset + HEAD_BYTES as u64;
            if head_end > self.length {
                return suspect(None, "the file ends within the head of the last group");
            }
            // A head is torn where one of its sectors was never written from here on, or where nothing stands behind it.
            let boundary = (offset + 1).next_multiple_of(SECTOR);
            let whole = self.file.bytes_at(offset, (boundary + SECTOR - offset) as usize).map_err(broken("read a segment"))?;
            let (first, second) = whole.split_at(((boundary - offset) as usize).min(whole.len()));
            let is_empty = |part: &[u8]| !part.is_empty() && part.iter().all(|b| *b == 0);
            let torn = is_empty(first) || (boundary < head_end && is_empty(second)) || end < head_end;
            return match torn {
                true => Ok(End::Torn { offset, bytes }),
                false => suspect(None, "the head of the last group cannot be read"),
            };
        };
        let frame_end = offset + frame.frame_bytes();
        let records = Some(frame.count).filter(|_| !frame.is_seal);
        if frame_end > self.length {
            return suspect(records, "the file ends within the last group");
        }
        let body = self.file.bytes_at(offset + HEAD_BYTES as u64, frame.body as usize + TAIL.len()).map_err(broken("read a segment"))?;
        let never_written = zero_sectors(&body, offset + HEAD_BYTES as u64) > frame.zero_sectors || body.ends_with(&[0; TAIL.len()]) || {
            // The sector in which the tail stands, or the first of the body, may be the one that was not written.
            let split = ((frame_end - 1) / SECTOR * SECTOR).max(offset + HEAD_BYTES as u64);
            body[(split - offset) as usize - HEAD_BYTES..].iter().all(|b| *b == 0)
        };
        match never_written {
            true => Ok(End::Torn { offset, bytes }),
            false => suspect(records, "the checksum of the last group does not match its content"),
        }
    }

    /// The last byte from `offset` on that is not zero.
    fn last_content(&self, offset: u64) -> Result<Option<u64>, StoreError> {
        let mut end = self.length;
        while end > offset {
            let start = end.saturating_sub(WINDOW_BYTES as u64).max(offset);
            let bytes = self.file.bytes_at(start, (end - start) as usize).map_err(broken("read a segment"))?;
            if let Some(at) = bytes.iter().rposition(|b| *b != 0) {
                return Ok(Some(start + at as u64));
            }
            end = start;
        }
        Ok(None)
    }

    pub(crate) fn last_content_behind(&self, offset: u64) -> Result<bool, StoreError> {
        self.last_content(offset).map(|found| found.is_some())
    }

    /// A group or seal of this journal somewhere behind `offset`, whose head is whole.
    fn later_group(&self, offset: u64, head: Head) -> Result<Option<FrameHead>, StoreError> {
        let mut start = offset + 1;
        while start < self.length {
            let bytes = self.file.bytes_at(start, WINDOW_BYTES + HEAD_BYTES).map_err(broken("read a segment"))?;
            for (at, _) in bytes.iter().enumerate().take(WINDOW_BYTES).filter(|(_, b)| **b == b'P') {
                let found =
                    FrameHead::read(&bytes[at..]).filter(|f| f.first > head.records + 1 || (f.is_seal && f.first == head.records + 1));
                if found.is_some() {
                    return Ok(found);
                }
            }
            start += WINDOW_BYTES as u64;
        }
        Ok(None)
    }
}

pub(crate) fn damage(path: &str, offset: u64, record: Option<u64>, why: String, remedy: Remedy) -> StoreError {
    StoreError::Damaged(Damage { file: path.into(), offset, record, why, remedy })
}

/// What stands at a place of a segment.
pub(crate) enum Step {
    /// And where the next begins.
    Group(Box<Group>, u64),
    Seal(Head, u64),
    /// Nothing whole; with the head of a frame, where that at least can be read.
    None(Option<FrameHead>),
}

/// A stretch of a segment in memory.
pub(crate) struct Window {
    start: u64,
    bytes: Vec<u8>,
    /// So much is read at once.
    stretch: usize,
}

impl Default for Window {
    fn default() -> Self {
        Window::of(WINDOW_BYTES)
    }
}

impl Window {
    pub fn of(stretch: usize) -> Self {
        Window { start: 0, bytes: Vec::new(), stretch }
    }

    /// `length` bytes at `offset`, fewer where the segment ends.
    fn at(&mut self, segment: &Segment, offset: u64, length: usize) -> Result<&[u8], StoreError> {
        let end = self.start + self.bytes.len() as u64;
        if offset < self.start || offset + length as u64 > end {
            let wanted = (length.max(self.stretch) as u64).min(segment.length.saturating_sub(offset));
            self.bytes = segment.file.bytes_at(offset, wanted as usize).map_err(broken("read a segment"))?;
            self.start = offset;
        }
        let from = (offset - self.start) as usize;
        Ok(&self.bytes[from..(from + length).min(self.bytes.len())])
    }
}

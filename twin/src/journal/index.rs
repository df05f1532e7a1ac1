//! Which groups of a segment hold something of a thing, so that its history is found without reading all others.
//!
//! Made from the segments alone, behind the writer's back: the newest segment is read on from where it was read last, a
//! sealed one gets a file beside it. That file is no part of the journal: where it is missing, damaged, or speaks of
//! another segment, it is made anew. Nothing of it is taken without its checksum.
//!
//! File, little-endian: `PTINDEX\0` · form u32 · segment u32 · its length u64 · hash of its seal 32 · pairs u32 · for each
//! 512 pairs [hash of the first u32, CRC-32 of their bytes u32] · CRC-32 of all this u32; from the next multiple of 4096 on
//! the pairs, u64 in order: `hash << 32 | offset of a group`. A thing's hash is the CRC-32 of its kind's number (u32) and id.

use super::disk::Disk;
use super::group::{FrameHead, HEAD_BYTES};
use super::history::Way;
use super::segment::{START, Segment, Step, Window};
use super::{Group, Head};
use crate::error::broken;
use crate::{Key, StoreError};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const MAGIC: &[u8; 8] = b"PTINDEX\0";
const VERSION: u32 = 1;
const HEAD: usize = 60;
const PAIR_BYTES: usize = 8;
/// Pairs that are read and checked at once: a page.
const BLOCK: usize = 512;
const PAGE: usize = 4096;
/// Most groups are shorter; a longer one is read a second time, whole.
const GROUP_STRETCH: usize = 8 << 10;

pub fn path(number: u32) -> String {
    format!("{}/{number:08}.idx", super::segment::FOLDER)
}

/// What a thing is looked up by. Two may have the same.
pub fn hash_of(kind: u32, id: &str) -> u32 {
    let mut hash = crc32fast::Hasher::new();
    hash.update(&kind.to_le_bytes());
    hash.update(id.as_bytes());
    hash.finalize()
}

pub fn hashes(keys: &[Key]) -> Vec<u32> {
    keys.iter().map(|key| hash_of(key.kind.number().into(), &key.id)).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All that is known of where things stand.
#[derive(Default)]
pub struct Indexes {
    newest: Mutex<Newest>,
    /// Heads of the files that were read already.
    sealed: Mutex<BTreeMap<u32, Arc<Fences>>>,
    /// One is made at a time.
    making: Mutex<Upkeep>,
}

/// The segment that is written to, as far as it was read.
#[derive(Default)]
struct Newest {
    number: u32,
    reach: u64,
    pairs: Vec<u64>,
}

/// What upkeep has seen to.
#[derive(Default)]
struct Upkeep {
    seen: u32,
}

/// Where indexes are kept.
#[derive(Clone, Copy)]
pub struct Shelf<'a> {
    pub disk: &'a dyn Disk,
    /// A folder that is only looked at stays as it is.
    pub may_write: bool,
}

impl Indexes {
    /// The segments as they are now, and the offsets of those groups of the last one that hold something of `hashes`.
    pub fn newest(
        &self,
        shelf: Shelf,
        segments: impl FnOnce() -> Vec<Segment>,
        hashes: &[u32],
    ) -> Result<(Vec<Segment>, Vec<u64>), StoreError> {
        let mut newest = lock(&self.newest);
        // Taken under the lock: nobody else may have read further than these go.
        let segments = segments();
        let Some(last) = segments.last() else { return Ok((segments, Vec::new())) };
        newest.go_on(shelf, &segments)?;
        let found = match newest.number == last.head.number {
            true => pick(&newest.pairs, hashes),
            false => scan(last, hashes)?,
        };
        drop(newest);
        Ok((segments, found))
    }

    /// The same of a sealed segment.
    pub fn sealed(&self, shelf: Shelf, segment: &Segment, hashes: &[u32]) -> Result<Vec<u64>, StoreError> {
        if let Some(found) = self.read(shelf, segment, hashes) {
            return Ok(found);
        }
        if !shelf.may_write || !fits(segment) {
            return scan(segment, hashes);
        }
        let _one = lock(&self.making);
        match self.read(shelf, segment, hashes) {
            Some(found) => Ok(found),
            None => Ok(pick(&make(shelf, segment)?, hashes)),
        }
    }

    /// Reads on in the newest segment, and makes one index that is missing. Says whether there is more to do.
    pub fn keep(&self, shelf: Shelf, segments: impl FnOnce() -> Vec<Segment>) -> Result<bool, StoreError> {
        let (segments, _) = self.newest(shelf, segments, &[])?;
        let mut upkeep = lock(&self.making);
        let sealed = segments.len().saturating_sub(1);
        for segment in segments.iter().take(sealed).skip(upkeep.seen as usize) {
            // One that cannot be made is not tried again every second: whoever asks for it is told why.
            upkeep.seen = segment.head.number;
            if fits(segment) && self.fences(shelf, segment).is_none() {
                make(shelf, segment)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Looks into the file of a segment; `None`: there is none that can be trusted.
    fn read(&self, shelf: Shelf, segment: &Segment, hashes: &[u32]) -> Option<Vec<u64>> {
        let fences = self.fences(shelf, segment)?;
        let found = fences.look_up(shelf.disk, segment.head.number, hashes);
        if found.is_none() {
            lock(&self.sealed).remove(&segment.head.number);
        }
        found
    }

    fn fences(&self, shelf: Shelf, segment: &Segment) -> Option<Arc<Fences>> {
        let number = segment.head.number;
        if let Some(known) = lock(&self.sealed).get(&number) {
            return Some(known.clone());
        }
        let read = Arc::new(Fences::read(shelf.disk, segment)?);
        lock(&self.sealed).insert(number, read.clone());
        Some(read)
    }
}

impl Newest {
    /// Reads on to the end of the last segment. What was sealed on the way gets its file.
    fn go_on(&mut self, shelf: Shelf, segments: &[Segment]) -> Result<(), StoreError> {
        let last = segments.last().map_or(0, |last| last.head.number);
        let from = if self.number == 0 { last } else { self.number };
        for segment in segments.iter().filter(|s| s.head.number >= from) {
            if self.number != segment.head.number {
                *self = Newest { number: segment.head.number, reach: START, pairs: Vec::new() };
            }
            if !fits(segment) {
                // Looked through from end to end each time it is asked for.
                *self = Newest { number: segment.head.number + 1, reach: START, pairs: Vec::new() };
                continue;
            }
            let (known, pairs) = (self.pairs.len(), &mut self.pairs);
            match walk(segment, self.reach, &mut |hash, offset| pairs.push(pair(hash, offset))) {
                Ok(reach) => self.reach = reach,
                // Damage in a sealed one is told to whoever asks for what is in it.
                Err(_) if segment.head.number < last => continue,
                Err(error) => {
                    self.pairs.truncate(known);
                    return Err(error);
                }
            }
            if segment.head.number < last {
                // A full disk stops the journal itself; here it only means that the file is made later.
                let _ = write(shelf, segment, &mut self.pairs);
            }
        }
        Ok(())
    }
}

/// Whether every offset in it has 32 bits.
fn fits(segment: &Segment) -> bool {
    u32::try_from(segment.length).is_ok()
}

fn pair(hash: u32, offset: u64) -> u64 {
    u64::from(hash) << 32 | offset
}

/// Offsets in order, each once, of those pairs whose hash is asked for.
fn pick(pairs: &[u64], hashes: &[u32]) -> Vec<u64> {
    in_order(pairs.iter().filter(|pair| hashes.contains(&((**pair >> 32) as u32))).map(|pair| *pair & u64::from(u32::MAX)).collect())
}

fn in_order(mut offsets: Vec<u64>) -> Vec<u64> {
    offsets.sort_unstable();
    offsets.dedup();
    offsets
}

/// The same without an index: the whole segment is read.
pub fn scan(segment: &Segment, hashes: &[u32]) -> Result<Vec<u64>, StoreError> {
    let mut found = Vec::new();
    walk(segment, START, &mut |hash, offset| {
        if hashes.contains(&hash) {
            found.push(offset);
        }
    })?;
    Ok(in_order(found))
}

/// Tells the hash of every record from `offset` on and where its group stands; says where it ended.
fn walk(segment: &Segment, mut offset: u64, each: &mut dyn FnMut(u32, u64)) -> Result<u64, StoreError> {
    let mut window = Window::default();
    while offset < segment.length {
        match segment.step(&mut window, offset)? {
            Step::Group(group, next) => {
                for key in group.keys() {
                    let (kind, id) = key.map_err(|why| segment.damaged(offset, Some(group.first), why))?;
                    each(hash_of(kind, id), offset);
                }
                offset = next;
            }
            Step::Seal(_, next) => offset = next,
            Step::None(frame) => {
                return Err(segment.damaged(offset, frame.map(|f| f.first), "a group that was whole cannot be read any more"));
            }
        }
    }
    Ok(offset)
}

/// The group at an offset that an index names. `None`: there is none, or it holds nothing of what is looked for; then the
/// index was made of another file, which is as long and whose chain comes to the same.
pub fn group_at(segment: &Segment, offset: u64, hashes: &[u32]) -> Option<Group> {
    match segment.step(&mut Window::of(GROUP_STRETCH), offset) {
        Ok(Step::Group(group, _)) => {
            let holds = |key: Result<(u32, &str), String>| key.map_or(true, |(kind, id)| hashes.contains(&hash_of(kind, id)));
            let is_right = group.keys().any(holds);
            is_right.then_some(*group)
        }
        _ => None,
    }
}

/// Those of the offsets whose groups are on the way, as they come on it. Reads the heads of a few groups, so of a thing with
/// a hundred thousand records in a segment a page in the midst is found at once.
pub fn on_the_way(segment: &Segment, mut offsets: Vec<u64>, way: Way) -> VecDeque<u64> {
    let head = |offset: u64| FrameHead::read(&segment.file.bytes_at(offset, HEAD_BYTES).unwrap_or_default());
    // One that cannot be read is not left out: whoever reads it says why.
    match way {
        Way::After(0) | Way::Before(u64::MAX) => {}
        Way::After(after) => drop(offsets.drain(..offsets.partition_point(|o| head(*o).is_some_and(|h| h.head().records <= after)))),
        Way::Before(before) => offsets.truncate(offsets.partition_point(|o| head(*o).is_none_or(|h| h.first < before))),
    }
    if matches!(way, Way::Before(_)) {
        offsets.reverse();
    }
    offsets.into()
}

/// Makes the index of a sealed segment from the segment, and its file where that can be written.
fn make(shelf: Shelf, segment: &Segment) -> Result<Vec<u64>, StoreError> {
    let mut pairs = Vec::new();
    walk(segment, START, &mut |hash, offset| pairs.push(pair(hash, offset)))?;
    let _ = write(shelf, segment, &mut pairs);
    Ok(pairs)
}

/// Not synced: whoever reads it checks it, and a lost one is made again.
fn write(shelf: Shelf, segment: &Segment, pairs: &mut Vec<u64>) -> Result<(), StoreError> {
    let Some(seal) = segment.seal()?.filter(|_| shelf.may_write) else { return Ok(()) };
    pairs.sort_unstable();
    pairs.dedup();
    let path = path(segment.head.number);
    let new = format!("{path}.new");
    let written = shelf.disk.write(&new).and_then(|file| {
        file.set_len(0)?;
        file.write_at(&to_bytes(segment, seal, pairs), 0)?;
        shelf.disk.rename(&new, &path)
    });
    if written.is_err() {
        let _ = shelf.disk.remove(&new);
    }
    written.map_err(broken("write an index of the journal"))
}

/// Where the pairs begin behind a head for so many blocks.
fn start_of(blocks: usize) -> usize {
    (HEAD + blocks * 8 + 4).next_multiple_of(PAGE)
}

fn head_of(segment: &Segment, seal: Head, pairs: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PAGE);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&segment.head.number.to_le_bytes());
    bytes.extend_from_slice(&segment.length.to_le_bytes());
    bytes.extend_from_slice(&seal.hash.0);
    bytes.extend_from_slice(&pairs.to_le_bytes());
    bytes
}

fn to_bytes(segment: &Segment, seal: Head, pairs: &[u64]) -> Vec<u8> {
    let body: Vec<u8> = pairs.iter().flat_map(|pair| pair.to_le_bytes()).collect();
    let mut bytes = head_of(segment, seal, pairs.len() as u32);
    for (pairs, block) in pairs.chunks(BLOCK).zip(body.chunks(BLOCK * PAIR_BYTES)) {
        bytes.extend_from_slice(&((pairs[0] >> 32) as u32).to_le_bytes());
        bytes.extend_from_slice(&crc32fast::hash(block).to_le_bytes());
    }
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    bytes.resize(start_of(pairs.len().div_ceil(BLOCK)), 0);
    bytes.extend_from_slice(&body);
    bytes
}

/// The head of a file: with it, a look-up reads one page.
struct Fences {
    pairs: usize,
    /// Of each block the first hash, and its checksum.
    blocks: Vec<(u32, u32)>,
}

impl Fences {
    /// `None`: there is no file, or it is not the one of this segment, whole.
    fn read(disk: &dyn Disk, segment: &Segment) -> Option<Self> {
        let seal = segment.seal().ok()??;
        let file = disk.read(&path(segment.head.number)).ok()?;
        let mut head = file.bytes_at(0, PAGE).ok()?;
        let four = |bytes: &[u8], at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
        let pairs = four(&head, HEAD - 4)?;
        if head.get(..HEAD) != Some(&head_of(segment, seal, pairs)) {
            return None;
        }
        let count = (pairs as usize).div_ceil(BLOCK);
        // Before anything is made as large as a number in it says.
        if file.len().ok()? != (start_of(count) + pairs as usize * PAIR_BYTES) as u64 {
            return None;
        }
        let end = HEAD + count * 8;
        if end + 4 > head.len() {
            head = file.bytes_at(0, end + 4).ok()?;
        }
        if four(&head, end)? != crc32fast::hash(&head[..end]) {
            return None;
        }
        let blocks = head[HEAD..end].chunks_exact(8).map(|b| Some((four(b, 0)?, four(b, 4)?))).collect::<Option<_>>()?;
        Some(Fences { pairs: pairs as usize, blocks })
    }

    fn look_up(&self, disk: &dyn Disk, number: u32, hashes: &[u32]) -> Option<Vec<u64>> {
        // Opened each time: a hundred more open files would be dear, and whoever deletes them is noticed.
        let file = disk.read(&path(number)).ok()?;
        let start = start_of(self.blocks.len());
        let mut found = Vec::new();
        for hash in hashes {
            let from = self.blocks.partition_point(|(first, _)| first < hash).saturating_sub(1);
            for (n, (_, crc)) in self.blocks.iter().enumerate().skip(from).take_while(|(_, (first, _))| first <= hash) {
                let length = BLOCK.min(self.pairs - n * BLOCK) * PAIR_BYTES;
                let block = file.bytes_at((start + n * BLOCK * PAIR_BYTES) as u64, length).ok()?;
                if block.len() != length || crc32fast::hash(&block) != *crc {
                    return None;
                }
                let pairs = block.chunks_exact(PAIR_BYTES).map(|p| p.try_into().map_or(0, u64::from_le_bytes));
                found.extend(pairs.filter(|pair| (pair >> 32) as u32 == *hash).map(|pair| pair & u64::from(u32::MAX)));
            }
        }
        Some(in_order(found))
    }
}

//! Groups: what became durable at once, as bytes, framed and checksummed.
//!
//! Head (112 bytes, numbers little-endian): `PTgr` · body length u32 · first record u64 · records u32 · bytes of the
//! records u32 · documents u32 · zero sectors u32 · CRC-32 of the body u32 · hash before 32 · hash after 32 · time of the
//! newest record i64 · CRC-32 of the head so far u32. Body: each record as a CBOR byte string, then each document as
//! `[hash 32][length u32][bytes]`. Behind it `5C A5 5A C5`. A seal has the same head with `PTsl`, and no body.
//!
//! The zero sectors (whole 512-byte sectors of the file that are all zeros though the frame covers them) and the tail that
//! is never zero tell a frame that was not written to its end from one that was damaged.

use super::Head;
use super::record::{Record, key_of};
use crate::{Hash, Key, Kind, Moment, TwinError};

pub(crate) const HEAD_BYTES: usize = 112;
pub(crate) const TAIL: [u8; 4] = [0x5c, 0xa5, 0x5a, 0xc5];
pub(crate) const SECTOR: u64 = 512;
const GROUP: &[u8; 4] = b"PTgr";
const SEAL: &[u8; 4] = b"PTsl";
/// No group is larger. A head that says otherwise is not one.
pub(crate) const GROUP_BYTES_MAX: usize = 256 << 20;

/// Where a document lies in the journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub segment: u32,
    pub offset: u64,
    pub length: u32,
}

/// Records that became durable at once, and where the documents lie that came with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub first: u64,
    pub count: u32,
    pub before: Hash,
    pub after: Hash,
    /// Time of the newest record.
    pub newest: Moment,
    /// Each as a CBOR byte string.
    pub records: Box<[u8]>,
    pub documents: Vec<(Hash, Place)>,
    /// How many bytes it takes in its segment.
    pub frame_bytes: u64,
}

impl Group {
    /// The head of the journal once this group is in it.
    pub fn head(&self) -> Head {
        Head { records: self.first + u64::from(self.count) - 1, hash: self.after, at: self.newest }
    }

    /// The records, as far as they can be read; not checked against the chain.
    pub fn read(&self) -> impl Iterator<Item = Result<Record, TwinError>> + '_ {
        let mut seq = self.first;
        parts(&self.records).map(move |part| {
            let damaged = |why: String| TwinError::Damaged { seq, why };
            let record = Record::take(seq, part.map_err(&damaged)?).map_err(|e| damaged(e.to_string()))?;
            seq += 1;
            Ok(record)
        })
    }

    /// Whose each record is: number of the kind, and id.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Result<(u32, &str), String>> + '_ {
        parts(&self.records).map(|part| key_of(part?).map_err(|e| e.to_string()))
    }

    /// The records of these things alone; the others are not even read.
    pub(crate) fn of(&self, keys: &[Key]) -> impl DoubleEndedIterator<Item = Result<Record, TwinError>> + use<> {
        self.wanted(|kind, id| keys.iter().any(|k| u32::from(k.kind.number()) == kind && k.id == id))
    }

    /// The records of some kinds alone.
    pub(crate) fn of_kinds(&self, kinds: &[Kind]) -> impl DoubleEndedIterator<Item = Result<Record, TwinError>> + use<> {
        self.wanted(|kind, _| kinds.iter().any(|k| u32::from(k.number()) == kind))
    }

    fn wanted(&self, wanted: impl Fn(u32, &str) -> bool) -> std::vec::IntoIter<Result<Record, TwinError>> {
        let mut found = Vec::new();
        for (seq, part) in (self.first..).zip(parts(&self.records)) {
            let damaged = |why: String| TwinError::Damaged { seq, why };
            let is_of = |part| key_of(part).map(|(kind, id)| wanted(kind, id));
            match part.and_then(|part| is_of(part).map(|is| (is, part)).map_err(|e| e.to_string())) {
                Ok((false, _)) => {}
                Ok((true, part)) => found.push(Record::take(seq, part).map_err(|e| damaged(e.to_string()))),
                Err(why) => found.push(Err(damaged(why))),
            }
        }
        found.into_iter()
    }

    /// Reads a group that must follow `head`, checking every hash, number and time.
    pub fn check(&self, head: Head) -> Result<Vec<Record>, TwinError> {
        let damaged = |seq: u64, why: &str| TwinError::Damaged { seq, why: why.into() };
        if self.first != head.records + 1 || self.before != head.hash {
            return Err(damaged(head.records + 1, "it does not follow from the record before it"));
        }
        let records: Vec<Record> = self.read().collect::<Result<_, _>>()?;
        let mut at = head.at;
        for record in &records {
            if record.at < at {
                return Err(damaged(record.seq, "its time is earlier than that of the record before it"));
            }
            at = record.at;
        }
        if records.len() != self.count as usize || self.chained() != Some(self.after) || at != self.newest {
            return Err(damaged(self.first, "the hash of its group does not match its content"));
        }
        Ok(records)
    }

    /// Appends its records, byte for byte, to a draft.
    pub(crate) fn copy_into(&self, draft: &mut Draft) -> Result<(), TwinError> {
        for (part, record) in parts(&self.records).zip(self.read()) {
            let damaged = |why: String| TwinError::Damaged { seq: self.first, why };
            draft.push_bytes(part.map_err(damaged)?, record?.at);
        }
        Ok(())
    }

    /// What the chain comes to behind these records; `None` where they cannot be told apart.
    pub(crate) fn chained(&self) -> Option<Hash> {
        let mut scratch = Vec::with_capacity(512);
        parts(&self.records).try_fold(self.before, |hash, part| Some(hash.chain(part.ok()?, &mut scratch)))
    }
}

/// The records of a group, one after the other.
fn parts(records: &[u8]) -> impl Iterator<Item = Result<&[u8], String>> + '_ {
    let mut d = minicbor::Decoder::new(records);
    let mut broken = false;
    std::iter::from_fn(move || {
        if broken || d.position() >= records.len() {
            return None;
        }
        let part = d.bytes().map_err(|e| e.to_string());
        broken = part.is_err();
        Some(part)
    })
}

/// A group in the making.
#[derive(Debug)]
pub struct Draft {
    pub first: u64,
    pub count: u32,
    pub before: Hash,
    pub after: Hash,
    pub newest: Moment,
    pub records: Vec<u8>,
    pub documents: Vec<(Hash, Vec<u8>)>,
    scratch: Vec<u8>,
    chained: Vec<u8>,
}

impl Draft {
    pub fn after(head: Head) -> Self {
        Draft {
            first: head.records + 1,
            count: 0,
            before: head.hash,
            after: head.hash,
            newest: head.at,
            records: Vec::with_capacity(1024),
            documents: Vec::new(),
            scratch: Vec::with_capacity(512),
            chained: Vec::with_capacity(512),
        }
    }

    pub fn head(&self) -> Head {
        Head { records: self.first + u64::from(self.count) - 1, hash: self.after, at: self.newest }
    }

    /// Makes it empty, to follow what it held. Its memory is used again.
    pub(crate) fn go_on(&mut self) {
        let Head { records, hash, .. } = self.head();
        (self.first, self.before, self.count) = (records + 1, hash, 0);
        self.records.clear();
        self.documents.clear();
    }

    /// How many bytes it takes, about.
    pub fn size(&self) -> usize {
        self.records.len() + self.documents.iter().map(|(_, bytes)| bytes.len() + 36).sum::<usize>()
    }

    /// Appends a record.
    pub fn push(&mut self, record: &Record) {
        self.scratch.clear();
        record.put(&mut self.scratch);
        let scratch = std::mem::take(&mut self.scratch);
        self.push_bytes(&scratch, record.at);
        self.scratch = scratch;
    }

    pub(crate) fn push_bytes(&mut self, record: &[u8], at: Moment) {
        crate::field::Pen::new(&mut self.records).bytes(record);
        self.after = self.after.chain(record, &mut self.chained);
        self.newest = at;
        self.count += 1;
    }

    /// The frame as it stands at `offset` of `segment`, and where its documents lie in it.
    pub(crate) fn frame(&self, segment: u32, offset: u64) -> (Vec<u8>, Vec<(Hash, Place)>) {
        let mut frame = Vec::with_capacity(HEAD_BYTES + self.size() + TAIL.len());
        frame.extend_from_slice(&[0; HEAD_BYTES]);
        frame.extend_from_slice(&self.records);
        let mut places = Vec::with_capacity(self.documents.len());
        for (hash, bytes) in &self.documents {
            frame.extend_from_slice(&hash.0);
            frame.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            places.push((*hash, Place { segment, offset: offset + frame.len() as u64, length: bytes.len() as u32 }));
            frame.extend_from_slice(bytes);
        }
        frame.extend_from_slice(&TAIL);
        FrameHead {
            is_seal: false,
            body: (frame.len() - HEAD_BYTES - TAIL.len()) as u32,
            first: self.first,
            count: self.count,
            record_bytes: self.records.len() as u32,
            documents: self.documents.len() as u32,
            zero_sectors: 0,
            body_crc: crc32fast::hash(&frame[HEAD_BYTES..frame.len() - TAIL.len()]),
            before: self.before,
            after: self.after,
            newest: self.newest,
        }
        .seal_into(&mut frame, offset);
        (frame, places)
    }
}

/// What stands at the head of a frame.
#[derive(Clone, Debug)]
pub(crate) struct FrameHead {
    pub is_seal: bool,
    pub body: u32,
    pub first: u64,
    pub count: u32,
    pub record_bytes: u32,
    pub documents: u32,
    pub zero_sectors: u32,
    pub body_crc: u32,
    pub before: Hash,
    pub after: Hash,
    pub newest: Moment,
}

impl FrameHead {
    /// The seal behind the last group of a segment.
    pub fn seal(head: Head) -> Self {
        FrameHead {
            is_seal: true,
            body: 0,
            first: head.records + 1,
            count: 0,
            record_bytes: 0,
            documents: 0,
            zero_sectors: 0,
            body_crc: 0,
            before: head.hash,
            after: head.hash,
            newest: head.at,
        }
    }

    /// Bytes of the whole frame.
    pub fn frame_bytes(&self) -> u64 {
        (HEAD_BYTES + self.body as usize + TAIL.len()) as u64
    }

    /// The journal's head behind this frame.
    pub fn head(&self) -> Head {
        Head { records: self.first + u64::from(self.count) - 1, hash: self.after, at: self.newest }
    }

    /// Writes itself at the head of `frame`, which will stand at `offset`.
    pub fn seal_into(mut self, frame: &mut [u8], offset: u64) {
        self.zero_sectors = zero_sectors(&frame[HEAD_BYTES..], offset + HEAD_BYTES as u64);
        let mut at = 0;
        let mut put = |bytes: &[u8]| {
            frame[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        };
        put(if self.is_seal { SEAL } else { GROUP });
        put(&self.body.to_le_bytes());
        put(&self.first.to_le_bytes());
        put(&self.count.to_le_bytes());
        put(&self.record_bytes.to_le_bytes());
        put(&self.documents.to_le_bytes());
        put(&self.zero_sectors.to_le_bytes());
        put(&self.body_crc.to_le_bytes());
        put(&self.before.0);
        put(&self.after.0);
        put(&self.newest.0.to_le_bytes());
        let crc = crc32fast::hash(&frame[..HEAD_BYTES - 4]);
        frame[HEAD_BYTES - 4..HEAD_BYTES].copy_from_slice(&crc.to_le_bytes());
    }

    /// Reads a head; `None` where there is none that is whole.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEAD_BYTES] = bytes.get(..HEAD_BYTES)?.try_into().ok()?;
        let is_seal = match &bytes[..4] {
            magic if magic == GROUP => false,
            magic if magic == SEAL => true,
            _ => return None,
        };
        let four = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        if crc32fast::hash(&bytes[..HEAD_BYTES - 4]) != four(HEAD_BYTES - 4) {
            return None;
        }
        let eight = |at: usize| u64::from(four(at)) | u64::from(four(at + 4)) << 32;
        let hash = |at: usize| bytes[at..at + 32].try_into().map(Hash).unwrap_or_default();
        let head = FrameHead {
            is_seal,
            body: four(4),
            first: eight(8),
            count: four(16),
            record_bytes: four(20),
            documents: four(24),
            zero_sectors: four(28),
            body_crc: four(32),
            before: hash(36),
            after: hash(68),
            newest: Moment(eight(100) as i64),
        };
        let fits = head.body as usize <= GROUP_BYTES_MAX && head.record_bytes <= head.body && head.first > 0;
        (fits && (!head.is_seal || head.before == head.after)).then_some(head)
    }

    /// Whether `frame` (head, body and tail) is whole.
    pub fn is_whole(&self, frame: &[u8]) -> bool {
        let Some(body) = frame.get(HEAD_BYTES..HEAD_BYTES + self.body as usize) else { return false };
        frame.get(HEAD_BYTES + body.len()..) == Some(&TAIL[..]) && crc32fast::hash(body) == self.body_crc
    }

    /// The group that a whole frame at `offset` of `segment` holds.
    pub fn group(&self, frame: &[u8], segment: u32, offset: u64) -> Option<Group> {
        let body = frame.get(HEAD_BYTES..HEAD_BYTES + self.body as usize)?;
        let (records, mut rest) = body.split_at_checked(self.record_bytes as usize)?;
        let mut at = offset + (HEAD_BYTES + records.len()) as u64;
        let mut documents = Vec::with_capacity(self.documents.min(1 << 16) as usize);
        for _ in 0..self.documents {
            let (hash, tail) = rest.split_first_chunk::<32>()?;
            let (length, tail) = tail.split_first_chunk::<4>()?;
            let length = u32::from_le_bytes(*length);
            rest = tail.get(length as usize..)?;
            documents.push((Hash(*hash), Place { segment, offset: at + 36, length }));
            at += 36 + u64::from(length);
        }
        rest.is_empty().then(|| Group {
            first: self.first,
            count: self.count,
            before: self.before,
            after: self.after,
            newest: self.newest,
            records: records.into(),
            documents,
            frame_bytes: self.frame_bytes(),
        })
    }
}

/// How many of the file's sectors that `bytes` at `offset` cover whole are all zeros.
pub(crate) fn zero_sectors(bytes: &[u8], offset: u64) -> u32 {
    let skip = (offset.next_multiple_of(SECTOR) - offset) as usize;
    let whole = bytes.get(skip..).unwrap_or_default().chunks_exact(SECTOR as usize);
    whole.filter(|sector| sector.iter().all(|b| *b == 0)).count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_reads_back_and_every_flipped_bit_is_noticed() {
        let mut draft = Draft::after(Head::default());
        draft.push_bytes(b"one", Moment(5));
        draft.documents.push((Hash::of(b"label"), b"label".to_vec()));
        let (frame, places) = draft.frame(3, 1000);
        let head = FrameHead::read(&frame).unwrap();
        assert!(head.is_whole(&frame));
        let group = head.group(&frame, 3, 1000).unwrap();
        assert_eq!((group.first, group.count, group.head()), (1, 1, draft.head()));
        assert_eq!(group.documents, places);
        assert_eq!(group.chained(), Some(draft.after));
        let at = (places[0].1.offset - 1000) as usize;
        assert_eq!(&frame[at..at + 5], b"label");
        for bit in 0..frame.len() * 8 {
            let mut bad = frame.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let whole = FrameHead::read(&bad).is_some_and(|head| head.is_whole(&bad));
            assert!(!whole, "bit {bit} was flipped unnoticed");
        }
    }

    #[test]
    fn zero_sectors_are_those_of_the_file() {
        assert_eq!(zero_sectors(&[0; 1024], 0), 2);
        assert_eq!(zero_sectors(&[0; 1024], 1), 1);
        assert_eq!(zero_sectors(&[0; 100], 500), 0);
    }
}

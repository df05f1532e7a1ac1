//! Journal groups: what became durable at once, as bytes.
//!
//! `[1][count u32][hash before 32][hash after 32]` then per record `[length u32][postcard]`; numbers little-endian.

use crate::{Hash, Head, Record, TwinError};

/// A group is cut here. sled puts values beyond some 128 KB into files of their own, which it does not sync.
pub(crate) const GROUP_BYTES_MAX: usize = 32 << 10;
const GROUP_VERSION: u8 = 1;
const GROUP_HEADER: usize = 69;

pub(crate) fn group_hash_after(group: &[u8]) -> Hash {
    group.get(37..69).and_then(|b| b.try_into().ok()).map(Hash).unwrap_or_default()
}

pub(crate) fn read_group(group: &[u8]) -> Result<(Vec<Record>, Hash), TwinError> {
    let mut records = Vec::new();
    for bytes in split_group(group, 0)? {
        let record: Record = postcard::from_bytes(bytes)
            .map_err(|e| TwinError::Damaged { seq: records.last().map_or(0, |r: &Record| r.seq + 1), why: e.to_string() })?;
        records.push(record);
    }
    Ok((records, group_hash_after(group)))
}

/// Reads a group that must follow `head`, checking every hash and number.
pub(crate) fn check_group(group: &[u8], head: Head) -> Result<Vec<Record>, TwinError> {
    let damaged = |seq: u64, why: &str| TwinError::Damaged { seq, why: why.into() };
    let mut hash = head.hash;
    let mut records = Vec::new();
    for bytes in split_group(group, head.records + 1)? {
        let seq = head.records + records.len() as u64 + 1;
        let record: Record = postcard::from_bytes(bytes).map_err(|e| damaged(seq, &e.to_string()))?;
        if record.seq != seq {
            return Err(damaged(seq, "its number is out of order"));
        }
        hash = hash.chain(bytes);
        records.push(record);
    }
    if group.get(5..37) != Some(&head.hash.0) {
        return Err(damaged(head.records + 1, "it does not follow from the record before it"));
    }
    if hash != group_hash_after(group) {
        return Err(damaged(head.records + 1, "its hash does not match its content"));
    }
    Ok(records)
}

fn split_group(group: &[u8], seq: u64) -> Result<Vec<&[u8]>, TwinError> {
    let damaged = |why: &str| TwinError::Damaged { seq, why: why.into() };
    if group.len() < GROUP_HEADER || group[0] != GROUP_VERSION {
        return Err(damaged("it is not a journal group of a version known here"));
    }
    let count = u32::from_le_bytes([group[1], group[2], group[3], group[4]]);
    let mut rest = &group[GROUP_HEADER..];
    let mut parts = Vec::new();
    for _ in 0..count {
        let (length, tail) = rest.split_first_chunk::<4>().ok_or_else(|| damaged("it ends too early"))?;
        let length = u32::from_le_bytes(*length) as usize;
        if tail.len() < length {
            return Err(damaged("it ends too early"));
        }
        let (part, tail) = tail.split_at(length);
        parts.push(part);
        rest = tail;
    }
    if rest.is_empty() { Ok(parts) } else { Err(damaged("something stands behind its last record")) }
}

/// A journal group in the making.
pub(crate) struct Group {
    first: u64,
    before: Hash,
    after: Hash,
    pub(crate) count: u32,
    pub(crate) bytes: Vec<u8>,
}

impl Group {
    pub(crate) fn after(head: Head) -> Self {
        let mut bytes = Vec::with_capacity(1024);
        bytes.extend_from_slice(&[0; GROUP_HEADER]);
        Group { first: head.records + 1, before: head.hash, after: head.hash, count: 0, bytes }
    }

    /// Appends a record and returns the chain's hash after it.
    pub(crate) fn push(&mut self, record: &Record) -> Result<Hash, TwinError> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes = postcard::to_extend(record, std::mem::take(&mut self.bytes))
            .map_err(|e| TwinError::Damaged { seq: record.seq, why: e.to_string() })?;
        let length = (self.bytes.len() - start - 4) as u32;
        self.bytes[start..start + 4].copy_from_slice(&length.to_le_bytes());
        self.after = self.after.chain(&self.bytes[start + 4..]);
        self.count += 1;
        Ok(self.after)
    }

    pub(crate) fn sealed(mut self) -> (u64, Vec<u8>) {
        self.bytes[0] = GROUP_VERSION;
        self.bytes[1..5].copy_from_slice(&self.count.to_le_bytes());
        self.bytes[5..37].copy_from_slice(&self.before.0);
        self.bytes[37..69].copy_from_slice(&self.after.0);
        (self.first, self.bytes)
    }
}

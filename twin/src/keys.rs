//! Keys that seal what says who a buyer is: one for each order, outside the journal. Destroying a key makes what it
//! sealed unreadable in every copy, and the journal's chain still holds.
//!
//! `keys/keys`: head (64 bytes: `PTKEYS\0\0`, version u32, site's hash 32, zeros, CRC-32), then slots of 36 bytes: key 32,
//! CRC-32. Keys are made and synced in blocks before one is used. A destroyed key is all zeros with the CRC of zeros
//! inverted. `keys/erased`: a line for each destroyed key, `CRC-32 key-number order time`, written first; so that a copy of
//! the keys that is older than an erasure is put right when it comes back.
//! Sealing is AES-256-GCM-SIV (RFC 8452) with a nonce of zeros: the same text under the same key gives the same bytes,
//! and that is all it tells.

use crate::error::{Damage, Remedy, broken};
use crate::journal::disk::{Disk, DiskFile};
use crate::{Hash, Moment, StoreError};
use aes_gcm_siv::aead::{Aead, KeyInit};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub const FOLDER: &str = "keys";
pub(crate) const KEYS: &str = "keys/keys";
const ERASED: &str = "keys/erased";
const MAGIC: &[u8; 8] = b"PTKEYS\0\0";
const VERSION: u32 = 1;
const HEAD_BYTES: u64 = 64;
const SLOT_BYTES: u64 = 36;
/// Keys made at once.
const BLOCK: u64 = 1024;

/// A document that only the holder of a key can read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sealed {
    /// The key's number.
    pub key: u64,
    /// What the document is called by: the hash of its sealed bytes.
    pub document: Hash,
}

/// Fills a slice with chance that nobody can guess.
pub type Entropy = Box<dyn Fn(&mut [u8]) + Send + Sync>;

/// One destroyed key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Erasure {
    pub order: SmolStr,
    pub at: Moment,
}

pub struct Keys(Mutex<Inner>);

struct Inner {
    next: u64,
    erased: BTreeMap<u64, Erasure>,
    shelf: Shelf,
}

enum Shelf {
    /// Simulated: key `n` follows from `n`.
    Derived,
    Files {
        disk: Arc<dyn Disk>,
        file: Arc<dyn DiskFile>,
        made: u64,
        entropy: Option<Entropy>,
    },
}

impl Default for Keys {
    /// Keys that follow from their numbers, for simulations, where the same run must write the same bytes.
    fn default() -> Self {
        Keys(Mutex::new(Inner { next: 0, erased: BTreeMap::new(), shelf: Shelf::Derived }))
    }
}

impl Keys {
    /// Opens the keys of a site for writing, and makes the file where there is none. Does every erasure again that is
    /// known and that this copy of the keys had not heard of.
    pub fn open(disk: Arc<dyn Disk>, site: &str, entropy: Entropy) -> Result<Self, StoreError> {
        disk.make_folder(FOLDER).map_err(broken("make the keys' folder"))?;
        let names = disk.list(FOLDER).map_err(broken("list the keys"))?;
        if !names.iter().any(|n| n == "keys") {
            let new = format!("{KEYS}.new");
            let made = disk.write(&new).and_then(|f| f.set_len(0).and_then(|()| f.write_at(&head(site), 0)).and_then(|()| f.sync()));
            made.and_then(|()| disk.rename(&new, KEYS)).map_err(broken("make the keys' file"))?;
            disk.sync_folder(FOLDER).map_err(broken("make the keys' file"))?;
        }
        let file = disk.write(KEYS).map_err(broken("open the keys"))?;
        let (made, damaged) = check(&*file, site)?;
        if let Some(damage) = damaged {
            return Err(StoreError::Damaged(damage));
        }
        let erased = read_erased(&*disk)?;
        let inner = Inner { next: made, erased, shelf: Shelf::Files { disk, file, made, entropy: Some(entropy) } };
        let again: Vec<u64> = inner.erased.keys().copied().collect();
        let keys = Keys(Mutex::new(inner));
        for key in again {
            keys.lock().overwrite(key)?;
        }
        Ok(keys)
    }

    /// Opens them to look only.
    pub fn look(disk: Arc<dyn Disk>, site: &str) -> Result<Self, StoreError> {
        let erased = read_erased(&*disk)?;
        let file = match disk.read(KEYS) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let shelf = Shelf::Files { file: Arc::new(Nothing), disk, made: 0, entropy: None };
                return Ok(Keys(Mutex::new(Inner { next: 0, erased, shelf })));
            }
            Err(e) => return Err(broken("open the keys")(e)),
        };
        let (made, damaged) = check(&*file, site)?;
        match damaged {
            Some(damage) => Err(StoreError::Damaged(damage)),
            None => Ok(Keys(Mutex::new(Inner { next: made, erased, shelf: Shelf::Files { disk, file, made, entropy: None } }))),
        }
    }

    /// Writes keys that follow from their numbers into a folder, as a site keeps its own.
    pub(crate) fn write(&self, disk: Arc<dyn Disk>, site: &str) -> Result<(), StoreError> {
        let (used, number) = (self.lock().next, AtomicU64::new(0));
        let in_turn = move |secret: &mut [u8]| secret.copy_from_slice(&derived(number.fetch_add(1, Ordering::Relaxed)));
        let written = Keys::open(disk, site, Box::new(in_turn))?;
        (0..used).try_for_each(|_| written.fresh().map(drop))?;
        self.erasures().into_iter().try_for_each(|(key, erasure)| written.destroy(key, &erasure.order, erasure.at))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a key that was never used.
    pub fn fresh(&self) -> Result<u64, StoreError> {
        let mut inner = self.lock();
        inner.make_block()?;
        inner.next += 1;
        Ok(inner.next - 1)
    }

    /// The text as only the key can read it.
    pub fn seal(&self, key: u64, text: &[u8]) -> Result<Vec<u8>, StoreError> {
        let Some(secret) = self.lock().secret(key)? else {
            return Err(StoreError::Broken { what: "seal a document", why: format!("key {key} is destroyed") });
        };
        let cipher = Aes256GcmSiv::new(&secret.into());
        cipher.encrypt(&Nonce::default(), text).map_err(|_| StoreError::Broken { what: "seal a document", why: "it is too long".into() })
    }

    /// What was sealed; `None`: the key is destroyed.
    pub fn unseal(&self, key: u64, sealed: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(secret) = self.lock().secret(key)? else { return Ok(None) };
        let cipher = Aes256GcmSiv::new(&secret.into());
        let opened = cipher.decrypt(&Nonce::default(), sealed).map_err(|_| StoreError::Broken {
            what: "open a sealed document",
            why: format!("it was not sealed by key {key}: the keys are those of another journal, or older than it"),
        });
        opened.map(Some)
    }

    /// Destroys a key for ever. Durable when it returns; twice is once.
    pub fn destroy(&self, key: u64, order: &str, at: Moment) -> Result<(), StoreError> {
        let mut inner = self.lock();
        if inner.erased.contains_key(&key) {
            return inner.overwrite(key);
        }
        let erasure = Erasure { order: order.into(), at };
        if let Shelf::Files { disk, .. } = &inner.shelf {
            append_erased(&**disk, key, &erasure)?;
        }
        inner.erased.insert(key, erasure);
        inner.overwrite(key)
    }

    pub fn is_destroyed(&self, key: u64) -> bool {
        self.lock().erased.contains_key(&key)
    }

    /// Makes sure that every key up to `newest`, which is in use, is there. `accept_loss`: those that are not are given up,
    /// and what they sealed cannot be read any more.
    pub fn must_reach(&self, newest: u64, accept_loss: bool) -> Result<Option<String>, StoreError> {
        let mut inner = self.lock();
        let Shelf::Files { file, made, .. } = &mut inner.shelf else { return Ok(None) };
        if newest < *made {
            return Ok(None);
        }
        let why = format!("it has {made} keys, and key {newest} is in use");
        if !accept_loss {
            let remedy = Remedy::AcceptLoss;
            return Err(StoreError::Damaged(Damage {
                file: KEYS.into(),
                offset: HEAD_BYTES + *made * SLOT_BYTES,
                record: None,
                why,
                remedy,
            }));
        }
        let until = (newest + 1).next_multiple_of(BLOCK);
        let lost: Vec<u8> = (*made..until).flat_map(|_| destroyed_slot()).collect();
        file.write_at(&lost, HEAD_BYTES + *made * SLOT_BYTES).and_then(|()| file.sync()).map_err(broken("give up keys"))?;
        *made = until;
        inner.next = until;
        Ok(Some(format!("{KEYS}: {why}; what they sealed is given up")))
    }

    /// All that were destroyed.
    pub fn erasures(&self) -> BTreeMap<u64, Erasure> {
        self.lock().erased.clone()
    }
}

/// The key with this number in a simulation.
fn derived(number: u64) -> [u8; 32] {
    *blake3::hash(format!("simulated key {number}").as_bytes()).as_bytes()
}

impl Inner {
    /// The key itself; `None`: it is destroyed.
    fn secret(&mut self, key: u64) -> Result<Option<[u8; 32]>, StoreError> {
        if self.erased.contains_key(&key) {
            return Ok(None);
        }
        match &self.shelf {
            Shelf::Derived => Ok(Some(derived(key))),
            Shelf::Files { file, .. } => {
                let slot = file.bytes_at(HEAD_BYTES + key * SLOT_BYTES, SLOT_BYTES as usize).map_err(broken("read a key"))?;
                match read_slot(&slot) {
                    Slot::Key(secret) => Ok(Some(secret)),
                    Slot::Destroyed => Ok(None),
                    Slot::Damaged => Err(StoreError::Broken {
                        what: "read a key",
                        why: format!("key {key} is not there: bring the folder keys back from its backup"),
                    }),
                }
            }
        }
    }

    fn make_block(&mut self) -> Result<(), StoreError> {
        let Shelf::Files { file, made, entropy, .. } = &mut self.shelf else { return Ok(()) };
        if self.next < *made {
            return Ok(());
        }
        let Some(entropy) = entropy else {
            return Err(StoreError::Broken { what: "make keys", why: "they were opened to look only".into() });
        };
        let mut block = Vec::with_capacity((BLOCK * SLOT_BYTES) as usize);
        for _ in 0..BLOCK {
            let mut secret = [0; 32];
            entropy(&mut secret);
            block.extend_from_slice(&secret);
            block.extend_from_slice(&crc32fast::hash(&secret).to_le_bytes());
        }
        file.write_at(&block, HEAD_BYTES + *made * SLOT_BYTES).and_then(|()| file.sync()).map_err(broken("make keys"))?;
        *made += BLOCK;
        Ok(())
    }

    fn overwrite(&mut self, key: u64) -> Result<(), StoreError> {
        let Shelf::Files { file, made, entropy: Some(_), .. } = &self.shelf else { return Ok(()) };
        // A key of a block that this copy never had is gone anyway.
        if key >= *made {
            return Ok(());
        }
        let at = HEAD_BYTES + key * SLOT_BYTES;
        if matches!(read_slot(&file.bytes_at(at, SLOT_BYTES as usize).map_err(broken("read a key"))?), Slot::Destroyed) {
            return Ok(());
        }
        file.write_at(&destroyed_slot(), at).and_then(|()| file.sync()).map_err(broken("destroy a key"))
    }
}

enum Slot {
    Key([u8; 32]),
    Destroyed,
    Damaged,
}

fn read_slot(bytes: &[u8]) -> Slot {
    let Some((secret, crc)) = bytes.split_first_chunk::<32>() else { return Slot::Damaged };
    if bytes == destroyed_slot() {
        return Slot::Destroyed;
    }
    if crc == crc32fast::hash(secret).to_le_bytes() && secret != &[0; 32] { Slot::Key(*secret) } else { Slot::Damaged }
}

fn destroyed_slot() -> [u8; SLOT_BYTES as usize] {
    let mut slot = [0; SLOT_BYTES as usize];
    slot[32..].copy_from_slice(&(!crc32fast::hash(&[0; 32])).to_le_bytes());
    slot
}

fn head(site: &str) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&Hash::of(site.as_bytes()).0);
    bytes.resize(HEAD_BYTES as usize - 4, 0);
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// How many keys were made, and what is damaged of them. A block that was not written to its end was never used.
fn check(file: &dyn DiskFile, site: &str) -> Result<(u64, Option<Damage>), StoreError> {
    let damage = |offset, why: String| Damage { file: KEYS.into(), offset, record: None, why, remedy: Remedy::Restore };
    let length = file.len().map_err(broken("read the keys"))?;
    let bytes = file.bytes_at(0, length as usize).map_err(broken("read the keys"))?;
    if bytes.get(..HEAD_BYTES as usize) != Some(&head(site)[..]) {
        return Ok((0, Some(damage(0, format!("its head is not that of the keys of site {site}")))));
    }
    let slots = bytes[HEAD_BYTES as usize..].chunks(SLOT_BYTES as usize);
    let bad: Vec<u64> = slots.enumerate().filter(|(_, slot)| matches!(read_slot(slot), Slot::Damaged)).map(|(n, _)| n as u64).collect();
    let count = (length - HEAD_BYTES).div_ceil(SLOT_BYTES);
    let blocks = count / BLOCK * BLOCK;
    let last_block = if count.is_multiple_of(BLOCK) { count.saturating_sub(BLOCK) } else { blocks };
    let Some(first) = bad.first() else {
        return match count % BLOCK {
            0 => Ok((count, None)),
            _ => Ok((blocks, None)),
        };
    };
    // Torn while it was made: sectors of zeros in the last block, of which no key can be in use yet.
    let zeros =
        |slot: u64| bytes[(HEAD_BYTES + slot * SLOT_BYTES) as usize..].iter().take(SLOT_BYTES as usize).filter(|b| **b == 0).count() >= 16;
    if *first >= last_block && (!count.is_multiple_of(BLOCK) || bad.iter().any(|slot| zeros(*slot))) {
        return Ok((last_block, None));
    }
    Ok((0, Some(damage(HEAD_BYTES + first * SLOT_BYTES, format!("key {first} is not what was written")))))
}

pub(crate) fn read_erased(disk: &dyn Disk) -> Result<BTreeMap<u64, Erasure>, StoreError> {
    let file = match disk.read(ERASED) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(e) => return Err(broken("read the erasures")(e)),
    };
    let length = file.len().map_err(broken("read the erasures"))?;
    let bytes = file.bytes_at(0, length as usize).map_err(broken("read the erasures"))?;
    let mut erased = BTreeMap::new();
    let mut offset = 0;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        match parse_erasure(line) {
            Some((key, erasure)) => drop(erased.insert(key, erasure)),
            // A last line without its end was not written to its end: the key behind it was not destroyed yet.
            None if !line.ends_with(b"\n") && offset + line.len() == bytes.len() => {}
            None => {
                let why = "an erasure cannot be read".to_owned();
                return Err(StoreError::Damaged(Damage {
                    file: ERASED.into(),
                    offset: offset as u64,
                    record: None,
                    why,
                    remedy: Remedy::Restore,
                }));
            }
        }
        offset += line.len();
    }
    Ok(erased)
}

fn parse_erasure(line: &[u8]) -> Option<(u64, Erasure)> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (crc, rest) = line.split_once(' ')?;
    if u32::from_str_radix(crc, 16).ok()? != crc32fast::hash(rest.as_bytes()) || crc.len() != 8 {
        return None;
    }
    let mut parts = rest.split(' ');
    let (key, order, at) = (parts.next()?.parse().ok()?, parts.next()?.into(), parts.next()?.parse().ok()?);
    Some((key, Erasure { order, at: Moment(at) }))
}

fn erasure_line(key: u64, erasure: &Erasure) -> String {
    let rest = format!("{key} {} {}", erasure.order, erasure.at.0);
    format!("{:08x} {rest}\n", crc32fast::hash(rest.as_bytes()))
}

/// Writes the whole list anew, under another name first.
pub(crate) fn write_erased(disk: &dyn Disk, erased: &BTreeMap<u64, Erasure>) -> Result<(), StoreError> {
    let text: String = erased.iter().map(|(key, erasure)| erasure_line(*key, erasure)).collect();
    let new = format!("{ERASED}.new");
    let written = disk.write(&new).and_then(|f| f.set_len(0).and_then(|()| f.write_at(text.as_bytes(), 0)).and_then(|()| f.sync()));
    written.and_then(|()| disk.rename(&new, ERASED)).and_then(|()| disk.sync_folder(FOLDER)).map_err(broken("write the erasures"))
}

/// Destroys in a copy of the keys what is destroyed elsewhere.
pub(crate) fn overwrite_erased(file: &dyn DiskFile, erased: &BTreeMap<u64, Erasure>) -> Result<(), StoreError> {
    let length = file.len().map_err(broken("destroy keys"))?;
    for key in erased.keys().filter(|key| HEAD_BYTES + (**key + 1) * SLOT_BYTES <= length) {
        file.write_at(&destroyed_slot(), HEAD_BYTES + key * SLOT_BYTES).map_err(broken("destroy keys"))?;
    }
    file.sync().map_err(broken("destroy keys"))
}

fn append_erased(disk: &dyn Disk, key: u64, erasure: &Erasure) -> Result<(), StoreError> {
    let file = disk.write(ERASED).map_err(broken("write an erasure"))?;
    let line = erasure_line(key, erasure);
    // Behind the last whole line: what a crash left half-written is written over.
    let length = file.len().map_err(broken("write an erasure"))?;
    let bytes = file.bytes_at(0, length as usize).map_err(broken("write an erasure"))?;
    let end = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |n| n as u64 + 1);
    let written = file.set_len(end).and_then(|()| file.write_at(line.as_bytes(), end)).and_then(|()| file.sync());
    written.and_then(|()| disk.sync_folder(FOLDER)).map_err(broken("write an erasure"))
}

/// Where there are no keys: nothing can be read.
struct Nothing;

impl DiskFile for Nothing {
    fn len(&self) -> std::io::Result<u64> {
        Ok(0)
    }
    fn read_at(&self, _: &mut [u8], _: u64) -> std::io::Result<usize> {
        Ok(0)
    }
    fn write_at(&self, _: &[u8], _: u64) -> std::io::Result<()> {
        Err(std::io::ErrorKind::PermissionDenied.into())
    }
    fn set_len(&self, _: u64) -> std::io::Result<()> {
        Err(std::io::ErrorKind::PermissionDenied.into())
    }
    fn sync(&self) -> std::io::Result<()> {
        Ok(())
    }
}

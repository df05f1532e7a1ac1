//! The live twin on disk, in sled 0.34: one tree, written behind the journal by a thread of its own.
//!
//! sled does not promise to survive a loss of power, and some damage makes it panic. It need not: whatever it has lost or
//! refuses to open is made anew from the journal. What is put here can be read at once, from memory until it is in the
//! tree. One batch holds states, counts and mark, so that the versions of all states always add up to the mark.

use crate::census::{Census, StageMove};
use crate::entity::STATES_VERSION;
use crate::facet::Facet;
use crate::journal::{Place, Rows};
use crate::shelf::{Change, Listed, Shelf};
use crate::{Hash, Key, Kind, StoreError};
use smol_str::SmolStr;
use std::collections::HashMap;
use std::ops::Bound;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Page cache, bytes. sled's own default is 1 GB.
const CACHE_BYTES: u64 = 128 << 20;
/// sled reclaims space on this timer.
const FLUSH_EVERY_MS: u64 = 500;
/// How often, and how far apart, sled's own lock is tried.
const LOCK_TRIES: u32 = 250;
const LOCK_WAIT: std::time::Duration = std::time::Duration::from_millis(20);
/// How long the live twin is behind the journal at most, on a disk that keeps up.
const BEHIND: std::time::Duration = std::time::Duration::from_millis(20);
/// So many values may wait to be written; whoever puts more, waits.
const WAITING_MAX: usize = 65_536;

/// First byte of a key in the tree: what the rest is. States, names, places of documents, lists, and facts of the shelf itself.
const STATE: u8 = b's';
const NAME: u8 = b'n';
const PLACE: u8 = b'd';
const LIST: u8 = b'l';
/// How many of a kind are in a stage.
const COUNT: u8 = b'c';
const MARK: &[u8] = b"mark";
const MADE_BY: &[u8] = b"of";
const NEWEST_KEY: &[u8] = b"key";
/// How it was left: [`AT_REST`], or written to in a run of the machine; both with the folder.
const LEFT: &[u8] = b"how left";
/// All that was put is on the disk, and nothing more was written since. The folder is named behind it.
const AT_REST: &str = "at rest";

pub struct SledShelf {
    shared: Arc<Shared>,
    writer: Option<std::thread::JoinHandle<()>>,
}

struct Shared {
    tree: sled::Db,
    /// What it says while it is written to, where the machine tells, and at rest.
    stay: Option<Vec<u8>>,
    rest: Option<Vec<u8>>,
    queue: Mutex<Queue>,
    changed: Condvar,
}

/// `None`: to be removed.
type Values = HashMap<Vec<u8>, Option<Vec<u8>>>;

#[derive(Default)]
struct Queue {
    waiting: Values,
    /// What the writer has in hand just now.
    writing: Arc<Values>,
    mark: u64,
    census: Census,
    /// Nothing that it was given can have been lost, so what it has counted holds.
    trusted: bool,
    /// It says that it is at rest; whatever is written next says otherwise.
    at_rest: bool,
    /// Puts taken in, and puts written.
    taken: u64,
    written: u64,
    failed: Option<String>,
    /// Somebody waits until all is written.
    hurry: bool,
    closing: bool,
}

fn failed(what: &'static str, why: impl ToString) -> StoreError {
    StoreError::Broken { what, why: why.to_string() }
}

/// sled's panics are its way to speak of damage.
fn told<T>(what: &'static str, act: impl FnOnce() -> Result<T, sled::Error>) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(failed(what, error)),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            Err(failed(what, text.unwrap_or_else(|| "it broke off".into()).lines().next().unwrap_or_default()))
        }
    }
}

impl SledShelf {
    /// Opens or creates the shelf in `dir`. Whether it is one of this journal and in today's shape is for
    /// [`SledShelf::is_of`] to say.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let mut tries = 0;
        let tree = told("open the live twin", || {
            loop {
                let opened = sled::Config::new().path(dir).cache_capacity(CACHE_BYTES).flush_every_ms(Some(FLUSH_EVERY_MS)).open();
                match opened {
                    // The journal's lock is ours, so this can only be a thread of sled's that has not ended yet.
                    Err(sled::Error::Io(e)) if e.to_string().contains("could not acquire lock") && tries < LOCK_TRIES => {
                        tries += 1;
                        std::thread::sleep(LOCK_WAIT);
                    }
                    opened => return opened,
                }
            }
        })?;
        let mark = told("read the mark", || tree.get(MARK))?.and_then(|b| Some(u64::from_be_bytes(b.as_ref().try_into().ok()?)));
        let folder = folder_itself(dir);
        let left = |how: String| Some(format!("{how} in {}", folder.as_ref()?).into_bytes());
        let (stay, rest) = (boot().and_then(left), left(AT_REST.into()));
        let left = told("read how it was left", || tree.get(LEFT))?;
        let trusted = mark.is_none() || left.is_some_and(|left| [&rest, &stay].into_iter().flatten().any(|known| left == known));
        let census = told("read what the live twin has counted", || read_census(&tree))?;
        let queue = Queue { mark: mark.unwrap_or(0), census, trusted, at_rest: false, ..Queue::default() };
        let shared = Arc::new(Shared { tree, stay, rest, queue: Mutex::new(queue), changed: Condvar::new() });
        if trusted {
            shared.say_at_work()?;
        }
        let working = shared.clone();
        let writer = std::thread::Builder::new().name("live twin".into()).spawn(move || working.write_behind());
        let writer = writer.map_err(|e| failed("start the live twin's writer", e))?;
        Ok(SledShelf { shared, writer: Some(writer) })
    }

    /// Whether it was made by this version of the states, from the journal of this site.
    pub fn is_of(&self, site: &str) -> Result<bool, StoreError> {
        Ok(told("read whose it is", || self.shared.tree.get(MADE_BY))?.is_some_and(|bytes| bytes == made_by(site)))
    }

    pub fn sign(&self, site: &str) -> Result<(), StoreError> {
        told("sign the live twin", || self.shared.tree.insert(MADE_BY, made_by(site))).map(drop)
    }

    /// Reads everything there is, so that damage shows now and not in the middle of work.
    pub fn read_names(&self) -> Result<u64, StoreError> {
        let mut count = 0;
        for prefix in [NAME, PLACE, LIST] {
            told("read the live twin", || {
                for row in self.shared.tree.scan_prefix([prefix]) {
                    row?;
                    count += 1;
                }
                Ok(())
            })?;
        }
        Ok(count)
    }

    /// Writes all that waits, and makes sled write it too. Then it is at rest until more is put.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.settle()?;
        told("flush the live twin", || self.shared.tree.flush())?;
        let mut queue = self.shared.lock();
        if let Some(rest) = &self.shared.rest
            && queue.trusted
            && !queue.at_rest
            && queue.taken == queue.written
        {
            told("say how it is left", || self.shared.tree.insert(LEFT, rest.as_slice()).and_then(|_| self.shared.tree.flush()))?;
            queue.at_rest = true;
        }
        Ok(())
    }

    /// It is to be made anew at the next start.
    pub fn disown(&self) -> Result<(), StoreError> {
        told("disown the live twin", || self.shared.tree.remove(MADE_BY).and_then(|_| self.shared.tree.flush())).map(drop)
    }

    /// All that begins so, behind `after` where that is given, once nothing waits to be written.
    fn rows(
        &self,
        prefix: Vec<u8>,
        after: Option<Vec<u8>>,
    ) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), StoreError>> + Send + use<'_> {
        let mut unsettled = self.settle().err();
        let first = after.map_or_else(|| Bound::Included(prefix.clone()), Bound::Excluded);
        let mut rows = self.shared.tree.range((first, Bound::Unbounded));
        let mut over = false;
        std::iter::from_fn(move || {
            if over {
                return None;
            }
            let row = match unsettled.take() {
                Some(error) => Err(error),
                None => told("read the live twin", || rows.next().transpose()),
            };
            over = row.is_err();
            let row = row.transpose()?;
            over |= row.as_ref().is_ok_and(|(key, _)| !key.starts_with(&prefix));
            if over && row.is_ok() { None } else { Some(row.map(|(key, value)| (key.to_vec(), value.to_vec()))) }
        })
    }

    /// The value under a key: from what waits, from what is being written, or from the tree.
    fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        {
            let queue = self.shared.lock();
            if let Some(value) = queue.waiting.get(key).or_else(|| queue.writing.get(key)) {
                return Ok(value.clone());
            }
        }
        Ok(told("read the live twin", || self.shared.tree.get(key))?.map(|v| v.to_vec()))
    }
}

impl Drop for SledShelf {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.changed.notify_all();
        if let Some(writer) = self.writer.take() {
            // It cannot have panicked: its own calls are caught.
            let _ = writer.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
        self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner)
    }

    /// Durable before anything else is written that a loss of power could take away.
    fn say_at_work(&self) -> Result<(), StoreError> {
        told("say how it is left", || {
            match &self.stay {
                Some(stay) if self.tree.get(LEFT)?.is_some_and(|left| left == stay) => return Ok(()),
                Some(stay) => self.tree.insert(LEFT, stay.as_slice())?,
                None => self.tree.remove(LEFT)?,
            };
            self.tree.flush().map(drop)
        })
    }

    fn write_behind(&self) {
        loop {
            let (values, mark, taken, at_rest) = {
                let mut queue = self.lock();
                while queue.written == queue.taken && !queue.closing {
                    queue = self.wait(queue);
                }
                // Nobody waits for this: a little later there is more of it, and values that changed twice are written once.
                let due = |queue: &mut Queue| !(queue.closing || queue.hurry || queue.waiting.len() >= WAITING_MAX / 4);
                queue = self.changed.wait_timeout_while(queue, BEHIND, due).unwrap_or_else(PoisonError::into_inner).0;
                queue.hurry = false;
                if queue.written == queue.taken || queue.failed.is_some() {
                    return;
                }
                queue.writing = Arc::new(std::mem::take(&mut queue.waiting));
                (queue.writing.clone(), queue.mark, queue.taken, std::mem::take(&mut queue.at_rest))
            };
            let resumed = if at_rest { self.say_at_work() } else { Ok(()) };
            let outcome = resumed.and_then(|()| {
                told("write the live twin", || {
                    let mut batch = sled::Batch::default();
                    for (key, value) in &*values {
                        match value {
                            Some(value) => batch.insert(key.as_slice(), value.as_slice()),
                            None => batch.remove(key.as_slice()),
                        }
                    }
                    batch.insert(MARK, &mark.to_be_bytes());
                    self.tree.apply_batch(batch)
                })
            });
            drop(values);
            let mut queue = self.lock();
            queue.writing = Arc::default();
            queue.written = taken;
            if let Err(error) = outcome {
                queue.failed = Some(error.to_string());
            }
            self.changed.notify_all();
        }
    }
}

/// This run of the machine, where it tells. What a process wrote is there after the process has died; some of it may be gone only
/// where the machine stopped too.
fn boot() -> Option<String> {
    Some(std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned())
}

/// This folder and no other, neither a copy nor one that has its place on the disk later; `None`: the file system does not tell.
fn folder_itself(dir: &Path) -> Option<String> {
    let folder = std::fs::metadata(dir).ok()?;
    let made = folder.created().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(format!("{}/{}/{}", folder.dev(), folder.ino(), made.as_nanos()))
}

fn count_key(kind: Kind, stage: &str) -> Vec<u8> {
    let mut bytes = vec![COUNT, kind.number()];
    bytes.extend_from_slice(stage.as_bytes());
    bytes
}

fn read_census(tree: &sled::Db) -> Result<Census, sled::Error> {
    let mut census = Census::default();
    for row in tree.scan_prefix([COUNT]) {
        let (key, count) = row?;
        let (Some(kind), Ok(count)) = (Kind::of_number(u32::from(key[1])), count.as_ref().try_into().map(i64::from_be_bytes)) else {
            return Err(sled::Error::Unsupported("a count that is none".into()));
        };
        census.holds(kind, text(&key[2..]), count);
    }
    if let Some(Ok(key)) = tree.get(NEWEST_KEY)?.map(|key| key.as_ref().try_into().map(u64::from_be_bytes)) {
        census.uses_key(key);
    }
    Ok(census)
}

fn made_by(site: &str) -> Vec<u8> {
    let mut bytes = STATES_VERSION.to_be_bytes().to_vec();
    bytes.extend_from_slice(site.as_bytes());
    bytes
}

fn key_of(prefix: u8, rest: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(rest.len() + 1);
    bytes.push(prefix);
    bytes.extend_from_slice(rest);
    bytes
}

fn state_key(key: &Key) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(key.id.len() + 2);
    bytes.extend_from_slice(&[STATE, key.kind.number()]);
    bytes.extend_from_slice(key.id.as_bytes());
    bytes
}

/// The owner stands before the id with its length, so that none is the beginning of another.
fn list_key(listed: &Listed) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(listed.of.len() + listed.id.len() + 5);
    bytes.extend_from_slice(&[LIST, listed.kind.number(), listed.facet.number()]);
    bytes.extend_from_slice(&(listed.of.len() as u16).to_be_bytes());
    bytes.extend_from_slice(listed.of.as_bytes());
    bytes.extend_from_slice(listed.id.as_bytes());
    bytes
}

fn read_list_key(key: &[u8]) -> Option<(SmolStr, SmolStr)> {
    let (length, rest) = key.get(3..)?.split_first_chunk::<2>()?;
    let (of, id) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    Some((text(of), text(id)))
}

fn text(bytes: &[u8]) -> SmolStr {
    SmolStr::new(String::from_utf8_lossy(bytes))
}

fn place_bytes(place: &Place) -> Vec<u8> {
    let mut bytes = place.segment.to_le_bytes().to_vec();
    bytes.extend_from_slice(&place.offset.to_le_bytes());
    bytes.extend_from_slice(&place.length.to_le_bytes());
    bytes
}

fn read_place(bytes: &[u8]) -> Option<Place> {
    let (segment, rest) = bytes.split_first_chunk::<4>()?;
    let (offset, rest) = rest.split_first_chunk::<8>()?;
    let length = rest.try_into().ok()?;
    Some(Place { segment: u32::from_le_bytes(*segment), offset: u64::from_le_bytes(*offset), length: u32::from_le_bytes(length) })
}

impl Shelf for SledShelf {
    fn put(&self, change: Change) -> Result<(), StoreError> {
        let mut queue = self.shared.lock();
        while queue.waiting.len() >= WAITING_MAX && queue.failed.is_none() {
            self.shared.changed.notify_all();
            queue = self.shared.wait(queue);
        }
        if let Some(why) = &queue.failed {
            return Err(failed("write the live twin", why));
        }
        queue.waiting.extend(change.states.into_iter().map(|(key, bytes)| (state_key(&key), Some(bytes))));
        queue.waiting.extend(change.lists.into_iter().map(|(listed, note)| (list_key(&listed), note.map(|n| n.as_bytes().to_vec()))));
        queue.waiting.extend(change.names.into_iter().map(|(name, id)| (key_of(NAME, name.as_bytes()), Some(id.as_bytes().to_vec()))));
        queue.waiting.extend(change.documents.into_iter().map(|(hash, place)| (key_of(PLACE, &hash.0), Some(place_bytes(&place)))));
        for StageMove { kind, before, now } in change.moves {
            for (stage, by) in [(before, -1), (now, 1)] {
                let count = queue.census.holds(kind, SmolStr::new_static(stage), by);
                queue.waiting.insert(count_key(kind, stage), (count != 0).then(|| count.to_be_bytes().to_vec()));
            }
        }
        if change.newest_key > queue.census.newest_key
            && let Some(key) = change.newest_key
        {
            queue.census.uses_key(key);
            queue.waiting.insert(NEWEST_KEY.to_vec(), Some(key.to_be_bytes().to_vec()));
        }
        queue.mark = queue.mark.max(change.mark);
        let wake = queue.taken == queue.written || queue.waiting.len() >= WAITING_MAX / 4;
        queue.taken += 1;
        drop(queue);
        if wake {
            self.shared.changed.notify_all();
        }
        Ok(())
    }

    fn mark(&self) -> Result<u64, StoreError> {
        Ok(self.shared.lock().mark)
    }

    fn state(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        self.value(&state_key(key))
    }

    fn has(&self, key: &Key) -> Result<bool, StoreError> {
        Ok(self.state(key)?.is_some())
    }

    fn states(&self, kind: Kind, begins: &str) -> Rows<'_, (SmolStr, Vec<u8>)> {
        let mut prefix = vec![STATE, kind.number()];
        prefix.extend_from_slice(begins.as_bytes());
        Box::new(self.rows(prefix, None).map(|row| row.map(|(key, value)| (text(&key[2..]), value))))
    }

    fn listed(&self, kind: Kind, facet: Facet, of: Option<&str>, after: Option<&Listed>) -> Rows<'_, (Listed, SmolStr)> {
        let prefix = match of {
            Some(of) => list_key(&Listed { kind, facet, of: of.into(), id: SmolStr::default() }),
            None => vec![LIST, kind.number(), facet.number()],
        };
        Box::new(self.rows(prefix, after.map(list_key)).map(move |row| {
            let (key, note) = row?;
            let (of, id) = read_list_key(&key).ok_or_else(|| failed("read the live twin", "a list has an entry that is none"))?;
            Ok((Listed { kind, facet, of, id }, text(&note)))
        }))
    }

    fn look_up(&self, name: &str) -> Result<Option<SmolStr>, StoreError> {
        Ok(self.value(&key_of(NAME, name.as_bytes()))?.map(|v| text(&v)))
    }

    fn place(&self, document: &Hash) -> Result<Option<Place>, StoreError> {
        Ok(self.value(&key_of(PLACE, &document.0))?.and_then(|v| read_place(&v)))
    }

    fn clear(&self) -> Result<(), StoreError> {
        self.settle()?;
        told("empty the live twin", || self.shared.tree.clear())?;
        let mut queue = self.shared.lock();
        (queue.mark, queue.census) = (0, Census::default());
        Ok(())
    }

    fn census(&self) -> Result<Option<Census>, StoreError> {
        let queue = self.shared.lock();
        Ok(queue.trusted.then(|| queue.census.clone()))
    }

    fn recounted(&self, census: &Census) -> Result<(), StoreError> {
        self.settle()?;
        told("write what the live twin has counted", || {
            let mut batch = sled::Batch::default();
            for row in self.shared.tree.scan_prefix([COUNT]) {
                batch.remove(row?.0);
            }
            for (kind, stage, count) in census.all() {
                batch.insert(count_key(kind, stage), &count.to_be_bytes());
            }
            if let Some(key) = census.newest_key {
                batch.insert(NEWEST_KEY, &key.to_be_bytes());
            }
            self.shared.tree.apply_batch(batch)
        })?;
        {
            let mut queue = self.shared.lock();
            (queue.census, queue.trusted) = (census.clone(), true);
        }
        self.shared.say_at_work()
    }

    fn settle(&self) -> Result<(), StoreError> {
        let mut queue = self.shared.lock();
        let until = queue.taken;
        while queue.written < until && queue.failed.is_none() {
            queue.hurry = true;
            self.shared.changed.notify_all();
            queue = self.shared.wait(queue);
        }
        match &queue.failed {
            Some(why) => Err(failed("write the live twin", why)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shelf::conformance;

    #[test]
    fn conforms_and_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = SledShelf::open(dir.path()).unwrap();
        conformance::run(&shelf);
        shelf.sign("site").unwrap();
        drop(shelf);
        let again = SledShelf::open(dir.path()).unwrap();
        assert_eq!(again.mark().unwrap(), 50);
        assert!(again.is_of("site").unwrap() && !again.is_of("other").unwrap());
        assert_eq!(again.read_names().unwrap(), 15);
        let counted = again.census().unwrap().expect("the machine has not stopped since");
        assert_eq!((counted.all().collect::<Vec<_>>(), counted.newest_key), (vec![(Kind::Parcel, "labelled", 1)], Some(7)));
        conformance::clear(&again);
    }

    /// What a machine that stopped may have lost is read before it is believed.
    #[test]
    fn what_it_counted_is_believed_until_the_machine_stops() {
        let dir = tempfile::tempdir().unwrap();
        let put = |shelf: &SledShelf| {
            shelf
                .put(Change { mark: 1, moves: vec![StageMove { kind: Kind::Bag, before: "", now: "open" }], ..Change::default() })
                .unwrap();
            shelf.settle().unwrap();
        };
        let believed = |shelf: &SledShelf| shelf.census().unwrap().map(|census| census.stages(Kind::Bag).map(|(_, n)| n).sum::<u64>());
        let another_stay = || {
            let shelf = SledShelf::open(dir.path()).unwrap();
            shelf.shared.tree.insert(LEFT, "another boot").unwrap();
        };
        let shelf = SledShelf::open(dir.path()).unwrap();
        put(&shelf);
        drop(shelf);
        let shelf = SledShelf::open(dir.path()).unwrap();
        assert_eq!(believed(&shelf), Some(1), "killed");
        shelf.flush().unwrap();
        assert_eq!(shelf.shared.tree.get(LEFT).unwrap().unwrap(), shelf.shared.rest.clone().unwrap());
        put(&shelf);
        assert_ne!(shelf.shared.tree.get(LEFT).unwrap().unwrap(), shelf.shared.rest.clone().unwrap(), "more was written");
        drop(shelf);
        another_stay();
        let shelf = SledShelf::open(dir.path()).unwrap();
        assert_eq!(believed(&shelf), None, "the machine stopped");
        shelf.flush().unwrap();
        assert_ne!(shelf.shared.tree.get(LEFT).unwrap().unwrap(), shelf.shared.rest.clone().unwrap(), "nobody has read it");
        let mut census = Census::default();
        census.holds(Kind::Bag, "open".into(), 5);
        shelf.recounted(&census).unwrap();
        put(&shelf);
        drop(shelf);
        assert_eq!(believed(&SledShelf::open(dir.path()).unwrap()), Some(6));
    }
}

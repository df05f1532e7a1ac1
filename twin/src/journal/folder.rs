//! The journal as a folder of segment files: opening with every check, appending with one sync a group, reading.
//!
//! One writer, one group under way: so a crash can leave at most one broken group, at the very end. Anything else that is
//! broken is damage, and is refused in words.

use super::anchor::{self, Anchor, Mark};
use super::disk::{Disk, DiskFile};
use super::group::FrameHead;
use super::index::{self, Indexes, Shelf};
use super::segment::{self, End, SEAL_BYTES, START, Segment, SegmentHead, Step, Window, damage};
use super::{Draft, Group, Head, Journal, Place, Rows, Way};
use crate::error::{Remedy, broken};
use crate::{Hash, Key, StoreError};
use smol_str::SmolStr;
use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How large the files get.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// A segment is sealed before it grows beyond this; a single larger group gets a segment of its own.
    pub segment_bytes: u64,
    /// Room is made, and synced, in steps of this.
    pub chunk_bytes: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        Sizes { segment_bytes: 64 << 20, chunk_bytes: 1 << 20 }
    }
}

/// So much room stands behind the last group at all times: a file that ends with its content was cut off.
const ROOM_BYTES: u64 = 4096;
/// One entry of the look-up of places for about so many bytes.
const INDEX_EVERY_BYTES: u64 = 1 << 18;
/// How often a journal that another process writes is looked at, before what cannot be read counts as damage.
const LOOKS_MAX: u32 = 20;
/// Held by the one process that may write.
const LOCK: &str = "journal/lock";

/// How to open.
#[derive(Clone, Copy, Debug, Default)]
pub struct Opening {
    pub sizes: Sizes,
    /// Give up a broken last group that may have been acknowledged.
    pub accept_loss: bool,
}

pub struct Folder {
    disk: Arc<dyn Disk>,
    site: SmolStr,
    sizes: Sizes,
    segments: Mutex<Vec<Segment>>,
    pen: Mutex<Pen>,
    /// First record of a group → where it stands, for some of them.
    index: Mutex<BTreeMap<u64, (u32, u64)>>,
    /// Thing → groups.
    indexes: Indexes,
    _lock: Option<Box<dyn Any + Send + Sync>>,
}

/// Where writing goes on.
struct Pen {
    head: Head,
    number: u32,
    offset: u64,
    length: u64,
    file: Arc<dyn DiskFile>,
    /// `None`: opened to look only.
    anchor: Option<Anchor>,
    anchor_synced: u64,
    /// Why nothing may be written any more.
    broken: Option<String>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What opening found that somebody should read.
pub type Notes = Vec<String>;

impl Folder {
    /// Whether there is a journal in this folder, finished or only begun.
    pub fn exists(disk: &dyn Disk) -> Result<bool, StoreError> {
        let names = disk.list(segment::FOLDER).map_err(broken("list the segments"))?;
        Ok(names.iter().any(|n| n.ends_with(".seg") || n == "anchor"))
    }

    /// Whether a process is writing here.
    pub fn is_held(disk: &dyn Disk) -> Result<bool, StoreError> {
        disk.is_locked(LOCK).map_err(broken("look at the lock"))
    }

    /// Begins a journal for a site. There must be none.
    pub fn create(disk: Arc<dyn Disk>, site: &str, opening: Opening) -> Result<Self, StoreError> {
        if site.is_empty() || site.len() > segment::SITE_LENGTH_MAX {
            return Err(StoreError::Open { path: "journal".into(), why: format!("the site's id {site:?} must have 1 to 64 bytes") });
        }
        disk.make_folder("").and_then(|()| disk.make_folder(segment::FOLDER)).map_err(broken("make the journal's folder"))?;
        disk.sync_folder("").map_err(broken("make the journal's folder"))?;
        let _lock = take_lock(&*disk)?;
        let head = SegmentHead { number: 1, site: site.into(), before: Head::of_site(site), length_before: 0 };
        let first = begin(&*disk, &head, opening.sizes.chunk_bytes)?;
        drop(_lock);
        drop(first);
        Self::open(disk, opening).map(|(folder, _)| folder)
    }

    /// Opens for writing: checks anchor, every segment's length and seal, and the content of the last one; cuts a torn
    /// tail; refuses what is damaged and changes nothing then.
    pub fn open(disk: Arc<dyn Disk>, opening: Opening) -> Result<(Self, Notes), StoreError> {
        let held = take_lock(&*disk)?;
        let mut notes = Notes::new();
        let mut found = Found::read(&disk)?;
        let end = found.judged(opening.accept_loss, &mut notes)?;
        for name in disk.list(segment::FOLDER).map_err(broken("list the segments"))?.iter().filter(|n| n.ends_with(".new")) {
            disk.remove(&format!("{}/{name}", segment::FOLDER)).map_err(broken("remove what was only begun"))?;
        }
        let last = found.segments.last().cloned().ok_or_else(|| StoreError::Absent { path: "journal".into() })?;
        let file = disk.write(&last.path).map_err(broken("open a segment"))?;
        let (number, offset, length, file) = match end {
            Tail::Sealed { offset } => {
                if last.length != offset {
                    file.set_len(offset).and_then(|()| file.sync()).map_err(broken("finish a segment"))?;
                }
                let number = last.head.number + 1;
                let head = SegmentHead { number, site: last.head.site.clone(), before: found.head, length_before: offset };
                if let Some(sealed) = found.segments.last_mut() {
                    sealed.length = offset;
                }
                let next = begin(&*disk, &head, opening.sizes.chunk_bytes)?;
                let length = next.length;
                let file = disk.write(&next.path).map_err(broken("open a segment"))?;
                found.segments.push(next);
                (number, START, length, file)
            }
            Tail::Open { offset, cut } => {
                if cut > 0 {
                    keep_cut(&*disk, &last, offset, cut)?;
                    file.write_at(&vec![0; cut as usize], offset).and_then(|()| file.sync()).map_err(broken("cut the torn tail"))?;
                }
                (last.head.number, offset, last.length, file)
            }
        };
        let mut anchor = Anchor::open(&*disk, found.anchor)?;
        let mark = Mark { head: found.head, segment: number, offset };
        if found.anchor.mark() != Some(mark) || found.anchor.damaged {
            anchor.write(mark)?;
            anchor.write(mark)?;
            anchor.file().sync().map_err(broken("sync the anchor"))?;
        }
        disk.sync_folder(segment::FOLDER).map_err(broken("sync the journal's folder"))?;
        let anchor_synced = found.head.records;
        let pen = Pen { head: found.head, number, offset, length, file, anchor: Some(anchor), anchor_synced, broken: None };
        let folder = Folder::of(disk, opening.sizes, found, pen, Some(held));
        // Room for the next group is made now, so that a full disk is found at the start.
        let mut pen = lock(&folder.pen);
        folder.make_room(&mut pen, 0)?;
        drop(pen);
        Ok((folder, notes))
    }

    /// Opens to look only: takes no lock, changes nothing, and reads as far as it is whole. What stands behind that and is
    /// not whole is told in the notes: it may be a group that a running site is just writing.
    pub fn look(disk: Arc<dyn Disk>) -> Result<(Self, Notes), StoreError> {
        let mut looks = 1;
        loop {
            match Self::looked(disk.clone()) {
                // A group that was half there when it was read may be whole, with others behind it, a moment later: that is
                // work under way, and damage only if it stays.
                Err(StoreError::Damaged(_)) if looks < LOOKS_MAX && Self::is_held(&*disk)? => looks += 1,
                looked => return looked,
            }
        }
    }

    fn looked(disk: Arc<dyn Disk>) -> Result<(Self, Notes), StoreError> {
        let mut notes = Notes::new();
        let mut found = Found::read(&disk)?;
        let running = Self::is_held(&*disk)?;
        let end = if running { found.as_running()? } else { found.judged(false, &mut notes)? };
        let last = found.segments.last().cloned().ok_or_else(|| StoreError::Absent { path: "journal".into() })?;
        let offset = match end {
            Tail::Sealed { offset } | Tail::Open { offset, .. } => offset,
        };
        let pen = Pen {
            head: found.head,
            number: last.head.number,
            offset,
            length: last.length,
            file: last.file.clone(),
            anchor: None,
            anchor_synced: 0,
            broken: Some("it was opened to look only".into()),
        };
        Ok((Folder::of(disk, Sizes::default(), found, pen, None), notes))
    }

    fn of(disk: Arc<dyn Disk>, sizes: Sizes, found: Found, pen: Pen, held: Option<Box<dyn Any + Send + Sync>>) -> Self {
        let site = found.site.clone();
        Folder {
            disk,
            site,
            sizes,
            segments: Mutex::new(found.segments),
            pen: Mutex::new(pen),
            index: Mutex::new(found.index),
            indexes: Indexes::default(),
            _lock: held,
        }
    }

    pub fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// The segments as they are now, the last one as long as what is durable in it.
    pub fn segments(&self) -> Vec<Segment> {
        let (number, offset) = {
            let pen = lock(&self.pen);
            (pen.number, pen.offset)
        };
        let mut segments = lock(&self.segments).clone();
        segments.retain(|s| s.head.number <= number);
        if let Some(last) = segments.last_mut().filter(|s| s.head.number == number) {
            last.length = offset;
        }
        segments
    }

    /// Makes the anchor durable where it is behind. Called once in a while.
    pub fn sync_anchor(&self) -> Result<(), StoreError> {
        let (file, records) = {
            let pen = lock(&self.pen);
            let Some(anchor) = pen.anchor.as_ref().filter(|_| pen.anchor_synced < pen.head.records) else { return Ok(()) };
            (anchor.file(), pen.head.records)
        };
        file.sync().map_err(broken("sync the anchor"))?;
        lock(&self.pen).anchor_synced = records;
        Ok(())
    }

    /// Sees that histories are found at once: reads on in the newest segment, and makes one index that is missing. Says
    /// whether another may be. Called once in a while; nothing waits for it.
    pub fn keep_indexes(&self) -> Result<bool, StoreError> {
        self.indexes.keep(self.shelf(), || self.segments())
    }

    fn shelf(&self) -> Shelf<'_> {
        Shelf { disk: &*self.disk, may_write: self._lock.is_some() }
    }

    /// Makes sure that `bytes` more and the room behind them are in the file, written and synced.
    fn make_room(&self, pen: &mut Pen, bytes: u64) -> Result<(), StoreError> {
        let needed = pen.offset + bytes + SEAL_BYTES + ROOM_BYTES;
        if needed <= pen.length {
            return Ok(());
        }
        let length = needed.next_multiple_of(self.sizes.chunk_bytes);
        make_zeros(&*pen.file, pen.length, length)?;
        pen.length = length;
        Ok(())
    }

    fn write(&self, pen: &mut Pen, draft: &Draft) -> Result<Vec<(Hash, Place)>, StoreError> {
        let size = (draft.size() + super::group::HEAD_BYTES + super::group::TAIL.len()) as u64;
        if pen.offset > START && pen.offset + size + SEAL_BYTES + ROOM_BYTES > self.sizes.segment_bytes {
            self.next_segment(pen)?;
        }
        self.make_room(pen, size)?;
        let (frame, places) = draft.frame(pen.number, pen.offset);
        pen.file.write_at(&frame, pen.offset).map_err(broken("write the journal"))?;
        pen.file.sync().map_err(broken("sync the journal"))?;
        let start = pen.offset;
        pen.offset += frame.len() as u64;
        pen.head = draft.head();
        let mark = Mark { head: pen.head, segment: pen.number, offset: pen.offset };
        if let Some(anchor) = &mut pen.anchor {
            anchor.write(mark)?;
        }
        self.note(draft.first, pen.number, start);
        Ok(places)
    }

    /// Seals the segment that is full and begins the next.
    fn next_segment(&self, pen: &mut Pen) -> Result<(), StoreError> {
        let mut seal = vec![0; SEAL_BYTES as usize];
        let tail = seal.len() - super::group::TAIL.len();
        seal[tail..].copy_from_slice(&super::group::TAIL);
        FrameHead::seal(pen.head).seal_into(&mut seal, pen.offset);
        pen.file.write_at(&seal, pen.offset).and_then(|()| pen.file.sync()).map_err(broken("seal a segment"))?;
        let length = pen.offset + SEAL_BYTES;
        pen.file.set_len(length).and_then(|()| pen.file.sync()).map_err(broken("seal a segment"))?;
        let head = SegmentHead { number: pen.number + 1, site: self.site.clone(), before: pen.head, length_before: length };
        let next = begin(&*self.disk, &head, self.sizes.chunk_bytes)?;
        pen.file = self.disk.write(&next.path).map_err(broken("open a segment"))?;
        (pen.number, pen.offset, pen.length) = (head.number, START, next.length);
        let mut segments = lock(&self.segments);
        if let Some(last) = segments.last_mut() {
            last.length = length;
        }
        segments.push(next);
        Ok(())
    }

    /// Remembers where a group stands, for one in a stretch.
    fn note(&self, first: u64, segment: u32, offset: u64) {
        note(&mut lock(&self.index), first, segment, offset);
    }
}

fn note(index: &mut BTreeMap<u64, (u32, u64)>, first: u64, segment: u32, offset: u64) {
    let near = index.range(..=first).next_back().is_some_and(|(_, (s, o))| *s == segment && offset < o + INDEX_EVERY_BYTES);
    if !near {
        index.insert(first, (segment, offset));
    }
}

impl Journal for Folder {
    fn site(&self) -> &SmolStr {
        &self.site
    }

    fn head(&self) -> Head {
        lock(&self.pen).head
    }

    fn append(&self, draft: &mut Draft) -> Result<Vec<(Hash, Place)>, StoreError> {
        let mut pen = lock(&self.pen);
        if let Some(why) = &pen.broken {
            return Err(StoreError::Broken { what: "write the journal", why: why.clone() });
        }
        let written = self.write(&mut pen, draft);
        if let Err(error) = &written {
            // Whether it is on disk is not known any more, so nothing may follow it.
            pen.broken = Some(error.to_string());
        }
        draft.go_on();
        written
    }

    fn groups(&self, from: u64) -> Rows<'_, Group> {
        let segments = self.segments();
        let Some(mut at) = segments.iter().rposition(|s| s.head.before.records < from.max(1)) else { return Box::new(std::iter::empty()) };
        let number = segments[at].head.number;
        let near = lock(&self.index).range(..=from.max(1)).next_back().map(|(_, place)| *place).filter(|(s, _)| *s == number);
        let mut offset = near.map_or(START, |(_, offset)| offset);
        let mut window = Window::default();
        Box::new(std::iter::from_fn(move || {
            loop {
                let segment = segments.get(at)?;
                if offset >= segment.length {
                    (at, offset, window) = (at + 1, START, Window::default());
                    continue;
                }
                match segment.step(&mut window, offset) {
                    Ok(Step::Group(group, next)) => {
                        self.note(group.first, segment.head.number, offset);
                        offset = next;
                        if group.head().records >= from {
                            return Some(Ok(*group));
                        }
                    }
                    Ok(Step::Seal(_, next)) => offset = next,
                    Ok(Step::None(frame)) => {
                        let record = frame.map(|f| f.first);
                        let broken = segment.damaged(offset, record, "a group that was whole cannot be read any more");
                        at = segments.len();
                        return Some(Err(broken));
                    }
                    Err(error) => {
                        at = segments.len();
                        return Some(Err(error));
                    }
                }
            }
        }))
    }

    fn groups_of(&self, keys: &[Key], mut way: Way) -> Rows<'_, Group> {
        let hashes = index::hashes(keys);
        let (segments, newest) = match self.indexes.newest(self.shelf(), || self.segments(), &hashes) {
            Ok(found) => found,
            Err(error) => return Box::new(std::iter::once(Err(error))),
        };
        let count = segments.len();
        let last_record = |at: usize| segments.get(at + 1).map_or(u64::MAX, |next| next.head.before.records);
        let mut left: VecDeque<usize> = match way {
            Way::After(after) => (0..count).filter(|at| last_record(*at) > after).collect(),
            Way::Before(before) => (0..count).filter(|at| segments[*at].head.before.records + 1 < before).rev().collect(),
        };
        let mut newest = Some(newest);
        let (mut at, mut offsets, mut scanned) = (0, VecDeque::new(), false);
        Box::new(std::iter::from_fn(move || {
            loop {
                let Some(offset) = offsets.pop_front() else {
                    at = left.pop_front()?;
                    scanned = false;
                    let segment = &segments[at];
                    let found = match newest.take_if(|_| at + 1 == count) {
                        Some(newest) => Ok(newest),
                        None => self.indexes.sealed(self.shelf(), segment, &hashes),
                    };
                    match found {
                        Ok(found) => offsets = index::on_the_way(segment, found, way),
                        Err(error) => {
                            left.clear();
                            return Some(Err(error));
                        }
                    }
                    continue;
                };
                if let Some(group) = index::group_at(&segments[at], offset, &hashes) {
                    way = way.past(&group);
                    return Some(Ok(group));
                }
                // Either the journal is damaged there, or the index is of another file of the same length and hash.
                let found = match scanned {
                    false => index::scan(&segments[at], &hashes),
                    true => Err(segments[at].damaged(offset, None, "a group that was whole cannot be read any more")),
                };
                match found {
                    Ok(found) => (offsets, scanned) = (index::on_the_way(&segments[at], found, way), true),
                    Err(error) => {
                        (offsets, left) = (VecDeque::new(), VecDeque::new());
                        return Some(Err(error));
                    }
                }
            }
        }))
    }

    fn document(&self, place: &Place) -> Result<Vec<u8>, StoreError> {
        let file = lock(&self.segments).iter().find(|s| s.head.number == place.segment).map(|s| s.file.clone());
        let path = segment::path(place.segment);
        let file = file.ok_or_else(|| damage(&path, 0, None, "a document should be in it, and it is not there".into(), Remedy::Restore))?;
        let bytes = file.bytes_at(place.offset, place.length as usize).map_err(broken("read a document"))?;
        if bytes.len() < place.length as usize {
            return Err(damage(&path, place.offset, None, "the file ends within a document".into(), Remedy::Restore));
        }
        Ok(bytes)
    }
}

fn take_lock(disk: &dyn Disk) -> Result<Box<dyn Any + Send + Sync>, StoreError> {
    disk.lock(LOCK).map_err(|e| match e.kind() {
        std::io::ErrorKind::WouldBlock => StoreError::Locked { path: "this folder".into() },
        std::io::ErrorKind::NotFound => StoreError::Absent { path: "the folder".into() },
        _ => broken("lock the journal")(e),
    })
}

/// Writes a segment with nothing in it under another name, makes it durable, and gives it its name.
fn begin(disk: &dyn Disk, head: &SegmentHead, chunk_bytes: u64) -> Result<Segment, StoreError> {
    let path = segment::path(head.number);
    let new = format!("{path}.new");
    let made = (|| {
        let file = disk.write(&new)?;
        file.set_len(0)?;
        file.write_at(&head.to_bytes(), 0)?;
        Ok(file)
    })();
    let file = made.map_err(broken("begin a segment"))?;
    let length = chunk_bytes.max(START + SEAL_BYTES + ROOM_BYTES);
    make_zeros(&*file, START, length)?;
    disk.rename(&new, &path).and_then(|()| disk.sync_folder(segment::FOLDER)).map_err(broken("begin a segment"))?;
    let file = disk.read(&path).map_err(broken("open a segment"))?;
    Ok(Segment { head: head.clone(), file, length, path })
}

/// Writes zeros and syncs them, so that later syncs have no length to tell.
fn make_zeros(file: &dyn DiskFile, from: u64, to: u64) -> Result<(), StoreError> {
    const STEP: u64 = 1 << 20;
    let zeros = vec![0; STEP.min(to - from) as usize];
    let mut at = from;
    while at < to {
        let step = STEP.min(to - at);
        file.write_at(&zeros[..step as usize], at).map_err(broken("make room for the journal"))?;
        at += step;
    }
    file.sync().map_err(broken("make room for the journal"))
}

/// What is cut off a journal is kept beside it, for whoever wants to look.
fn keep_cut(disk: &dyn Disk, last: &Segment, offset: u64, bytes: u64) -> Result<(), StoreError> {
    let cut = last.file.bytes_at(offset, bytes as usize).map_err(broken("read the torn tail"))?;
    let path = format!("{}/{:08}-{offset}.cut", segment::FOLDER, last.head.number);
    let kept = disk.write(&path).and_then(|file| file.set_len(0).and_then(|()| file.write_at(&cut, 0)).and_then(|()| file.sync()));
    kept.map_err(broken("keep the torn tail"))
}

/// Where writing may go on.
enum Tail {
    Open {
        offset: u64,
        /// So many bytes behind it are to be made zeros.
        cut: u64,
    },
    Sealed {
        offset: u64,
    },
}

/// What is in the folder, read and not changed.
struct Found {
    site: SmolStr,
    segments: Vec<Segment>,
    anchor: anchor::Reading,
    head: Head,
    end: End,
    index: BTreeMap<u64, (u32, u64)>,
}

impl Found {
    fn read(disk: &Arc<dyn Disk>) -> Result<Self, StoreError> {
        let anchor = anchor::read(&**disk)?;
        let names = disk.list(segment::FOLDER).map_err(broken("list the segments"))?;
        let numbers: Vec<u32> = names.iter().filter_map(|n| n.strip_suffix(".seg")?.parse().ok()).collect();
        let Some(newest) = numbers.iter().copied().max().max(anchor.mark().map(|m| m.segment)) else {
            return Err(StoreError::Absent { path: "the folder".into() });
        };
        let mut segments = Vec::with_capacity(newest as usize);
        for number in 1..=newest {
            segments.push(Segment::open(&**disk, number)?);
        }
        let site = segments.first().map(|s| s.head.site.clone()).unwrap_or_default();
        for pair in segments.windows(2) {
            let (before, after) = (&pair[0], &pair[1]);
            if after.head.length_before != before.length {
                let why = format!("it has {} bytes, and had {} when it was sealed", before.length, after.head.length_before);
                return Err(before.damaged(before.length.min(after.head.length_before), None, why));
            }
            if before.seal()? != Some(after.head.before) {
                return Err(before.damaged(before.length.saturating_sub(SEAL_BYTES), None, "its seal is not what the next segment says"));
            }
            if after.head.site != site {
                return Err(after.damaged(0, None, format!("it belongs to site {}, the ones before it to {site}", after.head.site)));
            }
        }
        if let Some(first) = segments.first().filter(|s| s.head.before != Head::of_site(&site)) {
            return Err(first.damaged(0, None, "the first segment does not begin with the site"));
        }
        let last = segments.last().ok_or_else(|| StoreError::Absent { path: "the folder".into() })?;
        let mut index = BTreeMap::new();
        let mark = anchor.mark().filter(|mark| mark.segment == last.head.number);
        let (mut ends, mut agrees) = (START, mark.is_none_or(|mark| mark.offset == START && mark.head == last.head.before));
        let (head, end) = last.walk(START, last.head.before, &mut |offset, group| {
            note(&mut index, group.first, last.head.number, offset);
            ends = offset + group.frame_bytes;
            agrees |= mark.is_some_and(|mark| mark.offset == ends && mark.head == group.head());
            Ok(())
        })?;
        if let Some(mark) = mark.filter(|mark| !agrees && mark.offset <= ends) {
            let why = format!("no group ends there, and the anchor says that record {} does", mark.head.records);
            return Err(last.damaged(mark.offset, Some(mark.head.records), why));
        }
        Ok(Found { site, anchor, head, end, index, segments })
    }

    fn last(&self) -> Result<&Segment, StoreError> {
        self.segments.last().ok_or_else(|| StoreError::Absent { path: "the folder".into() })
    }

    /// The end of a journal that another process is writing just now.
    fn as_running(&mut self) -> Result<Tail, StoreError> {
        self.anchored()?;
        Ok(match self.end {
            End::Sealed { offset } => Tail::Sealed { offset },
            End::Clean { offset } | End::Torn { offset, .. } | End::Suspect { offset, .. } => Tail::Open { offset, cut: 0 },
        })
    }

    /// Nothing that the anchor knows of may be missing.
    fn anchored(&self) -> Result<(), StoreError> {
        let (last, Some(mark)) = (self.last()?, self.anchor.mark()) else { return Ok(()) };
        if mark.head.records > self.head.records {
            let (offset, why) =
                (self.offset(), format!("records up to {} were durable, and it ends with record {}", mark.head.records, self.head.records));
            return Err(last.damaged(offset, Some(self.head.records + 1), why));
        }
        if mark.head.records == self.head.records && mark.head.hash != self.head.hash {
            return Err(last.damaged(self.offset(), Some(self.head.records), "its chain comes to another hash than the anchor's"));
        }
        Ok(())
    }

    fn offset(&self) -> u64 {
        match self.end {
            End::Clean { offset } | End::Sealed { offset } | End::Torn { offset, .. } | End::Suspect { offset, .. } => offset,
        }
    }

    /// Whether, and from where on, writing may go on.
    fn judged(&mut self, accept_loss: bool, notes: &mut Notes) -> Result<Tail, StoreError> {
        self.anchored()?;
        let last = self.last()?;
        let records = self.head.records;
        if self.anchor.damaged {
            notes.push("the anchor was damaged; it is made anew from the segments, which are whole".into());
        } else if self.anchor.newest.is_none() && records > 0 {
            notes.push("the anchor was not there; it is made anew from the segments, which are whole".into());
        }
        match self.end {
            End::Sealed { offset } => {
                if last.last_content_behind(offset)? {
                    return Err(last.damaged(offset, Some(records + 1), "something stands behind its seal"));
                }
                Ok(Tail::Sealed { offset })
            }
            End::Clean { offset } => {
                let exact = self.anchor.mark() == Some(Mark { head: self.head, segment: last.head.number, offset });
                if offset == last.length && !exact && !accept_loss {
                    let why = format!(
                        "the file ends with record {records}, though room for more should stand behind it: it was cut off, and whether records went with that cannot be told"
                    );
                    return Err(damage(&last.path, offset, Some(records + 1), why, Remedy::AcceptLoss));
                }
                Ok(Tail::Open { offset, cut: 0 })
            }
            End::Torn { offset, bytes } => {
                notes.push(format!(
                    "{}: {bytes} bytes behind record {records} were not written to their end, and nobody was told that they were: they are cut off",
                    last.path
                ));
                Ok(Tail::Open { offset, cut: bytes })
            }
            End::Suspect { offset, bytes, records: lost, why } => {
                let count = lost.map_or("an unknown number of records".to_owned(), |n| format!("{n} records"));
                let exact = self.anchor.mark().is_some_and(|m| m.head.records == records);
                if !accept_loss {
                    let why = format!("{why}; {count} ({bytes} bytes) behind record {records} may have been acknowledged");
                    return Err(damage(&last.path, offset, Some(records + 1), why, Remedy::AcceptLoss));
                }
                let may = if exact { "" } else { ", which may have been acknowledged" };
                notes.push(format!("{}: {count} ({bytes} bytes) behind record {records} are given up{may}", last.path));
                Ok(Tail::Open { offset, cut: bytes.min(last.length - offset) })
            }
        }
    }
}

//! Copies of a twin: a backup of a running site, a folder made from a backup, a compact copy. Each is made under another
//! name, synced, and renamed when it is whole; a copy that was broken off says so and is not opened.

use crate::error::broken;
use crate::event::Event;
use crate::home::{Glance, UNFINISHED};
use crate::journal::anchor::{self, Anchor, Mark, Reading};
use crate::journal::disk::{Below, Disk, OsDisk};
use crate::journal::folder::{Folder, Opening, Sizes};
use crate::journal::segment::{self, Segment};
use crate::journal::{Draft, Head, Journal};
use crate::keys::{self, Keys};
use crate::replay::Progress;
use crate::{Hash, ParcelId, StoreError, Twin, TwinError, parcel};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

/// Zeros behind the copy of a segment that is still written to: so that nobody takes it for one that was cut off.
const ROOM_BYTES: u64 = 8192;
/// Groups are joined up to this size when a twin is compacted. A history is read by groups, so a parcel's thirty must not
/// be thirty megabytes; each costs one sync here.
const JOINED_BYTES: usize = 128 << 10;
const COPY_STEP: usize = 1 << 20;

/// A folder by its place: the disk that it lies on, and its name there.
#[derive(Clone)]
pub struct At {
    pub disk: Arc<dyn Disk>,
    pub name: String,
    /// As people write it.
    pub shown: String,
}

impl At {
    pub fn path(path: &Path) -> Result<At, StoreError> {
        let shown = path.display().to_string();
        let name = path.file_name().and_then(|n| n.to_str()).ok_or_else(|| cannot(&shown, "it has no name"))?;
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(At { disk: Arc::new(OsDisk::at(parent)), name: name.into(), shown })
    }

    fn inside(&self) -> Arc<dyn Disk> {
        Arc::new(Below { disk: self.disk.clone(), folder: self.name.clone() })
    }

    fn exists(&self) -> Result<bool, StoreError> {
        self.disk.exists(&self.name).map_err(broken("look at the folder"))
    }

    fn glance(&self) -> Result<Glance, TwinError> {
        Glance::on(self.inside(), &self.shown)
    }

    /// The folder in which a copy is made that will have this name.
    fn begin(&self) -> Result<At, StoreError> {
        let partial = At { disk: self.disk.clone(), name: format!("{}.partial", self.name), shown: format!("{}.partial", self.shown) };
        if partial.exists()? {
            self.disk
                .remove(&partial.name)
                .and_then(|()| self.disk.sync_folder(""))
                .map_err(broken("remove a copy that was broken off"))?;
        }
        let inside = partial.inside();
        inside.make_folder("").and_then(|()| inside.write(UNFINISHED)).and_then(|f| f.sync()).map_err(broken("begin a copy"))?;
        inside.sync_folder("").map_err(broken("begin a copy"))?;
        Ok(partial)
    }

    /// Gives a whole copy its name.
    fn finish(&self, partial: &At) -> Result<(), StoreError> {
        let inside = partial.inside();
        inside.remove(UNFINISHED).and_then(|()| inside.sync_folder("")).map_err(broken("finish a copy"))?;
        self.disk.rename(&partial.name, &self.name).and_then(|()| self.disk.sync_folder("")).map_err(broken("finish a copy"))
    }
}

fn cannot(path: &str, why: impl Into<String>) -> StoreError {
    StoreError::Open { path: path.into(), why: why.into() }
}

/// What a backup holds.
#[derive(Clone, Copy, Debug)]
pub struct Copied {
    pub head: Head,
    /// Segments that were copied now; the others were there.
    pub segments: usize,
}

/// Copies the journal of `data` into `to`, also while a site is running on it: sealed segments that are not there yet,
/// then the last one as far as it is durable. Again into the same folder brings that up to date; it is a whole backup at
/// every moment between.
pub fn backup(data: &At, to: &At, progress: &mut Progress) -> Result<Copied, TwinError> {
    let source = data.glance()?;
    if to.exists()? {
        let target = to.inside();
        if target.exists(UNFINISHED).map_err(broken("look at the folder"))? {
            return Err(cannot(&to.shown, "it is a copy that was broken off; remove it, or name another folder").into());
        }
        check_same(&source.folder, &*target, &to.shown)?;
        return Ok(copy_journal(&source.folder, &*target, progress)?);
    }
    let partial = to.begin()?;
    let copied = copy_journal(&source.folder, &*partial.inside(), progress)?;
    to.finish(&partial)?;
    Ok(copied)
}

/// Copies the keys beside it, into a folder of their own: without them nobody can read who the buyers are. What was erased
/// is erased in the copy, also where the copy is older.
pub fn backup_keys(data: &At, to: &At) -> Result<(), TwinError> {
    let (from, to) = (data.inside(), to.inside());
    to.make_folder("").and_then(|()| to.make_folder(keys::FOLDER)).map_err(broken("make the keys' folder"))?;
    let mut erased = keys::read_erased(&*to)?;
    erased.extend(keys::read_erased(&*from)?);
    // Erasures first: a copy of keys never stands there without them.
    keys::write_erased(&*to, &erased)?;
    let new = format!("{}.new", keys::KEYS);
    copy_file(&*from, keys::KEYS, &*to, &new)?;
    keys::overwrite_erased(&*to.write(&new).map_err(broken("copy the keys"))?, &erased)?;
    to.rename(&new, keys::KEYS).and_then(|()| to.sync_folder(keys::FOLDER)).map_err(broken("copy the keys"))?;
    Ok(())
}

/// Makes a data folder from a backup and, where it is given, the backup of its keys. Checks every byte on the way. The
/// live twin is made anew when the site starts.
pub fn restore(from: &At, keys_from: Option<&At>, to: &At, progress: &mut Progress) -> Result<Head, TwinError> {
    if to.exists()? {
        return Err(cannot(&to.shown, "it exists; name a folder that does not").into());
    }
    let source = from.glance()?;
    let partial = to.begin()?;
    copy_journal(&source.folder, &*partial.inside(), &mut |_, _| ())?;
    if let Some(keys_from) = keys_from {
        backup_keys(keys_from, &partial)?;
    }
    let head = Glance::unfinished(partial.inside(), &partial.shown)?.verify(progress)?;
    to.finish(&partial)?;
    Ok(head)
}

/// Copies a twin that no site is running on into a fresh folder: small groups joined, documents left out that nobody can
/// read any more. The chain is the same; the live twin is made anew when the copy is opened.
pub fn compact(data: &At, into: &At, sizes: Sizes, progress: &mut Progress) -> Result<Head, TwinError> {
    if into.exists()? {
        return Err(cannot(&into.shown, "it exists; name a folder that does not").into());
    }
    let source = data.glance()?;
    if source.is_running()? {
        return Err(StoreError::Locked { path: data.shown.clone() }.into());
    }
    let folder = &source.folder;
    let erased = erased_documents(folder, &source.keys()?)?;
    let partial = into.begin()?;
    let target = Folder::create(partial.inside(), folder.site(), Opening { sizes, ..Opening::default() })?;
    let head = join_groups(&**folder, &target, &erased, progress)?;
    if data.inside().exists(keys::KEYS).map_err(broken("look for the keys"))? {
        backup_keys(data, &partial)?;
    }
    drop(target);
    into.finish(&partial)?;
    Ok(head)
}

/// Writes a twin that lives in memory into a folder, as a live site keeps it.
pub fn save(twin: &Twin, to: &At) -> Result<Head, TwinError> {
    let journal = &**twin.journal();
    if to.exists()? {
        return Err(cannot(&to.shown, "it exists; name a folder that does not").into());
    }
    let partial = to.begin()?;
    let target = Folder::create(partial.inside(), journal.site(), Opening::default())?;
    let head = join_groups(journal, &target, &HashSet::new(), &mut |_, _| ())?;
    drop(target);
    twin.keys().write(partial.inside(), journal.site())?;
    to.finish(&partial)?;
    Ok(head)
}

/// Copies all groups, small ones joined, without the documents that are left out. The chain must come to the same.
fn join_groups(from: &dyn Journal, target: &Folder, left_out: &HashSet<Hash>, progress: &mut Progress) -> Result<Head, TwinError> {
    let mut draft = Draft::after(target.head());
    let total = from.head().records;
    for group in from.groups(0) {
        let group = group?;
        group.copy_into(&mut draft)?;
        for (hash, place) in group.documents.iter().filter(|(hash, _)| !left_out.contains(hash)) {
            draft.documents.push((*hash, from.document(place)?));
        }
        if draft.size() >= JOINED_BYTES {
            target.append(&mut draft)?;
            progress(target.head().records, total);
        }
    }
    if draft.count > 0 {
        target.append(&mut draft)?;
    }
    target.sync_anchor()?;
    match target.head() {
        head if head == from.head() => Ok(head),
        head => Err(TwinError::Damaged { seq: head.records, why: "the copy's chain comes to another hash".into() }),
    }
}

/// Documents whose keys are destroyed.
fn erased_documents(folder: &Folder, keys: &Keys) -> Result<HashSet<Hash>, TwinError> {
    let erased = keys.erasures();
    let mut gone = HashSet::new();
    let mut parcels: HashMap<ParcelId, u64> = HashMap::new();
    for record in crate::records(folder, 0) {
        let record = record?;
        match record.event {
            Event::Order(event) => {
                gone.extend(event.buyer().filter(|buyer| erased.contains_key(&buyer.key)).map(|buyer| buyer.document));
            }
            Event::Parcel(parcel::Event::Created { plan, .. }) => {
                if let Some(buyer) = plan.buyer.filter(|b| erased.contains_key(&b.key)) {
                    parcels.insert(record.key.id.into(), buyer.key);
                }
            }
            Event::Parcel(parcel::Event::LabelBought { label, .. }) if parcels.contains_key(&ParcelId::from(record.key.id.clone())) => {
                gone.insert(label);
            }
            _ => {}
        }
    }
    Ok(gone)
}

/// Whether what is in `target` is an earlier part of this journal.
fn check_same(source: &Folder, target: &dyn Disk, to: &str) -> Result<(), StoreError> {
    let Some(mark) = anchor::read(target)?.mark() else { return Err(cannot(to, "it is no backup: it has no anchor")) };
    let mine = source.segments();
    let same = |theirs: &Segment| mine.iter().any(|m| m.head == theirs.head);
    let last = Segment::open(target, mark.segment)?;
    if !same(&last) || mark.head.records > source.head().records {
        return Err(cannot(to, "it holds the backup of another journal, or of one that goes further"));
    }
    let Some(ours) = mine.iter().find(|m| m.head.number == mark.segment) else { return Ok(()) };
    let mut at = 0;
    while at < mark.offset {
        let step = COPY_STEP.min((mark.offset - at) as usize);
        let read = |segment: &Segment| segment.file.bytes_at(at, step).map_err(broken("compare with the backup"));
        if read(ours)? != read(&last)? {
            return Err(cannot(to, format!("it holds the backup of another journal: {} differs", last.path)));
        }
        at += step as u64;
    }
    Ok(())
}

fn copy_journal(source: &Folder, target: &dyn Disk, progress: &mut Progress) -> Result<Copied, StoreError> {
    target.make_folder(segment::FOLDER).map_err(broken("make the journal's folder"))?;
    let segments = source.segments();
    let (mut copied, count) = (0, segments.len());
    let mut end = Mark { head: Head::of_site(source.site()), segment: 0, offset: 0 };
    for (n, ours) in segments.iter().enumerate() {
        let is_last = n + 1 == count;
        let there = Segment::open(target, ours.head.number).ok().filter(|theirs| theirs.head == ours.head && theirs.length == ours.length);
        let sealed = ours.seal()?;
        if there.is_none() || sealed.is_none() || there.map(|t| t.seal()).transpose()?.flatten() != sealed {
            let new = format!("{}.new", ours.path);
            let file = target.write(&new).and_then(|f| f.set_len(0).map(|()| f)).map_err(broken("copy a segment"))?;
            let mut at = 0;
            while at < ours.length {
                let step = COPY_STEP.min((ours.length - at) as usize);
                let bytes = ours.file.bytes_at(at, step).map_err(broken("read a segment"))?;
                file.write_at(&bytes, at).map_err(broken("copy a segment"))?;
                at += bytes.len() as u64;
                if bytes.len() < step {
                    return Err(ours.damaged(at, None, "the file became shorter while it was copied"));
                }
            }
            if sealed.is_none() {
                file.set_len(ours.length + ROOM_BYTES).map_err(broken("copy a segment"))?;
            }
            file.sync().map_err(broken("copy a segment"))?;
            target.rename(&new, &ours.path).and_then(|()| target.sync_folder(segment::FOLDER)).map_err(broken("copy a segment"))?;
            copied += 1;
        }
        if is_last {
            end = Mark { head: source.head(), segment: ours.head.number, offset: ours.length };
        }
        progress(n as u64 + 1, count as u64);
    }
    let reading = anchor::read(target)?;
    let mut anchor = Anchor::open(target, Reading { newest: reading.newest, damaged: false })?;
    anchor.write(end)?;
    anchor.write(end)?;
    anchor.file().sync().map_err(broken("sync the anchor"))?;
    target.sync_folder(segment::FOLDER).map_err(broken("sync the copy"))?;
    Ok(Copied { head: end.head, segments: copied })
}

fn copy_file(from: &dyn Disk, name: &str, to: &dyn Disk, new_name: &str) -> Result<(), StoreError> {
    let source = from.read(name).map_err(broken("read the keys"))?;
    let bytes = source.len().and_then(|length| source.bytes_at(0, length as usize)).map_err(broken("read the keys"))?;
    let file = to.write(new_name).and_then(|f| f.set_len(0).map(|()| f)).map_err(broken("copy the keys"))?;
    file.write_at(&bytes, 0).and_then(|()| file.sync()).map_err(broken("copy the keys"))
}

//! A twin's data folder: `journal/` (the truth), `keys/` (who buyers are), `live/` (sled, made from the journal).
//!
//! Opening it puts right by itself what can be put right without losing anything, says so, and refuses the rest in words.
//! Looking at it opens the journal alone, takes no lock and changes nothing.

use crate::entity::{Key, Kind};
use crate::error::broken;
use crate::event::State;
use crate::journal::anchor;
use crate::journal::disk::{Disk, OsDisk};
use crate::journal::folder::{Folder, Notes, Opening};
use crate::journal::segment::{End, START};
use crate::journal::{Head, Journal, Way};
use crate::keys::{Entropy, Keys};
use crate::replay::Progress;
use crate::sled_shelf::SledShelf;
use crate::twin::{buyer_of, state_json, tell_buyer, tell_candidates};
use crate::{OrderId, Record, Shelf, StoreError, Twin, TwinError, Unsealed, history, records};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

const LIVE: &str = "live";
/// Where the live twin is made anew, before it takes the old one's place.
const LIVE_NEW: &str = "live.new";

/// Stands in a folder while a copy is made in it.
pub const UNFINISHED: &str = "unfinished copy";

fn refuse_unfinished(disk: &dyn Disk, name: &str) -> Result<(), StoreError> {
    match disk.exists(UNFINISHED).map_err(broken("look at the folder"))? {
        true => Err(StoreError::Open { path: name.into(), why: "it is a copy that was broken off; make it again".into() }),
        false => Ok(()),
    }
}

/// A twin that was opened for work.
pub struct Home {
    pub twin: Arc<Twin>,
    folder: Arc<Folder>,
    shelf: Arc<SledShelf>,
}

/// How to open one.
pub struct HomeOpening<'a> {
    pub journal: Opening,
    pub entropy: Entropy,
    /// What a site is called that has no journal yet.
    pub new_site: Option<String>,
    /// Told while the live twin is made anew.
    pub progress: &'a mut Progress<'a>,
}

impl Home {
    /// Opens the twin in `dir`, or begins one there where `new_site` says how to call it.
    pub fn open(dir: &Path, opening: HomeOpening) -> Result<(Home, Notes), TwinError> {
        let HomeOpening { journal, entropy, new_site, progress } = opening;
        let disk: Arc<dyn Disk> = Arc::new(OsDisk::at(dir));
        refuse_unfinished(&*disk, &dir.display().to_string())?;
        let mut notes = Notes::new();
        let exists = Folder::exists(&*disk)?;
        if !exists && (dir.join(LIVE).exists() || dir.join("keys").join("erased").exists()) {
            let why = "the journal is not there, though other parts of a twin are: bring the folder journal back from a backup";
            return Err(StoreError::Open { path: dir.display().to_string(), why: why.into() }.into());
        }
        if !exists && dir.join("db").exists() {
            let why = "it holds a store of a version before 0.2, which this program does not read";
            return Err(StoreError::Open { path: dir.display().to_string(), why: why.into() }.into());
        }
        let folder = if exists {
            let (folder, said) = Folder::open(disk.clone(), journal).map_err(|e| here(e, dir))?;
            notes.extend(said);
            folder
        } else {
            let site = new_site.ok_or_else(|| StoreError::Absent { path: dir.display().to_string() })?;
            Folder::create(disk.clone(), &site, journal).map_err(|e| here(e, dir))?
        };
        notes.extend(close_to_others(dir)?);
        let folder = Arc::new(folder);
        let keys = Arc::new(Keys::open(disk, folder.site(), entropy)?);
        if journal.accept_loss
            && let Some(newest) = newest_key(&*folder)?
        {
            notes.extend(keys.must_reach(newest, true)?);
        }
        let (twin, shelf) = live(dir, &folder, &keys, progress, &mut notes)?;
        Ok((Home { twin: Arc::new(twin), folder, shelf }, notes))
    }

    pub fn folder(&self) -> &Arc<Folder> {
        &self.folder
    }

    /// Reads all of the live twin where the start did not, beside whatever is written meanwhile. Where it does not agree with the
    /// journal, it is made anew at the next start, and nothing more should be built on it.
    pub fn recount(&self) -> Result<(), TwinError> {
        let read = self.twin.recount().and_then(|()| Ok(self.shelf.read_names().map(drop)?));
        match &read {
            Err(error) if is_of_the_shelf(error) => self.shelf.disown()?,
            _ => {}
        }
        read
    }

    /// What must be done once in a while: makes the anchor durable.
    pub fn keep(&self) -> Result<(), StoreError> {
        self.folder.sync_anchor()
    }

    /// Writes the live twin and syncs the anchor, for a good end. Skipping it loses nothing.
    pub fn settle(&self) -> Result<(), TwinError> {
        self.folder.sync_anchor()?;
        Ok(self.shelf.flush()?)
    }
}

/// Says in which folder it was.
fn here(error: StoreError, dir: &Path) -> StoreError {
    let path = dir.display().to_string();
    match error {
        StoreError::Locked { .. } => StoreError::Locked { path },
        StoreError::Absent { .. } => StoreError::Absent { path },
        other => other,
    }
}

/// Nobody else may read the folder.
fn close_to_others(dir: &Path) -> Result<Option<String>, StoreError> {
    let mode = std::fs::metadata(dir).map_err(broken("look at the data folder"))?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(None);
    }
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700)).map_err(broken("close the data folder to others"))?;
    Ok(Some(format!("{} could be read by others (mode {mode:o}); it is closed to them now", dir.display())))
}

/// The live twin as it stands, or made anew where it does not open or does not agree.
fn live(
    dir: &Path,
    folder: &Arc<Folder>,
    keys: &Arc<Keys>,
    progress: &mut Progress,
    notes: &mut Notes,
) -> Result<(Twin, Arc<SledShelf>), TwinError> {
    let path = dir.join(LIVE);
    let mut why = None;
    if path.exists() {
        match try_live(&path, folder, keys, progress) {
            Ok(found) => return Ok(found),
            Err(error) if is_of_the_shelf(&error) => why = Some(error.to_string()),
            Err(error) => return Err(error),
        }
    } else if folder.head().records > 0 {
        why = Some("it was not there".into());
    }
    if let Some(why) = why {
        notes.push(format!("the live twin is made anew from {} records: {why}", folder.head().records));
    }
    make_live(dir, folder, progress)?;
    let (twin, shelf) = try_live(&path, folder, keys, progress)?;
    // The folder may come from a backup, with keys of before an erasure: that is done again before anybody looks.
    twin.recount()?;
    Ok((twin, shelf))
}

/// Whether the journal could put it right.
fn is_of_the_shelf(error: &TwinError) -> bool {
    match error {
        TwinError::Disagrees { .. } | TwinError::BadState { .. } => true,
        // A record that does not fit the state: the state may be to blame. Made anew, the journal has the last word.
        TwinError::Damaged { .. } => true,
        TwinError::Store(StoreError::Broken { what, .. }) => {
            what.contains("live twin") || what.contains("the mark") || what.contains("whose it is")
        }
        _ => false,
    }
}

fn try_live(path: &Path, folder: &Arc<Folder>, keys: &Arc<Keys>, progress: &mut Progress) -> Result<(Twin, Arc<SledShelf>), TwinError> {
    let shelf = Arc::new(SledShelf::open(path)?);
    if !shelf.is_of(folder.site())? {
        return Err(TwinError::Disagrees { why: "it was made by another version, or from another journal".into() });
    }
    if shelf.census()?.is_some() {
        return Ok((Twin::open(folder.clone(), shelf.clone(), keys.clone(), progress)?, shelf));
    }
    // The machine has stopped since, or this is a copy: all is read before anything is built on it.
    let (names, groups, twin) = std::thread::scope(|scope| {
        let names = scope.spawn(|| shelf.read_names().map(drop));
        let groups = scope.spawn(|| read_groups(folder));
        let twin = Twin::open(folder.clone(), shelf.clone(), keys.clone(), progress);
        (names.join(), groups.join(), twin)
    });
    // A panic of sled's is an error by now, so that of a thread could only be ours.
    let broke_off = |what| Err(StoreError::Broken { what, why: "it broke off".into() });
    groups.unwrap_or_else(|_| broke_off("read the journal"))?;
    names.unwrap_or_else(|_| broke_off("read the live twin"))?;
    Ok((twin?, shelf))
}

/// Whether every group of the journal is there and is what was written.
fn read_groups(folder: &Folder) -> Result<(), StoreError> {
    folder.groups(0).try_for_each(|group| group.map(drop))
}

/// Makes the live twin from the journal under another name, and gives it its name when it is whole.
pub fn make_live(dir: &Path, folder: &Folder, progress: &mut Progress) -> Result<Head, TwinError> {
    let (new, path) = (dir.join(LIVE_NEW), dir.join(LIVE));
    remove(&new)?;
    let shelf = SledShelf::open(&new)?;
    shelf.sign(folder.site())?;
    let head = crate::replay::Replay::of(folder, &shelf).run(0, progress)?;
    shelf.flush()?;
    drop(shelf);
    remove(&path)?;
    std::fs::rename(&new, &path).map_err(broken("put the live twin in its place"))?;
    Ok(head)
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(broken("remove the old live twin")(e)),
        _ => Ok(()),
    }
}

fn newest_key(journal: &dyn Journal) -> Result<Option<u64>, TwinError> {
    let mut newest = None;
    for record in records(journal, 0) {
        if let crate::Event::Order(event) = record?.event
            && let Some(buyer) = event.buyer()
        {
            newest = newest.max(Some(buyer.key));
        }
    }
    Ok(newest)
}

/// A journal and its keys, opened to look only.
pub struct Glance {
    pub folder: Arc<Folder>,
    /// What is not as it should be, though nothing is lost.
    pub notes: Notes,
    disk: Arc<dyn Disk>,
}

impl Glance {
    pub fn at(dir: &Path) -> Result<Self, TwinError> {
        Self::on(Arc::new(OsDisk::at(dir)), &dir.display().to_string())
    }

    /// `name` is how people call what `disk` is.
    pub fn on(disk: Arc<dyn Disk>, name: &str) -> Result<Self, TwinError> {
        refuse_unfinished(&*disk, name)?;
        Self::unfinished(disk, name)
    }

    pub(crate) fn unfinished(disk: Arc<dyn Disk>, name: &str) -> Result<Self, TwinError> {
        if !Folder::exists(&*disk)? {
            return Err(StoreError::Absent { path: name.into() }.into());
        }
        let (folder, notes) = Folder::look(disk.clone()).map_err(|e| here(e, Path::new(name)))?;
        Ok(Glance { folder: Arc::new(folder), notes, disk })
    }

    /// Whether a process holds the folder.
    pub fn is_running(&self) -> Result<bool, StoreError> {
        Folder::is_held(&*self.disk)
    }

    fn has_keys(&self) -> Result<bool, StoreError> {
        self.disk.exists(crate::keys::KEYS).map_err(broken("look for the keys"))
    }

    pub(crate) fn keys(&self) -> Result<Keys, StoreError> {
        Keys::look(self.disk.clone(), self.folder.site())
    }

    /// One entity as the journal makes it, and when that was.
    pub fn show(&self, key: &Key) -> Result<Option<serde_json::Value>, TwinError> {
        let mut state = State::new(key.kind);
        let mut version = 0;
        for record in history(&*self.folder, std::slice::from_ref(key), Way::OLDEST_FIRST) {
            let record = record?;
            state.apply(record.decided_at(), &record.event);
            version = record.version;
        }
        if version == 0 {
            return Ok(None);
        }
        let mut json = state_json(key, version, &state)?;
        if let Some(buyer) = buyer_of(&state) {
            // A backup of the journal has no keys beside it: what is sealed stays sealed.
            if self.has_keys()? {
                let order = match &state {
                    State::Parcel(parcel) => Key::new(Kind::Order, parcel.plan.order.text().clone()),
                    _ => key.clone(),
                };
                tell_buyer(&mut json, self.personal(&self.keys()?, buyer, &order)?)?;
            }
        }
        if let State::Order(order) = &state {
            for (n, part) in order.parts.iter().enumerate() {
                let Some(all) = &part.decision.all else { continue };
                let Some(bytes) = self.document(all, key)? else { continue };
                let lost = |why: String| StoreError::Broken { what: "read all candidates of a decision", why };
                tell_candidates(&mut json["parts"][n], &crate::allocation::from_bytes(&bytes).map_err(lost)?);
            }
        }
        Ok(Some(json))
    }

    /// The orders that a platform calls so, by their number, whichever platform and shop. Reads the whole journal: whoever has the
    /// query side asks that first.
    pub fn orders_numbered(&self, number: &str) -> Result<Vec<OrderId>, TwinError> {
        let mut orders = BTreeSet::new();
        for record in records(&*self.folder, 0) {
            let Record { key, version: 1, .. } = record? else { continue };
            if key.kind == Kind::Order && OrderId::from(key.id.clone()).number() == number {
                orders.insert(OrderId::from(key.id));
            }
        }
        Ok(orders.into_iter().collect())
    }

    /// A document that stands beside a record of that thing.
    fn document(&self, hash: &crate::Hash, of: &Key) -> Result<Option<Vec<u8>>, TwinError> {
        for group in self.folder.groups_of(std::slice::from_ref(of), Way::OLDEST_FIRST) {
            let group = group?;
            if let Some((_, place)) = group.documents.iter().find(|(known, _)| known == hash) {
                return Ok(Some(self.folder.document(place)?));
            }
        }
        Ok(None)
    }

    /// Who a buyer is stands beside the first record of their order; beside another one only where somebody wrote it anew.
    fn personal(&self, keys: &Keys, buyer: &crate::keys::Sealed, order: &Key) -> Result<Unsealed<crate::personal::Personal>, TwinError> {
        let beside = self.folder.groups_of(std::slice::from_ref(order), Way::OLDEST_FIRST);
        for group in beside.chain(self.folder.groups(0)) {
            let group = group?;
            let Some((_, place)) = group.documents.iter().find(|(hash, _)| *hash == buyer.document) else { continue };
            let lost = |why: String| StoreError::Broken { what: "read who a buyer is", why };
            return Ok(match keys.unseal(buyer.key, &self.folder.document(place)?)? {
                Some(bytes) => Unsealed::Here(crate::personal::Personal::from_bytes(&bytes).map_err(lost)?),
                None => Unsealed::Erased,
            });
        }
        Ok(Unsealed::Erased)
    }

    /// Reads every record and document and checks all there is to check: hashes, numbers, times, seals, versions, keys.
    pub fn verify(&self, progress: &mut Progress) -> Result<Head, TwinError> {
        let site = self.folder.site();
        let mut head = Head::of_site(site);
        let total = self.folder.head().records;
        let mut versions: std::collections::HashMap<Key, u32> = std::collections::HashMap::new();
        let mut newest_key = None;
        let mark = anchor::read(&*self.disk)?.mark();
        let mut anchored = mark.is_none_or(|mark| mark.head == head);
        for segment in self.folder.segments() {
            let mut checked = head;
            anchored |= mark.is_some_and(|mark| mark.segment == segment.head.number && mark.offset == START && mark.head == head);
            let (_, end) = segment.walk(START, segment.head.before, &mut |offset, group| {
                let wrong = |e: TwinError| segment.damaged(offset, Some(group.first), e.to_string());
                for record in group.check(checked).map_err(wrong)? {
                    let version = versions.entry(record.key.clone()).or_default();
                    *version += 1;
                    if *version != record.version {
                        let why = format!("{} should be at version {version} and is at {}", record.key, record.version);
                        return Err(segment.damaged(offset, Some(record.seq), why));
                    }
                    if let crate::Event::Order(event) = &record.event
                        && let Some(buyer) = event.buyer()
                    {
                        newest_key = newest_key.max(Some(buyer.key));
                    }
                }
                for (hash, place) in &group.documents {
                    if crate::Hash::of(&self.folder.document(place)?) != *hash {
                        return Err(segment.damaged(place.offset, Some(group.first), format!("document {hash} is not what was written")));
                    }
                }
                checked = group.head();
                let here = (segment.head.number, offset + group.frame_bytes);
                anchored |= mark.is_some_and(|mark| (mark.segment, mark.offset) == here && mark.head == checked);
                progress(checked.records, total);
                Ok(())
            })?;
            head = checked;
            if let End::Torn { offset, .. } | End::Suspect { offset, .. } = end {
                return Err(segment.damaged(offset, Some(head.records + 1), "a group cannot be read").into());
            }
        }
        // Behind a seal the anchor may still name the place before it.
        if let Some(mark) = mark.filter(|_| !anchored) {
            let why = format!(
                "it says that record {} ends at byte {} of segment {}, and none does",
                mark.head.records, mark.offset, mark.segment
            );
            let damage = crate::Damage {
                file: anchor::PATH.into(),
                offset: 0,
                record: Some(mark.head.records),
                why,
                remedy: crate::Remedy::Restore,
            };
            return Err(StoreError::Damaged(damage).into());
        }
        // A backup of the journal has none beside it.
        if let (true, Some(newest)) = (self.has_keys()?, newest_key) {
            self.keys()?.must_reach(newest, false)?;
        }
        Ok(head)
    }
}

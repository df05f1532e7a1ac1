//! What the index finds of a thing is what a look through all records finds, whatever became of the index: files deleted,
//! cut off, flipped, of another segment, of another journal; after a kill, a copy, a compaction; and it reads little for it.

#[path = "support/disk.rs"]
mod disk;

use disk::{CutDisk, Dice};
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use twin::copies::{self, At};
use twin::home::Glance;
use twin::journal::disk::{Below, Disk};
use twin::journal::folder::{Folder, Opening, Sizes};
use twin::journal::{Draft, Journal};
use twin::replay::silent;
use twin::{Because, By, Key, Kind, Moment, Record, Span, Way, history, records, stock};

const SIZES: Sizes = Sizes { segment_bytes: 6 << 10, chunk_bytes: 2 << 10 };
const THINGS: u64 = 12;

fn data(disk: &CutDisk) -> Arc<dyn Disk> {
    Arc::new(Below { disk: Arc::new(disk.clone()), folder: "data".into() })
}

fn at(disk: &CutDisk, name: &str) -> At {
    At { disk: Arc::new(disk.clone()), name: name.into(), shown: name.into() }
}

fn open(disk: &CutDisk) -> Folder {
    let opening = Opening { sizes: SIZES, accept_loss: false };
    match Folder::exists(&*data(disk)).expect("it lists") {
        true => Folder::open(data(disk), opening).map(|(folder, _)| folder).expect("it opens"),
        false => Folder::create(data(disk), "history", opening).expect("it is made"),
    }
}

fn look(disk: &CutDisk) -> Glance {
    Glance::on(data(disk), "data").expect("it can be looked at")
}

/// Thing 0 is hot; some have the same id in two kinds.
fn thing(n: u64) -> Key {
    Key::new(if n.is_multiple_of(3) { Kind::Stock } else { Kind::Parcel }, format!("T-{}", n / 2))
}

fn things() -> Vec<Key> {
    (0..THINGS + 1).map(thing).collect()
}

#[derive(Default)]
struct Writer {
    versions: HashMap<Key, u32>,
}

impl Writer {
    fn group(&mut self, folder: &Folder, keys: &[Key]) {
        let mut draft = Draft::after(folder.head());
        for key in keys {
            let version = self.versions.entry(key.clone()).or_default();
            *version += 1;
            let seq = draft.head().records + 1;
            let event = match key.kind {
                Kind::Stock => stock::Event::Counted { on_hand: 1, safety: 0 }.into(),
                _ => twin::parcel::Event::Packed.into(),
            };
            draft.push(&Record {
                seq,
                at: Moment(seq as i64),
                decided_before: Span::ZERO,
                by: By::System,
                because: Because::Nothing,
                key: key.clone(),
                version: *version,
                event,
            });
        }
        folder.append(&mut draft).expect("it is written");
    }

    /// Groups of one record up to very many.
    fn write(&mut self, folder: &Folder, dice: &mut Dice, groups: u64) {
        for _ in 0..groups {
            let count = if dice.one_in(20) { 1 + dice.below(300) } else { 1 + dice.below(6) };
            let any = |dice: &mut Dice| thing(if dice.one_in(3) { 0 } else { dice.below(THINGS) });
            let keys: Vec<Key> = (0..count).map(|_| any(dice)).collect();
            self.group(folder, &keys);
        }
    }
}

fn all_kept(folder: &Folder) {
    while folder.keep_indexes().expect("it is kept") {}
}

/// Every history, in both directions and from any place.
fn agrees(journal: &dyn Journal, dice: &mut Dice, when: &str) {
    let all: Vec<Record> = records(journal, 0).map(|r| r.expect("it reads")).collect();
    let end = journal.head().records;
    assert_eq!(all.len() as u64, end, "{when}");
    let read = |keys: &[Key], way| history(journal, keys, way).map(|r| r.expect("it reads")).collect::<Vec<_>>();
    let things = things();
    let two = vec![thing(dice.below(THINGS)), thing(dice.below(THINGS))];
    for keys in things.iter().map(|key| vec![key.clone()]).chain([two]) {
        let mine: Vec<Record> = all.iter().filter(|r| keys.contains(&r.key)).cloned().collect();
        assert_eq!(read(&keys, Way::OLDEST_FIRST), mine, "{when}: {keys:?}");
        let mut back = read(&keys, Way::NEWEST_FIRST);
        back.reverse();
        assert_eq!(back, mine, "{when}: {keys:?} back");
        let place = dice.below(end + 3);
        let after: Vec<Record> = mine.iter().filter(|r| r.seq > place).cloned().collect();
        assert_eq!(read(&keys, Way::After(place)), after, "{when}: {keys:?} after {place}");
        let mut before: Vec<Record> = mine.iter().filter(|r| r.seq < place).cloned().collect();
        before.reverse();
        assert_eq!(read(&keys, Way::Before(place)), before, "{when}: {keys:?} before {place}");
    }
}

fn index_files(disk: &CutDisk) -> BTreeMap<String, Vec<u8>> {
    disk.files().into_iter().filter(|(name, _)| name.starts_with("data/") && name.ends_with(".idx")).collect()
}

/// A journal of several segments, each sealed one with its index.
fn indexed(disk: &CutDisk, dice: &mut Dice) -> Folder {
    let folder = open(disk);
    Writer::default().write(&folder, dice, 150);
    all_kept(&folder);
    let sealed = folder.segments().len() - 1;
    assert!(sealed > 2 && index_files(disk).len() == sealed, "{sealed} sealed segments, {} indexes", index_files(disk).len());
    folder
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_index_finds_what_a_look_through_everything_finds(seed in any::<u64>()) {
        let (mut dice, mut disk, mut writer) = (Dice::of(seed), CutDisk::default(), Writer::default());
        let mut folder = open(&disk);
        for _ in 0..8 {
            let groups = dice.below(40);
            writer.write(&folder, &mut dice, groups);
            match dice.below(5) {
                0 => drop(folder.keep_indexes().unwrap()),
                1 => all_kept(&folder),
                2 => {
                    disk = disk.after_a_kill();
                    folder = open(&disk);
                }
                3 => {
                    // An index may be lost with the power, or be there in part.
                    disk = disk.after_a_cut(&mut dice);
                    folder = open(&disk);
                }
                _ => {}
            }
            if dice.one_in(2) {
                agrees(&folder, &mut dice, "at work");
            }
            if dice.one_in(3) {
                agrees(&*look(&disk).folder, &mut dice, "looked at");
            }
        }
        agrees(&folder, &mut dice, "in the end");
    }

    #[test]
    fn an_index_in_any_state_is_no_harm(seed in any::<u64>()) {
        let (mut dice, disk) = (Dice::of(seed), CutDisk::default());
        drop(indexed(&disk, &mut dice));
        for _ in 0..6 {
            let disk = disk.after_a_kill();
            // At work as it happens, or not: what was read before it went bad must not be trusted for ever.
            let running = dice.one_in(2).then(|| open(&disk));
            if let Some(folder) = &running {
                agrees(folder, &mut dice, "before");
            }
            let files: Vec<(String, Vec<u8>)> = index_files(&disk).into_iter().collect();
            for (name, bytes) in &files {
                let mut bytes = bytes.clone();
                match dice.below(6) {
                    0 => {
                        disk.remove(name).unwrap();
                        continue;
                    }
                    1 => bytes.truncate(dice.below(bytes.len() as u64) as usize),
                    2 => {
                        let bit = dice.below(bytes.len() as u64 * 8) as usize;
                        bytes[bit / 8] ^= 1 << (bit % 8);
                    }
                    3 => bytes = files[dice.below(files.len() as u64) as usize].1.clone(),
                    4 => bytes.iter_mut().for_each(|b| *b = dice.next() as u8),
                    _ => bytes.extend([0; 9]),
                }
                disk.put(name, bytes);
            }
            let glance = look(&disk);
            prop_assert_eq!(glance.verify(&mut silent()).unwrap().records, glance.folder.head().records);
            prop_assert!(glance.notes.is_empty(), "{:?}", glance.notes);
            agrees(&*glance.folder, &mut dice, "looked at");
            let folder = running.unwrap_or_else(|| open(&disk));
            agrees(&folder, &mut dice, "opened");
            // Asked for, or seen to: either way they are there again.
            all_kept(&folder);
            agrees(&folder, &mut dice, "again");
        }
    }
}

#[test]
fn indexes_are_made_again_by_upkeep_alone() {
    let (mut dice, disk) = (Dice::of(1), CutDisk::default());
    drop(indexed(&disk, &mut dice));
    let before = index_files(&disk);
    for (n, (name, bytes)) in before.iter().enumerate() {
        if n % 2 == 0 { disk.remove(name).expect("it goes") } else { disk.put(name, bytes[1..].to_vec()) }
    }
    all_kept(&open(&disk.clone()));
    assert!(index_files(&disk) == before, "the same segments have the same indexes");
}

#[test]
fn looking_changes_nothing() {
    let (mut dice, disk) = (Dice::of(2), CutDisk::default());
    drop(indexed(&disk, &mut dice));
    let names: Vec<String> = index_files(&disk).into_keys().collect();
    disk.remove(&names[0]).expect("it goes");
    let before = disk.files();
    agrees(&*look(&disk).folder, &mut dice, "looked at");
    assert!(disk.files() == before);
}

#[test]
fn copies_have_the_same_histories() {
    let (mut dice, disk) = (Dice::of(3), CutDisk::default());
    let folder = indexed(&disk, &mut dice);
    copies::backup(&at(&disk, "data"), &at(&disk, "backup"), &mut silent()).expect("a backup");
    drop(folder);
    copies::restore(&at(&disk, "backup"), None, &at(&disk, "restored"), &mut silent()).expect("it is restored");
    copies::compact(&at(&disk, "data"), &at(&disk, "compact"), SIZES, &mut silent()).expect("it is compacted");
    for name in ["backup", "restored", "compact"] {
        let inside = Arc::new(Below { disk: Arc::new(disk.clone()), folder: name.into() });
        agrees(&*Glance::on(inside.clone(), name).expect("it can be looked at").folder, &mut dice, name);
        let (folder, _) = Folder::open(inside, Opening { sizes: SIZES, accept_loss: false }).expect("it opens");
        all_kept(&folder);
        agrees(&folder, &mut dice, name);
    }
    // Somebody puts the files of one beside those of the other.
    for name in index_files(&disk).keys() {
        let other = name.replace("data/", "compact/");
        if disk.exists(&other).expect("it lists") {
            let bytes = disk.files()[&other].clone();
            disk.put(name, bytes);
        }
    }
    agrees(&open(&disk), &mut dice, "with the indexes of the compacted copy");
}

#[test]
fn the_index_of_other_groups_with_the_same_records_is_noticed() {
    // The same records in other groups: the segments are as long, and their seals have the same hash.
    let disks = [[1, 2], [2, 1]].map(|groups| {
        let (disk, mut writer) = (CutDisk::default(), Writer::default());
        let folder = open(&disk);
        let mut n = 0;
        while folder.segments().len() < 2 {
            for size in groups {
                let keys: Vec<Key> = (n..n + size).map(|n| thing(2 * (n % 3) + 1)).collect();
                writer.group(&folder, &keys);
                n += size;
            }
        }
        all_kept(&folder);
        disk
    });
    let [one, other] = disks.each_ref().map(index_files);
    let name = "data/journal/00000001.idx";
    assert!(one[name] != other[name] && one[name][..60] == other[name][..60], "this test proves nothing");
    disks[0].put(name, other[name].clone());
    agrees(&open(&disks[0]), &mut Dice::of(4), "with the index of other groups");
    agrees(&*look(&disks[0]).folder, &mut Dice::of(4), "looked at");
}

#[test]
fn two_things_with_the_same_hash_are_kept_apart() {
    let hash = |id: &str| crc32fast::hash(&[&u32::from(Kind::Stock.number()).to_le_bytes(), id.as_bytes()].concat());
    let mut known: HashMap<u32, String> = HashMap::new();
    let mut ids = (0_u64..).map(|n| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let (one, other) = ids.find_map(|id| known.insert(hash(&id), id.clone()).map(|before| (before, id))).expect("there are four billion");
    let [one, other] = [one, other].map(|id| Key::new(Kind::Stock, id));
    let disk = CutDisk::default();
    let (folder, mut writer) = (open(&disk), Writer::default());
    while folder.segments().len() < 3 {
        writer.group(&folder, &[one.clone(), other.clone(), other.clone()]);
        writer.group(&folder, std::slice::from_ref(&one));
    }
    all_kept(&folder);
    for key in [one, other] {
        let found: Vec<Record> = history(&folder, std::slice::from_ref(&key), Way::NEWEST_FIRST).map(|r| r.expect("it reads")).collect();
        assert!(found.iter().all(|r| r.key == key) && found.len() as u32 == writer.versions[&key]);
    }
}

#[test]
fn a_history_is_found_without_reading_the_journal() {
    let disk = CutDisk::default();
    let opening = Opening { sizes: Sizes { segment_bytes: 256 << 10, chunk_bytes: 64 << 10 }, accept_loss: false };
    let (folder, mut writer) = (Folder::create(data(&disk), "history", opening).expect("it is made"), Writer::default());
    let key = |n: u64| Key::new(Kind::Parcel, format!("P-{n}"));
    for n in 0..6_000 {
        // A parcel's events lie a few hundred groups apart, among those of others; one SKU is counted in every group.
        let keys: Vec<Key> = (0..4_u64).filter_map(|back| Some(key(u64::checked_sub(n, back * 300)?))).collect();
        writer.group(&folder, &[&keys[..], &[Key::new(Kind::Stock, "hot")]].concat());
    }
    let whole = |folder: &Folder| folder.segments().iter().map(|s| s.length).sum::<u64>();
    all_kept(&folder);
    let length = whole(&folder);
    assert!(folder.segments().len() > 4, "{} segments", folder.segments().len());
    let read = |keys: &[Key], way, at_most: usize| {
        let before = disk.state().bytes_read;
        let found: Vec<Record> = history(&folder, keys, way).take(at_most).map(|r| r.expect("it reads")).collect();
        (found, disk.state().bytes_read - before)
    };
    drop(read(&[key(1)], Way::OLDEST_FIRST, 9));
    let (found, bytes) = read(&[key(1_000)], Way::NEWEST_FIRST, usize::MAX);
    assert_eq!(found.len(), 4);
    assert!(bytes < length / 20, "{bytes} of {length} bytes were read for four records");
    // A page in the midst of the thing that has the most.
    let (found, bytes) = read(&[Key::new(Kind::Stock, "hot")], Way::Before(12_000), 20);
    assert_eq!(found.len(), 20);
    assert!(found[0].seq < 12_000 && found[0].seq > 11_990, "{}", found[0].seq);
    assert!(bytes < length / 5, "{bytes} of {length} bytes were read for a page of twenty");
}

//! One bit flipped, or one file cut off, anywhere in a twin whose process was killed: it is whole, it is made whole again,
//! or it is refused in words. It is never accepted shorter, nothing panics, and looking changes nothing.
//!
//! A sample runs here; `PARCELTWIN_FLIPS=360 cargo test -p twin --test damage -- --nocapture` runs more.

#[path = "support/disk.rs"]
mod disk;

use disk::Dice;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use twin::address::Place;
use twin::entity::Kind;
use twin::home::{Glance, Home, HomeOpening};
use twin::journal::folder::{Opening, Sizes};
use twin::order::Order;
use twin::parcel::{self, Parcel};
use twin::personal::Personal;
use twin::replay::silent;
use twin::{Entity, Hash, Head, Key, Moment, TrackingNumber, TwinError, Tx, Way};

const FLIPS: u64 = 60;

fn open(dir: &Path) -> Result<Home, TwinError> {
    let sizes = Sizes { segment_bytes: 128 << 10, chunk_bytes: 32 << 10 };
    let opening = HomeOpening {
        journal: Opening { sizes, accept_loss: false },
        entropy: Box::new(|bytes| bytes.fill(7)),
        new_site: Some("damage".into()),
        progress: &mut silent(),
    };
    Home::open(dir, opening).map(|(home, _)| home)
}

/// Everything that can be read of a twin.
#[derive(PartialEq, Debug)]
struct All {
    head: Head,
    things: BTreeMap<String, String>,
    labels: BTreeMap<Hash, Vec<u8>>,
}

fn all(home: &Home) -> Result<All, TwinError> {
    let mut all = All { head: home.twin.head(), things: BTreeMap::new(), labels: BTreeMap::new() };
    for kind in [Kind::Order, Kind::Parcel] {
        for n in 1..=ORDERS {
            let key = Key::new(kind, format!("O-{n}"));
            let json = home.twin.json(&key)?.map_or("absent".into(), |json| json.to_string());
            all.things.insert(key.to_string(), json);
            if n % 9 == 0 {
                let history = home.twin.history(std::slice::from_ref(&key), Way::NEWEST_FIRST).collect::<Result<Vec<_>, _>>()?;
                all.things.insert(format!("history of {key}"), format!("{history:?}"));
            }
        }
    }
    for row in home.twin.all::<Parcel>() {
        let (id, parcel) = row?;
        if let Some(label) = parcel.label {
            all.labels.insert(label, home.twin.document(&label)?.unwrap_or_default());
            let found = home.twin.parcel_of(&format!("T-{id}"))?;
            all.things.insert(format!("number {id}"), format!("{found:?}"));
        }
    }
    Ok(all)
}

const ORDERS: u64 = 400;

/// A twin with sealed segments, bulk orders, labels and keys, as the death of its process leaves it.
fn killed(dir: &Path) -> All {
    let home = open(dir).expect("a new twin");
    let mut n = 0;
    while n < ORDERS {
        let count = if n % 50 == 0 { 40 } else { 1 };
        let mut tx = Tx::at(Moment(1_000_000 + n as i64));
        for _ in 0..count.min(ORDERS - n) {
            n += 1;
            let personal = Personal { name: format!("Buyer {n}").into(), city: "Frankfurt am Main".into(), ..Personal::default() };
            let buyer = home.twin.seal_buyer(&mut tx, &personal).expect("a key");
            let ship_to = Place { country: "DE".into(), region: "".into(), postcode: "60311".into() };
            let content = twin::order::Content {
                platform: "shopify".into(),
                shop: "s".into(),
                placed_at: tx.at,
                ship_to: ship_to.clone(),
                buyer: Some(buyer.clone()),
                lines: vec![],
                currency: "EUR".into(),
                ..Default::default()
            };
            let event = twin::order::Event::Received { content: Box::new(content) };
            let mut order = Order::default();
            order.apply(tx.at, &event);
            tx.stage(&format!("O-{n}").into(), 1, vec![event], Default::default(), &order);
            let plan = parcel::Plan { order: format!("O-{n}").as_str().into(), ship_to, buyer: Some(buyer), ..Default::default() };
            let mut parcel = Parcel { plan: plan.clone(), ..Parcel::default() };
            let label = home.twin.seal_label(&mut tx, &parcel, format!("^XA^FD{n}^FS^XZ").repeat(20).into_bytes()).expect("a key");
            parcel = Parcel::default();
            let events = vec![
                parcel::Event::Created { plan: Box::new(plan), key: None },
                parcel::Event::LabelRequested { key: format!("O-{n}.0").into() },
                parcel::Event::LabelBought { tracking: TrackingNumber::new(format!("T-O-{n}")), label, charged: None, plate: None },
            ];
            events.iter().for_each(|e| parcel.apply(tx.at, e));
            tx.stage(&format!("O-{n}").into(), 3, events, Default::default(), &parcel);
        }
        home.twin.commit([tx]).expect("it is written");
    }
    while home.folder().keep_indexes().expect("it is kept") {}
    let all = all(&home).expect("it reads");
    home.settle().expect("the live twin has it");
    // The process is still alive here: a copy of its files is what kill −9 leaves.
    let image = dir.with_extension("image");
    copy(dir, &image);
    drop(home);
    std::fs::remove_dir_all(dir).expect("it goes");
    std::fs::rename(image, dir).expect("the image takes its place");
    all
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("it lists").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &target) } else { std::fs::copy(entry.path(), target).map(drop).expect("it copies") }
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("it lists").flatten() {
        if entry.path().is_dir() { found.extend(files(&entry.path())) } else { found.push(entry.path()) }
    }
    found.sort();
    found
}

/// Content of the files that hold what cannot be made anew.
fn truth(dir: &Path) -> BTreeMap<PathBuf, Hash> {
    let kept = files(dir).into_iter().filter(|f| !f.strip_prefix(dir).is_ok_and(|f| f.starts_with("live") || f.starts_with("live.new")));
    kept.map(|f| (f.clone(), Hash::of(&std::fs::read(&f).expect("it reads")))).collect()
}

/// What came of one fault.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Outcome {
    Whole,
    Refused,
}

fn judge(dir: &Path, before: &All, what: &str) -> Outcome {
    let untouched: BTreeMap<_, _> = files(dir).into_iter().map(|f| (f.clone(), std::fs::read(&f).expect("it reads"))).collect();
    let looked = Glance::at(dir).and_then(|g| g.verify(&mut silent()));
    let after: BTreeMap<_, _> = files(dir).into_iter().map(|f| (f.clone(), std::fs::read(&f).expect("it reads"))).collect();
    assert!(untouched == after, "{what}: looking changed something");
    if let Ok(head) = &looked {
        assert_eq!(*head, before.head, "{what}: verify took it for another history");
    }
    let kept = truth(dir);
    match open(dir) {
        Ok(home) => {
            let now = all(&home).unwrap_or_else(|e| panic!("{what}: it opened, and then: {e}"));
            assert_eq!(now.head, before.head, "{what}: accepted with another head");
            assert!(now == *before, "{what}: accepted, and something is another");
            Outcome::Whole
        }
        Err(error) => {
            let said = error.to_string();
            assert!(said.contains("damaged") || said.contains("bring the folder"), "{what}: refused without saying why: {said}");
            assert!(truth(dir) == kept, "{what}: refused, and something was changed");
            assert!(looked.is_err() || said.contains("accept-loss"), "{what}: verify says it is whole, and it does not open: {said}");
            Outcome::Refused
        }
    }
}

fn flips() -> u64 {
    std::env::var("PARCELTWIN_FLIPS").ok().and_then(|n| n.parse().ok()).unwrap_or(FLIPS)
}

#[test]
fn a_flipped_bit_or_a_cut_file_is_never_swallowed() {
    let place = tempfile::tempdir().expect("a folder");
    let (original, work) = (place.path().join("original"), place.path().join("work"));
    let before = killed(&original);
    let mut dice = Dice::of(3);
    let mut outcomes: BTreeMap<(&str, &str, Outcome), u64> = BTreeMap::new();
    let all_files = files(&original);
    for round in 0..flips() + flips() / 6 {
        let cut = round >= flips();
        if work.exists() {
            std::fs::remove_dir_all(&work).expect("it goes");
        }
        copy(&original, &work);
        let file = &all_files[dice.below(all_files.len() as u64) as usize];
        let name = file.strip_prefix(&original).expect("below").to_owned();
        let mut bytes = std::fs::read(file).expect("it reads");
        if bytes.is_empty() {
            continue;
        }
        let what = if cut {
            let length = dice.below(bytes.len() as u64);
            bytes.truncate(length as usize);
            format!("{} cut to {length} bytes", name.display())
        } else {
            let bit = dice.below(bytes.len() as u64 * 8);
            bytes[bit as usize / 8] ^= 1 << (bit % 8);
            format!("bit {bit} of {} flipped", name.display())
        };
        std::fs::write(work.join(&name), bytes).expect("it writes");
        let outcome = judge(&work, &before, &what);
        let part = ["journal", "keys", "live"].into_iter().find(|p| name.starts_with(p)).unwrap_or("other");
        let part = if name.extension().is_some_and(|e| e == "idx") { "index" } else { part };
        *outcomes.entry((part, if cut { "cut" } else { "flip" }, outcome)).or_default() += 1;
    }
    for ((part, fault, outcome), count) in &outcomes {
        println!("{part:8} {fault:5} {outcome:?}: {count}");
    }
    assert!(outcomes.keys().any(|(part, _, outcome)| *part == "journal" && *outcome == Outcome::Refused));
    assert!(outcomes.keys().all(|(part, _, outcome)| *part != "index" || *outcome == Outcome::Whole));
    assert!(outcomes.keys().any(|(part, _, outcome)| *part == "live" && *outcome == Outcome::Whole));
}

#[test]
fn an_index_may_be_damaged_in_any_way() {
    let place = tempfile::tempdir().expect("a folder");
    let (original, work) = (place.path().join("original"), place.path().join("work"));
    let before = killed(&original);
    let mut dice = Dice::of(5);
    let indexes: Vec<PathBuf> = files(&original).into_iter().filter(|f| f.extension().is_some_and(|e| e == "idx")).collect();
    assert!(indexes.len() > 1, "{indexes:?}");
    for file in &indexes {
        let whole = std::fs::read(file).expect("it reads");
        let name = file.strip_prefix(&original).expect("below");
        for (what, bytes) in [
            ("has nothing in it", Vec::new()),
            ("is cut off", whole[..dice.below(whole.len() as u64) as usize].to_vec()),
            ("has a head that was flipped", whole.iter().enumerate().map(|(n, b)| b ^ u8::from(n == 20)).collect()),
            ("has a body that was flipped", whole.iter().enumerate().map(|(n, b)| b ^ u8::from(n == whole.len() - 9)).collect()),
            ("is another's", std::fs::read(&indexes[usize::from(file == &indexes[0])]).expect("it reads")),
            ("is noise", whole.iter().map(|_| dice.next() as u8).collect()),
        ] {
            if work.exists() {
                std::fs::remove_dir_all(&work).expect("it goes");
            }
            copy(&original, &work);
            std::fs::write(work.join(name), bytes).expect("it writes");
            assert_eq!(judge(&work, &before, &format!("{} {what}", name.display())), Outcome::Whole);
        }
    }
}

#[test]
fn a_whole_part_that_is_missing_is_refused_or_made_anew() {
    let place = tempfile::tempdir().expect("a folder");
    let (original, work) = (place.path().join("original"), place.path().join("work"));
    let before = killed(&original);
    let segments = files(&original.join("journal")).len();
    assert!(segments > 4, "sealed segments are part of this: {segments} files");
    for (missing, outcome) in [
        ("journal/00000002.seg", Outcome::Refused),
        ("journal/00000002.idx", Outcome::Whole),
        ("journal/anchor", Outcome::Whole),
        ("journal", Outcome::Refused),
        ("keys/keys", Outcome::Refused),
        ("live/db", Outcome::Whole),
        ("live", Outcome::Whole),
    ] {
        if work.exists() {
            std::fs::remove_dir_all(&work).expect("it goes");
        }
        copy(&original, &work);
        let path = work.join(missing);
        if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.expect("it goes");
        if missing == "journal" || missing == "keys/keys" {
            let error = open(&work).map(drop).expect_err(missing).to_string();
            assert!(error.contains("journal is not there") || error.contains("keys/keys"), "{missing}: {error}");
        } else {
            assert_eq!(judge(&work, &before, missing), outcome, "{missing}");
        }
    }
}

#[test]
fn an_older_or_foreign_live_twin_is_brought_up_to_date_or_made_anew() {
    let place = tempfile::tempdir().expect("a folder");
    let (original, work) = (place.path().join("original"), place.path().join("work"));
    let before = killed(&original);
    // Older: from when the journal was half as long. sled's files of then, the journal of now.
    let half = place.path().join("half");
    let home = open(&half).expect("a new twin");
    home.twin.commit([Tx::at(Moment(1))]).expect("nothing");
    drop(home);
    copy(&original, &work);
    std::fs::remove_dir_all(work.join("live")).expect("it goes");
    copy(&half.join("live"), &work.join("live"));
    assert_eq!(judge(&work, &before, "an empty live twin"), Outcome::Whole);
}

/// Where the machine has not stopped since, a start believes what the live twin has counted, and reads it behind.
#[test]
fn what_went_bad_on_a_machine_that_ran_on_is_found_behind_the_start() {
    let place = tempfile::tempdir().expect("a folder");
    let (original, work) = (place.path().join("original"), place.path().join("work"));
    let before = killed(&original);
    let mut dice = Dice::of(11);
    let mut found: BTreeMap<&str, u32> = BTreeMap::new();
    for round in 0..flips() / 3 {
        if work.exists() {
            std::fs::remove_dir_all(&work).expect("it goes");
        }
        copy(&original, &work);
        drop(open(&work).expect("it opens, and is read"));
        let file = work.join("live/db");
        let mut bytes = std::fs::read(&file).expect("it reads");
        let at = dice.below(bytes.len() as u64) as usize;
        bytes[at] ^= 1 << dice.below(8);
        std::fs::write(&file, bytes).expect("it writes");
        let home = open(&work).unwrap_or_else(|e| panic!("round {round}: {e}"));
        let recounted = home.recount();
        drop(home);
        let how = match recounted {
            Ok(()) => "harmless, or before the start",
            Err(error) => {
                assert!(error.to_string().contains("live twin"), "round {round}: {error}");
                "behind the start"
            }
        };
        *found.entry(how).or_default() += 1;
        let home = open(&work).unwrap_or_else(|e| panic!("round {round}: {how}: {e}"));
        assert!(all(&home).unwrap_or_else(|e| panic!("round {round}: {how}: {e}")) == before, "round {round}: {how}: something is another");
    }
    println!("damage was {found:?}");
    assert!(found.get("behind the start").is_some_and(|n| *n > 0), "{found:?}");
}

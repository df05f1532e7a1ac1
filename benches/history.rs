//! An entity's whole history, found among those of a million others: 34 records of a parcel, spread over a third of the
//! journal, by the index; and what the index costs.
//!
//! `cargo bench --bench history [-- PARCELS]`. The journal alone, as a site writes it (a group of 34 records and a label at a
//! time), without syncs. "cold": before each question all files leave the machine's cache (by `dd`).

#![allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use parceltwin as _; // for its allocator
use std::any::Any;
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use twin::journal::disk::{Disk, DiskFile, OsDisk};
use twin::journal::folder::{Folder, Opening};
use twin::journal::{Draft, Journal};
use twin::parcel::{Event, Plan};
use twin::{Because, By, Hash, Key, Kind, Moment, Record, Span, TrackingNumber, Way, history};

/// When a parcel's records are written, in groups after the first: minutes in the house, weeks on the way.
fn due(step: u64, parcels: u64) -> u64 {
    if step < 10 { step * step } else { (step - 9) * parcels / 72 }
}
const STEPS: u64 = 34;
const WARM: u64 = 5_000;
const COLD: u64 = 200;

fn main() {
    let parcels: u64 = std::env::args().skip(1).find_map(|n| n.parse().ok()).unwrap_or(1_050_000);
    let dir = tempfile::tempdir_in(".").expect("a folder on the disk");
    fill(dir.path(), parcels);
    ask(dir.path(), parcels);
}

fn key(n: u64) -> Key {
    Key::new(Kind::Parcel, format!("SHO-{n:07}-1"))
}

fn event(n: u64, step: u64) -> Event {
    match step {
        0 => Event::Created { plan: Box::new(Plan { contents: "P-000123 × 1".into(), declared_g: 400, ..Plan::default() }), key: None },
        1 => Event::LabelRequested { key: "k".into() },
        2 => Event::LabelBought {
            tracking: TrackingNumber::new(twin::s10::item("LX", n as u32, "CN")),
            label: Hash::default(),
            charged: None,
            plate: None,
        },
        3 => Event::Packed,
        4 => Event::Inducted { station: "SZX/line-1".into() },
        5 => Event::Measured { weight_g: 402, dims: None },
        6 => Event::Verified,
        7 => Event::Sorted { chute: 3 },
        8 => Event::Bagged { bag: "069012341000000017".into() },
        9 => Event::HandedOver { bag: "069012341000000017".into() },
        _ => Event::ExceptionRaised { what: "set aside at SZX/rework-1: another parcel went in its place".into() },
    }
}

fn fill(dir: &Path, parcels: u64) {
    let started = Instant::now();
    let disk: Arc<dyn Disk> = Arc::new(Unsynced(OsDisk::at(dir)));
    let folder = Folder::create(disk, "history", Opening::default()).expect("a journal");
    let mut draft = Draft::after(folder.head());
    let label = vec![b'x'; 2_200];
    let (mut upkeep, mut longest) = (Duration::ZERO, Duration::ZERO);
    for tick in 0..parcels + due(STEPS - 1, parcels) {
        for step in 0..STEPS {
            let Some(n) = tick.checked_sub(due(step, parcels)).filter(|n| *n < parcels) else { continue };
            let seq = draft.head().records + 1;
            draft.push(&Record {
                seq,
                at: Moment(1_762_617_600_000_000 + tick as i64),
                decided_before: Span::ZERO,
                by: By::System,
                because: Because::Record(seq.saturating_sub(20)),
                key: key(n),
                version: step as u32 + 1,
                event: event(n, step).into(),
            });
        }
        if tick < parcels {
            draft.documents.push((Hash::default(), label.clone()));
        }
        folder.append(&mut draft).expect("it is written");
        if tick % 4096 == 0 {
            let before = Instant::now();
            folder.keep_indexes().expect("it is kept");
            upkeep += before.elapsed();
            longest = longest.max(before.elapsed());
        }
    }
    let total = started.elapsed();
    let (segments, records) = (folder.segments(), folder.head().records);
    let bytes: u64 = segments.iter().map(|s| s.length).sum();
    println!(
        "{parcels} parcels, {records} records, {} segments, {:.1} GB; written in {:.0} s, {:.1} s of it for the index ({:.0} ns a record, at most {:.0} ms at once)",
        segments.len(),
        bytes as f64 / 1e9,
        total.as_secs_f64(),
        upkeep.as_secs_f64(),
        upkeep.as_nanos() as f64 / records as f64,
        longest.as_secs_f64() * 1e3,
    );
}

fn ask(dir: &Path, parcels: u64) {
    let (folder, _) = Folder::open(Arc::new(OsDisk::at(dir)), Opening::default()).expect("it opens");
    let files: Vec<_> = std::fs::read_dir(dir.join("journal")).expect("it lists").flatten().map(|f| f.path()).collect();
    let index_bytes: u64 =
        files.iter().filter(|f| f.extension().is_some_and(|e| e == "idx")).filter_map(|f| f.metadata().ok()).map(|m| m.len()).sum();
    files.iter().for_each(|f| std::fs::File::open(f).and_then(|f| f.sync_all()).expect("it is synced"));
    println!("index files: {:.1} MB, {:.1} bytes a record", index_bytes as f64 / 1e6, index_bytes as f64 / folder.head().records as f64);
    let one = |n: u64| {
        let before = Instant::now();
        let found = history(&folder, &[key(n)], Way::NEWEST_FIRST).inspect(|r| assert!(r.is_ok(), "{r:?}")).count();
        assert_eq!(found as u64, STEPS);
        before.elapsed()
    };
    println!("the first question of all: {:.1} ms", one(1).as_secs_f64() * 1e3);
    let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
    let mut any = || {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        (chance >> 11) % parcels
    };
    show("in the machine's cache", (0..WARM).map(|_| one(any())).collect());
    let cold = (0..COLD).map(|_| {
        let mut dd = Command::new("sh");
        dd.arg("-c").arg("for f; do dd if=\"$f\" iflag=nocache count=0 status=none; done").arg("sh").args(&files);
        assert!(dd.status().expect("a shell").success());
        one(any())
    });
    show("cold", cold.collect());
}

fn show(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let ms = |part: f64| took[((took.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
    println!(
        "{} whole histories of {STEPS} records, {what}: p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
        took.len(),
        ms(0.5),
        ms(0.99),
        ms(1.0)
    );
}

/// Syncing is not what is measured here.
struct Unsynced(OsDisk);
struct UnsyncedFile(Arc<dyn DiskFile>);

impl Disk for Unsynced {
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.0.list(folder)
    }
    fn make_folder(&self, path: &str) -> io::Result<()> {
        self.0.make_folder(path)
    }
    fn exists(&self, path: &str) -> io::Result<bool> {
        self.0.exists(path)
    }
    fn read(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.0.read(path)
    }
    fn write(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(UnsyncedFile(self.0.write(path)?)))
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        self.0.remove(path)
    }
    fn sync_folder(&self, _: &str) -> io::Result<()> {
        Ok(())
    }
    fn lock(&self, path: &str) -> io::Result<Box<dyn Any + Send + Sync>> {
        self.0.lock(path)
    }
    fn is_locked(&self, path: &str) -> io::Result<bool> {
        self.0.is_locked(path)
    }
}

impl DiskFile for UnsyncedFile {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_at(bytes, offset)
    }
    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

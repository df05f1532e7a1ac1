//! What a record costs: bytes, and nanoseconds to write and to read, beside positional postcard; and how fast the live twin
//! is made anew from a folder.
//!
//! `cargo bench --bench journal`

#![allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use parceltwin as _; // for its allocator
use sim::scenario::Scenario;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use twin::copies::{self, At};
use twin::journal::disk::OsDisk;
use twin::journal::folder::{Folder, Opening};
use twin::journal::{Draft, Group};
use twin::{Event, Key};
use twin::{Moment, Record};

fn main() {
    let scenario = Scenario::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/first-day")).expect("a bundled scenario");
    let run = sim::run::run(&scenario, 1, None, &mut |_| ()).expect("it runs");
    let records: Vec<Record> = run.twin.records(0).collect::<Result<_, _>>().expect("it reads");
    sizes(&records);
    let dir = tempfile::tempdir_in(".").expect("a folder on the disk");
    let data = dir.path().join("twin");
    copies::save(&run.twin, &At::path(&data).expect("a name")).expect("it is written");
    let (parcels, length) = (run.kpis.parcels.created, folder_bytes(&data));
    println!("on disk: {length} bytes of journal for {parcels} parcels, {} each", length / parcels.max(1));
    let (folder, _) = Folder::open(Arc::new(OsDisk::at(&data)), Opening::default()).expect("it opens");
    let started = Instant::now();
    let count = twin::home::make_live(&data, &folder, &mut twin::replay::silent()).expect("it is made anew").records;
    let took = started.elapsed().as_secs_f64();
    println!("live twin made anew: {count} records in {took:.2} s, {:.0} a second", count as f64 / took);
}

fn folder_bytes(data: &Path) -> u64 {
    let glance = twin::home::Glance::at(data).expect("it opens");
    glance.folder.segments().iter().map(|s| s.length).sum()
}

fn sizes(records: &[Record]) {
    let count = records.len() as f64;
    let ns = |started: Instant| started.elapsed().as_nanos() as f64 / count;
    let mut draft = Draft::after(twin::journal::Head::of_site("bench"));
    let started = Instant::now();
    records.iter().for_each(|r| draft.push(r));
    let written = ns(started);
    let group = Group {
        first: draft.first,
        count: draft.count,
        before: draft.before,
        after: draft.after,
        newest: draft.newest,
        records: draft.records.into(),
        documents: vec![],
        frame_bytes: 0,
    };
    let started = Instant::now();
    let read = group.read().filter(Result::is_ok).count();
    assert_eq!(read, records.len());
    println!(
        "numbered CBOR, chained: {:.1} bytes a record, {written:.0} ns to write, {:.0} ns to read",
        group.records.len() as f64 / count,
        ns(started)
    );
    type Positional = (u64, Moment, Key, u32, Event);
    let plain: Vec<Positional> = records.iter().map(|r| (r.seq, r.at, r.key.clone(), r.version, r.event.clone())).collect();
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    let started = Instant::now();
    for record in &plain {
        bytes = postcard::to_extend(record, bytes).expect("it is written");
        ends.push(bytes.len());
    }
    let written = ns(started);
    let started = Instant::now();
    let mut start = 0;
    for end in ends {
        let _: Positional = postcard::from_bytes(&bytes[start..end]).expect("it reads");
        start = end;
    }
    println!(
        "positional postcard, without by and because, not chained: {:.1} bytes, {written:.0} ns, {:.0} ns",
        bytes.len() as f64 / count,
        ns(started)
    );
}

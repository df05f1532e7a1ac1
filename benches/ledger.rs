//! How many events per second become durable through the ledger, with 1, 4, 16 and 64 senders that each wait for their
//! own event; and, in the same minute, how many a plain loop of `write` and `fdatasync` makes durable in groups as large.
//!
//! `cargo bench --bench ledger [-- SECONDS [SENDERS]]`

#![allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use actors::ledger::{Host, Ledger, LedgerArguments, Pace};
use actors::{Answer, Caller, Delivery, House, InForce, Outgoing, Work};
use drivers::Clock;
use parceltwin as _; // for its allocator
use ractor::Actor;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use twin::Moment;
use twin::journal::Journal;
use twin::stock::{Movement, Stock};

#[path = "../tests/support/home.rs"]
mod home;

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let seconds = numbers.first().copied().unwrap_or(4);
    let all: Vec<u64> = numbers.get(1).map_or(vec![1, 4, 16, 64], |n| vec![*n]);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    for senders in all {
        let dir = tempfile::tempdir_in(".").expect("a folder on the disk that is measured");
        let before = plain(dir.path(), Measured { events: 1, groups: 1, bytes: 400 }, seconds.min(1));
        let measured = runtime.block_on(ledger(&dir.path().join("twin"), senders, seconds));
        let rate = measured.events as f64 / seconds as f64;
        let plain = plain(dir.path(), measured, seconds.min(3));
        let (of, bytes) = (measured.events as f64 / measured.groups as f64, measured.bytes as f64 / measured.groups as f64);
        println!(
            "{senders:3} senders: {rate:7.0} durable events a second in groups of {of:.1} ({bytes:.0} bytes); a plain loop of such groups: {plain:7.0}; ratio {:.2}   ({before:.0} syncs a second before)",
            rate / plain
        );
    }
}

#[derive(Clone, Copy)]
struct Measured {
    events: u64,
    groups: u64,
    bytes: u64,
}

async fn ledger(dir: &Path, senders: u64, seconds: u64) -> Measured {
    let home = home::home(dir).expect("a twin");
    let twin = home.twin.clone();
    let clock = Clock::free(1.0, Moment::default());
    let site = sim::scenario::read_site(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/quick-start/site.toml"));
    let in_force = InForce::new(0, clock.now(), site.expect("the bundled site"));
    let house = Arc::new(House::new(clock.clone(), twin.clone(), Delivery::Mailbox, BTreeMap::new(), BTreeMap::new(), in_force));
    let (actor, _) = Ledger::spawn(None, Ledger, LedgerArguments { house: house.clone(), pace: Pace::Disk }).await.expect("a ledger");
    let done = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let tasks: Vec<_> = (0..senders)
        .map(|n| {
            let (clock, twin, letterbox, done) = (clock.clone(), twin.clone(), house.ledger.clone(), done.clone());
            tokio::spawn(async move {
                let mut host = Host::<Stock>::load(&twin, format!("BENCH:{n}")).expect("a new entity");
                while started.elapsed() < Duration::from_secs(seconds) {
                    let (caller, durable) = Caller::waiting();
                    let mut work = Work::at(clock.now());
                    let one = host.state.next(Movement::Receive { quantity: 1, reference: "bench".into() });
                    host.command(&mut work, one).expect("stock takes goods in");
                    work.say(Outgoing::Answer(Answer::Written(caller)));
                    letterbox.put(work);
                    durable.await.expect("the ledger lives");
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a sender ends");
    }
    let events = done.load(Ordering::Relaxed);
    assert_eq!(twin.head().records, events);
    let mut groups = 0;
    for group in home.folder().groups(0) {
        group.expect("it reads");
        groups += 1;
    }
    let bytes = home.folder().segments().iter().map(|s| s.length).sum();
    actor.stop(None);
    Measured { events, groups, bytes }
}

/// Events a second that a loop makes durable which does nothing else.
fn plain(dir: &Path, like: Measured, seconds: u64) -> f64 {
    let path = dir.join("plain");
    let mut file = std::fs::File::create(&path).expect("a file");
    let group = vec![7; (like.bytes / like.groups) as usize];
    let started = Instant::now();
    let mut groups = 0;
    while started.elapsed() < Duration::from_secs(seconds) {
        file.write_all(&group).and_then(|()| file.sync_data()).expect("it is written");
        groups += 1;
    }
    std::fs::remove_file(path).expect("it goes");
    groups as f64 / started.elapsed().as_secs_f64() * like.events as f64 / like.groups as f64
}

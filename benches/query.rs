//! The query side on a twin with so many orders, delivered nearly all: made anew, followed while the twin is written, and asked
//! for filtered pages and for parts of buyers' names.
//!
//! `cargo bench --bench query [-- PARCELS]`. Bars: made 100,000 records/s, followed 20,000 records/s, a page of 50 p99 50 ms, a
//! part of a name p99 100 ms.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use made::{Maker, RECORDS};
use parceltwin::query::follow::Follower;
use parceltwin::query::tables::Tables;
use parceltwin::query::{Query, lists, pages, schema, search};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use twin::projection::Projection;
use twin::{Moment, Twin};

#[path = "../tests/support/home.rs"]
mod home;
#[path = "../tests/support/made.rs"]
mod made;

/// Orders that come in while the tables follow.
const FOLLOWED: u64 = 20_000;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["run", dir] => run(Path::new(dir)),
        _ => {
            let parcels = args.first().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
            let dir = tempfile::tempdir_in(".").expect("a folder on the disk");
            fill(dir.path(), parcels);
            let me = std::env::current_exe().expect("this program");
            assert!(std::process::Command::new(me).arg("run").arg(dir.path()).status().expect("it runs").success());
        }
    }
}

fn fill(dir: &Path, parcels: u64) {
    let started = Instant::now();
    let home = home::home(dir).expect("a twin");
    commit(&home.twin, &mut Maker::default(), 0..parcels);
    home.settle().expect("it is written");
    assert_eq!(home.twin.head().records, parcels * RECORDS);
    println!("{parcels} parcels, {} records, written in {:.0} s", home.twin.head().records, started.elapsed().as_secs_f64());
}

/// In a process of its own, so that its memory is its own.
fn run(dir: &Path) {
    let home = home::home(dir).expect("a twin");
    let (twin, parcels) = (home.twin.clone(), home.twin.head().records / RECORDS);
    println!("opened; memory {}", memory());
    make(dir, &twin);
    follow(dir, &twin, parcels);
    ask(dir, parcels);
}

/// The most memory that was resident since the last time.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let highest = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or_default().trim().to_owned();
    // Counts anew.
    std::fs::write("/proc/self/clear_refs", "5").expect("its own memory may be counted");
    highest
}

fn commit(twin: &Twin, maker: &mut Maker, orders: std::ops::Range<u64>) {
    let mut next = orders.start;
    while next < orders.end {
        let until = (next + 500).min(orders.end);
        // As on a busy day: step after step of many orders, not one order after the other.
        twin.commit(maker.orders(twin, next..until).into_iter().flatten().collect::<Vec<_>>()).expect("it is written");
        next = until;
    }
}

fn make(data: &Path, twin: &Arc<Twin>) {
    let started = Instant::now();
    let tables = Tables::make(data, twin, &mut |_, _| true).expect("it is made").expect("nobody stopped it");
    let seconds = started.elapsed().as_secs_f64();
    let records = tables.applied().records;
    tables.close().expect("it closes");
    let bytes = std::fs::metadata(schema::path(data)).expect("it is there").len();
    println!("made anew: {:.0} records/s, {seconds:.1} s, {} MB; memory {}", records as f64 / seconds, bytes >> 20, memory());
}

fn follow(data: &Path, twin: &Arc<Twin>, from: u64) {
    let mut maker = Maker::of(twin);
    let query = Arc::new(Query::of(data));
    let _follower = Follower::start(query.clone(), twin.clone()).expect("it starts");
    while query.applied().is_none_or(|applied| applied != twin.head()) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let started = Instant::now();
    let mut behind_max = 0;
    for n in (from..from + FOLLOWED).step_by(50) {
        commit(twin, &mut maker, n..n + 50);
        behind_max = behind_max.max(twin.head().records - query.done());
    }
    let written = started.elapsed().as_secs_f64();
    while query.applied().is_none_or(|applied| applied != twin.head()) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let seconds = started.elapsed().as_secs_f64();
    let records = (FOLLOWED * RECORDS) as f64;
    println!(
        "followed: {:.0} records/s while another thread writes {:.0}/s; at most {behind_max} behind; memory {}",
        records / seconds,
        records / written,
        memory()
    );
}

fn ask(data: &Path, parcels: u64) {
    let db = schema::look(data).expect("it opens");
    let mut luck = sim::luck::Luck::of(1, "bench", "questions");
    let stages = ["delivered", "in flight", "returned", "customs"];
    let countries = ["US", "DE", "GB", "FR", "ES", "PL", "CN", "LI"];
    let channels = ["usps/ground-advantage", "direct/packet", "mydhl/worldwide", "none"];
    let mut took = Vec::new();
    for _ in 0..1_000 {
        let mut facets = Vec::new();
        let of_orders = luck.between(0, 1) == 1;
        let mut maybe = |facet, values: &[&str]| {
            if luck.between(0, 1) == 1 {
                facets.push((facet, values[luck.between(0, values.len() as i64 - 1) as usize].to_owned()));
            }
        };
        maybe(if of_orders { "stage" } else { "status" }, &stages);
        maybe("country", &countries);
        maybe("channel", &channels);
        maybe("platform", &["shopify", "temu", "ebay"]);
        maybe("warehouse", &["SZX", "LAX"]);
        let after = (luck.between(0, 1) == 1).then(|| luck.between(1, (parcels * RECORDS) as i64) as u64);
        let from = (luck.between(0, 4) == 0).then(|| Moment(made::START.0 + luck.between(0, parcels as i64) * 1_000));
        let wish = pages::Wish { facets, after, from, to: None, limit: pages::PAGE_ROWS };
        let started = Instant::now();
        if of_orders {
            pages::page::<lists::OrderRow>(&db, &wish).expect("it lists");
        } else {
            pages::page::<lists::ParcelRow>(&db, &wish).expect("it lists");
        }
        took.push(started.elapsed().as_secs_f64() * 1e3);
    }
    println!("a filtered page of {}: {}", pages::PAGE_ROWS, quantiles(&mut took));
    let mut took = Vec::new();
    let mut slowest = (0.0, String::new());
    for _ in 0..1_000 {
        let who = made::buyer(luck.between(0, parcels as i64 - 1) as u64);
        let letters: Vec<char> = who.name.chars().collect();
        let length = luck.between(2, 8).min(letters.len() as i64) as usize;
        let at = luck.between(0, (letters.len() - length) as i64) as usize;
        let mut text: String = letters[at..at + length].iter().collect();
        if luck.between(0, 2) == 0 {
            text = format!("{text} {}", who.street.split(' ').next_back().unwrap_or_default());
        }
        let started = Instant::now();
        search::find(&db, &text, None, None, search::FOUND_MAX).expect("it finds");
        let ms = started.elapsed().as_secs_f64() * 1e3;
        took.push(ms);
        if ms > slowest.0 {
            slowest = (ms, text);
        }
    }
    println!("a part of a buyer's name: {}; the slowest {:?}", quantiles(&mut took), slowest.1);
    for text in ["maria musterfrau lange", "zzz qqq", "buyer12345@", "王小明 science", "mar aso ust", "or an er"] {
        let started = Instant::now();
        let found = search::find(&db, text, None, None, search::FOUND_MAX).expect("it finds");
        println!("  {text:?}: {:.1} ms, {} found", started.elapsed().as_secs_f64() * 1e3, found.map_or(0, |f| f.found.len()));
    }
}

fn quantiles(ms: &mut [f64]) -> String {
    ms.sort_by(f64::total_cmp);
    let at = |q: f64| ms.get(((ms.len() as f64 * q) as usize).min(ms.len().saturating_sub(1))).copied().unwrap_or(0.0);
    format!("p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms", at(0.5), at(0.99), at(1.0))
}

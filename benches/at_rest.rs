//! A million parcels at rest on disk, and a site that runs on them: how much memory is resident, how long the start takes.
//!
//! `cargo bench --bench at_rest [-- PARCELS]`. Fills a twin in one process, opens it in another, and reads its `VmRSS`.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use actors::ledger::Pace;
use actors::site::{Site, World};
use drivers::Clock;
use parceltwin as _; // for its allocator
use sim::demand::{self, DemandSettings};
use sim::scenario::Scenario;
use sim::world::{Setup, SimWorld};
use std::path::Path;
use std::time::Instant;
use twin::address::Place;
use twin::channel::{TrackEvent, TrackStatus};
use twin::charges::{self, Basis, ChargeKind};
use twin::declaration::{self, Declaration};
use twin::parcel::{Event, Parcel, Plan};
use twin::personal::Personal;
use twin::tracking::{self, Tracking};
use twin::{Entity, Hash, Moment, TrackingNumber, Tx};

/// Of each parcel at rest.
const RECORDS: u64 = 10;
/// Of its charges and its declaration.
const BESIDE: u64 = 2 + 4;

#[path = "../tests/support/home.rs"]
mod home;

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

/// Parcels that have arrived: the state in which nearly all of them are.
fn fill(dir: &Path, parcels: u64) {
    let started = Instant::now();
    let home = home::home(dir).expect("a twin");
    let twin = home.twin.clone();
    let mut n = 0;
    while n < parcels {
        let txs = (0..2_000.min(parcels - n)).map(|_| {
            n += 1;
            arrived(&twin, n)
        });
        let txs: Vec<_> = txs.collect();
        twin.commit(txs).expect("it is written");
    }
    home.settle().expect("it is written");
    assert_eq!(twin.head().records, parcels * (RECORDS + BESIDE));
    println!("filled with {parcels} parcels, {} records in {:.0} s", twin.head().records, started.elapsed().as_secs_f64());
}

fn arrived(twin: &twin::Twin, n: u64) -> Tx {
    let mut tx = Tx::at(Moment(1_762_617_600_000_000 + n as i64));
    let personal = Personal {
        name: "Maria Musterfrau".into(),
        street: "12 Lange Strasse".into(),
        city: "Frankfurt am Main".into(),
        ..Personal::default()
    };
    let buyer = twin.seal_buyer(&mut tx, &personal).expect("a key");
    let plan = Plan {
        order: twin::OrderId::new(format!("SHO-{n:07}")),
        warehouse: "SZX".into(),
        carrier: "direct".into(),
        channel: "direct/packet".into(),
        service: "PACKET".into(),
        ship_to: Place { country: "DE".into(), region: "".into(), postcode: "60311".into() },
        buyer: Some(buyer),
        declared_g: 400,
        declared: twin::Dims::new(210, 140, 60),
        contents: "P-000123 × 1".into(),
        ..Plan::default()
    };
    let number = TrackingNumber::new(twin::s10::item("LX", n as u32, "CN"));
    let events = vec![
        Event::Created { plan: Box::new(plan) },
        Event::LabelRequested { key: "k".into() },
        Event::LabelBought { tracking: number.clone(), label: Hash::default(), charged: None, plate: None },
        Event::Inducted { station: "SZX/line-1".into() },
        Event::Measured { weight_g: 402, dims: None },
        Event::Sorted { chute: 3 },
        Event::Bagged { bag: "069012341000000017".into() },
        Event::HandedOver { bag: "069012341000000017".into() },
    ];
    let delivered =
        TrackEvent { at: tx.at, status: TrackStatus::Delivered, code: "01".into(), text: "Delivered".into(), place: "Frankfurt".into() };
    let on_its_way = vec![tracking::Event::Begun { carrier: "direct".into(), number }, tracking::Event::Tracked { news: vec![delivered] }];
    let mut parcel = Parcel::default();
    events.iter().for_each(|e| parcel.apply(tx.at, e));
    let version = events.len() as u32;
    let id = format!("SHO-{n:07}-1").into();
    tx.stage(&id, version, events, Default::default(), &parcel);
    let mut way = Tracking::default();
    on_its_way.iter().for_each(|e| way.apply(tx.at, e));
    tx.stage(&id, on_its_way.len() as u32, on_its_way, Default::default(), &way);
    put::<charges::Charges>(&mut tx, &id, charged());
    put::<Declaration>(&mut tx, &id, declared(&parcel.tracking.unwrap_or_else(|| TrackingNumber::new("T"))));
    tx
}

fn put<E: Entity>(tx: &mut Tx, id: &smol_str::SmolStr, events: Vec<E::Event>) {
    let mut state = E::default();
    events.iter().for_each(|e| state.apply(tx.at, e));
    tx.stage::<E>(id, events.len() as u32, events, Default::default(), &state);
}

fn charged() -> Vec<charges::Event> {
    let basis = |weight_g| Basis::Tariff {
        zone: "DE".into(),
        weight_g,
        chargeable_g: 450,
        source: "price sheet of a direct line, 2026-10-01".into(),
    };
    let charged = |kind, weight_g| charges::Event::Charged {
        kind,
        amount: twin::Money::new(twin::money::Decimal::new(3_408, 2), twin::money::Currency::CNY),
        basis: basis(weight_g),
        settings: 3,
        rate: Some(charges::Rate { base: "USD".into(), per_base: twin::money::Decimal::new(712, 2), as_of: Moment(1) }),
    };
    vec![charged(ChargeKind::Estimate, 400), charged(ChargeKind::Freight, 402)]
}

fn declared(tracking: &TrackingNumber) -> Vec<declaration::Event> {
    let goods = declaration::Declared {
        sku: "P-000123".into(),
        description: "cotton T-shirt".into(),
        hs_code: "610910".into(),
        origin: "CN".into(),
        quantity: 2,
        weight_g: 180,
        unit_value: twin::money::Decimal::new(779, 2),
    };
    let draft = declaration::Draft {
        from: "CN".into(),
        to: "DE".into(),
        goods: vec![goods],
        currency: "USD".into(),
        ..declaration::Draft::default()
    };
    vec![
        declaration::Event::Drafted { draft: Box::new(draft), missing: vec![] },
        declaration::Event::Lodged { tracking: tracking.clone() },
        declaration::Event::Presented { at: Moment(2), said: "Presented to customs".into() },
        declaration::Event::Cleared { at: Moment(3), said: "Import cleared".into() },
    ]
}

fn run(dir: &Path) {
    let started = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let scenario = Scenario::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/quick-start")).expect("the bundled scenario");
        let site = scenario.read_site().expect("the bundled site");
        let home = home::home(dir).expect("a twin");
        let opened = started.elapsed().as_secs_f64();
        let twin = home.twin.clone();
        let at_rest = twin.head().records / (RECORDS + BESIDE);
        let clock = Clock::free(1.0, Moment::default());
        let settings = DemandSettings::default();
        let products = demand::catalogue(1, &settings);
        let world = SimWorld::build(&site, Setup::default(), clock.clone(), &products);
        let outside =
            World { clock: clock.clone(), twin: twin.clone(), pace: Pace::Disk, dials: world.dials(), drivers: world.drivers(&site) };
        let running = Site::start(site.clone(), outside).await.expect("a site");
        running.describe(products.iter().cloned().map(actors::catalog::Change::from).collect());
        let begun = started.elapsed().as_secs_f64();
        let warehouses: Vec<_> = site.warehouses.iter().map(|w| w.id.clone()).collect();
        let stock = demand::stock(1, &settings, &products, &warehouses);
        running.count(stock);
        let orders: Vec<_> = demand::orders(1, &settings, &products, clock.now()).take(500).map(|(_, o)| o).collect();
        let receipts = running.receive(orders).await.expect("orders are taken");
        let took = started.elapsed().as_secs_f64();
        println!("opened after {opened:.2} s, started after {begun:.2} s, {} orders taken after {took:.2} s", receipts.len());
        clock.sleep(twin::Span::from_secs(20)).await;
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = |name: &str| status.lines().find(|l| l.starts_with(name)).unwrap_or(name).to_owned();
        println!("running on {} records: {}; {}", twin.head().records, line("VmRSS"), line("VmHWM"));
        tell_histories(&home, at_rest);
        running.stop().await;
    });
}

/// Whole histories of parcels from everywhere in the journal, beside the site at work. The indexes are there: upkeep makes one a
/// second.
fn tell_histories(home: &twin::home::Home, parcels: u64) {
    while home.folder().keep_indexes().expect("they are made") {}
    let mut took = Vec::new();
    for n in 0..2_000_u64 {
        let n = 1 + n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % parcels;
        // As a person asks: with what became of it behind the handover.
        let keys = [twin::Kind::Parcel, twin::Kind::Tracking].map(|kind| twin::Key::new(kind, format!("SHO-{n:07}-1")));
        let before = Instant::now();
        let found = home.twin.history(&keys, twin::Way::NEWEST_FIRST).filter(|r| r.is_ok()).count();
        took.push(before.elapsed().as_secs_f64() * 1e3);
        assert!(found as u64 >= RECORDS, "{found} records of parcel {n}");
    }
    took.sort_unstable_by(f64::total_cmp);
    println!("{} whole histories: p50 {:.2} ms, p99 {:.2} ms", took.len(), took[took.len() / 2], took[took.len() * 99 / 100]);
}

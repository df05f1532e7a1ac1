//! A million delivered parcels and fifty thousand open ones on disk, and a site that runs on them: how long the start takes, how
//! much memory is resident, how soon a fall is taken up, and how long the sorter waits meanwhile.
//!
//! `cargo bench --bench at_rest [-- DELIVERED [OPEN]]`. Fills a twin in one process, opens it in another, and reads its `VmRSS`.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use actors::Delivery;
use actors::ledger::Pace;
use actors::site::{Site, World};
use drivers::Clock;
use metrics_exporter_prometheus::PrometheusHandle;
use parceltwin as _; // for its allocator
use ractor::{ActorCell, ActorStatus};
use sim::demand::{self, DemandSettings};
use sim::floor::FloorSettings;
use sim::scenario::Scenario;
use sim::world::{Setup, SimWorld};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use twin::address::Place;
use twin::bag::{self, Bag};
use twin::channel::{TrackEvent, TrackStatus};
use twin::charges::{self, Basis, ChargeKind};
use twin::declaration::{self, Declaration};
use twin::facet::Standing;
use twin::parcel::{Event, Parcel, Plan};
use twin::personal::Personal;
use twin::tracking::{self, Tracking};
use twin::{BagId, Entity, Hash, Moment, ParcelId, Span, TrackingNumber, Tx};

/// Of each parcel at rest.
const RECORDS: u64 = 10;
/// Of its charges and its declaration.
const BESIDE: u64 = 2 + 4;
const BAG_HOLDS: usize = 40;
/// The warehouses of the bundled site, each with its line.
const LINES: [(&str, &str); 2] = [("SZX", "SZX/line-1"), ("LAX", "LAX/line-1")];
/// So many orders are handed in, and a line gets a box as often as this, so that sorters ask a few thousand times.
const ORDERS: usize = 4_000;
const GAP_MS: u32 = 250;
/// Falls of each, and between two.
const FALLS: usize = 4;
const FALL_EVERY: Span = Span::from_secs(16);
/// A supervisor waits so long before the first restart in a minute.
const BACKOFF_MS: f64 = 100.0;

#[path = "../tests/support/home.rs"]
mod home;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["run", dir, delivered] => run(Path::new(dir), delivered.parse().expect("a number")),
        _ => {
            let number = |n: usize, usual| args.get(n).and_then(|n| n.parse().ok()).unwrap_or(usual);
            let (delivered, open) = (number(0, 1_000_000), number(1, 50_000));
            let dir = tempfile::tempdir_in(".").expect("a folder on the disk");
            fill(dir.path(), delivered, open);
            let me = std::env::current_exe().expect("this program");
            assert!(
                std::process::Command::new(me).arg("run").arg(dir.path()).arg(delivered.to_string()).status().expect("it runs").success()
            );
        }
    }
}

/// Parcels that have arrived, the state in which nearly all of them are, and open ones behind them.
fn fill(dir: &Path, delivered: u64, open: u64) {
    let started = Instant::now();
    let home = home::home(dir).expect("a twin");
    let twin = home.twin.clone();
    let mut n = 0;
    while n < delivered {
        let txs = (0..2_000.min(delivered - n)).map(|_| {
            n += 1;
            arrived(&twin, n)
        });
        let txs: Vec<_> = txs.collect();
        twin.commit(txs).expect("it is written");
    }
    assert_eq!(twin.head().records, delivered * (RECORDS + BESIDE));
    let now = Moment(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_micros() as i64);
    let (mut bags, mut tags) = (Default::default(), 0);
    let txs: Vec<_> = (0..open).map(|n| still_open(&twin, n, now, &mut bags, &mut tags)).collect();
    twin.commit(txs).expect("it is written");
    home.settle().expect("it is written");
    println!(
        "filled with {delivered} delivered parcels and {open} open ones, {} records in {:.0} s",
        twin.head().records,
        started.elapsed().as_secs_f64()
    );
}

/// Of ten open parcels six are on their way, two lie packed before a line, and two in a closed bag that has not left.
fn still_open(twin: &twin::Twin, n: u64, at: Moment, bags: &mut [Vec<ParcelId>; 2], tags: &mut u64) -> Tx {
    let mut tx = Tx::at(at);
    let id: SmolStr = format!("OPEN-{n:06}-1").into();
    let side = (n / 10 % 2) as usize;
    let (warehouse, line) = LINES[side];
    let number = TrackingNumber::new(twin::s10::item("LV", n as u32, "CN"));
    let plan = Plan { warehouse: warehouse.into(), ..plan(twin, &mut tx, &format!("OPEN-{n:06}")) };
    let mut events = vec![
        Event::Created { plan: Box::new(plan), key: Some("k".into()) },
        Event::LabelBought { tracking: number.clone(), label: Hash::default(), charged: None, plate: None },
        Event::Packed,
    ];
    let tag: BagId = format!("OPEN-BAG-{}", *tags + side as u64).as_str().into();
    if n % 10 < 8 {
        events.push(Event::Inducted { station: line.into() });
        events.push(Event::Passed { weight_g: Some(402), dims: None, chute: 3 });
        events.push(Event::Bagged { bag: tag.clone() });
    }
    match n % 10 {
        0..6 => {
            events.push(Event::HandedOver { bag: tag.clone() });
            put::<Tracking>(&mut tx, &id, vec![tracking::Event::Begun { carrier: "direct".into(), number }]);
        }
        6..8 => bags[side].push(ParcelId::from(id.clone())),
        _ => {}
    }
    put::<Parcel>(&mut tx, &id, events);
    if bags[side].len() == BAG_HOLDS {
        *tags += 2;
        let added = bags[side].drain(..).map(|parcel| bag::Event::Added { parcel, weight_g: 402 });
        let opened = bag::Event::Opened { warehouse: warehouse.into(), station: line.into(), chute: 3, channel: "direct/packet".into() };
        let events = std::iter::once(opened).chain(added).chain([bag::Event::Closed { why: "full".into() }]).collect();
        put::<Bag>(&mut tx, tag.text(), events);
    }
    tx
}

fn arrived(twin: &twin::Twin, n: u64) -> Tx {
    let mut tx = Tx::at(Moment(1_762_617_600_000_000 + n as i64));
    let plan = plan(twin, &mut tx, &format!("SHO-{n:07}"));
    let number = TrackingNumber::new(twin::s10::item("LX", n as u32, "CN"));
    let events = vec![
        Event::Created { plan: Box::new(plan), key: Some("k".into()) },
        Event::LabelBought { tracking: number.clone(), label: Hash::default(), charged: None, plate: None },
        Event::Inducted { station: "SZX/line-1".into() },
        Event::Passed { weight_g: Some(402), dims: None, chute: 3 },
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

fn plan(twin: &twin::Twin, tx: &mut Tx, order: &str) -> Plan {
    let personal = Personal {
        name: "Maria Musterfrau".into(),
        street: "12 Lange Strasse".into(),
        city: "Frankfurt am Main".into(),
        ..Personal::default()
    };
    let buyer = twin.seal_buyer(tx, &personal).expect("a key");
    Plan {
        order: twin::OrderId::new(order),
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
    }
}

fn put<E: Entity>(tx: &mut Tx, id: &smol_str::SmolStr, events: Vec<E::Event>) {
    let mut state = E::default();
    events.iter().for_each(|e| state.apply(tx.at, e));
    tx.stage::<E>(id, events.len() as u32, events, Standing::default(), &state);
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

fn run(dir: &Path, delivered: u64) {
    let started = Instant::now();
    let metrics = parceltwin::api::metrics::install().expect("the only recorder");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let scenario = Scenario::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/quick-start")).expect("the bundled scenario");
        let mut site = scenario.read_site().expect("the bundled site");
        for line in site.warehouses.iter_mut().flat_map(|w| &mut w.stations).filter_map(|s| s.line.as_mut()) {
            line.tolerance_ms = i64::from(GAP_MS / 3);
        }
        let home = Arc::new(home::home(dir).expect("a twin"));
        let opened = started.elapsed().as_secs_f64();
        let twin = home.twin.clone();
        let clock = Clock::free(1.0, twin.head().at);
        let settings = DemandSettings { orders: ORDERS as u32, problem_ppm: 0, ..DemandSettings::default() };
        let products = demand::catalogue(1, &settings);
        let floor = FloorSettings { gap_ms: GAP_MS, pack_s: [2, 6], ..FloorSettings::default() };
        let world = SimWorld::build(&site, Setup { floor, ..Setup::default() }, clock.clone(), &products);
        let outside = World {
            clock: clock.clone(),
            twin: twin.clone(),
            pace: Pace::Disk,
            delivery: Delivery::Mailbox,
            dials: world.dials(),
            drivers: world.drivers(&site),
        };
        let running = Site::start(site.clone(), outside).await.expect("a site");
        // As `parceltwin live` does.
        let doubted = home.clone();
        let recount = tokio::task::spawn_blocking(move || {
            let before = Instant::now();
            doubted.recount().expect("it is whole");
            before.elapsed().as_secs_f64()
        });
        running.describe(products.iter().cloned().map(actors::catalog::Change::from).collect());
        let begun = started.elapsed().as_secs_f64();
        let warehouses: Vec<_> = site.warehouses.iter().map(|w| w.id.clone()).collect();
        running.count(demand::stock(1, &settings, &products, &warehouses));
        let mut orders: Vec<_> = demand::orders(1, &settings, &products, clock.now()).map(|(_, o)| o).collect();
        let later = orders.split_off(500);
        let receipts = running.receive(orders).await.expect("orders are taken");
        let took = started.elapsed().as_secs_f64();
        println!("opened after {opened:.2} s, started after {begun:.2} s, {} orders taken after {took:.2} s", receipts.len());
        println!("  taken up at the start: {}", take_ups(&metrics));
        for portion in later.chunks(250) {
            running.receive(portion.to_vec()).await.expect("orders are taken");
        }
        clock.sleep(Span::from_secs(20)).await;
        println!("the live twin was read behind in {:.1} s", recount.await.expect("it is read"));
        fall(&running, &clock).await;
        println!("  taken up in all: {}", take_ups(&metrics));
        clock.sleep(Span::from_secs(10)).await;
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = |name: &str| status.lines().find(|l| l.starts_with(name)).unwrap_or(name).to_owned();
        println!("running on {} records: {}; {}", twin.head().records, line("VmRSS"), line("VmHWM"));
        println!("how long the sorters waited for their answers, from the start on:");
        metrics.render().lines().filter(|l| l.starts_with("parceltwin_divert_answer_seconds")).for_each(|l| println!("  {l}"));
        tell_histories(&home, delivered);
        running.stop().await;
    });
}

/// How often each list was gone through, and how long that took on the average.
fn take_ups(metrics: &PrometheusHandle) -> String {
    let text = metrics.render();
    let of = |what: &str| {
        let lines = text.lines().filter_map(move |l| l.strip_prefix(what)?.split_once("\"} "));
        lines.map(|(list, n)| (list.to_owned(), n.parse::<f64>().unwrap_or(0.0))).collect::<BTreeMap<_, _>>()
    };
    let counts = of("parceltwin_take_up_seconds_count{list=\"");
    let sums = of("parceltwin_take_up_seconds_sum{list=\"");
    let told = counts.iter().map(|(list, n)| format!("{list} {n} × {:.0} ms", sums.get(list).unwrap_or(&0.0) / n * 1e3));
    told.collect::<Vec<_>>().join(", ")
}

/// Lets a carrier, the desk and a line fall, in turn, and says how soon another sits in the place.
async fn fall(running: &Site, clock: &Clock) {
    let house = &running.house;
    let carrier = || house.carriers.get(&"direct".into()).and_then(|seat| seat.actor()).map(|actor| actor.get_cell()).into_iter().collect();
    let desk = || house.desk.actor().map(|actor| actor.get_cell()).into_iter().collect();
    let stations = || {
        let warehouse = house.warehouses.get(&"SZX".into()).and_then(|seat| seat.actor());
        warehouse.map(|actor| actor.get_cell().get_children()).unwrap_or_default()
    };
    // Of the stations the line has the most devices.
    let roles: [(&str, &dyn Fn() -> Vec<ActorCell>); 3] = [("carrier", &carrier), ("desk", &desk), ("line", &stations)];
    for (name, of) in roles {
        let mut took = Vec::new();
        for n in 0..FALLS {
            let there = of();
            let fallen = there.iter().max_by_key(|cell| cell.get_children().len()).expect("somebody sits there");
            let is_new =
                |cell: &ActorCell| there.iter().all(|old| old.get_id() != cell.get_id()) && cell.get_status() == ActorStatus::Running;
            let before = Instant::now();
            fallen.kill();
            while !of().iter().any(is_new) {
                tokio::time::sleep(std::time::Duration::from_micros(200)).await;
            }
            // Each within a minute waits twice as long as the one before.
            took.push(before.elapsed().as_secs_f64() * 1e3 - BACKOFF_MS * (1 << n) as f64);
            clock.sleep(FALL_EVERY).await;
        }
        let told: Vec<_> = took.iter().map(|ms| format!("{ms:.1}")).collect();
        println!("{name}: at work again so many ms after the back-off: {}", told.join(", "));
    }
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

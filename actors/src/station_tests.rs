//! Bench, dock and rework bench: what their devices see, what they write, and whom they tell. The line has its own.

use super::*;
use crate::dock::Dock;
use crate::testing::Overheard;
use crate::{Caller, slip};
use drivers::devices::Observation;
use twin::bag::{self, Bag};
use twin::parcel::{Command, Interception, Parcel, Plan};
use twin::{BagId, ManifestId, TrackingNumber};

/// A station of the bundled site whose printer is heard.
fn station(id: &str) -> (Overheard, Base) {
    let overheard = Overheard::new(BTreeMap::new());
    let house = overheard.house.clone();
    let in_force = house.in_force();
    let config = in_force.config.warehouse(&"SZX".into()).unwrap().stations.iter().find(|s| s.id.as_str() == id).unwrap().clone();
    let printer = Seat::default();
    overheard.ear("the printer", &printer);
    let host = Host::load(&house.twin, id).unwrap();
    let base = Base {
        host,
        warehouse: "SZX".into(),
        config,
        seat: Seat::default(),
        devices: [(DeviceKind::Printer, printer)].into(),
        devices_out: BTreeMap::new(),
        house,
    };
    (overheard, base)
}

/// A parcel that wears label `T1`.
fn labelled(base: &Base) -> Host<Parcel> {
    let (house, mut work) = (&base.house, base.house.work());
    let mut parcel = Host::<Parcel>::load(&house.twin, "O-1").unwrap();
    let plan = Plan { order: "O@shopify:s".into(), warehouse: "SZX".into(), channel: "direct/packet".into(), ..Plan::default() };
    parcel.command(&mut work, Command::Create { plan: Box::new(plan) }).unwrap();
    let label = house.twin.seal_label(&mut work.tx, &parcel.state, b"^XA^FDlabel^FS^XZ".to_vec()).unwrap();
    parcel.command(&mut work, Command::TakeLabel { tracking: TrackingNumber::new("T1"), plate: None, label, charged: None }).unwrap();
    house.commit(work);
    parcel
}

fn read(code: &str) -> Observation {
    Observation::Scanned { code: Some(code.into()), dims: None }
}

#[test]
fn a_bench_prints_slip_and_label_and_a_scan_says_packed() {
    let (overheard, base) = station("SZX/bench-1");
    labelled(&base);
    overheard.heard();
    let mut bench = Bench::default();
    bench.print(&base, "O-1".into()).unwrap();
    overheard.expect(&["the printer hears Do(Print { job: 1"]);
    bench.saw(&base, Observation::Printed { job: 1 }).unwrap();
    overheard.expect(&["parcels hears To(ParcelId(\"O-1\"), Printed(DeviceId(\"SZX/bench-1/printer\")"]);
    // It says so once.
    bench.saw(&base, Observation::Printed { job: 1 }).unwrap();
    overheard.expect(&[]);
    bench.saw(&base, read("T1")).unwrap();
    overheard.expect(&["parcels hears To(ParcelId(\"O-1\"), Packed"]);
    bench.saw(&base, read("T999")).unwrap();
    overheard.expect(&[]);
}

#[test]
fn what_a_fallen_printer_had_not_printed_is_printed_again() {
    let (overheard, base) = station("SZX/bench-1");
    labelled(&base);
    let mut bench = Bench::default();
    bench.print(&base, "O-1".into()).unwrap();
    overheard.heard();
    bench.print_again(&base).unwrap();
    overheard.expect(&["the printer hears Do(Print { job: 2"]);
}

/// A closed bag of direct packets with one parcel in it.
fn closed_bag(base: &Base) -> BagId {
    let id = BagId::new(twin::sscc::sscc("69012341", 1));
    let mut work = base.house.work();
    let mut bag = Host::<Bag>::load(&base.house.twin, id.text().clone()).unwrap();
    let open = bag::Command::Open { warehouse: "SZX".into(), station: "SZX/line-1".into(), chute: 3, channel: "direct/packet".into() };
    for command in [open, bag::Command::Add { parcel: "O-1".into(), weight_g: 402 }, bag::Command::Close { why: "full".into() }] {
        bag.command(&mut work, command).unwrap();
    }
    base.house.commit(work);
    id
}

#[test]
fn a_dock_loads_a_closed_bag_once_and_hands_over_what_is_in_it() {
    let (overheard, mut base) = station("SZX/dock-1");
    let bag = closed_bag(&base);
    let mut dock = Dock::open(&base).unwrap();
    overheard.heard();
    dock.load(&mut base, &bag, Caller::nobody()).unwrap();
    overheard.expect(&[
        "wrote Manifest(Opened",
        "wrote Station(ManifestOpened",
        "wrote Bag(HandedOver",
        "wrote Manifest(Loaded",
        "says Parcel(ParcelId(\"O-1\"), HandOver",
        "says Answer(Done(",
    ]);
    dock.load(&mut base, &bag, Caller::nobody()).unwrap();
    overheard.expect(&[]);
    let manifest = ManifestId::new("SZX/dock-1:direct:1");
    dock.close(&base, &manifest).unwrap();
    overheard.expect(&["wrote Manifest(Closed"]);
    dock.close(&base, &manifest).unwrap();
    overheard.expect(&[]);
}

#[test]
fn a_bag_that_is_missed_is_told_of_once_and_an_open_one_does_not_leave() {
    let (overheard, mut base) = station("SZX/dock-1");
    let bag = closed_bag(&base);
    overheard.heard();
    for expected in [&["wrote Bag(ExceptionRaised"][..], &[]] {
        Dock::open(&base).unwrap().missed(&base, &bag).unwrap();
        overheard.expect(expected);
    }
    let mut dock = Dock::open(&base).unwrap();
    let (refused, answer) = Caller::waiting();
    dock.load(&mut base, &"nobody's".into(), refused).unwrap();
    assert!(answer.blocking_recv().unwrap().unwrap_err().contains("only a closed one can leave"));
    overheard.expect(&[]);
}

#[test]
fn rework_gives_a_wrong_weight_its_measure_and_a_wrong_label_its_own() {
    let (overheard, base) = station("SZX/rework-1");
    let mut parcel = labelled(&base);
    let mut work = base.house.work();
    for command in [
        Command::Induct { station: "SZX/line-1".into() },
        Command::Judge {
            measured_g: Some(900),
            measured: None,
            divert: twin::parcel::Divert::Stop { why: Interception::Weight { declared_g: 400, measured_g: 900 }, chute: 8 },
        },
    ] {
        parcel.command(&mut work, command).unwrap();
    }
    base.house.commit(work);
    overheard.heard();
    let mut rework = Rework::default();
    // The code on a pick slip.
    let slip_code = slip_of(&"O-1".into());
    rework.saw(&base, read(&slip_code)).unwrap();
    overheard.expect(&[]);
    rework.saw(&base, read("T1")).unwrap();
    overheard.expect(&[
        "parcels hears To(ParcelId(\"O-1\"), Rework { note: \"contents checked by hand, measures taken over\", declared: Some((900",
    ]);
    rework.saw(&base, read(&slip_code)).unwrap();
    rework.saw(&base, read("ANOTHERS")).unwrap();
    overheard.expect(&["the printer hears Do(Print", "parcels hears To(ParcelId(\"O-1\"), Rework { note: \"wore another label"]);
}

/// What a scanner reads off a parcel's pick slip.
fn slip_of(parcel: &twin::ParcelId) -> String {
    let code = format!("{}{parcel}", slip::SLIP);
    assert_eq!(slip::parcel_of(&code).as_ref(), Some(parcel));
    code
}

fn told(base: &mut Base, role: &mut Role, hand: Hand) -> Result<(), String> {
    let (caller, answer) = Caller::waiting();
    by_hand(base, role, hand, caller).unwrap();
    // One that is agreed to is answered when it is durable.
    answer.blocking_recv().unwrap_or(Ok(()))
}

#[test]
fn a_bench_that_is_out_prints_nothing_and_its_warehouse_hears_why_once() {
    let (overheard, mut base) = station("SZX/bench-1");
    labelled(&base);
    let mut role = Role::Bench(Bench::default());
    overheard.heard();
    let out = || Hand::TakeOut { why: "its table is broken".into() };
    told(&mut base, &mut role, out()).unwrap();
    overheard.expect(&[
        "wrote Station(TakenOut { why: \"its table is broken\"",
        "says Warehouse(WarehouseId(\"SZX\"), StationOut { station: StationId(\"SZX/bench-1\"), out: Some(\"its table is broken\")",
        "says Answer(Done(",
    ]);
    assert_eq!(base.no_work().as_deref(), Some("its table is broken"));
    told(&mut base, &mut role, out()).unwrap();
    overheard.expect(&["says Answer(Done("]);
    // Its printer as well: it is still out when one of the two is back.
    device_out(&mut base, &mut role, DeviceKind::Printer, Some("being repaired".into())).unwrap();
    told(&mut base, &mut role, Hand::PutBack { why: "a new table".into() }).unwrap();
    overheard.expect(&[
        "wrote Station(PutBack { why: \"a new table\"",
        "says Warehouse(WarehouseId(\"SZX\"), StationOut { station: StationId(\"SZX/bench-1\"), out: Some(\"its printer is out: being repaired\")",
        "says Answer(Done(",
    ]);
    device_out(&mut base, &mut role, DeviceKind::Printer, None).unwrap();
    overheard.expect(&["SZX hears StationOut { station: StationId(\"SZX/bench-1\"), out: None"]);
    assert_eq!(base.no_work(), None);
}

#[test]
fn what_is_out_stays_out_for_whoever_starts_next() {
    let (_overheard, mut base) = station("SZX/bench-1");
    told(&mut base, &mut Role::Bench(Bench::default()), Hand::TakeOut { why: "cleaning".into() }).unwrap();
    let mut work = base.house.work();
    let mut printer = Host::<twin::device::Device>::load(&base.house.twin, "SZX/bench-1/printer").unwrap();
    printer.command(&mut work, twin::device::Command::TakeOut { why: "being repaired".into() }).unwrap();
    base.house.commit(work);
    let no_work = |base: &Base| crate::taken_out::no_work_for(&base.house.twin, &base.config).unwrap();
    assert_eq!(no_work(&base).as_deref(), Some("cleaning"));
    told(&mut base, &mut Role::Bench(Bench::default()), Hand::PutBack { why: "clean".into() }).unwrap();
    assert_eq!(no_work(&base).as_deref(), Some("its printer is out: being repaired"));
    base.look_at_devices().unwrap();
    assert_eq!(base.devices_out, [(DeviceKind::Printer, "being repaired".into())].into());
}

#[test]
fn a_bench_gives_up_what_its_printer_had_and_does_not_print_it_again() {
    let (overheard, mut base) = station("SZX/bench-1");
    labelled(&base);
    let mut role = Role::Bench(Bench::default());
    let Role::Bench(bench) = &mut role else { panic!() };
    bench.print(&base, "O-1".into()).unwrap();
    device_out(&mut base, &mut role, DeviceKind::Printer, Some("being repaired".into())).unwrap();
    overheard.heard();
    let Role::Bench(bench) = &mut role else { panic!() };
    bench.print_again(&base).unwrap();
    overheard.expect(&[]);
}

#[test]
fn at_a_dock_that_is_out_nothing_is_handed_over_and_the_bag_says_so() {
    let (overheard, mut base) = station("SZX/dock-1");
    let bag = closed_bag(&base);
    let mut dock = Dock::open(&base).unwrap();
    told(&mut base, &mut Role::Dock(Dock::default()), Hand::TakeOut { why: "its gate is stuck".into() }).unwrap();
    overheard.heard();
    let (refused, answer) = Caller::waiting();
    dock.load(&mut base, &bag, refused).unwrap();
    assert_eq!(answer.blocking_recv().unwrap().unwrap_err(), "nothing is handed over at SZX/dock-1, which is out: its gate is stuck");
    overheard.expect(&[]);
    for expected in [&["wrote Bag(ExceptionRaised { what: \"its tag was read at SZX/dock-1, which is out (its gate is stuck)"][..], &[]] {
        dock.saw(&mut base, read(&format!("00{bag}"))).unwrap();
        overheard.expect(expected);
    }
    told(&mut base, &mut Role::Dock(Dock::default()), Hand::PutBack { why: "mended".into() }).unwrap();
    overheard.heard();
    dock.saw(&mut base, read(&format!("00{bag}"))).unwrap();
    assert!(overheard.heard().iter().any(|line| line.starts_with("wrote Bag(HandedOver")));
}

#[test]
fn a_rework_bench_that_is_out_reworks_nothing_and_only_a_line_has_chutes() {
    let (overheard, mut base) = station("SZX/rework-1");
    labelled(&base);
    told(&mut base, &mut Role::Rework(Rework::default()), Hand::TakeOut { why: "r".into() }).unwrap();
    overheard.heard();
    let mut rework = Rework::default();
    rework.saw(&base, read(&slip_of(&"O-1".into()))).unwrap();
    rework.saw(&base, read("ANOTHERS")).unwrap();
    overheard.expect(&[]);
    let refused = told(&mut base, &mut Role::Rework(rework), Hand::TakeChuteOut { chute: 1, why: "r".into() });
    assert_eq!(refused.unwrap_err(), "SZX/rework-1 is a rework: only a line has chutes");
    let refused = told(&mut base, &mut Role::Rework(Rework::default()), Hand::TakeDeviceOut { device: "nobody's".into(), why: "r".into() });
    assert_eq!(refused.unwrap_err(), "SZX/rework-1 has no device nobody's");
}

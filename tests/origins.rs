//! Every record says by whom and because of what: over a whole run, from the order to the door.

mod support;

use sim::scenario::Scenario;
use std::collections::{BTreeMap, BTreeSet};
use support::project;
use twin::{Because, By, Event, Key, Record, bag, parcel, stock};

/// What happens on an ordinary day, who does it, and what led to it. What the house does because of nothing is its
/// beginning, what a clock sets off, and what comes from outside without a name: simulated buyers, counted stock.
const ORDINARY: [(&str, &str, &str); 43] = [
    ("bag.added", "line sorter", "nothing"),
    ("bag.closed", "system", "nothing"),
    ("bag.handed_over", "dock scanner", "nothing"),
    ("bag.opened", "line sorter", "nothing"),
    ("charges.charged", "carrier", "parcel.created"),
    ("charges.charged", "dock scanner", "manifest.loaded"),
    ("charges.charged", "system", "order.allocated"),
    ("declaration.cleared", "carrier", "nothing"),
    ("declaration.drafted", "system", "order.allocated"),
    ("declaration.lodged", "carrier", "parcel.created"),
    ("declaration.presented", "carrier", "nothing"),
    ("device.connected", "itself", "nothing"),
    ("manifest.closed", "system", "nothing"),
    ("manifest.loaded", "dock scanner", "nothing"),
    ("manifest.opened", "dock scanner", "nothing"),
    ("order.allocated", "system", "order.received"),
    ("order.picked", "system", "parcel.packed"),
    ("order.received", "system", "nothing"),
    ("parcel.bagged", "line sorter", "bag.added"),
    ("parcel.created", "system", "order.allocated"),
    ("parcel.handed_over", "dock scanner", "manifest.loaded"),
    ("parcel.inducted", "line scanner", "nothing"),
    ("parcel.label_bought", "carrier", "parcel.created"),
    ("parcel.packed", "bench scanner", "nothing"),
    ("parcel.passed", "line sorter", "parcel.inducted"),
    ("parcel.printed", "bench printer", "parcel.label_bought"),
    ("problem.closed", "system", "tracking.tracked"),
    ("problem.opened", "system", "tracking.tracked"),
    ("product.described", "system", "nothing"),
    ("settings.activated", "system", "nothing"),
    ("settings.drafted", "system", "nothing"),
    ("station.bag_placed", "line sorter", "nothing"),
    ("station.bag_removed", "system", "nothing"),
    ("station.manifest_opened", "dock scanner", "nothing"),
    ("station.opened", "system", "nothing"),
    ("stock.counted", "system", "nothing"),
    ("stock.picked", "system", "parcel.packed"),
    ("stock.reserved", "system", "order.received"),
    ("tracking.begun", "dock scanner", "manifest.loaded"),
    ("tracking.exception_cleared", "carrier", "nothing"),
    ("tracking.exception_raised", "carrier", "nothing"),
    ("tracking.tracked", "carrier", "nothing"),
    ("warehouse.opened", "system", "nothing"),
];

/// What a day on which everything breaks adds to that. An order that is held as it comes in is held by who sent it.
const ROUGH: [(&str, &str, &str); 27] = [
    ("bag.closed", "line sorter", "nothing"),
    ("carrier.resumed", "itself", "parcel.created"),
    ("carrier.suspended", "itself", "parcel.created"),
    ("device.disconnected", "itself", "nothing"),
    ("device.fault_cleared", "itself", "nothing"),
    ("device.fault_raised", "itself", "nothing"),
    ("order.held", "system", "nothing"),
    ("order.held", "system", "order.received"),
    ("parcel.intercepted", "line sorter", "parcel.inducted"),
    ("parcel.intercepted", "rework scanner", "nothing"),
    ("parcel.label_lost", "carrier", "parcel.created"),
    ("parcel.measured", "line sorter", "parcel.inducted"),
    ("parcel.reworked", "rework scanner", "nothing"),
    ("problem.changed", "system", "tracking.tracked"),
    ("problem.closed", "system", "carrier.resumed"),
    ("problem.closed", "system", "device.connected"),
    ("problem.closed", "system", "device.fault_cleared"),
    ("problem.closed", "system", "parcel.reworked"),
    ("problem.opened", "system", "carrier.suspended"),
    ("problem.opened", "system", "device.disconnected"),
    ("problem.opened", "system", "device.fault_raised"),
    ("problem.opened", "system", "order.held"),
    ("problem.opened", "system", "parcel.intercepted"),
    ("problem.opened", "system", "station.rejected"),
    ("return.announced", "carrier", "nothing"),
    ("station.bag_removed", "line sorter", "nothing"),
    ("station.rejected", "line sorter", "nothing"),
];

/// The journal of a bundled scenario with so many orders.
fn journal(scenario: &str, orders: u32) -> Vec<Record> {
    let mut scenario = Scenario::read(&project().join("scenarios").join(scenario)).expect("the bundled scenario is good");
    scenario.demand.orders = orders;
    let run = sim::run::run(&scenario, 1, None, &mut |_| ()).expect("it runs");
    run.twin.records(0).map(|r| r.expect("the journal reads")).collect()
}

/// The kind and the word of an event: `parcel.packed`.
fn word(event: &Event) -> String {
    let json = serde_json::to_value(event).expect("it is plain data");
    let (kind, inner) = json.as_object().and_then(|o| o.iter().next()).expect("an event has a kind");
    let word = inner.as_str().or_else(|| inner.as_object()?.keys().next().map(String::as_str)).expect("an event has a word");
    format!("{kind}.{word}")
}

/// `SZX/line-1/scanner` is a line scanner and stands at `SZX/line-1`.
fn place(device: &str) -> (String, &str) {
    let (station, kind) = device.rsplit_once('/').expect("its id names its station");
    let of = station.rsplit('/').next().unwrap_or(station).trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
    (format!("{of} {kind}"), station)
}

/// Who did what because of what, each once. Checks on the way that causes stand before their consequences and are about
/// the same order, that carriers are the parcel's own, and that devices belong to the station that has the parcel or bag.
fn seen(journal: &[Record]) -> BTreeSet<(String, String, String)> {
    let mut plans: BTreeMap<&Key, &parcel::Plan> = BTreeMap::new();
    let mut stations: BTreeMap<(&Key, String), &str> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for record in journal {
        let (key, id, what) = (&record.key, record.key.id.as_str(), word(&record.event));
        if let Event::Parcel(parcel::Event::Created { plan, .. }) = &record.event {
            plans.insert(key, plan);
        }
        let plan_of = |parcel: &str| plans.get(&Key::new(twin::Kind::Parcel, parcel)).expect("it was created").order.as_str();
        let order_of = |record: &Record| match &record.event {
            Event::Order(_) => Some(record.key.id.to_string()),
            Event::Parcel(_) | Event::Tracking(_) | Event::Return(_) | Event::Charges(_) | Event::Declaration(_) => {
                Some(plan_of(&record.key.id).to_owned())
            }
            Event::Bag(bag::Event::Added { parcel, .. }) => Some(plan_of(parcel.as_str()).to_owned()),
            Event::Stock(stock::Event::Reserved { order, .. } | stock::Event::Picked { order, .. }) => Some(order.to_string()),
            _ => None,
        };
        let why = match record.because {
            Because::Record(seq) => {
                assert!(seq > 0 && seq < record.seq, "{record:?}");
                let cause = &journal[seq as usize - 1];
                if let (Some(of), Some(order)) = (order_of(cause), order_of(record)) {
                    assert_eq!(of, order, "{record:?}\nbecause of {cause:?}");
                }
                word(&cause.event)
            }
            Because::Nothing => "nothing".into(),
            Because::Request(_) => panic!("nobody asks over HTTP: {record:?}"),
        };
        let who = match &record.by {
            By::System => "system".into(),
            By::Device(device) if id == device.as_str() => "itself".into(),
            By::Device(device) => {
                let (who, station) = place(device.as_str());
                let at = match &record.event {
                    Event::Parcel(parcel::Event::Inducted { station }) | Event::Bag(bag::Event::Opened { station, .. }) => station.as_str(),
                    Event::Parcel(parcel::Event::Printed { printer }) => place(printer.as_str()).1,
                    Event::Station(_) => id,
                    _ => station,
                };
                let of = who.split(' ').next().unwrap_or_default().to_owned();
                if matches!(what.as_str(), "parcel.inducted" | "bag.opened" | "parcel.printed") {
                    stations.insert((key, of.clone()), at);
                }
                assert_eq!((at, stations.get(&(key, of)).copied().unwrap_or(at)), (station, station), "{record:?}");
                who
            }
            By::Carrier(carrier) if id == carrier.as_str() => "itself".into(),
            By::Carrier(carrier) => {
                assert_eq!(plans[&Key::new(twin::Kind::Parcel, id)].carrier, *carrier, "{record:?}");
                "carrier".into()
            }
            other => panic!("nobody else takes part: {other:?}"),
        };
        seen.insert((what, who, why));
    }
    seen
}

fn table(rows: &[(&str, &str, &str)]) -> BTreeSet<(String, String, String)> {
    rows.iter().map(|(what, who, why)| ((*what).into(), (*who).into(), (*why).into())).collect()
}

#[test]
fn an_ordinary_day() {
    assert_eq!(seen(&journal("quick-start", 60)), table(&ORDINARY));
}

/// Labels that are asked for again, quotes that come late, and boxes that go round forget nothing.
#[test]
fn a_rough_day() {
    let more: BTreeSet<_> = seen(&journal("rough-day", 300)).difference(&table(&ORDINARY)).cloned().collect();
    assert_eq!(more, table(&ROUGH));
}

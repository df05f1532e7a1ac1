//! Every record says by whom and because of what: over a whole run, from the order to the door.

mod support;

use sim::scenario::Scenario;
use std::collections::{BTreeMap, BTreeSet};
use support::project;
use twin::entity::Event;
use twin::{Because, By, Record, bag, device, order, parcel, stock};

struct Journal {
    records: Vec<Record>,
    site: actors::config::SiteConfig,
}

impl Journal {
    fn of(scenario: &str, seed: u64) -> Journal {
        let scenario = Scenario::read(&project().join("scenarios").join(scenario)).expect("the bundled scenario is good");
        let run = sim::run::run(&scenario, seed, None, &mut |_| ()).expect("it runs");
        Journal { records: run.twin.records(0).map(|r| r.expect("the journal reads")).collect(), site: run.site }
    }

    /// The record that led to this one.
    fn cause(&self, record: &Record) -> Option<&Record> {
        let Because::Record(seq) = record.because else { return None };
        self.records.get(seq as usize - 1)
    }

    /// The last record of the same thing before this one that is like that.
    fn before(&self, record: &Record, like: impl Fn(&Event) -> bool) -> Option<&Record> {
        self.records[..record.seq as usize - 1].iter().rev().find(|r| r.key == record.key && like(&r.event))
    }

    fn device_of(&self, station: &str, kind: device::DeviceKind) -> By {
        let all = self.site.warehouses.iter().flat_map(|w| &w.stations);
        let station = all.into_iter().find(|s| s.id.as_str() == station).expect("the station is in the plan");
        By::Device(station.devices.iter().find(|d| d.kind == kind).expect("it has that device").id.clone())
    }
}

/// The kind and the word of an event: `parcel.packed`.
fn word(event: &Event) -> String {
    let json = serde_json::to_value(event).expect("it is plain data");
    let (kind, inner) = json.as_object().and_then(|o| o.iter().next()).expect("an event has a kind");
    let word = match inner {
        serde_json::Value::String(word) => word,
        inner => inner.as_object().and_then(|o| o.keys().next()).expect("an event has a word"),
    };
    format!("{kind}.{word}")
}

#[test]
fn every_cause_stands_before_its_consequence() {
    for (scenario, seed) in [("quick-start", 1), ("golden-morning", 1)] {
        let journal = Journal::of(scenario, seed);
        for record in &journal.records {
            if let Because::Record(seq) = record.because {
                assert!(seq > 0 && seq < record.seq, "{record:?}");
            }
        }
    }
}

#[test]
fn who_did_what_and_why() {
    use device::DeviceKind::{Scanner, Sorter};
    let journal = Journal::of("quick-start", 1);
    let mut lines: BTreeMap<&str, &str> = BTreeMap::new();
    let mut bags: BTreeMap<&str, &str> = BTreeMap::new();
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for record in &journal.records {
        let cause = journal.cause(record);
        let led = |like: &dyn Fn(&Record) -> bool| cause.is_some_and(like);
        let id = record.key.id.as_str();
        let by_system = record.by == By::System;
        let good = match &record.event {
            // Buyers are outside; they come by no key in a simulation.
            Event::Order(order::Event::Received { .. }) => by_system && cause.is_none(),
            Event::Order(order::Event::Allocated { .. }) | Event::Stock(stock::Event::Reserved { .. }) => {
                let order = match &record.event {
                    Event::Stock(stock::Event::Reserved { order, .. }) => order.as_str(),
                    _ => id,
                };
                by_system
                    && led(&|c| match &c.event {
                        Event::Order(order::Event::Received { .. }) => c.key.id == order,
                        Event::Stock(_) => true,
                        _ => false,
                    })
            }
            Event::Parcel(event) => match event {
                parcel::Event::Created { plan } => {
                    by_system && led(&|c| c.key.id == *plan.order.text() && matches!(c.event, Event::Order(order::Event::Allocated { .. })))
                }
                parcel::Event::LabelRequested { .. } => {
                    by_system && led(&|c| matches!(c.event, Event::Order(order::Event::Allocated { .. })))
                }
                parcel::Event::LabelBought { .. } | parcel::Event::Tracked { .. } => {
                    let carrier = journal.before(record, |e| matches!(e, Event::Parcel(parcel::Event::Created { .. })));
                    let Some(Event::Parcel(parcel::Event::Created { plan })) = carrier.map(|r| &r.event) else {
                        panic!("{id} was never created")
                    };
                    let asked = !matches!(event, parcel::Event::LabelBought { .. })
                        || led(&|c| c.key.id == id && matches!(c.event, Event::Parcel(parcel::Event::LabelRequested { .. })));
                    record.by == By::Carrier(plan.carrier.clone()) && asked
                }
                parcel::Event::Printed { printer } => {
                    record.by == By::Device(printer.clone())
                        && led(&|c| c.key.id == id && matches!(c.event, Event::Parcel(parcel::Event::LabelBought { .. })))
                }
                parcel::Event::Packed => {
                    let printed = journal.before(record, |e| matches!(e, Event::Parcel(parcel::Event::Printed { .. })));
                    let Some(Event::Parcel(parcel::Event::Printed { printer })) = printed.map(|r| &r.event) else {
                        panic!("{id} was packed without a label")
                    };
                    let bench = printer.as_str().rsplit_once('/').expect("its id names its station").0;
                    record.by == journal.device_of(bench, Scanner) && cause.is_none()
                }
                parcel::Event::Inducted { station } => {
                    lines.insert(id, station.as_str());
                    record.by == journal.device_of(station.as_str(), Scanner) && cause.is_none()
                }
                parcel::Event::Measured { .. } | parcel::Event::Verified | parcel::Event::Sorted { .. } => {
                    record.by == journal.device_of(lines[id], Sorter)
                        && led(&|c| c.key.id == id && matches!(c.event, Event::Parcel(parcel::Event::Inducted { .. })))
                }
                parcel::Event::Bagged { bag } => {
                    record.by == journal.device_of(lines[id], Sorter)
                        && led(&|c| {
                            c.key.id == *bag.text()
                                && matches!(&c.event, Event::Bag(bag::Event::Added { parcel, .. }) if *parcel.text() == id)
                        })
                }
                parcel::Event::HandedOver { .. } | parcel::Event::Costed { .. } => {
                    matches!(&record.by, By::Device(scanner) if scanner.as_str().contains("/dock-"))
                        && led(&|c| c.key.kind == twin::Kind::Manifest)
                }
                _ => true,
            },
            Event::Bag(bag::Event::Opened { station, .. }) => {
                bags.insert(id, station.as_str());
                record.by == journal.device_of(station.as_str(), Sorter)
            }
            Event::Bag(bag::Event::Added { .. }) => record.by == journal.device_of(bags[id], Sorter),
            Event::Bag(bag::Event::HandedOver { .. }) => matches!(&record.by, By::Device(scanner) if scanner.as_str().contains("/dock-")),
            // An order goes on because its own parcel does.
            Event::Order(order::Event::Released | order::Event::Packed | order::Event::Shipped | order::Event::Delivered) => {
                let word = word(&record.event);
                let own = led(&|c| c.key.kind == twin::Kind::Parcel && c.key.id.starts_with(id));
                let why = match word.as_str() {
                    "order.released" => led(&|c| matches!(c.event, Event::Parcel(parcel::Event::LabelBought { .. }))),
                    _ => true,
                };
                by_system && own && why
            }
            Event::Device(_) => record.by == By::Device(id.into()),
            _ => true,
        };
        assert!(good, "{record:?}\nbecause of {cause:?}");
        *seen.entry(word(&record.event)).or_default() += 1;
    }
    for word in
        ["order.allocated", "parcel.created", "parcel.label_bought", "parcel.printed", "parcel.sorted", "parcel.bagged", "parcel.tracked"]
    {
        assert!(seen.get(word).is_some_and(|n| *n >= 50), "{word}: {seen:?}");
    }
}

/// What the house does by itself, because of nothing that is written: its beginning, what comes from outside without a
/// name, and what a clock sets off.
#[test]
fn little_happens_by_itself() {
    let journal = Journal::of("quick-start", 1);
    let alone = journal.records.iter().filter(|r| r.by == By::System && r.because == Because::Nothing);
    let alone: BTreeSet<String> = alone.map(|r| word(&r.event)).collect();
    let known =
        ["bag.closed", "manifest.closed", "order.received", "station.bag_removed", "station.opened", "stock.counted", "warehouse.opened"];
    assert_eq!(alone, known.map(String::from).into());
}

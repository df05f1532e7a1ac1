//! This parcel, this message: these events, and these words to others.

use super::*;
use crate::testing::house;
use twin::parcel::Item;
use twin::{Event, Moment};

fn plan() -> Plan {
    let item = Item { order: "O".into(), line: 0, sku: "A".into(), quantity: 1 };
    Plan {
        order: "O@shopify:s".into(),
        warehouse: "SZX".into(),
        carrier: "direct".into(),
        channel: "direct/packet".into(),
        declared_g: 400,
        declared: Dims::new(210, 140, 60),
        items: vec![item],
        ..Plan::default()
    }
}

/// What one message leads to: events by their names, and what is said, each as it prints.
fn told(parcel: &mut ParcelState, message: ParcelMsg) -> (Vec<String>, Vec<String>) {
    let mut work = parcel.house.work();
    // A refusal is an answer too: it leads to no event.
    let _ = parcel.take(&mut work, message).expect("the twin reads");
    let said = work.outgoing().iter().map(|sent| format!("{:?}", sent.what)).collect();
    let events = parcel.house.twin.commit([work.tx]).expect("it is written");
    let name = |event: &Event| format!("{event:?}").split([' ', '{']).next().unwrap_or_default().to_owned();
    (events.iter().map(|record| name(&record.event)).collect(), said)
}

fn parcel() -> ParcelState {
    ParcelState::load(ParcelArguments { house: house(), id: "O-1".into(), rest: Arc::default() }).expect("the twin reads")
}

fn label(number: &str) -> ParcelMsg {
    ParcelMsg::Label(Ok(Label { tracking: TrackingNumber::new(number), zpl: b"^XA^XZ".to_vec(), charged: None, plate: None }))
}

fn begins(said: &[String], words: &[&str]) -> bool {
    said.len() == words.len() && said.iter().zip(words).all(|(said, word)| said.starts_with(word))
}

#[test]
fn created_it_asks_for_its_label_and_labelled_it_is_ready_to_be_packed() {
    let mut parcel = parcel();
    let (events, said) = told(&mut parcel, ParcelMsg::Create(Box::new(plan())));
    assert!(events[0] == "Parcel(Created", "{events:?}");
    assert!(begins(&said, &["Carrier(CarrierId(\"direct\"), BuyLabel("]), "{said:?}");
    assert!(said[0].contains("key: \"O-1.0\""), "{said:?}");
    let (events, said) = told(&mut parcel, label("T1"));
    assert_eq!(events.last().unwrap(), "Parcel(LabelBought");
    assert!(begins(&said, &["Warehouse(WarehouseId(\"SZX\"), Ready("]), "{said:?}");
}

#[test]
fn what_comes_twice_leads_to_nothing_more() {
    let mut parcel = parcel();
    told(&mut parcel, ParcelMsg::Create(Box::new(plan())));
    told(&mut parcel, label("T1"));
    for message in [|| label("T1"), || ParcelMsg::Create(Box::new(plan()))] {
        let (events, said) = told(&mut parcel, message());
        assert!(events.is_empty() && said.is_empty(), "{events:?} {said:?}");
    }
    assert_eq!(told(&mut parcel, ParcelMsg::Packed).1.len(), 2, "the warehouse and the desk hear of it");
    assert_eq!(told(&mut parcel, ParcelMsg::Packed), (vec![], vec![]));
}

#[test]
fn a_label_that_comes_too_late_is_given_back() {
    let mut parcel = parcel();
    told(&mut parcel, ParcelMsg::Create(Box::new(plan())));
    let asked = Stopping { reason: "changed his mind".into(), order: None, unreleased: false, errand: 7, by: By::System };
    let (events, said) = told(&mut parcel, ParcelMsg::Cancel(Box::new(asked)));
    assert_eq!(events.last().unwrap(), "Parcel(Cancelled");
    assert!(begins(&said, &["Warehouse(WarehouseId(\"SZX\"), Seen(", "Desk(Stopped { errand: 7"]), "{said:?}");
    assert!(said[1].ends_with("outcome: Ok(()) })"), "{said:?}");
    let (events, said) = told(&mut parcel, label("T1"));
    assert!(events.is_empty() && begins(&said, &["Carrier(CarrierId(\"direct\"), Void(TrackingNumber(\"T1\"))"]), "{events:?} {said:?}");
}

#[test]
fn judged_too_late_it_goes_where_a_person_looks() {
    let mut parcel = parcel();
    told(&mut parcel, ParcelMsg::Create(Box::new(plan())));
    told(&mut parcel, label("T1"));
    let judge = || {
        let question = Question { sorter: Seat::default(), pic: 5, asked_at: Moment(0), reject: 9 };
        ParcelMsg::Judge { measured_g: Some(402), measured: None, divert: Divert::Pass { chute: 2 }, question }
    };
    let line = || ParcelMsg::Induct { item: 1, station: "SZX/line-1".into(), line: Seat::default() };
    let chute = |said: &[String]| said[0].rsplit(", ").next().unwrap_or_default().to_owned();
    let (events, said) = told(&mut parcel, judge());
    assert!(events.is_empty(), "nobody has read its label: {events:?}");
    assert!(begins(&said, &["Divert("]) && chute(&said) == "9)", "{said:?}");
    let (_, said) = told(&mut parcel, line());
    assert!(said.last().unwrap().starts_with("Station(a seat, Inducted { item: 1, facts: Ok(Facts"), "{said:?}");
    let (events, said) = told(&mut parcel, judge());
    assert_eq!(events.last().unwrap(), "Parcel(Passed");
    assert_eq!(chute(&said), "2)");
}

#[test]
fn handed_over_its_carrier_watches_it() {
    let mut parcel = parcel();
    told(&mut parcel, ParcelMsg::Create(Box::new(plan())));
    told(&mut parcel, label("T1"));
    told(&mut parcel, ParcelMsg::Induct { item: 1, station: "SZX/line-1".into(), line: Seat::default() });
    let question = Question { sorter: Seat::default(), pic: 5, asked_at: Moment(0), reject: 9 };
    told(&mut parcel, ParcelMsg::Judge { measured_g: Some(402), measured: None, divert: Divert::Pass { chute: 2 }, question });
    told(&mut parcel, ParcelMsg::Bag { chute: 2, bag: "B".into() });
    let (events, said) = told(&mut parcel, ParcelMsg::HandOver { bag: "B".into() });
    assert!(events.contains(&"Parcel(HandedOver".into()) && events.contains(&"Tracking(Begun".into()), "{events:?}");
    assert!(
        begins(&said, &["Carrier(CarrierId(\"direct\"), Watch { parcel: ParcelId(\"O-1\"), tracking: TrackingNumber(\"T1\")"]),
        "{said:?}"
    );
    assert_eq!(told(&mut parcel, ParcelMsg::HandOver { bag: "B".into() }), (vec![], vec![]));
}

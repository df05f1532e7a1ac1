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
    // That something is wrong, and whose a number is, follows from the state that is written.
    let follows = |what: &Outgoing| matches!(what, Outgoing::Problems(_) | Outgoing::Claimed(_));
    let said = work.outgoing().iter().filter(|sent| !follows(&sent.what)).map(|sent| format!("{:?}", sent.what)).collect();
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
    assert!(begins(&said, &["Carrier(CarrierId(\"direct\"), BuyLabel {"]), "{said:?}");
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
    assert!(!parcel.has_ended(), "its label may be on its way");
    let (events, said) = told(&mut parcel, label("T1"));
    assert_eq!(events, ["Parcel(LabelUnused"]);
    let void = "Carrier(CarrierId(\"direct\"), Void { parcel: ParcelId(\"O-1\"), tracking: TrackingNumber(\"T1\")";
    assert!(begins(&said, &[void]), "{said:?}");
    // After a fall it is asked again, until the carrier has answered.
    assert!(begins(&told(&mut parcel, ParcelMsg::Resume).1, &[void]));
    assert_eq!(told(&mut parcel, ParcelMsg::GivenBack(TrackingNumber::new("T1"))).0, ["Parcel(Voided"]);
    assert!(parcel.has_ended() && told(&mut parcel, ParcelMsg::Resume).1.is_empty());
}

#[test]
fn one_that_fell_before_its_answer_came_asks_under_its_key_what_was_sold() {
    let mut parcel = parcel();
    told(&mut parcel, ParcelMsg::Create(Box::new(plan())));
    let asked = Stopping { reason: "changed his mind".into(), order: None, unreleased: false, errand: 7, by: By::System };
    told(&mut parcel, ParcelMsg::Cancel(Box::new(asked)));
    assert_eq!(parcel.host.state.void, Void::Awaited);
    let (_, said) = told(&mut parcel, ParcelMsg::Resume);
    assert!(said[0].contains("BuyLabel") && said[0].contains("again: true"), "{said:?}");
    assert_eq!(told(&mut parcel, ParcelMsg::Label(Err("no such service".into()))).0, ["Parcel(Voided"], "nothing was bought");
}

#[test]
fn while_its_label_is_asked_for_it_is_not_intercepted_and_a_lost_answer_is_still_owed() {
    let mut parcel = parcel();
    told(&mut parcel, ParcelMsg::Create(Box::new(plan())));
    // As whoever writes it off says first: its label would find nobody.
    let (events, _) = told(&mut parcel, ParcelMsg::Intercept(Interception::Manual { why: "written off: r".into() }));
    assert!(events.is_empty(), "{events:?}");
    let asked = Stopping { reason: "written off".into(), order: None, unreleased: false, errand: 7, by: By::System };
    told(&mut parcel, ParcelMsg::Cancel(Box::new(asked)));
    assert_eq!(parcel.host.state.void, Void::Awaited);
    // Its carrier is asked again under its key: nobody has to look yet, and a start takes it up.
    let lost = |decide| ParcelMsg::LabelLost { why: "no answer".into(), decide };
    assert!(told(&mut parcel, lost(false)).0.is_empty() && !parcel.has_ended());
    assert!(told(&mut parcel, ParcelMsg::Resume).1[0].contains("BuyLabel"));
    assert_eq!(told(&mut parcel, lost(true)).0, ["Parcel(VoidRefused"], "now nobody is asked any more");
}

#[test]
fn a_label_that_is_not_taken_back_stands_there_until_a_person_lets_it_be() {
    let mut parcel = parcel();
    told(&mut parcel, ParcelMsg::Create(Box::new(plan())));
    told(&mut parcel, label("T1"));
    let asked = Stopping { reason: "changed his mind".into(), order: None, unreleased: false, errand: 7, by: By::System };
    told(&mut parcel, ParcelMsg::Cancel(Box::new(asked)));
    let refused = ParcelMsg::NotGivenBack(TrackingNumber::new("T1"), "it was scanned".into());
    assert_eq!(told(&mut parcel, refused).0, ["Parcel(VoidRefused"]);
    assert_eq!(parcel.host.state.troubles()[0].cause, twin::problem::Cause::LabelKept);
    let mut person = |step| told(&mut parcel, ParcelMsg::PutRight { step, why: "r".into(), reply: Caller::nobody() }).0;
    assert_eq!(person(Step::AskVoid), ["Parcel(VoidAsked)"]);
    assert!(person(Step::AskVoid).is_empty(), "it is being asked");
    told(&mut parcel, ParcelMsg::NotGivenBack(TrackingNumber::new("T1"), "no".into()));
    let mut person = |step| told(&mut parcel, ParcelMsg::PutRight { step, why: "r".into(), reply: Caller::nobody() }).0;
    assert_eq!(person(Step::WriteOffLabel), ["Parcel(LabelWrittenOff"]);
    assert!(parcel.host.state.troubles().is_empty());
}

#[test]
fn a_number_that_another_wears_is_not_worn_and_not_given_back() {
    let mut first = parcel();
    told(&mut first, ParcelMsg::Create(Box::new(plan())));
    let arguments = ParcelArguments { house: first.house.clone(), id: "O-2".into(), rest: Arc::default() };
    let mut second = ParcelState::load(arguments).expect("the twin reads");
    told(&mut second, ParcelMsg::Create(Box::new(plan())));
    told(&mut first, label("T1"));
    let (events, said) = told(&mut second, label("T1"));
    assert_eq!(events, ["Parcel(LabelRefused", "Parcel(Intercepted"]);
    assert!(said.iter().all(|said| !said.contains("Void") && !said.contains("TryAnotherChannel")), "{said:?}");
    let why = second.host.state.interception.as_ref().unwrap().to_string();
    assert_eq!((why.as_str(), &second.host.state.tracking), ("number taken: T1 is O-1's", &None));
    // Also where the first is not in the twin yet.
    assert_eq!(first.house.numbers.claim(&first.house, &TrackingNumber::new("T2"), &"O-3".into()).unwrap(), None);
    assert_eq!(first.house.numbers.claim(&first.house, &TrackingNumber::new("T2"), &"O-4".into()).unwrap(), Some("O-3".into()));
    // A person has it asked for again, under a new key.
    let (events, said) = told(&mut second, ParcelMsg::PutRight { step: Step::AskLabel, why: "r".into(), reply: Caller::nobody() });
    assert!(events == ["Parcel(LabelRequested"] && said.iter().any(|said| said.contains("key: \"O-2.1\"")), "{events:?} {said:?}");
    assert_eq!(told(&mut second, label("T9")).0.last().unwrap(), "Parcel(LabelBought");
}

#[test]
fn one_that_is_stopped_passes_no_line_and_goes_on_when_it_is_taken_back() {
    let mut parcel = parcel();
    told(&mut parcel, ParcelMsg::Create(Box::new(plan())));
    told(&mut parcel, label("T1"));
    told(&mut parcel, ParcelMsg::Packed);
    let person = |step| ParcelMsg::PutRight { step, why: "the buyer called".into(), reply: Caller::nobody() };
    assert_eq!(told(&mut parcel, person(Step::Stop)).0, ["Parcel(Stopped"]);
    assert!(told(&mut parcel, person(Step::Stop)).0.is_empty(), "twice is once");
    told(&mut parcel, ParcelMsg::Induct { item: 1, station: "SZX/line-1".into(), line: Seat::default() });
    let question = Question { sorter: Seat::default(), pic: 5, asked_at: Moment(0), reject: 9 };
    let pass = ParcelMsg::Judge { measured_g: Some(402), measured: None, divert: Divert::Pass { chute: 2 }, question };
    let (events, said) = told(&mut parcel, pass);
    assert_eq!(events, ["Parcel(Measured", "Parcel(Intercepted"]);
    assert!(said.iter().any(|said| said.starts_with("Divert(") && said.ends_with(", 9)")), "{said:?}");
    assert!(told(&mut parcel, ParcelMsg::Rework { note: "r".into(), declared: None }).0.is_empty(), "no bench lets it go by itself");
    let (events, said) = told(&mut parcel, person(Step::TakeBack));
    assert_eq!(events, ["Parcel(LetGo", "Parcel(Reworked"]);
    assert!(said.iter().any(|said| said.contains("Packed(")), "{said:?}");
}

#[test]
fn taken_out_of_its_bag_it_stands_where_a_person_looks() {
    let mut parcel = parcel();
    told(&mut parcel, ParcelMsg::Create(Box::new(plan())));
    told(&mut parcel, label("T1"));
    told(&mut parcel, ParcelMsg::Induct { item: 1, station: "SZX/line-1".into(), line: Seat::default() });
    let question = Question { sorter: Seat::default(), pic: 5, asked_at: Moment(0), reject: 9 };
    told(&mut parcel, ParcelMsg::Judge { measured_g: Some(402), measured: None, divert: Divert::Pass { chute: 2 }, question });
    told(&mut parcel, ParcelMsg::Bag { chute: 2, bag: "B".into() });
    told(&mut parcel, ParcelMsg::PutRight { step: Step::Stop, why: "recall".into(), reply: Caller::nobody() });
    assert!(parcel.host.state.troubles()[0].what.contains("is bagged in B"));
    let out = || ParcelMsg::TakenOut { bag: "B".into(), why: "recall".into() };
    assert_eq!(told(&mut parcel, out()).0, ["Parcel(Intercepted"]);
    assert!(told(&mut parcel, out()).0.is_empty(), "twice is once");
    assert_eq!((&parcel.host.state.bag, parcel.host.state.stage), (&None, Stage::Intercepted));
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

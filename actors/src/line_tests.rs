//! This line, what its devices see: these records, and these words to others.

use super::*;
use crate::Seat;
use crate::testing::Overheard;
use twin::parcel::{Command, Parcel, Plan};
use twin::{Hash, TrackingNumber};

/// One parcel's label is known to the twin: `T1`, of `O-1`.
fn scene() -> (Overheard, Base, Line) {
    let overheard = Overheard::new(BTreeMap::new());
    let house = overheard.house.clone();
    let mut work = house.work();
    let mut parcel = Host::<Parcel>::load(&house.twin, "O-1").unwrap();
    let plan = Plan { order: "O@shopify:s".into(), warehouse: "SZX".into(), channel: "direct/packet".into(), ..Plan::default() };
    parcel.command(&mut work, Command::Create { plan: Box::new(plan) }).unwrap();
    let label = Command::TakeLabel { tracking: TrackingNumber::new("T1"), plate: None, label: Hash::default(), charged: None };
    parcel.command(&mut work, label).unwrap();
    house.commit(work);
    let in_force = house.in_force();
    let config = in_force.config.warehouse(&"SZX".into()).unwrap().stations.iter().find(|s| s.id.as_str() == "SZX/line-1").unwrap();
    let sorter = Seat::default();
    overheard.ear("sorter", &sorter);
    let base = Base {
        host: Host::load(&house.twin, config.id.text().clone()).unwrap(),
        house: house.clone(),
        warehouse: "SZX".into(),
        config: config.clone(),
        seat: Seat::default(),
        devices: [(DeviceKind::Sorter, sorter)].into(),
    };
    let line = Line::open(&base).unwrap();
    overheard.heard();
    (overheard, base, line)
}

const SCANNED: Moment = Moment(10_000_000);
const WEIGHED: Moment = Moment(10_800_000);
const ASKED: Moment = Moment(11_500_000);

fn read(code: &str) -> Observation {
    Observation::Scanned { code: Some(code.into()), dims: Some(Dims::new(210, 140, 60)) }
}

fn weight(weight_g: i32) -> Observation {
    Observation::Weight { weight_dg: weight_g * 10, stable: true }
}

fn facts() -> Box<Facts> {
    Box::new(Facts { declared_g: 400, declared: Dims::new(210, 140, 60), channel: "direct/packet".into(), country: "DE".into() })
}

/// Scanned, weighed and asked for; its parcel has said what it is.
fn judged(base: &mut Base, line: &mut Line, weight_g: i32) {
    line.saw(base, SCANNED, read("T1")).unwrap();
    line.saw(base, WEIGHED, weight(weight_g)).unwrap();
    line.saw(base, ASKED, Observation::DivertAsked { pic: 7 }).unwrap();
    line.inducted(base, 1, Ok(facts())).unwrap();
}

#[test]
fn an_item_is_judged_when_all_is_known_of_it() {
    let (overheard, mut base, mut line) = scene();
    line.saw(&mut base, SCANNED, read("T1")).unwrap();
    overheard.expect(&["parcels hears To(ParcelId(\"O-1\"), Induct { item: 1"]);
    line.saw(&mut base, WEIGHED, weight(402)).unwrap();
    line.saw(&mut base, ASKED, Observation::DivertAsked { pic: 7 }).unwrap();
    overheard.expect(&[]);
    line.inducted(&mut base, 1, Ok(facts())).unwrap();
    let heard = overheard.heard();
    assert!(heard.len() == 1 && heard[0].starts_with("parcels hears To(ParcelId(\"O-1\"), Judge"), "{heard:#?}");
    assert!(heard[0].contains("measured_g: Some(402)") && heard[0].contains("Pass { chute: 3 }"), "{heard:#?}");
}

#[test]
fn a_wrong_weight_is_sent_to_the_reject_chute() {
    let (overheard, mut base, mut line) = scene();
    judged(&mut base, &mut line, 900);
    let heard = overheard.heard();
    assert!(heard[1].contains("Stop { why: Weight { declared_g: 400, measured_g: 900 }, chute: 8 }"), "{heard:#?}");
}

#[test]
fn what_was_not_weighed_where_it_should_have_been_is_not_weighed() {
    let (overheard, mut base, mut line) = scene();
    line.saw(&mut base, SCANNED, read("T1")).unwrap();
    // Somebody leans on the scale when nothing is due there.
    line.saw(&mut base, SCANNED + Span::from_ms(100), weight(402)).unwrap();
    line.saw(&mut base, ASKED, Observation::DivertAsked { pic: 7 }).unwrap();
    line.inducted(&mut base, 1, Ok(facts())).unwrap();
    assert!(overheard.heard().last().unwrap().contains("Stop { why: NotWeighed"));
}

#[test]
fn a_parcel_that_may_not_be_here_and_a_label_of_nobody_are_rejected() {
    let (overheard, mut base, mut line) = scene();
    line.saw(&mut base, SCANNED, read("T1")).unwrap();
    line.saw(&mut base, ASKED, Observation::DivertAsked { pic: 7 }).unwrap();
    overheard.heard();
    line.inducted(&mut base, 1, Err("it is cancelled".into())).unwrap();
    overheard.expect(&["wrote Station(Rejected", "says Device("]);
    let later = |at: Moment| at + Span::from_secs(20);
    line.saw(&mut base, later(SCANNED), read("T999")).unwrap();
    line.saw(&mut base, later(ASKED), Observation::DivertAsked { pic: 8 }).unwrap();
    overheard.expect(&["wrote Station(Rejected", "says Device("]);
    // Nothing was scanned in time.
    line.saw(&mut base, later(later(ASKED)), Observation::DivertAsked { pic: 9 }).unwrap();
    overheard.expect(&["wrote Station(Rejected", "says Device("]);
}

#[test]
fn what_falls_into_its_chute_is_bagged_and_told_when_the_bag_has_it() {
    let (overheard, mut base, mut line) = scene();
    judged(&mut base, &mut line, 402);
    overheard.heard();
    line.saw(&mut base, ASKED, Observation::Diverted { pic: 7, chute: 3, ok: true }).unwrap();
    overheard.expect(&[
        "wrote Bag(Opened",
        "wrote Station(BagPlaced",
        "wrote Bag(Added { parcel: ParcelId(\"O-1\")",
        "says Parcel(ParcelId(\"O-1\"), Bag { chute: 3",
    ]);
    line.saw(&mut base, ASKED, Observation::Diverted { pic: 7, chute: 3, ok: true }).unwrap();
    overheard.expect(&[]);
}

#[test]
fn what_falls_elsewhere_is_stopped() {
    let (overheard, mut base, mut line) = scene();
    judged(&mut base, &mut line, 402);
    overheard.heard();
    line.saw(&mut base, ASKED, Observation::Diverted { pic: 7, chute: 4, ok: true }).unwrap();
    overheard.expect(&["parcels hears To(ParcelId(\"O-1\"), Intercept(WrongChute { planned: 3, actual: 4 }"]);
}

#[test]
fn an_item_that_never_reaches_the_sorter_is_stopped() {
    let (overheard, mut base, mut line) = scene();
    line.saw(&mut base, SCANNED, read("T1")).unwrap();
    line.inducted(&mut base, 1, Ok(facts())).unwrap();
    overheard.heard();
    line.saw(&mut base, SCANNED + ITEM_LIFE + Span(1), read("T999")).unwrap();
    overheard.expect(&["parcels hears To(ParcelId(\"O-1\"), Intercept(Manual"]);
}

#[test]
fn bags_of_a_carrier_close_at_its_cut_off_with_their_tags() {
    let (overheard, mut base, mut line) = scene();
    judged(&mut base, &mut line, 402);
    line.saw(&mut base, ASKED, Observation::Diverted { pic: 7, chute: 3, ok: true }).unwrap();
    overheard.heard();
    line.close_bags(&mut base, &"mydhl".into()).unwrap();
    overheard.expect(&[]);
    line.close_bags(&mut base, &"direct".into()).unwrap();
    overheard.expect(&["wrote Bag(Closed", "wrote Station(BagRemoved", "says Device("]);
}

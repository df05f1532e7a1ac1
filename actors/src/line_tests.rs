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
        devices_out: BTreeMap::new(),
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

fn chute_out(base: &mut Base, line: &mut Line, chute: u16, why: &str) -> Result<(), String> {
    let (caller, answer) = crate::Caller::waiting();
    line.take_chute_out(base, chute, why.into(), caller).unwrap();
    // One that is agreed to is answered when it is durable.
    answer.blocking_recv().unwrap_or(Ok(()))
}

fn back(base: &mut Base, command: station::Command) {
    base.write(command, crate::Caller::nobody()).unwrap();
}

#[test]
fn what_would_fall_into_a_chute_that_is_out_goes_to_the_next_that_takes_it_or_is_rejected() {
    let (overheard, mut base, mut line) = scene();
    judged(&mut base, &mut line, 402);
    line.saw(&mut base, ASKED, Observation::Diverted { pic: 7, chute: 3, ok: true }).unwrap();
    overheard.heard();
    chute_out(&mut base, &mut line, 3, "the flap is stuck").unwrap();
    overheard.expect(&[
        "wrote Bag(Closed { why: \"the chute was taken out\"",
        "wrote Station(BagRemoved { chute: 3",
        "says Device(",
        "wrote Station(ChuteTakenOut { chute: 3, why: \"the flap is stuck\"",
        "says Answer(Done(",
    ]);
    chute_out(&mut base, &mut line, 3, "the flap is stuck").unwrap();
    overheard.expect(&["says Answer(Done("]);
    // Chute 4 takes any country; then nothing does.
    let again = |base: &mut Base, line: &mut Line, n: i64| {
        let later = |at: Moment| at + Span::from_secs(20 * n);
        line.saw(base, later(SCANNED), read("T1")).unwrap();
        line.saw(base, later(WEIGHED), weight(402)).unwrap();
        line.saw(base, later(ASKED), Observation::DivertAsked { pic: 7 + n as u32 }).unwrap();
        line.inducted(base, 1 + n as u64, Ok(facts())).unwrap();
    };
    again(&mut base, &mut line, 1);
    assert!(overheard.heard().last().unwrap().contains("Pass { chute: 4 }"));
    // It is back while that one moves: under chute 4 it is in the right bag all the same.
    back(&mut base, station::Command::PutChuteBack { chute: 3, why: "mended".into() });
    overheard.heard();
    line.saw(&mut base, ASKED + Span::from_secs(20), Observation::Diverted { pic: 8, chute: 4, ok: true }).unwrap();
    overheard.expect(&["wrote Bag(Opened", "wrote Station(BagPlaced { chute: 4", "wrote Bag(Added", "says Parcel("]);
    chute_out(&mut base, &mut line, 3, "stuck again").unwrap();
    chute_out(&mut base, &mut line, 4, "full").unwrap();
    again(&mut base, &mut line, 2);
    let heard = overheard.heard();
    assert!(heard.last().unwrap().contains("Stop { why: Out { what: \"chute 3 is out: stuck again\" }, chute: 8 }"), "{heard:#?}");
    assert!(chute_out(&mut base, &mut line, 8, "r").unwrap_err().starts_with("chute 8 of SZX/line-1 is its reject chute"));
    assert_eq!(chute_out(&mut base, &mut line, 80, "r").unwrap_err(), "SZX/line-1 has no chute 80 in its sorting plan");
}

#[test]
fn what_is_on_its_way_to_a_chute_that_is_taken_out_is_stopped() {
    let (overheard, mut base, mut line) = scene();
    judged(&mut base, &mut line, 402);
    chute_out(&mut base, &mut line, 3, "the flap is stuck").unwrap();
    overheard.heard();
    line.saw(&mut base, ASKED, Observation::Diverted { pic: 7, chute: 3, ok: true }).unwrap();
    overheard.expect(&["parcels hears To(ParcelId(\"O-1\"), Intercept(Out { what: \"chute 3 is out: the flap is stuck\" })"]);
}

#[test]
fn a_line_that_is_out_rejects_what_still_comes_and_says_why() {
    let (overheard, mut base, mut line) = scene();
    back(&mut base, station::Command::TakeOut { why: "the belt is torn".into() });
    judged(&mut base, &mut line, 402);
    let heard = overheard.heard();
    assert!(heard.last().unwrap().contains("Stop { why: Out { what: \"the line is out: the belt is torn\" }, chute: 8 }"), "{heard:#?}");
    assert!(heard.last().unwrap().contains("measured_g: Some(402)"));
}

#[test]
fn what_stood_at_the_reject_chute_is_dealt_with_up_to_where_a_person_looked() {
    let (overheard, mut base, mut line) = scene();
    base.devices_out.insert(DeviceKind::Scanner, "being cleaned".into());
    for n in 0..3 {
        line.saw(&mut base, ASKED + Span::from_secs(20 * n), Observation::DivertAsked { pic: 7 + n as u32 }).unwrap();
    }
    let heard = overheard.heard();
    assert!(heard[0].contains("why: \"the scanner is out: being cleaned\""), "{heard:#?}");
    assert_eq!(base.host.state.rejects_open(), 3);
    let clear = |rejected| station::Command::ClearRejects { rejected, why: "looked at".into() };
    for (rejected, open, expected) in [
        (2, 1, &["wrote Station(RejectsCleared { rejected: 2", "says Answer("][..]),
        (2, 1, &["says Answer("]),
        (99, 0, &["wrote Station(RejectsCleared { rejected: 3", "says Answer("]),
    ] {
        back(&mut base, clear(rejected));
        assert_eq!(base.host.state.rejects_open(), open);
        overheard.expect(expected);
    }
}

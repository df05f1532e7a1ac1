//! This desk, this message: these records, and these words to others.

use super::*;
use crate::catalog::Change;
use crate::testing::Overheard;
use drivers::carriers::Read;
use serde_json::json;
use twin::goods::Facts;
use twin::stock::Counted;

const RECEIVED: &str = "wrote Order(Received";

fn desk() -> (Overheard, DeskState) {
    let overheard = Overheard::new(BTreeMap::new());
    let mut desk = DeskState::new(overheard.house.clone(), overheard.house.desk.clone());
    let facts = Facts { weight_g: 180, dims: twin::Dims::new(200, 150, 40), category: "toys".into(), ..Facts::default() };
    let sold = drivers::platforms::ProductRow { owner: "own".into(), sku: "A".into(), facts };
    desk.take(DeskMsg::Catalog(CatalogMsg::Change(vec![Change::from(sold)], Caller::nobody()))).unwrap();
    let counted = Counted { warehouse: "SZX".into(), owner: "own".into(), sku: "A".into(), on_hand: 3 };
    desk.take(DeskMsg::Count(vec![counted], Caller::nobody())).unwrap();
    overheard.heard();
    (overheard, desk)
}

fn order(number: &str, quantity: u32) -> NewOrder {
    let lines = json!([{ "sku": "A", "quantity": quantity, "unit_price": { "amount": "9.90", "currency": "EUR" } }]);
    let ship_to = json!({ "name": "Erika Musterfrau", "street": "Hauptstr. 1", "city": "Berlin", "postcode": "10115", "country": "DE",
        "phone": "+49 30 1234567", "email": "erika@example.com" });
    let order = json!({ "number": number, "platform": "shopify", "shop": "s", "placed_at": "2026-11-09T00:00:00Z", "ship_to": ship_to,
        "lines": lines });
    serde_json::from_value(order).unwrap()
}

fn id(number: &str) -> OrderId {
    OrderId::of("shopify", "s", number)
}

fn received(desk: &mut DeskState, number: &str, quantity: u32) {
    desk.take(DeskMsg::Receive(vec![order(number, quantity)], Caller::nobody())).unwrap();
}

/// The carriers that were asked cannot be reached.
fn nobody_answers(desk: &mut DeskState, round: u32) {
    for carrier in ["mydhl", "usps"] {
        let quotes: Result<Read<Vec<Quote>>, _> = Err(NoOffer::Paused);
        desk.take(DeskMsg::Quotes { round, warehouse: "SZX".into(), carrier: carrier.into(), quotes }).unwrap();
    }
}

/// Received, planned and allocated to its first parcel.
fn allocated(overheard: &Overheard, desk: &mut DeskState, number: &str, quantity: u32) {
    received(desk, number, quantity);
    desk.take(DeskMsg::Plan(id(number))).unwrap();
    let round = desk.rounds;
    nobody_answers(desk, round);
    let heard = overheard.heard();
    assert!(heard.iter().any(|line| line.starts_with("wrote Order(Allocated")), "{heard:#?}");
}

#[test]
fn an_order_is_written_before_it_is_planned_and_once() {
    let (overheard, mut desk) = desk();
    received(&mut desk, "1", 2);
    overheard.expect(&[RECEIVED, "says Desk(Plan(", "says Answer(Receipts("]);
    received(&mut desk, "1", 2);
    overheard.expect(&["says Answer(Receipts("]);
}

#[test]
fn it_is_decided_with_its_reservation_when_all_have_answered() {
    let (overheard, mut desk) = desk();
    received(&mut desk, "1", 2);
    overheard.heard();
    desk.take(DeskMsg::Plan(id("1"))).unwrap();
    overheard.expect(&["mydhl hears Quote("]);
    desk.take(DeskMsg::Plan(id("1"))).unwrap();
    overheard.expect(&[]);
    let round = desk.rounds;
    nobody_answers(&mut desk, round);
    overheard.expect(&["wrote Stock(Reserved", "wrote Order(Allocated", "says Parcel(ParcelId(\"1-1\"), Create("]);
    nobody_answers(&mut desk, round);
    overheard.expect(&[]);
}

#[test]
fn nothing_is_sold_twice() {
    let (overheard, mut desk) = desk();
    allocated(&overheard, &mut desk, "1", 2);
    received(&mut desk, "2", 2);
    overheard.heard();
    desk.take(DeskMsg::Plan(id("2"))).unwrap();
    overheard.expect(&["wrote Order(Held { reason: NoStock"]);
    // More is found on the shelf: who waits for it is planned anew.
    let counted = Counted { warehouse: "SZX".into(), owner: "own".into(), sku: "A".into(), on_hand: 9 };
    desk.take(DeskMsg::Count(vec![counted], Caller::nobody())).unwrap();
    overheard.expect(&["wrote Stock(Counted", "says Desk(Plan(", "says Answer(Outcomes("]);
}

#[test]
fn what_leaves_the_shelf_is_written_once_for_order_and_stock() {
    let (overheard, mut desk) = desk();
    allocated(&overheard, &mut desk, "1", 2);
    let packed = || DeskMsg::Packed { parcel: "1-1".into(), orders: vec![id("1")] };
    desk.take(packed()).unwrap();
    overheard.expect(&["wrote Order(Picked", "wrote Stock(Picked", "says Desk(Rest("]);
    desk.take(packed()).unwrap();
    overheard.expect(&["says Desk(Rest("]);
}

#[test]
fn a_cancellation_asks_the_parcel_first_and_gives_the_stock_back() {
    let (overheard, mut desk) = desk();
    allocated(&overheard, &mut desk, "1", 2);
    desk.take(DeskMsg::Cancel { order: id("1"), reason: "changed his mind".into(), reply: Caller::nobody() }).unwrap();
    overheard.expect(&["parcels hears To(ParcelId(\"1-1\"), Cancel("]);
    let errand = desk.rounds;
    desk.take(DeskMsg::Stopped { errand, parcel: "1-1".into(), outcome: Ok(()) }).unwrap();
    let heard = overheard.heard();
    for word in ["wrote Order(Dropped", "wrote Stock(Released", "wrote Order(Cancelled", "says Answer(Done("] {
        assert!(heard.iter().any(|line| line.starts_with(word)), "{word} is not in {heard:#?}");
    }
    assert_eq!(desk.available(&"SZX".into(), &"own".into(), &"A".into()), 3);
}

#[test]
fn a_parcel_that_is_too_far_keeps_its_order() {
    let (overheard, mut desk) = desk();
    allocated(&overheard, &mut desk, "1", 2);
    desk.take(DeskMsg::Cancel { order: id("1"), reason: "changed his mind".into(), reply: Caller::nobody() }).unwrap();
    overheard.heard();
    let errand = desk.rounds;
    desk.take(DeskMsg::Stopped { errand, parcel: "1-1".into(), outcome: Err("it is in a bag".into()) }).unwrap();
    let heard = overheard.heard();
    assert!(heard.iter().all(|line| !line.starts_with("wrote")) && heard.len() == 1, "{heard:#?}");
    assert!(heard[0].starts_with("says Answer(Done(") && heard[0].contains("it is in a bag"), "{heard:#?}");
}

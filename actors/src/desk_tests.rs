//! This desk, this message: these records, and these words to others.

use super::*;
use crate::catalog::Change;
use crate::putting_right::{Correction, Fix};
use crate::testing::Overheard;
use drivers::carriers::Read;
use twin::goods::Facts;
use twin::stock::Counted;

const RECEIVED: &str = "wrote Order(Received";

/// A is light, and tariffs tell what it costs; B is so heavy that only MyDHL takes it, which has to be asked. Three of each in Shenzhen.
fn desk() -> (Overheard, DeskState) {
    let overheard = Overheard::new(BTreeMap::new());
    let mut desk = DeskState::new(overheard.house.clone(), overheard.house.desk.clone());
    for (sku, weight_g) in [("A", 180), ("B", 31_000)] {
        let facts = Facts { weight_g, dims: twin::Dims::new(200, 150, 40), category: "toys".into(), ..Facts::default() };
        let sold = drivers::platforms::ProductRow { owner: "own".into(), sku: sku.into(), facts };
        desk.take(DeskMsg::Catalog(CatalogMsg::Change(vec![Change::from(sold)], Caller::nobody()))).unwrap();
        desk.take(DeskMsg::Count(vec![counted(sku, 3)], Caller::nobody())).unwrap();
    }
    overheard.heard();
    (overheard, desk)
}

fn counted(sku: &str, on_hand: u32) -> Counted {
    Counted { warehouse: "SZX".into(), owner: "own".into(), sku: sku.into(), on_hand }
}

fn order(number: &str, sku: &str, quantity: u32) -> NewOrder {
    let text = format!(
        r#"
        number = "{number}"
        platform = "shopify"
        shop = "s"
        placed_at = "2026-11-09T00:00:00Z"
        lines = [{{ sku = "{sku}", quantity = {quantity}, unit_price = {{ amount = "9.90", currency = "EUR" }} }}]
        [ship_to]
        name = "Erika Musterfrau"
        street = "Hauptstr. 1"
        city = "Berlin"
        postcode = "10115"
        country = "DE"
        phone = "+49 30 1234567"
        email = "erika@example.com"
        "#
    );
    toml::from_str(&text).unwrap()
}

fn id(number: &str) -> OrderId {
    OrderId::of("shopify", "s", number)
}

fn received(desk: &mut DeskState, number: &str, sku: &str, quantity: u32) {
    desk.take(DeskMsg::Receive(vec![order(number, sku, quantity)], Caller::nobody())).unwrap();
}

/// Received, planned and allocated to its first parcel.
fn allocated(overheard: &Overheard, desk: &mut DeskState, number: &str, quantity: u32) {
    received(desk, number, "A", quantity);
    desk.take(DeskMsg::Plan(id(number))).unwrap();
    let heard = overheard.heard();
    assert!(heard.iter().any(|line| line.starts_with("wrote Order(Allocated")), "{heard:#?}");
    // As the parcel itself does.
    let parcel = ParcelId::of(&id(number), 1);
    let plan = Box::new(desk.plan_again(&parcel, &id(number)).unwrap().unwrap());
    let mut work = desk.house.work();
    Host::<Parcel>::new(parcel.text().clone()).command(&mut work, parcel::Command::Create { plan }).unwrap();
    desk.house.commit(work);
    overheard.expect(&["wrote Parcel(Created"]);
}

#[test]
fn an_order_is_written_before_it_is_planned_and_once() {
    let (overheard, mut desk) = desk();
    received(&mut desk, "1", "A", 2);
    overheard.expect(&[RECEIVED, "says Desk(Plan(", "says Answer(Receipts("]);
    received(&mut desk, "1", "A", 2);
    overheard.expect(&["says Answer(Receipts("]);
}

#[test]
fn it_is_decided_with_its_reservation_when_all_have_answered() {
    let (overheard, mut desk) = desk();
    received(&mut desk, "1", "B", 1);
    overheard.heard();
    desk.take(DeskMsg::Plan(id("1"))).unwrap();
    overheard.expect(&["mydhl hears Quote("]);
    desk.take(DeskMsg::Plan(id("1"))).unwrap();
    overheard.expect(&[]);
    let total = twin::Money::new("41.50".parse().unwrap(), twin::money::Currency::EUR);
    let quote = Quote { service: "P".into(), total, breakdown: vec![], days: Some(3), chargeable_g: None, zone: "".into() };
    let (round, warehouse, carrier) = (desk.rounds, WarehouseId::from("SZX"), CarrierId::from("mydhl"));
    for expected in [&["wrote Stock(Reserved", "wrote Order(Allocated", "says Parcel(ParcelId(\"1-1\"), Create("][..], &[]] {
        let (warehouse, carrier, quotes) = (warehouse.clone(), carrier.clone(), Ok(Read::from(vec![quote.clone()])));
        desk.take(DeskMsg::Quotes { round, warehouse, carrier, quotes }).unwrap();
        overheard.expect(expected);
    }
}

#[test]
fn one_that_does_not_answer_holds_the_order_that_only_it_could_take() {
    let (overheard, mut desk) = desk();
    received(&mut desk, "1", "B", 1);
    desk.take(DeskMsg::Plan(id("1"))).unwrap();
    overheard.heard();
    let (round, quotes) = (desk.rounds, Err(NoOffer::Paused));
    desk.take(DeskMsg::Quotes { round, warehouse: "SZX".into(), carrier: "mydhl".into(), quotes }).unwrap();
    overheard.expect(&["wrote Order(Held { reason: NoChannel"]);
    assert_eq!(desk.retry.len(), 1, "it is tried again");
}

#[test]
fn nothing_is_sold_twice() {
    let (overheard, mut desk) = desk();
    allocated(&overheard, &mut desk, "1", 2);
    received(&mut desk, "2", "A", 2);
    overheard.heard();
    desk.take(DeskMsg::Plan(id("2"))).unwrap();
    overheard.expect(&["wrote Order(Held { reason: NoStock"]);
    // More is found on the shelf: who waits for it is planned anew.
    desk.take(DeskMsg::Count(vec![counted("A", 9)], Caller::nobody())).unwrap();
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
    overheard.expect(&["says Parcel(ParcelId(\"1-1\"), Cancel("]);
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

fn channel_out(channel: &str, out: Option<&str>) -> DeskMsg {
    DeskMsg::ChannelOut { carrier: "direct".into(), channel: channel.into(), out: out.map(SmolStr::from) }
}

#[test]
fn no_new_decision_takes_a_channel_that_is_out_and_what_it_held_goes_on_when_it_is_back() {
    let (overheard, mut desk) = desk();
    received(&mut desk, "1", "A", 1);
    for channel in ["direct/packet", "direct/parcel"] {
        desk.take(channel_out(channel, Some("strike"))).unwrap();
    }
    overheard.heard();
    desk.take(DeskMsg::Plan(id("1"))).unwrap();
    // The last resort is asked, since nobody else takes it.
    overheard.expect(&["mydhl hears Quote("]);
    let (round, quotes) = (desk.rounds, Err(NoOffer::Paused));
    desk.take(DeskMsg::Quotes { round, warehouse: "SZX".into(), carrier: "mydhl".into(), quotes }).unwrap();
    overheard.expect(&["wrote Order(Held { reason: NoChannel"]);
    let held = &desk.order(&id("1")).unwrap().state.holds[&twin::order::Hold::NoChannel];
    assert!(held.to_string().contains("taken out by a person: strike"), "{held}");
    desk.take(channel_out("direct/packet", None)).unwrap();
    overheard.expect(&["the desk hears Plan("]);
    desk.take(DeskMsg::Plan(id("1"))).unwrap();
    let heard = overheard.heard();
    assert!(heard.iter().any(|line| line.starts_with("wrote Order(Allocated")), "{heard:#?}");
    let chosen = &desk.order(&id("1")).unwrap().state.parts[0].decision;
    assert_eq!(chosen.channel.as_str(), "direct/packet");
}

#[test]
fn a_decision_is_begun_anew_where_a_channel_was_taken_out_meanwhile() {
    let (overheard, mut desk) = desk();
    received(&mut desk, "1", "B", 1);
    desk.take(DeskMsg::Plan(id("1"))).unwrap();
    let out = DeskMsg::ChannelOut { carrier: "mydhl".into(), channel: "mydhl/express-worldwide".into(), out: Some("strike".into()) };
    desk.take(out).unwrap();
    overheard.heard();
    let total = twin::Money::new("41.50".parse().unwrap(), twin::money::Currency::EUR);
    let quote = Quote { service: "P".into(), total, breakdown: vec![], days: Some(3), chargeable_g: None, zone: "".into() };
    let (round, quotes) = (desk.rounds, Ok(Read::from(vec![quote])));
    desk.take(DeskMsg::Quotes { round, warehouse: "SZX".into(), carrier: "mydhl".into(), quotes }).unwrap();
    overheard.expect(&["the desk hears Plan("]);
    desk.take(DeskMsg::Plan(id("1"))).unwrap();
    overheard.expect(&["wrote Order(Held { reason: NoChannel"]);
}

#[test]
fn a_desk_that_sits_down_knows_which_channels_are_out() {
    let (overheard, mut desk) = desk();
    let mut work = desk.house.work();
    let mut direct = Host::<Carrier>::load(&desk.house.twin, "direct").unwrap();
    let out = twin::carrier::Command::TakeChannelOut { channel: "direct/packet".into(), why: "strike".into() };
    direct.command(&mut work, out).unwrap();
    desk.house.commit(work);
    overheard.heard();
    desk.look_at_channels().unwrap();
    received(&mut desk, "1", "A", 1);
    desk.take(DeskMsg::Plan(id("1"))).unwrap();
    assert_ne!(desk.order(&id("1")).unwrap().state.parts[0].decision.channel.as_str(), "direct/packet");
}

#[test]
fn what_waits_for_a_carrier_is_tried_at_once_when_a_person_says_so() {
    let (overheard, mut desk) = desk();
    received(&mut desk, "1", "B", 1);
    desk.take(DeskMsg::Plan(id("1"))).unwrap();
    let (round, quotes) = (desk.rounds, Err(NoOffer::Paused));
    desk.take(DeskMsg::Quotes { round, warehouse: "SZX".into(), carrier: "mydhl".into(), quotes }).unwrap();
    overheard.heard();
    for expected in [&["the desk hears Plan("][..], &[]] {
        desk.take(DeskMsg::TryAgain).unwrap();
        overheard.expect(expected);
    }
}
/// Its carrier sells no label for a parcel, as the parcel itself writes it.
fn refused(desk: &DeskState, parcel: &str) -> Host<Parcel> {
    let mut work = desk.house.work();
    let mut host = Host::<Parcel>::load(&desk.house.twin, parcel).unwrap();
    host.command(&mut work, parcel::Command::RefuseLabel { why: "no such street".into() }).unwrap();
    let why = parcel::Interception::Manual { why: "label refused".into() };
    host.command(&mut work, parcel::Command::Intercept { why }).unwrap();
    desk.house.commit(work);
    host
}

#[test]
fn one_that_no_label_was_sold_for_goes_over_the_next_best_channel_which_says_why() {
    let (overheard, mut desk) = desk();
    allocated(&overheard, &mut desk, "1", 1);
    let first = desk.order(&id("1")).unwrap().state.parts[0].decision.channel.clone();
    let mut parcel = refused(&desk, "1-1");
    overheard.heard();
    desk.take(DeskMsg::TryAnotherChannel("1-1".into())).unwrap();
    overheard.expect(&["says Parcel(ParcelId(\"1-1\"), Cancel("]);
    // Told again meanwhile, it waits behind.
    desk.take(DeskMsg::TryAnotherChannel("1-1".into())).unwrap();
    overheard.expect(&[]);
    let (mut work, errand) = (desk.house.work(), desk.rounds);
    parcel.command(&mut work, parcel::Command::Cancel { reason: "r".into(), order: None, unreleased: false }).unwrap();
    desk.house.commit(work);
    desk.take(DeskMsg::Stopped { errand, parcel: "1-1".into(), outcome: Ok(()) }).unwrap();
    desk.take(DeskMsg::Plan(id("1"))).unwrap();
    let order = desk.order(&id("1")).unwrap().state.clone();
    let refused: Vec<_> = order.refused_channels().map(|(channel, why)| (channel.clone(), why.to_string())).collect();
    assert_eq!(refused, [(first.clone(), format!("{first} sold no label for it: no such street"))]);
    let second = &order.parts[1].decision;
    assert_ne!(second.channel, first);
    let lost = second.candidates.iter().find(|candidate| candidate.channel.as_ref() == Some(&first)).unwrap();
    assert!(lost.verdict.to_string().contains("its carrier sold no label for it"), "{}", lost.verdict);
}

#[test]
fn what_a_person_sent_over_a_channel_stays_with_them_and_so_does_one_that_has_tried_enough() {
    let (overheard, mut desk) = desk();
    received(&mut desk, "1", "A", 1);
    let shares = desk.order(&id("1")).unwrap().state.open_shares();
    let channel = Some("direct/packet".into());
    let by_hand = Shipment { orders: vec![(id("1"), shares)], warehouse: None, channel, placed: Some(Caller::nobody()) };
    desk.take(DeskMsg::Ship(vec![by_hand])).unwrap();
    let plan = Box::new(desk.plan_again(&"1-1".into(), &id("1")).unwrap().unwrap());
    let mut work = desk.house.work();
    Host::<Parcel>::new("1-1".into()).command(&mut work, parcel::Command::Create { plan }).unwrap();
    desk.house.commit(work);
    refused(&desk, "1-1");
    overheard.heard();
    desk.take(DeskMsg::TryAnotherChannel("1-1".into())).unwrap();
    overheard.expect(&[]);
}

/// What it is told at once; what is told when it is durable stands in what is heard.
fn put_right(desk: &mut DeskState, number: &str, fix: Fix) -> Option<Result<(), String>> {
    let (reply, mut told) = Caller::waiting();
    desk.take(DeskMsg::PutRight { order: id(number), fix, why: "r".into(), reply }).unwrap();
    told.try_recv().ok()
}

fn wrote(overheard: &Overheard) -> Vec<String> {
    overheard.heard().into_iter().filter(|line| line.starts_with("wrote")).collect()
}

#[test]
fn what_a_person_holds_goes_on_when_a_person_says_so_and_not_before() {
    let (overheard, mut desk) = desk();
    allocated(&overheard, &mut desk, "1", 2);
    put_right(&mut desk, "1", Fix::Hold);
    overheard.expect(&["says Parcel(ParcelId(\"1-1\"), Cancel("]);
    let errand = desk.rounds;
    desk.take(DeskMsg::Stopped { errand, parcel: "1-1".into(), outcome: Ok(()) }).unwrap();
    let written = wrote(&overheard);
    assert!(written.iter().any(|line| line.starts_with("wrote Order(Held { reason: Manual, detail: ByHand")), "{written:#?}");
    // Neither a look, other settings, a count, a better carrier, nor the platform lets it go; nor does a person ship it meanwhile.
    desk.take(DeskMsg::SettingsChanged).unwrap();
    desk.take(DeskMsg::Look).unwrap();
    desk.take(DeskMsg::Count(vec![counted("A", 9)], Caller::nobody())).unwrap();
    desk.take(DeskMsg::Plan(id("1"))).unwrap();
    let later = NewOrder { updated_at: Some(Moment(1)), ..order("1", "A", 1) };
    desk.take(DeskMsg::Receive(vec![later], Caller::nobody())).unwrap();
    desk.take(DeskMsg::Plan(id("1"))).unwrap();
    let (placed, mut answer) = Caller::waiting();
    let shares = desk.order(&id("1")).unwrap().state.open_shares();
    desk.take(DeskMsg::Ship(vec![Shipment { orders: vec![(id("1"), shares)], warehouse: None, channel: None, placed: Some(placed) }]))
        .unwrap();
    assert!(answer.try_recv().unwrap().unwrap_err().contains("is held, manual: r"));
    let written = wrote(&overheard);
    assert!(written.iter().all(|line| line.starts_with("wrote Order(Received") || line.starts_with("wrote Stock(Counted")), "{written:#?}");
    put_right(&mut desk, "1", Fix::Hold);
    assert!(wrote(&overheard).is_empty(), "twice is once");
    put_right(&mut desk, "1", Fix::Release);
    overheard.expect(&["wrote Order(HoldCleared { reason: Manual, why: \"r\"", "says Desk(Plan(", "says Answer(Done("]);
    put_right(&mut desk, "1", Fix::Release);
    overheard.expect(&["says Answer(Done("]);
    desk.take(DeskMsg::Plan(id("1"))).unwrap();
    assert!(wrote(&overheard).iter().any(|line| line.starts_with("wrote Order(Allocated")));
}

#[test]
fn an_order_held_while_its_carriers_think_is_not_decided() {
    let (overheard, mut desk) = desk();
    received(&mut desk, "1", "B", 1);
    desk.take(DeskMsg::Plan(id("1"))).unwrap();
    let round = desk.rounds;
    put_right(&mut desk, "1", Fix::Hold);
    overheard.heard();
    let total = twin::Money::new("41.50".parse().unwrap(), twin::money::Currency::EUR);
    let quote = Quote { service: "P".into(), total, breakdown: vec![], days: Some(3), chargeable_g: None, zone: "".into() };
    desk.take(DeskMsg::Quotes { round, warehouse: "SZX".into(), carrier: "mydhl".into(), quotes: Ok(Read::from(vec![quote])) }).unwrap();
    assert!(wrote(&overheard).is_empty());
}

#[test]
fn a_parcel_that_a_bench_has_begun_with_keeps_its_order_from_being_held_or_sent_elsewhere() {
    let (overheard, mut desk) = desk();
    allocated(&overheard, &mut desk, "1", 2);
    let correction = || Box::new(Correction { street: Some("Nebenstr. 2".into()), ..Correction::default() });
    for fix in [Fix::Hold, Fix::Address(correction())] {
        put_right(&mut desk, "1", fix);
        overheard.heard();
        let errand = desk.rounds;
        desk.take(DeskMsg::Stopped { errand, parcel: "1-1".into(), outcome: Err("parcel 1-1: it is packed".into()) }).unwrap();
        let heard = overheard.heard();
        assert!(
            heard.iter().all(|line| !line.starts_with("wrote")) && heard.iter().any(|line| line.contains("it is packed")),
            "{heard:#?}"
        );
    }
}

#[test]
fn an_address_that_a_person_put_right_is_not_undone_by_the_same_old_data() {
    let (overheard, mut desk) = desk();
    let wrong = |updated_at, note: &str| {
        let mut order = NewOrder { updated_at: Some(Moment(updated_at)), gift_note: note.into(), ..order("1", "A", 1) };
        order.ship_to.postcode = "1011".into();
        order
    };
    let receive = |desk: &mut DeskState, order: NewOrder| desk.take(DeskMsg::Receive(vec![order], Caller::nobody())).unwrap();
    let address = |desk: &mut DeskState| {
        let content = desk.order(&id("1")).unwrap().state.content.clone();
        desk.house.twin.address(&content.ship_to, content.buyer.as_ref()).unwrap()
    };
    receive(&mut desk, wrong(1, ""));
    assert!(wrote(&overheard).iter().any(|line| line.contains("reason: AddressInvalid")));
    let half = Box::new(Correction { street: Some("Nebenstr. 2".into()), ..Correction::default() });
    let told = put_right(&mut desk, "1", Fix::Address(half));
    assert!(told.unwrap().unwrap_err().contains("postcode"), "half right is wrong");
    overheard.expect(&[]);
    let right = || Box::new(Correction { street: Some("Nebenstr. 2".into()), postcode: Some(" 10115 ".into()), ..Correction::default() });
    put_right(&mut desk, "1", Fix::Address(right()));
    let heard = overheard.heard();
    assert!(heard.iter().any(|line| line.starts_with("says Desk(Plan(")), "{heard:#?}");
    let written: Vec<_> = heard.iter().filter(|line| line.starts_with("wrote")).collect();
    assert!(written.len() == 2 && written[0].contains("AddressPut") && written[1].contains("HoldCleared"), "{written:#?}");
    assert!(!written[0].contains("Nebenstr"), "who a buyer is stands in no record");
    put_right(&mut desk, "1", Fix::Address(right()));
    receive(&mut desk, wrong(1, ""));
    assert!(wrote(&overheard).is_empty(), "twice is once, and so is the same version");
    // A later version with the same address, and then one with other words of the buyer.
    for (n, note) in [(2, ""), (3, "Alles Gute!")] {
        receive(&mut desk, wrong(n, note));
        let heard = wrote(&overheard);
        assert!(heard.iter().all(|line| !line.contains("Held")), "{heard:#?}");
        let now = address(&mut desk);
        assert_eq!((now.street.as_str(), now.postcode.as_str()), ("Nebenstr. 2", "10115"));
        receive(&mut desk, wrong(n, note));
        assert!(wrote(&overheard).is_empty());
    }
    let buyer = desk.order(&id("1")).unwrap().state.content.buyer.clone().unwrap();
    let twin::Unsealed::Here(personal) = desk.house.twin.unseal(&buyer).unwrap() else { panic!("it is erased") };
    assert_eq!(personal.gift_note, "Alles Gute!");
    let mut moved = wrong(4, "");
    moved.ship_to.postcode = "20095".into();
    receive(&mut desk, moved);
    let now = address(&mut desk);
    assert_eq!((now.street.as_str(), now.postcode.as_str()), ("Hauptstr. 1", "20095"), "another address than before");
}

#[test]
fn an_order_is_paid_when_a_person_says_so_also_by_a_later_version() {
    let (overheard, mut desk) = desk();
    let unpaid = |n| NewOrder { paid: false, updated_at: Some(Moment(n)), ..order("1", "A", 1) };
    desk.take(DeskMsg::Receive(vec![unpaid(1)], Caller::nobody())).unwrap();
    assert!(wrote(&overheard).iter().any(|line| line.contains("reason: Unpaid")));
    put_right(&mut desk, "1", Fix::Release);
    let heard = overheard.heard();
    put_right(&mut desk, "1", Fix::Paid);
    assert!(heard.iter().all(|line| !line.starts_with("wrote")) && heard[0].contains("mark_paid ends that"), "{heard:#?}");
    overheard.expect(&["wrote Order(Paid", "wrote Order(HoldCleared", "says Desk(Plan(", "says Answer(Done("]);
    put_right(&mut desk, "1", Fix::Paid);
    overheard.expect(&["says Answer(Done("]);
    for n in [1, 2] {
        desk.take(DeskMsg::Receive(vec![unpaid(n)], Caller::nobody())).unwrap();
    }
    let heard = wrote(&overheard);
    assert!(heard.len() == 1 && heard[0].starts_with(RECEIVED), "{heard:#?}");
}

#[test]
fn a_name_for_a_sku_lets_all_go_on_that_wait_for_it() {
    let (overheard, mut desk) = desk();
    for number in ["1", "2"] {
        received(&mut desk, number, "Lamp", 1);
    }
    overheard.heard();
    let name = |line| Fix::Name { line, sku: "A".into(), quantity: 1 };
    let told = put_right(&mut desk, "1", name(2));
    assert!(told.unwrap().unwrap_err().contains("has no line 2; it has 1"));
    put_right(&mut desk, "1", Fix::Name { line: 1, sku: "none".into(), quantity: 1 });
    let heard = overheard.heard();
    assert!(heard.len() == 1 && heard[0].contains("own sells no none"), "{heard:#?}");
    assert!(desk.named.is_empty(), "a name that was refused gives no reason");
    put_right(&mut desk, "1", name(1));
    let heard = overheard.heard();
    assert!(heard[0].starts_with("wrote SkuMap(Mapped"), "{heard:#?}");
    for (number, why) in [("1", "r"), ("2", "")] {
        desk.take(DeskMsg::Plan(id(number))).unwrap();
        let heard = wrote(&overheard);
        let cleared = format!("wrote Order(HoldCleared {{ reason: UnknownSku, why: {why:?} }})");
        assert!(heard.contains(&cleared) && heard.iter().any(|line| line.starts_with("wrote Order(Allocated")), "{heard:#?}");
    }
    put_right(&mut desk, "1", name(1));
    assert!(wrote(&overheard).is_empty(), "twice is once");
}

#[test]
fn goods_of_no_weight_are_held_until_it_is_told() {
    let (overheard, mut desk) = desk();
    let facts = Facts { weight_g: 0, dims: twin::Dims::new(200, 150, 40), category: "toys".into(), ..Facts::default() };
    let change = Change::Product { owner: "own".into(), sku: "A".into(), facts: Box::new(facts) };
    let tell = |desk: &mut DeskState, change| desk.take(DeskMsg::Catalog(CatalogMsg::Change(vec![change], Caller::nobody()))).unwrap();
    tell(&mut desk, change);
    overheard.heard();
    received(&mut desk, "1", "A", 1);
    desk.take(DeskMsg::Plan(id("1"))).unwrap();
    let heard = wrote(&overheard);
    assert!(heard.last().unwrap().contains("reason: UnknownSku, detail: Unknown { lines: [Unweighed"), "{heard:#?}");
    let weigh = || Change::Weigh { owner: "own".into(), sku: "A".into(), weight_g: 180 };
    tell(&mut desk, weigh());
    assert!(overheard.heard()[0].starts_with("wrote Product(Described"));
    tell(&mut desk, weigh());
    assert!(wrote(&overheard).is_empty(), "twice is once");
    desk.take(DeskMsg::Plan(id("1"))).unwrap();
    let heard = wrote(&overheard);
    assert!(heard.iter().any(|line| line.starts_with("wrote Order(Allocated")), "{heard:#?}");
}

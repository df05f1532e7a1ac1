//! An order in several parcels, and several orders in one: put into parcels by hand, taken apart, changed by their platform,
//! cancelled in part. In virtual time on the bundled site with its two warehouses, whose floor packs what the slips say.

mod support;

use actors::ParcelMsg;
use actors::intake::Receipt;
use actors::ledger::Pace;
use actors::order_desk::DeskMsg;
use actors::settings::Opening;
use actors::shipment::Shipment;
use actors::site::{Site, World};
use actors::{Caller, Delivery};
use drivers::Clock;
use sim::carriers::LatencyModel;
use sim::demand::{self, DemandSettings};
use sim::site_file::SiteFile;
use sim::world::{Setup, SimWorld};
use std::sync::Arc;
use support::project;
use tokio::sync::oneshot;
use twin::channel::{TrackEvent, TrackStatus};
use twin::fulfilment::Fulfilment;
use twin::money::{Currency, Decimal};
use twin::new_order::Terms;
use twin::order::{Order, Share};
use twin::parcel::{Parcel, Stage};
use twin::replay::silent;
use twin::stock::{self, Counted, Stock};
use twin::{Address, Entity, Moment, Money, NewLine, NewOrder, OrderId, ParcelId, Sku, Span, Twin};

/// Of an order by its number, so many of each line.
type Wanted<'a> = (&'a str, Vec<(u16, u32)>);

struct House {
    clock: Clock,
    twin: Arc<Twin>,
    site: Site,
    skus: Vec<Sku>,
    start: Moment,
}

impl House {
    fn play(test: impl AsyncFnOnce(&House)) {
        let start: Moment = "2026-11-09T08:00:00+08:00".parse().expect("a moment");
        let clock = Clock::virtual_from(start);
        let runtime = drivers::clock::virtual_runtime(&clock).expect("a runtime can be built");
        runtime.block_on(async {
            let file = SiteFile::read(&project().join("scenarios/quick-start/site.toml")).expect("the bundled site is good");
            let twin = Arc::new(Twin::in_memory("many"));
            let opening = Opening::take(&twin, &file.parts, start, "the first").expect("it is taken");
            let catalogue = demand::catalogue(1, &DemandSettings { skus: 8, ..DemandSettings::default() });
            let mut skus: Vec<Sku> = catalogue.iter().filter(|p| !p.facts.battery.is_any()).map(|p| p.sku.clone()).collect();
            skus.truncate(3);
            let mut setup = Setup::default();
            // Long enough for something to change before a label is there.
            setup.wires.carrier_latency = LatencyModel { base_ms: 5_000, jitter_ms: 0 };
            let world = SimWorld::build(&opening.config, setup, clock.clone(), &catalogue);
            let outside = World {
                clock: clock.clone(),
                twin: twin.clone(),
                pace: Pace::Modelled(Span::from_ms(3)),
                delivery: Delivery::Mailbox,
                dials: world.dials(),
                drivers: world.drivers(&opening.config),
            };
            let site = Site::start(opening, outside).await.expect("the site starts");
            site.describe(catalogue.into_iter().map(actors::catalog::Change::from).collect());
            let house = House { clock, twin, site, skus, start };
            test(&house).await;
            house.twin.verify(&mut silent()).expect("the states are what the journal makes of them");
            house.site.stop().await;
        });
    }

    fn count(&self, warehouse: &str, nth: usize, on_hand: u32) {
        self.site.count(vec![Counted { warehouse: warehouse.into(), owner: "own".into(), sku: self.skus[nth].clone(), on_hand }]);
    }

    /// On hand, and reserved.
    fn stock(&self, warehouse: &str, nth: usize) -> (u32, u32) {
        let stock = self.state::<Stock>(&stock::id(&warehouse.into(), &"own".into(), &self.skus[nth])).unwrap_or_default();
        (stock.on_hand, stock.reserved)
    }

    fn state<E: Entity>(&self, id: &smol_str::SmolStr) -> Option<E> {
        self.twin.load::<E>(id).expect("the twin reads").map(|(_, state)| state)
    }

    fn order(&self, number: &str) -> Order {
        self.state(order_id(number).text()).expect("it is there")
    }

    fn parcel(&self, id: &str) -> Parcel {
        self.state(&id.into()).unwrap_or_else(|| panic!("there is no parcel {id}"))
    }

    /// How far an order is, in words.
    fn far(&self, number: &str) -> String {
        Fulfilment::of_order(&self.twin, &self.order(number)).expect("the twin reads").to_string()
    }

    fn new_order(&self, number: &str, lines: &[(usize, u32)]) -> NewOrder {
        let price = Money::new(Decimal::new(1_990, 2), Currency::USD);
        let line = |(nth, quantity): &(usize, u32)| NewLine { sku: self.skus[*nth].clone(), quantity: *quantity, unit_price: price };
        NewOrder {
            number: number.into(),
            platform: "shopify".into(),
            shop: "lamps".into(),
            placed_at: self.start,
            updated_at: None,
            ship_to: Address {
                name: "Ann Buyer".into(),
                street: "12 Main St".into(),
                city: "Austin".into(),
                region: "TX".into(),
                postcode: "78701".into(),
                country: "US".into(),
                phone: "+1 512 555 0100".into(),
                ..Address::default()
            },
            lines: lines.iter().map(line).collect(),
            paid: true,
            held: None,
            terms: Terms::default(),
            gift_note: "".into(),
        }
    }

    async fn receive(&self, order: NewOrder) -> Receipt {
        self.site.receive(vec![order]).await.expect("the desk answers").remove(0)
    }

    async fn ship(&self, parcels: Vec<(&str, Vec<Wanted<'_>>)>) -> Vec<Result<ParcelId, String>> {
        let (mut shipments, mut answers) = (Vec::new(), Vec::new());
        for (warehouse, orders) in parcels {
            let (tell, answer) = oneshot::channel();
            let shares = |of: Vec<(u16, u32)>| of.into_iter().map(|(line, quantity)| Share { line, quantity }).collect();
            shipments.push(Shipment {
                orders: orders.into_iter().map(|(number, of)| (order_id(number), shares(of))).collect(),
                warehouse: Some(warehouse.into()),
                channel: None,
                placed: Some(Caller::new(move |outcome| drop(tell.send(outcome)))),
            });
            answers.push(answer);
        }
        self.site.house.desk.cast(DeskMsg::Ship(shipments));
        let mut outcomes = Vec::new();
        for answer in answers {
            outcomes.push(answer.await.expect("the desk answers"));
        }
        outcomes
    }

    async fn told(&self, message: impl FnOnce(actors::order_desk::Reply) -> DeskMsg) -> Result<(), String> {
        let (tell, answer) = oneshot::channel();
        self.site.house.desk.cast(message(Caller::new(move |outcome| drop(tell.send(outcome)))));
        answer.await.expect("the desk answers")
    }

    async fn until(&self, what: &str, good: impl Fn() -> bool) {
        // Looks often at what takes seconds, and now and then at what takes weeks.
        for n in 0..100_000 {
            if good() {
                return;
            }
            self.clock.sleep(Span::from_secs(if n < 3_600 { 1 } else { 60 })).await;
        }
        panic!("{what} never came");
    }
}

fn order_id(number: &str) -> OrderId {
    OrderId::of("shopify", "lamps", number)
}

/// What lies in a parcel.
fn goods(parcel: &Parcel) -> Vec<(&str, &str, u32)> {
    parcel.plan.items.iter().map(|item| (item.order.number(), item.sku.as_str(), item.quantity)).collect()
}

#[test]
fn three_parcels_from_two_warehouses_one_cancelled_one_returned() {
    House::play(async |house| {
        let [a, b, c] = [0, 1, 2].map(|nth| house.skus[nth].clone());
        house.count("SZX", 0, 2);
        house.count("LAX", 1, 5);
        assert_eq!(house.receive(house.new_order("M-1", &[(0, 2), (1, 1), (2, 1)])).await, Receipt::Accepted);
        house.until("the hold", || house.order("M-1").is_held()).await;
        assert_eq!(house.stock("SZX", 0), (2, 0), "no warehouse has all of it, so nothing is reserved");
        // What is asked twice, or is not there, is refused in words.
        let refused = house.ship(vec![("SZX", vec![("M-1", vec![(0, 3)])]), ("SZX", vec![("M-1", vec![(1, 1)])])]).await;
        let words: Vec<_> = refused.into_iter().map(|outcome| outcome.expect_err("it cannot be")).collect();
        assert!(words[0].contains("3 of line 1 asked, 2 in no parcel"), "{words:?}");
        assert!(words[1].contains(&format!("short of {b}: 0 of 1")), "{words:?}");
        let placed = house.ship(vec![("SZX", vec![("M-1", vec![(0, 2)])]), ("LAX", vec![("M-1", vec![(1, 1)])])]).await;
        assert_eq!(placed, [Ok("M-1-1".into()), Ok("M-1-2".into())]);
        assert_eq!((house.stock("SZX", 0), house.stock("LAX", 1)), ((2, 2), (5, 1)));
        assert_eq!(house.far("M-1"), "held", "one line has no stock anywhere yet");
        house.until("the first handover", || house.parcel("M-1-1").stage == Stage::HandedOver).await;
        house.until("the second handover", || house.parcel("M-1-2").stage == Stage::HandedOver).await;
        assert_eq!(goods(&house.parcel("M-1-1")), [("M-1", a.as_str(), 2)], "the slip says what is in this box");
        assert_eq!(goods(&house.parcel("M-1-2")), [("M-1", b.as_str(), 1)]);
        assert_eq!((house.stock("SZX", 0), house.stock("LAX", 1)), ((0, 0), (4, 0)));
        // The last line comes in, finds its parcel by itself, and is called off before a line has seen it.
        house.count("LAX", 2, 5);
        house.until("the third label", || house.state::<Parcel>(&"M-1-3".into()).is_some_and(|p| p.tracking.is_some())).await;
        assert_eq!(goods(&house.parcel("M-1-3")), [("M-1", c.as_str(), 1)]);
        assert_eq!((house.far("M-1").as_str(), house.stock("LAX", 2)), ("2 of 3 shipped", (5, 1)));
        let refusal = house.told(|reply| DeskMsg::Cancel { order: order_id("M-1"), reason: "too late".into(), reply }).await;
        let refusal = refusal.expect_err("two have left");
        assert!(refusal.contains("M-1-1") && refusal.contains("what was in no parcel that left is cancelled"), "{refusal}");
        assert_eq!((house.parcel("M-1-3").stage, house.stock("LAX", 2)), (Stage::Cancelled, (5, 0)));
        assert_eq!(house.far("M-1"), "shipped", "all that is still wanted");
        house.until("the delivery", || house.far("M-1").contains("delivered")).await;
        let back =
            TrackEvent { at: house.clock.now(), status: TrackStatus::Returned, code: "RT".into(), text: "back".into(), place: "".into() };
        house
            .until("both at their end", || {
                let far = Fulfilment::of_order(&house.twin, &house.order("M-1")).expect("it reads");
                far.delivered + far.returned == 2
            })
            .await;
        let back = TrackEvent { at: house.clock.now(), ..back };
        house.site.house.tell("M-1-2".into(), ParcelMsg::Track(vec![back]));
        house.until("the return", || house.far("M-1") == "1 of 2 delivered").await;
        let far = Fulfilment::of_order(&house.twin, &house.order("M-1")).expect("it reads");
        assert_eq!((far.stage, far.parcels, far.delivered, far.returned), ("returned", 2, 1, 1));
    });
}

#[test]
fn two_orders_in_one_parcel_are_taken_apart_before_packing() {
    House::play(async |house| {
        let [a, b] = [0, 1].map(|nth| house.skus[nth].clone());
        for nth in [0, 1] {
            house.count("SZX", nth, 3);
        }
        house.receive(house.new_order("N-1", &[(0, 1)])).await;
        house.receive(house.new_order("N-2", &[(1, 2)])).await;
        let mut other = house.new_order("N-3", &[(1, 1)]);
        other.ship_to.street = "99 Elsewhere Rd".into();
        house.receive(other).await;
        house.until("their parcels", || house.state::<Parcel>(&"N-3-1".into()).is_some()).await;
        let elsewhere = house.ship(vec![("SZX", vec![("N-1", vec![(0, 1)]), ("N-3", vec![(0, 1)])])]).await.remove(0);
        let elsewhere = elsewhere.expect_err("it goes to somebody else");
        assert!(elsewhere.contains("goes to another address"), "{elsewhere}");
        house.until("a parcel again", || house.order("N-1").live_parts().count() == 1).await;
        let together = house.ship(vec![("SZX", vec![("N-1", vec![(0, 1)]), ("N-2", vec![(0, 2)])])]).await.remove(0);
        let together = together.expect("one buyer, one shop, one address");
        house.until("it is made", || house.state::<Parcel>(together.text()).is_some()).await;
        let parcel = house.parcel(together.as_str());
        assert_eq!(goods(&parcel), [("N-1", a.as_str(), 1), ("N-2", b.as_str(), 2)]);
        let slip = actors::slip::pick_slip(&together, &parcel.plan.items);
        assert!(slip.contains(&format!("PICK 1 {a}")) && slip.contains(&format!("PICK 2 {b}")), "{slip}");
        let apart = ["N-1", "N-2"].map(|n| house.order(n).live_parts().map(|p| p.parcel.clone()).collect::<Vec<_>>());
        assert_eq!(apart, [vec![together.clone()], vec![together.clone()]], "no other parcel holds any of it");
        assert_eq!((house.stock("SZX", 0), house.stock("SZX", 1)), ((3, 1), (3, 3)));
        let (parcel, reason) = (together.clone(), "the box is too large".into());
        house.told(|reply| DeskMsg::TakeApart { parcel, reason, reply }).await.expect("it is not packed yet");
        house.until("two parcels", || ["N-1", "N-2"].iter().all(|n| house.order(n).live_parts().count() == 1)).await;
        let own = |number: &str| house.order(number).live_parts().next().expect("it has one").parcel.clone();
        assert!(own("N-1") != own("N-2") && own("N-1") != together);
        assert_eq!((house.stock("SZX", 0), house.stock("SZX", 1)), ((3, 1), (3, 3)), "nothing is reserved twice");
        house.until("both delivered", || ["N-1", "N-2"].iter().all(|n| house.far(n) == "delivered")).await;
        house.until("the third too", || house.far("N-3") == "delivered").await;
        assert_eq!((house.stock("SZX", 0), house.stock("SZX", 1)), ((2, 0), (0, 0)));
    });
}

#[test]
fn a_later_version_of_an_order_replaces_the_one_before_until_a_bench_has_it() {
    House::play(async |house| {
        house.count("SZX", 0, 9);
        let at = |minutes: i64, order: NewOrder| NewOrder { updated_at: Some(house.start + Span::from_mins(minutes)), ..order };
        // Not paid, and an address that nobody finds: held. Paid and mended: it goes.
        let mut poor = at(1, house.new_order("V-1", &[(0, 2)]));
        (poor.paid, poor.ship_to.postcode) = (false, "".into());
        assert_eq!(house.receive(poor.clone()).await, Receipt::Accepted);
        house.until("two holds", || house.order("V-1").holds.len() == 2).await;
        assert_eq!(house.receive(poor.clone()).await, Receipt::Known);
        let good = at(3, house.new_order("V-1", &[(0, 2)]));
        assert_eq!(house.receive(good.clone()).await, Receipt::Updated);
        house.until("its parcel", || house.state::<Parcel>(&"V-1-1".into()).is_some()).await;
        assert_eq!((house.order("V-1").holds.len(), house.stock("SZX", 0)), (0, (9, 2)));
        // One that was on its way longer, and one that says the same.
        assert_eq!(house.receive(at(2, house.new_order("V-1", &[(0, 7)]))).await, Receipt::Superseded);
        assert_eq!(house.receive(good).await, Receipt::Known);
        // Fewer pieces before a bench has begun: another parcel, and the piece is free.
        assert_eq!(house.receive(at(4, house.new_order("V-1", &[(0, 1)]))).await, Receipt::Updated);
        house.until("another parcel", || house.state::<Parcel>(&"V-1-2".into()).is_some()).await;
        assert_eq!((house.parcel("V-1-1").stage, house.stock("SZX", 0)), (Stage::Cancelled, (9, 1)));
        house.until("it is printed", || house.parcel("V-1-2").printed_on.is_some()).await;
        // From now on only its dates may change.
        let Receipt::Refused(why) = house.receive(at(5, house.new_order("V-1", &[(0, 3)]))).await else { panic!("a bench has it") };
        assert!(why.contains("V-1-2") && why.contains("only updated_at, ship_by, deliver_by can still change"), "{why}");
        let mut dated = at(6, house.new_order("V-1", &[(0, 1)]));
        dated.terms.ship_by = Some(house.start + Span::from_hours(48));
        assert_eq!(house.receive(dated).await, Receipt::Updated);
        assert_eq!(house.order("V-1").live_parts().map(|p| p.parcel.clone()).collect::<Vec<_>>(), ["V-1-2".into()]);
        // The same number in another shop is another order, with a parcel of its own.
        let other = NewOrder { shop: "mugs".into(), ..house.new_order("V-1", &[(0, 1)]) };
        assert_eq!(house.receive(other).await, Receipt::Accepted);
        house.until("its parcel", || house.state::<Parcel>(&"V-1-3".into()).is_some()).await;
        let called = house.twin.orders_called("V-1").expect("the twin reads");
        assert_eq!(called.iter().map(OrderId::as_str).collect::<Vec<_>>(), ["V-1@shopify:lamps", "V-1@shopify:mugs"]);
        house.until("its delivery", || house.far("V-1") == "delivered").await;
        assert_eq!(house.stock("SZX", 0).0, 7);
    });
}

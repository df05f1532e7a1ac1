//! What a carrier sells that is no label, a number that others wear, an answer that is lost, a refusal: nothing is worn that is not a
//! parcel's own, nothing is bought twice without a person's word, and what does not go on by itself stands on the list with what can be
//! done about it. In virtual time, against the simulated carriers.

mod support;

use actors::config::SiteConfig;
use actors::ledger::Pace;
use actors::order_desk::DeskMsg;
use actors::remedies::Step;
use actors::shipment::Shipment;
use actors::site::{Site, World};
use actors::{Caller, Delivery, ParcelMsg};
use drivers::Clock;
use drivers::carriers::{CarrierDriver, CarrierError, Defect, LostAnswer, Read};
use drivers::platforms::ProductRow;
use futures::future::BoxFuture;
use sim::carriers::{LabelFault, LatencyModel};
use sim::demand::{self, DemandSettings};
use sim::scenario::{Fault, FaultKind, read_site};
use sim::world::{Setup, SimWorld};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use support::project;
use twin::Unsealed;
use twin::channel::{Label, LabelRequest, Quote, QuoteRequest, Tracking};
use twin::facet::Facet;
use twin::money::{Currency, Decimal};
use twin::new_order::Terms;
use twin::order::{Order, Share};
use twin::parcel::{self, Interception, Parcel, Stage, Void};
use twin::problem::{Cause, Problem};
use twin::replay::silent;
use twin::stock::Counted;
use twin::{Address, CarrierId, Entity, Event, Moment, Money, NewLine, NewOrder, OrderId, ParcelId, Span, TrackingNumber, Twin};

/// A carrier that sells no label to anybody.
struct Sulking(Arc<dyn CarrierDriver>);

impl CarrierDriver for Sulking {
    fn id(&self) -> &CarrierId {
        self.0.id()
    }
    fn lost_answer(&self) -> LostAnswer {
        self.0.lost_answer()
    }
    fn quote(&self, request: QuoteRequest) -> BoxFuture<'static, Result<Read<Vec<Quote>>, CarrierError>> {
        self.0.quote(request)
    }
    fn buy_label(&self, _: LabelRequest) -> BoxFuture<'static, Result<Read<Label>, CarrierError>> {
        let (carrier, code, message) = (self.id().clone(), "no_capacity".into(), "no aircraft this week".into());
        Box::pin(std::future::ready(Err(CarrierError::Refused { carrier, status: 422, code, message })))
    }
    fn track(&self, numbers: Vec<TrackingNumber>) -> BoxFuture<'static, Result<Read<Vec<Tracking>>, CarrierError>> {
        self.0.track(numbers)
    }
    fn void_label(&self, tracking: TrackingNumber) -> BoxFuture<'static, Result<(), CarrierError>> {
        self.0.void_label(tracking)
    }
    fn track_batch_max(&self) -> usize {
        self.0.track_batch_max()
    }
    fn can_quote(&self) -> bool {
        self.0.can_quote()
    }
    fn fits(&self, request: &LabelRequest) -> Result<(), Defect> {
        self.0.fits(request)
    }
}

/// The bundled site with three products: one lies where the post takes it, one where the direct line does, and one is too heavy for both.
struct House {
    clock: Clock,
    twin: Arc<Twin>,
    site: Site,
    world: SimWorld,
    start: Moment,
}

const POST: &str = "POST";
const LINE: &str = "LINE";
const HEAVY: &str = "HEAVY";

impl House {
    fn play(sulks: bool, change: impl FnOnce(&mut SiteConfig), test: impl AsyncFnOnce(&House)) {
        let start: Moment = "2026-11-09T08:00:00+08:00".parse().expect("a moment");
        let clock = Clock::virtual_from(start);
        let runtime = drivers::clock::virtual_runtime(&clock).expect("a runtime can be built");
        runtime.block_on(async {
            let mut config = read_site(&project().join("scenarios/quick-start/site.toml")).expect("the bundled site is good");
            change(&mut config);
            let twin = Arc::new(Twin::in_memory("labels"));
            let some = demand::catalogue(1, &DemandSettings { skus: 8, ..DemandSettings::default() });
            let some = some.into_iter().find(|p| !p.facts.battery.is_any()).expect("not all have batteries");
            let product = |(sku, weight_g): (&str, u32)| {
                let mut product = ProductRow { sku: sku.into(), ..some.clone() };
                product.facts.weight_g = weight_g;
                product
            };
            let products = [(POST, 300), (LINE, 300), (HEAVY, 31_000)].map(product);
            let mut setup = Setup::default();
            setup.wires.carrier_latency = LatencyModel { base_ms: 2_000, jitter_ms: 0 };
            let world = SimWorld::build(&config, setup, clock.clone(), &products);
            let mut drivers = world.drivers(&config);
            if sulks {
                drivers.entry("direct".into()).and_modify(|driver| *driver = Arc::new(Sulking(driver.clone())));
            }
            let outside = World {
                clock: clock.clone(),
                twin: twin.clone(),
                pace: Pace::Modelled(Span::from_ms(3)),
                delivery: Delivery::Mailbox,
                dials: world.dials(),
                drivers,
            };
            let site = Site::start(config, outside).await.expect("the site starts");
            site.describe(products.into_iter().map(actors::catalog::Change::from).collect());
            let count = |(warehouse, sku): (&str, &str)| Counted {
                warehouse: warehouse.into(),
                owner: "own".into(),
                sku: sku.into(),
                on_hand: 500,
            };
            site.count([("LAX", POST), ("SZX", LINE), ("SZX", HEAVY)].map(count).into());
            clock.sleep(Span::from_secs(10)).await;
            let house = House { clock, twin, site, world, start };
            test(&house).await;
            house.twin.verify(&mut silent()).expect("the states are what the journal makes of them");
            house.site.stop().await;
        });
    }

    async fn receive(&self, number: &str, sku: &str) {
        let order = NewOrder {
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
            lines: vec![NewLine { sku: sku.into(), quantity: 1, unit_price: Money::new(Decimal::new(1_990, 2), Currency::USD) }],
            paid: true,
            held: None,
            terms: Terms::default(),
            gift_note: "".into(),
        };
        self.site.receive(vec![order]).await.expect("the desk answers");
    }

    fn state<E: Entity>(&self, id: &smol_str::SmolStr) -> Option<E> {
        self.twin.load::<E>(id).expect("the twin reads").map(|(_, state)| state)
    }

    fn parcel(&self, id: &str) -> Parcel {
        self.state(&id.into()).unwrap_or_else(|| panic!("there is no parcel {id}"))
    }

    fn order(&self, number: &str) -> Order {
        self.state(OrderId::of("shopify", "lamps", number).text()).expect("it was received")
    }

    fn parcels(&self) -> BTreeMap<ParcelId, Parcel> {
        self.twin.all::<Parcel>().map(|row| row.expect("the twin reads")).map(|(id, parcel)| (id.into(), parcel)).collect()
    }

    /// Whose problems of that sort are open, each with what can be done about it first.
    fn open(&self, cause: Cause) -> BTreeMap<ParcelId, &'static str> {
        let mut open = BTreeMap::new();
        for row in self.twin.listed::<Problem>(Facet::Problem, Some("parcel"), None) {
            let problem = self.state::<Problem>(&row.expect("the twin reads").0.id).expect("it is listed");
            let subject = problem.subject.expect("it is of something");
            let troubles = self.twin.troubles(&subject).expect("the twin reads");
            // Its cause is gone, and it is being closed.
            let Some(trouble) = troubles.iter().find(|trouble| trouble.cause == problem.cause) else { continue };
            if problem.cause == cause {
                open.insert(subject.id.into(), trouble.remedies[0]);
            }
        }
        open
    }

    async fn person(&self, parcel: &ParcelId, step: Step) {
        let (caller, answer) = Caller::waiting();
        self.site.house.tell(parcel.clone(), ParcelMsg::PutRight { step, why: "r".into(), reply: caller });
        answer.await.expect("the parcel answers").expect("it can be done");
    }

    async fn until(&self, what: &str, good: impl Fn() -> bool) {
        for _ in 0..7_200 {
            if good() {
                return;
            }
            self.clock.sleep(Span::from_secs(1)).await;
        }
        panic!("{what} never came");
    }

    /// Something goes wrong with a carrier from the second minute on, for so many.
    fn breaks(&self, carrier: &str, kind: FaultKind, minutes: u32) {
        let (carrier, device) = (Some(carrier.into()), None);
        let fault =
            Fault { at: "00:02".into(), for_min: minutes, device, carrier, kind, ppm: 0, dg_per_min: 0, bytes: 0, every_s: 0, ms: 0 };
        self.world.schedule(&[fault], self.start);
    }

    fn events(&self, wanted: impl Fn(&parcel::Event) -> bool) -> usize {
        let records = self.twin.records(0).map(|record| record.expect("the journal reads").event);
        records.filter(|event| matches!(event, Event::Parcel(event) if wanted(event))).count()
    }
}

fn usual(_: &mut SiteConfig) {}

#[test]
fn of_twenty_parcels_with_one_number_one_wears_it_and_nineteen_stand_on_the_list() {
    House::play(false, usual, async |house| {
        assert!(house.world.book.fault(&"direct".into(), LabelFault::SameNumber, true));
        for n in 0..20 {
            house.receive(&format!("S-{n}"), LINE).await;
        }
        let answered = |parcel: &Parcel| parcel.tracking.is_some() || parcel.stage == Stage::Intercepted;
        house.until("twenty answers", || house.parcels().values().filter(|p| answered(p)).count() == 20).await;
        let (worn, others): (Vec<_>, Vec<_>) = house.parcels().into_iter().partition(|(_, parcel)| parcel.tracking.is_some());
        assert_eq!((worn.len(), others.len()), (1, 19));
        let (owner, number) = (&worn[0].0, worn[0].1.tracking.clone().expect("it wears it"));
        for (id, parcel) in &others {
            let taken = Interception::NumberTaken { number: number.clone(), by: owner.clone() };
            assert_eq!((parcel.stage, parcel.interception.as_ref()), (Stage::Intercepted, Some(&taken)), "{id}");
        }
        house.clock.sleep(Span::from_mins(1)).await;
        let open = house.open(Cause::Intercepted);
        assert_eq!(open.len(), 19);
        assert!(open.values().all(|first| *first == "ask_label"), "{open:?}");
        // Once the carrier is well again a person has them asked for anew.
        house.world.book.fault(&"direct".into(), LabelFault::SameNumber, false);
        for id in open.keys() {
            house.person(id, Step::AskLabel).await;
        }
        house.until("nineteen labels", || house.parcels().values().all(|parcel| parcel.tracking.is_some())).await;
        let numbers: BTreeSet<_> = house.parcels().into_values().filter_map(|parcel| parcel.tracking).collect();
        assert_eq!(numbers.len(), 20);
        house.until("an empty list", || house.open(Cause::Intercepted).is_empty()).await;
    });
}

#[test]
fn what_is_no_label_is_not_worn_and_its_key_is_asked_again() {
    House::play(false, usual, async |house| {
        for carrier in ["direct", "usps"] {
            assert!(house.world.book.fault(&carrier.into(), LabelFault::Garbage { ppm: 500_000 }, true));
        }
        for n in 0..10 {
            house.receive(&format!("L-{n}"), LINE).await;
            house.receive(&format!("P-{n}"), POST).await;
        }
        house.until("twenty labels", || house.parcels().values().filter(|parcel| parcel.tracking.is_some()).count() == 20).await;
        for (id, parcel) in house.parcels() {
            let Some(Unsealed::Here(label)) = house.twin.label(&parcel).expect("the twin reads") else { panic!("{id} has no label") };
            let label = String::from_utf8_lossy(&label).trim().to_owned();
            assert!(label.starts_with("^XA") && label.ends_with("^XZ") && label.len() > 50, "{id}: {label}");
        }
        let lost = house.events(|event| matches!(event, parcel::Event::LabelLost { decide: false, .. }));
        assert!(lost >= 5, "this proves nothing: {lost} answers were no labels");
        let bought = |carrier: &str| house.world.book.bought(&carrier.into()).len();
        assert_eq!((bought("direct"), bought("usps")), (10, 10), "one for each key");
    });
}

#[test]
fn where_keys_are_kept_a_lost_answer_buys_no_second_label() {
    House::play(false, usual, async |house| {
        for carrier in ["direct", "usps"] {
            house.breaks(carrier, FaultKind::AnswersLost, 5);
        }
        house.clock.sleep_until(house.start + Span::from_mins(3)).await;
        for n in 0..6 {
            house.receive(&format!("L-{n}"), LINE).await;
            house.receive(&format!("P-{n}"), POST).await;
        }
        house.until("twelve labels", || house.parcels().values().filter(|parcel| parcel.tracking.is_some()).count() == 12).await;
        let parcels = house.parcels();
        assert!(parcels.values().all(|parcel| parcel.label_lost > 0 && parcel.label_undecided.is_none()), "this proves nothing");
        let bought = |carrier: &str| house.world.book.bought(&carrier.into()).len();
        assert_eq!((bought("direct"), bought("usps")), (6, 6));
        assert!(house.open(Cause::LabelLost).is_empty());
    });
}

#[test]
fn where_no_key_is_kept_a_lost_answer_is_said_and_a_person_decides() {
    House::play(false, usual, async |house| {
        house.receive("H-0", HEAVY).await;
        house.until("a price", || house.state::<Parcel>(&"H-0-1".into()).is_some_and(|parcel| parcel.tracking.is_some())).await;
        // Its prices were asked for before its answers are lost.
        house.clock.sleep_until(house.start + Span::from_secs(117)).await;
        house.receive("H-1", HEAVY).await;
        house.receive("H-2", HEAVY).await;
        house.breaks("mydhl", FaultKind::AnswersLost, 5);
        let undecided = |id: &str| house.state::<Parcel>(&id.into()).is_some_and(|parcel| parcel.label_undecided.is_some());
        house.until("two lost answers", || undecided("H-1-1") && undecided("H-2-1")).await;
        let bought = || house.world.book.bought(&"mydhl".into()).len();
        assert_eq!(bought(), 3, "none is asked for twice by itself");
        house.clock.sleep(Span::from_mins(30)).await;
        assert_eq!((bought(), house.parcel("H-1-1").stage), (3, Stage::LabelRequested));
        let open = house.open(Cause::LabelLost);
        assert_eq!(open.into_iter().collect::<Vec<_>>(), [("H-1-1".into(), "ask_label"), ("H-2-1".into(), "ask_label")]);
        // One is asked for again, and may be bought twice; the other is taken apart, and its label is nobody's.
        house.person(&"H-1-1".into(), Step::AskLabel).await;
        house.until("its label", || house.parcel("H-1-1").tracking.is_some()).await;
        let parcel = house.parcel("H-1-1");
        assert_eq!((bought(), parcel.label_lost, parcel.label_asked), (4, 1, 2));
        let (caller, answer) = Caller::waiting();
        house.site.house.desk.cast(DeskMsg::TakeApart { parcel: "H-2-1".into(), reason: "r".into(), reply: caller });
        answer.await.expect("the desk answers").expect("it can be done");
        assert!(matches!(house.parcel("H-2-1").void, Void::Refused { .. }));
        house.until("another parcel", || house.state::<Parcel>(&"H-2-2".into()).is_some_and(|p| p.tracking.is_some())).await;
        assert_eq!(house.open(Cause::LabelKept).into_keys().collect::<Vec<_>>(), ["H-2-1".into()]);
        house.person(&"H-2-1".into(), Step::WriteOffLabel).await;
        house.until("an empty list", || house.open(Cause::LabelKept).is_empty() && house.open(Cause::LabelLost).is_empty()).await;
    });
}

#[test]
fn a_refused_label_goes_over_the_next_best_channel_and_the_decision_says_why() {
    House::play(true, usual, async |house| {
        house.receive("R-1", LINE).await;
        house.until("a label", || house.parcels().values().any(|parcel| parcel.tracking.is_some())).await;
        let order = house.order("R-1");
        let channels: Vec<_> = order.parts.iter().map(|part| part.decision.channel.as_str()).collect();
        assert_eq!(channels, ["direct/packet", "direct/parcel", "mydhl/express-worldwide"], "from best to next best");
        assert_eq!(
            [1, 2, 3].map(|n| house.parcel(&format!("R-1-{n}")).stage),
            [Stage::Cancelled, Stage::Cancelled, house.parcel("R-1-3").stage]
        );
        let decision = order.decision().expect("it was decided");
        for refused in &channels[..2] {
            let candidate = decision.candidates.iter().find(|c| c.channel.as_ref().is_some_and(|c| c.as_str() == *refused));
            let verdict = candidate.unwrap_or_else(|| panic!("{refused} is not named: {decision:?}")).verdict.to_string();
            assert!(verdict.contains("sold no label") && verdict.contains("no aircraft this week"), "{verdict}");
        }
        house.clock.sleep(Span::from_mins(5)).await;
        assert!(house.open(Cause::Intercepted).is_empty() && house.open(Cause::LabelKept).is_empty());
    });
}

/// With so many other channels allowed, this is the parcel that stays, and how many there are.
#[track_caller]
fn stays(others: usize, parcel: &str) {
    House::play(
        true,
        |config| config.limits.other_channels_max = others,
        async |house| {
            house.receive("R-1", LINE).await;
            house.clock.sleep(Span::from_mins(30)).await;
            let last = house.parcel(parcel);
            assert_eq!((last.stage, house.parcels().len()), (Stage::Intercepted, others + 1));
            let why = last.interception.expect("it is intercepted").to_string();
            assert!(why.contains("no aircraft this week"), "{why}");
            assert_eq!(house.open(Cause::Intercepted).into_iter().collect::<Vec<_>>(), [(parcel.into(), "ask_label")]);
        },
    );
}

#[test]
fn after_so_many_others_it_stays_with_its_cause_and_what_can_be_done() {
    stays(1, "R-1-2");
    stays(0, "R-1-1");
}

#[test]
fn what_a_person_sent_over_a_channel_is_not_moved_to_another() {
    House::play(true, usual, async |house| {
        let (caller, answer) = Caller::waiting();
        house.receive("R-1", LINE).await;
        let order = OrderId::of("shopify", "lamps", "R-1");
        let shipment = Shipment {
            orders: vec![(order, vec![Share { line: 0, quantity: 1 }])],
            warehouse: Some("SZX".into()),
            channel: Some("direct/parcel".into()),
            placed: Some(caller),
        };
        house.site.house.desk.cast(DeskMsg::Ship(vec![shipment]));
        let id = answer.await.expect("the desk answers").expect("it is placed");
        house.clock.sleep(Span::from_mins(30)).await;
        let parcel = house.parcel(id.as_str());
        assert_eq!((parcel.stage, parcel.plan.channel.as_str()), (Stage::Intercepted, "direct/parcel"));
        assert_eq!(house.open(Cause::Intercepted).into_iter().collect::<Vec<_>>(), [(id, "ask_label")]);
    });
}

//! No state without a way out: every state of every noun, laid into a twin, and what a person does there that leads on; or why nobody
//! has to. What a state says is wrong with it names what can be done, and that is done.
//!
//! Stages are compared with the lists that serde has of them, and fields with those of the states: a new one fails here until somebody
//! says what leads on from it.

use super::remedies::asked;
use super::{Answer, Edge, SITE};
use crate::remedy::Remedy;
use actors::remedies::Step;
use actors::{Caller, ParcelMsg};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use clap::Subcommand;
use futures::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use twin::address::Place;
use twin::allocation::Decision;
use twin::channel::{TrackEvent, TrackStatus};
use twin::event::State;
use twin::facet::Standing;
use twin::goods::{Facts, Goods};
use twin::hold::{Detail, Unmapped};
use twin::money::{Currency, Decimal};
use twin::order::{Content, Hold, Line, Share};
use twin::parcel::{Interception, Item, Plan, Void};
use twin::problem::{Cause, Severity, Trouble};
use twin::returns::{Condition, Expected, Outcome, Returned};
use twin::{
    Dims, Entity, Hash, Key, Kind, Moment, Money, Sku, Span, TrackingNumber, Twin, Tx, bag, carrier, charges, declaration, device,
    manifest, order, parcel, problem, product, returns, seller, settings, sku_map, station, stock, tracking, warehouse,
};

const ORDER: &str = "S-1@amazon:s1";
const PARCEL: &str = "S-1-1";
const BAG: &str = "069012341000000017";
const LINE: &str = "SZX/line-1";

/// What a person does.
enum Way {
    /// By the one route for it.
    Remedy(Value),
    /// By another of the API.
    Route(&'static str, String, Value),
    /// Nothing, and why.
    Nobody(&'static str),
}

type Lay = Arc<dyn Fn(&Twin) + Send + Sync>;

/// A thing in a state.
#[derive(Clone)]
struct Case {
    name: String,
    key: Key,
    /// Before the house starts, which takes it up.
    before: Vec<Lay>,
    /// Behind its back, so that nobody touches it: what others would do next is not done.
    behind: Vec<Lay>,
    /// Over the API.
    asked: Vec<(&'static str, Value)>,
    way: Arc<Way>,
}

fn case(name: impl Into<String>, kind: Kind, id: &str, way: Way) -> Case {
    let (before, behind, asked) = (vec![], vec![], vec![]);
    Case { name: format!("{} {}", kind.as_str(), name.into()), key: Key::new(kind, id), before, behind, asked, way: Arc::new(way) }
}

impl Case {
    fn before<E: Entity>(mut self, id: &str, events: Vec<E::Event>) -> Self
    where
        E::Event: Sync,
    {
        self.before.push(lay::<E>(id, events));
        self
    }

    fn behind<E: Entity>(mut self, id: &str, events: Vec<E::Event>) -> Self
    where
        E::Event: Sync,
    {
        self.behind.push(lay::<E>(id, events));
        self
    }

    /// An order, reserved goods for it, and its parcel.
    fn parcel(self, parcel: Vec<parcel::Event>) -> Self {
        let is_bagged = parcel.iter().rev().any(|event| matches!(event, parcel::Event::Bagged { .. }));
        let is_free = self.key.kind != Kind::Bag;
        let this = if is_bagged && is_free { self.before::<bag::Bag>(BAG, closed_bag()) } else { self };
        this.reserved().behind::<order::Order>(ORDER, allocated()).behind::<parcel::Parcel>(PARCEL, parcel)
    }

    fn reserved(self) -> Self {
        let stock = vec![stock::Event::Counted { on_hand: 9, safety: 0 }, stock::Event::Reserved { order: ORDER.into(), quantity: 2 }];
        self.before::<stock::Stock>("SZX:own:A-17", stock)
    }
}

/// What lets these events have happened.
fn lay<E: Entity>(id: &str, events: Vec<E::Event>) -> Lay
where
    E::Event: Sync,
{
    let id = SmolStr::new(id);
    Arc::new(move |twin| {
        let (version, mut state) = twin.load::<E>(&id).unwrap().unwrap_or_default();
        let (mut tx, before) = (Tx::at(Moment(1)), Standing::of(&id, version, &state));
        events.iter().for_each(|event| state.apply(Moment(1), event));
        tx.stage(&id, version + events.len() as u32, events.clone(), before, &state);
        twin.commit([tx]).unwrap();
    })
}

fn remedy(name: &str) -> Way {
    Way::Remedy(called(name, PARCEL))
}

/// A remedy by its name, about the things that are here.
fn called(name: &str, id: &str) -> Value {
    let station = id.rsplit_once('/').map_or(id, |(station, _)| if station.contains('/') { station } else { id });
    let mut remedy = match name {
        "cancel_order" | "hold_order" | "release_order" | "mark_paid" => json!({"order": ORDER}),
        "send_order" => json!({"order": ORDER, "warehouse": "SZX", "channel": "test/ground"}),
        "put_address_right" => json!({"order": ORDER, "name": "Ann", "street": "1 Main St", "city": "Beverly Hills", "postcode": "90210"}),
        "name_sku" => json!({"order": ORDER, "line": 1, "sku": "A-17"}),
        "tell_weight" => json!({"sku": "A-17", "weight_g": 210}),
        "put_parcel_aside" => json!({"parcel": PARCEL, "place": "shelf 7"}),
        "charge_parcel" => json!({"parcel": PARCEL, "kind": "duty", "amount": "3.10", "currency": "USD", "reference": "4711/3"}),
        "close_return" => json!({"parcel": PARCEL, "outcome": "written_off"}),
        "settle_bag" | "hand_over_bag" => json!({"bag": BAG}),
        "take_device_out" | "put_device_back" => json!({"device": id}),
        "take_station_out" | "put_station_back" | "clear_rejects" => json!({"station": station}),
        "take_chute_out" | "put_chute_back" => json!({"station": LINE, "chute": 1}),
        "take_channel_out" | "put_channel_back" => json!({"channel": "test/ground"}),
        "resume_carrier" => json!({"carrier": "test"}),
        "acknowledge_problem" | "comment_on_problem" => json!({"problem": id}),
        "assign_problem" => json!({"problem": id, "to": "Chen"}),
        "snooze_problem" => json!({"problem": id, "hours": 2}),
        _ => json!({"parcel": PARCEL}),
    };
    remedy["do"] = json!(name);
    remedy
}

fn usd(cents: i64) -> Money {
    Money::new(Decimal::new(cents, 2), Currency::USD)
}

fn facts() -> Facts {
    Facts { category: "toys".into(), weight_g: 200, dims: Dims::new(100, 80, 50), ..Facts::default() }
}

fn place() -> Place {
    Place { country: "US".into(), region: "CA".into(), postcode: "90210".into() }
}

fn content() -> Content {
    let goods = vec![Goods { sku: "A-17".into(), quantity: 1, facts: facts() }];
    let line = Line { sku: "A-17".into(), quantity: 2, unit_price: Decimal::new(779, 2), goods };
    Content {
        platform: "amazon".into(),
        shop: "s1".into(),
        ship_to: place(),
        lines: vec![line],
        currency: "USD".into(),
        paid: true,
        seller: "own".into(),
        ..Content::default()
    }
}

fn received() -> order::Event {
    order::Event::Received { content: Box::new(content()) }
}

fn allocated() -> Vec<order::Event> {
    vec![received(), some_allocated(2)]
}

fn some_allocated(quantity: u32) -> order::Event {
    let (warehouse, channel) = ("SZX".into(), "test/ground".into());
    let decision = Decision { rule: "r".into(), warehouse, channel, cost: usd(500), candidates: vec![], count: 0, all: None, settings: 0 };
    let shares = vec![Share { line: 0, quantity }];
    order::Event::Allocated { decision: Box::new(decision), parcel: PARCEL.into(), shares, with: vec![] }
}

fn held(reason: Hold, detail: Detail) -> Vec<order::Event> {
    let mut content = content();
    content.paid = reason != Hold::Unpaid;
    if reason == Hold::UnknownSku {
        content.lines[0].goods.clear();
    }
    vec![order::Event::Received { content: Box::new(content) }, order::Event::Held { reason, detail }]
}

fn orders() -> Vec<Case> {
    let order = |name: &str, way: Way, events: Vec<order::Event>| case(name, Kind::Order, ORDER, way).behind::<order::Order>(ORDER, events);
    let said = || Detail::Said { text: "r".into() };
    let unknown = || Detail::Unknown { lines: vec![Unmapped::Unknown { sku: "A-17".into() }] };
    let cancelled = vec![received(), order::Event::Cancelled { reason: "r".into() }];
    vec![
        order("received", remedy("hold_order"), vec![received()]),
        order("partly allocated", remedy("send_order"), vec![received(), some_allocated(1)]),
        case("allocated", Kind::Order, ORDER, remedy("cancel_order")).parcel(labelled()),
        order("cancelled", Way::Nobody("nothing of it is wanted; ordered anew it is another order"), cancelled.clone()),
        order(
            "forgotten",
            Way::Nobody("whoever asked that it be forgotten wants no way back"),
            [cancelled, vec![order::Event::Forgotten]].concat(),
        ),
        order("unpaid", remedy("mark_paid"), held(Hold::Unpaid, Detail::Unpaid)),
        order("address invalid", remedy("put_address_right"), held(Hold::AddressInvalid, said())),
        order("unknown SKU", remedy("name_sku"), held(Hold::UnknownSku, unknown())),
        order("no stock", remedy("release_order"), held(Hold::NoStock, said())),
        order("no channel", remedy("release_order"), held(Hold::NoChannel, said())),
        order("oversize", remedy("release_order"), held(Hold::Oversize, said())),
        order("forbidden goods", remedy("release_order"), held(Hold::ForbiddenGoods, said())),
        order("duplicate", remedy("release_order"), held(Hold::Duplicate, said())),
        order("held by a person", remedy("release_order"), held(Hold::Manual, Detail::ByHand { why: "r".into() })),
        order("held, and not to be sent", remedy("cancel_order"), held(Hold::ForbiddenGoods, said())),
    ]
}

fn created(key: bool) -> parcel::Event {
    let item = Item { order: ORDER.into(), line: 0, sku: "A-17".into(), quantity: 2 };
    let plan = Plan {
        order: ORDER.into(),
        warehouse: "SZX".into(),
        carrier: "test".into(),
        channel: "test/ground".into(),
        service: "G".into(),
        ship_to: place(),
        declared_g: 402,
        declared: Dims::new(100, 80, 50),
        value: Some(usd(1558)),
        items: vec![item],
        seller: "own".into(),
        ..Plan::default()
    };
    parcel::Event::Created { plan: Box::new(plan), key: key.then(|| "S-1-1.0".into()) }
}

fn labelled() -> Vec<parcel::Event> {
    let bought = parcel::Event::LabelBought { tracking: TrackingNumber::new("T900"), label: Hash::default(), charged: None, plate: None };
    vec![created(true), bought]
}

/// What leads to a stage.
fn at(stage: parcel::Stage) -> Vec<parcel::Event> {
    use parcel::Event::*;
    use parcel::Stage;
    let line = [
        (Stage::Inducted, Inducted { station: LINE.into() }),
        (Stage::Measured, Measured { weight_g: 402, dims: None }),
        (Stage::Verified, Verified),
        (Stage::Sorted, Sorted { chute: 1 }),
        (Stage::Bagged, Bagged { bag: BAG.into() }),
        (Stage::HandedOver, HandedOver { bag: BAG.into() }),
    ];
    match stage {
        Stage::Absent => vec![],
        Stage::Created => vec![created(false)],
        Stage::LabelRequested => vec![created(true)],
        Stage::Labelled => labelled(),
        Stage::Intercepted => [at(Stage::Inducted), vec![Intercepted { why: Interception::NotWeighed, chute: Some(9) }]].concat(),
        Stage::Cancelled => [labelled(), vec![Cancelled { reason: "r".into(), order: None }]].concat(),
        stage => {
            let on = line.into_iter().take_while(|(reached, _)| *reached <= stage).map(|(_, event)| event);
            labelled().into_iter().chain([Packed]).chain(on).collect()
        }
    }
}

/// Every reason to stop a parcel.
fn interceptions() -> Vec<Interception> {
    use Interception::*;
    let (small, large) = (Dims::new(100, 80, 50), Dims::new(200, 100, 50));
    vec![
        Weight { declared_g: 402, measured_g: 900 },
        Size { declared: small, measured: large },
        DuplicateLabel,
        OrderCancelled,
        NotWeighed,
        NoChute,
        WrongChute { planned: 1, actual: 2 },
        NumberTaken { number: TrackingNumber::new("T1"), by: "B-1-1".into() },
        Stopped { why: "r".into() },
        Manual { why: "r".into() },
        Out { what: "chute 1 is out: r".into() },
    ]
}

fn parcels() -> Vec<Case> {
    use parcel::{Event::*, Stage};
    let parcel = |name: &str, way: Way, events: Vec<parcel::Event>| case(name, Kind::Parcel, PARCEL, way).parcel(events);
    let mut all = Vec::new();
    for stage in Stage::ALL {
        let way = match stage {
            Stage::Absent | Stage::Created => remedy("ask_label"),
            Stage::LabelRequested | Stage::Inducted => remedy("take_apart"),
            Stage::Labelled => remedy("reprint"),
            Stage::Measured | Stage::Verified | Stage::Sorted => remedy("write_off_parcel"),
            Stage::Bagged => remedy("stop_parcel"),
            Stage::Intercepted => remedy("weigh_again"),
            Stage::HandedOver => Way::Nobody("its tracking goes on, and has remedies of its own"),
            Stage::Cancelled => Way::Nobody("its carrier is asked to take its label back until it answers"),
        };
        all.push(parcel(stage.as_str(), way, at(stage)));
        if stage != Stage::Cancelled {
            let stopped = [at(stage), vec![Stopped { why: "r".into() }]].concat();
            all.push(parcel(&format!("{}, stopped", stage.as_str()), remedy("take_parcel_back"), stopped));
        }
        let wrong = [at(stage), vec![ExceptionRaised { what: "torn".into() }]].concat();
        all.push(parcel(&format!("{}, with an alarm", stage.as_str()), remedy("settle_parcel"), wrong));
    }
    let refused = vec![created(true), LabelRefused { why: "r".into() }];
    all.push(parcel("refused a label", remedy("ask_label"), refused.clone()));
    let lost = |decide| vec![created(true), LabelLost { why: "timeout".into(), decide }];
    all.push(parcel("with a lost answer", remedy("take_apart"), lost(false)));
    all.push(parcel("of whose label nobody can tell", remedy("ask_label"), lost(true)));
    for why in interceptions() {
        let measured = Measured { weight_g: 900, dims: Some(Dims::new(200, 100, 50)) };
        let has_measures = matches!(why, Interception::Weight { .. } | Interception::Size { .. });
        let on_line = [at(Stage::Inducted), if has_measures { vec![measured] } else { vec![] }].concat();
        let stopped = |before: Vec<parcel::Event>| [before, vec![Intercepted { why: why.clone(), chute: None }]].concat();
        let first = |has_label| remedy(why.remedies(has_label)[0]);
        all.push(parcel(&format!("intercepted, {}", why.word()), first(true), stopped(on_line)));
        // Before it had a label, a line has never seen it.
        if !has_measures {
            all.push(parcel(&format!("intercepted without a label, {}", why.word()), first(false), stopped(refused.clone())));
        }
    }
    let mut spent = at(Stage::Intercepted);
    for _ in 0..parcel::REWORK_MAX {
        spent.extend([Reworked { note: "r".into(), declared: None }, at(Stage::Intercepted).remove(4)]);
    }
    all.push(parcel("reworked too often", remedy("take_apart"), spent));
    let cancelled = |before: Vec<parcel::Event>| [before, vec![Cancelled { reason: "r".into(), order: None }]].concat();
    let void_refused = |tracking| VoidRefused { tracking, why: "r".into() };
    let own = || Some(TrackingNumber::new("T900"));
    let kept = || [cancelled(labelled()), vec![void_refused(own())]].concat();
    for (void, way, events) in [
        (Void::Not, Way::Nobody("there is nothing to give back"), cancelled(vec![created(false)])),
        (Void::Awaited, Way::Nobody("its carrier is asked what it sold until it answers"), cancelled(vec![created(true)])),
        (Void::Done, Way::Nobody("its label is given back"), [cancelled(labelled()), vec![Voided { tracking: own() }]].concat()),
        (Void::Refused { why: "r".into() }, remedy("void_again"), kept()),
        (Void::Refused { why: "nobody can tell".into() }, remedy("write_off_label"), cancelled(lost(true))),
        (Void::WrittenOff { why: "r".into() }, remedy("void_again"), [kept(), vec![LabelWrittenOff { why: "r".into() }]].concat()),
    ] {
        all.push(parcel(&format!("cancelled, {void:?}"), way, events));
    }
    all
}

fn trackings() -> Vec<Case> {
    use tracking::{Event::*, Stage};
    let left = || at(parcel::Stage::HandedOver);
    let news = |status| vec![TrackEvent { at: Moment(5), status, code: "".into(), text: "".into(), place: "".into() }];
    let begun = || Begun { carrier: "test".into(), number: TrackingNumber::new("T900") };
    let mut all = Vec::new();
    for stage in Stage::ALL {
        let said = match stage {
            Stage::Absent | Stage::HandedOver => None,
            Stage::DepartedOrigin => Some(TrackStatus::DepartedOrigin),
            Stage::InFlight => Some(TrackStatus::InFlight),
            Stage::Arrived => Some(TrackStatus::Arrived),
            Stage::Customs => Some(TrackStatus::Customs),
            Stage::LastMile => Some(TrackStatus::LastMile),
            Stage::OutForDelivery => Some(TrackStatus::OutForDelivery),
            Stage::Delivered => Some(TrackStatus::Delivered),
            Stage::Returned => Some(TrackStatus::Returned),
            Stage::Lost => Some(TrackStatus::Lost),
        };
        let way = match stage {
            Stage::Delivered => Way::Nobody("the buyer has it; what comes back all the same is announced as a return"),
            Stage::Returned => Way::Nobody("its return goes on, and has steps of its own"),
            Stage::Lost => Way::Nobody("no carrier looks for it any more; later news of it counts"),
            _ => remedy("declare_lost"),
        };
        let events: Vec<_> = [begun()].into_iter().chain(said.map(|status| Tracked { news: news(status) })).collect();
        let of =
            |name: &str, way, events| case(name, Kind::Tracking, PARCEL, way).parcel(left()).behind::<tracking::Tracking>(PARCEL, events);
        all.push(of(stage.as_str(), way, events.clone()));
        let wrong = [events, vec![ExceptionRaised { what: "a wrong address".into() }]].concat();
        all.push(of(&format!("{}, with news", stage.as_str()), remedy("settle_parcel"), wrong));
    }
    all
}

fn closed_bag() -> Vec<bag::Event> {
    use bag::Event::*;
    let opened = Opened { warehouse: "SZX".into(), station: LINE.into(), chute: 1, channel: "test/ground".into() };
    vec![opened, Added { parcel: PARCEL.into(), weight_g: 402 }, Closed { why: "full".into() }]
}

fn bags() -> Vec<Case> {
    use bag::Event::*;
    let opened = || Opened { warehouse: "SZX".into(), station: LINE.into(), chute: 1, channel: "test/ground".into() };
    let full = || vec![opened(), Added { parcel: PARCEL.into(), weight_g: 402 }];
    let closed = || [full(), vec![Closed { why: "full".into() }]].concat();
    let wrong = || vec![ExceptionRaised { what: "two parcels with one number".into() }];
    let placed =
        || vec![station::Event::Opened { kind: station::StationKind::Line }, station::Event::BagPlaced { chute: 1, bag: BAG.into() }];
    let opens = |name: &str, way, events| {
        let open = case(name, Kind::Bag, BAG, way).before::<station::Station>(LINE, placed()).before::<bag::Bag>(BAG, events);
        open.parcel(at(parcel::Stage::Bagged))
    };
    let bag = |name: &str, way, events| case(name, Kind::Bag, BAG, way).before::<bag::Bag>(BAG, events).parcel(at(parcel::Stage::Bagged));
    let gone = [closed(), vec![HandedOver { manifest: "SZX/dock-1:test:1".into() }]].concat();
    vec![
        opens("open, empty", remedy("take_chute_out"), vec![opened()]),
        opens("open", remedy("take_out_of_bag"), full()),
        opens("open, with an alarm", remedy("settle_bag"), [full(), wrong()].concat()),
        bag("closed", remedy("hand_over_bag"), closed()),
        bag("closed, with an alarm", remedy("settle_bag"), [closed(), wrong()].concat()),
        bag("handed over", Way::Nobody("it has left; what is in it is tracked"), gone),
    ]
}

fn stations_and_devices() -> Vec<Case> {
    use device::{DeviceKind, Event::*};
    use station::Event as Of;
    let scale = "SZX/line-1/scale";
    let up = || Connected { kind: DeviceKind::Scale, identity: "1".into() };
    let device = |name: &str, way: &str, events| {
        case(name, Kind::Device, scale, Way::Remedy(called(way, scale))).before::<device::Device>(scale, events)
    };
    let open = || Of::Opened { kind: station::StationKind::Line };
    let station = |name: &str, way: &str, events| {
        case(name, Kind::Station, LINE, Way::Remedy(called(way, LINE))).before::<station::Station>(LINE, events)
    };
    let rejected = || Of::Rejected { pic: 1, chute: 9, code: None, why: "no read".into() };
    vec![
        device("online", "take_device_out", vec![up()]),
        device("offline", "take_device_out", vec![up(), Disconnected { why: "r".into() }]),
        device("faulty", "take_device_out", vec![up(), FaultRaised { what: "overload".into() }]),
        device("degraded", "take_device_out", vec![up(), FaultRaised { what: device::DEGRADED.into() }]),
        device("out", "put_device_back", vec![up(), TakenOut { why: "r".into() }]),
        station("that works", "take_station_out", vec![open()]),
        station("out", "put_station_back", vec![open(), Of::TakenOut { why: "r".into() }]),
        station("with a chute out", "put_chute_back", vec![open(), Of::ChuteTakenOut { chute: 1, why: "r".into() }]),
        station("with rejects", "clear_rejects", vec![open(), rejected()]),
    ]
}

fn carriers_and_manifests() -> Vec<Case> {
    use carrier::Event::*;
    let carrier = |name: &str, way: &str, events| case(name, Kind::Carrier, "test", remedy(way)).before::<carrier::Carrier>("test", events);
    let id = "SZX/dock-1:test:1";
    let opened = || manifest::Event::Opened { warehouse: "SZX".into(), carrier: "test".into() };
    let manifest = |name: &str, why, events| case(name, Kind::Manifest, id, Way::Nobody(why)).behind::<manifest::Manifest>(id, events);
    let (back, out) = (
        ChannelPutBack { channel: "test/ground".into(), why: "r".into() },
        ChannelTakenOut { channel: "test/ground".into(), why: "r".into() },
    );
    vec![
        carrier("open", "take_channel_out", vec![out.clone(), back]),
        carrier("suspended", "resume_carrier", vec![Suspended { why: "five failures".into() }]),
        carrier("with a channel out", "put_channel_back", vec![out]),
        manifest("open", "its dock closes it half an hour after it was opened, also after a start", vec![opened()]),
        manifest("closed", "it has left", vec![opened(), manifest::Event::Closed]),
    ]
}

fn back() -> Vec<Case> {
    use returns::Event::*;
    let expected = || vec![Expected { sku: "A-17".into(), quantity: 2 }];
    let items = || vec![Returned { sku: "A-17".into(), quantity: 2, condition: Condition::Sellable }];
    let announced = || Announced { expected: expected(), reason: "r".into() };
    let arrived = || Arrived { warehouse: "SZX".into() };
    let received = || Received { warehouse: "SZX".into(), items: items() };
    let decided = |outcome| Decided { outcome, note: "".into() };
    let of = |name: &str, way, events| {
        let left = case(name, Kind::Return, PARCEL, way).parcel(at(parcel::Stage::HandedOver));
        left.behind::<returns::Return>(PARCEL, events)
    };
    let receive = || {
        let items = json!([{"sku": "A-17", "quantity": 2, "condition": "sellable"}]);
        Way::Route("POST", format!("/api/v1/returns/{PARCEL}/receive"), json!({"by": "Li Wei", "items": items}))
    };
    let restock = Way::Remedy(json!({"do": "close_return", "parcel": PARCEL, "outcome": "restocked"}));
    vec![
        of("announced", remedy("close_return"), vec![announced()]),
        of("arrived", receive(), vec![announced(), arrived()]),
        of("received", restock, vec![announced(), arrived(), received()]),
        of(
            "restocking",
            Way::Nobody("the order desk puts it into stock, also after a start"),
            vec![announced(), received(), decided(Outcome::Restocked)],
        ),
        of("closed", Way::Nobody("what became of it is said"), vec![announced(), decided(Outcome::WrittenOff)]),
        of("withdrawn", remedy("announce_return"), vec![announced(), Withdrawn]),
    ]
}

fn goods() -> Vec<Case> {
    let facts = |weight_g| Box::new(Facts { weight_g, ..facts() });
    let told = json!({"weight_g": 210, "length_mm": 100, "width_mm": 80, "height_mm": 50});
    let put = |path: &str, body: Value| Way::Route("PUT", format!("/api/v1/{path}"), body);
    let product = |name: &str, way, events| case(name, Kind::Product, "own:B-1", way).behind::<product::Product>("own:B-1", events);
    let described = |weight_g| product::Event::Described { facts: facts(weight_g) };
    let map = |components: Vec<sku_map::Component>| sku_map::Event::Mapped { components };
    let pair = || vec![sku_map::Component { sku: Sku::from("A-17"), quantity: 2 }];
    let mapped =
        |name: &str, way, events| case(name, Kind::SkuMap, "amazon:s1:Set", way).behind::<sku_map::SkuMap>("amazon:s1:Set", events);
    let counted = || Way::Route("POST", "/api/v1/stock".into(), json!({"stock": [{"warehouse": "SZX", "sku": "B-1", "on_hand": 4}]}));
    let stock = |name: &str, on_hand, reserved| {
        let mut events = vec![stock::Event::Counted { on_hand, safety: 0 }];
        events.extend((reserved > 0).then(|| stock::Event::Reserved { order: ORDER.into(), quantity: reserved }));
        case(name, Kind::Stock, "SZX:own:B-1", counted()).behind::<stock::Stock>("SZX:own:B-1", events)
    };
    let weigh = Way::Remedy(json!({"do": "tell_weight", "sku": "B-1", "weight_g": 210}));
    let shop = || vec![seller::Shop::new("etsy", "e1")];
    let seller = seller::Event::Described { name: "Lumen".into(), shops: shop() };
    vec![
        product("sold", Way::Route("DELETE", "/api/v1/products/own/B-1".into(), Value::Null), vec![described(200)]),
        product("of weight 0", weigh, vec![described(0)]),
        product("retired", put("products/own/B-1", told), vec![described(200), product::Event::Retired]),
        mapped("mapped", Way::Route("DELETE", "/api/v1/sku-maps/amazon/s1/Set".into(), Value::Null), vec![map(pair())]),
        mapped("unmapped", put("sku-maps/amazon/s1/Set", json!({"components": pair()})), vec![map(pair()), sku_map::Event::Unmapped]),
        stock("none", 0, 0),
        stock("all of it reserved", 3, 3),
        case("with a shop", Kind::Seller, "LUM", put("sellers/LUM", json!({"name": "Lumen Ltd", "shops": []})))
            .behind::<seller::Seller>("LUM", vec![seller]),
    ]
}

fn papers() -> Vec<Case> {
    use declaration::{Declared, Draft, Event::*, Missing};
    let draft = Draft {
        from: "CN".into(),
        to: "US".into(),
        goods: vec![Declared { sku: "A-17".into(), quantity: 2, ..Declared::default() }],
        ..Draft::default()
    };
    let missing = vec![Missing::HsCode { line: 1 }];
    let drafted = || Drafted { draft: Box::new(draft.clone()), missing: missing.clone() };
    let lodged = || Lodged { tracking: TrackingNumber::new("T900") };
    let said = || (Moment(5), SmolStr::new("s"));
    let (at_customs, said_there) = said();
    let of = |name: &str, way, stage, events: Vec<declaration::Event>| {
        case(name, Kind::Declaration, PARCEL, way).parcel(at(stage)).behind::<declaration::Declaration>(PARCEL, events)
    };
    let theirs = || Way::Nobody("it is with customs: the carrier's news, and what the house does about those, lead on");
    let amount = charges::Event::Charged {
        kind: charges::ChargeKind::Estimate,
        amount: usd(500),
        basis: charges::Basis::Quote,
        settings: 0,
        rate: None,
    };
    vec![
        // What is missing is told of the product; the parcel is made anew then, with what is known by now.
        of("drafted, with facts missing", remedy("take_apart"), parcel::Stage::LabelRequested, vec![drafted()]),
        of("lodged, with facts missing", remedy("take_apart"), parcel::Stage::Labelled, vec![drafted(), lodged()]),
        of(
            "in customs",
            theirs(),
            parcel::Stage::HandedOver,
            vec![drafted(), lodged(), Presented { at: at_customs, said: said_there.clone() }],
        ),
        of(
            "cleared",
            Way::Nobody("it is through"),
            parcel::Stage::HandedOver,
            vec![drafted(), lodged(), Cleared { at: at_customs, said: said_there }],
        ),
        of("withdrawn", Way::Nobody("its parcel is cancelled"), parcel::Stage::Cancelled, vec![drafted(), Withdrawn]),
        case("of a parcel", Kind::Charges, PARCEL, remedy("charge_parcel"))
            .parcel(labelled())
            .behind::<charges::Charges>(PARCEL, vec![amount]),
    ]
}

fn versions() -> Vec<Case> {
    let site: Value = toml::from_str(SITE).unwrap();
    let mut other = site.clone();
    other["carrier"][0]["cutoffs"] = json!(["15:00"]);
    let reason = || json!({"reason": "r"});
    let post = |path: &str, body: Value| Way::Route("POST", path.into(), body);
    let version = |name: &str, way, steps: Vec<(&'static str, Value)>| {
        let drafted = [("/api/v1/settings", site.clone())];
        Case { asked: drafted.into_iter().chain(steps).collect(), ..case(name, Kind::Settings, "1", way) }
    };
    let activate = "/api/v1/settings/1/activate";
    let next = ("/api/v1/settings", other);
    vec![
        version("draft", post(activate, reason()), vec![]),
        version("planned", post(activate, reason()), vec![(activate, json!({"reason": "r", "from": "2990-01-01T00:00:00Z"}))]),
        version("active", post("/api/v1/settings/2/activate", reason()), vec![(activate, reason()), next]),
        version("archived", Way::Nobody("what it says can be drafted anew"), vec![("/api/v1/settings/1/archive", reason())]),
    ]
}

fn problems() -> Vec<Case> {
    use problem::Event::*;
    let subject = Key::new(Kind::Device, "SZX/line-1/scale");
    let id = problem::id(Cause::Offline, &subject);
    let opened = || Opened { subject: subject.clone(), cause: Cause::Offline, severity: Severity::Act, what: "away".into() };
    let (by, note) = (SmolStr::new("Li"), SmolStr::new("n"));
    let snoozed = Snoozed { until: Moment(i64::MAX / 2), by: by.clone(), note: note.clone() };
    let seen = Acknowledged { by: by.clone(), note: note.clone() };
    let given = Assigned { to: "Chen".into(), by, note };
    let of = |name: &str, way: Way, events| case(name, Kind::Problem, &id, way).behind::<problem::Problem>(&id, events);
    let does = |name: &str| Way::Remedy(called(name, &id));
    vec![
        of("open", does("acknowledge_problem"), vec![opened()]),
        of("open and seen", does("assign_problem"), vec![opened(), seen]),
        of("open and somebody's", Way::Remedy(json!({"do": "assign_problem", "problem": id, "to": ""})), vec![opened(), given]),
        of("put off", does("snooze_problem"), vec![opened(), snoozed]),
        of("closed", Way::Nobody("its cause is gone; it is opened again where that comes back"), vec![opened(), Closed]),
    ]
}

fn all() -> Vec<Case> {
    let mut all = Vec::new();
    for kind in Kind::ALL {
        // A new kind is a new arm.
        all.extend(match kind {
            Kind::Order => orders(),
            Kind::Parcel => parcels(),
            Kind::Tracking => trackings(),
            Kind::Bag => bags(),
            Kind::Station => stations_and_devices(),
            Kind::Carrier => carriers_and_manifests(),
            Kind::Return => back(),
            Kind::Product => goods(),
            Kind::Declaration => papers(),
            Kind::Settings => versions(),
            Kind::Problem => problems(),
            Kind::Warehouse => {
                let why = "it is a place: its stations are taken out, and its settings have versions";
                let opened = warehouse::Event::Opened { address: Box::default() };
                vec![case("open", kind, "SHA", Way::Nobody(why)).behind::<warehouse::Warehouse>("SHA", vec![opened])]
            }
            // Told above, with what they belong to.
            Kind::Device | Kind::Manifest | Kind::Stock | Kind::SkuMap | Kind::Seller | Kind::Charges => vec![],
        });
    }
    all
}

impl Edge {
    /// A house in which it is so.
    async fn with(case: &Case) -> Edge {
        let twin = Arc::new(Twin::in_memory("test"));
        case.before.iter().for_each(|lay| lay(&twin));
        let edge = Edge::on(drivers::Clock::free(1.0, Moment::default()), twin.clone()).await;
        edge.begun().await;
        case.behind.iter().for_each(|lay| lay(&twin));
        for (path, body) in &case.asked {
            let answer = edge.post(path, body).await;
            assert!(answer.status.is_success(), "{}: {path}: {}", case.name, answer.text);
        }
        edge
    }

    /// Whoever sits down has taken up what was there: what comes then is left alone.
    async fn begun(&self) {
        self.until("/api/v1/stock/SZX:own:A-17", |stock| stock["on_hand"] == 1_000).await;
        for _ in 0..3 {
            let (reply, answer) = Caller::waiting();
            let nothing = ParcelMsg::PutRight { step: Step::Settle, why: "".into(), reply };
            self.site.house.tell("nobody".into(), nothing);
            assert!(answer.await.unwrap().is_err());
            self.api.clock.sleep(Span::from_ms(10)).await;
        }
    }

    fn version_of(&self, key: &Key) -> u64 {
        let json = self.site.house.twin.json(key).unwrap();
        json.and_then(|json| json["version"].as_u64()).unwrap_or_default()
    }

    async fn way(&self, way: &Way) -> Option<Answer> {
        Some(match way {
            Way::Remedy(remedy) => self.remedy(remedy.clone()).await,
            Way::Route(method, path, body) => {
                let request = Request::builder().method(*method).uri(path).header("content-type", "application/json");
                let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
                self.ask(request.body(body).unwrap()).await
            }
            Way::Nobody(_) => return None,
        })
    }
}

/// What came of one case: what is wrong with it, and the state as it was laid.
async fn walked(case: Case) -> (Case, Value, Vec<Trouble>) {
    let edge = Edge::with(&case).await;
    let twin = edge.site.house.twin.clone();
    let state = twin.json(&case.key).unwrap().unwrap_or_else(|| panic!("{} is not there", case.name));
    let troubles = twin.troubles(&case.key).unwrap();
    let before = edge.version_of(&case.key);
    match edge.way(&case.way).await {
        Some(answer) => {
            assert!(answer.status.is_success(), "{}: {}", case.name, answer.text);
            let mut waited = 0;
            while edge.version_of(&case.key) == before {
                assert!(waited < 1_000, "{}: nothing came of it: {}", case.name, answer.text);
                waited += 1;
                edge.api.clock.sleep(Span::from_ms(5)).await;
            }
        }
        None => {
            let Way::Nobody(why) = *case.way else { unreachable!() };
            assert!(troubles.is_empty(), "{}: nobody has to do anything ({why}), and {troubles:?}", case.name);
        }
    }
    edge.site.stop().await;
    (case, state, troubles)
}

/// The names of an enum's variants, as serde has them, but for what is not there yet.
fn variants<T: DeserializeOwned>() -> BTreeSet<String> {
    let Err(error) = serde_json::from_str::<T>("\"?\"") else { panic!("? is a variant") };
    let error = error.to_string();
    let (_, known) = error.split_once("expected").unwrap_or_else(|| panic!("{error}"));
    known.split('`').skip(1).step_by(2).filter(|name| *name != "absent").map(str::to_owned).collect()
}

/// The words of a field in a state: an enum's variant, or the keys of a map.
fn words(field: &Value) -> Vec<String> {
    match field {
        Value::String(word) => vec![word.clone()],
        Value::Object(map) => map.keys().cloned().collect(),
        _ => vec![],
    }
}

/// What of a kind's state says how it stands, and what is a fact. A new field belongs to one of them.
fn fields(kind: Kind) -> (&'static [&'static str], &'static [&'static str]) {
    match kind {
        Kind::Order => (&["stage", "holds", "parts", "cancelled", "forgotten"], &["content", "over", "revision", "received_at"]),
        Kind::Parcel => (
            &[
                "stage",
                "interception",
                "void",
                "stopped",
                "label_undecided",
                "label_refused",
                "label_lost",
                "exception",
                "tracking",
                "packed_at",
            ],
            &[
                "created_at",
                "changed_at",
                "plan",
                "label",
                "label_attempts",
                "label_asked",
                "printed_on",
                "prints",
                "reprints",
                "station",
                "measured_g",
                "measured",
                "chute",
                "bag",
                "reworks",
                "cancelled_for",
            ],
        ),
        Kind::Stock => (&["on_hand", "reserved"], &["safety", "movements"]),
        Kind::Warehouse => (&["open"], &["address"]),
        Kind::Station => {
            (&["out", "chutes_out", "rejected"], &["kind", "open", "bags", "bags_opened", "manifests_opened", "last_item", "cleared"])
        }
        Kind::Device => (&["online", "fault", "out"], &["kind", "identity", "disconnects", "faults", "since"]),
        Kind::Carrier => (&["suspended", "channels_out"], &["suspensions", "since"]),
        Kind::Bag => {
            (&["stage", "exception", "parcels"], &["warehouse", "station", "chute", "channel", "weight_g", "manifest", "opened_at"])
        }
        Kind::Manifest => (&["open"], &["warehouse", "carrier", "bags", "parcels", "weight_g", "opened_at", "closed_at"]),
        Kind::Tracking => (
            &["stage", "exception"],
            &["begun_at", "stage_at", "changed_at", "carrier", "number", "newest", "customs", "told", "news", "ended_at", "returning_at"],
        ),
        Kind::Settings => (&["stage"], &["parts", "note", "reason", "active_from", "drafted_at", "activated_at", "archived_at"]),
        Kind::Return => (
            &["stage", "outcome"],
            &["announced_at", "arrived_at", "received_at", "closed_at", "reason", "expected", "warehouse", "items", "note"],
        ),
        Kind::Product => (&["stage"], &["facts"]),
        Kind::SkuMap => (&["components"], &[]),
        Kind::Seller => (&["known"], &["name", "shops"]),
        Kind::Charges => (&[], &["charges"]),
        Kind::Declaration => (&["stage", "missing"], &["draft", "tracking", "customs_at", "customs_said"]),
        Kind::Problem => (
            &["open", "owner", "acknowledged", "snoozed_until"],
            &["subject", "cause", "severity", "what", "since", "first_at", "times", "closed_at", "notes"],
        ),
    }
}

fn known_remedies() -> BTreeSet<String> {
    let command = Remedy::augment_subcommands(clap::Command::new("remedy"));
    command.get_subcommands().map(|remedy| remedy.get_name().replace('-', "_")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_state_of_every_noun_leads_on_by_a_person_or_nobody_has_to_do_anything() {
    let mut seen: BTreeMap<(Kind, String), Vec<Value>> = BTreeMap::new();
    let mut kinds = BTreeSet::new();
    let mut walks = futures::stream::iter(all()).map(|case| tokio::spawn(walked(case))).buffer_unordered(8);
    while let Some(walked) = walks.next().await {
        let (case, state, _) = walked.unwrap();
        kinds.insert(case.key.kind);
        for (field, value) in state.as_object().unwrap() {
            seen.entry((case.key.kind, field.clone())).or_default().push(value.clone());
        }
    }
    assert_eq!(kinds, Kind::ALL.into(), "every kind");
    for kind in Kind::ALL {
        let (standing, facts) = fields(kind);
        let known: BTreeSet<_> = standing.iter().chain(facts).map(|field| (*field).to_owned()).collect();
        let empty = State::new(kind).json().unwrap();
        let is: BTreeSet<_> = empty.as_object().unwrap().keys().cloned().collect();
        assert_eq!(known, is, "{}: whether a new field is another state", kind.as_str());
        for field in standing {
            let values = &seen[&(kind, (*field).to_owned())];
            let other = values.iter().any(|value| *value != empty[*field]);
            assert!(other, "{}: {field} is always {}", kind.as_str(), empty[*field]);
        }
    }
    let words = |kind, field: &str| -> BTreeSet<String> { seen[&(kind, field.to_owned())].iter().flat_map(words).collect() };
    for (kind, field, variants) in [
        (Kind::Order, "stage", variants::<order::Stage>()),
        (Kind::Order, "holds", variants::<Hold>()),
        (Kind::Parcel, "stage", variants::<parcel::Stage>()),
        (Kind::Parcel, "interception", variants::<Interception>()),
        (Kind::Parcel, "void", variants::<Void>()),
        (Kind::Bag, "stage", variants::<bag::Stage>()),
        (Kind::Tracking, "stage", variants::<tracking::Stage>()),
        (Kind::Settings, "stage", variants::<settings::Stage>()),
        (Kind::Return, "stage", variants::<returns::Stage>()),
        (Kind::Product, "stage", variants::<product::Stage>()),
        (Kind::Declaration, "stage", variants::<declaration::Stage>()),
    ] {
        assert_eq!(words(kind, field), variants, "{} {field}", kind.as_str());
    }
}

/// What is wrong names what can be done about it, and none of that is refused there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_wrong_names_remedies_that_are_not_refused() {
    let known = known_remedies();
    let mut causes = BTreeSet::new();
    let mut tries = Vec::new();
    for case in all() {
        let twin = Twin::in_memory("test");
        case.before.iter().chain(&case.behind).for_each(|lay| lay(&twin));
        for trouble in twin.troubles(&case.key).unwrap() {
            causes.insert(trouble.cause);
            assert!(!trouble.remedies.is_empty(), "{}: {trouble:?}", case.name);
            for remedy in trouble.remedies {
                assert!(known.contains(remedy), "{}: there is no {remedy}", case.name);
                tries.push((case.clone(), remedy));
            }
        }
    }
    assert_eq!(causes, Cause::ALL.into(), "every sort of trouble");
    let run = |(case, remedy): (Case, &'static str)| async move {
        let edge = Edge::with(&case).await;
        let answer = edge.post("/api/v1/remedies", &asked(called(remedy, &case.key.id))).await;
        edge.site.stop().await;
        (answer.status != StatusCode::OK).then(|| format!("{}: {remedy}: {}", case.name, answer.text))
    };
    let refused: Vec<_> = futures::stream::iter(tries).map(|what| tokio::spawn(run(what))).buffer_unordered(8).collect().await;
    let refused: Vec<_> = refused.into_iter().filter_map(Result::unwrap).collect();
    assert!(refused.is_empty(), "{} refused:\n{}", refused.len(), refused.join("\n"));
}

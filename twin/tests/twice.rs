//! A command that arrives twice changes nothing the second time: every noun, every command, in whatever state it finds it.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use std::collections::BTreeSet;
use std::fmt::Debug;
use twin::address::{Address, Place};
use twin::allocation::Decision;
use twin::channel::{TrackEvent, TrackStatus};
use twin::charges::{Basis, ChargeKind};
use twin::goods::{Facts, Goods};
use twin::hold::Detail;
use twin::money::{Currency, Decimal};
use twin::order::{Content, Line, Share};
use twin::parcel::{Divert, Interception, Item, Plan};
use twin::returns::{Condition, Expected, Outcome, Returned};
use twin::schema::NUMBERS;
use twin::sku_map::Component;
use twin::{Dims, Entity, Event, Hash, Kind, Moment, Money, Span, TrackingNumber};
use twin::{
    bag, carrier, charges, declaration, device, manifest, order, parcel, problem, product, returns, seller, settings, sku_map, station,
    stock, tracking, warehouse,
};

/// Says commands of a menu in any order, each twice, and notes which events there were. A menu is made for the state, since some commands
/// name what they follow upon.
struct Walk<'a> {
    steps: &'a [usize],
    seen: &'a mut BTreeSet<(u8, u32)>,
}

impl Walk<'_> {
    fn walk<E: Entity>(&mut self, menu: impl Fn(&E) -> Vec<E::Command>)
    where
        E::Event: Debug,
        E::Command: Clone + Debug,
    {
        let (mut state, id) = (E::default(), "X-1".into());
        for (n, step) in self.steps.iter().enumerate() {
            let at = Moment(1_000_000 * (n as i64 + 1));
            let menu = menu(&state);
            let command = menu[step % menu.len()].clone();
            let Ok(events) = state.decide(&id, at, command.clone()) else { continue };
            for event in events {
                state.apply(at, &event);
                let event: Event = event.into();
                self.seen.insert((event.kind().number(), event.number()));
            }
            // A refusal changes nothing either.
            let again = state.decide(&id, at + Span(1), command.clone()).unwrap_or_default();
            assert!(again.is_empty(), "{:?} said twice leads to {again:?} in {state:?}", command);
        }
    }
}

fn usd(cents: i64) -> Money {
    Money::new(Decimal::new(cents, 2), Currency::USD)
}

fn decision() -> Box<Decision> {
    let (warehouse, channel) = ("W".into(), "c".into());
    Box::new(Decision { rule: "r".into(), warehouse, channel, cost: usd(500), candidates: vec![], count: 0, all: None, settings: 0 })
}

fn orders(_: &order::Order) -> Vec<order::Command> {
    use order::Command::*;
    let manual = order::Hold::Manual;
    let line = |sku: &str| Line { sku: sku.into(), quantity: 2, ..Line::default() };
    let content = |n: i64, lines: Vec<Line>| {
        Box::new(Content { shop: "s".into(), updated_at: Some(Moment(n)), lines, currency: "USD".into(), paid: true, ..Content::default() })
    };
    let goods = vec![(0, vec![Goods { sku: "A".into(), quantity: 1, ..Goods::default() }])];
    let put = |postcode: &str| PutAddress {
        ship_to: Place { country: "DE".into(), postcode: postcode.into(), ..Place::default() },
        buyer: None,
        why: "r".into(),
    };
    let allocate = |parcel: &str, shares| Allocate { decision: decision(), parcel: parcel.into(), shares, with: vec![] };
    vec![
        Receive { content: content(1, vec![line("A"), line("B")]) },
        Receive { content: content(2, vec![line("A")]) },
        Receive { content: Box::new(Content { paid: false, ..*content(3, vec![line("A")]) }) },
        Identify { seller: "own".into(), goods },
        Hold { reason: manual, detail: Detail::NoValue },
        Hold { reason: manual, detail: Detail::ByHand { why: "r".into() } },
        ClearHold { reason: manual, why: "r".into() },
        put("10115"),
        put("10117"),
        MarkPaid { why: "r".into() },
        allocate("X-1", vec![Share { line: 0, quantity: 1 }]),
        allocate("X-2", vec![Share { line: 0, quantity: 1 }, Share { line: 1, quantity: 2 }]),
        Pick { parcel: "X-1".into() },
        Pick { parcel: "X-2".into() },
        Drop { parcel: "X-1".into(), reason: "r".into(), refused: true },
        Drop { parcel: "X-2".into(), reason: "r".into(), refused: false },
        Cancel { reason: "r".into() },
        Forget,
    ]
}

fn parcels(state: &parcel::Parcel) -> Vec<parcel::Command> {
    use parcel::Command::*;
    let item = Item { order: "X".into(), line: 0, sku: "A".into(), quantity: 1 };
    let judge = |divert| Judge { measured_g: Some(400), measured: None, divert };
    let manual = || Interception::Manual { why: "r".into() };
    vec![
        Create { plan: Box::new(Plan { items: vec![item], ..Plan::default() }) },
        RequestLabel { nth: state.label_asked + 1 },
        TakeLabel { tracking: TrackingNumber::new("T1"), plate: None, label: Hash::default(), charged: None },
        RefuseLabel { why: "r".into() },
        Print { nth: state.prints + 1, printer: "p".into() },
        Pack,
        Induct { station: "l".into() },
        judge(Divert::Pass { chute: 3 }),
        judge(Divert::Stop { why: manual(), chute: 8 }),
        Bag { chute: 3, bag: "B".into() },
        Bag { chute: 4, bag: "B".into() },
        Intercept { why: manual() },
        Rework { note: "r".into(), declared: Some((500, Dims::default())) },
        HandOver { bag: "B".into() },
        RaiseException { what: "e".into() },
        LoseLabel { nth: state.label_lost + 1, why: "timeout".into(), decide: false },
        LoseLabel { nth: state.label_lost + 1, why: "timeout".into(), decide: true },
        AskLabel,
        TakeUnused { tracking: TrackingNumber::new("T1"), charged: None },
        TakeBack { tracking: Some(TrackingNumber::new("T1")) },
        TakeBack { tracking: None },
        RefuseVoid { tracking: Some(TrackingNumber::new("T1")), why: "r".into() },
        RefuseVoid { tracking: None, why: "r".into() },
        AskVoid,
        WriteOffLabel { why: "r".into() },
        Stop { why: "r".into() },
        LetGo { why: "r".into() },
        TakeOut { bag: "B".into(), why: manual() },
        Settle { why: "r".into() },
        AskReprint { nth: state.reprints + 1, why: "r".into() },
        Cancel { reason: "r".into(), order: None, unreleased: false },
    ]
}

fn stocks(state: &stock::Stock) -> Vec<stock::Command> {
    use stock::Movement::*;
    let movements = [
        Count { on_hand: 9, safety: 1 },
        Receive { quantity: 2, reference: "R".into() },
        Reserve { order: "O".into(), quantity: 3 },
        Release { order: "O".into(), quantity: 1 },
        Pick { order: "O".into(), quantity: 1 },
    ];
    movements.map(|what| state.next(what)).into()
}

fn stations(state: &station::Station) -> Vec<station::Command> {
    use station::Command::*;
    vec![
        Open { kind: station::StationKind::Line },
        PlaceBag { chute: 1, bag: "B".into() },
        PlaceBag { chute: 1, bag: "C".into() },
        RemoveBag { chute: 1 },
        OpenManifest { nth: state.manifests_opened + 1, manifest: "M".into() },
        Reject { nth: state.rejected + 1, pic: 1, chute: 8, code: None, why: "no read".into() },
        TakeOut { why: "r".into() },
        TakeOut { why: "s".into() },
        PutBack { why: "r".into() },
        TakeChuteOut { chute: 1, why: "r".into() },
        PutChuteBack { chute: 1, why: "r".into() },
        ClearRejects { rejected: state.rejected, why: "r".into() },
    ]
}

fn devices(state: &device::Device) -> Vec<device::Command> {
    use device::Command::*;
    vec![
        Connect { kind: device::DeviceKind::Scale, identity: "1".into() },
        Connect { kind: device::DeviceKind::Scale, identity: "2".into() },
        Disconnect { why: "r".into() },
        RaiseFault { what: "f".into() },
        ClearFault,
        RepeatFault { what: "f".into(), times: 3, known: state.faults },
        TakeOut { why: "r".into() },
        TakeOut { why: "s".into() },
        PutBack { why: "r".into() },
    ]
}

fn bags(_: &bag::Bag) -> Vec<bag::Command> {
    use bag::Command::*;
    vec![
        Open { warehouse: "W".into(), station: "l".into(), chute: 1, channel: "c".into() },
        Add { parcel: "P".into(), weight_g: 400 },
        Add { parcel: "Q".into(), weight_g: 400 },
        RaiseException { what: "e".into() },
        Remove { parcel: "P".into(), weight_g: 400 },
        Settle { why: "r".into() },
        Close { why: "full".into() },
        HandOver { manifest: "M".into() },
    ]
}

fn trackings(_: &tracking::Tracking) -> Vec<tracking::Command> {
    use tracking::Command::*;
    let scan = |hour: i64, status| TrackEvent { at: Moment(hour), status, code: "X".into(), text: "".into(), place: "".into() };
    vec![
        Begin { carrier: "c".into(), number: TrackingNumber::new("T1") },
        Track { news: vec![scan(1, TrackStatus::Accepted)] },
        Track { news: vec![scan(1, TrackStatus::Accepted), scan(2, TrackStatus::InFlight)] },
        Track { news: vec![scan(9, TrackStatus::Delivered)] },
        Track { news: vec![scan(8, TrackStatus::Exception)] },
        RaiseException { what: "e".into() },
        Settle { why: "r".into() },
    ]
}

fn back(_: &returns::Return) -> Vec<returns::Command> {
    use returns::Command::*;
    let counted = |condition| Receive { warehouse: "W".into(), items: vec![Returned { sku: "A".into(), quantity: 1, condition }] };
    let close = |outcome| Close { outcome, note: "n".into() };
    vec![
        Announce { expected: vec![Expected { sku: "A".into(), quantity: 1 }], reason: "r".into() },
        Withdraw,
        Arrive { warehouse: "W".into() },
        counted(Condition::Sellable),
        counted(Condition::Damaged),
        close(Outcome::Restocked),
        close(Outcome::WrittenOff),
        close(Outcome::SentAgain),
        Restock,
    ]
}

fn charged(_: &charges::Charges) -> Vec<charges::Command> {
    let charge = |kind, amount, basis| charges::Command::Charge { kind, amount, basis, settings: 1, rate: None };
    let by_hand = |reference: &str| Basis::Hand { reason: "r".into(), reference: reference.into() };
    vec![
        charge(ChargeKind::Estimate, usd(500), Basis::Quote),
        charge(ChargeKind::Label, usd(520), Basis::Label { tracking: TrackingNumber::new("T1") }),
        charge(ChargeKind::Freight, usd(530), Basis::Quote),
        charge(ChargeKind::Adjustment, usd(-520), Basis::GivenBack { tracking: TrackingNumber::new("T1") }),
        // Without a reference a person charges as often as they say it.
        charge(ChargeKind::Duty, usd(300), by_hand("INV-1")),
        charge(ChargeKind::Duty, usd(400), by_hand("INV-1")),
    ]
}

fn declarations(_: &declaration::Declaration) -> Vec<declaration::Command> {
    use declaration::Command::*;
    vec![
        Draft { draft: Box::default() },
        Lodge { tracking: TrackingNumber::new("T1") },
        Lodge { tracking: TrackingNumber::new("T2") },
        Present { at: Moment(5), said: "s".into() },
        Clear { at: Moment(6), said: "s".into() },
        Withdraw,
    ]
}

fn versions(_: &settings::Settings) -> Vec<settings::Command> {
    use settings::Command::*;
    let (from, reason) = (Moment(7), || "r".into());
    vec![
        Draft { parts: [("site".into(), Hash::default())].into(), note: "n".into() },
        Plan { from, reason: reason() },
        Plan { from: Moment(8), reason: reason() },
        Activate { from, reason: reason() },
        Archive { why: "w".into() },
    ]
}

fn problems(_: &problem::Problem) -> Vec<problem::Command> {
    use problem::{Cause, Command::*, Severity, Trouble};
    let find = |what: &str| Find {
        subject: twin::Key::new(Kind::Device, "d"),
        trouble: Trouble { cause: Cause::Offline, severity: Severity::Act, what: what.into(), remedies: vec![] },
    };
    let (li, note) = (|| twin::By::Person("Li".into()), || "n".into());
    vec![
        find("no answer"),
        find("refused"),
        Close,
        Acknowledge { by: li(), note: note() },
        Assign { to: "Chen".into(), by: li(), note: note() },
        Snooze { until: Moment(9), by: li(), note: note() },
        Comment { by: li(), note: note() },
    ]
}

fn all(steps: &[usize], seen: &mut BTreeSet<(u8, u32)>) {
    let mut walk = Walk { steps, seen };
    walk.walk(orders);
    walk.walk(parcels);
    walk.walk(stocks);
    walk.walk(stations);
    walk.walk(devices);
    walk.walk(bags);
    walk.walk(trackings);
    walk.walk(back);
    walk.walk(charged);
    walk.walk(declarations);
    walk.walk(versions);
    walk.walk(problems);
    walk.walk(|_: &warehouse::Warehouse| {
        let open = |city: &str| warehouse::Command::Open { address: Address { city: city.into(), ..Address::default() } };
        vec![open("Shenzhen"), open("Los Angeles")]
    });
    walk.walk(|_: &carrier::Carrier| {
        use carrier::Command::*;
        let (channel, why) = (|| "c/g".into(), || "r".into());
        vec![
            Suspend { why: why() },
            Resume,
            AskAgain { why: why() },
            TakeChannelOut { channel: channel(), why: why() },
            PutChannelBack { channel: channel(), why: why() },
        ]
    });
    walk.walk(|_: &manifest::Manifest| {
        use manifest::Command::*;
        let load = |bag: &str| Load { bag: bag.into(), parcels: 2, weight_g: 800 };
        vec![Open { warehouse: "W".into(), carrier: "c".into() }, load("B"), load("C"), Close]
    });
    walk.walk(|_: &product::Product| {
        let describe = |weight_g| product::Command::Describe { facts: Box::new(Facts { weight_g, ..Facts::default() }) };
        vec![describe(1), describe(2), product::Command::Retire]
    });
    walk.walk(|_: &sku_map::SkuMap| {
        let map = |quantity| sku_map::Command::Map { components: vec![Component { sku: "A".into(), quantity }] };
        vec![map(1), map(2), sku_map::Command::Unmap]
    });
    walk.walk(|_: &seller::Seller| {
        let describe = |name: &str| seller::Command::Describe { name: name.into(), shops: vec![] };
        vec![describe("Li"), describe("Wang")]
    });
}

/// Written by earlier programs only.
const OF_OLD: [&str; 2] = ["parcel 9 Verified", "parcel 10 Sorted"];

#[test]
fn a_command_that_arrives_twice_changes_nothing_and_every_event_has_come_of_one() {
    let mut seen = BTreeSet::new();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let walks = proptest::collection::vec(0usize..5_040, 40);
    for _ in 0..600 {
        let steps = walks.new_tree(&mut runner).expect("a walk").current();
        all(&steps, &mut seen);
    }
    let named = |kind: &Kind| NUMBERS.iter().flat_map(|lines| lines.iter()).filter_map(move |line| of_kind(kind, line)).collect::<Vec<_>>();
    let missing: Vec<_> = Kind::ALL
        .iter()
        .flat_map(|kind| named(kind).into_iter().map(move |(number, line)| (kind.number(), number, line)))
        .filter(|(kind, number, line)| !seen.contains(&(*kind, *number)) && !OF_OLD.contains(&line.as_str()))
        .collect();
    assert!(seen.len() > 60 && missing.is_empty(), "no command led to {missing:?}; {} were seen", seen.len());
}

/// An event's number and line, where the line is the head of one of this kind: `parcel 6 Packed`.
fn of_kind(kind: &Kind, line: &str) -> Option<(u32, String)> {
    let words: Vec<_> = line.split_whitespace().collect();
    match words[..] {
        [of, number, name] if of == kind.as_str() && !name.contains('.') => Some((number.parse().ok()?, line.to_owned())),
        _ => None,
    }
}

proptest! {
    #[test]
    fn in_whatever_order(steps in proptest::collection::vec(0usize..5_040, 0..60)) {
        all(&steps, &mut BTreeSet::new());
    }
}

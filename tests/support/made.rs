//! Orders with their parcels as a busy site writes them, from the order to the door, for tests and benches of what is made
//! from the journal: 23 records each, under names that many people have.
#![allow(dead_code, reason = "each uses its part")]

use std::collections::HashMap;
use twin::address::Place;
use twin::allocation::{Candidate, Decision};
use twin::channel::{TrackEvent, TrackStatus};
use twin::charges::{self, Basis, ChargeKind, Charges, Rate};
use twin::goods::{Facts, Goods};
use twin::money::{Currency, Decimal};
use twin::order::{self, Content, Line, Order};
use twin::parcel::{self, Item, Parcel, Plan};
use twin::personal::Personal;
use twin::stock::{self, Stock};
use twin::tracking::{self, Tracking};
use twin::verdict::{NoOffer, Unfit, Verdict};
use twin::{Dims, Entity, Hash, Moment, Money, OrderId, ParcelId, Span, TrackingNumber, Twin, Tx};

const FIRST: [&str; 20] = [
    "Maria", "José", "Anna", "Jürgen", "Chloé", "Łukasz", "Søren", "Giulia", "Emma", "Noah", "Olivia", "Liam", "Zoë", "Mateo", "Ingrid",
    "Pavel", "Aoife", "Yusuf", "Fatima", "Björn",
];
const LAST: [&str; 24] = [
    "Musterfrau",
    "Muñoz",
    "Müller",
    "Schmidt",
    "Lefèvre",
    "Kowalski",
    "Jørgensen",
    "Rossi",
    "Smith",
    "Johnson",
    "Anderson",
    "Taylor",
    "O'Neil",
    "García",
    "Nilsson",
    "Novák",
    "Murphy",
    "Yıldız",
    "Haddad",
    "Lindström",
    "Weiß",
    "Dubois",
    "van Dijk",
    "Fernández",
];
const HAN_LAST: [&str; 12] = ["王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙"];
const HAN_FIRST: [&str; 12] = ["小明", "伟", "芳", "娜", "秀英", "敏", "静", "丽", "强", "磊", "军", "洋"];
const PLACES: [(&str, &str, &str, &str); 8] = [
    ("US", "TX", "78701", "Austin"),
    ("US", "CA", "90210", "Beverly Hills"),
    ("DE", "", "60311", "Frankfurt am Main"),
    ("GB", "", "SW1A 1AA", "London"),
    ("FR", "", "75001", "Paris"),
    ("ES", "", "28001", "Madrid"),
    ("PL", "", "00-001", "Warszawa"),
    ("CN", "", "518000", "深圳市"),
];
const STREETS: [&str; 10] = [
    "Lange Strasse",
    "Main Street",
    "Calle Mayor",
    "Rue de la Paix",
    "High Street",
    "Elm Avenue",
    "Ulica Długa",
    "Via Roma",
    "Science Park Road",
    "Hafenweg",
];
const PLATFORMS: [&str; 4] = ["shopify", "amazon", "temu", "etsy"];
const CHANNELS: [(&str, &str); 4] =
    [("usps", "usps/ground-advantage"), ("direct", "direct/packet"), ("direct", "direct/express"), ("mydhl", "mydhl/worldwide")];
/// Some are rare.
const ENDS: [TrackStatus; 4] = [TrackStatus::Delivered, TrackStatus::Delivered, TrackStatus::Delivered, TrackStatus::InFlight];

/// When the first order comes in.
pub const START: Moment = Moment(1_762_617_600_000_000);
/// Records that one order leads to.
pub const RECORDS: u64 = 22;

/// Well mixed and always the same.
fn mixed(n: u64, salt: u64) -> u64 {
    let x = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 30)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn pick<T: Copy>(list: &[T], n: u64, salt: u64) -> T {
    list[(mixed(n, salt) % list.len() as u64) as usize]
}

pub fn buyer(n: u64) -> Personal {
    let (_, _, _, city) = pick(&PLACES, n, 1);
    let name = match mixed(n, 2) % 10 {
        0 => format!("{}{}", pick(&HAN_LAST, n, 3), pick(&HAN_FIRST, n, 4)),
        _ => format!("{} {}", pick(&FIRST, n, 3), pick(&LAST, n, 4)),
    };
    Personal {
        street: format!("{} {}", 1 + mixed(n, 6) % 300, pick(&STREETS, n, 5)).into(),
        city: city.into(),
        phone: format!("+1 555 {:07}", mixed(n, 7) % 10_000_000).into(),
        email: format!("buyer{n}@example.com").into(),
        name: name.into(),
        ..Personal::default()
    }
}

pub fn order_id(n: u64) -> OrderId {
    OrderId::of(pick(&PLATFORMS, n, 14), &format!("shop-{}", mixed(n, 15) % 9), &format!("SHO-{n:07}"))
}

/// What order number `n` is of, and how many.
fn wanted(n: u64) -> (u64, u32) {
    (mixed(n, 11) % 1_500, 1 + (mixed(n, 12) % 3) as u32)
}

/// Makes transactions. Knows the entities that several orders share.
#[derive(Default)]
pub struct Maker {
    stocks: HashMap<u64, (u32, Stock)>,
}

struct One<E> {
    id: smol_str::SmolStr,
    version: u32,
    state: E,
}

impl<E: Entity> One<E> {
    fn new(id: impl Into<smol_str::SmolStr>) -> Self {
        One { id: id.into(), version: 0, state: E::default() }
    }
    fn add(&mut self, tx: &mut Tx, events: Vec<E::Event>) {
        let before = twin::facet::Standing::of(&self.id, self.version, &self.state);
        events.iter().for_each(|e| self.state.apply(tx.at, e));
        self.version += events.len() as u32;
        tx.stage(&self.id, self.version, events, before, &self.state);
    }
}

impl Maker {
    /// To go on in a twin that has some.
    pub fn of(twin: &Twin) -> Self {
        let ids = twin.all::<Stock>().map(|row| row.expect("it reads").0);
        let stocks = ids.filter_map(|id| Some((id.strip_prefix("SZX:own:P-")?.parse().ok()?, twin.load(&id).expect("it reads")?)));
        Maker { stocks: stocks.collect() }
    }

    fn stock(&mut self, tx: &mut Tx, sku: u64, event: stock::Event) {
        let (version, stock) = self.stocks.entry(sku).or_default();
        stock.apply(tx.at, &event);
        *version += 1;
        tx.stage(&format!("SZX:own:P-{sku:06}").into(), *version, vec![event], Default::default(), stock);
    }

    /// The order number `n`, in so many transactions.
    pub fn order(&mut self, twin: &Twin, n: u64) -> [Tx; 4] {
        self.orders(twin, n..n + 1).map(|mut one| one.remove(0))
    }

    /// Orders in the same steps, side by side: the first of all of them, then the second.
    pub fn orders(&mut self, twin: &Twin, numbers: std::ops::Range<u64>) -> [Vec<Tx>; 4] {
        let mut steps: [Vec<Tx>; 4] = Default::default();
        for n in numbers.clone() {
            for (step, tx) in steps.iter_mut().zip(self.steps(twin, n)) {
                step.push(tx);
            }
        }
        // Stock that several of them want changes in the order in which it is written.
        for (n, tx) in numbers.zip(&mut steps[2]) {
            let (sku, quantity) = wanted(n);
            self.stock(tx, sku, stock::Event::Picked { order: order_id(n), quantity });
        }
        steps
    }

    fn steps(&mut self, twin: &Twin, n: u64) -> [Tx; 4] {
        let (country, region, postcode, _) = pick(&PLACES, n, 1);
        let (carrier, channel) = pick(&CHANNELS, n, 10);
        let usd = |cents: u64| Money::new(Decimal::new(cents as i64, 2), Currency::USD);
        let at = |minutes: i64| START + Span(n as i64 * 1_000) + Span::from_mins(minutes);
        let ship_to = Place { country: country.into(), region: region.into(), postcode: postcode.into() };
        let (sku, quantity) = wanted(n);
        let line = Line {
            sku: twin::Sku::new(format!("P-{sku:06}")),
            quantity,
            unit_price: Decimal::new(779, 2),
            goods: vec![Goods {
                sku: twin::Sku::new(format!("P-{sku:06}")),
                quantity: 1,
                facts: Facts { weight_g: 200, dims: Dims::new(100, 80, 50), category: "toys".into(), ..Facts::default() },
            }],
        };
        let parcel_id = ParcelId::of(&order_id(n), 1);
        let warehouse: twin::WarehouseId = pick(&["SZX", "LAX"], n, 13).into();
        let dearer = |cents| Verdict::Dearer { by: usd(cents) };
        let candidate = |channel: &str, cents, verdict| Candidate {
            warehouse: warehouse.clone(),
            channel: Some(channel.into()),
            cost: Some(usd(cents)),
            days: Some(9),
            verdict,
        };
        // Of every fifth order more was weighed than its event keeps.
        let more = if n.is_multiple_of(5) { 6 } else { 0 };
        let nowhere = |n| Candidate {
            cost: None,
            days: None,
            ..candidate(&format!("line-{n}/packet"), 0, NoOffer::from(Unfit::Country { country: ship_to.country.clone() }).into())
        };
        let decision = Decision {
            rule: "cheapest-with-stock@1".into(),
            warehouse: warehouse.clone(),
            channel: channel.into(),
            cost: usd(523),
            settings: 1,
            candidates: vec![
                candidate(channel, 523, Verdict::Chosen),
                candidate("direct/express", 833, dearer(310)),
                candidate("mydhl/worldwide", 1_903, dearer(1_380)),
                Candidate {
                    channel: None,
                    cost: None,
                    days: None,
                    ..candidate("", 0, Verdict::Short { sku: "P-000001".into(), there: 0, wanted: 1, more: 0 })
                },
            ],
            count: 4 + more,
            all: None,
        };
        let mut first = Tx::at(at(0));
        let decision = Decision { candidates: decision.candidates.into_iter().chain((0..more).map(nowhere)).collect(), ..decision };
        let (decision, all) = decision.kept();
        if let Some(all) = all {
            first.document(all);
        }
        let buyer = twin.seal_buyer(&mut first, &buyer(n)).expect("a key");
        let mut order = One::<Order>::new(order_id(n).text().clone());
        let mut parcel = One::<Parcel>::new(parcel_id.text().clone());
        let item = Item { order: order_id(n), line: 0, sku: line.sku.clone(), quantity };
        let content = Content {
            platform: pick(&PLATFORMS, n, 14).into(),
            shop: format!("shop-{}", mixed(n, 15) % 9).into(),
            placed_at: at(-5),
            ship_to: ship_to.clone(),
            buyer: Some(buyer.clone()),
            lines: vec![line],
            currency: "USD".into(),
            paid: true,
            ..Content::default()
        };
        let received = order::Event::Received { content: Box::new(content) };
        let plan = Plan {
            order: order_id(n),
            warehouse: warehouse.clone(),
            carrier: carrier.into(),
            channel: channel.into(),
            service: "PACKET".into(),
            ship_to,
            buyer: Some(buyer),
            declared_g: 200 * quantity,
            declared: Dims::new(210, 140, 60),
            value: Some(usd(779 * u64::from(quantity))),
            estimate: Some(usd(523)),
            contents: "toys".into(),
            battery: false,
            items: vec![item],
            seller: "own".into(),
        };
        let allocated = order::Event::Allocated { decision: Box::new(decision), parcel: parcel_id.clone(), shares: vec![], with: vec![] };
        order.add(&mut first, vec![received, allocated]);
        self.stock(&mut first, sku, stock::Event::Reserved { order: order_id(n), quantity });
        parcel.add(&mut first, vec![parcel::Event::Created { plan: Box::new(plan), key: Some("k".into()) }]);
        let mut charges = One::<Charges>::new(parcel_id.text().clone());
        let charged = |kind, cents, basis| {
            let rate = Some(Rate { base: "USD".into(), per_base: Decimal::ONE, as_of: Moment(0) });
            charges::Event::Charged { kind, amount: usd(cents), basis, settings: 0, rate }
        };
        charges.add(&mut first, vec![charged(ChargeKind::Estimate, 523, Basis::Quote)]);
        let mut second = Tx::at(at(1));
        let number = TrackingNumber::new(twin::s10::item("LX", n as u32, "CN"));
        charges.add(&mut second, vec![charged(ChargeKind::Label, 523, Basis::Label { tracking: number.clone() })]);
        let bought = parcel::Event::LabelBought { tracking: number.clone(), label: Hash::default(), charged: Some(usd(523)), plate: None };
        parcel.add(&mut second, vec![bought, parcel::Event::Printed { printer: "SZX/bench-1/printer".into() }]);
        let mut third = Tx::at(at(60));
        order.add(&mut third, vec![order::Event::Picked { parcel: parcel_id }]);
        let bag = twin::BagId::new(format!("06901234{:010}", n / 60));
        let on_the_line = vec![
            parcel::Event::Packed,
            parcel::Event::Inducted { station: "SZX/line-1".into() },
            parcel::Event::Passed { weight_g: Some(202 * quantity), dims: None, chute: 3 },
            parcel::Event::Bagged { bag: bag.clone() },
        ];
        parcel.add(&mut third, on_the_line);
        let mut fourth = Tx::at(at(10_000));
        let news =
            |status, text: &str| TrackEvent { at: at(9_000), status, code: "01".into(), text: text.into(), place: "Frankfurt".into() };
        let end = pick(&ENDS, n, 16);
        let rare = if mixed(n, 17).is_multiple_of(1_000) { TrackStatus::Returned } else { end };
        parcel.add(&mut fourth, vec![parcel::Event::HandedOver { bag }]);
        charges.add(&mut fourth, vec![charged(ChargeKind::Adjustment, 8, Basis::Settled { before: usd(523) })]);
        let mut way = One::<Tracking>::new(parcel.id.clone());
        let under_way = vec![
            tracking::Event::Begun { carrier: carrier.into(), number },
            tracking::Event::Tracked { news: vec![news(TrackStatus::DepartedOrigin, "Departed"), news(TrackStatus::Arrived, "Arrived")] },
            tracking::Event::Tracked { news: vec![news(rare, "Newest")] },
        ];
        way.add(&mut fourth, under_way);
        [first, second, third, fourth]
    }
}

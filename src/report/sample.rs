//! A day that tests report on: orders and parcels put into a twin in memory one command after the other, as actors would.

use super::{Titles, hours::Local, series::Series};
use rules::fx::Rates;
use sim::floor::tally::Tally;
use sim::floor::work::Work;
use sim::kpis::{CutOff, CutOffs, Kpis};
use twin::allocation::{Candidate, Decision};
use twin::channel::{TrackEvent, TrackStatus};
use twin::charges::{self, Charges};
use twin::device::{self, Device, DeviceKind};
use twin::hold::Detail;
use twin::money::{Currency, Decimal};
use twin::order::{self, Content, Hold, Line, Order, Share};
use twin::parcel::{self, Divert, Interception, Parcel, Plan};
use twin::station::{self, Station, StationKind};
use twin::tracking::{self, Tracking};
use twin::{Address, Entity, Hash, Moment, Money, OrderId, ParcelId, Span, TrackingNumber, Twin, Tx, verdict};

pub struct Day {
    pub twin: Twin,
    pub kpis: Kpis,
    pub rates: Rates,
    pub titles: Titles,
}

const COUNTRIES: [&str; 7] = ["US", "US", "DE", "GB", "US", "FR", "AU"];

impl Day {
    /// A day of so many orders. Of each ten: one is held; of the parcels one in twelve is stopped, and all but every fourth of
    /// these put right.
    pub fn of(orders: u32) -> Day {
        let twin = Twin::in_memory("test");
        let start: Moment = "2026-11-08T16:00:00Z".parse().unwrap();
        let rates = Rates { base: Currency::USD, per_base: [(Currency::CNY, Decimal::new(8, 0))].into() };
        let mut journal = Vec::new();
        for n in 0..orders {
            order(&mut journal, n, comes(n, orders, start));
        }
        journal.push((start + Span::from_hours(3), Step::Rejected));
        outages(&mut journal, start);
        journal.sort_by_key(|(at, _)| *at);
        for (at, step) in journal {
            step.take(&twin, at);
        }
        let packed = u64::from(orders) * 9 / 10;
        let mut tally = Tally { packed, wrong_applied: packed / 20, left: packed * 24 / 25, reworked: packed / 15, ..Tally::default() };
        tally.divert_us = (0..packed).map(|n| 4_000 + (n * 7919 % 60_000) as u32).collect();
        work(&mut tally, packed, start);
        let begins = |n| comes(n, orders, start) + Span::from_mins(20 + i64::from(n) % 160) - Span::from_secs(80);
        tally.pack_began = (0..orders).map(|n| (ParcelId::of(&OrderId::new(format!("O-{n:05}")), 1), begins(n))).collect();
        let mut kpis = Kpis::read("A day <& more>", 1, &twin, &tally, &rates, &Default::default()).unwrap();
        kpis.cut_offs = CutOffs {
            due: 200,
            made: 180,
            made_pct: 90.0,
            at: [("SZX".into(), [("wanb".into(), CutOff { due: 200, made: 180, made_pct: 90.0 })].into())].into(),
        };
        kpis.labels.wrong_left_without_checks = Some(packed / 20);
        kpis.labels.wrong_left_without_checks_pct = Some(5.0);
        let titles = Titles {
            scenario: "A day <& more>".into(),
            about: "Orders of one day & what became of them.".into(),
            site: "深圳 one".into(),
            start,
            time_zone: shanghai(),
        };
        Day { twin, kpis, rates, titles }
    }

    pub fn html(&self) -> String {
        super::html(&self.kpis, &self.twin, &self.rates, &self.titles).unwrap()
    }

    pub fn series(&self) -> Series {
        Series::read(&self.twin, &self.rates, &Local::new(shanghai())).unwrap()
    }
}

fn shanghai() -> twin::TimeZone {
    "Asia/Shanghai".parse().unwrap()
}

enum Step {
    Order(OrderId, order::Command),
    Parcel(ParcelId, parcel::Command),
    Tracking(ParcelId, tracking::Command),
    Charges(ParcelId, charges::Command),
    Device(device::Command),
    Rejected,
}

impl Step {
    fn take(self, twin: &Twin, at: Moment) {
        match self {
            Step::Order(id, command) => put::<Order>(twin, at, id.text(), command),
            Step::Parcel(id, command) => put::<Parcel>(twin, at, id.text(), command),
            Step::Tracking(id, command) => put::<Tracking>(twin, at, id.text(), command),
            Step::Charges(id, command) => put::<Charges>(twin, at, id.text(), command),
            Step::Device(command) => put::<Device>(twin, at, &"SZX/bench-1/printer".into(), command),
            Step::Rejected => {
                let line = "SZX/line-1".into();
                let nth = twin.load::<Station>(&line).unwrap().map_or(0, |(_, line)| line.rejected) + 1;
                let reject = station::Command::Reject { nth, pic: 1, chute: 9, code: Some("<x>".into()), why: "nobody knows it".into() };
                put::<Station>(twin, at, &line, reject);
            }
        }
    }
}

/// Orders come within ten hours, most of them early.
fn comes(n: u32, orders: u32, start: Moment) -> Moment {
    let part = f64::from(n) / f64::from(orders);
    start + Span::from_ms((part * part * 36e6) as i64)
}

/// A printer that is gone for five minutes and later has no paper to the end.
fn outages(journal: &mut Vec<(Moment, Step)>, start: Moment) {
    use device::Command::{Connect, Disconnect, RaiseFault};
    let connect = || Step::Device(Connect { kind: DeviceKind::Printer, identity: "P-1".into() });
    journal.push((start, connect()));
    journal.push((start + Span::from_mins(60), Step::Device(Disconnect { why: "hung up".into() })));
    journal.push((start + Span::from_mins(65), connect()));
    journal.push((start + Span::from_hours(9), Step::Device(RaiseFault { what: "paper out".into() })));
}

/// One bench with two packers who never rest, and a line with nothing to do half of the time.
fn work(tally: &mut Tally, packed: u64, start: Moment) {
    let (mut bench, mut line) = (Work::new(StationKind::Bench, 2), Work::new(StationKind::Line, 1));
    for n in 0..packed as i64 {
        let from = start + Span::from_secs(60 * (n / 2));
        bench.add(from, from + Span::from_secs(60));
        line.add(from, from + Span::from_secs(15));
    }
    bench.waits(40);
    tally.rework_wait_us = (0..tally.reworked).map(|n| n * 30_000_000).collect();
    tally.rework_us = (0..tally.reworked).map(|n| 40_000_000 + n * 1_000_000).collect();
    tally.stations = [("SZX/bench-1".into(), bench), ("SZX/line-1".into(), line)].into();
}

fn put<E: Entity>(twin: &Twin, at: Moment, id: &smol_str::SmolStr, command: E::Command) {
    let (version, mut state) = twin.load::<E>(id).unwrap().unwrap_or_default();
    let events = state.decide(id, at, command).unwrap();
    let before = twin::facet::Standing::of(id, version, &state);
    events.iter().for_each(|event| state.apply(at, event));
    let mut tx = Tx::at(at);
    tx.stage(id, version + events.len() as u32, events, before, &state);
    twin.commit([tx]).unwrap();
}

fn usd(cents: i64) -> Money {
    Money::new(Decimal::new(cents, 2), Currency::USD)
}

fn order(journal: &mut Vec<(Moment, Step)>, n: u32, at: Moment) {
    use order::Command::{Allocate, Receive};
    let id = OrderId::new(format!("O-{n:05}"));
    let parcel = ParcelId::of(&id, 1);
    let ship_to = Address { country: COUNTRIES[n as usize % 7].into(), postcode: "1".into(), ..Address::default() };
    let lines = vec![Line { sku: "A-17".into(), quantity: 1, unit_price: Decimal::new(900, 2), goods: vec![] }];
    let content = Content {
        platform: "temu".into(),
        shop: "one".into(),
        placed_at: at,
        ship_to: ship_to.clone().parted().0,
        lines,
        currency: "USD".into(),
        paid: true,
        ..Content::default()
    };
    let mut put = |after: Span, command| journal.push((at + after, Step::Order(id.clone(), command)));
    put(Span::ZERO, Receive { content: Box::new(content) });
    if n % 10 == 3 {
        let reason = if n % 20 == 3 { Hold::NoStock } else { Hold::AddressInvalid };
        put(Span::from_ms(20), order::Command::Hold { reason, detail: short() });
        if n % 40 != 33 {
            return;
        }
    }
    let cheap = Money::new(Decimal::new(3_200 + i64::from(n % 50) * 10, 2), Currency::CNY);
    let cost = if n.is_multiple_of(3) { usd(390) } else { cheap };
    let (channel, other) = if n.is_multiple_of(3) { ("usps/ground-advantage", "wanb/us") } else { ("wanb/us", "usps/ground-advantage") };
    let offer = |channel: &str, cost| Candidate {
        warehouse: "SZX".into(),
        channel: Some(channel.into()),
        cost: Some(cost),
        days: None,
        verdict: verdict::Verdict::Chosen,
    };
    let candidates = vec![offer(channel, cost), offer(other, usd(650)), offer("dhl/express", usd(1_490))];
    let decision = Decision {
        rule: "cheapest@1".into(),
        warehouse: "SZX".into(),
        channel: channel.into(),
        cost,
        candidates,
        count: 3,
        all: None,
        settings: 0,
    };
    put(
        Span::from_ms(80),
        Allocate { decision: Box::new(decision), parcel: parcel.clone(), shares: vec![Share { line: 0, quantity: 1 }], with: vec![] },
    );
    let carrier = channel.split('/').next().unwrap_or_default().into();
    let plan = Plan {
        order: id.clone(),
        warehouse: "SZX".into(),
        carrier,
        channel: channel.into(),
        ship_to: ship_to.parted().0,
        declared_g: 200,
        estimate: Some(cost),
        ..Plan::default()
    };
    self::parcel(journal, n, at + Span::from_ms(90), parcel, plan, cost);
}

/// As the desk holds what no warehouse has.
fn short() -> Detail {
    let verdict = verdict::Verdict::Short { sku: "A-17".into(), there: 1, wanted: 2, more: 0 };
    Detail::weighed("cheapest@1", 0, vec![Candidate { warehouse: "SZX".into(), channel: None, cost: None, days: None, verdict }]).0
}

fn parcel(journal: &mut Vec<(Moment, Step)>, n: u32, at: Moment, id: ParcelId, plan: Plan, cost: Money) {
    use parcel::Command::*;
    let carrier = plan.carrier.clone();
    let country = plan.ship_to.country.clone();
    let charge = |kind| {
        let per_base = if cost.currency == Currency::CNY { Decimal::from(8) } else { Decimal::ONE };
        let rate = Some(charges::Rate { base: "USD".into(), per_base, as_of: Moment(0) });
        Step::Charges(id.clone(), charges::Command::Charge { kind, amount: cost, basis: charges::Basis::Quote, settings: 0, rate })
    };
    journal.push((at, charge(charges::ChargeKind::Estimate)));
    journal.push((at, charge(charges::ChargeKind::Freight)));
    let mut put = |after: Span, command| journal.push((at + after, Step::Parcel(id.clone(), command)));
    put(Span::ZERO, Create { plan: Box::new(plan) });
    let label_ms = 300 + i64::from(n * 7919 % 4_000) + if n % 90 == 1 { 40_000 } else { 0 };
    put(
        Span::from_ms(label_ms),
        TakeLabel { tracking: TrackingNumber::new(format!("T{n}")), plate: None, label: Hash::default(), charged: None },
    );
    if n % 10 == 7 && n % 20 == 17 {
        return;
    }
    let packed = Span::from_mins(20 + i64::from(n) % 160);
    put(packed, Pack);
    put(packed + Span::from_mins(5), Induct { station: "SZX/line-1".into() });
    let judge = |divert| Judge { measured_g: Some(210), measured: None, divert };
    let mut sorted = packed + Span::from_mins(5) + Span::from_secs(4);
    if n % 12 == 5 {
        let why = if n % 24 == 5 { Interception::Weight { declared_g: 200, measured_g: 350 } } else { Interception::DuplicateLabel };
        put(sorted, judge(Divert::Stop { why, chute: 9 }));
        if n % 48 == 5 {
            return;
        }
        put(sorted + Span::from_mins(30), Rework { note: "its own label".into(), declared: None });
        sorted = sorted + Span::from_mins(40);
        put(sorted, Induct { station: "SZX/line-1".into() });
    }
    put(sorted, judge(Divert::Pass { chute: 3 }));
    put(sorted + Span::from_secs(9), Bag { chute: 3, bag: "B1".into() });
    // Collections are every six hours.
    let six = Span::from_hours(6).0;
    let cutoff = Moment(((at + sorted).0.div_euclid(six) + 1) * six) + Span::from_mins(5);
    put(cutoff - at, HandOver { bag: "B1".into() });
    use tracking::Command::{Begin, Track};
    let mut put = |after: Span, command| journal.push((at + after, Step::Tracking(id.clone(), command)));
    put(cutoff - at, Begin { carrier, number: TrackingNumber::new(format!("T{n}")) });
    let hours = 60 + i64::from(n * 31 % 90) + if country == "AU" { 80 } else { 0 };
    let news = |hours, status| TrackEvent {
        at: cutoff + Span::from_hours(hours),
        status,
        code: "X".into(),
        text: "news".into(),
        place: "".into(),
    };
    if n % 25 == 9 {
        put(cutoff - at + Span::from_hours(30), Track { news: vec![news(29, TrackStatus::Exception)] });
        return;
    }
    put(cutoff - at + Span::from_hours(20), Track { news: vec![news(18, TrackStatus::InFlight)] });
    put(
        cutoff - at + Span::from_hours(hours + 1),
        Track { news: vec![news(hours, if n % 60 == 19 { TrackStatus::Lost } else { TrackStatus::Delivered })] },
    );
}

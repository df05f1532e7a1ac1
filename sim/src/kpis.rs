//! The figures of one run, read off the journal and the floor's own count. Every order and every parcel is in exactly
//! one place.

use crate::floor::tally::Tally;
use hdrhistogram::Histogram;
use rules::fx::Rates;
use serde::Serialize;
use smol_str::SmolStr;
use std::collections::{BTreeMap, HashMap};
use twin::charges::Charges;
use twin::money::Decimal;
use twin::parcel::Parcel;
use twin::{Event, Kind};
use twin::{Hash, Money, Twin, TwinError, order, parcel};

#[derive(Clone, Debug, Serialize)]
pub struct Kpis {
    pub scenario: String,
    pub seed: u64,
    pub orders: Orders,
    pub parcels: Parcels,
    pub labels: Labels,
    pub latency_ms: Latencies,
    pub cost: Cost,
    pub journal: Journal,
    /// Interceptions by reason; a parcel may be stopped more than once.
    pub interceptions: BTreeMap<&'static str, u64>,
    pub rework: Rework,
    /// Virtual time from the first moment to the last, hours.
    pub virtual_h: f64,
    pub wall_s: f64,
    pub cpu_s: f64,
}

/// `received` is the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Orders {
    pub received: u64,
    pub allocated: u64,
    pub held: u64,
    pub cancelled: u64,
    /// Neither decided nor held yet.
    pub waiting: u64,
}

/// `created` is the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Parcels {
    pub created: u64,
    pub delivered: u64,
    pub intercepted: u64,
    pub returned: u64,
    pub lost: u64,
    pub cancelled: u64,
    pub open: u64,
}

/// As the floor knows it: boxes with another box's label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Labels {
    pub wrong_applied: u64,
    pub wrong_left: u64,
    /// Of the boxes packed, and of those that left.
    pub wrong_applied_pct: f64,
    pub wrong_left_pct: f64,
    /// The same day with every check switched off, where the scenario asks for it.
    pub wrong_left_without_checks: Option<u64>,
    pub wrong_left_without_checks_pct: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latencies {
    pub accept_to_tracking: Percentiles,
    pub divert: Percentiles,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

/// What the parcels handed over cost, in the site's base currency, at the rates of their charges.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    pub currency: &'static str,
    pub total: Decimal,
    pub per_parcel: Decimal,
    /// The same, in the currencies of the channels.
    pub by_currency: BTreeMap<SmolStr, Decimal>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Journal {
    pub records: u64,
    pub hash: Hash,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rework {
    pub reworked: u64,
    pub shelved: u64,
    pub no_decision: u64,
}

/// What only the caller can know of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meter {
    pub wall_s: f64,
    pub cpu_s: f64,
}

impl Kpis {
    /// Reads the figures off a finished run.
    pub fn read(scenario: &str, seed: u64, twin: &Twin, tally: &Tally, rates: &Rates) -> Result<Kpis, TwinError> {
        let board = twin.board();
        let (mut received_at, mut waits) = (HashMap::new(), histogram());
        let mut costs: BTreeMap<SmolStr, Decimal> = BTreeMap::new();
        let (mut costed, mut total) = (0u64, Decimal::ZERO);
        let first = twin.records(0).next().transpose()?.map(|record| record.at);
        let last = board.head.at;
        for record in twin.records_of(&[Kind::Order, Kind::Parcel]) {
            let record = record?;
            match record.event {
                Event::Order(order::Event::Received { .. }) => drop(received_at.entry(record.key.id).or_insert(record.at)),
                Event::Order(order::Event::Allocated { parcel, .. }) => {
                    if let Some(at) = received_at.remove(&record.key.id) {
                        received_at.insert(parcel.text().clone(), at);
                    }
                }
                Event::Parcel(parcel::Event::LabelBought { .. }) => {
                    if let Some(at) = received_at.remove(&record.key.id) {
                        waits.saturating_record((record.at - at).0.max(0) as u64);
                    }
                }
                _ => {}
            }
        }
        for row in twin.all::<Charges>() {
            let (id, charges) = row?;
            if !twin.load::<Parcel>(&id)?.is_some_and(|(_, parcel)| parcel.stage.has_left()) {
                continue;
            }
            let cost = charges.cost();
            costed += 1;
            total += cost.in_base.map_or(Decimal::ZERO, |(_, amount)| amount);
            cost.by_currency.into_iter().for_each(|(currency, amount)| *costs.entry(currency).or_default() += amount);
        }
        let mut diverts = histogram();
        tally.divert_us.iter().for_each(|us| diverts.saturating_record(u64::from(*us)));
        let round = |amount| Money::new(amount, rates.base).rounded().amount;
        Ok(Kpis {
            scenario: scenario.into(),
            seed,
            orders: orders(&board),
            parcels: parcels(&board),
            labels: labels(tally),
            latency_ms: Latencies { accept_to_tracking: percentiles(&waits), divert: percentiles(&diverts) },
            cost: Cost {
                currency: rates.base.code(),
                total: round(total),
                per_parcel: round(total.checked_div(Decimal::from(costed)).unwrap_or_default()),
                by_currency: costs,
            },
            journal: Journal { records: board.head.records, hash: board.head.hash },
            interceptions: board.interceptions,
            rework: Rework { reworked: tally.reworked, shelved: tally.shelved, no_decision: tally.no_decision },
            virtual_h: (last - first.unwrap_or(last)).as_secs_f64() / 3_600.0,
            wall_s: 0.0,
            cpu_s: 0.0,
        })
    }
}

fn orders(board: &twin::board::Board) -> Orders {
    let mut orders = Orders::default();
    for (stage, n) in board.stages(Kind::Order) {
        orders.received += n;
        match stage.as_str() {
            "held" => orders.held += n,
            "cancelled" => orders.cancelled += n,
            "received" => orders.waiting += n,
            _ => orders.allocated += n,
        }
    }
    orders
}

fn parcels(board: &twin::board::Board) -> Parcels {
    let mut parcels = Parcels::default();
    for (place, n) in board.whereabouts() {
        parcels.created += n;
        match place.as_str() {
            "delivered" => parcels.delivered += n,
            "intercepted" => parcels.intercepted += n,
            "returned" => parcels.returned += n,
            "lost" => parcels.lost += n,
            "cancelled" => parcels.cancelled += n,
            _ => parcels.open += n,
        }
    }
    parcels
}

fn labels(tally: &Tally) -> Labels {
    Labels {
        wrong_applied: tally.wrong_applied,
        wrong_left: tally.wrong_left,
        wrong_applied_pct: percent(tally.wrong_applied, tally.packed),
        wrong_left_pct: percent(tally.wrong_left, tally.left),
        wrong_left_without_checks: None,
        wrong_left_without_checks_pct: None,
    }
}

/// In hundredths of a per cent, 0 of nothing.
pub fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 * 1e4 / whole as f64).round() / 100.0 }
}

fn histogram() -> Histogram<u64> {
    // One microsecond to ten days, three digits: bounds that hdrhistogram accepts.
    Histogram::new_with_bounds(1, 864_000_000_000, 3).expect("1 ≤ low, 2 × low ≤ high, 3 digits")
}

/// Milliseconds out of microseconds, to the hundredth.
fn percentiles(of: &Histogram<u64>) -> Percentiles {
    let ms = |us: u64| (us as f64 / 10.0).round() / 100.0;
    let at = |quantile| ms(of.value_at_quantile(quantile));
    Percentiles { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: ms(of.max()) }
}

//! The figures of one run, read off the journal and the floor's own count. Every order and every parcel is in exactly
//! one place. `docs/FIGURES.md` describes them.

mod cut_offs;
pub mod mark;
mod outages;
mod steps;
mod times;

pub use cut_offs::{CutOff, CutOffs, PickupPlan};
pub use mark::Mark;
pub use outages::{OfDevice, Outage, Outages};
pub use steps::{Station, Step, Steps};
pub use times::{Percentiles, Times};

use crate::floor::tally::Tally;
use rules::fx::Rates;
use serde::Serialize;
use smol_str::SmolStr;
use std::collections::{BTreeMap, HashMap};
use steps::OnItsWay;
use twin::charges::Charges;
use twin::money::Decimal;
use twin::parcel::Parcel;
use twin::{CarrierId, Hash, Moment, Money, StationId, Twin, TwinError, WarehouseId, bag, order, parcel};
use twin::{Event, Kind};

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
    pub steps: Steps,
    /// People and machines of the simulated floor.
    pub stations: BTreeMap<StationId, Station>,
    pub cut_offs: CutOffs,
    pub outages: Outages,
    /// What the figures are, by path; a path stands for all below it that has no line of its own.
    pub marks: BTreeMap<&'static str, Mark>,
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
    /// Reads the figures off a finished run. Without pickups nobody can say who made their cut-off.
    pub fn read(scenario: &str, seed: u64, twin: &Twin, tally: &Tally, rates: &Rates, pickups: &PickupPlan) -> Result<Kpis, TwinError> {
        let board = twin.board();
        let mut costs: BTreeMap<SmolStr, Decimal> = BTreeMap::new();
        let (mut costed, mut total) = (0u64, Decimal::ZERO);
        let first = twin.records(0).next().transpose()?.map(|record| record.at);
        let last = board.head.at;
        let mut pass = Pass::new(tally, pickups);
        for record in twin.records_of(&[Kind::Order, Kind::Parcel, Kind::Bag, Kind::Device]) {
            pass.take_in(&record?);
        }
        let Ended { steps, mut to_tracking, cut_offs, outages } = pass.end(last);
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
        let mut diverts = Times::of(tally.divert_us.iter().map(|us| u64::from(*us)));
        let round = |amount| Money::new(amount, rates.base).rounded().amount;
        Ok(Kpis {
            scenario: scenario.into(),
            seed,
            orders: orders(&board),
            parcels: parcels(&board),
            labels: labels(tally),
            latency_ms: Latencies { accept_to_tracking: to_tracking.ms(), divert: diverts.ms() },
            cost: Cost {
                currency: rates.base.code(),
                total: round(total),
                per_parcel: round(total.checked_div(Decimal::from(costed)).unwrap_or_default()),
                by_currency: costs,
            },
            journal: Journal { records: board.head.records, hash: board.head.hash },
            interceptions: board.interceptions,
            rework: Rework { reworked: tally.reworked, shelved: tally.shelved, no_decision: tally.no_decision },
            steps,
            stations: steps::stations(&tally.stations),
            cut_offs,
            outages,
            marks: mark::MARKS.iter().map(|(path, mark, _)| (*path, *mark)).collect(),
            virtual_h: (last - first.unwrap_or(last)).as_secs_f64() / 3_600.0,
            wall_s: 0.0,
            cpu_s: 0.0,
        })
    }
}

/// A parcel that is still in the house.
struct InHouse {
    way: OnItsWay,
    warehouse: WarehouseId,
    carrier: CarrierId,
    /// When it must be gone by, where a pickup was due.
    deadline: Option<Moment>,
}

/// One walk over the records of orders, parcels, bags and devices.
struct Pass<'a> {
    tally: &'a Tally,
    ordered: HashMap<SmolStr, Moment>,
    in_house: HashMap<SmolStr, InHouse>,
    steps: steps::Counter,
    cut_offs: cut_offs::Counter<'a>,
    outages: outages::Watch,
}

struct Ended {
    steps: Steps,
    to_tracking: Times,
    cut_offs: CutOffs,
    outages: Outages,
}

impl<'a> Pass<'a> {
    fn new(tally: &'a Tally, pickups: &'a PickupPlan) -> Self {
        Pass {
            tally,
            ordered: HashMap::new(),
            in_house: HashMap::new(),
            steps: steps::Counter::default(),
            cut_offs: cut_offs::Counter::new(pickups),
            outages: outages::Watch::default(),
        }
    }

    fn take_in(&mut self, record: &twin::Record) {
        let (id, at) = (&record.key.id, record.at);
        match &record.event {
            // Later versions of it are the same order.
            Event::Order(order::Event::Received { .. }) => drop(self.ordered.entry(id.clone()).or_insert(at)),
            Event::Bag(bag::Event::Closed { .. }) => self.steps.closed(id, at),
            Event::Device(event) => self.outages.take_in(record, event),
            Event::Parcel(event) => self.parcel(id, at, event),
            _ => {}
        }
    }

    fn parcel(&mut self, id: &SmolStr, at: Moment, event: &parcel::Event) {
        if let parcel::Event::Created { plan, .. } = event {
            let ordered_at = self.ordered.get(plan.order.text()).copied();
            let (warehouse, carrier) = (plan.warehouse.clone(), plan.carrier.clone());
            let deadline = self.cut_offs.deadline(&warehouse, &carrier, at);
            let way = OnItsWay::created(at, ordered_at);
            self.in_house.insert(id.clone(), InHouse { way, warehouse, carrier, deadline });
            return;
        }
        let Some(seen) = self.in_house.get_mut(id) else { return };
        self.steps.parcel(id, at, event, &mut seen.way, self.tally);
        match event {
            parcel::Event::HandedOver { .. } => {
                if let Some(deadline) = seen.deadline {
                    self.cut_offs.count(&seen.warehouse, &seen.carrier, at < deadline);
                }
                self.in_house.remove(id);
            }
            parcel::Event::Cancelled { .. } => drop(self.in_house.remove(id)),
            _ => {}
        }
    }

    /// `last`: the journal's last moment.
    fn end(mut self, last: Moment) -> Ended {
        for seen in self.in_house.values().filter(|seen| seen.deadline.is_some_and(|deadline| deadline <= last)) {
            self.cut_offs.count(&seen.warehouse, &seen.carrier, false);
        }
        let (to_tracking, steps) = (self.steps.to_tracking(), self.steps.end(self.tally));
        Ended { steps, to_tracking, cut_offs: self.cut_offs.end(), outages: self.outages.end(last) }
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

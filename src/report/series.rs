//! All that the report shows and the figures of a run do not hold: one pass over the journal, oldest record first.
//!
//! It counts what was written and decides nothing. It needs no more than the journal: a twin opened years later gives the
//! same series as the run that wrote it.

use super::choices::Choices;
use super::durations::Durations;
use super::hours::Local;
use super::phases::{Phase, Phases};
use rules::fx::Rates;
use smol_str::{SmolStr, ToSmolStr};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use twin::board;
use twin::charges::Charges;
use twin::facet::Facet;
use twin::money::Decimal;
use twin::order::Hold;
use twin::parcel::Parcel;
use twin::problem::{Cause, Problem};
use twin::tracking::{self, Tracking};
use twin::{ChannelId, Entity, Event, Key, Moment, Record, Twin, TwinError, order, parcel, station};

/// How many of the latest exceptions are kept.
pub const EXCEPTIONS_MAX: usize = 20;
/// What an item is called that the line rejected without knowing whose it is.
pub const UNKNOWN_ITEM: &str = "unknown item";

/// What happened within one hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    pub received: u64,
    pub packed: u64,
    pub sorted: u64,
    pub handed_over: u64,
}

/// Interceptions for one reason, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stops {
    pub stopped: u64,
    pub reworked: u64,
    pub cancelled: u64,
}

/// Orders that were held for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    pub orders: u64,
    /// Of these, held for it at the end of the journal.
    pub still: u64,
    /// The order that was held last, and exactly why.
    pub latest: (SmolStr, SmolStr),
}

/// The freight of one channel's parcels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Freight {
    pub parcels: u64,
    pub in_base: Decimal,
    /// What allocation had estimated for the same parcels.
    pub estimated: Decimal,
    /// As it is owed.
    pub by_currency: BTreeMap<SmolStr, Decimal>,
    /// Parcels whose freight has no exchange rate to the base: they are missing in `in_base`.
    pub without_rate: u64,
}

/// The steps whose reaching is counted, in their order.
pub const STEPS: [&str; 7] = ["created", "labelled", "packed", "sorted", "in a bag", "handed over", "delivered"];

#[derive(Debug, Default)]
pub struct Series {
    /// By local hour.
    pub flow: BTreeMap<i64, Flow>,
    pub phases: Phases,
    /// Parcels that came at least as far as each of [`STEPS`].
    pub reached: [u64; STEPS.len()],
    /// By local day, at the carrier's own time.
    pub delivered: BTreeMap<i64, u64>,
    pub interceptions: BTreeMap<&'static str, Stops>,
    pub holds: BTreeMap<Hold, Held>,
    pub freight: BTreeMap<ChannelId, Freight>,
    pub choices: Choices,
    /// From receiving an order to the tracking number of its parcel.
    pub to_tracking: Durations,
    /// From receiving an order to handing its parcel over, by country of destination.
    pub to_handover: BTreeMap<SmolStr, Durations>,
    /// From receiving an order to the buyer's door.
    pub to_door: BTreeMap<SmolStr, Durations>,
    /// Newest first.
    pub exceptions: VecDeque<Exception>,
    /// Problems that are open at the end, by what sort they are: how many, and one of them with its words.
    pub open: BTreeMap<Cause, (u64, Key, SmolStr)>,
}

/// Something that was wrong.
#[derive(Debug)]
pub struct Exception {
    pub at: Moment,
    pub key: Key,
    pub what: SmolStr,
}

impl Series {
    pub fn read(twin: &Twin, rates: &Rates, local: &Local) -> Result<Series, TwinError> {
        let mut pass = Pass { series: Series::default(), twin, rates, local, orders: BTreeMap::new(), parcels: BTreeMap::new() };
        for record in twin.records(0) {
            pass.take_in(&record?)?;
        }
        let mut series = pass.end();
        for row in twin.all::<Charges>() {
            let (id, charges) = row?;
            let Some((_, parcel)) = twin.load::<Parcel>(&id)?.filter(|(_, parcel)| parcel.stage.has_left()) else { continue };
            series.freight.entry(parcel.plan.channel).or_default().book(&charges, rates);
        }
        for row in twin.listed::<Problem>(Facet::Problem, None, None) {
            let Some((_, Problem { cause, subject: Some(subject), what, .. })) = twin.load::<Problem>(&row?.0.id)? else { continue };
            series.open.entry(cause).or_insert((0, subject, what)).0 += 1;
        }
        Ok(series)
    }
}

/// What the pass must remember of an order.
struct OrderSeen {
    received_at: Moment,
    held: BTreeSet<Hold>,
    ever_held: BTreeSet<Hold>,
}

/// What the pass must remember of a parcel.
#[derive(Default)]
struct ParcelSeen {
    order_at: Option<Moment>,
    country: SmolStr,
    phase: Option<Phase>,
    steps: usize,
    stopped_by: Option<&'static str>,
    way: Tracking,
}

impl ParcelSeen {
    fn moves(&mut self, series: &mut Series, local: &Local, at: Moment, after: Option<Phase>) {
        if let Some(after) = after.filter(|after| self.phase != Some(*after)) {
            series.phases.moved(local, at, self.phase, after);
            self.phase = Some(after);
        }
    }

    fn reaches(&mut self, series: &mut Series, steps: Option<usize>) {
        if let Some(steps) = steps.filter(|steps| *steps > self.steps) {
            series.reached[self.steps..steps].iter_mut().for_each(|n| *n += 1);
            self.steps = steps;
        }
    }
}

struct Pass<'a> {
    series: Series,
    twin: &'a Twin,
    rates: &'a Rates,
    local: &'a Local,
    orders: BTreeMap<SmolStr, OrderSeen>,
    parcels: BTreeMap<SmolStr, ParcelSeen>,
}

impl Pass<'_> {
    fn take_in(&mut self, record: &Record) -> Result<(), TwinError> {
        match &record.event {
            Event::Order(event) => self.order(&record.key.id, record.at, event)?,
            Event::Parcel(event) => self.parcel(&record.key.id, record.at, event),
            Event::Tracking(event) => self.tracking(&record.key.id, record.at, event),
            Event::Station(station::Event::Rejected { .. }) => self.series.interceptions.entry(UNKNOWN_ITEM).or_default().stopped += 1,
            _ => {}
        }
        if let Some(what) = board::trouble(&record.event) {
            self.series.exceptions.push_front(Exception { at: record.at, key: record.key.clone(), what });
            self.series.exceptions.truncate(EXCEPTIONS_MAX);
        }
        Ok(())
    }

    fn flow(&mut self, at: Moment) -> &mut Flow {
        self.series.flow.entry(self.local.hour(at)).or_default()
    }

    fn order(&mut self, id: &SmolStr, at: Moment, event: &order::Event) -> Result<(), TwinError> {
        // Later versions of it are the same order.
        if let (order::Event::Received { .. }, false) = (event, self.orders.contains_key(id)) {
            self.flow(at).received += 1;
            self.orders.insert(id.clone(), OrderSeen { received_at: at, held: BTreeSet::new(), ever_held: BTreeSet::new() });
        }
        let Some(seen) = self.orders.get_mut(id) else { return Ok(()) };
        match event {
            order::Event::Held { reason, detail } => {
                seen.held.insert(*reason);
                let held = self.series.holds.entry(*reason).or_default();
                held.orders += u64::from(seen.ever_held.insert(*reason));
                held.latest = (id.clone(), detail.to_smolstr());
            }
            order::Event::HoldCleared { reason, .. } => drop(seen.held.remove(reason)),
            order::Event::Allocated { decision, .. } => {
                seen.held.clear();
                let all = self.twin.candidates(&decision.candidates, decision.all.as_ref())?;
                self.series.choices.add(decision, &all, self.rates);
            }
            order::Event::Cancelled { .. } | order::Event::Received { .. } => seen.held.clear(),
            _ => {}
        }
        Ok(())
    }

    fn parcel(&mut self, id: &SmolStr, at: Moment, event: &parcel::Event) {
        if let parcel::Event::Created { plan, .. } = event {
            let order_at = self.orders.get(plan.order.text()).map(|o| o.received_at);
            let country = plan.ship_to.country.clone();
            self.parcels.insert(id.clone(), ParcelSeen { order_at, country, ..ParcelSeen::default() });
        }
        match event {
            parcel::Event::Packed => self.flow(at).packed += 1,
            parcel::Event::Sorted { .. } | parcel::Event::Passed { .. } => self.flow(at).sorted += 1,
            parcel::Event::HandedOver { .. } => self.flow(at).handed_over += 1,
            _ => {}
        }
        let (series, local) = (&mut self.series, self.local);
        let Some(seen) = self.parcels.get_mut(id) else { return };
        seen.moves(series, local, at, Phase::after(event));
        let since_order = seen.order_at.map(|order_at| (at - order_at).0);
        match event {
            parcel::Event::LabelBought { .. } if seen.steps < 2 => {
                since_order.into_iter().for_each(|us| series.to_tracking.add(us));
            }
            parcel::Event::HandedOver { .. } => {
                since_order.into_iter().for_each(|us| series.to_handover.entry(seen.country.clone()).or_default().add(us));
            }
            parcel::Event::Intercepted { why, .. } => {
                seen.stopped_by = Some(why.word());
                series.interceptions.entry(why.word()).or_default().stopped += 1;
            }
            parcel::Event::Reworked { .. } => {
                if let Some(word) = seen.stopped_by.take() {
                    series.interceptions.entry(word).or_default().reworked += 1;
                }
            }
            parcel::Event::Cancelled { .. } => {
                if let Some(word) = seen.stopped_by.take() {
                    series.interceptions.entry(word).or_default().cancelled += 1;
                }
            }
            _ => {}
        }
        seen.reaches(series, steps_after(event));
    }

    fn tracking(&mut self, id: &SmolStr, at: Moment, event: &tracking::Event) {
        let Some(seen) = self.parcels.get_mut(id) else { return };
        seen.way.apply(at, event);
        let stage = seen.way.stage;
        seen.moves(&mut self.series, self.local, at, Some(Phase::on_its_way(stage)));
        seen.reaches(&mut self.series, (stage == tracking::Stage::Delivered).then_some(STEPS.len()));
    }

    fn end(mut self) -> Series {
        // A carrier may take an end back, so it counts as it is at last.
        for seen in self.parcels.values().filter(|seen| seen.way.stage == tracking::Stage::Delivered) {
            let Some(there) = seen.way.ended_at else { continue };
            *self.series.delivered.entry(self.local.day(there)).or_default() += 1;
            if let Some(order_at) = seen.order_at {
                self.series.to_door.entry(seen.country.clone()).or_default().add((there - order_at).0);
            }
        }
        for reason in self.orders.values().flat_map(|o| &o.held) {
            self.series.holds.entry(*reason).or_default().still += 1;
        }
        self.series
    }
}

impl Freight {
    /// What one more parcel cost.
    fn book(&mut self, charges: &Charges, rates: &Rates) {
        let cost = charges.cost();
        self.parcels += 1;
        self.estimated += charges.estimate().and_then(|m| rates.convert(m, rates.base)).map_or(Decimal::ZERO, |m| m.amount);
        cost.by_currency.into_iter().for_each(|(currency, amount)| *self.by_currency.entry(currency).or_default() += amount);
        match cost.in_base {
            Some((_, amount)) => self.in_base += amount,
            None => self.without_rate += 1,
        }
    }
}

/// How many of [`STEPS`] a parcel has done once this has happened.
fn steps_after(event: &parcel::Event) -> Option<usize> {
    Some(match event {
        parcel::Event::Created { .. } => 1,
        parcel::Event::LabelBought { .. } => 2,
        parcel::Event::Packed => 3,
        parcel::Event::Sorted { .. } | parcel::Event::Passed { .. } => 4,
        parcel::Event::Bagged { .. } => 5,
        parcel::Event::HandedOver { .. } => 6,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::Day;
    use twin::Money;

    #[test]
    fn the_series_agree_with_the_figures_of_the_run() {
        let day = Day::of(300);
        let (kpis, series) = (&day.kpis, day.series());
        let sum = |of: fn(&Flow) -> u64| series.flow.values().map(of).sum::<u64>();
        assert_eq!(sum(|f| f.received), kpis.orders.received);
        assert_eq!([sum(|f| f.packed), sum(|f| f.handed_over)], [series.reached[2], series.reached[5]]);
        let p = kpis.parcels;
        assert!(p.delivered > 100 && p.lost > 1 && p.intercepted > 1 && p.open > 1, "nothing of it counts zero: {p:?}");
        assert_eq!(p.created, p.delivered + p.intercepted + p.returned + p.lost + p.cancelled + p.open, "each is in one place");
        assert_eq!(series.reached[0], kpis.parcels.created);
        assert_eq!(series.reached[6], kpis.parcels.delivered);
        assert_eq!(series.delivered.values().sum::<u64>(), kpis.parcels.delivered);
        assert_eq!(series.holds.values().map(|h| h.still).sum::<u64>(), kpis.orders.held);
        assert_eq!(series.choices.decisions, kpis.orders.allocated);
        let stops: BTreeMap<_, _> = series.interceptions.iter().map(|(word, s)| (*word, s.stopped)).collect();
        assert_eq!(stops, kpis.interceptions);
        let total: Decimal = series.freight.values().map(|f| f.in_base).sum();
        assert_eq!(Money::new(total, day.rates.base).rounded().amount, kpis.cost.total);
        assert_eq!(series.freight.values().map(|f| f.parcels).sum::<u64>(), series.reached[5]);
        assert_eq!(series.to_tracking.count(), series.reached[1]);
        let exact_ms = series.to_tracking.at(0.5).unwrap() as f64 / 1e3;
        assert!((exact_ms / kpis.latency_ms.accept_to_tracking.p50 - 1.0).abs() < 0.01);
        let (_, end) = series.phases.span_h().unwrap();
        let last = series.phases.sampled(0.0, end, 1).pop().unwrap().1;
        assert_eq!(last.iter().sum::<u64>(), kpis.parcels.created, "every parcel is in one phase at the end");
        assert_eq!(last[Phase::Delivered as usize], kpis.parcels.delivered);
        assert_eq!(last[Phase::Ended as usize], p.returned + p.lost + p.cancelled);
        assert_eq!(last[Phase::Stopped as usize], kpis.parcels.intercepted);
    }

    #[test]
    fn an_order_counts_once_for_a_reason_and_exceptions_are_the_newest() {
        let series = Day::of(100).series();
        let of = |hold| series.holds.get(&hold).map(|h: &Held| (h.orders, h.still, h.latest.0.as_str()));
        assert_eq!(of(Hold::NoStock), Some((5, 5, "O-00083")));
        assert_eq!(of(Hold::AddressInvalid), Some((5, 3, "O-00093")));
        assert_eq!(series.exceptions.len(), EXCEPTIONS_MAX);
        assert!(series.exceptions.iter().zip(series.exceptions.iter().skip(1)).all(|(a, b)| a.at >= b.at));
        assert_eq!(series.exceptions[0].what, "news");
    }

    #[test]
    fn what_has_no_rate_is_counted_and_not_summed() {
        use twin::charges::{Basis, ChargeKind, Event, Rate};
        use twin::money::Currency::{CNY, USD};
        let charged = |kind, n: i64, currency, per_base: Option<i64>| {
            let rate = per_base.map(|n| Rate { base: "USD".into(), per_base: Decimal::from(n), as_of: Moment(0) });
            Event::Charged { kind, amount: Money::new(Decimal::from(n), currency), basis: Basis::Quote, settings: 0, rate }
        };
        let of = |events: &[Event]| {
            let mut charges = Charges::default();
            events.iter().for_each(|event| twin::Entity::apply(&mut charges, Moment(0), event));
            charges
        };
        let (rates, mut freight) = (Rates::only(USD), Freight::default());
        freight.book(&of(&[charged(ChargeKind::Label, 80, CNY, None)]), &rates);
        assert_eq!((freight.parcels, freight.without_rate, freight.in_base), (1, 1, Decimal::ZERO));
        freight.book(&of(&[charged(ChargeKind::Estimate, 9, USD, Some(1)), charged(ChargeKind::Label, 80, CNY, Some(8))]), &rates);
        assert_eq!((freight.parcels, freight.estimated, freight.in_base), (2, Decimal::from(9), Decimal::TEN));
        assert_eq!(freight.by_currency[&SmolStr::new("CNY")], Decimal::from(160));
    }
}

//! What becomes of a parcel once a carrier has it: a whole plan of scans, drawn at the handover, and how it ends.
//!
//! The draws of one parcel are always the same number in the same order, so that a change of one rate changes only the
//! parcels it should. It knows no carrier's codes.

use crate::luck::Luck;
use serde::Deserialize;
use twin::channel::TrackStatus::{self, *};
use twin::{Moment, Span};

/// Attempts at a door before the parcel waits no longer.
const ATTEMPTS_MAX: u32 = 3;
/// A delayed parcel stands still for 1 to 5 days.
const DELAY_H: (i64, i64) = (24, 120);
/// A step comes up to this many thousandths of the whole journey later than planned.
const JITTER_THOUSANDTHS: i64 = 25;

/// How often things go wrong, in parts per million of the parcels handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reliability {
    /// Nobody at home at an attempt.
    pub delivery_failed_ppm: u32,
    /// Stands still for some days on its way.
    pub delayed_ppm: u32,
    /// Sent back after the attempts.
    pub returned_ppm: u32,
    /// Never seen again.
    pub lost_ppm: u32,
    /// Days after the promised day until the carrier says that a lost parcel is lost.
    pub lost_reported_days: u16,
}

impl Default for Reliability {
    fn default() -> Self {
        Reliability { delivery_failed_ppm: 40_000, delayed_ppm: 20_000, returned_ppm: 4_000, lost_ppm: 1_500, lost_reported_days: 14 }
    }
}

impl Reliability {
    /// Everything arrives, and at the first attempt.
    pub const PERFECT: Reliability =
        Reliability { delivery_failed_ppm: 0, delayed_ppm: 0, returned_ppm: 0, lost_ppm: 0, lost_reported_days: 14 };
}

/// How a service moves a parcel: whether over a border, and the hours from the handover to the last depot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    pub crosses_border: bool,
    pub hours_min: i64,
    pub hours_max: i64,
}

/// Where a scan was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    Origin,
    OriginHub,
    UnderWay,
    DestinationHub,
    Destination,
}

/// One scan of a parcel, past or to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scan {
    pub at: Moment,
    pub status: TrackStatus,
    pub spot: Spot,
}

/// How a parcel ends, whether or not anybody knows yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Sold and not handed over.
    Waiting,
    Voided,
    Delivered {
        at: Moment,
    },
    Returned {
        at: Moment,
    },
    Lost {
        reported_at: Moment,
    },
}

/// Steps from the handover to the last depot, in thousandths of the journey.
const DOMESTIC: [(i64, TrackStatus, Spot); 6] = [
    (0, Accepted, Spot::Origin),
    (120, ReceivedAtHub, Spot::OriginHub),
    (240, DepartedOrigin, Spot::OriginHub),
    (500, InFlight, Spot::UnderWay),
    (780, Arrived, Spot::DestinationHub),
    (970, LastMile, Spot::Destination),
];
const ABROAD: [(i64, TrackStatus, Spot); 9] = [
    (0, Accepted, Spot::Origin),
    (80, ReceivedAtHub, Spot::OriginHub),
    (180, ExportCleared, Spot::OriginHub),
    (250, DepartedOrigin, Spot::OriginHub),
    (290, InFlight, Spot::UnderWay),
    (540, Arrived, Spot::DestinationHub),
    (580, Customs, Spot::DestinationHub),
    (720, ImportCleared, Spot::DestinationHub),
    (970, LastMile, Spot::Destination),
];

/// What chance has in store for one parcel; drawn whole, used in part.
struct Draw {
    lost: bool,
    returned: bool,
    delayed: bool,
    failures: u32,
    journey: Span,
    /// The step after which it is delayed or lost.
    incident_step: usize,
    delay: Span,
}

fn draw(luck: &mut Luck, route: Route, reliability: &Reliability) -> Draw {
    let steps = steps(route).len() as u64;
    let lost = luck.chance_ppm(reliability.lost_ppm);
    let returned = luck.chance_ppm(reliability.returned_ppm);
    let delayed = luck.chance_ppm(reliability.delayed_ppm);
    let attempts = [(); ATTEMPTS_MAX as usize - 1].map(|()| luck.chance_ppm(reliability.delivery_failed_ppm));
    Draw {
        lost,
        returned,
        delayed,
        failures: attempts.iter().take_while(|failed| **failed).count() as u32,
        journey: Span::from_mins(luck.between(route.hours_min * 60, route.hours_max * 60)),
        incident_step: luck.below(steps - 1) as usize,
        delay: Span::from_hours(luck.between(DELAY_H.0, DELAY_H.1)),
    }
}

fn steps(route: Route) -> &'static [(i64, TrackStatus, Spot)] {
    if route.crosses_border { &ABROAD } else { &DOMESTIC }
}

/// Plans the scans of a parcel taken at `at`; `offset_h` is the destination's time zone, hours east of UTC.
pub fn plan(luck: &mut Luck, route: Route, reliability: &Reliability, at: Moment, offset_h: i64, scans: &mut Vec<Scan>) -> Fate {
    let draw = draw(luck, route, reliability);
    let mut late = Span::ZERO;
    let mut last = at;
    for (i, (share, status, spot)) in steps(route).iter().enumerate() {
        let jitter = luck.between(0, JITTER_THOUSANDTHS);
        last = at + Span(draw.journey.0 / 1_000 * (share + jitter)) + late + Span::from_mins(5);
        scans.push(Scan { at: last, status: *status, spot: *spot });
        if i == draw.incident_step && draw.lost {
            let reported_at = (at + draw.journey + Span::from_hours(24 * i64::from(reliability.lost_reported_days))).max(last);
            scans.push(Scan { at: reported_at, status: Lost, spot: Spot::UnderWay });
            return Fate::Lost { reported_at };
        }
        if i == draw.incident_step && draw.delayed {
            scans.push(Scan { at: last + Span::from_hours(6), status: Exception, spot: *spot });
            late = draw.delay;
        }
    }
    deliver(luck, &draw, last, offset_h, scans)
}

/// The days at the destination: out in the morning, at the door in the day, again on the next day where nobody was in.
fn deliver(luck: &mut Luck, draw: &Draw, depot: Moment, offset_h: i64, scans: &mut Vec<Scan>) -> Fate {
    let attempts = if draw.returned { ATTEMPTS_MAX } else { draw.failures + 1 };
    let mut from = depot;
    for attempt in 1..=attempts {
        let out = next_morning(from, offset_h) + Span::from_mins(luck.between(0, 90));
        let door = out + Span::from_mins(luck.between(60, 9 * 60));
        scans.push(Scan { at: out, status: OutForDelivery, spot: Spot::Destination });
        if attempt == attempts && !draw.returned {
            scans.push(Scan { at: door, status: Delivered, spot: Spot::Destination });
            return Fate::Delivered { at: door };
        }
        scans.push(Scan { at: door, status: DeliveryFailed, spot: Spot::Destination });
        from = door;
    }
    let back = next_morning(from, offset_h);
    scans.push(Scan { at: back, status: Returning, spot: Spot::Destination });
    let at = back + draw.journey;
    scans.push(Scan { at, status: Returned, spot: Spot::Origin });
    Fate::Returned { at }
}

/// The next 07:30 there.
fn next_morning(after: Moment, offset_h: i64) -> Moment {
    const DAY: i64 = Span::from_hours(24).0;
    let morning = Span::from_mins(7 * 60 + 30) + Span::from_hours(-offset_h);
    let since = (after - morning).0.rem_euclid(DAY);
    after + Span(DAY - since)
}

/// Hours east of UTC of where most of a country's buyers live; whole hours, no summer time.
pub fn offset_h(country: &str) -> i64 {
    match country {
        "US" | "MX" => -6,
        "CA" => -5,
        "BR" | "AR" | "CL" => -3,
        "GB" | "IE" | "PT" => 0,
        "FI" | "GR" | "RO" | "BG" | "EE" | "LT" | "LV" | "UA" | "IL" | "ZA" => 2,
        "SA" | "TR" | "RU" | "QA" => 3,
        "AE" => 4,
        "IN" => 5,
        "TH" | "VN" | "ID" => 7,
        "CN" | "HK" | "MO" | "TW" | "SG" | "MY" | "PH" => 8,
        "JP" | "KR" => 9,
        "AU" => 10,
        "NZ" => 12,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTE: Route = Route { crosses_border: true, hours_min: 120, hours_max: 240 };

    fn planned(key: &str, reliability: Reliability) -> (Vec<Scan>, Fate) {
        let mut scans = Vec::new();
        let at = Moment(Span::from_hours(480_000).0);
        let fate = plan(&mut Luck::of(7, key, "transit"), ROUTE, &reliability, at, -6, &mut scans);
        assert!(scans.is_sorted_by_key(|s| s.at), "{scans:?}");
        (scans, fate)
    }

    #[test]
    fn a_perfect_carrier_delivers_in_the_day_at_the_first_attempt() {
        for n in 0..200 {
            let (scans, fate) = planned(&format!("p{n}"), Reliability::PERFECT);
            let statuses: Vec<TrackStatus> = scans.iter().map(|s| s.status).collect();
            let expected: Vec<TrackStatus> = ABROAD.iter().map(|s| s.1).chain([OutForDelivery, Delivered]).collect();
            assert_eq!(statuses, expected);
            let Fate::Delivered { at } = fate else { panic!("{fate:?}") };
            let hour = (at + Span::from_hours(-6)).0.rem_euclid(Span::from_hours(24).0) / Span::from_hours(1).0;
            assert!((8..=18).contains(&hour), "at {hour} o'clock");
        }
    }

    #[test]
    fn each_rate_makes_its_own_ending() {
        let always = |f: fn(&mut Reliability)| {
            let mut r = Reliability::PERFECT;
            f(&mut r);
            planned("p", r)
        };
        let (scans, fate) = always(|r| r.lost_ppm = 1_000_000);
        assert!(matches!(fate, Fate::Lost { .. }) && scans.last().unwrap().status == Lost);
        let (scans, fate) = always(|r| r.returned_ppm = 1_000_000);
        assert!(matches!(fate, Fate::Returned { .. }));
        assert_eq!(scans.iter().filter(|s| s.status == DeliveryFailed).count(), 3);
        let (scans, fate) = always(|r| r.delayed_ppm = 1_000_000);
        assert!(matches!(fate, Fate::Delivered { .. }) && scans.iter().any(|s| s.status == Exception));
        let (scans, fate) = always(|r| r.delivery_failed_ppm = 1_000_000);
        assert!(matches!(fate, Fate::Delivered { .. }));
        assert_eq!(scans.iter().filter(|s| s.status == OutForDelivery).count(), 3);
    }

    #[test]
    fn one_rate_does_not_touch_the_luck_of_the_others() {
        let worse = Reliability { lost_ppm: 300_000, ..Reliability::default() };
        for n in 0..300 {
            let (before, after) = (planned(&format!("p{n}"), Reliability::default()), planned(&format!("p{n}"), worse));
            assert!(before == after || matches!(after.1, Fate::Lost { .. }));
        }
    }
}

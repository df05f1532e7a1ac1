//! The wall clock of the site: which local hour and day a moment falls in, and how a time axis is labelled.
//!
//! Never reads a clock: it only tells how given moments are called in a time zone. An hour that the clock shows twice is one
//! on every axis, as it is to the people there.

use jiff::Timestamp;
use twin::{Moment, TimeZone};

const HOUR_US: i64 = 3_600_000_000;
/// The most labels on a time axis that stay apart from each other.
const TICKS_MAX: f64 = 8.0;
/// Distances between labels, hours.
const STEPS_H: [f64; 14] = [0.25, 0.5, 1.0, 2.0, 3.0, 6.0, 12.0, 24.0, 48.0, 96.0, 168.0, 336.0, 672.0, 1_344.0];

/// The clock and the calendar of a place.
#[derive(Clone, Debug)]
pub struct Local(TimeZone);

impl Local {
    pub fn new(time_zone: TimeZone) -> Self {
        Local(time_zone)
    }

    fn us(&self, at: Moment) -> i64 {
        self.0.wall(at).0
    }

    /// Hours of its clock since the local beginning of 1970.
    pub fn hours(&self, at: Moment) -> f64 {
        self.us(at) as f64 / HOUR_US as f64
    }

    pub fn hour(&self, at: Moment) -> i64 {
        self.us(at).div_euclid(HOUR_US)
    }

    pub fn day(&self, at: Moment) -> i64 {
        self.hour(at).div_euclid(24)
    }

    /// `2026-11-09 08:15`.
    pub fn text(&self, at: Moment) -> String {
        written(self.us(at), "%Y-%m-%d %H:%M")
    }

    /// `Asia/Shanghai`.
    pub fn zone(&self) -> String {
        self.0.to_string()
    }
}

fn written(us: i64, form: &str) -> String {
    Timestamp::from_microsecond(us).map_or_else(|_| format!("{us}us"), |t| t.strftime(form).to_string())
}

/// `9 Nov`, of a local day number.
pub fn day_text(day: i64) -> String {
    written(day.saturating_mul(24 * HOUR_US), "%-d %b")
}

/// `9 Nov 08:00`, of a local hour number.
pub fn hour_text(hour: i64) -> String {
    written(hour.saturating_mul(HOUR_US), "%-d %b %H:%M")
}

/// Where a time axis is labelled, and with what: the hour, and at midnight the day. Labels are at least `apart_h` hours apart.
pub fn ticks(from_h: f64, to_h: f64, apart_h: f64) -> Vec<(f64, String)> {
    let fits = |step: &&f64| **step >= apart_h && (to_h - from_h) / **step <= TICKS_MAX;
    let step = STEPS_H.iter().find(fits).copied().unwrap_or_else(|| ((to_h - from_h) / TICKS_MAX / 24.0).ceil().max(1.0) * 24.0);
    let first = (from_h / step).ceil() as i64;
    let label = |at: f64| match at.rem_euclid(24.0) {
        0.0 => day_text((at / 24.0) as i64),
        _ => written((at * HOUR_US as f64) as i64, "%H:%M"),
    };
    let at = |n: i64| (first + n) as f64 * step;
    (0..).map(at).take_while(|at| *at <= to_h).map(|at| (at, label(at))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(name: &str) -> Local {
        Local::new(name.parse().unwrap())
    }

    #[test]
    fn local_time_has_its_own_midnight() {
        let local = local("Asia/Shanghai");
        let at: Moment = "2026-11-08T16:15:00Z".parse().unwrap();
        assert_eq!((local.text(at).as_str(), local.zone().as_str()), ("2026-11-09 00:15", "Asia/Shanghai"));
        assert_eq!((day_text(local.day(at)).as_str(), hour_text(local.hour(at)).as_str()), ("9 Nov", "9 Nov 00:00"));
    }

    #[test]
    fn the_same_hour_of_utc_is_called_otherwise_after_a_clock_change() {
        let berlin = local("Europe/Berlin");
        let at = |text: &str| text.parse::<Moment>().unwrap();
        assert_eq!(berlin.text(at("2026-10-24T22:30:00Z")), "2026-10-25 00:30");
        assert_eq!(berlin.text(at("2026-10-25T22:30:00Z")), "2026-10-25 23:30");
        assert_eq!(berlin.day(at("2026-10-24T22:30:00Z")), berlin.day(at("2026-10-25T22:30:00Z")), "a day of 25 hours");
        assert_eq!(berlin.hour(at("2026-10-25T00:30:00Z")), berlin.hour(at("2026-10-25T01:30:00Z")), "2 o'clock comes twice");
    }

    #[test]
    fn labels_stay_apart_and_name_the_day_at_midnight() {
        let from = local("Asia/Shanghai").hours("2026-11-08T12:00:00Z".parse().unwrap());
        let of = |hours: f64| ticks(from, from + hours, 0.0).into_iter().map(|t| t.1).collect::<Vec<_>>().join(" ");
        assert_eq!(of(24.0), "21:00 9 Nov 03:00 06:00 09:00 12:00 15:00 18:00");
        assert_eq!(of(1.0), "20:00 20:15 20:30 20:45 21:00");
        assert_eq!(of(24.0 * 7.0), "9 Nov 10 Nov 11 Nov 12 Nov 13 Nov 14 Nov 15 Nov");
        assert_eq!(ticks(from, from + 30.0, 24.0).len(), 2);
        for hours in [0.5, 1.0, 7.0, 30.0, 100.0, 500.0, 10_000.0, 1e6] {
            let n = ticks(from, from + hours, 0.0).len();
            assert!((1..=9).contains(&n), "{n} labels over {hours} hours");
        }
    }
}

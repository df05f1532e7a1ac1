//! When a carrier collects at a warehouse: its hours by the warehouse's clock, on days on which both of them work.
//!
//! Pure: it is told what time it is.

use crate::working_days::{WorkingDays, said};
use twin::channel::{Channel, DaysCount};
use twin::{Moment, Span, TimeZone};

/// One carrier's pickups at one warehouse.
#[derive(Clone, Debug)]
pub struct Pickups {
    /// The warehouse's.
    pub time_zone: TimeZone,
    /// Hours of the day, as spans after midnight by the clock. None: it comes when it is called.
    pub cutoffs: Vec<Span>,
    /// Days on which warehouse and carrier both work.
    pub days: WorkingDays,
    /// Days on which the carrier works: those that its promises count.
    pub transit_days: WorkingDays,
}

impl Pickups {
    /// The first cut-off after this moment. None where the carrier has no hours, or no day on which it could come.
    ///
    /// An hour that the clock leaps over is kept when it leaps, one that it shows twice is kept once (see
    /// [`TimeZone::first_at`]); two cut-offs that fall together so are one.
    pub fn next_cutoff(&self, after: Moment) -> Option<Moment> {
        if self.cutoffs.is_empty() {
            return None;
        }
        // The hours come in the order of the clock's, so the first day that has one left has the next.
        self.days.from(self.time_zone.date(after)).find_map(|date| {
            let hours = self.cutoffs.iter().filter_map(|hour| self.time_zone.first_at(date, *hour));
            hours.filter(|at| *at > after).min()
        })
    }

    /// The first pickup that takes what is ready at this moment: the next cut-off, or, where the carrier comes when it is
    /// called, that very moment or the first one of the next day on which somebody works.
    pub fn first_for(&self, ready: Moment) -> Moment {
        if !self.cutoffs.is_empty() {
            // A plan without any day for them was refused at the start.
            return self.next_cutoff(ready - Span(1)).unwrap_or(ready);
        }
        let today = self.time_zone.date(ready);
        match self.days.from(today).find_map(|date| Some((date, self.time_zone.first_at(date, Span::ZERO)?))) {
            Some((date, begins)) if date > today => begins,
            _ => ready,
        }
    }

    /// The days to the door that a channel promises, as days of the calendar from the pickup at `ship_at` on.
    pub fn promise(&self, channel: &Channel, ship_at: Moment) -> Option<u16> {
        self.calendar_days(channel.days_count, channel.days?, ship_at)
    }

    fn calendar_days(&self, count: DaysCount, days: u16, ship_at: Moment) -> Option<u16> {
        match count {
            DaysCount::Calendar => Some(days),
            DaysCount::Working => self.transit_days.calendar_days(self.time_zone.date(ship_at), days),
        }
    }

    /// A moment as the people of the warehouse say it: `Mon 2026-11-30 17:00`.
    pub fn said(&self, at: Moment) -> String {
        said(&self.time_zone, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::working_days::Weekday;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn pickups(zone: &str, hours: &[&str], weekdays: usize, holidays: &[&str]) -> Pickups {
        let minutes = |text: &&str| text.split_once(':').map(|(h, m)| h.parse::<i64>().unwrap() * 60 + m.parse::<i64>().unwrap());
        let cutoffs = hours.iter().filter_map(minutes).map(Span::from_mins).collect();
        let days = WorkingDays {
            weekdays: Weekday::ALL.into_iter().take(weekdays).collect(),
            holidays: holidays.iter().map(|d| d.parse().unwrap()).collect(),
        };
        Pickups { time_zone: zone.parse().unwrap(), cutoffs, transit_days: days.clone(), days }
    }

    fn at(text: &str) -> Moment {
        text.parse().unwrap()
    }

    /// What a bell that is set anew each time it rings would ring.
    fn rings(pickups: &Pickups, after: &str, times: usize) -> Vec<String> {
        let next = |at: &Moment| pickups.next_cutoff(*at);
        std::iter::successors(next(&at(after)), next).take(times).map(|at| at.to_string()).collect()
    }

    #[test]
    fn five_oclock_stays_five_oclock_through_a_clock_change() {
        let berlin = pickups("Europe/Berlin", &["17:00"], 7, &[]);
        assert_eq!(rings(&berlin, "2026-03-28T00:00:00Z", 3), ["2026-03-28T16:00:00Z", "2026-03-29T15:00:00Z", "2026-03-30T15:00:00Z"]);
        assert_eq!(rings(&berlin, "2026-10-24T00:00:00Z", 3), ["2026-10-24T15:00:00Z", "2026-10-25T16:00:00Z", "2026-10-26T16:00:00Z"]);
        let adelaide = pickups("Australia/Adelaide", &["12:00", "17:00"], 7, &[]);
        let expected = ["2026-10-03T02:30:00Z", "2026-10-03T07:30:00Z", "2026-10-04T01:30:00Z", "2026-10-04T06:30:00Z"];
        assert_eq!(rings(&adelaide, "2026-10-03T00:00:00Z", 4), expected);
    }

    #[test]
    fn an_hour_that_is_not_there_or_there_twice_is_kept_once() {
        let night = pickups("Europe/Berlin", &["02:15", "02:45", "04:00"], 7, &[]);
        // Both fall on the leap at 03:00.
        let spring = ["2026-03-28T01:45:00Z", "2026-03-28T03:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"];
        assert_eq!(rings(&night, "2026-03-28T01:15:00Z", 4), spring);
        // The clock shows 02:15 at 00:15Z and at 01:15Z.
        let autumn = ["2026-10-25T00:15:00Z", "2026-10-25T00:45:00Z", "2026-10-25T03:00:00Z", "2026-10-26T01:15:00Z"];
        assert_eq!(rings(&night, "2026-10-24T12:00:00Z", 4), autumn);
    }

    #[test]
    fn nobody_collects_on_a_day_off() {
        let office = pickups("America/New_York", &["17:00"], 5, &["2026-11-26", "2026-12-25"]);
        // Thanksgiving is a Thursday.
        let days = ["2026-11-25T22:00:00Z", "2026-11-27T22:00:00Z", "2026-11-30T22:00:00Z"];
        assert_eq!(rings(&office, "2026-11-25T12:00:00Z", 3), days);
        assert_eq!(office.first_for(at("2026-12-24T22:00:01Z")), at("2026-12-28T22:00:00Z"));
        assert_eq!(office.said(at("2026-12-28T22:00:00Z")), "Mon 2026-12-28 17:00");
        let called = pickups("America/New_York", &[], 5, &["2026-11-26"]);
        assert_eq!(called.first_for(at("2026-11-25T22:00:00Z")), at("2026-11-25T22:00:00Z"));
        assert_eq!(called.first_for(at("2026-11-26T05:00:00Z")), at("2026-11-27T05:00:00Z"), "at midnight after the holiday");
        assert_eq!(called.next_cutoff(at("2026-11-25T22:00:00Z")), None);
        assert_eq!(pickups("UTC", &["17:00"], 0, &[]).next_cutoff(Moment(0)), None, "nobody ever works");
    }

    #[test]
    fn a_promise_in_working_days_knows_the_calendar() {
        let office = pickups("Europe/Berlin", &["17:00"], 5, &["2026-12-25"]);
        let mut channel = crate::sample::channel(None);
        channel.days = Some(3);
        let thursday = at("2026-12-24T16:00:00Z");
        assert_eq!(office.promise(&channel, thursday), Some(3));
        channel.days_count = DaysCount::Working;
        assert_eq!(office.promise(&channel, thursday), Some(6), "Monday, Tuesday, Wednesday");
        // 23:30Z is Friday in Berlin.
        assert_eq!(office.promise(&channel, at("2026-12-17T23:30:00Z")), Some(5));
        channel.days = None;
        assert_eq!(office.promise(&channel, thursday), None);
    }

    const ZONES: [&str; 9] = [
        "Europe/Berlin",
        "America/New_York",
        "America/Los_Angeles",
        "America/Scoresbysund",
        "Asia/Shanghai",
        "Asia/Kolkata",
        "Australia/Adelaide",
        "Australia/Lord_Howe",
        "-03:30",
    ];

    proptest! {
        /// Zones × moments × hours × days: a cut-off lies ahead, on a working day of the warehouse's calendar, at an hour of
        /// the list by its clock unless the clock leapt over it; and however one steps towards it, it is the same.
        #[test]
        fn cutoffs_are_kept_by_the_warehouses_clock(
            zone in 0..ZONES.len(),
            from in at("2026-01-01T00:00:00Z").0..at("2028-01-01T00:00:00Z").0,
            minutes in prop::collection::btree_set(0..1_440_i64, 1..4),
            weekdays in prop::collection::btree_set(0..7_usize, 1..7),
            off in prop::collection::btree_set(0..730_i32, 0..40),
            part in 1..1_000_i64,
        ) {
            let first: twin::Date = "2026-01-01".parse().unwrap();
            let holidays = std::iter::successors(Some(first), |day| day.tomorrow().ok()).take(730);
            let days = WorkingDays {
                weekdays: weekdays.iter().map(|n| Weekday::ALL[*n]).collect(),
                holidays: holidays.enumerate().filter(|(n, _)| off.contains(&(*n as i32))).map(|(_, day)| day).collect::<BTreeSet<_>>(),
            };
            let cutoffs: Vec<Span> = minutes.iter().map(|m| Span::from_mins(*m)).collect();
            let pickups = Pickups { time_zone: ZONES[zone].parse().unwrap(), cutoffs, transit_days: days.clone(), days };
            let from = Moment(from);
            let next = pickups.next_cutoff(from).unwrap();
            prop_assert!(next > from);
            let zone = &pickups.time_zone;
            let leapt = zone.offset(next) != zone.offset(next - Span(1));
            let minute = zone.wall(next).0.div_euclid(60_000_000).rem_euclid(1_440);
            prop_assert!(leapt || (minutes.contains(&minute) && pickups.days.has(zone.date(next))), "{next}");
            prop_assert_eq!(zone.wall(next).0.rem_euclid(60_000_000), 0);
            let nearer = from + Span((next - from).0 * part / 1_000);
            prop_assert_eq!(pickups.next_cutoff(nearer), Some(next));
            prop_assert_eq!(pickups.first_for(next), next);
        }
    }
}

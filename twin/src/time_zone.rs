//! What a place's clock and calendar say, and when its clock comes to an hour.
//!
//! A zone is known by its name in the tz database, of which the program brings its own copy: one build gives one answer on
//! every machine. No state and no record asks a zone anything; it is for whoever says a date or waits for an hour.

use crate::{Moment, Span};
use jiff::Timestamp;
pub use jiff::civil::Date;
use jiff::civil::Time;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::AmbiguousOffset;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// `Europe/Berlin`, or an offset that never changes: `+08:00`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZone(jiff::tz::TimeZone);

const DAY_S: i64 = 86_400;
/// No place is further from UTC (Kiritimati, +14:00).
const OFFSET_MAX_S: i32 = 14 * 3_600;

impl TimeZone {
    pub const UTC: TimeZone = TimeZone(jiff::tz::TimeZone::UTC);

    /// How far the place's clock is ahead of UTC at this moment.
    pub fn offset(&self, at: Moment) -> Span {
        Span::from_secs(self.0.to_offset(timestamp(at)).seconds().into())
    }

    /// What the place's clock shows, written as if it were UTC.
    pub fn wall(&self, at: Moment) -> Moment {
        at + self.offset(at)
    }

    /// What the place's calendar shows.
    pub fn date(&self, at: Moment) -> Date {
        self.0.to_datetime(timestamp(at)).date()
    }

    /// The offset as people write it: `+05:30`.
    pub fn offset_text(&self, at: Moment) -> String {
        let minutes = self.offset(at).0 / Span::from_mins(1).0;
        let sign = if minutes < 0 { '-' } else { '+' };
        format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
    }

    /// When the place's clock first comes to this hour of this day: an hour that it leaps over comes when it leaps, and one
    /// that it shows twice comes the first time. Nothing if the place has no such day (Apia had no 2011-12-30).
    pub fn first_at(&self, date: Date, hour: Span) -> Option<Moment> {
        let seconds = (hour.0 / Span::from_secs(1).0).clamp(0, DAY_S - 1) as i32;
        let clock = Time::new((seconds / 3_600) as i8, (seconds / 60 % 60) as i8, (seconds % 60) as i8, 0).ok()?;
        let midnight = self.first(date, Time::midnight())?;
        (self.date(midnight) == date).then(|| self.first(date, clock)).flatten()
    }

    fn first(&self, date: Date, clock: Time) -> Option<Moment> {
        let wanted = date.to_datetime(clock);
        let first = match self.0.to_ambiguous_timestamp(wanted).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(wanted).ok()?,
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(wanted).ok()?,
            // By the later offset it would have been before the leap.
            AmbiguousOffset::Gap { after, .. } => {
                let before = after.to_timestamp(wanted).ok()?;
                self.0.following(before).next()?.timestamp()
            }
        };
        Some(Moment(first.as_microsecond()))
    }
}

/// Beyond the calendar's ends (the years −9999 and 9999) the ends themselves.
fn timestamp(at: Moment) -> Timestamp {
    Timestamp::from_microsecond(at.0).unwrap_or(if at.0 < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.iana_name() {
            Some(name) => f.write_str(name),
            None => f.write_str(&self.offset_text(Moment(0))),
        }
    }
}

/// Why a text names no zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no time zone: write its name in the tz database, such as \"Europe/Berlin\", or an offset that never changes, such as \"+08:00\""
)]
pub struct NoZone(pub String);

impl FromStr for TimeZone {
    type Err = NoZone;
    fn from_str(text: &str) -> Result<Self, NoZone> {
        let no_zone = || NoZone(text.into());
        let zone = DateTimeParser::new().parse_time_zone(text).map_err(|_| no_zone())?;
        // The parser takes POSIX rules too, which have no name that people know.
        let offset = zone.to_fixed_offset().map_or(0, |offset| offset.seconds());
        let known = !zone.is_unknown() && (zone.iana_name().is_some() || zone.to_fixed_offset().is_ok()) && offset % 60 == 0;
        let known = known && (-OFFSET_MAX_S..=OFFSET_MAX_S).contains(&offset);
        known.then_some(TimeZone(zone)).ok_or_else(no_zone)
    }
}

impl Serialize for TimeZone {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeZone {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn zone(name: &str) -> TimeZone {
        name.parse().unwrap()
    }

    /// Clock changes as the tz database (2026f) has them; Python's zoneinfo, another reader of another copy, says the same.
    #[test]
    fn an_hour_comes_when_the_clock_first_shows_it() {
        for (name, date, hour, comes, why) in [
            ("Europe/Berlin", "2026-03-28", "02:30", "2026-03-28T01:30:00Z", "an ordinary day"),
            ("Europe/Berlin", "2026-03-29", "01:59", "2026-03-29T00:59:00Z", "the last minute before the leap"),
            ("Europe/Berlin", "2026-03-29", "02:00", "2026-03-29T01:00:00Z", "leapt over: 03:00"),
            ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:00:00Z", "leapt over: 03:00"),
            ("Europe/Berlin", "2026-03-29", "03:00", "2026-03-29T01:00:00Z", "the first after the leap"),
            ("Europe/Berlin", "2026-03-29", "17:00", "2026-03-29T15:00:00Z", "summer"),
            ("Europe/Berlin", "2026-10-24", "17:00", "2026-10-24T15:00:00Z", "summer"),
            ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T00:30:00Z", "twice: the first"),
            ("Europe/Berlin", "2026-10-25", "03:00", "2026-10-25T02:00:00Z", "once again"),
            ("Europe/Berlin", "2026-10-25", "17:00", "2026-10-25T16:00:00Z", "winter"),
            ("America/New_York", "2026-03-08", "02:30", "2026-03-08T07:00:00Z", "leapt over: 03:00"),
            ("America/New_York", "2026-03-08", "17:00", "2026-03-08T21:00:00Z", "summer"),
            ("America/New_York", "2026-11-01", "01:30", "2026-11-01T05:30:00Z", "twice: the first"),
            ("America/New_York", "2026-11-01", "17:00", "2026-11-01T22:00:00Z", "winter"),
            ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:30:00Z", "leaps by half an hour: 02:30"),
            ("Australia/Lord_Howe", "2026-10-04", "17:00", "2026-10-04T06:00:00Z", "UTC+11"),
            ("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04T14:45:00Z", "twice: the first"),
            ("Australia/Lord_Howe", "2026-04-05", "17:00", "2026-04-05T06:30:00Z", "UTC+10:30"),
            ("Australia/Adelaide", "2026-04-05", "02:30", "2026-04-04T16:00:00Z", "twice: the first"),
            ("Australia/Adelaide", "2026-10-04", "17:00", "2026-10-04T06:30:00Z", "UTC+10:30"),
            ("Asia/Kolkata", "2026-07-01", "17:00", "2026-07-01T11:30:00Z", "UTC+5:30"),
            ("Asia/Kathmandu", "2026-07-01", "17:00", "2026-07-01T11:15:00Z", "UTC+5:45"),
            ("America/Scoresbysund", "2026-03-28", "23:30", "2026-03-29T01:00:00Z", "the leap ends the day"),
            ("America/Havana", "2026-03-08", "00:00", "2026-03-08T05:00:00Z", "the leap begins the day: 01:00"),
            ("+08:00", "2026-07-01", "17:00", "2026-07-01T09:00:00Z", "no rule"),
        ] {
            let (h, m) = hour.split_once(':').unwrap();
            let hour = Span::from_mins(h.parse::<i64>().unwrap() * 60 + m.parse::<i64>().unwrap());
            let came = zone(name).first_at(date.parse().unwrap(), hour).map(|at| at.to_string());
            assert_eq!(came.as_deref(), Some(comes), "{name} {date} {hour:?}: {why}");
        }
        assert_eq!(zone("Pacific/Apia").first_at("2011-12-30".parse().unwrap(), Span::from_hours(17)), None);
    }

    #[test]
    fn the_clock_and_the_calendar_of_a_place() {
        let at: Moment = "2026-11-09T19:00:00Z".parse().unwrap();
        let said = |name: &str| {
            let zone = zone(name);
            (zone.date(at).to_string(), zone.wall(at).to_string(), zone.offset_text(at), zone.to_string())
        };
        let of = |date: &str, wall: &str, offset: &str, name: &str| (date.into(), wall.into(), offset.into(), name.into());
        assert_eq!(said("Asia/Kolkata"), of("2026-11-10", "2026-11-10T00:30:00Z", "+05:30", "Asia/Kolkata"));
        assert_eq!(said("america/st_johns"), of("2026-11-09", "2026-11-09T15:30:00Z", "-03:30", "America/St_Johns"));
        assert_eq!(said("-08:00"), of("2026-11-09", "2026-11-09T11:00:00Z", "-08:00", "-08:00"));
        assert_eq!(said("UTC"), of("2026-11-09", "2026-11-09T19:00:00Z", "+00:00", "UTC"));
        for bad in ["", "Berlin", "CEST", "EST5EDT,M3.2.0,M11.1.0", "Etc/Unknown", "8", "+25:00", "Europe/Berlin "] {
            assert_eq!(bad.parse::<TimeZone>(), Err(NoZone(bad.into())));
        }
        for end in [Moment(i64::MIN), Moment(i64::MAX)] {
            zone("Europe/Berlin").wall(end);
        }
    }

    const ZONES: [&str; 12] = [
        "Europe/Berlin",
        "America/New_York",
        "America/Los_Angeles",
        "America/Scoresbysund",
        "America/Havana",
        "Africa/Casablanca",
        "Asia/Shanghai",
        "Asia/Kolkata",
        "Australia/Adelaide",
        "Australia/Lord_Howe",
        "Pacific/Chatham",
        "Asia/Beirut",
    ];

    proptest! {
        /// Whatever the hour, day and place: at that moment the clock shows it (or has just leapt over it), and it showed
        /// nothing as late before, on that day or an earlier one.
        #[test]
        fn at_that_moment_and_not_a_moment_earlier(name in 0..ZONES.len(), day in 0..8_000_i32, minute in 0..1_440_i64) {
            let zone = zone(ZONES[name]);
            let date = "2020-01-01".parse::<Date>().unwrap().checked_add(jiff::Span::new().days(day)).unwrap();
            let hour = Span::from_mins(minute);
            let wanted = Moment(date.to_datetime(Time::midnight()).to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_microsecond()) + hour;
            let came = zone.first_at(date, hour).unwrap();
            prop_assert!(zone.wall(came) >= wanted && zone.wall(came) < wanted + Span::from_hours(2));
            prop_assert!(zone.wall(came - Span(1)) < wanted);
            if zone.wall(came) != wanted {
                prop_assert!(zone.offset(came) != zone.offset(came - Span(1)), "it is late where the clock leaps only");
            }
        }
    }
}

//! Days on which somebody works: some days of the week, without the holidays. Knows no clock and no place.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use twin::{Date, Moment, TimeZone};

/// A day of the week, as site files write it: `mon`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Weekday {
    pub const ALL: [Weekday; 7] = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

    pub fn of(date: Date) -> Weekday {
        Weekday::ALL[date.weekday().to_monday_zero_offset() as usize]
    }

    pub fn as_str(self) -> &'static str {
        ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][self as usize]
    }
}

/// A moment as the people of a place say it: `Mon 2026-11-30 17:00`.
pub fn said(time_zone: &TimeZone, at: Moment) -> String {
    let (date, wall) = (time_zone.date(at), time_zone.wall(at).to_string());
    format!("{} {date} {}", Weekday::of(date).as_str(), wall.get(11..16).unwrap_or_default())
}

/// The days on which somebody works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkingDays {
    pub weekdays: BTreeSet<Weekday>,
    pub holidays: BTreeSet<Date>,
}

impl Default for WorkingDays {
    /// Every day.
    fn default() -> Self {
        WorkingDays { weekdays: Weekday::ALL.into(), holidays: BTreeSet::new() }
    }
}

impl WorkingDays {
    pub fn has(&self, date: Date) -> bool {
        self.weekdays.contains(&Weekday::of(date)) && !self.holidays.contains(&date)
    }

    /// The days on which both of them work.
    pub fn with(&self, other: &WorkingDays) -> WorkingDays {
        WorkingDays {
            weekdays: self.weekdays.intersection(&other.weekdays).copied().collect(),
            holidays: self.holidays.union(&other.holidays).copied().collect(),
        }
    }

    /// The working days from this date on, itself included. None at all where no day of the week is left.
    pub fn from(&self, date: Date) -> impl Iterator<Item = Date> {
        let working = !self.weekdays.is_empty();
        let days = std::iter::successors(Some(date).filter(|_| working), |date| date.tomorrow().ok());
        days.filter(|date| self.has(*date))
    }

    /// How many days of the calendar `days` working days are, counted from the day after this one.
    pub fn calendar_days(&self, date: Date, days: u16) -> Option<u16> {
        let Some(nth) = usize::from(days).checked_sub(1) else { return Some(0) };
        let last = self.from(date.tomorrow().ok()?).nth(nth)?;
        u16::try_from(date.until(last).ok()?.get_days()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    /// Monday to Friday without Christmas and New Year.
    fn office() -> WorkingDays {
        let weekdays = Weekday::ALL.into_iter().take(5).collect();
        let holidays = ["2026-12-25", "2027-01-01"].map(day).into();
        WorkingDays { weekdays, holidays }
    }

    #[test]
    fn weekends_and_holidays_are_no_working_days() {
        let next: Vec<String> = office().from(day("2026-12-23")).take(4).map(|d| d.to_string()).collect();
        assert_eq!(next, ["2026-12-23", "2026-12-24", "2026-12-28", "2026-12-29"]);
        assert_eq!(WorkingDays::default().from(day("2026-12-24")).take(3).last(), Some(day("2026-12-26")));
        let saturdays = WorkingDays { weekdays: [Weekday::Sat].into(), ..WorkingDays::default() };
        assert_eq!(office().with(&saturdays).from(day("2026-12-24")).next(), None, "they never meet");
        assert_eq!(Weekday::of(day("2026-11-25")), Weekday::Wed);
    }

    #[test]
    fn working_days_are_counted_from_the_day_after() {
        // From Thursday: Monday is the first (Friday is Christmas).
        for (from, days, calendar) in [("2026-12-24", 0, 0), ("2026-12-24", 1, 4), ("2026-12-24", 5, 11), ("2026-11-23", 3, 3)] {
            assert_eq!(office().calendar_days(day(from), days), Some(calendar), "{days} from {from}");
        }
        assert_eq!(WorkingDays::default().calendar_days(day("2026-12-24"), 12), Some(12));
    }
}

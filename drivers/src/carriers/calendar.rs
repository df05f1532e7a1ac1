//! Dates and times as carriers write them, to and from a [`Moment`]. Years 1970 to 9999, the Gregorian calendar, no
//! zone database: a zone is an offset in minutes. It never asks what time it is.

use smol_str::SmolStr;
use twin::{Moment, Span};

const DAY_S: i64 = 86_400;
/// 9999-12-31T23:59:59.
const LAST_S: i64 = 253_402_300_799;

/// `2024-07-28`, in UTC.
pub fn date(at: Moment) -> SmolStr {
    text(&stamp(at)[..10])
}

/// `2024-07-28T13:05:59`, in UTC.
pub fn date_time(at: Moment) -> SmolStr {
    text(&stamp(at))
}

/// `2024-07-28T13:05:59Z`.
pub fn date_time_z(at: Moment) -> SmolStr {
    let mut zulu = [b'Z'; 20];
    zulu[..19].copy_from_slice(&stamp(at));
    text(&zulu)
}

/// `13:05:59`, in UTC.
pub fn time_of_day(at: Moment) -> SmolStr {
    text(&stamp(at)[11..])
}

/// Reads `2024-07-28T13:05:59`, with or without a fraction, ended by `Z`, by an offset, or by nothing: then `offset`
/// (`-05:00`, `-7:00`) says the zone, and without that it is taken as UTC.
pub fn read(date_time: &str, offset: Option<&str>) -> Option<Moment> {
    let bytes = date_time.as_bytes();
    if bytes.len() < 19 || (bytes[10] != b'T' && bytes[10] != b' ') {
        return None;
    }
    let seconds = days(&bytes[..10])? * DAY_S + seconds_of_day(&bytes[11..19])?;
    let mut rest = &date_time[19..];
    let mut micros = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let used = digits.min(6);
        micros = fraction[..used].parse::<i64>().ok()? * 10_i64.pow(6 - used as u32);
        rest = &fraction[digits..];
    }
    let minutes = match (rest, offset) {
        ("Z" | "z", _) | ("", None) => 0,
        ("", Some(offset)) => offset_minutes(offset)?,
        (own, _) => offset_minutes(own)?,
    };
    Some(Moment((seconds - minutes * 60) * 1_000_000 + micros))
}

/// The same for a date and a time in two fields.
pub fn read_parts(date: &str, time: &str, offset: Option<&str>) -> Option<Moment> {
    let (date, time) = (date.as_bytes(), time.as_bytes());
    if date.len() != 10 || time.len() < 8 {
        return None;
    }
    let minutes = offset.map_or(Some(0), offset_minutes)?;
    Some(Moment((days(date)? * DAY_S + seconds_of_day(&time[..8])? - minutes * 60) * 1_000_000))
}

/// Whole days from the one to the other of two dates, by their first ten characters.
pub fn days_between(from: Moment, until: &str) -> Option<i64> {
    let until = days(until.as_bytes().get(..10)?)?;
    Some(until - from.0.div_euclid(DAY_S * 1_000_000))
}

/// Minutes east of UTC of `-05:00`, `+8:00`, `+0800`, `Z` or the empty text.
pub fn offset_minutes(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, digits) = match text.as_bytes().first() {
        None | Some(b'Z' | b'z') => return Some(0),
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        Some(_) => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 && digits.is_ascii() => digits.split_at(2),
        None => (digits, "0"),
    };
    let (hours, minutes) = (hours.parse::<i64>().ok()?, minutes.parse::<i64>().ok()?);
    if (0..=18).contains(&hours) && (0..60).contains(&minutes) { Some(sign * (hours * 60 + minutes)) } else { None }
}

/// The clock of a place `minutes` east of UTC, written as if it were UTC. Where a place's clock changes, ask its
/// [`twin::TimeZone::wall`].
pub fn local(at: Moment, minutes: i64) -> Moment {
    at + Span::from_mins(minutes)
}

/// `2024-07-28T13:05:59`, in UTC, as bytes.
pub fn stamp(at: Moment) -> [u8; 19] {
    // Before 1970 and after 9999 nothing is shipped.
    let seconds = (at.0 / 1_000_000).clamp(0, LAST_S) as u64;
    let (day, second) = ((seconds / DAY_S as u64) as u32, (seconds % DAY_S as u64) as u32);
    let (year, month, date) = civil(day);
    let mut out = *b"0000-00-00T00:00:00";
    let pairs = [(0, year / 100), (2, year % 100), (5, month), (8, date)];
    let times = [(11, second / 3_600), (14, second / 60 % 60), (17, second % 60)];
    for (place, number) in pairs.into_iter().chain(times) {
        out[place] = b'0' + (number / 10) as u8;
        out[place + 1] = b'0' + (number % 10) as u8;
    }
    out
}

/// The bytes are digits and separators, so they are text.
fn text(bytes: &[u8]) -> SmolStr {
    SmolStr::new(std::str::from_utf8(bytes).unwrap_or_default())
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, b| b.is_ascii_digit().then(|| sum * 10 + i64::from(b - b'0')))
}

fn seconds_of_day(time: &[u8]) -> Option<i64> {
    if time[2] != b':' || time[5] != b':' {
        return None;
    }
    let (hour, minute, second) = (number(&time[..2])?, number(&time[3..5])?, number(&time[6..8])?);
    (hour < 24 && minute < 60 && second <= 60).then_some(hour * 3_600 + minute * 60 + second)
}

/// Days since 1970-01-01 of `2024-07-28` (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn days(date: &[u8]) -> Option<i64> {
    if date[4] != b'-' || date[7] != b'-' {
        return None;
    }
    let (year, month, day) = (number(&date[..4])?, number(&date[5..7])?, number(&date[8..10])?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Year, month and day of a number of days since 1970-01-01 (the same source).
fn civil(day: u32) -> (u32, u32, u32) {
    let z = day + 719_468;
    let (era, of_era) = (z / 146_097, z % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + u32::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_read_as_the_zone_says() {
        let at: Moment = "2024-11-22T18:58:40Z".parse().unwrap();
        assert_eq!(read("2024-11-22T18:58:40Z", None), Some(at));
        assert_eq!(read("2024-11-22T13:58:40", Some("-05:00")), Some(at));
        assert_eq!(read("2024-11-22T13:58:40-5:00", Some("+01:00")), Some(at));
        assert_eq!(read("2024-11-22T18:58:40.000Z", None), Some(at));
        assert_eq!(read("2024-11-22T18:58:40.041Z", None), Some(at + Span::from_ms(41)));
        assert_eq!(read_parts("2024-11-23", "02:58:40", Some("+08:00")), Some(at));
        assert_eq!((date(at), date_time_z(at)), ("2024-11-22".into(), "2024-11-22T18:58:40Z".into()));
        assert_eq!((date_time(at), time_of_day(at)), ("2024-11-22T18:58:40".into(), "18:58:40".into()));
        assert_eq!(days_between(at, "2024-12-02T08:00:00"), Some(10));
        for bad in ["", "2024-11-22", "2024-13-22T18:58:40Z", "2024-11-22T25:58:40Z", "2024-11-22T18:58:40+99:00"] {
            assert_eq!(read(bad, None), None, "{bad}");
        }
    }

    #[test]
    fn every_day_of_two_centuries_agrees_with_the_calendar() {
        for day in 0..73_000 {
            let at = Moment(day * DAY_S * 1_000_000 + 3_661_000_000);
            assert_eq!(date_time_z(at), at.to_string());
            assert_eq!(read(&date_time_z(at), None), Some(at));
        }
    }
}

//! How numbers are written for people: grouped thousands, units behind a space, no false precision.
//!
//! It writes and never computes: what goes in is what stands there, rounded.

use twin::Money;
use twin::money::Decimal;

/// `1,234`.
pub fn count(n: u64) -> String {
    grouped(&n.to_string())
}

/// `1 parcel`, `1,234 parcels`; for nouns that only take an s.
pub fn of(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(n), if n == 1 { "" } else { "s" })
}

/// Digits grouped by thousands; a sign and decimals stay as they are.
fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let (whole, decimals) = digits.find('.').map_or((digits, ""), |at| digits.split_at(at));
    let mut text = String::from(sign);
    for (n, digit) in whole.chars().enumerate() {
        if n > 0 && (whole.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + decimals
}

/// `5.30 %`.
pub fn percent(per_cent: f64) -> String {
    format!("{per_cent:.2} %")
}

/// `12.5 %` of a whole; a dash of nothing.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 { "–".into() } else { format!("{:.1} %", part as f64 * 100.0 / whole as f64) }
}

/// The same of amounts.
pub fn share_of(part: Decimal, whole: Decimal) -> String {
    let share = part.checked_div(whole).and_then(|s| s.checked_mul(Decimal::ONE_HUNDRED));
    share.map_or_else(|| "–".into(), |s| format!("{:.1} %", s.round_dp(1)))
}

/// `12,345.60 USD`, to the currency's smallest unit.
pub fn money(money: Money) -> String {
    let places = money.currency.exponent().map_or(2, usize::from);
    format!("{} {}", grouped(&format!("{:.places$}", money.rounded().amount)), money.currency.code())
}

/// Milliseconds as a person says them: `850 ms`, `2.1 s`, `3 min 20 s`, `2 h 10 min`, `4.5 d`.
pub fn duration_ms(ms: f64) -> String {
    let seconds = (ms / 1_000.0).round() as u64;
    match ms {
        _ if ms < 10.0 => format!("{ms:.1} ms"),
        _ if ms < 999.5 => format!("{ms:.0} ms"),
        _ if ms < 59_950.0 => format!("{:.1}", ms / 1_000.0).trim_end_matches(".0").to_string() + " s",
        _ if seconds < 3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ if seconds < 48 * 3_600 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{:.1} d", ms / 86_400_000.0),
    }
}

/// The same of seconds.
pub fn duration_s(s: f64) -> String {
    duration_ms(s * 1_000.0)
}

/// The same of microseconds.
pub fn duration_us(us: u64) -> String {
    duration_ms(us as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin::money::Currency;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!((of(1, "parcel"), of(1_000, "parcel")), ("1 parcel".into(), "1,000 parcels".into()));
        assert_eq!(percent(5.3), "5.30 %");
        assert_eq!((share(1, 8), share(1, 0)), ("12.5 %".into(), "–".into()));
        assert_eq!(share_of(Decimal::ONE, Decimal::from(3)), "33.3 %");
        assert_eq!(share_of(Decimal::ONE, Decimal::ZERO), "–");
        assert_eq!(money(Money::new(Decimal::new(-123_456_789, 3), Currency::USD)), "-123,456.79 USD");
        assert_eq!(money(Money::new(Decimal::new(1_234, 0), Currency::JPY)), "1,234 JPY");
        let said = [0.0, 9.94, 850.0, 2_100.0, 11_000.0, 200_000.0, 7_830_000.0, 388_800_000.0].map(duration_ms);
        assert_eq!(said, ["0.0 ms", "9.9 ms", "850 ms", "2.1 s", "11 s", "3 min 20 s", "2 h 10 min", "4.5 d"]);
    }
}

//! What a scanner sends of a code, and which numbers it may be: the one place that takes off what scanners and labels put
//! around a number.
//!
//! Candidates come in a fixed order, the least changed first, and whoever asks compares each with the numbers that he knows,
//! whole. Nothing is ever cut off by length alone: every piece that goes is one that a standard or a carrier puts there, in
//! its place, so a number that is the end of another is not found. Never knows a number itself, and copies nothing of a code
//! that is plain.
//!
//! | around the number | from |
//! |---|---|
//! | `]C1`, `]d2`, … | AIM symbology identifier (ISO/IEC 15424) |
//! | FNC1 as GS, in front and between fields | GS1 General Specifications 7.8 |
//! | spaces | groups as they are printed under the bars |
//! | `*…*`; `A…B` | start and stop of Code 39 and of Codabar |
//! | `420` + ZIP 5 or 9 | USPS IMpb (Publication 199) |
//! | `00` | SSCC (GS1 AI 00) |
//! | `[J]JD01` and six digits of the issuer | DHL licence plate (ISO/IEC 15459) |
//! | `%` + postcode 7; service 3 + country 3 [+ check] | DPD |
//! | 22 digits before 12; 7 before 15 | FedEx, 34 digits from `10` or `96`; 22 from `96` |
//! | `[)>` RS `06` GS, field letters | a 2D code after ISO/IEC 15434 and ANSI MH10.8.2 |
//! | `?number=…&`, `"id":"…"`, `A\|B` | any other 2D code: a word between signs that no number has |

use smol_str::SmolStr;

/// Group separator: what FNC1 is sent as.
pub const GS: char = '\u{1d}';
/// Record separator: between the parts of an ISO/IEC 15434 message.
pub const RS: char = '\u{1e}';
/// End of transmission: the end of such a message.
pub const EOT: char = '\u{4}';

/// Shorter words in a 2D code are nobody's number.
const WORD_CHARS_MIN: usize = 8;
/// Words looked at in one 2D code; what stands behind them is not.
const WORDS_MAX: usize = 64;

/// The code without what a scanner puts in front of it: AIM identifier, FNC1, spaces at either end.
pub fn bare(code: &str) -> &str {
    let edge = |c: char| c.is_whitespace() || c == GS;
    let code = code.trim_matches(edge);
    let bytes = code.as_bytes();
    match bytes {
        [b']', letter, modifier, ..] if letter.is_ascii_alphabetic() && modifier.is_ascii_alphanumeric() => code[3..].trim_matches(edge),
        _ => code,
    }
}

/// What is known by the first of the code's candidates that is known at all. Of a 2D code that names two things that are
/// known, nothing is found: no one can say which of them it is on.
pub fn find<T: PartialEq, E>(code: &str, mut known: impl FnMut(&str) -> Result<Option<T>, E>) -> Result<Option<T>, E> {
    let bare = bare(code);
    if bare.is_empty() {
        return Ok(None);
    }
    if let Some(found) = known(bare)? {
        return Ok(Some(found));
    }
    // What a mere rearrangement of signs gives: the same number, written without its gaps.
    let compact: SmolStr;
    let number = if bare.contains([' ', GS]) {
        compact = bare.chars().filter(|c| !matches!(*c, ' ' | '\t' | GS)).collect();
        if let Some(found) = known(&compact)? {
            return Ok(Some(found));
        }
        compact.as_str()
    } else {
        bare
    };
    if let Some(found) = unwrapped(bare, number, &mut known)? {
        return Ok(Some(found));
    }
    words(bare, &mut known)
}

/// Tries every wrapping that the code as a whole can be. `spaced` still has its separators.
fn unwrapped<T, E>(spaced: &str, number: &str, known: &mut impl FnMut(&str) -> Result<Option<T>, E>) -> Result<Option<T>, E> {
    for candidate in routed(spaced, number).into_iter().chain(wrapped(number)).flatten() {
        if let Some(found) = known(candidate)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The number behind `420` and a ZIP. A separator behind the ZIP says how long that is; without one both lengths are tried,
/// the longer number first.
fn routed<'a>(spaced: &str, number: &'a str) -> [Option<&'a str>; 2] {
    const NOTHING: [Option<&str>; 2] = [None, None];
    let Some(rest) = number.strip_prefix("420").filter(|_| number.is_ascii()) else { return NOTHING };
    let marked = spaced.find(GS).map(|at| spaced[..at].chars().filter(|c| !matches!(c, ' ' | '\t')).count().saturating_sub(3));
    let behind = |zip: usize| {
        let (zip, number) = rest.split_at_checked(zip)?;
        let is_number = match marked {
            Some(_) => !number.is_empty(),
            // 20 digits were the shortest of the old numbers, 34 are the most that the standard has.
            None => is_digits(number) && (20..=34).contains(&number.len()) && matches!(number.as_bytes(), [b'9', b'1'..=b'5', ..]),
        };
        (is_digits(zip) && is_number).then_some(number)
    };
    match marked {
        Some(zip @ (5 | 9)) => [behind(zip), None],
        Some(_) => NOTHING,
        None => [behind(5), behind(9)],
    }
}

/// The number inside a code that has the form of one of the carriers' wrappings.
fn wrapped(number: &str) -> [Option<&str>; 2] {
    let digits = is_digits(number);
    match (number.as_bytes(), number.len()) {
        ([b'0', b'0', ..], 20) if digits => [Some(&number[2..]), None],
        ([b'1', b'0', ..] | [b'9', b'6', ..], 34) if digits => [Some(&number[22..]), None],
        ([b'9', b'6', ..], 22) if digits => [Some(&number[7..]), None],
        ([b'*', .., b'*'], 3..) => [Some(&number[1..number.len() - 1]), None],
        ([b'A'..=b'D' | b'a'..=b'd', inner @ .., b'A'..=b'D' | b'a'..=b'd'], _) if !inner.is_empty() && inner.iter().all(is_codabar) => {
            [Some(&number[1..number.len() - 1]), None]
        }
        _ => licence_plate(number).or_else(|| dpd(number)).unwrap_or([None, None]),
    }
}

/// `JJD01…` is the data identifier `J` and the plate; a plate of eighteen digits has the number in its last ten places.
fn licence_plate(number: &str) -> Option<[Option<&str>; 2]> {
    let plate = number.strip_prefix('J').filter(|rest| rest.starts_with("JD")).unwrap_or(number);
    let digits = plate.strip_prefix("JD").filter(|d| is_digits(d))?;
    let inside = digits.starts_with("01").then(|| if digits.len() == 18 { &digits[8..] } else { &digits[2..] });
    Some([(plate.len() < number.len()).then_some(plate), inside])
}

/// `%` (or not), postcode 7, tracking 14, service 3, country 3, and a check character or not.
fn dpd(number: &str) -> Option<[Option<&str>; 2]> {
    let rest = number.strip_prefix('%').unwrap_or(number);
    let whole = rest.len() == 27 || rest.len() == 28;
    let form = whole && rest.bytes().all(|b| b.is_ascii_alphanumeric()) && is_digits(&rest[7..27]);
    form.then(|| [Some(&rest[7..21]), None])
}

/// The words of a 2D code. Each is a candidate; two that are known as different things are none. A space is no boundary:
/// numbers are printed, and sent by some scanners, in groups.
fn words<T: PartialEq, E>(code: &str, known: &mut impl FnMut(&str) -> Result<Option<T>, E>) -> Result<Option<T>, E> {
    const BOUNDARIES: [char; 19] = [GS, RS, EOT, '|', ';', ',', '&', '=', '?', '"', '\'', '/', '\t', '<', '>', '{', '}', '[', '#'];
    if !code.contains(BOUNDARIES) {
        return Ok(None);
    }
    let message = code.starts_with("[)>");
    let mut found: Option<T> = None;
    for field in code.split(BOUNDARIES).map(str::trim).filter(|f| f.len() >= WORD_CHARS_MIN).take(WORDS_MAX) {
        let compact: SmolStr = field.chars().filter(|c| *c != ' ').collect();
        let mut this = known(&compact)?;
        if let (None, true, Some(inner)) = (&this, message, without_identifier(&compact)) {
            this = known(inner)?;
        }
        if this.is_none() {
            this = unwrapped(&compact, &compact, known)?;
        }
        match (this, &found) {
            (Some(this), Some(other)) if this != *other => return Ok(None),
            (Some(this), _) => found = Some(this),
            (None, _) => {}
        }
    }
    Ok(found)
}

/// A field of an ISO/IEC 15434 message without its data identifier: up to three digits and a letter (`1J`, `K`, `25S`).
fn without_identifier(field: &str) -> Option<&str> {
    let digits = field.bytes().take_while(u8::is_ascii_digit).count();
    let letter = field.as_bytes().get(digits)?;
    (digits <= 3 && letter.is_ascii_uppercase()).then(|| &field[digits + 1..])
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_codabar(byte: &u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'$' | b':' | b'/' | b'.' | b'+')
}

#[cfg(test)]
#[path = "code_tests.rs"]
mod tests;

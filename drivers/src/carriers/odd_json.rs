//! Answers that are JSON to whoever wrote them and not quite to everybody: a field that stands twice, a number that no
//! machine number holds, `NaN`. One of those costs the field it stands in and not the answer. Never guesses at what is cut off.

use super::answer::Skips;
use super::caller::{Why, parse};
use serde::Deserialize;
use serde_json::Value;

/// Digits of a whole number up to which it is kept as a number: 64 bits hold these.
const DIGITS_MAX: usize = 18;

/// Reads an answer; where that fails for something that can be mended, the mended text, kept in `room`, and says so.
pub(super) fn parse_or_mend<'a, T: Deserialize<'a>>(text: &'a str, room: &'a mut String, skips: &mut Skips) -> Result<T, Why> {
    let why = match parse(text) {
        Ok(read) => return Ok(read),
        Err(why) => why,
    };
    let Some(mended) = mended(text) else { return Err(why) };
    *room = mended;
    let Ok(read) = parse(room.as_str()) else { return Err(why) };
    skips.detail("", format_args!("the answer is no proper JSON ({why}): of a field that stands twice the last is read"));
    Ok(read)
}

/// The same document with each field once and with texts in place of numbers that are none; `None` where it is broken.
fn mended(text: &str) -> Option<String> {
    let mut kept = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '"' => string(rest)?,
            '-' | '0'..='9' | 'N' | 'I' => rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c))).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, behind) = rest.split_at(taken);
        rest = behind;
        if matches!(first, '-' | '0'..='9' | 'N' | 'I') && !is_number(token) {
            kept.push('"');
            kept.push_str(token);
            kept.push('"');
        } else {
            kept.push_str(token);
        }
    }
    // Of a field that stands twice, a map keeps the last.
    let document: Value = serde_json::from_str(&kept).ok()?;
    serde_json::to_string(&document).ok()
}

/// How long the string is that begins here, quotes and all.
fn string(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().skip(1).find_map(|(at, c)| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at + 1)
    })
}

/// Whether it is a number that a machine number holds as it is written.
fn is_number(token: &str) -> bool {
    let digits = token.trim_start_matches('-');
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        return digits.len() <= DIGITS_MAX;
    }
    token.parse::<f64>().is_ok_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(text: &str) -> Option<Value> {
        mended(text).map(|text| serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn what_can_be_mended_is_and_what_is_broken_stays_so() {
        for (text, expected) in [
            (r#"{"a": 1, "a": 2}"#, Some(json!({"a": 2}))),
            (r#"{"a": {"b": 1, "b": []}, "c": 1}"#, Some(json!({"a": {"b": []}, "c": 1}))),
            (r#"{"a": 1e999, "b": -1E+400, "c": 12.50}"#, Some(json!({"a": "1e999", "b": "-1E+400", "c": 12.5}))),
            (r#"[NaN, Infinity, -Infinity, 7]"#, Some(json!(["NaN", "Infinity", "-Infinity", 7]))),
            (r#"{"id": 9261290361980000000017}"#, Some(json!({"id": "9261290361980000000017"}))),
            (r#"{"a \" 1e999": "NaN \\"}"#, Some(json!({"a \" 1e999": "NaN \\"}))),
            ("null", Some(json!(null))),
            ("{\"a\":", None),
            ("{\"a", None),
            ("", None),
            ("<html>", None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    proptest! {
        /// Sound JSON means the same afterwards; nothing makes it stumble.
        #[test]
        fn sound_documents_are_the_same_and_any_text_is_survived(
            texts in prop::collection::vec("\\PC{0,12}", 0..4), n in -1_000_000i64..1_000_000, quarters in -4_000_000i32..4_000_000, any in "[\\[\\]{}:,\"\\\\NaInf0-9eE+. -]{0,40}|\\PC{0,40}",
        ) {
            let document = json!({"texts": texts, "n": n, "f": f64::from(quarters) / 4.0, "deep": [{"again": texts}, null, true]});
            prop_assert_eq!(read(&document.to_string()), Some(document));
            mended(&any);
        }
    }
}

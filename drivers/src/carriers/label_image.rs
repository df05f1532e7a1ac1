//! What every carrier's answer to a label is held against before it is kept: the label is a ZPL program, the number one that a
//! barcode can hold, the charge one that can be meant. A printer prints a PDF as pages of letters, and nobody sees that until
//! the parcel is wearing it.

use super::answer::Skips;
use super::caller::Why;
use super::soft::shown;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rust_decimal::Decimal;
use std::fmt::Display;
use twin::money::Currency;
use twin::{Money, TrackingNumber};

/// The first bytes of what carriers send where ZPL was asked for.
const OTHERS: [(&[u8], &str); 6] = [
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a PNG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
];
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
/// How ZebraDesigner begins what it writes: with the prefixes as they are anyway.
const DESIGNER: &[u8] = b"CT~~CD";

/// The longest number that is taken, in characters: a Code 128 on a label of 4 in holds no more.
const NUMBER_MAX: usize = 50;
/// No label costs this much, in whatever currency.
const CHARGE_MAX: i64 = 1_000_000_000;

/// The ZPL in a Base64 text, which may be broken into lines.
pub(super) fn zpl(base64: &str) -> Result<Vec<u8>, Why> {
    let compact: Vec<u8> = base64.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(compact).map_err(|e| format!("the label is not Base64: {e}"))?;
    match fault(&bytes) {
        None => Ok(bytes),
        Some(what) => Err(what),
    }
}

/// Why it is no label for a ZPL printer, if it is none. One label may be several formats (`^XA…^XZ^XA…^XZ`), and commands may
/// stand before the first: a graphic that is loaded (`~DG`), settings (`^…`, `CT~~CD`).
fn fault(label: &[u8]) -> Option<Why> {
    let of = label.len();
    let program = trimmed(label.strip_prefix(UTF8_MARK).unwrap_or(label));
    if program.is_empty() {
        return Some("the label is empty".into());
    }
    if let Some((_, what)) = OTHERS.iter().find(|(magic, _)| program.starts_with(magic)) {
        return Some(format!("the label is {what}, not ZPL"));
    }
    let Some(begin) = program.windows(3).position(|w| w.eq_ignore_ascii_case(b"^XA")) else {
        return Some(format!("the label of {of} bytes is no ZPL: it has no ^XA"));
    };
    if begin > 0 && !matches!(program[0], b'^' | b'~') && !program.starts_with(DESIGNER) {
        return Some(format!("the label of {of} bytes is no ZPL: it does not begin with ^XA"));
    }
    if !program.ends_with(b"^XZ") && !program.ends_with(b"^xz") {
        return Some(format!("the label of {of} bytes is no whole ZPL: it does not end with ^XZ"));
    }
    let prints = |w: &[u8]| matches!(w[0], b'^' | b'~') && !w.eq_ignore_ascii_case(b"^XA") && !w.eq_ignore_ascii_case(b"^XZ");
    if program[begin..].windows(3).any(prints) { None } else { Some(format!("the label of {of} bytes prints nothing")) }
}

/// Without the blanks and control characters round it.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let is_ink = |b: &u8| *b > b' ' && *b != 0x7f;
    match (bytes.iter().position(is_ink), bytes.iter().rposition(is_ink)) {
        (Some(first), Some(last)) => &bytes[first..=last],
        _ => &[],
    }
}

/// The number that stands at `place`, without blanks round it. `is` says what stands there where it is no text.
pub(super) fn number(place: &str, said: Option<&str>, is: impl Display) -> Result<TrackingNumber, Why> {
    let Some(said) = said else { return Err(format!("{place} is {is}")) };
    let number = said.trim();
    let is_one = (1..=NUMBER_MAX).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_graphic());
    if is_one { Ok(TrackingNumber::new(number)) } else { Err(format!("{place} is {}, which is no number", shown(said))) }
}

/// What the label costs, rounded to what can be paid; `None`, and a note, where nobody can have meant that.
pub(super) fn charge(place: &str, amount: Decimal, currency: Currency, skips: &mut Skips) -> Option<Money> {
    if amount < Decimal::ZERO || amount >= Decimal::from(CHARGE_MAX) {
        skips.detail(place, format_args!("{place} is {amount} {}, which no label costs", currency.code()));
        return None;
    }
    Some(Money::new(amount, currency).rounded())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_zpl_is_taken_for_a_label() {
        assert_eq!(zpl("XlhBXkZE\r\neF5GU15YWg==\n").unwrap(), b"^XA^FDx^FS^XZ");
        let told = |bytes: &[u8]| zpl(&STANDARD.encode(bytes)).unwrap_err();
        for (bytes, why) in [
            (&b""[..], "the label is empty"),
            (b" \r\n\0", "the label is empty"),
            (b"^XA^XZ", "the label of 6 bytes prints nothing"),
            (b"^XA\r\n^XZ\r\n^XA^XZ", "the label of 16 bytes prints nothing"),
            (b"%PDF-1.4 ^XA ^XZ", "the label is a PDF, not ZPL"),
            (b"\n%PDF-1.4 ^XA^FDx^FS^XZ", "the label is a PDF, not ZPL"),
            (b"\x89PNG\r\n", "the label is a PNG picture, not ZPL"),
            (b"GIF89a", "the label is a GIF picture, not ZPL"),
            (b"\nN\nq609\nA10,10,0,1,1,1,N,\"EPL\"\nP1\n", "the label of 34 bytes is no ZPL: it has no ^XA"),
            (b"^XZ", "the label of 3 bytes is no ZPL: it has no ^XA"),
            (b"<html>^XA^FDx^FS^XZ", "the label of 19 bytes is no ZPL: it does not begin with ^XA"),
            (b"^XA^FDhalf a lab", "the label of 16 bytes is no whole ZPL: it does not end with ^XZ"),
            (b"^XA^FDx^FS^XZ<!-- cache -->", "the label of 27 bytes is no whole ZPL: it does not end with ^XZ"),
        ] {
            assert_eq!(told(bytes), why);
        }
        assert!(zpl("?").unwrap_err().contains("Base64"));
    }

    /// What printers take and carriers send.
    #[test]
    fn a_label_may_be_several_formats_with_commands_before_them() {
        for program in [
            &b"\r\n^XA^FDx^FS^XZ\r\n\0"[..],
            b"\xef\xbb\xbf^XA^FDx^FS^XZ",
            b"^xa^fdx^fs^xz",
            b"^XA^FDx^FS^XZ\n^XA^FDcustoms^FS^XZ",
            b"^XA^DFR:F.ZPL^FN1^FS^XZ^XA^XFR:F.ZPL^FN1^FDx^FS^XZ",
            b"~DGR:LOGO.GRF,00004,001,00FF00FF\n^XA^FDx^FS^XZ",
            b"\x10CT~~CD,~CC^~CT~\r\n^XA~TA000~JSN^LT0^XZ\r\n^XA^FDx^FS^XZ",
            b"^FX from the template^FS^XA^FDx^FS^XZ",
        ] {
            assert_eq!(zpl(&STANDARD.encode(program)).unwrap(), program);
        }
    }

    #[test]
    fn a_number_is_one_that_a_barcode_holds() {
        assert_eq!(number("n", Some(" 9261\n"), "").unwrap().as_str(), "9261");
        assert_eq!(number("n", None, "missing").unwrap_err(), "n is missing");
        for blank in ["", " ", "\u{a0}", "\u{3000}", "92\n61", "92\u{7}61", "单号", &"9".repeat(51)] {
            assert!(number("n", Some(blank), "").unwrap_err().ends_with(", which is no number"), "{blank:?}");
        }
    }

    #[test]
    fn a_charge_is_one_that_a_label_can_cost() {
        let mut skips = Skips::default();
        let mut charged = |text: &str| charge("postage", text.parse().unwrap(), Currency::USD, &mut skips).map(|m| m.amount.to_string());
        assert_eq!(charged("5.2").as_deref(), Some("5.20"));
        assert_eq!(charged("5.2000000000000000000000001").as_deref(), Some("5.20"));
        assert_eq!(charged("0").as_deref(), Some("0.00"));
        assert_eq!(charged("999999999.99").as_deref(), Some("999999999.99"));
        for none in ["-0.01", "-99999999999999999999.99", "1000000000", "79228162514264337593543950335"] {
            assert_eq!(charged(none), None, "{none}");
        }
        let told = skips.into_list();
        assert_eq!((told.len(), told[0].whole, told[0].why.as_str()), (4, false, "postage is -0.01 USD, which no label costs"));
    }
}

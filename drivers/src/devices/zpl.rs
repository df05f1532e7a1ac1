//! Text as a ZPL printer takes it literally, and what a Code 128 field says: the one place that knows which characters mean
//! something to a printer. Everything printed that is not our own constant goes through here.
//!
//! A field is `^FH^FD…^FS`. Under `^FH`, `_5E` is the character with that number, so no text can begin a command, end its
//! field or stand for another character. Text is UTF-8 (`^CI28`); a character that font 0 of a label printer does not have is
//! named by its number beneath its field ([`missing`]). Never decides what is printed.

use super::code::GS;
use smol_str::SmolStr;
use std::fmt::Write;

/// What begins every format of ours: UTF-8, and a label of 4 × 6 in at 203 dpi.
pub const HEAD: &str = "^XA^CI28^PW812^LL1218";
/// The width of a label in dots.
pub const WIDTH_DOTS: usize = 812;
/// A barcode's quiet zone on either side, and how much start, check and stop of a Code 128 take, in modules.
const QUIET_MODULES: usize = 10;
const FRAME_MODULES: usize = 11 + 11 + 13;

/// Appends `text` so that it is data wherever it stands under `^FH`: the characters that begin commands and escapes, the
/// backslash that breaks lines in a field block, and everything that is no printing character, as hex.
pub fn literal(zpl: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '^' | '~' | '\\' | '_' => hex(zpl, c),
            c if c.is_control() => hex(zpl, c),
            c => zpl.push(c),
        }
    }
}

fn hex(zpl: &mut String, c: char) {
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        // Writing into a String cannot fail.
        let _ = write!(zpl, "_{byte:02X}");
    }
}

/// Appends a whole field: `^FH^FD…^FS`.
pub fn field(zpl: &mut String, text: &str) {
    zpl.push_str("^FH^FD");
    literal(zpl, text);
    zpl.push_str("^FS");
}

/// What a field's data says: the text before [`literal`].
pub fn unescaped(data: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(data.len()), data.as_bytes());
    while let [first, behind @ ..] = rest {
        let code = match behind {
            [a, b, ..] if *first == b'_' => std::str::from_utf8(&[*a, *b]).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok()),
            _ => None,
        };
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The numbers of the characters that a label printer's own font 0 does not have, `茶=U+8336`, or nothing. Beyond Latin,
/// Greek and Cyrillic it has what a font linked to it has; what it lacks it leaves out, and the person who reads the sheet
/// has to learn what is missing.
pub fn missing(text: &str) -> String {
    let mut named = String::new();
    for (at, c) in text.char_indices().filter(|(_, c)| !c.is_control() && !is_in_font_0(*c)) {
        if !text[..at].contains(c) {
            let _ = write!(named, "{}{c}=U+{:04X}", if named.is_empty() { "" } else { " " }, u32::from(c));
        }
    }
    named
}

fn is_in_font_0(c: char) -> bool {
    matches!(c, ' '..='\u{24f}' | '\u{370}'..='\u{4ff}' | '\u{1e00}'..='\u{1eff}' | '\u{2010}'..='\u{2027}' | '€' | '№' | '™')
}

/// How many columns of a fixed width a text takes: two for a character of the East.
pub fn columns(text: &str) -> usize {
    text.chars().map(|c| if u32::from(c) >= 0x1100 && !is_in_font_0(c) { 2 } else { 1 }).sum()
}

/// The widest module, in dots, with which a Code 128 of so many symbols and its quiet zones fits the label; `None` where it
/// would take less than two dots: 203 dpi prints that, and few scanners read it.
pub fn module_dots(symbols: usize) -> Option<usize> {
    let modules = symbols * 11 + FRAME_MODULES + 2 * QUIET_MODULES;
    [3, 2].into_iter().find(|dots| modules * dots <= WIDTH_DOTS)
}

/// The data of a `^BC` field in subset B, as [`literal`]. `None` if the text holds a character that a Code 128 has not, or a
/// `>`: that calls another subset, and not every printer knows `>0` for it.
pub fn code_128(text: &str) -> Option<String> {
    if !text.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'>') {
        return None;
    }
    let mut data = String::with_capacity(text.len());
    literal(&mut data, text);
    Some(data)
}

/// What a scanner that tells the symbology sends of a `^BC` field with this data (mode N): FNC1 in front makes it a GS1-128,
/// FNC1 later is a separator, and the codes that choose a subset say nothing.
pub fn scanned(data: &str) -> SmolStr {
    let data = unescaped(data);
    let (mut text, mut gs1, mut rest) = (String::with_capacity(data.len() + 3), false, data.as_str());
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        let invoked = if c == '>' { rest.chars().next() } else { None };
        match invoked {
            Some('0') => text.push('>'),
            Some('8') if text.is_empty() => gs1 = true,
            Some('8') => text.push(GS),
            Some('=') => text.push('~'),
            Some('<') => text.push('^'),
            Some('1'..='7' | '9' | ':' | ';') => {}
            _ => {
                text.push(c);
                continue;
            }
        }
        rest = &rest[1..];
    }
    smol_str::format_smolstr!("{}{text}", if gs1 { "]C1" } else { "]C0" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_that_is_printed_is_a_command() {
        for (text, expected) in [
            ("X^XZ~JA", "X_5EXZ_7EJA"),
            ("TÊTE-茶1", "TÊTE-茶1"),
            ("a_5Eb\\&", "a_5F5Eb_5C&"),
            ("two\nlines\u{1b}[31m", "two_0Alines_1B[31m"),
            ("\u{9b}", "_C2_9B"),
        ] {
            let mut zpl = String::new();
            literal(&mut zpl, text);
            assert_eq!(zpl, expected);
        }
        assert_eq!((missing("TÊTE-茶茶1é"), missing("ΩЖ€")), ("茶=U+8336".into(), "".into()));
        assert_eq!((code_128("AB^"), code_128("A>B"), code_128("茶")), (Some("AB_5E".into()), None, None));
    }

    #[test]
    fn a_scanner_tells_a_gs1_code_by_its_fnc1() {
        assert_eq!(scanned(">;>842078701>89261290361980000000017"), "]C142078701\u{1d}9261290361980000000017");
        assert_eq!(scanned(">;>800106141412345678908"), "]C100106141412345678908");
        assert_eq!(scanned("RR473124829CN"), "]C0RR473124829CN");
        assert_eq!(scanned(">:AB>51234>6C"), "]C0AB1234C");
    }

    proptest! {
        #[test]
        fn literal_text_reads_back_and_holds_no_command(text in "\\PC{0,40}|[\\^~_\\\\A-Z\u{0}-\u{1f}]{0,40}") {
            let mut zpl = String::new();
            literal(&mut zpl, &text);
            prop_assert!(!zpl.contains(['^', '~', '\\']) && !zpl.contains(char::is_control), "{}", zpl);
            prop_assert_eq!(unescaped(&zpl), text.clone());
            if let Some(data) = code_128(&text) {
                prop_assert_eq!(scanned(&data), format!("]C0{text}"));
            }
        }
    }
}

//! Text as a ZPL printer takes it literally, and what a Code 128 field says: the one place that knows which characters mean
//! something to a printer. Everything printed that is not our own constant goes through here.
//!
//! A field is `^FH^FD…^FS`. Under `^FH`, `_5E` is the character with that number, so no text can begin a command, end its
//! field or stand for another character. Text is UTF-8 (`^CI28`); words that font 0 of a label printer does not have are drawn
//! ([`drawn`]). Never decides what is printed.

use super::code::GS;
use super::glyphs;
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

/// The numbers of the characters that neither a label printer's font 0 has nor a picture shows, `😀=U+1F600`, or nothing:
/// the person who reads the sheet has to learn what is missing.
pub fn missing(text: &str) -> String {
    let mut named = String::new();
    for (at, c) in text.char_indices().filter(|(_, c)| !c.is_control() && !is_in_font_0(*c) && !glyphs::has(*c)) {
        if !text[..at].contains(c) {
            let _ = write!(named, "{}{c}=U+{:04X}", if named.is_empty() { "" } else { " " }, u32::from(c));
        }
    }
    named
}

/// Latin, Greek and Cyrillic, with the punctuation between them.
fn is_in_font_0(c: char) -> bool {
    matches!(c, ' '..='\u{24f}' | '\u{370}'..='\u{4ff}' | '\u{1e00}'..='\u{1eff}' | '\u{2010}'..='\u{2027}' | '€' | '№' | '™')
}

/// Whether font 0 has every character of it.
pub fn is_plain(text: &str) -> bool {
    text.chars().all(|c| is_in_font_0(c) || c.is_control())
}

/// Appends one line of text that is not [`is_plain`], `height` dots high and not wider than `dots_max`: from its first word that
/// font 0 lacks to its last one it is a picture, before and behind it stays text. Where all of it would be too wide, all of it
/// is a picture of the smallest letters, in as many lines as the height has room for. The whole line stands before it as a
/// comment and an empty comment behind it, for who reads the job and not the label ([`fields`]).
pub fn drawn(zpl: &mut String, (x, y): (usize, usize), height: usize, dots_max: usize, text: &str) {
    let lacking = |word: &(usize, &str)| !is_plain(word.1);
    let words = || text.split(' ').scan(0, |at, word| Some((std::mem::replace(at, *at + word.len() + 1), word)));
    let first = words().find(lacking).map_or(0, |(at, _)| at);
    let end = words().filter(lacking).last().map_or(text.len(), |(at, word)| at + word.len());
    let (before, picture, behind) = (text[..first].trim_end(), &text[first..end], text[end..].trim_start());
    let gap = height / 3;
    let beside = |part: &str| if part.is_empty() { 0 } else { font_0_dots(part, height) + gap };
    let (left, columns) = (beside(before), glyphs::columns(picture));
    let largest = (height + 4) / glyphs::HEIGHT_DOTS;
    let scale = (1..=largest.max(1)).rev().find(|scale| left + columns * 8 * scale + beside(behind) <= dots_max);
    zpl.push_str("^FX");
    literal(zpl, text);
    match scale {
        None => {
            glyphs::draw(zpl, (x, y), 1, dots_max, largest.max(1), text);
        }
        Some(scale) => {
            let mut word = |x: usize, text: &str| {
                if !text.is_empty() {
                    let _ = write!(zpl, "^FO{x},{y}^A0N,{height}");
                    field(zpl, text);
                }
            };
            word(x, before);
            word(x + left + columns * 8 * scale + gap, behind);
            let middle = y + height / 2;
            let top = middle.saturating_sub(glyphs::HEIGHT_DOTS * scale / 2);
            glyphs::draw(zpl, (x + left, top), scale, dots_max, 1, picture);
        }
    }
    zpl.push_str("^FX");
}

/// How wide font 0 writes a text at most: by the widths of a bold condensed Helvetica, rounded up.
fn font_0_dots(text: &str, height: usize) -> usize {
    let hundredths = |c: char| match c {
        'M' | 'W' | 'm' | 'w' | '@' | '%' | '™' | '…' | '—' => 95,
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '!' | '|' | '\'' | ' ' | '(' | ')' | 'f' | 't' | 'r' | '-' | '/' => 42,
        _ => 70,
    };
    (text.chars().map(hundredths).sum::<usize>() * height).div_ceil(100)
}

/// One field of a format: what stands between the field before and its data, and the data as it is written. A line that is
/// drawn in parts is one field behind its comment, `^FX`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field<'a> {
    pub command: &'a str,
    pub data: &'a str,
}

/// The fields of a format, in the order in which they stand.
pub fn fields(format: &str) -> Vec<Field<'_>> {
    let (mut fields, mut rest) = (Vec::new(), format);
    while let Some(at) = rest.find("^F") {
        let (before, behind) = rest.split_at(at);
        let (kind, behind) = behind.split_at(behind.char_indices().nth(3).map_or(behind.len(), |(at, _)| at));
        match kind {
            "^FX" => {
                // A comment ends where a command begins; what is drawn goes on to the next one, which is empty.
                let end = behind.find('^').unwrap_or(behind.len());
                let data = behind[..end].trim();
                rest = &behind[end..];
                if !data.is_empty() {
                    fields.push(Field { command: "^FX", data });
                    rest = rest.find("^FX").map_or("", |at| &rest[at + 3..]);
                }
            }
            "^FD" => {
                let Some(end) = behind.find("^FS") else { break };
                // From the last field's end: a barcode's command stands before its `^FH`.
                let command = &format[..format.len() - rest.len() + before.len()];
                let command = &command[command.rfind("^FS").map_or(0, |at| at + 3)..];
                fields.push(Field { command, data: &behind[..end] });
                rest = &behind[end..];
            }
            _ => rest = behind,
        }
    }
    fields
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
        assert_eq!((missing("TÊTE-茶1é"), missing("ΩЖ€"), missing("😀a😀")), ("".into(), "".into(), "😀=U+1F600".into()));
        assert_eq!((code_128("AB^"), code_128("A>B"), code_128("茶")), (Some("AB_5E".into()), None, None));
    }

    #[test]
    fn a_scanner_tells_a_gs1_code_by_its_fnc1() {
        assert_eq!(scanned(">;>842078701>89261290361980000000017"), "]C142078701\u{1d}9261290361980000000017");
        assert_eq!(scanned(">;>800106141412345678908"), "]C100106141412345678908");
        assert_eq!(scanned("RR473124829CN"), "]C0RR473124829CN");
        assert_eq!(scanned(">:AB>51234>6C"), "]C0AB1234C");
    }

    #[test]
    fn a_line_is_drawn_from_its_first_word_that_needs_it_to_its_last() {
        let line = |text: &str, dots| {
            let mut zpl = String::new();
            drawn(&mut zpl, (30, 100), 28, dots, text);
            zpl
        };
        let zpl = line("PICK 2 茶 X^XZ-茶 red", 752);
        let shown: String = zpl.split("^GFA,").next().unwrap().into();
        assert_eq!(shown, "^FXPICK 2 茶 X_5EXZ-茶 red^FO30,100^A0N,28^FH^FDPICK 2^FS^FO310,100^A0N,28^FH^FDred^FS^FO141,98");
        assert_eq!(fields(&zpl), [Field { command: "^FX", data: "PICK 2 茶 X_5EXZ-茶 red" }]);
        // Sixteen full characters at scale 2 are 512 dots, at scale 1 256; where that is too wide too, all of it in one line.
        let wide = "茶".repeat(16);
        let row_bytes = |dots| line(&format!("A {wide}"), dots).split("^GFA,").nth(1).unwrap().split(',').nth(2).unwrap().to_owned();
        assert_eq!((row_bytes(752), row_bytes(400), row_bytes(200)), ("64".into(), "32".into(), "23".into()));
    }

    #[test]
    fn fields_are_read_in_order() {
        let all = fields("^XA^FX^FO1,1^BCN,80^FH^FD1^FS^FO3,3^FH^FDb^FS^FXc 茶^FO1,1^FDc^FS^FO2,2^GFA,2,2,1,:^FS^FX^FO1^FDd^FS^FDe");
        let all: Vec<_> = all.iter().map(|f| (f.command.contains("^BC"), f.command == "^FX", f.data)).collect();
        assert_eq!(all, [(true, false, "1"), (false, false, "b"), (false, true, "c 茶"), (false, false, "d")]);
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

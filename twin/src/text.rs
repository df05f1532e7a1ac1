//! Foreign text made visible: what a scanner read, what a carrier or a device said, before it is written where a person
//! reads it. Never changes what is stored of it elsewhere, and nothing of a text that is plain.

use std::borrow::Cow;
use std::fmt::{self, Write};

/// Whether a character does something where it should only stand: control characters, what breaks lines, and what turns the
/// direction of writing.
pub fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text with each hidden character as its escape: `\n`, `\u001b`, as JSON has them, so that JSON stays JSON.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    // Writing into a String cannot fail.
    let _ = Visible(&mut shown).write_str(text);
    Cow::Owned(shown)
}

/// Bytes as text; what is no UTF-8 becomes the sign for that. The standard library looks for it sign by sign even where
/// there is none.
pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Writes on to another writer, visibly.
pub struct Visible<W>(pub W);

impl<W: Write> Write for Visible<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_hidden(*c)) {
            self.0.write_str(&rest[..at])?;
            match c {
                '\n' => self.0.write_str("\\n")?,
                '\r' => self.0.write_str("\\r")?,
                '\t' => self.0.write_str("\\t")?,
                c => write!(self.0, "\\u{:04x}", u32::from(c))?,
            }
            rest = &rest[at + c.len_utf8()..];
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_would_act_is_shown() {
        for (text, shown) in [
            ("refused: 400", "refused: 400"),
            ("ok\nERROR \u{1b}[31mforged", "ok\\nERROR \\u001b[31mforged"),
            ("a\u{9b}31m\u{7f}\u{202e}b\r\t", "a\\u009b31m\\u007f\\u202eb\\r\\t"),
            ("茶 TÊTE", "茶 TÊTE"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left(text in any::<String>()) {
            prop_assert!(!visible(&text).contains(is_hidden));
        }
    }
}

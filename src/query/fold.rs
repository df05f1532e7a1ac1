//! Text as it is searched: small letters, no accents, and cut into short pieces by which an index finds it.
//!
//! A piece is three letters of a word (`mus` of Musterfrau), the two with which a word begins (`_mu`), one Chinese, Japanese or
//! Korean character, or two of them side by side. A text that has all pieces of a term is a candidate; whether it has the term
//! itself is asked of the text. Nothing here knows of a database.

use std::collections::BTreeSet;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The most pieces of one question that are looked up; the text is asked for the rest.
const PIECES_MAX: usize = 24;

/// Small letters without accents; width and ligatures do not matter, and hidden characters are gone.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    if text.is_ascii() {
        folded.extend(text.chars().map(|c| if c.is_ascii_control() { ' ' } else { c.to_ascii_lowercase() }));
        return folded;
    }
    let small = text.chars().flat_map(char::to_lowercase).nfkd().filter(|c| !is_combining_mark(*c));
    for c in small.nfc() {
        match c {
            // What Unicode does not take apart.
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'đ' | 'ð' => folded.push('d'),
            'ł' => folded.push('l'),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{00ad}' => {}
            c if twin::text::is_hidden(c) || c.is_whitespace() => folded.push(' '),
            c => folded.push(c),
        }
    }
    folded
}

/// A character that is a word, or half of one, by itself.
fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

/// Letters and digits of a word, each with whether something begins there; marks between them are left out.
fn letters(word: &str) -> Vec<(char, bool)> {
    let mut begins = true;
    let mut letters = Vec::with_capacity(word.len());
    for c in word.chars() {
        if c.is_alphanumeric() {
            letters.push((c, begins));
        }
        begins = !c.is_alphanumeric();
    }
    letters
}

/// Up to three characters in one number; 21 bits each. The second and third may be missing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Piece(u64);

const BEGINS: char = '_';

impl Piece {
    fn of(a: char, b: Option<char>, c: Option<char>) -> Self {
        let bits = |c: Option<char>| c.map_or(0, |c| u64::from(u32::from(c)));
        Piece(bits(Some(a)) << 42 | bits(b) << 21 | bits(c))
    }

    fn put(self, out: &mut String) {
        for shift in [42, 21, 0] {
            let bits = (self.0 >> shift & 0x1f_ffff) as u32;
            out.extend(char::from_u32(bits).filter(|_| bits > 0));
        }
    }
}

/// Stretches of a word that are cut alike.
fn runs(letters: &[(char, bool)]) -> impl Iterator<Item = &[(char, bool)]> {
    letters.chunk_by(|a, b| is_cjk(a.0) == is_cjk(b.0))
}

/// The pieces of a folded text, parted by spaces, each once.
pub fn pieces(folded: &str) -> String {
    let mut pieces = Vec::with_capacity(folded.len() * 2);
    for word in folded.split_whitespace() {
        for run in runs(&letters(word)) {
            if is_cjk(run[0].0) {
                pieces.extend(run.iter().map(|c| Piece::of(c.0, None, None)));
                pieces.extend(run.windows(2).map(|w| Piece::of(w[0].0, Some(w[1].0), None)));
                continue;
            }
            pieces.extend(run.windows(3).map(|w| Piece::of(w[0].0, Some(w[1].0), Some(w[2].0))));
            let begins = |n: usize| n == 0 || run[n].1;
            pieces.extend((0..run.len() - 1).filter(|n| begins(*n)).map(|n| Piece::of(BEGINS, Some(run[n].0), Some(run[n + 1].0))));
        }
    }
    pieces.sort_unstable();
    pieces.dedup();
    let mut text = String::with_capacity(pieces.len() * 4);
    for piece in pieces {
        piece.put(&mut text);
        text.push(' ');
    }
    text
}

/// What somebody looks for: terms that must all be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    terms: Vec<Term>,
    pieces: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    /// Without marks.
    letters: String,
    /// So short that it counts only where a word begins.
    begins: bool,
}

impl Wanted {
    /// `None`: nothing that could be looked up stands in it, such as a single letter.
    pub fn read(text: &str) -> Option<Wanted> {
        let mut terms = Vec::new();
        let mut wanted = BTreeSet::new();
        for word in fold(text).split_whitespace() {
            let letters = letters(word);
            let mut runs = runs(&letters).peekable();
            let Some(first) = runs.peek() else { continue };
            let begins = first.len() == letters.len() && letters.len() <= 2 && !is_cjk(letters[0].0);
            let mut behind_cjk = begins;
            for run in runs {
                let cjk = is_cjk(run[0].0);
                match run {
                    [(one, _)] if cjk => drop(wanted.insert(Piece::of(*one, None, None))),
                    many if cjk => wanted.extend(many.windows(2).map(|w| Piece::of(w[0].0, Some(w[1].0), None))),
                    [(a, _), (b, _)] if behind_cjk => drop(wanted.insert(Piece::of(BEGINS, Some(*a), Some(*b)))),
                    many => wanted.extend(many.windows(3).map(|w| Piece::of(w[0].0, Some(w[1].0), Some(w[2].0)))),
                }
                behind_cjk = cjk;
            }
            terms.push(Term { letters: letters.iter().map(|l| l.0).collect(), begins });
        }
        let step = wanted.len().div_ceil(PIECES_MAX).max(1);
        let pieces: Vec<String> = wanted
            .into_iter()
            .step_by(step)
            .map(|piece| {
                let mut text = String::new();
                piece.put(&mut text);
                text
            })
            .collect();
        (!pieces.is_empty()).then_some(Wanted { terms, pieces })
    }

    /// As FTS5 wants it: whatever was typed, these are quoted letters and digits.
    pub fn expression(&self) -> String {
        self.pieces.iter().map(|piece| format!("\"{piece}\"")).collect::<Vec<_>>().join(" ")
    }

    /// Whether a folded text has all of it.
    pub fn stands_in(&self, folded: &str) -> bool {
        // Without marks, and where something begins in that.
        let mut text = String::with_capacity(folded.len());
        let mut begins = Vec::with_capacity(32);
        let mut new = true;
        for c in folded.chars() {
            if c.is_alphanumeric() {
                if new {
                    begins.push(text.len());
                }
                text.push(c);
            } else if c.is_whitespace() {
                text.push(' ');
            }
            new = !c.is_alphanumeric();
        }
        self.terms.iter().all(|term| match term.begins {
            false => text.contains(&term.letters),
            true => begins.iter().any(|at| text[*at..].starts_with(&term.letters)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether a text is found by what somebody types: by its pieces and by itself.
    fn finds(text: &str, typed: &str) -> bool {
        let folded = fold(text);
        let has: Vec<_> = pieces(&folded).split(' ').map(str::to_owned).collect();
        Wanted::read(typed).is_some_and(|wanted| wanted.pieces.iter().all(|p| has.contains(p)) && wanted.stands_in(&folded))
    }

    #[test]
    fn what_people_type_finds_what_they_mean() {
        let han = "王小明 深圳市南山区科技园";
        for (text, typed, found) in [
            ("Maria Musterfrau", "musterfrau", true),
            ("Maria Musterfrau", "STERF", true),
            ("Maria Musterfrau", "mus", true),
            ("Maria Musterfrau", "mu", true),
            ("Maria Musterfrau", "us", false),
            ("Maria Musterfrau", "frau maria", true),
            ("Maria Musterfrau", "frau mario", false),
            ("José Muñoz-Ibáñez", "munoz", true),
            ("José Muñoz-Ibáñez", "IBÁÑEZ", true),
            ("José Muñoz-Ibáñez", "ib", true),
            ("Jose Munoz", "josé", true),
            ("Weißstraße 5", "weissstrasse", true),
            ("Łódź Øre", "lodz ore", true),
            ("Ｆｕｌｌ　Ｗｉｄｔｈ", "full width", true),
            ("O'Neil", "oneil", true),
            ("O'Neil", "o'neil", true),
            ("Oneil", "o’neil", true),
            ("SHO-0012", "sho0012", true),
            ("SHO-0012", "o-001", true),
            ("SHO-0012", "0012", true),
            (han, "小明", true),
            (han, "王小明", true),
            (han, "明", true),
            (han, "明小", false),
            (han, "南山 王", true),
            (han, "山南", false),
            ("李Lee 王", "李lee", true),
            ("李Lee 王", "lee李", false),
            ("李Li 王", "李li", true),
            ("김민 서울", "김민", true),
            ("やまだ はな", "まだ", true),
            ("ガラス", "ガラ", true),
            ("Müller", "\"mull*\"", true),
            ("Müller", "mull OR nothing", false),
            ("Müller", "NEAR(mull", false),
            ("a\u{202e}bcd\u{200b}e", "bcde", true),
        ] {
            assert_eq!(finds(text, typed), found, "{typed:?} in {text:?}");
        }
        for typed in ["", " ", "a", "\"", "*", "' -- ;", "\u{0}", "x y"] {
            assert_eq!(Wanted::read(typed), None, "{typed:?}");
        }
    }

    proptest! {
        #[test]
        fn every_part_of_three_letters_is_found(text in "[a-zA-ZäöüÉñ'-]{3,12}( [a-z0-9]{1,5}){0,3}", at in 0usize..9, length in 3usize..9) {
            let word: String = text.split(' ').next().unwrap_or_default().to_owned();
            let part: String = word.chars().skip(at).take(length).collect();
            prop_assume!(letters(&fold(&part)).len() >= 3);
            prop_assert!(finds(&text, &part), "{part} in {text}");
        }

        #[test]
        fn every_two_chinese_characters_side_by_side_are_found(text in "[一-龥]{2,8}", at in 0usize..6) {
            let pair: String = text.chars().skip(at).take(2).collect();
            prop_assume!(pair.chars().count() == 2);
            prop_assert!(finds(&text, &pair), "{} in {}", pair, text);
        }

        #[test]
        fn whatever_is_typed_the_question_is_quoted_letters(typed in any::<String>(), text in any::<String>()) {
            if let Some(wanted) = Wanted::read(&typed) {
                let plain = |p: &String| !p.is_empty() && p.chars().all(|c| c.is_alphanumeric() || c == BEGINS);
                prop_assert!(wanted.pieces.len() <= PIECES_MAX && wanted.pieces.iter().all(plain), "{:?}", wanted);
                wanted.stands_in(&fold(&text));
                prop_assert!(finds(&typed, &typed), "a text is found by itself");
            }
        }
    }
}

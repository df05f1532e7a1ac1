//! Postcodes in the form that their country's post writes: read from what shops send, judged, and taken apart.
//!
//! Only case, width of letters, separators, the country's own prefix and zeros that a spreadsheet lost are put right, and the
//! last only where the state confirms it. A postcode that fits no pattern stays as it was written, for a person to see.

use super::countries::{Country, Use};
use super::regions;
use std::borrow::Cow;

/// The pattern of British postcodes stands in [`british`], not in the table.
const BRITISH: &str = "(gb)";
/// Signs that stood before postcodes when cars were what crossed borders (`D-10115`), where they are not the country's code.
const OLD_SIGNS: [(&str, &str); 10] =
    [("AT", "A"), ("BE", "B"), ("DE", "D"), ("ES", "E"), ("FI", "FIN"), ("FR", "F"), ("IT", "I"), ("LI", "FL"), ("LU", "L"), ("SE", "S")];
/// The postcode areas of the United Kingdom and the Crown dependencies (Royal Mail), and `BX`, which is no place.
#[rustfmt::skip]
const AREAS: [&str; 125] = [
    "AB", "AL", "B", "BA", "BB", "BD", "BH", "BL", "BN", "BR", "BS", "BT", "BX", "CA", "CB", "CF", "CH", "CM", "CO", "CR", "CT", "CV", "CW",
    "DA", "DD", "DE", "DG", "DH", "DL", "DN", "DT", "DY", "E", "EC", "EH", "EN", "EX", "FK", "FY", "G", "GL", "GU", "GY", "HA", "HD", "HG",
    "HP", "HR", "HS", "HU", "HX", "IG", "IM", "IP", "IV", "JE", "KA", "KT", "KW", "KY", "L", "LA", "LD", "LE", "LL", "LN", "LS", "LU", "M",
    "ME", "MK", "ML", "N", "NE", "NG", "NN", "NP", "NR", "NW", "OL", "OX", "PA", "PE", "PH", "PL", "PO", "PR", "RG", "RH", "RM", "S", "SA",
    "SE", "SG", "SK", "SL", "SM", "SN", "SO", "SP", "SR", "SS", "ST", "SW", "SY", "TA", "TD", "TF", "TN", "TQ", "TR", "TS", "TW", "UB", "W",
    "WA", "WC", "WD", "WF", "WN", "WR", "WS", "WV", "YO", "ZE",
];

/// Letters and digits in upper case and half width, without spaces and hyphens; other signs stay and fit nothing.
fn plain(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        c => c,
    };
    let stays = |c: &char| !(c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}'));
    text.chars().map(narrow).filter(stays).flat_map(char::to_uppercase).collect()
}

/// The postcode as the country writes it, or `None` where it fits no pattern of the country.
pub fn written(country: &Country, text: &str, region: &str) -> Option<String> {
    if country.postcodes == Use::None {
        return Some(text.to_owned());
    }
    let plain = plain(text);
    let sign = OLD_SIGNS.iter().find(|(code, _)| *code == country.code).map(|(_, sign)| *sign);
    let bare = [Some(country.code), sign].into_iter().flatten().filter_map(|sign| plain.strip_prefix(sign));
    let fits = std::iter::once(&*plain).chain(bare).find_map(|text| fitted(country, text));
    fits.or_else(|| if country.code == "US" { with_lost_zeros(text, region) } else { None })
}

fn fitted(country: &Country, plain: &str) -> Option<String> {
    if country.pattern == BRITISH {
        let written = british(plain)?;
        return (country.code == "GB" || written.starts_with(own_area(country.code)?)).then_some(written);
    }
    country.pattern.split('|').find_map(|pattern| as_in(pattern, plain))
}

/// The only area of a Crown dependency.
fn own_area(code: &str) -> Option<&'static str> {
    [("GG", "GY"), ("IM", "IM"), ("JE", "JE")].into_iter().find(|(own, _)| *own == code).map(|(_, area)| area)
}

/// `plain` in the form of the pattern. `#` is a digit, `@` a letter, `[A-C1]` one of these; space and hyphen are written and not
/// asked for, and so is what stands in parentheses; all else stands for itself.
fn as_in(pattern: &str, plain: &str) -> Option<String> {
    let (mut rest, mut left, mut out) = (pattern, plain.chars().peekable(), String::with_capacity(pattern.len()));
    while let Some(sign) = rest.chars().next() {
        rest = &rest[sign.len_utf8()..];
        match sign {
            ' ' | '-' => out.push(sign),
            '(' => {
                let (literal, after) = rest.split_once(')')?;
                rest = after;
                out.push_str(literal);
                let given: String = left.clone().take(literal.chars().filter(|c| !matches!(c, ' ' | '-')).count()).collect();
                if given == literal.replace([' ', '-'], "") {
                    given.chars().for_each(|_| {
                        let _ = left.next();
                    });
                }
            }
            '[' => {
                let (class, after) = rest.split_once(']')?;
                rest = after;
                out.push(left.next().filter(|c| is_of(class, *c))?);
            }
            '#' => out.push(left.next().filter(char::is_ascii_digit)?),
            '@' => out.push(left.next().filter(char::is_ascii_uppercase)?),
            literal => out.push(left.next().filter(|c| *c == literal)?),
        }
    }
    left.next().is_none().then_some(out)
}

/// Whether the letter is in a class such as `ABD-F`.
fn is_of(class: &str, letter: char) -> bool {
    let signs: Vec<char> = class.chars().collect();
    let ranged = signs.windows(3).any(|w| w[1] == '-' && (w[0]..=w[2]).contains(&letter));
    ranged || (letter != '-' && signs.contains(&letter))
}

/// Outward code and, where it is there, inward code: `SW1A 1AA`, `AB23`, `BFPO 61`, `GIR 0AA` (Royal Mail, Programmers' Guide).
fn british(plain: &str) -> Option<String> {
    if let Some(number) = plain.strip_prefix("BFPO") {
        let fits = (1..=4).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
        return fits.then(|| format!("BFPO {number}"));
    }
    if plain == "GIR0AA" {
        return Some("GIR 0AA".to_owned());
    }
    let parts = Outward::of(plain)?;
    match (parts.inward.as_bytes(), parts.code()) {
        ([], outward) => Some(outward),
        ([digit, unit @ ..], outward)
            if digit.is_ascii_digit() && unit.len() == 2 && unit.iter().all(|b| b.is_ascii_uppercase() && !b"CIKMOV".contains(b)) =>
        {
            Some(format!("{outward} {}", parts.inward))
        }
        _ => None,
    }
}

/// A British postcode, or its beginning, taken apart: `PA6 7LN` is area `PA`, district `6`, inward `7LN`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outward<'a> {
    pub area: &'a str,
    /// A number, and in parts of London a letter behind it: `1A`. Empty where only an area is given.
    pub district: &'a str,
    pub inward: &'a str,
}

impl<'a> Outward<'a> {
    /// Takes a whole postcode apart, spaces left out and in upper case; what is too short for an inward code is an outward one.
    pub fn of(plain: &'a str) -> Option<Self> {
        if !plain.is_ascii() {
            return None;
        }
        let (outward, inward) = plain.split_at(if plain.len() > 4 { plain.len() - 3 } else { plain.len() });
        Some(Outward { inward, ..Outward::split(outward)? }).filter(|parts| !parts.district.is_empty())
    }

    /// Takes the beginning of a postcode apart, as rate sheets list them: `PA67` is a district, `PA6 7` and `PA67LN` are parts of
    /// another, and `G` is an area. Without a space, as much is outward as can be.
    pub fn begun(text: &'a str) -> Option<Self> {
        if !text.is_ascii() {
            return None;
        }
        let text = text.trim();
        if let Some((outward, inward)) = text.split_once(' ') {
            return Some(Outward { inward: inward.trim(), ..Outward::split(outward)? });
        }
        if let Some(outward) = Outward::split(text) {
            return Some(outward);
        }
        let is_unit =
            |tail: &[u8]| matches!(tail, [digit, unit @ ..] if digit.is_ascii_digit() && unit.iter().all(u8::is_ascii_alphabetic));
        let tails = if text.len() > 3 && is_unit(&text.as_bytes()[text.len() - 3..]) { [3, 2, 1] } else { [1, 2, 3] };
        tails.into_iter().filter(|tail| text.len() > *tail).find_map(|tail| {
            let (outward, inward) = text.split_at(text.len() - tail);
            Some(Outward { inward, ..Outward::split(outward)? }).filter(|_| inward.starts_with(|c: char| c.is_ascii_digit()))
        })
    }

    /// Area and district of an outward code: one or two letters, then nothing, a digit, two digits, or a digit and a letter.
    fn split(outward: &'a str) -> Option<Self> {
        let letters = outward.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (area, district) = outward.split_at(letters);
        let fits = match district.as_bytes() {
            [] => true,
            [number] => number.is_ascii_digit(),
            [number, more] => number.is_ascii_digit() && more.is_ascii_alphanumeric(),
            _ => false,
        };
        let known = || AREAS.binary_search_by(|known| known.bytes().cmp(area.bytes().map(|b| b.to_ascii_uppercase()))).is_ok();
        (fits && known()).then_some(Outward { area, district, inward: "" })
    }

    /// Whether a postcode is in what this one begins. Outward codes match whole: `S1` has nothing of `S10` nor of `SO1`, `G` nothing of
    /// `GL`. Districts of London that exist only divided by a letter (`EC1`, `SW1`, `W1` …) hold their parts.
    pub fn holds(&self, postcode: &Outward<'_>) -> bool {
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        let parted = [("SW", "1"), ("W", "1"), ("WC", "1"), ("WC", "2")];
        let divided = same(self.area, "EC") || parted.iter().any(|(area, district)| same(area, self.area) && *district == self.district);
        let part =
            divided && self.inward.is_empty() && postcode.district.trim_end_matches(|c: char| c.is_ascii_alphabetic()) == self.district;
        let district = self.district.is_empty() || same(self.district, postcode.district) || part;
        let inward = postcode.inward.get(..self.inward.len()).is_some_and(|begun| same(begun, self.inward));
        same(self.area, postcode.area) && district && inward
    }

    /// `PA6`.
    pub fn code(&self) -> String {
        format!("{}{}", self.area, self.district)
    }
}

/// Whether a postcode begins with the prefix, spaces, hyphens and case aside; British ones by their parts.
pub fn begins(british: bool, postcode: &str, prefix: &str) -> bool {
    Whole::of(british, postcode).begins(prefix)
}

/// A postcode that is held against many prefixes.
pub(crate) struct Whole<'a> {
    plain: Cow<'a, str>,
    british: bool,
}

impl<'a> Whole<'a> {
    pub fn of(british: bool, postcode: &'a str) -> Self {
        Whole { plain: plain(postcode), british }
    }

    pub fn begins(&self, prefix: &str) -> bool {
        if self.british
            && let (Some(whole), Some(begun)) = (Outward::of(&self.plain), Outward::begun(prefix))
        {
            return begun.holds(&whole);
        }
        self.plain.starts_with(&*plain(prefix))
    }
}

/// A ZIP that lost its zeros in a spreadsheet, where the state that it belongs to then is the one that stands there: `7030` in NJ,
/// `7030-1234`, `70301234`. Anything else, and `7030.0`, is left to a person.
fn with_lost_zeros(text: &str, region: &str) -> Option<String> {
    let text = text.trim();
    let (zip, more) = match text.split_once('-') {
        Some((zip, more)) => (zip.trim(), more.trim()),
        None if (7..=8).contains(&text.len()) && text.is_ascii() => text.split_at(text.len() - 4),
        None => (text, ""),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !(3..=4).contains(&zip.len()) || !digits(zip) || !(more.is_empty() || more.len() == 4 && digits(more)) {
        return None;
    }
    let zip = format!("{zip:0>5}");
    (regions::state_of_zip(&zip) == Some(region)).then(|| if more.is_empty() { zip.clone() } else { format!("{zip}-{more}") })
}

#[cfg(test)]
#[path = "postcodes_tests.rs"]
mod tests;

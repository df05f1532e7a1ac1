//! How our texts are made to fit a carrier's fields: wrapped at spaces over the lines that it has, or refused with the
//! field named. An address is never cut: a house number went missing that way. What is no address (a reference, a summary
//! of the contents) is shortened so that it still tells one thing from another.

use smol_str::{SmolStr, format_smolstr};
use twin::channel::LabelRequest;
use twin::defect::{Defect, Wrong};

/// A field of one party: `to` or `from`.
pub(super) fn of(side: &str, field: &str) -> SmolStr {
    format_smolstr!("{side}.{field}")
}

/// As it stands in a reason.
pub(super) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

pub(super) fn length(text: &str) -> usize {
    text.chars().count()
}

/// A text that must be there and fit as it is.
pub(super) fn whole<'a>(side: &str, field: &str, text: &'a str, max: usize) -> Result<&'a str, Defect> {
    let text = text.trim();
    match length(text) {
        0 => Err(Defect::new(of(side, field), Wrong::Empty)),
        n if n > max => Err(Defect::new(of(side, field), Wrong::Characters { characters: count(n), limit: count(max) })),
        _ => Ok(text),
    }
}

/// The same for a text that may be empty.
pub(super) fn optional<'a>(side: &str, field: &str, text: &'a str, max: usize) -> Result<&'a str, Defect> {
    if text.trim().is_empty() { Ok("") } else { whole(side, field, text, max) }
}

/// The street and what stands below it, in up to `N` lines of `max` characters: each part on lines of its own where there
/// are enough, else one behind the other. Broken at spaces; inside a word only where the word is longer than a line.
pub(super) fn street<const N: usize>(side: &str, street: &str, below: &str, max: usize) -> Result<[SmolStr; N], Defect> {
    let (street, below) = (street.trim(), below.trim());
    if street.is_empty() && below.is_empty() {
        return Err(Defect::new(of(side, "street"), Wrong::Empty));
    }
    let apart = [wrapped(street, max), wrapped(below, max)].concat();
    let lines = if apart.len() <= N { apart } else { wrapped(format!("{street}, {below}").trim_end_matches(", "), max) };
    if lines.len() > N {
        let n = length(street) + length(below);
        return Err(Defect::new(of(side, "street"), Wrong::Lines { characters: count(n), lines: count(N), limit: count(max) }));
    }
    let mut lines = lines.into_iter();
    Ok(std::array::from_fn(|_| lines.next().unwrap_or_default()))
}

fn wrapped(text: &str, max: usize) -> Vec<SmolStr> {
    let mut lines: Vec<String> = Vec::new();
    for mut word in text.split_whitespace() {
        if let Some(line) = lines.last_mut().filter(|line| length(line) + 1 + length(word) <= max) {
            line.push(' ');
            line.push_str(word);
            continue;
        }
        while let Some((end, _)) = word.char_indices().nth(max) {
            lines.push(word[..end].to_owned());
            word = &word[end..];
        }
        lines.push(word.to_owned());
    }
    lines.into_iter().map(SmolStr::from).collect()
}

/// Our own number of a parcel, as a reference of up to `max` characters. A longer one keeps its beginning and gets a
/// digest, so that two parcels never share a reference.
pub(super) fn reference(number: &str, max: usize) -> SmolStr {
    if length(number) <= max {
        return number.into();
    }
    let digest = number.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let head: String = number.chars().take(max.saturating_sub(9)).collect();
    format_smolstr!("{head}~{digest:08x}")
}

/// Words that customs do not take for a description (USPS labels 3.9.8, `itemDescription`).
const NO_DESCRIPTION: [&str; 6] = ["none", "not applicable", "n/a", "null", "gift", "merchandise"];

/// The contents in up to `max` characters: as many of the goods as fit, and a sign where there are more.
pub(super) fn contents(contents: &str, max: usize) -> Result<SmolStr, Defect> {
    let contents = contents.trim();
    if contents.is_empty() || NO_DESCRIPTION.iter().any(|no| contents.eq_ignore_ascii_case(no)) {
        return Err(Defect::new("contents", Wrong::TellsNothing { given: contents.into() }));
    }
    if length(contents) <= max {
        return Ok(contents.into());
    }
    const MORE: &str = ", etc.";
    let room = max.saturating_sub(MORE.len());
    let end = contents.char_indices().nth(room).map_or(contents.len(), |(end, _)| end);
    let until = contents.match_indices(", ").map(|(at, _)| at).take_while(|at| *at <= end).last().filter(|at| *at > 0);
    let until = until.or_else(|| contents[..end].rfind(' ')).unwrap_or(end);
    Ok(format_smolstr!("{}{MORE}", contents[..until].trim_end()))
}

/// Weight and sides, which no carrier takes as nothing.
pub(super) fn measured(request: &LabelRequest) -> Result<(), Defect> {
    if request.weight_g == 0 {
        return Err(Defect::new("weight_g", Wrong::Zero));
    }
    if request.dims.sorted().contains(&0) {
        return Err(Defect::new("dims", Wrong::ZeroSide { dims: request.dims }));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_is_wrapped_or_refused() {
        let two = |a, b| street::<2>("to", a, b, 20).map(|lines| lines.map(String::from));
        assert_eq!(two("1 Main St", "Apt 5").unwrap(), ["1 Main St", "Apt 5"]);
        assert_eq!(two("12, Long Boulevard Of Roses", "").unwrap(), ["12, Long Boulevard", "Of Roses"]);
        assert_eq!(two("12 Long Boulevard Of Roses", "Flat 3").unwrap(), ["12 Long Boulevard Of", "Roses, Flat 3"]);
        assert_eq!(two("", "Flat 3").unwrap()[0], "Flat 3");
        let why = two("1200 Boulevard Of The Hundred Thousand Roses", "House 7").unwrap_err();
        assert_eq!(why.to_string(), "to.street has 51 characters; the carrier takes 2 lines of 20");
        assert_eq!(two(" ", "").unwrap_err().to_string(), "to.street is empty");
    }

    #[test]
    fn references_and_contents_are_shortened_so_that_they_still_tell() {
        assert_eq!(reference("SHO-1-1", 30), "SHO-1-1");
        let (a, b) = (reference(&format!("{}-1", "X".repeat(60)), 30), reference(&format!("{}-2", "X".repeat(60)), 30));
        assert!(a != b && length(&a) == 30 && a.starts_with("XXXX"), "{a} {b}");
        assert_eq!(contents("toys × 2, kitchen × 1, garden × 4", 30).unwrap(), "toys × 2, kitchen × 1, etc.");
        assert_eq!(contents("toys", 30).unwrap(), "toys");
        assert!(contents("Gift", 30).is_err() && contents(" ", 30).is_err());
    }

    proptest! {
        /// Nothing of an address is lost, and no line is too long.
        #[test]
        fn no_character_of_an_address_is_lost(words in prop::collection::vec("[a-z0-9é茶#/-]{1,60}", 0..9), below in prop::collection::vec("[A-Z0-9]{1,9}", 0..4)) {
            let (up, down) = (words.join(" "), below.join(" "));
            if let Ok(lines) = street::<3>("to", &up, &down, 45) {
                prop_assert!(lines.iter().all(|line| length(line) <= 45));
                let bare = |text: &str| text.replace([' ', ','], "");
                prop_assert_eq!(bare(&lines.join(" ")), bare(&format!("{up}{down}")));
            } else {
                prop_assert!(up.is_empty() && down.is_empty() || length(&up) + length(&down) > 45);
            }
        }

        #[test]
        fn shortened_contents_fit(text in "\\PC{1,200}", max in 20usize..80) {
            if let Ok(short) = contents(&text, max) {
                prop_assert!(length(&short) <= max, "{} {}", length(&short), short);
            }
        }
    }
}

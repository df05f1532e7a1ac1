use super::*;
use crate::address::countries::{self, COUNTRIES, Use};
use proptest::prelude::*;

fn written(code: &str, text: &str, region: &str) -> Option<String> {
    super::written(countries::country(code).unwrap(), text, region)
}

/// A postcode that fits a pattern: each class by one of its signs, each digit and letter drawn.
fn drawn(pattern: &str, draw: &mut impl FnMut(usize) -> usize) -> String {
    let (mut out, mut rest) = (String::new(), pattern);
    while let Some(sign) = rest.chars().next() {
        rest = &rest[sign.len_utf8()..];
        match sign {
            '#' => out.push(char::from(b'0' + draw(10) as u8)),
            '@' => out.push(char::from(b'A' + draw(26) as u8)),
            '(' | ')' => {}
            '[' => {
                let (class, after) = rest.split_once(']').unwrap();
                rest = after;
                let of: Vec<char> = ('0'..='Z').filter(|c| is_of(class, *c)).collect();
                out.push(of[draw(of.len())]);
            }
            literal => out.push(literal),
        }
    }
    out
}

proptest! {
    /// Of every country that has postcodes, in whatever case and with whatever separators: written as the country does, and no
    /// other the second time.
    #[test]
    fn any_postcode_of_any_country_is_put_right(
        at in 0..COUNTRIES.len(), draws in prop::collection::vec(any::<prop::sample::Index>(), 24), style in 0u8..5,
    ) {
        let country = &COUNTRIES[at];
        prop_assume!(country.postcodes != Use::None && country.pattern != BRITISH);
        let mut draws = draws.into_iter();
        let mut draw = |n: usize| draws.next().unwrap().index(n);
        let patterns: Vec<&str> = country.pattern.split('|').collect();
        let right = drawn(patterns[draw(patterns.len())], &mut draw);
        let given = match style {
            0 => right.clone(),
            1 => right.to_lowercase(),
            2 => right.replace([' ', '-'], ""),
            3 => format!(" {} ", right.replace(' ', "  ").replace('-', " – ")),
            _ => format!("{}-{right}", country.code),
        };
        prop_assert_eq!(super::written(country, &given, ""), Some(right.clone()), "{} of {}", given, country.code);
        prop_assert_eq!(super::written(country, &right, ""), Some(right));
    }

    /// Whatever is given: no panic, and what is written is written so again.
    #[test]
    fn any_text_is_read(at in 0..COUNTRIES.len(), text in ".{0,16}", region in "[A-Z]{0,3}") {
        let country = &COUNTRIES[at];
        if let Some(once) = super::written(country, &text, &region) {
            prop_assert_eq!(super::written(country, &once, &region), Some(once.clone()));
        }
        Outward::begun(&text);
    }

    /// Letters, dots and too many or too few digits are no ZIP.
    #[test]
    fn what_is_no_zip_is_left_to_a_person(text in "[A-Z]{5}|[0-9]{1,2}|[0-9]{6}|[0-9]{10,12}|[0-9]{4}\\.0|[0-9]{5}\\.0|[0-9]{5}-[0-9]{1,3}|[0-9]{4}[A-Z]") {
        prop_assert_eq!(written("US", &text, "NJ"), None);
    }

    /// A state's ZIP without its zeros gets them back in that state and in no other.
    #[test]
    fn lost_zeros_come_back_where_the_state_confirms(zip in 501u32..10_000, more in prop::option::of(1u32..10_000), joined in any::<bool>()) {
        let whole = format!("{zip:05}");
        let Some(state) = regions::state_of_zip(&whole) else { return Ok(()) };
        let tail = more.map_or(String::new(), |more| format!("-{more:04}"));
        let given = if joined { format!("{zip}{}", tail.replace('-', "")) } else { format!("{zip}{tail}") };
        prop_assert_eq!(written("US", &given, state), Some(format!("{whole}{tail}")), "{} in {}", given, state);
        prop_assert_eq!(written("US", &given, "TX"), None);
        prop_assert_eq!(written("US", &given, ""), None);
    }

    /// Every outward code holds its own postcodes and those of no other.
    #[test]
    fn outward_codes_match_whole(
        areas in prop::array::uniform2(prop::sample::select(&AREAS[..])), numbers in prop::array::uniform2("[1-9][0-9]?"), inward in "[0-9][ABD-HJLNP-UW-Z]{2}",
        space in any::<bool>(), lower in any::<bool>(),
    ) {
        let outward = [format!("{}{}", areas[0], numbers[0]), format!("{}{}", areas[1], numbers[1])];
        let between = if space { " " } else { "" };
        let postcode = format!("{}{between}{inward}", outward[0]);
        let postcode = if lower { postcode.to_lowercase() } else { postcode };
        prop_assert!(begins(true, &postcode, &outward[0]), "{}", postcode);
        prop_assert_eq!(begins(true, &postcode, &outward[1]), outward[0] == outward[1], "{} in {}", postcode, outward[1]);
        prop_assert_eq!(begins(true, &postcode, areas[1]), areas[0] == areas[1], "{} in {}", postcode, areas[1]);
        let sector = format!("{} {}", outward[0], &inward[..1]);
        let whole = format!("{}{inward}", outward[0]);
        prop_assert!(begins(true, &postcode, &sector) && begins(true, &postcode, &whole));
    }
}

#[test]
fn postcodes_are_written_as_their_posts_write_them() {
    #[rustfmt::skip]
    let right = [
        ("US", "787011234", "TX", "78701-1234"), ("US", "78701 1234", "TX", "78701-1234"), ("US", "7030", "NJ", "07030"), ("US", "907", "PR", "00907"),
        ("GB", "sw1a1aa", "", "SW1A 1AA"), ("GB", "PA6 7LN", "", "PA6 7LN"), ("GB", "AB23", "", "AB23"), ("GB", "bfpo61", "", "BFPO 61"),
        ("GB", "GIR 0AA", "", "GIR 0AA"), ("GB", "EC1A-1BB", "", "EC1A 1BB"), ("JE", "je23ab", "", "JE2 3AB"), ("CA", "k1a0b1", "ON", "K1A 0B1"),
        ("NL", "1234ab", "", "1234 AB"), ("NL", "NL-1234 AB", "", "1234 AB"), ("JP", "１００－０００１", "", "100-0001"), ("PL", "00950", "", "00-950"),
        ("SE", "S-114 55", "", "114 55"), ("DE", "D-10115", "", "10115"), ("LV", "1073", "", "LV-1073"), ("LV", "LV1073", "", "LV-1073"),
        ("BR", "01310100", "", "01310-100"), ("IE", "d02x285", "", "D02 X285"), ("HK", "999077", "", "999077"), ("FI", "FIN-00100", "", "00100"),
        ("PT", "1000205", "", "1000-205"), ("KY", "ky11100", "", "KY1-1100"), ("SV", "1101", "", "CP 1101"), ("AT", "A-1010", "", "1010"),
    ];
    for (country, given, region, want) in right {
        assert_eq!(written(country, given, region).as_deref(), Some(want), "{country} {given}");
    }
    #[rustfmt::skip]
    let wrong = [
        ("US", "ABCDE", "TX"), ("US", "7030.0", "NJ"), ("US", "7030", "TX"), ("US", "7030", ""), ("US", "K1A 0B1", "TX"), ("GB", "ZZ1 1AA", ""),
        ("GB", "SW1A 1CA", ""), ("GB", "SW", ""), ("GB", "12345", ""), ("JE", "GY1 1AA", ""), ("CA", "D1A 0B1", "ON"), ("DE", "1067", ""),
        ("DE", "D-1O115", ""), ("JP", "1234", ""), ("IE", "Dublin 2", ""), ("FR", "7500A", ""), ("SG", "0000", ""),
    ];
    for (country, given, region) in wrong {
        assert_eq!(written(country, given, region), None, "{country} {given}");
    }
}

#[test]
fn the_parts_of_london_are_in_their_district() {
    let held =
        [("PA67", "PA67 6AA"), ("SW1", "SW1A 1AA"), ("W1", "W1A 4ZZ"), ("EC1", "EC1A 1BB"), ("WC2", "WC2N 5DU"), ("SW1A", "SW1A 1AA")];
    let apart = [
        ("PA67", "PA6 7LN"),
        ("S1", "S10 2TN"),
        ("G", "GL1 1AA"),
        ("S", "SE1 1AA"),
        ("E1", "E1W 1AA"),
        ("N1", "N1C 4AA"),
        ("W1", "W11 1AA"),
    ];
    for (begun, postcode) in held {
        assert!(begins(true, postcode, begun), "{begun} {postcode}");
    }
    for (begun, postcode) in apart {
        assert!(!begins(true, postcode, begun), "{begun} {postcode}");
    }
    assert!(begins(false, "996-01", "99 6") && begins(true, "BFPO 61", "BFPO"));
    assert!(begins(true, "AB23", "AB23") && begins(true, "AB23", "AB") && !begins(true, "AB2", "AB23"));
}

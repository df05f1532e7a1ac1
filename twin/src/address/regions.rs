//! States, provinces and territories of the countries whose carriers want them as a code: the United States, Canada, Australia.
//!
//! Codes, names and ZIP prefixes: Google's address data (libaddressinput, CC BY 4.0); the codes of the United States are those of
//! USPS (Labels 3.9.8, `state`), military ones among them. Other countries' regions are left as they are written.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A part of a country: its code, its names, and in the United States the ZIP prefixes that are its own.
type Region = (&'static str, &'static [&'static str], &'static str);

/// The code of a region as it was written: `tx`, `Texas`, `US-TX`, `D.C.`. `None`: the country has no such region.
pub fn code_of(country: &str, written: &str) -> Option<&'static str> {
    let regions = regions(country)?;
    if let Some(region) = regions.iter().find(|r| r.0 == written) {
        return Some(region.0);
    }
    let wanted = folded(written);
    let bare = wanted.strip_prefix(&country.to_lowercase()).unwrap_or(&wanted);
    let find = |text: &str| {
        let names = |r: &&Region| r.0.eq_ignore_ascii_case(text) || r.1.iter().any(|name| folded(name) == text);
        regions.iter().find(names).map(|r| r.0)
    };
    // The country's code before it counts only with a hyphen between, and only where the whole is no region.
    find(&wanted).or_else(|| if separated(written, country) { find(bare) } else { None })
}

/// Whether the country's code stands before the region with a hyphen or colon between: `US-TX`.
fn separated(written: &str, country: &str) -> bool {
    let written = written.trim();
    written.get(..country.len()).is_some_and(|head| head.eq_ignore_ascii_case(country))
        && written[country.len()..].trim_start().starts_with(['-', ':', '_'])
}

/// Letters only, lower case, without accents.
fn folded(text: &str) -> String {
    let plain = |c: char| match c {
        'é' | 'è' | 'É' | 'È' => 'e',
        c => c,
    };
    text.chars().map(plain).filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether the country's regions are known here.
pub fn are_known(country: &str) -> bool {
    regions(country).is_some()
}

fn regions(country: &str) -> Option<&'static [Region]> {
    match country {
        "US" => Some(&US),
        "CA" => Some(&CA),
        "AU" => Some(&AU),
        _ => None,
    }
}

/// The state that a ZIP belongs to: of those with a fitting prefix, the one with the longest.
pub fn state_of_zip(zip: &str) -> Option<&'static str> {
    if zip.len() < 5 || !zip.bytes().take(5).all(|b| b.is_ascii_digit()) {
        return None;
    }
    (2..=5).rev().find_map(|length| STATES.get(&zip[..length]).copied())
}

/// States by their prefixes of ZIPs.
static STATES: LazyLock<HashMap<&'static str, &'static str>> =
    LazyLock::new(|| US.iter().flat_map(|r| r.2.split_ascii_whitespace().map(move |prefix| (prefix, r.0))).collect());

#[rustfmt::skip]
const US: [Region; 62] = [
    ("AL", &["Alabama"], "35 36"),
    ("AK", &["Alaska"], "995 996 997 998 999"),
    ("AS", &["American Samoa"], "96799"),
    ("AZ", &["Arizona"], "85 86"),
    ("AR", &["Arkansas"], "716 717 718 719 72"),
    ("AA", &["Armed Forces Americas"], "340"),
    ("AE", &["Armed Forces Europe"], "09"),
    ("AP", &["Armed Forces Pacific"], "962 963 964 965 966"),
    ("CA", &["California"], "90 91 92 93 94 95 960 961"),
    ("CO", &["Colorado"], "80 81"),
    ("CT", &["Connecticut"], "06"),
    ("DE", &["Delaware"], "197 198 199"),
    ("DC", &["District of Columbia", "Washington DC"], "200 202 203 204 205 569"),
    ("FL", &["Florida"], "32 33 341 342 343 344 345 346 347 348 349"),
    ("GA", &["Georgia"], "30 31 398 39901"),
    ("GU", &["Guam"], "9691 9692 96931 96932"),
    ("HI", &["Hawaii"], "9670 9671 9672 9673 9674 9675 9676 9677 9678 96790 96791 96792 96793 96794 96795 96796 96797 96798 968"),
    ("ID", &["Idaho"], "832 833 834 835 836 837 838 839"),
    ("IL", &["Illinois"], "60 61 62"),
    ("IN", &["Indiana"], "46 47"),
    ("IA", &["Iowa"], "50 51 52"),
    ("KS", &["Kansas"], "66 67"),
    ("KY", &["Kentucky"], "40 41 420 421 422 423 424 425 426 427"),
    ("LA", &["Louisiana"], "70 710 711 712 713 714 715"),
    ("ME", &["Maine"], "039 04"),
    ("MH", &["Marshall Islands"], "9696 9697"),
    ("MD", &["Maryland"], "206 207 208 209 21"),
    ("MA", &["Massachusetts"], "01 020 021 022 023 024 025 026 027 05501 05544"),
    ("MI", &["Michigan"], "48 49"),
    ("FM", &["Micronesia", "Federated States of Micronesia"], "96941 96942 96943 96944"),
    ("MN", &["Minnesota"], "55 560 561 562 563 564 565 566 567"),
    ("MS", &["Mississippi"], "386 387 388 389 390 391 392 393 394 395 396 397"),
    ("MO", &["Missouri"], "63 64 65"),
    ("MT", &["Montana"], "59"),
    ("NE", &["Nebraska"], "68 69"),
    ("NV", &["Nevada"], "889 89"),
    ("NH", &["New Hampshire"], "030 031 032 033 034 035 036 037 038"),
    ("NJ", &["New Jersey"], "07 08"),
    ("NM", &["New Mexico"], "87 880 881 882 883 884"),
    ("NY", &["New York"], "00501 00544 06390 10 11 12 13 14"),
    ("NC", &["North Carolina"], "27 28"),
    ("ND", &["North Dakota"], "58"),
    ("MP", &["Northern Mariana Islands", "Northern Mariana Is.", "Saipan"], "96950 96951 96952"),
    ("OH", &["Ohio"], "43 44 45"),
    ("OK", &["Oklahoma"], "73 74"),
    ("OR", &["Oregon"], "97"),
    ("PW", &["Palau"], "96939 96940"),
    ("PA", &["Pennsylvania"], "15 16 17 18 190 191 192 193 194 195 196"),
    ("PR", &["Puerto Rico", "Porto Rico"], "006 007 009"),
    ("RI", &["Rhode Island"], "028 029"),
    ("SC", &["South Carolina"], "29"),
    ("SD", &["South Dakota"], "57"),
    ("TN", &["Tennessee"], "37 380 381 382 383 384 385"),
    ("TX", &["Texas"], "73301 73344 75 76 77 78 79 885"),
    ("UT", &["Utah"], "84"),
    ("VT", &["Vermont"], "05"),
    ("VI", &["Virgin Islands", "U.S. Virgin Islands", "US Virgin Islands", "Virgin Islands of the United States"], "008"),
    ("VA", &["Virginia"], "201 22 23 240 241 242 243 244 245 246"),
    ("WA", &["Washington"], "98 990 991 992 993 994"),
    ("WV", &["West Virginia"], "247 248 249 25 26"),
    ("WI", &["Wisconsin"], "53 54"),
    ("WY", &["Wyoming"], "82 830 831 83414"),
];

#[rustfmt::skip]
const CA: [Region; 13] = [
    ("AB", &["Alberta"], ""),
    ("BC", &["British Columbia"], ""),
    ("MB", &["Manitoba"], ""),
    ("NB", &["New Brunswick"], ""),
    ("NL", &["Newfoundland and Labrador", "Newfoundland", "Labrador", "NF"], ""),
    ("NT", &["Northwest Territories"], ""),
    ("NS", &["Nova Scotia"], ""),
    ("NU", &["Nunavut"], ""),
    ("ON", &["Ontario"], ""),
    ("PE", &["Prince Edward Island", "PEI"], ""),
    ("QC", &["Quebec", "PQ"], ""),
    ("SK", &["Saskatchewan"], ""),
    ("YT", &["Yukon", "Yukon Territory"], ""),
];

#[rustfmt::skip]
const AU: [Region; 9] = [
    ("ACT", &["Australian Capital Territory"], ""),
    ("JBT", &["Jervis Bay Territory"], ""),
    ("NSW", &["New South Wales"], ""),
    ("NT", &["Northern Territory"], ""),
    ("QLD", &["Queensland"], ""),
    ("SA", &["South Australia"], ""),
    ("TAS", &["Tasmania"], ""),
    ("VIC", &["Victoria"], ""),
    ("WA", &["Western Australia"], ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_known_by_each_of_its_spellings() {
        for country in ["US", "CA", "AU"] {
            for (code, names, _) in regions(country).unwrap() {
                let spellings = [*code, &code.to_lowercase(), &format!("{country}-{code}"), &format!(" {code}. ")].map(str::to_owned);
                let names = names.iter().flat_map(|name| [name.to_string(), name.to_uppercase(), name.to_lowercase()]);
                for written in spellings.into_iter().chain(names) {
                    assert_eq!(code_of(country, &written), Some(*code), "{country} {written}");
                }
            }
        }
        for (country, written, code) in [("US", "D.C.", "DC"), ("US", "us-tx", "TX"), ("US", "New  York", "NY"), ("CA", "Québec", "QC")] {
            assert_eq!(code_of(country, written), Some(code), "{written}");
        }
        for (country, written) in
            [("US", ""), ("US", "Texass"), ("US", "Austin"), ("US", "ON"), ("US", "CA-TX"), ("US", "USTX"), ("DE", "BE")]
        {
            assert_eq!(code_of(country, written), None, "{written}");
        }
    }

    #[test]
    fn a_zip_belongs_to_one_state() {
        let states =
            [("07030", "NJ"), ("06390", "NY"), ("06103", "CT"), ("00501", "NY"), ("00601", "PR"), ("00802", "VI"), ("96910", "GU")];
        let more = [("96799", "AS"), ("96813", "HI"), ("96950", "MP"), ("73301", "TX"), ("73101", "OK"), ("39901", "GA"), ("78701", "TX")];
        for (zip, state) in states.into_iter().chain(more) {
            assert_eq!(state_of_zip(zip), Some(state), "{zip}");
        }
        for none in ["00000", "00401", "", "7030", "7030-1", "ABCDE", "é7030"] {
            assert_eq!(state_of_zip(none), None, "{none}");
        }
    }
}

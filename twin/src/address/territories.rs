//! Places that country letters do not tell: parts of a country with a code of their own, and parts behind a border of customs or
//! taxes. `FR 97400` is `RE`, `US PR` is `PR`, and both spellings are one place.
//!
//! Says where a border is; what is declared there, and what it costs, is decided elsewhere.

use super::Address;
use super::postcodes::Whole;
use std::sync::LazyLock;

/// The customs union inside which nothing is declared.
const EU: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL",
    "PT", "RO", "SE", "SI", "SK",
];

/// A part of a country that its postcodes, or in the United States its ZIPs' state, tell.
#[derive(Debug)]
pub struct Territory {
    pub name: &'static str,
    /// Its own ISO 3166 code, where it has one.
    pub code: Option<&'static str>,
    /// The country that it is also written as.
    pub of: &'static str,
    /// Beginnings of its postcodes as that country writes them; for the United States its state.
    told_by: &'static [&'static str],
    /// Whether the country's post takes it for its own, at its own prices.
    pub in_its_post: bool,
    /// Within which nothing is declared: `EU`, or itself.
    customs: &'static str,
}

const fn t(
    name: &'static str,
    code: &'static str,
    of: &'static str,
    told_by: &'static [&'static str],
    in_its_post: bool,
    customs: &'static str,
) -> Territory {
    Territory { name, code: if code.is_empty() { None } else { Some(code) }, of, told_by, in_its_post, customs }
}

/// The first that fits counts. Sources:
/// - EU: Reg. (EU) 952/2013 art. 4 (customs territory: without Ceuta, Melilla, Büsingen, Heligoland, Livigno, Faroes, Greenland, New
///   Caledonia …; Campione is inside since Reg. (EU) 2019/474), and Directive 2006/112/EC art. 5 to 7 (VAT: also without Athos, the
///   Canaries, the French overseas departments, Åland, Campione; Monaco is France, the Isle of Man the United Kingdom). A VAT border
///   is declared like a customs one. San Marino and Andorra are in a customs union and outside VAT: declared.
/// - Büsingen is Swiss customs territory (treaty of 1964), as is Liechtenstein (1923).
/// - Northern Ireland: Windsor Framework; parcels to consumers there are not declared from Great Britain, nor goods from the EU.
/// - United States: 19 CFR 101.1 (customs territory: the states, DC and Puerto Rico); USPS DMM 608.2.4 asks a customs form for the
///   others and for military post. States as in USPS Labels 3.9.8.
/// - Norway: Svalbard and Jan Mayen are outside its customs territory (tolloven § 1-1). Australia: so are its external territories.
/// - Postcodes: La Poste, Correos, Deutsche Post, Poste Italiane, Posti, ELTA, Royal Mail, PostNord, Posten, Australia Post.
#[rustfmt::skip]
pub static TERRITORIES: [Territory; 48] = [
    t("Puerto Rico", "PR", "US", &["PR"], true, "US"),
    t("US Virgin Islands", "VI", "US", &["VI"], true, "VI"),
    t("Guam", "GU", "US", &["GU"], true, "GU"),
    t("American Samoa", "AS", "US", &["AS"], true, "AS"),
    t("Northern Mariana Islands", "MP", "US", &["MP"], true, "MP"),
    t("Micronesia", "FM", "US", &["FM"], true, "FM"),
    t("Marshall Islands", "MH", "US", &["MH"], true, "MH"),
    t("Palau", "PW", "US", &["PW"], true, "PW"),
    t("US military post", "", "US", &["AA", "AE", "AP"], true, "US military post"),
    t("Canary Islands", "", "ES", &["35", "38"], true, "Canary Islands"),
    t("Ceuta", "", "ES", &["51"], true, "Ceuta"),
    t("Melilla", "", "ES", &["52"], true, "Melilla"),
    t("Büsingen", "", "DE", &["78266"], true, "CH"),
    t("Heligoland", "", "DE", &["27498"], true, "Heligoland"),
    t("Livigno", "", "IT", &["23041"], true, "Livigno"),
    t("Campione d'Italia", "", "IT", &["22061"], true, "Campione d'Italia"),
    t("Campione d'Italia", "", "CH", &["6911"], true, "Campione d'Italia"),
    t("San Marino", "SM", "IT", &["4789"], false, "SM"),
    t("Vatican City", "VA", "IT", &["00120"], false, "VA"),
    t("Åland", "AX", "FI", &["22"], true, "AX"),
    t("Mount Athos", "", "GR", &["63086", "63087"], true, "Mount Athos"),
    t("Monaco", "MC", "FR", &["980"], true, "EU"),
    t("Saint Barthélemy", "BL", "FR", &["97133", "977"], false, "BL"),
    t("Saint Martin", "MF", "FR", &["97150", "978"], false, "MF"),
    t("Guadeloupe", "GP", "FR", &["971"], false, "GP"),
    t("Martinique", "MQ", "FR", &["972"], false, "MQ"),
    t("French Guiana", "GF", "FR", &["973"], false, "GF"),
    t("Réunion", "RE", "FR", &["974"], false, "RE"),
    t("Saint Pierre and Miquelon", "PM", "FR", &["975"], false, "PM"),
    t("Mayotte", "YT", "FR", &["976", "985"], false, "YT"),
    t("French Southern Territories", "TF", "FR", &["984"], false, "TF"),
    t("Wallis and Futuna", "WF", "FR", &["986"], false, "WF"),
    t("French Polynesia", "PF", "FR", &["987"], false, "PF"),
    t("New Caledonia", "NC", "FR", &["988"], false, "NC"),
    t("Northern Ireland", "", "GB", &["BT"], true, "XI"),
    t("Jersey", "JE", "GB", &["JE"], true, "JE"),
    t("Guernsey", "GG", "GB", &["GY"], true, "GG"),
    t("Isle of Man", "IM", "GB", &["IM"], true, "GB"),
    t("Gibraltar", "GI", "GB", &["GX11"], false, "GI"),
    t("Greenland", "GL", "DK", &["39"], false, "GL"),
    t("Svalbard", "SJ", "NO", &["917"], true, "SJ"),
    t("Jan Mayen", "SJ", "NO", &["8099"], true, "SJ"),
    t("Norfolk Island", "NF", "AU", &["2899"], true, "NF"),
    t("Christmas Island", "CX", "AU", &["6798"], true, "CX"),
    t("Cocos Islands", "CC", "AU", &["6799"], true, "CC"),
    t("US Minor Outlying Islands", "UM", "US", &["UM"], false, "UM"),
    t("Faroe Islands", "FO", "DK", &["FO"], false, "FO"),
    t("Liechtenstein", "LI", "CH", &["9485", "9486", "9487", "9488", "9489", "949"], true, "CH"),
];

/// Those that an address with these country letters may be in, in their order.
static BY_COUNTRY: LazyLock<Vec<Vec<&'static Territory>>> = LazyLock::new(|| {
    let mut all = vec![Vec::new(); 26 * 26];
    for territory in &TERRITORIES {
        for at in territory.code.into_iter().chain([territory.of]).filter_map(place_of) {
            all[at].push(territory);
        }
    }
    all
});

/// Where the letters of a country stand among all pairs of letters.
fn place_of(country: &str) -> Option<usize> {
    let letter = |b: u8| b.is_ascii_uppercase().then(|| usize::from(b - b'A'));
    let [first, second] = country.as_bytes().first_chunk::<2>().filter(|_| country.len() == 2)?;
    Some(letter(*first)? * 26 + letter(*second)?)
}

impl Territory {
    fn is(&self, to: &Address, postcode: &Whole) -> bool {
        if self.code == Some(to.country.as_str()) {
            return true;
        }
        let told_by = |sign: &&str| match self.of {
            "US" => to.region == **sign,
            _ => postcode.begins(sign),
        };
        self.of == to.country && self.told_by.iter().any(told_by)
    }
}

/// The part of a country that has this ISO code of its own.
pub fn with_code(code: &str) -> Option<&'static Territory> {
    TERRITORIES.iter().find(|territory| territory.code == Some(code))
}

impl Address {
    /// The part of a country that it is in, if it is one that country letters alone do not tell.
    pub fn territory(&self) -> Option<&'static Territory> {
        let those = &BY_COUNTRY[place_of(&self.country)?];
        let postcode = if those.is_empty() { return None } else { Whole::of(self.country == "GB", &self.postcode) };
        those.iter().copied().find(|territory| territory.is(self, &postcode))
    }

    /// The ISO code of the place: `PR` for `US PR`, `RE` for `FR 97400`. For carriers that know places by ISO codes only.
    pub fn place(&self) -> &str {
        self.territory().and_then(|territory| territory.code).unwrap_or(&self.country)
    }

    /// The state that USPS writes, where its post is a domestic one: `TX` for `Texas` too, and `PR` however the place is spelt.
    pub fn us_state(&self) -> Option<&'static str> {
        if !self.is_in_us_post() {
            return None;
        }
        let named = || super::regions::code_of("US", &self.region);
        self.territory().and_then(|territory| territory.code).or_else(named)
    }

    /// Whether USPS serves it as domestic mail.
    pub fn is_in_us_post(&self) -> bool {
        let own = self.territory().is_some_and(|territory| territory.of == "US" && territory.in_its_post);
        own || self.country == "US"
    }

    /// Within what nothing is declared: `EU`, `GB`, `CH`, a country, or a territory by itself.
    pub fn customs_territory(&self) -> &str {
        match self.territory() {
            Some(territory) => territory.customs,
            None if EU.contains(&self.country.as_str()) => "EU",
            None => &self.country,
        }
    }
}

/// Whether customs or tax want a declaration of what goes from one to the other.
pub fn is_declared(from: &Address, to: &Address) -> bool {
    let (from, to) = (from.customs_territory(), to.customs_territory());
    // Northern Ireland is inside both its kingdom's market and the EU's for goods.
    let open = |a: &str, b: &str| a == b || a == "XI" && matches!(b, "EU" | "GB");
    !open(from, to) && !open(to, from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(country: &str, postcode: &str) -> Address {
        Address { country: country.into(), postcode: postcode.into(), ..Address::default() }
    }

    /// Country and postcode, what ISO calls it, and whether it is declared from Berlin.
    #[rustfmt::skip]
    const PLACES: &[(&str, &str, &str, bool)] = &[
        ("ES", "35001", "ES", true), ("ES", "38001", "ES", true), ("ES", "51001", "ES", true), ("ES", "52001", "ES", true),
        ("ES", "28001", "ES", false), ("ES", "07001", "ES", false), ("DE", "78266", "DE", true), ("DE", "78267", "DE", false),
        ("DE", "27498", "DE", true), ("IT", "23041", "IT", true), ("IT", "23030", "IT", false), ("IT", "22061", "IT", true),
        ("IT", "00120", "VA", true), ("VA", "00120", "VA", true), ("IT", "47890", "SM", true), ("SM", "47895", "SM", true),
        ("IT", "00118", "IT", false), ("FI", "22100", "AX", true), ("AX", "22100", "AX", true), ("FI", "20100", "FI", false),
        ("GR", "630 86", "GR", true), ("GR", "63087", "GR", true), ("GR", "630 88", "GR", false), ("FR", "98000", "MC", false),
        ("MC", "98000", "MC", false), ("FR", "97400", "RE", true), ("RE", "97400", "RE", true), ("FR", "97133", "BL", true),
        ("FR", "97150", "MF", true), ("FR", "97110", "GP", true), ("FR", "97200", "MQ", true), ("FR", "97300", "GF", true),
        ("FR", "97500", "PM", true), ("FR", "97600", "YT", true), ("FR", "98600", "WF", true), ("FR", "98714", "PF", true),
        ("FR", "98800", "NC", true), ("FR", "75001", "FR", false), ("FR", "20000", "FR", false), ("PT", "9000-001", "PT", false),
        ("GB", "SW1A 1AA", "GB", true), ("GB", "BT1 5GS", "GB", false), ("GB", "B1 1TT", "GB", true), ("GB", "JE2 3AB", "JE", true),
        ("JE", "JE2 3AB", "JE", true), ("GB", "GY1 1AA", "GG", true), ("GB", "IM1 1AA", "IM", true), ("DK", "3900", "GL", true),
        ("FO", "100", "FO", true), ("DK", "3700", "DK", false), ("CH", "8001", "CH", true), ("LI", "9490", "LI", true), ("AD", "AD500", "AD", true),
        ("NO", "0150", "NO", true), ("US", "10001", "US", true), ("XK", "10000", "XK", true),
    ];

    #[test]
    fn customs_follow_places() {
        let berlin = at("DE", "10115");
        for (country, postcode, iso, declared) in PLACES {
            let place = at(country, postcode);
            assert_eq!((place.place(), is_declared(&berlin, &place)), (*iso, *declared), "{country} {postcode}");
            assert_eq!(is_declared(&place, &berlin), *declared, "and back from {country} {postcode}");
            assert!(!is_declared(&place, &place), "nor within {country} {postcode}");
        }
    }

    #[test]
    fn neighbours_without_a_border_and_parts_with_one() {
        let state = |region: &str| Address { region: region.into(), ..at("US", "") };
        let open = [
            (at("CH", "8001"), at("LI", "9490")),
            (at("CH", "8001"), at("DE", "78266")),
            (at("GB", "SW1A 1AA"), at("IM", "IM1 1AA")),
            (at("GB", "SW1A 1AA"), at("GB", "BT1 5GS")),
            (at("IE", "D02 X285"), at("GB", "BT1 5GS")),
            (at("FR", "06000"), at("MC", "98000")),
            (state("CA"), at("PR", "00907")),
            (state("CA"), state("PR")),
        ];
        for (a, b) in open {
            assert!(!is_declared(&a, &b) && !is_declared(&b, &a), "{a:?} {b:?}");
        }
        let closed = [
            (at("ES", "28001"), at("ES", "35001")),
            (at("FR", "75001"), at("FR", "97400")),
            (at("FI", "00100"), at("FI", "22100")),
            (at("GB", "SW1A 1AA"), at("GB", "JE2 3AB")),
            (state("CA"), state("GU")),
            (state("CA"), state("AP")),
            (state("CA"), at("VI", "00802")),
            (at("NO", "0150"), at("NO", "9170")),
            (at("ES", "35001"), at("ES", "51001")),
            (at("CH", "8001"), at("IT", "22061")),
        ];
        for (a, b) in closed {
            assert!(is_declared(&a, &b) && is_declared(&b, &a), "{a:?} {b:?}");
        }
    }

    #[test]
    fn either_spelling_is_the_same_place() {
        for territory in TERRITORIES.iter().filter(|t| t.of == "US" && t.in_its_post) {
            let Some(code) = territory.code else { continue };
            let (own, state) = (at(code, ""), Address { region: code.into(), ..at("US", "") });
            assert_eq!((own.place(), state.place()), (code, code));
            assert_eq!((own.us_state(), state.us_state()), (Some(code), Some(code)));
            assert_eq!(own.customs_territory(), state.customs_territory());
        }
        assert_eq!((at("DE", "10115").us_state(), Address { region: "TX".into(), ..at("US", "") }.us_state()), (None, Some("TX")));
    }
}

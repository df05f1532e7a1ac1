//! Where buyers live and what they are called: made-up people at made-up houses in real cities, under postcodes of those cities.
//!
//! Never a real address of a real person: names, streets and house numbers are drawn apart from each other.

use crate::luck::Luck;
use smol_str::{SmolStr, SmolStrBuilder, format_smolstr};
use twin::Address;

/// A city, its region as carriers write it, how its postcodes look, and how many buyers live there against the others.
/// In the pattern `#` is a digit, `+` a digit but 0, `@` a letter; all else stands for itself.
type City = (&'static str, &'static str, &'static str, u32);

/// A country and how addresses are written there.
pub(super) struct Country {
    pub code: &'static str,
    /// The share of buyers by default.
    pub weight: u32,
    cities: &'static [City],
    tongue: &'static Tongue,
}

struct Tongue {
    first_names: &'static [&'static str],
    surnames: &'static [&'static str],
    streets: &'static [&'static str],
    /// `12 High Street`, not `Lindenstraße 12`.
    number_first: bool,
}

/// Letters that may stand in the postcodes of Britain, Canada and the Netherlands alike.
const LETTERS: &[u8] = b"ABEGHJLNPRTWXYZ";

pub(super) fn country(code: &str) -> Option<&'static Country> {
    COUNTRIES.iter().find(|c| c.code == code)
}

impl Country {
    pub fn address(&self, luck: &mut Luck) -> Address {
        let (city, region, pattern, _) = self.city(luck);
        let (first, surname) = (one_of(self.tongue.first_names, luck), one_of(self.tongue.surnames, luck));
        let (street, number) = (one_of(self.tongue.streets, luck), luck.below(240) + 1);
        Address {
            name: format_smolstr!("{first} {surname}"),
            street: if self.tongue.number_first { format_smolstr!("{number} {street}") } else { format_smolstr!("{street} {number}") },
            city: city.into(),
            region: region.into(),
            postcode: postcode(pattern, luck),
            country: self.code.into(),
            ..Address::default()
        }
    }

    fn city(&self, luck: &mut Luck) -> City {
        let total: u64 = self.cities.iter().map(|city| u64::from(city.3)).sum();
        let mut left = luck.below(total);
        for city in self.cities {
            match left.checked_sub(u64::from(city.3)) {
                Some(rest) => left = rest,
                None => return *city,
            }
        }
        self.cities[0]
    }
}

/// One of a list, all alike likely. The lists of this file are never empty.
fn one_of<T: Copy>(list: &[T], luck: &mut Luck) -> T {
    list[luck.below(list.len() as u64) as usize]
}

fn postcode(pattern: &str, luck: &mut Luck) -> SmolStr {
    let mut out = SmolStrBuilder::new();
    for c in pattern.chars() {
        out.push(match c {
            '#' => char::from(b'0' + luck.below(10) as u8),
            '+' => char::from(b'1' + luck.below(9) as u8),
            '@' => char::from(one_of(LETTERS, luck)),
            other => other,
        });
    }
    out.finish()
}

/// Shares of a seller with most of its buyers in America and Europe.
pub(super) const COUNTRIES: [Country; 10] = [
    Country { code: "US", weight: 520, cities: US, tongue: &ENGLISH },
    Country { code: "GB", weight: 130, cities: GB, tongue: &ENGLISH },
    Country { code: "DE", weight: 110, cities: DE, tongue: &GERMAN },
    Country { code: "FR", weight: 75, cities: FR, tongue: &FRENCH },
    Country { code: "CA", weight: 60, cities: CA, tongue: &ENGLISH },
    Country { code: "AU", weight: 40, cities: AU, tongue: &ENGLISH },
    Country { code: "ES", weight: 25, cities: ES, tongue: &SPANISH },
    Country { code: "IT", weight: 20, cities: IT, tongue: &ITALIAN },
    Country { code: "NL", weight: 12, cities: NL, tongue: &DUTCH },
    Country { code: "JP", weight: 8, cities: JP, tongue: &JAPANESE },
];

/// From every zone that a parcel posted in Los Angeles, New York or Chicago can go to, zone 9 (Guam) included.
#[rustfmt::skip]
const US: &[City] = &[
    ("New York", "NY", "100+#", 60), ("Brooklyn", "NY", "112+#", 45), ("Los Angeles", "CA", "900+#", 60), ("Chicago", "IL", "606+#", 45),
    ("Houston", "TX", "770+#", 40), ("Phoenix", "AZ", "850+#", 28), ("Philadelphia", "PA", "191+#", 28), ("San Antonio", "TX", "782+#", 24),
    ("San Diego", "CA", "921+#", 24), ("Dallas", "TX", "752+#", 26), ("San Jose", "CA", "951+#", 18), ("Austin", "TX", "787+#", 18),
    ("Jacksonville", "FL", "322+#", 16), ("Fort Worth", "TX", "761+#", 16), ("Columbus", "OH", "432+#", 16), ("Charlotte", "NC", "282+#", 16),
    ("San Francisco", "CA", "941+#", 20), ("Indianapolis", "IN", "462+#", 15), ("Seattle", "WA", "981+#", 18), ("Denver", "CO", "802+#", 17),
    ("Washington", "DC", "200+#", 17), ("Boston", "MA", "021+#", 18), ("El Paso", "TX", "799+#", 10), ("Nashville", "TN", "372+#", 13),
    ("Detroit", "MI", "482+#", 15), ("Oklahoma City", "OK", "731+#", 11), ("Portland", "OR", "972+#", 13), ("Las Vegas", "NV", "891+#", 16),
    ("Memphis", "TN", "381+#", 10), ("Louisville", "KY", "402+#", 10), ("Baltimore", "MD", "212+#", 13), ("Milwaukee", "WI", "532+#", 10),
    ("Albuquerque", "NM", "871+#", 8), ("Tucson", "AZ", "857+#", 8), ("Fresno", "CA", "937+#", 8), ("Sacramento", "CA", "958+#", 11),
    ("Kansas City", "MO", "641+#", 10), ("Atlanta", "GA", "303+#", 20), ("Omaha", "NE", "681+#", 8), ("Raleigh", "NC", "276+#", 10),
    ("Miami", "FL", "331+#", 24), ("Virginia Beach", "VA", "234+#", 8), ("Oakland", "CA", "946+#", 9), ("Minneapolis", "MN", "554+#", 14),
    ("Tulsa", "OK", "741+#", 7), ("Tampa", "FL", "336+#", 13), ("New Orleans", "LA", "701+#", 8), ("Wichita", "KS", "672+#", 6),
    ("Cleveland", "OH", "441+#", 10), ("Honolulu", "HI", "968+#", 6), ("Anchorage", "AK", "995+#", 4), ("Boise", "ID", "837+#", 5),
    ("Salt Lake City", "UT", "841+#", 9), ("Des Moines", "IA", "503+#", 5), ("Little Rock", "AR", "722+#", 5), ("Birmingham", "AL", "352+#", 7),
    ("Jackson", "MS", "392+#", 4), ("Charleston", "SC", "294+#", 6), ("Richmond", "VA", "232+#", 7), ("Pittsburgh", "PA", "152+#", 11),
    ("Buffalo", "NY", "142+#", 7), ("Hartford", "CT", "061+#", 6), ("Providence", "RI", "029+#", 5), ("Burlington", "VT", "054+#", 2),
    ("Manchester", "NH", "031+#", 3), ("Portland", "ME", "041+#", 3), ("Newark", "NJ", "071+#", 14), ("Wilmington", "DE", "198+#", 3),
    ("Charleston", "WV", "253+#", 3), ("Fargo", "ND", "581+#", 2), ("Sioux Falls", "SD", "571+#", 2), ("Billings", "MT", "591+#", 2),
    ("Cheyenne", "WY", "820+#", 2), ("San Juan", "PR", "009+#", 5), ("Hagatna", "GU", "9691+", 1),
];

#[rustfmt::skip]
const GB: &[City] = &[
    ("London", "ENG", "SE+ +@@", 30), ("London", "ENG", "N+ +@@", 25), ("London", "ENG", "SW+ +@@", 25), ("Birmingham", "ENG", "B+# +@@", 14),
    ("Manchester", "ENG", "M+ +@@", 14), ("Leeds", "ENG", "LS+ +@@", 10), ("Liverpool", "ENG", "L+ +@@", 9), ("Bristol", "ENG", "BS+ +@@", 8),
    ("Sheffield", "ENG", "S+ +@@", 8), ("Newcastle upon Tyne", "ENG", "NE+ +@@", 6), ("Glasgow", "SCT", "G+ +@@", 9),
    ("Edinburgh", "SCT", "EH+ +@@", 8), ("Cardiff", "WLS", "CF+# +@@", 6), ("Belfast", "NIR", "BT+ +@@", 5),
];

#[rustfmt::skip]
const DE: &[City] = &[
    ("Berlin", "BE", "10+##", 30), ("Hamburg", "HH", "20+##", 18), ("München", "BY", "80+##", 16), ("Köln", "NW", "50+##", 12),
    ("Frankfurt am Main", "HE", "603##", 10), ("Stuttgart", "BW", "701##", 8), ("Düsseldorf", "NW", "402##", 8), ("Leipzig", "SN", "041##", 7),
    ("Dortmund", "NW", "441##", 7), ("Bremen", "HB", "281##", 6), ("Dresden", "SN", "010##", 6), ("Hannover", "NI", "301##", 6),
    ("Nürnberg", "BY", "904##", 6), ("Rostock", "MV", "180##", 3), ("Saarbrücken", "SL", "661##", 3),
];

#[rustfmt::skip]
const FR: &[City] = &[
    ("Paris", "IDF", "7500+", 20), ("Paris", "IDF", "7501#", 20), ("Marseille", "PAC", "1300+", 12), ("Lyon", "ARA", "6900+", 10),
    ("Toulouse", "OCC", "31+00", 8), ("Nice", "PAC", "06+00", 6), ("Nantes", "PDL", "44+00", 6), ("Montpellier", "OCC", "340+0", 5),
    ("Strasbourg", "GES", "67+00", 5), ("Bordeaux", "NAQ", "33+00", 6), ("Lille", "HDF", "59+00", 6), ("Rennes", "BRE", "35+00", 4),
    ("Ajaccio", "COR", "20+00", 1),
];

#[rustfmt::skip]
const CA: &[City] = &[
    ("Toronto", "ON", "M+@ #@#", 28), ("Montreal", "QC", "H+@ #@#", 18), ("Vancouver", "BC", "V6@ #@#", 12), ("Calgary", "AB", "T2@ #@#", 10),
    ("Edmonton", "AB", "T5@ #@#", 8), ("Ottawa", "ON", "K1@ #@#", 8), ("Winnipeg", "MB", "R3@ #@#", 6), ("Quebec", "QC", "G1@ #@#", 5),
    ("Halifax", "NS", "B3@ #@#", 4), ("Saskatoon", "SK", "S7@ #@#", 3), ("Whitehorse", "YT", "Y1A #@#", 1),
];

#[rustfmt::skip]
const AU: &[City] = &[
    ("Sydney", "NSW", "20#+", 28), ("Melbourne", "VIC", "30#+", 28), ("Brisbane", "QLD", "40#+", 14), ("Perth", "WA", "60#+", 11),
    ("Adelaide", "SA", "50#+", 8), ("Gold Coast", "QLD", "421+", 4), ("Newcastle", "NSW", "230+", 3), ("Canberra", "ACT", "260+", 3),
    ("Hobart", "TAS", "700+", 2), ("Darwin", "NT", "080+", 1),
];

#[rustfmt::skip]
const ES: &[City] = &[
    ("Madrid", "MD", "280#+", 30), ("Barcelona", "CT", "080#+", 25), ("Valencia", "VC", "460#+", 10), ("Sevilla", "AN", "410#+", 9),
    ("Zaragoza", "AR", "500#+", 6), ("Bilbao", "PV", "480#+", 5), ("Palma", "IB", "070#+", 4), ("Las Palmas", "CN", "350#+", 3),
];

#[rustfmt::skip]
const IT: &[City] = &[
    ("Roma", "RM", "001##", 28), ("Milano", "MI", "201##", 22), ("Napoli", "NA", "801##", 14), ("Torino", "TO", "101##", 11),
    ("Palermo", "PA", "901##", 7), ("Bologna", "BO", "401##", 6), ("Firenze", "FI", "501##", 6), ("Cagliari", "CA", "091##", 2),
];

#[rustfmt::skip]
const NL: &[City] = &[
    ("Amsterdam", "NH", "10+# @@", 26), ("Rotterdam", "ZH", "30+# @@", 19), ("Den Haag", "ZH", "25+# @@", 15), ("Utrecht", "UT", "35+# @@", 11),
    ("Eindhoven", "NB", "56+# @@", 8), ("Groningen", "GR", "97+# @@", 6),
];

#[rustfmt::skip]
const JP: &[City] = &[
    ("Tokyo", "13", "1+#-00##", 30), ("Osaka", "27", "53#-00##", 16), ("Yokohama", "14", "22#-00##", 12), ("Nagoya", "23", "46#-00##", 10),
    ("Fukuoka", "40", "81#-00##", 7), ("Sapporo", "01", "06#-00##", 7),
];

#[rustfmt::skip]
static ENGLISH: Tongue = Tongue {
    first_names: &["Alice", "Ben", "Chloe", "Daniel", "Emma", "Frank", "Grace", "Henry", "Isla", "Jack", "Karen", "Liam", "Maria", "Noah",
        "Olivia", "Peter", "Ruth", "Sam", "Tara", "Victor", "Wendy", "Zoe"],
    surnames: &["Adams", "Baker", "Carter", "Davis", "Evans", "Foster", "Garcia", "Harris", "Johnson", "King", "Lewis", "Martin", "Nguyen",
        "O'Brien", "Parker", "Reed", "Smith", "Taylor", "Walker", "Young"],
    streets: &["Maple Street", "Oak Avenue", "Park Road", "High Street", "Church Lane", "Station Road", "Mill Lane", "Cedar Drive",
        "Lake View", "Hill Crescent", "River Road", "Second Avenue", "Elm Court", "Victoria Terrace", "Meadow Way", "Sunset Boulevard"],
    number_first: true,
};

#[rustfmt::skip]
static GERMAN: Tongue = Tongue {
    first_names: &["Anna", "Bernd", "Clara", "Dieter", "Eva", "Felix", "Hanna", "Jonas", "Katrin", "Lukas", "Mia", "Paul", "Sabine", "Uwe"],
    surnames: &["Bauer", "Becker", "Fischer", "Hoffmann", "Klein", "Krüger", "Müller", "Neumann", "Schäfer", "Schmidt", "Vogel", "Weber"],
    streets: &["Lindenstraße", "Hauptstraße", "Bahnhofstraße", "Gartenweg", "Schillerstraße", "Am Markt", "Bergstraße", "Kirchgasse"],
    number_first: false,
};

#[rustfmt::skip]
static FRENCH: Tongue = Tongue {
    first_names: &["Amélie", "Bruno", "Camille", "Denis", "Élise", "Fabien", "Hugo", "Jeanne", "Louis", "Manon", "Nicolas", "Sophie"],
    surnames: &["Bernard", "Dubois", "Durand", "Fournier", "Garnier", "Lambert", "Leroy", "Moreau", "Petit", "Roux", "Simon", "Thomas"],
    streets: &["rue de la République", "avenue Victor Hugo", "rue du Moulin", "place de l'Église", "rue des Lilas", "boulevard Pasteur"],
    number_first: true,
};

#[rustfmt::skip]
static SPANISH: Tongue = Tongue {
    first_names: &["Alba", "Carlos", "Elena", "Javier", "Lucía", "Mateo", "Nuria", "Pablo", "Sara", "Tomás"],
    surnames: &["Alonso", "Díaz", "Fernández", "Gómez", "López", "Martín", "Navarro", "Romero", "Serrano", "Vidal"],
    streets: &["Calle Mayor", "Calle de Alcalá", "Avenida del Mar", "Plaza Nueva", "Calle del Sol", "Paseo del Río"],
    number_first: false,
};

#[rustfmt::skip]
static ITALIAN: Tongue = Tongue {
    first_names: &["Andrea", "Chiara", "Davide", "Elisa", "Franco", "Giulia", "Luca", "Marta", "Paolo", "Silvia"],
    surnames: &["Bianchi", "Colombo", "Conti", "Esposito", "Ferrari", "Greco", "Marino", "Ricci", "Romano", "Rossi"],
    streets: &["Via Roma", "Via Garibaldi", "Corso Italia", "Viale dei Pini", "Piazza del Duomo", "Via Verdi"],
    number_first: false,
};

#[rustfmt::skip]
static DUTCH: Tongue = Tongue {
    first_names: &["Anouk", "Bas", "Daan", "Eline", "Femke", "Joris", "Lotte", "Pieter", "Sanne", "Thijs"],
    surnames: &["Bakker", "de Boer", "de Vries", "Dekker", "Jansen", "Mulder", "Smit", "van den Berg", "van Dijk", "Visser"],
    streets: &["Kerkstraat", "Dorpsstraat", "Molenweg", "Stationsplein", "Lindelaan", "Prinsengracht"],
    number_first: false,
};

#[rustfmt::skip]
static JAPANESE: Tongue = Tongue {
    first_names: &["Aiko", "Daichi", "Emi", "Haruto", "Kenji", "Mei", "Naoki", "Sakura", "Takumi", "Yui"],
    surnames: &["Fujita", "Hayashi", "Ito", "Kobayashi", "Mori", "Nakamura", "Sato", "Suzuki", "Tanaka", "Yamada"],
    streets: &["Sakuragaoka", "Honcho", "Minami", "Higashi", "Midorigaoka", "Chuo"],
    number_first: false,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_whole_and_postcodes_look_right() {
        for country in &COUNTRIES {
            for n in 0..200 {
                let address = country.address(&mut Luck::of(5, &format!("{}/{n}", country.code), "test"));
                assert_eq!(address.fault(), None);
                assert!(!address.name.is_empty() && !address.street.is_empty() && !address.city.is_empty() && !address.region.is_empty());
                let shape: String = address
                    .postcode
                    .chars()
                    .map(|c| {
                        if c.is_ascii_digit() {
                            '#'
                        } else if c.is_ascii_uppercase() {
                            '@'
                        } else {
                            c
                        }
                    })
                    .collect();
                let shapes: &[&str] = match country.code {
                    "GB" => &["@# #@@", "@## #@@", "@@# #@@", "@@## #@@"],
                    "CA" => &["@#@ #@#"],
                    "AU" => &["####"],
                    "NL" => &["#### @@"],
                    "JP" => &["###-####"],
                    _ => &["#####"],
                };
                assert!(shapes.contains(&shape.as_str()), "{} in {}", address.postcode, country.code);
            }
        }
    }

    #[test]
    fn american_buyers_live_everywhere() {
        let first_digits: std::collections::BTreeSet<u8> = US.iter().map(|city| city.2.as_bytes()[0]).collect();
        assert_eq!(first_digits.len(), 10);
        assert!(["HI", "AK", "PR", "GU"].iter().all(|far| US.iter().any(|city| city.1 == *far)));
    }
}

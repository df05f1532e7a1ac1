//! Whether an address is a post-office box, where couriers cannot deliver. Read from the words people write, in the languages of
//! the countries they live in (UPU, addressing systems: forms of delivery-point other than a street).

use super::Address;

/// Words that name a box by themselves, written together and in lower case.
const NAMES: [&str; 22] = [
    "pobox",
    "postofficebox",
    "postbox",
    "gpobox",
    "lockedbag",
    "privatebag",
    "postfach",
    "packstation",
    "postbus",
    "postboks",
    "postilokero",
    "boitepostale",
    "boîtepostale",
    "casepostale",
    "apartadopostal",
    "apartadodecorreos",
    "apartado",
    "apdo",
    "casellapostale",
    "caixapostal",
    "skrytkapocztowa",
    "абонентскийящик",
];
/// Short words that name a box only if a number follows: `BP 12`, `Box 12`, `PL 12`; with the countries where they do, or none for all.
const SHORT: [(&str, &[&str]); 9] = [
    ("pob", &[]),
    ("box", &["SE", "US", "CA", "GB", "AU", "NZ", "ZA"]),
    (
        "bp",
        &[
            "FR", "BE", "LU", "MC", "MA", "TN", "DZ", "SN", "CI", "CM", "GA", "ML", "BF", "NE", "TG", "BJ", "TD", "CG", "CD", "MG", "PF",
            "NC", "RE", "GP", "MQ", "GF", "YT",
        ],
    ),
    ("cp", &["CH", "CA", "IT", "SM"]),
    ("pl", &["FI"]),
    ("ptl", &["NO"]),
    ("pf", &["DE", "AT", "HU", "CH"]),
    ("cs", &["FR"]),
    ("ая", &["RU", "BY", "UA", "KZ"]),
];
/// What is written without spaces between.
const SIGNS: [&str; 3] = ["私書箱", "邮政信箱", "郵政信箱"];

impl Address {
    /// Whether it is a post-office box, a parcel locker or the like.
    pub fn is_po_box(&self) -> bool {
        [&self.street, &self.street2].into_iter().any(|line| names_a_box(line, &self.country))
    }
}

fn names_a_box(line: &str, country: &str) -> bool {
    if SIGNS.iter().any(|sign| line.contains(sign)) {
        return true;
    }
    let line = line.to_lowercase().replace(['.', '/', '\''], "");
    let words = words(&line);
    (0..words.len()).any(|at| begins_a_box(&words[at..], at == 0, country))
}

/// Words and numbers, apart also where nothing stands between: `pob12` is two.
fn words(line: &str) -> Vec<&str> {
    let (mut words, mut begun) = (Vec::new(), 0);
    let kind = |c: char| if c.is_alphabetic() { 1 } else { u8::from(c.is_numeric()) * 2 };
    let mut last = 0;
    for (at, c) in line.char_indices().chain([(line.len(), ' ')]) {
        if kind(c) != last {
            if last != 0 {
                words.push(&line[begun..at]);
            }
            (begun, last) = (at, kind(c));
        }
    }
    words
}

/// Whether a box is named by the first one to four of these words, and its number follows or nothing does.
fn begins_a_box(words: &[&str], first: bool, country: &str) -> bool {
    let numbered = |rest: &[&str]| rest.iter().take(2).any(|word| is_number(word));
    for taken in 1..=words.len().min(4) {
        let (name, rest) = (&words[..taken], &words[taken..]);
        let named = NAMES.iter().any(|known| spells(name, known));
        // A street may be called after a post office; a box has a number or stands alone.
        if named && (numbered(rest) || rest.is_empty() && first) {
            return true;
        }
        let short =
            taken == 1 && SHORT.iter().any(|(word, countries)| *word == name[0] && (countries.is_empty() || countries.contains(&country)));
        // `Apt 4 Box 12` is a flat: a bare box is one only where the line begins.
        if short && rest.first().is_some_and(|word| is_number(word)) && (first || !matches!(name[0], "box" | "pl" | "cs" | "cp" | "pf")) {
            return true;
        }
    }
    false
}

/// Whether these words, written together, are that name.
fn spells(words: &[&str], name: &str) -> bool {
    words.iter().try_fold(name, |name, word| name.strip_prefix(word)) == Some("")
}

fn is_number(word: &str) -> bool {
    word.len() <= 12 && word.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(country: &str, street: &str) -> Address {
        Address { country: country.into(), street: street.into(), ..Address::default() }
    }

    /// How a box is written, the number as `#`, and in which country.
    #[rustfmt::skip]
    const FORMS: &[(&str, &str)] = &[
        ("PO Box #", "US"), ("P.O. Box #", "US"), ("p o box #", "US"), ("P. O. BOX #", "US"), ("POBox #", "US"), ("PO Box# ", "US"), ("POB #", "US"),
        ("P.O.B. #", "IL"), ("Post Office Box #", "US"), ("PO Box No. #", "KE"), ("POB#", "US"), ("BP#", "FR"), ("Postfach#", "DE"), ("GPO Box #", "AU"), ("Locked Bag #", "AU"), ("Private Bag #", "NZ"),
        ("Box #", "SE"), ("Box #", "US"), ("Postfach #", "DE"), ("Packstation #", "DE"), ("Postbus #", "NL"), ("Postboks #", "NO"), ("PL #", "FI"),
        ("BP #", "FR"), ("B.P. #", "SN"), ("Boîte postale #", "FR"), ("CS #", "FR"), ("Case postale #", "CH"), ("CP #", "CH"), ("C.P. #", "CA"),
        ("Apartado #", "ES"), ("Apartado de Correos #", "ES"), ("Apdo. #", "MX"), ("Apartado Postal #", "CR"), ("Casella Postale #", "IT"),
        ("Caixa Postal #", "BR"), ("Skrytka pocztowa #", "PL"), ("а/я #", "RU"), ("абонентский ящик #", "RU"), ("私書箱#号", "JP"), ("邮政信箱#号", "CN"),
    ];
    /// Streets that only sound like a box.
    #[rustfmt::skip]
    const STREETS: &[(&str, &str)] = &[
        ("12 Box Elder Lane", "US"), ("4 Boxwood Court", "GB"), ("7 Post Office Road", "GB"), ("1 Old Post Office", "GB"), ("Pobedy 12", "RU"),
        ("Box Hill Road 3", "AU"), ("Poststraße 5", "DE"), ("Am Postfachweg 2", "DE"), ("12 rue de la Poste", "FR"), ("BP Tower 12", "US"),
        ("Apt 4 Box 12, 5 Main St", "US"), ("Plaza Mayor 3", "ES"), ("pl. Wolności 4", "PL"), ("Calle del Apartadero 7", "ES"), ("1 Pob Court", "US"),
        ("C.P. 28001, Calle Mayor 2", "ES"), ("100 Mailbox Drive", "US"), ("Unit 5, Lockedbagh Rd", "IN"), ("221B Baker Street", "GB"),
    ];

    #[test]
    fn streets_are_no_boxes() {
        for (street, country) in STREETS {
            assert!(!at(country, street).is_po_box(), "{street}");
        }
    }

    proptest! {
        #[test]
        fn a_box_is_known_however_it_is_written(
            form in prop::sample::select(FORMS), number in "[1-9][0-9]{0,5}", case in 0u8..3, below in any::<bool>(), padded in any::<bool>(),
        ) {
            let (text, country) = form;
            let text = text.replace('#', &number);
            let text = match case { 0 => text.clone(), 1 => text.to_uppercase(), _ => text.to_lowercase() };
            let text = if padded { format!("  {text} ") } else { text };
            let address = if below { Address { street2: text.as_str().into(), ..at(country, "12 Main Street") } } else { at(country, &text) };
            prop_assert!(address.is_po_box(), "{:?}", address);
        }

        #[test]
        fn no_text_is_too_odd(text in ".{0,80}", country in "[A-Z]{2}") {
            at(&country, &text).is_po_box();
        }
    }
}

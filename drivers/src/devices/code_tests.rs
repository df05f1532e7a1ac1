use super::*;
use proptest::prelude::*;
use std::convert::Infallible;

/// Which of the known numbers a code is.
fn read<'a>(code: &str, known: &[&'a str]) -> Option<&'a str> {
    let look = |candidate: &str| Ok::<_, Infallible>(known.iter().find(|k| **k == candidate).copied());
    find(code, look).unwrap()
}

const USPS: &str = "9261290361980000000017";
const KNOWN: [&str; 7] =
    [USPS, "RR473124829CN", "1234567890", "01234567890123", "123456789012", "1Z999AA10123456784", "106141412345678908"];

#[test]
fn what_scanners_send_of_a_label() {
    for (code, expected) in [
        // USPS, with and without AIM, FNC1 in front and behind the ZIP, ZIP+4, spaces.
        (format!("]C142078701{USPS}"), Some(USPS)),
        (format!("420787011234{USPS}"), Some(USPS)),
        (format!("42078701{USPS}"), Some(USPS)),
        (format!("\u{1d}42078701{USPS}"), Some(USPS)),
        (format!("]C1\u{1d}42078701\u{1d}{USPS}"), Some(USPS)),
        (format!("42078701\u{1d}{USPS}"), Some(USPS)),
        (format!("420787011234\u{1d}{USPS}"), Some(USPS)),
        (format!("]C1420 78701 1234 {USPS}"), Some(USPS)),
        ("420 78701 9261 2903 6198 0000 0000 17".into(), Some(USPS)),
        (format!("]C1{USPS}"), Some(USPS)),
        (format!("]d2\u{1d}42078701\u{1d}{USPS}\u{1d}2112"), Some(USPS)),
        (format!("42078701{USPS}\u{1d}2112"), Some(USPS)),
        // Nothing but a ZIP of five or nine is routing.
        (format!("4207870{USPS}"), None),
        (format!("420787011{USPS}"), None),
        (format!("4207870112345{USPS}"), None),
        (format!("421787 01{USPS}"), None),
        (format!("42A78701{USPS}"), None),
        (format!("4207870\u{1d}{}", &USPS[1..]), None),
        // Other carriers.
        ("]C0RR473124829CN".into(), Some("RR473124829CN")),
        ("*RR473124829CN*".into(), Some("RR473124829CN")),
        ("]A0*1234567890*".into(), Some("1234567890")),
        ("A1234567890B".into(), Some("1234567890")),
        ("]F0d1234567890a".into(), Some("1234567890")),
        ("JD014600001234567890".into(), Some("1234567890")),
        ("JJD014600001234567890".into(), Some("1234567890")),
        ("JD011234567890".into(), Some("1234567890")),
        ("2LUS78701+42000000".into(), None),
        ("%007870101234567890123101840".into(), Some("01234567890123")),
        ("0078701012345678901231018405".into(), Some("01234567890123")),
        ("9622001900000000000000123456789012".into(), Some("123456789012")),
        ("9822001900000000000000123456789012".into(), None),
        ("1Z 999 AA1 0123 4567 84".into(), Some("1Z999AA10123456784")),
        ("]C100106141412345678908".into(), Some("106141412345678908")),
        ("\u{1d}00106141412345678908".into(), Some("106141412345678908")),
        // 2D codes.
        ("]Q1https://track.example.com/?number=1234567890&lang=en".into(), Some("1234567890")),
        ("]d1{\"id\":\"RR473124829CN\",\"zip\":\"78701\"}".into(), Some("RR473124829CN")),
        ("RR473124829CN|US|78701".into(), Some("RR473124829CN")),
        ("[)>\u{1e}06\u{1d}1JRR473124829CN\u{1d}Q1\u{1e}\u{4}".into(), Some("RR473124829CN")),
        ("[)>\u{1e}01\u{1d}96787011234\u{1d}840\u{1d}003\u{1d}1Z999AA10123456784\u{1d}UPSN\u{1e}\u{4}".into(), Some("1Z999AA10123456784")),
        (format!("]Q11234567890|{USPS}"), None),
        ("]Q11234567890|1234567890".into(), Some("1234567890")),
        // The end or the beginning of another number is not it, and what is not known is not known.
        ("991234567890".into(), None),
        ("12 1234567890".into(), None),
        ("12345678901".into(), None),
        ("XRR473124829CN".into(), None),
        ("]C0X1234567890".into(), None),
        ("JD024600001234567890".into(), None),
        ("JD0146000011234567890".into(), None),
        ("".into(), None),
        ("]C1".into(), None),
        ("420".into(), None),
    ] {
        assert_eq!(read(&code, &KNOWN), expected, "{code:?}");
    }
}

#[test]
fn what_is_known_as_it_stands_comes_before_what_could_be_taken_off() {
    let whole = format!("42078701{USPS}");
    assert_eq!(read(&whole, &[USPS, &whole]), Some(whole.as_str()));
    assert_eq!(read("JD014600001234567890", &["1234567890", "JD014600001234567890"]), Some("JD014600001234567890"));
    // 4 digits and a number of 22 are also a number of 26.
    let long = format!("9212{USPS}");
    assert_eq!(read(&format!("42078701{long}"), &[USPS, &long]), Some(long.as_str()));
}

proptest! {
    #[test]
    fn however_a_known_number_is_wrapped_it_is_found(
        number in "9[1-5][0-9]{20}", zip in "[0-9]{5}|[0-9]{9}", aim in "(\\][A-Za-z][0-9])?", front in "\u{1d}?",
        behind in "\u{1d}?", gaps in proptest::collection::vec(0usize..40, 0..6), known_too in "[A-Z0-9]{10,30}",
    ) {
        let mut code = format!("420{zip}{behind}{number}");
        for at in gaps {
            code.insert(at.min(code.len()), ' ');
        }
        let code = format!("{aim}{front}{code}");
        prop_assert_eq!(read(&code, &[&known_too, &number]), Some(number.as_str()));
    }

    #[test]
    fn a_number_with_anything_in_front_is_another(number in "[1-8][0-9]{9,21}", front in "[1-35-9A-Z][0-9A-Z]{0,8}", aim in "(\\]C[01])?") {
        // But for the letter that Codabar stops with, no letter or digit in front is a wrapping.
        prop_assert_eq!(read(&format!("{aim}{front}{number}"), &[&number]), None);
    }

    #[test]
    fn any_text_is_survived(code in "\\PC{0,80}|[\\]A-D%*JD01420\u{1d} |/=]{0,60}", known in "\\PC{1,20}") {
        read(&code, &[&known]);
        prop_assert_eq!(read(&known, &[&known]).is_some(), !bare(&known).is_empty() && bare(&known) == known);
    }
}

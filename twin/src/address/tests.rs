use super::*;
use countries::COUNTRIES;
use proptest::prelude::*;

fn buyer(country: &str, region: &str, postcode: &str) -> Address {
    Address {
        name: "Ann Buyer".into(),
        street: "1 Main St".into(),
        city: "Austin".into(),
        region: region.into(),
        postcode: postcode.into(),
        country: country.into(),
        ..Address::default()
    }
}

/// Country, region and postcode once it is put right; and what is wrong with it.
fn told(mut address: Address) -> (String, String) {
    let wrong = address.faults().iter().map(Defect::to_string).collect::<Vec<_>>().join("; ");
    address.put_right();
    (format!("{} {} {}", address.country, address.region, address.postcode), wrong)
}

#[test]
fn what_leaves_no_doubt_is_put_right() {
    #[rustfmt::skip]
    let cases = [
        (("UK", "", "sw1a1aa"), "GB  SW1A 1AA"), (("EL", "", "15124"), "GR  151 24"), (("us", "tx", "78701"), "US TX 78701"),
        (("US", "Texas", "78701"), "US TX 78701"), (("US", "US-TX", "787011234"), "US TX 78701-1234"), (("USA", "new jersey", "7030"), "US NJ 07030"),
        (("US", "", "7030"), "US  7030"), (("US", "", "07030"), "US NJ 07030"), (("PR", "", "00907"), "US PR 00907"), (("US", "Puerto Rico", "907"), "US PR 00907"),
        (("US", "", "00907"), "US PR 00907"), (("GU", "", "96910"), "US GU 96910"), (("VI", "St. Thomas", "00802"), "US VI 00802"),
        (("AS", "AS", "96799"), "US AS 96799"), (("MP", "", "96950"), "US MP 96950"), (("CA", "Québec", "h2x1y4"), "CA QC H2X 1Y4"),
        (("AU", "new south wales", "2000"), "AU NSW 2000"), (("IT", "IT-MI", "20121"), "IT MI 20121"), (("IC", "", "35001"), "ES  35001"),
        (("DE", "", " D-10115 "), "DE  10115"), (("HK", "", ""), "HK  "), (("IE", "", ""), "IE  "),
    ];
    for ((country, region, postcode), want) in cases {
        let (right, wrong) = told(buyer(country, region, postcode));
        assert_eq!(right, want, "{country} {region} {postcode}");
        assert_eq!(wrong.is_empty(), postcode != "7030" || !region.is_empty(), "{country} {region} {postcode}: {wrong}");
    }
    let mut cedex = Address { city: "Belley".into(), ..buyer("FR", "", "01301 Cedex 2") };
    cedex.put_right();
    assert_eq!((cedex.city.as_str(), cedex.postcode.as_str(), cedex.fault()), ("Belley CEDEX 2", "01301", None));
    let mut sector = Address { city: "Paris 07".into(), ..buyer("FR", "", "75356 SP 07") };
    sector.put_right();
    assert_eq!((sector.city.as_str(), sector.postcode.as_str(), sector.fault()), ("Paris 07 SP 07", "75356", None));
    let mut firm = Address { name: "".into(), company: "Acme".into(), city: "".into(), ..buyer("SG", "", "018956") };
    firm.put_right();
    assert_eq!((firm.name.as_str(), firm.city.as_str(), firm.fault()), ("Acme", "Singapore", None));
}

#[test]
fn what_is_in_doubt_is_named_by_its_field() {
    #[rustfmt::skip]
    let cases = [
        (buyer("ZZ", "", "1"), "country \"ZZ\" is no country of ISO 3166"),
        (buyer("XX", "", "1"), "country \"XX\" is no country of ISO 3166"),
        (buyer("SU", "", "101000"), "country \"SU\" is no country of ISO 3166"),
        (buyer("", "", "1"), "country \"\" is not an ISO 3166 two-letter code"),
        (buyer("Germany", "", "10115"), "country \"Germany\" is not an ISO 3166 two-letter code"),
        (buyer("US", "TX", "ABCDE"), "postcode \"ABCDE\" is none of US"),
        (buyer("US", "NJ", "7030.0"), "postcode \"7030.0\" is none of US"),
        (buyer("US", "TX", "7030"), "postcode \"7030\" is none of US"),
        (buyer("US", "TX", ""), "postcode is empty"),
        (buyer("US", "TX", "00000"), "postcode \"00000\" is in no state of the US"),
        (buyer("US", "Texass", "78701"), "region \"Texass\" is none of US"),
        (buyer("PR", "", "90210"), "postcode \"90210\" is in CA, and the region says \"PR\""),
        (buyer("US", "NY", "00907"), "postcode \"00907\" is in PR, and the region says \"NY\""),
        (buyer("DE", "", ""), "postcode is empty"),
        (buyer("DE", "", "1067"), "postcode \"1067\" is none of DE"),
        (Address { name: " ".into(), street: "".into(), city: "\u{a0}".into(), ..buyer("US", "TX", "78701") }, "name is empty; street is empty; city is empty"),
        (Address { street: "1 Main\u{7} St".into(), ..buyer("US", "TX", "78701") }, "street has the unprintable character U+0007"),
        (Address { phone: "5\u{202e}5".into(), ..buyer("US", "TX", "78701") }, "phone has the unprintable character U+202E"),
        (Address { city: "é".repeat(101).into(), ..buyer("US", "TX", "78701") }, "city of 202 bytes is over the limit of 200"),
        (Address::default(), "country \"\" is not an ISO 3166 two-letter code; name is empty; street is empty; city is empty"),
    ];
    for (address, why) in cases {
        assert_eq!(told(address).1, why);
    }
}

#[test]
fn countries_without_postcodes_need_none_and_the_others_do() {
    for country in &COUNTRIES {
        let fault = buyer(country.code, "", "").fault();
        assert_eq!(fault.is_some(), country.postcodes == Use::Needed, "{}: {fault:?}", country.code);
    }
    for code in "AE AG AO BF BI BJ BO BS BW BZ CD CF CG CI CK CM DJ DM ER FJ GA GD GH GM GN GQ GY HK IE JM KE KI KM KN LC MO MR MS MU MW NR NU PA QA RW SB SC SL \
                 SR ST SY TG TK TL TO TT TV TZ UG VU YE ZW"
        .split_whitespace()
    {
        assert_eq!(buyer(code, "", "").fault(), None, "{code}");
    }
}

proptest! {
    /// Whatever is written in it: putting it right twice is putting it right once, and what is wrong does not change by it.
    #[test]
    fn putting_right_is_done_once(
        texts in prop::array::uniform6("[ -~é\u{a0}]{0,12}|[A-Za-z]{2,3}|[0-9]{3,9}"), at in 0..COUNTRIES.len(), own in any::<bool>(),
    ) {
        let [name, street, city, region, postcode, country] = texts.map(SmolStr::from);
        let country = if own { COUNTRIES[at].code.into() } else { country };
        let given = Address { name, street, city, region, postcode, country, ..Address::default() };
        let mut once = given.clone();
        once.put_right();
        let mut twice = once.clone();
        twice.put_right();
        prop_assert_eq!(&once, &twice);
        prop_assert_eq!(given.faults(), once.faults());
        prop_assert!(once.fault().is_some() || countries::country(&once.country).is_some());
    }

    /// Every control character in every field is found and its field named.
    #[test]
    fn control_characters_are_named(field in 0usize..11, sign in prop::char::range('\u{0}', '\u{1f}'), place in 1usize..4) {
        let mut address = buyer("US", "TX", "78701");
        let fields = [
            &mut address.name, &mut address.company, &mut address.street, &mut address.street2, &mut address.city, &mut address.region,
            &mut address.postcode, &mut address.country, &mut address.phone, &mut address.email, &mut address.tax_id,
        ];
        let mut text = String::from("abcdef");
        text.insert(place, sign);
        *fields[field] = text.into();
        let name = address.fields()[field].0;
        prop_assert!(address.faults().iter().any(|fault| fault.field == name), "{}", name);
    }
}

//! Every published sheet at hand is read, and says what it says on paper. Skips, by name, where the sheets are not there.

use rules::rate_sheet::{Sheet, ZoneChart, karrio, usps, wanb};
use rules::rating::rate;
use std::fs::read_to_string;
use std::path::PathBuf;
use twin::channel::QuoteRequest;
use twin::money::{Currency, Decimal};
use twin::{Address, Dims, Moment, Money, TimeZone};

fn rates_folder(test: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/rates");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("{test} skipped: no published sheets beside the project");
    None
}

fn price(sheet: &Sheet, country: &str, postcode: &str, weight_g: u32) -> Result<String, String> {
    let to = Address { country: country.into(), postcode: postcode.into(), ..Address::default() };
    let value = Money::new(Decimal::TEN, Currency::USD);
    let request = QuoteRequest {
        from: to.clone(),
        to,
        weight_g,
        dims: Dims::default(),
        value,
        battery: false,
        ship_at: Moment(0),
        time_zone: TimeZone::UTC,
    };
    let tariff = sheet.tariff.as_ref().ok_or("no tariff")?;
    rate(tariff, &sheet.service, &request, sheet.days).map(|q| q.total.to_string()).map_err(|why| why.to_string())
}

fn service<'a>(sheets: &'a [Sheet], code: &str) -> &'a Sheet {
    sheets.iter().find(|sheet| sheet.service == code).unwrap()
}

#[test]
fn all_karrio_sheets_are_read() {
    let Some(folder) = rates_folder("all_karrio_sheets_are_read") else { return };
    let (mut files, mut services, mut rated, mut prices) = (0, 0, 0, 0);
    for entry in std::fs::read_dir(folder.join("karrio")).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap().to_string();
        let sheets = karrio(&read_to_string(&path).unwrap(), &file, "CN").unwrap_or_else(|e| panic!("{e}"));
        files += 1;
        services += sheets.len();
        for sheet in &sheets {
            rated += usize::from(sheet.tariff.is_some());
            let bands = sheet.tariff.iter().flat_map(|t| &t.zones).flat_map(|z| &z.bands);
            prices += bands.clone().count();
            assert!(bands.clone().all(|b| b.flat > Decimal::ZERO && b.above_g < b.up_to_g), "{file} {}", sheet.service);
        }
    }
    // 785 rows have a price; 16 of them, of three services, lie in zones that list no countries.
    assert_eq!((files, services, rated, prices), (21, 230, 150, 769));
}

#[test]
fn karrio_sheets_say_what_they_say() {
    let Some(folder) = rates_folder("karrio_sheets_say_what_they_say") else { return };
    let read = |file: &str, home| karrio(&read_to_string(folder.join("karrio").join(file)).unwrap(), file, home).unwrap();
    let ground = read("usps.csv", "US");
    let ground = service(&ground, "USPS_GROUND_ADVANTAGE");
    assert_eq!(price(ground, "US", "90001", 453).unwrap(), "4.50 USD", "a pound");
    assert_eq!(price(ground, "US", "90001", 1000).unwrap(), "5.50 USD", "a kilogram is 2.2 lb");
    assert_eq!(price(ground, "CA", "K1A", 1000).unwrap_err(), "no zone for CA K1A");
    let channel = ground.clone().channel(&"usps".into(), vec!["LAX".into()]);
    assert_eq!((channel.id.as_str(), channel.name.as_str(), channel.days), ("usps/ground-advantage", "Ground Advantage", Some(5)));

    let small = service(&read("dhl_parcel_de.csv", "DE"), "V62KP").clone();
    assert_eq!(small.limits.sides_mm_max(), [353, 250, 50], "all three sides hold");
    let to = Address { country: "DE".into(), postcode: "10115".into(), ..Address::default() };
    let value = Money::new(Decimal::TEN, Currency::EUR);
    let cube = Dims::new(176, 125, 100);
    let request = QuoteRequest {
        from: to.clone(),
        to,
        weight_g: 400,
        dims: cube,
        value,
        battery: false,
        ship_at: Moment(0),
        time_zone: TimeZone::UTC,
    };
    let unfit = rules::channels::accepts(&small.channel(&"dhl".into(), vec!["FRA".into()]), &"FRA".into(), &request).unwrap_err();
    assert_eq!(unfit.to_string(), "oversize: 100 mm high, takes at most 50 mm");

    let mydhl = read("mydhl.csv", "DE");
    assert_eq!(price(service(&mydhl, "N"), "DE", "10115", 400).unwrap(), "14.90 EUR");
    assert_eq!(price(service(&mydhl, "N"), "FR", "75001", 400).unwrap_err(), "no zone for FR 75001", "domestic is home only");
    assert_eq!(service(&mydhl, "P").not_to, ["DE"], "worldwide is not home");

    let spring = read("spring.csv", "GB");
    assert_eq!(service(&spring, "PPNEU").notes, ["zone Non-EU lists no countries: left out"]);
    assert_eq!(price(service(&spring, "PPNEU"), "US", "1", 400).unwrap_err(), "no zone for US 1");
}

#[test]
fn notice_123_has_ground_advantage_at_7_20_for_4_oz_in_zone_1() {
    let Some(folder) = rates_folder("notice_123_has_ground_advantage_at_7_20_for_4_oz_in_zone_1") else { return };
    let file = "usps_notice123_retail_eff2025-10-05_excerpt.csv";
    let chart = (1..=9).map(|zone| (zone.to_string().into(), vec![zone.to_string().into()])).collect::<ZoneChart>();
    let sheets = usps(&read_to_string(folder.join(file)).unwrap(), file, &chart).unwrap();
    let ground = service(&sheets, "GROUND_ADVANTAGE_RETAIL");
    assert_eq!(price(ground, "US", "10001", 113).unwrap(), "7.20 USD");
    assert_eq!(price(ground, "US", "10001", 114).unwrap(), "7.50 USD");
    assert_eq!(price(ground, "US", "90001", 113).unwrap(), "8.40 USD");
    assert_eq!(price(ground, "US", "10001", 11_000).unwrap_err(), "no weight band for 11000 g in zone 1", "21 to 29 lb are not excerpted");
    assert_eq!(ground.limits.weight_g_max, 31_751);
    assert!(sheets.iter().all(|sheet| sheet.notes.is_empty()));
    let bands = ground.tariff.as_ref().unwrap().zones.iter().map(|zone| zone.bands.len());
    assert_eq!(bands.collect::<Vec<_>>(), [26; 9], "27 rows a zone, of which 15.999 oz and 1 lb are one");
}

#[test]
fn the_direct_line_has_no_price_between_200_and_700_g() {
    let Some(folder) = rates_folder("the_direct_line_has_no_price_between_200_and_700_g") else { return };
    let file = "wanb_cn_lines.csv";
    let sheets = wanb(&read_to_string(folder.join(file)).unwrap(), file).unwrap();
    assert_eq!(sheets.len(), 3);
    let us = service(&sheets, "USEXR");
    assert_eq!(price(us, "US", "90001", 20).unwrap(), "26.94 CNY", "at least 30 g at 98 per kg, and 24");
    assert_eq!(price(us, "US", "90001", 200).unwrap(), "40.40 CNY");
    for weight_g in [201, 530, 700] {
        let gap = format!("no weight band for {weight_g} g in zone US");
        assert_eq!(price(us, "US", "90001", weight_g).unwrap_err(), gap);
    }
    assert_eq!(price(us, "US", "90001", 701).unwrap(), "73.99 CNY");
    let gb = service(&sheets, "EUEXR");
    assert_eq!((gb.limits.length_mm_max, gb.days), (600, Some(6)));
    assert_eq!(price(gb, "GB", "SW1A 1AA", 100).unwrap(), "30.10 CNY", "at least 300 g at 47 per kg, and 16");
}

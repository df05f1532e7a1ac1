//! What is printed can be read: the labels of every simulated carrier and our own sheets are rendered by `labelize` and
//! decoded by `rxing`, neither of them ours, and what the decoder says is the number that was bought.
//!
//! A few of each in the suite; 300 of each with `LABELS=300 cargo test -p sim --test labels`.

use drivers::Clock;
use drivers::carriers::{CarrierKind, CarrierSettings, Secret, driver};
use drivers::clock::virtual_runtime;
use drivers::devices::code;
use sim::carriers::{Account, CarrierBook, LatencyModel, Reliability, SimWire, router};
use sim::luck::Luck;
use std::sync::Arc;
use twin::channel::LabelRequest;
use twin::money::{Currency, Decimal};
use twin::{Address, BagId, CarrierId, Dims, Money};

/// Labels of each carrier where nothing else is said.
const LABELS: u64 = 4;

/// What a warehouse's scanners are set to.
const FORMATS: [rxing::BarcodeFormat; 2] = [rxing::BarcodeFormat::CODE_128, rxing::BarcodeFormat::QR_CODE];

fn wanted() -> u64 {
    std::env::var("LABELS").ok().and_then(|n| n.parse().ok()).unwrap_or(LABELS)
}

/// Every barcode on a printed 4 × 6 in label, as a scanner set to tell the symbology sends it.
fn decoded(zpl: &[u8]) -> Vec<String> {
    let options = labelize::RenderOptions {
        language: Some(labelize::Language::Zpl),
        width_mm: Some(101.6),
        height_mm: Some(152.4),
        ..Default::default()
    };
    let picture = labelize::render_png(zpl, options).expect("it renders");
    let mut hints =
        rxing::DecodeHints { AssumeGs1: Some(true), TryHarder: Some(true), PossibleFormats: Some(FORMATS.into()), ..Default::default() };
    match rxing::helpers::detect_multiple_in_buffer_with_hints(&picture.bytes, &mut hints) {
        Ok(found) => found.iter().map(|code| code.getText().to_owned()).collect(),
        Err(_) => Vec::new(),
    }
}

/// The black dots of a printed sheet: its width and, row by row, whether each is one.
fn printed(zpl: &str) -> (usize, Vec<bool>) {
    let options = labelize::RenderOptions {
        language: Some(labelize::Language::Zpl),
        width_mm: Some(101.6),
        height_mm: Some(152.4),
        ..Default::default()
    };
    let picture = labelize::render_png(zpl.as_bytes(), options).expect("it renders");
    let picture = image::load_from_memory(&picture.bytes).expect("it is a picture").into_luma8();
    (picture.width() as usize, picture.pixels().map(|dot| dot.0[0] < 128).collect())
}

/// The one of the codes that is this number.
fn names(codes: &[String], number: &str) -> bool {
    let is = |candidate: &str| Ok::<_, std::convert::Infallible>((candidate == number).then_some(()));
    codes.iter().any(|scanned| code::find(scanned, is) == Ok(Some(())))
}

fn address(luck: &mut Luck, country: &str) -> Address {
    let names = ["Jane \"JJ\" Smith", "^XZ~JA Ltd", "仓库", "Åse Ødegård-Bjørnsdatter van den Bergh zu Hohenlohe-Langenburg"];
    let [name, street] = [names, ["123 Main Street, Apt 5", "1_5E ^FS", "南山区前海路 1 号", "4 \\& 5 Rue de l'Évêché"]];
    let mut one = |of: [&str; 4]| luck.pick(&of).map(|s| (*s).into()).unwrap_or_default();
    let (name, street) = (one(name), one(street));
    // ZIPs as well as postcodes of six digits, each where it belongs.
    let (city, region, postcode) = match country {
        "CN" => ("Shenzhen", "GD", smol_str::format_smolstr!("{:06}", luck.between(510_000, 528_999))),
        _ => ("Austin", "TX", smol_str::format_smolstr!("{:05}", luck.between(75_001, 79_999))),
    };
    Address {
        name,
        street,
        city: city.into(),
        region: region.into(),
        postcode,
        country: country.into(),
        phone: "+1 213 555 0100".into(),
        ..Address::default()
    }
}

#[test]
fn labels_of_every_simulated_carrier_decode() {
    let clock = Clock::virtual_from("2026-11-09T10:00:00Z".parse().unwrap());
    let (book, wire) = (CarrierBook::new(42), SimWire::new(clock.clone(), 42));
    for (id, kind, secret, service, from) in [
        ("usps", CarrierKind::Usps, "client:secret", "USPS_GROUND_ADVANTAGE", "US"),
        ("mydhl", CarrierKind::Mydhl, "user:password", "P", "CN"),
        ("yw", CarrierKind::Forwarder, "token", "CN-US", "CN"),
    ] {
        let account = Account { carrier: CarrierId::new(id), secret: secret.into(), reliability: Reliability::PERFECT };
        wire.mount(&format!("{id}.sim"), router(kind, &book, clock.clone(), account), LatencyModel::default());
        let settings = CarrierSettings {
            id: CarrierId::new(id),
            kind,
            base_url: "sim:".into(),
            account: "1/2/3/4".into(),
            secret_env: None,
            timeout_ms: 5_000,
        };
        let carrier = driver(&settings, Secret::new(secret), Arc::new(wire.clone()), clock.clone());
        for n in 0..wanted() {
            let mut luck = Luck::of(7, &format!("{id}-{n}"), "label");
            let request = LabelRequest {
                key: smol_str::format_smolstr!("k{n}"),
                parcel: "AMA-000001-1".into(),
                service: service.into(),
                warehouse: "LAX".into(),
                from: address(&mut luck, from),
                to: address(&mut luck, "US"),
                weight_g: 450,
                dims: Dims::new(220, 160, 90),
                value: Money::new(Decimal::new(2_599, 2), Currency::USD),
                contents: "phone case".into(),
                battery: false,
                ship_at: clock.now() + twin::Span::from_hours(6),
                time_zone: twin::TimeZone::UTC,
            };
            let label = virtual_runtime(&clock).unwrap().block_on(carrier.buy_label(request)).unwrap().value;
            let codes = decoded(&label.zpl);
            assert!(
                names(&codes, label.tracking.as_str()),
                "{id}: {} in {codes:?}\n{}",
                label.tracking,
                String::from_utf8_lossy(&label.zpl)
            );
            assert!(label.plate.as_ref().is_none_or(|plate| names(&codes, plate.as_str())), "{id}: {:?} in {codes:?}", label.plate);
            let expected = if id == "mydhl" { 3 } else { 1 };
            assert_eq!(codes.len(), expected, "{id}: {codes:?}");
            if id == "usps" {
                assert!(codes[0].starts_with("]C1420"), "{codes:?}");
            }
        }
    }
}

/// What a printer has no font for is on the paper all the same, dot by dot as the font in the program has it, beside the
/// text and not over it; other scripts than Latin, Greek and Cyrillic never reach the printer as text.
#[test]
fn other_scripts_are_printed_without_a_font_in_the_printer() {
    let line = |sku: &str| twin::parcel::Item { sku: twin::Sku::new(sku), quantity: 2, ..Default::default() };
    for sku in ["茶", "TÊTE-茶1", "ラベル-7", "한국-한국", "ชา", "תה-1", "茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶"]
    {
        let slip = actors::slip::pick_slip(&"A-1".into(), &[line(sku)]);
        assert!(slip.contains("^FDPICK 2^FS") && slip.matches("^GFA").count() == 1, "{sku}: {slip}");
        let (width, black) = printed(&slip);
        // Where the picture stands, and the sheet without it.
        let at = slip[..slip.find("^GFA").unwrap()].rfind("^FO").unwrap();
        let place: Vec<usize> = slip[at + 3..].split(['^', ',']).take(2).map(|n| n.parse().unwrap()).collect();
        let bytes: Vec<usize> = slip[slip.find("^GFA").unwrap() + 5..].split(',').take(3).map(|n| n.parse().unwrap()).collect();
        let (left, top, wide, high) = (place[0], place[1], bytes[2] * 8, bytes[0] / bytes[2]);
        assert!(left + wide <= 812 && high >= 16, "{sku}: {wide} × {high} at {left},{top}");
        let end = at + slip[at..].find("^FS").unwrap() + 3;
        let (_, without) = printed(&[&slip[..at], &slip[end..]].concat());
        let inside = |n: usize| (left..left + wide).contains(&(n % width)) && (top..top + high).contains(&(n / width));
        let glyphs: u32 = sku.chars().filter(|_| wide > 0).map(|c| ink(c, (high / 16) as u32)).sum();
        let drawn = black.iter().enumerate().filter(|(n, dot)| **dot && inside(*n)).count();
        // Marks that stand on a letter may cover a dot of it.
        assert!(drawn as u32 <= glyphs && drawn as u32 * 10 >= glyphs * 9, "{sku}: {drawn} dots of {glyphs}");
        assert!(without.iter().enumerate().all(|(n, dot)| !(*dot && inside(n))), "{sku}: text stands under the picture");
        assert!(black.iter().zip(&without).enumerate().all(|(n, (a, b))| a == b || inside(n)), "{sku}: ink outside the picture");
    }
    // A label of a simulated carrier.
    let names = ["仓库", "南山区前海路 1 号"];
    let slip = actors::slip::shelf_sheet(&"A-1".into(), &names.join(" "));
    assert!(slip.contains("^GFA") && printed(&slip).1.iter().filter(|dot| **dot).count() > 1_000);
    let plain = actors::slip::pick_slip(&"A-1".into(), &[line("TÊTE-Ω-Ж")]);
    assert!(plain.contains("^FDPICK 2 TÊTE-Ω-Ж^FS") && !plain.contains("^GF"), "{plain}");
}

/// The dots of one character, `scale` times as large.
fn ink(c: char, scale: u32) -> u32 {
    let mut zpl = String::new();
    drivers::devices::glyphs::draw(&mut zpl, (0, 0), 1, 64, 1, &c.to_string());
    let (_, black) = printed(&format!("{}{zpl}^XZ", drivers::devices::zpl::HEAD));
    black.iter().filter(|dot| **dot).count() as u32 * scale * scale
}

#[test]
fn our_own_sheets_decode() {
    let line = |sku: &str| twin::parcel::Item { sku: twin::Sku::new(sku), quantity: 2, ..Default::default() };
    for id in ["A-1", "SHO-DEMO-1-1", "AMA-20261109-000001-1", "X^XZ~JA_5E\\-1", "A>B-1", &"LONG-".repeat(12)] {
        // The second would paint the sheet black, if it were obeyed.
        let lines = [(0..40).map(|n| line(&format!("TÊTE-茶{n}"))).collect(), vec![line("x^FS^FO0,0^GB800,1200,600^FS")]].concat();
        let slips = actors::slip::pick_slip(&id.into(), &lines);
        for slip in slips.split_inclusive("^XZ").filter(|s| s.contains("^XA")) {
            let codes = decoded(slip.as_bytes());
            assert_eq!(codes.iter().find_map(|c| actors::slip::parcel_of(c)), Some(id.into()), "{codes:?}\n{slip}");
        }
    }
    let bag = BagId::new(twin::sscc::sscc("6901234", 7));
    let codes = decoded(actors::slip::bag_tag(&bag, 65_535, &"usps/ground-advantage".into(), 120).as_bytes());
    assert_eq!(codes, [format!("]C100{bag}")]);
    assert_eq!(actors::slip::bag_of(&codes[0]), Some(bag));
}

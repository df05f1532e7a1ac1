//! What the simulated carriers charge: small tariffs of our own with the shape of the real ones (zones, weight bands,
//! volumetric weight, fuel), near their level. Whole cents; no price here is a published one.

/// A USPS mail class that is sold to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailClass {
    pub name: &'static str,
    pub product: &'static str,
    pub rate_indicator: &'static str,
    /// Service type code in the number (IMpb).
    pub service_type: &'static str,
    pub days_min: u8,
    pub days_max: u8,
    /// Cents for the first pound in zone 0, more per zone, more per pound, more per pound and zone.
    first: i64,
    per_zone: i64,
    per_pound: i64,
    per_pound_zone: i64,
    /// Light parcels are priced by the ounce.
    by_ounce: bool,
}

pub const MAIL_CLASSES: [MailClass; 3] = [
    MailClass {
        name: "USPS_GROUND_ADVANTAGE",
        product: "USPS Ground Advantage",
        rate_indicator: "SP",
        service_type: "612",
        days_min: 2,
        days_max: 5,
        first: 690,
        per_zone: 24,
        per_pound: 42,
        per_pound_zone: 15,
        by_ounce: true,
    },
    MailClass {
        name: "PRIORITY_MAIL",
        product: "Priority Mail",
        rate_indicator: "SP",
        service_type: "055",
        days_min: 1,
        days_max: 3,
        first: 790,
        per_zone: 32,
        per_pound: 58,
        per_pound_zone: 27,
        by_ounce: false,
    },
    MailClass {
        name: "PRIORITY_MAIL_EXPRESS",
        product: "Priority Mail Express",
        rate_indicator: "PA",
        service_type: "701",
        days_min: 1,
        days_max: 2,
        first: 2_650,
        per_zone: 140,
        per_pound: 170,
        per_pound_zone: 58,
        by_ounce: false,
    },
];

/// The heaviest parcel, in hundredths of a pound.
pub const USPS_POUNDS_MAX: i64 = 7_000;
/// Longest side and girth together, in hundredths of an inch.
pub const USPS_GIRTH_MAX: i64 = 13_000;
/// Above this many cubic inches (in millionths) volume counts, at 166 in³ to the pound.
const CUBIC_FOOT: i64 = 1_728_000_000;
const DIVISOR: i64 = 166_000_000;
/// Up to 4, 8 and 12 oz and a pound, in hundredths of a pound, with what is taken off the price of a pound.
const OUNCES: [(i64, i64); 4] = [(25, 245), (50, 180), (75, 95), (100, 0)];

pub fn mail_class(name: &str) -> Option<&'static MailClass> {
    MAIL_CLASSES.iter().find(|class| class.name == name)
}

/// Zone 1 (the same first three digits) to 8, by how far apart the first digits are.
pub fn usps_zone(from_zip: &str, to_zip: &str) -> u8 {
    let first = |zip: &str| zip.bytes().next().unwrap_or(b'0');
    match (from_zip.get(..3), to_zip.get(..3)) {
        (Some(from), Some(to)) if from == to => 1,
        _ => (2 + first(from_zip).abs_diff(first(to_zip))).min(8),
    }
}

/// Whole pounds by volume of three sides in hundredths of an inch, or 0 where volume does not count.
pub fn usps_dimensional_pounds(sides: [i64; 3]) -> i64 {
    let volume: i64 = sides.iter().product();
    if volume > CUBIC_FOOT { (volume + DIVISOR - 1) / DIVISOR } else { 0 }
}

/// Cents for `weight` (hundredths of a pound, already the greater of actual and dimensional).
pub fn usps_cents(class: &MailClass, zone: u8, weight: i64) -> i64 {
    let zone = i64::from(zone);
    let first = class.first + class.per_zone * zone;
    if class.by_ounce
        && let Some((_, off)) = OUNCES.iter().find(|(up_to, _)| weight <= *up_to)
    {
        return first - off;
    }
    let more = (weight + 99) / 100 - 1;
    first + more.max(0) * (class.per_pound + class.per_pound_zone * zone)
}

/// Regions between which DHL Express has zones.
fn region(country: &str) -> usize {
    match country {
        "CN" | "HK" | "MO" | "TW" | "JP" | "KR" | "MN" => 0,
        "SG" | "MY" | "TH" | "VN" | "ID" | "PH" | "AU" | "NZ" | "IN" => 1,
        "US" | "CA" | "MX" => 3,
        "AE" | "SA" | "QA" | "KW" | "IL" | "TR" | "EG" | "ZA" | "NG" | "KE" | "MA" => 4,
        "BR" | "AR" | "CL" | "CO" | "PE" => 5,
        _ => 2,
    }
}

/// Zone by region of origin and of destination.
const DHL_ZONES: [[u8; 6]; 6] =
    [[1, 2, 4, 4, 5, 6], [2, 2, 4, 4, 5, 6], [4, 4, 1, 3, 4, 5], [4, 4, 3, 1, 5, 4], [5, 5, 4, 5, 3, 6], [6, 6, 5, 4, 6, 3]];
/// Cents for the first half kilogram and for each more, by zone; zone 0 is domestic.
const DHL_CENTS: [(i64, i64); 7] = [(1_150, 90), (2_150, 260), (2_480, 310), (2_890, 395), (3_120, 430), (3_740, 560), (4_420, 690)];
/// Fuel surcharge, in tenths of a percent.
const DHL_FUEL_TENTHS: i64 = 275;
/// Before noon costs this many cents more.
const DHL_NOON_CENTS: i64 = 1_500;

/// Zone 0 is domestic.
pub fn dhl_zone(from: &str, to: &str) -> u8 {
    if from == to { 0 } else { DHL_ZONES[region(from)][region(to)] }
}

/// Grams by volume: L·W·H (mm) / 5000 per kilogram and cm³.
pub fn dhl_volumetric_g(sides_mm: [i64; 3]) -> i64 {
    (sides_mm.iter().product::<i64>() + 4_999) / 5_000
}

/// Cents of freight and of fuel for chargeable grams, in steps of half a kilogram.
pub fn dhl_cents(zone: u8, chargeable_g: i64, before_noon: bool) -> (i64, i64) {
    let (first, more) = DHL_CENTS[usize::from(zone.min(6))];
    let halves = (chargeable_g.max(1) + 499) / 500;
    let freight = first + more * (halves - 1) + if before_noon { DHL_NOON_CENTS } else { 0 };
    (freight, (freight * DHL_FUEL_TENTHS + 500) / 1_000)
}

/// A direct line: a fee per parcel and a price per kilogram, to the gram from 50 g, in fen (hundredths of a yuan).
pub fn line_fen(to: &str, weight_g: i64) -> i64 {
    let (fee, per_kg) = match region(to) {
        0 => (900, 3_200),
        1 => (1_400, 4_800),
        2 => (1_900, 5_900),
        3 => (2_100, 7_800),
        _ => (2_400, 9_400),
    };
    fee + (weight_g.max(50) * per_kg + 999) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn farther_and_heavier_cost_more() {
        for class in &MAIL_CLASSES {
            for zone in 1..8 {
                for pounds in 1..70 {
                    let cents = usps_cents(class, zone, pounds * 100);
                    assert!(cents < usps_cents(class, zone + 1, pounds * 100) && cents < usps_cents(class, zone, pounds * 100 + 1));
                }
            }
        }
        assert!(usps_cents(&MAIL_CLASSES[0], 4, 20) < usps_cents(&MAIL_CLASSES[0], 4, 40));
        let (freight, fuel) = dhl_cents(4, 501, false);
        assert_eq!((freight, fuel), (3_550, 976));
        assert!(dhl_cents(4, 500, true).0 > freight - 430);
    }

    #[test]
    fn volume_counts_where_it_must() {
        assert_eq!(usps_dimensional_pounds([1_200, 1_200, 1_200]), 0);
        assert_eq!(usps_dimensional_pounds([1_200, 1_200, 1_300]), 12);
        assert_eq!(dhl_volumetric_g([300, 200, 100]), 1_200);
        assert_eq!((usps_zone("90001", "90045"), usps_zone("90001", "94105"), usps_zone("90001", "10001")), (1, 2, 8));
        assert_eq!((dhl_zone("DE", "DE"), dhl_zone("DE", "FR"), dhl_zone("CN", "US")), (0, 1, 4));
    }
}

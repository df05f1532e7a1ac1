//! What is sent to USPS: our words in its bodies. Pounds and inches with two decimals, rounded up; dates in UTC.

use crate::carriers::Secret;
use crate::carriers::calendar;
use crate::carriers::figures::{Figure, inches, pounds};
use serde::Serialize;
use smol_str::SmolStr;
use twin::channel::{LabelRequest, QuoteRequest};
use twin::{Address, Dims, Grams, TrackingNumber};

/// Longest customer reference, in characters (labels 3.9.8, `referenceNumber`).
const REFERENCE_MAX: usize = 30;
/// Longest street line, in characters.
const STREET_MAX: usize = 50;
/// One cubic foot, above which size can count for more than weight, in mm³.
const CUBIC_FOOT_MM3: u64 = 28_316_847;
/// A machinable parcel is at most 22 × 18 × 15 in and 25 lb (DMM 201.7.5.2) …
const MACHINABLE_MAX_MM: [u32; 3] = [558, 457, 381];
const MACHINABLE_MAX_G: Grams = 11_339;
/// … and at least 6 × 3 × ¼ in.
const MACHINABLE_MIN_MM: [u32; 3] = [152, 76, 6];

pub const MACHINABLE: &str = "MACHINABLE";
pub const NONSTANDARD: &str = "NONSTANDARD";

/// Who pays: what USPS needs before it sells a label.
#[derive(Clone, Debug, PartialEq)]
pub struct Payer {
    pub crid: SmolStr,
    pub mid: SmolStr,
    pub manifest_mid: SmolStr,
    pub eps_account: SmolStr,
}

impl Payer {
    /// `CRID/MID/manifest MID/EPS account`, or the EPS account alone.
    pub fn read(account: &str) -> Self {
        let parts: Vec<&str> = account.split('/').collect();
        match parts[..] {
            [crid, mid, manifest_mid, eps] => {
                Payer { crid: crid.into(), mid: mid.into(), manifest_mid: manifest_mid.into(), eps_account: eps.into() }
            }
            _ => Payer { crid: "".into(), mid: "".into(), manifest_mid: "".into(), eps_account: account.into() },
        }
    }
}

#[derive(Serialize)]
pub struct Access<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    grant_type: &'static str,
}

pub fn access(secret: &Secret) -> Access<'_> {
    let (client_id, client_secret) = secret.halves();
    Access { client_id, client_secret, grant_type: "client_credentials" }
}

#[derive(Serialize)]
pub struct Payment<'a> {
    roles: [Role<'a>; 2],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Role<'a> {
    role_name: &'static str,
    #[serde(rename = "CRID")]
    crid: &'a str,
    #[serde(rename = "MID")]
    mid: &'a str,
    #[serde(rename = "manifestMID")]
    manifest_mid: &'a str,
    account_type: &'static str,
    account_number: &'a str,
}

pub fn payment(payer: &Payer) -> Payment<'_> {
    let role = |role_name| Role {
        role_name,
        crid: &payer.crid,
        mid: &payer.mid,
        manifest_mid: &payer.manifest_mid,
        account_type: "EPS",
        account_number: &payer.eps_account,
    };
    Payment { roles: [role("PAYER"), role("LABEL_OWNER")] }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OptionsSearch<'a> {
    pricing_options: [PricingOption<'a>; 1],
    #[serde(rename = "originZIPCode")]
    origin_zip_code: &'a str,
    #[serde(rename = "destinationZIPCode")]
    destination_zip_code: &'a str,
    destination_entry_facility_type: &'static str,
    package_description: PricedPackage,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PricingOption<'a> {
    price_type: &'static str,
    payment_account: PaymentAccount<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PaymentAccount<'a> {
    account_type: &'static str,
    account_number: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PricedPackage {
    weight: Figure,
    length: Figure,
    width: Figure,
    height: Figure,
    mail_class: &'static str,
    mailing_date: SmolStr,
}

/// Commercial prices of every mail class for one parcel.
pub fn options_search<'a>(request: &'a QuoteRequest, payer: &'a Payer) -> OptionsSearch<'a> {
    let account = PaymentAccount { account_type: "EPS", account_number: &payer.eps_account };
    OptionsSearch {
        pricing_options: [PricingOption { price_type: "COMMERCIAL", payment_account: account }],
        origin_zip_code: zip(&request.from.postcode).0,
        destination_zip_code: zip(&request.to.postcode).0,
        destination_entry_facility_type: "NONE",
        package_description: PricedPackage {
            weight: Figure(pounds(request.weight_g)),
            length: Figure(inches(request.dims.length_mm)),
            width: Figure(inches(request.dims.width_mm)),
            height: Figure(inches(request.dims.height_mm)),
            mail_class: "ALL",
            mailing_date: calendar::date(request.ship_at),
        },
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Label<'a> {
    image_info: ImageInfo,
    to_address: Party<'a>,
    from_address: Party<'a>,
    package_description: LabelPackage<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ImageInfo {
    image_type: &'static str,
    label_type: &'static str,
    receipt_option: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Party<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    first_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    last_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    firm: &'a str,
    street_address: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    secondary_address: &'a str,
    city: &'a str,
    state: &'a str,
    #[serde(rename = "ZIPCode")]
    zip_code: &'a str,
    #[serde(rename = "ZIPPlus4", skip_serializing_if = "str::is_empty")]
    zip_plus_4: &'a str,
    /// USPS recommends `false`: an address it cannot find is refused now, while a person can still mend it.
    ignore_bad_address: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LabelPackage<'a> {
    #[serde(rename = "weightUOM")]
    weight_uom: &'static str,
    weight: Figure,
    #[serde(rename = "dimensionsUOM")]
    dimensions_uom: &'static str,
    length: Figure,
    width: Figure,
    height: Figure,
    mail_class: &'a str,
    rate_indicator: &'static str,
    processing_category: &'static str,
    destination_entry_facility_type: &'static str,
    customer_reference: [Reference<'a>; 1],
    mailing_date: SmolStr,
    #[serde(rename = "inductionZIPCode")]
    induction_zip_code: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reference<'a> {
    reference_number: &'a str,
    print_reference_number: bool,
}

/// A 4 × 6 in label in ZPL.
pub fn label(request: &LabelRequest) -> Label<'_> {
    Label {
        image_info: ImageInfo { image_type: "ZPL203DPI", label_type: "4X6LABEL", receipt_option: "NONE" },
        to_address: party(&request.to),
        from_address: party(&request.from),
        package_description: LabelPackage {
            weight_uom: "lb",
            weight: Figure(pounds(request.weight_g)),
            dimensions_uom: "in",
            length: Figure(inches(request.dims.length_mm)),
            width: Figure(inches(request.dims.width_mm)),
            height: Figure(inches(request.dims.height_mm)),
            mail_class: &request.service,
            rate_indicator: indicator(&request.service, request.dims),
            processing_category: category(request.weight_g, request.dims),
            destination_entry_facility_type: "NONE",
            customer_reference: [Reference { reference_number: cut(request.parcel.as_str(), REFERENCE_MAX), print_reference_number: true }],
            mailing_date: calendar::date(request.ship_at),
            induction_zip_code: zip(&request.from.postcode).0,
        },
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tracked<'a> {
    tracking_number: &'a str,
}

pub fn tracking(numbers: &[TrackingNumber]) -> Vec<Tracked<'_>> {
    numbers.iter().map(|n| Tracked { tracking_number: n.as_str() }).collect()
}

/// Whether the machines can take it (DMM 201.7.5). Nonstandard parcels may cost more.
pub fn category(weight_g: Grams, dims: Dims) -> &'static str {
    let sides = dims.sorted();
    let fits = sides.iter().zip(MACHINABLE_MAX_MM).all(|(side, max)| *side <= max);
    let large_enough = sides.iter().zip(MACHINABLE_MIN_MM).all(|(side, min)| *side >= min);
    if fits && large_enough && weight_g <= MACHINABLE_MAX_G { MACHINABLE } else { NONSTANDARD }
}

/// The rate in our own packaging: `PA` for Express, `DR` (dimensional, rectangular) above one cubic foot, else `SP`.
fn indicator(mail_class: &str, dims: Dims) -> &'static str {
    match mail_class {
        "PRIORITY_MAIL_EXPRESS" => "PA",
        _ if dims.volume_mm3() > CUBIC_FOOT_MM3 => "DR",
        _ => "SP",
    }
}

/// A name of two words or more is a person; a single word goes on the firm's line, which USPS takes without a surname.
fn party(address: &Address) -> Party<'_> {
    let (first_name, last_name, firm) = match address.name.trim().split_once(' ') {
        Some((first, last)) => (first, last, ""),
        None => ("", "", address.name.trim()),
    };
    let (zip_code, zip_plus_4) = zip(&address.postcode);
    let (street_address, secondary_address) = street(&address.street);
    Party {
        first_name,
        last_name,
        firm,
        street_address,
        secondary_address,
        city: &address.city,
        state: address.us_state().unwrap_or(&address.region),
        zip_code,
        zip_plus_4,
        ignore_bad_address: false,
    }
}

/// `1309 S Agnew Avenue, Apt 303` is a street and a second line.
fn street(street: &str) -> (&str, &str) {
    let (first, second) = street.split_once(',').unwrap_or((street, ""));
    (cut(first.trim(), STREET_MAX), cut(second.trim(), STREET_MAX))
}

/// `73108-1234` is a ZIP code and its four more digits.
fn zip(postcode: &str) -> (&str, &str) {
    postcode.trim().split_once('-').unwrap_or((postcode.trim(), ""))
}

fn cut(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).map_or(text, |(end, _)| &text[..end])
}

//! What is sent to USPS: our words in its bodies. Pounds and inches with two decimals, rounded up; dates as the warehouse
//! has them. What the labels API (3.9.13) would refuse is refused here, with the field named.

use crate::carriers::Secret;
use crate::carriers::calendar;
use crate::carriers::figures::{Figure, inches, pounds};
use crate::carriers::fitting::{self, count, length, of, optional, whole};
use serde::Serialize;
use smol_str::SmolStr;
use twin::address::{countries, is_declared, postcodes};
use twin::channel::{LabelRequest, QuoteRequest};
use twin::defect::{Defect, Wrong};
use twin::money::Currency;
use twin::{Address, Dims, Grams, Moment, TimeZone, TrackingNumber};

/// Longest customer reference, in characters (labels 3.9.13, `referenceNumber`).
const REFERENCE_MAX: usize = 30;
/// Longest first name, last name, firm and street line, in characters (labels 3.9.13).
const LINE_MAX: usize = 50;
/// Longest city, in characters.
const CITY_MAX: usize = 28;
/// Longest description of goods on a customs form, in characters.
const DESCRIPTION_MAX: usize = 30;
/// The heaviest parcel: 70 lb.
const WEIGHT_MAX_G: Grams = 31_751;
/// "HAZMAT Class 9 - Lithium batteries, unmarked package": what a consumer device with its battery inside travels as.
const LITHIUM_UNMARKED: u16 = 820;
/// Shipments worth 2,500 USD or less are not filed (15 CFR 30.37(a)).
const NO_FILING: &str = "NO EEI 30.37(a)";
const NO_FILING_MAX: u32 = 2_500;
/// One cubic foot, above which size can count for more than weight, in mm³.
const CUBIC_FOOT_MM3: u64 = 28_316_847;
/// A machinable parcel is at most 22 × 18 × 15 in and 25 lb (DMM 201.7.5.2) …
const MACHINABLE_MAX_MM: [u32; 3] = [558, 457, 381];
const MACHINABLE_MAX_G: Grams = 11_339;
/// … and at least 6 × 3 × ¼ in: 152.4 × 76.2 × 6.35 mm, and a side of 152 mm is too short.
const MACHINABLE_MIN_MM: [u32; 3] = [153, 77, 7];

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
    origin_zip_code: SmolStr,
    #[serde(rename = "destinationZIPCode")]
    destination_zip_code: SmolStr,
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extra_services: Vec<u16>,
}

fn extra_services(battery: bool) -> Vec<u16> {
    if battery { vec![LITHIUM_UNMARKED] } else { Vec::new() }
}

/// The pickup's date where the parcel is.
pub fn mailing_day(ship_at: Moment, time_zone: &TimeZone) -> Moment {
    time_zone.wall(ship_at)
}

/// Commercial prices of every mail class for one parcel.
pub fn options_search<'a>(request: &'a QuoteRequest, payer: &'a Payer) -> Result<OptionsSearch<'a>, Defect> {
    let account = PaymentAccount { account_type: "EPS", account_number: &payer.eps_account };
    Ok(OptionsSearch {
        pricing_options: [PricingOption { price_type: "COMMERCIAL", payment_account: account }],
        origin_zip_code: zip("from", &request.from)?.0,
        destination_zip_code: zip("to", &request.to)?.0,
        destination_entry_facility_type: "NONE",
        package_description: PricedPackage {
            weight: Figure(pounds(request.weight_g)),
            length: Figure(inches(request.dims.length_mm)),
            width: Figure(inches(request.dims.width_mm)),
            height: Figure(inches(request.dims.height_mm)),
            mail_class: "ALL",
            mailing_date: calendar::date(mailing_day(request.ship_at, &request.time_zone)),
            extra_services: extra_services(request.battery),
        },
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Label<'a> {
    image_info: ImageInfo,
    to_address: Party,
    from_address: Party,
    package_description: LabelPackage<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customs_form: Option<CustomsForm>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ImageInfo {
    image_type: &'static str,
    label_type: &'static str,
    receipt_option: &'static str,
}

/// A label sold before, as it was asked for then.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reprint {
    image_info: ReprintImage,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReprintImage {
    image_type: &'static str,
    label_type: &'static str,
}

pub const REPRINT: Reprint = Reprint { image_info: ReprintImage { image_type: "ZPL203DPI", label_type: "4X6LABEL" } };

/// The UUID of a purchase. Our key is unique to a site, USPS's to a customer (CRID), who may have many sites with orders of the
/// same numbers: so it is made of whom the parcel is for as well, and of nothing that a later asking may have otherwise. It
/// has the form of a random one (version 4, RFC 9562), which is what USPS wants to see; the bits are those of a hash.
pub fn idempotency_key(request: &LabelRequest) -> String {
    let LabelRequest { key, parcel, service, warehouse, to, .. } = request;
    let parts = [key, parcel.text(), service, warehouse.text(), &to.name, &to.company, &to.street, &to.street2, &to.postcode, &to.country];
    let mut told = b"usps label".to_vec();
    for part in parts {
        told.extend_from_slice(&(part.len() as u64).to_le_bytes());
        told.extend_from_slice(part.as_bytes());
    }
    let hash = u128::from_be_bytes(twin::Hash::of(&told).0[..16].try_into().unwrap_or_default());
    let bits = hash & !(0xf << 76) & !(0b11 << 62) | 4 << 76 | 0b10 << 62;
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Party {
    #[serde(skip_serializing_if = "SmolStr::is_empty")]
    first_name: SmolStr,
    #[serde(skip_serializing_if = "SmolStr::is_empty")]
    last_name: SmolStr,
    #[serde(skip_serializing_if = "SmolStr::is_empty")]
    firm: SmolStr,
    street_address: SmolStr,
    #[serde(skip_serializing_if = "SmolStr::is_empty")]
    secondary_address: SmolStr,
    city: SmolStr,
    state: &'static str,
    #[serde(rename = "ZIPCode")]
    zip_code: SmolStr,
    #[serde(rename = "ZIPPlus4", skip_serializing_if = "SmolStr::is_empty")]
    zip_plus_4: SmolStr,
    #[serde(skip_serializing_if = "SmolStr::is_empty")]
    phone: SmolStr,
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
    customer_reference: [Reference; 1],
    mailing_date: SmolStr,
    #[serde(rename = "inductionZIPCode")]
    induction_zip_code: SmolStr,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extra_services: Vec<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package_options: Option<PackageOptions>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PackageOptions {
    content_type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    reference_number: SmolStr,
    print_reference_number: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CustomsForm {
    customs_content_type: &'static str,
    #[serde(rename = "AESITN")]
    aes_itn: &'static str,
    contents: [Goods; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Goods {
    item_description: SmolStr,
    item_quantity: u16,
    item_total_value: Figure,
    item_total_weight: Figure,
    #[serde(rename = "weightUOM")]
    weight_uom: &'static str,
}

/// A 4 × 6 in label in ZPL.
pub fn label(request: &LabelRequest) -> Result<Label<'_>, Defect> {
    fitting::measured(request)?;
    if request.weight_g > WEIGHT_MAX_G {
        return Err(Defect::new("weight_g", Wrong::Heavy { weight_g: request.weight_g, limit_g: WEIGHT_MAX_G }));
    }
    let (to_address, from_address) = (party("to", &request.to)?, party("from", &request.from)?);
    // Domestic mail also goes to places outside the customs territory, and to military post (DMM 608.2.4).
    let declared = is_declared(&request.from, &request.to);
    Ok(Label {
        image_info: ImageInfo { image_type: "ZPL203DPI", label_type: "4X6LABEL", receipt_option: "NONE" },
        customs_form: declared.then(|| customs_form(request)).transpose()?,
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
            customer_reference: [Reference {
                reference_number: fitting::reference(request.parcel.as_str(), REFERENCE_MAX),
                print_reference_number: true,
            }],
            mailing_date: calendar::date(mailing_day(request.ship_at, &request.time_zone)),
            induction_zip_code: from_address.zip_code.clone(),
            extra_services: extra_services(request.battery),
            package_options: request.battery.then_some(PackageOptions { content_type: "HAZMAT" }),
        },
        to_address,
        from_address,
    })
}

fn customs_form(request: &LabelRequest) -> Result<CustomsForm, Defect> {
    let value = request.value.rounded();
    if value.currency != Currency::USD {
        return Err(Defect::new("value", Wrong::NotUsd { value }));
    }
    if value.amount <= 0.into() || value.amount > NO_FILING_MAX.into() {
        return Err(Defect::new("value", Wrong::Filing { value, limit: NO_FILING_MAX }));
    }
    let goods = Goods {
        item_description: fitting::contents(&request.contents, DESCRIPTION_MAX)?,
        item_quantity: 1,
        item_total_value: Figure(value.amount),
        item_total_weight: Figure(pounds(request.weight_g)),
        weight_uom: "lb",
    };
    Ok(CustomsForm { customs_content_type: "MERCHANDISE", aes_itn: NO_FILING, contents: [goods] })
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

/// Whether a parcel can come from there.
pub fn origin(address: &Address) -> Result<(), Defect> {
    if address.us_state().is_none() && address.country != "US" {
        return Err(Defect::new("address.country", Wrong::NotCollected { country: address.country.clone() }));
    }
    party("address", address).map(drop)
}

fn party(side: &str, address: &Address) -> Result<Party, Defect> {
    let (zip_code, zip_plus_4) = zip(side, address)?;
    let (first_name, last_name, firm) = names(side, address)?;
    let [street_address, secondary_address] = street(side, address)?;
    Ok(Party {
        first_name,
        last_name,
        firm,
        street_address,
        secondary_address,
        city: whole(side, "city", &address.city, CITY_MAX)?.into(),
        state: address.us_state().ok_or_else(|| Defect::new(of(side, "region"), Wrong::NoState { given: address.region.clone() }))?,
        zip_code,
        zip_plus_4,
        phone: phone(&address.phone),
        ignore_bad_address: false,
    })
}

/// A name of two words or more is a person; a single word goes on the firm's line, which USPS takes without a surname,
/// unless a company stands there.
fn names(side: &str, address: &Address) -> Result<(SmolStr, SmolStr, SmolStr), Defect> {
    let firm = optional(side, "company", &address.company, LINE_MAX)?;
    let name = if firm.is_empty() { whole(side, "name", &address.name, 2 * LINE_MAX)? } else { address.name.trim() };
    let words: Vec<&str> = name.split_whitespace().collect();
    let person = match words[..] {
        [] => return Ok((SmolStr::default(), SmolStr::default(), firm.into())),
        [word] if firm.is_empty() && length(word) <= LINE_MAX => return Ok((SmolStr::default(), SmolStr::default(), word.into())),
        [word] => Some((SmolStr::from(word), SmolStr::default())),
        // The first word, or as many more as leave a surname that fits.
        _ => (1..words.len())
            .map(|n| (SmolStr::from(words[..n].join(" ")), SmolStr::from(words[n..].join(" "))))
            .find(|p| length(&p.1) <= LINE_MAX),
    };
    let person = person.filter(|(first, last)| length(first) <= LINE_MAX && length(last) <= LINE_MAX);
    let too_long = || Defect::new(of(side, "name"), Wrong::TwoNames { characters: count(length(name)), limit: count(LINE_MAX) });
    let (first, last) = person.ok_or_else(too_long)?;
    Ok((first, last, firm.into()))
}

/// `1309 S Agnew Avenue, Apt 303` is a street and a second line, if a number and a name stand before the comma: `12, High
/// Street` is one.
fn street(side: &str, address: &Address) -> Result<[SmolStr; 2], Defect> {
    let (street, below) = (address.street.trim(), address.street2.trim());
    if below.is_empty()
        && let Some((first, second)) = street.split_once(',')
    {
        let (first, second) = (first.trim(), second.trim());
        let is_street = first.chars().any(|c| c.is_ascii_digit()) && first.chars().any(char::is_alphabetic);
        if is_street && length(first) <= LINE_MAX && length(second) <= LINE_MAX {
            return Ok([first.into(), second.into()]);
        }
    }
    fitting::street(side, street, below, LINE_MAX)
}

/// The ZIP code and its four more digits, where they are there.
fn zip(side: &str, address: &Address) -> Result<(SmolStr, SmolStr), Defect> {
    let postcode = address.postcode.trim();
    let state = address.us_state().unwrap_or_default();
    let written = countries::country("US").and_then(|us| postcodes::written(us, postcode, state));
    let written = written.ok_or_else(|| Defect::new(of(side, "postcode"), Wrong::NoZip { given: postcode.into() }))?;
    let (five, four) = written.split_once('-').unwrap_or((&written, ""));
    Ok((five.into(), four.into()))
}

/// As USPS wants it: 6 to 15 digits. One that cannot be written so is left out; domestic mail needs none.
fn phone(phone: &str) -> SmolStr {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let plain = phone.chars().all(|c| c.is_ascii_digit() || "+-(). /".contains(c));
    if plain && (6..=15).contains(&digits.len()) { digits.into() } else { SmolStr::default() }
}

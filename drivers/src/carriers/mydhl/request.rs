//! What is sent to MyDHL: our words in its bodies. Kilograms to the gram, centimetres to the millimetre; times as the
//! warehouse has them. What the API (3.1.1) would refuse is refused here, with the field named.

use crate::carriers::calendar;
use crate::carriers::figures::{Figure, centimetres, kilograms};
use crate::carriers::fitting::{self, optional, whole};
use serde::Serialize;
use smol_str::{SmolStr, format_smolstr};
use std::fmt::Write;
use twin::channel::{LabelRequest, QuoteRequest};
use twin::defect::Defect;
use twin::{Address, Dims, Grams, Moment, Money, TimeZone, TrackingNumber};

/// Longest `Message-Reference`, in characters.
const MESSAGE_REFERENCE_MAX: usize = 36;
/// Longest city and line of an address, in characters; there are three lines.
const LINE_MAX: usize = 45;
const POSTCODE_MAX: usize = 12;
const PROVINCE_MAX: usize = 35;
const COMPANY_MAX: usize = 100;
const NAME_MAX: usize = 255;
const PHONE_MAX: usize = 70;
const EMAIL_MAX: usize = 70;
/// Longest content description, in characters.
const DESCRIPTION_MAX: usize = 70;
/// Longest description of goods on the export declaration, in characters.
const GOODS_MAX: usize = 512;
/// Lithium ion batteries in a device, PI967 section II: the service and the content that go together.
const BATTERY_SERVICE: &str = "HV";
const BATTERY_CONTENT: &str = "967";
/// Longest customer reference of a package, in characters.
const REFERENCE_MAX: usize = 35;
/// Whether a border of customs or tax lies between the two: by place, not by country letters.
pub fn declarable(from: &Address, to: &Address) -> bool {
    twin::address::is_declared(from, to)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rates<'a> {
    customer_details: Parties<Place<'a>>,
    accounts: [Account<'a>; 1],
    planned_shipping_date_and_time: SmolStr,
    unit_of_measurement: &'static str,
    is_customs_declarable: bool,
    monetary_amount: [Amount; 1],
    next_business_day: bool,
    packages: [Package; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Parties<T> {
    shipper_details: T,
    receiver_details: T,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Place<'a> {
    postal_code: &'a str,
    city_name: &'a str,
    country_code: &'a str,
    /// Of two characters at least; what is shorter is no code.
    #[serde(skip_serializing_if = "too_short")]
    province_code: &'a str,
}

/// A province code has two characters at least.
fn too_short(code: &str) -> bool {
    code.len() < 2
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Account<'a> {
    type_code: &'static str,
    number: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Amount {
    type_code: &'static str,
    value: Figure,
    currency: &'static str,
}

#[derive(Serialize)]
struct Package {
    weight: Figure,
    dimensions: Sides,
}

#[derive(Serialize)]
struct Sides {
    length: Figure,
    width: Figure,
    height: Figure,
}

fn sides(dims: Dims) -> Sides {
    let side = |mm| Figure(centimetres(mm));
    Sides { length: side(dims.length_mm), width: side(dims.width_mm), height: side(dims.height_mm) }
}

fn weight(weight_g: Grams) -> Figure {
    Figure(kilograms(weight_g))
}

fn place<'a>(side: &str, address: &'a Address) -> Result<Place<'a>, Defect> {
    // MyDHL knows places by their ISO codes: Puerto Rico is `PR`, Réunion `RE`.
    let country_code = address.place();
    let province_code = optional(side, "region", &address.region, PROVINCE_MAX)?;
    Ok(Place {
        postal_code: optional(side, "postcode", &address.postcode, POSTCODE_MAX)?,
        city_name: whole(side, "city", &address.city, LINE_MAX)?,
        country_code,
        // The place itself, where it is the country.
        province_code: if country_code == address.country { province_code } else { "" },
    })
}

/// `2024-11-05T22:00:00 GMT+08:00`.
fn planned(at: Moment, time_zone: &TimeZone) -> SmolStr {
    format_smolstr!("{} GMT{}", calendar::date_time(time_zone.wall(at)), time_zone.offset_text(at))
}

fn value(money: Money) -> Figure {
    Figure(money.rounded().amount)
}

/// The prices of every product for one parcel, also where the next collection is tomorrow.
pub fn rates<'a>(request: &'a QuoteRequest, account: &'a str) -> Result<Rates<'a>, Defect> {
    Ok(Rates {
        customer_details: Parties { shipper_details: place("from", &request.from)?, receiver_details: place("to", &request.to)? },
        accounts: [Account { type_code: "shipper", number: account }],
        planned_shipping_date_and_time: planned(request.ship_at, &request.time_zone),
        unit_of_measurement: "metric",
        is_customs_declarable: declarable(&request.from, &request.to),
        monetary_amount: [Amount { type_code: "declaredValue", value: value(request.value), currency: request.value.currency.code() }],
        next_business_day: true,
        packages: [Package { weight: weight(request.weight_g), dimensions: sides(request.dims) }],
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shipment<'a> {
    planned_shipping_date_and_time: SmolStr,
    pickup: Pickup,
    product_code: &'a str,
    get_rate_estimates: bool,
    accounts: [Account<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    value_added_services: Option<[Service; 1]>,
    output_image_properties: Images,
    customer_details: Parties<Party<'a>>,
    content: Content<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    service_code: &'static str,
    dangerous_goods: [DangerousGoods; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DangerousGoods {
    content_id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Pickup {
    is_requested: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Images {
    #[serde(rename = "printerDPI")]
    printer_dpi: u16,
    encoding_format: &'static str,
    image_options: [Image; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Image {
    type_code: &'static str,
    template_name: &'static str,
    is_requested: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Party<'a> {
    postal_address: PostalAddress<'a>,
    contact_information: Contact<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PostalAddress<'a> {
    postal_code: &'a str,
    city_name: &'a str,
    country_code: &'a str,
    #[serde(skip_serializing_if = "too_short")]
    province_code: &'a str,
    address_line1: SmolStr,
    #[serde(skip_serializing_if = "SmolStr::is_empty")]
    address_line2: SmolStr,
    #[serde(skip_serializing_if = "SmolStr::is_empty")]
    address_line3: SmolStr,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Contact<'a> {
    phone: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    email: &'a str,
    company_name: &'a str,
    full_name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Content<'a> {
    packages: [ShippedPackage; 1],
    is_customs_declarable: bool,
    declared_value: Figure,
    declared_value_currency: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    export_declaration: Option<ExportDeclaration<'a>>,
    description: SmolStr,
    incoterm: &'static str,
    unit_of_measurement: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShippedPackage {
    weight: Figure,
    dimensions: Sides,
    customer_references: [Reference; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    value: SmolStr,
    type_code: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExportDeclaration<'a> {
    line_items: [LineItem<'a>; 1],
    invoice: Invoice,
    export_reason_type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LineItem<'a> {
    number: u16,
    description: SmolStr,
    price: Figure,
    quantity: Quantity,
    manufacturer_country: &'a str,
    weight: Weights,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Quantity {
    value: u16,
    unit_of_measurement: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Weights {
    net_value: Figure,
    gross_value: Figure,
}

#[derive(Serialize)]
struct Invoice {
    number: SmolStr,
    date: SmolStr,
}

/// A waybill with its label in ZPL, and its price.
pub fn shipment<'a>(request: &'a LabelRequest, account: &'a str) -> Result<Shipment<'a>, Defect> {
    fitting::measured(request)?;
    let declarable = declarable(&request.from, &request.to);
    let label = Image { type_code: "label", template_name: "ECOM26_84_001", is_requested: true };
    let battery = || [Service { service_code: BATTERY_SERVICE, dangerous_goods: [DangerousGoods { content_id: BATTERY_CONTENT }] }];
    Ok(Shipment {
        planned_shipping_date_and_time: planned(request.ship_at, &request.time_zone),
        pickup: Pickup { is_requested: false },
        product_code: &request.service,
        get_rate_estimates: true,
        accounts: [Account { type_code: "shipper", number: account }],
        value_added_services: request.battery.then(battery),
        output_image_properties: Images { printer_dpi: 200, encoding_format: "zpl", image_options: [label] },
        customer_details: Parties {
            shipper_details: party("from", &request.from, "")?,
            receiver_details: party("to", &request.to, &request.from.phone)?,
        },
        content: Content {
            packages: [ShippedPackage {
                weight: weight(request.weight_g),
                dimensions: sides(request.dims),
                customer_references: [Reference { value: reference(request), type_code: "CU" }],
            }],
            is_customs_declarable: declarable,
            declared_value: value(request.value),
            declared_value_currency: request.value.currency.code(),
            export_declaration: declarable.then(|| export_declaration(request)).transpose()?,
            description: fitting::contents(&request.contents, DESCRIPTION_MAX)?,
            incoterm: "DAP",
            unit_of_measurement: "metric",
        },
    })
}

/// Whether a parcel can come from there. A telephone may still be missing: who plans a site is advised of that.
pub fn origin(address: &Address) -> Result<(), Defect> {
    party("address", address, "none").map(drop)
}

fn reference(request: &LabelRequest) -> SmolStr {
    fitting::reference(request.parcel.as_str(), REFERENCE_MAX)
}

fn export_declaration(request: &LabelRequest) -> Result<ExportDeclaration<'_>, Defect> {
    let date = calendar::date(request.time_zone.wall(request.ship_at));
    Ok(ExportDeclaration {
        line_items: [LineItem {
            number: 1,
            description: fitting::contents(&request.contents, GOODS_MAX)?,
            price: value(request.value),
            quantity: Quantity { value: 1, unit_of_measurement: "PCS" },
            manufacturer_country: request.from.place(),
            weight: Weights { net_value: weight(request.weight_g), gross_value: weight(request.weight_g) },
        }],
        invoice: Invoice { number: reference(request), date },
        export_reason_type: "permanent",
    })
}

/// One party. `or_phone` is given where the address has no telephone: MyDHL requires one, and the driver who cannot find a buyer
/// may at least ask the shipper.
fn party<'a>(side: &str, address: &'a Address, or_phone: &'a str) -> Result<Party<'a>, Defect> {
    let [address_line1, address_line2, address_line3] = fitting::street(side, &address.street, &address.street2, LINE_MAX)?;
    let Place { postal_code, city_name, country_code, province_code } = place(side, address)?;
    let company = optional(side, "company", &address.company, COMPANY_MAX)?;
    let full_name = optional(side, "name", &address.name, NAME_MAX)?;
    // Both are required: a person without a company is their own, and a company without a person too.
    let (company_name, full_name) = match (company, full_name) {
        ("", name) => (whole(side, "name", name, COMPANY_MAX)?, name),
        (company, "") => (company, company),
        both => both,
    };
    let phone = if address.phone.trim().is_empty() { or_phone } else { &address.phone };
    Ok(Party {
        postal_address: PostalAddress { postal_code, city_name, country_code, province_code, address_line1, address_line2, address_line3 },
        contact_information: Contact {
            phone: whole(side, "phone", phone, PHONE_MAX)?,
            email: optional(side, "email", &address.email, EMAIL_MAX)?,
            company_name,
            full_name,
        },
    })
}

/// `/tracking` with each number as a parameter of its own (the array is "exploded").
pub fn tracking(numbers: &[TrackingNumber]) -> String {
    let mut path = String::with_capacity(32 + numbers.len() * 36);
    path.push_str("/tracking?");
    for number in numbers {
        path.push_str("shipmentTrackingNumber=");
        path.extend(number.as_str().chars().filter(char::is_ascii_alphanumeric));
        path.push('&');
    }
    path.push_str("trackingView=all-checkpoints");
    path
}

/// The key itself, or where it is too long a digest of it (FNV-1a, 128 bits).
pub fn message_reference(key: &str) -> SmolStr {
    if key.len() <= MESSAGE_REFERENCE_MAX {
        return key.into();
    }
    let digest = key.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    });
    let mut text = String::with_capacity(32);
    let _ = write!(text, "{digest:032x}");
    text.into()
}

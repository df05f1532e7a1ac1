//! The bodies of the simulated MyDHL: what it reads and what it answers, field by field as the real one names them.

use super::book::{Sold, Stop};
use super::transit::{self, Scan};
use drivers::carriers::calendar;
use drivers::carriers::figures::Figure;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize, Serializer};
use smol_str::{SmolStr, format_smolstr};
use std::borrow::Cow;
use twin::channel::TrackStatus::{self, *};
use twin::{Moment, Money};

/// A number of kilograms or centimetres; the carrier counts in thousandths.
#[derive(Deserialize, Clone, Copy, Default)]
#[serde(transparent)]
pub struct Amount(f64);

impl Amount {
    pub fn thousandths(self) -> i64 {
        (self.0 * 1_000.0).round() as i64
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rates<'a> {
    #[serde(borrow)]
    pub customer_details: Parties<Place<'a>>,
    #[serde(borrow)]
    pub planned_shipping_date_and_time: Cow<'a, str>,
    #[serde(borrow)]
    pub packages: Vec<Package<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parties<T> {
    pub shipper_details: T,
    pub receiver_details: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place<'a> {
    #[serde(borrow)]
    pub postal_code: Cow<'a, str>,
    #[serde(borrow)]
    pub city_name: Cow<'a, str>,
    pub country_code: &'a str,
    #[serde(borrow, default)]
    pub province_code: Cow<'a, str>,
    /// On shipments only.
    #[serde(borrow, default)]
    pub address_line1: Cow<'a, str>,
    #[serde(borrow, default)]
    pub address_line2: Cow<'a, str>,
}

impl Place<'_> {
    pub fn stop(&self) -> Stop {
        Stop {
            city: SmolStr::new(&self.city_name),
            region: SmolStr::new(&self.province_code),
            postcode: SmolStr::new(&self.postal_code),
            country: self.country_code.into(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Package<'a> {
    pub weight: Amount,
    pub dimensions: Sides,
    #[serde(borrow, default)]
    pub customer_references: Vec<Reference<'a>>,
}

#[derive(Deserialize)]
pub struct Sides {
    pub length: Amount,
    pub width: Amount,
    pub height: Amount,
}

#[derive(Deserialize)]
pub struct Reference<'a> {
    #[serde(borrow)]
    pub value: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shipment<'a> {
    pub product_code: &'a str,
    #[serde(borrow)]
    pub output_image_properties: Images<'a>,
    #[serde(borrow)]
    pub customer_details: Parties<Party<'a>>,
    #[serde(borrow)]
    pub content: Content<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Images<'a> {
    pub encoding_format: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Party<'a> {
    #[serde(borrow)]
    pub postal_address: Place<'a>,
    #[serde(borrow)]
    pub contact_information: Contact<'a>,
}

impl Party<'_> {
    /// As they stand on the label.
    pub fn lines(&self) -> [[&str; 3]; 4] {
        let place = &self.postal_address;
        [
            [&self.contact_information.full_name, "", ""],
            [&place.address_line1, &place.address_line2, ""],
            [&place.postal_code, &place.city_name, &place.province_code],
            [place.country_code, "", ""],
        ]
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contact<'a> {
    #[serde(borrow)]
    pub full_name: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Content<'a> {
    #[serde(borrow)]
    pub packages: Vec<Package<'a>>,
    pub is_customs_declarable: bool,
    #[serde(default)]
    pub export_declaration: Option<ExportDeclaration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportDeclaration {
    #[serde(rename = "lineItems")]
    _line_items: Vec<serde::de::IgnoredAny>,
}

#[derive(Serialize)]
pub struct Problem<'a> {
    pub instance: &'static str,
    pub detail: &'a str,
    pub title: &'static str,
    pub message: &'static str,
    pub status: u16,
}

/// What a product costs on a lane.
pub struct Prices {
    pub code: &'static str,
    pub name: &'static str,
    pub total: Decimal,
    pub freight: Decimal,
    pub fuel: Decimal,
}

#[derive(Serialize)]
pub struct Products {
    pub products: Vec<Product>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    product_name: &'static str,
    product_code: &'static str,
    local_product_code: &'static str,
    network_type_code: &'static str,
    is_customer_agreement: bool,
    weight: Weights,
    total_price: [Price; 1],
    total_price_breakdown: [Breakdown; 1],
    delivery_capabilities: Delivery,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Weights {
    volumetric: Figure,
    provided: Figure,
    unit_of_measurement: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Price {
    currency_type: &'static str,
    price_currency: &'static str,
    price: Figure,
}

fn billed(amount: Decimal) -> Price {
    Price { currency_type: "BILLC", price_currency: "USD", price: Figure(amount) }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Breakdown {
    currency_type: &'static str,
    price_currency: &'static str,
    price_breakdown: [Part; 2],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    type_code: &'static str,
    price: Figure,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Delivery {
    delivery_type_code: &'static str,
    estimated_delivery_date_and_time: SmolStr,
    destination_service_area_code: SmolStr,
    total_transit_days: i64,
}

pub fn product(prices: &Prices, days: i64, due: Moment, city: &str, weight_g: i64, volumetric_g: i64) -> Product {
    let part = |type_code, amount| Part { type_code, price: Figure(amount) };
    Product {
        product_name: prices.name,
        product_code: prices.code,
        local_product_code: prices.code,
        network_type_code: "TD",
        is_customer_agreement: false,
        weight: Weights {
            volumetric: Figure(Decimal::new(volumetric_g, 3)),
            provided: Figure(Decimal::new(weight_g, 3)),
            unit_of_measurement: "metric",
        },
        total_price: [billed(prices.total)],
        total_price_breakdown: [Breakdown {
            currency_type: "BILLC",
            price_currency: "USD",
            price_breakdown: [part("SPRQT", prices.freight), part("FF", prices.fuel)],
        }],
        delivery_capabilities: Delivery {
            delivery_type_code: "QDDC",
            estimated_delivery_date_and_time: calendar::date_time(due),
            destination_service_area_code: area(city),
            total_transit_days: days,
        },
    }
}

/// Three letters for a city.
fn area(city: &str) -> SmolStr {
    city.chars().filter(char::is_ascii_alphabetic).take(3).map(|c| c.to_ascii_uppercase()).collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Created {
    shipment_tracking_number: SmolStr,
    tracking_url: SmolStr,
    packages: [CreatedPackage; 1],
    documents: [Document; 1],
    shipment_charges: [Price; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreatedPackage {
    reference_number: u16,
    tracking_number: SmolStr,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    image_format: &'static str,
    content: String,
    type_code: &'static str,
}

pub fn created(waybill: SmolStr, label_base64: String, postage: Money) -> Created {
    Created {
        tracking_url: format_smolstr!("https://express.api.dhl.com/mydhlapi/shipments/{waybill}/tracking"),
        packages: [CreatedPackage { reference_number: 1, tracking_number: format_smolstr!("JD0146{waybill:0>14}") }],
        documents: [Document { image_format: "ZPL", content: label_base64, type_code: "label" }],
        shipment_charges: [billed(postage.amount)],
        shipment_tracking_number: waybill,
    }
}

/// What DHL calls a step; it does not show the others.
fn checkpoint(status: TrackStatus) -> Option<(&'static str, &'static str)> {
    Some(match status {
        Accepted => ("PU", "Shipment pick up"),
        ReceivedAtHub => ("PL", "Processed at location"),
        DepartedOrigin | InFlight => ("DF", "Depart facility"),
        Arrived => ("AF", "Arrived facility"),
        Customs => ("IC", "In clearance processing"),
        ImportCleared => ("CR", "Clearance release"),
        LastMile => ("AR", "Arrival in delivery facility"),
        OutForDelivery => ("WC", "With delivering courier"),
        Delivered => ("OK", "Delivery"),
        DeliveryFailed => ("NH", "Not home"),
        AvailableForPickup => ("CC", "Awaiting cnee collection"),
        Exception => ("OH", "On hold"),
        Returned => ("RT", "Returned to consignor"),
        Lost => ("CS", "Closed shipment"),
        InfoReceived | ExportCleared | Returning => return None,
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tracked<'a> {
    shipment_tracking_number: &'a str,
    status: &'static str,
    product_code: &'a str,
    number_of_pieces: u16,
    events: Events<'a>,
}

/// What can be seen of a shipment by `now`.
pub fn tracked<'a>(number: &'a str, sold: &'a Sold, now: Moment) -> Tracked<'a> {
    let events = Events { sold, seen: sold.seen(now) };
    Tracked { shipment_tracking_number: number, status: "Success", product_code: &sold.service, number_of_pieces: 1, events }
}

/// Newest first, written without being collected.
struct Events<'a> {
    sold: &'a Sold,
    seen: &'a [Scan],
}

impl Serialize for Events<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.seen.iter().rev().filter_map(|scan| {
            let (type_code, description) = checkpoint(scan.status)?;
            let stop = self.sold.stop(scan.spot).unwrap_or(&self.sold.from);
            let (minutes, gmt_offset) = offset(&stop.country);
            let local = calendar::local(scan.at, minutes);
            let area = ServiceArea { code: area(&stop.city), description: &stop.city };
            let (date, time) = (calendar::date(local), calendar::time_of_day(local));
            Some(Event { date, time, gmt_offset, type_code, description, service_area: [area] })
        }))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    date: SmolStr,
    time: SmolStr,
    #[serde(rename = "GMTOffset")]
    gmt_offset: SmolStr,
    type_code: &'static str,
    description: &'static str,
    service_area: [ServiceArea<'a>; 1],
}

#[derive(Serialize)]
struct ServiceArea<'a> {
    code: SmolStr,
    description: &'a str,
}

/// Minutes east of UTC and the same as DHL writes it: `+08:00`.
fn offset(country: &str) -> (i64, SmolStr) {
    let hours = transit::offset_h(country);
    let sign = if hours < 0 { b'-' } else { b'+' };
    let text = [sign, b'0' + (hours.abs() / 10) as u8, b'0' + (hours.abs() % 10) as u8, b':', b'0', b'0'];
    (hours * 60, SmolStr::new(std::str::from_utf8(&text).unwrap_or_default()))
}

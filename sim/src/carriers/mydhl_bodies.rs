//! What the simulated MyDHL reads, and how it refuses, field by field as the real one names them. Its other answers are
//! written in `mydhl_answers`.

use super::book::Stop;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::borrow::Cow;

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
    #[serde(borrow, default)]
    pub address_line3: Cow<'a, str>,
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
    #[serde(borrow)]
    pub planned_shipping_date_and_time: Cow<'a, str>,
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
            [&place.address_line1, &place.address_line2, &place.address_line3],
            [&place.postal_code, &place.city_name, &place.province_code],
            [place.country_code, "", ""],
        ]
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contact<'a> {
    #[serde(borrow)]
    pub phone: Cow<'a, str>,
    #[serde(borrow)]
    pub company_name: Cow<'a, str>,
    #[serde(borrow)]
    pub full_name: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Content<'a> {
    #[serde(borrow)]
    pub packages: Vec<Package<'a>>,
    pub is_customs_declarable: bool,
    #[serde(borrow)]
    pub description: Cow<'a, str>,
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

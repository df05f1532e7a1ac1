//! What MyDHL answers to all but tracking, in our words.

use crate::carriers::calendar;
use crate::carriers::caller::{Complaint, Text, Why, parse};
use crate::carriers::figures::{Code, Figure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;
use smol_str::SmolStr;
use std::borrow::Cow;
use twin::channel::{Label, Quote};
use twin::money::Currency;
use twin::{Moment, Money, TrackingNumber};

/// The price in the currency we are billed in; the others are the same price in other currencies.
const BILLED: &str = "BILLC";

#[derive(Deserialize)]
struct Rates<'a> {
    #[serde(borrow)]
    products: Vec<Product<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Product<'a> {
    product_code: SmolStr,
    #[serde(default)]
    weight: Weight,
    #[serde(borrow, default)]
    total_price: Vec<Price<'a>>,
    #[serde(borrow, default)]
    total_price_breakdown: Vec<Breakdown<'a>>,
    #[serde(borrow, default)]
    delivery_capabilities: Delivery<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Weight {
    volumetric: Figure,
    provided: Figure,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Price<'a> {
    #[serde(borrow, default)]
    currency_type: Cow<'a, str>,
    #[serde(borrow, default)]
    price_currency: Cow<'a, str>,
    #[serde(default)]
    price: Figure,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Breakdown<'a> {
    #[serde(borrow, default)]
    currency_type: Cow<'a, str>,
    #[serde(default)]
    price_breakdown: Vec<PricePart>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PricePart {
    #[serde(default)]
    type_code: SmolStr,
    #[serde(default)]
    price: Figure,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Delivery<'a> {
    #[serde(borrow)]
    estimated_delivery_date_and_time: Option<Text<'a>>,
    destination_service_area_code: SmolStr,
    total_transit_days: Option<Figure>,
}

/// One quote per product that has a price. The zone is DHL's service area at the destination: it does not tell its zones.
pub fn quotes(body: &[u8], ship_at: Moment) -> Result<Vec<Quote>, Why> {
    let rates: Rates = parse(body)?;
    let mut quotes: Vec<Quote> = Vec::with_capacity(rates.products.len());
    for product in rates.products {
        let Some(total) = billed(&product.total_price)? else { continue };
        if quotes.iter().any(|q| q.service == product.product_code) {
            continue;
        }
        let parts = product.total_price_breakdown.iter().find(|b| b.currency_type == BILLED);
        let parts = parts.into_iter().flat_map(|b| &b.price_breakdown);
        quotes.push(Quote {
            total,
            breakdown: parts.map(|p| (p.type_code.clone(), Money::new(p.price.0, total.currency))).collect(),
            days: days(&product.delivery_capabilities, ship_at),
            chargeable_g: grams(product.weight.volumetric.0.max(product.weight.provided.0)),
            zone: product.delivery_capabilities.destination_service_area_code,
            service: product.product_code,
        });
    }
    Ok(quotes)
}

/// The price in the billing currency, or `None` where DHL gives none (or zero, which says the same).
fn billed(prices: &[Price]) -> Result<Option<Money>, Why> {
    let price = prices.iter().find(|p| p.currency_type == BILLED).or(prices.first());
    let Some(price) = price.filter(|p| !p.price.0.is_zero()) else { return Ok(None) };
    let currency = Currency::from_code(&price.price_currency).ok_or_else(|| format!("no currency is called {:?}", price.price_currency))?;
    Ok(Some(Money::new(price.price.0, currency).rounded()))
}

fn days(delivery: &Delivery, ship_at: Moment) -> Option<u16> {
    let stated = delivery.total_transit_days.and_then(Figure::whole).and_then(|d| u16::try_from(d).ok());
    stated.or_else(|| {
        let until = delivery.estimated_delivery_date_and_time.as_deref()?;
        u16::try_from(calendar::days_between(ship_at, until)?).ok()
    })
}

fn grams(kilograms: Decimal) -> Option<u32> {
    if kilograms.is_zero() { None } else { (kilograms * Decimal::ONE_THOUSAND).ceil().to_u32() }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shipment<'a> {
    shipment_tracking_number: Code,
    #[serde(borrow, default)]
    documents: Vec<Document<'a>>,
    #[serde(borrow, default)]
    shipment_charges: Vec<Price<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(borrow)]
    content: Cow<'a, str>,
    #[serde(borrow, default)]
    type_code: Option<Text<'a>>,
}

/// The waybill, its label (the document of that type, or one without a type) and its price.
pub fn label(body: &[u8]) -> Result<Label, Why> {
    let shipment: Shipment = parse(body)?;
    let label = shipment.documents.iter().find(|d| d.type_code.as_deref().is_none_or(|t| t == "label"));
    let content = label.ok_or("no document is a label")?;
    Ok(Label {
        tracking: TrackingNumber(shipment.shipment_tracking_number.0),
        charged: billed(&shipment.shipment_charges)?,
        zpl: STANDARD.decode(content.content.as_bytes()).map_err(|e| format!("the label is not Base64: {e}"))?,
    })
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    status: Code,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    title: String,
}

/// The problem body that every refusal has.
pub fn complaint(body: &[u8]) -> Option<Complaint> {
    let problem: Problem = parse(body).ok()?;
    let message = [problem.detail, problem.message, problem.title].into_iter().find(|m| !m.is_empty())?;
    Some(Complaint { code: problem.status.0.into(), message })
}

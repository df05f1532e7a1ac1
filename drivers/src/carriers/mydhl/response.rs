//! What MyDHL answers, in our words.

use super::codes;
use crate::carriers::caller::{Complaint, Why, parse};
use crate::carriers::calendar;
use crate::carriers::figures::{Code, Figure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;
use smol_str::SmolStr;
use std::borrow::Cow;
use twin::channel::{Label, Quote, TrackEvent, TrackStatus, Tracking};
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
    estimated_delivery_date_and_time: Option<Cow<'a, str>>,
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
    Ok(Some(Money::new(price.price.0, currency)))
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
    type_code: Option<Cow<'a, str>>,
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
struct Shipments<'a> {
    #[serde(borrow, default)]
    shipments: Vec<Tracked<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tracked<'a> {
    shipment_tracking_number: Code,
    #[serde(borrow, default)]
    events: Vec<Checkpoint<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Checkpoint<'a> {
    #[serde(borrow)]
    date: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
    /// Where it is missing the time is taken as UTC.
    #[serde(borrow, default, rename = "GMTOffset")]
    gmt_offset: Option<Cow<'a, str>>,
    #[serde(borrow)]
    type_code: Cow<'a, str>,
    #[serde(borrow, default)]
    description: Cow<'a, str>,
    #[serde(default)]
    service_area: Vec<ServiceArea>,
}

#[derive(Deserialize)]
struct ServiceArea {
    #[serde(default)]
    description: SmolStr,
}

/// News of the waybills DHL knows, added to `found`.
pub fn tracking(body: &[u8], found: &mut Vec<Tracking>) -> Result<(), Why> {
    let answer: Shipments = parse(body)?;
    for shipment in answer.shipments {
        let mut timed = Vec::with_capacity(shipment.events.len());
        // Newest first on the wire.
        for checkpoint in shipment.events.iter().rev() {
            let at = calendar::read_parts(&checkpoint.date, &checkpoint.time, checkpoint.gmt_offset.as_deref());
            timed.push((at.ok_or_else(|| format!("an event is at no time: {} {}", checkpoint.date, checkpoint.time))?, checkpoint));
        }
        timed.sort_by_key(|(at, _)| *at);
        let mut departed = false;
        let events = timed.into_iter().map(|(at, checkpoint)| event(at, checkpoint, &mut departed)).collect();
        found.push(Tracking { number: TrackingNumber(shipment.shipment_tracking_number.0), events });
    }
    Ok(())
}

fn event(at: Moment, checkpoint: &Checkpoint, departed: &mut bool) -> TrackEvent {
    let known = codes::status(&checkpoint.type_code, *departed);
    let status = known.map_or(TrackStatus::Exception, |(status, _)| status);
    *departed |= status == TrackStatus::DepartedOrigin;
    let text = match known {
        Some((_, usual)) if usual == checkpoint.description => SmolStr::new_static(usual),
        _ => SmolStr::new(&checkpoint.description),
    };
    let place = checkpoint.service_area.first().map(|a| a.description.clone()).unwrap_or_default();
    TrackEvent { at, status, code: SmolStr::new(&checkpoint.type_code), text, place }
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

//! What MyDHL answers to all but tracking, in our words. A product that cannot be read is skipped and told; the others are read.

use crate::carriers::answer::{Read, Skips};
use crate::carriers::calendar;
use crate::carriers::caller::{Complaint, Text, Why, parse, text};
use crate::carriers::figures::{Code, Figure};
use crate::carriers::label_image;
use crate::carriers::odd_json::parse_or_mend;
use crate::carriers::soft::{Soft, object};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;
use smol_str::{SmolStr, format_smolstr};
use twin::channel::{Label, Quote};
use twin::money::Currency;
use twin::{Moment, Money};

/// The price in the currency we are billed in; the others are the same price in other currencies.
const BILLED: &str = "BILLC";

#[derive(Deserialize)]
struct Rates<'a> {
    #[serde(borrow, default)]
    products: Soft<Vec<Soft<Product<'a>>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Product<'a> {
    #[serde(default)]
    product_code: Soft<Code>,
    #[serde(default)]
    weight: Soft<Weight>,
    #[serde(borrow, default)]
    total_price: Soft<Vec<Soft<Price<'a>>>>,
    #[serde(borrow, default)]
    total_price_breakdown: Soft<Vec<Soft<Breakdown<'a>>>>,
    #[serde(borrow, default)]
    delivery_capabilities: Soft<Delivery<'a>>,
}

#[derive(Deserialize)]
struct Weight {
    #[serde(default)]
    volumetric: Soft<Figure>,
    #[serde(default)]
    provided: Soft<Figure>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Price<'a> {
    #[serde(borrow, default)]
    currency_type: Soft<Text<'a>>,
    #[serde(borrow, default)]
    price_currency: Soft<Text<'a>>,
    #[serde(default)]
    price: Soft<Figure>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Breakdown<'a> {
    #[serde(borrow, default)]
    currency_type: Soft<Text<'a>>,
    #[serde(default)]
    price_breakdown: Soft<Vec<Soft<PricePart>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PricePart {
    #[serde(default)]
    type_code: Soft<Code>,
    #[serde(default)]
    price: Soft<Figure>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delivery<'a> {
    #[serde(borrow, default)]
    estimated_delivery_date_and_time: Soft<Text<'a>>,
    #[serde(borrow, default)]
    destination_service_area_code: Soft<Text<'a>>,
    #[serde(default)]
    total_transit_days: Soft<Figure>,
}

object!(Product<'a>, Weight, Price<'a>, Breakdown<'a>, PricePart, Delivery<'a>);

/// One quote per product that has a price. The zone is DHL's service area at the destination: it does not tell its zones.
pub fn quotes(body: &[u8], ship_at: Moment) -> Result<Read<Vec<Quote>>, Why> {
    let (text, mut skips) = (text(body), Skips::default());
    let mut room = String::new();
    let Rates { products } = parse_or_mend(&text, &mut room, &mut skips)?;
    let products = products.good().ok_or_else(|| format!("products is {products}"))?;
    let mut quotes: Vec<Quote> = Vec::with_capacity(products.len());
    for (n, soft) in products.iter().enumerate() {
        skips.about(None);
        let Some(product) = soft.good() else {
            skips.whole(format_args!("products[{n}]"), format_args!("a product is {soft}"));
            continue;
        };
        let Some(Code(service)) = product.product_code.good().filter(|code| !code.0.is_empty()) else {
            let is = &product.product_code;
            skips.whole(format_args!("products[{n}]"), format_args!("a price of no product: productCode is {is}"));
            continue;
        };
        skips.about(Some(service));
        match billed("totalPrice", &product.total_price, &mut skips) {
            Err(why) => skips.whole(format_args!("products[{n}].totalPrice"), why),
            Ok(Some(total)) if quotes.iter().all(|q| q.service != *service) => {
                quotes.push(quote(service.clone(), product, total, ship_at, &mut skips));
            }
            Ok(_) => {}
        }
    }
    Ok(Read { value: quotes, skipped: skips.into_list() })
}

fn quote(service: SmolStr, product: &Product, total: Money, ship_at: Moment, skips: &mut Skips) -> Quote {
    let breakdowns = skips.take("totalPriceBreakdown", &product.total_price_breakdown).into_iter().flatten();
    let billed = breakdowns.filter_map(Soft::good).find(|b| b.currency_type.text() == Some(BILLED));
    let mut breakdown = Vec::new();
    for part in billed.and_then(|b| skips.take("priceBreakdown", &b.price_breakdown)).into_iter().flatten() {
        let Some(part) = skips.take("priceBreakdown", part) else { continue };
        let name = skips.take("priceBreakdown.typeCode", &part.type_code).map_or_else(SmolStr::default, |code| code.0.clone());
        if let Some(price) = skips.take("priceBreakdown.price", &part.price) {
            breakdown.push((name, Money::new(price.0, total.currency)));
        }
    }
    let delivery = skips.take("deliveryCapabilities", &product.delivery_capabilities);
    let zone = delivery.and_then(|d| skips.take("destinationServiceAreaCode", &d.destination_service_area_code));
    let kilograms = skips.take("weight", &product.weight).map_or(Decimal::ZERO, |weight| {
        let mut of = |name, soft| skips.take(name, soft).map_or(Decimal::ZERO, |f: &Figure| f.0);
        of("weight.volumetric", &weight.volumetric).max(of("weight.provided", &weight.provided))
    });
    Quote {
        total,
        breakdown,
        days: delivery.and_then(|d| days(d, ship_at, skips)),
        chargeable_g: grams(kilograms),
        zone: zone.map_or("", |zone| zone).into(),
        service,
    }
}

/// The price in the billing currency, or `None` where DHL gives none (or zero, which says the same); the error where it
/// gives one that cannot be read.
fn billed(place: &str, prices: &Soft<Vec<Soft<Price>>>, skips: &mut Skips) -> Result<Option<Money>, SmolStr> {
    let prices = match prices {
        Soft::Absent => return Ok(None),
        list => list.good().ok_or_else(|| format_smolstr!("{place} is {list}"))?,
    };
    let mut readable = Vec::with_capacity(prices.len());
    for (n, price) in prices.iter().enumerate() {
        match price.good() {
            Some(price) => readable.push(price),
            None => skips.detail(format_args!("{place}[{n}]"), format_args!("{place}[{n}] is {price}")),
        }
    }
    let price = readable.iter().find(|p| p.currency_type.text() == Some(BILLED)).or(readable.first());
    let Some(price) = price else {
        return if prices.is_empty() { Ok(None) } else { Err(format_smolstr!("{place} has no price that can be read")) };
    };
    let amount = price.price.good().ok_or_else(|| format_smolstr!("price is {}", price.price))?.0;
    if amount.is_zero() {
        return Ok(None);
    }
    if amount < Decimal::ZERO {
        return Err(format_smolstr!("price is {amount}"));
    }
    let code = price.price_currency.text().ok_or_else(|| format_smolstr!("priceCurrency is {}", price.price_currency))?;
    let currency = Currency::from_code(code).ok_or_else(|| format_smolstr!("priceCurrency is {code:?}, which is no currency"))?;
    Ok(Some(Money::new(amount, currency).rounded()))
}

fn days(delivery: &Delivery, ship_at: Moment, skips: &mut Skips) -> Option<u16> {
    let stated = skips.take("totalTransitDays", &delivery.total_transit_days);
    let stated = stated.and_then(|days| u16::try_from(days.whole()?).ok());
    stated.or_else(|| {
        let until = skips.take("estimatedDeliveryDateAndTime", &delivery.estimated_delivery_date_and_time)?;
        u16::try_from(calendar::days_between(ship_at, until)?).ok()
    })
}

fn grams(kilograms: Decimal) -> Option<u32> {
    if kilograms.is_zero() { None } else { kilograms.checked_mul(Decimal::ONE_THOUSAND)?.ceil().to_u32() }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shipment<'a> {
    #[serde(default)]
    shipment_tracking_number: Soft<Code>,
    #[serde(borrow, default)]
    documents: Soft<Vec<Soft<Document<'a>>>>,
    #[serde(borrow, default)]
    shipment_charges: Soft<Vec<Soft<Price<'a>>>>,
    #[serde(default)]
    packages: Soft<Vec<Soft<Piece>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Piece {
    #[serde(default)]
    tracking_number: Soft<Code>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(borrow, default)]
    content: Soft<Text<'a>>,
    #[serde(borrow, default)]
    type_code: Soft<Text<'a>>,
}

object!(Document<'a>, Piece);

/// The waybill, its label (the document of that type, or one without a type) and its price.
pub fn label(body: &[u8]) -> Result<Read<Label>, Why> {
    let (text, mut room, mut skips) = (text(body), String::new(), Skips::default());
    let shipment: Shipment = parse_or_mend(&text, &mut room, &mut skips)?;
    let said = &shipment.shipment_tracking_number;
    let number = label_image::number("shipmentTrackingNumber", said.good().map(|number| number.0.as_str()), said)?;
    // From here on something is bought: whoever hears of a fault must know which waybill that is.
    let documents = shipment.documents.good().into_iter().flatten().filter_map(Soft::good);
    let mut labels = documents.filter(|d| d.type_code.text().is_none_or(|t| t == "label"));
    let label = labels.find_map(|d| d.content.text()).ok_or_else(|| format!("waybill {number}: no document is a label"))?;
    let zpl = label_image::zpl(label).map_err(|why| format!("waybill {number}: {why}"))?;
    skips.about(Some(number.as_str()));
    let charged = billed("shipmentCharges", &shipment.shipment_charges, &mut skips).unwrap_or_else(|why| {
        skips.detail("shipmentCharges", why);
        None
    });
    let charged = charged.and_then(|money| label_image::charge("shipmentCharges", money.amount, money.currency, &mut skips));
    // The plate is another barcode on the label, and its digits are not the waybill's.
    let pieces = skips.take("packages", &shipment.packages);
    let piece = pieces.and_then(|pieces| skips.take("packages[0]", pieces.first()?));
    let plate = piece.and_then(|piece| skips.take("packages[0].trackingNumber", &piece.tracking_number));
    // One that is no number is none: the label is known by its waybill.
    let plate = plate.and_then(|plate| label_image::number("packages[0].trackingNumber", Some(plate.0.as_str()), "").ok());
    let label = Label { tracking: number, plate, charged, zpl };
    Ok(Read { value: label, skipped: skips.into_list() })
}

#[derive(Deserialize)]
struct Problem<'a> {
    #[serde(default)]
    status: Soft<Code>,
    #[serde(borrow, default)]
    detail: Soft<Text<'a>>,
    #[serde(borrow, default)]
    message: Soft<Text<'a>>,
    #[serde(borrow, default)]
    title: Soft<Text<'a>>,
}

/// The problem body that every refusal has.
pub fn complaint(body: &[u8]) -> Option<Complaint> {
    let text = text(body);
    let problem: Problem = parse(&text).ok()?;
    let message = [&problem.detail, &problem.message, &problem.title].into_iter().filter_map(Soft::text).find(|m| !m.is_empty())?;
    let code = problem.status.good().map_or_else(Default::default, |code| code.0.to_string());
    Some(Complaint { code, message: message.to_owned() })
}

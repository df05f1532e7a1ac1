//! A simulated MyDHL API 3.1.1: rates, shipments with ten-digit waybills and ZPL labels, tracking of many waybills.
//!
//! Imitated: basic authentication, the problem body of every refusal, products by lane, volumetric weight, fuel. As in the real
//! API a `Message-Reference` seen before buys another shipment, and a waybill cannot be voided.

use super::book::{CarrierBook, CarrierNo, Sale};
use super::mydhl_answers::{self as answers, Offer, Weights};
use super::mydhl_bodies::{self as bodies, Package, Party, Place, Rates, Shipment};
use super::pen::Pen;
use super::postage;
use super::transit::Route;
use super::zpl::{self, Codes, LabelText};
use super::{Account, JSON, body, header, json, read, with_type};
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use drivers::Clock;
use drivers::carriers::calendar;
use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName};
use rust_decimal::Decimal;
use smol_str::{SmolStr, format_smolstr};
use std::sync::Arc;
use twin::money::Currency;
use twin::{Moment, Money, Span};

/// Waybills in one tracking call.
const TRACK_BATCH_MAX: usize = 200;
/// The heaviest parcel.
const GRAMS_MAX: i64 = 70_000;
/// How far ahead a shipment may be planned.
const PLANNED_MAX: Span = Span::from_hours(10 * 24);
/// Longest `Message-Reference`, in characters.
const MESSAGE_REFERENCE_MAX: usize = 36;
/// Room made for what is said of one waybill, in bytes.
const DETAIL_BYTES_USUAL: usize = 1_024;
const MESSAGE_REFERENCE: HeaderName = HeaderName::from_static("message-reference");

struct Hub {
    book: CarrierBook,
    no: CarrierNo,
    clock: Clock,
    authorization: String,
}

/// The simulated API. `account.secret` is `user:password`.
pub fn router(book: &CarrierBook, clock: Clock, account: Account) -> Router {
    let no = book.open(account.carrier, account.reliability);
    let authorization = format!("Basic {}", STANDARD.encode(account.secret));
    let hub = Hub { book: book.clone(), no, clock, authorization };
    Router::new()
        .route("/rates", post(rates))
        .route("/shipments", post(shipments))
        .route("/tracking", get(tracking))
        .with_state(Arc::new(hub))
}

type Hub_ = State<Arc<Hub>>;

fn problem(status: StatusCode, title: &'static str, detail: &str, instance: &'static str) -> Response {
    json(status, &bodies::Problem { instance, detail, title, message: title, status: status.as_u16() })
}

fn bad(detail: &str, instance: &'static str) -> Response {
    problem(StatusCode::BAD_REQUEST, "Bad request", detail, instance)
}

impl Hub {
    fn refusal(&self, headers: &HeaderMap, instance: &'static str) -> Option<Response> {
        if header(headers, AUTHORIZATION) == Some(&self.authorization) {
            return None;
        }
        Some(problem(StatusCode::UNAUTHORIZED, "Unauthorized", "Invalid Credentials", instance))
    }

    /// Nine digits of serial, the first one the account's, and a check digit.
    fn waybill(&self, serial: u64) -> SmolStr {
        let nine = (1 + u64::from(self.no.0) % 9) * 100_000_000 + serial % 100_000_000;
        format_smolstr!("{nine}{}", waybill_check_digit(nine))
    }
}

/// The serial modulo 7.
pub fn waybill_check_digit(serial: u64) -> u64 {
    serial % 7
}

impl Offer {
    fn cents(&self) -> i64 {
        self.freight + self.fuel
    }

    fn route(&self) -> Route {
        Route { crosses_border: self.zone > 0, hours_min: (self.days - 1).max(1) * 24 - 12, hours_max: self.days * 24 }
    }
}

/// Checks a parcel and gives its weights.
fn weights(package: &Package) -> Result<Weights, &'static str> {
    let (weight, sides) = (package.weight.thousandths(), &package.dimensions);
    let sides_mm = [sides.length, sides.width, sides.height].map(|side| (side.thousandths() + 99) / 100);
    if weight <= 0 || weight > GRAMS_MAX {
        return Err("1001: the weight of a piece must be above 0 and at most 70 kg");
    }
    if sides_mm.iter().any(|side| *side <= 0 || *side > 3_000) {
        return Err("1002: the dimensions of a piece must be above 0 and at most 300 cm");
    }
    Ok(Weights { provided_g: weight, volumetric_g: postage::dhl_volumetric_g(sides_mm) })
}

fn offers(from: &Place, to: &Place, weights: Weights) -> impl Iterator<Item = Offer> {
    let chargeable_g = weights.provided_g.max(weights.volumetric_g);
    let zone = postage::dhl_zone(from.country_code, to.country_code);
    let products: &'static [(&str, &str, bool)] = match zone {
        0 => &[("N", "EXPRESS DOMESTIC", false)],
        _ => &[("P", "EXPRESS WORLDWIDE", false), ("Y", "EXPRESS 12:00", true)],
    };
    products.iter().map(move |(code, name, before_noon)| {
        let (freight, fuel) = postage::dhl_cents(zone, chargeable_g, *before_noon);
        Offer { code, name, zone, freight, fuel, days: 1 + i64::from(zone).min(4) - i64::from(*before_noon) }
    })
}

fn fault(place: &Place) -> Option<&'static str> {
    if place.country_code.len() != 2 {
        return Some("1003: the country code is not two letters");
    }
    if place.city_name.is_empty() {
        return Some("1004: the city is missing");
    }
    (place.postal_code.len() > 12).then_some("1005: the postcode is longer than 12 characters")
}

/// What the description of `/shipments` would refuse in a party.
fn party_fault(party: &Party) -> Option<&'static str> {
    let (place, contact) = (&party.postal_address, &party.contact_information);
    let fits = |text: &str, max: usize| (1..=max).contains(&text.chars().count());
    let lines = [&place.address_line2, &place.address_line3];
    if !fits(&place.address_line1, 45) || lines.iter().any(|line| line.chars().count() > 45) || !fits(&place.city_name, 45) {
        return Some("1011: addressLine1 is missing, or a line of the address is longer than 45 characters");
    }
    if !fits(&contact.phone, 70) || !fits(&contact.company_name, 100) || !fits(&contact.full_name, 255) {
        return Some("1012: phone, companyName or fullName is missing or too long");
    }
    None
}

/// `2026-11-09T18:30:00 GMT+08:00`.
fn planned(text: &str) -> Option<Moment> {
    calendar::read(text.get(..19)?, Some(text[19..].trim().strip_prefix("GMT")?))
}

async fn rates(State(hub): Hub_, request: Request) -> Response {
    const INSTANCE: &str = "/expressapi/rates";
    let (head, content) = request.into_parts();
    if let Some(refusal) = hub.refusal(&head.headers, INSTANCE) {
        return refusal;
    }
    let Some(content) = body(content).await else { return bad("the body is too long", INSTANCE) };
    let asked: Rates = match read(&content) {
        Ok(asked) => asked,
        Err(why) => return problem(StatusCode::UNPROCESSABLE_ENTITY, "Validation error", &why, INSTANCE),
    };
    let parties = &asked.customer_details;
    let (from, to) = (&parties.shipper_details, &parties.receiver_details);
    if let Some(fault) = fault(from).or(fault(to)) {
        return bad(fault, INSTANCE);
    }
    let Some(package) = asked.packages.first() else { return bad("1000: there is no package", INSTANCE) };
    let weights = match weights(package) {
        Ok(weights) => weights,
        Err(detail) => return bad(detail, INSTANCE),
    };
    let shipped = planned(&asked.planned_shipping_date_and_time).unwrap_or(hub.clock.now());
    with_type(StatusCode::OK, JSON, answers::rates(offers(from, to, weights), shipped, &to.city_name, weights).into_bytes())
}

async fn shipments(State(hub): Hub_, request: Request) -> Response {
    const INSTANCE: &str = "/expressapi/shipments";
    let (head, content) = request.into_parts();
    if let Some(refusal) = hub.refusal(&head.headers, INSTANCE) {
        return refusal;
    }
    let Some(content) = body(content).await else { return bad("the body is too long", INSTANCE) };
    let asked: Shipment = match read(&content) {
        Ok(asked) => asked,
        Err(why) => return problem(StatusCode::UNPROCESSABLE_ENTITY, "Validation error", &why, INSTANCE),
    };
    match sell(&hub, header(&head.headers, MESSAGE_REFERENCE), &asked) {
        Ok(created) => with_type(StatusCode::CREATED, JSON, created.into_bytes()),
        Err(detail) => bad(detail, INSTANCE),
    }
}

fn sell(hub: &Hub, key: Option<&str>, asked: &Shipment) -> Result<Pen, &'static str> {
    let parties = &asked.customer_details;
    let (from, to) = (&parties.shipper_details, &parties.receiver_details);
    let (from_place, to_place) = (&from.postal_address, &to.postal_address);
    if let Some(fault) = fault(from_place).or(fault(to_place)) {
        return Err(fault);
    }
    if let Some(fault) = party_fault(from).or(party_fault(to)) {
        return Err(fault);
    }
    let now = hub.clock.now();
    if !planned(&asked.planned_shipping_date_and_time).is_some_and(|at| at > now && at < now + PLANNED_MAX) {
        return Err("1013: plannedShippingDateAndTime is in the past, or more than 10 days ahead");
    }
    if asked.content.description.trim().is_empty() || asked.content.description.chars().count() > 70 {
        return Err("1014: description must have 1 to 70 characters");
    }
    if key.is_some_and(|key| key.is_empty() || key.len() > MESSAGE_REFERENCE_MAX) {
        return Err("1006: the Message-Reference must have 1 to 36 characters");
    }
    if asked.output_image_properties.encoding_format != "zpl" {
        return Err("1007: only zpl is available as encodingFormat");
    }
    if asked.content.is_customs_declarable && asked.content.export_declaration.is_none() {
        return Err("1008: a declarable shipment needs an exportDeclaration");
    }
    let package = asked.content.packages.first().ok_or("1000: there is no package")?;
    let mut offers = offers(from_place, to_place, weights(package)?);
    let offer = offers.find(|offer| offer.code == asked.product_code).ok_or("1009: the product is not available on this lane")?;
    let sale = Sale {
        key: None,
        luck: key,
        service: SmolStr::new_static(offer.code),
        from: from_place.stop(),
        to: to_place.stop(),
        route: offer.route(),
        postage: Money::new(Decimal::new(offer.cents(), 2), Currency::USD),
        at: hub.clock.now(),
    };
    let (waybill, _) = hub.book.sell(hub.no, sale, |serial| hub.waybill(serial));
    let plate = answers::plate(&waybill);
    let label = zpl::label(&LabelText {
        carrier: "DHL",
        service: offer.name,
        from: from.lines(),
        to: to.lines(),
        codes: Codes::Dhl { waybill: &waybill, country: to_place.country_code, postcode: &to_place.postal_code, plate: &plate },
        reference: package.customer_references.first().map_or("", |r| &*r.value),
    });
    let label = hub.book.sent(hub.no, label);
    Ok(answers::created(&waybill, &plate, &STANDARD.encode(label), offer.cents()))
}

async fn tracking(State(hub): Hub_, request: Request) -> Response {
    const INSTANCE: &str = "/expressapi/tracking";
    if let Some(refusal) = hub.refusal(request.headers(), INSTANCE) {
        return refusal;
    }
    // As parameters of their own, or in one with commas.
    let query = request.uri().query().unwrap_or_default();
    let values = query.split('&').filter_map(|pair| pair.strip_prefix("shipmentTrackingNumber="));
    let numbers = values.flat_map(|value| value.split(','));
    if numbers.clone().count() > TRACK_BATCH_MAX {
        return bad("1010: at most 200 shipmentTrackingNumber are accepted", INSTANCE);
    }
    let now = hub.clock.now();
    let mut pen = Pen::new(numbers.clone().count() * DETAIL_BYTES_USUAL);
    pen.raw("{\"shipments\":[");
    let empty = pen.len();
    hub.book.look_up(hub.no, numbers, |number, sold| {
        if let Some(sold) = sold {
            if pen.len() > empty {
                pen.raw(",");
            }
            answers::tracked(&mut pen, number, sold, now);
        }
    });
    if pen.len() == empty {
        let detail = "No shipments found for the given tracking number";
        return problem(StatusCode::NOT_FOUND, "Not Found", detail, INSTANCE);
    }
    pen.raw("]}");
    with_type(StatusCode::OK, JSON, pen.into_bytes())
}

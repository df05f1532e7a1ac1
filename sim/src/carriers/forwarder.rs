//! A simulated forwarder or direct line: the label and tracking API that `drivers::carriers` documents, with UPU S10
//! numbers of the origin's country. Services are not checked: a line that does not exist is a matter of settings.

use super::book::{CarrierBook, CarrierNo, Sale, Sold, Stop, Voiding};
use super::pen::Pen;
use super::postage;
use super::transit::Route;
use super::zpl::{self, Codes, LabelText};
use super::{Account, JSON, body, empty, header, json, read, with_type};
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{delete, get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use drivers::Clock;
use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::borrow::Cow;
use std::sync::Arc;
use twin::channel::TrackStatus::{self, *};
use twin::money::Currency;
use twin::{Address, Moment, Money, s10};

/// Numbers in one tracking call.
const TRACK_BATCH_MAX: usize = 100;
/// The heaviest parcel, as on most direct lines.
const GRAMS_MAX: u32 = 30_000;
/// Hours from the handover to the last depot, over a border and within a country.
const ABROAD_H: (i64, i64) = (6 * 24, 12 * 24);
const DOMESTIC_H: (i64, i64) = (24, 72);
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

struct Line {
    book: CarrierBook,
    no: CarrierNo,
    clock: Clock,
    authorization: String,
    /// The two letters in front of every number: `L` and one that no other carrier of the run has.
    letters: String,
}

/// The simulated API. `account.secret` is the bearer token.
pub fn router(book: &CarrierBook, clock: Clock, account: Account) -> Router {
    let no = book.open(account.carrier, account.reliability);
    let letters = format!("L{}", char::from(b'A' + (no.0 % 26) as u8));
    let line = Line { book: book.clone(), no, clock, authorization: format!("Bearer {}", account.secret), letters };
    Router::new()
        .route("/v1/labels", post(label))
        .route("/v1/labels/{number}", delete(void))
        .route("/v1/tracking", get(tracking))
        .with_state(Arc::new(line))
}

type Line_ = State<Arc<Line>>;

#[derive(Serialize)]
struct Refusal<'a> {
    error: RefusalBody<'a>,
}

#[derive(Serialize)]
struct RefusalBody<'a> {
    code: &'a str,
    message: &'a str,
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    json(status, &Refusal { error: RefusalBody { code, message } })
}

fn bad(code: &str, message: &str) -> Response {
    refuse(StatusCode::BAD_REQUEST, code, message)
}

impl Line {
    fn refusal(&self, headers: &HeaderMap) -> Option<Response> {
        if header(headers, AUTHORIZATION) == Some(&self.authorization) {
            return None;
        }
        Some(refuse(StatusCode::UNAUTHORIZED, "unauthorized", "the token is not known"))
    }
}

#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    reference: Cow<'a, str>,
    service: SmolStr,
    from: Address,
    to: Address,
    weight_g: u32,
    #[serde(borrow, default)]
    contents: Cow<'a, str>,
}

/// Says no price: a forwarder bills by its sheet at the end of the month.
#[derive(Serialize)]
struct Answer {
    tracking: SmolStr,
    label: Image,
}

#[derive(Serialize)]
struct Image {
    format: &'static str,
    base64: String,
}

async fn label(State(line): Line_, request: Request) -> Response {
    let (head, content) = request.into_parts();
    if let Some(refusal) = line.refusal(&head.headers) {
        return refusal;
    }
    let Some(key) = header(&head.headers, IDEMPOTENCY_KEY) else { return bad("no_key", "Idempotency-Key is missing") };
    let Some(content) = body(content).await else { return bad("too_long", "the body is too long") };
    let asked: Asked = match read(&content) {
        Ok(asked) => asked,
        Err(why) => return bad("unreadable", &why),
    };
    if asked.weight_g == 0 || asked.weight_g > GRAMS_MAX {
        return bad("weight", "the weight must be above 0 and at most 30000 g");
    }
    if asked.contents.is_empty() {
        return bad("contents", "contents are missing: customs want to know");
    }
    if let Some(fault) = asked.from.fault().or(asked.to.fault()) {
        return bad("address", &fault);
    }
    json(StatusCode::CREATED, &sell(&line, key, &asked))
}

fn sell(line: &Line, key: &str, asked: &Asked) -> Answer {
    let crosses_border = asked.from.country != asked.to.country;
    let (hours_min, hours_max) = if crosses_border { ABROAD_H } else { DOMESTIC_H };
    let fen = postage::line_fen(&asked.to.country, i64::from(asked.weight_g));
    let sale = Sale {
        key: Some(key),
        luck: Some(key),
        service: asked.service.clone(),
        from: stop(&asked.from),
        to: stop(&asked.to),
        route: Route { crosses_border, hours_min, hours_max },
        postage: Money::new(Decimal::new(fen, 2), Currency::CNY),
        at: line.clock.now(),
    };
    let number = |serial: u64| SmolStr::new(s10::item(&line.letters, (serial % 100_000_000) as u32, &asked.from.country));
    let (tracking, _) = line.book.sell(line.no, sale, number);
    let zpl = zpl::label(&LabelText {
        carrier: "DIRECT LINE",
        service: &asked.service,
        from: lines(&asked.from),
        to: lines(&asked.to),
        codes: Codes::Plain { number: &tracking },
        reference: &asked.reference,
    });
    let zpl = line.book.sent(line.no, zpl);
    Answer { tracking, label: Image { format: "zpl", base64: STANDARD.encode(zpl) } }
}

fn stop(address: &Address) -> Stop {
    let Address { city, region, postcode, country, .. } = address.clone();
    Stop { city, region, postcode, country }
}

fn lines(address: &Address) -> [[&str; 3]; 4] {
    [[&address.name, "", ""], [&address.street, "", ""], [&address.postcode, &address.city, &address.region], [&address.country, "", ""]]
}

async fn void(State(line): Line_, Path(number): Path<String>, request: Request) -> Response {
    if let Some(refusal) = line.refusal(request.headers()) {
        return refusal;
    }
    match line.book.void(line.no, &number) {
        Voiding::Done | Voiding::Already => empty(StatusCode::NO_CONTENT),
        Voiding::Unknown => refuse(StatusCode::NOT_FOUND, "unknown_number", "no label has this number"),
        Voiding::TooLate => refuse(StatusCode::CONFLICT, "handed_over", "the parcel has been handed over"),
    }
}

async fn tracking(State(line): Line_, request: Request) -> Response {
    if let Some(refusal) = line.refusal(request.headers()) {
        return refusal;
    }
    let query = request.uri().query().unwrap_or_default();
    let numbers = query.split('&').find_map(|pair| pair.strip_prefix("numbers=")).unwrap_or_default();
    if numbers.is_empty() || numbers.split(',').count() > TRACK_BATCH_MAX {
        return bad("numbers", "between 1 and 100 numbers are accepted");
    }
    let now = line.clock.now();
    let mut pen = Pen::new(numbers.split(',').count() * 1_024);
    pen.raw("{\"parcels\":[");
    let empty = pen.len();
    line.book.look_up(line.no, numbers.split(','), |number, sold| {
        if let Some(sold) = sold {
            if pen.len() > empty {
                pen.raw(",");
            }
            parcel(&mut pen, number, sold, now);
        }
    });
    pen.raw("]}");
    with_type(StatusCode::OK, JSON, pen.into_bytes())
}

/// What can be seen of a parcel by `now`, oldest first.
fn parcel(pen: &mut Pen, number: &str, sold: &Sold, now: Moment) {
    pen.raw("{\"number\":\"").raw(number).raw("\",\"events\":[");
    for (i, scan) in sold.seen(now).iter().enumerate() {
        let [code, text] = words(scan.status);
        let place = sold.stop(scan.spot).map_or("", |stop| &stop.city);
        pen.raw(if i > 0 { ",{\"at\":\"" } else { "{\"at\":\"" }).date_time(scan.at).raw("Z\",\"code\":\"").raw(code);
        pen.raw("\",\"text\":\"").raw(text).raw("\",\"place\":\"").text(place).raw("\"}");
    }
    pen.raw("]}");
}

/// The code of a step and what a person reads.
fn words(status: TrackStatus) -> [&'static str; 2] {
    match status {
        InfoReceived => ["info_received", "Label made"],
        Accepted => ["accepted", "Received"],
        ReceivedAtHub => ["received_at_hub", "At the export hub"],
        ExportCleared => ["export_cleared", "Export cleared"],
        DepartedOrigin => ["departed_origin", "Left the country"],
        InFlight => ["in_flight", "In flight"],
        Arrived => ["arrived", "Arrived in the country"],
        Customs => ["customs", "At customs"],
        ImportCleared => ["import_cleared", "Import cleared"],
        LastMile => ["last_mile", "With the local carrier"],
        OutForDelivery => ["out_for_delivery", "Out for delivery"],
        Delivered => ["delivered", "Delivered"],
        DeliveryFailed => ["delivery_failed", "Nobody at home"],
        AvailableForPickup => ["available_for_pickup", "To be picked up"],
        Exception => ["exception", "Held up"],
        Returning => ["returning", "Going back"],
        Returned => ["returned", "Returned to sender"],
        Lost => ["lost", "Lost"],
    }
}

//! A simulated forwarder or direct line: the label and tracking API that `drivers::carriers` documents, with UPU S10
//! numbers of the origin's country. Services are not checked: a line that does not exist is a matter of settings.

use super::book::{CarrierBook, CarrierNo, Sale, Sold, Stop, Voiding};
use super::postage;
use super::transit::{Route, Scan};
use super::zpl::{self, LabelText};
use super::{Account, body, empty, header, json, read, with_type};
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{delete, get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use drivers::Clock;
use drivers::carriers::calendar;
use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize, Serializer};
use smol_str::SmolStr;
use std::borrow::Cow;
use std::sync::Arc;
use twin::channel::TrackStatus::{self, *};
use twin::money::Currency;
use twin::{Address, Money, s10};

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
    fn check(&self, headers: &HeaderMap) -> Result<(), Response> {
        if header(headers, AUTHORIZATION) == Some(&self.authorization) {
            return Ok(());
        }
        Err(refuse(StatusCode::UNAUTHORIZED, "unauthorized", "the token is not known"))
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

#[derive(Serialize)]
struct Answer {
    tracking: SmolStr,
    charged: Money,
    label: Image,
}

#[derive(Serialize)]
struct Image {
    format: &'static str,
    base64: String,
}

async fn label(State(line): Line_, request: Request) -> Response {
    let (head, content) = request.into_parts();
    if let Err(refusal) = line.check(&head.headers) {
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
        service: asked.service.clone(),
        from: stop(&asked.from),
        to: stop(&asked.to),
        route: Route { crosses_border, hours_min, hours_max },
        postage: Money::new(Decimal::new(fen, 2), Currency::CNY),
        at: line.clock.now(),
    };
    let number = |serial: u64| SmolStr::new(s10::item(&line.letters, (serial % 100_000_000) as u32, &asked.from.country));
    let (tracking, charged) = line.book.sell(line.no, sale, number);
    let zpl = zpl::label(&LabelText {
        carrier: "DIRECT LINE",
        service: &asked.service,
        from: lines(&asked.from),
        to: lines(&asked.to),
        tracking: &tracking,
        reference: &asked.reference,
    });
    Answer { tracking, charged, label: Image { format: "zpl", base64: STANDARD.encode(zpl) } }
}

fn stop(address: &Address) -> Stop {
    let Address { city, region, postcode, country, .. } = address.clone();
    Stop { city, region, postcode, country }
}

fn lines(address: &Address) -> [[&str; 3]; 4] {
    [[&address.name, "", ""], [&address.street, "", ""], [&address.postcode, &address.city, &address.region], [&address.country, "", ""]]
}

async fn void(State(line): Line_, Path(number): Path<String>, request: Request) -> Response {
    if let Err(refusal) = line.check(request.headers()) {
        return refusal;
    }
    match line.book.void(line.no, &number) {
        Voiding::Done | Voiding::Already => empty(StatusCode::NO_CONTENT),
        Voiding::Unknown => refuse(StatusCode::NOT_FOUND, "unknown_number", "no label has this number"),
        Voiding::TooLate => refuse(StatusCode::CONFLICT, "handed_over", "the parcel has been handed over"),
    }
}

async fn tracking(State(line): Line_, request: Request) -> Response {
    if let Err(refusal) = line.check(request.headers()) {
        return refusal;
    }
    let query = request.uri().query().unwrap_or_default();
    let numbers = query.split('&').find_map(|pair| pair.strip_prefix("numbers=")).unwrap_or_default();
    if numbers.is_empty() || numbers.split(',').count() > TRACK_BATCH_MAX {
        return bad("numbers", "between 1 and 100 numbers are accepted");
    }
    let now = line.clock.now();
    let mut out = Vec::with_capacity(4_096);
    out.extend_from_slice(b"{\"parcels\":[");
    let empty = out.len();
    line.book.look_up(line.no, numbers.split(','), |number, sold| {
        if let Some(sold) = sold {
            if out.len() > empty {
                out.push(b',');
            }
            // Writing to memory does not fail.
            let _ = serde_json::to_writer(&mut out, &Parcel { number, events: Events { sold, seen: sold.seen(now) } });
        }
    });
    out.extend_from_slice(b"]}");
    with_type(StatusCode::OK, HeaderValue::from_static("application/json"), out.into())
}

#[derive(Serialize)]
struct Parcel<'a> {
    number: &'a str,
    events: Events<'a>,
}

/// Oldest first, written without being collected.
struct Events<'a> {
    sold: &'a Sold,
    seen: &'a [Scan],
}

impl Serialize for Events<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.seen.iter().map(|scan| {
            let place = self.sold.stop(scan.spot).map_or("", |stop| &stop.city);
            Event { at: calendar::date_time_z(scan.at), code: scan.status, text: words(scan.status), place }
        }))
    }
}

#[derive(Serialize)]
struct Event<'a> {
    at: SmolStr,
    code: TrackStatus,
    text: &'static str,
    place: &'a str,
}

fn words(status: TrackStatus) -> &'static str {
    match status {
        InfoReceived => "Label made",
        Accepted => "Received",
        ReceivedAtHub => "At the export hub",
        ExportCleared => "Export cleared",
        DepartedOrigin => "Left the country",
        InFlight => "In flight",
        Arrived => "Arrived in the country",
        Customs => "At customs",
        ImportCleared => "Import cleared",
        LastMile => "With the local carrier",
        OutForDelivery => "Out for delivery",
        Delivered => "Delivered",
        DeliveryFailed => "Nobody at home",
        AvailableForPickup => "To be picked up",
        Exception => "Held up",
        Returning => "Going back",
        Returned => "Returned to sender",
        Lost => "Lost",
    }
}

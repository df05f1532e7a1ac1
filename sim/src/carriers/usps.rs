//! A simulated USPS API v3: tokens, prices of three mail classes, labels with IMpb numbers, tracking, cancelling.
//!
//! Imitated: OAuth2 client credentials with tokens that expire and can be revoked, the payment token that labels need, the
//! error body of the APIs, the multipart label answer, and of labels 3.9.13 the `X-Idempotency-Key`: a UUID, under which an
//! identical request gives the label that it bought, and which has it reprinted. What the description does not say is guessed: a
//! key lives for ever, and another request under it is refused. It sells domestic mail only and checks an address for form,
//! not for existence.

use super::book::{CarrierBook, CarrierNo, Sale, Voiding};
use super::pen::Pen;
use super::postage::{self, MAIL_CLASSES, MailClass};
use super::transit::{Fate, Route};
use super::usps_answers::{self as answers, Pounds};
use super::usps_bodies::{self as bodies, Label, Search};
use super::zpl::{self, Codes, LabelText};
use super::{Account, JSON, body, empty, header, json, read, with_type};
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{delete, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use drivers::Clock;
use drivers::carriers::calendar;
use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use rust_decimal::Decimal;
use serde::Deserialize;
use smol_str::{SmolStr, format_smolstr};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use twin::money::Currency;
use twin::{Hash, Moment, Money, Span};

/// An access token lives eight hours; the answer says one second less, as the real one does.
const TOKEN_LIFE: Span = Span::from_hours(8);
/// Numbers in one tracking call.
const TRACK_BATCH_MAX: usize = 35;
/// Longest customer reference, in characters.
const REFERENCE_MAX: usize = 30;
/// Our mailer id, nine digits of every number; one is added for each further account.
const MAILER_ID: u32 = 903_619_800;
/// Room made for what is said of one number, in bytes.
const DETAIL_BYTES_USUAL: usize = 1_024;
const BOUNDARY: &str = "--parcel-label-boundary";
const MULTIPART: HeaderValue = HeaderValue::from_static("multipart/form-data; boundary=parcel-label-boundary");
const PAYMENT_TOKEN: HeaderName = HeaderName::from_static("x-payment-authorization-token");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("x-idempotency-key");
/// How often a label may be printed again.
const REPRINTS_MAX: u8 = 3;

struct Office {
    book: CarrierBook,
    no: CarrierNo,
    clock: Clock,
    client_id: String,
    client_secret: String,
    tokens: Mutex<Tokens>,
    purchases: Mutex<Purchases>,
}

/// What was bought under keys; looked up only.
#[derive(Default)]
struct Purchases {
    of: HashMap<u128, Purchase>,
    /// The day for which images that can no longer be asked for were dropped last.
    swept: SmolStr,
}

struct Purchase {
    number: SmolStr,
    /// Of the request.
    print: u64,
    cents: i64,
    mailing_date: SmolStr,
    /// Kept up to the mailing date.
    image: Option<Box<[u8]>>,
    reprints: u8,
}

#[derive(Default)]
struct Tokens {
    issued: u64,
    /// The end of each token's life.
    access: BTreeMap<SmolStr, Moment>,
    payment: BTreeMap<SmolStr, Moment>,
}

/// The simulated API. `account.secret` is `client id:client secret`.
pub fn router(book: &CarrierBook, clock: Clock, account: Account) -> Router {
    let no = book.open(account.carrier, account.reliability);
    let (client_id, client_secret) = account.secret.split_once(':').unwrap_or((&account.secret, ""));
    let (client_id, client_secret) = (client_id.to_owned(), client_secret.to_owned());
    let office = Office { book: book.clone(), no, clock, client_id, client_secret, tokens: Mutex::default(), purchases: Mutex::default() };
    Router::new()
        .route("/oauth2/v3/token", post(token))
        .route("/oauth2/v3/revoke", post(revoke))
        .route("/payments/v3/payment-authorization", post(payment))
        .route("/shipments/v3/options/search", post(search))
        .route("/labels/v3/label", post(label))
        .route("/labels/v3/label-reprint", post(reprint))
        .route("/labels/v3/label/{number}", delete(cancel))
        .route("/tracking/v3r2/tracking", post(tracking))
        .with_state(Arc::new(office))
}

type Office_ = State<Arc<Office>>;

impl Office {
    fn tokens(&self) -> std::sync::MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The purchases, without the images that nobody may ask for any more.
    fn purchases(&self) -> std::sync::MutexGuard<'_, Purchases> {
        let mut purchases = self.purchases.lock().unwrap_or_else(PoisonError::into_inner);
        let today = first_mailing_date(self.clock.now());
        if purchases.swept != today {
            purchases.of.values_mut().filter(|p| p.mailing_date < today).for_each(|p| p.image = None);
            purchases.swept = today;
        }
        purchases
    }

    /// A 401, unless the call has a token that still lives.
    fn refusal(&self, headers: &HeaderMap, pays: bool) -> Option<Response> {
        let now = self.clock.now();
        let tokens = self.tokens();
        let lives = |end: Option<&Moment>| end.is_some_and(|end| now < *end);
        let access = header(headers, AUTHORIZATION).and_then(|v| v.strip_prefix("Bearer "));
        if !lives(access.and_then(|t| tokens.access.get(t))) {
            return Some(refuse(StatusCode::UNAUTHORIZED, "401", "Unauthorized", "Invalid or expired access token", "Authorization"));
        }
        if pays && !lives(header(headers, PAYMENT_TOKEN).and_then(|t| tokens.payment.get(t))) {
            let name = "X-Payment-Authorization-Token";
            return Some(refuse(StatusCode::UNAUTHORIZED, "401", "Unauthorized", "Invalid or expired payment token", name));
        }
        None
    }

    /// The IMpb: 92, service type, mailer, serial, check digit.
    fn number(&self, class: &MailClass, serial: u64) -> SmolStr {
        let mailer = MAILER_ID + u32::from(self.no.0);
        let digits = format_smolstr!("92{}{mailer:09}{:07}", class.service_type, serial % 10_000_000);
        format_smolstr!("{digits}{}", impb_check_digit(&digits))
    }
}

/// Mod 10 with weight 3 from the right (Publication 199, appendix C).
pub fn impb_check_digit(digits: &str) -> u32 {
    let sum: u32 = digits.bytes().rev().enumerate().map(|(i, d)| u32::from(d - b'0') * if i % 2 == 0 { 3 } else { 1 }).sum();
    (10 - sum % 10) % 10
}

fn refuse(status: StatusCode, code: &str, message: &str, detail: &str, parameter: &str) -> Response {
    json(status, &bodies::error(code, message, detail, parameter))
}

fn bad(detail: &str, parameter: &str) -> Response {
    refuse(StatusCode::BAD_REQUEST, "400", "Bad Request", detail, parameter)
}

#[derive(Deserialize)]
struct Credentials {
    client_id: String,
    client_secret: String,
    grant_type: String,
}

async fn token(State(office): Office_, request: Request) -> Response {
    let Some(body) = body(request.into_body()).await else { return bad("the body is too long", "body") };
    let known = read::<Credentials>(&body).is_ok_and(|given| {
        given.grant_type == "client_credentials" && given.client_id == office.client_id && given.client_secret == office.client_secret
    });
    if !known {
        return json(StatusCode::UNAUTHORIZED, &bodies::INVALID_CLIENT);
    }
    let now = office.clock.now();
    let mut tokens = office.tokens();
    tokens.issued += 1;
    let access_token = format_smolstr!("access-{}", tokens.issued);
    tokens.access.retain(|_, end| now < *end);
    tokens.access.insert(access_token.clone(), now + TOKEN_LIFE);
    json(
        StatusCode::OK,
        &bodies::AccessToken { access_token, token_type: "Bearer", expires_in: TOKEN_LIFE.0 / 1_000_000 - 1, status: "approved" },
    )
}

/// Ends every token at once.
async fn revoke(State(office): Office_) -> Response {
    let mut tokens = office.tokens();
    tokens.access.clear();
    tokens.payment.clear();
    empty(StatusCode::OK)
}

async fn payment(State(office): Office_, request: Request) -> Response {
    if let Some(refusal) = office.refusal(request.headers(), false) {
        return refusal;
    }
    let now = office.clock.now();
    let mut tokens = office.tokens();
    tokens.issued += 1;
    let payment_authorization_token = format_smolstr!("payment-{}", tokens.issued);
    tokens.payment.retain(|_, end| now < *end);
    tokens.payment.insert(payment_authorization_token.clone(), now + TOKEN_LIFE);
    json(StatusCode::OK, &bodies::PaymentToken { payment_authorization_token })
}

/// Checks a parcel; the error is what is wrong and where.
fn pounds(given: &bodies::Package) -> Result<Pounds, (&'static str, &'static str)> {
    let weight = given.weight.hundredths();
    let sides = [given.length.hundredths(), given.width.hundredths(), given.height.hundredths()];
    if weight <= 0 || weight > postage::USPS_POUNDS_MAX {
        return Err(("The weight must be above 0 and at most 70 pounds", "packageDescription.weight"));
    }
    if sides.iter().any(|side| *side <= 0) {
        return Err(("Length, width and height must be above 0", "packageDescription.length"));
    }
    let longest = sides.iter().max().copied().unwrap_or_default();
    if longest + 2 * (sides.iter().sum::<i64>() - longest) > postage::USPS_GIRTH_MAX {
        return Err(("Length plus girth must not exceed 130 inches", "packageDescription.length"));
    }
    Ok(Pounds { weight, dimensional: postage::usps_dimensional_pounds(sides) * 100 })
}

fn is_zip(text: &str) -> bool {
    text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit())
}

async fn search(State(office): Office_, request: Request) -> Response {
    let (head, content) = request.into_parts();
    if let Some(refusal) = office.refusal(&head.headers, false) {
        return refusal;
    }
    let Some(content) = body(content).await else { return bad("the body is too long", "body") };
    let asked: Search = match read(&content) {
        Ok(asked) => asked,
        Err(why) => return bad(&why, "body"),
    };
    if !is_zip(asked.origin_zip_code) || !is_zip(asked.destination_zip_code) {
        return bad("The ZIP Code is not five digits", "destinationZIPCode");
    }
    let pounds = match pounds(&asked.package_description) {
        Ok(pounds) => pounds,
        Err((detail, parameter)) => return bad(detail, parameter),
    };
    let zone = postage::usps_zone(asked.origin_zip_code, asked.destination_zip_code);
    let wanted = asked.package_description.mail_class;
    let classes = MAIL_CLASSES.iter().filter(|class| wanted == "ALL" || wanted == class.name);
    let mailing = calendar::read_parts(asked.package_description.mailing_date, "00:00:00", None).unwrap_or(office.clock.now());
    with_type(StatusCode::OK, JSON, answers::options(&asked, classes, zone, mailing, pounds).into_bytes())
}

async fn label(State(office): Office_, request: Request) -> Response {
    let (head, content) = request.into_parts();
    if let Some(refusal) = office.refusal(&head.headers, true) {
        return refusal;
    }
    let Some(content) = body(content).await else { return bad("the body is too long", "body") };
    let asked: Label = match read(&content) {
        Ok(asked) => asked,
        Err(why) => return bad(&why, "body"),
    };
    let key = match header(&head.headers, IDEMPOTENCY_KEY).map(uuid) {
        Some(None) => return bad("The value is not a UUID", "X-Idempotency-Key"),
        key => key.flatten(),
    };
    let print = u64::from_le_bytes(std::array::from_fn(|n| Hash::of(&content).0[n]));
    match sell(&office, key, print, &asked) {
        Ok(multipart) => with_type(StatusCode::OK, MULTIPART, multipart.into_bytes()),
        Err((detail, parameter)) => bad(detail, parameter),
    }
}

/// A UUID of any version, as the description's own example is of version 1.
fn uuid(text: &str) -> Option<u128> {
    let groups = text.split('-').map(|group| Some(group.len()).filter(|_| group.bytes().all(|b| b.is_ascii_hexdigit())));
    if !groups.eq([8, 4, 4, 4, 12].map(Some)) {
        return None;
    }
    u128::from_str_radix(&text.replace('-', ""), 16).ok()
}

/// Today, where it is earliest.
fn first_mailing_date(now: Moment) -> SmolStr {
    calendar::date(now - Span::from_hours(10))
}

/// Whether a mailing date is today or within a week, by the clocks of the United States from Guam to Hawaii.
fn may_be_mailed_on(date: &str, now: Moment) -> bool {
    let last = calendar::date(now + Span::from_hours(7 * 24 + 10));
    date.len() == 10 && *date >= *first_mailing_date(now) && *date <= *last
}

fn sell(office: &Office, key: Option<u128>, print: u64, asked: &Label) -> Result<Pen, (&'static str, &'static str)> {
    let mut purchases = office.purchases();
    let known = key.and_then(|key| purchases.of.get(&key));
    if known.is_some_and(|known| known.print != print) {
        return Err(("The X-Idempotency-Key was used with another request", "X-Idempotency-Key"));
    }
    let known = known.map(|known| known.number.clone());
    let package = &asked.package_description;
    let class = postage::mail_class(package.mail_class).ok_or(("The mail class is not available", "packageDescription.mailClass"))?;
    if asked.image_info.image_type != "ZPL203DPI" {
        return Err(("Only ZPL203DPI is available", "imageInfo.imageType"));
    }
    for (party, name) in [(&asked.from_address, "fromAddress"), (&asked.to_address, "toAddress")] {
        if let Some(fault) = party.fault() {
            return Err((fault, name));
        }
    }
    if package.customer_reference.iter().any(|r| r.reference_number.chars().count() > REFERENCE_MAX) {
        return Err(("referenceNumber is too long", "packageDescription.customerReference"));
    }
    if known.is_none() && !may_be_mailed_on(package.mailing_date, office.clock.now()) {
        return Err(("mailingDate must be today or up to 7 days ahead", "packageDescription.mailingDate"));
    }
    if asked.to_address.wants_customs_form() {
        let good = |g: &bodies::Goods| {
            (1..=30).contains(&g.item_description.chars().count())
                && g.item_total_value.hundredths() > 0
                && g.item_total_weight.hundredths() > 0
        };
        if !asked.customs_form.as_ref().is_some_and(|form| !form.contents.is_empty() && form.contents.iter().all(good)) {
            return Err(("A customs form with its contents is required", "customsForm"));
        }
    }
    let pounds = pounds(package)?;
    let zone = postage::usps_zone(asked.from_address.zip_code, asked.to_address.zip_code);
    let cents = postage::usps_cents(class, zone, pounds.chargeable());
    let hours = 24 * i64::from(answers::days(class, zone));
    let reference = package.customer_reference.first().map_or("", |r| &*r.reference_number);
    // The parcel's, whichever of its labels this is.
    let luck = format_smolstr!("{reference}.0");
    let sale = Sale {
        key: None,
        luck: Some(&luck),
        service: SmolStr::new_static(class.name),
        from: asked.from_address.stop(),
        to: asked.to_address.stop(),
        route: Route { crosses_border: false, hours_min: (hours - 20).max(12), hours_max: hours },
        postage: Money::new(Decimal::new(cents, 2), Currency::USD),
        at: office.clock.now(),
    };
    let fresh = known.is_none();
    let number = known.unwrap_or_else(|| office.book.sell(office.no, sale, |serial| office.number(class, serial)).0);
    let image = zpl::label(&LabelText {
        carrier: "USPS",
        service: class.product,
        from: asked.from_address.lines(),
        to: asked.to_address.lines(),
        codes: Codes::Usps { zip: asked.to_address.zip_code, number: &number },
        reference,
    });
    if let Some(key) = key.filter(|_| fresh) {
        let (number, mailing_date) = (number.clone(), package.mailing_date.into());
        let kept = Purchase { number, print, cents, mailing_date, image: Some(image.clone().into()), reprints: 0 };
        purchases.of.insert(key, kept);
    }
    let image = office.book.sent(office.no, image);
    let mut pen = Pen::new(2_048);
    pen.raw(BOUNDARY).raw("\r\nContent-Type: application/json\r\nContent-Disposition: form-data; name=\"labelMetadata\"\r\n\r\n");
    answers::label_metadata(&mut pen, &asked.to_address, class, zone, &number, cents, pounds);
    pen.raw("\r\n").raw(BOUNDARY).raw("\r\nContent-Type: application/octet-stream\r\nContent-Disposition: form-data; ");
    pen.raw("filename=\"labelImage.zpl\"; name=\"labelImage\"\r\n\r\n").raw(&STANDARD.encode(image)).raw("\r\n");
    pen.raw(BOUNDARY).raw("--\r\n");
    Ok(pen)
}

async fn reprint(State(office): Office_, request: Request) -> Response {
    let (head, content) = request.into_parts();
    if let Some(refusal) = office.refusal(&head.headers, true) {
        return refusal;
    }
    let Some(content) = body(content).await else { return bad("the body is too long", "body") };
    let asked: bodies::Reprint = match read(&content) {
        Ok(asked) => asked,
        Err(why) => return bad(&why, "body"),
    };
    if asked.image_info.image_type != "ZPL203DPI" {
        return bad("Only ZPL203DPI is available", "imageInfo.imageType");
    }
    let Some(key) = header(&head.headers, IDEMPOTENCY_KEY).and_then(uuid) else {
        return bad("The value is not a UUID", "X-Idempotency-Key");
    };
    let mut purchases = office.purchases();
    let Some(purchase) = purchases.of.get_mut(&key) else { return bad("Order not found", "X-Idempotency-Key") };
    if office.book.fate(&purchase.number) == Some(Fate::Voided) {
        return bad("Canceled labels are not eligible for reprint", "X-Idempotency-Key");
    }
    if purchase.reprints >= REPRINTS_MAX {
        return bad("Labels can only be reprinted up to 3 times", "X-Idempotency-Key");
    }
    let Some(image) = &purchase.image else { return bad("Labels can only be reprinted up to the mailing date", "X-Idempotency-Key") };
    let image = office.book.sent(office.no, image.to_vec());
    purchase.reprints += 1;
    let mut pen = Pen::new(2_048);
    pen.raw(BOUNDARY).raw("\r\nContent-Type: application/json\r\nContent-Disposition: form-data; name=\"labelMetadata\"\r\n\r\n");
    pen.raw("{\"trackingNumber\":\"").raw(&purchase.number).raw("\",\"postage\":").hundredths(purchase.cents);
    pen.raw("}\r\n").raw(BOUNDARY).raw("\r\nContent-Type: application/octet-stream\r\nContent-Disposition: form-data; ");
    pen.raw("filename=\"labelImage.zpl\"; name=\"labelImage\"\r\n\r\n").raw(&STANDARD.encode(image)).raw("\r\n");
    pen.raw(BOUNDARY).raw("\r\nContent-Type: application/json\r\nContent-Disposition: form-data; name=\"reprintInfo\"\r\n\r\n");
    pen.raw("{\"reprintNumber\":").number(purchase.reprints.into()).raw(",\"reprintLimit\":").number(REPRINTS_MAX.into());
    pen.raw("}\r\n").raw(BOUNDARY).raw("--\r\n");
    with_type(StatusCode::OK, MULTIPART, pen.into_bytes())
}

async fn cancel(State(office): Office_, Path(number): Path<String>, request: Request) -> Response {
    if let Some(refusal) = office.refusal(request.headers(), true) {
        return refusal;
    }
    match office.book.void(office.no, &number) {
        Voiding::Done => json(StatusCode::OK, &bodies::Cancelled { tracking_number: &number, status: "CANCELED" }),
        Voiding::Unknown => bad("Order not found", "trackingNumber"),
        Voiding::Already => bad("A refund request for this order has already been submitted today", "trackingNumber"),
        Voiding::TooLate => bad("A refund request for this order cannot be submitted", "trackingNumber"),
    }
}

async fn tracking(State(office): Office_, request: Request) -> Response {
    let (head, content) = request.into_parts();
    if let Some(refusal) = office.refusal(&head.headers, false) {
        return refusal;
    }
    let Some(content) = body(content).await else { return bad("the body is too long", "body") };
    let asked: Vec<bodies::Asked> = match read(&content) {
        Ok(asked) => asked,
        Err(why) => return bad(&why, "body"),
    };
    if asked.is_empty() || asked.len() > TRACK_BATCH_MAX {
        return bad("Between 1 and 35 tracking numbers are accepted", "trackingNumber");
    }
    let now = office.clock.now();
    let (mut pen, mut unknown) = (Pen::new(asked.len() * DETAIL_BYTES_USUAL), false);
    pen.raw("[");
    office.book.look_up(office.no, asked.iter().map(|a| &*a.tracking_number), |number, sold| {
        if pen.len() > 1 {
            pen.raw(",");
        }
        match sold {
            Some(sold) => answers::detail(&mut pen, number, sold, now),
            None => {
                unknown = true;
                answers::not_found(&mut pen, number);
            }
        }
    });
    pen.raw("]");
    let status = if unknown { StatusCode::MULTI_STATUS } else { StatusCode::OK };
    with_type(status, JSON, pen.into_bytes())
}

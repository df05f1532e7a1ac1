//! What USPS answers, in our words.

use super::codes;
use crate::carriers::caller::{Complaint, Why, parse, sensitive};
use crate::carriers::calendar;
use crate::carriers::figures::{Code, Figure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;
use smol_str::SmolStr;
use std::borrow::Cow;
use twin::channel::{Label, Quote, TrackEvent, TrackStatus, Tracking};
use twin::money::Currency;
use twin::{Moment, Money, Span, TrackingNumber};

/// A payment token lives eight hours (payments v3); the answer does not say so itself.
const PAYMENT_TOKEN_LIFE: Span = Span::from_hours(8);
/// An access token whose answer names no length of life is used this long.
const ACCESS_TOKEN_LIFE_S: u64 = 3_600;

fn dollars(amount: Decimal) -> Money {
    Money::new(amount, Currency::USD)
}

#[derive(Deserialize)]
struct AccessToken {
    access_token: String,
    #[serde(default)]
    expires_in: Option<Figure>,
}

/// The `Authorization` value and how long it holds.
pub fn access(body: &[u8]) -> Result<(HeaderValue, Span), Why> {
    let token: AccessToken = parse(body)?;
    let life = token.expires_in.and_then(Figure::whole).unwrap_or(ACCESS_TOKEN_LIFE_S);
    let value = sensitive(&format!("Bearer {}", token.access_token)).ok_or("the token has characters no header can carry")?;
    Ok((value, Span::from_secs(i64::try_from(life).unwrap_or(0))))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PaymentToken {
    payment_authorization_token: String,
}

pub fn payment(body: &[u8]) -> Result<(HeaderValue, Span), Why> {
    let token: PaymentToken = parse(body)?;
    let value = sensitive(&token.payment_authorization_token).ok_or("the token has characters no header can carry")?;
    Ok((value, PAYMENT_TOKEN_LIFE))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options<'a> {
    #[serde(borrow, default)]
    pricing_options: Vec<PricingOption<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PricingOption<'a> {
    #[serde(borrow, default)]
    shipping_options: Vec<ShippingOption<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ShippingOption<'a> {
    #[serde(borrow)]
    mail_class: Cow<'a, str>,
    #[serde(borrow, default)]
    rate_options: Vec<RateOption<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RateOption<'a> {
    #[serde(borrow, default)]
    commitment: Option<Commitment<'a>>,
    #[serde(default)]
    total_price: Option<Figure>,
    #[serde(default)]
    total_base_price: Option<Figure>,
    #[serde(borrow, default)]
    rates: Vec<Rate<'a>>,
    #[serde(default)]
    extra_services: Vec<ExtraService>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Commitment<'a> {
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    schedule_delivery_date: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rate<'a> {
    #[serde(borrow, default)]
    rate_indicator: Cow<'a, str>,
    #[serde(borrow, default)]
    processing_category: Cow<'a, str>,
    #[serde(default)]
    zone: SmolStr,
    #[serde(default)]
    weight: Figure,
    #[serde(default)]
    dimensional_weight: Figure,
}

#[derive(Deserialize)]
struct ExtraService {
    #[serde(default)]
    name: SmolStr,
    #[serde(default)]
    price: Figure,
}

/// How plain a rate is, the plainest first; `None` for flat-rate, presort, cubic and other special ones.
pub fn plain_rank(indicator: &str) -> Option<usize> {
    // Single piece, Express single piece, dimensional rectangular, dimensional nonrectangular, oversized.
    ["SP", "PA", "DR", "DN", "OS"].iter().position(|plain| *plain == indicator)
}

/// One price per mail class: the plainest rate, of our processing category where USPS prices both, the lower of equals.
pub fn quotes(body: &[u8], category: &str, ship_at: Moment) -> Result<Vec<Quote>, Why> {
    let options: Options = parse(body)?;
    let mut quotes: Vec<Quote> = Vec::new();
    for shipping in options.pricing_options.iter().flat_map(|p| &p.shipping_options) {
        let chosen = shipping.rate_options.iter().filter_map(|option| {
            let rate = option.rates.first()?;
            let total = option.total_price.or(option.total_base_price)?.0;
            Some(((plain_rank(&rate.rate_indicator)?, rate.processing_category != category, total), option, rate))
        });
        let Some(((_, _, total), option, rate)) = chosen.min_by(|a, b| a.0.cmp(&b.0)) else { continue };
        if quotes.iter().any(|q| q.service == *shipping.mail_class) {
            continue;
        }
        quotes.push(quote(&shipping.mail_class, total, option, rate, ship_at));
    }
    Ok(quotes)
}

fn quote(mail_class: &str, total: Decimal, option: &RateOption, rate: &Rate, ship_at: Moment) -> Quote {
    let base = option.total_base_price.map_or(total, |f| f.0);
    let mut breakdown = vec![(SmolStr::new_static("base price"), dollars(base))];
    let extras = option.extra_services.iter().filter(|e| !e.price.0.is_zero());
    breakdown.extend(extras.map(|e| (e.name.clone(), dollars(e.price.0))));
    Quote {
        service: mail_class.into(),
        total: dollars(total),
        breakdown,
        days: option.commitment.as_ref().and_then(|c| days(c, ship_at)),
        chargeable_g: grams(rate.weight.0.max(rate.dimensional_weight.0)),
        zone: rate.zone.clone(),
    }
}

/// `2 Days`, or else the days until the scheduled delivery.
fn days(commitment: &Commitment, ship_at: Moment) -> Option<u16> {
    let named = commitment.name.split(' ').next().and_then(|n| n.parse().ok());
    named.or_else(|| {
        let until = commitment.schedule_delivery_date.as_deref()?;
        u16::try_from(calendar::days_between(ship_at, until)?).ok()
    })
}

fn grams(pounds: Decimal) -> Option<u32> {
    if pounds.is_zero() { None } else { (pounds * Decimal::new(45_359_237, 5)).ceil().to_u32() }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LabelMetadata {
    tracking_number: SmolStr,
    #[serde(default)]
    postage: Option<Figure>,
    #[serde(default)]
    extra_services: Vec<ExtraService>,
}

/// A multipart answer: `labelMetadata` in JSON, `labelImage` in Base64. Postage holds the fees but not the extra services.
pub fn label(body: &[u8]) -> Result<Label, Why> {
    let text = std::str::from_utf8(body).map_err(|e| e.to_string())?;
    let metadata = part(text, "labelMetadata").ok_or("no part named labelMetadata")?;
    let image = part(text, "labelImage").ok_or("no part named labelImage")?;
    let metadata: LabelMetadata = parse(metadata.as_bytes())?;
    let extras: Decimal = metadata.extra_services.iter().map(|e| e.price.0).sum();
    Ok(Label {
        tracking: TrackingNumber(metadata.tracking_number),
        charged: metadata.postage.map(|p| dollars(p.0 + extras)),
        zpl: STANDARD.decode(image).map_err(|e| format!("labelImage is not Base64: {e}"))?,
    })
}

/// The content of the part called `name`, without the line ends round it. The delimiter is the body's own first line.
fn part<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let delimiter = body.trim_start().lines().next().filter(|l| l.starts_with("--"))?.trim_end();
    body.split(delimiter).find_map(|part| {
        let (head, content) = part.split_once("\r\n\r\n").or_else(|| part.split_once("\n\n"))?;
        let mut fields = head.lines().flat_map(|line| line.split(';')).map(str::trim);
        fields.any(|f| f.strip_prefix("name=").is_some_and(|n| n.trim_matches('"') == name)).then(|| content.trim())
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    #[serde(default)]
    tracking_number: Option<SmolStr>,
    #[serde(borrow, default)]
    status_category: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tracking_events: Vec<Scan<'a>>,
}

#[derive(Deserialize)]
struct Scan<'a> {
    #[serde(borrow, default, rename = "eventType")]
    event_type: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "eventTimestamp")]
    event_timestamp: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "GMTTimestamp")]
    gmt_timestamp: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "GMTOffset")]
    gmt_offset: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "eventCity")]
    event_city: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "eventState")]
    event_state: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "eventZIP", alias = "eventZIPCode")]
    event_zip: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "eventCode")]
    event_code: Option<Cow<'a, str>>,
}

impl Scan<'_> {
    fn is_where(&self, other: &Scan) -> bool {
        self.event_city == other.event_city && self.event_zip == other.event_zip && self.event_state == other.event_state
    }
}

/// News of the numbers USPS knows, added to `found`. An entry without a number or without events is one it does not.
pub fn tracking(body: &[u8], found: &mut Vec<Tracking>) -> Result<(), Why> {
    let items: Vec<Item> = parse(body)?;
    for item in items {
        let Some(number) = item.tracking_number.filter(|_| !item.tracking_events.is_empty()) else { continue };
        let category = item.status_category.as_deref().unwrap_or_default();
        // Newest first on the wire.
        let scans = item.tracking_events.iter().enumerate().rev();
        let mut events: Vec<TrackEvent> = Vec::with_capacity(item.tracking_events.len());
        for (i, scan) in scans {
            // Most scans are made where the one before was.
            let same = item.tracking_events.get(i + 1).filter(|before| before.is_where(scan)).and(events.last());
            let place = same.map_or_else(|| place(scan), |before| before.place.clone());
            events.push(event(scan, place, (i == 0).then_some(category))?);
        }
        events.sort_by_key(|e| e.at);
        found.push(Tracking { number: TrackingNumber(number), events });
    }
    Ok(())
}

/// `category` is the item's, given with its newest event only.
fn event(scan: &Scan, place: SmolStr, category: Option<&str>) -> Result<TrackEvent, Why> {
    let code = scan.event_code.as_deref().unwrap_or_default();
    let said = scan.event_type.as_deref().unwrap_or_default();
    let known = codes::status(code);
    let status = match known {
        // A parcel back where it came from has the code of a delivery.
        Some((TrackStatus::Delivered, _)) if said.contains("Original Sender") => TrackStatus::Returned,
        Some((status, _)) => status,
        None => category.map_or(TrackStatus::InFlight, codes::category),
    };
    let text = match known {
        Some((_, usual)) if usual == said => SmolStr::new_static(usual),
        _ => said.into(),
    };
    Ok(TrackEvent { at: at(scan)?, status, code: code.into(), text, place })
}

fn at(scan: &Scan) -> Result<Moment, Why> {
    let gmt = scan.gmt_timestamp.as_deref().and_then(|t| calendar::read(t, None));
    let local = || calendar::read(scan.event_timestamp.as_deref()?, scan.gmt_offset.as_deref());
    gmt.or_else(local).ok_or_else(|| format!("an event has no time: {:?}", scan.event_timestamp))
}

/// `HERNANDO, FL 34442`, as much of it as there is.
fn place(scan: &Scan) -> SmolStr {
    let full = |part: &Option<Cow<'_, str>>| part.as_deref().filter(|p| !p.is_empty()).map(SmolStr::new);
    let parts = (full(&scan.event_city), full(&scan.event_state), full(&scan.event_zip));
    match parts {
        (Some(city), Some(state), Some(zip)) => smol_str::format_smolstr!("{city}, {state} {zip}"),
        (Some(city), Some(more), None) | (Some(city), None, Some(more)) => smol_str::format_smolstr!("{city}, {more}"),
        (Some(one), None, None) | (None, Some(one), None) | (None, None, Some(one)) => one,
        (None, Some(state), Some(zip)) => smol_str::format_smolstr!("{state} {zip}"),
        (None, None, None) => SmolStr::default(),
    }
}

#[derive(Deserialize)]
struct ApiError {
    error: ApiErrorBody,
}

#[derive(Deserialize)]
struct ApiErrorBody {
    #[serde(default)]
    code: Code,
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: Vec<ApiErrorDetail>,
}

#[derive(Deserialize)]
struct ApiErrorDetail {
    #[serde(default)]
    detail: Option<String>,
}

#[derive(Deserialize)]
struct OauthError {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// The error bodies of the APIs, and of the token endpoint.
pub fn complaint(body: &[u8]) -> Option<Complaint> {
    if let Ok(ApiError { error }) = parse::<ApiError>(body) {
        let detail = error.errors.into_iter().find_map(|e| e.detail).filter(|d| !d.is_empty() && *d != error.message);
        let message = detail.map_or(error.message.clone(), |d| format!("{}: {d}", error.message));
        return Some(Complaint { code: error.code.0.into(), message });
    }
    let oauth: OauthError = parse(body).ok()?;
    Some(Complaint { code: oauth.error, message: oauth.error_description })
}

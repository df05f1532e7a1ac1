//! What USPS answers to all but tracking, in our words.

use crate::carriers::calendar;
use crate::carriers::caller::{Complaint, Text, Why, parse, sensitive};
use crate::carriers::figures::{Code, Figure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;
use smol_str::SmolStr;
use std::borrow::Cow;
use twin::channel::{Label, Quote};
use twin::money::Currency;
use twin::{Moment, Money, Span, TrackingNumber};

/// A payment token lives eight hours (payments v3); the answer does not say so itself.
const PAYMENT_TOKEN_LIFE: Span = Span::from_hours(8);
/// An access token whose answer names no length of life is used this long.
const ACCESS_TOKEN_LIFE_S: u64 = 3_600;

fn dollars(amount: Decimal) -> Money {
    Money::new(amount, Currency::USD).rounded()
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
    schedule_delivery_date: Option<Text<'a>>,
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
    let (mut metadata, mut image) = (None, None);
    for (name, content) in parts(text) {
        match name {
            "labelMetadata" => metadata = Some(content),
            "labelImage" => image = Some(content),
            // A receipt, or the label of a return.
            _ => {}
        }
    }
    let metadata = metadata.ok_or("no part named labelMetadata")?;
    let image = image.ok_or("no part named labelImage")?;
    let metadata: LabelMetadata = parse(metadata.as_bytes())?;
    let extras: Decimal = metadata.extra_services.iter().map(|e| e.price.0).sum();
    Ok(Label {
        tracking: TrackingNumber(metadata.tracking_number),
        charged: metadata.postage.map(|p| dollars(p.0 + extras)),
        zpl: STANDARD.decode(image).map_err(|e| format!("labelImage is not Base64: {e}"))?,
    })
}

/// The parts of a multipart body: name, and content without the line ends round it. The delimiter is the body's own first line.
fn parts(body: &str) -> impl Iterator<Item = (&str, &str)> {
    let delimiter = body.trim_start().lines().next().filter(|line| line.starts_with("--")).map(str::trim_end);
    delimiter.into_iter().flat_map(|delimiter| body.split(delimiter)).filter_map(|part| {
        let (head, content) = part.split_once("\r\n\r\n").or_else(|| part.split_once("\n\n"))?;
        // ` name=`, for `filename=` ends the same.
        let (_, name) = head.split_once(" name=")?;
        let name = name.split(['\r', '\n', ';']).next()?;
        Some((name.trim_matches('"'), content.trim()))
    })
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

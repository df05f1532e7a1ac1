//! What USPS answers to all but tracking, in our words. A price that cannot be read is skipped and told; the others are read.

use crate::carriers::CarrierError;
use crate::carriers::answer::{Read, Skips};
use crate::carriers::calendar;
use crate::carriers::caller::{Complaint, Text, Why, parse, sensitive, text};
use crate::carriers::figures::{Code, Figure};
use crate::carriers::label_image;
use crate::carriers::odd_json::parse_or_mend;
use crate::carriers::soft::{Soft, object};
use http::HeaderValue;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;
use smol_str::{SmolStr, format_smolstr};
use twin::channel::{Label, Quote};
use twin::money::Currency;
use twin::{Moment, Money, Span};

/// A payment token lives eight hours (payments v3); the answer does not say so itself.
const PAYMENT_TOKEN_LIFE: Span = Span::from_hours(8);
/// An access token whose answer names no length of life is used this long.
const ACCESS_TOKEN_LIFE_S: u64 = 3_600;

fn dollars(amount: Decimal) -> Money {
    Money::new(amount, Currency::USD).rounded()
}

#[derive(Deserialize)]
struct AccessToken<'a> {
    #[serde(borrow, default)]
    access_token: Soft<Text<'a>>,
    #[serde(default)]
    expires_in: Soft<Figure>,
}

/// The `Authorization` value and how long it holds.
pub fn access(body: &[u8]) -> Result<(HeaderValue, Span), Why> {
    let text = text(body);
    let token: AccessToken = parse(&text)?;
    let life = token.expires_in.good().and_then(|life| life.whole()).unwrap_or(ACCESS_TOKEN_LIFE_S);
    let access_token = token.access_token.text().ok_or_else(|| format!("access_token is {}", token.access_token))?;
    let value = sensitive(&format!("Bearer {access_token}")).ok_or("the token has characters no header can carry")?;
    Ok((value, Span::from_secs(i64::try_from(life).unwrap_or(0))))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PaymentToken<'a> {
    #[serde(borrow, default)]
    payment_authorization_token: Soft<Text<'a>>,
}

pub fn payment(body: &[u8]) -> Result<(HeaderValue, Span), Why> {
    let text = text(body);
    let PaymentToken { payment_authorization_token: token } = parse(&text)?;
    let value = token.text().ok_or_else(|| format!("paymentAuthorizationToken is {token}"))?;
    let value = sensitive(value).ok_or("the token has characters no header can carry")?;
    Ok((value, PAYMENT_TOKEN_LIFE))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options<'a> {
    #[serde(borrow, default)]
    pricing_options: Soft<Vec<Soft<PricingOption<'a>>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PricingOption<'a> {
    #[serde(borrow, default)]
    shipping_options: Soft<Vec<Soft<ShippingOption<'a>>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ShippingOption<'a> {
    #[serde(borrow, default)]
    mail_class: Soft<Text<'a>>,
    #[serde(borrow, default)]
    rate_options: Soft<Vec<Soft<RateOption<'a>>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RateOption<'a> {
    #[serde(borrow, default)]
    commitment: Soft<Commitment<'a>>,
    #[serde(default)]
    total_price: Soft<Figure>,
    #[serde(default)]
    total_base_price: Soft<Figure>,
    #[serde(borrow, default)]
    rates: Soft<Vec<Soft<Rate<'a>>>>,
    #[serde(borrow, default)]
    extra_services: Soft<Vec<Soft<ExtraService<'a>>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Commitment<'a> {
    #[serde(borrow, default)]
    name: Soft<Text<'a>>,
    #[serde(borrow, default)]
    schedule_delivery_date: Soft<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rate<'a> {
    #[serde(borrow, default)]
    rate_indicator: Soft<Text<'a>>,
    #[serde(borrow, default)]
    processing_category: Soft<Text<'a>>,
    #[serde(borrow, default)]
    zone: Soft<Text<'a>>,
    #[serde(default)]
    weight: Soft<Figure>,
    #[serde(default)]
    dimensional_weight: Soft<Figure>,
}

#[derive(Deserialize)]
struct ExtraService<'a> {
    #[serde(borrow, default)]
    name: Soft<Text<'a>>,
    #[serde(default)]
    price: Soft<Figure>,
}

object!(PricingOption<'a>, ShippingOption<'a>, RateOption<'a>, Commitment<'a>, Rate<'a>, ExtraService<'a>);

/// A list that an answer is made of; one that is no list is told as a whole that is missing.
fn list<'s, T>(place: &str, soft: &'s Soft<Vec<Soft<T>>>, skips: &mut Skips) -> Vec<&'s T> {
    let Some(elements) = soft.good() else {
        skips.whole(place, format_args!("{place} is {soft}"));
        return Vec::new();
    };
    let mut good = Vec::with_capacity(elements.len());
    for (n, element) in elements.iter().enumerate() {
        match element.good() {
            Some(element) => good.push(element),
            None => skips.whole(format_args!("{place}[{n}]"), format_args!("{place}[{n}] is {element}")),
        }
    }
    good
}

/// How plain a rate is, the plainest first; `None` for flat-rate, presort, cubic and other special ones.
pub fn plain_rank(indicator: &str) -> Option<usize> {
    // Single piece, Express single piece, dimensional rectangular, dimensional nonrectangular, oversized.
    ["SP", "PA", "DR", "DN", "OS"].iter().position(|plain| *plain == indicator)
}

/// One price per mail class: the plainest rate, of our processing category where USPS prices both, the lower of equals.
pub fn quotes(body: &[u8], category: &str, ship_at: Moment) -> Result<Read<Vec<Quote>>, Why> {
    let (text, mut skips) = (text(body), Skips::default());
    let mut room = String::new();
    let options: Options = parse_or_mend(&text, &mut room, &mut skips)?;
    let mut quotes: Vec<Quote> = Vec::new();
    for pricing in list("pricingOptions", &options.pricing_options, &mut skips) {
        for shipping in list("shippingOptions", &pricing.shipping_options, &mut skips) {
            skips.about(None);
            let Some(mail_class) = shipping.mail_class.text().filter(|class| !class.is_empty()) else {
                skips.whole("mailClass", format_args!("prices of no mailClass, which is {}", shipping.mail_class));
                continue;
            };
            skips.about(Some(mail_class));
            let mut priced: Vec<Priced> = Vec::new();
            for (n, option) in list("rateOptions", &shipping.rate_options, &mut skips).into_iter().enumerate() {
                match priced_as(option, &mut skips) {
                    Ok(candidate) => priced.extend(candidate),
                    Err(why) => skips.whole(format_args!("rateOptions[{n}]"), why),
                }
            }
            let rank = |p: &Priced| (p.rank, p.category.as_deref() != Some(category), p.total);
            let Some(chosen) = priced.into_iter().min_by(|a, b| rank(a).cmp(&rank(b))) else { continue };
            if quotes.iter().all(|q| q.service != mail_class) {
                quotes.push(quote(mail_class, &chosen, ship_at, &mut skips));
            }
        }
        skips.about(None);
    }
    Ok(Read { value: quotes, skipped: skips.into_list() })
}

/// A rate that we could buy.
struct Priced<'a> {
    rank: usize,
    category: Option<SmolStr>,
    total: Decimal,
    option: &'a RateOption<'a>,
    rate: &'a Rate<'a>,
}

/// The rate and what it costs; `None` where it is none of ours, the error where it may be and cannot be read.
fn priced_as<'a>(option: &'a RateOption<'a>, skips: &mut Skips) -> Result<Option<Priced<'a>>, SmolStr> {
    let rates = option.rates.good().ok_or_else(|| format_smolstr!("rates is {}", option.rates))?;
    let Some(first) = rates.first() else { return Ok(None) };
    let rate = first.good().ok_or_else(|| format_smolstr!("rates[0] is {first}"))?;
    let indicator = rate.rate_indicator.text().ok_or_else(|| format_smolstr!("rateIndicator is {}", rate.rate_indicator))?;
    let Some(rank) = plain_rank(indicator) else { return Ok(None) };
    // Where USPS leaves the total out, nothing is added to the base.
    let total = match (&option.total_price, option.total_base_price.good()) {
        (Soft::Good(total), _) => total.0,
        (Soft::Absent, Some(base)) => base.0,
        (total, _) => return Err(format_smolstr!("totalPrice is {total}, totalBasePrice {}", option.total_base_price)),
    };
    if total <= Decimal::ZERO {
        return Err(format_smolstr!("a price of {total}"));
    }
    let category = skips.take("processingCategory", &rate.processing_category).map(|category| SmolStr::new(&category.0));
    Ok(Some(Priced { rank, category, total, option, rate }))
}

fn quote(mail_class: &str, chosen: &Priced, ship_at: Moment, skips: &mut Skips) -> Quote {
    let Priced { total, option, rate, .. } = chosen;
    let base = skips.take("totalBasePrice", &option.total_base_price).map_or(*total, |f| f.0);
    let mut breakdown = vec![(SmolStr::new_static("base price"), dollars(base))];
    for extra in skips.take("extraServices", &option.extra_services).into_iter().flatten() {
        let Some(extra) = skips.take("extraServices", extra) else { continue };
        let price = skips.take("extraServices.price", &extra.price).map_or(Decimal::ZERO, |price| price.0);
        if !price.is_zero() {
            let name = skips.take("extraServices.name", &extra.name).map_or("extra service", |name| name);
            breakdown.push((name.into(), dollars(price)));
        }
    }
    let pounds = |soft, name, skips: &mut Skips| skips.take(name, soft).map_or(Decimal::ZERO, |f: &Figure| f.0);
    let weight = pounds(&rate.weight, "weight", skips).max(pounds(&rate.dimensional_weight, "dimensionalWeight", skips));
    Quote {
        service: mail_class.into(),
        total: dollars(*total),
        breakdown,
        days: skips.take("commitment", &option.commitment).and_then(|c| days(c, ship_at)),
        chargeable_g: grams(weight),
        zone: skips.take("zone", &rate.zone).map_or("", |zone| zone).into(),
    }
}

/// `2 Days`, or else the days until the scheduled delivery.
fn days(commitment: &Commitment, ship_at: Moment) -> Option<u16> {
    let named = commitment.name.text().and_then(|name| name.split(' ').next()?.parse().ok());
    named.or_else(|| {
        let until = commitment.schedule_delivery_date.text()?;
        u16::try_from(calendar::days_between(ship_at, until)?).ok()
    })
}

fn grams(pounds: Decimal) -> Option<u32> {
    if pounds.is_zero() { None } else { (pounds * Decimal::new(45_359_237, 5)).ceil().to_u32() }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LabelMetadata<'a> {
    #[serde(borrow, default)]
    tracking_number: Soft<Text<'a>>,
    #[serde(default)]
    postage: Soft<Figure>,
    #[serde(borrow, default)]
    extra_services: Soft<Vec<Soft<ExtraService<'a>>>>,
}

/// A multipart answer: `labelMetadata` in JSON, `labelImage` in Base64. Postage holds the fees but not the extra services.
pub fn label(body: &[u8]) -> Result<Read<Label>, Why> {
    let text = text(body);
    let (mut metadata, mut image) = (None, None);
    for (name, content) in parts(&text) {
        match name {
            "labelMetadata" => metadata = Some(content),
            "labelImage" => image = Some(content),
            // A receipt, or the label of a return.
            _ => {}
        }
    }
    let metadata = metadata.ok_or("no part named labelMetadata")?;
    let (mut room, mut skips) = (String::new(), Skips::default());
    let metadata: LabelMetadata = parse_or_mend(metadata, &mut room, &mut skips)?;
    let number = label_image::number("trackingNumber", metadata.tracking_number.text(), &metadata.tracking_number)?;
    // From here on something is bought: whoever hears of a fault must know which label that is.
    let image = image.ok_or_else(|| format!("label {number} has no part named labelImage"))?;
    let zpl = label_image::zpl(image).map_err(|why| format!("label {number}: {why}"))?;
    skips.about(Some(number.as_str()));
    let charged = charged(&metadata, &mut skips);
    let label = Label { tracking: number, plate: None, charged, zpl };
    Ok(Read { value: label, skipped: skips.into_list() })
}

/// Postage and extras; `None` where a part of it cannot be read, since a sum without it would be too low, or cannot be meant.
fn charged(metadata: &LabelMetadata, skips: &mut Skips) -> Option<Money> {
    let mut sum = skips.take("postage", &metadata.postage)?.0;
    let extras = match &metadata.extra_services {
        Soft::Absent => return label_image::charge("postage", sum, Currency::USD, skips),
        extras => skips.take("extraServices", extras)?,
    };
    for extra in extras {
        let price = match &skips.take("extraServices", extra)?.price {
            Soft::Absent => Decimal::ZERO,
            price => skips.take("extraServices.price", price)?.0,
        };
        // What is too long to be added up is too much as it is.
        sum = sum.checked_add(price).unwrap_or(Decimal::MAX);
    }
    label_image::charge("postage", sum, Currency::USD, skips)
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
struct ApiError<'a> {
    #[serde(borrow, default)]
    error: Soft<ApiErrorBody<'a>>,
}

#[derive(Deserialize)]
struct ApiErrorBody<'a> {
    #[serde(default)]
    code: Soft<Code>,
    #[serde(borrow, default)]
    message: Soft<Text<'a>>,
    #[serde(borrow, default)]
    errors: Soft<Vec<Soft<ApiErrorDetail<'a>>>>,
}

#[derive(Deserialize)]
struct ApiErrorDetail<'a> {
    #[serde(borrow, default)]
    detail: Soft<Text<'a>>,
}

#[derive(Deserialize)]
struct OauthError<'a> {
    #[serde(borrow, default)]
    error: Soft<Text<'a>>,
    #[serde(borrow, default)]
    error_description: Soft<Text<'a>>,
}

object!(ApiErrorBody<'a>, ApiErrorDetail<'a>);

/// The error bodies of the APIs, and of the token endpoint. `None` where there is nothing in it to tell.
pub fn complaint(body: &[u8]) -> Option<Complaint> {
    let text = text(body);
    if let Ok(ApiError { error: Soft::Good(error) }) = parse::<ApiError>(&text) {
        let message = error.message.text().unwrap_or_default();
        let details = error.errors.good().into_iter().flatten().filter_map(Soft::good);
        let detail = details.filter_map(|e| e.detail.text()).find(|d| !d.is_empty()).filter(|d| *d != message);
        let message = match detail {
            Some(detail) if message.is_empty() => detail.to_owned(),
            Some(detail) => format!("{message}: {detail}"),
            None => message.to_owned(),
        };
        let code = error.code.good().map_or_else(Default::default, |code| code.0.to_string());
        return Some(Complaint { code, message }).filter(|c| !c.message.is_empty());
    }
    let oauth: OauthError = parse(&text).ok()?;
    let code = oauth.error.text().filter(|error| !error.is_empty())?.to_owned();
    Some(Complaint { message: oauth.error_description.text().filter(|d| !d.is_empty()).map_or_else(|| code.clone(), str::to_owned), code })
}

/// Whether a refusal is about the key of the purchase. What USPS answers to another payload under a key that it knows is not
/// described; it will name the header.
pub fn is_of_key(refusal: &CarrierError) -> bool {
    says(refusal, "idempotency")
}

/// Whether there is no such label.
pub fn is_unknown(refusal: &CarrierError) -> bool {
    matches!(refusal, CarrierError::Refused { status: 404, .. }) || says(refusal, "order not found")
}

/// Whether the label was given back before: "A refund request for this order has already been submitted today".
pub fn is_given_back(refusal: &CarrierError) -> bool {
    says(refusal, "already been submitted") || says(refusal, "already been cancel")
}

/// Whether the carrier refused with these words, small letters, in its own.
fn says(refusal: &CarrierError, words: &str) -> bool {
    matches!(refusal, CarrierError::Refused { status: 400..=499, message, .. } if message.to_ascii_lowercase().contains(words))
}

//! What a forwarder answers to all but tracking, in our words.

use crate::carriers::answer::{Read, Skips};
use crate::carriers::caller::{Complaint, Text, Why, parse, text};
use crate::carriers::figures::Figure;
use crate::carriers::label_image;
use crate::carriers::odd_json::parse_or_mend;
use crate::carriers::soft::{Soft, object};
use serde::Deserialize;
use twin::Money;
use twin::channel::Label;
use twin::money::Currency;

#[derive(Deserialize)]
struct Sold<'a> {
    #[serde(borrow, default)]
    tracking: Soft<Text<'a>>,
    #[serde(borrow, default)]
    charged: Soft<Charged<'a>>,
    #[serde(borrow, default)]
    label: Soft<Image<'a>>,
}

#[derive(Deserialize)]
struct Charged<'a> {
    #[serde(default)]
    amount: Soft<Figure>,
    #[serde(borrow, default)]
    currency: Soft<Text<'a>>,
}

#[derive(Deserialize)]
struct Image<'a> {
    #[serde(borrow, default)]
    format: Soft<Text<'a>>,
    #[serde(borrow, default)]
    base64: Soft<Text<'a>>,
}

object!(Charged<'a>, Image<'a>);

pub fn label(body: &[u8]) -> Result<Read<Label>, Why> {
    let (text, mut room, mut skips) = (text(body), String::new(), Skips::default());
    let sold: Sold = parse_or_mend(&text, &mut room, &mut skips)?;
    let number = label_image::number("tracking", sold.tracking.text(), &sold.tracking)?;
    // From here on something is bought: whoever hears of a fault must know which label that is.
    let image = sold.label.good().ok_or_else(|| format!("label {number}: label is {}", sold.label))?;
    // A gateway that leaves the format out is judged by what it sends.
    if let Some(format) = image.format.text().filter(|format| !format.eq_ignore_ascii_case("zpl")) {
        return Err(format!("label {number} is {format:?}, not zpl"));
    }
    let base64 = image.base64.text().ok_or_else(|| format!("label {number}: base64 is {}", image.base64))?;
    let zpl = label_image::zpl(base64).map_err(|why| format!("label {number}: {why}"))?;
    skips.about(Some(number.as_str()));
    let charged = charged(&sold.charged, &mut skips);
    Ok(Read { value: Label { tracking: number, plate: None, charged, zpl }, skipped: skips.into_list() })
}

fn charged(charged: &Soft<Charged>, skips: &mut Skips) -> Option<Money> {
    let money = skips.take("charged", charged)?;
    match (money.amount.good(), money.currency.text().and_then(Currency::from_code)) {
        (Some(amount), Some(currency)) => label_image::charge("charged", amount.0, currency, skips),
        _ => {
            let currency = money.currency.text().unwrap_or_default();
            skips.detail("charged", format_args!("charged has amount {} and currency {currency:?}", money.amount));
            None
        }
    }
}

#[derive(Deserialize)]
struct Refusal<'a> {
    #[serde(borrow, default)]
    error: Soft<RefusalBody<'a>>,
}

#[derive(Deserialize)]
struct RefusalBody<'a> {
    #[serde(borrow, default)]
    code: Soft<Text<'a>>,
    #[serde(borrow, default)]
    message: Soft<Text<'a>>,
}

object!(RefusalBody<'a>);

pub fn complaint(body: &[u8]) -> Option<Complaint> {
    let text = text(body);
    let refusal: Refusal = parse(&text).ok()?;
    let error = refusal.error.good()?;
    let (code, message) = (error.code.text().unwrap_or_default(), error.message.text().unwrap_or_default());
    let message = if message.is_empty() { code } else { message };
    Some(Complaint { code: code.into(), message: message.into() }).filter(|c| !c.message.is_empty())
}

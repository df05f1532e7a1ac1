//! What a forwarder answers to all but tracking, in our words.

use crate::carriers::caller::{Complaint, Why, parse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::borrow::Cow;
use twin::channel::Label;
use twin::{Money, TrackingNumber};

#[derive(Deserialize)]
struct Sold<'a> {
    tracking: TrackingNumber,
    #[serde(default)]
    charged: Option<Money>,
    #[serde(borrow)]
    label: Image<'a>,
}

#[derive(Deserialize)]
struct Image<'a> {
    #[serde(borrow)]
    format: Cow<'a, str>,
    #[serde(borrow)]
    base64: Cow<'a, str>,
}

pub fn label(body: &[u8]) -> Result<Label, Why> {
    let sold: Sold = parse(body)?;
    if sold.label.format != "zpl" {
        return Err(format!("the label is {:?}, not zpl", sold.label.format));
    }
    let zpl = STANDARD.decode(sold.label.base64.as_bytes()).map_err(|e| format!("the label is not Base64: {e}"))?;
    Ok(Label { tracking: sold.tracking, charged: sold.charged, zpl })
}

#[derive(Deserialize)]
struct Refusal {
    error: RefusalBody,
}

#[derive(Deserialize)]
struct RefusalBody {
    code: String,
    message: String,
}

pub fn complaint(body: &[u8]) -> Option<Complaint> {
    let Refusal { error } = parse(body).ok()?;
    Some(Complaint { code: error.code, message: error.message })
}

//! What a forwarder answers, in our words.

use super::codes;
use crate::carriers::calendar;
use crate::carriers::caller::{Complaint, Why, parse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use smol_str::SmolStr;
use std::borrow::Cow;
use twin::channel::{Label, TrackEvent, TrackStatus, Tracking};
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
struct News<'a> {
    #[serde(borrow)]
    parcels: Vec<Parcel<'a>>,
}

#[derive(Deserialize)]
struct Parcel<'a> {
    number: TrackingNumber,
    #[serde(borrow, default)]
    events: Vec<Event<'a>>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    at: Cow<'a, str>,
    code: SmolStr,
    #[serde(default)]
    text: SmolStr,
    #[serde(default)]
    place: SmolStr,
}

/// News of the numbers the forwarder knows, added to `found`.
pub fn tracking(body: &[u8], found: &mut Vec<Tracking>) -> Result<(), Why> {
    let news: News = parse(body)?;
    for parcel in news.parcels {
        let mut events = parcel.events.into_iter().map(event).collect::<Result<Vec<_>, _>>()?;
        events.sort_by_key(|e| e.at);
        found.push(Tracking { number: parcel.number, events });
    }
    Ok(())
}

fn event(event: Event) -> Result<TrackEvent, Why> {
    let at = calendar::read(&event.at, None).ok_or_else(|| format!("an event is at no time: {:?}", event.at))?;
    let status = codes::status(&event.code).unwrap_or(TrackStatus::Exception);
    Ok(TrackEvent { at, status, code: event.code, text: event.text, place: event.place })
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

//! What a forwarder says of parcels, in our words.

use super::codes;
use crate::carriers::calendar;
use crate::carriers::caller::{Why, parse};
use serde::Deserialize;
use smol_str::SmolStr;
use std::borrow::Cow;
use twin::TrackingNumber;
use twin::channel::{TrackEvent, TrackStatus, Tracking};

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

//! What MyDHL says of shipments, in our words. Events become ours one by one as they are read: this is the answer that is
//! read most.

use super::codes;
use crate::carriers::calendar;
use crate::carriers::caller::{Text, Why, parse};
use crate::carriers::figures::Code;
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use smol_str::SmolStr;
use std::borrow::Cow;
use std::fmt;
use twin::TrackingNumber;
use twin::channel::{TrackEvent, TrackStatus, Tracking};

/// Room made for the events of a shipment.
const EVENTS_USUAL: usize = 8;

#[derive(Deserialize)]
struct Shipments {
    #[serde(default)]
    shipments: Vec<Tracked>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tracked {
    shipment_tracking_number: Code,
    #[serde(default)]
    events: Events,
}

/// Newest first, as they come; without a status yet, which depends on the ones before.
#[derive(Default)]
struct Events(Vec<TrackEvent>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Checkpoint<'a> {
    #[serde(borrow)]
    date: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
    /// Where it is missing the time is taken as UTC.
    #[serde(borrow, default, rename = "GMTOffset")]
    gmt_offset: Option<Text<'a>>,
    #[serde(borrow)]
    type_code: Cow<'a, str>,
    #[serde(borrow, default)]
    description: Cow<'a, str>,
    #[serde(default)]
    service_area: Place,
}

/// The first service area's description.
#[derive(Default)]
struct Place(SmolStr);

#[derive(Deserialize)]
struct ServiceArea {
    #[serde(default)]
    description: SmolStr,
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct First;
        impl<'de> Visitor<'de> for First {
            type Value = Place;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of service areas")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Place, A::Error> {
                let first = list.next_element::<ServiceArea>()?;
                while list.next_element::<serde::de::IgnoredAny>()?.is_some() {}
                Ok(Place(first.map(|area| area.description).unwrap_or_default()))
            }
        }
        deserializer.deserialize_seq(First)
    }
}

impl<'de> Deserialize<'de> for Events {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneByOne;
        impl<'de> Visitor<'de> for OneByOne {
            type Value = Events;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of events")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Events, A::Error> {
                let mut events = Vec::with_capacity(EVENTS_USUAL);
                while let Some(checkpoint) = list.next_element::<Checkpoint>()? {
                    events.push(event(checkpoint).map_err(A::Error::custom)?);
                }
                Ok(Events(events))
            }
        }
        deserializer.deserialize_seq(OneByOne)
    }
}

fn event(checkpoint: Checkpoint) -> Result<TrackEvent, Why> {
    let at = calendar::read_parts(&checkpoint.date, &checkpoint.time, checkpoint.gmt_offset.as_deref());
    let at = at.ok_or_else(|| format!("an event is at no time: {} {}", checkpoint.date, checkpoint.time))?;
    let text = match codes::status(&checkpoint.type_code, false) {
        Some((_, usual)) if usual == checkpoint.description => SmolStr::new_static(usual),
        _ => SmolStr::new(&checkpoint.description),
    };
    let code = SmolStr::new(&checkpoint.type_code);
    Ok(TrackEvent { at, status: TrackStatus::Exception, code, text, place: checkpoint.service_area.0 })
}

/// News of the waybills DHL knows, added to `found`.
pub fn tracking(body: &[u8], found: &mut Vec<Tracking>) -> Result<(), Why> {
    let answer: Shipments = parse(body)?;
    for Tracked { shipment_tracking_number, events: Events(mut events) } in answer.shipments {
        events.reverse();
        events.sort_by_key(|event| event.at);
        let mut departed = false;
        for event in &mut events {
            event.status = codes::status(&event.code, departed).map_or(TrackStatus::Exception, |(status, _)| status);
            departed |= event.status == TrackStatus::DepartedOrigin;
        }
        found.push(Tracking { number: TrackingNumber(shipment_tracking_number.0), events });
    }
    Ok(())
}

//! What USPS says of parcels, in our words. Events become ours one by one as they are read: this is the answer that is
//! read most.

use super::codes;
use crate::carriers::calendar;
use crate::carriers::caller::{Text, Why};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use smol_str::SmolStr;
use std::fmt;
use twin::channel::{TrackEvent, TrackStatus, Tracking};
use twin::{Moment, TrackingNumber};

/// Room made for the events of an item.
const EVENTS_USUAL: usize = 8;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    #[serde(default)]
    tracking_number: Option<SmolStr>,
    #[serde(borrow, default)]
    status_category: Option<Text<'a>>,
    #[serde(default)]
    tracking_events: Events,
}

/// The events of an item, each turned into ours as it is read; newest first.
#[derive(Default)]
struct Events {
    events: Vec<TrackEvent>,
    /// The newest has a code that is in no table.
    newest_unknown: bool,
}

#[derive(Deserialize)]
struct Scan<'a> {
    #[serde(borrow, default, rename = "eventType")]
    event_type: Option<Text<'a>>,
    #[serde(borrow, default, rename = "eventTimestamp")]
    event_timestamp: Option<Text<'a>>,
    #[serde(borrow, default, rename = "GMTTimestamp")]
    gmt_timestamp: Option<Text<'a>>,
    #[serde(borrow, default, rename = "GMTOffset")]
    gmt_offset: Option<Text<'a>>,
    #[serde(borrow, default, rename = "eventCity")]
    event_city: Option<Text<'a>>,
    #[serde(borrow, default, rename = "eventState")]
    event_state: Option<Text<'a>>,
    #[serde(borrow, default, rename = "eventZIP", alias = "eventZIPCode")]
    event_zip: Option<Text<'a>>,
    #[serde(borrow, default, rename = "eventCode")]
    event_code: Option<Text<'a>>,
}

impl<'de> Deserialize<'de> for Events {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneByOne;
        impl<'de> Visitor<'de> for OneByOne {
            type Value = Events;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of tracking events")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Events, A::Error> {
                let mut read = Events { events: Vec::with_capacity(EVENTS_USUAL), newest_unknown: false };
                let mut before: Option<Scan> = None;
                while let Some(scan) = list.next_element::<Scan>()? {
                    // Most scans are made where the one before was.
                    let same = before.filter(|before| before.is_where(&scan)).and(read.events.last());
                    let place = same.map_or_else(|| place(&scan), |event| event.place.clone());
                    let known = codes::status(scan.event_code.as_deref().unwrap_or_default());
                    read.newest_unknown |= read.events.is_empty() && known.is_none();
                    read.events.push(event(&scan, known, place).map_err(A::Error::custom)?);
                    before = Some(scan);
                }
                Ok(read)
            }
        }
        deserializer.deserialize_seq(OneByOne)
    }
}

impl Scan<'_> {
    fn is_where(&self, other: &Scan) -> bool {
        self.event_city == other.event_city && self.event_zip == other.event_zip && self.event_state == other.event_state
    }
}

/// News of the numbers USPS knows, added to `found`. An entry without a number or without events is one it does not.
pub fn tracking(body: &[u8], found: &mut Vec<Tracking>) -> Result<(), Why> {
    struct Items<'f>(&'f mut Vec<Tracking>);
    impl<'de> Visitor<'de> for Items<'_> {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of tracked items")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
            while let Some(item) = list.next_element::<Item>()? {
                self.0.extend(tracked(item));
            }
            Ok(())
        }
    }
    let text = std::str::from_utf8(body).map_err(|e| e.to_string())?;
    serde_json::Deserializer::from_str(text).deserialize_seq(Items(found)).map_err(|e| e.to_string())
}

fn tracked(item: Item) -> Option<Tracking> {
    let Events { mut events, newest_unknown } = item.tracking_events;
    let number = TrackingNumber(item.tracking_number?);
    let newest = events.first_mut()?;
    if newest_unknown {
        newest.status = codes::category(item.status_category.as_deref().unwrap_or_default());
    }
    events.reverse();
    events.sort_by_key(|e| e.at);
    Some(Tracking { number, events })
}

fn event(scan: &Scan, known: Option<(TrackStatus, &'static str)>, place: SmolStr) -> Result<TrackEvent, Why> {
    let said = scan.event_type.as_deref().unwrap_or_default();
    let status = match known {
        // A parcel back where it came from has the code of a delivery.
        Some((TrackStatus::Delivered, _)) if said.contains("Original Sender") => TrackStatus::Returned,
        Some((status, _)) => status,
        None => TrackStatus::InFlight,
    };
    let text = match known {
        Some((_, usual)) if usual == said => SmolStr::new_static(usual),
        _ => said.into(),
    };
    let code = SmolStr::new(scan.event_code.as_deref().unwrap_or_default());
    Ok(TrackEvent { at: at(scan)?, status, code, text, place })
}

fn at(scan: &Scan) -> Result<Moment, Why> {
    let gmt = scan.gmt_timestamp.as_deref().and_then(|t| calendar::read(t, None));
    let local = || calendar::read(scan.event_timestamp.as_deref()?, scan.gmt_offset.as_deref());
    gmt.or_else(local).ok_or_else(|| format!("an event has no time: {:?}", scan.event_timestamp.as_deref()))
}

/// `HERNANDO, FL 34442`, as much of it as there is.
fn place(scan: &Scan) -> SmolStr {
    let full = |part: &Option<Text>| part.as_deref().filter(|p| !p.is_empty()).map(SmolStr::new);
    let parts = (full(&scan.event_city), full(&scan.event_state), full(&scan.event_zip));
    match parts {
        (Some(city), Some(state), Some(zip)) => smol_str::format_smolstr!("{city}, {state} {zip}"),
        (Some(city), Some(more), None) | (Some(city), None, Some(more)) => smol_str::format_smolstr!("{city}, {more}"),
        (Some(one), None, None) | (None, Some(one), None) | (None, None, Some(one)) => one,
        (None, Some(state), Some(zip)) => smol_str::format_smolstr!("{state} {zip}"),
        (None, None, None) => SmolStr::default(),
    }
}

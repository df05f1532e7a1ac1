//! What a forwarder says of parcels, in our words. An event that cannot be read is skipped and told; the others are read.

use super::codes;
use crate::carriers::answer::Skips;
use crate::carriers::calendar;
use crate::carriers::caller::{Text, Why, text};
use crate::carriers::odd_json::parse_or_mend;
use crate::carriers::soft::{Soft, object, shown};
use serde::Deserialize;
use smol_str::{SmolStr, format_smolstr};
use twin::TrackingNumber;
use twin::channel::{TrackEvent, TrackStatus, Tracking};

#[derive(Deserialize)]
struct News<'a> {
    #[serde(borrow, default)]
    parcels: Soft<Vec<Soft<Parcel<'a>>>>,
}

#[derive(Deserialize)]
struct Parcel<'a> {
    #[serde(borrow, default)]
    number: Soft<Text<'a>>,
    #[serde(borrow, default)]
    events: Soft<Vec<Soft<Event<'a>>>>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, default)]
    at: Soft<Text<'a>>,
    #[serde(borrow, default)]
    code: Soft<Text<'a>>,
    #[serde(borrow, default)]
    text: Soft<Text<'a>>,
    #[serde(borrow, default)]
    place: Soft<Text<'a>>,
}

object!(Parcel<'a>, Event<'a>);

/// News of the numbers the forwarder knows, added to `found`.
pub fn tracking(body: &[u8], found: &mut Vec<Tracking>, skips: &mut Skips) -> Result<(), Why> {
    let text = text(body);
    let mut room = String::new();
    let News { parcels } = parse_or_mend(&text, &mut room, skips)?;
    let parcels = parcels.good().ok_or_else(|| format!("parcels is {parcels}"))?;
    for (n, soft) in parcels.iter().enumerate() {
        skips.about(None);
        let Some(parcel) = soft.good() else {
            skips.whole(format_args!("parcels[{n}]"), format_args!("a parcel is {soft}"));
            continue;
        };
        let Some(number) = parcel.number.text().filter(|number| !number.is_empty()) else {
            skips.whole(format_args!("parcels[{n}]"), format_args!("a parcel without a number, which is {}", parcel.number));
            continue;
        };
        skips.about(Some(number));
        let mut events = events(parcel, skips);
        events.sort_by_key(|e| e.at);
        found.push(Tracking { number: TrackingNumber::new(number), events });
    }
    Ok(())
}

fn events(parcel: &Parcel, skips: &mut Skips) -> Vec<TrackEvent> {
    let list = match &parcel.events {
        Soft::Good(list) => &list[..],
        Soft::Absent => &[],
        events => {
            skips.whole("events", format_args!("events is {events}"));
            &[]
        }
    };
    let mut events = Vec::with_capacity(list.len());
    for (n, soft) in list.iter().enumerate() {
        match soft.good().ok_or_else(|| format!("an event is {soft}")).and_then(|e| event(e, skips)) {
            Ok(event) => events.push(event),
            Err(why) => skips.whole(format_args!("events[{n}]"), why),
        }
    }
    events
}

fn event(event: &Event, skips: &mut Skips) -> Result<TrackEvent, Why> {
    let code = skips.take("code", &event.code).map_or("", |code| code);
    let at = event.at.text().and_then(|at| calendar::read(at.trim(), None)).ok_or_else(|| {
        let at = event.at.text().map_or_else(|| format_smolstr!("{}", event.at), shown);
        format!("event {} has no time that can be read: at is {at}", shown(code))
    })?;
    let mut word = |name, soft| skips.take(name, soft).map_or_else(SmolStr::default, |t: &Text| SmolStr::new(&t.0));
    let (text, place) = (word("text", &event.text), word("place", &event.place));
    let status = codes::status(code).unwrap_or(TrackStatus::Exception);
    Ok(TrackEvent { at, status, code: code.into(), text, place })
}

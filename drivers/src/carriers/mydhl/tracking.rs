//! What MyDHL says of shipments, in our words. An event that cannot be read is skipped and told; the others are read.

use super::codes;
use crate::carriers::answer::Skips;
use crate::carriers::calendar;
use crate::carriers::caller::{Text, Why, text};
use crate::carriers::figures::Code;
use crate::carriers::odd_json::parse_or_mend;
use crate::carriers::soft::{Soft, object, shown};
use serde::Deserialize;
use smol_str::{SmolStr, format_smolstr};
use twin::TrackingNumber;
use twin::channel::{TrackEvent, TrackStatus, Tracking};

#[derive(Deserialize)]
struct Shipments<'a> {
    #[serde(borrow, default)]
    shipments: Soft<Vec<Soft<Tracked<'a>>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tracked<'a> {
    #[serde(default)]
    shipment_tracking_number: Soft<Code>,
    /// Newest first.
    #[serde(borrow, default)]
    events: Soft<Vec<Soft<Checkpoint<'a>>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Checkpoint<'a> {
    #[serde(borrow, default)]
    date: Soft<Text<'a>>,
    #[serde(borrow, default)]
    time: Soft<Text<'a>>,
    /// Where it is missing the time is taken as UTC.
    #[serde(borrow, default, rename = "GMTOffset")]
    gmt_offset: Soft<Text<'a>>,
    #[serde(borrow, default)]
    type_code: Soft<Text<'a>>,
    #[serde(borrow, default)]
    description: Soft<Text<'a>>,
    #[serde(borrow, default)]
    service_area: Soft<Vec<Soft<ServiceArea<'a>>>>,
}

#[derive(Deserialize)]
struct ServiceArea<'a> {
    #[serde(borrow, default)]
    description: Soft<Text<'a>>,
}

object!(Tracked<'a>, Checkpoint<'a>, ServiceArea<'a>);

/// News of the waybills DHL knows, added to `found`.
pub fn tracking(body: &[u8], found: &mut Vec<Tracking>, skips: &mut Skips) -> Result<(), Why> {
    let text = text(body);
    let mut room = String::new();
    let Shipments { shipments } = parse_or_mend(&text, &mut room, skips)?;
    let shipments = match &shipments {
        Soft::Absent => return Ok(()),
        list => list.good().ok_or_else(|| format!("shipments is {list}"))?,
    };
    for (n, soft) in shipments.iter().enumerate() {
        skips.about(None);
        let Some(shipment) = soft.good() else {
            skips.whole(format_args!("shipments[{n}]"), format_args!("a shipment is {soft}"));
            continue;
        };
        let Some(Code(number)) = shipment.shipment_tracking_number.good().filter(|number| !number.0.is_empty()) else {
            let is = &shipment.shipment_tracking_number;
            skips.whole(format_args!("shipments[{n}]"), format_args!("a shipment without a number: shipmentTrackingNumber is {is}"));
            continue;
        };
        skips.about(Some(number));
        let events = events(shipment, skips);
        found.push(Tracking { number: TrackingNumber::new(number.clone()), events });
    }
    Ok(())
}

fn events(shipment: &Tracked, skips: &mut Skips) -> Vec<TrackEvent> {
    let list = match &shipment.events {
        Soft::Good(list) => &list[..],
        Soft::Absent => &[],
        events => {
            skips.whole("events", format_args!("events is {events}"));
            &[]
        }
    };
    let mut events = Vec::with_capacity(list.len());
    for (n, soft) in list.iter().enumerate() {
        let read = soft.good().ok_or_else(|| format!("an event is {soft}")).and_then(|checkpoint| event(checkpoint, skips));
        match read {
            Ok(event) => events.push(event),
            Err(why) => skips.whole(format_args!("events[{n}]"), why),
        }
    }
    events.reverse();
    events.sort_by_key(|event| event.at);
    let mut departed = false;
    for event in &mut events {
        event.status = codes::status(&event.code, departed).map_or(TrackStatus::Exception, |(status, _)| status);
        departed |= event.status == TrackStatus::DepartedOrigin;
    }
    events
}

/// Without a status yet, which depends on the events before.
fn event(checkpoint: &Checkpoint, skips: &mut Skips) -> Result<TrackEvent, Why> {
    let code = skips.take("typeCode", &checkpoint.type_code).map_or("", |code| code.trim());
    let at = match (checkpoint.date.text(), checkpoint.time.text()) {
        (Some(date), Some(time)) => {
            let (date, time, offset) = (date.trim(), time.trim(), skips.take("GMTOffset", &checkpoint.gmt_offset));
            calendar::read_parts(date, time, offset.map(|o| &**o)).or_else(|| calendar::read_parts(date, time, None))
        }
        _ => None,
    };
    let at = at.ok_or_else(|| {
        let said = |soft: &Soft<Text>| soft.text().map_or_else(|| format_smolstr!("{soft}"), shown);
        let (date, time) = (said(&checkpoint.date), said(&checkpoint.time));
        format!("event {} has no time that can be read: date is {date}, time {time}", shown(code))
    })?;
    let said = skips.take("description", &checkpoint.description).map_or("", |said| said);
    let text = match codes::status(code, false) {
        Some((_, usual)) if usual == said => SmolStr::new_static(usual),
        _ => said.into(),
    };
    let areas = skips.take("serviceArea", &checkpoint.service_area);
    let area = areas.and_then(|areas| skips.take("serviceArea[0]", areas.first()?));
    let place = area.and_then(|area| skips.take("serviceArea[0].description", &area.description));
    let place = place.map_or_else(SmolStr::default, |place| SmolStr::new(&place.0));
    Ok(TrackEvent { at, status: TrackStatus::Exception, code: code.into(), text, place })
}

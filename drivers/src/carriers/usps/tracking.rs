//! What USPS says of parcels, in our words. An event that cannot be read is skipped and told; the others are read.

use super::codes;
use crate::carriers::answer::Skips;
use crate::carriers::calendar;
use crate::carriers::caller::{Text, Why, text};
use crate::carriers::odd_json::parse_or_mend;
use crate::carriers::soft::{Soft, object, shown};
use serde::Deserialize;
use smol_str::{SmolStr, format_smolstr};
use twin::channel::{TrackEvent, TrackStatus, Tracking};
use twin::{Moment, TrackingNumber};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    #[serde(borrow, default)]
    tracking_number: Soft<Text<'a>>,
    #[serde(borrow, default)]
    status_category: Soft<Text<'a>>,
    /// Newest first.
    #[serde(borrow, default)]
    tracking_events: Soft<Vec<Soft<Scan<'a>>>>,
}

#[derive(Deserialize)]
struct Scan<'a> {
    #[serde(borrow, default, rename = "eventType")]
    event_type: Soft<Text<'a>>,
    #[serde(borrow, default, rename = "eventTimestamp")]
    event_timestamp: Soft<Text<'a>>,
    #[serde(borrow, default, rename = "GMTTimestamp")]
    gmt_timestamp: Soft<Text<'a>>,
    #[serde(borrow, default, rename = "GMTOffset")]
    gmt_offset: Soft<Text<'a>>,
    #[serde(borrow, default, rename = "eventCity")]
    event_city: Soft<Text<'a>>,
    #[serde(borrow, default, rename = "eventState")]
    event_state: Soft<Text<'a>>,
    #[serde(borrow, default, rename = "eventZIP", alias = "eventZIPCode")]
    event_zip: Soft<Text<'a>>,
    #[serde(borrow, default, rename = "eventCode")]
    event_code: Soft<Text<'a>>,
}

object!(Item<'a>, Scan<'a>);

impl Scan<'_> {
    fn is_where(&self, other: &Scan) -> bool {
        self.event_city == other.event_city && self.event_zip == other.event_zip && self.event_state == other.event_state
    }
}

/// News of the numbers USPS knows, added to `found`. An entry without events is a number it does not know.
pub fn tracking(body: &[u8], found: &mut Vec<Tracking>, skips: &mut Skips) -> Result<(), Why> {
    let text = text(body);
    let mut room = String::new();
    let items: Soft<Vec<Soft<Item>>> = parse_or_mend(&text, &mut room, skips)?;
    let items = items.good().ok_or_else(|| format!("a list of tracked items was expected, and it is {items}"))?;
    for (n, item) in items.iter().enumerate() {
        skips.about(None);
        match item.good() {
            Some(item) => found.extend(tracked(n, item, skips)),
            None => skips.whole(format_args!("[{n}]"), format_args!("a tracked item is {item}")),
        }
    }
    Ok(())
}

fn tracked(n: usize, item: &Item, skips: &mut Skips) -> Option<Tracking> {
    let scans = match &item.tracking_events {
        Soft::Good(scans) if scans.is_empty() => return None,
        Soft::Absent => return None,
        events => events.good(),
    };
    let Some(number) = item.tracking_number.text().filter(|number| !number.is_empty()) else {
        skips.whole(
            format_args!("[{n}].trackingNumber"),
            format_args!("events without a trackingNumber, which is {}", item.tracking_number),
        );
        return None;
    };
    skips.about(Some(number));
    let Some(scans) = scans else {
        skips.whole(format_args!("[{n}].trackingEvents"), format_args!("trackingEvents is {}", item.tracking_events));
        return None;
    };
    let mut events: Vec<TrackEvent> = Vec::with_capacity(scans.len());
    let mut newest_unknown = false;
    let mut before: Option<&Scan> = None;
    for (m, soft) in scans.iter().enumerate() {
        let Some(scan) = soft.good() else {
            skips.whole(format_args!("trackingEvents[{m}]"), format_args!("an event is {soft}"));
            continue;
        };
        // Most scans are made where the one before was.
        let same = before.filter(|before| before.is_where(scan)).and(events.last());
        let place = same.map_or_else(|| place(scan, skips), |event| event.place.clone());
        let code = skips.take("eventCode", &scan.event_code).map_or("", |code| code.trim());
        match event(scan, code, place, skips) {
            Ok(event) => {
                newest_unknown |= events.is_empty() && codes::status(code).is_none();
                events.push(event);
                before = Some(scan);
            }
            Err(why) => skips.whole(format_args!("trackingEvents[{m}]"), why),
        }
    }
    if newest_unknown && let Some(newest) = events.first_mut() {
        newest.status = codes::category(skips.take("statusCategory", &item.status_category).map_or("", |category| category));
    }
    events.reverse();
    events.sort_by_key(|e| e.at);
    Some(Tracking { number: TrackingNumber::new(number), events })
}

fn event(scan: &Scan, code: &str, place: SmolStr, skips: &mut Skips) -> Result<TrackEvent, Why> {
    let at = at(scan, code)?;
    let known = codes::status(code);
    let said = skips.take("eventType", &scan.event_type).map_or("", |said| said);
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
    Ok(TrackEvent { at, status, code: code.into(), text, place })
}

/// In GMT where USPS gives it; else local time with its offset, or without one taken as GMT: hours off is better than lost.
fn at(scan: &Scan, code: &str) -> Result<Moment, Why> {
    let gmt = scan.gmt_timestamp.text().and_then(|t| calendar::read(t.trim(), None));
    let local = || {
        let text = scan.event_timestamp.text()?.trim();
        calendar::read(text, scan.gmt_offset.text()).or_else(|| calendar::read(text, None))
    };
    gmt.or_else(local).ok_or_else(|| {
        let said = |soft: &Soft<Text>| soft.text().map_or_else(|| format_smolstr!("{soft}"), shown);
        let said = (said(&scan.event_timestamp), said(&scan.gmt_timestamp));
        format!("event {} has no time that can be read: eventTimestamp is {}, GMTTimestamp {}", shown(code), said.0, said.1)
    })
}

/// `HERNANDO, FL 34442`, as much of it as there is.
fn place(scan: &Scan, skips: &mut Skips) -> SmolStr {
    let mut full = |name, part| skips.take(name, part).filter(|p: &&Text| !p.is_empty()).map(|p| SmolStr::new(&p.0));
    let parts = (full("eventCity", &scan.event_city), full("eventState", &scan.event_state), full("eventZIP", &scan.event_zip));
    match parts {
        (Some(city), Some(state), Some(zip)) => smol_str::format_smolstr!("{city}, {state} {zip}"),
        (Some(city), Some(more), None) | (Some(city), None, Some(more)) => smol_str::format_smolstr!("{city}, {more}"),
        (Some(one), None, None) | (None, Some(one), None) | (None, None, Some(one)) => one,
        (None, Some(state), Some(zip)) => smol_str::format_smolstr!("{state} {zip}"),
        (None, None, None) => SmolStr::default(),
    }
}

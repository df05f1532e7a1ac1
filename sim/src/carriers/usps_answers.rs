//! The long answers of the simulated USPS: prices, labels and tracking, written by hand ([`Pen`]), with the fields that
//! the real ones always have and in their order.

use super::book::{Sold, Stop};
use super::pen::Pen;
use super::postage::{self, MailClass};
use super::usps_bodies::{Party, Search};
use drivers::carriers::calendar;
use twin::channel::TrackStatus::{self, *};
use twin::{Moment, Span};

/// What a parcel weighs, in hundredths of a pound: on the scale, and by volume where that counts.
#[derive(Clone, Copy)]
pub struct Pounds {
    pub weight: i64,
    pub dimensional: i64,
}

impl Pounds {
    pub fn chargeable(self) -> i64 {
        self.weight.max(self.dimensional)
    }
}

/// Days to the door, more of them the farther.
pub fn days(class: &MailClass, zone: u8) -> u8 {
    class.days_min + (class.days_max - class.days_min) * (zone - 1) / 7
}

/// The one price of each of `classes`, for a parcel mailed at `mailing`.
pub fn options(asked: &Search, classes: impl Iterator<Item = &'static MailClass>, zone: u8, mailing: Moment, pounds: Pounds) -> Pen {
    let mut pen = Pen::new(2_048);
    pen.raw("{\"originZIPCode\":\"").text(asked.origin_zip_code).raw("\",\"destinationZIPCode\":\"").text(asked.destination_zip_code);
    pen.raw("\",\"pricingOptions\":[{\"shippingOptions\":[");
    let empty = pen.len();
    for class in classes {
        if pen.len() > empty {
            pen.raw(",");
        }
        option(&mut pen, class, zone, mailing, pounds);
    }
    pen.raw("],\"priceType\":\"COMMERCIAL\"}]}");
    pen
}

fn option(pen: &mut Pen, class: &MailClass, zone: u8, mailing: Moment, pounds: Pounds) {
    let cents = postage::usps_cents(class, zone, pounds.chargeable());
    let days = i64::from(days(class, zone));
    pen.raw("{\"mailClass\":\"").raw(class.name).raw("\",\"rateOptions\":[{\"commitment\":{\"name\":\"").number(days);
    pen.raw(if days == 1 { " Day" } else { " Days" });
    pen.raw("\",\"scheduleDeliveryDate\":\"").date(mailing + Span::from_hours(24 * days));
    pen.raw("\",\"guaranteedDelivery\":false},\"totalPrice\":").hundredths(cents).raw(",\"totalBasePrice\":").hundredths(cents);
    pen.raw(",\"rates\":[{\"description\":\"").raw(class.product).raw("\",\"price\":").hundredths(cents);
    pen.raw(",\"zone\":\"0").number(i64::from(zone)).raw("\",\"weight\":").hundredths(pounds.weight);
    pen.raw(",\"dimensionalWeight\":").hundredths(pounds.dimensional).raw(",\"priceType\":\"COMMERCIAL\",\"mailClass\":\"").raw(class.name);
    pen.raw("\",\"processingCategory\":\"MACHINABLE\",\"rateIndicator\":\"").raw(class.rate_indicator);
    pen.raw("\",\"destinationEntryFacilityType\":\"NONE\",\"SKU\":\"DUXP0XXXXC00000\"}],\"extraServices\":[");
    pen.raw("{\"name\":\"USPS Tracking\",\"price\":0,\"extraService\":\"920\",\"priceType\":\"COMMERCIAL\"}]}]}");
}

/// The metadata part of a label.
pub fn label_metadata(pen: &mut Pen, to: &Party, class: &MailClass, zone: u8, number: &str, cents: i64, pounds: Pounds) {
    pen.raw("{\"labelAddress\":{\"streetAddress\":\"")
        .text(&to.street_address)
        .raw("\",\"secondaryAddress\":\"")
        .text(&to.secondary_address);
    pen.raw("\",\"city\":\"").text(&to.city).raw("\",\"state\":\"").text(&to.state).raw("\",\"ZIPCode\":\"").text(to.zip_code);
    pen.raw("\"},\"routingInformation\":\"420").text(to.zip_code).raw("\",\"trackingNumber\":\"").raw(number);
    pen.raw("\",\"postage\":")
        .hundredths(cents)
        .raw(",\"extraServices\":[{\"name\":\"USPS Tracking\",\"price\":0.0,\"SKU\":\"DXTU0EXXXCX0000\"}]");
    pen.raw(",\"zone\":\"0").number(i64::from(zone)).raw("\",\"weightUOM\":\"LB\",\"weight\":").hundredths(pounds.weight);
    pen.raw(",\"dimensionalWeight\":").hundredths(pounds.dimensional).raw(",\"fees\":[],\"bannerText\":\"USPS TRACKING # USPS Ship\"");
    pen.raw(",\"serviceTypeCode\":\"").raw(class.service_type).raw("\",\"constructCode\":\"C03\",\"SKU\":\"DUXR0XXXXC00000\"}");
}

/// What USPS calls a step: event code, event type, category of the item.
fn words(status: TrackStatus) -> Option<[&'static str; 3]> {
    Some(match status {
        InfoReceived => ["GX", "Shipping Label Created, USPS Awaiting Item", "Pre-Shipment"],
        Accepted => ["03", "USPS in possession of item", "Accepted"],
        ReceivedAtHub => ["10", "Arrived at USPS Regional Origin Facility", "In Transit"],
        DepartedOrigin => ["T1", "Departed USPS Regional Facility", "In Transit"],
        InFlight => ["TL", "In Transit to Next Facility", "In Transit"],
        Arrived => ["A1", "Arrived at USPS Regional Facility", "In Transit"],
        LastMile => ["07", "Arrived at Post Office", "In Transit"],
        OutForDelivery => ["OF", "Out for Delivery", "Out for Delivery"],
        Delivered => ["01", "Delivered", "Delivered"],
        DeliveryFailed => ["02", "Notice Left", "Delivery Attempt"],
        AvailableForPickup => ["16", "Available for Pickup", "Available for Pickup"],
        Exception => ["DX", "Delivery Status Not Updated", "Alert"],
        Returning => ["09", "Return to Sender", "Alert"],
        Returned => ["01", "Delivered, To Original Sender", "Delivered"],
        Lost => ["11", "Dead Letter", "Alert"],
        // Domestic mail crosses no border.
        ExportCleared | Customs | ImportCleared => return None,
    })
}

/// Local times are given for the middle of the country.
const OFFSET_MINUTES: i64 = -360;

/// What can be seen of a parcel by `now`; events newest first.
pub fn detail(pen: &mut Pen, number: &str, sold: &Sold, now: Moment) {
    let seen = sold.seen(now);
    let [_, status, category] = seen.iter().rev().find_map(|scan| words(scan.status)).unwrap_or_default();
    pen.raw("{\"trackingNumber\":\"")
        .raw(number)
        .raw("\",\"mailClass\":\"")
        .raw(&sold.service)
        .raw("\",\"mailType\":\"DM\",\"originZIP\":\"");
    pen.text(&sold.from.postcode).raw("\",\"destinationZIP\":\"").text(&sold.to.postcode).raw("\",\"status\":\"").raw(status);
    pen.raw("\",\"statusCategory\":\"").raw(category).raw("\",\"trackingEvents\":[");
    let empty = pen.len();
    for scan in seen.iter().rev() {
        let Some([code, kind, _]) = words(scan.status) else { continue };
        if pen.len() > empty {
            pen.raw(",");
        }
        pen.raw("{\"eventType\":\"").raw(kind).raw("\",\"eventTimestamp\":\"").date_time(calendar::local(scan.at, OFFSET_MINUTES));
        pen.raw("\",\"GMTTimestamp\":\"").date_time(scan.at).raw("Z\",\"GMTOffset\":\"-06:00\"");
        place(pen, sold.stop(scan.spot));
        pen.raw(",\"eventCode\":\"").raw(code).raw("\"}");
    }
    pen.raw("]}");
}

fn place(pen: &mut Pen, stop: Option<&Stop>) {
    match stop {
        Some(stop) => {
            pen.raw(",\"eventCity\":\"").text(&stop.city).raw("\",\"eventState\":\"").text(&stop.region);
            pen.raw("\",\"eventZIP\":\"").text(&stop.postcode).raw("\"");
        }
        None => {
            pen.raw(",\"eventCity\":null,\"eventState\":null,\"eventZIP\":null");
        }
    }
}

/// The entry of a number that is not known, in a list of others.
pub fn not_found(pen: &mut Pen, number: &str) {
    pen.raw("{\"trackingNumber\":\"").text(number).raw("\",\"error\":{\"code\":\"404\",\"message\":\"Not Found\",\"errors\":[");
    pen.raw("{\"title\":\"Not Found\",\"detail\":\"Tracking is not available for this item\",\"code\":\"404\",");
    pen.raw("\"source\":{\"parameter\":\"trackingNumber\"}}]}}");
}

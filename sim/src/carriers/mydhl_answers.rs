//! The answers of the simulated MyDHL: rates, shipments and tracking, written by hand ([`Pen`]), with the fields that the
//! real ones always have.

use super::book::{Sold, Stop};
use super::pen::Pen;
use super::transit;
use drivers::carriers::calendar;
use smol_str::{SmolStr, format_smolstr};
use twin::channel::TrackStatus::{self, *};
use twin::{Moment, Span};

/// A product on a lane, with its price in cents.
pub struct Offer {
    pub code: &'static str,
    pub name: &'static str,
    pub zone: u8,
    pub freight: i64,
    pub fuel: i64,
    pub days: i64,
}

/// What a parcel weighs, in grams: on the scale and by volume.
#[derive(Clone, Copy)]
pub struct Weights {
    pub provided_g: i64,
    pub volumetric_g: i64,
}

/// The products of a lane, for a parcel shipped at `shipped` to `city`.
pub fn rates(offers: impl Iterator<Item = Offer>, shipped: Moment, city: &str, weights: Weights) -> Pen {
    let mut pen = Pen::new(1_536);
    pen.raw("{\"products\":[");
    let empty = pen.len();
    for offer in offers {
        if pen.len() > empty {
            pen.raw(",");
        }
        product(&mut pen, &offer, shipped, city, weights);
    }
    pen.raw("]}");
    pen
}

fn product(pen: &mut Pen, offer: &Offer, shipped: Moment, city: &str, weights: Weights) {
    pen.raw("{\"productName\":\"").raw(offer.name).raw("\",\"productCode\":\"").raw(offer.code);
    pen.raw("\",\"localProductCode\":\"").raw(offer.code).raw("\",\"networkTypeCode\":\"TD\",\"isCustomerAgreement\":false");
    pen.raw(",\"weight\":{\"volumetric\":").thousandths(weights.volumetric_g).raw(",\"provided\":").thousandths(weights.provided_g);
    pen.raw(",\"unitOfMeasurement\":\"metric\"},\"totalPrice\":[");
    billed(pen, offer.freight + offer.fuel);
    pen.raw("],\"totalPriceBreakdown\":[{\"currencyType\":\"BILLC\",\"priceCurrency\":\"USD\",\"priceBreakdown\":[{\"typeCode\":\"SPRQT\",\"price\":");
    pen.hundredths(offer.freight).raw("},{\"typeCode\":\"FF\",\"price\":").hundredths(offer.fuel);
    pen.raw("}]}],\"deliveryCapabilities\":{\"deliveryTypeCode\":\"QDDC\",\"estimatedDeliveryDateAndTime\":\"");
    pen.date_time(shipped + Span::from_hours(24 * offer.days)).raw("\",\"destinationServiceAreaCode\":\"");
    area(pen, city);
    pen.raw("\",\"totalTransitDays\":").number(offer.days).raw("}}");
}

fn billed(pen: &mut Pen, cents: i64) {
    pen.raw("{\"currencyType\":\"BILLC\",\"priceCurrency\":\"USD\",\"price\":").hundredths(cents).raw("}");
}

/// Three letters for a city.
fn area(pen: &mut Pen, city: &str) {
    for letter in city.bytes().filter(u8::is_ascii_alphabetic).take(3) {
        pen.bytes(&[letter.to_ascii_uppercase()]);
    }
}

/// The licence plate of a waybill's only piece: the issuer's first six digits, then a number of the piece's own. As at DHL
/// it does not hold the waybill; one to one, so that no two pieces share a plate.
pub fn plate(waybill: &str) -> SmolStr {
    let serial = waybill.bytes().fold(0_u64, |n, digit| (n * 10 + u64::from(digit.wrapping_sub(b'0') % 10)) % 10_000_000_000);
    // An odd number that five does not divide has an inverse modulo a power of ten.
    format_smolstr!("JD01460000{:010}", (u128::from(serial) * 7_368_787_307 + 4_617_230_770) % 10_000_000_000)
}

/// A shipment created, with its label.
pub fn created(waybill: &str, plate: &str, label_base64: &str, cents: i64) -> Pen {
    let mut pen = Pen::new(2_048);
    pen.raw("{\"shipmentTrackingNumber\":\"").raw(waybill).raw("\",\"trackingUrl\":\"https://express.api.dhl.com/mydhlapi/shipments/");
    pen.raw(waybill).raw("/tracking\",\"packages\":[{\"referenceNumber\":1,\"trackingNumber\":\"").raw(plate);
    pen.raw("\"}],\"documents\":[{\"imageFormat\":\"ZPL\",\"content\":\"").raw(label_base64);
    pen.raw("\",\"typeCode\":\"label\"}],\"shipmentCharges\":[");
    billed(&mut pen, cents);
    pen.raw("]}");
    pen
}

/// What DHL calls a step; it does not show the others.
fn checkpoint(status: TrackStatus) -> Option<(&'static str, &'static str)> {
    Some(match status {
        Accepted => ("PU", "Shipment pick up"),
        ReceivedAtHub => ("PL", "Processed at location"),
        DepartedOrigin | InFlight => ("DF", "Depart facility"),
        Arrived => ("AF", "Arrived facility"),
        Customs => ("IC", "In clearance processing"),
        ImportCleared => ("CR", "Clearance release"),
        LastMile => ("AR", "Arrival in delivery facility"),
        OutForDelivery => ("WC", "With delivering courier"),
        Delivered => ("OK", "Delivery"),
        DeliveryFailed => ("NH", "Not home"),
        AvailableForPickup => ("CC", "Awaiting cnee collection"),
        Exception => ("OH", "On hold"),
        Returned => ("RT", "Returned to consignor"),
        Lost => ("CS", "Closed shipment"),
        InfoReceived | ExportCleared | Returning => return None,
    })
}

/// What can be seen of a shipment by `now`; events newest first.
pub fn tracked(pen: &mut Pen, number: &str, sold: &Sold, now: Moment) {
    pen.raw("{\"shipmentTrackingNumber\":\"").raw(number).raw("\",\"status\":\"Success\",\"productCode\":\"").raw(&sold.service);
    pen.raw("\",\"numberOfPieces\":1,\"events\":[");
    let empty = pen.len();
    for scan in sold.seen(now).iter().rev() {
        let Some((code, description)) = checkpoint(scan.status) else { continue };
        let stop = sold.stop(scan.spot).unwrap_or(&sold.from);
        let hours = transit::offset_h(&stop.country);
        if pen.len() > empty {
            pen.raw(",");
        }
        let local = calendar::stamp(calendar::local(scan.at, hours * 60));
        pen.raw("{\"date\":\"").bytes(&local[..10]).raw("\",\"time\":\"").bytes(&local[11..]).raw("\",\"GMTOffset\":\"");
        pen.raw(if hours < 0 { "-" } else { "+" }).raw(if hours.abs() < 10 { "0" } else { "" }).number(hours.abs());
        pen.raw(":00\",\"typeCode\":\"").raw(code).raw("\",\"description\":\"").raw(description);
        place(pen, stop);
    }
    pen.raw("]}");
}

fn place(pen: &mut Pen, stop: &Stop) {
    pen.raw("\",\"serviceArea\":[{\"code\":\"");
    area(pen, &stop.city);
    pen.raw("\",\"description\":\"").text(&stop.city).raw("\"}]}");
}

//! The bodies of the simulated USPS: what it reads and what it answers, field by field as the real one names them.

use super::book::{Sold, Stop};
use super::postage::{self, MailClass};
use super::transit::Scan;
use drivers::carriers::calendar;
use drivers::carriers::figures::Figure;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize, Serializer};
use smol_str::SmolStr;
use std::borrow::Cow;
use twin::channel::TrackStatus::{self, *};
use twin::{Moment, Money};

/// A number of pounds or inches; the carrier counts in hundredths.
#[derive(Deserialize, Clone, Copy, Default)]
#[serde(transparent)]
pub struct Amount(f64);

impl Amount {
    pub fn hundredths(self) -> i64 {
        (self.0 * 100.0).round() as i64
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Search<'a> {
    #[serde(rename = "originZIPCode")]
    pub origin_zip_code: &'a str,
    #[serde(rename = "destinationZIPCode")]
    pub destination_zip_code: &'a str,
    #[serde(borrow)]
    pub package_description: Package<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Package<'a> {
    #[serde(default)]
    pub weight: Amount,
    #[serde(default)]
    pub length: Amount,
    #[serde(default)]
    pub width: Amount,
    #[serde(default)]
    pub height: Amount,
    pub mail_class: &'a str,
    #[serde(default)]
    pub mailing_date: &'a str,
    /// On labels only.
    #[serde(borrow, default)]
    pub customer_reference: Vec<Reference<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Options<'a> {
    #[serde(rename = "originZIPCode")]
    origin_zip_code: &'a str,
    #[serde(rename = "destinationZIPCode")]
    destination_zip_code: &'a str,
    pricing_options: [PricingOption; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PricingOption {
    shipping_options: Vec<ShippingOption>,
    price_type: &'static str,
}

impl<'a> Options<'a> {
    pub fn new(asked: &Search<'a>, shipping_options: Vec<ShippingOption>) -> Self {
        Options {
            origin_zip_code: asked.origin_zip_code,
            destination_zip_code: asked.destination_zip_code,
            pricing_options: [PricingOption { shipping_options, price_type: COMMERCIAL }],
        }
    }
}

const COMMERCIAL: &str = "COMMERCIAL";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShippingOption {
    mail_class: &'static str,
    rate_options: [RateOption; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RateOption {
    commitment: Commitment,
    total_price: Figure,
    total_base_price: Figure,
    rates: [Rate; 1],
    extra_services: [ExtraService; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Commitment {
    name: &'static str,
    schedule_delivery_date: SmolStr,
    guaranteed_delivery: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rate {
    description: &'static str,
    price: Figure,
    zone: &'static str,
    weight: Figure,
    dimensional_weight: Figure,
    fees: [(); 0],
    price_type: &'static str,
    mail_class: &'static str,
    product_name: &'static str,
    processing_category: &'static str,
    rate_indicator: &'static str,
    destination_entry_facility_type: &'static str,
    #[serde(rename = "SKU")]
    sku: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExtraService {
    name: &'static str,
    price: Figure,
    #[serde(rename = "SKU")]
    sku: &'static str,
}

const TRACKED: ExtraService = ExtraService { name: "USPS Tracking", price: Figure(Decimal::ZERO), sku: "DXTU0EXXXCX0000" };
const ZONES: [&str; 9] = ["00", "01", "02", "03", "04", "05", "06", "07", "08"];
const DAYS: [&str; 6] = ["0 Days", "1 Day", "2 Days", "3 Days", "4 Days", "5 Days"];

fn hundredths(n: i64) -> Figure {
    Figure(Decimal::new(n, 2))
}

/// The one price of a mail class. Weights are hundredths of a pound.
pub fn shipping_option(class: &'static MailClass, zone: u8, days: u8, due: Moment, weight: i64, dimensional: i64) -> ShippingOption {
    let price = hundredths(postage::usps_cents(class, zone, weight.max(dimensional)));
    let rate = Rate {
        description: class.product,
        price,
        zone: ZONES[usize::from(zone)],
        weight: hundredths(weight),
        dimensional_weight: hundredths(dimensional),
        fees: [],
        price_type: COMMERCIAL,
        mail_class: class.name,
        product_name: class.product,
        processing_category: "MACHINABLE",
        rate_indicator: class.rate_indicator,
        destination_entry_facility_type: "NONE",
        sku: "DUXP0XXXXC00000",
    };
    let schedule_delivery_date = calendar::date(due);
    let commitment = Commitment { name: DAYS[usize::from(days.min(5))], schedule_delivery_date, guaranteed_delivery: false };
    let option = RateOption { commitment, total_price: price, total_base_price: price, rates: [rate], extra_services: [TRACKED] };
    ShippingOption { mail_class: class.name, rate_options: [option] }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Label<'a> {
    #[serde(borrow)]
    pub image_info: ImageInfo<'a>,
    #[serde(borrow)]
    pub to_address: Party<'a>,
    #[serde(borrow)]
    pub from_address: Party<'a>,
    #[serde(borrow)]
    pub package_description: Package<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageInfo<'a> {
    pub image_type: &'a str,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Party<'a> {
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub first_name: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub last_name: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub firm: Cow<'a, str>,
    #[serde(borrow, default)]
    pub street_address: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub secondary_address: Cow<'a, str>,
    #[serde(borrow, default)]
    pub city: Cow<'a, str>,
    #[serde(borrow, default)]
    pub state: Cow<'a, str>,
    #[serde(default, rename = "ZIPCode")]
    pub zip_code: &'a str,
}

impl Party<'_> {
    pub fn stop(&self) -> Stop {
        let (city, region, postcode) = (SmolStr::new(&self.city), SmolStr::new(&self.state), self.zip_code.into());
        Stop { city, region, postcode, country: SmolStr::new_static("US") }
    }

    /// As they stand on the label.
    pub fn lines(&self) -> [[&str; 3]; 4] {
        [
            [&self.first_name, &self.last_name, &self.firm],
            [&self.street_address, "", ""],
            [&self.secondary_address, "", ""],
            [&self.city, &self.state, self.zip_code],
        ]
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reference<'a> {
    #[serde(borrow)]
    pub reference_number: Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelMetadata<'a> {
    label_address: &'a Party<'a>,
    routing_information: SmolStr,
    tracking_number: &'a str,
    postage: Figure,
    extra_services: [ExtraService; 1],
    zone: &'static str,
    #[serde(rename = "weightUOM")]
    weight_uom: &'static str,
    weight: Figure,
    dimensional_weight: Figure,
    fees: [(); 0],
    banner_text: &'static str,
    service_type_code: &'static str,
    construct_code: &'static str,
    #[serde(rename = "SKU")]
    sku: &'static str,
}

/// What a label cost and weighs. Weights are hundredths of a pound.
pub fn label_metadata<'a>(
    to: &'a Party<'a>,
    class: &MailClass,
    zone: u8,
    (tracking_number, postage): (&'a str, Money),
    weight: i64,
    dimensional: i64,
) -> LabelMetadata<'a> {
    LabelMetadata {
        routing_information: smol_str::format_smolstr!("420{}", to.zip_code),
        label_address: to,
        tracking_number,
        postage: Figure(postage.amount),
        extra_services: [TRACKED],
        zone: ZONES[usize::from(zone)],
        weight_uom: "LB",
        weight: hundredths(weight),
        dimensional_weight: hundredths(dimensional),
        fees: [],
        banner_text: "USPS TRACKING # USPS Ship",
        service_type_code: class.service_type,
        construct_code: "C03",
        sku: "DUXR0XXXXC00000",
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cancelled<'a> {
    pub tracking_number: &'a str,
    pub status: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked<'a> {
    #[serde(borrow)]
    pub tracking_number: Cow<'a, str>,
}

/// What USPS calls a step: event code, event type, category of the item.
fn scan_words(status: TrackStatus) -> Option<(&'static str, &'static str, &'static str)> {
    Some(match status {
        InfoReceived => ("GX", "Shipping Label Created, USPS Awaiting Item", "Pre-Shipment"),
        Accepted => ("03", "USPS in possession of item", "Accepted"),
        ReceivedAtHub => ("10", "Arrived at USPS Regional Origin Facility", "In Transit"),
        DepartedOrigin => ("T1", "Departed USPS Regional Facility", "In Transit"),
        InFlight => ("TL", "In Transit to Next Facility", "In Transit"),
        Arrived => ("A1", "Arrived at USPS Regional Facility", "In Transit"),
        LastMile => ("07", "Arrived at Post Office", "In Transit"),
        OutForDelivery => ("OF", "Out for Delivery", "Out for Delivery"),
        Delivered => ("01", "Delivered", "Delivered"),
        DeliveryFailed => ("02", "Notice Left", "Delivery Attempt"),
        AvailableForPickup => ("16", "Available for Pickup", "Available for Pickup"),
        Exception => ("DX", "Delivery Status Not Updated", "Alert"),
        Returning => ("09", "Return to Sender", "Alert"),
        Returned => ("01", "Delivered, To Original Sender", "Delivered"),
        Lost => ("11", "Dead Letter", "Alert"),
        // Domestic mail crosses no border.
        ExportCleared | Customs | ImportCleared => return None,
    })
}

/// Local times are given for the middle of the country.
const OFFSET: &str = "-06:00";
const OFFSET_MINUTES: i64 = -360;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Detail<'a> {
    tracking_number: &'a str,
    mail_class: &'a str,
    mail_type: &'static str,
    destination_city: &'a str,
    destination_state: &'a str,
    #[serde(rename = "destinationZIP")]
    destination_zip: &'a str,
    origin_city: &'a str,
    origin_state: &'a str,
    #[serde(rename = "originZIP")]
    origin_zip: &'a str,
    status: &'static str,
    status_category: &'static str,
    tracking_events: Events<'a>,
}

/// What can be seen of a parcel by `now`.
pub fn detail<'a>(number: &'a str, sold: &'a Sold, now: Moment) -> Detail<'a> {
    let events = Events { sold, seen: sold.seen(now) };
    let newest = events.seen.iter().rev().find_map(|scan| scan_words(scan.status));
    let (_, status, status_category) = newest.unwrap_or_default();
    Detail {
        tracking_number: number,
        mail_class: &sold.service,
        mail_type: "DM",
        destination_city: &sold.to.city,
        destination_state: &sold.to.region,
        destination_zip: &sold.to.postcode,
        origin_city: &sold.from.city,
        origin_state: &sold.from.region,
        origin_zip: &sold.from.postcode,
        status,
        status_category,
        tracking_events: events,
    }
}

/// Newest first, written without being collected.
struct Events<'a> {
    sold: &'a Sold,
    seen: &'a [Scan],
}

impl Serialize for Events<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.seen.iter().rev().filter_map(|scan| {
            let (event_code, event_type, _) = scan_words(scan.status)?;
            let stop = self.sold.stop(scan.spot);
            Some(Event {
                event_type,
                event_timestamp: calendar::date_time(calendar::local(scan.at, OFFSET_MINUTES)),
                gmt_timestamp: calendar::date_time_z(scan.at),
                gmt_offset: OFFSET,
                event_city: stop.map(|s| s.city.as_str()),
                event_state: stop.map(|s| s.region.as_str()),
                event_zip: stop.map(|s| s.postcode.as_str()),
                event_code,
            })
        }))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    event_type: &'static str,
    event_timestamp: SmolStr,
    #[serde(rename = "GMTTimestamp")]
    gmt_timestamp: SmolStr,
    #[serde(rename = "GMTOffset")]
    gmt_offset: &'static str,
    event_city: Option<&'a str>,
    event_state: Option<&'a str>,
    #[serde(rename = "eventZIP")]
    event_zip: Option<&'a str>,
    event_code: &'static str,
}

/// The entry of a number that is not known, in a list of others.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NotFound<'a> {
    tracking_number: &'a str,
    error: ErrorBody<'a>,
}

pub fn not_found(tracking_number: &str) -> NotFound<'_> {
    let source = Source { parameter: "trackingNumber" };
    let detail = "Tracking is not available for this item";
    let errors = [ErrorDetail { title: "Not Found", detail, code: "404", source }];
    NotFound { tracking_number, error: ErrorBody { code: "404", message: "Not Found", errors } }
}

/// The error body of the APIs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorMessage<'a> {
    api_version: &'static str,
    error: ErrorBody<'a>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: &'a str,
    message: &'a str,
    errors: [ErrorDetail<'a>; 1],
}

#[derive(Serialize)]
struct ErrorDetail<'a> {
    title: &'a str,
    detail: &'a str,
    code: &'a str,
    source: Source<'a>,
}

#[derive(Serialize)]
struct Source<'a> {
    parameter: &'a str,
}

pub fn error<'a>(code: &'a str, message: &'a str, detail: &'a str, parameter: &'a str) -> ErrorMessage<'a> {
    let errors = [ErrorDetail { title: message, detail, code, source: Source { parameter } }];
    ErrorMessage { api_version: "v3", error: ErrorBody { code, message, errors } }
}

/// The error body of the token endpoint (RFC 6749, 5.2).
#[derive(Serialize)]
pub struct OauthError {
    error: &'static str,
    error_description: &'static str,
    error_uri: &'static str,
}

pub const INVALID_CLIENT: OauthError = OauthError {
    error: "invalid_client",
    error_description: "Client authentication failed.",
    error_uri: "https://datatracker.ietf.org/doc/html/rfc6749#page-45",
};

#[derive(Serialize)]
pub struct AccessToken {
    pub access_token: SmolStr,
    pub token_type: &'static str,
    pub expires_in: i64,
    pub status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentToken {
    pub payment_authorization_token: SmolStr,
}

//! Recorded bodies where they are at hand, and small ones of our own for a clone without them.

use super::request::{self, Payer};
use super::{response, tracking};
use crate::carriers::recorded;
use serde_json::{Value, json};
use twin::channel::{LabelRequest, QuoteRequest, TrackStatus, TrackStatus::*};
use twin::money::{Currency, Decimal};
use twin::{Address, Dims, Moment, Money};

fn address(name: &str, street: &str, city: &str, region: &str, postcode: &str) -> Address {
    Address {
        name: name.into(),
        street: street.into(),
        city: city.into(),
        region: region.into(),
        postcode: postcode.into(),
        country: "US".into(),
        ..Address::default()
    }
}

fn georgetown() -> Address {
    address("Tall Tom", "1098 N Fraser Street", "Georgetown", "SC", "29440")
}

fn oklahoma() -> Address {
    address("Lina Smith", "1309 S Agnew Avenue, Apt 303", "Oklahoma City", "OK", "73108")
}

fn usd(text: &str) -> Money {
    Money::new(text.parse().unwrap(), Currency::USD)
}

fn quote_request() -> QuoteRequest {
    QuoteRequest {
        from: georgetown(),
        to: oklahoma(),
        weight_g: 20_000,
        dims: Dims::new(500, 120, 500),
        value: usd("10"),
        battery: false,
        ship_at: "2024-07-28T12:00:00Z".parse().unwrap(),
    }
}

fn label_request() -> LabelRequest {
    let quoted = quote_request();
    LabelRequest {
        key: "AMA-1-1/label".into(),
        parcel: "#Order 11111".into(),
        service: "LIBRARY_MAIL".into(),
        from: quoted.from,
        to: quoted.to,
        weight_g: quoted.weight_g,
        dims: quoted.dims,
        value: quoted.value,
        contents: "books".into(),
        ship_at: quoted.ship_at,
    }
}

/// Takes out what we do not send, or send differently, and why.
fn without(mut body: Value, pointers: &[(&str, &str)]) -> Value {
    for (pointer, _why) in pointers {
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        let parent = body.pointer_mut(parent).unwrap();
        parent.as_object_mut().unwrap().remove(field).unwrap_or_else(|| panic!("{pointer} is not there"));
    }
    body
}

#[test]
fn recorded_rate_request_is_ours() {
    let Some(theirs) = recorded::json("usps recorded_rate_request_is_ours", "usps/rate.RateRequest.json") else { return };
    let payer = Payer::read("Your Account Number");
    let ours = serde_json::to_value(request::options_search(&quote_request(), &payer)).unwrap();
    let width = ours.pointer("/packageDescription/width").cloned();
    assert_eq!(width, Some(json!(4.73)), "12 cm is 4.724 in: we round up, theirs is rounded to the nearest");
    let differences = [("/packageDescription/width", "rounded up"), ("/packageDescription/mailClass", "we ask for all")];
    let not_asked = [("/packageDescription/extraServices", "we ask for none")];
    let theirs = without(without(theirs[0].clone(), &differences), &not_asked);
    assert_eq!(without(ours, &differences), theirs);
}

#[test]
fn recorded_label_request_is_ours() {
    let Some(theirs) = recorded::json("usps recorded_label_request_is_ours", "usps/shipment.ShipmentRequest.json") else { return };
    let request = label_request();
    let ours = serde_json::to_value(request::label(&request)).unwrap();
    let differences = [
        ("/packageDescription/width", "rounded up"),
        ("/packageDescription/processingCategory", "theirs is a name deprecated since 2025-01-19"),
        ("/imageInfo/imageType", "we print ZPL"),
        ("/fromAddress/ignoreBadAddress", "we want bad addresses refused"),
        ("/toAddress/ignoreBadAddress", "we want bad addresses refused"),
    ];
    let not_sent = [
        ("/senderAddress", "the same as fromAddress"),
        ("/packageDescription/girth", "only for parcels that are no boxes"),
        ("/fromAddress/firm", "an address has one name"),
        ("/toAddress/firm", "an address has one name"),
        ("/fromAddress/phone", "an address has no telephone"),
        ("/toAddress/phone", "an address has no telephone"),
    ];
    assert_eq!(ours["packageDescription"]["processingCategory"], "NONSTANDARD");
    assert_eq!(ours["packageDescription"]["rateIndicator"], "DR", "above one cubic foot");
    assert_eq!(without(ours, &differences), without(without(theirs[0].clone(), &differences), &not_sent));
}

#[test]
fn recorded_prices_parse_to_one_per_mail_class() {
    let name = "usps recorded_prices_parse_to_one_per_mail_class";
    let Some(body) = recorded::body(name, "usps/rate.RateResponse.json") else { return };
    let Some(parsed) = recorded::json(name, "usps/rate.ParsedRateResponse.json") else { return };
    let quotes = response::quotes(body.as_bytes(), request::NONSTANDARD, Moment(0)).unwrap();
    let services: Vec<&str> = quotes.iter().map(|q| q.service.as_str()).collect();
    assert_eq!(services, ["LIBRARY_MAIL", "PRIORITY_MAIL_EXPRESS", "PRIORITY_MAIL", "USPS_GROUND_ADVANTAGE", "MEDIA_MAIL"]);
    for quote in &quotes {
        let plain = |row: &&Value| {
            let meta = &row["meta"];
            meta["usps_mail_class"] == quote.service.as_str() && ["SP", "PA"].iter().any(|i| meta["usps_rate_indicator"] == *i)
        };
        let rows: Vec<&Value> = parsed[0].as_array().unwrap().iter().filter(plain).collect();
        assert_eq!(rows.len(), 1, "{}", quote.service);
        let row = rows[0];
        assert_eq!(quote.total, usd(&row["total_charge"].to_string()), "{}", quote.service);
        assert_eq!(quote.breakdown[0].1, usd(&row["extra_charges"][0]["amount"].to_string()));
        assert_eq!(u64::from(quote.days.unwrap()), row["transit_days"]);
        assert_eq!(quote.zone, row["meta"]["rate_zone"].as_str().unwrap());
        assert_eq!(quote.chargeable_g, Some(24_948), "55 lb");
    }
    assert_eq!(quotes[2].total, usd("184"), "not the flat-rate envelope for 10.85");
}

#[test]
fn recorded_labels_parse() {
    for (file, tracking, charged) in [
        ("usps/shipment.ShipmentResponse.txt", "9234690361980900000142", "18.76"),
        ("usps/shipment.ShipmentResponseSample2.txt", "9234690361980900000265", "42.62"),
        ("usps/shipment.ReturnShipmentResponse.txt", "9234690361980900000142", "18.76"),
    ] {
        let Some(body) = recorded::body("usps recorded_labels_parse", file) else { return };
        let label = response::label(body.as_bytes()).unwrap();
        assert_eq!(label.tracking.as_str(), tracking);
        assert_eq!(label.charged.unwrap().amount, charged.parse::<Decimal>().unwrap());
        assert!(label.zpl.starts_with(b"%PDF"), "the recorded image is a PDF");
    }
}

#[test]
fn recorded_tracking_parses() {
    let name = "usps recorded_tracking_parses";
    let Some(body) = recorded::body(name, "usps/tracking.TrackingResponse.json") else { return };
    let Some(parsed) = recorded::json(name, "usps/tracking.ParsedTrackingResponse.json") else { return };
    let mut found = Vec::new();
    tracking::tracking(format!("[{body}]").as_bytes(), &mut found).unwrap();
    let parsed = &parsed[0][0];
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].number.as_str(), parsed["tracking_number"].as_str().unwrap());
    let events = &found[0].events;
    let statuses: Vec<TrackStatus> = events.iter().map(|e| e.status).collect();
    let moving = [InFlight, InFlight, InFlight];
    let expected =
        [&[InfoReceived, Accepted, Accepted, ReceivedAtHub, DepartedOrigin][..], &moving, &[Arrived, LastMile, OutForDelivery, Delivered]];
    assert_eq!(statuses, expected.concat());
    for (event, row) in events.iter().rev().zip(parsed["events"].as_array().unwrap()) {
        assert_eq!((event.code.as_str(), event.text.as_str()), (row["code"].as_str().unwrap(), row["description"].as_str().unwrap()));
        let words = |text: &str| {
            let mut words: Vec<String> = text.split([',', ' ']).filter(|w| !w.is_empty()).map(str::to_owned).collect();
            words.sort();
            words
        };
        assert_eq!(words(&event.place), words(row["location"].as_str().unwrap_or_default()), "the same place in another order");
    }
    assert_eq!(events.last().unwrap().at.to_string(), "2024-11-22T18:58:40Z", "in UTC, where the parsed file calls local time Z");
}

#[test]
fn recorded_token_and_errors_parse() {
    let name = "usps recorded_token_and_errors_parse";
    let Some(login) = recorded::body(name, "usps/authentication.LoginResponse.json") else { return };
    let (token, life) = response::access(login.as_bytes()).unwrap();
    assert_eq!((token.to_str().unwrap(), life), ("Bearer access_token", twin::Span::from_secs(14_399)));
    for file in ["usps/tracking.ErrorResponse.json", "usps/tracking.AuthErrorResponse.json"] {
        let Some(body) = recorded::body(name, file) else { return };
        let Some(parsed) = recorded::json(name, &file.replace("tracking.", "tracking.Parsed")) else { return };
        let complaint = response::complaint(body.as_bytes()).unwrap();
        assert_eq!(complaint.code, parsed[1][0]["code"].as_str().unwrap());
        assert_eq!(complaint.message, parsed[1][0]["message"].as_str().unwrap());
    }
}

#[test]
fn the_plain_price_of_our_category_is_taken() {
    let rate = |indicator: &str, category: &str, price: f64| {
        json!({"commitment": {"name": "", "scheduleDeliveryDate": "2024-08-01"}, "totalBasePrice": price,
               "rates": [{"rateIndicator": indicator, "processingCategory": category, "zone": "05", "weight": 2.5, "dimensionalWeight": 4}],
               "extraServices": [{"name": "Signature", "price": 1.5}]})
    };
    let body = json!({"pricingOptions": [{"shippingOptions": [
        {"mailClass": "PRIORITY_MAIL", "rateOptions": [
            rate("FE", "FLATS", 1.0), rate("SP", "NONSTANDARD", 12.0), rate("SP", "MACHINABLE", 9.5), rate("CP", "MACHINABLE", 7.0)]},
        {"mailClass": "PARCEL_SELECT", "rateOptions": [rate("5D", "MACHINABLE", 3.0)]}]}]});
    let ship_at = "2024-07-28T12:00:00Z".parse().unwrap();
    let quotes = response::quotes(body.to_string().as_bytes(), request::MACHINABLE, ship_at).unwrap();
    assert_eq!(quotes.len(), 1, "presort alone is no price for a single parcel");
    assert_eq!((quotes[0].total, quotes[0].days), (usd("9.5"), Some(4)));
    assert_eq!(quotes[0].breakdown[1], ("Signature".into(), usd("1.5")));
    assert_eq!(quotes[0].chargeable_g, Some(1_815), "4 lb by volume, rounded up");
}

#[test]
fn the_machines_decide_the_category() {
    assert_eq!(request::category(500, Dims::new(100, 200, 50)), request::MACHINABLE);
    assert_eq!(request::category(500, Dims::new(60, 90, 10)), request::NONSTANDARD, "too small");
    assert_eq!(request::category(500, Dims::new(600, 90, 10)), request::NONSTANDARD, "too long");
    assert_eq!(request::category(12_000, Dims::new(300, 200, 100)), request::NONSTANDARD, "too heavy");
}

#[test]
fn small_label_and_tracking_bodies_parse() {
    let body = "--b\r\nContent-Disposition: form-data; name=\"labelMetadata\"\r\n\r\n{\"trackingNumber\":\"92\",\"postage\":5.25,\
                \"extraServices\":[{\"name\":\"x\",\"price\":0.5}]}\r\n--b\r\nContent-Disposition: form-data; filename=\"l.zpl\"; \
                name=\"labelImage\"\r\n\r\nXlhBXlha\r\n--b--\r\n";
    let label = response::label(body.as_bytes()).unwrap();
    assert_eq!((label.charged, label.zpl.as_slice()), (Some(usd("5.75")), b"^XA^XZ".as_slice()));
    assert!(response::label(b"--b\r\n\r\nno parts").unwrap_err().contains("labelMetadata"));

    let scan = |code: &str, kind: &str, hour: u8| {
        json!({"eventCode": code, "eventType": kind, "eventTimestamp": format!("2024-11-22T{hour:02}:00:00"), "GMTOffset": "-05:00",
               "eventCity": "LECANTO", "eventState": null, "eventZIPCode": "34461"})
    };
    let body = json!([
        {"trackingNumber": "A", "statusCategory": "In Transit", "trackingEvents": [scan("ZZ", "New scan", 9), scan("QQ", "Old scan", 8)]},
        {"trackingNumber": "B", "statusCategory": "Alert", "trackingEvents": [scan("ZZ", "Strange", 9)]},
        {"trackingNumber": "C", "trackingEvents": [scan("01", "Delivered, To Original Sender", 9)]},
        {"trackingNumber": "D", "error": {"code": "404", "message": "not found"}}]);
    let mut found = Vec::new();
    tracking::tracking(body.to_string().as_bytes(), &mut found).unwrap();
    assert_eq!(found.len(), 3, "a number that is not known is left out");
    assert_eq!(found[0].events.iter().map(|e| e.status).collect::<Vec<_>>(), [InFlight, InFlight]);
    assert_eq!(found[0].events[1].at.to_string(), "2024-11-22T14:00:00Z");
    assert_eq!(found[0].events[1].place, "LECANTO, 34461");
    assert_eq!((found[1].events[0].status, found[2].events[0].status), (Exception, Returned));
}

#[test]
fn the_payer_is_read_from_the_account() {
    let body = serde_json::to_value(request::payment(&Payer::read("56982563/904128936/904128937/1000405525"))).unwrap();
    assert_eq!(body["roles"][0]["roleName"], "PAYER");
    assert_eq!(body["roles"][1]["manifestMID"], "904128937");
    assert_eq!(body["roles"][1]["accountNumber"], "1000405525");
    assert_eq!(Payer::read("1000").eps_account, "1000");
}

#[test]
fn a_territory_is_a_state_however_it_is_spelt() {
    for (country, region) in [("US", "PR"), ("PR", ""), ("PR", "San Juan")] {
        let to = Address { country: country.into(), region: region.into(), postcode: "00907".into(), ..oklahoma() };
        let body = serde_json::to_value(request::label(&LabelRequest { to, ..label_request() })).unwrap();
        assert_eq!(body["toAddress"]["state"], "PR", "{country} {region}");
    }
}

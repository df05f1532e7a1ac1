//! The API is our own, so the bodies are too: the ones in the head comment of the folder.

use super::{codes, request, response, tracking};
use crate::carriers::answer::Skips;
use crate::carriers::mangled;
use serde_json::{Value, json};
use twin::channel::{LabelRequest, TrackStatus::*};
use twin::money::Currency;
use twin::{Address, Dims, Money, TrackingNumber};

#[test]
fn the_label_request_is_as_documented() {
    let from = Address { country: "CN".into(), city: "Shenzhen".into(), ..Address::default() };
    let request = LabelRequest {
        key: "k".into(),
        parcel: "AMA-000001-1".into(),
        service: "CN-US-PLUS".into(),
        warehouse: "SZX".into(),
        from: from.clone(),
        to: Address { country: "US".into(), postcode: "90001".into(), ..Address::default() },
        weight_g: 350,
        dims: Dims::new(200, 150, 40),
        value: Money::new("12.50".parse().unwrap(), Currency::USD),
        contents: "phone case".into(),
        battery: false,
        ship_at: "2026-11-09T10:00:00Z".parse().unwrap(),
        time_zone: twin::TimeZone::UTC,
    };
    let body = serde_json::to_value(request::label(&request, "C100").unwrap()).unwrap();
    let place = |city: &str, postcode: &str, country: &str| {
        json!({"name": "", "company": "", "street": "", "street2": "", "city": city, "region": "", "postcode": postcode, "country": country,
               "phone": "", "email": "", "tax_id": ""})
    };
    let expected = json!({"customer": "C100", "reference": "AMA-000001-1", "service": "CN-US-PLUS",
        "from": place("Shenzhen", "", "CN"), "to": place("", "90001", "US"),
        "weight_g": 350, "dims_mm": [200, 150, 40], "value": {"amount": "12.50", "currency": "USD"},
        "contents": "phone case", "battery": false, "ship_at": "2026-11-09T10:00:00Z"});
    assert_eq!(body, expected);
}

#[test]
fn answers_parse() {
    let label = response::label(
        br#"{"tracking":"LA473124829CN","charged":{"amount":"31.20","currency":"CNY"},"label":{"format":"zpl","base64":"XlhBXkZEeF5GU15YWg=="}}"#,
    );
    let label = label.unwrap().value;
    assert_eq!((label.tracking.as_str(), label.zpl.as_slice()), ("LA473124829CN", b"^XA^FDx^FS^XZ".as_slice()));
    assert_eq!(label.charged, Some(Money::new("31.20".parse().unwrap(), Currency::CNY)));
    assert!(response::label(br#"{"tracking":"x","label":{"format":"pdf","base64":""}}"#).unwrap_err().contains("pdf"));

    let mut found = Vec::new();
    let body = br#"{"parcels":[{"number":"LA473124829CN","events":[
        {"at":"2026-11-09T18:20:00Z","code":"accepted","text":"Received","place":"Shenzhen"},
        {"at":"2026-11-10T18:20:00+08:00","code":"abducted"}]}]}"#;
    tracking::tracking(body, &mut found, &mut Skips::default()).unwrap();
    assert_eq!(found[0].events.iter().map(|e| e.status).collect::<Vec<_>>(), [Accepted, Exception]);
    assert_eq!(found[0].events[1].at.to_string(), "2026-11-10T10:20:00Z");
    let complaint = response::complaint(br#"{"error":{"code":"unknown_service","message":"no such line"}}"#).unwrap();
    assert_eq!((complaint.code.as_str(), complaint.message.as_str()), ("unknown_service", "no such line"));
}

#[test]
fn codes_are_the_names_of_our_statuses() {
    let all = [
        InfoReceived,
        Accepted,
        ReceivedAtHub,
        ExportCleared,
        DepartedOrigin,
        InFlight,
        Arrived,
        Customs,
        ImportCleared,
        LastMile,
        OutForDelivery,
        Delivered,
        DeliveryFailed,
        AvailableForPickup,
        Exception,
        Returning,
        Returned,
        Lost,
    ];
    for status in all {
        let name = serde_json::to_value(status).unwrap();
        assert_eq!(codes::status(name.as_str().unwrap()), Some(status));
    }
    let path = request::tracking(&[TrackingNumber::new("LA473124829CN"), TrackingNumber::new("LA4 &x")]);
    assert_eq!(path, "/v1/tracking?numbers=LA473124829CN,LA4x");
}

#[test]
fn no_field_costs_more_than_what_it_stands_in() {
    let event = |code: &str, day: u8| json!({"at": format!("2026-11-{day:02}T18:20:00Z"), "code": code, "text": "x", "place": "Shenzhen"});
    let parcel = |number: &str| json!({"number": number, "events": [event("accepted", 9), event("in_flight", 10), event("delivered", 15)]});
    let read = |body: &Value| {
        let (mut found, mut skips) = (Vec::new(), Skips::default());
        tracking::tracking(body.to_string().as_bytes(), &mut found, &mut skips)?;
        Ok((found, skips.into_list()))
    };
    mangled::tracking(&json!({"parcels": [parcel("A"), parcel("B")]}), "/parcels", &["/events"], read);
    let sold = json!({"tracking": "LA473124829CN", "charged": {"amount": "31.20", "currency": "CNY"}, "label": {"format": "zpl", "base64": "XlhBXkZEeF5GU15YWg=="}});
    mangled::each(&sold, |path, changed| {
        let label = response::label(changed.to_string().as_bytes());
        if path == "/tracking" || path.starts_with("/label") {
            return;
        }
        let label = label.unwrap_or_else(|why| panic!("{path}: {why}"));
        assert!(label.value.charged.is_none_or(|m| m.currency == Currency::CNY && path == "/charged/amount"), "{path}");
        assert!(
            !label.skipped.is_empty() || changed.pointer("/charged").is_none_or(Value::is_null) || label.value.charged.is_some(),
            "{path}"
        );
    });
    let pdf = json!({"tracking": "LA473124829CN", "label": {"base64": "JVBERi0xLjQ="}});
    assert_eq!(response::label(pdf.to_string().as_bytes()).unwrap_err(), "label LA473124829CN: the label is a PDF, not ZPL");
}

#[test]
fn a_label_answer_without_number_label_or_sense_is_not_taken() {
    let answer = |tracking: &str, amount: &str, base64: &str| {
        let body =
            json!({"tracking": tracking, "charged": {"amount": amount, "currency": "CNY"}, "label": {"format": "zpl", "base64": base64}});
        response::label(body.to_string().as_bytes())
    };
    const ZPL: &str = "XlhBXkZEeF5GU15YWg==";
    assert_eq!(answer("LA473124829CN", "31.20", "").unwrap_err(), "label LA473124829CN: the label is empty");
    assert_eq!(answer(" ", "31.20", ZPL).unwrap_err(), "tracking is \" \", which is no number");
    for amount in ["-0.01", "-99999999999999999999.99", "99999999999999999999.99"] {
        let label = answer("LA473124829CN", amount, ZPL).unwrap();
        assert_eq!((label.value.charged, label.skipped.len(), label.skipped[0].whole), (None, 1, false), "{amount}");
    }
}

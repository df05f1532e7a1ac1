//! The API is our own, so the bodies are too: the ones in the head comment of the folder.

use super::{codes, request, response, tracking};
use serde_json::json;
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
        from: from.clone(),
        to: Address { country: "US".into(), postcode: "90001".into(), ..Address::default() },
        weight_g: 350,
        dims: Dims::new(200, 150, 40),
        value: Money::new("12.50".parse().unwrap(), Currency::USD),
        contents: "phone case".into(),
        ship_at: "2026-11-09T10:00:00Z".parse().unwrap(),
    };
    let body = serde_json::to_value(request::label(&request, "C100")).unwrap();
    let empty = json!({"name": "", "street": "", "city": "", "region": "", "postcode": "90001", "country": "US"});
    let expected = json!({"customer": "C100", "reference": "AMA-000001-1", "service": "CN-US-PLUS",
        "from": {"name": "", "street": "", "city": "Shenzhen", "region": "", "postcode": "", "country": "CN"}, "to": empty,
        "weight_g": 350, "dims_mm": [200, 150, 40], "value": {"amount": "12.50", "currency": "USD"},
        "contents": "phone case", "ship_at": "2026-11-09T10:00:00Z"});
    assert_eq!(body, expected);
}

#[test]
fn answers_parse() {
    let label = response::label(
        br#"{"tracking":"LA473124829CN","charged":{"amount":"31.20","currency":"CNY"},"label":{"format":"zpl","base64":"XlhBXlha"}}"#,
    );
    let label = label.unwrap();
    assert_eq!((label.tracking.as_str(), label.zpl.as_slice()), ("LA473124829CN", b"^XA^XZ".as_slice()));
    assert_eq!(label.charged, Some(Money::new("31.20".parse().unwrap(), Currency::CNY)));
    assert!(response::label(br#"{"tracking":"x","label":{"format":"pdf","base64":""}}"#).unwrap_err().contains("pdf"));

    let mut found = Vec::new();
    let body = br#"{"parcels":[{"number":"LA473124829CN","events":[
        {"at":"2026-11-09T18:20:00Z","code":"accepted","text":"Received","place":"Shenzhen"},
        {"at":"2026-11-10T18:20:00+08:00","code":"abducted"}]}]}"#;
    tracking::tracking(body, &mut found).unwrap();
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

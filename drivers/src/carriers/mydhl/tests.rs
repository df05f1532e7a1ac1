//! Recorded bodies where they are at hand, and small ones of our own for a clone without them.

use super::{codes, request, response, tracking};
use crate::carriers::recorded;
use serde_json::{Value, json};
use twin::channel::{LabelRequest, QuoteRequest, TrackStatus, TrackStatus::*};
use twin::money::Currency;
use twin::{Address, Dims, Moment, Money, TrackingNumber};

fn prague() -> Address {
    Address {
        name: "John Doe".into(),
        street: "V Parku 2308/10".into(),
        city: "Prague".into(),
        region: "CZ".into(),
        postcode: "14800".into(),
        country: "CZ".into(),
        ..Address::default()
    }
}

fn new_york() -> Address {
    Address {
        name: "Jane Smith".into(),
        street: "123 Main Street".into(),
        city: "New York".into(),
        region: "NY".into(),
        postcode: "10001".into(),
        country: "US".into(),
        ..Address::default()
    }
}

fn usd(text: &str) -> Money {
    Money::new(text.parse().unwrap(), Currency::USD)
}

fn ship_at() -> Moment {
    "2024-11-05T14:00:00Z".parse().unwrap()
}

fn quote_request() -> QuoteRequest {
    QuoteRequest {
        from: prague(),
        to: new_york(),
        weight_g: 5_000,
        dims: Dims::new(150, 150, 150),
        value: usd("100"),
        battery: false,
        ship_at: ship_at(),
    }
}

fn label_request() -> LabelRequest {
    LabelRequest {
        key: "REF-001/label".into(),
        parcel: "REF-001".into(),
        service: "P".into(),
        from: prague(),
        to: new_york(),
        weight_g: 5_000,
        dims: Dims::new(150, 150, 150),
        value: usd("100"),
        contents: "Product description".into(),
        ship_at: ship_at(),
    }
}

/// Every value we send is in the carrier's example in the same place, but for the paths in `differences`.
fn within(ours: &Value, theirs: &Value, path: &str, differences: &[(&str, &str)]) {
    if differences.iter().any(|(known, _why)| *known == path) {
        return;
    }
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for (field, value) in ours {
                within(value, theirs.get(field).unwrap_or(&Value::Null), &format!("{path}/{field}"), differences);
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
                within(a, b, &format!("{path}/{i}"), differences);
            }
        }
        (Value::Number(a), Value::Number(b)) => assert_eq!(a.as_f64(), b.as_f64(), "{path}"),
        _ => assert_eq!(ours, theirs, "{path}"),
    }
}

#[test]
fn the_rate_request_is_within_the_carriers_example() {
    let name = "mydhl the_rate_request_is_within_the_carriers_example";
    let Some(theirs) = recorded::json(name, "mydhl/spec/rate_request.json") else { return };
    let ours = serde_json::to_value(request::rates(&quote_request(), "ACC123456789")).unwrap();
    within(&ours, &theirs, "", &[("/nextBusinessDay", "we also want the prices of tomorrow's collection")]);
}

#[test]
fn the_shipment_request_is_within_the_carriers_example() {
    let name = "mydhl the_shipment_request_is_within_the_carriers_example";
    let Some(theirs) = recorded::json(name, "mydhl/spec/shipment_request.json") else { return };
    let ours = serde_json::to_value(request::shipment(&label_request(), "ACC123456789")).unwrap();
    let differences = [
        ("/getRateEstimates", "we want to know what it costs"),
        ("/outputImageProperties/printerDPI", "our printers have 8 dots per mm"),
        ("/outputImageProperties/encodingFormat", "we print ZPL"),
        ("/customerDetails/shipperDetails/contactInformation", "an address has one name and no telephone"),
        ("/customerDetails/receiverDetails/contactInformation", "an address has one name and no telephone"),
        ("/content/description", "the contents, not a sample"),
        ("/content/exportDeclaration/invoice/number", "the parcel's number"),
    ];
    within(&ours, &theirs, "", &differences);
}

#[test]
fn recorded_rates_parse() {
    let name = "mydhl recorded_rates_parse";
    let Some(body) = recorded::body(name, "mydhl/rate.RateResponse.json") else { return };
    let Some(parsed) = recorded::json(name, "mydhl/rate.ParsedRateResponse.json") else { return };
    let quotes = response::quotes(body.as_bytes(), "2024-01-10T10:00:00Z".parse().unwrap()).unwrap();
    let rows = parsed[0].as_array().unwrap();
    assert_eq!(quotes.len(), rows.len());
    for (quote, row) in quotes.iter().zip(rows) {
        assert_eq!(quote.service, row["meta"]["product_code"].as_str().unwrap());
        assert_eq!(quote.total, usd(&row["total_charge"].to_string()));
        let charges = row["extra_charges"].as_array().cloned().unwrap_or_default();
        let ours: Vec<Value> = quote.breakdown.iter().map(|(name, money)| json!([name, money.amount.to_string()])).collect();
        let theirs: Vec<Value> = charges.iter().map(|c| json!([c["name"], c["amount"].to_string()])).collect();
        assert_eq!(ours, theirs);
    }
    assert_eq!(quotes.iter().map(|q| q.days).collect::<Vec<_>>(), [Some(5), Some(4)]);

    let Some(body) = recorded::body(name, "mydhl/spec/rate_response.json") else { return };
    let quotes = response::quotes(body.as_bytes(), ship_at()).unwrap();
    assert_eq!(quotes[0].total, Money::new("89.25".parse().unwrap(), Currency::EUR), "the billing currency of three");
    assert_eq!((quotes[0].days, quotes[0].chargeable_g, quotes[0].zone.as_str()), (Some(4), Some(5_000), "NYC"));
}

#[test]
fn recorded_shipments_parse() {
    let name = "mydhl recorded_shipments_parse";
    let Some(body) = recorded::body(name, "mydhl/shipment.ShipmentResponse.json") else { return };
    let Some(parsed) = recorded::json(name, "mydhl/shipment.ParsedShipmentResponse.json") else { return };
    let label = response::label(body.as_bytes()).unwrap();
    assert_eq!(label.tracking.as_str(), parsed[0]["tracking_number"].as_str().unwrap());
    assert!(label.zpl.starts_with(b"%PDF"), "the recorded label is a PDF");
    assert_eq!(label.charged, None);

    let Some(body) = recorded::body(name, "mydhl/spec/shipment_response.json") else { return };
    let error = response::label(body.as_bytes()).unwrap_err();
    assert!(error.contains("Base64"), "the example's content is cut off: {error}");
}

#[test]
fn recorded_tracking_parses() {
    let name = "mydhl recorded_tracking_parses";
    let Some(body) = recorded::body(name, "mydhl/tracking.TrackingResponse.json") else { return };
    let Some(parsed) = recorded::json(name, "mydhl/tracking.ParsedTrackingResponse.json") else { return };
    let mut found = Vec::new();
    tracking::tracking(body.as_bytes(), &mut found).unwrap();
    let parsed = &parsed[0][0];
    assert_eq!(found[0].number.as_str(), parsed["tracking_number"].as_str().unwrap());
    for (event, row) in found[0].events.iter().rev().zip(parsed["events"].as_array().unwrap()) {
        let ours = [event.code.as_str(), event.text.as_str(), event.place.as_str()];
        assert_eq!(ours.map(Value::from), [&row["code"], &row["description"], &row["location"]].map(Clone::clone));
        assert_eq!(event.at, row["timestamp"].as_str().unwrap().parse().unwrap());
    }
    assert_eq!(found[0].events.iter().map(|e| e.status).collect::<Vec<_>>(), [Accepted, Delivered]);

    let Some(body) = recorded::body(name, "mydhl/spec/tracking_response.json") else { return };
    found.clear();
    tracking::tracking(body.as_bytes(), &mut found).unwrap();
    assert_eq!(found[0].events[0].at.to_string(), "2024-11-05T09:00:00Z", "10:00 at +01:00");
}

#[test]
fn recorded_errors_parse() {
    let name = "mydhl recorded_errors_parse";
    for what in ["rate", "shipment", "tracking"] {
        let Some(body) = recorded::body(name, &format!("mydhl/{what}.ErrorResponse.json")) else { return };
        let Some(parsed) = recorded::json(name, &format!("mydhl/{what}.ParsedErrorResponse.json")) else { return };
        let complaint = response::complaint(body.as_bytes()).unwrap();
        assert_eq!(complaint.code, parsed[1][0]["code"].as_str().unwrap());
        assert_eq!(complaint.message, parsed[1][0]["message"].as_str().unwrap());
    }
}

#[test]
fn every_express_code_of_the_carriers_list_has_a_status() {
    let name = "mydhl every_express_code_of_the_carriers_list_has_a_status";
    let Some(list) = recorded::body(name, "mydhl/spec/status_1.csv") else { return };
    let rows = list.lines().filter_map(|line| line.strip_prefix("express;")).map(|row| row.split(';').collect::<Vec<_>>());
    let mut seen = 0;
    for row in rows {
        let (_, text) = codes::status(row[0], false).unwrap_or_else(|| panic!("{row:?} is not in the table"));
        assert_eq!(text, row[1]);
        seen += 1;
    }
    assert_eq!(seen, 44);
}

#[test]
fn a_facility_is_a_hub_until_the_parcel_leaves() {
    let checkpoint =
        |code: &str, day: u8| json!({"date": format!("2024-11-{day:02}"), "time": "10:00:00", "typeCode": code, "description": "x"});
    let events: Vec<Value> = [("OK", 9), ("??", 8), ("AR", 7), ("CR", 6), ("IC", 5), ("AF", 4), ("DF", 3), ("PL", 2), ("PU", 1)]
        .map(|(code, day)| checkpoint(code, day))
        .to_vec();
    let body = json!({"shipments": [{"shipmentTrackingNumber": 1234567890_i64, "events": events}, {"shipmentTrackingNumber": "2"}]});
    let mut found = Vec::new();
    tracking::tracking(body.to_string().as_bytes(), &mut found).unwrap();
    let statuses: Vec<TrackStatus> = found[0].events.iter().map(|e| e.status).collect();
    let expected = [Accepted, ReceivedAtHub, DepartedOrigin, Arrived, Customs, ImportCleared, LastMile, Exception, Delivered];
    assert_eq!(statuses, expected);
    assert_eq!((found[0].number.as_str(), found[1].events.len()), ("1234567890", 0));
}

#[test]
fn small_bodies_of_our_own_parse() {
    let body = br#"{"products":[{"productCode":"P","totalPrice":[{"currencyType":"BILLC","priceCurrency":"USD","price":0}]},
        {"productCode":"Y","totalPrice":[{"currencyType":"BILLC","priceCurrency":"CNY","price":135.10}],
         "weight":{"volumetric":3.384,"provided":2.5},"deliveryCapabilities":{"totalTransitDays":"3"}}]}"#;
    let quotes = response::quotes(body, ship_at()).unwrap();
    assert_eq!(quotes.len(), 1, "a price of nothing is no price");
    assert_eq!((quotes[0].chargeable_g, quotes[0].days), (Some(3_384), Some(3)));
    assert_eq!(quotes[0].total, Money::new("135.10".parse().unwrap(), Currency::CNY));
    let body =
        br#"{"shipmentTrackingNumber":1,"documents":[{"typeCode":"invoice","content":"AAAA"},{"typeCode":"label","content":"XlhBXlha"}],
        "shipmentCharges":[{"currencyType":"BILLC","priceCurrency":"USD","price":147.50}]}"#;
    let label = response::label(body).unwrap();
    assert_eq!((label.zpl.as_slice(), label.charged), (b"^XA^XZ".as_slice(), Some(usd("147.5"))));
    assert!(
        response::quotes(br#"{"products":[{"productCode":"P","totalPrice":[{"priceCurrency":"XQX","price":1}]}]}"#, ship_at()).is_err()
    );
}

#[test]
fn customs_lines_and_references() {
    let (cz, us, fr) = (prague(), new_york(), Address { country: "FR".into(), ..prague() });
    assert!(request::declarable(&cz, &us));
    assert!(!request::declarable(&cz, &fr) && !request::declarable(&us, &us));
    let long =
        Address { street: "Building 7, Floor 12, Unit 1204, Qianhai Shenzhen-Hong Kong Cooperation Zone, 南山区前海路".into(), ..us };
    let body = serde_json::to_value(request::shipment(&LabelRequest { to: long, ..label_request() }, "1")).unwrap();
    let to = &body["customerDetails"]["receiverDetails"]["postalAddress"];
    assert_eq!(to["addressLine1"], "Building 7, Floor 12, Unit 1204, Qianhai");
    assert_eq!(to["addressLine2"], "Shenzhen-Hong Kong Cooperation Zone, 南山区前海路");
    assert_eq!(to.get("addressLine3"), None);
    assert_eq!(request::message_reference("short").as_str(), "short");
    let long = "a".repeat(40);
    assert_eq!(request::message_reference(&long).len(), 32);
    assert_ne!(request::message_reference(&long), request::message_reference(&"a".repeat(41)));
    let path = request::tracking(&[TrackingNumber::new("123"), TrackingNumber::new("4 5&x=1")]);
    assert_eq!(path, "/tracking?shipmentTrackingNumber=123&shipmentTrackingNumber=45x1&trackingView=all-checkpoints");
}

#[test]
fn places_are_told_by_more_than_country_letters() {
    let canary = Address { country: "ES".into(), postcode: "35001".into(), ..prague() };
    let reunion = Address { country: "FR".into(), postcode: "97400".into(), ..prague() };
    assert!(request::declarable(&prague(), &canary) && request::declarable(&prague(), &reunion));
    let puerto_rico = Address { country: "US".into(), region: "PR".into(), postcode: "00907".into(), ..new_york() };
    let body = |to| serde_json::to_value(request::rates(&QuoteRequest { to, ..quote_request() }, "1")).unwrap();
    assert_eq!(body(puerto_rico)["customerDetails"]["receiverDetails"]["countryCode"], "PR");
    assert_eq!(body(reunion)["customerDetails"]["receiverDetails"]["countryCode"], "RE");
}

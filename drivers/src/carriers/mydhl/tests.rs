//! Recorded bodies where they are at hand, and small ones of our own for a clone without them.

use super::{codes, request, response, tracking};
use crate::carriers::answer::Skips;
use crate::carriers::{mangled, recorded};
use serde_json::{Value, json};
use twin::channel::{LabelRequest, QuoteRequest, TrackStatus, TrackStatus::*, Tracking};
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
        phone: "+420 555 0100".into(),
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

/// Reads tracking of which nothing is skipped.
fn news(body: &[u8], found: &mut Vec<Tracking>) {
    let mut skips = Skips::default();
    tracking::tracking(body, found, &mut skips).unwrap();
    assert_eq!(skips.into_list(), []);
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
        time_zone: twin::TimeZone::UTC,
    }
}

fn label_request() -> LabelRequest {
    LabelRequest {
        key: "REF-001/label".into(),
        parcel: "REF-001".into(),
        service: "P".into(),
        warehouse: "PRG".into(),
        from: prague(),
        to: new_york(),
        weight_g: 5_000,
        dims: Dims::new(150, 150, 150),
        value: usd("100"),
        contents: "Product description".into(),
        battery: false,
        ship_at: ship_at(),
        time_zone: twin::TimeZone::UTC,
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
    let ours = serde_json::to_value(request::rates(&quote_request(), "ACC123456789").unwrap()).unwrap();
    within(&ours, &theirs, "", &[("/nextBusinessDay", "we also want the prices of tomorrow's collection")]);
}

#[test]
fn the_shipment_request_is_within_the_carriers_example() {
    let name = "mydhl the_shipment_request_is_within_the_carriers_example";
    let Some(theirs) = recorded::json(name, "mydhl/spec/shipment_request.json") else { return };
    let ours = serde_json::to_value(request::shipment(&label_request(), "ACC123456789").unwrap()).unwrap();
    let differences = [
        ("/getRateEstimates", "we want to know what it costs"),
        ("/outputImageProperties/printerDPI", "our printers have 8 dots per mm"),
        ("/outputImageProperties/encodingFormat", "we print ZPL"),
        ("/customerDetails/shipperDetails/contactInformation", "ours has one name and a number of its own"),
        ("/customerDetails/receiverDetails/contactInformation", "ours has one name and the shipper's telephone"),
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
    let quotes = response::quotes(body.as_bytes(), "2024-01-10T10:00:00Z".parse().unwrap()).unwrap().value;
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
    let quotes = response::quotes(body.as_bytes(), ship_at()).unwrap().value;
    assert_eq!(quotes[0].total, Money::new("89.25".parse().unwrap(), Currency::EUR), "the billing currency of three");
    assert_eq!((quotes[0].days, quotes[0].chargeable_g, quotes[0].zone.as_str()), (Some(4), Some(5_000), "NYC"));
}

#[test]
fn recorded_shipments_parse() {
    let name = "mydhl recorded_shipments_parse";
    let Some(body) = recorded::body(name, "mydhl/shipment.ShipmentResponse.json") else { return };
    let Some(parsed) = recorded::json(name, "mydhl/shipment.ParsedShipmentResponse.json") else { return };
    let number = parsed[0]["tracking_number"].as_str().unwrap();
    let why = response::label(body.as_bytes()).unwrap_err();
    assert_eq!(why, format!("waybill {number}: the label is a PDF, not ZPL"), "the recorded label is one");
    let mut zpl: Value = serde_json::from_str(&body).unwrap();
    zpl["documents"].as_array_mut().unwrap().iter_mut().for_each(|d| d["content"] = json!("XlhBXkZEeF5GU15YWg=="));
    let label = response::label(zpl.to_string().as_bytes()).unwrap().value;
    assert_eq!((label.tracking.as_str(), label.charged), (number, None));

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
    news(body.as_bytes(), &mut found);
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
    news(body.as_bytes(), &mut found);
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
    news(body.to_string().as_bytes(), &mut found);
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
    let quotes = response::quotes(body, ship_at()).unwrap().value;
    assert_eq!(quotes.len(), 1, "a price of nothing is no price");
    assert_eq!((quotes[0].chargeable_g, quotes[0].days), (Some(3_384), Some(3)));
    assert_eq!(quotes[0].total, Money::new("135.10".parse().unwrap(), Currency::CNY));
    let body =
        br#"{"shipmentTrackingNumber":1,"documents":[{"typeCode":"invoice","content":"AAAA"},{"typeCode":"label","content":"XlhBXkZEeF5GU15YWg=="}],
        "shipmentCharges":[{"currencyType":"BILLC","priceCurrency":"USD","price":147.50}]}"#;
    let label = response::label(body).unwrap().value;
    assert_eq!((label.zpl.as_slice(), label.charged), (b"^XA^FDx^FS^XZ".as_slice(), Some(usd("147.5"))));
    let read =
        response::quotes(br#"{"products":[{"productCode":"P","totalPrice":[{"priceCurrency":"XQX","price":1}]}]}"#, ship_at()).unwrap();
    assert_eq!((read.value.len(), read.skipped[0].why.as_str()), (0, "priceCurrency is \"XQX\", which is no currency"));
}

#[test]
fn customs_lines_and_references() {
    let (cz, us, fr) = (prague(), new_york(), Address { country: "FR".into(), ..prague() });
    assert!(request::declarable(&cz, &us));
    assert!(!request::declarable(&cz, &fr) && !request::declarable(&us, &us));
    let long =
        Address { street: "Building 7, Floor 12, Unit 1204, Qianhai Shenzhen-Hong Kong Cooperation Zone, 南山区前海路".into(), ..us };
    let body = serde_json::to_value(request::shipment(&LabelRequest { to: long, ..label_request() }, "1").unwrap()).unwrap();
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
    let body = |to| serde_json::to_value(request::rates(&QuoteRequest { to, ..quote_request() }, "1").unwrap()).unwrap();
    assert_eq!(body(puerto_rico)["customerDetails"]["receiverDetails"]["countryCode"], "PR");
    assert_eq!(body(reunion)["customerDetails"]["receiverDetails"]["countryCode"], "RE");
}

fn read_tracking(body: &Value) -> Result<mangled::Told, String> {
    let (mut found, mut skips) = (Vec::new(), Skips::default());
    tracking::tracking(body.to_string().as_bytes(), &mut found, &mut skips)?;
    Ok((found, skips.into_list()))
}

/// A small answer of our own, in the form of the recorded ones.
fn small_tracking() -> Value {
    let checkpoint = |code: &str, day: u8| {
        json!({"date": format!("2024-11-{day:02}"), "time": "10:00:00", "GMTOffset": "+01:00", "typeCode": code, "description": "x",
               "serviceArea": [{"code": "PRG", "description": "Prague-CZ"}]})
    };
    let shipment =
        |number: i64| json!({"shipmentTrackingNumber": number, "events": [checkpoint("OK", 9), checkpoint("DF", 3), checkpoint("PU", 1)]});
    json!({"shipments": [shipment(1), shipment(2)]})
}

#[test]
fn no_field_of_a_tracking_answer_costs_more_than_its_event() {
    mangled::tracking(&small_tracking(), "/shipments", &["/events"], read_tracking);
    let name = "mydhl no_field_of_a_tracking_answer_costs_more_than_its_event";
    for file in ["mydhl/tracking.TrackingResponse.json", "mydhl/spec/tracking_response.json"] {
        let Some(mut body) = recorded::json(name, file) else { return };
        let mut other = body["shipments"][0].clone();
        other["shipmentTrackingNumber"] = json!("another");
        body["shipments"].as_array_mut().unwrap().push(other);
        mangled::tracking(&body, "/shipments", &["/events"], read_tracking);
    }
}

#[test]
fn a_malformed_checkpoint_is_skipped_and_told() {
    let mut body = small_tracking();
    body["shipments"][0]["events"][0]["time"] = json!("");
    body["shipments"][1]["events"][1]["description"] = json!(null);
    body["shipments"][1]["events"][1]["serviceArea"] = json!(null);
    let (found, told) = read_tracking(&body).unwrap();
    assert_eq!(found.iter().map(|t| t.events.len()).collect::<Vec<_>>(), [2, 3]);
    assert_eq!((told.len(), told[0].about.as_deref(), told[0].whole), (1, Some("1"), true));
    assert_eq!(told[0].why, "event \"OK\" has no time that can be read: date is \"2024-11-09\", time \"\"");
}

#[test]
fn no_field_of_a_rate_answer_costs_more_than_its_product() {
    let price = |n: f64| json!([{"currencyType": "BILLC", "priceCurrency": "CNY", "price": n}, {"currencyType": "PULCL", "priceCurrency": "USD", "price": 9}]);
    let product = |code: &str, n: f64| {
        json!({"productCode": code, "totalPrice": price(n), "weight": {"volumetric": 3.384, "provided": 2.5},
               "totalPriceBreakdown": [{"currencyType": "BILLC", "priceBreakdown": [{"typeCode": "FF", "price": 3.5}]}],
               "deliveryCapabilities": {"totalTransitDays": "3", "destinationServiceAreaCode": "NYC"}})
    };
    let small = json!({"products": [product("P", 135.1), product("Y", 150.0)]});
    let name = "mydhl no_field_of_a_rate_answer_costs_more_than_its_product";
    let recorded = ["mydhl/rate.RateResponse.json", "mydhl/spec/rate_response.json"];
    for body in [small].into_iter().chain(recorded.iter().filter_map(|file| recorded::json(name, file))) {
        let read = |body: &Value| response::quotes(body.to_string().as_bytes(), ship_at());
        let whole = read(&body).unwrap();
        assert!(!whole.value.is_empty() && whole.skipped.is_empty(), "{whole:?}");
        mangled::each(&body["products"], |path, changed| {
            let mut document = body.clone();
            document["products"] = changed.clone();
            let found = read(&document).unwrap_or_else(|why| panic!("{path}: {why}"));
            let touched: usize = path[1..].split('/').next().unwrap().parse().unwrap();
            let code = &body["products"][touched]["productCode"];
            for quote in whole.value.iter().filter(|q| code != q.service.as_str()) {
                assert!(found.value.contains(quote), "{path} cost the price of {}", quote.service);
            }
            // No price at all is a way to say that there is none: so is zero, and a product that is not there.
            let unpriced = path.ends_with("/totalPrice") || path.matches('/').count() == 1 || changed.pointer(path).is_none();
            if found.value.len() < whole.value.len() && !unpriced {
                assert!(found.skipped.iter().any(|s| s.whole), "{path} cost a price without a word: {changed}");
            }
        });
    }
    let mut body = json!({"products": [product("P", 135.1), product("Y", 150.0)]});
    (body["products"][0]["totalPrice"][0]["priceCurrency"], body["products"][1]["totalPrice"][1]["price"]) = (json!(""), json!(null));
    let read = response::quotes(body.to_string().as_bytes(), ship_at()).unwrap();
    assert_eq!(read.value.iter().map(|q| q.service.as_str()).collect::<Vec<_>>(), ["Y"]);
    assert_eq!((read.skipped.len(), read.skipped[0].about.as_deref()), (1, Some("P")));
}

#[test]
fn no_field_of_a_shipment_answer_but_number_and_image_is_needed() {
    let body = json!({"shipmentTrackingNumber": 7, "url": "x", "packages": [{"referenceNumber": 1}],
        "documents": [{"typeCode": "label", "content": "XlhBXkZEeF5GU15YWg=="}], "shipmentCharges": [{"currencyType": "BILLC", "priceCurrency": "USD", "price": 147.5}]});
    mangled::each(&body, |path, changed| {
        let read = response::label(changed.to_string().as_bytes());
        if path == "/shipmentTrackingNumber" || path.starts_with("/documents") {
            return;
        }
        assert_eq!(read.unwrap_or_else(|why| panic!("{path}: {why}")).value.tracking.as_str(), "7");
    });
    for what in ["rate", "shipment", "tracking"] {
        let Some(body) = recorded::json("mydhl no_error_body_is_fatal", &format!("mydhl/{what}.ErrorResponse.json")) else { return };
        mangled::each(&body, |_, changed| {
            assert!(response::complaint(changed.to_string().as_bytes()).is_none_or(|c| !c.message.is_empty()), "{changed}");
        });
    }
}

#[test]
fn the_planned_time_is_the_pickups_at_the_warehouse() {
    for (ship_at, time_zone, planned) in [
        ("2026-11-09T10:30:00Z", "Asia/Shanghai", "2026-11-09T18:30:00 GMT+08:00"),
        ("2026-11-10T01:30:00Z", "America/Los_Angeles", "2026-11-09T17:30:00 GMT-08:00"),
        ("2026-07-10T00:30:00Z", "America/Los_Angeles", "2026-07-09T17:30:00 GMT-07:00"),
        ("2026-07-09T19:30:00Z", "Asia/Kolkata", "2026-07-10T01:00:00 GMT+05:30"),
        ("2026-07-09T19:30:00Z", "America/St_Johns", "2026-07-09T17:00:00 GMT-02:30"),
    ] {
        let (ship_at, time_zone) = (ship_at.parse().unwrap(), time_zone.parse().unwrap());
        let request = LabelRequest { ship_at, time_zone, ..label_request() };
        let body = serde_json::to_value(request::shipment(&request, "1").unwrap()).unwrap();
        assert_eq!(body["plannedShippingDateAndTime"], planned);
        assert_eq!(body["content"]["exportDeclaration"]["invoice"]["date"], planned[..10]);
    }
}

#[test]
fn an_address_is_whole_or_refused_with_its_field() {
    let mut request = label_request();
    let to = &mut request.to;
    (to.company, to.street2, to.phone, to.email) = ("Acme Ltd".into(), "Floor 7".into(), "+1 555 625".into(), "jane@example.org".into());
    let body = serde_json::to_value(request::shipment(&request, "1").unwrap()).unwrap();
    let receiver = &body["customerDetails"]["receiverDetails"];
    assert_eq!(
        (&receiver["postalAddress"]["addressLine1"], &receiver["postalAddress"]["addressLine2"]),
        (&json!("123 Main Street"), &json!("Floor 7"))
    );
    assert_eq!(
        receiver["contactInformation"],
        json!({"phone": "+1 555 625", "email": "jane@example.org", "companyName": "Acme Ltd", "fullName": "Jane Smith"})
    );
    let mut puerto_rico = label_request();
    (puerto_rico.to.region, puerto_rico.to.postcode) = ("PR".into(), "00901".into());
    let body = serde_json::to_value(request::shipment(&puerto_rico, "1").unwrap()).unwrap();
    assert_eq!(body["customerDetails"]["receiverDetails"]["postalAddress"]["countryCode"], "PR");
    type Change = fn(&mut LabelRequest);
    let cases: [(Change, &str); 13] = [
        (|r| r.from.phone = " ".into(), "from.phone"),
        (|r| r.to.phone = "5".repeat(71).into(), "to.phone"),
        (|r| r.to.city = "X".repeat(46).into(), "to.city"),
        (|r| r.to.city = "".into(), "to.city"),
        (|r| r.to.street = "1 Long Street ".repeat(12).into(), "to.street"),
        (|r| r.to.street = "".into(), "to.street"),
        (|r| r.to.name = "".into(), "to.name"),
        (|r| r.to.name = "X".repeat(101).into(), "to.name"),
        (|r| r.to.company = "X".repeat(101).into(), "to.company"),
        (|r| r.to.postcode = "1234567890123".into(), "to.postcode"),
        (|r| r.to.region = "X".repeat(36).into(), "to.region"),
        (|r| r.contents = "".into(), "contents"),
        (|r| r.weight_g = 0, "weight_g"),
    ];
    for (change, field) in cases {
        let mut request = label_request();
        change(&mut request);
        let unfit = request::shipment(&request, "1").err().unwrap_or_else(|| panic!("{field} is sent"));
        assert_eq!(unfit.field, field, "{unfit}");
    }
}

/// MyDHL requires a telephone of both (3.1.1, `contactInformation.phone`, 1 to 70 characters); a made-up one reaches nobody.
#[test]
fn a_buyer_without_a_telephone_is_reached_through_the_shipper() {
    let body = serde_json::to_value(request::shipment(&label_request(), "1").unwrap()).unwrap();
    let phone = |side: &str| body["customerDetails"][side]["contactInformation"]["phone"].clone();
    assert_eq!((phone("shipperDetails"), phone("receiverDetails")), (json!("+420 555 0100"), json!("+420 555 0100")));
    assert_eq!((request::origin(&new_york()), request::origin(&prague())), (Ok(()), Ok(())));
}

/// A field that stands twice, or a number that no machine number holds, costs what it stands in and is told.
#[test]
fn an_answer_that_is_not_quite_json_is_read_and_told() {
    let good = r#"{"productCode":"P","totalPrice":[{"currencyType":"BILLC","priceCurrency":"USD","price":41.5}]}"#;
    let huge = r#"{"productCode":"D","totalPrice":[{"currencyType":"BILLC","priceCurrency":"USD","price":1e999}]}"#;
    for (body, told) in [
        (format!(r#"{{"products":[{huge},{good}]}}"#), 2),
        (format!(r#"{{"products":[],"products":[{good}]}}"#), 1),
        (format!(r#"{{"products":[{}]}}"#, good.replacen("{", r#"{"productCode":"P","#, 1)), 1),
        (format!(r#"{{"products":[{}]}}"#, good.replace("}]}", r#"}],"weight":{"provided":NaN}}"#)), 2),
    ] {
        let quotes = response::quotes(body.as_bytes(), ship_at()).unwrap_or_else(|why| panic!("{why}: {body}"));
        assert_eq!((quotes.value.len(), quotes.skipped.len()), (1, told), "{body} {:?}", quotes.skipped);
        assert_eq!(quotes.value[0].total, usd("41.5"));
    }
    let two = |event: &str| {
        format!(
            r#"{{"shipments":[{{"shipmentTrackingNumber":"1","events":[{event}]}},
            {{"shipmentTrackingNumber":"2","events":[{{"date":"2026-11-09","time":"10:00:00","typeCode":"OK","description":"Delivered"}}]}}]}}"#
        )
    };
    for odd in
        [r#"{"date":"2026-11-09","date":"2026-11-09","time":"10:00:00","typeCode":"PU"}"#, r#"{"typeCode":1e999}"#, r#"{"date":NaN}"#]
    {
        let (mut found, mut skips) = (Vec::new(), Skips::default());
        tracking::tracking(two(odd).as_bytes(), &mut found, &mut skips).unwrap_or_else(|why| panic!("{why}: {odd}"));
        assert!(found.iter().any(|t| t.number.as_str() == "2" && t.events.len() == 1), "{odd} cost its neighbour its news");
        assert!(!skips.into_list().is_empty(), "{odd} is told");
    }
    assert!(response::quotes(b"{\"products\":[", ship_at()).is_err(), "what is cut off is not read");
}

/// The waybill of DHL's own example has nothing in common with the plate on its piece.
#[test]
fn the_plate_of_the_piece_is_taken_from_the_answer() {
    let zpl = "XlhBXkZEeF5GU15YWg=="; // ^XA^FDx^FS^XZ
    let answer = |packages: serde_json::Value| {
        let body =
            json!({"shipmentTrackingNumber": "1103733901", "documents": [{"content": zpl, "typeCode": "label"}], "packages": packages});
        response::label(body.to_string().as_bytes()).unwrap()
    };
    let label = answer(json!([{"referenceNumber": 1, "trackingNumber": "JD014600004617230770"}]));
    assert_eq!((label.value.plate, label.skipped.len()), (Some(TrackingNumber::new("JD014600004617230770")), 0));
    for (odd, told) in
        [(json!(null), 0), (json!([]), 0), (json!([{"trackingNumber": ""}]), 0), (json!([{"trackingNumber": [1]}]), 1), (json!([7]), 1)]
    {
        let label = answer(odd.clone());
        assert_eq!((label.value.plate, label.skipped.len()), (None, told), "{odd}");
    }
}

#[test]
fn batteries_are_declared() {
    let body = serde_json::to_value(request::shipment(&LabelRequest { battery: true, ..label_request() }, "1").unwrap()).unwrap();
    assert_eq!(body["valueAddedServices"], json!([{"serviceCode": "HV", "dangerousGoods": [{"contentId": "967"}]}]));
}

#[test]
fn a_shipment_answer_without_number_label_or_sense_is_not_taken() {
    let answer = |number: &str, price: &str, content: &str| {
        let body = json!({"shipmentTrackingNumber": number, "documents": [{"typeCode": "label", "content": content}],
            "shipmentCharges": [{"currencyType": "BILLC", "priceCurrency": "USD", "price": price}]});
        response::label(body.to_string().as_bytes())
    };
    const ZPL: &str = "XlhBXkZEeF5GU15YWg==";
    assert_eq!(answer("7", "5", "").unwrap_err(), "waybill 7: the label is empty");
    assert_eq!(answer("\t", "5", ZPL).unwrap_err(), "shipmentTrackingNumber is \"\\t\", which is no number");
    for price in ["-0.01", "-99999999999999999999.99", "99999999999999999999.99"] {
        let label = answer("7", price, ZPL).unwrap();
        assert_eq!((label.value.charged, label.skipped.len(), label.skipped[0].whole), (None, 1, false), "{price}");
    }
}

//! Recorded bodies where they are at hand, and small ones of our own for a clone without them.

use super::request::{self, Payer};
use super::{response, tracking};
use crate::carriers::CarrierError;
use crate::carriers::answer::Skips;
use crate::carriers::{mangled, recorded};
use serde_json::{Value, json};
use twin::channel::{LabelRequest, QuoteRequest, TrackStatus, TrackStatus::*, Tracking};
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

/// Reads tracking of which nothing is skipped.
fn news(body: &[u8], found: &mut Vec<Tracking>) {
    let mut skips = Skips::default();
    tracking::tracking(body, found, &mut skips).unwrap();
    assert_eq!(skips.into_list(), []);
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
        time_zone: twin::TimeZone::UTC,
    }
}

fn label_request() -> LabelRequest {
    let quoted = quote_request();
    LabelRequest {
        key: "AMA-1-1/label".into(),
        parcel: "#Order 11111".into(),
        service: "LIBRARY_MAIL".into(),
        warehouse: "GEO".into(),
        from: quoted.from,
        to: quoted.to,
        weight_g: quoted.weight_g,
        dims: quoted.dims,
        value: quoted.value,
        contents: "books".into(),
        battery: false,
        ship_at: quoted.ship_at,
        time_zone: twin::TimeZone::UTC,
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
    let ours = serde_json::to_value(request::options_search(&quote_request(), &payer).unwrap()).unwrap();
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
    let ours = serde_json::to_value(request::label(&request).unwrap()).unwrap();
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
        ("/fromAddress/firm", "ours has no company"),
        ("/toAddress/firm", "ours has no company"),
        ("/fromAddress/phone", "ours has no telephone"),
        ("/toAddress/phone", "ours has no telephone"),
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
    let quotes = response::quotes(body.as_bytes(), request::NONSTANDARD, Moment(0)).unwrap().value;
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
        let why = response::label(body.as_bytes()).unwrap_err();
        assert_eq!(why, format!("label {tracking}: the label is a PDF, not ZPL"), "the recorded image is one");
        let pdf = body.split_whitespace().find(|word| word.starts_with("JVBERi")).unwrap();
        let label = response::label(body.replace(pdf, "XlhBXkZEeF5GU15YWg==").as_bytes()).unwrap().value;
        assert_eq!(label.tracking.as_str(), tracking);
        assert_eq!(label.charged.unwrap().amount, charged.parse::<Decimal>().unwrap());
    }
}

#[test]
fn recorded_tracking_parses() {
    let name = "usps recorded_tracking_parses";
    let Some(body) = recorded::body(name, "usps/tracking.TrackingResponse.json") else { return };
    let Some(parsed) = recorded::json(name, "usps/tracking.ParsedTrackingResponse.json") else { return };
    let mut found = Vec::new();
    news(format!("[{body}]").as_bytes(), &mut found);
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
    let quotes = response::quotes(body.to_string().as_bytes(), request::MACHINABLE, ship_at).unwrap().value;
    assert_eq!(quotes.len(), 1, "presort alone is no price for a single parcel");
    assert_eq!((quotes[0].total, quotes[0].days), (usd("9.5"), Some(4)));
    assert_eq!(quotes[0].breakdown[1], ("Signature".into(), usd("1.5")));
    assert_eq!(quotes[0].chargeable_g, Some(1_815), "4 lb by volume, rounded up");
}

#[test]
fn the_machines_decide_the_category() {
    assert_eq!(request::category(500, Dims::new(100, 200, 50)), request::MACHINABLE);
    assert_eq!(request::category(500, Dims::new(60, 90, 10)), request::NONSTANDARD, "too small");
    assert_eq!(request::category(500, Dims::new(153, 77, 7)), request::MACHINABLE);
    for short in [Dims::new(152, 77, 7), Dims::new(153, 76, 7), Dims::new(153, 77, 6)] {
        assert_eq!(request::category(500, short), request::NONSTANDARD, "{short}: 6 × 3 × ¼ in are 152.4 × 76.2 × 6.35 mm");
    }
    assert_eq!(request::category(500, Dims::new(600, 90, 10)), request::NONSTANDARD, "too long");
    assert_eq!(request::category(12_000, Dims::new(300, 200, 100)), request::NONSTANDARD, "too heavy");
}

#[test]
fn small_label_and_tracking_bodies_parse() {
    let body = "--b\r\nContent-Disposition: form-data; name=\"labelMetadata\"\r\n\r\n{\"trackingNumber\":\"92\",\"postage\":5.25,\
                \"extraServices\":[{\"name\":\"x\",\"price\":0.5}]}\r\n--b\r\nContent-Disposition: form-data; filename=\"l.zpl\"; \
                name=\"labelImage\"\r\n\r\nXlhBXkZEeF5GU15YWg==\r\n--b--\r\n";
    let label = response::label(body.as_bytes()).unwrap().value;
    assert_eq!((label.charged, label.zpl.as_slice()), (Some(usd("5.75")), b"^XA^FDx^FS^XZ".as_slice()));
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
    news(body.to_string().as_bytes(), &mut found);
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
        let body = serde_json::to_value(request::label(&LabelRequest { to, ..label_request() }).unwrap()).unwrap();
        assert_eq!(body["toAddress"]["state"], "PR", "{country} {region}");
    }
}

/// A small answer of our own, in the form of the recorded ones.
fn small_tracking() -> Value {
    let scan = |code: &str, kind: &str, hour: u8| {
        json!({"eventCode": code, "eventType": kind, "eventTimestamp": format!("2024-11-22T{hour:02}:00:00"), "GMTOffset": "-05:00",
               "eventCity": "LECANTO", "eventState": "FL", "eventZIP": "34461"})
    };
    let item = |number: &str| {
        json!({"trackingNumber": number, "statusCategory": "Delivered",
               "trackingEvents": [scan("01", "Delivered", 12), scan("OF", "Out for Delivery", 9), scan("03", "USPS in possession of item", 7)]})
    };
    json!([item("A"), item("B")])
}

fn read_tracking(body: &Value) -> Result<mangled::Told, String> {
    let (mut found, mut skips) = (Vec::new(), Skips::default());
    tracking::tracking(body.to_string().as_bytes(), &mut found, &mut skips)?;
    Ok((found, skips.into_list()))
}

#[test]
fn no_field_of_a_tracking_answer_costs_more_than_its_event() {
    mangled::tracking(&small_tracking(), "", &["/trackingEvents"], read_tracking);
    let name = "usps no_field_of_a_tracking_answer_costs_more_than_its_event";
    let Some(recorded) = recorded::json(name, "usps/tracking.TrackingResponse.json") else { return };
    let mut other = recorded.clone();
    other["trackingNumber"] = json!("another");
    mangled::tracking(&json!([recorded, other]), "", &["/trackingEvents"], read_tracking);
}

#[test]
fn a_malformed_event_is_skipped_and_told() {
    let mut body = small_tracking();
    body[0]["trackingEvents"][1]["eventTimestamp"] = json!("");
    body[0]["trackingEvents"][0]["eventCity"] = json!(null);
    body[1]["trackingEvents"][2]["eventType"] = json!(null);
    let (found, told) = read_tracking(&body).unwrap();
    assert_eq!(found.iter().map(|t| t.events.len()).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(found[0].events[1].place, "FL 34461");
    assert_eq!((told.len(), told[0].about.as_deref(), told[0].whole), (1, Some("A"), true));
    assert_eq!(told[0].why, "event \"OF\" has no time that can be read: eventTimestamp is \"\", GMTTimestamp missing");
    // A letter that is no UTF-8 costs that letter.
    let latin = body.to_string().replace("LECANTO", "BOGOT\u{1}").into_bytes().into_iter().map(|b| if b == 1 { 0xc1 } else { b });
    let (mut found, mut skips) = (Vec::new(), Skips::default());
    tracking::tracking(&latin.collect::<Vec<u8>>(), &mut found, &mut skips).unwrap();
    assert_eq!(found[1].events[0].place, "BOGOT\u{fffd}, FL 34461");
}

fn rate_answers(name: &str) -> Vec<Value> {
    let rate = |class: &str, price: f64| {
        json!({"mailClass": class, "rateOptions": [{"commitment": {"name": "2 Days", "scheduleDeliveryDate": "2024-08-01"},
            "totalBasePrice": price, "totalPrice": price,
            "rates": [{"rateIndicator": "SP", "processingCategory": "MACHINABLE", "zone": "05", "weight": 2.5, "dimensionalWeight": 4}],
            "extraServices": [{"name": "Signature", "price": 1.5}]}]})
    };
    let small = json!({"pricingOptions": [{"shippingOptions": [rate("PRIORITY_MAIL", 9.5), rate("USPS_GROUND_ADVANTAGE", 7.0)]}]});
    [Some(small), recorded::json(name, "usps/rate.RateResponse.json")].into_iter().flatten().collect()
}

#[test]
fn no_field_of_a_price_answer_costs_more_than_its_price() {
    let ship_at = "2024-07-28T12:00:00Z".parse().unwrap();
    for body in rate_answers("usps no_field_of_a_price_answer_costs_more_than_its_price") {
        let read = |body: &Value| response::quotes(body.to_string().as_bytes(), request::MACHINABLE, ship_at);
        let whole = read(&body).unwrap();
        assert!(!whole.value.is_empty() && whole.skipped.is_empty(), "{whole:?}");
        mangled::each(&body, |path, changed| {
            let found = read(changed).unwrap_or_else(|why| panic!("{path}: {why}"));
            // Below a mail class, the others are as they were.
            let parts: Vec<&str> = path.split('/').collect();
            if parts.len() > 6 {
                let class = body.pointer(&parts[..5].join("/")).unwrap()["mailClass"].as_str().unwrap();
                for quote in whole.value.iter().filter(|q| q.service != class) {
                    assert!(found.value.contains(quote), "{path} cost the price of {}", quote.service);
                }
            }
            let removed = changed.pointer(path).is_none()
                || changed.pointer(path).is_some_and(|v| v == &json!([]))
                || parts.last().unwrap().parse::<usize>().is_ok();
            let renamed = ["mailClass", "rateIndicator"].contains(parts.last().unwrap());
            if found.value.len() < whole.value.len() && !removed && !renamed {
                assert!(found.skipped.iter().any(|s| s.whole), "{path} cost a price without a word: {changed}");
            }
        });
    }
}

#[test]
fn a_null_price_is_skipped_and_told_and_the_others_are_read() {
    let mut body = rate_answers("usps a_null_price_is_skipped_and_told").remove(0);
    let option = &mut body["pricingOptions"][0]["shippingOptions"][0]["rateOptions"][0];
    (option["totalPrice"], option["totalBasePrice"]) = (Value::Null, Value::Null);
    let read = response::quotes(body.to_string().as_bytes(), request::MACHINABLE, Moment(0)).unwrap();
    assert_eq!(read.value.iter().map(|q| q.service.as_str()).collect::<Vec<_>>(), ["USPS_GROUND_ADVANTAGE"]);
    assert_eq!(
        (read.skipped[0].about.as_deref(), read.skipped[0].why.as_str()),
        (Some("PRIORITY_MAIL"), "totalPrice is missing, totalBasePrice missing")
    );
}

#[test]
fn no_field_of_a_label_answer_but_number_and_image_is_needed() {
    let metadata = json!({"trackingNumber": "92", "postage": 5.25, "zone": "05", "extraServices": [{"name": "x", "price": 0.5}]});
    let body = |metadata: &Value, image: &str| {
        format!(
            "--b\r\nContent-Disposition: form-data; name=\"labelMetadata\"\r\n\r\n{metadata}\r\n--b\r\nContent-Disposition: form-data; \
                 name=\"labelImage\"\r\n\r\n{image}\r\n--b--\r\n"
        )
    };
    mangled::each(&metadata, |path, changed| {
        let read = response::label(body(changed, "XlhBXkZEeF5GU15YWg==").as_bytes());
        if path == "/trackingNumber" {
            return;
        }
        let label = read.unwrap_or_else(|why| panic!("{path}: {why}"));
        assert_eq!(label.value.tracking.as_str(), "92");
        assert!(label.value.charged.is_none_or(|m| m.amount != "5.25".parse().unwrap()) || path.starts_with("/extraServices"), "{path}");
    });
    let pdf = response::label(body(&metadata, "JVBERi0xLjQ=").as_bytes()).unwrap_err();
    assert_eq!(pdf, "label 92: the label is a PDF, not ZPL");
}

#[test]
fn no_error_body_is_lost_or_fatal() {
    let name = "usps no_error_body_is_lost_or_fatal";
    let ours = json!({"apiVersion": "v3", "error": {"code": "400", "message": "Bad Request", "errors": [{"title": "t", "detail": "d"}]}});
    let files = ["usps/tracking.ErrorResponse.json", "usps/tracking.AuthErrorResponse.json"];
    for body in [ours].into_iter().chain(files.iter().filter_map(|file| recorded::json(name, file))) {
        mangled::each(&body, |_, changed| {
            if let Some(complaint) = response::complaint(changed.to_string().as_bytes()) {
                assert!(!complaint.message.is_empty(), "{changed}");
            }
        });
    }
    if let Some(body) = recorded::json(name, "usps/authentication.LoginResponse.json") {
        mangled::each(&body, |path, changed| {
            assert!(response::access(changed.to_string().as_bytes()).is_ok() || path == "/access_token", "{path}");
        });
    }
}

#[test]
fn the_mailing_date_is_the_warehouses() {
    // 17:00 in Los Angeles is the next day in UTC; 23:30 in summer is the next day by the clock of winter, and 00:30 is not yet.
    for (ship_at, date) in [
        ("2026-11-10T01:00:00Z", "2026-11-09"),
        ("2026-07-10T06:30:00Z", "2026-07-09"),
        ("2026-07-10T07:30:00Z", "2026-07-10"),
        ("2026-11-10T07:30:00Z", "2026-11-09"),
    ] {
        let time_zone: twin::TimeZone = "America/Los_Angeles".parse().unwrap();
        let evening = LabelRequest { ship_at: ship_at.parse().unwrap(), time_zone: time_zone.clone(), ..label_request() };
        let body = serde_json::to_value(request::label(&evening).unwrap()).unwrap();
        assert_eq!(body["packageDescription"]["mailingDate"], date, "{ship_at}");
        let evening = QuoteRequest { ship_at: evening.ship_at, time_zone, ..quote_request() };
        let body = serde_json::to_value(request::options_search(&evening, &Payer::read("1")).unwrap()).unwrap();
        assert_eq!(body["packageDescription"]["mailingDate"], date, "{ship_at}");
    }
}

fn to(change: impl Fn(&mut Address)) -> LabelRequest {
    let mut request = label_request();
    change(&mut request.to);
    request
}

#[test]
fn an_address_is_spelt_as_usps_wants_it() {
    type Change = fn(&mut Address);
    let cases: [(Change, &str, &str); 16] = [
        (|a| a.region = "Texas".into(), "state", "TX"),
        (|a| a.region = "US-TX".into(), "state", "TX"),
        (|a| a.region = "tx".into(), "state", "TX"),
        (|a| (a.country, a.region) = ("PR".into(), "".into()), "state", "PR"),
        (|a| a.postcode = "787011234".into(), "ZIPCode", "78701"),
        (|a| a.postcode = "787011234".into(), "ZIPPlus4", "1234"),
        (|a| a.postcode = "78701-1234".into(), "ZIPPlus4", "1234"),
        (|a| a.street2 = "Floor 7".into(), "secondaryAddress", "Floor 7"),
        (|a| a.street2 = "Floor 7".into(), "streetAddress", "1309 S Agnew Avenue, Apt 303"),
        (|a| a.street = "12, High Street".into(), "streetAddress", "12, High Street"),
        (|a| a.street = "1 The Boulevard Of All The Very Long Named Heroes Of The West 77".into(), "secondaryAddress", "Of The West 77"),
        (|a| a.company = "Acme Ltd".into(), "firm", "Acme Ltd"),
        (|a| a.company = "Acme Ltd".into(), "lastName", "Smith"),
        (|a| (a.name, a.company) = ("".into(), "Acme Ltd".into()), "firm", "Acme Ltd"),
        (|a| a.name = "Maria Anna Theresia Josefa Elisabeth Antonia Walburga von Sachsen".into(), "firstName", "Maria Anna Theresia"),
        (|a| a.phone = "+1 (555) 625-1199".into(), "phone", "15556251199"),
    ];
    for (change, field, expected) in cases {
        let request = to(change);
        let body = serde_json::to_value(request::label(&request).unwrap_or_else(|unfit| panic!("{field}: {unfit}"))).unwrap();
        assert_eq!(body["toAddress"][field], expected, "{field} of {:?}", request.to);
    }
}

#[test]
fn what_usps_would_refuse_is_named_and_not_sent() {
    type Change = fn(&mut LabelRequest);
    let cases: [(Change, &str); 12] = [
        (|r| r.to.region = "Ontario".into(), "to.region"),
        (|r| r.to.postcode = "ABCDE".into(), "to.postcode"),
        (|r| r.to.postcode = "7030".into(), "to.postcode"),
        (|r| r.to.city = "X".repeat(29).into(), "to.city"),
        (|r| r.to.city = " ".into(), "to.city"),
        (|r| r.to.street = "".into(), "to.street"),
        (|r| r.to.street = "12 Long Street ".repeat(9).into(), "to.street"),
        (|r| r.to.name = "".into(), "to.name"),
        (|r| r.to.name = "X".repeat(51).into(), "to.name"),
        (|r| r.to.company = "X".repeat(51).into(), "to.company"),
        (|r| r.weight_g = 0, "weight_g"),
        (|r| r.dims = Dims::new(200, 0, 50), "dims"),
    ];
    for (change, field) in cases {
        let mut request = label_request();
        change(&mut request);
        let unfit = request::label(&request).err().unwrap_or_else(|| panic!("{field} is sent"));
        assert_eq!(unfit.field, field, "{unfit}");
    }
}

#[test]
fn batteries_and_customs_are_declared() {
    let body = |request: &LabelRequest| serde_json::to_value(request::label(request).unwrap()).unwrap();
    let plain = body(&label_request());
    assert!(plain.get("customsForm").is_none() && plain["packageDescription"].get("extraServices").is_none());
    let battery = body(&LabelRequest { battery: true, ..label_request() });
    assert_eq!(battery["packageDescription"]["extraServices"], json!([820]));
    assert_eq!(battery["packageDescription"]["packageOptions"]["contentType"], "HAZMAT");
    for (state, zip) in [("AE", "09014"), ("AP", "96350"), ("GU", "96910"), ("AS", "96799"), ("MP", "96950")] {
        let request = to(|a| (a.region, a.postcode) = (state.into(), zip.into()));
        let form = &body(&request)["customsForm"];
        assert_eq!(form["customsContentType"], "MERCHANDISE", "{state}");
        assert_eq!(form["contents"][0]["itemDescription"], "books");
        assert_eq!(form["contents"][0]["itemTotalValue"], 10);
        let gift = LabelRequest { contents: "Gift".into(), ..request.clone() };
        assert_eq!(request::label(&gift).err().unwrap().field, "contents");
        let euros = LabelRequest { value: Money::new(Decimal::TEN, Currency::EUR), ..request };
        assert_eq!(request::label(&euros).err().unwrap().field, "value");
    }
    assert!(body(&to(|a| (a.country, a.region, a.postcode) = ("PR".into(), "".into(), "00901".into()))).get("customsForm").is_none());
}

/// Version 4 in form, whatever the key; one ask is one UUID, and two customers' parcels of one number are two.
#[test]
fn a_purchase_has_a_uuid_of_its_own() {
    let request = label_request();
    let uuid = request::idempotency_key(&request);
    let groups: Vec<&str> = uuid.split('-').collect();
    assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{uuid}");
    assert!(groups[2].starts_with('4') && groups[3].starts_with(['8', '9', 'a', 'b']), "{uuid}");
    assert!(uuid.bytes().all(|b| b == b'-' || b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{uuid}");
    let later = LabelRequest { ship_at: request.ship_at + twin::Span::from_hours(24), weight_g: 7, ..request.clone() };
    assert_eq!(request::idempotency_key(&later), uuid, "asked again a day later it is the same purchase");
    for other in [
        LabelRequest { key: "AMA-1-1/label2".into(), ..request.clone() },
        LabelRequest { parcel: "#Order 11112".into(), ..request.clone() },
        LabelRequest { to: Address { street: "1310 S Agnew Avenue".into(), ..request.to.clone() }, ..request.clone() },
    ] {
        assert_ne!(request::idempotency_key(&other), uuid);
    }
}

/// The examples of the description (3.9.13) for `DELETE /label/{trackingNumber}`.
#[test]
fn refusals_to_give_back_are_told_apart() {
    let refused = |status, detail: &str| {
        let body = json!({"apiVersion": "/labels/v3", "error": {"code": "400", "message": "Bad Request", "errors": [
            {"title": "Bad Request", "detail": detail, "code": "00000XX", "source": {"parameter": "trackingNumber"}}]}});
        let complaint = response::complaint(body.to_string().as_bytes()).unwrap();
        CarrierError::Refused { carrier: "usps".into(), status, code: complaint.code, message: complaint.message }
    };
    let told = |error: &CarrierError| (response::is_given_back(error), response::is_unknown(error));
    assert_eq!(told(&refused(400, "A refund request for this order has already been submitted today")), (true, false));
    assert_eq!(told(&refused(400, "Order not found")), (false, true));
    assert_eq!(told(&refused(404, "gone")), (false, true));
    assert_eq!(told(&refused(400, "A refund request for this order cannot be submitted")), (false, false));
    assert_eq!(told(&refused(500, "Order not found")), (false, false), "what fails may say anything");
}

#[test]
fn a_label_answer_without_number_label_or_sense_is_not_taken() {
    let answer = |number: Value, postage: Value, extra: Value, image: &str| {
        let metadata = json!({"trackingNumber": number, "postage": postage, "extraServices": [{"name": "x", "price": extra}]});
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"labelMetadata\"\r\n\r\n{metadata}\r\n--b\r\nContent-Disposition: form-data; \
             name=\"labelImage\"\r\n\r\n{image}\r\n--b--\r\n"
        );
        response::label(body.as_bytes())
    };
    const ZPL: &str = "XlhBXkZEeF5GU15YWg==";
    for blank in [json!(""), json!("  "), json!("92\n61")] {
        assert!(answer(blank.clone(), json!(5), json!(0), ZPL).unwrap_err().contains("which is no number"), "{blank}");
    }
    assert_eq!(answer(json!("92"), json!(5), json!(0), "").unwrap_err(), "label 92: the label is empty");
    let max = json!("79228162514264337593543950335");
    for (postage, extra) in
        [(json!("-99999999999999999999.99"), json!(0)), (json!(-0.01), json!(0)), (json!(5), json!(-6)), (max.clone(), max)]
    {
        let label = answer(json!("92"), postage.clone(), extra, ZPL).unwrap();
        assert_eq!((label.value.charged, label.skipped.len()), (None, 1), "{postage}");
        assert_eq!(label.skipped[0].about.as_deref(), Some("92"));
    }
}

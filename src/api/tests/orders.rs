//! Orders in: one, many, faulty, twice, too many; and cancelled.

use super::{Edge, order, post};
use crate::api::limits::{BODY_BYTES_MAX, ORDERS_PER_REQUEST_MAX};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

const ORDERS: &str = "/api/v1/orders";

#[tokio::test]
async fn one_order_or_many_in_any_of_the_three_shapes() {
    let edge = Edge::open().await;
    let one = edge.post(ORDERS, &order("A-1")).await;
    assert_eq!((one.status, one.json()), (StatusCode::CREATED, json!({"orders": [{"id": "A-1@amazon:s1", "outcome": "accepted"}]})));
    let list = edge.post(ORDERS, &json!([order("A-1"), order("A-2")])).await;
    assert_eq!(list.status, StatusCode::CREATED);
    assert_eq!(list.json()["orders"], json!([{"id": "A-1@amazon:s1", "outcome": "known"}, {"id": "A-2@amazon:s1", "outcome": "accepted"}]));
    let named = edge.post(ORDERS, &json!({"orders": [order("A-2")]})).await;
    assert_eq!((named.status, &named.json()["orders"][0]["outcome"]), (StatusCode::OK, &json!("known")));
    edge.until("/api/v1/orders/A-2", |o| o["parts"][0]["decision"]["channel"] == "test/ground").await;
}

#[tokio::test]
async fn a_key_gives_the_same_answer_and_guards_against_another_body() {
    let edge = Edge::open().await;
    let keyed = |body: &Value| {
        let mut request = post(ORDERS, body);
        request.headers_mut().insert("idempotency-key", "k-1".parse().unwrap());
        request
    };
    let (one, other) = tokio::join!(edge.ask(keyed(&order("A-1"))), edge.ask(keyed(&order("A-1"))));
    let (first, racing) = if one.status == StatusCode::CREATED { (one, other) } else { (other, one) };
    assert_eq!((first.status, racing.status), (StatusCode::CREATED, StatusCode::CONFLICT), "one was still under way: {racing:?}");
    let again = edge.ask(keyed(&order("A-1"))).await;
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert!(!first.headers.contains_key("idempotent-replayed"));
    let other = edge.ask(keyed(&order("A-2"))).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(other.json()["type"], "urn:parceltwin:problem:key-reused");
    assert_eq!(edge.get("/api/v1/orders/A-2").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_fault_names_its_field_and_nothing_is_accepted() {
    let edge = Edge::open().await;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut faulty = order("B-4");
        change(&mut faulty);
        let good = (1..=3).map(|n| order(&format!("B-{n}")));
        Value::Array(good.chain([faulty]).collect())
    };
    type Change<'a> = &'a dyn Fn(&mut Value);
    let cases: [(&str, Change); 11] = [
        ("orders[3].id", &|o| o["id"] = json!("a/b")),
        ("orders[3].id", &|o| o["id"] = json!(".")),
        ("orders[3].id", &|o| o["id"] = json!("..")),
        ("orders[3].lines[0].quantity", &|o| o["lines"][0]["quantity"] = json!(0)),
        ("orders[3].lines[0].quantity", &|o| o["lines"][0]["quantity"] = json!("two")),
        ("orders[3].lines[0].unit_price.amount", &|o| o["lines"][0]["unit_price"]["amount"] = json!("1,50")),
        ("orders[3].lines[0].unit_price.currency", &|o| o["lines"][0]["unit_price"]["currency"] = json!("ZZZ")),
        ("orders[3].placed_at", &|o| o["placed_at"] = json!("yesterday")),
        ("orders[3].is_paid", &|o| o["is_paid"] = json!(false)),
        ("orders[3].ship_to.street", &|o| o["ship_to"]["street"] = json!("x".repeat(201))),
        ("orders[3].lines[1].unit_price", &|o| {
            let mut euro = o["lines"][0].clone();
            euro["unit_price"]["currency"] = json!("EUR");
            o["lines"].as_array_mut().unwrap().push(euro);
        }),
    ];
    for (field, change) in cases {
        let answer = edge.post(ORDERS, &with(change)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer:?}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!(answer.json()["errors"][0]["field"], field, "{answer:?}");
    }
    let mut alone = order("B-1");
    alone["lines"][0]["quantity"] = json!(0);
    let answer = edge.post(ORDERS, &alone).await;
    assert_eq!(answer.json()["errors"], json!([{"field": "lines[0].quantity", "detail": "0 of A-17; 1 to 10000 are accepted"}]));
    assert_eq!(edge.site.house.twin.board().stages(twin::Kind::Order).count(), 0, "nothing was accepted");
}

#[tokio::test]
async fn several_faults_are_told_together() {
    let edge = Edge::open().await;
    let mut faulty = order("B 1");
    (faulty["lines"][0]["quantity"], faulty["placed_at"], faulty["ship_to"]["zip"]) = (json!(0), json!("yesterday"), json!("1"));
    let answer = edge.post(ORDERS, &faulty).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let errors = answer.json()["errors"].clone();
    let mut told: Vec<&str> = errors.as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    told.sort_unstable();
    assert_eq!(told, ["id", "lines[0].quantity", "placed_at", "ship_to.zip"], "{answer:?}");
    assert!(answer.json()["detail"].as_str().unwrap().starts_with("4 faulty fields"), "{answer:?}");
}

#[tokio::test]
async fn what_does_not_exist_is_404_whatever_the_method() {
    let edge = Edge::open().await;
    for (path, status) in [
        ("/api/v1/order", StatusCode::NOT_FOUND),
        ("/api/v1/unicorns/X", StatusCode::NOT_FOUND),
        ("/api/v1/order/A-1/cancel", StatusCode::NOT_FOUND),
        ("/api/v2/orders", StatusCode::NOT_FOUND),
        ("/nowhere", StatusCode::NOT_FOUND),
        ("/api/v1/stations/SZX/line-1", StatusCode::METHOD_NOT_ALLOWED),
        ("/api/v1/orders/A-1", StatusCode::METHOD_NOT_ALLOWED),
        ("/api/v1/board", StatusCode::METHOD_NOT_ALLOWED),
        ("/healthz", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let answer = edge.post(path, &json!({})).await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
}

#[tokio::test]
async fn an_amount_is_digits_and_a_point() {
    let edge = Edge::open().await;
    let ask = async |n: usize, amount: &str| {
        let mut order = order(&format!("M-{n}"));
        order["lines"][0]["unit_price"]["amount"] = json!(amount);
        edge.post(ORDERS, &order).await
    };
    for (n, good) in ["5", "0", "007.50", "7.79", "999999999.999999999"].into_iter().enumerate() {
        assert_eq!(ask(n, good).await.status, StatusCode::CREATED, "{good}");
    }
    for bad in [
        "1_000",
        "1e3",
        "1E3",
        "+5",
        "-5",
        "-0",
        ".5",
        "5.",
        " 5",
        "5 ",
        "1,50",
        "1.2.3",
        "",
        ".",
        "٣",
        "0x1",
        "12345678901",
        "1.0000000000",
    ] {
        let answer = ask(99, bad).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad:?}");
        assert_eq!(answer.json()["errors"][0]["field"], "lines[0].unit_price.amount", "{bad:?}");
    }
}

#[tokio::test]
async fn limits_are_named() {
    let edge = Edge::open().await;
    let many: Vec<_> = (0..=ORDERS_PER_REQUEST_MAX).map(|n| order(&format!("C-{n}"))).collect();
    let answer = edge.post(ORDERS, &Value::Array(many)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.text.contains("at most 1000"), "{answer:?}");
    let big = Request::post(ORDERS).header("content-type", "application/json").body(Body::from(vec![b' '; BODY_BYTES_MAX + 1])).unwrap();
    let answer = edge.ask(big).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.text.contains("8388608"), "{answer:?}");
    let form = Request::post(ORDERS).header("content-type", "text/plain").body(Body::from(order("C").to_string())).unwrap();
    assert_eq!(edge.ask(form).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(edge.post(ORDERS, &json!([])).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(edge.post(ORDERS, &json!(7)).await.status, StatusCode::BAD_REQUEST);
    let all = edge.api.gate.take_all_requests();
    let answer = edge.post(ORDERS, &order("C-1")).await;
    assert_eq!((answer.status, &answer.headers["retry-after"]), (StatusCode::TOO_MANY_REQUESTS, &"1".parse().unwrap()));
    assert_eq!(edge.get("/readyz").await.status, StatusCode::OK, "health is never refused");
    drop(all);
    assert_eq!(edge.post(ORDERS, &order("C-1")).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_cancellation_is_kept_or_refused_with_both_states() {
    let edge = Edge::open().await;
    let reason = json!({"reason": "buyer changed their mind"});
    assert_eq!(edge.post("/api/v1/orders/D-1/cancel", &reason).await.status, StatusCode::NOT_FOUND);
    edge.post(ORDERS, &order("D-1")).await;
    let empty = edge.post("/api/v1/orders/D-1/cancel", &json!({"reason": ""})).await;
    assert_eq!(empty.json()["errors"][0]["field"], "reason");
    for _ in 0..2 {
        let answer = edge.post("/api/v1/orders/D-1/cancel", &reason).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({"id": "D-1@amazon:s1", "stage": "cancelled"})));
    }
    edge.until("/api/v1/orders/D-1", |o| o["stage"] == "cancelled").await;
    edge.post(ORDERS, &order("D-2")).await;
    edge.until("/api/v1/parcels/D-2-1", |p| p["stage"] == "labelled").await;
    edge.hand_over("D-2-1");
    edge.until("/api/v1/orders/D-2", |o| o["stage"] == "shipped").await;
    let refused = edge.post("/api/v1/orders/D-2/cancel", &reason).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("it is handed over") && detail.contains("wants it not yet judged"), "{detail}");
}

#[tokio::test]
async fn who_a_buyer_is_is_forgotten_for_ever_once_nobody_needs_it() {
    let edge = Edge::open().await;
    assert_eq!(edge.post("/api/v1/orders/F-1/forget", &json!({})).await.status, StatusCode::NOT_FOUND);
    edge.post(ORDERS, &order("F-1")).await;
    edge.until("/api/v1/parcels/F-1-1", |p| p["stage"] == "labelled").await;
    let shown = edge.get("/api/v1/orders/F-1").await.json();
    assert_eq!((&shown["ship_to"]["name"], &shown["ship_to"]["postcode"]), (&json!("Ann"), &json!("90210")));
    assert_eq!(edge.get("/api/v1/parcels/F-1-1").await.json()["plan"]["ship_to"]["name"], "Ann");
    let early = edge.post("/api/v1/orders/F-1/forget", &json!({})).await;
    assert_eq!(early.status, StatusCode::CONFLICT, "it has not left: {early:?}");
    assert_eq!(edge.get("/api/v1/parcels/F-1-1/label").await.status, StatusCode::OK);
    edge.post("/api/v1/orders/F-1/cancel", &json!({"reason": "test"})).await;
    for _ in 0..2 {
        let answer = edge.post("/api/v1/orders/F-1/forget", &json!({})).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({"id": "F-1@amazon:s1", "forgotten": true})));
    }
    let shown = edge.get("/api/v1/orders/F-1").await.json();
    assert_eq!(shown["ship_to"], json!({"country": "US", "region": "CA", "postcode": "90210", "erased": true}));
    assert_eq!(edge.get("/api/v1/parcels/F-1-1").await.json()["plan"]["ship_to"]["erased"], true);
    assert_eq!(edge.get("/api/v1/parcels/F-1-1/label").await.status, StatusCode::GONE);
    let forgotten =
        edge.site.house.twin.records(0).map(|r| serde_json::to_value(r.unwrap()).unwrap()).find(|r| r["event"]["order"] == "forgotten");
    assert_eq!(forgotten.expect("it stands in the journal")["by"], json!({"api_key": "api"}));
}

//! Every operation answers as the API's description says: its statuses, its media types, its patterns. The operations are
//! read from the description, so a new one is tried too.

use super::{Edge, order};
use crate::api::docs::Description;
use crate::api::limits::BODY_BYTES_MAX;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use utoipa::OpenApi;

/// Ids as people, programs and attackers write them.
const IDS: [&str; 9] = ["A-1", "A-1-1", "none", "SZX", "..", "%2e", "%FF", "a%00b", "SZX%2Fline-1"];
const QUERIES: [&str; 13] = [
    "",
    "?history=true",
    "?history=perhaps",
    "?tracking=T1",
    "?tracking=none",
    "?after=0",
    "?after=99999999",
    "?entity=ship/1",
    "?q=ann%22%20OR",
    "?q=%00&kind=ship",
    "?stage=created&limit=1&from=2026-11-25&at_least=1",
    "?limit=0",
    "?at_least=99999999&q=ann",
];
const HEADERS: [(&str, &str); 8] = [
    ("accept", "*/*"),
    ("host", "evil.example"),
    ("host", "evil example"),
    ("origin", "null"),
    ("idempotency-key", ""),
    ("idempotency-key", "once"),
    ("last-event-id", "x"),
    ("content-type", "text/plain"),
];

fn bodies() -> Vec<String> {
    let mut faulty = order("F-1");
    faulty["lines"][0]["unit_price"]["amount"] = json!("1_000");
    let texts = [
        order("A-2"),
        faulty,
        json!({}),
        json!([]),
        json!(7),
        json!({"reason": ""}),
        json!({"reason": "x".repeat(201)}),
        json!({"reason": "no"}),
        json!({"weight_g": 1, "length_mm": 1, "width_mm": 1, "height_mm": 1}),
        json!({"components": [{"sku": "A-17", "quantity": 1}]}),
        json!({"components": [{"sku": "none", "quantity": 1}]}),
        json!({"name": "Somebody", "shops": []}),
        json!({"products": [{"sku": "A"}], "maps": []}),
    ];
    texts.iter().map(Value::to_string).chain(["".into(), "{".into(), " ".repeat(BODY_BYTES_MAX + 1)]).collect()
}

#[tokio::test]
async fn every_answer_is_described() {
    let edge = Edge::open().await;
    edge.post("/api/v1/orders", &order("A-1")).await;
    edge.until("/api/v1/parcels?tracking=T1", |_| true).await;
    let description = serde_json::to_value(Description::openapi()).unwrap();
    let mut asked = 0;
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let ids = if path.contains('{') { &IDS[..] } else { &[""] };
            let bodies = if has_body(method) { bodies() } else { vec![String::new()] };
            for id in ids {
                for query in QUERIES {
                    let at =
                        ["{id}", "{owner}", "{sku}", "{shop}", "{platform}"].iter().fold(path.clone(), |at, part| at.replace(part, id));
                    let at = at.replace("{noun}", "stations") + query;
                    // What is wrong with headers and bodies is tried once for each id, not for each query too.
                    let headers = if query.is_empty() { &HEADERS[..] } else { &HEADERS[..1] };
                    let bodies = if query.is_empty() { &bodies[..] } else { &bodies[..1] };
                    for (header, body) in headers.iter().flat_map(|h| bodies.iter().map(move |b| (h, b))) {
                        check(&edge, method, &at, *header, body, operation).await;
                        asked += 1;
                    }
                }
            }
        }
    }
    assert!(asked > 500, "{asked} questions");
}

fn has_body(method: &str) -> bool {
    matches!(method, "post" | "put")
}

async fn check(edge: &Edge, method: &str, at: &str, (name, value): (&str, &str), body: &str, operation: &Value) {
    let mut request = Request::builder().method(method.to_uppercase().as_str()).uri(at);
    if has_body(method) && name != "content-type" {
        request = request.header("content-type", "application/json");
    }
    let request = request.header(name, value).body(Body::from(body.to_owned())).unwrap();
    // The head alone: a stream of events has no end.
    let answer = edge.answer(request).await;
    let status = answer.status().as_u16().to_string();
    let shown = format!("{method} {at} with {name}: {value} and {:?}", &body[..body.len().min(80)]);
    let described = &operation["responses"][&status];
    assert!(described.is_object(), "{shown} is answered with {status}, which is not described");
    let media = answer.headers()["content-type"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert!(described["content"][&media].is_object(), "{shown}: {status} is {media}, described is {}", described["content"]);
}

#[tokio::test]
async fn what_is_read_is_what_is_described() {
    let description = serde_json::to_value(Description::openapi()).unwrap();
    let field = |form: &str, name: &str| description["components"]["schemas"][form]["properties"][name].clone();
    assert_eq!(field("MoneyForm", "amount")["pattern"], r"^[0-9]{1,10}(\.[0-9]{1,9})?$");
    assert_eq!(field("OrderForm", "id")["pattern"], r"^\.*[!-\-0->@-~][!-.0->@-~]*$");
    assert_eq!((&field("Cancellation", "reason")["minLength"], &field("Cancellation", "reason")["maxLength"]), (&json!(1), &json!(200)));
    let edge = Edge::open().await;
    // As many characters as described, of three bytes each.
    let mut wide = order("W-1");
    wide["ship_to"]["street"] = json!("街".repeat(200));
    wide["shop"] = json!("店".repeat(64));
    assert_eq!(edge.post("/api/v1/orders", &wide).await.status, 201);
    let reason = json!({"reason": "因".repeat(200)});
    assert_eq!(edge.post("/api/v1/orders/W-1/cancel", &reason).await.status, 200);
}

//! What customs are told of parcels that go abroad.

use super::{Edge, order};
use axum::http::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn a_parcel_that_goes_abroad_is_declared_and_what_is_missing_is_named() {
    let edge = Edge::open().await;
    edge.post("/api/v1/orders", &order("A-1")).await;
    let declared = edge.until("/api/v1/declarations/A-1-1", |d| d["stage"] == "lodged").await;
    let draft = &declared["draft"];
    assert_eq!(
        [&draft["from"], &draft["to"], &draft["purpose"], &draft["currency"]],
        [&json!("CN"), &json!("US"), &json!("sale"), &json!("USD")]
    );
    let goods = &draft["goods"][0];
    assert_eq!(
        [&goods["sku"], &goods["description"], &goods["quantity"], &goods["unit_value"]],
        [&json!("A-17"), &json!("toys"), &json!(2), &json!("7.79")]
    );
    assert_eq!(declared["missing"], json!([{ "hs_code": { "line": 1 } }, { "origin": { "line": 1 } }]), "nothing is made up");
    assert_eq!(declared["tracking"], "T1");
    assert_eq!(edge.contents(), ["toys × 2"], "the label has the declaration's words");
    let records = edge.get("/api/v1/board").await.json()["records"].as_u64().unwrap();
    let of_record = |history: &Value, event: &str| {
        let found = history.as_array().unwrap().iter().find(|r| r["event"].as_object().unwrap().values().any(|e| e.get(event).is_some()));
        found.unwrap_or_else(|| panic!("no {event}: {history}"))["at"].clone()
    };
    let parcel = edge.get("/api/v1/parcels/A-1-1?history=true").await.json();
    let history = edge.get("/api/v1/declarations/A-1-1?history=true").await.json();
    assert_eq!(of_record(&parcel["history"], "created"), of_record(&history["history"], "drafted"), "in one work");
    assert_eq!(of_record(&parcel["history"], "label_bought"), of_record(&history["history"], "lodged"));
    assert!(records >= 8);
}

#[tokio::test]
async fn a_parcel_that_stays_at_home_is_not() {
    let edge = Edge::open().await;
    let mut home = order("A-1");
    home["ship_to"] =
        json!({ "name": "王小明", "street": "1 Road", "city": "Shenzhen", "region": "GD", "postcode": "518000", "country": "CN" });
    edge.post("/api/v1/orders", &home).await;
    edge.until("/api/v1/parcels/A-1-1", |p| p["stage"] == "labelled").await;
    assert_eq!(edge.get("/api/v1/declarations/A-1-1").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn with_its_parcel_it_is_withdrawn() {
    let edge = Edge::open().await;
    edge.post("/api/v1/orders", &order("A-1")).await;
    edge.until("/api/v1/declarations/A-1-1", |d| d["stage"] == "lodged").await;
    edge.post("/api/v1/orders/A-1/cancel", &json!({ "reason": "changed their mind" })).await;
    edge.until("/api/v1/declarations/A-1-1", |d| d["stage"] == "withdrawn").await;
}

/// What customs want and nobody had told is told of the product, and a parcel that is made anew has it.
#[tokio::test]
async fn what_is_missing_is_told_and_the_next_parcel_of_the_order_has_it() {
    let edge = Edge::open().await;
    edge.post("/api/v1/orders", &order("A-1")).await;
    edge.until("/api/v1/declarations/A-1-1", |d| d["missing"] != json!([])).await;
    let facts = json!({
        "weight_g": 250, "length_mm": 100, "width_mm": 80, "height_mm": 50, "category": "toys", "hs_code": "950300", "origin": "CN",
        "description": "wooden train",
    });
    edge.post("/api/v1/products", &json!({"products": [{"owner": "own", "sku": "A-17", "facts": facts}]})).await;
    edge.until("/api/v1/products/own/A-17", |p| p["facts"]["hs_code"] == "950300").await;
    edge.put_right(json!({"do": "take_apart", "parcel": "A-1-1"})).await;
    let declared = edge.until("/api/v1/declarations/A-1-2", |d| d["stage"] == "lodged").await;
    let goods = &declared["draft"]["goods"][0];
    assert_eq!((&declared["missing"], &goods["hs_code"], &goods["origin"]), (&json!([]), &json!("950300"), &json!("CN")));
    assert_eq!((&goods["description"], &goods["weight_g"]), (&json!("toys"), &json!(200)), "what was known is kept");
}

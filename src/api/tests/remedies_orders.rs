//! What people put right about orders, over the API: each has a test that an order which waits goes on by it, and that the same again
//! is harmless.

use super::remedies::asked;
use super::{Edge, order, post};
use axum::http::StatusCode;
use serde_json::{Value, json};

const ALLOCATED: fn(&Value) -> bool = |o| o["stage"] == "allocated";

impl Edge {
    /// One that must be done; what is said of it.
    async fn note(&self, remedy: Value) -> String {
        let answer = self.remedy(remedy.clone()).await;
        assert_eq!(answer.status, StatusCode::OK, "{remedy}: {}", answer.text);
        answer.json()["note"].as_str().unwrap().to_owned()
    }

    /// One that cannot be done; why not.
    async fn not_done(&self, remedy: Value) -> String {
        let answer = self.remedy(remedy.clone()).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{remedy}: {}", answer.text);
        answer.json()["detail"].as_str().unwrap().to_owned()
    }

    /// Who did what last with an order, by its event's name.
    async fn by_whom(&self, order: &str, event: &str) -> (Value, Value) {
        let history = self.get(&format!("/api/v1/orders/{order}?history=true")).await.json();
        let records = history["history"].as_array().unwrap();
        let record = records.iter().rfind(|r| r["event"]["order"][event].is_object());
        let record = record.unwrap_or_else(|| panic!("{event} is not in {records:#?}"));
        (record["by"].clone(), record["event"]["order"][event]["why"].clone())
    }
}

fn li_wei() -> (Value, Value) {
    (json!({"person": "Li Wei"}), json!("the buyer asked"))
}

#[tokio::test]
async fn an_order_is_held_and_let_go_by_a_person() {
    let edge = Edge::open().await;
    edge.post("/api/v1/orders", &order("A-1")).await;
    edge.until("/api/v1/parcels/A-1-1", |p| p["stage"] == "labelled").await;
    for _ in 0..2 {
        assert_eq!(edge.put_right(json!({"do": "hold_order", "order": "A-1"})).await, "held");
    }
    assert_eq!(edge.get("/api/v1/parcels/A-1-1").await.json()["stage"], "cancelled", "it is taken back");
    let held = edge.get("/api/v1/orders/A-1").await.json();
    assert_eq!((&held["holds"]["manual"], &held["remedies"]["manual"][0]), (&json!("the buyer asked"), &json!("release_order")));
    edge.site.count(vec![super::counted(2_000)]);
    assert_eq!(edge.note(json!({"do": "release_order", "order": "A-1"})).await, "", "it goes on");
    assert_eq!(edge.by_whom("A-1", "hold_cleared").await, li_wei());
    edge.until("/api/v1/parcels/A-1-2", |p| p["stage"] == "labelled").await;
    edge.note(json!({"do": "release_order", "order": "A-1"})).await;
    edge.hand_over("A-1-2");
    edge.until("/api/v1/parcels/A-1-2", |p| p["stage"] == "handed_over").await;
    let why = edge.not_done(json!({"do": "hold_order", "order": "A-1"})).await;
    assert!(why.contains("handed over") && why.contains("A-1-2"), "{why}");
    edge.post("/api/v1/orders", &order("A-2")).await;
    edge.put_right(json!({"do": "cancel_order", "order": "A-2"})).await;
    for remedy in ["hold_order", "release_order"] {
        assert!(edge.not_done(json!({"do": remedy, "order": "A-2"})).await.contains("it is cancelled"));
    }
}

#[tokio::test]
async fn what_only_checks_can_clear_is_held_again_and_that_is_said() {
    let edge = Edge::open().await;
    let mut many = order("A-1");
    many["lines"][0]["quantity"] = 5_000.into();
    edge.post("/api/v1/orders", &many).await;
    edge.until("/api/v1/orders/A-1", |o| o["holds"]["no_stock"].is_string()).await;
    let note = edge.note(json!({"do": "release_order", "order": "A-1"})).await;
    assert_eq!(note, "it is held now, no stock: SZX: short of A-17: 1000 of 5000 (release_order or cancel_order)");
}

#[tokio::test]
async fn an_unpaid_order_goes_on_when_a_person_says_that_it_is_paid() {
    let edge = Edge::open().await;
    let mut unpaid = order("A-1");
    unpaid["paid"] = false.into();
    edge.post("/api/v1/orders", &unpaid).await;
    let why = edge.not_done(json!({"do": "release_order", "order": "A-1"})).await;
    assert!(why.ends_with("unpaid: the platform does not say that it is paid (mark_paid ends that)"), "{why}");
    for _ in 0..2 {
        assert_eq!(edge.note(json!({"do": "mark_paid", "order": "A-1"})).await, "");
    }
    edge.until("/api/v1/orders/A-1", ALLOCATED).await;
    assert_eq!(edge.by_whom("A-1", "paid").await, li_wei());
    let again = edge.post("/api/v1/orders", &unpaid).await.json();
    assert_eq!(again["orders"][0]["outcome"], "known");
    assert_eq!(edge.get("/api/v1/orders/A-1").await.json()["stage"], "allocated");
}

#[tokio::test]
async fn an_address_is_put_right_and_stays_so() {
    let edge = Edge::open().await;
    let mut wrong = order("A-1");
    wrong["ship_to"]["postcode"] = "9021".into();
    edge.post("/api/v1/orders", &wrong).await;
    edge.until("/api/v1/orders/A-1", |o| o["holds"]["address_invalid"].is_string()).await;
    let put = |fields: Value| {
        let mut remedy = json!({"do": "put_address_right", "order": "A-1"});
        remedy.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        remedy
    };
    let why = edge.not_done(json!({"do": "release_order", "order": "A-1"})).await;
    assert!(why.contains("put_address_right ends that"), "{why}");
    let why = edge.not_done(put(json!({"postcode": "902"}))).await;
    assert!(why.contains("postcode") && why.contains("902"), "{why}");
    for (fields, says) in [(json!({}), "names no field"), (json!({"city": "x".repeat(201)}), "201 characters")] {
        let answer = edge.remedy(put(fields)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.text.contains(says), "{}", answer.text);
    }
    assert_eq!(edge.post("/api/v1/remedies", &asked(put(json!({"zip": "90210"})))).await.status, StatusCode::BAD_REQUEST);
    for _ in 0..2 {
        assert_eq!(edge.note(put(json!({"postcode": "90210", "street": "2 Side St"}))).await, "");
    }
    let order = edge.until("/api/v1/orders/A-1", ALLOCATED).await;
    assert_eq!((&order["ship_to"]["postcode"], &order["ship_to"]["street"]), (&json!("90210"), &json!("2 Side St")), "{order:#}");
    assert_eq!(edge.by_whom("A-1", "address_put").await, li_wei());
    assert!(!edge.get("/api/v1/orders/A-1?history=true").await.json()["history"].to_string().contains("2 Side St"), "no record says it");
    let again = edge.ask(post("/api/v1/orders", &wrong)).await.json();
    assert_eq!(again["orders"][0]["outcome"], "known");
    // Its parcel is made anew for another address, as long as no bench has begun with it.
    edge.until("/api/v1/parcels/A-1-1", |p| p["stage"] == "labelled").await;
    edge.note(put(json!({"street": "3 Side St"}))).await;
    edge.until("/api/v1/parcels/A-1-2", |p| p["stage"] == "labelled").await;
    edge.hand_over("A-1-2");
    edge.until("/api/v1/parcels/A-1-2", |p| p["stage"] == "handed_over").await;
    assert!(edge.not_done(put(json!({"street": "4 Side St"}))).await.contains("handed over"));
}

#[tokio::test]
async fn a_sku_gets_its_name_and_a_product_its_weight() {
    let edge = Edge::open().await;
    for id in ["A-1", "A-2"] {
        let mut unknown = order(id);
        unknown["lines"][0]["sku"] = "Lamp".into();
        edge.post("/api/v1/orders", &unknown).await;
    }
    edge.until("/api/v1/orders/A-2", |o| o["holds"]["unknown_sku"] == "Lamp").await;
    let why = edge.not_done(json!({"do": "release_order", "order": "A-1"})).await;
    assert!(why.contains("unknown SKU: Lamp (name_sku ends that)"), "{why}");
    assert!(edge.not_done(json!({"do": "name_sku", "order": "A-1", "line": 1, "sku": "none"})).await.contains("own sells no none"));
    assert!(edge.not_done(json!({"do": "name_sku", "order": "A-1", "line": 0, "sku": "A-17"})).await.contains("no line 0"));
    // Of one that has no weight yet: told, and waited for.
    let product = json!({"weight_g": 0, "length_mm": 100, "width_mm": 80, "height_mm": 50});
    let mut put = post("/api/v1/products/own/B-3", &product);
    *put.method_mut() = "PUT".parse().unwrap();
    let told = edge.ask(put).await;
    assert!(told.status == StatusCode::CREATED && told.text.contains("its weight is not told"), "{}", told.text);
    let rows = json!({"products": [{"sku": "B-3", "facts": product}]});
    assert!(edge.post("/api/v1/products", &rows).await.json()["rows"][0]["note"].is_string());
    edge.site.count(vec![twin::stock::Counted { sku: "B-3".into(), ..super::counted(50) }]);
    let name = json!({"do": "name_sku", "order": "A-1", "line": 1, "sku": "B-3"});
    let note = edge.note(name.clone()).await;
    assert!(note.contains("unknown SKU: Lamp (of B-3, whose weight or size is not told) (name_sku or tell_weight"), "{note}");
    for (weight_g, status) in [(0, StatusCode::UNPROCESSABLE_ENTITY), (300, StatusCode::OK), (300, StatusCode::OK)] {
        let answer = edge.remedy(json!({"do": "tell_weight", "sku": "B-3", "weight_g": weight_g})).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
    for id in ["A-1", "A-2"] {
        edge.until(&format!("/api/v1/orders/{id}"), ALLOCATED).await;
    }
    let parcel = edge.until("/api/v1/parcels/A-1-1", |_| true).await;
    assert_eq!(parcel["plan"]["declared_g"], 638, "two of 300 g with their packaging");
    edge.note(name).await;
    let why = edge.not_done(json!({"do": "name_sku", "order": "A-1", "line": 1, "sku": "A-17"})).await;
    assert!(why.contains("it is known to be 1 × B-3"), "{why}");
    let absent = edge.remedy(json!({"do": "tell_weight", "sku": "B-9", "weight_g": 1})).await;
    assert_eq!(absent.status, StatusCode::NOT_FOUND);
}

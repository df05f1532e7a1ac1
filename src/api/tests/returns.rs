//! What comes back, by people over the API: each step with a name, refusals that say why, and lists, stock and figures that show it.

use super::{Edge, order};
use axum::http::StatusCode;
use serde_json::{Value, json};
use twin::channel::TrackStatus::*;

/// Parcels of two pieces that left, of so many orders.
async fn left(edge: &Edge, orders: usize) {
    let all: Vec<Value> = (1..=orders).map(|n| order(&format!("A-{n}"))).collect();
    edge.post("/api/v1/orders", &json!(all)).await;
    edge.until("/api/v1/board", |b| b["parcels"]["labelled"] == orders).await;
    (1..=orders).for_each(|n| edge.hand_over(&format!("A-{n}-1")));
    edge.until("/api/v1/board", |b| b["parcels"]["handed over"] == orders).await;
}

fn item(quantity: u32, condition: &str) -> Value {
    json!({"sku": "A-17", "quantity": quantity, "condition": condition})
}

#[tokio::test]
async fn a_parcel_that_comes_back_is_received_and_its_goods_are_sold_again() {
    let edge = Edge::open().await;
    left(&edge, 3).await;
    let before = edge.get("/api/v1/stock/SZX:own:A-17").await.json()["on_hand"].as_u64().unwrap();
    edge.news("A-1-1", 5, Returning, "Refused <b>");
    let back = edge.until("/api/v1/returns/A-1-1", |r| r["stage"] == "announced").await;
    assert_eq!((&back["reason"], &back["expected"]), (&json!("Refused <b>"), &json!([{"sku": "A-17", "quantity": 2}])));
    assert_eq!(edge.get("/api/v1/parcels/A-1-1").await.json()["returned"]["stage"], "announced");
    let receive = json!({"by": "Li Wei", "warehouse": "SZX", "items": [item(1, "sellable")]});
    let received = edge.post("/api/v1/returns/A-1-1/receive", &receive).await;
    assert_eq!(received.status, StatusCode::OK, "{received:?}");
    assert_eq!(received.json()["items"], json!([item(1, "sellable"), item(1, "missing")]), "what nobody names is missing");
    let close = json!({"by": "Chen", "outcome": "restocked", "note": "one is gone"});
    for _ in 0..2 {
        assert_eq!(edge.post("/api/v1/returns/A-1-1/close", &close).await.status, StatusCode::OK, "twice is once");
    }
    let closed = edge.until("/api/v1/returns/A-1-1?history=true", |r| r["stage"] == "closed").await;
    assert_eq!(edge.get("/api/v1/stock/SZX:own:A-17").await.json()["on_hand"], before + 1);
    let by = |word: &str| {
        let all = closed["history"].as_array().unwrap();
        let of = |r: &&Value| r["event"]["return"].get(word).is_some() || r["event"]["return"] == word;
        all.iter().find(of).unwrap_or_else(|| panic!("{word} is not in {closed}"))["by"].clone()
    };
    assert_eq!((by("announced"), by("received"), by("decided")), (json!("system"), json!({"person": "Li Wei"}), json!({"person": "Chen"})));
    assert_eq!(by("restocked"), json!({"person": "Chen"}));
    let stock = edge.get("/api/v1/stock/SZX:own:A-17?history=true").await.json();
    let newest = stock["history"].as_array().unwrap().last().unwrap();
    assert_eq!(newest["event"]["stock"]["received"], json!({"quantity": 1, "reference": "return A-1-1"}));
    assert_eq!(newest["by"], json!({"person": "Chen"}));
    // One that nobody spoke of, and one that a person announces and that never comes.
    let receive = json!({"by": "Li Wei", "items": [item(2, "damaged")]});
    assert_eq!(edge.post("/api/v1/returns/A-2-1/receive", &receive).await.json()["reason"], "it came without a word");
    let announced = edge.post("/api/v1/returns/A-3-1/announce", &json!({"by": "Ann", "reason": "wrong colour"})).await.json();
    assert_eq!((&announced["stage"], &announced["reason"]), (&json!("announced"), &json!("wrong colour")));
    let off = json!({"by": "Ann", "outcome": "written_off"});
    assert_eq!(edge.post("/api/v1/returns/A-3-1/close", &off).await.json()["stage"], "closed");
    let records = edge.until("/api/v1/board", |b| b["returns"] == json!({"received": 1, "closed": 2})).await["records"].clone();
    for (asked, found) in [
        ("", vec!["A-3-1", "A-2-1", "A-1-1"]),
        ("stage=closed&", vec!["A-3-1", "A-1-1"]),
        ("outcome=written%20off&", vec!["A-3-1"]),
        ("stage=received&warehouse=SZX&", vec!["A-2-1"]),
    ] {
        let page = edge.get(&format!("/api/v1/returns?{asked}at_least={records}")).await.json();
        let ids: Vec<_> = page["rows"].as_array().unwrap().iter().map(|row| row["parcel"].as_str().unwrap()).collect();
        assert_eq!(ids, found, "{asked}: {page}");
    }
    let row = &edge.get("/api/v1/returns?outcome=restocked").await.json()["rows"][0];
    assert_eq!((&row["expected"], &row["note"], &row["items"][1]), (&json!(2), &json!("one is gone"), &item(1, "missing")));
    let page = edge.get("/lists?of=returns&stage=closed").await.text;
    for (text, there) in
        [("Refused &#60;b&#62;", true), ("A-17 × 1 sellable, A-17 × 1 missing", true), ("one is gone", true), ("A-2-1", false)]
    {
        assert_eq!(page.contains(text), there, "{text}: {page}");
    }
    let metrics = edge.get("/metrics").await.text;
    assert!(metrics.contains("parceltwin_returns{stage=\"received\"} 1\n") && metrics.contains("parceltwin_returns{stage=\"closed\"} 2\n"));
    let page = edge.get("/").await.text;
    assert!(page.contains("<dt>to be decided</dt><dd data-kind=\"returns\" data-stages=\"received,restocking\">1</dd>"), "{page}");
}

#[tokio::test]
async fn a_step_that_cannot_be_is_refused_and_says_why() {
    let edge = Edge::open().await;
    left(&edge, 2).await;
    edge.post("/api/v1/orders", &order("A-3")).await;
    edge.until("/api/v1/parcels/A-3-1", |p| p["stage"] == "labelled").await;
    let receive = |items: Value| json!({"by": "Li", "items": items});
    for (path, body, status, why) in [
        ("A-9-1/announce", json!({"by": "Li", "reason": "r"}), StatusCode::NOT_FOUND, "no parcel A-9-1"),
        ("A-3-1/announce", json!({"by": "Li", "reason": "r"}), StatusCode::CONFLICT, "it is labelled, and a return wants it handed over"),
        ("A-1-1/close", json!({"by": "Li", "outcome": "written_off"}), StatusCode::CONFLICT, "it does not exist"),
        ("A-1-1/receive", receive(json!([item(3, "sellable")])), StatusCode::CONFLICT, "3 asked, 2 available"),
        ("A-1-1/receive", receive(json!([{"sku": "B", "quantity": 1, "condition": "opened"}])), StatusCode::CONFLICT, "is B, not A-17"),
        ("A-1-1/receive", receive(json!([item(1, "eaten")])), StatusCode::BAD_REQUEST, "eaten"),
        ("A-1-1/receive", receive(json!([item(0, "sellable")])), StatusCode::UNPROCESSABLE_ENTITY, "items[0].quantity"),
        (
            "A-1-1/receive",
            json!({"by": "Li", "warehouse": "LAX", "items": []}),
            StatusCode::UNPROCESSABLE_ENTITY,
            "no warehouse \\\"LAX\\\"",
        ),
        ("A-1-1/announce", json!({"reason": "r"}), StatusCode::BAD_REQUEST, "missing field `by`"),
        ("A-1-1/announce", json!({"by": "\u{1b}[2J", "reason": "r"}), StatusCode::UNPROCESSABLE_ENTITY, "a name of 1 to 60"),
        ("A-1-1/announce", json!({"by": "Li", "reason": ""}), StatusCode::UNPROCESSABLE_ENTITY, "1 to 200"),
        ("A-1-1/close", json!({"by": "Li", "outcome": "restocked", "note": "n".repeat(201)}), StatusCode::UNPROCESSABLE_ENTITY, "note"),
    ] {
        let answer = edge.post(&format!("/api/v1/returns/{path}"), &body).await;
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.text);
        assert!(answer.text.contains(why), "{path} {body}: {}", answer.text);
    }
    assert_eq!(edge.get("/api/v1/returns/A-1-1").await.status, StatusCode::NOT_FOUND, "what was refused left nothing behind");
    edge.post("/api/v1/returns/A-2-1/receive", &receive(json!([item(2, "opened")]))).await;
    let close = |outcome| json!({"by": "Li", "outcome": outcome});
    let refused = edge.post("/api/v1/returns/A-2-1/close", &close("restocked")).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("what came back is not sellable"), "{}", refused.text);
    assert_eq!(edge.post("/api/v1/returns/A-2-1/close", &close("sent_again")).await.json()["outcome"], "sent_again");
}

#[tokio::test]
async fn one_that_is_delivered_after_all_is_withdrawn() {
    let edge = Edge::open().await;
    left(&edge, 1).await;
    edge.news("A-1-1", 5, Returning, "Refused");
    edge.until("/api/v1/returns/A-1-1", |r| r["stage"] == "announced").await;
    edge.news("A-1-1", 6, Delivered, "Taken by a neighbour");
    let back = edge.until("/api/v1/returns/A-1-1", |r| r["stage"] == "closed").await;
    assert_eq!(back["outcome"], "withdrawn");
    edge.news("A-1-1", 7, Returned, "Back after all");
    edge.until("/api/v1/returns/A-1-1", |r| r["stage"] == "announced" && r["outcome"].is_null()).await;
}

//! What people put right, by the one route for it: with a name, a reason, and refusals that say why.

use super::{Edge, order};
use axum::http::StatusCode;
use serde_json::{Value, json};

pub fn asked(remedy: Value) -> Value {
    json!({"by": "Li Wei", "why": "the buyer asked", "remedy": remedy})
}

impl Edge {
    pub async fn remedy(&self, remedy: Value) -> super::Answer {
        self.post("/api/v1/remedies", &asked(remedy)).await
    }

    /// One that must be done; where the thing stands then.
    pub async fn put_right(&self, remedy: Value) -> String {
        let answer = self.remedy(remedy.clone()).await;
        assert_eq!(answer.status, StatusCode::OK, "{remedy}: {}", answer.text);
        answer.json()["stage"].as_str().unwrap_or_default().to_owned()
    }
}

#[tokio::test]
async fn a_remedy_has_a_name_a_reason_and_a_thing_that_is_there() {
    let edge = Edge::open().await;
    edge.post("/api/v1/orders", &order("A-1")).await;
    edge.until("/api/v1/parcels/A-1-1", |p| p["stage"] == "labelled").await;
    for (body, status, says) in [
        (asked(json!({"do": "cancel_order", "order": "A-9"})), StatusCode::NOT_FOUND, "there is no order A-9"),
        (asked(json!({"do": "take_apart", "parcel": "A-9-1"})), StatusCode::NOT_FOUND, "there is no parcel A-9-1"),
        (asked(json!({"do": "hand_over_bag", "bag": "1"})), StatusCode::NOT_FOUND, "there is no bag 1"),
        (asked(json!({"do": "eat", "bag": "1"})), StatusCode::BAD_REQUEST, "unknown variant `eat`"),
        (json!({"by": " ", "why": "", "remedy": {"do": "take_apart", "parcel": "A-1-1"}}), StatusCode::UNPROCESSABLE_ENTITY, "\"why\""),
    ] {
        let answer = edge.post("/api/v1/remedies", &body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
        assert!(answer.text.contains(says), "{body}: {}", answer.text);
    }
    for _ in 0..2 {
        assert_eq!(edge.put_right(json!({"do": "cancel_order", "order": "A-1"})).await, "cancelled", "twice is once");
    }
    let history = edge.get("/api/v1/orders/A-1?history=true").await.json();
    let last = history["history"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["by"], &last["event"]["order"]["cancelled"]["reason"]), (&json!({"person": "Li Wei"}), &json!("the buyer asked")));
}

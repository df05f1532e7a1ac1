//! What parcels cost: found out by the house, and charged by hand.

use super::{Edge, order};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

fn duty(reference: &str) -> Value {
    json!({ "kind": "duty", "amount": { "amount": "3.10", "currency": "USD" }, "reason": "customs invoice", "reference": reference })
}

#[tokio::test]
async fn a_label_replaces_the_estimate_and_what_is_charged_by_hand_comes_to_it() {
    let edge = Edge::open().await;
    edge.seller.charges.store(512, Ordering::Relaxed);
    edge.post("/api/v1/orders", &order("A-1")).await;
    let path = "/api/v1/parcels/A-1-1/charges";
    let found = edge.until(path, |c| c["charges"].as_array().unwrap().len() == 2).await;
    let told = |n: usize| {
        let charge = &found["charges"][n];
        [&charge["kind"], &charge["amount"]["amount"], &charge["basis_kind"], &charge["counts"]].map(|value| value.to_string()).join(" ")
    };
    assert_eq!([told(0), told(1)], [r#""estimate" "5.00" "quote" false"#, r#""label" "5.12" "label" true"#]);
    assert_eq!((&found["cost"], &found["cost_in_base"]["amount"]), (&json!({ "USD": "5.12" }), &json!("5.12")));

    for (body, status, cost) in [
        (duty("4711/3"), StatusCode::CREATED, "8.22"),
        (duty("4711/3"), StatusCode::OK, "8.22"),
        (duty(""), StatusCode::CREATED, "11.32"),
        (
            json!({ "kind": "adjustment", "amount": { "amount": "-1.32", "currency": "USD" }, "reason": "too much" }),
            StatusCode::CREATED,
            "10",
        ),
    ] {
        let answer = edge.post(path, &body).await;
        assert_eq!((answer.status, &answer.json()["cost_in_base"]["amount"]), (status, &json!(cost)), "{answer:?}");
    }
    let refused = |mut body: Value, kind: &str, amount: &str| {
        body["kind"] = json!(kind);
        body["amount"]["amount"] = json!(amount);
        body
    };
    for (body, status) in [
        (refused(duty(""), "duty", "-1"), StatusCode::CONFLICT),
        (refused(duty("4711/3"), "duty", "4"), StatusCode::CONFLICT),
        (refused(duty(""), "label", "4"), StatusCode::UNPROCESSABLE_ENTITY),
        (refused(duty(""), "gift", "4"), StatusCode::BAD_REQUEST),
        (json!({ "kind": "duty", "amount": { "amount": "1", "currency": "USD" }, "reason": "" }), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let answer = edge.post(path, &body).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    assert_eq!(edge.post("/api/v1/parcels/A-9-1/charges", &duty("")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(edge.get("/api/v1/parcels/A-9-1/charges").await.status, StatusCode::NOT_FOUND);
    let named = edge.get("/api/v1/charges/A-1-1?history=true").await.json();
    assert_eq!((named["history"].as_array().unwrap().len(), named["charges"].as_array().unwrap().len()), (5, 5), "it is a thing like any");
}

/// A slip of the carrier's (a minus, cents for dollars) is not taken, and somebody is told; the estimate goes on to count.
#[tokio::test]
async fn a_price_that_cannot_be_meant_is_not_taken() {
    for (cents, said) in [(-512, "-5.12 USD"), (51_200, "512.00 USD")] {
        let edge = Edge::open().await;
        edge.seller.charges.store(cents, Ordering::Relaxed);
        edge.post("/api/v1/orders", &order("A-1")).await;
        let parcel = edge.until("/api/v1/parcels/A-1-1", |p| p["exception"].is_string()).await;
        assert_eq!(parcel["exception"], format!("the carrier's price of {said} for its label is not taken, 5.00 USD was expected"));
        assert_eq!(parcel["tracking"], "T1", "the label is as good as ever");
        let charges = edge.get("/api/v1/parcels/A-1-1/charges").await.json();
        assert_eq!((&charges["cost"], charges["charges"].as_array().unwrap().len()), (&json!({ "USD": "5.00" }), 1));
    }
}

/// A label that nobody uses is given back, and what it cost with it.
#[tokio::test]
async fn a_label_given_back_costs_nothing() {
    let edge = Edge::open().await;
    edge.seller.charges.store(512, Ordering::Relaxed);
    edge.post("/api/v1/orders", &order("A-1")).await;
    edge.until("/api/v1/parcels/A-1-1", |p| p["stage"] == "labelled").await;
    edge.post("/api/v1/orders/A-1/cancel", &json!({ "reason": "changed their mind" })).await;
    let charges = edge.until("/api/v1/parcels/A-1-1/charges", |c| c["charges"].as_array().unwrap().len() == 3).await;
    assert_eq!((&charges["cost"], &charges["charges"][2]["basis_kind"]), (&json!({ "USD": "0.00" }), &json!("given back")));
}

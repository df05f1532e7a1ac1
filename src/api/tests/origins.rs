//! By whom and because of what: requests over HTTP, and what the house does on account of them.

use super::{Edge, counted, order, post};
use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use twin::{Because, By, Event, Origin, Record};

const ORDERS: &str = "/api/v1/orders";

impl Edge {
    /// The first record of a thing whose event has that word, and where it comes from.
    fn origin(&self, id: &str, word: &str) -> (u64, Origin) {
        let like = |r: &Record| {
            let json = serde_json::to_value(&r.event).unwrap();
            let event = json.as_object().unwrap().values().next().unwrap();
            let called = twin::OrderId::from(r.key.id.clone());
            (r.key.id == id || called.number() == id) && (event == word || event.get(word).is_some())
        };
        let records = self.site.house.twin.records(0).map(|r| r.unwrap());
        let found = records.into_iter().find(like).unwrap_or_else(|| panic!("{id} was never {word}"));
        (found.seq, Origin { by: found.by, because: found.because })
    }
}

fn asked(request: &str) -> Origin {
    Origin { by: By::ApiKey("api".into()), because: Because::Request(request.into()) }
}

#[tokio::test]
async fn orders_come_because_of_their_request_and_each_goes_on_because_of_itself() {
    let edge = Edge::open().await;
    let mut keyed = post(ORDERS, &json!([order("A-1"), order("A-2"), order("A-3")]));
    keyed.headers_mut().insert("idempotency-key", "k-1".parse().unwrap());
    assert_eq!(edge.ask(keyed).await.headers["x-request-id"], "k-1");
    for id in ["A-1", "A-2", "A-3"] {
        edge.until(&format!("/api/v1/parcels/{id}-1"), |p| p["stage"] == "labelled").await;
        let (received, origin) = edge.origin(id, "received");
        assert_eq!(origin, asked("k-1"));
        // A carrier's quote came between; the decision is the house's all the same.
        let (allocated, origin) = edge.origin(id, "allocated");
        assert_eq!(origin, Origin::record(received), "{id}");
        let (asked, origin) = edge.origin(&format!("{id}-1"), "created");
        assert_eq!(origin, Origin::record(allocated));
        let bought = Origin { by: By::Carrier("test".into()), because: Because::Record(asked) };
        assert_eq!(edge.origin(&format!("{id}-1"), "label_bought").1, bought);
    }
}

#[tokio::test]
async fn a_request_without_a_key_has_a_number_that_no_other_has() {
    let edge = Edge::open().await;
    let mut ids = Vec::new();
    for id in ["A-1", "A-2"] {
        let answer = edge.post(ORDERS, &order(id)).await;
        let request = answer.headers["x-request-id"].to_str().unwrap().to_owned();
        assert_eq!(edge.origin(id, "received").1, asked(&request));
        ids.push(request);
    }
    // Another edge before the same journal, as after a restart.
    let later = super::Api::new(edge.api.app.clone());
    let router = crate::router::routes(later);
    let mut third = post(ORDERS, &order("A-3"));
    third.headers_mut().insert("host", "localhost:8080".parse().unwrap());
    let answer = tower::ServiceExt::oneshot(router, third).await.unwrap();
    ids.push(answer.headers()["x-request-id"].to_str().unwrap().to_owned());
    let known = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), known, "{ids:?}");
    let refused = edge.ask(Request::get("/api/v1/orders/none").body(Body::empty()).unwrap()).await;
    assert!(refused.headers.contains_key("x-request-id"), "refusals have one too");
}

#[tokio::test]
async fn a_cancellation_is_the_callers_through_parcel_and_order() {
    let edge = Edge::open().await;
    edge.post(ORDERS, &order("D-1")).await;
    edge.until("/api/v1/parcels/D-1-1", |p| p["stage"] == "labelled").await;
    let answer = edge.post("/api/v1/orders/D-1/cancel", &json!({"reason": "changed their mind"})).await;
    let request = answer.headers["x-request-id"].to_str().unwrap().to_owned();
    let (seq, origin) = edge.origin("D-1-1", "cancelled");
    assert_eq!(origin, asked(&request));
    let order = edge.origin("D-1", "cancelled").1;
    assert_eq!(order, Origin { by: By::ApiKey("api".into()), because: Because::Record(seq) });
    assert_eq!(edge.origin("SZX:own:A-17", "released").1, order, "its stock is free because of the same");
}

#[tokio::test]
async fn an_order_that_waited_for_stock_goes_on_because_of_the_count() {
    let edge = Edge::open().await;
    edge.site.count(vec![counted(1)]);
    edge.post(ORDERS, &order("A-1")).await;
    edge.until("/api/v1/orders/A-1", |o| !o["holds"].as_object().unwrap().is_empty()).await;
    let (received, _) = edge.origin("A-1", "received");
    assert_eq!(edge.origin("A-1", "held").1, Origin::record(received));
    edge.site.count(vec![counted(7)]);
    edge.until("/api/v1/orders/A-1", |o| o["stage"] == "allocated").await;
    let counted = |r: &Record| matches!(r.event, Event::Stock(twin::stock::Event::Counted { on_hand: 7, .. }));
    let counted = edge.site.house.twin.records(0).map(|r| r.unwrap()).find(counted).unwrap();
    assert_eq!(edge.origin("A-1", "allocated").1, Origin::record(counted.seq));
}

#[tokio::test]
async fn histories_tell_it_in_json() {
    let edge = Edge::open().await;
    let request = edge.post(ORDERS, &order("A-1")).await.headers["x-request-id"].to_str().unwrap().to_owned();
    let told = edge.until("/api/v1/orders/A-1?history=true", |o| o["stage"] == "allocated").await;
    let history = told["history"].as_array().unwrap();
    assert_eq!((&history[0]["by"], &history[0]["because"]), (&json!({"api_key": "api"}), &json!({"request": request})));
    assert_eq!((&history[1]["by"], &history[1]["because"]), (&json!("system"), &json!({"record": history[0]["seq"]})));
}

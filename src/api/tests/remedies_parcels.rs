//! What people do about parcels, bags and problems, and the list of what is wrong now.

use super::{Edge, order};
use actors::ParcelMsg;
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;
use twin::parcel::{Divert, Interception};
use twin::{Dims, Moment, Twin};

impl Edge {
    async fn labelled(&self, number: &str) {
        self.post("/api/v1/orders", &order(number)).await;
        self.until(&format!("/api/v1/parcels/{number}-1"), |p| p["stage"] == "labelled").await;
    }

    /// A line weighs it, and stops it for its weight.
    fn too_heavy(&self, parcel: &str) {
        let question = actors::outgoing::Question { sorter: actors::Seat::default(), pic: 1, asked_at: Moment(0), reject: 9 };
        let why = Interception::Weight { declared_g: 402, measured_g: 900 };
        self.site.house.tell(parcel.into(), ParcelMsg::Packed);
        let induct = ParcelMsg::Induct { item: 1, station: "SZX/line-1".into(), line: actors::Seat::default() };
        self.site.house.tell(parcel.into(), induct);
        let measured = Some(Dims::new(200, 100, 50));
        let judge = ParcelMsg::Judge { measured_g: Some(900), measured, divert: Divert::Stop { why, chute: 9 }, question };
        self.site.house.tell(parcel.into(), judge);
    }

    async fn problems(&self, query: &str) -> Vec<Value> {
        self.get(&format!("/api/v1/problems{query}")).await.json()["problems"].as_array().unwrap().clone()
    }
}

fn ids(problems: &[Value]) -> Vec<&str> {
    problems.iter().map(|problem| problem["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_is_wrong_is_open_until_its_cause_is_gone_and_the_same_after_a_start() {
    let twin = Arc::new(Twin::in_memory("test"));
    let clock = || drivers::Clock::free(1.0, Moment::default());
    let edge = Edge::on(clock(), twin.clone()).await;
    let mut unpaid = order("A-2");
    unpaid["paid"] = json!(false);
    edge.post("/api/v1/orders", &json!([unpaid])).await;
    edge.labelled("A-1").await;
    edge.too_heavy("A-1-1");
    let board = edge.until("/api/v1/board", |b| b["problems_open"] == 2).await;
    let held = board["problems"].as_array().unwrap().iter().find(|p| p["kind"] == "order").unwrap();
    assert_eq!((&held["id"], &held["remedies"][0]), (&json!("held:order:A-2@amazon:s1"), &json!("mark_paid")));
    assert_eq!((&held["times"], &held["owner"], &held["acknowledged"]), (&json!(1), &json!(""), &json!(false)));
    let stopped = edge.problems("?kind=parcel").await;
    assert_eq!(ids(&stopped), ["intercepted:parcel:A-1-1"]);
    assert_eq!(
        (&stopped[0]["what"], &stopped[0]["remedies"][0]),
        (&json!("wrong weight: declared 402 g, measured 900 g"), &json!("accept_measures"))
    );
    let before = edge.problems("").await;
    // The house begins anew on the same twin.
    edge.site.stop().await;
    let edge = Edge::on(clock(), twin).await;
    edge.until("/api/v1/board", |b| b["orders"]["held"] == 1).await;
    assert_eq!(edge.problems("").await, before, "the same list");
    edge.put_right(json!({"do": "cancel_order", "order": "A-2"})).await;
    edge.until("/api/v1/problems", |p| p["open"] == 1).await;
    assert_eq!(edge.put_right(json!({"do": "accept_measures", "parcel": "A-1-1"})).await, "labelled");
    let none = edge.until("/api/v1/problems", |p| p["open"] == 0).await;
    assert_eq!(none, json!({"problems": [], "open": 0, "snoozed": 0}));
    let closed = edge.get("/api/v1/problems/held:order:A-2@amazon:s1").await.json();
    assert_eq!((&closed["open"], &closed["times"]), (&json!(false), &json!(1)), "{closed}");
}

#[tokio::test]
async fn a_problem_is_seen_given_to_somebody_put_off_and_written_about_by_name() {
    let edge = Edge::open().await;
    let mut unpaid = order("A-1");
    unpaid["paid"] = json!(false);
    edge.post("/api/v1/orders", &json!([unpaid])).await;
    edge.until("/api/v1/problems", |p| p["open"] == 1).await;
    let problem = "held:order:A-1@amazon:s1";
    for remedy in [
        json!({"do": "acknowledge_problem", "problem": problem}),
        json!({"do": "assign_problem", "problem": problem, "to": "Chen"}),
        json!({"do": "comment_on_problem", "problem": problem}),
    ] {
        assert_eq!(edge.put_right(remedy.clone()).await, "open");
        assert_eq!(edge.put_right(remedy).await, "open", "twice is once");
    }
    let seen = &edge.problems("?owner=Chen&severity=act&cause=held").await[0];
    assert_eq!((&seen["acknowledged"], &seen["owner"]), (&json!(true), &json!("Chen")));
    let notes: Vec<_> = seen["notes"].as_array().unwrap().iter().map(|note| note["by"].as_str().unwrap()).collect();
    assert_eq!(notes, ["Li Wei"; 2], "the same word again is no other note: {seen}");
    assert!(edge.problems("?owner=").await.is_empty() && edge.problems("?severity=urgent").await.is_empty());
    edge.put_right(json!({"do": "snooze_problem", "problem": problem, "hours": 2})).await;
    let list = edge.get("/api/v1/problems").await.json();
    assert_eq!((&list["open"], &list["snoozed"]), (&json!(0), &json!(1)));
    assert_eq!(ids(&edge.problems("?snoozed=true").await), [problem]);
    for (remedy, says) in [
        (json!({"do": "snooze_problem", "problem": problem, "hours": 0}), "hours"),
        (json!({"do": "assign_problem", "problem": problem, "to": "\u{1b}[2J"}), "\"to\""),
    ] {
        let answer = edge.remedy(remedy).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.text.contains(says), "{}", answer.text);
    }
    assert_eq!(edge.remedy(json!({"do": "acknowledge_problem", "problem": "x"})).await.status, StatusCode::NOT_FOUND);
    assert_eq!(edge.get("/api/v1/problems?colour=red").await.status, StatusCode::BAD_REQUEST);
    let slip = edge.get("/api/v1/problems?cause=heldd&severity=act&kind=ordre").await;
    assert_eq!(slip.status, StatusCode::UNPROCESSABLE_ENTITY, "an empty list would look as if nothing were wrong");
    assert!(slip.text.contains("heldd") && slip.text.contains("ordre") && !slip.text.contains("severity"), "{}", slip.text);
}

#[tokio::test]
async fn a_parcel_is_stopped_put_aside_taken_back_printed_again_and_written_off() {
    let edge = Edge::open().await;
    edge.labelled("A-1").await;
    let remedy = |what: &str| json!({"do": what, "parcel": "A-1-1"});
    assert_eq!(edge.put_right(remedy("stop_parcel")).await, "labelled");
    edge.until("/api/v1/problems", |p| p["problems"][0]["cause"] == "stopped").await;
    let aside = json!({"do": "put_parcel_aside", "parcel": "A-1-1", "place": "shelf 7"});
    assert_eq!(edge.put_right(aside).await, "intercepted");
    assert_eq!(edge.put_right(remedy("take_parcel_back")).await, "labelled");
    edge.until("/api/v1/problems", |p| p["open"] == 0).await;
    assert_eq!(edge.put_right(remedy("reprint")).await, "labelled");
    let nowhere = json!({"do": "reprint", "parcel": "A-1-1", "station": "SZX/bench-9"});
    edge.put_right(nowhere).await;
    let alarm = edge.until("/api/v1/problems", |p| p["open"] == 1).await;
    assert!(alarm["problems"][0]["what"].as_str().unwrap().contains("no such station"), "{alarm}");
    edge.put_right(remedy("settle_parcel")).await;
    edge.until("/api/v1/problems", |p| p["open"] == 0).await;
    let answer = edge.remedy(remedy("take_out_of_bag")).await;
    assert!(answer.status == StatusCode::CONFLICT && answer.text.contains("in no bag"), "{}", answer.text);
    let answer = edge.remedy(remedy("declare_lost")).await;
    assert!(answer.status == StatusCode::CONFLICT && answer.text.contains("wants it handed over"), "{}", answer.text);
    assert_eq!(edge.put_right(remedy("write_off_parcel")).await, "cancelled");
    // Its order finds another parcel, and its label is given back.
    edge.until("/api/v1/parcels/A-1-2", |p| p["stage"] == "labelled").await;
    let gone = edge.until("/api/v1/parcels/A-1-1?history=true", |p| p["void"] == "done").await;
    let by: Vec<_> = gone["history"].as_array().unwrap().iter().filter(|r| r["by"] == json!({"person": "Li Wei"})).collect();
    assert!(by.len() >= 6, "{by:#?}");
}

#[tokio::test]
async fn what_was_measured_is_taken_over_and_the_answer_says_what_that_does_to_freight() {
    let edge = Edge::open().await;
    edge.labelled("A-1").await;
    edge.too_heavy("A-1-1");
    edge.until("/api/v1/parcels/A-1-1", |p| p["stage"] == "intercepted").await;
    let accept = json!({"do": "accept_measures", "parcel": "A-1-1"});
    for _ in 0..2 {
        let answer = edge.remedy(accept.clone()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert!(answer.json()["note"].as_str().unwrap().contains("its carrier prices it by itself"), "{}", answer.text);
    }
    let parcel = edge.get("/api/v1/parcels/A-1-1").await.json();
    assert_eq!((&parcel["plan"]["declared_g"], &parcel["reworks"]), (&json!(900), &json!(1)), "{parcel}");
    edge.labelled("A-2").await;
    let answer = edge.remedy(json!({"do": "accept_measures", "parcel": "A-2-1"})).await;
    assert!(answer.status == StatusCode::CONFLICT && answer.text.contains("wants it measured"), "{}", answer.text);
}

/// What were routes only are remedies too: a charge, a return, what is in no parcel.
#[tokio::test]
async fn what_is_done_by_hand_is_done_by_remedies_too() {
    let edge = Edge::open().await;
    edge.labelled("A-1").await;
    let charge = |kind: &str, amount: &str| json!({"do": "charge_parcel", "parcel": "A-1-1", "kind": kind, "amount": amount, "currency": "USD", "reference": "4711/3"});
    for _ in 0..2 {
        edge.put_right(charge("duty", "3.10")).await;
    }
    let charged = edge.get("/api/v1/parcels/A-1-1/charges").await.json()["charges"].as_array().unwrap().clone();
    let duty: Vec<_> = charged.iter().filter(|charge| charge["kind"] == "duty").collect();
    assert_eq!((duty.len(), &duty[0]["amount"]), (1, &json!({"amount": "3.10", "currency": "USD"})), "{charged:?}");
    for (remedy, status, says) in [
        (charge("duty", "4.10"), StatusCode::CONFLICT, "charged under that reference"),
        (charge("label", "3.10"), StatusCode::UNPROCESSABLE_ENTITY, "one of adjustment, duty"),
        (charge("duty", "much"), StatusCode::UNPROCESSABLE_ENTITY, "much"),
        (json!({"do": "announce_return", "parcel": "A-1-1"}), StatusCode::CONFLICT, "labelled"),
        (json!({"do": "send_order", "order": "A-1"}), StatusCode::CONFLICT, "wants something of it in no parcel"),
        (json!({"do": "close_return", "parcel": "A-1-1", "outcome": "eaten"}), StatusCode::BAD_REQUEST, "unknown variant `eaten`"),
    ] {
        let answer = edge.remedy(remedy.clone()).await;
        assert_eq!(answer.status, status, "{remedy}: {}", answer.text);
        assert!(answer.text.contains(says), "{remedy}: {}", answer.text);
    }
    // What a person holds is let go first; then it goes by itself.
    edge.labelled("A-2").await;
    edge.put_right(json!({"do": "hold_order", "order": "A-2"})).await;
    let answer = edge.remedy(json!({"do": "send_order", "order": "A-2", "warehouse": "SZX"})).await;
    assert!(answer.status == StatusCode::CONFLICT && answer.text.contains("is held, manual"), "{}", answer.text);
    // One comes back.
    edge.hand_over("A-1-1");
    edge.until("/api/v1/parcels/A-1-1", |p| p["stage"] == "handed_over").await;
    assert_eq!(edge.put_right(json!({"do": "announce_return", "parcel": "A-1-1"})).await, "announced");
    let answer = edge.remedy(json!({"do": "close_return", "parcel": "A-1-1", "outcome": "restocked"})).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "nobody has received it: {}", answer.text);
    for _ in 0..2 {
        assert_eq!(edge.put_right(json!({"do": "close_return", "parcel": "A-1-1", "outcome": "written_off"})).await, "closed");
    }
}

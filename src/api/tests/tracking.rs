//! Parcels that left: each figure that people see counts them where they are, and none counts them nowhere.

use super::{Edge, order};
use serde_json::{Value, json};
use twin::channel::TrackStatus::*;

/// Five parcels: one labelled, one without news, one in customs, one delivered, one lost.
async fn five(edge: &Edge) -> u64 {
    let orders: Vec<Value> = (1..=5).map(|n| order(&format!("A-{n}"))).collect();
    edge.post("/api/v1/orders", &json!(orders)).await;
    edge.until("/api/v1/board", |b| b["parcels"]["labelled"] == 5).await;
    (2..=5).for_each(|n| edge.hand_over(&format!("A-{n}-1")));
    edge.until("/api/v1/board", |b| b["parcels"]["handed over"] == 4).await;
    edge.news("A-3-1", 1, InFlight, "Departed");
    edge.news("A-3-1", 2, Customs, "Held: invoice <missing>");
    edge.news("A-3-1", 3, Exception, "Papers asked for");
    edge.news("A-4-1", 2, Delivered, "Delivered");
    edge.news("A-5-1", 2, Lost, "Lost");
    let all = json!({"labelled": 1, "handed over": 1, "customs": 1, "delivered": 1, "lost": 1});
    edge.until("/api/v1/board", |b| b["parcels"] == all).await["records"].as_u64().unwrap()
}

#[tokio::test]
async fn every_figure_shows_a_parcel_where_it_is() {
    let edge = Edge::open().await;
    let records = five(&edge).await;
    let metrics = edge.get("/metrics").await.text;
    for (place, n) in [("labelled", 1), ("handed over", 1), ("customs", 1), ("delivered", 1), ("lost", 1), ("in flight", 0)] {
        let line = format!("parceltwin_parcels{{stage=\"{place}\"}} {n}\n");
        assert!(metrics.contains(&line), "{line} is missing in {metrics}");
    }
    let page = edge.get("/").await.text;
    for (label, stages, n) in [
        ("labelled", "labelled", 1),
        ("handed over", "handed over", 1),
        ("on the way", "departed origin,in flight,arrived,customs,last mile,out for delivery", 1),
        ("delivered", "delivered", 1),
        ("returned or lost", "returned,lost", 1),
    ] {
        let shown = format!("<dt>{label}</dt><dd data-kind=\"parcels\" data-stages=\"{stages}\">{n}</dd>");
        assert!(page.contains(&shown), "{shown} is missing in {page}");
    }
    let board = edge.get("/api/v1/board").await.json();
    let recent = board["recent"].as_array().unwrap().iter().find(|p| p["id"] == "A-3-1").unwrap();
    assert_eq!((&recent["stage"], &recent["trouble"]), (&json!("customs"), &json!("Papers asked for")));
    let trouble = board["problems"].as_array().unwrap().iter().find(|e| e["what"] == "Papers asked for").unwrap();
    assert_eq!((&trouble["kind"], &trouble["href"]), (&json!("tracking"), &json!("/api/v1/tracking/A-3-1")));
    let get = async |path: &str| edge.get(&format!("/api/v1/{path}&at_least={records}")).await.json();
    for (asked, found) in [
        ("parcels?status=customs", vec!["A-3-1"]),
        ("parcels?stage=customs", vec!["A-3-1"]),
        ("parcels?stage=delivered", vec!["A-4-1"]),
        ("parcels?stage=handed%20over", vec!["A-5-1", "A-4-1", "A-3-1", "A-2-1"]),
        ("parcels?status=handed%20over", vec!["A-2-1"]),
        ("parcels?stage=labelled", vec!["A-1-1"]),
        ("tracking?status=lost", vec!["A-5-1"]),
        ("tracking?carrier=test", vec!["A-5-1", "A-4-1", "A-3-1", "A-2-1"]),
    ] {
        let page = get(asked).await;
        let mut ids: Vec<_> =
            page["rows"].as_array().unwrap().iter().map(|row| row["id"].as_str().or(row["parcel"].as_str()).unwrap()).collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!(ids, found, "{asked}: {page}");
    }
    let row = &get("parcels?status=customs").await["rows"][0];
    assert_eq!((&row["stage"], &row["status"], &row["trouble"]), (&json!("handed over"), &json!("customs"), &json!("Papers asked for")));
    let row = &get("tracking?status=customs").await["rows"][0];
    assert_eq!(
        (&row["customs"], &row["exception"], &row["place"]),
        (&json!("Held: invoice <missing>"), &json!("Papers asked for"), &json!("Reno"))
    );
    assert_eq!(get("search?q=A-4-1&kind=parcel").await["found"][0]["stage"], "delivered");
    assert_eq!(get("exceptions?what=trouble&kind=tracking").await["rows"][0]["id"], "A-3-1");
    let page = edge.get("/lists?of=parcels&stage=handed+over").await.text;
    assert!(page.contains("A-2-1") && !page.contains("A-3-1"), "as the page shows it: {page}");
}

#[tokio::test]
async fn a_parcel_is_told_with_what_became_of_it_and_the_history_of_both() {
    let edge = Edge::open().await;
    five(&edge).await;
    let parcel = edge.get("/api/v1/parcels/A-1-1").await.json();
    assert_eq!((parcel.get("tracked"), &parcel["stage"]), (None, &json!("labelled")));
    let parcel = edge.until("/api/v1/parcels/A-3-1?history=true", |p| p["history_complete"] == true).await;
    let tracked = &parcel["tracked"];
    assert_eq!((&parcel["stage"], &tracked["stage"], &tracked["carrier"]), (&json!("handed_over"), &json!("customs"), &json!("test")));
    assert_eq!((&tracked["number"], &tracked["told"], &tracked["exception"]), (&parcel["tracking"], &json!(3), &json!("Papers asked for")));
    assert_eq!(tracked["customs"]["text"], "Held: invoice <missing>");
    let history = parcel["history"].as_array().unwrap();
    let versions = parcel["version"].as_u64().unwrap() + tracked["version"].as_u64().unwrap();
    assert_eq!(history.len() as u64, versions, "each event of both once");
    assert!(history[0]["event"]["parcel"]["created"].is_object() && history.last().unwrap()["event"]["tracking"].is_object());
    let own = edge.get("/api/v1/tracking/A-3-1?history=true").await.json();
    assert_eq!((&own["stage"], own["history"].as_array().unwrap().len() as u64), (&json!("customs"), tracked["version"].as_u64().unwrap()));
    let begun = own["history"][0]["seq"].as_u64().unwrap();
    let older = edge.get(&format!("/api/v1/parcels/A-3-1?history=true&before={begun}")).await.json();
    assert_eq!(older["history_complete"], true, "what was before its tracking began is the parcel's own");
}

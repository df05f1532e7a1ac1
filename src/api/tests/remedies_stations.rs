//! Stations, chutes, devices and channels that a person takes out and puts back, as the board and the journal have it.

use super::{Edge, order};
use axum::http::StatusCode;
use serde_json::{Value, json};

impl Edge {
    /// Who did the last thing to it, and what.
    async fn last(&self, path: &str) -> (Value, Value) {
        let history = self.get(&format!("{path}?history=true")).await.json();
        let last = history["history"].as_array().unwrap().last().unwrap().clone();
        (last["by"]["person"].clone(), last["event"].clone())
    }

    /// The board's view of a station, once it is so.
    async fn station(&self, id: &str, good: impl Fn(&Value) -> bool) -> Value {
        let of = |board: &Value| board["warehouses"][0]["stations"].as_array().unwrap().iter().find(|s| s["id"] == id).unwrap().clone();
        of(&self.until("/api/v1/board", |board| good(&of(board))).await)
    }
}

#[tokio::test]
async fn a_station_goes_out_and_back_with_who_and_why() {
    let edge = Edge::open().await;
    let (out, back) =
        (json!({"do": "take_station_out", "station": "SZX/bench-1"}), json!({"do": "put_station_back", "station": "SZX/bench-1"}));
    for _ in 0..2 {
        assert_eq!(edge.put_right(out.clone()).await, "out", "twice is once");
    }
    let taken = json!({"station": {"taken_out": {"why": "the buyer asked"}}});
    assert_eq!(edge.last("/api/v1/stations/SZX/bench-1").await, (json!("Li Wei"), taken));
    let view = edge.station("SZX/bench-1", |s| s["out"] == "the buyer asked").await;
    assert_eq!(view["devices"][0]["out"], Value::Null);
    let version = edge.get("/api/v1/stations/SZX/bench-1").await.json()["version"].clone();
    edge.post("/api/v1/orders", &order("A-1")).await;
    edge.until("/api/v1/parcels/A-1-1", |p| p["stage"] == "labelled").await;
    for _ in 0..2 {
        assert_eq!(edge.put_right(back.clone()).await, "");
    }
    assert_eq!(edge.last("/api/v1/stations/SZX/bench-1").await.1, json!({"station": {"put_back": {"why": "the buyer asked"}}}));
    assert_eq!(edge.get("/api/v1/stations/SZX/bench-1").await.json()["version"].as_u64(), Some(version.as_u64().unwrap() + 1));
    edge.station("SZX/bench-1", |s| s["out"] == Value::Null).await;
}

#[tokio::test]
async fn a_chute_goes_out_and_back_and_the_reject_chute_stays() {
    let edge = Edge::open().await;
    let chute = |what: &str, station: &str, chute: u16| json!({"do": what, "station": station, "chute": chute});
    let answer = edge.remedy(chute("take_chute_out", "SZX/line-1", 1)).await.json();
    assert_eq!(answer, json!({"kind": "station", "id": "SZX/line-1", "stage": "", "note": "chute 1 is out: the buyer asked"}));
    let view = edge.station("SZX/line-1", |s| s["chutes"][0]["out"] == "the buyer asked").await;
    assert_eq!((&view["out"], &view["chutes"][1]["out"]), (&Value::Null, &Value::Null));
    for (remedy, status, says) in [
        (chute("take_chute_out", "SZX/line-1", 9), StatusCode::CONFLICT, "is its reject chute"),
        (chute("take_chute_out", "SZX/line-1", 7), StatusCode::CONFLICT, "SZX/line-1 has no chute 7 in its sorting plan"),
        (chute("take_chute_out", "SZX/bench-1", 1), StatusCode::CONFLICT, "SZX/bench-1 is a bench: only a line has chutes"),
        (chute("put_chute_back", "SZX/line-9", 1), StatusCode::NOT_FOUND, "there is no station SZX/line-9"),
        (json!({"do": "clear_rejects", "station": "SZX/dock-1"}), StatusCode::CONFLICT, "only a line has chutes"),
        (json!({"do": "take_station_out", "station": "x".repeat(300)}), StatusCode::UNPROCESSABLE_ENTITY, "300 characters"),
        (json!({"do": "take_device_out", "device": "SZX/line-1/oven"}), StatusCode::NOT_FOUND, "there is no device SZX/line-1/oven"),
        (json!({"do": "take_channel_out", "channel": "test/air"}), StatusCode::NOT_FOUND, "there is no channel test/air"),
        (json!({"do": "resume_carrier", "carrier": "post"}), StatusCode::NOT_FOUND, "there is no carrier post"),
    ] {
        let answer = edge.remedy(remedy.clone()).await;
        assert_eq!(answer.status, status, "{remedy}: {}", answer.text);
        assert!(answer.text.contains(says), "{remedy}: {}", answer.text);
    }
    edge.put_right(chute("put_chute_back", "SZX/line-1", 1)).await;
    edge.station("SZX/line-1", |s| s["chutes"][0]["out"] == Value::Null).await;
    assert_eq!(edge.put_right(json!({"do": "clear_rejects", "station": "SZX/line-1", "rejected": 3})).await, "", "there were none");
}

#[tokio::test]
async fn a_device_goes_out_and_back() {
    let edge = Edge::open().await;
    for _ in 0..2 {
        assert_eq!(edge.put_right(json!({"do": "take_device_out", "device": "SZX/bench-1/printer"})).await, "out");
    }
    let taken = json!({"device": {"taken_out": {"why": "the buyer asked"}}});
    assert_eq!(edge.last("/api/v1/devices/SZX/bench-1/printer").await, (json!("Li Wei"), taken));
    let view = edge.station("SZX/bench-1", |s| s["devices"][0]["state"] == "out").await;
    assert_eq!((&view["devices"][0]["out"], &view["devices"][1]["state"]), (&json!("the buyer asked"), &json!("offline")));
    for _ in 0..2 {
        assert_eq!(edge.put_right(json!({"do": "put_device_back", "device": "SZX/bench-1/printer"})).await, "offline");
    }
    assert_eq!(edge.get("/api/v1/devices/SZX/bench-1/printer").await.json()["version"], 2);
}

#[tokio::test]
async fn an_order_that_only_a_channel_that_is_out_could_take_is_held_and_goes_on_by_itself() {
    let edge = Edge::open().await;
    let answer = edge.remedy(json!({"do": "take_channel_out", "channel": "test/ground"})).await.json();
    assert_eq!(answer, json!({"kind": "carrier", "id": "test", "stage": "open", "note": "channel test/ground is out: the buyer asked"}));
    let board = edge.until("/api/v1/board", |b| b["channels_out"][0]["channel"] == "test/ground").await;
    assert_eq!(board["channels_out"], json!([{"channel": "test/ground", "carrier": "test", "why": "the buyer asked"}]));
    edge.post("/api/v1/orders", &order("A-1")).await;
    let held = edge.until("/api/v1/orders/A-1", |o| o["holds"]["no_channel"] != Value::Null).await;
    assert!(held["holds"].to_string().contains("taken out by a person: the buyer asked"), "{}", held["holds"]);
    for _ in 0..2 {
        assert_eq!(edge.put_right(json!({"do": "put_channel_back", "channel": "test/ground"})).await, "open");
    }
    edge.until("/api/v1/parcels/A-1-1", |p| p["stage"] == "labelled").await;
    assert_eq!(edge.get("/api/v1/carriers/test").await.json()["version"], 2);
    assert_eq!(edge.last("/api/v1/carriers/test").await.0, "Li Wei");
    assert_eq!(edge.put_right(json!({"do": "resume_carrier", "carrier": "test"})).await, "open", "it was never left alone");
}

#[tokio::test]
async fn what_is_out_is_out_after_a_start() {
    let edge = Edge::open().await;
    edge.put_right(json!({"do": "take_station_out", "station": "SZX/line-1"})).await;
    edge.put_right(json!({"do": "take_chute_out", "station": "SZX/line-1", "chute": 1})).await;
    edge.put_right(json!({"do": "take_device_out", "device": "SZX/line-1/scale"})).await;
    edge.put_right(json!({"do": "take_channel_out", "channel": "test/ground"})).await;
    let twin = edge.site.house.twin.clone();
    edge.site.stop().await;
    let edge = Edge::on(drivers::Clock::free(1.0, twin::Moment::default()), twin).await;
    let view = edge.station("SZX/line-1", |s| s["out"] == "the buyer asked").await;
    assert_eq!((&view["chutes"][0]["out"], &view["devices"][1]["state"]), (&json!("the buyer asked"), &json!("out")));
    edge.post("/api/v1/orders", &order("A-1")).await;
    edge.until("/api/v1/orders/A-1", |o| o["holds"].to_string().contains("taken out by a person")).await;
    edge.put_right(json!({"do": "put_channel_back", "channel": "test/ground"})).await;
    edge.until("/api/v1/parcels/A-1-1", |p| p["stage"] == "labelled").await;
}

//! Settings over HTTP: read, compared, drafted as JSON and as TOML, put in force, refused.

use super::{Edge, SITE, order, post};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

fn site() -> Value {
    toml::from_str(SITE).unwrap()
}

fn toml_body(path: &str, text: &str) -> Request<Body> {
    Request::post(path).header("content-type", "application/toml").body(Body::from(text.to_owned())).unwrap()
}

#[tokio::test]
async fn a_site_is_changed_while_it_runs() {
    let edge = Edge::open().await;
    let none = edge.get("/api/v1/settings").await.json();
    assert_eq!(none, json!({ "in_force": 0, "needs_restart": [], "versions": [] }), "it was started with settings that nobody wrote down");
    // As it is, then with one change.
    let drafted = edge.post("/api/v1/settings?note=as%20it%20is", &site()).await;
    assert_eq!((drafted.status.as_u16(), &drafted.json()["number"]), (201, &json!(1)));
    let again = edge.ask(toml_body("/api/v1/settings", SITE)).await;
    assert_eq!((again.status.as_u16(), &again.json()["number"], &again.json()["new"]), (200, &json!(1), &json!(false)), "{}", again.text);
    let reason = json!({ "reason": "the first" });
    assert_eq!(edge.post("/api/v1/settings/1/activate", &reason).await.json()["stage"], "active");
    let mut other = site();
    other["carrier"][0]["cutoffs"] = json!(["15:00"]);
    other["warehouse"][0]["station"][0]["device"][0]["address"] = json!("tcp:10.0.0.5:9100");
    let drafted = edge.post("/api/v1/settings", &other).await.json();
    let change =
        |part: &str, path: &str, before: &str, after: &str| json!({ "part": part, "path": path, "before": before, "after": after });
    let changes = json!([
        change("carrier/test", "cutoffs", r#"["16:30"]"#, r#"["15:00"]"#),
        change("warehouse/SZX", "station[SZX/bench-1].device[SZX/bench-1/printer].address", "\"sim:\"", "\"tcp:10.0.0.5:9100\""),
    ]);
    assert_eq!(drafted["diff"], json!({ "with": 1, "number": 2, "changes": changes, "more": 0 }));
    assert_eq!(edge.get("/api/v1/settings/2/diff?with=1").await.json()["changes"], changes);
    let mut asked = post("/api/v1/settings/2/activate", &json!({ "reason": "earlier", "in_place_of": 1 }));
    asked.headers_mut().insert("idempotency-key", "k-7".parse().unwrap());
    let activated = edge.ask(asked).await.json();
    assert_eq!((&activated["stage"], &activated["needs_restart"]), (&json!("active"), &json!(["device SZX/bench-1/printer: address"])));
    let listed = edge.get("/api/v1/settings").await.json();
    assert_eq!((&listed["in_force"], &listed["needs_restart"][0]), (&json!(2), &json!("device SZX/bench-1/printer: address")));
    let stages: Vec<_> = listed["versions"].as_array().unwrap().iter().map(|v| (&v["number"], &v["stage"], &v["reason"])).collect();
    assert_eq!(stages, [(&json!(2), &json!("active"), &json!("earlier")), (&json!(1), &json!("archived"), &json!("the first"))]);
    assert_eq!((&listed["versions"][1]["note"], &listed["versions"][0]["activated_by"]), (&json!("as it is"), &json!("API key api")));
    assert_eq!(listed["versions"][1]["archived_why"], "version 2 is in force");
    let figures = edge.get("/metrics").await.text;
    assert!(
        figures.contains("parceltwin_settings_version 2") && figures.contains("parceltwin_settings_waiting_for_restart 1"),
        "{figures}"
    );
    // The console's board and the next decision go by it.
    let board = edge.until("/api/v1/board", |b| b["warehouses"][0]["cutoffs"][0]["local"].as_str().unwrap().ends_with("15:00")).await;
    assert!(board["records"].as_u64().unwrap() > 0);
    edge.post("/api/v1/orders", &order("A-1")).await;
    let decided = edge.until("/api/v1/orders/A-1", |o| o["parts"][0]["decision"].is_object()).await;
    assert_eq!(decided["parts"][0]["decision"]["settings"], 2);
    edge.until("/api/v1/decisions", |page| page["rows"][0]["settings"] == 2).await;
    // Records say by whom, and because of which request.
    let history = edge.get("/api/v1/settings/2").await.json();
    assert_eq!((&history["number"], &history["site"]["carrier"][0]["cutoffs"]), (&json!(2), &json!(["15:00"])));
    let records = edge.site.house.twin.records(0).map(|r| r.unwrap());
    let because: Vec<_> = records.filter(|r| r.because == twin::Because::Request("k-7".into())).map(|r| r.key.to_string()).collect();
    assert_eq!(because, ["settings 2", "settings 1"]);
    // Out as a site file, and in again as the same.
    let get = Request::get("/api/v1/settings/2").header("accept", "application/toml").body(Body::empty()).unwrap();
    let text = edge.ask(get).await;
    assert_eq!(text.headers["content-type"], "application/toml");
    assert_eq!(edge.ask(toml_body("/api/v1/settings", &text.text)).await.json()["number"], 2);
}

#[tokio::test]
async fn what_is_no_settings_is_refused_with_its_place() {
    let edge = Edge::open().await;
    let mut faulty = site();
    faulty["channel"][0]["carrier"] = json!("nobody");
    let refused = |answer: super::Answer, status: u16, detail: &str| {
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        let said = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(said.contains(detail), "{said}");
    };
    refused(edge.post("/api/v1/settings", &faulty).await, 422, "channel test/ground: there is no carrier nobody");
    refused(edge.post("/api/v1/settings", &json!({"name": 7})).await, 422, "line 1");
    refused(edge.ask(toml_body("/api/v1/settings", "name = [")).await, 422, "TOML parse error at line 1");
    let secret = SITE.replace("base_url = \"sim:\"", "base_url = \"https://u:p@api.example\"");
    refused(edge.ask(toml_body("/api/v1/settings", &secret)).await, 422, "what opens the account stands in secret_env");
    let file = SITE.replace("service = \"G\"", "service = \"G\"\ntariff_file = \"sheet.toml\"");
    refused(edge.ask(toml_body("/api/v1/settings", &file)).await, 422, "tariff_file has no folder here");
    let text = Request::post("/api/v1/settings").header("content-type", "text/plain").body(Body::from(SITE)).unwrap();
    refused(edge.ask(text).await, 415, "send application/json or application/toml");
    for (path, body, status, detail) in [
        ("/api/v1/settings/7/activate", json!({ "reason": "no" }), 404, "there is no version 7"),
        ("/api/v1/settings/x/activate", json!({ "reason": "no" }), 404, "versions have numbers"),
        ("/api/v1/settings/1/activate", json!({ "reason": "" }), 422, "1 faulty field"),
        ("/api/v1/settings/1/activate", json!({ "reason": "no", "from": "tomorrow" }), 422, "1 faulty field"),
        ("/api/v1/settings/1/activate", json!({ "reason": "no", "in_place_of": 3 }), 409, "version 0 is in force, not 3"),
        ("/api/v1/settings/1/activate", json!({ "reason": "no", "when": 3 }), 400, "unknown field `when`"),
    ] {
        edge.post("/api/v1/settings", &site()).await;
        refused(edge.post(path, &body).await, status, detail);
    }
    edge.post("/api/v1/settings/1/activate", &json!({ "reason": "yes", "from": "2000-01-01T00:00:00Z" })).await;
    refused(edge.post("/api/v1/settings/1/archive", &json!({ "reason": "no" })).await, 409, "version 1 is in force");
    refused(edge.get("/api/v1/settings/9").await, 404, "there is no version 9");
    refused(edge.get("/api/v1/settings/1/diff?with=9").await, 404, "there is no version 9");
    assert_eq!(edge.get("/api/v1/settings/1/diff").await.json()["changes"], json!([]));
}

#[tokio::test]
async fn what_is_planned_can_be_called_off() {
    let edge = Edge::open().await;
    edge.post("/api/v1/settings", &site()).await;
    let planned = edge.post("/api/v1/settings/1/activate", &json!({ "reason": "a day", "from": "2990-01-01T00:00:00+08:00" })).await.json();
    assert_eq!((&planned["stage"], &planned["active_from"]), (&json!("planned"), &json!("2989-12-31T16:00:00Z")));
    let reason = json!({ "reason": "another day" });
    for _ in 0..2 {
        assert_eq!(edge.post("/api/v1/settings/1/archive", &reason).await.json(), json!({ "number": 1, "stage": "archived" }));
    }
    let listed = edge.get("/api/v1/settings").await.json();
    let version = &listed["versions"][0];
    assert_eq!((&listed["in_force"], &version["stage"], &version["archived_why"]), (&json!(0), &json!("archived"), &json!("another day")));
    // What was archived can be drafted anew.
    assert_eq!(edge.post("/api/v1/settings", &site()).await.json()["number"], 2);
}

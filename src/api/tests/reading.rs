//! Questions: entities by any spelling of their id, history, labels, the board, health, figures, the description.

use super::{Edge, order};
use axum::http::StatusCode;
use serde_json::{Value, json};
use twin::Span;

#[tokio::test]
async fn what_is_not_there_is_a_problem() {
    let edge = Edge::open().await;
    for path in [
        "/api/v1/orders/X",
        "/api/v1/parcels/X",
        "/api/v1/parcels?tracking=X",
        "/api/v1/stations/SZX/line-7",
        "/api/v1/ships/X",
        "/nowhere",
    ] {
        let answer = edge.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{path}");
        assert_eq!(answer.json()["status"], 404, "{path}");
    }
    assert_eq!(edge.post("/api/v1/board", &json!({})).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(edge.get("/api/v1/orders/X?history=perhaps").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_slash_in_an_id_may_be_written_either_way() {
    let edge = Edge::open().await;
    let plain = edge.until("/api/v1/stations/SZX/line-1", |s| s["open"] == true).await;
    assert_eq!(plain["id"], "SZX/line-1");
    assert_eq!(edge.get("/api/v1/stations/SZX%2Fline-1").await.json(), plain);
    assert_eq!(edge.until("/api/v1/stock/SZX:own:A-17", |s| s["on_hand"] == 1_000).await["version"], 1);
    assert_eq!(edge.get("/api/v1/warehouses/SZX").await.json()["address"]["country"], "CN");
}

#[tokio::test]
async fn a_parcel_is_found_by_its_number_with_its_history_and_its_label() {
    let edge = Edge::open().await;
    edge.post("/api/v1/orders", &order("A-1")).await;
    let parcel = edge.until("/api/v1/parcels?tracking=T1&history=true", |p| p["history_complete"] == true).await;
    assert_eq!((&parcel["id"], &parcel["plan"]["order"]), (&json!("A-1-1"), &json!("A-1@amazon:s1")));
    let history = parcel["history"].as_array().unwrap();
    assert_eq!(history.len() as u64, parcel["version"].as_u64().unwrap(), "each event once");
    assert!(history[0]["event"]["parcel"]["created"].is_object(), "oldest first: {}", history[0]);
    let older = format!("/api/v1/parcels/A-1-1?history=true&before={}", history[1]["seq"]);
    let older = edge.get(&older).await.json();
    assert_eq!((&older["history"].as_array().unwrap()[..], &older["history_complete"]), (&history[..1], &json!(true)), "a page before");
    let none = edge.get("/api/v1/parcels/A-1-1?history=true&before=1").await.json();
    assert_eq!((&none["history"], &none["history_complete"]), (&json!([]), &json!(true)), "nothing is before the first");
    assert!(edge.get("/api/v1/parcels/A-1-1").await.json().get("history").is_none());
    assert_eq!(edge.get("/api/v1/parcels/A-1-1/label").await.text, "^XA^XZ");
    assert_eq!(edge.get("/api/v1/parcels/A-9-1/label").await.status, StatusCode::NOT_FOUND);
    let weighed = edge.get("/api/v1/decisions/A-1").await.json();
    assert_eq!((&weighed["outcome"], &weighed["weighed"], &weighed["channel"]), (&json!("chosen"), &json!(1), &json!("test/ground")));
    assert_eq!(edge.get("/api/v1/decisions/A-9").await.status, StatusCode::NOT_FOUND);
    let decided = edge.get("/api/v1/orders/A-1").await.json();
    assert_eq!(decided["parts"][0]["decision"]["candidates"][0]["verdict"], "chosen");
}

#[tokio::test]
async fn the_board_shows_counts_stations_and_recent_parcels() {
    let edge = Edge::open().await;
    let mut unpaid = order("A-2");
    unpaid["paid"] = json!(false);
    edge.post("/api/v1/orders", &json!([order("A-1"), unpaid])).await;
    let board = edge.until("/api/v1/board", |b| b["parcels"]["labelled"] == 1 && b["problems_open"] == 1).await;
    assert_eq!((&board["name"], &board["orders"]["held"]), (&json!("test & site"), &json!(1)));
    let held = &board["problems"][0];
    assert_eq!((&held["kind"], &held["href"]), (&json!("order"), &json!("/api/v1/orders/A-2@amazon:s1")));
    assert_eq!((&board["recent"][0]["id"], &board["recent"][0]["tracking"]), (&json!("A-1-1"), &json!("T1")));
    let warehouse = &board["warehouses"][0];
    assert_eq!(warehouse["time_zone"], "Asia/Shanghai");
    let cutoff = &warehouse["cutoffs"][0];
    let (at, local) = (cutoff["at"].as_str().unwrap(), cutoff["local"].as_str().unwrap());
    assert!(cutoff["carrier"] == "test" && at.ends_with("T08:30:00Z") && local.ends_with(&format!("{} 16:30", &at[..10])), "{cutoff}");
    let line = &warehouse["stations"][1];
    assert_eq!((&line["moving"], line["chutes"].as_array().unwrap().len()), (&json!(3), 2));
    assert_eq!(line["devices"][0]["state"], "offline");
}

#[tokio::test]
async fn it_is_alive_ready_and_tells_its_figures() {
    let edge = Edge::open().await;
    assert_eq!(edge.get("/healthz").await.json(), json!({"status": "alive"}));
    assert_eq!(edge.get("/readyz").await.json(), json!({"status": "ready"}));
    let figures = edge.get("/metrics").await;
    assert_eq!(figures.status, StatusCode::OK);
    assert!(figures.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
    for line in [
        "parceltwin_parcels{stage=\"in flight\"}",
        "parceltwin_orders{stage=\"held\"}",
        "parceltwin_journal_records",
        "parceltwin_http_requests_total{method=\"GET\",route=\"/readyz\",status=\"200\"}",
        "parceltwin_http_request_duration_seconds_bucket{method=\"GET\",route=\"/readyz\",le=\"0.05\"}",
    ] {
        assert!(figures.text.contains(line), "{line} is missing in {}", figures.text);
    }
    let Edge { site, api, .. } = edge;
    site.stop().await;
    let answer = crate::api::health::readyz(axum::extract::State(api)).await;
    assert_eq!(answer.err().map(|p| p.status), Some(503));
}

#[tokio::test]
async fn the_description_names_every_path_and_every_path_is_there() {
    let edge = Edge::open().await;
    let api: Value = edge.get("/api/v1/openapi.json").await.json();
    let paths: Vec<_> = api["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let known = [
        "/api/v1/allocations",
        "/api/v1/bags",
        "/api/v1/bags/{id}/hand-over",
        "/api/v1/board",
        "/api/v1/decisions",
        "/api/v1/decisions/{order}",
        "/api/v1/events",
        "/api/v1/exceptions",
        "/api/v1/manifests",
        "/api/v1/orders",
        "/api/v1/orders/{id}",
        "/api/v1/orders/{id}/cancel",
        "/api/v1/orders/{id}/forget",
        "/api/v1/parcels",
        "/api/v1/parcels/{id}",
        "/api/v1/parcels/{id}/charges",
        "/api/v1/parcels/{id}/label",
        "/api/v1/parcels/{id}/take-apart",
        "/api/v1/problems",
        "/api/v1/products",
        "/api/v1/products/{owner}/{sku}",
        "/api/v1/remedies",
        "/api/v1/returns",
        "/api/v1/returns/{parcel}/announce",
        "/api/v1/returns/{parcel}/close",
        "/api/v1/returns/{parcel}/receive",
        "/api/v1/search",
        "/api/v1/sellers",
        "/api/v1/sellers/{id}",
        "/api/v1/settings",
        "/api/v1/settings/{id}",
        "/api/v1/settings/{id}/activate",
        "/api/v1/settings/{id}/archive",
        "/api/v1/settings/{id}/diff",
        "/api/v1/sku-maps",
        "/api/v1/sku-maps/{platform}/{shop}/{sku}",
        "/api/v1/stock",
        "/api/v1/tracking",
        "/api/v1/{noun}/{id}",
        "/healthz",
        "/metrics",
        "/readyz",
    ];
    assert_eq!(paths, known);
    let money = &api["components"]["schemas"]["MoneyForm"]["properties"];
    assert_eq!((&money["amount"]["type"], &money["currency"]["example"]), (&json!("string"), &json!("USD")));
    for (path, operations) in api["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys().filter(|m| *m == "get") {
            let answer = edge.answer(axum::http::Request::get(path).body(axum::body::Body::empty()).unwrap()).await;
            assert_ne!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn an_order_that_nothing_takes_is_held_with_all_that_was_weighed() {
    let edge = Edge::open().await;
    let mut far = order("A-1");
    far["ship_to"]["country"] = json!("FR");
    far["ship_to"]["postcode"] = json!("75001");
    far["ship_to"]["region"] = json!("");
    far["lines"][0]["quantity"] = json!(5_000);
    edge.post("/api/v1/orders", &far).await;
    let held = edge.until("/api/v1/orders/A-1", |o| o["holds"]["no_stock"].is_string()).await;
    assert_eq!(held["holds"]["no_stock"], "SZX: short of A-17: 1000 of 5000");
    let weighed = edge.get("/api/v1/decisions/A-1").await.json();
    assert_eq!(weighed["outcome"], "no stock: SZX: short of A-17: 1000 of 5000");
    assert_eq!((&weighed["weighed"], &weighed["warehouse"], &weighed["rule"]), (&json!(1), &Value::Null, &json!("cheapest-with-stock@1")));
    let candidate = &weighed["candidates"][0];
    assert_eq!((&candidate["verdict_kind"], &candidate["parameters"]["there"]), (&json!("short"), &json!(1_000)));
    let chinese = edge.get("/api/v1/decisions/A-1?lang=zh").await.json();
    assert_eq!(chinese["outcome"], "缺货: SZX：缺货：A-17 可用 1000，需要 5000");
    assert_eq!(edge.get("/api/v1/decisions/A-1?lang=tlh").await.status, StatusCode::BAD_REQUEST);
    let records = edge.get("/api/v1/board").await.json()["records"].as_u64().unwrap();
    let listed = edge.get(&format!("/api/v1/decisions?at_least={records}")).await.json();
    let row = &listed["rows"][0];
    assert_eq!((&row["outcome"], &row["weighed"], &row["channel"]), (&json!("no stock"), &json!(1), &Value::Null));
    assert_eq!((&row["candidates"][0]["verdict_kind"], &row["candidates"][0]["parameters"]["wanted"]), (&json!("short"), &json!(5_000)));
}

#[tokio::test]
async fn the_board_says_why_a_device_does_not_work_and_since_when_and_not_when_that_is_over() {
    use actors::ledger::Host;
    use twin::device::{Command, DEGRADED, Device, DeviceKind};
    let edge = Edge::open().await;
    let scale = |board: &Value| {
        let stations = board["warehouses"][0]["stations"].as_array().unwrap().clone();
        let all = stations.iter().flat_map(|s| s["devices"].as_array().unwrap().clone());
        all.into_iter().find(|d| d["kind"] == "scale").unwrap()
    };
    let fresh = scale(&edge.get("/api/v1/board").await.json());
    assert_eq!((&fresh["state"], &fresh["why"], &fresh["since"]), (&"offline".into(), &"it has not answered yet".into(), &Value::Null));
    let id = fresh["id"].as_str().unwrap().to_owned();
    let house = &edge.site.house;
    let connect = || Command::Connect { kind: DeviceKind::Scale, identity: "MT 1".into() };
    let pulled = || Command::Disconnect { why: "the plug was pulled".into() };
    let garbled = || Command::RaiseFault { what: DEGRADED.into() };
    let cases = [
        (vec![connect()], "online", None),
        (vec![garbled()], "degraded", Some(DEGRADED)),
        // A fault that it had before is not why it is gone.
        (vec![pulled()], "offline", Some("the plug was pulled")),
        (vec![connect(), Command::RaiseFault { what: "overload".into() }], "faulty", Some("overload")),
        (vec![Command::RepeatFault { what: "overload".into(), times: 3, known: 2 }], "faulty", Some("overload")),
        (vec![Command::ClearFault], "online", None),
    ];
    let mut since = Vec::new();
    for (commands, state, why) in cases {
        let (mut work, mut host) = (house.work(), Host::<Device>::load(&house.twin, id.clone()).unwrap());
        for command in commands {
            host.command(&mut work, command).unwrap();
        }
        house.commit(work);
        let version = u64::from(host.version);
        edge.until(&format!("/api/v1/devices/{id}"), |d| d["version"] == version).await;
        // The board is at most half a second old.
        edge.api.clock.sleep(Span::from_ms(600)).await;
        let view = scale(&edge.get("/api/v1/board").await.json());
        assert_eq!((view["state"].as_str(), view["why"].as_str()), (Some(state), why), "{view}");
        assert_eq!(view["since"].is_string(), why.is_some(), "{view}");
        since.push(view["since"].clone());
    }
    assert_eq!(since[3], since[4], "a fault that comes again is there since it came first");
}

//! Lists and the search: what is asked is what comes, page after page, up to the record that is named, with every text literal.

use super::{Edge, order};
use axum::http::StatusCode;
use serde_json::{Value, json};

/// As an attacker is called.
const NAME: &str = "<img src=x onerror=alert(1)> =cmd|' /C calc'!A0 \u{1b}[2J Zoë";

async fn with_orders(edge: &Edge) -> u64 {
    let names = ["José Muñoz", "王小明", NAME, "Ann O'Neil"];
    for n in 0..12 {
        let mut order = order(&format!("A-{n}"));
        order["ship_to"]["name"] = names[n % 4].into();
        order["ship_to"]["street"] = json!(format!("{n} Elm Avenue"));
        order["platform"] = json!(if n < 3 { "etsy" } else { "amazon" });
        let answer = edge.post("/api/v1/orders", &order).await;
        assert!(answer.status.is_success(), "{answer:?}");
    }
    // The attacker's are held: what does not print cannot stand on a label.
    let all = |b: &Value| b["parcels"]["labelled"] == 9 && b["orders"]["held"] == 3;
    edge.until("/api/v1/board", all).await["records"].as_u64().unwrap()
}

fn ids(page: &Value) -> Vec<&str> {
    let rows = page["rows"].as_array().or(page["found"].as_array()).unwrap();
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_list_is_asked_by_facets_page_after_page() {
    let edge = Edge::open().await;
    let records = with_orders(&edge).await;
    let get = async |path: &str| edge.get(&format!("{path}&at_least={records}")).await.json();
    let first = get("/api/v1/orders?platform=amazon&limit=5").await;
    assert_eq!(ids(&first), ["A-11", "A-10", "A-9", "A-8", "A-7"].map(|n| format!("{n}@amazon:s1")));
    assert!(first["record"].as_u64().unwrap() >= records);
    let row = &first["rows"][1];
    assert_eq!((&row["buyer"], &row["value"]["amount"], &row["pieces"]), (&json!(NAME), &json!("15.58"), &json!(2)));
    let next = first["next"].as_u64().unwrap();
    let second = get(&format!("/api/v1/orders?platform=amazon&limit=5&after={next}")).await;
    assert_eq!(
        (ids(&second), &second["next"]),
        (["A-6", "A-5", "A-4", "A-3"].map(|n| format!("{n}@amazon:s1")).iter().map(String::as_str).collect(), &Value::Null)
    );
    let parcels = get("/api/v1/parcels?stage=labelled&country=US&platform=etsy").await;
    assert_eq!(ids(&parcels), ["A-1-1", "A-0-1"]);
    assert_eq!(ids(&get("/api/v1/orders?stage=held&platform=etsy").await), ["A-2@etsy:s1"]);
    assert_eq!(ids(&get("/api/v1/orders?number=A-2").await), ["A-2@etsy:s1"]);
    assert_eq!(edge.get("/api/v1/parcels?tracking=T1").await.json()["tracking"], "T1", "one by its number, as before");
    assert_eq!(get("/api/v1/decisions?channel=test/ground").await["rows"][0]["candidates"][0]["verdict"], "chosen");
    assert!(get("/api/v1/exceptions?what=disconnected").await["rows"].is_array());
    assert_eq!(ids(&get("/api/v1/orders?from=2999-01-01").await).len() + ids(&get("/api/v1/orders?to=1999-01-01").await).len(), 0);
    let stock = get("/api/v1/stock?sku=A-17").await;
    assert_eq!((&stock["rows"][0]["on_hand"], &stock["rows"][0]["reserved"]), (&json!(1_000), &json!(18)));
    for (bad, why) in [
        ("stock?from=2026-11-25", "as it is now"),
        ("orders?limit=201", "between 1 and 200"),
        ("orders?from=yesterday", "neither a date"),
        ("orders?colour=red", "colour"),
        ("bags?platform=etsy", "bags have no platform"),
        ("orders?tracking=T1", "tracking"),
        ("orders?at_least=99999999", "not in the journal"),
        ("search?q=a", "two letters"),
        ("search?q=ann&kind=ship", "\"ship\""),
        (&format!("search?q={}", "a".repeat(201)), "200 characters"),
        (&format!("orders?stage={}", "a".repeat(101)), "100 characters"),
    ] {
        let answer = edge.get(&format!("/api/v1/{bad}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{bad}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(why), "{bad}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_buyer_is_found_by_a_part_of_any_name_until_forgotten() {
    let edge = Edge::open().await;
    let records = with_orders(&edge).await;
    let find = async |text: &str| edge.get(&format!("/api/v1/search?q={text}&at_least={records}")).await.json();
    for (text, found) in [
        ("munoz", 3),
        ("JOS%C3%89", 3),
        ("%E5%B0%8F%E6%98%8E", 3), // 小明
        ("oneil%20elm", 3),
        ("11%20elm", 1),
        ("A-17", 12),
        ("%22elm%22", 12),
        ("elm%20AND%20munoz", 0),
        ("onerror", 3),
    ] {
        let orders = find(&format!("{text}&kind=order")).await;
        assert_eq!(ids(&orders).len(), found, "{text}: {orders}");
    }
    assert_eq!(ids(&find("A-3").await)[0], "A-3@amazon:s1", "what is called so comes first");
    assert_eq!(find("T1").await["found"][0]["kind"], "parcel", "a tracking number is its parcel's");
    let page = edge.get("/lists?q=onerror").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("&#60;img src=x") && !page.text.contains("<img") && !page.text.contains('\u{1b}'), "{}", page.text);
    let page = edge.get("/lists?of=orders&platform=etsy&stage=&q=").await;
    assert!(page.text.contains("/#find=A-2") && !page.text.contains("A-3@"), "{}", page.text);
    assert_eq!(edge.get("/lists?country=US&from=bad").await.status, StatusCode::BAD_REQUEST);
    edge.post("/api/v1/orders/A-0/cancel", &json!({"reason": "elmless"})).await;
    edge.post("/api/v1/orders/A-0/forget", &json!({})).await;
    let records = edge.until("/api/v1/orders/A-0", |o| o["forgotten"] == true).await["version"].as_u64().unwrap().max(records);
    edge.until(&format!("/api/v1/search?q=munoz&kind=order&at_least={records}"), |f| ids(f).len() == 2).await;
    let orders = edge.until("/api/v1/orders?platform=etsy", |page| page["rows"][2]["forgotten"] == true).await;
    assert_eq!(orders["rows"][2]["buyer"], Value::Null);
    assert_eq!(edge.get("/api/v1/search?q=elmless").await.json()["found"][0]["kind"], "exception", "reasons are found");
    let metrics = edge.get("/metrics").await.text;
    assert!(metrics.contains("parceltwin_query_behind_records") && metrics.contains("parceltwin_query_behind_seconds"));
}

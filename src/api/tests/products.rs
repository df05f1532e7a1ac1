//! What is sold, told and changed on a running site: bundles, SKUs that nobody knew, two sellers' goods, facts that change.

use super::{Edge, counted, order, post};
use actors::slip;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use twin::order::Order;
use twin::parcel::Parcel;
use twin::stock::{Counted, Stock};

fn put(path: &str, body: &Value) -> Request<Body> {
    let mut request = post(path, body);
    *request.method_mut() = "PUT".parse().unwrap();
    request
}

fn facts(weight_g: u32, description: &str) -> Value {
    json!({
        "weight_g": weight_g, "length_mm": 100, "width_mm": 80, "height_mm": 50, "battery": "none", "category": "toys",
        "hs_code": "950300", "origin": "CN", "description": description, "declared_value": { "amount": "1.50", "currency": "USD" },
    })
}

impl Edge {
    async fn put(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.ask(put(path, body)).await;
        (answer.status.as_u16(), answer.json())
    }

    fn state<E: twin::Entity>(&self, id: &str) -> E {
        let twin = &self.site.house.twin;
        let id = match E::KIND {
            twin::Kind::Order => twin.orders_called(id).unwrap()[0].text().clone(),
            _ => id.into(),
        };
        twin.load(&id).unwrap().unwrap_or_else(|| panic!("there is no {id}")).1
    }

    fn count(&self, owner: &str, sku: &str, on_hand: u32) {
        self.site.count(vec![Counted { owner: owner.into(), sku: sku.into(), ..counted(on_hand) }]);
    }

    fn stock(&self, id: &str) -> (u32, u32) {
        let Stock { on_hand, reserved, .. } = self.state(id);
        (on_hand, reserved)
    }
}

/// An order of so many of a SKU, from a shop.
fn of(id: &str, shop: &str, sku: &str, quantity: u32) -> Value {
    let mut order = order(id);
    order["shop"] = shop.into();
    order["lines"][0]["sku"] = sku.into();
    order["lines"][0]["quantity"] = quantity.into();
    order
}

const ALLOCATED: fn(&Value) -> bool = |o| o["stage"] == "allocated";
const GIFT_SET: &str = "/api/v1/sku-maps/amazon/s1/Gift%20set";

#[tokio::test]
async fn a_bundle_is_reserved_declared_and_printed_as_what_is_in_it() {
    let edge = Edge::open().await;
    assert_eq!(edge.put("/api/v1/products/own/B-3", &facts(40, "wooden top")).await.1["outcome"], "new");
    edge.count("own", "B-3", 10);
    let parts = json!({ "components": [{ "sku": "A-17", "quantity": 2 }, { "sku": "B-3", "quantity": 1 }] });
    let (status, told) = edge.put(GIFT_SET, &parts).await;
    assert_eq!((status, &told["id"]), (201, &json!("amazon:s1:Gift%20set")));
    edge.post("/api/v1/orders", &of("A-1", "s1", "Gift set", 3)).await;
    edge.until("/api/v1/orders/A-1", ALLOCATED).await;
    assert_eq!((edge.stock("SZX:own:A-17"), edge.stock("SZX:own:B-3")), ((1_000, 6), (10, 3)));
    edge.until("/api/v1/parcels/A-1-1", |_| true).await;
    let parcel: Parcel = edge.state("A-1-1");
    // Six of 200 g and three of 40 g, with 20 g and 3 % of packaging.
    assert_eq!((parcel.plan.declared_g, parcel.plan.contents.as_str(), parcel.plan.battery), (1_380, "toys × 6, wooden top × 3", false));
    let zpl = slip::pick_slip(&"A-1-1".into(), &parcel.plan.items);
    assert!(zpl.contains("^FDPICK 6 A-17^FS") && zpl.contains("^FDPICK 3 B-3^FS") && !zpl.contains("Gift"), "{zpl}");
    // Told otherwise, later orders are of the new bundle, and what is reserved for the first is set free by what it was.
    edge.put(GIFT_SET, &json!({ "components": [{ "sku": "B-3", "quantity": 5 }] })).await;
    edge.post("/api/v1/orders", &of("A-2", "s1", "Gift set", 1)).await;
    edge.until("/api/v1/orders/A-2", ALLOCATED).await;
    edge.post("/api/v1/orders/A-1/cancel", &json!({ "reason": "no" })).await;
    assert_eq!((edge.stock("SZX:own:A-17"), edge.stock("SZX:own:B-3")), ((1_000, 0), (10, 5)));
}

#[tokio::test]
async fn what_nobody_knows_is_held_by_its_name_and_goes_on_once_it_is_told() {
    let edge = Edge::open().await;
    let two = json!([of("A-1", "s1", "Gift set", 1), of("A-2", "s2", "Gift set", 1)]);
    edge.post("/api/v1/orders", &two).await;
    let held = edge.until("/api/v1/orders/A-1", |o| o["holds"]["unknown_sku"] == "Gift set").await;
    assert_eq!(held["lines"][0]["goods"], json!([]));
    let refused = edge.put(GIFT_SET, &json!({ "components": [{ "sku": "B-3", "quantity": 1 }] })).await;
    assert_eq!((refused.0, refused.1["detail"].as_str().unwrap()), (409, "own sells no B-3"));
    edge.put(GIFT_SET, &json!({ "components": [{ "sku": "A-17", "quantity": 2 }] })).await;
    let released = edge.until("/api/v1/orders/A-1", ALLOCATED).await;
    assert_eq!((&released["lines"][0]["goods"][0]["sku"], &released["holds"]), (&json!("A-17"), &json!({})));
    // The other shop's of that name is another thing.
    assert_eq!(edge.get("/api/v1/orders/A-2").await.json()["holds"]["unknown_sku"], "Gift set");
    edge.put("/api/v1/products/own/Gift%20set", &facts(700, "")).await;
    edge.count("own", "Gift set", 1);
    edge.until("/api/v1/orders/A-2", ALLOCATED).await;
    // Retired, it is held again, and so is the bundle that it is part of; told anew, both go on.
    edge.put(GIFT_SET, &json!({ "components": [{ "sku": "Gift set", "quantity": 1 }, { "sku": "A-17", "quantity": 1 }] })).await;
    let gone = Request::delete("/api/v1/products/own/Gift%20set").body(Body::empty()).unwrap();
    assert_eq!(edge.ask(gone).await.json()["outcome"], "changed");
    edge.count("own", "Gift set", 5);
    edge.post("/api/v1/orders", &json!([of("A-3", "s1", "Gift set", 1), of("A-4", "s2", "Gift set", 1)])).await;
    let why = edge.until("/api/v1/orders/A-3", |o| o["holds"]["unknown_sku"].is_string()).await["holds"]["unknown_sku"].clone();
    assert_eq!(why, "Gift set (of Gift set, which is not sold)");
    edge.until("/api/v1/orders/A-4", |o| o["holds"]["unknown_sku"] == "Gift set (retired)").await;
    edge.put("/api/v1/products/own/Gift%20set", &facts(710, "")).await;
    for id in ["A-3", "A-4"] {
        edge.until(&format!("/api/v1/orders/{id}"), ALLOCATED).await;
    }
}

#[tokio::test]
async fn two_sellers_with_one_sku_never_take_each_others_stock() {
    let edge = Edge::open().await;
    let shops = |shops: &[&str]| {
        let shops: Vec<_> = shops.iter().map(|shop| json!({ "platform": "amazon", "shop": shop })).collect();
        json!({ "name": "Lumen Ltd", "shops": shops })
    };
    // It came before anybody said whose the shop is.
    edge.post("/api/v1/orders", &of("L-0", "lum", "LAMP", 1)).await;
    edge.until("/api/v1/orders/L-0", |o| o["holds"]["unknown_sku"] == "LAMP").await;
    for sku in ["A-17", "LAMP"] {
        edge.put(&format!("/api/v1/products/LUM/{sku}"), &facts(900, "LED lamp")).await;
        edge.count("LUM", sku, 3);
    }
    assert_eq!(edge.put("/api/v1/sellers/LUM", &shops(&["lum", "lum-2"])).await.0, 201);
    edge.until("/api/v1/orders/L-0", |o| o["stage"] == "allocated" && o["seller"] == "LUM").await;
    let taken = edge.put("/api/v1/sellers/OTHER", &shops(&["lum"])).await;
    assert_eq!((taken.0, taken.1["detail"].as_str().unwrap()), (409, "lum of amazon is of seller LUM already"));
    assert_eq!(edge.put("/api/v1/sellers/own", &shops(&["s1"])).await.0, 409);
    edge.post("/api/v1/orders", &json!([of("L-1", "lum", "A-17", 2), of("O-1", "s1", "A-17", 5)])).await;
    edge.until("/api/v1/orders/L-1", ALLOCATED).await;
    edge.until("/api/v1/orders/O-1", ALLOCATED).await;
    assert_eq!((edge.stock("SZX:LUM:A-17"), edge.stock("SZX:own:A-17")), ((3, 2), (1_000, 5)));
    let weights: Vec<u32> = ["L-1", "O-1"].map(|id| edge.state::<Order>(id).content.lines[0].goods[0].facts.weight_g).to_vec();
    assert_eq!(weights, [900, 200]);
    // There are a thousand, and none of them theirs.
    edge.post("/api/v1/orders", &of("L-2", "lum-2", "A-17", 2)).await;
    edge.until("/api/v1/orders/L-2", |o| o["holds"]["no_stock"].is_string()).await;
    // The shop is given away: what came before stays Lumen's, to its end.
    edge.put("/api/v1/sellers/LUM", &shops(&["lum-2"])).await;
    edge.post("/api/v1/orders", &of("O-2", "lum", "A-17", 1)).await;
    edge.until("/api/v1/orders/O-2", ALLOCATED).await;
    edge.post("/api/v1/orders/L-1/cancel", &json!({ "reason": "no" })).await;
    edge.until("/api/v1/orders/L-2", ALLOCATED).await;
    assert_eq!((edge.stock("SZX:LUM:A-17"), edge.stock("SZX:own:A-17")), ((3, 2), (1_000, 6)));
}

#[tokio::test]
async fn a_changed_fact_is_for_later_orders_and_is_told_by_whom() {
    let edge = Edge::open().await;
    edge.post("/api/v1/orders", &of("A-1", "s1", "A-17", 1)).await;
    edge.until("/api/v1/parcels/A-1-1", |p| p["stage"] == "labelled").await;
    let before = edge.state::<Order>("A-1");
    let answer = edge.ask(put("/api/v1/products/own/A-17", &facts(5_000, "stone block"))).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["outcome"]), (200, &json!("changed")));
    let request = answer.headers["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(edge.put("/api/v1/products/own/A-17", &facts(5_000, "stone block")).await.1["outcome"], "same");
    edge.post("/api/v1/orders", &of("A-2", "s1", "A-17", 1)).await;
    edge.until("/api/v1/parcels/A-2-1", |_| true).await;
    assert_eq!(edge.state::<Order>("A-1"), before);
    let declared = ["A-1-1", "A-2-1"].map(|id| edge.state::<Parcel>(id).plan.declared_g);
    assert_eq!(declared, [226, 5_170]);
    let shown = edge.get("/api/v1/products/own/A-17?history=true").await.json();
    assert_eq!((&shown["facts"]["description"], &shown["version"]), (&json!("stone block"), &json!(2)));
    assert_eq!(shown["history"][1]["because"]["request"], request);
}

#[tokio::test]
async fn many_are_told_at_once_and_each_is_answered() {
    let edge = Edge::open().await;
    let row = |sku: &str, weight_g: i64| {
        let mut facts = facts(1, "thing");
        facts["weight_g"] = weight_g.into();
        json!({ "sku": sku, "facts": facts })
    };
    let mut rows: Vec<_> = (0..600).map(|n| row(&format!("N-{n}"), n + 1)).collect();
    rows[7] = row("N-7", -1);
    rows[8]["facts"]["hs_code"] = json!("12");
    rows[9]["owner"] = json!("a:b");
    rows[10]["facts"]["colour"] = json!("red");
    rows.push(row("N-0", 1));
    let told = edge.post("/api/v1/products", &json!({ "products": rows })).await.json();
    let outcomes: Vec<&str> = told["rows"].as_array().unwrap().iter().map(|r| r["outcome"].as_str().unwrap()).collect();
    assert_eq!((outcomes.len(), outcomes.iter().filter(|o| **o == "new").count(), outcomes[600]), (601, 596, "same"));
    let why = |n: usize| told["rows"][n]["why"].as_str().unwrap();
    assert!(why(7).contains("invalid value") && why(8) == "hs_code \"12\" is not six to ten digits", "{} {}", why(7), why(8));
    assert!(why(9).starts_with("owner \"a:b\" must be") && why(10).contains("colour"), "{} {}", why(9), why(10));
    let maps: Vec<_> = [("N-1", 2), ("N-9", 1)]
        .map(|(sku, quantity)| json!({ "platform": "etsy", "shop": "e/1", "sku": sku, "components": [{ "sku": sku, "quantity": quantity }] }))
        .to_vec();
    let told = edge.post("/api/v1/sku-maps", &json!({ "maps": maps })).await.json();
    assert_eq!((&told["rows"][0]["id"], &told["rows"][1]["why"]), (&json!("etsy:e%2F1:N-1"), &json!("own sells no N-9")));
    let counts = [("SZX", "N-1", 7), ("SZX", "N-1", 7), ("MARS", "N-1", 1), ("SZX", "", 1)]
        .map(|(warehouse, sku, on_hand)| json!({ "warehouse": warehouse, "sku": sku, "on_hand": on_hand }));
    let told = edge.post("/api/v1/stock", &json!({ "stock": counts })).await.json();
    let outcomes: Vec<_> = told["rows"].as_array().unwrap().iter().map(|r| r["outcome"].as_str().unwrap()).collect();
    assert_eq!((outcomes, &told["rows"][2]["why"]), (vec!["new", "same", "refused", "refused"], &json!("there is no warehouse MARS")));
    assert_eq!(edge.stock("SZX:own:N-1"), (7, 0));
    // Lists and the search know them.
    let records = edge.site.house.twin.head().records;
    let get = async |path: &str| edge.get(&format!("/api/v1/{path}&at_least={records}")).await.json();
    let page = get("products?owner=own&category=toys&limit=200").await;
    assert_eq!((page["rows"].as_array().unwrap().len(), &page["rows"][0]["sku"]), (200, &json!("N-599")));
    assert_eq!(page["rows"][0]["declared_value"], json!({ "amount": "1.5", "currency": "USD" }));
    let maps = get("sku-maps?shop=e/1").await;
    assert_eq!((&maps["rows"][0]["stage"], &maps["rows"][0]["components"][0]["quantity"]), (&json!("bundle"), &json!(2)));
    assert!(get("sellers?limit=5").await["rows"].as_array().unwrap().is_empty());
    edge.put("/api/v1/products/own/N-3", &facts(9, "zirconium ring")).await;
    let records = edge.site.house.twin.head().records;
    let found = edge.get(&format!("/api/v1/search?q=zirconium&kind=product&at_least={records}")).await.json();
    assert_eq!((&found["found"][0]["id"], &found["found"][0]["detail"]), (&json!("own:N-3"), &json!("zirconium ring")));
    assert_eq!(edge.get("/api/v1/sku-maps/etsy/e%2F1/N-1").await.json()["components"][0]["sku"], "N-1");
    let unmapped = Request::delete("/api/v1/sku-maps/etsy/e%2F1/N-1").body(Body::empty()).unwrap();
    assert_eq!(edge.ask(unmapped).await.json()["outcome"], "changed");
    for (path, body, field) in [
        ("products/own/N-3", json!({ "weight_g": 1, "length_mm": 0, "width_mm": 1, "height_mm": 1 }), "length_mm"),
        ("products/o:n/N-3", facts(1, ""), "owner"),
        ("sku-maps/etsy/e/N-3", json!({ "components": [] }), "components"),
        ("sku-maps/etsy/e/N-3", json!({ "components": [{ "sku": "N-3", "quantity": 1_001 }] }), "components.quantity"),
        ("sellers/L:M", json!({ "name": "L", "shops": [] }), "id"),
        ("sellers/LUM", json!({ "name": "", "shops": [] }), "name"),
    ] {
        let (status, problem) = edge.put(&format!("/api/v1/{path}"), &body).await;
        assert_eq!((status, problem["errors"][0]["field"].as_str()), (422, Some(field)), "{path}: {problem}");
    }
    assert_eq!(edge.get("/api/v1/products/own/none").await.status, 404);
}

#![allow(clippy::disallowed_methods, reason = "a test of the live program waits in real time")]
//! What is sold, from a file to the door: bundles are picked, packed and shipped as what is in them, and what a running site was
//! told stays told when it is killed.

mod support;

use drivers::platforms::read_order_file;
use serde_json::{Value, json};
use sim::scenario::Scenario;
use std::path::Path;
use std::time::Duration;
use support::{Live, order, parceltwin, project};
use twin::order::Order;
use twin::parcel::Parcel;
use twin::stock::Stock;

const PRODUCTS: &str = "sku,category,weight_g,length_mm,width_mm,height_mm,battery,hs_code,origin,description\n\
                        A,toys,300,120,90,90,0,950300,CN,wooden train\nB,toys,900,200,150,60,0,950300,CN,wooden bridge\n";

/// The floor picks what the slip says and boxes it; a box with anything else in it is another weight, and goes to rework.
#[test]
fn a_bundle_ships_as_what_is_in_it() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("it writes");
    let row = |n: u32, sku: &str, quantity: u32| {
        format!("ETS-{n},etsy,etsy-1,2026-11-09T09:00:{n:02}+08:00,US,78701,Austin,TX,{sku},{quantity},19.90,USD,A Buyer,1 Main St\n")
    };
    let head = "order_id,platform,shop,placed_at,country,postcode,city,region,sku,quantity,unit_price,currency,name,street\n";
    write("orders.csv", &[head.to_owned(), row(1, "Gift set", 1), row(2, "Gift set", 2), row(3, "A", 1), row(4, "Nobody's", 1)].concat());
    write("products.csv", PRODUCTS);
    write("stock.csv", "warehouse,sku,on_hand\nSZX,A,50\nSZX,B,50\n");
    write("sku_maps.csv", "platform,shop,sku,our_sku,quantity\netsy,etsy-1,Gift set,A,2\netsy,etsy-1,Gift set,B,1\n");
    let orders = read_order_file(&dir.path().join("orders.csv")).expect("it reads");
    let mut scenario = Scenario::read(&project().join("scenarios/quick-start")).expect("the bundled scenario is good");
    // Nobody errs, so that every box is what its slip says.
    scenario.floor = Default::default();
    let run = sim::run::run(&scenario, 1, Some(&orders), &mut |_| ()).expect("it runs");
    let state = |number: &str| {
        let id = twin::OrderId::of("etsy", "etsy-1", number);
        run.twin.load::<Order>(id.text()).expect("it reads").expect("it is there").1
    };
    for (id, goods_g) in [("ETS-1", 1_500), ("ETS-2", 3_000), ("ETS-3", 300)] {
        let far = twin::fulfilment::Fulfilment::of_order(&run.twin, &state(id)).expect("it reads");
        assert_eq!(far.stage, "delivered", "{id}: {:?}", state(id).holds);
        let (_, parcel) = run.twin.load::<Parcel>(&format!("{id}-1").into()).expect("it reads").expect("it is there");
        let measured_g = parcel.measured_g.expect("it was weighed");
        assert!((goods_g + 20..goods_g * 112 / 100 + 40).contains(&measured_g), "{id} weighs {measured_g} g");
    }
    assert_eq!(state("ETS-4").holds.values().map(ToString::to_string).collect::<Vec<_>>(), ["Nobody's"]);
    let on_hand = |sku: &str| run.twin.load::<Stock>(&format!("SZX:own:{sku}").into()).expect("it reads").expect("it is there").1;
    let left = ["A", "B"].map(|sku| (on_hand(sku).on_hand, on_hand(sku).reserved));
    assert_eq!(left, [(50 - 2 - 4 - 1, 0), (50 - 1 - 2, 0)]);
}

/// A simulated site on the bundled plan, with these products.
fn start(site: &Path, data: &Path, more: &[&str]) -> Live {
    let plan = project().join("scenarios/quick-start/site.toml");
    std::fs::copy(plan, site.join("site.toml")).expect("it copies");
    let mut command = parceltwin();
    command.arg("live").arg(site.join("site.toml")).args(["--simulated", "--orders-per-hour", "0", "--listen", "127.0.0.1:0", "--data"]);
    Live::spawn(command.arg(data).args(more))
}

async fn get(live: &Live, path: &str) -> Value {
    let answer = reqwest::get(format!("{}/api/v1/{path}", live.url)).await.expect("the site answers");
    answer.json().await.expect("it is JSON")
}

async fn put(live: &Live, path: &str, body: Value) -> Value {
    let answer = reqwest::Client::new().put(format!("{}/api/v1/{path}", live.url)).json(&body).send().await.expect("the site answers");
    answer.json().await.expect("it is JSON")
}

async fn until(live: &Live, path: &str, good: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..500 {
        let answer = get(live, path).await;
        if good(&answer) {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{path} never became as it should: {}", get(live, path).await)
}

fn order_of(id: &str, sku: &str) -> Value {
    let mut order = order(id);
    order["lines"][0]["sku"] = json!(sku);
    order
}

async fn hand_in(live: &Live, order: &Value) {
    let answer = reqwest::Client::new().post(format!("{}/api/v1/orders", live.url)).json(order).send().await.expect("the site answers");
    assert!(answer.status().is_success(), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_told_stays_told_when_the_site_is_killed() {
    let (site, data) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let write = |name: &str, text: &str| std::fs::write(site.path().join(name), text).expect("it writes");
    write("products.csv", PRODUCTS);
    write("stock.csv", "warehouse,sku,on_hand\nSZX,A,50\nSZX,B,50\nLAX,A,50\nLAX,B,50\n");
    let mut live = start(site.path(), data.path(), &[]);
    until(&live, "products/own/B", |p| p["facts"]["weight_g"] == 900).await;
    hand_in(&live, &order_of("E-1", "A")).await;
    until(&live, "orders/E-1", |o| o["stage"] != "received").await;
    // Told over the API and from a file, one row of which is bad.
    let facts = json!({ "weight_g": 500, "length_mm": 120, "width_mm": 90, "height_mm": 90 });
    assert_eq!(put(&live, "products/own/A", facts).await["outcome"], "changed");
    let told = |name: &str, command: &str, text: &str| {
        write(name, text);
        let file = site.path().join(name);
        let output = parceltwin().args(["products", command]).arg(file).args(["--site", &live.url]).output().expect("the program runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), said)
    };
    let news = PRODUCTS.replace("A,toys,300", "C,toys,heavy") + "D,toys,80,60,60,60,packed_with,,,\n";
    let (status, said) = told("news.csv", "import", &news);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("products: 1 new, 0 changed, 1 as before, 1 left out"), "{said}");
    assert!(said.contains("news.csv line 2: weight_g is \"heavy\""), "{said}");
    hand_in(&live, &order_of("E-2", "Gift set")).await;
    until(&live, "orders/E-2", |o| o["holds"]["unknown_sku"] == "Gift set").await;
    live.kill();
    // What the file says otherwise is told, and not taken.
    let mut live = start(site.path(), data.path(), &[]);
    assert_eq!(get(&live, "products/own/A").await["facts"]["weight_g"], 500);
    assert_eq!(get(&live, "products/own/D").await["facts"]["battery"], "packed_with");
    assert_eq!(get(&live, "orders/E-2").await["holds"]["unknown_sku"], "Gift set");
    let told = |text: &str| {
        write("maps.csv", text);
        let file = site.path().join("maps.csv");
        parceltwin().args(["products", "map"]).arg(file).args(["--site", &live.url]).output().expect("the program runs")
    };
    let output = told("platform,shop,sku,our_sku,quantity\nshopify,shopify-1,Gift set,A,2\nshopify,shopify-1,Gift set,B,1\n");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let goods = until(&live, "orders/E-2", |o| o["stage"] != "received").await["lines"][0]["goods"].clone();
    let weights: Vec<_> = goods.as_array().expect("they are known").iter().map(|g| g["facts"]["weight_g"].clone()).collect();
    assert_eq!(weights, [500, 900]);
    assert_eq!(get(&live, "orders/E-1").await["lines"][0]["goods"][0]["facts"]["weight_g"], 300, "what was decided is kept");
    live.kill();
    let live = start(site.path(), data.path(), &["--take-products"]);
    until(&live, "products/own/A", |p| p["facts"]["weight_g"] == 300).await;
    assert_eq!(get(&live, "products/own/A").await["version"], 3);
    hand_in(&live, &order_of("E-3", "Gift set")).await;
    until(&live, "orders/E-3", |o| o["stage"] != "received").await;
    drop(live);
    let verified = parceltwin().args(["twin", "verify", "--data"]).arg(data.path()).output().expect("the program runs");
    assert!(verified.status.success(), "{verified:?}");
}

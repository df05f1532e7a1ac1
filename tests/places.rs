#![allow(clippy::disallowed_methods, reason = "a test of the live program waits in real time")]
//! Addresses as shops write them, handed in over HTTP: put right once and for all, or held with each fault named.

mod support;

use serde_json::{Value, json};
use std::time::Duration;
use support::{Live, order};

/// Country, region, postcode as they are handed in; as they stand in the twin; and what the order is held for.
#[rustfmt::skip]
const ORDERS: &[([&str; 3], [&str; 3], &str)] = &[
    (["US", "US-TX", "787011234"], ["US", "TX", "78701-1234"], ""),
    (["us", "Texas", "78701"], ["US", "TX", "78701"], ""),
    (["US", "NJ", "7030"], ["US", "NJ", "07030"], ""),
    (["UK", "", "sw1a1aa"], ["GB", "", "SW1A 1AA"], ""),
    (["PR", "", "00907"], ["US", "PR", "00907"], ""),
    (["US", "Puerto Rico", "907"], ["US", "PR", "00907"], ""),
    (["BW", "", ""], ["BW", "", ""], ""),
    (["JM", "", ""], ["JM", "", ""], ""),
    (["IE", "", ""], ["IE", "", ""], ""),
    (["US", "TX", "7030"], ["US", "TX", "7030"], "postcode \"7030\" is none of US"),
    (["US", "TX", "ABCDE"], ["US", "TX", "ABCDE"], "postcode \"ABCDE\" is none of US"),
    (["US", "NJ", "7030.0"], ["US", "NJ", "7030.0"], "postcode \"7030.0\" is none of US"),
    (["SU", "", "101000"], ["SU", "", "101000"], "country \"SU\" is no country of ISO 3166"),
    (["US", "Texass", ""], ["US", "Texass", ""], "region \"Texass\" is none of US; postcode is empty"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_are_put_right_or_held_with_the_field_named() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let live = Live::start(data.path(), &["--orders-per-hour", "0"]);
    let client = reqwest::Client::new();
    let url = format!("{}/api/v1/orders", live.url);
    for (n, ([country, region, postcode], right, held)) in ORDERS.iter().enumerate() {
        let id = format!("PLACE-{n}");
        let mut order = order(&id);
        for (field, text) in [("country", country), ("region", region), ("postcode", postcode)] {
            order["ship_to"][field] = json!(text);
        }
        assert!(client.post(&url).json(&order).send().await.expect("an answer").status().is_success(), "{id}");
        let read: Value = client.get(format!("{url}/{id}")).send().await.expect("an answer").json().await.expect("JSON");
        let to = &read["ship_to"];
        assert_eq!(
            [&to["country"], &to["region"], &to["postcode"]],
            [&json!(right[0]), &json!(right[1]), &json!(right[2])],
            "{id}: {read}"
        );
        assert_eq!(read.to_string().contains("address_invalid"), !held.is_empty(), "{id}: {read}");
        assert!(held.is_empty() || read.to_string().contains(&json!(held).to_string()), "{id}: {held} in {read}");
    }
    // Both spellings of Puerto Rico go the same way, and it is the way of the domestic post.
    let mut channels = Vec::new();
    for id in ["PLACE-4", "PLACE-5"] {
        for _ in 0..100 {
            let read: Value = client.get(format!("{url}/{id}")).send().await.expect("an answer").json().await.expect("JSON");
            if let Some(channel) = read["parts"][0]["decision"]["channel"].as_str() {
                channels.push(channel.to_owned());
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    assert!(matches!(&channels[..], [a, b] if a == b), "{channels:?}");
}

//! What is wrong after a day on which everything breaks, and what people do about it.

use super::Edge;
use crate::cli::own_pace::Stage;
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use twin::Span;

/// The remedies that end a problem for good, whatever else could be done.
const ENDS: [&str; 9] = [
    "cancel_order",
    "settle_parcel",
    "write_off_parcel",
    "take_apart",
    "settle_bag",
    "clear_rejects",
    "take_device_out",
    "resume_carrier",
    "write_off_label",
];

/// A day on which everything breaks ends with nothing that nobody could act on: what stands first is not refused, and what ends it ends
/// it, until nothing is wrong any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rough_day_ends_with_no_open_problem_that_nobody_could_act_on() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/rough-day");
    let mut scenario = sim::scenario::Scenario::read(&folder).unwrap();
    scenario.demand.orders = 400;
    let run = tokio::task::spawn_blocking(move || sim::run::run(&scenario, 1, None, &mut |_| ()).unwrap()).await.unwrap();
    let clock = drivers::Clock::free(1.0, run.twin.head().at);
    let edge = Edge::of(&Stage::shared(), clock, run.twin, run.site).await;
    let listed = async || edge.get("/api/v1/problems?snoozed=true").await.json()["problems"].as_array().unwrap().clone();
    let about = |problem: &Value, name: &str| {
        let mut remedy = json!({"do": name});
        // A tracking is called as its parcel is.
        let field = problem["kind"].as_str().filter(|kind| *kind != "tracking").unwrap_or("parcel");
        remedy[field] = problem["of"].clone();
        if name == "name_sku" {
            (remedy["line"], remedy["sku"]) = (json!(1), json!("A-17"));
        }
        remedy
    };
    let first = listed().await;
    let causes: BTreeSet<_> = first.iter().map(|problem| problem["cause"].as_str().unwrap()).collect();
    assert!(causes.contains("held") && causes.len() >= 3, "a rough day leaves something: {causes:?}");
    for problem in &first {
        let name = problem["remedies"][0].as_str().unwrap_or_else(|| panic!("nobody can do anything about {problem}"));
        let answer = edge.remedy(about(problem, name)).await;
        assert_eq!(answer.status, StatusCode::OK, "{name} of {problem}: {}", answer.text);
    }
    for _ in 0..200 {
        let open = listed().await;
        if open.is_empty() {
            return;
        }
        for problem in &open {
            let remedies: Vec<_> = problem["remedies"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            let Some(ends) = ENDS.into_iter().find(|name| remedies.contains(name)) else {
                // Its cause went while the list was read.
                assert!(remedies.is_empty(), "nothing ends {problem}");
                continue;
            };
            edge.remedy(about(problem, ends)).await;
        }
        edge.api.clock.sleep(Span::from_ms(20)).await;
    }
    panic!("these are still open: {:#?}", listed().await);
}

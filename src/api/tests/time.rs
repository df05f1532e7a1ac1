//! A site whose journal is ahead of the wall, as after the machine's clock was set back: records go on from the journal,
//! and what a person or a carrier reads as the date is the wall's. And one that is asked to go faster than it can.

use super::{Edge, order};
use crate::cli::own_pace::Stage;
use axum::http::StatusCode;
use drivers::Clock;
use twin::{Moment, Span};

const AHEAD: Span = Span::from_hours(72);

/// Within an hour of each other.
fn near(one: Moment, other: Moment) -> bool {
    (one - other).0.abs() < Span::from_hours(1).0
}

#[tokio::test]
async fn records_go_on_from_the_journal_and_dates_are_the_walls() {
    let wall = Clock::free(1.0, Moment::default());
    let journal = wall.date() + AHEAD;
    let edge = Edge::by(Clock::wall(journal)).await;
    assert_eq!(edge.post("/api/v1/orders", &order("AHEAD")).await.status, StatusCode::CREATED);
    edge.until("/api/v1/orders/AHEAD", |o| o["parts"][0]["parcel"].is_string()).await;
    edge.until("/api/v1/parcels/AHEAD-1", |p| p["tracking"].is_string()).await;
    let records: Vec<_> = edge.site.house.twin.records(0).map(Result::unwrap).collect();
    assert!(records.len() > 5 && records.iter().all(|r| r.at >= journal && near(r.at, journal)));
    let dates = edge.seller.dates.lock().unwrap().clone();
    // Carriers are told the pickup that the parcel makes: the next cut-off by the wall.
    let coming = wall.date() - Span::from_mins(1)..wall.date() + Span::from_hours(25);
    assert!(dates.len() == 2 && dates.iter().all(|date| coming.contains(date)), "a quote and a label: {dates:?}");
    let board = edge.get("/api/v1/board").await.json();
    assert!(near(board["now"].as_str().unwrap().parse().unwrap(), wall.date()), "{}", board["now"]);
    assert!(edge.get("/metrics").await.text.contains("parceltwin_clock_ahead_seconds"));
}

#[tokio::test]
async fn a_site_that_is_asked_for_too_much_answers_and_says_what_it_keeps() {
    let clock = Clock::paced(2_000.0, Moment::default());
    let stage = Stage::of_its_own(&clock).unwrap();
    let edge = Edge::elsewhere(&stage, clock.clone()).await;
    let before = edge.get("/api/v1/board").await.json();
    assert_eq!(before["speed"], serde_json::json!({ "asked": 2_000.0, "kept": 2_000.0 }));
    // Each second of the site's time means four milliseconds of work, where it would have to be half a one.
    for _ in 0..4 {
        let clock = clock.clone();
        stage.begin(async move {
            let machine = Clock::free(1.0, Moment::default());
            loop {
                clock.sleep(Span::from_secs(1)).await;
                let until = machine.now() + Span::from_ms(1);
                while machine.now() < until {}
            }
        });
    }
    edge.api.clock.sleep(Span::from_secs(1)).await;
    let machine = Clock::free(1.0, Moment::default());
    let began = machine.now();
    assert_eq!(edge.post("/api/v1/orders", &order("FAST")).await.status, StatusCode::CREATED);
    assert_eq!(edge.get("/readyz").await.status, StatusCode::OK);
    assert!(machine.now() - began < Span::from_secs(1), "an order and a question took {:?}", machine.now() - began);
    edge.until("/api/v1/parcels/FAST-1", |p| p["tracking"].is_string()).await;
    edge.until("/api/v1/board", |board| board["speed"]["kept"].as_f64().is_some_and(|kept| kept > 1.0 && kept < 500.0)).await;
    let metrics = edge.get("/metrics").await.text;
    assert!(metrics.contains("parceltwin_clock_speed_asked") && metrics.contains("parceltwin_clock_speed_kept"));
    drop(edge);
    stage.end().await;
}

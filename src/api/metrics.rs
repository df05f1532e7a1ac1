//! Figures for Prometheus: what the board counts, read when somebody asks, and how the edge itself is doing.
//!
//! Durations are in the machine's time, whatever speed the site's clock runs at.

use super::Api;
use super::board::ORDER_STAGES;
use super::limits::{LIMIT_REACHED, Limit};
use anyhow::Context;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use twin::{Kind, Moment, parcel, returns, tracking};

const DURATION: &str = "parceltwin_http_request_duration_seconds";
/// 1 where a part of the journal that was whole cannot be read any more.
pub const JOURNAL_DAMAGED: &str = "parceltwin_journal_damaged";
const REQUESTS: &str = "parceltwin_http_requests_total";
/// How long a sorter waited for its answer; 0.15 s is the limit. Recorded by the line.
const DIVERT_ANSWER: &str = "parceltwin_divert_answer_seconds";
const DIVERT_BUCKETS: [f64; 8] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15];
/// How long a list of what is owed took to be gone through after a start or a fall, while other work went on. Recorded by whoever does it.
const TAKE_UP: &str = "parceltwin_take_up_seconds";
const TAKE_UP_BUCKETS: [f64; 7] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];
/// Counted by whoever runs the site, with `direction` forward or back.
pub const CLOCK_STEPS: &str = "parceltwin_clock_steps_total";
const CLOCK_AHEAD: &str = "parceltwin_clock_ahead_seconds";
const SPEED_ASKED: &str = "parceltwin_clock_speed_asked";
const SPEED_KEPT: &str = "parceltwin_clock_speed_kept";
const SETTINGS: &str = "parceltwin_settings_version";
const SETTINGS_WAIT: &str = "parceltwin_settings_waiting_for_restart";
const QUERY_BEHIND: &str = "parceltwin_query_behind_records";
const QUERY_BEHIND_S: &str = "parceltwin_query_behind_seconds";
/// Bounds of the latency histogram, seconds.
const DURATION_BUCKETS: [f64; 11] = [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Sets up the recorder of this process; can be done once. The handle goes into [`super::AppState`].
pub fn install() -> anyhow::Result<PrometheusHandle> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(DURATION.into()), &DURATION_BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(TAKE_UP.into()), &TAKE_UP_BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(DIVERT_ANSWER.into()), &DIVERT_BUCKETS)?;
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).context("another metrics recorder is installed in this process already")?;
    describe_gauge!("parceltwin_orders", "Orders by stage");
    describe_gauge!("parceltwin_parcels", "Parcels by stage");
    describe_gauge!("parceltwin_devices", "Devices by state");
    describe_gauge!("parceltwin_journal_records", "Records in the journal");
    describe_gauge!(JOURNAL_DAMAGED, "1: a sealed segment of the journal has gone bad; the log and the list of exceptions name it");
    describe_gauge!(SETTINGS, "The version of the settings that is in force; 0: one that was never written down");
    describe_gauge!(SETTINGS_WAIT, "Things in it that wait for the next start; /api/v1/settings names them");
    describe_gauge!(QUERY_BEHIND, "Records that the query side has not taken in yet");
    describe_gauge!(QUERY_BEHIND_S, Unit::Seconds, "How much of the journal's time the query side has not taken in yet");
    describe_counter!("parceltwin_interceptions_total", "Parcels stopped since the process began, by reason");
    describe_counter!("parceltwin_holds_total", "Holds set on orders since the process began, by reason");
    describe_counter!("parceltwin_carrier_answers_unread_total", "Parts of carriers' answers that could not be read, by carrier and kind");
    describe_histogram!(DIVERT_ANSWER, Unit::Seconds, "From a sorter's question to its answer, by the site's clock");
    describe_histogram!(TAKE_UP, Unit::Seconds, "From a start or a fall until all that was owed of a list is in hand again, by the list");
    describe_counter!(CLOCK_STEPS, "Times that the machine's clock was set while the site ran, by direction");
    describe_gauge!(CLOCK_AHEAD, Unit::Seconds, "How far the journal's time is ahead of the machine's clock");
    describe_gauge!(SPEED_ASKED, "How many times as fast as the machine's time the site's clock was asked to go");
    describe_gauge!(
        SPEED_KEPT,
        "How many times as fast it went in the last five seconds; less than asked where the machine cannot keep up"
    );
    describe_counter!("parceltwin_device_garbage_bytes_total", Unit::Bytes, "Bytes from a device that were not of its protocol");
    describe_counter!(LIMIT_REACHED, "How often each limit of the edge was reached");
    for limit in Limit::ALL {
        counter!(LIMIT_REACHED, "limit" => limit.as_str()).absolute(0);
    }
    describe_counter!(REQUESTS, "HTTP requests answered");
    describe_histogram!(DURATION, Unit::Seconds, "Time until the head of an answer");
    Ok(handle)
}

/// Figures for Prometheus
#[utoipa::path(
    get, path = "/metrics", tag = "health",
    responses((status = 200, description = "Prometheus text format", body = String, content_type = "text/plain"))
)]
pub async fn scrape(State(api): State<Api>) -> Response {
    let board = api.app.house.twin.board();
    // Stages that hold nothing are told too: a gauge that is not set again keeps its last value.
    for stage in ORDER_STAGES {
        gauge!("parceltwin_orders", "stage" => stage).set(board.count(Kind::Order, stage) as f64);
    }
    // Those in the house by stage, those that left by what is known of their way: together they are all.
    let places = board.whereabouts();
    for place in parcel::Stage::ALL.map(parcel::Stage::as_str).into_iter().chain(tracking::Stage::ALL.map(tracking::Stage::as_str)) {
        gauge!("parceltwin_parcels", "stage" => place).set(places.get(place).copied().unwrap_or(0) as f64);
    }
    for stage in returns::Stage::ALL.map(returns::Stage::as_str) {
        gauge!("parceltwin_returns", "stage" => stage).set(board.count(Kind::Return, stage) as f64);
    }
    for state in ["online", "offline", "degraded", "faulty", "out"] {
        gauge!("parceltwin_devices", "state" => state).set(board.count(Kind::Device, state) as f64);
    }
    // Read first, so that what passes in between makes it no longer.
    let now = api.app.house.clock.now();
    gauge!(CLOCK_AHEAD).set((now - api.app.house.clock.date()).as_secs_f64().max(0.0));
    if let Some(speed) = api.app.house.clock.speed() {
        gauge!(SPEED_ASKED).set(speed.asked);
        gauge!(SPEED_KEPT).set(speed.kept);
    }
    gauge!("parceltwin_journal_records").set(board.head.records as f64);
    let in_force = api.app.house.in_force();
    gauge!(SETTINGS).set(f64::from(in_force.version));
    gauge!(SETTINGS_WAIT).set(in_force.needs_restart.len() as f64);
    // Of the two heads the older is read last, so that it is never ahead.
    let query = &api.app.query;
    let behind = board.head.records.saturating_sub(query.done());
    gauge!(QUERY_BEHIND).set(behind as f64);
    // While it is made it answers nothing, so all of the journal's time is missing.
    let answers_to = query.applied().map_or(Moment(0), |applied| applied.at);
    let behind_s = if behind == 0 { 0.0 } else { (board.head.at - answers_to).as_secs_f64().max(0.0) };
    gauge!(QUERY_BEHIND_S).set(behind_s);
    for (reason, count) in board.interceptions {
        counter!("parceltwin_interceptions_total", "reason" => reason).absolute(count);
    }
    for (reason, count) in board.holds {
        counter!("parceltwin_holds_total", "reason" => reason).absolute(count);
    }
    api.app.metrics.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], api.app.metrics.render()).into_response()
}

/// Counts and times every request by its route, never by its path: ids would make a series each.
pub async fn measure(State(api): State<Api>, request: Request, next: Next) -> Response {
    let began = api.clock.now();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = match *request.method() {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => "other",
    };
    let response = next.run(request).await;
    let took = (api.clock.now() - began).as_secs_f64();
    let status = response.status().as_u16().to_string();
    counter!(REQUESTS, "method" => method, "route" => route.clone(), "status" => status).increment(1);
    histogram!(DURATION, "method" => method, "route" => route).record(took);
    response
}

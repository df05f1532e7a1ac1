//! The console: the page a warehouse operator keeps open. Counts, the lines as a picture, what wants a look, and parcels.
//!
//! The first state is drawn here, everything later by the browser from `/api/v1/board` and `/api/v1/events`. The page asks
//! nobody but this site for anything, shows text as text, and changes nothing.

pub mod lists;
pub mod picture;

use crate::api::board::{BoardView, ORDER_STAGES, current};
use crate::api::{Api, problem::Problem};
use crate::page::{asset, page};
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use picture::WarehousePicture;

/// A number on the strip at the top: the stages it sums up.
pub struct Count {
    pub label: &'static str,
    pub stages: &'static [&'static str],
    pub now: u64,
    /// It wants a look when it is not zero.
    pub alert: bool,
}

const PARCEL_COUNTS: [(&str, &[&str]); 9] = [
    ("to be labelled", &["created", "label requested"]),
    ("labelled", &["labelled"]),
    ("on the line", &["inducted", "measured", "verified", "sorted"]),
    ("bagged", &["bagged"]),
    ("handed over", &["handed over"]),
    ("on the way", &["departed origin", "in flight", "arrived", "customs", "last mile", "out for delivery"]),
    ("delivered", &["delivered"]),
    ("intercepted", &["intercepted"]),
    ("returned or lost", &["returned", "lost"]),
];

const RETURN_COUNTS: [(&str, &[&str]); 4] = [
    ("announced", &["announced"]),
    ("to be opened", &["arrived"]),
    ("to be decided", &["received", "restocking"]),
    ("closed", &["closed"]),
];

#[derive(Template)]
#[template(path = "console.html", config = "src/console/askama.toml")]
struct Console<'a> {
    board: &'a BoardView,
    /// The site's time to the second, as the browser will write it too.
    now: String,
    orders: Vec<Count>,
    parcels: Vec<Count>,
    returns: Vec<Count>,
    pictures: Vec<WarehousePicture>,
}

impl<'a> Console<'a> {
    fn of(board: &'a BoardView) -> Self {
        let orders = ORDER_STAGES.each_ref().map(|stage| Count {
            label: stage,
            stages: std::slice::from_ref(stage),
            now: board.orders.get(*stage).copied().unwrap_or(0),
            alert: *stage == "held",
        });
        let parcels = PARCEL_COUNTS.map(|(label, stages)| Count {
            label,
            stages,
            now: stages.iter().filter_map(|s| board.parcels.get(*s)).sum(),
            alert: label == "intercepted" || label == "returned or lost",
        });
        let returns = RETURN_COUNTS.map(|(label, stages)| Count {
            label,
            stages,
            now: stages.iter().filter_map(|s| board.returns.get(*s)).sum(),
            alert: label != "closed",
        });
        let pictures = board.warehouses.iter().map(WarehousePicture::of).collect();
        let now = format!("{} UTC", board.now.get(..19).unwrap_or(&board.now).replace('T', " "));
        Console { board, now, orders: orders.into(), parcels: parcels.into(), returns: returns.into(), pictures }
    }
}

pub async fn index(State(api): State<Api>) -> Result<Response, Problem> {
    let board = current(&api).await?;
    match Console::of(&board).render() {
        Ok(html) => Ok(page(html)),
        Err(error) => {
            tracing::error!(%error, "the console cannot be drawn");
            Err(Problem::internal())
        }
    }
}

/// What the pages load.
pub fn assets() -> Router<Api> {
    let script = "text/javascript; charset=utf-8";
    Router::new()
        .route("/console/console.css", get(|| async { asset("text/css; charset=utf-8", include_str!("console.css")) }))
        .route("/console/console.js", get(move || async move { asset(script, include_str!("console.js")) }))
        .route("/console/belt.js", get(move || async move { asset(script, include_str!("belt.js")) }))
        .route("/console/parcels.js", get(move || async move { asset(script, include_str!("parcels.js")) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::board::{ChuteView, CutoffView, DeviceView, ExceptionView, StationView, WarehouseView};

    fn site() -> BoardView {
        let device = |kind: &'static str, state| DeviceView { id: format!("SZX/line-1/{kind}"), kind, state, ..DeviceView::default() };
        let chute = |chute, reject| ChuteView {
            chute,
            reject,
            channel_name: "USPS <b>Ground</b>".into(),
            parcels_max: 60,
            parcels: 30,
            ..ChuteView::default()
        };
        let line = StationView {
            id: "SZX/line-1".into(),
            kind: "line",
            devices: vec![device("scanner", "online"), device("scale", "offline"), device("sorter", "faulty"), device("printer", "online")],
            chutes: vec![chute(1, false), chute(9, true)],
            ..StationView::default()
        };
        BoardView {
            name: "<script>alert(1)</script>".into(),
            now: "2026-11-09T00:00:00Z".into(),
            records: 7,
            hash: String::new(),
            orders: [("held", 3)].map(|(stage, n)| (stage.into(), n)).into(),
            parcels: [("measured", 2), ("sorted", 1)].map(|(stage, n)| (stage.into(), n)).into(),
            returns: [("arrived", 2)].map(|(stage, n)| (stage.into(), n)).into(),
            bags: Default::default(),
            interceptions: Default::default(),
            holds: Default::default(),
            exceptions: vec![ExceptionView {
                at: "2026-11-09T00:00:00Z".into(),
                kind: "order",
                id: "A".into(),
                what: "held, <i>unpaid</i>".into(),
                href: "/api/v1/orders/A".into(),
            }],
            channels_out: vec![],
            warehouses: vec![WarehouseView {
                id: "SZX".into(),
                name: "Shenzhen".into(),
                time_zone: "Asia/Shanghai".into(),
                local_time: "Mon 2026-11-09 08:00".into(),
                cutoffs: vec![CutoffView {
                    carrier: "<b>us".into(),
                    at: "2026-11-09T09:00:00Z".into(),
                    local: "Mon 2026-11-09 17:00".into(),
                }],
                stations: vec![line],
            }],
            recent: vec![],
        }
    }

    #[test]
    fn the_page_shows_the_site_and_no_text_becomes_markup() {
        let html = Console::of(&site()).render().unwrap();
        for bad in ["<script>alert", "<b>Ground", "<i>unpaid", "<b>us"] {
            assert!(!html.contains(bad), "{bad} stands in the page");
        }
        for word in [
            "online",
            "offline",
            "fault",
            "Chute 1",
            "30/60 · 0.0 kg",
            "1</span> to look at",
            "No parcels yet",
            "Shenzhen",
            "Asia/Shanghai",
            "us Mon 2026-11-09 17:00",
        ] {
            assert!(html.contains(word), "{word} is missing in {html}");
        }
    }

    #[test]
    fn every_stage_is_counted_once() {
        let mut stages: Vec<_> = PARCEL_COUNTS.iter().flat_map(|(_, stages)| *stages).copied().collect();
        stages.sort_unstable();
        let on_their_way = twin::tracking::Stage::ALL.map(twin::tracking::Stage::as_str);
        let mut all: Vec<_> = twin::parcel::Stage::ALL.map(twin::parcel::Stage::as_str).into_iter().chain(on_their_way).collect();
        all.retain(|stage| *stage != "cancelled");
        all.sort_unstable();
        all.dedup();
        assert_eq!(stages, all);
        let board = site();
        let console = Console::of(&board);
        assert_eq!(console.parcels[2].now, 3, "measured and sorted are on the line");
        let mut stages: Vec<_> = RETURN_COUNTS.iter().flat_map(|(_, stages)| *stages).copied().collect();
        let mut all = twin::returns::Stage::ALL.map(twin::returns::Stage::as_str);
        stages.sort_unstable();
        all.sort_unstable();
        assert_eq!((stages, console.returns[1].now), (all.to_vec(), 2));
    }
}

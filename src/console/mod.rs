//! The console: the page a warehouse operator keeps open. Counts, the lines as a picture, what wants a look, and parcels.
//!
//! The first state is drawn here, everything later by the browser from `/api/v1/board` and `/api/v1/events`. The page asks
//! nobody but this site for anything, shows text as text, and changes nothing.

pub mod lists;
pub mod picture;

use crate::api::board::{BoardView, ORDER_STAGES, SpeedView, current};
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
    /// How fast its clock goes; empty where that is as fast as the machine's.
    speed: String,
    slow: bool,
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
        let (speed, slow) = (speed(board.speed), board.speed.is_some_and(SpeedView::is_short));
        Console { board, now, speed, slow, orders: orders.into(), parcels: parcels.into(), returns: returns.into(), pictures }
    }
}

/// The browser writes the same.
fn speed(speed: Option<SpeedView>) -> String {
    match speed {
        Some(speed) if speed.is_short() => format!("⚠ at speed {} of {} asked: the machine cannot keep up", speed.kept, speed.asked),
        Some(speed) if speed.asked != 1.0 => format!("at speed {}", speed.asked),
        _ => String::new(),
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
        .route("/console/alive.js", get(move || async move { asset(script, include_str!("alive.js")) }))
        .route("/console/devices.js", get(move || async move { asset(script, include_str!("devices.js")) }))
        .route("/console/belt.js", get(move || async move { asset(script, include_str!("belt.js")) }))
        .route("/console/parcels.js", get(move || async move { asset(script, include_str!("parcels.js")) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::board::{ChuteView, CutoffView, DeviceView, StationView, WarehouseView};
    use crate::api::problems::ProblemView;

    fn site() -> BoardView {
        let device = |kind: &'static str, state| DeviceView { id: format!("SZX/line-1/{kind}"), kind, state, ..DeviceView::default() };
        let unplugged = DeviceView {
            why: Some("the <b>plug was pulled".into()),
            since: Some("2026-11-09T08:00:12.345678Z".into()),
            ..device("scale", "offline")
        };
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
            devices: vec![device("scanner", "online"), unplugged, device("sorter", "faulty"), device("printer", "online")],
            chutes: vec![chute(1, false), chute(9, true)],
            ..StationView::default()
        };
        BoardView {
            name: "<script>alert(1)</script>".into(),
            speed: Some(SpeedView { asked: 1_000.0, kept: 240.0 }),
            now: "2026-11-09T00:00:00Z".into(),
            records: 7,
            hash: String::new(),
            orders: [("held", 3)].map(|(stage, n)| (stage.into(), n)).into(),
            parcels: [("measured", 2), ("sorted", 1)].map(|(stage, n)| (stage.into(), n)).into(),
            returns: [("arrived", 2)].map(|(stage, n)| (stage.into(), n)).into(),
            bags: Default::default(),
            interceptions: Default::default(),
            holds: Default::default(),
            problems: vec![ProblemView {
                id: "held:order:A".into(),
                kind: "order".into(),
                of: "A".into(),
                since: "2026-11-09T00:00:00Z".into(),
                severity: "act",
                what: "held, <i>unpaid</i>".into(),
                href: "/api/v1/orders/A".into(),
                remedies: vec!["mark_paid"],
                ..ProblemView::default()
            }],
            problems_open: 1,
            alarms: vec![],
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
        for bad in ["<b>plug", "<script>alert", "<b>Ground", "<i>unpaid", "<b>us"] {
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
    fn what_does_not_work_is_said_in_the_picture_at_its_station_and_in_the_list() {
        let html = Console::of(&site()).render().unwrap();
        let list = html.split("<ul class=\"down\"").nth(1).unwrap().split("</ul>").next().unwrap();
        assert_eq!(list.matches("<li>").count(), 2, "{list}");
        for word in ["✕ offline", "/api/v1/devices/SZX/line-1/scale", "plug was pulled", "since 11-09 08:00:12 UTC", "! fault"] {
            assert!(list.contains(word), "{word} is missing in {list}");
        }
        assert!(html.contains("class=\"line troubled\"") && html.contains(">⚠ 2 devices</text>"), "{html}");
        // Each has both signs; which of them is seen is its class's.
        assert!(html.contains("class=\"device big offline\"") && html.contains("class=\"stop\"") && html.contains("class=\"warn\""));
        let scale = html.split("data-device=\"SZX/line-1/scale\"").nth(1).unwrap().split("</g>").next().unwrap();
        assert!(scale.contains("offline, the &") || scale.contains("offline, the &lt;b&gt;plug"), "{scale}");
        assert!(html.contains("⚠ at speed 240 of 1000 asked"), "{html}");
        assert!(html.contains("id=\"silent\" role=\"alert\" hidden"));
    }

    /// Relative luminance and contrast as WCAG 2 has them.
    #[test]
    fn what_is_marked_can_be_read() {
        let css = include_str!("console.css");
        let colour = |name: &str| {
            let hex = match css.split_once(&format!("--{name}: #")) {
                Some((_, rest)) => &rest[..6],
                None => name,
            };
            let part = |n: usize| f64::from(u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap()) / 255.0;
            let linear = |c: f64| if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
            0.2126 * linear(part(0)) + 0.7152 * linear(part(1)) + 0.0722 * linear(part(2))
        };
        for (text, ground) in
            [("ffffff", "bad"), ("warn", "warn-bg"), ("good", "good-bg"), ("bad", "ffffff"), ("quiet", "eceef0"), ("ink", "warn-bg")]
        {
            let (a, b) = (colour(text), colour(ground));
            let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
            assert!(contrast >= 4.5, "{text} on {ground}: {contrast:.2}");
        }
    }

    /// The scripts in their own language, on a page and a site that are made up.
    #[test]
    fn the_page_says_within_three_seconds_that_nobody_answers_and_comes_back_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            ("package.json", "{\"type\": \"module\"}"),
            ("alive.js", include_str!("alive.js")),
            ("belt.js", include_str!("belt.js")),
            ("console.js", include_str!("console.js")),
            ("devices.js", include_str!("devices.js")),
            ("parcels.js", include_str!("parcels.js")),
            ("tests.mjs", include_str!("tests.mjs")),
        ];
        files.iter().for_each(|(name, text)| std::fs::write(folder.path().join(name), text).unwrap());
        let output = match std::process::Command::new("node").arg("tests.mjs").current_dir(folder.path()).output() {
            Ok(output) => output,
            // `.ci/run` sees to it that there is one.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return eprintln!("there is no node: the scripts are not tested"),
            Err(error) => panic!("{error}"),
        };
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("do what they should"), "{said}");
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

//! The tiles at the top: the few figures that are asked for first, and beside each what it is.
//!
//! What a vendor of such systems publishes of real houses stands beside some of them for the order of magnitude. No figure of
//! a simulated house is called good for it: it follows from what the scenario says.

use super::Run;
use super::numbers::{count, duration_ms, duration_s, money, percent, share};
use super::page::{Tile, Verdict};
use sim::kpis::{Mark, mark};
use twin::Money;
use twin::money::Decimal;

/// Published: label errors before and after checking, % of parcels.
pub const PUBLISHED_WRONG_APPLIED_PCT: f64 = 5.3;
pub const PUBLISHED_WRONG_LEFT_PCT: f64 = 0.2;
/// Published: order accepted to real tracking number.
pub const PUBLISHED_TO_TRACKING_MS: f64 = 11_000.0;
/// Published: unit freight saved by choosing channels well; against what, is not said.
pub const PUBLISHED_FREIGHT_SAVED_PCT: i64 = 19;
/// Where people or machines were at work for so much of an hour, what comes in waits.
pub const FULL_PCT: f64 = 95.0;
/// Carriers named in the tile; the table has all.
const CARRIERS_MAX: usize = 6;
/// The answer must be at the sorter within this time, or the parcel goes to the no-decision chute.
pub const DIVERT_ANSWER_MS_MAX: f64 = 150.0;

pub fn tiles(run: &Run) -> Vec<Tile> {
    let mut tiles = vec![
        orders(run),
        parcels(run),
        waiting(run),
        cut_offs(run),
        labels(run),
        to_tracking(run),
        divert(run),
        freight(run),
        journal(run),
    ];
    // A number and its per cent sign stay on one line.
    tiles.iter_mut().for_each(|tile| tile.sentence = tile.sentence.replace(" %", "\u{a0}%"));
    tiles
}

fn details<const N: usize>(all: u64, rows: [(&str, u64); N]) -> Vec<(String, String)> {
    let text = |n| if n == 0 { "0".into() } else { format!("{} · {}", count(n), share(n, all)) };
    rows.into_iter().map(|(name, n)| (name.into(), text(n))).collect()
}

fn orders(run: &Run) -> Tile {
    let of = run.kpis.orders;
    let sentence = match (of.received, of.held, of.waiting) {
        (0, _, _) => "No order came in.".into(),
        (_, 0, 0) => "Every order was dealt with, and none waits for anyone.".into(),
        (_, 0, waiting) => format!("None is held; {} still to be decided when the run ended.", count(waiting)),
        (_, held, _) => format!(
            "{} for a person; the reasons are under “Orders on hold”.",
            if held == 1 { "One waits".into() } else { count(held) + " wait" }
        ),
    };
    let rows = [("allocated", of.allocated), ("held", of.held), ("cancelled", of.cancelled), ("waiting", of.waiting)];
    let verdict = Verdict::look_if(of.held + of.waiting > 0);
    Tile {
        name: "Orders received",
        value: count(of.received),
        details: details(of.received, rows),
        mark: Mark::Measured,
        verdict,
        sentence,
    }
}

fn parcels(run: &Run) -> Tile {
    let of = run.kpis.parcels;
    let rows = [
        ("delivered", of.delivered),
        ("open", of.open),
        ("intercepted", of.intercepted),
        ("returned", of.returned),
        ("lost", of.lost),
        ("cancelled", of.cancelled),
    ];
    let sentence = match (of.created, of.lost, of.intercepted) {
        (0, _, _) => "No parcel was made.".into(),
        (_, 0, 0) => "None lost, and none left stopped. Each parcel is in exactly one of these places.".into(),
        (_, lost, stopped) => {
            format!(
                "{} lost by carriers, {} still stopped at the end. Each parcel is in exactly one of these places.",
                count(lost),
                count(stopped)
            )
        }
    };
    let verdict = Verdict::look_if(of.lost + of.intercepted > 0);
    Tile { name: "Parcels", value: count(of.created), details: details(of.created, rows), mark: Mark::Measured, verdict, sentence }
}

/// How long parcels wait for a packer, and how much of their time packers, lines and rework tables were at work.
fn waiting(run: &Run) -> Tile {
    let (name, steps) = ("Wait for a packer, 99 of 100 within", &run.kpis.steps);
    let busiest = |step: &sim::kpis::Step| step.use_busiest_hour_pct;
    let used = [("packers", steps.bench), ("lines", steps.line), ("rework tables", steps.rework)];
    let Some(wait) = steps.bench.wait_s else {
        let sentence = "No box was packed.".into();
        return Tile { name, value: "–".into(), details: vec![], mark: Mark::Floor, verdict: Verdict::Plain, sentence };
    };
    let mut rows = vec![("half within".into(), duration_s(wait.p50)), ("slowest".into(), duration_s(wait.max))];
    rows.extend(used.iter().filter_map(|(name, step)| Some((format!("{name} at work, busiest hour"), whole_percent(busiest(step)?)))));
    let full: Vec<_> = used.iter().filter(|(_, step)| busiest(step).is_some_and(|pct| pct >= FULL_PCT)).map(|(name, _)| *name).collect();
    let sentence = match full.is_empty() {
        true => "Nobody was at work for the whole of an hour: there is room for more. What each step and station did is under “Waiting and use”.".into(),
        false => format!("At their limit in the busiest hour: {}. What comes then waits; see “Waiting and use”.", full.join(", ")),
    };
    Tile { name, value: duration_s(wait.p99), details: rows, mark: Mark::Floor, verdict: Verdict::look_if(!full.is_empty()), sentence }
}

fn whole_percent(pct: f64) -> String {
    format!("{pct:.0} %")
}

fn cut_offs(run: &Run) -> Tile {
    let (name, of) = ("Left with the first pickup that was due", &run.kpis.cut_offs);
    let (value, sentence) = match of.due {
        0 => ("–".into(), "No pickup was due while the run lasted.".into()),
        due => (
            share(of.made, due),
            format!(
                "{} of {} with a pickup to make; the others left later, or not at all.",
                count(of.made),
                super::numbers::of(due, "parcel")
            ),
        ),
    };
    let carriers = of.at.iter().flat_map(|(warehouse, carriers)| carriers.iter().map(move |(carrier, of)| (warehouse, carrier, of)));
    let rows =
        carriers.take(CARRIERS_MAX).map(|(w, c, of)| (format!("{w} {c}"), format!("{} of {}", count(of.made), count(of.due)))).collect();
    Tile { name, value, details: rows, mark: Mark::Measured, verdict: Verdict::Plain, sentence }
}

fn labels(run: &Run) -> Tile {
    let of = run.kpis.labels;
    let mut rows = vec![
        ("wrong when applied".into(), format!("{} boxes", count(of.wrong_applied))),
        ("wrong when leaving".into(), format!("{} boxes", count(of.wrong_left))),
    ];
    if let Some(without) = of.wrong_left_without_checks {
        rows.push(("leaving, without checks".into(), format!("{} boxes", count(without))));
    }
    let sentence = match run.series.reached[5] {
        0 => "No box has left, so there is nothing to judge yet.".into(),
        _ => format!(
            "How many get a wrong label is the scenario's floor.wrong_label_ppm; how many leave with it, the floor alone can count. A vendor of \
             such systems publishes {PUBLISHED_WRONG_LEFT_PCT} %, down from {PUBLISHED_WRONG_APPLIED_PCT} %. Shares of the boxes packed, and of \
             those that left."
        ),
    };
    let value = format!("{} → {}", percent(of.wrong_applied_pct), percent(of.wrong_left_pct));
    let verdict = Verdict::look_if(of.wrong_left > 0);
    Tile { name: "Wrong labels: applied → left", value, details: rows, mark: Mark::Floor, verdict, sentence }
}

/// What a modelled figure follows from, as a sentence.
fn follows_from(path: &str) -> String {
    mark::of(path).filter(|(_, by)| !by.is_empty()).map_or_else(String::new, |(_, by)| format!("It follows from the scenario's {by}."))
}

fn to_tracking(run: &Run) -> Tile {
    let of = run.kpis.latency_ms.accept_to_tracking;
    let sentence = match run.series.to_tracking.count() {
        0 => "No parcel has got a tracking number.".into(),
        _ => format!(
            "{} A vendor publishes {} of real carriers, which these are not.",
            follows_from("latency_ms.accept_to_tracking"),
            duration_ms(PUBLISHED_TO_TRACKING_MS)
        ),
    };
    let rows = vec![("99 of 100 within".into(), duration_ms(of.p99)), ("slowest".into(), duration_ms(of.max))];
    let (name, verdict) = ("Order to tracking number, half within", Verdict::Plain);
    Tile { name, value: duration_ms(of.p50), details: rows, mark: Mark::Modelled, verdict, sentence }
}

fn divert(run: &Run) -> Tile {
    let of = run.kpis.latency_ms.divert;
    let late = run.kpis.rework.no_decision;
    let sentence = match of.max > 0.0 {
        false => "The sorter asked nothing.".into(),
        true => format!(
            "{} to the no-decision chute, where a box goes that has no answer within {}, for whatever cause. The answer's time says nothing of a \
             real house: {}",
            match late {
                0 => "No box went".into(),
                1 => "One box went".into(),
                n => count(n) + " boxes went",
            },
            duration_ms(DIVERT_ANSWER_MS_MAX),
            follows_from("latency_ms.divert").replacen("It", "it", 1),
        ),
    };
    let rows = vec![("half within".into(), duration_ms(of.p50)), ("slowest".into(), duration_ms(of.max))];
    let (name, verdict) = ("Answer to the sorter, 999 of 1,000 within", Verdict::look_if(late > 0));
    Tile { name, value: duration_ms(of.p999), details: rows, mark: Mark::Modelled, verdict, sentence }
}

fn freight(run: &Run) -> Tile {
    let cost = &run.kpis.cost;
    let base = |amount| money(Money::new(amount, run.rates.base));
    let choices = &run.series.choices;
    let saved = (choices.next_best - choices.chosen) * Decimal::ONE_HUNDRED;
    let sentence = match saved.checked_div(choices.next_best) {
        None => "No other offer could have taken any of these parcels.".into(),
        Some(pct) => format!(
            "Estimated {} % under the next best offer, the cheapest other one that could have taken the parcel. A vendor publishes \
             {PUBLISHED_FREIGHT_SAVED_PCT} %, and does not say against what.",
            pct.round_dp(1)
        ),
    };
    let rows = vec![("per parcel handed over".into(), base(cost.per_parcel))];
    Tile { name: "Freight", value: base(cost.total), details: rows, mark: Mark::Measured, verdict: Verdict::Plain, sentence }
}

fn journal(run: &Run) -> Tile {
    let of = run.kpis.journal;
    let sentence = format!(
        "The hash covers all {} records in their order: two runs that show the same one were the same run, event for event.",
        count(of.records)
    );
    Tile { name: "Journal", value: of.hash.to_string(), details: vec![], mark: Mark::Measured, verdict: Verdict::Plain, sentence }
}

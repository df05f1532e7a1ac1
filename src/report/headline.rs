//! The tiles at the top: the few figures that are asked for first, and beside each whether it is good.
//!
//! What counts as good is a figure that a vendor of such systems publishes, or a limit of the trade; both are named here.

use super::Run;
use super::numbers::{count, duration_ms, money, percent, share};
use super::page::{Tile, Verdict};
use twin::Money;
use twin::money::Decimal;

/// Published: label errors before and after checking, % of parcels.
pub const PUBLISHED_WRONG_APPLIED_PCT: f64 = 5.3;
pub const PUBLISHED_WRONG_LEFT_PCT: f64 = 0.2;
/// Published: order accepted to real tracking number.
pub const PUBLISHED_TO_TRACKING_MS: f64 = 11_000.0;
/// Published: unit freight saved by choosing channels well.
pub const PUBLISHED_FREIGHT_SAVED_PCT: i64 = 19;
/// The answer must be at the sorter within this time, or the parcel goes to the no-decision chute.
pub const DIVERT_ANSWER_MS_MAX: f64 = 150.0;

pub fn tiles(run: &Run) -> Vec<Tile> {
    let mut tiles = vec![orders(run), parcels(run), labels(run), to_tracking(run), divert(run), freight(run), journal(run)];
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
    let verdict = if of.held + of.waiting == 0 { Verdict::Plain } else { Verdict::Look };
    Tile { name: "Orders received", value: count(of.received), details: details(of.received, rows), verdict, sentence }
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
    let verdict = if of.lost + of.intercepted == 0 { Verdict::Plain } else { Verdict::Look };
    Tile { name: "Parcels", value: count(of.created), details: details(of.created, rows), verdict, sentence }
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
    let good = of.wrong_left_pct <= PUBLISHED_WRONG_LEFT_PCT;
    let compared = if good { "Not more than" } else { "More than" };
    let (verdict, sentence) = match run.series.reached[5] {
        0 => (Verdict::Plain, "No box has left, so there is nothing to judge yet.".into()),
        _ => (
            Verdict::of(good),
            format!(
                "{compared} the {PUBLISHED_WRONG_LEFT_PCT} % (down from {PUBLISHED_WRONG_APPLIED_PCT} %) that a vendor of such systems publishes. \
                 Shares of the boxes packed, and of those that left."
            ),
        ),
    };
    let value = format!("{} → {}", percent(of.wrong_applied_pct), percent(of.wrong_left_pct));
    Tile { name: "Wrong labels: applied → left", value, details: rows, verdict, sentence }
}

fn to_tracking(run: &Run) -> Tile {
    let of = run.kpis.latency_ms.accept_to_tracking;
    let all = run.series.to_tracking.count();
    let within = run.series.to_tracking.within((PUBLISHED_TO_TRACKING_MS * 1_000.0) as u64);
    let (verdict, sentence) = match all {
        0 => (Verdict::Plain, "No parcel has got a tracking number.".into()),
        _ => (
            Verdict::of(of.p50 <= PUBLISHED_TO_TRACKING_MS),
            format!(
                "Published for such systems: {}. {} of parcels had their number within that.",
                duration_ms(PUBLISHED_TO_TRACKING_MS),
                share(within, all)
            ),
        ),
    };
    let rows = vec![("99 of 100 within".into(), duration_ms(of.p99)), ("slowest".into(), duration_ms(of.max))];
    Tile { name: "Order to tracking number, half within", value: duration_ms(of.p50), details: rows, verdict, sentence }
}

fn divert(run: &Run) -> Tile {
    let of = run.kpis.latency_ms.divert;
    let late = run.kpis.rework.no_decision;
    let (verdict, sentence) = match of.max > 0.0 {
        false => (Verdict::Plain, "The sorter asked nothing.".into()),
        true => (
            Verdict::of(of.p999 <= DIVERT_ANSWER_MS_MAX),
            format!(
                "The sorter needs its answer within {}; a later one means the no-decision chute. {} went there, for whatever cause.",
                duration_ms(DIVERT_ANSWER_MS_MAX),
                match late {
                    0 => "No box".into(),
                    1 => "One box".into(),
                    n => count(n) + " boxes",
                }
            ),
        ),
    };
    let rows = vec![("half within".into(), duration_ms(of.p50)), ("slowest".into(), duration_ms(of.max))];
    Tile { name: "Answer to the sorter, 999 of 1,000 within", value: duration_ms(of.p999), details: rows, verdict, sentence }
}

fn freight(run: &Run) -> Tile {
    let cost = &run.kpis.cost;
    let base = |amount| money(Money::new(amount, run.rates.base));
    let choices = &run.series.choices;
    let saved = (choices.average - choices.chosen) * Decimal::ONE_HUNDRED;
    let (verdict, sentence) = match saved.checked_div(choices.average) {
        None => (Verdict::Plain, "There was never more than one priced channel to choose from.".into()),
        Some(pct) => (
            Verdict::of(pct >= Decimal::from(PUBLISHED_FREIGHT_SAVED_PCT)),
            format!(
                "Estimated {} % under the average price of the channels on offer. Published for choosing well: {PUBLISHED_FREIGHT_SAVED_PCT} %.",
                pct.round_dp(1)
            ),
        ),
    };
    let rows = vec![("per parcel handed over".into(), base(cost.per_parcel))];
    Tile { name: "Freight", value: base(cost.total), details: rows, verdict, sentence }
}

fn journal(run: &Run) -> Tile {
    let of = run.kpis.journal;
    let sentence = format!(
        "The hash covers all {} records in their order: two runs that show the same one were the same run, event for event.",
        count(of.records)
    );
    Tile { name: "Journal", value: of.hash.to_string(), details: vec![], verdict: Verdict::Plain, sentence }
}

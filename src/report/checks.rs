//! Labels and checks: what went wrong at the benches, what the checks stopped, and what left all the same.

use super::Run;
use super::charts::{self, BLUE, Bar, GREEN, GREY, PURPLE, VERMILION};
use super::headline::{PUBLISHED_WRONG_APPLIED_PCT, PUBLISHED_WRONG_LEFT_PCT};
use super::numbers::{count, percent};
use super::page::{Figure, Section};
use super::series::{Stops, UNKNOWN_ITEM};
use sim::kpis::Mark;

pub fn section(run: &Run) -> anyhow::Result<Section> {
    let intro = "A box with another box's label reaches the wrong buyer, and another buyer goes without. Each box is scanned, weighed and \
                 measured on the line, and one that does not fit its order is stopped before it leaves.";
    let figures = vec![before_and_after(run)?, interceptions(run)?];
    Ok(Section { title: "Labels and checks", intro: intro.into(), figures, tables: vec![] })
}

fn before_and_after(run: &Run) -> anyhow::Result<Figure> {
    let of = run.kpis.labels;
    let bar = |name: &str, pct: f64, colour| Bar { name: name.into(), parts: vec![(pct, colour)], text: percent(pct) };
    let mut bars = vec![bar("applied", of.wrong_applied_pct, GREY)];
    let without = of.wrong_left_without_checks.zip(of.wrong_left_without_checks_pct);
    if let Some((_, pct)) = without {
        bars.push(bar("left, without checks", pct, VERMILION));
    }
    bars.push(bar("left, with checks", of.wrong_left_pct, BLUE));
    bars.push(bar("a vendor publishes: before", PUBLISHED_WRONG_APPLIED_PCT, GREY));
    bars.push(bar("a vendor publishes: after", PUBLISHED_WRONG_LEFT_PCT, GREY));
    let (title, caption) = match without {
        Some((without, _)) => (
            "Wrong labels, without checks and with checks",
            format!(
                "The same day twice, with the same luck: boxes that leave with another box's label are {} when nothing is checked, {} when \
                 everything is. \
                 Shares of the boxes packed and of those that left.",
                count(without),
                count(of.wrong_left)
            ),
        ),
        None => (
            "Wrong labels, applied and left",
            format!(
                "Of {} boxes that got another box's label, {} left the building with it. Shares of the boxes packed and of those that left.",
                count(of.wrong_applied),
                count(of.wrong_left)
            ),
        ),
    };
    Ok(Figure::new(title, charts::bars(title, &bars, None)?, &[], caption).marked(Mark::Floor))
}

fn interceptions(run: &Run) -> anyhow::Result<Figure> {
    let title = "Interceptions by reason";
    let mut stops: Vec<_> = run.series.interceptions.iter().collect();
    if stops.is_empty() {
        return Ok(Figure::empty(title, "Nothing had to be stopped."));
    }
    stops.sort_by_key(|(word, stops)| (std::cmp::Reverse(stops.stopped), **word));
    let bar = |(word, of): &(&&str, &Stops)| {
        let rest = of.stopped.saturating_sub(of.reworked + of.cancelled);
        // Nobody knows which parcels these were, so nothing can be said of what became of them.
        let colour = if **word == UNKNOWN_ITEM { PURPLE } else { VERMILION };
        let parts = vec![(of.reworked as f64, GREEN), (of.cancelled as f64, GREY), (rest as f64, colour)];
        Bar { name: (**word).into(), parts, text: count(of.stopped) }
    };
    let bars: Vec<_> = stops.iter().map(bar).collect();
    let legend = [(GREEN, "reworked and sent on"), (GREY, "cancelled"), (VERMILION, "still stopped"), (PURPLE, "not known whose")];
    let total: u64 = stops.iter().map(|s| s.1.stopped).sum();
    let reworked: u64 = stops.iter().map(|s| s.1.reworked).sum();
    let caption = format!(
        "{}, {} put right at the rework table. A parcel can be stopped more than once.",
        super::numbers::of(total, "interception"),
        count(reworked)
    );
    Ok(Figure::new(title, charts::bars(title, &bars, None)?, &legend, caption))
}

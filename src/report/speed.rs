//! How fast: from the order to a tracking number, the sorter's answer, and from the order to the carrier and the door.

use super::Run;
use super::charts::{self, BLUE, Bar, Frame, GREEN, SKY, VERMILION};
use super::durations::Durations;
use super::headline::{DIVERT_ANSWER_MS_MAX, PUBLISHED_TO_TRACKING_MS};
use super::numbers::{count, duration_ms, duration_us, of, share};
use super::page::{Column, Figure, Section, Table};
use sim::kpis::Mark;
use smol_str::SmolStr;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Countries in the chart; the table has all of them.
const COUNTRIES_MAX: usize = 10;
/// Labels under the histogram that stay apart.
const EDGE_LABELS_MAX: usize = 8;
const DAY_US: f64 = 86_400e6;

pub fn section(run: &Run) -> anyhow::Result<Section> {
    let figures = vec![to_tracking(run)?, divert(run)?, to_door(run)?];
    let tables = if run.series.to_handover.is_empty() { vec![] } else { vec![by_country(run)] };
    Ok(Section { title: "How fast", intro: String::new(), figures, tables })
}

fn to_tracking(run: &Run) -> anyhow::Result<Figure> {
    let title = "From order to tracking number";
    let times = &run.series.to_tracking;
    let bins = times.bins();
    let limit_us = (PUBLISHED_TO_TRACKING_MS * 1_000.0) as u64;
    if bins.is_empty() {
        return Ok(Figure::empty(title, "No parcel has got a tracking number."));
    }
    let column =
        |(n, bin): (usize, &super::durations::Bin)| charts::Column { x: n as f64..(n + 1) as f64, height: bin.n as f64, colour: BLUE };
    let columns: Vec<_> = bins.iter().enumerate().map(column).collect();
    let every = bins.len().div_ceil(EDGE_LABELS_MAX).max(1);
    let edge = |n: usize| short(if n == 0 { bins[0].above_us } else { bins[n - 1].up_to_us });
    let frame = Frame {
        title,
        x: 0.0..bins.len() as f64,
        x_ticks: (0..=bins.len()).step_by(every).map(|n| (n as f64, edge(n))).collect(),
        x_unit: "time taken, on a logarithmic scale",
        y_unit: "parcels",
        y_max: columns.iter().map(|c| c.height).fold(0.0, f64::max),
    };
    let name = format!("a vendor: {}", short(limit_us));
    let mark = place(&bins, limit_us).map(|x| (x, name.as_str()));
    let svg = charts::columns(&frame, &columns, mark)?;
    let at = |quantile| duration_us(times.at(quantile).unwrap_or_default());
    let late = times.count() - times.within(limit_us);
    let why = if late > 0 { " The others were on hold first, or their carrier did not answer." } else { "" };
    let caption = format!(
        "{}: half within {}, 99 of 100 within {}, the slowest {}; {} within the {} that a vendor publishes of real carriers.{why}",
        of(times.count(), "parcel"),
        at(0.5),
        at(0.99),
        at(1.0),
        share(times.within(limit_us), times.count()),
        duration_us(limit_us)
    );
    Ok(Figure::new(title, svg, &[], caption).marked(Mark::Modelled))
}

/// An edge as it fits under a column: `200 ms`, `5 s`, `3.3 min`, `2.8 h`, `2.3 d`.
fn short(us: u64) -> String {
    let s = us as f64 / 1e6;
    let text = |value: f64, unit| format!("{} {unit}", if value < 9.95 { (value * 10.0).round() / 10.0 } else { value.round() });
    match s {
        _ if us == 0 => "0".into(),
        _ if s < 1.0 => text(s * 1e3, "ms"),
        _ if s < 120.0 => text(s, "s"),
        _ if s < 7_200.0 => text(s / 60.0, "min"),
        _ if s < 172_800.0 => text(s / 3_600.0, "h"),
        _ => text(s / 86_400.0, "d"),
    }
}

/// Where a time stands between the edges, on their logarithmic scale; `None` outside.
fn place(bins: &[super::durations::Bin], us: u64) -> Option<f64> {
    let n = bins.iter().position(|bin| bin.above_us < us && us <= bin.up_to_us)?;
    let (from, to) = ((bins[n].above_us.max(1) as f64).ln(), (bins[n].up_to_us as f64).ln());
    Some(n as f64 + ((us as f64).ln() - from) / (to - from))
}

fn divert(run: &Run) -> anyhow::Result<Figure> {
    let title = "Answer to the sorter";
    let took = run.kpis.latency_ms.divert;
    if took.max == 0.0 {
        return Ok(Figure::empty(title, "The sorter asked nothing."));
    }
    let rows = [("half within", took.p50), ("99 of 100 within", took.p99), ("999 of 1,000 within", took.p999), ("slowest", took.max)];
    let colour = |ms: f64| if ms <= DIVERT_ANSWER_MS_MAX { BLUE } else { VERMILION };
    let bars = rows.map(|(name, ms)| Bar { name: name.into(), parts: vec![(ms, colour(ms))], text: duration_ms(ms) });
    let name = format!("limit {DIVERT_ANSWER_MS_MAX} ms");
    let svg = charts::bars(title, &bars, Some((DIVERT_ANSWER_MS_MAX, &name)))?;
    let caption = "From the sorter's question to the answer at the sorter, for every box that was asked for. Right of the line the box has passed its chute.";
    Ok(Figure::new(title, svg, &[], caption).marked(Mark::Modelled))
}

/// Countries by how many parcels went there, most first.
fn countries(of: &BTreeMap<SmolStr, Durations>) -> Vec<(&SmolStr, &Durations)> {
    let mut all: Vec<_> = of.iter().collect();
    all.sort_by_key(|(country, times)| (Reverse(times.count()), *country));
    all
}

fn to_door(run: &Run) -> anyhow::Result<Figure> {
    let title = "From order to the buyer's door, days";
    let countries = countries(&run.series.to_door);
    if countries.is_empty() {
        return Ok(Figure::empty(title, "No parcel reached its buyer within the run."));
    }
    let days = |us: Option<u64>| us.unwrap_or_default() as f64 / DAY_US;
    let bar = |(country, times): &(&SmolStr, &Durations)| {
        let (half, most) = (days(times.at(0.5)), days(times.at(0.9)));
        Bar { name: country.to_string(), parts: vec![(half, GREEN), (most - half, SKY)], text: format!("{half:.1} / {most:.1}") }
    };
    let bars: Vec<_> = countries.iter().take(COUNTRIES_MAX).map(bar).collect();
    let caption = "Green: half of the parcels to a country were there by then; blue: 90 of 100. Only what was delivered within the run counts, so a \
                   short run flatters.";
    Ok(Figure::new(title, charts::bars(title, &bars, None)?, &[(GREEN, "half"), (SKY, "90 of 100")], caption))
}

fn by_country(run: &Run) -> Table {
    use Column::{Number, Text};
    let at = |times: Option<&Durations>, quantile| times.and_then(|t| t.at(quantile)).map_or_else(|| "–".into(), duration_us);
    let rows = (countries(&run.series.to_handover).into_iter())
        .map(|(country, handover)| {
            let door = run.series.to_door.get(country);
            let handed_over = [at(Some(handover), 0.5), at(Some(handover), 0.9), at(Some(handover), 0.99)];
            let delivered = [count(door.map_or(0, Durations::count)), at(door, 0.5), at(door, 0.9), at(door, 0.99)];
            [vec![country.to_string(), count(handover.count())], handed_over.into(), delivered.into()].concat()
        })
        .collect();
    let columns = vec![
        Text("country"),
        Number("handed over"),
        Number("half within"),
        Number("90 of 100"),
        Number("99 of 100"),
        Number("delivered"),
        Number("half within"),
        Number("90 of 100"),
        Number("99 of 100"),
    ];
    let note = "From receiving the order to handing its parcel to the carrier, and to the moment that the carrier names as delivery.";
    Table { title: "From order to handover, and to delivery, by country", columns, rows, note: note.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::durations::Bin;

    #[test]
    fn edges_are_short_and_a_limit_stands_between_them() {
        assert_eq!(
            [0, 200_000, 5_000_000, 200_000_000, 10_000_000_000, 200_000_000_000].map(short),
            ["0", "200 ms", "5 s", "3.3 min", "2.8 h", "2.3 d"]
        );
        let bins = [Bin { above_us: 1_000, up_to_us: 10_000, n: 1 }, Bin { above_us: 10_000, up_to_us: 1_000_000, n: 1 }];
        assert_eq!((place(&bins, 10_000), place(&bins, 100_000), place(&bins, 1)), (Some(1.0), Some(1.5), None));
    }
}

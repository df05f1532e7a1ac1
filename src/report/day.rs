//! How the day went: orders in, parcels through the building, parcels to the door.

use super::Run;
use super::charts::{self, BLUE, Bar, Column, Frame, GREEN, GREY, Layer, ORANGE, PURPLE, SKY, VERMILION, YELLOW};
use super::hours::{day_text, hour_text, ticks};
use super::numbers::{count, of, share};
use super::page::{Figure, Section};
use super::phases::{Counts, Phase};
use super::series::{Flow, STEPS};
use plotters::style::RGBColor;

/// Up to this many hours are shown hour by hour; a longer run day by day.
const HOURS_MAX: i64 = 7 * 24;
/// Points of a chart over time: more than the eye can tell apart at its width.
const POINTS: usize = 140;

/// The most that stood in the building, when, and in which phase most of it was.
type Crowd = (u64, i64, Phase);

pub fn section(run: &Run) -> anyhow::Result<Section> {
    let figures = vec![flow(run)?, handed_over(run)?, in_house(run)?, everywhere(run)?, reached(run)?, delivered(run)?];
    Ok(Section { title: "How the day went", intro: String::new(), figures, tables: vec![] })
}

/// The flow by hour, or by day if the floor worked too long for hours, without gaps; and how many hours a step has.
fn steps(run: &Run) -> Option<(Vec<(i64, Flow)>, i64)> {
    let (first, last) = (*run.series.flow.keys().next()?, *run.series.flow.keys().next_back()?);
    let step = if last - first < HOURS_MAX { 1 } else { 24 };
    let begin = first.div_euclid(step) * step;
    let sum = |from: i64| {
        run.series.flow.range(from..from + step).fold(Flow::default(), |sum, (_, flow)| Flow {
            received: sum.received + flow.received,
            packed: sum.packed + flow.packed,
            sorted: sum.sorted + flow.sorted,
            handed_over: sum.handed_over + flow.handed_over,
        })
    };
    Some(((begin..=last).step_by(step as usize).map(|from| (from, sum(from))).collect(), step))
}

fn per(step: i64) -> &'static str {
    if step == 1 { "hour" } else { "day" }
}

fn called(from: i64, step: i64) -> String {
    if step == 1 { hour_text(from) } else { day_text(from.div_euclid(24)) }
}

fn flow(run: &Run) -> anyhow::Result<Figure> {
    let Some((steps, step)) = steps(run) else {
        return Ok(Figure::empty("Orders received, parcels packed and sorted", "No order came in and no parcel was packed."));
    };
    let title = format!("Orders received, parcels packed and sorted per {}", per(step));
    let named = [(SKY, "orders received"), (GREEN, "parcels packed"), (VERMILION, "parcels sorted")];
    let value: [fn(&Flow) -> u64; 3] = [|f| f.received, |f| f.packed, |f| f.sorted];
    let layer = |n: usize| Layer {
        colour: named[n].0,
        // A step's sum stands in its middle.
        points: steps.iter().map(|(from, flow)| (*from as f64 + step as f64 / 2.0, value[n](flow) as f64)).collect(),
    };
    let layers = [layer(0), layer(1), layer(2)];
    let y_max = layers.iter().flat_map(|l| &l.points).map(|p| p.1).fold(0.0, f64::max);
    let units = (&*local(run), &*format!("number per {}", per(step)));
    let svg = charts::lines(&frame(&title, span(&steps, step), step, units, y_max), &layers)?;
    let busiest = |n: usize| {
        steps.iter().rev().max_by_key(|(_, flow)| value[n](flow)).map(|(from, flow)| (called(*from, step), count(value[n](flow))))
    };
    let caption = match (busiest(0), busiest(1)) {
        (Some(orders), Some(packed)) => format!(
            "Most orders: {} from {}. Most parcels packed: {} from {}. Where packing stays under the orders, a backlog grows.",
            orders.1, orders.0, packed.1, packed.0
        ),
        _ => String::new(),
    };
    Ok(Figure::new(title, svg, &named, caption))
}

fn local(run: &Run) -> String {
    format!("local time ({})", run.local.zone())
}

/// A frame over time, from one local hour to another, labelled no finer than the steps are.
fn frame<'a>(title: &'a str, (from, to): (f64, f64), step: i64, units: (&'a str, &'a str), y_max: f64) -> Frame<'a> {
    Frame { title, x: from..to, x_ticks: ticks(from, to, step as f64), x_unit: units.0, y_unit: units.1, y_max }
}

/// From the first order or parcel to the last handover, in whole steps.
fn span(steps: &[(i64, Flow)], step: i64) -> (f64, f64) {
    (steps.first().map_or(0, |s| s.0) as f64, (steps.last().map_or(0, |s| s.0) + step) as f64)
}

fn handed_over(run: &Run) -> anyhow::Result<Figure> {
    let (name, none) = ("Parcels handed over to carriers", "No parcel was handed over.");
    let Some((steps, step)) = steps(run).filter(|(steps, _)| steps.iter().any(|s| s.1.handed_over > 0)) else {
        return Ok(Figure::empty(name, none));
    };
    let title = format!("{name} per {}", per(step));
    let column =
        |(from, flow): &(i64, Flow)| Column { x: *from as f64..(from + step) as f64, height: flow.handed_over as f64, colour: BLUE };
    let columns: Vec<_> = steps.iter().map(column).collect();
    let y_max = columns.iter().map(|c| c.height).fold(0.0, f64::max);
    let svg = charts::columns(&frame(&title, span(&steps, step), step, (&local(run), "parcels"), y_max), &columns, None)?;
    let total: u64 = steps.iter().map(|s| s.1.handed_over).sum();
    let times = steps.iter().filter(|s| s.1.handed_over > 0).count();
    let caption =
        format!("{}, in {times} of {}. The peaks are the carriers' cut-offs.", of(total, "parcel"), of(steps.len() as u64, per(step)));
    Ok(Figure::new(title, svg, &[], caption))
}

fn colour(phase: Phase) -> RGBColor {
    match phase {
        Phase::Delivered => GREEN,
        Phase::Carrier => BLUE,
        Phase::Bagged => SKY,
        Phase::Line => YELLOW,
        Phase::Pack => ORANGE,
        Phase::Label => PURPLE,
        Phase::Stopped => VERMILION,
        Phase::Ended => GREY,
    }
}

fn layers(samples: &[(f64, Counts)], phases: &[Phase]) -> Vec<Layer> {
    let points = |phase: Phase| samples.iter().map(|(at, counts)| (*at, counts[phase as usize] as f64)).collect();
    phases.iter().map(|phase| Layer { colour: colour(*phase), points: points(*phase) }).collect()
}

fn sum(counts: &Counts, phases: &[Phase]) -> u64 {
    phases.iter().map(|phase| counts[*phase as usize]).sum()
}

fn stacked(
    run: &Run,
    title: &'static str,
    span: (f64, f64),
    phases: &[Phase],
    caption: impl Fn(&[(f64, Counts)]) -> String,
) -> anyhow::Result<Figure> {
    let samples = run.series.phases.sampled(span.0, span.1, POINTS);
    let y_max = samples.iter().map(|(_, counts)| sum(counts, phases)).max().unwrap_or(0) as f64;
    let svg = charts::stacked(&frame(title, span, 0, (&local(run), "parcels"), y_max), &layers(&samples, phases))?;
    // Named from the top down, as they lie.
    let used = phases.iter().rev().filter(|phase| samples.iter().any(|s| s.1[**phase as usize] > 0));
    let legend: Vec<_> = used.map(|phase| (colour(*phase), phase.as_str())).collect();
    Ok(Figure::new(title, svg, &legend, caption(&samples)))
}

fn crowd(samples: &[(f64, Counts)]) -> Option<Crowd> {
    let (at, counts) = samples.iter().rev().max_by_key(|(_, counts)| sum(counts, &Phase::IN_HOUSE))?;
    let most = Phase::IN_HOUSE.into_iter().rev().max_by_key(|phase| counts[*phase as usize])?;
    Some((sum(counts, &Phase::IN_HOUSE), at.floor() as i64, most))
}

fn in_house(run: &Run) -> anyhow::Result<Figure> {
    let title = "Parcels in the building";
    let Some((steps, step)) = steps(run).filter(|_| run.series.reached[0] > 0) else {
        return Ok(Figure::empty(title, "No parcel was made."));
    };
    stacked(run, title, span(&steps, step), &Phase::IN_HOUSE, |samples| match crowd(samples) {
        Some((n, hour, most)) => format!(
            "At its fullest, about {}, it held {}, most of them {}. A layer that keeps growing shows where the work is stuck.",
            hour_text(hour),
            of(n, "parcel"),
            most.as_str()
        ),
        None => String::new(),
    })
}

fn everywhere(run: &Run) -> anyhow::Result<Figure> {
    let title = "Where all parcels are, over the whole run";
    let Some(span) = run.series.phases.span_h() else {
        return Ok(Figure::empty(title, "No parcel was made."));
    };
    let span = (span.0.floor(), span.1.ceil());
    stacked(run, title, span, &Phase::ALL, |samples| {
        let last = samples.last().map(|s| s.1).unwrap_or_default();
        let parts: Vec<_> = Phase::ALL
            .iter()
            .filter(|phase| last[**phase as usize] > 0)
            .map(|phase| format!("{} {}", count(last[*phase as usize]), phase.as_str()))
            .collect();
        format!("At the end: {}.", parts.join(", "))
    })
}

fn reached(run: &Run) -> anyhow::Result<Figure> {
    let title = "How far parcels came";
    let all = run.series.reached[0];
    if all == 0 {
        return Ok(Figure::empty(title, "No parcel was made."));
    }
    let bar = |(n, name): (&u64, &&str)| Bar {
        name: (*name).into(),
        parts: vec![(*n as f64, BLUE)],
        text: format!("{} · {}", count(*n), share(*n, all)),
    };
    let bars: Vec<_> = run.series.reached.iter().zip(&STEPS).map(bar).collect();
    let caption = "Parcels that came at least this far, and their share of all. What is missing from one bar to the next was stopped, cancelled, or is still on its way.";
    Ok(Figure::new(title, charts::bars(title, &bars, None)?, &[], caption))
}

fn delivered(run: &Run) -> anyhow::Result<Figure> {
    let title = "Parcels delivered per day";
    let days = &run.series.delivered;
    let (Some(first), Some(last)) = (days.keys().next(), days.keys().next_back()) else {
        return Ok(Figure::empty(title, "No parcel reached its buyer within the run."));
    };
    let column = |(day, n): (&i64, &u64)| Column { x: (day * 24) as f64..((day + 1) * 24) as f64, height: *n as f64, colour: GREEN };
    let columns: Vec<_> = days.iter().map(column).collect();
    let y_max = columns.iter().map(|c| c.height).fold(0.0, f64::max);
    let span = ((first * 24) as f64, ((last + 1) * 24) as f64);
    let svg = charts::columns(&frame(title, span, 24, (&local(run), "parcels"), y_max), &columns, None)?;
    let total: u64 = days.values().sum();
    let caption =
        format!("{} delivered from {} to {}, by the day that the carrier names.", count(total), day_text(*first), day_text(*last));
    Ok(Figure::new(title, svg, &[], caption))
}

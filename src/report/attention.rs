//! What wants a person: orders on hold with their reasons, and the latest exceptions with the ids to look them up by.

use super::Run;
use super::charts::{self, Bar, GREY, ORANGE};
use super::numbers::{count, share};
use super::page::{Column, Figure, Section, Table};
use super::series::Held;
use smol_str::SmolStr;
use std::cmp::Reverse;
use twin::Key;
use twin::order::Hold;
use twin::problem::Cause;

pub fn held(run: &Run) -> anyhow::Result<Section> {
    let title = "Why orders were held";
    let mut holds: Vec<(&Hold, &Held)> = run.series.holds.iter().collect();
    holds.sort_by_key(|(reason, of)| (Reverse(of.orders), **reason));
    let mut section = Section { title: "Orders on hold", ..Section::default() };
    if holds.is_empty() {
        section.figures.push(Figure::empty(title, "No order had to wait for anything."));
        return Ok(section);
    }
    section.intro = "An order waits until its reason is gone; several reasons may stand at once.".into();
    let bar = |(reason, of): &(&Hold, &Held)| Bar {
        name: reason.as_str().into(),
        parts: vec![(of.still as f64, ORANGE), (of.orders.saturating_sub(of.still) as f64, GREY)],
        text: count(of.orders),
    };
    let bars: Vec<_> = holds.iter().map(bar).collect();
    let legend = [(ORANGE, "still held"), (GREY, "released or cancelled since")];
    let caption = "Orders by reason; one with two reasons counts for each.";
    section.figures.push(Figure::new(title, charts::bars(title, &bars, None)?, &legend, caption));
    let row = |(reason, of): &(&Hold, &Held)| {
        let figures = [count(of.orders), share(of.orders, run.kpis.orders.received), count(of.still)];
        [vec![reason.as_str().into()], figures.into(), vec![of.latest.0.to_string(), of.latest.1.to_string()]].concat()
    };
    let columns = vec![
        Column::Text("reason"),
        Column::Number("orders"),
        Column::Number("of all"),
        Column::Number("still held"),
        Column::Text("latest"),
        Column::Text("what exactly"),
    ];
    section.tables.push(Table { title: "Reasons", columns, rows: holds.iter().map(row).collect(), note: String::new() });
    Ok(section)
}

pub fn latest(run: &Run) -> Section {
    let exceptions = &run.series.exceptions;
    let mut section = Section { title: "Latest exceptions", ..Section::default() };
    if exceptions.is_empty() {
        section.intro = "There were none.".into();
        section.tables.extend(open(run));
        return section;
    }
    let rows = exceptions
        .iter()
        .map(|e| vec![run.local.text(e.at), e.key.kind.as_str().into(), e.key.id.to_string(), e.what.to_string()])
        .collect();
    let columns = vec![Column::Text("when"), Column::Text("what"), Column::Text("which"), Column::Text("why")];
    let note =
        format!("Newest first, {} at most; the journal has all of them. Times are {}.", super::series::EXCEPTIONS_MAX, run.local.zone());
    section.tables.extend(open(run));
    section.tables.push(Table { title: "What happened last", columns, rows, note });
    section
}

/// What is still wrong at the end, by its sort.
fn open(run: &Run) -> Option<Table> {
    let row = |(cause, (n, of, what)): (&Cause, &(u64, Key, SmolStr))| {
        vec![cause.as_str().replace('_', " "), count(*n), of.to_string(), what.to_string()]
    };
    let rows: Vec<_> = run.series.open.iter().map(row).collect();
    let columns = vec![Column::Text("what sort"), Column::Number("open"), Column::Text("one of them"), Column::Text("why")];
    let note = "Each stays open until its cause is gone; what a person can do about it says the list of problems.".into();
    (!rows.is_empty()).then_some(Table { title: "Still open at the end", columns, rows, note })
}

//! `parceltwin sim`: one run in virtual time, its table, its report.

use super::meter::Meter;
use super::{Answer, SimFlags, screen};
use crate::report;
use anyhow::Context;
use sim::kpis::Kpis;
use sim::run::{Progress, Run};
use sim::scenario::Scenario;
use std::io::{BufWriter, Write};
use std::path::Path;

pub fn run(flags: SimFlags) -> anyhow::Result<Answer> {
    let scenario = Scenario::read(&flags.scenario)?;
    let orders = flags.orders.as_deref().map(drivers::platforms::read_order_file).transpose()?;
    let seed = flags.seed.or(scenario.seeds.first().copied()).unwrap_or(1);
    if let Some(file) = &orders
        && !flags.quiet
    {
        for line in left_out(file, &scenario)? {
            eprintln!("{}", screen::shown(&line));
        }
    }
    let quiet = flags.quiet || flags.json;
    let mut run = metered(&scenario, seed, orders.as_ref(), quiet)?;
    if let Some(out) = &flags.out {
        write(out, &scenario, &mut run)?;
    }
    if let Some(to) = &flags.twin {
        save(&run, to)?;
    }
    if flags.json {
        screen::print(&(serde_json::to_string_pretty(&run.kpis)? + "\n"))?;
    } else if !flags.quiet {
        screen::print(&(report::table(&run.kpis).trim_end().to_owned() + "\n"))?;
        if let Some(out) = &flags.out {
            screen::print(&format!("report: {}\n", out.join("report.html").display()))?;
        }
    }
    Ok(Answer::Yes)
}

/// Runs once, with progress on the terminal, and puts down what it took.
pub fn metered(scenario: &Scenario, seed: u64, orders: Option<&drivers::platforms::OrderFile>, quiet: bool) -> anyhow::Result<Run> {
    let bar = screen::progress(quiet, &scenario.name);
    let meter = Meter::start();
    let mut run = sim::run::run(scenario, seed, orders, &mut |p: Progress| {
        bar.set_length((p.of + p.of.max(p.parcels)).max(1));
        bar.set_position(p.orders + p.ended);
        bar.set_message(format!("{}  {} orders in, {} of {} parcels at their end", p.now, p.orders, p.ended, p.parcels));
    })?;
    bar.finish_and_clear();
    run.kpis.wall_s = round(meter.wall_s());
    run.kpis.cpu_s = round(meter.cpu_s());
    Ok(run)
}

pub fn round(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}

/// What of an order file will not be run, and why.
fn left_out(file: &drivers::platforms::OrderFile, scenario: &Scenario) -> anyhow::Result<Vec<String>> {
    let site = scenario.read_site()?;
    let mut lines: Vec<String> = file.skipped.iter().map(|s| format!("left out: order {}: {}", s.order, s.why)).collect();
    let mut unknown: Vec<_> = file.stock.iter().flatten().map(|r| &r.warehouse).filter(|w| site.warehouse(w).is_none()).collect();
    unknown.sort_unstable();
    unknown.dedup();
    if !unknown.is_empty() {
        let names: Vec<_> = unknown.iter().map(|w| w.as_str()).collect();
        lines.push(format!("left out: stock of {}, which site {} does not have", names.join(", "), site.name));
    }
    Ok(lines)
}

/// The run's twin, as a live site keeps it.
fn save(run: &Run, to: &Path) -> anyhow::Result<()> {
    twin::copies::save(&run.twin, &twin::copies::At::path(to)?)?;
    Ok(())
}

pub fn write(out: &Path, scenario: &Scenario, run: &mut Run) -> anyhow::Result<()> {
    std::fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    let time_zone = run.site.warehouses.first().map_or(twin::TimeZone::UTC, |w| w.time_zone.clone());
    let titles = report::Titles {
        scenario: scenario.name.clone(),
        about: scenario.about.clone(),
        site: run.site.name.clone(),
        start: run.start,
        time_zone,
    };
    put(&out.join("report.html"), report::html(&run.kpis, &run.twin, &run.site.fx, &titles)?.as_bytes())?;
    put(&out.join("kpis.json"), kpis_json(&run.kpis)?.as_bytes())?;
    let path = out.join("journal.jsonl");
    let mut journal = BufWriter::new(std::fs::File::create(&path).with_context(|| format!("cannot write {}", path.display()))?);
    for record in run.twin.records(0) {
        serde_json::to_writer(&mut journal, &record?)?;
        journal.write_all(b"\n")?;
    }
    journal.flush().with_context(|| format!("cannot write {}", path.display()))
}

fn kpis_json(kpis: &Kpis) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(kpis)? + "\n")
}

fn put(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

//! `parceltwin sim --seeds`: one scenario many times over, each time with another seed, and what of it is chance.

use super::{Answer, SimFlags, parallel, screen, simulate};
use anyhow::{Context, bail};
use serde::Serialize;
use serde_json::Value;
use sim::kpis::{Kpis, mark};
use sim::scenario::Scenario;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// More runs than that in one command are a mistake.
const SEEDS_MAX: u64 = 100_000;
/// 97.5 % points of Student's t for 1 to 30 degrees of freedom; beyond, the normal's is near enough.
const STUDENT: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093,
    2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];
const NORMAL: f64 = 1.960;
/// What every run has of its own.
const NO_FIGURES: [&str; 4] = ["scenario", "seed", "wall_s", "cpu_s"];

/// `7`, or `1..40` with both ends.
pub fn read_range(text: &str) -> Result<RangeInclusive<u64>, String> {
    let number = |part: &str| part.trim().parse::<u64>().map_err(|_| format!("{text:?} is neither a seed nor a range such as 1..40"));
    let (first, last) = match text.split_once("..") {
        Some((first, last)) => (number(first)?, number(last.strip_prefix('=').unwrap_or(last))?),
        None => (number(text)?, number(text)?),
    };
    match last.checked_sub(first) {
        Some(more) if more < SEEDS_MAX => Ok(first..=last),
        Some(_) => Err(format!("{text} is more than {SEEDS_MAX} seeds")),
        None => Err(format!("{text} ends before it begins")),
    }
}

/// One figure over all runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    pub runs: usize,
    pub mean: f64,
    /// With 95 % confidence the mean of all seeds there are is this near to it; absent for one run.
    pub within: Option<f64>,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    pub fn of(values: &[f64]) -> Self {
        let n = values.len();
        if n == 0 {
            return Spread::default();
        }
        let mean = values.iter().sum::<f64>() / n as f64;
        let fold = |start, pick: fn(f64, f64) -> f64| values.iter().copied().fold(start, pick);
        let within = (n > 1).then(|| {
            let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1) as f64;
            STUDENT.get(n - 2).copied().unwrap_or(NORMAL) * (variance / n as f64).sqrt()
        });
        Spread { runs: n, mean, within, min: fold(f64::INFINITY, f64::min), max: fold(f64::NEG_INFINITY, f64::max) }
    }
}

#[derive(Serialize)]
struct Outcome<'a> {
    scenario: &'a str,
    /// Seed → journal hash.
    journals: BTreeMap<u64, String>,
    figures: &'a BTreeMap<String, Spread>,
    wall_s: f64,
    threads: usize,
}

pub fn run(flags: SimFlags, seeds: RangeInclusive<u64>) -> anyhow::Result<Answer> {
    if flags.twin.is_some() {
        bail!("--twin keeps one run's twin: give one --seed instead of --seeds");
    }
    let scenario = Scenario::read(&flags.scenario)?;
    let orders = flags.orders.as_deref().map(drivers::platforms::read_order_file).transpose()?;
    let seeds: Vec<u64> = seeds.collect();
    let threads = flags.threads.unwrap_or_else(parallel::cores);
    let quiet = flags.quiet || flags.json;
    let bar = screen::runs(quiet, &scenario.name, seeds.len());
    let meter = super::meter::Meter::start();
    let mut all: Vec<Kpis> = Vec::with_capacity(seeds.len());
    let one = |seed: &u64| {
        let mut run = simulate::metered(&scenario, *seed, orders.as_ref(), true)?;
        if let Some(out) = &flags.out {
            simulate::write(&out.join(format!("seed-{seed}")), &scenario, &mut run)?;
        }
        anyhow::Ok(run.kpis)
    };
    parallel::each(
        &seeds,
        threads,
        one,
        || bar.inc(1),
        |kpis| {
            all.push(kpis?);
            Ok(())
        },
    )?;
    bar.finish_and_clear();
    let figures = spreads(&all)?;
    let journals = all.iter().map(|kpis| (kpis.seed, kpis.journal.hash.to_string())).collect();
    let outcome = Outcome { scenario: &scenario.name, journals, figures: &figures, wall_s: simulate::round(meter.wall_s()), threads };
    let json = serde_json::to_string_pretty(&outcome)? + "\n";
    if let Some(out) = &flags.out {
        std::fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
        std::fs::write(out.join("seeds.json"), &json).with_context(|| format!("cannot write into {}", out.display()))?;
    }
    if flags.json {
        screen::print(&json)?;
    } else if !flags.quiet {
        screen::print(&table(&outcome))?;
    }
    Ok(Answer::Yes)
}

/// Every figure of `kpis.json` over the runs, by its name there. What one run counts and another does not name is 0 there, such as
/// an interception for a reason that did not come up.
fn spreads(all: &[Kpis]) -> anyhow::Result<BTreeMap<String, Spread>> {
    let mut runs = Vec::with_capacity(all.len());
    for kpis in all {
        let mut figures = BTreeMap::new();
        gather("", &serde_json::to_value(kpis)?, &mut figures);
        runs.push(figures);
    }
    let names: BTreeSet<&String> = runs.iter().flat_map(BTreeMap::keys).collect();
    let spread = |name: &String| Spread::of(&runs.iter().map(|figures| figures.get(name).copied().unwrap_or(0.0)).collect::<Vec<_>>());
    Ok(names.into_iter().map(|name| (name.clone(), spread(name))).collect())
}

fn gather(name: &str, value: &Value, figures: &mut BTreeMap<String, f64>) {
    let figure = match value {
        Value::Object(map) => {
            for (key, value) in map.iter().filter(|(key, _)| !NO_FIGURES.contains(&key.as_str())) {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                gather(&name, value, figures);
            }
            return;
        }
        // Amounts are decimals, written as text.
        Value::String(text) => text.parse::<f64>().ok().filter(|v| v.is_finite()),
        other => other.as_f64(),
    };
    figures.extend(figure.map(|figure| (name.to_owned(), figure)));
}

fn table(outcome: &Outcome) -> String {
    let number = |v: f64| if v.fract() == 0.0 && v.abs() < 1e12 { format!("{v}") } else { format!("{v:.2}") };
    let head = ["figure", "mean", "± 95 %", "least", "most", "what it is"].map(String::from);
    let shown = outcome.figures.iter().filter(|(_, spread)| spread.runs > 0);
    let rows = shown.map(|(name, s)| {
        let what = mark::of(name).map_or("", |(mark, _)| mark.as_str()).to_owned();
        let within = s.within.map(|w| format!("{w:.2}")).unwrap_or_default();
        [name.clone(), format!("{:.2}", s.mean), within, number(s.min), number(s.max), what]
    });
    let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
    let wide: Vec<usize> = (0..5).map(|n| rows.iter().map(|row| row[n].chars().count()).max().unwrap_or(0)).collect();
    let mut text =
        format!("{}, {} seeds in {:.1} s on {} threads\n\n", outcome.scenario, outcome.journals.len(), outcome.wall_s, outcome.threads);
    for row in rows {
        text.push_str(&format!("{:w$}", row[0], w = wide[0]));
        (1..5).for_each(|n| text.push_str(&format!("  {:>w$}", row[n], w = wide[n])));
        text.push_str(format!("  {}", row[5]).trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_both_ends() {
        assert_eq!(read_range("1..40"), Ok(1..=40));
        assert_eq!(read_range("1..=3"), Ok(1..=3));
        assert_eq!(read_range("7"), Ok(7..=7));
        for bad in ["", "a..b", "5..2", "1..", "0..100000"] {
            assert!(read_range(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_table_says_what_each_figure_is() {
        let figures = ["steps.bench.wait_s.p99", "latency_ms.divert.p50", "orders.held"].map(|name| (name.to_owned(), Spread::of(&[1.0])));
        let outcome = Outcome { scenario: "small", journals: BTreeMap::new(), figures: &figures.into(), wall_s: 1.0, threads: 1 };
        let text = table(&outcome);
        let ends: Vec<_> = text.lines().skip(3).map(|line| line.rsplit("  ").next().unwrap()).collect();
        assert_eq!(ends, ["modelled", "measured", "known to the floor alone"]);
    }

    /// Mean 5, standard deviation √(32/7); the half-width from a table of Student's t with 7 degrees of freedom.
    #[test]
    fn the_spread_is_that_of_the_textbook() {
        let spread = Spread::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        let within = spread.within.unwrap();
        assert!((spread.mean - 5.0).abs() < 1e-9 && (within - 1.7875).abs() < 1e-3, "{spread:?}");
        assert_eq!((spread.min, spread.max), (2.0, 9.0));
        assert_eq!(Spread::of(&[3.0]).within, None);
    }
}

//! `parceltwin check --chaos`: the bundled site under every mishap at once, many seeds over.

use super::{Answer, parallel, screen};
use serde::Serialize;
use sim::chaos::{self, Survived};
use sim::site_file::SiteFile;
use std::collections::BTreeMap;

const QUICK_START: &str = include_str!("../../scenarios/quick-start/site.toml");

#[derive(Default, Serialize)]
struct Outcome {
    runs: u64,
    /// What went wrong, in words, with the seed.
    failed: Vec<String>,
    mishaps: BTreeMap<&'static str, u64>,
    /// Where the parcels were in the end.
    parcels: BTreeMap<String, u64>,
    records: u64,
}

pub fn run(count: u64, first: u64, threads: usize, json: bool) -> anyhow::Result<Answer> {
    let site = SiteFile::of_toml(QUICK_START, "quick-start")?.config;
    let seeds: Vec<u64> = (first..first.saturating_add(count)).collect();
    let bar = screen::runs(json, "chaos", seeds.len());
    let mut outcome = Outcome::default();
    parallel::each(
        &seeds,
        threads,
        |seed| chaos::run(&site, *seed),
        || bar.inc(1),
        |one| {
            outcome.runs += 1;
            match one {
                Ok(Survived { mishaps, parcels, records, .. }) => {
                    mishaps.into_iter().for_each(|(what, n)| *outcome.mishaps.entry(what).or_default() += u64::from(n));
                    parcels.into_iter().for_each(|(place, n)| *outcome.parcels.entry(place.to_string()).or_default() += n);
                    outcome.records += records;
                }
                Err(why) => {
                    let seed: String = why.trim_start_matches("seed ").chars().take_while(char::is_ascii_digit).collect();
                    let told = format!("{why}\n  again with: parceltwin check --chaos 1 --first-seed {seed}\n");
                    if !json {
                        bar.suspend(|| screen::print(&told))?;
                    }
                    outcome.failed.push(why);
                }
            }
            Ok(())
        },
    )?;
    bar.finish_and_clear();
    if json {
        screen::print(&(serde_json::to_string_pretty(&outcome)? + "\n"))?;
    } else {
        let list = |of: Vec<(String, u64)>| of.into_iter().map(|(what, n)| format!("{n} × {what}")).collect::<Vec<_>>().join(", ");
        screen::print(&format!(
            "{} runs, {} failed\n  mishaps: {}\n  parcels in the end: {}\n",
            outcome.runs,
            outcome.failed.len(),
            list(outcome.mishaps.iter().map(|(what, n)| ((*what).to_owned(), *n)).collect()),
            list(outcome.parcels.clone().into_iter().collect()),
        ))?;
    }
    Ok(if outcome.failed.is_empty() { Answer::Yes } else { Answer::No })
}

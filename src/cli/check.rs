//! `parceltwin check`: every scenario below a folder, every seed in it, against its expectations and golden journals.

use super::{Answer, CheckFlags, parallel, screen, simulate};
use anyhow::{Context, bail};
use serde::Serialize;
use sim::expect::Verdict;
use sim::run::Run;
use sim::scenario::{FILE, Scenario};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use twin::{Because, By};

/// How deep scenarios may lie below the folder.
const DEPTH_MAX: usize = 8;

/// One scenario with one seed.
#[derive(Serialize)]
struct Case {
    name: String,
    seconds: f64,
    /// What was missed; empty where all went as expected.
    missed: Vec<String>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Outcome<'a> {
    runs: usize,
    missed: usize,
    cases: &'a [Case],
}

pub fn run(flags: CheckFlags) -> anyhow::Result<Answer> {
    let threads = flags.threads.unwrap_or_else(parallel::cores);
    if let Some(count) = flags.chaos {
        return super::chaos::run(count, flags.first_seed, threads, flags.json);
    }
    let (mut files, dir) = (Vec::new(), flags.dir.clone().unwrap_or_default());
    find(&dir, 0, &mut files)?;
    if files.is_empty() {
        bail!("there is no {FILE} below {}", dir.display());
    }
    files.sort();
    let scenarios = files.iter().map(|file| Scenario::read(file)).collect::<Result<Vec<_>, _>>()?;
    let runs: Vec<_> = scenarios.iter().flat_map(|scenario| scenario.seeds.iter().map(move |seed| (scenario, *seed))).collect();
    let mut cases = Vec::with_capacity(runs.len());
    let bar = screen::runs(flags.json, "check", runs.len());
    let threads = flags.threads.unwrap_or_else(parallel::cores);
    parallel::each(
        &runs,
        threads,
        |(scenario, seed)| check(scenario, *seed, flags.bless),
        || bar.inc(1),
        |case| {
            let case = case?;
            if !flags.json {
                bar.suspend(|| say(&case))?;
            }
            cases.push(case);
            Ok(())
        },
    )?;
    bar.finish_and_clear();
    if let Some(path) = &flags.junit {
        std::fs::write(path, junit(&cases)).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let missed = cases.iter().filter(|c| !c.missed.is_empty()).count();
    if flags.json {
        let outcome = Outcome { runs: cases.len(), missed, cases: &cases };
        screen::print(&(serde_json::to_string_pretty(&outcome)? + "\n"))?;
    } else {
        screen::print(&format!("{} runs, {missed} missed\n", cases.len()))?;
    }
    Ok(if missed == 0 { Answer::Yes } else { Answer::No })
}

fn say(case: &Case) -> anyhow::Result<()> {
    let word = if case.missed.is_empty() { "ok    " } else { "MISSED" };
    screen::print(&format!("{word} {} ({:.1} s)\n", case.name, case.seconds))?;
    case.missed.iter().try_for_each(|line| screen::print(&format!("       {line}\n")))
}

fn find(dir: &Path, depth: usize, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() && depth < DEPTH_MAX {
            find(&path, depth + 1, files)?;
        } else if path.file_name().is_some_and(|name| name == FILE) {
            files.push(path);
        }
    }
    Ok(())
}

fn check(scenario: &Scenario, seed: u64, bless: bool) -> anyhow::Result<Case> {
    let run = simulate::metered(scenario, seed, None, true)?;
    let mut missed = Vec::new();
    for expectation in &scenario.expect {
        match expectation.check(&run.kpis) {
            Verdict::Met => {}
            Verdict::Missed(is) => missed.push(format!("expected {}; it is {is}", expectation.text)),
            Verdict::NoFigure => missed.push(format!("expected {}; there is no such figure", expectation.text)),
        }
    }
    if scenario.golden {
        let path = scenario.folder.join(format!("golden-{seed}.txt"));
        if bless {
            std::fs::write(&path, golden(&run)?).with_context(|| format!("cannot write {}", path.display()))?;
        } else if let Some(difference) = compare(&path, &golden(&run)?)? {
            missed.push(difference);
        }
    }
    Ok(Case { name: format!("{} seed {seed}", scenario.name), seconds: run.kpis.wall_s, missed })
}

/// The journal as text: its head, then a record a line.
fn golden(run: &Run) -> anyhow::Result<String> {
    let head = run.twin.head();
    let mut text = format!("journal: {} records, hash {}\n", head.records, head.hash);
    for record in run.twin.records(0) {
        let record = record?;
        let event = serde_json::to_string(&record.event)?;
        // Writing into a String cannot fail.
        let _ = write!(text, "{} {} {} v{} {event}", record.seq, record.at, record.key, record.version);
        if record.by != By::System {
            let _ = write!(text, " by {}", record.by);
        }
        if record.because != Because::Nothing {
            let _ = write!(text, " because {}", record.because);
        }
        text.push('\n');
    }
    Ok(text)
}

/// The first record that differs from the golden journal, as it was and as it is.
fn compare(path: &Path, now: &str) -> anyhow::Result<Option<String>> {
    let golden = std::fs::read_to_string(path).with_context(|| format!("cannot read {}; write it with --bless", path.display()))?;
    if golden == now {
        return Ok(None);
    }
    let (mut before, mut after) = (golden.lines().skip(1), now.lines().skip(1));
    loop {
        match (before.next(), after.next()) {
            (Some(a), Some(b)) if a == b => {}
            (None, None) => return Ok(Some(format!("{}: only the head differs: the journal's encoding has changed", path.display()))),
            (a, b) => {
                let end = "the journal ends here";
                return Ok(Some(format!(
                    "{}: the first record that differs\n         golden: {}\n         now:    {}",
                    path.display(),
                    a.unwrap_or(end),
                    b.unwrap_or(end)
                )));
            }
        }
    }
}

fn junit(cases: &[Case]) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let failures = cases.iter().filter(|c| !c.missed.is_empty()).count();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"parceltwin check\" tests=\"{}\" failures=\"{failures}\">\n",
        cases.len()
    );
    for case in cases {
        let _ = write!(xml, "  <testcase name=\"{}\" time=\"{:.3}\"", escape(&case.name), case.seconds);
        if case.missed.is_empty() {
            xml.push_str("/>\n");
        } else {
            let _ = writeln!(
                xml,
                "><failure message=\"{} expectations missed\">{}</failure></testcase>",
                case.missed.len(),
                escape(&case.missed.join("\n"))
            );
        }
    }
    xml.push_str("</testsuite>\n");
    xml
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("golden-1.txt");
        std::fs::write(&path, "journal: 2 records, hash a\n1 x\n2 y\n").unwrap();
        assert_eq!(compare(&path, "journal: 2 records, hash a\n1 x\n2 y\n").unwrap(), None);
        let difference = compare(&path, "journal: 2 records, hash b\n1 x\n2 z\n").unwrap().unwrap();
        assert!(difference.contains("golden: 2 y") && difference.contains("now:    2 z"), "{difference}");
        let shorter = compare(&path, "journal: 1 records, hash c\n1 x\n").unwrap().unwrap();
        assert!(shorter.contains("now:    the journal ends here"), "{shorter}");
    }

    #[test]
    fn junit_escapes() {
        let case = Case { name: "a<b".into(), seconds: 1.0, missed: vec!["x < 3 & y".into()] };
        let xml = junit(&[case]);
        assert!(xml.contains("a&lt;b") && xml.contains("x &lt; 3 &amp; y"), "{xml}");
    }
}

//! The papers for the next one in the house say what is so: every place that they name is there, every name is in the code, and
//! the scenario that they show runs as it stands.

mod support;

use std::path::{Path, PathBuf};
use support::{parceltwin, project};

fn paper(name: &str) -> String {
    std::fs::read_to_string(project().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// What stands between backticks within the lines of a text, without its fenced blocks.
fn quoted(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

/// All sources of the workspace in one text.
fn code() -> String {
    fn gather(folder: &Path, all: &mut String) {
        for entry in std::fs::read_dir(folder).expect("it can be listed") {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                gather(&path, all);
            } else if path.extension().is_some_and(|e| e == "rs") {
                all.push_str(&std::fs::read_to_string(&path).expect("a source is text"));
            }
        }
    }
    let mut all = String::new();
    for folder in ["twin/src", "rules/src", "drivers/src", "actors/src", "sim/src", "src", "tests"] {
        gather(&project().join(folder), &mut all);
    }
    all
}

/// A place in the project: `docs/SITE.md`, `twin/src`. The examples' own places are to come.
fn place(text: &str) -> Option<PathBuf> {
    let first = text.split('/').next()?;
    let known = ["twin", "rules", "drivers", "actors", "sim", "src", "docs", "tests", "scenarios", "benches"].contains(&first);
    let examples = ["tote", "NAME", "express-down"];
    (known && text.contains('/') && !text.contains(' ') && !examples.iter().any(|e| text.contains(e))).then(|| project().join(text))
}

#[test]
fn every_place_that_the_papers_name_is_there() {
    let mut missing = Vec::new();
    let mut places = 0;
    for name in ["CONTRIBUTING.md", "README.md", "docs/ARCHITECTURE.md", "docs/GLOSSARY.md", "docs/OPERATING.md", "docs/SITE.md"] {
        for place in quoted(&paper(name)).iter().filter_map(|text| place(text)) {
            places += 1;
            if !place.exists() {
                missing.push(format!("{name}: {}", place.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(places > 40, "{places}: this test no longer finds them");
}

#[test]
fn every_name_of_the_glossary_and_the_examples_is_in_the_code() {
    let code = code();
    let is_name = |text: &&String| text.chars().all(|c| c.is_alphanumeric() || "_:".contains(c)) && text.chars().any(char::is_alphabetic);
    let to_come = ["weight_g_min", "PARCELTWIN_BLESS"];
    let mut missing = Vec::new();
    for paper_name in ["CONTRIBUTING.md", "docs/GLOSSARY.md"] {
        for name in quoted(&paper(paper_name)).iter().filter(is_name).filter(|name| !to_come.contains(&name.as_str())) {
            // `Dock::open`: both parts; which belongs to which, the compiler knows.
            if name.split("::").any(|part| !code.contains(part)) {
                missing.push(format!("{paper_name}: {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn the_scenario_of_the_example_runs_as_it_stands() {
    let text = paper("CONTRIBUTING.md");
    let scenario = text.split_once("```toml\n").and_then(|(_, rest)| rest.split_once("```")).expect("the page shows a scenario").0;
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, content) in
        [("quick-start/site.toml", paper("scenarios/quick-start/site.toml")), ("shown/scenario.toml", scenario.to_owned())]
    {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder can be made");
        std::fs::write(path, content).expect("it can be written");
    }
    let said = parceltwin().arg("check").arg(folder.path().join("shown")).output().expect("the program runs");
    let out = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success() && out.contains("express-down seed 2"), "{out}{}", String::from_utf8_lossy(&said.stderr));
}

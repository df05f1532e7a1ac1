//! The house's own bans: which crate may use which, and what no crate may do. A breach fails here, with its place.

mod support;

use std::path::{Path, PathBuf};
use support::project;

/// Each crate with the crates of this workspace that it may use.
const ARROWS: [(&str, &[&str]); 5] = [
    ("twin", &[]),
    ("rules", &["twin"]),
    ("drivers", &["twin"]),
    ("actors", &["twin", "rules", "drivers"]),
    ("sim", &["twin", "rules", "drivers", "actors"]),
];

/// What a crate's own folder never holds: the words, where they may stand all the same, and why they are banned.
const NEVER: [(&str, &[&str], &[&str], &str); 5] = [
    (
        "twin/src",
        &["tokio", "async fn", "rand::", "SystemTime", "Instant::now", "std::net"],
        &[],
        "the twin knows no time, chance or network",
    ),
    ("rules/src", &["tokio", "async fn", "rand::", "std::fs", "SystemTime", "Instant::now"], &[], "rules are pure"),
    ("drivers/src", &["tokio::time", "SystemTime", "Instant::now"], &["clock.rs"], "all time goes through the clock"),
    (
        "actors/src",
        &["axum", "bevy", "reqwest", "serde_json", "SystemTime", "Instant::now"],
        &[],
        "actors serve no HTTP and parse no wire format",
    ),
    (
        "sim/src",
        &["SystemTime", "Instant::now", "TcpListener", "std::thread", "spawn_blocking"],
        &["serve.rs"],
        "a run has no wall clock, thread or socket",
    ),
];

#[test]
fn arrows_point_one_way() {
    for (name, may) in ARROWS {
        let manifest = std::fs::read_to_string(project().join(name).join("Cargo.toml")).expect("every crate has a manifest");
        let manifest: toml::Table = manifest.parse().expect("it is TOML");
        let uses = manifest["dependencies"].as_table().expect("it has dependencies");
        for (other, _) in ARROWS {
            assert!(!uses.contains_key(other) || may.contains(&other), "{name} must not use {other}");
        }
    }
}

#[test]
fn nobody_does_what_the_house_bans() {
    let mut breaches = Vec::new();
    for (folder, words, exempt, why) in NEVER {
        for file in sources(&project().join(folder)) {
            if exempt.iter().any(|name| file.ends_with(name)) {
                continue;
            }
            let text = std::fs::read_to_string(&file).expect("a source file is text");
            for (n, line) in code(&text) {
                if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                    breaches.push(format!("{}:{n}: {word}: {why}", file.display()));
                }
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn only_the_edge_reads_the_environment_and_only_the_binary_uses_anyhow() {
    let mut breaches = Vec::new();
    for folder in ["twin/src", "rules/src", "drivers/src", "actors/src", "sim/src", "src"] {
        for file in sources(&project().join(folder)) {
            let text = std::fs::read_to_string(&file).expect("a source file is text");
            for (n, line) in code(&text) {
                let environment = line.contains("env::var") && !file.ends_with("environment.rs");
                let anyhow = line.contains("anyhow") && folder != "src";
                let random = line.contains("rand::rng(") || line.contains("thread_rng");
                if environment || anyhow || random {
                    breaches.push(format!("{}:{n}: {}", file.display(), line.trim()));
                }
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

/// Lines of code with their numbers: no comments, and nothing from the file's test module on.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().take_while(|(_, line)| !line.contains("#[cfg(test)]"));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//")).map(|(n, line)| (n + 1, line))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() && !path.ends_with("tests") {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
            files.push(path);
        }
    }
    files
}

//! The same scenario and seed give the same journal, in fresh processes and on a busy machine; another seed, another.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use support::{parceltwin, project};

/// Runs the quick-start scenario in a process of its own; its journal's length and hash.
fn journal(seed: u64) -> (u64, String) {
    let output = parceltwin()
        .args(["sim", "--json", "--seed", &seed.to_string()])
        .arg(project().join("scenarios/quick-start"))
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let figures: serde_json::Value = serde_json::from_slice(&output.stdout).expect("the figures are JSON");
    (figures["journal"]["records"].as_u64().expect("a number"), figures["journal"]["hash"].as_str().expect("a hash").to_owned())
}

#[test]
fn same_seed_same_journal_twice_in_fresh_processes() {
    let first = journal(7);
    assert!(first.0 > 500, "{first:?}");
    assert_eq!(first, journal(7));
    assert_ne!(first.1, journal(8).1);
}

#[test]
fn a_busy_machine_changes_nothing() {
    let alone = journal(9);
    let stop = Arc::new(AtomicBool::new(false));
    let busy: Vec<_> = (0..4)
        .map(|_| {
            let stop = stop.clone();
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::black_box((0..10_000u64).fold(0, |a, b| a ^ b.wrapping_mul(a | 1)));
                }
            })
        })
        .collect();
    let crowded = journal(9);
    stop.store(true, Ordering::Relaxed);
    busy.into_iter().for_each(|b| b.join().expect("a busy thread ends"));
    assert_eq!(alone, crowded);
}

#[test]
fn side_by_side_each_seed_writes_what_it_writes_alone() {
    let journals = |threads: &str| {
        let output = parceltwin()
            .args(["sim", "--json", "--seeds", "1..4", "--threads", threads])
            .arg(project().join("scenarios/quick-start"))
            .output()
            .expect("the program runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let figures: serde_json::Value = serde_json::from_slice(&output.stdout).expect("the figures are JSON");
        assert_eq!(figures["figures"]["orders.received"]["runs"], 4);
        figures["journals"].clone()
    };
    let one_after_the_other = journals("1");
    assert_eq!(one_after_the_other, journals("3"));
    assert_eq!(one_after_the_other["3"], journal(3).1);
    assert_ne!(one_after_the_other["3"], one_after_the_other["4"]);
}

//! A sample of `parceltwin check --chaos`: the site under every mishap at once, and nothing is missing afterwards.

mod support;

use sim::chaos;
use sim::scenario::read_site;
use support::project;

const SEEDS: u64 = 12;

#[test]
fn whatever_falls_breaks_or_stops_nothing_is_lost_and_nothing_done_twice() {
    let site = read_site(&project().join("scenarios/quick-start/site.toml")).expect("the bundled site is good");
    let mut mishaps = 0;
    let failed: Vec<String> = (1..=SEEDS)
        .filter_map(|seed| match chaos::run(&site, seed) {
            Ok(survived) => {
                mishaps += survived.mishaps.values().sum::<u32>();
                None
            }
            Err(why) => Some(why),
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(mishaps > SEEDS as u32 * 10, "this test proves nothing: {mishaps} mishaps");
}

#[test]
fn the_same_seed_goes_the_same_way() {
    let site = read_site(&project().join("scenarios/quick-start/site.toml")).expect("the bundled site is good");
    assert_eq!(chaos::run(&site, 3), chaos::run(&site, 3));
}

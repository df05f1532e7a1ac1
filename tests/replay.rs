//! Replay equals live state: after a whole run, the journal alone makes every state again, byte for byte.

mod support;

use sim::scenario::Scenario;
use support::project;
use twin::replay::silent;
use twin::{Key, Kind};

#[test]
fn the_journal_alone_makes_every_state_again() {
    let scenario = Scenario::read(&project().join("scenarios/quick-start")).expect("the bundled scenario is good");
    let run = sim::run::run(&scenario, 3, None, &mut |_| ()).expect("it runs");
    let head = run.twin.verify(&mut silent()).expect("the chain holds and the states are what it makes of them");
    assert_eq!(head, run.twin.head());
    let before = states(&run.twin);
    assert!(before.len() > 500, "{} states", before.len());
    run.twin.rebuild(&mut silent()).expect("it rebuilds");
    assert_eq!(states(&run.twin), before);
}

fn states(twin: &twin::Twin) -> Vec<(String, serde_json::Value)> {
    let mut all = Vec::new();
    for record in twin.records(0) {
        let key: Key = record.expect("the journal reads").key;
        all.push(key);
    }
    all.sort();
    all.dedup();
    // A carrier is written down only when it fails, and here none does; the made-up shops are the house's own and call goods as it does.
    let taking_part = Kind::ALL.into_iter().filter(|kind| !matches!(kind, Kind::Carrier | Kind::SkuMap | Kind::Seller));
    assert!(taking_part.into_iter().all(|kind| all.iter().any(|k| k.kind == kind)), "every other kind of entity takes part");
    all.iter().map(|key| (key.to_string(), twin.json(key).expect("it reads").expect("it is there"))).collect()
}

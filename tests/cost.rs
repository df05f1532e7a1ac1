//! What a parcel costs in records and messages, and that the way to it changes nothing but that.

use actors::Delivery;
use sim::run::{Run, run, run_with};
use sim::scenario::Scenario;
use std::path::Path;

fn scenario(name: &str) -> Scenario {
    Scenario::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name)).expect("a bundled scenario")
}

/// All of the first day, its site's opening and its catalogue too, divided by its parcels. 27.6 records and 41.2 messages when this was
/// written; the bar for messages is 60, for records 24 (see `docs/ARCHITECTURE.md` for what the others are).
#[test]
fn a_parcel_of_the_first_day_costs_so_many_records_and_messages() {
    let Run { kpis, messages, .. } = run(&scenario("first-day"), 1, None, &mut |_| ()).expect("it runs");
    let parcels = kpis.parcels.created as f64;
    let (records, messages) = (kpis.journal.records as f64 / parcels, messages as f64 / parcels);
    println!("{records:.2} records and {messages:.2} messages a parcel, of {parcels}");
    assert!(records <= 28.0 && messages <= 45.0, "{records:.2} records and {messages:.2} messages a parcel");
}

#[test]
fn a_journal_is_the_same_through_mailboxes_and_in_turns() {
    for name in ["quick-start", "golden-morning"] {
        let scenario = scenario(name);
        let hash = |delivery| run_with(delivery, &scenario, 3, None, &mut |_| ()).expect("it runs").kpis.journal;
        assert_eq!(hash(Delivery::Mailbox), hash(Delivery::Turns), "{name}");
    }
}

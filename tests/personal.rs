#![allow(clippy::disallowed_methods, reason = "a test of the live program waits in real time")]
//! Who a buyer is stands in no file that anybody can read without the order's key; forgetting destroys that, in every copy;
//! and what comes back from an older backup is forgotten again.

mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;
use support::{Live, order, parceltwin};

const SECRETS: [&str; 3] = ["Zebediah Quux", "77 Nowhere Lane", "Springfield-upon-Test"];

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("it lists").flatten() {
        if entry.path().is_dir() { found.extend(files(&entry.path())) } else { found.push(entry.path()) }
    }
    found
}

/// No file below `dir` has any of it in the open, but the query side: that is searched by names, and closed to others.
fn is_silent(dir: &Path) {
    for file in files(dir).into_iter().filter(|file| !file.starts_with(dir.join("query"))) {
        let bytes = std::fs::read(&file).expect("it reads");
        for secret in SECRETS {
            let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!found, "{} says {secret:?} in the open", file.display());
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary folder has a plain name")
}

fn said(arguments: &[&str]) -> String {
    let output = parceltwin().args(arguments).output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    said
}

#[tokio::test]
async fn a_buyer_is_sealed_and_forgotten_for_ever() {
    use std::os::unix::fs::PermissionsExt;
    let place = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| place.path().join(name);
    let (data, backup, keys, back) = (at("data"), at("backup"), at("keys"), at("back"));
    let mut live = Live::start(&data, &["--orders-per-hour", "0", "--speed", "20"]);
    let client = reqwest::Client::new();
    for id in ["SECRET-1", "SECRET-2"] {
        let mut order = order(id);
        (order["ship_to"]["name"], order["ship_to"]["street"]) = (SECRETS[0].into(), SECRETS[1].into());
        order["ship_to"]["city"] = SECRETS[2].into();
        let answer = client.post(format!("{}/api/v1/orders", live.url)).json(&order).send().await.expect("an answer");
        assert!(answer.status().is_success());
    }
    for _ in 0..100 {
        let answer = client.get(format!("{}/api/v1/parcels/SECRET-2-1/label", live.url)).send().await.expect("an answer");
        if answer.status().is_success() {
            let label = answer.text().await.expect("text");
            assert!(label.to_uppercase().contains(&SECRETS[0].to_uppercase()), "the label names the buyer: {label}");
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let cancel = format!("{}/api/v1/orders/SECRET-1/cancel", live.url);
    let answer = client.post(cancel).json(&serde_json::json!({"reason": "test"})).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{}", answer.text().await.expect("text"));
    said(&["twin", "backup", "--data", text(&data), "--to", text(&backup), "--keys-to", text(&keys)]);
    live.kill();
    drop(live);
    is_silent(&data);
    is_silent(&backup);
    assert!(!backup.join("query").exists());
    assert_eq!(std::fs::metadata(&data).expect("it is there").permissions().mode() & 0o777, 0o700);
    for file in ["journal", "keys", "query"].iter().flat_map(|folder| files(&data.join(folder))) {
        assert_eq!(std::fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
    let show = |folder: &Path, id: &str| said(&["twin", "show", "order", id, "--data", text(folder)]);
    assert!(show(&data, "SECRET-1").contains(SECRETS[0]));
    assert!(said(&["twin", "forget", "--data", text(&data), "--order", "SECRET-1", "--by", "li"]).contains("1 orders are forgotten"));
    assert!(show(&data, "SECRET-1").contains("\"erased\": true") && !show(&data, "SECRET-1").contains(SECRETS[0]));
    assert!(show(&data, "SECRET-2").contains(SECRETS[0]), "the other buyer is known as before");
    said(&["twin", "verify", "--data", text(&data)]);
    assert!(said(&["twin", "log", "--data", text(&data), "--entity", "SECRET-1"]).contains("\"by\":{\"person\":\"li\"}"));
    // The journal of today with the keys of before: the erasure is done again at the start.
    std::fs::remove_dir_all(data.join("keys")).expect("it goes");
    said(&["twin", "backup", "--data", text(&data), "--to", text(&backup)]);
    said(&["twin", "restore", "--from", text(&backup), "--keys", text(&keys), "--data", text(&back)]);
    drop(Live::start(&back, &["--orders-per-hour", "0"]));
    assert!(!show(&back, "SECRET-1").contains(SECRETS[0]), "a restore does the erasure again");
    assert!(show(&back, "SECRET-2").contains(SECRETS[0]));
    // A compact copy does not even hold the sealed bytes any more.
    let compact = at("compact");
    said(&["twin", "compact", "--data", text(&back), "--into", text(&compact)]);
    said(&["twin", "verify", "--data", text(&compact)]);
    assert!(show(&compact, "SECRET-2").contains(SECRETS[0]) && !show(&compact, "SECRET-1").contains(SECRETS[0]));
}

#[test]
fn those_whose_parcels_came_to_their_end_are_forgotten_and_nobody_else() {
    let mut scenario = sim::scenario::Scenario::read(&support::project().join("scenarios/quick-start")).expect("it is bundled");
    scenario.demand.orders = 60;
    let twin = sim::run::run(&scenario, 1, None, &mut |_| ()).expect("it runs").twin;
    // When each came to its end, as the site heard of it.
    let mut ended = std::collections::BTreeMap::new();
    for row in twin.all::<twin::parcel::Parcel>() {
        let (id, parcel) = row.expect("it reads");
        let (_, way) = twin.load::<twin::tracking::Tracking>(&id).expect("it reads").unwrap_or_default();
        let at = if way.stage.is_end() { way.changed_at } else { parcel.changed_at };
        ended.insert(parcel.plan.order, at);
    }
    let mut times: Vec<_> = ended.values().copied().collect();
    times.sort_unstable();
    let middle = times[times.len() / 2];
    let before: Vec<_> = ended.iter().filter(|(_, at)| **at < middle).map(|(order, _)| order.clone()).collect();
    assert!(before.len() > 20, "{}", before.len());
    let asked = twin::forget::Asked::FinishedBefore(middle);
    let done = twin::forget::forget(&twin, &asked, twin::By::System, twin.head().at).expect("they are forgotten");
    for (order, at) in &ended {
        let forgotten = twin.load::<twin::order::Order>(order.text()).expect("it reads").is_some_and(|(_, o)| o.forgotten);
        assert_eq!(forgotten, *at < middle, "{order}, which ended at {at}");
    }
    assert_eq!((done.forgotten as usize, done.refused.len()), (before.len(), 0));
}

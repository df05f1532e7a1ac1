#![allow(clippy::disallowed_methods, reason = "a test of the live program waits in real time")]
//! kill −9 in the middle of work, again and again, on one twin: nothing that was acknowledged is ever lost.
//!
//! This is what the death of the process can do. The loss of power adds the disk's own write cache: the store syncs its
//! file before it acknowledges, so what a disk loses then is what it lied about.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{Live, order, parceltwin};

const KILLS: u64 = 20;
const SENDERS: u64 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let client = reqwest::Client::new();
    let acknowledged = Arc::new(Mutex::new(Vec::<String>::new()));
    let mut luck = sim::luck::Luck::of(20, "kill", "when");
    let mut last_round = 0;
    for round in 0..KILLS {
        let mut live = Live::start(data.path(), &["--orders-per-hour", "0"]);
        // What the last round was promised is there; all of it is looked for in the end, the newest at once.
        let promised = acknowledged.lock().expect("no sender panicked")[last_round..].to_vec();
        for id in promised.iter().rev().take(20) {
            let answer = client.get(format!("{}/api/v1/orders/{id}", live.url)).send().await.expect("the site answers");
            assert!(answer.status().is_success(), "round {round}: order {id} was acknowledged and is gone");
        }
        last_round += promised.len();
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let (client, url, acknowledged) = (client.clone(), live.url.clone(), acknowledged.clone());
                tokio::spawn(async move {
                    for n in 0.. {
                        let id = format!("KILL-{round}-{sender}-{n}");
                        let answer = client.post(format!("{url}/api/v1/orders")).json(&order(&id)).send().await;
                        match answer {
                            Ok(answer) if answer.status().is_success() => acknowledged.lock().expect("no sender panicked").push(id),
                            Ok(answer) => panic!("{}: {}", answer.status(), answer.text().await.unwrap_or_default()),
                            Err(_) => return,
                        }
                    }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(luck.between(20, 600) as u64)).await;
        live.kill();
        for sender in senders {
            sender.await.expect("no order was refused");
        }
    }
    let acknowledged = acknowledged.lock().expect("no sender panicked");
    assert!(acknowledged.len() > 100, "only {} orders were acknowledged: this proves little", acknowledged.len());
    let verified = parceltwin().args(["twin", "verify", "--data"]).arg(data.path()).output().expect("the program runs");
    assert!(verified.status.success(), "{}{}", String::from_utf8_lossy(&verified.stdout), String::from_utf8_lossy(&verified.stderr));
    let log = parceltwin().args(["twin", "log", "--data"]).arg(data.path()).output().expect("the program runs");
    let log = String::from_utf8_lossy(&log.stdout);
    let received = log.lines().filter(|l| l.contains("\"received\"")).filter_map(|l| Some(l.split_once("KILL-")?.1.split_once('@')?.0));
    let journal: std::collections::HashSet<&str> = received.collect();
    let lost: Vec<_> = acknowledged.iter().filter(|id| !journal.contains(&id["KILL-".len()..])).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged orders are not in the journal: {lost:?}", lost.len(), acknowledged.len());
    println!("{KILLS} kills, {} orders acknowledged, none lost", acknowledged.len());
}

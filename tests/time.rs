//! Time as the whole program keeps it: over a restart, and which sites may change its speed.

mod support;

use drivers::Clock;
use std::path::Path;
use support::{Live, order, parceltwin, project};
use twin::{Moment, Span};

/// When each record of the journal happened, in its order.
fn times(data: &Path) -> Vec<Moment> {
    let log = parceltwin().args(["twin", "log", "--data"]).arg(data).output().expect("the program runs");
    assert!(log.status.success(), "{}", String::from_utf8_lossy(&log.stderr));
    let at = |line: &str| serde_json::from_str::<serde_json::Value>(line).ok()?["at"].as_str()?.parse().ok();
    String::from_utf8_lossy(&log.stdout).lines().map(|line| at(line).unwrap_or_else(|| panic!("no time in {line}"))).collect()
}

#[tokio::test]
async fn a_restart_at_another_speed_goes_on_from_the_journals_last_time() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let client = reqwest::Client::new();
    let placed = async |live: &Live, id: &str| {
        let answer = client.post(format!("{}/api/v1/orders", live.url)).json(&order(id)).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{id}: {}", answer.status());
    };
    // At a thousand times the speed, a few of these take the site's clock hours on.
    let mut fast = Live::start(data.path(), &["--orders-per-hour", "0", "--speed", "1000"]);
    let real = Clock::free(1.0, Moment::default());
    for n in 0..20 {
        placed(&fast, &format!("FAST-{n}")).await;
        real.sleep(Span::from_ms(50)).await;
    }
    fast.kill();
    let before = times(data.path());
    let mut slow = Live::start(data.path(), &["--orders-per-hour", "0"]);
    placed(&slow, "SLOW").await;
    slow.kill();
    let all = times(data.path());
    let (last, after) = (before[before.len() - 1], &all[before.len()..]);
    assert!(last > real.now(), "the journal is not ahead of the wall: this proves nothing");
    assert!(!after.is_empty() && after.iter().all(|at| *at >= last), "after {last} came {after:?}");
}

/// The bundled site with one thing changed, in a folder of its own, with goods of its own.
fn site(dir: &Path, from: &str, to: &str) -> String {
    let text = std::fs::read_to_string(project().join("scenarios/quick-start/site.toml")).expect("the bundled site");
    assert!(text.contains(from), "{from:?} is not in the bundled site");
    let goods = "sku,category,weight_g,length_mm,width_mm,height_mm,battery\nP-000007,toys,300,200,150,80,0\n";
    std::fs::write(dir.join("products.csv"), goods).expect("a file can be written");
    let path = dir.join("site.toml");
    std::fs::write(&path, text.replacen(from, to, 1)).expect("a file can be written");
    path.display().to_string()
}

#[test]
fn a_site_with_anything_real_refuses_another_speed() {
    let cases = [
        // What is real in it, and how that is called.
        ("id = \"SZX/line-1/scale\", kind = \"scale\", address = \"sim:\"", "sim:", "tcp:127.0.0.1:9", "device SZX/line-1/scale"),
        ("base_url = \"sim:\"", "sim:", "https://carrier.invalid", "carrier usps"),
    ];
    for (line, was, is, named) in cases {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = site(dir.path(), line, &line.replace(was, is));
        let data = dir.path().join("data");
        for speed in ["10", "0.5"] {
            let args = ["live", &path, "--speed", speed, "--listen", "127.0.0.1:0", "--data", &data.display().to_string()];
            let output = parceltwin().args(args).output().expect("the program runs");
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{named}: {said}");
            assert!(said.contains("--speed") && said.contains(named), "{named} is not named in: {said}");
            assert!(!data.exists(), "{named}: a twin was made");
        }
        // Asked to simulate all the same, it may go at any speed.
        drop(Live::start(&data, &[&path, "--simulated", "--speed", "10"]));
    }
}

#[test]
fn a_site_with_nothing_real_goes_at_any_speed() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = site(dir.path(), "name = \"quick-start\"", "name = \"mine\"");
    drop(Live::start(&dir.path().join("data"), &[&path, "--speed", "10"]));
}

//! Bad input from every side: each is a clear error that names its place, with exit status 2, and disturbs nothing else.

mod support;

use std::path::Path;
use support::{Live, order, parceltwin, project};

/// Runs the program, which must refuse with status 2; what it said.
fn refused(args: &[&str]) -> String {
    let output = parceltwin().args(args).output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {said}{}", String::from_utf8_lossy(&output.stdout));
    said
}

fn names(said: &str, places: &[&str]) {
    for place in places {
        assert!(said.contains(place), "{place:?} is not named in: {said}");
    }
}

/// The bundled site with one thing changed, in a folder of its own.
fn site(dir: &Path, from: &str, to: &str) -> String {
    let text = std::fs::read_to_string(project().join("scenarios/quick-start/site.toml")).expect("the bundled site");
    assert!(text.contains(from), "{from:?} is not in the bundled site");
    let path = dir.join("site.toml");
    std::fs::write(&path, text.replacen(from, to, 1)).expect("a file can be written");
    path.display().to_string()
}

#[test]
fn a_broken_site_file() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let broken = site(dir.path(), "[fx]", "[fx");
    names(&refused(&["live", &broken]), &["site.toml", "line"]);
    let wired = site(dir.path(), "address = \"sim:\"", "address = \"usb:1\"");
    names(&refused(&["live", &wired]), &["site.toml", "usb:1", "serial:"]);
    let unknown = site(dir.path(), "name = \"quick-start\"", "name = \"quick-start\"\nwarehuose = 1");
    names(&refused(&["live", &unknown]), &["site.toml", "warehuose"]);
    let absent = dir.path().join("absent.toml").display().to_string();
    names(&refused(&["live", &absent]), &["absent.toml"]);
}

#[test]
fn a_column_that_is_missing_and_a_line_that_never_ends() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let orders = dir.path().join("orders.csv");
    std::fs::write(dir.path().join("products.csv"), "sku,category,weight_g,length_mm,width_mm,height_mm,battery,unit_cost,currency\n")
        .and_then(|()| std::fs::write(dir.path().join("stock.csv"), "warehouse,sku,on_hand\n"))
        .expect("files can be written");
    let scenario = project().join("scenarios/quick-start").display().to_string();
    let path = orders.display().to_string();
    std::fs::write(&orders, "order_id,platform,shop\nA,B,C\n").expect("a file can be written");
    names(&refused(&["sim", &scenario, "--orders", &path]), &["orders.csv", "placed_at"]);
    let endless =
        format!("order_id,platform,shop,placed_at,country,postcode,city,region,sku,quantity,unit_price,currency\n{}", "x".repeat(5 << 20));
    std::fs::write(&orders, endless).expect("a file can be written");
    names(&refused(&["sim", &scenario, "--orders", &path]), &["orders.csv", "line 2"]);
}

#[tokio::test]
async fn a_port_and_a_twin_in_use_disturb_nobody() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let other = tempfile::tempdir().expect("a temporary folder");
    let live = Live::start(data.path(), &["--orders-per-hour", "0"]);
    let address = live.url.trim_start_matches("http://").to_owned();
    let elsewhere = other.path().display().to_string();
    names(&refused(&["live", "--listen", &address, "--data", &elsewhere]), &[&address]);
    let here = data.path().display().to_string();
    names(&refused(&["live", "--listen", "127.0.0.1:0", "--data", &here]), &[&here, "in use"]);
    names(&refused(&["twin", "rebuild", "--data", &here]), &[&here, "in use"]);
    let looked = parceltwin().args(["twin", "verify", "--data", &here]).output().expect("the program runs");
    assert!(looked.status.success(), "looking disturbs nobody: {}", String::from_utf8_lossy(&looked.stderr));
    let client = reqwest::Client::new();
    let url = format!("{}/api/v1/orders", live.url);
    for bad in ["{", "[1]", "{\"id\": \"X\"}", "\"orders\""] {
        let answer = client.post(&url).header("content-type", "application/json").body(bad).send().await.expect("an answer");
        assert!(answer.status().is_client_error(), "{bad}: {}", answer.status());
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{bad}");
    }
    let mut unheard_of = order("BAD-1");
    unheard_of["lines"][0]["sku"] = "NOBODY-SELLS-IT".into();
    assert!(client.post(&url).json(&unheard_of).send().await.expect("an answer").status().is_success());
    let held = client.get(format!("{url}/BAD-1")).send().await.expect("an answer").text().await.expect("text");
    names(&held, &["unknown_sku", "NOBODY-SELLS-IT"]);
    let good = client.post(&url).json(&order("GOOD-1")).send().await.expect("an answer");
    assert!(good.status().is_success(), "the site went on: {}", good.status());
}

#[test]
fn a_truncated_journal() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let mut live = Live::start(data.path(), &["--orders-per-hour", "0"]);
    live.kill();
    let file = data.path().join("journal/00000001.seg");
    for keep in [0, 100, 600, 5_000] {
        std::fs::OpenOptions::new().write(true).open(&file).and_then(|f| f.set_len(keep)).expect("it can be cut");
        for command in [vec!["twin", "verify"], vec!["live", "--listen", "127.0.0.1:0"]] {
            let output = parceltwin().args(&command).arg("--data").arg(data.path()).output().expect("the program runs");
            let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
            assert!(!said.contains("panicked"), "{said}");
            assert_eq!(output.status.code(), Some(if command[0] == "live" { 2 } else { 1 }), "{said}");
            names(&said, &["00000001.seg", "damaged at byte", "Nothing was changed"]);
        }
    }
}

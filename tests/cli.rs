//! The command line as a person meets it: exit status 0, 1 or 2, and messages that name the place and what is wrong there.

mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Output;
use support::{parceltwin, project};
use tempfile::TempDir;

/// What a command came to, with all that it said.
struct Said {
    status: Option<i32>,
    out: String,
    err: String,
}

fn run(args: &[&str]) -> Said {
    let Output { status, stdout, stderr } = parceltwin().args(args).output().expect("the program runs");
    Said {
        status: status.code(),
        out: String::from_utf8(stdout).expect("its output is text"),
        err: String::from_utf8(stderr).expect("its errors are text"),
    }
}

impl Said {
    /// An error: status 2, nothing on standard output, and every one of `words` in the message.
    #[track_caller]
    fn is_error(&self, words: &[&str]) {
        assert_eq!(self.status, Some(2), "{}{}", self.out, self.err);
        assert_eq!(self.out, "");
        let missing: Vec<_> = words.iter().filter(|w| !self.err.contains(**w)).collect();
        assert!(missing.is_empty(), "{missing:?} not in: {}", self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary folder has a plain name")
}

fn write(folder: &Path, name: &str, content: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder can be made");
    std::fs::write(&path, content).expect("it can be written");
    path
}

fn bundled(name: &str) -> String {
    std::fs::read_to_string(project().join("scenarios").join(name)).expect("it is bundled")
}

/// A folder with the bundled site and a scenario of six orders in it, changed by `change`.
fn small(change: impl Fn(String) -> String) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), "site.toml", &bundled("quick-start/site.toml"));
    let scenario = "name = \"small\"\nabout = \"Six orders.\"\nsite = \"site.toml\"\nstart = \"2026-11-09T08:00:00+08:00\"\n\
         days_max = 60\nseeds = [1]\nexpect = [\"orders.received == 6\"]\n\n[demand]\norders = 6\nwindow_s = 600\nskus = 50\n";
    write(folder.path(), "scenario.toml", &change(scenario.into()));
    folder
}

#[test]
fn a_faulty_site_file_is_named_with_its_fault() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let good = bundled("quick-start/site.toml");
    let cases: [(&str, &str, &str, &[&str]); 12] = [
        ("name = \"quick-start\"", "name = \"quick-start\"\ncolour = \"red\"", "an unknown field", &["colour"]),
        (
            "  { id = \"SZX/line-1/scale\", kind = \"scale\", address = \"sim:\" },\n",
            "",
            "a device that is missing",
            &["SZX/line-1", "exactly one scale"],
        ),
        ("id = \"SZX/bench-2\"", "id = \"SZX/bench-1\"", "two stations with one id", &["SZX/bench-1", "twice"]),
        ("id = \"SZX/bench-2/printer\"", "id = \"SZX/bench-1/printer\"", "two devices with one id", &["SZX/bench-1/printer", "twice"]),
        ("address = \"sim:\" },\n", "address = \"pigeon:3\" },\n", "an unknown address", &["pigeon:3"]),
        ("carrier = \"usps\"\n", "carrier = \"pony\"\n", "an unknown carrier", &["pony"]),
        ("kind = \"bench\"", "kind = \"bench", "broken TOML", &["line"]),
        ("time_zone = \"Asia/Shanghai\"", "utc_offset_h = 8", "an older file", &["utc_offset_h is gone", "Europe/Berlin", "+08:00"]),
        ("time_zone = \"Asia/Shanghai\"", "time_zone = \"Asia/Shenzhen\"", "no zone", &["Asia/Shenzhen", "is no time zone"]),
        (
            "cutoffs = [\"12:00\", \"17:00\"]",
            "cutoffs = [\"17:00\"]\nworking_days = []",
            "nobody ever comes",
            &["usps", "working_days", "LAX"],
        ),
        ("cutoffs = [\"12:00\", \"17:00\"]", "cutoffs = [\"17:00\"]\nholidays_at = { LAS = [] }", "no such warehouse", &["usps", "LAS"]),
        (
            "cutoffs = [\"12:00\", \"17:00\"]",
            "cutoffs = [\"17:00\"]\nholidays = [\"2026-02-30\"]",
            "no such day",
            &["holidays", "2026-02-30"],
        ),
    ];
    for (was, is, what, words) in cases {
        assert!(good.contains(was), "{what}: the bundled site has changed");
        let path = write(folder.path(), "site.toml", &good.replacen(was, is, 1));
        let said = run(&["live", text(&path), "--simulated", "--listen", "127.0.0.1:0"]);
        said.is_error(&[words, &[text(&path)]].concat());
    }
    let nowhere = folder.path().join("nowhere.toml");
    run(&["live", text(&nowhere)]).is_error(&[text(&nowhere)]);
}

#[test]
fn a_faulty_scenario_is_named_with_its_fault() {
    let cases: [(&str, &str, &[&str]); 6] = [
        ("seeds = [1]", "seeds = []", &["scenario.toml", "seeds"]),
        ("name = \"small\"", "nam = \"small\"", &["scenario.toml", "nam"]),
        ("orders.received == 6", "orders.received ~ 6", &["scenario.toml", "~"]),
        ("site = \"site.toml\"", "site = \"gone.toml\"", &["gone.toml"]),
        ("[demand]", "[[fault]]\nat = \"01:00\"\nfor_min = 5\ndevice = \"X/1\"\nkind = \"silent\"\n\n[demand]", &["scenario.toml", "X/1"]),
        ("[demand]", "[[fault]]\nat = \"1 o'clock\"\nfor_min = 5\ncarrier = \"usps\"\nkind = \"slow\"\n\n[demand]", &["1 o'clock"]),
    ];
    for (was, is, words) in cases {
        let folder = small(|s| s.replace(was, is));
        run(&["sim", text(folder.path())]).is_error(words);
    }
    let empty = tempfile::tempdir().expect("a temporary folder");
    run(&["check", text(empty.path())]).is_error(&["scenario.toml", text(empty.path())]);
}

const ORDERS_HEAD: &str = "order_id,platform,shop,placed_at,country,postcode,city,region,sku,quantity,unit_price,currency\n";

#[test]
fn a_bad_row_of_an_order_file_stops_everything() {
    let scenario = small(|s| s);
    let cases = [
        ("quantity", "A-2,temu,t-1,2026-11-09T00:01:00+08:00,US,78701,Austin,TX,SKU1,zero,5.20,USD\n", "zero"),
        ("currency", "A-2,temu,t-1,2026-11-09T00:01:00+08:00,US,78701,Austin,TX,SKU1,1,5.20,Shells\n", "Shells"),
        ("placed_at", "A-2,temu,t-1,yesterday,US,78701,Austin,TX,SKU1,1,5.20,USD\n", "yesterday"),
        ("unit_price", "A-2,temu,t-1,2026-11-09T00:01:00+08:00,US,78701,Austin,TX,SKU1,1,cheap,USD\n", "cheap"),
    ];
    for (field, row, value) in cases {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let good = "A-1,temu,t-1,2026-11-09T00:00:00+08:00,US,78701,Austin,TX,SKU1,1,5.20,USD\n";
        let orders = write(folder.path(), "orders.csv", &format!("{ORDERS_HEAD}{good}{row}"));
        write(folder.path(), "products.csv", "sku,category,weight_g,length_mm,width_mm,height_mm,battery\nSKU1,toys,300,200,150,80,0\n");
        write(folder.path(), "stock.csv", "warehouse,sku,on_hand\nSZX,SKU1,9\n");
        let out = folder.path().join("out");
        let said = run(&["sim", text(scenario.path()), "--orders", text(&orders), "--out", text(&out)]);
        said.is_error(&["orders.csv", "line 3", field, value]);
        assert!(!out.exists(), "{field}: something was written");
    }
}

#[test]
fn a_missing_column_and_a_missing_file_are_named() {
    let scenario = small(|s| s);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let orders = write(folder.path(), "orders.csv", &ORDERS_HEAD.replace("postcode,", ""));
    run(&["sim", text(scenario.path()), "--orders", text(&orders)]).is_error(&["orders.csv", "postcode"]);
    let nowhere = folder.path().join("nowhere.csv");
    run(&["sim", text(scenario.path()), "--orders", text(&nowhere)]).is_error(&[text(&nowhere)]);
}

#[test]
fn absent_is_no_and_nonsense_is_an_error() {
    let data = tempfile::tempdir().expect("a temporary folder");
    drop(support::home::home(data.path()).expect("a fresh twin"));
    let said = run(&["twin", "show", "parcel", "NOBODY", "--data", text(data.path())]);
    assert_eq!(said.status, Some(1), "{}{}", said.out, said.err);
    assert!(said.out.contains("NOBODY") || said.err.contains("NOBODY"), "{}{}", said.out, said.err);
    run(&["twin", "show", "unicorn", "X", "--data", text(data.path())]).is_error(&["unicorn", "parcel"]);
    let nowhere = data.path().join("nowhere");
    run(&["twin", "verify", "--data", text(&nowhere)]).is_error(&[text(&nowhere)]);
    assert!(!nowhere.exists(), "looking made a twin");
    run(&["frobnicate"]).is_error(&["frobnicate"]);
    run(&["live", "--speed", "0"]).is_error(&["--speed 0"]);
}

#[test]
fn a_missed_expectation_is_no_and_stands_in_the_junit_file() {
    let folder = small(|s| s.replace("orders.received == 6", "orders.received >= 7"));
    let junit = folder.path().join("out.xml");
    let said = run(&["check", text(folder.path()), "--junit", text(&junit)]);
    assert_eq!(said.status, Some(1), "{}{}", said.out, said.err);
    assert!(said.out.contains("expected orders.received >= 7; it is 6"), "{}", said.out);
    let xml = std::fs::read_to_string(&junit).expect("it was written");
    assert!(xml.contains("tests=\"1\" failures=\"1\"") && xml.contains("orders.received &gt;= 7; it is 6"), "{xml}");
    let met = small(|s| s);
    let junit = met.path().join("out.xml");
    let said = run(&["check", text(met.path()), "--junit", text(&junit)]);
    assert_eq!(said.status, Some(0), "{}{}", said.out, said.err);
    assert!(std::fs::read_to_string(&junit).expect("it was written").contains("failures=\"0\""));
}

#[test]
fn a_check_tells_its_outcome_as_json_too() {
    for (floor, status) in [(7, 1), (6, 0)] {
        let folder = small(|s| s.replace("orders.received == 6", &format!("orders.received >= {floor}")));
        let said = run(&["check", text(folder.path()), "--json"]);
        assert_eq!(said.status, Some(status), "{}{}", said.out, said.err);
        let outcome: Value = serde_json::from_str(&said.out).expect("the outcome is JSON");
        assert_eq!((number(&outcome, "runs"), number(&outcome, "missed")), (1, status as u64));
        let case = &outcome["cases"][0];
        assert_eq!(case["name"], "small seed 1");
        let missed: &[&str] = if status == 1 { &["expected orders.received >= 7; it is 6"] } else { &[] };
        assert_eq!(case["missed"], serde_json::json!(missed));
    }
}

/// Asks a running site until it answers so.
fn until(args: &[&str], status: i32, word: &str) -> Said {
    for _ in 0..200 {
        let said = run(args);
        if said.status == Some(status) && said.out.contains(word) {
            return said;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let said = run(args);
    panic!("{args:?} never was {status} with {word}: {:?} {}{}", said.status, said.out, said.err)
}

#[tokio::test]
async fn what_is_wrong_on_a_running_site_is_listed_and_put_right() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let live = support::Live::start(data.path(), &["--orders-per-hour", "0"]);
    let site = ["--site", live.url.as_str()];
    let asked = |args: &[&str]| [args, &site[..]].concat().into_iter().map(str::to_owned).collect::<Vec<_>>();
    let until = |args: &[&str], status, word: &str| until(&asked(args).iter().map(String::as_str).collect::<Vec<_>>(), status, word);
    until(&["problems"], 0, "0 open\n");
    let mut unpaid = support::order("C-1");
    unpaid["paid"] = false.into();
    let answer = reqwest::Client::new().post(format!("{}/api/v1/orders", live.url)).json(&unpaid).send().await.expect("it answers");
    assert!(answer.status().is_success(), "{answer:?}");
    let said = until(&["problems"], 1, "1 open\n");
    let row = said.out.lines().nth(1).expect("a line");
    assert!(
        row.starts_with("act") && row.contains("held:order:C-1@shopify:shopify-1") && row.ends_with("mark-paid, cancel-order"),
        "{row}"
    );
    for (args, status) in [
        (&["problems", "--cause", "held", "--kind", "order", "--severity", "act", "--owner", ""][..], 1),
        (&["problems", "--owner", "Li Wei & Co"], 0),
        (&["problems", "--cause", "offline"], 0),
    ] {
        until(args, status, " open\n");
    }
    let json: Value = serde_json::from_str(&until(&["problems", "--json"], 1, "{").out).expect("it is JSON");
    assert_eq!((&json["open"], &json["problems"][0]["of"]), (&1.into(), &"C-1@shopify:shopify-1".into()));
    let by = ["--by", "Li Wei", "--why", "seen on the bank's page"];
    until(&[&["remedy", "snooze-problem", "held:order:C-1@shopify:shopify-1", "2"], &by[..]].concat(), 0, "problem held:order:C-1");
    until(&["problems"], 0, "0 open, 1 put off\n");
    until(&["problems", "--snoozed"], 1, "1 open\n");
    until(&[&["remedy", "mark-paid", "C-1"], &by[..]].concat(), 0, "order C-1@shopify:shopify-1: allocated");
    until(&["problems", "--snoozed"], 0, "0 open\n");
    run(&asked(&["problems", "--cause", "heldd"]).iter().map(String::as_str).collect::<Vec<_>>()).is_error(&["cause", "heldd"]);
    drop(live);
    run(&["problems", "--site", "http://127.0.0.1:1"]).is_error(&["cannot reach 127.0.0.1"]);
}

#[test]
fn shells_complete_commands_and_flags() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let said = run(&["completions", shell]);
        assert_eq!((said.status, said.err.as_str()), (Some(0), ""), "{shell}");
        for word in ["parceltwin", "simulated", "junit", "verify"] {
            assert!(said.out.contains(word), "{shell}: {word} is not in {}", said.out);
        }
    }
    run(&["completions", "dos"]).is_error(&["dos", "bash"]);
}

#[test]
fn a_changed_journal_is_no_and_names_the_first_record_that_differs() {
    let folder = small(|s| s.replace("seeds = [1]", "seeds = [1]\ngolden = true"));
    let check = |more: &[&str]| run(&[&["check", text(folder.path())], more].concat());
    assert_eq!(check(&["--bless"]).status, Some(0));
    assert_eq!(check(&[]).status, Some(0), "the same seed makes the same journal");
    let path = folder.path().join("golden-1.txt");
    let golden = std::fs::read_to_string(&path).expect("it was written");
    let allocated = golden.lines().find(|l| l.contains("\"allocated\"")).expect("an order was allocated");
    let changed = allocated.replacen("allocated", "teleported", 1);
    std::fs::write(&path, golden.replacen(allocated, &changed, 1)).expect("it can be written");
    let said = check(&[]);
    assert_eq!(said.status, Some(1), "{}{}", said.out, said.err);
    let shown = |word: &str| said.out.lines().find_map(|l| l.trim_start().strip_prefix(word)).map(|l| l.trim_start().to_owned());
    assert_eq!(shown("golden:").as_deref(), Some(changed.as_str()), "{}", said.out);
    assert_eq!(shown("now:").as_deref(), Some(allocated), "{}", said.out);
}

#[test]
fn a_run_that_is_kept_is_a_twin_like_any_other() {
    let folder = small(|scenario| scenario);
    let kept = folder.path().join("kept");
    let ran = run(&["sim", text(folder.path()), "--quiet", "--twin", text(&kept)]);
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    for act in ["verify", "rebuild", "verify"] {
        let said = run(&["twin", act, "--data", text(&kept)]);
        assert_eq!(said.status, Some(0), "{act}: {}{}", said.out, said.err);
    }
    let log = run(&["twin", "log", "--data", text(&kept)]).out;
    let order = log.lines().find_map(|line| {
        let record: Value = serde_json::from_str(line).ok()?;
        (record["key"]["kind"] == "order").then(|| record["key"]["id"].as_str().map(str::to_owned))?
    });
    let order = order.unwrap_or_else(|| panic!("no order in {log}"));
    let shown = run(&["twin", "show", "order", &order, "--data", text(&kept)]);
    assert!(shown.status == Some(0) && shown.out.contains("\"street\""), "who the buyer is can be read: {}{}", shown.out, shown.err);
    run(&["sim", text(folder.path()), "--quiet", "--twin", text(&kept)]).is_error(&[text(&kept), "exists"]);
}

fn number(figures: &Value, path: &str) -> u64 {
    let found = path.split('.').try_fold(figures, |value, name| value.get(name));
    found.and_then(Value::as_u64).unwrap_or_else(|| panic!("{path} is no whole number in {figures}"))
}

/// Every order and every parcel is in exactly one place.
#[track_caller]
fn add_up(figures: &Value) {
    let sum = |paths: &[&str]| paths.iter().map(|p| number(figures, p)).sum::<u64>();
    assert_eq!(number(figures, "orders.received"), sum(&["orders.allocated", "orders.held", "orders.cancelled", "orders.waiting"]));
    let places = ["parcels.delivered", "parcels.intercepted", "parcels.returned", "parcels.lost", "parcels.cancelled", "parcels.open"];
    assert_eq!(number(figures, "parcels.created"), sum(&places), "{figures}");
}

#[test]
fn the_figures_are_complete_and_add_up() {
    let folder = small(|s| s);
    let out = folder.path().join("out");
    let said = run(&["sim", text(folder.path()), "--json", "--out", text(&out), "--seed", "5"]);
    assert_eq!(said.status, Some(0), "{}", said.err);
    let figures: Value = serde_json::from_str(&said.out).expect("the figures are JSON");
    let keys = "scenario seed orders.received orders.allocated orders.held orders.cancelled parcels.created parcels.delivered \
         parcels.intercepted parcels.returned parcels.lost parcels.open labels.wrong_applied labels.wrong_left \
         latency_ms.accept_to_tracking.p50 latency_ms.accept_to_tracking.p99 latency_ms.divert.p50 latency_ms.divert.p99 \
         latency_ms.divert.p999 cost.currency cost.total cost.per_parcel journal.records journal.hash wall_s cpu_s";
    let missing: Vec<_> = keys.split_whitespace().filter(|k| k.split('.').try_fold(&figures, |v, name| v.get(name)).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?} not in {figures}");
    assert_eq!((number(&figures, "seed"), number(&figures, "orders.received")), (5, 6));
    add_up(&figures);
    let written = std::fs::read_to_string(out.join("kpis.json")).expect("it was written");
    assert_eq!(serde_json::from_str::<Value>(&written).expect("it is JSON"), figures, "the same object");
    let report = std::fs::read_to_string(out.join("report.html")).expect("it was written");
    assert!(report.contains("<svg") && !report.contains("src=\"http"), "charts, and nothing from the network");
    let journal = std::fs::read_to_string(out.join("journal.jsonl")).expect("it was written");
    assert_eq!(journal.lines().count() as u64, number(&figures, "journal.records"));
    assert!(journal.lines().all(|l| serde_json::from_str::<Value>(l).is_ok()));
    let table = run(&["sim", text(folder.path()), "--seed", "5"]);
    let head = format!("journal: {} records, hash {}", figures["journal"]["records"], figures["journal"]["hash"].as_str().expect("a hash"));
    assert!(table.out.contains(&head), "{head} not in {}", table.out);
    assert_eq!(run(&["sim", text(folder.path()), "--quiet"]).out, "");
}

#[test]
fn orders_from_real_rows_run_through() {
    let orders = project().join("../shared/data/orders/orders.csv");
    let Ok(file) = std::fs::read_to_string(&orders) else {
        println!("skipped: there is no {}", orders.display());
        return;
    };
    let ids: BTreeSet<_> = file.lines().skip(1).filter_map(|l| l.split(',').next()).collect();
    let said = run(&["sim", text(&project().join("scenarios/quick-start")), "--orders", text(&orders), "--json"]);
    assert_eq!(said.status, Some(0), "{}", said.err);
    let figures: Value = serde_json::from_str(&said.out).expect("the figures are JSON");
    assert_eq!(number(&figures, "orders.received"), ids.len() as u64);
    assert_eq!(number(&figures, "orders.waiting"), 0);
    assert!(number(&figures, "parcels.delivered") > 10_000, "{figures}");
    add_up(&figures);
}

#[test]
fn a_shopify_export_runs_through() {
    let folder = small(|s| s);
    let order = |name: u32, country: &str, sku: &str, quantity: u32, status: &str| {
        serde_json::json!({
            "id": 450_000_000 + name, "name": format!("#{name}"), "created_at": format!("2026-11-09T10:{:02}:00+08:00", name % 60),
            "processed_at": format!("2026-11-09T10:{:02}:00+08:00", name % 60), "currency": "USD", "financial_status": status,
            "cancelled_at": null, "fulfillment_status": null, "test": false,
            "line_items": [{"id": name, "sku": sku, "quantity": quantity, "price": "12.50", "grams": 240, "title": "A thing",
                "requires_shipping": true, "fulfillable_quantity": quantity}],
            "shipping_address": {"first_name": "A", "last_name": "Buyer", "name": "A Buyer", "address1": "1 Main St", "address2": null,
                "city": "Austin", "province": "Texas", "province_code": "TX", "zip": "78701", "country": "Somewhere",
                "country_code": country, "phone": "555-0100"}
        })
    };
    let file = serde_json::json!({"orders": [
        order(1001, "US", "TEA-1", 1, "paid"), order(1002, "US", "CUP-2", 2, "paid"), order(1003, "US", "TEA-1", 1, "pending"),
    ]});
    let orders = write(folder.path(), "orders.json", &file.to_string());
    let said = run(&["sim", text(folder.path()), "--orders", text(&orders), "--json"]);
    assert_eq!(said.status, Some(0), "{}", said.err);
    let figures: Value = serde_json::from_str(&said.out).expect("the figures are JSON");
    add_up(&figures);
    assert_eq!(number(&figures, "orders.received"), 3);
    assert_eq!((number(&figures, "orders.allocated"), number(&figures, "orders.held")), (2, 1), "{figures}");
    let mut bad = order(1004, "US", "TEA-1", 1, "paid");
    bad["line_items"][0]["price"] = "cheap".into();
    write(folder.path(), "orders.json", &serde_json::json!({"orders": [bad, order(1005, "US", "TEA-1", 1, "paid")]}).to_string());
    let said = run(&["sim", text(folder.path()), "--orders", text(&orders), "--json"]);
    assert_eq!(said.status, Some(0), "{}", said.err);
    assert!(said.err.contains("left out: order 1004: cannot be read") && said.err.contains("cheap"), "{}", said.err);
    assert_eq!(number(&serde_json::from_str(&said.out).expect("the figures are JSON"), "orders.received"), 1);
    write(folder.path(), "orders.json", &serde_json::json!({"orders": [bad]}).to_string());
    run(&["sim", text(folder.path()), "--orders", text(&orders)]).is_error(&["orders.json", "price", "cheap"]);
}

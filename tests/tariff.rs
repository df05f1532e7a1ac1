//! A published sheet becomes a tariff that a site's channel names, and its prices are those that orders are decided by.

mod support;

use serde_json::Value;
use std::path::{Path, PathBuf};
use support::{parceltwin, project};
use tempfile::TempDir;

struct Said {
    status: Option<i32>,
    out: String,
    err: String,
}

/// Runs the program in a folder.
fn run(folder: &Path, args: &[&str]) -> Said {
    let output = parceltwin().current_dir(folder).args(args).output().expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("it says text");
    Said { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn folder_with(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).expect("it can be written");
    }
    folder
}

/// A direct line by its sheet: a gap from 200 to 700 g, and a band whose price is missing.
const LINE: &str = "country,channel,last_mile,min_kg_excl,max_kg_incl,min_billable_kg,cny_per_kg,registration_cny,max_cm,days\n\
    US,PACKET,,0,0.2,0.05,92,22,60x40x40,6-12\n\
    US,PACKET,,0.7,2,0.7,87,13,60x40x40,6-12\n\
    GB,PACKET,RM,0,20,0.3,57,18,61x46x46,4-6\n\
    DE,PACKET,,0,20,0.3,,18,,4-6\n";

const IMPORT: [&str; 8] = ["tariff", "import", "line.csv", "--as", "wanb", "--carrier", "direct", "--origin"];

#[test]
fn a_sheet_is_imported_named_by_a_site_and_orders_are_decided_by_it() {
    let folder = folder_with(&[("line.csv", LINE)]);
    let at = folder.path();
    let said = run(at, &[&IMPORT[..], &["SZX", "--weight", "divisor=8000"]].concat());
    assert_eq!(said.status, Some(1), "a row was left out: {}", said.err);
    assert!(said.out.contains("PACKET: 3 zones, 3 prices, in tariffs/direct-packet.toml"), "{}", said.out);
    assert!(said.out.contains("skipped: line.csv line 5: cny_per_kg \"\": no price"), "{}", said.out);

    // The channel that it printed takes the place of the one in the bundled site.
    let channel = said.out.split_once("[[channel]]").expect("it prints a channel").1;
    let site = std::fs::read_to_string(project().join("scenarios/quick-start/site.toml")).expect("it is bundled");
    let (before, rest) = site.split_once("# Small and light").expect("the packet line");
    let after = rest.split_once("# Larger goods").expect("the parcel line").1;
    std::fs::write(at.join("site.toml"), format!("{before}[[channel]]{channel}\n# Larger goods{after}")).expect("it can be written");

    // 150 g at 92 per kg and 22; by volume 200·150·80 mm³ ÷ 8000 = 300 g, which lies in the gap.
    let price = |more: &[&str]| run(at, &[&["tariff", "price"], more].concat());
    let packet = ["tariffs/direct-packet.toml", "--to", "US:78701", "--weight-g", "150"];
    let said = price(&packet);
    assert_eq!((said.status, said.out.lines().next()), (Some(0), Some("35.80 CNY")), "{}", said.out);
    assert!(
        said.out.contains("registration: 22.00 CNY\n  freight: 13.80 CNY\n")
            && said.out.contains("band: above 0 g up to 200 g, at least 50 g")
    );
    let said = price(&[&packet[..], &["--sides", "200x150x80", "--json"]].concat());
    let answer: Value = serde_json::from_str(&said.out).expect("it is JSON");
    assert_eq!((said.status, &answer["price"]), (Some(1), &Value::Null), "no price is a negative answer");
    assert_eq!(answer["why_not"], "no weight band for 300 g in zone US");
    assert_eq!(answer["weight"]["volumetric_g"], 300);
    // Of a site's channel its limits count too.
    let by_site = ["site.toml", "--channel", "direct/packet", "--to", "US:78701", "--weight-g", "150"];
    assert_eq!(price(&by_site).out.lines().next(), Some("35.80 CNY"));
    let said = price(&[&by_site[..], &["--battery"]].concat());
    assert_eq!((said.status, said.out.lines().next()), (Some(1), Some("no price: forbidden goods: takes no batteries")));

    // An order of 120 g, with 30 g of packaging or more: its decision says the price that the command says.
    let scenario = "name = \"sheet\"\nabout = \"One order by a published sheet.\"\nsite = \"site.toml\"\nstart = \"2026-11-09T08:00:00+08:00\"\n\
        days_max = 60\nseeds = [1]\n";
    for (name, content) in [
        ("scenario.toml", scenario),
        (
            "orders.csv",
            "order_id,platform,shop,placed_at,country,postcode,city,region,sku,quantity,unit_price,currency\n\
            A-1,temu,t-1,2026-11-09T08:05:00+08:00,US,78701,Austin,TX,SKU1,1,5.20,USD\n",
        ),
        ("products.csv", "sku,category,weight_g,length_mm,width_mm,height_mm,battery\nSKU1,toys,120,90,60,20,0\n"),
        ("stock.csv", "warehouse,sku,on_hand\nSZX,SKU1,9\n"),
    ] {
        std::fs::write(at.join(name), content).expect("it can be written");
    }
    let said = run(at, &["sim", "scenario.toml", "--orders", "orders.csv", "--out", "out", "--quiet"]);
    assert_eq!(said.status, Some(0), "{}", said.err);
    let journal = std::fs::read_to_string(at.join("out/journal.jsonl")).expect("it is written");
    let records: Vec<Value> = journal.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
    let found =
        |pointer: &str| records.iter().find_map(|r| r.pointer(pointer)).unwrap_or_else(|| panic!("no {pointer} in {journal}")).clone();
    let (decision, plan) = (found("/event/order/allocated/decision"), found("/event/parcel/created/plan"));
    assert_eq!((&decision["channel"], &decision["warehouse"]), (&"direct/packet".into(), &"SZX".into()), "{decision}");
    let sides = ["length_mm", "width_mm", "height_mm"].map(|side| plan["declared"][side].to_string()).join("x");
    let weight = plan["declared_g"].to_string();
    let said = price(&["tariffs/direct-packet.toml", "--to", "US:78701", "--weight-g", &weight, "--sides", &sides, "--json"]);
    let answer: Value = serde_json::from_str(&said.out).expect("it is JSON");
    assert_eq!(answer["price"], decision["cost"], "{answer}");
}

#[test]
fn what_cannot_be_imported_or_priced_is_named_with_its_place() {
    let bad = LINE.replace("0.3,57", "0.3,fifty");
    let folder = folder_with(&[("line.csv", LINE), ("bad.csv", &bad), ("odd.toml", "currency = \"CNY\"\nsource = 7\n")]);
    let at = folder.path();
    let import = |sheet: &str, more: &[&str]| run(at, &[&["tariff", "import", sheet, "--carrier", "x"], more].concat());
    let price = |more: &[&str]| run(at, &[&["tariff", "price"], more].concat());
    for (said, words) in [
        (import("bad.csv", &["--as", "wanb"]), &["bad.csv line 4", "cny_per_kg", "fifty"][..]),
        (import("line.csv", &["--as", "usps"]), &["--zones"]),
        (import("line.csv", &["--as", "karrio"]), &["--home"]),
        (import("line.csv", &["--as", "karrio", "--home", "XQ"]), &["XQ", "ISO 3166"]),
        (import("line.csv", &["--as", "karrio", "--home", "CN"]), &["line.csv line 1", "service_code"]),
        (import("line.csv", &["--as", "wanb", "--service", "FAST"]), &["FAST", "PACKET"]),
        (import("line.csv", &["--as", "wanb", "--weight", "size=3"]), &["--weight", "size"]),
        (import("gone.csv", &["--as", "wanb"]), &["gone.csv"]),
        (price(&["odd.toml", "--to", "US", "--weight-g", "9"]), &["odd.toml", "source"]),
        (price(&["gone.toml", "--to", "US", "--weight-g", "9"]), &["gone.toml"]),
        (price(&["odd.toml", "--to", "QQ", "--weight-g", "9"]), &["QQ", "ISO 3166"]),
        (price(&["odd.toml", "--to", "US", "--weight-g", "9", "--value", "12 shells"]), &["12 shells"]),
    ] {
        assert_eq!(said.status, Some(2), "{}{}", said.out, said.err);
        assert!(words.iter().all(|word| said.err.contains(word)), "{words:?} not in {}", said.err);
        assert!(!at.join("tariffs").exists() && !said.err.contains("panicked"), "{}", said.err);
    }
    assert_eq!(import("line.csv", &["--as", "wanb"]).status, Some(1));
    let again = import("line.csv", &["--as", "wanb"]);
    assert!(again.status == Some(2) && again.err.contains("tariffs/x-packet.toml") && again.err.contains("--replace"), "{}", again.err);
    assert_eq!(import("line.csv", &["--as", "wanb", "--replace"]).status, Some(1));

    let site = std::fs::read_to_string(project().join("scenarios/quick-start/site.toml")).expect("it is bundled");
    for (named, words) in [
        ("service = \"PACKET\"\ntariff_file = \"tariffs/x-packet.toml\"", &["direct/packet", "leave one out"][..]),
        ("service = \"PACKET\"\ntarif_file = \"x.toml\"", &["tarif_file"]),
    ] {
        std::fs::write(at.join("site.toml"), site.replace("service = \"PACKET\"", named)).expect("it can be written");
        let said = run(at, &["live", "site.toml", "--simulated"]);
        assert!(said.status == Some(2) && words.iter().all(|word| said.err.contains(word)), "{}", said.err);
    }
    let express = site.replace("service = \"P\"", "service = \"P\"\ntariff_file = \"gone.toml\"");
    std::fs::write(at.join("site.toml"), express).expect("it can be written");
    let said = run(at, &["live", "site.toml", "--simulated"]);
    assert!(said.status == Some(2) && said.err.contains("gone.toml"), "{}", said.err);
}

fn published(test: &str) -> Option<PathBuf> {
    let folder = project().join("../shared/data/rates");
    if !folder.is_dir() {
        println!("{test} skipped: no published sheets beside the project");
        return None;
    }
    Some(folder.canonicalize().expect("it is there"))
}

#[test]
fn published_sheets_are_imported_and_priced() {
    let Some(rates) = published("published_sheets_are_imported_and_priced") else { return };
    let chart = (1..=9).map(|zone| format!("\"{zone}\" = [\"{zone}\"]\n")).collect::<String>();
    let folder = folder_with(&[("zones.toml", &chart)]);
    let at = folder.path();
    let import = |sheet: &Path, more: &[&str]| {
        let sheet = sheet.to_str().expect("a plain name");
        let said = run(at, &[&["tariff", "import", sheet, "--json"], more].concat());
        assert!(matches!(said.status, Some(0 | 1)), "{sheet}: {}", said.err);
        let outcome: Value = serde_json::from_str(&said.out).expect("it is JSON");
        (said.status, outcome)
    };
    let price = |file: &str, to: &str, weight_g: &str| run(at, &["tariff", "price", file, "--to", to, "--weight-g", weight_g]);

    let notice = rates.join("usps_notice123_retail_eff2025-10-05_excerpt.csv");
    let usps = [
        "--as",
        "usps",
        "--carrier",
        "usps",
        "--zones",
        "zones.toml",
        "--weight",
        "in3_per_lb=166",
        "--weight",
        "volumetric_above_in3=1728",
    ];
    let (status, outcome) = import(&notice, &usps);
    assert_eq!(status, Some(0), "all rows are in a zone and have a price: {outcome}");
    let said = price("tariffs/usps-ground-advantage-retail.toml", "US:10001", "113");
    assert_eq!((said.status, said.out.lines().next()), (Some(0), Some("7.20 USD")), "{}", said.out);
    let said = price("tariffs/usps-ground-advantage-retail.toml", "US:10001", "11000");
    assert_eq!((said.status, said.out.lines().next()), (Some(1), Some("no price: no weight band for 11000 g in zone 1")));

    let (_, outcome) = import(&rates.join("wanb_cn_lines.csv"), &["--as", "wanb", "--carrier", "wanb"]);
    assert_eq!(outcome["services"].as_array().map(Vec::len), Some(3));
    let said = price("tariffs/wanb-usexr.toml", "US:90001", "20");
    assert_eq!((said.status, said.out.lines().next()), (Some(0), Some("26.94 CNY")), "{}", said.out);

    // All 21 sheets of karrio: what was left out is told row by row, 16 of them in zones without countries.
    let (mut files, mut services, mut regions) = (0, 0, 0);
    for entry in std::fs::read_dir(rates.join("karrio")).expect("it is there") {
        let path = entry.expect("it can be listed").path();
        let carrier = path.file_stem().and_then(|stem| stem.to_str()).expect("a plain name").to_owned();
        let (status, outcome) = import(&path, &["--as", "karrio", "--home", "CN", "--carrier", &carrier, "--out", &carrier]);
        let all = outcome["services"].as_array().expect("a list");
        let skipped: Vec<&Value> = all.iter().flat_map(|s| s["skipped"].as_array().expect("a list")).collect();
        let whole = skipped.is_empty() && all.iter().all(|s| s["tariff_file"].is_string());
        assert_eq!(status, Some(i32::from(!whole)), "{}", path.display());
        assert!(skipped.iter().all(|row| row["line"].as_u64() > Some(1) && row["field"].is_string() && row["why"].is_string()));
        regions += skipped.iter().filter(|row| row["field"] == "country_codes").count();
        files += 1;
        services += all.iter().filter(|s| s["tariff_file"].as_str().is_some_and(|file| at.join(file).is_file())).count();
    }
    assert_eq!((files, services, regions), (21, 150, 16));
}

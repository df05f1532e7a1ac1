//! `docs/SITE.md` is made from the documentation of the structs that a site file is read into. This test makes it, and fails
//! when the page in the repository is another: `PARCELTWIN_BLESS=1 cargo test --test site_reference` writes it.
//!
//! The field names are checked against serde's own lists, so the page cannot name a field that no site file may have.

mod support;

use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fmt::Write;
use support::project;

/// A table of the site file: how it is written, where its struct stands, and what serde says its fields are.
struct Table {
    written: &'static str,
    file: &'static str,
    name: &'static str,
    known: fn() -> BTreeSet<String>,
}

const fn table(written: &'static str, file: &'static str, name: &'static str, known: fn() -> BTreeSet<String>) -> Table {
    Table { written, file, name, known }
}

const TABLES: [Table; 20] = [
    table("The file itself", "actors/src/config.rs", "SiteConfig", refused::<actors::config::SiteConfig>),
    table("[fx]", "rules/src/fx.rs", "Rates", refused::<rules::fx::Rates>),
    table("[checks]", "rules/src/check.rs", "Thresholds", refused::<rules::check::Thresholds>),
    table("[limits]", "actors/src/config.rs", "Bounds", refused::<actors::config::Bounds>),
    table("[[warehouse]]", "actors/src/config.rs", "WarehouseConfig", refused::<actors::config::WarehouseConfig>),
    table("[warehouse.address]", "twin/src/address.rs", "Address", address),
    table("[[warehouse.station]]", "actors/src/config.rs", "StationConfig", refused::<actors::config::StationConfig>),
    table("[[warehouse.station.device]]", "actors/src/config.rs", "DeviceConfig", refused::<actors::config::DeviceConfig>),
    table("[warehouse.station.line]", "actors/src/config.rs", "LineConfig", refused::<actors::config::LineConfig>),
    table("[warehouse.station.line.sorting]", "rules/src/sorting.rs", "SortingPlan", refused::<rules::sorting::SortingPlan>),
    table("[[warehouse.station.line.sorting.chutes]]", "rules/src/sorting.rs", "ChuteRule", refused::<rules::sorting::ChuteRule>),
    table("[[carrier]]", "actors/src/config.rs", "CarrierConfig", refused::<actors::config::CarrierConfig>),
    table("[carrier.api]", "drivers/src/carriers/settings.rs", "CarrierSettings", refused::<drivers::carriers::CarrierSettings>),
    table("[[channel]]", "twin/src/channel.rs", "Channel", refused::<twin::channel::Channel>),
    table("[channel.limits]", "twin/src/channel.rs", "Limits", refused::<twin::channel::Limits>),
    table("[channel.tariff]", "twin/src/channel.rs", "Tariff", refused::<twin::channel::Tariff>),
    table("[channel.tariff.weight]", "twin/src/channel.rs", "ChargeableWeight", refused::<twin::channel::ChargeableWeight>),
    table("[[channel.tariff.zones]]", "twin/src/channel.rs", "Zone", refused::<twin::channel::Zone>),
    table("[[channel.tariff.zones.bands]]", "twin/src/channel.rs", "Band", refused::<twin::channel::Band>),
    table("[[channel.tariff.surcharges]]", "twin/src/channel.rs", "Surcharge", refused::<twin::channel::Surcharge>),
];

/// Words with a fixed choice: the enum, where it stands.
const CHOICES: [(&str, &str); 5] = [
    ("StationKind", "twin/src/station.rs"),
    ("DeviceKind", "twin/src/device.rs"),
    ("CarrierKind", "drivers/src/carriers/settings.rs"),
    ("DaysCount", "twin/src/channel.rs"),
    ("Weekday", "rules/src/working_days.rs"),
];

const HEAD: &str = "# The site file

A site is one TOML file: its warehouses with their stations and devices, its carriers and their channels, and the numbers that
its checks go by. `parceltwin live SITE.toml` and every scenario read it whole and refuse it whole, with the place and what is
wrong there; a field that is not named here is refused too. A site takes its file at the first start; from then on it has its settings
in its twin, in the same form (`docs/OPERATING.md`, \"Change what it goes by\"). `scenarios/quick-start/site.toml` is a complete one to copy.

**This page is made from the code** (`tests/site_reference.rs`); change the comment there, not the page.
Amounts of money stand in quotes (`\"7.20\"`), so that none is ever a binary fraction. Lengths are millimetres, weights grams.

A secret never stands in the file: `secret_env` names the environment variable that holds it. A tariff may stand in a file of its own:
`parceltwin tariff import` makes one from a carrier's published sheet, `tariff_file` names it.

| in a field | stands |
|---|---|
| a time zone | its name in the tz database, `Europe/Berlin`, or an offset that never changes, `+08:00`. Files from before had `utc_offset_h`, which is refused |
| a date | `2026-12-25`, by the warehouse's own calendar |
| a device's address | `serial:/dev/ttyUSB0?baud=9600`, `tcp:10.0.0.5:2001`, or `sim:` for a simulated one |
| a country | two letters of ISO 3166, `DE`; parts with a code of their own (`PR`) have it |
| a currency | three letters of ISO 4217, `CNY` |
";

/// The fields that a struct takes, as its refusal of another says.
fn refused<T: DeserializeOwned>() -> BTreeSet<String> {
    let Err(error) = toml::from_str::<T>("no_such_field = 1") else { panic!("a field that is not there was taken") };
    let text = error.message().to_owned();
    let list = text.split_once("expected ").unwrap_or_else(|| panic!("{text}")).1;
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// An address takes any field; it is asked what it has.
fn address() -> BTreeSet<String> {
    let table = toml::Table::try_from(twin::Address::default()).expect("it is a table");
    table.into_iter().map(|(name, _)| name).collect()
}

/// Something with a doc comment: a struct's field or an enum's variant.
struct Item {
    name: String,
    of: String,
    doc: String,
    serde: String,
}

fn source(file: &str) -> String {
    std::fs::read_to_string(project().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

/// The comment and attributes before an item, and the items in its body. The sources are as rustfmt leaves them.
fn read(file: &str, head: &str) -> (String, String, Vec<Item>) {
    let text = source(file);
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|line| *line == head).unwrap_or_else(|| panic!("{file} has no {head}"));
    let before = lines[..at].iter().rev().take_while(|line| line.starts_with("///") || line.starts_with("#["));
    let before: Vec<&str> = before.copied().collect::<Vec<_>>().into_iter().rev().collect();
    let of = |kind: &str| {
        let words = before.iter().filter(|line| line.starts_with(kind)).map(|line| line.trim_start_matches("///").trim());
        words.collect::<Vec<_>>().join(" ")
    };
    let (doc, attributes) = (of("///"), of("#["));
    let (mut items, mut docs, mut serde) = (Vec::new(), Vec::new(), String::new());
    let mut body = lines[at + 1..].iter().map(|line| line.trim()).take_while(|line| *line != "}");
    while let Some(line) = body.next() {
        if let Some(words) = line.strip_prefix("///") {
            docs.push(words.trim());
        } else if line.starts_with("#[") {
            serde.push_str(line);
            while !serde.ends_with(")]") && !serde.ends_with("[default]") {
                serde.push_str(body.next().expect("an attribute ends"));
            }
        } else if !line.is_empty() && !line.starts_with("//") {
            let (name, of) =
                line.trim_start_matches("pub ").trim_end_matches(',').split_once(": ").unwrap_or((line.trim_end_matches(','), ""));
            let doc = std::mem::take(&mut docs).join(" ");
            items.push(Item { name: name.into(), of: of.into(), doc, serde: std::mem::take(&mut serde) });
        }
    }
    (doc, attributes, items)
}

/// What stands between `before` and the quotation mark behind it.
fn quoted_after<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    Some(text.split_once(before)?.1.split_once('"')?.0)
}

fn choices(name: &str) -> Option<String> {
    let (name, file) = CHOICES.iter().find(|(choice, _)| *choice == name)?;
    let (_, attributes, variants) = read(file, &format!("pub enum {name} {{"));
    assert!(attributes.contains("rename_all = \"snake_case\""), "{name}");
    let said = |item: &Item| {
        let doc = item.doc.trim_end_matches('.');
        let word = format!("`\"{}\"`", item.name.to_lowercase());
        if doc.is_empty() { word } else { format!("{word} ({}{})", doc[..1].to_lowercase(), &doc[1..]) }
    };
    Some(variants.iter().map(said).collect::<Vec<_>>().join(", "))
}

/// What stands in a field of this type, in words.
fn stands(of: &str, written: &str, field: &str) -> String {
    let within = |outer: &str| of.strip_prefix(outer).and_then(|rest| rest.strip_suffix('>'));
    if let Some(inner) = within("Option<") {
        return stands(inner, written, field);
    }
    if let Some(inner) = within("Vec<").or_else(|| within("BTreeSet<")) {
        return match stands(inner, written, field) {
            tables if tables.starts_with("table") => tables.replacen("table", "tables", 1),
            one => format!("list of: {one}"),
        };
    }
    let below = match (written, field) {
        ("The file itself", field) => field.to_owned(),
        (written, field) => format!("{}.{field}", written.trim_matches(['[', ']'])),
    };
    let link = |table: &Table| format!("table [`{0}`](#{1})", table.written, anchor(table.written));
    if let Some(table) = TABLES.iter().find(|table| table.written.trim_matches(['[', ']']) == below) {
        return link(table);
    }
    match of {
        "String" | "SmolStr" => "text".into(),
        "WarehouseId" | "StationId" | "DeviceId" | "CarrierId" | "ChannelId" => "id".into(),
        "bool" => "`true` or `false`".into(),
        "Decimal" => "amount in quotes".into(),
        "Currency" => "currency".into(),
        "TimeZone" => "time zone".into(),
        "Date" => "date".into(),
        "WireAddress" => "device's address".into(),
        "BTreeMap<Currency, Decimal>" => "`{ CNY = \"7.12\", … }`".into(),
        "BTreeMap<WarehouseId, BTreeSet<Date>>" => "`{ WAREHOUSE = [dates] }`".into(),
        "Arc<Names>" => "`{ locations = [{ chute = 3, location = \"SORT/0007\" }], errors = [{ code = 12, what = \"jam\" }] }`".into(),
        "u16" | "u32" | "u64" | "usize" | "i64" | "Grams" => "whole number".into(),
        other => choices(other).unwrap_or_else(|| panic!("{written} {field}: say in this test what {other} is in a site file")),
    }
}

fn anchor(written: &str) -> String {
    written.to_lowercase().chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '_').collect::<String>().replace(' ', "-")
}

/// What a field is when it is left out.
fn left_out(table: &Table, attributes: &str, item: &Item, text: &str) -> String {
    if let Some(function) = quoted_after(&item.serde, "default = \"") {
        let body =
            text.split_once(&format!("fn {function}()")).and_then(|(_, rest)| Some(rest.split_once("{\n")?.1.lines().next()?.trim()));
        let body = body.unwrap_or_else(|| panic!("{} has no {function}", table.file));
        let constant = text.split_once(&format!("const {body}: ")).and_then(|(_, rest)| Some(rest.split_once(" = ")?.1.split_once(';')?.0));
        let value = match body {
            "six" | "6" => "6",
            _ => constant.unwrap_or(body),
        };
        return match value.replace('_', "").parse::<u64>() {
            Ok(number) => number.to_string(),
            Err(_) => function.replace('_', " "),
        };
    }
    let usual = text.split_once(&format!("impl Default for {} {{", table.name)).map(|(_, rest)| rest.split("\n}\n").next().unwrap_or(rest));
    if attributes.contains("#[serde(default") {
        let value = usual.and_then(|body| {
            let after = body.split_once(&format!(" {}: ", item.name)).map(|(_, rest)| rest);
            Some(after?.split([',', '}', '\n']).next()?.trim().replace('_', ""))
        });
        return value.unwrap_or_else(|| if item.of == "bool" { "false".into() } else { "0".into() });
    }
    let by_type = || match item.of.as_str() {
        of if of.starts_with("Option<") => "nothing",
        of if of.starts_with("Vec<") || of.starts_with("BTreeSet<") || of.starts_with("BTreeMap<") => "none",
        "bool" => "false",
        "Decimal" | "u16" | "u32" | "Grams" => "0",
        "SmolStr" | "String" => "empty",
        "DaysCount" => "`\"calendar\"`",
        _ => "as each says",
    };
    if item.serde.contains("default") || item.of.starts_with("Option<") { by_type().into() } else { "**needed**".into() }
}

fn page() -> String {
    let mut page = String::from(HEAD);
    for table in &TABLES {
        let text = source(table.file);
        let (doc, attributes, items) = read(table.file, &format!("pub struct {} {{", table.name));
        let heading = if table.written.starts_with('[') { format!("`{}`", table.written) } else { table.written.into() };
        let _ = write!(page, "\n## {heading}\n\n{doc}\n\n| field | stands | left out | |\n|---|---|---|---|\n");
        let mut named = BTreeSet::new();
        for item in &items {
            let name = quoted_after(&item.serde, "rename = \"").unwrap_or(&item.name);
            named.insert(name.to_owned());
            // A field that is gone is known to serde in order to be refused with what to write.
            if item.of == "()" {
                continue;
            }
            assert!(!item.doc.is_empty(), "{} {name}: it has no doc comment in {}", table.written, table.file);
            let (stands, left_out) = (stands(&item.of, table.written, name), left_out(table, &attributes, item, &text));
            let _ = writeln!(page, "| `{name}` | {stands} | {left_out} | {} |", item.doc.replace('|', "\\|"));
        }
        assert!(!doc.is_empty(), "{} has no doc comment in {}", table.name, table.file);
        assert_eq!(named, (table.known)(), "{} in {}: this test reads other fields than serde", table.name, table.file);
    }
    page
}

#[test]
fn the_page_on_the_site_file_is_what_the_code_says() {
    let (path, page) = (project().join("docs/SITE.md"), page());
    if std::env::var_os("PARCELTWIN_BLESS").is_some() {
        return std::fs::write(&path, page).expect("it can be written");
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == page, "docs/SITE.md is out of date: PARCELTWIN_BLESS=1 cargo test --test site_reference writes it anew");
}

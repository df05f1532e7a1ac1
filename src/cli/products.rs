//! What a house is told of its goods from files: what a starting site takes of them, and `parceltwin products`, which tells it to
//! a running one.
//!
//! A file never undoes at a start what was told since: rows that say something else are counted, and taken where that is asked.

use super::{Answer, screen};
use crate::api::limits::CHANGES_PER_REQUEST_MAX;
use crate::api::products::AllTold;
use actors::catalog::Change;
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use drivers::http_wire::{HttpWire, ReqwestWire};
use drivers::platforms::{MapRow, ProductRow, Sifted, read_maps, read_products, read_stock};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use twin::goods::Facts;
use twin::product::{self, Product};
use twin::sku_map::{self, SkuMap};
use twin::stock::Counted;
use twin::{Twin, TwinError};

#[derive(Subcommand)]
pub enum ProductsCommand {
    /// Tell a running site what products are: products.csv
    ///
    /// Columns: sku, category, weight_g, length_mm, width_mm, height_mm, battery (0, 1, none, contained, packed_with, alone); and,
    /// where they are wanted, owner, liquid, hs_code, origin, description, declared_value, declared_currency. Every good row is
    /// taken, every bad one named; exit status 1 where there was one. Orders of a product of weight 0 are held until its weight is
    /// told.
    Import(ImportFlags),
    /// Tell a running site what shops' SKUs are of ours: sku_maps.csv
    ///
    /// Columns: platform, shop, sku (as the platform calls it), our_sku, quantity (1 where it is empty). Rows of one SKU are one
    /// bundle. Orders that wait for it go on.
    Map(ImportFlags),
    /// Tell a running site what was counted: stock.csv
    ///
    /// Columns: warehouse, sku, on_hand (an absolute number); and, where it is wanted, owner. A file is taken whole or not at all;
    /// what the site refuses of it is named. Orders that wait for stock go on.
    Count(ImportFlags),
}

#[derive(Args)]
pub struct ImportFlags {
    /// The file (CSV)
    file: PathBuf,
    /// Where the site is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    site: String,
}

pub fn run(command: ProductsCommand) -> anyhow::Result<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match command {
        ProductsCommand::Import(flags) => {
            let read = read_products(&flags.file.display().to_string(), open(&flags.file)?)?;
            runtime.block_on(import(
                &flags,
                "products",
                read,
                |row| json!({ "owner": row.owner, "sku": row.sku, "facts": told(&row.facts) }),
            ))
        }
        ProductsCommand::Map(flags) => {
            let read = read_maps(&flags.file.display().to_string(), open(&flags.file)?)?;
            let row = |row: &MapRow| json!({ "platform": row.shop.platform, "shop": row.shop.shop, "sku": row.sku, "components": row.components });
            runtime.block_on(import(&flags, "maps", read, row))
        }
        ProductsCommand::Count(flags) => {
            let rows = read_stock(&flags.file.display().to_string(), open(&flags.file)?)?;
            let row = |row: &Counted| json!({ "warehouse": row.warehouse, "owner": row.owner, "sku": row.sku, "on_hand": row.on_hand });
            runtime.block_on(import(&flags, "stock", Sifted { rows, bad: Vec::new() }, row))
        }
    }
}

fn open(path: &Path) -> anyhow::Result<std::fs::File> {
    std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Facts as the API takes them.
fn told(facts: &Facts) -> Value {
    json!({
        "weight_g": facts.weight_g,
        "length_mm": facts.dims.length_mm,
        "width_mm": facts.dims.width_mm,
        "height_mm": facts.dims.height_mm,
        "battery": facts.battery,
        "liquid": facts.liquid,
        "category": facts.category,
        "hs_code": facts.hs_code,
        "origin": facts.origin,
        "description": facts.description,
        "declared_value": facts.declared_value.map(|v| json!({ "amount": v.amount.to_string(), "currency": v.currency.code() })),
    })
}

/// Tells the site row after row, and says what became of them.
async fn import<T>(flags: &ImportFlags, what: &str, read: Sifted<T>, row: impl Fn(&T) -> Value) -> anyhow::Result<Answer> {
    let path = if what == "maps" { "sku-maps" } else { what };
    let address = format!("{}/api/v1/{path}", flags.site.trim_end_matches('/'));
    let wire = ReqwestWire::new()?;
    let mut left_out: Vec<String> = read.bad.iter().map(ToString::to_string).collect();
    let (mut new, mut changed, mut same, mut wanting) = (0u64, 0u64, 0u64, Vec::new());
    for rows in read.rows.chunks(CHANGES_PER_REQUEST_MAX) {
        let rows: Vec<Value> = rows.iter().map(&row).collect();
        let skus: Vec<Value> = rows.iter().map(|row| row["sku"].clone()).collect();
        let request = http::Request::post(&address).header("content-type", "application/json");
        let request = request.body(json!({ what: rows }).to_string().into_bytes().into());
        let answer = wire.call(request.with_context(|| format!("--site {} is no address", flags.site))?).await?;
        if !answer.status().is_success() {
            bail!("{address} answered {}: {}", answer.status(), String::from_utf8_lossy(answer.body()));
        }
        let told: AllTold = serde_json::from_slice(answer.body()).with_context(|| format!("{address} is no site of this version"))?;
        for (told, sku) in told.rows.iter().zip(skus) {
            if let Some(note) = &told.note {
                wanting.push(format!("{sku}: {note}"));
            }
            match told.outcome.as_str() {
                "new" => new += 1,
                "changed" => changed += 1,
                "same" => same += 1,
                _ => left_out.push(format!("{sku}: {}", told.why.as_deref().unwrap_or("refused"))),
            }
        }
    }
    for why in &wanting {
        eprintln!("taken: {}", screen::shown(why));
    }
    for why in &left_out {
        eprintln!("left out: {}", screen::shown(why));
    }
    screen::print(&format!("{what}: {new} new, {changed} changed, {same} as before, {} left out\n", left_out.len()))?;
    Ok(if left_out.is_empty() { Answer::Yes } else { Answer::No })
}

/// The rows of a file that can be taken; the others are told, each with its line.
pub fn good<T>(sifted: Sifted<T>) -> Vec<T> {
    for bad in &sifted.bad {
        tracing::warn!("left out: {}", bad);
    }
    if let Some(bad) = sifted.bad.first() {
        tracing::warn!(rows = sifted.bad.len(), file = %bad.file, "rows were left out, and the others are taken");
    }
    sifted.rows
}

/// What of these files is news to a twin: what it does not know, and, where `take` says so, what it knows otherwise.
pub fn news(twin: &Twin, products: &[ProductRow], maps: &[MapRow], take: bool) -> Result<Vec<Change>, TwinError> {
    let (mut news, mut others) = (Vec::new(), 0u64);
    let mut row = |known: Option<bool>, change: &dyn Fn() -> Change| match known {
        Some(true) => {}
        Some(false) if !take => others += 1,
        _ => news.push(change()),
    };
    for product in products {
        let known = twin.load::<Product>(&product::id(&product.owner, &product.sku))?;
        row(known.map(|(_, is)| is.sold().as_ref() == Some(&product.facts)), &|| product.clone().into());
    }
    let unweighed = products.iter().filter(|product| !product.facts.are_measured()).count();
    if unweighed > 0 {
        tracing::warn!(rows = unweighed, "products.csv has products without a weight: orders of them are held until it is told");
    }
    for map in maps {
        let known = twin.load::<SkuMap>(&sku_map::id(&map.shop, &map.sku))?;
        row(known.map(|(_, is)| is.components == map.components), &|| map.clone().into());
    }
    if others > 0 {
        tracing::warn!(
            rows = others,
            "products.csv and sku_maps.csv say something else than the site was told since; --take-products takes it"
        );
    }
    Ok(news)
}

//! What a house is told of its goods from files: what a starting site takes of them, and `parceltwin products`, which tells it to
//! a running one.
//!
//! A file never undoes at a start what was told since: rows that say something else are counted, and taken where that is asked.

use actors::catalog::Change;
use drivers::platforms::{MapRow, ProductRow, Sifted};
use twin::product::{self, Product};
use twin::sku_map::{self, SkuMap};
use twin::{Twin, TwinError};

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

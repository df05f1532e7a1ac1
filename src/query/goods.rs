//! Rows of what is sold: products with their facts, what platforms call them, whose shops are whose, and what lies in the lines
//! of an order.

use super::QueryError;
use super::rows::{Writer, money, must_be_there, some, text, unfind};
use super::tables::Touch;
use rusqlite::{ToSql, params};
use smol_str::SmolStr;
use std::sync::LazyLock;
use twin::entity::Entity;
use twin::goods::Facts;
use twin::order::Line;
use twin::product::{self, Product};
use twin::seller::Seller;
use twin::sku_map::{self, SkuMap};

/// The facts of goods as columns: what stands in the twelve of `line_goods` and of `products`.
const FACTS: [&str; 12] = [
    "weight_g",
    "length_mm",
    "width_mm",
    "height_mm",
    "battery",
    "liquid",
    "category",
    "hs_code",
    "origin",
    "description",
    "declared_value_micro",
    "declared_currency",
];

static PUT_LINE_GOODS: LazyLock<String> = LazyLock::new(|| put("line_goods", &["order_id", "line", "goods", "sku", "quantity", "pieces"]));
static PUT_PRODUCT: LazyLock<String> = LazyLock::new(|| put("products", &["id", "seq", "owner", "sku", "stage"]));

/// A statement that writes a row of keys and facts.
fn put(table: &str, keys: &[&str]) -> String {
    let columns: Vec<_> = keys.iter().chain(&FACTS).copied().collect();
    let places: Vec<_> = (1..=columns.len()).map(|n| format!("?{n}")).collect();
    format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), places.join(", "))
}

impl Writer<'_> {
    fn facts(&self, put: &str, values: &[&dyn ToSql], facts: &Facts) -> Result<(), QueryError> {
        let (value, currency) = money(facts.declared_value.as_ref());
        let (category, hs_code, origin, description) =
            (some(&facts.category), some(&facts.hs_code), some(&facts.origin), some(&facts.description));
        let battery = facts.battery.as_str();
        let columns: [&dyn ToSql; 12] = [
            &facts.weight_g,
            &facts.dims.length_mm,
            &facts.dims.width_mm,
            &facts.dims.height_mm,
            &battery,
            &facts.liquid,
            &category,
            &hs_code,
            &origin,
            &description,
            &value,
            &currency,
        ];
        let all: Vec<&dyn ToSql> = values.iter().copied().chain(columns).collect();
        self.db.prepare_cached(put)?.execute(all.as_slice())?;
        Ok(())
    }

    /// What lies in the lines of an order, written anew.
    pub(super) fn line_goods(&self, order: &SmolStr, lines: &[Line]) -> Result<(), QueryError> {
        for (n, line) in (1i64..).zip(lines) {
            for (at, (goods, pieces)) in (1i64..).zip(line.pieces()) {
                let values: [&dyn ToSql; 6] = [&order.as_str(), &n, &at, &goods.sku.as_str(), &goods.quantity, &pieces];
                self.facts(&PUT_LINE_GOODS, &values, &goods.facts)?;
            }
        }
        Ok(())
    }

    /// The record in which it began: what it says, or what its row says.
    fn began(&self, table: &str, id: &SmolStr, touch: Touch) -> Result<i64, QueryError> {
        match touch.begins {
            Some((seq, _)) => Ok(seq as i64),
            None => {
                let seq: Option<i64> = self
                    .db
                    .prepare_cached(&format!("DELETE FROM {table} WHERE id = ?1 RETURNING seq"))?
                    .query_map([id.as_str()], |row| row.get(0))?
                    .next()
                    .transpose()?;
                must_be_there(usize::from(seq.is_some()), id)?;
                Ok(seq.unwrap_or_default())
            }
        }
    }

    pub(super) fn product(&self, id: &SmolStr, product: &Product, touch: Touch) -> Result<(), QueryError> {
        let seq = self.began("products", id, touch)?;
        let (owner, sku) = product::parts(id);
        let values: [&dyn ToSql; 5] = [&id.as_str(), &seq, &owner, &sku, &product.stage_word()];
        self.facts(&PUT_PRODUCT, &values, &product.facts)?;
        unfind(self.db, "product", id)?;
        let Facts { category, hs_code, description, .. } = &product.facts;
        text(self.db, seq, "product", id, &[owner, sku, category, hs_code, description].join(" "))
    }

    pub(super) fn sku_map(&self, id: &SmolStr, map: &SkuMap, touch: Touch) -> Result<(), QueryError> {
        let seq = self.began("sku_maps", id, touch)?;
        let (shop, sku) = sku_map::parts(id);
        self.db.prepare_cached("INSERT INTO sku_maps VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
            id.as_str(),
            seq,
            shop.platform.as_str(),
            shop.shop.as_str(),
            sku.as_str(),
            map.stage_word()
        ])?;
        self.db.prepare_cached("DELETE FROM sku_map_parts WHERE map_id = ?1")?.execute([id.as_str()])?;
        let mut insert = self.db.prepare_cached("INSERT INTO sku_map_parts VALUES (?1, ?2, ?3, ?4)")?;
        for (n, part) in (1i64..).zip(&map.components) {
            insert.execute(params![id.as_str(), n, part.sku.as_str(), part.quantity])?;
        }
        Ok(())
    }

    pub(super) fn seller(&self, id: &SmolStr, seller: &Seller, touch: Touch) -> Result<(), QueryError> {
        let seq = self.began("sellers", id, touch)?;
        self.db.prepare_cached("INSERT INTO sellers VALUES (?1, ?2, ?3)")?.execute(params![id.as_str(), seq, seller.name.as_str()])?;
        self.db.prepare_cached("DELETE FROM shops WHERE seller_id = ?1")?.execute([id.as_str()])?;
        let mut insert = self.db.prepare_cached("INSERT INTO shops VALUES (?1, ?2, ?3)")?;
        for shop in &seller.shops {
            insert.execute(params![id.as_str(), shop.platform.as_str(), shop.shop.as_str()])?;
        }
        Ok(())
    }
}

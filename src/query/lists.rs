//! What a row of each list tells, as callers and the console see it.

use super::QueryError;
use super::pages::Listed;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::Serialize;
use twin::Moment;
use twin::money::Decimal;
use utoipa::ToSchema;

/// An amount with its currency.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Amount {
    #[schema(example = "7.79")]
    pub amount: String,
    #[schema(example = "USD")]
    pub currency: String,
}

fn amount(micro: Option<i64>, currency: Option<String>) -> Option<Amount> {
    Some(Amount { amount: Decimal::new(micro?, 6).normalize().to_string(), currency: currency? })
}

fn time(us: Option<i64>) -> Option<String> {
    us.map(|us| Moment(us).to_string())
}

fn name_of_buyer(db: &Connection, order: &str) -> Result<(Option<String>, Option<String>), QueryError> {
    let ask = "SELECT name, city FROM buyers WHERE order_id = ?1";
    let found = db.prepare_cached(ask)?.query_row([order], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(found.unwrap_or_default())
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderRow {
    #[schema(example = "WEB-000001")]
    pub id: String,
    /// `held` where a received order waits for something.
    #[schema(example = "released")]
    pub stage: String,
    pub platform: String,
    pub shop: String,
    /// Whose shop that is.
    #[schema(example = "own")]
    pub seller: String,
    pub received_at: Option<String>,
    pub placed_at: Option<String>,
    pub country: String,
    pub postcode: Option<String>,
    /// Absent where the buyer was forgotten.
    pub buyer: Option<String>,
    pub city: Option<String>,
    pub pieces: i64,
    pub value: Option<Amount>,
    /// Why it waits.
    pub holds: Option<String>,
    pub warehouse: Option<String>,
    pub channel: Option<String>,
    pub parcel: Option<String>,
    pub forgotten: bool,
}

impl Listed for OrderRow {
    const TABLE: &'static str = "orders";
    const COLUMNS: &'static str = "seq, id, stage, platform, shop, received_at_us, placed_at_us, country, postcode, pieces, value_micro, \
         currency, holds, warehouse, channel, parcel_id, forgotten, seller";
    const FACETS: &'static [(&'static str, bool)] = &[
        ("stage", true),
        ("platform", true),
        ("country", true),
        ("warehouse", true),
        ("channel", true),
        ("seller", true),
        ("shop", false),
    ];
    const BEGAN: &'static str = "received_at_us";

    fn read(db: &Connection, row: &Row) -> Result<Self, QueryError> {
        let id: String = row.get(1)?;
        let (buyer, city) = name_of_buyer(db, &id)?;
        Ok(OrderRow {
            id,
            stage: row.get(2)?,
            platform: row.get(3)?,
            shop: row.get(4)?,
            received_at: time(row.get(5)?),
            placed_at: time(row.get(6)?),
            country: row.get(7)?,
            postcode: row.get(8)?,
            buyer,
            city,
            pieces: row.get(9)?,
            value: amount(row.get(10)?, row.get(11)?),
            holds: row.get(12)?,
            warehouse: row.get(13)?,
            channel: row.get(14)?,
            parcel: row.get(15)?,
            forgotten: row.get(16)?,
            seller: row.get(17)?,
        })
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ParcelRow {
    #[schema(example = "WEB-000001-1")]
    pub id: String,
    pub order: String,
    #[schema(example = "handed over")]
    pub stage: String,
    pub warehouse: String,
    pub carrier: String,
    pub channel: String,
    pub country: String,
    pub tracking: Option<String>,
    /// Absent where the buyer was forgotten.
    pub buyer: Option<String>,
    pub created_at: Option<String>,
    pub changed_at: Option<String>,
    pub declared_g: i64,
    pub measured_g: Option<i64>,
    pub bag: Option<String>,
    /// Why it was stopped, or what the carrier says is wrong.
    pub trouble: Option<String>,
    /// The newest that the carrier said.
    pub news: Option<String>,
}

impl Listed for ParcelRow {
    const TABLE: &'static str = "parcels";
    const COLUMNS: &'static str = "seq, id, order_id, stage, warehouse, carrier, channel, country, tracking, created_at_us, changed_at_us, \
         declared_g, measured_g, bag_id, intercepted, exception, news_text";
    const FACETS: &'static [(&'static str, bool)] =
        &[("stage", true), ("country", true), ("warehouse", true), ("channel", true), ("carrier", false)];
    const BEGAN: &'static str = "created_at_us";

    fn read(db: &Connection, row: &Row) -> Result<Self, QueryError> {
        let order: String = row.get(2)?;
        let (buyer, _) = name_of_buyer(db, &order)?;
        let (stopped, said): (Option<String>, Option<String>) = (row.get(14)?, row.get(15)?);
        Ok(ParcelRow {
            id: row.get(1)?,
            order,
            stage: row.get(3)?,
            warehouse: row.get(4)?,
            carrier: row.get(5)?,
            channel: row.get(6)?,
            country: row.get(7)?,
            tracking: row.get(8)?,
            buyer,
            created_at: time(row.get(9)?),
            changed_at: time(row.get(10)?),
            declared_g: row.get(11)?,
            measured_g: row.get(12)?,
            bag: row.get(13)?,
            trouble: stopped.or(said),
            news: row.get(16)?,
        })
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BagRow {
    /// Its SSCC.
    pub id: String,
    #[schema(example = "closed")]
    pub stage: String,
    pub warehouse: String,
    pub station: String,
    pub chute: i64,
    pub channel: String,
    pub parcels: i64,
    pub weight_g: i64,
    pub manifest: Option<String>,
    pub opened_at: Option<String>,
}

impl Listed for BagRow {
    const TABLE: &'static str = "bags";
    const COLUMNS: &'static str = "seq, id, stage, warehouse, station, chute, channel, parcels, weight_g, manifest_id, opened_at_us";
    const FACETS: &'static [(&'static str, bool)] = &[("stage", false), ("warehouse", false), ("channel", false)];
    const BEGAN: &'static str = "opened_at_us";

    fn read(_: &Connection, row: &Row) -> Result<Self, QueryError> {
        Ok(BagRow {
            id: row.get(1)?,
            stage: row.get(2)?,
            warehouse: row.get(3)?,
            station: row.get(4)?,
            chute: row.get(5)?,
            channel: row.get(6)?,
            parcels: row.get(7)?,
            weight_g: row.get(8)?,
            manifest: row.get(9)?,
            opened_at: time(row.get(10)?),
        })
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ManifestRow {
    #[schema(example = "SZX/usps/20261109-1")]
    pub id: String,
    /// `open` or `closed`.
    pub stage: String,
    pub warehouse: String,
    pub carrier: String,
    pub bags: i64,
    pub parcels: i64,
    pub weight_g: i64,
    pub opened_at: Option<String>,
    pub closed_at: Option<String>,
}

impl Listed for ManifestRow {
    const TABLE: &'static str = "manifests";
    const COLUMNS: &'static str = "seq, id, stage, warehouse, carrier, bags, parcels, weight_g, opened_at_us, closed_at_us";
    const FACETS: &'static [(&'static str, bool)] = &[("stage", false), ("warehouse", false), ("carrier", false)];
    const BEGAN: &'static str = "opened_at_us";

    fn read(_: &Connection, row: &Row) -> Result<Self, QueryError> {
        Ok(ManifestRow {
            id: row.get(1)?,
            stage: row.get(2)?,
            warehouse: row.get(3)?,
            carrier: row.get(4)?,
            bags: row.get(5)?,
            parcels: row.get(6)?,
            weight_g: row.get(7)?,
            opened_at: time(row.get(8)?),
            closed_at: time(row.get(9)?),
        })
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ExceptionRow {
    /// Its record of the journal.
    pub record: u64,
    pub at: Option<String>,
    /// What kind of thing it happened to.
    #[schema(example = "parcel")]
    pub kind: String,
    pub id: String,
    /// `held`, `intercepted`, `label refused`, `trouble`, `rejected`, `fault`, `disconnected`, `suspended`, `reworked` or `cancelled`.
    pub what: String,
    /// In words.
    pub detail: String,
}

impl Listed for ExceptionRow {
    const TABLE: &'static str = "exceptions";
    const COLUMNS: &'static str = "seq, at_us, kind, entity_id, what, detail";
    const FACETS: &'static [(&'static str, bool)] = &[("what", true), ("kind", false), ("reason", false)];
    const BEGAN: &'static str = "at_us";

    fn read(_: &Connection, row: &Row) -> Result<Self, QueryError> {
        Ok(ExceptionRow {
            record: row.get::<_, i64>(0)? as u64,
            at: time(row.get(1)?),
            kind: row.get(2)?,
            id: row.get(3)?,
            what: row.get(4)?,
            detail: row.get(5)?,
        })
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DecisionRow {
    /// Its record of the journal.
    pub record: u64,
    pub at: Option<String>,
    pub order: String,
    pub rule: String,
    pub warehouse: String,
    pub channel: String,
    pub cost: Option<Amount>,
    /// All that was weighed, the chosen one first.
    pub candidates: Vec<CandidateRow>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CandidateRow {
    pub warehouse: String,
    pub channel: Option<String>,
    pub cost: Option<Amount>,
    pub days: Option<i64>,
    pub verdict: String,
}

impl Listed for DecisionRow {
    const TABLE: &'static str = "decisions";
    const COLUMNS: &'static str = "seq, at_us, order_id, rule, warehouse, channel, cost_micro, currency";
    const FACETS: &'static [(&'static str, bool)] = &[("warehouse", false), ("channel", false)];
    const BEGAN: &'static str = "at_us";

    fn read(db: &Connection, row: &Row) -> Result<Self, QueryError> {
        let seq: i64 = row.get(0)?;
        let ask = "SELECT warehouse, channel, cost_micro, currency, days, verdict FROM candidates WHERE decision_seq = ?1 ORDER BY place";
        let candidate = |row: &Row| {
            let (warehouse, channel, days, verdict) = (row.get(0)?, row.get(1)?, row.get(4)?, row.get(5)?);
            Ok(CandidateRow { warehouse, channel, cost: amount(row.get(2)?, row.get(3)?), days, verdict })
        };
        let candidates = db.prepare_cached(ask)?.query_map([seq], candidate)?.collect::<Result<_, _>>()?;
        Ok(DecisionRow {
            record: seq as u64,
            at: time(row.get(1)?),
            order: row.get(2)?,
            rule: row.get(3)?,
            warehouse: row.get(4)?,
            channel: row.get(5)?,
            cost: amount(row.get(6)?, row.get(7)?),
            candidates,
        })
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StockRow {
    #[schema(example = "SZX:own:P-000007")]
    pub id: String,
    pub warehouse: String,
    /// The seller whose it is.
    #[schema(example = "own")]
    pub owner: String,
    pub sku: String,
    pub on_hand: i64,
    pub reserved: i64,
    /// Kept back for counting errors.
    pub safety: i64,
    pub available: i64,
}

impl Listed for StockRow {
    const TABLE: &'static str = "stock";
    const COLUMNS: &'static str = "seq, id, warehouse, owner, sku, on_hand, reserved, safety, available";
    const FACETS: &'static [(&'static str, bool)] = &[("warehouse", false), ("owner", true), ("sku", true)];
    const BEGAN: &'static str = "";

    fn read(_: &Connection, row: &Row) -> Result<Self, QueryError> {
        Ok(StockRow {
            id: row.get(1)?,
            warehouse: row.get(2)?,
            owner: row.get(3)?,
            sku: row.get(4)?,
            on_hand: row.get(5)?,
            reserved: row.get(6)?,
            safety: row.get(7)?,
            available: row.get(8)?,
        })
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProductRow {
    #[schema(example = "own:P-000007")]
    pub id: String,
    pub owner: String,
    pub sku: String,
    /// `sold` or `retired`.
    #[schema(example = "sold")]
    pub stage: String,
    pub weight_g: i64,
    pub length_mm: i64,
    pub width_mm: i64,
    pub height_mm: i64,
    /// `none`, `contained`, `packed_with` or `alone`.
    #[schema(example = "none")]
    pub battery: String,
    pub liquid: bool,
    pub category: Option<String>,
    pub hs_code: Option<String>,
    pub origin: Option<String>,
    pub description: Option<String>,
    pub declared_value: Option<Amount>,
}

impl Listed for ProductRow {
    const TABLE: &'static str = "products";
    const COLUMNS: &'static str = "seq, id, owner, sku, stage, weight_g, length_mm, width_mm, height_mm, battery, liquid, category, hs_code, \
         origin, description, declared_value_micro, declared_currency";
    const FACETS: &'static [(&'static str, bool)] = &[("owner", true), ("sku", true), ("category", true), ("stage", true)];
    const BEGAN: &'static str = "";

    fn read(_: &Connection, row: &Row) -> Result<Self, QueryError> {
        Ok(ProductRow {
            id: row.get(1)?,
            owner: row.get(2)?,
            sku: row.get(3)?,
            stage: row.get(4)?,
            weight_g: row.get(5)?,
            length_mm: row.get(6)?,
            width_mm: row.get(7)?,
            height_mm: row.get(8)?,
            battery: row.get(9)?,
            liquid: row.get(10)?,
            category: row.get(11)?,
            hs_code: row.get(12)?,
            origin: row.get(13)?,
            description: row.get(14)?,
            declared_value: amount(row.get(15)?, row.get(16)?),
        })
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SkuMapRow {
    #[schema(example = "amazon:shop-1:Gift%20set")]
    pub id: String,
    pub platform: String,
    pub shop: String,
    /// As the platform calls it.
    #[schema(example = "Gift set")]
    pub sku: String,
    /// `mapped`, `bundle`, or `unmapped`: not any more.
    #[schema(example = "bundle")]
    pub stage: String,
    pub components: Vec<PartRow>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PartRow {
    /// Ours.
    pub sku: String,
    pub quantity: i64,
}

impl Listed for SkuMapRow {
    const TABLE: &'static str = "sku_maps";
    const COLUMNS: &'static str = "seq, id, platform, shop, sku, stage";
    const FACETS: &'static [(&'static str, bool)] = &[("platform", false), ("shop", true), ("sku", true), ("stage", false)];
    const BEGAN: &'static str = "";

    fn read(db: &Connection, row: &Row) -> Result<Self, QueryError> {
        let id: String = row.get(1)?;
        let ask = "SELECT sku, quantity FROM sku_map_parts WHERE map_id = ?1 ORDER BY part";
        let part = |row: &Row| Ok(PartRow { sku: row.get(0)?, quantity: row.get(1)? });
        let components = db.prepare_cached(ask)?.query_map([&id], part)?.collect::<Result<_, _>>()?;
        Ok(SkuMapRow { id, platform: row.get(2)?, shop: row.get(3)?, sku: row.get(4)?, stage: row.get(5)?, components })
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SellerRow {
    #[schema(example = "LUM")]
    pub id: String,
    #[schema(example = "Lumen Ltd")]
    pub name: String,
    pub shops: Vec<ShopRow>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShopRow {
    pub platform: String,
    pub shop: String,
}

impl Listed for SellerRow {
    const TABLE: &'static str = "sellers";
    const COLUMNS: &'static str = "seq, id, name";
    const FACETS: &'static [(&'static str, bool)] = &[];
    const BEGAN: &'static str = "";

    fn read(db: &Connection, row: &Row) -> Result<Self, QueryError> {
        let id: String = row.get(1)?;
        let ask = "SELECT platform, shop FROM shops WHERE seller_id = ?1 ORDER BY platform, shop";
        let shop = |row: &Row| Ok(ShopRow { platform: row.get(0)?, shop: row.get(1)? });
        let shops = db.prepare_cached(ask)?.query_map([&id], shop)?.collect::<Result<_, _>>()?;
        Ok(SellerRow { id, name: row.get(2)?, shops })
    }
}

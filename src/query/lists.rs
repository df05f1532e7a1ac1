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
    #[schema(example = "WEB-000001@shopify:lamps")]
    pub id: String,
    /// The platform's own number of it.
    #[schema(example = "WEB-000001")]
    pub number: String,
    /// `held` where a received order waits for something; once all of it is in parcels, the step that all of them have reached.
    #[schema(example = "packed")]
    pub stage: String,
    /// The same with how many of its parcels.
    #[schema(example = "2 of 3 shipped")]
    pub progress: String,
    pub parcels: i64,
    pub revision: i64,
    /// The platform fines who hands it over later.
    pub ship_by: Option<String>,
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
         currency, holds, warehouse, channel, parcel_id, forgotten, number, progress, parcels, revision, ship_by_us, seller";
    const FACETS: &'static [(&'static str, bool)] = &[
        ("stage", true),
        ("platform", true),
        ("country", true),
        ("warehouse", true),
        ("channel", true),
        ("number", true),
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
            number: row.get(17)?,
            progress: row.get(18)?,
            parcels: row.get(19)?,
            revision: row.get(20)?,
            ship_by: time(row.get(21)?),
            seller: row.get(22)?,
        })
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ParcelRow {
    #[schema(example = "WEB-000001-1")]
    pub id: String,
    pub order: String,
    /// How far it came in the house.
    #[schema(example = "handed over")]
    pub stage: String,
    /// Where it is since it was handed over, as its carrier says.
    #[schema(example = "in flight")]
    pub status: Option<String>,
    pub status_at: Option<String>,
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
         declared_g, measured_g, bag_id, intercepted, exception, status, status_at_us";
    const FACETS: &'static [(&'static str, bool)] =
        &[("stage", true), ("status", true), ("country", true), ("warehouse", true), ("channel", true), ("carrier", false)];
    const BEGAN: &'static str = "created_at_us";

    fn read(db: &Connection, row: &Row) -> Result<Self, QueryError> {
        let order: String = row.get(2)?;
        let (buyer, _) = name_of_buyer(db, &order)?;
        let (id, stopped, wrong): (String, Option<String>, Option<String>) = (row.get(1)?, row.get(14)?, row.get(15)?);
        let ask = "SELECT exception, news_text FROM tracking WHERE parcel_id = ?1";
        let said = db.prepare_cached(ask)?.query_row([&id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let (said, news): (Option<String>, Option<String>) = said.unwrap_or_default();
        Ok(ParcelRow {
            id,
            order,
            stage: row.get(3)?,
            status: row.get(16)?,
            status_at: time(row.get(17)?),
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
            trouble: stopped.or(said).or(wrong),
            news,
        })
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TrackingRow {
    #[schema(example = "WEB-000001-1")]
    pub parcel: String,
    /// `handed over` until the carrier says that it moves.
    #[schema(example = "customs")]
    pub status: String,
    /// When that was heard.
    pub status_at: Option<String>,
    pub carrier: String,
    pub number: String,
    pub begun_at: Option<String>,
    /// When its way ended, as the carrier says.
    pub ended_at: Option<String>,
    /// What the carrier says is wrong.
    pub exception: Option<String>,
    /// The newest that it said.
    pub news: Option<String>,
    pub news_at: Option<String>,
    pub place: Option<String>,
    /// The newest that it said of customs.
    pub customs: Option<String>,
}

impl Listed for TrackingRow {
    const TABLE: &'static str = "tracking";
    const COLUMNS: &'static str = "seq, parcel_id, status, status_at_us, carrier, number, begun_at_us, ended_at_us, exception, news_text, \
         news_at_us, news_place, customs";
    const FACETS: &'static [(&'static str, bool)] = &[("status", true), ("carrier", false)];
    const BEGAN: &'static str = "begun_at_us";

    fn read(_: &Connection, row: &Row) -> Result<Self, QueryError> {
        Ok(TrackingRow {
            parcel: row.get(1)?,
            status: row.get(2)?,
            status_at: time(row.get(3)?),
            carrier: row.get(4)?,
            number: row.get(5)?,
            begun_at: time(row.get(6)?),
            ended_at: time(row.get(7)?),
            exception: row.get(8)?,
            news: row.get(9)?,
            news_at: time(row.get(10)?),
            place: row.get(11)?,
            customs: row.get(12)?,
        })
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReturnRow {
    #[schema(example = "WEB-000001-1")]
    pub parcel: String,
    /// `announced`, `arrived`, `received`, `restocking` or `closed`.
    pub stage: String,
    /// Why it comes back.
    pub reason: String,
    /// Pieces that left in it.
    pub expected: i64,
    pub warehouse: Option<String>,
    /// `restocked`, `written off`, `sent again` or `withdrawn`.
    pub outcome: Option<String>,
    pub note: Option<String>,
    pub announced_at: Option<String>,
    pub received_at: Option<String>,
    pub closed_at: Option<String>,
    /// Once it was opened: what came back.
    pub items: Vec<ReturnedRow>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReturnedRow {
    pub sku: String,
    pub quantity: i64,
    /// `sellable`, `opened`, `damaged` or `missing`.
    pub condition: String,
}

impl Listed for ReturnRow {
    const TABLE: &'static str = "returns";
    const COLUMNS: &'static str =
        "seq, parcel_id, stage, reason, expected, warehouse, outcome, note, announced_at_us, received_at_us, closed_at_us";
    const FACETS: &'static [(&'static str, bool)] = &[("stage", true), ("warehouse", false), ("outcome", false)];
    const BEGAN: &'static str = "began_at_us";

    fn read(db: &Connection, row: &Row) -> Result<Self, QueryError> {
        let parcel: String = row.get(1)?;
        let ask = "SELECT sku, quantity, condition FROM return_items WHERE parcel_id = ?1 ORDER BY item";
        let item = |row: &Row| Ok(ReturnedRow { sku: row.get(0)?, quantity: row.get(1)?, condition: row.get(2)? });
        let items = db.prepare_cached(ask)?.query_map([&parcel], item)?.collect::<Result<_, _>>()?;
        Ok(ReturnRow {
            parcel,
            stage: row.get(2)?,
            reason: row.get(3)?,
            expected: row.get(4)?,
            warehouse: row.get(5)?,
            outcome: row.get(6)?,
            note: row.get(7)?,
            announced_at: time(row.get(8)?),
            received_at: time(row.get(9)?),
            closed_at: time(row.get(10)?),
            items,
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
    /// `chosen`, or what the order is held for since nothing takes it: `no stock`, `no channel`, `oversize`, `forbidden goods`.
    #[schema(example = "chosen")]
    pub outcome: String,
    #[schema(example = "cheapest-with-stock@1")]
    pub rule: String,
    /// How many candidates there were.
    pub weighed: i64,
    pub warehouse: Option<String>,
    pub channel: Option<String>,
    pub cost: Option<Amount>,
    /// All that was weighed: the chosen one first, then those with a price, cheapest first, then those nearest to one.
    /// The version of the site's settings that it was made under.
    pub settings: Option<i64>,
    /// All that was weighed, the chosen one first.
    pub candidates: Vec<CandidateRow>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CandidateRow {
    pub warehouse: String,
    pub channel: Option<String>,
    pub cost: Option<Amount>,
    pub days: Option<i64>,
    /// In words.
    #[schema(example = "dearer by 3.10 USD")]
    pub verdict: String,
    /// Which reason it is.
    #[schema(example = "dearer")]
    pub verdict_kind: String,
    /// What the reason is about, by its kind.
    #[schema(value_type = Object, example = json!({"by": {"amount": "3.10", "currency": "USD"}}))]
    pub parameters: serde_json::Value,
}

impl Listed for DecisionRow {
    const TABLE: &'static str = "decisions";
    const COLUMNS: &'static str = "seq, at_us, order_id, outcome, rule, weighed, warehouse, channel, cost_micro, currency, settings";
    const FACETS: &'static [(&'static str, bool)] = &[("warehouse", false), ("channel", false)];
    const BEGAN: &'static str = "at_us";

    fn read(db: &Connection, row: &Row) -> Result<Self, QueryError> {
        let seq: i64 = row.get(0)?;
        let ask = "SELECT warehouse, channel, cost_micro, currency, days, verdict, verdict_kind, parameters \
             FROM candidates WHERE decision_seq = ?1 ORDER BY place";
        let candidate = |row: &Row| {
            let (warehouse, channel, days, verdict, verdict_kind) = (row.get(0)?, row.get(1)?, row.get(4)?, row.get(5)?, row.get(6)?);
            // Written by this program alone; what cannot be read would be nothing to anybody.
            let parameters = serde_json::from_str(&row.get::<_, String>(7)?).unwrap_or_default();
            Ok(CandidateRow { warehouse, channel, cost: amount(row.get(2)?, row.get(3)?), days, verdict, verdict_kind, parameters })
        };
        let candidates = db.prepare_cached(ask)?.query_map([seq], candidate)?.collect::<Result<_, _>>()?;
        Ok(DecisionRow {
            record: seq as u64,
            at: time(row.get(1)?),
            order: row.get(2)?,
            outcome: row.get(3)?,
            rule: row.get(4)?,
            weighed: row.get(5)?,
            warehouse: row.get(6)?,
            channel: row.get(7)?,
            cost: amount(row.get(8)?, row.get(9)?),
            settings: row.get(10)?,
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

//! Products, maps and sellers as a caller writes them, and what of that cannot be. Fields that are not known are refused.

use actors::catalog::Change;
use serde::Deserialize;
use smol_str::SmolStr;
use twin::goods::{BatteryKind, Facts};
use twin::money::{Currency, Decimal};
use twin::seller::{OWN, SHOPS_MAX, Shop};
use twin::sku_map::{self, Component};
use twin::stock::{self, Counted};
use twin::{Dims, ID_LENGTH_MAX, Money, SellerId, Sku, WarehouseId, product};
use utoipa::ToSchema;

/// The longest name of a seller, in characters.
const SELLER_NAME_MAX: usize = 200;

/// What a product is. Weight and size are of one packed unit, without the shipping carton.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductFacts {
    /// 0: not told. Orders of it are held until it is.
    #[schema(example = 200, maximum = 1_000_000)]
    pub weight_g: u32,
    #[schema(example = 100, minimum = 1, maximum = 10_000)]
    pub length_mm: u32,
    #[schema(example = 80, minimum = 1, maximum = 10_000)]
    pub width_mm: u32,
    #[schema(example = 50, minimum = 1, maximum = 10_000)]
    pub height_mm: u32,
    /// `none`, `contained` (in the device), `packed_with` (beside it) or `alone`.
    #[serde(default)]
    #[schema(value_type = String, example = "contained", default = "none")]
    pub battery: BatteryKind,
    /// Liquids, creams and powders.
    #[serde(default)]
    pub liquid: bool,
    #[serde(default)]
    #[schema(example = "home_kitchen", max_length = 64)]
    pub category: String,
    /// Six to ten digits of the Harmonized System; empty: not told.
    #[serde(default)]
    #[schema(example = "940521", pattern = "^([0-9]{6,10})?$")]
    pub hs_code: String,
    /// The country where it was made, two letters; empty: not told.
    #[serde(default)]
    #[schema(example = "CN", pattern = "^([A-Z]{2})?$")]
    pub origin: String,
    /// What it is in plain words, for customs.
    #[serde(default)]
    #[schema(example = "LED table lamp", max_length = 200)]
    pub description: String,
    /// What one piece is declared at, where that is not its price.
    #[serde(default)]
    pub declared_value: Option<DeclaredValue>,
}

/// An amount with its currency.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclaredValue {
    /// A decimal, as text: a JSON number would be a float.
    #[schema(example = "4.50", pattern = r"^[0-9]{1,10}(\.[0-9]{1,9})?$")]
    pub amount: String,
    /// ISO 4217.
    #[schema(example = "EUR", pattern = "^[A-Z]{3}$")]
    pub currency: String,
}

/// A product of a seller.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductForm {
    /// Whose it is; the house's own where it is left out.
    #[serde(default = "own")]
    #[schema(example = "own", default = "own")]
    pub owner: String,
    #[schema(example = "P-000001", max_length = 64)]
    pub sku: String,
    pub facts: ProductFacts,
}

fn own() -> String {
    OWN.into()
}

/// So many pieces of one SKU of ours.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    #[schema(example = "P-000001", max_length = 64)]
    pub sku: String,
    #[schema(example = 2, minimum = 1, maximum = 1_000)]
    pub quantity: u32,
}

/// What lies in one of a shop's SKU: one piece of ours, or a bundle.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Parts {
    /// 1 to 50, each SKU once.
    pub components: Vec<Part>,
}

/// What a shop's SKU is of ours.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MapForm {
    #[schema(example = "amazon", max_length = 64)]
    pub platform: String,
    #[schema(example = "shop-1", max_length = 64)]
    pub shop: String,
    /// As the platform calls it.
    #[schema(example = "Gift set", max_length = 64)]
    pub sku: String,
    pub components: Vec<Part>,
}

/// So many pieces were counted; an absolute number.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CountForm {
    #[schema(example = "SZX")]
    pub warehouse: String,
    /// Whose they are; the house's own where it is left out.
    #[serde(default = "own")]
    #[schema(example = "own", default = "own")]
    pub owner: String,
    #[schema(example = "P-000001", max_length = 64)]
    pub sku: String,
    #[schema(example = 120)]
    pub on_hand: u32,
}

/// Several counts.
#[derive(ToSchema)]
#[allow(dead_code)]
pub struct Counts {
    #[schema(min_items = 1, max_items = 1_000)]
    pub stock: Vec<CountForm>,
}

/// A seller and their shops.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SellerForm {
    /// As people call them.
    #[schema(example = "Lumen Ltd", max_length = 200)]
    pub name: String,
    pub shops: Vec<ShopForm>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShopForm {
    #[schema(example = "amazon", max_length = 64)]
    pub platform: String,
    #[schema(example = "shop-1", max_length = 64)]
    pub shop: String,
}

/// Several products.
#[derive(ToSchema)]
#[allow(dead_code)] // It stands in the API's description only: each row is read by itself, so that one bad row is one bad row.
pub struct Products {
    #[schema(min_items = 1, max_items = 1_000)]
    pub products: Vec<ProductForm>,
}

/// Several maps.
#[derive(ToSchema)]
#[allow(dead_code)]
pub struct Maps {
    #[schema(min_items = 1, max_items = 1_000)]
    pub maps: Vec<MapForm>,
}

/// A field, and why it cannot be so.
pub type Fault = (String, String);

fn text(field: &str, text: &str) -> Result<SmolStr, Fault> {
    match (1..=ID_LENGTH_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        true => Ok(text.into()),
        false => Err((field.into(), format!("is not one line of 1 to {ID_LENGTH_MAX} characters"))),
    }
}

fn sku(field: &str, text: &str) -> Result<Sku, Fault> {
    match (1..=ID_LENGTH_MAX).contains(&text.len()) && !text.chars().any(char::is_control) {
        true => Ok(Sku::new(text)),
        false => Err((field.into(), format!("is not one line of 1 to {ID_LENGTH_MAX} bytes"))),
    }
}

fn owner(text: &str) -> Result<SellerId, Fault> {
    match twin::is_seller(text) {
        true => Ok(SellerId::new(text)),
        false => Err(("owner".into(), format!("{text:?} must be {} and without :", twin::ID_RULE))),
    }
}

fn shop(platform: &str, shop: &str) -> Result<Shop, Fault> {
    Ok(Shop { platform: text("platform", platform)?, shop: text("shop", shop)? })
}

fn facts(form: ProductFacts) -> Result<Box<Facts>, Fault> {
    let declared = form.declared_value.map(|DeclaredValue { amount, currency }| -> Result<Money, Fault> {
        let fault = |field: &str, why: String| (format!("declared_value.{field}"), why);
        // `parse` takes more than was described.
        let plain = amount.bytes().all(|b| b.is_ascii_digit() || b == b'.') && amount.len() <= 20;
        let parsed = amount.parse::<Decimal>().ok().filter(|_| plain);
        let parsed = parsed.ok_or_else(|| fault("amount", format!("{amount:?} is no decimal amount such as \"7.79\"")))?;
        let currency = Currency::from_code(&currency).ok_or_else(|| fault("currency", format!("{currency:?} is no ISO 4217 code")))?;
        Ok(Money::new(parsed, currency))
    });
    let facts = Facts {
        weight_g: form.weight_g,
        dims: Dims::new(form.length_mm, form.width_mm, form.height_mm),
        battery: form.battery,
        liquid: form.liquid,
        category: form.category.into(),
        hs_code: form.hs_code.into(),
        origin: form.origin.into(),
        description: form.description.into(),
        declared_value: declared.transpose()?,
    };
    match facts.fault() {
        Some((field, why)) => Err((field.into(), why)),
        None => Ok(Box::new(facts)),
    }
}

fn parts(components: Vec<Part>) -> Result<Vec<Component>, Fault> {
    let part = |part: Part| Ok(Component { sku: sku("components.sku", &part.sku)?, quantity: part.quantity });
    let components = components.into_iter().map(part).collect::<Result<Vec<_>, Fault>>()?;
    match sku_map::fault(&components) {
        Some((field, why)) => Err((field.into(), why)),
        None => Ok(components),
    }
}

/// A change of a product, and what it is called.
pub fn product_change(form: ProductForm) -> Result<(String, Change), Fault> {
    let (owner, sku) = (owner(&form.owner)?, sku("sku", &form.sku)?);
    Ok((product::id(&owner, &sku).into(), Change::Product { owner, sku, facts: facts(form.facts)? }))
}

pub fn map_change(form: MapForm) -> Result<(String, Change), Fault> {
    let (shop, sku) = (shop(&form.platform, &form.shop)?, sku("sku", &form.sku)?);
    Ok((sku_map::id(&shop, &sku).into(), Change::Map { shop, sku, components: parts(form.components)? }))
}

/// A count, and what it is of.
pub fn count(form: CountForm) -> Result<(String, Counted), Fault> {
    let row = Counted {
        warehouse: WarehouseId::new(text("warehouse", &form.warehouse)?),
        owner: owner(&form.owner)?,
        sku: sku("sku", &form.sku)?,
        on_hand: form.on_hand,
    };
    Ok((stock::id(&row.warehouse, &row.owner, &row.sku).into(), row))
}

/// A change of a seller, and what it is called.
pub fn seller_change(id: &str, form: SellerForm) -> Result<(String, Change), Fault> {
    let id = owner(id).map_err(|(_, why)| ("id".to_owned(), why))?;
    let length = form.name.chars().count();
    if !(1..=SELLER_NAME_MAX).contains(&length) || form.name.chars().any(char::is_control) {
        return Err(("name".into(), format!("is not one line of 1 to {SELLER_NAME_MAX} characters")));
    }
    if form.shops.len() > SHOPS_MAX {
        return Err(("shops".into(), format!("{} shops; at most {SHOPS_MAX} are accepted", form.shops.len())));
    }
    let shops = form.shops.iter().map(|s| shop(&s.platform, &s.shop)).collect::<Result<_, _>>()?;
    Ok((id.to_string(), Change::Seller { id, name: form.name.into(), shops }))
}

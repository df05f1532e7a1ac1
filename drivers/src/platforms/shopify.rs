//! Orders as Shopify's Admin REST API gives them: `{"orders": […]}` of `orders.json`, or `{"order": {…}}` of one.
//!
//! What is cancelled, a test, or has nothing left to ship is skipped with its reason. Everything else comes through, unpaid and
//! badly addressed orders too: they are held by the order desk, where a person sees them. Never talks to Shopify itself.

use super::csv::Catalogue;
use super::json::{BadJson, Node};
use super::{JSON_BYTES_MAX, Limited, quoted};
use serde_json::Value;
use smol_str::{SmolStr, format_smolstr};
use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use twin::goods::Product;
use twin::money::Currency;
use twin::order::{NewLine, NewOrder};
use twin::{Address, Dims, Grams, Moment, Money, OrderId, Sku};

/// The most orders of one document. Shopify itself gives 250 a page.
pub const ORDERS_MAX: usize = 100_000;
/// The size taken for goods of which only the weight is known: a small box, 1.5 litres.
pub const DEFAULT_DIMS: Dims = Dims::new(200, 150, 50);
/// The weight taken for goods whose weight is missing or 0, which is what Shopify says when nobody filled it in: as much as
/// [`DEFAULT_DIMS`] weighs by volume at the divisor 6000.
pub const DEFAULT_WEIGHT_G: Grams = 250;
/// The shop's name where neither the caller nor the order gives one.
const SHOP_UNKNOWN: &str = "shopify";

/// What a document said.
#[derive(Clone, Debug, Default)]
pub struct ShopifyOrders {
    pub orders: Vec<NewOrder>,
    pub skipped: Vec<Skipped>,
    /// One per line that is to be shipped, in the order of the document.
    pub lines: Vec<LineGoods>,
}

/// An order that is not to be shipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    pub order: OrderId,
    pub why: SmolStr,
}

/// What an order line says about its goods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineGoods {
    pub sku: Sku,
    /// Of one piece; 0 where nobody filled it in.
    pub weight_g: Grams,
}

/// A catalogue made of nothing but order lines, so that orders can be run before there is a product master: the heaviest weight
/// that any line gives for the SKU ([`DEFAULT_WEIGHT_G`] if none does), [`DEFAULT_DIMS`], no battery. Good enough to try rules,
/// not to rely on its freight.
pub fn catalogue_from_lines(lines: &[LineGoods]) -> Catalogue {
    let mut products: BTreeMap<Sku, Product> = BTreeMap::new();
    for line in lines {
        let new = || Product { sku: line.sku.clone(), category: "unknown".into(), weight_g: 0, dims: DEFAULT_DIMS, battery: false };
        let product = products.entry(line.sku.clone()).or_insert_with(new);
        product.weight_g = product.weight_g.max(line.weight_g);
    }
    for product in products.values_mut().filter(|p| p.weight_g == 0) {
        product.weight_g = DEFAULT_WEIGHT_G;
    }
    Catalogue { products }
}

/// Reads a document. `name` stands in errors. `shop` is the account's name, the part before `.myshopify.com`; without it the shop is
/// taken from each order's `order_status_url`, if that is at `myshopify.com`.
///
/// An order's id is `SHO-<shop>-<name without #>`, as order names are unique only within a shop; `SHO-<name>` where the shop is
/// unknown. An order whose name has other characters than letters, digits, `.`, `_` and `-` goes by Shopify's number for it.
pub fn read_orders(name: &str, reader: impl Read, shop: Option<&str>) -> Result<ShopifyOrders, BadJson> {
    let mut text = Vec::new();
    let broken = |value: String, expected: &str| BadJson { file: name.into(), path: "document".into(), value, expected: expected.into() };
    let mut reader = Limited::new(reader, JSON_BYTES_MAX);
    reader.read_to_end(&mut text).map_err(|e| broken(e.to_string(), "a readable file"))?;
    let document: Value = serde_json::from_slice(&text).map_err(|e| broken(quoted(&e.to_string()), "well-formed JSON"))?;
    let top = Node::top(name, &document);
    let mut out = ShopifyOrders::default();
    let mut seen = HashSet::new();
    let (many, one) = (top.get("orders"), top.get("order"));
    if !one.is_null() {
        read_order(&one, shop, &mut seen, &mut out)?;
    } else if many.is_null() {
        return Err(top.bad("an object with \"orders\" or \"order\""));
    }
    for (n, order) in many.items()?.enumerate() {
        if n >= ORDERS_MAX {
            return Err(order.bad(format!("at most {ORDERS_MAX} orders: split the file")));
        }
        read_order(&order, shop, &mut seen, &mut out)?;
    }
    Ok(out)
}

fn read_order(order: &Node<'_>, shop: Option<&str>, seen: &mut HashSet<OrderId>, out: &mut ShopifyOrders) -> Result<(), BadJson> {
    let shop = match shop {
        Some(shop) => Some(SmolStr::new(shop)),
        None => shop_of(order)?,
    };
    let id = order_id(order, shop.as_deref())?;
    let lines = lines(order)?;
    let why = if !order.get("cancelled_at").is_null() {
        let reason = order.get("cancel_reason").text()?.unwrap_or_else(|| "no reason given".into());
        Some(format_smolstr!("cancelled: {reason}"))
    } else if order.get("test").flag()? == Some(true) {
        Some("a test order".into())
    } else if lines.is_empty() {
        Some("nothing left to ship".into())
    } else if !seen.insert(id.clone()) {
        Some("stands in the document already".into())
    } else {
        None
    };
    if let Some(why) = why {
        out.skipped.push(Skipped { order: id, why });
        return Ok(());
    }
    let (lines, goods): (Vec<NewLine>, Vec<LineGoods>) = lines.into_iter().unzip();
    let new = NewOrder {
        id,
        platform: "shopify".into(),
        shop: shop.unwrap_or_else(|| SHOP_UNKNOWN.into()),
        placed_at: placed_at(order)?,
        ship_to: ship_to(order)?,
        lines,
        paid: is_paid(order)?,
        held: None,
    };
    if let Some((field, why)) = new.fault() {
        let (path, value) = (format!("{} ({field})", order.path()), new.id.to_string());
        return Err(BadJson { path, value, ..order.bad(format!("an order that can be taken, but: {why}")) });
    }
    out.orders.push(new);
    out.lines.extend(goods);
    Ok(())
}

/// `apple` of `https://apple.myshopify.com/…`. A shop's own domain says nothing.
fn shop_of(order: &Node<'_>) -> Result<Option<SmolStr>, BadJson> {
    let url = order.get("order_status_url").text()?;
    let host = url.as_deref().and_then(|u| u.strip_prefix("https://")).and_then(|u| u.split('/').next());
    Ok(host.and_then(|h| h.strip_suffix(".myshopify.com")).filter(|s| is_plain(s)).map(SmolStr::new))
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn order_id(order: &Node<'_>, shop: Option<&str>) -> Result<OrderId, BadJson> {
    let name = order.get("name").text_or_empty()?;
    let name = match name.trim_start_matches('#') {
        plain if is_plain(plain) => SmolStr::new(plain),
        _ => order.get("id").text()?.ok_or_else(|| order.get("id").bad("Shopify's number of the order"))?,
    };
    Ok(OrderId::from(match shop {
        Some(shop) => format_smolstr!("SHO-{shop}-{name}"),
        None => format_smolstr!("SHO-{name}"),
    }))
}

/// When the buyer bought: `processed_at`, which for imported orders is earlier than `created_at`, the record's own time.
fn placed_at(order: &Node<'_>) -> Result<Moment, BadJson> {
    let processed = order.get("processed_at");
    let at = if processed.is_null() { order.get("created_at") } else { processed };
    let moment = at.text()?.and_then(|text| text.parse().ok());
    moment.ok_or_else(|| at.bad("a time with its offset such as \"2026-01-10T11:00:00-05:00\""))
}

/// Paid is what has been captured: `paid`, and `partially_refunded`, which was paid before a part went back. `authorized` money is only
/// promised, `partially_paid` is not enough, and after `refunded` or `voided` nothing is owed: all these, and any word that
/// Shopify may add, wait for a person.
fn is_paid(order: &Node<'_>) -> Result<bool, BadJson> {
    Ok(matches!(order.get("financial_status").text()?.as_deref(), Some("paid" | "partially_refunded")))
}

/// The shipping address, or else the billing address, or else an empty one, with which the order will be held.
fn ship_to(order: &Node<'_>) -> Result<Address, BadJson> {
    let (shipping, billing) = (order.get("shipping_address"), order.get("billing_address"));
    let from = if shipping.is_null() { billing } else { shipping };
    let text = |key| from.get(key).text_or_empty();
    let first_of = |keys: [&'static str; 2]| from.get(keys[0]).text()?.map_or_else(|| text(keys[1]), Ok);
    let joined = |keys: [&'static str; 2], between: &str| {
        let parts = [text(keys[0])?, text(keys[1])?];
        Ok::<_, BadJson>(SmolStr::from(parts.iter().filter(|p| !p.is_empty()).map(SmolStr::as_str).collect::<Vec<_>>().join(between)))
    };
    let name = match text("name")? {
        name if name.is_empty() => joined(["first_name", "last_name"], " ")?,
        name => name,
    };
    Ok(Address {
        name: if name.is_empty() { text("company")? } else { name },
        street: joined(["address1", "address2"], ", ")?,
        city: text("city")?,
        region: first_of(["province_code", "province"])?,
        postcode: text("zip")?,
        country: SmolStr::new(first_of(["country_code", "country"])?.to_ascii_uppercase()),
        ..Address::default()
    })
}

/// The lines that are still to be shipped, with what they say about their goods.
fn lines(order: &Node<'_>) -> Result<Vec<(NewLine, LineGoods)>, BadJson> {
    let mut out = Vec::new();
    let items = order.get("line_items");
    for item in items.items()? {
        let virtual_goods = item.get("requires_shipping").flag()? == Some(false) || item.get("gift_card").flag()? == Some(true);
        let quantity = to_ship(&item)?;
        if virtual_goods || quantity == 0 {
            continue;
        }
        let currency = order.get("currency");
        let currency =
            currency.text()?.and_then(|c| Currency::from_code(&c)).ok_or_else(|| currency.bad("an ISO 4217 code such as \"USD\""))?;
        let sku = Sku::from(sku(&item)?);
        let weight_g = item.get("grams").whole()?.unwrap_or(0);
        let unit_price = Money::new(item.get("price").decimal()?, currency);
        out.push((NewLine { sku: sku.clone(), quantity, unit_price }, LineGoods { sku, weight_g }));
    }
    Ok(out)
}

/// `fulfillable_quantity` is what was neither shipped nor taken back; older documents lack it and say only that a line is done.
fn to_ship(item: &Node<'_>) -> Result<u32, BadJson> {
    if let Some(quantity) = item.get("fulfillable_quantity").whole()? {
        return Ok(quantity);
    }
    if item.get("fulfillment_status").text()?.as_deref() == Some("fulfilled") {
        return Ok(0);
    }
    item.get("quantity").whole()?.ok_or_else(|| item.get("quantity").bad("the number of pieces"))
}

/// The SKU, or else the variant's or the product's number: shops without SKUs know their goods by these.
fn sku(item: &Node<'_>) -> Result<SmolStr, BadJson> {
    for key in ["sku", "variant_id", "product_id"] {
        if let Some(text) = item.get(key).text()? {
            if text.len() > twin::id::ID_LENGTH_MAX {
                return Err(item.get(key).bad(format!("at most {} bytes", twin::id::ID_LENGTH_MAX)));
            }
            return Ok(text);
        }
    }
    Err(item.get("sku").bad("a SKU, or a variant_id or product_id in its place"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::path::Path;

    /// One order that can be shipped, with what a test changes in it.
    fn order(changes: Value) -> Value {
        let mut order = json!({
            "id": 4001, "name": "#1001", "created_at": "2026-01-10T11:00:00-05:00", "currency": "USD", "financial_status": "paid",
            "line_items": [{ "sku": "MUG", "variant_id": 71, "quantity": 2, "price": "12.50", "grams": 340, "requires_shipping": true }],
            "shipping_address": {
                "name": "Ann Lee", "address1": "5 Elm Street", "address2": "Flat 2", "city": "Portland", "province_code": "OR",
                "zip": "97201", "country_code": "US"
            }
        });
        for (key, value) in changes.as_object().unwrap() {
            order[key] = value.clone();
        }
        order
    }

    fn read(order: Value) -> Result<ShopifyOrders, BadJson> {
        read_orders("page.json", json!({ "orders": [order] }).to_string().as_bytes(), None)
    }

    fn taken(changes: Value) -> NewOrder {
        read(order(changes)).unwrap().orders.remove(0)
    }

    #[test]
    fn an_order_is_mapped() {
        let new = taken(json!({ "processed_at": "2026-01-09T11:00:00-05:00" }));
        assert_eq!((new.id.as_str(), new.platform.as_str(), new.shop.as_str(), new.paid), ("SHO-1001", "shopify", "shopify", true));
        assert_eq!(new.placed_at.to_string(), "2026-01-09T16:00:00Z");
        assert_eq!(new.ship_to.street, "5 Elm Street, Flat 2");
        assert_eq!((new.lines[0].quantity, new.lines[0].unit_price.to_string()), (2, "12.50 USD".into()));
        assert_eq!(new.ship_to.fault(), None);
    }

    #[test]
    fn two_shops_do_not_collide() {
        assert_eq!(taken(json!({ "order_status_url": "https://mugs.myshopify.com/1/orders/x" })).id.as_str(), "SHO-mugs-1001");
        assert_eq!(taken(json!({ "order_status_url": "https://mugs.example/1/orders/x" })).id.as_str(), "SHO-1001");
        assert_eq!(taken(json!({ "name": "#EU/1001" })).id.as_str(), "SHO-4001");
        let text = json!({ "order": order(json!({})) }).to_string();
        let one = read_orders("one.json", text.as_bytes(), Some("cups")).unwrap();
        assert_eq!((one.orders[0].id.as_str(), one.orders[0].shop.as_str()), ("SHO-cups-1001", "cups"));
    }

    #[test]
    fn only_captured_money_is_paid() {
        for (status, paid) in [("paid", true), ("partially_refunded", true), ("authorized", false), ("pending", false), ("refunded", false)]
        {
            assert_eq!(taken(json!({ "financial_status": status })).paid, paid, "{status}");
        }
        assert!(!taken(json!({ "financial_status": null })).paid);
    }

    #[test]
    fn what_is_not_to_be_shipped_is_skipped_with_its_reason() {
        let why = |changes| read(order(changes)).unwrap().skipped.remove(0).why;
        assert_eq!(why(json!({ "cancelled_at": "2026-01-11T00:00:00Z", "cancel_reason": "customer" })), "cancelled: customer");
        assert_eq!(why(json!({ "test": true })), "a test order");
        assert_eq!(
            why(json!({ "line_items": [{ "sku": "A", "quantity": 1, "price": "1", "requires_shipping": false }] })),
            "nothing left to ship"
        );
        assert_eq!(why(json!({ "line_items": [{ "sku": "A", "quantity": 1, "price": "1", "gift_card": true }] })), "nothing left to ship");
        assert_eq!(
            why(json!({ "line_items": [{ "sku": "A", "quantity": 1, "price": "1", "fulfillable_quantity": 0 }] })),
            "nothing left to ship"
        );
        let twice = json!({ "orders": [order(json!({})), order(json!({}))] }).to_string();
        let twice = read_orders("page.json", twice.as_bytes(), None).unwrap();
        assert_eq!((twice.orders.len(), twice.skipped[0].why.as_str()), (1, "stands in the document already"));
    }

    #[test]
    fn a_missing_address_leaves_a_fault_that_holds_the_order() {
        let billing =
            json!({ "first_name": "Bo", "last_name": "Li", "address1": "1 Oak", "city": "Leeds", "zip": "LS1 4AP", "country_code": "gb" });
        let new = taken(json!({ "shipping_address": null, "billing_address": billing }));
        assert_eq!((new.ship_to.name.as_str(), new.ship_to.country.as_str(), new.ship_to.fault()), ("Bo Li", "GB", None));
        assert_eq!(taken(json!({ "shipping_address": null })).ship_to.fault().unwrap(), "country \"\" is not an ISO 3166 two-letter code");
    }

    #[test]
    fn goods_without_sku_or_weight_still_make_a_catalogue() {
        let items = json!([
            { "sku": "", "variant_id": 71, "product_id": 8, "quantity": 1, "price": "1.00", "grams": 0 },
            { "sku": null, "product_id": 8, "quantity": 3, "fulfillable_quantity": 2, "price": 1.5, "grams": 90 },
            { "sku": "8", "quantity": 1, "price": "1.00", "grams": 80 }
        ]);
        let said = read(order(json!({ "line_items": items }))).unwrap();
        assert_eq!(said.orders[0].lines.iter().map(|l| (l.sku.as_str(), l.quantity)).collect::<Vec<_>>(), [("71", 1), ("8", 2), ("8", 1)]);
        let products = catalogue_from_lines(&said.lines).products;
        assert_eq!((products[&"71".into()].weight_g, products[&"8".into()].weight_g), (DEFAULT_WEIGHT_G, 90));
        assert_eq!(products[&"8".into()].dims, DEFAULT_DIMS);
    }

    #[test]
    fn a_bad_document_is_told_where_and_what() {
        let told = |changes| read(order(changes)).unwrap_err().to_string();
        assert_eq!(
            told(json!({ "line_items": [{ "sku": "A", "quantity": 1, "price": "12,50" }] })),
            "page.json: orders[0].line_items[0].price is \"12,50\"; expected a decimal amount such as \"199.00\""
        );
        assert_eq!(
            told(json!({ "currency": "US$" })),
            "page.json: orders[0].currency is \"US$\"; expected an ISO 4217 code such as \"USD\""
        );
        assert_eq!(
            told(json!({ "created_at": "yesterday" })),
            "page.json: orders[0].created_at is \"yesterday\"; expected a time with its offset such as \"2026-01-10T11:00:00-05:00\""
        );
        assert_eq!(
            told(json!({ "line_items": [{ "quantity": 1, "price": "1" }] })),
            "page.json: orders[0].line_items[0].sku is null; expected a SKU, or a variant_id or product_id in its place"
        );
        assert_eq!(
            told(json!({ "line_items": [{ "sku": "A", "quantity": 1, "price": "-1" }] })),
            "page.json: orders[0] (lines.unit_price) is SHO-1001; expected an order that can be taken, but: -1 USD for A is negative"
        );
        assert_eq!(told(json!({ "line_items": "none" })), "page.json: orders[0].line_items is \"none\"; expected a list");
        let told = |text: &str| read_orders("page.json", text.as_bytes(), None).unwrap_err().to_string();
        assert_eq!(told("{"), "page.json: document is EOF while parsing an object at line 1 column 1; expected well-formed JSON");
        assert_eq!(told("[1]"), "page.json: document is [1]; expected an object with \"orders\" or \"order\"");
    }

    #[test]
    fn documents_of_the_real_shape_are_read() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/platforms/shopify");
        if !dir.join("order.json").exists() {
            println!("skipped documents_of_the_real_shape_are_read: no ../shared/data/platforms/shopify");
            return;
        }
        let one = crate::platforms::read_order_file(&dir.join("order.json")).unwrap();
        let new = &one.orders[0];
        assert_eq!((new.id.as_str(), new.lines.len(), new.paid, new.ship_to.fault()), ("SHO-1001", 3, false, None));
        assert!(one.catalogue_or_derived().products.values().all(|p| p.weight_g == 200));
        // This excerpt's order was cut short: it has no lines.
        let page = crate::platforms::read_order_file(&dir.join("orders.json")).unwrap();
        assert_eq!(
            (page.orders.len(), page.skipped[0].order.as_str(), page.skipped[0].why.as_str()),
            (0, "SHO-apple-1001", "nothing left to ship")
        );
    }
}

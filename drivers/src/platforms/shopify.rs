//! Orders as Shopify's Admin REST API gives them: `{"orders": […]}` of `orders.json`, or `{"order": {…}}` of one.
//!
//! What is cancelled, a test, has nothing left to ship or cannot be read is skipped with its reason, and never stops the others.
//! Everything else comes through, unpaid and badly addressed orders too, and such as are to be picked up: they are held by the
//! order desk, where a person sees them. Never talks to Shopify itself.

use super::goods::ProductRow;
use super::json::{self, BadJson, Node};
use super::shopify_lines::lines;
use super::{JSON_BYTES_MAX, Limited, quoted};
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use std::collections::BTreeMap;
use std::io::Read;
use twin::goods::Facts;
use twin::new_order::Terms;
use twin::seller::OWN;
use twin::{Address, Dims, Grams, Moment, NewLine, NewOrder, SellerId, Sku};

/// The most orders of one document. Shopify itself gives 250 a page.
pub const ORDERS_MAX: usize = 100_000;
/// The size taken for goods of which only the weight is known: a small box, 1.5 litres.
pub const DEFAULT_DIMS: Dims = Dims::new(200, 150, 50);
/// The weight taken for goods whose weight is missing or 0, which is what Shopify says when nobody filled it in: as much as
/// [`DEFAULT_DIMS`] weighs by volume at the divisor 6000.
pub const DEFAULT_WEIGHT_G: Grams = 250;
/// The shop's name where neither the caller nor the order gives one.
const SHOP_UNKNOWN: &str = "shopify";

/// How the reason begins where an order could not be read.
pub(super) const UNREADABLE: &str = "cannot be read";

/// What a document said.
#[derive(Clone, Debug, Default)]
pub struct ShopifyOrders {
    pub orders: Vec<NewOrder>,
    pub skipped: Vec<Skipped>,
    /// One per line that is to be shipped, in the order of the document.
    pub lines: Vec<LineGoods>,
}

/// An order, or a part of one, that is not to be shipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Where not even that could be read: its place in the document, `orders[3]`.
    pub order: SmolStr,
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
pub fn catalogue_from_lines(lines: &[LineGoods]) -> Vec<ProductRow> {
    let mut products: BTreeMap<Sku, ProductRow> = BTreeMap::new();
    for line in lines {
        let facts = || Facts { category: "unknown".into(), dims: DEFAULT_DIMS, ..Facts::default() };
        let product = products.entry(line.sku.clone()).or_insert_with(|| ProductRow {
            owner: SellerId::new(OWN),
            sku: line.sku.clone(),
            facts: facts(),
        });
        product.facts.weight_g = product.facts.weight_g.max(line.weight_g);
    }
    for product in products.values_mut().filter(|p| p.facts.weight_g == 0) {
        product.facts.weight_g = DEFAULT_WEIGHT_G;
    }
    products.into_values().collect()
}

/// Reads a document. `name` stands in errors. `shop` is the account's name, the part before `.myshopify.com`; without it the shop is
/// taken from each order's `order_status_url`, if that is at `myshopify.com`.
///
/// An order's number is its name without `#`, as people call it. An order whose name has other characters than letters, digits, `.`, `_` and `-` goes by Shopify's number for it, and
/// of two with one name and two numbers the second by both.
pub fn read_orders(name: &str, reader: impl Read, shop: Option<&str>) -> Result<ShopifyOrders, BadJson> {
    let mut text = Vec::new();
    let broken = |value: String, expected: &str| BadJson { file: name.into(), path: "document".into(), value, expected: expected.into() };
    let mut reader = Limited::new(reader, JSON_BYTES_MAX);
    reader.read_to_end(&mut text).map_err(|e| broken(e.to_string(), "a readable file"))?;
    let document = json::parse(&text).map_err(|e| broken(quoted(&e.to_string()), "well-formed JSON"))?;
    let top = Node::top(name, &document);
    let mut out = ShopifyOrders::default();
    let mut seen = Seen::default();
    let (many, one) = (top.get("orders"), top.get("order"));
    if !one.is_null() {
        read_order(&one, shop, &mut seen, &mut out);
    } else if many.is_null() {
        return Err(top.bad("an object with \"orders\" or \"order\""));
    }
    for (n, order) in many.items()?.enumerate() {
        if n >= ORDERS_MAX {
            return Err(order.bad(format!("at most {ORDERS_MAX} orders: split the file")));
        }
        read_order(&order, shop, &mut seen, &mut out);
    }
    Ok(out)
}

/// The orders of a document by the shop and the name that they share, with Shopify's numbers for them.
#[derive(Default)]
pub(super) struct Seen(BTreeMap<(SmolStr, SmolStr), Vec<SmolStr>>);

impl Seen {
    /// What an order of that name and number goes by; `None` for one that stands there already.
    pub fn number(&mut self, shop: &str, by_name: SmolStr, number: SmolStr) -> Option<SmolStr> {
        let numbers = self.0.entry((shop.into(), by_name.clone())).or_default();
        if numbers.contains(&number) {
            return None;
        }
        numbers.push(number.clone());
        Some(if numbers.len() == 1 { by_name } else { format_smolstr!("{by_name}-{number}") })
    }
}

/// One order that cannot be read is one order that is skipped.
fn read_order(order: &Node<'_>, shop: Option<&str>, seen: &mut Seen, out: &mut ShopifyOrders) {
    let told = shop.map(SmolStr::new).map_or_else(|| shop_of(order), |shop| Ok(Some(shop)));
    let number = order_number(order);
    let taken = told.and_then(|shop| take(order, shop, seen));
    let by_name = || number.unwrap_or_else(|_| order.path().to_smolstr());
    match taken {
        Ok(Taken { order: Ok((order, goods)), elsewhere }) => {
            out.skipped.extend(elsewhere.into_iter().map(|why| Skipped { order: order.number.clone(), why }));
            out.orders.push(*order);
            out.lines.extend(goods);
        }
        Ok(Taken { order: Err(why), .. }) => out.skipped.push(Skipped { order: by_name(), why }),
        Err(bad) => out.skipped.push(Skipped { order: by_name(), why: format_smolstr!("{UNREADABLE}: {bad}") }),
    }
}

struct Taken {
    /// The order with its goods, or why it is not to be shipped.
    order: Result<(Box<NewOrder>, Vec<LineGoods>), SmolStr>,
    elsewhere: Vec<SmolStr>,
}

fn take(order: &Node<'_>, shop: Option<SmolStr>, seen: &mut Seen) -> Result<Taken, BadJson> {
    let not = |why: SmolStr| Ok(Taken { order: Err(why), elsewhere: Vec::new() });
    // Before anything else of it is read: nobody needs it to be readable.
    if !order.get("cancelled_at").is_null() {
        let reason = order.get("cancel_reason").text().unwrap_or_default().unwrap_or_else(|| "no reason given".into());
        return not(format_smolstr!("cancelled: {reason}"));
    }
    if order.get("test").flag()? == Some(true) {
        return not("a test order".into());
    }
    let by_name = order_number(order)?;
    let Some(number) = seen.number(shop.as_deref().unwrap_or_default(), by_name, order.get("id").text_or_empty()?) else {
        return not("stands in the document already".into());
    };
    let lines = lines(order)?;
    if lines.lines.is_empty() {
        let elsewhere = lines.elsewhere.join(", ");
        return not(if elsewhere.is_empty() {
            "nothing left to ship".into()
        } else {
            format_smolstr!("nothing left to ship: {elsewhere}")
        });
    }
    let held = pickup(order)?.or(lines.held);
    let (lines_to_ship, goods): (Vec<NewLine>, Vec<LineGoods>) = lines.lines.into_iter().unzip();
    let new = NewOrder {
        number,
        platform: "shopify".into(),
        shop: shop.unwrap_or_else(|| SHOP_UNKNOWN.into()),
        placed_at: placed_at(order)?,
        ship_to: ship_to(order)?,
        lines: lines_to_ship,
        paid: is_paid(order)?,
        held,
        updated_at: time(&order.get("updated_at"))?,
        terms: Terms { service: service(order)?, ..Terms::default() },
        gift_note: SmolStr::default(),
    };
    if let Some((field, why)) = new.fault() {
        let (path, value) = (format!("{} ({field})", order.path()), new.number.to_string());
        return Err(BadJson { path, value, ..order.bad(format!("an order that can be taken, but: {why}")) });
    }
    Ok(Taken { order: Ok((Box::new(new), goods)), elsewhere: lines.elsewhere })
}

/// Why nobody may send it: the buyer comes for it, or it does not say where to. Where the bill went is not where the goods go.
fn pickup(order: &Node<'_>) -> Result<Option<SmolStr>, BadJson> {
    let shipping = order.get("shipping_lines");
    for line in shipping.items()? {
        for key in ["title", "code", "delivery_category", "source"] {
            let text = line.get(key).text_or_empty()?;
            if is_pickup(&text) {
                return Ok(Some(format_smolstr!("it is picked up: {text}")));
            }
        }
    }
    let missing = order.get("shipping_address").is_null();
    Ok(missing.then(|| "it has no shipping address: it is picked up, or a person must ask where to".into()))
}

/// `Local Pickup`, `pick up in store`, `in-store pick-up`.
pub(super) fn is_pickup(text: &str) -> bool {
    let letters: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    letters.contains("pickup")
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

fn order_number(order: &Node<'_>) -> Result<SmolStr, BadJson> {
    let (name, number) = (order.get("name").text_or_empty()?, order.get("id").text()?);
    number_of(&name, number).ok_or_else(|| order.get("id").bad("Shopify's number of the order"))
}

/// The name without its `#`; Shopify's number where the name is no plain one. `None` without either.
pub(super) fn number_of(name: &str, number: Option<SmolStr>) -> Option<SmolStr> {
    match name.trim_start_matches('#') {
        plain if is_plain(plain) => Some(SmolStr::new(plain)),
        _ => number,
    }
}

/// The shipping that the buyer paid for, as the shop calls it.
fn service(order: &Node<'_>) -> Result<SmolStr, BadJson> {
    let shipping = order.get("shipping_lines");
    let titles = shipping.items()?.map(|line| line.get("title").text_or_empty()).collect::<Result<Vec<_>, _>>()?;
    Ok(titles.join(", ").into())
}

fn time(at: &Node<'_>) -> Result<Option<Moment>, BadJson> {
    let Some(text) = at.text()? else { return Ok(None) };
    text.parse().map(Some).map_err(|_| at.bad("a time with its offset such as \"2026-01-10T11:00:00-05:00\""))
}

/// When the buyer bought: `processed_at`, which for imported orders is earlier than `created_at`, the record's own time.
fn placed_at(order: &Node<'_>) -> Result<Moment, BadJson> {
    let processed = order.get("processed_at");
    let at = if processed.is_null() { order.get("created_at") } else { processed };
    time(&at)?.ok_or_else(|| at.bad("a time with its offset such as \"2026-01-10T11:00:00-05:00\""))
}

fn is_paid(order: &Node<'_>) -> Result<bool, BadJson> {
    Ok(is_paid_as(&order.get("financial_status").text_or_empty()?))
}

/// Paid is what has been captured: `paid`, and `partially_refunded`, which was paid before a part went back. `authorized` money is only
/// promised, `partially_paid` is not enough, and after `refunded` or `voided` nothing is owed: all these, and any word that
/// Shopify may add, wait for a person.
pub(super) fn is_paid_as(status: &str) -> bool {
    matches!(status, "paid" | "partially_refunded")
}

/// The shipping address, or else an empty one, with which the order will be held.
fn ship_to(order: &Node<'_>) -> Result<Address, BadJson> {
    let shipping = order.get("shipping_address");
    let text = |key| shipping.get(key).text_or_empty();
    let first_of = |keys: [&'static str; 2]| shipping.get(keys[0]).text()?.map_or_else(|| text(keys[1]), Ok);
    let company = text("company")?;
    let name = match text("name")? {
        name if name.is_empty() => {
            let parts = [text("first_name")?, text("last_name")?];
            SmolStr::from(parts.iter().filter(|p| !p.is_empty()).map(SmolStr::as_str).collect::<Vec<_>>().join(" "))
        }
        name => name,
    };
    Ok(Address {
        name: if name.is_empty() { company.clone() } else { name },
        company,
        street: text("address1")?,
        street2: text("address2")?,
        city: text("city")?,
        region: first_of(["province_code", "province"])?,
        postcode: text("zip")?,
        country: SmolStr::new(first_of(["country_code", "country"])?.to_ascii_uppercase()),
        phone: text("phone")?,
        email: order.get("email").text_or_empty()?,
        ..Address::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
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
        assert_eq!((new.number.as_str(), new.platform.as_str(), new.shop.as_str(), new.paid), ("1001", "shopify", "shopify", true));
        assert_eq!(new.placed_at.to_string(), "2026-01-09T16:00:00Z");
        assert_eq!((new.ship_to.street.as_str(), new.ship_to.street2.as_str(), new.held), ("5 Elm Street", "Flat 2", None));
        assert_eq!((new.lines[0].quantity, new.lines[0].unit_price.to_string()), (2, "12.50 USD".into()));
    }

    #[test]
    fn two_shops_do_not_collide() {
        assert_eq!(taken(json!({ "order_status_url": "https://mugs.myshopify.com/1/orders/x" })).number.as_str(), "1001");
        assert_eq!(taken(json!({ "order_status_url": "https://mugs.example/1/orders/x" })).number.as_str(), "1001");
        assert_eq!(taken(json!({ "name": "#EU/1001" })).number.as_str(), "4001");
        let text = json!({ "order": order(json!({})) }).to_string();
        let one = read_orders("one.json", text.as_bytes(), Some("cups")).unwrap();
        assert_eq!((one.orders[0].number.as_str(), one.orders[0].shop.as_str()), ("1001", "cups"));
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
    fn what_is_picked_up_is_held_and_never_sent_to_where_the_bill_went() {
        let billing =
            json!({ "first_name": "Bo", "last_name": "Li", "address1": "1 Oak", "city": "Leeds", "zip": "LS1 4AP", "country_code": "gb" });
        let new = taken(json!({ "shipping_address": null, "billing_address": billing }));
        assert_eq!(
            (new.ship_to, new.held.unwrap().as_str()),
            (Address::default(), "it has no shipping address: it is picked up, or a person must ask where to")
        );
        for title in ["Local Pickup", "Pick up in store", "In-store pick-up"] {
            let new = taken(json!({ "shipping_lines": [{ "title": title, "code": "X", "price": "0.00" }] }));
            assert_eq!(new.held.unwrap(), format!("it is picked up: {title}"));
        }
        assert_eq!(taken(json!({ "shipping_lines": [{ "title": "Standard", "code": "Standard" }] })).held, None);
    }

    #[test]
    fn a_cancelled_order_need_not_be_readable() {
        let said =
            read(order(json!({ "cancelled_at": "2026-01-11T00:00:00Z", "line_items": "none", "currency": 7, "name": null, "id": null })))
                .unwrap();
        assert_eq!((said.skipped[0].order.as_str(), said.skipped[0].why.as_str()), ("orders[0]", "cancelled: no reason given"));
    }

    #[test]
    fn orders_of_one_name_and_two_numbers_are_two() {
        let page = |orders: Value| read_orders("page.json", json!({ "orders": orders }).to_string().as_bytes(), None).unwrap();
        let said = page(json!([order(json!({})), order(json!({ "id": 4002 })), order(json!({}))]));
        assert_eq!(said.orders.iter().map(|o| o.number.as_str()).collect::<Vec<_>>(), ["1001", "1001-4002"]);
        assert_eq!((said.skipped.len(), said.skipped[0].why.as_str()), (1, "stands in the document already"));
    }

    #[test]
    fn numbers_beyond_64_bits_keep_every_digit() {
        let text = json!({ "orders": [order(json!({ "name": "n° 1" }))] }).to_string();
        let big = "123456789012345678901234567890";
        let text = text.replace("\"id\":4001", &format!("\"id\":{big}")).replace("\"variant_id\":71", &format!("\"variant_id\": {big}"));
        let text = text.replace("\"sku\":\"MUG\"", "\"sku\":null");
        let said = read_orders("page.json", text.as_bytes(), None).unwrap();
        assert_eq!(said.orders[0].number.as_str(), big.to_string());
        assert_eq!(said.orders[0].lines[0].sku.as_str(), big);
    }

    #[test]
    fn what_was_sent_taken_back_or_is_sent_by_others_is_left_out() {
        let items = |changes: Value| {
            let mut item = json!({ "id": 1, "sku": "A", "quantity": 5, "price": "1.00" });
            changes.as_object().unwrap().iter().for_each(|(key, value)| item[key] = value.clone());
            json!([item, { "id": 2, "sku": "B", "quantity": 1, "price": "1.00" }])
        };
        let left = |changes: Value| {
            let lines = taken(changes).lines;
            lines.iter().filter(|l| l.sku.as_str() == "A").map(|l| l.quantity).sum::<u32>()
        };
        assert_eq!(left(json!({ "line_items": items(json!({ "current_quantity": 3 })) })), 3);
        assert_eq!(left(json!({ "line_items": items(json!({ "current_quantity": 3, "fulfillable_quantity": 2 })) })), 2);
        let refunds = json!([{ "refund_line_items": [{ "line_item_id": 1, "quantity": 2, "restock_type": "cancel" }, { "line_item_id": 1, "quantity": 1, "restock_type": "return" }] }]);
        assert_eq!(left(json!({ "line_items": items(json!({})), "refunds": refunds })), 3);
        let fulfillments = json!([{ "status": "success", "line_items": [{ "id": 1, "quantity": 2 }] }, { "status": "failure", "line_items": [{ "id": 1, "quantity": 3 }] }]);
        assert_eq!(left(json!({ "line_items": items(json!({})), "refunds": refunds, "fulfillments": fulfillments })), 1);
        assert_eq!(left(json!({ "line_items": items(json!({ "fulfillment_status": "fulfilled" })) })), 0);
        let elsewhere = items(json!({ "fulfillment_service": "amazon_marketplace_web" }));
        let said = read(order(json!({ "line_items": elsewhere }))).unwrap();
        assert_eq!((said.orders[0].lines.len(), said.skipped[0].why.as_str()), (1, "5 of A are sent by amazon_marketplace_web"));
        assert_eq!(left(json!({ "line_items": items(json!({ "fulfillment_service": "manual" })) })), 5);
    }

    #[test]
    fn discounts_and_tips_are_not_what_the_goods_are_worth() {
        let worth = |item: Value| -> String {
            let new = taken(
                json!({ "line_items": [item, { "title": "Tip", "quantity": 1, "price": "9.00", "tip": { "payment_gateway": "x" } }] }),
            );
            new.lines.iter().map(|l| l.unit_price.amount * twin::money::Decimal::from(l.quantity)).sum::<twin::money::Decimal>().to_string()
        };
        let line =
            json!({ "sku": "A", "quantity": 2, "price": "48.00", "discount_allocations": [{ "amount": "9.60" }, { "amount": "9.60" }] });
        assert_eq!(worth(line), "76.80");
        assert_eq!(worth(json!({ "sku": "A", "quantity": 2, "price": "48.00", "total_discount": "19.20" })), "76.80");
        assert_eq!(
            worth(json!({ "sku": "A", "quantity": 2, "price": "48.00", "total_discount": "0.00", "discount_allocations": [] })),
            "96.00"
        );
    }

    #[test]
    fn a_line_that_nobody_can_pick_is_held_by_its_title() {
        let new = taken(
            json!({ "line_items": [{ "title": "Engraving, gold", "quantity": 1, "price": "5.00", "variant_id": null, "product_id": null }] }),
        );
        assert_eq!(new.lines[0].sku.as_str(), "Engraving, gold");
        assert!(new.held.unwrap().starts_with("\"Engraving, gold\" has no SKU"));
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
        let products: BTreeMap<_, _> = catalogue_from_lines(&said.lines).into_iter().map(|p| (p.sku.clone(), p)).collect();
        assert_eq!((products[&"71".into()].facts.weight_g, products[&"8".into()].facts.weight_g), (DEFAULT_WEIGHT_G, 90));
        assert_eq!(products[&"8".into()].facts.dims, DEFAULT_DIMS);
    }

    #[test]
    fn one_bad_order_is_told_where_and_what_and_stops_nothing() {
        let told = |changes: Value| {
            let page = json!({ "orders": [order(json!({ "name": "#1" })), order(changes), order(json!({ "name": "#3" }))] }).to_string();
            let said = read_orders("page.json", page.as_bytes(), None).unwrap();
            assert_eq!(said.orders.iter().map(|o| o.number.as_str()).collect::<Vec<_>>(), ["1", "3"]);
            assert_eq!((said.skipped.len(), said.skipped[0].order.as_str()), (1, "1001"));
            said.skipped[0].why.strip_prefix("cannot be read: page.json: orders[1]").unwrap().to_owned()
        };
        assert_eq!(
            told(json!({ "line_items": [{ "sku": "A", "quantity": 1, "price": "12,50" }] })),
            ".line_items[0].price is \"12,50\"; expected a decimal amount such as \"199.00\""
        );
        assert_eq!(told(json!({ "currency": "US$" })), ".currency is \"US$\"; expected an ISO 4217 code such as \"USD\"");
        for late in ["yesterday", "2026-01-10T11:00:00"] {
            assert_eq!(
                told(json!({ "created_at": late })),
                format!(".created_at is \"{late}\"; expected a time with its offset such as \"2026-01-10T11:00:00-05:00\"")
            );
        }
        let long = json!([{ "sku": "S".repeat(65), "quantity": 1, "price": "1" }]);
        assert_eq!(
            told(json!({ "line_items": long })),
            format!(".line_items[0].sku is \"{}; expected at most 64 bytes", "S".repeat(65))
                .replace(&"S".repeat(65), &format!("{}\"", "S".repeat(65)))
        );
        assert_eq!(
            told(json!({ "line_items": [{ "sku": "A", "quantity": 1, "price": "-1" }] })),
            " (lines.unit_price) is 1001; expected an order that can be taken, but: -1 USD for A is negative"
        );
        assert_eq!(told(json!({ "line_items": "none" })), ".line_items is \"none\"; expected a list");
        let told = |text: &str| read_orders("page.json", text.as_bytes(), None).unwrap_err().to_string();
        assert_eq!(told("{"), "page.json: document is EOF while parsing an object at line 1 column 1; expected well-formed JSON");
        assert_eq!(told("[1]"), "page.json: document is [1]; expected an object with \"orders\" or \"order\"");
    }

    /// Whatever one order of a page is made of, the others are read, and it is read or told.
    #[test]
    fn no_field_of_an_order_stops_the_page() {
        let good = order(json!({ "name": "#1" }));
        let mut rich = order(json!({ "fulfillments": [{ "status": "success", "line_items": [{ "id": 1, "quantity": 1 }] }] }));
        rich["line_items"][0]["id"] = json!(1);
        rich["refunds"] = json!([{ "refund_line_items": [{ "line_item_id": 1, "quantity": 0, "restock_type": "cancel" }] }]);
        rich["shipping_lines"] = json!([{ "title": "Standard", "code": "S" }]);
        rich["line_items"][0]["discount_allocations"] = json!([{ "amount": "1.00" }]);
        crate::carriers::mangled::each(&rich, |path, changed| {
            let page = json!({ "orders": [changed, good] }).to_string();
            let said = read_orders("page.json", page.as_bytes(), None).unwrap_or_else(|why| panic!("{path}: {why}"));
            assert_eq!(said.orders.last().map(|o| o.number.as_str()), Some("1"), "{path}");
            assert_eq!(said.orders.len() + said.skipped.iter().filter(|s| s.order.as_str() != "1").count(), 2, "{path}: {said:?}");
        });
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
        assert_eq!((new.number.as_str(), new.lines.len(), new.paid, new.ship_to.fault()), ("1001", 3, false, None));
        assert!(one.catalogue_or_derived().iter().all(|p| p.facts.weight_g == 200));
        // This excerpt's order was cut short: it has no lines.
        let page = crate::platforms::read_order_file(&dir.join("orders.json")).unwrap();
        assert_eq!((page.orders.len(), page.skipped[0].order.as_str(), page.skipped[0].why.as_str()), (0, "1001", "nothing left to ship"));
    }
}

//! The lines of a Shopify order: what of them is still for us to ship, under which SKU, and what a piece of it is worth.
//!
//! Never decides whether the order ships: what a person must look at is told ([`Lines::held`]).

use super::json::{BadJson, Node};
use super::shopify::LineGoods;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use smol_str::{SmolStr, format_smolstr};
use std::collections::BTreeMap;
use twin::NewLine;
use twin::id::ID_LENGTH_MAX;
use twin::money::Currency;
use twin::{Money, Sku};

/// The service under which Shopify files what the seller's own warehouse sends.
const OURS: &str = "manual";

/// What an order's lines came to.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub lines: Vec<(NewLine, LineGoods)>,
    /// Why a person must look at the order first.
    pub held: Option<SmolStr>,
    /// Lines that somebody else sends, with who.
    pub elsewhere: Vec<SmolStr>,
}

/// The lines that are still to be shipped by us, with what they say about their goods.
pub(super) fn lines(order: &Node<'_>) -> Result<Lines, BadJson> {
    let gone = gone(order)?;
    let mut out = Lines::default();
    let items = order.get("line_items");
    for item in items.items()? {
        // A tip is a line too.
        let goods = item.get("tip").is_null()
            && item.get("requires_shipping").flag()? != Some(false)
            && item.get("gift_card").flag()? != Some(true);
        let quantity = if goods { to_ship(&item, &gone)? } else { 0 };
        if quantity == 0 {
            continue;
        }
        let (sku, is_known) = sku(&item)?;
        let service = item.get("fulfillment_service").text_or_empty()?;
        if !service.is_empty() && service != OURS {
            out.elsewhere.push(format_smolstr!("{quantity} of {sku} are sent by {service}"));
            continue;
        }
        if !is_known && out.held.is_none() {
            out.held = Some(format_smolstr!("{:?} has no SKU, variant or product: nobody knows what to pick", sku.as_str()));
        }
        let currency = order.get("currency");
        let currency =
            currency.text()?.and_then(|c| Currency::from_code(&c)).ok_or_else(|| currency.bad("an ISO 4217 code such as \"USD\""))?;
        let weight_g = item.get("grams").whole()?.unwrap_or(0);
        let price = item.get("price").decimal()?;
        let whole = item.get("quantity").whole()?.unwrap_or(quantity).max(quantity);
        for (quantity, unit_price) in worth(price, whole, discount(&item)?, quantity, currency) {
            out.lines.push((NewLine { sku: sku.clone(), quantity, unit_price }, LineGoods { sku: sku.clone(), weight_g }));
        }
    }
    Ok(out)
}

/// Pieces of each line that were sent already, and pieces that were taken back, by the line's own number.
#[derive(Default)]
struct Gone {
    sent: BTreeMap<SmolStr, u32>,
    refunded: BTreeMap<SmolStr, u32>,
}

fn gone(order: &Node<'_>) -> Result<Gone, BadJson> {
    let mut gone = Gone::default();
    let mut add = |to: fn(&mut Gone) -> &mut BTreeMap<SmolStr, u32>, id: Option<SmolStr>, quantity: u32| {
        let pieces = to(&mut gone).entry(id.unwrap_or_default()).or_default();
        *pieces = pieces.saturating_add(quantity);
    };
    let fulfillments = order.get("fulfillments");
    for fulfillment in fulfillments.items()? {
        // One that failed or was cancelled sent nothing.
        if matches!(fulfillment.get("status").text()?.as_deref(), Some("failure" | "cancelled" | "error")) {
            continue;
        }
        for item in fulfillment.get("line_items").items()? {
            add(|g| &mut g.sent, item.get("id").text()?, item.get("quantity").whole()?.unwrap_or(0));
        }
    }
    let refunds = order.get("refunds");
    for refund in refunds.items()? {
        for item in refund.get("refund_line_items").items()? {
            // What comes back from the buyer was sent before.
            if item.get("restock_type").text()?.as_deref() != Some("return") {
                add(|g| &mut g.refunded, item.get("line_item_id").text()?, item.get("quantity").whole()?.unwrap_or(0));
            }
        }
    }
    Ok(gone)
}

/// `fulfillable_quantity` is what was neither shipped nor taken back. Older documents lack it: there, what is left of the line
/// (`current_quantity`, or else the quantity less the refunds) less what the fulfillments sent.
fn to_ship(item: &Node<'_>, gone: &Gone) -> Result<u32, BadJson> {
    let of = |pieces: &BTreeMap<SmolStr, u32>, id: &Option<SmolStr>| id.as_ref().and_then(|id| pieces.get(id)).copied().unwrap_or(0);
    let (id, current) = (item.get("id").text()?, item.get("current_quantity").whole()?);
    if let Some(quantity) = item.get("fulfillable_quantity").whole()? {
        return Ok(quantity.min(current.unwrap_or(u32::MAX)));
    }
    if item.get("fulfillment_status").text()?.as_deref() == Some("fulfilled") {
        return Ok(0);
    }
    let left = match current {
        Some(current) => current,
        None => {
            let quantity = item.get("quantity").whole()?.ok_or_else(|| item.get("quantity").bad("the number of pieces"))?;
            quantity.saturating_sub(of(&gone.refunded, &id))
        }
    };
    Ok(left.saturating_sub(of(&gone.sent, &id)))
}

/// The SKU, or else the variant's or the product's number: shops without SKUs know their goods by these. A line that has
/// none of them goes by its title, and is not known.
fn sku(item: &Node<'_>) -> Result<(Sku, bool), BadJson> {
    for key in ["sku", "variant_id", "product_id"] {
        if let Some(text) = item.get(key).text()? {
            if text.len() > ID_LENGTH_MAX {
                return Err(item.get(key).bad(format!("at most {ID_LENGTH_MAX} bytes")));
            }
            return Ok((Sku::from(text), true));
        }
    }
    let title = ["title", "name", "id"].iter().find_map(|key| item.get(key).text().transpose()).transpose()?;
    Ok((Sku::from(by_title(&title.unwrap_or_else(|| "?".into()))), false))
}

/// A title as a SKU: as much of it as a SKU may have.
pub(super) fn by_title(title: &str) -> SmolStr {
    let end = (0..=ID_LENGTH_MAX.min(title.len())).rev().find(|end| title.is_char_boundary(*end)).unwrap_or(0);
    title[..end].trim().into()
}

/// What was taken off the whole line: its share of every discount (`discount_allocations`), or in older documents the line's own.
fn discount(item: &Node<'_>) -> Result<Decimal, BadJson> {
    let allocations = item.get("discount_allocations");
    let mut sum = Decimal::ZERO;
    let mut any = false;
    for allocation in allocations.items()? {
        let amount = allocation.get("amount");
        sum = sum.checked_add(amount.decimal()?).ok_or_else(|| amount.bad("a discount that can be added up"))?;
        any = true;
    }
    let own = item.get("total_discount");
    if any || own.is_null() { Ok(sum) } else { own.decimal() }
}

/// `taken` of a line of `whole` pieces, of which so much was taken off: quantities with the price of a piece, to the
/// currency's smallest unit. Where a discount does not divide, some pieces are worth one such unit more, so that all of
/// them together are worth exactly what was paid.
pub(super) fn worth(price: Decimal, whole: u32, discount: Decimal, taken: u32, currency: Currency) -> Vec<(u32, Money)> {
    let exact = || vec![(taken, Money::new(price, currency))];
    if discount.is_zero() || whole == 0 {
        return exact();
    }
    let places = price.scale().max(discount.scale()).max(currency.exponent().unwrap_or(2).into()).min(6);
    let unit = Decimal::new(1, places);
    let total = price.checked_mul(whole.into()).and_then(|all| all.checked_sub(discount));
    let units = total.and_then(|total| (total.max(Decimal::ZERO) / unit).round().to_u128());
    // A price out of all bounds is refused by the order's own rules.
    let Some(units) = units else { return exact() };
    let (each, dearer) = (units / u128::from(whole), (units % u128::from(whole)) as u32);
    let money = |units: u128| Money::new(Decimal::from(units) * unit, currency);
    let cheap = taken.min(whole - dearer);
    [(cheap, money(each)), (taken - cheap, money(each + 1))].into_iter().filter(|(pieces, _)| *pieces > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The pieces of a whole line together are worth what was paid for it.
        #[test]
        fn no_cent_is_lost(cents in 0i64..100_000, whole in 1u32..200, off in 0i64..1_000_000) {
            let (price, discount) = (Decimal::new(cents, 2), Decimal::new(off, 2));
            let lines = worth(price, whole, discount, whole, Currency::USD);
            let sum: Decimal = lines.iter().map(|(n, each)| each.amount * Decimal::from(*n)).sum();
            prop_assert_eq!(sum, (price * Decimal::from(whole) - discount).max(Decimal::ZERO));
            prop_assert_eq!(lines.iter().map(|(n, _)| n).sum::<u32>(), whole);
        }
    }

    #[test]
    fn a_discount_is_shared_by_the_pieces() {
        let worth = |price: &str, whole, off: &str, taken, currency| -> Vec<(u32, String)> {
            let lines = worth(price.parse().unwrap(), whole, off.parse().unwrap(), taken, currency);
            lines.into_iter().map(|(n, each)| (n, each.to_string())).collect()
        };
        assert_eq!(worth("48.00", 2, "19.20", 2, Currency::USD), [(2, "38.40 USD".into())]);
        assert_eq!(worth("10.00", 3, "1.00", 3, Currency::USD), [(1, "9.66 USD".into()), (2, "9.67 USD".into())]);
        assert_eq!(worth("10.00", 3, "1.00", 1, Currency::USD), [(1, "9.66 USD".into())], "two are sent already");
        assert_eq!(worth("1000", 2, "3001", 2, Currency::JPY), [(2, "0 JPY".into())], "never less than nothing");
    }
}

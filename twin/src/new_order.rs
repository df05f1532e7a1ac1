//! An order as it comes in, platform differences already gone. Nothing of it is in the twin yet.

use crate::money::Decimal;
use crate::{Address, Moment, Money, OrderId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The most lines one order may have.
pub const ORDER_LINES_MAX: usize = 200;
/// The highest price of one piece, in whole units of its currency.
pub const UNIT_PRICE_MAX: i64 = 1_000_000_000;
/// The most pieces of one SKU in one line.
pub const LINE_QUANTITY_MAX: u32 = 10_000;

/// An order, in one version of it, as a platform tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewOrder {
    /// The platform's own number of it. With platform and shop it is the order's identity.
    pub number: SmolStr,
    /// `shopify`, `amazon`, `temu`…
    pub platform: SmolStr,
    pub shop: SmolStr,
    pub placed_at: Moment,
    /// When the platform changed it last. Of two versions of an order the later one counts, whichever comes first.
    #[serde(default)]
    pub updated_at: Option<Moment>,
    pub ship_to: Address,
    pub lines: Vec<NewLine>,
    /// The platform says the buyer has paid.
    #[serde(default = "yes")]
    pub paid: bool,
    /// Why a person must look at it before it ships: what the platform says of it that no other field holds.
    #[serde(default)]
    pub held: Option<SmolStr>,
    #[serde(flatten)]
    pub terms: Terms,
    /// The buyer's words to whoever gets it. Sealed with who the buyer is.
    #[serde(default)]
    pub gift_note: SmolStr,
}

/// What was agreed beside the goods. Empty where the platform says nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// The platform fines who hands it over to a carrier later.
    pub ship_by: Option<Moment>,
    pub deliver_by: Option<Moment>,
    /// The shipping service that the buyer paid for, as the platform calls it.
    pub service: SmolStr,
    pub tax: TaxIds,
}

/// Numbers under which taxes are paid, by the seller or the platform. The receiver's own stands in the address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaxIds {
    /// Import One-Stop Shop: value added tax of the European Union, paid at the sale.
    pub ioss: SmolStr,
    /// VAT On E-Commerce, of Norway.
    pub voec: SmolStr,
    /// Economic Operators Registration and Identification, of the exporter.
    pub eori: SmolStr,
    /// Any other, with what it is: `GB VAT 123456789`.
    pub other: SmolStr,
}

/// The longest text of [`Terms`], and the longest gift note, in characters.
pub const TERM_LENGTH_MAX: usize = 500;

fn yes() -> bool {
    true
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewLine {
    pub sku: crate::Sku,
    pub quantity: u32,
    pub unit_price: Money,
}

impl NewOrder {
    /// What it is known by in the house.
    pub fn id(&self) -> OrderId {
        OrderId::of(&self.platform, &self.shop, &self.number)
    }

    /// What is wrong with it, or `None`: the field and the reason. Such an order is not accepted at all.
    pub fn fault(&self) -> Option<(&'static str, String)> {
        let number = self.number.as_str();
        if !crate::id::is_from_outside(number) {
            return Some(("id", format!("{number:?} must be {}", crate::id::ID_RULE)));
        }
        for (field, text) in [("platform", &self.platform), ("shop", &self.shop)] {
            if text.chars().count() > crate::id::ID_LENGTH_MAX {
                return Some((field, format!("{} characters; at most {} are accepted", text.chars().count(), crate::id::ID_LENGTH_MAX)));
            }
        }
        if self.lines.is_empty() || self.lines.len() > ORDER_LINES_MAX {
            return Some(("lines", format!("{} lines; 1 to {ORDER_LINES_MAX} are accepted", self.lines.len())));
        }
        for line in &self.lines {
            if line.quantity == 0 || line.quantity > LINE_QUANTITY_MAX {
                return Some(("lines.quantity", format!("{} of {}; 1 to {LINE_QUANTITY_MAX} are accepted", line.quantity, line.sku)));
            }
            if line.unit_price.amount.is_sign_negative() && !line.unit_price.amount.is_zero() {
                return Some(("lines.unit_price", format!("{} for {} is negative", line.unit_price, line.sku)));
            }
            if line.unit_price.amount > Decimal::from(UNIT_PRICE_MAX) {
                return Some(("lines.unit_price", format!("{} for {} is over the limit of {UNIT_PRICE_MAX}", line.unit_price, line.sku)));
            }
            if line.unit_price.currency != self.lines[0].unit_price.currency {
                return Some((
                    "lines.unit_price",
                    format!("{} and {} in one order", self.lines[0].unit_price.currency.code(), line.unit_price.currency.code()),
                ));
            }
        }
        None
    }
}

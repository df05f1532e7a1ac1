//! What a SKU is: the facts that decide how it may travel, what it costs, and what customs are told of it.
//!
//! An order line keeps the facts as they were when it was decided ([`Goods`]); what a product is told to be later changes
//! no order that is here.

use crate::address::countries::country;
use crate::{Dims, Grams, Money, Sku};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// Which battery goods have, as the transport of dangerous goods tells them apart (UN 3480/3090 alone, 3481/3091 otherwise):
/// some channels refuse one kind and take another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatteryKind {
    #[default]
    None,
    /// In the device it drives (内置电池).
    Contained,
    /// Beside the device it drives (配套电池).
    PackedWith,
    /// The goods are the battery (纯电池).
    Alone,
}

impl BatteryKind {
    pub const ALL: [BatteryKind; 4] = [BatteryKind::None, BatteryKind::Contained, BatteryKind::PackedWith, BatteryKind::Alone];

    pub fn as_str(self) -> &'static str {
        match self {
            BatteryKind::None => "none",
            BatteryKind::Contained => "contained",
            BatteryKind::PackedWith => "packed_with",
            BatteryKind::Alone => "alone",
        }
    }

    pub fn is_any(self) -> bool {
        self != BatteryKind::None
    }
}

/// The facts of a product. Weight and size are of one packed unit, without the shipping carton.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub weight_g: Grams,
    pub dims: Dims,
    pub battery: BatteryKind,
    /// Liquids, creams and powders: many air lines refuse them.
    pub liquid: bool,
    pub category: SmolStr,
    /// Six to ten digits of the Harmonized System; empty: not told.
    pub hs_code: SmolStr,
    /// The country where it was made, two letters; empty: not told.
    pub origin: SmolStr,
    /// What it is in plain words, for customs: `cotton T-shirt, knitted`.
    pub description: SmolStr,
    /// What one piece is declared at, where that is not its price.
    pub declared_value: Option<Money>,
}

/// The heaviest product, in grams: what is heavier is no small parcel but a wrong unit.
pub const PRODUCT_WEIGHT_G_MAX: Grams = 1_000_000;
/// The longest side of a product, in millimetres.
pub const PRODUCT_SIDE_MM_MAX: u32 = 10_000;
/// The longest category and the longest description, in characters.
pub const CATEGORY_LENGTH_MAX: usize = 64;
pub const DESCRIPTION_LENGTH_MAX: usize = 200;

impl Facts {
    /// Whether weight and size are told. Without them nothing can be declared or priced: it would go as its packaging alone.
    pub fn are_measured(&self) -> bool {
        self.weight_g > 0 && self.dims.sorted().iter().all(|side| *side > 0)
    }

    /// What cannot be, with its field.
    pub fn fault(&self) -> Option<(&'static str, String)> {
        if self.weight_g > PRODUCT_WEIGHT_G_MAX {
            return Some(("weight_g", format!("{} is over {PRODUCT_WEIGHT_G_MAX}", self.weight_g)));
        }
        let Dims { length_mm, width_mm, height_mm } = self.dims;
        for (field, side) in [("length_mm", length_mm), ("width_mm", width_mm), ("height_mm", height_mm)] {
            if !(1..=PRODUCT_SIDE_MM_MAX).contains(&side) {
                return Some((field, format!("{side} is not between 1 and {PRODUCT_SIDE_MM_MAX}")));
            }
        }
        for (field, text, most) in
            [("category", &self.category, CATEGORY_LENGTH_MAX), ("description", &self.description, DESCRIPTION_LENGTH_MAX)]
        {
            if text.chars().count() > most || text.chars().any(char::is_control) {
                return Some((field, format!("is not one line of up to {most} characters")));
            }
        }
        let digits = (6..=10).contains(&self.hs_code.len()) && self.hs_code.bytes().all(|b| b.is_ascii_digit());
        if !self.hs_code.is_empty() && !digits {
            return Some(("hs_code", format!("{:?} is not six to ten digits", self.hs_code)));
        }
        if !self.origin.is_empty() && country(&self.origin).is_none() {
            return Some(("origin", format!("{:?} is no country of two letters", self.origin)));
        }
        if self.declared_value.is_some_and(|value| value.amount.is_sign_negative() && !value.amount.is_zero()) {
            return Some(("declared_value", "is negative".into()));
        }
        None
    }
}

/// What lies in one of an order line: so many pieces of one SKU of ours, with its facts as they were then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goods {
    /// As we call it.
    pub sku: Sku,
    /// Pieces in one of the line.
    pub quantity: u32,
    pub facts: Facts,
}

/// The pieces of each SKU, in the order in which they come.
pub fn added_up<'a>(goods: impl Iterator<Item = (&'a Goods, u32)>) -> Vec<(Sku, u32)> {
    let mut needs: Vec<(Sku, u32)> = Vec::with_capacity(goods.size_hint().0.max(1));
    for (goods, pieces) in goods {
        match needs.iter_mut().find(|(sku, _)| *sku == goods.sku) {
            Some((_, sum)) => *sum = sum.saturating_add(pieces),
            None => needs.push((goods.sku.clone(), pieces)),
        }
    }
    needs
}

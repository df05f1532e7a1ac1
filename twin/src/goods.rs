//! What a SKU is: the facts of the product master that decide how it may travel and what it costs.

use crate::{Dims, Grams, Sku};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// One product. Weight and size are of one packed unit, without the shipping carton.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    pub sku: Sku,
    pub category: SmolStr,
    pub weight_g: Grams,
    pub dims: Dims,
    /// Contains or is a battery: some channels refuse it.
    pub battery: bool,
}

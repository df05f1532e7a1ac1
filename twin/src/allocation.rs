//! The record of why an order leaves from where it does, by which channel, at what price.

use crate::{ChannelId, Money, WarehouseId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// A decision with everything that was weighed. People search it when money is in dispute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The rule and its version: `cheapest-with-stock@1`.
    pub rule: SmolStr,
    pub warehouse: WarehouseId,
    pub channel: ChannelId,
    /// Expected cost, in the channel's own currency.
    pub cost: Money,
    /// Every warehouse and channel looked at, the chosen one first.
    pub candidates: Vec<Candidate>,
    /// The version of the site's settings that it was made under; 0: not told.
    pub settings: u32,
}

/// One warehouse, or one channel from one warehouse, and how it fared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    pub warehouse: WarehouseId,
    pub channel: Option<ChannelId>,
    pub cost: Option<Money>,
    pub days: Option<u16>,
    /// Why it won or lost: `chosen`, `dearer by 3.10 USD`, `no stock of A-17`, `no weight band for 530 g in zone US`.
    pub verdict: SmolStr,
}

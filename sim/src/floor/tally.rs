//! What only the floor can count: labels on the wrong box, boxes that left with them, how long the sorter waited, when a
//! packer began, and how much of their time people and machines were at work.

use super::work::Work;
use std::collections::{BTreeMap, HashMap};
use twin::{Moment, ParcelId, StationId};

/// Counts of one run.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub packed: u64,
    /// Boxes that got another box's label at the bench.
    pub wrong_applied: u64,
    /// Boxes that left the building wearing another box's label.
    pub wrong_left: u64,
    pub left: u64,
    pub reworked: u64,
    /// Boxes put aside because nothing came out of the rework printer for them.
    pub shelved: u64,
    pub no_decision: u64,
    /// From the sorter's question to the answer at the sorter, microseconds.
    pub divert_us: Vec<u32>,
    /// When a packer took the parcel in hand.
    pub pack_began: HashMap<ParcelId, Moment>,
    /// From falling off the line to lying open at the rework table, and from then on to the end, microseconds.
    pub rework_wait_us: Vec<u64>,
    pub rework_us: Vec<u64>,
    /// Benches, lines and rework tables; docks take no time here.
    pub stations: BTreeMap<StationId, Work>,
}

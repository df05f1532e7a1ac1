//! What only the floor can count: labels on the wrong box, boxes that left with them, and how long the sorter waited.

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
}

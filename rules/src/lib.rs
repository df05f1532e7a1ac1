//! Decisions as pure functions over what the twin knows: which channels take a parcel, what each asks for it, which
//! warehouse and channel win, whether a measured parcel is the declared one, which chute it goes to, what it cost.
//!
//! Every function answers and says why, in words a warehouse can read. This crate keeps no state, reads no clock and no
//! file, draws no numbers, and no result depends on floats or on the order of a hash map.

pub mod allocation;
pub mod channels;
pub mod check;
pub mod freight;
pub mod fx;
pub mod packing;
pub mod pickups;
pub mod rate_sheet;
pub mod rating;
pub mod sorting;
pub mod working_days;

#[cfg(test)]
mod sample;

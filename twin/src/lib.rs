//! What the warehouse is: typed nouns, what can happen to each, and the journal that remembers it.
//!
//! Every noun is an [`Entity`]: a state, commands that [`Entity::decide`] turns into events or refuses, and
//! [`Entity::apply`], the only way a state changes. [`Twin`] writes the events to a hash-chained journal behind a
//! [`Store`] and keeps each entity's state next to it.
//!
//! This crate never waits, reads a clock, draws a number or reaches beyond its store.

pub mod address;
pub mod allocation;
pub mod bag;
pub mod board;
pub mod carrier;
pub mod channel;
pub mod device;
pub mod entity;
pub mod goods;
mod group;
pub mod hash;
pub mod id;
pub mod journal;
pub mod manifest;
pub mod measure;
pub mod money;
pub mod order;
pub mod origin;
pub mod parcel;
pub mod s10;
pub mod sled_store;
pub mod sscc;
pub mod station;
pub mod stock;
pub mod store;
pub mod text;
pub mod time;
pub mod warehouse;

pub use address::Address;
pub use entity::{Entity, Event, Key, Kind, Refusal};
pub use hash::Hash;
pub use id::*;
pub use journal::{Head, Record, Twin, TwinError, Tx};
pub use measure::{Dims, Grams};
pub use money::Money;
pub use origin::{Because, By, Origin};
pub use sled_store::SledStore;
pub use store::{MemoryStore, Store, StoreError};
pub use time::{Moment, Span};

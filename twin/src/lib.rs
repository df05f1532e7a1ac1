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
pub mod census;
pub mod channel;
pub mod charges;
pub mod copies;
pub mod declaration;
pub mod defect;
pub mod device;
pub mod entity;
mod error;
pub mod event;
pub mod facet;
pub mod field;
pub mod forget;
pub mod fulfilment;
pub mod goods;
pub mod hash;
pub mod hold;
pub mod home;
pub mod id;
pub mod journal;
pub mod keys;
pub mod manifest;
pub mod measure;
pub mod money;
pub mod new_order;
pub mod order;
pub mod origin;
pub mod parcel;
pub mod parts;
pub mod personal;
pub mod problem;
pub mod product;
pub mod projection;
pub mod replay;
pub mod returns;
pub mod s10;
pub mod schema;
pub mod seller;
pub mod settings;
pub mod shelf;
pub mod sku_map;
pub mod sled_shelf;
pub mod sscc;
pub mod station;
pub mod stock;
pub mod text;
pub mod time;
pub mod time_zone;
pub mod tracking;
mod twin;
pub mod verdict;
pub mod warehouse;
pub mod words;

pub use address::Address;
pub use entity::{Entity, Key, Kind, Refusal};
pub use error::{Damage, Remedy, StoreError, TwinError};
pub use event::Event;
pub use hash::Hash;
pub use id::*;
pub use journal::history::history;
pub use journal::{Head, Record, Way};
pub use measure::{Dims, Grams};
pub use money::Money;
pub use new_order::{NewLine, NewOrder};
pub use origin::{Because, By, Origin};
pub use shelf::{MemoryShelf, Shelf};
pub use sled_shelf::SledShelf;
pub use time::{Moment, Span};
pub use time_zone::{Date, TimeZone};
pub use twin::{ERASED, Twin, Tx, Unsealed, records};

//! Who does it: every warehouse, station, device, carrier and parcel as a supervised actor over the twin.
//!
//! An actor decides and applies at once, then hands the [`ledger`] its events together with what it wants to say; the
//! ledger lets that out when the events are durable. No actor reads a clock but [`drivers::Clock`], parses a wire
//! format, or keeps a reference to another actor: messages go to [`Seat`]s.

pub mod base;
pub mod bench;
pub mod carrier;
pub mod catalog;
pub mod charging;
pub mod config;
pub mod customs;
pub mod device;
pub mod dock;
mod errand;
pub mod fault;
pub mod house;
pub mod in_force;
pub mod intake;
pub mod ledger;
pub mod line;
pub mod numbers;
pub mod order_desk;
pub mod origin;
pub mod outgoing;
pub mod parcel;
pub mod parcels;
pub mod problems;
pub mod putting_right;
pub mod quoting;
pub mod remedies;
pub mod returns;
pub mod rework;
pub mod seat;
pub mod settings;
pub mod shipment;
pub mod site;
pub mod slip;
pub mod station;
pub mod supervision;
pub mod taken_out;
#[cfg(test)]
mod testing;
pub mod turns;
pub mod warehouse;
pub mod zero;

pub use house::House;
pub use in_force::InForce;
pub use ledger::{Host, Work};
pub use origin::Told;
pub use outgoing::{Answer, Caller, Outgoing};
pub use parcel::ParcelMsg;
pub use seat::Seat;
pub use site::Site;
pub use turns::Delivery;

//! The outside world, as seen from inside: time, byte wires to devices, HTTP wires to carriers and platforms.
//!
//! Nothing here knows who calls it, and nothing here can tell a real far end from a simulated one.

pub mod carriers;
pub mod clock;
pub mod devices;
pub mod http_wire;
pub mod platforms;
pub mod wire;

pub use clock::Clock;
pub use http_wire::{HttpWire, ReqwestWire, WireError};
pub use wire::{ByteStream, WireAddress};

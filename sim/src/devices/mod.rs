//! Simulated station devices: the far ends of the byte wires, speaking the real protocols.
//!
//! Each device is a handle that the floor calls at once and without waiting (`scanner.pass(…)`, `scale.load(…)`), and a
//! [`serve`] that carries the bytes of one connection. All of them can be disturbed: garbled, silenced, hung up, unplugged.
//! Nothing here knows what time it is unless it is handed a clock, and nothing but [`serve`](mod@serve) does real I/O.

mod plug;
mod printer;
mod scale;
mod scanner;
pub mod serve;
mod sorter;

pub use plug::{Disturbed, FarEnd, Plug, dial_of, serve};
pub use printer::{OnPrinted, SimPrinter, field_texts};
pub use scale::{ScaleNoise, SimScale};
pub use scanner::{ScannerNoise, SimScanner};
pub use sorter::{OnAnswer, SimSorter};

//! The program round the actors: command line, HTTP API, console and reports. Decides nothing about a parcel.

pub mod api;
pub mod cli;
pub mod console;
mod page;
pub mod query;
pub mod report;
pub mod router;

/// Actors live on small short-lived messages: a third of a run's time is the allocator's with the system's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

//! The program round the actors: command line, HTTP API, console and reports. Decides nothing about a parcel.

pub mod api;
pub mod cli;
pub mod console;
mod page;
pub mod query;
pub mod remedy;
pub mod report;
pub mod router;

/// Actors live on small short-lived messages: a third of a run's time is the allocator's with the system's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What is freed goes back to the machine after this long; by itself mimalloc does that after a second, and a run that needs the
/// memory again in the next one had a tenth of its time from getting it back page by page.
const KEPT_MS: std::ffi::c_long = 10_000;
/// `mi_option_purge_delay`, which the crate does not name; the same number in mimalloc 2 and 3.
const PURGE_DELAY: std::ffi::c_int = 15;

/// Called first by every program.
pub fn keep_freed_memory() {
    // SAFETY: sets one number of the allocator that we are linked with; it may be called at any time, from any thread.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, KEPT_MS) }
}

//! The program round the actors: command line, HTTP API, console and reports. Decides nothing about a parcel.

pub mod api;
pub mod cli;
pub mod console;
pub mod report;

//! The other end of every wire: simulated devices, carriers and buyers, the floor between them, scenario files, and runs
//! of them in virtual time.
//!
//! In a run no thread but one works, no socket is opened, and the wall clock is not read; [`devices::serve`] alone puts
//! a simulated device on a real wire, for a person or another program to talk to.

pub mod carriers;
pub mod chaos;
pub mod demand;
pub mod devices;
pub mod expect;
pub mod floor;
pub mod kpis;
pub mod luck;
pub mod run;
pub mod scenario;
pub mod site_file;
pub mod world;

//! The record API of a started service, in process, on a real database.

mod bus;
mod definitions;
mod desk;
mod publishing;
mod records;
mod telemetry;
mod votes;

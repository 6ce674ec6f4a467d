//! What people and programs need to know of a process, worked out from its definition and never
//! written by hand.

mod diagram;
mod outline;
mod page;
mod picture;
mod raci;

pub use raci::{Duty, Raci};

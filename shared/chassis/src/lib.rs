//! What every service stands on: configuration, telemetry, identity, errors, the record API, life
//! and death.
//!
//! A service is a [`Service`], a table of contents; [`start`] brings it to life on a [`Platform`]:
//!
//! ```text
//! HTTP request ─ door ─┐                       ┌─ outbox ─ relay ─ bus
//! NATS delivery ─ desk ┼─ Act ─ Office ─ store ┤
//! due timer ─ timers ──┘                       └─ answer
//! ```

pub mod config;
pub mod door;
pub mod hand;
pub mod identity;
pub mod json;
pub mod life;
mod migrations;
mod neighbours;
mod office;
pub mod openapi;
mod parts;
mod platform;
pub mod problem;
mod publications;
pub mod records;
pub mod request;
mod seal;
mod service;
pub mod telemetry;

pub use config::{Config, Secret};
pub use hand::{Hand, Settles};
pub use identity::{Identity, PublicKey, Signer, Verifier};
pub use neighbours::Neighbours;
pub use office::{Equipment, Office, Show};
pub use parts::Parts;
pub use platform::{Platform, connect};
pub use problem::Problem;
pub use seal::Seal;
pub use service::{
    Draft, Heard, Interpret, Running, Said, Service, Translate, check, dress, open, prepare, start,
};

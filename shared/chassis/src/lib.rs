//! What every service stands on: configuration, telemetry, identity, errors, the record API, life
//! and death.

pub mod config;
pub mod identity;
pub mod json;
pub mod openapi;
pub mod problem;
pub mod request;
pub mod telemetry;

pub use config::{Config, Secret};
pub use identity::{Identity, Signer, Verifier};
pub use problem::Problem;

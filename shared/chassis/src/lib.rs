//! What every service stands on: configuration, telemetry, identity, errors, the record API, life
//! and death.

pub mod config;
pub mod hand;
pub mod identity;
pub mod json;
pub mod life;
pub mod openapi;
pub mod problem;
pub mod request;
pub mod service;
pub mod telemetry;

pub use config::{Config, Secret};
pub use hand::{Hand, Settles};
pub use identity::{Identity, Signer, Verifier};
pub use problem::Problem;

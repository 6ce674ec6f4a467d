//! Where monitoring tools knock: what they send becomes signals, and nothing of it is lost.

pub mod alertmanager;
pub mod cloudevents;
pub mod door;

mod fingerprint;
mod quarantine;
mod words;

use chrono::{DateTime, Utc};

/// Who vouches for what came in, and when it came.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The API key's number, or `administrator`.
    pub integration: String,
    pub at: DateTime<Utc>,
}

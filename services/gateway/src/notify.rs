//! Telling people: what definitions want to be told becomes a notification for each who is told, kept
//! with proof of what was sent to whom, when, and whether it arrived.
//!
//! A notice is part of the event that tells of it, so it is as durable as the event. Here it becomes
//! records in the transaction of its inbox row, and those are sent until somebody takes them.

mod hearing;
mod mail;
mod people;
mod sender;
mod webhook;

use chassis::{Service, config::Notify};

pub use sender::Sender;

use hearing::Hearing;

/// The services whose records say who is to be told, each with the name of the consumer, which never
/// changes.
const SAYING: [(&str, &str); 6] = [
    ("incident", "gateway-notices-incident"),
    ("change", "gateway-notices-change"),
    ("release", "gateway-notices-release"),
    ("sla", "gateway-notices-sla"),
    ("supplier", "gateway-notices-supplier"),
    ("governance", "gateway-notices-governance"),
];

/// Lets the access database hear who is to be told.
#[must_use]
pub fn heard(service: Service, config: &Notify) -> Service {
    SAYING.into_iter().fold(service, |service, (name, consumer)| {
        service.interprets(name, consumer, Hearing::new(config))
    })
}

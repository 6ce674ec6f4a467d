//! JetStream: streams, the relay, deliveries, dead letters, and a nats-server to run them on.
//!
//! The only crate that knows the NATS client. It knows neither store nor engine: what it needs of
//! them it asks through the traits [`Outbox`], [`Leases`] and [`Desk`].

mod address;
mod connection;
mod publish;
pub mod server;
mod stream;

pub use address::{Address, Login, MalformedAddress};
pub use connection::{Bus, BusError, Counters, Options};
pub use publish::{MAX_BATCH, Message, NotDurable, Publisher};
pub use stream::Totals;

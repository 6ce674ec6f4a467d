//! JetStream: streams, the relay, deliveries, dead letters, and a nats-server to run them on.
//!
//! The only crate that knows the NATS client. It knows neither store nor engine: what it needs of
//! them it asks through the traits [`Outbox`], [`Leases`], [`Places`] and [`Desk`].

mod address;
mod connection;
mod consume;
mod dead;
mod delivery;
mod descriptors;
mod feed;
mod lane;
mod lease;
mod place;
mod publish;
mod reading;
mod relay;
pub mod server;
mod standing;
mod stream;
mod tail;

pub use address::{Address, Login, MalformedAddress};
pub use connection::{Bus, BusError, Counters, Options};
pub use consume::{Consumption, consume};
pub use delivery::{Delivery, Desk, Outcome};
pub use descriptors::Descriptors;
pub use lease::{Fault, Fence, Leases};
pub use place::{Place, Places, Reached};
pub use publish::{MAX_BATCH, Message, NotDurable, Publisher};
pub use relay::{Outbox, Outgoing, Sent, relay};
pub use standing::Standing;
pub use stream::Totals;
pub use tail::Tailed;

//! The bus against a real nats-server.

mod harness;
mod publishing;
mod servers;
mod streams;

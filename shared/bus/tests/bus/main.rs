//! The bus against a real nats-server.

mod consuming;
mod database;
mod harness;
mod publishing;
mod relaying;
mod servers;
mod streams;
mod telling;

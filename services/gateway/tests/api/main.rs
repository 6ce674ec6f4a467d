//! The gateway over HTTP: a real database, a real nats-server, small services of the test's own.

mod access;
mod console;
mod desk;
mod documents;
mod intake;
mod live;
mod services;
mod session;

//! The only door from outside: who may come in, where a request goes, and what monitoring tools say.

pub mod access;
pub mod docs;
pub mod intake;
pub mod openapi;
pub mod routing;

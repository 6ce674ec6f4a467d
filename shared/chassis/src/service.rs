//! A service as its own table of contents, and what starts it.

pub mod catalogue;

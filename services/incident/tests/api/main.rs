//! The incident service's definitions, walked by commands and signals without any I/O.

mod lifecycle;
mod signals;

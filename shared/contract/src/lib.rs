//! The published language: everything that crosses from one service to another, and nothing else.
//!
//! Adding a field never breaks a consumer; a breaking change is a new version beside the old.

mod descriptor;
mod event;
mod identity;
mod signal;
pub mod subject;

pub use descriptor::{Descriptor, ProcessDescriptor};
pub use event::{Envelope, EventData, UndecodableEvent, event_type};
pub use identity::{Claims, IDENTITY_AUDIENCE, IDENTITY_HEADER};
pub use signal::{SIGNAL_TYPE, Signal, SignalStatus, signal_key};

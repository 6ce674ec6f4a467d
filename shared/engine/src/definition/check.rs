//! Whether every state can be reached and left, and whether it is clear who acts.

mod duties;
mod events;
mod states;

pub(super) use duties::{duties, follow, obligations};
pub(super) use events::events;
pub(super) use states::states;

/// Words that are never the name of a process or a collection.
pub(super) const RESERVED: [&str; 5] = ["batch", "check", "whatif", "migrate", "versions"];

//! Whether every state can be reached and left, whether it is clear who acts, and what has room.

mod duties;
mod events;
mod indexes;
mod states;

pub(super) use duties::{duties, follow, obligations};
pub(super) use events::events;
pub(super) use indexes::indexes;
pub(super) use states::states;

/// Words that are never the name of a process or a collection.
pub(super) const RESERVED: [&str; 5] = ["batch", "check", "whatif", "migrate", "versions"];

//! What the stories and the faults stand on: the platform as a child process, its doors, patience.

mod alerts;
mod door;
mod events;
mod patience;
mod people;
mod place;
mod platform;
mod processes;

pub use alerts::{ALERTMANAGER, Alertmanager, alert, webhook};
pub use door::{Answer, Door};
pub use events::events;
pub use patience::until;
pub use place::{data, repository};
pub use platform::{Options, Platform, free_port};
pub use processes::{descendants, signal};

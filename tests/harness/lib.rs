//! What the stories and the faults stand on: the platform as child processes, its doors, patience.

mod alerts;
mod balancer;
mod cluster;
mod door;
mod events;
mod patience;
mod people;
mod place;
mod platform;
mod process;
mod processes;
mod sink;

pub use alerts::{ALERTMANAGER, Alertmanager, alert, webhook};
pub(crate) use balancer::Balancer;
pub use cluster::{Cluster, Databases};
pub use door::{Answer, Door};
pub use events::events;
pub use patience::until;
pub use place::{data, repository};
pub use platform::{Options, Platform};
pub use process::{Process, binary, tool};
pub use processes::{descendants, signal};
pub use sink::Sink;

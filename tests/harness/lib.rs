//! What the stories and the faults stand on: where the repository is, and the platform to talk to.

mod place;

pub use place::{data, repository};

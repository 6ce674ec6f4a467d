//! What tests stand on: a real nats-server, real databases, and waiting for what must come.

mod nats;
mod port;
mod postgres;
mod wait;

use std::io::Write as _;

pub use nats::Nats;
pub use port::free_port;
pub use postgres::{Postgres, Scratch, Sync};
pub use wait::{eventually, until};

/// Says loudly that a test proves nothing here, and fails where everything is required
/// (`STEWARD_TEST_REQUIRE_ALL=1`).
///
/// # Panics
/// When everything is required.
pub fn skipped(what: &str, because: &str) {
    let required = std::env::var("STEWARD_TEST_REQUIRE_ALL").is_ok_and(|all| all == "1");
    assert!(!required, "{what} is required, but {because}");
    // Past the test harness, which shows what a test prints only when it fails.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}, because {because}");
}

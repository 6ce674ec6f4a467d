//! When a fault strikes: after the load got some way, at a moment that no two rounds share.

use std::time::Duration;

use acceptance::until;

use crate::load::Load;

/// How long the load may stand still: a restart, and all that waited for it.
const GOES_ON: Duration = Duration::from_secs(120);

/// Waits until the load got `further` incidents further.
pub async fn some_way(load: &Load, further: usize) {
    let from = load.count();
    until("the load goes on", GOES_ON, || async { load.count() >= from + further }).await;
}

/// How far the load gets before the fault of a round: 1 to 16 incidents, in no order.
pub fn reach(round: usize) -> usize {
    (round * 7 + 3) % 16 + 1
}

//! What is done now and then: old rows go, what waits is counted, the gateway is told who we are.

use std::time::Duration;

use bus::Bus;
use chrono::TimeDelta;
use contract::Descriptor;
use store::Setback;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{Office, office::chain};

/// How often what waits is counted.
const COUNT: Duration = Duration::from_secs(15);
/// How many counts go by between two prunings.
const PRUNE: u32 = 240;
/// Between two tries to describe ourselves.
const PAUSE: Duration = Duration::from_secs(1);
/// So often the descriptor is put again: a bus that lost its disk learns of us.
const AGAIN: Duration = Duration::from_secs(60);

/// Counts and prunes until `stop`.
pub(super) async fn run(office: Office, keep_hours: u32, stop: CancellationToken) {
    let mut round: u32 = 0;
    loop {
        if let Err(error) = count(&office).await {
            tracing::debug!(error = %chain(&error), "not counted");
        }
        // A clock that is moved by hand may have left the days of what the bus still knows.
        if round.is_multiple_of(PRUNE) && !office.clock.is_manual() {
            let before = office.clock.now() - TimeDelta::hours(keep_hours.into());
            if let Err(error) = office.store.prune(before).await {
                tracing::warn!(error = %chain(&error), "old rows stay");
            }
        }
        round = round.wrapping_add(1);
        tokio::select! {
            () = tokio::time::sleep(COUNT) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn count(office: &Office) -> Result<(), Setback> {
    let unsent = office.store.unsent_count().await?;
    let (parked, dead) = office.store.aside().await?;
    office.metrics.waiting(unsent, parked, dead);
    Ok(())
}

/// Says on the bus what this service is: at once, whenever it changes, and again after every
/// interruption.
pub(super) async fn present(
    bus: Bus,
    mut described: watch::Receiver<Descriptor>,
    stop: CancellationToken,
) {
    loop {
        let descriptor = described.borrow_and_update().clone();
        let said = async {
            bus.connected().await;
            match bus.describe(&descriptor).await {
                Ok(()) => {
                    let _ = tokio::time::timeout(AGAIN, described.changed()).await;
                }
                Err(error) => {
                    tracing::debug!(error = %chain(&error), "not described");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        };
        tokio::select! {
            () = said => {}
            () = stop.cancelled() => return,
        }
    }
}

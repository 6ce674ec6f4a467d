//! A service that runs: its door, its tasks, and its end.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::Router;
use bus::Bus;
use chrono::{DateTime, Utc};
use contract::Descriptor;
use futures::future::BoxFuture;
use tokio::sync::{Mutex, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{glue::StoreLeases, retries::Retries, timers::Timers};
use crate::{
    Office, Settles,
    life::{Life, Served},
};

/// How long a settling service may take for one step: a relay, a consumer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks while it settles.
const LOOK: Duration = Duration::from_millis(5);

/// A started service.
pub struct Running {
    /// The service's whole HTTP surface, for use within the process.
    pub router: Router,
    /// Where it is served, if it is.
    pub address: Option<SocketAddr>,
    /// What it says of itself now.
    pub described: watch::Receiver<Descriptor>,
    pub office: Office,
    pub life: Life,
    pub(super) served: Option<Served>,
    pub(super) tasks: Tasks,
}

/// As of so many writes, and when the next timer or retry is due: nothing but a write changes it.
pub(super) type Due = (u64, Option<DateTime<Utc>>);

/// What goes on behind the door. Clones share it.
#[derive(Clone)]
pub(super) struct Tasks {
    pub office: Office,
    pub bus: Option<Bus>,
    /// Consumers with their streams.
    pub consumers: Arc<[(String, Vec<String>)]>,
    pub timers: Arc<Timers>,
    pub retries: Arc<Retries>,
    pub stop: CancellationToken,
    pub running: TaskTracker,
    /// How often the store had been written to when this was settled last; no such number before.
    pub settled: Arc<AtomicU64>,
    pub due: Arc<Mutex<Option<Due>>>,
}

impl Running {
    /// What a [`crate::Hand`] holds, to move this service's time.
    #[must_use]
    pub fn settles(&self) -> Arc<dyn Settles> {
        Arc::new(self.tasks.clone())
    }

    /// Waits until nothing is left to do now: outbox empty, consumers caught up, no timer or retry
    /// due. Answers whether anything was written since the last time.
    ///
    /// # Errors
    /// When the database fails or it takes more than a minute.
    pub async fn settle(&self) -> anyhow::Result<bool> {
        self.tasks.settle().await
    }

    /// Ends in order: takes no more requests, finishes those in work, gives back its leases and
    /// closes the store; all within `drain` and a few seconds.
    pub async fn stop(self, drain: Duration) {
        self.life.drain();
        if let Some(served) = self.served {
            served.stop(drain).await;
        }
        self.tasks.stop.cancel();
        self.tasks.running.close();
        let ended = tokio::time::timeout(Duration::from_secs(3), self.tasks.running.wait()).await;
        if ended.is_err() {
            tracing::warn!(service = %self.office.service, "tasks were still in work at the end");
        }
        self.office.store.close().await;
        tracing::info!(service = %self.office.service, "stopped");
    }
}

impl Settles for Tasks {
    fn next_due(&self) -> BoxFuture<'_, Option<DateTime<Utc>>> {
        Box::pin(Tasks::next_due(self))
    }

    fn settle(&self) -> BoxFuture<'_, anyhow::Result<bool>> {
        Box::pin(Tasks::settle(self))
    }
}

impl Tasks {
    async fn settle(&self) -> anyhow::Result<bool> {
        let written = self.office.store.written();
        loop {
            self.caught_up().await?;
            let seen = *written.borrow();
            let is_due = self.next_due().await.is_some_and(|due| due <= self.office.clock.now());
            if seen == self.settled.load(Ordering::SeqCst) && !is_due {
                return Ok(false);
            }
            self.retries.pass().await?;
            self.timers.pass().await?;
            self.sent().await?;
            if *written.borrow() == seen {
                // What came from outside between two rounds is work, too: others may have to hear it.
                return Ok(self.settled.swap(seen, Ordering::SeqCst) != seen);
            }
        }
    }

    async fn next_due(&self) -> Option<DateTime<Utc>> {
        // Read before the database is, so that a write meanwhile makes the answer stale.
        let seen = *self.office.store.written().borrow();
        let mut kept = self.due.lock().await;
        if let Some((as_of, due)) = *kept
            && as_of == seen
        {
            return due;
        }
        let timer = self.office.store.next_due().await.ok().flatten();
        let retry = self.retries.next_due().await;
        let due = [timer, retry].into_iter().flatten().min();
        *kept = Some((seen, due));
        due
    }

    /// Waits until the bus has all that the journal has.
    async fn sent(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.bus.as_ref().is_some_and(Bus::is_connected)
            && !self.office.store.unsent(1).await?.is_empty()
        {
            anyhow::ensure!(Instant::now() < deadline, "events of {} wait", self.office.service);
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Waits until the consumers have all that the bus has.
    async fn caught_up(&self) -> anyhow::Result<()> {
        let Some(bus) = self.bus.as_ref().filter(|bus| bus.is_connected()) else { return Ok(()) };
        let places = StoreLeases(self.office.store.clone());
        for (consumer, streams) in self.consumers.iter() {
            let deadline = Instant::now() + PATIENCE;
            loop {
                let standing = bus.standing(consumer, streams, &places).await;
                let standing = standing.map_err(anyhow::Error::from_boxed)?;
                if standing.is_caught_up() {
                    break;
                }
                anyhow::ensure!(Instant::now() < deadline, "{consumer} lags: {standing:?}");
                tokio::time::sleep(LOOK).await;
            }
        }
        Ok(())
    }
}

//! A service that runs: its door, its tasks, and its end.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::Router;
use bus::Bus;
use chrono::{DateTime, Utc};
use contract::Descriptor;
use futures::future::BoxFuture;
use tokio::sync::watch;
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
}

impl Running {
    /// What a [`crate::Hand`] holds, to move this service's time.
    #[must_use]
    pub fn settles(&self) -> Arc<dyn Settles> {
        Arc::new(self.tasks.clone())
    }

    /// Waits until nothing is left to do now: outbox empty, consumers caught up, no timer or retry
    /// due. Answers whether there was anything.
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
        Box::pin(async {
            let timer = self.office.store.next_due().await.ok().flatten();
            let retry = self.retries.next_due().await;
            [timer, retry].into_iter().flatten().min()
        })
    }

    fn settle(&self) -> BoxFuture<'_, anyhow::Result<bool>> {
        Box::pin(Tasks::settle(self))
    }
}

impl Tasks {
    async fn settle(&self) -> anyhow::Result<bool> {
        let written = self.office.store.written();
        let before = *written.borrow();
        loop {
            let seen = *written.borrow();
            self.caught_up().await?;
            self.retries.pass().await?;
            self.timers.pass().await?;
            self.sent().await?;
            if *written.borrow() == seen {
                return Ok(seen != before);
            }
        }
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

//! What was parked is tried again when its time has come.

use std::{sync::Arc, time::Duration};

use bus::Leases as _;
use chrono::{DateTime, Utc};
use store::Setback;
use tokio_util::sync::CancellationToken;

use super::{desk::Counter, glue::StoreLeases};
use crate::{Office, office::chain};

/// Messages of one pass.
const BATCH: u64 = 100;
/// The longest time without a look: another replica's parked messages are not announced here.
const LOOK: Duration = Duration::from_secs(5);
/// Commits are many: not each of them is a reason to look at once.
const COALESCED: Duration = Duration::from_millis(200);
const LEASE: Duration = Duration::from_secs(30);

pub(crate) struct Retries {
    office: Office,
    counters: Vec<Arc<Counter>>,
    owner: String,
    /// A pass at a time: the loop and a moved clock may both ask for one.
    turn: tokio::sync::Mutex<()>,
}

impl Retries {
    pub fn new(office: &Office, counters: Vec<Arc<Counter>>, owner: &str) -> Self {
        let turn = tokio::sync::Mutex::default();
        Self { office: office.clone(), counters, owner: owner.to_owned(), turn }
    }

    /// Tries again what is due, until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        if self.counters.is_empty() {
            return;
        }
        let mut written = self.office.store.written();
        loop {
            written.mark_unchanged();
            let wait = match self.pass().await {
                Ok(_) => self.until_next().await,
                Err(setback) => {
                    tracing::warn!(error = %chain(&setback), "parked messages must wait");
                    LOOK
                }
            };
            tokio::select! {
                // A letter that is sent round again is a commit, too.
                _ = tokio::time::timeout(wait, written.changed()) => {}
                () = stop.cancelled() => return,
            }
            tokio::time::sleep(COALESCED).await;
        }
    }

    async fn until_next(&self) -> Duration {
        match self.next_due().await {
            Some(due) if !self.office.clock.is_manual() => self.office.clock.until(due).min(LOOK),
            _ => LOOK,
        }
    }

    /// When the next parked message is due.
    pub async fn next_due(&self) -> Option<DateTime<Utc>> {
        let mut next = None;
        for counter in &self.counters {
            let due = self.office.store.next_retry(counter.consumer()).await.ok().flatten();
            next = [next, due].into_iter().flatten().min();
        }
        next
    }

    /// Tries all that is due now, each key in its order; answers how many that was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pass(&self) -> Result<usize, Setback> {
        let _turn = self.turn.lock().await;
        let mut tried = 0;
        for counter in &self.counters {
            tried += self.pass_of(counter).await?;
        }
        Ok(tried)
    }

    async fn pass_of(&self, counter: &Counter) -> Result<usize, Setback> {
        let (store, consumer) = (&self.office.store, counter.consumer());
        if store.retries(consumer, self.office.clock.now(), 1).await?.is_empty() {
            return Ok(0);
        }
        // One replica at a time, so that a key's messages go one after the other.
        let leases = StoreLeases(store.clone());
        let name = format!("retries-{consumer}");
        let fence = match leases.acquire(&name, &self.owner, LEASE).await {
            Ok(Some(fence)) => fence,
            Ok(None) => return Ok(0),
            Err(fault) => return Err(Setback::Broken(Arc::from(fault))),
        };
        let (mut tried, mut before) = (0, Vec::new());
        let outcome = loop {
            let due = match store.retries(consumer, self.office.clock.now(), BATCH).await {
                Ok(due) => due,
                Err(setback) => break Err(setback),
            };
            // What is due although it was tried would be so for ever.
            if due.is_empty() || due == before {
                break Ok(tried);
            }
            for waiting in &due {
                // The lease then runs out by itself.
                counter.again(waiting).await?;
                tried += 1;
            }
            before = due;
        };
        let _ = leases.release(&fence).await;
        outcome
    }
}

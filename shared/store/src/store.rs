//! The store of one service: one way in for whatever changes, and readers beside it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use engine::Ruleset;
use kernel::{Actor, Clock};
use sea_orm::DatabaseConnection;
use tokio::sync::{Mutex, Notify, mpsc, oneshot, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Act, Done, Setback, StoreError,
    audience::Audiences,
    batch::{Shared, Verdict},
    dialect::{Pools, Readers},
    fresh::Fresh,
    law::Law,
    schema,
    total::{self, Countings},
    writer::{Queue, Ticket, Urgent, Writer},
};

/// Acts that wait for a writer; callers beyond it wait to be queued.
const QUEUE_LENGTH: usize = 8_192;

/// Where a service keeps its records, and how hard it may work there.
#[derive(Clone, Debug)]
pub struct Options {
    /// `sqlite:///var/lib/steward/incident.db` or `postgres://steward@db/incident`.
    pub url: String,
    /// The service's name: who events come from, and who reactions act as.
    pub service: String,
    /// Batches that are committed at a time; always one on SQLite.
    pub writers: usize,
    /// Acts in one transaction at most.
    pub max_batch: usize,
    /// Connections for reading.
    pub connections: u32,
    /// How the records of processes are counted, by process.
    pub countings: Countings,
}

impl Options {
    /// Four writers (on SQLite one), batches of up to 512, four connections for reading.
    #[must_use]
    pub fn new(url: impl Into<String>, service: impl Into<String>) -> Self {
        let (url, service) = (url.into(), service.into());
        let countings = Countings::new();
        Self { url, service, writers: 4, max_batch: 512, connections: 4, countings }
    }
}

/// A service's records, journal, timers, inbox and outbox. Clones share one set of writers.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    service: String,
    clock: Clock,
    urgent: mpsc::Sender<Urgent>,
    deliveries: mpsc::Sender<Vec<Ticket>>,
    closing: CancellationToken,
    writers: TaskTracker,
    written: Arc<watch::Sender<u64>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("service", &self.inner.service).finish_non_exhaustive()
    }
}

impl Store {
    /// Connects, makes or extends the tables, gives indexed fields their columns and starts the
    /// writers.
    ///
    /// # Errors
    /// The database cannot be reached, says that this binary is too old, or a process indexes more
    /// fields than there are columns.
    pub async fn open(
        options: Options,
        rules: Arc<Ruleset>,
        clock: Clock,
    ) -> Result<Self, StoreError> {
        let pools = Pools::open(&options.url, options.connections, options.writers).await?;
        schema::prepare(&pools.write).await?;
        let law = watch::Sender::new(Arc::new(Law::of(&pools, Arc::clone(&rules)).await?));
        let shared = Arc::new(Shared {
            pools,
            law,
            outdated: Notify::new(),
            adopting: Mutex::new(()),
            audiences: Audiences::default(),
            countings: options.countings.clone(),
            fresh: Fresh::of(&options.service),
            system: Arc::new(Actor::system(&options.service)),
            late: Mutex::new(()),
        });
        let store = Self { inner: Arc::new(Inner::start(shared, &options, clock)) };
        store.adopt(rules).await?;
        total::prepare(&store).await?;
        Ok(store)
    }

    /// Makes or extends the tables of a database, and nothing else. Several at once wait for each other.
    ///
    /// # Errors
    /// The database cannot be reached, or says that this binary is too old.
    pub async fn prepare(options: &Options) -> Result<(), StoreError> {
        let pools = Pools::open(&options.url, 1, 1).await?;
        let prepared = schema::prepare(&pools.write).await;
        pools.close().await;
        prepared
    }

    /// Does one act: decided, committed and on disk when this answers.
    ///
    /// # Errors
    /// Every way in which it was not done; [`Setback::Broken`] when it is unknown whether it was.
    pub async fn act(&self, act: Act) -> Result<Done, Setback> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(vec![Ticket { act, reply }]).await?;
        self.answer(answer).await
    }

    /// Does acts in the given order, each on its own, in as few transactions as batches allow.
    pub async fn act_all(&self, acts: Vec<Act>) -> Vec<Result<Done, Setback>> {
        let count = acts.len();
        let (tickets, answers): (Vec<_>, Vec<_>) = acts
            .into_iter()
            .map(|act| {
                let (reply, answer) = oneshot::channel();
                (Ticket { act, reply }, answer)
            })
            .unzip();
        if let Err(setback) = self.enqueue(tickets).await {
            return vec![Err(setback); count];
        }
        let mut results = Vec::with_capacity(count);
        for answer in answers {
            results.push(self.answer(answer).await);
        }
        results
    }

    async fn enqueue(&self, tickets: Vec<Ticket>) -> Result<(), Setback> {
        let Some(first) = tickets.first() else { return Ok(()) };
        if first.is_command() {
            return self.urge(Urgent::Commands(tickets)).await;
        }
        self.inner.deliveries.send(tickets).await.map_err(|_| closed())
    }

    pub(crate) async fn urge(&self, urgent: Urgent) -> Result<(), Setback> {
        self.inner.urgent.send(urgent).await.map_err(|_| closed())
    }

    async fn answer(&self, answer: oneshot::Receiver<Verdict>) -> Result<Done, Setback> {
        match answer.await.map_err(|_| closed())? {
            Verdict::Done(done) => Ok(done),
            Verdict::Setback(setback) => Err(setback),
            Verdict::Replay { record, revision } => {
                let record = match record {
                    Some(id) => self.record_as_of(id, revision).await?.map(Arc::new),
                    None => None,
                };
                Ok(Done { record, replayed: true, ..Done::default() })
            }
        }
    }

    /// Counts commits of this process: a hint for the relay and the timers to look again.
    #[must_use]
    pub fn written(&self) -> watch::Receiver<u64> {
        self.inner.written.subscribe()
    }

    /// The rules that it decides by now.
    #[must_use]
    pub fn rules(&self) -> Arc<Ruleset> {
        Arc::clone(&self.inner.shared.law().rules)
    }

    /// The service that it belongs to.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.inner.service
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`Setback::Broken`] when it does not.
    pub async fn ping(&self) -> Result<(), Setback> {
        Ok(self.read().ping().await?)
    }

    /// Finishes what is queued, stops the writers and lets go of the database.
    pub async fn close(&self) {
        self.inner.closing.cancel();
        self.inner.writers.wait().await;
        self.inner.shared.pools.close().await;
    }

    pub(crate) fn read(&self) -> &Readers {
        &self.inner.shared.pools.read
    }

    pub(crate) fn write(&self) -> &DatabaseConnection {
        &self.inner.shared.pools.write
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.inner.shared
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.inner.clock.now()
    }

    /// Tells those who wait on [`Store::written`] that there is something new.
    pub(crate) fn hint(&self) {
        self.inner.written.send_modify(|commits| *commits += 1);
    }
}

impl Inner {
    fn start(shared: Arc<Shared>, options: &Options, clock: Clock) -> Self {
        let (urgent, urgent_queued) = mpsc::channel(QUEUE_LENGTH);
        let (deliveries, deliveries_queued) = mpsc::channel(QUEUE_LENGTH);
        let (closing, writers) = (CancellationToken::new(), TaskTracker::new());
        let max_batch = options.max_batch.max(1);
        let queue = Queue::new(urgent_queued, deliveries_queued, closing.clone(), max_batch);
        let queue = Arc::new(Mutex::new(queue));
        let written = Arc::new(watch::channel(0).0);
        let count = match shared.pools.backend() {
            sea_orm::DbBackend::Sqlite => 1,
            _ => options.writers.max(1),
        };
        for _ in 0..count {
            let writer = Writer::new(
                Arc::clone(&shared),
                Arc::clone(&queue),
                Arc::clone(&written),
                max_batch,
            );
            writers.spawn(writer.run());
        }
        writers.close();
        let service = options.service.clone();
        Self { shared, service, clock, urgent, deliveries, closing, writers, written }
    }
}

impl Drop for Inner {
    /// Writers of a store that nobody holds any more end after what is queued.
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

pub(crate) fn closed() -> Setback {
    Setback::broken("the store is closed")
}

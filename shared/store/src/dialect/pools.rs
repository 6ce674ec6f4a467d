//! The connections of a store, and how each is set.

use std::{str::FromStr, time::Duration};

use sea_orm::{DatabaseConnection, DbBackend, SqlxPostgresConnector, SqlxSqliteConnector};
use sqlx::{
    Connection, Executor, PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{Readers, postgres, sqlite};
use crate::StoreError;

/// A caller waits this long for a connection before it is told that the database does not answer.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
/// Another process may hold a SQLite file for as long as a backup of it takes to read a page.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection that lay idle for longer is asked whether it is alive before it is used.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// A connection that reads SQLite is a thread with the schema and a cache of its own. They take turns, so
/// that none lies idle for long: each is let go of after so long, and made anew while it is needed.
const READER_LIVES: Duration = Duration::from_secs(10);
/// Besides the writers: leases, the inbox and the outbox write too.
const SMALL_WRITERS: u32 = 2;

/// Hot statements have one text and one good plan, by index: the planner must not be led astray by
/// tables that were empty when it looked. Look-ups of many keys are lateral ones of one row, because it
/// would also walk what it takes for a small table once for each key.
const WRITER_SETTINGS: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
     SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off; \
     SET idle_in_transaction_session_timeout = '60s'";

/// A page is small, whatever the planner thinks of the way there: helpers that are started for it, or
/// code that is compiled for it, take longer than it does.
const READER_SETTINGS: &str = "SET max_parallel_workers_per_gather = 0; SET jit = off";

/// The connections of a store: some that read, and those that write.
#[derive(Clone, Debug)]
pub(crate) struct Pools {
    pub(crate) read: Readers,
    /// The same connections that the batches are written through.
    pub(crate) write: DatabaseConnection,
    pub(crate) batches: Batches,
}

#[derive(Clone, Debug)]
pub(crate) enum Batches {
    Postgres(PgPool),
    Sqlite(SqlitePool),
}

impl Pools {
    pub(crate) async fn open(url: &str, readers: u32, writers: usize) -> Result<Self, StoreError> {
        if url.starts_with("sqlite:") {
            Self::open_sqlite(url, readers).await
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Self::open_postgres(url, readers, writers).await
        } else {
            let scheme = url.split(':').next().unwrap_or_default().to_owned();
            Err(StoreError::Scheme { scheme })
        }
    }

    async fn open_sqlite(url: &str, readers: u32) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An answer is only given once the commit is on disk.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true);
        let writing = options
            .clone()
            // What a statement would need to be undone stays in memory, and so do a batch's pages
            // until its commit: both would be written to disk for nothing.
            .pragma("temp_store", "memory")
            .pragma("cache_size", "-8192")
            .pragma("cache_spill", "false")
            // A page that many batches change is copied into the database once.
            .pragma("wal_autocheckpoint", "4000");
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .min_connections(1)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
        };
        // One writer at a time is all that SQLite has: waiting in line for its one connection is
        // fair and sleeps no busy loop.
        let batches = pool(1).connect_with(writing).await?;
        sqlite::gather_statistics(&mut *batches.acquire().await?).await?;
        let count = readers.clamp(1, sqlite_readers());
        let readers = pool(count).max_lifetime(READER_LIVES).connect_with(options).await?;
        Ok(Self {
            read: Readers::new(SqlxSqliteConnector::from_sqlx_sqlite_pool(readers), count),
            write: SqlxSqliteConnector::from_sqlx_sqlite_pool(batches.clone()),
            batches: Batches::Sqlite(batches),
        })
    }

    async fn open_postgres(url: &str, readers: u32, writers: usize) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)?.application_name("steward");
        let pool = |connections: u32| {
            PgPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .test_before_acquire(false)
                // Asking each time would double the trips of a small query; a connection that was
                // in use just now is most likely alive.
                .before_acquire(|connection, rest| {
                    Box::pin(async move {
                        Ok(rest.idle_for < TRUSTED_FOR || connection.ping().await.is_ok())
                    })
                })
        };
        let writers = u32::try_from(writers).unwrap_or(1) + SMALL_WRITERS;
        let set = |connections: u32, settings: &'static str| {
            pool(connections).after_connect(move |connection, _| {
                Box::pin(async move { connection.execute(settings).await.map(drop) })
            })
        };
        let batches = set(writers, WRITER_SETTINGS).connect_with(options.clone()).await?;
        let count = readers.max(1);
        let readers = set(count, READER_SETTINGS).connect_with(options).await?;
        Ok(Self {
            read: Readers::new(SqlxPostgresConnector::from_sqlx_postgres_pool(readers), count),
            write: SqlxPostgresConnector::from_sqlx_postgres_pool(batches.clone()),
            batches: Batches::Postgres(batches),
        })
    }

    pub(crate) fn backend(&self) -> DbBackend {
        match self.batches {
            Batches::Postgres(_) => DbBackend::Postgres,
            Batches::Sqlite(_) => DbBackend::Sqlite,
        }
    }

    /// The last sequence number of the journal before which nothing can appear any more; `None` while
    /// the journal is empty, or when transactions of that time would not end.
    pub(crate) async fn settled(&self) -> Result<Option<i64>, sqlx::Error> {
        match &self.batches {
            Batches::Postgres(pool) => postgres::settled(pool).await,
            Batches::Sqlite(_) => sqlite::settled(self.read.sqlite()).await,
        }
    }

    pub(crate) async fn close(&self) {
        match &self.batches {
            Batches::Postgres(pool) => pool.close().await,
            Batches::Sqlite(pool) => pool.close().await,
        }
        // The pool is closed either way; what it could not say goodbye to is gone already.
        let _ = self.read.close().await;
    }
}

/// A connection to SQLite is a thread that works here, with the schema in memory: more of them than
/// there are processors answer nothing sooner.
fn sqlite_readers() -> u32 {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(processors).unwrap_or(u32::MAX)
}

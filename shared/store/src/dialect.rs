//! The two databases behind one door: where hot statements are written by hand, in fixed texts.

#[macro_use]
mod plain;

mod attached;
mod postgres;
mod published;
mod readers;
mod sqlite;

use std::{borrow::Cow, collections::BTreeSet, str::FromStr, time::Duration};

use engine::{Bond, Link};
use sea_orm::{DatabaseConnection, DbBackend, SqlxPostgresConnector, SqlxSqliteConnector};
use sqlx::{
    Connection, Executor, PgPool, Postgres, Sqlite, SqlitePool, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use uuid::Uuid;

pub(crate) use self::readers::Readers;
use crate::{
    StoreError,
    row::{
        ClosingRow, HolderKey, JournalRow, Kept, Loaded, MarkRow, NewLink, OnceRow, RecordRow,
        Recount, RefusalRow, TieKey, TieRow, TimerRow, TotalKey,
    },
    search::PassageKey,
    slot::Columns,
};

/// A caller waits this long for a connection before it is told that the database does not answer.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
/// Another process may hold a SQLite file for as long as a backup of it takes to read a page.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection that lay idle for longer is asked whether it is alive before it is used.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// Besides the writers: leases, the inbox and the outbox write too.
const SMALL_WRITERS: u32 = 2;

/// Hot statements have one text and one good plan, by index: the planner must not be led astray by
/// tables that were empty when it looked. Look-ups of many keys are lateral ones of one row, because it
/// would also walk what it takes for a small table once for each key.
const WRITER_SETTINGS: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
     SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off; \
     SET idle_in_transaction_session_timeout = '60s'";

/// Why a transaction could not go on.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A row that was found to be needed late is locked by somebody else: begin anew, and lock it
    /// together with the others, in order.
    Contended,
    /// Somebody else wrote the same key between our look and our write.
    Raced,
    /// Newer rules are in force than those that were about to be decided by.
    Outdated,
    Database(sqlx::Error),
}

impl Failure {
    /// Whether the same transaction may well succeed when it is tried again.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Contended | Self::Raced | Self::Outdated => true,
            Self::Database(fault) => is_passing(fault),
        }
    }
}

impl From<Failure> for sqlx::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Contended => Self::Protocol("a row stayed locked by others".into()),
            Failure::Raced => Self::Protocol("others kept writing the same key".into()),
            Failure::Outdated => {
                Self::Protocol("newer rules are in force than are known here".into())
            }
            Failure::Database(fault) => fault,
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(fault: sqlx::Error) -> Self {
        // 55P03: lock_not_available, the answer to NOWAIT.
        if code_of(&fault).as_deref() == Some("55P03") {
            Self::Contended
        } else {
            Self::Database(fault)
        }
    }
}

fn code_of(fault: &sqlx::Error) -> Option<Cow<'_, str>> {
    fault.as_database_error()?.code()
}

fn is_passing(fault: &sqlx::Error) -> bool {
    if is_broken_connection(fault) {
        return true;
    }
    // Serialisation failure, deadlock, unique violation; SQLite's constraint and busy codes.
    let codes = ["40001", "40P01", "23505", "1555", "2067", "5", "517"];
    code_of(fault).is_some_and(|code| codes.contains(&code.as_ref()))
}

/// Whether the connection is at fault, so that what was sent last may or may not have been done.
pub(crate) fn is_broken_connection(fault: &sqlx::Error) -> bool {
    if matches!(
        fault,
        sqlx::Error::Io(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::WorkerCrashed
    ) {
        return true;
    }
    // Class 57P: the server shuts down, crashed, or is starting up; class 08: connection lost.
    code_of(fault).is_some_and(|code| code.starts_with("57P") || code.starts_with("08"))
}

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
        let readers = pool(count).connect_with(options).await?;
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
        let batches = pool(writers)
            .after_connect(|connection, _| {
                Box::pin(async move { connection.execute(WRITER_SETTINGS).await.map(drop) })
            })
            .connect_with(options.clone())
            .await?;
        let count = readers.max(1);
        let readers = pool(count).connect_with(options).await?;
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
/// keep the processors busy answer nothing sooner.
fn sqlite_readers() -> u32 {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(2 * processors).unwrap_or(u32::MAX)
}

/// One transaction of a batch.
pub(crate) enum Tx {
    Postgres(Transaction<'static, Postgres>),
    Sqlite(Transaction<'static, Sqlite>),
}

/// Calls the function of the same name in the dialect's own file.
macro_rules! either {
    ($self:expr, $name:ident ( $($argument:expr),* )) => {
        match $self {
            Tx::Postgres(tx) => postgres::$name(&mut **tx $(, $argument)*).await.map_err(Failure::from),
            Tx::Sqlite(tx) => sqlite::$name(&mut **tx $(, $argument)*).await.map_err(Failure::from),
        }
    };
}

/// Whether to wait for a lock that somebody else holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lock {
    Wait,
    /// Late needs would be locked out of order, which can deadlock: say [`Failure::Contended`].
    NoWait,
}

impl Tx {
    pub(crate) async fn begin(batches: &Batches) -> Result<Self, Failure> {
        Ok(match batches {
            Batches::Postgres(pool) => Self::Postgres(pool.begin().await?),
            // Deferred transactions that read and then write fail when another has written.
            Batches::Sqlite(pool) => Self::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
        })
    }

    pub(crate) async fn commit(self) -> Result<(), Failure> {
        let committed = match self {
            Self::Postgres(tx) => tx.commit().await,
            Self::Sqlite(tx) => tx.commit().await,
        };
        Ok(committed?)
    }

    pub(crate) async fn rollback(self) {
        // A connection that cannot roll back is closed, which rolls back.
        let _ = match self {
            Self::Postgres(tx) => tx.rollback().await,
            Self::Sqlite(tx) => tx.rollback().await,
        };
    }

    pub(crate) async fn ids(&mut self, numbers: &[&str]) -> Result<Vec<(String, Uuid)>, Failure> {
        either!(self, ids(numbers))
    }

    /// Reads records under their locks, taken in the order of their ids.
    pub(crate) async fn records(
        &mut self,
        ids: &[Uuid],
        lock: Lock,
    ) -> Result<Vec<Loaded>, Failure> {
        either!(self, records(ids, lock))
    }

    pub(crate) async fn audiences(&mut self, ids: &[i32]) -> Result<Vec<(i32, String)>, Failure> {
        either!(self, audiences(ids))
    }

    /// The number of a set of tokens, made when it is new.
    pub(crate) async fn audience_set(
        &mut self,
        digest: &[u8],
        text: &str,
        tokens: &[&str],
    ) -> Result<i32, Failure> {
        either!(self, audience_set(digest, text, tokens))
    }

    pub(crate) async fn holders(
        &mut self,
        keys: &[&HolderKey],
        lock: Lock,
    ) -> Result<Vec<(HolderKey, Uuid)>, Failure> {
        either!(self, holders(keys, lock))
    }

    /// Idempotency keys that were used before.
    pub(crate) async fn onces(&mut self, keys: &[(&str, &str)]) -> Result<Vec<OnceRow>, Failure> {
        either!(self, onces(keys))
    }

    /// Consumer, message and state of the deliveries that the inbox has.
    pub(crate) async fn marks(
        &mut self,
        keys: &[(&str, &str)],
    ) -> Result<Vec<(String, String, String)>, Failure> {
        either!(self, marks(keys))
    }

    /// The tokens of leases, kept from changing until the commit.
    pub(crate) async fn fences(&mut self, names: &[&str]) -> Result<Vec<(String, i64)>, Failure> {
        either!(self, fences(names))
    }

    /// The last number given to a process, and the edition under which it was published last; both
    /// kept from changing until the commit.
    pub(crate) async fn counter(&mut self, process: &str) -> Result<(i64, i64), Failure> {
        either!(self, counter(process))
    }

    pub(crate) async fn is_linked(
        &mut self,
        record: Uuid,
        relation: &str,
        other: Uuid,
    ) -> Result<bool, Failure> {
        either!(self, is_linked(record, relation, other))
    }

    /// The records that one is tied to as it calls it, by whichever end.
    pub(crate) async fn tied(
        &mut self,
        record: Uuid,
        relation: &str,
        limit: usize,
    ) -> Result<Vec<Uuid>, Failure> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        either!(self, tied(record, relation, limit))
    }

    /// What records are tied to, by whichever end.
    pub(crate) async fn bonds(&mut self, ids: &[Uuid]) -> Result<Vec<(Uuid, Bond)>, Failure> {
        either!(self, bonds(ids))
    }

    pub(crate) async fn is_tied(&mut self, key: &TieKey) -> Result<bool, Failure> {
        either!(self, is_tied(key))
    }

    /// Writes what every step changes, and of the columns with an index of their own those named.
    pub(crate) async fn update_records(
        &mut self,
        columns: Columns,
        rows: &[RecordRow<'_>],
    ) -> Result<(), Failure> {
        either!(self, update_records(columns, rows))
    }

    pub(crate) async fn insert_records(&mut self, rows: &[RecordRow<'_>]) -> Result<(), Failure> {
        either!(self, insert_records(rows))
    }

    /// Journal rows, each with its place in the outbox.
    pub(crate) async fn insert_journal(&mut self, rows: &[JournalRow]) -> Result<(), Failure> {
        either!(self, insert_journal(rows))
    }

    pub(crate) async fn clear_outbox(&mut self, seqs: &[i64]) -> Result<(), Failure> {
        either!(self, clear_outbox(seqs))
    }

    pub(crate) async fn clear_timers(&mut self, records: &[Uuid]) -> Result<(), Failure> {
        either!(self, clear_timers(records))
    }

    pub(crate) async fn drop_timers(&mut self, timers: &[(Uuid, &str)]) -> Result<(), Failure> {
        either!(self, drop_timers(timers))
    }

    pub(crate) async fn insert_timers(&mut self, rows: &[TimerRow<'_>]) -> Result<(), Failure> {
        either!(self, insert_timers(rows))
    }

    pub(crate) async fn insert_links(&mut self, rows: &[NewLink]) -> Result<(), Failure> {
        either!(self, insert_links(rows))
    }

    /// Takes links away that one of their ends called so, whichever made them.
    pub(crate) async fn drop_links(&mut self, links: &[(Uuid, Link)]) -> Result<(), Failure> {
        either!(self, drop_links(links))
    }

    pub(crate) async fn drop_ties(&mut self, keys: &BTreeSet<TieKey>) -> Result<(), Failure> {
        either!(self, drop_ties(keys))
    }

    /// New ties, and what became known of others.
    pub(crate) async fn put_ties(&mut self, rows: &[(&TieKey, &TieRow)]) -> Result<(), Failure> {
        either!(self, put_ties(rows))
    }

    /// The journal of a record, oldest first.
    pub(crate) async fn entries(&mut self, record: Uuid) -> Result<Vec<Kept>, Failure> {
        either!(self, entries(record))
    }

    /// Takes the content of revisions out of the journal.
    pub(crate) async fn erase(&mut self, record: Uuid, revisions: &[i64]) -> Result<(), Failure> {
        either!(self, erase(record, revisions))
    }

    /// The words of passages, in place of those that were there.
    pub(crate) async fn put_passages(
        &mut self,
        rows: &[(&PassageKey, &str)],
    ) -> Result<(), Failure> {
        either!(self, put_passages(rows))
    }

    pub(crate) async fn insert_holders(
        &mut self,
        rows: &[(&HolderKey, Uuid)],
    ) -> Result<(), Failure> {
        either!(self, insert_holders(rows))
    }

    pub(crate) async fn move_holders(
        &mut self,
        rows: &[(&HolderKey, Uuid)],
    ) -> Result<(), Failure> {
        either!(self, move_holders(rows))
    }

    pub(crate) async fn set_counters(&mut self, rows: &[(&str, i64)]) -> Result<(), Failure> {
        either!(self, set_counters(rows))
    }

    pub(crate) async fn insert_onces(&mut self, rows: &[OnceRow]) -> Result<(), Failure> {
        either!(self, insert_onces(rows))
    }

    pub(crate) async fn put_marks(&mut self, rows: &[MarkRow]) -> Result<(), Failure> {
        either!(self, put_marks(rows))
    }

    pub(crate) async fn add_tallies(&mut self, rows: &[(&str, &str, i64)]) -> Result<(), Failure> {
        either!(self, add_tallies(rows))
    }

    /// Keeps all others from changing totals until the commit.
    pub(crate) async fn lock_totals(&mut self) -> Result<(), Failure> {
        either!(self, lock_totals())
    }

    /// Lets this transaction stand still for as long as it takes to read and count millions.
    pub(crate) async fn take_time(&mut self) -> Result<(), Failure> {
        either!(self, take_time())
    }

    pub(crate) async fn add_totals(&mut self, rows: &[(&TotalKey, i64)]) -> Result<(), Failure> {
        either!(self, add_totals(rows))
    }

    /// By which version of its counting a process was counted.
    pub(crate) async fn counting(&mut self, process: &str) -> Result<Option<i32>, Failure> {
        either!(self, counting(process))
    }

    /// Forgets the totals of a process, to be counted anew by a version of its counting.
    pub(crate) async fn forget_totals(
        &mut self,
        process: &str,
        version: i32,
    ) -> Result<(), Failure> {
        either!(self, forget_totals(process, version))
    }

    /// The spans of these processes that are closed, and end after `after`.
    pub(crate) async fn closings(
        &mut self,
        processes: &[&str],
        after: i64,
    ) -> Result<Vec<ClosingRow>, Failure> {
        either!(self, closings(processes, after))
    }

    /// Keeps the totals of a span as they are now.
    pub(crate) async fn close_span(
        &mut self,
        row: &ClosingRow,
        parts: &[(i32, i64, i64)],
    ) -> Result<(), Failure> {
        either!(self, close_span(row, parts))
    }

    pub(crate) async fn insert_restatements(
        &mut self,
        rows: &[(Uuid, &Recount)],
    ) -> Result<(), Failure> {
        either!(self, insert_restatements(rows))
    }

    pub(crate) async fn insert_refusals(&mut self, rows: &[RefusalRow]) -> Result<(), Failure> {
        either!(self, insert_refusals(rows))
    }
}

/// Reads a [`Loaded`] from a row whose columns stand in the order of [`RECORD_COLUMNS`].
macro_rules! loaded {
    ($row:expr) => {{
        let row = $row;
        let data: &str = row.try_get(6)?;
        let data = serde_json::from_str(data).map_err(|fault| sqlx::Error::Decode(fault.into()))?;
        let head: &[u8] = row.try_get(13)?;
        Ok(crate::row::Loaded {
            record: engine::Record {
                id: row.try_get(0)?,
                process: row.try_get(1)?,
                number: row.try_get(2)?,
                definition: row.try_get::<i32, _>(3)?.cast_unsigned(),
                state: row.try_get(4)?,
                revision: row.try_get::<i64, _>(5)?.cast_unsigned(),
                data,
                audience: Vec::new(),
                opened_at: row.try_get(8)?,
                updated_at: row.try_get(9)?,
                entered_at: row.try_get(10)?,
                closed_at: row.try_get(11)?,
                opened_by: row.try_get(12)?,
                links: engine::Links::default(),
            },
            audience: row.try_get(7)?,
            head: head.try_into().map_err(|_| sqlx::Error::Decode("a head hash is cut".into()))?,
            edition: row.try_get::<Option<i64>, _>(14)?.unwrap_or_default(),
        })
    }};
}
pub(crate) use loaded;

/// The links of records, by whichever end; `{ids}` stands for the ids asked for.
const BONDS: &str = "SELECT record_id, relation, other_id, other_number, other_process, 1 = 1 \
    FROM link WHERE record_id {ids} \
    UNION ALL SELECT l.other_id, l.inverse, r.id, r.number, r.process, 1 = 1 \
    FROM link AS l JOIN record AS r ON r.id = l.record_id WHERE l.other_id {ids} \
    UNION ALL SELECT record_id, relation, other_id, other_number, other_process, \
    other_audience IS NOT NULL FROM tie WHERE record_id {ids}";

/// Reads one of them.
macro_rules! bond {
    ($row:expr) => {{
        let row = $row;
        let id: Option<uuid::Uuid> = row.try_get(2)?;
        let (number, process) = (row.try_get(3)?, row.try_get(4)?);
        let to = engine::Linked { id: id.unwrap_or_default(), number, process };
        let (relation, is_confirmed) = (row.try_get(1)?, row.try_get(5)?);
        Ok((row.try_get(0)?, engine::Bond { relation, to, is_confirmed }))
    }};
}
pub(crate) use bond;

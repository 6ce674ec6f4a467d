//! The two databases behind one door: where hot statements are written by hand, in fixed texts.

#[macro_use]
mod plain;

mod attached;
mod failure;
mod pools;
mod postgres;
mod published;
mod readers;
mod sqlite;

use std::collections::BTreeSet;

use engine::{Bond, Link};
use sqlx::{Postgres, Sqlite, Transaction};
use uuid::Uuid;

pub(crate) use self::{
    failure::{Failure, is_broken_connection},
    pools::{Batches, Pools},
    readers::Readers,
};
use crate::{
    Sent,
    row::{
        ClosingRow, HolderKey, JournalRow, Kept, Loaded, MarkRow, NewLink, OnceRow, RecordRow,
        Recount, RefusalRow, TieKey, TieRow, TimerRow, TotalKey,
    },
    search::PassageKey,
    slot::Columns,
};

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
        let rows = either!(self, holders(keys, lock))?.into_iter();
        Ok(rows.map(|(process, key, record)| (HolderKey { process, key }, record)).collect())
    }

    /// Idempotency keys that were used before.
    pub(crate) async fn onces(&mut self, keys: &[(&str, &str)]) -> Result<Vec<OnceRow>, Failure> {
        Ok(either!(self, onces(keys))?.into_iter().map(OnceRow::from).collect())
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
    pub(crate) async fn counter(
        &mut self,
        process: &str,
        lock: Lock,
    ) -> Result<(i64, i64), Failure> {
        either!(self, counter(process, lock))
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

    /// Journal rows, each with its place in the outbox; answers these, or none where it is not known
    /// which row is where.
    pub(crate) async fn insert_journal(
        &mut self,
        rows: &[JournalRow],
    ) -> Result<Vec<i64>, Failure> {
        either!(self, insert_journal(rows))
    }

    pub(crate) async fn clear_outbox(&mut self, sent: &Sent) -> Result<(), Failure> {
        either!(self, clear_outbox(sent))
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
        Ok(either!(self, entries(record))?.into_iter().map(Kept::from).collect())
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
        let rows = either!(self, closings(processes, after))?;
        Ok(rows.into_iter().map(ClosingRow::from).collect())
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

//! What acts change: records, the journal with its outbox, and timers.

use std::fmt::Write as _;

use sqlx::{SqliteConnection, query};
use uuid::Uuid;

use super::{Done, hexed, insert, json};
use crate::{
    Sent,
    row::{JournalRow, RecordRow, TimerRow},
    slot::Columns,
};

/// New rows and changed ones alike. Of a row that is there only what changes is taken: a column that
/// is set is written to its index even where it stays the same.
async fn put_records(db: &mut SqliteConnection, columns: Columns, rows: &[RecordRow<'_>]) -> Done {
    const HEAD: &str = "INSERT INTO record (id, process, number, definition, state, revision, data, \
        audience, opened_at, updated_at, entered_at, closed_at, opened_by, partition, head, \
        text1, text2, text3, text4, text5, text6, text7, text8, \
        number1, number2, number3, number4, time1, time2, time3, time4)";
    const TAIL: &str = "ON CONFLICT (id) DO UPDATE SET definition = excluded.definition, \
        state = excluded.state, revision = excluded.revision, data = excluded.data, \
        updated_at = excluded.updated_at, entered_at = excluded.entered_at, \
        closed_at = excluded.closed_at, head = excluded.head";
    let mut tail = TAIL.to_owned();
    for column in columns.names() {
        let _ = write!(tail, ", {column} = excluded.{column}");
    }
    insert(&mut *db, HEAD, 31, &tail, rows, |sql, row| {
        let record = row.record;
        let mut sql = sql
            .bind(record.id)
            .bind(record.process.as_str())
            .bind(record.number.as_str())
            .bind(record.definition)
            .bind(record.state.as_str())
            .bind(record.revision.cast_signed())
            .bind(row.data)
            .bind(row.audience)
            .bind(record.opened_at)
            .bind(record.updated_at)
            .bind(record.entered_at)
            .bind(record.closed_at)
            .bind(record.opened_by.as_str())
            .bind(kernel::partition_of(record.id))
            .bind(row.head.as_slice());
        for text in &row.slots.text {
            sql = sql.bind(text.as_deref());
        }
        for number in row.slots.number {
            sql = sql.bind(number);
        }
        for time in row.slots.time {
            sql = sql.bind(time);
        }
        sql
    })
    .await?;
    put_standings(db, rows).await
}

async fn put_standings(db: &mut SqliteConnection, rows: &[RecordRow<'_>]) -> Done {
    const HEAD: &str = "INSERT INTO standing (record_id, process, state, updated_at, closed_at)";
    const TAIL: &str = "ON CONFLICT (record_id) DO UPDATE SET state = excluded.state, \
        updated_at = excluded.updated_at, closed_at = excluded.closed_at";
    insert(db, HEAD, 5, TAIL, rows, |sql, RecordRow { record, .. }| {
        sql.bind(record.id)
            .bind(record.process.as_str())
            .bind(record.state.as_str())
            .bind(record.updated_at)
            .bind(record.closed_at)
    })
    .await
    .map(drop)
}

pub(in crate::dialect) async fn update_records(
    db: &mut SqliteConnection,
    columns: Columns,
    rows: &[RecordRow<'_>],
) -> Done {
    put_records(db, columns, rows).await
}

pub(in crate::dialect) async fn insert_records(
    db: &mut SqliteConnection,
    rows: &[RecordRow<'_>],
) -> Done {
    put_records(db, Columns::default(), rows).await
}

pub(in crate::dialect) async fn insert_journal(
    db: &mut SqliteConnection,
    rows: &[JournalRow],
) -> Result<Vec<i64>, sqlx::Error> {
    const HEAD: &str = "INSERT INTO journal (event_id, record_id, revision, process, number, \
        event_type, at, occurred_at, actor, audience, correlation, causation, traceparent, payload, \
        salt, digest, link)";
    let written = insert(db, HEAD, 17, "", rows, |sql, row| {
        sql.bind(row.event_id)
            .bind(row.record.id)
            .bind(row.revision())
            .bind(row.record.process.as_str())
            .bind(row.record.number.as_str())
            .bind(row.event_type.as_str())
            .bind(row.cause.at)
            .bind(row.cause.when())
            .bind(row.cause.actor.id.as_str())
            .bind(row.audience.text.as_str())
            .bind(row.cause.correlation)
            .bind(row.cause.causation.as_deref())
            .bind(row.cause.traceparent.as_deref())
            .bind(row.payload.as_slice())
            .bind(row.salt.as_slice())
            .bind(row.digest.as_slice())
            .bind(row.link.as_slice())
    })
    .await?;
    // Nobody else inserts, so they are numbered one after the other.
    let (last, count) = (written.last_insert_rowid(), written.rows_affected().cast_signed());
    let first = last + 1 - count;
    let sql = "INSERT INTO unsent (seq, events) VALUES (?, ?)";
    query(sql).bind(first).bind(count).execute(db).await?;
    Ok((first..=last).collect())
}

pub(in crate::dialect) async fn clear_outbox(db: &mut SqliteConnection, sent: &Sent) -> Done {
    let sql = "DELETE FROM unsent WHERE seq IN (SELECT value FROM json_each(?))";
    query(sql).bind(json(&sent.bundles)).execute(&mut *db).await?;
    if sent.left.is_empty() {
        return Ok(());
    }
    let sql = "INSERT OR IGNORE INTO unsent (seq) SELECT value FROM json_each(?)";
    query(sql).bind(json(&sent.left)).execute(db).await.map(drop)
}

pub(in crate::dialect) async fn clear_timers(db: &mut SqliteConnection, records: &[Uuid]) -> Done {
    let sql = "DELETE FROM timer WHERE record_id IN (SELECT unhex(value) FROM json_each(?))";
    query(sql).bind(hexed(records)).execute(db).await.map(drop)
}

pub(in crate::dialect) async fn drop_timers(
    db: &mut SqliteConnection,
    timers: &[(Uuid, &str)],
) -> Done {
    let sql = "DELETE FROM timer WHERE record_id = ? AND transition = ?";
    for (record, transition) in timers {
        query(sql).bind(*record).bind(*transition).execute(&mut *db).await?;
    }
    Ok(())
}

pub(in crate::dialect) async fn insert_timers(
    db: &mut SqliteConnection,
    rows: &[TimerRow<'_>],
) -> Done {
    let head = "INSERT INTO timer (record_id, transition, process, due_at)";
    insert(db, head, 4, "", rows, |sql, row| {
        sql.bind(row.record).bind(row.transition).bind(row.process).bind(row.due)
    })
    .await
    .map(drop)
}

//! PostgreSQL: arrays in, one statement a table, rows locked in one order.

use std::{collections::BTreeSet, time::Duration};

use chrono::{DateTime, Utc};
use engine::{Bond, Link};
use sqlx::{
    AssertSqlSafe, PgConnection, PgPool, Postgres, Row,
    postgres::{PgArguments, PgRow},
    query,
};
use uuid::Uuid;

use super::{BONDS, Failure, Lock, bond, loaded};
use crate::{
    row::{
        ClosingRow, HolderKey, JournalRow, Kept, Loaded, MarkRow, NewLink, OnceRow, RecordRow,
        Recount, RefusalRow, TieKey, TieRow, TimerRow, TotalKey,
    },
    search::PassageKey,
    slot::Columns,
};

/// Looks for the end of transactions that write to the journal, and the time between two of them.
const SETTLING_LOOKS: u32 = 100;
const SETTLING_PAUSE: Duration = Duration::from_millis(50);

type Done = Result<(), sqlx::Error>;
type Query<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

/// One column of the rows, as an array.
fn each<'a, R, T>(rows: &'a [R], column: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(column).collect()
}

/// Sequence numbers commit out of order. Whoever may still commit one below the last that is visible
/// now is writing to the journal now: once all of those have ended, it is settled.
pub(super) async fn settled(db: &PgPool) -> Result<Option<i64>, sqlx::Error> {
    const WRITING: &str = "SELECT virtualtransaction FROM pg_locks \
        WHERE relation = 'journal'::regclass AND mode = 'RowExclusiveLock' AND granted \
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let last = query("SELECT max(seq) FROM journal").fetch_one(db).await?.try_get(0)?;
    let mut writing: Option<Vec<String>> = None;
    for _ in 0..SETTLING_LOOKS {
        let rows = query(WRITING).fetch_all(db).await?;
        let now: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        let then = writing.get_or_insert_with(|| now.clone());
        then.retain(|transaction| now.contains(transaction));
        if then.is_empty() {
            return Ok(last);
        }
        tokio::time::sleep(SETTLING_PAUSE).await;
    }
    Ok(None)
}

pub(super) async fn ids(
    db: &mut PgConnection,
    numbers: &[&str],
) -> Result<Vec<(String, Uuid)>, sqlx::Error> {
    let sql = "SELECT number, id FROM record WHERE number = ANY($1)";
    let rows = query(sql).bind(numbers).fetch_all(db).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

pub(super) async fn records(
    db: &mut PgConnection,
    ids: &[Uuid],
    lock: Lock,
) -> Result<Vec<Loaded>, sqlx::Error> {
    const WAIT: &str = "SELECT id, process, number, definition, state, revision, data, audience, \
        opened_at, updated_at, entered_at, closed_at, opened_by, head, \
        (SELECT max(edition) FROM present) \
        FROM record WHERE id = ANY($1) ORDER BY id FOR UPDATE";
    const NO_WAIT: &str = "SELECT id, process, number, definition, state, revision, data, audience, \
        opened_at, updated_at, entered_at, closed_at, opened_by, head, \
        (SELECT max(edition) FROM present) \
        FROM record WHERE id = ANY($1) ORDER BY id FOR UPDATE NOWAIT";
    let sql = if lock == Lock::Wait { WAIT } else { NO_WAIT };
    let rows = query(sql).bind(ids).fetch_all(db).await?;
    rows.iter().map(|row: &PgRow| loaded!(row)).collect()
}

pub(super) async fn audiences(
    db: &mut PgConnection,
    ids: &[i32],
) -> Result<Vec<(i32, String)>, sqlx::Error> {
    let sql = "SELECT id, tokens FROM audience_set WHERE id = ANY($1)";
    let rows = query(sql).bind(ids).fetch_all(db).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

pub(super) async fn audience_set(
    db: &mut PgConnection,
    digest: &[u8],
    text: &str,
    tokens: &[&str],
) -> Result<i32, sqlx::Error> {
    let sql = "INSERT INTO audience_set (digest, tokens) VALUES ($1, $2) \
        ON CONFLICT (digest) DO NOTHING";
    query(sql).bind(digest).bind(text).execute(&mut *db).await?;
    let sql = "SELECT id FROM audience_set WHERE digest = $1";
    let id = query(sql).bind(digest).fetch_one(&mut *db).await?.try_get(0)?;
    let sql = "INSERT INTO audience_token (token, set_id) SELECT token, $2 FROM UNNEST($1::text[]) \
        AS t(token) ORDER BY token ON CONFLICT DO NOTHING";
    query(sql).bind(tokens).bind(id).execute(db).await?;
    Ok(id)
}

pub(super) async fn holders(
    db: &mut PgConnection,
    keys: &[&HolderKey],
    lock: Lock,
) -> Result<Vec<(HolderKey, Uuid)>, sqlx::Error> {
    // Locked in the order of the keys given, which is the same for all.
    const WAIT: &str = "SELECT h.process, h.key, h.record_id \
        FROM UNNEST($1::text[], $2::text[]) AS k(process, key) CROSS JOIN LATERAL \
        (SELECT * FROM holder WHERE process = k.process AND key = k.key LIMIT 1 FOR UPDATE) AS h";
    const NO_WAIT: &str = "SELECT h.process, h.key, h.record_id \
        FROM UNNEST($1::text[], $2::text[]) AS k(process, key) CROSS JOIN LATERAL \
        (SELECT * FROM holder WHERE process = k.process AND key = k.key LIMIT 1 \
        FOR UPDATE NOWAIT) AS h";
    debug_assert!(keys.is_sorted(), "locks are taken in one order");
    let sql = if lock == Lock::Wait { WAIT } else { NO_WAIT };
    let rows = query(sql)
        .bind(each(keys, |key| key.process.as_str()))
        .bind(each(keys, |key| key.key.as_str()))
        .fetch_all(db)
        .await?;
    rows.iter()
        .map(|row| {
            let key = HolderKey { process: row.try_get(0)?, key: row.try_get(1)? };
            Ok((key, row.try_get(2)?))
        })
        .collect()
}

pub(super) async fn onces(
    db: &mut PgConnection,
    keys: &[(&str, &str)],
) -> Result<Vec<OnceRow>, sqlx::Error> {
    let sql = "SELECT o.scope, o.key, o.digest, o.record_id, o.revision, o.at \
        FROM UNNEST($1::text[], $2::text[]) AS k(scope, key) CROSS JOIN LATERAL \
        (SELECT * FROM once WHERE scope = k.scope AND key = k.key LIMIT 1) AS o";
    let rows = query(sql)
        .bind(each(keys, |key| key.0))
        .bind(each(keys, |key| key.1))
        .fetch_all(db)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(OnceRow {
                scope: row.try_get(0)?,
                key: row.try_get(1)?,
                digest: row.try_get(2)?,
                record: row.try_get(3)?,
                revision: row.try_get(4)?,
                at: row.try_get(5)?,
            })
        })
        .collect()
}

pub(super) async fn marks(
    db: &mut PgConnection,
    keys: &[(&str, &str)],
) -> Result<Vec<(String, String, String)>, sqlx::Error> {
    let sql = "SELECT i.consumer, i.message, i.state \
        FROM UNNEST($1::text[], $2::text[]) AS k(consumer, message) CROSS JOIN LATERAL \
        (SELECT * FROM inbox WHERE consumer = k.consumer AND message = k.message LIMIT 1) AS i";
    let rows = query(sql)
        .bind(each(keys, |key| key.0))
        .bind(each(keys, |key| key.1))
        .fetch_all(db)
        .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
}

pub(super) async fn fences(
    db: &mut PgConnection,
    names: &[&str],
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let sql = "SELECT name, token FROM lease WHERE name = ANY($1) ORDER BY name FOR SHARE";
    let rows = query(sql).bind(names).fetch_all(db).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

pub(super) async fn counter(
    db: &mut PgConnection,
    process: &str,
) -> Result<(i64, i64), sqlx::Error> {
    let sql = "SELECT value, edition FROM counter WHERE process = $1 FOR UPDATE";
    let row = query(sql).bind(process).fetch_one(db).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

pub(super) async fn is_linked(
    db: &mut PgConnection,
    record: Uuid,
    relation: &str,
    other: Uuid,
) -> Result<bool, sqlx::Error> {
    let sql = "SELECT 1 FROM link WHERE record_id = $1 AND relation = $2 AND other_id = $3";
    Ok(query(sql).bind(record).bind(relation).bind(other).fetch_optional(db).await?.is_some())
}

pub(super) async fn tied(
    db: &mut PgConnection,
    record: Uuid,
    relation: &str,
    limit: i64,
) -> Result<Vec<Uuid>, sqlx::Error> {
    let sql = "SELECT other_id FROM link WHERE record_id = $1 AND relation = $2 \
        UNION SELECT record_id FROM link WHERE other_id = $1 AND inverse = $2 LIMIT $3";
    let rows = query(sql).bind(record).bind(relation).bind(limit).fetch_all(db).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

pub(super) async fn bonds(
    db: &mut PgConnection,
    ids: &[Uuid],
) -> Result<Vec<(Uuid, Bond)>, sqlx::Error> {
    let sql = BONDS.replace("{ids}", "= ANY($1)");
    let rows = query(AssertSqlSafe(sql)).bind(ids).fetch_all(db).await?;
    rows.iter().map(|row| bond!(row)).collect()
}

pub(super) async fn is_tied(db: &mut PgConnection, key: &TieKey) -> Result<bool, sqlx::Error> {
    let sql = "SELECT 1 FROM tie WHERE record_id = $1 AND relation = $2 AND other_number = $3";
    let (record, relation, number) = key;
    let found = query(sql).bind(record).bind(relation).bind(number).fetch_optional(db).await?;
    Ok(found.is_some())
}

/// Binds the columns of indexed fields, in the order of the statements below.
fn with_slots<'q>(mut sql: Query<'q>, rows: &'q [RecordRow<'_>]) -> Query<'q> {
    for place in 0..crate::slot::TEXTS {
        sql = sql.bind(each(rows, |row| row.slots.text[place].as_deref()));
    }
    for place in 0..crate::slot::NUMBERS {
        sql = sql.bind(each(rows, |row| row.slots.number[place]));
    }
    for place in 0..crate::slot::TIMES {
        sql = sql.bind(each(rows, |row| row.slots.time[place]));
    }
    sql
}

pub(super) async fn update_records(
    db: &mut PgConnection,
    columns: Columns,
    rows: &[RecordRow<'_>],
) -> Done {
    if columns.is_empty() { step_records(db, rows).await } else { change_records(db, rows).await }
}

async fn step_records(db: &mut PgConnection, rows: &[RecordRow<'_>]) -> Done {
    const SQL: &str = "WITH moved AS (UPDATE record AS r SET definition = u.definition, state = u.state, \
        revision = u.revision, data = u.data, updated_at = u.updated_at, \
        entered_at = u.entered_at, closed_at = u.closed_at, head = u.head \
        FROM UNNEST($1::uuid[], $2::int[], $3::text[], $4::bigint[], $5::text[], \
        $6::timestamptz[], $7::timestamptz[], $8::timestamptz[], $9::bytea[]) \
        AS u(id, definition, state, revision, data, updated_at, entered_at, closed_at, head) \
        WHERE r.id = u.id RETURNING r.id, r.state, r.updated_at, r.closed_at) \
        UPDATE standing AS s SET state = moved.state, updated_at = moved.updated_at, \
        closed_at = moved.closed_at FROM moved WHERE s.record_id = moved.id";
    query(SQL)
        .bind(each(rows, |row| row.record.id))
        .bind(each(rows, |row| row.record.definition.cast_signed()))
        .bind(each(rows, |row| row.record.state.as_str()))
        .bind(each(rows, |row| row.record.revision.cast_signed()))
        .bind(each(rows, |row| row.data))
        .bind(each(rows, |row| row.record.updated_at))
        .bind(each(rows, |row| row.record.entered_at))
        .bind(each(rows, |row| row.record.closed_at))
        .bind(each(rows, |row| row.head.as_slice()))
        .execute(db)
        .await
        .map(drop)
}

/// All columns that may change: PostgreSQL sees by itself which of them do.
async fn change_records(db: &mut PgConnection, rows: &[RecordRow<'_>]) -> Done {
    const SQL: &str = "WITH moved AS (UPDATE record AS r SET definition = u.definition, state = u.state, \
        revision = u.revision, data = u.data, audience = u.audience, updated_at = u.updated_at, \
        entered_at = u.entered_at, closed_at = u.closed_at, head = u.head, \
        text1 = u.text1, text2 = u.text2, text3 = u.text3, text4 = u.text4, \
        text5 = u.text5, text6 = u.text6, text7 = u.text7, text8 = u.text8, \
        number1 = u.number1, number2 = u.number2, number3 = u.number3, number4 = u.number4, \
        time1 = u.time1, time2 = u.time2, time3 = u.time3, time4 = u.time4 \
        FROM UNNEST($1::uuid[], $2::int[], $3::text[], $4::bigint[], $5::text[], $6::int[], \
        $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::bytea[], \
        $11::text[], $12::text[], $13::text[], $14::text[], \
        $15::text[], $16::text[], $17::text[], $18::text[], \
        $19::float8[], $20::float8[], $21::float8[], $22::float8[], \
        $23::timestamptz[], $24::timestamptz[], $25::timestamptz[], $26::timestamptz[]) \
        AS u(id, definition, state, revision, data, audience, updated_at, entered_at, closed_at, \
        head, text1, text2, text3, text4, text5, text6, text7, text8, \
        number1, number2, number3, number4, time1, time2, time3, time4) WHERE r.id = u.id \
        RETURNING r.id, r.state, r.updated_at, r.closed_at) \
        UPDATE standing AS s SET state = moved.state, updated_at = moved.updated_at, \
        closed_at = moved.closed_at FROM moved WHERE s.record_id = moved.id";
    let sql = query(SQL)
        .bind(each(rows, |row| row.record.id))
        .bind(each(rows, |row| row.record.definition.cast_signed()))
        .bind(each(rows, |row| row.record.state.as_str()))
        .bind(each(rows, |row| row.record.revision.cast_signed()))
        .bind(each(rows, |row| row.data))
        .bind(each(rows, |row| row.audience))
        .bind(each(rows, |row| row.record.updated_at))
        .bind(each(rows, |row| row.record.entered_at))
        .bind(each(rows, |row| row.record.closed_at))
        .bind(each(rows, |row| row.head.as_slice()));
    with_slots(sql, rows).execute(db).await.map(drop)
}

pub(super) async fn insert_records(db: &mut PgConnection, rows: &[RecordRow<'_>]) -> Done {
    const SQL: &str = "WITH opened AS (INSERT INTO record (id, process, number, definition, state, revision, data, \
        audience, opened_at, updated_at, entered_at, closed_at, opened_by, partition, head, \
        text1, text2, text3, text4, text5, text6, text7, text8, \
        number1, number2, number3, number4, time1, time2, time3, time4) \
        SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::int[], $5::text[], \
        $6::bigint[], $7::text[], $8::int[], $9::timestamptz[], $10::timestamptz[], \
        $11::timestamptz[], $12::timestamptz[], $13::text[], $14::smallint[], $15::bytea[], \
        $16::text[], $17::text[], $18::text[], $19::text[], \
        $20::text[], $21::text[], $22::text[], $23::text[], \
        $24::float8[], $25::float8[], $26::float8[], $27::float8[], \
        $28::timestamptz[], $29::timestamptz[], $30::timestamptz[], $31::timestamptz[]) \
        RETURNING id, process, state, updated_at, closed_at) \
        INSERT INTO standing (record_id, process, state, updated_at, closed_at) \
        SELECT * FROM opened";
    let sql = query(SQL)
        .bind(each(rows, |row| row.record.id))
        .bind(each(rows, |row| row.record.process.as_str()))
        .bind(each(rows, |row| row.record.number.as_str()))
        .bind(each(rows, |row| row.record.definition.cast_signed()))
        .bind(each(rows, |row| row.record.state.as_str()))
        .bind(each(rows, |row| row.record.revision.cast_signed()))
        .bind(each(rows, |row| row.data))
        .bind(each(rows, |row| row.audience))
        .bind(each(rows, |row| row.record.opened_at))
        .bind(each(rows, |row| row.record.updated_at))
        .bind(each(rows, |row| row.record.entered_at))
        .bind(each(rows, |row| row.record.closed_at))
        .bind(each(rows, |row| row.record.opened_by.as_str()))
        .bind(each(rows, |row| i16::from(kernel::partition_of(row.record.id))))
        .bind(each(rows, |row| row.head.as_slice()));
    with_slots(sql, rows).execute(db).await.map(drop)
}

pub(super) async fn insert_journal(
    db: &mut PgConnection,
    rows: &[JournalRow],
) -> Result<Vec<i64>, sqlx::Error> {
    const SQL: &str = "WITH written AS (INSERT INTO journal (event_id, record_id, revision, process, \
        number, event_type, at, occurred_at, actor, audience, correlation, causation, traceparent, \
        payload, salt, digest, link) \
        SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], \
        $6::text[], $7::timestamptz[], $8::timestamptz[], $9::text[], $10::text[], $11::uuid[], \
        $12::text[], $13::text[], $14::bytea[], $15::bytea[], $16::bytea[], $17::bytea[]) \
        RETURNING seq, event_id), queued AS (INSERT INTO outbox (seq) SELECT seq FROM written) \
        SELECT seq, event_id FROM written";
    let written = query(SQL)
        .bind(each(rows, |row| row.event_id))
        .bind(each(rows, |row| row.record.id))
        .bind(each(rows, JournalRow::revision))
        .bind(each(rows, |row| row.record.process.as_str()))
        .bind(each(rows, |row| row.record.number.as_str()))
        .bind(each(rows, |row| row.event_type.as_str()))
        .bind(each(rows, |row| row.cause.at))
        .bind(each(rows, |row| row.cause.when()))
        .bind(each(rows, |row| row.cause.actor.id.as_str()))
        .bind(each(rows, |row| row.audience.text.as_str()))
        .bind(each(rows, |row| row.cause.correlation))
        .bind(each(rows, |row| row.cause.causation.as_deref()))
        .bind(each(rows, |row| row.cause.traceparent.as_deref()))
        .bind(each(rows, |row| row.payload.as_slice()))
        .bind(each(rows, |row| row.salt.as_slice()))
        .bind(each(rows, |row| row.digest.as_slice()))
        .bind(each(rows, |row| row.link.as_slice()))
        .fetch_all(db)
        .await?;
    let mut places = Vec::with_capacity(written.len());
    for (row, at) in rows.iter().zip(&written) {
        // They come in the order in which they went, which nobody promises.
        if at.try_get::<Uuid, _>(1)? != row.event_id {
            return Ok(Vec::new());
        }
        places.push(at.try_get(0)?);
    }
    Ok(places)
}

pub(super) async fn clear_outbox(db: &mut PgConnection, seqs: &[i64]) -> Done {
    query("DELETE FROM outbox WHERE seq = ANY($1)").bind(seqs).execute(db).await.map(drop)
}

pub(super) async fn clear_timers(db: &mut PgConnection, records: &[Uuid]) -> Done {
    let sql = "DELETE FROM timer WHERE record_id = ANY($1)";
    query(sql).bind(records).execute(db).await.map(drop)
}

pub(super) async fn drop_timers(db: &mut PgConnection, timers: &[(Uuid, &str)]) -> Done {
    let sql = "DELETE FROM timer t USING UNNEST($1::uuid[], $2::text[]) AS d(record_id, transition) \
        WHERE t.record_id = d.record_id AND t.transition = d.transition";
    query(sql)
        .bind(each(timers, |timer| timer.0))
        .bind(each(timers, |timer| timer.1))
        .execute(db)
        .await
        .map(drop)
}

pub(super) async fn insert_timers(db: &mut PgConnection, rows: &[TimerRow<'_>]) -> Done {
    let sql = "INSERT INTO timer (record_id, transition, process, due_at) \
        SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::timestamptz[])";
    query(sql)
        .bind(each(rows, |row| row.record))
        .bind(each(rows, |row| row.transition))
        .bind(each(rows, |row| row.process))
        .bind(each(rows, |row| row.due))
        .execute(db)
        .await
        .map(drop)
}

pub(super) async fn insert_links(db: &mut PgConnection, rows: &[NewLink]) -> Done {
    let sql = "INSERT INTO link (record_id, relation, inverse, other_id, other_number, \
        other_process, at) SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::uuid[], \
        $5::text[], $6::text[], $7::timestamptz[])";
    query(sql)
        .bind(each(rows, |row| row.record))
        .bind(each(rows, |row| row.link.relation.as_str()))
        .bind(each(rows, |row| row.link.inverse.as_str()))
        .bind(each(rows, |row| row.link.to.id))
        .bind(each(rows, |row| row.link.to.number.as_str()))
        .bind(each(rows, |row| row.link.to.process.as_str()))
        .bind(each(rows, |row| row.at))
        .execute(db)
        .await
        .map(drop)
}

pub(super) async fn drop_links(db: &mut PgConnection, links: &[(Uuid, Link)]) -> Done {
    let sql = "DELETE FROM link WHERE (record_id = $1 AND relation = $2 AND other_id = $3) \
        OR (record_id = $3 AND relation = $4 AND other_id = $1)";
    for (record, link) in links {
        let sql = query(sql).bind(record).bind(link.relation.as_str());
        sql.bind(link.to.id).bind(link.inverse.as_str()).execute(&mut *db).await?;
    }
    Ok(())
}

pub(super) async fn drop_ties(db: &mut PgConnection, keys: &BTreeSet<TieKey>) -> Done {
    let sql = "DELETE FROM tie WHERE record_id = $1 AND relation = $2 AND other_number = $3";
    for (record, relation, number) in keys {
        query(sql).bind(record).bind(relation).bind(number).execute(&mut *db).await?;
    }
    Ok(())
}

pub(super) async fn put_ties(db: &mut PgConnection, rows: &[(&TieKey, &TieRow)]) -> Done {
    let sql = "INSERT INTO tie AS t (record_id, relation, other_number, inverse, other_process, \
        other_id, other_audience, at) SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], \
        $4::text[], $5::text[], $6::uuid[], $7::text[], $8::timestamptz[]) \
        ON CONFLICT (record_id, relation, other_number) DO UPDATE SET \
        other_id = coalesce(EXCLUDED.other_id, t.other_id), \
        other_audience = coalesce(EXCLUDED.other_audience, t.other_audience)";
    query(sql)
        .bind(each(rows, |(key, _)| key.0))
        .bind(each(rows, |(key, _)| key.1.as_str()))
        .bind(each(rows, |(key, _)| key.2.as_str()))
        .bind(each(rows, |(_, row)| row.inverse.as_str()))
        .bind(each(rows, |(_, row)| row.other_process.as_str()))
        .bind(each(rows, |(_, row)| row.other_id))
        .bind(each(rows, |(_, row)| row.other_audience.as_deref()))
        .bind(each(rows, |(_, row)| row.at))
        .execute(db)
        .await
        .map(drop)
}

pub(super) async fn entries(db: &mut PgConnection, record: Uuid) -> Result<Vec<Kept>, sqlx::Error> {
    let sql = "SELECT j.revision, j.event_type, j.payload, o.seq FROM journal AS j \
        LEFT JOIN outbox AS o ON o.seq = j.seq WHERE j.record_id = $1 ORDER BY j.revision";
    let rows = query(sql).bind(record).fetch_all(db).await?;
    rows.iter()
        .map(|row| {
            Ok(Kept {
                revision: row.try_get::<i64, _>(0)?.cast_unsigned(),
                event_type: row.try_get(1)?,
                payload: row.try_get(2)?,
                is_told: row.try_get::<Option<i64>, _>(3)?.is_none(),
            })
        })
        .collect()
}

pub(super) async fn erase(db: &mut PgConnection, record: Uuid, revisions: &[i64]) -> Done {
    let sql = "UPDATE journal SET payload = NULL, salt = NULL \
        WHERE record_id = $1 AND revision = ANY($2)";
    query(sql).bind(record).bind(revisions).execute(db).await.map(drop)
}

pub(super) async fn put_passages(db: &mut PgConnection, rows: &[(&PassageKey, &str)]) -> Done {
    let sql = "INSERT INTO passage (record_id, revision, words) \
        SELECT record_id, revision, array_to_tsvector(string_to_array(words, ' ')) \
        FROM UNNEST($1::uuid[], $2::bigint[], $3::text[]) AS p(record_id, revision, words) \
        ON CONFLICT (record_id, revision) DO UPDATE SET words = EXCLUDED.words";
    query(sql)
        .bind(each(rows, |((record, _), _)| *record))
        .bind(each(rows, |((_, revision), _)| revision.cast_signed()))
        .bind(each(rows, |(_, words)| *words))
        .execute(db)
        .await
        .map(drop)
}

pub(super) async fn insert_holders(db: &mut PgConnection, rows: &[(&HolderKey, Uuid)]) -> Done {
    let sql = "INSERT INTO holder (process, key, record_id) \
        SELECT process, key, record_id FROM UNNEST($1::text[], $2::text[], $3::uuid[]) \
        AS h(process, key, record_id) ORDER BY process, key";
    query(sql)
        .bind(each(rows, |row| row.0.process.as_str()))
        .bind(each(rows, |row| row.0.key.as_str()))
        .bind(each(rows, |row| row.1))
        .execute(db)
        .await
        .map(drop)
}

pub(super) async fn move_holders(db: &mut PgConnection, rows: &[(&HolderKey, Uuid)]) -> Done {
    let sql = "UPDATE holder AS h SET record_id = u.record_id \
        FROM UNNEST($1::text[], $2::text[], $3::uuid[]) AS u(process, key, record_id) \
        WHERE h.process = u.process AND h.key = u.key";
    query(sql)
        .bind(each(rows, |row| row.0.process.as_str()))
        .bind(each(rows, |row| row.0.key.as_str()))
        .bind(each(rows, |row| row.1))
        .execute(db)
        .await
        .map(drop)
}

pub(super) async fn set_counters(db: &mut PgConnection, rows: &[(&str, i64)]) -> Done {
    let sql = "UPDATE counter AS c SET value = u.value \
        FROM UNNEST($1::text[], $2::bigint[]) AS u(process, value) WHERE c.process = u.process";
    query(sql)
        .bind(each(rows, |row| row.0))
        .bind(each(rows, |row| row.1))
        .execute(db)
        .await
        .map(drop)
}

pub(super) async fn insert_onces(db: &mut PgConnection, rows: &[OnceRow]) -> Done {
    let sql = "INSERT INTO once (scope, key, digest, record_id, revision, at) \
        SELECT * FROM UNNEST($1::text[], $2::text[], $3::bytea[], $4::uuid[], $5::bigint[], \
        $6::timestamptz[]) AS o(scope, key, digest, record_id, revision, at) ORDER BY scope, key";
    query(sql)
        .bind(each(rows, |row| row.scope.as_str()))
        .bind(each(rows, |row| row.key.as_str()))
        .bind(each(rows, |row| row.digest.as_slice()))
        .bind(each(rows, |row| row.record))
        .bind(each(rows, |row| row.revision))
        .bind(each(rows, |row| row.at))
        .execute(db)
        .await
        .map(drop)
}

pub(super) async fn put_marks(db: &mut PgConnection, rows: &[MarkRow]) -> Result<(), Failure> {
    // A message that was parked becomes done; one that another replica has just done does not
    // become done twice: it would have been found, or its row is locked and then conflicts.
    let sql = "INSERT INTO inbox AS i (consumer, message, key, position, state, outcome, attempts, at) \
        SELECT consumer, message, '', 0, 'done', outcome, 1, at FROM \
        UNNEST($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS m(consumer, message, \
        outcome, at) ORDER BY consumer, message ON CONFLICT (consumer, message) DO UPDATE \
        SET state = 'done', outcome = EXCLUDED.outcome, attempts = i.attempts + 1, due_at = NULL, \
        reason = NULL, headers = NULL, payload = NULL, at = EXCLUDED.at WHERE i.state = 'parked'";
    let done = query(sql)
        .bind(each(rows, |row| row.consumer.as_str()))
        .bind(each(rows, |row| row.message.as_str()))
        .bind(each(rows, |row| row.outcome.as_str()))
        .bind(each(rows, |row| row.at))
        .execute(db)
        .await?;
    if done.rows_affected() == rows.len() as u64 { Ok(()) } else { Err(Failure::Raced) }
}

pub(super) async fn add_tallies(db: &mut PgConnection, rows: &[(&str, &str, i64)]) -> Done {
    let sql = "INSERT INTO tally AS t (consumer, outcome, count) \
        SELECT consumer, outcome, count FROM UNNEST($1::text[], $2::text[], $3::bigint[]) \
        AS n(consumer, outcome, count) ORDER BY consumer, outcome \
        ON CONFLICT (consumer, outcome) DO UPDATE SET count = t.count + EXCLUDED.count";
    query(sql)
        .bind(each(rows, |row| row.0))
        .bind(each(rows, |row| row.1))
        .bind(each(rows, |row| row.2))
        .execute(db)
        .await
        .map(drop)
}

pub(super) async fn lock_totals(db: &mut PgConnection) -> Done {
    query("LOCK TABLE total IN SHARE ROW EXCLUSIVE MODE").execute(db).await.map(drop)
}

pub(super) async fn take_time(db: &mut PgConnection) -> Done {
    query("SET LOCAL idle_in_transaction_session_timeout = 0").execute(db).await.map(drop)
}

pub(super) async fn add_totals(db: &mut PgConnection, rows: &[(&TotalKey, i64)]) -> Done {
    // Rows come in the order of their keys, so that two batches lock them in one order.
    let sql = "INSERT INTO total AS t (process, span, since, audience, what, count) \
        SELECT * FROM UNNEST($1::text[], $2::int[], $3::bigint[], $4::int[], $5::text[], \
        $6::bigint[]) ON CONFLICT (process, span, since, audience, what) \
        DO UPDATE SET count = t.count + EXCLUDED.count";
    query(sql)
        .bind(each(rows, |row| row.0.process.as_str()))
        .bind(each(rows, |row| row.0.span))
        .bind(each(rows, |row| row.0.since))
        .bind(each(rows, |row| row.0.audience))
        .bind(each(rows, |row| row.0.what.as_str()))
        .bind(each(rows, |row| row.1))
        .execute(db)
        .await
        .map(drop)
}

pub(super) async fn counting(
    db: &mut PgConnection,
    process: &str,
) -> Result<Option<i32>, sqlx::Error> {
    let sql = "SELECT version FROM counting WHERE process = $1";
    let row = query(sql).bind(process).fetch_optional(db).await?;
    row.map(|row| row.try_get(0)).transpose()
}

pub(super) async fn forget_totals(db: &mut PgConnection, process: &str, version: i32) -> Done {
    query("DELETE FROM total WHERE process = $1").bind(process).execute(&mut *db).await?;
    let sql = "INSERT INTO counting (process, version) VALUES ($1, $2) \
        ON CONFLICT (process) DO UPDATE SET version = EXCLUDED.version";
    query(sql).bind(process).bind(version).execute(db).await.map(drop)
}

pub(super) async fn closings(
    db: &mut PgConnection,
    processes: &[&str],
    after: i64,
) -> Result<Vec<ClosingRow>, sqlx::Error> {
    let sql = "SELECT record_id, process, since, until FROM closing \
        WHERE process = ANY($1) AND until > $2";
    let rows = query(sql).bind(processes).bind(after).fetch_all(db).await?;
    let closing = |row: &PgRow| {
        let (record, process) = (row.try_get(0)?, row.try_get(1)?);
        Ok(ClosingRow { record, process, since: row.try_get(2)?, until: row.try_get(3)? })
    };
    rows.iter().map(closing).collect()
}

pub(super) async fn close_span(
    db: &mut PgConnection,
    row: &ClosingRow,
    parts: &[(i32, i64, i64)],
) -> Done {
    let sql = "INSERT INTO closing (record_id, process, since, until) VALUES ($1, $2, $3, $4)";
    let closing = query(sql).bind(row.record).bind(&row.process).bind(row.since).bind(row.until);
    closing.execute(&mut *db).await?;
    let sql = "INSERT INTO closed_total (closing, audience, what, count) \
        SELECT $1, t.audience, t.what, SUM(t.count) FROM total t \
        JOIN UNNEST($3::int[], $4::bigint[], $5::bigint[]) AS p(span, since, until) \
        ON t.span = p.span AND t.since >= p.since AND t.since < p.until \
        WHERE t.process = $2 GROUP BY t.audience, t.what HAVING SUM(t.count) <> 0";
    query(sql)
        .bind(row.record)
        .bind(&row.process)
        .bind(each(parts, |part| part.0))
        .bind(each(parts, |part| part.1))
        .bind(each(parts, |part| part.2))
        .execute(db)
        .await
        .map(drop)
}

pub(super) async fn insert_restatements(db: &mut PgConnection, rows: &[(Uuid, &Recount)]) -> Done {
    let sql = "INSERT INTO restatement (closing, record_id, revision, number, at, actor, event_type, \
        was, was_at, was_audience, became, became_at, became_audience) \
        SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::timestamptz[], \
        $6::text[], $7::text[], $8::text[], $9::bigint[], $10::int[], $11::text[], $12::bigint[], \
        $13::int[])";
    query(sql)
        .bind(each(rows, |row| row.0))
        .bind(each(rows, |row| row.1.record.id))
        .bind(each(rows, |row| row.1.record.revision.cast_signed()))
        .bind(each(rows, |row| row.1.record.number.as_str()))
        .bind(each(rows, |row| row.1.at))
        .bind(each(rows, |row| row.1.actor.as_str()))
        .bind(each(rows, |row| row.1.event_type.as_str()))
        .bind(each(rows, |row| row.1.was.as_ref().map(|was| was.what.as_str())))
        .bind(each(rows, |row| row.1.was.as_ref().map(|was| was.at)))
        .bind(each(rows, |row| row.1.was.as_ref().map(|was| was.audience)))
        .bind(each(rows, |row| row.1.became.as_ref().map(|became| became.what.as_str())))
        .bind(each(rows, |row| row.1.became.as_ref().map(|became| became.at)))
        .bind(each(rows, |row| row.1.became.as_ref().map(|became| became.audience)))
        .execute(db)
        .await
        .map(drop)
}

pub(super) async fn insert_refusals(db: &mut PgConnection, rows: &[RefusalRow]) -> Done {
    let sql = "INSERT INTO refusal (chain, n, at, actor, record_id, process, command, rule, code, \
        sentence, suppressed, correlation, link) SELECT * FROM UNNEST($1::uuid[], $2::bigint[], \
        $3::timestamptz[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], \
        $10::text[], $11::bigint[], $12::uuid[], $13::bytea[])";
    query(sql)
        .bind(each(rows, |row| row.chain))
        .bind(each(rows, |row| row.n))
        .bind(each::<_, DateTime<Utc>>(rows, |row| row.at))
        .bind(each(rows, |row| row.actor.as_str()))
        .bind(each(rows, |row| row.record))
        .bind(each(rows, |row| row.process.as_str()))
        .bind(each(rows, |row| row.command.as_str()))
        .bind(each(rows, |row| row.rule.as_str()))
        .bind(each(rows, |row| row.code.as_str()))
        .bind(each(rows, |row| row.sentence.as_str()))
        .bind(each(rows, |row| row.suppressed))
        .bind(each(rows, |row| row.correlation))
        .bind(each(rows, |row| row.link.as_slice()))
        .execute(db)
        .await
        .map(drop)
}

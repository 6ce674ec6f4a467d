//! What acts change: records, the journal with its outbox, and timers.

use sqlx::{PgConnection, Row, query};
use uuid::Uuid;

use super::{Done, Query, each};
use crate::{
    Sent,
    row::{JournalRow, RecordRow, TimerRow},
    slot::Columns,
};

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

pub(in crate::dialect) async fn update_records(
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

pub(in crate::dialect) async fn insert_records(
    db: &mut PgConnection,
    rows: &[RecordRow<'_>],
) -> Done {
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

pub(in crate::dialect) async fn insert_journal(
    db: &mut PgConnection,
    rows: &[JournalRow],
) -> Result<Vec<i64>, sqlx::Error> {
    // All places are taken before anything is written, so that seldom another writer's lie among them:
    // rows at neighbouring places make one bundle.
    const SQL: &str = "WITH placed AS MATERIALIZED (\
        SELECT nextval('journal_seq_seq'::regclass) AS seq, given.* \
        FROM UNNEST($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], \
        $6::text[], $7::timestamptz[], $8::timestamptz[], $9::text[], $10::text[], $11::uuid[], \
        $12::text[], $13::text[], $14::bytea[], $15::bytea[], $16::bytea[], $17::bytea[]) \
        AS given (event_id, record_id, revision, process, number, event_type, at, occurred_at, \
        actor, audience, correlation, causation, traceparent, payload, salt, digest, link)), \
        written AS (INSERT INTO journal (seq, event_id, record_id, revision, process, number, \
        event_type, at, occurred_at, actor, audience, correlation, causation, traceparent, payload, \
        salt, digest, link) OVERRIDING SYSTEM VALUE SELECT * FROM placed), \
        queued AS (INSERT INTO unsent (seq, events) SELECT min(seq), count(*) \
        FROM (SELECT seq, seq - row_number() OVER (ORDER BY seq) AS before FROM placed) AS each \
        GROUP BY before) \
        SELECT seq, event_id FROM placed";
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

pub(in crate::dialect) async fn clear_outbox(db: &mut PgConnection, sent: &Sent) -> Done {
    let sql = "DELETE FROM unsent WHERE seq = ANY($1)";
    query(sql).bind(&sent.bundles).execute(&mut *db).await?;
    if sent.left.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO unsent (seq) SELECT * FROM UNNEST($1::bigint[]) ON CONFLICT DO NOTHING";
    query(sql).bind(&sent.left).execute(db).await.map(drop)
}

pub(in crate::dialect) async fn clear_timers(db: &mut PgConnection, records: &[Uuid]) -> Done {
    let sql = "DELETE FROM timer WHERE record_id = ANY($1)";
    query(sql).bind(records).execute(db).await.map(drop)
}

pub(in crate::dialect) async fn drop_timers(
    db: &mut PgConnection,
    timers: &[(Uuid, &str)],
) -> Done {
    let sql = "DELETE FROM timer t USING UNNEST($1::uuid[], $2::text[]) AS d(record_id, transition) \
        WHERE t.record_id = d.record_id AND t.transition = d.transition";
    query(sql)
        .bind(each(timers, |timer| timer.0))
        .bind(each(timers, |timer| timer.1))
        .execute(db)
        .await
        .map(drop)
}

pub(in crate::dialect) async fn insert_timers(
    db: &mut PgConnection,
    rows: &[TimerRow<'_>],
) -> Done {
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

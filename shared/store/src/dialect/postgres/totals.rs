//! What is counted: totals, closed spans, and what changed in these.

use sqlx::{PgConnection, Row, query, query_as};
use uuid::Uuid;

use super::{Done, each};
use crate::row::{ClosingColumns, ClosingRow, Recount, TotalKey};

pub(in crate::dialect) async fn lock_totals(db: &mut PgConnection) -> Done {
    query("LOCK TABLE total IN SHARE ROW EXCLUSIVE MODE").execute(db).await.map(drop)
}

pub(in crate::dialect) async fn take_time(db: &mut PgConnection) -> Done {
    query("SET LOCAL idle_in_transaction_session_timeout = 0").execute(db).await.map(drop)
}

pub(in crate::dialect) async fn add_totals(
    db: &mut PgConnection,
    rows: &[(&TotalKey, i64)],
) -> Done {
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

pub(in crate::dialect) async fn counting(
    db: &mut PgConnection,
    process: &str,
) -> Result<Option<i32>, sqlx::Error> {
    let sql = "SELECT version FROM counting WHERE process = $1";
    let row = query(sql).bind(process).fetch_optional(db).await?;
    row.map(|row| row.try_get(0)).transpose()
}

pub(in crate::dialect) async fn forget_totals(
    db: &mut PgConnection,
    process: &str,
    version: i32,
) -> Done {
    query("DELETE FROM total WHERE process = $1").bind(process).execute(&mut *db).await?;
    let sql = "INSERT INTO counting (process, version) VALUES ($1, $2) \
        ON CONFLICT (process) DO UPDATE SET version = EXCLUDED.version";
    query(sql).bind(process).bind(version).execute(db).await.map(drop)
}

pub(in crate::dialect) async fn closings(
    db: &mut PgConnection,
    processes: &[&str],
    after: i64,
) -> Result<Vec<ClosingColumns>, sqlx::Error> {
    let sql = "SELECT record_id, process, since, until FROM closing \
        WHERE process = ANY($1) AND until > $2";
    query_as(sql).bind(processes).bind(after).fetch_all(db).await
}

pub(in crate::dialect) async fn close_span(
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

pub(in crate::dialect) async fn insert_restatements(
    db: &mut PgConnection,
    rows: &[(Uuid, &Recount)],
) -> Done {
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

//! What is counted: totals, closed spans, and what changed in these.

use sqlx::{Row, SqliteConnection, query, query_as};
use uuid::Uuid;

use super::{Done, insert, json};
use crate::row::{ClosingColumns, ClosingRow, Recount, TotalKey};

pub(in crate::dialect) async fn lock_totals(_: &mut SqliteConnection) -> Done {
    Ok(())
}

pub(in crate::dialect) async fn take_time(_: &mut SqliteConnection) -> Done {
    Ok(())
}

pub(in crate::dialect) async fn add_totals(
    db: &mut SqliteConnection,
    rows: &[(&TotalKey, i64)],
) -> Done {
    let head = "INSERT INTO total (process, span, since, audience, what, count)";
    let tail = "ON CONFLICT (process, span, since, audience, what) \
        DO UPDATE SET count = total.count + excluded.count";
    insert(db, head, 6, tail, rows, |sql, (key, count)| {
        sql.bind(key.process.as_str())
            .bind(key.span)
            .bind(key.since)
            .bind(key.audience)
            .bind(key.what.as_str())
            .bind(*count)
    })
    .await
    .map(drop)
}

pub(in crate::dialect) async fn counting(
    db: &mut SqliteConnection,
    process: &str,
) -> Result<Option<i32>, sqlx::Error> {
    let sql = "SELECT version FROM counting WHERE process = ?";
    let row = query(sql).bind(process).fetch_optional(db).await?;
    row.map(|row| row.try_get(0)).transpose()
}

pub(in crate::dialect) async fn forget_totals(
    db: &mut SqliteConnection,
    process: &str,
    version: i32,
) -> Done {
    query("DELETE FROM total WHERE process = ?").bind(process).execute(&mut *db).await?;
    let sql = "INSERT INTO counting (process, version) VALUES (?, ?) \
        ON CONFLICT (process) DO UPDATE SET version = excluded.version";
    query(sql).bind(process).bind(version).execute(db).await.map(drop)
}

pub(in crate::dialect) async fn closings(
    db: &mut SqliteConnection,
    processes: &[&str],
    after: i64,
) -> Result<Vec<ClosingColumns>, sqlx::Error> {
    let sql = "SELECT record_id, process, since, until FROM closing \
        WHERE process IN (SELECT value FROM json_each(?)) AND until > ?";
    query_as(sql).bind(json(&processes)).bind(after).fetch_all(db).await
}

pub(in crate::dialect) async fn close_span(
    db: &mut SqliteConnection,
    row: &ClosingRow,
    parts: &[(i32, i64, i64)],
) -> Done {
    let sql = "INSERT INTO closing (record_id, process, since, until) VALUES (?, ?, ?, ?)";
    let closing = query(sql).bind(row.record).bind(&row.process).bind(row.since).bind(row.until);
    closing.execute(&mut *db).await?;
    let sql = "INSERT INTO closed_total (closing, audience, what, count) \
        SELECT ?, t.audience, t.what, SUM(t.count) FROM json_each(?) AS p CROSS JOIN total AS t \
        ON t.process = ? AND t.span = p.value ->> 0 \
        AND t.since >= p.value ->> 1 AND t.since < p.value ->> 2 \
        GROUP BY t.audience, t.what HAVING SUM(t.count) <> 0";
    query(sql).bind(row.record).bind(json(&parts)).bind(&row.process).execute(db).await.map(drop)
}

pub(in crate::dialect) async fn insert_restatements(
    db: &mut SqliteConnection,
    rows: &[(Uuid, &Recount)],
) -> Done {
    const HEAD: &str = "INSERT INTO restatement (closing, record_id, revision, number, at, actor, \
        event_type, was, was_at, was_audience, became, became_at, became_audience)";
    insert(db, HEAD, 13, "", rows, |sql, (closing, row)| {
        let mut sql = sql
            .bind(*closing)
            .bind(row.record.id)
            .bind(row.record.revision.cast_signed())
            .bind(row.record.number.as_str())
            .bind(row.at)
            .bind(row.actor.as_str())
            .bind(row.event_type.as_str());
        for side in [&row.was, &row.became] {
            sql = sql
                .bind(side.as_ref().map(|side| side.what.as_str()))
                .bind(side.as_ref().map(|side| side.at))
                .bind(side.as_ref().map(|side| side.audience));
        }
        sql
    })
    .await
    .map(drop)
}

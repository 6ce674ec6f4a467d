//! What a batch reads before it decides, under its locks.

use engine::Bond;
use sqlx::{AssertSqlSafe, PgConnection, Row, postgres::PgRow, query, query_as};
use uuid::Uuid;

use super::each;
use crate::{
    dialect::{BONDS, Lock, bond, loaded},
    row::{HolderKey, KeptColumns, Loaded, OnceColumns, TieKey},
};

pub(in crate::dialect) async fn ids(
    db: &mut PgConnection,
    numbers: &[&str],
) -> Result<Vec<(String, Uuid)>, sqlx::Error> {
    let sql = "SELECT number, id FROM record WHERE number = ANY($1)";
    query_as(sql).bind(numbers).fetch_all(db).await
}

pub(in crate::dialect) async fn records(
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

pub(in crate::dialect) async fn audiences(
    db: &mut PgConnection,
    ids: &[i32],
) -> Result<Vec<(i32, String)>, sqlx::Error> {
    let sql = "SELECT id, tokens FROM audience_set WHERE id = ANY($1)";
    query_as(sql).bind(ids).fetch_all(db).await
}

pub(in crate::dialect) async fn audience_set(
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

pub(in crate::dialect) async fn holders(
    db: &mut PgConnection,
    keys: &[&HolderKey],
    lock: Lock,
) -> Result<Vec<(String, String, Uuid)>, sqlx::Error> {
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
    query_as(sql)
        .bind(each(keys, |key| key.process.as_str()))
        .bind(each(keys, |key| key.key.as_str()))
        .fetch_all(db)
        .await
}

pub(in crate::dialect) async fn onces(
    db: &mut PgConnection,
    keys: &[(&str, &str)],
) -> Result<Vec<OnceColumns>, sqlx::Error> {
    let sql = "SELECT o.scope, o.key, o.digest, o.record_id, o.revision, o.at \
        FROM UNNEST($1::text[], $2::text[]) AS k(scope, key) CROSS JOIN LATERAL \
        (SELECT * FROM once WHERE scope = k.scope AND key = k.key LIMIT 1) AS o";
    query_as(sql).bind(each(keys, |key| key.0)).bind(each(keys, |key| key.1)).fetch_all(db).await
}

pub(in crate::dialect) async fn marks(
    db: &mut PgConnection,
    keys: &[(&str, &str)],
) -> Result<Vec<(String, String, String)>, sqlx::Error> {
    let sql = "SELECT i.consumer, i.message, i.state \
        FROM UNNEST($1::text[], $2::text[]) AS k(consumer, message) CROSS JOIN LATERAL \
        (SELECT * FROM inbox WHERE consumer = k.consumer AND message = k.message LIMIT 1) AS i";
    query_as(sql).bind(each(keys, |key| key.0)).bind(each(keys, |key| key.1)).fetch_all(db).await
}

pub(in crate::dialect) async fn fences(
    db: &mut PgConnection,
    names: &[&str],
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let sql = "SELECT name, token FROM lease WHERE name = ANY($1) ORDER BY name FOR SHARE";
    query_as(sql).bind(names).fetch_all(db).await
}

pub(in crate::dialect) async fn counter(
    db: &mut PgConnection,
    process: &str,
    lock: Lock,
) -> Result<(i64, i64), sqlx::Error> {
    const WAIT: &str = "SELECT value, edition FROM counter WHERE process = $1 FOR UPDATE";
    const NO_WAIT: &str = "SELECT value, edition FROM counter WHERE process = $1 FOR UPDATE NOWAIT";
    let sql = if lock == Lock::Wait { WAIT } else { NO_WAIT };
    query_as(sql).bind(process).fetch_one(db).await
}

pub(in crate::dialect) async fn is_linked(
    db: &mut PgConnection,
    record: Uuid,
    relation: &str,
    other: Uuid,
) -> Result<bool, sqlx::Error> {
    let sql = "SELECT 1 FROM link WHERE record_id = $1 AND relation = $2 AND other_id = $3";
    Ok(query(sql).bind(record).bind(relation).bind(other).fetch_optional(db).await?.is_some())
}

pub(in crate::dialect) async fn tied(
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

pub(in crate::dialect) async fn bonds(
    db: &mut PgConnection,
    ids: &[Uuid],
) -> Result<Vec<(Uuid, Bond)>, sqlx::Error> {
    let sql = BONDS.replace("{ids}", "= ANY($1)");
    let rows = query(AssertSqlSafe(sql)).bind(ids).fetch_all(db).await?;
    rows.iter().map(|row| bond!(row)).collect()
}

pub(in crate::dialect) async fn is_tied(
    db: &mut PgConnection,
    key: &TieKey,
) -> Result<bool, sqlx::Error> {
    let sql = "SELECT 1 FROM tie WHERE record_id = $1 AND relation = $2 AND other_number = $3";
    let (record, relation, number) = key;
    let found = query(sql).bind(record).bind(relation).bind(number).fetch_optional(db).await?;
    Ok(found.is_some())
}

pub(in crate::dialect) async fn entries(
    db: &mut PgConnection,
    record: Uuid,
) -> Result<Vec<KeptColumns>, sqlx::Error> {
    let sql = "SELECT j.revision, j.event_type, j.payload, EXISTS (SELECT 1 FROM unsent AS u \
        WHERE u.seq <= j.seq AND j.seq < u.seq + u.events) \
        FROM journal AS j WHERE j.record_id = $1 ORDER BY j.revision";
    query_as(sql).bind(record).fetch_all(db).await
}

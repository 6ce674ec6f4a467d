//! What a batch reads before it decides, under its locks.

use engine::Bond;
use sqlx::{AssertSqlSafe, Row, SqliteConnection, query, query_as, sqlite::SqliteRow};
use uuid::Uuid;

use super::{hexed, json};
use crate::{
    dialect::{BONDS, Lock, bond, loaded},
    row::{HolderKey, KeptColumns, Loaded, OnceColumns, TieKey},
};

pub(super) const IDS: &str =
    "SELECT number, id FROM record WHERE number IN (SELECT value FROM json_each(?))";
pub(super) const RECORDS: &str = "SELECT id, process, number, definition, state, revision, data, audience, \
    opened_at, updated_at, entered_at, closed_at, opened_by, head, \
    (SELECT max(edition) FROM present) FROM record WHERE id IN (SELECT unhex(value) FROM json_each(?))";

// SQLite keeps the order of a CROSS JOIN: the keys asked for come first and each is looked up, even
// where the planner knows the table only from a time when it was as good as empty.
pub(super) const HOLDERS: &str = "SELECT h.process, h.key, h.record_id \
    FROM json_each(?) AS k CROSS JOIN holder AS h \
    ON h.process = k.value ->> 0 AND h.key = k.value ->> 1";
pub(super) const ONCES: &str = "SELECT o.scope, o.key, o.digest, o.record_id, o.revision, o.at \
    FROM json_each(?) AS k CROSS JOIN once AS o \
    ON o.scope = k.value ->> 0 AND o.key = k.value ->> 1";
pub(super) const MARKS: &str = "SELECT i.consumer, i.message, i.state \
    FROM json_each(?) AS k CROSS JOIN inbox AS i \
    ON i.consumer = k.value ->> 0 AND i.message = k.value ->> 1";

pub(in crate::dialect) async fn ids(
    db: &mut SqliteConnection,
    numbers: &[&str],
) -> Result<Vec<(String, Uuid)>, sqlx::Error> {
    query_as(IDS).bind(json(&numbers)).fetch_all(db).await
}

pub(in crate::dialect) async fn records(
    db: &mut SqliteConnection,
    ids: &[Uuid],
    _: Lock,
) -> Result<Vec<Loaded>, sqlx::Error> {
    let rows = query(RECORDS).bind(hexed(ids)).fetch_all(db).await?;
    rows.iter().map(|row: &SqliteRow| loaded!(row)).collect()
}

pub(in crate::dialect) async fn audiences(
    db: &mut SqliteConnection,
    ids: &[i32],
) -> Result<Vec<(i32, String)>, sqlx::Error> {
    let sql = "SELECT id, tokens FROM audience_set WHERE id IN (SELECT value FROM json_each(?))";
    query_as(sql).bind(json(&ids)).fetch_all(db).await
}

pub(in crate::dialect) async fn audience_set(
    db: &mut SqliteConnection,
    digest: &[u8],
    text: &str,
    tokens: &[&str],
) -> Result<i32, sqlx::Error> {
    let sql = "INSERT INTO audience_set (digest, tokens) VALUES (?, ?) ON CONFLICT DO NOTHING";
    query(sql).bind(digest).bind(text).execute(&mut *db).await?;
    let sql = "SELECT id FROM audience_set WHERE digest = ?";
    let id = query(sql).bind(digest).fetch_one(&mut *db).await?.try_get(0)?;
    let sql = "INSERT OR IGNORE INTO audience_token (token, set_id) \
        SELECT value, ? FROM json_each(?)";
    query(sql).bind(id).bind(json(&tokens)).execute(db).await?;
    Ok(id)
}

pub(in crate::dialect) async fn holders(
    db: &mut SqliteConnection,
    keys: &[&HolderKey],
    _: Lock,
) -> Result<Vec<(String, String, Uuid)>, sqlx::Error> {
    let pairs: Vec<_> = keys.iter().map(|key| (&key.process, &key.key)).collect();
    query_as(HOLDERS).bind(json(&pairs)).fetch_all(db).await
}

pub(in crate::dialect) async fn onces(
    db: &mut SqliteConnection,
    keys: &[(&str, &str)],
) -> Result<Vec<OnceColumns>, sqlx::Error> {
    query_as(ONCES).bind(json(&keys)).fetch_all(db).await
}

pub(in crate::dialect) async fn marks(
    db: &mut SqliteConnection,
    keys: &[(&str, &str)],
) -> Result<Vec<(String, String, String)>, sqlx::Error> {
    query_as(MARKS).bind(json(&keys)).fetch_all(db).await
}

pub(in crate::dialect) async fn fences(
    db: &mut SqliteConnection,
    names: &[&str],
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let sql = "SELECT name, token FROM lease WHERE name IN (SELECT value FROM json_each(?))";
    query_as(sql).bind(json(&names)).fetch_all(db).await
}

pub(in crate::dialect) async fn counter(
    db: &mut SqliteConnection,
    process: &str,
    _: Lock,
) -> Result<(i64, i64), sqlx::Error> {
    let sql = "SELECT value, edition FROM counter WHERE process = ?";
    query_as(sql).bind(process).fetch_one(db).await
}

pub(in crate::dialect) async fn is_linked(
    db: &mut SqliteConnection,
    record: Uuid,
    relation: &str,
    other: Uuid,
) -> Result<bool, sqlx::Error> {
    let sql = "SELECT 1 FROM link WHERE record_id = ? AND relation = ? AND other_id = ?";
    Ok(query(sql).bind(record).bind(relation).bind(other).fetch_optional(db).await?.is_some())
}

pub(in crate::dialect) async fn tied(
    db: &mut SqliteConnection,
    record: Uuid,
    relation: &str,
    limit: i64,
) -> Result<Vec<Uuid>, sqlx::Error> {
    let sql = "SELECT other_id FROM link WHERE record_id = ?1 AND relation = ?2 \
        UNION SELECT record_id FROM link WHERE other_id = ?1 AND inverse = ?2 LIMIT ?3";
    let rows = query(sql).bind(record).bind(relation).bind(limit).fetch_all(db).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

pub(in crate::dialect) async fn bonds(
    db: &mut SqliteConnection,
    ids: &[Uuid],
) -> Result<Vec<(Uuid, Bond)>, sqlx::Error> {
    let sql = BONDS.replace("{ids}", "IN (SELECT unhex(value) FROM json_each(?1))");
    let rows = query(AssertSqlSafe(sql)).bind(hexed(ids)).fetch_all(db).await?;
    rows.iter().map(|row| bond!(row)).collect()
}

pub(in crate::dialect) async fn is_tied(
    db: &mut SqliteConnection,
    key: &TieKey,
) -> Result<bool, sqlx::Error> {
    let sql = "SELECT 1 FROM tie WHERE record_id = ? AND relation = ? AND other_number = ?";
    let (record, relation, number) = key;
    let found = query(sql).bind(record).bind(relation).bind(number).fetch_optional(db).await?;
    Ok(found.is_some())
}

pub(in crate::dialect) async fn entries(
    db: &mut SqliteConnection,
    record: Uuid,
) -> Result<Vec<KeptColumns>, sqlx::Error> {
    let sql = "SELECT j.revision, j.event_type, j.payload, EXISTS (SELECT 1 FROM unsent AS u \
        WHERE u.seq <= j.seq AND j.seq < u.seq + u.events) \
        FROM journal AS j WHERE j.record_id = ? ORDER BY j.revision";
    query_as(sql).bind(record).fetch_all(db).await
}

//! SQLite: one writer, so no row is ever locked; several rows a statement, in a few fixed sizes.

use std::{collections::BTreeSet, fmt::Write as _};

use engine::{Bond, Link};
use sqlx::{
    AssertSqlSafe, Executor as _, Row, Sqlite, SqliteConnection, SqlitePool, query,
    sqlite::{SqliteArguments, SqliteQueryResult, SqliteRow},
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

type Done = Result<(), sqlx::Error>;
type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

/// Each statement is a trip to SQLite's thread, so rows travel together; each size is one prepared
/// statement, so there are few sizes. 64 rows of 31 columns stay far under 32,766 variables.
const SIZES: [usize; 4] = [64, 16, 4, 1];

const IDS: &str = "SELECT number, id FROM record WHERE number IN (SELECT value FROM json_each(?))";
const RECORDS: &str = "SELECT id, process, number, definition, state, revision, data, audience, \
    opened_at, updated_at, entered_at, closed_at, opened_by, head, \
    (SELECT max(edition) FROM present) FROM record WHERE id IN (SELECT unhex(value) FROM json_each(?))";
/// Tables of fewer rows are planned for as if nothing were known of them.
const BIG_ROWS: i64 = 1_000;

// SQLite keeps the order of a CROSS JOIN: the keys asked for come first and each is looked up, even
// where the planner knows the table only from a time when it was as good as empty.
const HOLDERS: &str = "SELECT h.process, h.key, h.record_id \
    FROM json_each(?) AS k CROSS JOIN holder AS h \
    ON h.process = k.value ->> 0 AND h.key = k.value ->> 1";
const ONCES: &str = "SELECT o.scope, o.key, o.digest, o.record_id, o.revision, o.at \
    FROM json_each(?) AS k CROSS JOIN once AS o \
    ON o.scope = k.value ->> 0 AND o.key = k.value ->> 1";
const MARKS: &str = "SELECT i.consumer, i.message, i.state \
    FROM json_each(?) AS k CROSS JOIN inbox AS i \
    ON i.consumer = k.value ->> 0 AND i.message = k.value ->> 1";

/// Tells the planner what the big tables hold, from a look at some rows of each index.
///
/// Of tables that are small now it knows nothing: it would plan to walk them through, and go on doing
/// so when they have become big.
pub(super) async fn gather_statistics(db: &mut SqliteConnection) -> Done {
    db.execute("PRAGMA analysis_limit = 1000; PRAGMA optimize = 0x10002").await?;
    let sql = "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'";
    if query(sql).fetch_optional(&mut *db).await?.is_none() {
        return Ok(());
    }
    // The first number is how many rows the index has; that of the fullest is how many the table has.
    let small = "DELETE FROM sqlite_stat1 WHERE tbl IN (SELECT tbl FROM sqlite_stat1 GROUP BY tbl \
        HAVING max(CAST(stat AS INTEGER)) < ?)";
    query(small).bind(BIG_ROWS).execute(&mut *db).await?;
    db.execute("ANALYZE sqlite_schema").await.map(drop)
}

/// `INSERT INTO … VALUES (?, …), (?, …) …`: `head`, the rows, `tail`.
async fn insert<R>(
    db: &mut SqliteConnection,
    head: &str,
    columns: usize,
    tail: &str,
    mut rows: &[R],
    bind: impl for<'q> Fn(Query<'q>, &'q R) -> Query<'q>,
) -> Result<SqliteQueryResult, sqlx::Error> {
    let row = format!("({}?)", "?, ".repeat(columns - 1));
    let mut written = SqliteQueryResult::default();
    while !rows.is_empty() {
        let size = SIZES.into_iter().find(|size| *size <= rows.len()).unwrap_or(1);
        let (now, later) = rows.split_at(size);
        let sql = format!("{head} VALUES {}{row} {tail}", format!("{row}, ").repeat(size - 1));
        let filled = now.iter().fold(query(AssertSqlSafe(sql)), &bind);
        written.extend([filled.execute(&mut *db).await?]);
        rows = later;
    }
    Ok(written)
}

/// One writer at a time: what is there was numbered before all that comes.
pub(super) async fn settled(db: &SqlitePool) -> Result<Option<i64>, sqlx::Error> {
    query("SELECT max(seq) FROM journal").fetch_one(db).await?.try_get(0)
}

/// Ids as a JSON array, for `unhex(value) … json_each`.
fn hexed(ids: &[Uuid]) -> String {
    let mut text = String::with_capacity(2 + ids.len() * 35);
    text.push('[');
    for (position, id) in ids.iter().enumerate() {
        let comma = if position > 0 { "," } else { "" };
        text.push_str(comma);
        text.push('"');
        text.push_str(id.simple().encode_lower(&mut Uuid::encode_buffer()));
        text.push('"');
    }
    text.push(']');
    text
}

fn json(value: &impl serde::Serialize) -> String {
    // Arrays of texts and numbers: serialising them cannot fail.
    serde_json::to_string(value).unwrap_or_default()
}

pub(super) async fn ids(
    db: &mut SqliteConnection,
    numbers: &[&str],
) -> Result<Vec<(String, Uuid)>, sqlx::Error> {
    let rows = query(IDS).bind(json(&numbers)).fetch_all(db).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

pub(super) async fn records(
    db: &mut SqliteConnection,
    ids: &[Uuid],
    _: Lock,
) -> Result<Vec<Loaded>, sqlx::Error> {
    let rows = query(RECORDS).bind(hexed(ids)).fetch_all(db).await?;
    rows.iter().map(|row: &SqliteRow| loaded!(row)).collect()
}

pub(super) async fn audiences(
    db: &mut SqliteConnection,
    ids: &[i32],
) -> Result<Vec<(i32, String)>, sqlx::Error> {
    let sql = "SELECT id, tokens FROM audience_set WHERE id IN (SELECT value FROM json_each(?))";
    let rows = query(sql).bind(json(&ids)).fetch_all(db).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

pub(super) async fn audience_set(
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

pub(super) async fn holders(
    db: &mut SqliteConnection,
    keys: &[&HolderKey],
    _: Lock,
) -> Result<Vec<(HolderKey, Uuid)>, sqlx::Error> {
    let pairs: Vec<_> = keys.iter().map(|key| (&key.process, &key.key)).collect();
    let rows = query(HOLDERS).bind(json(&pairs)).fetch_all(db).await?;
    rows.iter()
        .map(|row| {
            let key = HolderKey { process: row.try_get(0)?, key: row.try_get(1)? };
            Ok((key, row.try_get(2)?))
        })
        .collect()
}

pub(super) async fn onces(
    db: &mut SqliteConnection,
    keys: &[(&str, &str)],
) -> Result<Vec<OnceRow>, sqlx::Error> {
    let rows = query(ONCES).bind(json(&keys)).fetch_all(db).await?;
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
    db: &mut SqliteConnection,
    keys: &[(&str, &str)],
) -> Result<Vec<(String, String, String)>, sqlx::Error> {
    let rows = query(MARKS).bind(json(&keys)).fetch_all(db).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
}

pub(super) async fn fences(
    db: &mut SqliteConnection,
    names: &[&str],
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let sql = "SELECT name, token FROM lease WHERE name IN (SELECT value FROM json_each(?))";
    let rows = query(sql).bind(json(&names)).fetch_all(db).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

pub(super) async fn counter(
    db: &mut SqliteConnection,
    process: &str,
) -> Result<(i64, i64), sqlx::Error> {
    let sql = "SELECT value, edition FROM counter WHERE process = ?";
    let row = query(sql).bind(process).fetch_one(db).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

pub(super) async fn is_linked(
    db: &mut SqliteConnection,
    record: Uuid,
    relation: &str,
    other: Uuid,
) -> Result<bool, sqlx::Error> {
    let sql = "SELECT 1 FROM link WHERE record_id = ? AND relation = ? AND other_id = ?";
    Ok(query(sql).bind(record).bind(relation).bind(other).fetch_optional(db).await?.is_some())
}

pub(super) async fn tied(
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

pub(super) async fn bonds(
    db: &mut SqliteConnection,
    ids: &[Uuid],
) -> Result<Vec<(Uuid, Bond)>, sqlx::Error> {
    let sql = BONDS.replace("{ids}", "IN (SELECT unhex(value) FROM json_each(?1))");
    let rows = query(AssertSqlSafe(sql)).bind(hexed(ids)).fetch_all(db).await?;
    rows.iter().map(|row| bond!(row)).collect()
}

pub(super) async fn is_tied(db: &mut SqliteConnection, key: &TieKey) -> Result<bool, sqlx::Error> {
    let sql = "SELECT 1 FROM tie WHERE record_id = ? AND relation = ? AND other_number = ?";
    let (record, relation, number) = key;
    let found = query(sql).bind(record).bind(relation).bind(number).fetch_optional(db).await?;
    Ok(found.is_some())
}

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

pub(super) async fn update_records(
    db: &mut SqliteConnection,
    columns: Columns,
    rows: &[RecordRow<'_>],
) -> Done {
    put_records(db, columns, rows).await
}

pub(super) async fn insert_records(db: &mut SqliteConnection, rows: &[RecordRow<'_>]) -> Done {
    put_records(db, Columns::default(), rows).await
}

pub(super) async fn insert_journal(
    db: &mut SqliteConnection,
    rows: &[JournalRow],
) -> Result<Vec<i64>, sqlx::Error> {
    // A trigger puts each row into the outbox.
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
    let last = written.last_insert_rowid();
    Ok((last + 1 - written.rows_affected().cast_signed()..=last).collect())
}

pub(super) async fn clear_outbox(db: &mut SqliteConnection, seqs: &[i64]) -> Done {
    let sql = "DELETE FROM outbox WHERE seq IN (SELECT value FROM json_each(?))";
    query(sql).bind(json(&seqs)).execute(db).await.map(drop)
}

pub(super) async fn clear_timers(db: &mut SqliteConnection, records: &[Uuid]) -> Done {
    let sql = "DELETE FROM timer WHERE record_id IN (SELECT unhex(value) FROM json_each(?))";
    query(sql).bind(hexed(records)).execute(db).await.map(drop)
}

pub(super) async fn drop_timers(db: &mut SqliteConnection, timers: &[(Uuid, &str)]) -> Done {
    let sql = "DELETE FROM timer WHERE record_id = ? AND transition = ?";
    for (record, transition) in timers {
        query(sql).bind(*record).bind(*transition).execute(&mut *db).await?;
    }
    Ok(())
}

pub(super) async fn insert_timers(db: &mut SqliteConnection, rows: &[TimerRow<'_>]) -> Done {
    let head = "INSERT INTO timer (record_id, transition, process, due_at)";
    insert(db, head, 4, "", rows, |sql, row| {
        sql.bind(row.record).bind(row.transition).bind(row.process).bind(row.due)
    })
    .await
    .map(drop)
}

pub(super) async fn insert_links(db: &mut SqliteConnection, rows: &[NewLink]) -> Done {
    let head = "INSERT INTO link (record_id, relation, inverse, other_id, other_number, \
        other_process, at)";
    insert(db, head, 7, "", rows, |sql, row| {
        sql.bind(row.record)
            .bind(row.link.relation.as_str())
            .bind(row.link.inverse.as_str())
            .bind(row.link.to.id)
            .bind(row.link.to.number.as_str())
            .bind(row.link.to.process.as_str())
            .bind(row.at)
    })
    .await
    .map(drop)
}

pub(super) async fn drop_links(db: &mut SqliteConnection, links: &[(Uuid, Link)]) -> Done {
    let sql = "DELETE FROM link WHERE (record_id = ?1 AND relation = ?2 AND other_id = ?3) \
        OR (record_id = ?3 AND relation = ?4 AND other_id = ?1)";
    for (record, link) in links {
        let sql = query(sql).bind(record).bind(link.relation.as_str());
        sql.bind(link.to.id).bind(link.inverse.as_str()).execute(&mut *db).await?;
    }
    Ok(())
}

pub(super) async fn drop_ties(db: &mut SqliteConnection, keys: &BTreeSet<TieKey>) -> Done {
    let sql = "DELETE FROM tie WHERE record_id = ?1 AND relation = ?2 AND other_number = ?3";
    for (record, relation, number) in keys {
        query(sql).bind(record).bind(relation).bind(number).execute(&mut *db).await?;
    }
    Ok(())
}

pub(super) async fn put_ties(db: &mut SqliteConnection, rows: &[(&TieKey, &TieRow)]) -> Done {
    const HEAD: &str = "INSERT INTO tie (record_id, relation, other_number, inverse, other_process, \
        other_id, other_audience, at)";
    const TAIL: &str = "ON CONFLICT (record_id, relation, other_number) DO UPDATE SET \
        other_id = coalesce(excluded.other_id, tie.other_id), \
        other_audience = coalesce(excluded.other_audience, tie.other_audience)";
    insert(db, HEAD, 8, TAIL, rows, |sql, (key, row)| {
        sql.bind(key.0)
            .bind(key.1.as_str())
            .bind(key.2.as_str())
            .bind(row.inverse.as_str())
            .bind(row.other_process.as_str())
            .bind(row.other_id)
            .bind(row.other_audience.as_deref())
            .bind(row.at)
    })
    .await
    .map(drop)
}

pub(super) async fn entries(
    db: &mut SqliteConnection,
    record: Uuid,
) -> Result<Vec<Kept>, sqlx::Error> {
    let sql = "SELECT j.revision, j.event_type, j.payload, o.seq FROM journal AS j \
        LEFT JOIN outbox AS o ON o.seq = j.seq WHERE j.record_id = ? ORDER BY j.revision";
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

pub(super) async fn erase(db: &mut SqliteConnection, record: Uuid, revisions: &[i64]) -> Done {
    let sql = "UPDATE journal SET payload = NULL, salt = NULL \
        WHERE record_id = ? AND revision IN (SELECT value FROM json_each(?))";
    query(sql).bind(record).bind(json(&revisions)).execute(db).await.map(drop)
}

pub(super) async fn put_passages(db: &mut SqliteConnection, rows: &[(&PassageKey, &str)]) -> Done {
    const DOCS: &str = "INSERT INTO passage (record_id, revision) \
        SELECT unhex(value ->> 0), value ->> 1 FROM json_each(?) WHERE true ON CONFLICT DO NOTHING";
    const WORDS: &str = "INSERT OR REPLACE INTO passage_words (rowid, words) \
        SELECT p.doc, k.value ->> 2 FROM json_each(?) AS k CROSS JOIN passage AS p \
        ON p.record_id = unhex(k.value ->> 0) AND p.revision = k.value ->> 1";
    let rows: Vec<_> = rows
        .iter()
        .map(|((record, revision), words)| (record.simple().to_string(), revision, words))
        .collect();
    let rows = json(&rows);
    query(DOCS).bind(rows.as_str()).execute(&mut *db).await?;
    query(WORDS).bind(rows).execute(db).await.map(drop)
}

pub(super) async fn insert_holders(db: &mut SqliteConnection, rows: &[(&HolderKey, Uuid)]) -> Done {
    let head = "INSERT INTO holder (process, key, record_id)";
    insert(db, head, 3, "", rows, |sql, row| {
        sql.bind(row.0.process.as_str()).bind(row.0.key.as_str()).bind(row.1)
    })
    .await
    .map(drop)
}

pub(super) async fn move_holders(db: &mut SqliteConnection, rows: &[(&HolderKey, Uuid)]) -> Done {
    let sql = "UPDATE holder SET record_id = ? WHERE process = ? AND key = ?";
    for (key, record) in rows {
        let moved = query(sql).bind(*record).bind(key.process.as_str()).bind(key.key.as_str());
        moved.execute(&mut *db).await?;
    }
    Ok(())
}

pub(super) async fn set_counters(db: &mut SqliteConnection, rows: &[(&str, i64)]) -> Done {
    let sql = "UPDATE counter SET value = ? WHERE process = ?";
    for (process, value) in rows {
        query(sql).bind(*value).bind(*process).execute(&mut *db).await?;
    }
    Ok(())
}

pub(super) async fn insert_onces(db: &mut SqliteConnection, rows: &[OnceRow]) -> Done {
    let head = "INSERT INTO once (scope, key, digest, record_id, revision, at)";
    insert(db, head, 6, "", rows, |sql, row| {
        sql.bind(row.scope.as_str())
            .bind(row.key.as_str())
            .bind(row.digest.as_slice())
            .bind(row.record)
            .bind(row.revision)
            .bind(row.at)
    })
    .await
    .map(drop)
}

pub(super) async fn put_marks(db: &mut SqliteConnection, rows: &[MarkRow]) -> Result<(), Failure> {
    const HEAD: &str = "INSERT INTO inbox (consumer, message, key, position, state, outcome, \
        attempts, at)";
    const TAIL: &str = "ON CONFLICT (consumer, message) DO UPDATE SET state = 'done', \
        outcome = excluded.outcome, attempts = inbox.attempts + 1, due_at = NULL, reason = NULL, \
        headers = NULL, payload = NULL, at = excluded.at WHERE inbox.state = 'parked'";
    let written = insert(db, HEAD, 8, TAIL, rows, |sql, row| {
        sql.bind(row.consumer.as_str())
            .bind(row.message.as_str())
            .bind("")
            .bind(0_i64)
            .bind("done")
            .bind(row.outcome.as_str())
            .bind(1_i32)
            .bind(row.at)
    })
    .await?;
    if written.rows_affected() == rows.len() as u64 { Ok(()) } else { Err(Failure::Raced) }
}

pub(super) async fn add_tallies(db: &mut SqliteConnection, rows: &[(&str, &str, i64)]) -> Done {
    let head = "INSERT INTO tally (consumer, outcome, count)";
    let tail = "ON CONFLICT (consumer, outcome) DO UPDATE SET count = tally.count + excluded.count";
    insert(db, head, 3, tail, rows, |sql, row| sql.bind(row.0).bind(row.1).bind(row.2))
        .await
        .map(drop)
}

pub(super) async fn lock_totals(_: &mut SqliteConnection) -> Done {
    Ok(())
}

pub(super) async fn take_time(_: &mut SqliteConnection) -> Done {
    Ok(())
}

pub(super) async fn add_totals(db: &mut SqliteConnection, rows: &[(&TotalKey, i64)]) -> Done {
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

pub(super) async fn counting(
    db: &mut SqliteConnection,
    process: &str,
) -> Result<Option<i32>, sqlx::Error> {
    let sql = "SELECT version FROM counting WHERE process = ?";
    let row = query(sql).bind(process).fetch_optional(db).await?;
    row.map(|row| row.try_get(0)).transpose()
}

pub(super) async fn forget_totals(db: &mut SqliteConnection, process: &str, version: i32) -> Done {
    query("DELETE FROM total WHERE process = ?").bind(process).execute(&mut *db).await?;
    let sql = "INSERT INTO counting (process, version) VALUES (?, ?) \
        ON CONFLICT (process) DO UPDATE SET version = excluded.version";
    query(sql).bind(process).bind(version).execute(db).await.map(drop)
}

pub(super) async fn closings(
    db: &mut SqliteConnection,
    processes: &[&str],
    after: i64,
) -> Result<Vec<ClosingRow>, sqlx::Error> {
    let sql = "SELECT record_id, process, since, until FROM closing \
        WHERE process IN (SELECT value FROM json_each(?)) AND until > ?";
    let rows = query(sql).bind(json(&processes)).bind(after).fetch_all(db).await?;
    let closing = |row: &SqliteRow| {
        let (record, process) = (row.try_get(0)?, row.try_get(1)?);
        Ok(ClosingRow { record, process, since: row.try_get(2)?, until: row.try_get(3)? })
    };
    rows.iter().map(closing).collect()
}

pub(super) async fn close_span(
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

pub(super) async fn insert_restatements(
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

pub(super) async fn insert_refusals(db: &mut SqliteConnection, rows: &[RefusalRow]) -> Done {
    const HEAD: &str = "INSERT INTO refusal (chain, n, at, actor, record_id, process, command, rule, \
        code, sentence, suppressed, correlation, link)";
    insert(db, HEAD, 13, "", rows, |sql, row| {
        sql.bind(row.chain)
            .bind(row.n)
            .bind(row.at)
            .bind(row.actor.as_str())
            .bind(row.record)
            .bind(row.process.as_str())
            .bind(row.command.as_str())
            .bind(row.rule.as_str())
            .bind(row.code.as_str())
            .bind(row.sentence.as_str())
            .bind(row.suppressed)
            .bind(row.correlation)
            .bind(row.link.as_slice())
    })
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use sea_orm::DbBackend;
    use sqlx::Connection as _;

    use super::*;
    use crate::dialect::{Batches, Pools};

    /// A store's file, opened again after records were put in.
    async fn reopened(folder: &std::path::Path, records: u32) -> SqlitePool {
        let url = format!("sqlite://{}/{records}.db", folder.display());
        let pools = Pools::open(&url, 1, 1).await.expect("a database");
        crate::schema::prepare(&pools.write).await.expect("tables");
        let Batches::Sqlite(db) = &pools.batches else { panic!("it is SQLite") };
        let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?) \
            INSERT INTO record (id, process, number, definition, state, revision, data, audience, \
                opened_at, updated_at, entered_at, opened_by, partition, head, text1, text2) \
            SELECT randomblob(16), 'case', 'CAS' || n, 1, 'new', 1, '{}', 1, n, n, n, '', 0, '', \
                'usual', iif(n % 500 = 0, 'rare', NULL) FROM n";
        query(sql).bind(records).execute(db).await.expect("records");
        // Twice, because what was learnt at one start is there at the next.
        for _ in 0..2 {
            Pools::open(&url, 1, 1).await.expect("a database").close().await;
        }
        pools.close().await;
        let pools = Pools::open(&url, 1, 1).await.expect("a database");
        let Batches::Sqlite(db) = pools.batches else { panic!("it is SQLite") };
        db
    }

    async fn plan(db: &SqlitePool, sql: impl std::fmt::Display) -> String {
        let plan = query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).bind("[]");
        let plan = plan.fetch_all(db).await.expect("a plan");
        let steps: Vec<String> = plan.iter().map(|step| step.get("detail")).collect();
        steps.join("; ")
    }

    #[tokio::test]
    async fn records_are_looked_up_however_few_there_were_at_the_start() {
        let folder = tempfile::tempdir().expect("a folder");
        for records in [0, 2, 999, 1_000, 20_000] {
            let db = reopened(folder.path(), records).await;
            for sql in [IDS, RECORDS] {
                let plan = plan(&db, sql).await;
                assert!(plan.contains("SEARCH record"), "{records}: {plan}");
            }
        }
    }

    #[tokio::test]
    async fn words_are_answered_by_their_index() {
        let folder = tempfile::tempdir().expect("a folder");
        for records in [2, 20_000] {
            let db = reopened(folder.path(), records).await;
            let words = crate::Words::parse("mail down").expect("words");
            let mut select = sea_orm::sea_query::Query::select();
            select.column("id").from("record").and_where(words.condition(DbBackend::Sqlite));
            let (sql, _) = select.build(sea_orm::sea_query::SqliteQueryBuilder);
            let plan = plan(&db, sql).await;
            assert!(plan.contains("SEARCH record"), "{records}: {plan}");
            assert!(!plan.contains("SCAN p"), "{records}: {plan}");
        }
    }

    #[tokio::test]
    async fn what_is_rare_in_a_big_table_is_known() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = reopened(folder.path(), 20_000).await;
        let both = "SELECT id FROM record WHERE process = 'case' AND text1 = ? AND text2 = 'rare'";
        let plan = plan(&db, both).await;
        assert!(plan.contains("record_text2"), "{plan}");
    }

    #[tokio::test]
    async fn keys_are_looked_up_whatever_the_planner_knows() {
        let mut db = SqliteConnection::connect("sqlite::memory:").await.expect("a database");
        let tables = "\
            CREATE TABLE holder (process TEXT, key TEXT, record_id, PRIMARY KEY (process, key)) \
                WITHOUT ROWID; \
            CREATE TABLE once (scope TEXT, key TEXT, digest, record_id, revision, at, \
                PRIMARY KEY (scope, key)) WITHOUT ROWID; \
            CREATE TABLE inbox (consumer TEXT, message TEXT, state, \
                PRIMARY KEY (consumer, message)) WITHOUT ROWID; \
            INSERT INTO holder VALUES ('p', 'k', 0); INSERT INTO once VALUES ('s', 'k', 0, 0, 0, 0); \
            INSERT INTO inbox VALUES ('c', 'm', 'done'); ANALYZE;";
        db.execute(tables).await.expect("tables");
        for sql in [HOLDERS, ONCES, MARKS] {
            let plan = query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).bind("[]");
            let plan = plan.fetch_all(&mut db).await.expect("a plan");
            let steps: Vec<String> = plan.iter().map(|step| step.get("detail")).collect();
            let scans = steps.iter().filter(|step| step.starts_with("SCAN")).count();
            assert_eq!(scans, 1, "only the keys are walked: {steps:?}");
        }
    }
}

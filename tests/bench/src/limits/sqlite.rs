//! SQLite's own rate of the transaction that a command is, each one on disk when it returns.

use std::time::{Duration, Instant};

use anyhow::Result;
use sqlx::{
    ConnectOptions, Connection, Executor, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::{load::Outcome, scratch};

const RECORDS: i64 = 100_000;

/// Write-ahead log, `synchronous=FULL`, one update and one insert a commit.
pub async fn single(span: Duration) -> Result<Outcome> {
    let folder = scratch::folder()?;
    let mut connection = SqliteConnectOptions::new()
        .filename(folder.path().join("limit.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await?;
    fill(&mut connection).await?;
    let payload = "e".repeat(500);
    let mut outcome = Outcome::default();
    let began = Instant::now();
    // A fixed walk over the records that touches pages in no order.
    let mut id = 1;
    while began.elapsed() < span {
        id = (id * 48_271 + 11) % RECORDS;
        let sent = Instant::now();
        connection.execute("BEGIN IMMEDIATE").await?;
        sqlx::query(
            "UPDATE record SET state = 'open', version = version + 1, updated_at = ? WHERE id = ?",
        )
        .bind(outcome.done as i64)
        .bind(id + 1)
        .execute(&mut connection)
        .await?;
        sqlx::query(
            "INSERT INTO event (record_id, kind, payload, created_at) VALUES (?, 'changed', ?, ?)",
        )
        .bind(id + 1)
        .bind(&payload)
        .bind(outcome.done as i64)
        .execute(&mut connection)
        .await?;
        connection.execute("COMMIT").await?;
        outcome.done += 1;
        outcome.latency.record(sent.elapsed());
    }
    outcome.elapsed = began.elapsed();
    connection.close().await?;
    Ok(outcome)
}

async fn fill(connection: &mut SqliteConnection) -> Result<()> {
    connection
        .execute(
            "CREATE TABLE record (id INTEGER PRIMARY KEY, state TEXT, version INTEGER, data TEXT, updated_at INTEGER);
             CREATE TABLE event (seq INTEGER PRIMARY KEY AUTOINCREMENT, record_id INTEGER, kind TEXT, payload TEXT, created_at INTEGER)",
        )
        .await?;
    sqlx::query(
        "WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < ?)
         INSERT INTO record SELECT id, 'new', 1, ?, 0 FROM n",
    )
    .bind(RECORDS)
    .bind("d".repeat(400))
    .execute(connection)
    .await?;
    Ok(())
}

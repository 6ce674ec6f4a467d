//! PostgreSQL's own rate of the transaction that a command is: change a record, add an event.

use std::time::{Duration, Instant};

use anyhow::Result;
use sqlx::{Connection, Executor, PgConnection};

use crate::{load::Outcome, scratch::Postgres};

/// 100,000 records of about 500 bytes; events of the same size are added.
const SCHEMA: &str = "
DROP TABLE IF EXISTS event, record;
CREATE TABLE record (id bigint PRIMARY KEY, state text NOT NULL, version int NOT NULL,
    data jsonb NOT NULL, updated_at timestamptz NOT NULL) WITH (fillfactor = 80);
CREATE TABLE event (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, record_id bigint NOT NULL,
    kind text NOT NULL, payload jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
INSERT INTO record SELECT n, 'new', 1,
    jsonb_build_object('title', 'record ' || n, 'body', repeat('d', 400)), now()
    FROM generate_series(1, 100000) n;
ANALYZE record;";

/// Four round trips, as a plain program writes them.
const TX4: &str = "\\set id random(1, 100000)
BEGIN;
UPDATE record SET state = 'open', version = version + 1, updated_at = now() WHERE id = :id;
INSERT INTO event (record_id, kind, payload) VALUES
    (:id, 'changed', jsonb_build_object('from', 'new', 'to', 'open', 'pad', repeat('e', 400)));
COMMIT;
";

/// The best rate of `tx4` over 8 and 32 clients, in transactions a second.
pub fn tx4(server: &Postgres, span: Duration) -> Result<f64> {
    server.sql("postgres", SCHEMA)?;
    server.sql("postgres", "CHECKPOINT")?;
    let mut best = 0.0_f64;
    for clients in [8, 32] {
        best = best.max(server.pgbench(TX4, clients, span)?);
    }
    Ok(best)
}

/// One client, one inserted row a commit: the unit in which latencies are given.
pub async fn single_commits(server: &Postgres, span: Duration) -> Result<Outcome> {
    let mut connection = PgConnection::connect(&server.url("postgres")).await?;
    connection
        .execute(
            "CREATE TABLE IF NOT EXISTS one (seq bigint GENERATED ALWAYS AS IDENTITY, body text)",
        )
        .await?;
    let body = "d".repeat(400);
    let began = Instant::now();
    let mut outcome = Outcome::default();
    while began.elapsed() < span {
        let sent = Instant::now();
        sqlx::query("INSERT INTO one (body) VALUES ($1)")
            .bind(&body)
            .execute(&mut connection)
            .await?;
        outcome.done += 1;
        outcome.latency.record(sent.elapsed());
    }
    outcome.elapsed = began.elapsed();
    connection.close().await?;
    Ok(outcome)
}

//! What this machine can do at best without Steward, by the programs that know best.

pub mod nats;
pub mod postgres;
pub mod sqlite;

use std::time::Duration;

use anyhow::Result;

use crate::{
    scratch::{Nats, Postgres},
    table::{self, Row},
};

/// All limits, each for `span`.
pub async fn all(span: Duration) -> Result<()> {
    let mut rows = Vec::new();
    {
        let server = Postgres::start()?;
        rows.push(Row::rate(
            "PostgreSQL, `tx4`, best of 8 and 32 clients",
            postgres::tx4(&server, span)?,
        ));
        let commits = postgres::single_commits(&server, span).await?;
        rows.push(Row::of("PostgreSQL, one row a commit, one client", &commits));
    }
    rows.push(Row::of(
        "SQLite, `synchronous=FULL`, single transactions",
        &sqlite::single(span).await?,
    ));
    let server = Nats::start().await?;
    let batches = nats::atomic_batches(&server, span).await?;
    rows.push(Row::rate("JetStream, atomic batches of 500, synced", batches.rate));
    rows.push(Row::rate(
        "JetStream, consume with ack",
        nats::consume(&server, batches.stored).await?,
    ));
    table::print(&rows, &[]);
    Ok(())
}

//! `clocks` and `compliance`: a million clocks, how late they fire, and how long a month's report takes.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use futures::StreamExt;
use kernel::Clock;
use serde_json::Value;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::{
    fixture::{self, Kind},
    histogram::Histogram,
    http::Client,
    limits::nats,
    load::{Outcome, open_loop},
    platform::Platform,
    scratch::{Nats, Postgres},
    table::{self, Row, Verdict},
    usage,
};

const FEW: usize = 10_000;
const MANY: usize = 1_000_000;
/// Clocks that come due in each second.
const DUE_A_SECOND: usize = 1_000;
/// From the filling of the tables to the first that is due: the services start in between.
const AHEAD: chrono::TimeDelta = chrono::TimeDelta::seconds(420);
/// So long before it the database is read into memory.
const WARM_UP: Duration = Duration::from_secs(30);
/// Reports a second: what is compared is the work of one.
const REPORTS: f64 = 10.0;

/// How late the events of clocks that fire are on the bus, and what the service holds in memory.
pub async fn firing(span: Duration) -> Result<()> {
    let server = Postgres::start()?;
    let template = server.databases("clocks")?;
    let url = server.url("clocks_sla");
    let due = usize::try_from(span.as_secs())? * DUE_A_SECOND;
    let first = Clock::System.now() + AHEAD;
    fixture::running(&url, MANY, first, DUE_A_SECOND, due).await?;
    server.sql("clocks_sla", "VACUUM ANALYZE")?;
    server.sql("clocks_sla", "CHECKPOINT")?;
    let bus = Nats::start().await?;
    let address = bus.address().expose();
    let gateway = Platform::gateway(&address).await?;
    let sla = gateway.beside("sla", &address, &["--database-url-template", &template]).await?;
    let mut said = nats::connect(&bus).await?.subscribe("steward.sla.clock.breached.v1.>").await?;
    ensure!(Clock::System.now() < first, "the fixture took longer than {AHEAD}");
    let begins = Instant::now() + (first - Clock::System.now()).to_std()?;
    sleep_until(begins - WARM_UP).await;
    server.warm()?;
    let deadline = begins + span + Duration::from_secs(120);
    let mut late = Histogram::default();
    while late.count() < due as u64 {
        let message = timeout_at(deadline, said.next()).await;
        let message = message.context("not all clocks fired")?.context("the bus is gone")?;
        let event: Value = serde_json::from_slice(&message.payload)?;
        let due = event["record"]["data"]["due_at"].as_str().context("a breach has a due time")?;
        let due: chrono::DateTime<chrono::Utc> = due.parse()?;
        late.record((Clock::System.now() - due).to_std().unwrap_or_default());
    }
    let memory = usage::resident(sla.process()).context("the process is gone")?;
    let outcome =
        Outcome { done: late.count(), elapsed: span, latency: late, ..Outcome::default() };
    let row =
        Row::of(format!("{MANY} running clocks, {DUE_A_SECOND} due a second: lateness"), &outcome);
    let verdicts = [
        Verdict::at_most("clocks, lateness p99, s", outcome.latency.at(0.99).as_secs_f64(), 1.0),
        Verdict::at_most("clocks, memory, MiB", memory as f64 / f64::from(1 << 20), 300.0),
    ];
    table::print(&[row.holding(Some(memory))], &verdicts);
    Ok(())
}

/// A month's report over few clocks and over many.
pub async fn compliance(span: Duration) -> Result<()> {
    let server = Postgres::start()?;
    let few = reports(&server, "few", FEW, span).await?;
    let many = reports(&server, "many", MANY, span).await?;
    let ratio = |part| many.latency.at(part).as_secs_f64() / few.latency.at(part).as_secs_f64();
    let rows = [
        Row::of(format!("a month's report over {FEW} clocks"), &few),
        Row::of(format!("a month's report over {MANY} clocks"), &many),
    ];
    let verdicts = [
        Verdict::at_most("compliance, p50", ratio(0.5), 3.0),
        Verdict::at_most("compliance, p99", ratio(0.99), 3.0),
    ];
    table::print(&rows, &verdicts);
    Ok(())
}

async fn reports(server: &Postgres, name: &str, count: usize, span: Duration) -> Result<Outcome> {
    let template = server.databases(name)?;
    let database = format!("{name}_sla");
    fixture::month(&server.url(&database), count).await?;
    server.sql(&database, "VACUUM ANALYZE")?;
    server.sql(&database, "CHECKPOINT")?;
    let platform = Platform::up(&["--database-url-template", &template]).await?;
    let door = platform.agent().await?;
    let counted = counted(&door).await?;
    ensure!(counted == count as u64, "{counted} of {count} clocks are in the report");
    // The first warms caches and statements, the second counts.
    let _ = ask(&door, span).await.flawless()?;
    ask(&door, span).await.flawless()
}

/// March in Berlin, whose days begin within those of UTC.
const MARCH: &str = "/api/v1/clocks/compliance?from=2026-02-28T23:00:00Z&to=2026-03-31T22:00:00Z";

/// How many clocks the figures of the report count.
async fn counted(door: &Client) -> Result<u64> {
    let report = door.get(MARCH).await?.json(200)?;
    let lines = report["items"].as_array().context("a report has items")?;
    let figures = lines.iter().flat_map(|line| ["met", "breached", "open"].map(|name| &line[name]));
    Ok(figures.filter_map(Value::as_u64).sum())
}

async fn ask(door: &Arc<Client>, span: Duration) -> Outcome {
    let door = Arc::clone(door);
    open_loop(REPORTS, 4, span, move |_| {
        let door = Arc::clone(&door);
        async move { door.get(MARCH).await?.expect(200).map(drop) }
    })
    .await
}

impl Kind {
    /// The share of a month's clocks of this kind, per cent.
    pub fn share(self) -> usize {
        match self {
            Self::Met => 90,
            Self::Breached => 8,
            Self::Running => 2,
        }
    }
}

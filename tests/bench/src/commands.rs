//! `commands`, `commands-sqlite`, `commands-all` and `commands-format`: durable commands through gateway and service.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{
    http::Client,
    limits::{postgres, sqlite},
    load::{Outcome, open_loop, saturate},
    platform::{Platform, batch},
    scratch::Postgres,
    table::{self, Row, Verdict},
    usage,
    variants::{self, Variant},
};

/// Incidents that the commands go to.
const RECORDS: usize = 5_000;
const CONNECTIONS: usize = 64;
/// The share of the sustained rate at which latencies are taken.
const PART: f64 = 0.7;
/// How often two definitions take turns.
const TURNS: u32 = 3;

/// Gateway and incident, a process each.
pub async fn on_postgres(span: Duration) -> Result<()> {
    beside_pgbench("commands", Shape::Spine, span).await
}

/// All seven services in one process, each of which hears what incident says.
pub async fn of_all(span: Duration) -> Result<()> {
    beside_pgbench("commands-all", Shape::All, span).await
}

/// How many services there are to go through.
enum Shape {
    Spine,
    All,
}

async fn beside_pgbench(name: &str, shape: Shape, span: Duration) -> Result<()> {
    let server = Postgres::start()?;
    let limit = postgres::tx4(&server, span)?;
    let template = server.databases("steward")?;
    let arguments = ["--database-url-template", &template];
    let platform = match shape {
        Shape::Spine => Platform::spine(&arguments).await?,
        Shape::All => Platform::up(&arguments).await?,
    };
    let rows = vec![Row::rate("pgbench `tx4`, best of 8 and 32 clients", limit)];
    measure(name, &platform, server.process(), limit, 0.5, rows, span).await
}

pub async fn on_sqlite(span: Duration) -> Result<()> {
    let outcome = sqlite::single(span).await?;
    let limit = outcome.rate();
    let platform = Platform::spine(&[]).await?;
    let rows = vec![Row::of("SQLite, `synchronous=FULL`, single transactions", &outcome)];
    measure("commands-sqlite", &platform, None, limit, 0.7, rows, span).await
}

/// The incident definition without notices, children and an audience worked out for each record, and the shipped one
/// with a vote and a notice whose condition is asked at every step: in turns, on the records of one database.
pub async fn of_format(span: Duration) -> Result<()> {
    let server = Postgres::start()?;
    let template = server.databases("steward")?;
    let platform = Platform::spine(&["--database-url-template", &template]).await?;
    let agent = platform.agent().await?;
    let plain = Desk::under(&platform, &agent, &variants::plain()?).await?;
    let rich = Desk::under(&platform, &agent, &variants::rich()?).await?;
    for desk in [&plain, &rich] {
        let _ = desk.toggle_all(Duration::from_secs(1)).await.flawless()?;
    }
    let (mut of_plain, mut of_rich) = (Outcome::default(), Outcome::default());
    for _ in 0..TURNS {
        of_plain.add(plain.toggle_all(span).await.flawless()?);
        of_rich.add(rich.toggle_all(span).await.flawless()?);
    }
    let rows = [
        Row::of("a transition each, roles and fields alone", &of_plain),
        Row::of("the same with a vote, notices, children and an audience by rule", &of_rich),
    ];
    let verdict = Verdict::at_least("commands-format", of_rich.rate() / of_plain.rate(), 0.8);
    table::print(&rows, &[verdict]);
    Ok(())
}

async fn measure(
    name: &str,
    platform: &Platform,
    database: Option<u32>,
    limit: f64,
    target: f64,
    mut rows: Vec<Row>,
    span: Duration,
) -> Result<()> {
    let desk = Desk::fill(platform.agent().await?, RECORDS).await?;
    let parts = Parts::of(platform, database);
    // The first seconds compile statements and warm pages.
    let _ = desk.toggle_all(Duration::from_secs(2)).await.flawless()?;
    let before = parts.used();
    let all = desk.toggle_all(span).await.flawless()?;
    let costs = parts.since(&before);
    rows.push(
        Row::of(format!("gateway and service, {CONNECTIONS} connections, a transition each"), &all)
            .costing(costs.iter().map(|(_, cost)| *cost).sum(), all.done)
            .holding(platform.resident()),
    );
    for (part, cost) in costs {
        rows.push(Row { what: format!("of it {part}"), ..Row::default() }.costing(cost, all.done));
    }
    let rate = all.rate() * PART;
    let paced = desk.toggle_at(rate, span).await.flawless()?;
    rows.push(Row::of("the same, open loop at 70 % of that rate", &paced));
    table::print(&rows, &[Verdict::at_least(name, all.rate() / limit, target)]);
    Ok(())
}

/// The processes that share the machine during a run.
struct Parts(Vec<(&'static str, u32)>);

impl Parts {
    fn of(platform: &Platform, database: Option<u32>) -> Self {
        let mut parts = vec![("the load generator", std::process::id())];
        parts.push(("the gateway, or all services", platform.process()));
        parts.extend(platform.beside_it().map(|process| ("the service", process)));
        parts.extend(platform.nats().map(|process| ("nats-server", process)));
        parts.extend(database.map(|process| ("PostgreSQL", process)));
        Self(parts)
    }

    fn used(&self) -> Vec<Duration> {
        let own = |process: u32, is_family: bool| match is_family {
            true => usage::processor_time(process),
            false => usage::own_processor_time(process),
        };
        self.0.iter().map(|(name, process)| own(*process, *name == "PostgreSQL")).collect()
    }

    fn since(&self, before: &[Duration]) -> Vec<(&'static str, Duration)> {
        let now = self.used();
        let spent = now.iter().zip(before).map(|(now, before)| now.saturating_sub(*before));
        self.0.iter().map(|(name, _)| *name).zip(spent).collect()
    }
}

/// Incidents in work that are held and resumed over HTTP.
pub struct Desk {
    door: Arc<Client>,
    records: Arc<Vec<(String, AtomicBool)>>,
}

impl Desk {
    /// Incidents that go by a text of their process, which is published for them.
    async fn under(platform: &Platform, agent: &Arc<Client>, variant: &Variant) -> Result<Self> {
        let door = platform.administrator();
        let path = "/api/v1/processes/incident";
        door.put(path, &variant.base, variant.text.as_bytes()).await?.expect(200)?;
        Self::fill(Arc::clone(agent), RECORDS).await
    }

    pub async fn fill(door: Arc<Client>, count: usize) -> Result<Self> {
        let openings: Vec<Value> = (0..count).map(opening).collect();
        let opened = batch(&door, &openings).await?;
        let ids: Vec<String> = opened
            .iter()
            .map(|record| Ok(record["id"].as_str().context("a record has an id")?.to_owned()))
            .collect::<Result<_>>()?;
        let group = json!({ "group": "GRP0000001" });
        for (transition, with) in [("assign", group), ("start", json!({}))] {
            let take = |id| json!({ "id": id, "take": transition, "with": with });
            batch(&door, &ids.iter().map(take).collect::<Vec<_>>()).await?;
        }
        let records = ids.into_iter().map(|id| (id, AtomicBool::new(false))).collect();
        Ok(Self { door, records: Arc::new(records) })
    }

    pub async fn toggle_all(&self, span: Duration) -> Outcome {
        self.toggle_by(CONNECTIONS, span).await
    }

    /// By so many callers at the same time.
    pub async fn toggle_by(&self, connections: usize, span: Duration) -> Outcome {
        let desk = (Arc::clone(&self.door), Arc::clone(&self.records));
        saturate(connections, span, move |ordinal| toggle(desk.clone(), ordinal)).await
    }

    pub async fn toggle_at(&self, rate: f64, span: Duration) -> Outcome {
        let desk = (Arc::clone(&self.door), Arc::clone(&self.records));
        open_loop(rate, CONNECTIONS, span, move |ordinal| toggle(desk.clone(), ordinal)).await
    }
}

/// Holds what is in work and resumes what is on hold; a record's turn comes after all others'.
async fn toggle(
    (door, records): (Arc<Client>, Arc<Vec<(String, AtomicBool)>>),
    ordinal: u64,
) -> Result<()> {
    let position = (ordinal.wrapping_mul(7_919) % records.len() as u64) as usize;
    let (id, is_held) = &records[position];
    let (transition, with): (_, &[u8]) = match is_held.fetch_xor(true, Ordering::SeqCst) {
        true => ("resume", b"{}"),
        false => ("hold", br#"{"hold_reason":"supplier"}"#),
    };
    let path = format!("/api/v1/incidents/{id}/transitions/{transition}");
    door.post(&path, with).await?.expect(200).map(drop)
}

/// An incident of about the size of the limit's rows.
pub fn opening(number: usize) -> Value {
    json!({ "open": {
        "title": format!("Number {number}"),
        "description": "d".repeat(300),
        "service": "SVC-MAIL",
        "impact": "medium",
        "urgency": "medium",
    } })
}

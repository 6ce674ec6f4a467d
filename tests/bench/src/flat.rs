//! `flat`: how much slower the platform is with a million records than with ten thousand.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow, ensure};
use sqlx::{Connection as _, PgConnection};
use store::Act;
use uuid::Uuid;

use crate::{
    act::{open, opening},
    http::Client,
    load::{Outcome, open_loop, pause},
    platform::Platform,
    scratch::Postgres,
    table::{self, Row, Verdict},
};

const FEW: usize = 10_000;
pub const MANY: usize = 1_000_000;
/// Requests a second, far below saturation: what is compared is the work of one.
const RATE: f64 = 300.0;
/// How long a million entries may take to be sealed.
const PATIENCE: Duration = Duration::from_secs(120);

/// p99 of reading, listing and moving records, at both sizes.
pub async fn run(span: Duration) -> Result<()> {
    let server = Postgres::start()?;
    let few = measure(&server, "few", FEW, span).await?;
    let many = measure(&server, "many", MANY, span).await?;
    let mut rows = Vec::new();
    let mut verdicts = Vec::new();
    for ((what, limit, before), (_, _, after)) in few.into_iter().zip(many) {
        let ratio = after.latency.at(0.99).as_secs_f64() / before.latency.at(0.99).as_secs_f64();
        rows.push(Row::of(format!("{what}, {FEW} records"), &before));
        rows.push(Row::of(format!("{what}, {MANY} records"), &after));
        verdicts.push(Verdict::at_most(format!("flat, {what}, p99"), ratio, limit));
    }
    table::print(&rows, &verdicts);
    Ok(())
}

async fn measure(
    server: &Postgres,
    name: &str,
    count: usize,
    span: Duration,
) -> Result<Vec<(&'static str, f64, Outcome)>> {
    let (platform, ids) = filled(server, name, count).await?;
    let door = platform.agent().await?;
    let mut outcomes = Vec::new();
    for (what, limit) in [("get", 1.5), ("list page", 1.5), ("transition", 2.5)] {
        // Twice: the first warms caches and statements, the second counts.
        let _ = ask(&door, &ids, what, 0, span).await.flawless()?;
        outcomes.push((what, limit, ask(&door, &ids, what, 1, span).await.flawless()?));
    }
    Ok(outcomes)
}

/// The platform with so many incidents that were opened long ago: what was to be said of them has been said.
pub async fn filled(
    server: &Postgres,
    name: &str,
    count: usize,
) -> Result<(Platform, Arc<Vec<Uuid>>)> {
    let template = server.databases(name)?;
    let database = format!("{name}_incident");
    let ids = Arc::new(fill(server.url(&database), count).await?);
    for sql in ["TRUNCATE unsent", "VACUUM ANALYZE", "CHECKPOINT"] {
        server.sql(&database, sql)?;
    }
    let platform = Platform::up(&["--database-url-template", &template]).await?;
    sealed(&server.url(&database)).await?;
    Ok((platform, ids))
}

/// Waits until the service has signed what it found in its journal.
async fn sealed(url: &str) -> Result<()> {
    let mut db = PgConnection::connect(url).await?;
    let sql = "SELECT (SELECT max(through_seq) FROM checkpoint) = (SELECT max(seq) FROM journal)";
    let began = Instant::now();
    while sqlx::query_scalar::<_, Option<bool>>(sql).fetch_one(&mut db).await? != Some(true) {
        ensure!(began.elapsed() < PATIENCE, "the journal is not sealed");
        pause(Duration::from_millis(100)).await;
    }
    Ok(())
}

async fn ask(
    door: &Arc<Client>,
    ids: &Arc<Vec<Uuid>>,
    what: &'static str,
    pass: u64,
    span: Duration,
) -> Outcome {
    let (door, ids) = (Arc::clone(door), Arc::clone(ids));
    open_loop(RATE, 32, span, move |ordinal| {
        let (door, ids) = (Arc::clone(&door), Arc::clone(&ids));
        async move {
            // A stride that no size is a multiple of: each record's turn comes once.
            let position = (ordinal * 2 + pass).wrapping_mul(7_919) % ids.len() as u64;
            let path = format!("/api/v1/incidents/{}", ids[position as usize]);
            let answer = match what {
                "get" => door.get(&path).await?,
                "list page" => door.get(&list(ordinal)).await?,
                _ => {
                    door.post(&format!("{path}/transitions/assign"), br#"{"group":"GRP0000001"}"#)
                        .await?
                }
            };
            answer.expect(200).map(drop)
        }
    })
    .await
}

/// Pages of what people look at: the newest of a state, of a service, by priority.
fn list(ordinal: u64) -> String {
    let filter = match ordinal % 3 {
        0 => "record.state%20%3D%3D%20'new'",
        1 => "record.service%20%3D%3D%20'SVC-MAIL'",
        _ => "record.state%20%3D%3D%20'new'%20%26%26%20record.priority%20%3C%3D%203",
    };
    format!("/api/v1/incidents?limit=50&sort=-updated_at&filter={filter}")
}

/// Opens so many incidents straight into the store.
async fn fill(url: String, count: usize) -> Result<Vec<Uuid>> {
    let store = open(url).await?;
    let mut ids = Vec::with_capacity(count);
    for first in (0..count).step_by(2_000) {
        let openings: Vec<Act> = (first..count.min(first + 2_000)).map(opening).collect();
        for done in store.act_all(openings).await {
            let record = done.map_err(|why| anyhow!("{why:?}"))?.record;
            ids.push(record.ok_or_else(|| anyhow!("an opening makes a record"))?.id);
        }
    }
    store.close().await;
    Ok(ids)
}

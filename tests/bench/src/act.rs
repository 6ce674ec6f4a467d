//! `act`: durable commands a second into the store, without HTTP, beside pgbench.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, anyhow, ensure};
use engine::Command;
use kernel::{Actor, Cause, Channel, Clock};
use serde_json::{Map, Value, json};
use store::{Act, Options, RecordRef, Store, Target};
use uuid::Uuid;

use crate::{
    limits::postgres,
    load::saturate,
    rules,
    scratch::Postgres,
    table::{self, Row, Verdict},
    usage,
};

/// Records that the commands go to.
pub const RECORDS: usize = 10_000;
/// Callers that wait for their answer, as many as a busy service has in flight.
pub const CALLERS: usize = 1024;

/// Commands into PostgreSQL: each takes a transition of an incident that it finds by its id.
pub async fn run(span: Duration) -> Result<()> {
    let server = Postgres::start()?;
    let limit = postgres::tx4(&server, span)?;
    let url = server.database("steward")?;
    let store = open(url).await?;
    let desk = Desk::fill(store, RECORDS).await?;
    let (mine, theirs) = (std::process::id(), server.process().unwrap_or_default());
    let used = || [usage::own_processor_time(mine), usage::processor_time(theirs)];
    // The first second compiles statements and warms pages.
    let _ = desk.toggle(CALLERS, Duration::from_secs(1)).await.flawless()?;
    let before = used();
    let outcome = desk.toggle(CALLERS, span).await.flawless()?;
    let [ours, database] = used();
    let (ours, database) = (ours - before[0], database - before[1]);
    let part = |what: &str, cost| {
        Row { what: what.to_owned(), ..Row::default() }.costing(cost, outcome.done)
    };
    let rows = [
        Row::rate("pgbench `tx4`, best of 8 and 32 clients", limit),
        Row::of(format!("`Store::act`, {CALLERS} callers, a transition each"), &outcome)
            .costing(ours + database, outcome.done)
            .holding(usage::resident(mine)),
        part("of it this process: engine, store, driver", ours),
        part("of it PostgreSQL", database),
    ];
    table::print(&rows, &[Verdict::at_least("act", outcome.rate() / limit, 3.0)]);
    Ok(())
}

pub async fn open(url: String) -> Result<Store> {
    Store::open(Options::new(url, "incident"), rules::of_incident()?, Clock::System)
        .await
        .map_err(|why| anyhow!(why))
}

/// An agent's command, now.
pub fn act(target: Target, command: Command) -> Act {
    let mut actor = Actor::system("bench");
    actor.roles.extend(["agent".to_owned(), "incident_manager".to_owned()]);
    let cause = Cause::new(Uuid::new_v4(), Arc::new(actor), Clock::System.now(), Channel::Api);
    Act::new(cause, target, vec![command])
}

pub fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// The opening of an incident of about the size of the limit's rows.
pub fn opening(number: usize) -> Act {
    let data = object(json!({
        "title": format!("Number {number}"),
        "description": "d".repeat(300),
        "service": "SVC-MAIL",
        "impact": "medium",
        "urgency": "medium",
    }));
    act(Target::New { process: "incident".to_owned() }, Command::Open { data })
}

/// Incidents in work that are held and resumed, by one caller at a time each.
pub struct Desk {
    store: Store,
    records: Arc<Vec<(Uuid, AtomicBool)>>,
}

impl Desk {
    /// Opens so many incidents and brings each into work.
    pub async fn fill(store: Store, count: usize) -> Result<Self> {
        let mut records = Vec::with_capacity(count);
        for first in (0..count).step_by(500) {
            let opened = (first..count.min(first + 500)).map(opening).collect();
            let mut ids = Vec::new();
            for done in store.act_all(opened).await {
                let record = done.map_err(|why| anyhow!("{why:?}"))?.record;
                ids.push(record.ok_or_else(|| anyhow!("an opening makes a record"))?.id);
            }
            let group = json!({ "group": "GRP0000001" });
            for (transition, with) in [("assign", group), ("start", json!({}))] {
                let acts = ids.iter().map(|id| take(*id, transition, &with)).collect();
                for done in store.act_all(acts).await {
                    done.map_err(|why| anyhow!("{why:?}"))?;
                }
            }
            records.extend(ids.into_iter().map(|id| (id, AtomicBool::new(false))));
        }
        ensure!(records.len() == count, "{} of {count} incidents were opened", records.len());
        Ok(Self { store, records: Arc::new(records) })
    }

    /// Holds what is in work, and resumes what is on hold.
    pub async fn toggle(&self, callers: usize, span: Duration) -> crate::load::Outcome {
        let (store, records) = (self.store.clone(), Arc::clone(&self.records));
        let next = Arc::new(AtomicU64::new(0));
        saturate(callers, span, move |_| {
            let (store, records) = (store.clone(), Arc::clone(&records));
            // A walk in no order that comes back to a record only after all others.
            let step = next.fetch_add(1, Ordering::Relaxed).wrapping_mul(7_919);
            let position = (step % records.len() as u64) as usize;
            async move {
                let (id, is_held) = &records[position];
                let (transition, with) = match is_held.fetch_xor(true, Ordering::SeqCst) {
                    true => ("resume", json!({})),
                    false => ("hold", json!({ "hold_reason": "supplier" })),
                };
                let done = store.act(take(*id, transition, &with)).await;
                done.map(drop).map_err(|why| anyhow!("{why:?}"))
            }
        })
        .await
    }
}

fn take(id: Uuid, transition: &str, with: &Value) -> Act {
    let target = Target::Record { process: "incident".to_owned(), which: RecordRef::Id(id) };
    let with = object(with.clone());
    act(target, Command::Take { transition: transition.to_owned(), with })
}

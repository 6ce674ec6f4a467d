//! `alerts`, `alerts-to-incident` and `latency`: from a monitoring tool's post to the incident.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::{
    histogram::Histogram,
    http::Client,
    limits::{nats, postgres},
    load::{CALM, Outcome, open_loop, pause, saturate},
    platform::{Platform, bytes},
    scratch::{Nats, Postgres},
    table::{self, Row, Verdict},
};

const WEBHOOK: &str = "/api/v1/intake/alertmanager";
/// Alerts a post.
const POST: usize = 100;
/// Monitoring tools that post at the same time.
const SENDERS: usize = 8;
/// The storm.
const STORM: usize = 100_000;
const GROUPS: usize = 50;
/// Different alerts of a group; the others of the storm repeat them.
const ALERTS_A_GROUP: usize = 200;

/// Alerts accepted durably, beside JetStream's atomic batches.
pub async fn accepted(span: Duration) -> Result<()> {
    let limit = {
        let server = Nats::start().await?;
        nats::atomic_batches(&server, span).await?.rate
    };
    let (accepted, alone) =
        posted(Platform::intake(&[]).await?, span, "accepted by the gateway").await?;
    let (_, beside) =
        posted(Platform::spine(&[]).await?, span, "the same while incident works on them").await?;
    let rows = [Row::rate("JetStream, atomic batches of 500, synced", limit), alone, beside];
    table::print(&rows, &[Verdict::at_least("alerts", accepted / limit, 0.5)]);
    Ok(())
}

/// Alerts a second that a platform takes, and the row that says so.
async fn posted(platform: Platform, span: Duration, what: &str) -> Result<(f64, Row)> {
    let monitor = platform.monitor().await?;
    let posts: Arc<Vec<Vec<u8>>> = Arc::new((0..200).map(|n| storm_of(n * POST, POST)).collect());
    let before = platform.processor_time();
    let outcome = saturate(SENDERS, span, move |ordinal| {
        let (monitor, posts) = (Arc::clone(&monitor), Arc::clone(&posts));
        async move {
            let body = &posts[ordinal as usize % posts.len()];
            monitor.post(WEBHOOK, body).await?.expect(202).map(drop)
        }
    })
    .await
    .flawless()?;
    let cost = platform.processor_time() - before;
    let rate = outcome.rate() * POST as f64;
    let row = Row::of(format!("posts of {POST} alerts, {SENDERS} senders: {what}"), &outcome)
        .costing(cost, outcome.done * POST as u64)
        .holding(platform.resident());
    Ok((rate, Row { throughput: Some(rate), ..row }))
}

/// A storm to the last alert's fate, beside raw consumption with an ack each.
pub async fn to_incident(span: Duration) -> Result<()> {
    let limit = {
        let server = Nats::start().await?;
        let stored = nats::atomic_batches(&server, span).await?.stored;
        nats::consume(&server, stored).await?
    };
    let platform = Platform::spine(&[]).await?;
    let (monitor, agent) = (platform.monitor().await?, platform.agent().await?);
    let before = platform.processor_time();
    let began = Instant::now();
    let storm = send(&monitor, STORM).await?;
    let total = settled(&agent, STORM as u64).await?;
    let took = began.elapsed();
    let cost = platform.processor_time() - before;
    let incidents = incidents(&agent).await?;
    ensure!(incidents == GROUPS, "{incidents} incidents of {GROUPS} groups");
    let rate = total as f64 / took.as_secs_f64();
    let mut posts = Row::of("posting the storm", &storm);
    posts.throughput = Some(storm.rate() * POST as f64);
    let rows = [
        Row::rate("JetStream, consume with ack", limit),
        posts,
        Row::rate(format!("{STORM} alerts in {GROUPS} groups, post to fate"), rate)
            .costing(cost, total)
            .holding(platform.resident()),
    ];
    table::print(&rows, &[Verdict::at_least("alerts-to-incident", rate / limit, 0.08)]);
    Ok(())
}

/// From the post of an alert to its incident in the list, while as many others come in as half of
/// what is sustained; in durable commits of one row.
pub async fn latency(span: Duration) -> Result<()> {
    let server = Postgres::start()?;
    let unit = postgres::single_commits(&server, span).await?;
    let template = server.databases("steward")?;
    let platform = Platform::spine(&["--database-url-template", &template]).await?;
    let (monitor, agent) = (platform.monitor().await?, platform.agent().await?);
    let began = Instant::now();
    let calm = STORM / 5;
    send(&monitor, calm).await?;
    settled(&agent, calm as u64).await?;
    let sustained = calm as f64 / began.elapsed().as_secs_f64();
    // What that leaves to be published is not part of the half.
    pause(CALM).await;

    let ordinal = Arc::new(AtomicU64::new(0));
    let accepted = Arc::new(Mutex::new(Histogram::default()));
    let background = tokio::spawn({
        let monitor = Arc::clone(&monitor);
        open_loop(sustained / 2.0 / 10.0, 64, span * 4, move |n| {
            let monitor = Arc::clone(&monitor);
            async move {
                let body = storm_of(n as usize * 10, 10);
                monitor.post(WEBHOOK, &body).await?.expect(202).map(drop)
            }
        })
    });
    let probes = saturate(1, span * 4, {
        let accepted = Arc::clone(&accepted);
        move |_| {
            let (monitor, agent) = (Arc::clone(&monitor), Arc::clone(&agent));
            let accepted = Arc::clone(&accepted);
            let name = format!("probe-{}", ordinal.fetch_add(1, Ordering::Relaxed));
            async move {
                let took = post(&monitor, &name).await?;
                accepted.lock().unwrap_or_else(PoisonError::into_inner).record(took);
                listed(&agent, &name).await
            }
        }
    })
    .await
    .flawless()?;
    let others = background.await?.flawless()?;
    let commit = unit.latency.at(0.5).as_secs_f64();
    let in_commits = |part: f64| probes.latency.at(part).as_secs_f64() / commit;
    let accepted = accepted.lock().unwrap_or_else(PoisonError::into_inner);
    let accepted = Outcome { latency: accepted.clone(), ..Outcome::default() };
    let mut background = Row::of("other alerts meanwhile, posts of 10", &others);
    background.throughput = Some(others.rate() * 10.0);
    let rows = [
        Row::of("PostgreSQL, one row a commit, one client", &unit),
        Row::rate("sustained, post to fate", sustained),
        background,
        Row::of("from post to incident in the list", &probes),
        Row { throughput: None, ..Row::of("of it until the post is accepted", &accepted) },
    ];
    let verdicts = [
        Verdict::at_most("latency p50, in commits", in_commits(0.5), 50.0),
        Verdict::at_most("latency p99, in commits", in_commits(0.99), 200.0),
    ];
    table::print(&rows, &verdicts);
    Ok(())
}

/// Posts one alert, of a service of its own; how long that took.
async fn post(monitor: &Client, name: &str) -> Result<Duration> {
    let began = Instant::now();
    let labels = json!({ "alertname": name, "service": name, "severity": "warning" });
    let body = bytes(&json!({ "version": "4", "alerts": [alert(name, &labels)] }));
    monitor.post(WEBHOOK, &body).await?.expect(202)?;
    Ok(began.elapsed())
}

/// Waits until the incident of such a service is listed.
async fn listed(agent: &Client, name: &str) -> Result<()> {
    let list = format!("/api/v1/incidents?limit=1&filter=record.service%20%3D%3D%20'{name}'");
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(30) {
        let page = agent.get(&list).await?.json(200)?;
        if page["items"].as_array().is_some_and(|items| !items.is_empty()) {
            return Ok(());
        }
        // Not in a loop as fast as it goes: each look is a query through two services, and the probe
        // must not be the load.
        pause(Duration::from_millis(5)).await;
    }
    anyhow::bail!("{name} opened no incident")
}

/// Posts `count` alerts of the storm as fast as they are accepted.
async fn send(monitor: &Arc<Client>, count: usize) -> Result<Outcome> {
    let next = Arc::new(AtomicU64::new(0));
    let mut whole = tokio::task::JoinSet::new();
    let began = Instant::now();
    for _ in 0..SENDERS {
        let (monitor, next) = (Arc::clone(monitor), Arc::clone(&next));
        whole.spawn(async move {
            let mut latencies = Histogram::default();
            loop {
                let first = next.fetch_add(POST as u64, Ordering::Relaxed) as usize;
                if first >= count {
                    return anyhow::Ok(latencies);
                }
                let sent = Instant::now();
                monitor.post(WEBHOOK, &storm_of(first, POST)).await?.expect(202)?;
                latencies.record(sent.elapsed());
            }
        });
    }
    let mut outcome = Outcome::default();
    while let Some(sender) = whole.join_next().await {
        outcome.latency.merge(&sender??);
    }
    outcome.done = outcome.latency.count();
    outcome.elapsed = began.elapsed();
    Ok(outcome)
}

/// Waits until so many alerts have their fate; how many have.
async fn settled(door: &Client, count: u64) -> Result<u64> {
    let began = Instant::now();
    loop {
        let totals = door.get("/api/v1/intake/totals").await?.json(200)?;
        let fates = totals["fates"].as_object().into_iter().flatten();
        let total: u64 = fates.filter_map(|(_, count)| count.as_u64()).sum();
        if total >= count {
            return Ok(total);
        }
        ensure!(began.elapsed() < Duration::from_secs(600), "{totals}");
        pause(Duration::from_millis(50)).await;
    }
}

async fn incidents(agent: &Client) -> Result<usize> {
    let page = agent.get("/api/v1/incidents?limit=500").await?.json(200)?;
    Ok(page["items"].as_array().map_or(0, Vec::len))
}

/// A webhook call with `count` of the storm's alerts, from the `first` on.
fn storm_of(first: usize, count: usize) -> Vec<u8> {
    let alerts: Vec<Value> = (first..first + count)
        .map(|n| {
            let (group, member) = (n % GROUPS, n / GROUPS % ALERTS_A_GROUP);
            let labels = json!({
                "alertname": format!("Storm{group:02}"),
                "service": "SVC-MAIL",
                "instance": format!("host-{member:03}"),
                "severity": "warning",
            });
            alert(&format!("{group:02}-{member:03}"), &labels)
        })
        .collect();
    bytes(&json!({ "version": "4", "status": "firing", "alerts": alerts }))
}

fn alert(fingerprint: &str, labels: &Value) -> Value {
    json!({
        "status": "firing",
        "labels": labels,
        "annotations": { "summary": "The bench says so", "description": "d".repeat(200) },
        "startsAt": "2026-03-14T22:05:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph",
        "fingerprint": fingerprint,
    })
}

//! What Steward stands on is gone for a while: people work on or are asked to come again, and all
//! is made up for.

use std::{sync::Arc, time::Duration};

use acceptance::{ALERTMANAGER, Cluster, Databases, Options, Platform, alert, until, webhook};
use serde_json::json;
use testkit::{Nats, Postgres, Sync, skipped};

use crate::{
    load::Load,
    proof,
    round::{reach, some_way},
};

/// Proves: PLT-8
#[tokio::test]
async fn without_nats_commands_succeed_and_alerts_are_asked_to_come_again() {
    let nats = Nats::start().await;
    let platform =
        Platform::up(Options::default().with(&["--nats-url", &nats.address().expose()])).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let monitor = platform.monitor("Prometheus").await;
    let load = Load::start(&agent, &monitor);
    until("the load goes", Duration::from_secs(30), || async { load.count() > 5 }).await;

    nats.server.down().await;
    let labels = json!({ "alertname": "Group0", "service": "SVC-MAIL", "severity": "warning" });
    let body = webhook(&[alert("out", &labels, "2026-03-14T22:05:00Z", None)]);
    until("the intake says 503", Duration::from_secs(30), || async {
        monitor.post(ALERTMANAGER, &body).await.status == 503
    })
    .await;
    let before = load.count();
    until("commands go on without NATS", Duration::from_secs(30), || async {
        load.count() > before + 20
    })
    .await;
    assert_eq!(monitor.post(ALERTMANAGER, &body).await.status, 503);

    nats.server.up().await;
    until("the intake takes alerts again", Duration::from_secs(30), || async {
        monitor.post(ALERTMANAGER, &body).await.status == 202
    })
    .await;
    let promises = load.stop().await;
    proof::holds(&agent, &promises).await;
    proof::stream_is_whole(&nats, &agent).await;
    proof::chains_are_sound(platform.verify().await);
}

/// Proves: PLT-8
#[tokio::test]
async fn the_database_crashes_under_load_and_keeps_every_promise() {
    let server = match beside(|| Postgres::start(Sync::On)).await {
        Ok(server) => Arc::new(server),
        Err(because) => return skipped("a test on PostgreSQL", &because),
    };
    let (of_gateway, of_incident) = (server.database().await, server.database().await);
    let databases =
        Databases { gateway: of_gateway.url.clone(), incident: of_incident.url.clone() };
    let cluster = Cluster::start(1, databases).await;
    let agent = cluster.person("Ada", &["agent"]).await;
    let monitor = cluster.monitor("Prometheus").await;
    let load = Load::start(&agent, &monitor);
    for round in 0..5 {
        some_way(&load, reach(round)).await;
        let server = Arc::clone(&server);
        let restarted = beside(move || server.crash().and_then(|()| server.up())).await;
        restarted.expect("PostgreSQL stops and starts");
    }
    some_way(&load, 1).await;
    let promises = load.stop().await;
    proof::holds(&agent, &promises).await;
    proof::stream_is_whole(&cluster.nats, &agent).await;
    proof::chains_are_sound(cluster.verify().await);
}

/// Does what blocks its thread while the load goes on.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("it is not cancelled")
}

//! `kill -9` at random moments under load: of everything, of nats-server, of one service.

use std::time::Duration;

use acceptance::{Cluster, Databases, Options, Platform, descendants, signal};
use testkit::{Postgres, eventually};

use crate::{
    load::Load,
    proof,
    round::{reach, some_way},
};

/// How long the platform may take to start its nats-server again.
const RESTARTED: Duration = Duration::from_secs(120);

/// Proves: PLT-8
#[tokio::test]
async fn the_whole_is_killed_and_keeps_every_promise() {
    let mut platform = Platform::up(Options::default()).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let monitor = platform.monitor("Prometheus").await;
    let load = Load::start(&agent, &monitor);
    for round in 0..20 {
        some_way(&load, reach(round)).await;
        platform.kill();
        platform.start().await;
    }
    let promises = load.stop().await;
    proof::holds(&agent, &promises).await;
    proof::chains_are_sound(platform.verify().await);
}

/// Proves: PLT-8
#[tokio::test]
async fn nats_server_is_killed_and_nothing_is_lost() {
    let platform = Platform::up(Options::default()).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let monitor = platform.monitor("Prometheus").await;
    let load = Load::start(&agent, &monitor);
    for round in 0..15 {
        some_way(&load, reach(round)).await;
        let process = platform.process().expect("the platform runs");
        let servers = eventually("nats-server runs again", RESTARTED, async || {
            Some(descendants(process, "nats-server")).filter(|servers| !servers.is_empty())
        });
        for server in servers.await {
            signal(server, "KILL");
        }
    }
    let promises = load.stop().await;
    proof::holds(&agent, &promises).await;
    proof::chains_are_sound(platform.verify().await);
}

/// Proves: PLT-8
#[tokio::test]
async fn one_service_is_killed_and_keeps_every_promise() {
    let mut cluster = Cluster::start(1, Databases::default()).await;
    let agent = cluster.person("Ada", &["agent"]).await;
    let monitor = cluster.monitor("Prometheus").await;
    let load = Load::start(&agent, &monitor);
    for round in 0..15 {
        some_way(&load, reach(round)).await;
        // The gateway every third time: it must come back with all that it knew.
        let victim = if round % 3 == 2 { &mut cluster.gateway } else { &mut cluster.incidents[0] };
        victim.kill();
        victim.start().await;
    }
    let promises = load.stop().await;
    proof::holds(&agent, &promises).await;
    proof::stream_is_whole(&cluster.nats, &agent).await;
    proof::chains_are_sound(cluster.verify().await);
}

/// Proves: PLT-8
#[tokio::test]
async fn two_replicas_share_a_database_and_one_dies_now_and_then() {
    let Some(database) = Postgres::scratch().await else { return };
    let databases = Databases { incident: database.url.clone(), ..Databases::default() };
    let mut cluster = Cluster::start(2, databases).await;
    let agent = cluster.person("Ada", &["agent"]).await;
    let monitor = cluster.monitor("Prometheus").await;
    let load = Load::start(&agent, &monitor);
    for round in 0..15 {
        some_way(&load, reach(round)).await;
        let victim = &mut cluster.incidents[round % 2];
        victim.kill();
        // It comes back at once, or when the other one has gone on for a while.
        some_way(&load, reach(round) / 4).await;
        victim.start().await;
    }
    let promises = load.stop().await;
    proof::holds(&agent, &promises).await;
    proof::stream_is_whole(&cluster.nats, &agent).await;
    proof::chains_are_sound(cluster.verify().await);
}

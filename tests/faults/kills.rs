//! `kill -9` at random moments under load.

use std::time::Duration;

use acceptance::{Options, Platform, descendants, signal, until};

use testkit::eventually;

use crate::{load::Load, proof};

const CALLERS: usize = 4;
/// How long the platform may take to start its nats-server again.
const RESTARTED: Duration = Duration::from_secs(60);

/// Waits until the load got some way further than `from`: a moment that no two rounds share.
async fn some_way(load: &Load, from: usize, further: usize) {
    until("the load goes on", Duration::from_secs(60), || async { load.count() >= from + further })
        .await;
}

/// How far the load gets before the kill of a round: 1 to 16 incidents, in no order.
fn reach(round: usize) -> usize {
    (round * 7 + 3) % 16 + 1
}

/// Proves: PLT-8
#[tokio::test]
async fn the_whole_is_killed_and_keeps_every_promise() {
    let mut platform = Platform::up(Options::default()).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let monitor = platform.monitor("Prometheus").await;
    let load = Load::start(&agent, &monitor, CALLERS);
    for round in 0..20 {
        some_way(&load, load.count(), reach(round)).await;
        platform.kill();
        platform.start().await;
    }
    let promises = load.stop().await;
    proof::holds(&agent, &promises).await;
}

/// Proves: PLT-8
#[tokio::test]
async fn nats_server_is_killed_and_nothing_is_lost() {
    let platform = Platform::up(Options::default()).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let monitor = platform.monitor("Prometheus").await;
    let load = Load::start(&agent, &monitor, CALLERS);
    for round in 0..15 {
        some_way(&load, load.count(), reach(round)).await;
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
}

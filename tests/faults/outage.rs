//! NATS is gone for a while: people work on, alerts are asked to come again, all is made up for.

use std::time::Duration;

use acceptance::{ALERTMANAGER, Options, Platform, alert, until, webhook};
use serde_json::json;
use testkit::Nats;

use crate::{load::Load, proof};

#[tokio::test]
async fn without_nats_commands_succeed_and_alerts_are_asked_to_come_again() {
    let nats = Nats::start().await;
    let platform =
        Platform::up(Options::default().with(&["--nats-url", &nats.address().expose()])).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let monitor = platform.monitor("Prometheus").await;
    let load = Load::start(&agent, &monitor, 2);
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
}

//! What becomes of alerts: one incident, a count, a return, a successor, or a quarantine.

use std::time::Duration;

use acceptance::{ALERTMANAGER, Door, Options, Platform, alert, until, webhook};
use serde_json::{Value, json};
use testkit::eventually;

const SOON: Duration = Duration::from_secs(30);

fn labels(name: &str) -> Value {
    json!({ "alertname": name, "service": "SVC-PAY", "instance": "app-pay-01", "severity": "warning", "on_end": "resolve" })
}

async fn send(monitor: &Door, alerts: &[Value]) {
    let answer = monitor.post(ALERTMANAGER, &webhook(alerts)).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
}

/// The one incident, once it is in `state`.
async fn one_incident(agent: &Door, state: &str) -> Value {
    eventually(&format!("one incident is {state}"), SOON, async || {
        let mut incidents = agent.all("/api/v1/incidents", "").await;
        assert!(incidents.len() <= 1, "{incidents:?}");
        incidents.pop().filter(|incident| incident["state"] == state)
    })
    .await
}

/// Proves: EVT-6
#[tokio::test]
async fn an_alert_that_heals_resolves_reopens_and_is_succeeded() {
    let platform = Platform::up(Options::manual_clock()).await;
    let (monitor, agent) =
        (platform.monitor("Prometheus").await, platform.person("Ada", &["agent"]).await);
    let now = platform.door().get("/api/v1/clock").await.good()["now"].clone();
    let now = now.as_str().expect("the clock tells a time").to_owned();
    let firing = alert("a1", &labels("Slow"), &now, None);
    let ended = alert("a1", &labels("Slow"), &now, Some(&now));

    send(&monitor, &[firing]).await;
    one_incident(&agent, "new").await;
    send(&monitor, &[ended]).await;
    until("the alert has ended", SOON, || async {
        agent.all("/api/v1/alerts", "").await[0]["state"] == "ended"
    })
    .await;
    platform.pass("PT6M").await;
    let resolved = one_incident(&agent, "resolved").await;

    // Within the hour it comes back: the same incident.
    let later = platform.door().get("/api/v1/clock").await.good()["now"].clone();
    let later = later.as_str().expect("a time").to_owned();
    send(&monitor, &[alert("a1", &labels("Slow"), &later, None)]).await;
    let reopened = one_incident(&agent, "in_progress").await;
    assert_eq!(reopened["number"], resolved["number"]);
    assert_eq!(reopened["data"]["reopens"], 1);
}

#[tokio::test]
async fn what_cannot_be_read_is_quarantined_and_listed() {
    let platform = Platform::up(Options::default()).await;
    let (monitor, agent) =
        (platform.monitor("Prometheus").await, platform.person("Ada", &["agent"]).await);
    let good = alert("a1", &labels("Slow"), "2026-03-14T22:05:00Z", None);
    let bad = json!({ "status": "firing", "labels": "none" });
    let answer = monitor.post(ALERTMANAGER, &webhook(&[good, bad])).await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.body, json!({ "accepted": 1, "quarantined": 1 }));
    until("one is open and one is quarantined", SOON, || async {
        let alerts = agent.all("/api/v1/alerts", "").await;
        let in_state = |state: &str| alerts.iter().filter(|alert| alert["state"] == state).count();
        in_state("open") == 1 && in_state("quarantined") == 1
    })
    .await;
    let quarantined =
        agent.all("/api/v1/alerts", "?filter=record.state%20%3D%3D%20'quarantined'").await;
    assert!(quarantined[0]["data"]["reason"].is_string(), "{quarantined:?}");
}

#[tokio::test]
async fn the_same_alert_from_two_senders_at_once_opens_one_incident() {
    let platform = Platform::up(Options::default()).await;
    let (monitor, agent) =
        (platform.monitor("Prometheus").await, platform.person("Ada", &["agent"]).await);
    let body = webhook(&[alert("a1", &labels("Slow"), "2026-03-14T22:05:00Z", None)]);
    let sent = futures::future::join_all((0..16).map(|_| monitor.post(ALERTMANAGER, &body))).await;
    assert!(sent.iter().all(|answer| answer.status == 202));
    until("all sixteen are counted", SOON, || async {
        let alerts = agent.all("/api/v1/alerts", "").await;
        alerts.len() == 1 && alerts[0]["data"]["count"] == 16
    })
    .await;
    one_incident(&agent, "new").await;
}

#[tokio::test]
async fn absence_from_a_later_message_never_means_resolved() {
    let platform = Platform::up(Options::default()).await;
    let (monitor, agent) =
        (platform.monitor("Prometheus").await, platform.person("Ada", &["agent"]).await);
    let start = "2026-03-14T22:05:00Z";
    let two =
        [alert("a1", &labels("Slow"), start, None), alert("a2", &labels("Down"), start, None)];
    send(&monitor, &two).await;
    let mut truncated = webhook(&two[..1]);
    truncated["truncatedAlerts"] = json!(1);
    assert_eq!(monitor.post(ALERTMANAGER, &truncated).await.status, 202);
    until("both are there, the first is counted twice", SOON, || async {
        let alerts = agent.all("/api/v1/alerts", "").await;
        alerts.len() == 2 && alerts.iter().any(|alert| alert["data"]["count"] == 2)
    })
    .await;
    let alerts = agent.all("/api/v1/alerts", "").await;
    assert_eq!(alerts.len(), 2);
    assert!(alerts.iter().all(|alert| alert["state"] == "open"), "{alerts:?}");
}

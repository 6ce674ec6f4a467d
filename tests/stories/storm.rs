//! A storm of alerts: nothing is lost, nothing is doubled, and people can work on.

use std::time::Duration;

use acceptance::{ALERTMANAGER, Options, Platform, alert, until, webhook};
use futures::future::join_all;
use serde_json::{Value, json};

const GROUPS: usize = 20;
const POSTS: usize = 40;
const ALERTS_A_POST: usize = 50;

/// Proves: EVT-7
#[tokio::test]
async fn a_storm_ends_in_one_fate_an_alert_and_one_incident_a_group() {
    let platform = Platform::up(Options::default()).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let monitor = platform.monitor("Prometheus").await;
    let posts: Vec<Value> = (0..POSTS).map(post).collect();
    let storm = join_all(posts.iter().map(|body| monitor.post(ALERTMANAGER, body)));
    let work = join_all((0..20).map(|n| {
        let agent = agent.clone();
        async move {
            let body = json!({ "title": format!("By hand {n}"), "channel": "phone" });
            agent.post("/api/v1/incidents", &body).await
        }
    }));
    let (storm, work) = futures::join!(storm, work);
    assert!(work.iter().all(|answer| answer.status == 201), "the desk works on");
    assert!(storm.iter().all(|answer| answer.status == 202), "every alert is accepted");

    let sent = POSTS * ALERTS_A_POST;
    until("every alert has its fate", Duration::from_secs(120), || async {
        let totals = agent.get("/api/v1/intake/totals").await.good();
        let fates = totals["fates"].as_object().into_iter().flatten();
        let settled: u64 = fates.filter_map(|(_, count)| count.as_u64()).sum();
        assert_eq!(totals["received"], sent, "{totals}");
        assert!(settled <= sent as u64, "{totals}");
        settled == sent as u64
    })
    .await;
    let incidents = agent.all("/api/v1/incidents", "").await;
    let of_alerts = incidents.iter().filter(|one| one["data"]["channel"] == "event").count();
    assert_eq!(of_alerts, GROUPS);
    let alerts = agent.all("/api/v1/alerts", "").await;
    let counted: u64 = alerts.iter().filter_map(|alert| alert["data"]["count"].as_u64()).sum();
    assert_eq!(counted, sent as u64);
}

/// Alerts of all groups; every second post repeats the one before it.
fn post(number: usize) -> Value {
    let alerts: Vec<Value> = (0..ALERTS_A_POST)
        .map(|n| {
            let labels = json!({
                "alertname": format!("Storm{}", n % GROUPS),
                "service": "SVC-PAY",
                "severity": "warning",
            });
            alert(&format!("{}-{n}", number / 2), &labels, "2026-03-14T22:05:00Z", None)
        })
        .collect();
    webhook(&alerts)
}

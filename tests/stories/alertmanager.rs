//! The main job, end to end: the real Alertmanager fires, and the incident is followed to its end.

use std::time::Duration;

use acceptance::{Alertmanager, Options, Platform, until};
use kernel::Clock;
use serde_json::{Value, json};
use testkit::eventually;

const SOON: Duration = Duration::from_secs(30);

/// The events of a record's history, oldest first.
fn told(history: &Value) -> Vec<&str> {
    let items = history["items"].as_array().map_or(&[][..], Vec::as_slice);
    items.iter().filter_map(|entry| entry["event"].as_str()).collect()
}

/// Proves: EVT-6
#[tokio::test]
async fn the_real_alertmanager_is_followed_to_the_closed_incident() {
    let platform = Platform::up(Options::manual_clock()).await;
    let monitor = platform.monitor("Alertmanager").await;
    let token = monitor.token().expect("a monitor has a key");
    let Some(alertmanager) = Alertmanager::start(platform.door().base(), token).await else {
        return;
    };
    let agent = platform.person("Ada", &["agent"]).await;
    let labels = json!({
        "alertname": "DiskFull",
        "service": "SVC-MAIL",
        "instance": "mail-mx-02",
        "severity": "critical",
    });

    alertmanager.tell(&labels, None).await;
    let incident = eventually("an incident is open", SOON, async || {
        agent.all("/api/v1/incidents", "").await.pop()
    })
    .await;
    assert_eq!(incident["state"], "new");
    let data = &incident["data"];
    assert_eq!(data["service"], "SVC-MAIL");
    assert_eq!(data["configuration_item"], "mail-mx-02");
    assert_eq!((&data["impact"], &data["urgency"]), (&json!("high"), &json!("high")));
    assert_eq!(data["priority"], 1);

    until("the repeated alert is counted", SOON, || async {
        let alerts = agent.all("/api/v1/alerts", "").await;
        alerts.len() == 1 && alerts[0]["data"]["count"].as_u64() >= Some(2)
    })
    .await;
    assert_eq!(agent.all("/api/v1/incidents", "").await.len(), 1);

    // Alertmanager lives in the machine's time, whatever clock the platform has.
    let now = Clock::System.now().to_rfc3339();
    alertmanager.tell(&labels, Some(&now)).await;
    until("the alert has ended", SOON, || async {
        agent.all("/api/v1/alerts", "").await[0]["state"] == "ended"
    })
    .await;
    platform.pass("PT6M").await;
    let path = format!("/api/v1/incidents/{}", incident["number"].as_str().unwrap_or_default());
    let proposed = agent.get(&path).await.good();
    assert!(proposed["data"]["proposed_resolution"].is_string(), "{proposed}");
    assert_eq!(proposed["state"], "new");

    let group = platform.group("Mail").await;
    let step = async |name: &str, with: Value| {
        agent.post(&format!("{path}/transitions/{name}"), &with).await.good()
    };
    step("assign", json!({ "group": group })).await;
    step("start", json!({})).await;
    step("resolve", json!({ "resolution_code": "fixed", "resolution": "Cleaned up." })).await;
    platform.pass("P8D").await;
    assert_eq!(agent.get(&path).await.good()["state"], "closed");
    let history = agent.get(&format!("{path}/history")).await.good();
    let events = told(&history);
    assert_eq!((events.first(), events.last()), (Some(&"opened"), Some(&"closed")), "{events:?}");
}

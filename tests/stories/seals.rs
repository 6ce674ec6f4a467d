//! The journal, sealed: what a service signs of its past, and who finds out.

use std::time::Duration;

use acceptance::{Options, Platform, until};
use serde_json::{Value, json};
use testkit::Nats;

#[tokio::test]
async fn a_service_signs_what_its_journal_was() {
    let nats = Nats::start().await;
    let options = Options::default().with(&["--nats-url", &nats.address().expose()]);
    let mut platform = Platform::up(options).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let _ = agent.post("/api/v1/incidents", &json!({ "title": "Mail is down" })).await.good();
    assert_eq!(agent.get("/api/v1/services/incident/checkpoints").await.status, 403);
    // One is made each hour, and at a start of what was new before.
    platform.stop(Duration::from_secs(10)).await;
    platform.start().await;
    let sealed = async || {
        let made = platform.get("/api/v1/services/incident/checkpoints").await.good();
        made["items"].as_array().cloned().unwrap_or_default()
    };
    until("a checkpoint", Duration::from_secs(60), async || sealed().await.len() == 1).await;
    let made: Vec<Value> = sealed().await;
    assert_eq!((&made[0]["n"], &made[0]["entries"]), (&json!(1), &json!(1)));
    let statement = made[0]["statement"].as_str().expect("a statement").to_owned();
    // Whoever listens on the bus can keep it where this service cannot cut it off.
    let bus = nats.bus("acceptance").await;
    until("the bus knows it", Duration::from_secs(60), async || {
        let said = acceptance::events(&bus, "incident").await;
        said.iter().any(|said| {
            let data: Value = serde_json::from_slice(&said.event.data).unwrap_or_default();
            said.event.kind == "checkpoint.made.v1"
                && data["record"]["data"]["statement"] == statement
                && data["record"]["data"]["signature"] == made[0]["signature"]
        })
    })
    .await;
    platform.stop(Duration::from_secs(10)).await;
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound && said.contains(&statement), "{said}");
    // Who cannot show the service's key has not signed it.
    let public = platform.folder().join("data/incident-journal.pub");
    std::fs::write(public, "11".repeat(32)).expect("it is writable");
    let (is_sound, said) = platform.verify().await;
    assert!(!is_sound && said.contains("not signed with the service's key"), "{said}");
}

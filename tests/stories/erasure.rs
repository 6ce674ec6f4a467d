//! A person asks to be forgotten: what an administrator erases is nowhere shown, and that it was stays.

use std::time::Duration;

use acceptance::{Options, Platform, until};
use serde_json::{Value, json};

#[tokio::test]
async fn what_is_erased_is_not_shown_and_who_erased_it_is() {
    let platform = Platform::up(Options::default()).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let body = json!({ "title": "Leave request fails", "description": "Bob's diagnosis is flu." });
    let _ = agent.post("/api/v1/incidents", &body).await.good();
    let path = "/api/v1/incidents/INC0000001";
    let patch = json!({ "impact": "low" });
    let _ = agent.patch(path, &patch).await.good();
    let erase = format!("{path}/erase");
    let wish = json!({ "fields": ["description"], "reason": "Bob asked for it." });
    assert_eq!(agent.post(&erase, &wish).await.status, 403);
    assert_eq!(platform.post(&erase, &json!({ "fields": ["description"] })).await.status, 422);
    let unknown = "/api/v1/incidents/INC0000099/erase";
    assert_eq!(platform.post(unknown, &wish).await.status, 404);
    // What the bus does not have yet is not erased.
    until("the erasure", Duration::from_secs(60), async || {
        platform.post(&erase, &wish).await.status == 200
    })
    .await;
    let read = agent.get(path).await.good();
    assert_eq!(
        (&read["data"]["description"], &read["data"]["impact"]),
        (&Value::Null, &json!("low"))
    );
    let history = agent.get(&format!("{path}/history")).await.good();
    assert!(!history.to_string().contains("flu"), "{history}");
    for place in [0, 1] {
        let erased = &history["items"][place]["erased"];
        assert_eq!((&erased["rev"], &erased["reason"]), (&json!(3), &json!("Bob asked for it.")));
        assert!(erased["by"]["id"].is_string() && erased["at"].is_string(), "{erased}");
    }
    assert_eq!(history["items"][2]["erasure"]["revisions"], json!([1, 2]));
    let found = agent.all("/api/v1/incidents", "?q=flu").await;
    assert_eq!((found.len(), agent.all("/api/v1/incidents", "?q=leave").await.len()), (0, 1));
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

//! Who may do what: nobody unknown, nothing unseen, nothing without the role.

use acceptance::{Options, Platform};
use serde_json::json;

#[tokio::test]
async fn a_stranger_an_outsider_and_the_unauthorised_are_told_apart() {
    let platform = Platform::up(Options::default()).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let outsider = platform.person("Eve", &["requester"]).await;
    let auditor = platform.person("Otto", &["auditor"]).await;
    let body = json!({ "title": "Mail is down", "impact": "high", "urgency": "high" });
    let incident = agent.post("/api/v1/incidents", &body).await.good();
    let path = format!("/api/v1/incidents/{}", incident["number"].as_str().expect("a number"));
    let assign = format!("{path}/transitions/assign");

    let stranger = platform.door().without_token();
    assert_eq!(stranger.get(&path).await.status, 401);
    assert_eq!(stranger.with_token("no-such-token-anywhere").get(&path).await.status, 401);
    assert_eq!(outsider.get(&path).await.status, 404);
    assert_eq!(outsider.post(&assign, &json!({ "group": "Mail" })).await.status, 404);
    assert_eq!(outsider.all("/api/v1/incidents", "").await.len(), 0);

    assert_eq!(auditor.get(&path).await.status, 200);
    let refused = auditor.post(&assign, &json!({ "group": "Mail" })).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    assert!(refused.body.to_string().contains("agent"), "it names the role: {}", refused.body);
    let journal = auditor.get("/api/v1/services/incident/refusals").await.good();
    let last = journal["items"].as_array().and_then(|items| items.last()).expect("it is kept");
    assert_eq!(last["rule"], "role", "{last}");
    assert!(last["actor"].to_string().contains("PER"), "{last}");
}

#[tokio::test]
async fn a_key_does_what_it_was_made_for_and_no_more() {
    let platform = Platform::up(Options::default()).await;
    let monitor = platform.monitor("Prometheus").await;
    assert_eq!(monitor.get("/api/v1/incidents").await.status, 403);
    let agent = platform.person("Ada", &["agent"]).await;
    assert_eq!(agent.post(acceptance::ALERTMANAGER, &json!({ "alerts": [] })).await.status, 403);
    // A secret is shown once and kept by nobody.
    let keys = platform.door().get("/api/v1/api-keys").await.good();
    let secret = monitor.token().expect("a monitor has a key");
    assert!(!keys.to_string().contains(secret));
}

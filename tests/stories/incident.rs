//! An incident worked by people: its life, its refusals, its links, its list and its history.

use acceptance::{Door, Options, Platform};
use reqwest::Method;
use serde_json::{Value, json};

async fn open(agent: &Door, title: &str) -> Value {
    let body = json!({ "title": title, "service": "SVC-MAIL", "impact": "high", "urgency": "medium", "channel": "phone" });
    agent.post("/api/v1/incidents", &body).await.good()
}

fn path(record: &Value) -> String {
    format!("/api/v1/incidents/{}", record["number"].as_str().expect("a record has a number"))
}

async fn take(door: &Door, record: &Value, transition: &str, with: Value) -> Value {
    door.post(&format!("{}/transitions/{transition}", path(record)), &with).await.good()
}

/// Proves: PLT-3
#[tokio::test]
async fn an_incident_runs_its_life_and_refuses_what_does_not_fit() {
    let platform = Platform::up(Options::manual_clock()).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let group = platform.group("Mail").await;
    let incident = open(&agent, "Mail is down").await;
    assert_eq!(incident["state"], "new");
    assert_eq!(incident["data"]["priority"], 2);

    let early = agent.post(&format!("{}/transitions/resolve", path(&incident)), &json!({})).await;
    assert_eq!(early.status, 409, "{}", early.body);
    let unproven = agent.post(&format!("{}/transitions/assign", path(&incident)), &json!({})).await;
    assert_eq!(unproven.status, 422, "{}", unproven.body);
    assert_eq!(unproven.headers["content-type"], "application/problem+json");

    take(&agent, &incident, "assign", json!({ "group": group })).await;
    take(&agent, &incident, "start", json!({})).await;
    take(&agent, &incident, "hold", json!({ "hold_reason": "supplier" })).await;
    take(&agent, &incident, "resume", json!({})).await;
    take(&agent, &incident, "assign", json!({ "group": group })).await;
    let with = json!({ "resolution_code": "fixed", "resolution": "Restarted." });
    take(&agent, &incident, "resolve", with.clone()).await;
    take(&agent, &incident, "reopen", json!({ "reason": "Still down." })).await;
    let resolved = take(&agent, &incident, "resolve", with).await;
    assert_eq!(resolved["data"]["reassignments"], 1);
    assert_eq!(resolved["data"]["reopens"], 1);

    // Five working days are a week at least.
    platform.pass("P4D").await;
    assert_eq!(agent.get(&path(&incident)).await.good()["state"], "resolved");
    platform.pass("P4D").await;
    let closed = agent.get(&path(&incident)).await.good();
    assert_eq!(closed["state"], "closed");
    assert!(closed["closed_at"].is_string());

    let history = agent.get(&format!("{}/history", path(&incident))).await.good();
    let revisions: Vec<u64> = history["items"]
        .as_array()
        .expect("a history has entries")
        .iter()
        .filter_map(|entry| entry["rev"].as_u64().or(entry["revision"].as_u64()))
        .collect();
    assert!(revisions.is_sorted() && revisions.len() > 8, "{history}");
}

#[tokio::test]
async fn a_link_is_seen_from_both_ends() {
    let platform = Platform::up(Options::default()).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let (first, second) = (open(&agent, "Mail is down").await, open(&agent, "No mail").await);
    let link = json!({ "relation": "duplicate_of", "to": first["number"] });
    let _ = agent.post(&format!("{}/links", path(&second)), &link).await.good();
    let from = agent.get(&format!("{}/links", path(&second))).await.good();
    let back = agent.get(&format!("{}/links", path(&first))).await.good();
    assert!(from.to_string().contains("duplicate_of"), "{from}");
    assert!(back.to_string().contains("has_duplicate"), "{back}");
    assert!(back.to_string().contains(second["number"].as_str().expect("a number")), "{back}");
}

#[tokio::test]
async fn lists_filter_sort_and_page() {
    let platform = Platform::up(Options::default()).await;
    let agent = platform.person("Ada", &["agent"]).await;
    for number in 0..7 {
        open(&agent, &format!("Number {number}")).await;
    }
    let query = "?filter=record.state%20%3D%3D%20'new'%20%26%26%20record.priority%20%3C%3D%202";
    assert_eq!(agent.all("/api/v1/incidents", query).await.len(), 7);
    let page = agent.get("/api/v1/incidents?limit=3&sort=-number").await.good();
    assert_eq!(page["items"].as_array().map(Vec::len), Some(3));
    assert!(page["next"].is_string());
    assert!(page["items"][0].get("offers").is_none());
    // What SQL cannot answer is refused, not scanned.
    let untranslatable = "/api/v1/incidents?filter=record.title.contains('3')";
    assert_eq!(agent.get(untranslatable).await.status, 422);
}

#[tokio::test]
async fn a_repeated_request_is_done_once_and_a_stale_one_not_at_all() {
    let platform = Platform::up(Options::default()).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let body = json!({ "title": "Mail is down", "impact": "low", "urgency": "low" });
    let post = async |body: &Value| {
        let request = agent.request(Method::POST, "/api/v1/incidents").json(body);
        agent.try_send(request.header("idempotency-key", "k1")).await.expect("an answer")
    };
    let (first, second) = (post(&body).await.good(), post(&body).await.good());
    assert_eq!(first["id"], second["id"]);
    assert_eq!(agent.all("/api/v1/incidents", "").await.len(), 1);
    assert_eq!(post(&json!({ "title": "Other" })).await.status, 422);

    let etag = agent.get(&path(&first)).await.headers["etag"].clone();
    let patch = async |title: &str| {
        let request = agent.request(Method::PATCH, &path(&first)).json(&json!({ "title": title }));
        agent.try_send(request.header("if-match", &etag)).await.expect("an answer").status
    };
    assert_eq!(patch("Mail is slow").await, 200);
    assert_eq!(patch("Mail is gone").await, 412);
}

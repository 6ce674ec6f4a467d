//! Schemes as those who classify by them know them: published, approved, and in force from a day on.

use acceptance::{Door, Options, Platform};
use reqwest::Method;
use serde_json::{Value, json};

const PRIORITY: &str = "/api/v1/services/incident/schemes/priority";
const HIGH: &str = "high:   { high: 1, medium: 2, low: 3 }";

/// An incident of the highest impact and urgency: its path, and the priority that it has.
async fn opened(agent: &Door) -> (String, Value) {
    let body = json!({ "title": "No payments", "impact": "high", "urgency": "high" });
    let incident = agent.post("/api/v1/incidents", &body).await.good();
    let number = incident["number"].as_str().expect("a record has a number");
    (format!("/api/v1/incidents/{number}"), incident["data"]["priority"].clone())
}

/// What the last entry of a history says it was judged by.
async fn judged_by(agent: &Door, path: &str) -> Value {
    let entries = agent.all(&format!("{path}/history"), "").await;
    entries.last().map_or(Value::Null, |entry| entry["computed"]["schemes"]["priority"].clone())
}

/// Proves: PLT-13
#[tokio::test]
async fn a_matrix_is_approved_counts_from_its_day_and_leaves_what_was_judged_alone() {
    let mut options = Options::default().with(&["--clock", "manual:2026-03-02T08:00:00Z"]);
    let needs_another = ("STEWARD__SERVICE__PUBLISHING_NEEDS_ANOTHER".into(), "true".into());
    options.environment.push(needs_another);
    let platform = Platform::up(options).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let author = platform.person("Root", &["administrator"]).await;
    let approver = platform.person("Eve", &["administrator"]).await;
    let (before, priority) = opened(&agent).await;
    assert_eq!((priority, judged_by(&agent, &before).await), (json!(1), json!(1)));

    let present = author.get(&format!("{PRIORITY}/versions/present")).await;
    let tag = present.headers["etag"].to_str().expect("a tag").to_owned();
    let milder = present.body.as_str().expect("a text").replace(HIGH, &HIGH.replace('1', "2"));
    let milder = milder.replace("kind: matrix", "kind: matrix\nvalid_from: 2026-04-01");
    let put = async |door: &Door| {
        let request = door.request(Method::PUT, PRIORITY).header("if-match", &tag);
        door.try_send(request.body(milder.clone())).await.expect("an answer")
    };
    assert_eq!(put(&agent).await.status, 403, "nobody else edits what all are judged by");
    let proposed = put(&author).await;
    assert_eq!(proposed.status, 202, "{}", proposed.body);
    let place = proposed.headers["location"].to_str().expect("a place").to_owned();
    let approve = format!("{place}/transitions/approve");
    let own = author.post(&approve, &json!({})).await;
    assert_eq!(own.body["detail"], "whoever wrote it does not approve it");
    assert_eq!(approver.post(&approve, &json!({})).await.good()["version"], 2);
    let publication = approver.get(&place).await.good();
    assert_ne!(publication["data"]["author"], publication["data"]["approver"]);

    // It is published, and does not count yet.
    let (also_before, priority) = opened(&agent).await;
    assert_eq!((priority, judged_by(&agent, &also_before).await), (json!(1), json!(1)));
    platform.pass("P31D").await;
    let (after, priority) = opened(&agent).await;
    assert_eq!((priority, judged_by(&agent, &after).await), (json!(2), json!(2)));
    // What was judged keeps its judgement, until there is something else to judge.
    let amended = agent.patch(&before, &json!({ "title": "No payments at all" })).await.good();
    assert_eq!(amended["data"]["priority"], 1);
    assert_eq!(judged_by(&agent, &before).await, Value::Null);
    let amended = agent.patch(&before, &json!({ "urgency": "medium" })).await.good();
    let judged = judged_by(&agent, &before).await;
    assert_eq!((&amended["data"]["priority"], judged), (&json!(2), json!(2)));
    let (is_sound, report) = platform.verify().await;
    assert!(is_sound, "{report}");
}

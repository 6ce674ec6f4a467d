//! One fault that many report: what is said and done once reaches all, and each keeps its own clock.

use acceptance::{Door, Options, Platform};
use serde_json::{Value, json};

use crate::promises::{AT, Parties, clock};

async fn read(door: &Door, number: &str) -> Value {
    door.get(&format!("/api/v1/incidents/{number}")).await.good()
}

/// Proves: INC-10
#[tokio::test]
async fn one_update_reaches_all_children_and_each_keeps_its_clock_and_reporter() {
    let platform = Platform::up(Options::default().with(&["--clock", AT])).await;
    let parties = Parties::of(&platform).await;
    let _ = parties.sign(&platform, json!({})).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let report = async |door: &Door, title: &str| {
        let body = json!({ "title": title, "impact": "high", "urgency": "high" });
        let opened = door.post("/api/v1/incidents", &body).await.good();
        platform.pass("PT5M").await;
        opened["number"].as_str().expect("a number").to_owned()
    };
    let parent = report(&agent, "Mail is down").await;
    let mut children = Vec::new();
    for name in ["Rita", "Rob", "Rosa"] {
        let reporter = platform.person(name, &["requester"]).await;
        let child = report(&reporter, &format!("No mail for {name}")).await;
        let link = json!({ "relation": "child_of", "to": parent });
        let tied = agent.post(&format!("/api/v1/incidents/{child}/links"), &link).await;
        assert_eq!(tied.status, 201);
        children.push((child, reporter));
    }
    let take = async |number: &str, transition: &str, with: Value| {
        let path = format!("/api/v1/incidents/{number}/transitions/{transition}");
        agent.post(&path, &with).await.status.as_u16()
    };
    // Rosa's was another one: it is taken care of by itself, and stays as it is.
    let (alone, _) = children.pop().expect("three");
    assert_eq!(take(&alone, "cancel", json!({ "reason": "Her cable was out." })).await, 200);

    let said = json!({ "text": "The store is full; we make room." });
    let _ = agent.post(&format!("/api/v1/incidents/{parent}/comments"), &said).await.good();
    assert_eq!(
        take(&parent, "assign", json!({ "group": platform.group("Mail").await })).await,
        200
    );
    assert_eq!(take(&parent, "start", json!({})).await, 200);
    let cure = json!({ "resolution_code": "fixed", "resolution": "Room was made." });
    assert_eq!(take(&parent, "resolve", cure).await, 200);
    platform.pass("PT1S").await;

    let mut due = Vec::new();
    for (child, reporter) in &children {
        let seen = read(reporter, child).await;
        assert_eq!(seen["state"], "resolved");
        assert_eq!(seen["data"]["resolution"], "Room was made.");
        let comments = reporter.get(&format!("/api/v1/incidents/{child}/comments")).await.good();
        assert_eq!(comments["items"][0]["text"], said["text"]);
        let measured = clock(&platform, &seen, "resolution").await;
        assert_eq!(measured["state"], "met", "{measured}");
        due.push(measured["data"]["due_at"].clone());
    }
    assert_ne!(due[0], due[1]);
    let other = read(&agent, &alone).await;
    assert_eq!(
        (&other["state"], &other["data"]["resolution"]),
        (&json!("cancelled"), &Value::Null)
    );
    let links = agent.get(&format!("/api/v1/incidents/{parent}/links")).await.good();
    let ends = links["items"].as_array().expect("links").iter();
    assert_eq!(ends.filter(|link| link["relation"] == "parent_of").count(), 3);
    let (is_sound, told) = platform.verify().await;
    assert!(is_sound, "{told}");
}

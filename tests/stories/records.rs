//! What holds for every record: its number, its history, its way in and its priority.

use acceptance::{Door, Options, Platform};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

const INCIDENTS: &str = "/api/v1/incidents";

fn path(record: &Value) -> String {
    format!("{INCIDENTS}/{}", record["number"].as_str().expect("a record has a number"))
}

async fn history(door: &Door, record: &Value) -> Vec<Value> {
    door.all(&format!("{}/history", path(record)), "").await
}

/// Proves: PLT-1
#[tokio::test]
async fn numbers_have_no_gaps_and_records_are_never_deleted() {
    let platform = Platform::up(Options::default()).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let bodies: Vec<Value> = (0..60)
        .map(|n| match n % 3 {
            // A refused one takes no number.
            0 => json!({ "title": 7 }),
            _ => json!({ "title": format!("Number {n}") }),
        })
        .collect();
    let answers = join_all(bodies.iter().map(|body| agent.post(INCIDENTS, body))).await;
    let mut numbers: Vec<String> = answers
        .into_iter()
        .filter(|answer| answer.status.is_success())
        .map(|answer| answer.good()["number"].as_str().expect("a number").to_owned())
        .collect();
    numbers.sort();
    let whole: Vec<String> = (1..=40).map(|n| format!("INC{n:07}")).collect();
    assert_eq!(numbers, whole);
    let request = agent.request(Method::DELETE, &format!("{INCIDENTS}/INC0000001"));
    let refused = agent.try_send(request).await.expect("an answer");
    assert_eq!(refused.status, 405, "{}", refused.body);
    let cancel = format!("{INCIDENTS}/INC0000001/transitions/cancel");
    assert_eq!(agent.post(&cancel, &json!({})).await.status, 422, "it needs a reason");
    let cancelled = agent.post(&cancel, &json!({ "reason": "A test." })).await.good();
    assert_eq!(cancelled["state"], "cancelled");
}

/// Proves: PLT-2
#[tokio::test]
async fn the_history_tells_who_when_what_and_why_and_tampering_shows() {
    let mut platform = Platform::up(Options::default()).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let body = json!({ "title": "Mail is quite down", "impact": "low", "urgency": "low" });
    let incident = agent.post(INCIDENTS, &body).await.good();
    let patch = json!({ "impact": "high" });
    let request = agent.request(Method::PATCH, &path(&incident)).json(&patch);
    let _ = agent.try_send(request).await.expect("an answer").good();
    let cancel = format!("{}/transitions/cancel", path(&incident));
    let _ = agent.post(&cancel, &json!({ "reason": "It was a test." })).await.good();

    let history = history(&agent, &incident).await;
    let events: Vec<&str> = history.iter().filter_map(|entry| entry["event"].as_str()).collect();
    assert_eq!(events, ["opened", "amended", "cancelled"]);
    let amended = &history[1];
    assert_eq!(amended["changes"]["impact"], json!(["low", "high"]));
    assert_eq!(amended["changes"]["priority"], json!([5, 3]));
    assert_eq!(amended["actor"]["name"], "Ada");
    assert_eq!((&amended["role"], &amended["channel"]), (&json!("agent"), &json!("api")));
    assert!(amended["at"].as_str().is_some_and(|at| at.ends_with('Z')), "{amended}");
    assert_eq!(history[2]["changes"]["reason"], json!([null, "It was a test."]));

    platform.stop(std::time::Duration::from_secs(10)).await;
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
    // Somebody writes past the system: one word of one entry, of the same length.
    let file = platform.folder().join("data/incident.sqlite");
    let bytes = std::fs::read(&file).expect("the database is one file");
    std::fs::write(&file, replaced(&bytes, b"quite down", b"quite fine")).expect("it is writable");
    let (is_sound, said) = platform.verify().await;
    assert!(!is_sound, "{said}");
    assert!(said.contains("INC0000001") || said.contains("fault"), "{said}");
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut copy = bytes.to_vec();
    let mut place = 0;
    let mut count = 0;
    while let Some(found) = copy[place..].windows(from.len()).position(|window| window == from) {
        copy[place + found..place + found + from.len()].copy_from_slice(to);
        place += found + from.len();
        count += 1;
    }
    assert!(count > 0, "the text stands in the file");
    copy
}

/// Proves: INC-1
#[tokio::test]
async fn an_incident_is_recorded_whatever_way_it_came() {
    let platform = Platform::up(Options::default()).await;
    let agent = platform.person("Ada", &["agent"]).await;
    for channel in ["phone", "portal", "mail", "chat", "api", "event", "staff"] {
        let body = json!({
            "title": format!("By {channel}"),
            "channel": channel,
            "reporter": "person:PER0000001",
            "service": "SVC-MAIL",
            "configuration_item": "mail-mx-02",
            "started_at": "2026-03-14T22:05:00Z",
        });
        let opened = agent.post(INCIDENTS, &body).await.good();
        let read = agent.get(&path(&opened)).await.good();
        for field in ["channel", "reporter", "service", "configuration_item"] {
            assert_eq!(read["data"][field], body[field], "{field}");
        }
        // When it began, and when it was logged.
        assert!(read["data"]["started_at"].is_string() && read["opened_at"].is_string());
        assert_ne!(read["data"]["started_at"], read["opened_at"]);
    }
}

/// Proves: INC-3
#[tokio::test]
async fn priority_comes_from_the_matrix_and_an_override_needs_the_right_and_a_reason() {
    let platform = Platform::up(Options::default()).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let manager = platform.person("Max", &["incident_manager"]).await;
    let levels = ["high", "medium", "low"];
    for (row, impact) in levels.iter().enumerate() {
        for (column, urgency) in levels.iter().enumerate() {
            let body = json!({ "title": "Mail", "impact": impact, "urgency": urgency });
            let opened = agent.post(INCIDENTS, &body).await.good();
            assert_eq!(opened["data"]["priority"], row + column + 1, "{impact}, {urgency}");
        }
    }
    let typed = json!({ "title": "Mail", "impact": "low", "urgency": "low", "priority": 1 });
    assert_eq!(agent.post(INCIDENTS, &typed).await.status, 422, "it is never typed in");

    let raise = format!("{INCIDENTS}/INC0000009/transitions/override_priority");
    let with = json!({ "priority_override": 1, "reason": "The board meets." });
    assert_eq!(agent.post(&raise, &with).await.status, 403);
    let without = json!({ "priority_override": 1 });
    assert_eq!(manager.post(&raise, &without).await.status, 422);
    assert_eq!(manager.post(&raise, &with).await.good()["data"]["priority"], 1);
    let incident = manager.get(&format!("{INCIDENTS}/INC0000009")).await.good();
    let last = history(&manager, &incident).await.pop().expect("a history has entries");
    assert_eq!(last["changes"]["priority"], json!([5, 1]));
    assert_eq!(last["actor"]["name"], "Max");
}

//! Bad input: refused with all its faults, never a panic, a 5xx or half an effect.

use std::time::Duration;

use acceptance::{ALERTMANAGER, Door, Options, Platform, alert, until, webhook};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn bad_bodies_are_refused_and_change_nothing() {
    let platform = Platform::up(Options::default()).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let nested = format!("{{\"title\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
    let bodies: [(&str, Vec<u8>, u16); 11] = [
        ("wrong types", br#"{"title":7,"impact":"huge"}"#.to_vec(), 422),
        ("an unknown field", br#"{"title":"a","colour":"red"}"#.to_vec(), 422),
        ("duplicate keys", br#"{"title":"a","title":"b"}"#.to_vec(), 400),
        ("broken UTF-8", b"{\"title\":\"\xff\xfe\"}".to_vec(), 400),
        ("deep nesting", nested.into_bytes(), 400),
        ("NaN", br#"{"title":NaN}"#.to_vec(), 400),
        ("half a body", br#"{"title":"#.to_vec(), 400),
        ("nothing", Vec::new(), 400),
        ("no object", b"[]".to_vec(), 422),
        ("nothing that is required", b"{}".to_vec(), 422),
        ("a field of the system", br#"{"title":"a","priority":1}"#.to_vec(), 422),
    ];
    for (what, body, status) in bodies {
        let answer = agent.post_bytes("/api/v1/incidents", body).await;
        let is_expected = answer.status == status
            || ([400, 422].contains(&status) && [400, 422].contains(&answer.status.as_u16()));
        assert!(is_expected, "{what}: {} {}", answer.status, answer.body);
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{what}");
        assert!(answer.body["code"].is_string(), "{what}: {}", answer.body);
    }
    assert_eq!(agent.all("/api/v1/incidents", "").await.len(), 0);
    let both = agent.post("/api/v1/incidents", &json!({ "impact": "huge", "colour": 1 })).await;
    assert!(both.body["errors"].as_array().map(Vec::len) >= Some(3), "{}", both.body);
}

#[tokio::test]
async fn bad_alerts_are_accepted_or_quarantined() {
    let platform = Platform::up(Options::default()).await;
    let monitor = platform.monitor("Prometheus").await;
    let labels = json!({ "alertname": "Slow", "severity": "warning" });
    let well = alert("a1", &labels, "2026-03-14T22:05:00Z", None);
    let with = |field: &str, value: Value| {
        let mut other = well.clone();
        other[field] = value;
        serde_json::to_vec(&webhook(&[other])).expect("JSON")
    };
    let bodies: [(&str, Vec<u8>); 10] = [
        ("no alerts", serde_json::to_vec(&webhook(&[])).expect("JSON")),
        ("year 1", with("endsAt", json!("0001-01-01T00:00:00Z"))),
        ("an offset without a colon", with("startsAt", json!("2026-03-14T22:05:00+0100"))),
        ("no time at all", with("startsAt", json!("yesterday"))),
        ("labels of a wrong type", with("labels", json!(["a"]))),
        ("broken UTF-8", b"{\"alerts\":[{\"labels\":{\"a\":\"\xff\"}}]}".to_vec()),
        ("deep nesting", "[".repeat(10_000).into_bytes()),
        ("NaN", br#"{"alerts":[NaN]}"#.to_vec()),
        ("no JSON", b"hello".to_vec()),
        ("a large alert", with("annotations", json!({ "text": "x".repeat(300 << 10) }))),
    ];
    for (what, body) in bodies {
        let answer = monitor.post_bytes(ALERTMANAGER, body).await;
        assert_eq!(answer.status, 202, "{what}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let platform = Platform::up(Options::default()).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let monitor = platform.monitor("Prometheus").await;
    is_too_large(&agent, "/api/v1/incidents", (1 << 20) + 1).await;
    is_too_large(&monitor, ALERTMANAGER, (8 << 20) + 1).await;
}

/// The answer comes while the body is still being sent; then the connection is closed, and a caller
/// may see that first.
async fn is_too_large(door: &Door, path: &str, bytes: usize) {
    until("413", Duration::from_secs(30), || async {
        let request = door.anew().request(Method::POST, path).body(vec![b' '; bytes]);
        let sent = door.try_send(request.header("content-type", "application/json")).await;
        sent.is_ok_and(|answer| {
            assert_eq!(answer.status, 413, "{}", answer.body);
            true
        })
    })
    .await;
}

//! Alerts on their way to the disk.

use contract::{Signal, SignalStatus, subject};
use futures::StreamExt as _;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::desk::{Answer, Caller, Desk, until_yes};

const ALERTMANAGER: &str = "/api/v1/intake/alertmanager";

fn alert(name: &str) -> Value {
    json!({
        "status": "firing",
        "labels": {"alertname": name, "severity": "critical"},
        "annotations": {"summary": format!("{name} is wrong")},
        "startsAt": "2026-02-06T13:08:45.828Z",
        "endsAt": "0001-01-01T00:00:00Z",
    })
}

async fn stored(desk: &Desk) -> u64 {
    let bus = desk.bus.as_ref().expect("a bus");
    bus.totals(subject::ALERTS_STREAM).await.expect("totals").messages
}

async fn send(caller: &Caller<'_>, body: impl Into<reqwest::Body>) -> Answer {
    let request = caller.request(Method::POST, ALERTMANAGER).body(body);
    Answer::of(request.send().await.expect("an answer")).await
}

#[tokio::test]
async fn what_is_accepted_is_on_the_stream() {
    let desk = Desk::on_the_bus().await;
    let sender = desk.sender().await;
    let body = json!({"version": "4", "alerts": [alert("A"), 7, alert("B")]});
    let answer = sender.post(ALERTMANAGER, &body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.body, json!({"accepted": 2, "quarantined": 1}));
    assert_eq!(stored(&desk).await, 3);
    // The same again is another three: what came in is counted as often as it came.
    assert_eq!(sender.post(ALERTMANAGER, &body).await.status, StatusCode::ACCEPTED);
    assert_eq!(stored(&desk).await, 6);
    let none = sender.post(ALERTMANAGER, &json!({"alerts": []})).await;
    assert_eq!(
        (none.status, none.body),
        (StatusCode::ACCEPTED, json!({"accepted": 0, "quarantined": 0}))
    );
}

#[tokio::test]
async fn what_an_alert_says_never_fails_the_request() {
    let desk = Desk::on_the_bus().await;
    let sender = desk.sender().await;
    let bodies: [&[u8]; 6] = [
        b"",
        b"hello",
        b"\xff\xfe",
        b"{\"alerts\":[NaN]}",
        b"{\"alerts\":5}",
        br#"{"alerts":[{"status":"firing","labels":{"a":"1","a":"2"}}]}"#,
    ];
    for body in bodies {
        let answer = send(&sender, body.to_vec()).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{body:?}");
        assert_eq!(answer.body, json!({"accepted": 0, "quarantined": 1}), "{body:?}");
    }
    let deep = [b"[".repeat(200_000), b"]".repeat(200_000)].concat();
    assert_eq!(send(&sender, deep).await.body["quarantined"], 1);
    assert_eq!(stored(&desk).await, 7);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_said_or_unsaid() {
    let desk = Desk::on_the_bus().await;
    let sender = desk.sender().await;
    let large = vec![b' '; 8 * 1024 * 1024 + 1];
    assert_eq!(send(&sender, large.clone()).await.problem(), (413, "too_large"));
    let chunks = futures::stream::iter([Ok::<_, std::io::Error>(large)]);
    let unsaid = reqwest::Body::wrap_stream(chunks);
    assert_eq!(send(&sender, unsaid).await.problem(), (413, "too_large"));
    let just = [br#"{"alerts":[]"#.as_slice(), &vec![b' '; 8 * 1024 * 1024 - 13], b"}"].concat();
    assert_eq!(just.len(), 8 * 1024 * 1024);
    assert_eq!(send(&sender, just).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn without_the_bus_alerts_are_asked_to_come_again() {
    let desk = Desk::on_the_bus().await;
    let sender = desk.sender().await;
    let server = &desk.nats.as_ref().expect("a nats-server").server;
    server.down().await;
    until_yes("the loss to be noticed", async || {
        !desk.bus.as_ref().is_some_and(bus::Bus::is_connected)
    })
    .await;
    let answer = sender.post(ALERTMANAGER, &json!({"alerts": [alert("A")]})).await;
    assert_eq!(answer.problem(), (503, "not_durable"));
    assert!(answer.headers.contains_key("retry-after"));
    // Everything else goes on.
    assert_eq!(desk.administrator().get("/api/v1/persons").await.status, StatusCode::OK);
    let followed = desk.administrator().get("/api/v1/events").await;
    assert_eq!(followed.problem(), (503, "bus_unreachable"));
    server.up().await;
    until_yes("the alert to be taken", async || {
        let answer = sender.post(ALERTMANAGER, &json!({"alerts": [alert("A")]})).await;
        answer.status == StatusCode::ACCEPTED
    })
    .await;
    assert_eq!(stored(&desk).await, 1);
}

#[tokio::test]
async fn without_any_bus_the_same() {
    let desk = Desk::alone().await;
    let answer = desk.administrator().post(ALERTMANAGER, &json!({"alerts": [alert("A")]})).await;
    assert_eq!(answer.problem(), (503, "not_durable"));
}

#[tokio::test]
async fn many_senders_at_once_lose_nothing() {
    let desk = Desk::on_the_bus().await;
    let sender = desk.sender().await;
    let posts = (0..40).map(|number| {
        let alerts: Vec<Value> = (0..25).map(|n| alert(&format!("A{number}-{n}"))).collect();
        let sender = &sender;
        async move { sender.post(ALERTMANAGER, &json!({"alerts": alerts})).await }
    });
    let answers: Vec<Answer> = futures::stream::iter(posts).buffer_unordered(16).collect().await;
    assert!(answers.iter().all(|answer| answer.body["accepted"] == 25), "{answers:?}");
    assert_eq!(stored(&desk).await, 1_000);
}

#[tokio::test]
async fn cloud_events_feed_the_same_stream() {
    let desk = Desk::on_the_bus().await;
    let sender = desk.sender().await;
    let event = |id: u32| {
        json!({"specversion": "1.0", "id": id.to_string(), "source": "/rack7", "type": "disk.full",
               "subject": "srv01", "data": {"severity": "critical"}})
    };
    let post = async |kind: &str, body: Value| {
        let request = sender.request(Method::POST, "/api/v1/intake/cloudevents");
        let request = request.header("content-type", kind).body(body.to_string());
        Answer::of(request.send().await.expect("an answer")).await
    };
    let one = post("application/cloudevents+json", event(1)).await;
    assert_eq!(one.body, json!({"accepted": 1, "quarantined": 0}));
    let batch = post("application/cloudevents-batch+json", json!([event(2), event(3), {}])).await;
    assert_eq!(batch.body, json!({"accepted": 2, "quarantined": 1}));
    let binary = sender
        .request(Method::POST, "/api/v1/intake/cloudevents")
        .header("ce-specversion", "1.0")
        .header("ce-id", "4")
        .header("ce-source", "/rack7")
        .header("ce-type", "disk.full.resolved");
    let binary = Answer::of(binary.send().await.expect("an answer")).await;
    assert_eq!(binary.body, json!({"accepted": 1, "quarantined": 0}));
    assert_eq!(stored(&desk).await, 5);
}

#[test]
fn a_signal_is_read_as_it_was_written() {
    let arrival = gateway::intake::Arrival {
        integration: "KEY0000001".to_owned(),
        at: crate::desk::morning(),
    };
    let body = json!({"alerts": [alert("A"), 7]}).to_string();
    for signal in gateway::intake::alertmanager::signals(body.as_bytes(), &arrival) {
        let text = serde_json::to_string(&signal).expect("JSON");
        assert_eq!(serde_json::from_str::<Signal>(&text).ok().as_ref(), Some(&signal));
        assert_eq!(signal.status == SignalStatus::Unreadable, signal.reason.is_some());
    }
}

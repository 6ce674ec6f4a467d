//! Events in all three forms, and what is no event.

use http::{HeaderName, HeaderValue};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const STRUCTURED: &str = "application/cloudevents+json; charset=utf-8";
const BATCH: &str = "application/cloudevents-batch+json";

fn arrival() -> Arrival {
    Arrival {
        integration: "KEY0000001".to_owned(),
        at: "2026-02-06T13:10:00Z".parse().expect("an instant"),
    }
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            let name: HeaderName = name.parse().expect("a header's name");
            (name, HeaderValue::from_str(value).expect("a header's value"))
        })
        .collect()
}

fn send(content_type: &str, body: &Value) -> Vec<Signal> {
    signals(&headers(&[("content-type", content_type)]), body.to_string().as_bytes(), &arrival())
}

fn event() -> Value {
    json!({
        "specversion": "1.0",
        "id": "42",
        "source": "/sensors/rack7",
        "type": "disk.full",
        "subject": "srv01",
        "time": "2026-02-06T13:00:00Z",
        "data": {
            "title": "Disk of srv01 is full",
            "severity": "critical",
            "labels": {"service": "mail", "slot": 3},
            "url": "https://sensors.example/7",
            "own": {"field": 1},
        },
    })
}

#[test]
fn a_structured_event_is_read() {
    let found = send(STRUCTURED, &event());
    assert_eq!(found.len(), 1);
    let signal = &found[0];
    assert_eq!(signal.status, SignalStatus::Firing);
    assert_eq!(signal.key, "/sensors/rack7/srv01");
    assert_eq!(signal.title, "Disk of srv01 is full");
    assert_eq!(signal.labels["severity"], "critical");
    assert_eq!(signal.labels["slot"], "3");
    assert_eq!(signal.annotations["ce_type"], "disk.full");
    assert_eq!(signal.starts_at, "2026-02-06T13:00:00Z".parse().ok());
    assert_eq!(signal.url.as_deref(), Some("https://sensors.example/7"));
    assert_eq!(signal.source, SOURCE);
}

#[test]
fn the_form_may_go_unsaid() {
    assert_eq!(send("application/json", &event()), send(STRUCTURED, &event()));
}

#[test]
fn an_end_is_said_by_the_status_or_by_the_type() {
    let mut by_status = event();
    by_status["data"]["status"] = json!("Resolved");
    let mut by_type = event();
    by_type["type"] = json!("disk.full.resolved");
    for body in [by_status, by_type] {
        let signal = &send(STRUCTURED, &body)[0];
        assert_eq!(signal.status, SignalStatus::Resolved);
        assert_eq!(signal.ends_at, "2026-02-06T13:00:00Z".parse().ok());
        assert_eq!(signal.starts_at, None);
        assert_eq!(signal.key, "/sensors/rack7/srv01");
    }
}

#[test]
fn a_key_of_its_own_goes_first_and_the_subject_may_be_absent() {
    let mut own = event();
    own["data"]["key"] = json!("disk-7");
    assert_eq!(send(STRUCTURED, &own)[0].key, "disk-7");
    let bare = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t"});
    let signal = &send(STRUCTURED, &bare)[0];
    assert_eq!((signal.key.as_str(), signal.title.as_str()), ("/s", "t"));
}

#[test]
fn a_batch_is_read_one_by_one() {
    let found = send(BATCH, &json!([event(), {"id": 1}, 7, event()]));
    let statuses: Vec<_> = found.iter().map(|signal| signal.status).collect();
    use SignalStatus::{Firing, Unreadable};
    assert_eq!(statuses, [Firing, Unreadable, Unreadable, Firing]);
    assert_eq!(send(BATCH, &json!([])), []);
}

#[test]
fn attributes_may_be_headers() {
    let sent = headers(&[
        ("content-type", "application/json"),
        ("ce-specversion", "1.0"),
        ("ce-id", "42"),
        ("ce-source", "/sensors/rack7"),
        ("ce-type", "disk.full"),
        ("ce-subject", "Stra%C3%9Fe"),
    ]);
    let found = signals(&sent, br#"{"title": "Full"}"#, &arrival());
    assert_eq!(found[0].status, SignalStatus::Firing);
    assert_eq!(found[0].key, "/sensors/rack7/Straße");
    assert_eq!(found[0].title, "Full");
    assert_eq!(signals(&sent, b"", &arrival())[0].title, "disk.full: Straße");

    let mut text = sent.clone();
    text.insert("content-type", HeaderValue::from_static("text/plain"));
    assert_eq!(signals(&text, b"It is full.", &arrival())[0].description, "It is full.");

    for missing in ["ce-specversion", "ce-id", "ce-source", "ce-type"] {
        let mut less = sent.clone();
        less.remove(missing);
        let found = signals(&less, b"{}", &arrival());
        assert_eq!(found[0].status, SignalStatus::Unreadable);
        assert!(found[0].reason.as_ref().is_some_and(|reason| reason.contains(missing)));
    }
}

#[test]
fn what_is_no_event_is_unreadable() {
    let with = |name: &str, value: Value| {
        let mut event = event();
        event[name] = value;
        event.to_string().into_bytes()
    };
    let bodies = [
        b"".to_vec(),
        b"{}".to_vec(),
        b"NaN".to_vec(),
        b"{\"specversion\":\"1.0\",\"id\":\"\xff\"}".to_vec(),
        [b"[".repeat(100_000), b"]".repeat(100_000)].concat(),
        br#"{"specversion":"1.0","id":"1","id":"2","source":"/s","type":"t"}"#.to_vec(),
        br#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"labels":{"a":"1","a":"2"}}}"#.to_vec(),
        with("specversion", json!("0.3")),
        with("id", json!(" ")),
        with("type", json!(7)),
        with("time", json!("noon")),
        with("data", json!({"labels": [1]})),
        with("data", json!({"title": {"en": "x"}})),
        with("data", json!({"title": "a\u{0}b"})),
        with("data_base64", json!("AAAA")),
        with("data", json!({"description": "x".repeat(300 * 1024)})),
    ];
    for body in bodies {
        let found = signals(&headers(&[("content-type", STRUCTURED)]), &body, &arrival());
        let shown = String::from_utf8_lossy(&body[..body.len().min(90)]).into_owned();
        assert_eq!(found.len(), 1, "{shown}");
        assert_eq!(found[0].status, SignalStatus::Unreadable, "{shown}");
        assert!(found[0].reason.is_some() && found[0].raw_sha256.is_some(), "{shown}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_counted(body: Vec<u8>, kind in prop::sample::select(vec![STRUCTURED, BATCH, "text/plain"])) {
        let found = signals(&headers(&[("content-type", kind)]), &body, &arrival());
        prop_assert_eq!(found.len(), 1);
    }

    #[test]
    fn any_headers_are_counted(body: Vec<u8>, subject in "[ -~]*", time in "[ -~]*") {
        let sent = headers(&[
            ("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/s"), ("ce-type", "t"),
            ("ce-subject", &subject), ("ce-time", &time),
        ]);
        prop_assert_eq!(signals(&sent, &body, &arrival()).len(), 1);
    }

    #[test]
    fn every_event_of_a_batch_is_counted(sound in 0_usize..20, faulty in 0_usize..20) {
        let mut parts = vec![event(); sound];
        parts.extend(vec![json!({"specversion": "1.0"}); faulty]);
        let found = send(BATCH, &Value::from(parts));
        let unreadable = found.iter().filter(|signal| signal.status == SignalStatus::Unreadable);
        prop_assert_eq!(unreadable.count(), faulty);
        prop_assert_eq!(found.len(), sound + faulty);
    }
}

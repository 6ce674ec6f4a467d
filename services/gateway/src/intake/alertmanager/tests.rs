//! Bodies as Alertmanager sends them, and as it never should.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn arrival() -> Arrival {
    Arrival {
        integration: "KEY0000001".to_owned(),
        at: "2026-02-06T13:10:00Z".parse().expect("an instant"),
    }
}

fn read_json(body: &Value) -> Vec<Signal> {
    signals(body.to_string().as_bytes(), &arrival())
}

/// The example of the webhook's documentation.
fn webhook() -> Value {
    json!({
        "version": "4",
        "groupKey": "{}/{severity=\"critical\"}:{alertname=\"ProbeFailure\"}",
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "itsm",
        "notification_reason": "first notification",
        "groupLabels": {"alertname": "ProbeFailure"},
        "commonLabels": {"alertname": "ProbeFailure", "severity": "critical"},
        "commonAnnotations": {"summary": "Probe fails"},
        "routeLabels": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": [alert()],
    })
}

fn alert() -> Value {
    json!({
        "status": "firing",
        "labels": {
            "alertname": "ProbeFailure", "severity": "critical",
            "instance": "https://x", "job": "http",
        },
        "annotations": {"summary": "Probe of x fails", "description": "Three times in a row."},
        "startsAt": "2026-02-06T13:08:45.828Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph?g0.expr=up",
        "fingerprint": "1a30ba71cca2921f",
    })
}

/// The one signal of a group whose only alert is the documented one with some fields replaced.
fn one(changes: Value) -> Signal {
    let mut alert = alert();
    for (name, value) in changes.as_object().expect("an object") {
        if value.is_null() {
            alert.as_object_mut().expect("an object").remove(name);
        } else {
            alert[name] = value.clone();
        }
    }
    let mut found = read_json(&json!({ "alerts": [alert] }));
    assert_eq!(found.len(), 1);
    found.remove(0)
}

#[test]
fn the_documented_example_is_read() {
    let found = read_json(&webhook());
    assert_eq!(found.len(), 1);
    let signal = &found[0];
    assert_eq!(signal.status, SignalStatus::Firing);
    assert_eq!(signal.key, "1a30ba71cca2921f");
    assert_eq!(signal.title, "Probe of x fails");
    assert_eq!(signal.description, "Three times in a row.");
    assert_eq!(signal.labels["severity"], "critical");
    assert_eq!(signal.starts_at, "2026-02-06T13:08:45.828Z".parse().ok());
    assert_eq!(signal.ends_at, None);
    assert_eq!(signal.url.as_deref(), Some("http://prometheus:9090/graph?g0.expr=up"));
    assert_eq!((signal.source.as_str(), signal.integration.as_str()), (SOURCE, "KEY0000001"));
    assert_eq!(signal.received_at, Some(arrival().at));
    assert_eq!(signal.raw, None);
}

#[test]
fn an_empty_group_is_no_signal() {
    assert_eq!(read_json(&json!({"alerts": []})), []);
    assert_eq!(read_json(&json!({"alerts": null})), []);
}

#[test]
fn each_alert_has_its_own_status() {
    let resolved =
        json!({"status": "resolved", "labels": {"a": "b"}, "endsAt": "2026-02-06T14:00:00+0100"});
    let found = read_json(&json!({"status": "firing", "alerts": [alert(), resolved]}));
    assert_eq!(found[0].status, SignalStatus::Firing);
    assert_eq!(found[1].status, SignalStatus::Resolved);
    assert_eq!(found[1].ends_at, "2026-02-06T13:00:00Z".parse().ok());
}

#[test]
fn a_truncated_group_says_nothing_of_what_it_lacks() {
    let mut webhook = webhook();
    webhook["truncatedAlerts"] = json!(17);
    assert_eq!(read_json(&webhook).len(), 1);
}

#[test]
fn a_missing_fingerprint_is_worked_out_from_the_labels() {
    let labels = json!({"name": "garland, briggs", "fear": "love is not enough"});
    let signal = one(json!({"fingerprint": null, "labels": labels}));
    assert_eq!(signal.key, format!("{:016x}", 5_799_056_148_416_392_346_u64));
    assert_eq!(one(json!({"fingerprint": "", "labels": labels})).key, signal.key);
}

#[test]
fn the_title_falls_back_to_the_alerts_name_then_to_its_key() {
    assert_eq!(one(json!({"annotations": {}})).title, "ProbeFailure");
    assert_eq!(one(json!({"annotations": null, "labels": {"a": "b"}})).title, "1a30ba71cca2921f");
}

#[test]
fn a_link_that_is_no_web_address_is_dropped() {
    assert_eq!(one(json!({"generatorURL": "javascript:alert(1)"})).url, None);
}

#[test]
fn a_faulty_alert_is_quarantined_alone() {
    let faulty = [
        (json!(5), "no JSON object"),
        (json!(["firing", {"a": "b"}]), "no JSON object"),
        (json!({}), "missing field `status`"),
        (json!({"status": "firing"}), "missing field `labels`"),
        (json!({"status": "firing", "labels": {}}), "neither labels nor fingerprint"),
        (json!({"status": "perhaps", "labels": {"a": "b"}}), "status `perhaps`"),
        (json!({"status": 1, "labels": {"a": "b"}}), "invalid type"),
        (json!({"status": "firing", "labels": ["a"]}), "invalid type"),
        (json!({"status": "firing", "labels": {"a": {"b": "c"}}}), "invalid type"),
        (json!({"status": "firing", "labels": {"a": "b"}, "startsAt": "soon"}), "`soon`"),
        (json!({"status": "firing", "labels": {"a": "b"}, "startsAt": 7}), "invalid type"),
        (json!({"status": "firing", "labels": {"a": "\u{0}"}}), "U+0000"),
    ];
    for (part, reason) in faulty {
        let found = read_json(&json!({"alerts": [alert(), part, alert()]}));
        let statuses: Vec<_> = found.iter().map(|signal| signal.status).collect();
        let expected = [SignalStatus::Firing, SignalStatus::Unreadable, SignalStatus::Firing];
        assert_eq!(statuses, expected, "{part}");
        let said = found[1].reason.as_deref().unwrap_or_default();
        assert!(said.contains(reason) && said.starts_with("number 2: "), "{part}: {said}");
        assert_eq!(found[1].raw.as_deref(), Some(part.to_string().as_str()));
    }
}

#[test]
fn a_name_given_twice_is_quarantined() {
    for part in [
        r#"{"status":"firing","status":"resolved","labels":{"a":"b"}}"#,
        r#"{"status":"firing","labels":{"a":"b","a":"c"}}"#,
    ] {
        let body = format!(r#"{{"alerts":[{part},{}]}}"#, alert());
        let found = signals(body.as_bytes(), &arrival());
        assert_eq!(found[0].status, SignalStatus::Unreadable, "{part}");
        assert_eq!(found[1].status, SignalStatus::Firing, "{part}");
    }
}

#[test]
fn a_body_that_is_no_group_is_one_unreadable_signal() {
    let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    let nested = [b"{\"alerts\":".as_slice(), &deep[..50_000]].concat();
    let bodies: [&[u8]; 13] = [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"hello",
        b"\xff\xfe{}",
        b"{\"alerts\":[{\"status\":\"firing\",\"labels\":{\"a\":\"\xff\"}}]}",
        b"{\"alerts\":[NaN]}",
        b"{\"alerts\":{}}",
        b"{\"alerts\":[],\"alerts\":[]}",
        b"{\"alerts\":[]} trailing",
        &deep,
        &nested,
    ];
    for body in bodies {
        let found = signals(body, &arrival());
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(found.len(), 1, "{shown}");
        assert_eq!(found[0].status, SignalStatus::Unreadable, "{shown}");
        assert!(found[0].reason.is_some(), "{shown}");
        assert!(found[0].raw.as_ref().is_some_and(|raw| raw.len() <= 8 * 1024), "{shown}");
        assert_eq!(found[0].raw_sha256, Some(fingerprint::sha256(body)), "{shown}");
    }
}

#[test]
fn a_deeply_nested_alert_is_quarantined_alone() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let body = format!(r#"{{"alerts":[{{"status":"firing","labels":{deep}}},{}]}}"#, alert());
    let found = signals(body.as_bytes(), &arrival());
    assert_eq!(found[0].status, SignalStatus::Unreadable);
    assert_eq!(found[1].status, SignalStatus::Firing);
    // A field that nobody knows may be as deep as it likes.
    let body = format!(r#"{{"alerts":[{{"status":"firing","labels":{{"a":"b"}},"x":{deep}}}]}}"#);
    assert_eq!(signals(body.as_bytes(), &arrival())[0].status, SignalStatus::Firing);
}

#[test]
fn a_huge_alert_is_quarantined_cut_with_its_hash() {
    let mut huge = alert();
    huge["annotations"]["summary"] = json!("x".repeat(256 * 1024));
    let found = read_json(&json!({"alerts": [huge.clone(), alert()]}));
    assert_eq!(found[0].status, SignalStatus::Unreadable);
    assert_eq!(found[0].raw.as_ref().map(String::len), Some(8 * 1024));
    assert_eq!(found[0].raw_sha256, Some(fingerprint::sha256(huge.to_string().as_bytes())));
    assert_eq!(found[1].status, SignalStatus::Firing);
}

#[test]
fn many_unreadable_parts_are_kept_as_one() {
    let mut parts = vec![json!(1); 5_000];
    parts.push(alert());
    let found = read_json(&json!({ "alerts": parts }));
    assert_eq!(found.len(), 1_000 + 1 + 1);
    assert_eq!(found[1_000].status, SignalStatus::Firing);
    let last = found[1_001].reason.as_deref();
    assert_eq!(last, Some("4000 more parts of the same body could not be read"));
}

#[test]
fn a_long_fingerprint_is_hashed_to_fit_a_subject() {
    assert!(one(json!({"fingerprint": "é".repeat(500)})).key.starts_with("sha256:"));
}

proptest! {
    #[test]
    fn any_bytes_end_as_at_least_one_signal_or_an_empty_group(body: Vec<u8>) {
        let found = signals(&body, &arrival());
        prop_assert!(found.iter().all(|signal| signal.status == SignalStatus::Unreadable));
        prop_assert_eq!(found.len(), 1);
    }

    #[test]
    fn every_part_of_a_group_is_counted_once(sound in 0_usize..20, faulty: Vec<u32>, cut: prop::sample::Index) {
        let mut parts = vec![alert(); sound];
        parts.extend(faulty.iter().map(|number| json!(number)));
        let found = read_json(&json!({ "alerts": parts }));
        let unreadable = found.iter().filter(|signal| signal.status == SignalStatus::Unreadable);
        prop_assert_eq!(unreadable.count(), faulty.len());
        prop_assert_eq!(found.len(), parts.len());
        // A body that was cut on its way is one unreadable signal.
        let body = webhook().to_string();
        let end = cut.index(body.len());
        prop_assert_eq!(signals(&body.as_bytes()[..end], &arrival()).len(), 1);
    }

    #[test]
    fn any_texts_survive_as_they_came(name in "\\PC+", value in "\\PC*", fingerprint in "\\PC{0,300}") {
        let signal = one(json!({"labels": {name.clone(): value.clone()}, "fingerprint": fingerprint}));
        prop_assert_eq!(signal.status, SignalStatus::Firing);
        prop_assert_eq!(signal.labels.get(&name), Some(&value));
        prop_assert!(!signal.key.is_empty() && signal.key.len() <= 255);
        prop_assert!(signal.title.chars().count() <= 200);
    }
}

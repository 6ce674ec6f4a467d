//! A signal of a monitoring tool becomes an event that the alert process reacts to.

use chrono::{DateTime, Utc};
use contract::{Signal, SignalStatus};
use engine::{Happening, Ruleset};
use serde_json::{Map, Value, json};
use store::Step;

/// The rule scheme that says what an alert means.
const RULES: &str = "alerts";
/// A key longer than this would not fit its index.
const KEY_LIMIT: usize = 1_000;

/// What the alert process hears of a message on ALERTS: `signal.firing.v1`, `signal.resolved.v1`, or
/// `signal.unreadable.v1` for what nobody can read.
#[must_use]
pub fn happening_of(rules: &Ruleset, payload: &[u8], now: DateTime<Utc>) -> Happening {
    let signal = match read(payload) {
        Ok(signal) => signal,
        Err(reason) => unreadable(payload, reason),
    };
    if let Some(reason) =
        signal.reason.clone().filter(|_| signal.status == SignalStatus::Unreadable)
    {
        return quarantine(&signal, &reason);
    }
    let mut event = Value::Object(event_of(&signal));
    match rules.match_rules(RULES, &event, now) {
        Ok(found) => {
            let mut rule = found.values;
            rule.insert("name".to_owned(), Value::String(found.rule));
            rule.insert("version".to_owned(), found.version.into());
            event["rule"] = Value::Object(rule);
            let kind = match signal.status {
                SignalStatus::Resolved => "signal.resolved.v1",
                _ => "signal.firing.v1",
            };
            Happening { kind: kind.to_owned(), event, record: None }
        }
        Err(reason) => quarantine(&signal, &format!("no alert rule could be applied: {reason}")),
    }
}

fn read(payload: &[u8]) -> Result<Signal, String> {
    let value = engine::strict_json(payload).map_err(|refusal| refusal.to_string())?;
    let signal: Signal = serde_json::from_value(value)
        .map_err(|fault| format!("the message is no signal: {fault}"))?;
    if signal.key.is_empty() || signal.key.len() + signal.integration.len() > KEY_LIMIT {
        return Err(format!("a signal's key has 1 to {KEY_LIMIT} bytes"));
    }
    Ok(signal)
}

/// What is kept of a message that is no signal: its beginning as text.
fn unreadable(payload: &[u8], reason: String) -> Signal {
    const KEPT: usize = 8 * 1024;
    let raw =
        String::from_utf8_lossy(&payload[..payload.len().min(KEPT)]).replace('\0', "\u{fffd}");
    Signal {
        integration: "bus".to_owned(),
        source: "bus".to_owned(),
        key: String::new(),
        status: SignalStatus::Unreadable,
        title: String::new(),
        description: String::new(),
        labels: Default::default(),
        annotations: Default::default(),
        starts_at: None,
        ends_at: None,
        url: None,
        received_at: None,
        reason: Some(reason),
        raw: Some(raw),
        raw_sha256: None,
    }
}

fn event_of(signal: &Signal) -> Map<String, Value> {
    let title = match signal.title.trim() {
        "" => signal.key.as_str(),
        title => title,
    };
    let time = |at: Option<DateTime<Utc>>| at.map_or(Value::Null, |at| json!(at));
    let event = json!({
        "key": format!("{}/{}", signal.integration, signal.key),
        "title": title,
        "description": signal.description,
        "source": signal.source,
        "integration": signal.integration,
        "labels": signal.labels,
        "annotations": signal.annotations,
        "starts_at": time(signal.starts_at),
        "ends_at": time(signal.ends_at),
        "url": signal.url,
        "reason": signal.reason,
        "raw": signal.raw,
        "raw_sha256": signal.raw_sha256,
    });
    match event {
        Value::Object(event) => event,
        _ => Map::new(),
    }
}

/// Every one opens a record of its own, so they need no keys to tell them apart.
fn quarantine(signal: &Signal, reason: &str) -> Happening {
    let mut event = event_of(signal);
    event.insert("key".to_owned(), Value::String(format!("unreadable/{}", signal.source)));
    event.insert(
        "title".to_owned(),
        Value::String(format!("Unreadable alert from {}", signal.source)),
    );
    event.insert("reason".to_owned(), Value::String(reason.to_owned()));
    let kind = "signal.unreadable.v1".to_owned();
    Happening { kind, event: Value::Object(event), record: None }
}

/// The one countable fate of a signal, from what it caused: `opened`, `repeated`, `attached`,
/// `resolved`, `quarantined`, or `suppressed:` with the rule's name.
///
/// The first fact is the alert's own; those after it are what followed in the same transaction.
#[must_use]
pub fn fate(steps: &[Step]) -> String {
    // A resolved signal of an alert that is over already causes nothing.
    let Some((first, followed)) = steps.split_first() else { return "resolved".to_owned() };
    match (first.fact.event.as_str(), first.record.state.as_str()) {
        ("opened", "quarantined") => "quarantined".to_owned(),
        ("opened", "suppressed") => {
            let rule = first.record.data.get("rule").and_then(Value::as_str).unwrap_or("default");
            format!("suppressed:{rule}")
        }
        ("opened", "open") => {
            let opens =
                |step: &Step| step.record.process == "incident" && step.fact.opened.is_some();
            if followed.iter().any(opens) { "opened" } else { "attached" }.to_owned()
        }
        ("repeated" | "refired", _) => "repeated".to_owned(),
        _ => "resolved".to_owned(),
    }
}

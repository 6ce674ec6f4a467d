//! What a signal means: the alert rules, and the reactions of alert and incident to it.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use engine::{
    Command, Fact, Happening, Record, Response, Ruleset, Subject, Told, apply, decide,
    reaction_key, respond,
};
use kernel::{Actor, Cause, Channel, derived_id};
use serde_json::{Value, json};
use store::Step;
use uuid::Uuid;

use crate::lifecycle::{at, rules};

/// The records of the service and who holds which key, in memory: the store's cascade in small.
struct Desk {
    rules: Ruleset,
    now: DateTime<Utc>,
    records: BTreeMap<Uuid, Record>,
    holders: BTreeMap<(String, String), Uuid>,
    count: u128,
    opened: usize,
}

impl Desk {
    fn new() -> Self {
        Self {
            rules: rules(),
            now: at("2026-03-26T15:00:00Z"),
            records: BTreeMap::new(),
            holders: BTreeMap::new(),
            count: 0,
            opened: 0,
        }
    }

    fn cause(&mut self, channel: Channel) -> Cause {
        self.count += 1;
        Cause::new(
            Uuid::from_u128(self.count),
            Arc::new(Actor::system("incident")),
            self.now,
            channel,
        )
    }

    fn signal(&mut self, signal: Value) -> String {
        let payload = signal.to_string();
        let happening = incident::happening_of(&self.rules, payload.as_bytes(), self.now);
        let mut steps = Vec::new();
        self.happen("alert", &happening, &mut steps);
        incident::fate(&steps)
    }

    fn happen(&mut self, process: &str, happening: &Happening, steps: &mut Vec<Step>) {
        let cause = self.cause(Channel::Event);
        let key = reaction_key(&self.rules, process, happening, &cause);
        let Some(key) = key.unwrap_or_else(|fault| panic!("{fault}")) else { return };
        let place = (process.to_owned(), key);
        let holder = self.holders.get(&place).and_then(|id| self.records.get(id)).cloned();
        let response = respond(&self.rules, process, holder.as_ref(), happening, &cause);
        match response.unwrap_or_else(|fault| panic!("{fault}")) {
            Response::Open { data, .. } => {
                self.opened += 1;
                let id = derived_id(cause.id, cause.at, 0);
                let number = format!("{process}-{}", self.opened);
                let subject = Subject::New { process, id, number };
                let fact = decide(&self.rules, subject, &Command::Open { data }, &cause);
                let fact = fact.unwrap_or_else(|refusal| panic!("{refusal}"));
                self.holders.insert(place, id);
                self.keep(None, fact, steps);
            }
            Response::Take { transition, with, .. } => {
                let record = holder.unwrap_or_else(|| panic!("nobody holds {place:?}"));
                self.act(record, Command::Take { transition, with }, &cause, steps);
            }
            Response::Attach { .. } | Response::Nothing { .. } => {}
        }
    }

    fn act(&mut self, record: Record, command: Command, cause: &Cause, steps: &mut Vec<Step>) {
        let fact = decide(&self.rules, Subject::Existing(&record), &command, cause);
        self.keep(Some(record), fact.unwrap_or_else(|refusal| panic!("{refusal}")), steps);
    }

    fn keep(&mut self, record: Option<Record>, fact: Fact, steps: &mut Vec<Step>) {
        let record = apply(record, &fact);
        self.records.insert(record.id, record.clone());
        let kind = contract::event_type(&record.process, &fact.event, 1);
        let happening = Happening::of_fact(&kind, &record, &fact, &Told::Whole);
        steps.push(Step { record: Arc::new(record), fact });
        for process in self.rules.subscribers(&kind).to_vec() {
            self.happen(&process, &happening, steps);
        }
    }

    /// The alert's hold time is over.
    fn settle(&mut self, alert: &str) {
        let id = self.holders[&("alert".to_owned(), format!("KEY0000001/{alert}"))];
        let record = self.records[&id].clone();
        let cause = self.cause(Channel::Timer);
        let fire = Command::Fire { transition: "settle".to_owned() };
        self.act(record, fire, &cause, &mut Vec::new());
    }

    fn incidents(&self) -> Vec<(&str, Value)> {
        let incidents = self.records.values().filter(|record| record.process == "incident");
        let mut found: Vec<_> = incidents
            .map(|record| {
                (record.opened_at, record.state.as_str(), record.data["open_alerts"].clone())
            })
            .collect();
        found.sort_by_key(|(opened, ..)| *opened);
        found.into_iter().map(|(_, state, alerts)| (state, alerts)).collect()
    }
}

fn firing(key: &str, labels: Value, starts_at: &str) -> Value {
    json!({ "integration": "KEY0000001", "source": "alertmanager", "key": key, "status": "firing",
        "title": "Disk full", "labels": labels, "starts_at": starts_at })
}

fn resolved(key: &str, labels: Value, ends_at: &str) -> Value {
    json!({ "integration": "KEY0000001", "source": "alertmanager", "key": key, "status": "resolved",
        "title": "Disk full", "labels": labels, "starts_at": "2026-03-26T14:59:00Z", "ends_at": ends_at })
}

fn disk() -> Value {
    json!({ "alertname": "DiskFull", "service": "SVC-PAY", "instance": "db-pay-01", "severity": "warning" })
}

#[test]
fn an_alert_opens_an_incident_with_what_its_labels_say() {
    let mut desk = Desk::new();
    assert_eq!(desk.signal(firing("a", disk(), "2026-03-26T14:59:00Z")), "opened");
    let incident = desk.records.values().find(|record| record.process == "incident");
    let data = &incident.unwrap_or_else(|| panic!("no incident")).data;
    for (field, expected) in [
        ("service", json!("SVC-PAY")),
        ("configuration_item", json!("db-pay-01")),
        ("impact", json!("high")),
        ("urgency", json!("medium")),
        ("priority", json!(2)),
        ("title", json!("Disk full")),
        ("channel", json!("event")),
    ] {
        assert_eq!(data.get(field), Some(&expected), "{field}");
    }
}

#[test]
fn the_same_alert_again_is_counted_and_opens_nothing() {
    let mut desk = Desk::new();
    desk.signal(firing("a", disk(), "2026-03-26T14:59:00Z"));
    assert_eq!(desk.signal(firing("a", disk(), "2026-03-26T14:59:00Z")), "repeated");
    assert_eq!(desk.incidents(), [("new", json!(1))]);
    let alert = desk.records.values().find(|record| record.process == "alert");
    assert_eq!(alert.and_then(|alert| alert.data.get("count")), Some(&json!(2)));
}

#[test]
fn alerts_of_one_group_attach_to_one_incident() {
    let mut desk = Desk::new();
    assert_eq!(desk.signal(firing("a", disk(), "2026-03-26T14:59:00Z")), "opened");
    assert_eq!(desk.signal(firing("b", disk(), "2026-03-26T14:59:30Z")), "attached");
    assert_eq!(desk.incidents(), [("new", json!(2))]);
}

#[test]
fn an_end_proposes_and_a_rule_may_resolve_what_nobody_has_taken() {
    let mut desk = Desk::new();
    desk.signal(firing("a", disk(), "2026-03-26T14:59:00Z"));
    assert_eq!(desk.signal(resolved("a", disk(), "2026-03-26T15:00:00Z")), "resolved");
    desk.settle("a");
    assert_eq!(desk.incidents(), [("new", json!(0))], "proposed, not resolved");

    let mut healing = disk();
    healing["on_end"] = json!("resolve");
    let mut desk = Desk::new();
    desk.signal(firing("a", healing.clone(), "2026-03-26T14:59:00Z"));
    desk.signal(resolved("a", healing, "2026-03-26T15:00:00Z"));
    desk.settle("a");
    assert_eq!(desk.incidents(), [("resolved", json!(0))]);
}

#[test]
fn firing_again_soon_reopens_and_later_opens_a_successor() {
    let mut healing = disk();
    healing["on_end"] = json!("resolve");
    for (again, expected) in [
        ("2026-03-26T15:30:00Z", vec![("in_progress", json!(1))]),
        ("2026-03-26T17:30:00Z", vec![("resolved", json!(0)), ("new", json!(1))]),
    ] {
        let mut desk = Desk::new();
        desk.signal(firing("a", healing.clone(), "2026-03-26T14:59:00Z"));
        desk.signal(resolved("a", healing.clone(), "2026-03-26T15:00:00Z"));
        desk.settle("a");
        desk.now = at(again);
        desk.signal(firing("a", healing.clone(), again));
        assert_eq!(desk.incidents(), expected, "{again}");
    }
}

#[test]
fn order_of_signals_does_not_confuse() {
    let mut desk = Desk::new();
    // The end overtakes its beginning.
    assert_eq!(desk.signal(resolved("a", disk(), "2026-03-26T15:00:00Z")), "resolved");
    assert_eq!(desk.signal(firing("a", disk(), "2026-03-26T14:59:00Z")), "repeated");
    assert_eq!(desk.incidents(), []);
    // A late end of an earlier episode does not end the present one.
    let mut desk = Desk::new();
    desk.signal(firing("a", disk(), "2026-03-26T15:10:00Z"));
    assert_eq!(desk.signal(resolved("a", disk(), "2026-03-26T15:00:00Z")), "resolved");
    assert!(
        desk.records.values().any(|record| record.process == "alert" && record.state == "open")
    );
}

#[test]
fn what_nobody_can_read_is_quarantined_and_what_a_rule_silences_is_counted() {
    let mut desk = Desk::new();
    assert_eq!(desk.signal(json!({ "status": "firing" })), "quarantined");
    let watchdog = json!({ "alertname": "Watchdog" });
    assert_eq!(desk.signal(firing("w", watchdog, "2026-03-26T14:59:00Z")), "suppressed:watchdog");
    assert_eq!(desk.incidents(), []);
}

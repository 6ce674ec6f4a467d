//! The running service: moments come late, twice and out of order, and timers sleep through a night.

use std::sync::Arc;

use chassis::{Config, Platform, Running, Signer, Verifier, start};
use engine::Record;
use kernel::{Actor, Cause, Channel, Clock, Reader};
use serde_json::{Value, json};
use sla::{Agreement, Agreements, Neighbour, heard};
use store::{Act, RecordRef, Target};
use tempfile::TempDir;
use uuid::Uuid;

use crate::case::{at, resolution, schemes};

const INCIDENT: &str = "0192f0c1-0000-7000-8000-000000000001";

/// A service whose time passes only when it is told, and whose timers fire only when it settles.
pub struct Desk {
    pub running: Running,
    pub clock: Clock,
    agreements: Agreements,
    count: u128,
    _folder: TempDir,
}

impl Desk {
    pub async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().display().to_string();
        let config = Config::of(&[("service.data_dir", data)]).unwrap();
        let verifier = Verifier::new(&Signer::ephemeral().unwrap().public_key());
        let clock = Clock::manual(at("2026-03-02T08:00:00Z"));
        let platform = Platform { clock: clock.clone(), bus: None, verifier, listen: None };
        let running = start(sla::service(), &config, &platform).await.unwrap();
        let agreement = Agreement {
            id: "A".to_owned(),
            number: "SLA0000001".to_owned(),
            version: 1,
            kind: "sla".to_owned(),
            service: None,
            customer: None,
            from: at("2026-01-01T00:00:00Z"),
            until: None,
            targets: vec![resolution()],
        };
        let agreements = Agreements(vec![agreement]);
        Self { running, clock, agreements, count: 0, _folder: folder }
    }

    /// The service hears one event of the incident now.
    pub async fn hears(&mut self, event: &Neighbour) -> usize {
        self.count += 1;
        let kind = format!("incident.{}.v1", event.event);
        let said = heard(event, &kind, &["role:agent".to_owned()], &self.agreements, schemes());
        let actor = Arc::new(Actor::system("sla"));
        let cause =
            Cause::new(Uuid::from_u128(self.count), actor, self.clock.now(), Channel::Event);
        let act = Act::new(cause, Target::Events(said), Vec::new());
        self.running.office.store.act(act).await.unwrap().steps.len()
    }

    /// The same of another incident.
    pub async fn hears_of(&mut self, incident: u8, event: &Neighbour) -> usize {
        let mut event = event.clone();
        event.record.id = Uuid::from_u128(u128::from(incident) + 1);
        self.hears(&event).await
    }

    async fn clock(&self) -> Record {
        let key = format!("{INCIDENT}/sla/resolution");
        self.running.office.store.held("clock", &key).await.unwrap().expect("there is a clock")
    }

    /// What was said of the clock, in order.
    async fn said(&self) -> Vec<String> {
        let store = &self.running.office.store;
        let history = store.history(self.clock().await.id, 0, 500).await.unwrap();
        let name = |kind: &str| kind.split('.').nth(1).unwrap_or_default().to_owned();
        history.iter().map(|entry| name(&entry.kind)).collect()
    }
}

pub fn event(rev: u64, when: &str, name: &str, from: Value, state: &str, data: Value) -> Neighbour {
    let event = json!({
        "record": {
            "id": INCIDENT, "number": "INC0000001", "process": "incident", "state": state,
            "rev": rev, "opened_at": "2026-03-02T08:00:00Z", "data": data,
        },
        "event": name, "at": when, "from": from,
    });
    serde_json::from_value(event).unwrap()
}

/// Opened at 08:00 with four hours, waiting for the caller from 09:00 to 11:00, resolved at 13:30.
fn life() -> [Neighbour; 4] {
    let held = json!({ "priority": 1, "hold_reason": "caller" });
    let plain = json!({ "priority": 1 });
    let at = |time: &str| format!("2026-03-02T{time}:00Z");
    let work = json!("in_progress");
    [
        event(1, &at("08:00"), "opened", Value::Null, "new", plain.clone()),
        event(4, &at("09:00"), "held", work.clone(), "on_hold", held),
        event(5, &at("11:00"), "resumed", json!("on_hold"), "in_progress", plain.clone()),
        event(6, &at("13:30"), "resolved", work, "resolved", plain),
    ]
}

#[tokio::test]
async fn what_came_due_while_nobody_looked_is_said_once() {
    let mut desk = Desk::open().await;
    desk.hears(&life()[0]).await;
    desk.clock.move_to(at("2026-03-02T18:00:00Z"));
    let _ = desk.running.settle().await.unwrap();
    let _ = desk.running.settle().await.unwrap();
    let clock = desk.clock().await;
    assert_eq!(clock.state, "breached");
    assert_eq!(clock.data["breached_at"], "2026-03-02T12:00:00Z");
    assert_eq!(desk.said().await, ["opened", "breached"]);
}

#[tokio::test]
async fn a_warning_that_was_taken_back_is_given_again() {
    let mut desk = Desk::open().await;
    desk.hears(&life()[0]).await;
    desk.clock.move_to(at("2026-03-02T10:00:00Z"));
    let _ = desk.running.settle().await.unwrap();
    assert_eq!(desk.clock().await.data["warned"], 50);
    // At the very instant of the warning nothing is owed for a moment, and then the same again.
    for (rev, priority) in [(2, 5), (3, 1)] {
        let data = json!({ "priority": priority });
        let mut change =
            event(rev, "2026-03-02T10:00:00Z", "reprioritised", json!("new"), "new", data);
        change.changes.insert("priority".to_owned(), (json!(6 - priority), json!(priority)));
        desk.hears(&change).await;
        let _ = desk.running.settle().await.unwrap();
    }
    assert_eq!(desk.clock().await.data["warned"], 0);
    desk.clock.move_to(at("2026-03-02T10:00:01Z"));
    let _ = desk.running.settle().await.unwrap();
    let clock = desk.clock().await;
    assert_eq!((clock.state.as_str(), &clock.data["warned"]), ("running", &json!(50)));
    let next = desk.running.office.store.next_due().await.unwrap();
    assert_eq!(next, Some(at("2026-03-02T11:00:00Z")));
}

#[tokio::test]
async fn late_events_take_back_what_they_show_to_be_wrong() {
    let mut desk = Desk::open().await;
    let [opened, held, resumed, resolved] = life();
    desk.hears(&opened).await;
    desk.clock.move_to(at("2026-03-02T13:00:00Z"));
    let _ = desk.running.settle().await.unwrap();
    assert_eq!(desk.clock().await.state, "breached");
    for event in [&held, &resumed] {
        desk.hears(event).await;
    }
    let clock = desk.clock().await;
    assert_eq!(
        (clock.state.as_str(), &clock.data["due_at"]),
        ("running", &json!("2026-03-02T14:00:00Z"))
    );
    desk.clock.move_to(at("2026-03-02T13:45:00Z"));
    desk.hears(&resolved).await;
    assert_eq!(desk.clock().await.state, "met");
}

#[tokio::test]
async fn in_whatever_order_events_come_and_however_often_the_clock_is_the_same() {
    let mut readings = Vec::new();
    for order in [vec![0, 1, 2, 3], vec![3, 2, 1, 0], vec![2, 0, 2, 3, 1, 0, 1], vec![1, 3, 0, 2]] {
        let mut desk = Desk::open().await;
        desk.clock.move_to(at("2026-03-02T18:00:00Z"));
        let life = life();
        for place in order {
            desk.hears(&life[place]).await;
        }
        // What is known already changes nothing.
        assert_eq!(desk.hears(&life[1]).await, 0);
        let clock = desk.clock().await;
        readings.push((
            clock.state.clone(),
            clock.data["reading"].clone(),
            clock.data["seen"].clone(),
        ));
    }
    assert_eq!(readings[0].0, "met");
    assert_eq!(readings[0].1["elapsed_seconds"], 3 * 3_600 + 1_800);
    assert!(readings.iter().all(|reading| *reading == readings[0]), "{readings:#?}");
}

#[tokio::test]
async fn a_clock_is_seen_by_those_who_see_its_record_and_moved_by_nobody() {
    let mut desk = Desk::open().await;
    desk.hears(&life()[0]).await;
    let clock = desk.clock().await;
    let store = &desk.running.office.store;
    let seen = async |tokens: &[&str]| {
        let reader = Reader::Tokens(tokens.iter().map(|token| (*token).to_owned()).collect());
        store.record("clock", &RecordRef::Id(clock.id), &reader).await.unwrap().is_some()
    };
    assert!(seen(&["role:agent"]).await);
    assert!(!seen(&["role:requester", "person:PER0000009"]).await);
    let rules = &desk.running.office.rules;
    let offers = engine::offers(rules, &clock, &Actor::system("nobody"), desk.clock.now());
    assert_eq!(offers.iter().map(|offer| offer.name.as_str()).collect::<Vec<_>>(), ["correct"]);
}

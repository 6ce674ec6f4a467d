//! The running service: moments come late, twice and out of order, and timers sleep through a night.

use kernel::{Actor, Reader};
use serde_json::{Value, json};
use sla::Neighbour;
use store::RecordRef;

use crate::{
    case::at,
    desk::{Desk, Site, event, everywhere, incident_of},
};

everywhere!(
    a_record_whose_service_is_told_later_is_measured_from_its_opening,
    what_came_due_while_nobody_looked_is_said_once,
    a_warning_that_was_taken_back_is_given_again,
    late_events_take_back_what_they_show_to_be_wrong,
    in_whatever_order_events_come_and_however_often_the_clock_is_the_same,
    a_clock_is_seen_by_those_who_see_its_record_and_moved_by_nobody,
);

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

async fn what_came_due_while_nobody_looked_is_said_once(site: &Site) {
    let mut desk = Desk::open(site).await;
    desk.hears(&life()[0]).await;
    desk.clock.move_to(at("2026-03-02T18:00:00Z"));
    let _ = desk.running.settle().await.unwrap();
    let _ = desk.running.settle().await.unwrap();
    let clock = desk.clock().await;
    assert_eq!(clock.state, "breached");
    assert_eq!(clock.data["breached_at"], "2026-03-02T12:00:00Z");
    assert_eq!(desk.said().await, ["opened", "breached"]);
}

async fn a_warning_that_was_taken_back_is_given_again(site: &Site) {
    let mut desk = Desk::open(site).await;
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

async fn late_events_take_back_what_they_show_to_be_wrong(site: &Site) {
    let mut desk = Desk::open(site).await;
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

async fn in_whatever_order_events_come_and_however_often_the_clock_is_the_same(site: &Site) {
    let mut readings = Vec::new();
    let mut desk = Desk::open(site).await;
    let orders = [vec![0, 1, 2, 3], vec![3, 2, 1, 0], vec![2, 0, 2, 3, 1, 0, 1], vec![1, 3, 0, 2]];
    for (incident, order) in (1_u8..).zip(orders) {
        desk.clock.move_to(at("2026-03-02T18:00:00Z"));
        let life = life();
        for place in order {
            desk.hears_of(incident, &life[place]).await;
        }
        // What is known already changes nothing.
        assert_eq!(desk.hears_of(incident, &life[1]).await, 0);
        let clock = desk.clock_of(incident_of(incident)).await;
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

async fn a_clock_is_seen_by_those_who_see_its_record_and_moved_by_nobody(site: &Site) {
    let mut desk = Desk::open(site).await;
    desk.hears(&life()[0]).await;
    let clock = desk.clock().await;
    let store = &desk.running.office.store;
    let seen = async |tokens: &[&str]| {
        let reader = Reader::Tokens(tokens.iter().map(|token| (*token).to_owned()).collect());
        store.record("clock", &RecordRef::Id(clock.id), &reader).await.unwrap().is_some()
    };
    assert!(seen(&["role:agent"]).await);
    assert!(!seen(&["role:requester", "person:PER0000009"]).await);
    let rules = desk.running.office.rules();
    let offers = engine::offers(
        &rules,
        &clock,
        &Actor::system("nobody"),
        &engine::Languages::default(),
        desk.clock.now(),
    );
    let offered: Vec<_> = offers.iter().map(|offer| offer.name.as_str()).collect();
    // What was heard can be set right, and a deadline set; nothing else.
    assert_eq!(offered, ["correct", "set_deadline", "lift_deadline"]);
}

async fn a_record_whose_service_is_told_later_is_measured_from_its_opening(site: &Site) {
    let mut desk = Desk::open(site).await;
    desk.agreements.0[0].service = Some("mail".to_owned());
    desk.agreements.0[0].since = at("2026-03-02T07:00:00Z");
    let [opened, held, resumed, resolved] = life();
    for event in [&opened, &held, &resumed] {
        desk.hears(event).await;
    }
    let clock = desk.clock().await;
    assert_eq!((clock.state.as_str(), &clock.data["terms"]), ("cancelled", &json!([])));
    desk.clock.move_to(at("2026-03-02T12:00:00Z"));
    let data = json!({ "priority": 1, "service": "mail" });
    let work = json!("in_progress");
    let mut told = event(6, "2026-03-02T12:00:00Z", "amended", work, "in_progress", data);
    told.changes.insert("service".to_owned(), (json!(null), json!("mail")));
    desk.hears(&told).await;
    let clock = desk.clock().await;
    assert_eq!(clock.state, "running");
    // Two hours of pause and two that count.
    assert_eq!(
        (&clock.data["elapsed_seconds"], &clock.data["agreement"]),
        (&json!(7_200), &json!("SLA0000001"))
    );
    assert_eq!(clock.data["due_at"], "2026-03-02T14:00:00Z");

    // What was opened before anything was promised stays without a clock, however long it lives.
    desk.agreements.0[0].since = at("2026-03-02T11:00:00Z");
    assert_eq!(desk.hears_of(7, &resolved).await, 0);
}

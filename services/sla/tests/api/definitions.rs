//! The definitions and calendars that ship, and which agreement they make apply.

use chrono::{DateTime, Utc};
use engine::{Calculations, Definition, Ruleset, Scheme, Schemes};
use serde_json::{Value, json};
use sla::{Agreement, Agreements, Neighbour, heard, terms};

use crate::case::{at, resolution, schemes};

#[test]
fn what_ships_is_sound() {
    let definitions = sla::DEFINITIONS.iter().map(|(file, text)| {
        Definition::parse(text, 1).unwrap_or_else(|faults| panic!("{file}: {faults:#?}"))
    });
    let schemes = sla::SCHEMES.iter().map(|(file, text)| {
        Scheme::parse(text, 1).unwrap_or_else(|faults| panic!("{file}: {faults:#?}"))
    });
    let schemes = Schemes::new(schemes.collect());
    let calculations = Calculations::from(sla::CALCULATIONS);
    let rules = Ruleset::calculating(definitions.collect(), schemes, calculations);
    let rules = rules.unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert!(rules.process("clock").is_some_and(|clock| !clock.is_final("cancelled")));
}

#[test]
fn what_cannot_be_measured_is_told_at_once() {
    let mut targets = json!([resolution(), resolution()]);
    targets[1]["limits"][1]["calendar"] = json!("nine_to_five");
    targets[1]["limits"][0]["within"] = json!("PT0S");
    let faults = terms::faults(&targets, schemes());
    assert_eq!(faults.len(), 3, "{faults:?}");
    targets[1]["limits"][0]["within"] = json!("P4000D");
    assert_eq!(terms::faults(&targets, schemes()).len(), 3);
    targets[0]["limits"][0]["within"] = json!("P1M");
    assert!(terms::faults(&targets, schemes()).concat().contains("whose length varies"));
}

fn agreement(number: &str, service: Option<&str>, customer: Option<&str>, from: &str) -> Agreement {
    Agreement {
        id: number.to_owned(),
        number: number.to_owned(),
        version: 1,
        kind: "sla".to_owned(),
        service: service.map(str::to_owned),
        customer: customer.map(str::to_owned),
        from: at(from),
        until: None,
        since: at(from),
        targets: vec![resolution()],
    }
}

const FIRST: &str = "2026-01-01T00:00:00Z";

#[test]
fn the_agreement_that_says_most_of_the_record_applies() {
    let all = Agreements(vec![
        agreement("all", None, None, FIRST),
        agreement("bank", None, Some("bank"), FIRST),
        agreement("mail", Some("mail"), None, FIRST),
        agreement("mail-bank", Some("mail"), Some("bank"), FIRST),
    ]);
    let check = |service, customer, expected| {
        let found = all.applying("sla", service, customer, at("2026-02-01T00:00:00Z"));
        assert_eq!(found.map(|found| found.number.as_str()), expected);
    };
    check(Some("mail"), Some("bank"), Some("mail-bank"));
    check(Some("mail"), Some("shop"), Some("mail"));
    check(Some("till"), Some("bank"), Some("bank"));
    check(None, None, Some("all"));
    assert_eq!(all.applying("ola", None, None, at("2026-02-01T00:00:00Z")), None);
}

#[test]
fn what_was_opened_before_stays_with_the_version_before() {
    let mut former = agreement("first", None, None, FIRST);
    former.until = Some(at("2026-03-01T00:00:00Z"));
    let all = Agreements(vec![former, agreement("second", None, None, "2026-03-01T00:00:00Z")]);
    let applying = |when: &str| -> Option<&str> {
        Some(all.applying("sla", None, None, at(when))?.number.as_str())
    };
    assert_eq!(applying("2025-12-31T23:59:59Z"), None);
    assert_eq!(applying("2026-02-28T23:59:59Z"), Some("first"));
    assert_eq!(applying("2026-03-01T00:00:00Z"), Some("second"));
}

fn event(name: &str, from: Option<&str>, state: &str, changes: Value, data: Value) -> Neighbour {
    let opened: DateTime<Utc> = at("2026-03-02T08:00:00Z");
    let event = json!({
        "record": {
            "id": "0192f0c1-0000-7000-8000-000000000001", "number": "INC0000001", "process": "incident",
            "state": state, "rev": 7, "opened_at": opened, "data": data,
        },
        "event": name, "at": "2026-03-02T09:00:00Z", "from": from, "changes": changes,
    });
    serde_json::from_value(event).unwrap_or_else(|fault| panic!("{fault}"))
}

#[test]
fn only_what_can_change_a_clock_is_a_moment_of_it() {
    let all = Agreements(vec![agreement("all", None, None, FIRST)]);
    let count = |event: &Neighbour| {
        heard(event, "incident.event.v1", &["role:agent".to_owned()], &all, schemes()).len()
    };
    let data = json!({ "priority": 1 });
    assert_eq!(count(&event("opened", None, "new", json!({}), data.clone())), 1);
    assert_eq!(count(&event("assigned", Some("new"), "assigned", json!({}), data.clone())), 0);
    assert_eq!(count(&event("commented", None, "new", json!({}), data.clone())), 0);
    assert_eq!(count(&event("held", Some("in_progress"), "on_hold", json!({}), data.clone())), 1);
    assert_eq!(count(&event("resolved", Some("in_progress"), "resolved", json!({}), data)), 1);
    let changes = json!({ "priority": [2, 1] });
    assert_eq!(count(&event("amended", None, "new", changes, json!({ "priority": 1 }))), 1);
}

#[test]
fn a_record_that_leaves_its_agreement_tells_the_clocks_of_both() {
    let mut other = agreement("mail", Some("mail"), None, FIRST);
    other.targets[0].name = "repair".to_owned();
    let all = Agreements(vec![agreement("till", Some("till"), None, FIRST), other]);
    let changes = json!({ "service": ["till", "mail"] });
    let event = event("amended", None, "new", changes, json!({ "service": "mail" }));
    let said = heard(&event, "incident.amended.v1", &[], &all, schemes());
    let under = |name: &str| {
        let of = said.iter().find(|happening| happening.event["target"] == name);
        of.map(|of| of.event["moment"]["under"].clone())
    };
    assert_eq!(under("repair"), Some(json!("mail")));
    assert_eq!(under("resolution"), Some(Value::Null));
}

#[test]
fn what_was_opened_before_anything_was_promised_has_no_clock() {
    let begins = |since: &str, channel: Value, name: &str| {
        let mut promised = agreement("all", None, None, FIRST);
        promised.since = at(since);
        let mut event = event(name, Some("new"), "resolved", json!({}), json!({}));
        event.channel = channel.as_str().map(str::to_owned);
        let said = heard(&event, "incident.event.v1", &[], &Agreements(vec![promised]), schemes());
        said[0].event["begins"].clone()
    };
    let (before, after) = ("2026-03-01T00:00:00Z", "2026-03-02T08:00:01Z");
    assert_eq!(begins(before, Value::Null, "resolved"), true);
    assert_eq!(begins(after, Value::Null, "resolved"), false);
    assert_eq!(begins(after, Value::Null, "opened"), true);
    // What is brought in comes with its past.
    assert_eq!(begins(after, json!("import"), "resolved"), true);
}

#[test]
fn a_record_without_an_agreement_is_listened_to_for_the_one_that_may_come() {
    let all = Agreements(vec![agreement("mail", Some("mail"), None, FIRST)]);
    let opened = event("opened", None, "new", json!({}), json!({ "priority": 1 }));
    let said = heard(&opened, "incident.opened.v1", &[], &all, schemes());
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].event["moment"]["under"], Value::Null);
    assert_eq!(said[0].event["terms"], Value::Null);
    let changes = json!({ "service": [null, "mail"] });
    let known = event("amended", None, "new", changes, json!({ "service": "mail" }));
    let said = heard(&known, "incident.amended.v1", &[], &all, schemes());
    assert_eq!(
        (&said[0].event["moment"]["under"], &said[0].event["moment"]["decides"]),
        (&json!("mail"), &json!(true))
    );
}

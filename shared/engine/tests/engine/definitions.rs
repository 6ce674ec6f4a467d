//! A definition in hand is sound: what is not is told with every fault at once.

use std::sync::Arc;

use engine::{Command, Definition, Ruleset, Schemes, Subject, Timer, apply, decide};
use kernel::{Actor, Cause, Channel};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::TICKET;

fn check(change: (&str, &str), expected: &[&str]) {
    let text = TICKET.replace(change.0, change.1);
    assert_ne!(text, TICKET, "the change {change:?} changes nothing");
    let faults = Definition::parse(&text, 1).err().unwrap_or_default();
    assert_eq!(faults.len(), expected.len(), "{change:?}: {faults:#?}");
    for (fault, expected) in faults.iter().zip(expected) {
        assert!(fault.contains(expected), "{change:?}: {fault}");
    }
}

#[test]
fn unknown_names_are_told_with_their_place() {
    check(
        ("to: working, by: [agent]", "to: wroking, by: [agnet]"),
        &[
            "`agnet` may do something, but `roles` does not name it",
            "states.waiting.start: `wroking` is no state",
        ],
    );
    check(
        ("needs: [reason], set", "needs: [raeson], set"),
        &["states.working.pause: `raeson` is no field"],
    );
    check(("record.turns + 1", "record.trun + 1"), &["names `record.trun`, which is no field"]);
    check(
        ("record.turns + 1", "recrod.turns + 1"),
        &["states.working.pause: `turns`: `recrod.turns + 1` names `recrod`"],
    );
}

#[test]
fn what_the_format_does_not_know_is_refused_with_its_line() {
    check(("starts: waiting", "starts: waiting\nbegins: waiting"), &["unknown field `begins`"]);
    check(("  closed: {}\n", "  closed: {}\n  closed: {}\n"), &["duplicate"]);
    check(("P30D", "P1M"), &["states.waiting.expire: `P1M` counts years or months"]);
    check(
        ("weight: { type: integer", "weight: { type: whole"),
        &["field `weight`: it is no JSON Schema"],
    );
    check(("index: number", "index: money"), &["`index` is one of text, number, time"]);
}

#[test]
fn a_state_that_nothing_leads_to_is_told() {
    check(("{ to: done, by", "{ to: closed, by"), &["nothing leads to `done`"]);
}

#[test]
fn aliases_cannot_blow_a_definition_up() {
    let mut bomb = String::from("process: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = format!("*a{}, ", level - 1).repeat(9);
        bomb.push_str(&format!("k{level}: &a{level} [{below}]\n"));
    }
    assert!(Definition::parse(&bomb, 1).is_err());
}

#[test]
fn a_state_has_timers_of_one_kind_and_code_that_is_known() {
    check(
        (
            "expire: { to: dropped, after: P30D }",
            "expire: { to: dropped, after: P30D, at: record.due }",
        ),
        &["states.waiting.expire: it comes `after` some time or `at` an instant, not both"],
    );
    check(
        (
            "finish: {",
            "late: { to: waiting, at: record.due }\n    old: { to: waiting, after: P9D }\n    finish: {",
        ),
        &["states.working: `old` comes `after` some time and `late` `at` an instant"],
    );
    let text = TICKET.replace("record.weight > 5", "calculate('heavy', record.weight)");
    let definition = Definition::parse(&text, 1).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let faults = Ruleset::new(vec![definition], Schemes::default()).err().unwrap_or_default();
    assert_eq!(faults, ["ticket: there is no calculation `heavy`"]);
}

#[test]
fn a_timer_at_an_instant_follows_the_record() {
    let text = TICKET.replace("after: P30D", "at: record.due");
    let definition = Definition::parse(&text, 1).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let rules = Ruleset::new(vec![definition], Schemes::default())
        .unwrap_or_else(|faults| panic!("{faults:?}"));
    let mut actor = Actor::system("test");
    actor.roles.insert("agent".to_owned());
    let at = |text: &str| text.parse().unwrap_or_else(|fault| panic!("{text}: {fault}"));
    let cause = Cause::new(Uuid::nil(), Arc::new(actor), at("2026-03-14T22:05:00Z"), Channel::Api);
    let data = |value: Value| value.as_object().cloned().unwrap_or_default();
    let new = Subject::New { process: "ticket", id: Uuid::nil(), number: "TCK0000001".to_owned() };
    let open = Command::Open { data: data(json!({ "title": "Door" })) };
    let opened = decide(&rules, new, &open, &cause).unwrap_or_else(|no| panic!("{no}"));
    assert_eq!(opened.timers, Some(Vec::new()));
    let record = apply(None, &opened);
    let due = "2026-03-20T00:00:00Z";
    let amend = Command::Amend { patch: data(json!({ "due": due })) };
    let amended = decide(&rules, Subject::Existing(&record), &amend, &cause);
    let amended = amended.unwrap_or_else(|no| panic!("{no}"));
    let timer = Timer { transition: "expire".to_owned(), due: at(due) };
    assert_eq!(amended.timers, Some(vec![timer]));
    let record = apply(Some(record), &amended);
    let fire = Command::Fire { transition: "expire".to_owned() };
    let fired = decide(&rules, Subject::Existing(&record), &fire, &cause);
    assert_eq!(fired.map(|fact| fact.to), Ok(Some("dropped".to_owned())));
}

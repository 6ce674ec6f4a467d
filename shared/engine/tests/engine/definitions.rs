//! What a sound definition does when it is used.

use std::sync::Arc;

use engine::{
    Command, Definition, Label, Languages, Ruleset, Schemes, Subject, Timer, apply, decide,
};
use kernel::{Actor, Cause, Channel};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::TICKET;

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
    assert_eq!((&amended.timers, &amended.more_timers), (&None, &vec![timer]));
    let record = apply(Some(record), &amended);
    let fire = Command::Fire { transition: "expire".to_owned() };
    let fired = decide(&rules, Subject::Existing(&record), &fire, &cause);
    assert_eq!(fired.map(|fact| fact.to), Ok(Some("dropped".to_owned())));
    // What is named no more is waited for no more.
    let amend = Command::Amend { patch: data(json!({ "due": null })) };
    let amended = decide(&rules, Subject::Existing(&record), &amend, &cause);
    assert_eq!(amended.map(|fact| fact.fewer_timers), Ok(vec!["expire".to_owned()]));
}

#[test]
fn an_instant_that_has_come_does_not_come_again() {
    let at = "expire: { by: [system], at: record.due, set: { turns: record.turns + 1 } }";
    let text = TICKET.replace("expire: { to: dropped, after: P30D }", at);
    let definition = Definition::parse(&text, 1).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let rules = Ruleset::new(vec![definition], Schemes::default())
        .unwrap_or_else(|faults| panic!("{faults:?}"));
    let mut actor = Actor::system("test");
    actor.roles.insert("agent".to_owned());
    let now = "2026-03-14T22:05:00Z".parse().unwrap_or_default();
    let cause = Cause::new(Uuid::nil(), Arc::new(actor), now, Channel::Timer);
    let data = |value: Value| value.as_object().cloned().unwrap_or_default();
    let new = Subject::New { process: "ticket", id: Uuid::nil(), number: "TCK0000001".to_owned() };
    let past = "2026-03-01T00:00:00Z";
    let open = Command::Open { data: data(json!({ "title": "Door", "due": past })) };
    let opened = decide(&rules, new, &open, &cause).unwrap_or_else(|no| panic!("{no}"));
    assert_eq!(opened.timers.as_ref().map(Vec::len), Some(1));
    let mut record = apply(None, &opened);
    let mut timers_after = |command: Command| {
        let fact = decide(&rules, Subject::Existing(&record), &command, &cause);
        let fact = fact.unwrap_or_else(|no| panic!("{no}"));
        record = apply(Some(record.clone()), &fact);
        (fact.timers.is_some(), fact.more_timers.len(), fact.fewer_timers.len())
    };
    // Neither its own step nor another one sets it anew, and both leave others as they are.
    assert_eq!(timers_after(Command::Fire { transition: "expire".to_owned() }), (false, 0, 0));
    let amend = |due: &str| Command::Amend { patch: data(json!({ "due": due, "weight": 3 })) };
    assert_eq!(timers_after(amend(past)), (false, 0, 0));
    assert_eq!(timers_after(amend("2026-03-02T00:00:00Z")), (false, 1, 0));
}

#[test]
fn what_only_the_process_fills_is_not_opened_without_by_hand() {
    let text = TICKET.replace("required: [title]", "required: [title, source]").replace(
        "  properties:\n",
        "  properties:\n    source: { type: string, readOnly: true }\n",
    );
    let definition = Definition::parse(&text, 1).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let rules = Ruleset::new(vec![definition], Schemes::default())
        .unwrap_or_else(|faults| panic!("{faults:?}"));
    let mut actor = Actor::system("test");
    actor.roles.insert("agent".to_owned());
    let at = "2026-03-14T22:05:00Z".parse().unwrap_or_default();
    let open = |channel: Channel, data: Value| {
        let new =
            Subject::New { process: "ticket", id: Uuid::nil(), number: "TCK0000001".to_owned() };
        let data = data.as_object().cloned().unwrap_or_default();
        let cause = Cause::new(Uuid::nil(), Arc::new(actor.clone()), at, channel);
        decide(&rules, new, &Command::Open { data }, &cause)
    };
    let faults_of = |data: Value| match open(Channel::Api, data) {
        Err(refusal) => refusal.faults.into_iter().map(|fault| (fault.path, fault.code)).collect(),
        Ok(_) => Vec::new(),
    };
    let missing = |name: &str| (format!("/{name}"), "required".into());
    assert_eq!(faults_of(json!({ "title": "Door" })), [missing("source")]);
    // All at once.
    assert_eq!(faults_of(json!({})), [missing("title"), missing("source")]);
    let by_event = json!({ "title": "Door", "source": "mail" });
    assert!(open(Channel::Event, by_event).is_ok());
    assert!(open(Channel::Event, json!({ "title": "Door" })).is_err());
}

#[test]
fn parts_and_both_ends_of_links_are_called_as_labels_say() {
    let text = TICKET
        .replace("properties:\n", "properties:\n    steps: { type: array, items: { type: object, properties: { by_whom: { type: string, title: Doer }, at: { type: string } } } }\n")
        + "\nlabels: { de: { fields: { steps.by_whom: Durch }, links: { blocked_by: Blockiert durch } } }\n";
    let definition = Definition::parse(&text, 1).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let told = |label: &Label, header| label.told(&Languages::accepted(header)).to_owned();
    let steps = definition.fields().iter().find(|field| field.name == "steps");
    let parts: Vec<_> = steps.into_iter().flat_map(|field| &field.parts).collect();
    let told_parts = |header| -> Vec<_> {
        parts.iter().map(|part| (part.of.as_str(), told(&part.label, header))).collect()
    };
    let expected =
        |first: &str| vec![("steps.at", "At".to_owned()), ("steps.by_whom", first.to_owned())];
    assert_eq!(told_parts("de"), expected("Durch"));
    assert_eq!(told_parts("en"), expected("Doer"));
    let ends = definition.relations().iter();
    let ends: Vec<_> =
        ends.map(|tie| (told(&tie.label, "de"), told(&tie.inverse_label, "de"))).collect();
    assert_eq!(ends, [("Blocks".to_owned(), "Blockiert durch".to_owned())]);
}

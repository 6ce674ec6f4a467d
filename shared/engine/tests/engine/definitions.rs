//! What a sound definition does when it is used.

use std::sync::Arc;

use engine::{Command, Definition, Ruleset, Schemes, Subject, Timer, apply, decide};
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
    assert_eq!(amended.timers, Some(vec![timer]));
    let record = apply(Some(record), &amended);
    let fire = Command::Fire { transition: "expire".to_owned() };
    let fired = decide(&rules, Subject::Existing(&record), &fire, &cause);
    assert_eq!(fired.map(|fact| fact.to), Ok(Some("dropped".to_owned())));
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

//! Whatever happens to a record: its state is in the definition, its revision rises by one, nothing
//! refused leaves a trace, and the fold of its facts is the record.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use engine::{Command, Fact, Record, Subject, apply, decide};
use kernel::{Actor, Cause, Channel};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::rules;

fn values() -> impl Strategy<Value = Map<String, Value>> {
    let value = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..12).prop_map(Value::from),
        "[a-z ]{0,6}".prop_map(Value::from),
        Just(json!("2026-03-14T22:05:00Z")),
        Just(json!(["x"])),
    ];
    let field = prop_oneof![
        Just("title"),
        Just("weight"),
        Just("due"),
        Just("asker"),
        Just("reason"),
        Just("turns"),
        Just("heavy"),
        Just("notes"),
        Just("nonsense"),
    ];
    proptest::collection::vec((field.prop_map(str::to_owned), value), 0..5)
        .prop_map(|pairs| pairs.into_iter().collect())
}

fn commands() -> impl Strategy<Value = Command> {
    let name = prop_oneof![
        Just("start"),
        Just("drop"),
        Just("expire"),
        Just("pause"),
        Just("finish"),
        Just("again"),
        Just("close"),
        Just("nothing"),
    ];
    let name = || name.clone().prop_map(str::to_owned);
    prop_oneof![
        1 => values().prop_map(|data| Command::Open { data }),
        4 => values().prop_map(|patch| Command::Amend { patch }),
        8 => (name(), values()).prop_map(|(transition, with)| Command::Take { transition, with }),
        3 => name().prop_map(|transition| Command::Fire { transition }),
        1 => "[a-z]{0,9}".prop_map(|text| Command::Comment { text }),
    ]
}

fn step(
    count: usize,
    record: Option<&Record>,
    command: &Command,
    role: &str,
    now: DateTime<Utc>,
) -> Option<Fact> {
    let roles = BTreeSet::from([role.to_owned()]);
    let actor =
        Actor { id: "person:a".to_owned(), name: "a".to_owned(), roles, groups: BTreeSet::new() };
    let id = Uuid::from_u128(count as u128 + 1);
    let cause = Cause::new(id, Arc::new(actor), now, Channel::Api);
    let subject = match record {
        Some(record) => Subject::Existing(record),
        None => Subject::New { process: "ticket", id, number: "TCK0000001".to_owned() },
    };
    decide(rules(), subject, command, &cause).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_fold_of_the_facts_is_the_record(
        steps in proptest::collection::vec(
            (commands(), prop_oneof![4 => Just("agent"), 1 => Just("system"), 1 => Just("nobody")], 0_i64..40_000),
            1..25,
        )
    ) {
        let definition = crate::ticket();
        let mut now: DateTime<Utc> = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let title = Map::from_iter([("title".to_owned(), json!("a"))]);
        let mut record = None;
        let mut history = Vec::new();
        let first = (Command::Open { data: title }, "agent", 0);
        for (count, (command, role, seconds)) in std::iter::once(first).chain(steps).enumerate() {
            now += TimeDelta::seconds(seconds);
            let Some(fact) = step(count, record.as_ref(), &command, role, now) else { continue };
            let before = record.as_ref().map_or(0, |record: &Record| record.revision);
            let next = apply(record.take(), &fact);
            prop_assert_eq!(next.revision, before + 1);
            prop_assert!(definition.states().any(|state| state == next.state));
            prop_assert_eq!(next.closed_at.is_some(), definition.is_final(&next.state));
            prop_assert!(next.audience.contains(&"role:agent".to_owned()));
            // What is kept as JSON is what was decided.
            let kept = serde_json::to_vec(&fact).ok().and_then(|kept| serde_json::from_slice(&kept).ok());
            prop_assert_eq!(kept.as_ref(), Some(&fact));
            history.push(fact);
            record = Some(next);
        }
        let replayed = history.iter().fold(None, |record, fact| Some(apply(record, fact)));
        prop_assert_eq!(replayed, record);
    }
}

//! Who is to be told of a step, and in which words.

use chrono::{DateTime, Utc};
use kernel::{Actor, Channel};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Fact, Record, Ruleset};

/// What somebody is to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The rule of the definition.
    pub rule: String,
    /// The event that it tells of: `resolved`.
    pub of: String,
    /// `person:PER0000001`, `group:GRP0000002`, `role:agent`, `webhook:chat`.
    pub to: Vec<String>,
    pub subject: String,
    pub text: String,
}

/// A subject has at most so many characters.
const SUBJECT_LIMIT: usize = 200;
/// The like for a text.
const TEXT_LIMIT: usize = 8_000;
/// One notice goes to so many names; a role may stand for more persons.
const NAMES_LIMIT: usize = 100;

/// What is to be told after a fact, the record being as it is after it. Pure. History that is brought
/// in tells nobody anything.
///
/// # Errors
/// A sentence, when an expression of a rule cannot be worked out.
pub fn telling(
    rules: &Ruleset,
    record: &Record,
    fact: &Fact,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<Vec<Notice>, String> {
    let Some(definition) = rules.definition_of(record) else { return Ok(Vec::new()) };
    let mut notices = Vec::new();
    if fact.channel == Channel::Import {
        return Ok(notices);
    }
    for rule in &definition.notify {
        if rule.on.iter().all(|on| on.text != fact.event) {
            continue;
        }
        let scope = || rules.scope(now).actor(actor).record(record, &definition.field_names);
        if !rule.when.as_ref().map_or(Ok(true), |when| when.holds(&scope()))? {
            continue;
        }
        let mut to = Vec::new();
        for expression in &rule.to {
            name(&expression.value(&scope())?, &mut to);
        }
        to.sort();
        to.dedup();
        to.truncate(NAMES_LIMIT);
        if to.is_empty() {
            continue;
        }
        // A subject is a line: whatever would begin another one is left out.
        let subject = rule.subject.told(&scope())?.replace(char::is_control, " ");
        let subject = subject.chars().take(SUBJECT_LIMIT).collect();
        let text = rule.text.told(&scope())?.chars().take(TEXT_LIMIT).collect();
        notices.push(Notice { rule: rule.name.clone(), of: fact.event.clone(), to, subject, text });
    }
    Ok(notices)
}

/// Names a value, or each of a list; a name without a kind is a person's.
fn name(value: &Value, to: &mut Vec<String>) {
    match value {
        Value::String(text) if text.contains(':') => to.push(text.clone()),
        Value::String(text) if !text.is_empty() => to.push(format!("person:{text}")),
        Value::Array(items) => items.iter().for_each(|item| name(item, to)),
        _ => {}
    }
}

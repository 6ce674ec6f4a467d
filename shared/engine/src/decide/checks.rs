//! The questions that every command must answer: who, in what order, in time, on what condition.

use chrono::{DateTime, Utc};
use kernel::{Actor, Cause, Channel, Refusal, Rule};
use serde_json::Value;

use crate::{Definition, Record, Ruleset, Transition};

/// The role of `allowed` that the actor has on this record.
pub(crate) fn permission(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    allowed: &[String],
    actor: &Actor,
    now: DateTime<Utc>,
) -> Option<String> {
    // What a record grants is nobody's standing role, whatever other processes call by the same name.
    let is_granted =
        |name: &String| definition.roles.iter().any(|role| role.name == *name && role.is.is_some());
    let standing = allowed.iter().find(|role| actor.has_role(role) && !is_granted(role));
    let granted = || {
        allowed.iter().find(|name| {
            let role = definition.roles.iter().find(|role| role.name == **name);
            let Some(is) = role.and_then(|role| role.is.as_ref()) else { return false };
            let scope = rules.scope(now).actor(actor).record(record, &definition.field_names);
            // A role that cannot be worked out is a role that nobody has.
            is.told(&scope).is_ok_and(|named| names(&named, &actor.id))
        })
    };
    standing.or_else(granted).cloned()
}

/// Whether a value, or one of a list, is the actor: `person:PER0000001` or `PER0000001`.
pub(super) fn names(value: &Value, actor: &str) -> bool {
    match value {
        Value::String(named) => {
            named == actor || actor.split_once(':').is_some_and(|(_, number)| number == named)
        }
        Value::Array(items) => items.iter().any(|item| names(item, actor)),
        _ => false,
    }
}

/// The role that the actor uses, or the refusal that says which would do.
pub(super) fn permitted(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    allowed: &[String],
    automatic: bool,
    cause: &Cause,
) -> Result<Option<String>, Refusal> {
    if automatic && cause.actor.is_system() {
        return Ok(Some(kernel::SYSTEM.to_owned()));
    }
    permission(rules, definition, record, allowed, &cause.actor, cause.when())
        .map(Some)
        .ok_or_else(|| Refusal::one(Rule::Role, "", "role", missing_role(allowed)))
}

pub(crate) fn missing_role(allowed: &[String]) -> String {
    let people: Vec<_> =
        allowed.iter().filter(|role| *role != kernel::SYSTEM).map(String::as_str).collect();
    if people.is_empty() {
        "only the system itself does this".to_owned()
    } else {
        format!("this needs the role {}", people.join(" or "))
    }
}

/// When a transition that must come `within` some time of its state is no longer offered.
pub(crate) fn time_limit(
    rules: &Ruleset,
    record: &Record,
    transition: &Transition,
) -> Option<DateTime<Utc>> {
    let span = transition.within?;
    super::change::end_of(rules, transition.calendar.as_deref(), record.entered_at, span)
}

pub(super) fn in_time(
    rules: &Ruleset,
    record: &Record,
    transition: &Transition,
    cause: &Cause,
) -> Result<(), Refusal> {
    // What happened elsewhere happened under that place's rules: history is not refused for its dates.
    if cause.channel == Channel::Import {
        return Ok(());
    }
    match time_limit(rules, record, transition) {
        Some(limit) if cause.when() > limit => {
            let message = format!("`{}` was possible until {limit}", transition.name);
            Err(Refusal::one(Rule::Guard, "", "too_late", message))
        }
        _ => Ok(()),
    }
}

/// The guard, asked of the record as it would be with what was given.
pub(super) fn guard(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    transition: &Transition,
    cause: &Cause,
) -> Result<(), Refusal> {
    let Some(when) = &transition.when else { return Ok(()) };
    let scope =
        rules.scope(cause.when()).actor(&cause.actor).record(record, &definition.field_names);
    let unmet = match when.holds(&scope) {
        Ok(true) => return Ok(()),
        Ok(false) => transition
            .because
            .clone()
            .unwrap_or_else(|| format!("`{}` does not hold", when.source())),
        Err(fault) => fault,
    };
    Err(Refusal::one(Rule::Guard, "", "guard", unmet))
}

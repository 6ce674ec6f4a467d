//! What is taken out of a record for good, when the law or a person asks for it.

use kernel::{ADMINISTRATOR, Cause, Fault, Refusal, Rule};
use serde_json::Value;

use super::{Made, change::Draft, invalid};
use crate::{Definition, Erasure, Fact, FieldDefinition, Record, Ruleset, ledger};

/// What stands in a required text from then on.
const ERASED: &str = "[erased]";
/// A reason may be this long, in bytes.
const REASON_LIMIT: usize = 4_000;

/// Administrators alone erase, in whatever state the record is. What the fields held is not in the fact.
pub(super) fn erase(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    erasure: &Erasure,
    cause: &Cause,
) -> Result<Made, Refusal> {
    if !cause.actor.has_role(ADMINISTRATOR) {
        let message = format!("this needs the role {ADMINISTRATOR}");
        return Err(Refusal::one(Rule::Role, "", "role", message));
    }
    let mut next = record.clone();
    let mut faults = Vec::new();
    let reason = erasure.reason.trim();
    if reason.is_empty() || reason.len() > REASON_LIMIT {
        let message = format!("a reason has 1 to {REASON_LIMIT} bytes");
        faults.push(Fault::new("/reason", "length", message));
    }
    for (position, name) in erasure.fields.iter().enumerate() {
        let fault = |code, message| Fault::new(format!("/fields/{position}"), code, message);
        match definition.field(name) {
            None => faults.push(fault("unknown_field", format!("`{name}` is no field"))),
            Some(_) if ledger::NAMES.contains(&name.as_str()) => {
                let message = format!("`{name}` is kept by the engine for its controls");
                faults.push(fault("kept", message));
            }
            Some(field) if !definition.required.contains(name) => {
                next.data.remove(&field.name);
            }
            Some(field) if takes_any_text(field) => {
                next.data.insert(name.clone(), ERASED.into());
            }
            Some(_) => {
                let message = format!("`{name}` is required and no text: give it another value");
                faults.push(fault("required", message));
            }
        }
    }
    for (position, revision) in erasure.revisions.iter().enumerate() {
        if !(1..=record.revision).contains(revision) {
            let message = format!("{} has no revision {revision}", record.number);
            faults.push(Fault::new(format!("/revisions/{position}"), "unknown_revision", message));
        }
    }
    if erasure.fields.is_empty() && erasure.revisions.is_empty() {
        let message = "nothing is left to erase of it: name fields or revisions";
        faults.push(Fault::new("", "nothing", message));
    }
    invalid(faults)?;
    let mut fact = Fact::blank("erased", cause);
    fact.role = Some(ADMINISTRATOR.to_owned());
    fact.erasure = Some(erasure.clone());
    let draft = Draft { rules, definition, cause, before: Some(record), record: next };
    let mut made = draft.finish(fact, false)?;
    for (old, _) in made.fact.changes.values_mut() {
        *old = Value::Null;
    }
    Ok(made)
}

fn takes_any_text(field: &FieldDefinition) -> bool {
    let says = |word: &str| field.schema.get(word);
    let length = says("maxLength").and_then(Value::as_u64);
    says("type").and_then(Value::as_str) == Some("string")
        && ["enum", "format", "pattern"].into_iter().all(|word| says(word).is_none())
        && field.reference.is_none()
        && length.is_none_or(|length| length >= ERASED.len() as u64)
}

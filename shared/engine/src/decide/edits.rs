//! Whether an amendment changes only what its author may change now.

use kernel::{Cause, Fault, Refusal, Rule};
use serde_json::{Map, Value};

use super::checks::{missing_role, permission};
use crate::{Definition, Record, Ruleset, definition::Edit};

/// The role that the author uses, or every field that they may not change, and why.
pub(super) fn permitted(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    patch: &Map<String, Value>,
    cause: &Cause,
) -> Result<Option<String>, Refusal> {
    let amend = &definition.may.amend;
    let role_of = |allowed: &[String]| {
        permission(rules, definition, record, allowed, &cause.actor, cause.when())
    };
    let ruled = |name: &str| {
        definition.edits.iter().find(|edit| edit.fields.iter().any(|field| field == name))
    };
    let mut role = None;
    let (mut forbidden, mut untimely) = (Vec::new(), Vec::new());
    let ruled_by: Vec<(&str, Option<&Edit>)> =
        patch.keys().map(|name| (name.as_str(), ruled(name))).collect();
    // What no rule names, and a patch of nothing, is for those who may amend.
    if ruled_by.is_empty() || ruled_by.iter().any(|(_, edit)| edit.is_none()) {
        match role_of(amend) {
            Some(own) => role = Some(own),
            None => return Err(Refusal::one(Rule::Role, "", "role", missing_role(amend))),
        }
    }
    for (name, edit) in ruled_by.iter().filter_map(|(name, edit)| Some((name, (*edit)?))) {
        let allowed = edit.by.as_ref().unwrap_or(amend);
        match role_of(allowed) {
            Some(own) => role = role.or(Some(own)),
            None => forbidden.push(Fault::new(
                format!("/{name}"),
                "role",
                format!("`{name}`: {}", missing_role(allowed)),
            )),
        }
        if let Some(within) = &edit.within
            && !within.contains(&record.state)
        {
            let message = format!(
                "`{name}` changes while {} is {}, and it is {}",
                record.number,
                within.join(" or "),
                record.state
            );
            untimely.push(Fault::new(format!("/{name}"), "not_editable", message));
        }
    }
    if !forbidden.is_empty() {
        return Err(Refusal::new(Rule::Role, forbidden));
    }
    if !untimely.is_empty() {
        return Err(Refusal::new(Rule::State, untimely));
    }
    Ok(role)
}

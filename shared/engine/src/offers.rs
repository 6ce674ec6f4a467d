//! What this actor may do now, and why not the rest.

use chrono::{DateTime, Utc};
use kernel::Actor;
use serde::Serialize;

use crate::{
    Definition, Languages, Record, Ruleset, Transition,
    decide::{Poll, Tally, missing_role, permission, time_limit},
};

/// A transition of the record's state that a person may take, or may not and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Offer {
    pub name: String,
    pub label: String,
    /// Evidence that it asks for.
    pub needs: Vec<String>,
    /// How the vote stands, where it is voted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vote: Option<Tally>,
    /// Null when it is open to this actor.
    pub refused_because: Option<String>,
}

/// Why this actor may not open a record of the process; none where they may. A role that only the
/// record itself could grant is not asked for in advance.
#[must_use]
pub fn may_open(definition: &Definition, actor: &Actor) -> Option<String> {
    let allowed = &definition.may.open;
    let is_granted_later =
        |name: &String| definition.roles.iter().any(|role| role.name == *name && role.is.is_some());
    let is_allowed = allowed.iter().any(|role| actor.has_role(role) || is_granted_later(role));
    (!is_allowed).then(|| missing_role(allowed))
}

/// Every transition that people can take from the record's state, called in the actor's language.
#[must_use]
pub fn offers(
    rules: &Ruleset,
    record: &Record,
    actor: &Actor,
    languages: &Languages,
    now: DateTime<Utc>,
) -> Vec<Offer> {
    let Some(definition) = rules.definition_of(record) else { return Vec::new() };
    let mut offers = Vec::new();
    for transition in definition.transitions(&record.state) {
        if !transition.is_for_people() {
            continue;
        }
        let poll = Poll::of(rules, record, transition, actor, now);
        let vote = poll.and_then(|poll| poll.tally().ok());
        let barred = match poll {
            Some(poll) if transition.by.is_empty() => poll.barred(),
            _ => permission(rules, definition, record, &transition.by, actor, now)
                .is_none()
                .then(|| missing_role(&transition.by)),
        };
        let refused_because = barred
            .or_else(|| {
                let limit = time_limit(rules, record, transition).filter(|limit| now > *limit)?;
                Some(format!("it was possible until {limit}"))
            })
            .or_else(|| unmet(rules, definition, record, transition, actor, now));
        offers.push(Offer {
            name: transition.name.clone(),
            label: transition.label.told(languages).to_owned(),
            needs: transition.needs.clone(),
            vote,
            refused_because,
        });
    }
    offers
}

/// Why the guard does not hold. It is asked of the record with what will be given: only one that no
/// field of the command can change is told in advance.
fn unmet(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    transition: &Transition,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Option<String> {
    let when = transition.when.as_ref()?;
    let is_given =
        |field: &String| transition.needs.contains(field) || transition.takes.contains(field);
    if when.names().record_fields.iter().any(is_given) {
        return None;
    }
    let scope = rules.scope(now).actor(actor).record(record, &definition.field_names);
    match when.holds(&scope) {
        Ok(true) => None,
        Ok(false) => {
            let because = transition.because.clone();
            Some(because.unwrap_or_else(|| format!("`{}` does not hold", when.source())))
        }
        Err(fault) => Some(fault),
    }
}

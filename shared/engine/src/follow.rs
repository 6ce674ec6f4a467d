//! What the children of a record do after it.

use serde_json::Map;

use crate::{Command, Fact, Record, Ruleset};

/// A step that every child takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Following {
    /// How the parent calls the link to its children.
    pub tied: String,
    pub command: Command,
}

/// What the children of a record follow with after a fact, the record being as it is after it. Pure.
#[must_use]
pub fn following(rules: &Ruleset, record: &Record, fact: &Fact) -> Option<Following> {
    let definition = rules.definition_of(record)?;
    let children = definition.children.as_ref()?;
    let command = if let Some(name) = &fact.transition {
        let follow = children.follow.iter().find(|follow| follow.after == *name)?;
        let mut with = Map::new();
        for field in &follow.with {
            if let Some(value) = record.data.get(field) {
                with.insert(field.clone(), value.clone());
            }
        }
        Command::Take { transition: follow.take.clone(), with }
    } else {
        Command::Comment { text: fact.comment.clone().filter(|_| children.comments)? }
    };
    if let Some(when) = &children.when {
        let scope = rules.scope(fact.at).record(record, &definition.field_names);
        // A condition that cannot be worked out does not hold: nothing is told that should not be.
        if !when.holds(&scope).unwrap_or(false) {
            return None;
        }
    }
    Some(Following { tied: children.tied.clone(), command })
}

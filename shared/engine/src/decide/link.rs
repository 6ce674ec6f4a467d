//! Ties of a record to others: who may make and end them, and what follows from it.

use kernel::{Cause, Refusal, Rule};

use super::{Made, change::Draft, checks::permitted, is_automatic};
use crate::{Definition, Fact, Link, Linked, Record, Ruleset};

pub(super) fn link(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    relation: &str,
    to: &Linked,
    cause: &Cause,
) -> Result<Made, Refusal> {
    let role = permitted(rules, definition, record, &definition.may.link, true, cause)?;
    let Some(relation) = definition.relation(relation) else {
        let known: Vec<_> =
            definition.relations().iter().map(|relation| relation.name.as_str()).collect();
        let message = format!("`{relation}` is no relation; there is {}", known.join(", "));
        return Err(Refusal::one(Rule::Invalid, "/relation", "unknown_relation", message));
    };
    if to.id == record.id {
        return Err(Refusal::one(Rule::Invalid, "/to", "itself", "a record is not tied to itself"));
    }
    let mut fact = Fact::blank("linked", cause);
    fact.role = role;
    let (name, inverse) = (relation.name.clone(), relation.inverse.clone());
    fact.link = Some(Link { relation: name, inverse, to: to.clone() });
    bound(rules, definition, record, fact, cause)
}

/// What follows from a tie, or from its end: what is derived from links may be something else now.
fn bound(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    mut fact: Fact,
    cause: &Cause,
) -> Result<Made, Refusal> {
    if !definition.derive.iter().any(|(_, expression)| expression.asks_links()) {
        return Ok(fact.into());
    }
    let mut next = record.clone();
    next.links.follow(&fact);
    let mut draft = Draft { rules, definition, cause, before: Some(record), record: next };
    draft.derive(&mut fact)?;
    draft.finish(fact, false)
}

/// Who may tie a record may end its ties, whichever end made them. That there is one is asked by who
/// keeps them.
pub(super) fn unlink(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    link: &Link,
    cause: &Cause,
) -> Result<Made, Refusal> {
    let mut fact = Fact::blank("unlinked", cause);
    fact.role = permitted(rules, definition, record, &definition.may.link, true, cause)?;
    fact.unlink = Some(link.clone());
    bound(rules, definition, record, fact, cause)
}

/// Whether the other end may be tied to this one, and as what, or be tied no more, was decided there.
pub(super) fn answered(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    link: &Link,
    is_tied: bool,
    cause: &Cause,
) -> Result<Made, Refusal> {
    let role = permitted(rules, definition, record, &[], is_automatic(cause), cause)?;
    let link = Some(link.clone());
    let mut fact = if is_tied {
        Fact { link, ..Fact::blank("linked", cause) }
    } else {
        Fact { unlink: link, ..Fact::blank("unlinked", cause) }
    };
    fact.role = role;
    fact.is_answer = true;
    bound(rules, definition, record, fact, cause)
}

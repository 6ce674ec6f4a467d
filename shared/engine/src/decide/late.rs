//! Steps that are recorded after they happened: how long after, by whom, and in what order.

use kernel::{Cause, Channel, Fault, Refusal, Rule};

use super::{
    change::end_of,
    checks::{missing_role, permission},
};
use crate::{Command, Definition, Record, Ruleset};

/// Whether a step may be recorded as having happened when its cause says.
///
/// An import gives all steps in their order. What people record late came after the present state was
/// entered; what happened to the record meanwhile, such as a warning, may be later. A vote is for the
/// record as it is: it comes after everything.
pub(super) fn granted(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    command: &Command,
    cause: &Cause,
) -> Result<(), Refusal> {
    let Some(occurred) = cause.occurred_at else { return Ok(()) };
    if cause.channel == Channel::Api {
        bounded(rules, definition, record, cause)?;
    }
    let is_voted = |name: &String| {
        let mut offered = definition.transitions(&record.state).iter();
        offered.any(|transition| transition.name == *name && transition.vote.is_some())
    };
    let not_before = match command {
        Command::Take { transition, .. }
            if cause.channel == Channel::Api && !is_voted(transition) =>
        {
            record.entered_at
        }
        _ => record.updated_at,
    };
    if occurred < not_before {
        let message = format!(
            "it occurred at {occurred}, before what is recorded of {} already ({not_before})",
            record.number
        );
        return Err(Refusal::one(Rule::Invalid, "/occurred_at", "out_of_order", message));
    }
    Ok(())
}

/// Whether the definition lets this person record it now.
pub(super) fn bounded(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    cause: &Cause,
) -> Result<(), Refusal> {
    let Some(occurred) = cause.occurred_at.filter(|_| cause.channel == Channel::Api) else {
        return Ok(());
    };
    let refuse = |code: &'static str, message: String| {
        Err(Refusal::new(Rule::Invalid, vec![Fault::new("/occurred_at", code, message)]))
    };
    let Some(late) = &definition.late else {
        let title = definition.title.english().to_lowercase();
        return refuse(
            "not_late",
            format!("what happens to a {title} is recorded when it happens"),
        );
    };
    if occurred > cause.at {
        return refuse("future", format!("{occurred} is in the future"));
    }
    let limit = end_of(rules, late.calendar.as_deref(), occurred, late.within);
    if limit.is_none_or(|limit| limit < cause.at) {
        let within = late.within;
        return refuse(
            "too_late",
            format!("it is recorded within {within}, and it was {occurred}"),
        );
    }
    let (actor, now) = (&cause.actor, cause.at);
    if permission(rules, definition, record, &late.by, actor, now).is_none() {
        let message = format!("to record it late {}", missing_role(&late.by));
        return Err(Refusal::one(Rule::Role, "/occurred_at", "role", message));
    }
    Ok(())
}

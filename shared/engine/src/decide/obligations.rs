//! What a step makes of what must be done again and again: begun, discharged, due, or ended.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Cause, Interval, Refusal, Rule, Schedule, Span};
use serde_json::{Map, Value};

use super::change::broken;
use crate::{
    Definition, Expression, Record, Ruleset, Timer,
    definition::{Every, Obligation},
    ledger::{self, DEBTS, Debt, NEXT_DUTY, OBLIGATIONS, Owed},
    record::rfc3339,
};

/// The timer of an obligation is called like this, and the obligation.
const TIMER: &str = "duty:";

/// The obligation that a timer is of, if it is one.
pub(super) fn obligation_of(timer: &str) -> Option<&str> {
    timer.strip_prefix(TIMER)
}

/// Brings the obligations of a record up to the step that is being decided. Gives the timers that the
/// step sets anew.
pub(super) fn kept(
    rules: &Ruleset,
    definition: &Definition,
    (before, next): (&Map<String, Value>, &mut Record),
    transition: Option<&str>,
    cause: &Cause,
) -> Result<Vec<Timer>, Refusal> {
    let present: BTreeMap<String, Owed> = by_name(&next.data);
    let mut owed = Vec::new();
    for obligation in &definition.obligations {
        let known = present.get(&obligation.name);
        let case = Case { rules, definition, obligation, record: next, cause };
        owed.extend(case.owed(known, transition)?);
    }
    let before = by_name(before);
    let is_anew = |owed: &&Owed| before.get(&owed.name).is_none_or(|known| !known.waits_as(owed));
    let anew = owed.iter().filter(is_anew).filter_map(|owed| timer(definition, owed)).collect();
    ledger::write(&mut next.data, OBLIGATIONS, &owed);
    Ok(anew)
}

/// Keeps when the first of all that is owed is due, which lists go by.
pub(super) fn next_duty(data: &mut Map<String, Value>) {
    let owed = ledger::read::<Owed>(data, OBLIGATIONS).into_iter().map(|owed| owed.due_at);
    let debts = ledger::read::<Debt>(data, DEBTS).into_iter().map(|debt| debt.due_at);
    match owed.chain(debts).min() {
        Some(due) => data.insert(NEXT_DUTY.to_owned(), rfc3339(due)),
        None => data.remove(NEXT_DUTY),
    };
}

/// The timers of all obligations that wait for something.
pub(super) fn timers(definition: &Definition, data: &Map<String, Value>) -> Vec<Timer> {
    let owed: Vec<Owed> = ledger::read(data, OBLIGATIONS);
    owed.iter().filter_map(|owed| timer(definition, owed)).collect()
}

/// A reminder is due, or what was to be done is overdue: the event, and the data after it.
pub(super) fn due(
    definition: &Definition,
    record: &Record,
    name: &str,
    now: DateTime<Utc>,
) -> Result<(&'static str, Map<String, Value>), Refusal> {
    let mut data = record.data.clone();
    let mut all: Vec<Owed> = ledger::read(&data, OBLIGATIONS);
    let obligation = definition.obligations.iter().find(|one| one.name == name);
    let owed = all.iter_mut().find(|owed| owed.name == name && !owed.overdue);
    let (Some(obligation), Some(owed)) = (obligation, owed) else {
        let message = format!("{} waits for `{name}` no more", record.number);
        return Err(Refusal::one(Rule::State, "", "kept", message));
    };
    let reminders = passed(&obligation.remind, owed.due_at, now);
    let event = if now >= owed.due_at {
        owed.overdue = true;
        "obligation_overdue"
    } else if reminders > owed.reminders {
        "obligation_reminded"
    } else {
        let message = format!("`{name}` of {} is due at {}", record.number, owed.due_at);
        return Err(Refusal::one(Rule::State, "", "not_due", message));
    };
    // After a pause, one reminder stands for all that were missed.
    owed.reminders = reminders;
    ledger::write(&mut data, OBLIGATIONS, &all);
    Ok((event, data))
}

fn by_name(data: &Map<String, Value>) -> BTreeMap<String, Owed> {
    let owed: Vec<Owed> = ledger::read(data, OBLIGATIONS);
    owed.into_iter().map(|owed| (owed.name.clone(), owed)).collect()
}

/// One obligation of one record, at one step.
struct Case<'a> {
    rules: &'a Ruleset,
    definition: &'a Definition,
    obligation: &'a Obligation,
    record: &'a Record,
    cause: &'a Cause,
}

impl Case<'_> {
    /// What is owed after the step; nothing where the obligation does not hold.
    fn owed(
        &self,
        known: Option<&Owed>,
        transition: Option<&str>,
    ) -> Result<Option<Owed>, Refusal> {
        let now = self.cause.when();
        let (true, Some(every)) = (self.holds(), self.every()?) else { return Ok(None) };
        let from = match &self.obligation.from {
            Some(from) => self.text(from)?,
            None => Some(match known {
                Some(known) => known.from.clone(),
                None => rfc3339(now).as_str().unwrap_or_default().to_owned(),
            }),
        };
        let Some(from) = from else { return Ok(None) };
        let owner = self.obligation.owner.as_ref().map(|owner| self.text(owner)).transpose()?;
        let owner = owner.flatten();
        let every_told = every.to_string();
        let next = |after| {
            let calendar = self.obligation.calendar.as_deref();
            let calendar = calendar.and_then(|name| self.rules.schemes().calendar(name));
            let schedule = Schedule::new(every, &from, calendar).map_err(broken)?;
            schedule.next(after).ok_or_else(|| {
                broken(format!("`{}` every {every} is never due", self.obligation.name))
            })
        };
        let is_done =
            transition.is_some_and(|name| self.obligation.done_by.iter().any(|by| by == name));
        let mut owed = match known {
            None => {
                let due_at = next(now)?;
                let reminders = passed(&self.obligation.remind, due_at, now);
                Owed::first(&self.obligation.name, due_at, reminders)
            }
            // What is missed is due once, whatever time has passed.
            Some(known) if is_done => {
                let is_late = known.overdue || now > known.due_at;
                let due_at = next(now.max(known.due_at))?;
                Owed {
                    due_at,
                    overdue: false,
                    reminders: passed(&self.obligation.remind, due_at, now),
                    done: known.done + 1,
                    late: known.late + u32::from(is_late),
                    done_at: Some(now),
                    done_by: Some(self.cause.actor.id.clone()),
                    ..known.clone()
                }
            }
            // Another plan counts from now on, and pays for nothing that is overdue.
            Some(known) if !known.overdue && (known.every != every_told || known.from != from) => {
                let due_at = next(now)?;
                let reminders = passed(&self.obligation.remind, due_at, now);
                Owed { due_at, reminders, ..known.clone() }
            }
            Some(known) => known.clone(),
        };
        (owed.every, owed.from, owed.owner) = (every_told, from, owner);
        Ok(Some(owed))
    }

    fn holds(&self) -> bool {
        let state = &self.record.state;
        match self.obligation.within.as_slice() {
            [] => !self.definition.is_final(state),
            within => within.contains(state),
        }
    }

    fn every(&self) -> Result<Option<Interval>, Refusal> {
        match &self.obligation.every {
            Every::Fixed(every) => Ok(Some(*every)),
            Every::Computed(expression) => {
                let text = self.text(expression)?;
                text.map(|text| text.parse().map_err(broken)).transpose()
            }
        }
    }

    fn text(&self, expression: &Expression) -> Result<Option<String>, Refusal> {
        let fields = &self.definition.field_names;
        let scope = self.rules.scope(self.cause.when()).actor(&self.cause.actor);
        let value = expression.value(&scope.record(self.record, fields)).map_err(broken)?;
        Ok(value.as_str().filter(|text| !text.is_empty()).map(str::to_owned))
    }
}

/// How many reminders lie behind.
fn passed(remind: &[Span], due: DateTime<Utc>, now: DateTime<Utc>) -> u32 {
    let passed = remind.iter().filter(|span| before(due, span) <= now).count();
    u32::try_from(passed).unwrap_or(u32::MAX)
}

/// The instant so long before another, a day being 24 hours.
fn before(due: DateTime<Utc>, span: &Span) -> DateTime<Utc> {
    due - TimeDelta::seconds(i64::from(span.days) * 86_400 + i64::from(span.seconds))
}

/// What an obligation waits for: its next reminder, or its due date.
fn timer(definition: &Definition, owed: &Owed) -> Option<Timer> {
    let obligation = definition.obligations.iter().find(|one| one.name == owed.name)?;
    if owed.overdue {
        return None;
    }
    let next = obligation.remind.get(owed.reminders as usize);
    let due = next.map_or(owed.due_at, |span| before(owed.due_at, span));
    Some(Timer { transition: format!("{TIMER}{}", owed.name), due })
}

//! What a step makes of votes, debts and controls: kept, paid, void, or refused.

use kernel::{Cause, Refusal, Rule};
use serde_json::{Map, Value};

use super::change::{broken, end_of};
use crate::{
    Definition, Fact, Record, Ruleset, Transition,
    definition::{Control, Never, OPEN},
    ledger::{self, Cast, DEBTS, Debt, Opinion, VOTES},
};

/// The timer of a debt is called like this, and the transition that pays it.
const DEBT_TIMER: &str = "owes:";

/// The transition that a debt's timer waits for, if it is one.
pub(super) fn debt_of(timer: &str) -> Option<&str> {
    timer.strip_prefix(DEBT_TIMER)
}

fn timer_of(debt: &Debt) -> crate::Timer {
    crate::Timer { transition: format!("{DEBT_TIMER}{}", debt.transition), due: debt.due_at }
}

/// Notes that a record was opened, where a control asks by whom.
pub(super) fn opened(definition: &Definition, record: &mut Record, cause: &Cause) {
    if definition.noted.contains(OPEN) && !cause.actor.is_system() {
        ledger::note(&mut record.data, OPEN, &cause.actor.id);
    }
}

/// What a transition does to the ledger, before what is derived from it.
pub(super) fn taken(
    rules: &Ruleset,
    definition: &Definition,
    before: &Record,
    next: &mut Record,
    transition: &Transition,
    cause: &Cause,
) -> Result<(), Refusal> {
    if !definition.has_duties {
        return Ok(());
    }
    let name = transition.name.as_str();
    note_actors(definition, next, transition, cause);
    let mut debts: Vec<Debt> = ledger::read(&next.data, DEBTS);
    debts.retain(|debt| debt.transition != name);
    if let Some(owes) = &transition.owes {
        let since = cause.when();
        let due_at = end_of(rules, owes.calendar.as_deref(), since, owes.within)
            .ok_or_else(|| broken(format!("the time of `{}` never ends", owes.transition)))?;
        debts.push(Debt {
            transition: owes.transition.clone(),
            owed_for: name.to_owned(),
            by: cause.actor.id.clone(),
            since,
            due_at,
            overdue: false,
        });
    }
    ledger::write(&mut next.data, DEBTS, &debts);
    if before.state != next.state {
        // A vote that another transition ended counts no more, nor one of an earlier visit.
        let mut casts: Vec<Cast> = ledger::read(&next.data, VOTES);
        let is_voted_in = |state: &str, cast: &Cast| {
            definition.transitions(state).iter().any(|known| known.name == cast.transition)
        };
        casts.retain(|cast| {
            !is_voted_in(&next.state, cast)
                && (cast.transition == name || !is_voted_in(&before.state, cast))
        });
        ledger::write(&mut next.data, VOTES, &casts);
    }
    if let (Some(debt), true) = (debts.first(), definition.is_final(&next.state)) {
        let message =
            format!("{} still owes `{}`, since {}", next.number, debt.transition, debt.since);
        return Err(Refusal::one(Rule::Guard, "", "owes", message));
    }
    Ok(())
}

fn note_actors(definition: &Definition, next: &mut Record, transition: &Transition, cause: &Cause) {
    let name = transition.name.as_str();
    if !definition.noted.contains(name) {
        return;
    }
    if transition.vote.is_none() || !transition.by.is_empty() {
        ledger::note(&mut next.data, name, &cause.actor.id);
    }
    let casts: Vec<Cast> = ledger::read(&next.data, VOTES);
    for cast in casts.iter().filter(|cast| cast.transition == name) {
        if cast.vote == Opinion::Approve {
            ledger::note(&mut next.data, name, &cast.by);
            cast.instead_of.iter().for_each(|by| ledger::note(&mut next.data, name, by));
        }
    }
}

/// Nobody does both where a control keeps two things apart.
pub(super) fn separate(
    definition: &Definition,
    record: &Record,
    transition: &Transition,
    actor: &str,
) -> Result<(), Refusal> {
    for control in &definition.controls {
        let Never::ByActorOf { transition: one, others } = &control.never else { continue };
        let name = &transition.name;
        let took = |other: &String| ledger::actors(&record.data, other).contains(&actor);
        let both = if name == one {
            others.iter().find(|other| took(other))
        } else {
            others.contains(name).then_some(one).filter(|one| took(one))
        };
        if let Some(other) = both {
            let message = format!("you took `{other}`: {}", told(control));
            return Err(Refusal::one(Rule::Guard, "", "control", message));
        }
    }
    Ok(())
}

/// No state is entered without what must come before it.
pub(super) fn reached(
    rules: &Ruleset,
    definition: &Definition,
    before: Option<&Record>,
    next: &Record,
    cause: &Cause,
) -> Result<(), Refusal> {
    for control in &definition.controls {
        let Never::Reach { state, without, unless } = &control.never else { continue };
        let enters = next.state == *state && before.is_none_or(|before| before.state != *state);
        if !enters || ledger::was_taken(&next.data, without) {
            continue;
        }
        let scope =
            rules.scope(cause.when()).actor(&cause.actor).record(next, &definition.field_names);
        let is_excused = unless.as_ref().map(|unless| unless.holds(&scope));
        if !is_excused.transpose().map_err(broken)?.unwrap_or(false) {
            return Err(Refusal::one(Rule::Guard, "", "control", told(control)));
        }
    }
    Ok(())
}

fn told(control: &Control) -> String {
    format!("{}: {}", control.name, control.claim)
}

/// What a change of data makes of the votes that it touches: void, and where they were reached the
/// record goes back to be voted on again; refused where it has gone too far for that.
///
/// Gives whether the record goes back.
pub(super) fn void(
    definition: &Definition,
    before: &Record,
    next: &mut Record,
) -> Result<bool, Refusal> {
    if !definition.has_duties || !before.data.contains_key(VOTES) {
        return Ok(false);
    }
    let stays = before.state == next.state;
    let mut goes_back = false;
    for (state, transition, vote) in definition.votes() {
        let mut casts: Vec<Cast> = ledger::read(&next.data, VOTES);
        let is_of = |cast: &Cast| cast.transition == transition.name;
        let changed = vote.void_on.iter().find(|field| differs(&before.data, &next.data, field));
        let (Some(changed), true) = (changed, casts.iter().any(is_of)) else { continue };
        // A state that offers the vote itself keeps the record where it is.
        let is_offered =
            definition.transitions(&next.state).iter().any(|one| one.name == transition.name);
        let is_covered = stays && next.state == transition.to && !is_offered;
        if !is_covered && !is_offered && !definition.leads(&next.state, state) {
            let message = format!(
                "`{}` was voted with this `{changed}`: it changes no more while {} is {}",
                transition.name, next.number, before.state
            );
            return Err(Refusal::one(Rule::Guard, format!("/{changed}"), "voted", message));
        }
        casts.retain(|cast| !is_of(cast));
        ledger::write(&mut next.data, VOTES, &casts);
        ledger::forget(&mut next.data, &transition.name);
        if is_covered {
            next.state = state.to_owned();
            goes_back = true;
        }
    }
    Ok(goes_back)
}

fn differs(before: &Map<String, Value>, next: &Map<String, Value>, field: &str) -> bool {
    before.get(field) != next.get(field)
}

/// A debt that is not paid in time is a fact.
pub(super) fn overdue(record: &Record, transition: &str) -> Result<Map<String, Value>, Refusal> {
    let mut data = record.data.clone();
    let mut debts: Vec<Debt> = ledger::read(&data, DEBTS);
    let Some(debt) = debts.iter_mut().find(|debt| debt.transition == transition && !debt.overdue)
    else {
        let message = format!("{} owes `{transition}` no more", record.number);
        return Err(Refusal::one(Rule::State, "", "paid", message));
    };
    debt.overdue = true;
    ledger::write(&mut data, DEBTS, &debts);
    Ok(data)
}

/// The timers of debts that are not overdue yet.
pub(super) fn timers(data: &Map<String, Value>) -> Vec<crate::Timer> {
    let debts: Vec<Debt> = ledger::read(data, DEBTS);
    debts.iter().filter(|debt| !debt.overdue).map(timer_of).collect()
}

/// Whether a fact sends a record back to be voted on.
pub(super) fn sent_back(fact: &mut Fact, before: &Record, next: &Record) {
    fact.event = "voided".to_owned();
    fact.from = Some(before.state.clone());
    fact.to = Some(next.state.clone());
}

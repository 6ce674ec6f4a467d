//! Duties that can be done: debts that can be paid, and separations that leave somebody.

use std::collections::{BTreeMap, BTreeSet};

use cel::common::ast::{Expr, LiteralValue};

use crate::{
    definition::{Children, Control, Never, Obligation, Role, State, Transition, known::Known},
    expression::Kind,
    flaw::Flaws,
};

pub(crate) fn duties(
    roles: &[Role],
    controls: &[Control],
    states: &[State],
    known: &Known,
    flaws: &mut Flaws,
) {
    let by_name: BTreeMap<&str, &State> =
        states.iter().map(|state| (state.name.as_str(), state)).collect();
    for state in states {
        for transition in &state.transitions {
            debt(transition, &by_name, flaws);
            vote(transition, roles, known, flaws);
        }
    }
    for control in controls {
        if let Never::ByActorOf { transition, others } = &control.never {
            apart(control, transition, others, roles, states, flaws);
        }
    }
}

fn debt(transition: &Transition, states: &BTreeMap<&str, &State>, flaws: &mut Flaws) {
    let Some(owes) = &transition.owes else { return };
    if states.get(transition.to.as_str()).is_some_and(|state| state.offers(transition)) {
        let message = format!("`{}` owes, so it leads to another state", transition.name);
        flaws.add(owes.place, "owes", message);
        return;
    }
    let mut waiting = vec![transition.to.as_str()];
    let mut seen: BTreeSet<&str> = waiting.iter().copied().collect();
    while let Some(name) = waiting.pop() {
        for next in states.get(name).iter().flat_map(|state| &state.transitions) {
            if next.name == owes.transition {
                return;
            }
            if seen.insert(&next.to) {
                waiting.push(&next.to);
            }
        }
    }
    let message = format!(
        "`{}` owes `{}`, which nothing offers from `{}` on: the debt is never paid",
        transition.name, owes.transition, transition.to
    );
    flaws.add(owes.place, "owes", message);
}

/// A vote that too few may cast is never decided.
fn vote(transition: &Transition, roles: &[Role], known: &Known, flaws: &mut Flaws) {
    let Some(vote) = &transition.vote else { return };
    if known.states.is_empty() {
        return;
    }
    let excepted = |role: &Role| {
        let is = role.is.as_ref().map(|is| is.source());
        vote.except.iter().any(|except| Some(except.source()) == is)
    };
    let voters: Vec<&Role> =
        vote.of.iter().filter_map(|name| roles.iter().find(|role| role.name == *name)).collect();
    let able = voters.iter().filter(|role| !excepted(role));
    let most = able.map(|role| if is_one_person(role, known) { Some(1) } else { None });
    // One role that any number of persons may have is enough.
    let Some(most) = most.sum::<Option<u64>>().filter(|_| voters.len() == vote.of.len()) else {
        return;
    };
    let wanted = match vote.quorum.tree().map(|tree| &tree.expr) {
        Ok(Expr::Literal(LiteralValue::Int(wanted))) => u64::try_from(*wanted.inner()).unwrap_or(1),
        _ => 1,
    };
    if most < wanted.max(1) {
        let message = format!(
            "nobody can satisfy it: {wanted} must approve `{}`, and at most {most} may vote",
            transition.name
        );
        flaws.add(vote.place, "duties", message);
    }
}

/// Whether a record grants the role to one person at most.
fn is_one_person(role: &Role, known: &Known) -> bool {
    let Some(is) = &role.is else { return false };
    let mut names = is.names().record_fields.iter();
    let field = names.next().and_then(|name| known.fields.iter().find(|field| field.name == *name));
    let is_field = field.is_some_and(|field| is.source() == format!("record.{}", field.name));
    is_field
        && field.is_some_and(|field| matches!(Kind::of_schema(&field.schema).kind, Kind::Text(_)))
}

/// What one person alone may do cannot be kept apart from what only the same person may do.
fn apart(
    control: &Control,
    transition: &str,
    others: &[String],
    roles: &[Role],
    states: &[State],
    flaws: &mut Flaws,
) {
    let alone = |name: &str| -> Option<&str> {
        let mut all = states.iter().flat_map(|state| &state.transitions);
        let taken = all.find(|transition| transition.name == name)?;
        let allowed = taken.vote.as_ref().map_or(&taken.by, |vote| &vote.of);
        let [only] = allowed.as_slice() else { return None };
        let role = roles.iter().find(|role| role.name == *only)?;
        Some(role.is.as_ref()?.source())
    };
    let Some(who) = alone(transition) else { return };
    for other in others.iter().filter(|other| alone(other) == Some(who)) {
        let message = format!(
            "nobody can satisfy it: only `{who}` may take both `{transition}` and `{other}`"
        );
        flaws.add(control.place, "duties", message);
    }
}

/// What no state offers where it is owed is never discharged.
pub(crate) fn obligations(obligations: &[Obligation], states: &[State], flaws: &mut Flaws) {
    for obligation in obligations.iter().filter(|obligation| !obligation.done_by.is_empty()) {
        let is_owed =
            |state: &State| obligation.within.is_empty() || obligation.within.contains(&state.name);
        let mut offered = states.iter().filter(|state| is_owed(state));
        let is_done = |transition: &Transition| obligation.done_by.contains(&transition.name);
        if !offered.any(|state| state.transitions.iter().any(is_done)) {
            let message = format!(
                "`{}` is never discharged: no state in which it is owed offers {}",
                obligation.name,
                obligation.done_by.join(" or ")
            );
            flaws.add(obligation.place, "obligation", message);
        }
    }
}

/// A child follows by itself, so the system must be let.
pub(crate) fn follow(children: Option<&Children>, states: &[State], flaws: &mut Flaws) {
    for follow in children.iter().flat_map(|children| &children.follow) {
        let all = states.iter().flat_map(|state| &state.transitions);
        let mut taken = all.filter(|transition| transition.name == follow.take);
        if taken.any(|transition| !transition.by.iter().any(|role| role == kernel::SYSTEM)) {
            let message = format!(
                "a child takes `{}` by itself after its parent, so its `by` names system",
                follow.take
            );
            flaws.add(follow.place, "follow", message);
        }
    }
}

//! Every state is reached, and is left or is final.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    definition::{Start, State, Transition},
    flaw::Flaws,
};

pub(crate) fn states(starts: &[Start], states: &[State], flaws: &mut Flaws) {
    for state in states {
        one(state, flaws);
    }
    reached(starts, states, flaws);
}

fn one(state: &State, flaws: &mut Flaws) {
    let name = &state.name;
    let transitions = &state.transitions;
    // What only reacts to events may stay: a final state may still listen.
    let is_lived_in =
        |transition: &Transition| transition.is_for_people() || transition.has_timer();
    let is_left = transitions.iter().any(|transition| transition.to != *name);
    if transitions.iter().any(is_lived_in) && !is_left {
        let message = format!(
            "nothing leaves `{name}`: every transition stays. A final state is written `{name}: {{}}`"
        );
        flaws.add(state.place, "dead_end", message);
    }
}

fn reached(starts: &[Start], states: &[State], flaws: &mut Flaws) {
    let by_name: BTreeMap<&str, &State> =
        states.iter().map(|state| (state.name.as_str(), state)).collect();
    let find = |name: &str| by_name.get(name).copied();
    // A name that is wrong makes much unreachable, which would only hide it.
    let mut targets = states.iter().flat_map(|state| &state.transitions);
    let is_wrong = targets.any(|transition| find(&transition.to).is_none())
        || starts.iter().any(|start| find(&start.state).is_none());
    if is_wrong {
        return;
    }
    let mut waiting: Vec<&str> = starts.iter().map(|start| start.state.as_str()).collect();
    let mut reached: BTreeSet<&str> = waiting.iter().copied().collect();
    while let Some(state) = waiting.pop() {
        for transition in find(state).iter().flat_map(|state| &state.transitions) {
            if reached.insert(&transition.to) {
                waiting.push(&transition.to);
            }
        }
    }
    for state in states.iter().filter(|state| !reached.contains(state.name.as_str())) {
        let message = format!("nothing leads to `{}`", state.name);
        flaws.add(state.place, "unreachable", message);
    }
}

//! States and transitions as a Mermaid diagram, which Markdown pages draw.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{Definition, Transition};

/// Records in each state; a state that is not in it shows no number.
pub(super) type Counts = BTreeMap<String, u64>;

impl Definition {
    /// The states and transitions as a Mermaid `stateDiagram-v2`, with the number of records in each
    /// state where it is known.
    #[must_use]
    pub fn mermaid(&self, counts: &Counts) -> String {
        let mut diagram = String::from("stateDiagram-v2\n");
        let ids: BTreeMap<&str, usize> =
            self.states().enumerate().map(|(position, state)| (state, position)).collect();
        // Writing to a text cannot fail.
        for (state, id) in self.states().zip(0..) {
            let _ = writeln!(diagram, "  state \"{}\" as s{id}", shown(state, counts));
        }
        for start in self.start_states() {
            let _ = writeln!(diagram, "  [*] --> s{}", ids[start]);
        }
        for (state, transition) in self.all_transitions() {
            let (from, to) = (ids[state], ids[transition.to.as_str()]);
            let _ = writeln!(diagram, "  s{from} --> s{to}: {}", told(transition));
        }
        for state in self.states().filter(|state| self.is_final(state)) {
            let _ = writeln!(diagram, "  s{} --> [*]", ids[state]);
        }
        diagram
    }
}

/// `approval (3)`
pub(super) fn shown(state: &str, counts: &Counts) -> String {
    let name = state.replace('_', " ");
    match counts.get(state) {
        Some(count) => format!("{name} ({count})"),
        None => name,
    }
}

/// `submit (requester, change_manager)`: by whom, by whose votes, or by itself.
pub(super) fn told(transition: &Transition) -> String {
    let mut by: Vec<&str> =
        transition.by.iter().filter(|role| *role != kernel::SYSTEM).map(String::as_str).collect();
    let votes = transition.vote.as_ref().map(|vote| format!("vote of {}", vote.of.join(", ")));
    by.extend(votes.as_deref());
    by.extend(transition.has_timer().then_some("by time"));
    by.extend((!transition.on.is_empty()).then_some("by event"));
    format!("{} ({})", transition.name, by.join(", "))
}

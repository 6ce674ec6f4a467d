//! States and transitions as a Mermaid diagram, which Markdown pages draw.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{Definition, Languages, Transition};

/// Records in each state; a state that is not in it shows no number.
pub(super) type Counts = BTreeMap<String, u64>;

impl Definition {
    /// The states and transitions as a Mermaid `stateDiagram-v2`, with the number of records in each
    /// state where it is known.
    #[must_use]
    pub fn mermaid(&self, counts: &Counts, languages: &Languages) -> String {
        let mut diagram = String::from("stateDiagram-v2\n");
        let ids: BTreeMap<&str, usize> =
            self.states().enumerate().map(|(position, state)| (state, position)).collect();
        // Writing to a text cannot fail.
        for (state, id) in self.states().zip(0..) {
            let _ =
                writeln!(diagram, "  state \"{}\" as s{id}", self.shown(state, counts, languages));
        }
        for start in self.start_states() {
            let _ = writeln!(diagram, "  [*] --> s{}", ids[start]);
        }
        for (state, transition) in self.all_transitions() {
            let (from, to) = (ids[state], ids[transition.to.as_str()]);
            let _ = writeln!(diagram, "  s{from} --> s{to}: {}", self.told(transition, languages));
        }
        for state in self.states().filter(|state| self.is_final(state)) {
            let _ = writeln!(diagram, "  s{} --> [*]", ids[state]);
        }
        diagram
    }

    /// `Approval (3)`; what would end the text in a diagram is left out.
    pub(super) fn shown(&self, state: &str, counts: &Counts, languages: &Languages) -> String {
        let label = self.state_label(state).map_or(state, |label| label.told(languages));
        let label = plain(label);
        match counts.get(state) {
            Some(count) => format!("{label} ({count})"),
            None => label,
        }
    }

    /// `Submit (requester, change_manager)`: by whom, by whose votes, or by itself.
    pub(super) fn told(&self, transition: &Transition, languages: &Languages) -> String {
        let role = |name: &String| {
            let label = self.role_labels().find(|(role, _)| role == name);
            label.map_or_else(|| name.clone(), |(_, label)| label.told(languages).to_owned())
        };
        let people = transition.by.iter().filter(|role| *role != kernel::SYSTEM);
        let mut by: Vec<String> = people.map(role).collect();
        if let Some(vote) = &transition.vote {
            let voters: Vec<String> = vote.of.iter().map(role).collect();
            by.push(format!("vote of {}", voters.join(", ")));
        }
        by.extend(transition.has_timer().then(|| "by time".to_owned()));
        by.extend((!transition.on.is_empty()).then(|| "by event".to_owned()));
        plain(&format!("{} ({})", transition.label.told(languages), by.join(", ")))
    }
}

fn plain(text: &str) -> String {
    text.replace(['"', '\n', ';'], " ")
}

//! Whether the names of a definition are names of something, and every state can be reached.

use std::collections::BTreeSet;

use super::Definition;
use crate::record::OWN_NAMES;

/// Words that are never the name of a process, a collection, a field or a state.
const RESERVED: [&str; 5] = ["batch", "check", "whatif", "migrate", "versions"];

impl Definition {
    pub(super) fn check(&self, notes: &mut Vec<String>) {
        for (what, name) in [("process", &self.process), ("collection", &self.collection)] {
            let plain = |symbol: char| {
                symbol.is_ascii_lowercase()
                    || symbol.is_ascii_digit()
                    || symbol == '_'
                    || symbol == '-'
            };
            if RESERVED.contains(&name.as_str()) || name.is_empty() || !name.chars().all(plain) {
                notes
                    .push(format!("{what}: `{name}` is reserved or not made of a-z, 0-9, _ and -"));
            }
        }
        for field in &self.field_names {
            if OWN_NAMES.contains(&field.as_str()) {
                notes.push(format!("fields: `{field}` is a name of the record's own"));
            }
        }
        for expression in self.expressions() {
            for field in &expression.names().record_fields {
                if !self.field_names.contains(field) && !OWN_NAMES.contains(&field.as_str()) {
                    notes.push(format!(
                        "`{}` names `record.{field}`, which is no field",
                        expression.source()
                    ));
                }
            }
        }
        self.check_references(notes);
        self.check_states(notes);
    }

    fn check_references(&self, notes: &mut Vec<String>) {
        let set = self.all_transitions().flat_map(|(_, transition)| {
            let on = transition.on.iter().flat_map(|on| on.set.iter());
            transition.set.iter().chain(on).map(|(field, _)| field)
        });
        let opened = self.opens.iter().flat_map(|opens| opens.set.iter().map(|(field, _)| field));
        let derived = self.derive.iter().map(|(field, _)| field);
        for field in set.chain(opened).chain(derived).chain(&self.required) {
            if !self.field_names.contains(field) {
                notes.push(format!("`{field}` is set or required, but is no field"));
            }
        }
        let linked = self
            .all_transitions()
            .flat_map(|(_, transition)| transition.on.iter().filter_map(|on| on.link.as_ref()));
        let opened = self.opens.iter().flat_map(|opens| opens.link.iter().chain(&opens.succeeds));
        for relation in linked.chain(opened) {
            if self.relation(relation).is_none() {
                notes.push(format!("`{relation}` is used as a link, but `links` does not name it"));
            }
        }
        let may = [&self.may.open, &self.may.amend, &self.may.comment, &self.may.link];
        let by = self.all_transitions().flat_map(|(_, transition)| &transition.by);
        for role in by.chain(may.into_iter().flatten()) {
            if role != kernel::SYSTEM && !self.roles.iter().any(|known| known.name == *role) {
                notes.push(format!("`{role}` may do something, but `roles` does not name it"));
            }
        }
    }

    fn check_states(&self, notes: &mut Vec<String>) {
        let known = |name: &str| self.states.iter().any(|state| state.name == name);
        for (start, _) in self.starts.iter().filter(|(start, _)| !known(start)) {
            notes.push(format!("starts: `{start}` is no state"));
        }
        for (from, transition) in self.all_transitions() {
            if !known(&transition.to) {
                let name = &transition.name;
                notes.push(format!("states.{from}.{name}: `{}` is no state", transition.to));
            }
        }
        for state in self.states() {
            let transitions = self.transitions(state);
            let (after, at): (Vec<_>, Vec<_>) = transitions
                .iter()
                .filter(|transition| transition.has_timer())
                .partition(|transition| transition.after.is_some());
            if let (Some(after), Some(at)) = (after.first(), at.first()) {
                // Setting one anew whenever the record changes would bring the other back.
                notes.push(format!(
                    "states.{state}: `{}` comes `after` some time and `{}` `at` an instant: a state has one kind",
                    after.name, at.name
                ));
            }
        }
        // A name that is wrong makes much unreachable, which would only hide it.
        if self.all_transitions().any(|(_, transition)| !known(&transition.to)) {
            return;
        }
        let mut reached: BTreeSet<&str> =
            self.starts.iter().map(|(start, _)| start.as_str()).collect();
        loop {
            let next: Vec<&str> = reached
                .iter()
                .flat_map(|state| self.transitions(state))
                .map(|transition| transition.to.as_str())
                .filter(|to| !reached.contains(to))
                .collect();
            if next.is_empty() {
                break;
            }
            reached.extend(next);
        }
        for state in self.states().filter(|state| !reached.contains(state)) {
            notes.push(format!("states: nothing leads to `{state}`"));
        }
    }
}

//! Whoever reads German reads it everywhere: each name of a definition that ships is said in it.

use engine::{Choices, Definition, Label};

use crate::shipped::all;

const LANGUAGE: &str = "de";
/// What the engine keeps in a record by itself; the console shows it in words of its own.
const LEDGER: [&str; 6] = ["acted", "debts", "next_duty", "obligations", "tasks", "votes"];

#[test]
fn every_name_of_a_definition_is_said_in_german() {
    let mut unsaid = Vec::new();
    for (file, _, definition) in &all() {
        for (name, label) in names(definition) {
            if !label.languages().any(|language| language == LANGUAGE) {
                unsaid.push(format!("{file}: {name}"));
            }
        }
    }
    assert!(unsaid.is_empty(), "{} names are not said:\n{}", unsaid.len(), unsaid.join("\n"));
}

fn names(definition: &Definition) -> Vec<(String, &Label)> {
    let mut names = vec![("its title".to_owned(), &definition.title)];
    let said = definition.fields().iter().filter(|field| !LEDGER.contains(&field.name.as_str()));
    names.extend(said.clone().map(|field| (format!("field {}", field.name), &field.label)));
    let parts = said.clone().flat_map(|field| &field.parts);
    names.extend(parts.map(|part| (format!("part {}", part.of), &part.label)));
    for Choices { of, all } in said.flat_map(|field| &field.choices) {
        names.extend(all.iter().map(|one| (format!("value {} of {of}", one.value), &one.label)));
    }
    for tie in definition.relations() {
        names.push((format!("link {}", tie.name), &tie.label));
        names.push((format!("link {}", tie.inverse), &tie.inverse_label));
    }
    names.extend(definition.role_labels().map(|(role, label)| (format!("role {role}"), label)));
    names.extend(
        definition
            .states()
            .filter_map(|state| Some((format!("state {state}"), definition.state_label(state)?))),
    );
    names.extend(definition.all_transitions().map(|(state, transition)| {
        (format!("transition {} in {state}", transition.name), &transition.label)
    }));
    names
}

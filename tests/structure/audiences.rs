//! Who sees what, and for how long: what every definition that ships holds to.

use std::collections::BTreeMap;

use engine::Definition;

use crate::shipped::all;

/// What fields are called that hold how a person is named or reached. References to persons are numbers.
const OF_PERSONS: [&str; 6] = ["address", "contacts", "email", "login", "mobile", "phone"];

/// The lines of `audience:`, up to the next word of the format.
fn audience(text: &str) -> &str {
    let from = text.find("\naudience:").map_or(text.len(), |place| place + 1);
    let is_next = |(place, _): &(usize, &str)| text[place + 1..].starts_with(char::is_alphabetic);
    let to = text[from..].match_indices('\n').map(|(place, found)| (from + place, found));
    to.clone().find(is_next).map_or(&text[from..], |(place, _)| &text[from..place])
}

#[test]
fn who_answers_for_a_process_sees_what_its_work_comes_from_and_goes_to() {
    let all = all();
    let known: BTreeMap<&str, (&str, &Definition)> =
        all.iter().map(|(_, text, one)| (one.process.as_str(), (*text, one))).collect();
    let mut blind = Vec::new();
    for (_, text, definition) in &all {
        for event in definition.hears() {
            let other = event.split('.').next().unwrap_or_default();
            let Some((other_text, other)) = known.get(other) else { continue };
            let ends = [(definition, *other, *other_text), (*other, definition, *text)];
            for (one, seen, text) in ends {
                let Some(role) = one.accountable_role() else { continue };
                if one.process != seen.process && !audience(text).contains(role) {
                    blind.push(format!("{role} does not see {} ({event})", seen.process));
                }
            }
        }
    }
    blind.sort_unstable();
    blind.dedup();
    assert!(blind.is_empty(), "{}", blind.join("\n"));
}

#[test]
fn every_process_says_how_long_its_records_are_kept() {
    let all = all();
    let silent = all.iter().filter(|(_, _, definition)| definition.retain.is_none());
    let silent: Vec<&str> = silent.map(|(file, ..)| *file).collect();
    assert!(silent.is_empty(), "without `retain`: {silent:?}");
}

#[test]
fn how_a_person_is_named_or_reached_is_personal() {
    let mut open = Vec::new();
    for (file, _, definition) in &all() {
        for field in definition.fields() {
            let is_name = definition.process == "person" && field.name == "name";
            let is_mail = field.schema["format"] == "email";
            let is_of_persons = is_name || is_mail || OF_PERSONS.contains(&field.name.as_str());
            if is_of_persons && !field.personal {
                open.push(format!("{file}: {}", field.name));
            }
        }
    }
    assert!(open.is_empty(), "not marked `personal`: {open:?}");
}

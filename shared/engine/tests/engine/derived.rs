//! What is worked out from a definition: its picture, its matrix, its page, and the format's schema.

use std::collections::BTreeMap;

use engine::{Definition, FORMAT_SCHEMA, Languages};
use serde_json::Value;

use crate::{TICKET, change::CHANGE};

fn change() -> Definition {
    Definition::parse(CHANGE, 1).unwrap_or_else(|flaws| panic!("{flaws:#?}"))
}

fn show(name: &str, text: &str) {
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(format!("derived_{name}"), text);
    });
}

#[test]
fn a_page_tells_the_process_with_its_diagram_and_matrix() {
    show("page", &change().page(&Languages::default()));
}

#[test]
fn a_picture_has_every_state_with_its_records_and_every_transition() {
    let definition = change();
    let counts = BTreeMap::from([("approval".to_owned(), 3), ("closed".to_owned(), 0)]);
    let svg = definition.svg(&counts, &Languages::default());
    show("picture", &svg);
    assert!(
        svg.contains(">Approval (3)<") && svg.contains(">Closed (0)<") && svg.contains(">Draft<")
    );
    for (_, transition) in definition.all_transitions() {
        assert!(svg.contains(&format!(">{} (", transition.label)), "{}", transition.name);
    }
    // What a title says is text and no markup.
    let text = TICKET.replace("number: TCK", "number: TCK\ntitle: '<b>&</b>'");
    let ticket = Definition::parse(&text, 1).unwrap_or_else(|flaws| panic!("{flaws:#?}"));
    assert!(
        ticket
            .svg(&BTreeMap::new(), &Languages::default())
            .contains("<title>&lt;b&gt;&amp;&lt;/b&gt;</title>")
    );
}

#[test]
fn who_is_shown_a_record_by_an_expression_is_informed_of_it() {
    let audience = "{ role: \"record.weight > 5 ? 'boss' : 'clerk'\" }, { person: record.asker }";
    let nobody = "may: { open: [], amend: [], comment: [], link: [] }";
    let text = TICKET
        .replace("'role:agent', { person: record.asker }", audience)
        .replace("roles:", &format!("{nobody}\nroles:\n  boss: {{}}\n  guest: {{}}"));
    let ticket = Definition::parse(&text, 1).unwrap_or_else(|flaws| panic!("{flaws:#?}"));
    let raci = ticket.raci();
    let letters = |role: &str| raci.rows[0].roles.get(role).map(String::as_str);
    assert_eq!(letters("boss"), Some("I"));
    assert_eq!(letters("asker"), Some("I"));
    assert_eq!(letters("guest"), None);
}

#[test]
fn the_schema_of_the_format_agrees_with_its_reader() {
    let schema: Value = serde_json::from_str(FORMAT_SCHEMA).unwrap_or_default();
    let validator = jsonschema::validator_for(&schema).unwrap_or_else(|fault| panic!("{fault}"));
    let told = |text: &str| -> Vec<String> {
        let json: Value = engine::yaml_as_json(text).unwrap_or_else(|flaws| panic!("{flaws:#?}"));
        validator.iter_errors(&json).map(|fault| fault.to_string()).collect()
    };
    for text in [TICKET, CHANGE] {
        assert_eq!(told(text), Vec::<String>::new());
    }
    for (right, wrong) in [
        ("starts: draft", "starts: draft\nbegins: draft"),
        ("quorum: \"2\"", "quorum: \"2\", quota: 2"),
        ("claim: nobody", "claims: nobody"),
        ("number: CHG ", "numbers: CHG "),
        ("collection: changes", "collection: batch"),
    ] {
        let text = CHANGE.replace(right, wrong);
        assert_ne!(text, CHANGE);
        assert!(!told(&text).is_empty() && Definition::parse(&text, 1).is_err(), "{wrong}");
    }
}

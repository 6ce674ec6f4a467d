//! The release service's definitions load with its schemes and its code.

use engine::{Definition, Ruleset, Schemes};

#[test]
fn every_definition_is_sound_and_has_what_it_asks_for() {
    let definitions = release::DEFINITIONS.map(|(file, text)| {
        Definition::parse(text, 1).unwrap_or_else(|faults| panic!("{file}: {faults:#?}"))
    });
    let schemes = Schemes::parse_all(&release::SCHEMES).unwrap_or_else(|no| panic!("{no:#?}"));
    let rules = Ruleset::calculating(definitions.into(), schemes, release::CALCULATIONS.into());
    assert!(rules.is_ok(), "{rules:#?}");
}

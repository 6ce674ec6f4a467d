//! What is wrong with files that somebody is about to publish, told before they do.

use std::collections::BTreeMap;

use engine::{Calculations, Definition, Flaw, Ruleset, Scheme, Schemes};

use super::Service;

/// A file that a person wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub place: String,
    pub text: String,
}

/// The flaws of each file, in their order, checked against what the services ship and against each
/// other: a scheme among the files stands for the shipped one of its name.
#[must_use]
pub fn check(services: &[Service], drafts: &[Draft]) -> Vec<Vec<Flaw>> {
    let mut schemes = BTreeMap::new();
    let mut calculations = Calculations::new();
    for service in services {
        let shipped = service.schemes.iter().filter_map(|(_, text)| Scheme::parse(text, 1).ok());
        schemes.extend(shipped.map(|scheme| (scheme.name.clone(), scheme)));
        calculations.extend(&service.calculations);
    }
    let mut definitions = Vec::new();
    let mut flaws = Vec::new();
    for (position, draft) in drafts.iter().enumerate() {
        flaws.push(Vec::new());
        if Scheme::is_written_in(&draft.text) {
            match Scheme::parse(&draft.text, 1) {
                Ok(scheme) => drop(schemes.insert(scheme.name.clone(), scheme)),
                Err(found) => flaws[position] = found,
            }
        } else {
            match Definition::parse(&draft.text, 1) {
                Ok(definition) => definitions.push((position, definition)),
                Err(found) => flaws[position] = found,
            }
        }
    }
    let schemes = Schemes::new(schemes.into_values().collect());
    // Without definitions there is nothing to be at fault.
    if let Ok(rules) = Ruleset::calculating(Vec::new(), schemes, calculations) {
        for (position, definition) in definitions {
            flaws[position] = rules.unmet(&definition);
        }
    }
    flaws
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICKET: &str = "
process: ticket
collection: tickets
number: TCK
roles: { clerk: {} }
fields:
  properties:
    weight: { type: string }
    due:    { type: integer, readOnly: true }
derive:
  due: matrix('weights', record.weight, record.weight)
starts: open
states:
  open:
    shut: { to: gone, by: [clerk], after: P2D, calendar: working }
  gone: {}
";
    const WORKING: &str = "
scheme: working
kind: calendar
calendar: { zone: Europe/Berlin, week: { mon: ['08:00-18:00'] } }
";
    const WEIGHTS: &str = "scheme: weights\nkind: matrix\ninputs: [a, b]\ntable: { x: { y: 1 } }\n";

    fn told(services: &[Service], texts: &[&str]) -> Vec<String> {
        let draft = |text: &&str| Draft { place: "a.yaml".to_owned(), text: (*text).to_owned() };
        let drafts: Vec<_> = texts.iter().map(draft).collect();
        let flaws = check(services, &drafts).into_iter().flatten();
        flaws.map(|flaw| flaw.to_string()).collect()
    }

    #[test]
    fn files_are_checked_against_what_ships_and_against_each_other() {
        let post = || Service::named("post").schemes([("working.v1.yaml", WORKING)]);
        assert_eq!(
            told(&[], &[TICKET]),
            ["11:8: there is no scheme `weights`", "15:5: there is no calendar `working`"]
        );
        assert_eq!(
            told(&[post()], &[TICKET]),
            ["11:8: there is no scheme `weights`; there is working"]
        );
        assert_eq!(told(&[post()], &[TICKET, WEIGHTS]), Vec::<String>::new());
        assert_eq!(told(&[post()], &[WEIGHTS, "scheme: x\nkind: bush\n"]).len(), 1);
    }
}

//! From what is written to what can be decided by, every fault noted on the way.

use sha2::{Digest, Sha256};

use super::{
    Audience, Definition, Field, May, Opens, Relation, Role, State, Transition,
    fields::{compile, object_schema},
    source::{
        self, AudienceSource, DefinitionSource, MaySource, OpensSource, Ordered, RoleSource,
        StartsSource,
    },
    spoken,
    transition::expressions,
};
use crate::Expression;

pub(super) fn build(
    source: DefinitionSource,
    text: &str,
    version: u32,
    notes: &mut Vec<String>,
) -> Option<Definition> {
    // A field that is at fault itself is still known to those who name it.
    let field_names = source.fields.properties.0.iter().map(|(name, _)| name.clone()).collect();
    let mut fields = Vec::new();
    for (name, schema) in &source.fields.properties.0 {
        match Field::parse(name, schema) {
            Ok(field) => fields.push(field),
            Err(fault) => notes.push(fault),
        }
    }
    let states = states(source.states, &fields, notes);
    let roles = roles(source.roles, notes);
    let may = may(source.may, &roles);
    let derive = expressions(source.derive.0, &mut |fault| notes.push(format!("derive: {fault}")));
    let audience = source.audience.into_iter().flat_map(|item| audience(item, notes)).collect();
    let opens = source.opens.into_iter().filter_map(|opens| self::opens(opens, notes)).collect();
    let writable = || fields.iter().filter(|field| !field.read_only);
    let required: Vec<String> = writable()
        .filter(|field| source.fields.required.contains(&field.name))
        .map(|field| field.name.clone())
        .collect();
    let open_validator = compile(&object_schema(writable(), &required, false));
    let amend_validator = compile(&object_schema(writable(), &[], false));
    let title = source.title.as_ref().and_then(|title| title.english()).map(str::to_owned);
    let relations = source.links.0.into_iter();
    Some(Definition {
        title: title.unwrap_or_else(|| spoken(&source.process)),
        process: source.process,
        collection: source.collection,
        prefix: source.number,
        version,
        digest: hex::encode(Sha256::digest(text)),
        clauses: source.clauses,
        roles,
        field_names,
        required: source.fields.required,
        derive,
        audience,
        may,
        relations: relations.map(|(name, inverse)| Relation { name, inverse }).collect(),
        starts: starts(source.starts, notes),
        opens,
        states,
        open_validator: open_validator.map_err(|fault| notes.push(fault)).ok()?,
        amend_validator: amend_validator.map_err(|fault| notes.push(fault)).ok()?,
        fields,
    })
}

/// States in the order of their first mention; `new, assigned:` gives its transitions to each.
fn states(
    source: Ordered<Ordered<source::TransitionSource>>,
    fields: &[Field],
    notes: &mut Vec<String>,
) -> Vec<State> {
    let mut states: Vec<State> = Vec::new();
    for (keys, transitions) in source.0 {
        let names: Vec<&str> = keys.split(',').map(str::trim).collect();
        for name in &names {
            if !states.iter().any(|state| state.name == **name) {
                states.push(State { name: (*name).to_owned(), transitions: Vec::new() });
            }
        }
        for (name, transition) in transitions.0 {
            for state in &names {
                let parsed = Transition::parse(state, &name, transition.clone(), fields, notes);
                let known = states.iter_mut().find(|known| known.name == **state);
                let (Some(parsed), Some(state)) = (parsed, known) else { continue };
                if state.transitions.iter().any(|known| known.name == name) {
                    notes.push(format!("states.{}: `{name}` stands twice", state.name));
                }
                state.transitions.push(parsed);
            }
        }
    }
    states
}

fn starts(source: StartsSource, notes: &mut Vec<String>) -> Vec<(String, Option<Expression>)> {
    match source {
        StartsSource::Always(state) => vec![(state, None)],
        StartsSource::First(states) => {
            let told = &mut |fault| notes.push(format!("starts: {fault}"));
            let parsed = expressions(states.0, told).into_iter();
            parsed.map(|(state, condition)| (state, Some(condition))).collect()
        }
    }
}

fn roles(source: Ordered<Option<RoleSource>>, notes: &mut Vec<String>) -> Vec<Role> {
    let mut roles = Vec::new();
    for (name, role) in source.0 {
        let role = role.unwrap_or_default();
        let is = match role.is {
            Some(text) => match Expression::parse(&text) {
                Ok(expression) => Some(expression),
                Err(fault) => {
                    notes.push(format!("roles.{name}: {fault}"));
                    continue;
                }
            },
            None => None,
        };
        roles.push(Role { name, accountable: role.accountable, is });
    }
    roles
}

fn may(source: MaySource, roles: &[Role]) -> May {
    let all = || roles.iter().map(|role| role.name.clone()).collect::<Vec<_>>();
    May {
        open: source.open.unwrap_or_else(all),
        amend: source.amend.unwrap_or_else(all),
        comment: source.comment.unwrap_or_else(all),
        link: source.link.unwrap_or_else(all),
    }
}

fn audience(source: AudienceSource, notes: &mut Vec<String>) -> Vec<Audience> {
    match source {
        AudienceSource::Token(token) => vec![Audience::Token(token)],
        AudienceSource::Of(kinds) => {
            let told = &mut |fault| notes.push(format!("audience: {fault}"));
            let parsed = expressions(kinds.into_iter().collect(), told).into_iter();
            parsed.map(|(kind, value)| Audience::Of { kind, value: Box::new(value) }).collect()
        }
    }
}

fn opens(source: OpensSource, notes: &mut Vec<String>) -> Option<Opens> {
    let place = format!("opens on {}", source.on);
    let mut parse = |text: Option<String>| match text.map(|text| Expression::parse(&text)) {
        None => Some(None),
        Some(Ok(expression)) => Some(Some(expression)),
        Some(Err(fault)) => {
            notes.push(format!("{place}: {fault}"));
            None
        }
    };
    let (key, when) = (parse(Some(source.key))?, parse(source.when)?);
    let holds_while = parse(source.holds_while)?;
    let set = expressions(source.set.0, &mut |fault| notes.push(format!("{place}: {fault}")));
    let (link, succeeds) = (source.link, source.succeeds);
    Some(Opens { on: source.on, key: key?, set, when, link, holds_while, succeeds })
}

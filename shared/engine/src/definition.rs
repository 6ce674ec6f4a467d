//! A process, parsed from YAML into something that cannot be unsound.

mod fields;
mod source;
mod transition;

use std::collections::BTreeSet;

use jsonschema::Validator;
use kernel::Fault;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

pub(crate) use transition::{After, On};
pub use {
    fields::{Field, IndexKind},
    transition::Transition,
};

use self::{
    fields::{compile, faults, object_schema},
    source::{
        AudienceSource, DefinitionSource, MaySource, OpensSource, Ordered, RoleSource, StartsSource,
    },
    transition::expressions,
};
use crate::{Expression, record::OWN_NAMES};

/// One version of a process definition.
#[derive(Debug)]
pub struct Definition {
    pub process: String,
    /// The name of the list of its records in URLs.
    pub collection: String,
    /// `INC`
    pub prefix: String,
    /// Numbered by the server; records keep the version that they were born with.
    pub version: u32,
    /// SHA-256 of the text, hexadecimal: what makes two versions the same.
    pub digest: String,
    pub title: String,
    pub clauses: Vec<String>,
    pub(crate) roles: Vec<Role>,
    pub(crate) fields: Vec<Field>,
    pub(crate) field_names: Vec<String>,
    pub(crate) required: Vec<String>,
    pub(crate) derive: Vec<(String, Expression)>,
    pub(crate) audience: Vec<Audience>,
    pub(crate) may: May,
    relations: Vec<Relation>,
    /// Where a record starts: the first state whose condition holds, else the first named.
    pub(crate) starts: Vec<(String, Option<Expression>)>,
    pub(crate) opens: Vec<Opens>,
    states: Vec<State>,
    open_validator: Validator,
    amend_validator: Validator,
}

#[derive(Debug)]
pub(crate) struct Role {
    pub name: String,
    pub accountable: bool,
    pub is: Option<Expression>,
}

#[derive(Debug)]
pub(crate) enum Audience {
    Token(String),
    Of { kind: String, value: Box<Expression> },
}

#[derive(Debug)]
pub(crate) struct May {
    pub open: Vec<String>,
    pub amend: Vec<String>,
    pub comment: Vec<String>,
    pub link: Vec<String>,
}

/// A kind of link, and how the other end calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    pub name: String,
    pub inverse: String,
}

/// An event that opens a record, once per key.
#[derive(Debug)]
pub(crate) struct Opens {
    pub on: String,
    pub key: Expression,
    pub set: Vec<(String, Expression)>,
    pub when: Option<Expression>,
    pub link: Option<String>,
    pub holds_while: Option<Expression>,
    pub succeeds: Option<String>,
}

#[derive(Debug)]
struct State {
    name: String,
    transitions: Vec<Transition>,
}

/// Words that are never the name of a process, a collection, a field or a state.
const RESERVED: [&str; 5] = ["batch", "check", "whatif", "migrate", "versions"];
impl Definition {
    /// Reads a definition file as version `version`.
    ///
    /// # Errors
    /// Every fault found, each a sentence with its place.
    pub fn parse(text: &str, version: u32) -> Result<Self, Vec<String>> {
        let source: DefinitionSource =
            serde_saphyr::from_str(text).map_err(|fault| vec![fault.to_string()])?;
        let mut notes = Vec::new();
        let definition = build(source, text, version, &mut notes);
        match definition {
            Some(definition) => {
                definition.check(&mut notes);
                if notes.is_empty() { Ok(definition) } else { Err(notes) }
            }
            None => Err(notes),
        }
    }

    /// `INC0000042`
    #[must_use]
    pub fn number(&self, count: u64) -> String {
        format!("{}{count:07}", self.prefix)
    }

    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The fields that lists may filter and sort by.
    #[must_use]
    pub fn indexes(&self) -> Vec<(String, IndexKind)> {
        let indexed = |field: &Field| Some((field.name.clone(), field.index?));
        self.fields.iter().filter_map(indexed).collect()
    }

    /// The names of the roles that it speaks of, those that the record itself grants left out.
    #[must_use]
    pub fn role_names(&self) -> Vec<String> {
        let standing = self.roles.iter().filter(|role| role.is.is_none());
        standing.map(|role| role.name.clone()).collect()
    }

    /// The role that answers for the process.
    #[must_use]
    pub fn accountable_role(&self) -> Option<&str> {
        self.roles.iter().find(|role| role.accountable).map(|role| role.name.as_str())
    }

    pub fn states(&self) -> impl Iterator<Item = &str> {
        self.states.iter().map(|state| state.name.as_str())
    }

    /// The transitions that a state offers, in the order of the file.
    #[must_use]
    pub fn transitions(&self, state: &str) -> &[Transition] {
        self.states
            .iter()
            .find(|known| known.name == state)
            .map_or(&[], |state| state.transitions.as_slice())
    }

    /// Every transition with the state that it leaves.
    pub fn all_transitions(&self) -> impl Iterator<Item = (&str, &Transition)> {
        self.states.iter().flat_map(|state| {
            state.transitions.iter().map(|transition| (state.name.as_str(), transition))
        })
    }

    /// The states in which a record may start.
    pub fn start_states(&self) -> impl Iterator<Item = &str> {
        self.starts.iter().map(|(state, _)| state.as_str())
    }

    /// Whether nothing leaves the state.
    #[must_use]
    pub fn is_final(&self, state: &str) -> bool {
        self.transitions(state).iter().all(|transition| transition.to == state)
    }

    #[must_use]
    pub fn relations(&self) -> &[Relation] {
        &self.relations
    }

    #[must_use]
    pub fn relation(&self, name: &str) -> Option<&Relation> {
        self.relations.iter().find(|relation| relation.name == name)
    }

    /// JSON Schema of the body that opens a record.
    #[must_use]
    pub fn open_schema(&self) -> Value {
        object_schema(self.writable(), &self.given_at_opening(), false)
    }

    /// JSON Schema of the merge patch that amends one.
    #[must_use]
    pub fn amend_schema(&self) -> Value {
        object_schema(self.writable(), &self.required, true)
    }

    /// JSON Schema of a record's data.
    #[must_use]
    pub fn data_schema(&self) -> Value {
        let mut schema = object_schema(self.fields.iter(), &[], false);
        schema["required"] = serde_json::json!(self.required);
        schema
    }

    /// Required fields that people give; the others are filled by what opens the record.
    fn given_at_opening(&self) -> Vec<String> {
        let given = self.writable().filter(|field| self.required.contains(&field.name));
        given.map(|field| field.name.clone()).collect()
    }

    fn writable(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !field.read_only)
    }

    pub(crate) fn open_faults(&self, data: &Map<String, Value>) -> Vec<Fault> {
        faults(&self.open_validator, &Value::Object(data.clone()))
    }

    pub(crate) fn amend_faults(&self, patch: &Map<String, Value>) -> Vec<Fault> {
        faults(&self.amend_validator, &Value::Object(patch.clone()))
    }

    /// The events of other processes that this one reacts to.
    pub fn hears(&self) -> BTreeSet<&str> {
        let opens = self.opens.iter().map(|opens| opens.on.as_str());
        let takes = self
            .all_transitions()
            .flat_map(|(_, transition)| transition.on.iter().map(|on| on.event.as_str()));
        opens.chain(takes).collect()
    }

    /// The calendars that its timers and time limits count in.
    pub fn calendars(&self) -> BTreeSet<&str> {
        self.all_transitions()
            .filter_map(|(_, transition)| transition.calendar.as_deref())
            .collect()
    }

    /// The schemes that its expressions ask by name.
    pub fn schemes(&self) -> BTreeSet<&str> {
        self.expressions()
            .flat_map(|expression| expression.names().schemes.iter().map(String::as_str))
            .collect()
    }

    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let roles = self.roles.iter().filter_map(|role| role.is.as_ref());
        let derive = self.derive.iter().map(|(_, expression)| expression);
        let audience = self.audience.iter().filter_map(|audience| match audience {
            Audience::Of { value, .. } => Some(value.as_ref()),
            Audience::Token(_) => None,
        });
        let opens = self.opens.iter().flat_map(|opens| {
            opens
                .when
                .iter()
                .chain([&opens.key])
                .chain(&opens.holds_while)
                .chain(opens.set.iter().map(|(_, expression)| expression))
        });
        let transitions = self
            .states
            .iter()
            .flat_map(|state| &state.transitions)
            .flat_map(Transition::expressions);
        let starts = self.starts.iter().filter_map(|(_, condition)| condition.as_ref());
        roles.chain(starts).chain(derive).chain(audience).chain(opens).chain(transitions)
    }

    fn check(&self, notes: &mut Vec<String>) {
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

fn build(
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

/// `in_progress` as people say it: `In progress`.
fn spoken(name: &str) -> String {
    let mut spoken = name.replace('_', " ");
    if let Some(first) = spoken.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    spoken
}

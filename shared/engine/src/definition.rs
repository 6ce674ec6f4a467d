//! A process, parsed from YAML into something that cannot be unsound.

mod build;
mod check;
mod children;
mod choice;
mod duty;
mod edit;
mod fields;
mod known;
mod label;
mod late;
mod mentions;
mod notify;
mod obligation;
mod part;
mod tasks;
mod tense;
mod transition;

use std::collections::BTreeSet;

use kernel::{Fault, Span};
use serde_json::{Map, Value};

pub(crate) use {
    children::Children,
    duty::{Control, Never, OPEN, Vote},
    edit::Edit,
    mentions::Expressions,
    notify::Notify,
    obligation::{Every, Obligation},
    tasks::Tasks,
    transition::{After, On},
};
pub use {
    choice::{Choice, Choices},
    fields::{Field, IndexKind},
    label::{Label, Languages},
    late::Late,
    part::Part,
    transition::{Line, Transition},
};

use self::fields::{Fitting, faults_of, object_schema};
use crate::{Expression, Flaw, flaw::Flaws, yaml::Mark};

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
    pub title: Label,
    /// How long a record is kept after its end. Nothing disposes of it yet.
    pub retain: Option<Span>,
    /// Whether steps may be recorded after they happened.
    pub late: Option<Late>,
    pub clauses: Vec<String>,
    /// What is wrong with it, where one that was published before has faults now: its records can be
    /// read, and nothing can be done with them.
    pub faults: Vec<Flaw>,
    pub(crate) roles: Vec<Role>,
    pub(crate) fields: Vec<Field>,
    pub(crate) field_names: Vec<String>,
    pub(crate) required: Vec<String>,
    pub(crate) derive: Vec<(String, Expression)>,
    pub(crate) audience: Vec<Audience>,
    pub(crate) may: May,
    relations: Vec<Relation>,
    /// Where a record starts: the first state whose condition holds, else the first named.
    pub(crate) starts: Vec<Start>,
    pub(crate) opens: Vec<Opens>,
    pub(crate) controls: Vec<Control>,
    /// Transitions of which records keep who took them.
    pub(crate) noted: BTreeSet<String>,
    /// Rules for fields that not everybody may amend everywhere.
    pub(crate) edits: Vec<Edit>,
    pub(crate) tasks: Option<Tasks>,
    pub(crate) notify: Vec<Notify>,
    pub(crate) children: Option<Children>,
    pub(crate) obligations: Vec<Obligation>,
    /// Whether its records keep when the first of what they owe is due.
    pub(crate) has_next_duty: bool,
    /// Whether there are votes, debts or controls at all.
    pub(crate) has_duties: bool,
    states: Vec<State>,
    opening: Fitting,
    amending: Fitting,
}

#[derive(Debug)]
pub(crate) struct Role {
    pub name: String,
    pub label: Label,
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

impl State {
    /// Whether this very transition leaves it.
    fn offers(&self, transition: &Transition) -> bool {
        self.transitions.iter().any(|offered| std::ptr::eq(offered, transition))
    }
}

/// A kind of link, and how the other end calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    pub name: String,
    pub label: Label,
    pub inverse: String,
    pub inverse_label: Label,
}

/// A state that a record may start in.
#[derive(Debug)]
pub(crate) struct Start {
    pub state: String,
    pub when: Option<Expression>,
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
    place: Mark,
}

impl Opens {
    fn expressions(&self) -> Expressions<'_> {
        let set = self.set.iter().map(|(_, expression)| expression);
        Box::new(self.when.iter().chain([&self.key]).chain(&self.holds_while).chain(set))
    }
}

#[derive(Debug)]
struct State {
    name: String,
    label: Label,
    transitions: Vec<Transition>,
    place: Mark,
}

impl Definition {
    /// Reads a definition file as version `version`.
    ///
    /// # Errors
    /// Every flaw found, each a sentence with its place, in the order of the file.
    pub fn parse(text: &str, version: u32) -> Result<Self, Vec<Flaw>> {
        let mut flaws = Flaws::default();
        match build::build(text, version, &mut flaws) {
            Some(definition) if flaws.is_empty() => Ok(definition),
            _ => Err(flaws.into_vec()),
        }
    }

    /// Reads a definition that is in force, with whatever is wrong with it by now.
    ///
    /// # Errors
    /// Every flaw of a file of which nothing can be made.
    pub fn read(text: &str, version: u32) -> Result<Self, Vec<Flaw>> {
        let mut flaws = Flaws::default();
        match build::build(text, version, &mut flaws) {
            Some(definition) => Ok(Self { faults: flaws.into_vec(), ..definition }),
            None => Err(flaws.into_vec()),
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

    /// Whether every record has this field.
    #[must_use]
    pub fn is_required(&self, field: &str) -> bool {
        self.required.iter().any(|required| required == field)
    }

    /// What lists may filter and sort by: fields, and both ends of a window (`window.from`).
    #[must_use]
    pub fn indexes(&self) -> Vec<(String, IndexKind)> {
        self.fields.iter().flat_map(Field::indexes).collect()
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

    /// What a state is called.
    #[must_use]
    pub fn state_label(&self, name: &str) -> Option<&Label> {
        self.states.iter().find(|state| state.name == name).map(|state| &state.label)
    }

    /// Every role with what it is called.
    pub fn role_labels(&self) -> impl Iterator<Item = (&str, &Label)> {
        self.roles.iter().map(|role| (role.name.as_str(), &role.label))
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

    /// Every transition that is voted on, with the state that it leaves.
    pub(crate) fn votes(&self) -> impl Iterator<Item = (&str, &Transition, &Vote)> {
        let all = self.all_transitions();
        all.filter_map(|(state, transition)| Some((state, transition, transition.vote.as_ref()?)))
    }

    /// Whether its records have tasks.
    #[must_use]
    pub fn has_tasks(&self) -> bool {
        self.tasks.is_some()
    }

    /// Whether its records owe something that lists tell by when it is due.
    #[must_use]
    pub fn has_duties_due(&self) -> bool {
        self.has_next_duty
    }

    /// What an obligation is called.
    #[must_use]
    pub fn obligation_label(&self, name: &str) -> Option<&Label> {
        self.obligations.iter().find(|one| one.name == name).map(|one| &one.label)
    }

    /// The names of what is voted on, each once.
    #[must_use]
    pub fn voted(&self) -> BTreeSet<&str> {
        self.votes().map(|(_, transition, _)| transition.name.as_str()).collect()
    }

    /// Whether a record can come from one state to another.
    pub(crate) fn leads(&self, from: &str, to: &str) -> bool {
        let mut waiting = vec![from];
        let mut seen = BTreeSet::from([from]);
        while let Some(state) = waiting.pop() {
            for transition in self.transitions(state) {
                if transition.to == to {
                    return true;
                }
                if seen.insert(&transition.to) {
                    waiting.push(&transition.to);
                }
            }
        }
        false
    }

    /// The states in which a record may start.
    pub fn start_states(&self) -> impl Iterator<Item = &str> {
        self.starts.iter().map(|start| start.state.as_str())
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

    /// JSON Schema of the body that opens a record; a null is as good as nothing.
    #[must_use]
    pub fn open_schema(&self) -> Value {
        let given = self.given_at_opening();
        let mut schema = object_schema(self.writable(), &given, true);
        if !given.is_empty() {
            schema["required"] = serde_json::json!(given);
        }
        schema
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

    /// `data` is lent, and stays as it is.
    pub(crate) fn open_faults(&self, data: &mut Map<String, Value>) -> Vec<Fault> {
        let schema = || object_schema(self.writable(), &self.given_at_opening(), false);
        self.opening.faults(schema, data)
    }

    /// What does not fit of data that a record would have as a whole; it is lent, and stays as it is.
    pub(crate) fn data_faults(&self, data: &mut Map<String, Value>) -> Vec<Fault> {
        match fields::compile(&self.data_schema()) {
            Ok(validator) => faults_of(&validator, data),
            Err(why) => vec![Fault::new("", "schema", why)],
        }
    }

    /// `patch` is lent, and stays as it is.
    pub(crate) fn amend_faults(&self, patch: &mut Map<String, Value>) -> Vec<Fault> {
        self.amending.faults(|| object_schema(self.writable(), &[], false), patch)
    }
}

//! What the names of a definition may be, collected before anything that uses them is read.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;

use super::{
    Field, check,
    label::{Labels, Named},
};
use crate::{
    Expression,
    expression::{Bounded, Kind, Surroundings},
    flaw::Flaws,
    ledger,
    reading::{Entries, Word, entries, expression},
    record::own_kinds,
    yaml::{Entry, Node, Tree},
};

/// All names of one definition.
pub(super) struct Known {
    pub fields: Vec<Field>,
    /// Also those that are at fault themselves: who names one of them is not.
    pub field_names: Vec<String>,
    pub roles: Vec<String>,
    pub states: Vec<String>,
    pub relations: Vec<String>,
    /// How the other ends call them.
    pub inverses: Vec<String>,
    pub transitions: Vec<String>,
    pub labels: Labels,
    record: Kind,
    anywhere: Surroundings,
}

impl Known {
    /// Reads what names things: fields, roles, states, links and functions.
    pub fn read(root: &mut Entries<'_>, flaws: &mut Flaws) -> Self {
        let mut fields = Vec::new();
        let mut field_names = Vec::new();
        for entry in properties(root, flaws) {
            field_names.push(entry.key.clone());
            match Field::parse(&entry.key, &entry.value.json()) {
                Ok(field) => fields.push(field),
                Err(fault) => flaws.add(entry.value.at, "schema", fault),
            }
        }
        let keys = |node: Option<&Node>| -> Vec<String> {
            let Some(Node { tree: Tree::Map(entries), .. }) = node else { return Vec::new() };
            entries.iter().map(|entry| entry.key.clone()).collect()
        };
        let states_at = root.get("states");
        let mut states: Vec<String> = Vec::new();
        let mut seen = BTreeSet::new();
        for name in keys(states_at).iter().flat_map(|key| names(key)) {
            if seen.insert(name.to_owned()) {
                states.push(name.to_owned());
            }
        }
        for name in ledger::NAMES.into_iter().filter(|name| is_kept(root, states_at, name)) {
            if let Ok(field) = Field::parse(name, &ledger::schema(name)) {
                field_names.push(name.to_owned());
                fields.push(field);
            }
        }
        check::indexes(properties(root, flaws), &fields, flaws);
        let transitions = match states_at {
            Some(Node { tree: Tree::Map(states), .. }) => {
                states.iter().flat_map(|entry| keys(Some(&entry.value))).collect()
            }
            _ => Vec::new(),
        };
        let functions = Arc::new(functions(root, flaws));
        let record = record(&field_names, &fields, &states);
        Self {
            roles: keys(root.get("roles")),
            relations: keys(root.get("links")),
            inverses: inverses(root.get("links")),
            anywhere: Surroundings::anywhere(&functions),
            record,
            fields,
            field_names,
            states,
            transitions,
            labels: Labels::default(),
        }
    }

    /// Keeps what things are called, which is read once their names are known.
    pub fn name_all(&mut self, labels: Labels, flaws: &mut Flaws) {
        for field in &mut self.fields {
            let said = field.schema.get("title").and_then(Value::as_str).map(str::to_owned);
            field.label = labels.of(Named::Field, &field.name, None, flaws);
            field.label.say_english(said);
            for choices in &mut field.choices {
                choices.name_all(&labels.values);
            }
            for part in &mut field.parts {
                part.label = labels.of_part(part);
            }
        }
        self.labels = labels;
    }

    /// `actor`, `now`, `record`, its `links`, and `tasks` where records have some.
    pub fn over_record(&self) -> Surroundings {
        let scope = self.anywhere.and("record", self.record.clone()).and_links();
        match &self.record {
            Kind::Map { members, .. } if members.contains_key(ledger::TASKS) => {
                scope.and("tasks", members[ledger::TASKS].kind.clone())
            }
            _ => scope,
        }
    }

    /// `actor`, `now` and `event`.
    pub fn over_event(&self) -> Surroundings {
        self.anywhere.and("event", open_map())
    }

    /// `actor`, `now`, `event` and `record`.
    pub fn over_both(&self) -> Surroundings {
        self.over_record().and("event", open_map())
    }

    /// `actor`, `now`, `record`, and `given` with these fields.
    pub fn over_given(&self, given: &[&Field]) -> Surroundings {
        let members =
            given.iter().map(|field| (field.name.clone(), Kind::of_schema(&field.schema)));
        let members = Arc::new(members.collect());
        self.over_record().and("given", Kind::Map { members, is_open: false })
    }

    /// Whether records keep votes, debts, or who did what.
    pub fn keeps_duties(&self) -> bool {
        ledger::DUTIES.iter().any(|name| self.field_names.iter().any(|field| field == name))
    }

    pub fn state(&self, word: &Word, flaws: &mut Flaws) {
        if !self.states.contains(&word.text) {
            let near = flaws.instead(&word.text, self.states.iter().map(String::as_str));
            flaws.add(word.at, "unknown_state", format!("`{}` is no state{near}", word.text));
        }
    }

    pub fn role(&self, word: &Word, flaws: &mut Flaws) {
        if word.text != kernel::SYSTEM && !self.roles.contains(&word.text) {
            let near = flaws.instead(&word.text, self.roles.iter().map(String::as_str));
            let message = format!("`{}` is no role: `roles` does not name it{near}", word.text);
            flaws.add(word.at, "unknown_role", message);
        }
    }

    pub fn transition(&self, word: &Word, flaws: &mut Flaws) {
        if !self.transitions.contains(&word.text) {
            let near = flaws.instead(&word.text, self.transitions.iter().map(String::as_str));
            let message = format!("`{}` is no transition{near}", word.text);
            flaws.add(word.at, "unknown_transition", message);
        }
    }

    pub fn relation(&self, word: &Word, flaws: &mut Flaws) {
        if !self.relations.contains(&word.text) {
            let near = flaws.instead(&word.text, self.relations.iter().map(String::as_str));
            let message = format!("`{}` is no link: `links` does not name it{near}", word.text);
            flaws.add(word.at, "unknown_link", message);
        }
    }

    /// A link as either end calls it.
    pub fn end(&self, word: &Word, flaws: &mut Flaws) {
        let mut ends = self.relations.iter().chain(&self.inverses);
        if ends.all(|end| *end != word.text) {
            let ends = self.relations.iter().chain(&self.inverses).map(String::as_str);
            let near = flaws.instead(&word.text, ends);
            let message = format!("`{}` is no end of a link of `links`{near}", word.text);
            flaws.add(word.at, "unknown_link", message);
        }
    }

    /// A field, or a part of one by its place: `levels.measure`.
    pub fn place(&self, word: &Word, flaws: &mut Flaws) {
        if !word.text.contains('.') {
            self.field(word, flaws);
            return;
        }
        let parts =
            || self.fields.iter().flat_map(|field| &field.parts).map(|part| part.of.as_str());
        if !self.is_at_fault(&word.text) && parts().all(|part| part != word.text) {
            let near = flaws.instead(&word.text, parts());
            let message = format!("`{}` is no part of a field{near}", word.text);
            flaws.add(word.at, "unknown_field", message);
        }
    }

    /// The field of a name; none where it is unknown or itself at fault.
    pub fn field(&self, word: &Word, flaws: &mut Flaws) -> Option<&Field> {
        if !self.field_names.contains(&word.text) {
            let near = flaws.instead(&word.text, self.field_names.iter().map(String::as_str));
            flaws.add(word.at, "unknown_field", format!("`{}` is no field{near}", word.text));
        }
        self.fields.iter().find(|field| field.name == word.text)
    }

    /// The same for who fills it, which nobody does with what the engine keeps by itself.
    pub fn filled(&self, word: &Word, flaws: &mut Flaws) -> Option<&Field> {
        if ledger::NAMES.contains(&word.text.as_str()) {
            let message = format!("`{}` is kept by the engine alone", word.text);
            flaws.add(word.at, "kept", message);
            return None;
        }
        self.field(word, flaws)
    }

    /// Whether a name is that of a field, or of a part of one, that is at fault itself.
    pub fn is_at_fault(&self, name: &str) -> bool {
        let field = name.split('.').next().unwrap_or_default();
        self.field_names.iter().any(|known| known == field)
            && self.fields.iter().all(|known| known.name != field)
    }

    /// Expressions by the field that each fills.
    pub fn fills(
        &self,
        node: Option<&Node>,
        scope: &Surroundings,
        flaws: &mut Flaws,
    ) -> Vec<(String, Expression)> {
        let Some(node) = node else { return Vec::new() };
        let filled = entries(node, "what is filled", flaws).unwrap_or_default().iter();
        let filled = filled.filter_map(|Entry { key, at, value }| {
            let field = self.filled(&Word { text: key.clone(), at: *at }, flaws);
            let wanted = field.map_or(Kind::Any, |field| Kind::of_schema(&field.schema).kind);
            Some((key.clone(), expression(value, scope, &wanted, flaws)?))
        });
        filled.collect()
    }
}

/// Whether the definition has something to keep under a name of the ledger.
fn is_kept(root: &mut Entries<'_>, states: Option<&Node>, name: &str) -> bool {
    let word = match name {
        ledger::VOTES => "vote",
        ledger::DEBTS => "owes",
        ledger::TASKS => return root.get("tasks").is_some(),
        ledger::OBLIGATIONS => return root.get("obligations").is_some(),
        ledger::NEXT_DUTY if root.get("obligations").is_some() => return true,
        ledger::NEXT_DUTY => "owes",
        _ => return root.get("controls").is_some(),
    };
    let below = |node: &Node| match &node.tree {
        Tree::Map(entries) => entries.clone(),
        _ => Vec::new(),
    };
    let transitions = states.map(below).into_iter().flatten().flat_map(|state| below(&state.value));
    transitions.flat_map(|transition| below(&transition.value)).any(|entry| entry.key == word)
}

/// The names in a key of states: `new, assigned`.
pub(super) fn names(key: &str) -> impl Iterator<Item = &str> {
    key.split(',').map(str::trim)
}

fn inverses(node: Option<&Node>) -> Vec<String> {
    let Some(Node { tree: Tree::Map(entries), .. }) = node else { return Vec::new() };
    let words = entries.iter().filter_map(|entry| match &entry.value.tree {
        Tree::Scalar { text, .. } => Some(text.clone()),
        _ => None,
    });
    words.collect()
}

fn open_map() -> Kind {
    Kind::Map { members: Arc::default(), is_open: true }
}

/// What `record` holds in expressions.
fn record(names: &[String], fields: &[Field], states: &[String]) -> Kind {
    let mut members = own_kinds(states);
    for name in names {
        let field = fields.iter().find(|field| field.name == *name);
        let kind = field.map_or(Bounded::new(Kind::Any), |field| Kind::of_schema(&field.schema));
        members.entry(name.clone()).or_insert(kind);
    }
    Kind::Map { members: Arc::new(members), is_open: false }
}

fn properties<'a>(root: &mut Entries<'a>, flaws: &mut Flaws) -> &'a [Entry] {
    let Some(node) = root.need("fields", flaws) else { return &[] };
    let Some(mut fields) = Entries::of(node, "`fields`", flaws) else { return &[] };
    let properties = fields.need("properties", flaws);
    properties.and_then(|node| entries(node, "`properties`", flaws)).unwrap_or_default()
}

/// The service's own code that expressions call by name, with the schema of what it answers.
fn functions(root: &mut Entries<'_>, flaws: &mut Flaws) -> BTreeMap<String, Bounded> {
    let Some(node) = root.get("functions") else { return BTreeMap::new() };
    let declared = entries(node, "`functions`", flaws).unwrap_or_default().iter();
    declared
        .map(|entry| {
            let schema = entry.value.json();
            if !schema.is_object() {
                let message = format!(
                    "`{}` says what it answers as JSON Schema: {{ type: integer }}",
                    entry.key
                );
                flaws.add(entry.value.at, "schema", message);
            }
            if Expression::is_builtin(&entry.key) {
                let message = format!("`{}` is a function of expressions already", entry.key);
                flaws.add(entry.at, "duplicate", message);
            }
            (entry.key.clone(), Kind::of_schema(&schema))
        })
        .collect()
}

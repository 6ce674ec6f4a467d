//! What an event asks of a process: to open a record, to move one, or to be tied to one.

use std::collections::BTreeSet;

use kernel::Cause;
use serde_json::{Map, Value};

use crate::{
    Definition, Expression, Fact, Linked, Record, Ruleset, Scope,
    definition::{On, Opens},
    record::rfc3339,
};

/// What an event says of itself beside the record's fields and the record's own names.
pub(crate) const EVENT_NAMES: [&str; 3] = ["ce_type", "changes", "at"];

/// An event as reactions see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    /// `ce-type`: `alert.opened.v1`.
    pub kind: String,
    /// The variable `event` of expressions.
    pub event: Value,
    /// The record that it is of.
    pub record: Option<Linked>,
}

impl Happening {
    /// The event of a fact, as far as it is `told`: the record's fields after it, and `id`, `number`,
    /// `process`, `state`, `revision`, `ce_type`, `changes` and `at`, which are names of no field; the
    /// record's id also under its process's name.
    #[must_use]
    pub fn of_fact(kind: &str, record: &Record, fact: &Fact, told: &Told) -> Self {
        let fields = record.data.iter().filter(|(field, _)| told.has(field));
        let mut event: Map<String, Value> =
            fields.map(|(field, value)| (field.clone(), value.clone())).collect();
        event.insert("state".to_owned(), Value::String(record.state.clone()));
        event.insert("revision".to_owned(), record.revision.into());
        let changes = if told.has("changes") {
            let changes = fact.changes.iter().map(|(field, (old, new))| {
                (field.clone(), Value::Array(vec![old.clone(), new.clone()]))
            });
            Value::Object(changes.collect())
        } else {
            Value::Null
        };
        Self::named(kind, event, changes, rfc3339(fact.at), record.linked())
    }

    /// The same from the data of an event that came over the bus; `None` when it holds no record.
    #[must_use]
    pub fn of_data(kind: &str, data: &Value) -> Option<Self> {
        let view = data.get("record")?;
        let linked = Linked {
            id: view.get("id")?.as_str()?.parse().ok()?,
            number: view.get("number")?.as_str()?.to_owned(),
            process: view.get("process")?.as_str()?.to_owned(),
        };
        let part = |name: &str| data.get(name).cloned().unwrap_or_default();
        let mut event = view.get("data").and_then(Value::as_object).cloned().unwrap_or_default();
        event.insert("state".to_owned(), view.get("state").cloned().unwrap_or_default());
        event.insert("revision".to_owned(), view.get("rev").cloned().unwrap_or_default());
        Some(Self::named(kind, event, part("changes"), part("at"), linked))
    }

    /// The event under another name, as it concerns one of several records: with these words beside its own.
    #[must_use]
    pub fn as_part(&self, kind: &str, with: &[(&str, Value)]) -> Self {
        let mut part = Self { kind: kind.to_owned(), ..self.clone() };
        for (name, value) in with {
            part.event[*name] = value.clone();
        }
        part
    }

    /// Beside the record's fields, its state and its revision: its names, and what is said of the event.
    fn named(
        kind: &str,
        mut event: Map<String, Value>,
        changes: Value,
        at: Value,
        linked: Linked,
    ) -> Self {
        event.insert(linked.process.clone(), Value::String(linked.id.to_string()));
        event.insert("id".to_owned(), Value::String(linked.id.to_string()));
        event.insert("number".to_owned(), Value::String(linked.number.clone()));
        event.insert("process".to_owned(), Value::String(linked.process.clone()));
        event.insert("ce_type".to_owned(), Value::String(kind.to_owned()));
        event.insert("changes".to_owned(), changes);
        event.insert("at".to_owned(), at);
        Self { kind: kind.to_owned(), event: Value::Object(event), record: Some(linked) }
    }
}

/// What is told of an event: the words that reactions to it name, or all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    Whole,
    Words(BTreeSet<String>),
}

impl Default for Told {
    fn default() -> Self {
        Self::Words(BTreeSet::new())
    }
}

impl Told {
    /// Whether a word of an event is among it.
    #[must_use]
    pub fn has(&self, word: &str) -> bool {
        match self {
            Self::Whole => true,
            Self::Words(words) => words.contains(word),
        }
    }

    pub(crate) fn add(&mut self, expression: &Expression) {
        match self {
            Self::Words(words) => match expression.words_of_event() {
                Some(more) => words.extend(more.iter().cloned()),
                None => *self = Self::Whole,
            },
            Self::Whole => {}
        }
    }
}

/// What a process makes of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    /// Open a record; tie it to the event's record, and to the holder of the key before it.
    Open {
        data: Map<String, Value>,
        link: Option<String>,
        succeeds: Option<String>,
    },
    /// Take a transition of the key's holder; tie it to the event's record.
    Take {
        transition: String,
        with: Map<String, Value>,
        link: Option<String>,
    },
    /// Tie the key's holder to the event's record, and no more.
    Attach {
        relation: String,
    },
    Nothing {
        because: String,
    },
}

/// The key under which `process` knows what an event concerns; `None` when the event does not
/// concern it.
///
/// # Errors
/// A sentence, when the key cannot be worked out: the event lacks what the definition expects.
pub fn reaction_key(
    rules: &Ruleset,
    process: &str,
    happening: &Happening,
    cause: &Cause,
) -> Result<Option<String>, String> {
    let Some(definition) = rules.process(process) else { return Ok(None) };
    let scope = scope(rules, happening, cause);
    for opens in definition.opens.iter().filter(|opens| opens.on == happening.kind) {
        if opens.when.as_ref().map_or(Ok(true), |when| when.holds(&scope))? {
            return opens.key.value(&scope).map(|key| text(&key));
        }
    }
    // A record that was born with another version may react to what this one does not.
    let others = rules.versions(process).filter(|other| other.version != definition.version);
    for on in [definition].into_iter().chain(others).flat_map(|one| takes(one, happening)) {
        if let Some(key) = text(&on.key.value(&scope)?) {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

fn takes<'a>(definition: &'a Definition, happening: &'a Happening) -> impl Iterator<Item = &'a On> {
    definition
        .all_transitions()
        .flat_map(|(_, transition)| &transition.on)
        .filter(|on| on.event == happening.kind)
}

fn text(key: &Value) -> Option<String> {
    match key {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn scope<'a>(rules: &'a Ruleset, happening: &'a Happening, cause: &'a Cause) -> Scope<'a> {
    rules.scope(cause.when()).actor(&cause.actor).event(&happening.event)
}

/// What an event asks of the key's holder, or of a record to be where there is none. Pure.
///
/// # Errors
/// A sentence, when an expression cannot be worked out.
pub fn respond(
    rules: &Ruleset,
    process: &str,
    holder: Option<&Record>,
    happening: &Happening,
    cause: &Cause,
) -> Result<Response, String> {
    let Some(present) = rules.process(process) else {
        return Ok(Response::Nothing { because: format!("there is no process `{process}`") });
    };
    let opens = opening(rules, present, happening, cause)?;
    let Some(holder) = holder else {
        return match opens {
            Some(opens) => open(rules, opens, None, happening, cause),
            None => Ok(Response::Nothing { because: "no record has this key".to_owned() }),
        };
    };
    let definition = rules.definition_of(holder).unwrap_or(present);
    let fields = &definition.field_names;
    let with_holder = || scope(rules, happening, cause).record(holder, fields);
    if let Some(opens) = opens {
        let holds = match &opens.holds_while {
            Some(holds_while) => holds_while.holds(&with_holder())?,
            None => !definition.is_final(&holder.state),
        };
        if !holds {
            return open(rules, opens, Some(holder), happening, cause);
        }
    }
    for transition in definition.transitions(&holder.state) {
        for on in transition.on.iter().filter(|on| on.event == happening.kind) {
            if on.when.as_ref().map_or(Ok(true), |when| when.holds(&with_holder()))? {
                let mut with = Map::new();
                for (field, expression) in &on.set {
                    with.insert(field.clone(), expression.value(&with_holder())?);
                }
                let (transition, link) = (transition.name.clone(), on.link.clone());
                return Ok(Response::Take { transition, with, link });
            }
        }
    }
    if let Some(relation) = opens.and_then(|opens| opens.link.clone()) {
        return Ok(Response::Attach { relation });
    }
    let because = format!("{} is {} and does not react", holder.number, holder.state);
    Ok(Response::Nothing { because })
}

fn opening<'a>(
    rules: &Ruleset,
    definition: &'a Definition,
    happening: &Happening,
    cause: &Cause,
) -> Result<Option<&'a Opens>, String> {
    for opens in definition.opens.iter().filter(|opens| opens.on == happening.kind) {
        let scope = scope(rules, happening, cause);
        if opens.when.as_ref().map_or(Ok(true), |when| when.holds(&scope))? {
            return Ok(Some(opens));
        }
    }
    Ok(None)
}

fn open(
    rules: &Ruleset,
    opens: &Opens,
    before: Option<&Record>,
    happening: &Happening,
    cause: &Cause,
) -> Result<Response, String> {
    let scope = scope(rules, happening, cause);
    let mut data = Map::new();
    for (field, expression) in &opens.set {
        data.insert(field.clone(), expression.value(&scope)?);
    }
    let succeeds = before.and(opens.succeeds.clone());
    Ok(Response::Open { data, link: opens.link.clone(), succeeds })
}

//! The parts of a field that is an object, or a list of such, and what each is called.

use serde_json::Value;

use super::label::Label;

/// A part of a field: a property within its schema.
#[derive(Clone, Debug)]
pub struct Part {
    /// Where it stands: `levels.measure`. Items of a list are no part.
    pub of: String,
    /// What the schema itself calls it, as JSON Schema's `title`.
    pub(super) title: Option<String>,
    pub label: Label,
}

/// A part that lies deeper than so many bytes of names has no labels.
const PATH_LIMIT: usize = 200;

impl Part {
    /// All parts of a field in the order of its schema, those of a part after it.
    pub(super) fn listed(field: &str, schema: &Value) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        each(field, schema, &mut |of, schema| {
            if of != field && found.iter().all(|part| part.of != of) {
                let title = schema.get("title").and_then(Value::as_str).map(str::to_owned);
                found.push(Self { of: of.to_owned(), title, label: Label::default() });
            }
        });
        found
    }

    /// Its name alone: `measure`.
    pub(super) fn name(&self) -> &str {
        self.of.rsplit('.').next().unwrap_or_default()
    }
}

/// Shows a field's schema and those of its parts, each with where it stands; a list and its items stand at
/// the same place.
pub(super) fn each(of: &str, schema: &Value, see: &mut dyn FnMut(&str, &Value)) {
    if of.len() > PATH_LIMIT {
        return;
    }
    see(of, schema);
    if let Some(items) = schema.get("items") {
        each(of, items, see);
    }
    for (name, part) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        each(&format!("{of}.{name}"), part, see);
    }
}

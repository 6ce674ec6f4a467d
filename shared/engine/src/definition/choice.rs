//! The values that a field may have where its schema lists them, and what each is called.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{known::Known, label::Label, part};
use crate::{
    flaw::Flaws,
    reading::{entries, word},
    yaml::{Entry, Node},
};

/// What a field, or a part of it, may hold: an `enum` of its schema.
#[derive(Clone, Debug)]
pub struct Choices {
    /// The field, or the part of it: `impact`, `levels.measure`. Items of a list are no part.
    pub of: String,
    pub all: Vec<Choice>,
}

/// One of the values.
#[derive(Clone, Debug)]
pub struct Choice {
    pub value: Value,
    pub label: Label,
}

impl Choices {
    /// All that a schema lists, the field's own values first.
    pub(super) fn listed(of: &str, schema: &Value) -> Vec<Self> {
        let mut found = Vec::new();
        part::each(of, schema, &mut |of, schema| {
            let values = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
            // Null stands for nothing, which is said by no word.
            let values = values.filter(|value| !value.is_null());
            let all = values.map(|value| Choice { value: value.clone(), label: Label::default() });
            let all: Vec<Choice> = all.collect();
            if !all.is_empty() {
                found.push(Self { of: of.to_owned(), all });
            }
        });
        found
    }

    pub(super) fn name_all(&mut self, values: &ValueLabels) {
        for choice in &mut self.all {
            choice.label = values.of(&self.of, &spelled(&choice.value));
        }
    }
}

/// A value as the key of its labels spells it.
fn spelled(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What the `labels` of a definition call values, by field and value.
#[derive(Debug, Default)]
pub(super) struct ValueLabels {
    texts: BTreeMap<(String, String), Vec<(String, String)>>,
}

impl ValueLabels {
    /// Reads the `values` of one language. What a language leaves unsaid is told in English, as it
    /// is of states and fields: who adds a value need not know every language.
    pub fn read(&mut self, language: &str, node: &Node, known: &Known, flaws: &mut Flaws) {
        let listed: BTreeMap<&str, &Choices> = known
            .fields
            .iter()
            .flat_map(|field| &field.choices)
            .map(|choices| (choices.of.as_str(), choices))
            .collect();
        for Entry { key, at, value } in entries(node, "`values`", flaws).unwrap_or_default() {
            let Some(choices) = listed.get(key.as_str()) else {
                if !known.is_at_fault(key) {
                    let near = flaws.instead(key, listed.keys().copied());
                    let message = format!("`{key}` is no field whose values an `enum` lists{near}");
                    flaws.add(*at, "unknown_field", message);
                }
                continue;
            };
            self.read_one(language, choices, value, flaws);
        }
    }

    fn read_one(&mut self, language: &str, choices: &Choices, node: &Node, flaws: &mut Flaws) {
        let known: BTreeSet<String> =
            choices.all.iter().map(|choice| spelled(&choice.value)).collect();
        for Entry { key, at, value } in entries(node, "labels", flaws).unwrap_or_default() {
            if !known.contains(key) {
                let near = flaws.instead(key, known.iter().map(String::as_str));
                let message = format!("`{key}` is no value of `{}`{near}", choices.of);
                flaws.add(*at, "unknown_value", message);
            } else if let Some(text) = word(value, "a label", flaws) {
                let texts = self.texts.entry((choices.of.clone(), key.clone())).or_default();
                texts.push((language.to_owned(), text.text));
            }
        }
    }

    fn of(&self, of: &str, value: &str) -> Label {
        let texts = self.texts.get(&(of.to_owned(), value.to_owned()));
        Label::said(value, texts.map_or(&[], Vec::as_slice))
    }
}

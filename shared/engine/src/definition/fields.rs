//! The data of a record: JSON Schema 2020-12 with the words that this house adds.

use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use jsonschema::{Validator, error::ValidationErrorKind};
use kernel::Fault;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Choices, Label, part::Part};
use crate::Schemes;

/// What kind of typed column a list may filter and sort a field by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IndexKind {
    Text,
    Number,
    Time,
}

impl IndexKind {
    /// How many fields of a process may have such a column.
    #[must_use]
    pub const fn columns(self) -> usize {
        match self {
            Self::Text => 8,
            Self::Number | Self::Time => 4,
        }
    }

    /// `text`
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Time => "time",
        }
    }
}

/// One field of a process.
#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    pub label: Label,
    /// JSON Schema, our own words taken out and references resolved.
    pub schema: Value,
    pub index: Option<IndexKind>,
    /// A stretch of time with two ends, `from` and `to`: its index is of both.
    pub is_window: bool,
    /// Tells something about a person. Nothing erases it by itself yet.
    pub personal: bool,
    /// Filled by transitions, derivations and reactions alone; evidence given anew each time.
    pub read_only: bool,
    /// The list scheme that its values, or its items, come from.
    pub reference: Option<String>,
    pub default: Option<Value>,
    /// The values that it and its parts may have, where the schema lists them.
    pub choices: Vec<Choices>,
    /// What it is made of, where it is an object or a list of such; the ends of a window are none.
    pub parts: Vec<Part>,
}

/// References to what is no list scheme of ours, but numbers of records elsewhere.
const REFERENCE_PREFIX: &str = "steward:ref/";
/// A stretch of time.
const WINDOW: &str = "steward:window";

impl Field {
    pub(super) fn parse(name: &str, source: &Value) -> Result<Self, String> {
        let Value::Object(source) = source else {
            return Err(format!("field `{name}` is not a JSON Schema object"));
        };
        let mut schema = source.clone();
        let index = match schema.remove("index") {
            None => None,
            Some(kind) => Some(
                serde_json::from_value(kind)
                    .map_err(|_| format!("field `{name}`: `index` is one of text, number, time"))?,
            ),
        };
        let personal = match schema.remove("personal") {
            None => false,
            Some(Value::Bool(personal)) => personal,
            Some(_) => return Err(format!("field `{name}`: `personal` is true or false")),
        };
        let read_only = schema.get("readOnly") == Some(&Value::Bool(true));
        let default = schema.get("default").cloned();
        let is_window = schema.get("$ref").and_then(Value::as_str) == Some(WINDOW);
        if is_window && !matches!(index, None | Some(IndexKind::Time)) {
            return Err(format!("field `{name}`: a window is indexed by `time`"));
        }
        let mut reference = None;
        resolve(&mut schema, &mut reference).map_err(|fault| format!("field `{name}`: {fault}"))?;
        if let Some(Value::Object(items)) = schema.get_mut("items") {
            resolve(items, &mut reference).map_err(|fault| format!("field `{name}`: {fault}"))?;
        }
        let schema = Value::Object(schema);
        if refers(&schema) {
            return Err(format!(
                "field `{name}`: `$ref` stands at a field or its items, and nowhere within"
            ));
        }
        compile(&schema).map_err(|fault| format!("field `{name}`: {fault}"))?;
        let choices = Choices::listed(name, &schema);
        let parts = if is_window { Vec::new() } else { Part::listed(name, &schema) };
        let (name, label) = (name.to_owned(), Label::default());
        Ok(Self {
            name,
            label,
            schema,
            index,
            is_window,
            personal,
            read_only,
            reference,
            default,
            choices,
            parts,
        })
    }

    /// What lists may filter and sort by of it, under the names that they use.
    pub(super) fn indexes(&self) -> Vec<(String, IndexKind)> {
        let Some(kind) = self.index else { return Vec::new() };
        if self.is_window {
            return ["from", "to"].map(|end| (format!("{}.{end}", self.name), kind)).into();
        }
        vec![(self.name.clone(), kind)]
    }

    /// Entries of lists that a value names and nobody knows, or that do not count at an instant.
    pub(crate) fn unknown_references(
        &self,
        value: &Value,
        schemes: &Schemes,
        at: DateTime<Utc>,
    ) -> Vec<Fault> {
        let Some((scheme, listed)) = self
            .reference
            .as_deref()
            .and_then(|scheme| schemes.list(scheme, at).map(|listed| (scheme, listed)))
        else {
            return Vec::new();
        };
        let named: Vec<(String, &str)> = match value {
            Value::String(key) => vec![(format!("/{}", self.name), key)],
            Value::Array(items) => items
                .iter()
                .enumerate()
                .filter_map(|(i, item)| Some((format!("/{}/{i}", self.name), item.as_str()?)))
                .collect(),
            _ => Vec::new(),
        };
        let refused = named.into_iter().filter_map(|(path, key)| {
            let message = listed.refuses(scheme, key, at)?;
            Some(Fault::new(path, "unknown_reference", message))
        });
        refused.collect()
    }
}

fn resolve(schema: &mut Map<String, Value>, reference: &mut Option<String>) -> Result<(), String> {
    let Some(target) = schema.get("$ref").and_then(Value::as_str).map(str::to_owned) else {
        return Ok(());
    };
    schema.remove("$ref");
    if let Some(list) = target.strip_prefix(REFERENCE_PREFIX) {
        *reference = Some(list.to_owned());
        schema.insert("type".to_owned(), json!("string"));
        schema.insert("minLength".to_owned(), json!(1));
        schema.insert("maxLength".to_owned(), json!(100));
        return Ok(());
    }
    if target == WINDOW {
        let instant = json!({ "type": "string", "format": "date-time" });
        schema.insert("type".to_owned(), json!("object"));
        schema.insert("properties".to_owned(), json!({ "from": instant, "to": instant }));
        schema.insert("required".to_owned(), json!(["from", "to"]));
        schema.insert("additionalProperties".to_owned(), json!(false));
        return Ok(());
    }
    Err(format!("`$ref: {target}` is not known; there is {REFERENCE_PREFIX}… and {WINDOW}"))
}

/// Whether a schema refers to another: to itself it could be checked for ever.
fn refers(schema: &Value) -> bool {
    match schema {
        Value::Object(entries) => entries.iter().any(|(key, value)| {
            matches!(key.as_str(), "$ref" | "$dynamicRef" | "$recursiveRef") || refers(value)
        }),
        Value::Array(items) => items.iter().any(refers),
        _ => false,
    }
}

/// A JSON Schema of an object with these fields and no others.
pub(super) fn object_schema<'a>(
    fields: impl Iterator<Item = &'a Field>,
    required: &[String],
    nullable: bool,
) -> Value {
    let properties: Map<String, Value> = fields
        .map(|field| {
            let schema = if nullable && !required.contains(&field.name) {
                json!({ "anyOf": [field.schema, { "type": "null" }] })
            } else {
                field.schema.clone()
            };
            (field.name.clone(), schema)
        })
        .collect();
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() && !nullable {
        schema["required"] = json!(required);
    }
    schema
}

pub(super) fn compile(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(true)
        // Patterns are matched in linear time: none can hang a service.
        .with_pattern_options(jsonschema::PatternOptions::regex())
        .build(schema)
        .map_err(|fault| format!("it is no JSON Schema: {fault}"))
}

/// Every way in which `value` does not fit, worded for a person.
pub(super) fn faults(validator: &Validator, value: &Value) -> Vec<Fault> {
    let mut found = Vec::new();
    for error in validator.iter_errors(value) {
        let path = error.instance_path().to_string();
        match error.kind() {
            ValidationErrorKind::Required { property } => {
                let field = property.as_str().unwrap_or_default();
                found.push(Fault::new(
                    format!("{path}/{field}"),
                    "required",
                    format!("`{field}` is missing"),
                ));
            }
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                for field in unexpected {
                    found.push(Fault::new(
                        format!("{path}/{field}"),
                        "unknown_field",
                        format!("`{field}` is not a field that can be given here"),
                    ));
                }
            }
            kind => {
                let code = kind.keyword().to_owned();
                found.push(Fault::new(path, code, error.to_string()));
            }
        }
    }
    found
}

/// The same of fields by name, which are lent as the value that they are.
pub(super) fn faults_of(validator: &Validator, fields: &mut Map<String, Value>) -> Vec<Fault> {
    let mut value = Value::Object(std::mem::take(fields));
    let found = faults(validator, &value);
    if let Value::Object(lent) = &mut value {
        *fields = std::mem::take(lent);
    }
    found
}

/// What values are held to, compiled when the first of them comes: of the many steps of all processes
/// most are taken where others run.
#[derive(Debug, Default)]
pub(super) struct Fitting(OnceLock<Validator>);

impl Fitting {
    /// Every way in which fields do not fit a schema, always the same one.
    pub(super) fn faults(
        &self,
        schema: impl FnOnce() -> Value,
        fields: &mut Map<String, Value>,
    ) -> Vec<Fault> {
        let validator = match self.0.get() {
            Some(validator) => validator,
            None => match compile(&schema()) {
                Ok(validator) => self.0.get_or_init(|| validator),
                Err(why) => return vec![Fault::new("", "schema", why)],
            },
        };
        faults_of(validator, fields)
    }
}

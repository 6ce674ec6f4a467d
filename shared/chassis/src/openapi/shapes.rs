//! The pieces that operations are described with.

use std::collections::{BTreeMap, BTreeSet};

use engine::{Definition, Transition};
use kernel::SYSTEM;
use serde_json::{Map, Value, json};

use super::components::reference;

/// `major_incident` as a schema's name: `MajorIncident`.
pub fn name_of(definition: &Definition) -> String {
    definition
        .process
        .split('_')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters))
        })
        .flatten()
        .collect()
}

/// A closed object, all of whose fields are required.
pub fn object(fields: &[(&str, Value)]) -> Value {
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let properties: Map<String, Value> =
        fields.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": names,
        "additionalProperties": false,
    })
}

pub fn list_of(items: &Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// An answer with a JSON body.
pub fn shown(schema: &Value) -> Value {
    json!({
        "description": "As asked.",
        "headers": { "x-request-id": reference("headers", "RequestId") },
        "content": { "application/json": { "schema": schema } },
    })
}

/// An answer that shows a record.
pub fn one(definition: &Definition) -> Value {
    let mut answer = shown(&reference("schemas", &name_of(definition)));
    answer["headers"]["etag"] = reference("headers", "ETag");
    answer
}

/// An answer that shows a record, and where it is.
pub fn created(definition: &Definition) -> Value {
    let mut answer = one(definition);
    answer["headers"]["location"] = reference("headers", "Location");
    answer
}

/// `authorise and ratify`
pub fn listing(names: &BTreeSet<&str>) -> String {
    names.iter().copied().collect::<Vec<_>>().join(" and ")
}

/// A file as it comes: bytes of any kind.
pub fn file() -> Value {
    json!({ "required": true, "content": { "application/octet-stream": { "schema": binary() } } })
}

/// A file as it goes, to be saved.
pub fn bytes() -> Value {
    let headers = json!({ "x-request-id": reference("headers", "RequestId") });
    let content = json!({ "*/*": { "schema": binary() } });
    json!({ "description": "The bytes.", "headers": headers, "content": content })
}

fn binary() -> Value {
    json!({ "type": "string", "format": "binary" })
}

/// The task's number in a path.
pub fn task_number() -> Value {
    json!({ "name": "task", "in": "path", "required": true, "description": "The task's number.",
        "schema": { "type": "integer", "minimum": 1 } })
}

/// The tasks of a record.
pub fn tasks() -> Value {
    object(&[("items", list_of(&json!({ "type": "object" })))])
}

/// A task to be.
pub fn new_task() -> Value {
    json!({
        "type": "object",
        "properties": {
            "title": { "type": "string", "minLength": 1 },
            "assignee": { "type": "string" },
            "after": list_of(&json!({ "type": "integer", "minimum": 1 })),
        },
        "required": ["title"],
        "additionalProperties": false,
    })
}

/// Who has a task, or what became of it.
pub fn task_patch() -> Value {
    json!({
        "type": "object",
        "properties": {
            "assignee": { "type": "string" },
            "state": { "enum": ["done", "dropped"] },
        },
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": false,
    })
}

/// A vote, or to whom it is handed over.
pub fn vote(definition: &Definition) -> Value {
    json!({
        "type": "object",
        "properties": {
            "transition": { "enum": definition.voted() },
            "vote": { "enum": ["approve", "reject"] },
            "delegate": { "type": "string", "pattern": "^person:" },
            "comment": { "type": "string" },
        },
        "required": ["transition"],
        "oneOf": [{ "required": ["vote"] }, { "required": ["delegate"] }],
        "additionalProperties": false,
    })
}

/// A page of records.
pub fn listed(definition: &Definition) -> Value {
    shown(&object(&[
        ("items", list_of(&reference("schemas", &name_of(definition)))),
        ("next", json!({ "type": ["string", "null"] })),
    ]))
}

/// A JSON body.
pub fn body(schema: Value, is_required: bool) -> Value {
    json!({ "required": is_required, "content": { "application/json": { "schema": schema } } })
}

/// A JSON merge patch, under its own media type or as plain JSON.
pub fn patch(schema: Value) -> Value {
    let mut body = body(schema, true);
    let plain = body["content"]["application/json"].clone();
    body["content"]["application/merge-patch+json"] = plain;
    body
}

/// Each transition that people take, once, with what it takes: by name, since several states may offer it. The flag
/// says whether a body is needed everywhere.
pub fn transitions(definition: &Definition) -> Vec<(String, Value, bool)> {
    let mut named: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let by_people = |transition: &&Transition| transition.by.iter().any(|role| role != SYSTEM);
    let transitions = definition.all_transitions().map(|(_, transition)| transition);
    for transition in transitions.filter(by_people) {
        let schemas = named.entry(transition.name.clone()).or_default();
        if !schemas.contains(&transition.schema) {
            schemas.push(transition.schema.clone());
        }
    }
    let needs = |schema: &Value| {
        schema.get("required").and_then(Value::as_array).is_some_and(|names| !names.is_empty())
    };
    named
        .into_iter()
        .map(|(name, mut schemas)| {
            let needs_body = schemas.iter().all(needs);
            let schema =
                if schemas.len() == 1 { schemas.remove(0) } else { json!({ "anyOf": schemas }) };
            (name, schema, needs_body)
        })
        .collect()
}

/// A record as the API shows it; lists leave `offers` out.
pub fn record(definition: &Definition) -> Value {
    let text = || json!({ "type": "string" });
    let time = || json!({ "type": "string", "format": "date-time" });
    let whole = || json!({ "type": "integer", "minimum": 1 });
    let states: Vec<&str> = definition.states().collect();
    let mut schema = object(&[
        ("id", json!({ "type": "string", "format": "uuid" })),
        (
            "number",
            json!({ "type": "string", "pattern": format!("^{}[0-9]+$", definition.prefix) }),
        ),
        ("process", json!({ "const": definition.process })),
        ("definition", whole()),
        ("state", json!({ "enum": states })),
        ("rev", whole()),
        ("opened_at", time()),
        ("updated_at", time()),
        ("closed_at", json!({ "type": ["string", "null"], "format": "date-time" })),
        ("opened_by", text()),
        ("data", reference("schemas", &format!("{}Data", name_of(definition)))),
    ]);
    schema["properties"]["offers"] = list_of(&reference("schemas", "Offer"));
    schema
}

/// The body of a step, which may say when it happened where the definition lets it.
pub fn dated(definition: &Definition, mut schema: Value) -> Value {
    if definition.late.is_none() {
        return schema;
    }
    let date = |schema: &mut Value| {
        schema["properties"]["occurred_at"] = json!({
            "type": "string", "format": "date-time",
            "description": "When it happened, where it is recorded late.",
        });
    };
    match schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        Some(schemas) => schemas.iter_mut().for_each(date),
        None => date(&mut schema),
    }
    schema
}

/// What ties a record of this process to another.
pub fn link(definition: &Definition) -> Value {
    let relations: Vec<&str> =
        definition.relations().iter().map(|relation| relation.name.as_str()).collect();
    let relation = if relations.is_empty() {
        json!({ "type": "string" })
    } else {
        json!({ "enum": relations })
    };
    object(&[("relation", relation), ("to", json!({ "type": "string", "minLength": 1 }))])
}

/// Which of a record's ties is meant, as its own `links` tell it.
pub fn link_end() -> [Value; 2] {
    let name = |name: &str, says: &str| {
        json!({ "name": name, "in": "path", "required": true, "description": says,
            "schema": { "type": "string", "minLength": 1 } })
    };
    [name("relation", "What the record calls it."), name("to", "The number of the other record.")]
}

/// What an administrator takes out of a record and its history.
pub fn erasure(definition: &Definition) -> Value {
    let fields: Vec<&str> = definition.fields().iter().map(|field| field.name.as_str()).collect();
    json!({
        "type": "object",
        "properties": {
            "fields": { "type": "array", "items": { "enum": fields } },
            "revisions": { "type": "array", "items": { "type": "integer", "minimum": 1 } },
            "reason": { "type": "string", "minLength": 1, "maxLength": 4000 },
        },
        "required": ["reason"],
        "additionalProperties": false,
    })
}

fn wish(more: &[(&str, Value)]) -> Value {
    let map = || json!({ "type": "object" });
    let mut properties = json!({
        "open": map(),
        "amend": map(),
        "take": { "type": "string" },
        "with": map(),
        "comment": { "type": "string" },
        "link": object(&[
            ("relation", json!({ "type": "string" })),
            ("to", json!({ "type": "string" })),
        ]),
    });
    for (name, schema) in more {
        properties[*name] = schema.clone();
    }
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

pub fn batch() -> Value {
    let item = wish(&[
        ("id", json!({ "type": "string" })),
        ("if_match", json!({ "type": "integer", "minimum": 0 })),
    ]);
    let commands = json!({ "type": "array", "minItems": 1, "maxItems": 1000, "items": item });
    object(&[("commands", commands)])
}

pub fn import() -> Value {
    let step = wish(&[
        ("occurred_at", json!({ "type": "string", "format": "date-time" })),
        ("implied", json!({ "type": "boolean" })),
        ("by", json!({ "type": "string" })),
    ]);
    let steps = json!({ "type": "array", "minItems": 1, "maxItems": 1000, "items": step });
    let record = object(&[("steps", steps)]);
    let records = json!({ "type": "array", "minItems": 1, "maxItems": 1000, "items": record });
    object(&[("records", records)])
}

/// What a batch and an import answer: one result for each item, in their order.
pub fn results() -> Value {
    let result = json!({
        "type": "object",
        "properties": {
            "status": { "type": "integer" },
            "record": { "type": "object" },
            "problem": reference("schemas", "ProblemDetails"),
        },
        "required": ["status"],
    });
    object(&[("results", list_of(&result))])
}

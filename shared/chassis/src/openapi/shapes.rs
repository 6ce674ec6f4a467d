//! The pieces that operations are described with.

use std::collections::{BTreeMap, BTreeSet};

use engine::{Definition, Transition};
use http::StatusCode;
use kernel::SYSTEM;
use serde_json::{Map, Value, json};

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

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

pub fn parameter(name: &str) -> Value {
    reference("parameters", name)
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

fn list_of(items: &Value) -> Value {
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

/// Problems by their statuses.
pub fn problems<'a>(statuses: impl Iterator<Item = &'a u16>) -> Map<String, Value> {
    statuses.map(|status| (status.to_string(), reference("responses", &called(*status)))).collect()
}

/// `Unprocessable Entity` as a name: `UnprocessableEntity`.
fn called(status: u16) -> String {
    let status = StatusCode::from_u16(status).ok();
    let reason = status.and_then(|status| status.canonical_reason()).unwrap_or("Problem");
    reason.replace(' ', "")
}

pub fn problem_responses() -> Map<String, Value> {
    [400, 401, 403, 404, 409, 412, 413, 415, 422, 500, 503]
        .into_iter()
        .map(|status| {
            let because = match status {
                400 => "The request cannot be read.",
                401 => "Who calls is not known.",
                403 => "The caller may not do this; the role or scope that is missing is named.",
                404 => "There is nothing here that the caller may see.",
                409 => "The record's state or a guard does not allow it.",
                412 => "The record has changed since it was read.",
                413 => "The body is too large.",
                415 => "The body is not JSON.",
                422 => "The request does not fit; every fault is named.",
                503 => "Too busy, or shutting down; try again.",
                _ => "Something failed here.",
            };
            let content = json!({
                "application/problem+json": { "schema": reference("schemas", "ProblemDetails") },
            });
            (called(status), json!({ "description": because, "content": content }))
        })
        .collect()
}

pub fn parameters() -> Value {
    let query = |name: &str, schema: Value, says: &str| json!({ "name": name, "in": "query", "schema": schema, "description": says });
    json!({
        "Id": {
            "name": "id", "in": "path", "required": true,
            "schema": { "type": "string", "minLength": 1 },
            "description": "The record's id or number.",
        },
        "FileName": {
            "name": "name", "in": "query", "required": true,
            "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
            "description": "What the file is called.",
        },
        "FileRevision": {
            "name": "rev", "in": "path", "required": true,
            "schema": { "type": "integer", "minimum": 1 },
            "description": "The revision of the record that attached the file.",
        },
        "IfMatch": {
            "name": "If-Match", "in": "header",
            "schema": { "type": "string", "pattern": "^(\\*|\"[0-9]{1,18}\")$" },
            "description": "The ETag of the record as it was read; another gets 412.",
        },
        "IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header",
            "schema": { "type": "string", "pattern": "^[!-~]{1,255}$" },
            "description": "The same key and body answer the first result again.",
        },
        "Filter": query(
            "filter",
            json!({ "type": "string" }),
            "A CEL expression over indexed fields: `record.state == 'new' && record.priority <= 2`.",
        ),
        "Words": query(
            "q",
            json!({ "type": "string" }),
            "Words that all stand in the record's prose (title, description, …), or in one comment, in \
             any case; those of three letters or more also begin longer ones.",
        ),
        "Sort": query(
            "sort",
            json!({ "type": "string" }),
            "An indexed field; `-updated_at` for the newest first.",
        ),
        "Limit": query(
            "limit",
            json!({ "type": "integer", "minimum": 1, "maximum": 500, "default": 50 }),
            "How many a page holds.",
        ),
        "Cursor": query("cursor", json!({ "type": "string" }), "The `next` of the page before."),
    })
}

pub fn headers() -> Value {
    let header = |says: &str| json!({ "description": says, "schema": { "type": "string" } });
    json!({
        "ETag": header("The record's revision."),
        "Location": header("Where the record is."),
        "RequestId": header("The request's id, for the log."),
    })
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

/// Schemas that every service shares.
pub fn common_schemas() -> Map<String, Value> {
    let text = || json!({ "type": "string" });
    let maybe_text = || json!({ "type": ["string", "null"] });
    let time = || json!({ "type": "string", "format": "date-time" });
    let by = object(&[("id", text()), ("name", text())]);
    let linked = object(&[("id", maybe_text()), ("number", text()), ("process", text())]);
    let fault = object(&[("path", text()), ("code", text()), ("message", text())]);
    let entry = json!({
        "type": "object",
        "properties": {
            "id": text(), "rev": { "type": "integer" }, "event": text(), "type": text(),
            "at": time(), "recorded_at": time(), "actor": by, "channel": text(),
            "implied": { "type": "boolean" }, "changes": { "type": "object" },
            "transition": text(), "from": text(), "to": text(), "role": text(),
            "comment": text(), "link": { "type": "object" }, "unlink": { "type": "object" },
            "attachment": { "type": "object" }, "erased": { "type": "object" },
            "erasure": { "type": "object" },
            "computed": { "type": "object" },
            "correlation": text(), "causation": maybe_text(),
        },
        "required": ["id", "rev", "type", "event", "at", "recorded_at", "actor", "changes"],
    });
    let comment = object(&[
        ("rev", json!({ "type": "integer" })),
        ("at", time()),
        ("by", by.clone()),
        ("text", text()),
    ]);
    let attachment = object(&[
        ("rev", json!({ "type": "integer" })),
        ("at", time()),
        ("by", by.clone()),
        ("name", text()),
        ("media_type", text()),
        ("size", json!({ "type": "integer" })),
        ("digest", text()),
    ]);
    let link = object(&[
        ("relation", text()),
        ("to", linked),
        ("at", time()),
        ("confirmed", json!({ "type": "boolean" })),
    ]);
    let mut problem = object(&[
        ("type", text()),
        ("status", json!({ "type": "integer" })),
        ("title", text()),
        ("code", text()),
        ("detail", text()),
        ("errors", list_of(&fault)),
    ]);
    problem["properties"]["instance"] = text();
    problem["properties"]["difference"] = json!({
        "type": "object", "description": "What somebody else changed meanwhile.",
    });
    let offer = object(&[
        ("name", text()),
        ("label", text()),
        ("needs", list_of(&text())),
        ("refused_because", maybe_text()),
    ]);
    let schemas = [
        ("ProblemDetails", problem),
        ("Offer", offer),
        ("History", object(&[("items", list_of(&entry)), ("next", maybe_text())])),
        ("Comments", object(&[("items", list_of(&comment))])),
        ("Attachments", object(&[("items", list_of(&attachment))])),
        ("Links", object(&[("items", list_of(&link))])),
    ];
    schemas.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

/// What a service answers beside its collections.
pub fn service_paths(service: &str) -> Map<String, Value> {
    let root = format!("/api/v1/services/{service}");
    let text = || json!({ "type": "string" });
    let letter = object(&[("consumer", text()), ("message", text())]);
    let items = object(&[("items", list_of(&json!({ "type": "object" })))]);
    let done = object(&[("done", json!({ "const": true }))]);
    let since = json!({
        "name": "since", "in": "query", "description": "The moment to begin at.",
        "schema": { "type": "string", "format": "date-time" },
    });
    let before = json!({
        "name": "before", "in": "query", "description": "Leaves out what is due later.",
        "schema": { "type": "string", "format": "date-time" },
    });
    let operation = |name: &str, summary: &str, parameters: Vec<Value>, statuses: &[u16]| {
        let mut responses = problems([400, 401, 403, 500, 503].iter().chain(statuses));
        let answer = if statuses.contains(&404) { &done } else { &items };
        responses.insert("200".to_owned(), shown(answer));
        json!({
            "operationId": format!("{service}_{name}"),
            "tags": ["operation"],
            "summary": summary,
            "parameters": parameters,
            "responses": responses,
        })
    };
    let turn = |name: &str, summary: &str| {
        let mut operation = operation(name, summary, Vec::new(), &[404, 413, 415, 422]);
        operation["requestBody"] = body(letter.clone(), true);
        json!({ "post": operation })
    };
    let list = |name: &str, summary: &str, parameters: Vec<Value>| json!({ "get": operation(name, summary, parameters, &[422]) });
    let limit = || parameter("Limit");
    let mut document =
        operation("document", "This service's part of this document", Vec::new(), &[]);
    document["responses"]["200"] = shown(&json!({ "type": "object" }));
    let mut duties = operation(
        "duties",
        "What records owe, the first due first: what comes back, and debts",
        vec![limit(), parameter("Cursor"), before],
        &[422],
    );
    let some = list_of(&json!({ "type": "object" }));
    duties["responses"]["200"] =
        shown(&object(&[("items", some), ("next", json!({ "type": ["string", "null"] }))]));
    let paths = [
        ("openapi.json", json!({ "get": document })),
        ("dead-letters", list("dead_letters", "Events that were given up", vec![limit()])),
        (
            "dead-letters/redrive",
            turn("redrive", "Try a dead letter again, with what waits behind it"),
        ),
        (
            "dead-letters/give-up",
            turn("give_up", "Give a dead letter up, so that what waits behind it goes on"),
        ),
        ("deliveries", list("deliveries", "How deliveries ended, each counted once", Vec::new())),
        (
            "checkpoints",
            list(
                "checkpoints",
                "Signed statements of what the journal was, the newest first",
                vec![limit()],
            ),
        ),
        ("duties", json!({ "get": duties })),
        ("refusals", list("refusals", "Commands that rules refused", vec![limit(), since])),
    ];
    paths.into_iter().map(|(path, item)| (format!("{root}/{path}"), item)).collect()
}

//! What operations refer to by name: parameters, headers, problems and the schemas that all share.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::shapes::{list_of, object};

pub fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

pub fn parameter(name: &str) -> Value {
    reference("parameters", name)
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

pub fn responses() -> Map<String, Value> {
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

/// Schemas that every service shares.
pub fn schemas() -> Map<String, Value> {
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

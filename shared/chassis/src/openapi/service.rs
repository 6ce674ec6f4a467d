//! What a service answers beside its collections.

use serde_json::{Map, Value, json};

use super::{
    components::{parameter, problems},
    shapes::{body, list_of, object, shown},
};

/// Its paths.
pub fn paths(service: &str) -> Map<String, Value> {
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

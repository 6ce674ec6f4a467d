//! The API of the whole platform in one OpenAPI 3.1 document: our own part and what every service
//! says of its own.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Extension, State},
};
use chassis::Problem;
use serde_json::{Map, Value, json};

/// What the gateway itself answers.
const OWN: &str = include_str!("openapi/own.json");
/// Where references to shared parts begin.
const COMPONENTS: &str = "#/components/";

use crate::{access::Caller, routing::switch::Switch};

/// The API of the whole platform, as of now: each service is asked for its part. `x-unreachable` names
/// those that did not answer.
///
/// # Errors
/// 500 where nothing can be asked for the caller.
pub async fn whole(
    State(switch): State<Switch>,
    Extension(caller): Extension<Arc<Caller>>,
) -> Result<Json<Value>, Problem> {
    let token = switch.token(&caller)?;
    let table = switch.routes.now();
    let (mut parts, mut unreachable) = (BTreeMap::new(), Vec::new());
    for destination in table.destinations() {
        let service = &destination.service;
        let path = format!("/api/v1/services/{service}/openapi.json");
        match switch.ask(destination, &token, &path, None).await {
            Ok(part) => {
                parts.insert(service.clone(), part);
            }
            Err(_) => unreachable.push(service.clone()),
        }
    }
    let mut document = document(parts);
    if !unreachable.is_empty() {
        document["x-unreachable"] = json!(unreachable);
    }
    Ok(Json(document))
}

/// One document from all parts, by service. An operation belongs to the first who names it, ourselves before
/// all, as it does when requests are routed; two different schemas of one name both stay, the later one under `service.Name`.
fn document(parts: BTreeMap<String, Value>) -> Value {
    // A test reads the same text.
    let mut document: Value = serde_json::from_str(OWN).unwrap_or_else(|_| json!({}));
    for (service, part) in parts {
        add(&mut document, &service, part);
    }
    for (_, item) in document["paths"].as_object_mut().into_iter().flatten() {
        item.as_object_mut()
            .into_iter()
            .flatten()
            .for_each(|(_, operation)| at_the_door(operation));
    }
    document
}

/// What the door itself answers, whoever answers else.
fn at_the_door(operation: &mut Value) {
    // An operation without security is open to everybody.
    if operation["security"].is_array() {
        return;
    }
    let reads_body = operation.get("requestBody").is_some();
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    let statuses = ["401", "429", "503"].into_iter().chain(reads_body.then_some("413"));
    for status in statuses {
        let refused = json!({ "$ref": "#/components/responses/NotDone" });
        responses.entry(status).or_insert(refused);
    }
}

fn add(document: &mut Value, service: &str, mut fragment: Value) {
    let renamed = clashes(&document["components"], &fragment["components"], service);
    if !renamed.is_empty() {
        rename(&mut fragment, &renamed);
    }
    let Value::Object(fragment) = fragment else { return };
    for (section, entries) in fragment {
        match (section.as_str(), entries) {
            ("paths", Value::Object(paths)) => {
                for (path, operations) in paths {
                    let Value::Object(operations) = operations else { continue };
                    merge(document, &["paths", &path], operations);
                }
            }
            ("components", Value::Object(kinds)) => {
                for (kind, parts) in kinds {
                    let Value::Object(parts) = parts else { continue };
                    let own_name = |name: String| {
                        let reference = format!("{COMPONENTS}{kind}/{name}");
                        let clashes = renamed.contains_key(&reference);
                        if clashes { format!("{service}.{name}") } else { name }
                    };
                    let parts = parts.into_iter().map(|(name, part)| (own_name(name), part));
                    merge(document, &["components", &kind], parts.collect());
                }
            }
            ("tags", Value::Array(tags)) => {
                if let Some(known) = document["tags"].as_array_mut() {
                    known.extend(tags);
                }
            }
            // Title, version and servers are the gateway's to say.
            _ => {}
        }
    }
}

/// References of the fragment whose name already stands for something else.
fn clashes(known: &Value, new: &Value, service: &str) -> BTreeMap<String, String> {
    let mut renamed = BTreeMap::new();
    let kinds = new.as_object().into_iter().flatten();
    for (kind, parts) in kinds {
        for (name, part) in parts.as_object().into_iter().flatten() {
            if known[kind].get(name).is_some_and(|taken| taken != part) {
                renamed.insert(
                    format!("{COMPONENTS}{kind}/{name}"),
                    format!("{COMPONENTS}{kind}/{service}.{name}"),
                );
            }
        }
    }
    renamed
}

fn rename(value: &mut Value, renamed: &BTreeMap<String, String>) {
    match value {
        Value::Object(map) => {
            for (key, entry) in map.iter_mut() {
                match entry {
                    Value::String(reference) if key == "$ref" => {
                        if let Some(new) = renamed.get(reference) {
                            new.clone_into(reference);
                        }
                    }
                    entry => rename(entry, renamed),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|entry| rename(entry, renamed)),
        _ => {}
    }
}

fn merge(document: &mut Value, at: &[&str], entries: Map<String, Value>) {
    let place = at.iter().fold(document, |value, key| &mut value[key]);
    if place.is_null() {
        *place = json!({});
    }
    if let Some(known) = place.as_object_mut() {
        for (name, entry) in entries {
            known.entry(name).or_insert(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `$ref` leads somewhere, and every operation says what it answers.
    fn is_whole(document: &Value) {
        fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
            match value {
                Value::Object(map) => {
                    found.extend(map.get("$ref").and_then(Value::as_str));
                    map.values().for_each(|value| references(value, found));
                }
                Value::Array(list) => list.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let mut found = Vec::new();
        references(document, &mut found);
        for reference in found {
            let pointer = reference.strip_prefix('#').expect("a local reference");
            assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
        }
        for (path, item) in document["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("operations") {
                assert!(operation["responses"].is_object(), "{method} {path} answers nothing");
                assert!(operation["summary"].is_string(), "{method} {path} has no summary");
            }
        }
    }

    #[test]
    fn our_own_part_is_sound() {
        let own: Value = serde_json::from_str(OWN).expect("JSON");
        assert_eq!(own["openapi"], "3.1.0");
        is_whole(&document(BTreeMap::new()));
    }

    #[test]
    fn services_are_merged_and_clashing_names_kept_apart() {
        let part = |title: &str| {
            json!({
                "info": {"title": title},
                "paths": {
                    format!("/api/v1/{title}"): {"get": {
                        "summary": "List",
                        "responses": {"200": {"description": "ok", "content": {"application/json": {
                            "schema": {"$ref": "#/components/schemas/Page"},
                        }}}},
                    }},
                    "/api/v1/shared": {"get": {"summary": title, "responses": {}}},
                },
                "components": {"schemas": {
                    "Page": {"title": title},
                    "Same": {"type": "string"},
                }},
            })
        };
        let services = BTreeMap::from([
            ("change".to_owned(), part("changes")),
            ("incident".to_owned(), part("incidents")),
        ]);
        let document = document(services);
        is_whole(&document);
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["Page"]["title"], "changes");
        assert_eq!(schemas["incident.Page"]["title"], "incidents");
        assert!(schemas.get("incident.Same").is_none());
        assert_eq!(document["paths"]["/api/v1/shared"]["get"]["summary"], "changes");
        assert_eq!(document["info"]["title"], "Steward");
        let list = &document["paths"]["/api/v1/incidents"]["get"]["responses"];
        assert!(list["401"].is_object() && list["429"].is_object() && list.get("413").is_none());
        assert!(document["paths"]["/healthz"]["get"]["responses"].get("401").is_none());
        let reference =
            "/paths/~1api~1v1~1incidents/get/responses/200/content/application~1json/schema/$ref";
        let expected = json!("#/components/schemas/incident.Page");
        assert_eq!(document.pointer(reference), Some(&expected));
    }
}

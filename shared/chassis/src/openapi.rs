//! The service's part of the OpenAPI 3.1 document, derived from its definitions.

mod components;
mod service;
mod shapes;

use std::sync::Arc;

use axum::{Router, extract::State, routing::get};
use engine::{Definition, Ruleset};
use serde_json::{Map, Value, json};

use components::{parameter, problems};
use shapes::{body, created, listed, object, shown};

use crate::{Office, identity::Identity, records};

/// What a service tells its part of the document from.
#[derive(Clone)]
struct Desk {
    office: Office,
    opened_elsewhere: Arc<[&'static str]>,
    /// What the service answers beside its records.
    more: Arc<[Value]>,
}

/// `GET /api/v1/services/{service}/openapi.json`: worked out when it is asked for, from the
/// definitions of that moment. Nobody carries it about, for it is by far the longest thing that is to be
/// said of a service.
pub(crate) fn router(
    office: &Office,
    opened_elsewhere: Vec<&'static str>,
    more: Vec<Value>,
) -> Router {
    let path = format!("/api/v1/services/{}/openapi.json", office.service);
    let desk = Desk {
        office: office.clone(),
        opened_elsewhere: opened_elsewhere.into(),
        more: more.into(),
    };
    Router::new().route(&path, get(tell)).with_state(desk)
}

async fn tell(State(desk): State<Desk>, _: Identity) -> axum::Json<Value> {
    let Desk { office, opened_elsewhere, more } = desk;
    let mut document = fragment(&office.service, &office.rules(), &opened_elsewhere);
    for more in more.iter() {
        merge(&mut document, more);
    }
    axum::Json(document)
}

/// What every operation may answer beside its own.
const ALWAYS: [u16; 5] = [400, 401, 403, 500, 503];

/// `{"paths":{…},"components":{…}}` of all processes of a service.
///
/// The gateway merges the fragments of all services; equal names hold equal things.
///
/// Processes in `opened_elsewhere` have no `POST` on their collection here.
#[must_use]
pub fn fragment(service: &str, rules: &Ruleset, opened_elsewhere: &[&str]) -> Value {
    let mut paths = service::paths(service);
    let mut schemas = components::schemas();
    for definition in rules.processes().filter(|one| records::is_public(&one.process)) {
        schemas.insert(shapes::name_of(definition), shapes::record(definition));
        schemas.insert(format!("{}Data", shapes::name_of(definition)), definition.data_schema());
        collection(&Place::public(definition), definition, &mut paths);
        if opened_elsewhere.contains(&definition.process.as_str()) {
            let root = &mut paths[&format!("/api/v1/{}", definition.collection)];
            root.as_object_mut().map(|methods| methods.remove("post"));
        }
    }
    for definition in rules.processes().filter(|one| !records::is_public(&one.process)) {
        schemas.insert(shapes::name_of(definition), shapes::record(definition));
        schemas.insert(format!("{}Data", shapes::name_of(definition)), definition.data_schema());
        governed(service, definition, &mut paths);
    }
    json!({
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": components::responses(),
            "parameters": components::parameters(),
            "headers": components::headers(),
        },
    })
}

/// Adds the paths and components of `more` to `document`; what is there already is not replaced,
/// but for operations of the same path, which stand side by side.
pub fn merge(document: &mut Value, more: &Value) {
    for (path, item) in more["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            document["paths"][path][method] = operation.clone();
        }
    }
    for (kind, named) in more["components"].as_object().into_iter().flatten() {
        for (name, component) in named.as_object().into_iter().flatten() {
            let place = &mut document["components"][kind][name];
            if place.is_null() {
                *place = component.clone();
            }
        }
    }
}

/// Where the records of a process are served, and what its operations are called.
struct Place {
    /// `/api/v1/incidents`
    root: String,
    /// `incident`: with an operation's name it makes its id.
    prefix: String,
}

impl Place {
    fn public(definition: &Definition) -> Self {
        let root = format!("/api/v1/{}", definition.collection);
        Self { root, prefix: definition.process.clone() }
    }
}

/// What a service has of its own of each kind, its publications and migrations: they are begun by
/// publishing and migrating, and only settled here.
fn governed(service: &str, definition: &Definition, paths: &mut Map<String, Value>) {
    let root = format!("/api/v1/services/{service}/{}", definition.collection);
    let place = Place { root, prefix: format!("{service}_{}", definition.process) };
    let mut all = Map::new();
    collection(&place, definition, &mut all);
    for (path, mut item) in all {
        let rest = path.strip_prefix(&place.root).unwrap_or_default();
        let is_served = matches!(rest, "" | "/{id}" | "/{id}/history" | "/{id}/comments")
            || rest.starts_with("/{id}/transitions/");
        if !is_served {
            continue;
        }
        if let ("" | "/{id}", Some(methods)) = (rest, item.as_object_mut()) {
            methods.retain(|method, _| method == "get");
        }
        if rest == "/{id}/transitions/approve" {
            // It answers what is in force then; the number of the version is the service's to give.
            item["post"]["requestBody"] = body(json!({ "type": "object" }), false);
            item["post"]["responses"]["200"] = shown(&json!({ "type": "object" }));
        }
        paths.insert(path, item);
    }
}

/// One operation of a process.
struct Operation<'a> {
    definition: &'a Definition,
    /// `incident_open`
    id: String,
    summary: String,
    parameters: Vec<Value>,
    body: Option<Value>,
    answer: (u16, Value),
    /// Statuses of problems beside [`ALWAYS`].
    problems: &'a [u16],
}

impl Operation<'_> {
    fn document(self) -> Value {
        let mut responses = problems(ALWAYS.iter().chain(self.problems));
        responses.insert(self.answer.0.to_string(), self.answer.1);
        let mut operation = json!({
            "operationId": self.id,
            "tags": [self.definition.collection],
            "summary": self.summary,
            "parameters": self.parameters,
            "responses": responses,
        });
        if let Some(body) = self.body {
            operation["requestBody"] = body;
        }
        operation
    }
}

/// Problems of what reads a body, and of what changes a record that is there.
const WRITES: [u16; 4] = [409, 413, 415, 422];
const CHANGES: [u16; 6] = [404, 409, 412, 413, 415, 422];

fn collection(place: &Place, definition: &Definition, paths: &mut Map<String, Value>) {
    let Place { root, prefix } = place;
    let title = &definition.title;
    let key = || parameter("IdempotencyKey");
    let one = |more: &[&str]| -> Vec<Value> {
        std::iter::once("Id").chain(more.iter().copied()).map(parameter).collect()
    };
    let operation = |name: &str, summary: String, parameters, body, answer, problems| {
        let id = format!("{prefix}_{name}");
        Operation { definition, id, summary, parameters, body, answer, problems }.document()
    };
    paths.insert(
        root.clone(),
        json!({
            "get": operation(
                "list",
                format!("{title}: list those that you may see"),
                ["Filter", "Words", "Sort", "Limit", "Cursor"].map(parameter).to_vec(),
                None,
                (200, listed(definition)),
                &[422],
            ),
            "post": operation(
                "open",
                format!("{title}: open one"),
                vec![key()],
                Some(body(shapes::dated(definition, definition.open_schema()), true)),
                (201, created(definition)),
                &WRITES,
            ),
        }),
    );
    paths.insert(
        format!("{root}/batch"),
        json!({ "post": operation(
            "batch",
            format!("{title}: up to 1,000 commands, each with its own result"),
            vec![key()],
            Some(body(shapes::batch(), true)),
            (200, shown(&shapes::results())),
            &WRITES,
        ) }),
    );
    paths.insert(
        format!("{root}/import"),
        json!({ "post": operation(
            "import",
            format!("{title}: bring in history with its own times (administrators)"),
            vec![key()],
            Some(body(shapes::import(), true)),
            (200, shown(&shapes::results())),
            &WRITES,
        ) }),
    );
    paths.insert(
        format!("{root}/{{id}}"),
        json!({
            "get": operation(
                "read",
                format!("{title}: one, with what you may do to it"),
                one(&[]),
                None,
                (200, shapes::one(definition)),
                &[404],
            ),
            "patch": operation(
                "amend",
                format!("{title}: change fields by a JSON merge patch"),
                one(&["IfMatch"]),
                Some(shapes::patch(definition.amend_schema())),
                (200, shapes::one(definition)),
                &CHANGES,
            ),
        }),
    );
    for (name, schema, needs_body) in shapes::transitions(definition) {
        paths.insert(
            format!("{root}/{{id}}/transitions/{name}"),
            json!({ "post": operation(
                &name,
                format!("{title}: {}", name.replace('_', " ")),
                one(&["IfMatch", "IdempotencyKey"]),
                Some(body(shapes::dated(definition, schema), needs_body)),
                (200, shapes::one(definition)),
                &CHANGES,
            ) }),
        );
    }
    if definition.has_tasks() {
        let mut change = one(&["IfMatch"]);
        change.push(shapes::task_number());
        paths.insert(
            format!("{root}/{{id}}/tasks"),
            json!({
                "get": operation(
                    "tasks",
                    format!("{title}: its tasks, in their order"),
                    one(&[]),
                    None,
                    (200, shown(&shapes::tasks())),
                    &[404],
                ),
                "post": operation(
                    "add_task",
                    format!("{title}: add a task"),
                    one(&["IfMatch", "IdempotencyKey"]),
                    Some(body(shapes::new_task(), true)),
                    (201, created(definition)),
                    &CHANGES,
                ),
            }),
        );
        paths.insert(
            format!("{root}/{{id}}/tasks/{{task}}"),
            json!({ "patch": operation(
                "change_task",
                format!("{title}: hand a task over, or settle it"),
                change,
                Some(body(shapes::task_patch(), true)),
                (200, shapes::one(definition)),
                &CHANGES,
            ) }),
        );
    }
    if !definition.voted().is_empty() {
        paths.insert(
            format!("{root}/{{id}}/votes"),
            json!({ "post": operation(
                "vote",
                format!("{title}: vote on {}", shapes::listing(&definition.voted())),
                one(&["IfMatch", "IdempotencyKey"]),
                Some(body(shapes::dated(definition, shapes::vote(definition)), true)),
                (201, created(definition)),
                &CHANGES,
            ) }),
        );
    }
    paths.insert(
        format!("{root}/{{id}}/history"),
        json!({ "get": operation(
            "history",
            format!("{title}: what happened, oldest first"),
            one(&["Limit", "Cursor"]),
            None,
            (200, shown(&json!({ "$ref": "#/components/schemas/History" }))),
            &[404, 422],
        ) }),
    );
    paths.insert(
        format!("{root}/{{id}}/erase"),
        json!({ "post": operation(
            "erase",
            format!("{title}: take values and content out for good (administrators)"),
            one(&["IfMatch", "IdempotencyKey"]),
            Some(body(shapes::erasure(definition), true)),
            (200, shapes::one(definition)),
            &CHANGES,
        ) }),
    );
    paths.insert(
        format!("{root}/{{id}}/comments"),
        json!({
            "get": operation(
                "comments",
                format!("{title}: what people said"),
                one(&[]),
                None,
                (200, shown(&json!({ "$ref": "#/components/schemas/Comments" }))),
                &[404],
            ),
            "post": operation(
                "comment",
                format!("{title}: say something"),
                one(&["IfMatch", "IdempotencyKey"]),
                Some(body(object(&[("text", json!({ "type": "string", "minLength": 1 }))]), true)),
                (201, created(definition)),
                &CHANGES,
            ),
        }),
    );
    paths.insert(
        format!("{root}/{{id}}/attachments"),
        json!({
            "get": operation(
                "attachments",
                format!("{title}: its files"),
                one(&[]),
                None,
                (200, shown(&json!({ "$ref": "#/components/schemas/Attachments" }))),
                &[404],
            ),
            "post": operation(
                "attach",
                format!("{title}: add a file"),
                one(&["FileName", "IfMatch", "IdempotencyKey"]),
                Some(shapes::file()),
                (201, created(definition)),
                &CHANGES,
            ),
        }),
    );
    paths.insert(
        format!("{root}/{{id}}/attachments/{{rev}}"),
        json!({ "get": operation(
            "attachment",
            format!("{title}: the bytes of a file"),
            one(&["FileRevision"]),
            None,
            (200, shapes::bytes()),
            &[404],
        ) }),
    );
    paths.insert(
        format!("{root}/{{id}}/links"),
        json!({
            "get": operation(
                "links",
                format!("{title}: what it is tied to"),
                one(&[]),
                None,
                (200, shown(&json!({ "$ref": "#/components/schemas/Links" }))),
                &[404],
            ),
            "post": operation(
                "link",
                format!("{title}: tie it to another record"),
                one(&["IfMatch", "IdempotencyKey"]),
                Some(body(shapes::link(definition), true)),
                (201, created(definition)),
                &CHANGES,
            ),
        }),
    );
    let mut end = one(&["IfMatch", "IdempotencyKey"]);
    end.extend(shapes::link_end());
    paths.insert(
        format!("{root}/{{id}}/links/{{relation}}/{{to}}"),
        json!({ "delete": operation(
            "unlink",
            format!("{title}: end a tie, whichever end made it"),
            end,
            None,
            (200, shapes::one(definition)),
            &CHANGES,
        ) }),
    );
}

#[cfg(test)]
mod tests;

//! What a service's processes are, for who wants to read before they act.

use std::collections::BTreeMap;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use chrono::{DateTime, Utc};
use engine::{
    Choice, Choices, Definition, FieldDefinition, Label, Languages, Part, Raci, Relation, Ruleset,
    Transition,
};
use http::{StatusCode, header};
use kernel::Fault;
use serde_json::{Map, Value, json};

use crate::{
    Identity, Office,
    door::Door,
    problem::Problem,
    publications::{self, Looked},
};

/// Longer lists are not shown with their field.
const CHOICES: usize = 500;

pub(super) fn router(office: &Office) -> Router {
    Router::new()
        .route("/api/v1/processes", get(all))
        .route("/api/v1/processes/{name}", get(one))
        .route("/api/v1/processes/{name}/schema", get(schema))
        .route("/api/v1/processes/{name}/counts", get(counts))
        .route("/api/v1/processes/{name}/raci", get(raci))
        .route("/api/v1/processes/{name}/page", get(page))
        .route("/api/v1/processes/{name}/diagram.svg", get(picture))
        .route("/api/v1/processes/{name}/diagram.mmd", get(diagram))
        .route("/api/v1/processes/{name}/check", post(check))
        .with_state(office.clone())
}

/// Lists the processes that this service runs.
async fn all(State(office): State<Office>, door: Door) -> axum::Json<Value> {
    let rules = office.rules();
    let processes = rules.processes().filter(|one| super::is_public(&one.process));
    let told = |definition| {
        let mut view = summary(definition, &door.languages);
        view["service"] = json!(office.service);
        view
    };
    let items: Vec<Value> = processes.map(told).collect();
    axum::Json(json!({ "items": items }))
}

/// A process: its states, who may move a record from each, with what evidence, where to.
async fn one(
    State(office): State<Office>,
    Path(name): Path<String>,
    door: Door,
) -> Result<axum::Json<Value>, Problem> {
    let rules = office.rules();
    let definition = rules.process(&name).ok_or_else(Problem::unknown)?;
    let mut view = view(&rules, definition, &door, office.clock.now());
    let owner = definition.accountable_role();
    let refused = door.identity.needs_role(owner.as_slice()).err();
    view["publish"] = json!({
        "refused_because": refused.map(|problem| problem.detail.clone()),
        "needs_another": office.needs_another,
    });
    Ok(axum::Json(view))
}

/// What people are told of a definition, in force or not yet.
fn view(rules: &Ruleset, definition: &Definition, door: &Door, now: DateTime<Utc>) -> Value {
    let languages = &door.languages;
    let mut view = summary(definition, languages);
    let view_of = |field| field_view(rules, definition, field, languages, now);
    let fields = definition.fields().iter().map(view_of);
    view["form"] = fields.collect();
    let refusal = engine::may_open(definition, &door.identity.actor);
    view["open"] = json!({ "refused_because": refusal });
    let states: Map<String, Value> = definition
        .states()
        .map(|state| {
            let transitions: Vec<Value> = definition
                .transitions(state)
                .iter()
                .map(|transition| offer(transition, languages))
                .collect();
            (state.to_owned(), Value::Array(transitions))
        })
        .collect();
    view["labels"] = labels(definition, languages);
    view["late"] = definition.late.as_ref().map_or(
        Value::Null,
        |late| json!({ "within": late.within, "calendar": late.calendar, "by": late.by }),
    );
    view["retain"] = json!(definition.retain);
    let personal = definition.fields().iter().filter(|field| field.personal);
    view["personal"] = personal.map(|field| field.name.as_str()).collect();
    if let (Some(view), Value::Object(outline)) = (view.as_object_mut(), definition.outline()) {
        view.extend(outline);
    }
    view["starts"] = definition.start_states().collect();
    view["order"] = definition.states().collect();
    view["states"] = Value::Object(states);
    view
}

/// The JSON Schema of each command of a process, and of its records' data.
async fn schema(
    State(office): State<Office>,
    Path(name): Path<String>,
    _: Identity,
) -> Result<axum::Json<Value>, Problem> {
    let rules = office.rules();
    let definition = rules.process(&name).ok_or_else(Problem::unknown)?;
    let transitions: Map<String, Value> = definition
        .all_transitions()
        .map(|(_, transition)| (transition.name.clone(), transition.schema.clone()))
        .collect();
    Ok(axum::Json(json!({
        "open": definition.open_schema(),
        "amend": definition.amend_schema(),
        "data": definition.data_schema(),
        "transitions": transitions,
    })))
}

/// How many records the caller sees in each state.
async fn counts(
    State(office): State<Office>,
    Path(name): Path<String>,
    door: Door,
) -> Result<axum::Json<Value>, Problem> {
    let rules = office.rules();
    let definition = rules.process(&name).ok_or_else(Problem::unknown)?;
    let states = counted(&office, definition, &door).await?;
    Ok(axum::Json(json!({ "process": name, "states": states })))
}

/// Who does, answers for, is asked about and is told of each step.
async fn raci(
    State(office): State<Office>,
    Path(name): Path<String>,
    _: Identity,
) -> Result<axum::Json<Raci>, Problem> {
    let rules = office.rules();
    let definition = rules.process(&name).ok_or_else(Problem::unknown)?;
    Ok(axum::Json(definition.raci()))
}

/// The page of documentation, in Markdown.
async fn page(
    State(office): State<Office>,
    Path(name): Path<String>,
    door: Door,
) -> Result<Response, Problem> {
    let rules = office.rules();
    let definition = rules.process(&name).ok_or_else(Problem::unknown)?;
    Ok(typed("text/markdown; charset=utf-8", definition.page(&door.languages)))
}

/// The state diagram as a picture, with how many records the caller sees in each state.
async fn picture(
    State(office): State<Office>,
    Path(name): Path<String>,
    door: Door,
) -> Result<Response, Problem> {
    drawn(&office, &name, &door, "image/svg+xml", Definition::svg).await
}

/// The same as Mermaid.
async fn diagram(
    State(office): State<Office>,
    Path(name): Path<String>,
    door: Door,
) -> Result<Response, Problem> {
    drawn(&office, &name, &door, "text/vnd.mermaid; charset=utf-8", Definition::mermaid).await
}

async fn drawn(
    office: &Office,
    name: &str,
    door: &Door,
    kind: &'static str,
    draw: fn(&Definition, &BTreeMap<String, u64>, &Languages) -> String,
) -> Result<Response, Problem> {
    let rules = office.rules();
    let definition = rules.process(name).ok_or_else(Problem::unknown)?;
    let counts = counted(office, definition, door).await?;
    Ok(typed(kind, draw(definition, &counts, &door.languages)))
}

async fn counted(
    office: &Office,
    definition: &Definition,
    door: &Door,
) -> Result<BTreeMap<String, u64>, Problem> {
    let mut counts = BTreeMap::new();
    let reader = door.reader();
    for state in definition.states() {
        let count = office.store.count(&definition.process, state, &reader).await?;
        counts.insert(state.to_owned(), count);
    }
    Ok(counts)
}

fn typed(kind: &'static str, body: String) -> Response {
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

/// What stands against the definition in the body, a YAML file: every fault with line and column, as
/// publishing would tell them. Beside them what it says otherwise than the one in force, and the process
/// as it would be, where it can be read. Nothing is published.
async fn check(
    State(office): State<Office>,
    Path(name): Path<String>,
    door: Door,
    body: Bytes,
) -> Result<axum::Json<Value>, Problem> {
    let text = std::str::from_utf8(&body)
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "body", "The body is not UTF-8."))?;
    let Looked { version, faults, changes } = publications::look(&office, &name, text).await?;
    let read = Definition::parse(text, version).ok();
    let would_be = read.map(|read| view(&office.rules(), &read, &door, office.clock.now()));
    let faults: Vec<Value> = faults.iter().map(placed).collect();
    Ok(axum::Json(json!({
        "process": name,
        "is_sound": faults.is_empty(),
        "faults": faults,
        "changes": changes,
        "would_be": would_be,
    })))
}

/// A fault of a text with its line and column; what is at no place of its own stands at the beginning.
fn placed(fault: &Fault) -> Value {
    let place = fault.path.split_once(':');
    let place = place
        .and_then(|(line, column)| Some((line.parse::<u32>().ok()?, column.parse::<u32>().ok()?)));
    let (line, column) = place.unwrap_or((1, 1));
    json!({ "line": line, "column": column, "code": fault.code, "message": fault.message })
}

/// What states, fields and roles are called.
fn labels(definition: &Definition, languages: &Languages) -> Value {
    let told = |label: &Label| Value::from(label.told(languages));
    let states = definition
        .states()
        .filter_map(|state| Some((state.to_owned(), told(definition.state_label(state)?))));
    let fields = definition.fields().iter().map(|field| (field.name.clone(), told(&field.label)));
    let roles = definition.role_labels().map(|(name, label)| (name.to_owned(), told(label)));
    json!({
        "states": states.collect::<Map<_, _>>(),
        "fields": fields.collect::<Map<_, _>>(),
        "roles": roles.collect::<Map<_, _>>(),
    })
}

fn summary(definition: &Definition, languages: &Languages) -> Value {
    // What a calendar shows: the first stretch of time that lists can be asked for.
    let window = definition.fields().iter().find(|field| field.is_window && field.index.is_some());
    json!({
        "process": definition.process,
        "collection": definition.collection,
        "prefix": definition.prefix,
        "title": definition.title.told(languages),
        "version": definition.version,
        "digest": definition.digest,
        "clauses": definition.clauses,
        "roles": definition.role_names(),
        "window": window.map(|field| &field.name),
        "links": definition.relations().iter().map(|tie| link(tie, languages)).collect::<Value>(),
    })
}

/// A kind of link, and what each end calls it.
fn link(tie: &Relation, languages: &Languages) -> Value {
    json!({
        "relation": tie.name,
        "label": tie.label.told(languages),
        "inverse": tie.inverse,
        "inverse_label": tie.inverse_label.told(languages),
    })
}

/// A field as forms and lists need it: its schema, whether people fill it, how lists ask for it, and what
/// it or its parts may hold where that is a list, each part and each value with what it is called.
fn field_view(
    rules: &Ruleset,
    definition: &Definition,
    field: &FieldDefinition,
    languages: &Languages,
    now: DateTime<Utc>,
) -> Value {
    let mut view = json!({
        "name": field.name,
        "schema": field.schema,
        "index": field.index,
        "is_window": field.is_window,
        "read_only": field.read_only,
        "required": definition.is_required(&field.name),
        "reference": field.reference,
    });
    let listed = field.reference.as_deref().and_then(|name| rules.schemes().list(name, now));
    if let Some(listed) = listed.filter(|listed| listed.counting(now).count() <= CHOICES) {
        let choice = |(key, entry): (&str, &Value)| json!({ "value": key, "title": entry.get("title").unwrap_or(&Value::Null) });
        view["choices"] = listed.counting(now).map(choice).collect();
    }
    let within = |of: &str| Some(of.strip_prefix(&field.name)?.strip_prefix('.')?.to_owned());
    for Part { of, label, .. } in &field.parts {
        let Some(part) = within(of) else { continue };
        view["parts"][part] = json!({ "label": label.told(languages) });
    }
    for Choices { of, all } in &field.choices {
        let choice = |Choice { value, label }: &Choice| json!({ "value": value, "title": label.told(languages) });
        let told = all.iter().map(choice).collect();
        match within(of) {
            Some(part) => view["parts"][part]["choices"] = told,
            None => view["choices"] = told,
        }
    }
    view
}

fn offer(transition: &Transition, languages: &Languages) -> Value {
    let mut offer = json!({
        "name": transition.name,
        "label": transition.label.told(languages),
        "to": transition.to,
        "by": transition.by,
        "needs": transition.needs,
        "takes": transition.takes,
        "says": transition.says,
    });
    if let Some(offer) = offer.as_object_mut() {
        offer.extend(transition.outline());
    }
    offer
}

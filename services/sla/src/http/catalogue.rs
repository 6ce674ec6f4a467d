//! `GET /api/v1/catalogue`: what is offered, each audience seeing its part; and `GET /api/v1/catalogue/alignment`:
//! where the catalogue is not what it says (catalogue section 2.12).

use axum::{
    Json,
    extract::{Query, State},
};
use chassis::{Office, Problem, door::Door};
use engine::Record;
use kernel::Reader;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{PAGE_LIMIT, Setback};

use super::words::{answers, asked};

/// Who runs services; they see all of an entry.
const STAFF: [&str; 4] = ["service_level_manager", "agent", "incident_manager", "auditor"];

/// What each audience sees of an entry, beside its number and status.
const OF_USERS: [&str; 9] = [
    "title",
    "code",
    "description",
    "hours",
    "request_items",
    "live_from",
    "retires_at",
    "outcome",
    "reason",
];
const OF_CUSTOMERS: [&str; 4] = ["customers", "agreement", "requirements", "criticality"];
const TECHNICAL: [&str; 4] = ["owner", "configuration_items", "depends_on", "change"];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum View {
    #[default]
    User,
    Customer,
    Technical,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    view: View,
}

/// Every service with its status, as the asked audience sees it.
pub(super) async fn catalogue(
    State(office): State<Office>,
    Query(pairs): Query<Vec<(String, String)>>,
    door: Door,
) -> Result<Json<Value>, Problem> {
    let asked: Asked = asked(pairs)?;
    match asked.view {
        View::User => {}
        View::Customer => {
            let also = [&STAFF[..], &["customer_contact"]].concat();
            office.needs_role(&door, &also, "read_customers_catalogue").await?;
        }
        View::Technical => office.needs_role(&door, &STAFF, "read_technical_catalogue").await?,
    }
    let items: Vec<Value> =
        services(&office).await?.iter().map(|service| shown(service, asked.view)).collect();
    Ok(Json(json!({ "items": items })))
}

fn shown(service: &Record, view: View) -> Value {
    let more: [&[&str]; 2] = match view {
        View::User => [&[], &[]],
        View::Customer => [&OF_CUSTOMERS, &[]],
        View::Technical => [&OF_CUSTOMERS, &TECHNICAL],
    };
    let mut entry = json!({ "number": service.number, "status": service.state });
    for name in OF_USERS.iter().chain(more.into_iter().flatten()) {
        if let Some(value) = service.data.get(*name) {
            entry[*name] = value.clone();
        }
    }
    // What retires is not ordered any more.
    if service.state != "live" {
        entry["request_items"] = json!([]);
    }
    entry
}

/// All services: what is published of them is for everybody.
async fn services(office: &Office) -> Result<Vec<Record>, Setback> {
    let mut query = store::Query { limit: PAGE_LIMIT, ..store::Query::of("service") };
    let mut services = Vec::new();
    loop {
        let page = office.store.list(&query, &Reader::Everything).await?;
        services.extend(page.items);
        query.cursor = page.next;
        if query.cursor.is_none() {
            services.sort_by(|one, other| one.number.cmp(&other.number));
            return Ok(services);
        }
    }
}

/// Where an entry that is offered does not fit with agreements, configuration items and calendars.
pub(super) async fn alignment(
    State(office): State<Office>,
    door: Door,
) -> Result<Json<Value>, Problem> {
    office.needs_role(&door, &STAFF, "read_catalogue_alignment").await?;
    let services = services(&office).await?;
    let mut misaligned = Vec::new();
    let offered: Vec<_> =
        services.iter().filter(|service| ["live", "retiring"].contains(&&*service.state)).collect();
    for service in &offered {
        let faults = faults(&office, service).await?;
        if !faults.is_empty() {
            misaligned.push(json!({
                "number": service.number,
                "code": service.data.get("code"),
                "faults": faults,
            }));
        }
    }
    Ok(Json(json!({ "offered": offered.len(), "misaligned": misaligned })))
}

async fn faults(office: &Office, service: &Record) -> Result<Vec<String>, Problem> {
    let mut faults = Vec::new();
    let text = |name| service.data.get(name).and_then(Value::as_str);
    match text("agreement") {
        None => faults.push("no agreement says what is promised".to_owned()),
        Some(number) => {
            let which = number.into();
            let found = office.store.record("agreement", &which, &Reader::Everything).await?;
            let state = found.map(|agreement| agreement.state);
            if !state.as_deref().is_some_and(|state| ["active", "under_review"].contains(&state)) {
                let state = state.as_deref().unwrap_or("unknown");
                faults.push(format!("its agreement {number} is {state}"));
            }
        }
    }
    let items = service.data.get("configuration_items").and_then(Value::as_array);
    if items.is_none_or(Vec::is_empty) {
        faults.push("no configuration item is known to provide it".to_owned());
    }
    if let Some(hours) =
        text("hours").filter(|name| office.rules().schemes().calendar(name).is_none())
    {
        faults.push(format!("its hours `{hours}` are no calendar"));
    }
    if text("owner").is_none() {
        faults.push("nobody owns it".to_owned());
    }
    Ok(faults)
}

pub(super) fn document() -> Value {
    let entry = json!({
        "type": "object",
        "required": ["number", "status"],
        "properties": {
            "number": { "type": "string" },
            "status": { "enum": ["planned", "live", "retiring", "retired"] },
            "title": { "type": "string" }, "code": { "type": "string" },
            "request_items": { "type": "array", "items": { "type": "object" } }
        }
    });
    let schema = json!({
        "type": "object",
        "required": ["items"],
        "properties": { "items": { "type": "array", "items": entry } }
    });
    json!({
        "operationId": "catalogue",
        "summary": "The service catalogue",
        "description": "Every service with its status and dates. Users see what they can order, customers what was agreed as well, and those who run services what provides them.",
        "tags": ["service"],
        "parameters": [{
            "name": "view", "in": "query", "required": false,
            "schema": { "enum": ["user", "customer", "technical"], "default": "user" }
        }],
        "responses": answers("The catalogue", schema, &[("422", "There is no such view")]),
    })
}

pub(super) fn alignment_document() -> Value {
    let item = json!({
        "type": "object",
        "properties": {
            "number": { "type": "string" }, "code": { "type": "string" },
            "faults": { "type": "array", "items": { "type": "string" } }
        }
    });
    let schema = json!({
        "type": "object",
        "required": ["offered", "misaligned"],
        "properties": {
            "offered": { "type": "integer", "minimum": 0 },
            "misaligned": { "type": "array", "items": item }
        }
    });
    json!({
        "operationId": "catalogue_alignment",
        "summary": "Where the catalogue is not what it says",
        "description": "Services that are offered without an active agreement, without configuration items, without an owner or in hours that are no calendar.",
        "tags": ["service"],
        "parameters": [],
        "responses": answers("What does not fit", schema, &[]),
    })
}

//! How many signals came in and what became of each, so that nobody has to believe us.

use axum::{Json, Router, extract::State, routing::get};
use chassis::{Identity, Office, Problem};
use contract::subject;
use serde_json::{Map, Value, json};

/// `GET /api/v1/intake/totals`, for agents and whoever manages incidents.
pub(crate) fn router(office: &Office) -> Router {
    Router::new().route("/api/v1/intake/totals", get(totals)).with_state(office.clone())
}

/// The service's words for it in the OpenAPI document.
pub(crate) fn document() -> Value {
    let count = json!({ "type": "integer", "minimum": 0 });
    let problem = |what: &str| {
        json!({ "description": what, "content": { "application/problem+json": {
            "schema": { "$ref": "#/components/schemas/ProblemDetails" } } } })
    };
    json!({ "paths": { "/api/v1/intake/totals": { "get": {
        "operationId": "intake_totals",
        "summary": "How many signals came in and what became of each",
        "description": "`received` counts what the stream ALERTS was given; every signal ends in exactly one fate, so `received` is the sum of `fates` plus `waiting`.",
        "tags": ["alert"],
        "responses": {
            "200": { "description": "The totals", "content": { "application/json": { "schema": {
                "type": "object",
                "required": ["received", "waiting", "fates"],
                "properties": {
                    "received": { "type": ["integer", "null"], "minimum": 0, "description": "Null while the bus cannot be asked" },
                    "waiting": { "type": ["integer", "null"] },
                    "fates": { "type": "object", "additionalProperties": count }
                } } } } },
            "401": problem("No valid identity"),
            "403": problem("The role is missing"),
            "500": problem("It could not be counted")
        } } } } })
}

async fn totals(State(office): State<Office>, identity: Identity) -> Result<Json<Value>, Problem> {
    identity.needs_role(&["agent", "incident_manager", "auditor"])?;
    // The stream first: what arrives meanwhile may be counted as waiting, never as lost.
    let received = match &office.bus {
        Some(bus) => {
            bus.totals(subject::ALERTS_STREAM).await.ok().map(|totals| totals.last_sequence)
        }
        None => None,
    };
    let mut fates = Map::new();
    let mut settled = 0;
    let all = office.store.tallies().await?.into_iter();
    for tally in all.filter(|tally| tally.consumer == crate::CONSUMER) {
        settled += tally.count;
        fates.insert(tally.outcome, tally.count.into());
    }
    let waiting = received.map(|received| received.saturating_sub(settled));
    Ok(Json(json!({ "received": received, "waiting": waiting, "fates": fates })))
}

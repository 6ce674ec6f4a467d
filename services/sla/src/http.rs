//! Endpoints beyond the record API: why a clock stands where it stands, how promises were kept and what
//! they stand on, what was reported of them, how they would have been kept under other terms, and the
//! catalogue for each of its audiences.

mod agreements;
mod catalogue;
mod compliance;
mod explain;
mod periods;
mod population;
mod whatif;
mod words;

use axum::{
    Router,
    routing::{get, post},
};
use chassis::{Office, Problem};
use serde_json::{Value, json};

pub(crate) fn router(office: &Office) -> Router {
    Router::new()
        .route("/api/v1/clocks/{id}/explain", get(explain::explain))
        .route("/api/v1/clocks/compliance", get(compliance::compliance))
        .route("/api/v1/clocks/whatif", post(whatif::whatif))
        .route("/api/v1/agreements/{id}/alignment", get(agreements::alignment))
        .route("/api/v1/agreements/{id}/workload", get(agreements::workload))
        .route("/api/v1/catalogue", get(catalogue::catalogue))
        .route("/api/v1/catalogue/alignment", get(catalogue::alignment))
        .route("/api/v1/periods", post(periods::close))
        .route("/api/v1/periods/{id}/figures", get(periods::figures))
        .with_state(office.clone())
}

/// What a clock needs to be worked out is not at hand.
fn unmeasured(fault: String) -> Problem {
    Problem::unavailable("not_measured", fault)
}

/// The service's words for them in the OpenAPI document.
pub(crate) fn document() -> Value {
    json!({ "paths": {
        "/api/v1/clocks/{id}/explain": { "get": explain::document() },
        "/api/v1/clocks/compliance": { "get": compliance::document() },
        "/api/v1/clocks/whatif": { "post": whatif::document() },
        "/api/v1/agreements/{id}/alignment": { "get": agreements::alignment_document() },
        "/api/v1/agreements/{id}/workload": { "get": agreements::workload_document() },
        "/api/v1/catalogue": { "get": catalogue::document() },
        "/api/v1/catalogue/alignment": { "get": catalogue::alignment_document() },
        "/api/v1/periods": { "post": periods::close_document() },
        "/api/v1/periods/{id}/figures": { "get": periods::figures_document() },
    } })
}

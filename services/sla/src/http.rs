//! Endpoints beyond the record API: why a clock stands where it stands.

mod explain;

use axum::{Router, routing::get};
use chassis::Office;
use serde_json::Value;

pub(crate) fn router(office: &Office) -> Router {
    Router::new()
        .route("/api/v1/clocks/{id}/explain", get(explain::explain))
        .with_state(office.clone())
}

/// The service's words for them in the OpenAPI document.
pub(crate) fn document() -> Value {
    explain::document()
}

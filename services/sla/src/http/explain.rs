//! `GET /api/v1/clocks/{id}/explain`: every segment, and one sentence for a customer.

use axum::{
    Json,
    extract::{Path, State},
};
use chassis::{Office, Problem, door::Door};
use engine::Schemes;
use kernel::ZONE_DATA;
use serde_json::{Value, json};

use super::{
    unmeasured,
    words::{answers, instant},
};
use crate::{
    explain::{segments, sentence, time},
    measure::{Measure, measure},
    reading::{Reading, case_of},
};

/// Explains a clock as it stands at this moment.
pub(super) async fn explain(
    State(office): State<Office>,
    Path(id): Path<String>,
    door: Door,
) -> Result<Json<Value>, Problem> {
    let record = office.store.record("clock", &id.as_str().into(), &door.reader()).await?;
    let record = record.ok_or_else(Problem::unknown)?;
    let case = case_of(&record).map_err(unmeasured)?;
    let now = office.clock.now().timestamp();
    let rules = office.rules();
    let measure = measure(&case, rules.schemes(), now).map_err(unmeasured)?;
    let text = |name| record.data.get(name).and_then(Value::as_str).unwrap_or_default();
    let warned = record.data.get("warned").and_then(Value::as_i64).unwrap_or(0);
    Ok(Json(json!({
        "clock": record.number,
        "of": text("of"),
        "of_number": text("of_number"),
        "target": text("target"),
        "as_of": time(now),
        "elapsed_seconds": measure.elapsed(),
        "reading": Reading::of(&measure, warned),
        "sentence": sentence(text("of_number"), text("target"), &measure),
        "segments": segments(&measure),
        "corrections": case.corrections,
        "zone": zone(&measure, rules.schemes()),
        "zone_data": ZONE_DATA,
    })))
}

/// The time zone of the calendar that counts; none where every hour does.
fn zone(measure: &Measure<'_>, schemes: &Schemes) -> Option<&'static str> {
    let name = measure.allowed.as_ref()?.limit.calendar.as_ref()?;
    Some(schemes.calendar(name)?.zone().name())
}

pub(super) fn document() -> Value {
    let text = json!({ "type": ["string", "null"] });
    let segment = json!({
        "type": "object",
        "required": ["from", "to", "seconds", "running", "because", "event", "revision", "zone_data"],
        "properties": {
            "from": instant(), "to": instant(),
            "seconds": { "type": "integer", "minimum": 1 },
            "running": { "type": "boolean" },
            "because": { "type": "string" },
            "event": { "type": "string" },
            "revision": { "type": "integer" },
            "agreement": text, "calendar": text,
            "zone_data": { "type": "string" }
        }
    });
    let explanation = json!({
        "type": "object",
        "required": ["clock", "of", "target", "as_of", "elapsed_seconds", "sentence", "segments"],
        "properties": {
            "clock": { "type": "string" },
            "of": { "type": "string" },
            "of_number": { "type": "string" },
            "target": { "type": "string" },
            "as_of": instant(),
            "elapsed_seconds": { "type": "integer", "minimum": 0 },
            "sentence": { "type": "string" },
            "reading": { "type": "object" },
            "corrections": { "type": "array", "items": { "type": "object" } },
            "zone": text,
            "zone_data": { "type": "string" },
            "segments": { "type": "array", "items": segment }
        }
    });
    json!({
        "operationId": "explain_clock",
        "summary": "Why a clock stands where it stands",
        "description": "Every segment from the start to this moment, each with its reason. Segments follow each other without a gap; the seconds of the running ones add up to `elapsed_seconds`.",
        "tags": ["clock"],
        "parameters": [{
            "name": "id", "in": "path", "required": true,
            "description": "The clock's id or number", "schema": { "type": "string" }
        }],
        "responses": answers("The explanation", explanation, &[("404", "There is no such clock")]),
    })
}

//! `GET /api/v1/agreements/{id}/workload` and `…/alignment`: how much came in, and what a promise stands on.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use chassis::{Office, Problem, door::Door};
use chrono::{DateTime, Utc};
use engine::Record;
use http::StatusCode;
use kernel::Reader;
use serde::Deserialize;
use serde_json::{Value, json};

use super::words::{answers, asked, instant};
use crate::{
    agreements::Agreement,
    explain::time,
    support::{Backing, gap},
    workload,
};

/// The states in which an agreement supports another.
const ACTIVE: [&str; 2] = ["active", "under_review"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Span {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

async fn agreement(office: &Office, id: &str, reader: &Reader) -> Result<Record, Problem> {
    let found = office.store.record("agreement", &id.into(), reader).await?;
    found.ok_or_else(Problem::unknown)
}

/// What was opened under the agreement in a period, beside what was agreed.
pub(super) async fn workload(
    State(office): State<Office>,
    Path(id): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
    door: Door,
) -> Result<Json<Value>, Problem> {
    let span: Span = asked(pairs)?;
    let agreement = agreement(&office, &id, &door.reader()).await?;
    let found = workload::of(&office, &agreement, span.from, span.to).await?;
    let mut view = found.map_or_else(
        || json!({ "agreement": agreement.number, "opened": null, "agreed": null, "is_over": false }),
        |found| found.view(),
    );
    view["from"] = json!(time(span.from.timestamp()));
    view["to"] = json!(time(span.to.timestamp()));
    Ok(Json(view))
}

/// Every limit of the agreement with what backs it, and what of that is not so.
pub(super) async fn alignment(
    State(office): State<Office>,
    Path(id): Path<String>,
    door: Door,
) -> Result<Json<Value>, Problem> {
    let record = agreement(&office, &id, &door.reader()).await?;
    let agreed = Agreement::of(&record).map_err(|fault| {
        let sentence = format!("{} cannot be measured by: {fault}", record.number);
        Problem::new(StatusCode::CONFLICT, "unreadable", sentence)
    })?;
    let mut items = Vec::new();
    for target in &agreed.targets {
        let mut backed_by = Vec::new();
        for backing in &target.backed_by {
            let fault = fault(&office, backing).await?;
            let mut view = json!(backing);
            view["fault"] = json!(fault);
            backed_by.push(view);
        }
        for limit in &target.limits {
            items.push(json!({
                "target": target.name,
                "when": limit.when,
                "within": limit.within,
                "calendar": limit.calendar,
                "backed_by": backed_by,
                "gap": gap(limit, &target.backed_by),
            }));
        }
    }
    Ok(Json(json!({
        "agreement": record.number,
        "gaps_accepted_by": record.data.get("gaps_accepted_by"),
        "items": items,
    })))
}

/// What the supporting agreement itself says otherwise.
async fn fault(office: &Office, backing: &Backing) -> Result<Option<String>, Problem> {
    let number = backing.agreement.as_str();
    let found = office.store.record("agreement", &number.into(), &Reader::Everything).await?;
    let Some(record) = found else { return Ok(Some(format!("there is no agreement {number}"))) };
    if !ACTIVE.contains(&record.state.as_str()) {
        return Ok(Some(format!("{number} is {}", record.state)));
    }
    let targets = Agreement::of(&record).map(|agreement| agreement.targets).unwrap_or_default();
    let Some(target) = targets.iter().find(|target| target.name == backing.target) else {
        return Ok(Some(format!("{number} has no target `{}`", backing.target)));
    };
    let says_so = |limit: &crate::terms::Limit| {
        limit.within == backing.within && limit.calendar == backing.calendar
    };
    let is_so = target.limits.iter().any(says_so);
    Ok((!is_so).then(|| format!("{number} does not promise `{}` within that", backing.target)))
}

pub(super) fn workload_document() -> Value {
    let count = json!({ "type": ["integer", "null"], "minimum": 0 });
    let text = json!({ "type": ["string", "null"] });
    let schema = json!({
        "type": "object",
        "required": ["agreement", "opened", "agreed", "is_over", "from", "to"],
        "properties": {
            "agreement": { "type": "string" }, "service": text, "customer": text,
            "opened": count, "agreed": count, "is_over": { "type": "boolean" },
            "from": instant(), "to": instant()
        }
    });
    let parameter =
        |name: &str| json!({ "name": name, "in": "query", "required": true, "schema": instant() });
    json!({
        "operationId": "agreement_workload",
        "summary": "How much came in under an agreement",
        "description": "Records that were opened under the agreement in the period, beside what was agreed for its months; `agreed` is null where nothing was, or the period is not made of months.",
        "tags": ["agreement"],
        "parameters": [identified(), parameter("from"), parameter("to")],
        "responses": answers(
            "The workload",
            schema,
            &[("404", "There is no such agreement"), ("422", "The period is missing or not understood")],
        ),
    })
}

pub(super) fn alignment_document() -> Value {
    let item = json!({
        "type": "object",
        "properties": {
            "target": { "type": "string" }, "when": { "type": "object" },
            "within": { "type": "string" }, "calendar": { "type": ["string", "null"] },
            "backed_by": { "type": "array", "items": { "type": "object" } },
            "gap": { "enum": ["unbacked", "too_long", "other_hours", null] }
        }
    });
    let schema = json!({
        "type": "object",
        "required": ["agreement", "items"],
        "properties": {
            "agreement": { "type": "string" },
            "gaps_accepted_by": { "type": ["string", "null"] },
            "items": { "type": "array", "items": item }
        }
    });
    json!({
        "operationId": "agreement_alignment",
        "summary": "What an agreement's promises stand on",
        "description": "Every limit with the targets of others that back it, where they do not fit into it, and where those agreements say otherwise.",
        "tags": ["agreement"],
        "parameters": [identified()],
        "responses": answers("The alignment", schema, &[
            ("404", "There is no such agreement"),
            ("409", "What it says cannot be measured by"),
        ]),
    })
}

fn identified() -> Value {
    json!({
        "name": "id", "in": "path", "required": true,
        "description": "The agreement's id or number", "schema": { "type": "string" }
    })
}

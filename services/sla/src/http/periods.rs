//! `POST /api/v1/periods`: closes a period; `GET /api/v1/periods/{id}/figures`: its figures as they were
//! reported, as they are now, and who changed what between.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State},
    response::Response,
};
use chassis::{Office, Problem, door::Door, json::Json as Body};
use chrono::{DateTime, Utc};
use engine::Happening;
use http::StatusCode;
use kernel::Channel;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Act, Closing, Restatement, Setback, Target, Wanted};

use super::{
    compliance::{line, row},
    words::{answers, instant},
};
use crate::{
    explain::time,
    figures::{FORMULA, Figures, Table},
    listening,
    totals::{BREACH, Cell},
    workload::{self, Workload},
};

/// What may close a period, as its definition hears it.
const CLOSED: &str = "figures.closed.v1";
/// What notices are given of, as their definition hears it.
const EXCEEDED: &str = "workload.exceeded.v1";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    note: Option<String>,
}

/// Closes a period that is over: its figures are kept as they are in this very transaction.
pub(super) async fn close(
    State(office): State<Office>,
    door: Door,
    body: Body,
) -> Result<Response, Problem> {
    office.needs_role(&door, &["service_level_manager"], "close_period").await?;
    let once = door.once(&body.digest);
    let asked: Asked = body.typed()?;
    if asked.from >= asked.to {
        return Err(Problem::invalid("/to", "period", "The period ends before it begins."));
    }
    if asked.to > office.clock.now() {
        let sentence = "The period is not over: its figures are open until then.";
        return Err(Problem::invalid("/to", "not_over", sentence));
    }
    let (from, to) = (time(asked.from.timestamp()), time(asked.to.timestamp()));
    let closing = Closing::of("clock", "period", asked.from, asked.to)?;
    let key = format!("{from}/{to}");
    let event = json!({ "key": key, "from": from, "to": to, "note": asked.note });
    let mut happenings = vec![Happening { kind: CLOSED.to_owned(), event, record: None }];
    happenings.extend(exceeded(&office, &asked, &key).await?);
    let mut cause = door.cause(&office.clock);
    // The period is opened by what is said of it, in words that people may not give.
    cause.channel = Channel::Event;
    let act = Act::new(cause, Target::Events(happenings), Vec::new());
    let done = office.act(Act { once, closes: Some(closing), ..act }).await?;
    if let Some(refusal) = done.refused.into_iter().next() {
        return Err(refusal.into());
    }
    let opened = done.steps.into_iter().map(|step| step.record);
    let period = opened.chain(done.record).find(|record| record.process == "period");
    let Some(record) = period else {
        let sentence = "This period is closed already.";
        return Err(Problem::new(StatusCode::CONFLICT, "closed", sentence));
    };
    Ok(office.answer(StatusCode::CREATED, &record, &door))
}

/// What both parties are told of workloads beyond the agreed ones.
async fn exceeded(office: &Office, asked: &Asked, key: &str) -> Result<Vec<Happening>, Setback> {
    let mut happenings = Vec::new();
    for agreement in listening::once_active(office).await? {
        let workload = workload::of(office, &agreement, asked.from, asked.to).await?;
        if let Some(workload) = workload.filter(Workload::is_over) {
            let (kind, event) = (EXCEEDED.to_owned(), workload.told(key));
            happenings.push(Happening { kind, event, record: None });
        }
    }
    Ok(happenings)
}

#[derive(Deserialize)]
struct Period {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

/// The figures of a closed period beside those of now, with every change between.
pub(super) async fn figures(
    State(office): State<Office>,
    Path(id): Path<String>,
    door: Door,
) -> Result<Json<Value>, Problem> {
    let reader = door.reader();
    let period = office.store.record("period", &id.as_str().into(), &reader).await?;
    let period = period.ok_or_else(Problem::unknown)?;
    let Period { from, to } = serde_json::from_value(Value::Object(period.data.clone()))
        .map_err(|_| Problem::broken())?;
    let now = office.clock.now();
    let closed = Table::closed(&office.store.closed(period.id, &reader).await?).grouped(true);
    let wanted = Wanted { process: "clock", from, until: to, now, due: BREACH };
    let present = Table::now(&office.store.sums(wanted, &reader).await?).grouped(true);
    let agreements = listening::all(&office).await?;
    let places: BTreeMap<_, _> = present.iter().chain(&closed).collect();
    let nothing = (Figures::default(), None);
    let items: Vec<Value> = places
        .keys()
        .map(|place| {
            let (kept, last) = closed.get(*place).unwrap_or(&nothing);
            let (is, since) = present.get(*place).unwrap_or(&nothing);
            let mut item = row(place, kept, last.as_deref(), &agreements);
            if kept != is {
                item["now"] = row(place, is, since.as_deref(), &agreements);
            }
            item
        })
        .collect();
    let restatements = office.store.restatements(period.id, &reader).await?;
    let restatements: Vec<Value> = restatements.iter().filter_map(told).collect();
    Ok(Json(json!({
        "period": period.number,
        "from": time(from.timestamp()),
        "to": time(to.timestamp()),
        "closed_at": time(period.opened_at.timestamp()),
        "closed_by": period.opened_by,
        "as_of": time(now.timestamp()),
        "formula": FORMULA,
        "items": items,
        "restatements": restatements,
    })))
}

/// A change as people read it; none where it changed no figure.
fn told(change: &Restatement) -> Option<Value> {
    let (before, after) = (result(change.was.as_deref()), result(change.became.as_deref()));
    (before != after).then(|| {
        json!({
            "clock": change.number,
            "rev": change.revision,
            "event": change.kind,
            "at": time(change.at.timestamp()),
            "by": change.actor,
            "before": before,
            "after": after,
        })
    })
}

/// How a clock counts in a period that is over: what still runs in it is past its due time.
fn result(cell: Option<&str>) -> Option<Value> {
    let cell: Cell = serde_json::from_str(cell?).ok()?;
    let mut result = json!(cell);
    if ["running", "paused"].iter().any(|open| result["standing"] == *open) {
        result["standing"] = json!("breached");
    }
    Some(result)
}

pub(super) fn close_document() -> Value {
    let asked = json!({
        "type": "object",
        "required": ["from", "to"],
        "additionalProperties": false,
        "properties": {
            "from": instant(), "to": instant(), "note": { "type": "string", "maxLength": 4000 }
        }
    });
    let mut answers = answers(
        "The period",
        json!({ "$ref": "#/components/schemas/Period" }),
        &[
            ("400", "The body is no JSON"),
            ("409", "The period is closed already"),
            ("413", "The body is too large"),
            ("415", "The body is not declared as JSON"),
            ("422", "The period is not over, or does not begin and end with a quarter of an hour"),
        ],
    );
    if let Some(created) = answers.as_object_mut().and_then(|answers| answers.remove("200")) {
        answers["201"] = created;
    }
    json!({
        "operationId": "close_period",
        "summary": "Close a period",
        "description": "Keeps the figures of a period as they are now. What changes them later is noted beside them.",
        "tags": ["period"],
        "requestBody": { "required": true, "content": { "application/json": { "schema": asked } } },
        "responses": answers,
    })
}

pub(super) fn figures_document() -> Value {
    let mut item = line();
    item["properties"]["now"] = line();
    let change = json!({
        "type": "object",
        "properties": {
            "clock": { "type": "string" }, "rev": { "type": "integer" },
            "event": { "type": "string" }, "at": instant(), "by": { "type": "string" },
            "before": { "type": ["object", "null"] }, "after": { "type": ["object", "null"] }
        }
    });
    let schema = json!({
        "type": "object",
        "required": ["period", "from", "to", "closed_at", "closed_by", "formula", "items", "restatements"],
        "properties": {
            "period": { "type": "string" }, "from": instant(), "to": instant(),
            "closed_at": instant(), "closed_by": { "type": "string" }, "as_of": instant(),
            "formula": { "type": "string" },
            "items": {
                "type": "array", "items": item,
                "description": "As they were at the closing; `now` stands beside those that differ by now"
            },
            "restatements": { "type": "array", "items": change }
        }
    });
    json!({
        "operationId": "period_figures",
        "summary": "The figures of a closed period",
        "description": "As they were reported, as they are now, and which clock was changed by whom between.",
        "tags": ["period"],
        "parameters": [{
            "name": "id", "in": "path", "required": true,
            "description": "The period's id or number", "schema": { "type": "string" }
        }],
        "responses": answers("The figures", schema, &[("404", "There is no such period")]),
    })
}

//! `GET /api/v1/clocks/compliance`: how promises were kept, per target, service, customer and period.

use axum::{
    Json,
    extract::{Query, State},
};
use chassis::{Office, Problem, door::Door};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use store::Wanted;

use super::words::{answers, asked, instant};
use crate::{
    agreements::Agreements,
    explain::time,
    figures::{FORMULA, Figures, Table, goal},
    listening,
    totals::{BREACH, Place},
};

/// Which figures are asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    kind: Option<String>,
    target: Option<String>,
    service: Option<String>,
    customer: Option<String>,
    priority: Option<String>,
    /// What else has figures of its own.
    per: Option<Per>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Per {
    Priority,
}

impl Asked {
    fn wants(&self, place: &Place) -> bool {
        let fits = |asked: &Option<String>, found: Option<&str>| {
            asked.as_deref().is_none_or(|asked| found == Some(asked))
        };
        let priority = place.priority.map(|priority| priority.to_string());
        fits(&self.kind, Some(&place.kind))
            && fits(&self.target, Some(&place.target))
            && fits(&self.service, place.service.as_deref())
            && fits(&self.customer, place.customer.as_deref())
            && fits(&self.priority, priority.as_deref())
    }

    fn keeps_priority(&self) -> bool {
        self.per.is_some() || self.priority.is_some()
    }
}

/// Counts what was due from `from` up to, not including, `to`, as it stands at this moment: from kept
/// totals, whatever the number of clocks.
pub(super) async fn compliance(
    State(office): State<Office>,
    Query(pairs): Query<Vec<(String, String)>>,
    door: Door,
) -> Result<Json<Value>, Problem> {
    let asked: Asked = asked(pairs)?;
    let now = office.clock.now();
    let wanted = Wanted { process: "clock", from: asked.from, until: asked.to, now, due: BREACH };
    let mut table = Table::now(&office.store.sums(wanted, &door.reader()).await?);
    table.0.retain(|place, _| asked.wants(place));
    let agreements = listening::all(&office).await?;
    let items: Vec<Value> = table
        .grouped(asked.keeps_priority())
        .iter()
        .map(|(place, (figures, last))| {
            let mut row = row(place, figures, last.as_deref(), &agreements);
            let records = records(&asked, place);
            let past = time(now.timestamp());
            row["opens"] = json!({
                "met": format!("{records} && record.state == 'met'"),
                "breached": format!("{records} && (record.state == 'breached' || (record.state in ['running', 'paused'] && record.due_at <= timestamp('{past}')))"),
                "open": format!("{records} && record.state in ['running', 'paused'] && record.due_at > timestamp('{past}')"),
                "excluded": format!("{records} && record.state == 'cancelled'"),
            });
            row["records"] = json!(records);
            row
        })
        .collect();
    Ok(Json(json!({ "as_of": time(now.timestamp()), "formula": FORMULA, "items": items })))
}

/// One line of a report.
pub(super) fn row(
    place: &Place,
    figures: &Figures,
    agreement: Option<&str>,
    agreements: &Agreements,
) -> Value {
    let compliance = figures.compliance();
    let goal = goal(agreements, agreement, &place.target);
    json!({
        "kind": place.kind,
        "target": place.target,
        "service": place.service,
        "customer": place.customer,
        "priority": place.priority,
        "met": figures.met,
        "breached": figures.breached,
        "open": figures.open,
        "excluded": figures.excluded,
        "compliance": compliance,
        "goal": goal,
        "is_kept": compliance.zip(goal).map(|(compliance, goal)| compliance >= goal),
    })
}

/// The `filter` with which `GET /api/v1/clocks` lists what a line counts.
fn records(asked: &Asked, place: &Place) -> String {
    let word = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    let value = |text: &Option<String>| text.as_deref().map_or("null".to_owned(), word);
    let priority = match place.priority {
        Some(priority) => format!(" && record.priority == {priority}"),
        None if asked.keeps_priority() => " && record.priority == null".to_owned(),
        None => String::new(),
    };
    format!(
        "record.kind == {} && record.target == {} && record.service == {} && record.customer == {}{priority} \
         && record.due_at >= timestamp('{}') && record.due_at < timestamp('{}')",
        word(&place.kind),
        word(&place.target),
        value(&place.service),
        value(&place.customer),
        time(asked.from.timestamp()),
        time(asked.to.timestamp()),
    )
}

/// A line of figures, as the OpenAPI document shows it.
pub(super) fn line() -> Value {
    let count = json!({ "type": "integer", "minimum": 0 });
    let text = json!({ "type": ["string", "null"] });
    json!({
        "type": "object",
        "properties": {
            "kind": { "type": "string" }, "target": { "type": "string" },
            "service": text, "customer": text,
            "priority": { "type": ["integer", "null"] },
            "met": count, "breached": count, "open": count, "excluded": count,
            "compliance": { "type": ["number", "null"] },
            "goal": { "type": ["number", "null"] },
            "is_kept": { "type": ["boolean", "null"] }
        }
    })
}

pub(super) fn document() -> Value {
    let filter = |what: &str| json!({ "type": "string", "description": what });
    let mut item = line();
    item["properties"]["records"] = filter("The filter that lists what the line counts");
    item["properties"]["opens"] = json!({
        "type": "object",
        "additionalProperties": filter("The filter that lists what the figure of this name counts"),
    });
    let schema = json!({
        "type": "object",
        "required": ["as_of", "formula", "items"],
        "properties": {
            "as_of": instant(),
            "formula": { "type": "string" },
            "items": { "type": "array", "items": item }
        }
    });
    let parameter = |name: &str, is_required: bool, schema: Value| json!({ "name": name, "in": "query", "required": is_required, "schema": schema });
    let text = || json!({ "type": "string" });
    let parameters = json!([
        parameter("from", true, instant()),
        parameter("to", true, instant()),
        parameter("kind", false, text()),
        parameter("target", false, text()),
        parameter("service", false, text()),
        parameter("customer", false, text()),
        parameter("priority", false, text()),
        parameter("per", false, json!({ "enum": ["priority"] })),
    ]);
    json!({
        "operationId": "compliance",
        "summary": "How promises were kept",
        "description": "Of what was due in the period, per kind, target, service and customer, exact to this moment. A period begins and ends with a quarter of an hour.",
        "tags": ["clock"],
        "parameters": parameters,
        "responses": answers(
            "The figures",
            schema,
            &[("422", "The period is missing, not understood, or does not begin and end with a quarter of an hour")],
        ),
    })
}

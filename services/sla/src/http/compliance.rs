//! `GET /api/v1/clocks/compliance`: how promises were kept, per target, service, customer and period.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Query, State},
};
use chassis::{Office, Problem, door::Door};
use serde_json::{Map, Value, json};

use super::{
    population::Population,
    unmeasured,
    words::{answers, instant},
};
use crate::{
    explain::time,
    measure::{Standing, measure},
    reading::case_of,
};

const FORMULA: &str = "met / (met + breached) of what was due in the period; what is open and past its target counts as breached";

/// What has one figure: kind, target, service and customer.
type Place = (String, String, Option<String>, Option<String>);

#[derive(Default)]
struct Tally {
    met: usize,
    breached: usize,
    /// Due in the period, but not yet.
    open: usize,
    goal: Option<f64>,
}

impl Tally {
    fn compliance(&self) -> Option<f64> {
        let judged = self.met + self.breached;
        #[expect(clippy::cast_precision_loss, reason = "clocks are counted in thousands")]
        let share = |count: usize| count as f64 * 100.0 / judged as f64;
        (judged > 0).then(|| (share(self.met) * 1_000.0).round() / 1_000.0)
    }
}

/// Counts what was due from `from` up to, not including, `to`, as it stands at this moment.
pub(super) async fn compliance(
    State(office): State<Office>,
    Query(asked): Query<Vec<(String, String)>>,
    door: Door,
) -> Result<Json<Value>, Problem> {
    let asked: Map<String, Value> =
        asked.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
    let population: Population = serde_json::from_value(Value::Object(asked))
        .map_err(|fault| Problem::invalid("", "query", fault.to_string()))?;
    let now = office.clock.now().timestamp();
    let mut tallies: BTreeMap<Place, Tally> = BTreeMap::new();
    for record in population.clocks(&office, &door, "due_at").await? {
        let case = case_of(&record).map_err(unmeasured)?;
        let measure = measure(&case, office.rules.schemes(), now).map_err(unmeasured)?;
        let text = |name| record.data.get(name).and_then(Value::as_str).map(str::to_owned);
        let place = (
            text("kind").unwrap_or_default(),
            text("target").unwrap_or_default(),
            text("service"),
            text("customer"),
        );
        let tally = tallies.entry(place).or_default();
        match measure.standing() {
            Standing::Met => tally.met += 1,
            Standing::Breached => tally.breached += 1,
            Standing::Running => tally.open += 1,
            // It is owed no more, or nobody knows when.
            Standing::Cancelled | Standing::Paused | Standing::Waiting => {}
        }
        tally.goal = measure.terms.and_then(|terms| terms.target.goal).or(tally.goal);
    }
    let items: Vec<Value> =
        tallies.iter().map(|(place, tally)| row(&population, place, tally)).collect();
    Ok(Json(json!({ "as_of": time(now), "formula": FORMULA, "items": items })))
}

fn row(population: &Population, place: &Place, tally: &Tally) -> Value {
    let (kind, target, service, customer) = place;
    let compliance = tally.compliance();
    json!({
        "kind": kind,
        "target": target,
        "service": service,
        "customer": customer,
        "met": tally.met,
        "breached": tally.breached,
        "open": tally.open,
        "compliance": compliance,
        "goal": tally.goal,
        "is_kept": compliance.zip(tally.goal).map(|(compliance, goal)| compliance >= goal),
        "records": records(population, place),
    })
}

/// The `filter` with which `GET /api/v1/clocks` lists what a figure counts.
fn records(population: &Population, (kind, target, service, customer): &Place) -> String {
    let word = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    let value = |text: &Option<String>| text.as_deref().map_or("null".to_owned(), word);
    format!(
        "record.kind == {} && record.target == {} && record.service == {} && record.customer == {} \
         && record.due_at >= timestamp('{}') && record.due_at < timestamp('{}')",
        word(kind),
        word(target),
        value(service),
        value(customer),
        time(population.from.timestamp()),
        time(population.to.timestamp()),
    )
}

pub(super) fn document() -> Value {
    let count = json!({ "type": "integer", "minimum": 0 });
    let text = json!({ "type": ["string", "null"] });
    let item = json!({
        "type": "object",
        "properties": {
            "kind": { "type": "string" }, "target": { "type": "string" },
            "service": text, "customer": text,
            "met": count, "breached": count, "open": count,
            "compliance": { "type": ["number", "null"] },
            "goal": { "type": ["number", "null"] },
            "is_kept": { "type": ["boolean", "null"] },
            "records": { "type": "string", "description": "The filter that lists what is counted" }
        }
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
    let parameter = |name: &str, is_required: bool| {
        let schema = if is_required { instant() } else { json!({ "type": "string" }) };
        json!({ "name": name, "in": "query", "required": is_required, "schema": schema })
    };
    let optional = ["kind", "target", "service", "customer"];
    let parameters: Vec<Value> = ["from", "to"]
        .map(|name| parameter(name, true))
        .into_iter()
        .chain(optional.map(|name| parameter(name, false)))
        .collect();
    json!({
        "operationId": "compliance",
        "summary": "How promises were kept",
        "description": "Of what was due in the period, per kind, target, service and customer, exact to this moment.",
        "tags": ["clock"],
        "parameters": parameters,
        "responses": answers(
            "The figures",
            schema,
            &[("422", "The period is missing, not understood, or holds more than 20,000 clocks")],
        ),
    })
}

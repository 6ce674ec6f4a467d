//! `POST /api/v1/clocks/whatif`: what clocks of the past would have been under other terms.

use std::collections::{BTreeMap, BTreeSet};

use axum::{Json, extract::State};
use chassis::{Office, Problem, door::Door, json::Json as Body};
use engine::{Record, Scheme, SchemeKind, Schemes};
use kernel::{Calendar, CalendarSource, Fault};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    population::Population,
    unmeasured,
    words::{answers, instant},
};
use crate::{
    case::Case,
    explain::time,
    matrix::Matrix,
    measure::{Measure, Standing, measure},
    reading::case_of,
    terms::{self, Target},
};

/// The proposal, and the clocks that it is tried on: those that started in the period, and of its target
/// where it names one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Proposal {
    #[serde(default)]
    target: Option<Target>,
    /// Calendars that are not there yet, or another one under the name of one that is.
    #[serde(default)]
    calendars: BTreeMap<String, CalendarSource>,
    /// Another way to come to a field, such as the priority from impact and urgency.
    #[serde(default)]
    matrix: Option<Matrix>,
    period: Population,
}

/// So many of the clocks that would differ are listed; all are counted.
const LISTED: usize = 10_000;

/// The version of a calendar that has none yet.
const PROPOSED: u32 = 0;

/// How a clock stands, as far as a customer feels it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Outcome {
    standing: Standing,
    due_at: Option<i64>,
}

impl Outcome {
    fn of(measure: &Measure<'_>) -> Self {
        Self { standing: measure.standing(), due_at: measure.due_at() }
    }

    fn view(self, measure: &Measure<'_>) -> Value {
        json!({
            "state": self.standing,
            "due_at": self.due_at.map(time),
            "elapsed_seconds": measure.elapsed(),
        })
    }
}

/// Works every clock out again under the proposal, and tells those whose result would differ.
/// Nothing is changed.
pub(super) async fn whatif(
    State(office): State<Office>,
    door: Door,
    body: Body,
) -> Result<Json<Value>, Problem> {
    office.needs_role(&door, &["service_level_manager"], "whatif").await?;
    let Proposal { target, calendars, matrix, mut period } = body.typed()?;
    if target.is_none() && calendars.is_empty() && matrix.is_none() {
        let sentence = "A target, calendars or a matrix are proposed, or several of them.";
        return Err(Problem::invalid("", "one_of", sentence));
    }
    let names = calendars.keys().cloned().collect();
    let proposed = schemes(&office, calendars)?;
    if let Some(target) = &target {
        let faults = terms::faults(&json!([target]), &proposed);
        if !faults.is_empty() {
            let faults = faults.into_iter().map(|fault| Fault::new("/target", "target", fault));
            let problem = Problem::invalid("/target", "target", "The target cannot be measured.");
            return Err(problem.with_errors(faults.collect()));
        }
        period.target.get_or_insert_with(|| target.name.clone());
    }
    let now = office.clock.now().timestamp();
    let rules = office.rules();
    let present = rules.schemes();
    let trial = Trial { now, present, proposed: &proposed, names, target, matrix };
    let mut pages = period.pages(&office, &door, "started_at")?;
    let (mut clocks, mut differ) = (0, 0);
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    let (mut items, mut unknown) = (Vec::new(), BTreeSet::new());
    while let Some(page) = pages.next().await? {
        for record in &page {
            let (was, would, item) = trial.run(record, &mut unknown).map_err(unmeasured)?;
            *before.entry(word(was)).or_insert(0) += 1;
            *after.entry(word(would)).or_insert(0) += 1;
            clocks += 1;
            differ += usize::from(item.is_some());
            items.extend(item.filter(|_| items.len() < LISTED));
        }
    }
    Ok(Json(json!({
        "as_of": time(now),
        "clocks": clocks,
        "differ": differ,
        "before": before,
        "after": after,
        "items": items,
        "not_kept": unknown,
    })))
}

fn word(standing: Standing) -> String {
    json!(standing).as_str().unwrap_or_default().to_owned()
}

/// The calendars of the service, those of the proposal laid over them.
fn schemes(
    office: &Office,
    calendars: BTreeMap<String, CalendarSource>,
) -> Result<Schemes, Problem> {
    let proposed = calendars.into_iter().map(|(name, source)| {
        let calendar = Calendar::try_from(source).map_err(|faults| {
            let path = format!("/calendars/{name}");
            Problem::invalid(path, "calendar", faults.join("; "))
        })?;
        let kind = SchemeKind::Calendar(calendar);
        Ok(Scheme { name, version: PROPOSED, digest: String::new(), valid_from: None, kind })
    });
    Ok(office.rules().schemes().overlaid(proposed.collect::<Result<_, Problem>>()?))
}

struct Trial<'a> {
    now: i64,
    present: &'a Schemes,
    proposed: &'a Schemes,
    /// The calendars that are proposed.
    names: BTreeSet<String>,
    target: Option<Target>,
    matrix: Option<Matrix>,
}

impl Trial<'_> {
    /// How a clock stands and would stand, and what of it would differ.
    fn run(
        &self,
        record: &Record,
        unknown: &mut BTreeSet<String>,
    ) -> Result<(Standing, Standing, Option<Value>), String> {
        let case = case_of(record)?;
        self.missed(&case, unknown);
        let tried = self.proposed(&case);
        let was = measure(&case, self.present, self.now)?;
        let would = measure(&tried, self.proposed, self.now)?;
        let (before, after) = (Outcome::of(&was), Outcome::of(&would));
        let item = (before != after).then(|| {
            json!({
                "clock": record.number,
                "of": record.data.get("of"),
                "of_number": record.data.get("of_number"),
                "before": before.view(&was),
                "after": after.view(&would),
            })
        });
        Ok((before.standing, after.standing, item))
    }

    /// The same moments under what is proposed.
    fn proposed(&self, case: &Case) -> Case {
        let mut tried = case.clone();
        for terms in &mut tried.terms {
            match &self.target {
                Some(target) => {
                    terms.target = target.clone();
                    terms.calendars = target.calendars_now(self.proposed);
                }
                None => {
                    let own = terms.calendars.iter_mut();
                    own.filter(|(name, _)| self.names.contains(*name)).for_each(|(_, version)| {
                        *version = PROPOSED;
                    });
                }
            }
        }
        if let Some(matrix) = &self.matrix {
            tried.moments.iter_mut().for_each(|moment| matrix.lay_over(moment));
        }
        tried
    }

    /// What the proposal asks of events that clocks kept no moments of, because nothing asked for it.
    fn missed(&self, case: &Case, unknown: &mut BTreeSet<String>) {
        if let Some(matrix) = &self.matrix {
            let missing = |field: &&String| {
                case.moments.iter().any(|moment| !moment.fields.contains_key(*field))
            };
            unknown.extend(matrix.asked().filter(missing).cloned());
        }
        let Some(target) = &self.target else { return };
        for terms in &case.terms {
            let kept: Vec<_> = terms.target.named_values().collect();
            let asked = target.named_values().filter(|asked| !kept.contains(asked));
            unknown.extend(asked.map(|(field, value)| match value {
                Value::String(text) => format!("{field} is {text}"),
                other => format!("{field} is {other}"),
            }));
        }
    }
}

pub(super) fn document() -> Value {
    let counts = json!({ "type": "object", "additionalProperties": { "type": "integer" } });
    let result = json!({
        "type": "object",
        "properties": {
            "state": { "type": "string" },
            "due_at": { "type": ["string", "null"] },
            "elapsed_seconds": { "type": "integer" }
        }
    });
    let item = json!({
        "type": "object",
        "properties": {
            "clock": { "type": "string" }, "of": { "type": "string" }, "of_number": { "type": "string" },
            "before": result, "after": result
        }
    });
    let schema = json!({
        "type": "object",
        "required": ["as_of", "clocks", "differ", "before", "after", "items", "not_kept"],
        "properties": {
            "as_of": instant(),
            "clocks": { "type": "integer" },
            "differ": { "type": "integer" },
            "before": counts, "after": counts,
            "items": { "type": "array", "items": item, "description": "The first 10,000 that would differ" },
            "not_kept": {
                "type": "array", "items": { "type": "string" },
                "description": "What the proposal asks for and clocks have kept no moments of: there, the results may differ further"
            }
        }
    });
    let text = json!({ "type": "string" });
    let period = json!({
        "type": "object",
        "required": ["from", "to"],
        "additionalProperties": false,
        "properties": {
            "from": instant(), "to": instant(),
            "kind": text, "target": text, "service": text, "customer": text
        }
    });
    let matrix = json!({
        "type": "object",
        "required": ["inputs", "table"],
        "additionalProperties": false,
        "description": "How a field comes from others: priority from impact and urgency",
        "properties": {
            "field": { "type": "string", "default": "priority" },
            "inputs": { "type": "array", "items": text },
            "table": { "type": "object" },
            "unless": { "type": "string", "default": "priority_override" }
        }
    });
    let proposal = json!({
        "type": "object",
        "required": ["period"],
        "additionalProperties": false,
        "properties": {
            "target": { "type": "object", "description": "As agreements have it" },
            "calendars": { "type": "object", "additionalProperties": { "type": "object" } },
            "matrix": matrix,
            "period": period
        }
    });
    json!({
        "operationId": "whatif_clocks",
        "summary": "What clocks would have been under other terms",
        "description": "Works every clock that started in the period out again under the proposed target, calendars and priority matrix, from the same moments; without a target each keeps its own. Nothing is changed.",
        "tags": ["clock"],
        "requestBody": { "required": true, "content": { "application/json": { "schema": proposal } } },
        "responses": answers(
            "What would differ",
            schema,
            &[
                ("400", "The body is no JSON"),
                ("413", "The body is too large"),
                ("415", "The body is not declared as JSON"),
                ("422", "The proposal cannot be measured, or the period holds more than 300,000 clocks"),
            ],
        ),
    })
}

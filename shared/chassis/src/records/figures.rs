//! What charts are drawn from: how many records there were when, and how they passed from state to
//! state. Each figure says as a filter which records are behind it.

use axum::{
    Router,
    extract::{Path, Query as Parameters, State},
    routing::get,
};
use chrono::{DateTime, Utc};
use engine::{Definition, Field};
use kernel::{Fault, Refusal, Rule};
use serde_json::{Value, json};
use store::{COUNTED_LIMIT, Passed, SPANS_LIMIT, Series};

use super::list::{Asked, instant};
use crate::{Office, door::Door, office::time, problem::Problem};

pub(super) fn router(office: &Office) -> Router {
    Router::new()
        .route("/api/v1/processes/{name}/series", get(series))
        .route("/api/v1/processes/{name}/flow", get(flow))
        .with_state(office.clone())
}

/// How many records that the caller sees lie in each span of time: `of` is an indexed field that holds
/// a time, `edges` are the instants between the spans, rising, with commas between them; `filter` counts only
/// some. Of more than a hundred thousand the latest are counted, and `is_complete` is false; a filter that asks for
/// states or changes is answered whole, and refused where there are more.
async fn series(
    State(office): State<Office>,
    Path(name): Path<String>,
    Parameters(pairs): Parameters<Vec<(String, String)>>,
    door: Door,
) -> Result<axum::Json<Value>, Problem> {
    let asked = Asked::parse(pairs, &["of", "edges", "filter"])?;
    let rules = office.rules();
    let definition = rules.process(&name).ok_or_else(Problem::unknown)?;
    let of = asked.of.as_deref().unwrap_or("opened_at");
    let given = asked.filter.as_deref().filter(|filter| !filter.trim().is_empty());
    let series = Series {
        process: name.clone(),
        of: time_field(definition, of)?,
        edges: edges(asked.edges.as_deref().unwrap_or_default())?,
        filter: given.map(|filter| rules.filter(definition, filter)).transpose()?,
        at_most: COUNTED_LIMIT,
    };
    let spread = office.store.series(&series, &door.reader()).await?;
    let spans = series.edges.windows(2).zip(&spread.counts).filter_map(|(ends, count)| {
        let (from, to) = (time(*ends.first()?), time(*ends.last()?));
        let mut filter = format!("record.{of} >= '{from}' && record.{of} < '{to}'");
        if let Some(given) = given {
            filter = format!("({given}) && {filter}");
        }
        Some(json!({ "from": from, "to": to, "count": count, "filter": filter }))
    });
    let spans: Vec<Value> = spans.collect();
    Ok(axum::Json(json!({
        "process": name, "of": of, "spans": spans, "is_complete": spread.is_complete,
    })))
}

/// How records that the caller sees passed from state to state between `since` and `before`: of the
/// thousand that changed last, and `is_complete` is false where more did. Each step says how often it
/// was taken, and as a filter by which records, fifty at most.
async fn flow(
    State(office): State<Office>,
    Path(name): Path<String>,
    Parameters(pairs): Parameters<Vec<(String, String)>>,
    door: Door,
) -> Result<axum::Json<Value>, Problem> {
    let asked = Asked::parse(pairs, &["since", "before"])?;
    office.rules().process(&name).ok_or_else(Problem::unknown)?;
    let since = instant("since", asked.since.as_deref())?.ok_or_else(|| {
        Problem::invalid("/since", "required", "`since` is the moment to begin at.")
    })?;
    let before = instant("before", asked.before.as_deref())?;
    let before = before.unwrap_or_else(|| office.clock.now());
    let flow = office.store.flow(&name, since, before, &door.reader()).await?;
    let step = |Passed { from, to, count, numbers }: &Passed| {
        let numbers: Vec<String> = numbers.iter().map(|number| format!("'{number}'")).collect();
        let filter = format!("record.number in [{}]", numbers.join(", "));
        json!({ "from": from, "to": to, "count": count, "filter": filter })
    };
    let steps: Vec<Value> = flow.steps.iter().map(step).collect();
    Ok(axum::Json(json!({
        "process": name,
        "steps": steps,
        "records": flow.records,
        "is_complete": flow.is_complete,
    })))
}

fn time_field(definition: &Definition, name: &str) -> Result<Field, Problem> {
    let field = Field::named(definition, name).filter(Field::is_time);
    field.ok_or_else(|| {
        let message = format!("`{name}` is no indexed field that holds a time.");
        Problem::invalid("/of", "of", message)
    })
}

fn edges(text: &str) -> Result<Vec<DateTime<Utc>>, Problem> {
    let refused = |message: String| {
        Problem::from(Refusal::new(Rule::Invalid, vec![Fault::new("/edges", "edges", message)]))
    };
    let mut edges = Vec::new();
    for text in text.split(',') {
        let edge = text.trim().parse::<DateTime<Utc>>();
        let edge =
            edge.map_err(|_| refused(format!("`{text}` is no time like 2026-03-14T00:00:00Z.")))?;
        edges.push(kernel::instant(edge));
    }
    if !(2..=SPANS_LIMIT + 1).contains(&edges.len()) {
        return Err(refused(format!("There are 2 to {} edges.", SPANS_LIMIT + 1)));
    }
    if !edges.is_sorted_by(|one, next| one < next) {
        return Err(refused("Each edge is later than the one before.".to_owned()));
    }
    Ok(edges)
}

//! Many commands in one request, each with its own result.

use axum::extract::State;
use engine::Command;
use kernel::{Fault, Refusal, Rule};
use serde_json::{Value, json};
use store::{Act, Done, Target};

use super::{Shelf, wish::Wish};
use crate::{door::Door, json::Json, problem::Problem};

/// Commands that one request may hold.
pub const ITEMS: usize = 1000;

/// Does up to 1,000 commands in their order: `{"commands":[{"open":{…}},{"id":"INC0000042",
/// "take":"assign","with":{…}},…]}`. One that fails does not hinder the others.
pub async fn batch(
    State(shelf): State<Shelf>,
    door: Door,
    body: Json,
) -> Result<axum::Json<Value>, Problem> {
    let digest = body.digest.clone();
    let items = list_of("commands", body)?;
    let cause = door.cause(&shelf.office.clock);
    let mut acts = Vec::with_capacity(items.len());
    // The result of each item that never became an act.
    let mut results: Vec<Option<Problem>> = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        match act_of(&shelf, &door, item, index).await {
            Ok(act) => {
                let cause = door.cause_of(&cause, index);
                let once = door.once_of(&digest, index);
                acts.push(Act { cause, once, ..act });
                results.push(None);
            }
            Err(problem) => results.push(Some(problem)),
        }
    }
    let mut outcomes = shelf.office.act_all(acts).await.into_iter();
    let results = results.into_iter().map(|failed| match failed {
        Some(problem) => Err(problem),
        None => outcomes.next().unwrap_or_else(|| Err(Problem::broken())),
    });
    Ok(axum::Json(json!({ "results": results.map(result).collect::<Vec<_>>() })))
}

async fn act_of(shelf: &Shelf, door: &Door, item: Value, index: usize) -> Result<Act, Problem> {
    let path = format!("/commands/{index}");
    let wish = Wish::parse(item, &path)?;
    let refuse = |code: &'static str, message: &str| {
        Problem::from(Refusal::new(Rule::Invalid, vec![Fault::new(path.clone(), code, message)]))
    };
    if wish.occurred_at.is_some() || wish.implied || wish.by.is_some() {
        return Err(refuse("import", "Only an import says when and by whom something was done."));
    }
    let (id, expect) = (wish.id.clone(), wish.if_match);
    let command = wish.command(shelf, door).await?;
    let target = match (&command, id) {
        (Command::Open { .. }, None) => Target::New { process: shelf.process.to_string() },
        (Command::Open { .. }, Some(_)) => return Err(refuse("id", "What is opened has no id.")),
        (_, Some(id)) => shelf.target(&id),
        (_, None) => return Err(refuse("required", "`id` names the record.")),
    };
    Ok(Act { expect, ..Act::new(door.cause(&shelf.office.clock), target, vec![command]) })
}

/// The items of `{"name":[…]}`, at most [`ITEMS`] of them.
pub(super) fn list_of(name: &str, body: Json) -> Result<Vec<Value>, Problem> {
    let mut body = body.object()?;
    let list = body.remove(name);
    if let Some(other) = body.keys().next() {
        let message = format!("There is no field `{other}`.");
        return Err(Problem::invalid(format!("/{other}"), "unknown_field", message));
    }
    match list {
        Some(Value::Array(items)) if (1..=ITEMS).contains(&items.len()) => Ok(items),
        _ => Err(Problem::invalid(
            format!("/{name}"),
            "type",
            format!("`{name}` must be a list of 1 to {ITEMS} items."),
        )),
    }
}

/// What became of one item: its status, and the record or the problem.
pub(super) fn result(outcome: Result<Done, Problem>) -> Value {
    let record = outcome.and_then(|done| {
        let opened = done.steps.first().is_some_and(|step| step.fact.opened.is_some());
        done.record.map(|record| (opened, record)).ok_or_else(Problem::broken)
    });
    match record {
        Ok((opened, record)) => {
            json!({ "status": if opened { 201 } else { 200 }, "record": record.view() })
        }
        Err(problem) => json!({ "status": problem.status.as_u16(), "problem": problem }),
    }
}

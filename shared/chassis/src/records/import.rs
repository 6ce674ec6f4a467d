//! History brought in from elsewhere, with its own times; for administrators alone.

use std::{collections::BTreeSet, sync::Arc};

use axum::extract::State;
use engine::Command;
use kernel::{ADMINISTRATOR, Actor, Cause, Channel, SYSTEM};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Act, Moment, Target};

use super::{
    Shelf,
    batch::{list_of, result},
    wish::Wish,
};
use crate::{
    door::Door,
    json::{self, Json},
    problem::Problem,
};

/// Steps that one record may have.
const STEPS: usize = 1000;

/// The history of one record.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct History {
    steps: Vec<Value>,
}

/// Opens up to 1,000 records and leads each through its history, all of it or nothing:
/// `{"records":[{"steps":[{"occurred_at":"…","open":{…}},{"occurred_at":"…","take":"assign",
/// "with":{…},"implied":true},…]},…]}`. Steps come in the order in which they happened.
pub async fn import(
    State(shelf): State<Shelf>,
    door: Door,
    body: Json,
) -> Result<axum::Json<Value>, Problem> {
    shelf.office.needs_role(&door, &[ADMINISTRATOR], "import").await?;
    let digest = body.digest.clone();
    let records = list_of("records", body)?;
    let cause = importing(&shelf, &door);
    let mut acts = Vec::with_capacity(records.len());
    let mut unread: Vec<Option<Problem>> = Vec::with_capacity(records.len());
    for (index, record) in records.into_iter().enumerate() {
        let cause = door.cause_of(&cause, index);
        match history(&shelf, &door, record, cause, &format!("/records/{index}")).await {
            Ok(act) => {
                acts.push(Act { once: door.once_of(&digest, index), ..act });
                unread.push(None);
            }
            Err(problem) => unread.push(Some(problem)),
        }
    }
    let mut outcomes = shelf.office.act_all(acts).await.into_iter();
    let results = unread.into_iter().map(|failed| match failed {
        Some(problem) => result(Err(problem)),
        None => result(outcomes.next().unwrap_or_else(|| Err(Problem::broken()))),
    });
    Ok(axum::Json(json!({ "results": results.collect::<Vec<_>>() })))
}

/// The administrator vouches for what people of every role, and the system, did elsewhere.
fn importing(shelf: &Shelf, door: &Door) -> Cause {
    let mut actor = Actor::clone(&door.identity.actor);
    if let Some(definition) = shelf.office.rules().process(&shelf.process) {
        let movers = definition.all_transitions().flat_map(|(_, transition)| &transition.by);
        actor.roles.extend(movers.cloned().chain(definition.role_names()));
    }
    actor.roles.insert(SYSTEM.to_owned());
    let mut cause = door.cause(&shelf.office.clock);
    cause.channel = Channel::Import;
    cause.actor = Arc::new(actor);
    cause
}

async fn history(
    shelf: &Shelf,
    door: &Door,
    record: Value,
    cause: Cause,
    path: &str,
) -> Result<Act, Problem> {
    let fault = |at: &str, code: &'static str, message: String| {
        Problem::invalid(format!("{path}{at}"), code, message)
    };
    let history: History = json::typed(record).map_err(|message| fault("", "type", message))?;
    if !(1..=STEPS).contains(&history.steps.len()) {
        return Err(fault("/steps", "length", format!("There must be 1 to {STEPS} steps.")));
    }
    let mut commands = Vec::with_capacity(history.steps.len());
    let mut moments = Vec::with_capacity(history.steps.len());
    for (index, step) in history.steps.into_iter().enumerate() {
        let at = format!("/steps/{index}");
        let wish = Wish::parse(step, &format!("{path}{at}"))?;
        if wish.id.is_some() || wish.if_match.is_some() {
            return Err(fault(&at, "id", "A step has neither id nor if_match.".to_owned()));
        }
        moments.push(moment(&wish, &cause));
        let command = wish.command(shelf, door).await?;
        if matches!(command, Command::Open { .. }) != (index == 0) {
            return Err(fault(&at, "order", "The first step opens, and no other.".to_owned()));
        }
        if wish_is_in_future(moments.last(), &cause) {
            return Err(fault(&at, "future", "It lies in the future.".to_owned()));
        }
        commands.push(command);
    }
    let target = Target::New { process: shelf.process.to_string() };
    Ok(Act { moments, ..Act::new(cause, target, commands) })
}

/// When a step happened, and by whom: in every role, as the administrator vouches.
fn moment(wish: &Wish, cause: &Cause) -> Moment {
    let by = wish.by.as_deref().map(str::trim).filter(|by| !by.is_empty());
    let actor = by.map(|by| {
        let roles = cause.actor.roles.clone();
        let id = format!("imported:{by}");
        Arc::new(Actor { id, name: by.to_owned(), roles, groups: BTreeSet::new() })
    });
    Moment { occurred_at: wish.occurred_at, implied: wish.implied, actor }
}

fn wish_is_in_future(moment: Option<&Moment>, cause: &Cause) -> bool {
    moment.and_then(|moment| moment.occurred_at).is_some_and(|at| at > cause.at)
}

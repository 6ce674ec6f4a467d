//! The tasks of a record: `…/{id}/tasks`.

use axum::{
    extract::{Path, State},
    response::Response,
};
use engine::{Command, TaskWish};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Shelf, one::on_record};
use crate::{door::Door, json::Json, problem::Problem};

/// The tasks of a record, in their order.
pub async fn tasks(
    State(shelf): State<Shelf>,
    Path(id): Path<String>,
    door: Door,
) -> Result<axum::Json<Value>, Problem> {
    let record = shelf.record(&door, &id).await?;
    let items = record.data.get("tasks").cloned().unwrap_or_else(|| json!([]));
    Ok(axum::Json(json!({ "items": items })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTask {
    title: String,
    assignee: Option<String>,
    #[serde(default)]
    after: Vec<u32>,
}

/// Adds a task: `{"title":"Order the parts","assignee":"person:PER0000001","after":[1]}`.
pub async fn add(
    State(shelf): State<Shelf>,
    Path(id): Path<String>,
    door: Door,
    body: Json,
) -> Result<Response, Problem> {
    let once = door.once(&body.digest);
    let NewTask { title, assignee, after } = body.typed()?;
    let command = Command::Task { wish: TaskWish::Add { title, assignee, after } };
    on_record(&shelf, &door, &id, once, command, StatusCode::CREATED).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskPatch {
    assignee: Option<String>,
    state: Option<Settled>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Settled {
    Done,
    Dropped,
}

/// Hands a task over, `{"assignee":"person:PER0000002"}`, or settles it, `{"state":"done"}` or
/// `{"state":"dropped"}`.
pub async fn change(
    State(shelf): State<Shelf>,
    Path((id, task)): Path<(String, u32)>,
    door: Door,
    body: Json,
) -> Result<Response, Problem> {
    let TaskPatch { assignee, state } = body.typed()?;
    let wish = match (assignee, state) {
        (Some(assignee), None) => TaskWish::Assign { id: task, assignee },
        (None, Some(Settled::Done)) => TaskWish::Done { id: task },
        (None, Some(Settled::Dropped)) => TaskWish::Drop { id: task },
        _ => {
            let message = "Exactly one of `assignee` and `state` is needed.";
            return Err(Problem::invalid("", "one_of", message));
        }
    };
    on_record(&shelf, &door, &id, None, Command::Task { wish }, StatusCode::OK).await
}

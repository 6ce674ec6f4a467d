//! One record: open it, read it, amend it, move it.

use axum::{
    extract::{Path, State},
    response::Response,
};
use engine::Command;
use http::StatusCode;
use kernel::Cause;
use store::{Act, Target};

use super::Shelf;
use crate::{door::Door, json::Json, problem::Problem};

/// Opens a record with the fields of the body, and perhaps `occurred_at`.
pub async fn open(
    State(shelf): State<Shelf>,
    door: Door,
    mut body: Json,
) -> Result<Response, Problem> {
    let once = door.once(&body.digest);
    let occurred_at = body.occurred_at()?;
    let command = Command::Open { data: body.object()? };
    let target = Target::New { process: shelf.process.to_string() };
    let cause = Cause { occurred_at, ..door.cause(&shelf.office.clock) };
    let act = Act { once, ..Act::new(cause, target, vec![command]) };
    done(&shelf, &door, act, StatusCode::CREATED).await
}

/// Shows a record, with what the caller may do to it.
pub async fn read(
    State(shelf): State<Shelf>,
    Path(id): Path<String>,
    door: Door,
) -> Result<Response, Problem> {
    let record = shelf.record(&door, &id).await?;
    Ok(shelf.office.answer(StatusCode::OK, &record, &door))
}

/// Changes fields by a JSON merge patch (RFC 7386).
pub async fn amend(
    State(shelf): State<Shelf>,
    Path(id): Path<String>,
    door: Door,
    body: Json,
) -> Result<Response, Problem> {
    let once = door.once(&body.digest);
    let command = Command::Amend { patch: body.object()? };
    on_record(&shelf, &door, &id, once, command, StatusCode::OK).await
}

/// Takes a transition with the evidence of the body, and perhaps `occurred_at`.
pub async fn take(
    State(shelf): State<Shelf>,
    Path((id, transition)): Path<(String, String)>,
    door: Door,
    mut body: Json,
) -> Result<Response, Problem> {
    let once = door.once(&body.digest);
    let occurred_at = body.occurred_at()?;
    let command = Command::Take { transition, with: body.object()? };
    let cause = Cause { occurred_at, ..door.cause(&shelf.office.clock) };
    by_cause(&shelf, &door, &id, once, command, cause, StatusCode::OK).await
}

/// One command on a record that is there.
pub(super) async fn on_record(
    shelf: &Shelf,
    door: &Door,
    id: &str,
    once: Option<store::Once>,
    command: Command,
    status: StatusCode,
) -> Result<Response, Problem> {
    let cause = door.cause(&shelf.office.clock);
    by_cause(shelf, door, id, once, command, cause, status).await
}

/// The same for one that may have happened before now.
pub(super) async fn by_cause(
    shelf: &Shelf,
    door: &Door,
    id: &str,
    once: Option<store::Once>,
    command: Command,
    cause: Cause,
    status: StatusCode,
) -> Result<Response, Problem> {
    let act = Act::new(cause, shelf.target(id), vec![command]);
    done(shelf, door, Act { once, expect: door.expect, ..act }, status).await
}

async fn done(
    shelf: &Shelf,
    door: &Door,
    act: Act,
    status: StatusCode,
) -> Result<Response, Problem> {
    let done = shelf.office.act(act).await?;
    // An act on a record always has one; without it something is broken here.
    let record = done.record.ok_or_else(Problem::broken)?;
    Ok(shelf.office.answer(status, &record, door))
}

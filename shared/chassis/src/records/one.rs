//! One record: open it, read it, amend it, move it.

use axum::{
    extract::{Path, State},
    response::Response,
};
use engine::Command;
use http::StatusCode;
use store::{Act, Target};

use super::Shelf;
use crate::{door::Door, json::Json, problem::Problem};

/// Opens a record with the fields of the body.
pub async fn open(State(shelf): State<Shelf>, door: Door, body: Json) -> Result<Response, Problem> {
    let once = door.once(&body.digest);
    let command = Command::Open { data: body.object()? };
    let target = Target::New { process: shelf.process.to_string() };
    let act = Act { once, ..Act::new(door.cause(&shelf.office.clock), target, vec![command]) };
    done(&shelf, &door, act, StatusCode::CREATED).await
}

/// Shows a record, with what the caller may do to it.
pub async fn read(
    State(shelf): State<Shelf>,
    Path(id): Path<String>,
    door: Door,
) -> Result<Response, Problem> {
    let record = shelf.record(&door, &id).await?;
    Ok(shelf.office.answer(StatusCode::OK, &record, &door.identity.actor))
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

/// Takes a transition with the evidence of the body.
pub async fn take(
    State(shelf): State<Shelf>,
    Path((id, transition)): Path<(String, String)>,
    door: Door,
    body: Json,
) -> Result<Response, Problem> {
    let once = door.once(&body.digest);
    let command = Command::Take { transition, with: body.object()? };
    on_record(&shelf, &door, &id, once, command, StatusCode::OK).await
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
    Ok(shelf.office.answer(status, &record, &door.identity.actor))
}

//! Votes on a transition: `POST …/{id}/votes`.

use axum::{
    extract::{Path, State},
    response::Response,
};
use engine::{Ballot, Command};
use http::StatusCode;
use kernel::Cause;
use serde::Deserialize;

use super::{Shelf, one::by_cause};
use crate::{door::Door, json::Json, problem::Problem};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VoteWish {
    transition: String,
    vote: Option<Opinion>,
    /// Who votes instead: `person:PER0000007`.
    delegate: Option<String>,
    comment: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Opinion {
    Approve,
    Reject,
}

/// Votes: `{"transition":"authorise","vote":"approve","comment":"…"}`, or hands the vote over:
/// `{"transition":"authorise","delegate":"person:PER0000007"}`. The vote that reaches the quorum
/// takes the transition.
pub async fn vote(
    State(shelf): State<Shelf>,
    Path(id): Path<String>,
    door: Door,
    mut body: Json,
) -> Result<Response, Problem> {
    let once = door.once(&body.digest);
    let occurred_at = body.occurred_at()?;
    let VoteWish { transition, vote, delegate, comment } = body.typed()?;
    let ballot = match (vote, delegate) {
        (Some(Opinion::Approve), None) => Ballot::Approve,
        (Some(Opinion::Reject), None) => Ballot::Reject,
        (None, Some(person)) => Ballot::Delegate(person),
        _ => {
            let message = "Exactly one of `vote` and `delegate` is needed.";
            return Err(Problem::invalid("/vote", "one_of", message));
        }
    };
    let command = Command::Vote { transition, ballot, comment };
    let cause = Cause { occurred_at, ..door.cause(&shelf.office.clock) };
    by_cause(&shelf, &door, &id, once, command, cause, StatusCode::CREATED).await
}

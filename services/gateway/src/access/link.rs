//! One-time links for persons: made by an administrator, shown once, used once.
//!
//! Like an API key, a link's record is opened by an event whose key is the digest of its secret.

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::post,
};
use chassis::{Office, Problem, door::Door, json::Json};
use chrono::{DateTime, TimeDelta, Utc};
use engine::{Command, Happening};
use http::{HeaderValue, StatusCode, header};
use kernel::{ADMINISTRATOR, Actor, Cause, Channel};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use store::{Act, RecordRef, Setback, Target};
use uuid::Uuid;

use super::{keys::person_number, roster, secret};

/// The process of its record, and the event that opens one, as its definition names it.
const PROCESS: &str = "sign_in_link";
const MADE: &str = "link.made.v1";
/// Long enough for a letter to be read, short enough for a mailbox to be lost.
const HOURS: i64 = 72;

/// `POST /api/v1/sign-in-links`: `{"person":"PER0000001"}` (administrators).
pub fn router(office: &Office) -> Router {
    Router::new().route("/api/v1/sign-in-links", post(make)).with_state(office.clone())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    person: Value,
}

async fn make(State(office): State<Office>, door: Door, body: Json) -> Result<Response, Problem> {
    office.needs_role(&door, &[ADMINISTRATOR], "make_link").await?;
    let once = door.once(&body.digest);
    let Wish { person } = body.typed()?;
    let person = person_number(&office, &person).await?;
    let secret = secret::fresh("stw_link_").map_err(|error| {
        tracing::error!(%error, "the system gives no randomness");
        Problem::broken()
    })?;
    let event = json!({
        "digest": hex::encode(secret::digest(&secret)),
        "person": person,
        "expires_at": office.clock.now() + TimeDelta::hours(HOURS),
    });
    let happening = Happening { kind: MADE.to_owned(), event, record: None };
    let cause = door.cause(&office.clock);
    let act = Act { once, ..Act::new(cause, Target::Events(vec![happening]), Vec::new()) };
    let done = office.act(act).await?;
    if let Some(refusal) = done.refused.into_iter().next() {
        return Err(refusal.into());
    }
    let record = done.record.ok_or_else(Problem::broken)?;
    let mut view = office.view(&record, &door);
    if !done.replayed {
        view["ticket"] = json!(secret);
    }
    let mut answer = (StatusCode::CREATED, axum::Json(view)).into_response();
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}

#[derive(Deserialize)]
struct Link {
    person: String,
    expires_at: DateTime<Utc>,
}

/// The link that a ticket stands for, while it is good: its record's id and number, and the person's number.
///
/// # Errors
/// When the database fails.
pub async fn found(
    office: &Office,
    ticket: &str,
) -> Result<Option<(Uuid, String, String)>, Setback> {
    let digest = hex::encode(secret::digest(ticket));
    let Some(record) = office.store.held(PROCESS, &digest).await? else { return Ok(None) };
    let link = roster::data::<Link>(&record).filter(|_| record.state == "active");
    let link = link.filter(|link| link.expires_at > office.clock.now());
    Ok(link.map(|link| (record.id, record.number, link.person)))
}

/// Uses a link up; whether it was there to be used.
///
/// # Errors
/// When it could not be done.
pub async fn used(office: &Office, link: Uuid, bearer: Arc<Actor>) -> Result<bool, Problem> {
    let command = Command::Take { transition: "use".to_owned(), with: Map::new() };
    let target = Target::Record { process: PROCESS.to_owned(), which: RecordRef::Id(link) };
    let cause = Cause::new(Uuid::new_v4(), bearer, office.clock.now(), Channel::Api);
    match office.act(Act::new(cause, target, vec![command])).await {
        Ok(_) => Ok(true),
        // Somebody else was faster.
        Err(problem) if problem.status == StatusCode::CONFLICT => Ok(false),
        Err(problem) => Err(problem),
    }
}

//! What a service keeps beside records: dead letters, what rules refused, how deliveries ended, and the
//! checkpoints of its journal.

use axum::{
    Router,
    extract::{Query as Parameters, State},
    routing::{get, post},
};
use kernel::ADMINISTRATOR;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Refused, Tally, Waiting};

use super::list::{Asked, instant};
use crate::{
    Office, door::Door, json::Json, office::time, problem::Problem, service::checkpoints::view,
};

/// Who reads what was refused, beside administrators.
const AUDITOR: &str = "auditor";

pub(super) fn router(office: &Office) -> Router {
    let root = format!("/api/v1/services/{}", office.service);
    Router::new()
        .route(&format!("{root}/dead-letters"), get(dead_letters))
        .route(&format!("{root}/dead-letters/redrive"), post(redrive))
        .route(&format!("{root}/dead-letters/give-up"), post(give_up))
        .route(&format!("{root}/deliveries"), get(deliveries))
        .route(&format!("{root}/refusals"), get(refusals))
        .route(&format!("{root}/checkpoints"), get(checkpoints))
        .with_state(office.clone())
}

/// Events that were given up after bounded tries, with the reason.
async fn dead_letters(
    State(office): State<Office>,
    Parameters(pairs): Parameters<Vec<(String, String)>>,
    door: Door,
) -> Result<axum::Json<Value>, Problem> {
    office.needs_role(&door, &[ADMINISTRATOR], "dead_letters").await?;
    let asked = Asked::parse(pairs, &["limit"])?;
    let letters = office.store.dead_letters(None, asked.limit()).await?;
    let items: Vec<Value> = letters.iter().map(letter).collect();
    Ok(axum::Json(json!({ "items": items })))
}

fn letter(waiting: &Waiting) -> Value {
    let letter = &waiting.letter;
    json!({
        "consumer": letter.consumer,
        "message": letter.message,
        "key": letter.key,
        "position": letter.position,
        "subject": letter.subject,
        "headers": letter.headers,
        "payload": String::from_utf8_lossy(&letter.payload),
        "reason": letter.reason,
        "attempts": waiting.attempts,
        "at": time(letter.at),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    consumer: String,
    message: String,
}

/// Tries a dead letter again, and what waits behind it, in their order:
/// `{"consumer":"…","message":"…"}`.
async fn redrive(
    State(office): State<Office>,
    door: Door,
    body: Json,
) -> Result<axum::Json<Value>, Problem> {
    office.needs_role(&door, &[ADMINISTRATOR], "redrive").await?;
    let named: Named = body.typed()?;
    found(office.store.redrive(&named.consumer, &named.message).await?)
}

/// Gives a dead letter up for good, so that what waits behind it goes on.
async fn give_up(
    State(office): State<Office>,
    door: Door,
    body: Json,
) -> Result<axum::Json<Value>, Problem> {
    office.needs_role(&door, &[ADMINISTRATOR], "give_up").await?;
    let named: Named = body.typed()?;
    found(office.store.give_up(&named.consumer, &named.message).await?)
}

fn found(is_found: bool) -> Result<axum::Json<Value>, Problem> {
    if is_found { Ok(axum::Json(json!({ "done": true }))) } else { Err(Problem::unknown()) }
}

/// How the deliveries of every consumer ended, each counted once.
async fn deliveries(
    State(office): State<Office>,
    door: Door,
) -> Result<axum::Json<Value>, Problem> {
    office.needs_role(&door, &[AUDITOR], "deliveries").await?;
    let item = |tally: &Tally| json!({ "consumer": tally.consumer, "outcome": tally.outcome, "count": tally.count });
    let items: Vec<Value> = office.store.tallies().await?.iter().map(item).collect();
    Ok(axum::Json(json!({ "items": items })))
}

/// Commands that rules refused since a moment (`since`), oldest first.
async fn refusals(
    State(office): State<Office>,
    Parameters(pairs): Parameters<Vec<(String, String)>>,
    door: Door,
) -> Result<axum::Json<Value>, Problem> {
    office.needs_role(&door, &[AUDITOR], "refusals").await?;
    let asked = Asked::parse(pairs, &["limit", "since"])?;
    let since = instant("since", asked.since.as_deref())?.unwrap_or_default();
    let refused = office.store.refusals(since, asked.limit()).await?;
    let items: Vec<Value> = refused.iter().map(refusal).collect();
    Ok(axum::Json(json!({ "items": items })))
}

/// Signed statements of what the journal was, the newest first, to be kept elsewhere.
async fn checkpoints(
    State(office): State<Office>,
    Parameters(pairs): Parameters<Vec<(String, String)>>,
    door: Door,
) -> Result<axum::Json<Value>, Problem> {
    office.needs_role(&door, &[AUDITOR], "checkpoints").await?;
    let asked = Asked::parse(pairs, &["limit"])?;
    let made = office.store.checkpoints(asked.limit()).await?;
    let items: Vec<Value> = made.iter().map(|made| view(&office.service, made)).collect();
    Ok(axum::Json(json!({ "items": items })))
}

fn refusal(refused: &Refused) -> Value {
    json!({
        "at": time(refused.at),
        "actor": refused.actor,
        "record": refused.record,
        "process": refused.process,
        "command": refused.command,
        "rule": refused.rule,
        "code": refused.code,
        "sentence": refused.sentence,
        "suppressed": refused.suppressed,
        "correlation": refused.correlation,
    })
}

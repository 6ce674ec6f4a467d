//! API keys: made here, where the secret is shown once and only its digest is kept.
//!
//! The record is opened by an event whose key is the digest, so the store holds the record by it;
//! hence making a key is one transaction, and no data, event or history ever holds the digest.

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::post,
};
use chassis::{Office, Problem, door::Door, json::Json};
use engine::Happening;
use http::{HeaderValue, StatusCode, header};
use kernel::{ADMINISTRATOR, Fault, Reader, Refusal, Rule};
use serde_json::{Map, Value, json};
use store::{Act, RecordRef, Target};

use super::secret;

/// What a request may say of a key.
const FIELDS: [&str; 4] = ["name", "scopes", "person", "expires_at"];
/// The event that opens a key's record, as its definition names it.
const MADE: &str = "secret.made.v1";

/// `POST /api/v1/api-keys`; all else that is done with keys is done with their records.
pub fn router(office: &Office) -> Router {
    Router::new().route("/api/v1/api-keys", post(make)).with_state(office.clone())
}

async fn make(State(office): State<Office>, door: Door, json: Json) -> Result<Response, Problem> {
    office.needs_role(&door, &[ADMINISTRATOR], "make_api_key").await?;
    let once = door.once(&json.digest);
    let mut event = json.object()?;
    known_fields(&event)?;
    if let Some(person) = event.get("person").filter(|person| !person.is_null()) {
        let number = person_number(&office, person).await?;
        event.insert("person".to_owned(), number.into());
    }
    for field in FIELDS {
        event.entry(field).or_insert(Value::Null);
    }
    let secret = secret::fresh("stw_").map_err(|error| {
        tracing::error!(%error, "the system gives no randomness");
        Problem::broken()
    })?;
    event.insert("digest".to_owned(), hex::encode(secret::digest(&secret)).into());
    let happening = Happening { kind: MADE.to_owned(), event: Value::Object(event), record: None };
    let cause = door.cause(&office.clock);
    let act = Act { once, ..Act::new(cause, Target::Events(vec![happening]), Vec::new()) };
    let done = office.act(act).await?;
    if let Some(refusal) = done.refused.into_iter().next() {
        return Err(refusal.into());
    }
    let record = done.record.ok_or_else(Problem::broken)?;
    let mut view = office.view(&record, &door);
    if !done.replayed {
        view["secret"] = json!(secret);
    }
    let location = HeaderValue::from_str(&format!("/api/v1/api-keys/{}", record.id));
    let mut answer = (StatusCode::CREATED, axum::Json(view)).into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.extend(location.ok().map(|location| (header::LOCATION, location)));
    Ok(answer)
}

fn known_fields(given: &Map<String, Value>) -> Result<(), Refusal> {
    let unknown = given.keys().filter(|field| !FIELDS.contains(&field.as_str()));
    let faults: Vec<Fault> = unknown
        .map(|field| {
            let message = format!("`{field}` is not a field that can be given here");
            Fault::new(format!("/{field}"), "unknown_field", message)
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Refusal::new(Rule::Invalid, faults)) }
}

/// The number of an active person that was named by number or id.
pub(super) async fn person_number(office: &Office, person: &Value) -> Result<String, Problem> {
    let unknown =
        || Problem::invalid("/person", "unknown_reference", "There is no such active person.");
    let which = RecordRef::from(person.as_str().ok_or_else(unknown)?);
    let found = office.store.record("person", &which, &Reader::Everything).await?;
    let active = found.filter(|person| person.state == "active");
    active.map(|person| person.number).ok_or_else(unknown)
}

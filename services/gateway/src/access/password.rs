//! Passwords of local users: set by an administrator or by themselves, and never kept.
//!
//! What Argon2id makes of a password and its person is the key that a record is held by. The salt is
//! the person's id, which no other person anywhere has; hence a password is found as a key is, and no
//! data, event or history ever holds what guessing could begin with.

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, Version};
use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::post,
};
use chassis::{Office, Problem, door::Door, json::Json};
use engine::{Command, Field, Filter, Happening, IndexKind, Op, Record};
use http::StatusCode;
use kernel::{ADMINISTRATOR, Reader};
use serde::Deserialize;
use serde_json::{Map, json};
use store::{Act, Query, RecordRef, Setback, Store, Target};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::secret::Digest;

/// The event that opens a password's record, as its definition names it.
const SET: &str = "password.set.v1";
/// NIST SP 800-63B asks for 8, and for no rules of composition; longer ones are what holds.
const SHORTEST: usize = 12;
/// Nobody types more, and what is worked out must have an end.
const LONGEST: usize = 200;
/// As OWASP advises for Argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// Nobody has more passwords or sessions at a time.
const MOST: u64 = 500;
/// So many are worked out at the same time: each takes its memory.
const AT_ONCE: usize = 2;

/// Works passwords out, few at a time. Cheap to clone.
#[derive(Clone)]
pub struct Kneader {
    turns: Arc<Semaphore>,
}

impl Default for Kneader {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Kneader {
    /// What is kept of the password of the person with this id.
    ///
    /// # Errors
    /// When the work cannot be done, for want of memory.
    pub async fn digest(&self, password: String, person: Uuid) -> Result<Digest, Problem> {
        let turn = self.turns.clone().acquire_owned().await;
        let worked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let mut digest = Digest::default();
            let params = Params::new(MEMORY_KIB, PASSES, 1, Some(digest.len()))?;
            let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            argon.hash_password_into(password.as_bytes(), person.as_bytes(), &mut digest)?;
            Ok::<_, argon2::Error>(digest)
        });
        let digest = worked.await.map_err(|error| error.to_string());
        digest.and_then(|digest| digest.map_err(|error| error.to_string())).map_err(|error| {
            tracing::error!(error, "a password could not be worked out");
            Problem::broken()
        })
    }
}

/// `POST /api/v1/passwords`: `{"person":"PER0000001","password":"…"}` (administrators). The one before
/// is replaced. All else that is done with passwords is done with their records.
pub fn router(office: &Office) -> Router {
    let state = (office.clone(), Kneader::default());
    Router::new().route("/api/v1/passwords", post(set)).with_state(state)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    person: String,
    password: String,
}

async fn set(
    State((office, kneader)): State<(Office, Kneader)>,
    door: Door,
    body: Json,
) -> Result<Response, Problem> {
    office.needs_role(&door, &[ADMINISTRATOR], "set_password").await?;
    let Wish { person, password } = body.typed()?;
    let which = RecordRef::from(person.as_str());
    let found = office.store.record("person", &which, &Reader::Everything).await?;
    let person = found.filter(|person| person.state == "active").ok_or_else(|| {
        Problem::invalid("/person", "unknown_reference", "There is no such active person.")
    })?;
    let record = put(&office, &kneader, &door, &person, password).await?;
    let view = office.view(&record, &door);
    Ok((StatusCode::CREATED, axum::Json(view)).into_response())
}

/// Sets the password of a person; the one before is replaced.
///
/// # Errors
/// 422 for what cannot be a password, or a person who cannot have one.
pub async fn put(
    office: &Office,
    kneader: &Kneader,
    door: &Door,
    person: &Record,
    password: String,
) -> Result<Arc<Record>, Problem> {
    let letters = password.chars().count();
    if !(SHORTEST..=LONGEST).contains(&letters) {
        let message = format!("A password has {SHORTEST} to {LONGEST} characters.");
        return Err(Problem::invalid("/password", "length", message));
    }
    signs_in_alone(&office.store, person).await?;
    let digest = kneader.digest(password, person.id).await?;
    let before = active(&office.store, &person.number).await?;
    take_of_all(office, door, &before, "replace").await?;
    let event = json!({ "digest": hex::encode(digest), "person": person.number });
    let happening = Happening { kind: SET.to_owned(), event, record: None };
    let cause = door.cause(&office.clock);
    let done = office.act(Act::new(cause, Target::Events(vec![happening]), Vec::new())).await?;
    if let Some(refusal) = done.refused.into_iter().next() {
        return Err(refusal.into());
    }
    done.record.ok_or_else(Problem::broken)
}

/// Takes the same transition of several records.
///
/// # Errors
/// The first that was refused.
pub async fn take_of_all(
    office: &Office,
    door: &Door,
    records: &[Record],
    transition: &str,
) -> Result<(), Problem> {
    let acts = records.iter().map(|record| {
        let command = Command::Take { transition: transition.to_owned(), with: Map::new() };
        let which = RecordRef::Id(record.id);
        let target = Target::Record { process: record.process.clone(), which };
        Act::new(door.cause(&office.clock), target, vec![command])
    });
    office.act_all(acts.collect()).await.into_iter().try_for_each(|outcome| outcome.map(drop))
}

/// Whoever signs in does so by a login that is theirs alone.
async fn signs_in_alone(store: &Store, person: &Record) -> Result<(), Problem> {
    let wrong = |message: &str| Err(Problem::invalid("/person", "login", message));
    let Some(login) = person.data.get("login").and_then(|login| login.as_str()) else {
        return wrong("The person has no login yet: set the field `login` first.");
    };
    if named(store, login).await?.len() > 1 {
        return wrong("Another active person has the same login.");
    }
    Ok(())
}

/// The active persons with this login; two are one too many.
///
/// # Errors
/// When the database fails.
pub async fn named(store: &Store, login: &str) -> Result<Vec<Record>, Setback> {
    matching(store, "person", "login", login, 2).await
}

/// The passwords with which a person comes in now: one, or none.
///
/// # Errors
/// When the database fails.
pub async fn active(store: &Store, person: &str) -> Result<Vec<Record>, Setback> {
    matching(store, "password", "person", person, MOST).await
}

/// The sessions in which a person is now.
///
/// # Errors
/// When the database fails.
pub async fn sessions(store: &Store, person: &str) -> Result<Vec<Record>, Setback> {
    matching(store, "session", "person", person, MOST).await
}

async fn matching(
    store: &Store,
    process: &str,
    field: &str,
    value: &str,
    limit: u64,
) -> Result<Vec<Record>, Setback> {
    let name = Field::Indexed { name: field.to_owned(), kind: IndexKind::Text };
    let equal = |field, value: &str| Filter::Compare { field, op: Op::Equal, value: value.into() };
    let filter = Filter::All(vec![equal(name, value), equal(Field::State, "active")]);
    let query = Query { filter: Some(filter), limit, ..Query::of(process) };
    Ok(store.list(&query, &Reader::Everything).await?.items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_same_password_of_two_persons_is_not_the_same() {
        let kneader = Kneader::default();
        let digest = async |password: &str, person: u128| {
            kneader.digest(password.to_owned(), Uuid::from_u128(person)).await.expect("memory")
        };
        let one = digest("correct horse battery", 1).await;
        assert_eq!(one, digest("correct horse battery", 1).await);
        assert_ne!(one, digest("correct horse battery", 2).await);
        assert_ne!(one, digest("correct horse batterx", 1).await);
    }
}

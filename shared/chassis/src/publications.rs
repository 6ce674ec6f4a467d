//! Publishing: what a team writes comes into force, checked, approved where that is asked, and kept
//! with its author, its approver and what it changed.
//!
//! A publication is a record like any other (`publications/publication.v1.yaml`), under
//! `/api/v1/services/{service}/publications`. Approving one puts it in force in the same transaction.

mod difference;
mod published;
mod review;
mod shelved;

use std::{borrow::Cow, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query as Parameters, State},
    response::{IntoResponse as _, Response},
    routing::{post, put},
};
use engine::{Command, Record};
use http::{HeaderValue, StatusCode, header};
use kernel::{Actor, Cause};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use store::{Act, Setback, Target};

pub(crate) use self::review::{Looked, look};
use self::{
    review::sound,
    shelved::{Shelved, publication},
};

use crate::{
    Office,
    door::Door,
    json::Json,
    problem::Problem,
    records::{self, Shelf},
    service::{
        catalogue::{PROCESS, SCHEME},
        following,
    },
};

/// The process of publications. Every service has its own, so it is no collection of the platform.
pub(crate) const PUBLICATION: &str = "publication";
pub(crate) const FILE: (&str, &str) =
    ("publication.v1.yaml", include_str!("publications/publication.v1.yaml"));
/// The role in which its process's owner acts on a publication.
const OWNER: &str = "owner";
/// A file that fits an event, in bytes.
const CONTENT_LIMIT: usize = 128 * 1024;
/// So often a publication is checked again, because another was faster.
const ATTEMPTS: usize = 5;

pub(crate) fn router(office: &Office) -> Router {
    let process = Arc::from(PUBLICATION);
    let shelf = Shelf { office: office.clone(), process };
    let root = format!("services/{}/publications", office.service);
    let step = |name: &'static str| {
        post(async move |shelf: State<Shelf>, id: Path<String>, door: Door, body: Json| {
            settle(name, shelf, id, door, body).await
        })
    };
    let steps = Router::new()
        .route(&format!("/api/v1/{root}/{{id}}/transitions/approve"), post(approve))
        .route(&format!("/api/v1/{root}/{{id}}/transitions/reject"), step("reject"))
        .route(&format!("/api/v1/{root}/{{id}}/transitions/withdraw"), step("withdraw"))
        .with_state(shelf.clone());
    Router::new()
        .route("/api/v1/processes/{name}", put(publish_process))
        .route(
            &format!("/api/v1/services/{}/schemes/{{name}}", office.service),
            put(publish_scheme),
        )
        .with_state(office.clone())
        .merge(steps)
        .merge(records::collection(&root, shelf, false))
        .merge(published::router(office))
}

/// What a publication says beside its text.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// The shipped version that it takes into account, for one that was merged with it.
    takes: Option<u32>,
}

async fn publish_process(
    State(office): State<Office>,
    Path(name): Path<String>,
    Parameters(wish): Parameters<Wish>,
    door: Door,
    body: Bytes,
) -> Result<Response, Problem> {
    publish(&office, &door, (PROCESS, &name), &wish, &body).await
}

async fn publish_scheme(
    State(office): State<Office>,
    Path(name): Path<String>,
    Parameters(wish): Parameters<Wish>,
    door: Door,
    body: Bytes,
) -> Result<Response, Problem> {
    publish(&office, &door, (SCHEME, &name), &wish, &body).await
}

async fn publish(
    office: &Office,
    door: &Door,
    (kind, name): (&str, &str),
    wish: &Wish,
    body: &[u8],
) -> Result<Response, Problem> {
    let text = std::str::from_utf8(body)
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "body", "The body is not UTF-8."))?;
    if text.len() > CONTENT_LIMIT {
        let message = format!("A file that is published has at most {CONTENT_LIMIT} bytes.");
        return Err(Problem::invalid("", "too_large", message));
    }
    let matches = door.version.as_deref().ok_or_else(|| {
        let detail =
            "Say in If-Match which version yours was made from: the ETag that it was read with.";
        Problem::new(StatusCode::PRECONDITION_REQUIRED, "if_match", detail)
    })?;
    for _ in 0..ATTEMPTS {
        let shelved = Shelved::of(office, kind, name).await?;
        let owner = shelved.owner(office);
        let roles: Vec<&str> = owner.as_deref().into_iter().collect();
        office.needs_role(door, &roles, "publish").await?;
        let base = shelved.in_force()?;
        if matches != base.publication.digest {
            return Err(shelved.overtaken(shelved.by_digest(matches)));
        }
        let publication = publication(kind, name, text);
        if publication.digest == base.publication.digest {
            return Ok(published::answer(StatusCode::OK, &shelved, base, None));
        }
        if wish.takes.is_some_and(|takes| shelved.present.shipped != Some(takes)) {
            let message = "`takes` names the version that ships now.";
            return Err(Problem::invalid("/takes", "takes", message));
        }
        let number = shelved.number_of(&publication.digest);
        sound(office, &shelved, &publication, number).await?;
        let mut data = json!({
            "kind": kind,
            "name": name,
            "base": base.version,
            "takes": wish.takes,
            "digest": publication.digest,
            "content": text,
            "author": door.identity.actor.id,
            "owner_role": owner.unwrap_or_else(|| kernel::ADMINISTRATOR.to_owned()),
            "needs_another": office.needs_another,
        });
        let data = data.as_object_mut().map(std::mem::take).unwrap_or_default();
        let mut commands = vec![Command::Open { data }];
        let mut publishes = None;
        if !office.needs_another {
            commands.push(approval(number));
            publishes = Some(shelved.publishing(publication, number, wish.takes));
        }
        let target = Target::New { process: PUBLICATION.to_owned() };
        let once = door.once(&Sha256::digest(body));
        let act = Act { once, publishes, ..Act::new(as_owner(office, door), target, commands) };
        if let Some(answer) = acted(office, (kind, name), act).await? {
            return Ok(answer);
        }
    }
    Err(Setback::Overtaken.into())
}

/// Lets a publication come into force: what is in force now must still be what it was made from.
async fn approve(
    State(shelf): State<Shelf>,
    Path(id): Path<String>,
    door: Door,
    body: Json,
) -> Result<Response, Problem> {
    drop(body);
    let office = &shelf.office;
    for _ in 0..ATTEMPTS {
        let record = shelf.record(&door, &id).await?;
        let text = |name: &str| record.data.get(name).and_then(Value::as_str).unwrap_or_default();
        let (kind, name) = (text("kind"), text("name"));
        let shelved = Shelved::of(office, kind, name).await?;
        office.needs_role(&door, &[text("owner_role")], "approve").await?;
        let base = record.data.get("base").and_then(Value::as_u64).unwrap_or_default();
        let mut publishes = None;
        let mut number = 0;
        // What is no longer proposed is refused by its own process.
        if record.state == "proposed" {
            if u64::from(shelved.present.version) != base {
                return Err(shelved.overtaken(shelved.version(&base.to_string())));
            }
            let publication = publication(kind, name, text("content"));
            number = shelved.number_of(&publication.digest);
            sound(office, &shelved, &publication, number).await?;
            let takes = record.data.get("takes").and_then(Value::as_u64);
            let takes = takes.and_then(|takes| u32::try_from(takes).ok());
            publishes = Some(shelved.publishing(publication, number, takes));
        }
        let commands = vec![approval(number)];
        let act = Act::new(as_owner(office, &door), shelf.target(&id), commands);
        let act = Act { publishes, expect: door.expect, ..act };
        if let Some(answer) = acted(office, (kind, name), act).await? {
            return Ok(answer);
        }
    }
    Err(Setback::Overtaken.into())
}

/// Puts something in force, or proposes it, and tells what came of it; nothing where something else
/// came into force in between, so that it has to be checked again.
async fn acted(office: &Office, what: (&str, &str), act: Act) -> Result<Option<Response>, Problem> {
    match office.store.act(act).await {
        Err(Setback::Overtaken) => Ok(None),
        done => {
            let record = done?.record.ok_or_else(Problem::broken)?;
            told(office, what, &record).await.map(Some)
        }
    }
}

/// A step of a publication or a migration that puts nothing in force, by whoever answers for it.
pub(crate) async fn settle(
    transition: &str,
    State(shelf): State<Shelf>,
    Path(id): Path<String>,
    door: Door,
    body: Json,
) -> Result<Response, Problem> {
    let record = shelf.record(&door, &id).await?;
    let owner = record.data.get("owner_role").and_then(Value::as_str).unwrap_or_default();
    shelf.office.needs_role(&door, &[owner], transition).await?;
    let once = door.once(&body.digest);
    let command = Command::Take { transition: transition.to_owned(), with: body.object()? };
    let act = Act::new(as_owner(&shelf.office, &door), shelf.target(&id), vec![command]);
    let done = shelf.office.act(Act { once, expect: door.expect, ..act }).await?;
    let record = done.record.ok_or_else(Problem::broken)?;
    Ok(shelf.office.answer(StatusCode::OK, &record, &door))
}

fn approval(number: u32) -> Command {
    let with = Map::from_iter([("version".to_owned(), number.into())]);
    Command::Take { transition: "approve".to_owned(), with }
}

/// Whoever answers for the process acts as the owner of its publications.
pub(crate) fn as_owner(office: &Office, door: &Door) -> Cause {
    let cause = door.cause(&office.clock);
    let mut actor = Actor::clone(&cause.actor);
    actor.roles.insert(OWNER.to_owned());
    Cause { actor: Arc::new(actor), ..cause }
}

/// Whoever looks at a publication or a migration: the owner of what they answer for, so that they are
/// offered what they may do.
pub(crate) fn looking<'a>(record: &Record, actor: &'a Actor) -> Cow<'a, Actor> {
    let is_ours = !records::is_public(&record.process);
    let owner = record.data.get("owner_role").and_then(Value::as_str).filter(|_| is_ours);
    if !owner.is_some_and(|owner| actor.has_role(owner)) {
        return Cow::Borrowed(actor);
    }
    let mut actor = actor.clone();
    actor.roles.insert(OWNER.to_owned());
    Cow::Owned(actor)
}

/// The answer to what was published, once it is in force here; or where it waits for its approval.
async fn told(
    office: &Office,
    (kind, name): (&str, &str),
    record: &Record,
) -> Result<Response, Problem> {
    if record.state == "proposed" {
        let view = office.shown(record);
        let mut response = (StatusCode::ACCEPTED, axum::Json(view)).into_response();
        let place = format!("/api/v1/services/{}/publications/{}", office.service, record.number);
        if let Ok(place) = HeaderValue::from_str(&place) {
            response.headers_mut().insert(header::LOCATION, place);
        }
        return Ok(response);
    }
    // It is on disk: when it cannot be read now, it is followed as another replica's would be.
    if let Err(error) = following::renew(office).await {
        tracing::warn!(error = %crate::office::chain(&*error), "what is in force could not be read");
    }
    let shelved = Shelved::of(office, kind, name).await?;
    let published = shelved.in_force()?;
    Ok(published::answer(StatusCode::OK, &shelved, published, Some(record)))
}

//! Signing in and out at the console: a session is a record, and its secret a cookie.

use axum::{
    Extension, Json, Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chassis::{Office, Problem, door::Door, json::Json as Body};
use chrono::TimeDelta;
use engine::{Command, Happening};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use kernel::{Actor, Cause, Channel, Reader};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{net::IpAddr, sync::Arc};
use store::{Act, RecordRef, Target};
use uuid::Uuid;

use super::{
    Access, Caller, Tickets, credential,
    let_in::address,
    link,
    password::{self, Kneader},
    roster::data,
    secret,
};

/// The event that opens a session's record, as its definition names it.
const BEGUN: &str = "session.begun.v1";
/// A session lasts a working day; who still works then signs in again.
const HOURS: i64 = 12;
/// What is said of every failure, so that nobody learns which half was right.
const NOT_KNOWN: &str = "Login and password do not fit.";

/// Where people sign in and out. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    pub office: Office,
    pub access: Access,
    pub tickets: Tickets,
    kneader: Kneader,
}

/// What somebody signs in with.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Shown {
    Password { login: String, password: String },
    Ticket { ticket: String },
    Token { token: String },
}

/// Who signed in, and what the session stands on.
struct Guest {
    actor: Arc<Actor>,
    person: Option<String>,
    api_key: Option<String>,
    /// The one-time link.
    link: Option<String>,
}

impl Desk {
    /// Sessions are records of `office`; `access` knows who may have one.
    #[must_use]
    pub fn new(office: Office, access: Access, tickets: Tickets) -> Self {
        Self { office, access, tickets, kneader: Kneader::default() }
    }

    /// `POST /api/v1/session`, which is open to whoever has something to show.
    pub fn open_router(&self) -> Router {
        Router::new().route("/api/v1/session", post(sign_in)).with_state(self.clone())
    }

    /// `GET` and `DELETE /api/v1/session`, and one's own password, for who is in.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/api/v1/session", get(whoami).delete(sign_out))
            .route("/api/v1/session/password", post(set_own_password))
            .with_state(self.clone())
    }

    async fn guest(&self, shown: Shown, from: IpAddr) -> Result<Guest, Problem> {
        match shown {
            Shown::Password { login, password } => self.by_password(&login, password, from).await,
            Shown::Ticket { ticket } if self.tickets.take(&ticket) => Ok(self.administrator()),
            Shown::Ticket { ticket } => self.by_link(&ticket, from).await,
            Shown::Token { token } => {
                let digest = secret::digest(token.trim());
                if self.access.is_administrators(&digest) {
                    return Ok(self.administrator());
                }
                let found = self.access.by_key(&digest).await?;
                let (caller, _) =
                    found.ok_or_else(|| self.access.refused(from, "The token is not known."))?;
                let actor = caller.identity.actor.clone();
                Ok(Guest { actor, person: None, api_key: Some(caller.integration), link: None })
            }
        }
    }

    async fn by_password(
        &self,
        login: &str,
        password: String,
        from: IpAddr,
    ) -> Result<Guest, Problem> {
        let store = &self.office.store;
        let found = password::named(store, login).await?;
        let person = match found.as_slice() {
            [person] => Some(person),
            _ => None,
        };
        // Worked out for nobody, too, so that the time does not tell which logins there are.
        let id = person.map_or(Uuid::nil(), |person| person.id);
        let digest = self.kneader.digest(password, id).await?;
        let refused = || self.access.refused(from, NOT_KNOWN);
        let person = person.ok_or_else(refused)?;
        let held = store.held("password", &hex::encode(digest)).await?;
        held.filter(|held| {
            held.state == "active" && held.data.get("person") == Some(&json!(person.number))
        })
        .ok_or_else(refused)?;
        let actor = self.access.person(&person.number).await?.ok_or_else(refused)?;
        let person = Some(person.number.clone());
        Ok(Guest { actor: Arc::new(actor), person, api_key: None, link: None })
    }

    async fn by_link(&self, ticket: &str, from: IpAddr) -> Result<Guest, Problem> {
        let refused = || self.access.refused(from, "This link was used already, or is too old.");
        let found = link::found(&self.office, ticket).await?;
        let (id, number, person) = found.ok_or_else(refused)?;
        let actor = self.access.person(&person).await?.ok_or_else(refused)?;
        let actor = Arc::new(actor);
        if !link::used(&self.office, id, actor.clone()).await? {
            return Err(refused());
        }
        Ok(Guest { actor, person: Some(person), api_key: None, link: Some(number) })
    }

    /// The session in which a person is, and how they came in.
    async fn came_in(&self, caller: &Caller) -> Result<(Uuid, CameIn), Problem> {
        let nobody = || {
            let detail = "Only a person who is signed in has a password of their own.";
            Problem::new(StatusCode::CONFLICT, "no_person", detail)
        };
        let id = caller.session.ok_or_else(nobody)?;
        let which = RecordRef::Id(id);
        let session = self.office.store.record("session", &which, &Reader::Everything).await?;
        let came_in = session.and_then(|session| data::<CameIn>(&session));
        Ok((id, came_in.filter(|came_in| came_in.person.is_some()).ok_or_else(nobody)?))
    }

    fn administrator(&self) -> Guest {
        let actor = self.access.administrator().identity.actor.clone();
        Guest { actor, person: None, api_key: None, link: None }
    }

    /// Opens the session's record; the cookie's secret and who that is.
    async fn begin(&self, guest: Guest) -> Result<(String, Value), Problem> {
        let secret = secret::fresh("stw_session_").map_err(|error| {
            tracing::error!(%error, "the system gives no randomness");
            Problem::broken()
        })?;
        let now = self.office.clock.now();
        let expires_at = now + TimeDelta::hours(HOURS);
        let event = json!({
            "digest": hex::encode(secret::digest(&secret)),
            "name": guest.actor.name,
            "owner": guest.actor.id,
            "person": guest.person,
            "api_key": guest.api_key,
            "link": guest.link,
            "expires_at": expires_at,
        });
        let happening = Happening { kind: BEGUN.to_owned(), event, record: None };
        let cause = Cause::new(Uuid::new_v4(), guest.actor.clone(), now, Channel::Api);
        let act = Act::new(cause, Target::Events(vec![happening]), Vec::new());
        let done = self.office.act(act).await?;
        if let Some(refusal) = done.refused.into_iter().next() {
            return Err(refusal.into());
        }
        let session = done.record.map(|record| record.id);
        let view = who(&guest.actor, &[], session, Some(&secret));
        Ok((secret, view))
    }
}

/// Signs in: `{"login":"ada","password":"…"}`, `{"token":"…"}` with the administrator's token or an API
/// key, or `{"ticket":"…"}` of a one-time link.
async fn sign_in(State(desk): State<Desk>, request: Request) -> Result<Response, Problem> {
    let (from, headers) = (address(&request), request.headers().clone());
    credential::comes_from_here(&headers)?;
    let body = <Body as axum::extract::FromRequest<_>>::from_request(request, &()).await?;
    let shown: Shown = body.typed()?;
    let guest = desk.guest(shown, from).await?;
    let (secret, view) = desk.begin(guest).await?;
    let cookie = credential::cookie(&headers, &secret, HOURS * 3600);
    Ok(with_cookie((StatusCode::CREATED, Json(view)).into_response(), &cookie))
}

/// Who is in, and the token that changes need where a session is what let them in.
async fn whoami(Extension(caller): Extension<Arc<Caller>>, headers: HeaderMap) -> Response {
    let secret = caller.session.and_then(|_| credential::session_secret(&headers));
    let identity = &caller.identity;
    let who = who(&identity.actor, &identity.scopes, caller.session, secret);
    let answer = Json(who).into_response();
    unkept(answer)
}

/// Signs out: the session's record ends, and the cookie with it.
async fn sign_out(
    State(desk): State<Desk>,
    Extension(caller): Extension<Arc<Caller>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(session) = caller.session {
        let target =
            Target::Record { process: "session".to_owned(), which: RecordRef::Id(session) };
        let actor = caller.identity.actor.clone();
        let cause = Cause::new(Uuid::new_v4(), actor, desk.office.clock.now(), Channel::Api);
        let end = Command::Take { transition: "end".to_owned(), with: Map::new() };
        let ended = desk.office.act(Act::new(cause, target, vec![end])).await;
        desk.access.forget();
        ended?;
    }
    let cookie = credential::cookie(&headers, "", 0);
    Ok(with_cookie(StatusCode::NO_CONTENT.into_response(), &cookie))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    current: Option<String>,
    password: String,
}

/// What a session's record says of how its person came in.
#[derive(Deserialize)]
struct CameIn {
    person: Option<String>,
    link: Option<String>,
}

/// Sets the password of whoever is in: `{"current":"…","password":"…"}`. Who has none yet, or came in by a
/// one-time link because it was forgotten, need not say the present one. Their other sessions end.
async fn set_own_password(
    State(desk): State<Desk>,
    Extension(caller): Extension<Arc<Caller>>,
    door: Door,
    request: Request,
) -> Result<Response, Problem> {
    let from = address(&request);
    let body = <Body as axum::extract::FromRequest<_>>::from_request(request, &()).await?;
    let NewPassword { current, password } = body.typed()?;
    let (office, kneader) = (&desk.office, &desk.kneader);
    let (session, came_in) = desk.came_in(&caller).await?;
    let which = RecordRef::Number(came_in.person.unwrap_or_default());
    let person = office.store.record("person", &which, &Reader::Everything).await?;
    let person = person.ok_or_else(Problem::unknown)?;
    let held = password::active(&office.store, &person.number).await?;
    if !held.is_empty() && came_in.link.is_none() {
        let digest = kneader.digest(current.unwrap_or_default(), person.id).await?;
        let shown = office.store.held("password", &hex::encode(digest)).await?;
        if !shown.is_some_and(|shown| held.iter().any(|held| held.id == shown.id)) {
            let slowed = desk.access.refused(from, NOT_KNOWN);
            let wrong = Problem::invalid("/current", "wrong", "This is not your present password.");
            return Err(if slowed.retry_after.is_some() { slowed } else { wrong });
        }
    }
    password::put(office, kneader, &door, &person, password).await?;
    let mut others = password::sessions(&office.store, &person.number).await?;
    others.retain(|other| other.id != session);
    let ended = password::take_of_all(office, &door, &others, "end").await;
    desk.access.forget();
    ended?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn who(actor: &Actor, scopes: &[String], session: Option<Uuid>, secret: Option<&str>) -> Value {
    json!({
        "id": actor.id,
        "name": actor.name,
        "roles": actor.roles,
        "groups": actor.groups,
        "scopes": scopes,
        "session": session,
        "csrf_token": secret.map(credential::csrf_token),
    })
}

fn with_cookie(answer: Response, cookie: &str) -> Response {
    let mut answer = unkept(answer);
    // Our own words and hexadecimal digits: always a header.
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    answer
}

fn unkept(mut answer: Response) -> Response {
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

//! Signing in and out at the console: a session is a record, and its secret a cookie.

use axum::{
    Extension, Json, Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chassis::{Office, Problem, json::Json as Body};
use chrono::TimeDelta;
use engine::{Command, Happening};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use kernel::{Actor, Cause, Channel};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{net::IpAddr, sync::Arc};
use store::{Act, RecordRef, Target};
use uuid::Uuid;

use super::{
    Access, Caller, Tickets, credential,
    let_in::address,
    password::{self, Kneader},
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

    /// `GET` and `DELETE /api/v1/session`, for who is in.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/api/v1/session", get(whoami).delete(sign_out))
            .with_state(self.clone())
    }

    async fn guest(&self, shown: Shown, from: IpAddr) -> Result<Guest, Problem> {
        match shown {
            Shown::Password { login, password } => self.by_password(&login, password, from).await,
            Shown::Ticket { ticket } if self.tickets.take(&ticket) => Ok(self.administrator()),
            Shown::Ticket { .. } => {
                Err(self.access.refused(from, "This link was used already, or is too old."))
            }
            Shown::Token { token } => {
                let digest = secret::digest(token.trim());
                if self.access.is_administrators(&digest) {
                    return Ok(self.administrator());
                }
                let found = self.access.by_key(&digest).await?;
                let (caller, _) =
                    found.ok_or_else(|| self.access.refused(from, "The token is not known."))?;
                let actor = caller.identity.actor.clone();
                Ok(Guest { actor, person: None, api_key: Some(caller.integration) })
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
        Ok(Guest { actor: Arc::new(actor), person: Some(person.number.clone()), api_key: None })
    }

    fn administrator(&self) -> Guest {
        let actor = self.access.administrator().identity.actor.clone();
        Guest { actor, person: None, api_key: None }
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
            "expires_at": expires_at,
        });
        let happening = Happening { kind: BEGUN.to_owned(), event, record: None };
        let cause = Cause::new(Uuid::new_v4(), guest.actor.clone(), now, Channel::Api);
        let act = Act::new(cause, Target::Events(vec![happening]), Vec::new());
        let done = self.office.act(act).await?;
        if let Some(refusal) = done.refused.into_iter().next() {
            return Err(refusal.into());
        }
        let view = who(&guest.actor, &[], Some(&secret));
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
    let answer = Json(who(&identity.actor, &identity.scopes, secret)).into_response();
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

fn who(actor: &Actor, scopes: &[String], secret: Option<&str>) -> Value {
    json!({
        "id": actor.id,
        "name": actor.name,
        "roles": actor.roles,
        "groups": actor.groups,
        "scopes": scopes,
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

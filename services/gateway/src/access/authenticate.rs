//! Who is it? The one seam behind which credentials of every kind become a caller.

use std::{
    collections::{BTreeSet, HashMap},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chassis::{Identity, Problem};
use contract::IDENTITY_HEADER;
use engine::Record;
use http::{HeaderMap, StatusCode, header};
use kernel::{ADMINISTRATOR, Actor, Clock, Reader};
use serde::Deserialize;
use store::{RecordRef, Setback, Store};
use tokio::sync::Mutex;

use super::{
    Caller, Failures, Token,
    roster::{self, Roster},
    secret::{self, Digest},
};
use crate::routing::{Routes, Table};

/// How long a caller is taken for who they were; changes made through this gateway count at once.
const FRESH: Duration = Duration::from_secs(5);
/// While the database is away, a caller who was here this long ago is still let in.
const TOLERATED: Duration = Duration::from_secs(600);
/// Callers remembered at the same time; beyond, all are looked up again.
const CALLERS: usize = 10_000;

/// What a request shows for itself. Another kind of credential is another variant.
#[derive(Clone, PartialEq, Eq)]
enum Credential {
    /// The administrator's token or an API key, by the digest of the secret.
    Secret(Digest),
}

/// Decides who comes in. Cheap to clone.
#[derive(Clone)]
pub struct Access {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    clock: Clock,
    routes: Routes,
    administrator: Digest,
    as_administrator: RwLock<Option<(Arc<Table>, Arc<Caller>)>>,
    sessions: RwLock<HashMap<Digest, Session>>,
    roster: Mutex<Option<(u64, Instant, Arc<Roster>)>>,
    /// Rises when persons, groups or keys change; what was worked out before is stale.
    generation: AtomicU64,
    failures: Failures,
}

struct Session {
    caller: Arc<Caller>,
    generation: u64,
    since: Instant,
    expires_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// What an API key's record says that matters here.
#[derive(Deserialize)]
struct ApiKey {
    name: String,
    scopes: Vec<String>,
    person: Option<String>,
    expires_at: Option<chrono::DateTime<chrono::Utc>>,
}

impl Access {
    /// Reads persons, groups and keys from `store`; the administrator's roles are those that the
    /// services of `routes` know.
    #[must_use]
    pub fn new(store: Store, clock: Clock, routes: Routes, administrator: &Token) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                clock,
                routes,
                administrator: secret::digest(administrator.reveal()),
                as_administrator: RwLock::default(),
                sessions: RwLock::default(),
                roster: Mutex::default(),
                generation: AtomicU64::new(0),
                failures: Failures::default(),
            }),
        }
    }

    /// Persons, groups or keys have changed: everybody is looked up again.
    pub fn forget(&self) {
        self.inner.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Who calls.
    ///
    /// # Errors
    /// 401 without a sound credential, 429 when the address showed too many unsound ones, 503 when
    /// the database cannot be asked.
    pub async fn caller(&self, headers: &HeaderMap, from: IpAddr) -> Result<Arc<Caller>, Problem> {
        let credential = credential(headers)?;
        self.known_or_found(&credential).await?.ok_or_else(|| self.refused(from))
    }

    /// As whom somebody who came in with these headers would come in now, if at all.
    ///
    /// # Errors
    /// 503 when the database cannot be asked.
    pub async fn again(&self, headers: &HeaderMap) -> Result<Option<Arc<Caller>>, Problem> {
        match credential(headers) {
            Ok(credential) => self.known_or_found(&credential).await,
            Err(_) => Ok(None),
        }
    }

    async fn known_or_found(
        &self,
        Credential::Secret(digest): &Credential,
    ) -> Result<Option<Arc<Caller>>, Problem> {
        if secret::same(digest, &self.inner.administrator) {
            return Ok(Some(self.administrator()));
        }
        if let Some(caller) = self.known(digest, FRESH, true) {
            return Ok(Some(caller));
        }
        // Read before the database is, so that a change meanwhile makes the answer stale.
        let generation = self.inner.generation.load(Ordering::SeqCst);
        match self.look_up(digest).await {
            Ok(Some((caller, expires_at))) => {
                let caller = Arc::new(caller);
                let session = Session {
                    caller: caller.clone(),
                    generation,
                    since: Instant::now(),
                    expires_at,
                };
                let mut sessions =
                    self.inner.sessions.write().unwrap_or_else(PoisonError::into_inner);
                if sessions.len() >= CALLERS {
                    sessions.clear();
                }
                sessions.insert(*digest, session);
                Ok(Some(caller))
            }
            Ok(None) => {
                let mut sessions =
                    self.inner.sessions.write().unwrap_or_else(PoisonError::into_inner);
                sessions.remove(digest);
                Ok(None)
            }
            Err(setback) => {
                let cause = std::error::Error::source(&setback).map(ToString::to_string);
                tracing::error!(error = %setback, cause, "the access database does not answer");
                self.known(digest, TOLERATED, false).map(Some).ok_or_else(|| {
                    Problem::unavailable("access", "Who you are cannot be looked up now.")
                })
            }
        }
    }

    fn known(&self, digest: &Digest, age: Duration, only_current: bool) -> Option<Arc<Caller>> {
        let sessions = self.inner.sessions.read().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get(digest)?;
        let current = session.generation == self.inner.generation.load(Ordering::SeqCst);
        let expired = session.expires_at.is_some_and(|at| at <= self.inner.clock.now());
        let sound = session.since.elapsed() < age && !expired && (current || !only_current);
        sound.then(|| session.caller.clone())
    }

    fn refused(&self, from: IpAddr) -> Problem {
        match self.inner.failures.note(from, Instant::now()) {
            None => Problem::unauthenticated("The token is not known, or no longer valid."),
            Some(wait) => {
                let detail = "Too many unknown tokens came from this address.";
                let mut problem =
                    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_failures", detail);
                problem.retry_after = u32::try_from(wait.as_secs().max(1)).ok();
                problem
            }
        }
    }

    /// Holds every role that some service knows, as of this moment.
    fn administrator(&self) -> Arc<Caller> {
        let table = self.inner.routes.now();
        let kept = self.inner.as_administrator.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, caller)) = kept.as_ref()
            && Arc::ptr_eq(of, &table)
        {
            return caller.clone();
        }
        drop(kept);
        let mut roles = table.roles();
        roles.remove(kernel::SYSTEM);
        roles.insert(ADMINISTRATOR.to_owned());
        let identity = Identity::of(Actor {
            id: format!("key:{ADMINISTRATOR}"),
            name: "Administrator".to_owned(),
            roles,
            groups: BTreeSet::new(),
        });
        let caller = Arc::new(Caller { identity, integration: ADMINISTRATOR.to_owned() });
        let mut kept = self.inner.as_administrator.write().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((table, caller.clone()));
        caller
    }

    async fn look_up(
        &self,
        digest: &Digest,
    ) -> Result<Option<(Caller, Option<chrono::DateTime<chrono::Utc>>)>, Setback> {
        let store = &self.inner.store;
        let Some(record) = store.held("api_key", &hex::encode(digest)).await? else {
            return Ok(None);
        };
        let Some(key) = roster::data::<ApiKey>(&record).filter(|_| record.state == "active") else {
            return Ok(None);
        };
        if key.expires_at.is_some_and(|at| at <= self.inner.clock.now()) {
            return Ok(None);
        }
        let actor = match &key.person {
            None => Some(Actor {
                id: format!("key:{}", record.number),
                name: key.name,
                roles: BTreeSet::new(),
                groups: BTreeSet::new(),
            }),
            Some(person) => self.person(person).await?,
        };
        Ok(actor.map(|actor| {
            let identity = Identity { actor: Arc::new(actor), scopes: key.scopes.into() };
            (Caller { identity, integration: record.number }, key.expires_at)
        }))
    }

    async fn person(&self, number: &str) -> Result<Option<Actor>, Setback> {
        let which = RecordRef::Number(number.to_owned());
        let person: Option<Record> =
            self.inner.store.record("person", &which, &Reader::Everything).await?;
        let Some(person) = person.filter(|person| person.state == "active") else {
            return Ok(None);
        };
        Ok(self.roster().await?.actor(&person))
    }

    async fn roster(&self) -> Result<Arc<Roster>, Setback> {
        let mut kept = self.inner.roster.lock().await;
        let generation = self.inner.generation.load(Ordering::SeqCst);
        if let Some((of, since, roster)) = kept.as_ref()
            && *of == generation
            && since.elapsed() < FRESH
        {
            return Ok(roster.clone());
        }
        let roster = Arc::new(Roster::read(&self.inner.store).await?);
        *kept = Some((generation, Instant::now(), roster.clone()));
        Ok(roster)
    }
}

/// Middleware: lets in who shows a sound credential, as a [`Caller`] and an [`Identity`].
pub async fn let_in(State(access): State<Access>, mut request: Request, next: Next) -> Response {
    // Only the gateway says who somebody is.
    request.headers_mut().remove(IDENTITY_HEADER);
    let from = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| address.ip());
    match access.caller(request.headers(), from).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller.identity.clone());
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

fn credential(headers: &HeaderMap) -> Result<Credential, Problem> {
    let Some(given) = headers.get(header::AUTHORIZATION) else {
        return Err(Problem::unauthenticated("Send `Authorization: Bearer` and a token."));
    };
    let bearer = given.to_str().ok().and_then(|text| text.split_once(' '));
    match bearer {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Ok(Credential::Secret(secret::digest(token.trim())))
        }
        _ => Err(Problem::unauthenticated(
            "The header `Authorization` must be `Bearer` and a token.",
        )),
    }
}

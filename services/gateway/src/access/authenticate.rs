//! Who is it? The one seam behind which credentials of every kind become a caller.

use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use chassis::{Identity, Problem};
use engine::Record;
use http::{HeaderMap, StatusCode};
use kernel::{ADMINISTRATOR, Actor, Clock, Reader};
use serde::Deserialize;
use store::{RecordRef, Setback, Store};
use tokio::sync::Mutex;

use super::{
    Caller, Failures, Token,
    credential::{Credential, Kind},
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
    known: RwLock<HashMap<Credential, Known>>,
    roster: Mutex<Option<(u64, Instant, Arc<Roster>)>>,
    /// Rises when persons, groups or keys change; what was worked out before is stale.
    generation: AtomicU64,
    failures: Failures,
}

struct Known {
    caller: Arc<Caller>,
    generation: u64,
    since: Instant,
    expires_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// A caller, and until when the credential is one.
type Found = Option<(Caller, Option<chrono::DateTime<chrono::Utc>>)>;

/// What a session's record says that matters here.
#[derive(Deserialize)]
struct Session {
    person: Option<String>,
    api_key: Option<String>,
    expires_at: chrono::DateTime<chrono::Utc>,
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
                known: RwLock::default(),
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
        let credential = Credential::of(headers)?;
        self.known_or_found(&credential).await?.ok_or_else(|| match credential.kind {
            Kind::Secret => self.refused(from, "The token is not known, or no longer valid."),
            // A cookie is no guess: it was ours, and its time is over.
            Kind::Session => Problem::unauthenticated("The session has ended: sign in again."),
        })
    }

    /// As whom somebody who came in with these headers would come in now, if at all.
    ///
    /// # Errors
    /// 503 when the database cannot be asked.
    pub async fn again(&self, headers: &HeaderMap) -> Result<Option<Arc<Caller>>, Problem> {
        match Credential::of(headers) {
            Ok(credential) => self.known_or_found(&credential).await,
            Err(_) => Ok(None),
        }
    }

    async fn known_or_found(
        &self,
        credential: &Credential,
    ) -> Result<Option<Arc<Caller>>, Problem> {
        if credential.kind == Kind::Secret && self.is_administrators(&credential.digest) {
            return Ok(Some(self.administrator()));
        }
        if let Some(caller) = self.known(credential, FRESH, true) {
            return Ok(Some(caller));
        }
        // Read before the database is, so that a change meanwhile makes the answer stale.
        let generation = self.inner.generation.load(Ordering::SeqCst);
        let found = match credential.kind {
            Kind::Secret => self.by_key(&credential.digest).await,
            Kind::Session => self.by_session(&credential.digest).await,
        };
        match found {
            Ok(Some((caller, expires_at))) => {
                let caller = Arc::new(caller);
                let entry =
                    Known { caller: caller.clone(), generation, since: Instant::now(), expires_at };
                let mut known = self.inner.known.write().unwrap_or_else(PoisonError::into_inner);
                if known.len() >= CALLERS {
                    known.clear();
                }
                known.insert(*credential, entry);
                Ok(Some(caller))
            }
            Ok(None) => {
                let mut known = self.inner.known.write().unwrap_or_else(PoisonError::into_inner);
                known.remove(credential);
                Ok(None)
            }
            Err(setback) => {
                let cause = std::error::Error::source(&setback).map(ToString::to_string);
                tracing::error!(error = %setback, cause, "the access database does not answer");
                self.known(credential, TOLERATED, false).map(Some).ok_or_else(|| {
                    Problem::unavailable("access", "Who you are cannot be looked up now.")
                })
            }
        }
    }

    fn known(
        &self,
        credential: &Credential,
        age: Duration,
        only_current: bool,
    ) -> Option<Arc<Caller>> {
        let known = self.inner.known.read().unwrap_or_else(PoisonError::into_inner);
        let entry = known.get(credential)?;
        let current = entry.generation == self.inner.generation.load(Ordering::SeqCst);
        let expired = entry.expires_at.is_some_and(|at| at <= self.inner.clock.now());
        let sound = entry.since.elapsed() < age && !expired && (current || !only_current);
        sound.then(|| entry.caller.clone())
    }

    /// Whether this is the digest of the administrator's token.
    pub(super) fn is_administrators(&self, digest: &Digest) -> bool {
        secret::same(digest, &self.inner.administrator)
    }

    /// Notes a failure of an address, and says so: 401 with `detail`, or 429 after too many.
    pub(super) fn refused(&self, from: IpAddr, detail: &str) -> Problem {
        match self.inner.failures.note(from, Instant::now()) {
            None => Problem::unauthenticated(detail),
            Some(wait) => {
                let detail = "Too many failures to sign in came from this address.";
                let mut problem =
                    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_failures", detail);
                problem.retry_after = u32::try_from(wait.as_secs().max(1)).ok();
                problem
            }
        }
    }

    /// Holds every role that some service knows, as of this moment.
    pub(super) fn administrator(&self) -> Arc<Caller> {
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
        let caller =
            Arc::new(Caller { identity, integration: ADMINISTRATOR.to_owned(), session: None });
        let mut kept = self.inner.as_administrator.write().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((table, caller.clone()));
        caller
    }

    /// The session that a cookie stands for, for as long as what began it still could.
    async fn by_session(&self, digest: &Digest) -> Result<Found, Setback> {
        let Some(record) = self.inner.store.held("session", &hex::encode(digest)).await? else {
            return Ok(None);
        };
        let open = roster::data::<Session>(&record).filter(|_| record.state == "active");
        let Some(session) = open.filter(|session| session.expires_at > self.inner.clock.now())
        else {
            return Ok(None);
        };
        let caller = match (&session.person, &session.api_key) {
            (Some(person), _) => self.person(person).await?.map(|actor| Caller {
                identity: Identity::of(actor),
                integration: record.number.clone(),
                session: None,
            }),
            (None, Some(key)) => {
                let which = RecordRef::Number(key.clone());
                let key = self.inner.store.record("api_key", &which, &Reader::Everything).await?;
                match key {
                    Some(key) => self.of_key(key).await?.map(|(caller, _)| caller),
                    None => None,
                }
            }
            (None, None) => Some(self.administrator().as_ref().clone()),
        };
        let session_id = Some(record.id);
        Ok(caller
            .map(|caller| (Caller { session: session_id, ..caller }, Some(session.expires_at))))
    }

    pub(super) async fn by_key(&self, digest: &Digest) -> Result<Found, Setback> {
        match self.inner.store.held("api_key", &hex::encode(digest)).await? {
            Some(record) => self.of_key(record).await,
            None => Ok(None),
        }
    }

    async fn of_key(&self, record: Record) -> Result<Found, Setback> {
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
            (Caller { identity, integration: record.number, session: None }, key.expires_at)
        }))
    }

    /// The active person of this number as an actor.
    pub(super) async fn person(&self, number: &str) -> Result<Option<Actor>, Setback> {
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

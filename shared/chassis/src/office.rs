//! What the doors of one service share: its store, its rules, its clock and its measures.

use std::{collections::BTreeMap, ops::Deref, sync::Arc};

use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use engine::{Command, Definition, Record, Ruleset};
use http::{HeaderValue, StatusCode, header};
use kernel::{Clock, Refusal, Rule};
use serde_json::{Map, Value, json};
use store::{Act, Done, Setback, Store, Target};
use tokio::sync::Notify;

use crate::{
    Neighbours,
    door::Door,
    problem::Problem,
    publications,
    service::describing::Describing,
    telemetry::{metrics::Metrics, trace},
};

/// The one place of a service where commands are carried to the store. Cheap to clone, which each
/// request does several times.
#[derive(Clone)]
pub struct Office(Arc<Equipment>);

/// What stands in an office.
pub struct Equipment {
    /// `incident`
    pub service: Arc<str>,
    pub store: Store,
    pub clock: Clock,
    pub metrics: Metrics,
    /// None where what is said waits in the outbox.
    pub bus: Option<bus::Bus>,
    /// A file that is attached has at most so many.
    pub(crate) attachment_bytes: usize,
    /// Whether what somebody publishes waits for another person.
    pub(crate) needs_another: bool,
    /// What the service says of itself.
    pub(crate) describing: Describing,
    /// Told when a migration is to be worked on.
    pub(crate) migrating: Notify,
    /// What a folder offered and is not in force, because it has faults: a line each.
    pub(crate) unfed: Vec<String>,
    /// What the services that this one hears say of themselves.
    pub neighbours: Neighbours,
    /// What the service makes of a record before it is shown, by process.
    pub(crate) shows: Shows,
}

/// Brings the view of a record up to the moment at which it is read.
pub type Show = fn(&Ruleset, &Record, DateTime<Utc>, &mut Value);

pub(crate) type Shows = BTreeMap<&'static str, Show>;

impl From<Equipment> for Office {
    fn from(equipment: Equipment) -> Self {
        Self(Arc::new(equipment))
    }
}

impl Deref for Office {
    type Target = Equipment;

    fn deref(&self) -> &Equipment {
        &self.0
    }
}

impl Office {
    /// What the service decides by now.
    #[must_use]
    pub fn rules(&self) -> Arc<Ruleset> {
        self.store.rules()
    }

    /// Carries one act to the store and counts what becomes of it.
    ///
    /// # Errors
    /// The problem to answer; what broke here is in the log.
    pub async fn act(&self, act: Act) -> Result<Done, Problem> {
        name_span(&act);
        self.counted(self.store.act(act).await)
    }

    /// The same for many at once, each with its own outcome, in their order.
    pub async fn act_all(&self, acts: Vec<Act>) -> Vec<Result<Done, Problem>> {
        let outcomes = self.store.act_all(acts).await;
        outcomes.into_iter().map(|outcome| self.counted(outcome)).collect()
    }

    /// Asks that the caller holds one of `roles`; administrators hold all of them. For what is done
    /// beside records: whoever is refused is on record, as with any command.
    ///
    /// # Errors
    /// 403 that names what was missing.
    pub async fn needs_role(&self, door: &Door, roles: &[&str], what: &str) -> Result<(), Problem> {
        let Err(problem) = door.identity.needs_role(roles) else { return Ok(()) };
        let refusal = Refusal::new(Rule::Role, problem.errors.clone());
        let target = Target::New { process: self.service.to_string() };
        let command = Command::Take { transition: what.to_owned(), with: Map::new() };
        let act = Act::new(door.cause(&self.clock), target, vec![command]);
        self.act(Act { refused: Some(refusal), ..act }).await?;
        Err(problem)
    }

    fn counted(&self, outcome: Result<Done, Setback>) -> Result<Done, Problem> {
        self.metrics.act(match &outcome {
            Ok(done) if done.replayed => "replayed",
            Ok(_) => "done",
            Err(Setback::Broken(_)) => "failed",
            Err(_) => "refused",
        });
        outcome.map_err(Problem::from)
    }

    /// A record as lists show it, exact to this moment.
    #[must_use]
    pub fn shown(&self, record: &Record) -> Value {
        let mut view = record.view();
        if let Some(show) = self.shows.get(record.process.as_str()) {
            show(&self.rules(), record, self.clock.now(), &mut view);
        }
        view
    }

    /// A record as the API shows it to who asks at `door`, in their language, offers included.
    #[must_use]
    pub fn view(&self, record: &Record, door: &Door) -> Value {
        let mut view = self.shown(record);
        let actor = publications::looking(record, &door.identity.actor);
        let (languages, now) = (&door.languages, self.clock.now());
        let offers = engine::offers(&self.rules(), record, &actor, languages, now);
        view["offers"] = json!(offers);
        view
    }

    /// The answer that shows a record: its view, with its revision as `ETag`.
    #[must_use]
    pub fn answer(&self, status: StatusCode, record: &Record, door: &Door) -> Response {
        let mut response = (status, axum::Json(self.view(record, door))).into_response();
        let language = HeaderValue::from_static("accept-language");
        response.headers_mut().insert(header::VARY, language);
        if let Ok(etag) = HeaderValue::from_str(&format!("\"{}\"", record.revision)) {
            response.headers_mut().insert(header::ETAG, etag);
        }
        if status == StatusCode::CREATED
            && let Some(definition) = self.rules().process(&record.process)
            && let Ok(location) = HeaderValue::from_str(&path_of(definition, record))
        {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

/// Where a record is found.
fn path_of(definition: &Definition, record: &Record) -> String {
    format!("/api/v1/{}/{}", definition.collection, record.id)
}

/// The span of a request is called by what it asks: `incident.resolve` says more than a route.
fn name_span(act: &Act) {
    trace::call_current(|| called(act));
}

/// `incident.resolve`
fn called(act: &Act) -> String {
    let process = match &act.target {
        Target::New { process } | Target::Record { process, .. } => process.as_str(),
        Target::Events(happenings) => happenings.first().map_or("events", |first| &first.kind),
    };
    let command = act.commands.first().map_or("event", Command::name);
    format!("{process}.{command}")
}

impl From<Setback> for Problem {
    fn from(setback: Setback) -> Self {
        match setback {
            Setback::Unknown => Self::unknown(),
            Setback::Refused(refusal) => refusal.into(),
            Setback::Stale { revision } => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "stale",
                format!("The record is at revision {revision} by now; read it again."),
            )
            .with_etag(revision),
            Setback::KeyReused => Self::invalid(
                "/Idempotency-Key",
                "key_reused",
                "This idempotency key was used for another request.",
            ),
            Setback::Duplicate => {
                Self::new(StatusCode::CONFLICT, "duplicate", "This was done before.")
            }
            Setback::Fenced | Setback::Behind => {
                Self::unavailable("fenced", "Another replica has taken over; try again.")
            }
            Setback::Hindered(why) => {
                let why = why[..1].to_uppercase() + &why[1..] + ".";
                Self::new(StatusCode::CONFLICT, "definition", why)
            }
            Setback::Overtaken => Self::unavailable(
                "overtaken",
                "Something else was published at the same moment; try again.",
            ),
            Setback::Broken(cause) => {
                tracing::error!(error = %chain(&*cause), "the store failed");
                // A database that is away comes back, and then the same request can be sent again.
                let detail =
                    "The database could not do it now. Try again, with the same idempotency key.";
                Self::unavailable("database", detail)
            }
        }
    }
}

/// An instant as the API writes it: RFC 3339 in UTC, microseconds.
pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// An error with all that it came from, for one line of the log.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

//! Migrating: the open records of a process go over to another version, after a look at what would
//! become of them.
//!
//! A migration is a record (`publications/migration.v1.yaml`), under
//! `/api/v1/services/{service}/migrations`: while it is running, some replica works on it, page by page,
//! and after an interruption it goes on with the records that are still to be moved. Each record that
//! moves has a fact of its own.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Json as Body, Router,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
    routing::post,
};
use engine::{Command, Definition, Migration, Record, Ruleset, Subject, decide};
use http::{HeaderValue, StatusCode, header};
use kernel::{Actor, Cause, Channel, Reader, Refusal};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::{Act, Fence, Query, RecordRef, Setback, Sort, Target};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Office,
    door::{Door, named_id},
    json::Json,
    office::chain,
    problem::Problem,
    publications::{as_owner, settle},
    records::{self, Shelf},
};

pub(crate) const MIGRATION: &str = "migration";
pub(crate) const FILE: (&str, &str) =
    ("migration.v1.yaml", include_str!("publications/migration.v1.yaml"));
/// Records that are looked at, or moved, at a time.
const PAGE: u64 = 200;
/// A look at what would happen ends after so many records.
const LOOK_LIMIT: u64 = 50_000;
/// So many of those that would be refused are told.
const TOLD: usize = 200;
/// A replica that works on migrations says so again within this time.
const LEASE: Duration = Duration::from_secs(60);
/// How often a replica looks for migrations that nobody works on.
const LOOK: Duration = Duration::from_secs(15);

pub(crate) fn router(office: &Office) -> Router {
    let shelf = Shelf { office: office.clone(), process: Arc::from(MIGRATION) };
    let root = format!("services/{}/migrations", office.service);
    let stop = format!("/api/v1/{root}/{{id}}/transitions/stop");
    Router::new()
        .route("/api/v1/processes/{name}/migrate", post(migrate))
        .with_state(office.clone())
        .merge(Router::new().route(&stop, post(stop_it)).with_state(shelf.clone()))
        .merge(records::collection(&root, shelf, false))
}

/// What is to be moved where, and how it is called there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// The version in force, unless another is named.
    to: Option<u32>,
    /// The versions that records are moved from; all others, unless some are named.
    #[serde(default)]
    from: Vec<u32>,
    #[serde(default)]
    states: BTreeMap<String, String>,
    #[serde(default)]
    fields: BTreeMap<String, Option<String>>,
    /// Only tells what would happen.
    #[serde(default = "yes")]
    dry_run: bool,
}

fn yes() -> bool {
    true
}

/// A migration on its way.
struct Task {
    process: String,
    from: Vec<u32>,
    migration: Migration,
    actor: Arc<Actor>,
}

impl Task {
    /// The versions that there are records to be moved from.
    fn sources(&self, rules: &Ruleset) -> Vec<u32> {
        let versions = rules.versions(&self.process).map(|definition| definition.version);
        let is_meant = |version: &u32| {
            *version != self.migration.to && (self.from.is_empty() || self.from.contains(version))
        };
        versions.filter(is_meant).collect()
    }

    /// Reads a task as it was written down.
    fn read(record: &Record) -> Option<Self> {
        let data = &record.data;
        let text = |name: &str| Some(data.get(name)?.as_str()?.to_owned());
        let read = |name: &str| data.get(name).cloned().unwrap_or_else(|| json!({}));
        let to = data.get("to").and_then(Value::as_u64).and_then(|to| u32::try_from(to).ok())?;
        let from = data.get("from").cloned().unwrap_or_else(|| json!([]));
        let migration = Migration {
            to,
            states: serde_json::from_value(read("states")).ok()?,
            fields: serde_json::from_value(read("fields")).ok()?,
        };
        let roles = [Some(kernel::ADMINISTRATOR.to_owned()), text("owner_role")];
        let actor = Actor {
            id: text("by")?,
            name: text("by_name")?,
            roles: roles.into_iter().flatten().collect(),
            groups: std::collections::BTreeSet::new(),
        };
        let from = serde_json::from_value(from).ok()?;
        Some(Self { process: text("name")?, from, migration, actor: Arc::new(actor) })
    }
}

/// Tells what would become of each record, or sets the migration going.
async fn migrate(
    State(office): State<Office>,
    Path(name): Path<String>,
    door: Door,
    body: Json,
) -> Result<Response, Problem> {
    let rules = office.rules();
    let definition = rules.process(&name).filter(|_| records::is_public(&name));
    let definition = definition.ok_or_else(Problem::unknown)?;
    let owner = definition.accountable_role().map(str::to_owned);
    let roles: Vec<&str> = owner.as_deref().into_iter().collect();
    office.needs_role(&door, &roles, "migrate").await?;
    let once = door.once(&body.digest);
    let wish: Wish = body.typed()?;
    let to = wish.to.unwrap_or(definition.version);
    let target = rules.version(&name, to).ok_or_else(|| {
        let message = format!("Version {to} is neither in force nor has it records.");
        Problem::invalid("/to", "unknown_version", message)
    })?;
    mappable(&wish, target)?;
    let migration = Migration { to, states: wish.states, fields: wish.fields };
    let actor = Arc::clone(&door.identity.actor);
    let task = Task { process: name.clone(), from: wish.from, migration, actor };
    if wish.dry_run {
        return Ok(Body(look(&office, &rules, &task).await?).into_response());
    }
    let mut data = json!({
        "name": name,
        "to": to,
        "from": task.from,
        "states": task.migration.states,
        "fields": task.migration.fields,
        "by": task.actor.id,
        "by_name": task.actor.name,
        "owner_role": owner,
    });
    let data = data.as_object_mut().map(std::mem::take).unwrap_or_default();
    let cause = as_owner(&office, &door);
    let target = Target::New { process: MIGRATION.to_owned() };
    let act = Act { once, ..Act::new(cause, target, vec![Command::Open { data }]) };
    let record = office.act(act).await?.record.ok_or_else(Problem::broken)?;
    office.migrating.notify_one();
    let mut response = (StatusCode::ACCEPTED, Body(office.shown(&record))).into_response();
    let place = format!("/api/v1/services/{}/migrations/{}", office.service, record.number);
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// What is moved stays moved; the rest stays where it is.
async fn stop_it(
    shelf: State<Shelf>,
    id: Path<String>,
    door: Door,
    body: Json,
) -> Result<Response, Problem> {
    settle("stop", shelf, id, door, body).await
}

/// What a mapping leads to must be there.
fn mappable(wish: &Wish, target: &Definition) -> Result<(), Problem> {
    let mut faults = Vec::new();
    for (from, to) in &wish.states {
        if target.states().all(|state| state != to) {
            let message = format!("version {} has no state `{to}`", target.version);
            faults.push(kernel::Fault::new(format!("/states/{from}"), "unknown_state", message));
        }
    }
    for (from, to) in &wish.fields {
        if to.as_ref().is_some_and(|to| target.field(to).is_none()) {
            let message = format!("version {} has no such field", target.version);
            faults.push(kernel::Fault::new(format!("/fields/{from}"), "unknown_field", message));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Refusal::new(kernel::Rule::Invalid, faults).into()) }
}

/// What would become of the records: how many would move, and which would be refused and why.
async fn look(office: &Office, rules: &Ruleset, task: &Task) -> Result<Value, Problem> {
    let (mut moved, mut refused, mut looked) = (0_u64, 0_u64, 0_u64);
    let mut because = Vec::new();
    let command = Command::Migrate(task.migration.clone());
    for version in task.sources(rules) {
        let mut after = Uuid::nil();
        while looked < LOOK_LIMIT {
            let page = office.store.open_on(&task.process, version, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            looked += page.len() as u64;
            for record in &page {
                let now = office.clock.now().max(record.updated_at);
                let cause = Cause::new(record.id, Arc::clone(&task.actor), now, Channel::Api);
                match decide(rules, Subject::Existing(record), &command, &cause) {
                    Ok(_) => moved += 1,
                    Err(refusal) => {
                        refused += 1;
                        if because.len() < TOLD {
                            because.push(reason(record, &refusal));
                        }
                    }
                }
            }
            tokio::task::yield_now().await;
        }
    }
    Ok(json!({
        "process": task.process,
        "to": task.migration.to,
        "would_move": moved,
        "would_refuse": refused,
        "refused": because,
        "is_complete": looked < LOOK_LIMIT,
    }))
}

fn reason(record: &Record, refusal: &Refusal) -> Value {
    json!({
        "number": record.number,
        "version": record.definition,
        "state": record.state,
        "because": refusal.faults,
    })
}

/// Works on running migrations, those that were interrupted included, until `stop`.
pub(crate) async fn run(office: Office, owner: String, stop: CancellationToken) {
    loop {
        if let Err(error) = pass(&office, &owner, &stop).await {
            tracing::warn!(error = %chain(&error), "migrations must wait");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = office.migrating.notified() => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn pass(office: &Office, owner: &str, stop: &CancellationToken) -> Result<(), Setback> {
    let rules = office.rules();
    let Some(definition) = rules.process(MIGRATION) else { return Ok(()) };
    let filter = rules.filter(definition, "record.state == 'running'")?;
    let query = Query {
        process: MIGRATION.to_owned(),
        filter: Some(filter),
        words: None,
        sort: Sort { field: engine::Field::OpenedAt, descending: false },
        limit: 100,
        cursor: None,
    };
    for record in office.store.list(&query, &Reader::Everything).await?.items {
        let lease = format!("migration:{}", record.number);
        let Some(fence) = office.store.lease(&lease, owner, LEASE).await? else { continue };
        let finished = work(office, &record, &fence, stop).await;
        office.store.release(&fence).await?;
        finished?;
    }
    Ok(())
}

/// Moves what is still to be moved, and writes down what became of it.
async fn work(
    office: &Office,
    record: &Record,
    fence: &Fence,
    stop: &CancellationToken,
) -> Result<(), Setback> {
    let Some(task) = Task::read(record) else { return Ok(()) };
    let (mut refused, mut because) = (0_u64, Vec::new());
    let rules = office.rules();
    for version in task.sources(&rules) {
        let mut after = Uuid::nil();
        loop {
            let page = office.store.open_on(&task.process, version, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            let is_ours = office.store.renew(std::slice::from_ref(fence), LEASE).await?;
            if stop.is_cancelled() || is_ours != [true] || is_stopped(office, record).await? {
                return Ok(());
            }
            let acts = page.iter().map(|one| act(office, &task, record, one)).collect();
            for (one, result) in page.iter().zip(office.store.act_all(acts).await) {
                match result {
                    Err(Setback::Refused(refusal)) => {
                        refused += 1;
                        if because.len() < TOLD {
                            because.push(reason(one, &refusal));
                        }
                    }
                    Ok(_) | Err(Setback::Unknown) => {}
                    Err(setback) => return Err(setback),
                }
            }
        }
    }
    let standing = office.store.standing_on(&task.process, task.migration.to).await?.open;
    let with = Map::from_iter([
        ("standing".to_owned(), standing.into()),
        ("refused".to_owned(), refused.into()),
        ("because".to_owned(), because.into()),
    ]);
    let system = Arc::new(Actor::system(&office.service));
    let now = office.clock.now();
    let cause = Cause::new(named_id("migration", &record.number), system, now, Channel::Timer);
    let target = Target::Record { process: MIGRATION.to_owned(), which: RecordRef::Id(record.id) };
    let finish = Command::Take { transition: "finish".to_owned(), with };
    match office.store.act(Act::new(cause, target, vec![finish])).await {
        // Somebody stopped it at the last moment.
        Ok(_) | Err(Setback::Refused(_)) => Ok(()),
        Err(setback) => Err(setback),
    }
}

async fn is_stopped(office: &Office, record: &Record) -> Result<bool, Setback> {
    let which = RecordRef::Id(record.id);
    let now = office.store.record(MIGRATION, &which, &Reader::Everything).await?;
    Ok(now.is_none_or(|now| now.state != "running"))
}

/// One record's step: by whom the migration was asked for, and because of it.
fn act(office: &Office, task: &Task, migration: &Record, record: &Record) -> Act {
    let name = format!("{}:{}", migration.number, record.id);
    let id = named_id("migration", &name);
    let now = office.clock.now();
    let mut cause = Cause::new(id, Arc::clone(&task.actor), now, Channel::Api);
    cause.correlation = migration.id;
    cause.causation = Some(migration.number.clone());
    let which = RecordRef::Id(record.id);
    let target = Target::Record { process: task.process.clone(), which };
    let command = Command::Migrate(task.migration.clone());
    let reader = Reader::Everything;
    Act { reader, ..Act::new(cause, target, vec![command]) }
}

//! Where a test works: a database of its own, a clock that it moves, and people who act.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::{DateTime, TimeDelta, Utc};
use engine::{Command, Definition, Happening, Record, Ruleset, Schemes};
use kernel::{Actor, Cause, Channel, Clock};
use serde_json::{Map, Value};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, sqlite::SqliteConnectOptions,
};
use store::{Act, Done, Options, Outgoing, RecordRef, Sent, Setback, Store, Target};
use uuid::Uuid;

pub const CASE: &str = r"
process: case
collection: cases
number: CAS
roles:
  agent: { accountable: true }
  reporter: { is: record.reporter }
fields:
  required: [title]
  properties:
    title:    { type: string, maxLength: 2000, index: text }
    weight:   { type: integer, index: number }
    due:      { type: string, format: date-time, index: time }
    reporter: { type: string, index: text }
    group:    { type: string, readOnly: true, index: text }
    alarms:   { type: integer, readOnly: true, default: 0 }
    reason:   { type: string, readOnly: true }
audience: ['role:agent', { person: record.reporter }]
links: { raised_by: raised, recurs: recurred_as, related_to: related_to }
starts: fresh
opens:
  - on: alarm.opened.v1
    when: event.group != 'nobody'
    key: event.group
    link: raised_by
    while: record.state != 'closed'
    succeeds: recurs
    set: { title: event.title, group: event.group, alarms: '1' }
states:
  fresh:
    start:  { to: working, by: [agent] }
    expire: { to: closed, after: P30D }
  fresh, working:
    attach: { by: [system], says: attached, on: { event: alarm.opened.v1, key: event.group, link: raised_by }, set: { alarms: record.alarms + 1 } }
  working:
    pause:  { to: fresh, by: [agent], needs: [reason] }
    finish: { to: closed, by: [agent], when: record.weight == null || record.weight < 9, because: it is too heavy }
    remind: { by: [system], says: reminded, after: P1D }
  closed: {}
";

const ALARM: &str = r"
process: alarm
collection: alarms
number: ALM
roles: { agent: {} }
fields:
  required: [key, title]
  properties:
    key:   { type: string, index: text }
    title: { type: string }
    group: { type: string, index: text }
    count: { type: integer, readOnly: true, default: 1 }
audience: ['role:agent']
links: { recurs: recurred_as }
starts: open
opens:
  - on: signal.firing.v1
    key: event.key
    succeeds: recurs
    set: { key: event.key, title: event.title, group: event.group }
states:
  open:
    repeat: { by: [system], says: repeated, on: { event: signal.firing.v1, key: event.key }, set: { count: record.count + 1 } }
    end:    { to: ended, by: [system], on: { event: signal.resolved.v1, key: event.key } }
  ended: {}
";

/// Case and alarm, where alarms of one group raise one case.
pub fn rules() -> Arc<Ruleset> {
    let parse = |text| Definition::parse(text, 1).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let rules = Ruleset::new(vec![parse(CASE), parse(ALARM)], Schemes::default());
    Arc::new(rules.unwrap_or_else(|faults| panic!("{faults:?}")))
}

/// One test's database and time.
pub struct Site {
    pub url: String,
    pub clock: Clock,
    causes: AtomicU64,
}

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_452_800, 123_456_000).expect("a moment of 2026")
}

impl Site {
    fn at(url: String) -> Self {
        Self { url, clock: Clock::manual(noon()), causes: AtomicU64::new(1) }
    }

    pub fn options(&self) -> Options {
        Options::new(&self.url, "desk")
    }

    pub async fn open(&self) -> Store {
        self.open_with(rules()).await
    }

    pub async fn open_with(&self, rules: Arc<Ruleset>) -> Store {
        let opened = Store::open(self.options(), rules, self.clock.clone()).await;
        opened.unwrap_or_else(|fault| panic!("{fault}: {:?}", std::error::Error::source(&fault)))
    }

    pub fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }

    pub fn pass(&self, time: TimeDelta) {
        self.clock.move_to(self.clock.now() + time);
    }

    /// A cause of its own, a microsecond after the one before.
    pub fn cause(&self, actor: &Arc<Actor>) -> Cause {
        self.pass(TimeDelta::microseconds(1));
        let id = Uuid::from_u128(u128::from(self.causes.fetch_add(1, Ordering::SeqCst)) << 64 | 7);
        Cause::new(id, Arc::clone(actor), self.clock.now(), Channel::Api)
    }

    /// Opens a case as an agent.
    pub fn opening(&self, title: &str, fields: Value) -> Act {
        let mut data = object(fields);
        data.insert("title".into(), title.into());
        let target = Target::New { process: "case".into() };
        Act::new(self.cause(&agent()), target, vec![Command::Open { data }])
    }

    pub async fn case(&self, store: &Store, title: &str, fields: Value) -> Record {
        record_of(store.act(self.opening(title, fields)).await)
    }

    pub fn on(&self, record: &Record, command: Command) -> Act {
        let target =
            Target::Record { process: record.process.clone(), which: RecordRef::Id(record.id) };
        Act::new(self.cause(&agent()), target, vec![command])
    }

    /// A signal of monitoring, as the bus delivers it.
    pub fn signal(&self, kind: &str, key: &str, group: &str) -> Act {
        let event =
            serde_json::json!({ "key": key, "title": format!("{key} fires"), "group": group });
        let happening = Happening { kind: kind.to_owned(), event, record: None };
        let system = Arc::new(Actor::system("desk"));
        let mut cause = self.cause(&system);
        cause.channel = Channel::Event;
        Act::new(cause, Target::Events(vec![happening]), vec![])
    }

    /// Runs SQL behind the store's back.
    pub async fn meddle(&self, sql: &str) -> u64 {
        let sql = AssertSqlSafe(sql.to_owned());
        if self.is_postgres() {
            let mut db = PgConnection::connect(&self.url).await.expect("a connection");
            return db.execute(sql).await.expect("the statement runs").rows_affected();
        }
        // It may come before the store does.
        let file: SqliteConnectOptions = self.url.parse().expect("a URL");
        let mut db = file.create_if_missing(true).connect().await.expect("a connection");
        db.execute(sql).await.expect("the statement runs").rows_affected()
    }
}

pub fn take(transition: &str) -> Command {
    Command::Take { transition: transition.to_owned(), with: Map::new() }
}

pub fn amend(fields: Value) -> Command {
    Command::Amend { patch: object(fields) }
}

pub fn object(fields: Value) -> Map<String, Value> {
    match fields {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

fn person(id: &str, roles: &[&str]) -> Arc<Actor> {
    let roles: BTreeSet<String> = roles.iter().map(|role| (*role).to_owned()).collect();
    let (id, name) = (format!("person:{id}"), id.to_owned());
    Arc::new(Actor { id, name, roles, groups: BTreeSet::new() })
}

pub fn agent() -> Arc<Actor> {
    person("PER0000001", &["agent"])
}

/// Somebody who is neither agent nor reporter of anything.
pub fn stranger() -> Arc<Actor> {
    person("PER0000009", &[])
}

/// The reporter of cases whose `reporter` is `PER0000002`.
pub fn reporter() -> Arc<Actor> {
    person("PER0000002", &[])
}

pub fn done(result: Result<Done, Setback>) -> Done {
    result.unwrap_or_else(|setback| panic!("{setback}: {setback:?}"))
}

pub fn record_of(result: Result<Done, Setback>) -> Record {
    Arc::unwrap_or_clone(done(result).record.expect("a record"))
}

pub async fn on_sqlite(test: impl AsyncFnOnce(&Site)) {
    let folder = tempfile::tempdir().expect("a folder");
    let site = Site::at(format!("sqlite://{}/store.db", folder.path().display()));
    test(&site).await;
}

/// On a scratch database, where there is a PostgreSQL.
pub async fn on_postgres(test: impl AsyncFnOnce(&Site)) {
    let Some(scratch) = testkit::Postgres::scratch().await else { return };
    test(&Site::at(scratch.url.clone())).await;
}

/// As if the bus had whole bundles.
pub async fn sent(store: &Store, events: &[Outgoing]) {
    let bundles = events.iter().map(|event| event.bundle).collect();
    store.sent(Sent { bundles, left: Vec::new() }).await.expect("an answer");
}

/// As if it had all that there is.
pub async fn tell(store: &Store) {
    sent(store, &store.unsent(500).await.expect("events")).await;
}

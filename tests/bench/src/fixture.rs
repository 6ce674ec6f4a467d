//! A million clocks in a minute: one of each kind is made by the service's rules, the others are copies of
//! its row with other instants, services and priorities, written past the platform.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use chrono::{DateTime, Utc};
use kernel::{Actor, Cause, Channel, Clock};
use serde_json::{Value, json};
use sla::{Agreements, Neighbour, heard};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use store::{Act, Store, Target};
use uuid::Uuid;

use crate::clocks::{agreed, open, schemes, target};

/// When the clocks that are copied were opened, resolved, and due.
const OPENED: &str = "2026-03-02T08:00:00Z";
const IN_TIME: &str = "2026-03-02T09:00:00Z";
const DUE: &str = "2026-03-02T12:00:00Z";
const TOO_LATE: &str = "2026-03-02T13:00:00Z";
/// Rows of one statement.
const AT_ONCE: usize = 100_000;

/// How a clock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Met,
    Breached,
    Running,
}

impl Kind {
    /// The incident that its clock is of.
    fn incident(self) -> Uuid {
        Uuid::from_u128(self as u128 + 1)
    }
}

/// So many running clocks; the first `due` of them come due from `first` on, so many a second, and
/// the others long after.
pub async fn running(
    url: &str,
    count: usize,
    first: DateTime<Utc>,
    a_second: usize,
    due: usize,
) -> Result<()> {
    let mut db = prepared(url).await?;
    let indexes = without_indexes(&mut db).await?;
    let shift = format!(
        "(CASE WHEN g < {due} THEN {} + g / {a_second} ELSE {} + g END)",
        first.timestamp() - seconds(DUE)?,
        first.timestamp() - seconds(DUE)? + 30 * 86_400,
    );
    copy(&mut db, Kind::Running, 0, count, &shift).await?;
    indexed(&mut db, indexes).await?;
    let place = place(&mut db, "due_at").await?;
    let timers = format!(
        "INSERT INTO timer (record_id, transition, process, due_at) \
         SELECT id, 'breach', 'clock', {place} FROM record WHERE process = 'clock' AND number >= 'CLK1'"
    );
    db.execute(AssertSqlSafe(timers)).await?;
    counted(db, url).await
}

/// So many clocks that are due in March, of twenty services, by each of their ends.
pub async fn month(url: &str, count: usize) -> Result<()> {
    let mut db = prepared(url).await?;
    let indexes = without_indexes(&mut db).await?;
    // Any second of the month, none twice as likely as another; the dues of the templates are on its
    // second day.
    let shift =
        format!("((g * 48271::bigint) % {} - {})", 31 * 86_400 - 7_200, 86_400 + 13 * 3_600);
    let mut from = 0;
    for kind in [Kind::Met, Kind::Breached, Kind::Running] {
        let some = count * kind.share() / 100;
        copy(&mut db, kind, from, some, &shift).await?;
        from += some;
    }
    indexed(&mut db, indexes).await?;
    counted(db, url).await
}

fn seconds(instant: &str) -> Result<i64> {
    Ok(instant.parse::<DateTime<Utc>>()?.timestamp())
}

/// The tables with one clock of each kind.
async fn prepared(url: &str) -> Result<PgConnection> {
    let clock = Clock::manual(OPENED.parse()?);
    let store = open(url.to_owned(), clock.clone()).await?;
    let agreements = agreed(vec![target("resolution", None)?]);
    for kind in [Kind::Met, Kind::Breached, Kind::Running] {
        hear(&store, &clock, &agreements, &event(kind, "opened", 1, OPENED)).await?;
    }
    clock.move_to("2026-03-02T14:00:00Z".parse()?);
    for (kind, at) in [(Kind::Met, IN_TIME), (Kind::Breached, TOO_LATE)] {
        hear(&store, &clock, &agreements, &event(kind, "resolved", 2, at)).await?;
    }
    store.close().await;
    Ok(PgConnection::connect(url).await?)
}

fn event(kind: Kind, name: &str, rev: u64, at: &str) -> Value {
    let state = if name == "opened" { "new" } else { "resolved" };
    json!({
        "record": {
            "id": kind.incident(), "number": "INC0000001", "process": "incident", "state": state,
            "rev": rev, "opened_at": OPENED,
            "data": { "service": "SVC-00", "customer": "CUS-00", "priority": 1 },
        },
        "event": name, "at": at, "from": if rev == 1 { Value::Null } else { json!("new") },
    })
}

async fn hear(store: &Store, clock: &Clock, agreements: &Agreements, event: &Value) -> Result<()> {
    let neighbour: Neighbour = serde_json::from_value(event.clone())?;
    let kind = format!("incident.{}.v1", neighbour.event);
    let audience = ["role:agent".to_owned()];
    let said = heard(&neighbour, &kind, &audience, agreements, &schemes()?);
    let actor = Arc::new(Actor::system("sla"));
    let cause = Cause::new(Uuid::new_v4(), actor, clock.now(), Channel::Event);
    let act = Act::new(cause, Target::Events(said), Vec::new());
    store.act(act).await.map_err(|why| anyhow!("{why:?}"))?;
    Ok(())
}

/// Takes the indexes of records away, which are made far faster at once than a row at a time; answers
/// how they are made.
async fn without_indexes(db: &mut PgConnection) -> Result<Vec<String>> {
    let sql = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'record' \
        AND indexname NOT IN (SELECT conname FROM pg_constraint)";
    let mut made = Vec::new();
    for row in sqlx::query(sql).fetch_all(&mut *db).await? {
        db.execute(AssertSqlSafe(format!("DROP INDEX {}", row.try_get::<String, _>(0)?))).await?;
        made.push(row.try_get(1)?);
    }
    Ok(made)
}

async fn indexed(db: &mut PgConnection, indexes: Vec<String>) -> Result<()> {
    for sql in indexes {
        db.execute(AssertSqlSafe(sql)).await?;
    }
    Ok(())
}

/// The column of an indexed field of clocks.
async fn place(db: &mut PgConnection, field: &str) -> Result<String> {
    let sql = "SELECT place FROM slot WHERE process = 'clock' AND field = $1";
    let row = sqlx::query(sql).bind(field).fetch_one(db).await.context("an indexed field")?;
    Ok(row.try_get(0)?)
}

/// Copies a clock so many times; `shift` is how many seconds later everything happens to the copy `g`.
async fn copy(
    db: &mut PgConnection,
    kind: Kind,
    from: usize,
    count: usize,
    shift: &str,
) -> Result<()> {
    let of = kind.incident();
    let number = "lpad((g % 20)::text, 2, '0')";
    // What still runs is worked out again when it fires: its limit is that of the first priority.
    let priority = if kind == Kind::Running { "1" } else { "(1 + g % 5)" };
    let mut data = "t.data".to_owned();
    for instant in [OPENED, IN_TIME, DUE, TOO_LATE] {
        let later = format!(
            "to_char((timestamptz '{instant}' + make_interval(secs => {shift})) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        );
        // In two steps, so that no instant is moved twice.
        data = format!("replace({data}, '\"{instant}\"', '\"=' || {later} || '\"')");
    }
    data = format!("replace({data}, '\"=', '\"')");
    data = format!("replace({data}, '\"SVC-00\"', '\"SVC-' || {number} || '\"')");
    data = format!("replace({data}, '\"CUS-00\"', '\"CUS-' || {number} || '\"')");
    data = format!("replace({data}, '\"priority\":1,', '\"priority\":' || {priority} || ',')");
    let mut columns = Vec::new();
    let mut values = Vec::new();
    let mut column = |name: &str, value: String| {
        columns.push(name.to_owned());
        values.push(value);
    };
    column("id", "gen_random_uuid()".to_owned());
    column("number", format!("'CLK' || (10000000 + {from} + g)"));
    column("data", data);
    for name in
        ["process", "definition", "state", "revision", "audience", "opened_by", "partition", "head"]
    {
        column(name, format!("t.{name}"));
    }
    for name in ["opened_at", "updated_at", "entered_at"] {
        column(name, format!("t.{name} + make_interval(secs => {shift})"));
    }
    let indexed = "SELECT field, place FROM slot WHERE process = 'clock'";
    for row in sqlx::query(indexed).fetch_all(&mut *db).await? {
        let (field, place): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let value = match field.as_str() {
            "service" => format!("'SVC-' || {number}"),
            "customer" => format!("'CUS-' || {number}"),
            "priority" => priority.to_owned(),
            _ if place.starts_with("time") => format!("t.{place} + make_interval(secs => {shift})"),
            _ => format!("t.{place}"),
        };
        column(&place, value);
    }
    let text = place(db, "of").await?;
    for first in (0..count).step_by(AT_ONCE) {
        let last = count.min(first + AT_ONCE) - 1;
        let sql = format!(
            "INSERT INTO record ({}) SELECT {} FROM record t, generate_series({first}, {last}) AS g \
             WHERE t.process = 'clock' AND t.{text} = '{of}' AND t.number < 'CLK1'",
            columns.join(", "),
            values.join(", "),
        );
        db.execute(AssertSqlSafe(sql)).await?;
    }
    Ok(())
}

/// Takes the templates away, completes what lists walk by, and has the totals counted.
async fn counted(mut db: PgConnection, url: &str) -> Result<()> {
    for sql in [
        "DELETE FROM timer WHERE record_id IN (SELECT id FROM record WHERE process = 'clock' AND number < 'CLK1')",
        "DELETE FROM record WHERE process = 'clock' AND number < 'CLK1'",
        "DELETE FROM standing",
        "INSERT INTO standing (record_id, process, state, updated_at, closed_at) \
         SELECT id, process, state, updated_at, closed_at FROM record",
        "DELETE FROM unsent",
        "DELETE FROM counting",
        "UPDATE counter SET value = 20000000 WHERE process = 'clock'",
    ] {
        db.execute(sql).await?;
    }
    db.close().await?;
    open(url.to_owned(), Clock::System).await?.close().await;
    Ok(())
}

//! `filter`: a list page with a filter in CEL, beside the same page asked in SQL by hand.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use chrono::{DateTime, Utc};
use engine::Record;
use kernel::Reader;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use store::{Query, Store};
use uuid::Uuid;

use crate::{
    act::{open, opening},
    rules,
    scratch::Postgres,
    table::{Row, Verdict, print},
};

const RECORDS: usize = 20_000;
const CEL: &str = "record.service == 'SVC-MAIL' && record.priority <= 3";

/// The median time of a page, one after the other on the same database, in turns.
pub async fn run(span: Duration) -> Result<()> {
    let server = Postgres::start()?;
    let url = server.database("steward")?;
    let store = filled(url.clone()).await?;
    server.sql("steward", "VACUUM ANALYZE")?;
    let rules = rules::of_incident()?;
    let definition = rules.process("incident").context("incidents")?;
    let mut db = PgConnection::connect(&url).await?;
    let sql = by_hand(&mut db).await?;
    let (mut translated, mut written) = (Vec::new(), Vec::new());
    let begin = Instant::now();
    while begin.elapsed() < span {
        let one = Instant::now();
        // As a request does, which is not the first by this filter.
        let filter = rules.filter(definition, CEL).map_err(|refusal| anyhow!("{refusal}"))?;
        let query = Query { filter: Some(filter), ..Query::of("incident") };
        let page =
            store.list(&query, &Reader::Everything).await.map_err(|why| anyhow!("{why:?}"))?;
        translated.push(one.elapsed());
        let one = Instant::now();
        // What is asked for comes from a person, so it is bound.
        let asked =
            sqlx::query(AssertSqlSafe(sql.as_str())).bind("SVC-MAIL").bind(3_i64).bind(50_i64);
        let rows = asked.fetch_all(&mut db).await?;
        let numbers = rows.iter().map(of_row).collect::<Result<Vec<_>>>()?;
        written.push(one.elapsed());
        let listed: Vec<_> = page.items.iter().map(|item: &Record| item.number.clone()).collect();
        ensure!(listed == numbers && listed.len() == 50, "the two pages differ");
    }
    let (translated, written) = (median(translated), median(written));
    let row = |what: &str, time: Duration| Row {
        p50: Some(time),
        ..Row::rate(what, 1.0 / time.as_secs_f64())
    };
    let rows = [row("a page of 50, SQL by hand", written), row("the same, CEL", translated)];
    let ratio = translated.as_secs_f64() / written.as_secs_f64();
    print(&rows, &[Verdict::at_most("filter", ratio, 1.3)]);
    Ok(())
}

async fn filled(url: String) -> Result<Store> {
    let store = open(url).await?;
    for first in (0..RECORDS).step_by(2_000) {
        for done in store.act_all((first..first + 2_000).map(opening).collect()).await {
            done.map_err(|why| anyhow!("{why:?}"))?;
        }
    }
    Ok(store)
}

/// What somebody would write who knows the tables.
async fn by_hand(db: &mut PgConnection) -> Result<String> {
    let mut places = Vec::new();
    for field in ["service", "priority"] {
        let sql = "SELECT place FROM slot WHERE process = 'incident' AND field = $1";
        let row = sqlx::query(sql).bind(field).fetch_one(&mut *db).await?;
        places.push(row.try_get::<String, _>(0)?);
    }
    Ok(format!(
        "SELECT r.number, r.data, r.id, r.definition, s.state, r.revision, r.opened_at, s.updated_at, s.closed_at \
         FROM record r JOIN standing s ON s.record_id = r.id \
         WHERE s.process = 'incident' AND r.{} = $1 AND r.{} <= $2 \
         ORDER BY s.updated_at DESC, s.record_id DESC LIMIT $3",
        places[0], places[1]
    ))
}

/// The number of a row of which all was read, as whoever shows it must.
fn of_row(row: &sqlx::postgres::PgRow) -> Result<String> {
    let data: serde_json::Value = serde_json::from_str(row.try_get("data")?)?;
    ensure!(data.is_object(), "a record has data");
    black_box((
        data,
        row.try_get::<Uuid, _>("id")?,
        row.try_get::<i32, _>("definition")?,
        row.try_get::<String, _>("state")?,
        row.try_get::<i64, _>("revision")?,
        row.try_get::<DateTime<Utc>, _>("opened_at")?,
        row.try_get::<DateTime<Utc>, _>("updated_at")?,
        row.try_get::<Option<DateTime<Utc>>, _>("closed_at")?,
    ));
    Ok(row.try_get("number")?)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

//! Totals: what the records of a process count as, added up in the transactions that change them.
//!
//! A service says of a record what it counts as, at which instant and for whose eyes: a pure function of
//! the record. The writers move it from cell to cell as the record changes, so that the totals are
//! what counting all records would give, and a report reads as many cells as its span has days.

use std::{cmp, collections::BTreeMap};

use chrono::{DateTime, Utc};
use engine::Record;
use kernel::{Reader, Refusal, Rule};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, Query},
};
use uuid::Uuid;

use crate::{
    Setback, Store,
    audience::number,
    dialect::Tx,
    entity::{record, timer},
    read::sets_seen_by,
    row::TotalKey,
};

mod check;
mod closed;

pub(crate) use check::Check;
pub use closed::{Closing, Restatement};

/// Seconds of the spans that totals are kept of: a day of UTC, and a quarter of an hour for what begins
/// or ends within one. Every time zone's days begin at such a quarter.
pub(crate) const SPANS: [i32; 2] = [DAY, QUARTER];
const DAY: i32 = 86_400;
const QUARTER: i32 = 900;
/// Records of one page when a process is counted anew.
const PAGE: u64 = 1_000;

/// What a record counts as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The cell, in the service's own words.
    pub what: String,
    /// The instant at which it counts, in seconds since 1970.
    pub at: i64,
    /// The audience tokens of those who may know the total: all who see it see every record in it.
    pub seen_by: Vec<String>,
}

/// How the records of a process are counted.
#[derive(Clone, Copy, Debug)]
pub struct Counting {
    /// Another one than that of the totals at hand: all records are counted anew.
    pub version: i32,
    /// Pure; none for a record that does not count now.
    pub count: fn(&Record) -> Option<Count>,
}

/// How the records of processes are counted, by process.
pub type Countings = BTreeMap<&'static str, Counting>;

/// What is asked of the totals of a process.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub process: &'a str,
    /// A quarter of an hour begins then.
    pub from: DateTime<Utc>,
    /// And then: it is not counted any more.
    pub until: DateTime<Utc>,
    pub now: DateTime<Utc>,
    /// A transition that changes what a record counts as at the instant of its timer, which may be due
    /// and not have fired.
    pub due: &'a str,
}

/// How many count as one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    pub what: String,
    pub count: i64,
}

/// Totals of a span, as they stood together at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sums {
    /// Of the quarters of an hour that were over.
    pub before: Vec<Sum>,
    /// Of the one that was not.
    pub during: Vec<Sum>,
    /// Of those to come.
    pub after: Vec<Sum>,
    /// The records of `during` whose timer was due and had not fired.
    pub overtaken: Vec<Record>,
}

/// The beginning of the span in which an instant lies.
pub(crate) fn begin(at: i64, span: i32) -> i64 {
    at.div_euclid(i64::from(span)) * i64::from(span)
}

/// A stretch of time as whole days, with the quarters of an hour before and after them.
pub(crate) fn parts(since: i64, until: i64) -> Vec<(i32, i64, i64)> {
    let (first, last) = (begin(since + i64::from(DAY) - 1, DAY), begin(until, DAY));
    let parts = if first < last {
        vec![(QUARTER, since, first), (DAY, first, last), (QUARTER, last, until)]
    } else {
        vec![(QUARTER, since, until)]
    };
    parts.into_iter().filter(|(_, since, until)| since < until).collect()
}

/// The cells of a stretch of time.
fn lies_in(since: i64, until: i64) -> Condition {
    parts(since, until).into_iter().fold(Condition::any(), |spans, (span, since, until)| {
        let begins = Expr::col("since");
        let part = Condition::all().add(Expr::col("span").eq(span));
        spans.add(part.add(begins.clone().gte(since)).add(begins.lt(until)))
    })
}

/// The seconds of a quarter's beginning.
fn quarter(at: DateTime<Utc>, path: &str) -> Result<i64, Refusal> {
    let seconds = at.timestamp();
    if begin(seconds, QUARTER) != seconds || at.timestamp_subsec_nanos() != 0 {
        let message = "totals are kept by quarters of an hour: 00, 15, 30 or 45 minutes past one";
        return Err(Refusal::one(Rule::Invalid, path, "quarter", message));
    }
    Ok(seconds)
}

impl Store {
    /// What was counted in a span of time, as far as the reader may know it.
    ///
    /// # Errors
    /// [`Setback::Refused`] for a span that does not begin and end with a quarter of an hour,
    /// [`Setback::Broken`] when the database fails.
    pub async fn sums(&self, wanted: Wanted<'_>, reader: &Reader) -> Result<Sums, Setback> {
        let (from, until) = (quarter(wanted.from, "/from")?, quarter(wanted.until, "/to")?);
        let now = begin(wanted.now.timestamp(), QUARTER);
        let next = now + i64::from(QUARTER);
        let db = self.read().snapshot().await?;
        let within = |since, end| (cmp::max(since, from), cmp::min(end, until));
        let process = wanted.process;
        let sums = Sums {
            before: self.summed(&db, process, within(from, now), reader).await?,
            during: self.summed(&db, process, within(now, next), reader).await?,
            after: self.summed(&db, process, within(next, until), reader).await?,
            overtaken: self.overtaken(&db, wanted, within(now, next), reader).await?,
        };
        db.commit().await?;
        Ok(sums)
    }

    async fn summed(
        &self,
        db: &impl ConnectionTrait,
        process: &str,
        (since, until): (i64, i64),
        reader: &Reader,
    ) -> Result<Vec<Sum>, Setback> {
        if since >= until {
            return Ok(Vec::new());
        }
        let mut select = Query::select();
        select
            .column("what")
            .expr(Expr::cust("CAST(SUM(\"count\") AS bigint)"))
            .from("total")
            .and_where(Expr::col("process").eq(process))
            .cond_where(lies_in(since, until))
            .group_by_col("what")
            .and_having(Expr::cust("SUM(\"count\") <> 0"));
        if let Some(sets) = sets_seen_by(reader) {
            select.and_where(Expr::col("audience").in_subquery(sets));
        }
        sums_in(db, &select).await
    }

    async fn overtaken(
        &self,
        db: &impl ConnectionTrait,
        wanted: Wanted<'_>,
        (since, until): (i64, i64),
        reader: &Reader,
    ) -> Result<Vec<Record>, Setback> {
        let time = |seconds| DateTime::from_timestamp(seconds, 0).unwrap_or_default();
        if since >= until {
            return Ok(Vec::new());
        }
        let due: Vec<Uuid> = timer::Entity::find()
            .select_only()
            .column(timer::Column::RecordId)
            .filter(timer::Column::DueAt.gte(time(since)))
            .filter(timer::Column::DueAt.lt(time(until)))
            .filter(timer::Column::DueAt.lte(wanted.now))
            .filter(timer::Column::Process.eq(wanted.process))
            .filter(timer::Column::Transition.eq(wanted.due))
            .into_tuple()
            .all(db)
            .await?;
        let mut records = Vec::new();
        for ids in due.chunks(1_000) {
            let rows = record::Entity::find().filter(record::Column::Id.is_in(ids.to_vec()));
            records.extend(self.complete(rows.all(db).await?).await?);
        }
        records.retain(|record| reader.sees(&record.audience));
        Ok(records)
    }
}

async fn sums_in(
    db: &impl ConnectionTrait,
    select: &sea_orm::sea_query::SelectStatement,
) -> Result<Vec<Sum>, Setback> {
    let rows = db.query_all(select).await?;
    let sum = |row: &sea_orm::QueryResult| {
        Ok(Sum { what: row.try_get_by_index(0)?, count: row.try_get_by_index(1)? })
    };
    rows.iter().map(sum).collect()
}

/// Counts the records of every process that this version of its counting has not counted before.
pub(crate) async fn prepare(store: &Store) -> Result<(), Setback> {
    for (process, counting) in &store.shared().countings {
        let mut tx = Tx::begin(&store.shared().pools.batches).await?;
        match recount(store, &mut tx, process, counting).await {
            Ok(()) => tx.commit().await?,
            Err(setback) => {
                tx.rollback().await;
                return Err(setback);
            }
        }
    }
    Ok(())
}

/// Other replicas may write meanwhile: what they have not committed yet they add once this is done.
async fn recount(
    store: &Store,
    tx: &mut Tx,
    process: &str,
    counting: &Counting,
) -> Result<(), Setback> {
    tx.lock_totals().await?;
    tx.take_time().await?;
    if tx.counting(process).await? == Some(counting.version) {
        return Ok(());
    }
    tx.forget_totals(process, counting.version).await?;
    let (mut cells, mut sets) = (BTreeMap::<TotalKey, i64>::new(), BTreeMap::new());
    let mut after = Uuid::nil();
    loop {
        let rows = record::Entity::find()
            .filter(record::Column::Process.eq(process))
            .filter(record::Column::Id.gt(after))
            .order_by_asc(record::Column::Id)
            .limit(PAGE)
            .all(store.read())
            .await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        for record in store.complete(rows).await? {
            let Some(count) = (counting.count)(&record) else { continue };
            let audience = match sets.get(&count.seen_by) {
                Some(audience) => *audience,
                None => {
                    let set = number(tx, &count.seen_by).await?;
                    sets.insert(count.seen_by.clone(), set.id);
                    set.id
                }
            };
            for key in keys(process, audience, &count) {
                *cells.entry(key).or_default() += 1;
            }
        }
    }
    let rows: Vec<_> = cells.iter().map(|(key, count)| (key, *count)).collect();
    for rows in rows.chunks(1_000) {
        tx.add_totals(rows).await?;
    }
    Ok(())
}

/// The cells that a count goes into.
pub(crate) fn keys<'a>(
    process: &'a str,
    audience: i32,
    count: &'a Count,
) -> impl Iterator<Item = TotalKey> + 'a {
    SPANS.into_iter().map(move |span| TotalKey {
        process: process.to_owned(),
        span,
        since: begin(count.at, span),
        audience,
        what: count.what.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_its_days_with_what_is_left_over() {
        let (day, hour) = (i64::from(DAY), 3_600);
        assert_eq!(parts(day, 3 * day), [(DAY, day, 3 * day)]);
        assert_eq!(
            parts(day - hour, 3 * day - hour),
            [(QUARTER, day - hour, day), (DAY, day, 2 * day), (QUARTER, 2 * day, 3 * day - hour)]
        );
        assert_eq!(parts(hour, 2 * hour), [(QUARTER, hour, 2 * hour)]);
        assert_eq!(parts(hour, hour), []);
        assert_eq!(parts(2 * hour, hour), []);
        assert_eq!(begin(-1, QUARTER), -900);
    }
}

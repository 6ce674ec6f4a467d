//! Spans of time that are closed: their totals as they were then, and what changed in them since.

use chrono::{DateTime, Utc};
use kernel::Reader;
use sea_orm::{
    Condition, ConnectionTrait, ExprTrait,
    sea_query::{Alias, CaseStatement, Expr, Query},
};
use uuid::Uuid;

use super::{Sum, quarter, sums_in};
use crate::{Setback, Store, read::sets_seen_by, row::ClosingRow};

/// A span whose totals are kept as they are when the act commits, under the record that it opens; what
/// changes in it later is noted beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    process: String,
    /// The process of the record that keeps them.
    pub(crate) keeper: String,
    since: i64,
    until: i64,
}

impl Closing {
    /// The totals of a process, kept under the record of `keeper` that the act opens. Where it opens
    /// none, nothing is closed.
    ///
    /// # Errors
    /// A refusal when the span does not begin and end with a quarter of an hour.
    pub fn of(
        process: impl Into<String>,
        keeper: impl Into<String>,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Self, kernel::Refusal> {
        let (since, until) = (quarter(from, "/from")?, quarter(until, "/to")?);
        Ok(Self { process: process.into(), keeper: keeper.into(), since, until })
    }

    pub(crate) fn row(&self, record: Uuid) -> ClosingRow {
        let process = self.process.clone();
        ClosingRow { record, process, since: self.since, until: self.until }
    }
}

/// What a restatement says beside its two sides.
const COLUMNS: [&str; 6] = ["record_id", "number", "revision", "at", "actor", "event_type"];

/// What changed in a closed span since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restatement {
    /// The record that changed, and the revision that changed it.
    pub record: Uuid,
    pub number: String,
    pub revision: u64,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// Who did it, by id.
    pub actor: String,
    /// `clock.corrected.v1`
    pub kind: String,
    /// What the record counted as in the span before, and since; none for what lies outside of it.
    pub was: Option<String>,
    pub became: Option<String>,
}

impl Store {
    /// The totals of a span as they were when a record closed it, as far as the reader may know them.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn closed(&self, closing: Uuid, reader: &Reader) -> Result<Vec<Sum>, Setback> {
        let mut select = Query::select();
        select
            .column("what")
            .expr(Expr::cust("CAST(SUM(\"count\") AS bigint)"))
            .from("closed_total")
            .and_where(Expr::col("closing").eq(closing))
            .group_by_col("what");
        if let Some(sets) = sets_seen_by(reader) {
            select.and_where(Expr::col("audience").in_subquery(sets));
        }
        sums_in(self.read(), &select).await
    }

    /// What changed in a closed span since, as far as the reader may know it, the oldest first.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn restatements(
        &self,
        closing: Uuid,
        reader: &Reader,
    ) -> Result<Vec<Restatement>, Setback> {
        let mut select = Query::select();
        select
            .columns(COLUMNS.map(|column| ("restatement", column)))
            .expr(side("was", reader))
            .expr(side("became", reader))
            .from("restatement")
            .inner_join(
                "closing",
                Expr::col(("closing", "record_id")).equals(("restatement", "closing")),
            )
            .and_where(Expr::col(("restatement", "closing")).eq(closing))
            .order_by("at", sea_orm::Order::Asc)
            .order_by("number", sea_orm::Order::Asc)
            .order_by("revision", sea_orm::Order::Asc);
        if let Some(sets) = sets_seen_by(reader) {
            let seen = |column| Expr::col(column).in_subquery(sets.clone());
            let either = Condition::any().add(seen("was_audience")).add(seen("became_audience"));
            select.cond_where(either);
        }
        let rows = self.read().query_all(&select).await?;
        let restatement = |row: &sea_orm::QueryResult| {
            Ok(Restatement {
                record: row.try_get_by_index(0)?,
                number: row.try_get_by_index(1)?,
                revision: row.try_get_by_index::<i64>(2)?.cast_unsigned(),
                at: row.try_get_by_index(3)?,
                actor: row.try_get_by_index(4)?,
                kind: row.try_get_by_index(5)?,
                was: row.try_get_by_index(6)?,
                became: row.try_get_by_index(7)?,
            })
        };
        rows.iter().map(restatement).collect()
    }
}

/// One side of a restatement, where it lies in the span and the reader may know it.
fn side(name: &str, reader: &Reader) -> Expr {
    let at = Expr::col(Alias::new(format!("{name}_at")));
    let mut is_told =
        Condition::all().add(at.clone().gte(Expr::col("since"))).add(at.lt(Expr::col("until")));
    if let Some(sets) = sets_seen_by(reader) {
        is_told = is_told.add(Expr::col(Alias::new(format!("{name}_audience"))).in_subquery(sets));
    }
    CaseStatement::new().case(is_told, Expr::col(Alias::new(name))).into()
}

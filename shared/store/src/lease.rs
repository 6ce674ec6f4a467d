//! Work that only one replica does at a time: leases with a fencing token.
//!
//! A lease runs by the database's own clock: all replicas share it, and a clock that tests or
//! demonstrations move does not end it.

use std::time::Duration;

use sea_orm::{
    ConnectionTrait, DbBackend, ExprTrait, Order, Statement,
    sea_query::{Expr, LockType, Query},
};

use crate::{Setback, Store};

/// A lease that was got: its token rises with each new owner, so that a late writer is noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    pub name: String,
    pub token: i64,
}

/// Longer leases are cut: nobody waits a year for a replica that died.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

impl Store {
    /// Takes a lease that is free, has run out, or is this owner's already; `None` when another
    /// holds it.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn lease(
        &self,
        name: &str,
        owner: &str,
        ttl: Duration,
    ) -> Result<Option<Fence>, Setback> {
        let now = self.database_now();
        let sql = format!(
            "INSERT INTO lease AS l (name, owner, token, until) VALUES ($1, $2, 1, {now} + $3) \
             ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, token = l.token + 1, \
             until = excluded.until WHERE l.until <= {now} OR l.owner = excluded.owner \
             RETURNING token"
        );
        let statement = self.statement(sql, [name.into(), owner.into(), micros(ttl).into()]);
        let row = self.write().query_one_raw(statement).await?;
        let Some(row) = row else { return Ok(None) };
        let token = row.try_get_by_index(0)?;
        Ok(Some(Fence { name: name.to_owned(), token }))
    }

    /// Extends leases; `false` for each that another has taken since.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn renew(&self, fences: &[Fence], ttl: Duration) -> Result<Vec<bool>, Setback> {
        if fences.is_empty() {
            return Ok(Vec::new());
        }
        let held = fences
            .iter()
            .map(|fence| Expr::tuple([Expr::val(fence.name.as_str()), Expr::val(fence.token)]));
        let lease = Expr::tuple([Expr::col("name"), Expr::col("token")]);
        let until = Expr::cust(self.database_now()).add(micros(ttl));
        // Locked in the order of their names, as batches lock them: else one might wait for the other.
        let mut ours = Query::select();
        ours.column("name").from("lease").and_where(lease.is_in(held));
        ours.order_by("name", Order::Asc).lock(LockType::Update);
        let mut update = Query::update();
        update
            .table("lease")
            .value("until", until)
            .and_where(Expr::col("name").in_subquery(ours))
            .returning_col("name");
        let rows = self.write().query_all(&update).await?;
        let renewed: Result<Vec<String>, _> =
            rows.iter().map(|row| row.try_get_by_index(0)).collect();
        let renewed = renewed?;
        Ok(fences.iter().map(|fence| renewed.contains(&fence.name)).collect())
    }

    /// Gives a lease back before it runs out.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails; it then runs out by itself.
    pub async fn release(&self, fence: &Fence) -> Result<(), Setback> {
        let sql = "UPDATE lease SET until = 0, owner = '' WHERE name = $1 AND token = $2";
        let values = [fence.name.as_str().into(), fence.token.into()];
        self.write().execute_raw(self.statement(sql.to_owned(), values)).await?;
        Ok(())
    }

    fn statement<const N: usize>(&self, sql: String, values: [sea_orm::Value; N]) -> Statement {
        Statement::from_sql_and_values(self.shared().pools.backend(), sql, values)
    }

    /// Microseconds since 1970, as SQL.
    fn database_now(&self) -> &'static str {
        match self.shared().pools.backend() {
            DbBackend::Sqlite => "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
            _ => "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)",
        }
    }
}

fn micros(ttl: Duration) -> i64 {
    i64::try_from(ttl.min(LONGEST).as_micros()).unwrap_or(i64::MAX)
}

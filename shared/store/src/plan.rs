//! How a database would go about a statement, for tests that hold what may be walked.

use sqlx::{AssertSqlSafe, Executor, PgPool, Row, Sqlite, query};
use testkit::{Postgres, Scratch};

use crate::dialect::{Batches, Pools};

/// The steps of SQLite, one after the other. What is bound first is an empty array.
pub(crate) async fn on_sqlite<'c>(
    db: impl Executor<'c, Database = Sqlite>,
    sql: impl std::fmt::Display,
) -> Vec<String> {
    let plan = query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).bind("[]");
    let plan = plan.fetch_all(db).await.expect("a plan");
    plan.iter().map(|step| step.get("detail")).collect()
}

/// The tables of a store on PostgreSQL, with these rows in them, for as long as the scratch lives.
pub(crate) async fn filled_postgres(fill: &'static str) -> Option<(Scratch, PgPool)> {
    let scratch = Postgres::scratch().await?;
    let pools = Pools::open(&scratch.url, 1, 1).await.expect("a database");
    crate::schema::prepare(&pools.write).await.expect("tables");
    let Batches::Postgres(db) = pools.batches else { panic!("it is PostgreSQL") };
    sqlx::raw_sql(fill).execute(&db).await.expect("records");
    Some((scratch, db))
}

/// The lines of PostgreSQL, for a statement that has its values in it.
pub(crate) async fn on_postgres(db: &PgPool, sql: impl std::fmt::Display) -> String {
    let plan = query(AssertSqlSafe(format!("EXPLAIN {sql}"))).fetch_all(db).await.expect("a plan");
    let lines: Vec<String> = plan.iter().map(|line| line.get(0)).collect();
    lines.join("\n")
}

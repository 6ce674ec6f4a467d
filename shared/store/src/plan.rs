//! How a database would go about a statement, for tests that hold what may be walked.

use sqlx::{AssertSqlSafe, Executor, PgPool, Row, Sqlite, query};

/// The steps of SQLite, one after the other. What is bound first is an empty array.
pub(crate) async fn on_sqlite<'c>(
    db: impl Executor<'c, Database = Sqlite>,
    sql: impl std::fmt::Display,
) -> Vec<String> {
    let plan = query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).bind("[]");
    let plan = plan.fetch_all(db).await.expect("a plan");
    plan.iter().map(|step| step.get("detail")).collect()
}

/// The lines of PostgreSQL, for a statement that has its values in it.
pub(crate) async fn on_postgres(db: &PgPool, sql: impl std::fmt::Display) -> String {
    let plan = query(AssertSqlSafe(format!("EXPLAIN {sql}"))).fetch_all(db).await.expect("a plan");
    let lines: Vec<String> = plan.iter().map(|line| line.get(0)).collect();
    lines.join("\n")
}

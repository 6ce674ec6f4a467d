//! SQLite: one writer, so no row is ever locked; several rows a statement, in a few fixed sizes.

mod needs;
mod records;
mod ties;
mod totals;

use sqlx::{
    AssertSqlSafe, Executor as _, Row, Sqlite, SqliteConnection, SqlitePool, query,
    sqlite::{SqliteArguments, SqliteQueryResult},
};
use uuid::Uuid;

pub(super) use self::{needs::*, records::*, ties::*, totals::*};

type Done = Result<(), sqlx::Error>;
type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

/// Each statement is a trip to SQLite's thread, so rows travel together; each size is one prepared
/// statement, so there are few sizes. 64 rows of 31 columns stay far under 32,766 variables.
const SIZES: [usize; 4] = [64, 16, 4, 1];

/// Tables of fewer rows are planned for as if nothing were known of them.
const BIG_ROWS: i64 = 1_000;

/// Tells the planner what the big tables hold, from a look at some rows of each index.
///
/// Of tables that are small now it knows nothing: it would plan to walk them through, and go on doing
/// so when they have become big.
pub(super) async fn gather_statistics(db: &mut SqliteConnection) -> Done {
    db.execute("PRAGMA analysis_limit = 1000; PRAGMA optimize = 0x10002").await?;
    let sql = "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'";
    if query(sql).fetch_optional(&mut *db).await?.is_none() {
        return Ok(());
    }
    // The first number is how many rows the index has; that of the fullest is how many the table has.
    let small = "DELETE FROM sqlite_stat1 WHERE tbl IN (SELECT tbl FROM sqlite_stat1 GROUP BY tbl \
        HAVING max(CAST(stat AS INTEGER)) < ?)";
    query(small).bind(BIG_ROWS).execute(&mut *db).await?;
    db.execute("ANALYZE sqlite_schema").await.map(drop)
}

/// `INSERT INTO … VALUES (?, …), (?, …) …`: `head`, the rows, `tail`.
async fn insert<R>(
    db: &mut SqliteConnection,
    head: &str,
    columns: usize,
    tail: &str,
    mut rows: &[R],
    bind: impl for<'q> Fn(Query<'q>, &'q R) -> Query<'q>,
) -> Result<SqliteQueryResult, sqlx::Error> {
    let row = format!("({}?)", "?, ".repeat(columns - 1));
    let mut written = SqliteQueryResult::default();
    while !rows.is_empty() {
        let size = SIZES.into_iter().find(|size| *size <= rows.len()).unwrap_or(1);
        let (now, later) = rows.split_at(size);
        let sql = format!("{head} VALUES {}{row} {tail}", format!("{row}, ").repeat(size - 1));
        let filled = now.iter().fold(query(AssertSqlSafe(sql)), &bind);
        written.extend([filled.execute(&mut *db).await?]);
        rows = later;
    }
    Ok(written)
}

/// One writer at a time: what is there was numbered before all that comes.
pub(super) async fn settled(db: &SqlitePool) -> Result<Option<i64>, sqlx::Error> {
    query("SELECT max(seq) FROM journal").fetch_one(db).await?.try_get(0)
}

/// Ids as a JSON array, for `unhex(value) … json_each`.
fn hexed(ids: &[Uuid]) -> String {
    let mut text = String::with_capacity(2 + ids.len() * 35);
    text.push('[');
    for (position, id) in ids.iter().enumerate() {
        let comma = if position > 0 { "," } else { "" };
        text.push_str(comma);
        text.push('"');
        text.push_str(id.simple().encode_lower(&mut Uuid::encode_buffer()));
        text.push('"');
    }
    text.push(']');
    text
}

fn json(value: &impl serde::Serialize) -> String {
    // Arrays of texts and numbers: serialising them cannot fail.
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use sea_orm::DbBackend;
    use sqlx::Connection as _;

    use super::{
        needs::{HOLDERS, IDS, MARKS, ONCES, RECORDS},
        *,
    };
    use crate::{
        dialect::{Batches, Pools},
        plan::on_sqlite,
    };

    /// A store's file, opened again after records were put in.
    async fn reopened(folder: &std::path::Path, records: u32) -> SqlitePool {
        let url = format!("sqlite://{}/{records}.db", folder.display());
        let pools = Pools::open(&url, 1, 1).await.expect("a database");
        crate::schema::prepare(&pools.write).await.expect("tables");
        let Batches::Sqlite(db) = &pools.batches else { panic!("it is SQLite") };
        let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?) \
            INSERT INTO record (id, process, number, definition, state, revision, data, audience, \
                opened_at, updated_at, entered_at, opened_by, partition, head, text1, text2) \
            SELECT randomblob(16), 'case', 'CAS' || n, 1, 'new', 1, '{}', 1, n, n, n, '', 0, '', \
                'usual', iif(n % 500 = 0, 'rare', NULL) FROM n";
        query(sql).bind(records).execute(db).await.expect("records");
        // Twice, because what was learnt at one start is there at the next.
        for _ in 0..2 {
            Pools::open(&url, 1, 1).await.expect("a database").close().await;
        }
        pools.close().await;
        let pools = Pools::open(&url, 1, 1).await.expect("a database");
        let Batches::Sqlite(db) = pools.batches else { panic!("it is SQLite") };
        db
    }

    #[tokio::test]
    async fn records_are_looked_up_however_few_there_were_at_the_start() {
        let folder = tempfile::tempdir().expect("a folder");
        for records in [0, 2, 999, 1_000, 20_000] {
            let db = reopened(folder.path(), records).await;
            for sql in [IDS, RECORDS] {
                let plan = on_sqlite(&db, sql).await.join("; ");
                assert!(plan.contains("SEARCH record"), "{records}: {plan}");
            }
        }
    }

    #[tokio::test]
    async fn words_are_answered_by_their_index() {
        let folder = tempfile::tempdir().expect("a folder");
        for records in [2, 20_000] {
            let db = reopened(folder.path(), records).await;
            let words = crate::Words::parse("mail down").expect("words");
            let mut select = sea_orm::sea_query::Query::select();
            select.column("id").from("record").and_where(words.condition(DbBackend::Sqlite));
            let (sql, _) = select.build(sea_orm::sea_query::SqliteQueryBuilder);
            let plan = on_sqlite(&db, sql).await.join("; ");
            assert!(plan.contains("SEARCH record"), "{records}: {plan}");
            assert!(!plan.contains("SCAN p"), "{records}: {plan}");
        }
    }

    #[tokio::test]
    async fn what_is_rare_in_a_big_table_is_known() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = reopened(folder.path(), 20_000).await;
        let both = "SELECT id FROM record WHERE process = 'case' AND text1 = ? AND text2 = 'rare'";
        let plan = on_sqlite(&db, both).await.join("; ");
        assert!(plan.contains("record_text2"), "{plan}");
    }

    #[tokio::test]
    async fn keys_are_looked_up_whatever_the_planner_knows() {
        let mut db = SqliteConnection::connect("sqlite::memory:").await.expect("a database");
        let tables = "\
            CREATE TABLE holder (process TEXT, key TEXT, record_id, PRIMARY KEY (process, key)) \
                WITHOUT ROWID; \
            CREATE TABLE once (scope TEXT, key TEXT, digest, record_id, revision, at, \
                PRIMARY KEY (scope, key)) WITHOUT ROWID; \
            CREATE TABLE inbox (consumer TEXT, message TEXT, state, \
                PRIMARY KEY (consumer, message)) WITHOUT ROWID; \
            INSERT INTO holder VALUES ('p', 'k', 0); INSERT INTO once VALUES ('s', 'k', 0, 0, 0, 0); \
            INSERT INTO inbox VALUES ('c', 'm', 'done'); ANALYZE;";
        db.execute(tables).await.expect("tables");
        for sql in [HOLDERS, ONCES, MARKS] {
            let steps = on_sqlite(&mut db, sql).await;
            let scans = steps.iter().filter(|step| step.starts_with("SCAN")).count();
            assert_eq!(scans, 1, "only the keys are walked: {steps:?}");
        }
    }
}

//! PostgreSQL: arrays in, one statement a table, rows locked in one order.

mod needs;
mod records;
mod ties;
mod totals;

use std::time::Duration;

use sqlx::{PgPool, Postgres, Row, postgres::PgArguments, query};

pub(super) use self::{needs::*, records::*, ties::*, totals::*};

/// Looks for the end of transactions that write to the journal, and the time between two of them.
const SETTLING_LOOKS: u32 = 100;
const SETTLING_PAUSE: Duration = Duration::from_millis(50);

type Done = Result<(), sqlx::Error>;
type Query<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

/// One column of the rows, as an array.
fn each<'a, R, T>(rows: &'a [R], column: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(column).collect()
}

/// Sequence numbers commit out of order. Whoever may still commit one below the last that is visible
/// now is writing to the journal now: once all of those have ended, it is settled.
pub(super) async fn settled(db: &PgPool) -> Result<Option<i64>, sqlx::Error> {
    const WRITING: &str = "SELECT virtualtransaction FROM pg_locks \
        WHERE relation = 'journal'::regclass AND mode = 'RowExclusiveLock' AND granted \
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let last = query("SELECT max(seq) FROM journal").fetch_one(db).await?.try_get(0)?;
    let mut writing: Option<Vec<String>> = None;
    for _ in 0..SETTLING_LOOKS {
        let rows = query(WRITING).fetch_all(db).await?;
        let now: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        let then = writing.get_or_insert_with(|| now.clone());
        then.retain(|transaction| now.contains(transaction));
        if then.is_empty() {
            return Ok(last);
        }
        tokio::time::sleep(SETTLING_PAUSE).await;
    }
    Ok(None)
}

//! How the inbox is asked, so that nothing that looks for what waits reads what is done.

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Alias, Expr, IntoIden, Query},
};

use super::{DONE, PARKED};
use crate::{entity::inbox, text::indexable};

/// A state as a part of the statement. The indexes are of messages in some states, and only a statement
/// that says which ones, whatever it is given, is planned by them: one that is not reads what is done.
fn written(state: &str) -> Expr {
    Expr::cust(format!("'{state}'"))
}

pub(super) fn is(state: &str) -> Expr {
    Expr::col((inbox::Entity, inbox::Column::State)).eq(written(state))
}

/// Whether a message is parked or dead.
pub(super) fn is_aside(table: impl IntoIden) -> Expr {
    Expr::col((table, inbox::Column::State)).ne(written(DONE))
}

/// Messages of a consumer that are parked or dead, in the order of the index that has no others: SQLite
/// would rather look through the table, which has its own order.
pub(super) fn aside_of(consumer: &str) -> sea_orm::Select<inbox::Entity> {
    inbox::Entity::find()
        .select_only()
        .column(inbox::Column::Message)
        .filter(inbox::Column::Consumer.eq(indexable(consumer).as_ref()))
        .filter(is_aside(inbox::Entity))
        .order_by_asc(inbox::Column::Key)
}

/// Those of the keys that a parked or dead message has.
pub(super) fn keys_aside<'a>(
    consumer: &str,
    keys: impl IntoIterator<Item = &'a str>,
) -> sea_orm::Select<inbox::Entity> {
    inbox::Entity::find()
        .select_only()
        .column(inbox::Column::Key)
        .distinct()
        .filter(inbox::Column::Consumer.eq(indexable(consumer).as_ref()))
        .filter(is_aside(inbox::Entity))
        .filter(inbox::Column::Key.is_in(keys))
        // Every one has: for a single key SQLite would look through the table without it.
        .filter(inbox::Column::Position.gte(i64::MIN))
}

/// Messages of all consumers in a state that is not done.
pub(super) fn all_in(state: &str) -> sea_orm::Select<inbox::Entity> {
    inbox::Entity::find().filter(is_aside(inbox::Entity)).filter(is(state))
}

/// Parked messages that nothing of their key waits before.
pub(super) fn heads(consumer: &str) -> sea_orm::Select<inbox::Entity> {
    let before = Alias::new("before");
    let of = |column: inbox::Column| Expr::col((inbox::Entity, column));
    let earlier = Query::select()
        .expr(Expr::val(1))
        .from_as(inbox::Entity, before.clone())
        .cond_where(
            Condition::all()
                .add(
                    Expr::col((before.clone(), inbox::Column::Consumer))
                        .equals((inbox::Entity, inbox::Column::Consumer)),
                )
                .add(
                    Expr::col((before.clone(), inbox::Column::Key))
                        .equals((inbox::Entity, inbox::Column::Key)),
                )
                .add(is_aside(before.clone()))
                .add(Expr::col((before, inbox::Column::Position)).lt(of(inbox::Column::Position))),
        )
        .to_owned();
    inbox::Entity::find()
        .filter(inbox::Column::Consumer.eq(indexable(consumer).as_ref()))
        .filter(is(PARKED))
        .filter(Expr::exists(earlier).not())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use sea_orm::{DbBackend, QueryTrait};
    use sqlx::{Connection as _, SqliteConnection};

    use super::*;
    use crate::inbox::DEAD;

    /// What is done outnumbers what waits by millions: nothing that looks for the one may read the other.
    #[tokio::test]
    async fn looking_for_what_waits_reads_nothing_that_is_done() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}", folder.path().join("inbox.db").display());
        let pools = crate::dialect::Pools::open(&url, 1, 1).await.expect("a database");
        crate::schema::prepare(&pools.write).await.expect("tables");
        let mut db = SqliteConnection::connect(&url).await.expect("the same database");
        let due = heads("c").filter(inbox::Column::DueAt.lte(DateTime::<Utc>::UNIX_EPOCH));
        let next = heads("c").order_by_asc(inbox::Column::DueAt);
        let (one, some) = (keys_aside("c", ["k"]), keys_aside("c", ["k", "l"]));
        let (parked, dead) = (all_in(PARKED), all_in(DEAD));
        for select in [aside_of("c"), one, some, due, next, parked, dead] {
            let sql = select.build(DbBackend::Sqlite).sql;
            let steps = crate::plan::on_sqlite(&mut db, &sql).await;
            let read =
                steps.iter().filter(|step| step.contains(" inbox") || step.contains(" before"));
            for step in read {
                assert!(
                    step.contains("inbox_waiting") || step.contains("inbox_due"),
                    "{sql}: {step}"
                );
            }
        }
    }
}

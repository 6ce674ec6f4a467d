//! The store from outside, on every database that it runs on.

mod acts;
mod archives;
mod attachments;
mod chains;
mod checkpoints;
mod deliveries;
mod erasures;
mod figures;
mod links;
mod lists;
mod publications;
mod reactions;
mod replicas;
mod searches;
mod site;
mod ties;
mod timers;
mod totals;

/// Each test once on SQLite and once on PostgreSQL, under `sqlite::` and `postgres::`.
macro_rules! everywhere {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                crate::site::on_sqlite(super::$name).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                crate::site::on_postgres(super::$name).await;
            })*
        }
    };
}
pub(crate) use everywhere;

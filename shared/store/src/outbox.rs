//! What is not yet published: the journal rows that stand in the outbox.

use chrono::{DateTime, Utc};
use contract::Envelope;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter,
    QueryOrder, Statement,
    sea_query::{Expr, OnConflict, Query},
};

use tokio::sync::oneshot;

use crate::{
    Setback, Store,
    audience::tokens_in,
    entity::{journal, outbox},
    store::closed,
    writer::{Sent, Urgent},
};

/// The journal rows of the oldest in the outbox, each looked up by itself.
const OLDEST: &str = "SELECT j.* FROM (SELECT seq FROM outbox ORDER BY seq LIMIT $1) AS o \
    CROSS JOIN LATERAL (SELECT * FROM journal WHERE journal.seq = o.seq LIMIT 1) AS j ORDER BY o.seq";

/// An event on its way to the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its place in the outbox, to be named in [`Store::sent`].
    pub seq: i64,
    pub envelope: Envelope,
}

impl Store {
    /// The oldest events that are not published. Each record's events are in order, because a
    /// revision is only written once the one before it is committed; there is no cursor, so that
    /// what commits late is not passed by.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn unsent(&self, limit: u64) -> Result<Vec<Outgoing>, Setback> {
        let rows = match self.write().get_database_backend() {
            // By the plans of the writers: whoever took the journal for empty would sort all of it.
            DbBackend::Postgres => {
                let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                let sql =
                    Statement::from_sql_and_values(DbBackend::Postgres, OLDEST, [limit.into()]);
                journal::Entity::find().from_raw_sql(sql).all(self.write()).await?
            }
            _ => {
                let queued = Query::select()
                    .column(outbox::Column::Seq)
                    .from(outbox::Entity)
                    .order_by(outbox::Column::Seq, sea_orm::Order::Asc)
                    .limit(limit)
                    .to_owned();
                let all = journal::Entity::find()
                    .filter(journal::Column::Seq.in_subquery(queued))
                    .order_by_asc(journal::Column::Seq);
                all.all(self.read()).await?
            }
        };
        let source = format!("/steward/{}", self.service());
        Ok(rows.into_iter().map(|row| outgoing(row, source.clone())).collect())
    }

    /// How many events wait to be published.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn unsent_count(&self) -> Result<u64, Setback> {
        Ok(outbox::Entity::find().count(self.read()).await?)
    }

    /// Takes published events out of the outbox.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails; they are then published again, which the bus
    /// and its consumers notice.
    pub async fn sent(&self, seqs: &[i64]) -> Result<(), Setback> {
        let (reply, answer) = oneshot::channel();
        self.urge(Urgent::Sent(Sent { seqs: seqs.to_vec(), reply })).await?;
        answer.await.map_err(|_| closed())?
    }

    /// Queues everything again that was recorded since a moment: after a broker lost what it had
    /// acknowledged. Answers how many events that are.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn republish_since(&self, at: DateTime<Utc>) -> Result<u64, Setback> {
        let since = Query::select()
            .column(journal::Column::Seq)
            .from(journal::Entity)
            .and_where(Expr::col(journal::Column::At).gte(at))
            .to_owned();
        let mut insert = Query::insert();
        insert.into_table(outbox::Entity).columns([outbox::Column::Seq]);
        insert.select_from(since).map_err(Setback::broken)?;
        insert.on_conflict(OnConflict::new().do_nothing().to_owned());
        let queued = self.write().execute(&insert).await?.rows_affected();
        self.hint();
        Ok(queued)
    }
}

fn outgoing(row: journal::Model, source: String) -> Outgoing {
    Outgoing {
        seq: row.seq,
        envelope: Envelope {
            id: row.event_id,
            source,
            kind: row.event_type,
            time: row.occurred_at,
            number: row.number,
            record: row.record_id,
            revision: row.revision.cast_unsigned(),
            correlation: row.correlation,
            causation: row.causation,
            actor: row.actor,
            audience: tokens_in(&row.audience),
            traceparent: row.traceparent,
            // What was erased before it was published has nothing to tell any more.
            data: row.payload.unwrap_or_else(|| b"{}".to_vec()),
        },
    }
}

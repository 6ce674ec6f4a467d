//! What is not yet published: the journal rows whose bundles stand in the outbox.
//!
//! A bundle is what one commit wrote at neighbouring places of the journal, so that its row, the first
//! place and a count, stands for all of them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use contract::Envelope;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, QueryOrder, QuerySelect,
    Statement, Value,
    sea_query::{Expr, OnConflict, Query},
};
use tokio::sync::oneshot;

use crate::{
    Setback, Store,
    audience::tokens_in,
    entity::{journal, unsent},
    store::closed,
    writer::{Departure, Urgent},
};

/// Journal rows by their places, each looked up by itself: whoever took the journal for empty would walk
/// or sort all of it.
const OF_POSTGRES: &str = "SELECT j.* FROM UNNEST($1::bigint[]) AS o(seq) \
    CROSS JOIN LATERAL (SELECT * FROM journal WHERE journal.seq = o.seq LIMIT 1) AS j";
const OF_SQLITE: &str =
    "SELECT j.* FROM json_each(?) AS o CROSS JOIN journal AS j ON j.seq = o.value";

/// An event on its way to the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its place in the journal.
    pub seq: i64,
    /// The first place of its bundle, to be named in [`Store::sent`].
    pub bundle: i64,
    pub envelope: Envelope,
}

/// What has left the outbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Bundles, by their first places, of which nothing is kept but what is `left`.
    pub bundles: Vec<i64>,
    /// Events of these that are not published: they stay, each a bundle of its own.
    pub left: Vec<i64>,
}

impl Store {
    /// The oldest events that are not published: so many whole bundles that they come to `limit`, or
    /// all. Each record's events are in order, because a revision is only written once the one before
    /// it is committed; there is no cursor, so that what commits late is not passed by.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn unsent(&self, limit: u64) -> Result<Vec<Outgoing>, Setback> {
        // By the plans of the writers on PostgreSQL; on SQLite they have one connection, for them alone.
        let queued = unsent::Entity::find().order_by_asc(unsent::Column::Seq).limit(limit);
        let queued = match self.write().get_database_backend() {
            DbBackend::Sqlite => queued.all(self.read()).await?,
            _ => queued.all(self.write()).await?,
        };
        let mut queue = Vec::new();
        for unsent::Model { seq, events } in queued {
            if queue.len() as u64 >= limit {
                break;
            }
            queue.extend((seq..seq + i64::from(events)).map(|place| (place, seq)));
        }
        let places: Vec<i64> = queue.iter().map(|(place, _)| *place).collect();
        let mut known = self.shared().fresh.take(&places);
        let unknown = places.into_iter().filter(|place| !known.contains_key(place));
        known.extend(self.told_by_the_journal(unknown.collect()).await?);
        let outgoing =
            |(seq, bundle)| Some(Outgoing { seq, bundle, envelope: known.remove(&seq)? });
        Ok(queue.into_iter().filter_map(outgoing).collect())
    }

    /// Events as the journal keeps them, by their places.
    async fn told_by_the_journal(
        &self,
        places: Vec<i64>,
    ) -> Result<HashMap<i64, Envelope>, Setback> {
        if places.is_empty() {
            return Ok(HashMap::new());
        }
        let found = |backend, sql, places: Value| {
            let sql = Statement::from_sql_and_values(backend, sql, [places]);
            journal::Entity::find().from_raw_sql(sql)
        };
        let rows = match self.write().get_database_backend() {
            DbBackend::Sqlite => {
                // A list of numbers: serialising it cannot fail.
                let places = serde_json::to_string(&places).unwrap_or_default();
                found(DbBackend::Sqlite, OF_SQLITE, places.into()).all(self.read()).await?
            }
            backend => found(backend, OF_POSTGRES, places.into()).all(self.write()).await?,
        };
        let source = self.shared().fresh.source();
        Ok(rows.into_iter().map(|row| (row.seq, envelope(row, source.to_owned()))).collect())
    }

    /// How many events wait to be published.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn unsent_count(&self) -> Result<u64, Setback> {
        let sum = unsent::Entity::find().select_only().column_as(unsent::Column::Events.sum(), "n");
        let sum: Option<Option<i64>> = sum.into_tuple().one(self.read()).await?;
        Ok(sum.flatten().unwrap_or_default().cast_unsigned())
    }

    /// Takes what is published out of the outbox.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails; they are then published again, which the bus
    /// and its consumers notice.
    pub async fn sent(&self, sent: Sent) -> Result<(), Setback> {
        let (reply, answer) = oneshot::channel();
        self.urge(Urgent::Departure(Departure { sent, reply })).await?;
        answer.await.map_err(|_| closed())?
    }

    /// Queues everything again that was recorded since a moment: after a broker lost what it had
    /// acknowledged. Answers how many events that are. What waits in a bundle goes once more.
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
        insert.into_table(unsent::Entity).columns([unsent::Column::Seq]);
        insert.select_from(since).map_err(Setback::broken)?;
        insert.on_conflict(OnConflict::new().do_nothing().to_owned());
        let queued = self.write().execute(&insert).await?.rows_affected();
        self.hint();
        Ok(queued)
    }
}

fn envelope(row: journal::Model, source: String) -> Envelope {
    Envelope {
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
    }
}

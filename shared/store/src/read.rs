//! One record: as it is, as it was, and what happened to it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use engine::{Bond, Links, Record};
use kernel::Reader;
use sea_orm::{
    ColumnTrait, Condition, DbBackend, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, Query, SelectStatement},
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    RecordRef, Setback, Store,
    audience::{AudienceSet, tokens_in},
    entity::{journal, record},
    payload,
    text::indexable,
    verify::ERASED,
};

/// One revision of a record, as the journal keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub event_id: Uuid,
    pub record: Uuid,
    pub revision: u64,
    /// `incident.resolved.v1`
    pub kind: String,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// Who did it, by id.
    pub actor: String,
    pub correlation: Uuid,
    pub causation: Option<String>,
    /// The event's data; `None` when it was erased.
    pub payload: Option<Value>,
}

/// The numbers of the audiences that a reader meets; none where the reader sees everything.
pub(crate) fn sets_seen_by(reader: &Reader) -> Option<SelectStatement> {
    let Reader::Tokens(tokens) = reader else { return None };
    let tokens = tokens.iter().map(|token| indexable(token).into_owned());
    let mut sets = Query::select();
    sets.column("set_id").from("audience_token").and_where(Expr::col("token").is_in(tokens));
    Some(sets)
}

/// What a reader may see, as one indexed predicate.
pub(crate) fn visible(reader: &Reader, backend: DbBackend) -> Condition {
    let Some(sets) = sets_seen_by(reader) else { return Condition::all() };
    let audience = match backend {
        // SQLite knows nothing of how many records share an audience, and would rather fetch and
        // sort all of them than walk the list's own index: the plus sign keeps it from that.
        DbBackend::Sqlite => Expr::cust("+\"record\".\"audience\""),
        _ => Expr::col((record::Entity, record::Column::Audience)),
    };
    Condition::all().add(audience.in_subquery(sets))
}

impl Store {
    /// A record of a process, when the reader sees it.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn record(
        &self,
        process: &str,
        which: &RecordRef,
        reader: &Reader,
    ) -> Result<Option<Record>, Setback> {
        let is_meant = match which {
            RecordRef::Id(id) => record::Column::Id.eq(*id),
            RecordRef::Number(number) => record::Column::Number.eq(indexable(number).as_ref()),
        };
        let found = record::Entity::find()
            .filter(is_meant)
            .filter(record::Column::Process.eq(process))
            .one(self.read())
            .await?;
        let Some(found) = found else { return Ok(None) };
        let record = self.complete(vec![found]).await?.pop();
        match record.filter(|record| reader.sees(&record.audience)) {
            Some(record) => Ok(Some(self.with_links(record).await?)),
            None => Ok(None),
        }
    }

    /// The record of a process that an outside key stands for, as reactions know it. Whether anybody
    /// may see it is not asked: this is for the service itself.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn held(&self, process: &str, key: &str) -> Result<Option<Record>, Setback> {
        let select = Query::select()
            .column("record_id")
            .from("holder")
            .and_where(Expr::col("process").eq(process))
            .and_where(Expr::col("key").eq(indexable(key).as_ref()))
            .to_owned();
        let Some(row) = sea_orm::ConnectionTrait::query_one(self.read(), &select).await? else {
            return Ok(None);
        };
        let id: Uuid = row.try_get_by_index(0)?;
        self.record(process, &RecordRef::Id(id), &Reader::Everything).await
    }

    /// The record with its links, where its definition asks for them.
    pub(crate) async fn with_links(&self, mut record: Record) -> Result<Record, Setback> {
        if self.rules().asks_links(&record.process) {
            let links = self.links(record.id, &Reader::Everything).await?.into_iter();
            let bonds = links.map(|link| Bond {
                relation: link.relation,
                to: link.other,
                is_confirmed: link.is_confirmed,
            });
            record.links = Links::known(bonds.collect());
        }
        Ok(record)
    }

    /// Records of rows: the audience's tokens stand in another table, or in the cache.
    pub(crate) async fn complete(&self, rows: Vec<record::Model>) -> Result<Vec<Record>, Setback> {
        let audiences = &self.shared().audiences;
        let unknown = rows.iter().map(|row| row.audience);
        let mut unknown: Vec<i32> = unknown.filter(|id| audiences.by_id(*id).is_none()).collect();
        unknown.sort_unstable();
        unknown.dedup();
        let mut fresh = Vec::new();
        if !unknown.is_empty() {
            let select = Query::select()
                .columns(["id", "tokens"])
                .from("audience_set")
                .and_where(Expr::col("id").is_in(unknown))
                .to_owned();
            for row in sea_orm::ConnectionTrait::query_all(self.read(), &select).await? {
                let (id, text) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
                fresh.push(Arc::new(AudienceSet::read(id, text)));
            }
            audiences.keep(fresh.iter().cloned());
        }
        rows.into_iter()
            .map(|row| {
                let known = audiences.by_id(row.audience);
                let set =
                    known.or_else(|| fresh.iter().find(|set| set.id == row.audience).cloned());
                let tokens = set.map(|set| set.tokens.clone()).unwrap_or_default();
                record_of(row, tokens)
            })
            .collect()
    }

    /// The record as it was after a revision; as it is now, when that payload was erased.
    pub(crate) async fn record_as_of(
        &self,
        id: Uuid,
        revision: u64,
    ) -> Result<Option<Record>, Setback> {
        let now = record::Entity::find_by_id(id).one(self.read()).await?;
        let Some(now) = now else { return Ok(None) };
        if now.revision.cast_unsigned() != revision {
            let entry = journal::Entity::find()
                .filter(journal::Column::RecordId.eq(id))
                .filter(journal::Column::Revision.eq(revision.cast_signed()))
                .one(self.read())
                .await?;
            if let Some((payload, audience)) =
                entry.and_then(|entry| Some((entry.payload?, entry.audience)))
            {
                let record = payload::record_in(&payload, tokens_in(&audience));
                return Ok(Some(self.with_links(record.map_err(Setback::broken)?).await?));
            }
        }
        match self.complete(vec![now]).await?.pop() {
            Some(record) => Ok(Some(self.with_links(record).await?)),
            None => Ok(None),
        }
    }

    /// What happened to a record after a revision, oldest first. Whether the reader sees the record
    /// is asked of [`Store::record`] before.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn history(
        &self,
        record: Uuid,
        after_revision: u64,
        limit: u64,
    ) -> Result<Vec<Entry>, Setback> {
        let rows = journal::Entity::find()
            .filter(journal::Column::RecordId.eq(record))
            .filter(journal::Column::Revision.gt(i64::try_from(after_revision).unwrap_or(i64::MAX)))
            .order_by_asc(journal::Column::Revision)
            .limit(limit)
            .all(self.read())
            .await?;
        rows.into_iter().map(entry_of).collect()
    }
}

impl Store {
    /// The erasures of a record, oldest first.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn erasures(&self, record: Uuid) -> Result<Vec<Entry>, Setback> {
        let rows = journal::Entity::find()
            .filter(journal::Column::RecordId.eq(record))
            .filter(journal::Column::EventType.ends_with(ERASED))
            .order_by_asc(journal::Column::Revision)
            .all(self.read())
            .await?;
        rows.into_iter().map(entry_of).collect()
    }
}

pub(crate) fn record_of(row: record::Model, audience: Vec<String>) -> Result<Record, Setback> {
    Ok(Record {
        id: row.id,
        process: row.process,
        number: row.number,
        definition: row.definition.cast_unsigned(),
        state: row.state,
        revision: row.revision.cast_unsigned(),
        data: serde_json::from_str(&row.data).map_err(Setback::broken)?,
        audience,
        opened_at: row.opened_at,
        updated_at: row.updated_at,
        entered_at: row.entered_at,
        closed_at: row.closed_at,
        opened_by: row.opened_by,
        links: Links::default(),
    })
}

pub(crate) fn entry_of(row: journal::Model) -> Result<Entry, Setback> {
    let payload = row.payload.as_deref().map(serde_json::from_slice).transpose();
    Ok(Entry {
        event_id: row.event_id,
        record: row.record_id,
        revision: row.revision.cast_unsigned(),
        kind: row.event_type,
        at: row.at,
        occurred_at: row.occurred_at,
        actor: row.actor,
        correlation: row.correlation,
        causation: row.causation,
        payload: payload.map_err(Setback::broken)?,
    })
}

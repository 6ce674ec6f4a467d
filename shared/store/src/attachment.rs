//! Files of records: their bytes lie in the service's own database, once for equal content.
//!
//! Bytes come in before anything is decided, part by part, under an id of their own; when the last is
//! there, they are content, known by the SHA-256 of the whole. The command that attaches them to a
//! record finds them by it. What was attached to nothing goes with the next [`Store::prune`].

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, ExprTrait, Query},
};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    Entry, Report, Setback, Store,
    dialect::{Failure, Tx},
    entity::journal,
    read::entry_of,
};

/// Bytes are kept in parts of this size: none is too much for a row, a packet or the memory.
pub const PART_BYTES: usize = 1024 * 1024;

/// Bytes that are all there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// Under which its parts lie.
    pub id: Uuid,
    /// In bytes.
    pub size: u64,
    /// Their number; the first is 0.
    pub parts: i32,
}

/// A file on its way in. Whoever drops it leaves parts behind, which are pruned.
pub struct Arrival {
    store: Store,
    content: Content,
    hash: Sha256,
    /// What does not fill a part yet.
    rest: Vec<u8>,
}

impl Arrival {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn take(&mut self, mut bytes: &[u8]) -> Result<(), Setback> {
        self.hash.update(bytes);
        self.content.size += bytes.len() as u64;
        while !bytes.is_empty() {
            let (fits, after) = bytes.split_at(bytes.len().min(PART_BYTES - self.rest.len()));
            self.rest.extend_from_slice(fits);
            bytes = after;
            if self.rest.len() == PART_BYTES {
                self.keep().await?;
            }
        }
        Ok(())
    }

    async fn keep(&mut self) -> Result<(), Setback> {
        let mut tx = Tx::begin(&self.store.shared().pools.batches).await?;
        tx.keep_part(self.content.id, self.content.parts, &self.rest).await?;
        tx.commit().await?;
        self.content.parts += 1;
        self.rest.clear();
        Ok(())
    }

    /// Makes content of what came in; answers its digest, in hexadecimal digits, and its size.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn finish(mut self) -> Result<(String, u64), Setback> {
        if !self.rest.is_empty() {
            self.keep().await?;
        }
        let digest = hex::encode(self.hash.finalize());
        let (content, now) = (self.content, self.store.now());
        let mut tx = Tx::begin(&self.store.shared().pools.batches).await?;
        tx.put_content(&digest, &content).await?;
        let kept = tx.content_held(&digest).await?.map_or(content.id, |kept| kept.id);
        if kept != content.id {
            tx.drop_parts(content.id).await?;
        }
        // From now on there is time to attach it.
        tx.arrive(kept, now).await?;
        tx.commit().await?;
        Ok((digest, content.size))
    }
}

impl Store {
    /// Begins to take a file in, under an id that nobody else uses.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn receive(&self, id: Uuid) -> Result<Arrival, Setback> {
        let mut tx = Tx::begin(&self.shared().pools.batches).await?;
        tx.arrive(id, self.now()).await?;
        tx.commit().await?;
        let content = Content { id, size: 0, parts: 0 };
        Ok(Arrival { store: self.clone(), content, hash: Sha256::new(), rest: Vec::new() })
    }

    /// The entries that attached a file to a record, oldest first. Whether the reader sees the record
    /// is asked of [`Store::record`] before.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn attachments(&self, record: Uuid) -> Result<Vec<Entry>, Setback> {
        let revisions = Query::select()
            .column("revision")
            .from("attachment")
            .and_where(Expr::col("record_id").eq(record))
            .to_owned();
        let rows = journal::Entity::find()
            .filter(journal::Column::RecordId.eq(record))
            .filter(journal::Column::Revision.in_subquery(revisions))
            .order_by_asc(journal::Column::Revision)
            .all(self.read())
            .await?;
        rows.into_iter().map(entry_of).collect()
    }

    /// The file that a revision of a record attached: what was said of it, and where its bytes lie.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn attached(
        &self,
        record: Uuid,
        revision: u64,
    ) -> Result<Option<(Entry, Content)>, Setback> {
        let select = Query::select()
            .column(("content", "id"))
            .column(("content", "size"))
            .column(("content", "parts"))
            .from("attachment")
            .inner_join(
                "content",
                Expr::col(("content", "digest")).equals(("attachment", "digest")),
            )
            .and_where(Expr::col(("attachment", "record_id")).eq(record))
            .and_where(Expr::col(("attachment", "revision")).eq(revision.cast_signed()))
            .to_owned();
        let Some(row) = self.read().query_one(&select).await? else { return Ok(None) };
        let content = Content {
            id: row.try_get_by_index(0)?,
            size: row.try_get_by_index::<i64>(1)?.cast_unsigned(),
            parts: row.try_get_by_index(2)?,
        };
        let entry = self.history(record, revision.saturating_sub(1), 1).await?.pop();
        Ok(entry.filter(|entry| entry.revision == revision).map(|entry| (entry, content)))
    }

    /// A part of content; none where it is gone.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn part(&self, content: Uuid, part: i32) -> Result<Option<Vec<u8>>, Setback> {
        part_of(self.read(), content, part).await
    }

    /// Lets go of bytes that came in before a moment and are attached to nothing.
    pub(crate) async fn drop_arrivals(&self, before: DateTime<Utc>) -> Result<u64, Setback> {
        let mut count = 0;
        loop {
            let mut tx = Tx::begin(&self.shared().pools.batches).await?;
            let found = next_dropped(&mut tx, before).await;
            match found {
                Ok(_) => tx.commit().await?,
                Err(_) => tx.rollback().await,
            }
            if !found? {
                return Ok(count);
            }
            count += 1;
        }
    }
}

async fn next_dropped(tx: &mut Tx, before: DateTime<Utc>) -> Result<bool, Failure> {
    let Some(id) = tx.arrived(before).await? else { return Ok(false) };
    match tx.digest_of(id).await? {
        Some(digest) => tx.drop_unattached(&digest).await?,
        None => tx.drop_parts(id).await?,
    }
    Ok(true)
}

async fn part_of(
    db: &impl ConnectionTrait,
    content: Uuid,
    part: i32,
) -> Result<Option<Vec<u8>>, Setback> {
    let select = Query::select()
        .column("bytes")
        .from("content_part")
        .and_where(Expr::col("content_id").eq(content))
        .and_where(Expr::col("part").eq(part))
        .to_owned();
    let row = db.query_one(&select).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
}

/// Whether every attachment is what the journal says, and its bytes are what was attached.
pub(crate) async fn check(db: &impl ConnectionTrait, report: &mut Report) -> Result<(), Setback> {
    let (mut last, mut count) = ((Uuid::nil(), 0_i64), 0);
    let mut sound: Option<String> = None;
    loop {
        let place = Expr::tuple([Expr::col("record_id"), Expr::col("revision")]);
        let select = Query::select()
            .columns(["record_id", "revision", "digest"])
            .from("attachment")
            .and_where(place.gt(Expr::tuple([Expr::val(last.0), Expr::val(last.1)])))
            .order_by("record_id", sea_orm::Order::Asc)
            .order_by("revision", sea_orm::Order::Asc)
            .limit(1)
            .to_owned();
        let Some(row) = db.query_one(&select).await? else { break };
        count += 1;
        last = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let digest: String = row.try_get_by_index(2)?;
        let entry = journal::Entity::find()
            .filter(journal::Column::RecordId.eq(last.0))
            .filter(journal::Column::Revision.eq(last.1))
            .one(db)
            .await?;
        let number = entry.as_ref().map_or_else(|| last.0.to_string(), |one| one.number.clone());
        let said = entry.and_then(|entry| entry.payload).and_then(|payload| {
            let fact = crate::payload::fact_in(&payload).ok()?;
            Some(fact.attachment?.digest)
        });
        let revision = last.1.cast_unsigned();
        if said.as_ref() != Some(&digest) {
            report.fault(&number, revision, "the file is not the one that the journal speaks of");
        }
        if sound.as_ref() == Some(&digest) {
            continue;
        }
        if digest_kept(db, &digest).await?.as_ref() == Some(&digest) {
            sound = Some(digest);
        } else {
            report.fault(&number, revision, "the bytes of the file are not what was attached");
        }
    }
    if count != report.files {
        let what =
            format!("{count} of the {} files that the journal speaks of are there", report.files);
        report.fault("attachments", 0, what);
    }
    Ok(())
}

/// The digest of what is kept under a digest.
async fn digest_kept(db: &impl ConnectionTrait, digest: &str) -> Result<Option<String>, Setback> {
    let select = Query::select()
        .columns(["id", "parts"])
        .from("content")
        .and_where(Expr::col("digest").eq(digest))
        .to_owned();
    let Some(row) = db.query_one(&select).await? else { return Ok(None) };
    let (id, parts): (Uuid, i32) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
    let mut hash = Sha256::new();
    for part in 0..parts {
        let Some(bytes) = part_of(db, id, part).await? else { return Ok(None) };
        hash.update(bytes);
    }
    Ok(Some(hex::encode(hash.finalize())))
}

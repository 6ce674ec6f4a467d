//! Bytes of attachments: statements that both databases take as they are.

use chrono::{DateTime, Utc};
use sqlx::{Row as _, query};
use uuid::Uuid;

use super::{Failure, Tx};
use crate::attachment::Content;

impl Tx {
    /// Notes that bytes come in under an id, or may still be about to be attached.
    pub(crate) async fn arrive(&mut self, id: Uuid, at: DateTime<Utc>) -> Result<(), Failure> {
        let sql = "INSERT INTO arrival (id, at) VALUES ($1, $2) \
            ON CONFLICT (id) DO UPDATE SET at = excluded.at";
        Ok(run!(self, execute, sql, id, kernel::instant(at))?)
    }

    /// The next of what came in before a moment.
    pub(crate) async fn arrived(&mut self, before: DateTime<Utc>) -> Result<Option<Uuid>, Failure> {
        let sql = "SELECT id FROM arrival WHERE at < $1 ORDER BY at LIMIT 1";
        Ok(ask!(self, sql, |row| row.try_get::<Uuid, _>(0)?, kernel::instant(before)))
    }

    pub(crate) async fn keep_part(
        &mut self,
        id: Uuid,
        part: i32,
        bytes: &[u8],
    ) -> Result<(), Failure> {
        let sql = "INSERT INTO content_part (content_id, part, bytes) VALUES ($1, $2, $3)";
        Ok(run!(self, execute, sql, id, part, bytes)?)
    }

    /// What is kept under a digest; it stays until the commit.
    pub(crate) async fn content_held(&mut self, digest: &str) -> Result<Option<Content>, Failure> {
        let sql = match self {
            Self::Postgres(_) => "SELECT id, size, parts FROM content WHERE digest = $1 FOR UPDATE",
            Self::Sqlite(_) => "SELECT id, size, parts FROM content WHERE digest = $1",
        };
        let found = ask!(
            self,
            sql,
            |row| Content {
                id: row.try_get(0)?,
                size: row.try_get::<i64, _>(1)?.cast_unsigned(),
                parts: row.try_get(2)?,
            },
            digest
        );
        Ok(found)
    }

    /// The digest under which the bytes of an id are kept.
    pub(crate) async fn digest_of(&mut self, id: Uuid) -> Result<Option<String>, Failure> {
        let sql = "SELECT digest FROM content WHERE id = $1";
        Ok(ask!(self, sql, |row| row.try_get::<String, _>(0)?, id))
    }

    /// Makes what came in content, unless the same is kept already.
    pub(crate) async fn put_content(
        &mut self,
        digest: &str,
        content: &Content,
    ) -> Result<(), Failure> {
        let sql = "INSERT INTO content (digest, id, size, parts) VALUES ($1, $2, $3, $4) \
            ON CONFLICT DO NOTHING";
        let size = content.size.cast_signed();
        Ok(run!(self, execute, sql, digest, content.id, size, content.parts)?)
    }

    pub(crate) async fn attach(
        &mut self,
        record: Uuid,
        revision: i64,
        digest: &str,
    ) -> Result<(), Failure> {
        let sql = "INSERT INTO attachment (record_id, revision, digest) VALUES ($1, $2, $3)";
        Ok(run!(self, execute, sql, record, revision, digest)?)
    }

    /// Takes an attachment away, and its bytes where nothing else is made of them.
    pub(crate) async fn detach(&mut self, record: Uuid, revision: i64) -> Result<(), Failure> {
        let sql = "SELECT digest FROM attachment WHERE record_id = $1 AND revision = $2";
        let digest = ask!(self, sql, |row| row.try_get::<String, _>(0)?, record, revision);
        let Some(digest) = digest else { return Ok(()) };
        let sql = "DELETE FROM attachment WHERE record_id = $1 AND revision = $2";
        run!(self, execute, sql, record, revision)?;
        self.drop_unattached(&digest).await
    }

    /// Lets go of what is attached to nothing.
    pub(crate) async fn drop_unattached(&mut self, digest: &str) -> Result<(), Failure> {
        // Held first, so that whoever attaches it now is seen by the question after.
        let Some(content) = self.content_held(digest).await? else { return Ok(()) };
        let sql = "SELECT 1 FROM attachment WHERE digest = $1 LIMIT 1";
        if ask!(self, sql, |row| row.try_get::<i32, _>(0)?, digest).is_some() {
            return self.forget_arrival(content.id).await;
        }
        let sql = "DELETE FROM content WHERE digest = $1";
        run!(self, execute, sql, digest)?;
        self.drop_parts(content.id).await
    }

    /// Lets go of bytes that never became content, or no longer are.
    pub(crate) async fn drop_parts(&mut self, id: Uuid) -> Result<(), Failure> {
        let sql = "DELETE FROM content_part WHERE content_id = $1";
        run!(self, execute, sql, id)?;
        self.forget_arrival(id).await
    }

    async fn forget_arrival(&mut self, id: Uuid) -> Result<(), Failure> {
        Ok(run!(self, execute, "DELETE FROM arrival WHERE id = $1", id)?)
    }
}

//! What is published, in force and since when: statements that both databases take as they are.

use chrono::{DateTime, Utc};
use sqlx::{Executor as _, Row as _, query};

use super::{Failure, Tx};
use crate::{Present, Publication, Publishing};

impl Tx {
    /// The newest edition, kept from changing until the commit.
    pub(crate) async fn edition_held(&mut self) -> Result<i64, Failure> {
        if let Self::Postgres(tx) = self {
            tx.execute("LOCK TABLE present IN SHARE ROW EXCLUSIVE MODE").await?;
        }
        let sql = "SELECT max(edition) FROM present";
        let newest = ask!(self, sql, |row| row.try_get::<Option<i64>, _>(0)?);
        Ok(newest.flatten().unwrap_or_default())
    }

    /// What is in force under a name.
    pub(crate) async fn present(
        &mut self,
        kind: &str,
        name: &str,
    ) -> Result<Option<Present>, Failure> {
        let sql = "SELECT version, shipped, fed, base FROM present WHERE kind = $1 AND name = $2";
        let number = |n: Option<i32>| n.map(i32::cast_unsigned);
        let found = ask!(
            self,
            sql,
            |row| Present {
                kind: kind.to_owned(),
                name: name.to_owned(),
                version: row.try_get::<i32, _>(0)?.cast_unsigned(),
                shipped: number(row.try_get(1)?),
                fed: number(row.try_get(2)?),
                base: number(row.try_get(3)?),
            },
            kind,
            name
        );
        Ok(found)
    }

    /// The number of this content: the one that it has, or the next.
    pub(crate) async fn numbered(
        &mut self,
        publication: &Publication,
        at: DateTime<Utc>,
    ) -> Result<u32, Failure> {
        let Publication { kind, name, digest, .. } = publication;
        let sql = "SELECT version FROM definition WHERE kind = $1 AND name = $2 AND digest = $3";
        let known = ask!(self, sql, |row| row.try_get::<i32, _>(0)?, kind, name, digest);
        if let Some(version) = known {
            return Ok(version.cast_unsigned());
        }
        let sql = "SELECT max(version) FROM definition WHERE kind = $1 AND name = $2";
        let last = ask!(self, sql, |row| row.try_get::<Option<i32>, _>(0)?, kind, name);
        let version = last.flatten().unwrap_or_default().cast_unsigned() + 1;
        self.add(publication, version, at).await?;
        Ok(version)
    }

    async fn add(
        &mut self,
        publication: &Publication,
        version: u32,
        at: DateTime<Utc>,
    ) -> Result<(), Failure> {
        let Publication { kind, name, digest, content, origin } = publication;
        let sql = "INSERT INTO definition \
            (kind, name, version, digest, content, published_at, origin) \
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
        let (version, at) = (version.cast_signed(), kernel::instant(at));
        Ok(run!(self, execute, sql, kind, name, version, digest, content, at, origin)?)
    }

    /// Puts a row in force under the next edition; `is_held` before.
    pub(crate) async fn put_present(
        &mut self,
        present: &Present,
        edition: i64,
    ) -> Result<(), Failure> {
        let Present { kind, name, version, shipped, fed, base } = present;
        let sql = "INSERT INTO present (kind, name, version, shipped, fed, base, edition) \
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (kind, name) DO UPDATE SET \
            version = excluded.version, shipped = excluded.shipped, fed = excluded.fed, \
            base = excluded.base, edition = excluded.edition";
        let number = |n: &Option<u32>| n.map(u32::cast_signed);
        let (version, shipped) = (version.cast_signed(), number(shipped));
        let (fed, base) = (number(fed), number(base));
        run!(self, execute, sql, kind, name, version, shipped, fed, base, edition)?;
        if kind == crate::archive::PROCESS {
            // Whoever opens records of it holds this row, and looks at it.
            let sql = "INSERT INTO counter (process, value, edition) VALUES ($1, 0, $2) \
                ON CONFLICT (process) DO UPDATE SET edition = excluded.edition";
            run!(self, execute, sql, name, edition)?;
        }
        Ok(())
    }

    /// What a publication puts in force; the edition is held.
    pub(crate) async fn publish(
        &mut self,
        publishing: &Publishing,
        at: DateTime<Utc>,
    ) -> Result<(), Failure> {
        let Publishing { publication, version, base, edition } = publishing;
        let Publication { kind, name, .. } = publication;
        self.add(publication, *version, at).await?;
        let before = self.present(kind, name).await?;
        let (shipped, fed) = before.map_or((None, None), |before| (before.shipped, before.fed));
        let (kind, name) = (kind.clone(), name.clone());
        let present = Present { kind, name, version: *version, shipped, fed, base: *base };
        self.put_present(&present, edition + 1).await
    }
}

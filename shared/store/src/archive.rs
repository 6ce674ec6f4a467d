//! What was published: every version of every definition and scheme, numbered by this database.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::OnConflict,
};

use crate::{Options, Setback, Store, StoreError, dialect::Pools, entity::definition, schema};

/// A definition or scheme as it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// `process` or `scheme`.
    pub kind: String,
    pub name: String,
    /// SHA-256 of the content, hexadecimal: what makes two versions the same.
    pub digest: String,
    pub content: String,
    /// `upstream` for what ships with the product, `local` for what an organisation published.
    pub origin: String,
}

/// One version of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    pub version: u32,
    pub published_at: DateTime<Utc>,
    pub publication: Publication,
}

/// The versions, open before there are rules to open a [`Store`] with.
#[derive(Debug)]
pub struct Archive {
    pools: Pools,
}

impl Archive {
    /// Connects, and makes or extends the tables.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open(options: &Options) -> Result<Self, StoreError> {
        let pools = Pools::open(&options.url, 1, 1).await?;
        schema::prepare(&pools.write).await?;
        Ok(Self { pools })
    }

    /// The number of this content: the one that it has, or the next.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn register(
        &self,
        publication: &Publication,
        at: DateTime<Utc>,
    ) -> Result<u32, Setback> {
        register(&self.pools.write, publication, at).await
    }

    /// Every version of a kind, by name and number.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn versions(&self, kind: &str) -> Result<Vec<Published>, Setback> {
        versions(&self.pools.read, kind).await
    }

    /// Lets go of the database.
    pub async fn close(self) {
        self.pools.close().await;
    }
}

impl Store {
    /// As [`Archive::register`], while the service runs.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn register(&self, publication: &Publication) -> Result<u32, Setback> {
        register(self.write(), publication, self.now()).await
    }

    /// As [`Archive::versions`].
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn versions(&self, kind: &str) -> Result<Vec<Published>, Setback> {
        versions(self.read(), kind).await
    }
}

async fn register(
    db: &DatabaseConnection,
    publication: &Publication,
    at: DateTime<Utc>,
) -> Result<u32, Setback> {
    let of_name = || {
        definition::Entity::find()
            .filter(definition::Column::Kind.eq(&publication.kind))
            .filter(definition::Column::Name.eq(&publication.name))
    };
    loop {
        let same = of_name().filter(definition::Column::Digest.eq(&publication.digest));
        if let Some(row) = same.one(db).await? {
            return Ok(row.version.cast_unsigned());
        }
        let last: Option<i32> = of_name()
            .select_only()
            .column(definition::Column::Version)
            .order_by_desc(definition::Column::Version)
            .into_tuple()
            .one(db)
            .await?;
        let row = definition::ActiveModel {
            kind: Set(publication.kind.clone()),
            name: Set(publication.name.clone()),
            version: Set(last.unwrap_or(0) + 1),
            digest: Set(publication.digest.clone()),
            content: Set(publication.content.clone()),
            published_at: Set(kernel::instant(at)),
            origin: Set(publication.origin.clone()),
        };
        // When another replica was faster, its number counts: look again.
        definition::Entity::insert(row)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(db)
            .await?;
    }
}

async fn versions(db: &DatabaseConnection, kind: &str) -> Result<Vec<Published>, Setback> {
    let rows = definition::Entity::find()
        .filter(definition::Column::Kind.eq(kind))
        .order_by_asc(definition::Column::Name)
        .order_by_asc(definition::Column::Version)
        .all(db)
        .await?;
    let published = rows.into_iter().map(|row| Published {
        version: row.version.cast_unsigned(),
        published_at: row.published_at,
        publication: Publication {
            kind: row.kind,
            name: row.name,
            digest: row.digest,
            content: row.content,
            origin: row.origin,
        },
    });
    Ok(published.collect())
}

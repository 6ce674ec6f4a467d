//! What was published: every version of every definition and scheme, numbered by this database, and
//! which of them are in force.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use engine::Definition;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};

use crate::{
    Options, Setback, Store, StoreError,
    dialect::{Failure, Pools, Tx},
    entity::{definition, present, record},
    schema, slot,
};

/// Of publications that are definitions.
pub(crate) const PROCESS: &str = "process";
/// Of what ships with the product.
const UPSTREAM: &str = "upstream";

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

/// Which version of a definition or scheme is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    pub kind: String,
    pub name: String,
    pub version: u32,
    /// The version that ships with the product now.
    pub shipped: Option<u32>,
    /// The version that a folder fed last.
    pub fed: Option<u32>,
    /// The shipped version that what is in force was made from, or compared with last.
    pub base: Option<u32>,
}

/// Everything that was published, as of one edition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// Rises with whatever is put in force.
    pub edition: i64,
    pub present: Vec<Present>,
    /// By kind, name and number.
    pub versions: Vec<Published>,
    /// Former versions of processes that records stand on, by process and number.
    pub in_use: BTreeSet<(String, u32)>,
}

/// What an act puts in force, in its own transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publishing {
    pub publication: Publication,
    /// Its number: the one that the content has, or the next.
    pub version: u32,
    /// The shipped version that it takes into account.
    pub base: Option<u32>,
    /// The edition that it was checked against: when there is a newer one, nothing is done
    /// ([`Setback::Overtaken`]).
    pub edition: i64,
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

    /// Takes what a file says. What ships is in force until something else is published, and again
    /// once that is what ships; a local file is in force when it says something else than the last
    /// time. Answers whether anything changed.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn feed(
        &self,
        publication: &Publication,
        at: DateTime<Utc>,
    ) -> Result<bool, Setback> {
        let mut tx = Tx::begin(&self.pools.batches).await?;
        let changed = fed(&mut tx, publication, at).await;
        match changed {
            Ok(_) => tx.commit().await?,
            Err(_) => tx.rollback().await,
        }
        Ok(changed?)
    }

    /// Whether there are columns for all that a definition indexes.
    ///
    /// # Errors
    /// A sentence that names the field, or the database's.
    pub async fn fits(&self, definition: &Definition) -> Result<(), StoreError> {
        slot::fits(&self.pools.read, definition).await
    }

    /// Everything that was published, and what is in force.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn catalogue(&self) -> Result<Catalogue, Setback> {
        catalogue(&self.pools.read).await
    }

    /// Lets go of the database.
    pub async fn close(self) {
        self.pools.close().await;
    }
}

impl Store {
    /// As [`Archive::catalogue`], while the service runs.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn catalogue(&self) -> Result<Catalogue, Setback> {
        catalogue(self.read()).await
    }

    /// As [`Archive::fits`].
    ///
    /// # Errors
    /// A sentence that names the field, or the database's.
    pub async fn fits(&self, definition: &Definition) -> Result<(), StoreError> {
        slot::fits(self.read(), definition).await
    }

    /// The newest edition of what is in force.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn edition(&self) -> Result<i64, Setback> {
        edition(self.read()).await
    }

    /// Resolves when a batch met newer rules than those that are decided by here.
    pub async fn outdated(&self) {
        self.shared().outdated.notified().await;
    }
}

async fn fed(tx: &mut Tx, publication: &Publication, at: DateTime<Utc>) -> Result<bool, Failure> {
    let edition = tx.edition_held().await?;
    let version = tx.numbered(publication, at).await?;
    let Publication { kind, name, origin, .. } = publication;
    let before = tx.present(kind, name).await?;
    let is_shipped = origin == UPSTREAM;
    let now = match before.clone() {
        None => Present {
            kind: kind.clone(),
            name: name.clone(),
            version,
            shipped: is_shipped.then_some(version),
            fed: (!is_shipped).then_some(version),
            base: is_shipped.then_some(version),
        },
        Some(before) if is_shipped && before.shipped != Some(version) => {
            // What an organisation published stays; the two can be compared.
            let is_ours = before.shipped == Some(before.version);
            let present = if is_ours { version } else { before.version };
            let base = if is_ours { Some(version) } else { before.base };
            Present { version: present, shipped: Some(version), base, ..before }
        }
        Some(before) if !is_shipped && before.fed != Some(version) => {
            Present { version, fed: Some(version), base: before.shipped, ..before }
        }
        Some(before) => before,
    };
    if before.as_ref() == Some(&now) {
        return Ok(false);
    }
    tx.put_present(&now, edition + 1).await?;
    Ok(true)
}

async fn edition(db: &impl ConnectionTrait) -> Result<i64, Setback> {
    let newest: Option<Option<i64>> = present::Entity::find()
        .select_only()
        .expr(Expr::col(present::Column::Edition).max())
        .into_tuple()
        .one(db)
        .await?;
    Ok(newest.flatten().unwrap_or_default())
}

async fn catalogue(db: &impl ConnectionTrait) -> Result<Catalogue, Setback> {
    // Versions are only added, so those read after are at least those that these rows name.
    let rows = present::Entity::find().all(db).await?;
    let edition = rows.iter().map(|row| row.edition).max().unwrap_or_default();
    let number = |n: Option<i32>| n.map(i32::cast_unsigned);
    let present = rows.into_iter().map(|row| Present {
        kind: row.kind,
        name: row.name,
        version: row.version.cast_unsigned(),
        shipped: number(row.shipped),
        fed: number(row.fed),
        base: number(row.base),
    });
    let present: Vec<Present> = present.collect();
    let rows = definition::Entity::find()
        .order_by_asc(definition::Column::Kind)
        .order_by_asc(definition::Column::Name)
        .order_by_asc(definition::Column::Version)
        .all(db)
        .await?;
    let versions = rows.into_iter().map(|row| Published {
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
    let versions: Vec<Published> = versions.collect();
    let mut in_use = BTreeSet::new();
    for Published { version, publication, .. } in &versions {
        let Publication { kind, name, .. } = publication;
        let is_present = |present: &Present| {
            (&present.kind, &present.name, present.version) == (kind, name, *version)
        };
        if kind == PROCESS && !present.iter().any(is_present) && is_used(db, name, *version).await?
        {
            in_use.insert((name.clone(), *version));
        }
    }
    Ok(Catalogue { edition, present, versions, in_use })
}

async fn is_used(db: &impl ConnectionTrait, process: &str, version: u32) -> Result<bool, Setback> {
    let first: Option<uuid::Uuid> = record::Entity::find()
        .select_only()
        .column(record::Column::Id)
        .filter(record::Column::Process.eq(process))
        .filter(record::Column::Definition.eq(version.cast_signed()))
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    Ok(first.is_some())
}

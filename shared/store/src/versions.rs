//! Which records stand on which version of their definition.

use engine::Record;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{Setback, Store, entity::record};

/// How many records stand on a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub open: u64,
    pub closed: u64,
}

impl Store {
    /// How many records stand on a version of a process.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn standing_on(&self, process: &str, version: u32) -> Result<Standing, Setback> {
        let on = || {
            record::Entity::find()
                .filter(record::Column::Process.eq(process))
                .filter(record::Column::Definition.eq(version.cast_signed()))
        };
        let open = on().filter(record::Column::ClosedAt.is_null()).count(self.read()).await?;
        Ok(Standing { open, closed: on().count(self.read()).await?.saturating_sub(open) })
    }

    /// Open records on a version of a process, in the order of their ids, after one of them. Whether
    /// anybody may see them is not asked: this is for the service itself.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn open_on(
        &self,
        process: &str,
        version: u32,
        after: Uuid,
        limit: u64,
    ) -> Result<Vec<Record>, Setback> {
        let rows = record::Entity::find()
            .filter(record::Column::Process.eq(process))
            .filter(record::Column::Definition.eq(version.cast_signed()))
            .filter(record::Column::Id.gt(after))
            .filter(record::Column::ClosedAt.is_null())
            .order_by_asc(record::Column::Id)
            .limit(limit)
            .all(self.read())
            .await?;
        let mut records = Vec::with_capacity(rows.len());
        for record in self.complete(rows).await? {
            records.push(self.with_links(record).await?);
        }
        Ok(records)
    }
}

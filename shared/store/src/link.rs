//! What a record is tied to, in this service and in others, as far as a reader may know.

use chrono::{DateTime, Utc};
use engine::Linked;
use kernel::Reader;
use sea_orm::{
    ConnectionTrait as _, ExprTrait,
    sea_query::{Alias, Expr, IntoIden as _, Query},
};
use uuid::Uuid;

use crate::{
    Setback, Store,
    audience::tokens_in,
    entity::{link, record},
    read::visible,
};

/// A link as one of its ends sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRow {
    /// The relation, or its inverse when the other end made the link.
    pub relation: String,
    /// How the other end calls it.
    pub inverse: String,
    pub other: Linked,
    pub at: DateTime<Utc>,
    /// Whether the other end is known to be there. Another service has not answered yet, or knows of
    /// no such record, while this is not so.
    pub is_confirmed: bool,
}

impl Store {
    /// What a record is tied to, by whichever end, oldest first. Nothing is told of a record that the
    /// reader does not see; whether it sees this one is asked of [`Store::record`] before.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn links(&self, record: Uuid, reader: &Reader) -> Result<Vec<LinkRow>, Setback> {
        let (ours, theirs) = (link::Column::RecordId, link::Column::OtherId);
        let words = (link::Column::Relation, link::Column::Inverse);
        let mut links = self.tied(record, words, (ours, theirs), reader).await?;
        links.extend(self.tied(record, (words.1, words.0), (theirs, ours), reader).await?);
        links.extend(self.ties(record, reader).await?);
        // Of one moment, its own links come first.
        links.sort_by_key(|link| link.at);
        Ok(links)
    }

    /// Links within the service: those whose `here` is the record, with what is `there`, and the words
    /// of both ends.
    async fn tied(
        &self,
        record: Uuid,
        (word, inverse): (link::Column, link::Column),
        (here, there): (link::Column, link::Column),
        reader: &Reader,
    ) -> Result<Vec<LinkRow>, Setback> {
        let of_link = |column: link::Column| Expr::col((link::Entity, column));
        let of_other = |column: record::Column| Expr::col((record::Entity, column));
        let select = Query::select()
            .expr(of_link(word))
            .expr(of_link(inverse))
            .expr(of_link(link::Column::At))
            .expr(of_other(record::Column::Id))
            .expr(of_other(record::Column::Number))
            .expr(of_other(record::Column::Process))
            .from(link::Entity)
            .inner_join(record::Entity, of_other(record::Column::Id).equals((link::Entity, there)))
            .and_where(of_link(here).eq(record))
            .cond_where(visible(reader, self.shared().pools.backend()))
            .to_owned();
        let rows = self.read().query_all(&select).await?.into_iter();
        rows.map(|row| {
            Ok(LinkRow {
                relation: row.try_get_by_index(0)?,
                inverse: row.try_get_by_index(1)?,
                at: row.try_get_by_index(2)?,
                other: Linked {
                    id: row.try_get_by_index(3)?,
                    number: row.try_get_by_index(4)?,
                    process: row.try_get_by_index(5)?,
                },
                is_confirmed: true,
            })
        })
        .collect()
    }

    /// Links to records of other services.
    async fn ties(&self, record: Uuid, reader: &Reader) -> Result<Vec<LinkRow>, Setback> {
        let columns = ["relation", "inverse", "at", "other_id", "other_number", "other_process"];
        let select = Query::select()
            .columns(columns.map(|column| Alias::new(column).into_iden()))
            .column("other_audience")
            .from("tie")
            .and_where(Expr::col("record_id").eq(record))
            .to_owned();
        let mut ties = Vec::new();
        for row in self.read().query_all(&select).await? {
            let audience: Option<String> = row.try_get_by_index(6)?;
            if audience.as_deref().is_some_and(|tokens| !reader.sees(&tokens_in(tokens))) {
                continue;
            }
            let id: Option<Uuid> = row.try_get_by_index(3)?;
            ties.push(LinkRow {
                relation: row.try_get_by_index(0)?,
                inverse: row.try_get_by_index(1)?,
                at: row.try_get_by_index(2)?,
                other: Linked {
                    id: id.unwrap_or_default(),
                    number: row.try_get_by_index(4)?,
                    process: row.try_get_by_index(5)?,
                },
                is_confirmed: audience.is_some(),
            });
        }
        Ok(ties)
    }
}

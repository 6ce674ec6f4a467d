//! How far the lanes of a consumer have come in their streams.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, Set,
    sea_query::{Alias, Expr, OnConflict},
};

use crate::{Setback, Store, entity::place};

/// A place in a stream: everything up to it is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Says which stream of that name the sequence is of.
    pub made: String,
    pub sequence: u64,
}

impl Store {
    /// The places that are known of these lanes.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn places(&self, lanes: &[String]) -> Result<HashMap<String, Place>, Setback> {
        let rows = place::Entity::find()
            .filter(place::Column::Lane.is_in(lanes.iter().map(String::as_str)))
            // Where they are written, so that what was written before is seen.
            .all(self.write())
            .await?;
        let places = rows.into_iter().map(|row| {
            let place = Place { made: row.made, sequence: row.sequence.cast_unsigned() };
            (row.lane, place)
        });
        Ok(places.collect())
    }

    /// Writes places down; of a stream that stayed the same, none goes back.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn reached(
        &self,
        places: impl IntoIterator<Item = (String, Place)>,
    ) -> Result<(), Setback> {
        let rows = places.into_iter().map(|(lane, place)| place::ActiveModel {
            lane: Set(lane),
            made: Set(place.made),
            sequence: Set(place.sequence.cast_signed()),
        });
        let new = |column: &str| Expr::col((Alias::new("excluded"), Alias::new(column.to_owned())));
        let old = |column| Expr::col((place::Entity, column));
        let is_further = Condition::any()
            .add(old(place::Column::Made).ne(new("made")))
            .add(old(place::Column::Sequence).lt(new("sequence")));
        let conflict = OnConflict::column(place::Column::Lane)
            .update_columns([place::Column::Made, place::Column::Sequence])
            .action_cond_where(is_further)
            .to_owned();
        place::Entity::insert_many(rows)
            .on_conflict(conflict)
            .exec_without_returning(self.write())
            .await?;
        Ok(())
    }
}

//! How far the lanes of a consumer have come in their streams.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, Set,
    sea_query::{Alias, Expr, OnConflict},
};

use crate::{Fence, Setback, Store, entity::place};

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

    /// Writes places down, each for a lane and with the token of its lease; one that was written with
    /// a higher token stays.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn reached(
        &self,
        places: impl IntoIterator<Item = (Fence, Place)>,
    ) -> Result<(), Setback> {
        let rows = places.into_iter().map(|(lane, place)| place::ActiveModel {
            lane: Set(lane.name),
            made: Set(place.made),
            sequence: Set(place.sequence.cast_signed()),
            token: Set(lane.token),
        });
        let token = Expr::col((Alias::new("excluded"), Alias::new("token")));
        let is_ours = Expr::col((place::Entity, place::Column::Token)).lte(token);
        let changed = [place::Column::Made, place::Column::Sequence, place::Column::Token];
        let conflict = OnConflict::column(place::Column::Lane)
            .update_columns(changed)
            .action_and_where(is_ours)
            .to_owned();
        place::Entity::insert_many(rows)
            .on_conflict(conflict)
            .exec_without_returning(self.write())
            .await?;
        Ok(())
    }
}

//! Transitions that records will take by themselves, and when.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{Setback, Store, entity::timer};

/// A timer that has come due: a `Fire` command for its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueTimer {
    pub record: Uuid,
    pub process: String,
    pub transition: String,
    pub due: DateTime<Utc>,
}

impl Store {
    /// Timers that are due by now, the longest due first. A timer goes when its `Fire` is decided,
    /// whether the record takes the transition or a rule refuses it. Those of processes with a faulty
    /// version wait until it is mended.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn due_timers(
        &self,
        now: DateTime<Utc>,
        limit: u64,
    ) -> Result<Vec<DueTimer>, Setback> {
        let rows = timer::Entity::find()
            .filter(timer::Column::DueAt.lte(now))
            .filter(timer::Column::Process.is_not_in(self.hindered()))
            .order_by_asc(timer::Column::DueAt)
            .limit(limit)
            .all(self.read())
            .await?;
        let timers = rows.into_iter().map(|row| DueTimer {
            record: row.record_id,
            process: row.process,
            transition: row.transition,
            due: row.due_at,
        });
        Ok(timers.collect())
    }

    /// When the next timer is due, if there is one.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn next_due(&self) -> Result<Option<DateTime<Utc>>, Setback> {
        let next = timer::Entity::find()
            .filter(timer::Column::Process.is_not_in(self.hindered()))
            .order_by_asc(timer::Column::DueAt)
            .one(self.read())
            .await?;
        Ok(next.map(|row| row.due_at))
    }

    fn hindered(&self) -> Vec<String> {
        let rules = self.rules();
        rules.faults().map(|faulty| faulty.process.to_owned()).collect()
    }
}

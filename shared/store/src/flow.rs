//! How records passed from state to state in a stretch of time, as their histories tell.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kernel::Reader;
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, Order, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    Setback, Store,
    entity::{journal, record, standing},
    list::Walk,
    read::visible,
};

/// The histories of so many records are read, of those that changed last.
const RECORDS: u64 = 1_000;
/// The histories of so many at a time.
const AT_ONCE: usize = 100;
/// So many of the records that took a step are named, the latest first.
const NAMED: usize = 50;

/// A step between two states, by whatever transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    pub from: String,
    pub to: String,
    /// How often it was taken.
    pub count: u64,
    /// The numbers of records that took it, each once.
    pub numbers: Vec<String>,
}

/// What was passed, the most frequent step first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    pub steps: Vec<Passed>,
    /// How many records were looked at.
    pub records: u64,
    /// No more have changed since than were looked at.
    pub is_complete: bool,
}

/// What a fact says of a step.
#[derive(Deserialize)]
struct Step {
    from: Option<String>,
    to: Option<String>,
}

impl Store {
    /// The steps that records took from one state to another in `[since, until)`, of those that the
    /// reader sees and that changed last since then.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn flow(
        &self,
        process: &str,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
        reader: &Reader,
    ) -> Result<Flow, Setback> {
        let walks = Walk::Standings;
        let changed = Expr::col((standing::Entity, standing::Column::UpdatedAt));
        let mut records: Vec<(Uuid, String)> = walks
            .records()
            .select_only()
            .columns([record::Column::Id, record::Column::Number])
            .filter(walks.process_is(process))
            .filter(changed.clone().gte(since))
            .filter(visible(reader, self.shared().pools.backend()))
            .order_by(changed, Order::Desc)
            .limit(RECORDS + 1)
            .into_tuple()
            .all(self.read())
            .await?;
        let limit = usize::try_from(RECORDS).unwrap_or(usize::MAX);
        let is_complete = records.len() <= limit;
        records.truncate(limit);
        let mut found: BTreeMap<(String, String), Passed> = BTreeMap::new();
        for page in records.chunks(AT_ONCE) {
            let places: BTreeMap<Uuid, usize> =
                page.iter().enumerate().map(|(place, (id, _))| (*id, place)).collect();
            let mut facts: Vec<(Uuid, Option<Vec<u8>>)> = journal::Entity::find()
                .select_only()
                .columns([journal::Column::RecordId, journal::Column::Payload])
                .filter(journal::Column::RecordId.is_in(places.keys().copied()))
                .filter(journal::Column::At.gte(since))
                .filter(journal::Column::At.lt(until))
                .into_tuple()
                .all(self.read())
                .await?;
            facts.sort_by_key(|(id, _)| places.get(id));
            for (id, payload) in facts {
                // What was erased tells nothing.
                let Some(payload) = payload else { continue };
                let step: Step = serde_json::from_slice(&payload).map_err(Setback::broken)?;
                let (Some(from), Some(to)) = (step.from, step.to) else { continue };
                let Some((_, number)) = places.get(&id).and_then(|place| page.get(*place)) else {
                    continue;
                };
                if from == to {
                    continue;
                }
                add(&mut found, from, to, number);
            }
        }
        let mut steps: Vec<Passed> = found.into_values().collect();
        steps.sort_by_key(|step| std::cmp::Reverse(step.count));
        Ok(Flow { steps, records: records.len() as u64, is_complete })
    }
}

fn add(found: &mut BTreeMap<(String, String), Passed>, from: String, to: String, number: &str) {
    let key = (from.clone(), to.clone());
    let passed =
        found.entry(key).or_insert_with(|| Passed { from, to, count: 0, numbers: Vec::new() });
    passed.count += 1;
    if passed.numbers.len() < NAMED && passed.numbers.iter().all(|known| known != number) {
        passed.numbers.push(number.to_owned());
    }
}

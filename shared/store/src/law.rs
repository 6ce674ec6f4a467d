//! What the writers decide by, and where they find what it names: exchanged as a whole.

use std::sync::Arc;

use engine::Ruleset;
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, Set,
    sea_query::{Expr, OnConflict},
};

use crate::{
    Store, StoreError,
    dialect::Pools,
    entity::{counter, slot as slot_row},
    passage,
    search::Prose,
    slot::{self, Places},
};

/// The rules of one edition, with the columns and words that they give to records.
pub(crate) struct Law {
    pub(crate) rules: Arc<Ruleset>,
    pub(crate) places: Places,
    pub(crate) prose: Prose,
}

impl Law {
    /// Gives every indexed field a column, and every process a counter.
    pub(crate) async fn of(pools: &Pools, rules: Arc<Ruleset>) -> Result<Self, StoreError> {
        slot::assign(&pools.write, &rules).await?;
        for definition in rules.processes() {
            let row = counter::ActiveModel {
                process: Set(definition.process.clone()),
                value: Set(0),
                ..Default::default()
            };
            counter::Entity::insert(row)
                .on_conflict(OnConflict::new().do_nothing().to_owned())
                .exec_without_returning(&pools.write)
                .await?;
        }
        let places = Places::read(&pools.write).await?;
        let prose = Prose::of(&rules);
        Ok(Self { rules, places, prose })
    }

    /// Fills the columns and passages of records that were there before a field had one; answers
    /// whether there was something to fill. What is written meanwhile must be written by this law.
    pub(crate) async fn fill(&self, pools: &Pools) -> Result<bool, StoreError> {
        let unfilled = self.places.unfilled();
        for process in &unfilled {
            slot::fill(pools, &self.places, process).await?;
            slot_row::Entity::update_many()
                .col_expr(slot_row::Column::Filled, Expr::val(1))
                .filter(slot_row::Column::Process.eq(process.as_str()))
                .filter(slot_row::Column::Field.is_in(self.places.fields(process)))
                .exec(&pools.write)
                .await?;
        }
        passage::fill(pools, &self.prose, &self.rules).await?;
        Ok(!unfilled.is_empty())
    }
}

impl Store {
    /// Decides by other rules from the next batch on, unless it does so already or by newer ones, and
    /// fills the columns of what is indexed from now on. Lists refuse to ask for those until they are
    /// filled.
    ///
    /// # Errors
    /// A process indexes more fields than there are columns, or the database fails. When only filling
    /// failed, the rules are in force all the same; asked again, it goes on.
    pub async fn adopt(&self, rules: Arc<Ruleset>) -> Result<(), StoreError> {
        let shared = self.shared();
        let _turn = shared.adopting.lock().await;
        if rules.edition() > shared.law().rules.edition() {
            let law = Law::of(&shared.pools, rules).await?;
            shared.law.send_replace(Arc::new(law));
        }
        let law = shared.law();
        if law.fill(&shared.pools).await? {
            let places = Places::read(&shared.pools.write).await?;
            let (rules, prose) = (Arc::clone(&law.rules), Prose::of(&law.rules));
            shared.law.send_replace(Arc::new(Law { rules, places, prose }));
        }
        Ok(())
    }
}

//! Reads records again when what they are found by has become something else, or is new.

use engine::{Fact, Ruleset};
use sea_orm::{
    ColumnTrait, ConnectionTrait as _, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait as _, OnConflict, Query},
};
use uuid::Uuid;

use crate::{
    StoreError,
    dialect::{Failure, Lock, Pools, Tx},
    entity::{journal, record},
    payload,
    search::{PassageKey, Prose},
};

/// Records that are read at a time.
const PAGE: u64 = 500;

/// Fills the passages of every process whose prose is not in there as it is defined now.
pub(crate) async fn fill(pools: &Pools, prose: &Prose, rules: &Ruleset) -> Result<(), StoreError> {
    for definition in rules.processes() {
        let process = definition.process.as_str();
        let fields = prose.fields(process).join(",");
        let known = Query::select()
            .column("fields")
            .from("searched")
            .and_where(Expr::col("process").eq(process))
            .to_owned();
        let known = pools.write.query_one(&known).await?;
        let known: Option<String> = known.map(|row| row.try_get_by_index(0)).transpose()?;
        if known.as_ref() == Some(&fields) {
            continue;
        }
        fill_process(pools, prose, process).await?;
        let done = Query::insert()
            .into_table("searched")
            .columns(["process", "fields"])
            .values_panic([process.into(), fields.into()])
            .on_conflict(OnConflict::column("process").update_column("fields").to_owned())
            .to_owned();
        pools.write.execute(&done).await?;
    }
    Ok(())
}

async fn fill_process(pools: &Pools, prose: &Prose, process: &str) -> Result<(), StoreError> {
    let mut after = Uuid::nil();
    loop {
        let ids: Vec<Uuid> = record::Entity::find()
            .select_only()
            .column(record::Column::Id)
            .filter(record::Column::Process.eq(process))
            .filter(record::Column::Id.gt(after))
            .order_by_asc(record::Column::Id)
            .limit(PAGE)
            .into_tuple()
            .all(&pools.write)
            .await?;
        let Some(last) = ids.last() else { return Ok(()) };
        after = *last;
        let comments = comments_of(pools, &ids).await?;
        // A replica that runs already may be changing them.
        fill_page(pools, prose, &ids, comments).await.map_err(sqlx::Error::from)?;
    }
}

async fn fill_page(
    pools: &Pools,
    prose: &Prose,
    ids: &[Uuid],
    comments: Vec<(PassageKey, String)>,
) -> Result<(), Failure> {
    let mut tx = Tx::begin(&pools.batches).await?;
    let records = tx.records(ids, Lock::Wait).await?;
    let fields = records.iter().map(|loaded| prose.of_fields(&loaded.record));
    let passages: Vec<_> = fields.chain(comments).collect();
    let rows: Vec<_> = passages.iter().map(|(key, words)| (key, words.as_str())).collect();
    tx.put_passages(&rows).await?;
    tx.commit().await
}

/// The passages of what people said about records.
async fn comments_of(pools: &Pools, ids: &[Uuid]) -> Result<Vec<(PassageKey, String)>, StoreError> {
    let entries = journal::Entity::find()
        .filter(journal::Column::RecordId.is_in(ids.iter().copied()))
        .filter(journal::Column::EventType.ends_with(".commented.v1"))
        .all(&pools.write)
        .await?;
    let said = entries.into_iter().filter_map(|entry| {
        let fact: Fact = payload::fact_in(&entry.payload?).ok()?;
        let key = (entry.record_id, entry.revision.cast_unsigned());
        Some((key, Prose::of_comment(&fact.comment?)))
    });
    Ok(said.collect())
}

//! What a batch changes in the totals: every step takes its record out of one cell and puts it into
//! another, in the transaction that changes the record.

use std::collections::BTreeSet;

use engine::Record;
use uuid::Uuid;

use super::{Batch, stage::Staged};
use crate::{
    dialect::Failure,
    row::{ClosingRow, Counted, Recount},
    total::{Count, keys, parts},
};

impl Batch<'_> {
    /// Takes what a step changes into the overlay.
    pub(super) async fn count(
        &mut self,
        before: Option<&Record>,
        step: &Staged,
    ) -> Result<(), Failure> {
        let record = &step.record;
        let Some(counting) = self.shared.countings.get(record.process.as_str()) else {
            return Ok(());
        };
        let (was, became) = (before.and_then(counting.count), (counting.count)(record));
        if was == became {
            return Ok(());
        }
        let (was, became) =
            (self.counted(record, was, -1).await?, self.counted(record, became, 1).await?);
        self.overlay.recounts.push(Recount {
            record: record.clone(),
            at: step.cause.at,
            actor: step.cause.actor.id.clone(),
            event_type: contract::event_type(&record.process, &step.fact.event, 1),
            was,
            became,
        });
        Ok(())
    }

    async fn counted(
        &mut self,
        record: &Record,
        count: Option<Count>,
        by: i64,
    ) -> Result<Option<Counted>, Failure> {
        let Some(count) = count else { return Ok(None) };
        let audience = self.audience(&count.seen_by).await?.id;
        for key in keys(&record.process, audience, &count) {
            *self.overlay.totals.entry(key).or_default() += by;
        }
        Ok(Some(Counted { what: count.what, at: count.at, audience }))
    }

    /// Writes totals, then what they changed in spans that are closed. Whoever closes a span holds
    /// off all writers of totals, so that none of them overlooks it.
    pub(super) async fn write_totals(&mut self) -> Result<(), Failure> {
        let (tx, overlay) = (&mut self.tx, &self.overlay);
        if !overlay.closings.is_empty() {
            tx.lock_totals().await?;
        }
        let totals = overlay.totals.iter().filter(|(_, by)| **by != 0);
        let totals: Vec<_> = totals.map(|(key, by)| (key, *by)).collect();
        if !totals.is_empty() {
            tx.add_totals(&totals).await?;
            let processes: BTreeSet<&str> =
                totals.iter().map(|(key, _)| key.process.as_str()).collect();
            let processes: Vec<_> = processes.into_iter().collect();
            let sides = overlay.recounts.iter().flat_map(|one| [&one.was, &one.became]);
            let first = sides.flatten().map(|side| side.at).min().unwrap_or(i64::MAX);
            let closed = tx.closings(&processes, first).await?;
            let rows: Vec<_> = overlay
                .recounts
                .iter()
                .flat_map(|one| closed.iter().map(move |closing| (closing, one)))
                .filter(|(closing, one)| concerns(closing, one))
                .map(|(closing, one)| (closing.record, one))
                .collect::<Vec<(Uuid, &Recount)>>();
            if !rows.is_empty() {
                tx.insert_restatements(&rows).await?;
            }
        }
        for closing in &overlay.closings {
            tx.close_span(closing, &parts(closing.since, closing.until)).await?;
        }
        Ok(())
    }
}

fn concerns(closing: &ClosingRow, recount: &Recount) -> bool {
    closing.process == recount.record.process
        && [&recount.was, &recount.became]
            .into_iter()
            .flatten()
            .any(|side| (closing.since..closing.until).contains(&side.at))
}

//! What a batch did, as rows: the journal with its chains, and everything that follows from it.

use std::{collections::BTreeMap, sync::Arc};

use uuid::Uuid;

use super::{
    Attempt, Batch, Verdict, Witness,
    overlay::{Held, Timers},
    stage::Staged,
    tie,
};
use crate::{
    audience::{self, AudienceSet},
    chain::{ORIGIN, digest_of, link_of},
    dialect::{Failure, is_broken_connection},
    payload,
    refusal::Ledger,
    row::{Extent, JournalRow, NewLink, RecordRow, TimerRow},
    slot::{Columns, Slotted},
};

impl Batch<'_> {
    /// Takes an accepted step into the overlay and the journal.
    pub(super) async fn keep(&mut self, step: &Staged) -> Result<(), Failure> {
        let (record, fact) = (&step.record, &step.fact);
        let before = self.overlay.records.remove(&record.id).flatten();
        self.count(before.as_ref().map(|held| &*held.record), step).await?;
        let (previous, known, extent, timers) = match before {
            Some(held) => {
                let extent = match held.extent {
                    Extent::Change(columns) => Extent::Change(columns.and(self.columns_of(step))),
                    Extent::New => Extent::New,
                };
                (held.head, Some(held.audience), extent, held.timers)
            }
            None => (ORIGIN, None, Extent::New, Timers::Kept(Vec::new())),
        };
        let audience = match known.filter(|_| fact.audience.is_none()) {
            Some(audience) => audience,
            None => self.audience(&record.audience).await?,
        };
        let data = payload::data_of(record);
        let payload = payload::write(record, &data, &step.cause.actor, fact);
        let salt = self.salts.another()?;
        let digest = digest_of(&salt, &payload);
        let event_type = contract::event_type(&record.process, &fact.event, 1);
        let (revision, cause) = (record.revision, &step.cause);
        let actor = &cause.actor.id;
        let link = link_of(&previous, record.id, revision, &event_type, actor, cause.at, &digest);
        self.overlay.journal.push(JournalRow {
            event_id: step.event_id,
            record: Arc::clone(record),
            event_type,
            cause: Arc::clone(cause),
            audience: Arc::clone(&audience),
            payload,
            salt,
            digest,
            link,
        });
        match &fact.link {
            Some(link) if self.is_elsewhere(&link.to) => {
                let (key, row) = tie::row_of(record.id, link, fact.at);
                self.overlay.tie(key, row);
            }
            Some(link) => {
                let key = (record.id, link.relation.clone(), link.to.id);
                self.overlay.links.insert(key, true);
                self.overlay.bind(link, record);
                let row = NewLink { record: record.id, link: link.clone(), at: fact.at };
                self.overlay.new_links.push(row);
            }
            None => {}
        }
        match &fact.unlink {
            Some(link) if self.is_elsewhere(&link.to) => {
                let (key, _) = tie::row_of(record.id, link, fact.at);
                self.overlay.untie(key);
            }
            Some(link) => self.overlay.unlink(link, record),
            None => {}
        }
        self.overlay.passages.extend(self.law.prose.changed(record, fact));
        if let Some(file) = &fact.attachment {
            let place = (record.id, record.revision.cast_signed());
            self.overlay.attached.push((place.0, place.1, file.digest.clone()));
        }
        if let Some(erasure) = &fact.erasure {
            let comments = erasure.revisions.iter().map(|revision| (record.id, *revision));
            self.overlay.passages.extend(comments.map(|key| (key, String::new())));
            self.overlay.erased.push((record.id, erasure.revisions.clone()));
        }
        if fact.opened.is_some() {
            *self.overlay.counters.entry(record.process.clone()).or_default() += 1;
            self.overlay.counted.insert(record.process.clone());
            self.overlay.numbers.insert(record.number.clone(), record.id);
        }
        let mut timers = match (&fact.timers, &step.fired) {
            (Some(timers), _) => Timers::Replaced(timers.clone()),
            (None, Some(fired)) => self.without(record.id, timers, fired),
            (None, None) => timers,
        };
        for transition in &fact.fewer_timers {
            timers = self.without(record.id, timers, transition);
        }
        for timer in &fact.more_timers {
            timers = self.without(record.id, timers, &timer.transition);
            let (Timers::Kept(all) | Timers::Replaced(all)) = &mut timers;
            all.push(timer.clone());
        }
        let record = Arc::clone(record);
        let held = Held { record, head: link, audience, data: Some(data), extent, timers };
        self.overlay.records.insert(held.record.id, Some(held));
        Ok(())
    }

    /// The columns with an index of their own that a step changes.
    fn columns_of(&self, step: &Staged) -> Columns {
        let (process, fact) = (&step.record.process, &step.fact);
        let places =
            fact.changes.keys().flat_map(|field| self.law.places.filled_by(process, field));
        let columns = places.fold(Columns::default(), Columns::with);
        if fact.audience.is_some() { columns.with_audience() } else { columns }
    }

    /// A timer that fired, or is waited for no more, does not stay due, whatever becomes of the others.
    fn without(&mut self, record: Uuid, timers: Timers, gone: &str) -> Timers {
        match timers {
            Timers::Replaced(mut timers) => {
                timers.retain(|timer| timer.transition != gone);
                Timers::Replaced(timers)
            }
            Timers::Kept(mut anew) => {
                anew.retain(|timer| timer.transition != gone);
                self.overlay.spent.push((record, gone.to_owned()));
                Timers::Kept(anew)
            }
        }
    }

    pub(super) async fn audience(
        &mut self,
        tokens: &[String],
    ) -> Result<Arc<AudienceSet>, Failure> {
        let known = self.shared.audiences.by_tokens(tokens);
        if let Some(set) = known.or_else(|| self.overlay.audiences.get(tokens).cloned()) {
            return Ok(set);
        }
        let set = Arc::new(audience::number(&mut self.tx, tokens).await?);
        self.overlay.audiences.insert(tokens.to_vec(), Arc::clone(&set));
        Ok(set)
    }

    /// Writes and commits.
    pub(super) async fn finish(mut self, verdicts: Vec<Verdict>, ledger: &mut Ledger) -> Attempt {
        let places = match self.write(ledger).await {
            Ok(places) => places,
            Err(failure) => {
                // The rows of the refusals are gone, so their chain would have a hole.
                ledger.begin_anew();
                self.tx.rollback().await;
                return Attempt::Failed(failure);
            }
        };
        let witness = self.overlay.journal.last().map(|row| Witness {
            record: row.record.id,
            revision: row.record.revision,
            link: row.link,
        });
        match self.tx.commit().await {
            Ok(()) => {
                self.shared.audiences.keep(self.overlay.audiences.into_values());
                self.shared.fresh.keep(self.overlay.journal, &places);
                Attempt::Committed(verdicts)
            }
            Err(failure) => {
                ledger.begin_anew();
                match (witness, &failure) {
                    (Some(witness), Failure::Database(fault)) if is_broken_connection(fault) => {
                        Attempt::Unsure { verdicts, witness, failure }
                    }
                    _ => Attempt::Failed(failure),
                }
            }
        }
    }

    /// Writes what the batch did; answers the places of its journal rows in the outbox.
    async fn write(&mut self, ledger: &mut Ledger) -> Result<Vec<i64>, Failure> {
        let (tx, overlay, places) = (&mut self.tx, &self.overlay, &self.law.places);
        let changed = overlay.records.values().flatten();
        let rows = changed.filter_map(|held| {
            let slots = match held.extent {
                Extent::Change(columns) if columns.is_empty() => Slotted::default(),
                Extent::Change(_) | Extent::New => places.slotted(&held.record),
            };
            let row = RecordRow {
                record: &held.record,
                data: held.data.as_deref()?,
                audience: held.audience.id,
                head: &held.head,
                slots,
            };
            Some((held.extent, row))
        });
        let mut by_extent: BTreeMap<Extent, Vec<RecordRow<'_>>> = BTreeMap::new();
        for (extent, row) in rows {
            by_extent.entry(extent).or_default().push(row);
        }
        for (extent, mut rows) in by_extent {
            // Neighbours in the table are neighbours in its indexes.
            rows.sort_unstable_by_key(|row| row.record.id);
            match extent {
                Extent::Change(columns) => tx.update_records(columns, &rows).await?,
                Extent::New => tx.insert_records(&rows).await?,
            }
        }
        let outbox = match overlay.journal.as_slice() {
            [] => Vec::new(),
            rows => tx.insert_journal(rows).await?,
        };
        // Before anything is erased: bytes stay for as long as something is made of them.
        for (record, revision, digest) in &overlay.attached {
            tx.attach(*record, *revision, digest).await?;
        }
        for (record, revisions) in &overlay.erased {
            let revisions: Vec<i64> = revisions.iter().map(|n| n.cast_signed()).collect();
            tx.erase(*record, &revisions).await?;
            for revision in revisions {
                tx.detach(*record, revision).await?;
            }
        }
        if let Some((publishing, at)) = &overlay.publishing {
            tx.publish(publishing, *at).await?;
        }
        self.write_timers().await?;
        self.write_totals().await?;
        self.write_rest(ledger).await?;
        Ok(outbox)
    }

    async fn write_timers(&mut self) -> Result<(), Failure> {
        let (mut cleared, mut rows) = (Vec::new(), Vec::new());
        for held in self.overlay.records.values().flatten() {
            let timers = match &held.timers {
                Timers::Kept(anew) => anew,
                Timers::Replaced(timers) => {
                    if held.extent != Extent::New {
                        cleared.push(held.record.id);
                    }
                    timers
                }
            };
            rows.extend(timers.iter().map(|timer| TimerRow {
                record: held.record.id,
                transition: &timer.transition,
                process: &held.record.process,
                due: timer.due,
            }));
        }
        if !cleared.is_empty() {
            self.tx.clear_timers(&cleared).await?;
        }
        if !self.overlay.spent.is_empty() {
            let spent: Vec<_> =
                self.overlay.spent.iter().map(|(id, name)| (*id, name.as_str())).collect();
            self.tx.drop_timers(&spent).await?;
        }
        if !rows.is_empty() {
            self.tx.insert_timers(&rows).await?;
        }
        Ok(())
    }

    async fn write_rest(&mut self, ledger: &mut Ledger) -> Result<(), Failure> {
        let (tx, overlay) = (&mut self.tx, &self.overlay);
        // What is gone and was made again is new.
        if !overlay.gone_links.is_empty() {
            tx.drop_links(&overlay.gone_links).await?;
        }
        if !overlay.gone_ties.is_empty() {
            tx.drop_ties(&overlay.gone_ties).await?;
        }
        if !overlay.new_links.is_empty() {
            tx.insert_links(&overlay.new_links).await?;
        }
        if !overlay.passages.is_empty() {
            let rows = overlay.passages.iter().map(|(key, words)| (key, words.as_str()));
            tx.put_passages(&rows.collect::<Vec<_>>()).await?;
        }
        if !overlay.ties.is_empty() {
            tx.put_ties(&overlay.ties.iter().collect::<Vec<_>>()).await?;
        }
        let new: Vec<_> = overlay.new_holders.iter().map(|(key, record)| (key, *record)).collect();
        if !new.is_empty() {
            tx.insert_holders(&new).await?;
        }
        let moved: Vec<_> =
            overlay.moved_holders.iter().map(|(key, record)| (key, *record)).collect();
        if !moved.is_empty() {
            tx.move_holders(&moved).await?;
        }
        let counters = overlay.counters.iter().filter(|(name, _)| overlay.counted.contains(*name));
        let counters: Vec<_> = counters.map(|(name, value)| (name.as_str(), *value)).collect();
        if !counters.is_empty() {
            tx.set_counters(&counters).await?;
        }
        if !overlay.new_onces.is_empty() {
            tx.insert_onces(&overlay.new_onces).await?;
        }
        if !overlay.new_marks.is_empty() {
            tx.put_marks(&overlay.new_marks).await?;
            let mut tallies: BTreeMap<(&str, &str), i64> = BTreeMap::new();
            for mark in &overlay.new_marks {
                *tallies.entry((&mark.consumer, &mark.outcome)).or_default() += 1;
            }
            let rows: Vec<_> = tallies
                .into_iter()
                .map(|((consumer, outcome), n)| (consumer, outcome, n))
                .collect();
            tx.add_tallies(&rows).await?;
        }
        if !self.sent.bundles.is_empty() {
            tx.clear_outbox(self.sent).await?;
        }
        let refusals = ledger.enter(std::mem::take(&mut self.noted));
        if !refusals.is_empty() {
            tx.insert_refusals(&refusals).await?;
        }
        Ok(())
    }
}

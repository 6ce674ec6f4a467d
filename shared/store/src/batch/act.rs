//! One act: its preconditions, its commands, and its place in the batch.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use engine::{Command, Link, Linked, Links, Record, Subject};
use kernel::{Cause, Channel, Refusal, Rule, derived_id};
use uuid::Uuid;

use super::{
    Batch, Stop, Verdict,
    overlay::Used,
    stage::{Stage, Staged},
};
use crate::{
    Act, Mark, Moment, RecordRef, Setback, Target,
    act::{Done, REFUSED, Step},
    dialect::Failure,
    refusal::Noted,
    row::{MarkRow, OnceRow},
    text::indexable,
};

/// Where commands begin.
pub(super) enum Origin<'a> {
    New { process: &'a str, id: Uuid },
    Existing(Arc<Record>),
}

/// Commands on one record, and for imports when each happened.
pub(super) struct Wishes<'a> {
    pub commands: &'a [Command],
    pub moments: &'a [Moment],
}

/// What an act found before its first command.
enum Found<'a> {
    Origin(Origin<'a>),
    /// The same cause has opened this record before.
    Opened(Arc<Record>),
    /// It is about an event.
    Event,
}

/// What to do with a link that exists.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum KnownLink {
    Refuse,
    /// An event that is repeated ties nothing twice.
    Skip,
}

/// A rule that panics is a fault of one act, not of the batch.
pub(super) fn guarded<T>(rule: impl FnOnce() -> T) -> Result<T, Setback> {
    catch_unwind(AssertUnwindSafe(rule))
        .map_err(|_| Setback::broken("a rule could not be worked out: it panicked"))
}

impl<'a> Batch<'a> {
    /// Decides one act; what it did is in the overlay when it was accepted, and only then.
    pub(super) async fn decide(&mut self, act: &'a Act) -> Result<Verdict, Failure> {
        let lane = act.lane();
        if lane.as_ref().is_some_and(|lane| self.held_lanes.contains(lane)) {
            return Ok(Verdict::Setback(Setback::Behind));
        }
        let mut stage = Stage::default();
        match self.stage(act, &mut stage).await {
            Ok(Some(verdict)) => Ok(verdict),
            Ok(None) => self.accept(act, stage).await,
            Err(Stop::Failure(failure)) => Err(failure),
            Err(Stop::Setback(setback)) => {
                if let Setback::Refused(refusal) = &setback {
                    self.note_refused(act, refusal);
                }
                if setback.holds_its_lane() {
                    self.held_lanes.extend(lane);
                }
                Ok(Verdict::Setback(setback))
            }
        }
    }

    /// Preconditions, commands and reactions; a verdict at once when nothing is to be done.
    async fn stage(&mut self, act: &'a Act, stage: &mut Stage) -> Result<Option<Verdict>, Stop> {
        if let Some(refusal) = &act.refused {
            return Err(refusal.clone().into());
        }
        if let Some(verdict) = self.replay_of(act)? {
            return Ok(Some(verdict));
        }
        if let Some(publishing) = &act.publishes
            && self.tx.edition_held().await? != publishing.edition
        {
            return Err(Setback::Overtaken.into());
        }
        if let Some(mark) = &act.delivery {
            let key = (indexable(&mark.consumer), indexable(&mark.message));
            if self.overlay.marks.contains(&key) {
                return Err(Setback::Duplicate.into());
            }
            let is_current =
                |fence: &crate::Fence| self.overlay.fences.get(&fence.name) == Some(&fence.token);
            if !mark.fence.as_ref().is_none_or(is_current) {
                return Err(Setback::Fenced.into());
            }
        }
        match self.find(act).await? {
            Found::Opened(record) => {
                let record = Some(record);
                let done = Done { record, replayed: true, ..Done::default() };
                Ok(Some(Verdict::Done(done)))
            }
            Found::Event => {
                let cause = Arc::new(act.cause.clone());
                for happening in act.target.happenings() {
                    self.hear(stage, happening, &cause, act, 0).await?;
                }
                if let Some(tie) = &act.tie {
                    self.tie(stage, tie, &cause, act).await?;
                }
                Ok(None)
            }
            Found::Origin(origin) => {
                let cause = match &origin {
                    Origin::Existing(record) => not_before(&act.cause, record),
                    Origin::New { .. } => act.cause.clone(),
                };
                let cause = Arc::new(cause);
                let wishes = Wishes { commands: &act.commands, moments: &act.moments };
                self.command(stage, origin, wishes, &cause, KnownLink::Refuse).await?;
                self.spread(stage, 0, act, 0).await?;
                Ok(None)
            }
        }
    }

    fn replay_of(&self, act: &'a Act) -> Result<Option<Verdict>, Setback> {
        let Some(once) = &act.once else { return Ok(None) };
        match self.overlay.onces.get(&(indexable(&once.scope), indexable(&once.key))) {
            None => Ok(None),
            Some(used) if used.digest != once.digest => Err(Setback::KeyReused),
            Some(used) => {
                Ok(Some(Verdict::Replay { record: used.record, revision: used.revision }))
            }
        }
    }

    async fn find(&mut self, act: &'a Act) -> Result<Found<'a>, Stop> {
        let (process, id) = match &act.target {
            Target::Events(_) => return Ok(Found::Event),
            Target::New { process } => {
                let id = derived_id(act.cause.id, act.cause.when(), 0);
                return Ok(match self.overlay.record(id) {
                    Some(record) if act.reader.sees(&record.audience) => Found::Opened(record),
                    Some(_) => return Err(Setback::Unknown.into()),
                    None => Found::Origin(Origin::New { process, id }),
                });
            }
            Target::Record { process, which: RecordRef::Id(id) } => (process, *id),
            Target::Record { process, which: RecordRef::Number(number) } => {
                (process, self.numbered(number).await?.ok_or(Setback::Unknown)?)
            }
        };
        let record = self.overlay.record(id).ok_or(Setback::Unknown)?;
        if record.process != *process || !act.reader.sees(&record.audience) {
            return Err(Setback::Unknown.into());
        }
        if act.expect.is_some_and(|expected| expected != record.revision) {
            return Err(Setback::Stale { revision: record.revision }.into());
        }
        Ok(Found::Origin(Origin::Existing(record)))
    }

    pub(super) async fn numbered(&mut self, number: &str) -> Result<Option<Uuid>, Failure> {
        if let Some(id) = self.overlay.numbers.get(number) {
            return Ok(Some(*id));
        }
        // Perhaps an act before this one, or another replica, has just opened it.
        let Some((number, id)) = self.tx.ids(&[number]).await?.pop() else { return Ok(None) };
        self.overlay.numbers.insert(number, id);
        self.late_record(id).await?;
        Ok(Some(id))
    }

    /// Decides commands on one record, one after the other.
    pub(super) async fn command(
        &mut self,
        stage: &mut Stage,
        origin: Origin<'_>,
        wishes: Wishes<'_>,
        cause: &Arc<Cause>,
        known_link: KnownLink,
    ) -> Result<(), Stop> {
        let mut origin = origin;
        let law = self.law;
        for (place, command) in wishes.commands.iter().enumerate() {
            let cause = &match wishes.moments.get(place) {
                Some(moment) => Arc::new(moment.of(cause)),
                None => Arc::clone(cause),
            };
            if let (Origin::Existing(record), Command::Link { relation, to }) = (&origin, command)
                && self.is_linked(stage, record.id, relation, to).await?
            {
                if known_link == KnownLink::Skip {
                    continue;
                }
                let message =
                    format!("{} is tied to {} like that already", record.number, to.number);
                return Err(Refusal::one(Rule::State, "/to", "linked", message).into());
            }
            if let (Origin::Existing(record), Command::Unlink { link }) = (&origin, command)
                && !self.is_bound(stage, record, link).await?
            {
                let message =
                    format!("{} is not tied to {} like that", record.number, link.to.number);
                return Err(Refusal::one(Rule::State, "/to", "not_linked", message).into());
            }
            let completed = match (&origin, command) {
                (Origin::Existing(record), Command::Erase(erasure)) => {
                    Some(Command::Erase(self.completed(stage, record, erasure, cause).await?))
                }
                _ => None,
            };
            let command = completed.as_ref().unwrap_or(command);
            let subject = match &origin {
                Origin::Existing(record) => Subject::Existing(record),
                Origin::New { process, id } => {
                    let number = self.next_number(stage, process).await?;
                    Subject::New { process, id: *id, number }
                }
            };
            // Migrating is how records leave a version that has faults.
            if !matches!(command, Command::Migrate(_)) {
                self.unhindered(&origin)?;
            }
            let (fact, mut record) =
                guarded(|| engine::step(&law.rules, subject, command, cause))??;
            if let Some(file) = &fact.attachment
                && self.tx.content_held(&file.digest).await?.is_none()
            {
                let message = "the bytes of the file are not here: send it again";
                return Err(Refusal::one(Rule::State, "", "no_content", message).into());
            }
            if fact.opened.is_some() && law.rules.asks_links(&record.process) {
                record.links = Links::known(Vec::new());
            }
            let record = Arc::new(record);
            let fired = match command {
                Command::Fire { transition } => Some(transition.clone()),
                _ => None,
            };
            let event_id = event_id(&record, cause);
            origin = Origin::Existing(Arc::clone(&record));
            stage.steps.push(Staged { record, fact, cause: Arc::clone(cause), event_id, fired });
        }
        Ok(())
    }

    /// A version that was sound when it was published and has faults now decides nothing.
    fn unhindered(&self, origin: &Origin<'_>) -> Result<(), Setback> {
        let (process, version) = match origin {
            Origin::New { process, .. } => (*process, None),
            Origin::Existing(record) => (record.process.as_str(), Some(record.definition)),
        };
        self.law.rules.hindrance(process, version).map_or(Ok(()), |why| Err(Setback::Hindered(why)))
    }

    /// Whether there is such a tie, whichever end made it.
    async fn is_bound(
        &mut self,
        stage: &Stage,
        record: &Record,
        link: &Link,
    ) -> Result<bool, Failure> {
        if self.is_linked(stage, record.id, &link.relation, &link.to).await? {
            return Ok(true);
        }
        let is_here = !self.is_elsewhere(&link.to);
        Ok(is_here && self.is_linked(stage, link.to.id, &link.inverse, &record.linked()).await?)
    }

    async fn is_linked(
        &mut self,
        stage: &Stage,
        record: Uuid,
        relation: &str,
        other: &Linked,
    ) -> Result<bool, Failure> {
        if self.is_elsewhere(other) {
            let key = (record, relation.to_owned(), other.number.clone());
            return self.is_tied(stage, &key).await;
        }
        let other = other.id;
        if let Some(is_linked) = stage.links(record, relation, other) {
            return Ok(is_linked);
        }
        let key = (record, relation.to_owned(), other);
        if let Some(known) = self.overlay.links.get(&key) {
            return Ok(*known);
        }
        // The database ties nothing to what it does not have.
        if [record, other].iter().any(|id| stage.opens(*id) || self.overlay.opens(*id)) {
            return Ok(false);
        }
        let known = self.tx.is_linked(record, relation, other).await?;
        self.overlay.links.insert(key, known);
        Ok(known)
    }

    /// The number that the next record of a process gets. It is used up when the act is done.
    async fn next_number(&mut self, stage: &Stage, process: &str) -> Result<String, Stop> {
        let definition = self.law.rules.process(process).ok_or(Setback::Unknown)?;
        let count = self.last_number(process).await? + stage.opened_of(process) + 1;
        Ok(definition.number(count.cast_unsigned()))
    }

    /// Merges an accepted act into the batch.
    async fn accept(&mut self, act: &'a Act, stage: Stage) -> Result<Verdict, Failure> {
        let mut done = Done::default();
        for (refusal, noted) in stage.refused {
            self.noted.push(noted);
            done.refused.push(refusal);
        }
        for (key, record) in stage.holders {
            let before = self.overlay.holders.insert(key.clone(), Some(record)).flatten();
            if before.is_none() || self.overlay.new_holders.contains_key(&key) {
                self.overlay.new_holders.insert(key, record);
            } else {
                self.overlay.moved_holders.insert(key, record);
            }
        }
        let target = match &act.target {
            Target::Events(_) => stage.steps.first().map(|step| step.record.id),
            Target::New { .. } => Some(derived_id(act.cause.id, act.cause.when(), 0)),
            Target::Record { which, .. } => self.known_id(which),
        };
        self.overlay.publishing =
            act.publishes.as_ref().map(|publishing| (publishing, act.cause.at));
        if let Some(closing) = &act.closes {
            let mut opened = stage.steps.iter().filter(|step| step.fact.opened.is_some());
            let keeper = opened.find(|step| step.record.process == closing.keeper);
            self.overlay.closings.extend(keeper.map(|step| closing.row(step.record.id)));
        }
        for step in stage.steps {
            self.keep(&step).await?;
            done.steps.push(Step { record: step.record, fact: step.fact });
        }
        for (key, row) in stage.known_ties {
            self.overlay.tie(key, row);
        }
        done.record = target.and_then(|id| self.overlay.record(id));
        if let Some(mark) = &act.delivery {
            let outcome = if done.steps.is_empty() && !done.refused.is_empty() {
                REFUSED.to_owned()
            } else {
                (mark.outcome)(&done.steps)
            };
            self.mark(mark, &outcome);
        }
        self.use_once(act, done.record.as_deref());
        Ok(Verdict::Done(done))
    }

    fn known_id(&self, which: &RecordRef) -> Option<Uuid> {
        match which {
            RecordRef::Id(id) => Some(*id),
            RecordRef::Number(number) => self.overlay.numbers.get(number).copied(),
        }
    }

    fn use_once(&mut self, act: &'a Act, record: Option<&Record>) {
        let Some(once) = &act.once else { return };
        let (scope, key) = (indexable(&once.scope), indexable(&once.key));
        let (record, revision) =
            (record.map(|record| record.id), record.map_or(0, |record| record.revision));
        self.overlay.new_onces.push(OnceRow {
            scope: scope.clone().into_owned(),
            key: key.clone().into_owned(),
            digest: once.digest.clone(),
            record,
            revision: revision.cast_signed(),
            at: act.cause.at,
        });
        let used = Used { digest: once.digest.clone(), record, revision };
        self.overlay.onces.insert((scope, key), used);
    }

    fn mark(&mut self, mark: &'a Mark, outcome: &str) {
        let (consumer, message) = (indexable(&mark.consumer), indexable(&mark.message));
        self.overlay.new_marks.push(MarkRow {
            consumer: consumer.clone().into_owned(),
            message: message.clone().into_owned(),
            outcome: indexable(outcome).into_owned(),
            at: mark.at,
        });
        self.overlay.marks.insert((consumer, message));
    }

    /// A refusal is on record; the timer or delivery that asked for it does not come again.
    fn note_refused(&mut self, act: &'a Act, refusal: &Refusal) {
        let (process, record) = match &act.target {
            Target::New { process } => (process, None),
            Target::Record { process, which } => (process, self.known_id(which)),
            // It is not done: whoever delivers it keeps it as a dead letter.
            Target::Events(_) => return,
        };
        for command in &act.commands {
            if let (Command::Fire { transition }, Some(record)) = (command, record) {
                self.overlay.spent.push((record, transition.clone()));
            }
        }
        let is_invalid = refusal.rule == Rule::Invalid;
        if let Some(mark) = &act.delivery
            && !is_invalid
        {
            self.mark(mark, REFUSED);
        }
        // What does not fit the schema is told to its sender; no rule of who may do what was broken.
        if !is_invalid || act.cause.channel == Channel::Timer {
            let command = act.commands.first().map_or("", Command::name);
            self.noted.push(Noted::new(&act.cause, record, process, command, refusal));
        }
    }
}

/// The id of the event that made this revision.
fn event_id(record: &Record, cause: &Cause) -> Uuid {
    // A record would need four billion revisions in one microsecond for two ids to meet.
    let revision = u32::try_from(record.revision & u64::from(u32::MAX)).unwrap_or_default();
    derived_id(record.id, cause.at, revision)
}

/// Callers read the clock before they queue, so that two acts may come the other way round: the
/// time of a record never runs backwards. What an import says of the past stays as it is said.
pub(super) fn not_before(cause: &Cause, record: &Record) -> Cause {
    let mut cause = cause.clone();
    if cause.at < record.updated_at {
        cause.at = record.updated_at;
    }
    cause
}

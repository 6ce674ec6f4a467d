//! What the processes of this service make of each other's facts, in the same transaction.

use std::{future::Future, pin::Pin, sync::Arc};

use engine::{Command, Happening, Notice, Record, Response};
use kernel::{Cause, Channel, Refusal, Rule, derived_id};
use uuid::Uuid;

use super::{
    Batch, Stop,
    act::{KnownLink, Origin, Wishes, guarded, not_before},
    stage::Stage,
};
use crate::{Act, Setback, dialect::Failure, refusal::Noted, row::HolderKey, text::indexable};

/// Reactions to reactions go this deep; definitions that call each other for ever end here.
const DEPTH_LIMIT: u8 = 8;

impl<'a> Batch<'a> {
    /// Lets the service's processes react to the steps of a stage from `first` on.
    pub(super) async fn spread(
        &mut self,
        stage: &mut Stage,
        first: usize,
        act: &'a Act,
        depth: u8,
    ) -> Result<(), Stop> {
        let (shared, law) = (self.shared, self.law);
        for position in first..stage.steps.len() {
            let step = &stage.steps[position];
            let kind = contract::event_type(&step.record.process, &step.fact.event, 1);
            let heard = law.rules.told(&kind);
            let following = engine::following(&law.rules, &step.record, &step.fact);
            let (actor, now) = (&step.cause.actor, step.cause.when());
            let told =
                guarded(|| engine::telling(&law.rules, &step.record, &step.fact, actor, now))?;
            if heard.is_none() && following.is_none() && told.as_ref().is_ok_and(Vec::is_empty) {
                continue;
            }
            let record = Arc::clone(&step.record);
            let cause = Arc::new(Cause {
                id: step.event_id,
                actor: Arc::clone(&shared.system),
                at: step.cause.at,
                occurred_at: step.cause.occurred_at,
                channel: Channel::Event,
                correlation: step.cause.correlation,
                causation: Some(step.event_id.to_string()),
                traceparent: step.cause.traceparent.clone(),
                implied: false,
            });
            if let Some(words) = heard {
                let happening = Happening::of_fact(&kind, &step.record, &step.fact, words);
                self.hear(stage, &happening, &cause, act, depth + 1).await?;
            }
            self.tell(stage, record.id, told, &cause).await?;
            if let Some(following) = following.filter(|_| depth < DEPTH_LIMIT) {
                self.lead(stage, (&record, following), &cause, act, depth + 1).await?;
            }
        }
        Ok(())
    }

    /// Keeps who is to be told of a step, in its transaction. A rule that cannot be worked out is on
    /// record and stops nothing.
    async fn tell(
        &mut self,
        stage: &mut Stage,
        record: Uuid,
        told: Result<Vec<Notice>, String>,
        cause: &Arc<Cause>,
    ) -> Result<(), Stop> {
        let Some(record) = stage.record(record) else { return Ok(()) };
        match told {
            Ok(notices) if notices.is_empty() => Ok(()),
            Ok(notices) => {
                let cause = Arc::new(not_before(cause, &record));
                let wishes = Wishes { commands: &[Command::Tell { notices }], moments: &[] };
                let origin = Origin::Existing(record);
                self.command(stage, origin, wishes, &cause, KnownLink::Skip).await
            }
            Err(sentence) => {
                let refusal = Refusal::one(Rule::Guard, "", "notify", sentence);
                let noted = Noted::new(cause, Some(record.id), &record.process, "notify", &refusal);
                stage.refused.push((refusal, noted));
                Ok(())
            }
        }
    }

    /// Lets every process that knows this kind of event react. What a rule refuses is on record
    /// and stops nobody else; an event from outside that cannot be understood is refused whole.
    pub(super) fn hear<'b>(
        &'b mut self,
        stage: &'b mut Stage,
        happening: &'b Happening,
        cause: &'b Arc<Cause>,
        act: &'a Act,
        depth: u8,
    ) -> Pin<Box<dyn Future<Output = Result<(), Stop>> + Send + 'b>>
    where
        'a: 'b,
    {
        Box::pin(async move {
            let law = self.law;
            for process in law.rules.subscribers(&happening.kind) {
                let moment = stage.moment();
                match self.react(stage, process, happening, cause, act, depth).await {
                    Ok(()) => {}
                    Err(Stop::Setback(Setback::Refused(refusal)))
                        if depth > 0 || refusal.rule != Rule::Invalid =>
                    {
                        stage.return_to(moment);
                        let record = happening.record.as_ref().map(|record| record.id);
                        let noted = Noted::new(cause, record, process, &happening.kind, &refusal);
                        stage.refused.push((refusal, noted));
                    }
                    Err(stop) => return Err(stop),
                }
            }
            Ok(())
        })
    }

    async fn react(
        &mut self,
        stage: &mut Stage,
        process: &str,
        happening: &Happening,
        cause: &Arc<Cause>,
        act: &'a Act,
        depth: u8,
    ) -> Result<(), Stop> {
        let law = self.law;
        if depth > DEPTH_LIMIT {
            let message = format!("reactions follow on reactions more than {DEPTH_LIMIT} deep");
            return Err(Refusal::one(Rule::State, "", "too_deep", message).into());
        }
        let key = guarded(|| self.key_of(process, happening, cause))?.map_err(misfit)?;
        let Some(key) = key else { return Ok(()) };
        let holder = self.holder_of(stage, &key).await?;
        let response =
            guarded(|| engine::respond(&law.rules, process, holder.as_deref(), happening, cause))?
                .map_err(misfit)?;
        let link_to_event = |relation: Option<String>| {
            let to = happening.record.clone();
            relation.zip(to).map(|(relation, to)| Command::Link { relation, to })
        };
        let mut commands = Vec::with_capacity(3);
        let origin = match response {
            Response::Nothing { because } => {
                tracing::debug!(process, event = happening.kind, because, "no reaction");
                return Ok(());
            }
            Response::Open { data, link, succeeds } => {
                commands.push(Command::Open { data });
                commands.extend(link_to_event(link));
                let before = holder.map(|holder| holder.linked());
                commands.extend(
                    succeeds.zip(before).map(|(relation, to)| Command::Link { relation, to }),
                );
                let id = derived_id(act.cause.id, act.cause.when(), stage.opened());
                stage.holders.push((key, id));
                Origin::New { process, id }
            }
            Response::Take { transition, with, link } => {
                commands.push(Command::Take { transition, with });
                commands.extend(link_to_event(link));
                Origin::Existing(holder.ok_or(Setback::Unknown)?)
            }
            Response::Attach { relation } => {
                commands.extend(link_to_event(Some(relation)));
                Origin::Existing(holder.ok_or(Setback::Unknown)?)
            }
        };
        let cause = match &origin {
            Origin::Existing(record) => Arc::new(not_before(cause, record)),
            Origin::New { .. } => Arc::clone(cause),
        };
        let first = stage.steps.len();
        let wishes = Wishes { commands: &commands, moments: &[] };
        self.command(stage, origin, wishes, &cause, KnownLink::Skip).await?;
        self.spread(stage, first, act, depth).await
    }

    /// The key under which a process knows what an event concerns.
    pub(super) fn key_of(
        &self,
        process: &str,
        happening: &Happening,
        cause: &Cause,
    ) -> Result<Option<HolderKey>, String> {
        let key = engine::reaction_key(&self.law.rules, process, happening, cause)?;
        Ok(key.map(|key| HolderKey {
            process: process.to_owned(),
            key: indexable(&key).into_owned(),
        }))
    }

    /// The record of a process that a key stands for: one that was opened under it, or one that it
    /// names by id or number.
    async fn holder_of(
        &mut self,
        stage: &Stage,
        key: &HolderKey,
    ) -> Result<Option<Arc<Record>>, Failure> {
        let holder = match stage.holder(key) {
            Some(id) => Some(id),
            None => self.late_holder(key.clone()).await?,
        };
        let id = match (holder, key.key.parse::<Uuid>()) {
            (Some(id), _) | (None, Ok(id)) => Some(id),
            (None, Err(_)) => self.id_of(stage, &key.process, &key.key).await?,
        };
        let Some(id) = id else { return Ok(None) };
        let record = match stage.record(id) {
            Some(record) => Some(record),
            None => self.late_record(id).await?,
        };
        Ok(record.filter(|record| record.process == key.process))
    }

    /// A number that a key is, when it looks like one of the process's.
    async fn id_of(
        &mut self,
        stage: &Stage,
        process: &str,
        key: &str,
    ) -> Result<Option<Uuid>, Failure> {
        let is_ours = self.law.rules.by_number(key).is_some_and(|known| known.process == process);
        if !is_ours {
            return Ok(None);
        }
        match stage.steps.iter().find(|step| step.record.number == key) {
            Some(step) => Ok(Some(step.record.id)),
            None => self.numbered(key).await,
        }
    }
}

fn misfit(sentence: String) -> Refusal {
    Refusal::one(Rule::Invalid, "", "reaction", sentence)
}

//! What the children of a record do after it, in the same transaction.

use std::{future::Future, pin::Pin, sync::Arc};

use engine::{Following, Link, Record};
use kernel::{Cause, Refusal, Rule};
use uuid::Uuid;

use super::{
    Batch, Stop,
    act::{KnownLink, Origin, Wishes, not_before},
    stage::Stage,
};
use crate::{Act, Setback, dialect::Failure, refusal::Noted};

/// A step reaches so many children; a parent of more is one that nobody keeps in view.
pub(crate) const CHILD_LIMIT: usize = 1_000;

impl<'a> Batch<'a> {
    /// Lets the children of a record follow a step of it. What one refuses is on record and stops none of
    /// the others.
    pub(super) fn lead<'b>(
        &'b mut self,
        stage: &'b mut Stage,
        followed: (&'b Record, Following),
        cause: &'b Arc<Cause>,
        act: &'a Act,
        depth: u8,
    ) -> Pin<Box<dyn Future<Output = Result<(), Stop>> + Send + 'b>>
    where
        'a: 'b,
    {
        Box::pin(self.lead_all(stage, followed, cause, act, depth))
    }

    async fn lead_all(
        &mut self,
        stage: &mut Stage,
        (parent, following): (&Record, Following),
        cause: &Arc<Cause>,
        act: &'a Act,
        depth: u8,
    ) -> Result<(), Stop> {
        let children = self.children(stage, parent.id, &following.tied).await?;
        if children.len() > CHILD_LIMIT {
            let message = format!("{} has more than {CHILD_LIMIT} children", parent.number);
            return Err(Refusal::one(Rule::State, "", "children", message).into());
        }
        for id in children {
            let Some(child) = self.child(stage, id).await? else { continue };
            let (moment, first) = (stage.moment(), stage.steps.len());
            let cause = Arc::new(not_before(cause, &child));
            let process = child.process.clone();
            let wishes =
                Wishes { commands: std::slice::from_ref(&following.command), moments: &[] };
            let origin = Origin::Existing(child);
            match self.command(stage, origin, wishes, &cause, KnownLink::Skip).await {
                Ok(()) => self.spread(stage, first, act, depth).await?,
                Err(Stop::Setback(Setback::Refused(refusal))) => {
                    stage.return_to(moment);
                    let command = following.command.name();
                    let noted = Noted::new(&cause, Some(id), &process, command, &refusal);
                    stage.refused.push((refusal, noted));
                }
                Err(stop) => return Err(stop),
            }
        }
        Ok(())
    }

    async fn child(&mut self, stage: &Stage, id: Uuid) -> Result<Option<Arc<Record>>, Failure> {
        match stage.record(id) {
            Some(record) => Ok(Some(record)),
            None => self.late_record(id).await,
        }
    }

    /// The records that a parent is tied to like that, whichever end made the link.
    async fn children(
        &mut self,
        stage: &Stage,
        parent: Uuid,
        tied: &str,
    ) -> Result<Vec<Uuid>, Failure> {
        let mut children = Vec::new();
        // The database has not heard yet of what this batch ties.
        if !self.overlay.opens(parent) && !stage.opens(parent) {
            children = self.tx.tied(parent, tied, CHILD_LIMIT + 1).await?;
            let gone = &self.overlay.gone_links;
            children.retain(|child| {
                let is_gone = |(end, link): &(Uuid, Link)| {
                    *end == parent && link.relation == tied && link.to.id == *child
                        || *end == *child && link.inverse == tied && link.to.id == parent
                };
                !gone.iter().any(is_gone)
            });
        }
        let kept = self.overlay.new_links.iter().map(|row| (row.record, &row.link));
        let staged = stage
            .steps
            .iter()
            .filter_map(|step| step.fact.link.as_ref().map(|link| (step.record.id, link)));
        let ours = kept.chain(staged).filter_map(|(record, link)| {
            if record == parent && link.relation == tied {
                Some(link.to.id)
            } else {
                (link.to.id == parent && link.inverse == tied).then_some(record)
            }
        });
        // A record of another service, whose id is not known yet, follows nobody here.
        children.extend(ours.filter(|id| !id.is_nil()));
        children.sort_unstable();
        children.dedup();
        Ok(children)
    }
}

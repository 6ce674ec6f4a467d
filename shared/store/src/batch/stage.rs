//! What one act has done so far: merged into the batch when all of it was accepted, else dropped.

use std::sync::Arc;

use engine::{Fact, Link, Record};
use kernel::{Cause, Refusal};
use uuid::Uuid;

use crate::{
    refusal::Noted,
    row::{HolderKey, TieKey, TieRow},
};

#[derive(Default)]
pub(super) struct Stage {
    pub(super) steps: Vec<Staged>,
    pub(super) holders: Vec<(HolderKey, Uuid)>,
    /// What became known of ties to records of other services.
    pub(super) known_ties: Vec<(TieKey, TieRow)>,
    /// Reactions that a rule refused.
    pub(super) refused: Vec<(Refusal, Noted)>,
}

pub(super) struct Staged {
    pub(super) record: Arc<Record>,
    pub(super) fact: Fact,
    pub(super) cause: Arc<Cause>,
    pub(super) event_id: Uuid,
    /// The timer that this came from.
    pub(super) fired: Option<String>,
}

/// A moment of a stage, to return to when a reaction is refused.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    steps: usize,
    holders: usize,
    refused: usize,
}

impl Stage {
    pub(super) fn record(&self, id: Uuid) -> Option<Arc<Record>> {
        self.steps.iter().rev().find(|step| step.record.id == id).map(|step| step.record.clone())
    }

    pub(super) fn holder(&self, key: &HolderKey) -> Option<Uuid> {
        self.holders.iter().rev().find(|(known, _)| known == key).map(|(_, record)| *record)
    }

    /// Whether two records of this service are tied; none where this act says nothing of it.
    pub(super) fn links(&self, record: Uuid, relation: &str, other: Uuid) -> Option<bool> {
        self.binds(record, |link| link.relation == relation && link.to.id == other)
    }

    /// The same with a record of another service.
    pub(super) fn ties(&self, (record, relation, number): &TieKey) -> Option<bool> {
        self.binds(*record, |link| link.relation == *relation && link.to.number == *number)
    }

    /// What the last step that is about such a link says of it.
    fn binds(&self, record: Uuid, is_meant: impl Fn(&Link) -> bool) -> Option<bool> {
        let steps = self.steps.iter().rev().filter(|step| step.record.id == record);
        let mut said = steps.filter_map(|step| {
            let (made, ended) = (step.fact.link.as_ref(), step.fact.unlink.as_ref());
            made.map(|link| (link, true)).or_else(|| ended.map(|link| (link, false)))
        });
        said.find(|(link, _)| is_meant(link)).map(|(_, is_made)| is_made)
    }

    pub(super) fn opens(&self, id: Uuid) -> bool {
        self.steps.iter().any(|step| step.record.id == id && step.fact.opened.is_some())
    }

    /// How many records were opened, of all processes.
    pub(super) fn opened(&self) -> u32 {
        let opened = self.steps.iter().filter(|step| step.fact.opened.is_some()).count();
        u32::try_from(opened).unwrap_or(u32::MAX)
    }

    pub(super) fn opened_of(&self, process: &str) -> i64 {
        let is_of = |step: &&Staged| step.fact.opened.is_some() && step.record.process == process;
        i64::try_from(self.steps.iter().filter(is_of).count()).unwrap_or(i64::MAX)
    }

    pub(super) fn moment(&self) -> Moment {
        Moment { steps: self.steps.len(), holders: self.holders.len(), refused: self.refused.len() }
    }

    pub(super) fn return_to(&mut self, moment: Moment) {
        self.steps.truncate(moment.steps);
        self.holders.truncate(moment.holders);
        self.refused.truncate(moment.refused);
    }
}

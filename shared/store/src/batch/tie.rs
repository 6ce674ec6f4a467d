//! Ties between our records and those of other services, each end kept by its own service.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use engine::{Command, Link, Linked, Record};
use kernel::{Cause, Refusal, Rule};
use uuid::Uuid;

use super::{
    Batch, Stop,
    act::{KnownLink, Origin, Wishes, not_before},
    stage::Stage,
};
use crate::{
    Act, Tie, TieSays,
    dialect::Failure,
    refusal::Noted,
    row::{TieKey, TieRow},
};

impl<'a> Batch<'a> {
    /// Whether the other end of a link is a record of another service.
    pub(super) fn is_elsewhere(&self, other: &Linked) -> bool {
        self.law.rules.process(&other.process).is_none()
    }

    pub(super) async fn is_tied(&mut self, stage: &Stage, key: &TieKey) -> Result<bool, Failure> {
        if let Some(is_tied) = stage.ties(key).or_else(|| self.overlay.is_tied(key)) {
            return Ok(is_tied);
        }
        self.tx.is_tied(key).await
    }

    /// Hears that a record of another service is tied to one of ours, or no longer. Ours gets its end of
    /// the tie, once; where it has it already, this is the other's answer to it. A tie to nothing is on
    /// record.
    pub(super) async fn tie(
        &mut self,
        stage: &mut Stage,
        tie: &Tie,
        cause: &Arc<Cause>,
        act: &'a Act,
    ) -> Result<(), Stop> {
        let Some(record) = self.tied_record(stage, tie).await? else {
            if tie.says == TieSays::Ended {
                return Ok(());
            }
            let (from, link) = (&tie.from.number, &tie.link);
            let message = format!(
                "{from} says that it is tied to {} (`{}`), which does not exist here or is not \
                 visible to whoever tied it",
                link.to.number, link.relation
            );
            let refusal = Refusal::one(Rule::State, "/to", "unknown_record", message);
            let noted = Noted::new(cause, None, &link.to.process, "link", &refusal);
            stage.refused.push((refusal, noted));
            return Ok(());
        };
        let link = Link {
            relation: tie.link.inverse.clone(),
            inverse: tie.link.relation.clone(),
            to: tie.from.clone(),
        };
        let (key, row) = row_of(record.id, &link, cause.when());
        let command = match (self.is_tied(stage, &key).await?, tie.says) {
            (true, TieSays::Made | TieSays::Followed) => None,
            (false, TieSays::Made) => Some(Command::Tied { link }),
            (true, TieSays::Ended) => Some(Command::Untied { link }),
            (false, TieSays::Followed | TieSays::Ended) => return Ok(()),
        };
        if let Some(command) = command {
            let first = stage.steps.len();
            let cause = Arc::new(not_before(cause, &record));
            let wishes = Wishes { commands: &[command], moments: &[] };
            let origin = Origin::Existing(record);
            self.command(stage, origin, wishes, &cause, KnownLink::Skip).await?;
            self.spread(stage, first, act, 0).await?;
        }
        if tie.says != TieSays::Ended {
            let audience = serde_json::to_string(&tie.audience).unwrap_or_default();
            stage.known_ties.push((key, TieRow { other_audience: Some(audience), ..row }));
        }
        Ok(())
    }

    /// Our end, as whoever made the tie sees it. What has ended there ends here for whomever.
    async fn tied_record(
        &mut self,
        stage: &Stage,
        tie: &Tie,
    ) -> Result<Option<Arc<Record>>, Failure> {
        let Some(id) = self.numbered(&tie.link.to.number).await? else { return Ok(None) };
        let record = match stage.record(id) {
            Some(record) => Some(record),
            None => self.late_record(id).await?,
        };
        let is_seen =
            |record: &Arc<Record>| tie.says == TieSays::Ended || tie.by.sees(&record.audience);
        Ok(record.filter(is_seen))
    }
}

/// A link to a record of another service, as its table keeps it.
pub(super) fn row_of(record: Uuid, link: &Link, at: DateTime<Utc>) -> (TieKey, TieRow) {
    let other = &link.to;
    let key = (record, link.relation.clone(), other.number.clone());
    let row = TieRow {
        inverse: link.inverse.clone(),
        other_process: other.process.clone(),
        other_id: Some(other.id).filter(|id| !id.is_nil()),
        other_audience: None,
        at,
    };
    (key, row)
}

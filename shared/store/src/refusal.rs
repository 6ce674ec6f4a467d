//! What rules said no to: a journal of its own, rate-bounded, one hash chain for each writer's start.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Cause, Refusal, Rule};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{
    Setback, Store,
    chain::{Hash, Linked, ORIGIN},
    entity::refusal,
    row::RefusalRow,
    text::{indexable, printable},
};

/// An actor's refusals beyond this in a minute are counted, and not kept one by one.
const KEPT_A_MINUTE: u32 = 60;
/// Actors beyond this are forgotten, so that names made up by the thousand cannot fill the memory.
const ACTORS_KEPT: usize = 10_000;
/// A sentence is cut here, in bytes.
const SENTENCE_BYTES: usize = 2_000;

/// A refusal on its way into the journal.
pub(crate) struct Noted {
    at: DateTime<Utc>,
    actor: String,
    record: Option<Uuid>,
    process: String,
    command: String,
    rule: &'static str,
    code: String,
    sentence: String,
    correlation: Uuid,
}

impl Noted {
    pub(crate) fn new(
        cause: &Cause,
        record: Option<Uuid>,
        process: &str,
        command: &str,
        refusal: &Refusal,
    ) -> Self {
        let sentence = refusal.to_string();
        let sentence = &sentence[..sentence.floor_char_boundary(SENTENCE_BYTES)];
        Self {
            at: cause.at,
            actor: indexable(&cause.actor.id).into_owned(),
            record,
            process: indexable(process).into_owned(),
            command: indexable(command).into_owned(),
            rule: word(refusal.rule),
            code: refusal.faults.first().map(|fault| fault.code.to_string()).unwrap_or_default(),
            sentence: printable(sentence).into_owned(),
            correlation: cause.correlation,
        }
    }
}

fn word(rule: Rule) -> &'static str {
    match rule {
        Rule::Invalid => "invalid",
        Rule::Role => "role",
        Rule::State => "state",
        Rule::Guard => "guard",
    }
}

/// The link of one refusal to the one before it in its chain.
pub(crate) fn link_of(previous: &[u8], row: &RefusalRow) -> Hash {
    Linked::after(previous)
        .fixed(row.chain.as_bytes())
        .number(row.n.cast_unsigned())
        .number(row.at.timestamp_micros().cast_unsigned())
        .text(&row.actor)
        .fixed(row.record.unwrap_or_default().as_bytes())
        .text(&row.process)
        .text(&row.command)
        .text(&row.rule)
        .text(&row.code)
        .text(&row.sentence)
        .number(row.suppressed.cast_unsigned())
        .fixed(row.correlation.as_bytes())
        .finish()
}

/// A command that a rule refused, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub at: DateTime<Utc>,
    pub actor: String,
    pub record: Option<Uuid>,
    pub process: String,
    /// The command, or the type of the event whose reaction was refused.
    pub command: String,
    /// `role`, `state`, `guard` or `invalid`.
    pub rule: String,
    pub code: String,
    pub sentence: String,
    /// How many of this actor's refusals were counted and not kept before this one.
    pub suppressed: u64,
    pub correlation: Uuid,
}

impl Store {
    /// Refusals since a moment, oldest first.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn refusals(
        &self,
        since: DateTime<Utc>,
        limit: u64,
    ) -> Result<Vec<Refused>, Setback> {
        let rows = refusal::Entity::find()
            .filter(refusal::Column::At.gte(since))
            .order_by_asc(refusal::Column::At)
            .order_by_asc(refusal::Column::N)
            .limit(limit)
            .all(self.read())
            .await?;
        let refused = rows.into_iter().map(|row| Refused {
            at: row.at,
            actor: row.actor,
            record: row.record_id,
            process: row.process,
            command: row.command,
            rule: row.rule,
            code: row.code,
            sentence: row.sentence,
            suppressed: row.suppressed.cast_unsigned(),
            correlation: row.correlation,
        });
        Ok(refused.collect())
    }
}

/// A row as it was chained. A link that is cut short equals no link.
pub(crate) fn row_of(row: refusal::Model) -> RefusalRow {
    RefusalRow {
        chain: row.chain,
        n: row.n,
        at: row.at,
        actor: row.actor,
        record: row.record_id,
        process: row.process,
        command: row.command,
        rule: row.rule,
        code: row.code,
        sentence: row.sentence,
        suppressed: row.suppressed,
        correlation: row.correlation,
        link: row.link.try_into().unwrap_or_default(),
    }
}

/// One writer's chain of refusals, and how many each actor had of late.
pub(crate) struct Ledger {
    chain: Option<Uuid>,
    n: i64,
    last: Hash,
    actors: HashMap<String, Recent>,
}

struct Recent {
    since: DateTime<Utc>,
    kept: u32,
    suppressed: i64,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self { chain: None, n: 0, last: ORIGIN, actors: HashMap::new() }
    }

    /// The next refusal begins another chain.
    pub(crate) fn begin_anew(&mut self) {
        self.chain = None;
    }

    /// Rows for those that are kept.
    pub(crate) fn enter(&mut self, noted: Vec<Noted>) -> Vec<RefusalRow> {
        noted.into_iter().filter_map(|noted| self.row(noted)).collect()
    }

    fn row(&mut self, noted: Noted) -> Option<RefusalRow> {
        let suppressed = self.admit(&noted.actor, noted.at)?;
        let chain = self.chain()?;
        self.n += 1;
        let mut row = RefusalRow {
            chain,
            n: self.n,
            at: noted.at,
            actor: noted.actor,
            record: noted.record,
            process: noted.process,
            command: noted.command,
            rule: noted.rule.to_owned(),
            code: noted.code,
            sentence: noted.sentence,
            suppressed,
            correlation: noted.correlation,
            link: ORIGIN,
        };
        row.link = link_of(&self.last, &row);
        self.last = row.link;
        Some(row)
    }

    fn chain(&mut self) -> Option<Uuid> {
        if self.chain.is_none() {
            let mut random = [0; 16];
            // Without randomness no salt can be made either, and the batch fails there.
            getrandom::fill(&mut random).ok()?;
            self.chain = Some(uuid::Builder::from_random_bytes(random).into_uuid());
            (self.n, self.last) = (0, ORIGIN);
        }
        self.chain
    }

    /// How many were suppressed before this one; `None` when it is suppressed itself.
    fn admit(&mut self, actor: &str, at: DateTime<Utc>) -> Option<i64> {
        if !self.actors.contains_key(actor) {
            if self.actors.len() >= ACTORS_KEPT {
                self.actors.clear();
            }
            let recent = Recent { since: at, kept: 0, suppressed: 0 };
            self.actors.insert(actor.to_owned(), recent);
        }
        let recent = self.actors.get_mut(actor)?;
        if at - recent.since >= TimeDelta::minutes(1) {
            (recent.since, recent.kept) = (at, 0);
        }
        if recent.kept == KEPT_A_MINUTE {
            recent.suppressed += 1;
            return None;
        }
        recent.kept += 1;
        Some(std::mem::take(&mut recent.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kernel::{Actor, Channel};

    use super::*;

    fn noted(second: i64) -> Noted {
        let at = DateTime::from_timestamp(second, 0).unwrap_or_default();
        let actor = Arc::new(Actor::system("case"));
        let cause = Cause::new(Uuid::nil(), actor, at, Channel::Api);
        let refusal = Refusal::one(Rule::Role, "", "role", "you lack the role `agent`");
        Noted::new(&cause, None, "case", "start", &refusal)
    }

    #[test]
    fn a_flood_of_refusals_is_counted_and_not_kept() {
        let mut ledger = Ledger::new();
        let kept = ledger.enter((0..100).map(|_| noted(0)).collect());
        assert_eq!(kept.len(), 60);
        let later = ledger.enter(vec![noted(61)]);
        assert_eq!(later.iter().map(|row| row.suppressed).collect::<Vec<_>>(), [40]);
        assert_eq!(
            later.first().map(|row| row.link),
            later.first().map(|row| { link_of(&kept[59].link, row) })
        );
    }
}

//! Votes: who may cast one, what it says, and the one that reaches the quorum.

use chrono::{DateTime, Utc};
use kernel::{Actor, Cause, Fault, Refusal, Rule};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    COMMENT_LIMIT, Made,
    change::{Draft, broken},
    checks::{guard, in_time, missing_role, names, permission},
    duties, invalid, is_blank, moved, offered,
};
use crate::{
    Ballot, Definition, Fact, Record, Ruleset, Transition,
    definition::Vote,
    ledger::{self, Cast, Opinion, VOTES},
};

/// What is there of a vote, and what is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub quorum: u64,
    pub approvals: u64,
    pub rejections: u64,
    /// How many must still approve.
    pub missing: u64,
}

/// Casts a vote; the one that reaches the quorum takes the transition.
pub(super) fn vote(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    (name, ballot, comment): (&str, &Ballot, Option<&str>),
    cause: &Cause,
) -> Result<Made, Refusal> {
    let transition = offered(definition, record, name)?;
    let Some(poll) = Poll::of(rules, record, transition, &cause.actor, cause.when()) else {
        let message = format!("`{name}` is not voted on: it is taken");
        return Err(Refusal::one(Rule::State, "/transition", "no_vote", message));
    };
    if comment.is_some_and(|comment| comment.len() > COMMENT_LIMIT) {
        let message = format!("a comment has at most {COMMENT_LIMIT} bytes");
        return Err(Refusal::one(Rule::Invalid, "/comment", "length", message));
    }
    let right = poll.right()?;
    in_time(rules, record, transition, cause)?;
    guard(rules, definition, record, transition, cause)?;
    let (opinion, to) = match ballot {
        Ballot::Approve => (Opinion::Approve, None),
        Ballot::Reject => (Opinion::Reject, None),
        Ballot::Delegate(to) => {
            poll.deputy(&right, to)?;
            (Opinion::Delegate, Some(to.clone()))
        }
    };
    let mut casts: Vec<Cast> = ledger::read(&record.data, VOTES);
    let is_mine = |cast: &Cast| cast.transition == name && cast.by == cause.actor.id;
    if casts.iter().any(|cast| is_mine(cast) && cast.vote == opinion) {
        let message = format!("you have voted like that on `{name}` already");
        return Err(Refusal::one(Rule::State, "", "voted", message));
    }
    casts.retain(|cast| !is_mine(cast));
    casts.push(Cast {
        transition: name.to_owned(),
        by: cause.actor.id.clone(),
        name: cause.actor.name.clone(),
        vote: opinion,
        to,
        instead_of: right.instead_of,
        at: cause.when(),
    });
    let mut next = record.clone();
    ledger::write(&mut next.data, VOTES, &casts);
    let now = Poll { record: &next, ..poll };
    let is_decided = opinion == Opinion::Approve && now.tally().map_err(broken)?.missing == 0;
    let role = Some(right.role);
    let mut made = if is_decided && transition.by.is_empty() {
        needed(transition, &next.data)?;
        moved(rules, definition, record, next, (transition, &Map::new()), role, cause)?
    } else {
        let mut fact = Fact::blank("voted", cause);
        fact.role = role;
        let before = Some(record);
        let mut draft = Draft { rules, definition, cause, before, record: next };
        draft.derive(&mut fact)?;
        draft.finish(fact, false)?
    };
    made.fact.comment = comment.map(str::to_owned);
    Ok(made)
}

/// What is voted on and taken by somebody is taken when the votes are there.
pub(super) fn decided(
    rules: &Ruleset,
    record: &Record,
    transition: &Transition,
    cause: &Cause,
) -> Result<(), Refusal> {
    let poll = Poll::of(rules, record, transition, &cause.actor, cause.when());
    let Some(poll) = poll else { return Ok(()) };
    let tally = poll.tally().map_err(broken)?;
    if tally.missing > 0 {
        let message = format!(
            "`{}` waits for votes: {} of {} approve",
            transition.name, tally.approvals, tally.quorum
        );
        return Err(Refusal::one(Rule::Guard, "", "votes", message));
    }
    Ok(())
}

/// A vote brings no evidence: the record must hold what the transition needs.
fn needed(transition: &Transition, data: &Map<String, Value>) -> Result<(), Refusal> {
    let missing = transition.needs.iter().filter(|need| data.get(*need).is_none_or(is_blank));
    let faults = missing.map(|need| {
        let message = format!("`{}` needs `{need}`", transition.name);
        Fault::new(format!("/{need}"), "required", message)
    });
    invalid(faults.collect())
}

/// The vote on one transition of one record, as one actor sees it.
#[derive(Clone, Copy)]
pub(crate) struct Poll<'a> {
    rules: &'a Ruleset,
    definition: &'a Definition,
    record: &'a Record,
    transition: &'a Transition,
    vote: &'a Vote,
    actor: &'a Actor,
    now: DateTime<Utc>,
}

/// In which role somebody votes, and instead of whom.
struct Right {
    role: String,
    instead_of: Option<String>,
}

impl<'a> Poll<'a> {
    /// `None` where nothing is voted on.
    pub fn of(
        rules: &'a Ruleset,
        record: &'a Record,
        transition: &'a Transition,
        actor: &'a Actor,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let vote = transition.vote.as_ref()?;
        let definition = rules.definition_of(record)?;
        Some(Self { rules, definition, record, transition, vote, actor, now })
    }

    /// How the vote stands.
    ///
    /// # Errors
    /// A sentence, when the quorum cannot be worked out.
    pub fn tally(&self) -> Result<Tally, String> {
        let quorum = self.vote.quorum.value(&self.scope())?;
        // One approves at least: a vote of nobody would be none.
        let quorum = quorum.as_u64().ok_or("a quorum is a number")?.max(1);
        let casts = self.casts();
        let count = |opinion| casts.iter().filter(|cast| cast.vote == opinion).count() as u64;
        let approvals = count(Opinion::Approve);
        let missing = quorum.saturating_sub(approvals);
        Ok(Tally { quorum, approvals, rejections: count(Opinion::Reject), missing })
    }

    /// Why the actor may not vote now, if they may not.
    pub fn barred(&self) -> Option<String> {
        self.right().err().map(|refusal| refusal.to_string())
    }

    fn scope(&self) -> crate::Scope<'_> {
        let fields = &self.definition.field_names;
        self.rules.scope(self.now).actor(self.actor).record(self.record, fields)
    }

    fn casts(&self) -> Vec<Cast> {
        let mut casts: Vec<Cast> = ledger::read(&self.record.data, VOTES);
        casts.retain(|cast| cast.transition == self.transition.name);
        casts
    }

    fn right(&self) -> Result<Right, Refusal> {
        let right = self.role()?;
        self.excluded(&self.actor.id)?;
        duties::separate(self.definition, self.record, self.transition, &self.actor.id)?;
        Ok(right)
    }

    fn role(&self) -> Result<Right, Refusal> {
        let casts = self.casts();
        let mut handed = casts.iter().filter(|cast| cast.vote == Opinion::Delegate);
        if let Some(gone) = handed.clone().find(|cast| cast.by == self.actor.id) {
            let to = gone.to.as_deref().unwrap_or_default();
            let message =
                format!("you have handed your vote on `{}` to {to}", self.transition.name);
            return Err(Refusal::one(Rule::State, "", "delegated", message));
        }
        let (rules, definition, of) = (self.rules, self.definition, &self.vote.of);
        if let Some(role) = permission(rules, definition, self.record, of, self.actor, self.now) {
            return Ok(Right { role, instead_of: None });
        }
        match handed.find(|cast| cast.to.as_ref() == Some(&self.actor.id)) {
            Some(cast) => {
                // Whoever handed it over had one of the roles; which one does not matter any more.
                let role = of.first().cloned().unwrap_or_default();
                Ok(Right { role, instead_of: Some(cast.by.clone()) })
            }
            None => Err(Refusal::one(Rule::Role, "", "role", missing_role(of))),
        }
    }

    fn excluded(&self, person: &str) -> Result<(), Refusal> {
        for except in &self.vote.except {
            if names(&except.value(&self.scope()).map_err(broken)?, person) {
                let message = format!("{person} may not vote here, being `{}`", except.source());
                return Err(Refusal::one(Rule::Role, "", "excluded", message));
            }
        }
        Ok(())
    }

    /// Whether the vote may be handed to a person: not to oneself, not on, and not to who votes.
    fn deputy(&self, right: &Right, to: &str) -> Result<(), Refusal> {
        let refuse = |message: &str| {
            Err(Refusal::one(Rule::Invalid, "/delegate", "delegate", message.to_owned()))
        };
        if !to.starts_with("person:") {
            return refuse("a vote is handed to a person, such as `person:PER0000007`");
        }
        if to == self.actor.id {
            return refuse("a vote is handed to somebody else");
        }
        if right.instead_of.is_some() {
            return refuse("a vote that was handed over is not handed on");
        }
        if self.casts().iter().any(|cast| cast.by == to || cast.to.as_deref() == Some(to)) {
            return refuse("that person votes here already");
        }
        self.excluded(to)?;
        duties::separate(self.definition, self.record, self.transition, to)
    }
}

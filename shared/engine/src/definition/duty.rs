//! What more than one person must do, or still must do: votes, debts, and what must never happen.

use std::collections::BTreeSet;

use kernel::Span;

use super::{known::Known, transition::span};
use crate::{
    Expression,
    expression::Kind,
    flaw::Flaws,
    reading::{Entries, Word, condition, entries, expression, items, word},
    yaml::{Mark, Node},
};

/// A transition that is voted on. The vote that reaches the quorum takes it, unless `by` names who
/// takes it then.
#[derive(Debug)]
pub(crate) struct Vote {
    /// Roles that may vote.
    pub of: Vec<String>,
    /// How many must approve.
    pub quorum: Expression,
    /// Persons who may not vote.
    pub except: Vec<Expression>,
    /// Fields whose change makes the votes void.
    pub void_on: Vec<String>,
    pub(super) place: Mark,
}

/// What a transition leaves to be done.
#[derive(Debug)]
pub(crate) struct Owes {
    pub transition: String,
    pub within: Span,
    pub calendar: Option<String>,
    pub(super) place: Mark,
}

/// What must never happen: evaluated on every command.
#[derive(Debug)]
pub(crate) struct Control {
    /// `CHG-4`
    pub name: String,
    /// What a person reads who would break it.
    pub claim: String,
    pub never: Never,
    pub(super) place: Mark,
}

#[derive(Debug)]
pub(crate) enum Never {
    /// The state is not entered before the transition was taken.
    Reach { state: String, without: String, unless: Option<Box<Expression>> },
    /// Nobody takes the transition, or votes for it, who takes one of the others.
    ByActorOf { transition: String, others: Vec<String> },
}

impl Vote {
    pub(super) fn read(node: &Node, known: &Known, flaws: &mut Flaws) -> Option<Self> {
        let over_record = known.over_record();
        let mut source = Entries::of(node, "`vote`", flaws)?;
        let of = source.words("of", flaws);
        of.iter().for_each(|role| known.role(role, flaws));
        if of.is_empty() {
            flaws.add(node.at, "missing", "`of` names the roles that vote");
        }
        let quorum = source.need("quorum", flaws);
        let quorum = quorum.and_then(|node| expression(node, &over_record, &Kind::Integer, flaws));
        let except = source.get("except").map_or(&[][..], items);
        let except = except.iter();
        let except = except.filter_map(|node| expression(node, &over_record, &Kind::Any, flaws));
        let except = except.collect();
        let void_on = source.words("void_on", flaws);
        for word in &void_on {
            known.field(word, flaws);
        }
        source.done(flaws);
        let texts = |words: Vec<Word>| words.into_iter().map(|word| word.text).collect();
        let (of, void_on) = (texts(of), texts(void_on));
        Some(Self { of, quorum: quorum?, except, void_on, place: node.at })
    }

    pub(super) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        std::iter::once(&self.quorum).chain(&self.except)
    }
}

impl Owes {
    pub(super) fn read(node: &Node, known: &Known, flaws: &mut Flaws) -> Option<Self> {
        let mut source = Entries::of(node, "`owes`", flaws)?;
        let transition = source.need("transition", flaws);
        let transition = transition.and_then(|node| word(node, "transition", flaws));
        transition.iter().for_each(|word| known.transition(word, flaws));
        let within = source.need("within", flaws);
        let within = within.and_then(|node| span(node, "within", flaws));
        let calendar = source.text("calendar", flaws);
        source.done(flaws);
        Some(Self { transition: transition?.text, within: within?, calendar, place: node.at })
    }
}

impl Control {
    pub(super) fn read_all(node: &Node, known: &Known, flaws: &mut Flaws) -> Vec<Self> {
        let controls = entries(node, "`controls`", flaws).unwrap_or_default().iter();
        let controls = controls.filter_map(|entry| {
            let mut source = Entries::of(&entry.value, "a control", flaws)?;
            let claim = source.need("claim", flaws).and_then(|node| word(node, "claim", flaws));
            let never = source.need("never", flaws).and_then(|node| never(node, known, flaws));
            source.done(flaws);
            let name = entry.key.clone();
            Some(Self { name, claim: claim?.text, never: never?, place: entry.at })
        });
        controls.collect()
    }

    /// Transitions of which it must be known who took them.
    pub(crate) fn notes(&self) -> Vec<&str> {
        match &self.never {
            Never::Reach { without, .. } => vec![without],
            Never::ByActorOf { transition, others } => {
                others.iter().chain([transition]).map(String::as_str).collect()
            }
        }
    }

    pub(super) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let unless = match &self.never {
            Never::Reach { unless, .. } => unless.as_deref(),
            Never::ByActorOf { .. } => None,
        };
        unless.into_iter()
    }
}

fn never(node: &Node, known: &Known, flaws: &mut Flaws) -> Option<Never> {
    let mut source = Entries::of(node, "`never`", flaws)?;
    let reach = source.word("reach", flaws);
    let without = source.word("without", flaws);
    let unless = condition(source.get("unless"), &known.over_record(), flaws);
    let transition = source.word("transition", flaws);
    let others = source.words("by_actor_of", flaws);
    reach.iter().for_each(|state| known.state(state, flaws));
    without.iter().chain(&transition).for_each(|word| known.transition(word, flaws));
    // Who opens a record has asked for it.
    let others_taken = others.iter().filter(|other| other.text != OPEN);
    others_taken.for_each(|other| known.transition(other, flaws));
    source.done(flaws);
    match (reach, without, transition) {
        (Some(reach), Some(without), None) if others.is_empty() => {
            let unless = unless.map(Box::new);
            Some(Never::Reach { state: reach.text, without: without.text, unless })
        }
        (None, None, Some(transition)) if !others.is_empty() && unless.is_none() => {
            let others = others.into_iter().map(|other| other.text).collect();
            Some(Never::ByActorOf { transition: transition.text, others })
        }
        _ => {
            let message = "it says `{ reach, without, unless }` or `{ transition, by_actor_of }`";
            flaws.add(node.at, "control", message);
            None
        }
    }
}

/// Opening a record, where a control counts it among the transitions.
pub(crate) const OPEN: &str = "open";

/// Names of transitions that controls speak of.
pub(super) fn noted(controls: &[Control]) -> BTreeSet<String> {
    controls.iter().flat_map(Control::notes).map(str::to_owned).collect()
}

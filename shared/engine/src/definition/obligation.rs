//! What must be done again and again while a record lives: reviews, audits, tests, surveys.

use kernel::{Interval, Span};

use super::{
    known::Known,
    label::{self, Label},
    transition::span,
};
use crate::{
    Expression,
    expression::{Kind, Surroundings},
    flaw::Flaws,
    reading::{Entries, Word, entries, expression, items, word},
    yaml::{Entry, Mark, Node, Tree},
};

/// `review: { every: P1Y, from: record.signed_at, owner: record.owner, done_by: review }`
#[derive(Debug)]
pub(crate) struct Obligation {
    pub name: String,
    pub label: Label,
    pub every: Every,
    /// The instant or date that it is counted from; the record's coming into it without one.
    pub from: Option<Expression>,
    pub owner: Option<Expression>,
    /// Transitions that discharge it.
    pub done_by: Vec<String>,
    /// States in which it holds; all that are not final where none is named.
    pub within: Vec<String>,
    /// How long before it is due it is remembered, the longest first.
    pub remind: Vec<Span>,
    pub calendar: Option<String>,
    pub(super) place: Mark,
}

#[derive(Debug)]
pub(crate) enum Every {
    Fixed(Interval),
    /// Gives an ISO 8601 interval, or null for never.
    Computed(Box<Expression>),
}

impl Obligation {
    pub(super) fn read_all(node: &Node, known: &Known, flaws: &mut Flaws) -> Vec<Self> {
        let read = entries(node, "`obligations`", flaws).unwrap_or_default().iter();
        read.filter_map(|entry| Self::read(entry, known, flaws)).collect()
    }

    fn read(entry: &Entry, known: &Known, flaws: &mut Flaws) -> Option<Self> {
        let over_record = known.over_record();
        let mut source = Entries::of(&entry.value, "an obligation", flaws)?;
        let every = source.need("every", flaws);
        let every = every.and_then(|node| every_of(node, &over_record, flaws));
        let mut value = |key, kind, flaws: &mut Flaws| {
            source.get(key).and_then(|node| expression(node, &over_record, &kind, flaws))
        };
        let (from, owner) = (value("from", Kind::TEXT, flaws), value("owner", Kind::TEXT, flaws));
        let done_by = source.words("done_by", flaws);
        done_by.iter().for_each(|transition| known.transition(transition, flaws));
        if done_by.is_empty() {
            flaws.add(entry.at, "missing", "`done_by` names the transitions that discharge it");
        }
        let within = source.words("in", flaws);
        within.iter().for_each(|state| known.state(state, flaws));
        let remind = source.get("remind").map_or(&[][..], items).iter();
        let remind =
            remind.filter_map(|node| span(node, "remind", flaws).map(|span| (node.at, span)));
        let mut remind: Vec<(Mark, Span)> = remind.collect();
        remind.sort_by_key(|(_, span)| std::cmp::Reverse((span.days, span.seconds)));
        if let (Some(Every::Fixed(every)), Some((at, longest))) = (&every, remind.first())
            && longest.days >= every.least_days()
        {
            let message =
                format!("{longest} before it is due, it was not done yet: it is every {every}");
            flaws.add(*at, "obligation", message);
        }
        let calendar = source.text("calendar", flaws);
        let label = label::read(source.get("label"), &entry.key, flaws);
        source.done(flaws);
        let texts = |words: Vec<Word>| words.into_iter().map(|word| word.text);
        Some(Self {
            name: entry.key.clone(),
            label,
            every: every?,
            from,
            owner,
            done_by: texts(done_by).collect(),
            within: texts(within).collect(),
            remind: remind.into_iter().map(|(_, span)| span).collect(),
            calendar,
            place: entry.at,
        })
    }

    pub(super) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let every = match &self.every {
            Every::Fixed(_) => None,
            Every::Computed(expression) => Some(expression.as_ref()),
        };
        every.into_iter().chain(&self.from).chain(&self.owner)
    }
}

fn every_of(node: &Node, scope: &Surroundings, flaws: &mut Flaws) -> Option<Every> {
    if matches!(&node.tree, Tree::Scalar { text, .. } if text.starts_with('P')) {
        let word = word(node, "every", flaws)?;
        let read = word.text.parse().map_err(|fault: String| flaws.add(word.at, "duration", fault));
        return read.ok().map(Every::Fixed);
    }
    expression(node, scope, &Kind::TEXT, flaws).map(Box::new).map(Every::Computed)
}

//! One line of a definition: from here to there, by whom, with what evidence, when by itself.

use std::{ops::Deref, sync::Arc};

use kernel::{Fault, Span};
use serde_json::{Map, Value};

use super::{
    Expressions, Field,
    duty::{Owes, Vote},
    fields::{Fitting, object_schema},
    known::Known,
    label::{Label, Named},
    tense::past,
};
use crate::{
    Expression,
    expression::{Kind, Surroundings},
    flaw::Flaws,
    reading::{Entries, Word, condition, expression, items, word, words},
    yaml::{Entry, Mark, Node, Tree},
};

/// A transition of one state.
#[derive(Debug)]
pub struct Transition {
    /// The state that it leads to; the same state when it stays.
    pub to: String,
    line: Arc<Line>,
}

impl Transition {
    /// What the line says, where it stands in this state.
    pub(super) fn of(line: &Arc<Line>, state: &str) -> Self {
        let to = line.to.as_deref().unwrap_or(state).to_owned();
        Self { to, line: Arc::clone(line) }
    }
}

impl Deref for Transition {
    type Target = Line;

    fn deref(&self) -> &Line {
        &self.line
    }
}

/// What a definition says of a transition, once for all states that offer it.
#[derive(Debug)]
pub struct Line {
    pub name: String,
    pub label: Label,
    to: Option<String>,
    /// Who may take it; `system` for timers and reactions.
    pub by: Vec<String>,
    pub(crate) when: Option<Expression>,
    pub(crate) because: Option<String>,
    /// Evidence without which it is refused.
    pub needs: Vec<String>,
    /// What may be given beside.
    pub takes: Vec<String>,
    pub(crate) after: Option<After>,
    /// The instant at which it is taken by itself, as the record says it.
    pub(crate) at: Option<Expression>,
    pub(crate) within: Option<Span>,
    pub(crate) calendar: Option<String>,
    pub(crate) on: Vec<On>,
    pub(crate) set: Vec<(String, Expression)>,
    pub(crate) vote: Option<Vote>,
    pub(crate) owes: Option<Owes>,
    /// The event's name, in the past: `resolved`.
    pub says: String,
    /// JSON Schema of the body that takes it.
    pub schema: Value,
    fitting: Fitting,
    /// Where its name stands.
    pub(super) place: Mark,
}

/// How long after the state is entered a transition is taken by itself.
#[derive(Debug)]
pub(crate) enum After {
    Fixed(Span),
    /// Gives an ISO 8601 duration, or null for never.
    Computed(Box<Expression>),
}

/// An event that takes the transition.
#[derive(Debug)]
pub(crate) struct On {
    pub event: String,
    pub key: Expression,
    pub set: Vec<(String, Expression)>,
    pub when: Option<Expression>,
    pub link: Option<String>,
}

impl On {
    pub(super) fn expressions(&self) -> Expressions<'_> {
        let set = self.set.iter().map(|(_, expression)| expression);
        Box::new(self.when.iter().chain([&self.key]).chain(set))
    }
}

impl Line {
    pub(super) fn read(entry: &Entry, known: &Known, flaws: &mut Flaws) -> Option<Self> {
        let name = entry.key.as_str();
        let mut source = Entries::of(&entry.value, "a transition", flaws)?;
        let over_record = known.over_record();
        let to = source.word("to", flaws);
        to.iter().for_each(|to| known.state(to, flaws));
        let by = source.words("by", flaws);
        by.iter().for_each(|role| known.role(role, flaws));
        let (needs, takes) = (source.words("needs", flaws), source.words("takes", flaws));
        let given: Vec<&Field> =
            needs.iter().chain(&takes).filter_map(|word| known.filled(word, flaws)).collect();
        let on = source.get("on").map(|node| on(node, known, flaws)).unwrap_or_default();
        let timing = Timing::read(&mut source, &over_record, flaws);
        let set = known.fills(source.get("set"), &known.over_given(&given), flaws);
        // What the record may hold already need not be given again: the engine looks at both.
        let fresh: Vec<String> = given
            .iter()
            .filter(|field| field.read_only && needs.iter().any(|need| need.text == field.name))
            .map(|field| field.name.clone())
            .collect();
        let schema = object_schema(given.into_iter(), &fresh, false);
        let texts = |words: Vec<Word>| words.into_iter().map(|word| word.text).collect();
        let line = Self {
            name: name.to_owned(),
            label: known.labels.of(Named::Transition, name, source.get("label"), flaws),
            to: to.map(|to| to.text),
            by: texts(by),
            when: condition(source.get("when"), &over_record, flaws),
            because: source.text("because", flaws),
            needs: texts(needs),
            takes: texts(takes),
            after: timing.after,
            at: timing.at,
            within: timing.within,
            calendar: timing.calendar,
            on,
            set,
            vote: source.get("vote").and_then(|node| Vote::read(node, known, flaws)),
            owes: source.get("owes").and_then(|node| Owes::read(node, known, flaws)),
            says: source.text("says", flaws).unwrap_or_else(|| past(name)),
            schema,
            fitting: Fitting::default(),
            place: entry.at,
        };
        let comes_by_itself =
            ["by", "on", "after", "at", "vote"].map(|key| source.get(key).is_some());
        if !comes_by_itself.contains(&true) {
            let message = format!(
                "nobody takes `{name}`: it says neither `by` whom or with whose `vote`, nor `on` what event, nor `after` what time"
            );
            flaws.add(entry.at, "nobody", message);
        }
        source.done(flaws);
        Some(line)
    }

    /// `with` is lent, and stays as it is.
    pub(crate) fn faults(&self, with: &mut Map<String, Value>) -> Vec<Fault> {
        self.fitting.faults(|| self.schema.clone(), with)
    }

    /// Whether the system may take it: a timer or an event does, or `by` says so.
    pub(crate) fn is_automatic(&self) -> bool {
        self.has_timer() || !self.on.is_empty() || self.by.iter().any(|role| role == kernel::SYSTEM)
    }

    /// Whether it is taken by itself when its time has come.
    pub(crate) fn has_timer(&self) -> bool {
        self.after.is_some() || self.at.is_some()
    }

    /// Whether people may take it, or vote on it.
    pub(crate) fn is_for_people(&self) -> bool {
        self.vote.is_some() || self.by.iter().any(|role| role != kernel::SYSTEM)
    }

    pub(crate) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let after = match &self.after {
            Some(After::Computed(expression)) => Some(expression.as_ref()),
            _ => None,
        };
        self.when
            .iter()
            .chain(after)
            .chain(&self.at)
            .chain(self.vote.iter().flat_map(Vote::expressions))
            .chain(self.set.iter().map(|(_, expression)| expression))
            .chain(self.on.iter().flat_map(On::expressions))
    }
}

/// When a transition comes by itself, and until when people may take it.
struct Timing {
    after: Option<After>,
    at: Option<Expression>,
    within: Option<Span>,
    calendar: Option<String>,
}

impl Timing {
    fn read(source: &mut Entries<'_>, scope: &Surroundings, flaws: &mut Flaws) -> Self {
        let (after_node, at_node) = (source.get("after"), source.get("at"));
        let within_node = source.get("within");
        if let (Some(_), Some(at)) = (after_node, at_node) {
            let message = "it comes `after` some time or `at` an instant, not both";
            flaws.add(at.at, "timer", message);
        }
        let calendar = source.word("calendar", flaws);
        if let (Some(calendar), None, None) = (&calendar, after_node, within_node) {
            let message =
                "a `calendar` counts the time of `after` or `within`, and there is neither";
            flaws.add(calendar.at, "timer", message);
        }
        Self {
            after: after_node.and_then(|node| after(node, scope, flaws)),
            at: at_node.and_then(|node| expression(node, scope, &Kind::TEXT, flaws)),
            within: within_node.and_then(|node| span(node, "within", flaws)),
            calendar: calendar.map(|calendar| calendar.text),
        }
    }
}

fn after(node: &Node, scope: &Surroundings, flaws: &mut Flaws) -> Option<After> {
    if matches!(&node.tree, Tree::Scalar { text, .. } if text.starts_with('P')) {
        return span(node, "after", flaws).map(After::Fixed);
    }
    expression(node, scope, &Kind::TEXT, flaws).map(Box::new).map(After::Computed)
}

/// A duration that is written out: `P2D`.
pub(super) fn span(node: &Node, what: &str, flaws: &mut Flaws) -> Option<Span> {
    let word = word(node, what, flaws)?;
    word.text.parse().map_err(|fault: String| flaws.add(word.at, "duration", fault)).ok()
}

fn on(node: &Node, known: &Known, flaws: &mut Flaws) -> Vec<On> {
    let (over_event, over_both) = (known.over_event(), known.over_both());
    let read = items(node).iter().filter_map(|item| {
        let mut source = Entries::of(item, "`on`", flaws)?;
        let event = source.need("event", flaws);
        let event = event.and_then(|node| words(node, "event", flaws).pop());
        let key = source.need("key", flaws);
        let key = key.and_then(|node| expression(node, &over_event, &Kind::Any, flaws));
        let when = condition(source.get("when"), &over_both, flaws);
        let set = known.fills(source.get("set"), &over_both, flaws);
        let link = source.word("link", flaws);
        link.iter().for_each(|link| known.relation(link, flaws));
        source.done(flaws);
        let link = link.map(|link| link.text);
        Some(On { event: event?.text, key: key?, set, when, link })
    });
    read.collect()
}

//! Who is told of what: rules, each with the words that it says.

use serde_json::Value;

use super::known::Known;
use crate::{
    Expression, Scope,
    expression::{Kind, Surroundings},
    flaw::Flaws,
    reading::{Entries, Word, condition, entries, expression, expression_at, items, word},
    yaml::{Entry, Mark, Node},
};

/// `logged: { on: [opened], to: [record.reporter], subject: "{record.number} is logged" }`
#[derive(Debug)]
pub(crate) struct Notify {
    pub name: String,
    /// Events of the record.
    pub on: Vec<Word>,
    pub when: Option<Expression>,
    /// Persons, groups and roles, as tokens or lists of them; a webhook by its name.
    pub to: Vec<Expression>,
    pub subject: Prose,
    pub text: Prose,
}

/// A text with expressions in it: `{record.number} is logged`.
#[derive(Debug, Default)]
pub(crate) struct Prose(Vec<Part>);

#[derive(Debug)]
enum Part {
    Said(String),
    Asked(Box<Expression>),
}

impl Notify {
    pub(super) fn read_all(node: &Node, known: &Known, flaws: &mut Flaws) -> Vec<Self> {
        let read = entries(node, "`notify`", flaws).unwrap_or_default().iter();
        read.filter_map(|entry| Self::read(entry, known, flaws)).collect()
    }

    fn read(entry: &Entry, known: &Known, flaws: &mut Flaws) -> Option<Self> {
        let over_record = known.over_record();
        let mut source = Entries::of(&entry.value, "a rule of `notify`", flaws)?;
        let on = source.words("on", flaws);
        if on.is_empty() {
            flaws.add(entry.at, "missing", "`on` names the events that are told");
        }
        let when = condition(source.get("when"), &over_record, flaws);
        let to = source.get("to").map_or(&[][..], items).iter();
        let to: Vec<Expression> =
            to.filter_map(|node| expression(node, &over_record, &Kind::Any, flaws)).collect();
        if source.get("to").is_none() {
            flaws.add(entry.at, "missing", "`to` says who is told");
        }
        let subject = source.need("subject", flaws);
        let subject = subject.and_then(|node| Prose::read(node, &over_record, flaws));
        let text = source.get("text").and_then(|node| Prose::read(node, &over_record, flaws));
        source.done(flaws);
        let (name, text) = (entry.key.clone(), text.unwrap_or_default());
        Some(Self { name, on, when, to, subject: subject?, text })
    }

    pub(super) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let asked = self.subject.0.iter().chain(&self.text.0).filter_map(|part| match part {
            Part::Asked(expression) => Some(expression.as_ref()),
            Part::Said(_) => None,
        });
        self.when.iter().chain(&self.to).chain(asked)
    }
}

impl Prose {
    fn read(node: &Node, scope: &Surroundings, flaws: &mut Flaws) -> Option<Self> {
        let Word { text, at } = word(node, "a text", flaws)?;
        let mut parts = Vec::new();
        let mut rest = text.as_str();
        while let Some((said, after)) = rest.split_once('{') {
            let Some((asked, after)) = after.split_once('}') else {
                flaws.add(at, "text", "a `{` that nothing closes: an expression stands in braces");
                return None;
            };
            parts.push(Part::Said(said.to_owned()));
            parts.extend(expression_at(asked, at, scope, flaws).map(Box::new).map(Part::Asked));
            rest = after;
        }
        parts.push(Part::Said(rest.to_owned()));
        Some(Self(parts))
    }

    /// The text, what is null left out.
    pub(crate) fn told(&self, scope: &Scope<'_>) -> Result<String, String> {
        let mut told = String::new();
        for part in &self.0 {
            match part {
                Part::Said(text) => told.push_str(text),
                Part::Asked(expression) => match expression.value(scope)? {
                    Value::Null => {}
                    Value::String(text) => told.push_str(&text),
                    other => told.push_str(&other.to_string()),
                },
            }
        }
        Ok(told)
    }
}

/// What every record says beside its transitions.
const EVENTS: [&str; 17] = [
    "opened",
    "amended",
    "commented",
    "linked",
    "unlinked",
    "erased",
    "voted",
    "voided",
    "overdue",
    "obligation_reminded",
    "obligation_overdue",
    "task_added",
    "task_assigned",
    "task_done",
    "task_dropped",
    "migrated",
    "file_attached",
];

/// Rules tell of events that there are.
pub(super) fn check<'a>(rules: &[Notify], says: impl Iterator<Item = &'a str>, flaws: &mut Flaws) {
    let known: Vec<&str> = says.chain(EVENTS).collect();
    let all: Vec<(&Word, Mark)> =
        rules.iter().flat_map(|rule| &rule.on).map(|on| (on, on.at)).collect();
    for (on, at) in all.into_iter().filter(|(on, _)| !known.contains(&on.text.as_str())) {
        let near = flaws.instead(&on.text, known.iter().copied());
        let message = format!("`{}` is no event of this process{near}", on.text);
        flaws.add(at, "unknown_event", message);
    }
}

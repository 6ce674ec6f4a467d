//! One line of a definition: from here to there, by whom, with what evidence, when by itself.

use jsonschema::Validator;
use kernel::{Fault, Span};
use serde_json::{Map, Value};

use super::{
    Field,
    fields::{compile, faults, object_schema},
    source::{OnSource, OneOrMany, TransitionSource},
};
use crate::Expression;

/// A transition of one state.
#[derive(Debug)]
pub struct Transition {
    pub name: String,
    pub label: String,
    /// The state that it leads to; the same state when it stays.
    pub to: String,
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
    /// The event's name, in the past: `resolved`.
    pub says: String,
    /// JSON Schema of the body that takes it.
    pub schema: Value,
    validator: Validator,
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

impl Transition {
    pub(super) fn parse(
        state: &str,
        name: &str,
        source: TransitionSource,
        fields: &[Field],
        notes: &mut Vec<String>,
    ) -> Option<Self> {
        let place = format!("states.{state}.{name}");
        let mut told = |fault: String| notes.push(format!("{place}: {fault}"));
        let when = source.when.and_then(|text| Expression::parse(&text).map_err(&mut told).ok());
        let set = expressions(source.set.0, &mut told);
        let on = source.on.map(OneOrMany::into_vec).unwrap_or_default();
        let on = on.into_iter().filter_map(|on| self::on(on, &mut told)).collect();
        let after = source.after.and_then(|text| after(&text).map_err(&mut told).ok());
        let at = source.at.and_then(|text| Expression::parse(&text).map_err(&mut told).ok());
        if at.is_some() && after.is_some() {
            told("it comes `after` some time or `at` an instant, not both".to_owned());
        }
        let within = source.within.and_then(|text| text.parse().map_err(&mut told).ok());
        let given: Vec<&Field> = source
            .needs
            .iter()
            .chain(&source.takes)
            .filter_map(|name| {
                let field = fields.iter().find(|field| field.name == *name);
                if field.is_none() {
                    told(format!("`{name}` is no field"));
                }
                field
            })
            .collect();
        // What the record may hold already need not be given again: the engine looks at both.
        let fresh: Vec<String> = given
            .iter()
            .filter(|field| field.read_only && source.needs.contains(&field.name))
            .map(|field| field.name.clone())
            .collect();
        let schema = object_schema(given.into_iter(), &fresh, false);
        let validator = compile(&schema).map_err(&mut told).ok()?;
        let label = source.label.as_ref().and_then(|label| label.english()).map(str::to_owned);
        Some(Self {
            name: name.to_owned(),
            label: label.unwrap_or_else(|| super::spoken(name)),
            to: source.to.unwrap_or_else(|| state.to_owned()),
            by: source.by,
            when,
            because: source.because,
            needs: source.needs,
            takes: source.takes,
            after,
            at,
            within,
            calendar: source.calendar,
            on,
            set,
            says: source.says.unwrap_or_else(|| past(name)),
            schema,
            validator,
        })
    }

    pub(crate) fn faults(&self, with: &Map<String, Value>) -> Vec<Fault> {
        faults(&self.validator, &Value::Object(with.clone()))
    }

    /// Whether the system may take it: a timer or an event does, or `by` says so.
    pub(crate) fn is_automatic(&self) -> bool {
        self.has_timer() || !self.on.is_empty() || self.by.iter().any(|role| role == kernel::SYSTEM)
    }

    /// Whether it is taken by itself when its time has come.
    pub(crate) fn has_timer(&self) -> bool {
        self.after.is_some() || self.at.is_some()
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
            .chain(self.set.iter().map(|(_, expression)| expression))
            .chain(self.on.iter().flat_map(|on| {
                on.when
                    .iter()
                    .chain([&on.key])
                    .chain(on.set.iter().map(|(_, expression)| expression))
            }))
    }
}

pub(super) fn expressions(
    sources: Vec<(String, String)>,
    told: &mut impl FnMut(String),
) -> Vec<(String, Expression)> {
    let mut parsed = Vec::new();
    for (name, text) in sources {
        match Expression::parse(&text) {
            Ok(expression) => parsed.push((name, expression)),
            Err(fault) => told(format!("`{name}`: {fault}")),
        }
    }
    parsed
}

fn on(source: OnSource, told: &mut impl FnMut(String)) -> Option<On> {
    let when = match source.when {
        Some(text) => Some(Expression::parse(&text).map_err(&mut *told).ok()?),
        None => None,
    };
    let key = Expression::parse(&source.key).map_err(&mut *told).ok()?;
    let set = expressions(source.set.0, told);
    Some(On { event: source.event, key, set, when, link: source.link })
}

fn after(text: &str) -> Result<After, String> {
    if text.starts_with('P') {
        return text.parse().map(After::Fixed);
    }
    Expression::parse(text).map(Box::new).map(After::Computed)
}

/// The regular past tense; definitions say irregular ones themselves (`says: held`).
fn past(name: &str) -> String {
    match name.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ied"),
        _ if name.ends_with('e') => format!("{name}d"),
        _ => format!("{name}ed"),
    }
}

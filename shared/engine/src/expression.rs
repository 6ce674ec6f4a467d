//! CEL in the one scope of every guard, derived field, reaction, rule and list.

mod bounds;
#[cfg(test)]
mod counted;
mod functions;
mod kind;
mod names;
mod plain;
mod signature;
mod sizes;
mod surroundings;
mod typing;
mod values;

use std::{borrow::Cow, collections::BTreeSet, sync::OnceLock};

use cel::{Context, Program};
use chrono::{DateTime, Utc};
use kernel::Actor;
use serde_json::{Map, Value};

pub(crate) use functions::context;
pub(crate) use kind::{Bounded, Kind};
pub(crate) use names::Names;
use plain::Plain;
pub(crate) use surroundings::Surroundings;

use crate::{Calculations, Record, Schemes, record::OWN_NAMES, yaml::Mark};

/// How deep comprehensions may nest: with bounded input this bounds the cost.
const COMPREHENSION_LIMIT: usize = 2;

/// A CEL expression, its names known.
pub struct Expression {
    source: String,
    /// What the interpreter takes: where it can be told without, only once it was asked all the same.
    program: OnceLock<Program>,
    names: Names,
    /// Where it stands in its file.
    place: Mark,
    /// Where it can be told without the interpreter.
    plain: Option<Plain>,
    /// Whether it gives the same as long as the fields that it names and the schemes that it asks are the
    /// same.
    is_of_fields: bool,
}

/// What is wrong with an expression.
#[derive(Debug)]
pub(crate) struct ExpressionFault {
    /// Bytes before the part at fault.
    pub offset: usize,
    /// A sentence without the expression itself.
    pub message: String,
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.source)
    }
}

impl Expression {
    /// Parses an expression over whatever may be in scope.
    ///
    /// # Errors
    /// A sentence: where the syntax is wrong, which name nobody knows, or which bound it exceeds.
    pub fn parse(source: &str) -> Result<Self, String> {
        let read = Self::checked(source, &Surroundings::open());
        read.map(|(expression, _)| expression).map_err(|faults| {
            let told: Vec<_> = faults.into_iter().map(|fault| fault.message).collect();
            format!("`{source}`: {}", told.join("; "))
        })
    }

    /// Parses an expression and checks it against what is known where it stands; tells also what
    /// kind of value it gives.
    ///
    /// # Errors
    /// Every fault, with its place in the source.
    pub(crate) fn checked(
        source: &str,
        surroundings: &Surroundings,
    ) -> Result<(Self, Kind), Vec<ExpressionFault>> {
        let whole = |message: String| vec![ExpressionFault { offset: 0, message }];
        bounds::check(source).map_err(whole)?;
        let program = Program::compile(source).map_err(|faults| {
            let faults = faults.errors.into_iter().map(|fault| {
                // Lines and columns count from 1; an expression nearly always is one line.
                let offset = usize::try_from(fault.pos.1 - 1).unwrap_or_default();
                // What would be expected instead is a list of every symbol that there is.
                let told = fault.msg.split(" expecting ").next().unwrap_or_default();
                ExpressionFault { offset, message: format!("it is no CEL: {told}") }
            });
            faults.collect::<Vec<_>>()
        })?;
        let names = Names::of(program.expression());
        if names.comprehension_depth > COMPREHENSION_LIMIT {
            let message = format!("it nests more than {COMPREHENSION_LIMIT} comprehensions");
            return Err(whole(message));
        }
        let (kind, faults) = typing::check(program.expression(), surroundings);
        if !faults.is_empty() {
            let places = program.source_info();
            let faults = faults.into_iter().map(|(id, message)| {
                let offset = places.offset_for(id).map_or(0, |(start, _)| start as usize);
                ExpressionFault { offset, message }
            });
            return Err(faults.collect());
        }
        let plain = Plain::of(program.expression());
        let program = if plain.is_some() { OnceLock::new() } else { program.into() };
        let is_of_fields = names.roots.iter().all(|root| root == "record")
            && names.whole.is_empty()
            && names.record_fields.iter().all(|name| !OWN_NAMES.contains(&name.as_str()))
            && names.functions.iter().all(|name| functions::is_known(name))
            && names.calculations.is_empty();
        let source = source.to_owned();
        Ok((Self { source, program, names, place: Mark::START, plain, is_of_fields }, kind))
    }

    /// The same, standing at a place of a file.
    pub(crate) fn placed(self, place: Mark) -> Self {
        Self { place, ..self }
    }

    pub(crate) fn place(&self) -> Mark {
        self.place
    }

    /// Whether every expression knows a function of this name.
    pub(crate) fn is_builtin(function: &str) -> bool {
        functions::is_known(function)
    }

    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Which of `record`, `links`, `actor`, `now` and `event` it speaks of.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.names.roots.iter().map(String::as_str)
    }

    /// Whether it speaks of what the record is tied to.
    pub(crate) fn asks_links(&self) -> bool {
        self.names.roots.contains("links")
    }

    /// The fields of the record that it is told by, where nothing but these and schemes decide what it gives.
    pub(crate) fn told_by(&self) -> Option<&BTreeSet<String>> {
        self.is_of_fields.then_some(&self.names.record_fields)
    }

    /// The words of an event that it is told by; none where it is told by the whole of it.
    pub(crate) fn words_of_event(&self) -> Option<&BTreeSet<String>> {
        (!self.names.whole.contains("event")).then_some(&self.names.event_fields)
    }

    /// Whether it asks what may be published anew.
    pub(crate) fn asks_schemes(&self) -> bool {
        self.names.functions.iter().any(|name| functions::asks_scheme(name))
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// # Errors
    /// As [`Self::program`].
    pub(crate) fn tree(&self) -> Result<&cel::IdedExpr, String> {
        self.program().map(Program::expression)
    }

    /// # Errors
    /// A sentence where it cannot be read again, which has been read before.
    fn program(&self) -> Result<&Program, String> {
        if let Some(program) = self.program.get() {
            return Ok(program);
        }
        let program = Program::compile(&self.source);
        let program = program.map_err(|_| format!("`{}` cannot be read any more", self.source))?;
        Ok(self.program.get_or_init(|| program))
    }

    /// The value of the expression as JSON.
    ///
    /// # Errors
    /// A sentence that quotes the expression and says what went wrong.
    pub fn value(&self, scope: &Scope<'_>) -> Result<Value, String> {
        self.told(scope).map(Cow::into_owned)
    }

    /// The same, borrowed where the value is there already.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub(crate) fn told<'a>(&'a self, scope: &Scope<'a>) -> Result<Cow<'a, Value>, String> {
        match self.plain.as_ref().and_then(|plain| plain.value(scope)) {
            Some(value) => Ok(value),
            None => self.interpreted(scope).map(Cow::Owned),
        }
    }

    fn interpreted(&self, scope: &Scope<'_>) -> Result<Value, String> {
        let mut context = scope.root.new_inner_scope();
        // For the functions that ask schemes; no expression can name it.
        context.add_variable_from_value(functions::ASKED_AT, values::of_instant(scope.now));
        for name in &self.names.roots {
            if let Some(value) = scope.variable(name, &self.names) {
                context.add_variable_from_value(name.as_str(), value);
            }
        }
        let value = self
            .program()?
            .execute(&context)
            .map_err(|fault| format!("`{}` could not be worked out: {fault}", self.source))?;
        values::to_json(&value)
            .ok_or_else(|| format!("`{}` gives a value that is not JSON", self.source))
    }

    /// Whether the expression holds; anything but `true` does not.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn holds(&self, scope: &Scope<'_>) -> Result<bool, String> {
        self.told(scope).map(|value| *value == Value::Bool(true))
    }
}

/// The names that an expression may use.
const SCOPE: [&str; 7] = ["record", "links", "tasks", "actor", "now", "event", "given"];

/// What the names mean while an expression is evaluated; only those that it uses are made.
pub struct Scope<'a> {
    root: &'a Context<'static, 'static>,
    schemes: &'a Schemes,
    /// What `calculate` calls, where it is told without the interpreter.
    calculations: Option<&'a Calculations>,
    now: DateTime<Utc>,
    actor: Option<&'a Actor>,
    event: Option<&'a Value>,
    given: Option<&'a Map<String, Value>>,
    record: Option<(&'a Record, &'a [String])>,
}

impl<'a> Scope<'a> {
    /// `schemes` are those that the functions of `root` ask.
    pub(crate) fn new(
        root: &'a Context<'static, 'static>,
        schemes: &'a Schemes,
        now: DateTime<Utc>,
    ) -> Self {
        let calculations = None;
        Self {
            root,
            schemes,
            calculations,
            now,
            actor: None,
            event: None,
            given: None,
            record: None,
        }
    }

    #[must_use]
    pub(crate) fn code(mut self, calculations: &'a Calculations) -> Self {
        self.calculations = Some(calculations);
        self
    }

    #[must_use]
    pub(crate) fn actor(mut self, actor: &'a Actor) -> Self {
        self.actor = Some(actor);
        self
    }

    /// `event`; what an expression names of it and it does not have is null.
    #[must_use]
    pub(crate) fn event(mut self, event: &'a Value) -> Self {
        self.event = Some(event);
        self
    }

    /// What the command gave, apart from what the record held already.
    #[must_use]
    pub(crate) fn given(mut self, given: &'a Map<String, Value>) -> Self {
        self.given = Some(given);
        self
    }

    /// `record`, every declared field of it present, null where it has no value.
    #[must_use]
    pub(crate) fn record(mut self, record: &'a Record, fields: &'a [String]) -> Self {
        self.record = Some((record, fields));
        self
    }

    /// The instant at which it is asked.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    fn variable(&self, name: &str, names: &Names) -> Option<cel::Value> {
        match name {
            "record" => {
                self.record.map(|(record, fields)| values::of_record(record, fields, names))
            }
            "links" => values::of_links(&self.record?.0.links),
            "actor" => self.actor.map(values::of_actor),
            "now" => Some(values::of_instant(self.now)),
            "event" => self.event.map(|event| values::of_event(event, names)),
            "given" => self.given.map(values::of_map),
            "tasks" => self.record.map(|(record, _)| values::of_tasks(record)),
            _ => None,
        }
    }
}

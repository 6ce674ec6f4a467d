//! What follows from a change: derived fields, audience, timers, and the difference itself.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Cause, Refusal, Rule, Span};
use serde_json::{Map, Value};

use crate::{
    DATA_LIMIT_BYTES, Definition, Expression, Fact, Record, Ruleset, Scope, Timer, Transition,
    change_set,
    definition::{After, Audience},
};

use super::{Made, duties, obligations};

/// A record as it would be, before what follows is worked out.
pub(super) struct Draft<'a> {
    pub rules: &'a Ruleset,
    pub definition: &'a Definition,
    pub cause: &'a Cause,
    /// The record before the command, unless it is opened.
    pub before: Option<&'a Record>,
    pub record: Record,
}

impl Draft<'_> {
    /// Completes `fact`, once everything is derived; `entered` says that the record's state is a new
    /// one.
    pub(super) fn finish(mut self, mut fact: Fact, entered: bool) -> Result<Made, Refusal> {
        let anew = self.oblige(fact.transition.as_deref())?;
        if !self.is_seen_as_before() {
            let audience = self.audience()?;
            if audience != self.record.audience {
                fact.audience = Some(audience);
            }
        }
        if entered {
            fact.timers = Some(self.timers()?);
            fact.is_final = self.definition.is_final(&self.record.state);
        } else {
            fact.more_timers = anew;
            self.instants(&mut fact)?;
        }
        let nothing = Map::new();
        let before = self.before.map_or(&nothing, |before| &before.data);
        // Nothing is what is not there.
        self.record.data.retain(|_, value| !value.is_null());
        fact.changes = change_set(before, &self.record.data);
        let size: usize =
            self.record.data.iter().map(|(name, value)| name.len() + size(value)).sum();
        if size > DATA_LIMIT_BYTES {
            let message = format!("the record's data would exceed {DATA_LIMIT_BYTES} bytes");
            return Err(Refusal::one(Rule::Invalid, "", "too_large", message));
        }
        Ok(Made { fact, data: Some(self.record.data) })
    }

    /// Works out the derived fields, in their order.
    pub(super) fn derive(&mut self, fact: &mut Fact) -> Result<(), Refusal> {
        let mut versions = Map::new();
        for (field, expression) in &self.definition.derive {
            if self.is_judged(field, expression) {
                continue;
            }
            let value = self.worked_out(expression)?;
            put(&mut self.record.data, field, value);
            for name in &expression.names().schemes {
                if let Some(scheme) = self.rules.schemes().at(name, self.cause.when()) {
                    versions.insert(name.clone(), scheme.version.into());
                }
            }
        }
        if !versions.is_empty() {
            fact.computed.insert("schemes".to_owned(), Value::Object(versions));
        }
        Ok(())
    }

    /// Whether a field was worked out by a scheme before, of what is the same now: it keeps the judgement,
    /// and the version that it was judged by, until there is something else to judge.
    fn is_judged(&self, field: &str, expression: &Expression) -> bool {
        let Some(before) = self.before else { return false };
        !expression.names().schemes.is_empty()
            && before.data.contains_key(field)
            && self.is_same(before, field)
            && self.is_told_as_before(before, expression)
    }

    /// Whether nothing that an expression is told by has changed.
    fn is_told_as_before(&self, before: &Record, expression: &Expression) -> bool {
        before.definition == self.record.definition
            && expression
                .told_by()
                .is_some_and(|fields| fields.iter().all(|field| self.is_same(before, field)))
    }

    fn is_same(&self, before: &Record, field: &str) -> bool {
        before.data.get(field) == self.record.data.get(field)
    }

    /// Whether nothing that decides who sees the record has changed.
    fn is_seen_as_before(&self) -> bool {
        let Some(before) = self.before else { return false };
        self.definition.audience.iter().all(|audience| match audience {
            Audience::Token(_) => before.definition == self.record.definition,
            Audience::Of { value, .. } => {
                !value.asks_schemes() && self.is_told_as_before(before, value)
            }
        })
    }

    /// What must be done again and again, after this step; gives the timers that are set anew.
    fn oblige(&mut self, transition: Option<&str>) -> Result<Vec<Timer>, Refusal> {
        if !self.definition.has_next_duty {
            return Ok(Vec::new());
        }
        let nothing = Map::new();
        let before = self.before.map_or(&nothing, |before| &before.data);
        let both = (before, &mut self.record);
        let anew = obligations::kept(self.rules, self.definition, both, transition, self.cause)?;
        obligations::next_duty(&mut self.record.data);
        Ok(anew)
    }

    fn audience(&self) -> Result<Vec<String>, Refusal> {
        let mut tokens = Vec::new();
        for audience in &self.definition.audience {
            match audience {
                Audience::Token(token) => tokens.push(token.clone()),
                Audience::Of { kind, value } => {
                    let scope = self.scope(&self.record);
                    let named = value.told(&scope).map_err(broken)?;
                    let mut add = |value: &Value| {
                        if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
                            // A person may be named with or without the kind: `person:PER0000001`.
                            let token = if text.contains(':') {
                                text.to_owned()
                            } else {
                                format!("{kind}:{text}")
                            };
                            tokens.push(token);
                        }
                    };
                    match named.as_ref() {
                        Value::Array(items) => items.iter().for_each(add),
                        one => add(one),
                    }
                }
            }
        }
        tokens.sort();
        tokens.dedup();
        Ok(tokens)
    }

    /// The timers of the state that the record is in.
    pub(super) fn timers(&self) -> Result<Vec<Timer>, Refusal> {
        let mut timers = Vec::new();
        for transition in self.definition.transitions(&self.record.state) {
            let due = match (&transition.after, &transition.at) {
                (None, None) => continue,
                (Some(After::Fixed(span)), _) => self.end_of(transition, *span),
                (Some(After::Computed(expression)), _) => match self.worked_out(expression)? {
                    Value::String(text) => self.end_of(transition, text.parse().map_err(broken)?),
                    _ => continue,
                },
                (None, Some(at)) => self.instant(at, &self.record)?,
            };
            timers.extend(due.map(|due| Timer { transition: transition.name.clone(), due }));
        }
        if self.definition.has_duties {
            timers.extend(duties::timers(&self.record.data));
        }
        timers.extend(obligations::timers(self.definition, &self.record.data));
        Ok(timers)
    }

    /// What has become of the instants that the record names while it stays where it is. What waits
    /// for the same one as before waits on, and what has come does not come again.
    fn instants(&self, fact: &mut Fact) -> Result<(), Refusal> {
        for transition in self.definition.transitions(&self.record.state) {
            let Some(at) = &transition.at else { continue };
            let before = match self.before {
                Some(before) => self.instant(at, before)?,
                None => None,
            };
            let transition = transition.name.clone();
            match self.instant(at, &self.record)? {
                now if now == before => {}
                Some(due) => fact.more_timers.push(Timer { transition, due }),
                None => fact.fewer_timers.push(transition),
            }
        }
        Ok(())
    }

    /// The instant that an expression names; none where it gives no text.
    fn instant(&self, at: &Expression, of: &Record) -> Result<Option<DateTime<Utc>>, Refusal> {
        let Value::String(text) = self.asked(at, of)? else { return Ok(None) };
        let at = DateTime::parse_from_rfc3339(&text);
        Ok(Some(at.map_err(|fault| broken(fault.to_string()))?.with_timezone(&Utc)))
    }

    fn worked_out(&self, expression: &Expression) -> Result<Value, Refusal> {
        self.asked(expression, &self.record)
    }

    fn asked(&self, expression: &Expression, of: &Record) -> Result<Value, Refusal> {
        expression.value(&self.scope(of)).map_err(broken)
    }

    fn scope<'a>(&'a self, of: &'a Record) -> Scope<'a> {
        let scope = self.rules.scope(self.cause.when()).actor(&self.cause.actor);
        scope.record(of, &self.definition.field_names)
    }

    fn end_of(&self, transition: &Transition, span: Span) -> Option<DateTime<Utc>> {
        end_of(self.rules, transition.calendar.as_deref(), self.record.entered_at, span)
    }
}

/// When a span is over: in working time of a calendar, or elapsed, a day being 24 hours.
pub(super) fn end_of(
    rules: &Ruleset,
    calendar: Option<&str>,
    from: DateTime<Utc>,
    span: Span,
) -> Option<DateTime<Utc>> {
    match calendar {
        Some(name) => rules.schemes().calendar(name)?.after(from, span),
        None => {
            let seconds = i64::from(span.days) * 86_400 + i64::from(span.seconds);
            from.checked_add_signed(TimeDelta::seconds(seconds))
        }
    }
}

pub(super) fn put(data: &mut Map<String, Value>, field: &str, value: Value) {
    if value.is_null() {
        data.remove(field);
    } else if data.get(field) != Some(&value) {
        data.insert(field.to_owned(), value);
    }
}

/// A fault of the definition, met while it was used.
pub(super) fn broken(fault: String) -> Refusal {
    Refusal::one(Rule::Guard, "", "definition", fault)
}

/// The size of a value as JSON, in bytes, escapes left out.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => 2 + items.iter().map(size).sum::<usize>(),
        Value::Object(entries) => {
            2 + entries.iter().map(|(key, value)| key.len() + 4 + size(value)).sum::<usize>()
        }
    }
}

//! Nearly all of what definitions and rules say, told over JSON as it is, without the interpreter.
//!
//! The interpreter copies what an expression speaks of into values of its own, which costs more
//! than all the rest of a decision. What is told here is told the same (`both_ways_agree`), and
//! where anything is unusual (a fault, two types that do not compare) the interpreter is asked.

#[cfg(test)]
mod tests;

use std::{borrow::Cow, cmp::Ordering};

use cel::{
    IdedExpr,
    common::ast::{Expr, ListExpr, LiteralValue},
};
use serde_json::Value;

use super::{Scope, functions, names::CHANGES};
use crate::{
    record::{OWN_NAMES, rfc3339},
    scheme::Lookup,
};

#[derive(Debug)]
pub(super) enum Plain {
    Value(Value),
    /// `event.rule.service`
    Event(Vec<String>),
    /// `record.group`, a field of the data
    Record(String),
    /// `record.reading.due_at`
    Part(Vec<String>),
    /// `record.state`
    State,
    /// `record.revision`
    Revision,
    /// `actor.id`
    ActorId,
    /// `string(now)`
    Now,
    /// `now`, as code is given it
    Instant,
    /// `calculate('clock', record.terms, now)`
    Calculate(String, Vec<Plain>),
    /// `get(event.labels, 'service')`, as rules ask labels
    Get(Box<Plain>, String),
    /// `lookup('service', key, 'criticality')`
    Lookup(String, Box<Plain>, String),
    /// `known('severity', key)`
    Known(String, Box<Plain>),
    /// `under('category', key, 'security')`
    Under(String, Box<Plain>, String),
    /// `matrix('priority', a, b)`
    Matrix(String, Vec<Plain>),
    /// `key(a, b)`
    Key(Vec<Plain>),
    /// `text.startsWith('person:')`
    StartsWith(Box<Plain>, String),
    /// `record.count + 1`
    Sum(Box<[Plain; 2]>),
    /// `record.priority <= 2`, of whole numbers: which orders fit
    Ordered(Box<[Plain; 2]>, fn(Ordering) -> bool),
    Equal(Box<[Plain; 2]>),
    Not(Box<Plain>),
    And(Box<[Plain; 2]>),
    Or(Box<[Plain; 2]>),
    /// `condition ? one : other`
    Choice(Box<[Plain; 3]>),
    /// `value in ['a', 'b']`
    In(Box<Plain>, Vec<Plain>),
    /// `['agent', record.group]`
    List(Vec<Plain>),
}

type Told<'a> = Option<Cow<'a, Value>>;

impl Plain {
    /// `None` where only the interpreter knows what to do.
    pub(super) fn of(expression: &IdedExpr) -> Option<Self> {
        match &expression.expr {
            Expr::Literal(literal) => Some(Self::Value(match literal {
                LiteralValue::Boolean(value) => (*value.inner()).into(),
                LiteralValue::Int(value) => (*value.inner()).into(),
                LiteralValue::String(text) => text.inner().into(),
                LiteralValue::Null => Value::Null,
                _ => return None,
            })),
            Expr::Select(_) => {
                let mut path = Vec::new();
                let root = unfold(expression, &mut path)?;
                match (root, path.as_slice()) {
                    ("event", _) => Some(Self::Event(path)),
                    ("actor", [field]) if field == "id" => Some(Self::ActorId),
                    ("record", [field]) if field == "state" => Some(Self::State),
                    ("record", [field]) if field == "revision" => Some(Self::Revision),
                    ("record", [field]) if !OWN_NAMES.contains(&field.as_str()) => {
                        Some(Self::Record(field.clone()))
                    }
                    ("record", [field, ..]) if !OWN_NAMES.contains(&field.as_str()) => {
                        Some(Self::Part(path))
                    }
                    _ => None,
                }
            }
            Expr::Call(call) => match &call.target {
                Some(target) => Self::of_method(&call.func_name, target, &call.args),
                None => Self::of_function(&call.func_name, &call.args),
            },
            Expr::List(list) => Self::all_of(list).map(Self::listed),
            _ => None,
        }
    }

    fn all_of(list: &ListExpr) -> Option<Vec<Self>> {
        let is_whole = list.optional_indices.is_empty();
        is_whole.then(|| list.elements.iter().map(Self::of).collect()).flatten()
    }

    /// A list that is the same whenever it is asked is made once.
    fn listed(items: Vec<Self>) -> Self {
        let value = |item: &Self| match item {
            Self::Value(value) => Some(value.clone()),
            _ => None,
        };
        match items.iter().map(value).collect() {
            Some(values) => Self::Value(Value::Array(values)),
            None => Self::List(items),
        }
    }

    fn of_given(given: &IdedExpr) -> Option<Self> {
        match &given.expr {
            Expr::Ident(name) if name == "now" => Some(Self::Instant),
            _ => Self::of(given),
        }
    }

    fn of_method(name: &str, target: &IdedExpr, arguments: &[IdedExpr]) -> Option<Self> {
        match (name, arguments) {
            ("startsWith", [start]) => {
                Some(Self::StartsWith(Box::new(Self::of(target)?), text(start)?))
            }
            _ => None,
        }
    }

    fn of_function(name: &str, arguments: &[IdedExpr]) -> Option<Self> {
        let all = |arguments: &[IdedExpr]| arguments.iter().map(Self::of).collect::<Option<_>>();
        let one = |argument| Self::of(argument).map(Box::new);
        let two = |arguments| all(arguments).and_then(|both: Vec<_>| both.try_into().ok());
        Some(match (name, arguments) {
            ("string", [of]) if matches!(&of.expr, Expr::Ident(name) if name == "now") => Self::Now,
            (functions::CALCULATE, [name, given @ ..]) => {
                let given = given.iter().map(Self::of_given).collect::<Option<_>>()?;
                Self::Calculate(text(name)?, given)
            }
            ("get", [from, key]) => Self::Get(one(from)?, text(key)?),
            ("lookup", [scheme, key, attribute]) => {
                Self::Lookup(text(scheme)?, one(key)?, text(attribute)?)
            }
            ("known", [scheme, key]) => Self::Known(text(scheme)?, one(key)?),
            ("under", [scheme, key, top]) => Self::Under(text(scheme)?, one(key)?, text(top)?),
            ("matrix", [scheme, inputs @ ..]) => Self::Matrix(text(scheme)?, all(inputs)?),
            ("key", parts) => Self::Key(all(parts)?),
            ("_+_", _) => Self::Sum(Box::new(two(arguments)?)),
            ("_<_", _) => Self::Ordered(Box::new(two(arguments)?), Ordering::is_lt),
            ("_<=_", _) => Self::Ordered(Box::new(two(arguments)?), Ordering::is_le),
            ("_>_", _) => Self::Ordered(Box::new(two(arguments)?), Ordering::is_gt),
            ("_>=_", _) => Self::Ordered(Box::new(two(arguments)?), Ordering::is_ge),
            ("_==_", _) => Self::Equal(Box::new(two(arguments)?)),
            ("_!=_", _) => Self::Not(Box::new(Self::Equal(Box::new(two(arguments)?)))),
            ("_&&_", _) => Self::And(Box::new(two(arguments)?)),
            ("_||_", _) => Self::Or(Box::new(two(arguments)?)),
            ("!_", [inner]) => Self::Not(one(inner)?),
            ("_?_:_", _) => {
                Self::Choice(Box::new(all(arguments).and_then(|all: Vec<_>| all.try_into().ok())?))
            }
            ("@in", [value, list]) => match &list.expr {
                Expr::List(list) => Self::In(one(value)?, Self::all_of(list)?),
                _ => return None,
            },
            _ => return None,
        })
    }

    /// `None` where the interpreter has to say what comes out, or what is wrong.
    pub(super) fn value<'a>(&'a self, scope: &Scope<'a>) -> Told<'a> {
        Some(match self {
            Self::Value(value) => Cow::Borrowed(value),
            Self::Event(path) => return within(scope.event?, path),
            Self::Record(field) => {
                let (record, _) = scope.record?;
                record.data.get(field).map_or(Cow::Owned(Value::Null), Cow::Borrowed)
            }
            Self::Part(path) => {
                let (field, rest) = path.split_first()?;
                let mut place = scope.record?.0.data.get(field)?;
                for name in rest {
                    place = place.get(name)?;
                }
                Cow::Borrowed(place)
            }
            Self::Instant => Cow::Owned(rfc3339(scope.now)),
            Self::Calculate(name, given) => {
                let calculation = scope.calculations?.get(name.as_str())?;
                let given = given.iter().map(|given| given.value(scope));
                let given = given.collect::<Option<Vec<Cow<'_, Value>>>>()?;
                let given: Vec<&Value> = given.iter().map(AsRef::as_ref).collect();
                Cow::Owned(calculation(&given, scope.schemes).ok()?)
            }
            Self::Revision => owned(scope.record?.0.revision),
            Self::State => owned(scope.record?.0.state.as_str()),
            Self::ActorId => owned(scope.actor?.id.as_str()),
            Self::Now => owned(functions::text_of(scope.now)),
            Self::Get(from, key) => {
                let missing = Cow::Owned(Value::Null);
                match from.value(scope)? {
                    Cow::Borrowed(Value::Object(map)) => {
                        map.get(key).map_or(missing, Cow::Borrowed)
                    }
                    nothing if nothing.is_null() => missing,
                    _ => return None,
                }
            }
            Self::Lookup(scheme, key, attribute) => {
                let key = functions::word(key.value(scope)?.as_ref());
                return found(scope.schemes.attribute(scheme, &key, attribute, scope.now));
            }
            Self::Known(scheme, key) => {
                let key = functions::word(key.value(scope)?.as_ref());
                match scope.schemes.entry(scheme, &key, scope.now) {
                    Lookup::Found(_) => owned(true),
                    Lookup::Absent => owned(false),
                    Lookup::NoSuchScheme => return None,
                }
            }
            Self::Under(scheme, key, top) => {
                let key = functions::word(key.value(scope)?.as_ref());
                let listed = scope.schemes.list(scheme, scope.now)?;
                owned(listed.is_under(&key, top, scope.now)?)
            }
            Self::Matrix(scheme, inputs) => {
                let word = |input: &'a Self| Some(functions::word(input.value(scope)?.as_ref()));
                let inputs: Vec<String> = inputs.iter().map(word).collect::<Option<_>>()?;
                return found(scope.schemes.cell(scheme, &inputs, scope.now));
            }
            Self::Key(parts) => {
                let parts: Vec<_> =
                    parts.iter().map(|part| part.value(scope)).collect::<Option<_>>()?;
                owned(functions::key(parts.iter().map(AsRef::as_ref)))
            }
            Self::StartsWith(text, start) => {
                owned(text.value(scope)?.as_str()?.starts_with(start.as_str()))
            }
            Self::Sum(both) => {
                let [one, other] = both.as_ref();
                let (one, other) = (one.value(scope)?.as_i64()?, other.value(scope)?.as_i64()?);
                owned(one.checked_add(other)?)
            }
            Self::Ordered(both, fits) => {
                let [one, other] = both.as_ref();
                let (one, other) = (one.value(scope)?.as_i64()?, other.value(scope)?.as_i64()?);
                owned(fits(one.cmp(&other)))
            }
            Self::Equal(both) => {
                let [one, other] = both.as_ref();
                owned(equal(one.value(scope)?.as_ref(), other.value(scope)?.as_ref())?)
            }
            Self::Not(inner) => owned(!inner.value(scope)?.as_bool()?),
            Self::And(both) => {
                let [one, other] = both.as_ref();
                owned(one.value(scope)?.as_bool()? && other.value(scope)?.as_bool()?)
            }
            Self::Or(both) => {
                let [one, other] = both.as_ref();
                owned(one.value(scope)?.as_bool()? || other.value(scope)?.as_bool()?)
            }
            Self::Choice(parts) => {
                let [condition, one, other] = parts.as_ref();
                return if condition.value(scope)?.as_bool()? { one } else { other }.value(scope);
            }
            Self::In(value, list) => {
                let value = value.value(scope)?;
                for item in list {
                    if equal(value.as_ref(), item.value(scope)?.as_ref())? {
                        return Some(owned(true));
                    }
                }
                owned(false)
            }
            Self::List(items) => {
                let items = items.iter().map(|item| item.value(scope).map(Cow::into_owned));
                Cow::Owned(Value::Array(items.collect::<Option<_>>()?))
            }
        })
    }
}

fn owned<'a>(value: impl Into<Value>) -> Cow<'a, Value> {
    Cow::Owned(value.into())
}

/// What an event lacks is null, and so is what it did not change; what another part of it lacks is a
/// fault.
fn within<'a>(event: &'a Value, path: &[String]) -> Told<'a> {
    let mut place = event;
    for (depth, name) in path.iter().enumerate() {
        let is_last = depth + 1 == path.len();
        let may_lack = depth == 0 || depth == 1 && path[0] == CHANGES;
        match place.as_object()?.get(name) {
            Some(part) => place = part,
            None if may_lack && is_last => return Some(Cow::Owned(Value::Null)),
            None => return None,
        }
    }
    Some(Cow::Borrowed(place))
}

fn found(found: Lookup<'_>) -> Told<'_> {
    match found {
        Lookup::Found(value) => Some(Cow::Borrowed(value)),
        Lookup::Absent => Some(Cow::Owned(Value::Null)),
        Lookup::NoSuchScheme => None,
    }
}

/// Texts, truths, whole numbers, and whether there is anything at all.
fn equal(one: &Value, other: &Value) -> Option<bool> {
    match (one, other) {
        (Value::Null, other) | (other, Value::Null) => Some(other.is_null()),
        (Value::String(one), Value::String(other)) => Some(one == other),
        (Value::Bool(one), Value::Bool(other)) => Some(one == other),
        (Value::Number(one), Value::Number(other)) => Some(one.as_i64()? == other.as_i64()?),
        _ => None,
    }
}

fn text(expression: &IdedExpr) -> Option<String> {
    match &expression.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner().to_owned()),
        _ => None,
    }
}

/// The root of a path, and its fields in order.
fn unfold<'a>(expression: &'a IdedExpr, path: &mut Vec<String>) -> Option<&'a str> {
    match &expression.expr {
        Expr::Ident(root) => Some(root),
        Expr::Select(select) if !select.test => {
            let root = unfold(&select.operand, path)?;
            path.push(select.field.clone());
            Some(root)
        }
        _ => None,
    }
}

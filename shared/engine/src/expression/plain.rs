//! Expressions that are a value or a path: most of what reactions set, told without the interpreter.

use cel::{
    IdedExpr,
    common::ast::{Expr, LiteralValue},
};
use serde_json::Value;

use super::Scope;
use crate::record::OWN_NAMES;

#[derive(Debug)]
pub(super) enum Plain {
    Value(Value),
    /// `event.rule.service`
    Event(Vec<String>),
    /// `get(event.labels, 'service')`, as rules ask labels
    Get {
        path: Vec<String>,
        key: String,
    },
    /// `record.group`, a field of the data
    Record(String),
}

impl Plain {
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
                    ("record", [field]) if !OWN_NAMES.contains(&field.as_str()) => {
                        Some(Self::Record(field.clone()))
                    }
                    _ => None,
                }
            }
            Expr::Call(call) if call.func_name == "get" && call.target.is_none() => {
                let [from, key] = call.args.as_slice() else { return None };
                let Expr::Literal(LiteralValue::String(key)) = &key.expr else { return None };
                let mut path = Vec::new();
                let root = unfold(from, &mut path)?;
                let key = key.inner().to_owned();
                (root == "event" && !path.is_empty()).then_some(Self::Get { path, key })
            }
            _ => None,
        }
    }

    /// `None` where the interpreter has to say what is wrong.
    pub(super) fn value(&self, scope: &Scope<'_>) -> Option<Value> {
        match self {
            Self::Value(value) => Some(value.clone()),
            Self::Record(field) => {
                let (record, _) = scope.record?;
                Some(record.data.get(field).cloned().unwrap_or_default())
            }
            Self::Get { path, key } => {
                let mut place = scope.event?;
                for name in path {
                    place = place.get(name)?;
                }
                Some(place.as_object()?.get(key).cloned().unwrap_or_default())
            }
            Self::Event(path) => {
                let (last, through) = path.split_last()?;
                let mut place = scope.event?;
                for name in through {
                    place = place.get(name)?;
                }
                match place.get(last) {
                    Some(value) => Some(value.clone()),
                    // What an event lacks is null; what a part of it lacks is a fault.
                    None if through.is_empty() => Some(Value::Null),
                    None => None,
                }
            }
        }
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

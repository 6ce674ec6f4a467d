//! A list's filter: the part of CEL that a database answers from an index.

mod asked;

use cel::{
    IdedExpr,
    common::ast::{CallExpr, Expr, LiteralValue, operators},
};
use kernel::{Refusal, Rule};
use serde_json::Value;

pub(crate) use self::asked::Asked;
use crate::{Definition, Expression, IndexKind};

/// A condition on records, ready for a database.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    Compare { field: Field, op: Op, value: Value },
    In { field: Field, values: Vec<Value> },
    Always(bool),
}

/// What lists can filter and sort by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    State,
    Number,
    OpenedAt,
    UpdatedAt,
    ClosedAt,
    Revision,
    OpenedBy,
    /// A field of the data with a typed column, or an end of a window: `window.from`.
    Indexed {
        name: String,
        kind: IndexKind,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Deeper filters, or ones of more parts, are refused.
const PARTS_LIMIT: usize = 100;

impl Field {
    /// The field of a process under the name that expressions and `sort` use.
    #[must_use]
    pub fn named(definition: &Definition, name: &str) -> Option<Self> {
        Some(match name {
            "state" => Self::State,
            "number" => Self::Number,
            "opened_at" => Self::OpenedAt,
            "updated_at" => Self::UpdatedAt,
            "closed_at" => Self::ClosedAt,
            "revision" | "rev" => Self::Revision,
            "opened_by" => Self::OpenedBy,
            other => {
                let indexes = definition.indexes().into_iter();
                let (name, kind) = indexes.into_iter().find(|(name, _)| name == other)?;
                Self::Indexed { name, kind }
            }
        })
    }

    /// Whether it holds instants.
    #[must_use]
    pub fn is_time(&self) -> bool {
        self.kind() == IndexKind::Time
    }

    fn kind(&self) -> IndexKind {
        match self {
            Self::State | Self::Number | Self::OpenedBy => IndexKind::Text,
            Self::OpenedAt | Self::UpdatedAt | Self::ClosedAt => IndexKind::Time,
            Self::Revision => IndexKind::Number,
            Self::Indexed { kind, .. } => *kind,
        }
    }
}

impl Filter {
    /// Translates a CEL expression over `record`.
    ///
    /// # Errors
    /// `invalid` with code `filter`: what the part is that cannot be answered from an index, and
    /// which fields can.
    pub fn parse(definition: &Definition, source: &str) -> Result<Self, Refusal> {
        let expression = Expression::parse(source).map_err(refuse)?;
        let mut translation = Translation { definition, source, parts: 0 };
        expression.tree().and_then(|tree| translation.condition(tree)).map_err(refuse)
    }
}

fn refuse(message: String) -> Refusal {
    Refusal::one(Rule::Invalid, "filter", "filter", message)
}

struct Translation<'a> {
    definition: &'a Definition,
    source: &'a str,
    parts: usize,
}

impl Translation<'_> {
    fn condition(&mut self, expression: &IdedExpr) -> Result<Filter, String> {
        self.parts += 1;
        if self.parts > PARTS_LIMIT {
            return Err(format!("a filter has at most {PARTS_LIMIT} parts"));
        }
        match &expression.expr {
            Expr::Literal(LiteralValue::Boolean(value)) => Ok(Filter::Always(*value.inner())),
            Expr::Call(call) => self.call(call),
            _ => Err(self.untranslatable("it is neither a comparison nor a combination of them")),
        }
    }

    fn call(&mut self, call: &CallExpr) -> Result<Filter, String> {
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND, [left, right]) => {
                Ok(Filter::All(vec![self.condition(left)?, self.condition(right)?]))
            }
            (operators::LOGICAL_OR, [left, right]) => {
                Ok(Filter::Any(vec![self.condition(left)?, self.condition(right)?]))
            }
            (operators::LOGICAL_NOT, [inner]) => Ok(Filter::Not(Box::new(self.condition(inner)?))),
            (operators::IN, [field, list]) => {
                let field = self.field(field)?;
                let Expr::List(list) = &list.expr else {
                    return Err(self.untranslatable("`in` takes a list of values"));
                };
                let values: Result<Vec<_>, _> =
                    list.elements.iter().map(|item| self.value(item, &field)).collect();
                let values = values?;
                if values.iter().any(Value::is_null) {
                    return Err(self.untranslatable("null stands in a list"));
                }
                Ok(Filter::In { field, values })
            }
            (name, [left, right]) => {
                let Some(op) = operator(name) else {
                    return Err(self.untranslatable(&format!("`{name}` is no comparison")));
                };
                match self.field(left) {
                    Ok(field) => self.compare(field, op, right),
                    Err(fault) => match self.field(right) {
                        Ok(field) => self.compare(field, turned(op), left),
                        Err(_) => Err(fault),
                    },
                }
            }
            (name, _) => Err(self.untranslatable(&format!("`{name}` cannot be asked of an index"))),
        }
    }

    fn compare(&self, field: Field, op: Op, value: &IdedExpr) -> Result<Filter, String> {
        let value = self.value(value, &field)?;
        if value.is_null() && !matches!(op, Op::Equal | Op::NotEqual) {
            return Err(self.untranslatable("null is neither less nor more than anything"));
        }
        Ok(Filter::Compare { field, op, value })
    }

    fn field(&self, expression: &IdedExpr) -> Result<Field, String> {
        let Some(name) = path(expression) else {
            let what = "one side of a comparison is `record.<field>`, the other a value";
            return Err(self.untranslatable(what));
        };
        Field::named(self.definition, &name)
            .ok_or_else(|| self.untranslatable(&format!("`record.{name}` has no index")))
    }

    fn value(&self, expression: &IdedExpr, field: &Field) -> Result<Value, String> {
        let value = self.literal(expression)?;
        let fits = match (field.kind(), &value) {
            (_, Value::Null) | (IndexKind::Text, Value::String(_)) => true,
            (IndexKind::Number, Value::Number(_)) => true,
            (IndexKind::Time, Value::String(text)) => {
                chrono::DateTime::parse_from_rfc3339(text).is_ok()
            }
            _ => false,
        };
        if fits {
            return Ok(value);
        }
        let wanted = match field.kind() {
            IndexKind::Text => "a text",
            IndexKind::Number => "a number",
            IndexKind::Time => "a time such as timestamp('2026-03-14T22:05:00Z')",
        };
        Err(self.untranslatable(&format!("{value} is compared with what holds {wanted}")))
    }

    fn literal(&self, expression: &IdedExpr) -> Result<Value, String> {
        match &expression.expr {
            Expr::Literal(literal) => Ok(match literal {
                LiteralValue::Boolean(value) => Value::Bool(*value.inner()),
                LiteralValue::Int(value) => (*value.inner()).into(),
                LiteralValue::UInt(value) => (*value.inner()).into(),
                LiteralValue::Double(value) => {
                    serde_json::Number::from_f64(*value.inner()).map_or(Value::Null, Value::Number)
                }
                LiteralValue::String(text) => Value::String(text.inner().to_owned()),
                LiteralValue::Null => Value::Null,
                LiteralValue::Bytes(_) => {
                    return Err(self.untranslatable("bytes are no value here"));
                }
            }),
            Expr::Call(call) if call.func_name == "timestamp" => match call.args.as_slice() {
                [text] => self.literal(text),
                _ => Err(self.untranslatable("`timestamp` takes one text")),
            },
            Expr::Call(call) if call.func_name == operators::NEGATE => {
                match call.args.first().map(|inner| self.literal(inner)).transpose()? {
                    Some(Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
                        (Some(value), _) => Ok(value.saturating_neg().into()),
                        (None, Some(value)) => Ok((-value).into()),
                        (None, None) => Err(self.untranslatable("a number is out of range")),
                    },
                    _ => Err(self.untranslatable("only numbers are negated")),
                }
            }
            _ => Err(self.untranslatable("the other side of a comparison is a literal value")),
        }
    }

    fn untranslatable(&self, because: &str) -> String {
        let own = ["state", "number", "opened_at", "updated_at", "closed_at", "rev", "opened_by"];
        let indexed = self.definition.indexes();
        let fields: Vec<_> =
            own.into_iter().chain(indexed.iter().map(|(name, _)| name.as_str())).collect();
        format!(
            "`{}` cannot be answered from an index: {because}. Lists filter by {}, with ==, !=, <, <=, >, >=, in, &&, || and !",
            self.source,
            fields.join(", ")
        )
    }
}

/// `window.from` of `record.window.from`.
fn path(expression: &IdedExpr) -> Option<String> {
    let Expr::Select(select) = &expression.expr else { return None };
    if select.test {
        return None;
    }
    match &select.operand.expr {
        Expr::Ident(root) if root == "record" => Some(select.field.clone()),
        _ => Some(format!("{}.{}", path(&select.operand)?, select.field)),
    }
}

fn operator(name: &str) -> Option<Op> {
    Some(match name {
        operators::EQUALS => Op::Equal,
        operators::NOT_EQUALS => Op::NotEqual,
        operators::LESS => Op::Less,
        operators::LESS_EQUALS => Op::LessOrEqual,
        operators::GREATER => Op::Greater,
        operators::GREATER_EQUALS => Op::GreaterOrEqual,
        _ => return None,
    })
}

/// The comparison seen from its other side.
fn turned(op: Op) -> Op {
    match op {
        Op::Less => Op::Greater,
        Op::LessOrEqual => Op::GreaterOrEqual,
        Op::Greater => Op::Less,
        Op::GreaterOrEqual => Op::LessOrEqual,
        same => same,
    }
}

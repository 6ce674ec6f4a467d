//! A list's filter as SQL, in which nothing is ever unknown: a missing value equals null, and is
//! neither less nor more than anything.

use chrono::{DateTime, Utc};
use engine::{Field, Filter, IndexKind, Op, Record};
use kernel::{Refusal, Rule};
use sea_orm::{
    Condition, ExprTrait,
    sea_query::{Alias, DynIden, Expr, IntoIden, Value as SqlValue},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    entity::{
        record::{self, Column},
        standing,
    },
    slot,
    text::indexable,
};

/// A column with its table.
pub(crate) type Cell = (DynIden, DynIden);

/// The columns of one process.
pub(crate) struct Places<'a> {
    pub(crate) all: &'a slot::Places,
    pub(crate) process: &'a str,
}

impl Places<'_> {
    /// The table and column that a list walks for a field.
    pub(crate) fn column(&self, field: &Field) -> Result<Cell, Refusal> {
        let column = match field {
            Field::State => return Ok(of_standing(standing::Column::State)),
            Field::UpdatedAt => return Ok(of_standing(standing::Column::UpdatedAt)),
            Field::ClosedAt => return Ok(of_standing(standing::Column::ClosedAt)),
            Field::Number => Column::Number.into_iden(),
            Field::OpenedAt => Column::OpenedAt.into_iden(),
            Field::Revision => Column::Revision.into_iden(),
            Field::OpenedBy => Column::OpenedBy.into_iden(),
            Field::Indexed { name, kind } => {
                let place = self.all.of(self.process, name).filter(|place| place.kind == *kind);
                let place = place.ok_or_else(|| {
                    let message = format!("`{name}` has no index in `{}`", self.process);
                    Refusal::one(Rule::Invalid, "/filter", "filter", message)
                })?;
                if !self.all.is_filled(self.process, name) {
                    let message = format!("the index of `{name}` is new and still being filled");
                    return Err(Refusal::one(Rule::State, "/filter", "unfilled", message));
                }
                Alias::new(place.column()).into_iden()
            }
        };
        Ok((record::Entity.into_iden(), column))
    }

    pub(crate) fn is_nullable(&self, field: &Field) -> bool {
        matches!(field, Field::ClosedAt | Field::Indexed { .. })
    }
}

fn of_standing(column: standing::Column) -> Cell {
    (standing::Entity.into_iden(), column.into_iden())
}

/// Whether the field is one that changes at nearly every step, and is kept apart for it.
pub(crate) fn is_standing(field: &Field) -> bool {
    matches!(field, Field::State | Field::UpdatedAt | Field::ClosedAt)
}

/// Whether a filter asks for such a field.
pub(crate) fn asks_standing(filter: &Filter) -> bool {
    asks(filter, is_standing)
}

/// Whether a filter asks for a field that stands in the record itself.
pub(crate) fn asks_record(filter: &Filter) -> bool {
    asks(filter, |field| !is_standing(field))
}

fn asks(filter: &Filter, is_such: fn(&Field) -> bool) -> bool {
    match filter {
        Filter::Always(_) => false,
        Filter::Not(inner) => asks(inner, is_such),
        Filter::All(parts) | Filter::Any(parts) => parts.iter().any(|part| asks(part, is_such)),
        Filter::Compare { field, .. } | Filter::In { field, .. } => is_such(field),
    }
}

/// A value in the form that its column keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Typed {
    Text(String),
    Number(f64),
    Whole(i64),
    Time(DateTime<Utc>),
}

impl Typed {
    pub(crate) fn into_value(self) -> SqlValue {
        match self {
            Self::Text(text) => text.into(),
            Self::Number(number) => number.into(),
            Self::Whole(number) => number.into(),
            Self::Time(at) => at.into(),
        }
    }

    /// What a record has in a field.
    pub(crate) fn of(record: &Record, field: &Field) -> Option<Self> {
        Some(match field {
            Field::State => Self::Text(record.state.clone()),
            Field::Number => Self::Text(record.number.clone()),
            Field::OpenedBy => Self::Text(record.opened_by.clone()),
            Field::OpenedAt => Self::Time(record.opened_at),
            Field::UpdatedAt => Self::Time(record.updated_at),
            Field::ClosedAt => Self::Time(record.closed_at?),
            Field::Revision => Self::Whole(record.revision.cast_signed()),
            Field::Indexed { name, .. } => Self::read(record.indexed(name)?, field)?,
        })
    }

    /// A JSON value for a field; `None` when it cannot be in that column.
    pub(crate) fn read(value: &Value, field: &Field) -> Option<Self> {
        match field {
            Field::Revision => match value.as_i64() {
                Some(whole) => Some(Self::Whole(whole)),
                None => value.as_f64().map(Self::Number),
            },
            Field::State | Field::Number | Field::OpenedBy => {
                value.as_str().map(|text| Self::Text(indexable(text).into_owned()))
            }
            Field::OpenedAt | Field::UpdatedAt | Field::ClosedAt => {
                slot::as_time(value).map(Self::Time)
            }
            Field::Indexed { kind: IndexKind::Text, .. } => slot::as_text(value).map(Self::Text),
            Field::Indexed { kind: IndexKind::Number, .. } => {
                slot::as_number(value).map(Self::Number)
            }
            Field::Indexed { kind: IndexKind::Time, .. } => slot::as_time(value).map(Self::Time),
        }
    }

    /// Whether a cursor's value can have come from the field.
    pub(crate) fn fits(value: Option<&Self>, field: &Field) -> bool {
        matches!(
            (value, field),
            (None, Field::ClosedAt | Field::Indexed { .. })
                | (
                    Some(Self::Text(_)),
                    Field::State
                        | Field::Number
                        | Field::OpenedBy
                        | Field::Indexed { kind: IndexKind::Text, .. }
                )
                | (Some(Self::Number(_)), Field::Indexed { kind: IndexKind::Number, .. })
                | (Some(Self::Whole(_)), Field::Revision)
                | (
                    Some(Self::Time(_)),
                    Field::OpenedAt
                        | Field::UpdatedAt
                        | Field::ClosedAt
                        | Field::Indexed { kind: IndexKind::Time, .. }
                )
        )
    }
}

/// The filter as it is (`wanted`), or its opposite: negation is carried down to the comparisons,
/// so that indexes answer them and null is not the third truth.
pub(crate) fn condition(
    filter: &Filter,
    places: &Places<'_>,
    wanted: bool,
) -> Result<Condition, Refusal> {
    Ok(match (filter, wanted) {
        (Filter::Always(holds), _) => always(*holds == wanted),
        (Filter::Not(inner), _) => condition(inner, places, !wanted)?,
        (Filter::All(parts), true) | (Filter::Any(parts), false) => {
            let mut all = Condition::all().add(Expr::val(1).eq(1));
            for part in parts {
                all = all.add(condition(part, places, wanted)?);
            }
            all
        }
        (Filter::Any(parts), true) | (Filter::All(parts), false) => {
            let mut any = Condition::any().add(Expr::val(1).eq(0));
            for part in parts {
                any = any.add(condition(part, places, wanted)?);
            }
            any
        }
        (Filter::Compare { field, op, value }, _) => compare(field, *op, value, places, wanted)?,
        (Filter::In { field, values }, _) => {
            let column = places.column(field)?;
            let values = values.iter().filter_map(|value| Typed::read(value, field));
            let values: Vec<_> = values.map(Typed::into_value).collect();
            if wanted {
                Condition::all().add(Expr::col(column).is_in(values))
            } else {
                or_missing(field, places, Expr::col(column.clone()).is_not_in(values), column)
            }
        }
    })
}

fn always(holds: bool) -> Condition {
    Condition::all().add(Expr::val(1).eq(i32::from(holds)))
}

fn or_missing(field: &Field, places: &Places<'_>, holds: Expr, column: Cell) -> Condition {
    let either = Condition::any().add(holds);
    if places.is_nullable(field) { either.add(Expr::col(column).is_null()) } else { either }
}

fn compare(
    field: &Field,
    op: Op,
    value: &Value,
    places: &Places<'_>,
    wanted: bool,
) -> Result<Condition, Refusal> {
    let column = places.column(field)?;
    let op = if wanted { op } else { opposite(op) };
    if value.is_null() {
        return Ok(match op {
            Op::Equal => Condition::all().add(Expr::col(column).is_null()),
            Op::NotEqual => Condition::all().add(Expr::col(column).is_not_null()),
            // Nothing is less or more than null, and everything is not.
            _ => always(!wanted),
        });
    }
    let counts_missing = match op {
        Op::NotEqual => true,
        Op::Equal => false,
        // Turned round by a negation: `!(x < 3)` holds where there is no x.
        _ => !wanted,
    };
    let Some(value) = Typed::read(value, field) else {
        // What the column cannot hold is like no value of it.
        return Ok(always(counts_missing));
    };
    let (cell, value) = (Expr::col(column.clone()), value.into_value());
    let holds = match op {
        Op::Equal => cell.eq(value),
        Op::NotEqual => cell.ne(value),
        Op::Less => cell.lt(value),
        Op::LessOrEqual => cell.lte(value),
        Op::Greater => cell.gt(value),
        Op::GreaterOrEqual => cell.gte(value),
    };
    Ok(if counts_missing {
        or_missing(field, places, holds, column)
    } else {
        Condition::all().add(holds)
    })
}

fn opposite(op: Op) -> Op {
    match op {
        Op::Equal => Op::NotEqual,
        Op::NotEqual => Op::Equal,
        Op::Less => Op::GreaterOrEqual,
        Op::LessOrEqual => Op::Greater,
        Op::Greater => Op::LessOrEqual,
        Op::GreaterOrEqual => Op::Less,
    }
}

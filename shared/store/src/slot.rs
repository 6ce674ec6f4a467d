//! Which typed column holds an indexed field: assigned once, stable for ever.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use engine::{IndexKind, Record, Ruleset};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
    sea_query::{Alias, Expr, OnConflict, Query},
};
use serde_json::Value;

use crate::{
    StoreError,
    entity::{record, slot},
    read::record_of,
    text,
};

pub(crate) const TEXTS: usize = 8;
pub(crate) const NUMBERS: usize = 4;
pub(crate) const TIMES: usize = 4;

/// A typed column of the record table, by its place among those of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) kind: IndexKind,
    pub(crate) position: usize,
}

impl Place {
    fn word(kind: IndexKind) -> (&'static str, usize) {
        match kind {
            IndexKind::Text => ("text", TEXTS),
            IndexKind::Number => ("number", NUMBERS),
            IndexKind::Time => ("time", TIMES),
        }
    }

    /// `text3`
    pub(crate) fn column(self) -> String {
        format!("{}{}", Self::word(self.kind).0, self.position + 1)
    }

    fn parse(column: &str) -> Option<Self> {
        [IndexKind::Text, IndexKind::Number, IndexKind::Time].into_iter().find_map(|kind| {
            let (word, count) = Self::word(kind);
            let position = column.strip_prefix(word)?.parse::<usize>().ok()?.checked_sub(1)?;
            (position < count).then_some(Self { kind, position })
        })
    }
}

/// Columns of the record table that have an index of their own. A step that changes none of them,
/// as most do, costs no write to an index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Columns(u32);

impl Columns {
    const AUDIENCE: u32 = 1 << 31;

    /// The same and the column of a field.
    pub(crate) fn with(self, place: Place) -> Self {
        let before = match place.kind {
            IndexKind::Text => 0,
            IndexKind::Number => TEXTS,
            IndexKind::Time => TEXTS + NUMBERS,
        };
        Self(self.0 | 1 << (before + place.position))
    }

    /// The same and the audience.
    pub(crate) fn with_audience(self) -> Self {
        Self(self.0 | Self::AUDIENCE)
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// `audience`, `text3`
    pub(crate) fn names(self) -> Vec<String> {
        let kinds =
            [(IndexKind::Text, TEXTS), (IndexKind::Number, NUMBERS), (IndexKind::Time, TIMES)];
        let places = kinds
            .into_iter()
            .flat_map(|(kind, count)| (0..count).map(move |position| Place { kind, position }));
        let is_in = |place: &Place| self.and(Self::default().with(*place)) == self;
        let fields = places.filter(is_in).map(Place::column);
        let audience = (self.0 & Self::AUDIENCE != 0).then(|| "audience".to_owned());
        audience.into_iter().chain(fields).collect()
    }
}

/// The values of one record's indexed fields, each in its place.
#[derive(Default)]
pub(crate) struct Slotted {
    pub(crate) text: [Option<String>; TEXTS],
    pub(crate) number: [Option<f64>; NUMBERS],
    pub(crate) time: [Option<DateTime<Utc>>; TIMES],
}

/// The places of every process.
#[derive(Default)]
pub(crate) struct Places(HashMap<String, Vec<(String, Place)>>);

impl Places {
    pub(crate) fn of(&self, process: &str, field: &str) -> Option<Place> {
        self.0.get(process)?.iter().find(|(name, _)| name == field).map(|(_, place)| *place)
    }

    /// The values of a record's indexed fields.
    pub(crate) fn slotted(&self, record: &Record) -> Slotted {
        let mut slotted = Slotted::default();
        for (field, place) in self.0.get(&record.process).map_or(&[][..], Vec::as_slice) {
            let Some(value) = record.data.get(field) else { continue };
            match place.kind {
                IndexKind::Text => slotted.text[place.position] = as_text(value),
                IndexKind::Number => slotted.number[place.position] = as_number(value),
                IndexKind::Time => slotted.time[place.position] = as_time(value),
            }
        }
        slotted
    }
}

pub(crate) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text::indexable(text).into_owned()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

pub(crate) fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::Bool(yes) => Some(f64::from(u8::from(*yes))),
        _ => None,
    }
}

pub(crate) fn as_time(value: &Value) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
    Some(kernel::instant(at.with_timezone(&Utc)))
}

/// Reads the places of all processes; fields that have none yet get the next free one.
///
/// Also answers which processes got a place for a field, because records that are there already
/// have nothing in it.
pub(crate) async fn assign(
    db: &DatabaseConnection,
    rules: &Ruleset,
) -> Result<(Places, Vec<String>), StoreError> {
    let mut grown = Vec::new();
    for definition in rules.processes() {
        // Another replica may take the place that we chose: look again.
        while let Some(missing) = next_missing(db, definition).await? {
            let row = slot::ActiveModel {
                process: Set(definition.process.clone()),
                field: Set(missing.0),
                place: Set(missing.1),
            };
            slot::Entity::insert(row)
                .on_conflict(OnConflict::new().do_nothing().to_owned())
                .exec_without_returning(db)
                .await?;
            if grown.last() != Some(&definition.process) {
                grown.push(definition.process.clone());
            }
        }
    }
    let mut places = Places::default();
    for row in slot::Entity::find().all(db).await? {
        if let Some(place) = Place::parse(&row.place) {
            places.0.entry(row.process).or_default().push((row.field, place));
        }
    }
    Ok((places, grown))
}

async fn next_missing(
    db: &impl ConnectionTrait,
    definition: &engine::Definition,
) -> Result<Option<(String, String)>, StoreError> {
    let taken =
        slot::Entity::find().filter(slot::Column::Process.eq(&definition.process)).all(db).await?;
    let place_of = |field: &str| taken.iter().find(|row| row.field == field).map(|row| &row.place);
    for (field, kind) in definition.indexes() {
        let place = place_of(&field).and_then(|place| Place::parse(place));
        match place {
            Some(place) if place.kind == kind => continue,
            // A field whose kind changed would need a second name: its column keeps its type.
            Some(place) => {
                return Err(StoreError::SlotKind {
                    process: definition.process.clone(),
                    field,
                    column: place.column(),
                });
            }
            None => {}
        }
        let (_, count) = Place::word(kind);
        let free = (0..count)
            .map(|position| Place { kind, position }.column())
            .find(|column| taken.iter().all(|row| row.place != *column));
        return match free {
            Some(column) => Ok(Some((field, column))),
            None => Err(StoreError::NoSlot {
                process: definition.process.clone(),
                field,
                kind: Place::word(kind).0,
                count,
            }),
        };
    }
    Ok(None)
}

/// Records of one page when a new column is filled.
const FILLED_AT_ONCE: u64 = 500;

/// Fills the columns of records that were there before a field had one.
pub(crate) async fn fill(
    db: &DatabaseConnection,
    places: &Places,
    process: &str,
) -> Result<(), StoreError> {
    let mut after = uuid::Uuid::nil();
    loop {
        let rows = record::Entity::find()
            .filter(record::Column::Process.eq(process))
            .filter(record::Column::Id.gt(after))
            .order_by_asc(record::Column::Id)
            .limit(FILLED_AT_ONCE)
            .all(db)
            .await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.id;
        for row in rows {
            let (id, revision) = (row.id, row.revision);
            let Ok(record) = record_of(row, Vec::new()) else { continue };
            let slotted = places.slotted(&record);
            let mut update = Query::update();
            update.table(record::Entity);
            for (_, place) in places.0.get(process).map_or(&[][..], Vec::as_slice) {
                let value = match place.kind {
                    IndexKind::Text => Expr::val(slotted.text[place.position].clone()),
                    IndexKind::Number => Expr::val(slotted.number[place.position]),
                    IndexKind::Time => Expr::val(slotted.time[place.position]),
                };
                update.value(Alias::new(place.column()), value);
            }
            // A record that changes meanwhile fills its columns itself.
            update
                .and_where(Expr::col(record::Column::Id).eq(id))
                .and_where(Expr::col(record::Column::Revision).eq(revision));
            db.execute(&update).await?;
        }
    }
}

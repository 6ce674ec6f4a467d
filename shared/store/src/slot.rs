//! Which typed column holds an indexed field: assigned once, stable for ever.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use engine::{IndexKind, Record, Ruleset};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::OnConflict,
};
use serde_json::Value;

use crate::{
    StoreError,
    dialect::{Failure, Lock, Pools, Tx},
    entity::{record, slot},
    payload,
    row::RecordRow,
    text,
};

pub(crate) const TEXTS: usize = IndexKind::Text.columns();
pub(crate) const NUMBERS: usize = IndexKind::Number.columns();
pub(crate) const TIMES: usize = IndexKind::Time.columns();

/// A typed column of the record table, by its place among those of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) kind: IndexKind,
    pub(crate) position: usize,
}

impl Place {
    /// `text3`
    pub(crate) fn column(self) -> String {
        format!("{}{}", self.kind.word(), self.position + 1)
    }

    fn parse(column: &str) -> Option<Self> {
        [IndexKind::Text, IndexKind::Number, IndexKind::Time].into_iter().find_map(|kind| {
            let position = column.strip_prefix(kind.word())?.parse::<usize>().ok()?;
            let position = position.checked_sub(1)?;
            (position < kind.columns()).then_some(Self { kind, position })
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

/// Where one field of a process is kept.
struct Kept {
    field: String,
    place: Place,
    /// Also of the records that were there before the field had a column.
    is_filled: bool,
}

/// The places of every process.
#[derive(Default)]
pub(crate) struct Places(HashMap<String, Vec<Kept>>);

impl Places {
    pub(crate) async fn read(db: &impl ConnectionTrait) -> Result<Self, StoreError> {
        let mut places = Self::default();
        for row in slot::Entity::find().all(db).await? {
            if let Some(place) = Place::parse(&row.place) {
                let kept = Kept { field: row.field, place, is_filled: row.filled != 0 };
                places.0.entry(row.process).or_default().push(kept);
            }
        }
        Ok(places)
    }

    fn kept(&self, process: &str) -> &[Kept] {
        self.0.get(process).map_or(&[], Vec::as_slice)
    }

    /// The column of a field.
    pub(crate) fn of(&self, process: &str, field: &str) -> Option<Place> {
        self.kept(process).iter().find(|kept| kept.field == field).map(|kept| kept.place)
    }

    /// Where a field of the data is written to: both ends of a window have a place.
    pub(crate) fn filled_by(&self, process: &str, field: &str) -> impl Iterator<Item = Place> {
        let is_its = move |kept: &&Kept| kept.field.split('.').next() == Some(field);
        self.kept(process).iter().filter(is_its).map(|kept| kept.place)
    }

    /// Whether every record has the field's value in its column.
    pub(crate) fn is_filled(&self, process: &str, field: &str) -> bool {
        self.kept(process).iter().any(|kept| kept.field == field && kept.is_filled)
    }

    /// The processes with a column that is still to be filled.
    pub(crate) fn unfilled(&self) -> Vec<String> {
        let lacks = |kept: &Vec<Kept>| kept.iter().any(|kept| !kept.is_filled);
        let processes = self.0.iter().filter(|(_, kept)| lacks(kept));
        processes.map(|(process, _)| process.clone()).collect()
    }

    /// The fields of a process that have a column.
    pub(crate) fn fields(&self, process: &str) -> Vec<String> {
        self.kept(process).iter().map(|kept| kept.field.clone()).collect()
    }

    /// The columns of a process.
    fn columns(&self, process: &str) -> Columns {
        self.kept(process).iter().map(|kept| kept.place).fold(Columns::default(), Columns::with)
    }

    /// The values of a record's indexed fields.
    pub(crate) fn slotted(&self, record: &Record) -> Slotted {
        let mut slotted = Slotted::default();
        for Kept { field, place, .. } in self.kept(&record.process) {
            let Some(value) = record.indexed(field) else { continue };
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

/// Gives indexed fields that have no column yet the next free one. Records that are there already
/// have nothing in it.
pub(crate) async fn assign(db: &impl ConnectionTrait, rules: &Ruleset) -> Result<(), StoreError> {
    for definition in rules.processes() {
        // Another replica may take the place that we chose: look again.
        while let Some(missing) = next_missing(db, definition).await? {
            let row = slot::ActiveModel {
                process: Set(definition.process.clone()),
                field: Set(missing.0),
                place: Set(missing.1),
                filled: Set(0),
            };
            slot::Entity::insert(row)
                .on_conflict(OnConflict::new().do_nothing().to_owned())
                .exec_without_returning(db)
                .await?;
        }
    }
    Ok(())
}

/// Whether there are columns for all that a definition indexes.
pub(crate) async fn fits(
    db: &impl ConnectionTrait,
    definition: &engine::Definition,
) -> Result<(), StoreError> {
    let taken =
        slot::Entity::find().filter(slot::Column::Process.eq(&definition.process)).all(db).await?;
    let mut taken: Vec<_> = taken.into_iter().map(|row| (row.field, row.place)).collect();
    while let Some(missing) = missing(&taken, definition)? {
        taken.push(missing);
    }
    Ok(())
}

async fn next_missing(
    db: &impl ConnectionTrait,
    definition: &engine::Definition,
) -> Result<Option<(String, String)>, StoreError> {
    let taken =
        slot::Entity::find().filter(slot::Column::Process.eq(&definition.process)).all(db).await?;
    let taken: Vec<_> = taken.into_iter().map(|row| (row.field, row.place)).collect();
    missing(&taken, definition)
}

/// The first field without a column, and the column that it gets.
fn missing(
    taken: &[(String, String)],
    definition: &engine::Definition,
) -> Result<Option<(String, String)>, StoreError> {
    let place_of = |name: &str| taken.iter().find(|(field, _)| field == name);
    for (field, kind) in definition.indexes() {
        let place = place_of(&field).and_then(|(_, place)| Place::parse(place));
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
        let count = kind.columns();
        let free = (0..count)
            .map(|position| Place { kind, position }.column())
            .find(|column| taken.iter().all(|(_, place)| place != column));
        return match free {
            Some(column) => Ok(Some((field, column))),
            None => Err(StoreError::NoSlot {
                process: definition.process.clone(),
                field,
                kind: kind.word(),
                count,
            }),
        };
    }
    Ok(None)
}

/// Records of one page when a new column is filled.
const FILLED_AT_ONCE: u64 = 500;

/// Fills the columns of records that were there before a field had one, each page under its locks:
/// what others are writing just now is there before, or sees the field after.
pub(crate) async fn fill(pools: &Pools, places: &Places, process: &str) -> Result<(), StoreError> {
    let columns = places.columns(process);
    let mut after = uuid::Uuid::nil();
    loop {
        let ids: Vec<uuid::Uuid> = record::Entity::find()
            .select_only()
            .column(record::Column::Id)
            .filter(record::Column::Process.eq(process))
            .filter(record::Column::Id.gt(after))
            .order_by_asc(record::Column::Id)
            .limit(FILLED_AT_ONCE)
            .into_tuple()
            .all(&pools.write)
            .await?;
        let Some(last) = ids.last() else { return Ok(()) };
        after = *last;
        fill_page(pools, places, columns, &ids).await.map_err(sqlx::Error::from)?;
    }
}

async fn fill_page(
    pools: &Pools,
    places: &Places,
    columns: Columns,
    ids: &[uuid::Uuid],
) -> Result<(), Failure> {
    let mut tx = Tx::begin(&pools.batches).await?;
    let loaded = tx.records(ids, Lock::Wait).await?;
    let data: Vec<String> = loaded.iter().map(|loaded| payload::data_of(&loaded.record)).collect();
    let rows = loaded.iter().zip(&data).map(|(loaded, data)| RecordRow {
        record: &loaded.record,
        data,
        audience: loaded.audience,
        head: &loaded.head,
        slots: places.slotted(&loaded.record),
    });
    tx.update_records(columns, &rows.collect::<Vec<_>>()).await?;
    tx.commit().await
}

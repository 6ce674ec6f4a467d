//! JSON to CEL and back.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use cel::{
    Value as Cel,
    objects::{Key, Map as CelMap},
};
use chrono::{DateTime, Utc};
use kernel::Actor;
use serde_json::{Map, Number, Value};

use super::{Names, names::CHANGES};
use crate::{
    Bond, Links, Record,
    ledger::TASKS,
    record::{OWN_NAMES, rfc3339},
};

pub(super) fn from_json(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(value) => Cel::Bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => Cel::Int(value),
            (None, Some(value)) => Cel::UInt(value),
            // A JSON number that is no integer has an f64.
            (None, None) => Cel::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => Cel::String(Arc::new(text.clone())),
        Value::Array(items) => Cel::List(Arc::new(items.iter().map(from_json).collect())),
        Value::Object(entries) => of_map(entries),
    }
}

pub(super) fn of_map(entries: &Map<String, Value>) -> Cel {
    map(entries.iter().map(|(key, value)| (key.as_str(), from_json(value))))
}

fn map<'a>(entries: impl Iterator<Item = (&'a str, Cel)>) -> Cel {
    let map: HashMap<Key, Cel> =
        entries.map(|(key, value)| (Key::String(Arc::new(key.to_owned())), value)).collect();
    Cel::Map(CelMap { map: Arc::new(map) })
}

/// `None` for what JSON has no word for: functions, opaque values, numbers that are not finite.
pub(super) fn to_json(value: &Cel) -> Option<Value> {
    Some(match value {
        Cel::Null => Value::Null,
        Cel::Bool(value) => Value::Bool(*value),
        Cel::Int(value) => (*value).into(),
        Cel::UInt(value) => (*value).into(),
        Cel::Float(value) => Value::Number(Number::from_f64(*value)?),
        Cel::String(text) => Value::String(text.as_str().to_owned()),
        Cel::Timestamp(at) => rfc3339(at.with_timezone(&Utc)),
        Cel::Duration(span) => Value::String(format!("PT{}S", span.num_seconds())),
        Cel::List(items) => Value::Array(items.iter().map(to_json).collect::<Option<_>>()?),
        Cel::Map(entries) => {
            let mut object = Map::new();
            for (key, value) in entries.map.iter() {
                object.insert(key.to_string(), to_json(value)?);
            }
            Value::Object(object)
        }
        _ => return None,
    })
}

pub(super) fn of_instant(at: DateTime<Utc>) -> Cel {
    Cel::Timestamp(at.fixed_offset())
}

pub(super) fn of_actor(actor: &Actor) -> Cel {
    let texts = |items: &BTreeSet<String>| {
        Cel::List(Arc::new(items.iter().map(|item| Cel::String(Arc::new(item.clone()))).collect()))
    };
    map([
        ("id", Cel::String(Arc::new(actor.id.clone()))),
        ("name", Cel::String(Arc::new(actor.name.clone()))),
        ("roles", texts(&actor.roles)),
        ("groups", texts(&actor.groups)),
    ]
    .into_iter())
}

/// A record's links, unless nobody read them.
pub(super) fn of_links(links: &Links) -> Option<Cel> {
    let text = |text: &str| Cel::String(Arc::new(text.to_owned()));
    let of_bond = |bond: &Bond| {
        let id = Some(bond.to.id).filter(|id| !id.is_nil());
        let members = [
            ("type", text(&bond.relation)),
            ("id", id.map_or(Cel::Null, |id| text(&id.to_string()))),
            ("number", text(&bond.to.number)),
            ("process", text(&bond.to.process)),
            ("confirmed", Cel::Bool(bond.is_confirmed)),
        ];
        map(members.into_iter())
    };
    Some(Cel::List(Arc::new(links.bonds()?.iter().map(of_bond).collect())))
}

/// The fields of an event that an expression names, null where the event lacks them; all of it
/// where the expression uses it as a whole.
pub(super) fn of_event(event: &Value, names: &Names) -> Cel {
    let Value::Object(entries) = event else { return from_json(event) };
    let named = names.event_fields.iter().map(|name| {
        let value = entries.get(name);
        let value = if name == CHANGES {
            of_changes(value, &names.event_changes)
        } else {
            value.map_or(Cel::Null, from_json)
        };
        (name.as_str(), value)
    });
    if !names.whole.contains("event") {
        return map(named);
    }
    map(entries.iter().map(|(key, value)| (key.as_str(), from_json(value))).chain(named))
}

/// What an event changed, with null for each named field that it did not change.
fn of_changes(changes: Option<&Value>, named: &BTreeSet<String>) -> Cel {
    let nothing = Map::new();
    let entries = match changes {
        Some(Value::Object(entries)) => entries,
        None | Some(Value::Null) if !named.is_empty() => &nothing,
        other => return other.map_or(Cel::Null, from_json),
    };
    let named = named.iter().map(|name| (name.as_str(), Cel::Null));
    map(named.chain(entries.iter().map(|(key, value)| (key.as_str(), from_json(value)))))
}

/// The fields of a record that an expression names; all of it where it is used as a whole.
pub(super) fn of_record(record: &Record, fields: &[String], names: &Names) -> Cel {
    if names.whole.contains("record") {
        let fields = fields.iter().map(String::as_str).chain(OWN_NAMES);
        return map(fields.map(|name| (name, of_field(record, name))));
    }
    map(names.record_fields.iter().map(|name| (name.as_str(), of_field(record, name))))
}

/// The tasks of a record, none where it has none.
pub(super) fn of_tasks(record: &Record) -> Cel {
    let none = || Cel::List(Arc::default());
    record.data.get(TASKS).map_or_else(none, from_json)
}

fn of_field(record: &Record, name: &str) -> Cel {
    let text = |text: &str| Cel::String(Arc::new(text.to_owned()));
    match name {
        "id" => text(&record.id.to_string()),
        "number" => text(&record.number),
        "process" => text(&record.process),
        "state" => text(&record.state),
        "revision" => Cel::Int(i64::try_from(record.revision).unwrap_or(i64::MAX)),
        "opened_at" => of_instant(record.opened_at),
        "updated_at" => of_instant(record.updated_at),
        "entered_at" => of_instant(record.entered_at),
        "closed_at" => record.closed_at.map_or(Cel::Null, of_instant),
        "opened_by" => text(&record.opened_by),
        field => record.data.get(field).map_or(Cel::Null, from_json),
    }
}

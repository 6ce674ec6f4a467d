//! What happened: one revision of one record, complete enough to be replayed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kernel::Channel;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{Linked, Notice};

/// The outcome of a command. Everything that [`crate::apply`] and the store need is in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// `opened`, `amended`, `commented`, `file_attached`, `linked`, `unlinked`, `notified`, or what the
    /// transition says (`resolved`).
    pub event: String,
    /// When it happened; the journal's own time says when it was recorded.
    pub at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<Opened>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The role that the actor used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Field to old and new value; a removed field's new value is null.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changes: BTreeMap<String, (Value, Value)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// A file that belongs to the record from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment: Option<Attachment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// A tie that is no more, as this end called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlink: Option<Link>,
    /// What a record of another service began with its end of a tie is followed at this one: nobody
    /// there need follow it in turn.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_answer: bool,
    /// Who is to be told of it, and what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
    /// What is no longer told of the record, by whose wish and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erasure: Option<Erasure>,
    /// The version of its definition that the record goes over to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration: Option<Migrated>,
    /// The record's audience, when it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Vec<String>>,
    /// What was asked of schemes, with their versions: `{"schemes": {"priority": 1}}`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub computed: Map<String, Value>,
    /// All timers of the record from now on, when they changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timers: Option<Vec<Timer>>,
    /// Timers set anew beside those that there are, when `timers` is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_timers: Vec<Timer>,
    /// Transitions that are waited for no more, when `timers` is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fewer_timers: Vec<String>,
    /// The record has reached a state that nothing leaves.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_final: bool,
    pub channel: Channel,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub implied: bool,
}

/// The birth of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    pub id: Uuid,
    pub number: String,
    pub process: String,
    pub definition: u32,
    pub by: String,
}

/// A file of a record: what it is called, and what tells whether its bytes are those that were attached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    pub name: String,
    /// `image/png`, as its sender says.
    pub media_type: String,
    /// In bytes.
    pub size: u64,
    /// SHA-256 of the bytes, in hexadecimal digits.
    pub digest: String,
}

/// A typed tie to another record, seen from both ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub relation: String,
    /// How the other end calls it.
    pub inverse: String,
    pub to: Linked,
}

/// What was taken out of a record and its history for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// Fields whose values are gone.
    pub fields: Vec<String>,
    /// Revisions whose content is gone: those chosen, and those that showed the fields.
    pub revisions: Vec<u64>,
    pub reason: String,
}

/// From which version of its definition to which a record went over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Migrated {
    pub from: u32,
    pub to: u32,
}

/// A transition that the record will take by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    pub transition: String,
    pub due: DateTime<Utc>,
}

/// What differs between two states of a record's data.
#[must_use]
pub fn change_set(
    old: &Map<String, Value>,
    new: &Map<String, Value>,
) -> BTreeMap<String, (Value, Value)> {
    let mut changes = BTreeMap::new();
    for (field, value) in new {
        let before = old.get(field);
        if before != Some(value) && !(before.is_none() && value.is_null()) {
            changes.insert(field.clone(), (before.cloned().unwrap_or_default(), value.clone()));
        }
    }
    for (field, value) in old {
        if !new.contains_key(field) && !value.is_null() {
            changes.insert(field.clone(), (value.clone(), Value::Null));
        }
    }
    changes
}

//! Where one case stands.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    Linked, Links,
    expression::{Bounded, Kind},
};

/// A record of a process: the fold of its facts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub id: Uuid,
    pub process: String,
    /// `INC0000042`: never reused.
    pub number: String,
    /// The version of the definition that it was born with.
    pub definition: u32,
    pub state: String,
    /// Rises by one with each fact.
    pub revision: u64,
    pub data: Map<String, Value>,
    /// Who may see it, as tokens.
    pub audience: Vec<String>,
    pub opened_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// When the present state was entered.
    pub entered_at: DateTime<Utc>,
    /// When a final state was entered.
    pub closed_at: Option<DateTime<Utc>>,
    pub opened_by: String,
    /// What expressions know as `links`.
    #[serde(skip)]
    pub links: Links,
}

/// The names under which expressions know what every record has.
pub(crate) const OWN_NAMES: [&str; 10] = [
    "id",
    "number",
    "process",
    "state",
    "revision",
    "opened_at",
    "updated_at",
    "entered_at",
    "closed_at",
    "opened_by",
];

/// What kinds of values they have.
pub(crate) fn own_kinds(states: &[String]) -> BTreeMap<String, Bounded> {
    let kinds = OWN_NAMES.map(|name| {
        let kind = match name {
            "revision" => Kind::Integer,
            "state" => Kind::Text(Some(states.into())),
            "opened_at" | "updated_at" | "entered_at" | "closed_at" => Kind::Instant,
            _ => Kind::TEXT,
        };
        (name.to_owned(), Bounded::new(kind))
    });
    kinds.into()
}

/// An instant as the API writes it: RFC 3339 in UTC, microseconds.
pub(crate) fn rfc3339(at: DateTime<Utc>) -> Value {
    Value::String(at.to_rfc3339_opts(SecondsFormat::Micros, true))
}

impl Record {
    /// The record as the API shows it, without offers.
    #[must_use]
    pub fn view(&self) -> Value {
        json!({
            "id": self.id,
            "number": self.number,
            "process": self.process,
            "definition": self.definition,
            "state": self.state,
            "rev": self.revision,
            "opened_at": rfc3339(self.opened_at),
            "updated_at": rfc3339(self.updated_at),
            "closed_at": self.closed_at.map(rfc3339),
            "opened_by": self.opened_by,
            "data": self.data,
        })
    }

    /// The value that lists know under a name: that of a field, or of an end of a window
    /// (`window.from`).
    #[must_use]
    pub fn indexed(&self, name: &str) -> Option<&Value> {
        match name.split_once('.') {
            Some((window, end)) => self.data.get(window)?.get(end),
            None => self.data.get(name),
        }
    }

    /// The same record with other data.
    pub(crate) fn with_data(&self, data: Map<String, Value>) -> Self {
        Self {
            id: self.id,
            process: self.process.clone(),
            number: self.number.clone(),
            definition: self.definition,
            state: self.state.clone(),
            revision: self.revision,
            data,
            audience: self.audience.clone(),
            opened_at: self.opened_at,
            updated_at: self.updated_at,
            entered_at: self.entered_at,
            closed_at: self.closed_at,
            opened_by: self.opened_by.clone(),
            links: self.links.clone(),
        }
    }

    /// What a link to this record names.
    #[must_use]
    pub fn linked(&self) -> Linked {
        Linked { id: self.id, number: self.number.clone(), process: self.process.clone() }
    }
}

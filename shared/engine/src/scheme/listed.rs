//! What there is, as a list or a tree: entries with their attributes, each from when to when it counts.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

/// The entries of a list scheme, or of a tree.
#[derive(Debug, Default)]
pub struct Listed {
    /// Entry to its attributes.
    pub(super) entries: Map<String, Value>,
    /// An open one also takes what it does not list.
    pub(super) is_open: bool,
    /// Entries that do not count at all times.
    pub(super) dates: BTreeMap<String, Dates>,
    /// Of a tree: entry to the one above it.
    pub(super) above: Option<BTreeMap<String, String>>,
}

/// From when, and until when, something counts. A time without an end is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dates {
    pub from: Option<DateTime<Utc>>,
    /// What counts until then counts no more at that instant.
    pub to: Option<DateTime<Utc>>,
}

impl Dates {
    fn contain(self, at: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }
}

impl Listed {
    /// The attributes of an entry, where it counts at that instant.
    #[must_use]
    pub fn get(&self, key: &str, at: DateTime<Utc>) -> Option<&Value> {
        self.entries.get(key).filter(|_| self.counts(key, at))
    }

    /// Every entry that counts at an instant, with its attributes.
    pub fn counting(&self, at: DateTime<Utc>) -> impl Iterator<Item = (&str, &Value)> {
        let counts = move |(key, _): &(&str, &Value)| self.counts(key, at);
        self.entries.iter().map(|(key, value)| (key.as_str(), value)).filter(counts)
    }

    fn counts(&self, key: &str, at: DateTime<Utc>) -> bool {
        self.dates.get(key).is_none_or(|dates| dates.contain(at))
    }

    /// Whether an entry is another, or below it, at that instant; nothing is below in a plain list.
    pub(crate) fn is_under(&self, key: &str, top: &str, at: DateTime<Utc>) -> Option<bool> {
        let above = self.above.as_ref()?;
        // A tree without rings, so this ends.
        let mut path = std::iter::successors(Some(key), |key| above.get(*key).map(String::as_str));
        Some(self.counts(key, at) && path.any(|step| step == top))
    }

    /// Why a record may not name this entry at an instant: a sentence.
    pub(crate) fn refuses(&self, scheme: &str, key: &str, at: DateTime<Utc>) -> Option<String> {
        if !self.entries.contains_key(key) {
            let known: Vec<_> = self.counting(at).map(|(key, _)| key).take(8).collect();
            let message = || format!("there is no {scheme} `{key}`; there is {}", known.join(", "));
            return (!self.is_open).then(message);
        }
        let dates = self.dates.get(key).filter(|dates| !dates.contain(at))?;
        Some(match (dates.from, dates.to) {
            (Some(from), _) if at < from => format!("the {scheme} `{key}` counts from {from}"),
            (_, Some(to)) => format!("the {scheme} `{key}` counted until {to}"),
            _ => return None,
        })
    }
}

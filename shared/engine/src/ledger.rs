//! What a record keeps by itself beside what people fill in: votes, debts, and who did what.
//!
//! It stands in the record's data under names of its own, so that histories, events, expressions
//! and replays know it like any field. A definition that asks for none of it has none of it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

/// Votes that count now, oldest first.
pub(crate) const VOTES: &str = "votes";
/// What is still owed.
pub(crate) const DEBTS: &str = "debts";
/// Transition to the persons who took it, where a control asks for them.
pub(crate) const ACTED: &str = "acted";

/// What is to be done beside the states.
pub(crate) const TASKS: &str = "tasks";

/// What must be done again and again.
pub(crate) const OBLIGATIONS: &str = "obligations";
/// When the first of all that is owed is due.
pub(crate) const NEXT_DUTY: &str = "next_duty";

/// Names that no field of a definition may have.
pub(crate) const NAMES: [&str; 6] = [VOTES, DEBTS, ACTED, TASKS, OBLIGATIONS, NEXT_DUTY];

/// Those of them that every step may change.
pub(crate) const DUTIES: [&str; 3] = [VOTES, DEBTS, ACTED];

/// A task of the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Task {
    /// From 1, never used again.
    pub id: u32,
    pub title: String,
    /// `person:PER0000001`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// Tasks that come before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<u32>,
    pub state: TaskState,
    /// Nothing of it is left to do: it is done or dropped.
    pub done: bool,
    /// Who did or dropped it, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TaskState {
    Open,
    Done,
    Dropped,
}

/// A vote as it was cast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cast {
    pub transition: String,
    /// `person:PER0000001`, and as they were called then.
    pub by: String,
    pub name: String,
    pub vote: Opinion,
    /// To whom the vote was handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Who handed the vote over.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<String>,
    pub at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Opinion {
    Approve,
    Reject,
    /// Somebody else votes.
    Delegate,
}

/// A transition that must still be taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Debt {
    pub transition: String,
    /// The transition that made the debt, and who took it.
    pub owed_for: String,
    pub by: String,
    pub since: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    pub overdue: bool,
}

/// An obligation of the record, and when it is due next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Owed {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// `P1Y`, and the instant or date that it is counted from.
    pub every: String,
    pub from: String,
    pub due_at: DateTime<Utc>,
    pub overdue: bool,
    /// How many reminders lie behind.
    pub reminders: u32,
    /// How often it was done, and how often of these too late.
    pub done: u32,
    pub late: u32,
    /// When it was done last, and by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_by: Option<String>,
}

impl Owed {
    /// One that begins.
    pub fn first(name: &str, due_at: DateTime<Utc>, reminders: u32) -> Self {
        Self {
            name: name.to_owned(),
            owner: None,
            every: String::new(),
            from: String::new(),
            due_at,
            overdue: false,
            reminders,
            done: 0,
            late: 0,
            done_at: None,
            done_by: None,
        }
    }

    /// Whether both wait for the same moment.
    pub fn waits_as(&self, other: &Self) -> bool {
        (self.due_at, self.overdue, self.reminders)
            == (other.due_at, other.overdue, other.reminders)
    }
}

/// Reads a part of the ledger; what is not there is empty.
pub(crate) fn read<T: DeserializeOwned>(data: &Map<String, Value>, name: &str) -> Vec<T> {
    // Only the engine writes it, so what is there can be read.
    data.get(name).and_then(|kept| Vec::deserialize(kept).ok()).unwrap_or_default()
}

/// Writes a part of the ledger; what is empty is not there.
pub(crate) fn write<T: Serialize>(data: &mut Map<String, Value>, name: &str, kept: &[T]) {
    if kept.is_empty() {
        data.remove(name);
    } else {
        data.insert(name.to_owned(), json!(kept));
    }
}

/// Who took a transition.
pub(crate) fn actors<'a>(data: &'a Map<String, Value>, transition: &str) -> Vec<&'a str> {
    let kept = data.get(ACTED).and_then(|acted| acted.get(transition)).and_then(Value::as_array);
    kept.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Whether a transition was taken, and what it meant still stands.
pub(crate) fn was_taken(data: &Map<String, Value>, transition: &str) -> bool {
    data.get(ACTED).is_some_and(|acted| acted.get(transition).is_some())
}

/// Notes who took a transition.
pub(crate) fn note(data: &mut Map<String, Value>, transition: &str, actor: &str) {
    let acted = data.entry(ACTED).or_insert_with(|| json!({}));
    if let Value::Object(acted) = acted
        && let Value::Array(actors) =
            acted.entry(transition).or_insert_with(|| Value::Array(Vec::new()))
        && !actors.iter().any(|known| known == actor)
    {
        actors.push(actor.into());
    }
}

/// What a transition meant stands no more.
pub(crate) fn forget(data: &mut Map<String, Value>, transition: &str) {
    if let Some(Value::Object(acted)) = data.get_mut(ACTED) {
        acted.remove(transition);
    }
}

/// The JSON Schema of a part of the ledger, as a field that nobody fills in.
pub(crate) fn schema(name: &str) -> Value {
    let text = json!({ "type": "string" });
    let instant = json!({ "type": "string", "format": "date-time" });
    let most = 1_000;
    match name {
        VOTES => json!({ "type": "array", "maxItems": most, "readOnly": true, "items": {
            "type": "object",
            "properties": {
                "transition": text, "by": text, "name": text, "for": text, "to": text,
                "vote": { "enum": ["approve", "reject", "delegate"] }, "at": instant,
            },
            "additionalProperties": false,
        } }),
        DEBTS => json!({ "type": "array", "maxItems": most, "readOnly": true, "items": {
            "type": "object",
            "properties": {
                "transition": text, "owed_for": text, "by": text, "since": instant,
                "due_at": instant, "overdue": { "type": "boolean" },
            },
            "additionalProperties": false,
        } }),
        TASKS => json!({ "type": "array", "maxItems": most, "readOnly": true, "items": {
            "type": "object",
            "properties": {
                "id": { "type": "integer" }, "title": text, "assignee": text, "by": text,
                "after": { "type": "array", "items": { "type": "integer" } },
                "state": { "enum": ["open", "done", "dropped"] },
                "done": { "type": "boolean" }, "at": instant,
            },
            "additionalProperties": false,
        } }),
        OBLIGATIONS => json!({ "type": "array", "maxItems": most, "readOnly": true, "items": {
            "type": "object",
            "properties": {
                "name": text, "owner": text, "every": text, "from": text, "due_at": instant,
                "overdue": { "type": "boolean" }, "reminders": { "type": "integer" },
                "done": { "type": "integer" }, "late": { "type": "integer" },
                "done_at": instant, "done_by": text,
            },
            "additionalProperties": false,
        } }),
        NEXT_DUTY => json!({
            "type": "string", "format": "date-time", "readOnly": true, "index": "time",
        }),
        _ => json!({ "type": "object", "readOnly": true, "additionalProperties": {
            "type": "array", "items": text,
        } }),
    }
}

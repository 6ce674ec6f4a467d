//! Rows as the writer holds them, before a dialect turns them into statements.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use engine::Record;
use kernel::Cause;
use uuid::Uuid;

use crate::{
    audience::AudienceSet,
    chain::{Hash, Salt},
    slot::{Columns, Slotted},
};

/// A record as its row gives it; the audience is still the number of a set.
pub(crate) struct Loaded {
    pub(crate) record: Record,
    pub(crate) audience: i32,
    pub(crate) head: Hash,
    /// The newest edition of what is published.
    pub(crate) edition: i64,
}

/// How much of a record's row a batch writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Extent {
    /// What every step changes, and of the columns with an index of their own these.
    Change(Columns),
    /// It is not in the database yet.
    New,
}

/// A record as its row shall be.
pub(crate) struct RecordRow<'a> {
    pub(crate) record: &'a Record,
    pub(crate) data: &'a str,
    pub(crate) audience: i32,
    pub(crate) head: &'a Hash,
    /// Nothing where none of them changes.
    pub(crate) slots: Slotted,
}

pub(crate) struct JournalRow {
    pub(crate) event_id: Uuid,
    pub(crate) record: Arc<Record>,
    pub(crate) event_type: String,
    pub(crate) cause: Arc<Cause>,
    pub(crate) audience: Arc<AudienceSet>,
    pub(crate) payload: Vec<u8>,
    pub(crate) salt: Salt,
    pub(crate) digest: Hash,
    pub(crate) link: Hash,
}

impl JournalRow {
    pub(crate) fn revision(&self) -> i64 {
        self.record.revision.cast_signed()
    }
}

/// A journal row as it is there.
pub(crate) struct Kept {
    pub(crate) revision: u64,
    pub(crate) event_type: String,
    /// `None` when it was erased.
    pub(crate) payload: Option<Vec<u8>>,
    /// The bus has it.
    pub(crate) is_told: bool,
}

/// Revision, type and payload, and whether it waits for the bus.
pub(crate) type KeptColumns = (i64, String, Option<Vec<u8>>, bool);

impl From<KeptColumns> for Kept {
    fn from((revision, event_type, payload, waits): KeptColumns) -> Self {
        Self { revision: revision.cast_unsigned(), event_type, payload, is_told: !waits }
    }
}

pub(crate) struct TimerRow<'a> {
    pub(crate) record: Uuid,
    pub(crate) transition: &'a str,
    pub(crate) process: &'a str,
    pub(crate) due: DateTime<Utc>,
}

pub(crate) struct NewLink {
    pub(crate) record: Uuid,
    pub(crate) link: engine::Link,
    pub(crate) at: DateTime<Utc>,
}

/// A link to a record of another service, with what is known of that by now.
pub(crate) struct TieRow {
    pub(crate) inverse: String,
    pub(crate) other_process: String,
    pub(crate) other_id: Option<Uuid>,
    /// The tokens of its audience, as a JSON array.
    pub(crate) other_audience: Option<String>,
    pub(crate) at: DateTime<Utc>,
}

/// A record of ours, the relation, and the number of the other service's record.
pub(crate) type TieKey = (Uuid, String, String);

/// An outside key of a process, in the form that the index takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct HolderKey {
    pub(crate) process: String,
    pub(crate) key: String,
}

/// An idempotency key and what it did.
pub(crate) struct OnceRow {
    pub(crate) scope: String,
    pub(crate) key: String,
    pub(crate) digest: Vec<u8>,
    pub(crate) record: Option<Uuid>,
    pub(crate) revision: i64,
    pub(crate) at: DateTime<Utc>,
}

/// Its columns in their order.
pub(crate) type OnceColumns = (String, String, Vec<u8>, Option<Uuid>, i64, DateTime<Utc>);

impl From<OnceColumns> for OnceRow {
    fn from((scope, key, digest, record, revision, at): OnceColumns) -> Self {
        Self { scope, key, digest, record, revision, at }
    }
}

/// A delivery that is done.
pub(crate) struct MarkRow {
    pub(crate) consumer: String,
    pub(crate) message: String,
    pub(crate) outcome: String,
    pub(crate) at: DateTime<Utc>,
}

pub(crate) struct RefusalRow {
    pub(crate) chain: Uuid,
    pub(crate) n: i64,
    pub(crate) at: DateTime<Utc>,
    pub(crate) actor: String,
    pub(crate) record: Option<Uuid>,
    pub(crate) process: String,
    pub(crate) command: String,
    pub(crate) rule: String,
    pub(crate) code: String,
    pub(crate) sentence: String,
    /// How many of this actor's refusals were passed over before this one.
    pub(crate) suppressed: i64,
    pub(crate) correlation: Uuid,
    pub(crate) link: Hash,
}

/// A cell of the totals.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TotalKey {
    pub(crate) process: String,
    /// Seconds of the span, and its beginning in seconds since 1970.
    pub(crate) span: i32,
    pub(crate) since: i64,
    pub(crate) audience: i32,
    pub(crate) what: String,
}

/// What a step changed in the totals: from what to what, each at its instant and for its audience.
pub(crate) struct Recount {
    pub(crate) record: Arc<Record>,
    pub(crate) at: DateTime<Utc>,
    pub(crate) actor: String,
    pub(crate) event_type: String,
    pub(crate) was: Option<Counted>,
    pub(crate) became: Option<Counted>,
}

pub(crate) struct Counted {
    pub(crate) what: String,
    pub(crate) at: i64,
    pub(crate) audience: i32,
}

/// A span of time that is closed, by the id of the record that closed it.
#[derive(Clone, Debug)]
pub(crate) struct ClosingRow {
    pub(crate) record: Uuid,
    pub(crate) process: String,
    pub(crate) since: i64,
    pub(crate) until: i64,
}

/// Its columns in their order.
pub(crate) type ClosingColumns = (Uuid, String, i64, i64);

impl From<ClosingColumns> for ClosingRow {
    fn from((record, process, since, until): ClosingColumns) -> Self {
        Self { record, process, since, until }
    }
}

//! What a clock counts as in the totals of its day: one result under one target for one customer.

use chrono::DateTime;
use engine::Record;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Count, Counting, Sum};

use crate::measure::Standing;

/// Raise the version whenever [`count`] changes: then all clocks are counted anew at the next start.
pub const COUNTING: Counting = Counting { version: 1, count };

/// The transition by which time alone changes what a clock counts as.
pub(crate) const BREACH: &str = "breach";

/// What has figures of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    pub kind: String,
    pub target: String,
    pub service: Option<String>,
    pub customer: Option<String>,
    pub priority: Option<i64>,
    /// The number of the agreement that applied.
    pub agreement: Option<String>,
}

/// How a clock stands, and where that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    pub standing: Standing,
    #[serde(flatten)]
    pub place: Place,
}

impl Cell {
    /// Reads a clock's record; none where it has no standing.
    #[must_use]
    pub fn of(clock: &Record) -> Option<Self> {
        let field = |name| clock.data.get(name);
        let text = |name| field(name).and_then(Value::as_str).map(str::to_owned);
        let standing = field("reading")?.get("standing")?;
        let place = Place {
            kind: text("kind").unwrap_or_default(),
            target: text("target").unwrap_or_default(),
            service: text("service"),
            customer: text("customer"),
            priority: field("priority").and_then(Value::as_i64),
            agreement: text("agreement"),
        };
        Some(Self { standing: Standing::deserialize(standing).ok()?, place })
    }

    /// Reads a total's words back.
    pub(crate) fn read(sum: &Sum) -> Option<(Self, i64)> {
        Some((serde_json::from_str(&sum.what).ok()?, sum.count))
    }
}

/// A clock counts where it is or was due: while it waits or is paused, nobody knows when that is. Whom
/// the total is told are the roles and customers that see the clock; persons see their clocks alone.
fn count(clock: &Record) -> Option<Count> {
    let due = DateTime::parse_from_rfc3339(clock.data.get("due_at")?.as_str()?).ok()?;
    let is_shared = |token: &&String| token.starts_with("role:") || token.starts_with("customer:");
    Some(Count {
        what: serde_json::to_string(&Cell::of(clock)?).ok()?,
        at: due.timestamp(),
        seen_by: clock.audience.iter().filter(is_shared).cloned().collect(),
    })
}

//! Why a command happens: by whom, when, and what it follows from.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Actor;

/// The way by which a command came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Api,
    Event,
    Timer,
    /// An administrator's import of history: `occurred_at` counts, not the moment of recording.
    Import,
}

/// Made at the door and nowhere else; time and identity enter the system here.
///
/// Ids of new things derive from `id`, so that a repeated request creates once.
#[derive(Clone, Debug)]
pub struct Cause {
    pub id: Uuid,
    pub actor: Arc<Actor>,
    /// When it is recorded, in UTC, cut to microseconds.
    pub at: DateTime<Utc>,
    /// When it happened, if that was earlier than its recording.
    pub occurred_at: Option<DateTime<Utc>>,
    pub channel: Channel,
    /// Shared by everything that follows from one first cause.
    pub correlation: Uuid,
    /// The event that this follows from, by its `ce-id`.
    pub causation: Option<String>,
    /// W3C trace context of the request, delivery or timer.
    pub traceparent: Option<String>,
    /// The step was not in the source but must have happened (imports of a log with gaps).
    pub implied: bool,
}

impl Cause {
    #[must_use]
    pub fn new(id: Uuid, actor: Arc<Actor>, at: DateTime<Utc>, channel: Channel) -> Self {
        Self {
            id,
            actor,
            at,
            occurred_at: None,
            channel,
            correlation: id,
            causation: None,
            traceparent: None,
            implied: false,
        }
    }

    /// The moment that rules, clocks and timers count from.
    #[must_use]
    pub fn when(&self) -> DateTime<Utc> {
        self.occurred_at.unwrap_or(self.at)
    }
}

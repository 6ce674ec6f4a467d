//! What is asked of the store, and what it answers.

use std::{error::Error, fmt, sync::Arc};

use chrono::{DateTime, Utc};
use engine::{Command, Fact, Happening, Link, Linked, Record};
use kernel::{Actor, Cause, Reader, Refusal, Rule};
use uuid::Uuid;

use crate::{Closing, Fence, Publishing, dialect::Failure};

/// Commands on one record, decided and committed as a whole: all or none.
#[derive(Clone, Debug)]
pub struct Act {
    pub cause: Cause,
    pub target: Target,
    /// In order; for [`Target::New`] the first opens, for events there are none.
    pub commands: Vec<Command>,
    /// For imports of history: when each command happened and by whom, by its place in `commands`.
    /// Where the list is shorter, or empty as everywhere else, the cause stands as it is.
    pub moments: Vec<Moment>,
    /// `If-Match`: the revision that the caller has seen.
    pub expect: Option<u64>,
    pub once: Option<Once>,
    /// The inbox row that commits with the effect.
    pub delivery: Option<Mark>,
    /// What the event says of a tie to one of our records, whatever else it means here.
    pub tie: Option<Tie>,
    /// A record that this reader does not see is [`Setback::Unknown`].
    pub reader: Reader,
    /// Refused at the door already: nothing is decided, and the refusal is on record.
    pub refused: Option<Refusal>,
    /// The totals that are kept, from this act's commit on, as they are then.
    pub closes: Option<Closing>,
    /// What is in force from this act's commit on.
    pub publishes: Option<Publishing>,
}

impl Act {
    /// An act without precondition, idempotency key or delivery; the reader is the actor's own.
    #[must_use]
    pub fn new(cause: Cause, target: Target, commands: Vec<Command>) -> Self {
        let reader = cause.actor.reader();
        Self {
            cause,
            target,
            commands,
            moments: Vec::new(),
            expect: None,
            once: None,
            delivery: None,
            tie: None,
            reader,
            refused: None,
            closes: None,
            publishes: None,
        }
    }
}

/// What a record of another service says of its tie to one of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tie {
    pub from: Linked,
    /// Who may see that record.
    pub audience: Vec<String>,
    /// As that record calls it; our record is named by its number.
    pub link: Link,
    /// Who made the tie: nobody ties to what they do not see.
    pub by: Reader,
    pub says: TieSays,
}

/// What became of a tie at its other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TieSays {
    Made,
    /// It follows what our end did: it is news where ours still stands, and else of the past.
    Followed,
    Ended,
}

/// When one command of an import happened, and who did it there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    pub occurred_at: Option<DateTime<Utc>>,
    /// The step was not in the source but must have happened.
    pub implied: bool,
    /// Replaces the cause's actor in the decision and in the journal.
    pub actor: Option<Arc<Actor>>,
}

impl Moment {
    /// The cause of the command that happened then.
    pub(crate) fn of(&self, cause: &Cause) -> Cause {
        let actor = self.actor.as_ref().unwrap_or(&cause.actor);
        Cause {
            actor: Arc::clone(actor),
            occurred_at: self.occurred_at.or(cause.occurred_at),
            implied: self.implied || cause.implied,
            ..cause.clone()
        }
    }
}

/// A consumer, and what order is kept for in it.
pub(crate) type Lane = (String, String);

impl Act {
    pub(crate) fn lane(&self) -> Option<Lane> {
        let mark = self.delivery.as_ref()?;
        Some((mark.consumer.clone(), mark.lane.clone()?))
    }
}

impl Setback {
    /// Whether later acts of the same lane must wait, because this one is still to be done.
    pub(crate) fn holds_its_lane(&self) -> bool {
        match self {
            Self::Duplicate => false,
            Self::Refused(refusal) => refusal.rule == Rule::Invalid,
            _ => true,
        }
    }
}

/// What an act is about.
#[derive(Clone, Debug)]
pub enum Target {
    New {
        process: String,
    },
    Record {
        process: String,
        which: RecordRef,
    },
    /// Whatever the processes of this service make of an event, or of several that are one message:
    /// all in one transaction, in their order.
    Events(Vec<Happening>),
}

impl Target {
    /// What it says happened; nothing for a command.
    pub(crate) fn happenings(&self) -> &[Happening] {
        match self {
            Self::Events(happenings) => happenings,
            Self::New { .. } | Self::Record { .. } => &[],
        }
    }
}

/// How people and programs name a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RecordRef {
    Id(Uuid),
    /// `INC0000042`
    Number(String),
}

impl From<&str> for RecordRef {
    /// A UUID is an id, anything else a number.
    fn from(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Number(text.to_owned()), Self::Id)
    }
}

/// An `Idempotency-Key`: the same key and body answer the first result again.
#[derive(Clone, Debug)]
pub struct Once {
    /// Caller and path.
    pub scope: String,
    pub key: String,
    /// SHA-256 of the body.
    pub digest: Vec<u8>,
}

/// A delivery of the bus, counted exactly once, in the transaction of its effect.
#[derive(Clone, Debug)]
pub struct Mark {
    pub consumer: String,
    /// `Nats-Msg-Id`, or `stream:sequence` where there is none.
    pub message: String,
    /// What order is kept for: of acts that come in one call, those of a lane in which one was not
    /// done are [`Setback::Behind`] it.
    pub lane: Option<String>,
    /// The lease under which the delivery was taken; when another holds it, nothing is done.
    pub fence: Option<Fence>,
    /// The countable fate of the message, from what it did.
    pub outcome: fn(&[Step]) -> String,
    pub at: DateTime<Utc>,
}

/// The outcome of a delivery whose reactions were all refused by a rule.
pub const REFUSED: &str = "refused";

/// One fact, and the record after it.
#[derive(Clone, Debug)]
pub struct Step {
    pub record: Arc<Record>,
    pub fact: Fact,
}

/// An act that was accepted and is on disk.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// The record after the act; for an event the record of the first reaction, if any.
    pub record: Option<Arc<Record>>,
    /// In order, reactions of other processes of the service included; empty when replayed.
    pub steps: Vec<Step>,
    /// Reactions that a rule refused: recorded, and not retried.
    pub refused: Vec<Refusal>,
    /// The same request had been done before; this is what it did then.
    pub replayed: bool,
}

/// Why an act was not done.
#[derive(Clone, Debug)]
pub enum Setback {
    /// No such record, or the reader does not see it.
    Unknown,
    Refused(Refusal),
    /// `If-Match` named another revision than this one.
    Stale {
        revision: u64,
    },
    /// The idempotency key was used for another body.
    KeyReused,
    /// The inbox has the message already.
    Duplicate,
    /// Another replica holds the lease now.
    Fenced,
    /// The definition that it would be decided by has faults: a sentence says which. Nothing was
    /// refused by a rule, and once it is mended the same act may well be done.
    Hindered(String),
    /// Something was published since the act was made: it was checked against what is replaced now.
    Overtaken,
    /// An earlier message of the same lane was not done: this one has to wait behind it.
    Behind,
    /// The database failed, or the store is closed.
    Broken(Arc<dyn Error + Send + Sync>),
}

impl Setback {
    pub(crate) fn broken(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Broken(Arc::from(cause.into()))
    }
}

impl fmt::Display for Setback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("there is no such record"),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Stale { revision } => write!(f, "the record is at revision {revision} by now"),
            Self::KeyReused => f.write_str("the idempotency key was used for another request"),
            Self::Duplicate => f.write_str("the message was taken before"),
            Self::Fenced => f.write_str("another replica has taken over"),
            Self::Hindered(why) => f.write_str(why),
            Self::Overtaken => f.write_str("something else was published meanwhile"),
            Self::Behind => f.write_str("an earlier message of the same key waits"),
            Self::Broken(_) => f.write_str("the database could not do it"),
        }
    }
}

impl Error for Setback {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Broken(cause) => Some(cause.as_ref()),
            _ => None,
        }
    }
}

impl From<Refusal> for Setback {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<sqlx::Error> for Setback {
    fn from(fault: sqlx::Error) -> Self {
        Self::broken(fault)
    }
}

impl From<Failure> for Setback {
    fn from(failure: Failure) -> Self {
        Self::broken(sqlx::Error::from(failure))
    }
}

impl From<sea_orm::DbErr> for Setback {
    fn from(fault: sea_orm::DbErr) -> Self {
        Self::broken(fault)
    }
}

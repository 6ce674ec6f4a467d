//! What somebody asks of a record.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{Attachment, Erasure, Link, Notice, Record};

/// One wish; [`crate::decide`] says whether it is granted.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Opens a new record with this data.
    Open { data: Map<String, Value> },
    /// Changes data without moving the record: a JSON merge patch (RFC 7386).
    Amend { patch: Map<String, Value> },
    /// Takes a transition, giving what it needs.
    Take { transition: String, with: Map<String, Value> },
    /// Says something about the record.
    Comment { text: String },
    /// Adds a file, whose bytes are kept already.
    Attach { file: Attachment },
    /// Ties the record to another.
    Link { relation: String, to: Linked },
    /// A record of another service has tied itself to this one: the same tie, seen from this end.
    Tied { link: Link },
    /// Ends a tie, whichever end made it.
    Unlink { link: Link },
    /// A record of another service has ended its tie to this one: the same tie, seen from this end.
    Untied { link: Link },
    /// Votes on a transition of the record's state.
    Vote { transition: String, ballot: Ballot, comment: Option<String> },
    /// Adds a task to the record, hands one over, or settles one.
    Task { wish: TaskWish },
    /// Takes values of fields, and the content of revisions, out of the record and its history for
    /// good. Who keeps the history adds the revisions that show the fields.
    Erase(Erasure),
    /// Goes over to another version of its definition.
    Migrate(Migration),
    /// Somebody is to be told of what was just done to the record.
    Tell { notices: Vec<Notice> },
    /// A timer of the record is due.
    Fire { transition: String },
}

impl Command {
    /// The word for journals and spans: `open`, `amend`, the transition's name, `comment`, `attach`,
    /// `link`, `unlink`, `vote`, `task`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Open { .. } => "open",
            Self::Amend { .. } => "amend",
            Self::Take { transition, .. } | Self::Fire { transition } => transition,
            Self::Comment { .. } => "comment",
            Self::Attach { .. } => "attach",
            Self::Erase(_) => "erase",
            Self::Migrate(_) => "migrate",
            Self::Link { .. } | Self::Tied { .. } => "link",
            Self::Unlink { .. } | Self::Untied { .. } => "unlink",
            Self::Vote { .. } => "vote",
            Self::Task { .. } => "task",
            Self::Tell { .. } => "tell",
        }
    }
}

/// Where a record goes over to, and what is called otherwise there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migration {
    pub to: u32,
    /// State to state, where they are called otherwise.
    pub states: BTreeMap<String, String>,
    /// Field to field, or to nothing where its value is left behind.
    pub fields: BTreeMap<String, Option<String>>,
}

/// What a vote says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ballot {
    Approve,
    Reject,
    /// This person votes instead: `person:PER0000007`.
    Delegate(String),
}

/// What is asked of the tasks of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskWish {
    /// `after` names the tasks that come before it.
    Add {
        title: String,
        assignee: Option<String>,
        after: Vec<u32>,
    },
    Assign {
        id: u32,
        assignee: String,
    },
    Done {
        id: u32,
    },
    Drop {
        id: u32,
    },
}

/// The other end of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    /// Nil while it is not known: a record of another service is named by its number.
    #[serde(default, skip_serializing_if = "Uuid::is_nil")]
    pub id: Uuid,
    pub number: String,
    pub process: String,
}

/// What a command is about: a record to be, under the id and number that it will have, or one that is.
#[derive(Clone, Debug)]
pub enum Subject<'a> {
    New { process: &'a str, id: Uuid, number: String },
    Existing(&'a Record),
}

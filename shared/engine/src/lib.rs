//! The process engine: what a definition allows, decided as a pure function.
//!
//! A *definition* says which states a record of a process passes through, who may move it, with what
//! evidence and when by itself. The engine holds no state, reads no clock and does no I/O:
//!
//! ```text
//! decide(rules, record, command, cause) -> fact | refusal     what would happen, or why not
//! apply(record, fact)                   -> record             what it makes of the record
//! step(rules, record, command, cause)   -> both | refusal     the two at once
//! ```
//!
//! Time, identity and ids come in with the [`kernel::Cause`]; what a registered function answered is
//! kept in the [`Fact`]. Hence live commands, replays and simulations give the same result, and a
//! record is the fold of [`apply`] over its facts.
//!
//! An event that arrives and a timer that fires are commands like any other: [`reaction_key`] says
//! which record an event concerns, [`respond`] what it asks of that record.
//!
//! Expressions are CEL in one scope everywhere: `record`, `links`, `actor`, `now`, `event`,
//! `given`, and the functions of [`Expression`]. [`Filter`] turns one into a tree that a database can
//! answer.

mod apply;
mod command;
mod decide;
mod definition;
mod derived;
mod expression;
mod fact;
mod filter;
mod flaw;
mod follow;
mod json;
mod ledger;
mod links;
mod offers;
mod react;
mod reading;
mod record;
mod ruleset;
mod scheme;
mod tell;
mod yaml;

pub use apply::apply;
pub use command::{Ballot, Command, Linked, Migration, Subject, TaskWish};
pub use decide::{Tally, decide, step};
pub use definition::{
    Choice, Choices, Definition, Field as FieldDefinition, IndexKind, Label, Languages, Late, Line,
    Part, Relation, Transition,
};
pub use derived::{Duty, Raci};
pub use expression::{Expression, Scope};
pub use fact::{Attachment, Erasure, Fact, Link, Migrated, Opened, Timer, change_set};
pub use filter::{Field, Filter, Op};
pub use flaw::Flaw;
pub use follow::{Following, following};
pub use json::strict_json;
pub use links::{Bond, Links};
pub use offers::{Offer, may_open, offers};
pub use react::{Happening, Response, Told, reaction_key, respond};
pub use record::Record;
pub use ruleset::{Calculation, Calculations, Faulty, InForce, Ruleset, instant_of};
pub use scheme::{Listed, RuleMatch, Scheme, SchemeKind, Schemes};
pub use tell::{Notice, telling};
pub use yaml::yaml_as_json;

/// The JSON Schema of the definition format, by which editors complete and check a file.
pub const FORMAT_SCHEMA: &str = include_str!("definition.schema.json");

/// A record's data may take this many bytes as JSON, so that every event fits a NATS message.
pub const DATA_LIMIT_BYTES: usize = 256 * 1024;

//! Records, journal, timers, inbox and outbox in one relational database, behind a batching writer.
//!
//! There is one way in: [`Store::act`]. Acts that arrive together are read under locks, decided by
//! the engine and committed together; each is answered once it is on disk. The same transaction
//! writes the record, its journal row (audit log and event in one, hash-linked per record), its
//! place in the outbox, its timers and links, and the marks that make deliveries and repeated
//! requests count once:
//!
//! ```text
//! act ─ queue ─ batch: lock ─ decide ─ react ─ write ─ commit ─ answer
//!                                                       └ outbox ─ relay ─ bus
//! ```
//!
//! Readers stand beside it and never wait for it: [`Store::record`], [`Store::list`],
//! [`Store::history`]. The same code runs on SQLite and PostgreSQL; what differs is in `dialect`.

mod act;
mod archive;
mod attachment;
mod audience;
mod batch;
mod chain;
mod checkpoint;
mod condition;
mod dialect;
mod entity;
mod error;
mod flow;
mod fresh;
mod inbox;
mod law;
mod lease;
mod link;
mod list;
mod outbox;
mod passage;
mod payload;
mod place;
#[cfg(test)]
mod plan;
mod read;
mod refusal;
mod row;
mod schema;
mod search;
mod series;
mod slot;
mod store;
mod text;
mod timer;
mod total;
mod verify;
mod versions;
mod writer;

pub use act::{
    Act, Done, Mark, Moment, Once, REFUSED, RecordRef, Setback, Step, Target, Tie, TieSays,
};
pub use archive::{Archive, Catalogue, Present, Publication, Published, Publishing};
pub use attachment::{Arrival, Content, PART_BYTES};
pub use checkpoint::{Checkpoint, IsGenuine};
pub use error::StoreError;
pub use flow::{Flow, Passed};
pub use inbox::{GIVEN_UP, Letter, Tally, Waiting};
pub use lease::Fence;
pub use link::LinkRow;
pub use list::{PAGE_LIMIT, Page, Query, Sort};
pub use outbox::{Outgoing, Sent};
pub use place::Place;
pub use read::Entry;
pub use refusal::Refused;
pub use search::Words;
pub use series::{COUNTED_LIMIT, SPANS_LIMIT, Series, Spread};
pub use store::{Options, Store};
pub use timer::DueTimer;
pub use total::{Closing, Count, Counting, Countings, Restatement, Sum, Sums, Wanted};
pub use verify::{ChainFault, Report};
pub use versions::Standing;

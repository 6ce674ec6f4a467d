//! The words that every crate of Steward shares: who acts, why, when, and how a rule says no.
//!
//! Pure: no clock is read here, no I/O is done, and nothing of ours is imported.

mod actor;
mod calendar;
mod cause;
mod clock;
mod id;
mod refusal;
mod schedule;
mod span;
mod timetable;

pub use actor::{ADMINISTRATOR, Actor, Reader, SYSTEM};
pub use calendar::{Calendar, CalendarSource, Shift};
pub use cause::{Cause, Channel};
pub use clock::{Clock, instant};
pub use id::{PARTITIONS, derived_id, partition_of};
pub use refusal::{Fault, Refusal, Rule};
pub use schedule::{Interval, Schedule};
pub use span::Span;
pub use timetable::{Stretch, Timetable, ZONE_DATA};

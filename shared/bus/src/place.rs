//! How far each lane of a consumer has come in its stream.
//!
//! The server is not asked to remember it: each of its memories would cost a sync of its own. A lane
//! says where it is, and its replica writes that down once a round, in the service's own database.
//! What a replica did and could not write down any more is done again, and known by its inbox rows.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::Fault;

/// A place in a stream: everything up to it is settled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// When the stream was made that the sequence is of: one made anew counts from 1 again.
    pub made: String,
    pub sequence: u64,
}

impl Place {
    /// The same place in the stream as it is now, which ends at `last`.
    pub(crate) fn within(&self, made: &str, last: u64) -> Self {
        // A server that lost its end of the stream gives those sequences out again.
        let sequence = if self.made == made { self.sequence.min(last) } else { 0 };
        Self { made: made.to_owned(), sequence }
    }
}

/// Where a lane is, said by the owner of its lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    pub lane: String,
    /// Of the lease: what an owner of old says late counts no more.
    pub token: i64,
    pub place: Place,
}

/// Where places are kept: beside the leases of the lanes that they are of.
pub trait Places: Clone + Send + Sync + 'static {
    /// The places that are known of these lanes, by name.
    fn places(
        &self,
        lanes: &[String],
    ) -> impl Future<Output = Result<HashMap<String, Place>, Fault>> + Send;

    /// Writes places down, unless one with a higher token has.
    fn reached(&self, reached: &[Reached]) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// Where the lanes of this process are now.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    lanes: Mutex<HashMap<String, Place>>,
    /// The ends of streams up to which all lanes of a consumer are known to be settled, by a name
    /// like a lane's without its partition.
    ends: Mutex<HashMap<String, Place>>,
}

impl Progress {
    pub fn note(&self, lane: &str, place: &Place) {
        lock(&self.lanes).insert(lane.to_owned(), place.clone());
    }

    pub fn forget(&self, lane: &str) {
        lock(&self.lanes).remove(lane);
    }

    pub fn of(&self, lane: &str) -> Option<Place> {
        lock(&self.lanes).get(lane).cloned()
    }

    /// All lanes of this consumer have come to this end of the stream, which stays so.
    pub fn note_end(&self, consumer: &str, end: Place) {
        lock(&self.ends).insert(consumer.to_owned(), end);
    }

    /// Whether they are known to have come there.
    pub fn is_at_end(&self, consumer: &str, end: &Place) -> bool {
        lock(&self.ends).get(consumer) == Some(end)
    }
}

fn lock(places: &Mutex<HashMap<String, Place>>) -> MutexGuard<'_, HashMap<String, Place>> {
    places.lock().unwrap_or_else(PoisonError::into_inner)
}

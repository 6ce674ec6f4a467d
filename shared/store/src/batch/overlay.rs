//! The rows that a batch has read, as its acts have changed them so far.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, btree_map::Entry},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use engine::{Bond, Link, Record, Timer};
use uuid::Uuid;

use crate::{
    Publishing,
    audience::AudienceSet,
    chain::Hash,
    row::{
        ClosingRow, Extent, HolderKey, JournalRow, MarkRow, NewLink, OnceRow, Recount, TieKey,
        TieRow, TotalKey,
    },
    search::PassageKey,
};

/// Two texts that together are a key: of an idempotency key or of a delivery.
pub(super) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

#[derive(Default)]
pub(super) struct Overlay<'a> {
    /// `None` where there is no such record.
    pub(super) records: HashMap<Uuid, Option<Held>>,
    pub(super) numbers: HashMap<String, Uuid>,
    pub(super) holders: HashMap<HolderKey, Option<Uuid>>,
    pub(super) new_holders: BTreeMap<HolderKey, Uuid>,
    pub(super) moved_holders: BTreeMap<HolderKey, Uuid>,
    /// The last number given to a process, in the database and by this batch.
    pub(super) counters: BTreeMap<String, i64>,
    /// The processes that got new numbers.
    pub(super) counted: BTreeSet<String>,
    pub(super) onces: HashMap<Pair<'a>, Used>,
    pub(super) new_onces: Vec<OnceRow>,
    /// Deliveries that were done, or are dead.
    pub(super) marks: HashSet<Pair<'a>>,
    pub(super) new_marks: Vec<MarkRow>,
    pub(super) fences: HashMap<String, i64>,
    pub(super) links: HashMap<(Uuid, String, Uuid), bool>,
    pub(super) new_links: Vec<NewLink>,
    /// Links that are no more, as one of their ends called them.
    pub(super) gone_links: Vec<(Uuid, Link)>,
    /// Ties to records of other services, with what this batch adds.
    pub(super) ties: BTreeMap<TieKey, TieRow>,
    pub(super) gone_ties: BTreeSet<TieKey>,
    /// What records are found by from now on, in words.
    pub(super) passages: BTreeMap<PassageKey, String>,
    pub(super) journal: Vec<JournalRow>,
    /// Records with the revision that attached a file, and the file's digest.
    pub(super) attached: Vec<(Uuid, i64, String)>,
    /// Records with the revisions whose content goes.
    pub(super) erased: Vec<(Uuid, Vec<u64>)>,
    /// Timers that were due and changed nothing.
    pub(super) spent: Vec<(Uuid, String)>,
    /// What the totals grow by.
    pub(super) totals: BTreeMap<TotalKey, i64>,
    pub(super) recounts: Vec<Recount>,
    /// Spans of time that this batch closes.
    pub(super) closings: Vec<ClosingRow>,
    /// What this batch puts in force, and when; it is the last that the batch does.
    pub(super) publishing: Option<(&'a Publishing, DateTime<Utc>)>,
    /// Sets of tokens that are new, and not committed yet.
    pub(super) audiences: HashMap<Vec<String>, Arc<AudienceSet>>,
}

/// What an idempotency key was used for.
pub(super) struct Used {
    pub(super) digest: Vec<u8>,
    pub(super) record: Option<Uuid>,
    pub(super) revision: u64,
}

/// A record under this batch's lock.
pub(super) struct Held {
    pub(super) record: Arc<Record>,
    pub(super) head: Hash,
    pub(super) audience: Arc<AudienceSet>,
    /// The data as JSON, once the batch has changed the record.
    pub(super) data: Option<String>,
    /// What the batch has to write of it.
    pub(super) extent: Extent,
    pub(super) timers: Timers,
}

pub(super) enum Timers {
    /// Those that there are, beside some that are set anew.
    Kept(Vec<Timer>),
    /// All timers of the record from now on.
    Replaced(Vec<Timer>),
}

impl Overlay<'_> {
    pub(super) fn record(&self, id: Uuid) -> Option<Arc<Record>> {
        Some(Arc::clone(&self.records.get(&id)?.as_ref()?.record))
    }

    /// Lets the other end know of a link that a record made, if it is here and asks for links.
    pub(super) fn bind(&mut self, link: &Link, from: &Record) {
        if let Some(Some(other)) = self.records.get_mut(&link.to.id) {
            let bond =
                Bond { relation: link.inverse.clone(), to: from.linked(), is_confirmed: true };
            Arc::make_mut(&mut other.record).links.add(bond);
        }
    }

    /// Takes a link away, whichever end made it.
    pub(super) fn unlink(&mut self, link: &Link, from: &Record) {
        let (ours, theirs) = (from.id, link.to.id);
        self.links.insert((ours, link.relation.clone(), theirs), false);
        self.links.insert((theirs, link.inverse.clone(), ours), false);
        self.new_links.retain(|row| {
            let (record, new) = (row.record, &row.link);
            !(record == ours && new.to.id == theirs && new.relation == link.relation
                || record == theirs && new.to.id == ours && new.relation == link.inverse)
        });
        if let Some(Some(other)) = self.records.get_mut(&theirs) {
            Arc::make_mut(&mut other.record).links.remove(&link.inverse, &from.number);
        }
        self.gone_links.push((ours, link.clone()));
    }

    /// Whether this batch ties them or takes that away; none where it says nothing of it.
    pub(super) fn is_tied(&self, key: &TieKey) -> Option<bool> {
        let is_tied = self.ties.contains_key(key);
        (is_tied || self.gone_ties.contains(key)).then_some(is_tied)
    }

    pub(super) fn untie(&mut self, key: TieKey) {
        self.ties.remove(&key);
        self.gone_ties.insert(key);
    }

    /// Adds what became known of a tie.
    pub(super) fn tie(&mut self, key: TieKey, row: TieRow) {
        match self.ties.entry(key) {
            Entry::Vacant(place) => drop(place.insert(row)),
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.other_id = row.other_id.or(known.other_id);
                known.other_audience = row.other_audience.or(known.other_audience.take());
            }
        }
    }

    /// Whether an act before this one opened the record.
    pub(super) fn opens(&self, id: Uuid) -> bool {
        matches!(self.records.get(&id), Some(Some(held)) if held.extent == Extent::New)
    }
}

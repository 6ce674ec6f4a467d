//! Events that were committed here a moment ago, at hand for whoever publishes them.
//!
//! The outbox says what is unsent and in which order; this only spares reading it back from the journal.
//! So nothing depends on it: what is not here is read. Nor can it tell what was erased, because nothing is
//! before it is published.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use contract::Envelope;

use crate::row::JournalRow;

/// What is older waits for a bus that is away, or another replica has published it.
const MAX_AGE: Duration = Duration::from_secs(2);
/// Payloads that are kept at most, in bytes; the oldest go first.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// The events of one store.
pub(crate) struct Fresh {
    /// Where they come from, as envelopes say it.
    source: String,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    events: HashMap<i64, Envelope>,
    /// Their places in the order in which they came, some of which are taken by now.
    order: VecDeque<(Instant, i64)>,
    bytes: usize,
    /// When somebody asked last: where nobody publishes, nothing is kept.
    asked: Option<Instant>,
}

impl Fresh {
    pub(crate) fn of(service: &str) -> Self {
        Self { source: format!("/steward/{service}"), kept: Mutex::default() }
    }

    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Keeps rows that are committed, each with its place in the outbox.
    pub(crate) fn keep(&self, rows: Vec<JournalRow>, places: &[i64]) {
        let now = Instant::now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.asked.is_none_or(|asked| now.duration_since(asked) > MAX_AGE) {
            *kept = Kept::default();
            return;
        }
        for (row, place) in rows.into_iter().zip(places) {
            kept.bytes += row.payload.len();
            kept.order.push_back((now, *place));
            kept.events.insert(*place, envelope(row, self.source.clone()));
        }
        kept.shrink(now);
    }

    /// Takes those of the places that are here.
    pub(crate) fn take(&self, places: &[i64]) -> HashMap<i64, Envelope> {
        let now = Instant::now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.asked = Some(now);
        kept.shrink(now);
        places.iter().filter_map(|place| Some((*place, kept.remove(*place)?))).collect()
    }
}

impl Kept {
    fn remove(&mut self, place: i64) -> Option<Envelope> {
        let event = self.events.remove(&place)?;
        self.bytes -= event.data.len();
        Some(event)
    }

    /// Lets go of what is too old or too much.
    fn shrink(&mut self, now: Instant) {
        while let Some((came, place)) = self.order.front().copied() {
            let is_taken = !self.events.contains_key(&place);
            if !is_taken && self.bytes <= MAX_BYTES && now.duration_since(came) <= MAX_AGE {
                break;
            }
            self.order.pop_front();
            self.remove(place);
        }
    }
}

fn envelope(row: JournalRow, source: String) -> Envelope {
    Envelope {
        id: row.event_id,
        source,
        kind: row.event_type,
        time: row.cause.when(),
        number: row.record.number.clone(),
        record: row.record.id,
        revision: row.record.revision,
        correlation: row.cause.correlation,
        causation: row.cause.causation.clone(),
        actor: row.cause.actor.id.clone(),
        audience: row.audience.tokens.clone(),
        traceparent: row.cause.traceparent.clone(),
        data: row.payload,
    }
}

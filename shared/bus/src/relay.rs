//! The relay: what the journal has and the bus has not is published, in order, and marked as sent.

use std::{collections::HashSet, future::Future, time::Duration};

use contract::{Envelope, subject};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Bus, Fault, Leases, MAX_BATCH, Message,
    lease::{self, ROUND, TTL},
    publish::FEW,
};

/// Events read from the outbox at once: several batches, so that marking one as sent runs beside
/// the publishing of the next.
const PAGE: usize = 4 * MAX_BATCH;
/// What another replica wrote is not announced here: so often it is looked for.
const LOOK: Duration = Duration::from_millis(500);
/// Events that come closer together than this are published together.
const PACE: Duration = Duration::from_millis(5);
/// Where so many come in this time that an atomic batch of them costs the server less than a sync for
/// each, they are gathered for so long: it is their syncs that others wait behind.
const CROWDED: Duration = Duration::from_millis(50);
const CROWD: usize = 2 * FEW;
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// An event that is in the journal and not known to be on the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The journal's own number of the event.
    pub seq: i64,
    pub envelope: Envelope,
}

/// The unsent rows of a journal. They *are* the queue: there is no cursor that could skip one that
/// was committed late.
pub trait Outbox: Send + Sync + 'static {
    /// The oldest unsent events, each record's in its own order.
    fn unsent(&self, limit: usize) -> impl Future<Output = Result<Vec<Outgoing>, Fault>> + Send;

    /// These are on the bus, on disk.
    fn sent(&self, seqs: &[i64]) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Resolves when there may be unsent events that were not there at the last call, those that
    /// came between the two included.
    fn changed(&self) -> impl Future<Output = ()> + Send;
}

/// Publishes a service's outbox until `stop`, whenever this replica holds the lease for it.
pub async fn relay<O: Outbox, L: Leases>(
    bus: Bus,
    service: String,
    outbox: O,
    leases: L,
    owner: String,
    stop: CancellationToken,
) {
    let name = format!("relay-{service}");
    let relay = Relay { bus, stream: subject::stream(&service), service, outbox };
    while !stop.is_cancelled() {
        match leases.acquire(&name, &owner, TTL).await {
            Ok(Some(fence)) => {
                tokio::select! {
                    () = relay.run() => {}
                    () = lease::keep(&leases, &fence) => {
                        tracing::warn!(lease = name, "the relay's lease is lost");
                        continue;
                    }
                    () = stop.cancelled() => {}
                }
                if let Err(error) = leases.release(&fence).await {
                    tracing::warn!(lease = name, error, "the relay's lease cannot be released");
                }
            }
            Ok(None) => pause(ROUND, &stop).await,
            Err(error) => {
                tracing::warn!(lease = name, error, "the relay's lease cannot be asked for");
                pause(ROUND, &stop).await;
            }
        }
    }
}

async fn pause(time: Duration, stop: &CancellationToken) {
    // Whichever comes first.
    let _ = tokio::time::timeout(time, stop.cancelled()).await;
}

struct Relay<O> {
    bus: Bus,
    service: String,
    stream: String,
    outbox: O,
}

/// What one look at the outbox came to.
enum Pass {
    /// All was sent and there may be more.
    Full,
    /// All was sent, so many, and that was all.
    Empty(usize),
    /// Something is left.
    Stuck,
}

impl<O: Outbox> Relay<O> {
    /// Never returns; may be dropped anywhere, because a repeat is harmless.
    async fn run(&self) {
        let mut between = SHORTEST_PAUSE;
        // Records whose next event no server would take: theirs wait, the others go on.
        let mut held = HashSet::new();
        let mut pace = Pace::new(Instant::now());
        let mut next = Instant::now();
        loop {
            self.bus.connected().await;
            tokio::time::sleep_until(next).await;
            let begun = Instant::now();
            match self.pass(&mut held).await {
                Ok(Pass::Full) => between = SHORTEST_PAUSE,
                Ok(Pass::Empty(sent)) => {
                    next = begun + pace.after(sent, begun);
                    between = SHORTEST_PAUSE;
                    // Whichever comes first.
                    let _ = tokio::time::timeout(LOOK, self.outbox.changed()).await;
                }
                Ok(Pass::Stuck) => {
                    tokio::time::sleep(between).await;
                    between = (between * 2).min(LONGEST_PAUSE);
                }
                Err(error) => {
                    tracing::warn!(service = self.service, error, "the outbox cannot be used");
                    tokio::time::sleep(between).await;
                    between = (between * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn pass(&self, held: &mut HashSet<Uuid>) -> Result<Pass, Fault> {
        let mut events = self.outbox.unsent(PAGE).await?;
        let found = events.len();
        events.retain(|event| !held.contains(&event.envelope.record));
        let mut is_stuck = events.len() < found;
        let mut sent: Vec<i64> = Vec::new();
        while !events.is_empty() {
            let later = events.split_off(events.len().min(MAX_BATCH));
            let (published, marked) =
                tokio::join!(self.publish(events, held), self.mark(std::mem::take(&mut sent)));
            marked?;
            let is_whole = published.is_whole;
            sent = published.seqs;
            if !is_whole {
                is_stuck = true;
                break;
            }
            events = later;
        }
        self.mark(sent).await?;
        Ok(match (is_stuck, found == PAGE) {
            (true, _) => Pass::Stuck,
            (false, true) => Pass::Full,
            (false, false) => Pass::Empty(found),
        })
    }

    async fn mark(&self, seqs: Vec<i64>) -> Result<(), Fault> {
        if seqs.is_empty() { Ok(()) } else { self.outbox.sent(&seqs).await }
    }

    async fn publish(&self, events: Vec<Outgoing>, held: &mut HashSet<Uuid>) -> Published {
        let mut seqs = Vec::with_capacity(events.len());
        let mut messages = Vec::with_capacity(events.len());
        let mut records = Vec::with_capacity(events.len());
        for Outgoing { seq, envelope } in events {
            seqs.push(seq);
            records.push(envelope.record);
            messages.push(Message::event(&self.service, envelope));
        }
        match self.bus.publish_slice(&self.stream, &messages).await {
            Ok(()) => Published { seqs, is_whole: true },
            Err(error) if error.is_final() => {
                let each = seqs.into_iter().zip(records).zip(&messages);
                self.publish_singly(each.map(|((seq, record), m)| (seq, record, m)), held).await
            }
            Err(error) => {
                tracing::debug!(service = self.service, error = ?error, "events wait for the bus");
                Published { seqs: Vec::new(), is_whole: false }
            }
        }
    }

    /// One of these is refused for good: it is found, its record's events wait, the others go.
    async fn publish_singly<'a>(
        &self,
        events: impl Iterator<Item = (i64, Uuid, &'a Message)>,
        held: &mut HashSet<Uuid>,
    ) -> Published {
        let mut published = Published { seqs: Vec::new(), is_whole: false };
        for (seq, record, message) in events {
            if held.contains(&record) {
                continue;
            }
            match self.bus.publish_slice(&self.stream, std::slice::from_ref(message)).await {
                Ok(()) => published.seqs.push(seq),
                Err(error) if error.is_final() => {
                    tracing::error!(
                        seq, record = %record, error = ?error,
                        "an event cannot be published; its record's later events wait behind it"
                    );
                    held.insert(record);
                }
                Err(_) => break,
            }
        }
        published
    }
}

/// How long events are gathered, by how many came lately.
struct Pace {
    since: Instant,
    came: usize,
    is_crowded: bool,
}

impl Pace {
    const fn new(now: Instant) -> Self {
        Self { since: now, came: 0, is_crowded: false }
    }

    /// From the begin of one pass, which sent so many, to that of the next.
    fn after(&mut self, sent: usize, now: Instant) -> Duration {
        self.came += sent;
        let over = now.duration_since(self.since);
        if over >= CROWDED {
            // More time than that has passed where nothing came, or where the bus was slow.
            self.is_crowded = self.came >= CROWD && over < 2 * CROWDED;
            (self.came, self.since) = (0, now);
        }
        if self.is_crowded { CROWDED } else { PACE }
    }
}

struct Published {
    seqs: Vec<i64>,
    /// Whether all went.
    is_whole: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Passes of so many events each, until the given time; the pauses between them.
    fn pauses(pace: &mut Pace, from: Instant, sent: usize, span: Duration) -> Vec<Duration> {
        let (mut now, mut pauses) = (from, Vec::new());
        while now < from + span {
            let pause = pace.after(sent, now);
            pauses.push(pause);
            now += pause;
        }
        pauses
    }

    #[test]
    fn a_few_are_never_kept_waiting() {
        let now = Instant::now();
        let pauses = pauses(&mut Pace::new(now), now, 1, Duration::from_secs(1));
        assert!(pauses.iter().all(|pause| *pause == PACE), "{pauses:?}");
    }

    #[test]
    fn a_flow_is_gathered_for_as_long_as_it_lasts() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        let busy = pauses(&mut pace, now, 4, Duration::from_millis(60));
        assert_eq!((busy.first(), busy.last()), (Some(&PACE), Some(&CROWDED)));
        // What comes in the longer time is more.
        let busy = pauses(&mut pace, now + Duration::from_millis(110), 40, Duration::from_secs(1));
        assert!(busy.iter().all(|pause| *pause == CROWDED), "{busy:?}");
        let calm = pauses(&mut pace, now + Duration::from_secs(2), 1, Duration::from_secs(1));
        assert!(calm.iter().all(|pause| *pause == PACE), "{calm:?}");
    }
}

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
    /// What was committed together may be marked as sent together: the number of its bundle.
    pub bundle: i64,
    pub envelope: Envelope,
}

/// What is on the bus, on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Bundles of which all events are, but those that are `left`.
    pub bundles: Vec<i64>,
    /// Numbers of the events of these that no server takes: they wait on, each a bundle of its own.
    pub left: Vec<i64>,
}

/// The unsent bundles of a journal. They *are* the queue: there is no cursor that could skip one that
/// was committed late.
pub trait Outbox: Send + Sync + 'static {
    /// The oldest unsent events, each record's in its own order: whole bundles that come to `limit`
    /// events, or all there are.
    fn unsent(&self, limit: usize) -> impl Future<Output = Result<Vec<Outgoing>, Fault>> + Send;

    /// These are on the bus.
    fn sent(&self, sent: Sent) -> impl Future<Output = Result<(), Fault>> + Send;

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
    let name = format!("bundles-{service}");
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
        let mut is_stuck = false;
        let mut sent = Sent::default();
        while !events.is_empty() {
            let later = events.split_off(whole_bundles(&events));
            let (published, marked) =
                tokio::join!(self.publish(events, held), self.mark(std::mem::take(&mut sent)));
            marked?;
            sent = published.sent;
            is_stuck |= !published.is_whole;
            if published.is_cut {
                break;
            }
            events = later;
        }
        self.mark(sent).await?;
        Ok(match (is_stuck, found >= PAGE) {
            (true, _) => Pass::Stuck,
            (false, true) => Pass::Full,
            (false, false) => Pass::Empty(found),
        })
    }

    async fn mark(&self, sent: Sent) -> Result<(), Fault> {
        if sent.bundles.is_empty() { Ok(()) } else { self.outbox.sent(sent).await }
    }

    /// Publishes what is not held back, all at once or, where something is refused for good, singly.
    async fn publish(&self, events: Vec<Outgoing>, held: &mut HashSet<Uuid>) -> Published {
        let mut entries = Vec::with_capacity(events.len());
        let mut messages = Vec::with_capacity(events.len());
        for Outgoing { seq, bundle, envelope } in events {
            let is_held = held.contains(&envelope.record);
            entries.push(Entry { seq, bundle, record: envelope.record, is_held, is_sent: false });
            if !is_held {
                messages.push(Message::event(&self.service, envelope));
            }
        }
        match self.bus.publish_slice(&self.stream, &messages).await {
            Ok(()) => entries.iter_mut().for_each(|entry| entry.is_sent = !entry.is_held),
            Err(error) if error.is_final() => {
                self.publish_singly(&mut entries, &messages, held).await;
            }
            Err(error) => {
                tracing::debug!(service = self.service, error = ?error, "events wait for the bus");
            }
        }
        Published::of(&entries)
    }

    /// One of these is refused for good: it is found, its record's events wait, the others go.
    async fn publish_singly(
        &self,
        entries: &mut [Entry],
        messages: &[Message],
        held: &mut HashSet<Uuid>,
    ) {
        let going = entries.iter_mut().filter(|entry| !entry.is_held);
        for (entry, message) in going.zip(messages) {
            if held.contains(&entry.record) {
                entry.is_held = true;
                continue;
            }
            match self.bus.publish_slice(&self.stream, std::slice::from_ref(message)).await {
                Ok(()) => entry.is_sent = true,
                Err(error) if error.is_final() => {
                    tracing::error!(
                        seq = entry.seq, record = %entry.record, error = ?error,
                        "an event cannot be published; its record's later events wait behind it"
                    );
                    held.insert(entry.record);
                    entry.is_held = true;
                }
                Err(_) => return,
            }
        }
    }
}

/// How many of the first events are whole bundles that one batch takes: one bundle at least.
fn whole_bundles(events: &[Outgoing]) -> usize {
    let mut end = 0;
    for bundle in events.chunk_by(|one, next| one.bundle == next.bundle) {
        if end > 0 && end + bundle.len() > MAX_BATCH {
            break;
        }
        end += bundle.len();
    }
    end
}

/// An event, and what became of it.
struct Entry {
    seq: i64,
    bundle: i64,
    record: Uuid,
    /// It waits, because no server takes it or one before it.
    is_held: bool,
    is_sent: bool,
}

struct Published {
    sent: Sent,
    /// Whether all went.
    is_whole: bool,
    /// Whether the bus is gone, so that what comes later waits, too.
    is_cut: bool,
}

impl Published {
    fn of(entries: &[Entry]) -> Self {
        let is_over = |entry: &Entry| entry.is_sent || entry.is_held;
        let mut sent = Sent::default();
        for bundle in entries.chunk_by(|one, next| one.bundle == next.bundle) {
            // Of which nothing went stays as it is, and which was cut goes again.
            if bundle.iter().any(|entry| entry.is_sent) && bundle.iter().all(is_over) {
                sent.bundles.push(bundle[0].bundle);
                let left = bundle.iter().filter(|entry| entry.is_held);
                sent.left.extend(left.map(|entry| entry.seq));
            }
        }
        let is_whole = entries.iter().all(|entry| entry.is_sent);
        Self { sent, is_whole, is_cut: !entries.iter().all(is_over) }
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

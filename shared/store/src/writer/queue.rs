//! What waits for a writer, and how much of it makes a batch.

use std::time::Duration;

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{Act, Sent, Setback, batch::Verdict};

/// Beside each batch that is being written the next one waits for so many acts: a commit costs as
/// much for one of them.
const COMPANY: usize = 16;
/// It waits so long at most, or until one of those that are being written has ended.
const PATIENCE: Duration = Duration::from_millis(5);
/// What nobody waits for, as deliveries, waits for so many of its kind, also where nothing is being
/// written: a batch of a few costs the database nearly as much as one of many.
const CROWD: usize = 64;
/// For so long at most.
const MOMENT: Duration = Duration::from_millis(8);

pub(super) type Reply = oneshot::Sender<Verdict>;

/// An act on its way, and where its answer goes.
pub(crate) struct Ticket {
    pub(crate) act: Act,
    pub(crate) reply: Reply,
}

impl Ticket {
    /// Whether somebody waits for it, rather than a message on the bus.
    pub(crate) fn is_command(&self) -> bool {
        self.act.delivery.is_none()
    }
}

/// Published events to be taken out of the outbox: they share a commit with the acts that wait.
pub(crate) struct Departure {
    pub(crate) sent: Sent,
    pub(crate) reply: oneshot::Sender<Result<(), Setback>>,
}

/// Something that does not wait behind deliveries.
pub(crate) enum Urgent {
    Commands(Vec<Ticket>),
    Departure(Departure),
}

/// What was taken from the queue.
#[derive(Default)]
pub(super) struct Load {
    pub(super) tickets: Vec<Ticket>,
    pub(super) sent: Vec<Departure>,
}

impl Load {
    fn add(&mut self, urgent: Urgent) {
        match urgent {
            Urgent::Commands(tickets) => self.tickets.extend(tickets),
            Urgent::Departure(sent) => self.sent.push(sent),
        }
    }
}

/// Counted as being written for as long as it is held.
pub(super) struct Writing(watch::Sender<usize>);

impl Writing {
    fn begun(batches: &watch::Sender<usize>) -> Self {
        batches.send_modify(|count| *count += 1);
        Self(batches.clone())
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// What waits for the writers of a store, who take turns at it. Acts that keep their order travel as
/// one item.
pub(crate) struct Queue {
    /// Somebody waits for these: they go first.
    urgent: mpsc::Receiver<Urgent>,
    /// What the bus delivered and would deliver again.
    deliveries: mpsc::Receiver<Vec<Ticket>>,
    closing: CancellationToken,
    max_batch: usize,
    /// How many batches are being written.
    writing: watch::Sender<usize>,
    patience: Duration,
    moment: Duration,
}

impl Queue {
    pub(crate) fn new(
        urgent: mpsc::Receiver<Urgent>,
        deliveries: mpsc::Receiver<Vec<Ticket>>,
        closing: CancellationToken,
        max_batch: usize,
    ) -> Self {
        let writing = watch::Sender::new(0);
        let (patience, moment) = (PATIENCE, MOMENT);
        Self { urgent, deliveries, closing, max_batch, writing, patience, moment }
    }

    /// What is queued now, at least one item, and about as much as a batch takes; while others are
    /// written, as much as makes a batch worth it. `None` once it is closed and empty.
    pub(super) async fn next(&mut self) -> Option<(Load, Writing)> {
        let mut load = self.first().await?;
        self.add_urgent(&mut load);
        if load.tickets.len() < self.max_batch || load.tickets.iter().all(Ticket::is_command) {
            self.add_deliveries(&mut load);
        }
        self.add_company(&mut load).await;
        Some((load, Writing::begun(&self.writing)))
    }

    /// What is urgent now.
    pub(super) fn urgent(&mut self) -> Load {
        let mut load = Load::default();
        self.add_urgent(&mut load);
        load
    }

    /// The next item, an urgent one before a delivery.
    async fn first(&mut self) -> Option<Load> {
        let mut load = Load::default();
        let mut is_closed = false;
        loop {
            tokio::select! {
                biased;
                () = self.closing.cancelled(), if !is_closed => {
                    self.urgent.close();
                    self.deliveries.close();
                    is_closed = true;
                }
                Some(item) = self.urgent.recv() => {
                    load.add(item);
                    return Some(load);
                }
                Some(item) = self.deliveries.recv() => {
                    load.tickets.extend(item);
                    return Some(load);
                }
                else => return None,
            }
        }
    }

    /// Adds what is urgent now, as far as a batch takes it.
    fn add_urgent(&mut self, load: &mut Load) {
        while load.tickets.len() < self.max_batch {
            let Ok(item) = self.urgent.try_recv() else { break };
            load.add(item);
        }
    }

    /// Adds deliveries, too: one at least, so that no flood of commands keeps them waiting for ever.
    fn add_deliveries(&mut self, load: &mut Load) {
        while let Ok(item) = self.deliveries.try_recv() {
            load.tickets.extend(item);
            if load.tickets.len() >= self.max_batch {
                break;
            }
        }
    }

    /// Adds what comes, until there is enough for one more batch beside those that are written.
    async fn add_company(&mut self, load: &mut Load) {
        let mut writing = self.writing.subscribe();
        let begun = Instant::now();
        loop {
            let beside = *writing.borrow_and_update();
            let is_awaited = load.tickets.iter().any(Ticket::is_command);
            let (enough, patience) = match is_awaited {
                true => (beside * COMPANY, self.patience),
                false => (CROWD, self.moment),
            };
            if load.tickets.len() >= enough {
                return;
            }
            let until = begun + patience;
            tokio::select! {
                biased;
                Some(item) = self.urgent.recv() => load.add(item),
                Some(item) = self.deliveries.recv() => load.tickets.extend(item),
                _ = writing.changed() => {}
                () = tokio::time::sleep_until(until) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::FutureExt as _;
    use kernel::{Actor, Cause, Channel};
    use uuid::Uuid;

    use super::*;
    use crate::Target;

    /// A queue in which nobody's patience ends, and where commands are put into it.
    fn queue() -> (mpsc::Sender<Urgent>, Queue) {
        let (urgent, _, queue) = both_queues();
        (urgent, queue)
    }

    /// The same, and where deliveries are.
    fn both_queues() -> (mpsc::Sender<Urgent>, mpsc::Sender<Vec<Ticket>>, Queue) {
        let (urgent, urgent_queued) = mpsc::channel(1_000);
        let (deliveries, deliveries_queued) = mpsc::channel(1_000);
        let queue = Queue::new(urgent_queued, deliveries_queued, CancellationToken::new(), 512);
        let long = Duration::from_secs(3_600);
        (urgent, deliveries, Queue { patience: long, moment: long, ..queue })
    }

    fn ticket() -> Ticket {
        let (actor, at) = (Arc::new(Actor::system("test")), chrono::DateTime::default());
        let cause = Cause::new(Uuid::nil(), actor, at, Channel::Api);
        let act = Act::new(cause, Target::Events(Vec::new()), Vec::new());
        Ticket { act, reply: oneshot::channel().0 }
    }

    fn command() -> Urgent {
        Urgent::Commands(vec![ticket()])
    }

    fn delivery() -> Ticket {
        let mut ticket = ticket();
        ticket.act.delivery = Some(crate::Mark {
            consumer: "test".to_owned(),
            message: String::new(),
            lane: None,
            fence: None,
            outcome: |_| String::new(),
            at: ticket.act.cause.at,
        });
        ticket
    }

    async fn put(urgent: &mpsc::Sender<Urgent>, count: usize) {
        for _ in 0..count {
            assert!(urgent.send(command()).await.is_ok(), "the queue is open");
        }
    }

    #[tokio::test]
    async fn a_lone_command_waits_for_nobody() {
        let (urgent, mut queue) = queue();
        put(&urgent, 1).await;
        let (load, _writing) = queue.next().now_or_never().flatten().expect("a load at once");
        assert_eq!(load.tickets.len(), 1);
    }

    #[tokio::test]
    async fn a_lone_delivery_waits_for_others_until_a_command_comes() {
        let (urgent, deliveries, mut queue) = both_queues();
        assert!(deliveries.send(vec![delivery()]).await.is_ok(), "the queue is open");
        let mut next = Box::pin(queue.next());
        assert!(futures::poll!(&mut next).is_pending());
        assert!(deliveries.send(vec![delivery(), delivery()]).await.is_ok(), "the queue is open");
        assert!(futures::poll!(&mut next).is_pending());
        put(&urgent, 1).await;
        let (load, _writing) = next.await.expect("it is open");
        assert_eq!(load.tickets.len(), 4);
    }

    #[tokio::test]
    async fn or_for_a_moment() {
        let (_urgent, deliveries, queue) = both_queues();
        let mut queue = Queue { moment: MOMENT, ..queue };
        assert!(deliveries.send(vec![delivery()]).await.is_ok(), "the queue is open");
        let (load, _writing) = queue.next().await.expect("it is open");
        assert_eq!(load.tickets.len(), 1);
    }

    #[tokio::test]
    async fn beside_another_batch_it_waits_for_company() {
        let (urgent, mut queue) = queue();
        let _writing = Writing::begun(&queue.writing);
        put(&urgent, 1).await;
        let mut next = Box::pin(queue.next());
        assert!(futures::poll!(&mut next).is_pending());
        put(&urgent, COMPANY - 1).await;
        let (load, _writing) = next.await.expect("it is open");
        assert_eq!(load.tickets.len(), COMPANY);
    }

    #[tokio::test]
    async fn or_until_that_one_is_written() {
        let (urgent, mut queue) = queue();
        let writing = Writing::begun(&queue.writing);
        put(&urgent, 1).await;
        let mut next = Box::pin(queue.next());
        assert!(futures::poll!(&mut next).is_pending());
        drop(writing);
        let (load, _writing) = next.await.expect("it is open");
        assert_eq!(load.tickets.len(), 1);
    }

    #[tokio::test]
    async fn or_until_its_patience_ends() {
        let (urgent, queue) = queue();
        let mut queue = Queue { patience: PATIENCE, ..queue };
        let _writing = Writing::begun(&queue.writing);
        put(&urgent, 1).await;
        let (load, _writing) = queue.next().await.expect("it is open");
        assert_eq!(load.tickets.len(), 1);
    }
}

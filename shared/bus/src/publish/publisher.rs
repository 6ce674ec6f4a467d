//! Group commit for the bus: what waits now goes as one batch, and each caller gets an answer.

use tokio::sync::{mpsc, oneshot};

use super::{MAX_BATCH, Message, NotDurable};
use crate::Bus;

/// Callers that may wait; beyond it they wait to wait, which slows the senders down.
const WAITING: usize = 1_024;

/// Combines what concurrent callers publish to one stream. Clones share it.
///
/// Nothing waits for company: a lone message goes at once, and what arrives while it is being
/// written goes together after it.
#[derive(Clone, Debug)]
pub struct Publisher {
    queue: mpsc::Sender<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    messages: Vec<Message>,
    answer: oneshot::Sender<Result<(), NotDurable>>,
}

impl Publisher {
    /// Starts the task that publishes to `stream`; it ends when the last clone is dropped.
    #[must_use]
    pub fn new(bus: Bus, stream: &str) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING);
        tokio::spawn(publish_what_waits(bus, stream.to_owned(), waiting));
        Self { queue }
    }

    /// Returns when all of the messages are on disk.
    ///
    /// # Errors
    /// When one of them is not known to be on disk. Some may be.
    pub async fn publish(&self, messages: Vec<Message>) -> Result<(), NotDurable> {
        if messages.is_empty() {
            return Ok(());
        }
        let (answer, answered) = oneshot::channel();
        let gone = || NotDurable::from(crate::BusError::Unreachable);
        self.queue.send(Waiting { messages, answer }).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

async fn publish_what_waits(bus: Bus, stream: String, mut queue: mpsc::Receiver<Waiting>) {
    let mut next = queue.recv().await;
    while let Some(first) = next.take() {
        let mut size = first.messages.len();
        let mut together = vec![first];
        while let Ok(waiting) = queue.try_recv() {
            if size + waiting.messages.len() > MAX_BATCH {
                next = Some(waiting);
                break;
            }
            size += waiting.messages.len();
            together.push(waiting);
        }
        publish_together(&bus, &stream, together).await;
        if next.is_none() {
            next = queue.recv().await;
        }
    }
}

async fn publish_together(bus: &Bus, stream: &str, together: Vec<Waiting>) {
    let mut messages = Vec::new();
    let mut callers = Vec::with_capacity(together.len());
    for waiting in together {
        let start = messages.len();
        messages.extend(waiting.messages);
        callers.push((start..messages.len(), waiting.answer));
    }
    let outcome = bus.publish_slice(stream, &messages).await;
    let spoilt = callers.len() > 1 && matches!(&outcome, Err(error) if error.is_final());
    for (own, answer) in callers {
        let outcome = if spoilt {
            // One caller's message is refused for good: the others' go without it.
            bus.publish_slice(stream, &messages[own]).await
        } else {
            outcome.clone()
        };
        // A caller that has gone away needs no answer.
        let _ = answer.send(outcome);
    }
}

//! Reading a stream from a place on, without a trace on the server: complete and in order.

use std::time::Duration;

use async_nats::jetstream::{
    Message,
    consumer::{AckPolicy, DeliverPolicy, pull},
};
use futures::StreamExt as _;
use tokio::sync::watch;

use crate::{Bus, BusError};

/// How long the server waits with an empty answer.
pub(crate) const PULL: Duration = Duration::from_secs(30);
/// Silence of twice this long means that the server has forgotten us.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(5);

/// A reader at its place in a stream. After an error it goes on from the same place.
pub(crate) struct Reading {
    bus: Bus,
    stream: String,
    filter: String,
    next: u64,
    open: Option<Open>,
}

struct Open {
    messages: pull::Stream,
    losses: watch::Receiver<u64>,
    /// Deliveries so far: a gap in their numbers is a message that was lost on the way.
    count: u64,
    /// How many are in the stream behind the last one read.
    left: u64,
}

impl Reading {
    /// Reads from the sequence `from` on; an empty filter takes everything.
    pub fn new(bus: Bus, stream: &str, filter: &str, from: u64) -> Self {
        Self { bus, stream: stream.to_owned(), filter: filter.to_owned(), next: from, open: None }
    }

    /// The lowest sequence that has not been read.
    pub fn place(&self) -> u64 {
        self.next
    }

    /// The next message up to the sequence `last`; `None` when there is none.
    pub async fn next_up_to(&mut self, last: u64) -> Result<Option<(u64, Message)>, BusError> {
        let open = match self.open.take() {
            Some(open) => open,
            None => self.open().await?,
        };
        let left = open.left;
        self.open = Some(open);
        if left == 0 || self.next > last {
            return Ok(None);
        }
        let (sequence, message) = self.next().await?;
        Ok((sequence <= last).then_some((sequence, message)))
    }

    /// The next message with its sequence; waits for one that is not there yet.
    pub async fn next(&mut self) -> Result<(u64, Message), BusError> {
        loop {
            if self.open.is_none() {
                self.open = Some(self.open().await?);
            }
            let Some(open) = &mut self.open else { continue };
            let arrived = tokio::select! {
                biased;
                _ = open.losses.changed() => None,
                arrived = open.messages.next() => arrived,
            };
            let message = match arrived {
                Some(Ok(message)) => message,
                Some(Err(error)) => {
                    self.open = None;
                    return Err(BusError::client("reading a stream was interrupted")(error.into()));
                }
                None => {
                    self.open = None;
                    continue;
                }
            };
            let (sequence, count, left) = match message.info() {
                Ok(place) => (place.stream_sequence, place.consumer_sequence, place.pending),
                Err(error) => return Err(BusError::client("a delivery without a place")(error)),
            };
            if count != open.count + 1 {
                self.open = None;
                continue;
            }
            open.count = count;
            open.left = left;
            self.next = sequence + 1;
            return Ok((sequence, message));
        }
    }

    async fn open(&self) -> Result<Open, BusError> {
        let losses = self.bus.losses();
        self.bus.reachable()?;
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: self.next.max(1) },
            ack_policy: AckPolicy::None,
            filter_subject: self.filter.clone(),
            memory_storage: true,
            num_replicas: 1,
            // The server forgets a reader that has gone away.
            inactive_threshold: Duration::from_secs(60),
            ..pull::Config::default()
        };
        let fault = || BusError::client(format!("the stream {} cannot be read", self.stream));
        let consumer = self
            .bus
            .inner
            .jetstream
            .create_consumer_on_stream(config, self.stream.as_str())
            .await
            .map_err(|error| fault()(error.into()))?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(500)
            .expires(PULL)
            .heartbeat(HEARTBEAT)
            .messages()
            .await
            .map_err(|error| fault()(error.into()))?;
        Ok(Open { messages, losses, count: 0, left: consumer.cached_info().num_pending })
    }
}

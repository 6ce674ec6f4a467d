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
const PULL: Duration = Duration::from_secs(30);
/// Silence of twice this long means that the server has forgotten us.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Messages that are asked for at a time.
const AHEAD: usize = 500;
/// The server forgets a reader that has gone away for so long.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

/// A reader at its place in a stream. The first error ends it: what was lost on the way then is
/// read by another one that begins there.
pub(crate) struct Reading {
    messages: pull::Stream,
    /// What the server calls it, and its stream.
    name: String,
    stream: String,
    losses: watch::Receiver<u64>,
    /// Deliveries so far: a gap in their numbers is a message that was lost on the way.
    count: u64,
}

impl Reading {
    /// Begins at the sequence `from`; without filters it takes everything.
    pub async fn begin(
        bus: &Bus,
        stream: &str,
        filters: Vec<String>,
        from: u64,
    ) -> Result<Self, BusError> {
        let losses = bus.losses();
        bus.reachable()?;
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: from.max(1) },
            ack_policy: AckPolicy::None,
            filter_subjects: filters,
            memory_storage: true,
            num_replicas: 1,
            inactive_threshold: FORGOTTEN_AFTER,
            ..pull::Config::default()
        };
        let fault = || BusError::client(format!("the stream {stream} cannot be read"));
        let jetstream = &bus.inner.jetstream;
        let consumer = jetstream
            .create_consumer_on_stream(config, stream)
            .await
            .map_err(|error| fault()(error.into()))?;
        let (name, stream) = (consumer.cached_info().name.clone(), stream.to_owned());
        let messages = consumer
            .stream()
            .max_messages_per_batch(AHEAD)
            .expires(PULL)
            .heartbeat(HEARTBEAT)
            .messages()
            .await
            .map_err(|error| fault()(error.into()))?;
        Ok(Self { messages, name, stream, losses, count: 0 })
    }

    /// The next message with its sequence; waits for one that is not there yet. May be dropped while
    /// it waits.
    pub async fn next(&mut self) -> Result<(u64, Message), BusError> {
        let arrived = tokio::select! {
            biased;
            _ = self.losses.changed() => return Err(BusError::Unreachable),
            arrived = self.messages.next() => arrived,
        };
        let message = match arrived {
            Some(Ok(message)) => message,
            Some(Err(error)) => {
                return Err(BusError::client("reading a stream was interrupted")(error.into()));
            }
            None => return Err(BusError::Unreachable),
        };
        let (sequence, count) = match message.info() {
            Ok(place) => (place.stream_sequence, place.consumer_sequence),
            Err(error) => return Err(BusError::client("a delivery without a place")(error)),
        };
        if count != self.count + 1 {
            let said = format!("delivery {count} came, {} was expected", self.count + 1);
            return Err(BusError::client("deliveries were lost on the way")(said.into()));
        }
        self.count = count;
        Ok((sequence, message))
    }

    /// Ends it, so that the server need not keep it until it forgets by itself.
    pub async fn end(self, bus: &Bus) {
        let Self { messages, name, stream, .. } = self;
        drop(messages);
        if let Err(error) = bus.inner.jetstream.delete_consumer_from_stream(&name, &stream).await {
            tracing::debug!(stream, error = %error, "a reader is left to be forgotten");
        }
    }
}

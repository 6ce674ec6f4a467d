//! A lane: the messages of one partition of one stream, each handed to the desk in stream order.
//!
//! The server redelivers what was not acknowledged after its successors, so redelivery is never
//! relied on for order. A lane hands out rising sequences only. What was delivered to an owner
//! before us, or was lost on the way (a gap in the delivery numbers), is read from the stream
//! itself before anything newer is taken; when the server delivers it again it is known.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{
    Message,
    consumer::{AckPolicy, Consumer, DeliverPolicy, pull},
    message::Acker,
};
use contract::subject;
use futures::{FutureExt as _, StreamExt as _};
use tokio_util::sync::CancellationToken;

use crate::{
    Bus, BusError, Delivery, Desk, Fence, MAX_BATCH, Outcome,
    connection::count,
    reading::{HEARTBEAT, PULL, Reading},
};

/// When the server takes a delivery to be lost. It is found by its gap long before.
const ACK_WAIT: Duration = Duration::from_secs(30);
/// More than a lane prefetches, by far: a lane must never stand still for acks on their way.
const MAX_ACK_PENDING: i64 = 8_192;
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The durable consumer of one partition: `incident-reactions-p07`.
pub(crate) fn durable(consumer: &str, partition: u8) -> String {
    format!("{consumer}-p{partition:02}")
}

/// The subjects of one partition of a stream.
fn filter(stream: &str, partition: u8) -> String {
    match stream {
        subject::ALERTS_STREAM => subject::alerts_of_partition(partition),
        service => subject::of_partition(&service.to_lowercase(), partition),
    }
}

pub(crate) struct Lane<D> {
    bus: Bus,
    stream: String,
    durable: String,
    filter: String,
    desk: Arc<D>,
    fence: Fence,
    stop: CancellationToken,
    /// All up to this sequence is settled: a later delivery of it is a repeat.
    settled: u64,
    /// When the stream was made that the sequence is of: one made anew counts from 1 again.
    made: Option<String>,
}

/// Why a lane stopped handing out.
enum End {
    Stopped,
    Fenced,
    Broken(BusError),
}

impl From<BusError> for End {
    fn from(error: BusError) -> Self {
        Self::Broken(error)
    }
}

impl<D: Desk> Lane<D> {
    pub fn new(
        bus: Bus,
        (consumer, stream, partition): (&str, &str, u8),
        desk: Arc<D>,
        fence: Fence,
        stop: CancellationToken,
    ) -> Self {
        Self {
            bus,
            stream: stream.to_owned(),
            durable: durable(consumer, partition),
            filter: filter(stream, partition),
            desk,
            fence,
            stop,
            settled: 0,
            made: None,
        }
    }

    /// Runs until it is stopped or fenced off; what is in hand then is finished first.
    pub async fn run(mut self) {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let before = self.settled;
            match self.pass().await {
                End::Stopped | End::Fenced => break,
                End::Broken(error) => {
                    tracing::debug!(durable = self.durable, error = ?error, "a lane starts over");
                }
            }
            pause = if self.settled > before { SHORTEST_PAUSE } else { pause * 2 };
            pause = pause.min(LONGEST_PAUSE);
            let wait = async {
                tokio::time::sleep(pause).await;
                self.bus.connected().await;
            };
            tokio::select! {
                () = wait => {}
                () = self.stop.cancelled() => break,
            }
        }
        // The next owner finds what we have acknowledged.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.bus.inner.client.flush()).await;
    }

    /// From opening the durable to the first interruption.
    async fn pass(&mut self) -> End {
        match self.hand_out().await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn hand_out(&mut self) -> Result<std::convert::Infallible, End> {
        let mut losses = self.bus.losses();
        let (consumer, mut count) = self.open().await?;
        let mut messages = consumer
            .stream()
            .max_messages_per_batch(MAX_BATCH)
            .expires(PULL)
            .heartbeat(HEARTBEAT)
            .messages()
            .await
            .map_err(|error| BusError::client("a lane cannot pull")(error.into()))?;
        loop {
            let first = tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(End::Stopped),
                // Deliveries and acknowledgements on their way are lost: what they were is read.
                _ = losses.changed() => return Err(BusError::Unreachable.into()),
                first = messages.next() => first,
            };
            let mut next = Some(first);
            let mut batch = Vec::new();
            let mut interruption = None;
            // What is there now, without waiting for more.
            while let Some(arrived) = next.take() {
                match arrived {
                    Some(Ok(message)) => match position(&message) {
                        Ok((_, number)) if number != count + 1 => {
                            interruption = Some(lost_on_the_way(count + 1, number));
                        }
                        Ok((sequence, number)) => {
                            count = number;
                            batch.push((sequence, message));
                        }
                        Err(error) => interruption = Some(error),
                    },
                    Some(Err(error)) => {
                        interruption = Some(BusError::client("a pull ended")(error.into()));
                    }
                    None => interruption = Some(BusError::Unreachable),
                }
                if interruption.is_none() && batch.len() < MAX_BATCH {
                    next = messages.next().now_or_never();
                }
            }
            self.settle(batch).await?;
            if let Some(error) = interruption {
                return Err(error.into());
            }
        }
    }

    /// Makes the durable where it is missing and settles what was delivered and not acknowledged;
    /// answers with the number of the last delivery.
    async fn open(&mut self) -> Result<(Consumer<pull::Config>, u64), End> {
        let stream = self.bus.ensure_stream(&self.stream).await?;
        let made = Some(stream.created.to_string());
        if self.made != made {
            (self.made, self.settled) = (made, 0);
        }
        // A server that lost its end of the stream gives those sequences out again.
        self.settled = self.settled.min(stream.state.last_sequence);
        let config = pull::Config {
            durable_name: Some(self.durable.clone()),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_ack_pending: MAX_ACK_PENDING,
            filter_subject: self.filter.clone(),
            ..pull::Config::default()
        };
        let fault = || BusError::client(format!("the consumer {} cannot be used", self.durable));
        let consumer = self
            .bus
            .inner
            .jetstream
            .create_consumer_on_stream(config, self.stream.as_str())
            .await
            .map_err(|error| fault()(error.into()))?;
        let standing = consumer.get_info().await.map_err(|error| fault()(error.into()))?;
        let floor = standing.ack_floor.stream_sequence;
        if standing.num_ack_pending > 0 {
            self.catch_up(floor, standing.delivered.stream_sequence).await?;
        }
        self.settled = self.settled.max(floor);
        Ok((consumer, standing.delivered.consumer_sequence))
    }

    /// Settles what lies above the acknowledged and up to the last delivered, from the stream.
    async fn catch_up(&mut self, floor: u64, delivered: u64) -> Result<(), End> {
        let mut reading = Reading::new(self.bus.clone(), &self.stream, &self.filter, floor + 1);
        loop {
            let mut batch = Vec::new();
            while batch.len() < MAX_BATCH {
                let next = tokio::select! {
                    () = self.stop.cancelled() => return Err(End::Stopped),
                    next = reading.next_up_to(delivered) => next?,
                };
                let Some((sequence, mut message)) = next else { break };
                message.message.reply = Some(self.ack_subject(sequence).into());
                batch.push((sequence, message));
            }
            if batch.is_empty() {
                return Ok(());
            }
            self.settle(batch).await?;
        }
    }

    /// What acknowledges a message that reached us by another way than its delivery. The server
    /// goes by the stream sequence; the other numbers are its own notes.
    fn ack_subject(&self, sequence: u64) -> String {
        format!("$JS.ACK.{}.{}.1.{sequence}.{sequence}.0.0", self.stream, self.durable)
    }

    /// Hands a batch to the desk until all of it is settled, and acknowledges it.
    async fn settle(&mut self, batch: Vec<(u64, Message)>) -> Result<(), End> {
        let reached = batch.last().map_or(0, |(sequence, _)| *sequence);
        let mut open = Vec::with_capacity(batch.len());
        for (sequence, message) in batch {
            let (message, acker) = message.split();
            if sequence <= self.settled {
                acknowledge(&acker).await;
                continue;
            }
            let headers = message.headers.unwrap_or_default();
            let subject = message.subject.to_string();
            let delivery = Delivery::new(&self.stream, sequence, subject, headers, message.payload);
            open.push((delivery, acker));
        }
        let mut pause = SHORTEST_PAUSE;
        while !open.is_empty() {
            open = self.hand_over(open).await?;
            if open.is_empty() {
                break;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.stop.cancelled() => return Err(End::Stopped),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.settled = self.settled.max(reached);
        Ok(())
    }

    /// One turn of the desk; answers with what is to be tried again.
    async fn hand_over(&self, open: Vec<(Delivery, Acker)>) -> Result<Vec<(Delivery, Acker)>, End> {
        let deliveries: Vec<Delivery> = open.iter().map(|(delivery, _)| delivery.clone()).collect();
        count(&self.bus.inner.counted.delivered, deliveries.len());
        let outcomes = self.desk.take(deliveries, &self.fence).await;
        let mut again = Vec::new();
        let mut reason = None;
        // An outcome that is missing is nobody's promise.
        let silence = std::iter::repeat_with(|| Outcome::Retry { because: "no outcome".into() });
        for ((delivery, acker), outcome) in
            open.into_iter().zip(outcomes.into_iter().chain(silence))
        {
            match outcome {
                Outcome::Done | Outcome::Skipped | Outcome::Parked | Outcome::Dead => {
                    acknowledge(&acker).await;
                }
                Outcome::Retry { because } => {
                    reason.get_or_insert(because);
                    again.push((delivery, acker));
                }
                Outcome::Fenced => return Err(End::Fenced),
            }
        }
        if let Some(because) = reason {
            tracing::warn!(
                durable = self.durable,
                because,
                deliveries = again.len(),
                "deliveries are tried again"
            );
        }
        Ok(again)
    }
}

/// The sequence in the stream, and the number of the delivery.
fn position(message: &Message) -> Result<(u64, u64), BusError> {
    let place =
        message.info().map_err(|error| BusError::client("a delivery without a place")(error))?;
    Ok((place.stream_sequence, place.consumer_sequence))
}

/// An acknowledgement that is lost leads to a repeat, which is known.
async fn acknowledge(acker: &Acker) {
    if let Err(error) = acker.ack().await {
        tracing::debug!(error, "an acknowledgement was not sent");
    }
}

fn lost_on_the_way(expected: u64, got: u64) -> BusError {
    BusError::client("deliveries were lost on the way")(
        format!("delivery {got} came, {expected} was expected").into(),
    )
}

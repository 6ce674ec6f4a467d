//! A lane: the messages of one partition of one stream, each handed to the desk in stream order.
//!
//! Everything up to its place is settled before anything after it is handed out. When reading is
//! interrupted, the lane begins again at its place; there is nothing to acknowledge and nothing that
//! the server would deliver again by itself.

use std::{convert::Infallible, sync::Arc, time::Duration};

use async_nats::jetstream::Message;
use contract::subject;
use tokio_util::sync::CancellationToken;

use crate::{
    Bus, BusError, Delivery, Desk, Fence, MAX_BATCH, Outcome, Place, connection::count,
    reading::Reading,
};

const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The lease of one partition: `incident-reactions-p07`.
pub(crate) fn lease_of(consumer: &str, partition: u8) -> String {
    format!("{consumer}-p{partition:02}")
}

/// A lane's name, under which its place is kept: `incident-reactions-p07/SLA`.
pub(crate) fn name_of(lease: &str, stream: &str) -> String {
    format!("{lease}/{stream}")
}

/// The subjects of one partition of a stream.
pub(crate) fn filter(stream: &str, partition: u8) -> String {
    match stream {
        subject::ALERTS_STREAM => subject::alerts_of_partition(partition),
        service => subject::of_partition(&service.to_lowercase(), partition),
    }
}

pub(crate) struct Lane<D> {
    bus: Bus,
    stream: String,
    name: String,
    filter: String,
    desk: Arc<D>,
    fence: Fence,
    stop: CancellationToken,
    place: Place,
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
        (stream, partition): (&str, u8),
        desk: Arc<D>,
        fence: Fence,
        stop: CancellationToken,
        place: Place,
    ) -> Self {
        let name = name_of(&fence.name, stream);
        let filter = filter(stream, partition);
        Self { bus, stream: stream.to_owned(), name, filter, desk, fence, stop, place }
    }

    /// Runs until it is stopped or fenced off; what is in hand then is finished first.
    pub async fn run(mut self) {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let before = self.place.clone();
            match self.pass().await {
                End::Stopped | End::Fenced => return,
                End::Broken(error) => {
                    tracing::debug!(lane = self.name, error = ?error, "a lane starts over");
                }
            }
            pause = if self.place == before { pause * 2 } else { SHORTEST_PAUSE };
            pause = pause.min(LONGEST_PAUSE);
            let wait = async {
                tokio::time::sleep(pause).await;
                self.bus.connected().await;
            };
            tokio::select! {
                () = wait => {}
                () = self.stop.cancelled() => return,
            }
        }
    }

    /// From finding its place to the first interruption.
    async fn pass(&mut self) -> End {
        match self.hand_out().await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn hand_out(&mut self) -> Result<Infallible, End> {
        let stream = self.bus.ensure_stream(&self.stream).await?;
        self.place = self.place.within(&stream.created.to_string(), stream.state.last_sequence);
        self.bus.inner.progress.note(&self.name, &self.place);
        let from = self.place.sequence + 1;
        let mut reading = Reading::begin(&self.bus, &self.stream, &self.filter, from).await?;
        loop {
            let first = tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(End::Stopped),
                first = reading.next() => first?,
            };
            let mut reached = first.0;
            let mut batch = vec![self.delivery(first)];
            let mut interruption = None;
            // What is here now, without waiting for more.
            while batch.len() < MAX_BATCH
                && let Some(next) = reading.next_now()
            {
                match next {
                    Ok(next) => {
                        reached = next.0;
                        batch.push(self.delivery(next));
                    }
                    Err(error) => {
                        interruption = Some(error);
                        break;
                    }
                }
            }
            self.settle(batch).await?;
            self.place.sequence = reached;
            self.bus.inner.progress.note(&self.name, &self.place);
            if let Some(error) = interruption {
                return Err(error.into());
            }
        }
    }

    fn delivery(&self, (sequence, message): (u64, Message)) -> Delivery {
        let message = message.message;
        let headers = message.headers.unwrap_or_default();
        Delivery::new(&self.stream, sequence, message.subject.to_string(), headers, message.payload)
    }

    /// Hands a batch to the desk until all of it is settled.
    async fn settle(&mut self, mut open: Vec<Delivery>) -> Result<(), End> {
        let mut pause = SHORTEST_PAUSE;
        loop {
            open = self.hand_over(open).await?;
            if open.is_empty() {
                return Ok(());
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.stop.cancelled() => return Err(End::Stopped),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// One turn of the desk; answers with what is to be tried again.
    async fn hand_over(&self, open: Vec<Delivery>) -> Result<Vec<Delivery>, End> {
        count(&self.bus.inner.counted.delivered, open.len());
        let outcomes = self.desk.take(open.clone(), &self.fence).await;
        let mut again = Vec::new();
        let mut reason = None;
        // An outcome that is missing is nobody's promise.
        let silence = std::iter::repeat_with(|| Outcome::Retry { because: "no outcome".into() });
        for (delivery, outcome) in open.into_iter().zip(outcomes.into_iter().chain(silence)) {
            match outcome {
                Outcome::Done | Outcome::Skipped | Outcome::Parked | Outcome::Dead => {}
                Outcome::Retry { because } => {
                    reason.get_or_insert(because);
                    again.push(delivery);
                }
                Outcome::Fenced => return Err(End::Fenced),
            }
        }
        if let Some(because) = reason {
            tracing::warn!(
                lane = self.name,
                because,
                deliveries = again.len(),
                "deliveries are tried again"
            );
        }
        Ok(again)
    }
}

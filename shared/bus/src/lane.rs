//! A lane: the messages of one partition of one stream, each handed to the desk in stream order.
//!
//! Everything up to its place is settled before anything after it is handed out. The stream's feed brings
//! what comes after that place; there is nothing to acknowledge and nothing that the server would
//! deliver again by itself.

use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    Bus, Delivery, Desk, Fence, MAX_BATCH, Outcome, Place,
    connection::count,
    feed::{BEFORE_A_LANE, Fed, Wish},
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

pub(crate) struct Lane<D> {
    bus: Bus,
    partition: u8,
    name: String,
    feed: mpsc::Sender<Wish>,
    desk: Arc<D>,
    fence: Fence,
    stop: CancellationToken,
    place: Place,
}

/// Why a lane stopped handing out.
enum End {
    Stopped,
    Fenced,
    /// The stream is not what it was: the lane goes on at its place in what it is now.
    Begun,
}

impl<D: Desk> Lane<D> {
    pub fn new(
        bus: Bus,
        (stream, partition): (&str, u8),
        feed: mpsc::Sender<Wish>,
        desk: Arc<D>,
        fence: Fence,
        stop: CancellationToken,
        place: Place,
    ) -> Self {
        let name = name_of(&fence.name, stream);
        Self { bus, partition, name, feed, desk, fence, stop, place }
    }

    /// Runs until it is stopped or fenced off; what is in hand then is finished first.
    pub async fn run(mut self) {
        while matches!(self.pass().await, End::Begun) {}
    }

    async fn pass(&mut self) -> End {
        let (to, mut fed) = mpsc::channel(BEFORE_A_LANE);
        let wish = Wish { partition: self.partition, after: self.place.clone(), to };
        if self.feed.send(wish).await.is_err() {
            return End::Stopped;
        }
        loop {
            let first = tokio::select! {
                biased;
                () = self.stop.cancelled() => return End::Stopped,
                first = fed.recv() => first,
            };
            let Some(first) = first else { return End::Begun };
            let mut batch = Vec::new();
            let mut reached = self.place.clone();
            let mut next = Some(first);
            // What is here now, without waiting for more.
            while let Some(fed_now) = next {
                match fed_now {
                    Fed::Begin(place) => reached = place,
                    Fed::UpTo(sequence) => reached.sequence = sequence,
                    Fed::Message(delivery) => {
                        reached.sequence = delivery.sequence();
                        batch.push(delivery);
                    }
                }
                next = if batch.len() < MAX_BATCH { fed.try_recv().ok() } else { None };
            }
            if let Err(end) = self.settle(batch).await {
                return end;
            }
            self.place = reached;
            self.bus.inner.progress.note(&self.name, &self.place);
        }
    }

    /// Hands a batch to the desk until all of it is settled.
    async fn settle(&mut self, mut open: Vec<Delivery>) -> Result<(), End> {
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
        Ok(())
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

//! A feed: one stream, read once for all partitions that a replica holds, each message handed on to the
//! lane of its partition.
//!
//! Sixteen readers of a stream would cost the server sixteen consumers and most of them would be idle.
//! A lane that is slow holds the others of its stream up when what lies before it is full; nothing is
//! handed out of order, and nothing twice to the same lane.

use std::{collections::BTreeMap, time::Duration};

use async_nats::jetstream::{Message, stream::Info};
use contract::subject;
use kernel::PARTITIONS;
use tokio::{sync::mpsc, time::Instant};

use crate::{Bus, BusError, Delivery, Place, reading::Reading};

/// Messages that may lie before a lane.
pub(crate) const BEFORE_A_LANE: usize = 128;
/// How often lanes to which nothing comes are told how far the stream was read: who begins at their
/// places then, begins not far behind.
const TOLD_EVERY: Duration = Duration::from_secs(10);
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The subjects of one partition of a stream.
pub(crate) fn filter(stream: &str, partition: u8) -> String {
    match stream {
        subject::ALERTS_STREAM => subject::alerts_of_partition(partition),
        service => subject::of_partition(&service.to_lowercase(), partition),
    }
}

/// A lane that wants everything of its partition after its place.
pub(crate) struct Wish {
    pub partition: u8,
    pub after: Place,
    pub to: mpsc::Sender<Fed>,
}

/// What a lane is handed.
pub(crate) enum Fed {
    /// First of all: its place in the stream as it is now.
    Begin(Place),
    Message(Delivery),
    /// Nothing of its partition lies between what it was handed last and this sequence.
    UpTo(u64),
}

pub(crate) struct Feed {
    bus: Bus,
    stream: String,
    wishes: mpsc::Receiver<Wish>,
    waiting: Vec<Wish>,
    inlets: BTreeMap<u8, Inlet>,
    /// When the stream was made, and how far the present reading is: up to there all lanes have theirs.
    read: Place,
    told: Instant,
}

struct Inlet {
    to: mpsc::Sender<Fed>,
    /// What comes after this sequence was not handed on yet.
    after: u64,
}

/// Why a reading ended without a fault.
enum End {
    /// Lanes have come or gone: another reading is for those that are there.
    Changed,
    /// There will be no more lanes.
    Over,
}

impl Feed {
    pub fn new(bus: Bus, stream: String, wishes: mpsc::Receiver<Wish>) -> Self {
        let (waiting, inlets) = (Vec::new(), BTreeMap::new());
        Self { bus, stream, wishes, waiting, inlets, read: Place::default(), told: Instant::now() }
    }

    /// Reads for whoever wishes, until nobody can wish any more.
    pub async fn run(mut self) {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let before = self.read.clone();
            match self.pass().await {
                Ok(End::Over) => return,
                Ok(End::Changed) => pause = SHORTEST_PAUSE,
                Err(error) => {
                    tracing::debug!(stream = self.stream, error = ?error, "a feed starts over");
                    if !self.rest(pause).await {
                        return;
                    }
                    pause = if self.read == before { pause * 2 } else { SHORTEST_PAUSE };
                    pause = pause.min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Waits for so long, and for the server; answers whether anybody may still wish.
    async fn rest(&mut self, pause: Duration) -> bool {
        let bus = self.bus.clone();
        let rested = async move {
            tokio::time::sleep(pause).await;
            bus.connected().await;
        };
        tokio::pin!(rested);
        loop {
            tokio::select! {
                () = &mut rested => return true,
                wish = self.wishes.recv() => match wish {
                    Some(wish) => self.waiting.push(wish),
                    None => return false,
                },
            }
        }
    }

    /// One reading, for the lanes that are there when it begins.
    async fn pass(&mut self) -> Result<End, BusError> {
        self.inlets.retain(|_, inlet| !inlet.to.is_closed());
        if self.inlets.is_empty() && self.waiting.is_empty() {
            match self.wishes.recv().await {
                Some(wish) => self.waiting.push(wish),
                None => return Ok(End::Over),
            }
        }
        let info = self.bus.ensure_stream(&self.stream).await?;
        while let Ok(wish) = self.wishes.try_recv() {
            self.waiting.push(wish);
        }
        self.admit(&info).await;
        let Some(after) = self.inlets.values().map(|inlet| inlet.after).min() else {
            return Ok(End::Changed);
        };
        // Some lanes may be further than that: they are not handed anything again.
        self.read.sequence = after;
        let filters = match self.inlets.len() {
            all if all == usize::from(PARTITIONS) => Vec::new(),
            _ => self.inlets.keys().map(|partition| filter(&self.stream, *partition)).collect(),
        };
        let mut reading = Reading::begin(&self.bus, &self.stream, filters, after + 1).await?;
        let end = self.read_on(&mut reading).await?;
        reading.end(&self.bus).await;
        Ok(end)
    }

    /// Hands on what comes, as long as the lanes are the same.
    async fn read_on(&mut self, reading: &mut Reading) -> Result<End, BusError> {
        loop {
            tokio::select! {
                biased;
                wish = self.wishes.recv() => {
                    let Some(wish) = wish else { return Ok(End::Over) };
                    self.waiting.push(wish);
                    return Ok(End::Changed);
                }
                next = reading.next() => {
                    let (sequence, message) = next?;
                    if !self.hand_on(sequence, message).await {
                        return Ok(End::Changed);
                    }
                }
            }
        }
    }

    /// Lets in who waits, at their places in the stream as it is now. If it is not the one that was
    /// read before, everybody comes in again.
    async fn admit(&mut self, info: &Info) {
        let (made, last) = (info.created.to_string(), info.state.last_sequence);
        for inlet in self.inlets.values_mut() {
            inlet.after = inlet.after.max(self.read.sequence);
        }
        if self.read.made != made || self.inlets.values().any(|inlet| inlet.after > last) {
            self.inlets.clear();
            self.read = Place { made: made.clone(), sequence: 0 };
        }
        for Wish { partition, after, to } in self.waiting.drain(..) {
            let place = after.within(&made, last);
            let after = place.sequence;
            // The first in its channel: there is room. A lane that has gone is not let in.
            if to.send(Fed::Begin(place)).await.is_ok() {
                self.inlets.insert(partition, Inlet { to, after });
            }
        }
    }

    /// Hands a message to its lane; answers whether all lanes are still there.
    async fn hand_on(&mut self, sequence: u64, message: Message) -> bool {
        self.read.sequence = sequence;
        let mut are_there = true;
        let inlet = subject::partition_of(&message.subject)
            .and_then(|partition| self.inlets.get_mut(&partition))
            .filter(|inlet| inlet.after < sequence);
        if let Some(inlet) = inlet {
            inlet.after = sequence;
            let Message { message, .. } = message;
            let (subject, headers) = (message.subject.to_string(), message.headers);
            let headers = headers.unwrap_or_default();
            let delivery = Delivery::new(&self.stream, sequence, subject, headers, message.payload);
            are_there = inlet.to.send(Fed::Message(delivery)).await.is_ok();
        }
        are_there && (self.told.elapsed() < TOLD_EVERY || self.tell())
    }

    /// Tells lanes to which nothing came how far the stream was read; answers whether all are there.
    fn tell(&mut self) -> bool {
        self.told = Instant::now();
        let read = self.read.sequence;
        for inlet in self.inlets.values_mut().filter(|inlet| inlet.after < read) {
            // A lane with a full inlet is told another time.
            match inlet.to.try_send(Fed::UpTo(read)) {
                Ok(()) => inlet.after = read,
                Err(mpsc::error::TrySendError::Full(_)) => {}
                Err(mpsc::error::TrySendError::Closed(_)) => return false,
            }
        }
        true
    }
}

//! The live tail: events as they come, from now or from where a reader left off.

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use async_nats::HeaderName;
use contract::Envelope;
use futures::Stream;
use tokio::sync::mpsc;

use crate::{Bus, BusError, reading::Reading};

/// Events that a slow reader may be behind before the server keeps them for it.
const AHEAD: usize = 256;
const PAUSE: Duration = Duration::from_millis(500);

/// One event and its place, from which a reader resumes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tailed {
    /// `INCIDENT`
    pub stream: String,
    pub sequence: u64,
    pub event: Envelope,
}

impl Bus {
    /// The events of some streams, each stream's in its order, for as long as the result is held.
    ///
    /// A stream goes on after the sequence that `after` has for it, and from now where it has
    /// none. It survives the server: what came meanwhile follows when it is back. Messages that
    /// are no events are left out.
    pub fn tail(
        &self,
        streams: &[String],
        after: &BTreeMap<String, u64>,
    ) -> impl Stream<Item = Tailed> + Send + Unpin + 'static {
        let (tell, mut told) = mpsc::channel(AHEAD);
        for stream in streams {
            let follow =
                follow(self.clone(), stream.clone(), after.get(stream).copied(), tell.clone());
            tokio::spawn(follow);
        }
        futures::stream::poll_fn(move |context| told.poll_recv(context))
    }
}

async fn follow(bus: Bus, stream: String, after: Option<u64>, tell: mpsc::Sender<Tailed>) {
    tokio::select! {
        never = read(&bus, &stream, after, &tell) => match never {},
        () = tell.closed() => {}
    }
}

async fn read(
    bus: &Bus,
    stream: &str,
    after: Option<u64>,
    tell: &mpsc::Sender<Tailed>,
) -> Infallible {
    let last = last_of(bus, stream).await;
    let mut next = after.map_or(last, |place| place.min(last)) + 1;
    loop {
        let Err(error) = read_on(bus, stream, &mut next, tell).await;
        tracing::debug!(stream, error = ?error, "a tail starts over");
        tokio::time::sleep(PAUSE).await;
        // A stream that was made anew counts from 1 again.
        if last_of(bus, stream).await + 1 < next {
            next = 1;
        }
    }
}

/// Reads from `next` on, which moves along, to the first interruption.
async fn read_on(
    bus: &Bus,
    stream: &str,
    next: &mut u64,
    tell: &mpsc::Sender<Tailed>,
) -> Result<Infallible, BusError> {
    let mut reading = Reading::begin(bus, stream, Vec::new(), *next).await?;
    loop {
        let (sequence, message) = reading.next().await?;
        *next = sequence + 1;
        let header = |name: &'static str| {
            Some(message.headers.as_ref()?.get(HeaderName::from_static(name))?.as_ref())
        };
        if let Ok(event) = Envelope::from_message(header, &message.payload) {
            let tailed = Tailed { stream: stream.to_owned(), sequence, event };
            // A reader that has gone ends us from outside.
            let _ = tell.send(tailed).await;
        }
    }
}

/// The last sequence of a stream, as soon as it can be asked.
async fn last_of(bus: &Bus, stream: &str) -> u64 {
    loop {
        bus.connected().await;
        match bus.totals(stream).await {
            Ok(totals) => return totals.last_sequence,
            Err(error) => tracing::debug!(stream, error = ?error, "a tail waits"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

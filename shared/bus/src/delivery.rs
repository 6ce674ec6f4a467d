//! A message that arrived, what is done with it, and what came of that.

use std::{future::Future, sync::Arc};

use async_nats::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use contract::{Envelope, UndecodableEvent};

use crate::Fence;

/// One message as a desk gets it. Clones are cheap.
#[derive(Clone, Debug)]
pub struct Delivery(Arc<Arrived>);

#[derive(Debug)]
struct Arrived {
    stream: String,
    sequence: u64,
    subject: String,
    headers: HeaderMap,
    payload: Bytes,
}

impl Delivery {
    /// A message as it was, from what was kept of it: to try a parked one again.
    #[must_use]
    pub fn restore(
        stream: &str,
        sequence: u64,
        subject: &str,
        headers: &[(String, String)],
        payload: Bytes,
    ) -> Self {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            // They were headers before, hence well-formed; what is not was never ours.
            if let (Ok(name), Ok(value)) = (name.parse(), value.parse()) {
                map.append::<HeaderName, HeaderValue>(name, value);
            }
        }
        Self::new(stream, sequence, subject.to_owned(), map, payload)
    }

    pub(crate) fn new(
        stream: &str,
        sequence: u64,
        subject: String,
        headers: HeaderMap,
        payload: Bytes,
    ) -> Self {
        Self(Arc::new(Arrived { stream: stream.to_owned(), sequence, subject, headers, payload }))
    }

    /// `INCIDENT`, `ALERTS`
    #[must_use]
    pub fn stream(&self) -> &str {
        &self.0.stream
    }

    /// The message's number in its stream.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.0.sequence
    }

    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    #[must_use]
    pub fn payload(&self) -> &Bytes {
        &self.0.payload
    }

    #[must_use]
    pub fn header(&self, name: &'static str) -> Option<&str> {
        self.0.headers.get(HeaderName::from_static(name)).map(AsRef::as_ref)
    }

    /// All headers, to keep them beside a message that is parked.
    #[must_use]
    pub fn headers(&self) -> Vec<(String, String)> {
        self.0
            .headers
            .iter()
            .flat_map(|(name, values)| {
                values.iter().map(move |value| (name.to_string(), value.to_string()))
            })
            .collect()
    }

    /// What makes two deliveries the same message: `Nats-Msg-Id`, or `stream:sequence` without.
    #[must_use]
    pub fn message_id(&self) -> String {
        self.header("Nats-Msg-Id")
            .map_or_else(|| format!("{}:{}", self.0.stream, self.0.sequence), str::to_owned)
    }

    /// Reads a record event.
    ///
    /// # Errors
    /// A sentence that names the attribute that is missing or malformed.
    pub fn envelope(&self) -> Result<Envelope, UndecodableEvent> {
        Envelope::from_message(|name| self.header(name), &self.0.payload)
    }
}

/// What came of one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its effect is committed.
    Done,
    /// It has no effect here, or had it already.
    Skipped,
    /// It is kept in the inbox, to be tried again there.
    Parked,
    /// It is kept as a dead letter.
    Dead,
    /// Nothing is committed: the same delivery comes again, before any that is after it.
    Retry { because: String },
    /// Another replica has taken over: the delivery is its business now.
    Fenced,
}

/// Where deliveries are worked on.
pub trait Desk: Send + Sync + 'static {
    /// Works on deliveries of one partition in their order and answers with as many outcomes.
    ///
    /// The same message may come again: what has its mark in the inbox is [`Outcome::Skipped`].
    /// When one is [`Outcome::Retry`], later ones of the same record must be, too.
    fn take(
        &self,
        deliveries: Vec<Delivery>,
        fence: &Fence,
    ) -> impl Future<Output = Vec<Outcome>> + Send;
}

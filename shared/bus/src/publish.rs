//! Publishing that means it: an answer comes when every message is on disk.

mod publisher;

use std::{collections::HashSet, future::Future, sync::Arc};

use async_nats::{HeaderMap, HeaderName, PublishErrorKind, Request, RequestErrorKind};
use bytes::Bytes;
use contract::Envelope;
use futures::{TryFutureExt as _, future::try_join_all};
use serde::Deserialize;
use uuid::Uuid;

pub use self::publisher::Publisher;
use crate::{
    Bus, BusError,
    connection::{ANSWER_WITHIN, count},
};

/// Messages in one atomic batch: beyond it a sync is shared by enough, and the server takes 1,000.
pub const MAX_BATCH: usize = 500;
/// So few messages are stored sooner singly, with a sync each: the server stages a batch in files of its
/// own, which costs it as much as some twenty syncs.
pub(crate) const FEW: usize = 16;
/// A batch is held in the server's memory until it is committed.
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;

/// One message to be published. A `Nats-Msg-Id` among its headers makes a repeat harmless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub subject: String,
    pub headers: Vec<(&'static str, String)>,
    pub payload: Bytes,
}

impl Message {
    /// A service's event, on the subject of its type, partition and record.
    #[must_use]
    pub fn event(service: &str, envelope: Envelope) -> Self {
        Self {
            subject: contract::subject::of_event(service, &envelope.kind, envelope.record),
            headers: envelope.headers(),
            payload: Bytes::from(envelope.data),
        }
    }

    /// What it tells of, whose messages keep their order: a record or a key, the last word of its
    /// subject.
    fn concerns(&self) -> &str {
        self.subject.rsplit('.').next().unwrap_or_default()
    }
}

/// The messages are not known to be on disk. Some may be: publish them again with the same ids.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the messages are not durable on the message bus")]
pub struct NotDurable(#[source] Arc<BusError>);

impl From<BusError> for NotDurable {
    fn from(error: BusError) -> Self {
        Self(Arc::new(error))
    }
}

impl NotDurable {
    /// Whether trying again cannot help, because the server refuses the message itself.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(&*self.0, BusError::Refused(_))
    }
}

/// What JetStream answers to a publish.
#[derive(Debug, Default, Deserialize)]
struct Answer {
    #[serde(default)]
    stream: String,
    /// Messages of the batch, when it was one.
    #[serde(default)]
    count: Option<usize>,
    #[serde(default)]
    error: Option<Problem>,
}

#[derive(Debug, Deserialize)]
struct Problem {
    #[serde(default)]
    err_code: u64,
    #[serde(default)]
    description: String,
}

impl Bus {
    /// Publishes the messages to the stream and returns when all are on disk. Those of one record or
    /// key are stored in their order whatever happens.
    ///
    /// Many go in atomic batches, which cost one sync each; a few go singly. A batch that is refused
    /// (one of its messages is stored already, the server was restarted in the middle) or whose answer
    /// is lost is published again singly.
    ///
    /// # Errors
    /// When one of them is not known to be on disk. Some may be.
    pub async fn publish_all(
        &self,
        stream: &str,
        messages: Vec<Message>,
    ) -> Result<(), NotDurable> {
        self.publish_slice(stream, &messages).await
    }

    /// The same for a caller who may need them again.
    pub(crate) async fn publish_slice(
        &self,
        stream: &str,
        messages: &[Message],
    ) -> Result<(), NotDurable> {
        let mut rest = messages;
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(next_batch(rest));
            let mut outcome = self.publish_batch(stream, batch).await;
            if let Err(BusError::NoStream(_)) = outcome {
                outcome = match self.ensure_stream(stream).await {
                    Ok(_) => self.publish_batch(stream, batch).await,
                    Err(error) => Err(error),
                };
            }
            if let Err(error) = outcome {
                count(&self.inner.counted.not_durable, rest.len());
                return Err(error.into());
            }
            count(&self.inner.counted.published, batch.len());
            rest = later;
        }
        Ok(())
    }

    /// One batch that fits, or its messages singly.
    async fn publish_batch(&self, stream: &str, batch: &[Message]) -> Result<(), BusError> {
        if batch.len() > FEW {
            match self.unless_lost(self.send_batch(stream, batch)).await {
                Ok(()) => {
                    count(&self.inner.counted.batches, 1);
                    return Ok(());
                }
                Err(error @ BusError::NoStream(_)) => return Err(error),
                Err(error) => tracing::debug!(
                    stream, error = ?error, messages = batch.len(), "a batch goes again singly"
                ),
            }
            count(&self.inner.counted.republished, batch.len());
        }
        self.publish_singly(stream, batch).await
    }

    /// A few at once that concern something else each, and what comes after these once they are on disk.
    async fn publish_singly(&self, stream: &str, messages: &[Message]) -> Result<(), BusError> {
        let mut rest: Vec<&Message> = messages.iter().collect();
        while !rest.is_empty() {
            let mut concerned = HashSet::new();
            let (now, later): (Vec<&Message>, Vec<&Message>) = rest
                .into_iter()
                .partition(|message| concerned.len() < FEW && concerned.insert(message.concerns()));
            let asked = now
                .into_iter()
                .map(|message| self.ask(stream, message, headers_of(message)).map_ok(|_| ()));
            self.unless_lost(try_join_all(asked).map_ok(|_| ())).await?;
            rest = later;
        }
        Ok(())
    }

    /// Gives up at once when the connection is lost, because then the answer is, too.
    async fn unless_lost(
        &self,
        sent: impl Future<Output = Result<(), BusError>>,
    ) -> Result<(), BusError> {
        let mut losses = self.losses();
        self.reachable()?;
        tokio::select! {
            biased;
            outcome = sent => outcome,
            _ = losses.changed() => Err(BusError::Unreachable),
            () = tokio::time::sleep(ANSWER_WITHIN) => Err(BusError::TimedOut),
        }
    }

    async fn send_batch(&self, stream: &str, batch: &[Message]) -> Result<(), BusError> {
        let client = &self.inner.client;
        let id = Uuid::new_v4().simple().to_string();
        for (index, message) in batch.iter().enumerate() {
            let mut headers = headers_of(message);
            headers.insert(HeaderName::from_static("Nats-Batch-Id"), id.as_str());
            let place = (index + 1).to_string();
            headers.insert(HeaderName::from_static("Nats-Batch-Sequence"), place);
            if index + 1 < batch.len() {
                client
                    .publish_with_headers(message.subject.clone(), headers, message.payload.clone())
                    .await
                    .map_err(|error| match error.kind() {
                        PublishErrorKind::Send => unsent(error),
                        _ => unfit(message, &error),
                    })?;
            } else {
                headers.insert("Nats-Batch-Commit", "1");
                let answer = self.ask(stream, message, headers).await?;
                // A server that knows no batches acknowledges the last message alone.
                if answer.count != Some(batch.len()) {
                    return self.new_enough().and(Err(BusError::client("a batch was torn")(
                        format!("{} messages, answered {answer:?}", batch.len()).into(),
                    )));
                }
            }
        }
        Ok(())
    }

    /// Sends a message and waits for the stream's answer to it.
    async fn ask(
        &self,
        stream: &str,
        message: &Message,
        headers: HeaderMap,
    ) -> Result<Answer, BusError> {
        let request =
            Request::new().headers(headers).payload(message.payload.clone()).timeout(None);
        let reply =
            self.inner.client.send_request(message.subject.clone(), request).await.map_err(
                |error| match error.kind() {
                    RequestErrorKind::TimedOut => BusError::TimedOut,
                    RequestErrorKind::NoResponders => BusError::NoStream(message.subject.clone()),
                    RequestErrorKind::MaxPayloadExceeded | RequestErrorKind::InvalidSubject => {
                        unfit(message, &error)
                    }
                    RequestErrorKind::Other => unsent(error),
                },
            )?;
        let answer: Answer = serde_json::from_slice(&reply.payload)
            .map_err(|error| BusError::client("the server's answer is unreadable")(error.into()))?;
        match &answer.error {
            // A malformed message is refused for good; all else may pass (a full disk, an election).
            Some(problem) if matches!(problem.err_code, 10054 | 10097 | 10174) => {
                Err(BusError::Refused(problem.description.clone()))
            }
            Some(problem) => Err(BusError::client("the stream refuses")(
                format!("{} ({})", problem.description, problem.err_code).into(),
            )),
            None if answer.stream == stream => Ok(answer),
            None => Err(BusError::Refused(format!(
                "the subject {} belongs to the stream {}, not to {stream}",
                message.subject, answer.stream
            ))),
        }
    }
}

fn unsent(error: impl Into<async_nats::Error>) -> BusError {
    BusError::client("a message cannot be sent")(error.into())
}

/// Too large, or a malformed subject: no server would take it.
fn unfit(message: &Message, error: &dyn std::fmt::Display) -> BusError {
    BusError::Refused(format!("a message cannot be published on {}: {error}", message.subject))
}

/// How many of the first messages fit in one batch: at least one.
fn next_batch(messages: &[Message]) -> usize {
    let mut bytes = 0;
    let fitting = messages.iter().take(MAX_BATCH).take_while(|message| {
        bytes += message.payload.len();
        bytes <= MAX_BATCH_BYTES
    });
    fitting.count().clamp(1, messages.len().max(1))
}

/// A header's value is one line, which the client insists on by a panic. What is long is cut.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(1_000).collect()
}

fn headers_of(message: &Message) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &message.headers {
        let value = if value.contains(['\r', '\n']) { one_line(value) } else { value.clone() };
        headers.insert(HeaderName::from_static(name), value);
    }
    headers
}

//! The connection to the bus: made once, held for life, and no hindrance when there is no server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_nats::{
    ConnectOptions, Event,
    connection::State,
    jetstream::{self, context::ContextBuilder},
};
use tokio::sync::watch;

use crate::{Address, address::Login, place::Progress};

/// How long an answer of the server may take before it counts as lost.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// A record's data three times (as it is, and old and new of all that changed), and its attributes.
const LARGEST_EVENT: usize = 900 * 1024;

/// What a connection needs.
#[derive(Clone, Debug)]
pub struct Options {
    pub address: Address,
    /// Shown by the server beside the connection: the service's name.
    pub name: String,
    /// Copies of each stream that is created: 3 or more on a cluster.
    pub replicas: usize,
    /// Whether an acknowledgement is known to mean "on disk": a server that we started, or one
    /// whose operator declares `sync_interval: always`. Else fewer than 3 replicas are warned of.
    pub syncs_always: bool,
}

impl Options {
    /// One copy, on a server that we started ourselves.
    #[must_use]
    pub fn own_server(address: Address, name: &str) -> Self {
        Self { address, name: name.to_owned(), replicas: 1, syncs_always: true }
    }
}

/// What went wrong on the bus.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    #[error("the message bus cannot be reached")]
    Unreachable,
    #[error("the message bus did not answer within {} s", ANSWER_WITHIN.as_secs())]
    TimedOut,
    #[error("nothing listens on `{0}`: its stream is missing")]
    NoStream(String),
    /// The server refuses this for good: trying again cannot help.
    #[error("{0}")]
    Refused(String),
    #[error("{what}")]
    Client { what: String, source: async_nats::Error },
}

impl BusError {
    pub(crate) fn client(
        what: impl Into<String>,
    ) -> impl FnOnce(Box<dyn std::error::Error + Send + Sync>) -> Self {
        let what = what.into();
        move |source| Self::Client { what, source }
    }
}

/// A connection that heals itself. Clones share it.
#[derive(Clone, Debug)]
pub struct Bus {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub client: async_nats::Client,
    pub jetstream: jetstream::Context,
    pub options: Options,
    pub counted: Counted,
    pub progress: Progress,
    pub up: watch::Receiver<bool>,
    pub losses: watch::Receiver<u64>,
}

/// Counts since the start, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages that the server acknowledged.
    pub published: u64,
    /// Atomic batches among them.
    pub batches: u64,
    /// Messages that went singly after their batch was refused or its acknowledgement was lost.
    pub republished: u64,
    /// Publishes that ended as not durable.
    pub not_durable: u64,
    /// Deliveries handed to a desk, repeats included.
    pub delivered: u64,
    /// Times that the connection was lost.
    pub disconnects: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counted {
    pub published: AtomicU64,
    pub batches: AtomicU64,
    pub republished: AtomicU64,
    pub not_durable: AtomicU64,
    pub delivered: AtomicU64,
}

pub(crate) fn count(counter: &AtomicU64, by: usize) {
    counter.fetch_add(by as u64, Ordering::Relaxed);
}

impl Bus {
    /// Begins to connect and returns at once: a service starts and works without the bus, and the
    /// connection is tried for as long as it takes.
    ///
    /// # Errors
    /// Only for what trying again cannot heal: a malformed address.
    pub async fn connect(options: Options) -> Result<Self, BusError> {
        let counted = Counted::default();
        let (tell_up, up) = watch::channel(false);
        let (tell_loss, losses) = watch::channel(0);
        let login = match options.address.login() {
            Some(Login::User { name, password }) => {
                ConnectOptions::with_user_and_password(name, password)
            }
            Some(Login::Token(token)) => ConnectOptions::with_token(token),
            None => ConnectOptions::new(),
        };
        let connecting = login
            .name(&options.name)
            .retry_on_initial_connect()
            .max_reconnects(None)
            .reconnect_delay_callback(pause_before)
            .connection_timeout(Duration::from_secs(3))
            .request_timeout(Some(ANSWER_WITHIN))
            .ping_interval(Duration::from_secs(10))
            .event_callback(move |event| {
                match event {
                    Event::Connected => {
                        tell_up.send_replace(true);
                        tracing::info!("connected to the message bus");
                    }
                    Event::Disconnected => {
                        tell_up.send_replace(false);
                        tell_loss.send_modify(|losses| *losses += 1);
                        tracing::warn!("the connection to the message bus is lost");
                    }
                    // Tried again every few seconds: loud only where a person must do something.
                    Event::ClientError(error) if !error.to_string().contains("auth") => {
                        tracing::debug!(%error, "message bus client");
                    }
                    // Our own doing, when we stop.
                    Event::Draining | Event::Closed => {}
                    other => tracing::warn!(event = %other, "message bus"),
                }
                std::future::ready(())
            });
        let client = connecting
            .connect(options.address.bare())
            .await
            .map_err(|error| BusError::client("the NATS address cannot be used")(error.into()))?;
        let jetstream = ContextBuilder::new().timeout(ANSWER_WITHIN).build(client.clone());
        let progress = Progress::default();
        let inner = Inner { client, jetstream, options, counted, progress, up, losses };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whether the server is there now.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.inner.client.connection_state() == State::Connected
    }

    /// Resolves when the server is there.
    pub async fn connected(&self) {
        let mut up = self.inner.up.clone();
        while !self.is_connected() {
            // The news travels beside the state and may be late: look again now and then.
            let _ = tokio::time::timeout(Duration::from_millis(250), up.changed()).await;
        }
    }

    /// Changes when the connection is lost from now on: what is on its way then is lost, too.
    pub(crate) fn losses(&self) -> watch::Receiver<u64> {
        let mut losses = self.inner.losses.clone();
        losses.mark_unchanged();
        losses
    }

    /// Refuses at once what would otherwise wait in the client for a server that is not there.
    pub(crate) fn reachable(&self) -> Result<(), BusError> {
        if self.is_connected() { Ok(()) } else { Err(BusError::Unreachable) }
    }

    #[must_use]
    pub fn counters(&self) -> Counters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counted = &self.inner.counted;
        Counters {
            published: read(&counted.published),
            batches: read(&counted.batches),
            republished: read(&counted.republished),
            not_durable: read(&counted.not_durable),
            delivered: read(&counted.delivered),
            disconnects: *self.inner.losses.borrow(),
        }
    }

    /// What an operator should know about the server that we are connected to: empty when an
    /// acknowledgement means "on disk" and every event fits.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let options = &self.inner.options;
        let mut warnings = Vec::new();
        if !options.syncs_always && options.replicas < 3 {
            warnings.push(format!(
                "The NATS server at {} was not started by Steward and streams are created with {} \
                 replica(s): what it acknowledges may be lost when its machine fails, because it \
                 writes to disk only every two minutes by default. Set `sync_interval: always` in \
                 its configuration and declare it, or use 3 replicas.",
                options.address, options.replicas
            ));
        }
        let info = self.inner.client.try_server_info();
        if let Some(info) = info.filter(|info| info.max_payload < LARGEST_EVENT) {
            warnings.push(format!(
                "The NATS server at {} takes messages of at most {} bytes. An event carries its \
                 record, at most 256 KiB, and what changed in it: one that is larger than the \
                 server takes holds back its record. Set `max_payload: 2MB` in its configuration.",
                options.address, info.max_payload
            ));
        }
        warnings
    }

    /// Refuses a server that takes batches for single messages: it would acknowledge only the last.
    pub(crate) fn new_enough(&self) -> Result<(), BusError> {
        if self.inner.client.is_server_compatible(2, 12, 0) {
            return Ok(());
        }
        let version = self.inner.client.server_info().version;
        Err(BusError::Refused(format!(
            "the NATS server at {} is {version}; Steward needs 2.12 or newer",
            self.inner.options.address
        )))
    }

    /// Hands over what is still in the client and closes the connection.
    pub async fn close(&self) {
        if self.is_connected() {
            // The server may go away meanwhile: then there is nothing to hand over to.
            let _ = tokio::time::timeout(Duration::from_secs(1), self.inner.client.flush()).await;
        }
        let _ = self.inner.client.drain().await;
    }
}

/// 20 ms after the first failure, doubling to 2 s.
fn pause_before(attempt: usize) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(1).min(10)).unwrap_or(10);
    (Duration::from_millis(20) * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
}

//! What services say of themselves, kept on the bus for the gateway.

use std::{collections::BTreeMap, time::Duration};

use async_nats::jetstream::kv::{Config, Operation, Store};
use bytes::Bytes;
use contract::{Descriptor, subject::DESCRIPTORS_BUCKET};
use futures::StreamExt as _;
use tokio::sync::watch;

use crate::{Bus, BusError};

const PAUSE: Duration = Duration::from_secs(1);

/// Service to its descriptor.
pub type Descriptors = BTreeMap<String, Descriptor>;

impl Bus {
    /// Says what this service is, in place of what it said before.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn describe(&self, descriptor: &Descriptor) -> Result<(), BusError> {
        self.reachable()?;
        let fault = || BusError::client("the descriptor cannot be put");
        let text = serde_json::to_vec(descriptor).map_err(|error| fault()(error.into()))?;
        self.descriptors()
            .await?
            .put(&descriptor.service, Bytes::from(text))
            .await
            .map_err(|error| fault()(error.into()))?;
        Ok(())
    }

    /// All services' descriptors, now and as they change; empty until the first were read. Ends
    /// when the last receiver is dropped.
    #[must_use]
    pub fn watch_descriptors(&self) -> watch::Receiver<Descriptors> {
        let (tell, told) = watch::channel(Descriptors::new());
        let bus = self.clone();
        tokio::spawn(async move {
            loop {
                bus.connected().await;
                tokio::select! {
                    outcome = bus.follow(&tell) => {
                        if let Err(error) = outcome {
                            tracing::debug!(error = ?error, "watching descriptors starts over");
                        }
                    }
                    () = tell.closed() => return,
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
        told
    }

    async fn follow(&self, tell: &watch::Sender<Descriptors>) -> Result<(), BusError> {
        let fault = || BusError::client("descriptors cannot be watched");
        let bucket = self.descriptors().await?;
        // From the first on: the watch repeats what it knows, so nothing is missed in between.
        let mut entries =
            bucket.watch_with_history(">").await.map_err(|error| fault()(error.into()))?;
        while let Some(entry) = entries.next().await {
            let entry = entry.map_err(|error| fault()(error.into()))?;
            match (entry.operation, serde_json::from_slice(&entry.value)) {
                (Operation::Put, Ok(descriptor)) => tell.send_if_modified(|known| {
                    known.insert(entry.key, Descriptor::clone(&descriptor)) != Some(descriptor)
                }),
                (Operation::Put, Err(error)) => {
                    tracing::warn!(service = entry.key, %error, "a descriptor is unreadable");
                    false
                }
                _ => tell.send_if_modified(|known| known.remove(&entry.key).is_some()),
            };
        }
        Ok(())
    }

    async fn descriptors(&self) -> Result<Store, BusError> {
        self.reachable()?;
        let config = Config {
            bucket: DESCRIPTORS_BUCKET.to_owned(),
            description: "What each service of Steward says of itself".to_owned(),
            history: 1,
            num_replicas: self.inner.options.replicas,
            ..Config::default()
        };
        let jetstream = &self.inner.jetstream;
        match jetstream.get_key_value(DESCRIPTORS_BUCKET).await {
            Ok(bucket) => Ok(bucket),
            // Made by whoever comes first; the same declaration again is no error.
            Err(_) => jetstream
                .create_key_value(config)
                .await
                .map_err(|error| BusError::client("no bucket for descriptors")(error.into())),
        }
    }
}

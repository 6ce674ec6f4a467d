//! Store and bus, which do not know each other, made to fit.

use std::{collections::HashMap, time::Duration};

use bus::{Fault, Leases, Outbox, Outgoing, Place, Places, Reached, Sent};
use store::Store;
use tokio::sync::{Mutex, watch};

/// The journal's unsent rows, as the relay asks for them.
pub(crate) struct Journal {
    store: Store,
    written: Mutex<watch::Receiver<u64>>,
}

impl Journal {
    pub fn new(store: &Store) -> Self {
        Self { store: store.clone(), written: Mutex::new(store.written()) }
    }
}

impl Outbox for Journal {
    async fn unsent(&self, limit: usize) -> Result<Vec<Outgoing>, Fault> {
        let rows = self.store.unsent(limit as u64).await?;
        let outgoing = |row: store::Outgoing| Outgoing {
            seq: row.seq,
            bundle: row.bundle,
            envelope: row.envelope,
        };
        Ok(rows.into_iter().map(outgoing).collect())
    }

    async fn sent(&self, sent: Sent) -> Result<(), Fault> {
        let published = store::Sent { bundles: sent.bundles, left: sent.left };
        Ok(self.store.sent(published).await?)
    }

    async fn changed(&self) {
        // An error would mean that the store is closed: then nothing changes any more.
        if self.written.lock().await.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Leases and places kept in the service's own database.
#[derive(Clone)]
pub(crate) struct StoreLeases(pub Store);

impl Leases for StoreLeases {
    async fn acquire(
        &self,
        name: &str,
        owner: &str,
        ttl: Duration,
    ) -> Result<Option<bus::Fence>, Fault> {
        let fence = self.0.lease(name, owner, ttl).await?;
        let owner = owner.to_owned();
        Ok(fence.map(|fence| bus::Fence { name: fence.name, owner, token: fence.token }))
    }

    async fn renew(&self, fences: &[bus::Fence], ttl: Duration) -> Result<Vec<bool>, Fault> {
        let fences: Vec<store::Fence> = fences.iter().map(fence_of).collect();
        Ok(self.0.renew(&fences, ttl).await?)
    }

    async fn release(&self, fence: &bus::Fence) -> Result<(), Fault> {
        Ok(self.0.release(&fence_of(fence)).await?)
    }
}

impl Places for StoreLeases {
    async fn places(&self, lanes: &[String]) -> Result<HashMap<String, Place>, Fault> {
        let known = self.0.places(lanes).await?.into_iter();
        Ok(known
            .map(|(lane, place)| (lane, Place { made: place.made, sequence: place.sequence }))
            .collect())
    }

    async fn reached(&self, reached: &[Reached]) -> Result<(), Fault> {
        let reached = reached.iter().map(|Reached { lane, token, place }| {
            let place = store::Place { made: place.made.clone(), sequence: place.sequence };
            (store::Fence { name: lane.clone(), token: *token }, place)
        });
        Ok(self.0.reached(reached).await?)
    }
}

/// The same fence in the store's words.
pub(crate) fn fence_of(fence: &bus::Fence) -> store::Fence {
    store::Fence { name: fence.name.clone(), token: fence.token }
}

//! What the store is to the bus: an outbox, leases, and a desk with an inbox, in memory.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use bus::{
    Delivery, Desk, Fault, Fence, Leases, Outbox, Outcome, Outgoing, Place, Places, Reached, Sent,
};
use contract::Envelope;
use tokio::{sync::Notify, time::Instant};
use uuid::Uuid;

/// Clones share it, as replicas share a database.
#[derive(Clone, Default)]
pub struct Database(Arc<Shared>);

#[derive(Default)]
struct Shared {
    tables: Mutex<Tables>,
    written: Notify,
}

#[derive(Default)]
pub struct Tables {
    pub leases: HashMap<String, Lease>,
    /// Lane to place, and the token that it was written with.
    pub places: HashMap<String, (i64, Place)>,
    /// Bundle to its events with their journal numbers; those that are sent are gone.
    pub outbox: BTreeMap<i64, BTreeMap<i64, Envelope>>,
    pub inbox: HashSet<String>,
    /// What took effect, in the order of effect: message id and who did it.
    pub effects: Vec<(String, String)>,
    /// Record to the revisions that took effect.
    pub revisions: HashMap<Uuid, Vec<u64>>,
    pub repeats: usize,
    /// So many turns of the desk fail yet.
    pub failures: usize,
}

pub struct Lease {
    pub owner: Option<String>,
    pub token: i64,
    until: Instant,
}

impl Database {
    pub fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.tables.lock().unwrap()
    }

    /// All of them as one bundle.
    pub fn commit(&self, events: impl IntoIterator<Item = (i64, Envelope)>) {
        let events: BTreeMap<_, _> = events.into_iter().collect();
        let bundle = *events.keys().next().expect("an event");
        self.tables().outbox.insert(bundle, events);
        self.0.written.notify_one();
    }

    /// Partitions that each owner holds now.
    pub fn shares(&self) -> BTreeMap<String, usize> {
        let mut shares = BTreeMap::new();
        for lease in self.tables().leases.values().filter(|lease| lease.until > Instant::now()) {
            if let Some(owner) = &lease.owner {
                *shares.entry(owner.clone()).or_default() += 1;
            }
        }
        shares
    }
}

impl Leases for Database {
    async fn acquire(
        &self,
        name: &str,
        owner: &str,
        ttl: Duration,
    ) -> Result<Option<Fence>, Fault> {
        let now = Instant::now();
        let mut tables = self.tables();
        let lease = tables.leases.entry(name.to_owned()).or_insert(Lease {
            owner: None,
            token: 0,
            until: now,
        });
        let is_ours = lease.owner.as_deref() == Some(owner);
        if lease.owner.is_some() && !is_ours && lease.until > now {
            return Ok(None);
        }
        lease.token += 1;
        lease.owner = Some(owner.to_owned());
        lease.until = now + ttl;
        Ok(Some(Fence { name: name.to_owned(), owner: owner.to_owned(), token: lease.token }))
    }

    async fn renew(&self, fences: &[Fence], ttl: Duration) -> Result<Vec<bool>, Fault> {
        let mut tables = self.tables();
        Ok(fences
            .iter()
            .map(|fence| match tables.leases.get_mut(&fence.name) {
                Some(lease) if lease.token == fence.token && lease.owner.is_some() => {
                    lease.until = Instant::now() + ttl;
                    true
                }
                _ => false,
            })
            .collect())
    }

    async fn release(&self, fence: &Fence) -> Result<(), Fault> {
        if let Some(lease) = self.tables().leases.get_mut(&fence.name)
            && lease.token == fence.token
        {
            lease.owner = None;
        }
        Ok(())
    }
}

impl Places for Database {
    async fn places(&self, lanes: &[String]) -> Result<HashMap<String, Place>, Fault> {
        let tables = self.tables();
        let known = lanes.iter().filter_map(|lane| tables.places.get_key_value(lane));
        Ok(known.map(|(lane, (_, place))| (lane.clone(), place.clone())).collect())
    }

    async fn reached(&self, reached: &[Reached]) -> Result<(), Fault> {
        let mut tables = self.tables();
        for one in reached {
            let known = tables.places.entry(one.lane.clone()).or_default();
            if known.0 <= one.token {
                *known = (one.token, one.place.clone());
            }
        }
        Ok(())
    }
}

impl Outbox for Database {
    async fn unsent(&self, limit: usize) -> Result<Vec<Outgoing>, Fault> {
        let tables = self.tables();
        let mut outgoing = Vec::new();
        for (bundle, events) in &tables.outbox {
            if outgoing.len() >= limit {
                break;
            }
            outgoing.extend(events.iter().map(|(seq, event)| Outgoing {
                seq: *seq,
                bundle: *bundle,
                envelope: event.clone(),
            }));
        }
        Ok(outgoing)
    }

    async fn sent(&self, sent: Sent) -> Result<(), Fault> {
        let mut tables = self.tables();
        let gone: Vec<_> =
            sent.bundles.iter().filter_map(|bundle| tables.outbox.remove(bundle)).collect();
        for (seq, event) in gone.into_iter().flatten() {
            if sent.left.contains(&seq) {
                tables.outbox.insert(seq, BTreeMap::from([(seq, event)]));
            }
        }
        Ok(())
    }

    async fn changed(&self) {
        self.0.written.notified().await;
    }
}

/// Notes each message once, in the transaction that checks the fence.
pub struct Clerk {
    pub database: Database,
    pub name: String,
}

impl Desk for Clerk {
    async fn take(&self, deliveries: Vec<Delivery>, fence: &Fence) -> Vec<Outcome> {
        // So that others get a turn in the middle of a batch, as with a real database.
        tokio::task::yield_now().await;
        let mut tables = self.database.tables();
        if tables.failures > 0 {
            tables.failures -= 1;
            let retry = Outcome::Retry { because: "the database is away".to_owned() };
            return vec![retry; deliveries.len()];
        }
        deliveries.into_iter().map(|delivery| self.note(&mut tables, &delivery, fence)).collect()
    }
}

impl Clerk {
    fn note(&self, tables: &mut Tables, delivery: &Delivery, fence: &Fence) -> Outcome {
        let is_current =
            tables.leases.get(&fence.name).is_some_and(|lease| lease.token == fence.token);
        if !is_current {
            return Outcome::Fenced;
        }
        let id = delivery.message_id();
        if !tables.inbox.insert(id.clone()) {
            tables.repeats += 1;
            return Outcome::Skipped;
        }
        if let Ok(event) = delivery.envelope() {
            tables.revisions.entry(event.record).or_default().push(event.revision);
        }
        tables.effects.push((id, self.name.clone()));
        Outcome::Done
    }
}

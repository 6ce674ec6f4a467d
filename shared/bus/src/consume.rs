//! Consumption: the sixteen partitions of some streams, shared among the replicas that are there.
//!
//! Who may work on a partition is decided by leases alone. Who should is agreed by hearsay: each
//! replica says every second that it is there, and from the same names all draw the same shares.
//! Where hearsay is wrong, a lease is refused or a partition is idle for a moment; nothing worse.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{StreamExt as _, future::join_all};
use kernel::PARTITIONS;
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinHandle},
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Bus, Desk, Fault, Fence, Leases, Place, Places, Reached,
    feed::{Feed, Wish},
    lane::{Lane, lease_of, name_of},
    lease::{ROUND, TTL},
    place::Progress,
};

/// Silence of this long means that a replica has gone.
const GONE_AFTER: Duration = Duration::from_millis(3_500);
const FAREWELL: &str = "-";

/// Who consumes what.
#[derive(Clone, Debug)]
pub struct Consumption {
    /// The consumer's name, kebab-case and never changed: a new name replays all history.
    pub name: String,
    /// `ALERTS`, `INCIDENT`, …; made where they are missing.
    pub streams: Vec<String>,
    /// This replica, different from all others.
    pub owner: String,
}

/// Consumes until `stop`: each partition in order, by one replica at a time. Returns when what was
/// in hand is finished and the leases are given back.
pub async fn consume<D: Desk, L: Leases + Places>(
    bus: Bus,
    what: Consumption,
    desk: Arc<D>,
    leases: L,
    stop: CancellationToken,
) {
    let feeds = what.streams.iter().map(|stream| {
        let (wish, wishes) = mpsc::channel(usize::from(PARTITIONS));
        tokio::spawn(Feed::new(bus.clone(), stream.clone(), wishes).run());
        wish
    });
    let mut rota = Rota {
        feeds: feeds.collect(),
        subject: format!("steward-replicas.{}", what.name),
        heard: BTreeMap::new(),
        held: BTreeMap::new(),
        leaving: BTreeMap::new(),
        bus,
        what,
        desk,
        leases,
    };
    rota.run(&stop).await;
    rota.give_back(|_, _| true);
    join_all(rota.leaving.values_mut()).await;
    rota.say(FAREWELL).await;
}

struct Rota<D, L> {
    bus: Bus,
    what: Consumption,
    desk: Arc<D>,
    leases: L,
    /// One for each stream.
    feeds: Vec<mpsc::Sender<Wish>>,
    /// Where replicas say that they are there.
    subject: String,
    heard: BTreeMap<String, Instant>,
    held: BTreeMap<u8, Held>,
    /// Being finished and given back.
    leaving: BTreeMap<u8, JoinHandle<()>>,
}

struct Held {
    fence: Fence,
    stop: CancellationToken,
    lanes: Vec<JoinHandle<()>>,
    written: Written,
    /// The lease is ours until then, even when the database cannot be asked.
    sure_until: Instant,
}

impl<D: Desk, L: Leases + Places> Rota<D, L> {
    async fn run(&mut self, stop: &CancellationToken) {
        let mut round = tokio::time::interval(ROUND);
        round.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut hearsay = None;
        loop {
            if hearsay.is_none() {
                // Without a server there is nobody to hear, and no work either.
                hearsay = self.bus.inner.client.subscribe(self.subject.clone()).await.ok();
            }
            let next = async {
                match &mut hearsay {
                    Some(heard) => heard.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                _ = round.tick() => {
                    self.write_down().await;
                    if self.renew().await && self.share_out().await {
                        self.say("").await;
                    }
                }
                message = next => match message {
                    Some(message) => {
                        if self.hear(&String::from_utf8_lossy(&message.payload)) {
                            self.share_out().await;
                        }
                    }
                    None => hearsay = None,
                },
            }
        }
    }

    /// Notes who is there; whether that is news.
    fn hear(&mut self, said: &str) -> bool {
        if let Some(gone) = said.strip_prefix(FAREWELL) {
            return self.heard.remove(gone).is_some();
        }
        said != self.what.owner && self.heard.insert(said.to_owned(), Instant::now()).is_none()
    }

    async fn say(&self, prefix: &str) {
        if self.bus.is_connected() {
            let said = format!("{prefix}{}", self.what.owner);
            // Hearsay: said again in a second.
            let _ = self.bus.inner.client.publish(self.subject.clone(), said.into()).await;
        }
    }

    /// Writes down how far the lanes have come since the last time.
    async fn write_down(&mut self) {
        let progress = &self.bus.inner.progress;
        let moved: Vec<_> = self.held.values().flat_map(|held| held.moved(progress)).collect();
        match write_down(&self.leases, &moved).await {
            Ok(()) => self.held.values_mut().for_each(|held| held.written.note(&moved)),
            Err(error) => {
                tracing::warn!(consumer = self.what.name, error, "places cannot be written down");
            }
        }
    }

    /// Prolongs what is held, drops what is lost; whether the database could be asked.
    async fn renew(&mut self) -> bool {
        // A lane that ended by itself was fenced off, or its desk panicked: taken up anew.
        self.give_back(|_, held| held.lanes.iter().any(JoinHandle::is_finished));
        let due = Instant::now() + TTL - 2 * ROUND;
        if self.held.values().all(|held| held.sure_until > due) {
            return true;
        }
        let fences: Vec<Fence> = self.held.values().map(|held| held.fence.clone()).collect();
        let asked = Instant::now();
        let renewed = match self.leases.renew(&fences, TTL).await {
            Ok(renewed) => Some(renewed),
            Err(error) => {
                tracing::warn!(consumer = self.what.name, error, "leases cannot be renewed");
                None
            }
        };
        let mut answers = renewed.iter().flatten();
        self.held.retain(|partition, held| {
            let is_ours = match (&renewed, answers.next()) {
                (Some(_), Some(true)) => {
                    held.sure_until = asked + TTL;
                    true
                }
                (Some(_), _) => false,
                (None, _) => Instant::now() < held.sure_until,
            };
            if !is_ours {
                tracing::warn!(consumer = self.what.name, partition, "a lease is lost");
                held.stop.cancel();
                held.lanes.iter().for_each(JoinHandle::abort);
                held.written.forget(&self.bus.inner.progress);
            }
            is_ours
        });
        renewed.is_some()
    }

    /// Gives back what is another's share and takes what is ours; whether the database could be
    /// asked.
    async fn share_out(&mut self) -> bool {
        self.heard.retain(|_, last| last.elapsed() < GONE_AFTER);
        let before_us = self.heard.range(..self.what.owner.clone()).count();
        let replicas = self.heard.len() + 1;
        let is_ours = |partition: u8| usize::from(partition) % replicas == before_us;
        self.give_back(|partition, _| !is_ours(partition));
        self.leaving.retain(|_, leaving| !leaving.is_finished());
        let mut taken = Vec::new();
        let mut could_ask = true;
        for partition in (0..PARTITIONS).filter(|partition| is_ours(*partition)) {
            if self.held.contains_key(&partition) || self.leaving.contains_key(&partition) {
                continue;
            }
            let name = lease_of(&self.what.name, partition);
            let asked = Instant::now();
            match self.lease(&name).await {
                Ok(Some((fence, written))) => taken.push((partition, fence, written, asked + TTL)),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(consumer = self.what.name, error, "leases cannot be asked for");
                    could_ask = false;
                    break;
                }
            }
        }
        // All at once, so that each stream is read for all of them from the first.
        for (partition, fence, written, sure_until) in taken {
            self.take_up(partition, fence, written, sure_until);
        }
        could_ask
    }

    /// Takes a lease, and with it the places where its lanes go on.
    async fn lease(&self, name: &str) -> Result<Option<(Fence, Written)>, Fault> {
        let Some(fence) = self.leases.acquire(name, &self.what.owner, TTL).await? else {
            return Ok(None);
        };
        let lanes: Vec<String> =
            self.what.streams.iter().map(|stream| name_of(name, stream)).collect();
        // After the lease: whoever held it before has written down all that it will.
        let mut known = self.leases.places(&lanes).await?;
        let place = |lane: String| {
            let place = known.remove(&lane).unwrap_or_default();
            (lane, place)
        };
        Ok(Some((fence, Written(lanes.into_iter().map(place).collect()))))
    }

    fn take_up(&mut self, partition: u8, fence: Fence, written: Written, sure_until: Instant) {
        let stop = CancellationToken::new();
        let lanes = self
            .what
            .streams
            .iter()
            .zip(&self.feeds)
            .zip(&written.0)
            .map(|((stream, feed), (_, place))| {
                let lane = Lane::new(
                    self.bus.clone(),
                    (stream, partition),
                    feed.clone(),
                    Arc::clone(&self.desk),
                    fence.clone(),
                    stop.clone(),
                    place.clone(),
                );
                tokio::spawn(lane.run())
            })
            .collect();
        self.held.insert(partition, Held { fence, stop, lanes, written, sure_until });
    }

    /// Begins to give back: beside the rounds, which must not miss a renewal meanwhile.
    fn give_back(&mut self, is_surplus: impl Fn(u8, &Held) -> bool) {
        for (partition, held) in
            self.held.extract_if(.., |partition, held| is_surplus(*partition, held))
        {
            let leaving = tokio::spawn(leave(self.bus.clone(), self.leases.clone(), held));
            self.leaving.insert(partition, leaving);
        }
    }
}

impl Held {
    /// Where its lanes are that have moved since it was written down.
    fn moved(&self, progress: &Progress) -> Vec<Reached> {
        let moved = self.written.0.iter().filter_map(|(lane, written)| {
            let place = progress.of(lane).filter(|place| place != written)?;
            Some(Reached { lane: lane.clone(), token: self.fence.token, place })
        });
        moved.collect()
    }
}

/// Places as they were written down last, one for each lane of a lease.
struct Written(Vec<(String, Place)>);

impl Written {
    /// The lanes are not this process's any more.
    fn forget(&self, progress: &Progress) {
        self.0.iter().for_each(|(lane, _)| progress.forget(lane));
    }

    fn note(&mut self, moved: &[Reached]) {
        for (lane, written) in &mut self.0 {
            if let Some(now) = moved.iter().find(|now| now.lane == *lane) {
                written.clone_from(&now.place);
            }
        }
    }
}

async fn write_down(places: &impl Places, moved: &[Reached]) -> Result<(), Fault> {
    if moved.is_empty() { Ok(()) } else { places.reached(moved).await }
}

/// Lets the lanes finish what they have in hand, writes down where they are, then gives their lease
/// back.
async fn leave<L: Leases + Places>(bus: Bus, leases: L, mut held: Held) {
    held.stop.cancel();
    let lanes = std::mem::take(&mut held.lanes);
    let patience = held.sure_until.saturating_duration_since(Instant::now());
    let aborts: Vec<_> = lanes.iter().map(JoinHandle::abort_handle).collect();
    if tokio::time::timeout(patience, join_all(lanes)).await.is_err() {
        aborts.iter().for_each(AbortHandle::abort);
    }
    let moved = held.moved(&bus.inner.progress);
    if let Err(error) = write_down(&leases, &moved).await {
        tracing::warn!(lease = held.fence.name, error, "places cannot be written down");
    }
    held.written.forget(&bus.inner.progress);
    if let Err(error) = leases.release(&held.fence).await {
        tracing::warn!(lease = held.fence.name, error, "a lease cannot be given back");
    }
}

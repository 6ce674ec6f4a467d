//! The tasks that commit what is queued: whatever waits goes into one transaction.

mod queue;

use std::{collections::HashSet, mem, slice, sync::Arc, time::Duration};

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use tokio::{
    sync::{Mutex, watch},
    time::Instant,
};

pub(crate) use self::queue::{Departure, Queue, Ticket, Urgent};
use self::queue::{Load, Reply, Writing};
use crate::{
    Act, Sent, Setback,
    act::Lane,
    batch::{Attempt, Batch, Needs, Shared, Verdict, Witness},
    chain::Salts,
    dialect::{Failure, is_broken_connection},
    entity::journal,
    law::Law,
    refusal::Ledger,
};

/// A batch that meets locks or broken connections is tried this often as a whole.
const ATTEMPTS: u32 = 6;
/// One that writes what others have written, or may be at fault itself, only so often: then its acts
/// go singly.
const COLLISIONS: u32 = 3;
/// A database that restarts is back within this time, or its callers are told.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);
/// Newer rules are read and in force within this time.
const RENEWAL: Duration = Duration::from_secs(5);
const NOT_MARKED: &str = "published events could not be taken out of the outbox";

/// What is being written: tickets in their order, and with the first of them what was sent.
struct Work {
    sent: Vec<Departure>,
    acts: Vec<Act>,
    replies: std::vec::IntoIter<Reply>,
    /// The lanes in which one of them was not done.
    held_lanes: HashSet<Lane>,
}

impl Work {
    fn of(load: Load) -> Self {
        let (acts, replies): (_, Vec<_>) =
            load.tickets.into_iter().map(|ticket| (ticket.act, ticket.reply)).unzip();
        let (sent, replies) = (load.sent, replies.into_iter());
        Self { sent, acts, replies, held_lanes: HashSet::new() }
    }

    /// What is still to be written.
    fn rest(&self) -> &[Act] {
        &self.acts[self.acts.len() - self.replies.len()..]
    }

    fn is_done(&self) -> bool {
        self.sent.is_empty() && self.rest().is_empty()
    }
}

pub(crate) struct Writer {
    shared: Arc<Shared>,
    queue: Arc<Mutex<Queue>>,
    written: Arc<watch::Sender<u64>>,
    max_batch: usize,
    ledger: Ledger,
    salts: Salts,
    /// The batch before wanted more locks on the way, so the next one is likely to.
    is_late: bool,
}

impl Writer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        queue: Arc<Mutex<Queue>>,
        written: Arc<watch::Sender<u64>>,
        max_batch: usize,
    ) -> Self {
        let (ledger, salts) = (Ledger::new(), Salts::default());
        Self { shared, queue, written, max_batch, ledger, salts, is_late: false }
    }

    /// Writes until the store is closed and the queue is empty.
    pub(crate) async fn run(mut self) {
        while let Some((load, _writing)) = self.next().await {
            let mut work = Work::of(load);
            self.write(&mut work).await;
            while !work.is_done() {
                // What takes more than one batch lets the urgent pass.
                let mut passing = Work::of(self.urgent());
                while !passing.is_done() {
                    self.write(&mut passing).await;
                }
                self.write(&mut work).await;
            }
        }
    }

    /// Commits one batch of the work and answers those who wait for it.
    async fn write(&mut self, work: &mut Work) {
        let mut held_lanes = mem::take(&mut work.held_lanes);
        let sent = mem::take(&mut work.sent);
        let mut published = Sent::default();
        for Departure { sent: its, .. } in &sent {
            published.bundles.extend(&its.bundles);
            published.left.extend(&its.left);
        }
        let rest = work.rest();
        let (now, _) = rest.split_at(rest.len().min(self.max_batch));
        let (verdicts, is_whole) = self.commit(now, &published, &mut held_lanes).await;
        if !now.is_empty() {
            self.written.send_modify(|commits| *commits += 1);
        }
        work.held_lanes = held_lanes;
        for Departure { reply, .. } in sent {
            let outcome = if is_whole { Ok(()) } else { Err(Setback::broken(NOT_MARKED)) };
            // Who has gone marks them when they are sent again.
            let _ = reply.send(outcome);
        }
        // As many replies are taken as there are verdicts: what is left belongs to the rest.
        for verdict in verdicts {
            let Some(reply) = work.replies.next() else { break };
            // A caller that has gone needs no answer.
            let _ = reply.send(verdict);
        }
    }

    async fn next(&self) -> Option<(Load, Writing)> {
        self.queue.lock().await.next().await
    }

    /// What is urgent now, unless another writer is about to take it.
    fn urgent(&self) -> Load {
        self.queue.try_lock().map(|mut queue| queue.urgent()).unwrap_or_default()
    }

    /// Commits acts, or the first of them, and says what became of each; with them what was sent,
    /// unless they had to be committed singly.
    async fn commit(
        &mut self,
        acts: &[Act],
        sent: &Sent,
        held_lanes: &mut HashSet<Lane>,
    ) -> (Vec<Verdict>, bool) {
        let failure = match self.commit_whole(acts, sent, held_lanes).await {
            Ok(verdicts) => {
                note_held(acts, &verdicts, held_lanes);
                return (verdicts, true);
            }
            Err(failure) => failure,
        };
        let is_unreachable = matches!(
            &failure,
            Failure::Database(
                sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_)
            )
        );
        if acts.len() <= 1 || is_unreachable {
            tracing::error!(error = ?failure, acts = acts.len(), "a batch could not be committed");
            let setback = Setback::broken(sqlx::Error::from(failure));
            let verdicts: Vec<_> = acts.iter().map(|_| Verdict::Setback(setback.clone())).collect();
            note_held(acts, &verdicts, held_lanes);
            return (verdicts, false);
        }
        // One of them is guilty, and only that one shall fail.
        let mut verdicts = Vec::with_capacity(acts.len());
        let nothing = Sent::default();
        for act in acts {
            let act = slice::from_ref(act);
            let (verdict, _) = Box::pin(self.commit(act, &nothing, held_lanes)).await;
            verdicts.extend(verdict);
        }
        (verdicts, false)
    }

    async fn commit_whole(
        &mut self,
        acts: &[Act],
        sent: &Sent,
        held_lanes: &HashSet<Lane>,
    ) -> Result<Vec<Verdict>, Failure> {
        let mut needs = Needs::default();
        needs.late = self.is_late;
        let mut attempt = 1;
        loop {
            let law = self.shared.law();
            let (salts, ledger) = (&mut self.salts, &mut self.ledger);
            let lanes = held_lanes.clone();
            let run =
                Batch::run((&self.shared, &law), acts, sent, &mut needs, salts, ledger, lanes);
            let outcome = run.await;
            self.is_late = needs.late;
            let failure = match outcome {
                Attempt::Committed(verdicts) => return Ok(verdicts),
                Attempt::Failed(failure) => failure,
                Attempt::Unsure { verdicts, witness, failure } => {
                    match self.was_committed(witness).await {
                        Ok(true) => return Ok(verdicts),
                        Ok(false) => failure,
                        // Nobody knows whether it was done: trying again could do it twice.
                        Err(fault) => return Err(Failure::Database(fault)),
                    }
                }
            };
            let (attempts, pause) = match &failure {
                Failure::Contended => (ATTEMPTS, Duration::ZERO),
                Failure::Outdated => {
                    self.renewed(&law).await;
                    (ATTEMPTS, Duration::ZERO)
                }
                Failure::Database(fault) if is_broken_connection(fault) => {
                    (ATTEMPTS, PAUSE * attempt)
                }
                failure if failure.is_passing() => (COLLISIONS, Duration::ZERO),
                _ => return Err(failure),
            };
            if attempt >= attempts {
                return Err(failure);
            }
            tracing::debug!(error = ?failure, attempt, acts = acts.len(), "a batch is tried again");
            attempt += 1;
            needs.patient = attempt + 1 >= ATTEMPTS;
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        }
    }

    /// Waits until other rules are in force here than these, for a while.
    async fn renewed(&self, law: &Arc<Law>) {
        let mut exchanged = self.shared.law.subscribe();
        self.shared.outdated.notify_one();
        let is_other = exchanged.wait_for(|now| !Arc::ptr_eq(now, law));
        // Who exchanges them may be gone: then the batch fails after some tries.
        let _ = tokio::time::timeout(RENEWAL, is_other).await;
    }

    /// Whether the batch that wrote this journal row is on disk.
    async fn was_committed(&self, witness: Witness) -> Result<bool, sqlx::Error> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let row = journal::Entity::find()
                .filter(journal::Column::RecordId.eq(witness.record))
                .filter(journal::Column::Revision.eq(witness.revision.cast_signed()))
                .one(&self.shared.pools.write)
                .await;
            match row {
                Ok(row) => return Ok(row.is_some_and(|row| row.link == witness.link)),
                Err(fault) if Instant::now() > deadline => {
                    return Err(sqlx::Error::Io(std::io::Error::other(fault)));
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

/// Remembers the lanes in which an act was not done.
fn note_held(acts: &[Act], verdicts: &[Verdict], held_lanes: &mut HashSet<Lane>) {
    for (act, verdict) in acts.iter().zip(verdicts) {
        if let Verdict::Setback(setback) = verdict
            && setback.holds_its_lane()
        {
            held_lanes.extend(act.lane());
        }
    }
}

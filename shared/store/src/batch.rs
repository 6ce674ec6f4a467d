//! One transaction: what is needed is read under locks, the acts are decided in order, and what they
//! did is written in a few statements.

mod act;
mod count;
mod erase;
mod follow;
mod overlay;
mod react;
mod stage;
mod tie;
mod write;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::Instant,
};

use engine::{Bond, Links, Record};
use kernel::{Actor, Refusal};
use tokio::sync::{Mutex, MutexGuard, Notify, watch};
use uuid::Uuid;

use self::overlay::{Held, Overlay, Timers};
use crate::{
    Act, RecordRef, Sent, Setback, Target,
    act::{Done, Lane},
    audience::{AudienceSet, Audiences},
    chain::Salts,
    dialect::{Failure, Lock, Pools, Tx},
    fresh::Fresh,
    law::Law,
    refusal::{Ledger, Noted},
    row::{Extent, HolderKey, Loaded},
    slot::Columns,
    text::indexable,
    total::Countings,
};

/// Acts that are still undecided after this long go into the next transaction, so that one slow
/// rule does not hold up those that came before it.
const DECIDING_MS: u128 = 100;

/// What all writers of a store share.
pub(crate) struct Shared {
    pub(crate) pools: Pools,
    /// What is decided by, from the next batch on.
    pub(crate) law: watch::Sender<Arc<Law>>,
    /// Told when a batch met what was decided by newer rules than these.
    pub(crate) outdated: Notify,
    /// One exchange of the rules at a time.
    pub(crate) adopting: Mutex<()>,
    pub(crate) audiences: Audiences,
    /// How the records of processes are counted.
    pub(crate) countings: Countings,
    /// What was committed a moment ago and is to be published.
    pub(crate) fresh: Fresh,
    /// Who reactions act as.
    pub(crate) system: Arc<Actor>,
    /// Held by the batch that locks records which it did not know to need when it began: two such
    /// batches would lock the same records in different orders. Nobody waits for it who holds locks
    /// of the database, which could not see that deadlock.
    pub(crate) late: Mutex<()>,
}

impl Shared {
    pub(crate) fn law(&self) -> Arc<Law> {
        Arc::clone(&self.law.borrow())
    }
}

/// What a batch turned out to need; the next attempt locks it all at once, in order.
#[derive(Default)]
pub(crate) struct Needs {
    records: BTreeSet<Uuid>,
    holders: BTreeSet<HolderKey>,
    /// The processes whose records are counted on.
    counters: BTreeSet<String>,
    /// It will want to lock more on the way.
    pub(crate) late: bool,
    /// Enough attempts failed on locks: wait for them, and leave deadlocks to the database.
    pub(crate) patient: bool,
}

/// What became of one act; replays are read outside of the transaction.
pub(crate) enum Verdict {
    Done(Done),
    Replay { record: Option<Uuid>, revision: u64 },
    Setback(Setback),
}

/// Why deciding stopped.
enum Stop {
    Setback(Setback),
    Failure(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Setback(Setback::Refused(refusal))
    }
}

impl From<Setback> for Stop {
    fn from(setback: Setback) -> Self {
        Self::Setback(setback)
    }
}

/// How an attempt to commit a batch ended.
pub(crate) enum Attempt {
    /// Verdicts of the first acts; the rest was out of time and is to be tried again.
    Committed(Vec<Verdict>),
    Failed(Failure),
    /// The connection broke in the commit: look for this journal row to know whether it was done.
    Unsure {
        verdicts: Vec<Verdict>,
        witness: Witness,
        failure: Failure,
    },
}

/// A journal row that only this very batch could have written: its link covers a random salt.
#[derive(Clone, Copy)]
pub(crate) struct Witness {
    pub(crate) record: Uuid,
    pub(crate) revision: u64,
    pub(crate) link: crate::chain::Hash,
}

pub(crate) struct Batch<'a> {
    shared: &'a Shared,
    law: &'a Law,
    tx: Tx,
    overlay: Overlay<'a>,
    needs: &'a mut Needs,
    late: Option<MutexGuard<'a, ()>>,
    noted: Vec<Noted>,
    salts: &'a mut Salts,
    /// Lanes in which an act was not done.
    held_lanes: HashSet<Lane>,
    /// Journal rows that are published.
    sent: &'a Sent,
}

impl<'a> Batch<'a> {
    /// Decides and commits; when it fails, nothing was done.
    pub(crate) async fn run(
        (shared, law): (&'a Shared, &'a Law),
        acts: &'a [Act],
        sent: &'a Sent,
        needs: &'a mut Needs,
        salts: &'a mut Salts,
        ledger: &mut Ledger,
        held_lanes: HashSet<Lane>,
    ) -> Attempt {
        let late = if needs.late { Some(shared.late.lock().await) } else { None };
        needs.late = false;
        let tx = match Tx::begin(&shared.pools.batches).await {
            Ok(tx) => tx,
            Err(failure) => return Attempt::Failed(failure),
        };
        let overlay = Overlay::default();
        let noted = Vec::new();
        let mut batch =
            Batch { shared, law, tx, overlay, needs, late, noted, salts, held_lanes, sent };
        match batch.decide_all(acts).await {
            Ok(verdicts) => batch.finish(verdicts, ledger).await,
            Err(failure) => {
                batch.tx.rollback().await;
                Attempt::Failed(failure)
            }
        }
    }

    async fn decide_all(&mut self, acts: &'a [Act]) -> Result<Vec<Verdict>, Failure> {
        self.gather(acts).await?;
        let begun = Instant::now();
        let mut verdicts = Vec::with_capacity(acts.len());
        for act in acts {
            verdicts.push(self.decide(act).await?);
            // What comes after a publication is decided by what was published.
            let publishes = self.overlay.publishing.is_some();
            if publishes || begun.elapsed().as_millis() > DECIDING_MS {
                break;
            }
        }
        Ok(verdicts)
    }

    /// Reads in one statement a table what the acts name.
    async fn gather(&mut self, acts: &'a [Act]) -> Result<(), Failure> {
        let mut ids = self.needs.records.clone();
        let mut numbers = Vec::new();
        let mut holders = self.needs.holders.clone();
        let (mut onces, mut marks, mut fences) = (Vec::new(), Vec::new(), Vec::new());
        for act in acts {
            match &act.target {
                Target::New { .. } => {
                    ids.insert(kernel::derived_id(act.cause.id, act.cause.when(), 0));
                }
                Target::Record { which: RecordRef::Id(id), .. } => {
                    ids.insert(*id);
                }
                Target::Record { which: RecordRef::Number(number), .. } => {
                    numbers.push(number.as_str());
                }
                Target::Events(_) => {}
            }
            for happening in act.target.happenings() {
                for process in self.law.rules.subscribers(&happening.kind) {
                    let key = self.key_of(process, happening, &act.cause);
                    holders.extend(key.ok().flatten());
                }
            }
            numbers.extend(act.tie.iter().map(|tie| tie.link.to.number.as_str()));
            onces.extend(act.once.iter().map(|once| (&once.scope, &once.key)));
            marks.extend(act.delivery.iter().map(|mark| (&mark.consumer, &mark.message)));
            let fenced = act.delivery.iter().filter_map(|mark| mark.fence.as_ref());
            fences.extend(fenced.map(|fence| fence.name.as_str()));
        }
        if !numbers.is_empty() {
            for (number, id) in self.tx.ids(&numbers).await? {
                ids.insert(id);
                self.overlay.numbers.insert(number, id);
            }
        }
        self.read_fences(fences).await?;
        self.read_onces(&onces).await?;
        self.read_marks(&marks).await?;
        ids.extend(self.lock_holders(holders.into_iter().collect(), Lock::Wait).await?);
        self.lock_records(ids.into_iter().collect(), Lock::Wait).await?;
        for process in self.needs.counters.clone() {
            self.last_number(&process).await?;
        }
        Ok(())
    }

    /// The last number given to a process, by this batch or before; nobody else gives one until it
    /// commits.
    async fn last_number(&mut self, process: &str) -> Result<i64, Failure> {
        if let Some(last) = self.overlay.counters.get(process) {
            return Ok(*last);
        }
        self.needs.counters.insert(process.to_owned());
        // Counters are locked in the order of their names: else one batch might wait for the other.
        let is_in_order = self.overlay.counters.keys().all(|held| held.as_str() < process);
        let lock = if is_in_order || self.needs.patient { Lock::Wait } else { Lock::NoWait };
        let (last, edition) = self.tx.counter(process, lock).await?;
        self.is_current(edition)?;
        self.overlay.counters.insert(process.to_owned(), last);
        Ok(last)
    }

    async fn read_fences(&mut self, mut names: Vec<&str>) -> Result<(), Failure> {
        names.sort_unstable();
        names.dedup();
        if !names.is_empty() {
            self.overlay.fences.extend(self.tx.fences(&names).await?);
        }
        Ok(())
    }

    async fn read_onces(&mut self, keys: &[(&'a String, &'a String)]) -> Result<(), Failure> {
        let keys: Vec<_> = keys.iter().map(|key| (indexable(key.0), indexable(key.1))).collect();
        let asked: Vec<_> = keys.iter().map(|key| (&*key.0, &*key.1)).collect();
        if !asked.is_empty() {
            for row in self.tx.onces(&asked).await? {
                let used = overlay::Used {
                    digest: row.digest,
                    record: row.record,
                    revision: row.revision.cast_unsigned(),
                };
                self.overlay.onces.insert((row.scope.into(), row.key.into()), used);
            }
        }
        Ok(())
    }

    async fn read_marks(&mut self, keys: &[(&'a String, &'a String)]) -> Result<(), Failure> {
        let keys: Vec<_> = keys.iter().map(|key| (indexable(key.0), indexable(key.1))).collect();
        let asked: Vec<_> = keys.iter().map(|key| (&*key.0, &*key.1)).collect();
        if !asked.is_empty() {
            for (consumer, message, state) in self.tx.marks(&asked).await? {
                // What is parked is taken again by its retry.
                if state != crate::inbox::PARKED {
                    self.overlay.marks.insert((consumer.into(), message.into()));
                }
            }
        }
        Ok(())
    }

    /// Locks and remembers holders; answers whom they hold the key for.
    async fn lock_holders(
        &mut self,
        keys: Vec<HolderKey>,
        lock: Lock,
    ) -> Result<Vec<Uuid>, Failure> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let asked: Vec<_> = keys.iter().collect();
        let found = self.tx.holders(&asked, lock).await?;
        let records = found.iter().map(|(_, record)| *record).collect();
        self.overlay.holders.extend(keys.into_iter().map(|key| (key, None)));
        self.overlay.holders.extend(found.into_iter().map(|(key, record)| (key, Some(record))));
        Ok(records)
    }

    async fn lock_records(&mut self, ids: Vec<Uuid>, lock: Lock) -> Result<(), Failure> {
        if ids.is_empty() {
            return Ok(());
        }
        let loaded = self.tx.records(&ids, lock).await?;
        let newest = loaded.iter().map(|loaded| loaded.edition).max();
        self.is_current(newest.unwrap_or_default())?;
        let unknown: BTreeSet<i32> = loaded.iter().map(|loaded| loaded.audience).collect();
        let unknown = unknown.into_iter().filter(|id| self.shared.audiences.by_id(*id).is_none());
        let unknown: Vec<i32> = unknown.collect();
        if !unknown.is_empty() {
            let sets = self.tx.audiences(&unknown).await?.into_iter();
            let sets = sets.map(|(id, text)| Arc::new(AudienceSet::read(id, text)));
            // They belong to committed records, so they are committed too.
            self.shared.audiences.keep(sets);
        }
        self.overlay.records.extend(ids.into_iter().map(|id| (id, None)));
        let mut bonds = self.bonds(&loaded).await?;
        for loaded in loaded {
            let audience = match self.shared.audiences.by_id(loaded.audience) {
                Some(set) => set,
                None => {
                    // The cache was emptied by another writer just now.
                    let found = self.tx.audiences(&[loaded.audience]).await?;
                    let text = found.into_iter().next().map(|(_, text)| text).unwrap_or_default();
                    Arc::new(AudienceSet::read(loaded.audience, text))
                }
            };
            let mut record = loaded.record;
            record.audience.clone_from(&audience.tokens);
            if let Some(bonds) = bonds.remove(&record.id) {
                record.links = Links::known(bonds);
            }
            let held = Held {
                record: Arc::new(record),
                head: loaded.head,
                audience,
                data: None,
                extent: Extent::Change(Columns::default()),
                timers: Timers::Kept(Vec::new()),
            };
            self.overlay.records.insert(held.record.id, Some(held));
        }
        Ok(())
    }

    /// The links of those records whose definitions ask for them.
    async fn bonds(&mut self, loaded: &[Loaded]) -> Result<HashMap<Uuid, Vec<Bond>>, Failure> {
        let asks = |loaded: &&Loaded| self.law.rules.asks_links(&loaded.record.process);
        let ids: Vec<Uuid> = loaded.iter().filter(asks).map(|loaded| loaded.record.id).collect();
        let mut bonds: HashMap<Uuid, Vec<Bond>> = ids.iter().map(|id| (*id, Vec::new())).collect();
        if !ids.is_empty() {
            for (id, bond) in self.tx.bonds(&ids).await? {
                bonds.entry(id).or_default().push(bond);
            }
        }
        Ok(bonds)
    }

    /// Nothing is decided by rules that somebody has replaced before.
    pub(crate) fn is_current(&self, edition: i64) -> Result<(), Failure> {
        if edition > self.law.rules.edition() { Err(Failure::Outdated) } else { Ok(()) }
    }

    /// A record that was not known to be needed when the batch began.
    async fn late_record(&mut self, id: Uuid) -> Result<Option<Arc<Record>>, Failure> {
        if !self.overlay.records.contains_key(&id) {
            self.needs.records.insert(id);
            let lock = self.late_lock()?;
            self.lock_records(vec![id], lock).await?;
        }
        Ok(self.overlay.record(id))
    }

    async fn late_holder(&mut self, key: HolderKey) -> Result<Option<Uuid>, Failure> {
        if !self.overlay.holders.contains_key(&key) {
            self.needs.holders.insert(key.clone());
            let lock = self.late_lock()?;
            self.lock_holders(vec![key.clone()], lock).await?;
        }
        Ok(self.overlay.holders.get(&key).copied().flatten())
    }

    fn late_lock(&mut self) -> Result<Lock, Failure> {
        self.needs.late = true;
        if self.late.is_none() {
            let late = self.shared.late.try_lock().map_err(|_| Failure::Contended)?;
            self.late = Some(late);
        }
        Ok(if self.needs.patient { Lock::Wait } else { Lock::NoWait })
    }
}

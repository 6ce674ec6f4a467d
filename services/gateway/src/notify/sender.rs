//! What is to be told is sent, tried again with growing pauses, and given up after bounded tries.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chassis::{Office, Settles, config::Notify};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use engine::{Command, Field, Filter, IndexKind, Op, Record};
use futures::{StreamExt as _, future::BoxFuture, stream};
use kernel::{Actor, Cause, Channel, Reader, derived_id};
use serde_json::{Map, Value, json};
use store::{Act, Fence, Query, RecordRef, Setback, Sort, Target};
use tokio_util::sync::CancellationToken;

use super::{hearing::Letter, mail::Mail, webhook::Webhooks};
use crate::access::data;

/// Notifications of one pass.
const BATCH: u64 = 50;
/// Sent at the same time.
const AT_ONCE: usize = 10;
/// One replica sends. Its lease is short, so that another soon goes on where it was killed, and is
/// renewed while it sends.
const LEASE: Duration = Duration::from_secs(5);
const RENEWED: Duration = Duration::from_secs(1);
/// Another replica's notifications are not announced here: so often they are looked for.
const LOOK: Duration = Duration::from_secs(30);
/// Commits are many: not each of them is a reason to look at once.
const COALESCED: Duration = Duration::from_millis(200);
/// The first pause before another try, in seconds; it doubles up to [`LONGEST_PAUSE`].
const PAUSE: i64 = 30;
const LONGEST_PAUSE: i64 = 3_600;
const PROCESS: &str = "notification";

/// What became of one try.
pub(super) enum Fate {
    /// What took it said this.
    Sent(String),
    Later(String),
    Never(String),
}

/// Sends what waits.
pub struct Sender {
    office: Office,
    mail: Option<Mail>,
    webhooks: Webhooks,
    /// How often a notification is tried.
    tries: u32,
    owner: String,
    /// A pass at a time: the loop and a moved clock may both ask for one.
    turn: tokio::sync::Mutex<()>,
}

impl Sender {
    /// # Errors
    /// When the configured mail server or a webhook cannot be used.
    pub fn new(office: &Office, config: &Notify, owner: &str) -> anyhow::Result<Self> {
        Ok(Self {
            office: office.clone(),
            mail: Mail::open(config)?,
            webhooks: Webhooks::open(config)?,
            tries: config.tries,
            owner: owner.to_owned(),
            turn: tokio::sync::Mutex::default(),
        })
    }

    /// Sends what is due, until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut written = self.office.store.written();
        loop {
            written.mark_unchanged();
            if let Err(setback) = self.pass().await {
                tracing::warn!(error = %setback, "notifications must wait");
            }
            let wait = match self.next().await {
                Some(due) if !self.office.clock.is_manual() => {
                    self.office.clock.until(due).min(LOOK)
                }
                _ => LOOK,
            };
            tokio::select! {
                _ = tokio::time::timeout(wait, written.changed()) => {}
                () = stop.cancelled() => return,
            }
            tokio::time::sleep(COALESCED).await;
        }
    }

    /// Sends all that is due now; answers how many notifications that was.
    async fn pass(&self) -> Result<usize, Setback> {
        let _turn = self.turn.lock().await;
        let store = &self.office.store;
        if self.due(1).await?.is_empty() {
            return Ok(0);
        }
        let Some(fence) = store.lease("notify", &self.owner, LEASE).await? else { return Ok(0) };
        let sent = tokio::select! {
            sent = self.send_due() => sent?,
            setback = self.lost(&fence) => return setback.map_or(Ok(0), Err),
        };
        // It runs out by itself.
        let _ = store.release(&fence).await;
        Ok(sent)
    }

    /// Keeps the lease until it is lost: to another replica, or with the database.
    async fn lost(&self, fence: &Fence) -> Option<Setback> {
        loop {
            tokio::time::sleep(RENEWED).await;
            match self.office.store.renew(std::slice::from_ref(fence), LEASE).await {
                Ok(held) if held == [true] => {}
                Ok(_) => return None,
                Err(setback) => return Some(setback),
            }
        }
    }

    /// Sends all that is due, each once; answers how many that was.
    async fn send_due(&self) -> Result<usize, Setback> {
        let mut sent = BTreeSet::new();
        loop {
            let due = self.due(BATCH).await?;
            // What is due although it was tried would be so for ever.
            let before = sent.len();
            sent.extend(due.iter().map(|record| record.id));
            if sent.len() < before + due.len() || due.is_empty() {
                break;
            }
            let fates = stream::iter(due).map(|record| self.one(record)).buffer_unordered(AT_ONCE);
            let fates: Vec<Result<(), Setback>> = fates.collect().await;
            // What could not be written down is sent again, under the same id, and marked.
            fates.into_iter().collect::<Result<(), Setback>>()?;
        }
        Ok(sent.len())
    }

    async fn due(&self, limit: u64) -> Result<Vec<Record>, Setback> {
        let now = time(self.office.clock.now());
        let field = next_try();
        let is_due =
            Filter::Compare { field: field.clone(), op: Op::LessOrEqual, value: now.into() };
        self.waiting(Some(is_due), limit).await
    }

    /// The notifications that wait, the first to be tried first.
    async fn waiting(&self, more: Option<Filter>, limit: u64) -> Result<Vec<Record>, Setback> {
        let waits = Filter::Compare { field: Field::State, op: Op::Equal, value: "waiting".into() };
        let filter = Filter::All(std::iter::once(waits).chain(more).collect());
        let sort = Sort { field: next_try(), descending: false };
        let query = Query { filter: Some(filter), sort, limit, ..Query::of(PROCESS) };
        Ok(self.office.store.list(&query, &Reader::Everything).await?.items)
    }

    async fn next(&self) -> Option<DateTime<Utc>> {
        let first = self.waiting(None, 1).await.ok()?.pop()?;
        first.data.get("next_try_at")?.as_str()?.parse().ok()
    }

    async fn one(&self, record: Record) -> Result<(), Setback> {
        let now = self.office.clock.now();
        let Some(letter) = data::<Letter>(&record) else {
            let reason = "what is to be sent cannot be read".to_owned();
            self.write(&record, "fail", json!({ "reason": reason }), now).await?;
            return Ok(());
        };
        // On record before anything leaves: who finds it begun and not ended knows that it may have
        // arrived. Where another replica was faster, it is not ours to send.
        let Some(record) = self.write(&record, "begin", json!({}), now).await? else {
            return Ok(());
        };
        let is_webhook = letter.to.starts_with("webhook:");
        let fate = match &self.mail {
            _ if is_webhook => self.webhooks.send(record.id, &letter, now).await,
            Some(mail) => mail.send(record.id, &letter).await,
            None => Fate::Later("there is no mail server: notify.smtp_url is empty".to_owned()),
        };
        let (transition, with) = match fate {
            Fate::Sent(reply) => {
                let said = if reply.trim().is_empty() { "taken" } else { reply.trim() };
                ("deliver", json!({ "reply": said }))
            }
            Fate::Later(reason) if letter.tries + 1 < self.tries => {
                let next = now + pause_after(letter.tries);
                ("delay", json!({ "reason": reason, "next_try_at": time(next) }))
            }
            Fate::Later(reason) | Fate::Never(reason) => ("fail", json!({ "reason": reason })),
        };
        self.write(&record, transition, with, now).await?;
        Ok(())
    }

    /// Keeps that a try begins, or what became of it, and gives the record as it then is. Where
    /// another replica was faster, that stays, and there is none.
    async fn write(
        &self,
        record: &Record,
        transition: &str,
        with: Value,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<Record>>, Setback> {
        let actor = Arc::new(Actor::system(&self.office.service));
        let revision = u32::try_from(record.revision).unwrap_or(u32::MAX);
        let id = derived_id(record.id, now, revision);
        let cause = Cause::new(id, actor, now, Channel::Timer);
        let which = RecordRef::Id(record.id);
        let target = Target::Record { process: PROCESS.to_owned(), which };
        let with: Map<String, Value> = with.as_object().cloned().unwrap_or_default();
        let command = Command::Take { transition: transition.to_owned(), with };
        let act = Act::new(cause, target, vec![command]);
        match self.office.store.act(act).await {
            Ok(done) => Ok(done.record),
            Err(Setback::Refused(_)) => Ok(None),
            Err(setback) => Err(setback),
        }
    }
}

impl Settles for Sender {
    fn next_due(&self) -> BoxFuture<'_, Option<DateTime<Utc>>> {
        Box::pin(self.next())
    }

    fn settle(&self) -> BoxFuture<'_, anyhow::Result<bool>> {
        Box::pin(async { Ok(self.pass().await? > 0) })
    }
}

fn next_try() -> Field {
    Field::Indexed { name: "next_try_at".to_owned(), kind: IndexKind::Time }
}

/// It doubles with each try.
fn pause_after(tries: u32) -> TimeDelta {
    let seconds = PAUSE.saturating_mul(2_i64.saturating_pow(tries)).min(LONGEST_PAUSE);
    TimeDelta::seconds(seconds)
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

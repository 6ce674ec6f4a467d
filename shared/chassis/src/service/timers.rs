//! Transitions that records take by themselves when their time has come.

use std::{sync::Arc, time::Duration};

use engine::Command;
use kernel::{Actor, Cause, Channel};
use store::{Act, DueTimer, Once, RecordRef, Setback, Target};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::{Office, telemetry::trace};

/// Timers of one pass.
const BATCH: u64 = 500;
/// Timers that come due this close together are fired together.
const COALESCED: Duration = Duration::from_millis(50);
/// Another replica's timers are not announced here: so often they are looked for.
const LOOK: Duration = Duration::from_secs(30);
/// Between two tries while the database fails.
const PAUSE: Duration = Duration::from_secs(1);

pub(crate) struct Timers {
    office: Office,
    actor: Arc<Actor>,
    /// A pass at a time: the loop and a moved clock may both ask for one.
    turn: tokio::sync::Mutex<()>,
}

impl Timers {
    pub fn new(office: &Office) -> Self {
        let actor = Arc::new(Actor::system(&office.service));
        Self { office: office.clone(), actor, turn: tokio::sync::Mutex::default() }
    }

    /// Fires what comes due, until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut written = self.office.store.written();
        loop {
            written.mark_unchanged();
            let wait = match self.pass().await {
                Ok(_) => self.until_next().await,
                Err(setback) => {
                    tracing::warn!(error = %crate::office::chain(&setback), "timers must wait");
                    PAUSE
                }
            };
            let next = async {
                // A timer that was just written may be the next one.
                let _ = tokio::time::timeout(wait, written.changed()).await;
                tokio::time::sleep(COALESCED).await;
            };
            tokio::select! {
                () = next => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// How long nothing is due. A manual clock tells nobody when it is moved: its hand asks for a
    /// pass itself.
    async fn until_next(&self) -> Duration {
        match self.office.store.next_due().await {
            Ok(Some(due)) if !self.office.clock.is_manual() => {
                self.office.clock.until(due).min(LOOK)
            }
            Ok(_) => LOOK,
            Err(_) => PAUSE,
        }
    }

    /// Fires all that is due now; answers how many timers that was.
    ///
    /// # Errors
    /// When the database fails; what was not fired is still due.
    pub async fn pass(&self) -> Result<usize, Setback> {
        let _turn = self.turn.lock().await;
        let (mut fired, mut before) = (0, Vec::new());
        loop {
            let now = self.office.clock.now();
            let due = self.office.store.due_timers(now, BATCH).await?;
            // What is due although it was fired would be so for ever.
            if due.is_empty() || due == before {
                return Ok(fired);
            }
            fired += due.len();
            let span = tracing::info_span!("timers", count = due.len());
            self.fire(&due).instrument(span).await?;
            before = due;
        }
    }

    async fn fire(&self, due: &[DueTimer]) -> Result<(), Setback> {
        let now = self.office.clock.now();
        let traceparent = trace::current();
        let acts = due.iter().map(|timer| self.act(timer, now, traceparent.clone())).collect();
        let mut broken = None;
        for (timer, outcome) in due.iter().zip(self.office.store.act_all(acts).await) {
            let late = (now - timer.due).to_std().unwrap_or_default();
            self.office.metrics.timer(
                match &outcome {
                    Ok(_) => "done",
                    Err(Setback::Broken(_)) => "failed",
                    // The record has moved on: the timer has nothing left to do.
                    Err(_) => "refused",
                },
                late,
            );
            if let Err(setback @ Setback::Broken(_)) = outcome {
                broken = Some(setback);
            }
        }
        broken.map_or(Ok(()), Err)
    }

    fn act(
        &self,
        timer: &DueTimer,
        now: chrono::DateTime<chrono::Utc>,
        traceparent: Option<String>,
    ) -> Act {
        let key = format!("{}:{}:{}", timer.record, timer.transition, timer.due.timestamp_micros());
        let id = crate::door::named_id("timer", &key);
        let mut cause = Cause::new(id, Arc::clone(&self.actor), now, Channel::Timer);
        cause.traceparent = traceparent;
        let target =
            Target::Record { process: timer.process.clone(), which: RecordRef::Id(timer.record) };
        let command = Command::Fire { transition: timer.transition.clone() };
        // Several replicas see the same timer: the first one to fire it is the only one.
        let once = Once { scope: "timer".to_owned(), key, digest: Vec::new() };
        Act { once: Some(once), ..Act::new(cause, target, vec![command]) }
    }
}

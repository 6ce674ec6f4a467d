//! The load generator: saturation, and an open loop that does not hide queueing.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use tokio::{
    sync::{Mutex, mpsc},
    task::JoinSet,
};

use crate::histogram::Histogram;

/// What a run of operations came to.
#[derive(Debug, Default)]
pub struct Outcome {
    pub done: u64,
    pub failed: u64,
    pub first_failure: Option<String>,
    pub elapsed: Duration,
    pub latency: Histogram,
}

impl Outcome {
    /// Operations a second that succeeded.
    pub fn rate(&self) -> f64 {
        self.done as f64 / self.elapsed.as_secs_f64()
    }

    /// # Errors
    /// When an operation failed: a figure with failures in it says nothing.
    pub fn flawless(self) -> Result<Self> {
        match &self.first_failure {
            Some(why) => Err(anyhow!("{} of {} failed: {why}", self.failed, self.done)),
            None => Ok(self),
        }
    }

    fn note(&mut self, began: Instant, result: Result<()>) {
        match result {
            Ok(()) => {
                self.done += 1;
                self.latency.record(began.elapsed());
            }
            Err(why) => {
                self.failed += 1;
                self.first_failure.get_or_insert_with(|| format!("{why:#}"));
            }
        }
    }

    /// What was done afterwards, too.
    pub fn add(&mut self, later: Self) {
        self.elapsed += later.elapsed;
        self.merge(later);
    }

    fn merge(&mut self, other: Self) {
        self.done += other.done;
        self.failed += other.failed;
        self.latency.merge(&other.latency);
        if self.first_failure.is_none() {
            self.first_failure = other.first_failure;
        }
    }
}

/// After so long what a start or a storm leaves to be done has been done, and its memory given back.
pub const CALM: Duration = Duration::from_secs(15);

/// Lets so much time pass before it is looked again.
pub async fn pause(span: Duration) {
    tokio::time::sleep_until(tokio::time::Instant::now() + span).await;
}

/// As many operations as `workers` callers can get through, each waiting for its answer.
///
/// `operation` gets the ordinal of the operation, counted from 0 over all workers.
pub async fn saturate<F, W>(workers: usize, span: Duration, operation: F) -> Outcome
where
    F: Fn(u64) -> W + Clone + Send + Sync + 'static,
    W: Future<Output = Result<()>> + Send,
{
    let began = Instant::now();
    let next = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..workers {
        let (operation, next) = (operation.clone(), Arc::clone(&next));
        tasks.spawn(async move {
            let mut outcome = Outcome::default();
            while began.elapsed() < span {
                let sent = Instant::now();
                let result = operation(next.fetch_add(1, Ordering::Relaxed)).await;
                outcome.note(sent, result);
            }
            outcome
        });
    }
    sum(tasks, began).await
}

/// `rate` operations a second, whether or not earlier ones have ended; each one's latency counts
/// from the moment it was due, so that time spent in a queue is seen.
pub async fn open_loop<F, W>(rate: f64, workers: usize, span: Duration, operation: F) -> Outcome
where
    F: Fn(u64) -> W + Clone + Send + Sync + 'static,
    W: Future<Output = Result<()>> + Send,
{
    let began = Instant::now();
    let (due, queue) = mpsc::unbounded_channel();
    let queue = Arc::new(Mutex::new(queue));
    let total = (rate * span.as_secs_f64()) as u64;
    // A thread of its own: the runtime's timer has a resolution of a millisecond only.
    let pacer = thread::spawn(move || pace(began, rate, total, &due));
    let mut tasks = JoinSet::new();
    for _ in 0..workers {
        let (operation, queue) = (operation.clone(), Arc::clone(&queue));
        tasks.spawn(async move {
            let mut outcome = Outcome::default();
            loop {
                let next = queue.lock().await.recv().await;
                let Some((ordinal, moment)) = next else { return outcome };
                let result = operation(ordinal).await;
                outcome.note(moment, result);
            }
        });
    }
    let outcome = sum(tasks, began).await;
    // It ended when it dropped its sender, before the workers did.
    let _ = pacer.join();
    outcome
}

/// Hands out each operation at its moment.
fn pace(began: Instant, rate: f64, total: u64, due: &mpsc::UnboundedSender<(u64, Instant)>) {
    for ordinal in 0..total {
        let moment = began + Duration::from_secs_f64(ordinal as f64 / rate);
        while let Some(wait) = moment.checked_duration_since(Instant::now()) {
            if wait.is_zero() {
                break;
            }
            thread::park_timeout(wait);
        }
        if due.send((ordinal, moment)).is_err() {
            return;
        }
    }
}

async fn sum(mut tasks: JoinSet<Outcome>, began: Instant) -> Outcome {
    let mut whole = Outcome::default();
    while let Some(outcome) = tasks.join_next().await {
        match outcome {
            Ok(outcome) => whole.merge(outcome),
            Err(panic) => {
                whole.failed += 1;
                whole.first_failure.get_or_insert_with(|| panic.to_string());
            }
        }
    }
    whole.elapsed = began.elapsed();
    whole
}

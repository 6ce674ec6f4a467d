//! The hand that moves a manual clock, and waits until all that is due has happened.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Router, extract::State, routing::get};
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::{BoxFuture, try_join_all};
use http::StatusCode;
use kernel::{ADMINISTRATOR, Clock, Span};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Identity, json::Json, office::time, problem::Problem};

/// How long, by the real clock, one move may take to settle.
const PATIENCE: Duration = Duration::from_secs(120);

/// Something that happens by itself as time goes on: a running service.
pub trait Settles: Send + Sync {
    /// When its next timer or retry is due.
    fn next_due(&self) -> BoxFuture<'_, Option<DateTime<Utc>>>;
    /// Does what is due now, until nothing is left to do; says whether anything was done since the
    /// last time.
    fn settle(&self) -> BoxFuture<'_, anyhow::Result<bool>>;
}

/// Moves the clock of everything that it holds. Clones share it.
#[derive(Clone)]
pub struct Hand {
    clock: Clock,
    held: Arc<Mutex<Vec<Arc<dyn Settles>>>>,
    /// One move at a time.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Hand {
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, held: Arc::default(), turn: Arc::default() }
    }

    /// Takes one more service in hand.
    pub fn hold(&self, service: Arc<dyn Settles>) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push(service);
    }

    fn held(&self) -> Vec<Arc<dyn Settles>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until nothing is left to do anywhere at this moment.
    ///
    /// # Errors
    /// When a service cannot settle, or it takes more than two minutes.
    pub async fn settle(&self) -> anyhow::Result<()> {
        let held = self.held();
        let settled = async {
            // One service's events are another's work: all must be idle in the same round.
            loop {
                let round = try_join_all(held.iter().map(|service| service.settle())).await?;
                if !round.contains(&true) {
                    return anyhow::Ok(());
                }
            }
        };
        tokio::time::timeout(PATIENCE, settled)
            .await
            .map_err(|_| anyhow::anyhow!("it did not settle within {} s", PATIENCE.as_secs()))?
    }

    /// Moves a manual clock to `to`, stopping at every moment at which something is due.
    ///
    /// # Errors
    /// As [`Hand::settle`].
    pub async fn move_to(&self, to: DateTime<Utc>) -> anyhow::Result<()> {
        let _turn = self.turn.lock().await;
        loop {
            self.settle().await?;
            let mut next = None;
            for service in self.held() {
                next = [next, service.next_due().await].into_iter().flatten().min();
            }
            // What stays due although it was done must not hold the clock.
            let later = self.clock.now() + TimeDelta::microseconds(1);
            match next.map(|due| due.max(later)) {
                Some(due) if due <= to => self.clock.move_to(due),
                _ => {
                    self.clock.move_to(to);
                    return Ok(());
                }
            }
        }
    }
}

/// `GET` and `POST /api/v1/clock`, for the gateway to mount behind its identity.
pub fn router(hand: &Hand) -> Router {
    Router::new().route("/api/v1/clock", get(show).post(turn)).with_state(hand.clone())
}

/// Tells the time, and whether it can be moved.
async fn show(State(hand): State<Hand>, _: Identity) -> axum::Json<Value> {
    axum::Json(view(&hand.clock))
}

fn view(clock: &Clock) -> Value {
    json!({ "now": time(clock.now()), "manual": clock.is_manual() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Turn {
    to: Option<DateTime<Utc>>,
    advance: Option<String>,
}

/// Moves the clock `{"to":"2026-03-14T22:05:00Z"}` or `{"advance":"PT4H"}`; answers when all that is
/// due by then has happened and settled.
async fn turn(
    State(hand): State<Hand>,
    identity: Identity,
    body: Json,
) -> Result<axum::Json<Value>, Problem> {
    identity.needs_role(&[ADMINISTRATOR])?;
    if !hand.clock.is_manual() {
        let sentence = "The clock is the system's; only `--clock manual` has one to move.";
        return Err(Problem::new(StatusCode::CONFLICT, "clock", sentence));
    }
    let now = hand.clock.now();
    let to = match body.typed()? {
        Turn { to: Some(to), advance: None } => kernel::instant(to),
        Turn { to: None, advance: Some(text) } => {
            let span: Span = text.parse().map_err(|because| {
                Problem::invalid("/advance", "duration", format!("`{text}`: {because}"))
            })?;
            now + TimeDelta::days(span.days.into()) + TimeDelta::seconds(span.seconds.into())
        }
        _ => return Err(Problem::invalid("", "one_of", "Either `to` or `advance` is needed.")),
    };
    if to < now {
        return Err(Problem::invalid("/to", "past", format!("It is {now} already.")));
    }
    hand.move_to(to).await.map_err(|error| {
        tracing::error!(error = %format!("{error:#}"), "the clock was moved, but not all settled");
        Problem::unavailable("unsettled", "Not everything that was due has settled.")
    })?;
    Ok(axum::Json(view(&hand.clock)))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use chrono::TimeZone;

    use super::*;

    /// Does its thing at each of its moments, and notes when.
    struct Alarm {
        clock: Clock,
        due: Mutex<Vec<DateTime<Utc>>>,
        rang: Mutex<Vec<DateTime<Utc>>>,
        is_busy: AtomicBool,
    }

    impl Settles for Alarm {
        fn next_due(&self) -> BoxFuture<'_, Option<DateTime<Utc>>> {
            Box::pin(async { self.due.lock().unwrap().iter().min().copied() })
        }

        fn settle(&self) -> BoxFuture<'_, anyhow::Result<bool>> {
            Box::pin(async {
                let now = self.clock.now();
                let before = self.due.lock().unwrap().len();
                self.due.lock().unwrap().retain(|due| *due > now);
                let rang = self.due.lock().unwrap().len() < before;
                if rang {
                    self.rang.lock().unwrap().push(now);
                }
                Ok(self.is_busy.swap(false, Ordering::SeqCst) || rang)
            })
        }
    }

    #[tokio::test]
    async fn the_clock_stops_at_every_moment_that_is_due() {
        let at = |minute| Utc.with_ymd_and_hms(2026, 3, 14, 9, minute, 0).unwrap();
        let clock = Clock::manual(at(0));
        let alarm = Arc::new(Alarm {
            clock: clock.clone(),
            due: Mutex::new(vec![at(20), at(5), at(40)]),
            rang: Mutex::default(),
            is_busy: AtomicBool::new(true),
        });
        let hand = Hand::new(clock.clone());
        hand.hold(alarm.clone());
        hand.move_to(at(30)).await.unwrap();
        assert_eq!(*alarm.rang.lock().unwrap(), [at(5), at(20)]);
        assert_eq!(clock.now(), at(30));
    }
}

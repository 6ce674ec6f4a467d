//! The counter at which deliveries are taken: each has its effect once, in its record's order.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bus::{Bus, Delivery, Desk, Fault, Outcome};
use chrono::TimeDelta;
use contract::Envelope;
use engine::Happening;
use kernel::{Actor, Cause, Channel, Refusal, Rule};
use store::{Act, Done, Fence, Letter, Mark, Setback, Step, Target, Waiting};
use tracing::{Instrument as _, Span};

use super::{Hears, Reading, glue::fence_of, ties::tie_in};
use crate::{Office, door::named_id, office::chain, parts::happening_in, telemetry::trace};

/// Deliveries that are read before others may use the processor.
const AT_A_TIME: usize = 32;
/// The first pause before another try; it doubles up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Where the deliveries of one consumer are worked on.
pub(crate) struct Counter {
    pub office: Office,
    hears: Hears,
    /// How often a message is tried before it is a dead letter.
    tries: u32,
    bus: Option<Bus>,
    actor: Arc<Actor>,
    /// Leases, by name and token, under which nothing was set aside: only their owner could set a
    /// message of theirs aside, and that is this counter.
    calm: Mutex<HashMap<String, i64>>,
}

/// What is done about a delivery.
enum Fate {
    Act(Span),
    /// No process of this service reacts to it.
    Idle,
    /// An earlier message of its key waits: so does this one.
    Behind,
    /// It is not what it should be: a sentence says why.
    Unreadable(String),
}

impl Counter {
    pub fn new(office: &Office, hears: Hears, tries: u32, bus: Option<Bus>) -> Self {
        let actor = Arc::new(Actor::system(&office.service));
        let calm = Mutex::default();
        Self { office: office.clone(), hears, tries, bus, actor, calm }
    }

    pub fn consumer(&self) -> &'static str {
        self.hears.consumer
    }

    /// The consumer's name and its streams.
    pub fn consumes(&self) -> (String, Vec<String>) {
        (self.hears.consumer.to_owned(), vec![self.hears.stream.clone()])
    }

    /// Of these keys, those that an earlier message blocks. Nearly always there is none, and then
    /// the database is asked once a lease.
    async fn blocked(
        &self,
        deliveries: &[Delivery],
        fence: &Fence,
    ) -> Result<HashSet<String>, Setback> {
        if self.calm().get(&fence.name) == Some(&fence.token) {
            return Ok(HashSet::new());
        }
        if self.office.store.has_aside(self.consumer()).await? {
            let keys: Vec<String> =
                deliveries.iter().map(|delivery| key_of(delivery).to_owned()).collect();
            return self.office.store.blocked(self.consumer(), &keys).await;
        }
        self.calm().insert(fence.name.clone(), fence.token);
        Ok(HashSet::new())
    }

    fn calm(&self) -> MutexGuard<'_, HashMap<String, i64>> {
        self.calm.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What deliveries say in the service's own words, where it has its own for another's events.
    async fn interpreted(&self, deliveries: &[&Delivery]) -> Result<Vec<Interpreted>, Setback> {
        let Reading::Interpreted(interpret) = &self.hears.reading else {
            return Ok(deliveries.iter().map(|_| Ok(None)).collect());
        };
        let envelopes = deliveries.iter().map(|delivery| delivery.envelope());
        let envelopes: Vec<_> = envelopes.collect();
        let events: Vec<_> = envelopes.iter().flatten().cloned().collect();
        let mut said = interpret.interpret(&self.office, &events).await?.into_iter();
        let each = envelopes.into_iter().map(|envelope| {
            let envelope = envelope.map_err(|error| error.to_string())?;
            let happenings = said.next().ok_or("nobody said what the event means")??;
            Ok(Some((envelope, happenings)))
        });
        Ok(each.collect())
    }

    /// Makes an act of a delivery; a sentence says why it cannot be understood.
    fn read(
        &self,
        delivery: &Delivery,
        interpreted: Option<(Envelope, Vec<Happening>)>,
        fence: Option<Fence>,
    ) -> Result<(Act, Span), String> {
        let (target, outcome, correlation, causation) = match (&self.hears.reading, interpreted) {
            (_, Some((envelope, happenings))) => {
                let causation = envelope.id.to_string();
                let target = Target::Events(happenings);
                (target, reacted as Outcomes, Some(envelope.correlation), causation)
            }
            (Reading::Event | Reading::Interpreted(_), None) => {
                let envelope = delivery.envelope().map_err(|error| error.to_string())?;
                let happening = happening_in(&envelope)?;
                let causation = envelope.id.to_string();
                let target = Target::Events(vec![happening]);
                (target, reacted as Outcomes, Some(envelope.correlation), causation)
            }
            (Reading::Translated(translate), None) => {
                let heard = translate(&self.office, delivery.payload())?;
                (Target::Events(vec![heard.happening]), heard.outcome, None, delivery.message_id())
            }
        };
        let now = self.office.clock.now();
        let message = delivery.message_id();
        let id = named_id(self.consumer(), &message);
        let came_with = delivery.header(trace::TRACEPARENT);
        let span = match came_with {
            Some(_) => {
                let kind = delivery.header("ce-type").unwrap_or("signal");
                tracing::info_span!("delivery", otel.name = kind, message)
            }
            None => Span::none(),
        };
        trace::follow(&span, came_with);
        let mut cause = Cause::new(id, Arc::clone(&self.actor), now, Channel::Event);
        cause.correlation = correlation.unwrap_or(id);
        cause.causation = Some(causation);
        cause.traceparent = trace::of_span(&span, came_with);
        let consumer = self.consumer().to_owned();
        let lane = Some(key_of(delivery).to_owned());
        let mark = Mark { consumer, message, lane, fence, outcome, at: now };
        let tie = tie_in(&self.office.rules(), delivery);
        let act = Act::new(cause, target, Vec::new());
        Ok((Act { delivery: Some(mark), tie, ..act }, span))
    }

    /// Most of what a neighbour says concerns nobody here: it is not even parsed.
    fn is_idle(&self, delivery: &Delivery) -> bool {
        matches!(self.hears.reading, Reading::Event)
            && delivery
                .header("ce-type")
                .is_some_and(|kind| self.office.rules().subscribers(kind).is_empty())
            && tie_in(&self.office.rules(), delivery).is_none()
    }

    /// A message as the inbox keeps it.
    fn letter(&self, delivery: &Delivery, reason: String) -> Letter {
        Letter {
            consumer: self.consumer().to_owned(),
            message: delivery.message_id(),
            key: key_of(delivery).to_owned(),
            // A stream would need centuries to count that far.
            position: i64::try_from(delivery.sequence()).unwrap_or(i64::MAX),
            subject: delivery.subject().to_owned(),
            headers: delivery.headers(),
            payload: delivery.payload().to_vec(),
            reason,
            at: self.office.clock.now(),
        }
    }

    /// Keeps a message for another try after `pause`.
    async fn park(
        &self,
        delivery: &Delivery,
        reason: String,
        pause: Duration,
        fence: Option<&Fence>,
    ) -> Outcome {
        let pause = TimeDelta::from_std(pause).unwrap_or_default();
        let due = self.office.clock.now() + pause;
        let letter = self.letter(delivery, reason);
        self.put_aside(self.office.store.park(&letter, due, fence).await, Outcome::Parked)
    }

    /// Gives a message up, with its reason, and tells who listens to that.
    async fn bury(&self, delivery: &Delivery, reason: &str, fence: Option<&Fence>) -> Outcome {
        let letter = self.letter(delivery, reason.to_owned());
        let outcome = self.put_aside(self.office.store.bury(&letter, fence).await, Outcome::Dead);
        if outcome == Outcome::Dead {
            let (message, consumer) = (letter.message.as_str(), self.consumer());
            tracing::error!(consumer, message, reason, "a message is a dead letter now");
            if let Some(bus) = &self.bus {
                let service = &self.office.service;
                let copy = bus.publish_dead(service, consumer, reason, delivery);
                if let Err(error) = copy.await {
                    tracing::warn!(error = %chain(&error), "a dead letter has no copy on DEAD");
                }
            }
        }
        outcome
    }

    fn put_aside(&self, written: Result<u32, Setback>, outcome: Outcome) -> Outcome {
        self.calm().clear();
        let outcome = match written {
            Ok(_) => outcome,
            Err(Setback::Duplicate) => Outcome::Skipped,
            Err(Setback::Fenced) => Outcome::Fenced,
            Err(setback) => Outcome::Retry { because: chain(&setback) },
        };
        self.count(&outcome);
        outcome
    }

    fn count(&self, outcome: &Outcome) {
        self.office.metrics.delivery(
            self.consumer(),
            match outcome {
                Outcome::Done => "done",
                Outcome::Skipped => "skipped",
                Outcome::Parked => "parked",
                Outcome::Dead => "dead",
                Outcome::Retry { .. } => "retry",
                Outcome::Fenced => "fenced",
            },
        );
    }

    /// Tries a parked message again.
    ///
    /// # Errors
    /// When the database fails; the message is still parked then.
    pub async fn again(&self, waiting: &Waiting) -> Result<(), Setback> {
        let letter = &waiting.letter;
        let delivery = Delivery::restore(
            &self.hears.stream,
            letter.position.cast_unsigned(),
            &letter.subject,
            &letter.headers,
            letter.payload.clone().into(),
        );
        let interpreted = self.interpreted(&[&delivery]).await?.pop().unwrap_or(Ok(None));
        let read = interpreted.and_then(|interpreted| self.read(&delivery, interpreted, None));
        let outcome = match read {
            Ok((act, span)) => self.office.store.act(act).instrument(span).await,
            Err(reason) => Err(unreadable(reason)),
        };
        let reason = match outcome {
            Ok(_) | Err(Setback::Duplicate) => {
                self.count(&Outcome::Done);
                return Ok(());
            }
            Err(setback) => chain(&setback),
        };
        let tried = waiting.attempts + 1;
        let outcome = if tried >= self.tries {
            self.bury(&delivery, &reason, None).await
        } else {
            self.park(&delivery, reason, pause_after(tried), None).await
        };
        match outcome {
            Outcome::Retry { because } => Err(Setback::Broken(Arc::from(Fault::from(because)))),
            _ => Ok(()),
        }
    }

    /// What became of an act: done, put aside, or given up.
    async fn outcome(
        &self,
        delivery: &Delivery,
        result: Result<Done, Setback>,
        fence: &Fence,
    ) -> Outcome {
        let outcome = match result {
            Ok(_) => Outcome::Done,
            Err(Setback::Duplicate) => Outcome::Skipped,
            Err(Setback::Fenced) => Outcome::Fenced,
            Err(Setback::Behind) => return self.park_behind(delivery, fence).await,
            // A rule that says no to the message itself says no for ever.
            Err(Setback::Refused(refusal)) => {
                return self.bury(delivery, &refusal.to_string(), Some(fence)).await;
            }
            Err(setback) if self.tries <= 1 => {
                return self.bury(delivery, &chain(&setback), Some(fence)).await;
            }
            Err(setback) => {
                return self.park(delivery, chain(&setback), PAUSE, Some(fence)).await;
            }
        };
        self.count(&outcome);
        outcome
    }

    async fn park_behind(&self, delivery: &Delivery, fence: &Fence) -> Outcome {
        let reason = "an earlier message of the same key waits".to_owned();
        self.park(delivery, reason, Duration::ZERO, Some(fence)).await
    }
}

impl Desk for Counter {
    async fn take(&self, deliveries: Vec<Delivery>, fence: &bus::Fence) -> Vec<Outcome> {
        let fence = fence_of(fence);
        let mut blocked = match self.blocked(&deliveries, &fence).await {
            Ok(blocked) => blocked,
            Err(setback) => {
                return vec![Outcome::Retry { because: chain(&setback) }; deliveries.len()];
            }
        };
        let waking: Vec<&Delivery> =
            deliveries.iter().filter(|delivery| !self.is_idle(delivery)).collect();
        let mut interpreted = match self.interpreted(&waking).await {
            Ok(interpreted) => interpreted.into_iter(),
            Err(setback) => {
                return vec![Outcome::Retry { because: chain(&setback) }; deliveries.len()];
            }
        };
        let mut acts = Vec::with_capacity(deliveries.len());
        let mut fates = Vec::with_capacity(deliveries.len());
        for (position, delivery) in deliveries.iter().enumerate() {
            if position % AT_A_TIME == AT_A_TIME - 1 {
                // A large batch of a storm is not to hold up those who answer people.
                tokio::task::yield_now().await;
            }
            if self.is_idle(delivery) {
                fates.push(Fate::Idle);
                continue;
            }
            let interpreted = interpreted.next().unwrap_or(Ok(None));
            let says_nothing = |(_, happenings): &(_, Vec<_>)| happenings.is_empty();
            let says_nothing = matches!(&interpreted, Ok(Some(said)) if says_nothing(said));
            fates.push(if says_nothing && tie_in(&self.office.rules(), delivery).is_none() {
                Fate::Idle
            } else if blocked.contains(key_of(delivery)) {
                Fate::Behind
            } else {
                let fence = Some(fence.clone());
                match interpreted.and_then(|interpreted| self.read(delivery, interpreted, fence)) {
                    Ok((act, span)) => {
                        acts.push(act);
                        Fate::Act(span)
                    }
                    Err(reason) => {
                        blocked.insert(key_of(delivery).to_owned());
                        Fate::Unreadable(reason)
                    }
                }
            });
        }
        let mut results = self.office.store.act_all(acts).await.into_iter();
        let mut outcomes = Vec::with_capacity(deliveries.len());
        // Once nothing can be put aside, the rest comes again, and in the same order.
        let mut is_down = None;
        for (delivery, fate) in deliveries.iter().zip(fates) {
            let result = match fate {
                Fate::Idle => {
                    outcomes.push(Outcome::Skipped);
                    continue;
                }
                Fate::Act(_span) => results.next().unwrap_or(Err(Setback::Behind)),
                Fate::Behind => Err(Setback::Behind),
                Fate::Unreadable(reason) => Err(unreadable(reason)),
            };
            let outcome = match (&is_down, result) {
                (Some(because), Err(_)) => Outcome::Retry { because: String::clone(because) },
                (_, result) => self.outcome(delivery, result, &fence).await,
            };
            if let Outcome::Retry { because } = &outcome {
                is_down.get_or_insert_with(|| because.clone());
            }
            outcomes.push(outcome);
        }
        outcomes
    }
}

type Outcomes = fn(&[Step]) -> String;

/// An event with what it says here, or a sentence; nothing where the event speaks for itself.
type Interpreted = Result<Option<(Envelope, Vec<Happening>)>, String>;

/// The countable fate of a neighbour's event.
fn reacted(steps: &[Step]) -> String {
    if steps.is_empty() { "nothing" } else { "reacted" }.to_owned()
}

fn unreadable(reason: String) -> Setback {
    Setback::Refused(Refusal::one(Rule::Invalid, "", "unreadable", reason))
}

/// What order is kept for: the record, or the alert of a source.
fn key_of(delivery: &Delivery) -> &str {
    let subject = delivery.subject();
    let kept = if delivery.stream() == contract::subject::ALERTS_STREAM { 2 } else { 1 };
    let dot = subject.rmatch_indices('.').nth(kept - 1);
    dot.map_or(subject, |(dot, _)| &subject[dot + 1..])
}

/// The pause after so many tries: it doubles, up to five minutes.
fn pause_after(tries: u32) -> Duration {
    PAUSE.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1))).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(stream: &str, subject: &str) -> Delivery {
        Delivery::restore(stream, 1, subject, &[], bytes::Bytes::new())
    }

    #[test]
    fn order_is_kept_for_a_record_and_for_an_alert() {
        let record = "steward.sla.clock.breached.v1.07.0192f0c1-0000-7000-8000-000000000001";
        assert_eq!(key_of(&delivery("SLA", record)), "0192f0c1-0000-7000-8000-000000000001");
        let alert = "steward.alerts.3.alertmanager.KEY0000001-abc";
        assert_eq!(key_of(&delivery("ALERTS", alert)), "alertmanager.KEY0000001-abc");
    }

    #[test]
    fn pauses_grow_to_five_minutes() {
        assert_eq!(pause_after(1), Duration::from_secs(1));
        assert_eq!(pause_after(4), Duration::from_secs(8));
        assert_eq!(pause_after(40), Duration::from_secs(300));
    }
}

//! The intake's door: an answer only when every signal is on disk, and a plea to come again when
//! it cannot be.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Extension, Request, State},
    response::{IntoResponse, Response},
    routing::post,
};
use bus::{Message, Publisher};
use chassis::{Problem, request::Trace};
use chrono::SecondsFormat;
use contract::{SIGNAL_TYPE, Signal, SignalStatus, signal_key, subject};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use kernel::{Clock, derived_id};
use serde::Serialize;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{Arrival, alertmanager, cloudevents, quarantine};
use crate::{
    access::Caller,
    body::{content_length, hear_out},
};

/// The largest body.
pub const BODY_BYTES: usize = 8 * 1024 * 1024;
/// Bodies of so many bytes are held in memory at the same time; more are asked to come again.
const HELD_BYTES: u32 = 128 * 1024 * 1024;
/// A message of the bus may take 1 MiB with its headers.
const PAYLOAD_BYTES: usize = 900 * 1024;
/// A sender that stalls must not hold its share of the memory for ever.
const BODY_PATIENCE: Duration = Duration::from_secs(30);
/// The scope of an API key that may send alerts.
const SCOPE: &str = "alerts:write";

/// What the intake works with.
#[derive(Clone, Debug)]
pub struct Intake {
    /// None where there is no bus to be durable on.
    publisher: Option<Publisher>,
    clock: Clock,
    held: Arc<Semaphore>,
}

/// How many of a request's alerts were understood, and how many are kept aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Answer {
    accepted: usize,
    quarantined: usize,
}

impl Intake {
    /// Publishes through `publisher`, which writes to the stream of alerts.
    #[must_use]
    pub fn new(publisher: Option<Publisher>, clock: Clock) -> Self {
        Self { publisher, clock, held: Arc::new(Semaphore::new(HELD_BYTES as usize)) }
    }

    /// `/api/v1/intake/…`; the caller must have been let in.
    pub fn router(self) -> Router {
        Router::new()
            .route("/api/v1/intake/alertmanager", post(take_alertmanager))
            .route("/api/v1/intake/cloudevents", post(take_cloudevents))
            .with_state(self)
    }

    async fn take(
        &self,
        caller: &Caller,
        trace: Option<Trace>,
        request: Request,
        read: impl FnOnce(&HeaderMap, &[u8], &Arrival) -> Vec<Signal>,
    ) -> Result<Response, Problem> {
        caller.identity.needs_scope(SCOPE)?;
        let said = content_length(request.headers());
        if let Some(bytes) = said.filter(|bytes| *bytes > BODY_BYTES as u64) {
            hear_out(request.into_body(), bytes).await;
            return Err(too_large());
        }
        let bytes = said.and_then(|bytes| u32::try_from(bytes).ok()).unwrap_or(BODY_BYTES as u32);
        let busy = || Problem::unavailable("busy", "Too many alerts are in work; come again.");
        let _held = self.held.try_acquire_many(bytes).map_err(|_| busy())?;
        let (parts, body) = request.into_parts();
        let body = whole(body).await?;
        let arrival = Arrival { integration: caller.integration.clone(), at: self.clock.now() };
        let signals = read(&parts.headers, &body, &arrival);
        let quarantined = signals.iter().filter(|signal| is_unreadable(signal)).count();
        let answer = Answer { accepted: signals.len() - quarantined, quarantined };
        let traceparent = trace.and_then(|trace| trace.0);
        let messages = signals
            .into_iter()
            .map(|signal| message(signal, &arrival, traceparent.as_deref()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| {
                tracing::error!(%error, "a signal cannot be written as JSON");
                Problem::broken()
            })?;
        let not_durable = || {
            let detail = "The alerts cannot be written to disk now; send them again.";
            Problem::unavailable("not_durable", detail)
        };
        let publisher = self.publisher.as_ref().ok_or_else(not_durable)?;
        publisher.publish(messages).await.map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(cause, "alerts cannot be made durable");
            not_durable()
        })?;
        Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
    }
}

async fn take_alertmanager(
    State(intake): State<Intake>,
    Extension(caller): Extension<Arc<Caller>>,
    trace: Option<Extension<Trace>>,
    request: Request,
) -> Result<Response, Problem> {
    let trace = trace.map(|Extension(trace)| trace);
    let read = |_: &HeaderMap, body: &[u8], arrival: &Arrival| alertmanager::signals(body, arrival);
    intake.take(&caller, trace, request, read).await
}

async fn take_cloudevents(
    State(intake): State<Intake>,
    Extension(caller): Extension<Arc<Caller>>,
    trace: Option<Extension<Trace>>,
    request: Request,
) -> Result<Response, Problem> {
    let trace = trace.map(|Extension(trace)| trace);
    intake.take(&caller, trace, request, cloudevents::signals).await
}

/// The whole body, or 413.
async fn whole(body: Body) -> Result<Bytes, Problem> {
    let collected = tokio::time::timeout(BODY_PATIENCE, Limited::new(body, BODY_BYTES).collect());
    match collected.await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) | Err(_) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "incomplete",
            "The body ended before it was complete.",
        )),
    }
}

fn too_large() -> Problem {
    let detail = format!("The body is larger than {BODY_BYTES} bytes: send fewer alerts at once.");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
}

fn is_unreadable(signal: &Signal) -> bool {
    signal.status == SignalStatus::Unreadable
}

/// A signal on its way. Its id makes a second try of the bus harmless; another request is another
/// signal, whatever it holds, so that what came in is counted as often as it came.
fn message(
    mut signal: Signal,
    arrival: &Arrival,
    traceparent: Option<&str>,
) -> Result<Message, serde_json::Error> {
    let mut payload = serde_json::to_vec(&signal)?;
    if payload.len() > PAYLOAD_BYTES {
        let reason = "it takes more than a message of the bus may hold";
        signal = quarantine::unreadable(arrival, &signal.source, reason, &payload);
        payload = serde_json::to_vec(&signal)?;
    }
    // By the time of arrival, so that what came together lies together in the inbox.
    let id = derived_id(Uuid::new_v4(), arrival.at, 0).to_string();
    let mut headers = vec![
        ("Nats-Msg-Id", id.clone()),
        ("ce-specversion", "1.0".to_owned()),
        ("ce-id", id),
        ("ce-source", "/steward/gateway".to_owned()),
        ("ce-type", SIGNAL_TYPE.to_owned()),
        ("ce-time", arrival.at.to_rfc3339_opts(SecondsFormat::Micros, true)),
        ("ce-datacontenttype", "application/json".to_owned()),
    ];
    headers.extend(traceparent.map(|context| ("traceparent", context.to_owned())));
    let key = signal_key(&format!("{}/{}", signal.integration, signal.key));
    let subject = subject::of_alert(&signal.source, &key);
    Ok(Message { subject, headers, payload: payload.into() })
}

//! What every request goes through: an id, a span, a measure, and a problem where it fails.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::Semaphore;
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    problem::{self, Problem},
    telemetry::{metrics::Metrics, trace},
};

/// The header that carries the request's id, inwards and outwards.
pub static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of one request: as it came in, if it can stand in a log line, else made here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub HeaderValue);

impl RequestId {
    fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(&X_REQUEST_ID).filter(|value| {
            (1..=128).contains(&value.len())
                && value.as_bytes().iter().all(|byte| byte.is_ascii_graphic())
        });
        // A UUID is plain ASCII, which every header value may be.
        let made = || HeaderValue::from_str(&Uuid::new_v4().to_string()).ok();
        Self(given.cloned().or_else(made).unwrap_or(HeaderValue::from_static("-")))
    }

    /// The id as text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.to_str().unwrap_or("-")
    }
}

/// The trace context that a request came with or got, for the cause of what it does.
#[derive(Clone, Debug, Default)]
pub struct Trace(pub Option<String>);

/// How many requests are worked on at the same time, and what is counted of them.
#[derive(Clone, Debug)]
pub struct Gauge {
    pub metrics: Metrics,
    in_flight: Arc<Semaphore>,
}

impl Gauge {
    #[must_use]
    pub fn new(metrics: Metrics, in_flight: usize) -> Self {
        Self { metrics, in_flight: Arc::new(Semaphore::new(in_flight)) }
    }
}

/// Middleware, outermost of a service: everything in here happens once per request.
pub async fn observe(State(gauge): State<Gauge>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
    let id = RequestId::of(request.headers());
    let came_with = trace::from_headers(request.headers());
    let span = tracing::info_span!(
        "request",
        otel.name = %format_args!("{method} {route}"),
        otel.kind = "server",
        request_id = id.text(),
        http.request.method = %method,
        http.route = route,
        http.response.status_code = tracing::field::Empty,
    );
    trace::follow(&span, came_with.as_deref());
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(Trace(trace::of_span(&span, came_with.as_deref())));

    let answer = async {
        // More than can be worked on would only wait, and time out, inside.
        let Ok(_permit) = gauge.in_flight.try_acquire() else {
            return Problem::unavailable("busy", "Too many requests are in work; try again.")
                .into_response();
        };
        next.run(request).await
    };
    let answer = answer.instrument(span.clone()).await;
    let status = answer.status();
    let mut answer = problem::in_every_error(answer, id.text());
    answer.headers_mut().insert(X_REQUEST_ID.clone(), id.0);
    span.record("http.response.status_code", status.as_u16());
    gauge.metrics.request(method.as_str(), route, status.as_u16(), began.elapsed());
    answer
}

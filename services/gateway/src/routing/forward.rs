//! Handing a request on and its answer back, streamed both ways.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    BoxError,
    body::{Body, Bytes},
    extract::Request,
    response::{IntoResponse, Response},
};
use chassis::{Problem, request::RequestId, request::X_REQUEST_ID};
use contract::IDENTITY_HEADER;
use futures::StreamExt;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, Version, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::time::timeout;
use tower::ServiceExt;
use tower_http::timeout::TimeoutBody;

use super::{Destination, Upstream};
use crate::body::{content_length, hear_out};

/// How long a service may take to be connected to.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);
/// How long it may take to begin its answer, and between two parts of it.
const ANSWER_PATIENCE: Duration = Duration::from_secs(60);
/// A machine that is gone does not say so: a quiet connection is asked this often, and given up when
/// three questions in turn have no answer.
const PROBES_EVERY: Duration = Duration::from_secs(15);
const PROBES: u32 = 3;
/// How long what was sent may stay without an acknowledgement.
#[cfg(target_os = "linux")]
const DELIVERY_PATIENCE: Duration = Duration::from_secs(30);

/// Headers of one connection, which mean nothing on the next (RFC 9110, 7.6.1).
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Hands requests to services. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Forwarder {
    client: Client<HttpsConnector<HttpConnector>, Body>,
    body_bytes: usize,
    attachment_bytes: usize,
}

impl Forwarder {
    /// Takes bodies up to `body_bytes`, and files to be attached up to `attachment_bytes`.
    ///
    /// # Errors
    /// When the system's certificates cannot be read.
    pub fn new(body_bytes: usize, attachment_bytes: usize) -> anyhow::Result<Self> {
        let mut plain = HttpConnector::new();
        plain.enforce_http(false);
        plain.set_nodelay(true);
        plain.set_connect_timeout(Some(CONNECT_PATIENCE));
        plain.set_keepalive(Some(PROBES_EVERY));
        plain.set_keepalive_interval(Some(PROBES_EVERY));
        plain.set_keepalive_retries(Some(PROBES));
        #[cfg(target_os = "linux")]
        plain.set_tcp_user_timeout(Some(DELIVERY_PATIENCE));
        let connector = HttpsConnectorBuilder::new().try_with_platform_verifier()?;
        let connector = connector.https_or_http().enable_http1().wrap_connector(plain);
        let client =
            Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        Ok(Self { client, body_bytes, attachment_bytes })
    }

    /// The answer of `destination`, or a problem: 413 for too large a body, 503 when the service
    /// does not answer. `token` says who calls; the credential itself goes no further.
    pub async fn forward(
        &self,
        destination: &Destination,
        token: &str,
        request: Request,
    ) -> Response {
        match self.answer(destination, token, request).await {
            Ok(answer) => answer,
            Err(problem) => problem.into_response(),
        }
    }

    async fn answer(
        &self,
        destination: &Destination,
        token: &str,
        mut request: Request,
    ) -> Result<Response, Problem> {
        let is_file = request.uri().path().ends_with("/attachments");
        let limit = if is_file { self.attachment_bytes } else { self.body_bytes };
        let too_large = || {
            let detail = format!("The body is larger than {limit} bytes.");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
        };
        let said = content_length(request.headers());
        if let Some(bytes) = said.filter(|bytes| *bytes > limit as u64) {
            hear_out(request.into_body(), bytes).await;
            return Err(too_large());
        }
        prepare(&mut request, token)?;
        let exceeded = Arc::new(AtomicBool::new(false));
        if said.is_none() {
            // Nobody said how long it is, so it is counted on its way.
            let body = std::mem::take(request.body_mut());
            *request.body_mut() = counted(body, limit, exceeded.clone());
        }
        let answer = match &destination.upstream {
            Upstream::InProcess(router) => {
                // What our own router noted on the request (its path's parameters) is not theirs.
                *request.extensions_mut() = Extensions::new();
                // A router is never too busy to take a request, and its error is uninhabited.
                let Ok(answer) = router.clone().oneshot(request).await;
                Ok(answer)
            }
            Upstream::Http(base) => self.ask(base, request).await,
        };
        if exceeded.load(Ordering::Relaxed) {
            return Err(too_large());
        }
        let mut answer = answer.map_err(|error| {
            let service = &destination.service;
            tracing::warn!(service, error = &*error as &dyn std::error::Error, "no answer");
            let detail = format!("The service `{service}` does not answer at the moment.");
            Problem::unavailable("service_unreachable", detail)
        })?;
        drop_hop_by_hop(answer.headers_mut());
        // The gateway sets its own, which is the same.
        answer.headers_mut().remove(&X_REQUEST_ID);
        Ok(answer)
    }

    async fn ask(&self, base: &str, mut request: Request) -> Result<Response, BoxError> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = Uri::try_from(format!("{}{path}", base.trim_end_matches('/')))?;
        *request.version_mut() = Version::HTTP_11;
        request.headers_mut().remove(header::HOST);
        let answer = timeout(ANSWER_PATIENCE, self.client.request(request)).await??;
        Ok(answer.map(|body| Body::new(TimeoutBody::new(ANSWER_PATIENCE, body))))
    }
}

/// What only the gateway may say, and what belongs to the caller's connection.
fn prepare(request: &mut Request, token: &str) -> Result<(), Problem> {
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone());
    let headers = request.headers_mut();
    drop_hop_by_hop(headers);
    headers.remove(header::AUTHORIZATION);
    headers.remove(header::COOKIE);
    headers.remove(header::EXPECT);
    let mut token = HeaderValue::from_str(token).map_err(|_| Problem::broken())?;
    token.set_sensitive(true);
    // Replaces whatever came under this name from outside.
    headers.insert(IDENTITY_HEADER, token);
    if let Some(id) = id {
        headers.insert(X_REQUEST_ID.clone(), id);
    }
    if let Some(context) = chassis::telemetry::trace::current()
        .and_then(|context| HeaderValue::from_str(&context).ok())
    {
        headers.insert(chassis::telemetry::trace::TRACEPARENT, context);
    }
    Ok(())
}

fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
}

/// The body, failing once it is longer than `limit`.
fn counted(body: Body, limit: usize, exceeded: Arc<AtomicBool>) -> Body {
    let mut left = limit;
    Body::from_stream(body.into_data_stream().map(move |chunk| -> Result<Bytes, axum::Error> {
        let chunk = chunk?;
        match left.checked_sub(chunk.len()) {
            Some(rest) => left = rest,
            None => {
                exceeded.store(true, Ordering::Relaxed);
                return Err(axum::Error::new(std::io::Error::other("the body is too large")));
            }
        }
        Ok(chunk)
    }))
}

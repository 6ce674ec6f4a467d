//! Life and death of a service's HTTP door: alive, ready, draining, gone.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::telemetry::metrics;

/// Says what a service can reach: asked by `/readyz`.
pub type Probe = Arc<dyn Fn() -> futures::future::BoxFuture<'static, Health> + Send + Sync>;

/// What a service stands on, and whether it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Without it the service can do nothing.
    pub database: bool,
    /// Without it the service works, and what it says waits; none, where none is configured.
    pub bus: Option<bool>,
    /// What is wrong with definitions that are in force, and with files that are not for it. The rest
    /// of the service works.
    pub faults: Vec<String>,
}

/// Whether a service still takes requests. Clones share it.
#[derive(Clone)]
pub struct Life {
    draining: Arc<AtomicBool>,
    probe: Probe,
}

impl Life {
    #[must_use]
    pub fn new(probe: Probe) -> Self {
        Self { draining: Arc::default(), probe }
    }

    /// From now on `/readyz` says no, so that nobody sends more.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }
}

/// `/healthz`, `/readyz` and `/metrics`, for whoever watches; no identity is asked.
pub fn router(life: &Life) -> Router {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics::page))
        .with_state(life.clone())
}

/// The process runs and answers.
async fn alive() -> axum::Json<Value> {
    axum::Json(json!({ "status": "alive" }))
}

/// Requests can be served: the database answers, and nobody has said stop.
async fn ready(State(life): State<Life>) -> Response {
    let health = (life.probe)().await;
    let word = |is_there: bool| if is_there { "reachable" } else { "unreachable" };
    let is_ready = health.database && !life.is_draining();
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut body = json!({
        "status": if life.is_draining() { "draining" } else if is_ready { "ready" } else { "waiting" },
        "database": word(health.database),
        "bus": health.bus.map_or("none", word),
    });
    if !health.faults.is_empty() {
        body["faults"] = health.faults.into();
    }
    (status, axum::Json(body)).into_response()
}

/// A listener that serves until it is told to stop.
#[derive(Debug)]
pub struct Served {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Serves `router` on `listener` in a task of its own.
#[must_use]
pub fn serve(listener: TcpListener, router: Router) -> Served {
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let task = tokio::spawn(async move {
        let serving =
            axum::serve(listener, router).with_graceful_shutdown(stopped.cancelled_owned());
        if let Err(error) = serving.await {
            tracing::error!(%error, "the listener failed");
        }
    });
    Served { stop, task }
}

impl Served {
    /// Takes no more requests, and waits for those in work, at most `patience`.
    pub async fn stop(mut self, patience: Duration) {
        self.stop.cancel();
        if tokio::time::timeout(patience, &mut self.task).await.is_err() {
            tracing::warn!(seconds = patience.as_secs(), "requests were still in work at the end");
            self.task.abort();
        }
    }
}

/// Resolves when the process is asked to end: SIGTERM or Ctrl-C.
pub async fn asked_to_end() {
    let interrupt = async {
        // Without a handler there is nobody to ask.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminated) => drop(terminated.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt as _;

    use super::*;

    async fn ready(life: &Life) -> (u16, Value) {
        let request = http::Request::get("/readyz").body(axum::body::Body::empty()).unwrap();
        let answer = router(life).oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), 4096).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    fn life(health: Health) -> Life {
        Life::new(Arc::new(move || Box::pin(std::future::ready(health.clone()))))
    }

    #[tokio::test]
    async fn ready_means_the_database_and_not_the_bus() {
        let (status, body) =
            ready(&life(Health { database: true, bus: Some(false), ..Health::default() })).await;
        assert_eq!((status, &body["bus"]), (200, &json!("unreachable")));
        let (status, _) = ready(&life(Health { bus: Some(true), ..Health::default() })).await;
        assert_eq!(status, 503);
    }

    #[tokio::test]
    async fn who_drains_is_not_ready() {
        let life = life(Health { database: true, ..Health::default() });
        life.drain();
        let (status, body) = ready(&life).await;
        assert_eq!((status, &body["status"]), (503, &json!("draining")));
    }
}

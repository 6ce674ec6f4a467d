//! The switchboard: what is not the gateway's own goes to the service that owns it.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Extension, Request, State},
    response::{IntoResponse, Response},
};
use chassis::{Problem, Signer};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Destination, Forwarder, Routes};
use crate::{
    OWN_SERVICE,
    access::{Access, Caller},
};

/// A service's list of its processes is far smaller.
const LIST_BYTES: usize = 4 * 1024 * 1024;

/// Connects callers to services. Cheap to clone.
#[derive(Clone)]
pub struct Switch {
    pub routes: Routes,
    pub forwarder: Forwarder,
    pub signer: Signer,
    pub access: Access,
}

impl Switch {
    fn token(&self, caller: &Caller) -> Result<String, Problem> {
        self.signer.token(&caller.identity).map_err(|error| {
            tracing::error!(%error, "an internal token cannot be signed");
            Problem::broken()
        })
    }
}

/// Hands a request to the owner of its path; 404 where nobody owns it.
pub async fn forward(
    State(switch): State<Switch>,
    Extension(caller): Extension<Arc<Caller>>,
    request: Request,
) -> Result<Response, Problem> {
    let path = request.uri().path().strip_prefix("/api/v1/").unwrap_or_default();
    let table = switch.routes.now();
    let destination = table.owner(path).ok_or_else(Problem::unknown)?.clone();
    caller.may_use(request.method())?;
    let token = switch.token(&caller)?;
    let changes_access = destination.service == OWN_SERVICE && !request.method().is_safe();
    let answer = switch.forwarder.forward(&destination, &token, request).await;
    if changes_access {
        switch.access.forget();
    }
    Ok(answer)
}

#[derive(Deserialize)]
struct Listed {
    items: Vec<Value>,
}

/// The processes of all services, called in the caller's language, and which services did not answer.
pub async fn processes(
    State(switch): State<Switch>,
    Extension(caller): Extension<Arc<Caller>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.may_use(&Method::GET)?;
    let token = switch.token(&caller)?;
    let languages = headers.get(header::ACCEPT_LANGUAGE);
    let table = switch.routes.now();
    let (mut items, mut unreachable) = (Vec::new(), Vec::new());
    for destination in table.destinations() {
        match processes_of(&switch, destination, &token, languages).await {
            Some(listed) => items.extend(listed.items),
            None => unreachable.push(destination.service.clone()),
        }
    }
    Ok(Json(json!({ "items": items, "unreachable": unreachable })).into_response())
}

async fn processes_of(
    switch: &Switch,
    destination: &Destination,
    token: &str,
    languages: Option<&HeaderValue>,
) -> Option<Listed> {
    let mut request = Request::get("/api/v1/processes")
        .header(header::ACCEPT, "application/json")
        .body(axum::body::Body::empty())
        .ok()?;
    let languages = languages.map(|languages| (header::ACCEPT_LANGUAGE, languages.clone()));
    request.headers_mut().extend(languages);
    let answer = switch.forwarder.forward(destination, token, request).await;
    if answer.status() != StatusCode::OK {
        return None;
    }
    let body = http_body_util::Limited::new(answer.into_body(), LIST_BYTES).collect().await.ok()?;
    serde_json::from_slice(&body.to_bytes()).ok()
}

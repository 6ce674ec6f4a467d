//! The switchboard: what is not the gateway's own goes to the service that owns it.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Extension, Request, State},
    response::Response,
};
use chassis::{Problem, Signer};
use http::{HeaderValue, StatusCode, header};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;

use super::{Destination, Forwarder, Routes};
use crate::{
    OWN_SERVICE,
    access::{Access, Caller},
};

/// What we ask of a service ourselves is answered in far less.
const ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// Connects callers to services. Cheap to clone.
#[derive(Clone)]
pub struct Switch {
    pub routes: Routes,
    pub forwarder: Forwarder,
    pub signer: Signer,
    pub access: Access,
}

impl Switch {
    /// What vouches for the caller within the platform.
    pub fn token(&self, caller: &Caller) -> Result<String, Problem> {
        self.signer.token(&caller.identity).map_err(|error| {
            tracing::error!(%error, "an internal token cannot be signed");
            Problem::broken()
        })
    }

    /// What a service answers to a question of our own, asked for a caller.
    ///
    /// # Errors
    /// The answer, where it is no 200; nothing where none came that could be read.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        destination: &Destination,
        token: &str,
        path: &str,
        languages: Option<&HeaderValue>,
    ) -> Result<T, Option<Response>> {
        let request = Request::get(path).header(header::ACCEPT, "application/json");
        let mut request = request.body(Body::empty()).map_err(|_| None)?;
        let languages = languages.map(|languages| (header::ACCEPT_LANGUAGE, languages.clone()));
        request.headers_mut().extend(languages);
        let answer = self.forwarder.forward(destination, token, request).await;
        if answer.status() != StatusCode::OK {
            return Err(Some(answer));
        }
        let body = http_body_util::Limited::new(answer.into_body(), ANSWER_BYTES).collect().await;
        serde_json::from_slice(&body.map_err(|_| None)?.to_bytes()).map_err(|_| None)
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

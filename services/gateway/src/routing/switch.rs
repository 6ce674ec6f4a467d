//! The switchboard: what is not the gateway's own goes to the service that owns it.

use std::sync::Arc;

use axum::{
    extract::{Extension, Request, State},
    response::Response,
};
use chassis::{Problem, Signer};

use super::{Forwarder, Routes};
use crate::{
    OWN_SERVICE,
    access::{Access, Caller},
};

/// Connects callers to services. Cheap to clone.
#[derive(Clone)]
pub struct Switch {
    pub routes: Routes,
    pub forwarder: Forwarder,
    pub signer: Signer,
    pub access: Access,
}

impl Switch {
    pub(super) fn token(&self, caller: &Caller) -> Result<String, Problem> {
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

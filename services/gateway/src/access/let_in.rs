//! The doorkeeper: every request of the API passes here.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use contract::IDENTITY_HEADER;

use super::{Access, credential};

/// Middleware: lets in who shows a sound credential, as a [`super::Caller`] and an
/// [`chassis::Identity`].
pub async fn let_in(State(access): State<Access>, mut request: Request, next: Next) -> Response {
    // Only the gateway says who somebody is.
    request.headers_mut().remove(IDENTITY_HEADER);
    let caller = match access.caller(request.headers(), address(&request)).await {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    if caller.session.is_some()
        && !request.method().is_safe()
        && let Err(problem) = credential::was_meant(request.headers())
    {
        return problem.into_response();
    }
    request.extensions_mut().insert(caller.identity.clone());
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Where a request comes from; failures are counted by it.
pub fn address(request: &Request) -> IpAddr {
    request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| address.ip())
}

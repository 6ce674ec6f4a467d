//! Who calls: the internal token that the gateway signs and every service verifies.

pub(crate) mod key;
mod signer;
mod verifier;

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use contract::IDENTITY_HEADER;
use http::request::Parts;
use kernel::{Actor, Reader};

use crate::problem::Problem;

pub use key::{PRIVATE_KEY_FILE, PUBLIC_KEY_FILE, PublicKey, RuinedKey};
pub use signer::Signer;
pub use verifier::Verifier;

/// A verified caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub actor: Arc<Actor>,
    /// What the credential may be used for; empty means everything that the roles allow.
    pub scopes: Arc<[String]>,
}

impl Identity {
    /// A caller whose credential is not narrowed.
    #[must_use]
    pub fn of(actor: Actor) -> Self {
        Self { actor: Arc::new(actor), scopes: Arc::default() }
    }

    /// What the caller may read.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.actor.reader()
    }

    /// Whether the credential reaches as far as `scope` (`records:write`).
    ///
    /// # Errors
    /// 403 `scope`, for a key that was made for something else.
    pub fn needs_scope(&self, scope: &str) -> Result<(), Problem> {
        if self.scopes.is_empty() || self.scopes.iter().any(|held| held == scope) {
            return Ok(());
        }
        Err(Problem::forbidden("scope", format!("This credential lacks the scope `{scope}`.")))
    }

    /// Whether the caller holds one of `roles`; administrators hold all of them.
    ///
    /// # Errors
    /// 403 `role` that names what was missing.
    pub fn needs_role(&self, roles: &[&str]) -> Result<(), Problem> {
        let held = |role: &&str| self.actor.has_role(role);
        if self.actor.has_role(kernel::ADMINISTRATOR) || roles.iter().any(held) {
            return Ok(());
        }
        let missing = if roles.is_empty() { kernel::ADMINISTRATOR } else { roles[0] };
        Err(Problem::forbidden("role", format!("This needs the role `{missing}`.")))
    }
}

impl<S: Sync> FromRequestParts<S> for Identity {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(missing)
    }
}

fn missing() -> Problem {
    Problem::unauthenticated(format!("The header `{IDENTITY_HEADER}` is missing."))
}

/// Middleware: lets in who carries a sound token, as an [`Identity`]; others get 401.
pub async fn required(
    State(verifier): State<Verifier>,
    mut request: Request,
    next: Next,
) -> Response {
    let token = request.headers().get(IDENTITY_HEADER).map(|token| token.to_str());
    let identity = match token {
        None => Err(missing()),
        Some(Err(_)) => Err(Problem::unauthenticated("The token is not text.")),
        Some(Ok(token)) => verifier.verify(token),
    };
    match identity {
        Ok(identity) => {
            request.extensions_mut().insert(identity);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

#[cfg(test)]
mod tests;

//! The internal token: what the gateway vouches for, signed (Ed25519) for a minute at a time.

use kernel::Actor;
use serde::{Deserialize, Serialize};

/// The header that carries the token from the gateway to a service.
pub const IDENTITY_HEADER: &str = "steward-identity";
/// The `aud` claim.
pub const IDENTITY_AUDIENCE: &str = "steward-services";

/// The claims of the internal token (RFC 7519).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub aud: String,
    /// Seconds since 1970.
    pub exp: i64,
    pub actor: Actor,
    /// What the credential may be used for: empty for a person (everything that the roles allow),
    /// else as the API key was scoped (`alerts:write`, `records:read`, `records:write`).
    #[serde(default)]
    pub scopes: Vec<String>,
}

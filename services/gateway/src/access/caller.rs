//! Who was let in, and by which door.

use chassis::{Identity, Problem};
use http::Method;

/// A caller whose credential was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub identity: Identity,
    /// What alerts of this caller are distinguished by: the API key's number, or `administrator`.
    pub integration: String,
    /// The record of the session, where that is what let them in.
    pub session: Option<uuid::Uuid>,
}

impl Caller {
    /// Whether the credential reaches as far as this method on records does.
    ///
    /// # Errors
    /// 403 `scope`, for a key that was made for something else.
    pub fn may_use(&self, method: &Method) -> Result<(), Problem> {
        let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        self.identity.needs_scope(if reads { "records:read" } else { "records:write" })
    }
}

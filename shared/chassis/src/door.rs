//! The door: where a request becomes a cause, with its time, its identity and its ids.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use engine::Languages;
use http::{HeaderMap, Method, header, request::Parts};
use kernel::{Cause, Channel, Clock, Reader};
use sha2::{Digest, Sha256};
use store::Once;
use uuid::Uuid;

use crate::{Identity, problem::Problem, request::Trace};

/// The header that makes a repeated `POST` harmless.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// All that a request says beside its path's parameters and its body.
#[derive(Clone, Debug)]
pub struct Door {
    pub identity: Identity,
    /// Caller, method and path: what an idempotency key is scoped to.
    scope: String,
    key: Option<String>,
    /// `If-Match`, when it names a revision.
    pub expect: Option<u64>,
    /// `If-Match`, when it names a version of a definition by its digest.
    pub version: Option<String>,
    /// What `Accept-Language` asks for.
    pub languages: Languages,
    traceparent: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Door {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let identity = Identity::from_request_parts(parts, state).await?;
        let reads = matches!(parts.method, Method::GET | Method::HEAD);
        identity.needs_scope(if reads { "records:read" } else { "records:write" })?;
        let (expect, version) = if_match(&parts.headers)?;
        Ok(Self {
            scope: format!("{} {} {}", identity.actor.id, parts.method, parts.uri.path()),
            key: idempotency_key(&parts.headers)?,
            expect,
            version,
            languages: languages(&parts.headers),
            traceparent: parts.extensions.get::<Trace>().and_then(|trace| trace.0.clone()),
            identity,
        })
    }
}

impl Door {
    /// The cause of what this request asks, now.
    #[must_use]
    pub fn cause(&self, clock: &Clock) -> Cause {
        let id = match &self.key {
            Some(key) => named_id(&self.scope, key),
            None => Uuid::new_v4(),
        };
        let actor = Arc::clone(&self.identity.actor);
        let mut cause = Cause::new(id, actor, clock.now(), Channel::Api);
        cause.traceparent.clone_from(&self.traceparent);
        cause
    }

    /// The cause of the `index`-th of many things that this request asks at once.
    #[must_use]
    pub fn cause_of(&self, cause: &Cause, index: usize) -> Cause {
        let id = named_id(&cause.id.to_string(), &index.to_string());
        Cause { id, ..cause.clone() }
    }

    /// What the store remembers a repeated request by; `digest` is the body's.
    #[must_use]
    pub fn once(&self, digest: &[u8]) -> Option<Once> {
        let key = self.key.clone()?;
        Some(Once { scope: self.scope.clone(), key, digest: digest.to_vec() })
    }

    /// The same for the `index`-th of many.
    #[must_use]
    pub fn once_of(&self, digest: &[u8], index: usize) -> Option<Once> {
        let once = self.once(digest)?;
        Some(Once { key: format!("{}#{index}", once.key), ..once })
    }

    /// What the caller may read.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.identity.reader()
    }
}

/// The id that a name has within a scope: always the same (RFC 9562, version 8).
pub(crate) fn named_id(scope: &str, name: &str) -> Uuid {
    let digest = Sha256::new()
        .chain_update(scope.as_bytes())
        .chain_update([0])
        .chain_update(name.as_bytes())
        .finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    if !(1..=255).contains(&text.len()) || !is_visible {
        let message = "Idempotency-Key must be 1 to 255 visible characters.";
        return Err(Problem::invalid("/Idempotency-Key", "length", message));
    }
    Ok(Some(text.to_owned()))
}

fn languages(headers: &HeaderMap) -> Languages {
    let asked = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    asked.map(Languages::accepted).unwrap_or_default()
}

/// No record is ever at this revision.
const NEVER: u64 = u64::MAX;

/// `"12"`, or `*` for any revision; or the digest of a version, which no record matches.
fn if_match(headers: &HeaderMap) -> Result<(Option<u64>, Option<String>), Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok((None, None)) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok((None, None));
    }
    let tag = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let is_digest = |tag: &str| tag.len() == 64 && tag.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(digest) = tag.filter(|tag| is_digest(tag)) {
        return Ok((Some(NEVER), Some(digest.to_owned())));
    }
    let revision = tag.and_then(|digits| digits.parse().ok());
    revision.map(|revision| (Some(revision), None)).ok_or_else(|| {
        let message = "If-Match must be the ETag of the record, for example \"3\", or *.";
        Problem::invalid("/If-Match", "etag", message)
    })
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone, Utc};
    use kernel::Actor;

    use super::*;

    async fn door(headers: &[(&'static str, &str)]) -> Result<Door, Problem> {
        let mut request = http::Request::builder().method("POST").uri("/api/v1/incidents");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(Identity::of(Actor::system("gateway")));
        Door::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn the_same_key_makes_the_same_cause() {
        let clock = Clock::manual(Utc.with_ymd_and_hms(2026, 3, 14, 9, 0, 0).unwrap());
        let id = async |key: &str| door(&[(IDEMPOTENCY_KEY, key)]).await.unwrap().cause(&clock).id;
        assert_eq!(id("a").await, id("a").await);
        assert_ne!(id("a").await, id("b").await);
        let without = door(&[]).await.unwrap();
        assert_ne!(without.cause(&clock).id, without.cause(&clock).id);
        assert!(without.once(b"").is_none());
    }

    #[tokio::test]
    async fn a_revision_is_read_from_if_match() {
        assert_eq!(door(&[("if-match", "\"12\"")]).await.unwrap().expect, Some(12));
        assert_eq!(door(&[("if-match", "*")]).await.unwrap().expect, None);
        assert_eq!(door(&[("if-match", "12")]).await.unwrap_err().status, 422);
        assert_eq!(door(&[(IDEMPOTENCY_KEY, "")]).await.unwrap_err().status, 422);
    }
}

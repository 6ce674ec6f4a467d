//! Bodies: JSON that can be read in one way only, within bounds.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};
use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::problem::Problem;

/// A JSON body and the digest that tells whether a repeated request is the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Json {
    pub value: Value,
    /// SHA-256 of the bytes.
    pub digest: Vec<u8>,
}

impl Json {
    /// The body as an object.
    ///
    /// # Errors
    /// 422 for anything else.
    pub fn object(self) -> Result<Map<String, Value>, Problem> {
        match self.value {
            Value::Object(map) => Ok(map),
            _ => Err(Problem::invalid("", "type", "The body must be a JSON object.")),
        }
    }

    /// When it happened, as the body says beside its fields: `occurred_at`.
    ///
    /// # Errors
    /// 422 for what is no instant.
    pub fn occurred_at(&mut self) -> Result<Option<DateTime<Utc>>, Problem> {
        let Some(said) = self.value.as_object_mut().and_then(|map| map.remove("occurred_at"))
        else {
            return Ok(None);
        };
        let at = said.as_str().and_then(|text| text.parse().ok());
        at.map(|at| Some(kernel::instant(at))).ok_or_else(|| {
            let message = "It must be an instant such as 2026-03-14T02:10:00Z.";
            Problem::invalid("/occurred_at", "format", message)
        })
    }

    /// The body as the type that it must be.
    ///
    /// # Errors
    /// 422 with what does not fit.
    pub fn typed<T: serde::de::DeserializeOwned>(self) -> Result<T, Problem> {
        typed(self.value).map_err(|error| {
            Problem::invalid("", "type", format!("The body does not fit: {error}."))
        })
    }
}

impl<S: Send + Sync> FromRequest<S> for Json {
    type Rejection = Problem;

    /// An empty body counts as `{}`: transitions that need nothing are taken without one.
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let fits = is_json(request.headers());
        let bytes =
            Bytes::from_request(request, state).await.map_err(|rejection| {
                match rejection.status() {
                    StatusCode::PAYLOAD_TOO_LARGE => too_large(),
                    status => {
                        Problem::new(status, "body", "The body ended before it was complete.")
                    }
                }
            })?;
        let digest = Sha256::digest(&bytes).to_vec();
        if bytes.is_empty() {
            return Ok(Self { value: Value::Object(Map::new()), digest });
        }
        if !fits {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media_type",
                "The body must be application/json.",
            ));
        }
        Ok(Self { value: parse(&bytes)?, digest })
    }
}

/// Reads JSON strictly: no duplicate keys, no deep nesting, UTF-8 alone.
///
/// # Errors
/// 400 with the place.
pub fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    engine::strict_json(bytes).map_err(|refusal| {
        let detail = refusal.to_string();
        Problem::new(StatusCode::BAD_REQUEST, "malformed_json", detail).with_errors(refusal.faults)
    })
}

/// A JSON object as the type that it must be. A list of the fields' values alone is no object,
/// though serde would take it for one.
pub(crate) fn typed<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, String> {
    if !value.is_object() {
        return Err("it must be a JSON object".to_owned());
    }
    serde_json::from_value(value).map_err(|error| error.to_string())
}

/// 413, for a body beyond what is taken here.
#[must_use]
pub fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too_large",
        "The body is larger than is taken here.",
    )
}

/// `application/json`, or one of its kind (`application/merge-patch+json`).
fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) else {
        return false;
    };
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    async fn read(kind: &str, body: &'static [u8]) -> Result<Value, u16> {
        let request =
            Request::builder().header(header::CONTENT_TYPE, kind).body(Body::from(body)).unwrap();
        let outcome = Json::from_request(request, &()).await;
        outcome.map(|json| json.value).map_err(|problem| problem.status.as_u16())
    }

    #[tokio::test]
    async fn only_sound_json_comes_in() {
        let json = "application/json";
        assert!(read("application/merge-patch+json; charset=utf-8", b"{}").await.is_ok());
        assert_eq!(read(json, b"").await, Ok(serde_json::json!({})));
        assert_eq!(read("text/plain", b"{}").await, Err(415));
        assert_eq!(read(json, b"{\"a\":1,\"a\":2}").await, Err(400));
        assert_eq!(read(json, b"{\"a\":\xff}").await, Err(400));
        assert_eq!(read(json, b"{\"a\":NaN}").await, Err(400));
    }

    #[test]
    fn a_list_is_no_object() {
        let json = Json { value: serde_json::json!([]), digest: Vec::new() };
        assert_eq!(json.object().unwrap_err().status, 422);
    }
}

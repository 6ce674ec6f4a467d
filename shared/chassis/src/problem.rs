//! How a service says no: RFC 9457 problem details, one mapping for all errors.

use std::{
    any::Any,
    borrow::Cow,
    ops::{Deref, DerefMut},
};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use kernel::{Fault, Refusal, Rule};
use serde::Serialize;
use serde_json::Value;

/// The media type of every error.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// An error as the caller sees it: never internals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Problem(Box<Details>);

/// What a [`Problem`] says, as RFC 9457 names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Details {
    /// `about:blank` says that `title` and `status` are all there is to the kind; `code` is finer.
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(serialize_with = "number")]
    pub status: StatusCode,
    pub title: Cow<'static, str>,
    /// Stable, for programs.
    pub code: Cow<'static, str>,
    pub detail: String,
    /// Every fault found, with the JSON pointer of the value.
    pub errors: Vec<Fault>,
    /// The request's id, as in `x-request-id` and in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// What somebody else changed meanwhile, when what was given was made from something older.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<Value>,
    /// Seconds after which it is worth trying again.
    #[serde(skip)]
    pub retry_after: Option<u32>,
    /// The current revision, when the one given was stale.
    #[serde(skip)]
    etag: Option<u64>,
}

fn number<S: serde::Serializer>(status: &StatusCode, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u16(status.as_u16())
}

impl Problem {
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Self {
        Self(Box::new(Details {
            kind: "about:blank",
            status,
            title: status.canonical_reason().unwrap_or("Error").into(),
            code: code.into(),
            detail: detail.into(),
            errors: Vec::new(),
            instance: None,
            difference: None,
            retry_after: None,
            etag: None,
        }))
    }

    /// 404, also for what the caller may not see.
    #[must_use]
    pub fn unknown() -> Self {
        Self::new(StatusCode::NOT_FOUND, "unknown", "There is nothing here that you may see.")
    }

    /// 401, with how to sign in.
    #[must_use]
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    }

    /// 403 without a refused command: the credential or role does not reach this far.
    pub fn forbidden(code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        let (code, detail) = (code.into(), detail.into());
        let fault = Fault::new("", code.clone(), detail.clone());
        Self::new(StatusCode::FORBIDDEN, code, detail).with_errors(vec![fault])
    }

    /// 422 with one fault.
    pub fn invalid(
        path: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Refusal::one(Rule::Invalid, path, code, message).into()
    }

    /// 500: the log has the cause, the caller has the request's id.
    #[must_use]
    pub fn broken() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "broken",
            "Something failed here. The log tells more under the request's id.",
        )
    }

    /// 503: worth trying again in a moment.
    #[must_use]
    pub fn unavailable(code: &'static str, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
        problem.retry_after = Some(1);
        problem
    }

    #[must_use]
    pub fn with_errors(mut self, errors: Vec<Fault>) -> Self {
        self.errors = errors;
        self
    }

    /// The current revision, when a stale one was given.
    #[must_use]
    pub fn with_etag(mut self, revision: u64) -> Self {
        self.etag = Some(revision);
        self
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (status, code) = match refusal.rule {
            Rule::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
            Rule::Role => (StatusCode::FORBIDDEN, "role"),
            Rule::State => (StatusCode::CONFLICT, "state"),
            Rule::Guard => (StatusCode::CONFLICT, "guard"),
        };
        let detail = refusal.to_string();
        Self::new(status, code, detail).with_errors(refusal.faults)
    }
}

impl Deref for Problem {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl DerefMut for Problem {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // A problem is strings and numbers, which always serialize.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status, Body::from(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(etag) = self.etag.and_then(|revision| format!("\"{revision}\"").parse().ok()) {
            headers.insert(header::ETAG, etag);
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Every error leaves as a problem that names its request, whoever made it (axum's own rejections
/// are plain text).
pub(crate) fn in_every_error(response: Response, request: &str) -> Response {
    if !response.status().is_client_error() && !response.status().is_server_error() {
        return response;
    }
    // What another service answered is a problem already, and names the same request.
    let is_foreign = response.extensions().get::<Problem>().is_none()
        && response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == PROBLEM_JSON);
    if is_foreign {
        return response;
    }
    let (parts, _) = response.into_parts();
    let mut problem =
        parts.extensions.get::<Problem>().cloned().unwrap_or_else(|| of_status(parts.status));
    problem.instance = Some(request.to_owned());
    let mut answer = problem.into_response();
    // What was said in headers (Allow, for one) stays said.
    for (name, value) in &parts.headers {
        if *name != header::CONTENT_TYPE && *name != header::CONTENT_LENGTH {
            answer.headers_mut().insert(name, value.clone());
        }
    }
    answer
}

/// The problem for a bare status of the framework.
fn of_status(status: StatusCode) -> Problem {
    match status {
        StatusCode::NOT_FOUND => Problem::unknown(),
        StatusCode::METHOD_NOT_ALLOWED => {
            Problem::new(status, "method", "The path does not know this method; see Allow.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(status, "too_large", "The body is too large.")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Problem::new(status, "media_type", "The body must be JSON.")
        }
        status if status.is_server_error() => {
            Problem::new(status, "broken", Problem::broken().detail.clone())
        }
        status => Problem::new(status, "request", "The request cannot be read."),
    }
}

/// What a panic becomes: a 500, and a line in the log.
pub fn of_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("nothing");
    tracing::error!(panic = said, "a request panicked");
    Problem::broken().into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status_of(rule: Rule) -> u16 {
        Problem::from(Refusal::one(rule, "/data/title", "required", "A title is needed."))
            .status
            .as_u16()
    }

    #[test]
    fn each_rule_has_its_status() {
        assert_eq!(
            [Rule::Invalid, Rule::Role, Rule::State, Rule::Guard].map(status_of),
            [422, 403, 409, 409]
        );
    }

    #[test]
    fn a_problem_names_every_fault_and_no_internals() {
        let refusal = Refusal::new(
            Rule::Invalid,
            vec![
                Fault::new("/data/title", "required", "A title is needed."),
                Fault::new("/data/colour", "unknown_field", "There is no field `colour`."),
            ],
        );
        let problem = serde_json::to_value(Problem::from(refusal)).unwrap();
        assert_eq!(problem["status"], 422);
        assert_eq!(problem["code"], "invalid");
        assert_eq!(problem["errors"][1]["path"], "/data/colour");
        assert_eq!(problem["detail"], "A title is needed.; There is no field `colour`.");
    }
}

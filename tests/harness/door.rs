//! The public API as a caller sees it: requests with a credential, answers as JSON.

use reqwest::{Client, Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::Value;

/// One caller of the API.
#[derive(Clone)]
pub struct Door {
    client: Client,
    base: String,
    token: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The body as JSON; a JSON string when it was none, `null` when it was empty.
    pub body: Value,
}

impl Answer {
    /// The body, when the answer is a success.
    ///
    /// # Panics
    /// When it is not: it says what came instead.
    #[must_use]
    pub fn good(self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.body);
        self.body
    }

    /// The stable codes of a problem's errors.
    #[must_use]
    pub fn codes(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().map_or(&[][..], Vec::as_slice);
        errors.iter().filter_map(|error| error["code"].as_str()).collect()
    }
}

impl Door {
    /// A caller who shows `token`, or nothing.
    ///
    /// # Panics
    /// When no HTTP client can be made.
    #[must_use]
    pub fn new(base: &str, token: Option<&str>) -> Self {
        let client = Client::builder().build().expect("an HTTP client");
        Self {
            client,
            base: base.trim_end_matches('/').to_owned(),
            token: token.map(str::to_owned),
        }
    }

    /// The same door for another caller.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same door for somebody who shows nothing.
    #[must_use]
    pub fn without_token(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// The same caller on connections of its own.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self::new(&self.base, self.token())
    }

    /// What the caller shows.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A request to build upon; `path` begins with `/`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends it; a connection that fails is an error, whatever status comes back is not.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn try_send(&self, request: RequestBuilder) -> reqwest::Result<Answer> {
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await?;
        let body = match text.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        };
        Ok(Answer { status, headers, body })
    }

    async fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request).await.expect("the platform answers")
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Bytes as they are, said to be JSON.
    pub async fn post_bytes(&self, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        let request = self
            .request(Method::POST, path)
            .header("content-type", "application/json")
            .body(body.into());
        self.send(request).await
    }

    /// Every item of a list, page by page. `query` begins with `?` or is empty.
    pub async fn all(&self, path: &str, query: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let joint = if query.is_empty() { "?" } else { "&" };
            let page = self.get(&format!("{path}{query}{joint}limit=500{cursor}")).await.good();
            items.extend(page["items"].as_array().cloned().unwrap_or_default());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }
}

//! A Steward that runs, as the tools ask it: over the same API as everybody.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use gateway::access::{TOKEN_FILE, TOKEN_VARIABLE};
use reqwest::{Client, Method, StatusCode, header::HeaderMap};
use serde_json::Value;

use crate::cli::Arguments;

/// Where it runs, and who asks.
#[derive(Clone, Debug, Args)]
pub struct Remote {
    /// Where Steward runs.
    #[arg(long, env = "STEWARD_URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// An API key or the administrator's token.
    #[arg(long, env = "STEWARD_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// A file that holds it; without either, the administrator's in the data folder.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The answer, if it is a success.
    pub fn good(self) -> anyhow::Result<Self> {
        if self.status.is_success() {
            return Ok(self);
        }
        let problem = self.json();
        let mut lines = vec![match problem["detail"].as_str() {
            Some(detail) => detail.to_owned(),
            None => format!("the answer was {}", self.status),
        }];
        for fault in problem["errors"].as_array().into_iter().flatten() {
            let text = |name: &str| fault[name].as_str().unwrap_or_default().to_owned();
            let (path, message) = (text("path"), text("message"));
            let place = if path.is_empty() { path } else { format!("{path}: ") };
            if message != lines[0] {
                lines.push(format!("  {place}{message}"));
            }
        }
        lines.extend(problem["difference"]["text"].as_str().map(str::to_owned));
        bail!("{}", lines.join("\n"))
    }
}

/// Somebody who asks.
pub struct Caller {
    client: Client,
    base: String,
    token: String,
}

impl Remote {
    pub fn caller(&self, arguments: &Arguments) -> anyhow::Result<Caller> {
        let from_file = |file: PathBuf| {
            let text = fs::read_to_string(&file);
            let text = text.with_context(|| format!("no token in {}", file.display()))?;
            anyhow::Ok(text.trim().to_owned())
        };
        let token = match (&self.token, &self.token_file) {
            (Some(token), _) => token.clone(),
            (None, Some(file)) => from_file(file.clone())?,
            (None, None) => match std::env::var(TOKEN_VARIABLE) {
                Ok(token) => token,
                Err(_) => from_file(arguments.data_dir.join(TOKEN_FILE))?,
            },
        };
        Ok(Caller::new(&self.url, &token))
    }
}

impl Caller {
    /// Somebody who shows `token` where Steward runs.
    pub fn new(url: &str, token: &str) -> Self {
        let base = url.trim_end_matches('/').to_owned();
        Self { client: Client::new(), base, token: token.to_owned() }
    }

    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(Method::GET, path, None, String::new()).await?.good()
    }

    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(Method::POST, path, None, body.to_string()).await?.good()
    }

    /// Sends what is done once, however often it is sent under this key.
    pub async fn once(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: &Value,
    ) -> anyhow::Result<Value> {
        let key = Some(("idempotency-key", key));
        Ok(self.send(method, path, key, body.to_string()).await?.good()?.json())
    }

    /// Sends a body, with one header more where it is given.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        header: Option<(&str, &str)>,
        body: String,
    ) -> anyhow::Result<Answer> {
        let url = format!("{}/api/v1/{path}", self.base);
        let mut request = self.client.request(method, &url).bearer_auth(&self.token);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json").body(body);
        }
        let answer =
            request.send().await.with_context(|| format!("{} does not answer", self.base))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        Ok(Answer { status, headers, text: answer.text().await? })
    }
}

//! A gateway for one test, and people who call it.

use std::{collections::BTreeMap, time::Duration};

use bus::Bus;
use chassis::{Config, Hand, Platform, Signer, Verifier};
use chrono::{DateTime, Utc};
use contract::Descriptor;
use gateway::{Console, Gateway, Surroundings, routing::Upstream};
use kernel::Clock;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::Nats;

/// The administrator's token in all tests.
pub const ADMINISTRATOR: &str = "administrator-of-tests";

/// What a test may wish for beside a gateway.
#[derive(Default)]
pub struct Wishes {
    pub nats: bool,
    pub manual_clock: bool,
    pub upstreams: BTreeMap<String, Upstream>,
    pub descriptors: Vec<Descriptor>,
    pub console: Console,
}

/// A running gateway with its own folder and ports.
pub struct Desk {
    pub gateway: Gateway,
    pub verifier: Verifier,
    pub nats: Option<Nats>,
    pub bus: Option<Bus>,
    client: reqwest::Client,
    base: String,
    _folder: TempDir,
}

/// The moment at which manual clocks begin.
pub fn morning() -> DateTime<Utc> {
    "2026-03-14T08:00:00Z".parse().expect("an instant")
}

/// Asks until the answer is yes.
pub async fn until_yes(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    testkit::eventually(what, Duration::from_secs(60), async || ask().await.then_some(())).await;
}

impl Desk {
    /// A gateway without a bus.
    pub async fn alone() -> Self {
        Self::with(Wishes::default()).await
    }

    /// A gateway on a nats-server of its own.
    pub async fn on_the_bus() -> Self {
        Self::with(Wishes { nats: true, ..Wishes::default() }).await
    }

    pub async fn with(wishes: Wishes) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (nats, bus) = if wishes.nats {
            let nats = Nats::start().await;
            let bus = nats.bus("gateway").await;
            bus.ensure("gateway").await.expect("streams");
            (Some(nats), Some(bus))
        } else {
            (None, None)
        };
        let data = folder.path().join("data").display().to_string();
        let config = Config::of(&[("service.data_dir", data)]).expect("a configuration");
        let signer = Signer::ephemeral().expect("a key");
        let verifier = Verifier::new(&signer.public_key());
        let clock = if wishes.manual_clock { Clock::manual(morning()) } else { Clock::System };
        let hand = wishes.manual_clock.then(|| Hand::new(clock.clone()));
        let platform = Platform {
            clock,
            bus: bus.clone(),
            verifier: verifier.clone(),
            listen: Some(([127, 0, 0, 1], 0).into()),
        };
        let surroundings = Surroundings {
            signer,
            upstreams: wishes.upstreams,
            descriptors: wishes
                .descriptors
                .into_iter()
                .map(|said| tokio::sync::watch::channel(said).1)
                .collect(),
            token: Some(ADMINISTRATOR.to_owned()),
            hand,
            console: wishes.console,
        };
        let gateway = Gateway::start(&config, &platform, surroundings).await.expect("a gateway");
        let base = format!("http://{}", gateway.address.expect("it listens"));
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self { gateway, verifier, nats, bus, client, base, _folder: folder }
    }

    /// A request of nobody in particular.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// The administrator at this desk.
    pub fn administrator(&self) -> Caller<'_> {
        self.caller(ADMINISTRATOR)
    }

    /// Whoever carries a token.
    pub fn caller(&self, token: &str) -> Caller<'_> {
        Caller { desk: self, token: token.to_owned() }
    }

    /// A caller with a new API key.
    pub async fn key(&self, key: Value) -> (Caller<'_>, Value) {
        let answer = self.administrator().post("/api/v1/api-keys", &key).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{:#}", answer.body);
        let secret = answer.body["secret"].as_str().expect("a secret").to_owned();
        (self.caller(&secret), answer.body)
    }

    /// A caller who may send alerts and nothing else.
    pub async fn sender(&self) -> Caller<'_> {
        self.key(json!({"name": "Alertmanager", "scopes": ["alerts:write"]})).await.0
    }
}

/// Somebody with a token.
pub struct Caller<'a> {
    desk: &'a Desk,
    pub token: String,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    /// Null when it is no JSON.
    pub body: Value,
}

impl Answer {
    pub async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.expect("a body");
        Self { status, headers, body: serde_json::from_slice(&body).unwrap_or_default() }
    }

    /// The status and the problem's code.
    pub fn problem(&self) -> (u16, &str) {
        let kind = self.headers.get("content-type").and_then(|kind| kind.to_str().ok());
        assert_eq!(kind, Some("application/problem+json"), "{self:?}");
        assert_eq!(self.body["status"], self.status.as_u16(), "{self:?}");
        (self.status.as_u16(), self.body["code"].as_str().unwrap_or_default())
    }
}

impl Caller<'_> {
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.desk.request(method, path).bearer_auth(&self.token)
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).send().await.expect("an answer")).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, path).json(body);
        Answer::of(request.send().await.expect("an answer")).await
    }

    /// Opens a record and gives its number.
    pub async fn open(&self, collection: &str, data: Value) -> String {
        let answer = self.post(&format!("/api/v1/{collection}"), &data).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{:#}", answer.body);
        answer.body["number"].as_str().expect("a number").to_owned()
    }
}

//! A service to talk to, and people who talk to it.

use std::sync::Arc;

use axum::body::Body;
use chassis::{Config, Identity, Platform, Running, Service, Signer, Verifier, start};
use chrono::{DateTime, TimeZone, Utc};
use contract::IDENTITY_HEADER;
use http::{HeaderMap, Request, StatusCode};
use kernel::{Actor, Clock};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

pub const PARCEL: &str = include_str!("parcel.v1.yaml");

/// A running post office.
pub struct Desk {
    pub running: Running,
    pub clock: Clock,
    pub signer: Signer,
    folder: Arc<TempDir>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

pub fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 16, 12, 0, 0).unwrap()
}

impl Desk {
    pub async fn open() -> Self {
        let service = Service::named("post").processes([("parcel.v1.yaml", PARCEL)]);
        Self::on(service, None, Clock::manual(noon())).await
    }

    pub async fn on(service: Service, bus: Option<::bus::Bus>, clock: Clock) -> Self {
        Self::configured(service, bus, clock, &[]).await
    }

    /// The same with some keys of the configuration.
    pub async fn configured(
        service: Service,
        bus: Option<::bus::Bus>,
        clock: Clock,
        wishes: &[(&'static str, String)],
    ) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Self::within(folder, service, bus, clock, wishes).await
    }

    /// The same database, and a binary that ships another text.
    pub async fn again(self, text: &str) -> Self {
        let service =
            Service::named("post").processes([("parcel.v1.yaml", &*text.to_owned().leak())]);
        self.again_as(service, None).await
    }

    /// The same database, and another binary.
    pub async fn again_as(self, service: Service, bus: Option<::bus::Bus>) -> Self {
        let Self { running, clock, folder, .. } = self;
        running.stop(std::time::Duration::from_secs(1)).await;
        Self::within(folder, service, bus, clock, &[]).await
    }

    async fn within(
        folder: Arc<TempDir>,
        service: Service,
        bus: Option<::bus::Bus>,
        clock: Clock,
        wishes: &[(&'static str, String)],
    ) -> Self {
        let data = folder.path().display().to_string();
        let mut wishes = wishes.to_vec();
        wishes.push(("service.data_dir", data));
        let config = Config::of(&wishes).unwrap();
        let signer = Signer::ephemeral().unwrap();
        let verifier = Verifier::new(&signer.public_key());
        let platform = Platform { clock: clock.clone(), bus, verifier, listen: None };
        let running = start(service, &config, &platform).await.unwrap();
        Self { running, clock, signer, folder }
    }

    pub fn person<'a>(&'a self, name: &str, roles: &[&str]) -> Person<'a> {
        let actor = Actor {
            id: format!("person:{name}"),
            name: name.to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            groups: Default::default(),
        };
        Person { desk: self, identity: Identity::of(actor), headers: Vec::new() }
    }

    pub fn clerk(&self) -> Person<'_> {
        self.person("Ada", &["clerk"])
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let answer = self.running.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = axum::body::to_bytes(answer.into_body(), 16 << 20).await.unwrap();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Answer { status, headers, body }
    }
}

/// Somebody who asks.
#[derive(Clone)]
pub struct Person<'a> {
    desk: &'a Desk,
    pub identity: Identity,
    headers: Vec<(&'static str, String)>,
}

impl Person<'_> {
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let body = body.map(|body| body.to_string());
        self.ask_raw(method, path, body.unwrap_or_default()).await
    }

    pub async fn ask_raw(&self, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        let token = self.desk.signer.token(&self.identity).unwrap();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(IDENTITY_HEADER, token)
            .header("content-type", "application/json");
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        self.desk.send(request.body(body.into()).unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask("POST", path, Some(body)).await
    }

    pub async fn opens(&self, body: Value) -> Answer {
        let answer = self.post("/api/v1/parcels", body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer
    }
}

impl Answer {
    /// The codes of all faults, in their order.
    pub fn codes(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().expect("a problem names its faults");
        errors.iter().filter_map(|fault| fault["code"].as_str()).collect()
    }
}

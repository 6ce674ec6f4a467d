//! A nats-server per test, a connection to it, and raw looks at what it holds.

use std::{future::Future, path::PathBuf, sync::OnceLock, time::Duration};

use async_nats::jetstream;
use bus::{
    Address, Bus, Login, Message, Options,
    server::{Search, Server},
};
use bytes::Bytes;
use contract::{Envelope, subject};
use kernel::derived_id;
use tempfile::TempDir;
use uuid::Uuid;

pub struct World {
    pub server: Server,
    pub bus: Bus,
    pub folder: TempDir,
}

/// The binary that all tests share, found or fetched once.
pub async fn binary() -> PathBuf {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    if let Some(found) = FOUND.get() {
        return found.clone();
    }
    let found = Search::from_env().find(&mut |said| eprintln!("{said}")).await.unwrap();
    FOUND.get_or_init(|| found).clone()
}

pub async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&binary().await, &folder.path().join("nats")).await.unwrap();
    let bus = connect(server.address(), "incident").await;
    bus.ensure("incident").await.unwrap();
    World { server, bus, folder }
}

pub async fn connect(address: &Address, name: &str) -> Bus {
    let bus = Bus::connect(Options::own_server(address.clone(), name)).await.unwrap();
    within("the connection", bus.connected()).await;
    bus
}

/// Every wait of a test ends, and says what it waited for.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .unwrap_or_else(|_| panic!("waited 60 s for {what}"))
}

/// Asks until there is an answer.
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    within(what, async {
        let mut again = tokio::time::interval(Duration::from_millis(20));
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            again.tick().await;
        }
    })
    .await
}

/// A plain client, as somebody else's program would use.
pub async fn client(address: &Address) -> async_nats::Client {
    let Some(Login::User { name, password }) = address.login() else { panic!("no login") };
    async_nats::ConnectOptions::with_user_and_password(name, password)
        .connect(address.to_string())
        .await
        .unwrap()
}

/// What a stream holds, in its order: sequence, subject, message id.
pub async fn stored(address: &Address, stream: &str) -> Vec<(u64, String, String)> {
    let stream = jetstream::new(client(address).await).get_stream(stream).await.unwrap();
    let mut found = Vec::new();
    for sequence in 1..=stream.cached_info().state.last_sequence {
        let message = stream.direct_get(sequence).await.unwrap();
        let id = message.headers.get("Nats-Msg-Id").map(ToString::to_string).unwrap_or_default();
        found.push((sequence, message.subject.to_string(), id));
    }
    found
}

/// The `n`-th id, always the same.
pub fn id(n: u32) -> Uuid {
    derived_id(Uuid::nil(), chrono::DateTime::UNIX_EPOCH, n)
}

/// The id of the `n`-th record, as subjects end with it.
pub fn id_of(record: u32) -> String {
    id(1_000_000 + record).to_string()
}

pub fn event(n: u32, record: u32, revision: u64) -> Envelope {
    Envelope {
        id: id(n),
        source: "/steward/incident".to_owned(),
        kind: "incident.opened.v1".to_owned(),
        time: chrono::DateTime::UNIX_EPOCH,
        number: format!("INC{record:07}"),
        record: id(1_000_000 + record),
        revision,
        correlation: Uuid::nil(),
        causation: None,
        actor: "ada".to_owned(),
        audience: vec!["staff".to_owned()],
        traceparent: None,
        data: br#"{"record":{}}"#.to_vec(),
    }
}

pub fn events(numbers: std::ops::Range<u32>) -> Vec<Message> {
    numbers.map(|n| Message::event("incident", event(n, n % 7, 1))).collect()
}

pub fn alert(source: &str, key: &str, n: u32) -> Message {
    Message {
        subject: subject::of_alert(source, key),
        headers: vec![("Nats-Msg-Id", id(n).to_string())],
        payload: Bytes::from_static(b"{}"),
    }
}

pub fn ids(stored: &[(u64, String, String)]) -> Vec<String> {
    stored.iter().map(|(_, _, id)| id.clone()).collect()
}

pub fn ids_of(numbers: std::ops::Range<u32>) -> Vec<String> {
    numbers.map(|n| id(n).to_string()).collect()
}

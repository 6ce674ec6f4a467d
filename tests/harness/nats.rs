//! A nats-server of the test's own, and what its streams hold.

use std::{collections::BTreeMap, time::Duration};

use bus::{
    Address, Bus, Options, Tailed,
    server::{Search, Server},
};
use futures::StreamExt;
use tempfile::TempDir;

/// A nats-server that the test takes down and up again; it ends with this value.
pub struct Nats {
    pub server: Server,
    // Kept for as long as the server writes there.
    _folder: TempDir,
}

impl Nats {
    /// # Panics
    /// When there is no nats-server, none can be obtained, or it does not start.
    pub async fn start() -> Self {
        let search = Search::from_env();
        let found = search.find(&mut |sentence| eprintln!("{sentence}")).await;
        let binary = found.expect("a nats-server");
        let folder = tempfile::tempdir().expect("a scratch folder");
        let server = Server::start(&binary, folder.path()).await.expect("nats-server starts");
        Self { server, _folder: folder }
    }

    /// Where it listens, with the credentials for it.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.address().expose()
    }
}

/// A connection as a consumer has it.
///
/// # Panics
/// When nothing answers there.
pub async fn bus(url: &str) -> Bus {
    let address: Address = url.parse().expect("the address of a nats-server");
    let options = Options::own_server(address, "acceptance");
    let bus = Bus::connect(options).await.expect("the address can be used");
    let there = tokio::time::timeout(Duration::from_secs(30), bus.connected()).await;
    there.expect("nats-server answers");
    bus
}

/// All events of a service's stream so far, in the stream's order.
///
/// # Panics
/// When the stream cannot be read, or stalls.
pub async fn events(bus: &Bus, service: &str) -> Vec<Tailed> {
    let stream = contract::subject::stream(service);
    let last = bus.totals(&stream).await.expect("the stream is there").last_sequence;
    let from_the_first = BTreeMap::from([(stream.clone(), 0)]);
    let mut tail = bus.tail(std::slice::from_ref(&stream), &from_the_first);
    let mut events: Vec<Tailed> = Vec::new();
    while events.last().map_or(0, |event| event.sequence) < last {
        let next = tokio::time::timeout(Duration::from_secs(30), tail.next()).await;
        events.push(next.expect("the stream goes on").expect("the tail does not end"));
    }
    events
}

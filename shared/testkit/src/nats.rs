//! A nats-server of a test's own, gone with the test.

use std::path::PathBuf;

use bus::{
    Address, Bus, Options,
    server::{Search, Server},
};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::until;

/// A running nats-server with JetStream, in a folder of its own.
#[derive(Debug)]
pub struct Nats {
    /// Before the folder, so that it is dead when the folder goes.
    pub server: Server,
    folder: TempDir,
}

impl Nats {
    /// Starts one; where no nats-server is on the machine, one is fetched.
    ///
    /// # Panics
    /// When none is to be had: no test of this kind is ever skipped.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder for nats-server");
        let server = Server::start(&Self::binary().await, &folder.path().join("nats"))
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        Self { server, folder }
    }

    /// The binary, found or fetched once in a process.
    ///
    /// # Panics
    /// When none is to be had.
    pub async fn binary() -> PathBuf {
        static FOUND: OnceCell<PathBuf> = OnceCell::const_new();
        let find = async || {
            Search::from_env()
                .find(&mut |said| eprintln!("{said}"))
                .await
                .unwrap_or_else(|error| panic!("{error}"))
        };
        FOUND.get_or_init(find).await.clone()
    }

    #[must_use]
    pub fn address(&self) -> &Address {
        self.server.address()
    }

    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// A connection to it that is there.
    ///
    /// # Panics
    /// When there is none within a minute.
    pub async fn bus(&self, service: &str) -> Bus {
        let bus = Bus::connect(Options::own_server(self.address().clone(), service))
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        until("the connection to nats-server", bus.connected()).await;
        bus
    }
}

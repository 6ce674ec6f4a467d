//! A PostgreSQL for tests: the one that is named, or one that is started for this process.

mod server;

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

pub use self::server::{Postgres, Sync};
use crate::skipped;

/// The environment variable that names a running PostgreSQL: `postgres://user:password@host:5432`,
/// a user who may create databases.
const NAMED: &str = "STEWARD_TEST_POSTGRES";

/// A database of a test's own, dropped with it.
#[derive(Debug)]
pub struct Scratch {
    /// `postgres://…/scratch_…`
    pub url: String,
    /// The server's own database, in which others are made and dropped.
    admin: String,
    name: String,
}

impl Postgres {
    /// An empty database on the server that `STEWARD_TEST_POSTGRES` names, else on one that is
    /// started once for this process. `None`, said loudly, where there is no PostgreSQL.
    ///
    /// # Panics
    /// When there is none and `STEWARD_TEST_REQUIRE_ALL=1`, or the named one cannot be used.
    pub async fn scratch() -> Option<Scratch> {
        let prefix = match std::env::var(NAMED) {
            Ok(named) if !named.trim().is_empty() => named.trim_end_matches('/').to_owned(),
            _ => match shared().await {
                Ok(prefix) => prefix,
                Err(because) => {
                    skipped("a test on PostgreSQL", &because);
                    return None;
                }
            },
        };
        Some(Scratch::make(&prefix).await)
    }
}

/// The URL prefix of the server of this process.
async fn shared() -> Result<String, String> {
    static SERVER: OnceLock<Result<Postgres, String>> = OnceLock::new();
    let start = || {
        let server = SERVER.get_or_init(|| Postgres::start(Sync::Off));
        server.as_ref().map(|server| server.url().to_owned()).map_err(Clone::clone)
    };
    tokio::task::spawn_blocking(start).await.map_err(|error| error.to_string())?
}

impl Scratch {
    pub(crate) async fn make(prefix: &str) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("scratch_{}_{count}", std::process::id());
        let admin = format!("{prefix}/postgres");
        run(&admin, format!("CREATE DATABASE {name}"))
            .await
            .unwrap_or_else(|error| panic!("no scratch database: {error}"));
        Self { url: format!("{prefix}/{name}"), admin, name }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let admin = std::mem::take(&mut self.admin);
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // In a thread of its own: a runtime cannot be entered from within one.
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(run(&admin, sql)).map_err(std::io::Error::other)
        });
        // A server that a test has stopped keeps its databases to itself.
        if let Ok(Err(error)) = dropping.join() {
            eprintln!("a scratch database stays behind: {error}");
        }
    }
}

async fn run(url: &str, sql: String) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    connection.execute(AssertSqlSafe(sql)).await?;
    connection.close().await
}

//! The connections that read. Nothing comes of asking twice: what a broken one was asked is asked of
//! another.

use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    ExecResult, IsolationLevel, QueryResult, RuntimeErr, Statement, TransactionTrait,
};
use sqlx::SqlitePool;

use super::is_broken_connection;

/// A pool for reading. After a restart of the server all of its connections are broken, and each is
/// found out by whoever gets it: a reader outlasts every one of them.
#[derive(Clone, Debug)]
pub(crate) struct Readers {
    pool: DatabaseConnection,
    connections: u32,
}

impl Readers {
    /// A pool of at most so many connections.
    pub(crate) fn new(pool: DatabaseConnection, connections: u32) -> Self {
        Self { pool, connections }
    }

    pub(crate) async fn ping(&self) -> Result<(), DbErr> {
        self.outlasting(|| self.pool.ping()).await
    }

    /// One moment of the database, for several questions.
    pub(crate) async fn snapshot(&self) -> Result<DatabaseTransaction, DbErr> {
        let (level, mode) = match self.pool.get_database_backend() {
            // There, whoever reads sees one moment anyhow.
            DbBackend::Sqlite => (None, None),
            _ => (Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly)),
        };
        self.outlasting(|| self.pool.begin_with_config(level, mode)).await
    }

    /// # Panics
    /// When they read PostgreSQL.
    pub(crate) fn sqlite(&self) -> &SqlitePool {
        self.pool.get_sqlite_connection_pool()
    }

    pub(crate) async fn close(&self) -> Result<(), DbErr> {
        self.pool.clone().close().await
    }

    async fn outlasting<T, A>(&self, ask: impl Fn() -> A) -> Result<T, DbErr>
    where
        A: Future<Output = Result<T, DbErr>>,
    {
        for _ in 0..self.connections {
            match ask().await {
                Err(fault) if is_of_connection(&fault) => {
                    tracing::debug!(%fault, "asked of another connection");
                }
                answer => return answer,
            }
        }
        ask().await
    }
}

fn is_of_connection(fault: &DbErr) -> bool {
    match fault {
        DbErr::Conn(RuntimeErr::SqlxError(fault))
        | DbErr::Exec(RuntimeErr::SqlxError(fault))
        | DbErr::Query(RuntimeErr::SqlxError(fault)) => is_broken_connection(fault),
        _ => false,
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Readers {
    fn get_database_backend(&self) -> DbBackend {
        self.pool.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.pool.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.pool.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.outlasting(|| self.pool.query_one_raw(statement.clone())).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.outlasting(|| self.pool.query_all_raw(statement.clone())).await
    }
}

//! The tables of a service's database, and which binaries may read them.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement, TransactionTrait};
use sea_orm_migration::{MigrationTrait, MigratorTrait, SchemaManager, async_trait, prelude::*};

use crate::StoreError;

/// What was added to the ground, each in its turn and never changed once it has landed. What was made
/// before stays as it was, so that older binaries can go on, unless the statements say otherwise.
const EXTENSIONS: [Extension; 9] = [
    Extension { version: 2, name: "m0002_ties", sql: Sql::Both(include_str!("schema/ties.sql")) },
    Extension {
        version: 3,
        name: "m0003_totals",
        sql: Sql::Both(include_str!("schema/totals.sql")),
    },
    Extension {
        version: 4,
        name: "m0004_places",
        sql: Sql::Both(include_str!("schema/places.sql")),
    },
    Extension {
        version: 5,
        name: "m0005_passages",
        sql: Sql::Each {
            sqlite: include_str!("schema/passages.sqlite.sql"),
            postgres: include_str!("schema/passages.postgres.sql"),
        },
    },
    Extension {
        version: 6,
        name: "m0006_checkpoints",
        sql: Sql::Both(include_str!("schema/checkpoints.sql")),
    },
    Extension {
        version: 7,
        name: "m0007_present",
        sql: Sql::Both(include_str!("schema/present.sql")),
    },
    Extension {
        version: 8,
        name: "m0008_attachments",
        sql: Sql::Both(include_str!("schema/attachments.sql")),
    },
    Extension {
        version: 9,
        name: "m0009_room",
        sql: Sql::Each { sqlite: "", postgres: include_str!("schema/room.postgres.sql") },
    },
    Extension {
        version: 10,
        name: "m0010_bundles",
        sql: Sql::Each {
            sqlite: include_str!("schema/bundles.sqlite.sql"),
            postgres: include_str!("schema/bundles.postgres.sql"),
        },
    },
];
/// The version of the tables that this binary makes, and the newest that it was written for.
pub(crate) const VERSION: i32 = EXTENSIONS[EXTENSIONS.len() - 1].version;
/// Only one of several replicas that start together makes the tables: "stewards" in ASCII.
const MIGRATION_LOCK: i64 = 0x7374_6577_6172_6473;
/// Each step is made whole or not at all, on SQLite, too: a process may be killed in the middle of one.
const WHOLE: Option<bool> = Some(true);

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations: Vec<Box<dyn MigrationTrait>> = vec![Box::new(Ground)];
        for extension in EXTENSIONS {
            migrations.push(Box::new(extension));
        }
        migrations
    }
}

struct Ground;

impl MigrationName for Ground {
    fn name(&self) -> &'static str {
        "m0001_ground"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Ground {
    fn use_transaction(&self) -> Option<bool> {
        WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let db = manager.get_connection();
        db.execute_unprepared(&in_dialect(include_str!("schema/ground.sql"), backend)).await?;
        let rest = match backend {
            DbBackend::Sqlite => include_str!("schema/sqlite.sql"),
            _ => include_str!("schema/postgres.sql"),
        };
        db.execute_unprepared(rest).await?;
        Ok(())
    }
}

/// Statements in the words of `in_dialect`, after which the tables are those of `version`.
struct Extension {
    version: i32,
    name: &'static str,
    sql: Sql,
}

/// The same for both databases, or each its own.
enum Sql {
    Both(&'static str),
    Each { sqlite: &'static str, postgres: &'static str },
}

impl MigrationName for Extension {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Extension {
    fn use_transaction(&self) -> Option<bool> {
        WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (db, version) = (manager.get_connection(), self.version);
        let backend = manager.get_database_backend();
        let sql = match (&self.sql, backend) {
            (Sql::Both(sql), _) => *sql,
            (Sql::Each { sqlite, .. }, DbBackend::Sqlite) => *sqlite,
            (Sql::Each { postgres, .. }, _) => *postgres,
        };
        db.execute_unprepared(&in_dialect(sql, backend)).await?;
        let stamp = format!("UPDATE schema_info SET version = {version} WHERE version < {version}");
        db.execute_unprepared(&stamp).await?;
        Ok(())
    }
}

/// Text sorts by its bytes on both databases, so that pages and cursors agree everywhere.
fn in_dialect(sql: &str, backend: DbBackend) -> String {
    let words: [(&str, &str); 8] = match backend {
        DbBackend::Sqlite => [
            ("{uuid}", "BLOB"),
            ("{text}", "TEXT"),
            ("{time}", "TEXT"),
            ("{bytes}", "BLOB"),
            ("{double}", "REAL"),
            ("{serial}", "INTEGER PRIMARY KEY AUTOINCREMENT"),
            ("{sequence}", "INTEGER PRIMARY KEY AUTOINCREMENT"),
            ("{clustered}", " WITHOUT ROWID"),
        ],
        _ => [
            ("{uuid}", "uuid"),
            ("{text}", "text COLLATE \"C\""),
            ("{time}", "timestamptz"),
            ("{bytes}", "bytea"),
            ("{double}", "double precision"),
            ("{serial}", "integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
            ("{sequence}", "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
            ("{clustered}", ""),
        ],
    };
    words.iter().fold(sql.to_owned(), |sql, (word, meaning)| sql.replace(word, meaning))
}

/// Makes or extends the tables, unless the database says that this binary is too old to read it.
pub(crate) async fn prepare(db: &DatabaseConnection) -> Result<(), StoreError> {
    // The lock lives as long as this transaction; the migration itself runs on other connections.
    let gate = db.begin().await?;
    if db.get_database_backend() == DbBackend::Postgres {
        gate.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")).await?;
        make(db).await?;
        gate.commit().await?;
    } else {
        gate.commit().await?;
        make(db).await?;
    }
    Ok(())
}

async fn make(db: &DatabaseConnection) -> Result<(), StoreError> {
    match stamped(db).await? {
        Some((_, min_reader)) if min_reader > VERSION => {
            Err(StoreError::TooOld { min_reader, version: VERSION })
        }
        // A newer binary was here and says that we can still read what it made.
        Some((version, _)) if version >= VERSION => Ok(()),
        _ => Ok(Migrator::up(db, None).await?),
    }
}

async fn stamped(db: &DatabaseConnection) -> Result<Option<(i32, i32)>, DbErr> {
    if !SchemaManager::new(db).has_table("schema_info").await? {
        return Ok(None);
    }
    let row = db
        .query_one_raw(Statement::from_string(
            db.get_database_backend(),
            "SELECT version, min_reader FROM schema_info WHERE id = 1",
        ))
        .await?;
    row.map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).transpose()
}

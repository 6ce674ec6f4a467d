//! Why a store cannot be opened.

/// Faults that are known at start, worded for whoever runs the service.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("`{scheme}:` is no database that is known here; use `sqlite:` or `postgres:`")]
    Scheme { scheme: String },
    #[error(
        "the database asks for a binary of schema {min_reader} or newer; this one has {version}"
    )]
    TooOld { min_reader: i32, version: i32 },
    #[error(
        "process `{process}` indexes too many fields: all {count} {kind} columns are taken, none is left for `{field}`"
    )]
    NoSlot { process: String, field: String, kind: &'static str, count: usize },
    #[error(
        "process `{process}` indexes `{field}` as another kind than before; it keeps its column `{column}`, so give the field another name"
    )]
    SlotKind { process: String, field: String, column: String },
    #[error("the records of a process could not be counted")]
    Uncounted(#[from] crate::Setback),
    #[error("the database failed")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<sqlx::Error> for StoreError {
    fn from(fault: sqlx::Error) -> Self {
        Self::Database(fault.into())
    }
}

impl From<sea_orm::DbErr> for StoreError {
    fn from(fault: sea_orm::DbErr) -> Self {
        Self::Database(fault.into())
    }
}

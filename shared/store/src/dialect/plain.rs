//! Statements that both databases take as they are: written once.

/// Runs a statement of either database with these values, by a method that ends it.
macro_rules! run {
    ($tx:expr, $end:ident, $sql:expr $(, $value:expr)*) => {
        match $tx {
            Tx::Postgres(tx) => query($sql)$(.bind($value))*.$end(&mut **tx).await.map(|_| ()),
            Tx::Sqlite(tx) => query($sql)$(.bind($value))*.$end(&mut **tx).await.map(|_| ()),
        }
    };
}

/// Reads the columns of at most one row.
macro_rules! ask {
    ($tx:expr, $sql:expr, |$row:ident| $read:expr $(, $value:expr)*) => {
        match $tx {
            Tx::Postgres(tx) => {
                let found = query($sql)$(.bind($value))*.fetch_optional(&mut **tx).await?;
                found.map(|$row| Ok::<_, sqlx::Error>($read)).transpose()?
            }
            Tx::Sqlite(tx) => {
                let found = query($sql)$(.bind($value))*.fetch_optional(&mut **tx).await?;
                found.map(|$row| Ok::<_, sqlx::Error>($read)).transpose()?
            }
        }
    };
}

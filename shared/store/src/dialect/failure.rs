//! Why a transaction could not go on, and whether trying again may help.

use std::borrow::Cow;

/// Why a transaction could not go on.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A row that was found to be needed late is locked by somebody else: begin anew, and lock it
    /// together with the others, in order.
    Contended,
    /// Somebody else wrote the same key between our look and our write.
    Raced,
    /// Newer rules are in force than those that were about to be decided by.
    Outdated,
    Database(sqlx::Error),
}

impl Failure {
    /// Whether the same transaction may well succeed when it is tried again.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Contended | Self::Raced | Self::Outdated => true,
            Self::Database(fault) => is_passing(fault),
        }
    }
}

impl From<Failure> for sqlx::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Contended => Self::Protocol("a row stayed locked by others".into()),
            Failure::Raced => Self::Protocol("others kept writing the same key".into()),
            Failure::Outdated => {
                Self::Protocol("newer rules are in force than are known here".into())
            }
            Failure::Database(fault) => fault,
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(fault: sqlx::Error) -> Self {
        // 55P03: lock_not_available, the answer to NOWAIT.
        if code_of(&fault).as_deref() == Some("55P03") {
            Self::Contended
        } else {
            Self::Database(fault)
        }
    }
}

fn code_of(fault: &sqlx::Error) -> Option<Cow<'_, str>> {
    fault.as_database_error()?.code()
}

fn is_passing(fault: &sqlx::Error) -> bool {
    if is_broken_connection(fault) {
        return true;
    }
    // Serialisation failure, deadlock, unique violation; SQLite's constraint and busy codes.
    let codes = ["40001", "40P01", "23505", "1555", "2067", "5", "517"];
    code_of(fault).is_some_and(|code| codes.contains(&code.as_ref()))
}

/// Whether the connection is at fault, so that what was sent last may or may not have been done.
pub(crate) fn is_broken_connection(fault: &sqlx::Error) -> bool {
    if matches!(
        fault,
        sqlx::Error::Io(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::WorkerCrashed
    ) {
        return true;
    }
    // Class 57P: the server shuts down, crashed, or is starting up; class 08: connection lost.
    code_of(fault).is_some_and(|code| code.starts_with("57P") || code.starts_with("08"))
}

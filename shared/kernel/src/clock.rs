//! The one place where time comes from, so that tests and demonstrations can move it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};

/// Cuts an instant to microseconds: what PostgreSQL keeps, hence what everything keeps.
#[must_use]
pub fn instant(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}

/// System time, or a hand that somebody moves.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    #[default]
    System,
    /// Microseconds since 1970, shared by all who hold the clock.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands still at `at` until it is moved.
    #[must_use]
    pub fn manual(at: DateTime<Utc>) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(at.timestamp_micros())))
    }

    /// Now, in UTC, cut to microseconds.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
            Self::System => instant(Utc::now()),
            Self::Manual(micros) => {
                DateTime::from_timestamp_micros(micros.load(Ordering::SeqCst)).unwrap_or_default()
            }
        }
    }

    #[must_use]
    pub fn is_manual(&self) -> bool {
        matches!(self, Self::Manual(_))
    }

    /// Moves a manual clock forward to `to`; never back, and a system clock not at all.
    pub fn move_to(&self, to: DateTime<Utc>) {
        if let Self::Manual(micros) = self {
            micros.fetch_max(to.timestamp_micros(), Ordering::SeqCst);
        }
    }

    /// How long until `due`, zero when it has come.
    #[must_use]
    pub fn until(&self, due: DateTime<Utc>) -> std::time::Duration {
        (due - self.now()).max(TimeDelta::zero()).to_std().unwrap_or_default()
    }
}

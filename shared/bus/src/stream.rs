//! The streams, declared here and made wherever they are missing.

use std::time::Duration;

use async_nats::jetstream::{
    ErrorCode,
    context::GetStreamErrorKind,
    stream::{Config, Info, RetentionPolicy, StorageType, SubjectTransform},
};
use contract::subject;
use kernel::PARTITIONS;

use crate::{Bus, BusError};

/// Streams keep 30 days; nothing depends on their keeping more.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long the server remembers message ids. A repeat after a lost acknowledgement comes within
/// seconds; each remembered id costs the server's memory, hence not longer.
const REPEATS_KNOWN: Duration = Duration::from_secs(120);

/// How much a stream holds, for reconciliation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub messages: u64,
    pub first_sequence: u64,
    pub last_sequence: u64,
}

impl Bus {
    /// Makes the stream of a service's events, ALERTS and DEAD where they are missing, and mends
    /// what the platform relies on where it differs. Retention, replicas and limits that an
    /// operator has set on an existing stream stay.
    ///
    /// # Errors
    /// When the server cannot be reached, has no JetStream, or is too old.
    pub async fn ensure(&self, service: &str) -> Result<(), BusError> {
        let own = subject::stream(service);
        for name in [own.as_str(), subject::ALERTS_STREAM, subject::DEAD_STREAM] {
            self.ensure_stream(name).await?;
        }
        Ok(())
    }

    /// The same for one stream, by its name: all of them are declared here, so whoever needs one
    /// first makes it.
    pub(crate) async fn ensure_stream(&self, name: &str) -> Result<Info, BusError> {
        self.reachable()?;
        self.new_enough()?;
        let wanted = declared(name, self.inner.options.replicas);
        let jetstream = &self.inner.jetstream;
        match jetstream.get_stream(name).await {
            Ok(stream) => {
                let present = &stream.cached_info().config;
                let mended = mended(present.clone(), &wanted);
                if mended == *present {
                    return Ok(stream.cached_info().clone());
                }
                tracing::info!(stream = name, "the stream is brought up to date");
                jetstream
                    .update_stream(mended)
                    .await
                    .map_err(|error| refused(name, "brought up to date", &error))
            }
            Err(error) if is_missing(&error.kind()) => {
                // Another replica may have made it meanwhile: the same declaration is no error.
                let made = jetstream
                    .create_stream(wanted)
                    .await
                    .map_err(|error| refused(name, "made", &error))?;
                tracing::info!(stream = name, "the stream is made");
                Ok(made.cached_info().clone())
            }
            Err(error) => Err(refused(name, "read", &error)),
        }
    }

    /// What a stream holds now; nothing when there is no such stream.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn totals(&self, stream: &str) -> Result<Totals, BusError> {
        self.reachable()?;
        match self.inner.jetstream.get_stream(stream).await {
            Ok(found) => {
                let state = &found.cached_info().state;
                Ok(Totals {
                    messages: state.messages,
                    first_sequence: state.first_sequence,
                    last_sequence: state.last_sequence,
                })
            }
            Err(error) if is_missing(&error.kind()) => Ok(Totals::default()),
            Err(error) => Err(refused(stream, "read", &error)),
        }
    }
}

fn refused(name: &str, done: &str, error: &dyn std::fmt::Display) -> BusError {
    BusError::Refused(format!("the stream {name} cannot be {done}: {error}"))
}

pub(crate) fn is_missing(kind: &GetStreamErrorKind) -> bool {
    matches!(
        kind,
        GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND
    )
}

/// A stream as the platform declares it.
fn declared(name: &str, replicas: usize) -> Config {
    let (subjects, subject_transform) = match name {
        subject::ALERTS_STREAM => (subject::ALERTS_IN.to_owned(), Some(alerts_by_partition())),
        subject::DEAD_STREAM => ("steward.dead.*.*".to_owned(), None),
        service => (subject::all_of(&service.to_lowercase()), None),
    };
    Config {
        name: name.to_owned(),
        subjects: vec![subjects],
        subject_transform,
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        num_replicas: replicas,
        max_age: KEPT,
        duplicate_window: REPEATS_KNOWN,
        allow_direct: true,
        allow_atomic_publish: true,
        ..Config::default()
    }
}

/// `steward.alerts.{source}.{key}` gets its partition between: the same for the same two tokens.
fn alerts_by_partition() -> SubjectTransform {
    SubjectTransform {
        source: subject::ALERTS_IN.to_owned(),
        destination: format!(
            "steward.alerts.{{{{partition({PARTITIONS},1,2)}}}}.{{{{wildcard(1)}}}}.{{{{wildcard(2)}}}}"
        ),
    }
}

/// What exists, with what the platform relies on.
fn mended(present: Config, wanted: &Config) -> Config {
    Config {
        subjects: wanted.subjects.clone(),
        subject_transform: wanted.subject_transform.clone(),
        allow_atomic_publish: true,
        allow_direct: true,
        duplicate_window: present.duplicate_window.max(wanted.duplicate_window),
        ..present
    }
}

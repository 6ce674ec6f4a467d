//! Where a request goes: each collection to the service that owns it, wherever that runs.

pub mod everywhere;
mod forward;
pub mod switch;
mod table;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use axum::Router;
use contract::Descriptor;

pub use forward::Forwarder;
pub use table::{Destination, Table};

/// How a service is reached.
#[derive(Clone)]
pub enum Upstream {
    /// In this process, as under `steward up`.
    InProcess(Router),
    /// Over HTTP, by its base URL: `http://incident:8080`.
    Http(String),
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::InProcess(_) => f.write_str("InProcess"),
            Self::Http(base) => f.debug_tuple("Http").field(base).finish(),
        }
    }
}

/// What the gateway knows of the services, replaced as a whole whenever one describes itself.
///
/// The last good descriptors are kept on disk, so that a gateway that starts while the bus is away
/// routes as it did before.
#[derive(Clone, Debug)]
pub struct Routes {
    configured: Arc<BTreeMap<String, Upstream>>,
    kept_in: Arc<PathBuf>,
    current: Arc<RwLock<Arc<Table>>>,
}

impl Routes {
    /// Begins with the descriptors of the last run, if `kept_in` holds some.
    #[must_use]
    pub fn open(configured: BTreeMap<String, Upstream>, kept_in: PathBuf) -> Self {
        let known = last_good(&kept_in).unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(file = %kept_in.display(), %error, "the kept descriptors are lost");
            }
            BTreeMap::new()
        });
        let table = Table::new(known, &configured);
        Self {
            configured: Arc::new(configured),
            kept_in: Arc::new(kept_in),
            current: Arc::new(RwLock::new(Arc::new(table))),
        }
    }

    /// The table of this moment.
    #[must_use]
    pub fn now(&self) -> Arc<Table> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a service runs in this process.
    #[must_use]
    pub fn is_in_process(&self, service: &str) -> bool {
        matches!(self.configured.get(service), Some(Upstream::InProcess(_)))
    }

    /// Takes what a service says of itself in place of what it said before, and keeps it.
    pub fn learn(&self, descriptor: Descriptor) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.descriptors().get(&descriptor.service) == Some(&descriptor) {
            return;
        }
        tracing::info!(service = descriptor.service, "a service described itself");
        let mut known = current.descriptors().clone();
        known.insert(descriptor.service.clone(), descriptor);
        if let Err(error) = keep(&self.kept_in, &known) {
            tracing::warn!(file = %self.kept_in.display(), %error, "descriptors cannot be kept");
        }
        *current = Arc::new(Table::new(known, &self.configured));
    }
}

fn last_good(file: &Path) -> io::Result<BTreeMap<String, Descriptor>> {
    let kept: Vec<Descriptor> = serde_json::from_slice(&std::fs::read(file)?)?;
    Ok(kept.into_iter().map(|descriptor| (descriptor.service.clone(), descriptor)).collect())
}

fn keep(file: &Path, known: &BTreeMap<String, Descriptor>) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // Under another name first: a crash in between must not lose the last good copy.
    let draft = file.with_extension("new");
    std::fs::write(&draft, serde_json::to_vec(&known.values().collect::<Vec<_>>())?)?;
    std::fs::rename(draft, file)
}

#[cfg(test)]
mod tests;

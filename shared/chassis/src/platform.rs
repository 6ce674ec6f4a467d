//! What the services of one process share: the clock, the bus, and who vouches for callers.

use std::net::SocketAddr;

use anyhow::Context as _;
use bus::{Address, Bus};
use kernel::Clock;

use crate::{Config, Verifier, identity, telemetry::metrics};

/// What a service is started on.
#[derive(Clone, Debug)]
pub struct Platform {
    pub clock: Clock,
    /// None: what is said waits in the outbox.
    pub bus: Option<Bus>,
    pub verifier: Verifier,
    /// Where HTTP is served; none where only the router is used, within one process.
    pub listen: Option<SocketAddr>,
}

impl Platform {
    /// What a process that runs one service stands on: the system's clock, the configured bus, the
    /// gateway's public key and the configured address.
    ///
    /// # Errors
    /// When the key cannot be read or the bus's address is malformed. A bus that does not answer is
    /// no error: it is waited for.
    pub async fn of(config: &Config, name: &str) -> anyhow::Result<Self> {
        let public = config.identity.public_key_file.clone();
        let public =
            public.unwrap_or_else(|| config.service.data_dir.join(identity::PUBLIC_KEY_FILE));
        Ok(Self {
            clock: Clock::System,
            bus: connect(config, name).await?,
            verifier: Verifier::open(&public)?,
            listen: Some(config.service.listen),
        })
    }
}

/// Begins to connect to the configured bus; none when none is configured.
///
/// # Errors
/// When its address is malformed or its credentials cannot be read.
pub async fn connect(config: &Config, name: &str) -> anyhow::Result<Option<Bus>> {
    let settings = &config.bus;
    if settings.url.is_empty() {
        return Ok(None);
    }
    let address: Address = settings.url.reveal().parse().context("bus.url")?;
    let options = bus::Options {
        address,
        name: name.to_owned(),
        replicas: settings.replicas,
        syncs_always: settings.synced,
    };
    let bus = Bus::connect(options).await.context("the message bus cannot be used")?;
    metrics::watch_bus(&bus);
    for warning in bus.warnings() {
        tracing::warn!("{warning}");
    }
    Ok(Some(bus))
}

//! Which services there are, and how each is configured from the command line.

use anyhow::Context as _;
use chassis::{Config, Service};

use crate::cli::{Arguments, ServiceName};

/// The names of all services.
pub const SERVICES: [&str; 7] =
    ["gateway", "incident", "sla", "change", "release", "supplier", "governance"];

impl ServiceName {
    /// Every service.
    pub(crate) const ALL: [Self; 7] = [
        Self::Gateway,
        Self::Incident,
        Self::Sla,
        Self::Change,
        Self::Release,
        Self::Supplier,
        Self::Governance,
    ];

    pub(crate) fn service(self) -> Service {
        match self {
            Self::Gateway => gateway::service(),
            Self::Incident => incident::service(),
            Self::Sla => sla::service(),
            Self::Change => change::service(),
            Self::Release => release::service(),
            Self::Supplier => supplier::service(),
            Self::Governance => governance::service(),
        }
    }
}

/// The configuration that file, environment and command line give together.
pub(crate) fn config(
    arguments: &Arguments,
    more: &[(&'static str, String)],
) -> anyhow::Result<Config> {
    let mut flags = vec![("service.data_dir", arguments.data_dir.display().to_string())];
    flags.extend(arguments.database_url_template.clone().map(|url| ("database.url", url)));
    flags.extend(arguments.nats_url.clone().map(|url| ("bus.url", url)));
    flags.extend_from_slice(more);
    Config::load(arguments.config.as_deref(), &flags).context("nothing was started")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_called_what_they_call_themselves() {
        assert_eq!(ServiceName::ALL.map(|name| name.service().name), SERVICES);
    }
}

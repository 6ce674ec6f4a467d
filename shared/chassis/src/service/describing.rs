//! What a service says of itself: again whenever something else is in force.

use contract::{Descriptor, ProcessDescriptor};
use engine::Ruleset;
use tokio::sync::watch;

use super::Service;
use crate::records;

/// What a descriptor is made from, and whoever wants to know the present one.
pub(crate) struct Describing {
    service: &'static str,
    url: String,
    paths: Vec<String>,
    said: watch::Sender<Descriptor>,
}

impl Describing {
    pub fn new(service: &Service, url: String, rules: &Ruleset) -> Self {
        let mut paths = service.paths.clone();
        paths.push(format!("services/{}", service.name));
        let nothing = Descriptor {
            service: service.name.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            url: url.clone(),
            processes: Vec::new(),
            paths: paths.clone(),
        };
        let describing =
            Self { service: service.name, url, paths, said: watch::Sender::new(nothing) };
        describing.renew(rules);
        describing
    }

    /// Says what these rules make of the service, where it differs from what was said before.
    pub fn renew(&self, rules: &Ruleset) {
        let public = rules.processes().filter(|one| records::is_public(&one.process));
        let processes = public.map(|definition| ProcessDescriptor {
            process: definition.process.clone(),
            collection: definition.collection.clone(),
            prefix: definition.prefix.clone(),
            roles: definition.role_names(),
        });
        let now = Descriptor {
            service: self.service.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            url: self.url.clone(),
            processes: processes.collect(),
            paths: self.paths.clone(),
        };
        self.said.send_if_modified(|before| {
            let is_other = *before != now;
            if is_other {
                *before = now;
            }
            is_other
        });
    }

    pub fn said(&self) -> watch::Receiver<Descriptor> {
        self.said.subscribe()
    }
}

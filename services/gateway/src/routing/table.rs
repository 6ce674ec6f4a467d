//! Who owns which collection, worked out from what the services say of themselves.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use contract::Descriptor;

use super::Upstream;

/// A service that can be asked.
#[derive(Debug)]
pub struct Destination {
    pub service: String,
    pub upstream: Upstream,
}

/// One consistent view of all services.
#[derive(Debug, Default)]
pub struct Table {
    descriptors: BTreeMap<String, Descriptor>,
    destinations: BTreeMap<String, Arc<Destination>>,
    collections: HashMap<String, Arc<Destination>>,
    processes: HashMap<String, Arc<Destination>>,
    /// Longest first.
    paths: Vec<(String, Arc<Destination>)>,
}

impl Table {
    /// Configured addresses go before those that services give of themselves.
    #[must_use]
    pub fn new(
        descriptors: BTreeMap<String, Descriptor>,
        configured: &BTreeMap<String, Upstream>,
    ) -> Self {
        let mut table = Self::default();
        for (service, descriptor) in &descriptors {
            let given =
                || (!descriptor.url.is_empty()).then(|| Upstream::Http(descriptor.url.clone()));
            let Some(upstream) = configured.get(service).cloned().or_else(given) else {
                tracing::warn!(service, "a service says no address, and none is configured");
                continue;
            };
            let destination = Arc::new(Destination { service: service.clone(), upstream });
            for process in &descriptor.processes {
                claim(&mut table.collections, &process.collection, &destination);
                claim(&mut table.processes, &process.process, &destination);
            }
            let paths = descriptor.paths.iter().map(|path| path.trim_matches('/').to_owned());
            table.paths.extend(paths.map(|path| (path, destination.clone())));
            table.destinations.insert(service.clone(), destination);
        }
        table.paths.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        table.descriptors = descriptors;
        table
    }

    /// Who answers a path below `/api/v1/`.
    #[must_use]
    pub fn owner(&self, path: &str) -> Option<&Arc<Destination>> {
        let below = |prefix: &str| {
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if let Some((_, destination)) = self.paths.iter().find(|(prefix, _)| below(prefix)) {
            return Some(destination);
        }
        let mut segments = path.split('/');
        match segments.next()? {
            "processes" => self.processes.get(segments.next()?),
            // What runs, by its name; else what is offered, a collection like any other.
            services @ "services" => {
                let running = segments.next().and_then(|name| self.destinations.get(name));
                running.or_else(|| self.collections.get(services))
            }
            collection => self.collections.get(collection),
        }
    }

    /// The collection of a record's number, `incidents` of `INC0000042`, and who owns it.
    #[must_use]
    pub fn of_number(&self, number: &str) -> Option<(&str, &Arc<Destination>)> {
        let prefix = number.trim_end_matches(|symbol: char| symbol.is_ascii_digit());
        let mut processes = self.descriptors.values().flat_map(|descriptor| &descriptor.processes);
        let process = processes.find(|process| process.prefix == prefix)?;
        Some((&process.collection, self.collections.get(&process.collection)?))
    }

    /// Every service that can be asked, by name.
    pub fn destinations(&self) -> impl Iterator<Item = &Arc<Destination>> {
        self.destinations.values()
    }

    /// All that is known, by service.
    #[must_use]
    pub fn descriptors(&self) -> &BTreeMap<String, Descriptor> {
        &self.descriptors
    }

    /// Every role that a definition of any service names.
    #[must_use]
    pub fn roles(&self) -> BTreeSet<String> {
        let processes = self.descriptors.values().flat_map(|descriptor| &descriptor.processes);
        processes.flat_map(|process| process.roles.iter().cloned()).collect()
    }
}

/// A name belongs to one service; the second to claim it is passed over, loudly.
fn claim(
    owners: &mut HashMap<String, Arc<Destination>>,
    name: &str,
    destination: &Arc<Destination>,
) {
    if let Some(owner) = owners.get(name) {
        let (owner, claimant) = (&owner.service, &destination.service);
        tracing::error!(name, owner, claimant, "two services claim the same name");
        return;
    }
    owners.insert(name.to_owned(), destination.clone());
}

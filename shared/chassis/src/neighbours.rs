//! Whose numbers are whose: the services that one hears, as they describe themselves on the bus.

use std::{collections::BTreeSet, time::Duration};

use bus::{Bus, Descriptors};
use contract::subject;
use tokio::sync::watch;

/// How long a question waits for neighbours that have not described themselves yet.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is known of the services that a service hears. Without a bus nothing is.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    /// Their streams.
    heard: BTreeSet<String>,
    told: Option<watch::Receiver<Descriptors>>,
}

impl Neighbours {
    /// Those whose streams are heard.
    #[must_use]
    pub fn hearing(streams: impl IntoIterator<Item = String>, bus: Option<&Bus>) -> Self {
        let alerts = subject::ALERTS_STREAM;
        let heard: BTreeSet<_> = streams.into_iter().filter(|stream| stream != alerts).collect();
        let told = bus.filter(|_| !heard.is_empty()).map(Bus::watch_descriptors);
        Self { heard, told }
    }

    /// The process of a neighbour that a number is of: `SVC0000003` to `service`.
    pub async fn process_of(&self, number: &str) -> Option<String> {
        let prefix = number.trim_end_matches(|symbol: char| symbol.is_ascii_digit());
        if prefix.len() == number.len() {
            return None;
        }
        let mut told = self.told.clone()?;
        let all_told = |known: &Descriptors| {
            let told: BTreeSet<_> = known.keys().map(|service| subject::stream(service)).collect();
            self.heard.is_subset(&told)
        };
        // Whoever has not come up by then is as good as not there.
        let _ = tokio::time::timeout(PATIENCE, told.wait_for(all_told)).await;
        let known = told.borrow();
        let heard =
            known.iter().filter(|(service, _)| self.heard.contains(&subject::stream(service)));
        let mut processes = heard.flat_map(|(_, descriptor)| &descriptor.processes);
        processes.find(|process| process.prefix == prefix).map(|process| process.process.clone())
    }
}

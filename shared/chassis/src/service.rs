//! A service as its own table of contents, and what starts it.

mod catalogue;
mod desk;
mod glue;
mod retries;
mod running;
mod start;
mod timers;
mod upkeep;

use std::sync::Arc;

use axum::Router;
use engine::Happening;
use serde_json::Value;
use store::Step;

use crate::Office;

pub use running::Running;
pub use start::{dress, open, start};

/// What a service is made of. Nothing runs until [`crate::start`].
pub struct Service {
    pub name: &'static str,
    pub(crate) processes: Vec<(&'static str, &'static str)>,
    pub(crate) schemes: Vec<(&'static str, &'static str)>,
    pub(crate) hears: Vec<Hears>,
    pub(crate) routes: Vec<Routes>,
    pub(crate) paths: Vec<String>,
    pub(crate) documents: Vec<Value>,
    pub(crate) opened_elsewhere: Vec<&'static str>,
}

/// Endpoints beyond the record API, made once the service's office is there.
pub(crate) type Routes = Box<dyn FnOnce(&Office) -> Router + Send>;

/// A stream that the service consumes.
pub(crate) struct Hears {
    /// `INCIDENT`, `ALERTS`
    pub stream: String,
    /// The durable consumer's name, which never changes: a new one would hear all history again.
    pub consumer: &'static str,
    pub reading: Reading,
}

/// How a message becomes something that definitions react to.
#[derive(Clone)]
pub(crate) enum Reading {
    /// An event of a record of another service.
    Event,
    /// Something else, in the service's own words.
    Translated(Translate),
}

/// Reads the payload of a message that is no record's event; a sentence says why it cannot.
pub type Translate = Arc<dyn Fn(&Office, &[u8]) -> Result<Heard, String> + Send + Sync>;

/// What a message says, and how its fate is counted.
#[derive(Clone, Debug)]
pub struct Heard {
    pub happening: Happening,
    /// The countable fate, from what the message did here.
    pub outcome: fn(&[Step]) -> String,
}

impl Service {
    /// A service without processes.
    #[must_use]
    pub fn named(name: &'static str) -> Self {
        Self {
            name,
            processes: Vec::new(),
            schemes: Vec::new(),
            hears: Vec::new(),
            routes: Vec::new(),
            paths: Vec::new(),
            documents: Vec::new(),
            opened_elsewhere: Vec::new(),
        }
    }

    /// Runs the process in `text`, a file called `incident.v1.yaml`.
    #[must_use]
    pub fn process(mut self, file: &'static str, text: &'static str) -> Self {
        self.processes.push((file, text));
        self
    }

    /// Knows the scheme in `text`, a file called `priority.v1.yaml`.
    #[must_use]
    pub fn scheme(mut self, file: &'static str, text: &'static str) -> Self {
        self.schemes.push((file, text));
        self
    }

    /// Lets its processes react to the events of another service.
    #[must_use]
    pub fn hears(mut self, service: &str, consumer: &'static str) -> Self {
        let stream = contract::subject::stream(service);
        self.hears.push(Hears { stream, consumer, reading: Reading::Event });
        self
    }

    /// Takes what monitoring tools say, which `translate` puts in the words of the definitions.
    #[must_use]
    pub fn hears_alerts(
        mut self,
        consumer: &'static str,
        translate: impl Fn(&Office, &[u8]) -> Result<Heard, String> + Send + Sync + 'static,
    ) -> Self {
        let reading = Reading::Translated(Arc::new(translate));
        let stream = contract::subject::ALERTS_STREAM.to_owned();
        self.hears.push(Hears { stream, consumer, reading });
        self
    }

    /// Endpoints beyond the record API, behind the same identity. `paths` are their prefixes under
    /// `/api/v1` (`intake/totals`), by which the gateway finds them; `document` is their part of the
    /// OpenAPI document, `{"paths":{…},"components":{…}}`.
    #[must_use]
    pub fn routes(
        mut self,
        paths: &[&str],
        document: Value,
        make: impl FnOnce(&Office) -> Router + Send + 'static,
    ) -> Self {
        self.paths.extend(paths.iter().map(|path| (*path).to_owned()));
        self.documents.push(document);
        self.routes.push(Box::new(make));
        self
    }

    /// Leaves `POST /api/v1/{collection}` of a process to the service's own routes.
    #[must_use]
    pub fn opens_itself(mut self, process: &'static str) -> Self {
        self.opened_elsewhere.push(process);
        self
    }
}

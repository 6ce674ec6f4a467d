//! A service as its own table of contents, and what starts it.

pub(crate) mod catalogue;
mod checking;
pub(crate) mod checkpoints;
pub(crate) mod describing;
mod desk;
pub(crate) mod following;
mod glue;
mod retries;
mod running;
mod start;
mod ties;
mod timers;
mod upkeep;

use std::sync::Arc;

use axum::Router;
use contract::Envelope;
use engine::{Calculation, Calculations, Happening};
use futures::future::BoxFuture;
use serde_json::Value;
use store::{Counting, Countings, Setback, Step};

use crate::{
    Office,
    office::{Show, Shows},
};

pub use checking::{Draft, check};
pub use running::Running;
pub use start::{dress, open, prepare, start};

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
    pub(crate) calculations: Calculations,
    pub(crate) shows: Shows,
    pub(crate) countings: Countings,
}

/// Endpoints beyond the record API, made once the service's office is there.
pub(crate) type Routes = Box<dyn FnOnce(&Office) -> Router + Send>;

/// A stream that the service consumes.
pub(crate) struct Hears {
    /// `INCIDENT`, `ALERTS`
    pub stream: String,
    /// The consumer's name, which never changes: a new one would hear all history again.
    pub consumer: &'static str,
    pub reading: Reading,
}

/// How a message becomes something that definitions react to.
#[derive(Clone)]
pub(crate) enum Reading {
    /// An event of a record of another service.
    Event,
    /// Events of records of another service, in the service's own words.
    Interpreted(Arc<dyn Interpret>),
    /// Something else, in the service's own words.
    Translated(Translate),
}

/// Reads the payload of a message that is no record's event; a sentence says why it cannot.
pub type Translate = Arc<dyn Fn(&Office, &[u8]) -> Result<Heard, String> + Send + Sync>;

/// Puts the events of another service in the words of this one's definitions, where one event is
/// several things to them, or none. Asked of all that were delivered at once, in their order.
pub trait Interpret: Send + Sync {
    /// What each event says here; nothing for one that concerns nobody, a sentence for one that
    /// cannot be understood.
    ///
    /// # Errors
    /// When what is needed to understand them cannot be read now: they are all delivered again.
    fn interpret<'a>(
        &'a self,
        office: &'a Office,
        events: &'a [Envelope],
    ) -> BoxFuture<'a, Result<Vec<Said>, Setback>>;
}

/// What one event says here: several things or nothing; or why it cannot be understood.
pub type Said = Result<Vec<Happening>, String>;

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
            calculations: Calculations::new(),
            shows: Shows::new(),
            countings: Countings::new(),
        }
    }

    /// What files are checked against, before there is a service.
    pub(crate) fn checking(
        schemes: &[(&'static str, &'static str)],
        calculations: &Calculations,
    ) -> Self {
        let (schemes, calculations) = (schemes.to_vec(), calculations.clone());
        Self { schemes, calculations, ..Self::named("") }
    }

    /// Runs these processes: the name of each file, `incident.v1.yaml`, and its text.
    #[must_use]
    pub fn processes(
        mut self,
        files: impl IntoIterator<Item = (&'static str, &'static str)>,
    ) -> Self {
        self.processes.extend(files);
        self
    }

    /// Knows these schemes: the name of each file, `priority.v1.yaml`, and its text.
    #[must_use]
    pub fn schemes(
        mut self,
        files: impl IntoIterator<Item = (&'static str, &'static str)>,
    ) -> Self {
        self.schemes.extend(files);
        self
    }

    /// Lets its processes react to the events of another service.
    #[must_use]
    pub fn hears(mut self, service: &str, consumer: &'static str) -> Self {
        let stream = contract::subject::stream(service);
        self.hears.push(Hears { stream, consumer, reading: Reading::Event });
        self
    }

    /// Takes the events of another service as `interpret` understands them.
    #[must_use]
    pub fn interprets(
        mut self,
        service: &str,
        consumer: &'static str,
        interpret: impl Interpret + 'static,
    ) -> Self {
        let reading = Reading::Interpreted(Arc::new(interpret));
        let stream = contract::subject::stream(service);
        self.hears.push(Hears { stream, consumer, reading });
        self
    }

    /// Lets definitions call the service's own code by its name: `calculate('name', …)`.
    #[must_use]
    pub fn calculates(
        mut self,
        named: impl IntoIterator<Item = (&'static str, Calculation)>,
    ) -> Self {
        self.calculations.extend(named);
        self
    }

    /// Brings the records of a process up to the moment whenever one is shown.
    #[must_use]
    pub fn shows(mut self, process: &'static str, show: Show) -> Self {
        self.shows.insert(process, show);
        self
    }

    /// Keeps totals of a process: what each of its records counts as.
    #[must_use]
    pub fn counts(mut self, process: &'static str, counting: Counting) -> Self {
        self.countings.insert(process, counting);
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

//! Which agreement applies to a record: decided by service, customer and the moment of its opening.

use chrono::{DateTime, Utc};
use engine::{Record, Schemes};
use serde::Deserialize;
use serde_json::Value;

use crate::terms::{Target, Terms};

/// An agreement that was active once, as far as clocks need it.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    pub id: String,
    /// `SLA0000001`
    pub number: String,
    pub version: i64,
    pub kind: String,
    pub service: Option<String>,
    pub customer: Option<String>,
    pub from: DateTime<Utc>,
    pub until: Option<DateTime<Utc>>,
    /// When it became active here, whatever it is valid from.
    pub since: DateTime<Utc>,
    pub targets: Vec<Target>,
}

#[derive(Deserialize)]
struct View {
    kind: String,
    version: i64,
    service: Option<String>,
    customer: Option<String>,
    valid_from: DateTime<Utc>,
    valid_until: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    activated_at: Option<DateTime<Utc>>,
    targets: Vec<Target>,
}

impl Agreement {
    /// Reads an agreement's record.
    ///
    /// # Errors
    /// A sentence, when its data is not what the definition asks for.
    pub fn of(record: &Record) -> Result<Self, String> {
        let view: View = serde_json::from_value(Value::Object(record.data.clone()))
            .map_err(|fault| format!("{}: {fault}", record.number))?;
        Ok(Self {
            id: record.id.to_string(),
            number: record.number.clone(),
            version: view.version,
            kind: view.kind,
            service: view.service,
            customer: view.customer,
            from: view.valid_from,
            until: [view.valid_until, view.ended_at].into_iter().flatten().min(),
            since: view.activated_at.unwrap_or(view.valid_from),
            targets: view.targets,
        })
    }

    fn applies(&self, service: Option<&str>, customer: Option<&str>, at: DateTime<Utc>) -> bool {
        let fits = |agreed: &Option<String>, asked: Option<&str>| {
            agreed.as_deref().is_none_or(|agreed| Some(agreed) == asked)
        };
        fits(&self.service, service)
            && fits(&self.customer, customer)
            && self.from <= at
            && self.until.is_none_or(|until| at < until)
    }

    /// What it says of a target of a process.
    #[must_use]
    pub fn target(&self, process: &str, name: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.process == process && target.name == name)
    }

    /// The terms that a clock keeps of one of its targets.
    #[must_use]
    pub fn terms(&self, target: &Target, schemes: &Schemes) -> Terms {
        Terms {
            agreement: self.id.clone(),
            number: self.number.clone(),
            version: self.version,
            target: target.clone(),
            calendars: target.calendars_now(schemes),
        }
    }
}

/// All agreements that were active once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Agreements(pub Vec<Agreement>);

impl Agreements {
    /// The agreement of a kind for a record that was opened then: one for both service and customer
    /// goes before one for the service, that before one for the customer, that before one for all;
    /// of equals the one that began last. Later versions leave what was opened before them alone.
    #[must_use]
    pub fn applying(
        &self,
        kind: &str,
        service: Option<&str>,
        customer: Option<&str>,
        opened_at: DateTime<Utc>,
    ) -> Option<&Agreement> {
        self.0
            .iter()
            .filter(|agreement| agreement.kind == kind)
            .filter(|agreement| agreement.applies(service, customer, opened_at))
            .max_by_key(|agreement| {
                let place = (agreement.service.is_some(), agreement.customer.is_some());
                (place, agreement.from, agreement.number.as_str())
            })
    }

    /// The targets that measure a process.
    pub fn targets(&self, process: &str) -> impl Iterator<Item = &Target> {
        let targets = self.0.iter().flat_map(|agreement| &agreement.targets);
        targets.filter(move |target| target.process == process)
    }

    /// From when on something was promised of a process, so that its records are listened to.
    #[must_use]
    pub fn since(&self, process: &str) -> Option<DateTime<Utc>> {
        let measures = |agreement: &&Agreement| {
            agreement.targets.iter().any(|target| target.process == process)
        };
        self.0.iter().filter(measures).map(|agreement| agreement.since).min()
    }

    /// The targets of a kind that measure a process, whosoever's they are.
    pub fn known<'a>(
        &'a self,
        kind: &'a str,
        process: &'a str,
    ) -> impl Iterator<Item = &'a Target> + 'a {
        let of_kind = self.0.iter().filter(move |agreement| agreement.kind == kind);
        of_kind
            .flat_map(|agreement| &agreement.targets)
            .filter(move |target| target.process == process)
    }
}

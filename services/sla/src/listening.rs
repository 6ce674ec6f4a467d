//! What the events of other services mean to clocks: moments, one for each target that they concern.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use chassis::{Interpret, Office, Said};
use chrono::{DateTime, Utc};
use contract::Envelope;
use engine::{Filter, Happening, Record, Schemes};
use futures::future::BoxFuture;
use kernel::Reader;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::{PAGE_LIMIT, Query, Setback};
use uuid::Uuid;

use crate::{
    agreements::{Agreement, Agreements},
    case::Moment,
    terms::Target,
};

/// What the clock definition hears of a record that is measured.
const MOVED: &str = "measured.moved.v1";
/// Agreements that clocks may be under; those before were never active.
const ONCE_ACTIVE: &str =
    "record.state in ['active', 'under_review', 'superseded', 'expired', 'terminated']";
const KINDS: [&str; 3] = ["sla", "ola", "contract"];

/// The data of a neighbour's event, as far as clocks need it.
#[derive(Clone, Debug, Deserialize)]
pub struct Neighbour {
    pub record: NeighboursRecord,
    /// `held`
    pub event: String,
    /// When it happened.
    pub at: DateTime<Utc>,
    pub from: Option<String>,
    /// `import` for what was brought in from elsewhere.
    #[serde(default)]
    pub channel: Option<String>,
    /// Field to old and new value.
    #[serde(default)]
    pub changes: BTreeMap<String, (Value, Value)>,
}

/// The record after the event.
#[derive(Clone, Debug, Deserialize)]
pub struct NeighboursRecord {
    pub id: Uuid,
    pub number: String,
    pub process: String,
    pub state: String,
    pub rev: u64,
    pub opened_at: DateTime<Utc>,
    pub data: Map<String, Value>,
}

impl Neighbour {
    fn is_opening(&self) -> bool {
        self.event == "opened"
    }

    /// A field as conditions name it.
    fn now(&self, field: &str) -> Value {
        match field {
            "event" => json!(self.event),
            "state" => json!(self.record.state),
            field => self.record.data.get(field).cloned().unwrap_or_default(),
        }
    }

    /// The same before the event.
    fn before(&self, field: &str) -> Value {
        match (field, self.changes.get(field)) {
            ("state", _) if self.is_opening() => Value::Null,
            ("state", _) => self.from.as_ref().map_or_else(|| self.now(field), |from| json!(from)),
            (_, Some((old, _))) => old.clone(),
            (_, None) => self.now(field),
        }
    }

    /// Whether all that happened to the record before is known here: it was opened after something was
    /// promised of its process, or is brought in with its past.
    fn is_known_from_its_opening(&self, all: &Agreements) -> bool {
        let since = all.since(&self.record.process);
        self.is_opening()
            || self.channel.as_deref() == Some("import")
            || since.is_some_and(|since| since <= self.record.opened_at)
    }

    fn agreement<'a>(&self, all: &'a Agreements, kind: &str, then: Then) -> Option<&'a Agreement> {
        let field = |name| match then {
            Then::Now => self.now(name),
            Then::Before => self.before(name),
        };
        let (service, customer) = (field("service"), field("customer"));
        all.applying(kind, service.as_str(), customer.as_str(), self.record.opened_at)
    }

    /// Whether an event can change a clock of the target: it is named, or a field of a condition takes
    /// or leaves a value that the condition names; or whether it changes what the target keeps.
    fn concerns(&self, target: &Target) -> bool {
        (self.is_opening() && target.starts.is_empty())
            || target.names_event(&self.event)
            || target.keeps.iter().any(|field| self.before(field) != self.now(field))
            || target.named_values().any(|(field, value)| {
                field != "event" && (self.before(field) == *value) != (self.now(field) == *value)
            })
    }
}

#[derive(Clone, Copy)]
enum Then {
    Before,
    Now,
}

/// Fields that a clock shows of its record, whether a condition asks for them or not.
const SHOWN: [&str; 3] = ["service", "customer", "priority"];

/// What an event says to the clock definition, in no particular order. Pure.
#[must_use]
pub fn heard(
    event: &Neighbour,
    kind: &str,
    visible_to: &[String],
    agreements: &Agreements,
    schemes: &Schemes,
) -> Vec<Happening> {
    let record = &event.record;
    let asked: BTreeSet<&str> =
        agreements.targets(&record.process).flat_map(Target::fields).collect();
    let fields: Map<String, Value> = asked
        .into_iter()
        .chain(["event", "state"])
        .map(|field| (field.to_owned(), event.now(field)))
        .collect();
    let decides =
        ["service", "customer"].iter().any(|field| event.before(field) != event.now(field));
    let begins = event.is_known_from_its_opening(agreements);
    let mut happenings = Vec::new();
    for agreed in KINDS {
        let now = event.agreement(agreements, agreed, Then::Now);
        let before = match event.is_opening() {
            true => None,
            false => event.agreement(agreements, agreed, Then::Before),
        };
        let is_moved = now.map(|now| &now.id) != before.map(|before| &before.id);
        let is_shown = SHOWN.iter().any(|field| event.before(field) != event.now(field));
        // Of every target there is, because service or customer may yet change: whose agreement does
        // not apply is cancelled until it does, and knows what happened before.
        let known: Vec<&Target> = agreements.known(agreed, &record.process).collect();
        let names: BTreeSet<&str> = known.iter().map(|target| target.name.as_str()).collect();
        for name in names {
            let target = now.and_then(|now| now.target(&record.process, name));
            let former = before.and_then(|before| before.target(&record.process, name));
            let is_changed = !event.is_opening() && (is_moved || is_shown);
            let concerns = |target: &Target| event.concerns(target);
            let is_concerned = match (target, former) {
                (None, None) => known.iter().any(|known| known.name == name && concerns(known)),
                (target, former) => target.is_some_and(concerns) || former.is_some_and(concerns),
            };
            if !is_changed && !is_concerned {
                continue;
            }
            let terms = now.zip(target).map(|(now, target)| now.terms(target, schemes));
            let moment = Moment {
                at: event.at,
                rev: record.rev,
                kind: kind.to_owned(),
                fields: fields.clone(),
                under: terms.as_ref().map(|terms| terms.agreement.clone()),
                decides: event.is_opening() || decides,
            };
            let event = json!({
                "key": format!("{}/{agreed}/{name}", record.id),
                "of": record.id,
                "of_number": record.number,
                "of_process": record.process,
                "kind": agreed,
                "target": name,
                "service": event.now("service"),
                "customer": event.now("customer"),
                "priority": event.now("priority"),
                "visible_to": visible_to,
                "begins": begins,
                "moment": moment,
                "terms": terms,
            });
            happenings.push(Happening { kind: MOVED.to_owned(), event, record: None });
        }
    }
    happenings
}

/// Hears the neighbours, with the agreements at hand as they were when any of them last changed.
#[derive(Default)]
pub(crate) struct Listening {
    known: Mutex<Known>,
}

#[derive(Clone, Default)]
struct Known {
    /// The agreement that changed last, and its revision.
    last: Option<(Uuid, u64)>,
    agreements: Arc<Agreements>,
}

impl Listening {
    /// Asks for the latest change only, and reads all where there is one.
    async fn agreements(&self, office: &Office) -> Result<Arc<Agreements>, Setback> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let newest = Query { limit: 1, ..Query::of("agreement") };
        let newest = office.store.list(&newest, &Reader::Everything).await?.items;
        let last = newest.first().map(|record| (record.id, record.revision));
        if last == known.last {
            return Ok(known.agreements);
        }
        let agreements = Arc::new(all(office).await?);
        let fresh = Known { last, agreements: Arc::clone(&agreements) };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(agreements)
    }
}

/// Every agreement that was active once.
pub(crate) async fn all(office: &Office) -> Result<Agreements, Setback> {
    let mut agreements = Vec::new();
    for record in once_active(office).await? {
        match Agreement::of(&record) {
            Ok(agreement) => agreements.push(agreement),
            Err(fault) => tracing::error!(fault, "an agreement is passed over"),
        }
    }
    Ok(Agreements(agreements))
}

/// The same as records.
pub(crate) async fn once_active(office: &Office) -> Result<Vec<Record>, Setback> {
    let active = |definition| Filter::parse(definition, ONCE_ACTIVE);
    let filter = office.rules().process("agreement").map(active).transpose()?;
    let mut query = Query { filter, limit: PAGE_LIMIT, ..Query::of("agreement") };
    let mut records = Vec::new();
    loop {
        let page = office.store.list(&query, &Reader::Everything).await?;
        records.extend(page.items);
        query.cursor = page.next;
        if query.cursor.is_none() {
            return Ok(records);
        }
    }
}

impl Interpret for Listening {
    fn interpret<'a>(
        &'a self,
        office: &'a Office,
        events: &'a [Envelope],
    ) -> BoxFuture<'a, Result<Vec<Said>, Setback>> {
        Box::pin(async move {
            let agreements = self.agreements(office).await?;
            let rules = office.rules();
            let said = events.iter().map(|event| said(event, &agreements, rules.schemes()));
            Ok(said.collect())
        })
    }
}

fn said(event: &Envelope, agreements: &Agreements, schemes: &Schemes) -> Said {
    let process = event.kind.split('.').next().unwrap_or_default();
    // Most of what a neighbour says is of no process that anything was promised of.
    if agreements.targets(process).next().is_none() {
        return Ok(Vec::new());
    }
    let data = engine::strict_json(&event.data).map_err(|fault| fault.to_string())?;
    let neighbour: Neighbour = serde_json::from_value(data).map_err(|fault| fault.to_string())?;
    Ok(heard(&neighbour, &event.kind, &event.audience, agreements, schemes))
}

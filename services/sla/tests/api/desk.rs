//! A running service whose time passes only when it is told, on every database that it runs on.

use std::sync::Arc;

use chassis::{Config, Platform, Running, Signer, Verifier, start};
use engine::Record;
use kernel::{Actor, Cause, Channel, Clock};
use serde_json::{Value, json};
use sla::{Agreement, Agreements, Neighbour, heard};
use store::{Act, Target};
use tempfile::TempDir;
use uuid::Uuid;

use crate::case::{at, resolution, schemes};

/// Each test once on SQLite and once on PostgreSQL, under `sqlite::` and `postgres::`.
macro_rules! everywhere {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                crate::desk::on_sqlite(super::$name).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                crate::desk::on_postgres(super::$name).await;
            })*
        }
    };
}
pub(crate) use everywhere;

/// Where a test's database is.
pub struct Site {
    /// Nothing for a file of SQLite in the folder.
    url: String,
    folder: TempDir,
    clock: Clock,
}

impl Site {
    fn at(url: String) -> Self {
        let clock = Clock::manual(at("2026-03-02T08:00:00Z"));
        Self { url, folder: tempfile::tempdir().unwrap(), clock }
    }

    /// A replica of the service; all of one site share its database and its clock.
    pub async fn replica(&self) -> Running {
        let data = self.folder.path().display().to_string();
        let given = [("service.data_dir", data), ("database.url", self.url.clone())];
        let config = Config::of(&given).unwrap();
        let verifier = Verifier::new(&Signer::ephemeral().unwrap().public_key());
        let platform = Platform { clock: self.clock.clone(), bus: None, verifier, listen: None };
        start(sla::service(), &config, &platform).await.unwrap()
    }
}

pub async fn on_sqlite(test: impl AsyncFnOnce(&Site)) {
    test(&Site::at(String::new())).await;
}

/// On a scratch database, where there is a PostgreSQL.
pub async fn on_postgres(test: impl AsyncFnOnce(&Site)) {
    let Some(scratch) = testkit::Postgres::scratch().await else { return };
    test(&Site::at(scratch.url.clone())).await;
}

pub const INCIDENT: Uuid = Uuid::from_u128(0x0192_f0c1_0000_7000_8000_0000_0000_0001);

/// The id of one of many incidents.
pub fn incident_of(place: u8) -> Uuid {
    Uuid::from_u128(u128::from(place) + 1)
}

/// A service whose time passes only when it is told, and whose timers fire only when it settles.
pub struct Desk {
    pub running: Running,
    pub clock: Clock,
    pub agreements: Agreements,
    count: u128,
}

impl Desk {
    pub async fn open(site: &Site) -> Self {
        let running = site.replica().await;
        let clock = site.clock.clone();
        let agreement = Agreement {
            id: "A".to_owned(),
            number: "SLA0000001".to_owned(),
            version: 1,
            kind: "sla".to_owned(),
            service: None,
            customer: None,
            from: at("2026-01-01T00:00:00Z"),
            until: None,
            since: at("2026-01-01T00:00:00Z"),
            targets: vec![resolution()],
        };
        let agreements = Agreements(vec![agreement]);
        Self { running, clock, agreements, count: 0 }
    }

    /// The service hears one event of the incident now.
    pub async fn hears(&mut self, event: &Neighbour) -> usize {
        self.count += 1;
        let kind = format!("incident.{}.v1", event.event);
        let said = heard(event, &kind, &["role:agent".to_owned()], &self.agreements, schemes());
        let actor = Arc::new(Actor::system("sla"));
        let cause =
            Cause::new(Uuid::from_u128(self.count), actor, self.clock.now(), Channel::Event);
        let act = Act::new(cause, Target::Events(said), Vec::new());
        self.running.office.store.act(act).await.unwrap().steps.len()
    }

    /// The same of another incident.
    pub async fn hears_of(&mut self, incident: u8, event: &Neighbour) -> usize {
        let mut event = event.clone();
        event.record.id = incident_of(incident);
        self.hears(&event).await
    }

    pub async fn clock(&self) -> Record {
        self.clock_of(INCIDENT).await
    }

    /// The clock of another incident.
    pub async fn clock_of(&self, incident: Uuid) -> Record {
        let key = format!("{incident}/sla/resolution");
        self.running.office.store.held("clock", &key).await.unwrap().expect("there is a clock")
    }

    /// What was said of the clock, in order.
    pub async fn said(&self) -> Vec<String> {
        let store = &self.running.office.store;
        let history = store.history(self.clock().await.id, 0, 500).await.unwrap();
        let name = |kind: &str| kind.split('.').nth(1).unwrap_or_default().to_owned();
        history.iter().map(|entry| name(&entry.kind)).collect()
    }
}

pub fn event(rev: u64, when: &str, name: &str, from: Value, state: &str, data: Value) -> Neighbour {
    let event = json!({
        "record": {
            "id": INCIDENT, "number": "INC0000001", "process": "incident", "state": state,
            "rev": rev, "opened_at": "2026-03-02T08:00:00Z", "data": data,
        },
        "event": name, "at": when, "from": from,
    });
    serde_json::from_value(event).unwrap()
}

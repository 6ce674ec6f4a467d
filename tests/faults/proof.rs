//! What must hold after any fault: every promise is kept, and nothing is there twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use acceptance::{Door, until};
use serde_json::Value;
use testkit::Nats;

use crate::load::{GROUPS, Promises, revision};

/// How long reactions may take to catch up on a busy machine.
const CAUGHT_UP: Duration = Duration::from_secs(120);

/// Checks all promises against what `agent` sees.
pub async fn holds(agent: &Door, promises: &Promises) {
    assert!(!promises.incidents.is_empty() && !promises.alerts.is_empty(), "there was load");
    until("every accepted alert has its record", CAUGHT_UP, || async {
        let there = fingerprints(&agent.all("/api/v1/alerts", "").await);
        promises.alerts.iter().all(|fingerprint| there.contains(fingerprint))
    })
    .await;
    alerts_are_there_once(&agent.all("/api/v1/alerts", "").await);
    let incidents = agent.all("/api/v1/incidents", "").await;
    incidents_are_there_once(&incidents, promises);
    for incident in &incidents {
        history_is_whole(agent, incident).await;
    }
}

/// An alert's key ends with the fingerprint that its sender gave it.
fn fingerprints(alerts: &[Value]) -> BTreeSet<String> {
    let keys = alerts.iter().filter_map(|alert| alert["data"]["key"].as_str());
    keys.filter_map(|key| key.rsplit('/').next()).map(str::to_owned).collect()
}

fn alerts_are_there_once(alerts: &[Value]) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for alert in alerts {
        let key = alert["data"]["key"].as_str().expect("an alert has a key");
        *seen.entry(key).or_default() += 1;
    }
    let doubled: Vec<_> = seen.iter().filter(|(_, count)| **count > 1).collect();
    assert!(doubled.is_empty(), "alerts that are there twice: {doubled:?}");
}

fn incidents_are_there_once(incidents: &[Value], promises: &Promises) {
    let mut by_number = BTreeMap::new();
    let mut external_ids = BTreeSet::new();
    let mut of_alerts = 0;
    for incident in incidents {
        let number = incident["number"].as_str().expect("a record has a number");
        assert!(by_number.insert(number, incident).is_none(), "{number} is there twice");
        match incident["data"]["external_id"].as_str() {
            Some(id) => assert!(external_ids.insert(id), "{id} was opened twice"),
            None => of_alerts += 1,
        }
    }
    assert!(of_alerts <= GROUPS, "{of_alerts} incidents of {GROUPS} groups");
    for promise in &promises.incidents {
        let incident = by_number.get(promise.number.as_str());
        let incident = incident.unwrap_or_else(|| panic!("{promise:?} was opened and is lost"));
        assert_eq!(incident["data"]["external_id"], promise.external_id.as_str());
        assert!(revision(incident) >= promise.revision, "{promise:?} fell back: {incident}");
    }
}

/// Every revision once, in order, up to the record's own.
async fn history_is_whole(agent: &Door, incident: &Value) {
    let number = incident["number"].as_str().expect("a record has a number");
    let history = agent.all(&format!("/api/v1/incidents/{number}/history"), "").await;
    let revisions: Vec<u64> = history.iter().map(revision).collect();
    let whole: Vec<u64> = (1..=revision(incident)).collect();
    assert_eq!(revisions, whole, "{number}");
}

/// On the bus too: every event of every record once, in the record's order, the last one its
/// present revision.
pub async fn stream_is_whole(nats: &Nats, agent: &Door) {
    let bus = nats.bus("acceptance").await;
    let records: BTreeMap<String, u64> = agent
        .all("/api/v1/incidents", "")
        .await
        .iter()
        .map(|record| (record["id"].as_str().unwrap_or_default().to_owned(), revision(record)))
        .collect();
    let revisions = |events: &[bus::Tailed]| {
        let mut by_record: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for tailed in events.iter().filter(|tailed| tailed.event.kind.starts_with("incident.")) {
            let record = tailed.event.record.to_string();
            by_record.entry(record).or_default().push(tailed.event.revision);
        }
        by_record
    };
    until("the relay has caught up", CAUGHT_UP, || async {
        let told = revisions(&acceptance::events(&bus, "incident").await);
        records.iter().all(|(id, last)| told.get(id).is_some_and(|told| told.contains(last)))
    })
    .await;
    let told = revisions(&acceptance::events(&bus, "incident").await);
    for (id, last) in &records {
        let whole: Vec<u64> = (1..=*last).collect();
        assert_eq!(told[id], whole, "{id}");
    }
}

/// What `steward verify` says: no chain is broken, and each record is what its journal tells.
pub fn chains_are_sound((are_sound, said): (bool, String)) {
    assert!(are_sound, "{said}");
    let has_records = |line: &str| line.starts_with("incident: ") && !line.contains(": 0 records");
    assert!(said.lines().any(has_records), "no incident was found:\n{said}");
}

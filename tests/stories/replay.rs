//! The real log of another tool, brought in through the public API with its own times.

use acceptance::{Options, Platform, data};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::servicenow::{self, Incident};

/// Records an import takes at once.
const AT_ONCE: usize = 100;

#[tokio::test]
async fn the_real_log_ends_closed_with_its_own_counters_and_order() {
    let Some(log) = data("servicenow-incidents.csv") else { return };
    let incidents = servicenow::read(&log).expect("the log can be read");
    let platform = Platform::up(Options::default()).await;
    let records = bring_in(&platform, &incidents).await;
    for (one, record) in incidents.iter().zip(&records) {
        assert_eq!(record["state"], "closed", "{}", one.number);
        assert_eq!(record["data"]["reassignments"], one.reassignments, "{}", one.number);
        assert_eq!(record["data"]["reopens"], one.reopens, "{}", one.number);
        assert_eq!(record["data"]["external_id"], one.number);
        follows(one, &history(&platform, record).await);
    }
    let agent = platform.person("Ada", &["agent"]).await;
    let body = json!({ "records": [{ "steps": [] }] });
    assert_eq!(agent.post("/api/v1/incidents/import", &body).await.status, 403);
}

/// Imports the whole log; answers our records, in its order.
pub async fn bring_in(platform: &Platform, incidents: &[Incident]) -> Vec<Value> {
    let mut records = Vec::with_capacity(incidents.len());
    for some in incidents.chunks(AT_ONCE) {
        let wishes: Vec<Value> = some
            .iter()
            .map(|one| json!({ "steps": one.steps.iter().map(|step| step.wish()).collect::<Vec<_>>() }))
            .collect();
        let body = json!({ "records": wishes });
        let answer = platform.door().post("/api/v1/incidents/import", &body).await.good();
        let results = answer["results"].as_array().cloned().unwrap_or_default();
        assert_eq!(results.len(), some.len());
        for (one, result) in some.iter().zip(results) {
            assert_eq!(result["status"], 201, "{}: {result}", one.number);
            records.push(result["record"].clone());
        }
    }
    assert_eq!(records.len(), 445);
    records
}

async fn history(platform: &Platform, record: &Value) -> Vec<Value> {
    let path =
        format!("/api/v1/incidents/{}/history", record["number"].as_str().expect("a number"));
    platform.door().all(&path, "").await
}

/// Each step of the log is one entry of the history, in its order, at its time, implied or not.
fn follows(one: &Incident, history: &[Value]) {
    assert_eq!(history.len(), one.steps.len(), "{}", one.number);
    for (step, entry) in one.steps.iter().zip(history) {
        let at = entry["at"].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok());
        assert_eq!(at, Some(step.occurred_at), "{}: {entry}", one.number);
        assert_eq!(entry["implied"].as_bool().unwrap_or(false), step.implied, "{entry}");
    }
}

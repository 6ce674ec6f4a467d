//! What was promised of an incident: its clocks run, pause, warn, breach once, escalate and say why.

use acceptance::{Door, Options, Platform};
use serde_json::{Value, json};

const AT: &str = "manual:2026-03-02T08:00:00Z";

/// The targets of the catalogue, section 3.2, for the first two priorities.
fn targets() -> Value {
    json!([
        {
            "name": "response", "process": "incident",
            "stops": [{ "event": ["assigned", "started"] }],
            "cancels": [{ "state": ["cancelled"] }],
            "limits": [
                { "when": { "priority": [1] }, "within": "PT15M" },
                { "when": { "priority": [2] }, "within": "PT30M", "calendar": "service_hours" },
            ],
        },
        {
            "name": "resolution", "process": "incident",
            "stops": [{ "state": ["resolved", "closed"] }],
            "reopens": [{ "event": ["reopened"] }],
            "pauses": [{ "state": ["on_hold"], "hold_reason": ["caller"] }],
            "cancels": [{ "state": ["cancelled"] }],
            "limits": [
                { "when": { "priority": [1] }, "within": "PT4H" },
                { "when": { "priority": [2] }, "within": "PT8H", "calendar": "service_hours" },
            ],
            "goal": 95,
        },
    ])
}

/// Who keeps the agreements, and who signs for the customer.
struct Parties {
    manager: Door,
    contact: Door,
    contact_number: Value,
}

impl Parties {
    async fn of(platform: &Platform) -> Self {
        let manager = platform.person("Mona", &["service_level_manager"]).await;
        let contact = platform.person("Carl", &["requester"]).await;
        let persons = platform.door().all("/api/v1/persons", "").await;
        let carl = persons.iter().find(|person| person["data"]["name"] == "Carl");
        let contact_number = carl.expect("he was made")["number"].clone();
        Self { manager, contact, contact_number }
    }

    /// Draws up an agreement and has both parties sign it.
    async fn sign(&self, platform: &Platform, change: Value) -> Value {
        let mut draft = json!({
            "title": "Mail for everybody",
            "customer_contact": self.contact_number,
            "targets": targets(),
            "valid_from": "2026-01-01T00:00:00Z",
        });
        for (name, value) in change.as_object().expect("fields") {
            draft[name] = value.clone();
        }
        let draft = self.manager.post("/api/v1/agreements", &draft).await.good();
        let path = format!("/api/v1/agreements/{}", draft["number"].as_str().expect("a number"));
        let take = async |door: &Door, transition: &str| {
            door.post(&format!("{path}/transitions/{transition}"), &json!({})).await
        };
        let _ = take(&self.manager, "propose").await.good();
        let _ = take(&self.manager, "sign").await.good();
        // Nobody signs for the other side.
        assert_eq!(take(&self.manager, "countersign").await.status, 403);
        let _ = take(&self.contact, "countersign").await.good();
        platform.pass("PT0S").await;
        self.manager.get(&path).await.good()
    }
}

async fn open(agent: &Door, impact: &str) -> Value {
    let body = json!({ "title": "Mail is down", "service": "SVC-MAIL", "impact": impact, "urgency": "high" });
    agent.post("/api/v1/incidents", &body).await.good()
}

async fn take(agent: &Door, incident: &Value, transition: &str, with: Value) {
    let number = incident["number"].as_str().expect("a number");
    let path = format!("/api/v1/incidents/{number}/transitions/{transition}");
    let _ = agent.post(&path, &with).await.good();
}

/// The clock of an incident's target, as the list shows it.
async fn clock(door: &Door, incident: &Value, target: &str) -> Value {
    let of = incident["id"].as_str().expect("an id");
    let filter = format!("?filter=record.of%20%3D%3D%20'{of}'");
    let clocks = door.all("/api/v1/clocks", &filter).await;
    let mut found = clocks.into_iter().filter(|clock| clock["data"]["target"] == target);
    let clock = found.next().unwrap_or_else(|| panic!("there is no clock of {target}"));
    assert!(found.next().is_none(), "there are two clocks of {target}");
    clock
}

/// Why it stands so; and the value on the list is the one on the form and in the explanation.
async fn explained(door: &Door, clock: &Value) -> Value {
    let path = format!("/api/v1/clocks/{}", clock["number"].as_str().expect("a number"));
    let form = door.get(&path).await.good();
    let why = door.get(&format!("{path}/explain")).await.good();
    let running: i64 = why["segments"]
        .as_array()
        .expect("segments")
        .iter()
        .filter(|segment| segment["running"] == true)
        .filter_map(|segment| segment["seconds"].as_i64())
        .sum();
    assert_eq!(why["elapsed_seconds"], running, "{why:#}");
    assert_eq!(form["data"]["elapsed_seconds"], running, "{form:#}");
    assert_eq!(clock["data"]["elapsed_seconds"], running, "{clock:#}");
    assert_eq!(clock["state"], form["state"]);
    assert_eq!(why["reading"]["standing"], form["state"]);
    why
}

/// How often an event of this name is in a record's history.
async fn count(door: &Door, path: &str, event: &str) -> usize {
    let history = door.get(&format!("{path}/history?limit=500")).await.good();
    let items = history["items"].as_array().expect("a history has items");
    items.iter().filter(|item| item["event"] == event).count()
}

/// Proves: INC-4, SLM-4
#[tokio::test]
async fn a_promise_runs_pauses_warns_breaches_once_and_says_why() {
    let platform = Platform::up(Options::default().with(&["--clock", AT])).await;
    let parties = Parties::of(&platform).await;
    let agreement = parties.sign(&platform, json!({})).await;
    assert_eq!(agreement["state"], "active");
    let agent = platform.person("Ada", &["agent"]).await;
    let group = platform.group("Mail").await;

    // 08:00: priority 1, four hours.
    let incident = open(&agent, "high").await;
    platform.pass("PT10M").await;
    take(&agent, &incident, "assign", json!({ "group": group })).await;
    take(&agent, &incident, "start", json!({})).await;
    platform.pass("PT50M").await;
    let response = clock(&agent, &incident, "response").await;
    assert_eq!(response["state"], "met");
    assert_eq!(response["data"]["elapsed_seconds"], 600);
    let running = clock(&agent, &incident, "resolution").await;
    assert_eq!(running["state"], "running");
    assert_eq!(running["data"]["due_at"], "2026-03-02T12:00:00Z");
    assert_eq!(running["data"]["agreement"], agreement["number"]);
    explained(&agent, &running).await;

    // 09:00 to 10:00: the caller is waited for.
    take(&agent, &incident, "hold", json!({ "hold_reason": "caller" })).await;
    platform.pass("PT1H").await;
    let paused = clock(&agent, &incident, "resolution").await;
    assert_eq!(paused["state"], "paused");
    assert_eq!(paused["data"]["elapsed_seconds"], 3_600);
    assert!(paused["data"].get("due_at").is_none_or(Value::is_null));
    take(&agent, &incident, "resume", json!({})).await;

    // 11:00: half is used. 13:00: all of it. Waiting for a supplier stops nothing.
    platform.pass("PT1H").await;
    take(&agent, &incident, "hold", json!({ "hold_reason": "supplier" })).await;
    let warned = clock(&agent, &incident, "resolution").await;
    assert_eq!(warned["data"]["warned"], 50);
    let number = incident["number"].as_str().expect("a number");
    let path = format!("/api/v1/incidents/{number}");
    let told = agent.get(&path).await.good();
    assert!(
        told["data"]["at_risk"].as_str().is_some_and(|said| said.starts_with("50 %")),
        "{told}"
    );
    platform.pass("PT1H59M59S").await;
    assert_eq!(clock(&agent, &incident, "resolution").await["state"], "running");
    platform.pass("PT1S").await;
    let breached = clock(&agent, &incident, "resolution").await;
    assert_eq!(breached["state"], "breached");
    assert_eq!(breached["data"]["breached_at"], "2026-03-02T13:00:00Z");
    platform.pass("PT2H").await;

    // Told before, and told once; and the incident's own process reacted.
    let clocks = format!("/api/v1/clocks/{}", breached["number"].as_str().expect("a number"));
    assert_eq!(count(&agent, &clocks, "breached").await, 1);
    assert_eq!(count(&agent, &clocks, "at_risk").await, 3);
    assert_eq!(count(&agent, &path, "escalated").await, 1);
    let escalated = agent.get(&path).await.good();
    assert_eq!(escalated["data"]["escalations"], 1);
    let why = explained(&agent, &clock(&agent, &incident, "resolution").await).await;
    assert_eq!(why["elapsed_seconds"], 6 * 3_600);
    let reasons: Vec<&str> = why["segments"]
        .as_array()
        .expect("segments")
        .iter()
        .filter_map(|segment| segment["because"].as_str())
        .collect();
    let pause = "paused: hold_reason is caller, state is on_hold";
    assert_eq!(reasons, ["the clock runs", pause, "the clock runs"]);
    assert!(why["sentence"].as_str().is_some_and(|said| said.contains("2 h too long")), "{why}");

    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

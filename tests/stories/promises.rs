//! What stories of promises have in common: who promises what to whom, and how it is kept.

use acceptance::{Door, Platform};
use serde_json::{Value, json};

pub const AT: &str = "manual:2026-03-02T08:00:00Z";

/// The targets of the catalogue, section 3.2, for the first two priorities.
pub fn targets() -> Value {
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
pub struct Parties {
    pub manager: Door,
    pub contact: Door,
    pub contact_number: Value,
}

impl Parties {
    pub async fn of(platform: &Platform) -> Self {
        let manager = platform.person("Mona", &["service_level_manager"]).await;
        let contact = platform.person("Carl", &["requester"]).await;
        let contact_number = number_of(platform, "Carl").await;
        Self { manager, contact, contact_number }
    }

    /// Draws up an agreement and has both parties sign it.
    pub async fn sign(&self, platform: &Platform, change: Value) -> Value {
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

pub async fn open(agent: &Door, impact: &str) -> Value {
    let body = json!({ "title": "Mail is down", "service": "SVC-MAIL", "impact": impact, "urgency": "high" });
    agent.post("/api/v1/incidents", &body).await.good()
}

pub async fn take(agent: &Door, incident: &Value, transition: &str, with: Value) {
    let number = incident["number"].as_str().expect("a number");
    let path = format!("/api/v1/incidents/{number}/transitions/{transition}");
    let _ = agent.post(&path, &with).await.good();
}

/// The clock of an incident's target, as the list shows it.
pub async fn clock(door: &Door, incident: &Value, target: &str) -> Value {
    let of = incident["id"].as_str().expect("an id");
    let filter = format!("?filter=record.of%20%3D%3D%20'{of}'");
    let clocks = door.all("/api/v1/clocks", &filter).await;
    let mut found = clocks.into_iter().filter(|clock| clock["data"]["target"] == target);
    let clock = found.next().unwrap_or_else(|| panic!("there is no clock of {target}"));
    assert!(found.next().is_none(), "there are two clocks of {target}");
    clock
}

/// What was due in March, as one figure of one target.
pub async fn march(door: &Door, target: &str) -> Value {
    let path = format!(
        "/api/v1/clocks/compliance?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z&target={target}"
    );
    let report = door.get(&path).await.good();
    let items = report["items"].as_array().expect("figures");
    assert_eq!(items.len(), 1, "{report:#}");
    items[0].clone()
}

/// Takes an incident from its opening to its resolution after so long.
pub async fn resolved_after(platform: &Platform, agent: &Door, span: &str) -> Value {
    let incident = open(agent, "high").await;
    let group = platform.group("Mail").await;
    take(agent, &incident, "assign", json!({ "group": group })).await;
    take(agent, &incident, "start", json!({})).await;
    platform.pass(span).await;
    let with = json!({ "resolution_code": "fixed", "resolution": "Restarted." });
    take(agent, &incident, "resolve", with).await;
    platform.pass("PT0S").await;
    incident
}

/// A filter as it stands in an address.
pub fn escaped(filter: &str) -> String {
    let escape = |letter: char| match letter {
        ' ' => "%20".to_owned(),
        '&' => "%26".to_owned(),
        '=' => "%3D".to_owned(),
        '<' => "%3C".to_owned(),
        '>' => "%3E".to_owned(),
        '|' => "%7C".to_owned(),
        other => other.to_string(),
    };
    filter.chars().map(escape).collect()
}

/// A figure opens what it counts: how many clocks its filter lists.
pub async fn opened_by(door: &Door, filter: &Value) -> i64 {
    let which = escaped(filter.as_str().expect("a filter"));
    let clocks = door.all("/api/v1/clocks", &format!("?filter={which}")).await;
    i64::try_from(clocks.len()).expect("few")
}

/// Something that can be ordered.
pub fn mailbox() -> Value {
    json!({
        "name": "Mailbox", "form": { "address": "text" }, "approval": "Nobody needs to agree.",
        "fulfilment": "Make it.", "within": "P1D", "price": 3, "currency": "EUR",
    })
}

/// The number under which a person is known.
pub async fn number_of(platform: &Platform, name: &str) -> Value {
    let persons = platform.door().all("/api/v1/persons", "").await;
    let person = persons.iter().find(|person| person["data"]["name"] == name);
    person.expect("the person was made")["number"].clone()
}

//! A neighbour that is late: work goes on without it, and what it says is heard when it comes (catalogue section 4).

use acceptance::{Options, Platform, descendants, signal};
use serde_json::{Value, json};

use crate::hands::{Hand, number};

/// The bus of a platform, held still until this is dropped.
struct Silence(u32);

impl Silence {
    fn of(platform: &Platform) -> Self {
        let steward = platform.process().expect("it runs");
        let [bus] = descendants(steward, "nats-server")[..] else { panic!("it has one bus") };
        signal(bus, "STOP");
        Self(bus)
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        signal(self.0, "CONT");
    }
}

#[tokio::test]
async fn what_a_late_neighbour_says_is_heard_when_it_comes() {
    let platform = Platform::up(Options::manual_clock()).await;
    let agent = Hand::of(&platform, "Lena", &["agent"]).await;
    let sam = Hand::of(&platform, "Sam", &["service_manager"]).await;
    let chief = Hand::of(&platform, "Vera", &["executive"]).await;
    let sol = Hand::of(&platform, "Sol", &["security_manager"]).await;
    let omar = Hand::of(&platform, "Omar", &["change_manager"]).await;
    let relations = Hand::of(&platform, "Rea", &["relationship_manager"]).await;
    let owner = Hand::of(&platform, "Otto", &[]).await;
    let tess = Hand::of(&platform, "Tess", &[]).await;

    let better = agent.open("improvements", json!({ "title": "Passwords by self-service" })).await;
    let judged = json!({ "kind": "quality", "benefit": "high", "effort": "low", "assessment": "Ten calls a day." });
    sam.take(&better, "assess", judged).await;
    let due = json!({ "owner": owner.number, "due_at": "2030-01-01T00:00:00Z" });
    sam.take(&better, "prioritise", due).await;
    let order = json!({ "title": "A larger disk", "service": "SVC-PAY", "item": "disk", "needs_approval": false, "template": "TPL0000001" });
    let order = agent.open("requests", order).await;
    agent.take(&order, "submit", json!({})).await;
    let need = json!({ "title": "Tills until midnight", "customer": "Arbor Retail", "contact": tess.number });
    let need = relations.open("needs", need).await;
    let ranked = json!({ "value": "high", "effort": "low", "service": "SVC-POS", "service_owner": owner.number });
    relations.take(&need, "rank", ranked).await;
    let control = json!({ "title": "Mail filter", "kind": "technical", "owner": owner.number, "tester": tess.number, "test_every": "P30D" });
    let control = sol.open("controls", control).await;
    let run = json!({ "description": "Filters mail.", "operation": "Rules each week.", "risk": "RSK0000001" });
    owner.take(&control, "operate", run).await;
    platform.pass("P31D").await;

    // Nothing that crosses services is heard now. Each goes on as far as it needs nobody else.
    let silence = Silence::of(&platform);
    chief.take(&better, "approve", json!({ "route": "change" })).await;
    let begun = json!({ "metric": "Calls a day", "baseline": "30", "target": "20" });
    owner.take(&better, "begin", begun).await;
    agent.take(&order, "pass", json!({ "is_entitled": true })).await;
    let started = json!({ "fulfiller": agent.number, "instructions": "As always." });
    agent.take(&order, "start", started).await;
    owner.take(&need, "propose", json!({ "requirement": "06:00 to 24:00" })).await;
    relations.refused(&need, "meet", json!({}), 409).await;
    tess.take(&control, "fail", json!({ "findings": "4 of 61 passed." })).await;
    owner.refused(&control, "repaired", json!({}), 409).await;
    drop(silence);

    // Each change is opened once, and whoever asked for it learns its number in the state that it has reached.
    platform.pass("PT0S").await;
    let of = [
        (&better, "in_progress", "carried_out_by", &sam),
        (&order, "in_fulfilment", "change", &agent),
        (&need, "proposed", "change", &relations),
        (&control, "failed", "repair", &sol),
    ];
    for (record, state, field, hand) in of {
        let mut changes = omar.find("changes", json!({ "source": number(record) })).await;
        assert_eq!(changes.len(), 1, "{record}");
        let change = changes.pop().expect("it is one");
        assert_eq!(hand.field(record, field).await, number(&change), "{record}");
        assert_eq!(hand.state(record).await, state, "{record}");
    }
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
    let letters = platform.get("/api/v1/services/change/dead-letters").await.good();
    assert_eq!(letters["items"], Value::Array(Vec::new()));
}

/// What was said by phone at night is recorded in the morning, by who may and not for ever: it counts from when it
/// was, and what follows from it is due from then.
#[tokio::test]
async fn what_happened_at_night_is_recorded_in_the_morning() {
    // A Tuesday, an hour after the working day began.
    let options = Options::default().with(&["--clock", "manual:2026-03-03T08:00:00Z"]);
    let platform = Platform::up(options).await;
    let omar = Hand::of(&platform, "Omar", &["change_manager"]).await;
    let agent = Hand::of(&platform, "Lena", &["agent"]).await;
    let duty = Hand::of(&platform, "Vera", &["executive"]).await;
    let night = "2026-03-03T02:10:00Z";
    let body = |at: &str, mut data: Value| {
        data["occurred_at"] = json!(at);
        data
    };
    let emergency = json!({ "title": "Block the domain", "service": "SVC-MAIL", "type": "emergency", "implementer": duty.number });
    let open = async |hand: &Hand, at: &str| {
        hand.door.post("/api/v1/changes", &body(at, emergency.clone())).await
    };
    assert_eq!(open(&agent, night).await.codes(), ["role"]);
    assert_eq!(open(&omar, "2026-02-26T02:10:00Z").await.codes(), ["too_late"]);
    assert_eq!(open(&omar, "2026-03-03T09:00:00Z").await.codes(), ["future"]);
    let change = open(&omar, night).await.good();
    let change = format!("/api/v1/changes/{}", change["number"].as_str().expect("a number"));
    let begin = json!({ "authorised_by": duty.number, "threat": "Phishing." });
    let begin = omar.try_take(&change, "break_glass", body("2026-03-03T02:12:00Z", begin)).await;
    let begun = begin.good();
    let starts = |value: &Value, at: &str| value.as_str().is_some_and(|text| text.starts_with(at));
    assert!(starts(&begun["data"]["started_at"], "2026-03-03T02:12:00"), "{begun}");
    // Two working days from the night on, and not from the morning.
    let due = begun["data"]["debts"][0]["due_at"].as_str().expect("a debt").to_owned();
    assert!(due.as_str() < "2026-03-05T08:00:00Z", "{due}");

    // So it is with an incident that was mended before anybody could write; and of a problem nothing is recorded late.
    let fault = json!({ "title": "Tills stand", "service": "SVC-POS", "impact": "high", "urgency": "high" });
    let fault = agent.door.post("/api/v1/incidents", &body("2026-03-03T06:00:00Z", fault)).await;
    let fault = fault.good();
    assert!(starts(&fault["opened_at"], "2026-03-03T06:00:00"), "{fault}");
    let problem = json!({ "title": "Why tills stand" });
    let refused = agent.door.post("/api/v1/problems", &body(night, problem)).await;
    assert_eq!(refused.codes(), ["not_late"]);
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

//! What the service desk leads beside plain incidents: a major one, and an order that changes something.

use acceptance::{Options, Platform};
use serde_json::json;

use crate::hands::{Hand, number};

/// Proves: INC-8
#[tokio::test]
async fn a_major_incident_is_led_told_and_reviewed_before_it_is_closed() {
    let platform = Platform::up(Options::manual_clock()).await;
    let agent = Hand::of(&platform, "Lena", &["agent"]).await;
    let manager = Hand::of(&platform, "Ines", &["incident_manager"]).await;
    let leader = Hand::of(&platform, "Max", &[]).await;
    let chief = Hand::of(&platform, "Vera", &["executive"]).await;
    let incident = json!({ "title": "No payments", "service": "SVC-PAY", "impact": "high", "urgency": "high" });
    let incident = agent.open("incidents", incident).await;
    agent.take(&incident, "assign", json!({ "group": "Payments", "assignee": agent.number })).await;
    agent.take(&incident, "start", json!({})).await;

    // The criteria are fixed in advance; who leads and who of the management is told is said at once.
    let judged = json!({ "title": "No payments", "incident": number(&incident), "criteria": ["it_feels_bad"] });
    assert_eq!(agent.door.post("/api/v1/major-incidents", &judged).await.status, 422);
    let major = json!({ "title": "No payments", "incident": number(&incident), "criteria": ["critical_service"], "service": "SVC-PAY" });
    let major = agent.open("major-incidents", major).await;
    assert_eq!(manager.try_take(&major, "declare", json!({})).await.status, 422);
    let declared =
        json!({ "manager": leader.number, "told": [chief.number], "impact_text": "1 800 users." });
    assert_eq!(agent.try_take(&major, "declare", declared.clone()).await.status, 403);
    manager.take(&major, "declare", declared).await;
    assert_eq!(agent.read(&incident).await["data"]["major_state"], "declared");

    // Whoever waits for news for half an hour is missed.
    platform.pass("PT31M").await;
    assert_eq!(chief.read(&major).await["data"]["is_silent"], true);
    leader.take(&major, "update", json!({ "update": "The database is being restored." })).await;
    assert_eq!(chief.read(&major).await["data"]["is_silent"], false);

    // Restored with the incident, which stays open until the review is done; the cause is looked for.
    let resolved = json!({ "resolution_code": "fixed", "resolution": "Restored." });
    agent.take(&incident, "resolve", resolved).await;
    assert_eq!(manager.state(&major).await, "restored");
    assert_eq!(manager.try_take(&incident, "close", json!({})).await.status, 409);
    let problems = agent.find("problems", json!({ "origin": "major_incident" })).await;
    assert_eq!(problems.len(), 1);
    leader.take(&major, "review", json!({ "timeline": "13:05 down, 13:40 up." })).await;
    let report = json!({ "report": "A full disk.", "lessons": "Watch the disks of databases." });
    assert_eq!(leader.try_take(&major, "approve", report.clone()).await.status, 403);
    manager.take(&major, "approve", report).await;
    let article = agent.find("articles", json!({ "source": number(&major) })).await;
    assert_eq!(article.len(), 1, "what was learnt is written down");
    manager.take(&incident, "close", json!({})).await;
}

/// Proves: REQ-4, REQ-6
#[tokio::test]
async fn an_order_is_approved_by_another_and_fulfilled_with_its_change() {
    let platform = Platform::up(Options::manual_clock()).await;
    let agent = Hand::of(&platform, "Lena", &["agent"]).await;
    let user = Hand::of(&platform, "Uwe", &["requester"]).await;
    let boss = Hand::of(&platform, "Bert", &[]).await;
    let manager = Hand::of(&platform, "Omar", &["change_manager"]).await;
    let (bea, ben) = (
        Hand::of(&platform, "Bea", &["cab_member"]).await,
        Hand::of(&platform, "Ben", &["cab_member"]).await,
    );
    let template = json!({
        "title": "Add a mailbox", "service": "SVC-MAIL", "owner": agent.number, "scope": "Mail", "steps": "Add it.",
        "backout": "Remove it.", "likelihood": "low", "effect": "low", "expires_at": "2026-12-31T00:00:00Z",
    });
    let template = manager.open("change-templates", template).await;
    agent.take(&template, "propose", json!({})).await;
    bea.vote(&template, "approve").await;
    ben.vote(&template, "approve").await;

    let order =
        json!({ "title": "A mailbox for the team", "service": "SVC-MAIL", "item": "Mailbox" });
    let request = user.open("requests", order).await;
    user.take(&request, "submit", json!({})).await;
    let about =
        json!({ "touches_items": true, "template": number(&template), "approver": user.number });
    let _ = agent.door.patch(&request, &about).await.good();
    agent.take(&request, "ask", json!({ "is_entitled": true })).await;
    assert_eq!(user.try_vote(&request, "approve").await.codes(), ["excluded"]);
    // Somebody else is asked.
    agent
        .take(&request, "turn_into_incident", json!({ "reason": "Nobody else may approve it." }))
        .await;
    let order =
        json!({ "title": "A mailbox for the team", "service": "SVC-MAIL", "item": "Mailbox" });
    let request = user.open("requests", order).await;
    user.take(&request, "submit", json!({})).await;
    let about =
        json!({ "touches_items": true, "template": number(&template), "approver": boss.number });
    let _ = agent.door.patch(&request, &about).await.good();
    agent.take(&request, "ask", json!({ "is_entitled": true })).await;
    assert_eq!(boss.vote(&request, "approve").await["state"], "approved");

    // What touches a configuration item comes with a standard change, and waits for it.
    platform.pass("PT0S").await;
    let changes = manager.find("changes", json!({ "source": number(&request) })).await;
    let change = changes[0].clone();
    assert_eq!(manager.read(&change).await["data"]["pre_authorised_by"], number(&template));
    let started = json!({ "fulfiller": agent.number, "instructions": "As the template says." });
    agent.take(&request, "start", started).await;
    let outcome = json!({ "outcome": "It is there." });
    assert_eq!(agent.try_take(&request, "fulfil", outcome.clone()).await.status, 409);
    let window = json!({ "implementer": agent.number, "window": { "from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z" } });
    let _ = manager.door.patch(&change, &window).await.good();
    manager.take(&change, "schedule", json!({})).await;
    agent.take(&change, "implement", json!({})).await;
    agent.take(&change, "complete", json!({ "outcome": "success" })).await;
    manager.take(&change, "close", json!({})).await;
    platform.pass("PT0S").await;
    agent.take(&request, "fulfil", outcome).await;
    user.take(&request, "close", json!({})).await;
    let ties = agent.ties(&request).await;
    assert_eq!(ties, [("asked_for".to_owned(), number(&change).to_owned())]);
}

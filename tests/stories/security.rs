//! Security: an incident that few may see, risks and what treats them, and who comes in from outside (catalogue
//! sections 2.5 and 2.20, and story 6.10).
//!
//! Left out of 6.10: the hashes of the evidence files of (4), which are attachments, and the analysis of
//! (7), which is computed; the improvement of (7) is here.

use acceptance::{Options, Platform};
use serde_json::{Value, json};

use crate::{
    customers::now,
    hands::{Hand, number},
};

/// Proves: SEC-6, SEC-9
#[tokio::test]
async fn a_security_incident_is_seen_by_who_must_know_and_by_nobody_else() {
    let platform = Platform::up(Options::manual_clock()).await;
    let agent = Hand::of(&platform, "Lena", &["agent"]).await;
    let sol = Hand::of(&platform, "Sol", &["security_manager"]).await;
    let omar = Hand::of(&platform, "Omar", &["change_manager"]).await;
    let quality = Hand::of(&platform, "Sam", &["service_manager"]).await;
    let incident = json!({ "title": "Phishing of 61 mailboxes", "service": "SVC-MAIL", "impact": "high", "urgency": "high", "is_security": true });
    let incident = sol.open("incidents", incident).await;

    // (1) No hit by number, list, search or count, and nothing to be done with it.
    assert_eq!(agent.door.get(&incident).await.status, 404);
    for list in ["", "?q=Phishing"] {
        let found = agent.door.get(&format!("/api/v1/incidents{list}")).await.good();
        assert_eq!(found["items"], Value::Array(Vec::new()));
    }
    agent.refused(&incident, "assign", json!({ "group": "Desk" }), 404).await;
    // (2) Its priority is that of the risk; it is contained, eradicated and recovered before it is resolved.
    assert_eq!(sol.field(&incident, "priority").await, 1);
    sol.take(&incident, "assign", json!({ "group": "Security", "assignee": sol.number })).await;
    sol.take(&incident, "start", json!({})).await;
    let resolved = json!({ "resolution_code": "fixed", "resolution": "Passwords are new." });
    sol.refused(&incident, "resolve", resolved.clone(), 409).await;

    // (5) Persons' data are concerned: from now on the law gives 72 hours.
    sol.take(&incident, "note_breach", json!({ "breach": "Four mailboxes were read." })).await;
    let deadline = now(&platform).await + chrono::TimeDelta::hours(72);
    let report_by = sol.field(&incident, "report_by").await;
    let report_by: chrono::DateTime<chrono::Utc> =
        report_by.as_str().and_then(|text| text.parse().ok()).expect("an instant");
    assert_eq!(report_by, deadline);

    // (3) What follows is told without its cause: four orders of passwords and an emergency change.
    let order = json!({ "title": "A new password", "service": "SVC-MAIL", "item": "password" });
    let mut orders = Vec::new();
    for _ in 0..4 {
        orders.push(agent.open("requests", order.clone()).await);
    }
    let change = json!({ "title": "Block a domain", "service": "SVC-MAIL", "type": "emergency", "threat": "Known to the security manager", "requester": sol.number });
    let change = omar.open("changes", change).await;
    for record in orders.iter().chain([&change]) {
        let link = json!({ "relation": "related_to", "to": number(record) });
        let answer = sol.door.post(&format!("{incident}/links"), &link).await;
        assert!(answer.status.is_success(), "{}", answer.body);
    }
    platform.pass("PT0S").await;
    assert_eq!(sol.ties(&incident).await.len(), 5);
    for record in orders.iter().chain([&change]) {
        let shown = agent.door.get(&format!("{record}/links")).await.good().to_string();
        assert!(!shown.contains("Phishing") && !shown.contains(number(&incident)), "{shown}");
    }

    // (4) Evidence has a custody of its own.
    let contained = json!({ "containment": "Four accounts are locked." });
    sol.refused(&incident, "contain", contained, 422).await;
    let contained = json!({ "containment": "Four accounts are locked.", "custody": "Mails 1 to 61: from Sol to the safe, 10:38." });
    sol.take(&incident, "contain", contained).await;
    sol.take(&incident, "eradicate", json!({ "eradication": "The domain is blocked." })).await;
    sol.take(&incident, "restore", json!({})).await;
    sol.take(&incident, "resolve", resolved).await;
    // It is not closed before the authority knows; that stops the clock, and what is late is a fact.
    sol.refused(&incident, "close", json!({}), 409).await;
    let told = json!({ "authority_notice": "To the state's office, number 2026-114." });
    sol.take(&incident, "report_breach", told.clone()).await;
    sol.refused(&incident, "report_breach", told, 409).await;
    sol.take(&incident, "close", json!({})).await;
    let late = json!({ "title": "A lost laptop", "impact": "high", "urgency": "low", "is_security": true });
    let late = sol.open("incidents", late).await;
    sol.take(&late, "note_breach", json!({ "breach": "Twelve files." })).await;
    platform.pass("PT73H").await;
    assert_eq!(sol.field(&late, "is_report_late").await, true);
    assert_eq!(sol.field(&incident, "is_report_late").await, false);
    let improvements = quality.find("improvements", json!({ "source": number(&incident) })).await;
    let improvement = quality.read(&improvements[0]).await;
    assert_eq!(improvement["data"]["title"], "After a security incident");
    // Until the end nobody else has seen it.
    assert_eq!(agent.door.get(&incident).await.status, 404);
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

/// Proves: SEC-2, SEC-3, SEC-4, PLN-3, PLN-4
#[tokio::test]
async fn risks_are_treated_borne_or_accepted_and_what_treats_them_is_tested() {
    let platform = Platform::up(Options::manual_clock()).await;
    let sol = Hand::of(&platform, "Sol", &["security_manager"]).await;
    let rik = Hand::of(&platform, "Rik", &["risk_manager"]).await;
    let owner = Hand::of(&platform, "Otto", &[]).await;
    let tess = Hand::of(&platform, "Tess", &[]).await;
    let chief = Hand::of(&platform, "Vera", &["executive"]).await;
    let omar = Hand::of(&platform, "Omar", &["change_manager"]).await;
    let day = |days| day_after(&platform, days);

    // A control treats a risk, is described and run by one person, and tested by another.
    let risk = rik
        .open("risks", json!({ "title": "Phishing", "area": "security", "owner": owner.number }))
        .await;
    let control = json!({ "title": "Mail filter", "kind": "technical", "owner": owner.number, "tester": owner.number });
    let control = sol.open("controls", control).await;
    let operated = json!({ "description": "Filters mail.", "operation": "Rules each week.", "risk": number(&risk) });
    owner.refused(&control, "operate", json!({ "description": "Filters mail." }), 422).await;
    owner.take(&control, "operate", operated).await;
    rik.amend(&risk, json!({ "control": number(&control) })).await;

    // Above what is borne without more, somebody with authority accepts it, and only for a time.
    let rated = |likelihood: &str| json!({ "likelihood": likelihood, "impact": "high" });
    rik.take(&risk, "analyse", rated("medium")).await;
    assert_eq!(owner.field(&risk, "score").await, 6);
    owner.refused(&risk, "bear", json!({ "review_at": day(30).await }), 409).await;
    owner.take(&risk, "treat", json!({ "treatment": "Filter and training." })).await;
    let left = |residual: u32, days: String| json!({ "residual": residual, "review_at": days });
    owner.refused(&risk, "finish", left(6, day(30).await), 409).await;
    let accepted = |until: String, review: String| json!({ "accepted_until": until, "reason": "Until the new filter.", "review_at": review });
    owner.refused(&risk, "accept", accepted(day(60).await, day(30).await), 403).await;
    chief.refused(&risk, "accept", accepted(day(400).await, day(30).await), 409).await;
    chief.take(&risk, "accept", accepted(day(60).await, day(30).await)).await;
    platform.pass("P31D").await;
    assert_eq!(owner.field(&risk, "is_past_review").await, true);
    platform.pass("P30D").await;
    assert_eq!(owner.state(&risk).await, "analysed");
    owner.take(&risk, "treat", json!({ "treatment": "Another filter." })).await;
    owner.take(&risk, "finish", left(3, day(200).await)).await;

    // Rated anew it calls for a test of its control, which nobody does of what they run.
    sol.take(
        &risk,
        "rerate",
        json!({ "likelihood": "high", "impact": "high", "reason": "61 mailboxes." }),
    )
    .await;
    platform.pass("PT0S").await;
    assert_eq!(sol.state(&control).await, "test_due");
    owner.refused(&control, "pass", json!({ "findings": "All well." }), 409).await;
    platform.pass("P31D").await;
    assert_eq!(sol.field(&control, "is_overdue").await, true);
    sol.amend(&control, json!({ "tester": tess.number })).await;
    tess.take(&control, "fail", json!({ "findings": "4 of 61 passed." })).await;
    platform.pass("PT0S").await;
    let repair =
        omar.find("changes", json!({ "source": number(&control) })).await.pop().expect("a change");
    assert_eq!(sol.field(&control, "repair").await, number(&repair));

    // Whoever comes in from outside has an agreement and an end, and is locked out.
    let access = json!({ "title": "TelcoOne's VPN", "kind": "external_access", "owner": owner.number, "tester": tess.number });
    let access = sol.open("controls", access).await;
    let open =
        json!({ "description": "VPN", "operation": "Keys each quarter.", "risk": number(&risk) });
    owner.refused(&access, "operate", open.clone(), 409).await;
    sol.amend(
        &access,
        json!({ "agreement": "Security terms, annex 3", "access_until": day(90).await }),
    )
    .await;
    owner.take(&access, "operate", open).await;
    sol.refused(&access, "retire", json!({ "reason": "It ends." }), 409).await;
    let revoked = sol.take(&access, "revoke", json!({ "reason": "The contract has ended." })).await;
    assert_eq!(revoked["data"]["revoked_by"], format!("person:{}", sol.number));
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

async fn day_after(platform: &Platform, days: i64) -> String {
    (now(platform).await + chrono::TimeDelta::days(days)).to_rfc3339()
}

//! Changes that do not take the usual way: emergencies, and what is pre-authorised by a template.

use acceptance::{Options, Platform};
use serde_json::{Value, json};

use crate::hands::{Hand, number};

/// Proves: CHG-4
#[tokio::test]
async fn an_emergency_is_ratified_or_becomes_a_nonconformity() {
    let platform = Platform::up(Options::manual_clock()).await;
    let manager = Hand::of(&platform, "Omar", &["change_manager"]).await;
    let implementer = Hand::of(&platform, "Dave", &[]).await;
    let duty = Hand::of(&platform, "Vera", &["executive"]).await;
    let (eve, ede) = (
        Hand::of(&platform, "Eve", &["ecab_member"]).await,
        Hand::of(&platform, "Ede", &["ecab_member"]).await,
    );
    let quality = Hand::of(&platform, "Sam", &["service_manager"]).await;
    let emergency = json!({
        "title": "Block the domain", "service": "SVC-MAIL", "type": "emergency",
        "implementer": implementer.number, "requester": manager.number,
    });
    let begin = json!({ "authorised_by": duty.number, "threat": "Phishing of 61 mailboxes." });

    // Nothing begins on nobody's word, and what answers nothing is no emergency.
    let change = manager.open("changes", emergency.clone()).await;
    let unsaid = json!({ "threat": "Phishing." });
    assert_eq!(manager.try_take(&change, "break_glass", unsaid).await.status, 422);
    let idle = json!({ "authorised_by": duty.number });
    assert_eq!(manager.try_take(&change, "break_glass", idle).await.status, 409);
    let begun = manager.take(&change, "break_glass", begin.clone()).await;
    assert_eq!(begun["state"], "implementing");
    assert_eq!(begun["data"]["debts"][0]["transition"], "ratify");
    implementer.take(&change, "complete", json!({ "outcome": "success" })).await;
    assert_eq!(manager.try_take(&change, "review", json!({})).await.status, 409);
    manager.take(&change, "seek_approval", json!({})).await;
    eve.vote(&change, "ratify").await;
    let ratified = ede.vote(&change, "ratify").await;
    assert_eq!(
        (&ratified["state"], &ratified["data"]["debts"]),
        (&json!("in_review"), &Value::Null)
    );
    manager.take(&change, "close", json!({ "review": "It held." })).await;

    // Two working days later it is late, and what is refused is a nonconformity.
    let second = manager.open("changes", emergency).await;
    manager.take(&second, "break_glass", begin).await;
    platform.pass("P6D").await;
    assert_eq!(manager.read(&second).await["data"]["debts"][0]["overdue"], true);
    implementer.take(&second, "complete", json!({ "outcome": "success" })).await;
    manager.take(&second, "seek_approval", json!({})).await;
    eve.take(&second, "refuse", json!({ "reason": "It could have waited." })).await;
    platform.pass("PT0S").await;
    let found = quality.find("nonconformities", json!({ "source": number(&second) })).await;
    assert_eq!(found.len(), 1);
    assert_eq!(quality.read(&found[0]).await["data"]["grade"], "major");
    let review =
        json!({ "review": "It was not one.", "actions": "The duty list says what is one." });
    assert_eq!(manager.try_take(&second, "close", review.clone()).await.status, 409);
    duty.take(&second, "ratify", json!({ "reason": "Noted; see the nonconformity." })).await;
    manager.take(&second, "close", review).await;
}

/// Proves: CHG-6
#[tokio::test]
async fn a_template_authorises_until_it_stops_succeeding() {
    let platform = Platform::up(Options::manual_clock()).await;
    let manager = Hand::of(&platform, "Omar", &["change_manager"]).await;
    let owner = Hand::of(&platform, "Ines", &[]).await;
    let implementer = Hand::of(&platform, "Dave", &[]).await;
    let (bea, ben) = (
        Hand::of(&platform, "Bea", &["cab_member"]).await,
        Hand::of(&platform, "Ben", &["cab_member"]).await,
    );
    let template = json!({
        "title": "Renew a certificate", "service": "SVC-MAIL", "owner": owner.number, "scope": "Mail servers",
        "steps": "Renew, reload, check.", "backout": "Lay the old one back.", "likelihood": "low", "effect": "medium",
        "expires_at": "2026-12-31T00:00:00Z",
    });
    let template = manager.open("change-templates", template).await;
    let change = || {
        json!({ "title": "Renew", "service": "SVC-MAIL", "type": "standard", "template": number(&template),
            "implementer": implementer.number, "requester": owner.number,
            "window": { "from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z" } })
    };
    // Until it is approved, nothing comes from it.
    let early = manager.open("changes", change()).await;
    assert_eq!(manager.try_take(&early, "schedule", json!({})).await.status, 409);
    owner.take(&template, "propose", json!({})).await;
    bea.vote(&template, "approve").await;
    assert_eq!(ben.vote(&template, "approve").await["state"], "valid");
    assert_eq!(manager.try_take(&early, "schedule", json!({})).await.status, 409);

    for run in 1..=20 {
        let path = manager.open("changes", change()).await;
        let opened = manager.read(&path).await;
        assert_eq!(opened["data"]["pre_authorised_by"], number(&template), "{opened}");
        assert_eq!(opened["data"]["plan"], "Renew, reload, check.");
        manager.take(&path, "schedule", json!({})).await;
        implementer.take(&path, "implement", json!({})).await;
        if run < 20 {
            implementer.take(&path, "complete", json!({ "outcome": "success" })).await;
            manager.take(&path, "close", json!({})).await;
            continue;
        }
        implementer.take(&path, "back_out", json!({ "reason": "It was the wrong one." })).await;
        implementer.take(&path, "fail", json!({ "outcome": "failed_backed_out" })).await;
        manager.take(&path, "review", json!({})).await;
        let review =
            json!({ "review": "Two servers share a name.", "actions": "They are told apart." });
        manager.take(&path, "close", review).await;
    }
    let suspended = manager.read(&template).await;
    let counted = (&suspended["state"], &suspended["data"]["runs"], &suspended["data"]["failures"]);
    assert_eq!(counted, (&json!("suspended"), &json!(20), &json!(1)));
    let late = manager.open("changes", change()).await;
    assert_eq!(manager.try_take(&late, "schedule", json!({})).await.status, 409);
}

//! What is found wrong and made right: an audit to its end (catalogue 6.11), and a complaint (6.7).

use acceptance::{Options, Platform};
use serde_json::json;

use crate::hands::{Hand, number};

/// Proves: CHK-4, CHK-6, IMP-1, IMP-2
#[tokio::test]
async fn a_finding_is_corrected_and_shown_to_be_by_somebody_else() {
    let platform = Platform::up(Options::manual_clock()).await;
    let lead = Hand::of(&platform, "Lea", &["audit_manager"]).await;
    let anton = Hand::of(&platform, "Anton", &["change_manager"]).await;
    let nora = Hand::of(&platform, "Nora", &[]).await;
    let omar = Hand::of(&platform, "Omar", &["change_manager"]).await;
    let quality = Hand::of(&platform, "Sam", &["service_manager"]).await;
    let audit = json!({ "title": "Change in the second quarter", "processes": ["change"], "clauses": ["8.5.1"] });
    let audit = lead.open("audits", audit).await;

    // Who owns or works in what is audited does not audit it.
    let plan = |auditor: &Hand| {
        json!({
            "lead_auditor": auditor.number, "owners": [anton.number, omar.number], "criteria": "8.5.1", "method": "Sample",
            "starts_at": "2026-07-01T08:00:00Z",
            "checklist": [{ "clause": "8.5.1.3", "question": "Was it reviewed?" }],
        })
    };
    assert_eq!(lead.try_take(&audit, "prepare", plan(&anton)).await.status, 409);
    lead.take(&audit, "prepare", plan(&nora)).await;
    nora.take(&audit, "begin", json!({ "seed": "20260701", "auditees": [omar.number] })).await;

    // A minor finding is a nonconformity of the manager who answers for it, at once.
    let finding = json!({
        "title": "Three of 25 changes have no review", "audit": number(&audit), "clause": "8.5.1.3", "grade": "minor",
        "owner": omar.number, "evidence": "CHG0000003, CHG0000011, CHG0000019", "due_at": "2026-02-01T00:00:00Z",
    });
    let finding = lead.open("findings", finding).await;
    lead.take(&finding, "report", json!({})).await;
    let found = omar.find("nonconformities", json!({ "source": number(&finding) })).await;
    let nonconformity = found[0].clone();
    assert_eq!(omar.read(&nonconformity).await["data"]["owner"], omar.number);
    assert_eq!(lead.read(&finding).await["data"]["nonconformity"], number(&nonconformity));

    // The audit is reported, and stays open until what it found is closed.
    nora.take(&audit, "report", json!({ "report": "One finding." })).await;
    lead.take(&audit, "follow", json!({})).await;
    let concluded = json!({ "conclusion": "Changes are reviewed." });
    lead.refused(&audit, "close", concluded.clone(), 409).await;

    omar.take(&nonconformity, "contain", json!({ "containment": "The three are reviewed." })).await;
    let cause = json!({ "cause": "Nobody is reminded." });
    assert_eq!(omar.try_take(&nonconformity, "find", cause).await.status, 422);
    let cause = json!({ "method": "five_whys", "cause": "Nobody is reminded." });
    omar.take(&nonconformity, "find", cause).await;
    // He names himself, and is kept from it all the same.
    let action = json!({ "action": "A review has a reminder.", "verifier": omar.number });
    omar.take(&nonconformity, "plan", action).await;
    omar.take(&nonconformity, "finish", json!({})).await;
    let evidence = json!({ "evidence": "0 of 25." });
    platform.pass("P31D").await;
    let refused = omar.try_take(&nonconformity, "verify", evidence.clone()).await;
    assert_eq!((refused.status.as_u16(), refused.codes()), (409, vec!["control"]));
    let other = json!({ "verifier": nora.number });
    let _ = quality.door.patch(&nonconformity, &other).await.good();
    assert_eq!(quality.try_take(&nonconformity, "close", json!({})).await.status, 409);

    // What is not effective goes back to its cause; what is, is verified only after a time.
    nora.take(&nonconformity, "fail", json!({ "evidence": "2 of 25." })).await;
    let action = json!({ "action": "It cannot be closed without.", "verifier": nora.number });
    omar.take(&nonconformity, "plan", action).await;
    omar.take(&nonconformity, "finish", json!({})).await;
    assert_eq!(nora.try_take(&nonconformity, "verify", evidence.clone()).await.status, 409);
    platform.pass("P31D").await;
    nora.take(&nonconformity, "verify", evidence).await;
    quality.take(&nonconformity, "close", json!({})).await;
    assert_eq!(lead.state(&finding).await, "closed");
    lead.take(&audit, "close", concluded).await;
    let risks = quality.find("risks", json!({ "origin": number(&nonconformity) })).await;
    assert_eq!(risks.len(), 1, "what was not effective is a risk");
}

/// Proves: BRM-4, BRM-5
#[tokio::test]
async fn a_complaint_ends_when_the_customer_says_so() {
    let platform = Platform::up(Options::manual_clock()).await;
    let manager = Hand::of(&platform, "Rita", &["relationship_manager"]).await;
    let handler = Hand::of(&platform, "Hans", &[]).await;
    let director = Hand::of(&platform, "Vera", &["executive"]).await;
    let quality = Hand::of(&platform, "Sam", &["service_manager"]).await;
    let (arno, mia) =
        (Hand::of(&platform, "Arno", &[]).await, Hand::of(&platform, "Mia", &["requester"]).await);
    let complaint = json!({ "title": "The fourth late report", "customer": "Arbor Retail", "contact": arno.number });
    let complaint = manager.open("complaints", complaint).await;
    assert_eq!(mia.door.get(&complaint).await.status, 404);

    // Nobody answered within a working day.
    platform.pass("P4D").await;
    assert_eq!(manager.read(&complaint).await["data"]["is_late"], true);
    manager.take(&complaint, "acknowledge", json!({ "handler": handler.number })).await;
    handler.take(&complaint, "investigate", json!({})).await;
    // The customer goes past the normal way.
    arno.take(&complaint, "escalate", json!({})).await;
    let found = json!({ "findings": "It is written by hand.", "action": "It is generated." });
    assert_eq!(handler.try_take(&complaint, "agree", found.clone()).await.status, 403);
    director.take(&complaint, "agree", found.clone()).await;
    let answer = json!({ "answer": "The next one was late again." });
    arno.take(&complaint, "contradict", answer).await;
    handler.take(&complaint, "agree", found).await;

    // Silence counts after the third time; an answer counts at once, and only the customer's.
    let silence = json!({ "silence": "Asked on the 1st and the 5th." });
    handler.take(&complaint, "ask", json!({})).await;
    assert_eq!(manager.try_take(&complaint, "take_silence", silence).await.status, 409);
    let answer = json!({ "answer": "It came on time." });
    assert_eq!(handler.try_take(&complaint, "confirm", answer.clone()).await.status, 403);
    arno.take(&complaint, "confirm", answer).await;
    let close = json!({ "improvement": "Reports are generated when a period is closed." });
    manager.take(&complaint, "close", close).await;
    platform.pass("PT0S").await;
    let improvements = quality.find("improvements", json!({ "source": number(&complaint) })).await;
    assert_eq!(improvements.len(), 1);
}

//! Suppliers and whoever else does part of the work: chosen, contracted, controlled and left (catalogue sections
//! 2.9 and 2.22).

use acceptance::{Options, Platform};
use chrono::TimeDelta;
use serde_json::json;

use crate::{
    customers::now,
    hands::{Hand, number},
};

/// Proves: SUP-1, SUP-2, SUP-3, SUP-4, SUP-6, SUP-7, SUP-8, SUP-9, LCP-4
#[tokio::test]
async fn a_supplier_is_chosen_held_to_its_contract_and_left_in_order() {
    let platform = Platform::up(Options::manual_clock()).await;
    let buyer = Hand::of(&platform, "Sue", &["supplier_manager"]).await;
    let manager = Hand::of(&platform, "Max", &[]).await;
    let tom = Hand::of(&platform, "Tom", &[]).await;
    let levels = Hand::of(&platform, "Lev", &["service_level_manager"]).await;
    let risks = Hand::of(&platform, "Rik", &["risk_manager"]).await;
    let chief = Hand::of(&platform, "Vera", &["executive"]).await;
    let changes = Hand::of(&platform, "Omar", &["change_manager"]).await;
    let security = Hand::of(&platform, "Sol", &["security_manager"]).await;
    let quality = Hand::of(&platform, "Sam", &["service_manager"]).await;
    let began = now(&platform).await;
    let day = |days: i64| (began + TimeDelta::days(days)).to_rfc3339();

    // Nobody is contracted unseen: a score, a way out of what is critical, and who works below the lead.
    let supplier = json!({ "title": "TelcoOne", "kind": "external", "is_critical": true, "is_lead": true, "provides": "Network" });
    let supplier = buyer.open("suppliers", supplier).await;
    buyer
        .take(&supplier, "evaluate", json!({ "evaluation": "References and price.", "score": 72 }))
        .await;
    let with = json!({ "contract": "CON0000001", "alignment": "To be aligned.", "manager": manager.number });
    let unnamed = json!({ "contract": "CON0000001", "alignment": "To be aligned." });
    buyer.refused(&supplier, "contract", unnamed, 422).await;
    buyer.refused(&supplier, "contract", with.clone(), 409).await;
    let chain = json!({ "exit_plan": "Data in 30 days, two hand-over weeks.", "subcontractors": [{ "name": "FibreCo", "control": "Monthly report" }] });
    buyer.amend(&supplier, chain).await;
    buyer.take(&supplier, "contract", with).await;
    buyer.refused(&supplier, "activate", json!({}), 403).await;
    manager.take(&supplier, "activate", json!({})).await;

    // The contract is whole, both sign, and it carries what is promised to customers, or somebody bears the gap.
    let contract = |kind: &str| json!({ "title": "Network", "supplier": number(&supplier), "kind": kind, "manager": manager.number, "supplier_contact": tom.number, "service": "SVC-POS" });
    let signed = buyer.open("contracts", contract("external")).await;
    let terms = json!({
        "scope": "The network", "targets": [{ "name": "restore", "promise": "8 h", "measured_by": "tickets" }], "calendar": "24x7",
        "interfaces": "Ticket bridge", "responsibilities": "Theirs to the socket", "charging": "EUR 12 000 a month", "reporting": "Monthly",
        "ending": "90 days; transfer to another", "valid_from": day(1), "valid_until": day(400), "review_at": day(30),
    });
    buyer.refused(&signed, "negotiate", json!({ "scope": "The network" }), 422).await;
    buyer.take(&signed, "negotiate", terms.clone()).await;
    let gap = json!({ "is_aligned": false, "misalignment": "8 h below a promise of 4 h." });
    levels.take(&signed, "align", gap).await;
    platform.pass("PT0S").await;
    manager.refused(&signed, "sign", json!({}), 409).await;
    let risk =
        risks.find("risks", json!({ "origin": number(&signed) })).await.pop().expect("a risk");
    assert_eq!(levels.field(&signed, "risk").await, number(&risk));
    risks.amend(&risk, json!({ "owner": manager.number })).await;
    risks.take(&risk, "analyse", json!({ "likelihood": "medium", "impact": "medium" })).await;
    let accepted = json!({ "accepted_until": day(200), "reason": "Until the next tender.", "review_at": day(90) });
    chief.take(&risk, "accept", accepted).await;
    platform.pass("PT0S").await;
    tom.refused(&signed, "countersign", json!({}), 409).await;
    manager.take(&signed, "sign", json!({})).await;
    manager.refused(&signed, "countersign", json!({}), 403).await;
    tom.take(&signed, "countersign", json!({})).await;
    // Before it has begun, what is agreed may still be dropped.
    let other = buyer.open("contracts", contract("internal")).await;
    buyer.take(&other, "negotiate", terms).await;
    levels.take(&other, "align", json!({ "is_aligned": true })).await;
    manager.take(&other, "sign", json!({})).await;
    tom.take(&other, "countersign", json!({})).await;
    assert_eq!(buyer.state(&other).await, "agreed");
    buyer.refused(&other, "drop", json!({}), 422).await;
    manager.refused(&other, "drop", json!({ "reason": "It is done by ourselves." }), 403).await;
    buyer.take(&other, "drop", json!({ "reason": "It is done by ourselves." })).await;

    // It is reviewed on its day, changed by a change alone, and its end is announced.
    platform.pass("P45D").await;
    assert_eq!(manager.state(&signed).await, "under_review");
    assert_eq!(manager.field(&signed, "is_review_overdue").await, true);
    manager.take(&signed, "ask_change", json!({ "wanted": "Restore in 4 h." })).await;
    platform.pass("PT0S").await;
    assert_eq!(changes.find("changes", json!({ "source": number(&signed) })).await.len(), 1);
    platform.pass("P270D").await;
    assert_eq!(manager.field(&signed, "notice").await, "T90");
    manager.take(&signed, "confirm", json!({ "minutes": "Better.", "review_at": day(380) })).await;

    // Missed targets are counted; the third asks for a review, and each for an improvement.
    for target in ["restore", "report", "restore again"] {
        manager.take(&signed, "miss", json!({ "breach": target, "claim": 1200 })).await;
        platform.pass("PT0S").await;
    }
    let scored = manager.read(&supplier).await;
    assert_eq!(
        (&scored["data"]["breaches"], &scored["data"]["is_review_due"]),
        (&json!(3), &json!(true))
    );
    assert_eq!(quality.find("improvements", json!({ "source": number(&signed) })).await.len(), 3);
    manager.take(&supplier, "remedy", json!({ "remediation": "A second line." })).await;
    platform.pass("P1D").await;

    // A dispute quotes the contract, goes up, and is settled and closed.
    let dispute = json!({ "title": "Is fog force majeure?", "supplier": number(&supplier), "contract": number(&signed), "clause": "12.3", "manager": manager.number, "supplier_contact": tom.number });
    let dispute = manager.open("disputes", dispute).await;
    manager
        .take(
            &dispute,
            "negotiate",
            json!({ "effect": "Tills without cards.", "position": "It is." }),
        )
        .await;
    platform.pass("P31D").await;
    assert_eq!(manager.field(&dispute, "is_overdue").await, true);
    tom.take(&dispute, "escalate", json!({ "reason": "We do not agree." })).await;
    manager.refused(&dispute, "settle", json!({ "settlement": "Half of it." }), 403).await;
    chief.take(&dispute, "settle", json!({ "settlement": "Half of it." })).await;
    buyer.take(&dispute, "close", json!({})).await;

    // Whoever leaves has no access any more, and has returned what was ours.
    platform.pass("P60D").await;
    assert_eq!(manager.state(&signed).await, "expired");
    buyer.take(&supplier, "exit", json!({ "reason": "The contract has ended." })).await;
    let done = json!({ "exit_done": "Data and diagrams are back." });
    buyer.refused(&supplier, "end", done.clone(), 409).await;
    security.take(&supplier, "revoke", json!({ "access_revoked": "VPN and badges." })).await;
    buyer.take(&supplier, "end", done).await;
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

/// Proves: LCP-1, LCP-2, LCP-5
#[tokio::test]
async fn what_others_do_for_us_has_an_owner_here_and_is_controlled() {
    let platform = Platform::up(Options::manual_clock()).await;
    let releases = Hand::of(&platform, "Rita", &["release_manager"]).await;
    let owner = Hand::of(&platform, "Otto", &[]).await;
    let activity = json!({ "title": "First line at night", "party": "NightDesk", "party_kind": "external_supplier", "provides": "process_part", "subject": "incident" });
    let activity = releases.open("party-activities", activity).await;
    let chosen = |score: u32| json!({ "owner": owner.number, "criteria": "Languages and price", "score": score, "controls": "Sampled calls; right to inspect; monthly report" });
    let ownerless = json!({ "criteria": "Price", "score": 80, "controls": "None" });
    releases.refused(&activity, "accept", ownerless, 422).await;
    releases.refused(&activity, "accept", chosen(40), 409).await;
    releases.take(&activity, "accept", chosen(80)).await;
    owner.take(&activity, "operate", json!({})).await;
    platform.pass("P91D").await;
    assert_eq!(owner.state(&activity).await, "control_due");
    platform.pass("P15D").await;
    assert_eq!(owner.field(&activity, "is_overdue").await, true);
    releases
        .refused(
            &activity,
            "control",
            json!({ "control_result": "Fine.", "is_effective": true }),
            403,
        )
        .await;
    let controlled = json!({ "control_result": "24 of 25 calls as agreed.", "is_effective": true });
    owner.take(&activity, "control", controlled).await;
    let heir = Hand::of(&platform, "Hella", &[]).await;
    releases
        .take(&activity, "replace", json!({ "owner": heir.number, "reason": "Otto moves on." }))
        .await;
    let history = releases.door.get(&format!("{activity}/history")).await.good();
    assert!(
        history["items"]
            .as_array()
            .expect("a history")
            .iter()
            .any(|entry| entry["transition"] == "replace")
    );
}

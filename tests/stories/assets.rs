//! What services are made of and delivered with: configuration items that change by a change alone, and assets
//! from the wish to the proof that they are gone (catalogue sections 2.28 and 2.29).

use acceptance::{Options, Platform};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    customers::now,
    hands::{Hand, number},
};

/// Proves: AST-1, AST-2, AST-3, AST-4
#[tokio::test]
async fn an_asset_is_known_from_its_order_to_the_proof_that_it_is_erased() {
    let platform = Platform::up(Options::manual_clock()).await;
    let keeper = Hand::of(&platform, "Ada", &["asset_manager"]).await;
    let other = Hand::of(&platform, "Ari", &["asset_manager"]).await;
    let agent = Hand::of(&platform, "Lena", &["agent"]).await;
    let owner = Hand::of(&platform, "Otto", &[]).await;
    let laptop = json!({ "title": "Laptop 17", "kind": "hardware", "contract": "CON0000001", "configuration_item": "CI0000001", "warranty_until": "2028-01-01T00:00:00Z" });
    let laptop = agent.open("assets", laptop).await;
    keeper.refused(&laptop, "order", json!({ "order": "4711" }), 422).await;
    keeper
        .take(&laptop, "order", json!({ "order": "4711", "price": 1200, "currency": "EUR" }))
        .await;
    agent.refused(&laptop, "receive", json!({}), 403).await;
    keeper.take(&laptop, "receive", json!({ "serial": "X1" })).await;
    keeper.take(&laptop, "store", json!({ "location": "Room 3" })).await;
    // Nobody has it without an owner.
    agent.refused(&laptop, "issue", json!({ "user": agent.number }), 422).await;
    agent.take(&laptop, "issue", json!({ "user": agent.number, "owner": owner.number })).await;
    // It is counted, and what is found elsewhere is put right.
    let counted = keeper.take(&laptop, "count", json!({ "counted": 1 })).await;
    assert!(counted["data"]["counted_at"].is_string());
    keeper
        .take(
            &laptop,
            "move",
            json!({ "reason": "Found there by the count.", "location": "Room 4" }),
        )
        .await;
    agent.take(&laptop, "repair", json!({ "reason": "No sound." })).await;
    agent.take(&laptop, "repaired", json!({})).await;
    keeper.take(&laptop, "retire", json!({ "reason": "Too old." })).await;
    let gone = json!({ "certificate": "R-77", "write_off": 0 });
    other.refused(&laptop, "dispose", gone, 409).await;
    let gone = json!({ "certificate": "R-77", "write_off": 0, "erasure_proof": "Erased thrice, protocol 9." });
    keeper.refused(&laptop, "dispose", gone.clone(), 409).await;
    other.take(&laptop, "dispose", gone).await;

    // A licence has as many users as it is for.
    let licence =
        json!({ "title": "Editor", "kind": "licence", "entitled": 2, "holds_data": false });
    let licence = agent.open("assets", licence).await;
    keeper
        .take(&licence, "order", json!({ "order": "4712", "price": 99, "currency": "EUR" }))
        .await;
    keeper.take(&licence, "receive", json!({})).await;
    keeper.take(&licence, "store", json!({ "location": "Shelf" })).await;
    agent.take(&licence, "issue", json!({ "user": agent.number, "owner": owner.number })).await;
    agent.refused(&licence, "give_back", json!({}), 409).await;
    assert_eq!(agent.take(&licence, "grant", json!({})).await["data"]["in_use"], 2);
    agent.refused(&licence, "grant", json!({}), 409).await;
    assert_eq!(agent.take(&licence, "give_back", json!({})).await["data"]["in_use"], 1);
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

/// Proves: CFG-2, CFG-3, CFG-9
#[tokio::test]
async fn an_item_changes_by_its_change_and_what_differs_is_settled() {
    let platform = Platform::up(Options::manual_clock()).await;
    let cora = Hand::of(&platform, "Cora", &["configuration_manager"]).await;
    let agent = Hand::of(&platform, "Lena", &["agent"]).await;
    let omar = Hand::of(&platform, "Omar", &["change_manager"]).await;
    let sol = Hand::of(&platform, "Sol", &["security_manager"]).await;
    let duty = Hand::of(&platform, "Vera", &["executive"]).await;
    let item = json!({ "title": "db-pay-01", "kind": "database" });
    assert_eq!(agent.door.post("/api/v1/configuration-items", &item).await.status, 403);
    let item = cora.open("configuration-items", item).await;
    // All read it; who keeps it writes it, and by steps alone.
    assert_eq!(agent.read(&item).await["data"]["is_controlled"], true);
    assert_eq!(cora.door.patch(&item, &json!({ "title": "db" })).await.status, 403);
    agent.refused(&item, "build", json!({}), 403).await;
    cora.take(&item, "build", json!({})).await;
    cora.take(&item, "test", json!({ "version": "17.1" })).await;

    // It goes live, and is changed, by a change that is being made.
    let change = |why: &str| json!({ "title": why, "service": "SVC-PAY", "type": "emergency", "items": [number(&item)], "implementer": omar.number });
    let begin = json!({ "authorised_by": duty.number, "threat": "No payments." });
    let first = omar.open("changes", change("A database")).await;
    let live = |change: &str| json!({ "change": number(change), "owner": cora.number, "service": "SVC-PAY" });
    cora.refused(&item, "go_live", live(&first), 409).await;
    omar.take(&first, "break_glass", begin.clone()).await;
    platform.pass("PT0S").await;
    cora.refused(&item, "go_live", json!({ "change": number(&first) }), 422).await;
    cora.take(&item, "go_live", live(&first)).await;
    let revised = |change: &str| json!({ "change": number(change), "version": "17.2" });
    let unmade = omar.open("changes", change("Another")).await;
    cora.refused(&item, "revise", revised(&unmade), 409).await;
    cora.take(&item, "revise", revised(&first)).await;

    // What is found otherwise is a difference: its owner says why, security looks, and a change makes it right.
    let found = json!({ "item": number(&item), "attribute": "rights", "recorded": "none", "found": "root", "is_privileged": true, "owner": cora.number });
    let found = agent.open("differences", found).await;
    assert_eq!(agent.field(&item, "difference").await, number(&found));
    cora.take(&found, "explain", json!({ "explanation": "Somebody needed it at night." })).await;
    cora.refused(&found, "legitimise", json!({ "service": "SVC-PAY" }), 409).await;
    sol.take(&found, "check_security", json!({ "security_note": "It was used once." })).await;
    cora.take(&found, "legitimise", json!({ "service": "SVC-PAY" })).await;
    let asked =
        omar.find("changes", json!({ "source": number(&found) })).await.pop().expect("a change");
    omar.take(&asked, "cancel", json!({ "reason": "It is reversed." })).await;
    assert_eq!(cora.state(&found).await, "explained");
    cora.take(&found, "reverse", json!({ "reason": "The right is gone." })).await;
    let peer = Hand::of(&platform, "Carl", &["configuration_manager"]).await;
    cora.refused(&found, "verify", json!({}), 409).await;
    peer.take(&found, "verify", json!({})).await;
    assert_eq!(agent.field(&item, "difference").await, Value::Null);
    platform.pass("P181D").await;
    assert_eq!(agent.field(&item, "is_check_due").await, true);
    cora.take(&item, "verify", json!({})).await;
    assert_eq!(agent.field(&item, "is_check_due").await, false);
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

/// Proves: CHG-2, CHG-3, CHG-5, CHG-8, CHG-9, CHG-10, FIN-5, SEC-5
#[tokio::test]
async fn a_change_is_assessed_voted_on_as_it_is_and_logged_while_it_is_made() {
    let platform = Platform::up(Options::manual_clock()).await;
    let omar = Hand::of(&platform, "Omar", &["change_manager"]).await;
    let asker = Hand::of(&platform, "Ann", &[]).await;
    let dave = Hand::of(&platform, "Dave", &[]).await;
    let mut board = Vec::new();
    for name in ["Bea", "Ben", "Bo"] {
        board.push(Hand::of(&platform, name, &["cab_member"]).await);
    }
    let began = now(&platform).await;
    let hour = |hours: i64| (began + TimeDelta::hours(hours)).to_rfc3339();
    let change = json!({ "title": "A new database", "service": "SVC-PAY", "type": "normal", "requester": asker.number, "description": "17 instead of 16", "items": ["CI0000001"] });
    let change = omar.open("changes", change).await;
    asker.refused(&change, "submit", json!({ "description": "17" }), 422).await;
    asker.take(&change, "submit", json!({ "benefit": "Twice as fast." })).await;
    omar.take(&change, "assess", json!({})).await;

    // Not without a way back, money, and the signature of each domain, security's among them.
    let proposed = json!({
        "likelihood": "medium", "effect": "medium", "plan": "Overnight.", "backout": "Back to 16.", "cost_estimate": 4000,
        "window": { "from": hour(1), "to": hour(3) }, "implementer": dave.number,
    });
    for part in ["backout", "cost_estimate"] {
        let mut less = proposed.clone();
        less.as_object_mut().expect("fields").remove(part);
        omar.refused(&change, "propose", less, 422).await;
    }
    let tasks = omar.read(&format!("{change}/tasks")).await;
    let tasks = tasks["items"].as_array().expect("tasks").clone();
    assert!(tasks.iter().any(|task| task["title"] == "Assess information security"));
    for (place, task) in tasks.iter().enumerate() {
        omar.refused(&change, "propose", proposed.clone(), 409).await;
        let signed = omar
            .door
            .patch(&format!("{change}/tasks/{}", task["id"]), &json!({ "state": "done" }))
            .await
            .good();
        assert!(signed.to_string().contains(&omar.number), "{place}: {signed}");
    }
    omar.take(&change, "propose", proposed).await;

    // Three of the board, and neither who asked nor who makes it; another window is another vote.
    assert_eq!(omar.try_vote(&change, "authorise").await.status, 403);
    for member in &board {
        member.vote(&change, "authorise").await;
    }
    assert_eq!(omar.state(&change).await, "authorised");
    let moved = omar.amend(&change, json!({ "window": { "from": hour(1), "to": hour(4) } })).await;
    assert_eq!(moved["state"], "awaiting_authorisation");
    for member in &board {
        member.vote(&change, "authorise").await;
    }
    // Untested it is not scheduled; outside its window it is not begun.
    omar.refused(&change, "schedule", json!({}), 409).await;
    omar.take(&change, "schedule", json!({ "test_results": "Restored twice." })).await;
    dave.refused(&change, "implement", json!({}), 409).await;
    platform.pass("PT2H").await;
    let started = dave.take(&change, "implement", json!({})).await;
    assert!(started["data"]["started_at"].is_string());
    dave.take(&change, "log", json!({ "deviations": "One index was rebuilt." })).await;
    platform.pass("PT3H").await;
    assert_eq!(dave.field(&change, "is_overrun").await, true);
    let done = dave.take(&change, "complete", json!({ "outcome": "with_issues" })).await;
    assert!(done["data"]["stopped_at"].is_string());
    dave.amend(&change, json!({ "cost_actual": 4600 })).await;
    omar.take(&change, "review", json!({})).await;
    omar.refused(&change, "close", json!({ "review": "Late." }), 409).await;
    omar.take(&change, "close", json!({ "review": "Late.", "actions": "A longer window." })).await;
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

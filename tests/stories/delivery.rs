//! What is planned for bad days, more load, and what it all costs and is reported as (catalogue sections 2.14
//! and 2.16 to 2.19).

use acceptance::{Options, Platform};
use chrono::TimeDelta;
use serde_json::json;

use crate::{
    customers::now,
    hands::{Hand, number},
};

/// Proves: CON-1, CON-2, CON-4, CON-5, CON-6, CON-7, CON-8
#[tokio::test]
async fn a_continuity_plan_is_agreed_tested_invoked_and_tested_again() {
    let platform = Platform::up(Options::manual_clock()).await;
    let keeper = Hand::of(&platform, "Cay", &["continuity_manager"]).await;
    let chief = Hand::of(&platform, "Vera", &["executive"]).await;
    let owner = Hand::of(&platform, "Ines", &[]).await;
    let mia = Hand::of(&platform, "Mia", &[]).await;
    let duty = Hand::of(&platform, "Dina", &[]).await;
    let lena = Hand::of(&platform, "Lena", &["agent"]).await;
    let quality = Hand::of(&platform, "Sam", &["service_manager"]).await;
    let plan = json!({ "title": "Payments elsewhere", "service": "SVC-PAY", "owner": owner.number, "customer": "Meridian", "contact": mia.number, "must_be_full": true });
    let plan = keeper.open("continuity-plans", plan).await;
    let impact = json!({ "analysis": "EUR 1 m an hour.", "rto_minutes": 120, "rpo_minutes": 5, "minimum_level": "Half the load" });
    mia.refused(&plan, "agree", json!({ "analysis": "Much." }), 422).await;
    let how = json!({ "criteria": "No site for 15 minutes", "steps": "1. Call. 2. Switch.", "contacts": "List of May", "authorities": [duty.number], "return_plan": "By night", "offline_pack": "Safe 2" });
    // What is not agreed with the customer, or lacks a part, is no plan.
    keeper.amend(&plan, impact.clone()).await;
    chief.refused(&plan, "approve", how.clone(), 409).await;
    mia.take(&plan, "agree", impact).await;
    chief.refused(&plan, "approve", json!({ "criteria": "No site" }), 422).await;
    chief.take(&plan, "approve", how).await;

    // On paper alone it is not tested; a test that misses its times is an improvement and is done again.
    let test = |kind: &str, rto: u32, rpo: u32| json!({ "test_kind": kind, "rto_reached": rto, "rpo_reached": rpo, "findings": "10:00 called, 11:30 up." });
    keeper.refused(&plan, "test", json!({ "test_kind": "full" }), 422).await;
    keeper.refused(&plan, "test", test("tabletop", 90, 5), 409).await;
    keeper.refused(&plan, "test", test("full", 150, 5), 409).await;
    keeper.take(&plan, "fail_test", test("full", 150, 5)).await;
    platform.pass("PT0S").await;
    assert_eq!(quality.find("improvements", json!({ "source": number(&plan) })).await.len(), 1);
    platform.pass("P61D").await;
    assert_eq!(owner.field(&plan, "is_overdue").await, true);
    owner.take(&plan, "test", test("full", 90, 4)).await;
    platform.pass("P366D").await;
    assert_eq!(owner.state(&plan).await, "retest_due");
    owner.take(&plan, "test", test("full", 90, 4)).await;
    change_much(&platform, &keeper, &plan).await;
    assert_eq!(owner.state(&plan).await, "retest_due");

    // Who is named invokes it; times and return are kept, and what it showed is reviewed and tested again.
    let disrupted =
        json!({ "reason": "No power.", "disrupted_at": now(&platform).await.to_rfc3339() });
    owner.refused(&plan, "invoke", disrupted.clone(), 403).await;
    let invoked = duty.take(&plan, "invoke", disrupted).await;
    assert!(invoked["data"]["invoked_at"].is_string());
    platform.pass("PT0S").await;
    let first = proposed(&lena, &plan, 1).await;
    assert_eq!(lena.field(&first, "title").await, "Continuity plan invoked: Payments elsewhere");
    owner.take(&plan, "recover", json!({ "rto_reached": 114, "rpo_reached": 7 })).await;
    owner.take(&plan, "return", json!({})).await;
    owner.refused(&plan, "settle", json!({}), 422).await;
    owner
        .take(&plan, "settle", json!({ "timeline": "03:02 no power, 04:56 up, back on Tuesday." }))
        .await;
    platform.pass("P15D").await;
    assert_eq!(owner.field(&plan, "is_review_overdue").await, true);
    keeper.take(&plan, "review", json!({ "review": "RTO met, RPO missed by 2." })).await;
    assert_eq!(owner.state(&plan).await, "retest_due");

    // Where an incident is on record already, it is that one that may be major, and once only.
    let fire =
        json!({ "title": "Fire", "service": "SVC-PAY", "impact": "high", "urgency": "high" });
    let fire = lena.open("incidents", fire).await;
    let with = json!({ "reason": "Fire.", "disrupted_at": now(&platform).await.to_rfc3339(), "incident": number(&fire) });
    for _ in 0..2 {
        duty.take(&plan, "invoke", with.clone()).await;
        platform.pass("PT0S").await;
        assert_eq!(proposed(&lena, &plan, 2).await, fire);
        duty.take(&plan, "call_off", json!({ "reason": "The fire is out." })).await;
    }
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

/// The last of so many incidents that a plan was invoked for; a major one is proposed for it, and tied to it.
async fn proposed(agent: &Hand, plan: &str, all: usize) -> String {
    let incidents = agent.find("incidents", json!({ "continuity_plan": number(plan) })).await;
    let majors = agent.find("major-incidents", json!({})).await;
    assert_eq!((incidents.len(), majors.len()), (all, all));
    let (incident, major) = (&incidents[all - 1], &majors[all - 1]);
    assert_eq!(agent.state(major).await, "proposed");
    assert_eq!(agent.field(major, "incident").await, number(incident));
    let opened = agent.read(incident).await;
    assert_eq!(
        (&opened["data"]["major"], &opened["data"]["major_state"]),
        (&json!(number(major)), &json!("proposed"))
    );
    let ties = agent.ties(incident).await;
    for tie in [("invoked", number(plan)), ("is_major", number(major))] {
        assert!(ties.contains(&(tie.0.to_owned(), tie.1.to_owned())), "{tie:?}: {ties:?}");
    }
    incident.clone()
}

/// A change with a major impact that touches a plan, from its beginning to its end.
async fn change_much(platform: &Platform, keeper: &Hand, plan: &str) {
    let omar = Hand::of(platform, "Omar", &["change_manager"]).await;
    let dave = Hand::of(platform, "Dave", &[]).await;
    let change = json!({
        "title": "Another site", "service": "SVC-PAY", "type": "emergency", "is_major_impact": true, "threat": "A flood.",
        "continuity_plan": number(plan), "implementer": dave.number,
    });
    let change = omar.open("changes", change).await;
    omar.take(&change, "break_glass", json!({ "authorised_by": dave.number })).await;
    dave.take(&change, "complete", json!({ "outcome": "success" })).await;
    omar.take(&change, "seek_approval", json!({})).await;
    for name in ["Eve", "Ede"] {
        Hand::of(platform, name, &["ecab_member"]).await.vote(&change, "ratify").await;
    }
    // The plan that it touches is looked through before it is closed.
    platform.pass("PT0S").await;
    let held = json!({ "review": "It held." });
    omar.refused(&change, "close", held.clone(), 409).await;
    keeper.take(plan, "refresh", json!({ "refreshed": "The other site has an address." })).await;
    platform.pass("PT0S").await;
    omar.take(&change, "close", held).await;
    platform.pass("PT0S").await;
}

/// Proves: CAP-1, CAP-4, CAP-6, DEM-1, FIN-4
#[tokio::test]
async fn what_runs_short_is_seen_in_time_and_what_costs_more_is_explained() {
    let platform = Platform::up(Options::manual_clock()).await;
    let cap = Hand::of(&platform, "Cap", &["capacity_manager"]).await;
    let owner = Hand::of(&platform, "Ines", &[]).await;
    let mia = Hand::of(&platform, "Mia", &[]).await;
    let agent = Hand::of(&platform, "Lena", &["agent"]).await;
    let omar = Hand::of(&platform, "Omar", &["change_manager"]).await;
    let money = Hand::of(&platform, "Finn", &["finance_manager"]).await;
    let chief = Hand::of(&platform, "Vera", &["executive"]).await;
    let began = now(&platform).await;
    let day = |days: i64| (began + TimeDelta::days(days)).to_rfc3339();

    // People, technology, information and money may run short of a service.
    let mut items = Vec::new();
    for kind in ["people", "technology", "information", "money"] {
        let item = json!({ "title": kind, "service": "SVC-PAY", "kind": kind, "limit": 100, "unit": "%", "lead_days": 30, "owner": owner.number });
        items.push(cap.open("capacity-items", item).await);
    }
    let disk = &items[1];
    owner.take(disk, "measure", json!({ "used": 70, "days_left": 90 })).await;
    assert_eq!(owner.field(disk, "is_too_late").await, false);
    owner.refused(disk, "warn", json!({ "used": 70, "days_left": 90 }), 409).await;
    let warned = owner.take(disk, "warn", json!({ "used": 85, "days_left": 20 })).await;
    assert_eq!(warned["data"]["is_too_late"], true);
    owner.take(disk, "alarm", json!({ "used": 96, "days_left": 5 })).await;
    platform.pass("PT0S").await;
    assert_eq!(agent.find("incidents", json!({ "title": "Capacity: technology" })).await.len(), 1);
    cap.refused(disk, "upgrade", json!({ "action": "More disks." }), 422).await;
    cap.take(disk, "upgrade", json!({ "action": "More disks.", "cost": 9000 })).await;
    platform.pass("PT0S").await;
    let change =
        omar.find("changes", json!({ "source": number(disk) })).await.pop().expect("a change");
    assert_eq!(owner.field(disk, "change").await, number(&change));
    owner.take(disk, "finish", json!({})).await;
    cap.refused(disk, "relax", json!({ "limit": 100, "used": 96 }), 409).await;
    cap.take(disk, "relax", json!({ "limit": 200, "used": 96 })).await;

    // What will be asked for is agreed when the business has been heard, and compared with what came.
    let forecast = json!({ "title": "Next year", "service": "SVC-PAY", "owner": owner.number, "contact": mia.number, "customer": "Meridian", "capacity_item": number(disk) });
    let forecast = cap.open("forecasts", forecast).await;
    let agreed = json!({ "from": day(1), "to": day(90), "unit": "payments", "source": "Two years", "values": [{ "at": day(30), "value": 900 }] });
    cap.refused(&forecast, "agree", agreed.clone(), 409).await;
    mia.take(&forecast, "tell", json!({ "input": "A campaign in May." })).await;
    cap.take(&forecast, "agree", agreed).await;
    assert_eq!(owner.field(disk, "forecast").await, number(&forecast));
    platform.pass("P91D").await;
    assert_eq!(owner.field(&forecast, "is_past").await, true);
    owner.take(&forecast, "compare", json!({ "actual": 960, "expected": 900 })).await;

    // More than 3 % beside its budget is explained, with what is done about it.
    let budget = json!({ "title": "Payments", "service": "SVC-PAY", "from": day(92), "to": day(120), "owner": owner.number });
    let budget = money.open("budget-periods", budget).await;
    let approved = json!({ "lines": [{ "cost_type": "licences", "is_direct": true, "amount": 1000 }], "budget": 1000 });
    money.refused(&budget, "approve", approved.clone(), 403).await;
    chief.take(&budget, "approve", approved).await;
    platform.pass("P2D").await;
    let spend = |amount: u32| json!({ "purpose": "Editors", "amount": amount, "reason": "Two users more." });
    chief.take(&budget, "authorise", spend(1200)).await;
    let booked = money.take(&budget, "book", json!({ "actual": 1100, "forecast": 1150 })).await;
    assert_eq!(booked["data"]["variance_percent"], 10.0);
    platform.pass("P30D").await;
    assert_eq!(money.state(&budget).await, "closing");
    let next = json!({ "next": "BUD0000002" });
    money.refused(&budget, "finish", next.clone(), 409).await;
    owner
        .take(
            &budget,
            "explain",
            json!({ "explanation": "Two users more.", "action": "A cheaper edition." }),
        )
        .await;
    // An explanation is of the figures that it was given for.
    money.take(&budget, "book", json!({ "actual": 1200 })).await;
    money.refused(&budget, "finish", next.clone(), 409).await;
    owner
        .take(
            &budget,
            "explain",
            json!({ "explanation": "Three.", "action": "A cheaper edition." }),
        )
        .await;
    money.take(&budget, "finish", next).await;
    money.refused(&budget, "book", json!({ "actual": 1300 }), 409).await;
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

/// Proves: REP-1, REP-3, REP-4, REP-6
#[tokio::test]
async fn a_report_is_agreed_frozen_read_and_followed_by_decisions() {
    let platform = Platform::up(Options::manual_clock()).await;
    let lev = Hand::of(&platform, "Lev", &["service_level_manager"]).await;
    let peer = Hand::of(&platform, "Lia", &["service_level_manager"]).await;
    let owner = Hand::of(&platform, "Otto", &[]).await;
    let mia = Hand::of(&platform, "Mia", &[]).await;
    let report = lev.open("reports", json!({ "title": "March", "kind": "customer", "customer": "Meridian", "owner": owner.number })).await;
    let sections = ["performance", "failures", "workload", "events", "trends", "satisfaction"];
    let content: serde_json::Map<_, _> =
        sections.iter().map(|name| ((*name).to_owned(), json!("As attached."))).collect();
    let generated = json!({
        "from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z", "purpose": "Levels of March", "sources": "incident, sla", "agreed_with": "Mia, 3 May",
        "content": content, "annotations": [{ "figure": "Cash desks", "author": "Lev", "why": "Counted by hand" }],
    });
    for part in sections {
        let mut less = generated.clone();
        less["content"].as_object_mut().expect("sections").remove(part);
        lev.refused(&report, "generate", less, 422).await;
    }
    let mut unagreed = generated.clone();
    unagreed.as_object_mut().expect("fields").remove("agreed_with");
    lev.refused(&report, "generate", unagreed, 422).await;
    lev.take(&report, "generate", generated).await;
    lev.refused(&report, "review", json!({}), 409).await;
    peer.take(&report, "review", json!({})).await;
    owner.take(&report, "freeze", json!({ "hash": "sha256:0000000000000001" })).await;
    assert_eq!(lev.door.patch(&report, &json!({ "title": "Mars" })).await.status, 409);
    // A correction is another version, with its reason and what is different.
    let mut corrected = json!({ "content": content, "reason": "One outage was planned." });
    lev.refused(&report, "correct", corrected.clone(), 422).await;
    corrected["differences"] = json!("99.94 instead of 99.89 %");
    assert_eq!(lev.take(&report, "correct", corrected).await["data"]["version"], 2);
    owner.take(&report, "freeze", json!({ "hash": "sha256:0000000000000002" })).await;
    owner.take(&report, "distribute", json!({ "readers": [mia.number] })).await;
    mia.take(&report, "read", json!({})).await;
    mia.refused(&report, "read", json!({}), 409).await;
    let decided = json!({ "decisions": "A second line to the branches.", "told": "Mia, Otto" });
    lev.take(&report, "decide", decided).await;
    let task = json!({ "title": "Order the line" });
    let _ = lev.door.post(&format!("{report}/tasks"), &task).await.good();
    lev.refused(&report, "close", json!({}), 409).await;
    let _ = lev.door.patch(&format!("{report}/tasks/1"), &json!({ "state": "done" })).await.good();
    lev.take(&report, "close", json!({})).await;
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

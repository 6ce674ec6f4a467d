//! The relationship with customers: who looks after it, what is reviewed, needed, praised and asked (catalogue
//! section 2.21 and story 6.7; its complaint is in quality.rs).
//!
//! Left out of 6.7: the drawing of the sample by its seed (4), which needs the export of evidence, and the report of
//! (5), which is generated; the review's pack names complaints and satisfaction, and is filled by hand.

use acceptance::{Options, Platform};
use serde_json::{Value, json};

use crate::hands::{Hand, number};

/// Proves: BRM-1, BRM-2, BRM-3, BRM-6, BRM-7, POR-1, POR-4
#[tokio::test]
async fn a_customer_is_looked_after_asked_and_heard() {
    let platform = Platform::up(Options::manual_clock()).await;
    let relations = Hand::of(&platform, "Rea", &["relationship_manager"]).await;
    let owner = Hand::of(&platform, "Otto", &[]).await;
    let arno = Hand::of(&platform, "Arno", &[]).await;
    let mia = Hand::of(&platform, "Mia", &[]).await;
    let ines = Hand::of(&platform, "Ines", &[]).await;
    let director = Hand::of(&platform, "Vera", &["executive"]).await;
    let quality = Hand::of(&platform, "Sam", &["service_manager"]).await;
    let changes = Hand::of(&platform, "Omar", &["change_manager"]).await;

    // One named person looks after the customer, and what a complaint is has been agreed.
    let customer = json!({ "title": "Arbor Retail", "users": 600, "services": ["SVC-POS"], "parties": ["Works council"], "contact": arno.number });
    let customer = relations.open("customers", customer).await;
    let agreed = json!({ "executive": director.number, "contact": arno.number, "complaint": "Said in writing.", "escalation": "The director's line." });
    relations.refused(&customer, "agree", agreed.clone(), 422).await;
    relations.amend(&customer, json!({ "owner": owner.number, "review_every": "P180D" })).await;
    relations.take(&customer, "agree", agreed).await;
    let handed = json!({ "owner": owner.number, "reason": "He knows them." });
    relations.take(&customer, "hand_over", handed).await;
    let owed = relations.read(&customer).await["data"]["obligations"].clone();
    let names = [&owed[0]["name"], &owed[1]["name"]];
    assert_eq!(names, [&json!("review"), &json!("survey")]);
    assert!([&owed[0], &owed[1]].iter().all(|owed| owed["owner"] == owner.number), "{owed}");
    let praise = json!({ "feedback": "The new tills are quick." });
    assert_eq!(arno.take(&customer, "praise", praise).await["data"]["compliments"], 1);
    mia.refused(&customer, "praise", json!({ "feedback": "So are ours." }), 404).await;

    // A review falls due by itself, is held about a complete pack, and sets the day of the next one.
    platform.pass("P181D").await;
    assert_eq!(owner.field(&customer, "is_review_due").await, true);
    assert_eq!(owner.field(&customer, "obligations").await[0]["overdue"], true);
    let now = now(&platform).await;
    let day = |days: i64| (now + chrono::TimeDelta::days(days)).to_rfc3339();
    let review = json!({
        "title": "Half year with Arbor", "about": "customer", "customer": "Arbor Retail", "customer_record": number(&customer),
        "chair": owner.number, "participants": [arno.number], "held_at": day(1),
    });
    let review = relations.open("service-reviews", review).await;
    owner.refused(&review, "freeze", json!({ "pack": { "performance": "99.1 %" } }), 422).await;
    let pack = json!({ "pack": {
        "performance": "99.1 of 99.5 %", "changes": "Two", "needs": "One", "earlier_actions": "None open",
        "complaints": "One", "satisfaction": "3.4 of 4.0",
    } });
    platform.pass("P3D").await;
    assert_eq!(owner.state(&review).await, "overdue");
    owner.take(&review, "freeze", pack).await;
    owner.take(&review, "hold", json!({})).await;
    let minutes = |next: String| json!({ "minutes": "Held with Arno.", "decisions": "Tills first.", "next_at": next });
    owner.refused(&review, "minute", minutes(day(-1)), 409).await;
    owner.take(&review, "minute", minutes(day(180))).await;
    let task = json!({ "title": "Send the figures each month", "assignee": format!("person:{}", owner.number) });
    let _ = owner.door.post(&format!("{review}/tasks"), &task).await.good();
    owner.refused(&review, "close", json!({}), 409).await;
    let _ =
        owner.door.patch(&format!("{review}/tasks/1"), &json!({ "state": "done" })).await.good();
    owner.take(&review, "close", json!({})).await;
    assert_eq!(owner.field(&customer, "is_review_due").await, false);
    let owed = owner.field(&customer, "obligations").await;
    assert_eq!((&owed[0]["done"], &owed[0]["overdue"]), (&json!(1), &json!(false)));

    // What is needed anew is ranked, becomes a requirement, and goes through change control.
    let need =
        |title: &str| json!({ "title": title, "customer": "Arbor Retail", "contact": arno.number });
    let need = [
        arno.open("needs", need("Tills until midnight")).await,
        arno.open("needs", need("Pink tills")).await,
    ];
    let ranked = |value: &str, effort: &str| json!({ "value": value, "effort": effort, "service": "SVC-POS", "service_owner": ines.number });
    let first = relations.take(&need[0], "rank", ranked("high", "low")).await;
    let second = relations.take(&need[1], "rank", ranked("low", "high")).await;
    assert!(first["data"]["rank"].as_i64() < second["data"]["rank"].as_i64());
    relations.take(&need[1], "refuse", json!({ "reason": "It moves no objective." })).await;
    relations.refused(&need[0], "propose", json!({ "requirement": "06:00 to 24:00" }), 403).await;
    ines.take(&need[0], "propose", json!({ "requirement": "Service hours 06:00 to 24:00." })).await;
    platform.pass("PT0S").await;
    let change = changes
        .find("changes", json!({ "source": number(&need[0]) }))
        .await
        .pop()
        .expect("a change");
    assert_eq!(ines.field(&need[0], "change").await, number(&change));
    changes.take(&change, "cancel", json!({ "reason": "Not this year." })).await;
    platform.pass("PT0S").await;
    assert_eq!(ines.state(&need[0]).await, "ranked");
    assert_eq!(ines.field(&need[0], "requirement").await, "Service hours 06:00 to 24:00.");

    // Of 220 users 40 are drawn and asked; 26 answer 3.4, which is too little.
    let survey = json!({ "title": "Third quarter", "customer": "Arbor Retail", "customer_record": number(&customer), "owner": owner.number, "target": 4.0 });
    let survey = relations.open("surveys", survey).await;
    let sent = |sample: u32| json!({ "population": 220, "sample": sample, "seed": "20260701", "method": "Users with a ticket, at random", "closes_at": day(14) });
    owner.refused(&survey, "send", sent(221), 409).await;
    owner.take(&survey, "send", sent(40)).await;
    platform.pass("P15D").await;
    assert_eq!(owner.state(&survey).await, "evaluating");
    owner.refused(&survey, "count", json!({ "answers": 41, "mean": 3.4 }), 409).await;
    let counted = owner.take(&survey, "count", json!({ "answers": 26, "mean": 3.4 })).await;
    assert_eq!(counted["data"]["response_rate"], 65.0);
    let analysis = json!({ "analysis": "The tills are slow at noon." });
    relations.refused(&survey, "analyse", analysis.clone(), 409).await;
    let analysis =
        json!({ "analysis": analysis["analysis"], "improvement": "Faster tills at noon" });
    relations.take(&survey, "analyse", analysis).await;
    platform.pass("PT0S").await;
    let improvement = quality.find("improvements", json!({ "source": number(&survey) })).await;
    let improvement = quality.read(&improvement[0]).await;
    assert_eq!(improvement["data"]["baseline"], "3.4");
    // The next one is owed a year after this one.
    let owed = owner.field(&customer, "obligations").await;
    assert_eq!((&owed[1]["done"], &owed[1]["late"]), (&json!(1), &json!(0)));
    // The other customer's contact sees none of it.
    for record in [&customer, &review, &need[0], &survey] {
        assert_eq!(mia.door.get(record).await.status, 404);
    }
    assert_eq!(mia.door.get("/api/v1/needs").await.good()["items"], Value::Array(Vec::new()));
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

/// Where a platform's clock stands.
pub async fn now(platform: &Platform) -> chrono::DateTime<chrono::Utc> {
    let clock = platform.get("/api/v1/clock").await.good();
    clock["now"].as_str().and_then(|now| now.parse().ok()).expect("a clock")
}

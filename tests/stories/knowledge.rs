//! What the desk learns and hands on: problems with their causes, known errors, articles, and orders that turn out
//! to be something else (catalogue sections 2.24 to 2.27).

use acceptance::{Options, Platform};
use chrono::TimeDelta;
use serde_json::json;

use crate::{
    customers::now,
    hands::{Hand, number},
};

/// Proves: PRB-1, PRB-3, PRB-4, PRB-5, PRB-6, PRB-10
#[tokio::test]
async fn a_problem_has_its_incidents_its_cause_and_what_makes_it_bearable() {
    let platform = Platform::up(Options::manual_clock()).await;
    let agent = Hand::of(&platform, "Lena", &["agent"]).await;
    let paul = Hand::of(&platform, "Paul", &["problem_manager", "agent"]).await;
    let chief = Hand::of(&platform, "Vera", &["executive"]).await;
    let rita = Hand::of(&platform, "Rita", &["release_manager"]).await;
    let review_at = (now(&platform).await + TimeDelta::days(40)).to_rfc3339();
    let incident = |title: &str| json!({ "title": title, "service": "SVC-MAIL", "impact": "low", "urgency": "medium" });
    let mut incidents = Vec::new();
    for title in ["Calendar sync hangs", "Sync hangs again"] {
        incidents.push(agent.open("incidents", incident(title)).await);
    }

    // A record of its own, tied to many incidents, as they are to many problems.
    let problem =
        agent.open("problems", json!({ "title": "Sync hangs", "origin": "proactive" })).await;
    let other = agent.open("problems", json!({ "title": "Mail is slow" })).await;
    for (from, to) in
        [(&problem, &incidents[0]), (&problem, &incidents[1]), (&other, &incidents[0])]
    {
        let link = json!({ "relation": "causes", "to": number(to) });
        let _ = paul.door.post(&format!("{from}/links"), &link).await.good();
    }
    assert_eq!(agent.ties(&incidents[0]).await.len(), 2);
    assert_eq!(agent.ties(&problem).await.len(), 2);

    paul.refused(&problem, "assess", json!({ "impact": "medium" }), 422).await;
    let assessed = json!({ "impact": "medium", "urgency": "medium", "assignee": paul.number, "service": "SVC-MAIL" });
    assert_eq!(paul.take(&problem, "assess", assessed.clone()).await["data"]["priority"], 3);
    paul.take(&problem, "escalate", json!({ "reason": "The maker does not answer." })).await;
    paul.take(&problem, "analyse", json!({})).await;
    platform.pass("P20D").await;
    assert_eq!(paul.field(&problem, "is_analysis_late").await, true);

    // A cause has its method and evidence; until it is fixed somebody owns what makes it hurt less.
    let known = json!({
        "method": "five_whys", "root_cause": "A lock is never given back.", "evidence": "Traces.", "workaround": "Restart the service.",
        "measures": "It is restarted at night.", "measures_owner": paul.number, "review_at": review_at,
    });
    for part in ["method", "evidence", "measures", "measures_owner"] {
        let mut less = known.clone();
        less.as_object_mut().expect("fields").remove(part);
        paul.refused(&problem, "know", less, 422).await;
    }
    paul.take(&problem, "know", known).await;
    platform.pass("P21D").await;
    assert_eq!(paul.field(&problem, "is_past_review").await, true);

    // Its known error is found by its words while an incident is logged, and its use is counted.
    let error = paul
        .find("known-errors", json!({ "problem": number(&problem) }))
        .await
        .pop()
        .expect("a known error");
    paul.refused(&error, "publish", json!({ "workaround": "" }), 422).await;
    // The day on which its problem was to be looked at is over.
    let review_at = (now(&platform).await + TimeDelta::days(40)).to_rfc3339();
    paul.take(&error, "publish", json!({ "review_at": review_at })).await;
    let found = agent.door.get("/api/v1/known-errors?q=lock").await.good();
    assert_eq!(found["items"][0]["number"], number(&error));
    agent.take(&error, "hit", json!({ "incident": number(&incidents[1]) })).await;
    assert_eq!(agent.field(&error, "hits").await, 1);
    // What is known of a release at its go-live is one, too.
    let brought = json!({ "title": "Two clicks instead of one", "release": "REL0000001", "workaround": "none known", "owner": rita.number, "review_at": review_at });
    let brought = rita.open("known-errors", brought).await;
    paul.take(&brought, "publish", json!({})).await;

    // Who bears it for good has the authority, gives a reason, and looks again.
    let borne = json!({ "reason": "The service ends in a year.", "review_at": review_at });
    paul.refused(&problem, "accept", borne.clone(), 403).await;
    chief.take(&problem, "accept", borne).await;
    paul.take(&other, "assess", assessed).await;
    paul.take(&other, "drop", json!({ "reason": "It was the network." })).await;
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

/// Proves: KNW-1, KNW-2, KNW-5, INC-2, INC-9, KNW-4
#[tokio::test]
async fn what_was_learnt_is_written_checked_used_and_looked_at_again() {
    let platform = Platform::up(Options::manual_clock()).await;
    let agent = Hand::of(&platform, "Lena", &["agent"]).await;
    let kim = Hand::of(&platform, "Kim", &["knowledge_manager"]).await;
    let reviewer = Hand::of(&platform, "Rea", &[]).await;
    let user = Hand::of(&platform, "Uma", &["requester"]).await;
    let review_at = (now(&platform).await + TimeDelta::days(30)).to_rfc3339();
    let incident = json!({ "title": "No sound in meetings", "service": "SVC-MEET", "category": "software", "impact": "low", "urgency": "low" });
    let incident = agent.open("incidents", incident).await;
    agent.take(&incident, "assign", json!({ "group": "Desk", "assignee": agent.number })).await;
    agent.take(&incident, "start", json!({})).await;
    // It ends with a code, a text, and its category as it is seen by then, beside the first.
    agent.refused(&incident, "resolve", json!({ "resolution_code": "fixed" }), 422).await;
    let resolved = json!({ "resolution_code": "fixed", "resolution": "Choose the other microphone.", "closure_category": "hardware", "cause_category": "device" });
    let resolved = agent.take(&incident, "resolve", resolved).await;
    assert_eq!(
        (&resolved["data"]["category"], &resolved["data"]["closure_category"]),
        (&json!("software"), &json!("hardware"))
    );

    // One step makes an article of it; who wrote it does not publish it.
    agent.take(&incident, "teach", json!({})).await;
    platform.pass("P8D").await;
    assert_eq!(agent.state(&incident).await, "closed");
    let article = agent
        .find("articles", json!({ "source": number(&incident) }))
        .await
        .pop()
        .expect("an article");
    assert!(
        agent
            .ties(&article)
            .await
            .contains(&("learnt_from".to_owned(), number(&incident).to_owned()))
    );
    assert_eq!(agent.field(&article, "body").await, "Choose the other microphone.");
    agent.amend(&article, json!({ "for_whom": "everybody" })).await;
    user.refused(&article, "use", json!({}), 404).await;
    agent.refused(&article, "submit", json!({ "review_at": review_at }), 422).await;
    agent
        .take(&article, "submit", json!({ "reviewer": reviewer.number, "review_at": review_at }))
        .await;
    agent.refused(&article, "publish", json!({}), 403).await;
    reviewer.take(&article, "return", json!({ "reason": "A picture would help." })).await;
    agent.take(&article, "submit", json!({})).await;
    reviewer.take(&article, "publish", json!({})).await;
    user.take(&article, "use", json!({})).await;
    user.take(&article, "praise", json!({})).await;
    user.take(&article, "fault", json!({ "feedback": "Which one is the other?" })).await;
    let used = agent.read(&article).await;
    let counted = ["uses", "helpful", "unhelpful"].map(|name| used["data"][name].clone());
    assert_eq!(counted, [json!(1), json!(1), json!(1)]);
    platform.pass("P31D").await;
    assert_eq!(agent.state(&article).await, "review_due");
    platform.pass("P31D").await;
    assert_eq!(agent.field(&article, "is_past_review").await, true);
    // It is looked at whether it holds, what those say who were not helped, and who reads it.
    let again = json!({ "review_at": (now(&platform).await + TimeDelta::days(90)).to_rfc3339() });
    kim.refused(&article, "confirm", again.clone(), 422).await;
    let mut checked = again;
    checked["checked"] = json!({ "relevance": "The device is still sold.", "usability": "The other one is named now." });
    kim.refused(&article, "confirm", checked.clone(), 422).await;
    checked["checked"]["access"] = json!("Everybody who has one.");
    let confirmed = kim.take(&article, "confirm", checked).await;
    assert_eq!(
        (&confirmed["state"], &confirmed["data"]["unhelpful"]),
        (&json!("published"), &json!(0))
    );
    // Whoever asks finds what is for them, and nothing else.
    let search = "/api/v1/articles?q=microphone";
    let found = async |door: &acceptance::Door| {
        door.get(search).await.good()["items"].as_array().map(Vec::len)
    };
    assert_eq!((found(&user.door).await, found(&agent.door).await), (Some(1), Some(1)));
    agent.amend(&article, json!({ "for_whom": "staff" })).await;
    assert_eq!((found(&user.door).await, found(&agent.door).await), (Some(0), Some(1)));
    kim.take(&article, "retire", json!({ "reason": "The device is gone." })).await;
    user.refused(&article, "use", json!({}), 404).await;
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

/// Proves: REQ-1, REQ-3, REQ-5, REQ-7
#[tokio::test]
async fn an_order_is_no_incident_and_an_access_ends() {
    let platform = Platform::up(Options::manual_clock()).await;
    let agent = Hand::of(&platform, "Lena", &["agent"]).await;
    let uma = Hand::of(&platform, "Uma", &["requester"]).await;
    let boss = Hand::of(&platform, "Bob", &[]).await;
    let doer = Hand::of(&platform, "Fil", &[]).await;
    let until = |days: i64, began: chrono::DateTime<chrono::Utc>| {
        (began + TimeDelta::days(days)).to_rfc3339()
    };

    // What was reported as one turns out to be the other, both ways, each tied to what it was.
    let report = json!({ "title": "I have no printer", "service": "SVC-PRINT", "impact": "low", "urgency": "low" });
    let report = uma.open("incidents", report).await;
    agent.take(&report, "turn_into_request", json!({ "reason": "She never had one." })).await;
    let order = agent
        .find("requests", json!({ "title": "I have no printer" }))
        .await
        .pop()
        .expect("a request");
    assert!(agent.ties(&order).await.contains(&("was".to_owned(), number(&report).to_owned())));
    assert_eq!(uma.state(&order).await, "draft");
    uma.take(&order, "submit", json!({})).await;
    agent.take(&order, "turn_into_incident", json!({ "reason": "It is broken after all." })).await;
    let incidents = agent.find("incidents", json!({ "title": "I have no printer" })).await;
    assert_eq!(incidents.len(), 2);
    assert!(
        agent.ties(&incidents[1]).await.contains(&("was".to_owned(), number(&order).to_owned()))
    );

    // An order is approved, carried out by instructions in steps, and seen by who ordered it.
    let access = json!({ "title": "Access to payroll", "service": "SVC-PAY", "item": "access", "grants_until": until(60, now(&platform).await), "form": { "why": "Audit" } });
    let access = uma.open("requests", access).await;
    uma.take(&access, "submit", json!({ "priority": 3 })).await;
    uma.refused(&access, "ask", json!({ "is_entitled": true, "approver": boss.number }), 403).await;
    agent.take(&access, "ask", json!({ "is_entitled": true, "approver": boss.number })).await;
    boss.vote(&access, "approve").await;
    assert_eq!(uma.state(&access).await, "approved");
    agent.refused(&access, "start", json!({ "fulfiller": doer.number }), 422).await;
    agent
        .take(&access, "start", json!({ "fulfiller": doer.number, "instructions": "Handbook 12" }))
        .await;
    let tasks = format!("{access}/tasks");
    let _ = doer.door.post(&tasks, &json!({ "title": "Make the account" })).await.good();
    let _ = doer.door.post(&tasks, &json!({ "title": "Hand it over", "after": [1] })).await.good();
    let done = json!({ "state": "done" });
    assert_eq!(doer.door.patch(&format!("{tasks}/2"), &done).await.status, 409);
    let _ = doer.door.patch(&format!("{tasks}/1"), &done).await.good();
    doer.refused(&access, "fulfil", json!({ "outcome": "She has it." }), 409).await;
    let _ = doer.door.patch(&format!("{tasks}/2"), &done).await.good();
    doer.take(&access, "fulfil", json!({ "outcome": "She has it." })).await;
    uma.refused(&access, "close", json!({}), 409).await;
    uma.take(&access, "grant", json!({})).await;

    // It ends by itself, is certified anew for a time, and is taken back.
    platform.pass("P61D").await;
    assert_eq!(agent.field(&access, "is_access_over").await, true);
    let began = now(&platform).await;
    let anew = |days| json!({ "grants_until": until(days, began), "reason": "The audit goes on." });
    uma.refused(&access, "recertify", anew(30), 403).await;
    boss.refused(&access, "recertify", anew(-1), 409).await;
    boss.take(&access, "recertify", anew(30)).await;
    assert_eq!(agent.field(&access, "is_access_over").await, false);
    agent.take(&access, "revoke", json!({ "reason": "She leaves." })).await;
    assert_eq!(uma.state(&access).await, "closed");
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

//! What the management system does again and again: it audits all of itself, keeps its documents, tells people and
//! looks at what its records show (catalogue sections 2.2, 2.3, 2.7 and 2.8).

use acceptance::{Options, Platform};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    customers::now,
    hands::{Hand, number},
};

/// Those who keep the management system.
struct Keepers {
    sam: Hand,
    chief: Hand,
    greta: Hand,
    owner: Hand,
}

/// Proves: CHK-3, DOC-5, MGT-6, IMP-7, OPS-4, CHG-12, PRB-9, SEC-7, CAP-7
#[tokio::test]
async fn what_comes_back_is_covered_present_told_and_looked_at() {
    let platform = Platform::up(Options::manual_clock()).await;
    let keepers = Keepers {
        sam: Hand::of(&platform, "Sam", &["service_manager"]).await,
        chief: Hand::of(&platform, "Vera", &["executive"]).await,
        greta: Hand::of(&platform, "Greta", &["audit_manager", "document_controller"]).await,
        owner: Hand::of(&platform, "Otto", &[]).await,
    };
    clauses_are_audited(&platform, &keepers).await;
    documents_are_there(&platform, &keepers).await;
    people_are_told(&platform, &keepers).await;
    what_changed_by_itself_is_looked_at(&platform, &keepers).await;
    records_are_looked_at(&platform, &keepers).await;
    teams_are_counted(&platform).await;
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

/// The programme of a cycle counts what its audits covered, and names what they did not.
async fn clauses_are_audited(platform: &Platform, keepers: &Keepers) {
    let (greta, chief) = (&keepers.greta, &keepers.chief);
    let began = now(platform).await;
    let day = |days: i64| (began + TimeDelta::days(days)).to_rfc3339();
    let programme = greta.open("audit-programmes", json!({ "title": "This year" })).await;
    let whole = greta.field(&programme, "gaps").await;
    let asked: Vec<Value> = whole.as_array().expect("clauses").clone();
    assert!(asked.len() > 25 && asked.contains(&json!("8.5")), "{asked:?}");
    let plan = json!({
        "ends_at": day(60), "criteria": "The standard.", "method": "Samples and talks.",
        "planned": [{ "process": "change", "clauses": ["8.5.1"], "importance": "high", "earlier": "Two findings", "at": day(10) }],
    });
    greta.refused(&programme, "approve", plan.clone(), 403).await;
    chief.take(&programme, "approve", plan).await;
    let lead = Hand::of(platform, "Lea", &[]).await;
    let mut rest = asked.clone();
    rest.retain(|clause| clause != "10.2");
    for clauses in [vec![json!("8.5.1")], rest] {
        let audit = json!({
            "title": "Audit", "processes": ["change"], "clauses": clauses, "programme": number(&programme), "lead_auditor": lead.number,
            "owners": [keepers.sam.number], "auditees": [keepers.sam.number], "criteria": "The standard.", "method": "A sample",
            "starts_at": day(10), "seed": "20260701", "checklist": [{ "clause": "8.5.1", "question": "Who approved it?" }],
        });
        let audit = greta.open("audits", audit).await;
        greta.take(&audit, "prepare", json!({})).await;
        lead.take(&audit, "begin", json!({})).await;
        lead.take(&audit, "report", json!({ "report": "All as written." })).await;
        greta.take(&audit, "follow", json!({})).await;
        greta.take(&audit, "close", json!({ "conclusion": "It conforms." })).await;
        let gaps = greta.field(&programme, "gaps").await;
        assert!(!gaps.as_array().expect("clauses").contains(&json!("8.5")), "{gaps}");
    }
    assert_eq!(greta.field(&programme, "gaps").await, json!(["10.2"]));
    platform.pass("P61D").await;
    assert_eq!(greta.field(&programme, "is_overdue").await, true);
    let done = json!({ "conclusion": "Nearly all." });
    greta.refused(&programme, "close", done, 409).await;
    let excused =
        json!({ "conclusion": "Nearly all.", "exception": "10.2 comes first next year." });
    greta.take(&programme, "close", excused).await;
}

/// The required set, with what is missing and what is past its review.
async fn documents_are_there(platform: &Platform, keepers: &Keepers) {
    let (greta, chief) = (&keepers.greta, &keepers.chief);
    let began = now(platform).await;
    let day = |days: i64| (began + TimeDelta::days(days)).to_rfc3339();
    let register = greta.open("document-registers", json!({ "title": "All of it" })).await;
    let missing = greta.field(&register, "missing").await;
    let all = missing.as_array().expect("keys").len();
    let writer = Hand::of(platform, "Wil", &[]).await;
    let policy = json!({
        "title": "How we improve", "kind": "policy", "key": "improvement_policy", "register": number(&register), "author": writer.number,
        "reviewers": [chief.number], "approver": chief.number, "content_hash": "sha256:7f83b1657ff1fc53", "review_at": day(30),
    });
    let policy = writer.open("documents", policy).await;
    writer.take(&policy, "submit", json!({})).await;
    chief.vote(&policy, "approve").await;
    greta.take(&policy, "publish", json!({ "valid_from": day(0) })).await;
    let missing = greta.field(&register, "missing").await;
    let missing = missing.as_array().expect("keys");
    assert!(missing.len() == all - 1 && !missing.contains(&json!("improvement_policy")));
    assert_eq!(greta.field(&register, "expired").await, json!([]));
    platform.pass("P40D").await;
    assert_eq!(greta.field(&register, "expired").await, json!(["improvement_policy"]));
    let still = json!({ "review_at": day(400), "reason": "It still holds." });
    greta.take(&policy, "confirm", still).await;
    assert_eq!(greta.field(&register, "expired").await, json!([]));
    greta.take(&policy, "withdraw", json!({ "reason": "It is part of the plan now." })).await;
    let missing = greta.field(&register, "missing").await;
    assert!(missing.as_array().expect("keys").contains(&json!("improvement_policy")));
}

/// What is told to whom is planned, comes back, and is on record each time.
async fn people_are_told(platform: &Platform, keepers: &Keepers) {
    let (sam, chief, owner) = (&keepers.sam, &keepers.chief, &keepers.owner);
    let starts = now(platform).await.to_rfc3339();
    let report = json!({ "title": "What became better", "owner": owner.number, "every": "P1M" });
    let report = sam.open("communications", report).await;
    let plan = json!({ "subject": "Improvements and what they brought.", "audience_text": "Customers and staff", "channel": "mail", "starts_at": starts });
    chief.refused(&report, "agree", json!({ "channel": "mail" }), 422).await;
    sam.refused(&report, "agree", plan.clone(), 403).await;
    chief.take(&report, "agree", plan).await;
    platform.pass("P40D").await;
    let duties = owner.door.get("/api/v1/duties").await.good();
    let theirs = duties["items"].as_array().expect("duties").iter();
    let late = theirs.filter(|duty| duty["record"]["number"] == number(&report));
    assert!(
        late.clone().count() == 1 && late.clone().all(|one| one["duties"][0]["overdue"] == true)
    );
    let told = json!({ "message": "Three of four targets were reached.", "reached": "Mia, Arno and 40 of 41 people" });
    let told = owner.take(&report, "tell", told).await;
    assert_eq!(told["data"]["times"], 1);
    let duties = owner.door.get("/api/v1/duties").await.good();
    assert!(!duties.to_string().contains("\"overdue\":true"), "{duties}");
}

/// A role that lapses is a change that nobody meant: its consequences are judged by one, and borne or mended by a
/// change. What is meant names its change.
async fn what_changed_by_itself_is_looked_at(platform: &Platform, keepers: &Keepers) {
    let (sam, chief, owner) = (&keepers.sam, &keepers.chief, &keepers.owner);
    let began = now(platform).await;
    let day = |days: i64| (began + TimeDelta::days(days)).to_rfc3339();
    let role = json!({ "title": "Owner of changes", "role": "process_owner", "area": "change", "holder": owner.number, "deputy": sam.number });
    let role = sam.open("appointments", role).await;
    let appointed = json!({ "authority": "Classes 1 and 2.", "competences": [{ "name": "Changes", "is_met": true }], "ends_at": day(5) });
    chief.take(&role, "appoint", appointed).await;
    owner.take(&role, "accept", json!({})).await;
    platform.pass("P6D").await;
    let noticed = sam.find("unintended-changes", json!({ "source": number(&role) })).await;
    let noticed = noticed.first().expect("nobody holds it any more");
    assert_eq!(sam.field(noticed, "about").await, "process_owner");
    platform.pass("P20D").await;
    assert_eq!(sam.field(noticed, "is_overdue").await, true);
    sam.amend(noticed, json!({ "owner": owner.number })).await;
    owner.refused(noticed, "review", json!({ "is_adverse": true }), 422).await;
    let judged = json!({ "is_adverse": true, "consequences": "Nobody authorises small changes." });
    owner.take(noticed, "review", judged).await;
    let accepted = json!({ "reason": "It is not bad." });
    sam.refused(noticed, "accept", accepted, 409).await;
    owner.refused(noticed, "mend", json!({ "action": "He is appointed again." }), 422).await;
    let mended = json!({ "action": "He is appointed again.", "change": "CHG0000001" });
    owner.take(noticed, "mend", mended).await;
    sam.take(noticed, "close", json!({ "evidence": "He authorised two today." })).await;

    let writer = Hand::of(platform, "Wim", &[]).await;
    let meant = json!({
        "title": "How changes are made", "kind": "procedure", "author": writer.number, "reviewers": [chief.number], "approver": chief.number,
        "content_hash": "sha256:7f83b1657ff1fc53", "review_at": day(300), "version": 2, "replaces": "DOC0000001",
    });
    let meant = writer.open("documents", meant).await;
    writer.take(&meant, "submit", json!({})).await;
    assert_eq!(chief.try_vote(&meant, "approve").await.status, 409);
    writer.amend(&meant, json!({ "change": "CHG0000001" })).await;
    chief.vote(&meant, "approve").await;
}

/// Trends are worked out from records at their interval, and what they show becomes an improvement.
async fn records_are_looked_at(platform: &Platform, keepers: &Keepers) {
    let (sam, owner) = (&keepers.sam, &keepers.owner);
    let omar = Hand::of(platform, "Omar", &["change_manager"]).await;
    let paul = Hand::of(platform, "Paul", &["problem_manager"]).await;
    let sol = Hand::of(platform, "Sol", &["security_manager"]).await;
    let from = now(platform).await;
    for kind in ["normal", "normal", "normal", "emergency"] {
        let change = json!({ "title": "A change", "service": "SVC-PAY", "type": kind });
        omar.open("changes", change).await;
    }
    let problem = paul.open("problems", json!({ "title": "It hangs", "service": "SVC-PAY" })).await;
    paul.take(
        &problem,
        "assess",
        json!({ "impact": "low", "urgency": "low", "assignee": paul.number }),
    )
    .await;
    let incident = json!({ "title": "Phishing", "category": "security", "impact": "high", "urgency": "low", "is_security": true });
    sol.open("incidents", incident).await;
    platform.pass("P31D").await;
    let to = now(platform).await;
    // Each figure with the question that lists its records, and how many these are.
    type Figures = &'static [(&'static str, &'static str, usize)];
    let subjects: [(&str, &Hand, Figures); 3] = [
        (
            "changes",
            &omar,
            &[
                ("volume", "changes", 4),
                ("standard", "changes?filter=record.type%20%3D%3D%20'standard'", 0),
                ("normal", "changes?filter=record.type%20%3D%3D%20'normal'", 3),
                ("emergency", "changes?filter=record.type%20%3D%3D%20'emergency'", 1),
                ("failures", "changes?filter=record.outcome%20%3D%3D%20'failed_backed_out'", 0),
            ],
        ),
        (
            "problems",
            &paul,
            &[
                ("opened", "problems", 1),
                ("resolved", "problems?filter=record.state%20%3D%3D%20'closed'", 0),
                ("recurred", "problems?filter=record.recurrences%20%3E%200", 0),
            ],
        ),
        (
            "security",
            &sol,
            &[
                ("volume", "incidents?filter=record.is_security%20%3D%3D%20'true'", 1),
                ("types", "incidents?filter=record.category%20%3D%3D%20'security'", 1),
                ("high_impact", "incidents?filter=record.priority%20%3C%3D%203", 1),
            ],
        ),
    ];
    for (subject, expert, asked) in subjects {
        let analysis = json!({ "title": subject, "subject": subject, "owner": owner.number, "every": "P1M", "starts_at": from.to_rfc3339() });
        let analysis = expert.open("analyses", analysis).await;
        sam.take(&analysis, "begin", json!({})).await;
        // The figures are counted from the records that their questions list.
        let mut figures = Vec::new();
        for (name, question, expected) in asked {
            let source = format!("/api/v1/{question}");
            let found = expert.door.get(&source).await.good();
            let count = found["items"].as_array().map_or(0, Vec::len);
            assert_eq!(count, *expected, "{source}");
            figures.push(json!({ "name": name, "value": count, "source": source }));
        }
        let early = json!({ "from": from.to_rfc3339(), "to": (to + TimeDelta::days(1)).to_rfc3339(), "figures": figures, "finding": "-" });
        owner.refused(&analysis, "analyse", early, 409).await;
        // What is counted of a subject is laid down; without one of it there is no analysis.
        let less = json!({ "from": from.to_rfc3339(), "to": to.to_rfc3339(), "figures": figures[1..], "finding": "-" });
        owner.refused(&analysis, "analyse", less, 409).await;
        let seen = json!({
            "from": from.to_rfc3339(), "to": to.to_rfc3339(), "figures": figures, "finding": "One of four.",
            "improvement": format!("Less of it: {subject}"),
        });
        owner.take(&analysis, "analyse", seen).await;
        let improvement = sam.find("improvements", json!({ "source": number(&analysis) })).await;
        assert_eq!(sam.field(&improvement[0], "title").await, format!("Less of it: {subject}"));
        // What security shows is for those who answer for it.
        let is_open = omar.door.get(&analysis).await.status == 200;
        assert_eq!(is_open, subject != "security");
    }
}

/// What came to a team, what it finished, and what still waits, how long.
async fn teams_are_counted(platform: &Platform) {
    let agent = Hand::of(platform, "Lena", &["agent", "incident_manager"]).await;
    let from = now(platform).await;
    let mut mail = Vec::new();
    for group in ["Mail", "Mail", "Mail", "Network"] {
        let incident = json!({ "title": "It hangs", "impact": "low", "urgency": "low" });
        let incident = agent.open("incidents", incident).await;
        agent.take(&incident, "assign", json!({ "group": group })).await;
        mail.push(incident);
    }
    platform.pass("PT1H").await;
    agent.take(&mail[0], "start", json!({})).await;
    let done = json!({ "resolution_code": "fixed", "resolution": "It runs." });
    agent.take(&mail[0], "resolve", done).await;
    agent.take(&mail[0], "close", json!({})).await;
    platform.pass("PT1H").await;
    let to = now(platform).await;
    let time = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let edges = format!("{},{}", time(from), time(to + TimeDelta::seconds(1)));
    let of_mail = "record.group%20%3D%3D%20'Mail'";
    for (of, expected) in [("opened_at", 3), ("closed_at", 1)] {
        let series =
            format!("/api/v1/processes/incident/series?of={of}&edges={edges}&filter={of_mail}");
        let series = agent.door.get(&series).await.good();
        assert_eq!(series["spans"][0]["count"], expected, "{of}: {series}");
    }
    let backlog =
        format!("?filter={of_mail}%20%26%26%20record.state%20!%3D%20'closed'&sort=opened_at");
    let backlog = agent.door.all("/api/v1/incidents", &backlog).await;
    assert!(backlog.len() == 2 && backlog.iter().all(|one| one["opened_at"].is_string()));
}

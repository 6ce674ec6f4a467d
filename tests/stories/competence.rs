//! What people must know: for the role that they hold, before something new counts, and of what they do for the
//! management system; and what the documents of the required set must say (catalogue sections 2.4, 2.5 and 4).

use acceptance::{Options, Platform};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    customers::now,
    hands::{Hand, number},
};

/// Proves: CAT-1, CAT-2, CAT-4, CAT-5, CAT-6
#[tokio::test]
async fn people_know_what_their_role_asks_and_what_is_new() {
    let platform = Platform::up(Options::manual_clock()).await;
    let sam = Hand::of(&platform, "Sam", &["service_manager"]).await;
    let chief = Hand::of(&platform, "Vera", &["executive"]).await;
    let keeper = Hand::of(&platform, "Doc", &["document_controller"]).await;
    let trainer = Hand::of(&platform, "Tia", &["training_manager"]).await;
    let writer = Hand::of(&platform, "Wil", &[]).await;
    let readers = [Hand::of(&platform, "Lena", &[]).await, Hand::of(&platform, "Lou", &[]).await];
    let began = now(&platform).await;
    let day = |days: i64| (began + TimeDelta::days(days)).to_rfc3339();

    // A role has a profile; who lacks something of it is not appointed, and who loses it is flagged.
    let role = json!({ "title": "Auditor of changes", "role": "lead_auditor", "area": "change", "holder": readers[0].number });
    let role = sam.open("appointments", role).await;
    let held = |until: String, names: &[&str]| -> Value {
        let one = |name: &&str| json!({ "name": name, "kind": "training", "proof": "Certificate 4711", "is_met": true, "until": until });
        names.iter().map(one).collect()
    };
    let both = ["ISO 20000 auditor", "Interviews"];
    let with = |competences: Value| {
        json!({
            "deputy": readers[1].number, "authority": "Asks everybody.", "ends_at": day(300), "competent_until": day(100),
            "competences": competences,
        })
    };
    chief.refused(&role, "appoint", with(held(day(100), &both[..1])), 409).await;
    chief.refused(&role, "appoint", with(held(day(-1), &both)), 409).await;
    sam.amend(&role, json!({ "competences": held(day(100), &both[..1]) })).await;
    assert_eq!(sam.field(&role, "missing").await, json!(["Interviews"]));
    chief.take(&role, "appoint", with(held(day(100), &both))).await;
    assert_eq!(sam.field(&role, "missing").await, json!([]));
    readers[0].take(&role, "accept", json!({})).await;

    // Before a document is published each of its readers has something to learn; so has whom a release names.
    let document = json!({
        "title": "How changes are made", "kind": "procedure", "author": writer.number, "reviewers": [chief.number],
        "approver": chief.number, "content": "By the book.", "content_hash": "sha256:7f83b1657ff1fc53", "review_at": day(300),
        "readers": [readers[0].number, readers[1].number], "training": "What is new in chapter 3",
    });
    let document = writer.open("documents", document).await;
    writer.take(&document, "submit", json!({})).await;
    chief.vote(&document, "approve").await;
    platform.pass("PT0S").await;
    assert_eq!(keeper.state(&document).await, "approved");
    let asked = json!({ "asked_by": number(&document) });
    let needs = trainer.find("training-needs", asked).await;
    assert_eq!(needs.len(), 2);
    for (need, reader) in needs.iter().zip(&readers) {
        assert_eq!(trainer.field(need, "person").await, reader.number);
        assert_eq!(reader.state(need).await, "identified");
    }
    assert_eq!(
        trainer.ties(&needs[0]).await,
        [("asked_for_by".to_owned(), number(&document).to_owned())]
    );
    let releases = Hand::of(&platform, "Rita", &["release_manager"]).await;
    let release = json!({
        "title": "Tills 5", "service": "SVC-POS", "kind": "minor", "method": "phased", "contains": ["CHG0000001"],
        "items": [{ "item": "CI0000001", "version": "5" }], "backout": "Till 4.", "backout_owner": sam.number, "decide_by": day(3),
        "training": "The new receipt", "trainees": [readers[1].number], "deployer": sam.number,
    });
    let release = releases.open("releases", release).await;
    releases.take(&release, "build", json!({})).await;
    let built = json!({ "build_hash": "sha256:0501", "tester": writer.number });
    releases.take(&release, "test", built).await;
    let met = json!({ "acceptance": [{ "criterion": "It prints", "is_met": true }], "rehearsal": "Ten minutes." });
    writer.take(&release, "accept", met).await;
    releases.vote(&release, "authorise").await;
    platform.pass("PT0S").await;
    let taught = trainer.find("training-needs", json!({ "asked_by": number(&release) })).await;
    assert_eq!(trainer.field(&taught[0], "training").await, "The new receipt");

    // Who has read says what they do for it, and what would follow if they did not.
    keeper.take(&document, "publish", json!({ "valid_from": day(1) })).await;
    let own = json!({ "contribution": "I open no change without a plan.", "effect": "Tills stand still." });
    readers[0].refused(&document, "affirm", own.clone(), 409).await;
    readers[0].take(&document, "acknowledge", json!({})).await;
    let missing = json!({ "contribution": "I open no change without a plan." });
    readers[0].refused(&document, "affirm", missing, 422).await;
    readers[0].take(&document, "affirm", own).await;
    let affirmed = keeper.field(&document, "affirmed").await;
    assert_eq!(
        (affirmed.as_array().map(Vec::len), &affirmed[0]["effect"]),
        (Some(1), &json!("Tills stand still."))
    );

    platform.pass("P101D").await;
    assert_eq!(sam.field(&role, "is_unqualified").await, true);
    let again = |until: String| json!({ "competences": held(until.clone(), &both), "competent_until": until });
    sam.refused(&role, "requalify", again(day(100)), 409).await;
    sam.take(&role, "requalify", again(day(400))).await;
    assert_eq!(sam.field(&role, "is_unqualified").await, false);
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

/// Proves: PLN-1, CAP-2, AVL-7, FIN-1
#[tokio::test]
async fn a_plan_that_lacks_a_section_is_not_approved() {
    let platform = Platform::up(Options::manual_clock()).await;
    let writer = Hand::of(&platform, "Wil", &[]).await;
    let chief = Hand::of(&platform, "Vera", &["executive"]).await;
    let keeper = Hand::of(&platform, "Doc", &["document_controller"]).await;
    let began = now(&platform).await;
    let day = |days: i64| (began + TimeDelta::days(days)).to_rfc3339();
    let asked: [(&str, &[&str]); 4] = [
        (
            "service_management_plan",
            &[
                "services",
                "limitations",
                "obligations",
                "objectives",
                "roles",
                "processes",
                "resources",
                "tools",
                "other_parties",
                "risks",
                "measurement",
            ],
        ),
        ("capacity_plan", &["use", "forecast", "effects", "thresholds", "lead_times", "cost"]),
        ("availability_plan", &["targets", "risks", "improvements", "cost"]),
        (
            "cost_model",
            &[
                "assets",
                "licences",
                "people",
                "external_services",
                "shared_resources",
                "overheads",
                "insurance",
                "facilities",
            ],
        ),
    ];
    for (key, sections) in asked {
        let said = |text: &str| -> Value {
            let last = sections.len() - 1;
            let one = |(place, name): (usize, &&str)| json!({ "name": name, "content": if place == last { text } else { "As agreed." } });
            sections.iter().enumerate().map(one).collect()
        };
        let plan = json!({
            "title": key, "key": key, "kind": "plan", "author": writer.number, "reviewers": [chief.number], "approver": chief.number,
            "content_hash": "sha256:7f83b1657ff1fc53", "review_at": day(364), "sections": said(""),
        });
        let plan = writer.open("documents", plan).await;
        writer.take(&plan, "submit", json!({})).await;
        assert_eq!(chief.try_vote(&plan, "approve").await.status, 409, "{key}");
        writer.amend(&plan, json!({ "sections": said("EUR 40 000 a year") })).await;
        chief.vote(&plan, "approve").await;
        keeper.take(&plan, "publish", json!({ "valid_from": day(0) })).await;
    }
    // Each is looked at again within a year.
    platform.pass("P365D").await;
    let due = keeper.find("documents", json!({ "is_past_review": true })).await;
    assert_eq!(due.len(), 4);
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

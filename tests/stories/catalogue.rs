//! The service catalogue: each audience its part, changed through change control, held beside what is so.

use acceptance::{Options, Platform};
use serde_json::{Value, json};

use crate::promises::{AT, Parties, mailbox};

/// Proves: SCT-2, SCT-3, SCT-5
#[tokio::test]
async fn each_audience_sees_its_part_and_what_does_not_fit_is_told() {
    let platform = Platform::up(Options::default().with(&["--clock", AT])).await;
    let parties = Parties::of(&platform).await;
    let manager = &parties.manager;
    let user = platform.person("Rita", &["requester"]).await;
    let agent = platform.person("Ada", &["agent"]).await;

    // What can be ordered says all that ordering it needs.
    let entry = |item: Value| {
        json!({
            "title": "Mail", "code": "SVC-MAIL", "description": "Electronic mail", "hours": "office",
            "customers": ["Arbor Retail"], "depends_on": ["SVC-NET"], "criticality": 2,
            "request_items": [item],
        })
    };
    for missing in ["form", "approval", "fulfilment", "within", "price"] {
        let mut item = mailbox();
        item.as_object_mut().expect("fields").remove(missing);
        let refused = manager.post("/api/v1/services", &entry(item)).await;
        assert_eq!(refused.status, 422, "{missing}");
    }
    let service = manager.post("/api/v1/services", &entry(mailbox())).await.good();
    let path = format!("/api/v1/services/{}", service["number"].as_str().expect("a number"));
    let agreement = json!({ "service": "SVC-MAIL", "service_record": service["number"] });
    let agreement = parties.sign(&platform, agreement).await;
    let take = async |transition: &str, with: Value| {
        manager.post(&format!("{path}/transitions/{transition}"), &with).await
    };
    assert_eq!(take("launch", json!({ "change": "CHG0000001" })).await.status, 200);

    // Users see what they can order, customers what was agreed, and staff what provides it.
    let seen = async |door: &acceptance::Door, view: &str| {
        let catalogue = door.get(&format!("/api/v1/catalogue?view={view}")).await.good();
        catalogue["items"][0].clone()
    };
    assert_eq!(user.get(&path).await.status, 404);
    assert_eq!(user.get("/api/v1/catalogue?view=customer").await.status, 403);
    assert_eq!(user.get("/api/v1/catalogue?view=technical").await.status, 403);
    let (for_users, for_customers, for_staff) = (
        seen(&user, "user").await,
        seen(&agent, "customer").await,
        seen(&agent, "technical").await,
    );
    let fields = |entry: &Value| {
        ["request_items", "agreement", "depends_on"].map(|name| entry.get(name).is_some())
    };
    assert_eq!(fields(&for_users), [true, false, false]);
    assert_eq!(fields(&for_customers), [true, true, false]);
    assert_eq!(fields(&for_staff), [true, true, true]);
    assert_eq!(for_users["request_items"][0], mailbox());

    // An entry changes by naming the change that authorises it, and in no other way.
    let edit = manager.request(reqwest::Method::PATCH, &path).json(&json!({ "title": "Post" }));
    assert_eq!(manager.try_send(edit).await.expect("an answer").status, 403);
    assert_eq!(take("revise", json!({ "title": "Post" })).await.status, 422);
    let faults = async || {
        let report = agent.get("/api/v1/catalogue/alignment").await.good();
        let misaligned = report["misaligned"].as_array().expect("a list").clone();
        misaligned.first().map_or(0, |one| one["faults"].as_array().map_or(0, Vec::len))
    };
    // Its hours are no calendar, nobody owns it, and nothing is known to provide it.
    assert_eq!(faults().await, 3);
    assert_eq!(user.get("/api/v1/catalogue/alignment").await.status, 403);
    let with = json!({
        "change": "CHG0000002", "hours": "service_hours", "configuration_items": ["mail-mx-02"],
        "owner": parties.contact_number,
    });
    assert_eq!(take("revise", with).await.status, 200);
    assert_eq!(faults().await, 0);
    let end = format!(
        "/api/v1/agreements/{}/transitions/terminate",
        agreement["number"].as_str().expect("a number")
    );
    let _ = manager.post(&end, &json!({ "reason": "Mail is free now." })).await.good();
    assert_eq!(faults().await, 1);
}

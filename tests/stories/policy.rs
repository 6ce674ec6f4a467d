//! What an organisation lays down as data, and what its changes, items and releases make of it (catalogue sections
//! 2.28, 2.30 and 2.31).

use acceptance::{Door, Options, Platform};
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    customers::now,
    hands::{Hand, authorised_at_once, number},
    promises::Parties,
};

/// Proves: CHG-1, CFG-1, REL-1
#[tokio::test]
async fn what_is_laid_down_as_data_is_what_happens() {
    // A Monday; the weekend of minor releases is the next one.
    let mut options = Options::default().with(&["--clock", "manual:2026-03-02T08:00:00Z"]);
    let needs_another = ("STEWARD__SERVICE__PUBLISHING_NEEDS_ANOTHER".into(), "true".into());
    options.environment.push(needs_another);
    let platform = Platform::up(options).await;
    let omar = Hand::of(&platform, "Omar", &["change_manager"]).await;
    let cora = Hand::of(&platform, "Cora", &["configuration_manager"]).await;
    let dave = Hand::of(&platform, "Dave", &[]).await;
    releases_go_out_on_their_days(&platform, &omar, &cora, &dave).await;
    services_are_items(&platform, &cora).await;
    items_are_what_their_kind_says(&platform, &omar, &cora, &dave).await;
    changes_are_graded(&platform, &omar).await;
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

/// An emergency that the ECAB authorised, scheduled from now on.
async fn scheduled(platform: &Platform, omar: &Hand, dave: &Hand, of: Value) -> String {
    let began = now(platform).await;
    let mut change = json!({
        "title": "Now", "service": "SVC-PAY", "type": "emergency", "threat": "It is used.", "implementer": dave.number,
        "plan": "Do it.", "backout": "Undo it.",
        "window": { "from": began.to_rfc3339(), "to": (began + TimeDelta::days(20)).to_rfc3339() },
    });
    change.as_object_mut().expect("fields").extend(of.as_object().expect("fields").clone());
    authorised_at_once(platform, omar, change).await
}

/// A release goes out when the policy has one of its type, or says why not.
async fn releases_go_out_on_their_days(platform: &Platform, omar: &Hand, cora: &Hand, dave: &Hand) {
    let rita = Hand::of(platform, "Rita", &["release_manager"]).await;
    let release = json!({
        "title": "Portal 2.9", "service": "SVC-PAY", "kind": "minor", "method": "phased", "items": [{ "item": "CI0000099", "version": "2.9" }],
        "backout": "Lay 2.8 back.", "backout_owner": dave.number, "decide_by": "2026-03-09T00:00:00Z", "deployer": dave.number,
        "deploys_at": "2026-03-07T20:00:00Z",
    });
    let release = rita.open("releases", release).await;
    let planned = rita.read(&release).await["data"].clone();
    assert!(planned["run"].as_str().is_some_and(|run| run.contains("weekend")), "{planned}");
    assert_eq!(planned["is_off_policy"], false);
    let sooner = rita.amend(&release, json!({ "deploys_at": "2026-03-04T20:00:00Z" })).await;
    assert_eq!(sooner["data"]["is_off_policy"], true);

    let change = scheduled(platform, omar, dave, json!({ "release": number(&release) })).await;
    // It hears of a change before it contains any, and is told again once it does.
    platform.pass("PT0S").await;
    assert_eq!(rita.field(&release, "approved").await, json!([]));
    rita.amend(&release, json!({ "contains": [number(&change)] })).await;
    platform.pass("PT0S").await;
    assert_eq!(rita.field(&release, "approved").await[0]["change"], number(&change));
    rita.take(&release, "build", json!({})).await;
    let built = json!({ "build_hash": "sha256:0209", "tester": cora.number });
    rita.take(&release, "test", built).await;
    let met = json!({ "acceptance": [{ "criterion": "It opens", "is_met": true }], "rehearsal": "Ten minutes." });
    cora.take(&release, "accept", met).await;
    omar.vote(&release, "authorise").await;
    rita.take(&release, "brief", json!({ "briefing": "The portal is new." })).await;
    platform.pass("PT0S").await;
    let baseline = cora.find("baselines", json!({ "release": number(&release) })).await;
    let contents = json!({ "contents": [{ "item": "CI0000099", "version": "2.8" }] });
    cora.take(&baseline[0], "take", contents).await;
    platform.pass("PT0S").await;
    let deploy = json!({ "deployed_hash": "sha256:0209" });
    dave.refused(&release, "deploy", deploy.clone(), 409).await;
    rita.refused(&release, "excuse", json!({}), 422).await;
    let why = json!({ "off_policy_reason": "The bank opens a branch on Thursday." });
    rita.take(&release, "excuse", why).await;
    dave.take(&release, "deploy", deploy).await;
    dave.take(&release, "finish", json!({})).await;
    let off = "?filter=record.is_off_policy%20%3D%3D%20'true'";
    assert_eq!(rita.door.all("/api/v1/releases", off).await.len(), 1);
}

/// What the catalogue offers is a configuration item, and goes where its entry goes.
async fn services_are_items(platform: &Platform, cora: &Hand) {
    let parties = Parties::of(platform).await;
    let entry = json!({ "title": "Payments", "code": "SVC-PAY", "description": "Instant payments", "criticality": 1, "owner": cora.number });
    let entry = parties.manager.post("/api/v1/services", &entry).await.good();
    let take = async |step: &str, with: Value| {
        let path = format!("/api/v1/services/{}", entry["number"].as_str().expect("a number"));
        let _ = parties.manager.post(&format!("{path}/transitions/{step}"), &with).await.good();
        platform.pass("PT0S").await;
    };
    platform.pass("PT0S").await;
    let item = cora.find("configuration-items", json!({ "catalogue_entry": entry["number"] }));
    let item = item.await.pop().expect("a service is an item");
    let planned = cora.read(&item).await;
    let data = ["title", "kind", "criticality"].map(|name| planned["data"][name].clone());
    assert_eq!(data, [json!("SVC-PAY"), json!("service"), json!(1)]);
    assert_eq!(planned["state"], "planned");
    let agreement = json!({ "service": "SVC-PAY", "service_record": entry["number"] });
    let _ = parties.sign(platform, agreement).await;
    take("launch", json!({ "change": "CHG0000001" })).await;
    assert_eq!(cora.state(&item).await, "live");
    // What is said of its kind holds for it, too: it has no maintenance, and lacks what is critical of it.
    let reason = json!({ "reason": "A rest." });
    cora.refused(&item, "maintain", reason, 409).await;
    let faults = cora.field(&item, "faults").await.to_string();
    assert!(faults.contains("`support_group` is missing"), "{faults}");
    let later = (now(platform).await + TimeDelta::hours(1)).to_rfc3339();
    let end = json!({ "change": "CHG0000002", "retires_at": later, "reason": "Another takes its place." });
    take("retire", end).await;
    platform.pass("PT2H").await;
    assert_eq!(cora.state(&item).await, "retired");
    assert_eq!(cora.field(&item, "change").await, "CHG0000002");
}

/// A kind has its attributes and relations, and of what is critical all of them are written down.
async fn items_are_what_their_kind_says(
    platform: &Platform,
    omar: &Hand,
    cora: &Hand,
    dave: &Hand,
) {
    // A kind of one's own is under control, and asks for nothing.
    let own = json!({ "title": "robot-1", "kind": "robot", "criticality": 1, "attributes": { "arms": 2 } });
    let own = cora.open("configuration-items", own).await;
    let seen = cora.read(&own).await["data"].clone();
    assert_eq!((&seen["is_controlled"], &seen["faults"]), (&json!(true), &json!([])));

    let item = json!({ "title": "db-pay-01", "kind": "database", "criticality": 1, "attributes": { "engine": "PostgreSQL" } });
    let item = cora.open("configuration-items", item).await;
    cora.take(&item, "build", json!({})).await;
    cora.take(&item, "test", json!({ "version": "17.1" })).await;
    let change =
        scheduled(platform, omar, dave, json!({ "items": [number(&item), number(&own)] })).await;
    dave.take(&change, "implement", json!({})).await;
    platform.pass("PT0S").await;
    let live = json!({ "change": number(&change), "owner": cora.number, "service": "SVC-PAY" });
    cora.refused(&item, "go_live", live.clone(), 409).await;
    let missing = ["backup", "recovery"].map(|name| format!("the attribute `{name}` is missing"));
    assert_eq!(cora.field(&item, "faults").await, json!(missing));
    let whole = json!({ "engine": "PostgreSQL", "backup": "nightly", "recovery": "one hour" });
    cora.take(&item, "describe", json!({ "attributes": whole })).await;
    cora.take(&item, "go_live", live).await;
    let mut more = whole.clone();
    more["colour"] = json!("red");
    let painted = json!({ "change": number(&change), "attributes": more });
    cora.refused(&item, "revise", painted, 409).await;
    let tie = json!({ "relation": "contains", "to": number(&own) });
    let _ = cora.door.post(&format!("{item}/links"), &tie).await.good();
    let faults = cora.field(&item, "faults").await;
    assert_eq!(faults, json!(["a database has no relation `contains`"]));
    // Whoever asks reads the whole of it.
    let kinds = platform.get("/api/v1/services/change/schemes/ci_kind/versions/present").await;
    let kinds = kinds.body.as_str().expect("a text").to_owned();
    assert!(["attributes", "relations", "states"].iter().all(|word| kinds.contains(word)));
}

/// Each category says how it is run, and from when on a change is major; its next version is approved, and
/// counts from its day.
async fn changes_are_graded(platform: &Platform, omar: &Hand) {
    let change = async |of: Value| {
        let mut change = json!({ "title": "A change", "service": "SVC-PAY", "type": "normal", "description": "What.", "benefit": "Why." });
        change.as_object_mut().expect("fields").extend(of.as_object().expect("fields").clone());
        omar.open("changes", change).await
    };
    let is_major =
        async |path: &str| omar.field(path, "is_major_impact").await == Value::Bool(true);
    for (kind, word) in [("standard", "template"), ("normal", "authority"), ("emergency", "ECAB")] {
        let run = omar.field(&change(json!({ "type": kind })).await, "run").await;
        assert!(run.as_str().is_some_and(|run| run.contains(word)), "{kind}: {run}");
    }
    let small = change(json!({ "cost_estimate": 6000 })).await;
    assert!(!is_major(&small).await);
    assert!(is_major(&change(json!({ "service_impact": "removed" })).await).await);
    assert!(is_major(&change(json!({ "outage_minutes": 240 })).await).await);
    let large = change(json!({ "cost_estimate": 100_000 })).await;
    // What the policy calls major is not made minor, and goes to a service project by itself.
    omar.amend(&large, json!({ "is_major_impact": false })).await;
    assert!(is_major(&large).await);
    omar.take(&large, "submit", json!({})).await;
    platform.pass("PT0S").await;
    let rita = Hand::of(platform, "Rae", &["release_manager"]).await;
    let projects = rita.find("service-projects", json!({ "change": number(&large) })).await;
    assert_eq!(projects.len(), 1);

    let author = platform.person("Root", &["administrator"]).await;
    let approver = platform.person("Rob", &["administrator"]).await;
    published(&author, &approver, |text| {
        let text = text.replace("major_cost: 100000", "major_cost: 5000");
        text.replace("kind: list", "kind: list\nvalid_from: 2026-04-10")
    })
    .await;
    assert!(!is_major(&change(json!({ "cost_estimate": 6000 })).await).await);
    platform.pass("P40D").await;
    assert!(is_major(&change(json!({ "cost_estimate": 6000 })).await).await);
    // What was graded before stays as it was.
    omar.amend(&small, json!({ "title": "A small change" })).await;
    assert!(!is_major(&small).await);
}

/// Publishes the next version of the change policy: one writes it, another approves.
async fn published(author: &Door, approver: &Door, change: impl Fn(&str) -> String) {
    const POLICY: &str = "/api/v1/services/change/schemes/change_policy";
    let present = author.get(&format!("{POLICY}/versions/present")).await;
    let tag = present.headers["etag"].to_str().expect("a tag").to_owned();
    let next = change(present.body.as_str().expect("a text"));
    let put = author.request(Method::PUT, POLICY).header("if-match", tag).body(next);
    let proposed = author.try_send(put).await.expect("an answer");
    assert_eq!(proposed.status, 202, "{}", proposed.body);
    let place = proposed.headers["location"].to_str().expect("a place");
    let approve = format!("{place}/transitions/approve");
    assert_eq!(approver.post(&approve, &json!({})).await.good()["version"], 2);
}

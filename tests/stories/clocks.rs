//! What was promised of an incident: its clocks run, pause, warn, breach once, escalate and say why.

use std::collections::BTreeMap;

use acceptance::{Door, Options, Platform, data};
use serde_json::{Value, json};

use crate::{
    promises::{
        AT, Parties, clock, mailbox, march, open, opened_by, resolved_after, take, targets,
    },
    replay, servicenow,
};

/// Why it stands so; and the value on the list is the one on the form and in the explanation.
async fn explained(door: &Door, clock: &Value) -> Value {
    let path = format!("/api/v1/clocks/{}", clock["number"].as_str().expect("a number"));
    let form = door.get(&path).await.good();
    let why = door.get(&format!("{path}/explain")).await.good();
    let running: i64 = why["segments"]
        .as_array()
        .expect("segments")
        .iter()
        .filter(|segment| segment["running"] == true)
        .filter_map(|segment| segment["seconds"].as_i64())
        .sum();
    assert_eq!(why["elapsed_seconds"], running, "{why:#}");
    assert_eq!(form["data"]["elapsed_seconds"], running, "{form:#}");
    assert_eq!(clock["data"]["elapsed_seconds"], running, "{clock:#}");
    assert_eq!(clock["state"], form["state"]);
    assert_eq!(why["reading"]["standing"], form["state"]);
    why
}

/// How often an event of this name is in a record's history.
async fn count(door: &Door, path: &str, event: &str) -> usize {
    let history = door.get(&format!("{path}/history?limit=500")).await.good();
    let items = history["items"].as_array().expect("a history has items");
    items.iter().filter(|item| item["event"] == event).count()
}

/// Proves: INC-4, SLM-4
#[tokio::test]
async fn a_promise_runs_pauses_warns_breaches_once_and_says_why() {
    let platform = Platform::up(Options::default().with(&["--clock", AT])).await;
    let parties = Parties::of(&platform).await;
    let agreement = parties.sign(&platform, json!({})).await;
    assert_eq!(agreement["state"], "active");
    let agent = platform.person("Ada", &["agent"]).await;
    let group = platform.group("Mail").await;

    // 08:00: priority 1, four hours.
    let incident = open(&agent, "high").await;
    platform.pass("PT10M").await;
    take(&agent, &incident, "assign", json!({ "group": group })).await;
    take(&agent, &incident, "start", json!({})).await;
    platform.pass("PT50M").await;
    let response = clock(&agent, &incident, "response").await;
    assert_eq!(response["state"], "met");
    assert_eq!(response["data"]["elapsed_seconds"], 600);
    let running = clock(&agent, &incident, "resolution").await;
    assert_eq!(running["state"], "running");
    assert_eq!(running["data"]["due_at"], "2026-03-02T12:00:00Z");
    assert_eq!(running["data"]["agreement"], agreement["number"]);
    explained(&agent, &running).await;

    // 09:00 to 10:00: the caller is waited for.
    take(&agent, &incident, "hold", json!({ "hold_reason": "caller" })).await;
    platform.pass("PT1H").await;
    let paused = clock(&agent, &incident, "resolution").await;
    assert_eq!(paused["state"], "paused");
    assert_eq!(paused["data"]["elapsed_seconds"], 3_600);
    assert!(paused["data"].get("due_at").is_none_or(Value::is_null));
    take(&agent, &incident, "resume", json!({})).await;

    // 11:00: half is used. 13:00: all of it. Waiting for a supplier stops nothing.
    platform.pass("PT1H").await;
    take(&agent, &incident, "hold", json!({ "hold_reason": "supplier" })).await;
    let warned = clock(&agent, &incident, "resolution").await;
    assert_eq!(warned["data"]["warned"], 50);
    let number = incident["number"].as_str().expect("a number");
    let path = format!("/api/v1/incidents/{number}");
    let told = agent.get(&path).await.good();
    assert!(
        told["data"]["at_risk"].as_str().is_some_and(|said| said.starts_with("50 %")),
        "{told}"
    );
    platform.pass("PT1H59M59S").await;
    assert_eq!(clock(&agent, &incident, "resolution").await["state"], "running");
    platform.pass("PT1S").await;
    let breached = clock(&agent, &incident, "resolution").await;
    assert_eq!(breached["state"], "breached");
    assert_eq!(breached["data"]["breached_at"], "2026-03-02T13:00:00Z");
    platform.pass("PT2H").await;

    // Told before, and told once; and the incident's own process reacted.
    let clocks = format!("/api/v1/clocks/{}", breached["number"].as_str().expect("a number"));
    assert_eq!(count(&agent, &clocks, "breached").await, 1);
    assert_eq!(count(&agent, &clocks, "at_risk").await, 3);
    assert_eq!(count(&agent, &path, "escalated").await, 1);
    let escalated = agent.get(&path).await.good();
    assert_eq!(escalated["data"]["escalations"], 1);
    let why = explained(&agent, &clock(&agent, &incident, "resolution").await).await;
    assert_eq!(why["elapsed_seconds"], 6 * 3_600);
    let reasons: Vec<&str> = why["segments"]
        .as_array()
        .expect("segments")
        .iter()
        .filter_map(|segment| segment["because"].as_str())
        .collect();
    let pause = "paused: hold_reason is caller, state is on_hold";
    assert_eq!(reasons, ["the clock runs", pause, "the clock runs"]);
    assert!(why["sentence"].as_str().is_some_and(|said| said.contains("2 h too long")), "{why}");

    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

/// Every clock of a target, by the number of its record.
async fn standing(door: &Door, incident: &Value, target: &str) -> (String, String) {
    let clock = clock(door, incident, target).await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&clock["state"]), text(&clock["data"]["due_at"]))
}

/// Proves: PLT-6
#[tokio::test]
async fn a_target_counts_in_the_hours_of_its_calendar_across_the_change_of_the_clocks() {
    let at = "manual:2026-03-27T16:30:00Z";
    let platform = Platform::up(Options::default().with(&["--clock", at])).await;
    Parties::of(&platform).await.sign(&platform, json!({})).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let incident = open(&agent, "medium").await;
    platform.pass("PT0S").await;
    let due = standing(&agent, &incident, "resolution").await;
    assert_eq!(due, ("running".to_owned(), "2026-03-30T13:30:00Z".to_owned()));
    // Half an hour on Friday, and nothing over the weekend on which the clocks change.
    platform.pass("P2D").await;
    let weekend = clock(&agent, &incident, "resolution").await;
    assert_eq!(weekend["data"]["elapsed_seconds"], 1_800);
    let why = explained(&agent, &weekend).await;
    assert_eq!(why["segments"][1]["because"], "outside the hours of service_hours, version 1");
    assert!(why["segments"][0]["zone_data"].is_string());

    // A change of priority measures from the original start, and what was paused stays paused.
    let manager = platform.person("Ines", &["incident_manager"]).await;
    let with = json!({ "priority_override": 1, "reason": "The branch is closed." });
    take(&manager, &incident, "override_priority", with).await;
    platform.pass("PT0S").await;
    let due = standing(&agent, &incident, "resolution").await;
    assert_eq!(due, ("breached".to_owned(), "2026-03-27T20:30:00Z".to_owned()));
    let with = json!({ "priority_override": 2, "reason": "It is open again." });
    take(&manager, &incident, "override_priority", with).await;
    platform.pass("PT0S").await;
    let due = standing(&agent, &incident, "resolution").await;
    assert_eq!(due, ("running".to_owned(), "2026-03-30T13:30:00Z".to_owned()));

    // Cancelled with its record.
    take(&agent, &incident, "cancel", json!({ "reason": "A mistake." })).await;
    platform.pass("P7D").await;
    assert_eq!(clock(&agent, &incident, "resolution").await["state"], "cancelled");
}

/// Proves: SLM-2, SLM-10, PLT-14
#[tokio::test]
async fn a_new_version_is_tried_on_the_past_and_leaves_it_alone() {
    let over = tempfile::tempdir().expect("a folder");
    let mut options = Options::default().with(&["--clock", AT]);
    options
        .environment
        .push(("STEWARD__SERVICE__DEFINITIONS_DIR".to_owned(), over.path().display().to_string()));
    let mut platform = Platform::up(options).await;
    let parties = Parties::of(&platform).await;
    let first = parties.sign(&platform, json!({})).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let quick = resolved_after(&platform, &agent, "PT1H").await;
    let slow = resolved_after(&platform, &agent, "PT3H").await;
    let late = resolved_after(&platform, &agent, "PT5H").await;
    let figure = march(&agent, "resolution").await;
    assert_eq!((&figure["met"], &figure["breached"]), (&json!(2), &json!(1)), "{figure}");
    assert_eq!(figure["compliance"], 66.667);
    assert_eq!(figure["is_kept"], false);
    // The figure opens what it counts.
    assert_eq!(opened_by(&agent, &figure["records"]).await, 3);

    // What if it had been two hours? Only an agreement's keeper may ask.
    let mut proposed = targets()[1].clone();
    proposed["limits"][0]["within"] = json!("PT2H");
    let period = json!({ "from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z" });
    let question = json!({ "target": proposed, "period": period });
    assert_eq!(agent.post("/api/v1/clocks/whatif", &question).await.status, 403);
    let answer = parties.manager.post("/api/v1/clocks/whatif", &question).await.good();
    assert_eq!(answer["clocks"], 3);
    assert_eq!(answer["before"], json!({ "met": 2, "breached": 1 }));
    assert_eq!(answer["after"], json!({ "met": 1, "breached": 2 }));
    let turned: Vec<&str> = answer["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter(|item| item["before"]["state"] != item["after"]["state"])
        .filter_map(|item| item["of_number"].as_str())
        .collect();
    assert_eq!(turned, [slow["number"].as_str().expect("a number")]);
    assert_eq!(answer["not_kept"], json!([]));

    // And if what is high and high had been the second priority, with eight hours of service hours?
    let matrix = json!({ "inputs": ["impact", "urgency"], "table": { "high": { "high": 2 } } });
    let mut of_resolution = period.clone();
    of_resolution["target"] = json!("resolution");
    let question = json!({ "matrix": matrix, "period": of_resolution });
    let answer = parties.manager.post("/api/v1/clocks/whatif", &question).await.good();
    assert_eq!(answer["before"], json!({ "met": 2, "breached": 1 }), "{answer:#}");
    assert_eq!(answer["after"], json!({ "met": 3 }));
    assert_eq!((&answer["differ"], &answer["not_kept"]), (&json!(3), &json!([])));
    let nothing = json!({ "period": period });
    assert_eq!(parties.manager.post("/api/v1/clocks/whatif", &nothing).await.status, 422);
    assert_eq!(march(&agent, "resolution").await, figure);

    // What is signed cannot be edited, and a version needs the change that authorises it.
    let path = format!("/api/v1/agreements/{}", first["number"].as_str().expect("a number"));
    let edit = parties.manager.request(reqwest::Method::PATCH, &path);
    let edit = parties.manager.try_send(edit.json(&json!({ "title": "Other" }))).await;
    assert_eq!(edit.expect("an answer").status, 403);
    let unchanged = json!({
        "title": "Without a change", "customer_contact": parties.contact_number, "targets": [proposed],
        "valid_from": "2026-03-10T00:00:00Z", "replaces": first["number"],
    });
    let unchanged = parties.manager.post("/api/v1/agreements", &unchanged).await.good();
    let propose = format!(
        "/api/v1/agreements/{}/transitions/propose",
        unchanged["number"].as_str().expect("a number")
    );
    assert_eq!(parties.manager.post(&propose, &json!({})).await.status, 409);

    // The new version begins on the tenth. What was opened before stays with the first.
    let before = open(&agent, "high").await;
    let version = json!({
        "version": 2, "targets": [proposed], "replaces": first["number"], "change": "CHG0000007",
        "valid_from": "2026-03-10T00:00:00Z",
    });
    let second = parties.sign(&platform, version).await;
    assert_eq!(second["state"], "agreed");
    platform.pass("P9D").await;
    assert_eq!(parties.manager.get(&path).await.good()["state"], "superseded");
    let after = open(&agent, "high").await;
    platform.pass("PT0S").await;
    let under =
        async |incident| clock(&agent, incident, "resolution").await["data"]["agreement"].clone();
    assert_eq!(under(&before).await, first["number"]);
    assert_eq!(under(&after).await, second["number"]);

    // Neither does another calendar move what was counted in the one before.
    let medium = open(&agent, "medium").await;
    platform.pass("PT0S").await;
    let counted = standing(&agent, &medium, "resolution").await;
    let schemes = over.path().join("schemes");
    std::fs::create_dir_all(&schemes).expect("a folder");
    let calendar = "scheme: service_hours\nkind: calendar\ncalendar:\n  zone: Europe/Berlin\n  week: { mon: [\"08:00-09:00\"] }\n";
    std::fs::write(schemes.join("service_hours.v2.yaml"), calendar).expect("written");
    platform.stop(std::time::Duration::from_secs(30)).await;
    platform.start().await;
    assert_eq!(standing(&agent, &medium, "resolution").await, counted);
    let later = open(&agent, "medium").await;
    platform.pass("PT0S").await;
    let clock = clock(&agent, &later, "resolution").await;
    let path = format!("/api/v1/clocks/{}/explain", clock["number"].as_str().expect("a number"));
    let why = agent.get(&path).await.good();
    assert_eq!(why["reading"]["calendar"], "service_hours");
    assert_ne!(standing(&agent, &later, "resolution").await, counted);
    for (incident, state) in [(&quick, "met"), (&slow, "met"), (&late, "breached")] {
        assert_eq!(standing(&agent, incident, "resolution").await.0, state);
    }
}

#[tokio::test]
async fn a_wrong_event_is_set_right_and_the_difference_is_kept() {
    let platform = Platform::up(Options::default().with(&["--clock", AT])).await;
    let parties = Parties::of(&platform).await;
    parties.sign(&platform, json!({})).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let incident = resolved_after(&platform, &agent, "PT5H").await;
    let missed = clock(&agent, &incident, "resolution").await;
    assert_eq!(missed["state"], "breached");
    let moments = missed["data"]["moments"].as_array().expect("moments");
    let resolved = moments.iter().find(|moment| moment["kind"] == "incident.resolved.v1");
    let rev = resolved.expect("it was resolved")["rev"].clone();

    let path = format!("/api/v1/clocks/{}", missed["number"].as_str().expect("a number"));
    let correct = format!("{path}/transitions/correct");
    let with = json!({
        "correction": { "rev": rev, "at": "2026-03-02T11:30:00Z" },
        "reason": "It was recorded after lunch.",
    });
    assert_eq!(agent.post(&correct, &with).await.status, 403);
    let _ = parties.manager.post(&correct, &with).await.good();
    let met = clock(&agent, &incident, "resolution").await;
    assert_eq!((&met["state"], &met["data"]["elapsed_seconds"]), (&json!("met"), &json!(12_600)));
    explained(&agent, &met).await;
    let history = agent.get(&format!("{path}/history?limit=500")).await.good();
    let items = history["items"].as_array().expect("a history has items");
    let corrected = items.iter().find(|item| item["event"] == "corrected").expect("it is told");
    assert_eq!(corrected["changes"]["elapsed_seconds"], json!([18_000, 12_600]));
    assert_eq!(corrected["changes"]["reason"][1], "It was recorded after lunch.");
}

/// Proves: SCT-1, SCT-4, SLM-1
#[tokio::test]
async fn a_service_goes_live_with_an_agreement_that_both_parties_signed() {
    let platform = Platform::up(Options::default().with(&["--clock", AT])).await;
    let parties = Parties::of(&platform).await;
    let customer = platform.person("Rita", &["requester"]).await;
    let entry = json!({
        "title": "Mail", "code": "SVC-MAIL", "description": "Electronic mail", "outcome": "People write",
        "customers": ["Arbor Retail"], "hours": "service_hours", "depends_on": ["SVC-NET"],
        "criticality": 2, "requirements": "Answers within four hours.",
        "request_items": [mailbox()],
    });
    let entry = parties.manager.post("/api/v1/services", &entry).await.good();
    let path = format!("/api/v1/services/{}", entry["number"].as_str().expect("a number"));
    let take = async |transition: &str, with: Value| {
        parties.manager.post(&format!("{path}/transitions/{transition}"), &with).await
    };
    let published = async || {
        let catalogue = customer.get("/api/v1/catalogue").await.good();
        catalogue["items"][0].clone()
    };
    assert_eq!(published().await["status"], "planned");
    assert_eq!(take("launch", json!({ "change": "CHG0000001" })).await.status, 409);

    let agreement = json!({
        "service": "SVC-MAIL", "service_record": entry["number"], "customer": "Arbor Retail",
        "workload": { "per_month": 500 }, "exceptions": "Planned maintenance.",
        "responsibilities": "The customer names a contact.",
        "valid_until": "2026-12-31T00:00:00Z", "review_at": "2026-09-01T00:00:00Z",
    });
    let agreement = parties.sign(&platform, agreement).await;
    assert_eq!(agreement["state"], "active");
    for signature in ["provider_signature", "customer_signature", "customer_signed_at"] {
        assert!(agreement["data"][signature].is_string(), "{agreement}");
    }
    let live = take("launch", json!({ "change": "CHG0000001" })).await.good();
    assert_eq!(live["data"]["agreement"], agreement["number"]);
    assert_eq!(live["data"]["live_from"], "2026-03-02T08:00:00.000000Z");

    assert_eq!(published().await["live_from"], live["data"]["live_from"]);
    assert_eq!(published().await["request_items"][0]["name"], "Mailbox");

    let with = json!({ "change": "CHG0000002", "retires_at": "2026-12-01T00:00:00Z", "reason": "Mail moves away." });
    let _ = take("retire", with).await.good();
    let announced = published().await;
    assert_eq!(announced["status"], "retiring");
    assert_eq!(announced["retires_at"], "2026-12-01T00:00:00Z");
    assert_eq!(announced["request_items"], json!([]), "what retires is not ordered any more");
    platform.pass("P275D").await;
    assert_eq!(published().await["status"], "retired");
}

/// The catalogue's defaults, section 3.2: the first two priorities round the clock, the others in working
/// days; only waiting for the caller pauses.
fn policy() -> Value {
    let mut resolution = targets()[1].clone();
    resolution["limits"] = json!([
        { "when": { "priority": [1] }, "within": "PT4H" },
        { "when": { "priority": [2] }, "within": "PT8H" },
        { "when": { "priority": [3] }, "within": "P3D", "calendar": "service_hours" },
        { "within": "P5D", "calendar": "service_hours" },
    ]);
    json!([resolution])
}

/// The log's own policy is not known, so that its verdicts and ours may differ. Each difference has its
/// reason in the clock's explanation; none is tuned away.
#[tokio::test]
async fn the_real_log_gets_clocks_and_each_difference_has_its_reason() {
    let Some(log) = data("servicenow-incidents.csv") else { return };
    let incidents = servicenow::read(&log).expect("the log can be read");
    let platform = Platform::up(Options::default().with(&["--clock", AT])).await;
    let parties = Parties::of(&platform).await;
    let since = json!({ "targets": policy(), "valid_from": "2016-01-01T00:00:00Z" });
    parties.sign(&platform, since).await;
    let records = replay::bring_in(&platform, &incidents).await;
    platform.pass("PT0S").await;

    let clocks = platform.door().all("/api/v1/clocks", "").await;
    let clocks: BTreeMap<&str, &Value> =
        clocks.iter().filter_map(|clock| Some((clock["data"]["of"].as_str()?, clock))).collect();
    assert_eq!(clocks.len(), incidents.len());
    let mut counts: BTreeMap<(bool, bool), usize> = BTreeMap::new();
    for (one, record) in incidents.iter().zip(&records) {
        let clock = clocks[record["id"].as_str().expect("an id")];
        let is_met = clock["state"] == "met";
        assert!(is_met || clock["state"] == "breached", "{clock:#}");
        *counts.entry((one.is_in_time, is_met)).or_default() += 1;
        let why = explained(platform.door(), clock).await;
        if one.is_in_time != is_met {
            let verdict = if one.is_in_time { "in time" } else { "late" };
            println!("{}: {verdict} in the log. {}", one.number, why["sentence"]);
            // The verdict follows from what is shown.
            let (elapsed, allowed) =
                (why["elapsed_seconds"].as_i64(), why["reading"]["allowed_seconds"].as_i64());
            assert!(elapsed.zip(allowed).is_some_and(|(elapsed, allowed)| match is_met {
                true => elapsed <= allowed,
                false => elapsed >= allowed,
            }));
        }
    }
    println!("(in time in the log, met here): {counts:?}");
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

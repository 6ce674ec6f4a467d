//! What is agreed and what follows from it: support, notices, missed promises, workload, reviews, results.

use acceptance::{Door, Options, Platform};
use serde_json::{Value, json};

use crate::promises::{AT, Parties, march, number_of, open, resolved_after, take, targets};

async fn go(door: &Door, record: &Value, collection: &str, transition: &str, with: Value) -> u16 {
    let number = record["number"].as_str().expect("a number");
    let path = format!("/api/v1/{collection}/{number}/transitions/{transition}");
    door.post(&path, &with).await.status.as_u16()
}

async fn read(door: &Door, record: &Value, collection: &str) -> Value {
    let number = record["number"].as_str().expect("a number");
    door.get(&format!("/api/v1/{collection}/{number}")).await.good()
}

/// Proves: SLM-3, SLM-8
#[tokio::test]
async fn a_promise_that_its_support_does_not_keep_is_accepted_or_not_signed() {
    let platform = Platform::up(Options::default().with(&["--clock", AT])).await;
    let parties = Parties::of(&platform).await;
    let owner = platform.person("Ines", &[]).await;
    let restore = json!([{
        "name": "restore", "process": "incident", "stops": [{ "state": ["resolved"] }],
        "limits": [{ "within": "PT8H" }],
    }]);
    let contract = json!({ "title": "Network", "kind": "contract", "targets": restore });
    let contract = parties.sign(&platform, contract).await;
    assert_eq!((&contract["state"], &contract["data"]["gaps"]), (&json!("active"), &json!([])));

    let mut promised = targets();
    promised[1]["backed_by"] =
        json!([{ "agreement": contract["number"], "target": "restore", "within": "PT8H" }]);
    let draft = json!({
        "title": "Tills", "customer_contact": parties.contact_number, "targets": promised,
        "service_owner": number_of(&platform, "Ines").await, "valid_from": "2026-01-01T00:00:00Z",
        "review_at": "2026-03-20T00:00:00Z",
    });
    let draft = parties.manager.post("/api/v1/agreements", &draft).await.good();
    let number = draft["number"].as_str().expect("a number");
    let gaps = draft["data"]["gaps"].as_array().expect("gaps");
    let found: Vec<_> =
        gaps.iter().map(|gap| (&gap["target"], &gap["gap"], &gap["blocks"])).collect();
    let (unbacked, too_long) = (json!("unbacked"), json!("too_long"));
    let (response, resolution) = (json!("response"), json!("resolution"));
    let (no, yes) = (json!(false), json!(true));
    assert_eq!(
        found,
        [(&response, &unbacked, &no), (&response, &unbacked, &no), (&resolution, &too_long, &yes),]
    );
    let step = async |door: &Door, transition: &str, with: Value| {
        go(door, &draft, "agreements", transition, with).await
    };
    assert_eq!(step(&parties.manager, "propose", json!({})).await, 200);
    assert_eq!(step(&parties.manager, "sign", json!({})).await, 409);
    let reason = json!({ "reason": "The supplier is replaced in June." });
    assert_eq!(step(&parties.manager, "accept_gaps", reason.clone()).await, 403);
    assert_eq!(step(&owner, "accept_gaps", reason).await, 200);
    assert_eq!(step(&parties.manager, "sign", json!({})).await, 200);
    assert_eq!(step(&parties.contact, "countersign", json!({})).await, 200);
    platform.pass("PT0S").await;
    assert_eq!(read(&owner, &draft, "agreements").await["state"], "active");

    // The matrix asks the supporting agreement itself.
    let path = format!("/api/v1/agreements/{number}/alignment");
    let alignment = parties.manager.get(&path).await.good();
    let backed = &alignment["items"][2]["backed_by"][0];
    assert_eq!((&backed["agreement"], &backed["fault"]), (&contract["number"], &Value::Null));
    let reason = json!({ "reason": "They left." });
    assert_eq!(go(&parties.manager, &contract, "agreements", "terminate", reason).await, 200);
    let alignment = parties.manager.get(&path).await.good();
    let fault = alignment["items"][2]["backed_by"][0]["fault"].as_str().expect("a fault");
    assert!(fault.contains("is terminated"), "{fault}");

    // When its time has come it is reviewed, and who forgets it is told.
    platform.pass("P18D").await;
    let due = read(&parties.manager, &draft, "agreements").await;
    assert_eq!((&due["state"], &due["data"]["is_review_overdue"]), (&json!("under_review"), &no));
    platform.pass("P14D").await;
    let overdue = read(&parties.manager, &draft, "agreements").await;
    assert_eq!(overdue["data"]["is_review_overdue"], true);
    let minutes = |next: &str| json!({ "minutes": "Met with Carl.", "decisions": "It stays.", "actions": "None.", "review_at": next });
    let late = minutes("2026-03-21T00:00:00Z");
    assert_eq!(step(&parties.manager, "confirm", late).await, 409);
    assert_eq!(
        step(&parties.manager, "confirm", json!({ "review_at": "2027-03-01T00:00:00Z" })).await,
        422
    );
    assert_eq!(step(&parties.manager, "confirm", minutes("2027-03-01T00:00:00Z")).await, 200);
    let reviewed = read(&parties.manager, &draft, "agreements").await;
    assert_eq!(
        (&reviewed["state"], &reviewed["data"]["is_review_overdue"]),
        (&json!("active"), &no)
    );
    assert_eq!(reviewed["data"]["minutes"], "Met with Carl.");
}

/// Those of a list that are about something, in the order of their numbers.
async fn notices(door: &Door, about: &str) -> Vec<Value> {
    let mut found = door.all("/api/v1/notices", "").await;
    found.retain(|notice| notice["data"]["about"] == about);
    found.sort_by_key(|notice| notice["number"].to_string());
    found
}

/// Proves: SLM-5, SLM-6, SLM-7
#[tokio::test]
async fn a_customer_is_told_in_time_and_a_miss_has_a_cause_and_an_improvement() {
    let platform = Platform::up(Options::default().with(&["--clock", AT])).await;
    let parties = Parties::of(&platform).await;
    let mut promised = targets();
    promised[1]["notices"] =
        json!({ "hours": "service_hours", "action": "The duty manager calls." });
    promised[1]["credit"] = json!(5);
    let agreed = json!({ "targets": promised, "workload": { "per_month": 1 } });
    let agreement = parties.sign(&platform, agreed).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let manager = platform.person("Ines", &["incident_manager"]).await;

    // Warned at half, three quarters and nine tenths of four hours, and told of the breach at 13:00.
    resolved_after(&platform, &agent, "PT5H").await;
    let warned = notices(&agent, "at_risk").await;
    let given: Vec<_> = warned
        .iter()
        .map(|notice| (notice["data"]["used"].as_i64(), notice["data"]["given_at"].as_str()))
        .collect();
    assert_eq!(
        given,
        [
            (Some(50), Some("2026-03-02T10:00:00.000000Z")),
            (Some(75), Some("2026-03-02T11:00:00.000000Z")),
            (Some(90), Some("2026-03-02T11:36:00.000000Z")),
        ]
    );
    assert_eq!(warned[0]["data"]["action"], "The duty manager calls.");
    let told = notices(&agent, "breached").await;
    assert_eq!(told[0]["data"]["given_at"], "2026-03-02T12:00:00.000000Z");

    // The miss is recorded, and wants a cause.
    let misses = async || {
        let filter = "?filter=record.target%20%3D%3D%20'resolution'";
        let mut misses = agent.all("/api/v1/breaches", filter).await;
        misses.sort_by_key(|miss| miss["number"].to_string());
        misses
    };
    let miss = misses().await.remove(0);
    assert_eq!(miss["state"], "unexplained");
    assert_eq!(miss["data"]["breached_at"], "2026-03-02T12:00:00Z");
    let (warned, over, credit) =
        (&miss["data"]["warned"], &miss["data"]["over_seconds"], &miss["data"]["credit"]);
    assert_eq!((warned, over, credit), (&json!(90), &json!(3_600), &json!(5.0)));
    let why = json!({ "cause": "A full disk." });
    assert_eq!(go(&manager, &miss, "breaches", "explain", why).await, 422);
    let why = json!({ "cause": "A full disk.", "improvement": "Watch the disks." });
    assert_eq!(go(&agent, &miss, "breaches", "explain", why.clone()).await, 403);
    assert_eq!(go(&manager, &miss, "breaches", "explain", why).await, 200);
    platform.pass("PT0S").await;
    let improvements = manager.all("/api/v1/improvements", "").await;
    assert_eq!(improvements[0]["data"]["title"], "Watch the disks.");
    assert_eq!(improvements[0]["data"]["source"], miss["number"]);

    // Nobody is told at night: half of the time is used at 18:30 in Berlin, all of it at 20:30.
    platform.pass("PT2H30M").await;
    let late = open(&agent, "high").await;
    platform.pass("PT6H").await;
    let of_late = |notices: Vec<Value>| -> Vec<Value> {
        notices.into_iter().filter(|notice| notice["data"]["of"] == late["id"]).collect()
    };
    let silent = of_late(notices(&agent, "at_risk").await);
    assert!(!silent.is_empty() && silent.iter().all(|notice| notice["state"] == "overtaken"));
    assert_eq!(of_late(notices(&agent, "breached").await)[0]["state"], "waiting");
    platform.pass("PT12H").await;
    let told = &of_late(notices(&agent, "breached").await)[0];
    assert_eq!(told["data"]["given_at"], "2026-03-03T07:00:00.000000Z");

    // After five days a miss without a cause is overdue.
    platform.pass("P6D").await;
    let overdue: Vec<_> =
        misses().await.iter().map(|miss| miss["data"]["is_overdue"].clone()).collect();
    assert_eq!(overdue, [json!(false), json!(true)]);

    // Two came in where one was agreed: the month says so when it is closed, to both parties.
    let number = agreement["number"].as_str().expect("a number");
    let path = format!(
        "/api/v1/agreements/{number}/workload?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z"
    );
    let workload = parties.manager.get(&path).await.good();
    assert_eq!((&workload["opened"], &workload["agreed"]), (&json!(2), &json!(1)));
    assert_eq!(workload["is_over"], true);
    platform.pass("P24D").await;
    let march = json!({ "from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z" });
    let _ = parties.manager.post("/api/v1/periods", &march).await.good();
    platform.pass("PT0S").await;
    for party in [&parties.manager, &parties.contact] {
        let told = notices(party, "workload").await;
        assert_eq!(told.len(), 1);
        assert_eq!(
            (&told[0]["data"]["opened"], &told[0]["data"]["agreed"]),
            (&json!(2), &json!(1))
        );
        assert_eq!(told[0]["state"], "given");
    }
    // What came in above it is a proposal that somebody decides on (DEM-5).
    let notice = &notices(&parties.manager, "workload").await[0]["number"];
    let proposed = parties.manager.all("/api/v1/improvements", "").await;
    let proposed: Vec<_> = proposed.iter().filter(|one| one["data"]["source"] == *notice).collect();
    assert_eq!((proposed.len(), &proposed[0]["data"]["baseline"]), (1, &json!("2")));
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

/// Proves: SLM-9
#[tokio::test]
async fn every_kind_of_level_can_be_agreed_and_its_results_say_what_they_leave_out() {
    let platform = Platform::up(Options::default().with(&["--clock", AT])).await;
    let parties = Parties::of(&platform).await;
    let levels = json!([
        { "name": "uptime", "measure": "availability", "unit": "%", "per": "month", "at_least": 99.5 },
        { "name": "orders", "measure": "throughput", "unit": "orders an hour", "per": "month", "at_least": 500 },
        { "name": "errors", "measure": "quality", "unit": "% of orders", "per": "quarter", "at_most": 0.1 },
        { "name": "survey", "measure": "satisfaction", "unit": "of 5", "per": "year", "at_least": 4 },
    ]);
    let agreement = parties.sign(&platform, json!({ "levels": levels })).await;
    assert_eq!(agreement["data"]["levels"].as_array().map(Vec::len), Some(4));
    let result = |change: Value| {
        let mut result = json!({
            "agreement": agreement["number"], "level": "uptime", "measure": "availability",
            "from": "2026-02-01T00:00:00Z", "to": "2026-03-01T00:00:00Z",
            "value": 99.2, "at_least": 99.5, "population": 28,
            "exclusions": [{ "count": 1, "reason": "Planned and told ten days before." }],
        });
        for (name, value) in change.as_object().expect("fields") {
            result[name] = value.clone();
        }
        result
    };
    let missed = parties.manager.post("/api/v1/results", &result(json!({}))).await.good();
    assert_eq!(missed["data"]["is_met"], false);
    let met = result(
        json!({ "level": "errors", "measure": "quality", "value": 0.08, "at_least": null, "at_most": 0.1 }),
    );
    assert_eq!(parties.manager.post("/api/v1/results", &met).await.good()["data"]["is_met"], true);
    let silent = result(json!({ "exclusions": [{ "count": 1 }] }));
    assert_eq!(parties.manager.post("/api/v1/results", &silent).await.status, 422);

    // A share of results within a time counts what is still open, once it is past its time.
    let agent = platform.person("Ada", &["agent"]).await;
    for _ in 0..3 {
        resolved_after(&platform, &agent, "PT1H").await;
    }
    let late = open(&agent, "high").await;
    let dropped = open(&agent, "high").await;
    take(&agent, &dropped, "cancel", json!({ "reason": "A mistake." })).await;
    platform.pass("PT0S").await;
    assert_eq!(march(&agent, "resolution").await["is_kept"], true);
    platform.pass("PT4H").await;
    let figure = march(&agent, "resolution").await;
    assert_eq!((&figure["compliance"], &figure["goal"]), (&json!(75.0), &json!(95.0)));
    assert_eq!((&figure["is_kept"], &figure["excluded"]), (&json!(false), &json!(1)));
    assert_eq!(read(&agent, &late, "incidents").await["state"], "new");
    let path = "/api/v1/clocks/compliance?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z&target=resolution&per=priority";
    assert_eq!(agent.get(path).await.good()["items"][0]["priority"], 1);
}

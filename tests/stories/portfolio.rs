//! What a service is worth, what it costs, what threatens it, how much of it is asked for, and when it may rest
//! (catalogue sections 2.10, 2.15, 2.17 and 2.18).

use acceptance::{Options, Platform};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{
    customers::now,
    hands::{Hand, authorised_at_once, number},
    promises::{Parties, escaped},
};

/// Proves: POR-5, FIN-1, FIN-3, AVL-5, DEM-3, DEM-5
#[tokio::test]
async fn a_service_shows_its_worth_its_cost_and_what_threatens_it() {
    let options = Options::default().with(&["--clock", "manual:2026-03-02T08:00:00Z"]);
    let platform = Platform::up(options).await;
    let lev = Hand::of(&platform, "Lev", &["service_level_manager"]).await;
    let ines = Hand::of(&platform, "Ines", &[]).await;
    let entry = json!({ "title": "Payments", "code": "SVC-PAY", "description": "Instant payments", "owner": ines.number });
    let service = lev.open("services", entry).await;
    let worth =
        json!({ "change": "CHG0000001", "value": "high", "value_text": "Half of the income." });
    ines.take(&service, "revise", worth).await;
    let parties = Parties::of(&platform).await;
    let agreement = json!({ "service": "SVC-PAY", "service_record": number(&service), "planned_downtime": { "minutes": 60 } });
    let agreement = parties.sign(&platform, agreement).await;
    let agreement = agreement["number"].as_str().expect("a number");
    money_is_authorised(&platform, &service, &ines).await;
    risks_are_counted(&platform, &service, &ines).await;

    // The pipeline, what is live and what is retired, side by side with worth, cost and risk.
    lev.open("services", json!({ "title": "Wi-Fi", "code": "SVC-WIFI", "description": "-" })).await;
    lev.take(&service, "launch", json!({ "change": "CHG0000001" })).await;
    let portfolio = lev.door.all("/api/v1/services", "?sort=number").await;
    let row = |of: &Value| {
        let data = &of["data"];
        json!([of["state"], data["value"], data["budget"], data["cost"], data["high_risks"]])
    };
    assert_eq!(row(&portfolio[0]), json!(["live", "high", 20_000.0, 24_000.0, 1]));
    assert_eq!(portfolio[1]["state"], "planned");

    demand_is_seen(&platform, &ines).await;
    downtime_is_planned(&platform, agreement).await;
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

/// A budget is approved in its lines, spent as far as each may, and booked as far as it was authorised.
async fn money_is_authorised(platform: &Platform, service: &str, ines: &Hand) {
    let finn = Hand::of(platform, "Finn", &["finance_manager"]).await;
    let chief = Hand::of(platform, "Vera", &["executive"]).await;
    let began = now(platform).await;
    let day = |days: i64| (began + TimeDelta::days(days)).to_rfc3339();
    let budget = json!({ "title": "Payments, spring", "service": "SVC-PAY", "service_record": number(service), "from": day(0), "to": day(90), "owner": ines.number });
    let budget = finn.open("budget-periods", budget).await;
    let lines = |kind: &str| json!({ "lines": [{ "cost_type": kind, "is_direct": true, "amount": 20_000.0 }], "budget": 20_000.0 });
    chief.refused(&budget, "approve", lines("entertainment"), 422).await;
    chief.take(&budget, "approve", lines("licences")).await;
    platform.pass("PT0S").await;
    let spend = |amount: u32| json!({ "purpose": "Licences", "amount": amount });
    ines.refused(&budget, "spend", spend(6000), 409).await;
    ines.take(&budget, "spend", spend(4000)).await;
    finn.take(&budget, "release", spend(6000)).await;
    // Beyond the budget only an executive goes, and says why.
    finn.refused(&budget, "release", spend(15_000), 409).await;
    chief.refused(&budget, "authorise", spend(15_000), 422).await;
    let mut more = spend(15_000);
    more["reason"] = json!("A year in advance.");
    chief.take(&budget, "authorise", more).await;
    finn.refused(&budget, "book", json!({ "actual": 26_000.0 }), 409).await;
    finn.take(&budget, "book", json!({ "actual": 24_000.0 })).await;
    platform.pass("PT0S").await;
}

/// What threatens a service is counted in its entry as long as it is there.
async fn risks_are_counted(platform: &Platform, service: &str, ines: &Hand) {
    let rick = Hand::of(platform, "Rick", &["risk_manager"]).await;
    let mut risks = Vec::new();
    for (likelihood, impact) in [("high", "high"), ("low", "medium")] {
        let risk = json!({ "title": "It fails", "area": "service", "service_record": number(service), "owner": ines.number });
        let risk = rick.open("risks", risk).await;
        rick.take(&risk, "analyse", json!({ "likelihood": likelihood, "impact": impact })).await;
        risks.push(risk);
    }
    platform.pass("PT0S").await;
    let counted = async || {
        let data = ines.read(service).await["data"].clone();
        (data["open_risks"].clone(), data["high_risks"].clone())
    };
    assert_eq!(counted().await, (json!(2), json!(1)));
    rick.take(&risks[1], "close", json!({ "reason": "It cannot any more." })).await;
    platform.pass("PT0S").await;
    assert_eq!(counted().await, (json!(1), json!(1)));
}

/// Peaks stand on the calendar beside changes, and a jump over the forecast is a proposal.
async fn demand_is_seen(platform: &Platform, ines: &Hand) {
    let cap = Hand::of(platform, "Cap", &["capacity_manager"]).await;
    let omar = Hand::of(platform, "Omar", &["change_manager"]).await;
    let mia = Hand::of(platform, "Mia", &[]).await;
    let sam = Hand::of(platform, "Sam", &["service_manager"]).await;
    let peak = json!({ "title": "Month end", "service": "SVC-PAY", "kind": "period_end", "window": { "from": "2026-03-30T06:00:00Z", "to": "2026-04-01T18:00:00Z" } });
    let peak = cap.open("activity-patterns", peak).await;
    let told = json!({ "source": "Volumes of two years", "load_percent": 140 });
    cap.refused(&peak, "confirm", json!({ "load_percent": 140 }), 422).await;
    cap.take(&peak, "confirm", told).await;
    let change = json!({ "title": "A new rack", "service": "SVC-PAY", "type": "normal", "window": { "from": "2026-03-31T20:00:00Z", "to": "2026-03-31T22:00:00Z" } });
    omar.open("changes", change).await;
    // Whoever plans a change finds both by the same question, in every process that has a window.
    let processes = omar.door.get("/api/v1/processes").await.good();
    let all = processes["items"].as_array().expect("processes").iter();
    let windowed: Vec<_> = all.filter(|one| one["window"] == "window").collect();
    let overlap = escaped(
        "record.window.from < '2026-04-01T00:00:00Z' && record.window.to >= '2026-03-31T00:00:00Z'",
    );
    let mut planned = Vec::new();
    for process in windowed {
        let list = format!("/api/v1/{}", process["collection"].as_str().expect("a name"));
        let found = omar.door.all(&list, &format!("?filter={overlap}")).await;
        planned.extend(found.iter().map(|one| one["data"]["title"].clone()));
    }
    planned.sort_by_key(ToString::to_string);
    assert_eq!(planned, [json!("A new rack"), json!("Month end")]);

    let forecast = json!({ "title": "Payments", "service": "SVC-PAY", "owner": ines.number, "contact": mia.number, "customer": "Meridian" });
    let forecast = cap.open("forecasts", forecast).await;
    mia.take(&forecast, "tell", json!({ "input": "A campaign in May." })).await;
    let agreed = json!({ "from": "2026-03-03T00:00:00Z", "to": "2026-06-01T00:00:00Z", "unit": "payments", "source": "Two years", "values": [{ "at": "2026-03-31T00:00:00Z", "value": 900 }] });
    cap.take(&forecast, "agree", agreed).await;
    let seen = json!({ "actual": 1350, "expected": 900 });
    ines.refused(&forecast, "compare", seen.clone(), 409).await;
    ines.refused(&forecast, "jump", seen, 422).await;
    let jump = json!({ "actual": 1350, "expected": 900, "proposal_kind": "price", "proposal": "A price for the night." });
    let jumped = ines.take(&forecast, "jump", jump).await;
    assert_eq!(jumped["data"]["over_percent"], 50.0);
    platform.pass("PT0S").await;
    let proposal = sam.find("improvements", json!({ "source": number(&forecast) })).await;
    assert_eq!(sam.field(&proposal[0], "description").await, "A price for the night.");
    assert_eq!(cap.state(&proposal[0]).await, "suggested");
    assert_eq!(sam.ties(&proposal[0]).await, [("improves_on".into(), number(&forecast).into())]);
}

/// Of an outage that much is planned which was announced, lay in the window of its change, and was still allowed in
/// its month; the rest is not.
async fn downtime_is_planned(platform: &Platform, agreement: &str) {
    let ava = Hand::of(platform, "Ava", &["availability_manager"]).await;
    let omar = Hand::of(platform, "Omar", &["change_manager"]).await;
    let dave = Hand::of(platform, "Dave", &[]).await;
    let told = now(platform).await;
    let opens = told + TimeDelta::days(6);
    let at = |at: DateTime<Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let change = json!({
        "title": "Another disk", "service": "SVC-PAY", "type": "emergency", "threat": "It fills up.", "implementer": dave.number,
        "plan": "By night.", "backout": "The old one.", "window": { "from": at(opens), "to": at(opens + TimeDelta::hours(2)) },
    });
    let change = authorised_at_once(platform, &omar, change).await;
    let outage = async |from: DateTime<Utc>, to: DateTime<Utc>| {
        let outage =
            json!({ "title": "Payments rest", "service": "SVC-PAY", "began_at": at(from) });
        let outage = ava.open("outages", outage).await;
        ava.take(&outage, "end", json!({ "ended_at": at(to) })).await;
        outage
    };
    let claim = |told: DateTime<Utc>| json!({ "change": number(&change), "agreement": agreement, "notified_at": at(told) });
    let planned = json!({ "classification": "planned", "reason": "As announced." });
    platform.pass("P6D").await;
    // Two hours and 25 minutes, of which sixty are allowed a month.
    let long = outage(opens, opens + TimeDelta::minutes(145)).await;
    ava.take(&long, "claim", claim(told)).await;
    platform.pass("PT0S").await;
    // The change has not begun: nobody confirms its window.
    ava.refused(&long, "classify", planned.clone(), 409).await;
    dave.take(&change, "implement", json!({})).await;
    ava.refused(&long, "claim", claim(told + TimeDelta::days(2)), 409).await;
    ava.take(&long, "claim", claim(told)).await;
    platform.pass("PT0S").await;
    let data = ava.take(&long, "classify", planned.clone()).await["data"].clone();
    let minutes = ["asked_minutes", "planned_minutes", "minutes", "unplanned_minutes"]
        .map(|name| data[name].clone());
    assert_eq!(minutes, [json!(120), json!(60), json!(145), json!(85)]);
    // The allowance of the month is used: what comes next is unplanned.
    let next = outage(opens, opens + TimeDelta::minutes(10)).await;
    ava.take(&next, "claim", claim(told)).await;
    platform.pass("PT0S").await;
    ava.refused(&next, "classify", planned, 409).await;
    let unplanned = json!({ "classification": "unplanned", "reason": "Beyond what is allowed." });
    let data = ava.take(&next, "classify", unplanned).await["data"].clone();
    assert_eq!(data["unplanned_minutes"], 10);
}

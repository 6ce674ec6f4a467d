//! Whether the configuration is what is recorded of it, and what is looked at again when it is tied otherwise
//! (catalogue sections 2.28 and 4).

use acceptance::{Options, Platform};
use serde_json::json;

use crate::{
    customers::now,
    hands::{Hand, number},
};

/// Proves: CFG-8
#[tokio::test]
async fn the_configuration_is_verified_and_what_it_depends_on_looked_at_again() {
    let platform = Platform::up(Options::manual_clock()).await;
    let cora = Hand::of(&platform, "Cora", &["configuration_manager"]).await;
    let peer = Hand::of(&platform, "Carl", &["configuration_manager"]).await;
    let vera = Hand::of(&platform, "Vera", &[]).await;
    let agent = Hand::of(&platform, "Lena", &["agent"]).await;
    let sam = Hand::of(&platform, "Sam", &["service_manager"]).await;
    let mut items = Vec::new();
    for name in ["ws-1", "ws-2", "ws-3", "ws-4"] {
        let item =
            cora.open("configuration-items", json!({ "title": name, "kind": "workstation" })).await;
        cora.take(&item, "build", json!({})).await;
        cora.take(&item, "test", json!({ "version": "1" })).await;
        let live = json!({ "change": "none", "owner": vera.number, "service": "SVC-MAIL" });
        cora.take(&item, "go_live", live).await;
        items.push(item);
    }

    // It comes back twice a year, with its owner, and is counted from what was looked at.
    let run = json!({ "title": "Workstations", "scope": "Four drawn by chance.", "owner": vera.number, "every": "P6M" });
    let run = cora.open("verifications", run).await;
    let starts_at = now(&platform).await.to_rfc3339();
    cora.take(&run, "begin", json!({ "starts_at": starts_at })).await;
    vera.take(&run, "run", json!({})).await;
    let finding = json!({ "finding": "One has more memory." });
    vera.refused(&run, "report", finding.clone(), 409).await;
    for item in &items[..3] {
        cora.take(item, "verify", json!({ "verification": number(&run) })).await;
    }
    let found = |how: &str| json!({ "item": number(&items[3]), "attribute": "memory", "recorded": "8", "found": "16", "found_by": how, "owner": vera.number });
    let mut differs = found("verification");
    differs["verification"] = json!(number(&run));
    let differs = agent.open("differences", differs).await;
    let counted = vera.read(&run).await["data"].clone();
    let figures = ["checked", "accuracy", "open_differences"].map(|name| counted[name].clone());
    assert_eq!(figures, [json!(4), json!(75.0), json!(1)]);
    // Below its target it is reported with what becomes better.
    vera.refused(&run, "report", finding.clone(), 409).await;
    let better =
        json!({ "finding": "One has more memory.", "improvement": "Who builds in writes down." });
    vera.take(&run, "report", better).await;
    platform.pass("PT0S").await;
    let improvement = sam.find("improvements", json!({ "source": number(&run) })).await;
    assert_eq!(sam.field(&improvement[0], "baseline").await, "75");
    let reason = json!({ "reason": "Enough." });
    cora.refused(&run, "end", reason.clone(), 409).await;
    vera.take(&differs, "explain", json!({ "explanation": "A gift." })).await;
    vera.take(&differs, "reverse", json!({ "reason": "It is taken out." })).await;
    cora.take(&differs, "verify", json!({})).await;
    assert_eq!(vera.field(&run, "open_differences").await, 0);

    // What discovery finds is a difference, too; the next run begins at nothing.
    let seen = agent.open("differences", found("discovery")).await;
    assert_eq!(peer.field(&items[3], "difference").await, number(&seen));
    platform.pass("P190D").await;
    let duties = vera.door.get("/api/v1/duties").await.good();
    let late = duties["items"].as_array().expect("duties").iter();
    let late = late.filter(|duty| duty["record"]["number"] == number(&run));
    assert!(late.clone().count() == 1, "{duties}");
    vera.take(&run, "run", json!({})).await;
    for item in &items {
        peer.take(item, "verify", json!({ "verification": number(&run) })).await;
    }
    assert_eq!(vera.take(&run, "report", finding).await["data"]["accuracy"], 100.0);
    assert_eq!(vera.field(&run, "runs").await, 2);

    depends_on_something_else(&platform, &cora, &items).await;
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

/// Where something critical depends on something else, the plan that protects it is looked through, and where it
/// may fail alone is a risk to be looked at, each time.
async fn depends_on_something_else(platform: &Platform, cora: &Hand, items: &[String]) {
    let keeper = Hand::of(platform, "Cay", &["continuity_manager"]).await;
    let risks = Hand::of(platform, "Rick", &["risk_manager"]).await;
    let plan = json!({ "title": "Tills elsewhere", "service": "SVC-POS", "owner": keeper.number });
    let plan = keeper.open("continuity-plans", plan).await;
    let critical = json!({ "change": "none", "criticality": 1, "attributes": { "system": "Debian", "user": "till" }, "continuity_plan": number(&plan) });
    cora.take(&items[0], "revise", critical).await;
    platform.pass("PT0S").await;
    assert_eq!(keeper.field(&plan, "is_touched").await, false);
    let tied = |to: &str| json!({ "change": "CHG0000007", "depends_on": [number(to)] });
    cora.take(&items[0], "revise", tied(&items[1])).await;
    platform.pass("PT0S").await;
    assert_eq!(keeper.field(&plan, "is_touched").await, true);
    assert_eq!(keeper.field(&plan, "change").await, "CHG0000007");
    let risk = risks.find("risks", json!({ "origin": number(&items[0]) })).await;
    assert_eq!(risks.field(&risk[0], "area").await, "availability");
    let score = json!({ "likelihood": "low", "impact": "low", "owner": risks.number });
    risks.take(&risk[0], "analyse", score).await;
    let later = (now(platform).await + chrono::TimeDelta::days(90)).to_rfc3339();
    risks.take(&risk[0], "bear", json!({ "review_at": later })).await;
    cora.take(&items[0], "revise", tied(&items[2])).await;
    platform.pass("PT0S").await;
    assert_eq!(risks.field(&risk[0], "is_past_review").await, true);
    assert_eq!(risks.find("risks", json!({ "origin": number(&items[0]) })).await.len(), 1);
}

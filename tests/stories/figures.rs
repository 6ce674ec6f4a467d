//! How promises were kept: figures to the second, closed periods, and what is told beside them.

use acceptance::{Door, Options, Platform};
use serde_json::{Value, json};

use crate::promises::{AT, Parties, clock, march, open, opened_by, resolved_after};

/// Every figure of a line opens as many clocks as it counts.
async fn opens_what_it_counts(door: &Door, line: &Value) {
    for figure in ["met", "breached", "open", "excluded"] {
        let opened = opened_by(door, &line["opens"][figure]).await;
        assert_eq!(Some(opened), line[figure].as_i64(), "{figure} of {line:#}");
    }
}

/// What is due in a period is counted as it stands at the moment of the question, open or not.
#[tokio::test]
async fn what_is_open_and_past_its_time_counts_as_breached() {
    let platform = Platform::up(Options::default().with(&["--clock", AT])).await;
    let parties = Parties::of(&platform).await;
    parties.sign(&platform, json!({})).await;
    let agent = platform.person("Ada", &["agent"]).await;
    resolved_after(&platform, &agent, "PT1H").await;
    let late = open(&agent, "high").await;
    let dropped = open(&agent, "high").await;
    let path =
        format!("/api/v1/incidents/{}/transitions/cancel", dropped["number"].as_str().unwrap());
    let _ = agent.post(&path, &json!({ "reason": "A mistake." })).await.good();
    // 09:00; the open one is due at 13:00.
    platform.pass("PT3H59M59S").await;
    let before = march(&agent, "resolution").await;
    let counts =
        |line: &Value| ["met", "breached", "open", "excluded"].map(|name| line[name].as_i64());
    assert_eq!(counts(&before), [Some(1), Some(0), Some(1), Some(1)], "{before:#}");
    assert_eq!(before["compliance"], 100.0);
    opens_what_it_counts(&agent, &before).await;
    platform.pass("PT1S").await;
    let after = march(&agent, "resolution").await;
    assert_eq!(counts(&after), [Some(1), Some(1), Some(0), Some(1)], "{after:#}");
    assert_eq!(after["compliance"], 50.0);
    assert_eq!(clock(&agent, &late, "resolution").await["state"], "breached");
    opens_what_it_counts(&agent, &after).await;
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

async fn figures(door: &Door, period: &Value) -> Value {
    let path = format!("/api/v1/periods/{}/figures", period["number"].as_str().expect("a number"));
    door.get(&path).await.good()
}

fn line<'a>(figures: &'a Value, target: &str) -> &'a Value {
    let items = figures["items"].as_array().expect("items");
    items.iter().find(|item| item["target"] == target).expect("the target has figures")
}

/// Proves: PLT-14
#[tokio::test]
async fn a_closed_period_keeps_its_figures_and_tells_what_changed() {
    let platform = Platform::up(Options::default().with(&["--clock", AT])).await;
    let parties = Parties::of(&platform).await;
    parties.sign(&platform, json!({})).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let slow = resolved_after(&platform, &agent, "PT5H").await;
    resolved_after(&platform, &agent, "PT1H").await;

    // March is closed by whoever keeps the agreements, once it is over.
    let asked = json!({ "from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z", "note": "Reported." });
    assert_eq!(parties.manager.post("/api/v1/periods", &asked).await.status, 422);
    platform.pass("P31D").await;
    assert_eq!(agent.post("/api/v1/periods", &asked).await.status, 403);
    let period = parties.manager.post("/api/v1/periods", &asked).await.good();
    assert_eq!(period["state"], "closed");
    assert_eq!(parties.manager.post("/api/v1/periods", &asked).await.status, 409);
    let reported = figures(&agent, &period).await;
    let first = line(&reported, "resolution").clone();
    assert_eq!((&first["met"], &first["breached"]), (&json!(1), &json!(1)), "{reported:#}");
    assert_eq!((&first["compliance"], &first["now"]), (&json!(50.0), &Value::Null));
    assert_eq!(reported["restatements"], json!([]));

    // An event of that month was recorded wrongly.
    let missed = clock(&agent, &slow, "resolution").await;
    let moments = missed["data"]["moments"].as_array().expect("moments");
    let resolved = moments.iter().find(|moment| moment["kind"] == "incident.resolved.v1");
    let rev = resolved.expect("it was resolved")["rev"].clone();
    let number = missed["number"].as_str().expect("a number");
    let with = json!({
        "correction": { "rev": rev, "at": "2026-03-02T11:30:00Z" },
        "reason": "It was recorded after lunch.",
    });
    let correct = format!("/api/v1/clocks/{number}/transitions/correct");
    let _ = parties.manager.post(&correct, &with).await.good();

    // What was reported stays; beside it stands what it is now, and who changed what.
    let restated = figures(&agent, &period).await;
    let second = line(&restated, "resolution");
    assert_eq!((&second["met"], &second["breached"]), (&json!(1), &json!(1)), "{restated:#}");
    assert_eq!((&second["now"]["met"], &second["now"]["breached"]), (&json!(2), &json!(0)));
    assert_eq!(line(&restated, "response")["now"], Value::Null);
    let changes = restated["restatements"].as_array().expect("changes");
    assert_eq!(changes.len(), 1, "{restated:#}");
    let change = &changes[0];
    assert_eq!(change["clock"], missed["number"]);
    assert_eq!(change["event"], "clock.corrected.v1");
    assert!(change["by"].as_str().is_some_and(|by| by.starts_with("person:")), "{change}");
    assert_eq!(change["before"]["standing"], "breached");
    assert_eq!(change["after"]["standing"], "met");
    assert_eq!(march(&agent, "resolution").await["met"], 2);
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

//! An organisation with a month behind it, as `steward up --demo` makes it.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use acceptance::{Door, Options, Platform, until};
use serde_json::{Value, json};

/// On a machine that does other things besides.
const PATIENCE: Duration = Duration::from_secs(600);
/// What has records that nobody ends, or that are ended by nobody but time.
const ONE_SIDED: [&str; 12] = [
    "api_key",
    "breach",
    "clock",
    "group",
    "notice",
    "notification",
    "password",
    "period",
    "person",
    "session",
    "sign_in_link",
    "view",
];

/// Steps that were taken.
fn taken(folder: &Path) -> usize {
    let text = fs::read_to_string(folder.join("data/demo.jsonl")).unwrap_or_default();
    text.lines().filter(|line| line.starts_with("{\"step\"")).count()
}

/// The records of every process, by its name.
async fn all(door: &Door) -> BTreeMap<String, Vec<Value>> {
    let mut found = BTreeMap::new();
    for process in door.get("/api/v1/processes").await.good()["items"].as_array().expect("a list") {
        let name = |field: &str| process[field].as_str().expect("a name").to_owned();
        let records = door.all(&format!("/api/v1/{}", name("collection")), "").await;
        found.insert(name("process"), records);
    }
    found
}

/// Proves: PLT-5
#[tokio::test]
async fn a_month_of_history_is_made_once_and_by_its_people() {
    let options = Options { patience: Some(PATIENCE), ..Options::default().with(&["--demo"]) };
    let mut platform = Platform::new(options);
    let folder = platform.folder().to_owned();
    // Killed half-way, it goes on where it stopped.
    tokio::select! {
        () = platform.start() => panic!("it was made before it could be killed"),
        () = until("some of it is made", PATIENCE, || {
            let is_under_way = taken(&folder) > 300;
            async move { is_under_way }
        }) => {}
    }
    platform.kill();
    let before = taken(&folder);
    platform.start().await;
    let steps = taken(&folder);
    assert!(before < steps && steps > 1_000, "{before} of {steps}");

    // Work that is done and work that is not, in every process.
    let made = all(&platform).await;
    for (process, records) in &made {
        let closed = records.iter().filter(|record| !record["closed_at"].is_null()).count();
        if !ONE_SIDED.contains(&process.as_str()) {
            assert!(
                closed > 0 && closed < records.len(),
                "{process}: {closed} of {}",
                records.len()
            );
        }
    }
    let in_state = |process: &str, state: &str| {
        made[process].iter().filter(|record| record["state"] == state).count()
    };
    // People of the month: nobody was made twice, and no key of theirs is left.
    assert_eq!((made["person"].len(), in_state("api_key", "active")), (30, 0));
    assert!(made["incident"].len() >= 60 && in_state("incident", "closed") >= 40);
    // Promises were kept, and some were not.
    assert!(in_state("clock", "met") > 50 && in_state("clock", "breached") >= 3);
    assert_eq!(made["release"].iter().filter(|one| one["data"]["kind"] == "patch").count(), 2);
    let titled = |process: &str, title: &str| {
        let of = made[process].iter().find(|record| record["data"]["title"] == title);
        of.unwrap_or_else(|| panic!("no {process} is called {title}")).clone()
    };
    let mail = titled("configuration_item", "mail-mx-02");
    assert_eq!(mail["data"]["version"], "15.1.6");
    assert_eq!(titled("problem", "Calendar sync hangs on mail-mx-02")["state"], "closed");

    // What the board authorised, three of it did, each for themselves.
    let number =
        titled("release", "Mail server 15.1.6, second attempt")["data"]["contains"][0].clone();
    let path = format!("/api/v1/changes/{}/history", number.as_str().expect("a number"));
    let history = platform.get(&path).await.good();
    let mut voters: Vec<&str> = history["items"]
        .as_array()
        .expect("entries")
        .iter()
        .filter(|entry| {
            ["voted", "authorised"].contains(&entry["event"].as_str().unwrap_or_default())
        })
        .filter_map(|entry| entry["actor"]["name"].as_str())
        .collect();
    voters.sort_unstable();
    assert_eq!(voters, ["Bea Krause", "Ben Sommer", "Ines Keller"]);

    // Nothing was given up, everything verifies, and the clock is the real one.
    for service in ["incident", "change", "release", "sla", "supplier", "governance", "gateway"] {
        let letters =
            platform.get(&format!("/api/v1/services/{service}/dead-letters")).await.good();
        assert_eq!(letters["items"], json!([]), "{service}");
    }
    assert_eq!(platform.get("/api/v1/clock").await.good()["manual"], false);
    let _ = platform.stop(Duration::from_secs(10)).await;
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");

    // The same command again makes nothing again.
    platform.start().await;
    let count = |of: &BTreeMap<String, Vec<Value>>| {
        of.iter().map(|(process, records)| (process.clone(), records.len())).collect::<Vec<_>>()
    };
    assert_eq!((taken(&folder), count(&all(&platform).await)), (steps, count(&made)));

    for (contact, other) in [("Mia Castell", "Arbor Retail"), ("Arno Fuchs", "Meridian Bank")] {
        sees_nothing_of(&platform, &made, contact, other).await;
    }
}

/// A customer's contact finds nothing of another customer: in no list, by no number, by no word, in no count and in
/// nothing that they were told.
async fn sees_nothing_of(
    platform: &Platform,
    made: &BTreeMap<String, Vec<Value>>,
    contact: &str,
    other: &str,
) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let person = made["person"].iter().find(|one| one["data"]["name"] == contact).expect("them");
    let scopes = ["records:read", "records:write"];
    let key = json!({ "name": contact, "scopes": scopes, "person": person["number"] });
    let door = platform.key(key).await;
    let processes = door.get("/api/v1/processes").await.good();
    let processes = processes["items"].as_array().expect("a list").iter();
    let places: BTreeMap<String, String> =
        processes.map(|one| (text(&one["process"]), text(&one["collection"]))).collect();
    let seen = all(&door).await;
    assert!(!seen["incident"].is_empty() && !seen["agreement"].is_empty(), "{contact}");
    let mut hidden = 0;
    for (process, records) in made {
        let collection = seen[process].iter().map(|one| text(&one["number"])).collect::<Vec<_>>();
        for record in records.iter().filter(|one| one["data"]["customer"] == other) {
            hidden += 1;
            let number = text(&record["number"]);
            assert!(!collection.contains(&number), "{contact} sees {number}");
            let title = text(&record["data"]["title"]);
            for id in [&number, &text(&record["id"])] {
                let path = format!("/api/v1/{}/{id}", places[process]);
                assert!(!door.get(&path).await.status.is_success(), "{contact} reads {path}");
            }
            if process == "incident" {
                let query = format!("?q={}", title.replace(' ', "+"));
                let found = door.all("/api/v1/incidents", &query).await;
                assert!(!found.iter().any(|one| one["number"] == record["number"]), "{title}");
            }
        }
        let series = format!(
            "/api/v1/processes/{process}/series?edges=2000-01-01T00:00:00Z,2100-01-01T00:00:00Z"
        );
        let counted = door.get(&series).await.good()["spans"][0]["count"].clone();
        assert_eq!(counted, collection.len(), "{contact}: {process}");
    }
    assert!(hidden > 20, "{hidden} records of {other}");
    let of_other = |number: &Value| {
        let mut all = made.values().flatten().filter(|one| one["number"] == *number);
        all.any(|one| one["data"]["customer"] == other)
    };
    let told = seen["notification"].iter().map(|one| &one["data"]["of_number"]);
    assert!(!told.clone().any(of_other), "{contact} is told of {other}");
}

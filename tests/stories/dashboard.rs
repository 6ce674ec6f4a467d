//! What leadership looks at: figures of each kind, every one of which opens the records behind it (catalogue
//! section 2.2, MGT-8).

use acceptance::{Door, Options, Platform};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{
    customers::now,
    hands::Hand,
    promises::{AT, Parties, escaped, march, open, opened_by, resolved_after},
};

/// What the dashboard counts by their opening, each narrowed as leadership wants it.
const COUNTED: [(&str, &str, &str); 5] = [
    ("objective", "objectives", "record.state != 'dropped'"),
    ("major_incident", "major-incidents", ""),
    ("risk", "risks", "record.area in ['security', 'supplier']"),
    ("nonconformity", "nonconformities", "record.grade == 'major' && record.state == 'raised'"),
    ("incident", "incidents", "record.priority <= 2"),
];

/// The figures of one process in spans that end at `edges`; each has to open as many records as it counts.
async fn spread(door: &Door, counted: (&str, &str, &str), edges: &str) -> Vec<u64> {
    let (process, collection, filter) = counted;
    let path =
        format!("/api/v1/processes/{process}/series?edges={edges}&filter={}", escaped(filter));
    let series = door.get(&path).await.good();
    assert_eq!(series["is_complete"], true, "{series:#}");
    let mut counts = Vec::new();
    for span in series["spans"].as_array().expect("spans") {
        let which = escaped(span["filter"].as_str().expect("a filter"));
        let opened = door.all(&format!("/api/v1/{collection}"), &format!("?filter={which}")).await;
        assert_eq!(span["count"].as_u64(), Some(opened.len() as u64), "{span:#}");
        let (from, to) = (span["from"].as_str(), span["to"].as_str());
        let is_within = |record: &Value| {
            record["opened_at"].as_str() >= from && record["opened_at"].as_str() < to
        };
        assert!(opened.iter().all(is_within), "{span:#} opens {opened:#?}");
        counts.push(opened.len() as u64);
    }
    counts
}

/// Every state is counted as often as its list has records.
async fn states(door: &Door, (process, collection, _): (&str, &str, &str)) {
    let counts = door.get(&format!("/api/v1/processes/{process}/counts")).await.good();
    for (state, count) in counts["states"].as_object().expect("states") {
        let which = escaped(&format!("record.state in ['{state}']"));
        let opened = door.all(&format!("/api/v1/{collection}"), &format!("?filter={which}")).await;
        assert_eq!(count.as_u64(), Some(opened.len() as u64), "{process} {state}");
    }
}

/// What is owed by now and overdue: each item opens the record that owes it.
async fn overdue(door: &Door, by: DateTime<Utc>) -> Vec<Value> {
    let before = by.format("%Y-%m-%dT%H:%M:%SZ");
    let page = door.get(&format!("/api/v1/duties?before={before}")).await.good();
    let mut numbers = Vec::new();
    for item in page["items"].as_array().expect("items") {
        let (number, process) = (&item["record"]["number"], &item["record"]["process"]);
        let owner = process.as_str().expect("a process");
        let owner = door.get(&format!("/api/v1/processes/{owner}")).await.good();
        let of = |value: &Value| value.as_str().expect("a word").to_owned();
        let path = format!("/api/v1/{}/{}", of(&owner["collection"]), of(number));
        let record = door.get(&path).await.good();
        assert!(record["data"]["next_duty"].as_str().is_some(), "{record:#}");
        numbers.push(number.clone());
    }
    numbers
}

/// What there is to be seen: some of each kind, on two days.
async fn two_days(platform: &Platform, owner: &Hand, agent: &Door) {
    for title in ["First day", "Second day"] {
        let make = async |collection: &str, mut data: Value| {
            data["title"] = json!(title);
            platform.post(&format!("/api/v1/{collection}"), &data).await.good()
        };
        make("objectives", json!({ "owner": owner.number })).await;
        for area in ["security", "supplier", "availability"] {
            make("risks", json!({ "area": area })).await;
        }
        for grade in ["major", "minor"] {
            make("nonconformities", json!({ "clause": "8.6.1", "grade": grade })).await;
        }
        let incident = open(agent, "high").await;
        let major = json!({ "incident": incident["number"], "criteria": ["many_users"] });
        make("major-incidents", major).await;
        platform.pass("P1D").await;
    }
}

/// Proves: MGT-8
#[tokio::test]
async fn each_figure_of_the_dashboard_opens_the_records_behind_it() {
    let platform = Platform::up(Options::default().with(&["--clock", AT])).await;
    let parties = Parties::of(&platform).await;
    parties.sign(&platform, json!({})).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let owner = Hand::of(&platform, "Otto", &[]).await;
    let roles = ["executive", "auditor", "incident_manager", "change_manager"];
    let chief = Hand::of(&platform, "Vera", &roles).await;
    let began = now(&platform).await;
    two_days(&platform, &owner, &agent).await;
    resolved_after(&platform, &agent, "PT1H").await;

    // An emergency by word of mouth owes its ratification.
    let urgent = json!({
        "title": "Block the key", "type": "emergency", "service": "SVC-PAY",
        "threat": "A terminal was stolen.", "plan": "Revoke its key.", "implementer": owner.number,
    });
    let urgent = platform.post("/api/v1/changes", &urgent).await.good();
    let path = format!("/api/v1/changes/{}", urgent["number"].as_str().expect("a number"));
    let word = json!({ "authorised_by": chief.number });
    let _ = platform.post(&format!("{path}/transitions/break_glass"), &word).await.good();
    platform.pass("P7D").await;

    // By day of opening, and by state; who sees less counts less, and opens what is counted.
    let edge = |days: i64| (began + TimeDelta::days(days)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let edges = format!("{},{},{}", edge(-1), edge(1), edge(3));
    for counted in COUNTED {
        let counts = spread(&chief.door, counted, &edges).await;
        assert!(counts.iter().all(|count| *count > 0), "{counted:?}: {counts:?}");
        states(&chief.door, counted).await;
        spread(&agent, counted, &edges).await;
        states(&agent, counted).await;
    }
    assert_eq!(spread(&chief.door, COUNTED[2], &edges).await, [2, 2]);
    assert_eq!(spread(&agent, COUNTED[2], &edges).await, [0, 0]);

    // The promises, and what is owed and overdue.
    let line = march(&chief.door, "resolution").await;
    assert_eq!((line["met"].as_i64(), line["breached"].as_i64()), (Some(1), Some(2)), "{line:#}");
    for figure in ["met", "breached", "open", "excluded"] {
        let opened = opened_by(&chief.door, &line["opens"][figure]).await;
        assert_eq!(Some(opened), line[figure].as_i64(), "{figure} of {line:#}");
    }
    let overdue = overdue(&chief.door, began + TimeDelta::days(30)).await;
    assert!(overdue.contains(&urgent["number"]), "{overdue:?}");
}

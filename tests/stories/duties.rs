//! What comes back: reviews with their owner, remembered, overdue, done, and on one list of all services.

use acceptance::{Door, Options, Platform};
use serde_json::{Value, json};

use crate::promises::{AT, Parties, mailbox, number_of};

/// A service of the catalogue that is live.
async fn live(platform: &Platform, parties: &Parties, title: &str, owner: &Value) -> String {
    let code = format!("SVC-{title}");
    let entry = json!({
        "title": title, "code": code, "description": "What it is", "owner": owner,
        "request_items": [mailbox()],
    });
    let service = parties.manager.post("/api/v1/services", &entry).await.good();
    let number = service["number"].as_str().expect("a number").to_owned();
    let agreement = json!({ "service": code, "service_record": number });
    let _ = parties.sign(platform, agreement).await;
    let launch = format!("/api/v1/services/{number}/transitions/launch");
    let _ = parties.manager.post(&launch, &json!({ "change": "CHG0000001" })).await.good();
    number
}

async fn duties(door: &Door, query: &str) -> Value {
    door.get(&format!("/api/v1/duties{query}")).await.good()
}

/// The number of the record and whether its first duty is overdue, item by item.
fn told(page: &Value) -> Vec<(String, bool)> {
    let items = page["items"].as_array().expect("items").iter();
    let told = items.map(|item| {
        let number = item["record"]["number"].as_str().unwrap_or_default().to_owned();
        (number, item["duties"][0]["overdue"] == true)
    });
    told.collect()
}

async fn advance(platform: &Platform, by: &str) {
    let _ = platform.post("/api/v1/clock", &json!({ "advance": by })).await.good();
}

/// Proves: PLT-11
#[tokio::test]
async fn duties_come_back_with_owner_reminder_overdue_and_a_record_of_each_time() {
    let mut platform = Platform::up(Options::default().with(&["--clock", AT])).await;
    let parties = Parties::of(&platform).await;
    let owner = platform.person("Ines", &[]).await;
    let ines = number_of(&platform, "Ines").await;
    let mail = live(&platform, &parties, "MAIL", &ines).await;
    advance(&platform, "P10D").await;
    let pay = live(&platform, &parties, "PAY", &json!(null)).await;

    // One list of all services, the first due first, for those who see the records.
    let all = duties(&parties.manager, "").await;
    assert_eq!(told(&all), [(mail.clone(), false), (pay.clone(), false)]);
    let first = &all["items"][0];
    assert_eq!(first["duties"][0]["due_at"], "2027-03-02T08:00:00.000000Z");
    assert_eq!((&first["duties"][0]["owner"], &first["record"]["title"]), (&ines, &json!("MAIL")));
    assert_eq!((&all["unreachable"], &all["next"]), (&json!([]), &Value::Null));
    let page = duties(&parties.manager, "?limit=1").await;
    let next = page["next"].as_str().expect("more");
    assert_eq!(
        told(&duties(&parties.manager, &format!("?cursor={next}")).await),
        [(pay.clone(), false)]
    );
    let early = duties(&parties.manager, "?before=2027-03-05T00:00:00Z").await;
    assert_eq!(told(&early), [(mail.clone(), false)]);
    assert_eq!(parties.manager.get("/api/v1/duties?before=soon").await.status, 422);
    assert_eq!(told(&duties(&owner, "").await), [(mail.clone(), false)]);
    assert_eq!(told(&duties(&parties.contact, "").await), []);

    // Down while it is to be remembered, due and overdue: it is overdue once, and never lost.
    platform.kill();
    platform.start().await;
    advance(&platform, "P400D").await;
    let all = duties(&parties.manager, "").await;
    assert_eq!(told(&all), [(mail.clone(), true), (pay.clone(), true)]);
    let path = format!("/api/v1/services/{mail}");
    let events = async || {
        let history = platform.get(&format!("{path}/history")).await.good();
        let items = history["items"].as_array().expect("items").clone();
        let events = items.iter().filter_map(|item| item["event"].as_str().map(str::to_owned));
        events.filter(|event| event.starts_with("obligation") || event == "reviewed").collect()
    };
    let before: Vec<String> = events().await;
    assert_eq!(before, ["obligation_reminded", "obligation_overdue"]);
    let found = json!({ "finding": "It still says what is so." });
    let reviewed = owner.post(&format!("{path}/transitions/review"), &found).await.good();
    let owed = &reviewed["data"]["obligations"][0];
    assert_eq!(
        (&owed["done"], &owed["late"], &owed["overdue"]),
        (&json!(1), &json!(1), &json!(false))
    );
    assert_eq!(owed["due_at"], "2028-03-02T08:00:00Z");
    let after: Vec<String> = events().await;
    assert_eq!(after.last().map(String::as_str), Some("reviewed"));
    assert_eq!(told(&duties(&parties.manager, "").await), [(pay, true), (mail, false)]);
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}
